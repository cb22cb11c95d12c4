/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One statement each, so that no lock is held while a host is stopped or cut
 * off.  Rows go there as arrays, one for each column.
 */
#include "store/share.h"

#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include "store/sql.h"

#define NOW_MS \
	"CAST(floor(extract(epoch FROM clock_timestamp()) * 1000) AS INTEGER)"
#define ABANDONED_MS "604800000"
#define LIFE_MAX_S "34560000"		/* OCSP_LIFE_MAX_S */

/* --- contexts ------------------------------------------------------------ */

void
store_share_name_context(const void *octets, size_t len,
    uint8_t name[STORE_CONTEXT_LEN])
{
	(void)SHA256(octets, len, name);
}

static enum oc_err
look_for_context(struct store *s, const uint8_t name[STORE_CONTEXT_LEN],
    int64_t *id)
{
	static const char text[] =
	    "SELECT id FROM response_context WHERE name = ?";
	bool has_row = false;
	struct sql q;
	enum oc_err err;

	sql_open(&q, s, "find a context", text);
	sql_put_blob(&q, name, STORE_CONTEXT_LEN);
	err = sql_next(&q, &has_row);
	if (err == OC_OK && has_row)
		*id = sql_get_int(&q);
	sql_close(&q);
	return err == OC_OK && !has_row ? OC_ERR_NOT_FOUND : err;
}

enum oc_err
store_share_find_context(struct store *s,
    const uint8_t name[STORE_CONTEXT_LEN], int64_t *id)
{
	/* Two hosts may make one, or two of the same number, at once. */
	static const char text[] = "INSERT INTO response_context"
	    " (id, name, holder, host) SELECT coalesce(max(id), 0) + 1,"
	    " CAST(?1 AS BLOB), CAST(?1 AS BLOB), '' FROM response_context"
	    " ON CONFLICT DO NOTHING RETURNING id";
	struct sql q;
	enum oc_err err = look_for_context(s, name, id);

	for (int i = 0; err == OC_ERR_NOT_FOUND && i < 10; i++) {
		sql_open(&q, s, "make a context", text);
		sql_put_blob(&q, name, STORE_CONTEXT_LEN);
		err = sql_run(&q);
		if (err == OC_OK)
			err = look_for_context(s, name, id);
	}
	if (err == OC_ERR_NOT_FOUND)
		err = store_fail(s, OC_ERR_BUSY, "others make contexts");
	return err;
}

/* --- the lease ----------------------------------------------------------- */

static enum oc_err
take_lease(struct store *s, int64_t id, const struct store_lease_wish *wish)
{
	static const char text[] = "UPDATE response_context"
	    " SET holder = ?2, host = ?3, expires_at = " NOW_MS " + ?4"
	    " WHERE id = ?1 AND (holder = ?2"
	    " OR expires_at + ?5 <= " NOW_MS
	    " OR expires_at > " NOW_MS " + ?4)";
	struct sql q;

	sql_open(&q, s, "lease", text);
	sql_put_int(&q, id);
	sql_put_blob(&q, wish->holder, STORE_HOLDER_LEN);
	sql_put_text(&q, wish->host);
	sql_put_int(&q, wish->length_ms);
	sql_put_int(&q, wish->patience_ms);
	return sql_run(&q);
}

static enum oc_err
give_lease_back(struct store *s, int64_t id,
    const struct store_lease_wish *wish)
{
	static const char text[] = "UPDATE response_context"
	    " SET expires_at = " NOW_MS " WHERE id = ?1 AND holder = ?2"
	    " AND expires_at > " NOW_MS;
	struct sql q;

	sql_open(&q, s, "give a lease back", text);
	sql_put_int(&q, id);
	sql_put_blob(&q, wish->holder, STORE_HOLDER_LEN);
	return sql_run(&q);
}

