/* SPDX-License-Identifier: Apache-2.0 */
/* CRLs: a number for good, octets in parts, and those of an older store. */
#include "store_fixture.h"

#include "store/backend.h"

static void
test_crl(void **state)
{
	struct fixture *f = *state;
	uint64_t first = 0, second = 0;
	int64_t id = 0, next = 0;
	struct store_crl crl = { .id = 77 }, times = { .id = 77 };

	assert_true(store_find_crl_times(f->store, f->issuer_id, &times) ==
	    OC_ERR_NOT_FOUND && times.id == 77);
	assert_int_equal(store_find_crl(f->store, f->issuer_id, &crl),
	    OC_ERR_NOT_FOUND);
	assert_ok(store_reserve_crl(f->store, f->issuer_id, 10, 20, &id,
	    &first));
	assert_true(first == ((uint64_t)store_epoch(f->store) << 32) + 1);
	assert_int_equal(store_find_crl(f->store, f->issuer_id, &crl),
	    OC_ERR_NOT_FOUND);
	assert_int_equal(crl.id, 77);
	assert_ok(store_issue_crl(f->store, id, BLOB("CRL one")));
	/* The second is reserved only: the first is still the newest. */
	assert_ok(store_reserve_crl(f->store, f->issuer_id, 11, 21, &next,
	    &second));
	assert_true(second == first + 1);
	assert_ok(store_find_crl(f->store, f->issuer_id, &crl));
	assert_true(crl.number == first);
	assert_int_equal(crl.id, id);
	assert_int_equal(crl.this_update, 10);
	assert_int_equal(crl.next_update, 20);
	assert_int_equal(crl.crl_len, 7);
	assert_memory_equal(crl.crl, "CRL one", 7);
	assert_ok(store_find_crl_times(f->store, f->issuer_id, &times));
	assert_true(times.number == first && times.id == id &&
	    times.this_update == 10 && times.next_update == 20);
	assert_null(times.crl);
	store_crl_fini(&crl);
	store_crl_fini(&crl);
	assert_ok(store_issue_crl(f->store, next, BLOB("CRL two")));
	assert_ok(store_find_crl(f->store, f->issuer_id, &crl));
	assert_true(crl.number == second);
	store_crl_fini(&crl);
	assert_verifies(f->store);
}

static struct store_crl_standing
standing_of(struct fixture *f)
{
	struct store_crl_standing standing;

	assert_ok(store_find_crl_standing(f->store, f->issuer_id, 0, "",
	    &standing));
	return standing;
}

/* Who publishes goes by what stands here: what the newest one has, and whether
 * somebody is at the next. */
static void
test_crl_standing(void **state)
{
	struct fixture *f = *state;
	struct store_crl_standing s = standing_of(f);
	int64_t id, next, seq, later;
	uint64_t number;

	assert_true(s.full.number == 0 && s.full.change_seq == -1 &&
	    s.reserved_number == 0);
	(void)issue_one(f, 1);
	assert_ok(store_change_seq(f->store, &seq));
	assert_ok(store_reserve_crl(f->store, f->issuer_id, 10, 20, &id,
	    &number));
	s = standing_of(f);
	assert_true(s.full.number == 0 && s.reserved_number == number);
	assert_true(s.reserved_at > 1700000000);
	assert_int_equal(revoke_one(f, 1,
	    CRL_REASON_SUPERSEDED), OC_OK);
	assert_ok(store_change_seq(f->store, &later));
	assert_true(later > seq);
	assert_ok(store_issue_crl(f->store, id, BLOB("CRL one")));
	s = standing_of(f);
	assert_true(s.full.number == number && s.full.this_update == 10 &&
	    s.full.next_update == 20 && s.reserved_number == 0);
	assert_true(s.full.has_point && s.delta.number == 0);
	/* What was revoked since it took its number is not on it. */
	assert_true(s.full.change_seq == seq);
	assert_ok(store_reserve_crl(f->store, f->issuer_id, 11, 21, &next,
	    &number));
	s = standing_of(f);
	assert_true(s.full.change_seq == seq && s.reserved_number == number);
	assert_ok(store_issue_crl(f->store, next, BLOB("CRL two")));
	s = standing_of(f);
	assert_true(s.full.change_seq == later && s.reserved_number == 0);
	assert_verifies(f->store);
}

