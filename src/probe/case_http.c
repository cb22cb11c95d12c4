/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP/1.x around the request: versions, connections, methods, deadlines. */
#include <poll.h>
#include <stdlib.h>

#include "base/clock.h"
#include "probe/case.h"

#define MANY 1000
#define PIPELINED 16
#define DRIBBLE_NS (10 * OC_NS_PER_MS)
/* RFC 9110 has no number; who waits longer for a header can be held. */
#define SLOW_PASS_NS (15 * OC_NS_PER_S)
#define SLOW_MAX_NS (45 * OC_NS_PER_S)

/* --- versions and hosts ----------------------------------------------- */

static void
case_http10(struct probe *p, const struct probe_case *c)
{
	struct probe_http http = { .target = p->target,
	    .version = "HTTP/1.0", .flags = PROBE_NO_HOST | PROBE_KEEP };
	struct probe_connection connection;
	struct probe_answer a;
	struct oc_error error = { 0 };
	size_t len;

	(void)c;
	if (!probe_connect(p, &connection))
		return;
	probe_put(p, &connection, probe_make_http(p, &http));
	probe_get(p, &connection, NULL, &a);
	if (probe_expect(p, &a, PROBE_SAME, "the answer of HTTP/1.1")) {
		if (probe_read_end(&connection, &len, &error) != OC_OK)
			probe_fail(p, "it does not close: %s", error.text);
		else if (len > 0)
			probe_fail(p, "%zu octets behind the reply", len);
		else
			probe_pass(p, "%s, and closed", a.seen.text);
	}
	probe_close(&connection);
}

static void
case_http10_kept(struct probe *p, const struct probe_case *c)
{
	struct probe_http http = { .target = p->target,
	    .version = "HTTP/1.0", .fields = "Connection: keep-alive\r\n",
	    .flags = PROBE_KEEP };
	struct probe_connection connection;
	struct probe_answer a;

	(void)c;
	if (!probe_connect(p, &connection))
		return;
	probe_put(p, &connection, probe_make_http(p, &http));
	probe_get(p, &connection, NULL, &a);
	if (!probe_expect(p, &a, PROBE_SAME, "the answer of HTTP/1.1")) {
		;
	} else if (!a.reply.is_kept) {
		probe_policy(p, "%s, and closed", a.seen.text);
	} else if (!a.reply.is_http10 &&
	    probe_num_fields(&a.reply, "Connection") == 0) {
		/* To 1.0 the default is another. */
		probe_fail(p, "without \"Connection: keep-alive\"");
	} else {
		probe_put(p, &connection, probe_make_http(p, &http));
		probe_get(p, &connection, NULL, &a);
		probe_judge(p, &a, PROBE_SAME, 0, "a second answer");
	}
	probe_close(&connection);
}

static void
case_no_host(struct probe *p, const struct probe_case *c)
{
	struct probe_http http = { .target = p->target,
	    .flags = PROBE_NO_HOST };
	struct probe_answer a;

	(void)c;
	probe_exchange(p, probe_make_http(p, &http), NULL, &a);
	if (a.status == 400)
		probe_pass(p, "HTTP 400");
	else
		probe_fail(p, "%s, not HTTP 400", a.seen.text);
}

/* Neither must be waited for without end, nor answered. */
static void
case_junk(struct probe *p, const struct probe_case *c)
{
	/* The beginning of a TLS ClientHello. */
	static const uint8_t hello[] = { 0x16, 0x03, 0x01, 0x00, 0xa5, 0x01,
	    0x00, 0x00, 0xa1, 0x03, 0x03, 0x0d, 0x0a, 0x0d, 0x0a };
	static const uint8_t nuls[64];
	const struct der_bytes junk[] = { DER_ARRAY(hello), DER_ARRAY(nuls) };
	const struct der_bytes old[] = { DER_LITERAL("GET /x\r\n") };
	const struct der_bytes *sent = c->variant == 9 ? old : junk;
	size_t num = c->variant == 9 ? 1 : 2;
	struct probe_answer a;

	for (size_t i = 0; i < num; i++) {
		probe_exchange(p, sent[i], NULL, &a);
		if (!probe_expect(p, &a, PROBE_BIT(PROBE_CLOSED) |
		    PROBE_BIT(PROBE_REFUSED) | PROBE_BIT(PROBE_NO_HTTP) |
		    PROBE_BIT(PROBE_FAILED), "HTTP 400 or a close"))
			return;
	}
	if (a.outcome == PROBE_REFUSED || a.outcome == PROBE_CLOSED)
		probe_pass(p, "%s", a.seen.text);
	else
		probe_policy(p, "%s, not HTTP 400", a.seen.text);
}

