/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pages in which responders count: whose they are, that their sum neither
 * loses nor doubles anything when responders come and go, and that nothing
 * found in their place harms who reads.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "ocsp/asked.h"
#include "ocsp/counts.h"

static char directory[64];

static const char *
page_path(unsigned int number)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/responder-%u.counts", directory,
	    number);
	return path;
}

static struct oc_page *
open_page(uint64_t run)
{
	struct oc_page *page;
	struct oc_error error = { 0 };

	if (ocsp_counts_open(directory, run, &page, &error) != OC_OK)
		fail_msg("%s", error.text);
	return page;
}

static struct ocsp_counts_total
read_all(uint64_t run)
{
	struct ocsp_counts_total total;

	memset(&total, 0xa5, sizeof(total));
	ocsp_counts_read(directory, run, &total);
	return total;
}

static int
setup(void **state)
{
	const char *tmp = getenv("TMPDIR");

	(void)state;
	oc_log_init("test", OC_LOG_ERROR);
	snprintf(directory, sizeof(directory), "%.40s/counts.XXXXXX",
	    tmp != NULL ? tmp : "/tmp");
	return mkdtemp(directory) == NULL ? -1 : 0;
}

static int
teardown(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i <= OC_PAGES_MAX; i++)
		if (unlink(page_path(i)) != 0)
			(void)rmdir(page_path(i));
	return rmdir(directory);
}

static void
nothing_there(void **state)
{
	struct ocsp_counts_total total = read_all(7);

	(void)state;
	assert_int_equal(total.pages.num_pages, 0);
	assert_int_equal(total.pages.since, 0);
	assert_int_equal(total.counts.requests, 0);
}

/* Two at once have a page each; who comes later goes on with one that is
 * free. */
static void
come_and_go(void **state)
{
	struct oc_page *a = open_page(7), *b = open_page(7);
	struct ocsp_counts_total total;
	int64_t now = oc_clock_now_s();

	(void)state;
	ocsp_counts_of(a)->requests = 10;
	ocsp_counts_of(b)->requests = 100;
	ocsp_counts_of(b)->miss_latency.num[OCSP_LATENCY_BUCKETS - 1] = 5;
	total = read_all(7);
	assert_int_equal(total.counts.requests, 110);
	assert_int_equal(total.counts.miss_latency.num[
	    OCSP_LATENCY_BUCKETS - 1], 5);
	assert_int_equal(total.pages.num_pages, 2);
	assert_int_equal(total.pages.num_held, 2);
	assert_in_range(total.pages.since, now - 2, now + 2);

	oc_page_close(a);
	total = read_all(7);
	assert_int_equal(total.counts.requests, 110);
	assert_int_equal(total.pages.num_held, 1);
	a = open_page(7);
	assert_int_equal(ocsp_counts_of(a)->requests, 10);
	ocsp_counts_of(a)->requests++;
	oc_page_close(a);
	oc_page_close(b);
	total = read_all(7);
	assert_int_equal(total.counts.requests, 111);
	assert_int_equal(total.pages.num_pages, 2);
	assert_int_equal(total.pages.num_held, 0);
	assert_int_equal(total.pages.num_starts, 3);
}

/* Nothing is written at an end, since there may be none. */
static void
killed(void **state)
{
	struct oc_page *page;
	int status, ready[2];
	char octet;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(ready), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		page = open_page(7);
		ocsp_counts_of(page)->hits = 42;
		(void)!write(ready[1], "", 1);
		for (;;)
			pause();
	}
	assert_int_equal(read(ready[0], &octet, 1), 1);
	assert_int_equal(read_all(7).pages.num_held, 1);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	close(ready[0]);
	close(ready[1]);
	assert_int_equal(read_all(7).counts.hits, 42);
	assert_int_equal(read_all(7).pages.num_held, 0);
	page = open_page(7);
	ocsp_counts_of(page)->hits++;
	assert_int_equal(read_all(7).counts.hits, 43);
	assert_int_equal(read_all(7).pages.num_pages, 1);
	oc_page_close(page);
}

static void
another_run(void **state)
{
	struct oc_page *page = open_page(7);

	(void)state;
	ocsp_counts_of(page)->requests = 10;
	ocsp_counts_of(page)->hit_latency.sum_ns = 3;
	oc_page_close(page);
	assert_int_equal(read_all(8).pages.num_pages, 0);
	assert_int_equal(read_all(8).counts.requests, 0);
	page = open_page(8);
	assert_int_equal(ocsp_counts_of(page)->requests, 0);
	assert_int_equal(ocsp_counts_of(page)->hit_latency.sum_ns, 0);
	assert_int_equal(read_all(8).pages.num_starts, 1);
	assert_int_equal(read_all(7).pages.num_pages, 0);
	oc_page_close(page);
}

static void
write_octet(const char *path, off_t at, uint8_t octet)
{
	FILE *f = fopen(path, "r+");

	assert_non_null(f);
	assert_int_equal(fseek(f, at, SEEK_SET), 0);
	assert_int_equal(fputc(octet, f), octet);
	assert_int_equal(fclose(f), 0);
}

