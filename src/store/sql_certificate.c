/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of certificates. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/sql.h"

static enum oc_err
put_encoding(struct store *s, const char *text, int64_t id,
    struct store_blob der)
{
	struct sql q;

	sql_open(&q, s, "keep what is signed", text);
	sql_put_int(&q, id);
	sql_put_blob(&q, der.p, der.len);
	return sql_run(&q);
}

enum oc_err
sql_add_certificate(struct store *s, const struct store_reservation *r,
    int64_t reserved_at, int64_t change_seq, int64_t *id)
{
	static const char text[] = "INSERT INTO certificate (id,"
	    " issuer_id, serial, change_seq, state, reserved_at, not_before,"
	    " not_after, profile, subject, names, crl_partition) VALUES ("
	    "(SELECT coalesce(max(id), 0) + 1 FROM certificate),"
	    " ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id";
	static const char tbs[] =
	    "INSERT INTO certificate_tbs (id, der) VALUES (?, ?)";
	struct sql q;
	int64_t added;
	enum oc_err err;

	sql_open(&q, s, "reserve", text);
	sql_put_int(&q, r->issuer_id);
	sql_put_blob(&q, r->serial.bytes, r->serial.len);
	sql_put_int(&q, change_seq);
	sql_put_int(&q, STORE_RESERVED);
	sql_put_int(&q, reserved_at);
	sql_put_int(&q, r->not_before);
	sql_put_int(&q, r->not_after);
	sql_put_text(&q, r->profile);
	sql_put_text(&q, r->subject);
	sql_put_text(&q, r->names);
	sql_put_int(&q, r->crl_partition);
	err = sql_run(&q);
	if (err != OC_OK)
		return err;
	added = sql_last_id(s);
	err = put_encoding(s, tbs, added, r->tbs);
	if (err == OC_OK)
		*id = added;
	return err;
}

enum oc_err
sql_set_issued(struct store *s, int64_t id, int64_t issued_at,
    struct store_blob certificate)
{
	static const char text[] = "UPDATE certificate SET state = ?,"
	    " issued_at = ? WHERE id = ?";
	static const char der[] =
	    "INSERT INTO certificate_der (id, der) VALUES (?, ?)";
	struct sql q;
	enum oc_err err;

	sql_open(&q, s, "issue", text);
	sql_put_int(&q, STORE_ISSUED);
	sql_put_int(&q, issued_at);
	sql_put_int(&q, id);
	err = sql_run(&q);
	if (err == OC_OK)
		err = put_encoding(s, der, id, certificate);
	return err;
}

enum oc_err
sql_set_status(struct store *s, int64_t id, int64_t change_seq,
    const struct store_status *status)
{
	static const char revoke[] = "UPDATE certificate SET change_seq = ?,"
	    " reason = ?, revoked_at = ?, invalidity_at = ? WHERE id = ?";
	static const char release[] = "UPDATE certificate SET"
	    " released_seq = ?1, change_seq = ?1, reason = ?2,"
	    " revoked_at = ?3, invalidity_at = ?4 WHERE id = ?5";
	struct sql q;

	sql_open(&q, s, "revoke", status->is_revoked ? revoke : release);
	sql_put_int(&q, change_seq);
	if (status->is_revoked) {
		sql_put_int(&q, status->reason);
		sql_put_int(&q, status->revoked_at);
		sql_put_int(&q, status->invalidity_at);
	} else {
		sql_put_null(&q);
		sql_put_null(&q);
		sql_put_int(&q, 0);
	}
	sql_put_int(&q, id);
	return sql_run(&q);
}

/* --- reading ------------------------------------------------------------ */

#define SELECT_CERTIFICATE \
	"SELECT c.id, c.issuer_id, i.name, c.serial, c.state," \
	" c.reserved_at, c.issued_at, c.not_before, c.not_after, c.profile," \
	" c.reason, c.revoked_at, c.invalidity_at, c.crl_partition," \
	" c.subject, c.names," \
	" m.id, m.record, t.der, d.der" \
	" FROM certificate c JOIN issuer i ON i.id = c.issuer_id" \
	" LEFT JOIN certificate_import m ON m.id = c.id" \
	" LEFT JOIN certificate_tbs t ON t.id = c.id" \
	" LEFT JOIN certificate_der d ON d.id = c.id"

static void
get_status(struct sql *q, bool *is_revoked, enum crl_reason *reason,
    int64_t *revoked_at)
{
	*is_revoked = !sql_get_is_null(q);
	*reason = (enum crl_reason)sql_get_int(q);	/* NULL reads as 0 */
	*revoked_at = sql_get_int(q);
}

/* NULL: it was not imported. */
static enum oc_err
take_record(struct sql *q, char **record)
{
	bool is_imported = !sql_get_is_null(q);

	(void)sql_get_int(q);
	if (is_imported)
		return sql_take_text(q, record);
	(void)sql_get_text(q);
	return OC_OK;
}