/* --- kept connections ------------------------------------------------- */

static void
case_many(struct probe *p, const struct probe_case *c)
{
	struct probe_http http = { .target = p->target,
	    .flags = PROBE_KEEP };
	struct der_bytes octets = probe_make_http(p, &http);
	size_t mark = p->arena_used;
	struct probe_connection connection;
	struct probe_answer a;
	unsigned int n = 0;

	(void)c;
	if (!p->o->is_thorough) {
		probe_skip(p, "%d requests: give --thorough", MANY);
		return;
	}
	if (!probe_connect(p, &connection))
		return;
	connection.deadline_ns = p->deadline_ns;
	do {
		probe_rewind(p, mark);
		probe_put(p, &connection, octets);
		probe_get(p, &connection, NULL, &a);
		n++;
	} while (a.is_same && a.reply.is_kept && n < MANY);
	if (!a.is_same)
		probe_fail(p, "request %u: %s", n, a.seen.text);
	else if (n < MANY)
		probe_policy(p, "closed, as it said, after %u", n);
	else
		probe_pass(p, "%u answers", n);
	probe_close(&connection);
}

/* Two kinds of them by turns, so that the order can be seen. */
static void
case_pipeline(struct probe *p, const struct probe_case *c)
{
	struct der_bytes certid = probe_make_certid(p,
	    &(struct probe_certid_plan){ .is_absent = true });
	struct probe_asked asked = { .certid = certid };
	struct probe_http http = { .flags = PROBE_KEEP };
	struct der_bytes all = { NULL, 0 };
	struct probe_connection connection;
	struct probe_answer a;
	unsigned int n;

	(void)c;
	for (n = 0; n < PIPELINED; n++) {
		http.target = n % 2 == 0 ? p->target : probe_target(p,
		    probe_make_request(p, &(struct probe_request){
		    .certids = &certid, .num_certids = 1 }));
		all = probe_join(p, all, probe_make_http(p, &http));
	}
	if (!probe_connect(p, &connection))
		return;
	probe_put(p, &connection, all);
	for (n = 0; n < PIPELINED; n++) {
		probe_get(p, &connection, n % 2 == 0 ? NULL : &asked, &a);
		if ((PROBE_BIT(a.outcome) & PROBE_BELIEVED) == 0 ||
		    (!a.reply.is_kept && n + 1 < PIPELINED))
			break;
	}
	if (n == PIPELINED)
		probe_pass(p, "%u answers in their order", n);
	else if ((PROBE_BIT(a.outcome) & PROBE_BELIEVED) != 0)
		probe_policy(p, "closed, as it said, after %u", n + 1);
	else
		probe_fail(p, "reply %u: %s", n + 1, a.seen.text);
	probe_close(&connection);
}

/* --- slow clients ----------------------------------------------------- */

static void
pause_until(int64_t until_ns)
{
	while (oc_clock_mono_ns() < until_ns)
		(void)poll(NULL, 0, oc_clock_poll_ms(until_ns));
}

static void
case_dribble(struct probe *p, const struct probe_case *c)
{
	struct probe_http http = { .body = p->request };
	struct der_bytes octets = probe_make_http(p, &http);
	int64_t next_ns = oc_clock_mono_ns();
	struct probe_connection connection;
	struct probe_answer a;

	(void)c;
	if (!probe_connect(p, &connection))
		return;
	connection.deadline_ns += (int64_t)octets.len * DRIBBLE_NS;
	for (size_t i = 0; i < octets.len; i++) {
		if (probe_wait(&connection, next_ns))
			break;
		probe_put(p, &connection, (struct der_bytes){ octets.p + i,
		    1 });
		next_ns += DRIBBLE_NS;
	}
	probe_get(p, &connection, NULL, &a);
	probe_judge(p, &a, PROBE_SAME, 0, "the answer of the same at once");
	probe_close(&connection);
}

