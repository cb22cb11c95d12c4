/* SPDX-License-Identifier: Apache-2.0 */
/* From another store of ours, which is only read: one issuer's certificates
 * with their profiles, names, and what was only reserved. */
#include <string.h>

#include "transfer/import_impl.h"

struct reader {
	struct transfer_run *run;
	struct store *from;
	struct oc_error *error;
};

static enum oc_err
take(struct reader *r, const struct store_certificate *c)
{
	struct store_import row = {
		.serial = c->serial,
		.state = c->state,
		.reserved_at = c->reserved_at,
		.issued_at = c->issued_at,
		.not_before = c->not_before,
		.not_after = c->not_after,
		.profile = c->profile,
		.subject = c->subject,
		.names = c->names,
		.tbs = { c->tbs, c->tbs_len },
		.is_revoked = c->is_revoked,
		.reason = c->reason,
		.revoked_at = c->revoked_at,
		.invalidity_at = c->invalidity_at,
		.record = c->import_record == NULL ? "" : c->import_record,
		.crl_partition = c->crl_partition
	}, checked = row;
	char subject[X509_NAME_TEXT_MAX];
	enum oc_err err = OC_OK;

	row.certificate = (struct store_blob){ c->certificate,
	    c->certificate_len };
	if (c->certificate_len > 0)
		err = transfer_describe(r->run, (struct der_bytes){
		    c->certificate, c->certificate_len }, subject, &checked,
		    r->error);
	return err == OC_OK ? transfer_take(r->run, &row, r->error) : err;
}

static enum oc_err
take_certificate(void *arg, const struct store_certificate *c)
{
	struct reader *r = arg;
	char serial[OC_SERIAL_TEXT_MAX];
	enum oc_err err = transfer_digest(r->run, c->serial.bytes,
	    c->serial.len, r->error);

	if (err == OC_OK)
		err = transfer_digest(r->run, c->certificate,
		    c->certificate_len, r->error);
	if (err == OC_OK)
		err = take(r, c);
	if (err == OC_OK)
		return OC_OK;
	oc_serial_format(&c->serial, serial);
	return oc_error_prefix(r->error, "certificate %s", serial);
}

static enum oc_err
find_issuer(struct reader *r, int64_t *id)
{
	struct store_issuer row = { 0 };
	struct x509_cert *cert = r->run->cert;
	enum oc_err err = store_find_issuer(r->from, r->run->import->from,
	    &row);

	if (err != OC_OK)
		return oc_error_set(r->error, err, "%s",
		    store_error(r->from));
	err = x509_cert_read((struct der_bytes){ row.certificate,
	    row.certificate_len }, cert, r->error);
	if (err == OC_OK && !der_bytes_equal(cert->spki,
	    r->run->import->issuer->spki))
		err = oc_error_set(r->error, OC_ERR_MISMATCH, "its issuer %s "
		    "has another key", row.name);
	*id = row.id;
	store_issuer_fini(&row);
	return err;
}

/* The number of its last list, signed or not. */
static enum oc_err
pass_number(void *arg, const struct store_crl_record *record)
{
	struct reader *r = arg;
	bool is_moved = false;
	enum oc_err err;

	if (strcmp(record->issuer, r->run->import->from) != 0)
		return OC_OK;
	err = store_pass_crl_number(r->run->import->store,
	    record->crl.number, &is_moved);
	r->run->is_moved = r->run->is_moved || is_moved;
	return err == OC_OK ? OC_OK : oc_error_set(r->error, err, "%s",
	    store_error(r->run->import->store));
}

enum oc_err
transfer_read_store(struct transfer_run *run, struct oc_error *error)
{
	struct reader r = { run, NULL, error };
	struct store_filter filter = { .issuer_id = 0 };
	enum oc_err err = store_open(run->import->where, STORE_READ, &r.from,
	    error);

	if (err != OC_OK)
		return err;
	error->code = OC_OK;
	err = find_issuer(&r, &filter.issuer_id);
	if (err == OC_OK)
		err = store_list_certificates(r.from, &filter,
		    take_certificate, &r);
	if (err == OC_OK)
		err = store_list_crls(r.from, pass_number, &r);
	if (err != OC_OK && error->code == OC_OK)
		(void)oc_error_set(error, err, "%s", store_error(r.from));
	store_close(r.from);
	return err;
}
