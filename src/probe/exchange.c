/* SPDX-License-Identifier: Apache-2.0 */
/* Asking, and what a reply amounts to. */
#include <strings.h>

#include "base/clock.h"
#include "probe/case.h"

/* Before one reply; a proxy or two may each have a word. */
#define INTERIM_MAX 8

bool
probe_connect(struct probe *p, struct probe_connection *c)
{
	struct oc_error error = { 0 };

	if (probe_open(&p->peer, c, &error) != OC_OK) {
		probe_fail(p, "%s", error.text);
		probe_close(c);
		return false;
	}
	if (c->deadline_ns > p->deadline_ns)
		c->deadline_ns = p->deadline_ns;
	return true;
}

void
probe_put(struct probe *p, struct probe_connection *c,
    struct der_bytes octets)
{
	/* Who has closed may have said before why: the reply tells. */
	enum oc_err err = probe_send(c, octets, NULL);

	(void)p;
	(void)err;
}

/* --- what it is ------------------------------------------------------- */

/* The reply's octets to where they stay. */
static bool
keep(struct probe *p, struct probe_reply *reply)
{
	uint8_t *octets = probe_take(p, reply->head.len + reply->body.len);

	if (octets == NULL)
		return false;
	if (reply->head.len > 0)
		memcpy(octets, reply->head.p, reply->head.len);
	if (reply->body.len > 0)
		memcpy(octets + reply->head.len, reply->body.p,
		    reply->body.len);
	reply->head.p = octets;
	reply->body.p = octets + reply->head.len;
	return true;
}

static void
set_error(struct probe_answer *a, enum ocsp_response_status status)
{
	switch (status) {
	case OCSP_MALFORMED_REQUEST:
		a->outcome = PROBE_MALFORMED;
		break;
	case OCSP_INTERNAL_ERROR:
		a->outcome = PROBE_INTERNAL;
		break;
	case OCSP_TRY_LATER:
		a->outcome = PROBE_TRY_LATER;
		break;
	case OCSP_SIG_REQUIRED:
		a->outcome = PROBE_SIG_REQUIRED;
		break;
	case OCSP_UNAUTHORIZED:
		a->outcome = PROBE_UNAUTHORIZED;
		break;
	case OCSP_SUCCESSFUL:
		oc_assert(status != OCSP_SUCCESSFUL);
	}
	oc_error_set(&a->seen, OC_OK, "%s", ocsp_response_status_name(status));
}

static void
set_status(struct probe_answer *a)
{
	const char *nonce = a->checked.nonce == PROBE_NONCE_SAME ?
	    ", with the nonce" : "";

	switch (a->checked.single.status.kind) {
	case OCSP_GOOD:
		a->outcome = PROBE_GOOD;
		oc_error_set(&a->seen, OC_OK, "good%s", nonce);
		return;
	case OCSP_REVOKED:
		a->outcome = PROBE_REVOKED;
		oc_error_set(&a->seen, OC_OK, "revoked%s", nonce);
		return;
	case OCSP_UNKNOWN:
		a->outcome = PROBE_UNKNOWN;
		oc_error_set(&a->seen, OC_OK, "unknown%s", nonce);
		return;
	}
}

/* Made ahead of time, it is the same until it is made anew. */
static bool
is_same(const struct probe *p, const struct probe_asked *asked,
    const struct probe_answer *a)
{
	if (p->plain.seen.text[0] == '\0' || asked->certid.len != 0 ||
	    a->outcome != p->plain.outcome)
		return false;
	return !p->is_presigned || asked->nonce.len != 0 ||
	    der_bytes_equal(a->reply.body, p->plain.reply.body) ||
	    a->view.produced_at > p->plain.view.produced_at;
}

static void
set_unbelieved(struct probe_answer *a, const struct oc_error *error)
{
	a->outcome = PROBE_UNBELIEVED;
	oc_error_set(&a->seen, OC_OK, "no answer to be believed: %s",
	    error->text);
}

static void
understand_ocsp(struct probe *p, const struct probe_asked *asked,
    struct probe_answer *a)
{
	struct oc_error error = { 0 };

	if (ocsp_response_read(a->reply.body, &a->view, &error) != OC_OK) {
		set_unbelieved(a, &error);
		return;
	}
	if (a->view.status != OCSP_SUCCESSFUL) {
		set_error(a, a->view.status);
		return;
	}
	if (probe_check(&a->view, asked->issuer != NULL ? asked->issuer :
	    p->o->issuer, asked->certid.len != 0 ? asked->certid : p->certid,
	    asked->nonce, oc_clock_now_s(), &a->checked, &error) != OC_OK) {
		set_unbelieved(a, &error);
		return;
	}
	if (asked->nonce.len == 0 && a->view.nonce.len != 0) {
		oc_error_set(&error, OC_OK, "a nonce that nobody sent");
		set_unbelieved(a, &error);
		return;
	}
	set_status(a);
	a->is_same = is_same(p, asked, a);
}

