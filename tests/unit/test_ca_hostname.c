/* SPDX-License-Identifier: Apache-2.0 */
/* Does a host name in any script become the A-labels that DNS has, and
 * nothing else one? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ca/hostname.h"

static void
test_hosts(void **state)
{
	static const struct {
		const char *text, *host;	/* NULL: none */
	} all[] = {
		{ "example.com", "example.com" },
		{ "EXAMPLE.Com", "example.com" },
		{ "*.Example.com", "*.example.com" },
		{ "a--b.test", "a--b.test" },
		{ "r3---sn-x.test", "r3---sn-x.test" },
		{ "b\xc3\xbc" "cher.test", "xn--bcher-kva.test" },
		{ "B\xc3\x9c" "CHER.test", "xn--bcher-kva.test" },
		{ "bu\xcc\x88" "cher.test", "xn--bcher-kva.test" },
		{ "*.b\xc3\xbc" "cher.test", "*.xn--bcher-kva.test" },
		{ "XN--BCHER-KVA.test", "xn--bcher-kva.test" },
		/* Nontransitional: not "fass.de". */
		{ "fa\xc3\x9f.de", "xn--fa-hia.de" },
		{ "", NULL }, { ".", NULL }, { "a.", NULL },
		{ ".a.test", NULL },
		{ "a..test", NULL }, { "*", NULL }, { "*.", NULL },
		{ "*.*.a.test", NULL }, { "a.*.test", NULL },
		{ "a*.test", NULL }, { "**.test", NULL },
		{ "a b.test", NULL }, { "a\tb.test", NULL },
		{ "a_b.test", NULL }, { "a@b.test", NULL },
		{ "-a.test", NULL }, { "a-.test", NULL },
		{ "192.0.2.1", NULL }, { "a.1", NULL }, { "[::1]", NULL },
		{ "\xff.test", NULL }, { "\xc0\xae.test", NULL },
		{ "xn--a.test", NULL }, { "xn--.test", NULL },
		{ "xn--strasse-.test", NULL },
		{ "\xd0\xb0_\xd0\xb1.test", NULL },
		{ "a\xe2\x81\x87" "b.test", NULL },
		{ "\xe2\x98\x83.test", NULL },	/* IDNA2003 took it */
		{ "a\xe2\x80\x8d" "b.test", NULL },	/* joins nothing */
		/* What only becomes a dot or an asterisk: U+3002, U+FF0E,
		 * U+FF61, U+FF0A. */
		{ "a\xe3\x80\x82" "b.test", NULL },
		{ "a\xef\xbc\x8e" "b.test", NULL },
		{ "a\xef\xbd\xa1" "b.test", NULL },
		{ "\xef\xbc\x8a.example.com", NULL },
		{ "*.\xef\xbc\x8a.test", NULL },
		{ "https://a.test", NULL }, { "a.test:443", NULL },
		{ "a.test/", NULL }
	};

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		char host[CA_HOST_MAX] = "untouched";
		struct oc_error error = { 0 };
		enum oc_err err = ca_host_to_ascii(all[i].text,
		    strlen(all[i].text), host, &error);

		if (all[i].host != NULL) {
			if (err != OC_OK)
				fail_msg("%s: %s", all[i].text, error.text);
			assert_string_equal(host, all[i].host);
			continue;
		}
		if (err != OC_ERR_MALFORMED)
			fail_msg("\"%s\" became %s", all[i].text, host);
		assert_string_equal(host, "untouched");
		assert_string_not_equal(error.text, "");
	}
}

static void
test_hosts_too_long(void **state)
{
	char text[2048], host[CA_HOST_MAX];
	struct oc_error error;

	(void)state;
	/* 63 + 1 + 63 + 1 + 63 + 1 + 61 = 253 is the longest. */
	memset(text, 'a', sizeof(text));
	text[63] = text[127] = text[191] = '.';
	assert_int_equal(ca_host_to_ascii(text, 253, host, &error), OC_OK);
	assert_int_equal(strlen(host), 253);
	assert_int_equal(ca_host_to_ascii(text, 254, host, &error),
	    OC_ERR_MALFORMED);
	assert_int_equal(ca_host_to_ascii(text, 2048, host, &error),
	    OC_ERR_MALFORMED);
	/* NUL in the middle: "a.test\0.evil". */
	assert_int_equal(ca_host_to_ascii("a.test\0.b", 9, host, &error),
	    OC_ERR_MALFORMED);
	assert_int_equal(ca_host_to_ascii("\0", 1, host, &error),
	    OC_ERR_MALFORMED);
}

static void
test_zone_names(void **state)
{
	static const char *const bad[] = {
		"com", "*.a.test", "", "a.test.", "xn--a.test", "1.2.3.4",
		"\xc3\xbc"
	};
	char name[CA_HOST_MAX], text[512];
	struct oc_error error;

	(void)state;
	assert_int_equal(ca_zone_to_ascii("B\xc3\xbc" "cher.EXAMPLE", name,
	    &error), OC_OK);
	assert_string_equal(name, "xn--bcher-kva.example");
	ca_host_to_unicode(name, text, sizeof(text));
	assert_string_equal(text, "b\xc3\xbc" "cher.example");
	ca_host_to_unicode("*.a.test", text, sizeof(text));
	assert_string_equal(text, "*.a.test");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(ca_zone_to_ascii(bad[i], name, &error),
		    OC_ERR_MALFORMED);
	assert_true(ca_host_is_in("a.test", "a.test"));
	assert_true(ca_host_is_in("*.a.test", "a.test"));
	assert_true(ca_host_is_in("x.y.a.test", "a.test"));
	assert_false(ca_host_is_in("xa.test", "a.test"));
	assert_false(ca_host_is_in("test", "a.test"));
	assert_false(ca_host_is_in("a.test.evil", "a.test"));
	assert_false(ca_host_is_in("a.test", ""));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hosts),
		cmocka_unit_test(test_hosts_too_long),
		cmocka_unit_test(test_zone_names)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
