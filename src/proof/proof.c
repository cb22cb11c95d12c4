/* SPDX-License-Identifier: Apache-2.0 */
#include "proof/proof.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "acme/jws.h"
#include "acme/problem.h"

/* --- what is looked for ------------------------------------------------- */

static enum oc_err
want_http_01(const struct store_challenge *c, const uint8_t *thumbprint,
    struct proof_wanted *w)
{
	w->task = VALIDATION_FILE;
	snprintf(w->path, sizeof(w->path), "acme-challenge/%s", c->token);
	acme_key_authorization(c->token, thumbprint, w->expected,
	    sizeof(w->expected));
	return OC_OK;
}

static enum oc_err
want_dns_01(const struct store_challenge *c, const uint8_t *thumbprint,
    struct proof_wanted *w)
{
	char authorization[VALIDATION_EXPECTED_MAX + 1];
	char value[ACME_THUMBPRINT_TEXT_LEN + 1];
	enum oc_err err;

	w->task = VALIDATION_TXT;
	w->prefix = "_acme-challenge.";
	acme_key_authorization(c->token, thumbprint, authorization,
	    sizeof(authorization));
	err = acme_dns_value(authorization, value);
	if (err == OC_OK)
		snprintf(w->expected, sizeof(w->expected), "%s", value);
	return err;
}

static enum oc_err
want(const struct store_challenge *c, const uint8_t *thumbprint,
    struct proof_wanted *w)
{
	snprintf(w->expected, sizeof(w->expected), "%s", c->token);
	switch (c->method) {
	case STORE_METHOD_DNS:
		w->task = VALIDATION_TXT;
		w->prefix = PROOF_DNS_PREFIX;
		return OC_OK;
	case STORE_METHOD_META:
		w->task = VALIDATION_META;
		return OC_OK;
	case STORE_METHOD_FILE:
		w->task = VALIDATION_FILE;
		snprintf(w->path, sizeof(w->path), PROOF_FILE_PATH);
		return OC_OK;
	case STORE_METHOD_HTTP_01:
		return thumbprint == NULL ? OC_ERR_UNSUPPORTED :
		    want_http_01(c, thumbprint, w);
	case STORE_METHOD_DNS_01:
		return thumbprint == NULL ? OC_ERR_UNSUPPORTED :
		    want_dns_01(c, thumbprint, w);
	case STORE_METHOD_EMAIL:
	case STORE_METHOD_OPERATOR:
		break;
	}
	return OC_ERR_UNSUPPORTED;
}

enum oc_err
proof_want(const struct store_authorization *a,
    const struct store_challenge *c, const uint8_t *thumbprint,
    struct proof_wanted *wanted)
{
	struct proof_wanted w = { .prefix = NULL };
	enum oc_err err;

	if (strlen(a->name) > VALIDATION_NAME_MAX)
		return OC_ERR_LIMIT;
	snprintf(w.name, sizeof(w.name), "%s", a->name);
	err = want(c, thumbprint, &w);
	if (err == OC_OK)
		*wanted = w;
	return err;
}

struct validation_question
proof_question(const struct proof_wanted *wanted)
{
	return (struct validation_question){
		.task = wanted->task,
		.name = wanted->name,
		.prefix = wanted->prefix,
		.path = wanted->path[0] == '\0' ? NULL : wanted->path,
		.expected = wanted->expected
	};
}

/* --- what came of it ---------------------------------------------------- */

static enum acme_error
error_of(enum validation_fault fault)
{
	switch (fault) {
	case VALIDATION_NO_FAULT:
		return ACME_OK;
	case VALIDATION_DNS_FAULT:
		return ACME_DNS;
	case VALIDATION_CONNECTION_FAULT:
		return ACME_CONNECTION;
	case VALIDATION_TLS_FAULT:
		return ACME_TLS;
	case VALIDATION_INCORRECT:
		return ACME_INCORRECT_RESPONSE;
	case VALIDATION_CAA_FAULT:
		return ACME_CAA;
	case VALIDATION_REFUSED:
		return ACME_UNAUTHORIZED;
	case VALIDATION_OURS:
		break;
	}
	return ACME_SERVER_INTERNAL;
}

enum oc_err
proof_problem(const struct validation_reply *reply,
    char text[STORE_PROBLEM_MAX + 1])
{
	struct acme_problem problem = { .error = ACME_OK };
	enum oc_err err = OC_ERR_NOMEM;
	json_t *json;
	char *dump = NULL;

	(void)acme_problem_set(&problem, error_of(reply->fault), "%s",
	    reply->seen);
	json = acme_problem_json(&problem);
	if (json != NULL)
		dump = json_dumps(json, JSON_COMPACT);
	if (dump != NULL)
		err = strlen(dump) > STORE_PROBLEM_MAX ? OC_ERR_LIMIT : OC_OK;
	if (err == OC_OK)
		memcpy(text, dump, strlen(dump) + 1);
	free(dump);
	json_decref(json);
	acme_problem_fini(&problem);
	return err;
}

/* A client of ACME's waits for the answer, and has said that it is there;
 * who edits a zone by hand has not looked at the clock. */
#define ACME_TRIES_MAX 3

int64_t
proof_next_try(const struct oc_config_validation *config,
    enum store_method method, const struct validation_reply *reply,
    uint32_t num_tries, int64_t now_at)
{
	static const int64_t waits_s[] = { 5, 15, 60, 300 };
	uint32_t num = sizeof(waits_s) / sizeof(waits_s[0]);
	bool is_acme = method == STORE_METHOD_HTTP_01 ||
	    method == STORE_METHOD_DNS_01;

	if (num_tries >= (uint64_t)config->tries ||
	    (is_acme && num_tries >= ACME_TRIES_MAX) ||
	    (is_acme && !reply->is_temporary))
		return 0;
	return now_at + waits_s[num_tries < 1 ? 0 :
	    num_tries > num ? num - 1 : num_tries - 1];
}
