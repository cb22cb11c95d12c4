/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of issuers and of their CRLs. */
#include "store/sql.h"

enum oc_err
sql_find_issuer(struct store *s, const char *name,
    struct store_issuer *issuer, struct store_issuer_key *key)
{
	static const char text[] = "SELECT id, name, spki_hash, certificate"
	    " FROM issuer WHERE name = ?";
	struct store_issuer read = { 0 };
	struct store_issuer_key read_key;
	struct sql q;
	bool has_row = false;
	enum oc_err err;

	sql_open(&q, s, "find the issuer", text);
	sql_put_text(&q, name);
	err = sql_next(&q, &has_row);
	if (err == OC_OK && !has_row)
		err = store_fail(s, OC_ERR_NOT_FOUND, "there is no issuer %s",
		    name);
	if (err == OC_OK) {
		read.id = read_key.id = sql_get_int(&q);
		sql_get_text_fixed(&q, read.name, sizeof(read.name));
		err = sql_get_hash(&q, read_key.spki_hash);
	}
	if (err == OC_OK)
		err = sql_take_blob(&q, &read.certificate,
		    &read.certificate_len);
	sql_close(&q);
	if (err != OC_OK)
		return err;
	*issuer = read;
	*key = read_key;
	return OC_OK;
}

enum oc_err
sql_find_issuer_name(struct store *s, int64_t id,
    char name[OC_CONFIG_NAME_MAX + 1])
{
	static const char text[] = "SELECT name FROM issuer WHERE id = ?";
	struct sql q;
	bool has_row = false;
	enum oc_err err;

	sql_open(&q, s, "find the issuer", text);
	sql_put_int(&q, id);
	err = sql_next(&q, &has_row);
	if (err == OC_OK && !has_row)
		err = store_fail(s, OC_ERR_NOT_FOUND,
		    "there is no issuer with id %lld", (long long)id);
	if (err == OC_OK)
		sql_get_text_fixed(&q, name, OC_CONFIG_NAME_MAX + 1);
	sql_close(&q);
	return err;
}

enum oc_err
sql_add_issuer(struct store *s, const char *name,
    struct store_blob certificate, const uint8_t spki_hash[STORE_HASH_LEN],
    int64_t *id)
{
	static const char text[] = "INSERT INTO issuer"
	    " (id, name, spki_hash, certificate) VALUES ("
	    "(SELECT coalesce(max(id), 0) + 1 FROM issuer), ?, ?, ?)"
	    " RETURNING id";
	struct sql q;
	enum oc_err err;

	sql_open(&q, s, "add the issuer", text);
	sql_put_text(&q, name);
	sql_put_blob(&q, spki_hash, STORE_HASH_LEN);
	sql_put_blob(&q, certificate.p, certificate.len);
	err = sql_run(&q);
	if (err == OC_OK)
		*id = sql_last_id(s);
	return err;
}

enum oc_err
sql_renew_issuer(struct store *s, int64_t id,
    struct store_blob certificate)
{
	static const char text[] =
	    "UPDATE issuer SET certificate = ? WHERE id = ?";
	struct sql q;

	sql_open(&q, s, "renew the issuer", text);
	sql_put_blob(&q, certificate.p, certificate.len);
	sql_put_int(&q, id);
	return sql_run(&q);
}

/* --- CRLs --------------------------------------------------------------- */

enum oc_err
sql_take_crl_counter(struct store *s, int64_t issuer_id, uint32_t *counter)
{
	/* The rows are in the journal; the counter is not believed alone. */
	static const char add[] = "UPDATE issuer SET crl_counter = 1 +"
	    " (SELECT max(n) FROM (SELECT crl_counter AS n UNION ALL"
	    " SELECT number & 4294967295 FROM crl"
	    " WHERE issuer_id = ?1 AND number >> 32 = ?2) AS known)"
	    " WHERE id = ?1";
	static const char look[] =
	    "SELECT crl_counter FROM issuer WHERE id = ?";
	struct sql q;
	int64_t value = 0;
	bool has_row = false;
	enum oc_err err;

	sql_open(&q, s, "next CRL number", add);
	sql_put_int(&q, issuer_id);
	sql_put_int(&q, s->epoch);
	err = sql_run(&q);
	if (err != OC_OK)
		return err;
	sql_open(&q, s, "next CRL number", look);
	sql_put_int(&q, issuer_id);
	err = sql_next(&q, &has_row);
	if (err == OC_OK && has_row)
		value = sql_get_int(&q);
	sql_close(&q);
	if (err != OC_OK)
		return err;
	if (value <= 0 || value > UINT32_MAX)
		return store_fail(s, OC_ERR_LIMIT,
		    "there is no CRL number left in this epoch");
	*counter = (uint32_t)value;
	return OC_OK;
}

