/* SPDX-License-Identifier: Apache-2.0 */
/* The body of a POST: its framing (RFC 9112, 6), its type, what is behind. */
#include <stdio.h>

#include "base/clock.h"
#include "probe/case.h"

#define BIG (1024 * 1024)
/* How long who refuses a body may take to say so before it comes. */
#define EARLY_NS (2 * OC_NS_PER_S)

/* --- Expect ----------------------------------------------------------- */

static void
case_expect(struct probe *p, const struct probe_case *c)
{
	struct probe_http http = { .body = p->request,
	    .fields = "Expect: 100-continue\r\n" };
	struct der_bytes octets = probe_make_http(p, &http);
	size_t head_len = octets.len - p->request.len;
	const struct probe_asked first = { .takes_interim = true };
	struct probe_connection connection;
	struct probe_answer a;
	bool is_early;

	(void)c;
	if (!probe_connect(p, &connection))
		return;
	probe_put(p, &connection, (struct der_bytes){ octets.p, head_len });
	is_early = probe_wait(&connection, oc_clock_mono_ns() + EARLY_NS);
	if (is_early) {
		probe_get(p, &connection, &first, &a);
		if (a.status != 100) {
			probe_judge(p, &a, 0, a.status == 417 ?
			    PROBE_BIT(PROBE_REFUSED) : 0, "HTTP 100");
			probe_close(&connection);
			return;
		}
	}
	probe_put(p, &connection, p->request);
	probe_get(p, &connection, NULL, &a);
	if (!probe_expect(p, &a, PROBE_SAME, "the answer behind 100"))
		;
	else if (is_early)
		probe_pass(p, "HTTP 100, then %s", a.seen.text);
	else if (a.reply.is_http10)
		probe_policy(p, "an HTTP/1.0 server: no 100");
	else
		probe_fail(p, "neither 100 nor a final status before the "
		    "body came");
	probe_close(&connection);
}

static void
case_expect_bogus(struct probe *p, const struct probe_case *c)
{
	struct probe_http http = { .body = p->request,
	    .fields = "Expect: the-unexpected\r\n" };
	struct probe_answer a;

	(void)c;
	probe_exchange(p, probe_make_http(p, &http), NULL, &a);
	if (a.status == 417)
		probe_pass(p, "HTTP 417");
	else
		probe_judge(p, &a, 0, PROBE_SAME | PROBE_BIT(PROBE_REFUSED),
		    "HTTP 417");
}

/* --- framing ---------------------------------------------------------- */

/* Chunks of 1, 2, 3 ... octets, each with an extension; a trailer. */
static struct der_bytes
chunked(struct probe *p, struct der_bytes body)
{
	struct der_bytes all = { NULL, 0 };
	size_t at = 0, size = 1;

	for (; at < body.len; at += size, size += 2) {
		if (size > body.len - at)
			size = body.len - at;
		all = probe_join(p, all, probe_text(p, "%zX;a=\"b\"\r\n",
		    size));
		all = probe_join(p, all, (struct der_bytes){ body.p + at,
		    size });
		all = probe_join(p, all, DER_LITERAL("\r\n"));
	}
	return probe_join(p, all, DER_LITERAL("000\r\nX-Trailer: 1\r\n\r\n"));
}

static void
case_chunked(struct probe *p, const struct probe_case *c)
{
	struct probe_http http = { .body = chunked(p, p->request),
	    .fields = "Transfer-Encoding: chunked\r\n",
	    .flags = PROBE_NO_LENGTH };
	struct probe_answer a;

	(void)c;
	probe_exchange(p, probe_make_http(p, &http), NULL, &a);
	if (a.status == 411 || a.status == 501)
		probe_policy(p, "HTTP %d: it wants a length", a.status);
	else
		probe_judge(p, &a, PROBE_SAME, 0,
		    "the answer of the same with a length");
}

/*
 * What two readers may understand differently.  400 is best; what goes by the
 * chunks and closes is allowed for the first, nothing else for the second.
 */
