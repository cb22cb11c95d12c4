/* SPDX-License-Identifier: Apache-2.0 */
/* Is what is not the internet's told from what is, in all its disguises? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>

#include "validation/address.h"

static struct oc_address
address_of(const char *text)
{
	struct oc_address address;
	uint8_t octets[16];

	if (inet_pton(AF_INET, text, octets) == 1) {
		assert_true(validation_address_of_record(octets, 4,
		    &address));
	} else {
		assert_int_equal(inet_pton(AF_INET6, text, octets), 1);
		assert_true(validation_address_of_record(octets, 16,
		    &address));
	}
	return address;
}

static void
reserved(void **state)
{
	static const struct {
		const char *address, *what;
	} cases[] = {
		{ "0.0.0.0", "this network" },
		{ "10.255.255.255", "private" },
		{ "11.0.0.0", NULL },
		{ "100.63.255.255", NULL },
		{ "100.64.0.0", "shared" },
		{ "100.127.255.255", "shared" },
		{ "100.128.0.0", NULL },
		{ "127.0.0.1", "loopback" },
		{ "127.255.255.255", "loopback" },
		{ "169.254.169.254", "link-local" },
		{ "172.15.255.255", NULL },
		{ "172.16.0.0", "private" },
		{ "172.31.255.255", "private" },
		{ "172.32.0.0", NULL },
		{ "192.0.0.8", "for protocols" },
		{ "192.0.2.1", "documentation" },
		{ "192.88.99.1", "6to4 relay" },
		{ "192.168.0.1", "private" },
		{ "192.169.0.0", NULL },
		{ "198.18.0.1", "benchmarks" },
		{ "198.19.255.255", "benchmarks" },
		{ "198.20.0.0", NULL },
		{ "198.51.100.7", "documentation" },
		{ "203.0.113.7", "documentation" },
		{ "223.255.255.255", NULL },
		{ "224.0.0.1", "multicast" },
		{ "240.0.0.1", "reserved" },
		{ "255.255.255.255", "reserved" },
		{ "9.9.9.9", NULL },
		{ "::", "unspecified" },
		{ "::1", "loopback" },
		{ "::7f00:1", "IPv4-compatible" },
		{ "::ffff:127.0.0.1", "loopback" },
		{ "::ffff:10.0.0.1", "private" },
		{ "::ffff:9.9.9.9", NULL },
		{ "64:ff9b::a9fe:a9fe", "NAT64" },
		{ "64:ff9b:1::1", "NAT64" },
		{ "100::1", "discard" },
		{ "1fff:ffff::", "reserved" },
		{ "2000::1", NULL },
		{ "2001:0:7f00:1::", "Teredo" },
		{ "2001:20::1", "for protocols" },
		{ "2001:1ff:ffff::", "for protocols" },
		{ "2001:200::1", NULL },
		{ "2001:db8::1", "documentation" },
		{ "2001:db9::1", NULL },
		{ "2002:7f00:1::1", "6to4" },
		{ "2620:fe::fe", NULL },
		{ "3fff:fff::1", "documentation" },
		{ "3fff:1000::1", NULL },
		{ "4000::1", "reserved" },
		{ "5f00::1", "segment routing" },
		{ "fc00::1", "private" },
		{ "fdff::1", "private" },
		{ "fe80::1", "link-local" },
		{ "febf::1", "link-local" },
		{ "fec0::1", "site-local" },
		{ "ff02::1", "multicast" }
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct oc_address address = address_of(cases[i].address);
		const char *what = validation_address_reserved(&address, NULL,
		    0);

		if ((what == NULL) != (cases[i].what == NULL) ||
		    (what != NULL && strcmp(what, cases[i].what) != 0))
			fail_msg("%s: %s", cases[i].address,
			    what == NULL ? "the internet's" : what);
	}
}

static void
allowed(void **state)
{
	struct oc_address_range ranges[2];
	struct oc_address address;

	(void)state;
	assert_int_equal(oc_address_range_parse("127.0.0.1", &ranges[0],
	    NULL), OC_OK);
	assert_int_equal(oc_address_range_parse("fd00::/64", &ranges[1],
	    NULL), OC_OK);
	address = address_of("127.0.0.1");
	assert_null(validation_address_reserved(&address, ranges, 2));
	address = address_of("::ffff:127.0.0.1");
	assert_null(validation_address_reserved(&address, ranges, 2));
	address = address_of("127.0.0.2");
	assert_non_null(validation_address_reserved(&address, ranges, 2));
	address = address_of("fd00::5");
	assert_null(validation_address_reserved(&address, ranges, 2));
	address = address_of("fd00:0:0:1::5");
	assert_non_null(validation_address_reserved(&address, ranges, 2));
}

/* Each is a range, and reserved from its first to beyond nothing of IPv4. */
static void
ranges(void **state)
{
	struct oc_address public_v4 = address_of("9.9.9.9");
	struct oc_address public_v6 = address_of("2620:fe::fe");
	size_t num = 0;
	const char *text;

	(void)state;
	for (; (text = validation_address_range(num)) != NULL; num++) {
		struct oc_address_range range;

		assert_int_equal(oc_address_range_parse(text, &range, NULL),
		    OC_OK);
		assert_non_null(validation_address_reserved(&range.first,
		    NULL, 0));
		assert_false(oc_address_range_has(&range, &public_v4));
		assert_false(oc_address_range_has(&range, &public_v6));
	}
	assert_true(num > 25);
}

static void
records_and_text(void **state)
{
	static const char *const texts[] = { "9.9.9.9", "2620:fe::fe", "::1" };
	uint8_t octets[17] = { 0 };
	struct oc_address address;
	char text[INET6_ADDRSTRLEN];

	(void)state;
	for (size_t len = 0; len <= sizeof(octets); len++)
		assert_int_equal(validation_address_of_record(octets, len,
		    &address), len == 4 || len == 16);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		address = address_of(texts[i]);
		validation_address_text(&address, text);
		assert_string_equal(text, texts[i]);
		assert_int_equal(validation_address_is_v4(&address), i == 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reserved),
		cmocka_unit_test(allowed),
		cmocka_unit_test(ranges),
		cmocka_unit_test(records_and_text)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
