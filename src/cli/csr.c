/* SPDX-License-Identifier: Apache-2.0 */
/* csr show, and reading requests. */
#include "cli/csr.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/pem.h"
#include "ca/issue.h"
#include "cli/facts.h"
#include "cli/print.h"
#include "x509/file.h"
#include "x509/spki.h"

static enum oc_err
read_unverified(const char *path, uint8_t **out, struct x509_csr *csr,
    struct oc_error *error)
{
	uint8_t *der;
	size_t len;
	enum oc_err err;

	err = x509_file_read(path, X509_FILE_CSR, &der, &len, error);
	if (err != OC_OK)
		return err;
	err = x509_csr_read((struct der_bytes){ der, len }, csr, error);
	if (err != OC_OK) {
		oc_error_prefix(error, "%s", path);
		free(der);
		return err;
	}
	*out = der;
	return OC_OK;
}

enum oc_err
cli_csr_read(const char *path, uint8_t **der, struct x509_csr *csr,
    struct oc_error *error)
{
	enum oc_err err = read_unverified(path, der, csr, error);

	if (err != OC_OK)
		return err;
	err = x509_csr_verify(csr, error);
	if (err != OC_OK) {
		oc_error_prefix(error, "%s", path);
		free(*der);
		*der = NULL;
	}
	return err;
}

static void
put_csr(json_t *facts, const struct x509_csr *csr)
{
	char key[64];

	cli_put_name(facts, "subject", csr->subject);
	x509_spki_format(csr->spki, key);
	cli_put_text(facts, "key", key);
	cli_put_text(facts, "algorithm", sign_alg_info(csr->alg)->name);
	cli_put_extensions(facts, &csr->extensions);
}

/* Beside what it asks for: where it went. */
static enum oc_err
print_made(const struct cli *cli, const char *option, struct der_bytes der,
    struct oc_error *error)
{
	struct x509_csr *csr = calloc(1, sizeof(*csr));
	struct oc_buffer pem;
	json_t *facts;
	enum oc_err err;

	if (csr == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	oc_buffer_init(&pem, 2 * OC_CSR_MAX);
	oc_pem_write(&pem, "CERTIFICATE REQUEST", der.p, der.len);
	err = pem.err != OC_OK ? oc_error_set(error, pem.err, "%s",
	    oc_strerror(pem.err)) : x509_csr_read(der, csr, error);
	if (err == OC_OK) {
		facts = cli_object();
		put_csr(facts, csr);
		cli_put_text(facts, "pem", oc_buffer_text(&pem));
		cli_put_text(facts, "out", cli_option(cli, option));
		cli_print(cli, facts);
		err = cli_flush(error);
	}
	oc_buffer_fini(&pem);
	free(csr);
	return err;
}

enum oc_err
cli_csr_put(const struct cli *cli, const char *option, struct der_bytes der,
    struct oc_error *error)
{
	const char *path = cli_option(cli, option);
	enum oc_err err = OC_OK;

	if (path != NULL || cli->format == CLI_FORMAT_TEXT)
		err = cli_write(path, CLI_PEM, "CERTIFICATE REQUEST", der,
		    error);
	if (err == OC_OK && cli->format == CLI_FORMAT_JSON)
		err = print_made(cli, option, der, error);
	return err;
}

/* What the profile says, and, if it says no, exit status 1. */
static enum oc_err
put_verdict(struct cli *cli, const struct x509_csr *csr, const char *name,
    json_t *facts, struct oc_error *error)
{
	const struct oc_config *config;
	struct oc_error no = { 0 };
	struct ca_profile profile;
	enum oc_err err = cli_config(cli, &config, error);

	if (err == OC_OK)
		err = ca_profile_find(config, name, &profile, error);
	if (err != OC_OK)
		return err;
	err = ca_check_csr(csr, &profile, &no);
	cli_put_text(facts, "profile", name);
	cli_put_bool(facts, "accepted", err == OC_OK);
	if (err != OC_OK) {
		cli_put_text(facts, "refusal", no.text);
		cli->exit_status = 1;
	}
	ca_profile_fini(&profile);
	return OC_OK;
}

/* Requests are shown without a configuration too; then there is no list. */
static enum oc_err
put_blocked(struct cli *cli, const struct x509_csr *csr, json_t *facts,
    struct oc_error *error)
{
	const struct ca_blocklist *blocklist;
	bool is_blocked = false;
	enum oc_err err;

	if (access(cli->config_path, R_OK) != 0)
		return OC_OK;
	err = cli_blocklist(cli, &blocklist, error);
	if (err != OC_OK)
		return err;
	if (ca_blocklist_find(blocklist, csr->spki, &is_blocked) != OC_OK ||
	    !is_blocked)
		return OC_OK;
	cli_put_text(facts, "blocked", "the key is on the block list: others "
	    "have it");
	cli->exit_status = 1;
	return OC_OK;
}

static enum oc_err
csr_show(struct cli *cli, struct oc_error *error)
{
	struct x509_csr *csr = calloc(1, sizeof(*csr));
	struct oc_error bad = { 0 };
	json_t *facts = cli_object();
	uint8_t *der = NULL;
	enum oc_err err;

	if (csr == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	err = read_unverified(cli->args[0], &der, csr, error);
	if (err == OC_OK) {
		put_csr(facts, csr);
		if (x509_csr_verify(csr, &bad) == OC_OK)
			cli_put_text(facts, "signature", "good");
		else {
			cli_put_text(facts, "signature", "bad");
			cli_put_text(facts, "signature_error", bad.text);
			cli->exit_status = 1;
		}
		err = put_blocked(cli, csr, facts, error);
		if (err == OC_OK && cli_has(cli, "profile"))
			err = put_verdict(cli, csr,
			    cli_option(cli, "profile"), facts, error);
	}
	if (err == OC_OK)
		cli_print(cli, facts);
	else
		json_decref(facts);
	free(der);
	free(csr);
	return err;
}

static const struct cli_option show_options[] = {
	{ "profile", "NAME", CLI_OPTIONAL,
	    "say whether this profile would take it" },
	{ NULL }
};

const struct cli_command cli_csr_commands[] = {
	{ .noun = "csr", .verb = "create",
	    .options = cli_csr_create_options,
	    .summary = "make a certification request",
	    .about = "Makes a PKCS#10 certification request, signed by a key "
		"in a token (--key, --token) or by a new one that is written "
		"to a file only you can read (--new-key).",
	    .example = "ocsign csr create --subject CN=www.example.com "
		"--san www.example.com --new-key site.key --out site.csr",
	    .run = cli_csr_create },
	{ .noun = "csr", .verb = "show", .arguments = "FILE",
	    .num_args_min = 1, .num_args_max = 1, .options = show_options,
	    .summary = "what a certification request asks for",
	    .about = "Prints what a request asks for, whether its signature "
		"is good, and, with --profile, whether that profile would "
		"take it.  The exit status is 1 if the signature is bad, "
		"the profile says no, or the key is on the block list.",
	    .example = "ocsign csr show --profile server site.csr",
	    .run = csr_show },
	{ NULL }
};