/* Text that is nowhere the same for long. */
static struct store_blob
long_crl(size_t len)
{
	uint8_t *text = malloc(len);

	assert_non_null(text);
	for (size_t i = 0; i < len; i++)
		text[i] = (uint8_t)('a' + (i + i / 26 + i / 4096) % 26);
	return (struct store_blob){ text, len };
}

static void
issue_crl(struct fixture *f, struct store_blob crl)
{
	uint64_t number;
	int64_t id;

	assert_ok(store_reserve_crl(f->store, f->issuer_id, 10, 20, &id,
	    &number));
	assert_ok(store_issue_crl(f->store, id, crl));
}

static void
assert_newest(struct fixture *f, struct store_blob wanted)
{
	struct store_crl crl;

	assert_ok(store_find_crl(f->store, f->issuer_id, &crl));
	assert_int_equal(crl.crl_len, wanted.len);
	assert_memory_equal(crl.crl, wanted.p, wanted.len);
	store_crl_fini(&crl);
}

/* A delta that is being made is, whatever full list comes after it. */
static void
test_crl_standing_of_both(void **state)
{
	struct fixture *f = *state;
	struct store_crl_reservation delta = {
		.scope = { f->issuer_id, 0, STORE_CRL_DELTA },
		.this_update = 11, .next_update = 21, .point = "" };
	struct store_crl_standing s;
	struct store_crl made;
	uint64_t number;
	int64_t id;

	assert_ok(store_reserve_crl(f->store, f->issuer_id, 10, 20, &id,
	    &delta.base_number));
	assert_ok(store_issue_crl(f->store, id, BLOB("CRL one")));
	assert_ok(store_reserve_list(f->store, &delta, &made));
	assert_ok(store_reserve_crl(f->store, f->issuer_id, 12, 22, &id,
	    &number));
	assert_true(standing_of(f).reserved_number == number);
	assert_ok(store_issue_crl(f->store, id, BLOB("CRL two")));
	s = standing_of(f);
	assert_true(s.full.number == number && s.delta.number == 0);
	assert_true(s.reserved_number == made.number);
	assert_ok(store_issue_crl(f->store, made.id, BLOB("delta")));
	s = standing_of(f);
	assert_true(s.delta.number == made.number && s.reserved_number == 0);
}

/* Another issues the list after so many questions. */
static struct {
	const struct store_ops *ops;
	struct store *other;
	int64_t id;
	int left;
} meanwhile;

static void
asked(void)
{
	if (--meanwhile.left == 0)
		assert_ok(store_issue_crl(meanwhile.other, meanwhile.id,
		    BLOB("CRL")));
}

static enum oc_err
find_and_go_on(struct store *s, const struct store_crl_scope *scope,
    struct store_crl_row *row)
{
	enum oc_err err = meanwhile.ops->find_crl(s, scope, row);

	asked();
	return err;
}

static enum oc_err
find_reserved_and_go_on(struct store *s,
    const struct store_crl_scope *scope, struct store_crl_row *row)
{
	enum oc_err err = meanwhile.ops->find_reserved_crl(s, scope, row);

	asked();
	return err;
}

