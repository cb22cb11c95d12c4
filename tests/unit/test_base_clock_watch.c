/* SPDX-License-Identifier: Apache-2.0 */
/* Is a jump of the calendar clock seen, and nothing else taken for one? */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/clock_watch.h"
#include "base/limits.h"

#define DAY_S 86400
#define NEAR_MS 2000

static int64_t calendar_s, slept_s;	/* what the clocks are set by */
static char dir[64], path[80];

/* In front of the C library's. */
int
clock_gettime(clockid_t id, struct timespec *ts)
{
	long r = syscall(SYS_clock_gettime, id, ts);

	if (id == CLOCK_REALTIME)
		ts->tv_sec += calendar_s;
	if (id == CLOCK_REALTIME || id == CLOCK_BOOTTIME)
		ts->tv_sec += slept_s;
	return (int)r;
}

static int
setup(void **state)
{
	(void)state;
	calendar_s = slept_s = 0;
	snprintf(dir, sizeof(dir), "%s/clock.XXXXXX", getenv("TMPDIR") !=
	    NULL && strlen(getenv("TMPDIR")) < 40 ? getenv("TMPDIR") :
	    "/tmp");
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/clock", dir);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(dir);
}

static void
open_watch(struct oc_clock_watch *w, enum oc_clock_watch_role role)
{
	assert_int_equal(oc_clock_watch_init(w, dir, role), OC_OK);
}

/* Within what passes while a test is under way. */
static void
expect_jump(struct oc_clock_watch *w, int64_t s)
{
	int64_t ms = oc_clock_watch_look(w);

	if (ms < s * 1000 - NEAR_MS || ms > s * 1000 + NEAR_MS)
		fail_msg("%lld ms, not %lld s", (long long)ms, (long long)s);
}

/* What it should be is what it was, and goes on. */
static void
expect_time(struct oc_clock_watch *w, int64_t s)
{
	assert_in_range(oc_clock_watch_now_s(w) - s, 0, 2);
}

static void
jumps(void **state)
{
	static const int64_t by[] = { DAY_S, -DAY_S, 3650 * DAY_S,
	    OC_CLOCK_STEP_MAX_S + 1, -OC_CLOCK_STEP_MAX_S - 1 };
	struct oc_clock_watch w;
	int64_t now = oc_clock_now_s();

	(void)state;
	open_watch(&w, OC_CLOCK_WATCH_WRITES);
	for (size_t i = 0; i < sizeof(by) / sizeof(by[0]); i++) {
		calendar_s = by[i];
		expect_jump(&w, by[i]);
		expect_time(&w, now);
		slept_s += 3 * 3600;	/* it does not become right by age */
		now += 3 * 3600;
		expect_jump(&w, by[i]);
		expect_time(&w, now);
		calendar_s = 0;
		assert_int_equal(oc_clock_watch_look(&w), 0);
		expect_time(&w, now);
	}
	oc_clock_watch_fini(&w);
}

static void
no_jumps(void **state)
{
	struct oc_clock_watch w;
	int64_t now = oc_clock_now_s();

	(void)state;
	open_watch(&w, OC_CLOCK_WATCH_WRITES);
	/* A machine that slept for a week. */
	slept_s = 7 * DAY_S;
	assert_int_equal(oc_clock_watch_look(&w), 0);
	expect_time(&w, now + 7 * DAY_S);
	/* Corrections, one an hour; not as many at once. */
	for (int i = 1; i <= 5; i++) {
		calendar_s += OC_CLOCK_STEP_MAX_S - 5;
		assert_int_equal(oc_clock_watch_look(&w), 0);
		slept_s += 3601;
		assert_int_equal(oc_clock_watch_look(&w), 0);
	}
	calendar_s += 200;
	assert_int_equal(oc_clock_watch_look(&w), 0);
	calendar_s += 200;
	expect_jump(&w, 400);
	oc_clock_watch_fini(&w);
	assert_int_equal(oc_clock_watch_look(NULL), 0);
	assert_in_range(oc_clock_watch_now_s(NULL) - oc_clock_now_s(), 0, 1);
}

/* Who is started after the jump knows of it; nobody else has to. */
static void
started_late(void **state)
{
	struct oc_clock_watch first, second, reader;

	(void)state;
	open_watch(&reader, OC_CLOCK_WATCH_READS);
	assert_int_not_equal(access(path, F_OK), 0);
	open_watch(&first, OC_CLOCK_WATCH_WRITES);
	calendar_s = -DAY_S;
	open_watch(&second, OC_CLOCK_WATCH_WRITES);
	expect_jump(&second, -DAY_S);
	expect_jump(&reader, -DAY_S);
	oc_clock_watch_fini(&reader);
	open_watch(&reader, OC_CLOCK_WATCH_READS);
	expect_jump(&reader, -DAY_S);
	oc_clock_watch_fini(&reader);
	oc_clock_watch_fini(&second);
	oc_clock_watch_fini(&first);
}

/* The file is gone: it is right.  The writer says so to the others. */
static void
confirmed(void **state)
{
	struct oc_clock_watch w, reader;

	(void)state;
	open_watch(&w, OC_CLOCK_WATCH_WRITES);
	open_watch(&reader, OC_CLOCK_WATCH_READS);
	calendar_s = DAY_S;
	expect_jump(&w, DAY_S);
	expect_jump(&reader, DAY_S);
	assert_int_equal(unlink(path), 0);
	expect_jump(&reader, DAY_S);
	assert_int_equal(oc_clock_watch_look(&w), 0);
	assert_int_equal(access(path, F_OK), 0);
	assert_int_equal(oc_clock_watch_look(&reader), 0);
	/* And then that is what counts. */
	calendar_s = 0;
	expect_jump(&w, -DAY_S);
	expect_jump(&reader, -DAY_S);
	oc_clock_watch_fini(&reader);
	oc_clock_watch_fini(&w);
}

/* A file that nobody of ours wrote is no word of a person. */
static void
bad_file(void **state)
{
	static const char too_long[] = "0000000000000000000000000000000000000"
	    "0000000000000000000000000000000000000000000000000000000000012\n";
	static const char *const texts[] = { "", "x\n", "12", "12 \n",
	    "12\n\n", too_long, "-9223372036854775808\n",
	    "9223372036854775808\n" };
	struct oc_clock_watch w;
	FILE *f;

	(void)state;
	open_watch(&w, OC_CLOCK_WATCH_WRITES);
	calendar_s = DAY_S;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		f = fopen(path, "w");
		assert_non_null(f);
		fputs(texts[i], f);
		fclose(f);
		expect_jump(&w, DAY_S);
	}
	oc_clock_watch_fini(&w);
}

/* A file that could never be written has not been removed by a person. */
static void
not_kept(void **state)
{
	struct oc_clock_watch w;

	(void)state;
	assert_int_equal(rmdir(dir), 0);
	open_watch(&w, OC_CLOCK_WATCH_WRITES);
	calendar_s = DAY_S;
	expect_jump(&w, DAY_S);
	calendar_s = 0;
	assert_int_equal(oc_clock_watch_look(&w), 0);
	/* An hour later it can be. */
	assert_int_equal(mkdir(dir, 0700), 0);
	slept_s += 3601;
	assert_int_equal(oc_clock_watch_look(&w), 0);
	assert_int_equal(access(path, F_OK), 0);
	calendar_s = DAY_S;
	expect_jump(&w, DAY_S);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(oc_clock_watch_look(&w), 0);
	oc_clock_watch_fini(&w);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(jumps),
		TEST(no_jumps),
		TEST(started_late),
		TEST(confirmed),
		TEST(bad_file),
		TEST(not_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
