/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of zones. */
#include "store/sql.h"

#define SELECT_ZONE \
	"SELECT id, tag, name, account_id, state, created_at FROM zone"

enum oc_err
sql_add_zone(struct store *s, const struct store_zone *zone, int64_t *id)
{
	static const char text[] = "INSERT INTO zone (id, tag, name,"
	    " account_id, state, created_at) VALUES ("
	    "(SELECT coalesce(max(id), 0) + 1 FROM zone), ?, ?, ?, ?, ?)"
	    " RETURNING id";
	struct sql q;
	enum oc_err err;

	sql_open(&q, s, "add a zone", text);
	sql_put_text(&q, zone->tag);
	sql_put_text(&q, zone->name);
	sql_put_int(&q, zone->account_id);
	sql_put_int(&q, zone->state);
	sql_put_int(&q, zone->created_at);
	err = sql_run(&q);
	if (err == OC_OK)
		*id = sql_last_id(s);
	return err;
}

enum oc_err
sql_set_zone_state(struct store *s, int64_t id,
    enum store_zone_state state)
{
	static const char text[] = "UPDATE zone SET state = ? WHERE id = ?";
	struct sql q;

	sql_open(&q, s, "change a zone", text);
	sql_put_int(&q, state);
	sql_put_int(&q, id);
	return sql_run(&q);
}

static void
read_zone(struct sql *q, struct store_zone *zone)
{
	zone->id = sql_get_int(q);
	sql_get_text_fixed(q, zone->tag, sizeof(zone->tag));
	sql_get_text_fixed(q, zone->name, sizeof(zone->name));
	zone->account_id = sql_get_int(q);
	zone->state = (enum store_zone_state)sql_get_int(q);
	zone->created_at = sql_get_int(q);
}

static enum oc_err
find_zone(struct sql *q, struct store_zone *zone)
{
	bool has_row = false;
	enum oc_err err;

	err = sql_next(q, &has_row);
	if (err == OC_OK && !has_row)
		err = store_fail(q->store, OC_ERR_NOT_FOUND,
		    "there is no such zone");
	if (err == OC_OK)
		read_zone(q, zone);
	sql_close(q);
	return err;
}

enum oc_err
sql_find_zone(struct store *s, enum store_zone_by by, int64_t id,
    const char *text, struct store_zone *zone)
{
	static const char by_id[] = SELECT_ZONE " WHERE id = ?";
	static const char by_name[] =
	    SELECT_ZONE " WHERE name = ? AND state <> 3";
	static const char by_tag[] =
	    SELECT_ZONE " WHERE tag = ? AND state <> 3";
	struct sql q;

	if (by == STORE_ZONE_BY_ID) {
		sql_open(&q, s, "read a zone", by_id);
		sql_put_int(&q, id);
	} else {
		sql_open(&q, s, "find a zone",
		    by == STORE_ZONE_BY_NAME ? by_name : by_tag);
		sql_put_text(&q, text);
	}
	return find_zone(&q, zone);
}

enum oc_err
sql_find_zone_inside(struct store *s, const char *name, int64_t account_id,
    struct store_zone *zone)
{
	static const char text[] = SELECT_ZONE " WHERE state <> 3"
	    " AND account_id <> ?1"
	    " AND length(name) > length(?2)"
	    " AND substr(name, length(name) - length(?2)) = '.' || ?2"
	    " ORDER BY name LIMIT 1";
	struct sql q;

	sql_open(&q, s, "find a zone inside", text);
	sql_put_int(&q, account_id);
	sql_put_text(&q, name);
	return find_zone(&q, zone);
}

enum oc_err
sql_list_zones(struct store *s, int64_t account_id, store_zone_fn *fn,
    void *arg)
{
	struct store_zone zone;
	struct sql q;
	bool has_row = false;
	enum oc_err err;

	sql_open_once(&q, s, "list zones", account_id == 0 ?
	    SELECT_ZONE " WHERE state <> 3 ORDER BY name" :
	    SELECT_ZONE " WHERE state <> 3 AND account_id = ? ORDER BY name");
	if (account_id != 0)
		sql_put_int(&q, account_id);
	for (;;) {
		err = sql_next(&q, &has_row);
		if (err != OC_OK || !has_row)
			break;
		read_zone(&q, &zone);
		err = fn(arg, &zone);
		if (err != OC_OK)
			break;
	}
	sql_close(&q);
	return err;
}
