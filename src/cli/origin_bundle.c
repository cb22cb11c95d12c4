/* SPDX-License-Identifier: Apache-2.0 */
/* The CA certificates that an edge needs, from the configuration or a file. */
#include "cli/origin.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/pem.h"
#include "ca/chain.h"
#include "cli/print.h"
#include "cli/work_impl.h"
#include "der/reader.h"
#include "der/time.h"
#include "x509/name.h"
#include "x509/spki.h"

/* --- from the configuration ------------------------------------------- */

static void
put_chain(const struct ca_chain *chain, struct oc_buffer *all)
{
	if (chain->len > 0)
		oc_buffer_put(all, chain->der, chain->len);
}

/* Its certificate, and those above it on every way there is. */
static enum oc_err
collect_one(struct cli *cli, const struct oc_config_issuer *section,
    struct oc_buffer *all, struct oc_error *error)
{
	struct ca_issuer *issuer = NULL;
	enum oc_err err = ca_issuer_load(section, &issuer, error);

	if (err == OC_OK)
		err = cli_blocklist(cli, &issuer->blocklist, error);
	if (err == OC_OK)
		err = ca_issuer_check_blocked(issuer, NULL, error);
	for (size_t n = 0; err == OC_OK && n <= section->alternate_chain.num;
	    n++) {
		struct ca_chain chain = { NULL, 0 };

		err = ca_chain_read(issuer, n, &chain, error);
		put_chain(&chain, all);
		ca_chain_fini(&chain);
		if (n > 0 && err == OC_ERR_NOT_FOUND)	/* not made yet */
			err = OC_OK;
	}
	ca_issuer_free(issuer);
	return err;
}

/* Those named, or all that have their certificate. */
static enum oc_err
collect_all(struct cli *cli, struct oc_buffer *all, struct oc_error *error)
{
	const struct oc_config_issuer *section;
	const struct oc_config *config;
	const char *name;
	enum oc_err err = cli_config(cli, &config, error);

	for (size_t n = 0; err == OC_OK &&
	    (name = cli_option_at(cli, "issuer", n)) != NULL; n++) {
		err = cli_find_issuer(cli, name, &section, error);
		if (err == OC_OK)
			err = collect_one(cli, section, all, error);
	}
	if (err != OC_OK || cli_has(cli, "issuer"))
		return err;
	for (size_t i = 0; err == OC_OK && i < config->num_issuers; i++) {
		section = &config->issuers[i];
		err = collect_one(cli, section, all, error);
		if (err == OC_ERR_NOT_FOUND)
			err = OC_OK;
	}
	return err;
}

static bool
has(const struct oc_buffer *b, struct der_bytes certificate)
{
	struct der_reader r = der_reader_of((struct der_bytes){ b->bytes,
	    b->len });
	struct der_bytes der;

	while (!der_at_end(&r) && der_get_tlv(&r, DER_SEQUENCE, &der))
		if (der_bytes_equal(der, certificate))
			return true;
	return false;
}

enum kind { ROOTS, OTHERS };

static enum oc_err
sort_out(const struct oc_buffer *all, enum kind kind, struct x509_cert *cert,
    struct oc_buffer *out, struct oc_error *error)
{
	struct der_reader r = der_reader_of((struct der_bytes){ all->bytes,
	    all->len });
	struct der_bytes der;
	enum oc_err err = OC_OK;

	while (err == OC_OK && !der_at_end(&r) &&
	    der_get_tlv(&r, DER_SEQUENCE, &der)) {
		bool is_root;

		err = x509_cert_read(der, cert, error);
		if (err != OC_OK)
			break;
		is_root = der_bytes_equal(cert->issuer, cert->subject);
		if (is_root == (kind == ROOTS) && !has(out, der) &&
		    cert->not_after >= oc_clock_now_s())
			oc_buffer_put(out, der.p, der.len);
	}
	return err;
}

enum oc_err
cli_origin_collect(struct cli *cli, struct oc_buffer *out,
    struct oc_error *error)
{
	struct x509_cert *cert = calloc(1, sizeof(*cert));
	struct oc_buffer all;
	enum oc_err err;

	if (cert == NULL)
		cli_no_memory();
	oc_buffer_init(&all, OC_BUNDLE_FILE_MAX);
	err = collect_all(cli, &all, error);
	if (err == OC_OK)
		err = all.err;
	if (err == OC_OK)
		err = sort_out(&all, ROOTS, cert, out, error);
	if (err == OC_OK)
		err = sort_out(&all, OTHERS, cert, out, error);
	if (err == OC_OK)
		err = out->err;
	if (err == OC_OK && out->len == 0)
		err = oc_error_set(error, OC_ERR_NOT_FOUND, "the "
		    "configuration has no CA certificate in force; \"ocsign "
		    "ca create\" makes one");
	oc_buffer_fini(&all);
	free(cert);
	return err;
}

/* --- from a file ------------------------------------------------------ */

static enum oc_err
read_blocks(const char *path, struct oc_pem_cursor *cursor,
    struct oc_buffer *out, struct oc_error *error)
{
	char label[OC_PEM_LABEL_MAX + 1];
	struct der_bytes contents;
	uint8_t *der = NULL;
	size_t len, num = 0;
	enum oc_err err;

