/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Response tables that were damaged, or are not ours: noticed, never served
 * from, and made good.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <sys/resource.h>
#include <sys/stat.h>

#include "base/log.h"
#include "ocsp/table_private.h"
#include "tests/unit/ocsp_table_test.h"

/* Writes octets into the file behind the table's back. */
static void
scribble(const char *path, off_t at, const void *bytes, size_t len)
{
	int fd = open(path, O_WRONLY);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, bytes, len, at), len);
	close(fd);
}

static void
flip(const char *path, off_t at)
{
	int fd = open(path, O_RDWR);
	uint8_t octet;

	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &octet, 1, at), 1);
	octet ^= 0x10;
	assert_int_equal(pwrite(fd, &octet, 1, at), 1);
	close(fd);
}

static void
make_filled(const char *path, uint64_t num)
{
	struct ocsp_table *table = make_table(path);
	struct ocsp_slot slot;
	uint64_t n;

	for (n = 1; n <= num; n++) {
		slot = slot_of(n, 0, n);
		assert_int_equal(ocsp_table_put(table, &slot), OC_OK);
	}
	ocsp_table_close(table);
}

/* Opening fails as expected, and the writer makes it anew. */
static void
expect_unusable(const char *path, const char *text)
{
	struct oc_error error = { 0 };
	struct ocsp_table *table;

	assert_int_equal(ocsp_table_open(path, &table, &error),
	    OC_ERR_MALFORMED);
	if (strstr(error.text, text) == NULL)
		fail_msg("\"%s\" lacks \"%s\"", error.text, text);
	table = make_table(path);
	assert_int_equal(ocsp_table_num_used(table), 0);
	ocsp_table_close(table);
	assert_int_equal(ocsp_table_open(path, &table, &error), OC_OK);
	ocsp_table_close(table);
}

static void
damaged_headers(void **state)
{
	const char *path = *state;
	off_t at;

	for (at = 0; at < (off_t)offsetof(struct table_header, crc) + 4;
	    at += at < 80 ? 1 : 97) {
		make_filled(path, 3);
		flip(path, at);
		expect_unusable(path, at < 8 ? "is no response table" :
		    at < 12 || (at >= 16 && at < 20) ? "another kind" :
		    at < 16 ? "another version" : "damaged header");
	}
}

static void
foreign_files(void **state)
{
	const char *path = *state;
	int fd;

	fd = open(path, O_WRONLY | O_CREAT, 0600);
	assert_true(fd >= 0);
	close(fd);
	expect_unusable(path, "cut short");

	fd = open(path, O_WRONLY | O_TRUNC, 0600);
	assert_int_equal(ftruncate(fd, 100000), 0);
	close(fd);
	expect_unusable(path, "is no response table");

	make_filled(path, 10);
	assert_int_equal(truncate(path, OCSP_TABLE_HEADER_LEN + 100), 0);
	expect_unusable(path, "cut short");
	make_filled(path, 10);
	assert_int_equal(truncate(path, 1000), 0);
	expect_unusable(path, "cut short");

	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	{
		struct ocsp_identity identity = test_identity();
		struct ocsp_table *table;

		assert_int_equal(ocsp_table_create(path, &identity,
		    test_store_id, 64, &table, NULL), OC_ERR_SYSTEM);
	}
	assert_int_equal(rmdir(path), 0);
}

