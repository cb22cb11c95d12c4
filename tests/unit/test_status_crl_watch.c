/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file that a CRL is in: PEM or DER, half written, for ever or in place;
 * time; what a restart knows from the copy; the thread.
 */
#include "tests/unit/crl_world.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <openssl/pem.h>

#include "base/log.h"

/* What was in force when the copy got its name. */
static struct crl_world *watched;
static uint64_t generation_copied;

int
rename(const char *from, const char *to)
{
	if (watched != NULL && strcmp(to, watched->copy) == 0)
		generation_copied = status_crl_file_generation(watched->file);
	return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

/* --- the file ---------------------------------------------------------- */

static void
test_pem(void **state)
{
	struct crl_world *w = *state;
	size_t len;
	uint8_t *der = fixture_crl(&(struct crl_order){ .number = 7,
	    .items = two }, w->ca, w->key, &len);
	FILE *f = fopen(w->path, "w");

	assert_true(fputs("whose it is\n", f) >= 0);
	assert_int_equal(PEM_write(f, PEM_STRING_X509_CRL, "", der,
	    (long)len) > 0, 1);
	(void)fclose(f);
	start(w);
	expect_well(w, "7");
	/* The same in DER is nothing new. */
	fixture_write(w->path, der, len);
	assert_false(look(w));
	expect_well(w, "7");
	OPENSSL_free(der);
}

/* Every octet that is missing, whoever is still writing it. */
static void
test_torn(void **state)
{
	struct crl_world *w = *state;
	size_t len, i;
	uint8_t *der;

	put(w, &(struct crl_order){ .number = 1, .items = two });
	start(w);
	der = fixture_crl(&(struct crl_order){ .number = 2, .items = two },
	    w->ca, w->key, &len);
	for (i = 0; i < len; i++) {
		fixture_write(w->path, der, i);
		/* A moment later, it has grown. */
		w->mono_ns += S / 100;
		assert_false(status_watch_look(status_crl_file_watched(
		    w->file), oc_clock_now_s(),
		    w->mono_ns));
		expect_well(w, "1");
	}
	/* It stays so: that is no writer. */
	assert_false(look(w));
	assert_false(look(w));
	expect_well(w, "1");
	assert_false(look(w));
	assert_false(look(w));
	assert_true(report(w).of.refused_since != 0);
	fixture_write(w->path, der, len);
	assert_true(look(w));
	expect_well(w, "2");
	OPENSSL_free(der);
}

/* Somebody who never ends is said as well. */
static void
test_torn_for_ever(void **state)
{
	struct crl_world *w = *state;
	int i;

	put(w, &(struct crl_order){ .number = 1, .items = two });
	start(w);
	for (i = 1; i < 60; i++) {
		fixture_write(w->path, "0000000000000000000000000000000000"
		    "00000000000000000000000000", (size_t)i);
		assert_false(look(w));
		expect_well(w, "1");
	}
	fixture_write(w->path, "0", 0);
	assert_false(look(w));
	fixture_write(w->path, "0", 1);
	assert_false(look(w));
	assert_true(report(w).of.refused_since != 0);
}

/* In the same place, as long as it was, and before the clock of the file
 * system has ticked. */
static void
test_written_in_place(void **state)
{
	struct crl_world *w = *state;
	struct crl_order order = { .number = 1, .items = two };
	struct timespec at[2];
	struct stat st;
	size_t len;
	uint8_t *der;
	int fd;

	put(w, &order);
	start(w);
	assert_int_equal(stat(w->path, &st), 0);
	do {	/* a signature that is as long */
		order.number = 2;
		der = fixture_crl(&order, w->ca, w->key, &len);
		if (len != (size_t)st.st_size)
			OPENSSL_free(der);
	} while (len != (size_t)st.st_size);
	fd = open(w->path, O_WRONLY);
	assert_int_equal(pwrite(fd, der, len, 0), len);
	at[0] = st.st_atim;
	at[1] = st.st_mtim;
	assert_int_equal(futimens(fd, at), 0);
	(void)close(fd);
	OPENSSL_free(der);
	assert_true(look(w));
	expect_well(w, "2");
}

/* --- time -------------------------------------------------------------- */

static void
test_time_makes_it_good(void **state)
{
	struct crl_world *w = *state;
	int i;

	put(w, &(struct crl_order){ .number = 1, .begins_s = 400 });
	start(w);
	expect_refused(w, "it is from the future", NULL);
	w->ahead_s += 100;
	for (i = 0; i < 20; i++)
		assert_false(look(w));
	for (i = 0; i < 20 && !look(w); i++)
		;
	expect_well(w, "1");
}

/* It stays, for whoever asks what was before, and is over by its own
 * nextUpdate. */
static void
test_ends(void **state)
{
	struct crl_world *w = *state;
	struct status_crl_list *list;

	put(w, &(struct crl_order){ .number = 5, .items = two,
	    .lasts_s = 2 });
	start(w);
	expect_well(w, "5");
	w->ahead_s += 3;
	assert_false(look(w));
	list = status_crl_file_hold(w->file);
	assert_true(list->crl.next_update <=
	    oc_clock_now_s() + w->ahead_s);
	status_crl_list_release(list);
	put(w, &(struct crl_order){ .number = 4, .items = two });
	expect_refused(w, "its number is 4", "5");
	put(w, &(struct crl_order){ .number = 6, .items = two });
	assert_true(look(w));
	expect_well(w, "6");
}

/* --- the copy ---------------------------------------------------------- */

static void
test_copy_is_enough(void **state)
{
	struct crl_world *w = *state;

	put(w, &(struct crl_order){ .number = 5, .items = two });
	start(w);
	assert_int_equal(unlink(w->path), 0);
	start(w);
	expect_refused(w, "No such file", "5");
	assert_int_equal(report(w).of.num_entries, 2);
}

static void
test_copy_is_damaged(void **state)
{
	struct crl_world *w = *state;

	put(w, &(struct crl_order){ .number = 5, .items = two });
	start(w);
	fixture_write(w->copy, "x", 1);
	put(w, &(struct crl_order){ .number = 4, .items = two });
	start(w);
	expect_well(w, "4");
	/* Of a CA with another key, it says nothing. */
	write_certificate(w, w->ca);
	put_by(w, "CA", w->other_key);
	assert_int_equal(rename(w->path, w->copy), 0);
	put(w, &(struct crl_order){ .number = 3, .items = two });
	start(w);
	expect_well(w, "3");
}

/* In force all the same: what is newly revoked counts for more. */
/* Whoever dies in between has not answered by it yet. */
static void
test_copy_comes_first(void **state)
{
	struct crl_world *w = *state;
	uint64_t before;

	put(w, &(struct crl_order){ .number = 5, .items = two });
	start(w);
	before = status_crl_file_generation(w->file);
	put(w, &(struct crl_order){ .number = 6, .items = two });
	watched = w;
	generation_copied = UINT64_MAX;
	assert_true(look(w));
	watched = NULL;
	assert_int_equal(status_crl_file_generation(w->file), before + 1);
	assert_int_equal(generation_copied, before);
	expect_well(w, "6");
}

static void
test_copy_cannot_be_kept(void **state)
{
	struct crl_world *w = *state;
	int i;

	(void)snprintf(w->copy, sizeof(w->copy), "%s/none/copy",
	    w->directory);
	put(w, &(struct crl_order){ .number = 5, .items = two });
	start(w);
	assert_string_equal(report(w).number, "5");
	assert_non_null(strstr(report(w).of.why, "none"));
	for (i = 0; i < 5; i++)
		assert_false(look(w));
	assert_int_equal(report(w).of.num_refused, 1);
	*strrchr(w->copy, '/') = '\0';
	assert_int_equal(mkdir(w->copy, 0700), 0);
	w->copy[strlen(w->copy)] = '/';
	for (i = 0; i < 31; i++)
		assert_false(look(w));
	expect_well(w, "5");
	assert_int_equal(access(w->copy, F_OK), 0);
}

/* --- the thread -------------------------------------------------------- */

static void
test_watch(void **state)
{
	struct crl_world *w = *state;
	struct status_crl_list *first, *second;
	int64_t until_ns = oc_clock_mono_ns() + 20 * S;
	uint64_t generation;

	put(w, &(struct crl_order){ .number = 5, .items = two });
	start(w);
	first = status_crl_file_hold(w->file);
	generation = status_crl_file_generation(w->file);
	assert_int_equal(status_watch_start(
	    status_crl_file_watched(w->file)), OC_OK);
	put(w, &(struct crl_order){ .number = 6, .items = two });
	while (status_crl_file_generation(w->file) == generation &&
	    oc_clock_mono_ns() < until_ns)
		usleep(20000);
	second = status_crl_file_hold(w->file);
	assert_int_equal(first->crl.number.p[0], 5);
	assert_int_equal(second->crl.number.p[0], 6);
	status_crl_file_free(w->file);
	w->file = NULL;
	/* Who holds one keeps it. */
	assert_int_equal(first->list.num_entries, 2);
	status_crl_list_release(first);
	status_crl_list_release(second);
}

/* Another watched while this one stood by; and then the file went. */
static void
test_taken_over(void **state)
{
	struct crl_world *w = *state;
	uint64_t generation;

	put(w, &(struct crl_order){ .number = 5, .items = two });
	start(w);
	generation = status_crl_file_generation(w->file);
	put(w, &(struct crl_order){ .number = 6, .items = two });
	assert_int_equal(rename(w->path, w->copy), 0);
	assert_int_equal(status_watch_start(
	    status_crl_file_watched(w->file)), OC_OK);
	assert_string_equal(report(w).number, "6");
	assert_true(status_crl_file_generation(w->file) > generation);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(pem), TEST(torn), TEST(torn_for_ever),
		TEST(written_in_place), TEST(time_makes_it_good), TEST(ends),
		TEST(copy_is_enough), TEST(copy_is_damaged),
		TEST(copy_comes_first), TEST(copy_cannot_be_kept),
		TEST(watch), TEST(taken_over),
	};

	oc_log_init("test", OC_LOG_ERROR - 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
