/* SPDX-License-Identifier: Apache-2.0 */
/* The response table beside a disk that takes its time: nobody waits for it
 * who has something else to do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <poll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "ocsp/table.h"
#include "ocsp/table_private.h"
#include "tests/unit/ocsp_table_test.h"

/* A disk that takes its time with what stands under this number; not for
 * ever, so that who waits for it fails and does not hang. */
#define SLOW_DISK_NS (5 * OC_NS_PER_S)
static _Atomic ino_t slow_inode;

int
fdatasync(int fd)
{
	int64_t until_ns = oc_clock_mono_ns() + SLOW_DISK_NS;
	struct stat st;

	while (fstat(fd, &st) == 0 && st.st_ino == slow_inode &&
	    oc_clock_mono_ns() < until_ns)
		(void)poll(NULL, 0, 1);
	return (int)syscall(SYS_fdatasync, fd);
}

/* The larger file is on the disk, and the disk is still busy with what was
 * written to the old one: that is looked at again, not waited for. */
static void
slow_disk(void **state)
{
	struct ocsp_table *table = make_table(*state);
	struct table_growth *g = &table->growth;
	struct ocsp_slot slot = slot_of(7, 0, 7), found;
	int64_t begun_ns = oc_clock_mono_ns();
	int num_idle = 0;
	struct stat st;

	assert_int_equal(ocsp_table_put(table, &slot), OC_OK);
	assert_int_equal(stat(*state, &st), 0);
	slow_inode = st.st_ino;
	ocsp_table_set_seq(table, 3);
	g->synced_ns = begun_ns - 61 * OC_NS_PER_S;
	(void)ocsp_table_tend(table, 1);
	assert_true(g->sync.is_under_way);
	g->num_wanted = 200;
	while (num_idle < 20 && table->num_slots == TABLE_SLOTS_MIN) {
		(void)ocsp_table_tend(table, 1000);
		num_idle += ocsp_table_flush_is_done(&g->flush);
		(void)poll(NULL, 0, 1);
	}
	assert_true(oc_clock_mono_ns() - begun_ns < SLOW_DISK_NS);
	assert_int_equal(table->num_slots, TABLE_SLOTS_MIN);
	assert_true(ocsp_table_flush_is_done(&g->flush));
	slot = slot_of(8, 0, 8);
	assert_int_equal(ocsp_table_put(table, &slot), OC_OK);
	slow_inode = 0;
	while (ocsp_table_is_tending(table)) {
		(void)ocsp_table_tend(table, 1000);
		(void)poll(NULL, 0, 1);
	}
	assert_int_equal(table->num_slots, 200);
	assert_true(ocsp_table_find(table, &slot.serial, 0, &found));
	ocsp_table_close(table);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TABLE_TEST(slow_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