/* Nothing of it is understood, so nothing of it is kept; and it is said. */
static void
an_older_version(void **state)
{
	const char *path = *state;
	struct oc_error error = { 0 };
	struct table_header header;
	struct ocsp_table *table;
	char log[TEST_PATH_MAX + 8], text[1000] = "", expected[400];
	int fd, saved = dup(STDERR_FILENO);
	uint32_t version;

	(void)snprintf(log, sizeof(log), "%s.log", path);
	for (version = 0; version <= 3; version++) {
		if (version == TABLE_VERSION)
			continue;
		make_filled(path, 10);
		fd = open(path, O_RDWR);
		assert_int_equal(pread(fd, &header, sizeof(header), 0),
		    sizeof(header));
		header.version = version;
		header.crc = ocsp_table_header_crc(&header);
		assert_int_equal(pwrite(fd, &header, sizeof(header), 0),
		    sizeof(header));
		close(fd);
		assert_int_equal(ocsp_table_open(path, &table, &error),
		    OC_ERR_MALFORMED);
		assert_non_null(strstr(error.text, "is of another version"));

		fd = open(log, O_RDWR | O_CREAT | O_TRUNC, 0600);
		assert_int_equal(dup2(fd, STDERR_FILENO), STDERR_FILENO);
		oc_log_init("test", OC_LOG_WARNING);
		table = make_table(path);
		oc_log_init("test", OC_LOG_ERROR);
		assert_int_equal(dup2(saved, STDERR_FILENO), STDERR_FILENO);
		memset(text, 0, sizeof(text));
		assert_true(pread(fd, text, sizeof(text) - 1, 0) > 0);
		close(fd);
		(void)snprintf(expected, sizeof(expected), "test: warning: "
		    "the response table %s is of another version: making it "
		    "anew\n", path);
		assert_string_equal(text, expected);
		assert_int_equal(ocsp_table_num_used(table), 0);
		assert_int_equal(table->header->version, TABLE_VERSION);
		ocsp_table_close(table);
	}
	close(saved);
	assert_int_equal(unlink(log), 0);
}

static bool
ignore(void *arg, const struct ocsp_slot *slot)
{
	(void)slot;
	++*(uint32_t *)arg;
	return true;
}

/* All that is to be done to it, a little at a time; how many were dropped. */
static uint32_t
tend(struct ocsp_table *table)
{
	uint32_t num_dropped = 0;

	do {
		num_dropped += ocsp_table_tend(table, 7);
	} while (ocsp_table_is_tending(table));
	return num_dropped;
}

/* What is closed is served at once, however large: somebody who was at its
 * index since costs questions, and no wrong answer. */
static void
closed_and_touched(void **state)
{
	const char *path = *state;
	struct ocsp_table *table = make_table(path);
	struct ocsp_table_report report;
	uint32_t bucket, next = 0, num = 0;

	ocsp_table_set_ready(table, true);
	ocsp_table_close(table);
	make_filled(path, 10);
	table = make_table(path);
	for (bucket = 0; table->index[bucket] == 0; bucket++)
		;
	ocsp_table_close(table);
	scribble(path, OCSP_TABLE_HEADER_LEN + 4 * (off_t)bucket,
	    &(uint32_t){ 0 }, 4);
	table = make_table(path);
	assert_true(ocsp_table_was_ready(table));
	assert_int_equal(tend(table), 0);
	while (ocsp_table_walk_part(table, &next, 3, ignore, &num))
		;
	assert_in_range(num, 1, 9);
	assert_int_equal(tend(table), 10 - num);
	assert_int_equal(ocsp_table_num_used(table), num);
	assert_int_equal(ocsp_table_verify(table, &report), OC_OK);
	assert_int_equal(report.num_good, num);
	assert_int_equal(report.num_lost + report.num_strays, 0);
	ocsp_table_close(table);
}

/* Another's table is made anew, and its readers are told. */
static void
another_owner(void **state)
{
	static const uint8_t other_store[OCSP_STORE_ID_LEN] = { 9 };
	struct ocsp_identity identity = test_identity();
	struct ocsp_table *table, *reader;

	make_filled(*state, 10);
	assert_int_equal(ocsp_table_open(*state, &reader, NULL), OC_OK);
	assert_int_equal(ocsp_table_create(*state, &identity, other_store,
	    64, &table, NULL), OC_OK);
	assert_int_equal(ocsp_table_num_used(table), 0);
	assert_true(ocsp_table_is_retired(reader));
	ocsp_table_close(reader);
	ocsp_table_close(table);

	/* Nor another issuer's. */
	assert_int_equal(ocsp_table_open(*state, &reader, NULL), OC_OK);
	identity.key_hash[0][0] ^= 1;
	assert_int_equal(ocsp_table_create(*state, &identity, other_store,
	    64, &table, NULL), OC_OK);
	assert_true(ocsp_table_is_retired(reader));
	assert_true(ocsp_identity_equal(ocsp_table_identity(table),
	    &identity));
	ocsp_table_close(reader);
	ocsp_table_close(table);
}

/* The same key under another certificate: every slot stays, and its readers
 * are told that there is more to say. */
