/* SPDX-License-Identifier: Apache-2.0 */
/* Are ranges of addresses read strictly, and is who lies in one in it? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <sys/un.h>

#include "base/address.h"

static struct oc_address
address_of(const char *text)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct oc_address address;

	if (inet_pton(AF_INET, text, &in.sin_addr) == 1) {
		assert_true(oc_address_of((struct sockaddr *)&in, &address));
	} else {
		assert_int_equal(inet_pton(AF_INET6, text, &in6.sin6_addr), 1);
		assert_true(oc_address_of((struct sockaddr *)&in6, &address));
	}
	return address;
}

static void
ranges(void **state)
{
	static const struct {
		const char *range, *address;
		bool is_in;
	} cases[] = {
		{ "192.0.2.1", "192.0.2.1", true },
		{ "192.0.2.1", "192.0.2.2", false },
		{ "192.0.2.0/24", "192.0.2.255", true },
		{ "192.0.2.0/24", "192.0.3.0", false },
		{ "192.0.2.128/25", "192.0.2.127", false },
		{ "192.0.2.128/25", "192.0.2.200", true },
		{ "127.0.0.0/8", "127.255.255.255", true },
		{ "127.0.0.0/8", "128.0.0.0", false },
		{ "0.0.0.0/0", "203.0.113.9", true },
		{ "0.0.0.0/0", "2001:db8::1", false },
		{ "192.0.2.1", "::ffff:192.0.2.1", true },
		{ "::ffff:192.0.2.1", "192.0.2.1", true },
		{ "::/0", "203.0.113.9", true },
		{ "::/0", "2001:db8::1", true },
		{ "::1", "::1", true },
		{ "::1", "127.0.0.1", false },
		{ "2001:db8::/32", "2001:db8:ffff::", true },
		{ "2001:db8::/32", "2001:db9::", false },
		{ "2001:db8:0:8000::/49", "2001:db8:0:7fff::", false },
		{ "2001:db8:0:8000::/49", "2001:db8:0:ffff::1", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct oc_address address = address_of(cases[i].address);
		struct oc_address_range range;
		struct oc_error error = { 0 };

		if (oc_address_range_parse(cases[i].range, &range, &error) !=
		    OC_OK)
			fail_msg("%s", error.text);
		if (oc_address_range_has(&range, &address) != cases[i].is_in)
			fail_msg("%s in %s", cases[i].address,
			    cases[i].range);
	}
}

static void
no_ranges(void **state)
{
	static const char *const texts[] = { "", "/", "/8", "localhost",
	    "192.0.2", "192.0.2.1.1", "192.0.2.256", "192.0.2.1/24",
	    "192.0.2.1/", "192.0.2.1/33", "192.0.2.1/-1", "192.0.2.1/032x",
	    "192.0.2.0/24/24", " 192.0.2.1", "192.0.2.1 ", "[::1]", "::1/129",
	    "2001:db8::1/32", "2001:db8::1%eth0", "1::2::3",
	    "1111:2222:3333:4444:5555:6666:7777:8888:9999",
	    "1111:2222:3333:4444:5555:6666:123.123.123.123.123.123" };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct oc_address_range range = { .bits = 77 };
		struct oc_error error = { 0 };

		if (oc_address_range_parse(texts[i], &range, &error) !=
		    OC_ERR_CONFIG)
			fail_msg("\"%s\" is taken", texts[i]);
		assert_int_equal(range.bits, 77);
		assert_non_null(strstr(error.text, "write "));
	}
}

static void
of_no_ip(void **state)
{
	const struct sockaddr_un un = { .sun_family = AF_UNIX };
	struct oc_address address;

	(void)state;
	assert_false(oc_address_of((const struct sockaddr *)&un, &address));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges),
		cmocka_unit_test(no_ranges),
		cmocka_unit_test(of_no_ip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
