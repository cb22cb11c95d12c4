/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ca create: a root, a CA below another, or a request for a root outside.
 *
 * The certificate is in the store before it is in its file.  If the file was
 * never written (a full disk, a kill), the next "ca create" finds it there
 * by issuer, subject and key, and writes it.
 */
#include "cli/ca.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "ca/issue.h"
#include "cli/csr.h"
#include "cli/names.h"
#include "cli/print.h"
#include "x509/file.h"

/* Everything of one run. */
struct creation {
	struct cli *cli;
	const char *name;
	const struct oc_config_issuer *section;
	const char *parent_name;		/* NULL: a root */
	struct ca_issuer *parent;
	struct oc_buffer chain;		/* DER, the parent first */
	struct cli_names *names;
	struct ca_profile profile;
	int64_t validity_s;		/* 0: the profile's */
	struct sign_key_info *key;
	char *section_path;		/* written by us; NULL: was there */
	struct ca_certificate certificate;
	bool is_recovered;
};

/* --- the section ------------------------------------------------------ */

static enum oc_err
find_or_write_section(struct creation *c, struct oc_error *error)
{
	struct cli_section section = { .name = c->name };
	const struct oc_config *config;
	char certificate[OC_CONFIG_NAME_MAX + 16];
	char chain[OC_CONFIG_NAME_MAX + 16];
	enum oc_err err;

	err = cli_config(c->cli, &config, error);
	if (err != OC_OK)
		return err;
	c->section = oc_config_find_issuer(config, c->name);
	section.token = cli_option(c->cli, "token");
	section.key = cli_option(c->cli, "key");
	section.algorithm = cli_option(c->cli, "algorithm");
	if (c->section != NULL && (section.token != NULL ||
	    section.key != NULL || section.algorithm != NULL))
		return oc_error_set(error, OC_ERR_USAGE, "[issuer %s] says "
		    "token, key and algorithm (%s:%d); leave out --token, "
		    "--key and --algorithm", c->name, c->section->file,
		    c->section->line);
	if (c->section != NULL)
		return OC_OK;
	if (section.key == NULL)
		return oc_error_set(error, OC_ERR_NOT_FOUND, "there is no "
		    "[issuer %.64s] in %s; add it, or give --token and --key "
		    "to have it written", c->name, config->path);
	err = cli_token_of_key(c->cli, section.key, &section.token, error);
	if (err != OC_OK)
		return err;
	(void)snprintf(certificate, sizeof(certificate), "%.64s.pem",
	    c->name);
	section.certificate = certificate;
	(void)snprintf(chain, sizeof(chain), "%.64s-chain.pem", c->name);
	if (c->parent_name != NULL)
		section.chain = chain;
	err = cli_section_write(c->cli, &section, &c->section_path, error);
	if (err == OC_OK)
		err = cli_find_issuer(c->cli, c->name, &c->section, error);
	return err;
}

/* Of a run that was cut off the chain may be there already. */
static enum oc_err
check_free(const struct creation *c, struct oc_error *error)
{
	const char *path = c->section->certificate;
	struct oc_error bad = { 0 };
	uint8_t *der = NULL;
	size_t len;
	bool is_same;

	if (access(path, F_OK) == 0)
		return oc_error_set(error, OC_ERR_EXISTS, "the certificate %s "
		    "is there already; move it away first to have another",
		    path);
	path = c->section->chain;
	if (c->parent == NULL || path == NULL || access(path, F_OK) != 0)
		return OC_OK;
	is_same = x509_file_read_chain(path, &der, &len, &bad) == OC_OK &&
	    der_bytes_equal((struct der_bytes){ der, len },
	    (struct der_bytes){ c->chain.bytes, c->chain.len });
	free(der);
	if (!is_same)
		return oc_error_set(error, OC_ERR_EXISTS, "the chain %s is "
		    "there already, but is not that of %s; move it away "
		    "first", path, c->parent_name);
	return OC_OK;
}

