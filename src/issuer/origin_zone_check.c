/* SPDX-License-Identifier: Apache-2.0 */
/*
 * activation_check: begins to look, or, by e-mail, sends a code and recognises
 * it.  What the prover looks at, nobody waits for here; a message is waited
 * for, since nobody would try it again.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <openssl/crypto.h>

#include "base/clock.h"
#include "issuer/origin_zone.h"
#include "issuer/prover.h"
#include "net/json.h"

/* What the validator may take beyond its own time. */
#define ASK_MARGIN_S 5

/* --- what is asked ------------------------------------------------------ */

static enum oc_err
read_fields(struct origin_call *call, struct oc_error *error)
{
	struct origin_zone *z = call->zone;
	const char *method = "dns";

	if (net_json_get_string(call->document, "method", &method) != OC_OK ||
	    net_json_get_string(call->document, "to", &z->to) != OC_OK ||
	    net_json_get_string(call->document, "code", &z->code) != OC_OK)
		return oc_error_set(error, OC_ERR_MALFORMED, "method, to and "
		    "code are strings");
	if (store_method_find(method, &z->method) != OC_OK ||
	    z->method > STORE_METHOD_EMAIL)
		return oc_error_set(error, OC_ERR_MALFORMED, "method: dns, "
		    "meta, file or email");
	if (z->method != STORE_METHOD_EMAIL &&
	    (z->to != NULL || z->code != NULL))
		return oc_error_set(error, OC_ERR_MALFORMED, "to and code are "
		    "for the method email");
	return OC_OK;
}

/* Clients of Cloudflare's send nothing. */
static void
read_document(struct origin_call *call)
{
	const struct net_request *r = net_exchange_request(call->exchange);
	struct oc_error *error = &call->document_error;

	call->zone->method = STORE_METHOD_DNS;
	if (r->body_len == 0)
		return;
	call->document_err = net_json_parse(r->body, r->body_len,
	    &call->document, error);
	if (call->document_err == OC_OK)
		call->document_err = read_fields(call, error);
}

/* --- in the store ------------------------------------------------------- */

static enum oc_err
redeem(struct store *store, struct origin_call *call, struct oc_error *error)
{
	struct origin_zone *z = call->zone;
	enum oc_err err = proof_redeem_code(store,
	    &issuer_service_config(call->service)->validation, &z->claim,
	    z->code, oc_clock_now_s());

	if (err == OC_ERR_EXISTS || err == OC_ERR_REFUSED)
		return oc_error_set(error, OC_ERR_REFUSED, "the zone, or one "
		    "inside or around it, is another account's");
	/* That one was wrong is written down, and so is no error here. */
	if (err == OC_OK || err == OC_ERR_MISMATCH)
		err = issuer_origin_find_zone(store, call, error);
	return err;
}

static enum oc_err
check_send(struct origin_call *call, int64_t now_at, struct oc_error *error)
{
	const struct origin_zone *z = call->zone;
	enum oc_err err = proof_check_send(proof_challenge_by(&z->claim,
	    z->method), now_at, error);

	if (err == OC_ERR_LIMIT)
		call->explanation.rule = CA_RULE_QUOTA;
	return err;
}

static enum oc_err
begin(struct store *store, struct origin_call *call, struct oc_error *error)
{
	struct origin_zone *z = call->zone;
	enum oc_err err = call->document_err;
	const struct store_challenge *c;

	if (err != OC_OK) {
		*error = call->document_error;
		return err;
	}
	err = issuer_origin_find_zone(store, call, error);
	if (err != OC_OK || z->has_zone)
		return err;
	if (z->claim.state != STORE_PROOF_PENDING ||
	    z->claim.expires_at <= oc_clock_now_s())
		return oc_error_set(error, OC_ERR_REFUSED, "this claim is "
		    "over: claim the zone again");
	c = proof_challenge_by(&z->claim, z->method);
	if (c == NULL)
		return oc_error_set(error, OC_ERR_UNSUPPORTED, "there is no "
		    "proof by %s here", store_method_text(z->method));
	if (z->code != NULL)
		return redeem(store, call, error);
	if (z->to != NULL)
		return check_send(call, oc_clock_now_s(), error);
	if (z->method == STORE_METHOD_EMAIL || c->begun_at != 0)
		return OC_OK;
	return store_begin_challenge(store, c->id, oc_clock_now_s());
}

/* The claim as it is now: others may have sent one while the contacts were
 * looked for. */
static enum oc_err
note_sent(struct store *store, struct origin_call *call,
    struct oc_error *error)
{
	struct origin_zone *z = call->zone;
	int64_t now_at = oc_clock_now_s();
	enum oc_err err;

	err = store_get_authorization(store, z->claim.id, &z->claim);
	if (err == OC_OK)
		err = check_send(call, now_at, error);
	return err != OC_OK ? err : store_send_challenge(store,
	    proof_challenge_by(&z->claim, z->method)->id, z->contact,
	    z->hash, now_at);
}

/* --- by e-mail ---------------------------------------------------------- */

static void
fail_reply(struct origin_call *call, const char *what,
    const struct validation_reply *reply)
{
	char text[VALIDATION_SEEN_MAX + 64];

	snprintf(text, sizeof(text), "%s: %s", what, reply->seen);
	if (reply->fault == VALIDATION_OURS)
		issuer_origin_fail(call, 503, ORIGIN_TRY_LATER, text);
	else
		issuer_origin_fail(call, 400, ORIGIN_BAD_REQUEST, text);
}

