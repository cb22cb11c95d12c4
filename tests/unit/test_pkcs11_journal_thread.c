/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The signing journal's thread: nothing that must be on record is handed out
 * before it is, also when the disk is full; responses go on.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"
#include "pkcs11/journal.h"
#include "pkcs11/journal_read.h"
#include "tests/unit/ipc_thread.h"

#define LONG_NS (20 * OC_NS_PER_S)
#define JOBS 400
#define THREADS 4

static char dir[IPC_DIR_MAX];
static struct p11_journal *journal;
static struct sign_desk desk;
static struct sign_job jobs[JOBS];
static struct sign_ticket *tickets[JOBS];
static int num_done;

static struct p11_journal_key
key_of(const void *key)
{
	static const uint8_t spki[] = { 0x30, 0 };

	return (struct p11_journal_key){ key, DER_ARRAY(spki) };
}

/* --- the disk ------------------------------------------------------------- */

enum { DISK_WELL, DISK_WAITS, DISK_FAILS };
static atomic_int disk, num_synced;

/* The C library's, between us and the kernel. */
int
fdatasync(int fd)
{
	while (atomic_load(&disk) == DISK_WAITS)
		usleep(500);
	if (atomic_load(&disk) == DISK_FAILS) {
		errno = EIO;
		return -1;
	}
	atomic_fetch_add(&num_synced, 1);
	return (int)syscall(SYS_fdatasync, fd);
}

/* --- what is in the file -------------------------------------------------- */

struct tally {
	unsigned int num_outcomes[P11_OUTCOME_MAX], num_close, num_keys;
	uint64_t lost[P11_LOST_MAX];
	const uint8_t *wanted;		/* a digest */
	bool is_found;
};

static enum oc_err
count(void *arg, const struct p11_chain *chain, const struct p11_record *r)
{
	struct tally *t = arg;

	(void)chain;
	if (r->type == P11_RECORD_SIGN) {
		t->num_outcomes[r->outcome]++;
		if (t->wanted != NULL && r->has_digest &&
		    memcmp(r->digest, t->wanted, sizeof(r->digest)) == 0)
			t->is_found = true;
	}
	t->num_close += r->type == P11_RECORD_CLOSE;
	t->num_keys += r->type == P11_RECORD_KEY;
	for (int i = 0; r->type == P11_RECORD_GAP && i < P11_LOST_MAX; i++)
		t->lost[i] += r->lost[i];
	return OC_OK;
}

static void
read_it(struct tally *t)
{
	struct oc_error error = { 0 };
	struct p11_chain *chains;
	size_t num;

	if (p11_journal_read(dir, P11_JOURNAL_WHOLE, count, t, &chains, &num,
	    &error) != OC_OK)
		fail_msg("%s", error.text);
	free(chains);
}

/* --- jobs ----------------------------------------------------------------- */

/* Whoever gets a certificate finds its record. */
static void
on_done(struct sign_job *job, void *arg)
{
	struct tally t = { .wanted = arg };

	num_done++;
	if (job->err != OC_OK || job->kind == SIGN_KIND_OCSP)
		return;
	read_it(&t);
	assert_true(t.is_found);
}

static void
open_job(int i, enum sign_kind kind)
{
	static uint8_t digests[JOBS][P11_HASH_LEN];
	struct sign_job *job = &jobs[i];

	memset(digests[i], 0, P11_HASH_LEN);
	memcpy(digests[i], &i, sizeof(i));
	*job = (struct sign_job){ .key = "k", .kind = kind,
	    .lane = SIGN_LANE_LIVE, .tbs = DER_ARRAY(digests[i]),
	    .deadline_ns = oc_clock_mono_ns() + LONG_NS,
	    .done = on_done, .arg = digests[i] };
	assert_int_equal(sign_desk_open(&desk, job, (void *)(uintptr_t)
	    "issuer/ca", SIGN_ECDSA_SHA256, &tickets[i]), OC_OK);
	memcpy(tickets[i]->digest, digests[i], P11_HASH_LEN);
	tickets[i]->has_digest = true;
}