/* A header line a second, for ever; meanwhile somebody else asks. */
static void
case_slow(struct probe *p, const struct probe_case *c)
{
	int64_t began_ns = oc_clock_mono_ns(), now_ns = began_ns;
	struct probe_connection connection;
	struct probe_answer other;

	(void)c;
	if (!probe_connect(p, &connection))
		return;
	connection.deadline_ns = began_ns + SLOW_MAX_NS + OC_NS_PER_S;
	probe_put(p, &connection, probe_text(p, "POST %s HTTP/1.1\r\n"
	    "Host: %s\r\n", p->o->path[0] == '\0' ? "/" : p->o->path,
	    p->o->authority));
	pause_until(began_ns + OC_NS_PER_S / 4);
	probe_ask_plain(p, &other);
	if (!probe_expect(p, &other, PROBE_SAME, "an answer to others while "
	    "one client is slow")) {
		probe_close(&connection);
		return;
	}
	while (now_ns < began_ns + SLOW_MAX_NS &&
	    !probe_wait(&connection, now_ns + OC_NS_PER_S)) {
		probe_put(p, &connection, DER_LITERAL("X-Slow: 1\r\n"));
		now_ns = oc_clock_mono_ns();
	}
	now_ns = oc_clock_mono_ns() - began_ns;
	if (now_ns >= SLOW_MAX_NS)
		probe_fail(p, "a header without end is waited for over %d s",
		    (int)(SLOW_MAX_NS / OC_NS_PER_S));
	else if (now_ns > SLOW_PASS_NS)
		probe_policy(p, "given up after %d s",
		    (int)(now_ns / OC_NS_PER_S));
	else
		probe_pass(p, "given up after %d s; others are answered",
		    (int)(now_ns / OC_NS_PER_S));
	probe_close(&connection);
}

/* Goes away while the answer is written. */
static void
case_reset(struct probe *p, const struct probe_case *c)
{
	struct probe_http http = { .target = p->target,
	    .flags = PROBE_KEEP };
	struct der_bytes octets = probe_make_http(p, &http);
	struct probe_connection connection;
	struct probe_answer a;

	(void)c;
	for (int n = 0; n < 8; n++) {
		if (!probe_connect(p, &connection))
			return;
		for (int i = 0; i < 8; i++)
			probe_put(p, &connection, octets);
		if (n % 2 == 0)
			(void)probe_wait(&connection, oc_clock_mono_ns() +
			    OC_NS_PER_S);
		probe_reset(&connection);
	}
	probe_ask_plain(p, &a);
	probe_judge(p, &a, PROBE_SAME, 0, "an answer after resets");
}

/* --- methods ---------------------------------------------------------- */

/* Each field of a GET that a cache goes by; Date may differ. */
static bool
has_same_fields(struct probe *p, const struct probe_reply *get,
    const struct probe_reply *head)
{
	static const char *const names[] = { "Content-Type", "ETag",
	    "Last-Modified", "Expires" };
	struct der_bytes a, b;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		bool has_a = probe_field(get, names[i], &a);
		bool has_b = probe_field(head, names[i], &b);

		if (has_a != has_b || (has_a && p->is_presigned &&
		    !der_bytes_equal(a, b))) {
			probe_fail(p, "%s is not that of GET", names[i]);
			return false;
		}
	}
	return true;
}

