/* SPDX-License-Identifier: Apache-2.0 */
/* When the signer's certificate is renewed, for the same key or for another:
 * what was signed before is served until it is signed anew. */
#include "tests/unit/status_fixture.h"

#include <dirent.h>
#include <sys/wait.h>

#define USUAL OCSP_ENCODING_USUAL
/* All that is signed today is signed again by then, and is good until then. */
#define DUE_S (3 * 86400)

/* In front of the set: there is no memory for another change. */
static bool is_full;

enum oc_err __real_status_set_apply(struct status_set *set,
    const struct status_change *change);
enum oc_err __wrap_status_set_apply(struct status_set *set,
    const struct status_change *change);

enum oc_err
__wrap_status_set_apply(struct status_set *set,
    const struct status_change *change)
{
	return is_full ? OC_ERR_NOMEM : __real_status_set_apply(set, change);
}

static char *
older_path(const struct world *w)
{
	static char path[320];

	snprintf(path, sizeof(path), "%s" OCSP_TABLE_OLDER_SUFFIX,
	    w->table_path);
	return path;
}

/* Presigned: 1 to num, and 2 in SHA-256 too.  Stopped. */
static void
sign_some(struct world *w, uint32_t num)
{
	struct reply reply = { 0 };

	w->issuer.presign = OC_PRESIGN_ALL;
	world_issue_many(w, 1, num);
	world_start(w);
	world_until(w, world_num_slots(w) == num);
	world_ask(w, 2, OCSP_ENCODING(OCSP_HASH_SHA256, 0), &reply);
	world_until(w, reply.num == 1);
	assert_int_equal(world_num_slots(w), num + 1);
	world_stop(w);
}

/* A reader's look at what the key before has signed; NULL: it is gone. */
static struct ocsp_table *
open_older(const struct world *w)
{
	struct ocsp_table *table = NULL;

	if (access(older_path(w), F_OK) != 0)
		return NULL;
	assert_int_equal(ocsp_table_open(older_path(w), &table, NULL), OC_OK);
	return table;
}

static void
test_same_key(void **state)
{
	struct world *w = *state;
	unsigned long num_before;
	struct ocsp_slot slot;

	sign_some(w, 5);
	num_before = world_num_signed(w);
	world_set_delegate(w, oc_clock_now_s() + YEAR);
	world_open(w);
	/* Served before all is read again. */
	assert_true(ocsp_table_is_ready(w->service->table));
	world_until(w, status_service_is_ready(w->service));
	world_idle(w, 300);
	assert_int_equal(world_num_slots(w), 6);
	assert_int_equal(world_num_signed(w), num_before);
	assert_true(world_look(w, 3, USUAL, &slot));
	assert_true(ocsp_identity_equal(ocsp_table_identity(w->reader),
	    w->service->identity));
	assert_null(open_older(w));
	/* And it is signed again when it always would have been. */
	w->skip_s += DUE_S;
	world_until(w, world_num_signed(w) >= num_before + 6);
}

/* Nothing may be good for longer than who has signed it. */
static void
test_same_key_ends_sooner(void **state)
{
	struct world *w = *state;
	int64_t end = oc_clock_now_s() + 86400;
	struct ocsp_slot slot;

	sign_some(w, 3);
	world_set_delegate(w, end);
	world_start(w);
	for (uint64_t n = 1; n <= 3; n++)
		world_until(w, world_look(w, n, USUAL, &slot) &&
		    slot.next_update <= end);
}

static void
test_other_key(void **state)
{
	struct world *w = *state;
	struct status_service_report report;
	struct ocsp_table *older;
	struct oc_serial serial = world_serial(2);
	struct ocsp_slot slot;

	sign_some(w, 5);
	world_new_key(w);
	world_open(w);
	older = open_older(w);
	assert_non_null(older);
	/* Served before all is read again, like the table else. */
	assert_true(ocsp_table_is_ready(older));
	assert_false(ocsp_table_is_ready(w->service->table));
	world_until(w, status_service_is_ready(w->service));
	world_idle(w, 300);
	/* Not a signature for what is still good. */
	assert_int_equal(world_num_signed(w), 0);
	assert_int_equal(world_num_slots(w), 0);
	assert_int_equal(ocsp_table_num_used(older), 6);
	assert_true(ocsp_table_find(older, &serial,
	    OCSP_ENCODING(OCSP_HASH_SHA256, 0), &slot));
	status_service_report(w->service, &report);
	assert_int_equal(report.num_older, 6);
	/* A new certificate's is made by the new key. */
	world_issue(w, 6, oc_clock_now_s() + YEAR);
	world_until(w, world_num_slots(w) == 1);
	assert_int_equal(ocsp_table_num_used(older), 6);
	/* One that takes over meanwhile finds all as it is. */
	world_stop(w);
	world_start(w);
	world_idle(w, 300);
	assert_int_equal(world_num_slots(w), 1);
	assert_int_equal(ocsp_table_num_used(older), 6);
	assert_true(ocsp_table_is_ready(older));
	/* Until the last has turned. */
	w->skip_s += DUE_S;
	world_until(w, w->service->older == NULL);
	assert_int_equal(world_num_slots(w), 7);
	assert_true(ocsp_table_is_retired(older));
	assert_int_equal(access(older_path(w), F_OK), -1);
	status_service_report(w->service, &report);
	assert_int_equal(report.num_older, 0);
	ocsp_table_close(older);
}

