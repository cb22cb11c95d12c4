/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The response table: what is put is found, what is withdrawn is not, and
 * no reader, however unlucky, sees a slot that nobody put.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "ocsp/table.h"
#include "ocsp/table_private.h"
#include "tests/unit/ocsp_table_test.h"

static void
put_and_find(void **state)
{
	struct ocsp_table *table = make_table(*state);
	struct ocsp_slot slot, found;
	uint64_t n;
	uint8_t encoding;

	for (n = 1; n <= 40; n++) {
		slot = slot_of(n, (uint8_t)(n % OCSP_ENCODING_MAX), n);
		assert_int_equal(ocsp_table_put(table, &slot), OC_OK);
	}
	assert_int_equal(ocsp_table_num_used(table), 40);
	for (n = 1; n <= 40; n++) {
		slot = slot_of(n, (uint8_t)(n % OCSP_ENCODING_MAX), n);
		for (encoding = 0; encoding < OCSP_ENCODING_MAX; encoding++)
			assert_int_equal(ocsp_table_find(table, &slot.serial,
			    encoding, &found), encoding == slot.encoding);
		assert_true(ocsp_table_find(table, &slot.serial,
		    slot.encoding, &found));
		assert_slot_equal(&found, &slot);
	}
	slot = slot_of(41, 1, 1);
	assert_false(ocsp_table_find(table, &slot.serial, 1, &found));
	assert_false(ocsp_table_find(table, &slot.serial,
	    OCSP_ENCODING_UNKNOWN, &found));
	ocsp_table_close(table);
}

/* "00ff" is not "ff00" is not "00ff00". */
static void
serials_that_look_alike(void **state)
{
	static const char *const serials[] = { "01", "0100", "010000",
	    "00ff", "00ff00", "7f", "7fffffffffffffffffffffffffffffffffffffff",
	    "7fffffffffffffffffffffffffffffffffffff" };
	struct ocsp_table *table = make_table(*state);
	struct ocsp_slot slot = slot_of(1, 0, 1), found;
	size_t i;

	for (i = 0; i < 8; i++) {
		slot.serial = test_serial(serials[i]);
		slot.produced_at = (int64_t)(1000 + i);
		assert_int_equal(ocsp_table_put(table, &slot), OC_OK);
	}
	for (i = 0; i < 8; i++) {
		struct oc_serial serial = test_serial(serials[i]);

		assert_true(ocsp_table_find(table, &serial, 0, &found));
		assert_int_equal(found.produced_at, 1000 + i);
		assert_true(oc_serial_equal(&found.serial, &serial));
	}
	ocsp_table_close(table);
}

static void
replacing_takes_no_second_slot(void **state)
{
	struct ocsp_table *table = make_table(*state);
	struct ocsp_slot slot, found;
	uint64_t n;

	for (n = 1; n <= 1000; n++) {
		slot = slot_of(7, 0, n);
		assert_int_equal(ocsp_table_put(table, &slot), OC_OK);
		assert_true(ocsp_table_find(table, &slot.serial, 0, &found));
		assert_slot_equal(&found, &slot);
	}
	assert_int_equal(ocsp_table_num_used(table), 1);
	assert_int_equal(table->num_slots, TABLE_SLOTS_MIN);
	ocsp_table_close(table);
}

