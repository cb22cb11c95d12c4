/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Zones in Cloudflare's dialect: claimed, shown, proven.
 *
 *	POST /client/v4/zones			{"name": "example.com"}
 *	GET  /client/v4/zones[?name=&status=&page=&per_page=]
 *	GET  /client/v4/zones/ID
 *	PUT  /client/v4/zones/ID/activation_check
 *
 * Of other accounts' zones nothing is said, also to who claims one: only who
 * proves it learns that it is another's.
 */
#include "issuer/origin_zone.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "base/clock.h"
#include "ca/hostname.h"
#include "issuer/text.h"
#include "net/json.h"

#define ZONES "/client/v4/zones"
#define CHECK "/activation_check"
#define CLAIMS_MAX 1000			/* of which the open ones are shown */

void
issuer_origin_zone_free(struct origin_zone *zone)
{
	if (zone == NULL)
		return;
	OPENSSL_cleanse(zone->secret, sizeof(zone->secret));
	free(zone);
}

/* --- as it is shown ----------------------------------------------------- */

static json_t *
text_if(const char *text)
{
	return text[0] == '\0' ? json_null() : json_string(text);
}

static json_t *
describe_challenge(const struct store_authorization *a,
    const struct store_challenge *c)
{
	char name[STORE_ZONE_NAME_MAX + 64];

	switch (c->method) {
	case STORE_METHOD_DNS:
		snprintf(name, sizeof(name), PROOF_DNS_PREFIX "%s", a->name);
		break;
	case STORE_METHOD_META:
		snprintf(name, sizeof(name), "http://%s/", a->name);
		break;
	case STORE_METHOD_FILE:
		snprintf(name, sizeof(name), "http://%s/.well-known/"
		    PROOF_FILE_PATH, a->name);
		break;
	case STORE_METHOD_EMAIL:
	case STORE_METHOD_HTTP_01:
	case STORE_METHOD_DNS_01:
	case STORE_METHOD_OPERATOR:
		snprintf(name, sizeof(name), "%s", c->address);
		break;
	}
	return json_pack("{s:s, s:o, s:o, s:I, s:o}",
	    "method", store_method_text(c->method),
	    "name", text_if(name), "value",
	    c->method == STORE_METHOD_EMAIL ? json_null() :
	    json_string(c->token),
	    "tries", (json_int_t)c->num_tries, "seen", text_if(c->seen));
}

static json_t *
describe(const struct store_account *account, const char *tag,
    const char *name, const char *status, int64_t created_at,
    int64_t activated_at)
{
	char created[ISSUER_TIME_MAX], activated[ISSUER_TIME_MAX] = "";

	issuer_time(created_at, created);
	if (activated_at != 0)
		issuer_time(activated_at, activated);
	return json_pack("{s:s, s:s, s:s, s:b, s:s, s:[], s:{s:s, s:s},"
	    " s:s, s:s, s:o}", "id", tag, "name", name, "status", status,
	    "paused", 0, "type", "full", "name_servers", "account", "id",
	    account->tag, "name", account->name, "created_on", created,
	    "modified_on", activated[0] == '\0' ? created : activated,
	    "activated_on", text_if(activated));
}

static json_t *
describe_zone(const struct store_account *account,
    const struct store_zone *zone)
{
	json_t *json = describe(account, zone->tag, zone->name, "active",
	    zone->created_at, zone->created_at);

	if (json != NULL && zone->state == STORE_ZONE_PAUSED)
		json_object_set_new(json, "paused", json_true());
	return json;
}

static bool
is_open(const struct store_authorization *a)
{
	return a->state == STORE_PROOF_PENDING &&
	    a->expires_at > oc_clock_now_s();
}

static json_t *
describe_claim(const struct store_account *account,
    const struct store_authorization *a)
{
	json_t *json = describe(account, a->tag, a->name, is_open(a) ?
	    "pending" : "failed", a->created_at, 0);
	json_t *list = json_array();

	for (uint32_t i = 0; i < a->num_challenges; i++)
		json_array_append_new(list,
		    describe_challenge(a, &a->challenges[i]));
	json_object_set_new(json, "verification", list);
	return json;
}

json_t *
issuer_origin_describe_zone(const struct origin_call *call)
{
	const struct origin_zone *z = call->zone;

	return z->has_zone ? describe_zone(&call->account, &z->zone) :
	    describe_claim(&call->account, &z->claim);
}

static void
answer_zone(struct origin_call *call)
{
	issuer_origin_succeed(call, issuer_origin_describe_zone(call), NULL);
}

/* --- one ---------------------------------------------------------------- */

/* A claim that was proven is the zone, which may be gone since. */
enum oc_err
issuer_origin_find_zone(struct store *store, struct origin_call *call,
    struct oc_error *error)
{
	struct origin_zone *z = call->zone;
	enum oc_err err;

