/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of ACME's orders. */
#include <stdio.h>
#include <string.h>

#include "store/sql.h"

static void
put_id(struct sql *q, int64_t id)
{
	if (id == 0)
		sql_put_null(q);
	else
		sql_put_int(q, id);
}

static enum oc_err
add_proofs(struct store *s, int64_t id, const struct store_order *order)
{
	static const char text[] =
	    "INSERT INTO acme_order_proof (proof_id, order_id) VALUES (?, ?)";
	enum oc_err err = OC_OK;

	for (uint32_t i = 0; err == OC_OK && i < order->num_authorizations;
	    i++) {
		struct sql q;

		sql_open(&q, s, "keep an order's proof", text);
		sql_put_int(&q, order->authorization_ids[i]);
		sql_put_int(&q, id);
		err = sql_run(&q);
	}
	return err;
}

enum oc_err
sql_add_order(struct store *s, const struct store_order *order, int64_t *id)
{
	static const char text[] = "INSERT INTO acme_order (id, tag,"
	    " acme_account_id, account_id, state, created_at, expires_at,"
	    " not_before, not_after, profile, names, replaces_id) VALUES ("
	    "(SELECT coalesce(max(id), 0) + 1 FROM acme_order),"
	    " ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id";
	struct sql q;
	int64_t added;
	enum oc_err err;

	sql_open(&q, s, "add an order", text);
	sql_put_text(&q, order->tag);
	sql_put_int(&q, order->acme_account_id);
	sql_put_int(&q, order->account_id);
	sql_put_int(&q, order->state);
	sql_put_int(&q, order->created_at);
	sql_put_int(&q, order->expires_at);
	sql_put_int(&q, order->not_before);
	sql_put_int(&q, order->not_after);
	sql_put_text(&q, order->profile);
	sql_put_text(&q, order->names);
	put_id(&q, order->replaces_id);
	err = sql_run(&q);
	if (err != OC_OK)
		return err;
	added = sql_last_id(s);
	err = add_proofs(s, added, order);
	if (err == OC_OK)
		*id = added;
	return err;
}

enum oc_err
sql_set_order(struct store *s, const struct store_order_row *row)
{
	static const char text[] = "UPDATE acme_order SET state = ?,"
	    " certificate_id = ?, problem = ?, run = ?, processing_at = ?"
	    " WHERE id = ?";
	struct sql q;

	sql_open(&q, s, "change an order", text);
	sql_put_int(&q, row->order.state);
	put_id(&q, row->order.certificate_id);
	sql_put_text(&q, row->order.problem);
	sql_put_int(&q, row->run);
	sql_put_int(&q, row->processing_at);
	sql_put_int(&q, row->order.id);
	return sql_run(&q);
}

/* --- one ---------------------------------------------------------------- */

#define SELECT_ORDER \
	"SELECT o.id, o.tag, o.acme_account_id, o.account_id, o.state," \
	" o.created_at, o.expires_at, o.not_before, o.not_after, o.profile," \
	" o.names, o.replaces_id, o.certificate_id, o.problem, o.run," \
	" o.processing_at, c.state, r.is_current FROM acme_order o" \
	" LEFT JOIN certificate c ON c.id = o.certificate_id" \
	" LEFT JOIN certificate_request r ON r.id = o.certificate_id"

static enum oc_err
read_order(struct sql *q, struct store_order_row *row)
{
	struct store_order *order = &row->order;
	enum oc_err err;

	order->id = sql_get_int(q);
	sql_get_text_fixed(q, order->tag, sizeof(order->tag));
	order->acme_account_id = sql_get_int(q);
	order->account_id = sql_get_int(q);
	order->state = (enum store_order_state)sql_get_int(q);
	order->created_at = sql_get_int(q);
	order->expires_at = sql_get_int(q);
	order->not_before = sql_get_int(q);
	order->not_after = sql_get_int(q);
	sql_get_text_fixed(q, order->profile, sizeof(order->profile));
	err = sql_take_text(q, &order->names);
	order->replaces_id = sql_get_int(q);	/* NULL reads as 0 */
	order->certificate_id = sql_get_int(q);
	sql_get_text_fixed(q, order->problem, sizeof(order->problem));
	row->run = sql_get_int(q);
	row->processing_at = sql_get_int(q);
	row->is_issued = sql_get_int(q) == STORE_ISSUED;
	row->is_asked = sql_get_int(q) != 0;
	return err;
}