/* All encodings of a serial go at once, and nobody else's. */
static void
withdrawing(void **state)
{
	struct ocsp_table *table = make_table(*state);
	struct ocsp_table_report report;
	struct ocsp_slot slot, found;
	uint64_t n;
	uint8_t encoding;

	for (n = 1; n <= 6; n++)
		for (encoding = 0; encoding < OCSP_ENCODING_MAX; encoding++) {
			slot = slot_of(n, encoding, n);
			assert_int_equal(ocsp_table_put(table, &slot), OC_OK);
		}
	slot = slot_of(3, 0, 3);
	ocsp_table_withdraw(table, &slot.serial);
	assert_int_equal(ocsp_table_num_used(table), 50);
	for (n = 1; n <= 6; n++)
		for (encoding = 0; encoding < OCSP_ENCODING_MAX; encoding++) {
			slot = slot_of(n, encoding, n);
			assert_int_equal(ocsp_table_find(table, &slot.serial,
			    encoding, &found), n != 3);
		}
	slot = slot_of(99, 0, 3);
	ocsp_table_withdraw(table, &slot.serial);
	assert_int_equal(ocsp_table_num_used(table), 50);

	/* And what they had is used again: 64 slots are enough for ever. */
	for (n = 100; n < 2000; n++) {
		slot = slot_of(n, 0, n);
		assert_int_equal(ocsp_table_put(table, &slot), OC_OK);
		assert_true(ocsp_table_find(table, &slot.serial, 0, &found));
		ocsp_table_withdraw(table, &slot.serial);
		assert_false(ocsp_table_find(table, &slot.serial, 0, &found));
	}
	assert_int_equal(table->num_slots, TABLE_SLOTS_MIN);
	assert_int_equal(ocsp_table_verify(table, &report), OC_OK);
	assert_int_equal(report.num_good, 50);
	assert_int_equal(report.num_torn, 0);
	assert_int_equal(report.num_lost, 0);
	ocsp_table_close(table);
}

static void
what_cannot_be_put(void **state)
{
	struct ocsp_table *table = make_table(*state);
	struct ocsp_slot slot = slot_of(1, 0, 1), bad, found;

	bad = slot;
	bad.signature_len = 63;
	assert_int_equal(ocsp_table_put(table, &bad), OC_ERR_MISMATCH);
	bad = slot;
	bad.produced_at = -1;
	assert_int_equal(ocsp_table_put(table, &bad), OC_ERR_LIMIT);
	bad = slot;
	bad.this_update = UINT32_MAX;
	assert_int_equal(ocsp_table_put(table, &bad), OC_ERR_LIMIT);
	bad = slot;
	bad.next_update = INT64_C(1) << 33;
	assert_int_equal(ocsp_table_put(table, &bad), OC_ERR_LIMIT);
	bad = slot;
	bad.status = (struct ocsp_status){ OCSP_REVOKED,
	    CRL_REASON_KEY_COMPROMISE, -5 };
	assert_int_equal(ocsp_table_put(table, &bad), OC_ERR_LIMIT);
	assert_false(ocsp_table_find(table, &slot.serial, 0, &found));
	slot.next_update = OCSP_NO_NEXT_UPDATE;
	assert_int_equal(ocsp_table_put(table, &slot), OC_OK);
	assert_true(ocsp_table_find(table, &slot.serial, 0, &found));
	assert_slot_equal(&found, &slot);
	ocsp_table_close(table);
}

static void
put_without_a_serial(void)
{
	char dir[] = "/tmp/ocsp-table-XXXXXX";
	char path[TEST_PATH_MAX];
	struct ocsp_table *table;
	struct ocsp_slot slot = slot_of(1, 0, 1);

	if (mkdtemp(dir) == NULL)
		_exit(9);
	(void)snprintf(path, sizeof(path), "%s/t", dir);
	table = make_table(path);
	slot.serial.len = 0;
	/* Gone before we are. */
	(void)unlink(path);
	(void)snprintf(path, sizeof(path), "%s/t.lock", dir);
	(void)unlink(path);
	(void)rmdir(dir);
	if (ocsp_table_put(table, &slot) != OC_OK)
		_exit(8);
}

static void
programmers_errors_abort(void **state)
{
	(void)state;
	test_aborts(put_without_a_serial);
}

