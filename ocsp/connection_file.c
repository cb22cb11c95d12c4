/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request for a file: its head goes into the worker's output, as any
 * answer does, and what the head announces is sent behind it
 * (connection_output.c), piece by piece, before the next request is looked
 * at.
 */
#include <string.h>

#include "ocsp/worker_state.h"

/* How long a cache may keep a CA's certificate, which has no nextUpdate: the
 * next one, under the same URL, is as old as this at most when it is seen. */
#define CERTIFICATE_MAX_AGE_S (24 * 60 * 60)

static struct ocsp_file_counts *
counts_of(struct ocsp_counts *counts, enum oc_config_file_kind kind)
{
	switch (kind) {
	case OC_FILE_CRL:
	case OC_FILE_DELTA_CRL:
		return &counts->crls;
	case OC_FILE_CERTIFICATE:
		return &counts->certificates;
	}
	return NULL;
}

static struct http_file
describe(const struct ocsp_worker *w, const struct worker_file *f)
{
	const struct ocsp_served *served = &f->served->served;
	struct http_file file = {
		.len = served->len,
		.modified_at = served->facts.modified_at,
		.until = served->facts.until,
		.max_age_s = w->options.max_age_s,
		.etag = served->facts.etag,
	};

	/* Who signs may have a clock that is ahead: RFC 9110, 8.8.2.1. */
	if (file.modified_at > w->now.at)
		file.modified_at = w->now.at;
	switch (f->kind) {
	case OC_FILE_CRL:
	case OC_FILE_DELTA_CRL:
		file.type = "application/pkix-crl";
		break;
	case OC_FILE_CERTIFICATE:
		file.type = "application/pkix-cert";
		if (file.until > w->now.at + CERTIFICATE_MAX_AGE_S)
			file.until = w->now.at + CERTIFICATE_MAX_AGE_S;
		break;
	}
	return file;
}

static void
put_status(struct connection *c, int status, uint64_t file_len)
{
	struct ocsp_worker *w = c->worker;

	w->out_len += (uint32_t)http_put_file_status(&w->now, status,
	    file_len, c->request.method, http_exchange_connection(c),
	    w->out + w->out_len);
}

/* What is sent is this file, also when another has taken its place. */
static void
put_file(struct connection *c, const struct http_file *file,
    enum http_selection selection, struct http_range range)
{
	struct ocsp_worker *w = c->worker;

	w->out_len += (uint32_t)http_put_file_head(&w->now, file, &range,
	    selection, http_exchange_connection(c), w->out + w->out_len);
	if (selection == HTTP_NOT_MODIFIED || range.len == 0 ||
	    c->request.method != HTTP_GET)
		return;
	c->body = c->file->served;
	c->body->num_users++;
	c->body_counts = counts_of(w->counts, c->file->kind);
	c->body_at = range.first;
	c->body_end = range.first + range.len;
	c->body_taken = (int64_t)range.first;
}

static void
answer(struct connection *c, struct ocsp_file_counts *counts)
{
	struct http_range range = { 0, 0 };
	enum http_selection selection;
	struct http_file file;

	if (c->request.method != HTTP_GET && c->request.method != HTTP_HEAD) {
		counts->refused++;
		put_status(c, 405, 0);
		return;
	}
	if (c->file->served == NULL) {
		counts->missing++;
		put_status(c, 404, 0);
		return;
	}
	file = describe(c->worker, c->file);
	selection = http_select(&c->request, &file, c->worker->now.at,
	    &range);
	switch (selection) {
	case HTTP_WHOLE:
		counts->whole++;
		put_file(c, &file, selection, range);
		return;
	case HTTP_PART:
		counts->part++;
		put_file(c, &file, selection, range);
		return;
	case HTTP_NOT_MODIFIED:
		counts->not_modified++;
		put_file(c, &file, selection, range);
		return;
	case HTTP_NOT_MATCHED:
		counts->refused++;
		put_status(c, 412, 0);
		return;
	case HTTP_NO_SUCH_PART:
		counts->refused++;
		put_status(c, 416, file.len);
		return;
	}
}

enum want
http_exchange_answer_file(struct connection *c)
{
	answer(c, counts_of(c->worker->counts, c->file->kind));
	(void)http_exchange_finish(c);
	if (c->body != NULL)
		c->state = CONNECTION_FILE;
	return DONE;
}

enum want
http_exchange_on_file(struct connection *c)
{
	if (c->body != NULL)
		return WANT_WRITE;
	c->state = http_exchange_stays_open(c) ? CONNECTION_HEAD :
	    CONNECTION_CLOSING;
	return DONE;
}
