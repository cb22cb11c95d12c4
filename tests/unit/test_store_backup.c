/* SPDX-License-Identifier: Apache-2.0 */
/* Is a backup whole while others write, and does a restore never bring a
 * number back? */
#include "store_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "store/sqlite.h"

struct paths {
	char backup[320];
	char restored[320];
};

static struct paths
paths_of(const struct fixture *f)
{
	struct paths p;

	snprintf(p.backup, sizeof(p.backup), "%s/backup", f->directory);
	snprintf(p.restored, sizeof(p.restored), "%s/restored", f->directory);
	return p;
}

static void
back_up(struct fixture *f, const char *to)
{
	struct oc_error error = { 0 };

	if (store_backup(f->store, to, &error) != OC_OK)
		fail_msg("%s", error.text);
}

static void
restore(const char *from, const char *to)
{
	struct oc_error error = { 0 };

	if (store_restore(from, to, &error) != OC_OK)
		fail_msg("%s", error.text);
}

static void
assert_restore_fails(const char *from, const char *to, enum oc_err err,
    const char *words)
{
	struct oc_error error = { 0 };

	assert_int_equal(store_restore(from, to, &error), err);
	assert_int_equal(error.code, err);
	if (strstr(error.text, words) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", error.text, words);
	assert_int_equal(store_restore(from, to, NULL), err);
}

static void
assert_backup_fails(struct fixture *f, const char *to, enum oc_err err)
{
	struct oc_error error = { 0 };

	assert_int_equal(store_backup(f->store, to, &error), err);
	assert_int_equal(error.code, err);
	if (strstr(error.text, to) == NULL)
		fail_msg("\"%s\" does not name %s", error.text, to);
	assert_string_equal(error.text, store_error(f->store));
}

static uint64_t
take_crl_number(struct store *store, int64_t issuer_id)
{
	uint64_t number = 0;
	int64_t id = 0;

	assert_ok(store_reserve_crl(store, issuer_id, 10, 20, &id, &number));
	return number;
}

/* Names in the directory that contain the text. */
static int
find_name(const struct fixture *f, const char *text, char *path, size_t room)
{
	char command[400], line[128];
	FILE *ls;
	int num = 0;

	snprintf(command, sizeof(command), "ls -A %s", f->directory);
	ls = popen(command, "r");
	assert_non_null(ls);
	while (fgets(line, sizeof(line), ls) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if (strstr(line, text) == NULL)
			continue;
		num++;
		if (path != NULL)
			snprintf(path, room, "%s/%s", f->directory, line);
	}
	pclose(ls);
	return num;
}

/* --- backup ------------------------------------------------------------- */

static void
test_backup(void **state)
{
	struct fixture *f = *state;
	struct paths p = paths_of(f);
	struct oc_serial serial = serial_of(1);
	struct store_certificate c;
	uint8_t id[STORE_ID_LEN], backup_id[STORE_ID_LEN];
	struct store *store;
	struct oc_error error;
	struct stat st;
	mode_t before;

	issue_one(f, 1);
	before = umask(0);
	back_up(f, p.backup);
	umask(before);
	assert_int_equal(stat(p.backup, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	/* One file, nothing beside it. */
	assert_int_equal(find_name(f, "backup", NULL, 0), 1);

	assert_int_equal(store_open(p.backup, STORE_WRITE, &store, &error),
	    OC_ERR_REFUSED);
	assert_non_null(strstr(error.text, "backup"));
	store = open_store(p.backup, STORE_READ);
	assert_ok(store_find_certificate(store, f->issuer_id, &serial, &c));
	assert_memory_equal(c.certificate, "certificate", 11);
	store_certificate_fini(&c);
	store_id(f->store, id);
	store_id(store, backup_id);
	assert_memory_equal(id, backup_id, sizeof(id));
	assert_verifies(store);
	store_close(store);

	/* A newer one takes its place. */
	issue_one(f, 2);
	back_up(f, p.backup);
	assert_int_equal(read_sql(p.backup, "SELECT count(*) FROM"
	    " certificate"), 2);
	assert_verifies(f->store);
}

static void
test_backup_refused(void **state)
{
	struct fixture *f = *state;
	char path[400];
	int fd;

	assert_backup_fails(f, f->path, OC_ERR_EXISTS);
	snprintf(path, sizeof(path), "%s/other", f->directory);
	fd = open(path, O_WRONLY | O_CREAT, 0600);
	assert_int_equal(write(fd, "text", 4), 4);
	close(fd);
	assert_backup_fails(f, path, OC_ERR_EXISTS);
	assert_int_equal(unlink(path), 0);
	store_close(open_store(path, STORE_CREATE));
	assert_backup_fails(f, path, OC_ERR_EXISTS);
	assert_backup_fails(f, f->directory, OC_ERR_EXISTS);
	snprintf(path, sizeof(path), "%s/no/backup", f->directory);
	assert_backup_fails(f, path, OC_ERR_NOT_FOUND);
	reserve_one(f, 1);
	assert_verifies(f->store);
}

static void
test_backup_full(void **state)
{
	struct fixture *f = *state;
	struct paths p = paths_of(f);
	struct rlimit limit;

	issue_one(f, 1);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = 16384;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_backup_fails(f, p.backup, OC_ERR_NO_SPACE);
	limit.rlim_cur = limit.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_int_equal(find_name(f, "backup", NULL, 0), 0);
	back_up(f, p.backup);
}

/* A child that reserves and issues until it is stopped. */
static pid_t
start_writer(struct fixture *f, uint64_t first)
{
	struct store *store;
	pid_t child;

	/* A file that is open in SQLite must not be opened again after a
	 * fork: the child would believe in locks that it does not have. */
	store_close(f->store);
	child = fork();
	assert_true(child >= 0);
	if (child != 0) {
		f->store = open_store(f->path, STORE_WRITE);
		return child;
	}
	if (store_open(f->path, STORE_WRITE, &store, NULL) != OC_OK)
		_exit(1);
	for (uint64_t n = first;; n++) {
		struct store_reservation r = reservation_of(f->issuer_id, n);
		int64_t id;

		if (store_reserve(store, &r, &id) != OC_OK ||
		    store_issue(store, id, BLOB("certificate")) != OC_OK)
			_exit(1);
	}
}

static void
stop_writer(pid_t child)
{
	int status;

	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
}

static void
test_backup_while_writing(void **state)
{
	struct fixture *f = *state;
	struct paths p = paths_of(f);
	pid_t child = start_writer(f, 1);
	int64_t last = -1;

	for (int i = 0; i < 20; i++) {
		struct store *store;
		int64_t num;

		usleep(10000);
		back_up(f, p.backup);
		store = open_store(p.backup, STORE_READ);
		assert_verifies(store);
		store_close(store);
		assert_int_equal(read_sql(p.backup, "SELECT count(*) FROM"
		    " pragma_integrity_check WHERE integrity_check = 'ok'"),
		    1);
		num = read_sql(p.backup, "SELECT count(*) FROM certificate");
		assert_true(num >= last);
		last = num;
	}
	stop_writer(child);
	assert_true(last > 0);
	assert_verifies(f->store);
}

/* --- restore ------------------------------------------------------------ */

static void
test_restore_elsewhere(void **state)
{
	struct fixture *f = *state;
	struct paths p = paths_of(f);
	uint8_t id[STORE_ID_LEN], new_id[STORE_ID_LEN];
	struct oc_serial serial = serial_of(1);
	struct store_certificate c;
	uint64_t number;
	struct store *store;
	struct stat st;

	issue_one(f, 1);
	assert_ok(revoke_one(f, 1, CRL_REASON_SUPERSEDED));
	back_up(f, p.backup);
	number = take_crl_number(f->store, f->issuer_id);
	restore(p.backup, p.restored);
	assert_int_equal(stat(p.restored, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	store = open_store(p.restored, STORE_WRITE);
	store_id(f->store, id);
	store_id(store, new_id);
	assert_memory_not_equal(id, new_id, sizeof(id));
	assert_true(store_epoch(store) > store_epoch(f->store));
	assert_true(take_crl_number(store, f->issuer_id) > number);
	assert_ok(store_find_certificate(store, f->issuer_id, &serial, &c));
	assert_true(c.is_revoked);
	store_certificate_fini(&c);
	assert_verifies(store);
	assert_int_equal(read_sql(p.restored, "SELECT count(*) FROM journal"
	    " WHERE event = 'restore'"), 1);
	store_close(store);
	/* The backup is as it was, and serves again. */
	restore(p.backup, p.restored);
}

/* What was there is kept, its numbers are not used again. */
static void
test_restore_over(void **state)
{
	struct fixture *f = *state;
	struct paths p = paths_of(f);
	char kept[400] = "";
	uint64_t number = 0, next;
	uint32_t epoch;
	struct store *store;

	back_up(f, p.backup);
	for (int i = 0; i < 7; i++)
		number = take_crl_number(f->store, f->issuer_id);
	reserve_one(f, 1);
	epoch = store_epoch(f->store);
	store_close(f->store);
	f->store = NULL;
	restore(p.backup, f->path);

	f->store = open_store(f->path, STORE_WRITE);
	assert_true(store_epoch(f->store) > epoch);
	next = take_crl_number(f->store, f->issuer_id);
	assert_true(next > number);
	assert_int_equal(next >> 32, store_epoch(f->store));
	assert_verifies(f->store);
	assert_int_equal(find_name(f, "store.db.replaced-", kept,
	    sizeof(kept)), 1);
	store = open_store(kept, STORE_READ);
	assert_verifies(store);
	assert_int_equal(store_epoch(store), epoch);
	store_close(store);
	assert_int_equal(read_sql(kept, "SELECT count(*) FROM certificate"),
	    1);
}

/* Nothing is left of the store that was restored first. */
static void
test_restore_elsewhere_again(void **state)
{
	struct fixture *f = *state;
	struct paths p = paths_of(f);
	uint64_t number = take_crl_number(f->store, f->issuer_id), next;
	struct store *store;

	back_up(f, p.backup);
	for (int i = 0; i < 3; i++) {
		(void)unlink(p.restored);
		restore(p.backup, p.restored);
		store = open_store(p.restored, STORE_WRITE);
		for (int j = 0; j < 5; j++) {
			next = take_crl_number(store, f->issuer_id);
			assert_true(next > number);
			number = next;
		}
		store_close(store);
	}
}

/* However often within one minute, and from whichever backup. */
static void
test_restore_again_and_again(void **state)
{
	struct fixture *f = *state;
	struct paths p = paths_of(f);
	uint8_t ids[6][STORE_ID_LEN];
	uint64_t number;
	uint32_t epoch;

	back_up(f, p.backup);
	number = take_crl_number(f->store, f->issuer_id);
	epoch = store_epoch(f->store);
	for (int i = 0; i < 6; i++) {
		uint64_t next;

		store_close(f->store);
		f->store = NULL;
		restore(p.backup, f->path);
		f->store = open_store(f->path, STORE_WRITE);
		assert_true(store_epoch(f->store) > epoch);
		epoch = store_epoch(f->store);
		next = take_crl_number(f->store, f->issuer_id);
		assert_true(next > number);
		number = next;
		store_id(f->store, ids[i]);
		for (int k = 0; k < i; k++)
			assert_memory_not_equal(ids[i], ids[k], STORE_ID_LEN);
	}
	assert_int_equal(find_name(f, "store.db.replaced-", NULL, 0), 6);
	assert_verifies(f->store);
}

static void
test_restore_in_use(void **state)
{
	struct fixture *f = *state;
	struct paths p = paths_of(f);
	char name[340];
	int gate[2], ready[2];
	char byte;
	pid_t child;

	reserve_one(f, 1);
	back_up(f, p.backup);
	reserve_one(f, 2);
	/* By this process, under another name too. */
	assert_restore_fails(p.backup, f->path, OC_ERR_BUSY, "stop it first");
	snprintf(name, sizeof(name), "%s/link", f->directory);
	assert_int_equal(symlink(f->path, name), 0);
	assert_restore_fails(p.backup, name, OC_ERR_BUSY, f->path);
	store_close(f->store);
	f->store = NULL;
	/* By another that only reads. */
	assert_int_equal(pipe(gate), 0);
	assert_int_equal(pipe(ready), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		struct store *store;

		close(gate[1]);
		if (store_open(f->path, STORE_READ, &store, NULL) != OC_OK ||
		    write(ready[1], "x", 1) != 1 ||
		    read(gate[0], &byte, 1) != 0)
			_exit(1);
		_exit(0);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_restore_fails(p.backup, f->path, OC_ERR_BUSY, f->path);
	close(gate[1]);
	assert_int_equal(waitpid(child, NULL, 0), child);
	close(gate[0]);
	close(ready[0]);
	close(ready[1]);
	assert_int_equal(read_sql(f->path, "SELECT count(*) FROM"
	    " certificate"), 2);
	assert_int_equal(find_name(f, "replaced", NULL, 0), 0);
	restore(p.backup, name);
	assert_int_equal(read_sql(f->path, "SELECT count(*) FROM"
	    " certificate"), 1);
}

/* While one restores, nobody opens. */
static void
test_open_while_restoring(void **state)
{
	struct fixture *f = *state;
	struct paths p = paths_of(f);
	struct store *store;
	struct oc_error error;

	back_up(f, p.backup);
	store_close(f->store);
	f->store = NULL;
	for (int i = 0; i < 20; i++) {
		pid_t child = fork();
		int status;

		assert_true(child >= 0);
		if (child == 0)
			_exit(store_restore(p.backup, f->path, NULL) ==
			    OC_OK ? 0 : 1);
		/* Waits until it is over, and then has the new one. */
		assert_ok(store_open(f->path, STORE_WRITE, &store, &error));
		reserve_one(&(struct fixture){ .store = store,
		    .issuer_id = f->issuer_id }, 100);
		assert_verifies(store);
		store_close(store);
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFEXITED(status));
		/* It was first, last, or found us at work: then again. */
		restore(p.backup, f->path);
	}
}

static void
test_restore_refused(void **state)
{
	struct fixture *f = *state;
	struct paths p = paths_of(f);
	char other[340], wal[340], version[64];
	int fd;

	snprintf(version, sizeof(version), "PRAGMA user_version = %d",
	    store_sqlite_schema()->num_steps);
	reserve_one(f, 1);
	back_up(f, p.backup);
	snprintf(other, sizeof(other), "%s/other", f->directory);
	assert_restore_fails(other, p.restored, OC_ERR_NOT_FOUND, other);
	assert_restore_fails(p.backup, p.backup, OC_ERR_REFUSED, "at once");
	/* From something else, over something else. */
	fd = open(other, O_WRONLY | O_CREAT, 0600);
	assert_int_equal(write(fd, "some text, not a store", 22), 22);
	close(fd);
	assert_restore_fails(other, p.restored, OC_ERR_REFUSED, other);
	assert_restore_fails(p.backup, other, OC_ERR_REFUSED, other);
	assert_restore_fails(p.backup, f->directory, OC_ERR_REFUSED,
	    "not a regular file");
	assert_int_equal(find_name(f, "restored", NULL, 0), 1);	/* .lock */
	run_sql(p.restored, "CREATE TABLE x (y)");
	assert_restore_fails(p.backup, p.restored, OC_ERR_REFUSED,
	    "not a store");
	assert_int_equal(read_sql(p.restored, "SELECT count(*) FROM x"), 0);
	assert_int_equal(unlink(p.restored), 0);
	/* A log without its store. */
	snprintf(wal, sizeof(wal), "%s-wal", p.restored);
	fd = open(wal, O_WRONLY | O_CREAT, 0600);
	assert_int_equal(write(fd, "x", 1), 1);
	close(fd);
	assert_restore_fails(p.backup, p.restored, OC_ERR_REFUSED, wal);
	assert_int_equal(unlink(wal), 0);
	/* Newer than this program. */
	run_sql(p.backup, "PRAGMA user_version = 99");
	assert_restore_fails(p.backup, p.restored, OC_ERR_UNSUPPORTED,
	    "newer");
	run_sql(p.backup, version);
	snprintf(other, sizeof(other), "%s/no/store", f->directory);
	assert_restore_fails(p.backup, other, OC_ERR_NOT_FOUND, other);
	assert_int_not_equal(access(p.restored, F_OK), 0);
	restore(p.backup, p.restored);
}

static void
damage(const char *path, off_t from, off_t to)
{
	static const char zeros[512];
	int fd = open(path, O_WRONLY);

	assert_true(fd >= 0);
	for (off_t at = from; at < to; at += (off_t)sizeof(zeros))
		assert_int_equal(pwrite(fd, zeros, sizeof(zeros), at),
		    (ssize_t)sizeof(zeros));
	close(fd);
}

static void
test_restore_damaged_backup(void **state)
{
	struct fixture *f = *state;
	struct paths p = paths_of(f);

	for (uint64_t n = 0; n < 50; n++)
		issue_one(f, n);
	back_up(f, p.backup);
	damage(p.backup, 5 * 4096, 7 * 4096);
	assert_restore_fails(p.backup, p.restored, OC_ERR_STORE, p.backup);
	assert_int_not_equal(access(p.restored, F_OK), 0);
}

/* What is replaced cannot be read: the epoch leaps over what it may be. */
static void
test_restore_over_damaged(void **state)
{
	struct fixture *f = *state;
	struct paths p = paths_of(f);
	uint32_t epoch = 0;
	uint64_t number = 0;

	back_up(f, p.backup);
	for (int i = 0; i < 3; i++) {
		store_close(f->store);
		restore(p.backup, f->path);
		f->store = open_store(f->path, STORE_WRITE);
		epoch = store_epoch(f->store);
		number = take_crl_number(f->store, f->issuer_id);
	}
	store_close(f->store);
	f->store = NULL;
	damage(f->path, 4096, 30 * 4096);
	restore(p.backup, f->path);
	f->store = open_store(f->path, STORE_WRITE);
	assert_true(store_epoch(f->store) > epoch);
	assert_true(take_crl_number(f->store, f->issuer_id) > number);
	assert_int_equal(find_name(f, "replaced", NULL, 0), 4);
	assert_verifies(f->store);
}

/* An older schema's backup comes back in today's. */
static void
test_restore_migrates(void **state)
{
	struct fixture *f = *state;
	struct paths p = paths_of(f);
	int today = store_sqlite_schema()->num_steps;
	const char *steps[16];
	struct store_schema later = { steps, today + 1 };
	struct oc_error error;
	struct store *store;

	for (int i = 0; i < today; i++)
		steps[i] = store_sqlite_schema()->steps[i];
	steps[today] = "CREATE TABLE extra (id INTEGER PRIMARY KEY)";
	reserve_one(f, 1);
	back_up(f, p.backup);
	assert_ok(store_sqlite_restore(p.backup, p.restored, &later, &error));
	assert_int_equal(read_sql(p.restored, "PRAGMA user_version"),
	    today + 1);
	assert_int_equal(read_sql(p.backup, "PRAGMA user_version"), today);
	assert_ok(store_sqlite_open(p.restored, STORE_WRITE, &later, &store,
	    &error));
	assert_verifies(store);
	store_close(store);
}

/* Killed anywhere: the old store or the new one, and it works. */
static void
test_restore_killed(void **state)
{
	struct fixture *f = *state;
	struct paths p = paths_of(f);

	for (uint64_t n = 0; n < 20; n++)
		issue_one(f, n);
	back_up(f, p.backup);
	srand(1);
	for (int i = 0; i < 40; i++) {
		uint32_t epoch = store_epoch(f->store);
		pid_t child;

		store_close(f->store);
		child = fork();
		assert_true(child >= 0);
		if (child == 0)
			_exit(store_restore(p.backup, f->path, NULL) ==
			    OC_OK ? 0 : 1);
		usleep((useconds_t)(rand() % 15000));
		kill(child, SIGKILL);
		assert_int_equal(waitpid(child, NULL, 0), child);
		f->store = open_store(f->path, STORE_WRITE);
		assert_true(store_epoch(f->store) >= epoch);
		assert_int_equal(read_sql(f->path, "SELECT count(*) FROM"
		    " certificate"), 20);
		assert_verifies(f->store);
	}
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, setup_store, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_backup),
		TEST(test_backup_refused),
		TEST(test_backup_full),
		TEST(test_backup_while_writing),
		TEST(test_restore_elsewhere),
		TEST(test_restore_over),
		TEST(test_restore_elsewhere_again),
		TEST(test_restore_again_and_again),
		TEST(test_restore_in_use),
		TEST(test_open_while_restoring),
		TEST(test_restore_refused),
		TEST(test_restore_damaged_backup),
		TEST(test_restore_over_damaged),
		TEST(test_restore_migrates),
		TEST(test_restore_killed)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