static enum oc_err
read_row(struct sql *q, struct store_row *row)
{
	struct store_certificate *c = &row->certificate;
	enum oc_err err;

	c->id = sql_get_int(q);
	c->issuer_id = sql_get_int(q);
	sql_get_text_fixed(q, row->issuer, sizeof(row->issuer));
	err = sql_get_serial(q, &c->serial);
	c->state = (enum store_state)sql_get_int(q);
	c->reserved_at = sql_get_int(q);
	c->issued_at = sql_get_int(q);
	c->not_before = sql_get_int(q);
	c->not_after = sql_get_int(q);
	sql_get_text_fixed(q, c->profile, sizeof(c->profile));
	get_status(q, &c->is_revoked, &c->reason, &c->revoked_at);
	c->invalidity_at = sql_get_int(q);
	c->crl_partition = (uint32_t)sql_get_int(q);
	if (err == OC_OK)
		err = sql_take_text(q, &c->subject);
	if (err == OC_OK)
		err = sql_take_text(q, &c->names);
	if (err == OC_OK)
		err = take_record(q, &c->import_record);
	if (err == OC_OK)
		err = sql_take_blob(q, &c->tbs, &c->tbs_len);
	if (err == OC_OK)
		err = sql_take_blob(q, &c->certificate, &c->certificate_len);
	return err;
}

static enum oc_err
find_row(struct sql *q, struct store_row *row)
{
	struct store_row read = { 0 };
	bool has_row = false;
	enum oc_err err;

	err = sql_next(q, &has_row);
	if (err == OC_OK && !has_row)
		err = store_fail(q->store, OC_ERR_NOT_FOUND,
		    "there is no such certificate");
	if (err == OC_OK)
		err = read_row(q, &read);
	sql_close(q);
	if (err == OC_OK)
		*row = read;
	else
		store_certificate_fini(&read.certificate);
	return err;
}

enum oc_err
sql_find_certificate(struct store *s, int64_t issuer_id,
    const struct oc_serial *serial, struct store_row *row)
{
	static const char text[] =
	    SELECT_CERTIFICATE " WHERE c.issuer_id = ? AND c.serial = ?";
	struct sql q;

	sql_open(&q, s, "find a certificate", text);
	sql_put_int(&q, issuer_id);
	sql_put_blob(&q, serial->bytes, serial->len);
	return find_row(&q, row);
}

enum oc_err
sql_find_state(struct store *s, int64_t issuer_id,
    const struct oc_serial *serial, struct store_row *row)
{
	static const char text[] = "SELECT c.id, i.name, c.not_after,"
	    " c.reason, c.revoked_at, c.invalidity_at"
	    " FROM certificate c JOIN issuer i ON i.id = c.issuer_id"
	    " WHERE c.issuer_id = ? AND c.serial = ?";
	struct store_certificate *c = &row->certificate;
	struct sql q;
	bool has_row = false;
	enum oc_err err;

	sql_open(&q, s, "find a certificate", text);
	sql_put_int(&q, issuer_id);
	sql_put_blob(&q, serial->bytes, serial->len);
	err = sql_next(&q, &has_row);
	if (err == OC_OK && !has_row)
		err = store_fail(s, OC_ERR_NOT_FOUND,
		    "there is no such certificate");
	if (err == OC_OK) {
		c->id = sql_get_int(&q);
		c->issuer_id = issuer_id;
		c->serial = *serial;
		sql_get_text_fixed(&q, row->issuer, sizeof(row->issuer));
		c->not_after = sql_get_int(&q);
		get_status(&q, &c->is_revoked, &c->reason, &c->revoked_at);
		c->invalidity_at = sql_get_int(&q);
	}
	sql_close(&q);
	return err;
}

enum oc_err
sql_get_certificate(struct store *s, int64_t id, struct store_row *row)
{
	static const char text[] = SELECT_CERTIFICATE " WHERE c.id = ?";
	struct sql q;

	sql_open(&q, s, "read a certificate", text);
	sql_put_int(&q, id);
	return find_row(&q, row);
}

enum oc_err
sql_get_waiting(struct store *s, int64_t id, struct store_waiting *row)
{
	static const char text[] = "SELECT i.name, c.serial, c.state,"
	    " r.is_current, r.reserved_at, o.id FROM certificate c"
	    " JOIN issuer i ON i.id = c.issuer_id"
	    " LEFT JOIN certificate_request r ON r.id = c.id"
	    " LEFT JOIN acme_order o ON o.certificate_id = c.id"
	    " AND o.state = 3 WHERE c.id = ?";
	struct sql q;
	bool has_row = false;
	enum oc_err err;

	sql_open(&q, s, "read a reservation", text);
	sql_put_int(&q, id);
	err = sql_next(&q, &has_row);
	if (err == OC_OK && !has_row)
		err = store_fail(s, OC_ERR_NOT_FOUND,
		    "there is no such certificate");
	if (err == OC_OK) {
		sql_get_text_fixed(&q, row->issuer, sizeof(row->issuer));
		err = sql_get_serial(&q, &row->serial);
		row->state = (enum store_state)sql_get_int(&q);
		row->is_asked = !sql_get_is_null(&q);
		row->is_current = sql_get_int(&q) != 0;
		row->reserved_at = sql_get_int(&q);
		row->order_id = sql_get_int(&q);	/* NULL reads as 0 */
	}
	sql_close(&q);
	return err;
}

