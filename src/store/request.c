/* SPDX-License-Identifier: Apache-2.0 */
/* What was asked for beside what was reserved: keys, zones, quotas, all of
 * them looked at in the transaction that reserves. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "store/backend.h"
#include "store/detail.h"

void
store_asked_fini(struct store_asked *asked)
{
	store_certificate_fini(&asked->certificate);
	free(asked->hostnames);
	free(asked->csr);
	memset(asked, 0, sizeof(*asked));
}

void
store_request_row_fini(struct store_request_row *row)
{
	free(row->hostnames);
	free(row->csr);
	memset(row, 0, sizeof(*row));
}

/* --- what comes from outside -------------------------------------------- */

static int
compare_ids(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* Ascending into *row, as they are read back. */
static enum oc_err
sort_zones(struct store *s, const struct store_request *request,
    struct store_request_row *row)
{
	size_t size = request->num_zones * sizeof(*row->zone_ids);

	if (request->num_zones > STORE_ZONES_MAX)
		return store_fail(s, OC_ERR_LIMIT, "a certificate lies in at "
		    "most %d zones", STORE_ZONES_MAX);
	if (request->num_zones > 0) {
		memcpy(row->zone_ids, request->zone_ids, size);
		qsort(row->zone_ids, request->num_zones,
		    sizeof(*row->zone_ids), compare_ids);
	}
	for (uint32_t i = 1; i < request->num_zones; i++)
		if (row->zone_ids[i - 1] == row->zone_ids[i])
			return store_fail(s, OC_ERR_MALFORMED,
			    "a request names a zone twice");
	row->num_zones = request->num_zones;
	return OC_OK;
}

static enum oc_err
check_request(struct store *s, const struct store_request *request)
{
	enum oc_err err;

	if (strnlen(request->hostnames, STORE_HOSTNAMES_MAX + 1) >
	    STORE_HOSTNAMES_MAX)
		return store_fail(s, OC_ERR_LIMIT, "the host names have more "
		    "than %d octets", STORE_HOSTNAMES_MAX);
	err = store_check_blob(s, "the request", request->csr, OC_CSR_MAX);
	if (err == OC_OK)
		err = store_check_name(s, "the request's type",
		    request->type);
	if (err != OC_OK)
		return err;
	if (!oc_utf8_is_valid(request->hostnames,
	    strlen(request->hostnames)) ||
	    !oc_utf8_is_valid(request->type, strlen(request->type)))
		return store_fail(s, OC_ERR_MALFORMED,
		    "a request's text is not UTF-8");
	if (request->account_id == 0 && request->num_zones > 0)
		return store_fail(s, OC_ERR_MALFORMED,
		    "zones belong to an account");
	return OC_OK;
}

/* --- keys --------------------------------------------------------------- */

enum standing { FREE, REPEATED, PENDING, STALE };

/* What a closed connection reserved, it can no longer record: it was not
 * issued, and never will be. */
static enum standing
judge(struct store *s, const struct store_key_row *row, int64_t window_s,
    int64_t now)
{
	bool is_live = !row->is_revoked && row->not_after >= now;

	if (row->state == STORE_RESERVED)
		return row->reserved_at > now - STORE_PENDING_S &&
		    !s->ops->is_run_over(s, row->run) ? PENDING : STALE;
	if (window_s > 0)
		is_live = row->reserved_at > now - window_s;
	return is_live ? REPEATED : STALE;
}

static enum oc_err
look_up(struct store *s, const uint8_t *key, int64_t window_s, int64_t now,
    enum standing *standing, int64_t *id)
{
	struct store_key_row row;
	enum oc_err err;

	*standing = FREE;
	*id = 0;
	if (key == NULL)
		return OC_OK;
	err = s->ops->find_key(s, key, &row);
	if (err == OC_ERR_NOT_FOUND)
		return OC_OK;
	if (err != OC_OK)
		return err;
	*id = row.id;
	*standing = judge(s, &row, window_s, now);
	return OC_OK;
}

enum oc_err
store_find_key(struct store *store, const uint8_t *key, int64_t key_window_s,
    struct store_reserved *reserved)
{
	enum standing standing;
	int64_t id;
	enum oc_err err;

	err = look_up(store, key, key_window_s, oc_clock_now_s(), &standing,
	    &id);
	if (err != OC_OK)
		return err;
	if (standing == FREE || standing == STALE)
		return store_fail(store, OC_ERR_NOT_FOUND,
		    "nothing was asked for under this key");
	*reserved = (struct store_reserved){
		.outcome = standing == REPEATED ? STORE_OUTCOME_REPEATED :
		    STORE_OUTCOME_PENDING,
		.id = id
	};
	return OC_OK;
}

/* --- account, zones, quotas --------------------------------------------- */

static enum oc_err
check_zones(struct store *s, const struct store_request *request,
    struct store_reserved *out)
{
	for (uint32_t i = 0; i < request->num_zones; i++) {
		struct store_zone zone;
		enum oc_err err;

		err = s->ops->find_zone(s, STORE_ZONE_BY_ID,
		    request->zone_ids[i], NULL, &zone);
		if (err != OC_OK)
			return err;
		if (zone.account_id != request->account_id ||
		    zone.state != STORE_ZONE_ACTIVE)
			out->outcome = STORE_OUTCOME_ZONE;
	}
	return OC_OK;
}

/* Counts only what has a limit: counting looks at every row of the account. */
static enum oc_err
check_quotas(struct store *s, const struct store_account *account,
    int64_t now, struct store_reserved *out)
{
	int64_t num;
	enum oc_err err;

	if (account->live_max > 0) {
		err = s->ops->count_live(s, account->id, now,
		    now - STORE_PENDING_S, &num);
		if (err != OC_OK)
			return err;
		if (num >= account->live_max) {
			*out = (struct store_reserved){ STORE_OUTCOME_LIVE, 0,
			    account->live_max, num };
			return OC_OK;
		}
	}
	if (account->period_max == 0)
		return OC_OK;
	err = s->ops->count_reserved(s, account->id, now - account->period_s,
	    &num);
	if (err == OC_OK && num >= account->period_max)
		*out = (struct store_reserved){ STORE_OUTCOME_PERIOD, 0,
		    account->period_max, num };
	return err;
}

/* Leaves out->outcome at RESERVED if nothing refuses. */
static enum oc_err
check_account(struct store *s, const struct store_request *request,
    int64_t now, char name[OC_CONFIG_NAME_MAX + 1],
    struct store_reserved *out)
{
	struct store_account account;
	enum oc_err err;

	name[0] = '\0';
	if (request->account_id == 0)
		return OC_OK;
	err = s->ops->find_account(s, STORE_BY_ID, request->account_id, NULL,
	    &account);
	if (err != OC_OK)
		return err;
	memcpy(name, account.name, sizeof(account.name));
	if (account.state != STORE_ACCOUNT_ACTIVE) {
		out->outcome = STORE_OUTCOME_DISABLED;
		return OC_OK;
	}
	err = check_zones(s, request, out);
	if (err == OC_OK && out->outcome == STORE_OUTCOME_RESERVED)
		err = check_quotas(s, &account, now, out);
	return err;
}

/* --- reserve ------------------------------------------------------------ */

enum oc_err
store_end_request(struct store *s, int64_t id)
{
	struct store_detail d;
	enum oc_err err;

	err = s->ops->end_request(s, id);
	if (err != OC_OK)
		return err;
	store_detail_request_end(&d, id);
	return store_add_entry(s, "request-end", d.text);
}

/* Inside a change. */
static enum oc_err
add_request(struct store *s, const struct store_request *request,
    const char *account, int64_t now, int64_t id)
{
	struct store_request_row row = { .id = id };
	struct store_detail d;
	enum oc_err err;

	err = sort_zones(s, request, &row);
	if (err == OC_OK)
		err = s->ops->add_request(s, id, request, now);
	if (err != OC_OK)
		return err;
	memcpy(row.account, account, sizeof(row.account));
	row.has_key = request->key != NULL;
	if (row.has_key)
		memcpy(row.key, request->key, sizeof(row.key));
	memcpy(row.type, request->type, strlen(request->type) + 1);
	row.validity = request->validity;
	err = store_detail_request(&d, &row, request->hostnames,
	    request->csr);
	if (err != OC_OK)
		return store_fail(s, err, "SHA-256 failed");
	return store_add_entry(s, "request", d.text);
}

/* Inside a change. */
static enum oc_err
reserve_request(struct store *s, const struct store_reservation *r,
    const struct store_request *request, struct store_reserved *out)
{
	char account[OC_CONFIG_NAME_MAX + 1];
	int64_t now = oc_clock_now_s(), id;
	enum standing standing;
	enum oc_err err;

	err = look_up(s, request->key, request->key_window_s, now, &standing,
	    &id);
	if (err != OC_OK)
		return err;
	if (standing == REPEATED || standing == PENDING) {
		out->outcome = standing == REPEATED ? STORE_OUTCOME_REPEATED :
		    STORE_OUTCOME_PENDING;
		out->id = id;
		return OC_OK;
	}
	/* Before quotas are counted: it is no longer one of them. */
	if (standing == STALE)
		err = store_end_request(s, id);
	if (err == OC_OK)
		err = check_account(s, request, now, account, out);
	if (err != OC_OK || out->outcome != STORE_OUTCOME_RESERVED)
		return err;
	err = store_add_reservation(s, r, &out->id);
	if (err == OC_OK)
		err = add_request(s, request, account, now, out->id);
	if (err == OC_OK && request->acme_order_id != 0)
		err = store_reserve_for_order(s, request->acme_order_id,
		    out->id, now);
	return err;
}

enum oc_err
store_reserve_request(struct store *store, const struct store_reservation *r,
    const struct store_request *request, struct store_reserved *reserved)
{
	struct store_reserved made = { .outcome = STORE_OUTCOME_RESERVED };
	struct store_request whole = *request;
	struct store_reservation reservation;
	enum oc_err err;

	if (whole.hostnames == NULL)
		whole.hostnames = "";
	if (whole.type == NULL)
		whole.type = "";
	err = store_check_reservation(store, r, &reservation);
	if (err == OC_OK)
		err = check_request(store, &whole);
	if (err == OC_OK)
		err = store_begin_change(store);
	if (err != OC_OK)
		return err;
	err = reserve_request(store, &reservation, &whole, &made);
	err = store_end_change(store, err);
	if (err == OC_OK)
		*reserved = made;
	return err;
}

/* Inside a change. */
static enum oc_err
abandon(struct store *s, int64_t id)
{
	struct store_asked asked = { 0 };
	bool is_waiting;
	enum oc_err err;

	err = s->ops->get_asked(s, id, &asked);
	is_waiting = err == OC_OK && asked.is_current &&
	    asked.certificate.state == STORE_RESERVED;
	store_asked_fini(&asked);
	if (err == OC_ERR_NOT_FOUND || (err == OC_OK && !is_waiting))
		return store_fail(s, OC_ERR_MISMATCH, "record %lld is not a "
		    "request that waits for its certificate", (long long)id);
	return err == OC_OK ? store_end_request(s, id) : err;
}

enum oc_err
store_abandon_request(struct store *store, int64_t id)
{
	enum oc_err err = store_begin_change(store);

	if (err != OC_OK)
		return err;
	return store_end_change(store, abandon(store, id));
}

/* --- look --------------------------------------------------------------- */

enum oc_err
store_get_asked(struct store *store, int64_t certificate_id,
    struct store_asked *asked)
{
	return store->ops->get_asked(store, certificate_id, asked);
}

enum oc_err
store_find_asked(struct store *store, int64_t account_id,
    const struct oc_serial *serial, struct store_asked *asked)
{
	enum oc_err err = store_check_serial(store, serial);

	return err != OC_OK ? err : store->ops->find_asked(store, account_id,
	    serial, asked);
}

/* Inside a group there is a transaction already. */
enum oc_err
store_list_asked(struct store *store, const struct store_asked_filter *filter,
    store_asked_fn *fn, void *arg, int64_t *num_total)
{
	int64_t now = oc_clock_now_s(), num = 0;
	bool is_alone = store->depth == 0;
	enum oc_err err;

	err = is_alone ? store->ops->begin_read(store) : OC_OK;
	if (err != OC_OK)
		return err;
	err = store->ops->count_asked(store, filter, now, &num);
	if (err == OC_OK)
		err = store->ops->list_asked(store, filter, now, fn, arg);
	if (is_alone)
		store->ops->rollback(store);
	if (err == OC_OK)
		*num_total = num;
	return err;
}
