/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tables do not hold is asked of ocsign-status.  A connection has
 * one question at most; how many wait altogether is bounded.  The answer is
 * written from the channel's callback, which must not ask again; everything
 * else is left to the connection, when the loop runs it next.
 */
#include <string.h>

#include "base/clock.h"
#include "ocsp/worker_state.h"

static void
put_response(struct connection *c, const struct ipc_answer *answer)
{
	struct ocsp_worker *w = c->worker;
	struct ocsp_reply reply = { .status = OCSP_SUCCESSFUL,
	    .out = http_exchange_body(w), .out_max = OCSP_RESPONSE_MAX };

	if (answer->response.len > reply.out_max) {
		http_exchange_put_error(c, OCSP_INTERNAL_ERROR, 0);
		return;
	}
	memcpy(reply.out, answer->response.p, answer->response.len);
	reply.len = answer->response.len;
	reply.modified_at = answer->this_update;
	reply.next_update = answer->next_update;
	reply.is_cacheable = false;	/* made for this request alone */
	http_exchange_put_answer(c, &reply, 0);
}

static void
put_status(struct connection *c, const struct ipc_answer *answer)
{
	uint32_t retry_after_s = answer->retry_after_s;

	switch ((enum ocsp_response_status)answer->status) {
	case OCSP_TRY_LATER:
		if (retry_after_s == 0)
			retry_after_s = c->worker->options.retry_after_s;
		http_exchange_put_error(c, OCSP_TRY_LATER, retry_after_s);
		return;
	case OCSP_MALFORMED_REQUEST:
	case OCSP_INTERNAL_ERROR:
	case OCSP_SIG_REQUIRED:
	case OCSP_UNAUTHORIZED:
		http_exchange_put_error(c,
		    (enum ocsp_response_status)answer->status, 0);
		return;
	case OCSP_SUCCESSFUL:
		break;
	}
	http_exchange_put_error(c, OCSP_INTERNAL_ERROR, 0);
}

static void
take_answer(struct connection *c, const struct ipc_answer *answer)
{
	c->verdict = MISS_ANSWERED;
	switch ((enum ipc_answer_kind)answer->kind) {
	case IPC_ANSWER_TABLE:
		c->verdict = MISS_LOOK_AGAIN;
		return;
	case IPC_ANSWER_NO_NONCE:
		c->verdict = MISS_NO_NONCE;
		return;
	case IPC_ANSWER_RESPONSE:
		put_response(c, answer);
		return;
	case IPC_ANSWER_ERROR:
		if (answer->status == OCSP_TRY_LATER && c->has_asked_nonce)
			c->verdict = MISS_NO_SIGNATURE;
		else
			put_status(c, answer);
		return;
	}
	http_exchange_put_error(c, OCSP_INTERNAL_ERROR, 0);
}

static void
on_reply(void *arg, enum oc_err err, enum ipc_type type,
    struct der_bytes fields)
{
	struct connection *c = arg;
	struct ocsp_worker *w = c->worker;
	struct ipc_answer answer;

	w->num_misses--;
	c->miss_id = 0;
	http_worker_now(w);
	ocsp_latency_add(&w->counts->miss_latency, w->now_ns - c->asked_ns);
	if (err == OC_OK && type == IPC_ANSWER &&
	    ipc_read_answer(fields, &answer) == OC_OK) {
		take_answer(c, &answer);
	} else if (c->has_asked_nonce) {
		c->verdict = MISS_NO_SIGNATURE;
	} else {
		c->verdict = MISS_ANSWERED;
		http_exchange_put_error(c, OCSP_TRY_LATER,
		    w->options.retry_after_s);
	}
	http_connection_wake(c);
}

static void
fill_ask(struct ocsp_worker *w)
{
	uint32_t i;

	strcpy(w->ask.name, w->answerer_tables[w->miss.issuer]->name);
	w->ask.num_singles = w->miss.num_singles;
	for (i = 0; i < w->miss.num_singles; i++) {
		w->ask.singles[i].encoding = w->miss.singles[i].encoding;
		w->ask.singles[i].serial = w->miss.singles[i].serial;
	}
	w->ask.nonce = (struct der_bytes){ w->miss.nonce, w->miss.nonce_len };
	w->ask.request = w->miss.signed_request;
}

bool
http_miss_ask(struct connection *c)
{
	struct ocsp_worker *w = c->worker;
	uint64_t id;
	size_t len;

	w->counts->misses++;
	w->counts->stale += w->miss.is_stale;
	c->issuer->misses++;
	c->issuer->stale += w->miss.is_stale;
	c->has_asked_nonce = w->miss.nonce_len != 0;
	if (!ocsp_source_may_ask(w->sources, c->source, w->now_ns)) {
		w->counts->address_limited++;
		return false;
	}
	if (w->num_misses >= w->options.misses_max ||
	    w->miss.issuer >= w->answerer.num_issuers) {
		w->counts->misses_refused++;
		return false;
	}
	fill_ask(w);
	ipc_turn_asks(&w->turn);
	id = ipc_channel_next_id(w->status);
	if (ipc_put_ask(w->frame, OC_FRAME_MAX, id, &w->ask, &len) != OC_OK ||
	    ipc_channel_ask(w->status, id, w->frame, len, -1,
	    w->now_ns + w->options.status_timeout_ns, on_reply, c) != OC_OK) {
		w->counts->misses_refused++;
		return false;
	}
	w->num_misses++;
	c->miss_id = id;
	c->asked_ns = w->now_ns;
	c->verdict = MISS_PENDING;
	return true;
}

void
http_miss_cancel(struct connection *c)
{
	if (c->miss_id == 0)
		return;
	ipc_channel_cancel(c->worker->status, c->miss_id);
	/* Whether by the callback or not, nobody waits any more. */
	if (c->miss_id != 0) {
		c->miss_id = 0;
		c->worker->num_misses--;
	}
}
