/* SPDX-License-Identifier: Apache-2.0 */
/* Is one request one certificate, is a quota a quota, and is what was asked
 * for found again? */
#include "store_asking.h"

#include <time.h>

/* --- one request, one certificate --------------------------------------- */

static void
test_repeated(void **state)
{
	struct fixture *f = *state;
	struct store_reserved found;
	struct store_asked asked = { 0 };
	struct asking a;

	setup_asking(f, &a);
	assert_int_equal(store_find_key(f->store, a.key, 0, &found),
	    OC_ERR_NOT_FOUND);
	assert_outcome(f, &a, 1, STORE_OUTCOME_RESERVED, 1);
	assert_outcome(f, &a, 2, STORE_OUTCOME_PENDING, 1);
	assert_ok(store_find_key(f->store, a.key, 0, &found));
	assert_int_equal(found.outcome, STORE_OUTCOME_PENDING);
	assert_ok(store_issue(f->store, 1, BLOB("certificate")));
	assert_outcome(f, &a, 3, STORE_OUTCOME_REPEATED, 1);
	assert_ok(store_find_key(f->store, a.key, 0, &found));
	assert_int_equal(found.outcome, STORE_OUTCOME_REPEATED);
	assert_int_equal(count(f, "certificate"), 1);
	/* As it was sent. */
	assert_ok(store_get_asked(f->store, 1, &asked));
	assert_string_equal(asked.hostnames, a.request.hostnames);
	assert_int_equal(asked.csr_len, a.request.csr.len);
	assert_memory_equal(asked.csr, a.request.csr.p, asked.csr_len);
	assert_string_equal(asked.type, "origin-ecc");
	assert_int_equal(asked.validity, 5475);
	assert_int_equal(asked.account_id, a.account.id);
	assert_string_equal(asked.issuer, "ca");
	assert_true(asked.is_current);
	assert_int_equal(asked.certificate.state, STORE_ISSUED);
	store_asked_fini(&asked);
	/* Another key, and none, are other requests. */
	a.key[31] ^= 1;
	assert_outcome(f, &a, 4, STORE_OUTCOME_RESERVED, 2);
	a.request.key = NULL;
	assert_outcome(f, &a, 5, STORE_OUTCOME_RESERVED, 3);
	assert_outcome(f, &a, 6, STORE_OUTCOME_RESERVED, 4);
	assert_verifies(f->store);
}

static void
test_repeated_until_it_ends(void **state)
{
	struct fixture *f = *state;
	struct asking a;

	setup_asking(f, &a);
	assert_outcome(f, &a, 1, STORE_OUTCOME_RESERVED, 1);
	assert_ok(store_issue(f->store, 1, BLOB("certificate")));
	assert_ok(revoke_one(f, 1, CRL_REASON_SUPERSEDED));
	assert_outcome(f, &a, 2, STORE_OUTCOME_RESERVED, 2);
	assert_ok(store_issue(f->store, 2, BLOB("certificate")));
	assert_outcome(f, &a, 3, STORE_OUTCOME_REPEATED, 2);
	run_sql(f->path, "UPDATE certificate SET not_after = 1000 WHERE"
	    " id = 2");
	assert_outcome(f, &a, 4, STORE_OUTCOME_RESERVED, 3);
	run_sql(f->path, "UPDATE certificate SET not_after = 4000000000");
	assert_verifies(f->store);
}

/* As authsign has it: the same octets, for a while, whatever happens. */
static void
test_window(void **state)
{
	struct fixture *f = *state;
	struct store_reserved found;
	struct asking a;

	setup_asking(f, &a);
	a.request.account_id = 0;
	a.request.num_zones = 0;
	a.request.key_window_s = 600;
	assert_outcome(f, &a, 1, STORE_OUTCOME_RESERVED, 1);
	assert_ok(store_issue(f->store, 1, BLOB("certificate")));
	assert_ok(revoke_one(f, 1, CRL_REASON_SUPERSEDED));
	assert_outcome(f, &a, 2, STORE_OUTCOME_REPEATED, 1);
	run_sql(f->path, "UPDATE certificate SET reserved_at ="
	    " reserved_at - 601");
	assert_int_equal(store_find_key(f->store, a.key, 600, &found),
	    OC_ERR_NOT_FOUND);
	assert_outcome(f, &a, 2, STORE_OUTCOME_RESERVED, 2);
	assert_verifies(f->store);
}

static void
age(struct fixture *f, int seconds)
{
	char text[160];

	snprintf(text, sizeof(text), "UPDATE certificate SET reserved_at ="
	    " reserved_at - %d; UPDATE certificate_request SET reserved_at ="
	    " reserved_at - %d", seconds, seconds);
	run_sql(f->path, text);
}

