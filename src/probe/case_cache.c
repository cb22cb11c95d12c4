/* SPDX-License-Identifier: Apache-2.0 */
/* What caches go by: RFC 9919, 7.2, with RFC 9110 and RFC 9111. */
#include <inttypes.h>
#include <stdio.h>

#include "der/time.h"
#include "probe/case.h"

#define DELTA_MAX_S (INT64_C(1) << 31)

static void
ask(struct probe *p, const char *fields, struct probe_answer *a)
{
	struct probe_http http = { .target = p->target, .fields = fields };

	probe_exchange(p, probe_make_http(p, &http), NULL, a);
}

/* With a NUL behind, as others want it. */
static const char *
text_of(struct probe *p, struct der_bytes value)
{
	return (const char *)probe_text(p, "%.*s%c",
	    (int)(value.len < 200 ? value.len : 200),
	    (const char *)value.p, '\0').p;
}

/* --- POST and GET ----------------------------------------------------- */

static void
case_post_is_get(struct probe *p, const struct probe_case *c)
{
	struct probe_answer by_get, by_post;
	struct der_bytes a, b;

	(void)c;
	ask(p, NULL, &by_get);
	probe_post(p, p->request, NULL, &by_post);
	if (!probe_expect(p, &by_get, PROBE_SAME, "an answer by GET") ||
	    !probe_expect(p, &by_post, PROBE_SAME, "an answer by POST"))
		return;
	if (!der_bytes_equal(by_get.reply.body, by_post.reply.body))
		probe_policy(p, "each is signed anew");
	else if (probe_field(&by_get.reply, "ETag", &a) !=
	    probe_field(&by_post.reply, "ETag", &b))
		probe_policy(p, "the same octets, one with an ETag");
	else if (probe_field(&by_get.reply, "ETag", &a) &&
	    !der_bytes_equal(a, b))
		probe_fail(p, "the same octets with two ETags");
	else
		probe_pass(p, "the same octets");
}

/* --- conditional requests --------------------------------------------- */

static void
judge_304(struct probe *p, const struct probe_answer *whole,
    const struct probe_answer *a)
{
	static const char *const names[] = { "Date", "ETag",
	    "Cache-Control", "Expires" };
	struct der_bytes value;

	if (a->is_same) {
		probe_policy(p, "the whole answer, not HTTP 304");
		return;
	}
	if (a->status != 304) {
		probe_fail(p, "%s, not HTTP 304", a->seen.text);
		return;
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (probe_field(&whole->reply, names[i], &value) &&
		    !probe_field(&a->reply, names[i], &value)) {
			probe_fail(p, "HTTP 304 without %s", names[i]);
			return;
		}
	probe_pass(p, "HTTP 304");
}

static void
ask_if(struct probe *p, const char *field, const char *condition)
{
	struct probe_http http = { .target = p->target };
	struct probe_connection connection;
	struct probe_answer whole, a;
	struct oc_error error = { 0 };
	struct der_bytes value;
	size_t len;

	ask(p, NULL, &whole);
	if (!probe_expect(p, &whole, PROBE_SAME, "an answer by GET"))
		return;
	if (!probe_field(&whole.reply, field, &value)) {
		probe_policy(p, "no %s", field);
		return;
	}
	http.fields = text_of(p, probe_text(p, "%s: %s\r\n", condition,
	    text_of(p, value)));
	if (!probe_connect(p, &connection))
		return;
	probe_put(p, &connection, probe_make_http(p, &http));
	probe_get(p, &connection, NULL, &a);
	if (a.status == 304 && (probe_read_end(&connection, &len, &error) !=
	    OC_OK || len > 0))
		probe_fail(p, "HTTP 304 with a body, or no end");
	else
		judge_304(p, &whole, &a);
	probe_close(&connection);
}

static void
case_etag(struct probe *p, const struct probe_case *c)
{
	(void)c;
	ask_if(p, "ETag", "If-None-Match");
}

static void
case_since(struct probe *p, const struct probe_case *c)
{
	(void)c;
	ask_if(p, "Last-Modified", "If-Modified-Since");
}

/* --- dates and ages --------------------------------------------------- */

static void
case_dates(struct probe *p, const struct probe_case *c)
{
	static const char *const names[] = { "Date", "Expires",
	    "Last-Modified" };
	struct probe_answer a;
	struct der_bytes value;
	const char *missing = NULL;
	int64_t at;

	(void)c;
	ask(p, NULL, &a);
	if (!probe_expect(p, &a, PROBE_SAME, "an answer by GET"))
		return;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (probe_num_fields(&a.reply, names[i]) == 0)
			missing = names[i];
		else if (!probe_field(&a.reply, names[i], &value) ||
		    !probe_date(value, &at))
			probe_fail(p, "%s: %s is no IMF-fixdate", names[i],
			    text_of(p, value));
	}
	if (probe_num_fields(&a.reply, "Date") == 0)
		probe_fail(p, "no Date");
	else if (missing != NULL)
		probe_policy(p, "no %s", missing);
	else
		probe_pass(p, "all three in GMT");
}