static void
dispatch_until(int num)
{
	int64_t end = oc_clock_mono_ns() + LONG_NS;

	while (num_done < num) {
		assert_true(oc_clock_mono_ns() < end);
		sign_desk_dispatch(&desk);
		usleep(500);
	}
}

static enum oc_err
sign_one(enum sign_kind kind)
{
	num_done = 0;
	open_job(0, kind);
	sign_desk_finish(&desk, tickets[0], OC_OK, NULL);
	dispatch_until(1);
	return jobs[0].err;
}

/* --- tests ---------------------------------------------------------------- */

static void
certificate_waits_for_its_record(void **state)
{
	struct p11_journal_status st;

	(void)state;
	for (enum sign_kind kind = SIGN_KIND_CERTIFICATE;
	    kind <= SIGN_KIND_CSR; kind++)
		assert_int_equal(sign_one(kind), OC_OK);
	p11_journal_look(journal, &st);
	assert_true(st.is_well);
	assert_int_equal(st.num_lost, 0);
}

/* Written is not enough. */
static void
nothing_is_out_before_it_is_synced(void **state)
{
	(void)state;
	for (enum sign_kind kind = SIGN_KIND_CERTIFICATE;
	    kind <= SIGN_KIND_CSR; kind++) {
		if (kind == SIGN_KIND_OCSP)
			continue;
		num_done = 0;
		atomic_store(&disk, DISK_WAITS);
		open_job(0, kind);
		sign_desk_finish(&desk, tickets[0], OC_OK, NULL);
		for (int i = 0; i < 100; i++) {
			sign_desk_dispatch(&desk);
			usleep(1000);
		}
		assert_int_equal(num_done, 0);
		/* A response does not wait. */
		open_job(1, SIGN_KIND_OCSP);
		sign_desk_finish(&desk, tickets[1], OC_OK, NULL);
		dispatch_until(1);
		assert_int_equal(jobs[1].err, OC_OK);
		atomic_store(&disk, DISK_WELL);
		dispatch_until(2);
		assert_int_equal(jobs[0].err, OC_OK);
	}
}

static void
responses_are_synced_within_a_second(void **state)
{
	int64_t begin_ns;
	int before;

	(void)state;
	for (int i = 0; i < 2; i++) {
		before = atomic_load(&num_synced);
		begin_ns = oc_clock_mono_ns();
		assert_int_equal(sign_one(SIGN_KIND_OCSP), OC_OK);
		while (atomic_load(&num_synced) == before) {
			/* And what a busy machine needs. */
			assert_true(oc_clock_mono_ns() - begin_ns <
			    2 * OC_NS_PER_S);
			usleep(1000);
		}
	}
}

static bool is_well(void);

static void
disk_that_does_not_sync(void **state)
{
	int64_t end = oc_clock_mono_ns() + LONG_NS;

	(void)state;
	assert_int_equal(sign_one(SIGN_KIND_CERTIFICATE), OC_OK);
	atomic_store(&disk, DISK_FAILS);
	assert_int_equal(sign_one(SIGN_KIND_CERTIFICATE), OC_ERR_DOWN);
	assert_non_null(strstr(jobs[0].error_text, "could not be recorded"));
	assert_int_equal(sign_one(SIGN_KIND_CRL), OC_ERR_DOWN);
	assert_int_equal(sign_one(SIGN_KIND_OCSP), OC_OK);
	assert_false(is_well());
	atomic_store(&disk, DISK_WELL);
	while (!is_well()) {
		assert_true(oc_clock_mono_ns() < end);
		usleep(1000);
	}
	assert_int_equal(sign_one(SIGN_KIND_CERTIFICATE), OC_OK);
}

static void *
finish_some(void *arg)
{
	int first = *(int *)arg;

	for (int i = first; i < JOBS; i += THREADS)
		sign_desk_finish(&desk, tickets[i], OC_OK, NULL);
	return NULL;
}

