/* SPDX-License-Identifier: Apache-2.0 */
/* ca import, ca add: taking in certificates that others made. */
#include "cli/ca.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/print.h"
#include "x509/file.h"

/* A CA's certificate from a file. */
struct given {
	uint8_t *der;			/* owned */
	struct x509_cert cert;
	uint8_t *chain;			/* owned; NULL: none */
	size_t chain_len;
};

static void
given_free(struct given *g)
{
	if (g == NULL)
		return;
	free(g->der);
	free(g->chain);
	free(g);
}

static enum oc_err
check_chain(const struct given *g, const char *path, struct oc_error *error)
{
	enum oc_err err = x509_cert_check_chain(&g->cert, (struct der_bytes){
	    g->chain, g->chain_len }, error);

	if (err != OC_OK)
		oc_error_prefix(error, "--chain %s", path);
	return err;
}

static enum oc_err
check_keys(struct cli *cli, const struct given *g, struct oc_error *error)
{
	const struct ca_blocklist *blocklist;
	enum oc_err err = cli_blocklist(cli, &blocklist, error);

	if (err != OC_OK)
		return err;
	err = ca_blocklist_check(blocklist, g->cert.der, error);
	if (err != OC_OK)
		return oc_error_prefix(error, "%s", cli_option(cli, "cert"));
	err = ca_blocklist_check(blocklist, (struct der_bytes){ g->chain,
	    g->chain_len }, error);
	return err == OC_OK ? OC_OK : oc_error_prefix(error, "--chain %s",
	    cli_option(cli, "chain"));
}