/* The parent's certificate and what stands above it. */
static enum oc_err
open_parent(struct creation *c, struct oc_error *error)
{
	enum oc_err err;

	if (c->parent_name == NULL)
		return OC_OK;
	err = cli_open_issuer(c->cli, c->parent_name, &c->parent, error);
	if (err != OC_OK)
		return err;
	oc_buffer_put(&c->chain, c->parent->cert.der.p,
	    c->parent->cert.der.len);
	oc_buffer_put(&c->chain, c->parent->chain, c->parent->chain_len);
	if (c->chain.err != OC_OK)
		return oc_error_set(error, c->chain.err, "the chain of %s: "
		    "%s", c->parent_name, oc_strerror(c->chain.err));
	return OC_OK;
}

/* --- a certificate that is recorded, but not in its file -------------- */

struct search {
	const struct creation *c;
	uint8_t *der;		/* the newest that fits; owned */
	size_t der_len;
	bool is_nomem;
};

static enum oc_err
look(void *arg, const struct store_certificate *record)
{
	struct search *s = arg;
	const struct creation *c = s->c;
	struct x509_cert *cert = calloc(1, sizeof(*cert));
	struct der_bytes der = { record->certificate,
	    record->certificate_len };

	if (cert == NULL)
		return OC_ERR_NOMEM;
	if (der.len > 0 && x509_cert_read(der, cert, NULL) == OC_OK &&
	    der_bytes_equal(cert->spki, (struct der_bytes){ c->key->spki,
	    c->key->spki_len }) && x509_cert_is_ca(cert) &&
	    der_bytes_equal(cert->subject, (struct der_bytes){
	    c->names->subject, c->names->subject_len })) {
		uint8_t *copy = malloc(der.len);

		if (copy != NULL) {
			memcpy(copy, der.p, der.len);
			free(s->der);
			s->der = copy;
			s->der_len = der.len;
		} else
			s->is_nomem = true;
	}
	free(cert);
	return s->is_nomem ? OC_ERR_NOMEM : OC_OK;
}

static enum oc_err
recover(struct creation *c, struct store *store, struct oc_error *error)
{
	struct store_filter filter = { .state = STORE_ISSUED,
	    .only_valid = true };
	struct store_issuer row = { 0 };
	struct search search = { .c = c };
	enum oc_err err;

	if (cli_has(c->cli, "renew"))
		return OC_OK;
	err = store_find_issuer(store, c->parent_name == NULL ? c->name :
	    c->parent_name, &row);
	if (err == OC_ERR_NOT_FOUND)
		return OC_OK;
	filter.issuer_id = row.id;
	store_issuer_fini(&row);
	if (err == OC_OK)
		err = store_list_certificates(store, &filter, look, &search);
	if (err != OC_OK) {
		free(search.der);
		return oc_error_set(error, err, "%s", err == OC_ERR_NOMEM ?
		    "out of memory" : store_error(store));
	}
	c->certificate.der = search.der;
	c->certificate.der_len = search.der_len;
	c->is_recovered = search.der != NULL;
	return OC_OK;
}

/* --- making it -------------------------------------------------------- */

static enum oc_err
issue(struct creation *c, struct store *store, struct oc_error *error)
{
	struct ca_request request = {
		.profile = &c->profile,
		.spki = { c->key->spki, c->key->spki_len },
		.subject = { c->names->subject, c->names->subject_len },
		.validity_s = c->validity_s,
	};
	char key[SIGN_KEY_NAME_MAX];
	enum oc_err err;

	cli_progress_begin("the token");
	if (c->parent == NULL) {
		sign_key_name(SIGN_KEY_ISSUER, c->name, key);
		err = ca_issue_root(c->section, store,
		    cli_signer(c->cli, key), &request,
		    cli_deadline(CLI_SIGN_S), &c->certificate, error);
	} else {
		sign_key_name(SIGN_KEY_ISSUER, c->parent_name, key);
		err = ca_issue(c->parent, store, cli_signer(c->cli, key),
		    &request, cli_deadline(CLI_SIGN_S), &c->certificate,
		    error);
	}
	cli_progress_end();
	return err;
}

