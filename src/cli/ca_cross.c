/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ca cross-sign: another certificate for the key and subject of a CA of ours,
 * under another CA of ours.  Subject and key identifier are copied octet for
 * octet, or what it has issued would not lead to it.
 */
#include "cli/ca.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "ca/issue.h"
#include "cli/print.h"
#include "der/reader.h"

/* Everything of one run. */
struct crossing {
	struct cli *cli;
	struct ca_issuer *target;	/* whose key it is */
	struct ca_issuer *parent;	/* who signs */
	const char *path;		/* where to; borrowed */
	struct ca_profile profile;
	int64_t validity_s;		/* 0: the profile's */
	struct ca_certificate certificate;
};

static enum oc_err
find_path(struct crossing *c, struct oc_error *error)
{
	const struct oc_config_issuer *section = c->target->config;
	const struct oc_words *files = &section->alternate_chain;
	const char *out = cli_option(c->cli, "out");

	for (size_t i = 0; out == NULL && i < files->num; i++)
		if (access(files->words[i], F_OK) != 0)
			out = files->words[i];
	if (out == NULL)
		return oc_error_set(error, OC_ERR_NOT_FOUND, "[issuer %s] "
		    "(%s:%d) has no alternate-chain that is not there yet; "
		    "add alternate-chain = FILE, or give --out FILE",
		    section->name, section->file, section->line);
	if (access(out, F_OK) == 0)
		return oc_error_set(error, OC_ERR_EXISTS, "%s is there "
		    "already; move it away first to have another", out);
	c->path = out;
	return cli_check_out(c->cli, "out", error);
}

/* --- whether it makes sense ------------------------------------------- */

/* A path that comes back to where it was leads nowhere. */
static enum oc_err
check_loop(const struct crossing *c, struct x509_cert *cert,
    struct oc_error *error)
{
	const char *target = c->target->config->name;
	const char *parent = c->parent->config->name;
	struct der_reader r = der_reader_of((struct der_bytes){
	    c->parent->chain, c->parent->chain_len });
	struct der_bytes der;

	if (der_bytes_equal(c->target->cert.subject, c->parent->cert.subject))
		return oc_error_set(error, OC_ERR_REFUSED, "%s and %s have "
		    "the same subject: nobody could tell whose issuer is "
		    "whose", target, parent);
	while (!der_at_end(&r) && der_get_tlv(&r, DER_SEQUENCE, &der))
		if (x509_cert_read(der, cert, NULL) == OC_OK &&
		    der_bytes_equal(cert->spki, c->target->cert.spki))
			return oc_error_set(error, OC_ERR_REFUSED, "%s is "
			    "above %s already; a CA is not below itself",
			    target, parent);
	return OC_OK;
}

/* With a path length of 0 the CAs below it would have no alternate chain. */
static enum oc_err
check_below(const struct crossing *c, const struct oc_config *config,
    struct oc_error *error)
{
	for (size_t i = 0; i < config->num_issuers; i++) {
		const struct oc_config_issuer *section = &config->issuers[i];
		struct oc_error ignored = { 0 };
		struct ca_issuer *below;
		bool is_below;

		if (section == c->target->config ||
		    ca_issuer_load(section, &below, &ignored) != OC_OK)
			continue;
		is_below = !der_bytes_equal(below->cert.spki,
		    c->target->cert.spki) && x509_cert_verify_issued(
		    &below->cert, &c->target->cert, NULL) == OC_OK;
		ca_issuer_free(below);
		if (is_below)
			return oc_error_set(error, OC_ERR_REFUSED, "%s is "
			    "below %s, and the profile %s allows no CA below: "
			    "give --profile with path-length = 1 or more",
			    section->name, c->target->config->name,
			    c->profile.name);
	}
	return OC_OK;
}

static enum oc_err
find_profile(struct crossing *c, struct oc_error *error)
{
	const char *name = cli_option(c->cli, "profile");
	const struct oc_config *config;
	enum oc_err err = cli_config(c->cli, &config, error);

	if (err == OC_OK)
		err = ca_profile_find(config, name == NULL ? "intermediate" :
		    name, &c->profile, error);
	if (err == OC_OK && c->profile.ca != X509_IS_CA)
		return oc_error_set(error, OC_ERR_REFUSED, "the profile %s "
		    "does not make CAs; choose one based on intermediate",
		    name);
	if (err == OC_OK && c->profile.subject_rule == CA_SUBJECT_FIXED)
		return oc_error_set(error, OC_ERR_REFUSED, "the profile %s "
		    "has a fixed subject; that of %s must stay", name,
		    c->target->config->name);
	if (err == OC_OK && c->profile.path_length == 0)
		err = check_below(c, config, error);
	return err;
}

