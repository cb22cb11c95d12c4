/* SPDX-License-Identifier: Apache-2.0 */
#include "transfer/import.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/config.h"
#include "sign/digest.h"
#include "transfer/import_impl.h"

#define NAMES_MAX ((size_t)256 * 1024)

static const char *const format_names[] = {
	[TRANSFER_INDEX] = "index",
	[TRANSFER_CERTDB] = "certdb",
	[TRANSFER_CRL] = "crl",
	[TRANSFER_STORE] = "store"
};
#define NUM_FORMATS (sizeof(format_names) / sizeof(format_names[0]))

const char *
transfer_format_name(enum transfer_format format)
{
	return format_names[format];
}

bool
transfer_format_parse(const char *text, enum transfer_format *format)
{
	for (size_t i = 0; i < NUM_FORMATS; i++) {
		if (strcmp(text, format_names[i]) != 0)
			continue;
		*format = (enum transfer_format)i;
		return true;
	}
	return false;
}

/* --- one certificate ---------------------------------------------------- */

enum oc_err
transfer_digest(struct transfer_run *run, const void *octets, size_t len,
    struct oc_error *error)
{
	if (EVP_DigestUpdate(run->digest, octets, len) != 1)
		return oc_error_set(error, OC_ERR_INTERNAL, "SHA-256 failed");
	return OC_OK;
}

static enum oc_err
check_certificate(const struct transfer_run *run,
    const struct store_import *row, struct oc_error *error)
{
	const struct x509_cert *cert = run->cert;

	if (!oc_serial_equal(&cert->serial, &row->serial))
		return oc_error_set(error, OC_ERR_MISMATCH, "the certificate "
		    "has another serial number");
	if (row->not_after != STORE_NO_END &&
	    row->not_after != cert->not_after)
		return oc_error_set(error, OC_ERR_MISMATCH, "the certificate "
		    "ends at another time");
	return x509_cert_verify_issued(cert, run->import->issuer, error);
}

/* What was issued into one, whoever has kept it since, is of that list. */
static uint32_t
find_partition(const struct transfer_import *import,
    const struct x509_extensions *e)
{
	char text[OC_CRL_URL_MAX + 1];

	if (e->num_crl_urls != 1 || import->crl_url == NULL)
		return 0;
	for (uint32_t n = 1; n <= import->crl_partitions; n++)
		if (oc_config_partition_url(import->crl_url, n, text) &&
		    der_bytes_equal(e->crl_urls[0], (struct der_bytes){
		    (const uint8_t *)text, strlen(text) }))
			return n;
	return 0;
}

enum oc_err
transfer_describe(struct transfer_run *run, struct der_bytes der,
    char subject[X509_NAME_TEXT_MAX], struct store_import *row,
    struct oc_error *error)
{
	const struct x509_extensions *extensions = &run->cert->extensions;
	char text[X509_SAN_TEXT_MAX];
	struct oc_error ignored;
	enum oc_err err = OC_OK;

	/* What stands in its extensions is its own matter; then it cannot be
	 * found by its names. */
	if (x509_cert_read(der, run->cert, &ignored) != OC_OK)
		err = x509_cert_read_frame(der, run->cert, error);
	if (err == OC_OK)
		err = check_certificate(run, row, error);
	if (err != OC_OK)
		return err;
	x509_name_format(run->cert->subject, subject);
	run->names.len = 0;
	for (uint32_t i = 0; i < extensions->num_sans; i++) {
		x509_san_format(&extensions->sans[i], text);
		oc_buffer_printf(&run->names, "%s%s", i == 0 ? "" : "\n",
		    text);
	}
	if (run->names.err != OC_OK)
		return oc_error_set(error, run->names.err, "its names: %s",
		    oc_strerror(run->names.err));
	row->subject = subject;
	row->names = run->names.len == 0 ? "" : oc_buffer_text(&run->names);
	row->crl_partition = find_partition(run->import, extensions);
	row->not_before = run->cert->not_before;
	row->not_after = run->cert->not_after;
	row->certificate = (struct store_blob){ der.p, der.len };
	return OC_OK;
}

static enum oc_err
count(struct transfer_run *run, const struct store_import *row,
    enum store_import_outcome outcome)
{
	struct transfer_counts *counts = &run->counts;

	counts->num_read++;
	counts->num_certificates += row->certificate.len > 0;
	switch (outcome) {
	case STORE_IMPORT_NEW:
		counts->num_new++;
		break;
	case STORE_IMPORT_COMPLETED:
		counts->num_completed++;
		break;
	case STORE_IMPORT_REVOKED:
		counts->num_revoked++;
		break;
	case STORE_IMPORT_SAME:
		counts->num_same++;
		break;
	case STORE_IMPORT_KEPT:
		counts->num_kept++;
		break;
	}
	if (run->import->progress != NULL)
		run->import->progress(run->import->arg, counts);
	return OC_OK;
}

/* The store would take the second of two for the first come again. */
static enum oc_err
check_twice(struct transfer_run *run, const struct store_import *row,
    struct oc_error *error)
{
	struct store_certificate c = { 0 };
	char serial[OC_SERIAL_TEXT_MAX];
	bool is_twice;

