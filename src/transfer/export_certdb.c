/* SPDX-License-Identifier: Apache-2.0 */
/* CFSSL's certdb: what its columns say of a certificate. */
#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/conninfo.h"
#include "base/pem.h"
#include "der/time.h"
#include "transfer/export_certdb.h"

/* "2026-11-27 16:04:00+00:00", as Go writes it. */
#define TIME_TEXT_MAX 40

struct writer {
	const struct transfer_export *export;
	const struct transfer_sink_ops *ops;
	void *sink;			/* owned */
	struct status_certdb_issuer issuer;
	struct oc_buffer pem;
	char *record;			/* owned: what columns are views of */
	char *serial;			/* OPENSSL_free() */
	char expiry[TIME_TEXT_MAX], revoked_at[TIME_TEXT_MAX], reason[12];
};

static void
certdb_close(void *arg)
{
	struct writer *w = arg;

	if (w == NULL)
		return;
	w->ops->close(w->sink);
	status_certdb_issuer_fini(&w->issuer);
	oc_buffer_fini(&w->pem);
	free(w->record);
	OPENSSL_free(w->serial);
	free(w);
}

static enum oc_err
certdb_open(const struct transfer_export *export, const char *path,
    void **writer, struct oc_error *error)
{
	struct writer *w = calloc(1, sizeof(*w));
	enum oc_err err;

	if (w == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	w->export = export;
	w->ops = oc_conninfo_is(path) ? &transfer_sink_postgres :
	    &transfer_sink_sqlite;
	oc_buffer_init(&w->pem, 2 * OC_CERTIFICATE_MAX);
	err = status_certdb_issuer_init(&w->issuer, export->issuer, error);
	if (err == OC_OK)
		err = w->ops->open(path, export->replaces, &w->sink, error);
	if (err != OC_OK)
		certdb_close(w);
	else
		*writer = w;
	return err;
}

static void
format_time(int64_t at, char text[TIME_TEXT_MAX])
{
	struct der_civil c;

	der_civil_from_unix(at, &c);
	(void)snprintf(text, TIME_TEXT_MAX, "%04d-%02d-%02d "
	    "%02d:%02d:%02d+00:00", c.year, c.month, c.day, c.hour, c.minute,
	    c.second);
}

static void
put_status(struct writer *w, const struct store_certificate *c,
    const char *columns[TRANSFER_NUM_COLUMNS])
{
	columns[TRANSFER_STATUS] = c->is_revoked ? "revoked" : "good";
	(void)snprintf(w->reason, sizeof(w->reason), "%d",
	    c->is_revoked ? (int)c->reason : 0);
	columns[TRANSFER_REASON] = w->reason;
	/* Go's zero time. */
	(void)snprintf(w->revoked_at, sizeof(w->revoked_at),
	    "0001-01-01 00:00:00+00:00");
	if (c->is_revoked)
		format_time(c->revoked_at, w->revoked_at);
	columns[TRANSFER_REVOKED_AT] = w->revoked_at;
}

static bool
is_unchanged(const struct store_certificate *c,
    const char *const columns[TRANSFER_NUM_COLUMNS])
{
	struct status_entry entry;

	if (status_certdb_entry(&(struct status_certdb_row){
	    .serial = columns[TRANSFER_SERIAL],
	    .status = columns[TRANSFER_STATUS],
	    .reason = columns[TRANSFER_REASON],
	    .expiry = columns[TRANSFER_EXPIRY],
	    .revoked_at = columns[TRANSFER_REVOKED_AT] }, &entry, NULL) !=
	    OC_OK || (entry.is_revoked != 0) != c->is_revoked)
		return false;
	return !c->is_revoked || (entry.reason == c->reason &&
	    entry.revoked_at == c->revoked_at);
}

/* False: it did not come from a certdb. */
static bool
read_record(struct writer *w, const struct store_certificate *c,
    const char *columns[TRANSFER_NUM_COLUMNS])
{
	free(w->record);
	w->record = c->import_record == NULL ? NULL :
	    strdup(c->import_record);
	return w->record != NULL &&
	    transfer_record_read(w->record, columns) == OC_OK;
}

static enum oc_err
make_columns(struct writer *w, const struct store_certificate *c,
    const char *columns[TRANSFER_NUM_COLUMNS], struct oc_error *error)
{
	BIGNUM *number = BN_bin2bn(c->serial.bytes, c->serial.len, NULL);

	OPENSSL_free(w->serial);
	w->serial = number == NULL ? NULL : BN_bn2dec(number);
	BN_free(number);
	w->pem.len = 0;
	oc_pem_write(&w->pem, "CERTIFICATE", c->certificate,
	    c->certificate_len);
	if (w->serial == NULL || w->pem.err != OC_OK)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	format_time(c->not_after, w->expiry);
	columns[TRANSFER_KEY_ID] = w->issuer.key_id;
	columns[TRANSFER_PEM] = oc_buffer_text(&w->pem);
	columns[TRANSFER_SERIAL] = w->serial;
	columns[TRANSFER_EXPIRY] = w->expiry;
	columns[TRANSFER_MORE + STATUS_CERTDB_CA_LABEL] = "";
	put_status(w, c, columns);
	return OC_OK;
}

static enum oc_err
certdb_put(void *arg, const struct store_certificate *c,
    char unsaid[TRANSFER_UNSAID_MAX], struct oc_error *error)
{
	const char *columns[TRANSFER_NUM_COLUMNS] = { NULL };
	struct writer *w = arg;
	enum oc_err err = OC_OK;

	if (read_record(w, c, columns)) {
		if (!is_unchanged(c, columns))
			put_status(w, c, columns);
	} else if (c->certificate_len == 0) {
		(void)snprintf(unsaid, TRANSFER_UNSAID_MAX, "the certificate "
		    "itself is not known, and CFSSL wants its PEM");
		return OC_ERR_UNSUPPORTED;
	} else {
		memset(columns, 0, sizeof(columns));
		err = make_columns(w, c, columns, error);
	}
	if (err == OC_OK && c->invalidity_at != 0)
		(void)snprintf(unsaid, TRANSFER_UNSAID_MAX, "CFSSL has no "
		    "invalidity date");
	return err == OC_OK ? w->ops->insert(w->sink, columns, error) : err;
}

static enum oc_err
certdb_finish(void *arg, struct oc_error *error)
{
	struct writer *w = arg;

	return w->ops->finish(w->sink, error);
}

const struct transfer_writer_ops transfer_certdb_writer = {
	.open = certdb_open,
	.put = certdb_put,
	.finish = certdb_finish,
	.close = certdb_close
};
