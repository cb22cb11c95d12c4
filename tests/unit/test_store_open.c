/* SPDX-License-Identifier: Apache-2.0 */
/* Does opening make, migrate, refuse what it should, and do a full disk and
 * a locked database leave nothing half done? */
#include "store_fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "store/sqlite.h"

static mode_t
mode_of(const char *path, const char *suffix)
{
	char name[400];
	struct stat st;

	snprintf(name, sizeof(name), "%s%s", path, suffix);
	if (stat(name, &st) != 0)
		fail_msg("%s is not there", name);
	return st.st_mode & 07777;
}

static void
write_file(const char *path, const void *bytes, size_t len)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, len, file), len);
	fclose(file);
}

static unsigned int
count_files(const char *directory)
{
	char command[300];
	unsigned int num = 0;
	FILE *ls;

	snprintf(command, sizeof(command), "ls -A %s | wc -l", directory);
	ls = popen(command, "r");
	assert_non_null(ls);
	assert_int_equal(fscanf(ls, "%u", &num), 1);
	pclose(ls);
	return num;
}

/* Opens, expects err and words in the text. */
static void
assert_refused(const char *path, enum store_mode mode, enum oc_err err,
    const char *words)
{
	struct store *store = NULL;
	struct oc_error error = { 0 };

	assert_int_equal(store_open(path, mode, &store, &error), err);
	assert_null(store);
	assert_int_equal(error.code, err);
	if (strstr(error.text, words) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", error.text, words);
	/* The error text is optional. */
	assert_int_equal(store_open(path, mode, &store, NULL), err);
}

static void
test_create(void **state)
{
	struct fixture *f = *state;
	uint8_t id[STORE_ID_LEN], again[STORE_ID_LEN];
	mode_t before = umask(0);
	struct store *store = open_store(f->path, STORE_CREATE);
	uint32_t epoch = store_epoch(store);
	int64_t minutes = (oc_clock_now_s() - 1577836800) / 60;

	assert_ok(store_append_journal(store, "event", "{}"));
	umask(before);
	assert_in_range(epoch, minutes - 1, minutes);
	assert_int_equal(mode_of(f->path, ""), 0600);
	assert_int_equal(mode_of(f->path, "-wal"), 0600);
	assert_int_equal(mode_of(f->path, "-shm"), 0600);
	assert_int_equal(mode_of(f->path, ".lock"), 0600);
	assert_string_equal(store_error(store), "");
	assert_int_equal(read_sql(f->path, "PRAGMA application_id"),
	    0x4f43534e);
	assert_int_equal(read_sql(f->path, "PRAGMA user_version"),
	    store_sqlite_schema()->num_steps);
	store_id(store, id);
	store_close(store);
	/* Nothing but the store and its lock. */
	assert_int_equal(count_files(f->directory), 2);

	store = open_store(f->path, STORE_CREATE);
	store_id(store, again);
	assert_memory_equal(id, again, sizeof(id));
	assert_int_equal(store_epoch(store), epoch);
	store_close(store);
	store_close(NULL);
}

static void
test_not_there(void **state)
{
	struct fixture *f = *state;
	char path[400];

	assert_refused(f->path, STORE_WRITE, OC_ERR_NOT_FOUND, f->path);
	assert_refused(f->path, STORE_READ, OC_ERR_NOT_FOUND, "no store");
	assert_refused("", STORE_CREATE, OC_ERR_MALFORMED, "path");
	snprintf(path, sizeof(path), "%s/no/store", f->directory);
	assert_refused(path, STORE_CREATE, OC_ERR_NOT_FOUND, path);
	assert_int_equal(count_files(f->directory), 0);
}

/* Whoever shares the folder would choose what becomes theirs to write. */
static void
test_lock_is_no_link(void **state)
{
	struct fixture *f = *state;
	char lock[400], path[400];

	snprintf(path, sizeof(path), "%s/theirs", f->directory);
	write_file(path, "x", 1);
	assert_int_equal(chmod(path, 0640), 0);
	assert_int_equal(chmod(f->directory, 02770), 0);
	snprintf(lock, sizeof(lock), "%s.lock", f->path);
	assert_int_equal(symlink(path, lock), 0);
	assert_refused(f->path, STORE_CREATE, OC_ERR_SYSTEM, lock);
	assert_int_equal(mode_of(path, ""), 0640);
	assert_int_equal(unlink(lock), 0);
	assert_int_equal(link(path, lock), 0);
	store_close(open_store(f->path, STORE_CREATE));
	assert_int_equal(mode_of(path, ""), 0640);
	assert_int_equal(unlink(path), 0);
}

static void
test_not_ours(void **state)
{
	struct fixture *f = *state;
	char path[300], text[3000];
	static const enum store_mode modes[] = {
		STORE_CREATE, STORE_WRITE, STORE_READ
	};

	memset(text, 'x', sizeof(text));
	for (size_t i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s/text", f->directory);
		write_file(path, text, sizeof(text));
		assert_refused(path, modes[i], OC_ERR_REFUSED, path);
		snprintf(path, sizeof(path), "%s/empty", f->directory);
		write_file(path, text, 0);
		assert_refused(path, modes[i], OC_ERR_REFUSED, path);
		snprintf(path, sizeof(path), "%s/sqlite", f->directory);
		run_sql(path, "CREATE TABLE IF NOT EXISTS store (id)");
		assert_refused(path, modes[i], OC_ERR_REFUSED,
		    "not a store of ocsign");
		run_sql(path, "PRAGMA user_version = 1");
		assert_refused(path, modes[i], OC_ERR_REFUSED, path);
		assert_refused(f->directory, modes[i], OC_ERR_REFUSED,
		    "not a regular file");
	}
}

/* SQLite would take these for something else than a file's name. */
static void
test_odd_names(void **state)
{
	static const char *const names[] = {
		":memory:", "file:x?mode=memory", "a b%20c", "-wal"
	};
	struct fixture *f = *state;
	char *before = getcwd(NULL, 0);

	assert_non_null(before);
	assert_int_equal(chdir(f->directory), 0);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		store_close(open_store(names[i], STORE_CREATE));
		assert_int_equal(access(names[i], F_OK), 0);
		store_close(open_store(names[i], STORE_WRITE));
	}
	assert_int_equal(chdir(before), 0);
	free(before);
}