	if (run->counts.num_new == 0 || store_find_certificate(
	    run->import->store, row->issuer_id, &row->serial, &c) != OC_OK)
		return OC_OK;
	is_twice = c.id > run->last_id;
	store_certificate_fini(&c);
	oc_serial_format(&row->serial, serial);
	return !is_twice ? OC_OK : oc_error_set(error, OC_ERR_MALFORMED,
	    "the serial number %s is there twice", serial);
}

enum oc_err
transfer_take(struct transfer_run *run, struct store_import *row,
    struct oc_error *error)
{
	const struct transfer_import *import = run->import;
	enum store_import_outcome outcome;
	enum oc_err err;

	row->issuer_id = import->issuer_id;
	err = store_import(import->store, row, import->policy, &outcome);
	if (err != OC_OK)
		return oc_error_set(error, err, "%s",
		    store_error(import->store));
	if (outcome != STORE_IMPORT_NEW) {
		err = check_twice(run, row, error);
		if (err != OC_OK)
			return err;
	}
	return count(run, row, outcome);
}

/* --- all of them -------------------------------------------------------- */

static enum oc_err
read_all(struct transfer_run *run, struct oc_error *error)
{
	static transfer_read_fn *const readers[] = {
		[TRANSFER_INDEX] = transfer_read_index,
		[TRANSFER_CERTDB] = transfer_read_certdb,
		[TRANSFER_CRL] = transfer_read_crl,
		[TRANSFER_STORE] = transfer_read_store
	};
	struct stat st;
	enum oc_err err;

	/* Whoever opens a pipe waits for somebody who writes to it. */
	if (stat(run->import->path, &st) == 0 && !S_ISREG(st.st_mode))
		err = oc_error_set(error, OC_ERR_REFUSED, "it is no regular "
		    "file");
	else
		err = readers[run->import->format](run, error);
	if (err != OC_OK)
		return oc_error_prefix(error, "%s", run->import->path);
	if (run->counts.num_read > 0 || run->import->format == TRANSFER_CRL)
		return OC_OK;
	return oc_error_set(error, OC_ERR_NOT_FOUND, "%s: no certificate of "
	    "issuer %s is in it", run->import->path,
	    run->import->issuer_name);
}

static enum oc_err
end(struct transfer_run *run, struct oc_error *error)
{
	const struct transfer_import *import = run->import;
	struct store_imported all = {
		.issuer = import->issuer_name,
		.format = transfer_format_name(import->format),
		.path = import->path,
		.num_new = run->counts.num_new,
		.num_completed = run->counts.num_completed,
		.num_revoked = run->counts.num_revoked,
		.num_same = run->counts.num_same,
		.num_kept = run->counts.num_kept
	};
	enum oc_err err;

	if (EVP_DigestFinal_ex(run->digest, all.sha256, NULL) != 1)
		return oc_error_set(error, OC_ERR_INTERNAL, "SHA-256 failed");
	err = store_end_import(import->store, &all);
	return err == OC_OK ? OC_OK : oc_error_set(error, err, "%s",
	    store_error(import->store));
}

static bool
is_to_be_kept(const struct transfer_run *run)
{
	const struct transfer_counts *c = &run->counts;

	return !run->import->is_trial && (c->num_new > 0 ||
	    c->num_completed > 0 || c->num_revoked > 0 ||
	    run->is_moved);
}

static enum oc_err
run_group(struct transfer_run *run, struct oc_error *error)
{
	struct store *store = run->import->store;
	enum oc_err err = store_expect_many(store);

	if (err == OC_OK)
		err = store_begin_group(store);
	if (err != OC_OK)
		return oc_error_set(error, err, "%s", store_error(store));
	err = store_last_certificate(store, &run->last_id);
	if (err != OC_OK)
		(void)oc_error_set(error, err, "%s", store_error(store));
	else
		err = read_all(run, error);
	if (err == OC_OK && is_to_be_kept(run))
		err = end(run, error);
	if (err != OC_OK || !is_to_be_kept(run)) {
		store_abandon_group(store);
		return err;
	}
	err = store_commit_group(store);
	return err == OC_OK ? OC_OK : oc_error_set(error, err, "%s",
	    store_error(store));
}

enum oc_err
transfer_import(const struct transfer_import *import,
    struct transfer_counts *counts, struct oc_error *error)
{
	struct transfer_run run = { .import = import };
	enum oc_err err;

	oc_buffer_init(&run.names, NAMES_MAX);
	oc_buffer_init(&run.record, STORE_RECORD_MAX);
	run.cert = calloc(1, sizeof(*run.cert));
	run.digest = EVP_MD_CTX_new();
	if (run.cert == NULL || run.digest == NULL || EVP_DigestInit_ex(
	    run.digest, sign_digest(SIGN_SHA256), NULL) != 1)
		err = oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	else
		err = run_group(&run, error);
	EVP_MD_CTX_free(run.digest);
	free(run.cert);
	oc_buffer_fini(&run.names);
	oc_buffer_fini(&run.record);
	if (err == OC_OK)
		*counts = run.counts;
	return err;
}