/* Whoever reads while it is issued: it is being made, or it is there. */
static void
test_crl_standing_meanwhile(void **state)
{
	struct fixture *f = *state;
	struct store_ops ops = *f->store->ops;
	int num_there = 0;

	meanwhile.ops = f->store->ops;
	meanwhile.other = open_store(f->path, STORE_WRITE);
	ops.find_crl = find_and_go_on;
	ops.find_reserved_crl = find_reserved_and_go_on;
	for (int n = 1; n <= 5; n++) {
		struct store_crl_standing standing;
		uint64_t number;

		assert_ok(store_reserve_crl(f->store, f->issuer_id, 10, 20,
		    &meanwhile.id, &number));
		meanwhile.left = n;
		f->store->ops = &ops;
		standing = standing_of(f);
		f->store->ops = meanwhile.ops;
		assert_true(standing.reserved_number == number ||
		    standing.full.number == number);
		num_there += standing.full.number == number;
		if (n == 5)
			assert_ok(store_issue_crl(f->store, meanwhile.id,
			    BLOB("CRL")));
		standing = standing_of(f);
		assert_true(standing.reserved_number == 0 &&
		    standing.full.number == number);
	}
	/* When it was issued before that was asked for. */
	assert_int_equal(num_there, 3);
	store_close(meanwhile.other);
}

#define PART_LEN (1024 * 1024)
static const size_t crl_lens[] = { 1, PART_LEN - 1, PART_LEN, PART_LEN + 1,
    2 * PART_LEN, 5 * PART_LEN / 2 };
#define NUM_CRL_LENS (sizeof(crl_lens) / sizeof(crl_lens[0]))

static void
test_crl_parts(void **state)
{
	struct fixture *f = *state;
	struct store_crl crl = { .id = 77 };

	for (size_t i = 0; i < NUM_CRL_LENS; i++) {
		struct store_blob wanted = long_crl(crl_lens[i]);

		issue_crl(f, wanted);
		assert_newest(f, wanted);
		free((void *)(uintptr_t)wanted.p);
	}
	assert_int_equal(read_sql(f->path, "SELECT max(length(der)) FROM"
	    " crl_part"), PART_LEN);
	assert_int_equal(read_sql(f->path, "SELECT count(*) FROM crl_part"),
	    1 + 1 + 1 + 2 + 2 + 3);
	assert_verifies(f->store);
	/* One of them is in another's place. */
	run_sql(f->path, "UPDATE crl_part SET number = 9 WHERE number = 2");
	assert_int_equal(store_find_crl(f->store, f->issuer_id, &crl),
	    OC_ERR_STORE);
	run_sql(f->path, "UPDATE crl_part SET number = 2 WHERE number = 9");
	/* One of them is gone. */
	run_sql(f->path, "DELETE FROM crl_part WHERE number = 1");
	assert_int_equal(store_find_crl(f->store, f->issuer_id, &crl),
	    OC_ERR_STORE);
	assert_non_null(strstr(store_error(f->store), "not whole"));
	run_sql(f->path, "DELETE FROM crl_part WHERE number = 2");
	assert_int_equal(store_find_crl(f->store, f->issuer_id, &crl),
	    OC_ERR_STORE);
	run_sql(f->path, "UPDATE crl SET der_len = 1048576");
	run_sql(f->path, "UPDATE crl_part SET der = der || 'a'"
	    " WHERE number = 0");
	assert_int_equal(store_find_crl(f->store, f->issuer_id, &crl),
	    OC_ERR_STORE);
	assert_int_equal(crl.id, 77);
}

/* What each CRL that was signed takes for good, beside its octets: what
 * ocsign.conf(5) says of crl-publish. */
static void
test_crl_growth(void **state)
{
	static const char size[] = "SELECT page_count * page_size FROM"
	    " pragma_page_count, pragma_page_size";
	struct fixture *f = *state;
	struct store_blob wanted;
	int64_t before, each;

	needs_file();
	wanted = long_crl(10000);
	issue_crl(f, wanted);
	before = read_sql(f->path, size);
	for (int i = 0; i < 100; i++)
		issue_crl(f, wanted);
	each = (read_sql(f->path, size) - before) / 100;
	if (each > (int64_t)wanted.len + 1024)
		fail_msg("%lld octets of %zu", (long long)each, wanted.len);
	free((void *)(uintptr_t)wanted.p);
}