/* What is revoked is never good, in neither of them. */
static void
test_revoked_meanwhile(void **state)
{
	struct world *w = *state;
	struct oc_serial two = world_serial(2), three = world_serial(3);
	struct ocsp_table *older;
	struct ocsp_slot slot;

	sign_some(w, 4);
	world_new_key(w);
	/* While nobody ran. */
	world_revoke(w, 3, CRL_REASON_KEY_COMPROMISE);
	world_open(w);
	older = open_older(w);
	assert_non_null(older);
	assert_true(ocsp_table_is_ready(older));
	assert_false(ocsp_table_find(older, &three, USUAL, &slot));
	assert_true(ocsp_table_find(older, &two, USUAL, &slot));
	world_until(w, world_look(w, 3, USUAL, &slot));
	assert_int_equal(slot.status.kind, OCSP_REVOKED);
	/* And while somebody does: in every encoding that there was. */
	world_revoke(w, 2, CRL_REASON_SUPERSEDED);
	world_until(w, world_look(w, 2, USUAL, &slot));
	assert_int_equal(slot.status.kind, OCSP_REVOKED);
	assert_false(ocsp_table_find(older, &two, USUAL, &slot));
	world_until(w, world_look(w, 2, OCSP_ENCODING(OCSP_HASH_SHA256, 0),
	    &slot));
	assert_int_equal(slot.status.kind, OCSP_REVOKED);
	assert_int_equal(ocsp_table_num_used(older), 2);
	ocsp_table_close(older);
}

/* What is revoked while all is read again is withdrawn before all is read:
 * what the key before has signed is served meanwhile. */
static void
test_revoked_while_reading(void **state)
{
	struct world *w = *state;
	struct oc_serial five = world_serial(5), six = world_serial(6);
	struct ocsp_table *older;
	struct ocsp_slot slot;

	sign_some(w, 10);
	world_issue_many(w, 11, 5000);
	world_new_key(w);
	world_open(w);
	older = open_older(w);
	assert_non_null(older);
	assert_true(ocsp_table_is_ready(older));
	assert_true(ocsp_table_find(older, &five, USUAL, &slot));
	world_revoke(w, 5, CRL_REASON_KEY_COMPROMISE);
	while (ocsp_table_find(older, &five, USUAL, &slot) &&
	    !status_service_is_ready(w->service))
		status_service_dispatch(w->service);
	assert_false(status_service_is_ready(w->service));
	assert_true(ocsp_table_is_ready(older));
	assert_true(ocsp_table_find(older, &six, USUAL, &slot));
	world_until(w, world_look(w, 5, USUAL, &slot));
	assert_int_equal(slot.status.kind, OCSP_REVOKED);
	assert_int_equal(slot.status.reason, CRL_REASON_KEY_COMPROMISE);
	ocsp_table_close(older);
}

/* With its certificate nothing goes out any more. */
static void
test_signer_revoked(void **state)
{
	struct world *w = *state;
	struct ocsp_table *older;

	sign_some(w, 3);
	world_issue(w, WORLD_DELEGATE, oc_clock_now_s() + YEAR);
	world_new_key(w);
	world_start(w);
	/* The two have one serial number here. */
	w->service->trust.signer_serial = world_serial(77);
	older = open_older(w);
	assert_non_null(older);
	world_revoke(w, WORLD_DELEGATE, CRL_REASON_KEY_COMPROMISE);
	world_until(w, ocsp_table_is_retired(older));
	assert_int_equal(access(older_path(w), F_OK), -1);
	ocsp_table_close(older);
	/* And nobody has to ask for what it had. */
	world_until(w, world_num_slots(w) == 4);
}

/* What it has not is signed as soon as ever, though there is much that is to
 * be signed later. */
static void
test_more_than_it_has(void **state)
{
	struct world *w = *state;
	struct ocsp_slot slot;

	sign_some(w, 2 * STATUS_PRESIGN_LOW);
	for (uint64_t n = 0; n < 20; n++)
		world_issue(w, 1001 + n, oc_clock_now_s() + YEAR);
	world_new_key(w);
	world_start(w);
	world_until(w, world_num_slots(w) >= 20);
	world_idle(w, 300);
	assert_int_equal(world_num_slots(w), 20);
	for (uint64_t n = 0; n < 20; n++)
		assert_true(world_look(w, 1001 + n, USUAL, &slot));
}