static enum oc_err
read_given(struct cli *cli, struct given **out, struct oc_error *error)
{
	const char *path = cli_option(cli, "cert");
	const char *chain = cli_option(cli, "chain");
	struct given *g = calloc(1, sizeof(*g));
	struct der_bytes der;
	enum oc_err err;

	if (g == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	err = x509_file_read(path, X509_FILE_CERTIFICATE, &g->der, &der.len,
	    error);
	if (err == OC_OK) {
		der.p = g->der;
		err = x509_cert_read(der, &g->cert, error);
		if (err == OC_OK && !x509_cert_is_ca(&g->cert))
			err = oc_error_set(error, OC_ERR_REFUSED, "is not a "
			    "CA's certificate (basicConstraints, keyUsage)");
		if (err != OC_OK)
			oc_error_prefix(error, "%s", path);
	}
	if (err == OC_OK && chain != NULL)
		err = x509_file_read_chain(chain, &g->chain, &g->chain_len,
		    error);
	if (err == OC_OK && chain != NULL)
		err = check_chain(g, chain, error);
	if (err == OC_OK)
		err = check_keys(cli, g, error);
	if (err != OC_OK) {
		given_free(g);
		return err;
	}
	*out = g;
	return OC_OK;
}

/* The signer has proved with a signature that it holds the private key of
 * this public one. */
static enum oc_err
check_key(const struct cli *cli, const char *key, const struct given *g,
    struct oc_error *error)
{
	struct sign_key_info *info = calloc(1, sizeof(*info));
	enum oc_err err;

	if (info == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	err = cli_find_key(cli, key, info, error);
	if (err == OC_OK && !der_bytes_equal(g->cert.spki,
	    (struct der_bytes){ info->spki, info->spki_len }))
		err = oc_error_set(error, OC_ERR_MISMATCH, "%s is not for the "
		    "key in the token; its public key is another",
		    cli_option(cli, "cert"));
	free(info);
	return err;
}

static void
tell(const struct cli *cli, const char *name, const struct ca_issuer *issuer)
{
	char serial[OC_SERIAL_TEXT_MAX];
	json_t *facts;

	oc_serial_format(&issuer->cert.serial, serial);
	if (cli->format == CLI_FORMAT_TEXT) {
		printf("%s: %s\n", issuer->config->certificate, serial);
		return;
	}
	facts = cli_object();
	cli_put_text(facts, "name", name);
	cli_put_text(facts, "certificate", issuer->config->certificate);
	cli_put_text(facts, "serial", serial);
	cli_print(cli, facts);
}

/* --- import ----------------------------------------------------------- */

/* What the section names already must fit the new certificate too. */
static enum oc_err
check_old_chain(const struct oc_config_issuer *section,
    const struct given *g, struct oc_error *error)
{
	struct der_bytes chain;
	uint8_t *der;
	enum oc_err err;

	if (section->chain == NULL)
		return OC_OK;
	err = x509_file_read_chain(section->chain, &der, &chain.len, error);
	if (err != OC_OK)
		return oc_error_prefix(error, "[issuer %s] chain (add "
		    "--chain)", section->name);
	chain.p = der;
	err = x509_cert_check_chain(&g->cert, chain, error);
	free(der);
	if (err != OC_OK)
		oc_error_prefix(error, "%s (add --chain)", section->chain);
	return err;
}

static enum oc_err
check_files(struct cli *cli, const struct oc_config_issuer *section,
    const struct given *g, struct oc_error *error)
{
	if (access(section->certificate, F_OK) == 0 && !cli_has(cli, "force"))
		return oc_error_set(error, OC_ERR_EXISTS, "the certificate "
		    "%s is there already; --force replaces it by one for the "
		    "same key", section->certificate);
	if (g->chain != NULL)
		return cli_section_check_chain(cli, section, error);
	return check_old_chain(section, g, error);
}

static enum oc_err
import_given(struct cli *cli, const struct oc_config_issuer *section,
    const struct given *g, struct oc_error *error)
{
	struct ca_issuer *issuer;
	char key[SIGN_KEY_NAME_MAX];
	enum oc_err err;

	err = check_files(cli, section, g, error);
	if (err == OC_OK)
		err = cli_need_key(cli, SIGN_KEY_ISSUER, section->name,
		    error);
	if (err == OC_OK)
		err = cli_open_signers(cli, error);
	sign_key_name(SIGN_KEY_ISSUER, section->name, key);
	if (err == OC_OK)
		err = check_key(cli, key, g, error);
	cli_close_signers(cli);
	if (err == OC_OK && g->chain != NULL)
		err = cli_section_add_chain(cli, &section, error);
	if (err == OC_OK && g->chain != NULL)
		err = cli_write_certificates(section->chain,
		    (struct der_bytes){ g->chain, g->chain_len }, error);
	if (err == OC_OK)
		err = cli_write_certificates(section->certificate,
		    g->cert.der, error);
	if (err == OC_OK)
		err = cli_open_issuer(cli, section->name, &issuer, error);
	if (err == OC_OK) {
		tell(cli, section->name, issuer);
		cli_tell_reload(cli);
		ca_issuer_free(issuer);
	}
	return err;
}

enum oc_err
cli_ca_import(struct cli *cli, struct oc_error *error)
{
	const struct oc_config_issuer *section;
	struct given *g = NULL;
	enum oc_err err;

	err = cli_find_issuer(cli, cli->args[0], &section, error);
	if (err == OC_OK)
		err = read_given(cli, &g, error);
	if (err == OC_OK)
		err = import_given(cli, section, g, error);
	given_free(g);
	return err;
}

/* --- add -------------------------------------------------------------- */

/* No error: it may be one CA under two names.  But whoever trusts the one
 * trusts what the other signs. */
static void
warn_same_key(struct cli *cli, const struct ca_issuer *issuer)
{
	const struct oc_config *config;

	if (cli_config(cli, &config, NULL) != OC_OK)
		return;
	for (size_t i = 0; i < config->num_issuers; i++) {
		const struct oc_config_issuer *section = &config->issuers[i];
		struct ca_issuer *other;
		struct oc_error bad = { 0 };

		if (strcmp(section->name, issuer->config->name) == 0 ||
		    ca_issuer_load(section, &other, &bad) != OC_OK)
			continue;
		if (der_bytes_equal(other->cert.spki, issuer->cert.spki))
			fprintf(stderr, "ocsign: ca add: warning: [issuer %s] "
			    "has the same key\n", section->name);
		ca_issuer_free(other);
	}
}

/* The section is written last: whatever reads it finds a CA that works. */
static enum oc_err
add_given(struct cli *cli, const struct given *g, struct oc_error *error)
{
	struct cli_section section = { .name = cli->args[0],
	    .key = cli_option(cli, "key"),
	    .algorithm = cli_option(cli, "algorithm") };
	char *certificate = realpath(cli_option(cli, "cert"), NULL);
	char *chain = !cli_has(cli, "chain") ? NULL :
	    realpath(cli_option(cli, "chain"), NULL);
	struct ca_issuer *issuer = NULL;
	char *path = NULL;
	enum oc_err err;

	err = cli_token_of_key(cli, section.key, &section.token, error);
	if (err == OC_OK)
		err = cli_need_csr_key(cli, section.token, section.key, error);
	if (err == OC_OK)
		err = cli_open_signers(cli, error);
	if (err == OC_OK)
		err = check_key(cli, CLI_CSR_KEY, g, error);
	cli_close_signers(cli);
	if (err == OC_OK && certificate == NULL)
		err = oc_error_set_errno(error, OC_ERR_SYSTEM, "%s",
		    cli_option(cli, "cert"));
	section.certificate = certificate;
	section.chain = chain;
	if (err == OC_OK)
		err = cli_section_write(cli, &section, &path, error);
	if (err == OC_OK) {
		err = cli_open_issuer(cli, section.name, &issuer, error);
		if (err != OC_OK)
			(void)unlink(path);
	}
	if (err == OC_OK) {
		tell(cli, section.name, issuer);
		cli_section_tell(cli, path);
		fprintf(stderr, "ocsign: ca add: the section names %s where "
		    "it is: keep it there\n", certificate);
		warn_same_key(cli, issuer);
	}
	ca_issuer_free(issuer);
	free(path);
	free(chain);
	free(certificate);
	return err;
}

enum oc_err
cli_ca_add(struct cli *cli, struct oc_error *error)
{
	const struct oc_config_issuer *section;
	const struct oc_config *config;
	struct given *g = NULL;
	enum oc_err err;

	err = cli_config(cli, &config, error);
	if (err != OC_OK)
		return err;
	section = oc_config_find_issuer(config, cli->args[0]);
	if (section != NULL)
		return oc_error_set(error, OC_ERR_EXISTS, "there is an "
		    "[issuer %s] already (%s:%d); choose another name",
		    section->name, section->file, section->line);
	err = read_given(cli, &g, error);
	if (err == OC_OK)
		err = add_given(cli, g, error);
	given_free(g);
	return err;
}

const struct cli_option cli_ca_import_options[] = {
	{ "cert", "FILE", CLI_REQUIRED, "the certificate from outside" },
	{ "chain", "FILE", CLI_OPTIONAL,
	    "those above it, in PEM, its issuer first" },
	{ "force", NULL, CLI_OPTIONAL, "replace the certificate there is" },
	{ NULL }
};

const struct cli_option cli_ca_add_options[] = {
	{ "cert", "FILE", CLI_REQUIRED, "the CA's certificate" },
	{ "token", "NAME", CLI_OPTIONAL,
	    "its [token NAME]; else as the key's URI says" },
	{ "key", "KEY", CLI_REQUIRED, "the key: a URI or label" },
	{ "algorithm", "ALGORITHM", CLI_OPTIONAL,
	    "what it signs with, such as rsa-pss-sha256" },
	{ "chain", "FILE", CLI_OPTIONAL,
	    "those above it, in PEM, its issuer first" },
	{ NULL }
};