/* Those of a store of before, in one piece each, are the same in parts. */
static void
test_crl_parts_of_before(void **state)
{
	struct fixture *f = *state;
	struct store_blob wanted = { NULL, 0 };
	uint64_t number;
	int64_t id;

	needs_file();
	for (size_t i = 0; i < NUM_CRL_LENS; i++) {
		free((void *)(uintptr_t)wanted.p);
		wanted = long_crl(crl_lens[i]);
		issue_crl(f, wanted);
	}
	assert_ok(store_reserve_crl(f->store, f->issuer_id, 10, 20, &id,
	    &number));
	store_close(f->store);
	go_back_to_3(f->path);
	f->store = open_store(f->path, STORE_WRITE);
	assert_newest(f, wanted);
	assert_int_equal(standing_of(f).full.change_seq, -1);
	assert_verifies(f->store);
	assert_int_equal(read_sql(f->path, "SELECT count(*) FROM crl_part"),
	    1 + 1 + 1 + 2 + 2 + 3);
	assert_int_equal(read_sql(f->path, "SELECT count(*) FROM"
	    " pragma_foreign_key_check"), 0);
	assert_int_equal(read_sql(f->path, "SELECT count(*) FROM"
	    " pragma_foreign_key_list('crl_part') WHERE \"table\" ="
	    " 'crl'"), 1);
	/* What was reserved then is issued now. */
	assert_ok(store_issue_crl(f->store, id, BLOB("CRL")));
	assert_verifies(f->store);
	free((void *)(uintptr_t)wanted.p);
}

/* A list is made from an index alone: a million rows beside it would be read
 * one by one. */
static void
test_revoked_index(void **state)
{
	struct fixture *f = *state;

	needs_file();
	assert_int_equal(read_sql(f->path, "SELECT count(*) FROM"
	    " pragma_index_info('certificate_revoked') WHERE name IN"
	    " ('issuer_id', 'crl_partition', 'serial', 'not_after',"
	    " 'change_seq', 'revoked_at', 'reason', 'invalidity_at')"), 8);
	assert_int_equal(read_sql(f->path, "SELECT count(*) FROM"
	    " pragma_index_info('certificate_released') WHERE name IN"
	    " ('issuer_id', 'crl_partition', 'released_seq')"), 3);
}

static void
test_crl_refused(void **state)
{
	struct fixture *f = *state;
	uint64_t number = 77, before;
	int64_t id = 77;

	assert_int_equal(store_reserve_crl(f->store, f->issuer_id + 1, 10,
	    20, &id, &number), OC_ERR_NOT_FOUND);
	assert_int_equal(store_reserve_crl(f->store, f->issuer_id, 20, 10,
	    &id, &number), OC_ERR_MALFORMED);
	assert_int_equal(id, 77);
	assert_int_equal(number, 77);
	assert_int_equal(store_issue_crl(f->store, 1, BLOB("CRL")),
	    OC_ERR_MISMATCH);
	assert_ok(store_reserve_crl(f->store, f->issuer_id, 10, 20, &id,
	    &number));
	assert_int_equal(store_issue_crl(f->store, id,
	    (struct store_blob){ NULL, 0 }), OC_ERR_MALFORMED);
	assert_ok(store_issue_crl(f->store, id, BLOB("CRL")));
	assert_int_equal(store_issue_crl(f->store, id, BLOB("CRL")),
	    OC_ERR_MISMATCH);
	/* Set back, it takes no number that a CRL has. */
	before = number;
	run_sql(f->path, "UPDATE issuer SET crl_counter = 0");
	assert_ok(store_reserve_crl(f->store, f->issuer_id, 10, 20, &id,
	    &number));
	assert_int_equal(number, before + 1);
	run_sql(f->path, "UPDATE issuer SET crl_counter = 4294967295");
	assert_int_equal(store_reserve_crl(f->store, f->issuer_id, 10, 20,
	    &id, &number), OC_ERR_LIMIT);
	assert_verifies(f->store);
}

int
main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup_store, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_crl),
		TEST(test_crl_standing),
		TEST(test_crl_standing_of_both),
		TEST(test_crl_standing_meanwhile),
		TEST(test_crl_parts),
		TEST(test_crl_growth),
		TEST(test_crl_parts_of_before),
		TEST(test_revoked_index),
		TEST(test_crl_refused)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