static void
test_damaged(void **state)
{
	struct fixture *f = *state;
	struct store *store = open_store(f->path, STORE_CREATE);
	char zeros[4096] = { 0 };
	int fd;

	store_close(store);
	fd = open(f->path, O_RDWR);
	assert_true(fd >= 0);
	for (off_t at = 4096; at < 16 * 4096; at += 4096)
		assert_int_equal(pwrite(fd, zeros, sizeof(zeros), at),
		    (ssize_t)sizeof(zeros));
	close(fd);
	assert_refused(f->path, STORE_WRITE, OC_ERR_STORE, "restore a backup");
	assert_refused(f->path, STORE_READ, OC_ERR_STORE, f->path);
}

/* A log without its store must not be played into a new one. */
static void
test_leftover_log(void **state)
{
	struct fixture *f = *state;
	char wal[320];

	snprintf(wal, sizeof(wal), "%s-wal", f->path);
	write_file(wal, "x", 1);
	assert_refused(f->path, STORE_CREATE, OC_ERR_REFUSED, wal);
	assert_int_not_equal(access(f->path, F_OK), 0);
	assert_int_equal(unlink(wal), 0);
	store_close(open_store(f->path, STORE_CREATE));
}

static void
test_read_only(void **state)
{
	struct fixture *f = *state;
	struct store *reader = open_store(f->path, STORE_READ);
	struct store_reservation r = reservation_of(f->issuer_id, 1);
	struct store_certificate c;
	uint64_t number;
	int64_t id;

	assert_int_equal(store_reserve(reader, &r, &id), OC_ERR_REFUSED);
	assert_non_null(strstr(store_error(reader), "reading only"));
	assert_int_equal(store_issue(reader, 1, BLOB("c")), OC_ERR_REFUSED);
	assert_int_equal(store_append_journal(reader, "event", "{}"),
	    OC_ERR_REFUSED);
	assert_int_equal(store_reserve_crl(reader, f->issuer_id, 1, 2, &id,
	    &number), OC_ERR_REFUSED);
	assert_int_equal(store_begin_group(reader), OC_ERR_REFUSED);
	reserve_one(f, 1);
	assert_ok(store_find_certificate(reader, f->issuer_id, &r.serial,
	    &c));
	store_certificate_fini(&c);
	assert_verifies(reader);
	store_close(reader);
}

/* --- schema versions ---------------------------------------------------- */

static void
test_future_schema(void **state)
{
	struct fixture *f = *state;

	store_close(open_store(f->path, STORE_CREATE));
	run_sql(f->path, "PRAGMA user_version = 99");
	assert_refused(f->path, STORE_CREATE, OC_ERR_UNSUPPORTED, "newer");
	assert_refused(f->path, STORE_WRITE, OC_ERR_UNSUPPORTED, f->path);
	assert_refused(f->path, STORE_READ, OC_ERR_UNSUPPORTED, "99");
	assert_int_equal(read_sql(f->path, "PRAGMA user_version"), 99);
}

