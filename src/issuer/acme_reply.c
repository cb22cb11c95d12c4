/* SPDX-License-Identifier: Apache-2.0 */
/* Every answer of ACME's door, good or bad: a nonce, the way to the
 * directory, JSON. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "issuer/acme.h"
#include "issuer/text.h"

#define FIELDS_MAX (16 * 1024)
/* Something is away: certbot asks no more often than this by itself. */
#define AWAY_RETRY_S 5

/* --- headers ------------------------------------------------------------ */

/* RFC 8555, 6.5 and 7.1. */
static void
put_usual(struct issuer_acme *acme, struct oc_buffer *fields)
{
	char nonce[ACME_NONCE_TEXT_MAX];

	pthread_mutex_lock(&acme->lock);
	acme_nonces_make(acme->nonces, nonce);
	pthread_mutex_unlock(&acme->lock);
	oc_buffer_printf(fields, "Replay-Nonce: %s\r\n"
	    "Cache-Control: no-store\r\n"
	    "Link: <%s>;rel=\"index\"\r\n", nonce, acme->config->url);
}

static void
put_vline(struct acme_call *call, const char *front, const char *back,
    const char *format, va_list ap)
{
	char path[ACME_URL_MAX];

	vsnprintf(path, sizeof(path), format, ap);
	oc_buffer_printf(&call->fields, "%s%s%s%s\r\n", front,
	    call->acme->base, path, back);
}

void
issuer_acme_put_url(struct acme_call *call, const char *name,
    const char *format, ...)
{
	char front[40];
	va_list ap;

	snprintf(front, sizeof(front), "%s: ", name);
	va_start(ap, format);
	put_vline(call, front, "", format, ap);
	va_end(ap);
}

void
issuer_acme_put_link(struct acme_call *call, const char *relation,
    const char *format, ...)
{
	char back[40];
	va_list ap;

	snprintf(back, sizeof(back), ">;rel=\"%s\"", relation);
	va_start(ap, format);
	put_vline(call, "Link: <", back, format, ap);
	va_end(ap);
}

void
issuer_acme_put_retry(struct acme_call *call, int64_t seconds)
{
	oc_buffer_printf(&call->fields, "Retry-After: %" PRId64 "\r\n",
	    seconds);
}

/* --- answers ------------------------------------------------------------ */

static void
send(struct issuer_acme *acme, struct net_exchange *exchange, int status,
    const char *type, const char *more, json_t *json)
{
	struct oc_buffer fields;

	oc_buffer_init(&fields, FIELDS_MAX);
	put_usual(acme, &fields);
	oc_buffer_put_text(&fields, more);
	issuer_door_reply(exchange, status, type, oc_buffer_text(&fields),
	    json);
	oc_buffer_fini(&fields);
}

/* A body that is none of JSON, or (text NULL) none. */
static void
send_text(struct acme_call *call, int status, const char *type,
    const struct oc_buffer *text)
{
	struct oc_buffer fields;

	oc_buffer_init(&fields, FIELDS_MAX);
	put_usual(call->acme, &fields);
	oc_buffer_put_text(&fields, oc_buffer_text(&call->fields));
	net_reply(call->exchange, status, type, oc_buffer_text(&fields),
	    text == NULL ? NULL : oc_buffer_text(text), text == NULL ? 0 :
	    text->len);
	oc_buffer_fini(&fields);
}

json_t *
issuer_acme_failure(int status, const char *text)
{
	struct acme_problem problem = { .error = ACME_OK };
	json_t *json;

	(void)acme_problem_set(&problem, status < 500 ? ACME_MALFORMED :
	    ACME_SERVER_INTERNAL, "%s", text);
	problem.status = status;
	json = acme_problem_json(&problem);
	acme_problem_fini(&problem);
	return json;
}

