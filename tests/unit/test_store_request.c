/* SPDX-License-Identifier: Apache-2.0 */
/* Is one request one certificate, and a quota a quota, however many ask at
 * once and whoever dies meanwhile? */
#include "store_fixture.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/account.h"

struct asking {
	struct store_account account;
	struct store_zone zone;
	uint8_t key[STORE_HASH_LEN];
	struct store_request request;
};

static void
setup_asking(struct fixture *f, struct asking *a)
{
	*a = (struct asking){ .account.state = STORE_ACCOUNT_ACTIVE,
		.zone.state = STORE_ZONE_ACTIVE };
	strcpy(a->account.name, "acme");
	strcpy(a->zone.name, "example.com");
	assert_ok(store_add_account(f->store, &a->account));
	a->zone.account_id = a->account.id;
	assert_ok(store_add_zone(f->store, &a->zone, STORE_ZONE_ALONE));
	memset(a->key, 7, sizeof(a->key));
	a->request = (struct store_request){
		.account_id = a->account.id,
		.hostnames = "[\"b.example.com\",\"A.example.com\"]",
		.csr = BLOB("-----BEGIN CERTIFICATE REQUEST-----\r\n"),
		.type = "origin-ecc",
		.validity = 5475,
		.zone_ids = &a->zone.id,
		.num_zones = 1,
		.key = a->key
	};
}

static struct store_reserved
ask(struct fixture *f, const struct asking *a, uint64_t n)
{
	struct store_reservation r = reservation_of(f->issuer_id, n);
	struct store_reserved reserved = { .id = -1 };

	if (store_reserve_request(f->store, &r, &a->request, &reserved) !=
	    OC_OK)
		fail_msg("%s", store_error(f->store));
	return reserved;
}

static void
assert_outcome(struct fixture *f, const struct asking *a, uint64_t n,
    enum store_outcome outcome, int64_t id)
{
	struct store_reserved reserved = ask(f, a, n);

	assert_int_equal(reserved.outcome, outcome);
	assert_int_equal(reserved.id, id);
}

static int64_t
count(struct fixture *f, const char *table)
{
	char text[128];

	snprintf(text, sizeof(text), "SELECT count(*) FROM %s", table);
	return read_sql(f->path, text);
}

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
	run_sql(f->path, "UPDATE certificate SET reserved_at = reserved_at -"
	    " 120; UPDATE certificate_request SET reserved_at = reserved_at -"
	    " 120");
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

/* Stopped for longer than it may take; it has its signature now, but its
 * request was given to another. */
