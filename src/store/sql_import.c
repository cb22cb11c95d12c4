/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of what was imported, and the epoch that it may move. */
#include "store/import.h"
#include "store/sql.h"

static const char insert_tbs[] =
    "INSERT INTO certificate_tbs (id, der) VALUES (?, ?)";
static const char insert_der[] =
    "INSERT INTO certificate_der (id, der) VALUES (?, ?)";

static enum oc_err
put_beside(struct store *s, const char *text, int64_t id,
    struct store_blob octets)
{
	struct sql q;

	if (octets.len == 0)
		return OC_OK;
	sql_open(&q, s, "keep what is imported", text);
	sql_put_int(&q, id);
	sql_put_blob(&q, octets.p, octets.len);
	return sql_run(&q);
}

static enum oc_err
put_record(struct store *s, int64_t id, const char *record)
{
	static const char text[] =
	    "INSERT INTO certificate_import (id, record) VALUES (?, ?)";
	struct sql q;

	sql_open(&q, s, "keep what is imported", text);
	sql_put_int(&q, id);
	sql_put_text(&q, record);
	return sql_run(&q);
}

static void
put_status(struct sql *q, const struct store_import *i)
{
	if (i->is_revoked) {
		sql_put_int(q, i->reason);
		sql_put_int(q, i->revoked_at);
		sql_put_int(q, i->invalidity_at);
	} else {
		sql_put_null(q);
		sql_put_null(q);
		sql_put_int(q, 0);
	}
}

enum oc_err
sql_import_certificate(struct store *s, const struct store_import *i,
    int64_t change_seq, int64_t *id)
{
	static const char text[] = "INSERT INTO certificate (id, issuer_id,"
	    " serial, change_seq, state, reserved_at, issued_at, not_before,"
	    " not_after, profile, subject, names, reason, revoked_at,"
	    " invalidity_at, crl_partition) VALUES ("
	    "(SELECT coalesce(max(id), 0) + 1 FROM certificate),"
	    " ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id";
	struct sql q;
	int64_t added;
	enum oc_err err;

	sql_open(&q, s, "import", text);
	sql_put_int(&q, i->issuer_id);
	sql_put_blob(&q, i->serial.bytes, i->serial.len);
	sql_put_int(&q, change_seq);
	sql_put_int(&q, i->state);
	sql_put_int(&q, i->reserved_at);
	sql_put_int(&q, i->issued_at);
	sql_put_int(&q, i->not_before);
	sql_put_int(&q, i->not_after);
	sql_put_text(&q, i->profile);
	sql_put_text(&q, i->subject);
	sql_put_text(&q, i->names);
	put_status(&q, i);
	sql_put_int(&q, i->crl_partition);
	err = sql_run(&q);
	if (err != OC_OK)
		return err;
	added = sql_last_id(s);
	err = put_beside(s, insert_tbs, added, i->tbs);
	if (err == OC_OK)
		err = put_beside(s, insert_der, added, i->certificate);
	if (err == OC_OK)
		err = put_record(s, added, i->record);
	if (err == OC_OK)
		*id = added;
	return err;
}

enum oc_err
sql_complete_import(struct store *s, int64_t id,
    const struct store_import *i, int64_t change_seq)
{
	static const char text[] = "UPDATE certificate SET change_seq = ?,"
	    " reserved_at = ?, issued_at = ?, not_before = ?, not_after = ?,"
	    " profile = ?, subject = ?, names = ?, crl_partition = ?"
	    " WHERE id = ?";
	static const char record[] =
	    "UPDATE certificate_import SET record = ? WHERE id = ?";
	struct sql q;
	enum oc_err err;

	sql_open(&q, s, "import", text);
	sql_put_int(&q, change_seq);
	sql_put_int(&q, i->reserved_at);
	sql_put_int(&q, i->issued_at);
	sql_put_int(&q, i->not_before);
	sql_put_int(&q, i->not_after);
	sql_put_text(&q, i->profile);
	sql_put_text(&q, i->subject);
	sql_put_text(&q, i->names);
	sql_put_int(&q, i->crl_partition);
	sql_put_int(&q, id);
	err = sql_run(&q);
	if (err == OC_OK)
		err = put_beside(s, insert_tbs, id, i->tbs);
	if (err == OC_OK)
		err = put_beside(s, insert_der, id, i->certificate);
	if (err != OC_OK)
		return err;
	sql_open(&q, s, "import", record);
	sql_put_text(&q, i->record);
	sql_put_int(&q, id);
	return sql_run(&q);
}

enum oc_err
sql_read_epoch(struct store *s, uint32_t *epoch)
{
	static const char text[] = "SELECT epoch FROM store";
	int64_t read = 0;
	enum oc_err err = sql_read_int(s, "read the epoch", text, &read);

	if (err == OC_OK && (read <= 0 || read > STORE_EPOCH_MAX))
		return store_fail(s, OC_ERR_STORE, "the file is damaged: no "
		    "epoch: restore a backup");
	if (err == OC_OK)
		*epoch = (uint32_t)read;
	return err;
}

enum oc_err
sql_set_epoch(struct store *s, uint32_t epoch)
{
	static const char text[] = "UPDATE store SET epoch = ?";
	struct sql q;

	sql_open(&q, s, "set the epoch", text);
	sql_put_int(&q, epoch);
	return sql_run(&q);
}