static void
another_certificate(void **state)
{
	struct ocsp_identity identity = test_identity();
	struct ocsp_table *table, *reader;
	struct ocsp_slot slot = slot_of(7, 0, 7), found;

	make_filled(*state, 10);
	assert_int_equal(ocsp_table_open(*state, &reader, NULL), OC_OK);
	identity.signer_not_after++;
	identity.certs[0] = 0x30;
	identity.certs_len = 2;
	assert_int_equal(ocsp_table_create(*state, &identity, test_store_id,
	    64, &table, NULL), OC_OK);
	assert_true(ocsp_table_is_retired(reader));
	ocsp_table_close(reader);
	assert_int_equal(ocsp_table_num_used(table), 10);
	assert_true(ocsp_table_find(table, &slot.serial, 0, &found));
	assert_memory_equal(found.signature, slot.signature, 64);
	assert_true(ocsp_identity_equal(ocsp_table_identity(table),
	    &identity));
	ocsp_table_close(table);
	/* That is what the file says. */
	assert_int_equal(ocsp_table_open(*state, &reader, NULL), OC_OK);
	assert_true(ocsp_identity_equal(ocsp_table_identity(reader),
	    &identity));
	ocsp_table_close(reader);
}

/* Of a large one, while it is served with the one before; but not if that is
 * about to end. */
static void
another_certificate_by_and_by(void **state)
{
	struct ocsp_identity identity = test_identity(), second, third;
	struct ocsp_slot slot = slot_of(TABLE_LARGE, 0, TABLE_LARGE), found;
	struct ocsp_table *table, *reader;

	make_filled(*state, TABLE_LARGE + 1);
	second = identity;
	second.signer_not_after = oc_clock_now_s() + 3600;
	assert_int_equal(ocsp_table_create(*state, &second, test_store_id, 64,
	    &table, NULL), OC_OK);
	assert_int_equal(ocsp_table_open(*state, &reader, NULL), OC_OK);
	assert_true(ocsp_identity_equal(ocsp_table_identity(reader),
	    &identity));
	assert_true(ocsp_table_find(reader, &slot.serial, 0, &found));
	do {
		(void)ocsp_table_tend(table, 5000);
	} while (ocsp_table_is_tending(table));
	assert_true(ocsp_table_is_retired(reader));
	ocsp_table_close(reader);
	assert_int_equal(ocsp_table_num_used(table), TABLE_LARGE + 1);
	ocsp_table_close(table);
	assert_int_equal(ocsp_table_open(*state, &reader, NULL), OC_OK);
	assert_true(ocsp_identity_equal(ocsp_table_identity(reader),
	    &second));
	assert_true(ocsp_table_find(reader, &slot.serial, 0, &found));
	ocsp_table_close(reader);

	third = identity;
	third.signer_not_after++;
	assert_int_equal(ocsp_table_create(*state, &third, test_store_id, 64,
	    &table, NULL), OC_OK);
	ocsp_table_close(table);
	assert_int_equal(ocsp_table_open(*state, &reader, NULL), OC_OK);
	assert_true(ocsp_identity_equal(ocsp_table_identity(reader), &third));
	ocsp_table_close(reader);
}

/* The same key, but what it has signed is not what would be said now: another
 * choice, or another name where it is named.  Nothing stays. */
static void
other_choices(void **state)
{
	struct ocsp_identity identity = test_identity();
	struct ocsp_table *table, *older = NULL;
	int i;

	make_filled(*state, 10);
	for (i = 0; i < 5; i++) {
		bool is_kept = i == 3;

		if (i == 0)
			identity.archive_s = 86400;
		else if (i == 1)
			identity.crl_url[identity.crl_url_len++] = 'u';
		else if (i == 2)
			identity.is_by_name = 1;
		else if (i == 3)
			identity.signer_not_after++;
		else
			identity.responder_name[
			    identity.responder_name_len++] = 'n';
		assert_int_equal(ocsp_table_create(*state, &identity,
		    test_store_id, 64, &table, NULL), OC_OK);
		assert_int_equal(ocsp_table_num_used(table), is_kept);
		assert_true(ocsp_identity_equal(ocsp_table_identity(table),
		    &identity));
		assert_int_equal(ocsp_table_take_older(*state, &identity,
		    test_store_id, &older, NULL), OC_OK);
		assert_null(older);
		if (i == 2) {
			struct ocsp_slot slot = slot_of(1, 0, 1);

			assert_int_equal(ocsp_table_put(table, &slot), OC_OK);
		}
		ocsp_table_close(table);
	}
}

