/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of a call, acme.h's.  What is wrong with a request is found in the
 * order in which it can be trusted: form, URL, nonce, signature, account; the
 * payload is looked at when all of that is right.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "issuer/acme.h"

#define FIELDS_MAX (16 * 1024)
#define BUSY_TEXT "busy: try again"

/* --- keys that were seen lately ----------------------------------------- */

static struct acme_known_key *
slot_of(struct issuer_acme *acme, const char *tag)
{
	/* Hexadecimal, and random. */
	size_t n = (size_t)(oc_hex_value(tag[0]) & 15) << 4 |
	    (size_t)(oc_hex_value(tag[1]) & 15);

	return &acme->keys[n % ACME_KEYS_KNOWN];
}

/* False: it is not known. */
static bool
take_known_key(struct acme_call *call)
{
	struct issuer_acme *acme = call->acme;
	struct acme_known_key *slot = slot_of(acme, call->account_tag);
	char jwk[STORE_JWK_MAX + 1] = "";

	pthread_mutex_lock(&acme->lock);
	if (slot->jwk != NULL && strcmp(slot->tag, call->account_tag) == 0)
		snprintf(jwk, sizeof(jwk), "%s", slot->jwk);
	pthread_mutex_unlock(&acme->lock);
	return jwk[0] != '\0' && acme_jwk_parse(jwk, &call->key) == OC_OK;
}

static void
remember_key(struct acme_call *call)
{
	struct issuer_acme *acme = call->acme;
	struct acme_known_key *slot = slot_of(acme, call->account_tag);
	char *jwk = strdup(call->account.jwk), *old;

	pthread_mutex_lock(&acme->lock);
	old = slot->jwk;
	slot->jwk = jwk;
	memcpy(slot->tag, call->account_tag, sizeof(slot->tag));
	pthread_mutex_unlock(&acme->lock);
	free(old);
}

/* --- on the store's thread ---------------------------------------------- */

static enum oc_err
find_account(struct store *store, void *arg)
{
	struct acme_call *call = arg;
	enum oc_err err = store_find_acme_account(store, call->account_tag,
	    &call->account);

	return err != OC_ERR_NOT_FOUND ? err : acme_problem_set(
	    &call->problem, ACME_ACCOUNT_DOES_NOT_EXIST,
	    "there is no such account");
}

static enum oc_err
check_registry(struct acme_call *call)
{
	if (call->registry.state == STORE_ACCOUNT_ACTIVE)
		return OC_OK;
	return acme_problem_set(&call->problem, ACME_UNAUTHORIZED,
	    "account %s is disabled (account)", call->registry.name);
}

/* Each time anew: it may have been rolled over or deactivated since. */
static enum oc_err
check_account(struct store *store, struct acme_call *call)
{
	struct store_acme_account *a = &call->account;
	enum oc_err err = find_account(store, call);

	if (err != OC_OK)
		return err;
	if (a->state != STORE_ACME_VALID)
		return acme_problem_set(&call->problem, ACME_UNAUTHORIZED,
		    "the account is %s", a->state == STORE_ACME_REVOKED ?
		    "revoked" : "deactivated");
	if (memcmp(a->thumbprint, call->key.thumbprint,
	    sizeof(a->thumbprint)) != 0)
		return acme_problem_set(&call->problem, ACME_UNAUTHORIZED,
		    "this key is not the account's any more");
	err = store_get_account(store, a->account_id, &call->registry);
	return err != OC_OK ? err : check_registry(call);
}

static enum oc_err
run_call(struct store *store, void *arg)
{
	struct acme_call *call = arg;
	enum oc_err err = OC_OK;

	call->now_at = oc_clock_now_s();
	if (call->account_tag[0] != '\0')
		err = check_account(store, call);
	if (err == OC_OK && call->endpoint->run != NULL)
		err = call->endpoint->run(store, call);
	return err;
}

static void
call_run(struct store_job *job, void *arg)
{
	struct acme_call *call = arg;

	if (call->account_tag[0] != '\0' && job->err == OC_OK &&
	    !call->is_known)
		remember_key(call);
	if (job->err == OC_OK)
		call->endpoint->answer(call);
	else
		issuer_acme_fail(call, job->err, job->error_text);
}

