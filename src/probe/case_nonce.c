/* SPDX-License-Identifier: Apache-2.0 */
/* Nonces: RFC 9654. */
#include "probe/case.h"

#define BUDGET_REQUESTS 300
#define MALFORMED PROBE_BIT(PROBE_MALFORMED)

static void
ask(struct probe *p, struct der_bytes extensions, struct der_bytes nonce,
    struct probe_answer *a)
{
	struct probe_asked asked = { .nonce = nonce };

	probe_post(p, probe_make_request(p, &(struct probe_request){
	    .extensions = extensions }), &asked, a);
}

/* Echoed, or left out: both are answers. */
static void
judge_echo(struct probe *p, const struct probe_answer *a)
{
	if (!probe_expect(p, a, PROBE_BELIEVED, "an answer"))
		return;
	if (a->checked.nonce == PROBE_NONCE_SAME)
		probe_pass(p, "echoed");
	else
		probe_policy(p, "%s, without a nonce", a->seen.text);
}

static void
case_len(struct probe *p, const struct probe_case *c)
{
	struct der_bytes nonce = probe_random(p, (size_t)c->variant);
	struct probe_answer a;

	ask(p, probe_nonce_extension(p, false, nonce), nonce, &a);
	judge_echo(p, &a);
}

/* Whether nonces are looked at at all. */
static bool
has_nonces(struct probe *p)
{
	struct der_bytes nonce = probe_random(p, 32);
	struct probe_answer a;

	ask(p, probe_nonce_extension(p, false, nonce), nonce, &a);
	return (PROBE_BIT(a.outcome) & PROBE_BELIEVED) != 0 &&
	    a.checked.nonce == PROBE_NONCE_SAME;
}

static void
case_bad_len(struct probe *p, const struct probe_case *c)
{
	struct der_bytes nonce = probe_random(p, (size_t)c->variant);
	struct probe_answer a;

	ask(p, probe_nonce_extension(p, false, nonce), nonce, &a);
	/* To who has none of them it is an extension like others. */
	probe_judge(p, &a, MALFORMED, has_nonces(p) ? 0 : PROBE_BELIEVED,
	    "malformedRequest");
}

/* RFC 2560's clients: the octets themselves, in no OCTET STRING. */
static void
case_unwrapped(struct probe *p, const struct probe_case *c)
{
	struct der_bytes nonce = probe_copy(p, DER_LITERAL(
	    "\x91sixteen octets."));
	struct probe_answer a;

	(void)c;
	ask(p, probe_extension(p, "1.3.6.1.5.5.7.48.1.2", false, nonce),
	    nonce, &a);
	if (!probe_expect(p, &a, PROBE_BELIEVED | MALFORMED,
	    "an answer or malformedRequest"))
		return;
	if (a.outcome == PROBE_MALFORMED)
		probe_policy(p, "malformedRequest");
	else
		probe_policy(p, "%s", a.checked.nonce == PROBE_NONCE_SAME ?
		    "echoed" : "ignored");
}

static void
case_twice(struct probe *p, const struct probe_case *c)
{
	struct der_bytes nonce = probe_random(p, 32);
	struct der_bytes extension = probe_nonce_extension(p, false, nonce);
	struct probe_answer a;

	(void)c;
	ask(p, probe_join(p, extension, probe_nonce_extension(p, false,
	    probe_random(p, 32))), nonce, &a);
	probe_judge(p, &a, MALFORMED, PROBE_BELIEVED |
	    PROBE_BIT(PROBE_UNBELIEVED), "malformedRequest");
}

static void
case_critical(struct probe *p, const struct probe_case *c)
{
	struct der_bytes nonce = probe_random(p, 32);
	struct probe_answer a;

	(void)c;
	ask(p, probe_nonce_extension(p, true, nonce), nonce, &a);
	judge_echo(p, &a);
}

/* More than a token can sign: what is left out is the nonce, not the
 * answer. */
static void
case_budget(struct probe *p, const struct probe_case *c)
{
	size_t mark = p->arena_used;
	unsigned int num = 0, num_echoed = 0;
	struct probe_connection connection;
	struct probe_answer a = { 0 };
	bool is_open = false;

	(void)c;
	if (!p->o->is_thorough) {
		probe_skip(p, "%d signatures: give --thorough",
		    BUDGET_REQUESTS);
		return;
	}
	while (num < BUDGET_REQUESTS) {
		struct probe_asked asked;
		struct probe_http http = { .flags = PROBE_KEEP };

		probe_rewind(p, mark);
		asked = (struct probe_asked){ .nonce = probe_random(p, 32) };
		http.body = probe_make_request(p, &(struct probe_request){
		    .extensions = probe_nonce_extension(p, false,
		    asked.nonce) });
		if (!is_open && !probe_connect(p, &connection))
			return;
		is_open = true;
		connection.deadline_ns = p->deadline_ns;
		probe_put(p, &connection, probe_make_http(p, &http));
		probe_get(p, &connection, &asked, &a);
		if ((PROBE_BIT(a.outcome) & PROBE_BELIEVED) == 0)
			break;
		num++;
		num_echoed += a.checked.nonce == PROBE_NONCE_SAME;
		if (!a.reply.is_kept) {
			probe_close(&connection);
			is_open = false;
		}
	}
	if (is_open)
		probe_close(&connection);
	if (num < BUDGET_REQUESTS)
		probe_fail(p, "request %u: %s", num + 1, a.seen.text);
	else
		probe_pass(p, "%u answers, %u with their nonce", num,
		    num_echoed);
}

#define NONCE "RFC9654:2.1"

const struct probe_case probe_cases_nonce[] = {
	{ "nonce-16", NONCE, case_len, 16, "a nonce of 16 octets" },
	{ "nonce-32", NONCE, case_len, 32, "of 32, as clients should" },
	{ "nonce-1", NONCE, case_len, 1, "of 1: an answer, with it or not" },
	{ "nonce-15", NONCE, case_len, 15, "of 15" },
	{ "nonce-33", NONCE, case_len, 33, "of 33" },
	{ "nonce-64", NONCE, case_len, 64, "of 64" },
	{ "nonce-128", NONCE, case_len, 128, "of 128" },
	{ "nonce-0", NONCE, case_bad_len, 0, "of 0: malformedRequest" },
	{ "nonce-129", NONCE, case_bad_len, 129,
	    "of 129: malformedRequest" },
	{ "nonce-unwrapped", NONCE, case_unwrapped, 0,
	    "not in an OCTET STRING" },
	{ "nonce-dup", "RFC5280:4.2", case_twice, 0,
	    "two of them: malformedRequest" },
	{ "nonce-critical", "RFC6960:4.4", case_critical, 0,
	    "critical: like any other" },
	{ "nonce-budget", "RFC9919:3.2.1", case_budget, 0,
	    "300 at once: every one an answer" },
	{ NULL, NULL, NULL, 0, NULL }
};
