/* SPDX-License-Identifier: Apache-2.0 */
/* Which certificates a partition's list and a delta are of, and which lists
 * there are. */
#include "store_fixture.h"

/* Serial numbers are of one octet here. */
static void
issue_into(struct fixture *f, uint8_t serial, uint32_t partition,
    int64_t not_after)
{
	int64_t id;

	assert_ok(store_reserve(f->store, &(struct store_reservation){
		.issuer_id = f->issuer_id,
		.serial = { { serial }, 1 },
		.tbs = BLOB("TBS"),
		.not_before = 1,
		.not_after = not_after,
		.crl_partition = partition,
	    }, &id));
	assert_ok(store_issue(f->store, id, BLOB("certificate")));
}

static void
revoke_serial(struct fixture *f, uint8_t serial, enum crl_reason reason)
{
	struct store_revocation r = {
		.issuer_id = f->issuer_id,
		.serial = { { serial }, 1 },
		.reason = reason,
		.revoked_at = 5
	};

	assert_ok(store_revoke(f->store, &r));
}

static enum oc_err
append_serial(void *arg, const struct store_revocation *r)
{
	char *text = arg;

	snprintf(text + strlen(text), 8, "%s%u", r->reason ==
	    CRL_REASON_REMOVE_FROM_CRL ? "-" : "+", r->serial.bytes[0]);
	return OC_OK;
}

/* "+1+2": what is listed, and released. */
static void
assert_listed(struct fixture *f, uint32_t partition, int64_t not_after_min,
    int64_t after_seq, const char *wanted)
{
	const struct store_revoked_filter filter = { f->issuer_id, partition,
	    not_after_min, after_seq };
	char text[256] = "";
	bool has;

	assert_ok(store_list_partition(f->store, &filter, append_serial,
	    text));
	assert_ok(store_list_released(f->store, &filter, append_serial,
	    text));
	assert_string_equal(text, wanted);
	if (not_after_min != INT64_MAX)
		return;
	assert_ok(store_has_revoked(f->store, &filter, &has));
	assert_int_equal(has, wanted[0] != '\0');
}

static void
test_partitions(void **state)
{
	struct fixture *f = *state;
	struct store_certificate c = { 0 };
	uint32_t last = 77;
	int64_t seq, later;

	assert_ok(store_last_crl_partition(f->store, f->issuer_id, &last));
	assert_int_equal(last, 0);
	for (uint8_t n = 1; n <= 9; n++)
		issue_into(f, n, n % 3, 100 * n);
	assert_ok(store_last_crl_partition(f->store, f->issuer_id, &last));
	assert_int_equal(last, 2);
	assert_ok(store_find_certificate(f->store, f->issuer_id,
	    &(struct oc_serial){ { 5 }, 1 }, &c));
	assert_int_equal(c.crl_partition, 2);
	store_certificate_fini(&c);
	for (uint8_t n = 1; n <= 6; n++)
		revoke_serial(f, n, n % 2 == 0 ? CRL_REASON_CERTIFICATE_HOLD :
		    CRL_REASON_SUPERSEDED);
	assert_ok(store_change_seq(f->store, &seq));
	assert_listed(f, 0, 0, INT64_MAX, "+3+6");
	assert_listed(f, 1, 0, INT64_MAX, "+1+4");
	assert_listed(f, 2, 0, INT64_MAX, "+2+5");
	assert_listed(f, 3, 0, INT64_MAX, "");
	/* What has expired, and what was revoked all the same since. */
	assert_listed(f, 1, 101, INT64_MAX, "+4");
	assert_listed(f, 1, INT64_MAX, seq, "");
	revoke_serial(f, 4, CRL_REASON_REMOVE_FROM_CRL);
	revoke_serial(f, 7, CRL_REASON_KEY_COMPROMISE);
	assert_listed(f, 1, INT64_MAX, seq, "+7-4");
	assert_listed(f, 0, INT64_MAX, seq, "");
	assert_listed(f, 1, 0, INT64_MAX, "+1+7");
	assert_listed(f, 1, 1000, seq, "+7-4");
	/* Held once more it is revoked, and not released. */
	assert_ok(store_change_seq(f->store, &later));
	revoke_serial(f, 4, CRL_REASON_CERTIFICATE_HOLD);
	assert_listed(f, 1, INT64_MAX, seq, "+4+7");
	assert_listed(f, 1, INT64_MAX, later, "+4");
	assert_verifies(f->store);
	/* Nobody moves one to where nobody looks. */
	run_sql(f->path, "UPDATE certificate SET crl_partition = 1"
	    " WHERE crl_partition = 2");
	assert_int_equal(store_verify_journal(f->store, &seq, &later),
	    OC_ERR_MISMATCH);
}