/* The sizes that are promised: 112 octets for P-256, 119 with the index. */
static void
sizes_of_slots(void **state)
{
	static const struct {
		enum sign_alg alg;
		uint32_t signature_len, slot_len;
	} rows[] = {
		{ SIGN_ECDSA_SHA256, 64, 112 },
		{ SIGN_ECDSA_SHA384, 96, 144 },
		{ SIGN_ECDSA_SHA512, 132, 180 },
		{ SIGN_ED25519, 64, 112 },
		{ SIGN_RSA_SHA256, 256, 304 },
		{ SIGN_RSA_SHA256, 257, 308 },
		{ SIGN_RSA_PSS_SHA256, 512, 560 },
	};
	struct ocsp_identity identity = test_identity();
	struct ocsp_table *table;
	struct ocsp_slot slot, found;
	struct stat st;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		identity.alg = rows[i].alg;
		identity.signature_len = rows[i].signature_len;
		assert_int_equal(ocsp_table_create(*state, &identity,
		    test_store_id, 1000, &table, NULL), OC_OK);
		assert_int_equal(table->slot_words * 4, rows[i].slot_len);
		slot = slot_of(5, 0, 77);
		slot.signature_len = rows[i].signature_len;
		memset(slot.signature, 0xee, sizeof(slot.signature));
		assert_int_equal(ocsp_table_put(table, &slot), OC_OK);
		assert_true(ocsp_table_find(table, &slot.serial, 0, &found));
		assert_slot_equal(&found, &slot);
		ocsp_table_close(table);
		assert_int_equal(stat(*state, &st), 0);
		if (i == 0)
			assert_true((st.st_size - OCSP_TABLE_HEADER_LEN) /
			    1000 < 120);
		assert_true(st.st_blocks * 512 >= st.st_size);
	}
}

static void
kept_over_close_and_open(void **state)
{
	struct ocsp_table *table = make_table(*state), *reader;
	struct ocsp_slot slot, found;
	struct oc_error error = { 0 };
	uint64_t n;

	for (n = 1; n <= 50; n++) {
		slot = slot_of(n, 0, n);
		assert_int_equal(ocsp_table_put(table, &slot), OC_OK);
	}
	slot = slot_of(13, 0, 13);
	ocsp_table_withdraw(table, &slot.serial);
	ocsp_table_set_seq(table, INT64_C(0x123456789abcdef));
	ocsp_table_set_ready(table, true);
	ocsp_table_close(table);

	assert_int_equal(ocsp_table_open(*state, &reader, &error), OC_OK);
	assert_true(ocsp_table_is_ready(reader));
	assert_false(ocsp_table_is_retired(reader));
	assert_int_equal(ocsp_table_seq(reader), INT64_C(0x123456789abcdef));
	assert_int_equal(ocsp_table_num_used(reader), 49);

	/* A writer that starts decides itself whether what it finds is true. */
	table = make_table(*state);
	assert_true(ocsp_table_is_ready(reader));
	assert_int_equal(ocsp_table_seq(table), INT64_C(0x123456789abcdef));
	for (n = 1; n <= 50; n++) {
		slot = slot_of(n, 0, n);
		assert_int_equal(ocsp_table_find(reader, &slot.serial, 0,
		    &found), n != 13);
		if (n != 13)
			assert_slot_equal(&found, &slot);
	}
	ocsp_table_close(reader);
	ocsp_table_close(table);
}

static void
one_writer(void **state)
{
	struct ocsp_identity identity = test_identity();
	struct ocsp_table *table = make_table(*state), *second;
	struct oc_error error = { 0 };

	assert_int_equal(ocsp_table_create(*state, &identity, test_store_id,
	    64, &second, &error), OC_ERR_BUSY);
	assert_true(strlen(error.text) > 0);
	ocsp_table_close(table);
	assert_int_equal(ocsp_table_create(*state, &identity, test_store_id,
	    64, &second, &error), OC_OK);
	ocsp_table_close(second);
	ocsp_table_close(NULL);
}

