/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The response table between processes: a writer at full speed, readers that
 * never see a mixed slot, a writer killed at any moment, and nothing old
 * that comes back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <sched.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "base/log.h"
#include "tests/unit/ocsp_table_test.h"

#define NUM_SERIALS 200
#define NUM_KILLS 50

/* What the writer has done, as far as the others may rely on it. */
struct ledger {
	/* Of serial n, no older generation may be found; it is written after
	 * the table says so. */
	_Atomic uint64_t floor[NUM_SERIALS];
	_Atomic uint64_t generation;
};

static struct ledger *
new_ledger(void)
{
	struct ledger *ledger = mmap(NULL, sizeof(*ledger), PROT_READ |
	    PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	assert_ptr_not_equal(ledger, MAP_FAILED);
	return ledger;
}

/* Puts and withdraws, more serials by and by, so that the file grows. */
static void
write_until(const char *path, struct ledger *ledger, uint64_t seed,
    int64_t end_ns)
{
	struct ocsp_identity identity = test_identity();
	struct ocsp_table *table;
	struct ocsp_slot slot;
	uint64_t chance = seed, extra = NUM_SERIALS, generation, n;

	if (ocsp_table_create(path, &identity, test_store_id, 64, &table,
	    NULL) != OC_OK)
		_exit(2);
	ocsp_table_set_ready(table, true);
	while (oc_clock_mono_ns() < end_ns) {
		generation = atomic_fetch_add(&ledger->generation, 1) + 1;
		n = test_random(&chance) % NUM_SERIALS;
		slot = slot_of(n, 0, generation);
		if (generation % 4 == 0)
			ocsp_table_withdraw(table, &slot.serial);
		else if (ocsp_table_put(table, &slot) != OC_OK)
			_exit(3);
		atomic_store(&ledger->floor[n], generation);
		if (generation % 64 == 0) {
			slot = slot_of(extra++, 0, generation);
			if (ocsp_table_put(table, &slot) != OC_OK)
				_exit(4);
		}
	}
	ocsp_table_close(table);
	_exit(0);
}

static pid_t
start_writer(const char *path, struct ledger *ledger, uint64_t seed,
    int64_t run_ns)
{
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		/* Not longer than we: a failed assertion must leave nothing
		 * behind. */
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		write_until(path, ledger, seed, oc_clock_mono_ns() + run_ns);
	}
	return child;
}

static struct ocsp_table *
open_when_there(const char *path)
{
	struct ocsp_table *table;
	int64_t end = oc_clock_mono_ns() + 10 * OC_NS_PER_S;

	while (oc_clock_mono_ns() < end) {
		if (ocsp_table_open(path, &table, NULL) == OC_OK) {
			if (ocsp_table_is_ready(table))
				return table;
			ocsp_table_close(table);
		}
		(void)sched_yield();
	}
	fail_msg("no table after ten seconds");
	return NULL;
}

static uint64_t
generation_of(const struct ocsp_slot *slot)
{
	uint64_t generation = 0;
	int i;

	for (i = 0; i < 8; i++)
		generation = generation << 8 | slot->signature[56 + i];
	return generation;
}

/* One look: what is found is whole, right, and no older than was promised
 * before we looked. */
static bool
look(const struct ocsp_table *table, const struct ledger *ledger, uint64_t n)
{
	uint64_t floor = atomic_load(&ledger->floor[n]);
	struct ocsp_slot wanted = slot_of(n, 0, 0), found;

	/* The floor first: a table that is retired after it was read tells
	 * us nothing about it. */
	if (ocsp_table_is_retired(table) ||
	    !ocsp_table_find(table, &wanted.serial, 0, &found))
		return false;
	assert_true(oc_serial_equal(&found.serial, &wanted.serial));
	assert_true(is_consistent(&found));
	if (!ocsp_table_is_retired(table))
		assert_true(generation_of(&found) >= floor);
	return true;
}

static void
nothing_torn_nothing_old(void **state)
{
	struct ledger *ledger = new_ledger();
	struct ocsp_table *table;
	int64_t end = oc_clock_mono_ns() + 2 * OC_NS_PER_S;
	uint64_t chance = 3, num_found = 0, num_reopened = 0;
	pid_t writer = start_writer(*state, ledger, 1, 2 * OC_NS_PER_S);
	int status;

	table = open_when_there(*state);
	while (oc_clock_mono_ns() < end) {
		num_found += look(table, ledger,
		    test_random(&chance) % NUM_SERIALS);
		if (ocsp_table_is_retired(table)) {
			ocsp_table_close(table);
			table = open_when_there(*state);
			num_reopened++;
		}
	}
	assert_int_equal(waitpid(writer, &status, 0), writer);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_true(num_found > 10000);
	assert_true(num_reopened > 3);
	ocsp_table_close(table);
	assert_int_equal(munmap(ledger, sizeof(*ledger)), 0);
}

