/* SPDX-License-Identifier: Apache-2.0 */
/* In what two answers about the same certificate differ, and in which words:
 * only in what they mean. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "probe/ask.h"

#define BIT(difference) (1u << PROBE_DIFFERS_##difference)

static struct probe_said
good(void)
{
	return (struct probe_said){
		.meaning = PROBE_SAYS_GOOD,
		.status = { .kind = OCSP_GOOD },
		.this_update = 1000,
		.next_update = 5000,
	};
}

static struct probe_said
revoked(int64_t at, enum crl_reason reason)
{
	struct probe_said said = good();

	said.meaning = PROBE_SAYS_REVOKED;
	said.status = (struct ocsp_status){ .kind = OCSP_REVOKED,
	    .revoked_at = at, .reason = reason };
	return said;
}

static struct probe_said
error(enum ocsp_response_status status)
{
	return (struct probe_said){ .meaning = PROBE_SAYS_ERROR,
	    .error = status };
}

/* Both ways: who is asked first makes no difference. */
static void
differ(struct probe_said a, struct probe_said b, unsigned int bits)
{
	assert_int_equal(probe_compare(&a, &b), bits);
	assert_int_equal(probe_compare(&b, &a), bits);
}

static void
status(void **state)
{
	struct probe_said unknown = good(), old = { .meaning =
	    PROBE_SAYS_NONSENSE }, away = { .meaning = PROBE_SAYS_NOTHING };

	(void)state;
	unknown.meaning = PROBE_SAYS_UNKNOWN;
	differ(good(), good(), 0);
	differ(good(), revoked(1, CRL_REASON_SUPERSEDED), BIT(STATUS));
	differ(good(), unknown, BIT(STATUS));
	differ(unknown, error(OCSP_UNAUTHORIZED), BIT(STATUS));
	differ(error(OCSP_UNAUTHORIZED), error(OCSP_UNAUTHORIZED), 0);
	differ(error(OCSP_UNAUTHORIZED), error(OCSP_TRY_LATER), BIT(STATUS));
	differ(good(), old, BIT(STATUS));
	differ(good(), away, BIT(STATUS));
	/* Nobody can use either. */
	differ(old, old, BIT(STATUS));
	differ(away, away, BIT(STATUS));
	differ(old, away, BIT(STATUS));
}

static void
revocation(void **state)
{
	const struct probe_said a = revoked(1, CRL_REASON_SUPERSEDED);

	(void)state;
	differ(a, a, 0);
	differ(a, revoked(2, CRL_REASON_SUPERSEDED), BIT(TIME));
	differ(a, revoked(1, CRL_REASON_KEY_COMPROMISE), BIT(REASON));
	differ(a, revoked(2, CRL_REASON_UNSPECIFIED), BIT(TIME) |
	    BIT(REASON));
}

/* When it was made means nothing; that it lasts much longer does. */
static void
life(void **state)
{
	struct probe_said other = good();

	(void)state;
	other.this_update += 500;
	other.next_update += 900;
	differ(good(), other, 0);
	other.next_update = other.this_update + 8000;
	differ(good(), other, 0);
	other.next_update++;
	differ(good(), other, BIT(LIFE));
	other.next_update = OCSP_NO_NEXT_UPDATE;
	differ(good(), other, BIT(LIFE));
	differ(other, other, 0);
}

static void
around(void **state)
{
	struct probe_said nonce = good(), cached = good(), longer = good();

	(void)state;
	nonce.has_nonce = true;
	differ(good(), nonce, BIT(NONCE));
	cached.caching = PROBE_CACHE_ALLOWED;
	cached.cache_s = 100;
	differ(good(), cached, BIT(CACHING));
	longer = cached;
	longer.cache_s = 200;
	differ(longer, cached, 0);
	longer.caching = PROBE_CACHE_TOO_LONG;
	differ(longer, cached, BIT(CACHING));
	differ(longer, longer, BIT(CACHING));
}

static void
words(void **state)
{
	const struct probe_said a = revoked(86400, CRL_REASON_KEY_COMPROMISE);
	struct probe_said other = good(), away = { .meaning =
	    PROBE_SAYS_NOTHING, .why = "HTTP 500" };
	char text[PROBE_WORDS_MAX];

	(void)state;
	probe_say(&a, PROBE_DIFFERS_STATUS, text);
	assert_string_equal(text, "revoked");
	probe_say(&a, PROBE_DIFFERS_TIME, text);
	assert_string_equal(text, "1970-01-02T00:00:00Z");
	probe_say(&a, PROBE_DIFFERS_REASON, text);
	assert_string_equal(text, "keyCompromise");
	probe_say(&a, PROBE_DIFFERS_LIFE, text);
	assert_string_equal(text, "4000 s");
	other.next_update = OCSP_NO_NEXT_UPDATE;
	probe_say(&other, PROBE_DIFFERS_LIFE, text);
	assert_string_equal(text, "no nextUpdate");
	probe_say(&away, PROBE_DIFFERS_STATUS, text);
	assert_string_equal(text, "no answer: HTTP 500");
	other.caching = PROBE_CACHE_ALLOWED;
	other.cache_s = 7;
	probe_say(&other, PROBE_DIFFERS_CACHING, text);
	assert_string_equal(text, "to be cached (7 s)");
	for (int d = 0; d < PROBE_DIFFERENCES; d++)
		assert_true(strlen(probe_difference_name(
		    (enum probe_difference)d)) > 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(status),
		cmocka_unit_test(revocation),
		cmocka_unit_test(life),
		cmocka_unit_test(around),
		cmocka_unit_test(words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
