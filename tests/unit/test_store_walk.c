/* SPDX-License-Identifier: Apache-2.0 */
/* The walk that is prepared once a connection, "is this serial revoked": does
 * it see what changed since, and may it be walked inside itself?  And when it
 * need not be walked again. */
#include "store_fixture.h"

struct revoked_walk {
	struct store *store;
	const int64_t *issuers;
	int num;
};

static enum oc_err
count(void *arg, const struct store_certificate *c)
{
	int *num = arg;

	assert_true(c->is_revoked);
	++*num;
	return OC_OK;
}

static enum oc_err
walk_revoked_again(void *arg, const struct store_certificate *c)
{
	struct revoked_walk *walk = arg;
	const struct store_filter again = { .serial = &c->serial,
	    .only_revoked = true };
	int num = 0;

	assert_int_equal(c->issuer_id, walk->issuers[walk->num]);
	assert_ok(store_list_certificates(walk->store, &again, count, &num));
	assert_int_equal(num, 2);
	walk->num++;
	return OC_OK;
}

static void
test_list_revoked_serial(void **state)
{
	const struct oc_serial serial = { .bytes = { 0x05 }, .len = 1 };
	const struct store_filter filter = { .serial = &serial,
	    .only_revoked = true };
	static const uint8_t other_key[STORE_HASH_LEN] = { 7 };
	struct fixture *f = *state;
	int num = 0;
	int64_t issuers[] = { f->issuer_id, 0 }, id;
	struct revoked_walk walk = { f->store, issuers, 0 };

	assert_ok(store_put_issuer(f->store, "other", BLOB("CA"), other_key,
	    &issuers[1]));
	for (size_t i = 0; i < 2; i++) {
		struct store_reservation r = reservation_of(issuers[i], 0);
		struct store_revocation v = { issuers[i], serial,
		    CRL_REASON_SUPERSEDED, 2000, 0 };

		r.serial = serial;
		assert_ok(store_reserve(f->store, &r, &id));
		assert_ok(store_list_certificates(f->store, &filter, count,
		    &num));
		assert_int_equal(num, (int)i);
		num = 0;
		assert_ok(store_revoke(f->store, &v));
	}
	assert_ok(store_list_certificates(f->store, &filter,
	    walk_revoked_again, &walk));
	assert_int_equal(walk.num, 2);
}

/* Changes with each group, others writing between, and what is revoked. */
static void
test_revocation_mark(void **state)
{
	struct fixture *f = *state;
	struct store_reservation r = reservation_of(f->issuer_id, 1);
	struct store_revocation v = { f->issuer_id, r.serial,
	    CRL_REASON_CERTIFICATE_HOLD, 2000, 0 };
	uint64_t first, second;
	int64_t id;

	assert_ok(store_begin_group(f->store));
	first = store_revocation_mark(f->store);
	assert_int_not_equal(first, 0);
	assert_ok(store_reserve(f->store, &r, &id));
	assert_int_equal(store_revocation_mark(f->store), first);
	assert_ok(store_revoke(f->store, &v));
	second = store_revocation_mark(f->store);
	assert_int_not_equal(second, first);
	v.reason = CRL_REASON_REMOVE_FROM_CRL;
	assert_ok(store_revoke(f->store, &v));
	assert_int_not_equal(store_revocation_mark(f->store), second);
	second = store_revocation_mark(f->store);
	assert_ok(store_commit_group(f->store));
	assert_ok(store_begin_group(f->store));
	assert_int_not_equal(store_revocation_mark(f->store), first);
	assert_int_not_equal(store_revocation_mark(f->store), second);
	assert_ok(store_commit_group(f->store));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_list_revoked_serial,
		    setup_store, teardown),
		cmocka_unit_test_setup_teardown(test_revocation_mark,
		    setup_store, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