static void
case_head(struct probe *p, const struct probe_case *c)
{
	struct probe_http get = { .target = p->target };
	struct probe_http head = { .target = p->target, .method = "HEAD" };
	struct probe_asked asked = { .method = PROBE_METHOD_HEAD };
	struct probe_connection connection;
	struct probe_answer by_get, a;
	struct der_bytes length;
	struct oc_error error = { 0 };
	size_t len;

	(void)c;
	probe_exchange(p, probe_make_http(p, &get), NULL, &by_get);
	if (!probe_connect(p, &connection))
		return;
	probe_put(p, &connection, probe_make_http(p, &head));
	probe_get(p, &connection, &asked, &a);
	if (a.status == 0) {
		probe_fail(p, "%s", a.seen.text);
	} else if (probe_read_end(&connection, &len, &error) != OC_OK ||
	    len > 0) {
		probe_fail(p, "a body behind the header, or no end");
	} else if (a.status != by_get.status) {
		probe_fail(p, "HTTP %d, and %d to GET", a.status,
		    by_get.status);
	} else if (has_same_fields(p, &by_get.reply, &a.reply)) {
		if (!probe_field(&a.reply, "Content-Length", &length))
			probe_policy(p, "without Content-Length");
		else if (p->is_presigned && strtoul((const char *)length.p,
		    NULL, 10) != by_get.reply.body.len)
			probe_fail(p, "another Content-Length than GET's");
		else
			probe_pass(p, "GET's header, no body");
	}
	probe_close(&connection);
}

static void
case_method(struct probe *p, const struct probe_case *c)
{
	static const char *const methods[] = { "OPTIONS", "PUT", "DELETE" };
	struct probe_http http = { .method = methods[c->variant],
	    .target = p->target };
	struct probe_answer a;
	struct der_bytes allow;

	probe_exchange(p, probe_make_http(p, &http), NULL, &a);
	if (a.status == 405) {
		if (probe_num_fields(&a.reply, "Allow") == 0)
			probe_fail(p, "HTTP 405 without Allow");
		else if (!probe_fields_have(&a.reply, "Allow", "GET", NULL) &&
		    !probe_fields_have(&a.reply, "Allow", "POST", NULL))
			probe_fail(p, "HTTP 405 that allows neither GET nor "
			    "POST");
		else if (probe_field(&a.reply, "Allow", &allow))
			probe_pass(p, "HTTP 405, Allow: %.*s",
			    (int)(allow.len < 60 ? allow.len : 60),
			    (const char *)allow.p);
		else
			probe_pass(p, "HTTP 405, several Allow");
	} else if (a.status == 501 || a.outcome == PROBE_REFUSED ||
	    (c->variant == 0 && a.outcome == PROBE_OTHER_TYPE)) {
		probe_policy(p, "%s, not HTTP 405", a.seen.text);
	} else {
		probe_fail(p, "%s, not HTTP 405", a.seen.text);
	}
}

const struct probe_case probe_cases_http[] = {
	{ "http10", "RFC9112:2.3", case_http10, 0,
	    "HTTP/1.0 without Host: answered and closed" },
	{ "http10-ka", "RFC9112:C.2.2", case_http10_kept, 0,
	    "HTTP/1.0 with keep-alive" },
	{ "http11-nohost", "RFC9112:3.2", case_no_host, 0,
	    "HTTP/1.1 without Host: 400" },
	{ "http09", "RFC9112:3", case_junk, 9,
	    "a request line without version" },
	{ "junk", "RFC9112:2.2", case_junk, 0,
	    "a TLS ClientHello, NULs" },
	{ "keepalive-1000", "RFC9112:9.3", case_many, 0,
	    "1000 requests on one connection" },
	{ "pipeline-16", "RFC9112:9.3.2", case_pipeline, 0,
	    "16 GETs at once: answers in their order" },
	{ "byte-at-a-time", "RFC9112:2.2", case_dribble, 0,
	    "a POST of which an octet comes each 10 ms" },
	{ "slowloris", "RFC9110:15.5.9", case_slow, 0,
	    "a header without end is given up, others are answered" },
	{ "head", "RFC9110:9.3.2", case_head, 0,
	    "HEAD: the header of GET, no body" },
	{ "options", "RFC9110:15.5.6", case_method, 0,
	    "OPTIONS: 405 with Allow" },
	{ "put", "RFC9110:15.5.6", case_method, 1,
	    "PUT: 405 with Allow" },
	{ "delete", "RFC9110:15.5.6", case_method, 2,
	    "DELETE: 405 with Allow" },
	{ "rst-midwrite", "RFC9112:9.5", case_reset, 0,
	    "clients that reset: others are answered" },
	{ NULL, NULL, NULL, 0, NULL }
};