/* Today's schema and two steps that a later program might have. */
static struct store_schema
later_schema(const char **steps, const char *last)
{
	int num = store_sqlite_schema()->num_steps;

	for (int i = 0; i < num; i++)
		steps[i] = store_sqlite_schema()->steps[i];
	steps[num] = "ALTER TABLE issuer ADD COLUMN note TEXT;"
	    "UPDATE issuer SET note = 'migrated ' || name;";
	steps[num + 1] = last;
	return (struct store_schema){ steps, num + 2 };
}

static void
test_migrate(void **state)
{
	struct fixture *f = *state;
	const char *steps[16];
	struct store_schema later = later_schema(steps,
	    "CREATE TABLE extra (id INTEGER PRIMARY KEY)");
	int today = store_sqlite_schema()->num_steps;
	struct oc_error error;
	struct store *store = NULL;
	int64_t num = 0, bad;

	issue_one(f, 1);
	assert_ok(store_verify_journal(f->store, &num, &bad));
	store_close(f->store);
	f->store = NULL;
	/* Reading never migrates. */
	assert_int_equal(store_sqlite_open(f->path, STORE_READ, &later,
	    &store, &error), OC_ERR_UNSUPPORTED);
	assert_non_null(strstr(error.text, "older"));
	assert_int_equal(read_sql(f->path, "PRAGMA user_version"), today);

	assert_ok(store_sqlite_open(f->path, STORE_WRITE, &later, &store,
	    &error));
	f->store = store;
	assert_int_equal(read_sql(f->path, "PRAGMA user_version"), today + 2);
	assert_int_equal(read_sql(f->path, "SELECT note = 'migrated ca' FROM"
	    " issuer"), 1);
	assert_int_equal(read_sql(f->path, "SELECT count(*) FROM extra"), 0);
	assert_int_equal(read_sql(f->path, "SELECT detail ->> 'from' FROM"
	    " journal WHERE event = 'migrate'"), today);
	assert_int_equal(read_sql(f->path, "SELECT detail ->> 'to' FROM"
	    " journal WHERE event = 'migrate'"), today + 2);
	reserve_one(f, 2);
	assert_verifies(store);
	store_close(store);
	f->store = NULL;
	assert_int_equal(read_sql(f->path, "SELECT journal_number FROM"
	    " store"), num + 2);
	/* Today's program now refuses it; the later one reads it. */
	assert_refused(f->path, STORE_WRITE, OC_ERR_UNSUPPORTED, "newer");
	assert_ok(store_sqlite_open(f->path, STORE_READ, &later, &f->store,
	    &error));
}

/* For who only reads: what is older becomes today's, all else is as it was. */
static void
test_migrate_to_read(void **state)
{
	struct fixture *f = *state;
	int today = store_sqlite_schema()->num_steps;
	struct oc_error error = { 0 };
	struct store *none = NULL;
	int64_t num;

	issue_one(f, 1);
	store_close(f->store);
	f->store = NULL;
	num = read_sql(f->path, "SELECT journal_number FROM store");
	assert_ok(store_open_to_read(f->path, &f->store, &error));
	store_close(f->store);
	f->store = NULL;
	assert_int_equal(read_sql(f->path, "SELECT journal_number FROM"
	    " store"), num);
	run_sql(f->path, "ALTER TABLE certificate_request DROP COLUMN run;"
	    "DROP TABLE certificate_import; PRAGMA user_version = 2");
	assert_refused(f->path, STORE_READ, OC_ERR_UNSUPPORTED, "older");
	assert_ok(store_open_to_read(f->path, &f->store, &error));
	assert_verifies(f->store);
	/* By now it does only read. */
	assert_int_not_equal(revoke_one(f, 1, CRL_REASON_SUPERSEDED), OC_OK);
	assert_int_equal(read_sql(f->path, "PRAGMA user_version"), today);
	assert_int_equal(read_sql(f->path, "SELECT journal_number FROM"
	    " store"), num + 1);
	run_sql(f->path, "PRAGMA user_version = 99");
	assert_int_equal(store_open_to_read(f->path, &none, &error),
	    OC_ERR_UNSUPPORTED);
	assert_non_null(strstr(error.text, "newer"));
	assert_int_equal(store_open_to_read("/nowhere/store.db", &none,
	    &error), OC_ERR_NOT_FOUND);
	assert_null(none);
}