static void
ask(struct origin_call *call, const struct validation_question *question,
    validation_done_fn *done)
{
	const struct oc_config *config = issuer_service_config(call->service);
	struct issuer_prover *prover = issuer_service_prover(call->service);
	struct validation_ask *ask;
	enum oc_err err = prover == NULL ? OC_ERR_DOWN :
	    validation_client_ask(issuer_prover_client(prover), question,
	    oc_clock_mono_ns() + (config->validation.timeout_s +
	    ASK_MARGIN_S) * OC_NS_PER_S, done, call, &ask);

	if (err != OC_OK)
		issuer_origin_fail(call, 503, ORIGIN_TRY_LATER,
		    "nobody looks now: try again");
}

static void
sent(void *arg, const struct validation_reply *reply)
{
	struct origin_call *call = arg;

	if (reply->fault != VALIDATION_NO_FAULT)
		fail_reply(call, "the message was not taken", reply);
	else
		issuer_origin_succeed(call,
		    issuer_origin_describe_zone(call), NULL);
}

/* The code is known by now: it may arrive. */
static void
send(struct origin_call *call)
{
	struct origin_zone *z = call->zone;
	char subject[PROOF_SUBJECT_MAX];
	struct validation_question question = { .task = VALIDATION_MAIL,
		.name = z->claim.name, .to = z->contact, .subject = subject };
	struct oc_buffer body;

	oc_buffer_init(&body, VALIDATION_BODY_MAX);
	proof_write_mail(&issuer_service_config(call->service)->validation,
	    &z->claim, call->account.name, z->secret, subject, &body);
	question.body = oc_buffer_text(&body);
	OPENSSL_cleanse(z->secret, sizeof(z->secret));
	if (body.err == OC_OK)
		ask(call, &question, sent);
	else
		issuer_origin_fail(call, 500, ORIGIN_BROKEN,
		    "out of memory");
	oc_buffer_fini(&body);
}

static void
note_done(struct store_job *job, void *arg)
{
	struct origin_call *call = arg;

	if (job->err == OC_OK)
		send(call);
	else
		issuer_origin_fail_rule(call, job->err, &call->explanation,
		    call->error.text[0] != '\0' ? call->error.text :
		    job->error_text);
}

static enum oc_err
run_note(struct store *store, void *arg)
{
	struct origin_call *call = arg;

	return note_sent(store, call, &call->error);
}

static void
begin_sending(struct origin_call *call)
{
	call->job = (struct store_job){ .kind = STORE_JOB_CHANGE,
		.fn = run_note, .done = note_done, .arg = call };
	if (proof_new_code(call->zone->secret, call->zone->hash) != OC_OK)
		issuer_origin_fail(call, 500, ORIGIN_BROKEN,
		    "no random octets");
	else if (issuer_service_submit(call->service, &call->job) != OC_OK)
		issuer_origin_fail(call, 503, ORIGIN_TRY_LATER,
		    "busy: try again");
}

static void
answer_contacts(struct origin_call *call,
    const struct validation_reply *reply)
{
	json_t *zone = issuer_origin_describe_zone(call);
	json_t *contacts = json_array();

	for (uint32_t i = 0; i < reply->num_contacts; i++)
		json_array_append_new(contacts,
		    json_string(reply->contacts[i]));
	json_object_set_new(zone, "contacts", contacts);
	issuer_origin_succeed(call, zone, NULL);
}

static void
contacts_seen(void *arg, const struct validation_reply *reply)
{
	struct origin_call *call = arg;
	struct origin_zone *z = call->zone;

	if (reply->fault != VALIDATION_NO_FAULT) {
		fail_reply(call, "whom to write to", reply);
		return;
	}
	if (z->to == NULL) {
		answer_contacts(call, reply);
		return;
	}
	for (uint32_t i = 0; i < reply->num_contacts; i++)
		if (strcasecmp(reply->contacts[i], z->to) == 0) {
			snprintf(z->contact, sizeof(z->contact), "%s",
			    reply->contacts[i]);
			begin_sending(call);
			return;
		}
	issuer_origin_fail(call, 400, ORIGIN_BAD_REQUEST, "to: none of those "
	    "who may be written to");
}

/* --- both --------------------------------------------------------------- */

static void
begun(struct origin_call *call)
{
	struct origin_zone *z = call->zone;
	const struct validation_question question = {
		.task = VALIDATION_CONTACTS, .name = z->claim.name };

	if (!z->has_zone && z->code != NULL) {
		issuer_origin_fail(call, 400, ORIGIN_BAD_REQUEST,
		    "code: another was sent");
	} else if (!z->has_zone && z->method == STORE_METHOD_EMAIL) {
		ask(call, &question, contacts_seen);
	} else {
		issuer_prover_kick(issuer_service_prover(call->service));
		issuer_origin_succeed(call,
		    issuer_origin_describe_zone(call), NULL);
	}
}

void
issuer_origin_check_zone(struct origin_call *call)
{
	read_document(call);
	call->is_change = true;
	issuer_origin_begin(call, begin, begun);
}