static void
test_abandoned(void **state)
{
	struct fixture *f = *state;
	struct asking a;

	setup_asking(f, &a);
	a.account.live_max = 1;
	assert_ok(store_change_account(f->store, &a.account));
	assert_outcome(f, &a, 1, STORE_OUTCOME_RESERVED, 1);
	assert_ok(store_abandon_request(f->store, 1));
	assert_int_equal(store_abandon_request(f->store, 1),
	    OC_ERR_MISMATCH);
	assert_outcome(f, &a, 2, STORE_OUTCOME_RESERVED, 2);
	/* Its process died: after a while it is nobody's. */
	assert_outcome(f, &a, 3, STORE_OUTCOME_PENDING, 2);
	age(f, STORE_PENDING_S);
	assert_outcome(f, &a, 3, STORE_OUTCOME_RESERVED, 3);
	assert_ok(store_issue(f->store, 3, BLOB("certificate")));
	assert_int_equal(store_abandon_request(f->store, 3),
	    OC_ERR_MISMATCH);
	/* The one that was slow is none any more. */
	assert_int_equal(store_issue(f->store, 2, BLOB("late")),
	    OC_ERR_MISMATCH);
	assert_outcome(f, &a, 4, STORE_OUTCOME_REPEATED, 3);
	reserve_one(f, 9);
	assert_int_equal(store_abandon_request(f->store, 4),
	    OC_ERR_MISMATCH);
	assert_int_equal(store_abandon_request(f->store, 99),
	    OC_ERR_MISMATCH);
	assert_verifies(f->store);
}

/* What no quota counts any more, nobody records: not beside the one that has
 * its place, nor where nobody has. */
static void
test_too_late(void **state)
{
	struct fixture *f = *state;
	struct store_usage usage;
	struct asking a;

	setup_asking(f, &a);
	a.account.live_max = 2;
	a.request.key = NULL;
	assert_ok(store_change_account(f->store, &a.account));
	assert_outcome(f, &a, 1, STORE_OUTCOME_RESERVED, 1);
	assert_int_equal(reserve_one(f, 9), 2);	/* nobody's request */
	age(f, STORE_PENDING_S - 10);
	assert_outcome(f, &a, 2, STORE_OUTCOME_RESERVED, 3);
	assert_int_equal(ask(f, &a, 3).outcome, STORE_OUTCOME_LIVE);
	age(f, 10);
	assert_int_equal(store_issue(f->store, 1, BLOB("late")),
	    OC_ERR_MISMATCH);
	assert_non_null(strstr(store_error(f->store), "given up"));
	assert_outcome(f, &a, 3, STORE_OUTCOME_RESERVED, 4);
	assert_ok(store_issue(f->store, 4, BLOB("certificate")));
	age(f, STORE_PENDING_S - 20);
	assert_ok(store_issue(f->store, 3, BLOB("certificate")));
	assert_int_equal(store_issue(f->store, 1, BLOB("late")),
	    OC_ERR_MISMATCH);
	assert_ok(store_issue(f->store, 2, BLOB("certificate")));
	assert_ok(store_count_usage(f->store, &a.account, time(NULL),
	    &usage));
	assert_int_equal(usage.num_live, 2);
	assert_int_equal(read_sql(f->path, "SELECT state FROM certificate"
	    " WHERE id = 1"), STORE_RESERVED);
	assert_verifies(f->store);
}

static void
test_serial_twice(void **state)
{
	struct fixture *f = *state;
	struct store_reservation r;
	struct store_reserved reserved;
	struct asking a;

	setup_asking(f, &a);
	reserve_one(f, 1);
	r = reservation_of(f->issuer_id, 1);
	assert_int_equal(store_reserve_request(f->store, &r, &a.request,
	    &reserved), OC_ERR_EXISTS);
	assert_int_equal(count(f, "certificate_request"), 0);
	assert_outcome(f, &a, 2, STORE_OUTCOME_RESERVED, 2);
	assert_verifies(f->store);
}

/* --- refused ------------------------------------------------------------ */