/* A new store of the later program has run all steps. */
static void
test_create_later(void **state)
{
	struct fixture *f = *state;
	const char *steps[16];
	struct store_schema later = later_schema(steps,
	    "CREATE TABLE extra (id INTEGER PRIMARY KEY)");
	struct oc_error error;

	assert_ok(store_sqlite_open(f->path, STORE_CREATE, &later, &f->store,
	    &error));
	assert_int_equal(read_sql(f->path, "SELECT count(*) FROM extra"), 0);
	assert_verifies(f->store);
}

/* The first step worked, the second does not: neither happened. */
static void
test_migrate_fails(void **state)
{
	struct fixture *f = *state;
	const char *steps[16];
	struct store_schema later = later_schema(steps,
	    "CREATE TABLE issuer (id INTEGER PRIMARY KEY)");
	struct store *store = NULL;
	struct oc_error error;
	char step[32];
	int64_t tables = read_sql(f->path, "SELECT count(*) FROM"
	    " sqlite_schema");

	reserve_one(f, 1);
	assert_int_equal(store_sqlite_open(f->path, STORE_WRITE, &later,
	    &store, &error), OC_ERR_STORE);
	assert_null(store);
	snprintf(step, sizeof(step), "schema step %d", later.num_steps);
	assert_non_null(strstr(error.text, step));
	assert_int_equal(read_sql(f->path, "PRAGMA user_version"),
	    later.num_steps - 2);
	assert_int_equal(read_sql(f->path, "SELECT count(*) FROM"
	    " pragma_table_info('issuer') WHERE name = 'note'"), 0);
	assert_int_equal(read_sql(f->path, "SELECT count(*) FROM"
	    " sqlite_schema"), tables);
	reserve_one(f, 2);
	assert_verifies(f->store);
}

/* --- several at once ---------------------------------------------------- */

/* num children open at the same moment; every one must succeed. */
static void
open_at_once(const char *path, enum store_mode mode,
    const struct store_schema *schema, int num)
{
	pid_t children[8];
	int gate[2];
	char byte;

	assert_true(num <= 8);
	assert_int_equal(pipe(gate), 0);
	for (int i = 0; i < num; i++) {
		children[i] = fork();
		assert_true(children[i] >= 0);
		if (children[i] == 0) {
			struct store *store;

			close(gate[1]);
			if (read(gate[0], &byte, 1) != 0)
				_exit(2);
			if (store_sqlite_open(path, mode, schema, &store,
			    NULL) != OC_OK)
				_exit(1);
			store_close(store);
			_exit(0);
		}
	}
	close(gate[0]);
	close(gate[1]);
	for (int i = 0; i < num; i++) {
		int status;

		assert_int_equal(waitpid(children[i], &status, 0),
		    children[i]);
		assert_int_equal(status, 0);
	}
}

static void
test_create_at_once(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 10; i++) {
		char path[320];
		struct store *store;

		snprintf(path, sizeof(path), "%s.%d", f->path, i);
		open_at_once(path, STORE_CREATE, store_sqlite_schema(), 6);
		store = open_store(path, STORE_WRITE);
		assert_verifies(store);
		store_close(store);
	}
	assert_int_equal(count_files(f->directory), 20);
}

static void
test_migrate_at_once(void **state)
{
	struct fixture *f = *state;
	const char *steps[16];
	struct store_schema later = later_schema(steps,
	    "CREATE TABLE extra (id INTEGER PRIMARY KEY)");
	struct oc_error error;

	store_close(f->store);
	f->store = NULL;
	open_at_once(f->path, STORE_WRITE, &later, 6);
	assert_int_equal(read_sql(f->path, "SELECT count(*) FROM journal"
	    " WHERE event = 'migrate'"), 1);
	assert_ok(store_sqlite_open(f->path, STORE_WRITE, &later, &f->store,
	    &error));
	assert_verifies(f->store);
}

/* --- locked, full ------------------------------------------------------- */

/* Reserves while another connection holds the write lock. */
static void
assert_busy(struct fixture *f, int64_t ms_min, int64_t ms_max)
{
	struct store_reservation r = reservation_of(f->issuer_id, 1);
	int64_t id = 77, began_ns, took_ms;
	sqlite3 *db;

	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL,
	    NULL), SQLITE_OK);
	began_ns = oc_clock_mono_ns();
	assert_int_equal(store_reserve(f->store, &r, &id), OC_ERR_BUSY);
	took_ms = (oc_clock_mono_ns() - began_ns) / OC_NS_PER_MS;
	assert_in_range(took_ms, ms_min, ms_max);
	assert_int_equal(id, 77);
	assert_non_null(strstr(store_error(f->store), f->path));
	assert_non_null(strstr(store_error(f->store), "locked"));
	/* Whoever writes keeps nobody from reading. */
	assert_verifies(f->store);
	sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	sqlite3_close(db);
}