static enum oc_err
read_proofs(struct store *s, struct store_order *order)
{
	static const char text[] = "SELECT proof_id FROM acme_order_proof"
	    " WHERE order_id = ? ORDER BY proof_id";
	struct sql q;
	bool has_row = false;
	enum oc_err err;

	sql_open(&q, s, "read an order's proofs", text);
	sql_put_int(&q, order->id);
	for (;;) {
		err = sql_next(&q, &has_row);
		if (err != OC_OK || !has_row)
			break;
		if (order->num_authorizations == STORE_NAMES_MAX) {
			err = store_fail(s, OC_ERR_STORE, "the records are "
			    "damaged: more than %d proofs of one order: "
			    "restore a backup", STORE_NAMES_MAX);
			break;
		}
		order->authorization_ids[order->num_authorizations++] =
		    sql_get_int(&q);
	}
	sql_close(&q);
	return err;
}

static enum oc_err
find_order(struct sql *q, struct store_order_row *row)
{
	struct store_order_row read = { .run = 0 };
	bool has_row = false;
	enum oc_err err;

	err = sql_next(q, &has_row);
	if (err == OC_OK && !has_row)
		err = store_fail(q->store, OC_ERR_NOT_FOUND,
		    "there is no such order");
	if (err == OC_OK)
		err = read_order(q, &read);
	sql_close(q);
	if (err == OC_OK)
		err = read_proofs(q->store, &read.order);
	if (err == OC_OK)
		*row = read;
	else
		store_order_fini(&read.order);
	return err;
}

enum oc_err
sql_find_order(struct store *s, enum store_order_by by, int64_t id,
    const char *tag, struct store_order_row *row)
{
	static const char by_id[] = SELECT_ORDER " WHERE o.id = ?";
	static const char by_tag[] = SELECT_ORDER " WHERE o.tag = ?";
	static const char by_certificate[] = SELECT_ORDER
	    " WHERE o.certificate_id = ? ORDER BY o.id DESC LIMIT 1";
	struct sql q;

	sql_open(&q, s, "find an order", by == STORE_ORDER_BY_ID ? by_id :
	    by == STORE_ORDER_BY_TAG ? by_tag : by_certificate);
	if (by == STORE_ORDER_BY_TAG)
		sql_put_text(&q, tag);
	else
		sql_put_int(&q, id);
	return find_order(&q, row);
}

enum oc_err
sql_find_waiting_order(struct store *s, int64_t proof_id, int64_t after_id,
    struct store_order_row *row)
{
	static const char text[] = SELECT_ORDER " WHERE o.id = (SELECT"
	    " w.order_id FROM acme_order_proof w JOIN acme_order v"
	    " ON v.id = w.order_id WHERE w.proof_id = ? AND w.order_id > ?"
	    " AND v.state IN (1, 2) ORDER BY w.order_id LIMIT 1)";
	struct sql q;

	sql_open(&q, s, "find an order that waits", text);
	sql_put_int(&q, proof_id);
	sql_put_int(&q, after_id);
	return find_order(&q, row);
}

/* --- lists, counts ------------------------------------------------------ */

enum oc_err
sql_list_orders(struct store *s, int64_t acme_account_id, int64_t before_id,
    uint32_t num_max, store_order_row_fn *fn, void *arg)
{
	static const char text[] = SELECT_ORDER " WHERE o.acme_account_id = ?"
	    " AND o.id < ? ORDER BY o.id DESC LIMIT ?";
	struct sql q;
	bool has_row = false;
	enum oc_err err;

	sql_open_once(&q, s, "list orders", text);
	sql_put_int(&q, acme_account_id);
	sql_put_int(&q, before_id == 0 ? INT64_MAX : before_id);
	sql_put_int(&q, num_max);
	for (;;) {
		struct store_order_row row = { .run = 0 };

		err = sql_next(&q, &has_row);
		if (err != OC_OK || !has_row)
			break;
		err = read_order(&q, &row);
		if (err == OC_OK)
			err = fn(arg, &row);
		store_order_fini(&row.order);
		if (err != OC_OK)
			break;
	}
	sql_close(&q);
	return err;
}

