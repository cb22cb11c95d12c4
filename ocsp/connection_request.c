/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One request and its answer: the handlers of a connection's states.  They
 * look at the input that is there and put answers into the worker's output;
 * they never read, send, wait or close, but say what they lack.
 */
#include <string.h>

#include "ocsp/worker_state.h"

bool
http_exchange_stays_open(const struct connection *c)
{
	return c->request.keep_alive && !c->worker->is_stopping;
}

enum http_connection
http_exchange_connection(const struct connection *c)
{
	if (!http_exchange_stays_open(c))
		return HTTP_CLOSES;
	return c->request.is_http10 ? HTTP_KEEPS_ALIVE : HTTP_PERSISTS;
}

uint8_t *
http_exchange_body(const struct ocsp_worker *w)
{
	return w->out + w->out_len + HTTP_REPLY_MAX;
}

/* Of all, and of the issuer it is about. */
static void
count(struct ocsp_counts *all, struct ocsp_issuer_counts *issuer,
    enum ocsp_response_status status)
{
	switch (status) {
	case OCSP_SUCCESSFUL:
		all->successful++;
		issuer->successful++;
		return;
	case OCSP_TRY_LATER:
		all->try_later++;
		issuer->try_later++;
		return;
	case OCSP_MALFORMED_REQUEST:
		all->malformed++;
		issuer->other++;
		return;
	case OCSP_INTERNAL_ERROR:
		all->internal_errors++;
		issuer->other++;
		return;
	case OCSP_SIG_REQUIRED:
		all->sig_required++;
		issuer->other++;
		return;
	case OCSP_UNAUTHORIZED:
		all->unauthorized++;
		issuer->unauthorized++;
		return;
	}
}

static void
count_method(struct ocsp_counts *counts, enum http_method method)
{
	counts->requests++;
	switch (method) {
	case HTTP_GET:
		counts->get++;
		return;
	case HTTP_POST:
		counts->post++;
		return;
	case HTTP_HEAD:
		counts->head++;
		return;
	case HTTP_OTHER:
		counts->other_methods++;
		return;
	}
}

void
http_exchange_put_answer(struct connection *c, struct ocsp_reply *reply,
    uint32_t retry_after_s)
{
	struct ocsp_worker *w = c->worker;
	uint8_t *out = w->out + w->out_len;
	size_t len;

	reply->max_age_s = w->options.max_age_s;
	if (http_is_not_modified(&c->request, reply, w->now.at)) {
		w->counts->not_modified++;
		c->issuer->not_modified++;
		w->out_len += (uint32_t)http_put_not_modified(&w->now, reply,
		    http_exchange_connection(c), out);
		return;
	}
	count(w->counts, c->issuer, reply->status);
	len = http_put_answer_head(&w->now, reply, retry_after_s,
	    http_exchange_connection(c), out);
	if (c->request.method != HTTP_HEAD) {
		memmove(out + len, reply->out, reply->len);
		len += reply->len;
	}
	w->out_len += (uint32_t)len;
}

void
http_exchange_put_error(struct connection *c, enum ocsp_response_status status,
    uint32_t retry_after_s)
{
	struct der_bytes der = ocsp_error_response(status);
	struct ocsp_reply reply = { .status = status, .len = der.len,
	    .out = http_exchange_body(c->worker), .is_cacheable = false };

	memcpy(reply.out, der.p, der.len);
	http_exchange_put_answer(c, &reply, retry_after_s);
}

static void
put_http(struct connection *c, int status)
{
	struct ocsp_worker *w = c->worker;

	w->counts->http_errors++;
	w->out_len += (uint32_t)http_put_status(&w->now, status,
	    c->request.method, http_exchange_connection(c),
	    w->out + w->out_len);
}

/* What cannot be understood: the status, and then nothing more is read. */
static enum want
refuse(struct connection *c, int status)
{
	c->request.method = HTTP_OTHER;
	count_method(c->worker->counts, HTTP_OTHER);
	c->request.keep_alive = false;
	put_http(c, status);
	c->state = CONNECTION_CLOSING;
	return DONE;
}

enum want
http_exchange_finish(struct connection *c)
{
	c->at += c->used;
	c->head_len = c->used = 0;
	c->has_finished = true;
	c->state = http_exchange_stays_open(c) ? CONNECTION_HEAD :
	    CONNECTION_CLOSING;
	return DONE;
}