/* What is in a page's place: none of it is counted, none of it blocks, and
 * the page behind it is still found. */
static void
damaged(void **state)
{
	struct oc_page *first = open_page(7), *second = open_page(7);
	struct oc_error error = { 0 };
	struct oc_page *none = NULL;

	(void)state;
	ocsp_counts_of(first)->requests = 10;
	ocsp_counts_of(second)->requests = 100;
	oc_page_close(first);
	assert_int_equal(read_all(7).counts.requests, 110);
	write_octet(page_path(0), 0, 0x5a);
	assert_int_equal(read_all(7).counts.requests, 100);
	assert_int_equal(truncate(page_path(0), 100), 0);
	assert_int_equal(read_all(7).counts.requests, 100);
	assert_int_equal(unlink(page_path(0)), 0);
	assert_int_equal(mkfifo(page_path(0), 0600), 0);
	assert_int_equal(read_all(7).counts.requests, 100);
	assert_int_not_equal(ocsp_counts_open(directory, 7, &none, &error),
	    OC_OK);
	assert_int_equal(unlink(page_path(0)), 0);
	assert_int_equal(symlink("responder-1.counts", page_path(0)), 0);
	assert_int_equal(read_all(7).counts.requests, 100);
	assert_int_not_equal(ocsp_counts_open(directory, 7, &none, &error),
	    OC_OK);
	assert_null(none);
	assert_int_equal(unlink(page_path(0)), 0);
	/* One cut short is made whole, and begins anew. */
	oc_page_close(second);
	assert_int_equal(truncate(page_path(1), 3), 0);
	first = open_page(7);
	second = open_page(7);
	assert_int_equal(ocsp_counts_of(second)->requests, 0);
	oc_page_close(second);
	assert_int_equal(ocsp_counts_of(first)->requests, 0);
	assert_int_equal(read_all(7).pages.num_pages, 2);
	oc_page_close(first);
}

static void
no_directory(void **state)
{
	struct oc_page *page = NULL;
	struct oc_error error = { 0 };

	(void)state;
	assert_int_equal(ocsp_counts_open("/nonexistent", 7, &page, &error),
	    OC_ERR_SYSTEM);
	assert_null(page);
	assert_non_null(strstr(error.text, "/nonexistent"));
}

static void
all_held(void **state)
{
	struct oc_page *pages[OC_PAGES_MAX], *more = NULL;
	struct oc_error error = { 0 };
	int i;

	(void)state;
	for (i = 0; i < OC_PAGES_MAX; i++)
		pages[i] = open_page(7);
	assert_int_equal(ocsp_counts_open(directory, 7, &more, &error),
	    OC_ERR_BUSY);
	assert_null(more);
	assert_int_equal(read_all(7).pages.num_held, OC_PAGES_MAX);
	for (i = 0; i < OC_PAGES_MAX; i++)
		oc_page_close(pages[i]);
}

/* Each has its place in each page, for as long as the run. */
static void
issuers(void **state)
{
	struct oc_page *a = open_page(7), *b = open_page(7);
	struct ocsp_counts_total total;
	char name[OC_CONFIG_NAME_MAX + 1];
	int i;

	(void)state;
	ocsp_counts_of_issuer(a, "web")->hits = 1;
	ocsp_counts_of_issuer(a, "we")->hits = 10;
	ocsp_counts_of_issuer(b, "we")->hits = 20;
	ocsp_counts_of_issuer(b, "web")->stale = 3;
	ocsp_counts_of_issuer(b, "web")->hits += 2;
	total = read_all(7);
	assert_int_equal(total.num_issuers, 2);
	assert_int_equal(ocsp_counts_find(&total, "web").hits, 3);
	assert_int_equal(ocsp_counts_find(&total, "web").stale, 3);
	assert_int_equal(ocsp_counts_find(&total, "we").hits, 30);
	assert_int_equal(ocsp_counts_find(&total, "w").hits, 0);
	oc_page_close(a);
	a = open_page(7);
	assert_int_equal(ocsp_counts_of_issuer(a, "we")->hits, 10);
	/* Another run's are not ours. */
	oc_page_close(a);
	a = open_page(8);
	assert_int_equal(ocsp_counts_of_issuer(a, "we")->hits, 0);
	assert_int_equal(read_all(8).num_issuers, 1);

	/* The longest name, and as many as there is room for. */
	memset(name, 'x', OC_CONFIG_NAME_MAX);
	name[OC_CONFIG_NAME_MAX] = '\0';
	for (i = 1; i < OCSP_COUNTS_ISSUERS_MAX; i++) {
		name[0] = (char)('0' + i / 10);
		name[1] = (char)('0' + i % 10);
		ocsp_counts_of_issuer(a, name)->misses = (uint64_t)i;
	}
	assert_null(ocsp_counts_of_issuer(a, "one more"));
	total = read_all(8);
	assert_int_equal(total.num_issuers, OCSP_COUNTS_ISSUERS_MAX);
	assert_int_equal(ocsp_counts_find(&total, name).misses, i - 1);
	oc_page_close(a);
	oc_page_close(b);
}