/* The files, then the store knows the issuer by its certificate. */
static enum oc_err
finish(struct creation *c, struct oc_error *error)
{
	const struct der_bytes der = { c->certificate.der,
	    c->certificate.der_len };
	struct ca_issuer *issuer = NULL;
	enum oc_err err = OC_OK;

	if (c->parent != NULL && c->section->chain != NULL)
		err = cli_write_certificates(c->section->chain,
		    (struct der_bytes){ c->chain.bytes, c->chain.len },
		    error);
	if (err == OC_OK)
		err = cli_write_certificates(c->section->certificate, der,
		    error);
	if (err != OC_OK)
		return oc_error_prefix(error, "the certificate is recorded, "
		    "but not in its file yet; try again");
	err = cli_open_issuer(c->cli, c->name, &issuer, error);
	if (err != OC_OK)
		return err;
	if (c->cli->format == CLI_FORMAT_TEXT) {
		char serial[OC_SERIAL_TEXT_MAX];

		oc_serial_format(&issuer->cert.serial, serial);
		printf("%s: %s%s\n", c->section->certificate, serial,
		    c->is_recovered ? " (made before, from the records)" : "");
	} else {
		json_t *facts = cli_object();

		cli_put_text(facts, "name", c->name);
		cli_put_text(facts, "certificate", c->section->certificate);
		cli_put_serial(facts, &issuer->cert.serial);
		cli_put_bool(facts, "recovered", c->is_recovered);
		cli_print(c->cli, facts);
	}
	if (c->section_path == NULL)
		cli_tell_reload(c->cli);
	ca_issuer_free(issuer);
	return OC_OK;
}

static enum oc_err
find_profile(struct creation *c, struct oc_error *error)
{
	const char *name = cli_option(c->cli, "profile");
	const struct oc_config *config;
	enum oc_err err = cli_config(c->cli, &config, error);

	if (name == NULL)
		name = c->parent_name == NULL ? "root" : "intermediate";
	if (err == OC_OK)
		err = ca_profile_find(config, name, &c->profile, error);
	if (err == OC_OK && c->profile.ca != X509_IS_CA)
		err = oc_error_set(error, OC_ERR_REFUSED, "the profile %s "
		    "does not make CAs; choose one based on intermediate",
		    name);
	return err;
}

static enum oc_err
check_blocked(const struct creation *c, struct oc_error *error)
{
	const struct ca_blocklist *blocklist;
	char whose[OC_CONFIG_NAME_MAX + 32];
	enum oc_err err = cli_blocklist(c->cli, &blocklist, error);

	if (err != OC_OK)
		return err;
	(void)snprintf(whose, sizeof(whose), "the key of [issuer %.64s]",
	    c->name);
	return ca_blocklist_check_key(blocklist, (struct der_bytes){
	    c->key->spki, c->key->spki_len }, whose, "make another with "
	    "\"ocsign key generate\"", error);
}

static enum oc_err
open_keys(struct creation *c, struct oc_error *error)
{
	char name[SIGN_KEY_NAME_MAX];
	enum oc_err err;

	err = cli_need_key(c->cli, SIGN_KEY_ISSUER, c->name, error);
	if (err == OC_OK && c->parent_name != NULL)
		err = cli_need_key(c->cli, SIGN_KEY_ISSUER, c->parent_name,
		    error);
	if (err == OC_OK)
		err = cli_open_signers(c->cli, error);
	sign_key_name(SIGN_KEY_ISSUER, c->name, name);
	if (err == OC_OK)
		err = cli_find_key(c->cli, name, c->key, error);
	return err == OC_OK ? check_blocked(c, error) : err;
}

static enum oc_err
make_certificate(struct creation *c, struct oc_error *error)
{
	struct store *store;
	enum oc_err err;

	err = open_parent(c, error);
	if (err == OC_OK)
		err = check_free(c, error);
	if (err == OC_OK)
		err = find_profile(c, error);
	if (err == OC_OK)
		err = cli_store(c->cli, STORE_CREATE, &store, error);
	if (err == OC_OK)
		err = open_keys(c, error);
	if (err == OC_OK)
		err = recover(c, store, error);
	if (err == OC_OK && !c->is_recovered)
		err = issue(c, store, error);
	if (err == OC_OK)
		err = finish(c, error);
	return err;
}