static enum oc_err
count(struct store *s, const char *text, int64_t id, int64_t at,
    int64_t *num)
{
	struct sql q;
	bool has_row = false;
	enum oc_err err;

	sql_open(&q, s, "count orders", text);
	sql_put_int(&q, id);
	sql_put_int(&q, at);
	err = sql_next(&q, &has_row);
	if (err == OC_OK)
		*num = has_row ? sql_get_int(&q) : 0;
	sql_close(&q);
	return err;
}

enum oc_err
sql_count_orders(struct store *s, int64_t account_id, int64_t since_at,
    int64_t *num)
{
	static const char text[] = "SELECT count(*) FROM acme_order"
	    " WHERE account_id = ? AND created_at >= ?";

	return count(s, text, account_id, since_at, num);
}

/* From the newest on, no further than that one.  The subquery is no EXISTS,
 * which PostgreSQL may answer from the whole of both tables. */
enum oc_err
sql_find_nth_order(struct store *s, int64_t account_id, const char *domain,
    int64_t since_at, int64_t num, int64_t *made_at)
{
	static const char text[] = "SELECT o.created_at FROM acme_order o"
	    " WHERE o.account_id = ? AND o.created_at >= ? AND (SELECT 1"
	    " FROM acme_order_proof w JOIN proof p ON p.id = w.proof_id"
	    " WHERE w.order_id = o.id AND '.' || p.name LIKE ? LIMIT 1)"
	    " IS NOT NULL ORDER BY o.created_at DESC LIMIT 1 OFFSET ?";
	char like[STORE_ZONE_NAME_MAX + 3];
	struct sql q;
	bool has_row = false;
	enum oc_err err;

	snprintf(like, sizeof(like), "%%%s", domain);
	sql_open(&q, s, "look for an order of a zone", text);
	sql_put_int(&q, account_id);
	sql_put_int(&q, since_at);
	sql_put_text(&q, like);
	sql_put_int(&q, num - 1);
	err = sql_next(&q, &has_row);
	if (err == OC_OK)
		*made_at = has_row ? sql_get_int(&q) : 0;
	sql_close(&q);
	return err;
}

enum oc_err
sql_count_unproved(struct store *s, int64_t order_id, int64_t now_at,
    int64_t *num)
{
	static const char text[] = "SELECT count(*) FROM acme_order_proof w"
	    " JOIN proof p ON p.id = w.proof_id WHERE w.order_id = ?"
	    " AND NOT (p.state = 2 AND p.expires_at > ?)";

	return count(s, text, order_id, now_at, num);
}

enum oc_err
sql_count_replacing(struct store *s, int64_t certificate_id, int64_t now_at,
    int64_t *num)
{
	static const char text[] = "SELECT count(*) FROM acme_order"
	    " WHERE replaces_id = ? AND (state IN (3, 4)"
	    " OR (state IN (1, 2) AND expires_at > ?))";

	return count(s, text, certificate_id, now_at, num);
}

/* --- the end ------------------------------------------------------------ */

/* Not the newest, so that its number does not come again. */
enum oc_err
sql_list_ended_orders(struct store *s, int64_t before_at, uint32_t num_max,
    struct store_ended *ended, uint32_t *num)
{
	static const char text[] = "SELECT id, expires_at FROM acme_order"
	    " WHERE certificate_id IS NULL AND expires_at < ?"
	    " AND id < (SELECT max(id) FROM acme_order)"
	    " ORDER BY expires_at LIMIT ?";
	struct sql q;
	bool has_row = false;
	enum oc_err err;

	*num = 0;
	sql_open(&q, s, "list orders that ended", text);
	sql_put_int(&q, before_at);
	sql_put_int(&q, num_max);
	for (;;) {
		err = sql_next(&q, &has_row);
		if (err != OC_OK || !has_row || *num == num_max)
			break;
		ended[*num].id = sql_get_int(&q);
		ended[*num].expires_at = sql_get_int(&q);
		ended[(*num)++].is_kept = false;
	}
	sql_close(&q);
	return err;
}

enum oc_err
sql_remove_order(struct store *s, int64_t id)
{
	static const char proofs[] =
	    "DELETE FROM acme_order_proof WHERE order_id = ?";
	static const char text[] = "DELETE FROM acme_order WHERE id = ?";
	struct sql q;
	enum oc_err err;

	sql_open(&q, s, "remove an order's proofs", proofs);
	sql_put_int(&q, id);
	err = sql_run(&q);
	if (err != OC_OK)
		return err;
	sql_open(&q, s, "remove an order", text);
	sql_put_int(&q, id);
	return sql_run(&q);
}
