/* SPDX-License-Identifier: Apache-2.0 */
/* ACME's orders: from pending to a certificate, whoever dies meanwhile. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "store/backend.h"
#include "store/detail.h"

void
store_order_fini(struct store_order *order)
{
	free(order->names);
	memset(order, 0, sizeof(*order));
}

/* --- a new one ---------------------------------------------------------- */

static enum oc_err
check_order(struct store *s, const struct store_order *order)
{
	size_t len;
	enum oc_err err;

	if (order->names == NULL)
		return store_fail(s, OC_ERR_MALFORMED,
		    "an order is for names");
	len = strnlen(order->names, STORE_HOSTNAMES_MAX + 1);
	if (len > STORE_HOSTNAMES_MAX)
		return store_fail(s, OC_ERR_LIMIT, "an order's names have "
		    "more than %d octets", STORE_HOSTNAMES_MAX);
	err = store_check_line(s, "the names", order->names,
	    STORE_HOSTNAMES_MAX);
	if (err == OC_OK)
		err = store_check_line(s, "the profile's name",
		    order->profile, OC_CONFIG_NAME_MAX);
	if (err != OC_OK)
		return err;
	if (order->num_authorizations == 0 ||
	    order->num_authorizations > STORE_NAMES_MAX)
		return store_fail(s, OC_ERR_LIMIT, "an order has 1 to %d "
		    "authorizations", STORE_NAMES_MAX);
	return OC_OK;
}