enum oc_err
store_share_lease(struct store *s, int64_t id,
    const struct store_lease_wish *wish, struct store_lease *lease)
{
	static const char text[] = "SELECT host, seq, CASE WHEN expires_at > "
	    NOW_MS " AND expires_at <= " NOW_MS " + ?3 THEN"
	    " CASE WHEN holder = ?2 THEN 2 ELSE 1 END ELSE 0 END"
	    " FROM response_context WHERE id = ?1";
	bool has_row = false;
	struct sql q;
	int64_t whose;
	enum oc_err err;

	err = wish->patience_ms >= 0 ? take_lease(s, id, wish) :
	    give_lease_back(s, id, wish);
	if (err != OC_OK)
		return err;
	sql_open(&q, s, "who leads", text);
	sql_put_int(&q, id);
	sql_put_blob(&q, wish->holder, STORE_HOLDER_LEN);
	sql_put_int(&q, wish->length_ms);
	err = sql_next(&q, &has_row);
	if (err == OC_OK && !has_row)
		err = store_fail(s, OC_ERR_NOT_FOUND, "the context is gone");
	if (err == OC_OK) {
		sql_get_text_fixed(&q, lease->host, sizeof(lease->host));
		lease->seq = sql_get_int(&q);
		whose = sql_get_int(&q);
		lease->is_held = whose != 0;
		lease->is_ours = whose == 2;
	}
	sql_close(&q);
	return err;
}

enum oc_err
store_share_seq(struct store *s, int64_t id, int64_t *seq)
{
	static const char text[] =
	    "SELECT seq FROM response_context WHERE id = ?";
	bool has_row = false;
	struct sql q;
	enum oc_err err;

	sql_open(&q, s, "what is new", text);
	sql_put_int(&q, id);
	err = sql_next(&q, &has_row);
	if (err == OC_OK && !has_row)
		err = store_fail(s, OC_ERR_NOT_FOUND, "the context is gone");
	if (err == OC_OK)
		*seq = sql_get_int(&q);
	sql_close(&q);
	return err;
}

/* --- arrays -------------------------------------------------------------- */

static void
put_u32(uint8_t **at, uint32_t value)
{
	for (int shift = 24; shift >= 0; shift -= 8)
		*(*at)++ = (uint8_t)(value >> shift);
}

static void
put_octets(uint8_t **at, const uint8_t *octets, size_t len)
{
	put_u32(at, (uint32_t)len);
	memcpy(*at, octets, len);
	*at += len;
}

static void
put_i64(uint8_t **at, int64_t value)
{
	put_u32(at, 8);
	put_u32(at, (uint32_t)((uint64_t)value >> 32));
	put_u32(at, (uint32_t)(uint64_t)value);
}

enum column { NAME, SEQ, CHANGE_SEQ, NEXT_UPDATE, BODY };

/* As PostgreSQL sends arrays (array_recv): dimensions, whether there are
 * NULLs, type; length and lower bound; each with its length in front. */
#define ARRAY_HEAD 20

static size_t
put_array(enum column column, const struct store_shared *rows, uint32_t num,
    uint8_t *out)
{
	uint8_t *at = out;

	put_u32(&at, 1);
	put_u32(&at, 0);
	put_u32(&at, column == NAME || column == BODY ? SQL_ELEMENT_BYTEA :
	    SQL_ELEMENT_INT8);
	put_u32(&at, num);
	put_u32(&at, 1);
	for (uint32_t i = 0; i < num; i++)
		switch (column) {
		case NAME:
			put_octets(&at, rows[i].name, rows[i].name_len);
			break;
		case SEQ:
			put_i64(&at, rows[i].seq);
			break;
		case CHANGE_SEQ:
			put_i64(&at, rows[i].change_seq);
			break;
		case NEXT_UPDATE:
			put_i64(&at, rows[i].next_update);
			break;
		case BODY:
			put_octets(&at, rows[i].body, rows[i].body_len);
			break;
		}
	return (size_t)(at - out);
}

/* Puts these columns; *room is for free(), once it has run. */
static enum oc_err
put_arrays(struct sql *q, const enum column *columns, size_t num_columns,
    const struct store_shared *rows, uint32_t num, uint8_t **room)
{
	uint8_t *at;

	at = *room = malloc(num_columns * (ARRAY_HEAD + (size_t)num *
	    (4 + STORE_SHARED_BODY_MAX)));
	if (at == NULL)
		return store_fail(q->store, OC_ERR_NOMEM, "out of memory");
	for (size_t i = 0; i < num_columns; i++) {
		size_t len = put_array(columns[i], rows, num, at);

		sql_put_array(q, columns[i] == NAME || columns[i] == BODY ?
		    SQL_ELEMENT_BYTEA : SQL_ELEMENT_INT8, at, len);
		at += len;
	}
	return OC_OK;
}

/* --- rows ---------------------------------------------------------------- */