static struct store_crl
reserve_list(struct fixture *f, const struct store_crl_reservation *r)
{
	struct store_crl crl;

	if (store_reserve_list(f->store, r, &crl) != OC_OK)
		fail_msg("%s", store_error(f->store));
	return crl;
}

static void
issue_list(struct fixture *f, const struct store_crl *crl)
{
	assert_ok(store_issue_list(f->store, crl->id, BLOB("list"), 4));
}

static void
assert_base(struct fixture *f, uint32_t partition, const char *point,
    int64_t now, uint64_t number)
{
	const struct store_crl_scope scope = { f->issuer_id, partition,
	    STORE_CRL_FULL };
	struct store_crl crl = { .number = 0 };
	enum oc_err err = store_find_list_base(f->store, &scope, point, now,
	    &crl);

	assert_int_equal(err, number == 0 ? OC_ERR_NOT_FOUND : OC_OK);
	assert_int_equal(crl.number, number);
}

/* One sequence of numbers, whatever a list is of: RFC5280:5.2.3 */
static void
test_deltas(void **state)
{
	struct fixture *f = *state;
	struct store_crl_reservation r = { .scope = { f->issuer_id, 1,
	    STORE_CRL_FULL }, .this_update = 10, .next_update = 20,
	    .point = "http://a/1.crl" }, other = r;
	struct store_crl first, second, delta, found = { 0 };
	struct store_crl_scope scope = { f->issuer_id, 1, STORE_CRL_DELTA };

	first = reserve_list(f, &r);
	assert_base(f, 1, r.point, 15, 0);
	issue_list(f, &first);
	assert_base(f, 1, r.point, 15, first.number);
	assert_base(f, 1, "", 15, 0);
	assert_base(f, 2, r.point, 15, 0);
	issue_into(f, 1, 1, 100);
	revoke_serial(f, 1, CRL_REASON_SUPERSEDED);
	r.next_update = 30;
	second = reserve_list(f, &r);
	assert_int_equal(second.number, first.number + 1);
	assert_int_equal(second.change_seq, first.change_seq + 2);
	/* Of one moment: one number. */
	other = r;
	other.scope.kind = STORE_CRL_DELTA;
	other.number = second.number;
	other.base_number = first.number;
	delta = reserve_list(f, &other);
	assert_int_equal(delta.number, second.number);
	assert_int_equal(store_find_list(f->store, &scope, &found),
	    OC_ERR_NOT_FOUND);
	issue_list(f, &second);
	issue_list(f, &delta);
	assert_ok(store_find_list(f->store, &scope, &found));
	assert_true(found.id == delta.id && found.num_entries == 4 &&
	    found.base_number == first.number);
	assert_string_equal(found.point, r.point);
	store_crl_fini(&found);
	scope.kind = STORE_CRL_FULL;
	assert_ok(store_find_list_times(f->store, &scope, &found));
	assert_int_equal(found.id, second.id);
	/* The oldest that somebody may hold. */
	assert_base(f, 1, r.point, 15, first.number);
	assert_base(f, 1, r.point, 20, second.number);
	assert_base(f, 1, r.point, 30, 0);
	/* What is in none is another. */
	assert_int_equal(store_find_crl(f->store, f->issuer_id, &found),
	    OC_ERR_NOT_FOUND);
	/* A delta is to something before it, and only deltas are. */
	other.number = first.number;
	other.base_number = second.number;
	assert_int_equal(store_reserve_list(f->store, &other, &found),
	    OC_ERR_MALFORMED);
	other.base_number = 0;
	assert_int_equal(store_reserve_list(f->store, &other, &found),
	    OC_ERR_MALFORMED);
	assert_verifies(f->store);
	run_sql(f->path, "UPDATE crl SET change_seq = change_seq + 1");
	assert_int_equal(store_verify_journal(f->store,
	    &(int64_t){ 0 }, &(int64_t){ 0 }), OC_ERR_MISMATCH);
}

int
main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup_store, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_partitions),
		TEST(test_deltas)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
