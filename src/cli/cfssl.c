/* SPDX-License-Identifier: Apache-2.0 */
/* The commands that CFSSL's users know by name. */
#include "cli/cfssl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/file.h"
#include "base/pem.h"
#include "base/value.h"
#include "ca/plan.h"
#include "ca/serial.h"
#include "cfssl/result.h"

#define LOGLEVEL_MAX 5
/* 43800 hours, as CFSSL has it. */
#define ROOT_S (INT64_C(43800) * 3600)

enum oc_err
cli_cfssl_read(const char *path, struct cfssl_request **request,
    struct oc_error *error)
{
	const char *where = strcmp(path, "-") == 0 ? "standard input" : path;
	uint8_t *text;
	size_t len;
	enum oc_err err = oc_file_read(path, CFSSL_JSON_MAX, &text, &len,
	    error);

	if (err != OC_OK)
		return err;
	if (oc_pem_has_private_key((const char *)text, len))
		err = oc_error_set(error, OC_ERR_REFUSED, "%s: holds a "
		    "private key, and is no csr.json; keep it where it is",
		    where);
	else
		err = cfssl_request_read(where, text, len, request, NULL,
		    error);
	explicit_bzero(text, len);
	free(text);
	return err;
}

enum oc_err
cli_cfssl_check(const struct cli *cli, struct oc_error *error)
{
	const char *level = cli_option(cli, "loglevel");
	int64_t value;

	if (level == NULL || oc_value_int(level, 0, LOGLEVEL_MAX, &value,
	    error) == OC_OK)
		return OC_OK;
	oc_error_prefix(error, "-loglevel");
	return OC_ERR_USAGE;
}

/* --- making ----------------------------------------------------------- */

enum oc_err
cli_cfssl_make(const struct cfssl_request *request,
    struct cli_cfssl_made *made, struct oc_error *error)
{
	enum oc_err err;

	cli_progress_begin("the new key");
	err = cfssl_key_new(request->key_type, request->key_bits, &made->key,
	    error);
	cli_progress_end();
	if (err == OC_OK)
		err = cfssl_key_csr(made->key, request, &made->csr,
		    &made->csr_len, error);
	return err;
}

void
cli_cfssl_made_fini(struct cli_cfssl_made *made)
{
	cfssl_key_free(made->key);
	free(made->csr);
	*made = (struct cli_cfssl_made){ NULL, NULL, 0 };
}

/* The built-in root, with what csr.json says of it. */
static enum oc_err
root_profile(const struct cfssl_request *request, struct ca_profile *profile,
    struct oc_error *error)
{
	static const struct oc_config none;
	enum oc_err err = ca_profile_find(&none, "root", profile, error);

	if (err != OC_OK)
		return err;
	profile->path_length = request->ca.path_length;
	profile->validity_s = request->ca.expiry_s != 0 ?
	    request->ca.expiry_s : ROOT_S;
	if (request->ca.backdate_s != 0)
		profile->backdate_s = request->ca.backdate_s;
	return OC_OK;
}

/*
 * Planned like a root of ours, but signed by the key in memory, which is its
 * applicant's and leaves with the output: no issuer of ours, so there is no
 * record to keep of it.
 */
enum oc_err
cli_cfssl_make_root(const struct cfssl_request *request,
    const struct cli_cfssl_made *made, uint8_t **der, size_t *der_len,
    struct oc_error *error)
{
	uint8_t subject[OC_NAME_MAX];
	struct ca_profile profile = { .name = "" };
	struct ca_request wish = { .profile = &profile,
	    .spki = cfssl_key_spki(made->key), .subject.p = subject };
	struct ca_plan *plan = NULL;
	enum oc_err err;

	err = cfssl_subject_write(&request->subject, subject,
	    &wish.subject.len, error);
	if (err == OC_OK)
		err = root_profile(request, &profile, error);
	if (err == OC_OK)
		err = ca_plan_new_root(&wish, cfssl_key_alg(made->key),
		    &plan, error);
	if (err == OC_OK) {
		/* There is no store, and so no epoch. */
		err = ca_serial_new(0, &plan->serial);
		if (err != OC_OK)
			oc_error_set(error, err, "no serial number: %s",
			    oc_strerror(err));
	}
	if (err == OC_OK)
		err = ca_plan_write(plan, error);
	if (err == OC_OK)
		err = cfssl_key_sign(made->key, (struct der_bytes){
		    plan->der, plan->der_len }, der, der_len, error);
	ca_plan_free(plan);
	ca_profile_fini(&profile);
	return err;
}

/* --- printing --------------------------------------------------------- */

static const char *
pem_of(const char *label, struct der_bytes der, struct oc_buffer *b)
{
	if (der.len == 0)
		return NULL;
	oc_pem_write(b, label, der.p, der.len);
	return oc_buffer_text(b);
}

/* A shell makes "> key.json" for everybody. */
enum oc_err
cli_cfssl_guard(struct oc_error *error)
{
	struct stat st;

	if (fstat(STDOUT_FILENO, &st) < 0 || !S_ISREG(st.st_mode) ||
	    (st.st_mode & (S_IRWXG | S_IRWXO)) == 0)
		return OC_OK;
	if (fchmod(STDOUT_FILENO, st.st_mode & S_IRWXU) < 0)
		return oc_error_set_errno(error, OC_ERR_REFUSED, "standard "
		    "output is a file that others can read, and a private "
		    "key would go there; its mode cannot be changed");
	return OC_OK;
}