enum oc_err
store_share_put(struct store *s, int64_t id, const struct store_shared *rows,
    uint32_t num, int64_t *seq)
{
	static const char text[] = "WITH context AS (UPDATE response_context"
	    " SET seq = seq + 1 WHERE id = ?1 RETURNING seq),"
	    " done AS (INSERT INTO response AS was (context_id, name, seq,"
	    " change_seq, next_update, body)"
	    " SELECT ?1, r.name, context.seq, r.change_seq, r.next_update,"
	    " r.body FROM context, unnest(?2, ?3, ?4, ?5)"
	    " AS r(name, change_seq, next_update, body)"
	    " ON CONFLICT (context_id, name) DO UPDATE SET"
	    " seq = excluded.seq, change_seq = excluded.change_seq,"
	    " next_update = excluded.next_update, body = excluded.body"
	    " WHERE excluded.change_seq > was.change_seq"
	    " OR (excluded.change_seq = was.change_seq"
	    " AND excluded.next_update > was.next_update))"
	    " SELECT seq FROM context";
	static const enum column columns[] = { NAME, CHANGE_SEQ, NEXT_UPDATE,
	    BODY };
	uint8_t *room = NULL;
	bool has_row = false;
	struct sql q;
	enum oc_err err;

	oc_assert(num > 0 && num <= STORE_SHARED_NUM_MAX);
	sql_open(&q, s, "share responses", text);
	sql_put_int(&q, id);
	err = put_arrays(&q, columns, 4, rows, num, &room);
	if (err == OC_OK)
		err = sql_next(&q, &has_row);
	if (err == OC_OK && !has_row)
		err = store_fail(s, OC_ERR_NOT_FOUND, "the context is gone");
	if (err == OC_OK)
		*seq = sql_get_int(&q);
	sql_close(&q);
	free(room);
	return err;
}

/* False: longer than can be, or empty. */
static bool
take_octets(struct store_blob blob, uint8_t *out, size_t max)
{
	if (blob.len == 0 || blob.len > max)
		return false;
	memcpy(out, blob.p, blob.len);
	return true;
}

/* name, seq, change_seq, next_update, body */
static void
take_row(struct sql *q, struct store_shared *row)
{
	struct store_blob name = sql_get_blob(q), body;
	bool is_good = take_octets(name, row->name, sizeof(row->name));

	row->seq = sql_get_int(q);
	row->change_seq = sql_get_int(q);
	row->next_update = sql_get_int(q);
	body = sql_get_blob(q);
	is_good = take_octets(body, row->body, sizeof(row->body)) && is_good;
	row->name_len = is_good ? (uint8_t)name.len : 0;
	row->body_len = is_good ? (uint16_t)body.len : 0;
}

/* Without the last seq's, of which there may be more. */
static uint32_t
whole_ones(const struct store_shared *rows, uint32_t num)
{
	uint32_t n = num;

	while (n > 0 && rows[n - 1].seq == rows[num - 1].seq)
		n--;
	return n > 0 ? n : num;
}

enum oc_err
store_share_read(struct store *s, int64_t id, int64_t seq,
    struct store_shared *rows, uint32_t num_max, uint32_t *num)
{
	static const char text[] = "SELECT name, seq, change_seq, next_update,"
	    " body FROM response WHERE context_id = ? AND seq > ?"
	    " ORDER BY seq LIMIT ?";
	bool has_row = true;
	uint32_t n = 0;
	struct sql q;
	enum oc_err err = OC_OK;

	oc_assert(num_max > STORE_SHARED_NUM_MAX);
	sql_open(&q, s, "take shared responses", text);
	sql_put_int(&q, id);
	sql_put_int(&q, seq);
	sql_put_int(&q, num_max);
	while (n < num_max) {
		err = sql_next(&q, &has_row);
		if (err != OC_OK || !has_row)
			break;
		take_row(&q, &rows[n++]);
	}
	sql_close(&q);
	if (err == OC_OK)
		*num = n == num_max ? whole_ones(rows, n) : n;
	return err;
}

static bool
has_name(const struct store_shared *row, struct store_blob name)
{
	return row->name_len == name.len &&
	    memcmp(row->name, name.p, name.len) == 0;
}

