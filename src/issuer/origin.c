/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cloudflare's Origin CA API v4: paths, envelope, callers.
 *
 *	POST   /client/v4/certificates
 *	GET    /client/v4/certificates[?zone_id=&page=&per_page=&limit=&offset=]
 *	GET    /client/v4/certificates/ID
 *	DELETE /client/v4/certificates/ID
 *	/client/v4/zones...: origin_zone.c
 *	GET    /origin_ca_rsa_root.pem, /origin_ca_ecc_root.pem
 *
 * "messages" is always empty (clients decode it as strings or as objects),
 * "errors" never is when there is no success (one takes its first without
 * looking), and a path may end with a slash.
 */
#include "issuer/origin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/pem.h"
#include "issuer/text.h"

#define COLLECTION "/client/v4/certificates"
#define DAY_S INT64_C(86400)

json_t *
issuer_origin_failure(int code, const char *message)
{
	return json_pack("{s:b, s:[{s:i, s:s}], s:[], s:n}", "success", 0,
	    "errors", "code", code, "message", message, "messages",
	    "result");
}

static void
fail_exchange(struct net_exchange *exchange, int status, int code,
    const char *message, const char *fields)
{
	issuer_door_reply(exchange, status, "application/json", fields,
	    issuer_origin_failure(code, message));
}

void
issuer_origin_call_free(struct origin_call *call)
{
	oc_secret_fini(&call->token_text);
	store_asked_fini(&call->asked);
	ca_explanation_fini(&call->explanation);
	if (call->policy != NULL)
		ca_policy_fini(call->policy);
	free(call->policy);
	free(call->names);
	free(call->hostnames_text);
	json_decref(call->list);
	json_decref(call->document);
	issuer_origin_zone_free(call->zone);
	free(call);
}

void
issuer_origin_fail(struct origin_call *call, int status, int code,
    const char *message)
{
	fail_exchange(call->exchange, status, code, message,
	    status == 401 ? "WWW-Authenticate: Bearer\r\n" :
	    status == 503 ? "Retry-After: 1\r\n" : NULL);
	issuer_origin_call_free(call);
}

/* The explanation stands beside the envelope's members: "messages" stays
 * empty, and clients read of an error what they know. */
static void
fail_explained(struct origin_call *call, const struct ca_explanation *x,
    int status, int code, const char *message)
{
	json_t *json = issuer_origin_failure(code, message);
	struct ca_explanation said = *x;

	if (said.refusal[0] == '\0')
		snprintf(said.refusal, sizeof(said.refusal), "%s", message);
	issuer_door_explain(call->exchange, json, &said);
	issuer_door_reply(call->exchange, status, "application/json", NULL,
	    json);
	issuer_origin_call_free(call);
}

static bool
is_quota(enum ca_rule rule)
{
	return rule == CA_RULE_QUOTA || rule == CA_RULE_QUOTA_PERIOD;
}

void
issuer_origin_fail_rule(struct origin_call *call, enum oc_err err,
    const struct ca_explanation *x, const char *message)
{
	switch (issuer_fault_of(err)) {
	case ISSUER_REFUSED:
		fail_explained(call, x, is_quota(x->rule) ? 429 : 400,
		    x->rule == CA_RULE_NONE ? ORIGIN_BAD_REQUEST :
		    ORIGIN_RULE + (int)x->rule, message);
		return;
	case ISSUER_AWAY:
		fail_explained(call, x, 503, ORIGIN_TRY_LATER, message);
		return;
	case ISSUER_BROKEN:
		break;
	}
	oc_log(OC_LOG_ERROR, "origin API: %s", message);
	issuer_origin_fail(call, 500, ORIGIN_BROKEN,
	    "the request could not be carried out");
}

void
issuer_origin_succeed(struct origin_call *call, json_t *result, json_t *info)
{
	json_t *json = json_pack("{s:b, s:[], s:[], s:o}", "success", 1,
	    "errors", "messages", "result", result);

	if (info != NULL)
		json_object_set_new(json, "result_info", info);
	issuer_door_reply(call->exchange, 200, "application/json", NULL,
	    json);
	issuer_origin_call_free(call);
}

/* --- who asks ----------------------------------------------------------- */

/* "Bearer TOKEN"; NULL: it is none. */
static const char *
bearer_token(const char *value)
{
	if (value == NULL || strncasecmp(value, "Bearer ", 7) != 0)
		return NULL;
	return value + 7 + strspn(value + 7, " ");
}

static bool
take_token(struct origin_call *call, const char *text,
    enum store_token_kind kind)
{
	call->kind = kind;
	return oc_secret_set(&call->token_text, text, strlen(text)) == OC_OK;
}