/* Another key: what is there is set aside, with its readers, until it is
 * discarded. */
static void
another_key(void **state)
{
	struct ocsp_identity first = test_identity(), second = first;
	struct ocsp_table *table, *older = NULL, *reader;
	struct ocsp_slot slot = slot_of(7, 0, 7), found;

	make_filled(*state, 10);
	assert_int_equal(ocsp_table_open(*state, &reader, NULL), OC_OK);
	second.responder_key_hash[0] ^= 1;
	assert_int_equal(ocsp_table_create(*state, &second, test_store_id,
	    64, &table, NULL), OC_OK);
	assert_int_equal(ocsp_table_num_used(table), 0);
	assert_false(ocsp_table_is_retired(reader));
	assert_int_equal(ocsp_table_take_older(*state, &second,
	    test_store_id, &older, NULL), OC_OK);
	assert_non_null(older);
	assert_true(ocsp_identity_equal(ocsp_table_identity(older), &first));
	assert_int_equal(ocsp_table_num_used(older), 10);
	/* What is withdrawn there, who had it open does not find either. */
	assert_true(ocsp_table_find(reader, &slot.serial, 0, &found));
	ocsp_table_withdraw(older, &slot.serial);
	assert_false(ocsp_table_find(reader, &slot.serial, 0, &found));
	ocsp_table_discard(older);
	assert_true(ocsp_table_is_retired(reader));
	ocsp_table_close(reader);
	older = NULL;
	assert_int_equal(ocsp_table_take_older(*state, &second,
	    test_store_id, &older, NULL), OC_OK);
	assert_null(older);
	ocsp_table_close(table);
}

/* What cannot be looked at is not thrown away, and nobody goes on without
 * it: its readers would answer from it, and nobody would keep it true. */
static void
older_out_of_reach(void **state)
{
	struct ocsp_identity second = test_identity();
	struct ocsp_table *table, *older = NULL;
	struct rlimit before, none;
	struct oc_error error = { 0 };

	make_filled(*state, 10);
	second.responder_key_hash[0] ^= 1;
	assert_int_equal(ocsp_table_create(*state, &second, test_store_id,
	    64, &table, NULL), OC_OK);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	assert_int_equal(ocsp_table_take_older(*state, &second,
	    test_store_id, &older, &error), OC_ERR_SYSTEM);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_non_null(strstr(error.text, OCSP_TABLE_OLDER_SUFFIX));
	assert_int_equal(ocsp_table_take_older(*state, &second,
	    test_store_id, &older, NULL), OC_OK);
	assert_non_null(older);
	assert_int_equal(ocsp_table_num_used(older), 10);
	ocsp_table_discard(older);
	ocsp_table_close(table);
}

/* A flipped bit anywhere in a slot: it is not found, and it is counted. */
static void
damaged_slots(void **state)
{
	const char *path = *state;
	struct ocsp_table_report report;
	struct ocsp_slot slot, found;
	struct ocsp_table *table;
	off_t slots, at;
	uint64_t n;

	make_filled(path, 3);
	assert_int_equal(ocsp_table_open(path, &table, NULL), OC_OK);
	slots = (uint8_t *)table->slots - table->map;
	for (at = 4; at < 112; at++) {
		flip(path, slots + 112 + at);
		slot = slot_of(2, 0, 2);
		assert_false(ocsp_table_find(table, &slot.serial, 0, &found));
		assert_int_equal(ocsp_table_verify(table, &report), OC_OK);
		assert_int_equal(report.num_good, 2);
		assert_int_equal(report.num_torn, 1);
		flip(path, slots + 112 + at);
	}
	assert_true(ocsp_table_find(table, &slot.serial, 0, &found));
	/* Left odd by a writer that died. */
	scribble(path, slots + 112, "\x03", 1);
	assert_false(ocsp_table_find(table, &slot.serial, 0, &found));
	ocsp_table_close(table);

	/* Not closed: the next writer frees it, by and by, and can use it
	 * again. */
	scribble(path, offsetof(struct table_header, flags), "\x04", 1);
	table = make_table(path);
	assert_int_equal(ocsp_table_num_used(table), 3);
	assert_int_equal(tend(table), 1);
	assert_int_equal(ocsp_table_num_used(table), 2);
	assert_false(ocsp_table_find(table, &slot.serial, 0, &found));
	for (n = 2; n <= TABLE_SLOTS_MIN; n++) {
		slot = slot_of(n, 0, n);
		assert_int_equal(ocsp_table_put(table, &slot), OC_OK);
	}
	assert_int_equal(table->num_slots, TABLE_SLOTS_MIN);
	assert_int_equal(ocsp_table_verify(table, &report), OC_OK);
	assert_int_equal(report.num_good, TABLE_SLOTS_MIN);
	ocsp_table_close(table);
}

