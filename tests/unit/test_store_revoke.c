/* SPDX-License-Identifier: Apache-2.0 */
/* Which revocations and releases follow which: RFC 5280, 5.3.1. */
#include "store_fixture.h"

static void
assert_status(struct fixture *f, uint64_t n, bool is_revoked,
    enum crl_reason reason)
{
	struct oc_serial serial = serial_of(n);
	struct store_certificate c;

	assert_ok(store_find_certificate(f->store, f->issuer_id, &serial,
	    &c));
	assert_int_equal(c.is_revoked, is_revoked);
	if (is_revoked)
		assert_int_equal(c.reason, reason);
	assert_int_equal(c.revoked_at, is_revoked ? 2000 : 0);
	store_certificate_fini(&c);
}

/* RFC5280:5.3.1 */
static void
test_revoke(void **state)
{
	struct fixture *f = *state;

	for (uint64_t n = 1; n <= 4; n++)
		issue_one(f, n);
	reserve_one(f, 5);
	assert_ok(revoke_one(f, 1, CRL_REASON_KEY_COMPROMISE));
	assert_status(f, 1, true, CRL_REASON_KEY_COMPROMISE);
	/* A hold may become another reason, or be lifted. */
	assert_ok(revoke_one(f, 2, CRL_REASON_CERTIFICATE_HOLD));
	assert_ok(revoke_one(f, 2, CRL_REASON_SUPERSEDED));
	assert_status(f, 2, true, CRL_REASON_SUPERSEDED);
	assert_ok(revoke_one(f, 3, CRL_REASON_CERTIFICATE_HOLD));
	assert_ok(revoke_one(f, 3, CRL_REASON_REMOVE_FROM_CRL));
	assert_status(f, 3, false, 0);
	assert_ok(revoke_one(f, 3, CRL_REASON_CERTIFICATE_HOLD));
	assert_ok(revoke_one(f, 3, CRL_REASON_REMOVE_FROM_CRL));
	/* unspecified is 0, and still revoked. */
	assert_ok(revoke_one(f, 4, CRL_REASON_UNSPECIFIED));
	assert_status(f, 4, true, CRL_REASON_UNSPECIFIED);
	/* What was only reserved may have been signed: it can be revoked. */
	assert_ok(revoke_one(f, 5, CRL_REASON_CESSATION_OF_OPERATION));
	assert_status(f, 5, true, CRL_REASON_CESSATION_OF_OPERATION);
	assert_verifies(f->store);
}

static void
test_revoke_refused(void **state)
{
	struct fixture *f = *state;
	struct store_revocation r = {
		f->issuer_id, serial_of(1), CRL_REASON_SUPERSEDED, 0, 0
	};
	int64_t seq, seq_after;

	issue_one(f, 1);
	issue_one(f, 2);
	assert_ok(revoke_one(f, 2, CRL_REASON_CERTIFICATE_HOLD));
	issue_one(f, 3);
	assert_ok(revoke_one(f, 3, CRL_REASON_SUPERSEDED));
	assert_ok(store_change_seq(f->store, &seq));

	assert_int_equal(revoke_one(f, 9, CRL_REASON_SUPERSEDED),
	    OC_ERR_NOT_FOUND);
	assert_int_equal(revoke_one(f, 1, CRL_REASON_REMOVE_FROM_CRL),
	    OC_ERR_MISMATCH);
	assert_int_equal(revoke_one(f, 3, CRL_REASON_REMOVE_FROM_CRL),
	    OC_ERR_MISMATCH);
	assert_int_equal(revoke_one(f, 2, CRL_REASON_CERTIFICATE_HOLD),
	    OC_ERR_EXISTS);
	assert_int_equal(revoke_one(f, 3, CRL_REASON_AA_COMPROMISE),
	    OC_ERR_EXISTS);
	assert_non_null(strstr(store_error(f->store), "superseded"));
	assert_int_equal(revoke_one(f, 3, CRL_REASON_CERTIFICATE_HOLD),
	    OC_ERR_EXISTS);
	assert_int_equal(revoke_one(f, 1, (enum crl_reason)7),
	    OC_ERR_MALFORMED);
	assert_int_equal(revoke_one(f, 1, (enum crl_reason)11),
	    OC_ERR_MALFORMED);
	assert_int_equal(store_revoke(f->store, &r), OC_ERR_MALFORMED);
	r.issuer_id++;
	r.revoked_at = 1;
	assert_int_equal(store_revoke(f->store, &r), OC_ERR_NOT_FOUND);
	r.serial.len = 0;
	assert_int_equal(store_revoke(f->store, &r), OC_ERR_MALFORMED);

	assert_ok(store_change_seq(f->store, &seq_after));
	assert_int_equal(seq, seq_after);
	assert_status(f, 1, false, 0);
	assert_status(f, 2, true, CRL_REASON_CERTIFICATE_HOLD);
	assert_verifies(f->store);
}

