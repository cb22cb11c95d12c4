/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two tokens for one key, where what guards one of them meets what guards
 * both: sessions that are lost for ever, requests that one refuses, a journal
 * that names keys nobody has seen in one of them.
 */
#include <glob.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include <openssl/evp.h>

#include "base/clock.h"
#include "base/log.h"
#include "pkcs11/import.h"
#include "pkcs11/journal_read.h"
#include "tests/faults/two_tokens.h"

#define LONG_NS (30 * OC_NS_PER_S)
#define SHORT_NS (300 * OC_NS_PER_MS)
#define PATIENCE_NS (60 * OC_NS_PER_S)
#define NUM_JOBS 40

static struct two two;
static struct two_job jobs[NUM_JOBS], more[8][NUM_JOBS];

static unsigned long
num_signs(void)
{
	return shim_calls(two.shim[0], SHIM_SIGN) +
	    shim_calls(two.shim[1], SHIM_SIGN);
}

static void
await_lost(size_t token, unsigned int num)
{
	int64_t end_ns = oc_clock_mono_ns() + PATIENCE_NS;

	while (two_status(&two, token).num_lost != num) {
		if (oc_clock_mono_ns() > end_ns)
			fail_msg("%u are lost",
			    two_status(&two, token).num_lost);
		two_turn(&two);
	}
}

/* A token that has no thread left is given nothing, however well its keeper
 * finds it; when its calls return it has all its sessions again. */
static void
lost_too_many(void **state)
{
	uint64_t before;
	int64_t end_ns;

	(void)state;
	two_start(&two, 1, SHORT_NS);
	/* One may be lost.  Not its keeper, which has canaries to sign. */
	for (unsigned int num = 1; num <= 2; num++) {
		(void)shim_add(two.shim[0], SHIM_SIGN, SHIM_HANG, 0, 0, 1);
		for (int i = 0; i < 100 && two_status(&two, 0).num_lost < num;
		    i++) {
			two_submit(&two, jobs, 8, LONG_NS);
			assert_int_equal(two_finish(&two, jobs, 8), 8);
		}
		await_lost(0, num);
		two_await(&two, 0, num == 1 ? "up" : "stuck");
	}
	assert_non_null(strstr(two_status(&two, 0).failure, "2 calls"));
	two_submit(&two, jobs, NUM_JOBS, 5 * OC_NS_PER_S);
	assert_int_equal(two_finish(&two, jobs, NUM_JOBS), NUM_JOBS);
	assert_false(p11_local_is_stuck(two.signer));
	shim_clear(two.shim[0]);
	await_lost(0, 0);
	two_await(&two, 0, "up");
	/* A little at first, and none while the other is idle: by how long it
	 * took before. */
	before = two_status(&two, 0).num_signed;
	end_ns = oc_clock_mono_ns() + PATIENCE_NS;
	do {
		assert_true(oc_clock_mono_ns() < end_ns);
		two_submit(&two, jobs, NUM_JOBS, LONG_NS);
		assert_int_equal(two_finish(&two, jobs, NUM_JOBS), NUM_JOBS);
	} while (two_status(&two, 0).num_signed == before);
	two_stop(&two);
}

/* Nothing of a drained token's is under way in a call that was given up. */
static void
drained_while_a_call_hangs(void **state)
{
	struct oc_error error = { 0 };

	(void)state;
	two_start(&two, 4, SHORT_NS);
	(void)shim_add(two.shim[0], SHIM_SIGN, SHIM_HANG, 0, 0, 1);
	two_submit(&two, jobs, 8, LONG_NS);
	await_lost(0, 1);
	assert_int_equal(two_finish(&two, jobs, 8), 8);
	two_await(&two, 0, "up");
	assert_int_equal(p11_local_drain(two.signer, "a", P11_DRAIN, &error),
	    OC_OK);
	two_await(&two, 0, "drained");
	assert_int_equal(two_status(&two, 0).num_lost, 1);
	assert_int_equal(p11_local_drain(two.signer, "a", P11_UNDRAIN,
	    &error), OC_OK);
	two_await(&two, 0, "up");
	shim_clear(two.shim[0]);
	await_lost(0, 0);
	two_stop(&two);
}

/* Another policy in one of them, overnight. */
static void
refused_by_one(void **state)
{
	(void)state;
	two_start(&two, 2, 0);
	/* CKR_KEY_FUNCTION_NOT_PERMITTED */
	(void)shim_add(two.shim[0], SHIM_SIGN_INIT, SHIM_RETURN, 0x68, 0, 0);
	two_submit(&two, jobs, NUM_JOBS, LONG_NS);
	assert_int_equal(two_finish(&two, jobs, NUM_JOBS), NUM_JOBS);
	assert_int_equal(two_status(&two, 0).num_failed, 0);
	/* By both: it is told so, and soon. */
	(void)shim_add(two.shim[1], SHIM_SIGN_INIT, SHIM_RETURN, 0x68, 0, 0);
	two_submit(&two, jobs, 4, LONG_NS);
	assert_int_equal(two_finish(&two, jobs, 4), 0);
	for (int i = 0; i < 4; i++)
		assert_non_null(strstr(jobs[i].job.error_text,
		    "CKR_KEY_FUNCTION_NOT_PERMITTED"));
	two_stop(&two);
}

