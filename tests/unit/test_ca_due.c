/* SPDX-License-Identifier: Apache-2.0 */
/* Is a CRL published when it is due, of the partition that wants one, by one of
 * those who are at it, and by another when that one has died? */
#include "ca_fixture.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include <sqlite3.h>

#include "base/clock.h"
#include "base/crl_schedule.h"
#include "ca/due.h"
#include "ca/revoke.h"

#define DAY_S CA_FIXTURE_DAY_S

static void
run_sql(struct ca_fixture *f, const char *text)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_busy_timeout(db, 5000), SQLITE_OK);
	if (sqlite3_exec(db, text, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s", sqlite3_errmsg(db));
	sqlite3_close(db);
}

/* Nobody else changes what stands in the records. */
static void
see_anew(struct ca_due *p)
{
	for (uint32_t i = 0; i <= OC_CRL_PARTITIONS_MAX; i++)
		p->partitions[i].is_known = false;
}

/* All CRLs were made that much earlier. */
static void
age(struct ca_fixture *f, struct ca_due *p, int64_t by_s)
{
	char text[200];

	snprintf(text, sizeof(text), "UPDATE crl SET this_update ="
	    " this_update - %lld, next_update = next_update - %lld,"
	    " reserved_at = reserved_at - %lld", (long long)by_s,
	    (long long)by_s, (long long)by_s);
	run_sql(f, text);
	see_anew(p);
}

static int
setup(void **state)
{
	int rc = ca_setup(state);
	struct ca_fixture *f = *state;

	f->section.crl_publish = OC_PUBLISH_AT_ONCE;
	f->section.crl_every_s = DAY_S;
	f->section.crl_overlap_s = 3 * DAY_S;
	f->section.crl_spacing_s = 60;
	return rc;
}

/* From now on; one second is passed over. */
static int64_t
due_in(struct ca_fixture *f, struct ca_due *p)
{
	struct oc_error error = { 0 };
	int64_t due_at;

	if (ca_due_look(p, f->store, &due_at, &error) != OC_OK)
		fail_msg("%s", error.text);
	return due_at - oc_clock_now_s();
}

static void
assert_about(int64_t s, int64_t wanted)
{
	if (s > wanted || s < wanted - 5)
		fail_msg("%lld s, not %lld", (long long)s, (long long)wanted);
}

static enum oc_err
publish(struct ca_fixture *f, struct ca_due *p, struct signer *signer,
    uint64_t *number)
{
	struct oc_error error = { 0 };
	struct ca_publication made = { 0 };
	enum oc_err err = ca_due_publish(p, f->store, signer, &made, &error);

	if (err != OC_OK)
		assert_string_not_equal(error.text, "");
	*number = made.num == 0 ? 0 : made.lists[0].number;
	ca_publication_fini(&made);
	return err;
}

static struct oc_serial
issue(struct ca_fixture *f)
{
	return ca_issue_one(f, 0, 0);
}

static void
revoke(struct ca_fixture *f, const struct oc_serial *serial)
{
	ca_put_status(f, serial, CRL_REASON_SUPERSEDED);
}

static void
on_schedule(void **state)
{
	struct ca_fixture *f = *state;
	struct ca_due p = { .issuer = f->issuer };
	uint64_t first = 0, second = 0, none;

	/* There is none. */
	assert_true(due_in(f, &p) <= 0);
	assert_int_equal(publish(f, &p, f->signer, &first), OC_OK);
	assert_about(due_in(f, &p), DAY_S);
	assert_int_equal(publish(f, &p, f->signer, &none), OC_ERR_EXISTS);
	age(f, &p, DAY_S);
	assert_true(due_in(f, &p) <= 0);
	assert_int_equal(publish(f, &p, f->signer, &second), OC_OK);
	assert_true(second > first);
	/* Only what is to be left of its life counts: of seven days three. */
	f->section.crl_every_s = 100 * DAY_S;
	assert_about(due_in(f, &p), 4 * DAY_S);
	/* Somebody's for a minute: in its second half. */
	run_sql(f, "UPDATE crl SET next_update = this_update + 60");
	see_anew(&p);
	assert_about(due_in(f, &p), 30);
	/* By a clock that was wrong. */
	age(f, &p, -20 * DAY_S);
	assert_true(due_in(f, &p) <= 0);
}

static void
at_once(void **state)
{
	struct ca_fixture *f = *state;
	struct ca_due p = { .issuer = f->issuer }, anew;
	struct oc_serial serial = issue(f), other = issue(f);
	uint64_t number;

	assert_int_equal(publish(f, &p, f->signer, &number), OC_OK);
	assert_about(due_in(f, &p), DAY_S);
	/* What is issued waits for nothing. */
	(void)issue(f);
	assert_about(due_in(f, &p), DAY_S);
	revoke(f, &serial);
	/* One CRL for many of these. */
	assert_about(due_in(f, &p), 60);
	assert_int_equal(publish(f, &p, f->signer, &number), OC_ERR_EXISTS);
	/* So for who did not see it. */
	anew = (struct ca_due){ .issuer = f->issuer };
	assert_about(due_in(f, &anew), 60);
	f->section.crl_publish = OC_PUBLISH_SCHEDULED;
	anew = (struct ca_due){ .issuer = f->issuer };
	assert_about(due_in(f, &anew), DAY_S);
	f->section.crl_publish = OC_PUBLISH_AT_ONCE;
	age(f, &p, 60);
	assert_true(due_in(f, &p) <= 0);
	revoke(f, &other);
	assert_int_equal(publish(f, &p, f->signer, &number), OC_OK);
	assert_about(due_in(f, &p), DAY_S);
	/* The schedule counts as well. */
	f->section.crl_spacing_s = 10 * DAY_S;
	other = issue(f);
	revoke(f, &other);
	assert_about(due_in(f, &p), DAY_S);
	f->section.crl_spacing_s = 60;
	assert_about(due_in(f, &p), 60);
}

/* Of one that an older program made nobody knows what it lacks. */
static void
of_before(void **state)
{
	struct ca_fixture *f = *state;
	struct ca_due p = { .issuer = f->issuer };
	uint64_t number;

	assert_int_equal(publish(f, &p, f->signer, &number), OC_OK);
	run_sql(f, "UPDATE crl SET change_seq = -1");
	p = (struct ca_due){ .issuer = f->issuer };
	assert_about(due_in(f, &p), 60);
	age(f, &p, 60);
	assert_int_equal(publish(f, &p, f->signer, &number), OC_OK);
	assert_about(due_in(f, &p), DAY_S);
}

/* How many lists are made of what is as old. */
static uint32_t
num_by_hand(struct ca_fixture *f, int64_t age_s)
{
	const struct ca_publish_order order = { .full_age_s = age_s,
	    .delta_age_s = age_s, .sign_ns = 60 * OC_NS_PER_S };
	struct ca_publication made = { 0 };
	struct oc_error error = { 0 };
	uint32_t num;

	if (ca_publish(f->issuer, f->store, f->signer, &order, &made,
	    &error) != OC_OK)
		fail_msg("%s", error.text);
	num = made.num;
	ca_publication_fini(&made);
	return num;
}

/* Lists that say where deltas are, are replaced when there are none any more:
 * once, and of those partitions alone that had any. */
static void
deltas_are_given_up(void **state)
{
	struct ca_fixture *f = *state;
	struct ca_due p = { .issuer = f->issuer };
	char url[] = "http://a.example/delta.crl";
	uint64_t first, number;

	f->section.crl_delta_url = url;
	f->section.crl_delta_lifetime_s = DAY_S;
	assert_int_equal(publish(f, &p, f->signer, &first), OC_OK);
	assert_true(due_in(f, &p) > 0);
	f->section.crl_delta_url = NULL;
	p = (struct ca_due){ .issuer = f->issuer };
	assert_true(due_in(f, &p) <= 0);
	assert_int_equal(publish(f, &p, f->signer, &number), OC_OK);
	assert_true(number > first);
	assert_about(due_in(f, &p), DAY_S);
	/* By hand. */
	f->section.crl_delta_url = url;
	assert_int_equal(num_by_hand(f, 0), 2);
	assert_int_equal(num_by_hand(f, DAY_S), 0);
	f->section.crl_delta_url = NULL;
	assert_int_equal(num_by_hand(f, DAY_S), 1);
	assert_int_equal(num_by_hand(f, DAY_S), 0);
}

static void
assert_moved(struct ca_fixture *f, const char *expected)
{
	struct oc_error error = { 0 };
	char url[OC_CRL_URL_MAX + 1];

	if (ca_crl_find_moved(f->issuer, f->store, url, &error) != OC_OK)
		fail_msg("%s", error.text);
	assert_string_equal(url, expected);
}

/* Certificates that say where else they look for their CRL. */
static void
url_has_changed(void **state)
{
	struct ca_fixture *f = *state;
	char old[] = "http://old.example/a.crl", now[] =
	    "http://new.example/a.crl";

	f->section.crl_url = old;
	assert_moved(f, "");
	(void)issue(f);
	assert_moved(f, "");
	f->section.crl_url = now;
	assert_moved(f, old);
	f->section.crl_url = NULL;
	assert_moved(f, old);
	/* The newest counts. */
	f->section.crl_url = now;
	(void)issue(f);
	assert_moved(f, "");
	f->section.crl_partitions = f->section.crl_partitions_open = 2;
	(void)issue(f);
	assert_moved(f, "");
	/* What has ended looks for nothing. */
	run_sql(f, "UPDATE certificate SET not_after = 1000");
	assert_moved(f, "");
}

/* What another CA revokes is not on our list. */
static void
not_for_others(void **state)
{
	struct ca_fixture *f = *state;
	struct ca_due p = { .issuer = f->issuer };
	struct store_revocation r = { .reason = CRL_REASON_SUPERSEDED,
	    .revoked_at = 1700000000, .serial = { .len = 1, .bytes = { 5 } } };
	struct store_reservation reservation = { .serial = r.serial,
	    .tbs = { (const uint8_t *)"tbs", 3 }, .not_before = 1,
	    .not_after = INT64_C(4000000000) };
	uint8_t hash[STORE_HASH_LEN] = { 1 };
	uint64_t number;
	int64_t id;

	assert_int_equal(publish(f, &p, f->signer, &number), OC_OK);
	assert_int_equal(store_put_issuer(f->store, "others",
	    (struct store_blob){ (const uint8_t *)"der", 3 }, hash,
	    &r.issuer_id), OC_OK);
	reservation.issuer_id = r.issuer_id;
	assert_int_equal(store_reserve(f->store, &reservation, &id), OC_OK);
	assert_int_equal(store_revoke(f->store, &r), OC_OK);
	assert_about(due_in(f, &p), DAY_S);
}

/* One who has taken a number and does not come back keeps others away for a
 * while, and no longer; itself not at all. */
static void
claims_end(void **state)
{
	struct ca_fixture *f = *state;
	struct ca_due p = { .issuer = f->issuer }, other = p;
	struct faulty_signer faulty;
	uint64_t first, taken = 0, number = 0;
	int64_t id;

	faulty_signer_init(&faulty, f->signer);
	assert_int_equal(publish(f, &p, f->signer, &first), OC_OK);
	age(f, &p, 2 * DAY_S);
	faulty.fail_at = FAIL_DONE;
	faulty.err = OC_ERR_DOWN;
	assert_int_equal(publish(f, &p, &faulty.signer, &number),
	    OC_ERR_DOWN);
	assert_true(due_in(f, &p) <= 0);
	assert_about(due_in(f, &other), CA_DUE_CLAIM_S);
	assert_int_equal(publish(f, &other, f->signer, &number),
	    OC_ERR_EXISTS);
	/* It is somebody else's now. */
	assert_int_equal(store_reserve_crl(f->store, f->issuer->store_id, 10,
	    20, &id, &taken), OC_OK);
	assert_about(due_in(f, &p), CA_DUE_CLAIM_S);
	run_sql(f, "UPDATE crl SET reserved_at = reserved_at - 20");
	assert_true(due_in(f, &other) <= 0);
	/* A clock that is ahead by much claims nothing. */
	run_sql(f, "UPDATE crl SET reserved_at = reserved_at + 1000");
	assert_true(due_in(f, &other) <= 0);
	assert_int_equal(publish(f, &other, f->signer, &number), OC_OK);
	assert_true(taken > first + 1 && number > taken);
	assert_about(due_in(f, &p), DAY_S);
}

/* Signs nothing worth verifying, but at once and from any thread. */
static enum oc_err
quick_submit(struct signer *s, struct sign_job *job)
{
	struct faulty_signer *f = (struct faulty_signer *)(uintptr_t)s;

	job->err = OC_OK;
	job->signed_alg = job->alg;
	job->signature_len = 64;
	f->taken = job;
	return OC_OK;
}

static void
quick_dispatch(struct signer *s)
{
	struct faulty_signer *f = (struct faulty_signer *)(uintptr_t)s;

	f->taken->done(f->taken, f->taken->arg);
}

#define NUM_RACERS 4
struct racer {
	struct ca_fixture *f;
	pthread_barrier_t *start;
	pthread_t thread;
	struct store *store;
	enum oc_err err;
};

static void *
race(void *arg)
{
	struct racer *r = arg;
	struct ca_due p = { .issuer = r->f->issuer };
	struct oc_error error = { 0 };
	struct faulty_signer quick;
	struct signer_ops ops;
	struct ca_publication made = { 0 };

	faulty_signer_init(&quick, r->f->signer);
	ops = *quick.signer.ops;
	ops.submit = quick_submit;
	ops.dispatch = quick_dispatch;
	quick.signer.ops = &ops;
	(void)pthread_barrier_wait(r->start);
	r->err = ca_due_publish(&p, r->store, &quick.signer, &made, &error);
	ca_publication_fini(&made);
	return NULL;
}

/* Of several who find at the same time that one is due, one makes it. */
static void
one_of_several(void **state)
{
	struct ca_fixture *f = *state;
	struct racer racers[NUM_RACERS];
	pthread_barrier_t start;
	int num_made = 0;

	assert_int_equal(pthread_barrier_init(&start, NULL, NUM_RACERS), 0);
	for (int i = 0; i < NUM_RACERS; i++) {
		racers[i] = (struct racer){ .f = f, .start = &start };
		assert_int_equal(store_open(f->path, STORE_WRITE,
		    &racers[i].store, NULL), OC_OK);
		store_set_busy_timeout(racers[i].store, 60 * 1000);
	}
	for (int i = 0; i < NUM_RACERS; i++)
		assert_int_equal(pthread_create(&racers[i].thread, NULL, race,
		    &racers[i]), 0);
	for (int i = 0; i < NUM_RACERS; i++) {
		assert_int_equal(pthread_join(racers[i].thread, NULL), 0);
		store_close(racers[i].store);
		num_made += racers[i].err == OC_OK;
		if (racers[i].err != OC_OK)
			assert_int_equal(racers[i].err, OC_ERR_EXISTS);
	}
	assert_int_equal(num_made, 1);
	(void)pthread_barrier_destroy(&start);
}

/* --- partitions and deltas ------------------------------------------------ */

#define PARTITIONS 2

static void
split(struct ca_fixture *f)
{
	f->section.crl_url = (char *)(uintptr_t)"http://a.example/a.crl";
	f->section.crl_delta_url = (char *)(uintptr_t)"http://a.example/d";
	f->section.crl_delta_lifetime_s = DAY_S / 2;
	f->section.crl_partitions = f->section.crl_partitions_open =
	    PARTITIONS;
}

/* Into that one. */
static struct oc_serial
issue_into(struct ca_fixture *f, uint32_t partition)
{
	struct store_certificate row = { 0 };

	for (int i = 0; i < 200; i++) {
		struct oc_serial serial = issue(f);
		bool is_in;

		assert_int_equal(store_find_certificate(f->store,
		    f->issuer->store_id, &serial, &row), OC_OK);
		is_in = row.crl_partition == partition;
		store_certificate_fini(&row);
		if (is_in)
			return serial;
	}
	fail_msg("none of 200 is in partition %u", partition);
	return (struct oc_serial){ .len = 0 };
}

/* "1f2d": of partition 1 a full one, of 2 a delta, in this order; up to num
 * times. */
static void
assert_publishes(struct ca_fixture *f, struct ca_due *p, const char *wanted,
    int num)
{
	struct oc_error error = { 0 };
	struct ca_publication made = { 0 };
	unsigned int counts[8] = { 0 };	/* full ones and deltas, by partition */
	char text[64] = "";
	enum oc_err err = OC_OK;

	while (err == OC_OK && num-- > 0) {
		err = ca_due_publish(p, f->store, f->signer, &made, &error);
		for (uint32_t i = 0; err == OC_OK && i < made.num; i++)
			counts[2 * made.lists[i].partition +
			    (made.lists[i].base_number != 0)]++;
		ca_publication_fini(&made);
	}
	if (err != OC_OK && err != OC_ERR_EXISTS)
		fail_msg("%s", error.text);
	for (size_t i = 0; i < 8; i++)
		while (counts[i]-- > 0)
			snprintf(text + strlen(text), 12, "%zu%c", i / 2,
			    i % 2 == 0 ? 'f' : 'd');
	assert_string_equal(text, wanted);
}

static void
partitions_and_deltas(void **state)
{
	struct ca_fixture *f = *state;
	struct ca_due p = { .issuer = f->issuer }, anew;
	struct oc_serial bad, held;

	split(f);
	bad = issue_into(f, 2);
	held = issue_into(f, 1);
	assert_publishes(f, &p, "0f0d1f1d2f2d", 9);
	/* A quarter of the deltas' lives. */
	assert_about(due_in(f, &p), DAY_S / 8);
	revoke(f, &bad);
	assert_about(due_in(f, &p), 60);
	age(f, &p, 60);
	assert_publishes(f, &p, "2d", 9);
	assert_about(due_in(f, &p), DAY_S / 8 - 60);
	/* Whoever is released stands on a delta, too. */
	ca_put_status(f, &held, CRL_REASON_CERTIFICATE_HOLD);
	age(f, &p, 60);
	assert_publishes(f, &p, "1d", 9);
	ca_put_status(f, &held, CRL_REASON_REMOVE_FROM_CRL);
	anew = (struct ca_due){ .issuer = f->issuer };
	assert_about(due_in(f, &anew), 60);
	age(f, &anew, 60);
	assert_publishes(f, &anew, "1d", 9);
	assert_publishes(f, &p, "", 9);
	/* On schedule: deltas alone, and then all. */
	age(f, &p, DAY_S / 8);
	assert_publishes(f, &p, "0d1d2d", 9);
	age(f, &p, DAY_S);
	assert_publishes(f, &p, "0f0d1f1d2f2d", 9);
	/* More partitions, and lists that say another URL. */
	f->section.crl_partitions = 3;
	assert_publishes(f, &p, "3f3d", 9);
	f->section.crl_url = (char *)(uintptr_t)"http://b.example/a.crl";
	anew = (struct ca_due){ .issuer = f->issuer };
	assert_publishes(f, &anew, "0f0d1f1d2f2d3f3d", 9);
	/* Without deltas the full ones, that say so; then of what changes. */
	f->section.crl_delta_url = NULL;
	anew = (struct ca_due){ .issuer = f->issuer };
	assert_publishes(f, &anew, "0f1f2f3f", 9);
	revoke(f, (struct oc_serial[]){ issue_into(f, 1) });
	age(f, &p, 60);
	anew = (struct ca_due){ .issuer = f->issuer };
	assert_publishes(f, &anew, "1f", 9);
}

/* A claim is on a partition, and what fails does not keep the rest waiting. */
static void
claims_of_partitions(void **state)
{
	struct ca_fixture *f = *state;
	struct ca_due p = { .issuer = f->issuer }, other = p;
	struct faulty_signer faulty;
	struct oc_error error = { 0 };
	struct ca_publication made = { 0 };

	split(f);
	faulty_signer_init(&faulty, f->signer);
	faulty.fail_at = FAIL_DONE;
	faulty.err = OC_ERR_DOWN;
	assert_int_equal(ca_due_publish(&p, f->store, &faulty.signer, &made,
	    &error), OC_ERR_DOWN);
	assert_non_null(strstr(error.text, "partition 0"));
	/* It goes on with another, and so does another host. */
	assert_publishes(f, &p, "1f1d", 1);
	assert_publishes(f, &other, "2f2d", 9);
	assert_about(due_in(f, &other), CA_DUE_CLAIM_S);
	assert_publishes(f, &p, "0f0d", 9);
	assert_about(due_in(f, &other), DAY_S / 8);
}

/* Fewer partitions than there are certificates in is said at once, not when
 * the next list is due: what is revoked in them is on none. */
static void
none_is_forgotten(void **state)
{
	struct ca_fixture *f = *state;
	struct ca_due p = { .issuer = f->issuer };
	struct oc_error error = { 0 };
	int64_t due_at;

	split(f);
	(void)issue_into(f, 2);
	assert_publishes(f, &p, "0f0d1f1d2f2d", 9);
	f->section.crl_partitions = 1;
	p = (struct ca_due){ .issuer = f->issuer };
	assert_int_equal(ca_due_look(&p, f->store, &due_at, &error),
	    OC_ERR_REFUSED);
	assert_non_null(strstr(error.text, "CRL partition 2"));
	f->section.crl_partitions = 2;
	assert_about(due_in(f, &p), DAY_S / 8);
}

/* --- what is said --------------------------------------------------------- */

/* Who complains goes by the same times. */
static void
how_late(void **state)
{
	const struct oc_config_issuer issuer = { .crl_every_s = DAY_S,
	    .crl_overlap_s = 2 * DAY_S };
	static const struct {
		int64_t now;
		const char *word;
	} cases[] = {
		{ 1000 + DAY_S - 1, "fine" }, { 1000 + DAY_S, "due" },
		{ 1000 + DAY_S + 3599, "due" },
		{ 1000 + DAY_S + 3600, "late" },
		{ 1000 + 6 * DAY_S - 1, "late" },
		{ 1000 + 6 * DAY_S, "urgent" },
		{ 1000 + 7 * DAY_S - 1, "urgent" },
		{ 1000 + 7 * DAY_S, "ended" }
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(oc_crl_standing_word(oc_crl_standing_of(
		    &issuer, false, 1000, 1000 + 7 * DAY_S, cases[i].now)),
		    cases[i].word);
	assert_string_equal(oc_crl_standing_word(oc_crl_standing_of(&issuer,
	    false, 0, 0, 1)), "ended");
	/* One for a minute is urgent in its last quarter. */
	assert_string_equal(oc_crl_standing_word(oc_crl_standing_of(&issuer,
	    false, 1000, 1060, 1044)), "due");
	assert_string_equal(oc_crl_standing_word(oc_crl_standing_of(&issuer,
	    false, 1000, 1060, 1045)), "urgent");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, ca_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(on_schedule), TEST(at_once), TEST(of_before),
		TEST(deltas_are_given_up), TEST(url_has_changed),
		TEST(not_for_others),
		TEST(claims_end), TEST(one_of_several),
		TEST(partitions_and_deltas), TEST(claims_of_partitions),
		TEST(none_is_forgotten),
		cmocka_unit_test(how_late),
	};

	return cmocka_run_group_tests(tests, NULL, test_free_all);
}
