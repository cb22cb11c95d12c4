/* SPDX-License-Identifier: Apache-2.0 */
/* Running a case: its verdict, its octets, and whether the responder is still
 * there afterwards. */
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "probe/case.h"
#include "probe/sign.h"

#define ARENA_LEN (4 * 1024 * 1024)
#define RESTART_NS (3 * OC_NS_PER_S)

static const struct probe_case *const tables[] = {
	probe_cases_target, probe_cases_http, probe_cases_body,
	probe_cases_cache, probe_cases_der, probe_cases_certid,
	probe_cases_extension, probe_cases_nonce, probe_cases_status
};

const char *
probe_verdict_name(enum probe_verdict verdict)
{
	switch (verdict) {
	case PROBE_PASS:
		return "pass";
	case PROBE_FAIL:
		return "fail";
	case PROBE_POLICY:
		return "policy";
	case PROBE_SKIPPED:
		return "skipped";
	}
	return NULL;
}

const struct probe_case *
probe_case_at(size_t n)
{
	for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++)
		for (const struct probe_case *c = tables[i]; c->name != NULL;
		    c++)
			if (n-- == 0)
				return c;
	return NULL;
}

const struct probe_case *
probe_case_find(const char *name)
{
	const struct probe_case *c;

	for (size_t n = 0; (c = probe_case_at(n)) != NULL; n++)
		if (strcmp(c->name, name) == 0)
			return c;
	return NULL;
}

/* --- verdicts --------------------------------------------------------- */

static void say(struct probe *p, enum probe_verdict verdict,
    const char *format, va_list args) OC_PRINTF(3, 0);

static void
say(struct probe *p, enum probe_verdict verdict, const char *format,
    va_list args)
{
	char text[OC_ERROR_TEXT_MAX];

	if (p->is_decided)
		return;
	p->is_decided = true;
	p->result.verdict = verdict;
	(void)vsnprintf(text, sizeof(text), format, args);
	oc_error_set(&p->result.seen, OC_OK, "%s", text);
}

void
probe_pass(struct probe *p, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(p, PROBE_PASS, format, args);
	va_end(args);
}

void
probe_fail(struct probe *p, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(p, PROBE_FAIL, format, args);
	va_end(args);
}

void
probe_policy(struct probe *p, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(p, PROBE_POLICY, format, args);
	va_end(args);
}

void
probe_skip(struct probe *p, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(p, PROBE_SKIPPED, format, args);
	va_end(args);
}

static unsigned int
bits_of(const struct probe_answer *a)
{
	return PROBE_BIT(a->outcome) | (a->is_same ? PROBE_SAME : 0);
}

bool
probe_expect(struct probe *p, const struct probe_answer *a,
    unsigned int bits, const char *wanted)
{
	if ((bits_of(a) & bits) != 0)
		return true;
	probe_fail(p, "%s, not %s", a->seen.text, wanted);
	return false;
}

void
probe_judge(struct probe *p, const struct probe_answer *a, unsigned int pass,
    unsigned int policy, const char *wanted)
{
	if ((bits_of(a) & pass) != 0)
		probe_pass(p, "%s", a->seen.text);
	else if ((bits_of(a) & policy) != 0)
		probe_policy(p, "%s, not %s", a->seen.text, wanted);
	else
		probe_fail(p, "%s, not %s", a->seen.text, wanted);
}

/* --- octets ----------------------------------------------------------- */

uint8_t *
probe_take(struct probe *p, size_t len)
{
	uint8_t *octets = p->arena + p->arena_used;

	len = (len + 7) & ~(size_t)7;
	if (len > ARENA_LEN - p->arena_used)
		return NULL;
	p->arena_used += len;
	return octets;
}

void
probe_rewind(struct probe *p, size_t mark)
{
	oc_assert(mark <= p->arena_used && mark >= p->arena_kept);
	p->arena_used = mark;
}

/* --- running ---------------------------------------------------------- */

static void
begin(struct probe *p)
{
	memset(&p->result, 0, sizeof(p->result));
	p->is_decided = false;
	p->deadline_ns = oc_clock_mono_ns() + PROBE_CASE_S * OC_NS_PER_S;
	probe_rewind(p, p->arena_kept);
}

static bool
is_away(const struct probe_answer *a)
{
	return a->outcome == PROBE_CLOSED || a->outcome == PROBE_SILENT;
}

/* It may have died of what it was sent, and that is the case's to say; who
 * looks after it may start it again. */