/* Its other keys have nothing to do with it: it is up, without this one. */
static void
refused_at_the_start(void **state)
{
	struct p11_place_status place = { .key = NULL };
	int64_t end_ns = oc_clock_mono_ns() + PATIENCE_NS;

	(void)state;
	(void)shim_add(two.shim[1], SHIM_SIGN_INIT, SHIM_RETURN, 0x68, 0, 0);
	two_start(&two, 2, 0);
	two_await(&two, 1, "up");
	assert_true(p11_local_place(two.signer, 1, &place));
	assert_string_equal(place.token, "b");
	assert_true(place.is_wrong);
	assert_non_null(strstr(place.wrong, "CKR_KEY_FUNCTION_NOT_PERMITTED"));
	two_sign(&two, 10);
	assert_int_equal(two_status(&two, 1).num_signed, 0);
	/* Somebody allows it again. */
	shim_clear(two.shim[1]);
	while (!place.works && oc_clock_mono_ns() < end_ns) {
		two_turn(&two);
		assert_true(p11_local_place(two.signer, 1, &place));
	}
	assert_true(place.works);
	two_stop(&two);
}

/* The one that is named first has no library, the other no PIN: nobody is
 * left to wait for. */
static void
nobody_to_wait_for(void **state)
{
	static const char *const others[] = { "a", NULL };
	struct oc_error error = { 0 };
	struct sign_job job;

	(void)state;
	two.key.token = "b";
	two.key.others = others;
	two.tokens[1].module = "/nowhere/libpkcs11.so";
	two_start(&two, 2, 0);
	two_sign(&two, 4);
	two_set_pin(two.hsm.pin_file, "9999\n");
	(void)shim_add(two.shim[0], SHIM_SIGN_INIT, SHIM_DO_LOGOUT, 0, 0, 1);
	two_submit(&two, jobs, 1, LONG_NS);
	assert_int_equal(two_finish(&two, jobs, 1), 0);
	two_await(&two, 0, "failed");
	job = jobs[0].job;
	job.deadline_ns = oc_clock_mono_ns() + LONG_NS;
	assert_int_equal(sign_submit(two.signer, &job), OC_ERR_DOWN);
	assert_non_null(strstr(job.error_text, "PIN"));
	assert_int_equal(p11_local_failure(two.signer, &error), OC_ERR_PIN);
	two_stop(&two);
}

/* --- the journal ---------------------------------------------------------- */

struct tally {
	uint8_t spki[P11_HASH_LEN];
	unsigned int num_keys, num_signed, num_late, num_failed;
};

static enum oc_err
count(void *arg, const struct p11_chain *chain, const struct p11_record *r)
{
	struct tally *t = arg;

	(void)chain;
	if (r->type == P11_RECORD_KEY) {
		assert_string_equal(r->key, TWO_KEY);
		assert_memory_equal(r->digest, t->spki, sizeof(t->spki));
		t->num_keys++;
	}
	if (r->type == P11_RECORD_SIGN) {
		assert_string_equal(r->key, TWO_KEY);
		t->num_signed += r->outcome == P11_OUTCOME_SIGNED;
		t->num_late += r->outcome == P11_OUTCOME_LATE;
		t->num_failed += r->outcome == P11_OUTCOME_FAILED;
	}
	return OC_OK;
}

static void
open_journal(char dir[400], const char *name)
{
	struct p11_journal_config config = { dir, "signer", 1 << 20 };
	struct oc_error error = { 0 };

	(void)snprintf(dir, 400, "%.250s/%s", two.hsm.dir, name);
	if (p11_journal_new(&config, &two.journal, &error) != OC_OK)
		fail_msg("%s", error.text);
}

static void
read_journal(const char *dir, struct tally *t)
{
	struct oc_error error = { 0 };
	struct p11_chain *chains;
	size_t num;

	if (p11_journal_read(dir, P11_JOURNAL_WHOLE, count, t, &chains, &num,
	    &error) != OC_OK)
		fail_msg("%s", error.text);
	free(chains);
}

/* One key is told once, whichever token signs, and as what it is, also by one
 * that has never shown it. */
