/* SPDX-License-Identifier: Apache-2.0 */
/* What an account has: listing, one, revoking. */
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/value.h"
#include "issuer/origin.h"
#include "issuer/text.h"

#define PER_PAGE_PRESET 20

/* hostnames and csr as they were sent: what differs makes some clients
 * replace the certificate. */
json_t *
issuer_origin_describe(const struct store_asked *asked)
{
	const struct store_certificate *c = &asked->certificate;
	char id[ISSUER_DECIMAL_MAX], at[ISSUER_TIME_MAX];
	json_t *hostnames = json_loads(asked->hostnames == NULL ? "[]" :
	    asked->hostnames, 0, NULL);
	json_t *json;

	issuer_decimal(&c->serial, id);
	issuer_time(c->not_after, at);
	json = json_pack("{s:s, s:o, s:o, s:o, s:s, s:s, s:I}", "id", id,
	    "certificate", issuer_pem("CERTIFICATE", c->certificate,
	    c->certificate_len),
	    "csr", json_stringn((const char *)asked->csr, asked->csr_len),
	    "hostnames", hostnames == NULL ? json_array() : hostnames,
	    "expires_on", at, "request_type", asked->type,
	    "requested_validity", (json_int_t)asked->validity);
	if (json != NULL && c->is_revoked) {
		issuer_time(c->revoked_at, at);
		json_object_set_new(json, "revoked_at", json_string(at));
	}
	return json;
}

/* --- list --------------------------------------------------------------- */

static enum oc_err
add_asked(void *arg, const struct store_asked *asked)
{
	return json_array_append_new(arg, issuer_origin_describe(asked)) ==
	    0 ? OC_OK : OC_ERR_NOMEM;
}

static enum oc_err
read_list(struct store *store, struct origin_call *call,
    struct oc_error *error)
{
	struct store_asked_filter filter = {
		.account_id = call->account.id,
		.only_live = true,
		.num_skipped = (uint32_t)call->skipped,
		.num_max = (uint32_t)call->per_page,
	};
	struct store_zone zone;
	enum oc_err err;

	if (call->zone_tag[0] != '\0') {
		err = store_find_zone_tag(store, call->zone_tag, &zone);
		if (err == OC_ERR_NOT_FOUND || (err == OC_OK &&
		    zone.account_id != call->account.id))
			return oc_error_set(error, OC_ERR_NOT_FOUND,
			    "zone_id: there is no such zone");
		if (err != OC_OK)
			return err;
		filter.zone_id = zone.id;
	}
	call->list = json_array();
	return store_list_asked(store, &filter, add_asked, call->list,
	    &call->total);
}

void
issuer_origin_answer_list(struct origin_call *call)
{
	json_t *info = json_pack("{s:I, s:I, s:I, s:I, s:I}",
	    "page", (json_int_t)call->page,
	    "per_page", (json_int_t)call->per_page,
	    "count", (json_int_t)json_array_size(call->list),
	    "total_count", (json_int_t)call->total,
	    "total_pages", (json_int_t)((call->total + call->per_page - 1) /
	    call->per_page));
	json_t *list = call->list;

	call->list = NULL;
	issuer_origin_succeed(call, list, info);
}

/* A number of the query; false: it is none.  Not there: stays. */
static bool
take_number(const struct net_request *r, const char *name, int64_t min,
    int64_t max, int64_t *value)
{
	char text[24];
	int64_t number;

	if (!net_request_query(r, name, text, sizeof(text)))
		return true;
	if (oc_value_int(text, min, INT32_MAX, &number, NULL) != OC_OK)
		return false;
	*value = number > max ? max : number;
	return true;
}

bool
issuer_origin_take_paging(struct origin_call *call)
{
	const struct net_request *r = net_exchange_request(call->exchange);
	int64_t offset = -1;

	call->page = 1;
	call->per_page = PER_PAGE_PRESET;
	if (!take_number(r, "per_page", 1, ORIGIN_PER_PAGE_MAX,
	    &call->per_page) ||
	    !take_number(r, "limit", 1, ORIGIN_PER_PAGE_MAX,
	    &call->per_page) ||
	    !take_number(r, "page", 1, ORIGIN_PAGE_MAX, &call->page) ||
	    !take_number(r, "offset", 0, ORIGIN_PAGE_MAX, &offset))
		return false;
	call->skipped = offset >= 0 ? offset :
	    (call->page - 1) * call->per_page;
	if (offset >= 0)
		call->page = offset / call->per_page + 1;
	return true;
}

void
issuer_origin_list(struct origin_call *call)
{
	const struct net_request *r = net_exchange_request(call->exchange);
	char tag[64];

	if (!issuer_origin_take_paging(call)) {
		issuer_origin_fail(call, 400, ORIGIN_BAD_REQUEST, "page, "
		    "per_page, limit and offset are numbers");
		return;
	}
	if (net_request_query(r, "zone_id", tag, sizeof(tag))) {
		if (strlen(tag) != STORE_TAG_LEN) {
			issuer_origin_fail(call, 404, ORIGIN_NOT_FOUND,
			    "zone_id: there is no such zone");
			return;
		}
		memcpy(call->zone_tag, tag, STORE_TAG_LEN + 1);
	}
	issuer_origin_begin(call, read_list, issuer_origin_answer_list);
}

/* --- one ---------------------------------------------------------------- */

static enum oc_err
read_one(struct store *store, struct origin_call *call,
    struct oc_error *error)
{
	enum oc_err err = store_find_asked(store, call->account.id,
	    &call->serial, &call->asked);

	return err == OC_ERR_NOT_FOUND ? oc_error_set(error, err,
	    "there is no such certificate") : err;
}

static void
answer_one(struct origin_call *call)
{
	issuer_origin_succeed(call, issuer_origin_describe(&call->asked),
	    NULL);
}

void
issuer_origin_get(struct origin_call *call)
{
	issuer_origin_begin(call, read_one, answer_one);
}

/* --- revoking ----------------------------------------------------------- */

static void
revoked(void *arg, const struct issuer_revoked *r)
{
	struct origin_call *call = arg;
	char id[ISSUER_DECIMAL_MAX];
	json_t *result;

	if (r->err != OC_OK) {
		issuer_origin_fail_rule(call, r->err, &call->explanation,
		    r->error.text);
		return;
	}
	result = issuer_revoked_describe(r);
	issuer_decimal(&call->serial, id);
	json_object_set_new(result, "id", json_string(id));
	issuer_origin_succeed(call, result, NULL);
}

static void
begin_revoking(struct origin_call *call)
{
	struct issuer_authority *authority = issuer_service_find_name(
	    call->service, call->asked.issuer);

	if (authority == NULL)
		issuer_origin_fail(call, 503, ORIGIN_TRY_LATER, "the issuer "
		    "of this certificate is not served here now");
	else if (issuer_revoke(call->service, authority, &call->serial,
	    CRL_REASON_UNSPECIFIED, revoked, call) != OC_OK)
		issuer_origin_fail(call, 503, ORIGIN_TRY_LATER,
		    "busy: try again");
}

void
issuer_origin_revoke(struct origin_call *call)
{
	issuer_origin_begin(call, read_one, begin_revoking);
}