/* The one a request has; false: none that could be one. */
static bool
find_token(struct origin_call *call)
{
	const struct net_request *r = net_exchange_request(call->exchange);
	const char *bearer = bearer_token(net_request_field(r,
	    "Authorization"));
	const char *service = net_request_field(r,
	    "X-Auth-User-Service-Key");
	const char *key = net_request_field(r, "X-Auth-Key");
	const char *email = net_request_field(r, "X-Auth-Email");

	if (bearer != NULL)
		return take_token(call, bearer, STORE_TOKEN_BEARER);
	if (service != NULL)
		return take_token(call, service, STORE_TOKEN_SERVICE_KEY);
	if (key == NULL || email == NULL ||
	    strlen(email) >= sizeof(call->email))
		return false;
	strcpy(call->email, email);
	return take_token(call, key, STORE_TOKEN_GLOBAL_KEY);
}

struct origin_call *
issuer_origin_call_new(struct issuer_service *service,
    struct net_exchange *exchange)
{
	struct origin_call *call = calloc(1, sizeof(*call));

	if (call == NULL) {
		fail_exchange(exchange, 500, ORIGIN_BROKEN, "out of memory",
		    NULL);
		return NULL;
	}
	call->service = service;
	call->exchange = exchange;
	if (!find_token(call)) {
		issuer_origin_fail(call, 401, ORIGIN_AUTHENTICATION,
		    "Authentication error");
		return NULL;
	}
	return call;
}

static enum oc_err
run_call(struct store *store, void *arg)
{
	struct origin_call *call = arg;

	call->auth_err = store_authenticate(store, call->kind,
	    (const char *)call->token_text.bytes, call->email[0] != '\0' ?
	    call->email : NULL, &call->account, &call->token);
	oc_secret_fini(&call->token_text);
	if (call->auth_err != OC_OK)
		return call->auth_err;
	return call->read == NULL ? OC_OK :
	    call->read(store, call, &call->error);
}

/* When a token was last used is noted once a day, and nobody waits. */
struct note {
	struct store_job job;
	struct store_token token;
};

static enum oc_err
note_use(struct store *store, void *arg)
{
	return store_note_token_use(store, &((struct note *)arg)->token);
}

static void
use_noted(struct store_job *job, void *arg)
{
	(void)job;
	free(arg);
}

static void
begin_note(struct origin_call *call)
{
	struct note *n;

	if (call->token.used_at > oc_clock_now_s() - DAY_S)
		return;
	n = calloc(1, sizeof(*n));
	if (n == NULL)
		return;
	n->token = call->token;
	n->job = (struct store_job){ .kind = STORE_JOB_CHANGE,
	    .fn = note_use, .done = use_noted, .arg = n };
	if (issuer_service_submit(call->service, &n->job) != OC_OK)
		free(n);
}

/* One thing is said to all who are not let in; the log knows which it was. */
static void
call_run(struct store_job *job, void *arg)
{
	struct origin_call *call = arg;

	if (job->err == OC_OK) {
		begin_note(call);
		call->then(call);
	} else if (call->auth_err == OC_ERR_REFUSED) {
		oc_log(OC_LOG_NOTICE, "%s: not authenticated: %s",
		    net_exchange_request(call->exchange)->peer,
		    job->error_text);
		issuer_origin_fail(call, 401, ORIGIN_AUTHENTICATION,
		    "Authentication error");
	} else if (job->err == OC_ERR_NOT_FOUND) {
		issuer_origin_fail(call, 404, ORIGIN_NOT_FOUND,
		    call->error.text[0] != '\0' ? call->error.text :
		    "not found");
	} else {
		issuer_origin_fail_rule(call, job->err,
		    &call->explanation, call->error.text[0] != '\0' ?
		    call->error.text : job->error_text);
	}
}

void
issuer_origin_begin(struct origin_call *call, origin_read_fn *read,
    origin_then_fn *then)
{
	call->read = read;
	call->then = then;
	call->job = (struct store_job){ .kind = call->is_change ?
	    STORE_JOB_CHANGE : STORE_JOB_READ, .fn = run_call,
	    .done = call_run, .arg = call };
	if (issuer_service_submit(call->service, &call->job) != OC_OK)
		issuer_origin_fail(call, 503, ORIGIN_TRY_LATER,
		    "busy: try again");
}

/* --- paths -------------------------------------------------------------- */

static void
route_collection(struct issuer_service *service,
    struct net_exchange *exchange)
{
	enum net_method method = net_exchange_request(exchange)->method;
	struct origin_call *call;