enum oc_err
sql_add_crl(struct store *s, const struct store_crl_row *row, int64_t *id)
{
	static const char text[] = "INSERT INTO crl (id, issuer_id, number,"
	    " this_update, next_update, reserved_at, crl_partition,"
	    " base_number, change_seq, point) VALUES ("
	    "(SELECT coalesce(max(id), 0) + 1 FROM crl), ?, ?, ?, ?, ?, ?, ?,"
	    " ?, ?) RETURNING id";
	struct sql q;
	enum oc_err err;

	sql_open(&q, s, "reserve a CRL", text);
	sql_put_int(&q, row->issuer_id);
	sql_put_int(&q, (int64_t)row->number);
	sql_put_int(&q, row->this_update);
	sql_put_int(&q, row->next_update);
	sql_put_int(&q, row->reserved_at);
	sql_put_int(&q, row->partition);
	sql_put_int(&q, (int64_t)row->base_number);
	sql_put_int(&q, row->change_seq);
	sql_put_text(&q, row->point);
	err = sql_run(&q);
	if (err == OC_OK)
		*id = sql_last_id(s);
	return err;
}

static void
read_crl(struct sql *q, struct store_crl_row *row)
{
	row->id = sql_get_int(q);
	row->issuer_id = sql_get_int(q);
	sql_get_text_fixed(q, row->issuer, sizeof(row->issuer));
	row->number = (uint64_t)sql_get_int(q);
	row->this_update = sql_get_int(q);
	row->next_update = sql_get_int(q);
	row->reserved_at = sql_get_int(q);
	row->is_issued = sql_get_int(q) != 0;
	row->crl_len = (uint64_t)sql_get_int(q);
	row->partition = (uint32_t)sql_get_int(q);
	row->base_number = (uint64_t)sql_get_int(q);
	row->change_seq = sql_get_int(q);
	sql_get_text_fixed(q, row->point, sizeof(row->point));
	row->num_entries = sql_get_int(q);
}

static enum oc_err
find_crl_row(struct sql *q, struct store_crl_row *row)
{
	struct store_crl_row read = { 0 };
	bool has_row = false;
	enum oc_err err;

	err = sql_next(q, &has_row);
	if (err == OC_OK && !has_row)
		err = store_fail(q->store, OC_ERR_NOT_FOUND,
		    "there is no such CRL");
	if (err == OC_OK) {
		read_crl(q, &read);
		*row = read;
	}
	sql_close(q);
	return err;
}

#define SELECT_CRL \
	"SELECT r.id, r.issuer_id, i.name, r.number, r.this_update," \
	" r.next_update, r.reserved_at, r.issued_at, r.der_len," \
	" r.crl_partition, r.base_number, r.change_seq, r.point," \
	" r.num_entries" \
	" FROM crl r JOIN issuer i ON i.id = r.issuer_id"

enum oc_err
sql_get_crl(struct store *s, int64_t id, struct store_crl_row *row)
{
	static const char text[] = SELECT_CRL " WHERE r.id = ?";
	struct sql q;

	sql_open(&q, s, "read a CRL", text);
	sql_put_int(&q, id);
	return find_crl_row(&q, row);
}

enum oc_err
sql_set_crl_issued(struct store *s, int64_t id, int64_t issued_at,
    uint64_t crl_len, int64_t num_entries)
{
	static const char text[] = "UPDATE crl SET issued_at = ?,"
	    " der_len = ?, num_entries = ? WHERE id = ?";
	struct sql q;

	sql_open(&q, s, "issue a CRL", text);
	sql_put_int(&q, issued_at);
	sql_put_int(&q, (int64_t)crl_len);
	sql_put_int(&q, num_entries);
	sql_put_int(&q, id);
	return sql_run(&q);
}

enum oc_err
sql_add_crl_part(struct store *s, int64_t id, uint32_t number,
    struct store_blob part)
{
	static const char text[] = "INSERT INTO crl_part (id, crl_id, number,"
	    " der) VALUES ((SELECT coalesce(max(id), 0) + 1 FROM crl_part),"
	    " ?, ?, ?)";
	struct sql q;

	sql_open(&q, s, "issue a CRL", text);
	sql_put_int(&q, id);
	sql_put_int(&q, number);
	sql_put_blob(&q, part.p, part.len);
	return sql_run(&q);
}