void
issuer_acme_submit(struct acme_call *call, enum store_job_kind kind,
    store_job_fn *fn, store_job_done_fn *done)
{
	enum oc_err err;

	call->job = (struct store_job){ .kind = kind, .fn = fn, .done = done,
	    .arg = call };
	err = issuer_service_submit(call->acme->service, &call->job);
	if (err != OC_OK)
		issuer_acme_fail(call, err, BUSY_TEXT);
}

/* --- on a worker -------------------------------------------------------- */

static enum oc_err
read_payload(struct acme_call *call)
{
	const struct acme_endpoint *e = call->endpoint;

	if (call->jws.payload_len == 0)
		return (e->payload & ACME_EMPTY) != 0 ? OC_OK :
		    acme_problem_set(&call->problem, ACME_MALFORMED,
		    "there must be a payload, a JSON object");
	if ((e->payload & ACME_OBJECT) == 0)
		return acme_problem_set(&call->problem, ACME_MALFORMED,
		    "the payload must be empty (POST-as-GET)");
	return acme_jws_payload(&call->jws, &call->payload, &call->problem);
}

static void
go_on(struct acme_call *call)
{
	call->err = read_payload(call);
	if (call->err == OC_OK && call->endpoint->prepare != NULL)
		call->err = call->endpoint->prepare(call);
	if (call->err != OC_OK)
		return;
	call->job = (struct store_job){ .kind = call->endpoint->kind,
	    .fn = run_call, .done = call_run, .arg = call };
	call->work.then = &call->job;
}

/* With the key that it has, or the account has. */
static void
verify(struct acme_call *call, const struct acme_jwk *key)
{
	call->err = acme_jws_verify(&call->jws, key, &call->problem);
	if (call->err == OC_OK)
		go_on(call);
}

static void worked(void *arg);

static void
verify_with_account(void *arg)
{
	struct acme_call *call = arg;
	enum oc_err err = acme_jwk_parse(call->account.jwk, &call->key);

	if (err == OC_OK)
		verify(call, &call->key);
	else
		call->err = err;
}

static void
account_found(struct store_job *job, void *arg)
{
	struct acme_call *call = arg;
	enum oc_err err = job->err;

	if (err != OC_OK) {
		issuer_acme_fail(call, err, job->error_text);
		return;
	}
	call->work = (struct issuer_work){ verify_with_account, worked, call,
	    NULL };
	err = issuer_workers_submit(issuer_service_workers(
	    call->acme->service), &call->work);
	if (err != OC_OK)
		issuer_acme_fail(call, err, BUSY_TEXT);
}

static void
look_account_up(struct acme_call *call)
{
	call->job = (struct store_job){ .kind = STORE_JOB_READ,
	    .fn = find_account, .done = account_found, .arg = call };
	call->work.then = &call->job;
}

/* RFC 8555, 6.4: what was signed is for this very resource. */
static enum oc_err
check_url(struct acme_call *call)
{
	const struct net_request *r = net_exchange_request(call->exchange);
	const struct issuer_acme *acme = call->acme;
	char *url = NULL;
	bool is_same;

	if (call->jws.url == NULL)
		return acme_problem_set(&call->problem, ACME_MALFORMED,
		    "the protected header has no url");
	if (asprintf(&url, "%.*s%s%s%s", (int)acme->origin_len, acme->base,
	    r->path, r->query[0] != '\0' ? "?" : "", r->query) < 0)
		return OC_ERR_NOMEM;
	is_same = strcmp(url, call->jws.url) == 0;
	free(url);
	return is_same ? OC_OK : acme_problem_set(&call->problem,
	    ACME_UNAUTHORIZED, "the protected header's url is not the one "
	    "that this was sent to");
}

static enum oc_err
use_nonce(struct acme_call *call)
{
	struct issuer_acme *acme = call->acme;
	enum oc_err err = OC_ERR_REFUSED;

	if (call->jws.nonce != NULL) {
		pthread_mutex_lock(&acme->lock);
		err = acme_nonces_use(acme->nonces, call->jws.nonce);
		pthread_mutex_unlock(&acme->lock);
	}
	return err == OC_OK ? OC_OK : acme_problem_set(&call->problem,
	    ACME_BAD_NONCE, "the nonce is not one of ours, or was used, or "
	    "is too old");
}