static int
compare_ids(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* Ascending, as they are read back, and each once. */
static enum oc_err
sort_proofs(struct store *s, struct store_order *order)
{
	qsort(order->authorization_ids, order->num_authorizations,
	    sizeof(order->authorization_ids[0]), compare_ids);
	for (uint32_t i = 1; i < order->num_authorizations; i++)
		if (order->authorization_ids[i - 1] ==
		    order->authorization_ids[i])
			return store_fail(s, OC_ERR_MALFORMED,
			    "an order has an authorization twice");
	return OC_OK;
}

/* Inside a change: theirs, and none of them over. */
static enum oc_err
check_proofs(struct store *s, struct store_order *order)
{
	uint32_t num_valid = 0;

	for (uint32_t i = 0; i < order->num_authorizations; i++) {
		struct store_authorization a;
		enum oc_err err;

		err = s->ops->find_proof(s, STORE_PROOF_BY_ID,
		    order->authorization_ids[i], NULL, &a);
		if (err == OC_ERR_NOT_FOUND ||
		    (err == OC_OK && a.account_id != order->account_id))
			return store_fail(s, OC_ERR_NOT_FOUND, "the account "
			    "has no such authorization");
		if (err != OC_OK)
			return err;
		if (a.expires_at <= order->created_at ||
		    (a.state != STORE_PROOF_PENDING &&
		    a.state != STORE_PROOF_VALID))
			return store_fail(s, OC_ERR_MISMATCH, "the proof of "
			    "%s is over", a.name);
		num_valid += a.state == STORE_PROOF_VALID;
	}
	order->state = num_valid == order->num_authorizations ?
	    STORE_ORDER_READY : STORE_ORDER_PENDING;
	return OC_OK;
}

/* Inside a change. */
static enum oc_err
check_replaces(struct store *s, const struct store_order *order)
{
	int64_t num = 0;
	enum oc_err err;

	if (order->replaces_id == 0)
		return OC_OK;
	err = s->ops->count_replacing(s, order->replaces_id,
	    order->created_at, &num);
	if (err == OC_OK && num > 0)
		err = store_fail(s, OC_ERR_EXISTS, "certificate %lld has an "
		    "order that replaces it", (long long)order->replaces_id);
	return err;
}

/* Inside a change. */
static enum oc_err
add(struct store *s, struct store_order *order)
{
	enum oc_err err = check_proofs(s, order);

	if (err == OC_OK)
		err = check_replaces(s, order);
	if (err == OC_OK)
		err = s->ops->add_order(s, order, &order->id);
	return err == OC_OK ? store_add_order_entry(s, order) : err;
}

/* names stays the caller's. */
enum oc_err
store_add_order(struct store *store, struct store_order *order)
{
	struct store_order added = *order;
	enum oc_err err;

	added.id = added.certificate_id = 0;
	added.problem[0] = '\0';
	added.created_at = oc_clock_now_s();
	err = check_order(store, &added);
	if (err == OC_OK)
		err = sort_proofs(store, &added);
	if (err == OC_OK)
		err = store_new_tag(store, added.tag);
	if (err == OC_OK)
		err = store_begin_change(store);
	if (err != OC_OK)
		return err;
	err = store_end_change(store, add(store, &added));
	if (err == OC_OK)
		*order = added;
	return err;
}

/* --- how it stands ------------------------------------------------------ */

/* Who processes it is gone, or was too slow. */
static bool
is_left(struct store *s, const struct store_order_row *row, int64_t now)
{
	return row->order.state == STORE_ORDER_PROCESSING &&
	    !row->is_issued && (row->processing_at <= now - STORE_PENDING_S ||
	    s->ops->is_run_over(s, row->run));
}

/* As it is said to be: what was left behind is where it was. */
static void
show(struct store *s, struct store_order_row *row)
{
	if (is_left(s, row, oc_clock_now_s())) {
		row->order.state = STORE_ORDER_READY;
		row->order.certificate_id = 0;
	}
}

static enum oc_err
find_shown(struct store *s, enum store_order_by by, int64_t id,
    const char *tag, struct store_order *order)
{
	struct store_order_row row = { .run = 0 };
	enum oc_err err = s->ops->find_order(s, by, id, tag, &row);

	/* It may have been done, and who did it ended, since that was read. */
	if (err == OC_OK && is_left(s, &row, oc_clock_now_s())) {
		store_order_fini(&row.order);
		row = (struct store_order_row){ .run = 0 };
		err = s->ops->find_order(s, by, id, tag, &row);
	}
	if (err != OC_OK)
		return err;
	show(s, &row);
	*order = row.order;
	return OC_OK;
}

enum oc_err
store_find_order(struct store *store, const char *tag,
    struct store_order *order)
{
	return find_shown(store, STORE_ORDER_BY_TAG, 0, tag, order);
}

enum oc_err
store_find_order_of(struct store *store, int64_t certificate_id,
    struct store_order *order)
{
	return find_shown(store, STORE_ORDER_BY_CERTIFICATE, certificate_id,
	    NULL, order);
}

struct walk {
	struct store *store;
	store_order_fn *fn;
	void *arg;
};

static enum oc_err
show_row(void *arg, struct store_order_row *row)
{
	struct walk *w = arg;

	show(w->store, row);
	return w->fn(w->arg, &row->order);
}

enum oc_err
store_list_orders(struct store *store, int64_t acme_account_id,
    int64_t before_id, uint32_t num_max, store_order_fn *fn, void *arg)
{
	struct walk w = { store, fn, arg };

	return store->ops->list_orders(store, acme_account_id, before_id,
	    num_max, show_row, &w);
}

enum oc_err
store_count_orders(struct store *store, int64_t account_id, int64_t since_at,
    int64_t *num)
{
	return store->ops->count_orders(store, account_id, since_at, num);
}

enum oc_err
store_find_nth_order(struct store *store, int64_t account_id,
    const char *domain, int64_t since_at, int64_t num, int64_t *made_at)
{
	return store->ops->find_nth_order(store, account_id, domain,
	    since_at, num, made_at);
}

/* --- steps -------------------------------------------------------------- */

/* Inside a change. */
static enum oc_err
keep(struct store *s, const struct store_order_row *row)
{
	enum oc_err err = s->ops->set_order(s, row);

	return err == OC_OK ? store_add_order_entry(s, &row->order) : err;
}

static enum oc_err
refuse(struct store *s, const struct store_order_row *row, const char *why)
{
	return store_fail(s, OC_ERR_MISMATCH, "order %s %s", row->order.tag,
	    why);
}

/* Inside a change: what was reserved for it, nobody may record any more. */
static enum oc_err
give_up(struct store *s, struct store_order_row *row)
{
	int64_t id = row->order.certificate_id;

	row->order.certificate_id = 0;
	return id != 0 && !row->is_issued && row->is_asked ?
	    store_end_request(s, id) : OC_OK;
}

typedef enum oc_err step_fn(struct store *s, struct store_order_row *row,
    const void *arg);

/* Inside a change. */
static enum oc_err
find_and_step(struct store *s, int64_t id, step_fn *step, const void *arg)
{
	struct store_order_row row = { .run = 0 };
	enum oc_err err;

	err = s->ops->find_order(s, STORE_ORDER_BY_ID, id, NULL, &row);
	if (err == OC_OK)
		err = step(s, &row, arg);
	store_order_fini(&row.order);
	return err;
}

static enum oc_err
change(struct store *s, int64_t id, step_fn *step, const void *arg)
{
	enum oc_err err = store_begin_change(s);

	if (err != OC_OK)
		return err;
	return store_end_change(s, find_and_step(s, id, step, arg));
}

/* Inside a change: it may have been ended since somebody asked. */
static enum oc_err
check_owner(struct store *s, const struct store_order_row *row)
{
	struct store_acme_account owner;
	enum oc_err err = s->ops->find_acme_account(s, STORE_ACME_BY_ID,
	    row->order.acme_account_id, NULL, &owner);

	return err == OC_OK && owner.state != STORE_ACME_VALID ?
	    refuse(s, row, "is of an account that is over") : err;
}

static enum oc_err
process(struct store *s, struct store_order_row *row, const void *arg)
{
	int64_t now = *(const int64_t *)arg, num = 0;
	enum oc_err err;

	if (row->order.state != STORE_ORDER_READY && !is_left(s, row, now))
		return refuse(s, row, "is not ready");
	if (row->order.expires_at <= now)
		return refuse(s, row, "has expired");
	err = s->ops->count_unproved(s, row->order.id, now, &num);
	if (err == OC_OK && num > 0)
		return refuse(s, row, "has a name that is no longer proven");
	if (err == OC_OK)
		err = check_owner(s, row);
	if (err == OC_OK)
		err = give_up(s, row);
	if (err != OC_OK)
		return err;
	row->order.state = STORE_ORDER_PROCESSING;
	row->run = s->run;
	row->processing_at = now;
	return keep(s, row);
}

enum oc_err
store_process_order(struct store *store, int64_t id, int64_t now_at)
{
	return change(store, id, process, &now_at);
}

struct reservation {
	int64_t certificate_id, now;
};

/* Over the connection that processes it. */
static enum oc_err
reserve(struct store *s, struct store_order_row *row, const void *arg)
{
	const struct reservation *r = arg;
	enum oc_err err;

	if (row->order.state != STORE_ORDER_PROCESSING || row->is_issued ||
	    row->run != s->run)
		return refuse(s, row, "is not being processed here");
	err = give_up(s, row);
	if (err != OC_OK)
		return err;
	row->order.certificate_id = r->certificate_id;
	row->processing_at = r->now;
	return keep(s, row);
}

enum oc_err
store_reserve_for_order(struct store *s, int64_t order_id,
    int64_t certificate_id, int64_t now_at)
{
	struct reservation r = { certificate_id, now_at };

	return find_and_step(s, order_id, reserve, &r);
}

static enum oc_err
finish(struct store *s, struct store_order_row *row, const void *arg)
{
	int64_t id = *(const int64_t *)arg;
	struct store_waiting waiting;
	enum oc_err err;

	if (row->order.state == STORE_ORDER_VALID &&
	    row->order.certificate_id == id)
		return OC_OK;
	if (row->order.state != STORE_ORDER_PROCESSING ||
	    (row->order.certificate_id != 0 &&
	    row->order.certificate_id != id))
		return refuse(s, row, "does not wait for this certificate");
	err = s->ops->get_waiting(s, id, &waiting);
	if (err == OC_ERR_NOT_FOUND ||
	    (err == OC_OK && waiting.state != STORE_ISSUED))
		return refuse(s, row, "needs a certificate that is issued");
	if (err != OC_OK)
		return err;
	row->order.state = STORE_ORDER_VALID;
	row->order.certificate_id = id;
	return keep(s, row);
}

enum oc_err
store_issue_for_order(struct store *s, int64_t order_id,
    int64_t certificate_id)
{
	return find_and_step(s, order_id, finish, &certificate_id);
}

enum oc_err
store_complete_order(struct store *store, int64_t id, int64_t certificate_id)
{
	return change(store, id, finish, &certificate_id);
}

static enum oc_err
reopen(struct store *s, struct store_order_row *row, const void *arg)
{
	enum oc_err err;

	(void)arg;
	if (row->order.state != STORE_ORDER_PROCESSING)
		return refuse(s, row, "is not being processed");
	err = give_up(s, row);
	row->order.state = STORE_ORDER_READY;
	return err == OC_OK ? keep(s, row) : err;
}

enum oc_err
store_reopen_order(struct store *store, int64_t id)
{
	return change(store, id, reopen, NULL);
}

static enum oc_err
fail_order(struct store *s, struct store_order_row *row, const void *arg)
{
	const char *problem = arg;
	enum oc_err err;

	if (row->order.state == STORE_ORDER_VALID ||
	    row->order.state == STORE_ORDER_INVALID)
		return refuse(s, row, "is over");
	err = give_up(s, row);
	row->order.state = STORE_ORDER_INVALID;
	memset(row->order.problem, 0, sizeof(row->order.problem));
	memcpy(row->order.problem, problem, strlen(problem));
	return err == OC_OK ? keep(s, row) : err;
}

enum oc_err
store_fail_order(struct store *store, int64_t id, const char *problem)
{
	enum oc_err err;

	err = store_check_line(store, "the problem", problem,
	    STORE_PROBLEM_MAX);
	return err == OC_OK ? change(store, id, fail_order, problem) : err;
}

/* --- when a proof changes ----------------------------------------------- */

/* READY once all are proven. */
static enum oc_err
ready(struct store *s, struct store_order_row *row, const void *arg)
{
	int64_t num = 0;
	enum oc_err err;

	if (row->order.state != STORE_ORDER_PENDING)
		return OC_OK;
	err = s->ops->count_unproved(s, row->order.id,
	    *(const int64_t *)arg, &num);
	if (err != OC_OK || num > 0)
		return err;
	row->order.state = STORE_ORDER_READY;
	return keep(s, row);
}

/* Each that waits for the proof, in the order of their numbers. */
static enum oc_err
step_waiting(struct store *s, int64_t proof_id, step_fn *step,
    const void *arg)
{
	int64_t after_id = 0;
	enum oc_err err;

	for (;;) {
		struct store_order_row row = { .run = 0 };

		err = s->ops->find_waiting_order(s, proof_id, after_id, &row);
		if (err != OC_OK)
			return err == OC_ERR_NOT_FOUND ? OC_OK : err;
		after_id = row.order.id;
		err = step(s, &row, arg);
		store_order_fini(&row.order);
		if (err != OC_OK)
			return err;
	}
}

enum oc_err
store_ready_orders(struct store *s, int64_t proof_id, int64_t now_at)
{
	return step_waiting(s, proof_id, ready, &now_at);
}

enum oc_err
store_fail_orders(struct store *s, int64_t proof_id, const char *problem)
{
	return step_waiting(s, proof_id, fail_order, problem);
}
