/* SPDX-License-Identifier: Apache-2.0 */
/* From CFSSL's certdb.  A certificate's record is its row. */
#include <stdlib.h>
#include <string.h>

#include "base/conninfo.h"
#include "transfer/import_impl.h"
#include "transfer/record.h"
#include "x509/file.h"

static enum oc_err
make_record(struct transfer_run *run, const struct status_certdb_row *row,
    const char *const more[STATUS_CERTDB_NUM_MORE], struct oc_error *error)
{
	const char *columns[TRANSFER_NUM_COLUMNS] = {
		[TRANSFER_KEY_ID] = row->key_id,
		[TRANSFER_PEM] = row->pem,
		[TRANSFER_SERIAL] = row->serial,
		[TRANSFER_STATUS] = row->status,
		[TRANSFER_REASON] = row->reason,
		[TRANSFER_EXPIRY] = row->expiry,
		[TRANSFER_REVOKED_AT] = row->revoked_at
	};
	enum oc_err err;

	for (int i = 0; i < STATUS_CERTDB_NUM_MORE; i++)
		columns[TRANSFER_MORE + i] = more[i];
	run->record.len = 0;
	transfer_record_write(&run->record, columns);
	err = run->record.err;
	if (err != OC_OK)
		return oc_error_set(error, err, "%s", oc_strerror(err));
	return transfer_digest(run, run->record.bytes, run->record.len,
	    error);
}

static enum oc_err
take(struct transfer_run *run, const struct status_certdb_row *row,
    const struct status_entry *entry, struct oc_error *error)
{
	struct store_import i = {
		.serial = entry->serial,
		.state = STORE_ISSUED,
		.not_after = entry->not_after,
		.profile = "", .subject = "", .names = "",
		.is_revoked = entry->is_revoked != 0,
		.reason = entry->is_revoked ?
		    (enum crl_reason)entry->reason : CRL_REASON_UNSPECIFIED,
		.revoked_at = entry->is_revoked ? entry->revoked_at : 0,
		.record = oc_buffer_text(&run->record)
	};
	const char *pem = row->pem == NULL ? "" : row->pem;
	char subject[X509_NAME_TEXT_MAX];
	uint8_t *der = NULL;
	size_t len = 0;
	enum oc_err err = OC_OK;

	if (*pem != '\0')
		err = x509_file_parse("pem", (const uint8_t *)pem,
		    strlen(pem), X509_FILE_CERTIFICATE, &der, &len, error);
	if (err == OC_OK && der != NULL)
		err = transfer_describe(run, (struct der_bytes){ der, len },
		    subject, &i, error);
	i.reserved_at = i.issued_at = i.not_before;
	if (err == OC_OK)
		err = transfer_take(run, &i, error);
	free(der);
	return err;
}

static enum oc_err
take_row(void *arg, const struct status_certdb_row *row,
    const struct status_entry *entry,
    const char *const more[STATUS_CERTDB_NUM_MORE], struct oc_error *error)
{
	struct transfer_run *run = arg;
	char serial[OC_SERIAL_TEXT_MAX];
	enum oc_err err = make_record(run, row, more, error);

	if (err == OC_OK)
		err = take(run, row, entry, error);
	if (err == OC_OK)
		return OC_OK;
	oc_serial_format(&entry->serial, serial);
	return oc_error_prefix(error, "certificate %s", serial);
}

static enum oc_err
walk_server(struct transfer_run *run,
    const struct status_certdb_issuer *issuer, struct oc_error *error)
{
	struct status_certdb_server *server = NULL;
	enum oc_err err = status_certdb_server_new(run->import->where, &server,
	    error);

	if (err == OC_OK)
		err = status_certdb_server_walk(server, issuer, take_row, run,
		    &run->counts.num_others, error);
	status_certdb_server_free(server);
	return err;
}

static enum oc_err
walk(struct transfer_run *run, const struct status_certdb_issuer *issuer,
    struct oc_error *error)
{
	if (oc_conninfo_is(run->import->where))
		return walk_server(run, issuer, error);
	return status_certdb_walk_sqlite(run->import->path, issuer, take_row,
	    run, &run->counts.num_others, error);
}

enum oc_err
transfer_read_certdb(struct transfer_run *run, struct oc_error *error)
{
	struct status_certdb_issuer issuer = { NULL, NULL };
	enum oc_err err = status_certdb_issuer_init(&issuer,
	    run->import->issuer, error);

	if (err == OC_OK)
		err = walk(run, &issuer, error);
	status_certdb_issuer_fini(&issuer);
	return err;
}