	while ((err = oc_pem_next(cursor, label, &der, &len, error)) ==
	    OC_OK) {
		num++;
		if (strcmp(label, "CERTIFICATE") != 0 ||
		    !der_read_whole((struct der_bytes){ der, len },
		    DER_SEQUENCE, &contents))
			err = oc_error_set(error, OC_ERR_MALFORMED, "%s: its "
			    "block %zu is no certificate", path, num);
		else
			oc_buffer_put(out, der, len);
		free(der);
		if (err != OC_OK)
			return err;
	}
	if (err != OC_ERR_NOT_FOUND)
		return oc_error_prefix(error, "%s", path);
	if (num == 0)
		return oc_error_set(error, OC_ERR_MALFORMED, "%s: holds no "
		    "certificate in PEM", path);
	return out->err == OC_OK ? OC_OK : oc_error_set(error, out->err,
	    "%s: %s", path, oc_strerror(out->err));
}

enum oc_err
cli_origin_read_cas(const char *path, struct oc_buffer *out,
    struct oc_error *error)
{
	struct oc_pem_cursor cursor = { 0 };
	uint8_t *text = NULL;
	enum oc_err err;

	err = oc_file_read(path, OC_BUNDLE_FILE_MAX, &text, &cursor.len,
	    error);
	if (err != OC_OK)
		return err;
	cursor.text = (const char *)text;
	if (oc_pem_has_private_key(cursor.text, cursor.len))
		err = oc_error_set(error, OC_ERR_REFUSED, "%s: holds a "
		    "private key; give certificates only", path);
	else
		err = read_blocks(path, &cursor, out, error);
	free(text);
	return err;
}

/* --- the command ------------------------------------------------------ */

static void
put_pem(const struct x509_cert *cert, struct oc_buffer *pem)
{
	char subject[X509_NAME_TEXT_MAX], issuer[X509_NAME_TEXT_MAX];
	char until[DER_ISO8601_MAX], key[64];
	bool is_root = der_bytes_equal(cert->issuer, cert->subject);

	x509_name_format(cert->subject, subject);
	x509_name_format(cert->issuer, issuer);
	x509_spki_format(cert->spki, key);
	der_format_iso8601(cert->not_after, until);
	oc_buffer_printf(pem, "# %s%s%s; %s; until %s\n", subject,
	    is_root ? "; root" : "; below ", is_root ? "" : issuer, key,
	    until);
	oc_pem_write(pem, "CERTIFICATE", cert->der.p, cert->der.len);
}

static void
put_facts(const struct x509_cert *cert, json_t *rows)
{
	json_t *row = cli_object();
	struct oc_buffer pem;
	char key[64];

	oc_buffer_init(&pem, OC_CHAIN_FILE_MAX);
	oc_pem_write(&pem, "CERTIFICATE", cert->der.p, cert->der.len);
	x509_spki_format(cert->spki, key);
	cli_put_name(row, "subject", cert->subject);
	cli_put_name(row, "issuer", cert->issuer);
	cli_put_text(row, "key", key);
	cli_put_time(row, "not_after", cert->not_after);
	cli_put_text(row, "pem", oc_buffer_text(&pem));
	cli_append(rows, row);
	oc_buffer_fini(&pem);
}

static enum oc_err
write_out(struct cli *cli, const struct oc_buffer *cas, json_t *rows,
    struct oc_error *error)
{
	struct der_reader r = der_reader_of((struct der_bytes){ cas->bytes,
	    cas->len });
	struct x509_cert *cert = calloc(1, sizeof(*cert));
	const char *path = cli_option(cli, "out");
	struct der_bytes der;
	struct oc_buffer pem;
	enum oc_err err = OC_OK;

	if (cert == NULL)
		cli_no_memory();
	oc_buffer_init(&pem, 2 * OC_BUNDLE_FILE_MAX);
	while (err == OC_OK && !der_at_end(&r) &&
	    der_get_tlv(&r, DER_SEQUENCE, &der)) {
		err = x509_cert_read(der, cert, error);
		if (err != OC_OK)
			break;
		put_pem(cert, &pem);
		put_facts(cert, rows);
	}
	if (err == OC_OK && pem.err != OC_OK)
		err = oc_error_set(error, pem.err, "%s",
		    oc_strerror(pem.err));
	if (err == OC_OK && path != NULL && strcmp(path, "-") != 0)
		err = oc_file_write(path, 0644, pem.bytes, pem.len, error);
	else if (err == OC_OK && cli->format == CLI_FORMAT_TEXT)
		(void)fwrite(pem.bytes, 1, pem.len, stdout);
	oc_buffer_fini(&pem);
	free(cert);
	return err;
}

enum oc_err
cli_origin_bundle(struct cli *cli, struct oc_error *error)
{
	json_t *rows = cli_array();
	struct oc_buffer cas;
	enum oc_err err;

	oc_buffer_init(&cas, OC_BUNDLE_FILE_MAX);
	err = cli_check_out(cli, "out", error);
	if (err == OC_OK)
		err = cli_origin_collect(cli, &cas, error);
	if (err == OC_OK)
		err = write_out(cli, &cas, rows, error);
	if (err == OC_OK && cli->format == CLI_FORMAT_JSON)
		cli_print(cli, rows);
	else
		json_decref(rows);
	oc_buffer_fini(&cas);
	return err;
}

const struct cli_option cli_origin_bundle_options[] = {
	{ "issuer", "NAME", CLI_REPEATED, "of this [issuer]; else of all" },
	{ "out", "FILE", CLI_OPTIONAL, "else standard output" },
	{ NULL }
};