/* Many threads at once: one sync for many, and all are there. */
static void
many_share_a_sync(void **state)
{
	int firsts[THREADS];
	pthread_t threads[THREADS];
	struct p11_journal_status st;
	struct tally t = { .num_close = 0 };

	(void)state;
	num_done = 0;
	for (int i = 0; i < JOBS; i++)
		open_job(i, i % 40 == 0 ? SIGN_KIND_CERTIFICATE :
		    SIGN_KIND_OCSP);
	for (int i = 0; i < THREADS; i++) {
		firsts[i] = i;
		assert_int_equal(oc_thread_start(&threads[i], finish_some,
		    &firsts[i]), 0);
	}
	dispatch_until(JOBS);
	for (int i = 0; i < THREADS; i++)
		(void)pthread_join(threads[i], NULL);
	p11_journal_drain(journal);
	read_it(&t);
	assert_int_equal(t.num_outcomes[P11_OUTCOME_SIGNED], JOBS);
	assert_int_equal(t.num_keys, 1);
	p11_journal_look(journal, &st);
	assert_int_equal(st.num_records, JOBS);
	assert_true(st.num_syncs < JOBS / 4);
}

static void
each_outcome_is_told(void **state)
{
	static const struct p11_journal_key key = { "issuer/ca",
	    { (const uint8_t *)"0", 1 } };
	struct tally t = { .num_close = 0 };

	(void)state;
	num_done = 0;
	for (int i = 0; i < 5; i++)
		open_job(i, SIGN_KIND_CERTIFICATE);
	sign_desk_finish(&desk, tickets[0], OC_ERR_TOKEN,
	    "C_Sign: CKR_DEVICE_ERROR");
	sign_desk_finish(&desk, tickets[1], OC_ERR_SIGNATURE, "no");
	sign_desk_cancel(&desk, &jobs[2]);
	sign_desk_finish(&desk, tickets[2], OC_OK, NULL);
	sign_desk_cancel(&desk, &jobs[3]);
	sign_desk_finish(&desk, tickets[3], OC_ERR_CANCELLED, NULL);
	sign_desk_finish(&desk, tickets[4], OC_OK, NULL);
	p11_journal_refused(journal, &key, &jobs[4], "it is not allowed");
	dispatch_until(3);
	p11_journal_drain(journal);
	read_it(&t);
	for (int i = P11_OUTCOME_SIGNED; i < P11_OUTCOME_MAX; i++)
		assert_int_equal(t.num_outcomes[i], 1);
}

/* Whoever is refused for ever does not fill the disk. */
static void
refusals_are_limited(void **state)
{
	static const struct p11_journal_key key = { "issuer/ca",
	    { (const uint8_t *)"0", 1 } };
	const struct sign_job job = { .kind = SIGN_KIND_OCSP,
	    .lane = SIGN_LANE_LIVE };
	struct tally t = { .num_close = 0 };

	(void)state;
	for (int i = 0; i < 5000; i++)
		p11_journal_refused(journal, &key, &job, "no");
	p11_journal_drain(journal);
	p11_journal_free(journal);
	journal = NULL;
	read_it(&t);
	assert_true(t.num_outcomes[P11_OUTCOME_REFUSED] >= 100);
	assert_true(t.num_outcomes[P11_OUTCOME_REFUSED] < 2000);
	assert_int_equal(t.lost[P11_LOST_UNSIGNED] +
	    t.num_outcomes[P11_OUTCOME_REFUSED], 5000);
	assert_int_equal(t.num_close, 1);
}

static void
limit_files(rlim_t len)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = len;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static bool
is_well(void)
{
	struct p11_journal_status st;

	p11_journal_look(journal, &st);
	return st.is_well;
}

