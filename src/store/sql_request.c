/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of what was asked for, beside the certificates. */
#include <stdio.h>
#include <string.h>

#include "store/sql.h"

static enum oc_err
add_zones(struct store *s, int64_t id, const struct store_request *request)
{
	static const char text[] =
	    "INSERT INTO certificate_zone (zone_id, id) VALUES (?, ?)";
	enum oc_err err = OC_OK;

	for (uint32_t i = 0; err == OC_OK && i < request->num_zones; i++) {
		struct sql q;

		sql_open(&q, s, "keep a request's zone", text);
		sql_put_int(&q, request->zone_ids[i]);
		sql_put_int(&q, id);
		err = sql_run(&q);
	}
	return err;
}

enum oc_err
sql_add_request(struct store *s, int64_t id,
    const struct store_request *request, int64_t reserved_at)
{
	static const char text[] = "INSERT INTO certificate_request (id,"
	    " account_id, reserved_at, is_current, key, hostnames, csr, type,"
	    " validity, run) VALUES (?, ?, ?, 1, ?, ?, ?, ?, ?, ?)";
	struct sql q;
	enum oc_err err;

	sql_open(&q, s, "keep a request", text);
	sql_put_int(&q, id);
	if (request->account_id == 0)
		sql_put_null(&q);
	else
		sql_put_int(&q, request->account_id);
	sql_put_int(&q, reserved_at);
	if (request->key == NULL)
		sql_put_null(&q);
	else
		sql_put_blob(&q, request->key, STORE_HASH_LEN);
	sql_put_text(&q, request->hostnames);
	sql_put_blob(&q, request->csr.p, request->csr.len);
	sql_put_text(&q, request->type);
	sql_put_int(&q, request->validity);
	sql_put_int(&q, s->run);
	err = sql_run(&q);
	return err == OC_OK ? add_zones(s, id, request) : err;
}

enum oc_err
sql_end_request(struct store *s, int64_t id)
{
	static const char text[] =
	    "UPDATE certificate_request SET is_current = 0 WHERE id = ?";
	struct sql q;

	sql_open(&q, s, "give a request up", text);
	sql_put_int(&q, id);
	return sql_run(&q);
}

enum oc_err
sql_find_key(struct store *s, const uint8_t key[STORE_HASH_LEN],
    struct store_key_row *row)
{
	static const char text[] = "SELECT c.id, c.state,"
	    " c.revoked_at IS NOT NULL, c.reserved_at, c.not_after, r.run"
	    " FROM certificate_request r JOIN certificate c ON c.id = r.id"
	    " WHERE r.key = ? AND r.is_current = 1";
	struct sql q;
	bool has_row = false;
	enum oc_err err;

	sql_open(&q, s, "find a request", text);
	sql_put_blob(&q, key, STORE_HASH_LEN);
	err = sql_next(&q, &has_row);
	if (err == OC_OK && !has_row)
		err = store_fail(s, OC_ERR_NOT_FOUND,
		    "nothing was asked for under this key");
	if (err == OC_OK) {
		row->id = sql_get_int(&q);
		row->state = (enum store_state)sql_get_int(&q);
		row->is_revoked = sql_get_int(&q) != 0;
		row->reserved_at = sql_get_int(&q);
		row->not_after = sql_get_int(&q);
		row->run = sql_get_int(&q);
	}
	sql_close(&q);
	return err;
}

/* --- one row ------------------------------------------------------------ */

static enum oc_err
read_zones(struct store *s, struct store_request_row *row)
{
	static const char text[] =
	    "SELECT zone_id FROM certificate_zone WHERE id = ?"
	    " ORDER BY zone_id";
	struct sql q;
	bool has_row = false;
	enum oc_err err;

	sql_open(&q, s, "read a request's zones", text);
	sql_put_int(&q, row->id);
	for (;;) {
		err = sql_next(&q, &has_row);
		if (err != OC_OK || !has_row)
			break;
		if (row->num_zones == STORE_ZONES_MAX) {
			err = store_fail(s, OC_ERR_STORE, "the records are "
			    "damaged: more than %d zones of one certificate: "
			    "restore a backup", STORE_ZONES_MAX);
			break;
		}
		row->zone_ids[row->num_zones++] = sql_get_int(&q);
	}
	sql_close(&q);
	return err;
}