/* --- lists -------------------------------------------------------------- */

/* Only the conditions asked for, so that an index can serve them. */
static void
write_list(char *text, size_t room, const struct store_filter *f)
{
	int len = snprintf(text, room, SELECT_CERTIFICATE
	    " WHERE TRUE%s%s%s%s%s%s%s ORDER BY c.id%s",
	    f->issuer_id != 0 ? " AND c.issuer_id = ?" : "",
	    /* The index is by issuer and serial. */
	    f->serial != NULL ? " AND c.issuer_id IN (SELECT id FROM issuer)"
	    " AND c.serial = ?" : "",
	    f->state != 0 ? " AND c.state = ?" : "",
	    f->only_revoked ? " AND c.revoked_at IS NOT NULL" : "",
	    f->only_valid ? " AND c.state = 2 AND c.revoked_at IS NULL"
	    " AND c.not_after >= ?" : "",
	    f->expires_before != 0 ? " AND c.not_after < ?" : "",
	    f->name != NULL ? " AND (instr(lower(c.subject), lower(?)) > 0"
	    " OR instr(lower(c.names), lower(?)) > 0)" : "",
	    f->num_max != 0 ? " LIMIT ?" : "");

	oc_assert(len > 0 && (size_t)len < room);
}

static void
put_filter(struct sql *q, const struct store_filter *f, int64_t now_at)
{
	if (f->issuer_id != 0)
		sql_put_int(q, f->issuer_id);
	if (f->serial != NULL)
		sql_put_blob(q, f->serial->bytes, f->serial->len);
	if (f->state != 0)
		sql_put_int(q, f->state);
	if (f->only_valid)
		sql_put_int(q, now_at);
	if (f->expires_before != 0)
		sql_put_int(q, f->expires_before);
	if (f->name != NULL) {
		sql_put_text(q, f->name);
		sql_put_text(q, f->name);
	}
	if (f->num_max != 0)
		sql_put_int(q, f->num_max);
}

/* Nothing but "is this serial revoked": asked for each certificate. */
static bool
is_revoked_serial(const struct store_filter *f)
{
	return f->serial != NULL && f->only_revoked && f->issuer_id == 0 &&
	    f->state == 0 && !f->only_valid && f->expires_before == 0 &&
	    f->name == NULL && f->num_max == 0;
}

static void
open_list(struct sql *q, struct store *s, const struct store_filter *filter)
{
	static const char revoked_serial[] = SELECT_CERTIFICATE
	    " WHERE c.issuer_id IN (SELECT id FROM issuer) AND c.serial = ?"
	    " AND c.revoked_at IS NOT NULL ORDER BY c.id";
	char text[1024];

	if (is_revoked_serial(filter)) {
		sql_open(q, s, "list certificates", revoked_serial);
		return;
	}
	write_list(text, sizeof(text), filter);
	sql_open_walk(q, s, "list certificates", text);
}

enum oc_err
sql_list_certificates(struct store *s, const struct store_filter *filter,
    int64_t now_at, store_certificate_fn *fn, void *arg)
{
	struct sql q;
	bool has_row = false;
	enum oc_err err;

	open_list(&q, s, filter);
	put_filter(&q, filter, now_at);
	for (;;) {
		struct store_row row = { 0 };

		err = sql_next(&q, &has_row);
		if (err != OC_OK || !has_row)
			break;
		err = read_row(&q, &row);
		if (err == OC_OK)
			err = fn(arg, &row.certificate);
		store_certificate_fini(&row.certificate);
		if (err != OC_OK)
			break;
	}
	sql_close(&q);
	return err;
}

enum oc_err
sql_read_changes(struct store *s, int64_t after_seq,
    struct store_change *changes, uint32_t num_max, uint32_t *num)
{
	static const char text[] = "SELECT change_seq, issuer_id, serial,"
	    " reason, revoked_at, not_after FROM certificate"
	    " WHERE change_seq > ? ORDER BY change_seq LIMIT ?";
	struct sql q;
	uint32_t n = 0;
	bool has_row = false;
	enum oc_err err;

	sql_open(&q, s, "read changes", text);
	sql_put_int(&q, after_seq);
	sql_put_int(&q, num_max);
	for (;;) {
		struct store_change *c = &changes[n];

		err = sql_next(&q, &has_row);
		if (err != OC_OK || !has_row)
			break;
		c->seq = sql_get_int(&q);
		c->issuer_id = sql_get_int(&q);
		err = sql_get_serial(&q, &c->serial);
		if (err != OC_OK)
			break;
		get_status(&q, &c->is_revoked, &c->reason, &c->revoked_at);
		c->not_after = sql_get_int(&q);
		n++;
	}
	sql_close(&q);
	if (err == OC_OK)
		*num = n;
	return err;
}