/* Not through stdio, whose buffer would keep the key. */
static enum oc_err
write_line(const char *line, struct oc_error *error)
{
	size_t len = strlen(line);

	while (len > 0) {
		ssize_t n = write(STDOUT_FILENO, line, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return oc_error_set_errno(error, errno == ENOSPC ?
			    OC_ERR_NO_SPACE : OC_ERR_SYSTEM,
			    "standard output");
		line += n;
		len -= (size_t)n;
	}
	return OC_OK;
}

enum oc_err
cli_cfssl_print(struct der_bytes cert, struct der_bytes csr,
    const struct cfssl_key *key, struct oc_error *error)
{
	struct oc_buffer cert_pem, csr_pem;
	struct cfssl_result result = { NULL, NULL, NULL };
	char *key_pem = NULL, *line = NULL;
	enum oc_err err = OC_OK;

	oc_buffer_init(&cert_pem, 2 * OC_CERTIFICATE_MAX);
	oc_buffer_init(&csr_pem, 2 * OC_CSR_MAX);
	result.cert = pem_of("CERTIFICATE", cert, &cert_pem);
	result.csr = pem_of("CERTIFICATE REQUEST", csr, &csr_pem);
	if (key != NULL)
		err = cli_cfssl_guard(error);
	if (err == OC_OK && key != NULL)
		err = cfssl_key_pem(key, &key_pem, error);
	result.key = key_pem;
	if (err == OC_OK && (cert_pem.err != OC_OK || csr_pem.err != OC_OK))
		err = oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	if (err == OC_OK)
		err = cfssl_result_line(&result, &line, error);
	if (err == OC_OK)
		err = write_line(line, error);
	cfssl_pem_free(line);
	cfssl_pem_free(key_pem);
	oc_buffer_fini(&csr_pem);
	oc_buffer_fini(&cert_pem);
	return err;
}

/* --- the table -------------------------------------------------------- */

const struct cli_command cli_genkey_commands[] = {
	{ .noun = "genkey", .arguments = "CSRJSON", .num_args_min = 1,
	    .num_args_max = 1, .style = CLI_STYLE_GO,
	    .options = cli_genkey_options,
	    .summary = "as cfssl genkey: a key and its request",
	    .about = "Makes a key and a certification request of CFSSL's "
		"csr.json and prints both as one line of JSON, for \"ocsign "
		"json -bare\" or cfssljson; with -initca also a self-signed "
		"CA certificate.  With -token the key is made in a token and "
		"stays there.",
	    .example = "ocsign genkey csr.json | ocsign json -bare site",
	    .run = cli_genkey },
	{ NULL }
};

const struct cli_command cli_gencert_commands[] = {
	{ .noun = "gencert", .arguments = "CSRJSON", .num_args_min = 1,
	    .num_args_max = 1, .style = CLI_STYLE_GO,
	    .options = cli_gencert_options,
	    .summary = "as cfssl gencert: a key and its certificate",
	    .about = "Makes a key and a certification request of CFSSL's "
		"csr.json, issues a certificate for it, and prints all three "
		"as one line of JSON.  The CA's key is in its token; a key in "
		"a file is refused.  With -initca: a self-signed CA, as "
		"genkey.",
	    .example = "ocsign gencert -ca web -profile server csr.json | "
		"ocsign json -bare site",
	    .run = cli_gencert },
	{ NULL }
};

const struct cli_command cli_sign_commands[] = {
	{ .noun = "sign", .arguments = "CSR [SUBJECTJSON]",
	    .num_args_max = 2, .style = CLI_STYLE_GO,
	    .options = cli_sign_options,
	    .summary = "as cfssl sign: a certificate for a request",
	    .about = "Issues a certificate for a certification request and "
		"prints it as one line of JSON.  SUBJECTJSON has the parts of "
		"the subject that are not to be the request's.  The CA's key "
		"is in its token; a key in a file is refused.",
	    .example = "ocsign sign -ca web -profile server site.csr | "
		"ocsign json -bare site",
	    .run = cli_sign },
	{ NULL }
};

const struct cli_command cli_selfsign_commands[] = {
	{ .noun = "selfsign", .arguments = "HOSTNAME CSRJSON",
	    .num_args_min = 2, .num_args_max = 2, .style = CLI_STYLE_GO,
	    .options = cli_selfsign_options,
	    .summary = "as cfssl selfsign: a certificate of its own",
	    .about = "Makes a key, a request and a certificate for HOSTNAME, "
		"signed by that key itself, valid for three months.  Nobody "
		"vouches for it and nobody can revoke it: for tests.",
	    .example = "ocsign selfsign www.example.com csr.json | "
		"ocsign json -bare site",
	    .run = cli_selfsign },
	{ NULL }
};

const struct cli_command cli_json_commands[] = {
	{ .noun = "json", .arguments = "BASE", .num_args_max = 1,
	    .style = CLI_STYLE_GO, .options = cli_json_options,
	    .summary = "as cfssljson: files of a line of JSON",
	    .about = "Writes what the JSON on standard input holds to "
		"BASE.pem, BASE-key.pem (which only you can read), BASE.csr, "
		"BASE-bundle.pem and so on: all of them or none.  BASE is "
		"\"cert\" unless given.",
	    .example = "ocsign genkey csr.json | ocsign json -bare site",
	    .run = cli_json },
	{ NULL }
};