enum oc_err
sql_list_crl_parts(struct store *s, int64_t id, store_crl_part_fn *fn,
    void *arg)
{
	static const char text[] = "SELECT number, der FROM crl_part"
	    " WHERE crl_id = ? ORDER BY number";
	struct sql q;
	bool has_row = false;
	enum oc_err err;

	sql_open_walk(&q, s, "read a CRL", text);
	sql_put_int(&q, id);
	while ((err = sql_next(&q, &has_row)) == OC_OK && has_row) {
		uint32_t number = (uint32_t)sql_get_int(&q);

		err = fn(arg, number, sql_get_blob(&q));
		if (err != OC_OK)
			break;
	}
	sql_close(&q);
	return err;
}

enum oc_err
sql_find_crl(struct store *s, const struct store_crl_scope *scope,
    struct store_crl_row *row)
{
	static const char text[] = SELECT_CRL
	    " WHERE r.issuer_id = ? AND r.crl_partition = ?"
	    " AND (r.base_number <> 0) = (? <> 0) AND r.issued_at <> 0"
	    " ORDER BY r.number DESC LIMIT 1";
	struct sql q;

	sql_open(&q, s, "find a CRL", text);
	sql_put_int(&q, scope->issuer_id);
	sql_put_int(&q, scope->partition);
	sql_put_int(&q, scope->kind == STORE_CRL_DELTA);
	return find_crl_row(&q, row);
}

/* Of its kind, and not issued: none before the newest that is. */
enum oc_err
sql_find_reserved_crl(struct store *s, const struct store_crl_scope *scope,
    struct store_crl_row *row)
{
	static const char text[] = SELECT_CRL
	    " WHERE r.issuer_id = ? AND r.crl_partition = ?"
	    " AND (r.base_number <> 0) = (? <> 0) AND r.issued_at = 0"
	    " AND r.number > coalesce((SELECT n.number FROM crl n"
	    " WHERE n.issuer_id = ? AND n.crl_partition = ?"
	    " AND (n.base_number <> 0) = (? <> 0)"
	    " AND n.issued_at <> 0 ORDER BY n.number DESC LIMIT 1), 0)"
	    " ORDER BY r.number DESC, r.id DESC LIMIT 1";
	struct sql q;

	sql_open(&q, s, "find a CRL", text);
	for (int i = 0; i < 2; i++) {
		sql_put_int(&q, scope->issuer_id);
		sql_put_int(&q, scope->partition);
		sql_put_int(&q, scope->kind == STORE_CRL_DELTA);
	}
	return find_crl_row(&q, row);
}

enum oc_err
sql_find_crl_base(struct store *s, const struct store_crl_scope *scope,
    const char *point, int64_t now_at, struct store_crl_row *row)
{
	static const char text[] = SELECT_CRL
	    " WHERE r.issuer_id = ? AND r.crl_partition = ?"
	    " AND r.next_update > ? AND r.point = ? AND r.base_number = 0"
	    " AND r.issued_at <> 0 AND r.change_seq >= 0"
	    " ORDER BY r.number LIMIT 1";
	struct sql q;

	sql_open(&q, s, "find a CRL", text);
	sql_put_int(&q, scope->issuer_id);
	sql_put_int(&q, scope->partition);
	sql_put_int(&q, now_at);
	sql_put_text(&q, point);
	return find_crl_row(&q, row);
}

/* --- what CRLs are made of ---------------------------------------------- */

static enum oc_err
read_revoked(struct sql *q, int64_t issuer_id, store_revoked_fn *fn,
    void *arg)
{
	struct store_revocation r = { .issuer_id = issuer_id };
	bool has_row = false;
	enum oc_err err;

	while ((err = sql_next(q, &has_row)) == OC_OK && has_row) {
		err = sql_get_serial(q, &r.serial);
		if (err != OC_OK)
			break;
		r.reason = (enum crl_reason)sql_get_int(q);
		r.revoked_at = sql_get_int(q);
		r.invalidity_at = sql_get_int(q);
		err = fn(arg, &r);
		if (err != OC_OK)
			break;
	}
	sql_close(q);
	return err;
}