/* What a CA's request asks for; the CA outside decides. */
static enum oc_err
make_request(struct creation *c, struct oc_error *error)
{
	struct x509_extensions *wish = calloc(1, sizeof(*wish));
	char key[SIGN_KEY_NAME_MAX];
	uint8_t *der = NULL;
	size_t der_len = 0;
	enum oc_err err;

	if (wish == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	wish->has_basic_constraints = true;
	wish->ca = X509_IS_CA;
	wish->path_length = X509_NO_PATH_LENGTH;
	wish->key_usage = X509_KU_KEY_CERT_SIGN | X509_KU_CRL_SIGN |
	    X509_KU_DIGITAL_SIGNATURE;
	sign_key_name(SIGN_KEY_ISSUER, c->name, key);
	err = open_keys(c, error);
	if (err == OC_OK)
		err = cli_csr_sign(c->cli, key, (struct der_bytes){
		    c->names->subject, c->names->subject_len }, wish, &der,
		    &der_len, error);
	if (err == OC_OK)
		err = cli_csr_put(c->cli, "csr", (struct der_bytes){ der,
		    der_len }, error);
	free(der);
	free(wish);
	return err;
}

static enum oc_err
check_options(const struct cli *cli, struct oc_error *error)
{
	if (cli_has(cli, "csr") && (cli_has(cli, "issuer") ||
	    cli_has(cli, "validity") || cli_has(cli, "profile") ||
	    cli_has(cli, "renew")))
		return oc_error_set(error, OC_ERR_USAGE, "with --csr the root "
		    "outside decides; leave out --issuer, --validity, "
		    "--profile and --renew");
	if (cli_has(cli, "issuer") &&
	    strcmp(cli_option(cli, "issuer"), cli->args[0]) == 0)
		return oc_error_set(error, OC_ERR_USAGE, "a CA is not below "
		    "itself; leave out --issuer for a root");
	return OC_OK;
}

enum oc_err
cli_ca_create(struct cli *cli, struct oc_error *error)
{
	struct creation c = { .cli = cli, .name = cli->args[0],
	    .parent_name = cli_option(cli, "issuer") };
	enum oc_err err = check_options(cli, error);

	oc_buffer_init(&c.chain, OC_CHAIN_FILE_MAX);
	c.key = calloc(1, sizeof(*c.key));
	if (c.key == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	if (err == OC_OK)
		err = cli_validity(cli, &c.validity_s, error);
	if (err == OC_OK)
		err = cli_check_out(cli, "csr", error);
	if (err == OC_OK)
		err = cli_names_new(cli, NULL, &c.names, error);
	if (err == OC_OK)
		err = find_or_write_section(&c, error);
	if (err == OC_OK)
		err = cli_has(cli, "csr") ? make_request(&c, error) :
		    make_certificate(&c, error);
	if (c.section_path != NULL && err != OC_OK &&
	    c.certificate.der == NULL)
		(void)unlink(c.section_path);
	else if (c.section_path != NULL)
		cli_section_tell(cli, c.section_path);
	ca_certificate_fini(&c.certificate);
	ca_profile_fini(&c.profile);
	ca_issuer_free(c.parent);
	oc_buffer_fini(&c.chain);
	free(c.section_path);
	free(c.names);
	free(c.key);
	return err;
}

const struct cli_option cli_ca_create_options[] = {
	{ "subject", "NAME", CLI_REQUIRED,
	    "such as \"CN=Example Root,O=Example,C=DE\"" },
	{ "issuer", "PARENT", CLI_OPTIONAL,
	    "issued by [issuer PARENT]; else self-signed" },
	{ "validity", "DURATION", CLI_OPTIONAL,
	    "default: 25y for a root, else 20y" },
	{ "profile", "NAME", CLI_OPTIONAL,
	    "default: root, else intermediate" },
	{ "csr", "FILE", CLI_OPTIONAL,
	    "write a request for a root outside instead" },
	{ "token", "NAME", CLI_OPTIONAL,
	    "where there is no [issuer]: its token" },
	{ "key", "KEY", CLI_OPTIONAL, "and its key, a URI or label" },
	{ "algorithm", "ALGORITHM", CLI_OPTIONAL,
	    "and what it signs with, such as rsa-pss-sha256" },
	{ "renew", NULL, CLI_OPTIONAL,
	    "a new one, although the records have one" },
	{ NULL }
};