	err = store_find_zone_tag(store, z->tag, &z->zone);
	if (err == OC_OK)
		z->has_zone = z->zone.account_id == call->account.id;
	else if (err != OC_ERR_NOT_FOUND)
		return err;
	err = store_find_authorization(store, z->tag, &z->claim);
	if (err == OC_OK)
		z->has_claim = z->claim.account_id == call->account.id &&
		    z->claim.acme_account_id == 0;
	else if (err != OC_ERR_NOT_FOUND)
		return err;
	if (z->has_claim && z->claim.state == STORE_PROOF_VALID &&
	    !z->has_zone) {
		err = store_find_zone(store, z->claim.name, &z->zone);
		if (err != OC_OK && err != OC_ERR_NOT_FOUND)
			return err;
		z->has_claim = z->has_zone = err == OC_OK &&
		    z->zone.account_id == call->account.id;
	}
	return z->has_zone || z->has_claim ? OC_OK : oc_error_set(error,
	    OC_ERR_NOT_FOUND, "there is no such zone");
}

/* --- list --------------------------------------------------------------- */

/* Counts what is on the pages before, too. */
static enum oc_err
add_shown(struct origin_call *call, json_t *json)
{
	int64_t n = call->total++;

	if (n < call->skipped || n >= call->skipped + call->per_page) {
		json_decref(json);
		return OC_OK;
	}
	return json_array_append_new(call->list, json) == 0 ? OC_OK :
	    OC_ERR_NOMEM;
}

static bool
is_wanted(const struct origin_zone *z, const char *name, const char *status)
{
	return (z->name[0] == '\0' || strcmp(z->name, name) == 0) &&
	    (z->status[0] == '\0' || strcmp(z->status, status) == 0);
}

static enum oc_err
add_zone(void *arg, const struct store_zone *zone)
{
	struct origin_call *call = arg;

	return is_wanted(call->zone, zone->name, "active") ?
	    add_shown(call, describe_zone(&call->account, zone)) : OC_OK;
}

static enum oc_err
add_claim(void *arg, const struct store_authorization *a)
{
	struct origin_call *call = arg;

	return is_open(a) && is_wanted(call->zone, a->name, "pending") ?
	    add_shown(call, describe_claim(&call->account, a)) : OC_OK;
}

static enum oc_err
read_list(struct store *store, struct origin_call *call,
    struct oc_error *error)
{
	const char *name = call->zone->name;
	enum oc_err err;

	(void)error;
	call->list = json_array();
	err = store_list_zones(store, call->account.id, add_zone, call);
	return err != OC_OK ? err : store_list_authorizations(store,
	    call->account.id, 0, name[0] == '\0' ? NULL : name, CLAIMS_MAX,
	    add_claim, call);
}

static void
list(struct origin_call *call)
{
	const struct net_request *r = net_exchange_request(call->exchange);
	struct origin_zone *z = call->zone;
	char name[CA_HOST_MAX];

	if (!issuer_origin_take_paging(call)) {
		issuer_origin_fail(call, 400, ORIGIN_BAD_REQUEST, "page, "
		    "per_page, limit and offset are numbers");
		return;
	}
	(void)net_request_query(r, "status", z->status, sizeof(z->status));
	/* What is no name, nobody has. */
	if (net_request_query(r, "name", name, sizeof(name)) &&
	    ca_zone_to_ascii(name, z->name, NULL) != OC_OK)
		snprintf(z->name, sizeof(z->name), "-");
	issuer_origin_begin(call, read_list, issuer_origin_answer_list);
}

/* --- a claim ------------------------------------------------------------ */

static enum oc_err
check_account(const struct origin_call *call, struct oc_error *error)
{
	const json_t *account = NULL;
	const char *id = NULL;

	if (net_json_get_object(call->document, "account", &account) !=
	    OC_OK || (account != NULL && net_json_get_string(account, "id",
	    &id) != OC_OK))
		return oc_error_set(error, OC_ERR_MALFORMED, "account: an "
		    "object with an id");
	if (id != NULL && strcmp(id, call->account.tag) != 0)
		return oc_error_set(error, OC_ERR_REFUSED, "account: the "
		    "token is another's");
	return OC_OK;
}