static void
full_disk_refuses_what_must_be_recorded(void **state)
{
	struct oc_error error = { 0 };
	int64_t end = oc_clock_mono_ns() + LONG_NS;
	struct tally t = { .num_close = 0 };

	(void)state;
	assert_int_equal(sign_one(SIGN_KIND_CERTIFICATE), OC_OK);
	limit_files(700);
	/* Until what is left is used up. */
	for (int i = 0; i < 4 && is_well(); i++)
		(void)sign_one(SIGN_KIND_CRL);
	assert_false(is_well());
	assert_int_equal(jobs[0].err, OC_ERR_DOWN);
	assert_non_null(strstr(jobs[0].error_text, "could not be recorded"));
	assert_int_equal(p11_journal_admit(journal, SIGN_KIND_CERTIFICATE,
	    &error), OC_ERR_DOWN);
	assert_non_null(strstr(error.text, "signer.000001"));
	assert_int_equal(p11_journal_admit(journal, SIGN_KIND_OCSP, &error),
	    OC_OK);
	assert_int_equal(sign_one(SIGN_KIND_OCSP), OC_OK);
	assert_int_equal(sign_one(SIGN_KIND_CSR), OC_ERR_DOWN);
	limit_files(RLIM_INFINITY);
	while (!is_well()) {
		assert_true(oc_clock_mono_ns() < end);
		usleep(1000);
	}
	assert_int_equal(sign_one(SIGN_KIND_CERTIFICATE), OC_OK);
	read_it(&t);
	assert_int_equal(t.lost[P11_LOST_OCSP], 1);
	assert_int_equal(t.lost[P11_LOST_CRL], 1);
	assert_int_equal(t.lost[P11_LOST_CSR], 1);
}

/* A directory that cannot be made is tried again, too. */
static void
start_without_a_disk_is_a_start(void **state)
{
	const struct p11_journal_config config = { "/proc/nowhere/x",
	    "signer", 1 << 20 };
	struct p11_journal *other;
	struct oc_error error = { 0 };

	(void)state;
	assert_int_equal(p11_journal_new(&config, &other, &error), OC_OK);
	assert_int_equal(p11_journal_admit(other, SIGN_KIND_CRL, &error),
	    OC_ERR_DOWN);
	assert_int_equal(p11_journal_admit(other, SIGN_KIND_OCSP, &error),
	    OC_OK);
	/* It is tried a second time, and that ends, too. */
	(void)usleep(1200 * 1000);
	p11_journal_free(other);
	assert_int_equal(p11_journal_admit(NULL, SIGN_KIND_CRL, &error),
	    OC_OK);
}

/* A job whose deadline passes while its record is written is not handed
 * back twice. */
static void
late_release_is_no_second(void **state)
{
	(void)state;
	num_done = 0;
	for (int i = 0; i < 50; i++) {
		open_job(i, SIGN_KIND_CERTIFICATE);
		if (i % 2 == 0)
			sign_desk_finish(&desk, tickets[i], OC_OK, NULL);
		sign_desk_cancel(&desk, &jobs[i]);
		if (i % 2 != 0)
			sign_desk_finish(&desk, tickets[i], OC_OK, NULL);
	}
	p11_journal_drain(journal);
	sign_desk_dispatch(&desk);
	assert_int_equal(num_done, 0);
}

/* --- setup ---------------------------------------------------------------- */

static int
setup(void **state)
{
	struct p11_journal_config config = { dir, "signer", 1 << 20 };
	struct oc_error error = { 0 };

	(void)state;
	ipc_dir_new(dir);
	assert_int_equal(sign_desk_init(&desk, &error), OC_OK);
	if (p11_journal_new(&config, &journal, &error) != OC_OK)
		fail_msg("%s", error.text);
	p11_journal_attach(journal, &desk, key_of);
	return 0;
}

static int
teardown(void **state)
{
	atomic_store(&disk, DISK_WELL);
	(void)state;
	limit_files(RLIM_INFINITY);
	p11_journal_drain(journal);
	p11_journal_free(journal);
	journal = NULL;
	sign_desk_fini(&desk);
	ipc_dir_remove(dir);
	return 0;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(certificate_waits_for_its_record),
		TEST(nothing_is_out_before_it_is_synced),
		TEST(responses_are_synced_within_a_second),
		TEST(disk_that_does_not_sync),
		TEST(many_share_a_sync),
		TEST(each_outcome_is_told),
		TEST(refusals_are_limited),
		TEST(full_disk_refuses_what_must_be_recorded),
		TEST(start_without_a_disk_is_a_start),
		TEST(late_release_is_no_second),
	};

	(void)signal(SIGXFSZ, SIG_IGN);
	oc_log_init("test", 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
