/* SPDX-License-Identifier: Apache-2.0 */
/* Our own store as a status source, over a real store. */
#include "tests/unit/store_fixture.h"

#include "status/status.h"

#define BATCH 64

static struct status_change changes[BATCH];

static struct status_source *
open_source(const struct fixture *f, const char *issuer)
{
	struct status_source *source = NULL;
	struct oc_error error = { 0 };

	if (status_own_open(f->path, issuer, &source, &error) != OC_OK)
		fail_msg("%s", error.text);
	return source;
}

static uint32_t
read_some(struct status_source *s, int64_t after_seq, uint32_t num_max)
{
	uint32_t num = 99;

	if (s->ops->read(s, after_seq, changes, num_max, &num) != OC_OK)
		fail_msg("%s", s->ops->error(s));
	return num;
}

static int64_t
other_issuer(struct fixture *f)
{
	static const uint8_t key[STORE_HASH_LEN] = { 9 };
	int64_t id;

	assert_ok(store_put_issuer(f->store, "other", BLOB("other"), key,
	    &id));
	return id;
}

static void
issue_other(struct fixture *f, int64_t issuer_id, uint64_t n)
{
	struct store_reservation r = reservation_of(issuer_id, n);
	int64_t id;

	assert_ok(store_reserve(f->store, &r, &id));
}

enum oc_err __real_store_find_issuer(struct store *store, const char *name,
    struct store_issuer *issuer);
enum oc_err __wrap_store_find_issuer(struct store *store, const char *name,
    struct store_issuer *issuer);

/* NULL: nothing happens behind the source's back. */
static struct fixture *comes_meanwhile;

enum oc_err
__wrap_store_find_issuer(struct store *store, const char *name,
    struct store_issuer *issuer)
{
	enum oc_err err = __real_store_find_issuer(store, name, issuer);
	struct fixture *f = comes_meanwhile;

	comes_meanwhile = NULL;
	if (f != NULL)
		issue_other(f, other_issuer(f), 7);
	return err;
}

static void
test_snapshot(void **state)
{
	struct fixture *f = *state;
	struct status_source *s;

	issue_one(f, 1);
	reserve_one(f, 2);
	issue_one(f, 3);
	assert_ok(revoke_one(f, 1, CRL_REASON_SUPERSEDED));
	s = open_source(f, "ca");
	assert_int_equal(read_some(s, 0, BATCH), 3);
	for (int i = 0; i < 3; i++) {
		struct oc_serial one = serial_of(1);
		bool is_one = oc_serial_equal(&changes[i].serial, &one);

		if (i > 0)
			assert_true(changes[i].seq > changes[i - 1].seq);
		assert_int_equal(changes[i].is_revoked, is_one);
		assert_int_equal(changes[i].not_after, 4000000000);
		if (is_one) {
			assert_int_equal(changes[i].reason,
			    CRL_REASON_SUPERSEDED);
			assert_int_equal(changes[i].revoked_at, 2000);
		}
	}
	assert_int_equal(read_some(s, changes[2].seq, BATCH), 0);
	s->ops->close(s);
}

static void
test_changes(void **state)
{
	struct fixture *f = *state;
	struct status_source *s = open_source(f, "ca");
	int64_t seq;

	assert_int_equal(read_some(s, 0, BATCH), 0);
	issue_one(f, 1);
	assert_int_equal(read_some(s, 0, BATCH), 1);
	assert_false(changes[0].is_revoked);
	seq = changes[0].seq;
	assert_ok(revoke_one(f, 1, CRL_REASON_CERTIFICATE_HOLD));
	assert_int_equal(read_some(s, seq, BATCH), 1);
	assert_true(changes[0].is_revoked);
	assert_true(changes[0].seq > seq);
	seq = changes[0].seq;
	assert_ok(revoke_one(f, 1, CRL_REASON_REMOVE_FROM_CRL));
	assert_int_equal(read_some(s, seq, BATCH), 1);
	assert_false(changes[0].is_revoked);
	/* From 0 again it is all of it, once. */
	assert_int_equal(read_some(s, 0, BATCH), 1);
	s->ops->close(s);
}

/* Ours between long stretches of others: all of ours, none of theirs, also
 * when a whole batch is theirs. */