static void
case_framing(struct probe *p, const struct probe_case *c)
{
	bool has_both = c->variant == 0;
	struct probe_http http = { .flags = PROBE_NO_LENGTH | PROBE_KEEP };
	struct probe_connection connection;
	struct probe_answer a;
	struct oc_error error = { 0 };
	size_t len;

	http.body = has_both ? chunked(p, p->request) : p->request;
	http.fields = (const char *)probe_text(p, has_both ?
	    "Content-Length: %zu\r\nTransfer-Encoding: chunked\r\n%c" :
	    "Content-Length: %zu\r\nContent-Length: 3\r\n%c",
	    p->request.len, '\0').p;
	if (!probe_connect(p, &connection))
		return;
	probe_put(p, &connection, probe_make_http(p, &http));
	probe_get(p, &connection, NULL, &a);
	if (a.status != 400 && !(has_both && a.is_same)) {
		probe_fail(p, "%s, not HTTP 400", a.seen.text);
	} else if (a.reply.is_kept ||
	    probe_read_end(&connection, &len, &error) != OC_OK) {
		probe_fail(p, "%s, and the connection goes on",
		    a.seen.text);
	} else if (a.status == 400) {
		probe_pass(p, "HTTP 400, and closed");
	} else {
		probe_policy(p, "%s by the chunks, and closed",
		    a.seen.text);
	}
	probe_close(&connection);
}

/* The body is shorter than its length, and then we have no more to say. */
static void
case_cut(struct probe *p, const struct probe_case *c)
{
	struct probe_http http = { .body = p->request };
	struct der_bytes octets = probe_make_http(p, &http);
	struct probe_connection connection;
	struct probe_answer a;

	(void)c;
	if (!probe_connect(p, &connection))
		return;
	octets.len -= 7;
	probe_put(p, &connection, octets);
	probe_send_end(&connection);
	probe_get(p, &connection, NULL, &a);
	probe_judge(p, &a, PROBE_BIT(PROBE_CLOSED) |
	    PROBE_BIT(PROBE_REFUSED), PROBE_BIT(PROBE_MALFORMED),
	    "HTTP 400 or a close");
	probe_close(&connection);
}

static void
case_no_length(struct probe *p, const struct probe_case *c)
{
	struct probe_http http = { .body = p->request,
	    .flags = PROBE_NO_LENGTH };
	struct probe_answer a;

	(void)c;
	probe_exchange(p, probe_make_http(p, &http), NULL, &a);
	if (a.status == 411 || a.status == 400)
		probe_pass(p, "HTTP %d", a.status);
	else
		probe_judge(p, &a, 0, PROBE_BIT(PROBE_MALFORMED) |
		    PROBE_BIT(PROBE_REFUSED), "HTTP 411");
}

/* 1 MiB is announced; sent only to who does not refuse that. */
static void
case_big(struct probe *p, const struct probe_case *c)
{
	struct probe_connection connection;
	struct probe_answer a;
	uint8_t zeros[4096] = { 0 };
	bool is_early;

	(void)c;
	if (!probe_connect(p, &connection))
		return;
	probe_put(p, &connection, probe_text(p, "POST %s HTTP/1.1\r\n"
	    "Host: %s\r\nContent-Type: application/ocsp-request\r\n"
	    "Content-Length: %d\r\n\r\n", p->o->path[0] == '\0' ? "/" :
	    p->o->path, p->o->authority, BIG));
	is_early = probe_wait(&connection, oc_clock_mono_ns() + EARLY_NS);
	for (int n = 0; !is_early && n < BIG / (int)sizeof(zeros); n++)
		probe_put(p, &connection, DER_ARRAY(zeros));
	probe_get(p, &connection, NULL, &a);
	if (a.status == 413 && is_early)
		probe_pass(p, "HTTP 413 before the body");
	else if (a.status == 413)
		probe_policy(p, "HTTP 413, but behind the body");
	else
		probe_judge(p, &a, 0, PROBE_BIT(PROBE_REFUSED) |
		    PROBE_BIT(PROBE_MALFORMED) | PROBE_BIT(PROBE_CLOSED),
		    "HTTP 413");
	probe_close(&connection);
}