static void
journal_knows_one_key(void **state)
{
	static const char *const others[] = { "a", NULL };
	struct tally t = { .num_keys = 0 };
	char dir[400];

	(void)state;
	open_journal(dir, "journal");
	two_start(&two, 2, 0);
	two_sign(&two, 20);
	assert_true(two_status(&two, 0).num_signed > 0);
	assert_true(two_status(&two, 1).num_signed > 0);
	two_stop(&two);

	two.key.token = "b";
	two.key.others = others;
	two_set_pin(two.pin_file, "9999\n");
	two_start(&two, 2, 0);
	two_await(&two, 1, "failed");
	two_sign(&two, 4);
	two_set_pin(two.hsm.pin_file, "9999\n");
	(void)shim_add(two.shim[0], SHIM_SIGN_INIT, SHIM_DO_LOGOUT, 0, 0, 1);
	two_submit(&two, jobs, 2, LONG_NS);
	assert_int_equal(two_finish(&two, jobs, 2), 0);
	two_await(&two, 0, "failed");
	two_submit(&two, jobs, 2, LONG_NS);
	assert_int_equal(two_finish(&two, jobs, 2), 0);
	two_stop(&two);
	p11_journal_free(two.journal);
	two.journal = NULL;

	assert_int_equal(EVP_Digest(two.info.spki, two.info.spki_len, t.spki,
	    NULL, EVP_sha256(), NULL), 1);
	read_journal(dir, &t);
	assert_int_equal(t.num_signed, 24);
	assert_int_equal(t.num_failed, 4);
	/* For each of the two signers. */
	assert_int_equal(t.num_keys, 2);
}

/* Also of a pool that ends under load. */
static void
every_signature_is_on_record(void **state)
{
	struct tally t = { .num_keys = 0 };
	unsigned long num_calls;
	char dir[400];

	(void)state;
	assert_int_equal(EVP_Digest(two.info.spki, two.info.spki_len, t.spki,
	    NULL, EVP_sha256(), NULL), 1);
	open_journal(dir, "end");
	two_start(&two, 4, 0);
	num_calls = num_signs();
	for (size_t i = 0; i < 8; i++)
		two_submit(&two, more[i], NUM_JOBS, LONG_NS);
	two_turn(&two);
	two_stop(&two);
	num_calls = num_signs() - num_calls;
	p11_journal_free(two.journal);
	two.journal = NULL;
	read_journal(dir, &t);
	assert_int_equal(t.num_signed + t.num_late, num_calls);
}

static int
clean_up(void **state)
{
	(void)state;
	two_reset(&two);
	return 0;
}

static int
set_up(void **state)
{
	(void)state;
	two_init(&two);
	return 0;
}

static void *
import_key(void *arg)
{
	const struct p11_import *import = arg;
	struct oc_error error = { 0 };
	struct p11_imported imported;

	assert_int_equal(p11_import(import, oc_clock_mono_ns() + LONG_NS,
	    &imported, &error), OC_OK);
	return NULL;
}

/* "VmLck:	 1234 kB" of whoever import_key()'s thread has forked. */
static long
child_locked_kb(void)
{
	char path[64], line[128];
	long pid = 0, kb = -1;
	glob_t found;
	FILE *f;

	if (glob("/proc/self/task/*/children", 0, NULL, &found) != 0)
		return -1;
	for (size_t i = 0; i < found.gl_pathc && pid == 0; i++) {
		f = fopen(found.gl_pathv[i], "re");
		if (f != NULL && fscanf(f, "%ld", &pid) != 1)
			pid = 0;
		if (f != NULL)
			(void)fclose(f);
	}
	globfree(&found);
	(void)snprintf(path, sizeof(path), "/proc/%ld/status", pid);
	f = pid == 0 ? NULL : fopen(path, "re");
	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line, "VmLck: %ld", &kb) == 1)
			break;
	if (f != NULL)
		(void)fclose(f);
	return kb;
}

/* All of the process has the key somewhere; it stands in C_Login. */
static void
imported_key_is_in_locked_memory(void **state)
{
	struct p11_token_config token = two.tokens[0];
	struct p11_import import = { .token = &token, .label = "moved",
		.state_dir = two.hsm.state_dir };
	int64_t end_ns = oc_clock_mono_ns() + LONG_NS / 2;
	pthread_t thread;
	char path[300];

	(void)state;
#ifdef __SANITIZE_ADDRESS__
	skip();		/* it makes mlockall() a word */
#endif
	if (geteuid() != 0)
		skip();
	(void)snprintf(path, sizeof(path), "%.250s/key.pem", two.hsm.dir);
	import.path = path;
	(void)shim_add(two.shim[0], SHIM_LOGIN, SHIM_HANG, 0, 0, 0);
	assert_int_equal(pthread_create(&thread, NULL, import_key, &import),
	    0);
	while (shim_calls(two.shim[0], SHIM_LOGIN) == 0 &&
	    oc_clock_mono_ns() < end_ns)
		(void)usleep(1000);
	assert_true(child_locked_kb() > 1000);
	shim_clear(two.shim[0]);
	assert_int_equal(pthread_join(thread, NULL), 0);
}

static int
tear_down(void **state)
{
	(void)state;
	two_fini(&two);
	return 0;
}

#define TEST(f) cmocka_unit_test_teardown(f, clean_up)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(imported_key_is_in_locked_memory),
		TEST(lost_too_many),
		TEST(drained_while_a_call_hangs),
		TEST(refused_by_one),
		TEST(refused_at_the_start),
		TEST(nobody_to_wait_for),
		TEST(journal_knows_one_key),
		TEST(every_signature_is_on_record),
	};

	if (!softhsm_is_there())
		return 77;
	oc_log_init("test_tokens_edges", OC_LOG_ERROR);
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