bool
probe_is_ocsp(const struct probe_reply *reply)
{
	static const char name[] = "application/ocsp-response";
	const size_t len = sizeof(name) - 1;
	struct der_bytes type;

	return probe_field(reply, "Content-Type", &type) && type.len >= len &&
	    strncasecmp((const char *)type.p, name, len) == 0 &&
	    (type.len == len || type.p[len] == ';' || type.p[len] == ' ' ||
	    type.p[len] == '\t');
}

static void
understand(struct probe *p, const struct probe_asked *asked,
    struct probe_answer *a)
{
	a->status = a->reply.status;
	if (a->status / 100 == 2 && probe_num_fields(&a->reply,
	    "Content-Encoding") > 0) {
		a->outcome = PROBE_OTHER_TYPE;
		oc_error_set(&a->seen, OC_OK, "HTTP %d with a "
		    "Content-Encoding that nobody asked for", a->status);
		return;
	}
	if (a->status / 100 == 2 && probe_is_ocsp(&a->reply)) {
		understand_ocsp(p, asked, a);
		return;
	}
	a->outcome = a->status / 100 == 2 ? PROBE_OTHER_TYPE :
	    a->status / 100 == 4 ? PROBE_REFUSED : PROBE_FAILED;
	oc_error_set(&a->seen, OC_OK, "HTTP %d%s", a->status, a->outcome ==
	    PROBE_OTHER_TYPE ? " without an OCSP response" : "");
}

/* An interim reply may come before any, asked for or not: RFC 9110, 15.2. */
static enum oc_err
read_final(struct probe_connection *c, const struct probe_asked *asked,
    struct probe_reply *reply, struct oc_error *error)
{
	for (int n = 0; n <= INTERIM_MAX; n++) {
		enum oc_err err = probe_read(c, asked->method, reply, error);

		if (err != OC_OK || reply->status / 100 != 1 ||
		    reply->status == 101 || asked->takes_interim)
			return err;
	}
	return oc_error_set(error, OC_ERR_LIMIT, "more than %d interim "
	    "replies", INTERIM_MAX);
}

void
probe_get(struct probe *p, struct probe_connection *c,
    const struct probe_asked *asked, struct probe_answer *a)
{
	static const struct probe_asked plain;
	struct oc_error error = { 0 };
	enum oc_err err;

	if (asked == NULL)
		asked = &plain;
	memset(a, 0, sizeof(*a));
	err = read_final(c, asked, &a->reply, &error);
	if (err == OC_OK && !keep(p, &a->reply))
		err = oc_error_set(&error, OC_ERR_LIMIT, "its replies are "
		    "too long");
	if (err == OC_OK) {
		understand(p, asked, a);
		return;
	}
	if (err == OC_ERR_TIMEOUT) {
		a->outcome = PROBE_SILENT;
		oc_error_set(&error, err, "no reply in time");
	} else if (err == OC_ERR_MALFORMED || err == OC_ERR_LIMIT) {
		a->outcome = PROBE_NO_HTTP;
	} else {
		a->outcome = PROBE_CLOSED;
	}
	a->seen = error;
}

void
probe_exchange(struct probe *p, struct der_bytes octets,
    const struct probe_asked *asked, struct probe_answer *a)
{
	struct probe_connection c;
	struct oc_error error = { 0 };

	memset(a, 0, sizeof(*a));
	if (probe_open(&p->peer, &c, &error) != OC_OK) {
		a->outcome = PROBE_CLOSED;
		a->seen = error;
	} else {
		if (c.deadline_ns > p->deadline_ns)
			c.deadline_ns = p->deadline_ns;
		probe_put(p, &c, octets);
		probe_get(p, &c, asked, a);
	}
	probe_close(&c);
}

void
probe_post(struct probe *p, struct der_bytes request,
    const struct probe_asked *asked, struct probe_answer *a)
{
	struct probe_http http = { .body = request, .method = "POST" };

	probe_exchange(p, probe_make_http(p, &http), asked, a);
}

void
probe_ask_plain(struct probe *p, struct probe_answer *a)
{
	struct probe_http http = { .target = p->target };

	if (p->is_by_get)
		probe_exchange(p, probe_make_http(p, &http), NULL, a);
	else
		probe_post(p, p->request, NULL, a);
}