static void
test_busy(void **state)
{
	struct fixture *f = *state;

	store_set_busy_timeout(f->store, 200);
	assert_busy(f, 150, 3000);
	reserve_one(f, 1);
}

/* The five seconds that store.h names. */
static void
test_busy_default(void **state)
{
	assert_busy(*state, 4900, 9000);
}

static void
limit_files(rlim_t len)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = len == 0 ? limit.rlim_max : len;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static enum oc_err
reserve_large(struct fixture *f, uint64_t n)
{
	static uint8_t tbs[32 * 1024];
	struct store_reservation r = reservation_of(f->issuer_id, n);
	int64_t id;

	r.tbs = (struct store_blob){ tbs, sizeof(tbs) };
	return store_reserve(f->store, &r, &id);
}

/* Files may not grow past a limit: what write(2) says of a full disk. */
static void
test_full(void **state)
{
	struct fixture *f = *state;
	enum oc_err err = OC_OK;
	uint64_t n = 0;

	signal(SIGXFSZ, SIG_IGN);
	limit_files(512 * 1024);
	while (err == OC_OK && n < 1000)
		err = reserve_large(f, n++);
	assert_int_equal(err, OC_ERR_NO_SPACE);
	assert_non_null(strstr(store_error(f->store), f->path));
	assert_non_null(strstr(store_error(f->store), "free some space"));
	assert_true(n > 2);
	/* Still full, still said. */
	assert_int_equal(reserve_large(f, n), OC_ERR_NO_SPACE);
	limit_files(0);
	assert_int_equal(read_sql(f->path, "SELECT count(*) FROM"
	    " certificate"), n - 1);
	assert_int_equal(read_sql(f->path, "SELECT count(*) FROM"
	    " certificate_tbs"), n - 1);
	assert_verifies(f->store);
	assert_ok(reserve_large(f, n - 1));
	assert_verifies(f->store);
}

/* In a group that outgrows the cache the failure comes in the middle: all of
 * it is gone, and commit says so. */
static void
test_full_group(void **state)
{
	struct fixture *f = *state;
	enum oc_err err = OC_OK;
	uint64_t n = 1;

	reserve_one(f, 0);
	signal(SIGXFSZ, SIG_IGN);
	limit_files(1024 * 1024);
	assert_ok(store_begin_group(f->store));
	while (err == OC_OK && n < 1000)
		err = reserve_large(f, n++);
	assert_int_equal(err, OC_ERR_NO_SPACE);
	assert_int_equal(reserve_large(f, n), OC_ERR_NO_SPACE);
	assert_int_equal(store_commit_group(f->store), OC_ERR_NO_SPACE);
	limit_files(0);
	assert_int_equal(read_sql(f->path, "SELECT count(*) FROM"
	    " certificate"), 1);
	assert_ok(reserve_large(f, n));
	assert_verifies(f->store);
}

static void
test_full_create(void **state)
{
	struct fixture *f = *state;

	signal(SIGXFSZ, SIG_IGN);
	limit_files(8192);
	assert_refused(f->path, STORE_CREATE, OC_ERR_NO_SPACE, f->path);
	limit_files(0);
	/* The lock's file stays, nothing else. */
	assert_int_equal(count_files(f->directory), 1);
	store_close(open_store(f->path, STORE_CREATE));
}

#define BARE(name) \
	cmocka_unit_test_setup_teardown(name, setup_directory, teardown)
#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, setup_store, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		BARE(test_create),
		BARE(test_not_there),
		BARE(test_lock_is_no_link),
		BARE(test_not_ours),
		BARE(test_odd_names),
		BARE(test_damaged),
		BARE(test_leftover_log),
		TEST(test_read_only),
		BARE(test_future_schema),
		TEST(test_migrate),
		TEST(test_migrate_to_read),
		BARE(test_create_later),
		TEST(test_migrate_fails),
		BARE(test_create_at_once),
		TEST(test_migrate_at_once),
		TEST(test_busy),
		TEST(test_busy_default),
		TEST(test_full),
		TEST(test_full_group),
		BARE(test_full_create)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