/* A name that no writer of ours wrote is nobody's. */
static void
nonsense_names(void **state)
{
	struct oc_page *page = open_page(7);
	char *name = (char *)ocsp_counts_of_issuer(page, "web") - 128;

	(void)state;
	assert_string_equal(name, "web");
	ocsp_counts_of_issuer(page, "cdn")->hits = 1;
	memset(name, 'y', 128);
	assert_int_equal(read_all(7).num_issuers, 1);
	name[OC_CONFIG_NAME_MAX + 1] = '\0';
	assert_int_equal(read_all(7).num_issuers, 1);
	name[OC_CONFIG_NAME_MAX] = '\0';
	assert_int_equal(read_all(7).num_issuers, 2);
	oc_page_close(page);
}

/* A bound belongs to its bucket, as Prometheus has it. */
static void
latency(void **state)
{
	struct ocsp_latency l;
	int i;

	(void)state;
	for (i = 0; i < OCSP_LATENCY_BUCKETS - 1; i++) {
		int64_t bound = ocsp_counts_bounds_ns[i];

		memset(&l, 0, sizeof(l));
		ocsp_latency_add(&l, bound);
		ocsp_latency_add(&l, bound + 1);
		assert_int_equal(l.num[i], 1);
		assert_int_equal(l.num[i + 1], 1);
		assert_int_equal(l.sum_ns, 2 * bound + 1);
		assert_true(i == 0 || bound > ocsp_counts_bounds_ns[i - 1]);
	}
	memset(&l, 0, sizeof(l));
	ocsp_latency_add(&l, -5);	/* a clock that was read earlier */
	assert_int_equal(l.num[0], 1);
	assert_int_equal(l.sum_ns, 0);
	ocsp_latency_add(&l, INT64_MAX);
	assert_int_equal(l.num[OCSP_LATENCY_BUCKETS - 1], 1);
}

static int
teardown_asked(void **state)
{
	char path[128];

	(void)state;
	for (int i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s/asked-%d.counts", directory,
		    i);
		(void)unlink(path);
	}
	return rmdir(directory);
}

static uint32_t
num_asked(const struct oc_serial *serial)
{
	struct ocsp_asked_total *total;
	uint32_t num;

	assert_int_equal(ocsp_asked_read(directory, &total), OC_OK);
	num = ocsp_asked_num(total, serial);
	ocsp_asked_free(total);
	return num;
}

/* Of all responders together, also by who does not know which run it is; and
 * what is long ago counts for less. */
static void
who_is_asked_about(void **state)
{
	const struct oc_serial often = { { 1, 2, 3 }, 3 },
	    rarely = { { 1, 2, 4 }, 3 }, never = { { 9 }, 1 };
	struct oc_error error = { 0 };
	struct oc_page *pages[2];
	uint32_t num;

	(void)state;
	assert_int_equal(num_asked(&often), 0);
	ocsp_asked_count(NULL, &often);
	for (int i = 0; i < 2; i++)
		assert_int_equal(ocsp_asked_open(directory, 7, &pages[i],
		    &error), OC_OK);
	for (int i = 0; i < 5; i++)
		ocsp_asked_count(ocsp_asked_of(pages[i % 2]), &often);
	ocsp_asked_count(ocsp_asked_of(pages[1]), &rarely);
	assert_int_equal(num_asked(&often), 5);
	assert_int_equal(num_asked(&rarely), 1);
	assert_int_equal(num_asked(&never), 0);
	/* One that is asked about without end stops nowhere near zero. */
	for (uint32_t i = 0; i < 100000; i++)
		ocsp_asked_count(ocsp_asked_of(pages[0]), &often);
	assert_true(num_asked(&often) >= UINT16_MAX);
	num = num_asked(&often);
	for (uint32_t i = 0; i < 16 * OCSP_ASKED_COUNTERS; i++)
		ocsp_asked_count(ocsp_asked_of(pages[0]), &never);
	assert_true(num_asked(&often) <= num / 2 + 4);
	assert_true(num_asked(&often) > 0);
	for (int i = 0; i < 2; i++)
		oc_page_close(pages[i]);
	assert_true(num_asked(&often) > 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nothing_there, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(come_and_go, setup, teardown),
		cmocka_unit_test_setup_teardown(killed, setup, teardown),
		cmocka_unit_test_setup_teardown(another_run, setup, teardown),
		cmocka_unit_test_setup_teardown(damaged, setup, teardown),
		cmocka_unit_test_setup_teardown(no_directory, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(all_held, setup, teardown),
		cmocka_unit_test_setup_teardown(issuers, setup, teardown),
		cmocka_unit_test_setup_teardown(nonsense_names, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(who_is_asked_about, setup,
		    teardown_asked),
		cmocka_unit_test(latency),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