/* --- type and contents ------------------------------------------------ */

static void
case_type(struct probe *p, const struct probe_case *c)
{
	static const char *const types[] = { "", "text/plain",
	    "application/ocsp-request; charset=utf-8" };
	struct probe_http http = { .body = p->request,
	    .type = types[c->variant] };
	struct probe_answer a;

	probe_exchange(p, probe_make_http(p, &http), NULL, &a);
	probe_judge(p, &a, PROBE_SAME, c->variant == 2 ? 0 :
	    PROBE_BIT(PROBE_REFUSED), "the answer of the right type");
}

/* Two octets behind the DER: some clients sent CR LF there. */
static void
case_extra(struct probe *p, const struct probe_case *c)
{
	struct probe_answer zeros, lines;

	(void)c;
	probe_post(p, probe_join(p, p->request, (struct der_bytes){
	    (const uint8_t *)"\0\0", 2 }), NULL, &zeros);
	probe_post(p, probe_join(p, p->request, DER_LITERAL("\r\n")), NULL,
	    &lines);
	if (!probe_expect(p, &zeros, PROBE_BIT(PROBE_MALFORMED) | PROBE_SAME,
	    "malformedRequest") || !probe_expect(p, &lines,
	    PROBE_BIT(PROBE_MALFORMED) | PROBE_SAME, "malformedRequest"))
		return;
	if (zeros.outcome == PROBE_MALFORMED &&
	    lines.outcome == PROBE_MALFORMED)
		probe_pass(p, "malformedRequest");
	else
		probe_policy(p, "%s behind NULs, %s behind CR LF",
		    zeros.seen.text, lines.seen.text);
}

static void
case_empty(struct probe *p, const struct probe_case *c)
{
	struct probe_answer a;

	(void)c;
	probe_post(p, (struct der_bytes){ NULL, 0 }, NULL, &a);
	probe_judge(p, &a, PROBE_BIT(PROBE_MALFORMED),
	    PROBE_BIT(PROBE_REFUSED), "malformedRequest");
}

const struct probe_case probe_cases_body[] = {
	{ "expect-100", "RFC9110:10.1.1", case_expect, 0,
	    "Expect: 100-continue: 100, then the answer" },
	{ "expect-bogus", "RFC9110:10.1.1", case_expect_bogus, 0,
	    "another expectation: 417" },
	{ "chunked", "RFC9112:7.1", case_chunked, 0,
	    "a chunked body, with extensions and a trailer" },
	{ "cl+te", "RFC9112:6.3", case_framing, 0,
	    "Content-Length beside Transfer-Encoding: 400, closed" },
	{ "dup-cl", "RFC9112:6.3", case_framing, 1,
	    "two different Content-Lengths: 400, closed" },
	{ "cl-short", "RFC9112:8", case_cut, 0,
	    "a body that ends too early" },
	{ "cl-missing", "RFC9110:15.5.12", case_no_length, 0,
	    "a POST without length: 411" },
	{ "body-extra", "RFC6960:4.1.1", case_extra, 0,
	    "two octets behind the DER" },
	{ "body-big", "RFC9110:15.5.14", case_big, 0,
	    "1 MiB: 413 before it is read" },
	{ "ctype-missing", "RFC6960:A.1", case_type, 0,
	    "a POST without Content-Type" },
	{ "ctype-wrong", "RFC6960:A.1", case_type, 1,
	    "a POST with text/plain" },
	{ "ctype-charset", "RFC9110:8.3.1", case_type, 2,
	    "a POST whose Content-Type has a parameter" },
	{ "post-empty", "RFC6960:2.3", case_empty, 0,
	    "a POST of nothing" },
	{ NULL, NULL, NULL, 0, NULL }
};