void
issuer_acme_refuse(struct issuer_acme *acme, struct net_exchange *exchange,
    const struct acme_problem *problem, const char *fields)
{
	const char *terms = problem->error == ACME_USER_ACTION_REQUIRED ?
	    acme->config->terms_of_service : NULL;
	json_t *json = acme_problem_json(problem);
	struct oc_buffer more;

	oc_buffer_init(&more, FIELDS_MAX);
	if (fields != NULL)
		oc_buffer_put_text(&more, fields);
	if (problem->retry_after_s > 0)
		oc_buffer_printf(&more, "Retry-After: %" PRId64 "\r\n",
		    problem->retry_after_s);
	/* RFC 8555, 7.3.3: for the client, and for people. */
	if (terms != NULL) {
		oc_buffer_printf(&more,
		    "Link: <%s>;rel=\"terms-of-service\"\r\n", terms);
		(void)json_object_set_new(json, "instance",
		    json_string(terms));
	}
	send(acme, exchange, problem->status != 0 ? problem->status :
	    acme_error_status(problem->error), "application/problem+json",
	    oc_buffer_text(&more), json);
	oc_buffer_fini(&more);
}

/* --- the end of a call -------------------------------------------------- */

void
issuer_acme_call_free(struct acme_call *call)
{
	acme_jws_fini(&call->jws);
	acme_jws_fini(&call->inner);
	acme_jwk_fini(&call->key);
	acme_problem_fini(&call->problem);
	store_order_fini(&call->order);
	store_asked_fini(&call->asked);
	store_certificate_fini(&call->certificate);
	oc_buffer_fini(&call->fields);
	json_decref(call->payload);
	json_decref(call->list);
	if (call->policy != NULL)
		ca_policy_fini(call->policy);
	free(call->policy);
	free(call->proofs);
	free(call->names);
	free(call->other_names);
	free(call->tags);
	free(call->authorization);
	free(call->der);
	free(call->cert);
	free(call->chain);
	free(call);
}

void
issuer_acme_succeed(struct acme_call *call, int status, json_t *json)
{
	send(call->acme, call->exchange, status, "application/json",
	    oc_buffer_text(&call->fields), json);
	issuer_acme_call_free(call);
}

void
issuer_acme_succeed_empty(struct acme_call *call, int status)
{
	send_text(call, status, NULL, NULL);
	issuer_acme_call_free(call);
}

void
issuer_acme_succeed_text(struct acme_call *call, const char *type,
    const struct oc_buffer *text)
{
	send_text(call, 200, type, text);
	issuer_acme_call_free(call);
}

void
issuer_acme_fail(struct acme_call *call, enum oc_err err, const char *text)
{
	if (call->problem.error == ACME_OK)
		(void)issuer_acme_by_rule(call, err, CA_RULE_NONE, text);
	issuer_acme_refuse(call->acme, call->exchange, &call->problem,
	    oc_buffer_text(&call->fields));
	issuer_acme_call_free(call);
}

/* --- problems ----------------------------------------------------------- */

enum oc_err
issuer_acme_limit(struct acme_call *call, int64_t retry_after_s,
    const char *text)
{
	enum oc_err err = acme_problem_set(&call->problem, ACME_RATE_LIMITED,
	    "%s", text);

	call->problem.retry_after_s = retry_after_s;
	return err;
}

enum oc_err
issuer_acme_not_found(struct acme_call *call, const char *what)
{
	enum oc_err err = acme_problem_set(&call->problem, ACME_MALFORMED,
	    "there is no such %s", what);

	call->problem.status = 404;
	return err;
}

enum oc_err
issuer_acme_not_yours(struct acme_call *call, const char *what)
{
	return acme_problem_set(&call->problem, ACME_UNAUTHORIZED,
	    "this %s is another account's", what);
}

enum oc_err
issuer_acme_by_rule(struct acme_call *call, enum oc_err err,
    enum ca_rule rule, const char *text)
{
	struct acme_problem *p = &call->problem;
	enum acme_error error = ACME_SERVER_INTERNAL;

	switch (issuer_fault_of(err)) {
	case ISSUER_REFUSED:
		error = rule == CA_RULE_NONE ? ACME_MALFORMED :
		    acme_error_of_rule(rule);
		err = rule == CA_RULE_NONE ? acme_problem_set(p, error, "%s",
		    text) : acme_problem_set(p, error, "%s (%s)", text,
		    ca_rule_name(rule));
		if (error == ACME_RATE_LIMITED)
			p->retry_after_s = 3600;
		return err;
	case ISSUER_AWAY:
		err = acme_problem_set(p, error, "%s", text);
		p->status = 503;
		p->retry_after_s = AWAY_RETRY_S;
		return err;
	case ISSUER_BROKEN:
		break;
	}
	oc_log(OC_LOG_ERROR, "ACME: %s", text);
	return acme_problem_set(p, error,
	    "the request could not be carried out");
}