/* Where the request is, if it is in the path; it is decoded where it is. */
static void
read_target(struct connection *c)
{
	struct ocsp_worker *w = c->worker;
	uint8_t *target = c->in + (c->request.target.p - c->in);
	struct der_bytes der = { NULL, 0 };
	struct ocsp_request request;
	unsigned int cured = 0;

	if (c->request.method == HTTP_POST) {
		c->file = http_files_find(w, target, c->request.target.len);
		c->kind = http_target_of_post(c->request.target.p,
		    c->request.target.len, w->prefix);
		return;
	}
	http_files_keep(w, target, c->request.target.len);
	c->kind = http_target_decode(target, c->request.target.len, w->prefix,
	    http_tables_judge, w, &der, &cured);
	c->file = http_files_find(w, w->target, w->target_len);
	/* A path may well be base64: it is a file's if it is no request. */
	if (c->file != NULL && c->kind == HTTP_TARGET_REQUEST &&
	    ocsp_request_read(der, &request) == OC_OK)
		c->file = NULL;
	if (c->kind != HTTP_TARGET_REQUEST)
		return;
	c->der_at = (uint32_t)(der.p - c->in) - c->at;
	c->der_len = (uint32_t)der.len;
	w->counts->cured_escapes += (cured & HTTP_CURED_ESCAPES) != 0;
	w->counts->cured_alphabet += (cured & HTTP_CURED_ALPHABET) != 0;
	w->counts->cured_slashes += (cured & HTTP_CURED_SLASHES) != 0;
}

/* The target of an absolute-form without a path is no part of the input. */
static bool
has_own_target(const struct connection *c)
{
	return c->request.target.p >= c->in &&
	    c->request.target.p < c->in + c->end;
}

enum want
http_exchange_on_head(struct connection *c)
{
	struct ocsp_worker *w = c->worker;
	int rv;

	if (c->in == NULL)
		return WANT_READ;
	c->at += (uint32_t)http_blank_len(c->in + c->at, c->end - c->at);
	rv = http_request_parse(c->in + c->at, c->end - c->at, &c->request);
	if (rv == 0)
		return WANT_READ;
	if (rv < 0)
		return refuse(c, -rv);
	count_method(w->counts, c->request.method);
	c->head_len = c->used = (uint32_t)rv;
	c->modes = OCSP_NONCE_WANTED;
	c->issuer = &w->nobody;
	c->has_looked_again = false;
	c->has_other_type = c->request.method == HTTP_POST &&
	    !http_media_type_is(c->request.content_type,
	    "application/ocsp-request");
	w->counts->other_content_types += c->has_other_type;
	c->file = NULL;
	if (!has_own_target(c))
		c->kind = HTTP_TARGET_ROOT;
	else if (c->request.method != HTTP_OTHER)
		read_target(c);
	else
		c->file = http_files_find(w, c->request.target.p,
		    c->request.target.len);
	c->state = CONNECTION_ANSWER;
	if (c->request.framing == HTTP_NO_BODY) {
		if (c->request.method == HTTP_POST)
			c->der_at = c->der_len = 0;
		return DONE;
	}
	memset(&c->chunked, 0, sizeof(c->chunked));
	c->state = CONNECTION_BODY;
	if (c->request.expects_continue && c->end == c->at + c->head_len)
		w->out_len += (uint32_t)http_put_continue(w->out + w->out_len);
	return DONE;
}

/* A request may end in these two octets: what its length says counts. */
static bool
has_crlf_behind(const uint8_t *p, uint32_t len)
{
	struct der_reader r = der_reader_of((struct der_bytes){ p, len });
	struct der_bytes contents;

	return der_get(&r, DER_SEQUENCE, &contents) && r.end - r.p == 2 &&
	    r.p[0] == '\r' && r.p[1] == '\n';
}

enum want
http_exchange_on_body(struct connection *c)
{
	uint32_t body = c->at + c->head_len, len = c->end - body;
	size_t used;
	int rv;

	if (c->request.framing == HTTP_CHUNKED) {
		rv = http_chunked_decode(&c->chunked, c->in + body, len,
		    &used);
		if (rv < 0)
			return refuse(c, -rv);
		if (rv == 0) {
			c->end = body + c->chunked.len;
			return WANT_READ;
		}
		c->used = c->head_len + (uint32_t)used;
		len = c->chunked.len;
	} else {
		if (len < c->request.content_length)
			return WANT_READ;
		len = c->request.content_length;
		c->used = c->head_len + len;
	}
	if (c->request.method == HTTP_POST) {
		c->der_at = c->head_len;
		c->der_len = len;
		if (c->worker->options.tolerates_crlf &&
		    has_crlf_behind(c->in + body, len))
			c->der_len -= 2;
	}
	c->state = CONNECTION_ANSWER;
	return DONE;
}

/* RFC 9919, 3.2.1: an answer without the nonce, if there is one; nothing more
 * is asked for it. */