/* The writer meets it on its walks: a damaged slot, and one that the index
 * does not lead to, are gone, and the rest is as it was. */
static void
mended_while_open(void **state)
{
	const char *path = *state;
	struct ocsp_table *table;
	struct ocsp_table_report report;
	struct ocsp_slot slot, found;
	uint32_t next = 0, num = 0, number, i;
	off_t slots;
	uint64_t n;

	make_filled(path, 40);
	table = make_table(path);
	slots = (uint8_t *)table->slots - table->map;
	assert_false(ocsp_table_walk_part(table, &next, 100, ignore, &num));
	assert_int_equal(num, 40);
	assert_int_equal(tend(table), 0);

	slot = slot_of(5, 0, 5);
	assert_true(ocsp_table_find(table, &slot.serial, 0, &found));
	number = found.number;
	flip(path, slots + 112 * (off_t)number + 60);
	slot = slot_of(6, 0, 6);
	assert_true(ocsp_table_find(table, &slot.serial, 0, &found));
	for (i = 0; i < table->num_buckets; i++)
		if (table->index[i] == found.number + 1)
			table->index[i] = number + 1;
	next = num = 0;
	assert_false(ocsp_table_walk_part(table, &next, 100, ignore, &num));
	assert_int_equal(num, 38);
	assert_int_equal(tend(table), 2);
	assert_int_equal(tend(table), 0);
	assert_int_equal(ocsp_table_num_used(table), 38);
	assert_int_equal(ocsp_table_verify(table, &report), OC_OK);
	assert_int_equal(report.num_good, 38);
	assert_int_equal(report.num_lost + report.num_torn +
	    report.num_strays, 0);
	for (n = 1; n <= 40; n++) {
		slot = slot_of(n, 0, n);
		assert_int_equal(ocsp_table_find(table, &slot.serial, 0,
		    &found), n != 5 && n != 6);
	}
	for (n = 41; n <= 66; n++) {
		slot = slot_of(n, 0, n);
		assert_int_equal(ocsp_table_put(table, &slot), OC_OK);
	}
	assert_int_equal(table->num_slots, TABLE_SLOTS_MIN);
	ocsp_table_close(table);
}