/* Worse than it seemed, once: since when it was revoked first, or before, if
 * that is known now; and a date of invalidity is not forgotten. */
static void
test_revoke_worse(void **state)
{
	static const struct {
		enum crl_reason was, reason;
		int64_t revoked_at, invalidity_at;
		int64_t kept_at, kept_invalidity_at;
	} rows[] = {
		{ CRL_REASON_SUPERSEDED, CRL_REASON_CA_COMPROMISE, 3000, 0,
		    2000, 500 },
		{ CRL_REASON_UNSPECIFIED, CRL_REASON_KEY_COMPROMISE, 3000,
		    400, 2000, 400 },
		{ CRL_REASON_PRIVILEGE_WITHDRAWN, CRL_REASON_KEY_COMPROMISE,
		    1000, 900, 1000, 900 }
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct store_revocation r = { f->issuer_id, serial_of(i + 1),
		    rows[i].was, 2000, 500 };
		struct store_certificate c;
		int64_t seq, seq_after;

		issue_one(f, i + 1);
		assert_ok(store_revoke(f->store, &r));
		assert_int_equal(r.revoked_at, 2000);
		assert_ok(store_change_seq(f->store, &seq));
		r.reason = rows[i].reason;
		r.revoked_at = rows[i].revoked_at;
		r.invalidity_at = rows[i].invalidity_at;
		assert_ok(store_revoke(f->store, &r));
		assert_int_equal(r.revoked_at, rows[i].kept_at);
		assert_ok(store_find_certificate(f->store, f->issuer_id,
		    &r.serial, &c));
		assert_true(c.is_revoked);
		assert_int_equal(c.reason, rows[i].reason);
		assert_int_equal(c.revoked_at, rows[i].kept_at);
		assert_int_equal(c.invalidity_at,
		    rows[i].kept_invalidity_at);
		store_certificate_fini(&c);
		assert_ok(store_change_seq(f->store, &seq_after));
		assert_true(seq_after > seq);
		/* There is nothing worse, and no way back. */
		assert_int_equal(revoke_one(f, i + 1,
		    CRL_REASON_KEY_COMPROMISE), OC_ERR_EXISTS);
		assert_int_equal(revoke_one(f, i + 1,
		    CRL_REASON_CA_COMPROMISE), OC_ERR_EXISTS);
		assert_int_equal(revoke_one(f, i + 1, rows[i].was),
		    OC_ERR_EXISTS);
	}
	assert_verifies(f->store);
}

/* What would become of it is told, and is no change. */
static void
test_may_revoke(void **state)
{
	struct fixture *f = *state;
	struct store_revocation r = {
		f->issuer_id, serial_of(1), CRL_REASON_SUPERSEDED, 2000, 0
	};
	int64_t seq, seq_after, not_after = 0;

	issue_one(f, 1);
	issue_one(f, 2);
	assert_ok(revoke_one(f, 2, CRL_REASON_SUPERSEDED));
	issue_one(f, 3);
	assert_ok(revoke_one(f, 3, CRL_REASON_CERTIFICATE_HOLD));
	assert_ok(store_change_seq(f->store, &seq));
	assert_ok(store_may_revoke(f->store, &r, &not_after));
	assert_true(not_after > 0);
	r.reason = CRL_REASON_REMOVE_FROM_CRL;
	assert_int_equal(store_may_revoke(f->store, &r, &not_after),
	    OC_ERR_MISMATCH);
	r.serial = serial_of(2);
	r.reason = CRL_REASON_SUPERSEDED;
	assert_int_equal(store_may_revoke(f->store, &r, &not_after),
	    OC_ERR_EXISTS);
	r.reason = CRL_REASON_KEY_COMPROMISE;
	assert_ok(store_may_revoke(f->store, &r, &not_after));
	r.serial = serial_of(3);
	r.reason = CRL_REASON_REMOVE_FROM_CRL;
	assert_ok(store_may_revoke(f->store, &r, &not_after));
	r.serial = serial_of(9);
	assert_int_equal(store_may_revoke(f->store, &r, &not_after),
	    OC_ERR_NOT_FOUND);
	assert_ok(store_change_seq(f->store, &seq_after));
	assert_int_equal(seq_after, seq);
	/* In a group it sees what was done there. */
	r.serial = serial_of(1);
	r.reason = CRL_REASON_SUPERSEDED;
	assert_ok(store_begin_group(f->store));
	assert_ok(store_revoke(f->store, &r));
	assert_int_equal(store_may_revoke(f->store, &r, &not_after),
	    OC_ERR_EXISTS);
	store_abandon_group(f->store);
	assert_ok(store_may_revoke(f->store, &r, &not_after));
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, setup_store, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_revoke),
		TEST(test_revoke_refused),
		TEST(test_revoke_worse),
		TEST(test_may_revoke)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