static enum oc_err
read_request(struct sql *q, struct store_request_row *row)
{
	enum oc_err err = OC_OK;

	row->id = sql_get_int(q);
	sql_get_text_fixed(q, row->account, sizeof(row->account));
	row->is_current = sql_get_int(q) != 0;
	row->has_key = !sql_get_is_null(q);
	if (row->has_key)
		err = sql_get_hash(q, row->key);
	else
		(void)sql_get_blob(q);
	if (err == OC_OK)
		err = sql_take_text(q, &row->hostnames);
	if (err == OC_OK)
		err = sql_take_blob(q, &row->csr, &row->csr_len);
	sql_get_text_fixed(q, row->type, sizeof(row->type));
	row->validity = sql_get_int(q);
	return err;
}

enum oc_err
sql_get_request(struct store *s, int64_t id, struct store_request_row *row)
{
	static const char text[] = "SELECT r.id, a.name, r.is_current, r.key,"
	    " r.hostnames, r.csr, r.type, r.validity"
	    " FROM certificate_request r"
	    " LEFT JOIN account a ON a.id = r.account_id WHERE r.id = ?";
	struct store_request_row read = { 0 };
	struct sql q;
	bool has_row = false;
	enum oc_err err;

	sql_open(&q, s, "read a request", text);
	sql_put_int(&q, id);
	err = sql_next(&q, &has_row);
	if (err == OC_OK && !has_row)
		err = store_fail(s, OC_ERR_NOT_FOUND,
		    "there is no such request");
	if (err == OC_OK)
		err = read_request(&q, &read);
	sql_close(&q);
	if (err == OC_OK)
		err = read_zones(s, &read);
	if (err == OC_OK)
		*row = read;
	else
		store_request_row_fini(&read);
	return err;
}

/* --- with the certificate ----------------------------------------------- */

#define SELECT_ASKED \
	"SELECT r.id, r.account_id, r.is_current, r.hostnames, r.csr," \
	" r.type, r.validity" \
	" FROM certificate_request r JOIN certificate c ON c.id = r.id"

static enum oc_err
read_asked(struct sql *q, struct store_asked *asked)
{
	int64_t id = sql_get_int(q);
	struct store_row row = { 0 };
	enum oc_err err;

	asked->account_id = sql_get_int(q);	/* NULL reads as 0 */
	asked->is_current = sql_get_int(q) != 0;
	err = sql_take_text(q, &asked->hostnames);
	if (err == OC_OK)
		err = sql_take_blob(q, &asked->csr, &asked->csr_len);
	sql_get_text_fixed(q, asked->type, sizeof(asked->type));
	asked->validity = sql_get_int(q);
	if (err == OC_OK)
		err = sql_get_certificate(q->store, id, &row);
	if (err != OC_OK)
		return err;
	asked->certificate = row.certificate;
	memcpy(asked->issuer, row.issuer, sizeof(asked->issuer));
	return OC_OK;
}

static enum oc_err
find_asked(struct sql *q, struct store_asked *asked)
{
	struct store_asked read = { 0 };
	bool has_row = false;
	enum oc_err err;

	err = sql_next(q, &has_row);
	if (err == OC_OK && !has_row)
		err = store_fail(q->store, OC_ERR_NOT_FOUND,
		    "no account asked for such a certificate");
	if (err == OC_OK)
		err = read_asked(q, &read);
	sql_close(q);
	if (err == OC_OK)
		*asked = read;
	else
		store_asked_fini(&read);
	return err;
}

