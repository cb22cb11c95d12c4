/* SPDX-License-Identifier: Apache-2.0 */
/* Is what others sent one line that fits, and are names of DNS names? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "validation/dnsname.h"
#include "validation/seen.h"

static void
text(void **state)
{
	struct validation_text text;
	char chars[16];

	(void)state;
	validation_text_init(&text, chars, sizeof(chars));
	assert_string_equal(chars, "");
	validation_text_put(&text, "%d:", 7);
	validation_text_put_octets(&text, "a\0\"\\\x1b\n\xe4z", 8, 100);
	assert_string_equal(chars, "7:a??????z");
	validation_text_put_octets(&text, "12345", 5, 5);
	assert_string_equal(chars, "7:a??????z12345");
	validation_text_put_octets(&text, "6", 1, 5);
	assert_string_equal(chars, "7:a??????z12...");
	validation_text_put(&text, "more");
	assert_string_equal(chars, "7:a??????z12...");

	validation_text_init(&text, chars, sizeof(chars));
	validation_text_put_octets(&text, "abcdef", 6, 3);
	assert_string_equal(chars, "abc...");
}

static void
names(void **state)
{
	static const char *const good[] = { "a", "a.b", "_acme.x-y.EXAMPLE",
		"123456789012345678901234567890123456789012345678901234567890"
		    "123.c" };
	static const char *const bad[] = { "", ".", "a.", ".a", "a..b", "a b",
		"a\\.b", "a\n", "*.a", "\xc3\xa4.b", "a/b", "a:b",
		"123456789012345678901234567890123456789012345678901234567890"
		    "1234.c" };
	char name[VALIDATION_DNS_NAME_MAX + 3];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (!validation_dns_name_is_valid(good[i]))
			fail_msg("\"%s\" is none", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (validation_dns_name_is_valid(bad[i]))
			fail_msg("\"%s\" is one", bad[i]);
	for (size_t i = 0; i < sizeof(name); i++)
		name[i] = i % 2 == 0 ? 'a' : '.';
	name[VALIDATION_DNS_NAME_MAX] = '\0';
	assert_true(validation_dns_name_is_valid(name));
	name[VALIDATION_DNS_NAME_MAX] = '.';
	name[VALIDATION_DNS_NAME_MAX + 2] = '\0';
	assert_false(validation_dns_name_is_valid(name));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text),
		cmocka_unit_test(names)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