/* What each kind of damage is called, in a table that nobody writes. */
static void
verified(void **state)
{
	const char *path = *state;
	struct ocsp_table_report report;
	struct ocsp_table *table;
	uint32_t bucket, empty;

	make_filled(path, 40);
	assert_int_equal(ocsp_table_open(path, &table, NULL), OC_OK);
	for (bucket = 0; table->index[bucket] == 0; bucket++)
		;
	for (empty = 0; table->index[empty] != 0; empty++)
		;
	assert_int_equal(ocsp_table_verify(table, &report), OC_OK);
	assert_int_equal(report.num_good, 40);
	assert_int_equal(report.num_lost + report.num_torn +
	    report.num_strays + report.is_miscounted, 0);

	/* To a slot that is free, beyond all slots, to somebody else's. */
	scribble(path, OCSP_TABLE_HEADER_LEN + 4 * (off_t)empty,
	    &(uint32_t){ 60 }, 4);
	assert_int_equal(ocsp_table_verify(table, &report), OC_OK);
	assert_int_equal(report.num_good + report.num_lost, 40);
	scribble(path, OCSP_TABLE_HEADER_LEN + 4 * (off_t)empty,
	    &(uint32_t){ 0x7fffffff }, 4);
	assert_int_equal(ocsp_table_verify(table, &report), OC_OK);
	assert_int_equal(report.num_strays, 1);
	scribble(path, OCSP_TABLE_HEADER_LEN + 4 * (off_t)empty,
	    &(uint32_t){ 7 }, 4);
	assert_int_equal(ocsp_table_verify(table, &report), OC_OK);
	assert_int_equal(report.num_strays, 1);
	assert_int_equal(report.num_good, 40);
	scribble(path, OCSP_TABLE_HEADER_LEN + 4 * (off_t)empty,
	    &(uint32_t){ 0 }, 4);
	/* To nowhere instead of its own. */
	scribble(path, OCSP_TABLE_HEADER_LEN + 4 * (off_t)bucket,
	    &(uint32_t){ 0 }, 4);
	assert_int_equal(ocsp_table_verify(table, &report), OC_OK);
	assert_true(report.num_lost >= 1);
	assert_int_equal(report.num_good + report.num_lost, 40);
	assert_false(report.is_miscounted);
	scribble(path, offsetof(struct table_header, num_used),
	    &(uint32_t){ 41 }, 4);
	assert_int_equal(ocsp_table_verify(table, &report), OC_OK);
	assert_true(report.is_miscounted);
	/* While somebody has it open that says nothing. */
	scribble(path, offsetof(struct table_header, flags),
	    &(uint32_t){ TABLE_OPEN }, 4);
	assert_int_equal(ocsp_table_verify(table, &report), OC_OK);
	assert_false(report.is_miscounted);
	ocsp_table_close(table);
}

/* An index of nonsense loses slots, but gives no wrong ones and no crash. */
static void
damaged_index(void **state)
{
	const char *path = *state;
	struct ocsp_table_report report;
	struct ocsp_slot slot, found;
	struct ocsp_table *table;
	uint8_t junk[400];
	uint64_t n, chance = 99;
	int round;

	for (round = 0; round < 20; round++) {
		make_filled(path, 40);
		if (round == 0)
			memset(junk, 0xff, sizeof(junk));
		else if (round == 1)
			memset(junk, 0, sizeof(junk));
		else
			test_random_fill(&chance, junk, sizeof(junk));
		if (round % 2 == 1)
			for (n = 0; n < sizeof(junk); n++)
				if (n % 4 != 0)
					junk[n] = 0;
		scribble(path, OCSP_TABLE_HEADER_LEN, junk, sizeof(junk));
		table = make_table(path);
		for (n = 1; n <= 40; n++) {
			slot = slot_of(n, 0, n);
			if (ocsp_table_find(table, &slot.serial, 0, &found))
				assert_slot_equal(&found, &slot);
		}
		assert_int_equal(ocsp_table_verify(table, &report), OC_OK);
		assert_int_equal(report.num_good + report.num_lost, 40);
		assert_int_equal(report.num_torn, 0);
		for (n = 1; n <= 100; n++) {
			slot = slot_of(n, 0, n);
			assert_int_equal(ocsp_table_put(table, &slot), OC_OK);
			assert_true(ocsp_table_find(table, &slot.serial, 0,
			    &found));
			assert_slot_equal(&found, &slot);
		}
		for (n = 1; n <= 100; n++) {
			slot = slot_of(n, 0, n);
			ocsp_table_withdraw(table, &slot.serial);
			assert_false(ocsp_table_find(table, &slot.serial, 0,
			    &found));
		}
		ocsp_table_close(table);
		assert_int_equal(unlink(path), 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TABLE_TEST(damaged_headers),
		TABLE_TEST(foreign_files),
		TABLE_TEST(another_owner),
		TABLE_TEST(another_certificate),
		TABLE_TEST(another_certificate_by_and_by),
		TABLE_TEST(other_choices),
		TABLE_TEST(another_key),
		TABLE_TEST(older_out_of_reach),
		TABLE_TEST(damaged_slots),
		TABLE_TEST(damaged_index),
		TABLE_TEST(mended_while_open),
		TABLE_TEST(verified),
		TABLE_TEST(an_older_version),
		TABLE_TEST(closed_and_touched),
	};

	oc_log_init("test_ocsp_table_damage", OC_LOG_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