/* That of whoever signs now: what it had no hand in is still good. */
static void
test_successor_revoked(void **state)
{
	struct world *w = *state;
	struct ocsp_table *older;

	sign_some(w, 3);
	world_issue(w, WORLD_DELEGATE, oc_clock_now_s() + YEAR);
	world_new_key(w);
	world_start(w);
	/* The two have one serial number here. */
	w->service->older_signer = world_serial(77);
	older = open_older(w);
	assert_non_null(older);
	world_revoke(w, WORLD_DELEGATE, CRL_REASON_SUPERSEDED);
	world_until(w, w->service->trust.is_signer_revoked);
	world_idle(w, 100);
	assert_int_equal(world_num_slots(w), 0);
	assert_true(ocsp_table_is_ready(older));
	assert_int_equal(ocsp_table_num_used(older), 4);
	ocsp_table_close(older);
}

/* Of a CA that is compromised nothing is good, whoever signed it. */
static void
test_compromised(void **state)
{
	struct world *w = *state;
	struct ocsp_table *older;
	struct ocsp_slot slot;

	sign_some(w, 3);
	world_new_key(w);
	w->issuer.compromised_since = 1700000000;
	world_open(w);
	older = open_older(w);
	assert_non_null(older);
	assert_false(ocsp_table_is_ready(older));
	world_until(w, ocsp_table_is_retired(older));
	assert_int_equal(ocsp_table_num_used(older), 0);
	world_until(w, world_num_slots(w) == 4);
	assert_true(world_look(w, 2, USUAL, &slot));
	assert_int_equal(slot.status.kind, OCSP_REVOKED);
	ocsp_table_close(older);
}

static void
test_signer_revoked_before(void **state)
{
	struct world *w = *state;

	sign_some(w, 3);
	world_issue(w, WORLD_DELEGATE, oc_clock_now_s() + YEAR);
	world_revoke(w, WORLD_DELEGATE, CRL_REASON_KEY_COMPROMISE);
	world_new_key(w);
	world_start(w);
	assert_null(open_older(w));
	assert_null(w->service->older);
}

/* Changed twice within the life of an answer: the oldest are lost, no more. */
static void
test_other_key_twice(void **state)
{
	struct world *w = *state;
	struct ocsp_table *oldest, *older;

	sign_some(w, 3);
	world_new_key(w);
	world_start(w);
	oldest = open_older(w);
	world_issue(w, 4, oc_clock_now_s() + YEAR);
	world_until(w, world_num_slots(w) == 1);
	world_stop(w);
	world_new_key(w);
	world_start(w);
	assert_true(ocsp_table_is_retired(oldest));
	older = open_older(w);
	assert_non_null(older);
	assert_int_equal(ocsp_table_num_used(older), 1);
	ocsp_table_close(older);
	world_until(w, world_num_slots(w) == 3);
	ocsp_table_close(oldest);
}

/* None of ours: another issuer's, or no table at all. */
static void
test_not_ours(void **state)
{
	struct world *w = *state;
	struct ocsp_identity other;
	uint8_t store_id[OCSP_STORE_ID_LEN] = { 1 };
	struct ocsp_table *table;
	char lock[340];
	FILE *f;

	w->issuer.presign = OC_PRESIGN_ALL;
	world_start(w);
	other = *w->service->identity;
	world_stop(w);
	f = fopen(older_path(w), "w");
	assert_non_null(f);
	assert_true(fputs("no table", f) >= 0);
	assert_int_equal(fclose(f), 0);
	world_start(w);
	assert_int_equal(access(older_path(w), F_OK), -1);
	world_stop(w);

	other.key_hash[0][0] ^= 1;
	other.responder_key_hash[0] ^= 1;
	assert_int_equal(ocsp_table_create(older_path(w), &other, store_id,
	    64, &table, NULL), OC_OK);
	ocsp_table_close(table);
	world_start(w);
	assert_int_equal(access(older_path(w), F_OK), -1);
	assert_null(w->service->older);
	snprintf(lock, sizeof(lock), "%s.lock", older_path(w));
	(void)unlink(lock);
}

/* Where nothing is kept, this is not either. */
static void
test_policy_changed(void **state)
{
	struct world *w = *state;

	sign_some(w, 3);
	world_new_key(w);
	w->issuer.presign = OC_PRESIGN_NONE;
	world_start(w);
	assert_null(open_older(w));
	assert_int_equal(world_num_slots(w), 0);
}

/* A sanitizer would look for what the threads of exit(3)'s caller hold. */
static void
leave(int status, void *arg)
{
	(void)arg;
	_exit(status);
}