static void
none_to_open(void **state)
{
	struct ocsp_identity identity = test_identity();
	struct oc_error error = { 0 };
	struct ocsp_table *table;

	assert_int_equal(ocsp_table_open(*state, &table, &error),
	    OC_ERR_NOT_FOUND);
	assert_non_null(strstr(error.text, *state));
	assert_int_equal(ocsp_table_create("/nonexistent/dir/table",
	    &identity, test_store_id, 64, &table, &error), OC_ERR_NOT_FOUND);
}

/* After a power cut the changes since the last sync are asked for again. */
static void
another_boot(void **state)
{
	const char *path = *state;
	struct ocsp_table *table = make_table(path);

	ocsp_table_set_seq(table, 100);
	assert_int_equal(ocsp_table_sync(table), OC_OK);
	ocsp_table_set_seq(table, 200);
	ocsp_table_close(table);
	table = make_table(path);
	assert_int_equal(ocsp_table_seq(table), 200);
	ocsp_table_set_seq(table, 300);
	assert_int_equal(ocsp_table_sync(table), OC_OK);
	ocsp_table_set_seq(table, 400);
	/* As if we had died here, with the machine. */
	ocsp_table_set_ready(table, true);
	memset(table->header->boot_id, 'x', TABLE_BOOT_ID_LEN);
	ocsp_table_free(table);
	table = make_table(path);
	assert_int_equal(ocsp_table_seq(table), 300);
	assert_true(ocsp_table_was_ready(table));
	ocsp_table_set_seq(table, 500);
	ocsp_table_set_ready(table, true);
	/* We alone: the kernel has every page. */
	ocsp_table_free(table);
	table = make_table(path);
	assert_int_equal(ocsp_table_seq(table), 500);
	assert_true(ocsp_table_is_ready(table));
	/* Closed, and the machine restarted then: nothing was lost. */
	memset(table->header->boot_id, 'x', TABLE_BOOT_ID_LEN);
	ocsp_table_close(table);
	table = make_table(path);
	assert_int_equal(ocsp_table_seq(table), 500);
	assert_true(ocsp_table_was_ready(table));
	ocsp_table_close(table);
}

/* Who tends it makes it durable, a minute after the last time, and what it
 * began that with. */
static void
durable_by_and_by(void **state)
{
	const char *path = *state;
	struct ocsp_table *table = make_table(path);
	int64_t end = oc_clock_mono_ns() + 10 * OC_NS_PER_S;

	ocsp_table_set_seq(table, 100);
	(void)ocsp_table_tend(table, 1);
	assert_false(table->growth.sync.is_under_way);
	table->growth.synced_ns -= 61 * OC_NS_PER_S;
	(void)ocsp_table_tend(table, 1);
	assert_true(table->growth.sync.is_under_way);
	ocsp_table_set_seq(table, 200);
	while (table->header->durable_seq != 100 && oc_clock_mono_ns() < end)
		(void)ocsp_table_tend(table, 1);
	assert_false(table->growth.sync.is_under_way);
	memset(table->header->boot_id, 'x', TABLE_BOOT_ID_LEN);
	ocsp_table_free(table);
	table = make_table(path);
	assert_int_equal(ocsp_table_seq(table), 100);
	ocsp_table_close(table);
}

/* Ready is what a writer of the same run has said; growing keeps it. */
static void
ready_in_one_run(void **state)
{
	struct ocsp_table *table = make_table(*state), *reader;
	struct ocsp_slot slot;
	uint64_t n;

	ocsp_table_set_run(table, 7);
	ocsp_table_set_ready(table, true);
	ocsp_table_close(table);
	assert_int_equal(ocsp_table_open(*state, &reader, NULL), OC_OK);
	assert_false(ocsp_table_is_ready(reader));
	ocsp_table_set_run(reader, 7);
	assert_true(ocsp_table_is_ready(reader));
	ocsp_table_set_run(reader, 8);
	assert_false(ocsp_table_is_ready(reader));

	table = make_table(*state);
	ocsp_table_set_run(table, 8);
	assert_false(ocsp_table_is_ready(table));
	assert_true(ocsp_table_was_ready(table));
	assert_false(ocsp_table_is_ready(reader));
	ocsp_table_set_ready(table, true);
	assert_true(ocsp_table_is_ready(reader));
	ocsp_table_close(reader);
	for (n = 1; n <= 500; n++) {
		slot = slot_of(n, 0, n);
		assert_int_equal(ocsp_table_put(table, &slot), OC_OK);
	}
	assert_true(ocsp_table_is_ready(table));
	assert_int_equal(ocsp_table_open(*state, &reader, NULL), OC_OK);
	ocsp_table_set_run(reader, 8);
	assert_true(ocsp_table_is_ready(reader));
	ocsp_table_set_ready(table, false);
	assert_false(ocsp_table_is_ready(reader));
	assert_false(ocsp_table_was_ready(table));
	ocsp_table_close(reader);
	ocsp_table_close(table);
}