static enum want
answer_without_nonce(struct connection *c)
{
	c->modes |= OCSP_NONCE_SKIP;
	c->has_looked_again = true;
	c->state = CONNECTION_ANSWER;
	return DONE;
}

static enum want
ask_status(struct connection *c)
{
	if (!http_miss_ask(c)) {
		if (c->has_asked_nonce)
			return answer_without_nonce(c);
		http_exchange_put_error(c, OCSP_TRY_LATER,
		    c->worker->options.retry_after_s);
		return http_exchange_finish(c);
	}
	c->state = CONNECTION_STATUS;
	return WANT_STATUS;
}

static enum want
answer_ocsp(struct connection *c)
{
	struct ocsp_worker *w = c->worker;
	struct ocsp_reply reply = { .out = http_exchange_body(w),
	    .out_max = OCSP_RESPONSE_MAX };
	struct der_bytes der = { c->in + c->at + c->der_at, c->der_len };
	uint32_t retry_after_s = w->options.retry_after_s;
	enum ocsp_outcome outcome;
	bool is_hit;

	outcome = ocsp_answer(&w->answerer, der, w->now.at, c->modes, &reply,
	    &w->miss);
	/* Looked again, so it was signed: into a table that took the place
	 * of ours, if it is not in ours. */
	if (outcome == OCSP_MISSED && (c->has_looked_again ?
	    http_tables_check(w) : http_tables_check_retired(w)))
		outcome = ocsp_answer(&w->answerer, der, w->now.at, c->modes,
		    &reply, &w->miss);
	c->issuer = http_tables_counts(w, reply.issuer);
	w->counts->without_basic += reply.lacks_basic && !c->has_looked_again;
	if (outcome == OCSP_MISSED) {
		if (!c->has_looked_again)
			return ask_status(c);
		http_exchange_put_error(c, OCSP_TRY_LATER, retry_after_s);
	} else if (reply.status == OCSP_UNAUTHORIZED &&
	    !http_tables_are_complete(w)) {
		http_exchange_put_error(c, OCSP_TRY_LATER, retry_after_s);
	} else {
		is_hit = reply.status == OCSP_SUCCESSFUL &&
		    !c->has_looked_again;
		w->counts->hits += is_hit;
		c->issuer->hits += is_hit;
		http_exchange_put_answer(c, &reply, retry_after_s);
	}
	return http_exchange_finish(c);
}

enum want
http_exchange_on_answer(struct connection *c)
{
	struct ocsp_worker *w = c->worker;

	if (WORKER_OUT_LEN - w->out_len < WORKER_ANSWER_MAX)
		return WANT_WRITE;
	if (c->file != NULL)
		return http_exchange_answer_file(c);
	if (c->request.method == HTTP_OTHER) {
		put_http(c, 405);
		return http_exchange_finish(c);
	}
	if (c->has_other_type && w->options.refuses_other_types) {
		put_http(c, 415);
		return http_exchange_finish(c);
	}
	switch (c->kind) {
	case HTTP_TARGET_REQUEST:
		return answer_ocsp(c);
	case HTTP_TARGET_ROOT:
		if (c->request.method == HTTP_POST)
			return answer_ocsp(c);
		if (w->options.refuses_no_request) {
			http_exchange_put_error(c, OCSP_MALFORMED_REQUEST, 0);
			return http_exchange_finish(c);
		}
		w->counts->pages++;
		w->out_len += (uint32_t)http_put_page(&w->now,
		    c->request.method, http_exchange_connection(c),
		    w->out + w->out_len);
		return http_exchange_finish(c);
	case HTTP_TARGET_OTHER:
		put_http(c, 404);
		return http_exchange_finish(c);
	}
	return http_exchange_finish(c);
}

/* ocsign-status has spoken, or nobody has. */
enum want
http_exchange_on_status(struct connection *c)
{
	switch (c->verdict) {
	case MISS_PENDING:
		return WANT_STATUS;
	case MISS_ANSWERED:
		return http_exchange_finish(c);
	case MISS_LOOK_AGAIN:
		(void)http_tables_check_retired(c->worker);
		c->modes |= OCSP_REQUESTOR_KNOWN;
		c->has_looked_again = true;
		c->state = CONNECTION_ANSWER;
		return DONE;
	case MISS_NO_SIGNATURE:
		return answer_without_nonce(c);
	case MISS_NO_NONCE:
		/* Declined twice is declined. */
		c->has_looked_again = (c->modes & OCSP_NONCE_SKIP) != 0;
		c->modes |= OCSP_NONCE_SKIP | OCSP_REQUESTOR_KNOWN;
		c->state = CONNECTION_ANSWER;
		return DONE;
	}
	return WANT_STATUS;
}