enum oc_err
store_share_find(struct store *s, int64_t id, struct store_shared *rows,
    uint32_t num)
{
	static const char text[] = "SELECT name, seq, change_seq, next_update,"
	    " body FROM response WHERE context_id = ? AND name = ANY(?)";
	static const enum column columns[] = { NAME };
	struct store_shared found;
	uint8_t *room = NULL;
	bool has_row = true;
	struct sql q;
	enum oc_err err;

	for (uint32_t i = 0; i < num; i++)
		rows[i].seq = 0;
	sql_open(&q, s, "look for shared responses", text);
	sql_put_int(&q, id);
	err = put_arrays(&q, columns, 1, rows, num, &room);
	while (err == OC_OK) {
		err = sql_next(&q, &has_row);
		if (err != OC_OK || !has_row)
			break;
		take_row(&q, &found);
		for (uint32_t i = 0; i < num; i++)
			if (has_name(&rows[i], (struct store_blob){
			    found.name, found.name_len }))
				rows[i] = found;
	}
	sql_close(&q);
	free(room);
	return err;
}

enum oc_err
store_share_drop(struct store *s, int64_t id, const struct store_shared *rows,
    uint32_t num)
{
	static const char text[] = "DELETE FROM response AS was USING"
	    " unnest(?2, ?3) AS r(name, seq) WHERE was.context_id = ?1"
	    " AND was.seq = r.seq AND was.name = r.name";
	static const enum column columns[] = { NAME, SEQ };
	uint8_t *room = NULL;
	struct sql q;
	enum oc_err err;

	sql_open(&q, s, "drop shared responses", text);
	sql_put_int(&q, id);
	err = put_arrays(&q, columns, 2, rows, num, &room);
	if (err == OC_OK)
		err = sql_run(&q);
	else
		sql_close(&q);
	free(room);
	return err;
}

enum oc_err
store_share_count(struct store *s, int64_t id, int64_t *num)
{
	static const char text[] =
	    "SELECT count(*) FROM response WHERE context_id = ?";
	bool has_row = false;
	struct sql q;
	enum oc_err err;

	sql_open(&q, s, "count shared responses", text);
	sql_put_int(&q, id);
	err = sql_next(&q, &has_row);
	if (err == OC_OK)
		*num = has_row ? sql_get_int(&q) : 0;
	sql_close(&q);
	return err;
}

/* --- what has ended ------------------------------------------------------ */

enum oc_err
store_share_prune(struct store *s, int64_t id, uint32_t num, int64_t *seq)
{
	/* Those of one seq are looked at together. */
	static const char text[] = "WITH part AS (SELECT seq FROM response"
	    " WHERE context_id = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3),"
	    " done AS (DELETE FROM response WHERE context_id = ?1"
	    " AND seq > ?2 AND seq <= (SELECT max(seq) FROM part)"
	    " AND (next_update < " NOW_MS " / 1000"
	    " OR next_update > " NOW_MS " / 1000 + " LIFE_MAX_S
	    " OR change_seq > (SELECT change_seq FROM store)))"
	    " SELECT coalesce(max(seq), 0) FROM part";
	bool has_row = false;
	struct sql q;
	enum oc_err err;

	sql_open(&q, s, "drop what has ended", text);
	sql_put_int(&q, id);
	sql_put_int(&q, *seq);
	sql_put_int(&q, num);
	err = sql_next(&q, &has_row);
	if (err == OC_OK)
		*seq = has_row ? sql_get_int(&q) : 0;
	sql_close(&q);
	return err;
}

enum oc_err
store_share_prune_contexts(struct store *s, uint32_t num)
{
	static const char rows[] = "DELETE FROM response"
	    " WHERE (context_id, name) IN (SELECT r.context_id, r.name"
	    " FROM response_context c JOIN response r ON r.context_id = c.id"
	    " WHERE c.expires_at < " NOW_MS " - " ABANDONED_MS
	    " AND c.expires_at > 0 LIMIT ?)";
	static const char contexts[] = "DELETE FROM response_context"
	    " WHERE expires_at < " NOW_MS " - " ABANDONED_MS
	    " AND expires_at > 0 AND NOT EXISTS (SELECT 1 FROM response"
	    " WHERE context_id = response_context.id)";
	struct sql q;
	enum oc_err err;

	sql_open(&q, s, "drop what nobody uses", rows);
	sql_put_int(&q, num);
	err = sql_run(&q);
	if (err != OC_OK)
		return err;
	sql_open(&q, s, "drop what nobody uses", contexts);
	return sql_run(&q);
}