static bool
count_until(void *arg, const struct ocsp_slot *slot)
{
	uint64_t *left = arg;

	assert_true(slot->serial.len > 0);
	return --*left > 0;
}

static void
walking(void **state)
{
	struct ocsp_table *table = make_table(*state);
	struct ocsp_slot slot;
	uint64_t n, left;

	for (n = 1; n <= 100; n++) {
		slot = slot_of(n, 0, n);
		assert_int_equal(ocsp_table_put(table, &slot), OC_OK);
	}
	for (n = 1; n <= 30; n++) {
		slot = slot_of(n, 0, n);
		ocsp_table_withdraw(table, &slot.serial);
	}
	left = 1000;
	ocsp_table_walk(table, count_until, &left);
	assert_int_equal(left, 930);
	left = 5;
	ocsp_table_walk(table, count_until, &left);
	assert_int_equal(left, 0);
	ocsp_table_close(table);
}

/* CRC-32C of RFC 3720, B.4; SipHash is held against its own spread. */
static void
hashes(void **state)
{
	uint8_t bytes[32];
	uint64_t key[2] = { 1, 2 }, words[1], i;
	unsigned int buckets[16] = { 0 };

	(void)state;
	memset(bytes, 0, sizeof(bytes));
	assert_int_equal(ocsp_table_crc32c(bytes, 32), 0x8a9136aa);
	memset(bytes, 0xff, sizeof(bytes));
	assert_int_equal(ocsp_table_crc32c(bytes, 32), 0x62a8ab43);
	for (i = 0; i < 32; i++)
		bytes[i] = (uint8_t)i;
	assert_int_equal(ocsp_table_crc32c(bytes, 32), 0x46dd794e);
	assert_int_equal(ocsp_table_crc32c("123456789", 9), 0xe3069283);
	for (i = 0; i < 16000; i++) {
		words[0] = i;
		buckets[ocsp_table_siphash(key, words, 1) >> 60]++;
	}
	for (i = 0; i < 16; i++)
		assert_in_range(buckets[i], 850, 1150);
}

/* Threads of one process over one table: what ThreadSanitizer watches. */
struct shared {
	struct ocsp_table *table;
	atomic_bool is_over;
	atomic_uint num_found, num_wrong;
};

static void *
look(void *arg)
{
	struct shared *shared = arg;
	struct ocsp_slot found;
	uint64_t n = 0;

	while (!atomic_load(&shared->is_over)) {
		struct ocsp_slot slot = slot_of(1 + n++ % 40, 0, 0);

		if (!ocsp_table_find(shared->table, &slot.serial, 0, &found))
			continue;
		atomic_fetch_add(&shared->num_found, 1);
		if (!is_consistent(&found) ||
		    !oc_serial_equal(&found.serial, &slot.serial))
			atomic_fetch_add(&shared->num_wrong, 1);
	}
	return NULL;
}