static void
test_refused(void **state)
{
	struct fixture *f = *state;
	struct store_reserved reserved;
	struct store_zone other = { .state = STORE_ZONE_ACTIVE };
	struct store_account b = { .state = STORE_ACCOUNT_ACTIVE };
	int64_t ids[2], entries;
	struct asking a;

	setup_asking(f, &a);
	strcpy(b.name, "b");
	strcpy(other.name, "other.test");
	assert_ok(store_add_account(f->store, &b));
	other.account_id = b.id;
	assert_ok(store_add_zone(f->store, &other, STORE_ZONE_ALONE));
	ids[0] = a.zone.id;
	ids[1] = other.id;
	a.request.zone_ids = ids;
	a.request.num_zones = 2;
	assert_outcome(f, &a, 1, STORE_OUTCOME_ZONE, 0);
	a.request.num_zones = 1;
	assert_ok(store_set_zone_state(f->store, a.zone.id,
	    STORE_ZONE_PAUSED));
	assert_outcome(f, &a, 1, STORE_OUTCOME_ZONE, 0);
	assert_ok(store_set_zone_state(f->store, a.zone.id,
	    STORE_ZONE_ACTIVE));
	a.account.state = STORE_ACCOUNT_DISABLED;
	assert_ok(store_change_account(f->store, &a.account));
	entries = read_sql(f->path, "SELECT journal_number FROM store");
	assert_outcome(f, &a, 1, STORE_OUTCOME_DISABLED, 0);
	assert_int_equal(read_sql(f->path, "SELECT journal_number FROM"
	    " store"), entries);
	a.account.state = STORE_ACCOUNT_ACTIVE;
	a.account.live_max = 2;
	a.account.period_max = 3;
	a.account.period_s = 3600;
	a.request.key = NULL;
	assert_ok(store_change_account(f->store, &a.account));
	assert_outcome(f, &a, 1, STORE_OUTCOME_RESERVED, 1);
	assert_outcome(f, &a, 2, STORE_OUTCOME_RESERVED, 2);
	reserved = ask(f, &a, 3);
	assert_int_equal(reserved.outcome, STORE_OUTCOME_LIVE);
	assert_int_equal(reserved.limit, 2);
	assert_int_equal(reserved.count, 2);
	assert_ok(store_issue(f->store, 1, BLOB("certificate")));
	assert_ok(revoke_one(f, 1, CRL_REASON_SUPERSEDED));
	assert_outcome(f, &a, 3, STORE_OUTCOME_RESERVED, 3);
	assert_ok(store_issue(f->store, 3, BLOB("certificate")));
	assert_ok(revoke_one(f, 3, CRL_REASON_SUPERSEDED));
	reserved = ask(f, &a, 4);
	assert_int_equal(reserved.outcome, STORE_OUTCOME_PERIOD);
	assert_int_equal(reserved.limit, 3);
	assert_int_equal(reserved.count, 3);
	assert_int_equal(count(f, "certificate"), 3);
	assert_verifies(f->store);
}

static void
test_malformed(void **state)
{
	struct fixture *f = *state;
	struct store_reservation r = reservation_of(f->issuer_id, 1);
	struct store_reserved out;
	struct store_request q;
	struct asking a;
	static int64_t many[STORE_ZONES_MAX + 1];
	int64_t twice[2];
	char *text = calloc(1, STORE_HOSTNAMES_MAX + 2);

	setup_asking(f, &a);
	twice[0] = twice[1] = a.zone.id;
#define assert_bad(error) assert_int_equal(store_reserve_request(f->store, \
	&r, &q, &out), (error))
	q = a.request;
	q.csr = (struct store_blob){ NULL, 0 };
	assert_bad(OC_ERR_MALFORMED);
	q = a.request;
	q.csr = (struct store_blob){ (const uint8_t *)"x", OC_CSR_MAX + 1 };
	assert_bad(OC_ERR_LIMIT);
	q = a.request;
	q.zone_ids = twice;
	q.num_zones = 2;
	assert_bad(OC_ERR_MALFORMED);
	q = a.request;
	q.zone_ids = many;
	q.num_zones = STORE_ZONES_MAX + 1;
	assert_bad(OC_ERR_NOT_FOUND);
	q = a.request;
	q.account_id = 0;
	assert_bad(OC_ERR_MALFORMED);
	q = a.request;
	q.account_id = 99;
	assert_bad(OC_ERR_NOT_FOUND);
	q = a.request;
	q.hostnames = "[\"\xff\"]";
	assert_bad(OC_ERR_MALFORMED);
	q = a.request;
	memset(text, 'a', STORE_HOSTNAMES_MAX + 1);
	q.hostnames = text;
	assert_bad(OC_ERR_LIMIT);
	q = a.request;
	text[OC_CONFIG_NAME_MAX + 1] = '\0';
	q.type = text;
	assert_bad(OC_ERR_LIMIT);
	free(text);
	assert_int_equal(count(f, "certificate"), 0);
	assert_verifies(f->store);
}

/* --- lists -------------------------------------------------------------- */

struct page {
	int64_t ids[16];
	size_t num;
};

