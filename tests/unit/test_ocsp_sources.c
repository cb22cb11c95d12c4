/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Has each address what it may have, and no more?  Against a count that is
 * kept the simple way, for many addresses that come and go.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <sys/un.h>

#include "base/clock.h"
#include "ocsp/sources.h"
#include "tests/unit/der_test.h"

#define MAX 100

static struct ocsp_sources *sources;

static void
open_sources(struct ocsp_sources_options options)
{
	if (options.connections_max == 0)
		options.connections_max = MAX;
	assert_int_equal(ocsp_sources_new(&options, &sources), OC_OK);
}

static int
teardown(void **state)
{
	(void)state;
	ocsp_sources_free(sources);
	sources = NULL;
	return 0;
}

/* A connection from there; NULL also if it is not counted. */
static bool
enter(const char *text, struct ocsp_source **source)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	struct sockaddr_in in = { .sin_family = AF_INET };

	if (inet_pton(AF_INET, text, &in.sin_addr) == 1)
		return ocsp_sources_enter(sources, (struct sockaddr *)&in,
		    source);
	assert_int_equal(inet_pton(AF_INET6, text, &in6.sin6_addr), 1);
	return ocsp_sources_enter(sources, (struct sockaddr *)&in6, source);
}

static struct ocsp_source *
enter_well(const char *text)
{
	struct ocsp_source *source;

	assert_true(enter(text, &source));
	assert_non_null(source);
	return source;
}

static void
expect_refused(const char *text)
{
	struct ocsp_source *source;

	if (enter(text, &source))
		fail_msg("%s is let in", text);
	assert_null(source);
}

static void
one_address(void **state)
{
	struct ocsp_source *a, *b, *other;

	(void)state;
	open_sources((struct ocsp_sources_options){ .connections_each = 2 });
	a = enter_well("192.0.2.1");
	b = enter_well("192.0.2.1");
	assert_ptr_equal(a, b);
	expect_refused("192.0.2.1");
	other = enter_well("192.0.2.2");
	assert_ptr_not_equal(a, other);
	ocsp_sources_leave(sources, b);
	b = enter_well("192.0.2.1");
	expect_refused("192.0.2.1");
	ocsp_sources_leave(sources, a);
	ocsp_sources_leave(sources, b);
	ocsp_sources_leave(sources, other);
	ocsp_sources_leave(sources, NULL);
}

/* A /64 is one client; IPv4 behind the same first octets are many. */
static void
ipv6(void **state)
{
	struct ocsp_source *a, *b;

	(void)state;
	open_sources((struct ocsp_sources_options){ .connections_each = 1 });
	a = enter_well("2001:db8:0:1::1");
	expect_refused("2001:db8:0:1:ffff:ffff:ffff:ffff");
	expect_refused("2001:db8:0:1::1");
	b = enter_well("2001:db8:0:2::1");
	ocsp_sources_leave(sources, a);
	ocsp_sources_leave(sources, b);
	a = enter_well("::ffff:192.0.2.1");
	expect_refused("192.0.2.1");
	b = enter_well("::ffff:192.0.2.2");
	ocsp_sources_leave(sources, a);
	ocsp_sources_leave(sources, b);
}

static void
not_counted(void **state)
{
	const struct sockaddr_un un = { .sun_family = AF_UNIX };
	struct oc_address_range exempt[2];
	struct ocsp_source *source;

	(void)state;
	assert_int_equal(oc_address_range_parse("192.0.2.0/24", &exempt[0],
	    NULL), OC_OK);
	assert_int_equal(oc_address_range_parse("::1", &exempt[1], NULL),
	    OC_OK);
	open_sources((struct ocsp_sources_options){ .connections_each = 1,
	    .misses_each = 1, .exempt = exempt, .num_exempt = 2 });
	memset(exempt, 0, sizeof(exempt));	/* it is copied */
	for (int i = 0; i < 3; i++) {
		assert_true(enter("192.0.2.200", &source));
		assert_null(source);
		assert_true(enter("::1", &source));
		assert_null(source);
		assert_true(ocsp_sources_enter(sources,
		    (const struct sockaddr *)&un, &source));
		assert_null(source);
		assert_true(ocsp_source_may_ask(sources, NULL, 0));
	}
	source = enter_well("192.0.3.1");
	expect_refused("192.0.3.1");
	ocsp_sources_leave(sources, source);
	teardown(NULL);
	/* Without limits nobody is. */
	open_sources((struct ocsp_sources_options){ .connections_each = 0 });
	for (int i = 0; i < 3; i++) {
		assert_true(enter("192.0.3.1", &source));
		assert_null(source);
	}
}