static enum oc_err
claim(struct store *store, struct origin_call *call, struct oc_error *error)
{
	struct origin_zone *z = call->zone;
	enum oc_err err = call->document_err;

	if (err != OC_OK) {
		*error = call->document_error;
		return err;
	}
	err = check_account(call, error);
	if (err != OC_OK)
		return err;
	err = store_find_zone(store, z->name, &z->zone);
	if (err == OC_OK && z->zone.account_id == call->account.id)
		return oc_error_set(error, OC_ERR_EXISTS, "%s is a zone of "
		    "this account already", z->name);
	if (err != OC_OK && err != OC_ERR_NOT_FOUND)
		return err;
	err = proof_open_claim(store, issuer_service_config(call->service),
	    call->account.id, z->name, oc_clock_now_s(), &z->claim, error);
	if (err == OC_ERR_LIMIT)
		call->explanation.rule = CA_RULE_QUOTA;
	z->has_claim = err == OC_OK;
	return err == OC_ERR_CONFIG ? oc_error_set(error, OC_ERR_UNSUPPORTED,
	    "zones are not proven here: the operator registers them") : err;
}

/* Told only to who is let in. */
static void
read_document(struct origin_call *call)
{
	const struct net_request *r = net_exchange_request(call->exchange);
	struct oc_error *error = &call->document_error;
	const char *name = NULL;
	char zone[CA_HOST_MAX];
	enum oc_err err;

	err = net_json_parse(r->body, r->body_len, &call->document, error);
	if (err == OC_OK &&
	    (net_json_get_string(call->document, "name", &name) != OC_OK ||
	    name == NULL))
		err = oc_error_set(error, OC_ERR_MALFORMED, "name: which "
		    "zone?");
	if (err == OC_OK)
		err = ca_zone_to_ascii(name, zone, error);
	if (err == OC_OK)
		snprintf(call->zone->name, sizeof(call->zone->name), "%s",
		    zone);
	call->document_err = err;
}

static void
create(struct origin_call *call)
{
	read_document(call);
	call->is_change = true;
	issuer_origin_begin(call, claim, answer_zone);
}

/* --- paths -------------------------------------------------------------- */

static void
refuse_method(struct net_exchange *exchange, const char *fields)
{
	issuer_door_reply(exchange, 405, "application/json", fields,
	    issuer_origin_failure(ORIGIN_METHOD, "Method not allowed"));
}

static struct origin_call *
new_call(struct issuer_service *service, struct net_exchange *exchange,
    const char *tag, size_t tag_len)
{
	struct origin_call *call = issuer_origin_call_new(service, exchange);

	if (call == NULL)
		return NULL;
	call->zone = calloc(1, sizeof(*call->zone));
	if (call->zone == NULL) {
		issuer_origin_fail(call, 500, ORIGIN_BROKEN,
		    "out of memory");
		return NULL;
	}
	if (tag_len == STORE_TAG_LEN)
		memcpy(call->zone->tag, tag, tag_len);
	return call;
}

static void
route_collection(struct issuer_service *service,
    struct net_exchange *exchange)
{
	enum net_method method = net_exchange_request(exchange)->method;
	struct origin_call *call;

	if (method != NET_GET && method != NET_HEAD && method != NET_POST) {
		refuse_method(exchange, "Allow: GET, POST\r\n");
		return;
	}
	call = new_call(service, exchange, NULL, 0);
	if (call == NULL)
		return;
	if (method == NET_POST)
		create(call);
	else
		list(call);
}

static void
route_one(struct issuer_service *service, struct net_exchange *exchange,
    const char *tag, size_t tag_len, bool is_check)
{
	enum net_method method = net_exchange_request(exchange)->method;
	struct origin_call *call;

	if (is_check ? method != NET_PUT :
	    method != NET_GET && method != NET_HEAD) {
		refuse_method(exchange, is_check ? "Allow: PUT\r\n" :
		    "Allow: GET\r\n");
		return;
	}
	call = new_call(service, exchange, tag, tag_len);
	if (call == NULL)
		return;
	if (is_check)
		issuer_origin_check_zone(call);
	else
		issuer_origin_begin(call, issuer_origin_find_zone,
		    answer_zone);
}

static bool
is_end(const char *rest)
{
	return rest[0] == '\0' || strcmp(rest, "/") == 0;
}

bool
issuer_origin_zones(struct issuer_service *service,
    struct net_exchange *exchange)
{
	const char *path = net_exchange_request(exchange)->path;
	const char *rest = path + strlen(ZONES), *behind;
	size_t len;

	if (strncmp(path, ZONES, strlen(ZONES)) != 0)
		return false;
	if (is_end(rest)) {
		route_collection(service, exchange);
		return true;
	}
	len = rest[0] == '/' ? strcspn(rest + 1, "/") : 0;
	behind = rest + 1 + len;
	if (len == 0 || (!is_end(behind) &&
	    (strncmp(behind, CHECK, strlen(CHECK)) != 0 ||
	    !is_end(behind + strlen(CHECK)))))
		return false;
	route_one(service, exchange, rest + 1, len, !is_end(behind));
	return true;
}
