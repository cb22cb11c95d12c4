/* SPDX-License-Identifier: Apache-2.0 */
/* In what two answers about the same certificate differ, and in words. */
#include <stdio.h>

#include "base/reason.h"
#include "der/time.h"
#include "probe/ask.h"

static const char *const names[PROBE_DIFFERENCES] = {
	[PROBE_DIFFERS_STATUS] = "status",
	[PROBE_DIFFERS_TIME] = "time",
	[PROBE_DIFFERS_REASON] = "reason",
	[PROBE_DIFFERS_LIFE] = "life",
	[PROBE_DIFFERS_NONCE] = "nonce",
	[PROBE_DIFFERS_CACHING] = "caching",
};

const char *
probe_difference_name(enum probe_difference difference)
{
	return names[difference];
}

/* It says something about the certificate. */
static bool
is_status(const struct probe_said *said)
{
	switch (said->meaning) {
	case PROBE_SAYS_GOOD:
	case PROBE_SAYS_REVOKED:
	case PROBE_SAYS_UNKNOWN:
		return true;
	case PROBE_SAYS_ERROR:
	case PROBE_SAYS_NONSENSE:
	case PROBE_SAYS_NOTHING:
		break;
	}
	return false;
}

/* What cannot be used is like nothing, not even like itself. */
static bool
is_same_status(const struct probe_said *a, const struct probe_said *b)
{
	if (a->meaning != b->meaning || a->meaning == PROBE_SAYS_NONSENSE ||
	    a->meaning == PROBE_SAYS_NOTHING)
		return false;
	return a->meaning != PROBE_SAYS_ERROR || a->error == b->error;
}

/* 0: until there is newer information, which nobody can tell. */
static int64_t
life_of(const struct probe_said *said)
{
	return said->next_update == OCSP_NO_NEXT_UPDATE ? 0 :
	    said->next_update - said->this_update;
}

static bool
is_same_life(const struct probe_said *a, const struct probe_said *b)
{
	int64_t x = life_of(a), y = life_of(b);

	return (x == 0) == (y == 0) && x <= 2 * y && y <= 2 * x;
}

unsigned int
probe_compare(const struct probe_said *a, const struct probe_said *b)
{
	unsigned int bits = 0;

	if (!is_same_status(a, b))
		bits |= 1u << PROBE_DIFFERS_STATUS;
	if (!is_status(a) || !is_status(b))
		return bits;
	if (a->meaning == PROBE_SAYS_REVOKED && b->meaning == a->meaning) {
		if (a->status.revoked_at != b->status.revoked_at)
			bits |= 1u << PROBE_DIFFERS_TIME;
		if (a->status.reason != b->status.reason)
			bits |= 1u << PROBE_DIFFERS_REASON;
	}
	if (!is_same_life(a, b))
		bits |= 1u << PROBE_DIFFERS_LIFE;
	if (a->has_nonce != b->has_nonce)
		bits |= 1u << PROBE_DIFFERS_NONCE;
	/* Each is its own mistake, also if both make it. */
	if (a->caching != b->caching || a->caching == PROBE_CACHE_TOO_LONG)
		bits |= 1u << PROBE_DIFFERS_CACHING;
	return bits;
}

/* --- words -------------------------------------------------------------- */

static void
say_status(const struct probe_said *said, char *words)
{
	const char *text = said->why;

	switch (said->meaning) {
	case PROBE_SAYS_GOOD:
		text = "good";
		break;
	case PROBE_SAYS_REVOKED:
		text = "revoked";
		break;
	case PROBE_SAYS_UNKNOWN:
		text = "unknown";
		break;
	case PROBE_SAYS_ERROR:
		text = ocsp_response_status_name(said->error);
		break;
	case PROBE_SAYS_NONSENSE:
		(void)snprintf(words, PROBE_WORDS_MAX,
		    "not to be believed: %s", said->why);
		return;
	case PROBE_SAYS_NOTHING:
		(void)snprintf(words, PROBE_WORDS_MAX, "no answer: %s",
		    said->why);
		return;
	}
	(void)snprintf(words, PROBE_WORDS_MAX, "%s", text);
}

static void
say_life(const struct probe_said *said, char *words)
{
	int64_t life = life_of(said);

	if (life == 0)
		(void)snprintf(words, PROBE_WORDS_MAX, "no nextUpdate");
	else
		(void)snprintf(words, PROBE_WORDS_MAX, "%lld s",
		    (long long)life);
}

static void
say_caching(const struct probe_said *said, char *words)
{
	static const char *const texts[] = {
		[PROBE_CACHE_UNSAID] = "nothing said to caches",
		[PROBE_CACHE_FORBIDDEN] = "not to be cached",
		[PROBE_CACHE_ALLOWED] = "to be cached",
		[PROBE_CACHE_TOO_LONG] = "to be cached beyond nextUpdate",
	};

	if (said->cache_s > 0)
		(void)snprintf(words, PROBE_WORDS_MAX, "%s (%lld s)",
		    texts[said->caching], (long long)said->cache_s);
	else
		(void)snprintf(words, PROBE_WORDS_MAX, "%s",
		    texts[said->caching]);
}

void
probe_say(const struct probe_said *said, enum probe_difference difference,
    char words[PROBE_WORDS_MAX])
{
	const char *reason;

	switch (difference) {
	case PROBE_DIFFERS_STATUS:
		say_status(said, words);
		return;
	case PROBE_DIFFERS_TIME:
		der_format_iso8601(said->status.revoked_at, words);
		return;
	case PROBE_DIFFERS_REASON:
		reason = crl_reason_name(said->status.reason);
		(void)snprintf(words, PROBE_WORDS_MAX, "%s", reason == NULL ?
		    "a reason that there is not" : reason);
		return;
	case PROBE_DIFFERS_LIFE:
		say_life(said, words);
		return;
	case PROBE_DIFFERS_NONCE:
		(void)snprintf(words, PROBE_WORDS_MAX, "%s", said->has_nonce ?
		    "with the nonce" : "without the nonce");
		return;
	case PROBE_DIFFERS_CACHING:
		say_caching(said, words);
		return;
	case PROBE_DIFFERENCES:
		break;
	}
	words[0] = '\0';
}