/* How many of so many at once. */
static int
ask(struct ocsp_source *source, int num, int64_t now_ns)
{
	int num_asked = 0;

	while (num-- > 0)
		num_asked += ocsp_source_may_ask(sources, source, now_ns);
	return num_asked;
}

static void
misses(void **state)
{
	const int64_t second = OC_NS_PER_S, start = 1000 * second;
	struct ocsp_source *source, *other;

	(void)state;
	open_sources((struct ocsp_sources_options){ .misses_each = 10 });
	source = enter_well("192.0.2.1");
	other = enter_well("192.0.2.2");
	assert_int_equal(ask(source, 50, start), 10);
	assert_int_equal(ask(source, 50, start + second / 20), 0);
	assert_int_equal(ask(source, 50, start + second / 2), 5);
	assert_int_equal(ask(other, 50, start + second / 2), 10);
	assert_int_equal(ask(source, 50, start + 10 * second), 10);
	/* Who goes and comes again is no other. */
	ocsp_sources_leave(sources, source);
	source = enter_well("192.0.2.1");
	assert_int_equal(ask(source, 50, start + 10 * second), 0);
	assert_int_equal(ask(source, 50, start + 11 * second), 10);
	ocsp_sources_leave(sources, source);
	ocsp_sources_leave(sources, other);
	teardown(NULL);
	/* One a second, and more than there are nanoseconds' parts. */
	open_sources((struct ocsp_sources_options){ .misses_each = 1 });
	source = enter_well("192.0.2.1");
	assert_int_equal(ask(source, 5, start), 1);
	assert_int_equal(ask(source, 5, start + second - 1), 0);
	assert_int_equal(ask(source, 5, start + second), 1);
	ocsp_sources_leave(sources, source);
}

#define NUM_ADDRESSES 1000

/* Far more addresses than the table has room for, MAX connections at once. */
static void
many_addresses(void **state)
{
	struct ocsp_source *open[MAX], *source;
	uint32_t whose[MAX], num[NUM_ADDRESSES] = { 0 }, num_open = 0;
	uint64_t chance = 4;

	(void)state;
	open_sources((struct ocsp_sources_options){ .connections_each = 3 });
	for (int i = 0; i < 200000; i++) {
		struct sockaddr_in in = { .sin_family = AF_INET };
		uint32_t n;

		n = (uint32_t)(test_random(&chance) >> 32);
		if (num_open == MAX || (num_open > 0 && n % 2 == 0)) {
			n = n / 2 % num_open;
			ocsp_sources_leave(sources, open[n]);
			num[whose[n]]--;
			open[n] = open[--num_open];
			whose[n] = whose[num_open];
			continue;
		}
		/* Some come more often than others. */
		n = n / 2 % (n % 3 == 0 ? NUM_ADDRESSES : 20);
		in.sin_addr.s_addr = htonl(0x0a000000 + n);
		if (ocsp_sources_enter(sources, (struct sockaddr *)&in,
		    &source) != (num[n] < 3))
			fail_msg("%u: with %u connections", n, num[n]);
		if (source == NULL)
			continue;
		num[n]++;
		open[num_open] = source;
		whose[num_open++] = n;
	}
	while (num_open > 0)
		ocsp_sources_leave(sources, open[--num_open]);
}

#define NUM_NEIGHBOURS 20000

/* CPU time in which each comes twice, the n-th from first + n * step. */
static clock_t
time_of(uint32_t first, uint32_t step)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct ocsp_source *source;
	clock_t begun;

	open_sources((struct ocsp_sources_options){ .connections_each = 1,
	    .connections_max = NUM_NEIGHBOURS });
	begun = clock();
	for (uint32_t i = 0; i < 2 * NUM_NEIGHBOURS; i++) {
		in.sin_addr.s_addr = htonl(first +
		    i % NUM_NEIGHBOURS * step);
		assert_true(ocsp_sources_enter(sources,
		    (struct sockaddr *)&in, &source));
		ocsp_sources_leave(sources, source);
	}
	begun = clock() - begun;
	teardown(NULL);
	return begun;
}

/* One network's are found as fast as those of everywhere, whichever of their
 * octets differ. */
static void
neighbours(void **state)
{
	clock_t everywhere = time_of(0, 2654435761);

	(void)state;
	assert_in_range(time_of(0x0a010000, 1), 0, 20 * everywhere);
	assert_in_range(time_of(0x0a000000, 256), 0, 20 * everywhere);
	assert_in_range(time_of(7, 65536), 0, 20 * everywhere);
}

#define TEST(f) cmocka_unit_test_teardown(f, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(one_address),
		TEST(ipv6),
		TEST(not_counted),
		TEST(misses),
		TEST(many_addresses),
		TEST(neighbours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