static bool
check_each(void *arg, const struct ocsp_slot *slot)
{
	uint32_t *num = arg;

	assert_true(is_consistent(slot));
	++*num;
	return true;
}

static void
find_nothing_old(const struct ocsp_table *table, const struct ledger *ledger)
{
	struct ocsp_slot slot, found;
	uint64_t n;

	for (n = 0; n < NUM_SERIALS; n++) {
		slot = slot_of(n, 0, 0);
		if (ocsp_table_find(table, &slot.serial, 0, &found))
			assert_true(generation_of(&found) >=
			    atomic_load(&ledger->floor[n]));
	}
}

/* Killed at any moment, also while it grows, and taken over by the next: at
 * once nothing withdrawn or replaced is found, and once all is looked at it is
 * whole and complete. */
static void
killed_again_and_again(void **state)
{
	struct ledger *ledger = new_ledger();
	struct ocsp_table_report report;
	struct ocsp_table *table, *reader = NULL;
	uint64_t chance = 8;
	uint32_t num;
	int kills, status;

	for (kills = 0; kills < NUM_KILLS; kills++) {
		pid_t writer = start_writer(*state, ledger,
		    (uint64_t)kills + 100, 60 * OC_NS_PER_S);
		int64_t end = oc_clock_mono_ns() + (int64_t)(test_random(
		    &chance) % (uint64_t)(15 * OC_NS_PER_MS));

		if (reader != NULL)
			ocsp_table_close(reader);
		reader = open_when_there(*state);
		while (oc_clock_mono_ns() < end)
			(void)look(reader, ledger, test_random(&chance) %
			    NUM_SERIALS);
		assert_int_equal(kill(writer, SIGKILL), 0);
		assert_int_equal(waitpid(writer, &status, 0), writer);
		assert_true(WIFSIGNALED(status));

		table = make_table(*state);
		find_nothing_old(table, ledger);
		do {
			(void)ocsp_table_tend(table, 50);
		} while (ocsp_table_is_tending(table));
		assert_int_equal(ocsp_table_verify(table, &report), OC_OK);
		assert_int_equal(report.num_torn, 0);
		assert_int_equal(report.num_lost, 0);
		assert_int_equal(report.num_good, ocsp_table_num_used(table));
		num = 0;
		ocsp_table_walk(table, check_each, &num);
		assert_int_equal(num, report.num_good);
		find_nothing_old(table, ledger);
		ocsp_table_close(table);
	}
	ocsp_table_close(reader);
	assert_int_equal(munmap(ledger, sizeof(*ledger)), 0);
}

static void
a_hundred_thousand(void **state)
{
	struct ocsp_identity identity = test_identity();
	struct ocsp_table_report report;
	struct ocsp_table *table, *reader;
	struct ocsp_slot slot, found;
	uint64_t n;

	assert_int_equal(ocsp_table_create(*state, &identity, test_store_id,
	    100000, &table, NULL), OC_OK);
	for (n = 0; n < 100000; n++) {
		slot = slot_of(n, (uint8_t)(n % 3), n);
		assert_int_equal(ocsp_table_put(table, &slot), OC_OK);
	}
	assert_int_equal(ocsp_table_open(*state, &reader, NULL), OC_OK);
	assert_int_equal(ocsp_table_verify(reader, &report), OC_OK);
	assert_int_equal(report.num_good, 100000);
	assert_int_equal(report.num_torn + report.num_lost, 0);
	for (n = 0; n < 100000; n += 7) {
		slot = slot_of(n, (uint8_t)(n % 3), n);
		assert_true(ocsp_table_find(reader, &slot.serial,
		    slot.encoding, &found));
		assert_slot_equal(&found, &slot);
	}
	ocsp_table_close(reader);
	ocsp_table_close(table);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TABLE_TEST(nothing_torn_nothing_old),
		TABLE_TEST(killed_again_and_again),
		TABLE_TEST(a_hundred_thousand),
	};

	oc_log_init("test_ocsp_table_race", OC_LOG_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