static enum oc_err
prepare(struct crossing *c, struct oc_error *error)
{
	const char *name = c->cli->args[0];
	const char *parent = cli_option(c->cli, "issuer");
	struct x509_cert *cert;
	enum oc_err err;

	if (strcmp(name, parent) == 0)
		return oc_error_set(error, OC_ERR_USAGE,
		    "a CA is not below itself; --issuer is another one");
	err = cli_open_issuer(c->cli, name, &c->target, error);
	if (err == OC_OK)
		err = cli_open_issuer(c->cli, parent, &c->parent, error);
	if (err == OC_OK)
		err = find_path(c, error);
	if (err != OC_OK)
		return err;
	cert = calloc(1, sizeof(*cert));
	if (cert == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	err = check_loop(c, cert, error);
	free(cert);
	if (err == OC_OK)
		err = find_profile(c, error);
	return err;
}

/* --- making it -------------------------------------------------------- */

static enum oc_err
issue(struct crossing *c, struct oc_error *error)
{
	const struct x509_cert *cert = &c->target->cert;
	const char *parent = c->parent->config->name;
	struct ca_request request = {
		.profile = &c->profile,
		.spki = cert->spki,
		.subject = cert->subject,
		.subject_key_id = { c->target->key_id, c->target->key_id_len },
		.validity_s = c->validity_s,
	};
	char key[SIGN_KEY_NAME_MAX];
	struct store *store;
	enum oc_err err;

	err = cli_store(c->cli, STORE_CREATE, &store, error);
	if (err == OC_OK)
		err = cli_need_key(c->cli, SIGN_KEY_ISSUER, parent, error);
	if (err == OC_OK)
		err = cli_open_signers(c->cli, error);
	if (err != OC_OK)
		return err;
	sign_key_name(SIGN_KEY_ISSUER, parent, key);
	cli_progress_begin("the token");
	err = ca_issue(c->parent, store, cli_signer(c->cli, key), &request,
	    cli_deadline(CLI_SIGN_S), &c->certificate, error);
	cli_progress_end();
	return err;
}

static enum oc_err
write_chain(const struct crossing *c, struct oc_error *error)
{
	const struct x509_cert *parent = &c->parent->cert;
	char serial[OC_SERIAL_TEXT_MAX];
	struct oc_buffer b;
	enum oc_err err;

	oc_buffer_init(&b, OC_CHAIN_FILE_MAX);
	oc_buffer_put(&b, c->certificate.der, c->certificate.der_len);
	oc_buffer_put(&b, parent->der.p, parent->der.len);
	if (c->parent->chain_len > 0)
		oc_buffer_put(&b, c->parent->chain, c->parent->chain_len);
	err = b.err != OC_OK ? oc_error_set(error, b.err, "%s",
	    oc_strerror(b.err)) : cli_write_certificates(c->path,
	    (struct der_bytes){ b.bytes, b.len }, error);
	oc_buffer_fini(&b);
	if (err == OC_OK)
		return OC_OK;
	oc_serial_format(&c->certificate.serial, serial);
	return oc_error_prefix(error, "it is issued (serial %s), but not "
	    "written; \"ocsign cert show --pem %s\" prints it", serial,
	    serial);
}

/* Does the section know the file that was just written? */
static bool
is_configured(const struct crossing *c)
{
	const struct oc_words *files =
	    &c->target->config->alternate_chain;
	struct stat written, st;

	if (stat(c->path, &written) != 0)
		return false;
	for (size_t i = 0; i < files->num; i++)
		if (stat(files->words[i], &st) == 0 &&
		    st.st_dev == written.st_dev &&
		    st.st_ino == written.st_ino)
			return true;
	return false;
}

static void
tell(const struct crossing *c)
{
	const struct oc_config_issuer *section = c->target->config;
	char serial[OC_SERIAL_TEXT_MAX];

	oc_serial_format(&c->certificate.serial, serial);
	if (c->cli->format == CLI_FORMAT_TEXT)
		printf("%s: %s\n", c->path, serial);
	else {
		json_t *facts = cli_object();

		cli_put_text(facts, "name", section->name);
		cli_put_text(facts, "issuer", c->parent->config->name);
		cli_put_text(facts, "serial", serial);
		cli_put_text(facts, "chain", c->path);
		cli_print(c->cli, facts);
	}
	if (!is_configured(c))
		fprintf(stderr, "ocsign: ca cross-sign: add it to "
		    "alternate-chain of [issuer %s] (%s:%d), for \"ocsign "
		    "cert issue --chain --alternate\"\n", section->name,
		    section->file, section->line);
}

enum oc_err
cli_ca_cross(struct cli *cli, struct oc_error *error)
{
	struct crossing c = { .cli = cli };
	enum oc_err err = cli_validity(cli, &c.validity_s, error);

	if (err == OC_OK)
		err = prepare(&c, error);
	if (err == OC_OK)
		err = issue(&c, error);
	if (err == OC_OK) {
		err = write_chain(&c, error);
		cli_nudge(cli);
	}
	if (err == OC_OK)
		tell(&c);
	ca_certificate_fini(&c.certificate);
	ca_profile_fini(&c.profile);
	ca_issuer_free(c.parent);
	ca_issuer_free(c.target);
	return err;
}

const struct cli_option cli_ca_cross_options[] = {
	{ "issuer", "PARENT", CLI_REQUIRED, "the [issuer PARENT] that signs" },
	{ "out", "FILE", CLI_OPTIONAL,
	    "instead of the section's alternate-chain" },
	{ "validity", "DURATION", CLI_OPTIONAL,
	    "default: 20y, within the parent's life" },
	{ "profile", "NAME", CLI_OPTIONAL, "default: intermediate" },
	{ NULL }
};
