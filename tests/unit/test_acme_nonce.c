/* SPDX-License-Identifier: Apache-2.0 */
/* Is a nonce ours, once, and does it cost nothing to ask for one? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <malloc.h>
#include <string.h>

#include <cmocka.h>

#include "acme/base64url.h"
#include "acme/nonce.h"

static struct acme_nonces *
make(void)
{
	struct acme_nonces *n;

	assert_int_equal(acme_nonces_new(&n), OC_OK);
	return n;
}

/* certbot decodes it; RFC 8555, 6.5.1. */
static void
test_once(void **state)
{
	struct acme_nonces *n = make();
	char first[ACME_NONCE_TEXT_MAX], second[ACME_NONCE_TEXT_MAX];
	uint8_t bytes[16];
	size_t len;

	(void)state;
	acme_nonces_make(n, first);
	acme_nonces_make(n, second);
	assert_string_not_equal(first, second);
	assert_int_equal(acme_base64url_decode(first, strlen(first), bytes, 16,
	    &len), OC_OK);
	assert_int_equal(len, 16);
	/* In any order. */
	assert_int_equal(acme_nonces_use(n, second), OC_OK);
	assert_int_equal(acme_nonces_use(n, first), OC_OK);
	assert_int_equal(acme_nonces_use(n, first), OC_ERR_REFUSED);
	assert_int_equal(acme_nonces_use(n, second), OC_ERR_REFUSED);
	acme_nonces_free(n);
	acme_nonces_free(NULL);
}

static void
test_not_ours(void **state)
{
	struct acme_nonces *n = make(), *other = make();
	char text[ACME_NONCE_TEXT_MAX], changed[ACME_NONCE_TEXT_MAX];
	static const char *const bad[] = { "", "A", "AAAA",
	    "AAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAA==",
	    "AAAAAAAAAAAAAAAAAAAAAB", "AAAAAAAAAAAAAAAAAAAAAAA",
	    "//////////////////////", "                      " };

	(void)state;
	acme_nonces_make(n, text);
	assert_int_equal(acme_nonces_use(other, text), OC_ERR_REFUSED);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(acme_nonces_use(n, bad[i]), OC_ERR_REFUSED);
	/* Each character counts, whatever it is replaced by. */
	for (size_t i = 0; i < strlen(text); i++)
		for (int c = 1; c < 256; c++) {
			if (c == text[i])
				continue;
			strcpy(changed, text);
			changed[i] = (char)c;
			assert_int_equal(acme_nonces_use(n, changed),
			    OC_ERR_REFUSED);
		}
	assert_int_equal(acme_nonces_use(n, text), OC_OK);
	acme_nonces_free(n);
	acme_nonces_free(other);
}

/* The window's oldest is good, what is older than it not. */
static void
test_window(void **state)
{
	struct acme_nonces *n = make();
	char first[ACME_NONCE_TEXT_MAX], second[ACME_NONCE_TEXT_MAX];
	char text[ACME_NONCE_TEXT_MAX];

	(void)state;
	acme_nonces_make(n, first);
	acme_nonces_make(n, second);
	for (int i = 0; i < ACME_NONCES_WINDOW - 1; i++)
		acme_nonces_make(n, text);
	assert_int_equal(acme_nonces_use(n, first), OC_ERR_REFUSED);
	assert_int_equal(acme_nonces_use(n, second), OC_OK);
	assert_int_equal(acme_nonces_use(n, second), OC_ERR_REFUSED);
	assert_int_equal(acme_nonces_use(n, text), OC_OK);
	/* Whose place is taken again is good once more, itself not. */
	acme_nonces_make(n, first);
	assert_int_equal(acme_nonces_use(n, second), OC_ERR_REFUSED);
	assert_int_equal(acme_nonces_use(n, first), OC_OK);
	acme_nonces_free(n);
}

static void
test_million(void **state)
{
	struct acme_nonces *n = make();
	char text[ACME_NONCE_TEXT_MAX];
	struct mallinfo2 before, after;

	(void)state;
	acme_nonces_make(n, text);
	assert_int_equal(acme_nonces_use(n, text), OC_OK);
	before = mallinfo2();
	for (int i = 0; i < 1000000; i++) {
		acme_nonces_make(n, text);
		if (i % 3 == 0)
			assert_int_equal(acme_nonces_use(n, text), OC_OK);
	}
	after = mallinfo2();
	assert_int_equal(after.uordblks, before.uordblks);
	assert_int_equal(after.hblkhd, before.hblkhd);
	acme_nonces_free(n);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_once),
		cmocka_unit_test(test_not_ours),
		cmocka_unit_test(test_window),
		cmocka_unit_test(test_million),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