/* The clock of the responder, else ours. */
static int64_t
served_at(const struct probe_answer *a, int64_t otherwise)
{
	struct der_bytes value;
	int64_t at;

	return probe_field(&a->reply, "Date", &value) &&
	    probe_date(value, &at) ? at : otherwise;
}

/* delta-seconds, RFC 9111, 1.2.2: what is too large is 2^31. */
static bool
parse_seconds(struct der_bytes text, int64_t *seconds)
{
	int64_t value = 0;

	for (size_t i = 0; i < text.len; i++) {
		if (text.p[i] < '0' || text.p[i] > '9')
			return false;
		value = value * 10 + (text.p[i] - '0');
		if (value > DELTA_MAX_S)
			value = DELTA_MAX_S;
	}
	*seconds = value;
	return text.len > 0;
}

static void
case_max_age(struct probe *p, const struct probe_case *c)
{
	struct probe_answer a;
	struct der_bytes value, age;
	int64_t next, left, expires, max_age;

	(void)c;
	ask(p, NULL, &a);
	if (!probe_expect(p, &a, PROBE_SAME, "an answer by GET"))
		return;
	next = a.checked.single.next_update;
	left = next == OCSP_NO_NEXT_UPDATE ? 0 : next -
	    served_at(&a, a.view.produced_at);
	if (probe_field(&a.reply, "Expires", &value) &&
	    probe_date(value, &expires) && expires > next)
		probe_fail(p, "Expires is behind nextUpdate");
	if (!probe_fields_have(&a.reply, "Cache-Control", "max-age", &age))
		probe_policy(p, "no max-age");
	else if (!parse_seconds(age, &max_age))
		probe_fail(p, "max-age is no number");
	else if (max_age > left)
		probe_fail(p, "max-age is %" PRId64 " s behind nextUpdate",
		    max_age - left);
	else
		probe_pass(p, "max-age ends %" PRId64 " s before nextUpdate",
		    left - max_age);
}

/* --- what must not be kept -------------------------------------------- */

/* A 200 without a word may be kept by heuristics: RFC 9111, 4.2.2. */
static void
judge_uncached(struct probe *p, const struct probe_answer *a)
{
	const struct probe_reply *reply = &a->reply;
	struct der_bytes value, age;

	if (probe_num_fields(reply, "ETag") > 0)
		probe_fail(p, "it has an ETag");
	if (probe_num_fields(reply, "Cache-Control") == 0)
		probe_policy(p, "no Cache-Control");
	else if (probe_fields_have(reply, "Cache-Control", "no-store", NULL))
		probe_pass(p, "no-store");
	else if (probe_fields_have(reply, "Cache-Control", "no-cache", NULL))
		probe_policy(p, "no-cache, not no-store");
	else if (probe_fields_have(reply, "Cache-Control", "max-age", &age) &&
	    age.len == 1 && age.p[0] == '0')
		probe_policy(p, "max-age=0, not no-store");
	else
		probe_fail(p, "Cache-Control: %s", probe_field(reply,
		    "Cache-Control", &value) ? text_of(p, value) :
		    "several, none of them no-store");
}

static void
case_errors(struct probe *p, const struct probe_case *c)
{
	struct probe_answer a;

	(void)c;
	probe_post(p, DER_LITERAL("\x30\x01"), NULL, &a);
	if (probe_expect(p, &a, PROBE_BIT(PROBE_MALFORMED) |
	    PROBE_BIT(PROBE_REFUSED), "malformedRequest"))
		judge_uncached(p, &a);
}

static void
case_nonce_cached(struct probe *p, const struct probe_case *c)
{
	struct probe_asked asked = { .nonce = probe_random(p, 32) };
	struct probe_http http = { .target = probe_target(p,
	    probe_make_request(p, &(struct probe_request){ .extensions =
	    probe_nonce_extension(p, false, asked.nonce) })) };
	struct probe_answer a;

	(void)c;
	probe_exchange(p, probe_make_http(p, &http), &asked, &a);
	if (!probe_expect(p, &a, PROBE_BELIEVED, "an answer"))
		return;
	if (a.checked.nonce != PROBE_NONCE_SAME)
		probe_policy(p, "nonces are not echoed");
	else
		judge_uncached(p, &a);
}

const struct probe_case probe_cases_cache[] = {
	{ "post=get", "RFC9919:6", case_post_is_get, 0,
	    "the same request by POST and GET: the same octets" },
	{ "etag-304", "RFC9110:13.1.2", case_etag, 0,
	    "If-None-Match: 304" },
	{ "ims-304", "RFC9110:13.1.3", case_since, 0,
	    "If-Modified-Since: 304" },
	{ "dates-gmt", "RFC9110:5.6.7", case_dates, 0,
	    "Date, Expires, Last-Modified as IMF-fixdate" },
	{ "max-age-bound", "RFC9919:7.2", case_max_age, 0,
	    "no cache keeps it beyond nextUpdate" },
	{ "err-nostore", "RFC9919:7.2", case_errors, 0,
	    "errors are not for caches" },
	{ "nonce-nocache", "RFC9111:3", case_nonce_cached, 0,
	    "an answer with a nonce is not for caches" },
	{ NULL, NULL, NULL, 0, NULL }
};