static void
check_alive(struct probe *p)
{
	int64_t now_ns = oc_clock_mono_ns(), until_ns = now_ns +
	    RESTART_NS;
	struct oc_error seen = p->result.seen;
	struct probe_answer again;

	p->deadline_ns = now_ns + PROBE_CASE_S * OC_NS_PER_S;
	probe_rewind(p, p->arena_kept);
	probe_ask_plain(p, &again);
	if (!is_away(&again))
		return;
	p->is_decided = false;
	while (is_away(&again) && oc_clock_mono_ns() < until_ns) {
		(void)poll(NULL, 0, 100);
		probe_rewind(p, p->arena_kept);
		probe_ask_plain(p, &again);
	}
	p->is_dead = is_away(&again);
	probe_fail(p, "%.300s; and then it is away%s", seen.text,
	    p->is_dead ? "" : ", for a while");
}

void
probe_run(struct probe *p, const struct probe_case *c,
    struct probe_result *result)
{
	begin(p);
	if (p->is_dead) {
		probe_skip(p, "the responder does not answer any more");
	} else if (p->wants_signatures && !probe_case_signs(c)) {
		probe_skip(p, "it wants requests signed, and this is none");
	} else {
		c->run(p, c);
		oc_assert(p->is_decided);
		if (p->result.verdict != PROBE_SKIPPED)
			check_alive(p);
	}
	*result = p->result;
}

/* --- what the others are held against --------------------------------- */

static bool
is_answered(const struct probe_answer *a)
{
	return (PROBE_BIT(a->outcome) & PROBE_BELIEVED) != 0;
}

/* As everybody asks; signed, if it wants that and somebody is known. */
static void
ask_usual(struct probe *p, struct probe_answer *a)
{
	if (p->wants_signatures &&
	    probe_ask_signed(p, p->o->signer, PROBE_SIGN_RIGHT, a))
		return;
	probe_ask_plain(p, a);
	if (a->outcome != PROBE_SIG_REQUIRED || p->o->signer == NULL ||
	    p->wants_signatures)
		return;
	p->wants_signatures = true;
	(void)probe_ask_signed(p, p->o->signer, PROBE_SIGN_RIGHT, a);
}

static enum oc_err
ask_first(struct probe *p, struct oc_error *error)
{
	struct probe_answer by_post, again;

	p->certid = probe_make_certid(p, &(struct probe_certid_plan){ 0 });
	p->request = probe_make_request(p, &(struct probe_request){ 0 });
	p->target = probe_target(p, p->request);
	ask_usual(p, &by_post);
	p->plain = by_post;
	if (!is_answered(&by_post) && !p->wants_signatures &&
	    by_post.outcome != PROBE_SILENT &&
	    by_post.outcome != PROBE_UNBELIEVED) {
		p->is_by_get = true;
		probe_ask_plain(p, &p->plain);
	}
	if (!is_answered(&p->plain))
		return oc_error_set(error, OC_ERR_REFUSED, "a %s request "
		    "by POST is answered: %s; there is nothing to hold the "
		    "cases against%s", p->wants_signatures ? "signed" :
		    "plain", by_post.seen.text, by_post.outcome ==
		    PROBE_SIG_REQUIRED ? "; give --sign-key and --sign-cert "
		    "of somebody it knows" : "");
	p->is_decided = false;
	ask_usual(p, &again);
	p->is_presigned = is_answered(&again) &&
	    der_bytes_equal(again.reply.body, p->plain.reply.body);
	p->arena_kept = p->arena_used;
	return OC_OK;
}

enum oc_err
probe_new(const struct probe_options *options, struct probe **out,
    struct oc_error *error)
{
	struct probe *p = calloc(1, sizeof(*p));
	enum oc_err err = OC_OK;

	oc_assert(options->num_certs > 0);
	if (p != NULL)
		p->arena = malloc(ARENA_LEN);
	if (p == NULL || p->arena == NULL) {
		if (options->peer.first_fd >= 0)
			(void)close(options->peer.first_fd);
		err = oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	}
	if (err == OC_OK) {
		p->o = options;
		p->peer = options->peer;
		begin(p);
		err = ask_first(p, error);
	}
	if (err != OC_OK) {
		probe_free(p);
		return err;
	}
	*out = p;
	return OC_OK;
}

void
probe_free(struct probe *p)
{
	if (p == NULL)
		return;
	free(p->arena);
	free(p);
}