static void
test_given_up(void **state)
{
	struct fixture *f = *state;
	struct store_asked asked = { 0 };
	struct store_usage usage;
	struct store *slow;
	struct asking a;

	setup_asking(f, &a);
	a.account.live_max = 1;
	assert_ok(store_change_account(f->store, &a.account));
	assert_outcome(f, &a, 1, STORE_OUTCOME_RESERVED, 1);
	slow = f->store;
	f->store = open_store(f->path, STORE_WRITE);
	assert_outcome(f, &a, 2, STORE_OUTCOME_PENDING, 1);
	run_sql(f->path, "UPDATE certificate SET reserved_at = reserved_at -"
	    " 120; UPDATE certificate_request SET reserved_at = reserved_at -"
	    " 120");
	assert_outcome(f, &a, 2, STORE_OUTCOME_RESERVED, 2);
	/* Whether or not the other is there yet. */
	assert_int_equal(store_issue(slow, 1, BLOB("late")),
	    OC_ERR_MISMATCH);
	assert_non_null(strstr(store_error(slow), "given up"));
	assert_ok(store_issue(f->store, 2, BLOB("certificate")));
	assert_int_equal(store_issue(slow, 1, BLOB("late")),
	    OC_ERR_MISMATCH);
	store_close(slow);
	assert_ok(store_count_usage(f->store, &a.account, oc_clock_now_s(),
	    &usage));
	assert_int_equal(usage.num_live, 1);
	assert_ok(store_get_asked(f->store, 1, &asked));
	assert_int_equal(asked.certificate.state, STORE_RESERVED);
	assert_null(asked.certificate.certificate);
	store_asked_fini(&asked);
	assert_outcome(f, &a, 3, STORE_OUTCOME_REPEATED, 2);
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

/* --- several at once ---------------------------------------------------- */

#define NUM_ASKERS 4
#define NUM_TRIES 50

/* Both ways closed at exec; what a child says, and until when it stays. */
struct talk {
	int said[2], gate[2];
};

static void
talk_open(struct talk *t)
{
	assert_int_equal(pipe(t->said), 0);
	assert_int_equal(pipe(t->gate), 0);
}

/* In the child: says so, and holds the store open until it is let go. */
static void
say_and_stay(struct talk *t, int said)
{
	uint8_t octet = (uint8_t)said;

	close(t->gate[1]);
	if (write(t->said[1], &octet, 1) != 1)
		_exit(253);
	(void)!read(t->gate[0], &octet, 1);
}

static int
hear(const struct talk *t)
{
	uint8_t octet;

	assert_int_equal(read(t->said[0], &octet, 1), 1);
	return octet;
}

static void
talk_close(struct talk *t)
{
	for (int i = 0; i < 2; i++) {
		close(t->said[i]);
		close(t->gate[i]);
	}
}

/* Says how many it was given. */
static void
ask_many(const char *path, int64_t issuer_id, const struct asking *a,
    int asker, struct talk *talk)
{
	struct store *store;
	int num = 0;

	if (store_open(path, STORE_WRITE, &store, NULL) != OC_OK)
		_exit(255);
	for (int i = 0; i < NUM_TRIES; i++) {
		struct store_reservation r = reservation_of(issuer_id,
		    (uint64_t)(asker * NUM_TRIES + i));
		struct store_reserved reserved;

		if (store_reserve_request(store, &r, &a->request,
		    &reserved) != OC_OK)
			_exit(254);
		if (reserved.outcome == STORE_OUTCOME_RESERVED)
			num++;
	}
	say_and_stay(talk, num);
	store_close(store);
	_exit(0);
}

static int
race(struct fixture *f, const struct asking *a)
{
	pid_t children[NUM_ASKERS];
	struct talk talk;
	int num = 0, status;

	talk_open(&talk);
	store_close(f->store);
	for (int i = 0; i < NUM_ASKERS; i++) {
		children[i] = fork();
		assert_true(children[i] >= 0);
		if (children[i] == 0)
			ask_many(f->path, f->issuer_id, a, i, &talk);
	}
	for (int i = 0; i < NUM_ASKERS; i++)
		num += hear(&talk);
	talk_close(&talk);
	for (int i = 0; i < NUM_ASKERS; i++) {
		assert_int_equal(waitpid(children[i], &status, 0),
		    children[i]);
		assert_int_equal(status, 0);
	}
	f->store = open_store(f->path, STORE_WRITE);
	return num;
}

static void
test_race_for_a_key(void **state)
{
	struct fixture *f = *state;
	struct asking a;

	setup_asking(f, &a);
	assert_int_equal(race(f, &a), 1);
	assert_int_equal(count(f, "certificate"), 1);
	assert_verifies(f->store);
}

static void
test_race_for_a_quota(void **state)
{
	struct fixture *f = *state;
	struct asking a;

	setup_asking(f, &a);
	a.request.key = NULL;
	a.account.live_max = 37;
	assert_ok(store_change_account(f->store, &a.account));
	assert_int_equal(race(f, &a), 37);
	assert_int_equal(count(f, "certificate"), 37);
	assert_verifies(f->store);
}

/* Whoever reserved it was killed: it was not issued, and will not be. */
static void
test_killed(void **state)
{
	struct fixture *f = *state;
	struct store_reserved found;
	struct talk talk;
	struct asking a;
	int status;
	pid_t child;

	setup_asking(f, &a);
	a.account.live_max = 1;
	assert_ok(store_change_account(f->store, &a.account));
	talk_open(&talk);
	store_close(f->store);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		f->store = open_store(f->path, STORE_WRITE);
		say_and_stay(&talk, (int)ask(f, &a, 1).id);
		_exit(1);
	}
	assert_int_equal(hear(&talk), 1);
	f->store = open_store(f->path, STORE_WRITE);
	assert_outcome(f, &a, 2, STORE_OUTCOME_PENDING, 1);
	assert_ok(store_find_key(f->store, a.key, 0, &found));
	assert_int_equal(found.outcome, STORE_OUTCOME_PENDING);
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	talk_close(&talk);
	assert_int_equal(store_find_key(f->store, a.key, 0, &found),
	    OC_ERR_NOT_FOUND);
	/* Nor does it count any more. */
	assert_outcome(f, &a, 2, STORE_OUTCOME_RESERVED, 2);
	assert_outcome(f, &a, 3, STORE_OUTCOME_PENDING, 2);
	assert_ok(store_issue(f->store, 2, BLOB("certificate")));
	assert_outcome(f, &a, 3, STORE_OUTCOME_REPEATED, 2);
	assert_int_equal(read_sql(f->path, "SELECT count(*) FROM"
	    " certificate_request WHERE is_current = 1"), 1);
	assert_verifies(f->store);
}

/* As of before there were such numbers, and where there are no such locks. */
static void
test_nobodys(void **state)
{
	struct fixture *f = *state;
	struct asking a;

	setup_asking(f, &a);
	assert_outcome(f, &a, 1, STORE_OUTCOME_RESERVED, 1);
	run_sql(f->path, "UPDATE certificate_request SET run = 0");
	assert_outcome(f, &a, 2, STORE_OUTCOME_PENDING, 1);
	run_sql(f->path, "UPDATE certificate_request SET run = -5");
	assert_outcome(f, &a, 2, STORE_OUTCOME_PENDING, 1);
	run_sql(f->path, "UPDATE certificate_request SET run = 1 << 40");
	assert_outcome(f, &a, 2, STORE_OUTCOME_PENDING, 1);
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
		TEST(test_given_up),
		TEST(test_serial_twice),
		TEST(test_refused),
		TEST(test_malformed),
		TEST(test_pages),
		TEST(test_race_for_a_key),
		TEST(test_race_for_a_quota),
		TEST(test_killed),
		TEST(test_nobodys),
		TEST(test_group)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