static void
threads_over_one_table(void **state)
{
	struct shared shared = { .table = make_table(*state) };
	int64_t end = oc_clock_mono_ns() + OC_NS_PER_S / 2;
	pthread_t threads[2];
	uint64_t n = 0, chance = 5;
	struct ocsp_slot slot;
	int i;

	for (i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, look,
		    &shared), 0);
	while (oc_clock_mono_ns() < end) {
		slot = slot_of(1 + test_random(&chance) % 40, 0, n);
		if (n++ % 3 == 0)
			ocsp_table_withdraw(shared.table, &slot.serial);
		else
			assert_int_equal(ocsp_table_put(shared.table, &slot),
			    OC_OK);
	}
	atomic_store(&shared.is_over, true);
	for (i = 0; i < 2; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_int_equal(shared.num_wrong, 0);
	assert_true(shared.num_found > 100);
	ocsp_table_close(shared.table);
}

/* The octets of a file below the source tree; for free(). */
static uint8_t *
read_source(const char *name, size_t *len)
{
	const char *top = getenv("top_srcdir");
	char path[1000];
	uint8_t *octets;

	(void)snprintf(path, sizeof(path), "%s/%s", top != NULL ? top : ".",
	    name);
	assert_int_equal(oc_file_read(path, 1024 * 1024, &octets, len, NULL),
	    OC_OK);
	return octets;
}

/*
 * What was written once is read by whoever comes later, or is migrated:
 * signing millions again takes hours.  table-v1 is of slot_of(1..20, n % 3, n),
 * of which 7 was withdrawn.  Who changes what is in a table, and with it
 * TABLE_VERSION, has this file still be taken over.
 */
static void
written_by_version_1(void **state)
{
	struct ocsp_table_report report;
	struct ocsp_table *table;
	struct ocsp_slot slot, found;
	uint8_t *octets;
	size_t len;
	uint64_t n;

	octets = read_source("tests/data/table-v1", &len);
	if (((struct table_header *)(void *)octets)->byte_order !=
	    TABLE_BYTE_ORDER || sizeof(size_t) != 8) {
		free(octets);
		skip();
	}
	assert_int_equal(oc_file_write(*state, 0600, octets, len, NULL),
	    OC_OK);
	free(octets);
	table = make_table(*state);
	assert_int_equal(ocsp_table_num_used(table), 19);
	assert_int_equal(ocsp_table_seq(table), 42);
	assert_true(ocsp_table_was_ready(table));
	for (n = 1; n <= 20; n++) {
		slot = slot_of(n, (uint8_t)(n % 3), n);
		assert_int_equal(ocsp_table_find(table, &slot.serial,
		    slot.encoding, &found), n != 7);
		if (n != 7)
			assert_slot_equal(&found, &slot);
	}
	assert_int_equal(ocsp_table_verify(table, &report), OC_OK);
	assert_int_equal(report.num_good, 19);
	assert_int_equal(report.num_lost + report.num_torn +
	    report.num_strays, 0);
	/* And goes on. */
	slot = slot_of(21, 0, 21);
	assert_int_equal(ocsp_table_put(table, &slot), OC_OK);
	assert_true(ocsp_table_find(table, &slot.serial, 0, &found));
	ocsp_table_close(table);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TABLE_TEST(put_and_find),
		TABLE_TEST(serials_that_look_alike),
		TABLE_TEST(replacing_takes_no_second_slot),
		TABLE_TEST(withdrawing),
		TABLE_TEST(what_cannot_be_put),
		TABLE_TEST(programmers_errors_abort),
		TABLE_TEST(sizes_of_slots),
		TABLE_TEST(kept_over_close_and_open),
		TABLE_TEST(one_writer),
		TABLE_TEST(none_to_open),
		TABLE_TEST(another_boot),
		TABLE_TEST(durable_by_and_by),
		TABLE_TEST(ready_in_one_run),
		TABLE_TEST(walking),
		TABLE_TEST(hashes),
		TABLE_TEST(threads_over_one_table),
		TABLE_TEST(written_by_version_1),
	};

	oc_log_init("test_ocsp_table", OC_LOG_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