enum oc_err
sql_get_asked(struct store *s, int64_t id, struct store_asked *asked)
{
	static const char text[] = SELECT_ASKED " WHERE r.id = ?";
	struct sql q;

	sql_open(&q, s, "read a request", text);
	sql_put_int(&q, id);
	return find_asked(&q, asked);
}

enum oc_err
sql_find_asked(struct store *s, int64_t account_id,
    const struct oc_serial *serial, struct store_asked *asked)
{
	/* The list of issuers lets the index on (issuer, serial) serve. */
	static const char text[] = SELECT_ASKED " WHERE c.issuer_id IN"
	    " (SELECT id FROM issuer) AND c.serial = ? AND r.account_id = ?"
	    " AND c.state = 2 ORDER BY r.id LIMIT 1";
	struct sql q;

	sql_open(&q, s, "find a request", text);
	sql_put_blob(&q, serial->bytes, serial->len);
	sql_put_int(&q, account_id);
	return find_asked(&q, asked);
}

/* --- lists -------------------------------------------------------------- */

/* From FROM on, so that counting and listing cannot differ. */
#define WHERE_ASKED "%s WHERE r.account_id = ? AND c.state = 2%s%s"

static void
write_asked(char *text, size_t room, const char *select,
    const struct store_asked_filter *f, const char *tail)
{
	int len = snprintf(text, room, WHERE_ASKED "%s", select,
	    f->zone_id != 0 ? " AND r.id IN"
	    " (SELECT id FROM certificate_zone WHERE zone_id = ?)" : "",
	    f->only_live ? " AND c.revoked_at IS NULL AND c.not_after >= ?" :
	    "", tail);

	oc_assert(len > 0 && (size_t)len < room);
}

static void
put_asked(struct sql *q, const struct store_asked_filter *f, int64_t now_at)
{
	sql_put_int(q, f->account_id);
	if (f->zone_id != 0)
		sql_put_int(q, f->zone_id);
	if (f->only_live)
		sql_put_int(q, now_at);
}

enum oc_err
sql_count_asked(struct store *s, const struct store_asked_filter *filter,
    int64_t now_at, int64_t *num)
{
	char text[512];
	struct sql q;
	bool has_row = false;
	enum oc_err err;

	write_asked(text, sizeof(text), "SELECT count(*)"
	    " FROM certificate_request r JOIN certificate c ON c.id = r.id",
	    filter, "");
	sql_open_once(&q, s, "count requests", text);
	put_asked(&q, filter, now_at);
	err = sql_next(&q, &has_row);
	if (err == OC_OK)
		*num = has_row ? sql_get_int(&q) : 0;
	sql_close(&q);
	return err;
}

enum oc_err
sql_list_asked(struct store *s, const struct store_asked_filter *filter,
    int64_t now_at, store_asked_fn *fn, void *arg)
{
	char text[768];
	struct sql q;
	bool has_row = false;
	enum oc_err err;

	write_asked(text, sizeof(text), SELECT_ASKED, filter,
	    " ORDER BY r.id LIMIT ? OFFSET ?");
	sql_open_once(&q, s, "list requests", text);
	put_asked(&q, filter, now_at);
	sql_put_int(&q, filter->num_max == 0 ? INT64_MAX : filter->num_max);
	sql_put_int(&q, filter->num_skipped);
	for (;;) {
		struct store_asked asked = { 0 };

		err = sql_next(&q, &has_row);
		if (err != OC_OK || !has_row)
			break;
		err = read_asked(&q, &asked);
		if (err == OC_OK)
			err = fn(arg, &asked);
		store_asked_fini(&asked);
		if (err != OC_OK)
			break;
	}
	sql_close(&q);
	return err;
}

enum oc_err
sql_count_requests(struct store *s, int64_t *num)
{
	static const char text[] = "SELECT count(*) FROM certificate_request";

	return sql_read_int(s, "count requests", text, num);
}