static bool
is_asleep(const char *thread)
{
	char path[64], line[256] = "", *state;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/self/task/%.16s/stat",
	    thread);
	f = fopen(path, "re");
	if (f == NULL)
		return true;
	(void)!fgets(line, sizeof(line), f);
	(void)fclose(f);
	state = strrchr(line, ')');
	return state == NULL || state[2] == 'S';
}

/* Until no other thread does anything: a lock that one of them has, such as
 * malloc()'s under a sanitizer, would be locked for ever in a child. */
static void
wait_for_threads(void)
{
	char self[16];
	bool are_asleep;

	(void)snprintf(self, sizeof(self), "%d", (int)getpid());
	do {
		DIR *tasks = opendir("/proc/self/task");
		struct dirent *entry;

		assert_non_null(tasks);
		are_asleep = true;
		while ((entry = readdir(tasks)) != NULL)
			are_asleep &= entry->d_name[0] == '.' ||
			    strcmp(entry->d_name, self) == 0 ||
			    is_asleep(entry->d_name);
		(void)closedir(tasks);
	} while (!are_asleep);
}

/* A service that runs out of memory at the next change; one octet is sent
 * when it waits for that. */
static void OC_NORETURN
run_full(struct world *w, int told_fd)
{
	int64_t end = oc_clock_mono_ns() + 20 * OC_NS_PER_S;

	if (on_exit(leave, NULL) != 0)
		_exit(3);
	world_open(w);
	while (oc_clock_mono_ns() < end) {
		world_turn(w, 20);
		if (is_full || !status_service_is_ready(w->service))
			continue;
		is_full = true;
		if (write(told_fd, "", 1) != 1)
			_exit(4);
	}
	_exit(5);
}

/* What can't be kept true is not said: neither what is in the table nor what
 * the key before has signed. */
static void
test_out_of_memory(void **state)
{
	struct world *w = *state;
	struct ocsp_table *table;
	int told[2], status;
	char octet;
	pid_t pid;

	sign_some(w, 5);
	world_new_key(w);
	assert_int_equal(pipe(told), 0);
	fflush(NULL);
	wait_for_threads();
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		run_full(w, told[1]);
	close(told[1]);
	assert_int_equal(read(told[0], &octet, 1), 1);
	close(told[0]);
	table = open_older(w);
	assert_non_null(table);
	assert_true(ocsp_table_is_ready(table));
	ocsp_table_close(table);
	world_revoke(w, 2, CRL_REASON_KEY_COMPROMISE);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), EXIT_FAILURE);
	assert_int_equal(world_num_lines(w, "out of memory"), 1);
	table = open_older(w);
	assert_non_null(table);
	assert_false(ocsp_table_is_ready(table));
	ocsp_table_close(table);
	assert_int_equal(ocsp_table_open(w->table_path, &table, NULL), OC_OK);
	assert_false(ocsp_table_is_ready(table));
	ocsp_table_close(table);
}

/* A walk that was all but over when the CA's key was found to be compromised
 * has looked at most of it before: nobody is answered from it for that. */
static void
test_compromised_while_walked(void **state)
{
	struct world *w = *state;
	struct ocsp_table *older;

	sign_some(w, 5);
	world_new_key(w);
	world_start(w);
	world_issue_many(w, 11, 3);
	world_until(w, world_num_slots(w) == 3 &&
	    !w->service->older_walk.is_under_way);
	older = w->service->older;
	assert_true(ocsp_table_is_ready(older));
	w->service->older_walk = (struct status_older_walk){
	    .next = UINT32_MAX, .is_under_way = true };
	w->service->closed_slots = 1;
	w->service->trust.is_compromised = true;
	w->service->trust.compromised_at = 1700000000;
	assert_int_equal(status_service_sweep_all(w->service,
	    oc_clock_now_s()), OC_OK);
	assert_true(w->service->is_closed);
	while (w->service->is_closed) {
		assert_false(ocsp_table_is_ready(older));
		status_service_tick(w->service, oc_clock_now_s());
	}
	/* And then nothing is left of it. */
	world_until(w, w->service->older == NULL);
}

#define T(name) cmocka_unit_test_setup_teardown(name, world_setup, \
	world_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_same_key), T(test_same_key_ends_sooner),
		T(test_other_key), T(test_revoked_meanwhile),
		T(test_revoked_while_reading),
		T(test_signer_revoked), T(test_signer_revoked_before),
		T(test_successor_revoked), T(test_compromised),
		T(test_compromised_while_walked),
		T(test_other_key_twice), T(test_not_ours),
		T(test_policy_changed), T(test_out_of_memory),
		T(test_more_than_it_has),
	};

	return cmocka_run_group_tests_name("status older", tests, NULL, NULL);
}