static void
test_other_issuers(void **state)
{
	struct fixture *f = *state;
	int64_t other = other_issuer(f), seq = 0;
	struct status_source *s;
	uint32_t num, num_ours = 0;

	for (uint64_t n = 0; n < 40; n++) {
		if (n % 10 == 9)
			issue_one(f, 1000 + n);
		else
			issue_other(f, other, n);
	}
	s = open_source(f, "ca");
	while ((num = read_some(s, seq, 4)) != 0) {
		assert_true(num <= 4);
		for (uint32_t i = 0; i < num; i++, num_ours++) {
			struct oc_serial want = serial_of(1009 +
			    10 * num_ours);

			assert_true(oc_serial_equal(&changes[i].serial,
			    &want));
			assert_true(changes[i].seq > seq);
			seq = changes[i].seq;
		}
	}
	assert_int_equal(num_ours, 4);
	/* The others go on; then one of ours. */
	for (uint64_t n = 100; n < 110; n++)
		issue_other(f, other, n);
	assert_int_equal(read_some(s, seq, 4), 0);
	assert_ok(revoke_one(f, 1009, CRL_REASON_KEY_COMPROMISE));
	issue_other(f, other, 200);
	assert_int_equal(read_some(s, seq, 4), 1);
	assert_true(changes[0].is_revoked);
	/* What the reader did not take is there when it asks again. */
	assert_int_equal(read_some(s, seq, 4), 1);
	assert_int_equal(read_some(s, changes[0].seq, 4), 0);
	num_ours = 0;
	for (seq = 0; (num = read_some(s, seq, 4)) != 0;
	    seq = changes[num - 1].seq)
		num_ours += num;
	assert_int_equal(num_ours, 4);
	s->ops->close(s);
}

/* The same serial of another issuer is another certificate. */
static void
test_same_serial(void **state)
{
	struct fixture *f = *state;
	struct status_source *s = open_source(f, "ca");
	int64_t other = other_issuer(f);
	struct store_revocation r = { .issuer_id = other,
		.serial = serial_of(1), .reason = CRL_REASON_KEY_COMPROMISE,
		.revoked_at = 3000 };

	issue_one(f, 1);
	issue_other(f, other, 1);
	assert_ok(store_revoke(f->store, &r));
	assert_int_equal(read_some(s, 0, BATCH), 1);
	assert_false(changes[0].is_revoked);
	s->ops->close(s);
}

static void
test_issuer_comes_later(void **state)
{
	struct fixture *f = *state;
	struct status_source *s = open_source(f, "other");

	issue_one(f, 1);
	assert_int_equal(read_some(s, 0, BATCH), 0);
	issue_other(f, other_issuer(f), 7);
	assert_int_equal(read_some(s, 0, BATCH), 1);
	assert_int_equal(changes[0].serial.bytes[19], 7);
	s->ops->close(s);
}

/* The first certificate of an issuer comes with the issuer's row, between two
 * looks into the store. */
static void
test_issuer_comes_meanwhile(void **state)
{
	struct fixture *f = *state;
	struct status_source *s = open_source(f, "other");
	uint32_t num;

	issue_one(f, 1);
	comes_meanwhile = f;
	num = read_some(s, 0, BATCH);
	assert_null(comes_meanwhile);
	if (num == 0)
		num = read_some(s, 0, BATCH);
	assert_int_equal(num, 1);
	assert_int_equal(changes[0].serial.bytes[19], 7);
	s->ops->close(s);
}

static void
test_has_news(void **state)
{
	struct fixture *f = *state;
	struct status_source *s = open_source(f, "ca");

	assert_true(s->ops->has_news(s));
	assert_false(s->ops->has_news(s));
	assert_false(s->ops->has_news(s));
	issue_one(f, 1);
	assert_true(s->ops->has_news(s));
	assert_false(s->ops->has_news(s));
	/* Reading is no news, and hides none. */
	issue_one(f, 2);
	assert_int_equal(read_some(s, 0, BATCH), 2);
	assert_true(s->ops->has_news(s));
	assert_false(s->ops->has_news(s));
	s->ops->close(s);
}

static void
test_id(void **state)
{
	struct fixture *f = *state;
	struct status_source *s = open_source(f, "ca");
	uint8_t got[STORE_ID_LEN], want[STORE_ID_LEN];

	store_id(f->store, want);
	assert_ok(s->ops->id(s, got));
	assert_memory_equal(got, want, sizeof(want));
	s->ops->close(s);
}

static void
test_no_store(void **state)
{
	struct fixture *f = *state;
	struct status_source *s = NULL;
	struct oc_error error = { 0 };

	assert_int_not_equal(status_own_open(f->path, "ca", &s, &error),
	    OC_OK);
	assert_null(s);
	assert_true(error.text[0] != '\0');
}

/* A store that goes bad says why, and yields nothing. */
static void
test_broken_store(void **state)
{
	struct fixture *f = *state;
	struct status_source *s;
	uint32_t num = 99;

	issue_one(f, 1);
	s = open_source(f, "ca");
	run_sql(f->path, "ALTER TABLE issuer RENAME TO gone");
	assert_int_not_equal(s->ops->read(s, 0, changes, BATCH, &num), OC_OK);
	assert_int_equal(num, 99);
	assert_true(s->ops->error(s)[0] != '\0');
	s->ops->close(s);
	run_sql(f->path, "ALTER TABLE gone RENAME TO issuer");
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup_store, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_snapshot), T(test_changes), T(test_other_issuers),
		T(test_same_serial), T(test_issuer_comes_later),
		T(test_issuer_comes_meanwhile),
		T(test_has_news), T(test_id), T(test_broken_store),
		cmocka_unit_test_setup_teardown(test_no_store,
		    setup_directory, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