/* jwk or kid, as the resource wants it; kid is an account's URL. */
static enum oc_err
check_who(struct acme_call *call)
{
	enum acme_key_wish wish = call->endpoint->key;
	const char *kid = call->jws.kid;
	size_t base_len = strlen(call->acme->base);

	if (call->jws.has_jwk)
		return wish != ACME_KID ? OC_OK : acme_problem_set(
		    &call->problem, ACME_MALFORMED, "kid is wanted here, an "
		    "account's URL, and no jwk");
	if (wish == ACME_JWK)
		return acme_problem_set(&call->problem, ACME_MALFORMED,
		    "a jwk is wanted here, and no kid");
	if (strncmp(kid, call->acme->base, base_len) != 0 ||
	    strncmp(kid + base_len, "account/", 8) != 0 ||
	    strlen(kid + base_len + 8) != STORE_TAG_LEN ||
	    strspn(kid + base_len + 8, "0123456789abcdef") != STORE_TAG_LEN)
		return acme_problem_set(&call->problem,
		    ACME_ACCOUNT_DOES_NOT_EXIST,
		    "kid is the URL of no account here");
	memcpy(call->account_tag, kid + base_len + 8, STORE_TAG_LEN + 1);
	return OC_OK;
}

/* A key that was rolled over elsewhere is known no longer: the store says
 * which it is now. */
static void
verify_with_known_key(struct acme_call *call)
{
	struct acme_problem none = { .error = ACME_OK };

	call->is_known = true;
	if (acme_jws_verify(&call->jws, &call->key, &none) == OC_OK) {
		go_on(call);
	} else {
		call->is_known = false;
		acme_jwk_fini(&call->key);
		memset(&call->key, 0, sizeof(call->key));
		look_account_up(call);
	}
	acme_problem_fini(&none);
}

static void
read_request(void *arg)
{
	struct acme_call *call = arg;
	const struct net_request *r = net_exchange_request(call->exchange);

	call->err = acme_jws_read(r->body, r->body_len, ACME_JWS_OUTER,
	    &call->jws, &call->problem);
	if (call->err == OC_OK)
		call->err = check_url(call);
	if (call->err == OC_OK)
		call->err = use_nonce(call);
	if (call->err == OC_OK)
		call->err = check_who(call);
	if (call->err != OC_OK)
		return;
	if (call->jws.has_jwk)
		verify(call, &call->jws.jwk);
	else if (take_known_key(call))
		verify_with_known_key(call);
	else
		look_account_up(call);
}

/* It failed, or the store did not take it. */
static void
worked(void *arg)
{
	struct acme_call *call = arg;

	issuer_acme_fail(call, call->err != OC_OK ? call->err : OC_ERR_BUSY,
	    call->err != OC_OK ? oc_strerror(call->err) : BUSY_TEXT);
}

/* --- on the event loop -------------------------------------------------- */

static void
begin_post(struct acme_call *call)
{
	const struct net_request *r = net_exchange_request(call->exchange);
	enum oc_err err;

	if (!net_request_is_type(r, "application/jose+json")) {
		(void)acme_problem_set(&call->problem, ACME_MALFORMED,
		    "Content-Type is application/jose+json");
		call->problem.status = 415;
		issuer_acme_fail(call, OC_OK, "");
		return;
	}
	call->work = (struct issuer_work){ read_request, worked, call, NULL };
	err = issuer_workers_submit(issuer_service_workers(
	    call->acme->service), &call->work);
	if (err != OC_OK)
		issuer_acme_fail(call, err, BUSY_TEXT);
}

void
issuer_acme_begin(struct issuer_acme *acme, struct net_exchange *exchange,
    const struct acme_endpoint *endpoint,
    char ids[ACME_PATH_IDS][ACME_PATH_ID_MAX])
{
	struct acme_call *call = calloc(1, sizeof(*call));

	if (call == NULL) {
		net_reply(exchange, 500, NULL, NULL, NULL, 0);
		return;
	}
	call->acme = acme;
	call->exchange = exchange;
	call->endpoint = endpoint;
	memcpy(call->ids, ids, sizeof(call->ids));
	oc_buffer_init(&call->fields, FIELDS_MAX);
	if (endpoint->method == NET_POST)
		begin_post(call);
	else if (endpoint->run != NULL)
		issuer_acme_submit(call, endpoint->kind, run_call, call_run);
	else
		endpoint->answer(call);
}