enum oc_err
sql_list_revoked(struct store *s, const struct store_revoked_filter *filter,
    store_revoked_fn *fn, void *arg)
{
	/* Signs keep it to the index that has all of it, and that order. */
	static const char full[] = "SELECT serial, reason, revoked_at,"
	    " invalidity_at FROM certificate"
	    " WHERE issuer_id = ? AND crl_partition = ?"
	    " AND (+not_after >= ? OR +change_seq > ?)"
	    " AND revoked_at IS NOT NULL"
	    " ORDER BY length(serial), serial";
	/* And those that are few to the one by change_seq. */
	static const char delta[] = "SELECT serial, reason, revoked_at,"
	    " invalidity_at FROM certificate"
	    " WHERE issuer_id = ? AND crl_partition = ? AND change_seq > ?"
	    " AND revoked_at IS NOT NULL"
	    " ORDER BY length(serial) + 0, serial";
	bool is_delta = filter->not_after_min == INT64_MAX;
	struct sql q;

	sql_open_walk(&q, s, "list revoked certificates",
	    is_delta ? delta : full);
	sql_put_int(&q, filter->issuer_id);
	sql_put_int(&q, filter->partition);
	if (!is_delta)
		sql_put_int(&q, filter->not_after_min);
	sql_put_int(&q, filter->after_seq);
	return read_revoked(&q, filter->issuer_id, fn, arg);
}

enum oc_err
sql_list_released(struct store *s, const struct store_revoked_filter *filter,
    store_revoked_fn *fn, void *arg)
{
	static const char text[] = "SELECT serial, 8, 0, 0 FROM certificate"
	    " WHERE issuer_id = ? AND crl_partition = ? AND released_seq > ?"
	    " AND released_seq <> 0 AND revoked_at IS NULL"
	    " ORDER BY length(serial), serial";
	struct sql q;

	sql_open_walk(&q, s, "list released certificates", text);
	sql_put_int(&q, filter->issuer_id);
	sql_put_int(&q, filter->partition);
	sql_put_int(&q, filter->after_seq);
	return read_revoked(&q, filter->issuer_id, fn, arg);
}

enum oc_err
sql_find_status_change(struct store *s,
    const struct store_revoked_filter *filter, bool *is_there)
{
	static const char text[] = "SELECT EXISTS (SELECT 1 FROM certificate"
	    " WHERE issuer_id = ?2 AND crl_partition = ?3"
	    " AND change_seq > ?1 AND revoked_at IS NOT NULL)"
	    " OR EXISTS (SELECT 1 FROM certificate"
	    " WHERE issuer_id = ?2 AND crl_partition = ?3"
	    " AND released_seq > ?1 AND released_seq <> 0)";
	struct sql q;
	bool has_row = false;
	enum oc_err err;

	sql_open(&q, s, "look for revoked certificates", text);
	sql_put_int(&q, filter->after_seq);
	sql_put_int(&q, filter->issuer_id);
	sql_put_int(&q, filter->partition);
	err = sql_next(&q, &has_row);
	if (err == OC_OK)
		*is_there = has_row && sql_get_int(&q) != 0;
	sql_close(&q);
	return err;
}

enum oc_err
sql_list_touched(struct store *s, int64_t issuer_id, int64_t after_seq,
    int64_t upto_seq, store_touched_fn *fn, void *arg)
{
	static const char text[] = "SELECT +crl_partition, max(change_seq)"
	    " FROM certificate WHERE change_seq > ? AND change_seq <= ?"
	    " AND +issuer_id = ?"
	    " AND (+revoked_at IS NOT NULL OR +released_seq > 0)"
	    " GROUP BY 1";
	struct sql q;
	bool has_row = false;
	uint32_t partition;
	enum oc_err err;

	sql_open(&q, s, "look for revoked certificates", text);
	sql_put_int(&q, after_seq);
	sql_put_int(&q, upto_seq);
	sql_put_int(&q, issuer_id);
	while ((err = sql_next(&q, &has_row)) == OC_OK && has_row) {
		partition = (uint32_t)sql_get_int(&q);
		fn(arg, partition, sql_get_int(&q));
	}
	sql_close(&q);
	return err;
}

enum oc_err
sql_find_last_partition(struct store *s, int64_t issuer_id,
    uint32_t *partition)
{
	static const char text[] = "SELECT coalesce(max(crl_partition), 0)"
	    " FROM certificate WHERE issuer_id = ? AND crl_partition <> 0";
	struct sql q;
	bool has_row = false;
	enum oc_err err;

	sql_open(&q, s, "look for partitions", text);
	sql_put_int(&q, issuer_id);
	err = sql_next(&q, &has_row);
	if (err == OC_OK)
		*partition = has_row ? (uint32_t)sql_get_int(&q) : 0;
	sql_close(&q);
	return err;
}
