/* SPDX-License-Identifier: Apache-2.0 */
/* What only a server does: it is away, another one, or ends in the middle. */
#include "store_fixture.h"

#ifdef HAVE_LIBPQ
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/postgres.h"

static void
sql(const struct fixture *f, const char *text)
{
	PGconn *db = database_connect(f->path);
	PGresult *result = PQexec(db, text);

	if (PQresultStatus(result) == PGRES_FATAL_ERROR)
		fail_msg("%s: %s", text, PQerrorMessage(db));
	PQclear(result);
	PQfinish(db);
}

/* All sessions but the one that does it. */
static void
end_sessions(const struct fixture *f)
{
	database_run(f->path, "SELECT pg_terminate_backend(pid, 10000) FROM"
	    " pg_stat_activity WHERE pid <> pg_backend_pid()"
	    " AND application_name = 'ocsign'");
}

static void
assert_refused(const char *where, enum store_mode mode, enum oc_err err,
    const char *text)
{
	struct store *store = NULL;
	struct oc_error error = { 0 };

	assert_int_equal(store_open(where, mode, &store, &error), err);
	assert_null(store);
	if (strstr(error.text, text) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", text, error.text);
	assert_null(strstr(error.text, "s3cret"));
}

/* --- opening ------------------------------------------------------------ */

static void
test_which(void **state)
{
	(void)state;
	assert_true(store_is_database("postgresql://h/d"));
	assert_true(store_is_database("postgres:///d"));
	assert_true(store_is_database("dbname=ocsign"));
	assert_false(store_is_database("store.db"));
	assert_false(store_is_database("/a/b=c/store.db"));
	assert_false(store_is_database("./b=c"));
	assert_false(store_is_database("file:a?mode=memory"));
}

static void
test_open_refused(void **state)
{
	struct fixture *f = *state;
	char text[400];

	assert_refused("host=x password=s3cret", STORE_READ, OC_ERR_CONFIG,
	    "a password");
	assert_refused("postgresql://u:s3cret@h/d", STORE_READ,
	    OC_ERR_CONFIG, "a password");
	assert_refused("nokeyword=s3cret", STORE_READ, OC_ERR_CONFIG,
	    "no connection string");
	assert_refused("host=/nowhere dbname=x", STORE_READ, OC_ERR_DOWN,
	    "database x at /nowhere: ");
	snprintf(text, sizeof(text), "%s dbname=nosuch", f->path);
	assert_refused(text, STORE_READ, OC_ERR_DOWN, "nosuch");
	assert_refused(f->path, STORE_WRITE, OC_ERR_NOT_FOUND, "no store");
	assert_refused(f->path, STORE_READ, OC_ERR_NOT_FOUND, "no store");
	sql(f, "CREATE TABLE store (x int)");
	assert_refused(f->path, STORE_CREATE, OC_ERR_REFUSED,
	    "not ocsign's");
}

static void
test_encoding(void **state)
{
	struct fixture *f = *state;
	char text[400];

	sql(f, "CREATE DATABASE latin ENCODING LATIN1 TEMPLATE template0");
	snprintf(text, sizeof(text), "%s dbname=latin", f->path);
	assert_refused(text, STORE_CREATE, OC_ERR_REFUSED, "UTF8");
	sql(f, "DROP DATABASE latin");
}

static void
test_migrate(void **state)
{
	struct fixture *f = *state;
	const struct store_schema *today = store_sqlite_schema();
	const struct store_schema first = { today->steps, 1 };
	struct store *store = NULL;
	struct oc_error error = { 0 };
	int64_t entries;
	uint8_t id[STORE_ID_LEN], later[STORE_ID_LEN];

	assert_ok(store_postgres_open(f->path, STORE_CREATE, &first,
	    &f->store, &error));
	store_id(f->store, id);
	assert_ok(store_put_issuer(f->store, "ca", BLOB("CA certificate"),
	    fixture_key, &f->issuer_id));
	store_close(f->store);
	f->store = NULL;
	entries = read_sql(f->path, "SELECT journal_number FROM store");
	assert_refused(f->path, STORE_READ, OC_ERR_UNSUPPORTED, "older");
	assert_ok(store_open_to_read(f->path, &store, &error));
	store_close(store);
	f->store = open_store(f->path, STORE_WRITE);
	store_id(f->store, later);
	assert_memory_equal(id, later, sizeof(id));
	assert_int_equal(read_sql(f->path, "SELECT version FROM"
	    " store_version"), today->num_steps);
	assert_int_equal(read_sql(f->path, "SELECT journal_number FROM"
	    " store"), entries + 1);
	assert_int_equal(store_postgres_open(f->path, STORE_READ, &first,
	    &store, &error), OC_ERR_UNSUPPORTED);
	assert_non_null(strstr(error.text, "newer"));
	assert_verifies(f->store);
}

/* All at once: one of them makes it. */
static void
test_create_race(void **state)
{
	enum { NUM = 6 };
	struct fixture *f = *state;
	struct oc_error error = { 0 };
	pid_t children[NUM];
	struct store *store;

	for (int i = 0; i < NUM; i++) {
		children[i] = fork();
		assert_true(children[i] >= 0);
		if (children[i] == 0 && store_open(f->path, STORE_CREATE,
		    &store, &error) != OC_OK) {
			puts(error.text);
			fflush(stdout);
			_exit(1);
		}
		if (children[i] == 0)
			_exit(0);
	}
	for (int i = 0; i < NUM; i++) {
		int status;

		assert_int_equal(waitpid(children[i], &status, 0),
		    children[i]);
		assert_int_equal(status, 0);
	}
	assert_int_equal(read_sql(f->path, "SELECT count(*) FROM journal"),
	    1);
}

/* Whatever role and database prefer. */
static void
test_settings(void **state)
{
	struct fixture *f = *state;
	static const char ask[] = "SELECT count(*) FROM pg_settings WHERE"
	    " (name = 'synchronous_commit' AND setting = 'on') OR"
	    " (name = 'statement_timeout' AND setting = '0')";
	int64_t num = 0;

	sql(f, "ALTER ROLE ocsign SET synchronous_commit = off;"
	    "ALTER ROLE ocsign SET statement_timeout = '20ms';"
	    "ALTER ROLE ocsign SET default_transaction_isolation ="
	    " 'serializable'");
	store_close(f->store);
	f->store = open_store(f->path, STORE_WRITE);
	sql(f, "ALTER ROLE ocsign RESET ALL");
	assert_ok(sql_read_int(f->store, "settings", ask, &num));
	assert_int_equal(num, 2);
	reserve_one(f, 1);
}

/* --- lost --------------------------------------------------------------- */

static void
test_lost_between(void **state)
{
	struct fixture *f = *state;
	struct store *reader = open_store(f->path, STORE_READ);
	int64_t seq, run = f->store->run, version;

	reserve_one(f, 1);
	assert_true(run != 0);
	end_sessions(f);
	reserve_one(f, 2);
	assert_int_equal(f->store->run, run);
	assert_ok(store_change_seq(reader, &seq));
	assert_int_equal(seq, 2);
	end_sessions(f);
	assert_ok(store_data_version(reader, &version));
	end_sessions(f);
	assert_verifies(reader);
	end_sessions(f);
	assert_ok(revoke_one(f, 2, CRL_REASON_SUPERSEDED));
	assert_verifies(f->store);
	store_close(reader);
}

/* The server hangs, and the network does not tell: here it waits for a lock,
 * for as long as it may. */
static void
test_hangs(void **state)
{
	struct fixture *f = *state;
	struct store *reader = open_store(f->path, STORE_READ);
	PGconn *db = database_connect(f->path);
	struct store_change changes[8];
	uint32_t num;

	reserve_one(f, 1);
	store_set_busy_timeout(reader, 50000);
	store_set_read_timeout(reader, 1);
	end_sessions(f);	/* the next one waits longer for a lock */
	PQclear(PQexec(db, "BEGIN; LOCK TABLE certificate"));
	(void)alarm(40);
	assert_int_not_equal(store_read_changes(reader, 0, changes, 8, &num),
	    OC_OK);
	(void)alarm(0);
	PQfinish(db);
	store_set_busy_timeout(reader, 5000);
	assert_ok(store_read_changes(reader, 0, changes, 8, &num));
	assert_int_equal(num, 1);
	store_close(reader);
}

static void
test_lost_in_change(void **state)
{
	struct fixture *f = *state;
	struct store_reservation r = reservation_of(f->issuer_id, 2);
	int64_t id;

	assert_ok(store_begin_group(f->store));
	reserve_one(f, 1);
	end_sessions(f);
	assert_int_equal(store_reserve(f->store, &r, &id), OC_ERR_BUSY);
	assert_int_equal(store_commit_group(f->store), OC_ERR_BUSY);
	assert_int_equal(read_sql(f->path, "SELECT count(*) FROM"
	    " certificate"), 0);
	reserve_one(f, 3);
	assert_int_equal(read_sql(f->path, "SELECT count(*) FROM"
	    " certificate"), 1);
	assert_verifies(f->store);
}

/* What was sent without waiting is answered before its change ends: it fails
 * alone, and not what comes behind it. */
static void
test_put_off(void **state)
{
	struct fixture *f = *state;
	struct store_reservation r = reservation_of(f->issuer_id, 2);
	int64_t id = 77;

	sql(f, "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
	    " $$BEGIN IF NEW.der = 'bad' THEN RAISE 'no'; END IF;"
	    " RETURN NEW; END$$;"
	    "CREATE TRIGGER refuse BEFORE INSERT ON certificate_tbs"
	    " FOR EACH ROW EXECUTE FUNCTION refuse()");
	r.tbs = BLOB("bad");
	assert_ok(store_begin_group(f->store));
	reserve_one(f, 1);
	assert_int_equal(store_reserve(f->store, &r, &id), OC_ERR_STORE);
	assert_int_equal(id, 77);
	assert_int_equal(reserve_one(f, 3), 2);
	assert_ok(store_commit_group(f->store));
	assert_int_equal(store_reserve(f->store, &r, &id), OC_ERR_STORE);
	assert_int_equal(reserve_one(f, 4), 3);
	assert_int_equal(read_sql(f->path, "SELECT count(*) FROM"
	    " certificate"), 3);
	assert_verifies(f->store);
}

/* The server ends the session while it commits, before anything is. */
static void
test_lost_before_commit(void **state)
{
	struct fixture *f = *state;
	struct store_reservation r = reservation_of(f->issuer_id, 1);
	int64_t id = 77;

	sql(f, "CREATE FUNCTION leave() RETURNS trigger LANGUAGE plpgsql AS"
	    " $$BEGIN PERFORM pg_terminate_backend(pg_backend_pid());"
	    " PERFORM pg_sleep(1); RETURN NULL; END$$;"
	    "CREATE CONSTRAINT TRIGGER leave AFTER INSERT ON certificate"
	    " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW"
	    " EXECUTE FUNCTION leave()");
	assert_int_equal(store_reserve(f->store, &r, &id), OC_ERR_BUSY);
	assert_int_equal(id, 77);
	assert_non_null(strstr(store_error(f->store), "nothing was written"));
	sql(f, "DROP TRIGGER leave ON certificate");
	assert_int_equal(read_sql(f->path, "SELECT count(*) FROM"
	    " certificate"), 0);
	reserve_one(f, 1);
	assert_verifies(f->store);
}

struct reserving {
	struct fixture *f;
	enum oc_err err;
	int64_t id;
};

static void *
reserve_in_thread(void *arg)
{
	struct reserving *w = arg;
	struct store_reservation r = reservation_of(w->f->issuer_id, 1);

	w->err = store_reserve(w->f->store, &r, &w->id);
	return NULL;
}

static int64_t
num_waiting(const struct fixture *f)
{
	return database_run(f->path, "SELECT count(*) FROM pg_stat_activity"
	    " WHERE wait_event = 'SyncRep'");
}

/* From when on commits wait for a replica is up to the server's checkpointer:
 * one that changes nothing is tried until it does. */
static void
await_replica(const struct fixture *f, int64_t deadline_ns)
{
	PGconn *db = database_connect(f->path);
	PGresult *result;

	sql(f, "ALTER SYSTEM SET synchronous_standby_names = 'nobody'");
	sql(f, "SELECT pg_reload_conf()");
	while (num_waiting(f) == 0) {
		assert_true(oc_clock_mono_ns() < deadline_ns);
		assert_int_equal(PQconsumeInput(db), 1);
		if (PQisBusy(db))
			continue;
		while ((result = PQgetResult(db)) != NULL)
			PQclear(result);
		assert_int_equal(PQsendQuery(db, "SELECT"
		    " pg_logical_emit_message(true, 'test', '')"), 1);
	}
	database_run(f->path, "SELECT pg_terminate_backend(pid) FROM"
	    " pg_stat_activity WHERE wait_event = 'SyncRep'");
	PQfinish(db);
	while (num_waiting(f) != 0)
		assert_true(oc_clock_mono_ns() < deadline_ns);
}

static int
stop_awaiting(void **state)
{
	const struct fixture *f = *state;

	sql(f, "ALTER SYSTEM RESET synchronous_standby_names");
	sql(f, "SELECT pg_reload_conf()");
	return teardown(state);
}

/* The commit is on the server's disk and waits for a replica that never
 * comes; end is what happens to it there. */
static void
lose_after_commit(struct fixture *f, const char *end)
{
	struct reserving w = { .f = f };
	int64_t deadline_ns = oc_clock_mono_ns() + 20 * OC_NS_PER_S;
	pthread_t thread;
	char text[200];
	bool is_early;

	await_replica(f, deadline_ns);
	assert_int_equal(pthread_create(&thread, NULL, reserve_in_thread,
	    &w), 0);
	while (num_waiting(f) == 0) {
		assert_true(oc_clock_mono_ns() < deadline_ns);
		usleep(1000);
	}
	/* Nobody sees what is not confirmed. */
	assert_int_equal(database_run(f->path, "SELECT count(*) FROM"
	    " certificate"), 0);
	snprintf(text, sizeof(text), "SELECT %s(pid) FROM pg_stat_activity"
	    " WHERE wait_event = 'SyncRep'", end);
	database_run(f->path, text);
	usleep(300 * 1000);
	is_early = pthread_tryjoin_np(thread, NULL) == 0;
	sql(f, "ALTER SYSTEM RESET synchronous_standby_names");
	sql(f, "SELECT pg_reload_conf()");
	/* Found out, and not said before the server waits no more. */
	assert_false(is_early);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(w.err, OC_OK);
	assert_int_equal(w.id, 1);
	assert_int_equal(read_sql(f->path, "SELECT count(*) FROM"
	    " certificate"), 1);
	assert_ok(store_issue(f->store, w.id, BLOB("certificate")));
	assert_verifies(f->store);
}

static void
test_lost_after_commit(void **state)
{
	lose_after_commit(*state, "pg_terminate_backend");
}

/* The server only warns: "committed locally". */
static void
test_wait_cancelled(void **state)
{
	lose_after_commit(*state, "pg_cancel_backend");
}

/* --- another store ------------------------------------------------------ */

/* As after a replica took over that lacks the last entry. */
static void
lose_history(const struct fixture *f)
{
	database_run(f->path, "DELETE FROM certificate WHERE change_seq ="
	    " (SELECT change_seq FROM store);"
	    "DELETE FROM certificate_tbs WHERE id = 2;"
	    "DELETE FROM journal WHERE number ="
	    " (SELECT journal_number FROM store);"
	    "UPDATE store SET change_seq = change_seq - 1,"
	    " journal_number = journal_number - 1, journal_hash ="
	    " (SELECT hash FROM journal ORDER BY number DESC LIMIT 1)");
}

static void
test_lost_history(void **state)
{
	struct fixture *f = *state;
	struct store_reservation r = reservation_of(f->issuer_id, 3);
	struct store *reader = open_store(f->path, STORE_READ), *other;
	int64_t version, id;

	reserve_one(f, 1);
	reserve_one(f, 2);
	assert_ok(store_data_version(reader, &version));
	lose_history(f);
	/* On the connection that there was, and on a new one. */
	for (int i = 0; i < 2; i++) {
		assert_int_equal(store_reserve(f->store, &r, &id),
		    OC_ERR_STORE);
		assert_non_null(strstr(store_error(f->store), "has lost"));
		end_sessions(f);
	}
	store_set_busy_timeout(reader, 200);
	assert_int_equal(store_data_version(reader, &version), OC_ERR_DOWN);
	assert_non_null(strstr(store_error(reader), "behind"));
	/* Others take the same numbers. */
	other = open_store(f->path, STORE_WRITE);
	assert_ok(store_reserve(other, &r, &id));
	assert_int_equal(id, 2);
	store_close(other);
	assert_int_equal(store_reserve(f->store, &r, &id), OC_ERR_STORE);
	assert_int_equal(store_data_version(reader, &version), OC_ERR_STORE);
	store_close(reader);
}

static void
test_put_back(void **state)
{
	struct fixture *f = *state;
	struct store_reservation r = reservation_of(f->issuer_id, 3);
	struct store *reader = open_store(f->path, STORE_READ);
	struct oc_error error = { 0 };
	uint8_t before[STORE_ID_LEN], after[STORE_ID_LEN];
	uint32_t epoch = store_epoch(f->store);
	uint64_t number, later;
	int64_t id, version;

	store_id(f->store, before);
	reserve_one(f, 1);
	assert_ok(store_reserve_crl(f->store, f->issuer_id, 1, 2, &id,
	    &number));
	assert_ok(store_data_version(reader, &version));
	/* As pg_restore does. */
	sql(f, "ALTER TABLE store RENAME TO gone;"
	    "CREATE TABLE store (LIKE gone INCLUDING ALL);"
	    "INSERT INTO store SELECT * FROM gone; DROP TABLE gone");
	assert_int_equal(store_reserve(f->store, &r, &id), OC_ERR_REFUSED);
	assert_refused(f->path, STORE_WRITE, OC_ERR_REFUSED, "from a copy");
	assert_refused(f->path, STORE_CREATE, OC_ERR_REFUSED, "from a copy");
	store_close(open_store(f->path, STORE_READ));
	if (store_renew(f->path, &error) != OC_OK)
		fail_msg("%s", error.text);
	assert_int_equal(store_reserve(f->store, &r, &id), OC_ERR_REFUSED);
	usleep(1100 * 1000);
	assert_int_equal(store_data_version(reader, &version),
	    OC_ERR_REFUSED);
	store_close(reader);
	store_close(f->store);
	f->store = open_store(f->path, STORE_WRITE);
	store_id(f->store, after);
	assert_memory_not_equal(before, after, sizeof(before));
	assert_true(store_epoch(f->store) > epoch);
	reserve_one(f, 3);
	assert_ok(store_reserve_crl(f->store, f->issuer_id, 1, 2, &id,
	    &later));
	assert_true(later >> 32 > number >> 32);
	assert_verifies(f->store);
}

/* CREATE DATABASE ... TEMPLATE copies each table with its number. */
static void
test_copied(void **state)
{
	struct fixture *f = *state;
	char text[400];

	store_close(f->store);
	f->store = NULL;
	end_sessions(f);
	snprintf(text, sizeof(text), "%s dbname=postgres", f->path);
	database_run(text, "CREATE DATABASE copied TEMPLATE ocsign");
	snprintf(text, sizeof(text), "%s dbname=copied", f->path);
	assert_refused(text, STORE_WRITE, OC_ERR_REFUSED, "from a copy");
	store_close(open_store(text, STORE_READ));
	sql(f, "DROP DATABASE copied WITH (FORCE)");
	f->store = open_store(f->path, STORE_WRITE);
	assert_verifies(f->store);
}

static void
test_backup(void **state)
{
	struct fixture *f = *state;
	struct oc_error error = { 0 };

	assert_int_equal(store_backup(f->store, "/tmp/nowhere", &error),
	    OC_ERR_UNSUPPORTED);
	assert_non_null(strstr(error.text, "pg_dump"));
	assert_int_equal(store_restore("/nowhere", f->path, &error),
	    OC_ERR_UNSUPPORTED);
	assert_int_equal(store_renew("/tmp/x.db", &error), OC_ERR_USAGE);
}

/* --- news --------------------------------------------------------------- */

/* How long until the reader says that there is some. */
static int64_t
wait_ms(struct store *reader, int64_t version)
{
	int64_t begin_ns = oc_clock_mono_ns(), now = version, passed_ms = 0;

	while (now == version && passed_ms < 5000) {
		usleep(2000);
		assert_ok(store_data_version(reader, &now));
		passed_ms = (oc_clock_mono_ns() - begin_ns) / OC_NS_PER_MS;
	}
	return passed_ms;
}

/* Told by a notice, which comes sooner than the question each second. */
static void
test_notified(void **state)
{
	struct fixture *f = *state;
	struct store *reader = open_store(f->path, STORE_READ);
	int num_soon = 0;

	for (uint64_t n = 1; n <= 12; n++) {
		int64_t version;

		assert_ok(store_data_version(reader, &version));
		reserve_one(f, n);
		if (wait_ms(reader, version) < 300)
			num_soon++;
	}
	assert_true(num_soon >= 10);
	store_close(reader);
}

static void
test_notice_missed(void **state)
{
	struct fixture *f = *state;
	struct store *reader = open_store(f->path, STORE_READ);
	int64_t version;

	for (uint64_t n = 1; n <= 3; n++) {
		assert_ok(store_data_version(reader, &version));
		assert_ok(sql_exec(reader, "deaf", "UNLISTEN *"));
		reserve_one(f, n);
		assert_true(wait_ms(reader, version) < 2000);
	}
	store_close(reader);
}

static void *
revoke_second(void *arg)
{
	struct fixture *f = arg;

	if (revoke_one(f, 2, CRL_REASON_SUPERSEDED) != OC_OK)
		f->issuer_id = 0;
	return NULL;
}

/* Who has read up to a change has missed none before it: none gets a later
 * place and is seen first.  Transactions of others on the server, however long,
 * keep nobody from reading. */
static void
test_in_order(void **state)
{
	struct fixture *f = *state, other = *f;
	struct store *reader = open_store(f->path, STORE_READ);
	PGconn *idle = database_connect(f->path);
	struct store_change changes[8];
	uint32_t num = 77;
	pthread_t thread;
	int64_t seq;

	PQclear(PQexec(idle, "BEGIN; SELECT pg_current_xact_id()"));
	issue_one(f, 1);
	issue_one(f, 2);
	assert_ok(store_change_seq(reader, &seq));
	other.store = open_store(f->path, STORE_WRITE);
	assert_ok(store_begin_group(f->store));
	assert_ok(revoke_one(f, 1, CRL_REASON_SUPERSEDED));
	assert_int_equal(pthread_create(&thread, NULL, revoke_second, &other),
	    0);
	for (int i = 0; i < 2000 && read_sql(f->path, "SELECT count(*) FROM"
	    " pg_stat_activity WHERE wait_event_type = 'Lock' AND"
	    " application_name = 'ocsign'") == 0; i++)
		usleep(2000);
	assert_ok(store_read_changes(reader, seq, changes, 8, &num));
	assert_int_equal(num, 0);
	assert_ok(store_commit_group(f->store));
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(other.issuer_id, f->issuer_id);
	assert_ok(store_read_changes(reader, seq, changes, 8, &num));
	assert_int_equal(num, 2);
	assert_int_equal(changes[0].seq, seq + 1);
	assert_int_equal(changes[1].seq, seq + 2);
	PQfinish(idle);
	store_close(other.store);
	store_close(reader);
	assert_verifies(f->store);
}

#define BARE(name) \
	cmocka_unit_test_setup_teardown(name, setup_directory, teardown)
#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, setup_store, teardown)
/* A test that fails must not leave commits that wait. */
#define AWAITING(name) \
	cmocka_unit_test_setup_teardown(name, setup_store, stop_awaiting)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		BARE(test_which),
		BARE(test_open_refused),
		BARE(test_encoding),
		BARE(test_migrate),
		BARE(test_create_race),
		TEST(test_settings),
		TEST(test_lost_between),
		TEST(test_hangs),
		TEST(test_lost_in_change),
		TEST(test_put_off),
		TEST(test_lost_before_commit),
		AWAITING(test_lost_after_commit),
		AWAITING(test_wait_cancelled),
		TEST(test_lost_history),
		TEST(test_put_back),
		TEST(test_copied),
		TEST(test_backup),
		TEST(test_in_order),
		TEST(test_notified),
		TEST(test_notice_missed)
	};

	if (!on_database())
		return 77;	/* store_postgres.sh has the server */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
#else
int
main(void)
{
	puts("skipped: built without PostgreSQL");
	return 77;
}
#endif