static enum oc_err
add_to_page(void *arg, const struct store_asked *asked)
{
	struct page *page = arg;

	assert_true(page->num < 16);
	page->ids[page->num++] = asked->certificate.id;
	return OC_OK;
}

static void
assert_page(struct fixture *f, struct store_asked_filter filter,
    int64_t total, size_t num, int64_t first)
{
	struct page page = { .num = 0 };
	int64_t num_total = -1;

	assert_ok(store_list_asked(f->store, &filter, add_to_page, &page,
	    &num_total));
	assert_int_equal(num_total, total);
	assert_int_equal(page.num, num);
	if (num > 0)
		assert_int_equal(page.ids[0], first);
}

static void
test_pages(void **state)
{
	struct fixture *f = *state;
	struct store_zone second = { .state = STORE_ZONE_ACTIVE };
	struct store_asked asked = { 0 };
	struct oc_serial serial = serial_of(3);
	struct asking a;
	int64_t both[2];

	setup_asking(f, &a);
	a.request.key = NULL;
	strcpy(second.name, "second.test");
	second.account_id = a.account.id;
	assert_ok(store_add_zone(f->store, &second, STORE_ZONE_ALONE));
	both[0] = second.id;
	both[1] = a.zone.id;
	for (uint64_t n = 1; n <= 7; n++) {
		a.request.zone_ids = n % 2 == 0 ? both : &a.zone.id;
		a.request.num_zones = n % 2 == 0 ? 2 : 1;
		assert_outcome(f, &a, n, STORE_OUTCOME_RESERVED, (int64_t)n);
		if (n != 7)
			assert_ok(store_issue(f->store, (int64_t)n,
			    BLOB("certificate")));
	}
	assert_ok(revoke_one(f, 1, CRL_REASON_SUPERSEDED));
	assert_page(f, (struct store_asked_filter){ a.account.id, 0, false, 0,
	    0 }, 6, 6, 1);
	assert_page(f, (struct store_asked_filter){ a.account.id, 0, true, 0,
	    2 }, 5, 2, 2);
	assert_page(f, (struct store_asked_filter){ a.account.id, 0, true, 4,
	    2 }, 5, 1, 6);
	assert_page(f, (struct store_asked_filter){ a.account.id, 0, true, 6,
	    2 }, 5, 0, 0);
	assert_page(f, (struct store_asked_filter){ a.account.id, second.id,
	    false, 0, 0 }, 3, 3, 2);
	assert_page(f, (struct store_asked_filter){ a.account.id, 99, false,
	    0, 0 }, 0, 0, 0);
	assert_page(f, (struct store_asked_filter){ 99, 0, false, 0, 0 }, 0,
	    0, 0);
	assert_ok(store_find_asked(f->store, a.account.id, &serial, &asked));
	assert_int_equal(asked.certificate.id, 3);
	store_asked_fini(&asked);
	assert_int_equal(store_find_asked(f->store, 99, &serial, &asked),
	    OC_ERR_NOT_FOUND);
	serial = serial_of(7);	/* not issued */
	assert_int_equal(store_find_asked(f->store, a.account.id, &serial,
	    &asked), OC_ERR_NOT_FOUND);
	assert_verifies(f->store);
}

/* In a group: those that fit, and the others are told. */
static void
test_group(void **state)
{
	struct fixture *f = *state;
	struct asking a;

	setup_asking(f, &a);
	a.account.live_max = 2;
	assert_ok(store_change_account(f->store, &a.account));
	assert_ok(store_begin_group(f->store));
	assert_outcome(f, &a, 1, STORE_OUTCOME_RESERVED, 1);
	assert_outcome(f, &a, 2, STORE_OUTCOME_PENDING, 1);
	a.request.key = NULL;
	assert_outcome(f, &a, 2, STORE_OUTCOME_RESERVED, 2);
	assert_int_equal(ask(f, &a, 3).outcome, STORE_OUTCOME_LIVE);
	assert_ok(store_commit_group(f->store));
	assert_ok(store_begin_group(f->store));
	assert_ok(store_abandon_request(f->store, 1));
	assert_outcome(f, &a, 3, STORE_OUTCOME_RESERVED, 3);
	store_abandon_group(f->store);
	assert_int_equal(count(f, "certificate"), 2);
	assert_int_equal(ask(f, &a, 3).outcome, STORE_OUTCOME_LIVE);
	assert_verifies(f->store);
}

int
main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup_store, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_repeated),
		TEST(test_repeated_until_it_ends),
		TEST(test_window),
		TEST(test_abandoned),
		TEST(test_too_late),
		TEST(test_serial_twice),
		TEST(test_refused),
		TEST(test_malformed),
		TEST(test_pages),
		TEST(test_group)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