	if (method != NET_GET && method != NET_POST && method != NET_HEAD) {
		fail_exchange(exchange, 405, ORIGIN_METHOD,
		    "Method not allowed", "Allow: GET, POST\r\n");
		return;
	}
	call = issuer_origin_call_new(service, exchange);
	if (call == NULL)
		return;
	if (method == NET_POST)
		issuer_origin_create(call);
	else
		issuer_origin_list(call);
}

static void
route_one(struct issuer_service *service, struct net_exchange *exchange,
    const char *id, size_t id_len)
{
	enum net_method method = net_exchange_request(exchange)->method;
	struct origin_call *call;
	char text[128];

	if (method != NET_GET && method != NET_DELETE && method != NET_HEAD) {
		fail_exchange(exchange, 405, ORIGIN_METHOD,
		    "Method not allowed", "Allow: GET, DELETE\r\n");
		return;
	}
	call = issuer_origin_call_new(service, exchange);
	if (call == NULL)
		return;
	if (id_len < sizeof(text)) {
		memcpy(text, id, id_len);
		text[id_len] = '\0';
	}
	if (id_len >= sizeof(text) ||
	    oc_serial_parse(text, &call->serial, NULL) != OC_OK)
		issuer_origin_fail(call, 404, ORIGIN_NOT_FOUND,
		    "there is no such certificate");
	else if (method == NET_DELETE)
		issuer_origin_revoke(call);
	else
		issuer_origin_get(call);
}

bool
issuer_origin_is_path(const char *path)
{
	return strncmp(path, "/client/v4", 10) == 0 &&
	    (path[10] == '/' || path[10] == '\0');
}

void
issuer_origin_handle(struct issuer_service *service,
    struct net_exchange *exchange)
{
	const char *path = net_exchange_request(exchange)->path;
	const char *rest = path + strlen(COLLECTION);
	size_t len;

	if (strncmp(path, COLLECTION, strlen(COLLECTION)) == 0) {
		if (strcmp(rest, "") == 0 || strcmp(rest, "/") == 0) {
			route_collection(service, exchange);
			return;
		}
		len = rest[0] == '/' ? strcspn(rest + 1, "/") : 0;
		if (len > 0 && (rest[1 + len] == '\0' ||
		    strcmp(rest + 1 + len, "/") == 0)) {
			route_one(service, exchange, rest + 1, len);
			return;
		}
	}
	if (!issuer_origin_zones(service, exchange))
		fail_exchange(exchange, 404, ORIGIN_NOT_FOUND, "No route for "
		    "that URI", NULL);
}

/* --- what is trusted ---------------------------------------------------- */

/* The issuing CA and those above it: an origin sends its certificate alone,
 * and whoever checks it needs the rest. */
static void
put_chain(const struct ca_issuer *issuer, struct oc_buffer *out)
{
	struct der_reader r = der_reader_of((struct der_bytes){
	    issuer->chain, issuer->chain_len });
	struct der_bytes tlv;
	uint8_t tag;

	oc_pem_write(out, "CERTIFICATE", issuer->cert.der.p,
	    issuer->cert.der.len);
	while (issuer->chain_len > 0 && der_get_any(&r, &tag, NULL, &tlv))
		oc_pem_write(out, "CERTIFICATE", tlv.p, tlv.len);
}

bool
issuer_origin_root(struct issuer_service *service,
    struct net_exchange *exchange)
{
	const struct oc_config_api *api =
	    &issuer_service_config(service)->api;
	const char *path = net_exchange_request(exchange)->path;
	const struct issuer_authority *authority = NULL;
	struct oc_buffer text;

	if (strcmp(path, "/origin_ca_rsa_root.pem") == 0 &&
	    api->origin_rsa != NULL)
		authority = issuer_service_find_name(service,
		    api->origin_rsa);
	if (strcmp(path, "/origin_ca_ecc_root.pem") == 0 &&
	    api->origin_ecc != NULL)
		authority = issuer_service_find_name(service,
		    api->origin_ecc);
	if (authority == NULL)
		return false;
	if (net_exchange_request(exchange)->method != NET_GET &&
	    net_exchange_request(exchange)->method != NET_HEAD) {
		fail_exchange(exchange, 405, ORIGIN_METHOD,
		    "Method not allowed", "Allow: GET\r\n");
		return true;
	}
	oc_buffer_init(&text, 16 * OC_CERTIFICATE_MAX);
	put_chain(authority->issuer, &text);
	net_reply(exchange, text.err == OC_OK ? 200 : 500,
	    "application/x-pem-file", NULL, oc_buffer_text(&text), text.len);
	oc_buffer_fini(&text);
	return true;
}
