/* SPDX-License-Identifier: Apache-2.0 */
/* What is no OCSPRequest in DER (RFC 6960, 4.1.1; X.690, 10), and what only
 * looks so. */
#include "probe/case.h"

#define MALFORMED PROBE_BIT(PROBE_MALFORMED)

static bool
is_reply(const struct probe_answer *a)
{
	return a->outcome != PROBE_CLOSED && a->outcome != PROBE_SILENT &&
	    a->outcome != PROBE_NO_HTTP;
}

/* On one connection as long as it is kept; several are asked one by one. */
struct series {
	struct probe *p;
	struct probe_connection connection;
	bool is_open;
};

static bool
ask_next(struct series *s, struct der_bytes der, struct probe_answer *a)
{
	struct probe_http http = { .body = der, .method = "POST",
	    .flags = PROBE_KEEP };

	if (!s->is_open && !probe_connect(s->p, &s->connection))
		return false;
	s->is_open = true;
	s->connection.deadline_ns = s->p->deadline_ns;
	probe_put(s->p, &s->connection, probe_make_http(s->p, &http));
	probe_get(s->p, &s->connection, NULL, a);
	if (!is_reply(a) || !a->reply.is_kept) {
		probe_close(&s->connection);
		s->is_open = false;
	}
	return true;
}

static void
case_truncated(struct probe *p, const struct probe_case *c)
{
	struct series s = { .p = p };
	size_t mark = p->arena_used, len;
	struct probe_answer a;

	(void)c;
	for (len = 0; len < p->request.len; len++) {
		probe_rewind(p, mark);
		if (!ask_next(&s, (struct der_bytes){ p->request.p, len },
		    &a))
			break;
		/* Nothing at all need not reach the decoder. */
		if (a.outcome != PROBE_MALFORMED && (len > 0 ||
		    a.outcome != PROBE_REFUSED)) {
			probe_fail(p, "the first %zu octets: %s, not "
			    "malformedRequest", len, a.seen.text);
			break;
		}
	}
	if (s.is_open)
		probe_close(&s.connection);
	probe_pass(p, "malformedRequest for each of %zu prefixes", len);
}

/* Any answer will do, as long as there is one: a bit of the serial number
 * makes it another certificate. */
static void
case_flipped(struct probe *p, const struct probe_case *c)
{
	struct series s = { .p = p };
	size_t len = p->request.len, i = 0, mark;
	struct der_bytes copy = probe_copy(p, p->request);
	uint8_t *octets = (uint8_t *)(uintptr_t)copy.p;
	struct probe_answer a;

	(void)c;
	if (!p->o->is_thorough) {
		probe_skip(p, "%zu requests: give --thorough", 8 * len);
		return;
	}
	mark = p->arena_used;
	for (; i < 8 * len; i++) {
		probe_rewind(p, mark);
		octets[i / 8] ^= (uint8_t)(1 << i % 8);
		if (!ask_next(&s, copy, &a))
			break;
		octets[i / 8] ^= (uint8_t)(1 << i % 8);
		if (!is_reply(&a) || a.outcome == PROBE_FAILED ||
		    a.outcome == PROBE_INTERNAL) {
			probe_fail(p, "bit %zu flipped: %s", i, a.seen.text);
			break;
		}
	}
	if (s.is_open)
		probe_close(&s.connection);
	probe_pass(p, "%zu flips, each answered", i);
}

/* 30 80 ... 00 00 around what is whole. */
static struct der_bytes
indefinite(struct probe *p)
{
	struct der_bytes contents;
	bool is_read = der_read_whole(p->request, DER_SEQUENCE, &contents);

	oc_assert(is_read);
	return probe_join(p, probe_join(p, DER_LITERAL("\x30\x80"),
	    contents), (struct der_bytes){ (const uint8_t *)"\0\0", 2 });
}

/* The outermost length with an octet more than it needs. */
static struct der_bytes
longer_length(struct probe *p)
{
	struct der_bytes contents, header;
	bool is_read = der_read_whole(p->request, DER_SEQUENCE, &contents);

	oc_assert(is_read && contents.len < 0x10000);
	header = contents.len < 0x80 ?
	    probe_text(p, "\x30\x81%c", (int)contents.len) :
	    contents.len < 0x100 ?
	    probe_text(p, "\x30\x82%c%c", 0, (int)contents.len) :
	    probe_text(p, "\x30\x83%c%c%c", 0, (int)(contents.len >> 8),
	    (int)(contents.len & 0xff));
	return probe_join(p, header, contents);
}

/* BER that means the same: a lenient reader harms nobody. */
static void
case_ber(struct probe *p, const struct probe_case *c)
{
	struct probe_answer a;

	probe_post(p, c->variant == 0 ? indefinite(p) : longer_length(p),
	    NULL, &a);
	probe_judge(p, &a, MALFORMED, PROBE_SAME, "malformedRequest");
}

static void
case_version(struct probe *p, const struct probe_case *c)
{
	struct probe_request plan = { .version = (enum probe_version)
	    c->variant };
	struct probe_answer a;

	probe_post(p, probe_make_request(p, &plan), NULL, &a);
	if (plan.version == PROBE_VERSION_1)
		probe_judge(p, &a, PROBE_SAME, MALFORMED,
		    "the answer of the same without it");
	else
		probe_judge(p, &a, MALFORMED, 0, "malformedRequest");
}

static void
case_empty_list(struct probe *p, const struct probe_case *c)
{
	struct probe_answer a;

	(void)c;
	probe_post(p, probe_make_request(p, &(struct probe_request){
	    .is_empty = true }), NULL, &a);
	probe_judge(p, &a, MALFORMED, 0, "malformedRequest");
}

const struct probe_case probe_cases_der[] = {
	{ "der-trunc", "RFC6960:2.3", case_truncated, 0,
	    "every prefix of a request: malformedRequest" },
	{ "der-bitflip", "RFC6960:2.3", case_flipped, 0,
	    "every bit of a request flipped: some answer" },
	{ "ber-indef", "X690:10.1", case_ber, 0,
	    "indefinite length: malformedRequest" },
	{ "der-nonmin", "X690:10.1", case_ber, 1,
	    "a length longer than it need be: malformedRequest" },
	{ "version-v1-explicit", "RFC6960:4.1.1", case_version,
	    PROBE_VERSION_1, "version v1 written out: answered" },
	{ "version-v2", "RFC6960:4.1.1", case_version, PROBE_VERSION_2,
	    "version v2: malformedRequest" },
	{ "empty-list", "RFC6960:4.1.1", case_empty_list, 0,
	    "no certificate: malformedRequest" },
	{ NULL, NULL, NULL, 0, NULL }
};
