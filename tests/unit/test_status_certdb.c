/* SPDX-License-Identifier: Apache-2.0 */
/* CFSSL's certdb: rows, right and wrong, and files of SQLite: of several
 * issuers, locked, in WAL mode, damaged, in a folder that is not ours. */
#include "base_test.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include "status/certdb.h"

/* Of no matter but where a row has no authority_key_identifier. */
static struct x509_cert cert;
static const struct status_certdb_issuer ours = { &cert, (char *)(uintptr_t)
    "0a1b2c3d4e5f60718293a4b5c6d7e8f900112233" };
static const struct status_certdb_issuer nobody = { &cert,
    (char *)(uintptr_t)"0011" };

#define AKI "0a1b2c3d4e5f60718293a4b5c6d7e8f900112233"

/* --- rows -------------------------------------------------------------- */

static void
test_times(void **state)
{
	static const struct { const char *text; int64_t at; } good[] = {
		{ "2025-11-24 14:59:36", 1763996376 },
		{ "2025-11-24T14:59:36Z", 1763996376 },
		{ "2025-11-24 14:59:36+00:00", 1763996376 },
		{ "2025-11-24 15:59:36.123456789+01:00", 1763996376 },
		{ "2025-11-24 09:29:36-0530", 1763996376 },
		{ "2025-11-24 16:59:36+02", 1763996376 },
		{ "2025-11-24 14:59:36 +0000 UTC", 1763996376 },
		{ "0001-01-01 00:00:00+00:00", INT64_C(-62135596800) },
	};
	static const char *const bad[] = { "", "now", "2025-11-24",
	    "2025-11-24 14:59", "2025-13-24 14:59:36", "1763996376",
	    "2025-11-24 14:59:36x", "2025-11-24 14:59:36.",
	    "2025-11-24 14:59:36+1", "2025-11-24 25:59:36",
	    "2025-11-24  14:59:36" };
	int64_t at;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(status_certdb_time(good[i].text, &at), OC_OK);
		assert_true(at == good[i].at);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(status_certdb_time(bad[i], &at),
		    OC_ERR_MALFORMED);
}

static void
test_rows(void **state)
{
	static const char day[] = "2036-11-24 14:59:36+00:00";
	static const struct {
		const char *serial, *status, *reason, *expiry, *revoked_at;
		const char *why;
	} bad[] = {
		{ NULL, "good", "0", day, NULL, "serial_number \"\"" },
		{ "", "good", "0", day, NULL, "serial_number \"\"" },
		{ "0", "good", "0", day, NULL, "serial_number \"0\"" },
		{ "012", "good", "0", day, NULL, "serial_number \"012\"" },
		{ "1a", "good", "0", day, NULL, "serial_number \"1a\"" },
		{ "-1", "good", "0", day, NULL, "serial_number \"-1\"" },
		{ "9999999999999999999999999999999999999999999999999",
		    "good", "0", day, NULL, "serial_number" },
		{ "12", "good", "0", NULL, NULL, "certificate 12: expiry" },
		{ "12", "good", "0", "x", NULL, "certificate 12: expiry" },
		{ "12", NULL, "0", day, NULL, "certificate 12: its status" },
		{ "12", "Good", "0", day, NULL, "certificate 12: its status" },
		{ "12", "revoked", "0", day, NULL, "certificate 12: it is "
		    "revoked, and revoked_at" },
		{ "12", "revoked", "7", day, day, "certificate 12: its rea" },
		{ "12", "revoked", "-1", day, day, "certificate 12: its rea" },
		{ "12", "revoked", "x", day, day, "certificate 12: its reas" },
	};
	static const char why_none[] = "certificate 12: it has no "
	    "authority_key_identifier, and its pem cannot be read";
	struct status_certdb db = { .issuer = &ours };
	struct oc_error error = { 0 };

	(void)state;
	assert_int_equal(status_list_new(&db.list), OC_OK);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(status_certdb_put(&db,
		    &(struct status_certdb_row){ AKI, NULL, bad[i].serial,
		    bad[i].status, bad[i].reason, bad[i].expiry,
		    bad[i].revoked_at }, &error), OC_ERR_MALFORMED);
		if (strncmp(error.text, bad[i].why, strlen(bad[i].why)) != 0)
			fail_msg("\"%s\", not \"%s\"", error.text, bad[i].why);
	}
	assert_int_equal(status_certdb_put(&db, &(struct status_certdb_row){
	    "", "x", "12", "good", "0", day, NULL }, &error),
	    OC_ERR_MALFORMED);
	assert_string_equal(error.text, why_none);
	assert_int_equal(status_certdb_put(&db, &(struct status_certdb_row){
	    NULL, NULL, "12", "good", "0", day, NULL }, &error),
	    OC_ERR_MALFORMED);
	assert_string_equal(error.text, why_none);
	assert_int_equal(db.list->num_entries, 0);
	assert_int_equal(status_certdb_finish(&db, &error), OC_ERR_MALFORMED);
	assert_int_equal(status_certdb_put(&db, &(struct status_certdb_row){
	    .key_id = "ff" }, &error), OC_OK);
	assert_int_equal(status_certdb_finish(&db, &error), OC_ERR_MISMATCH);
	status_list_release(db.list);
}

/* --- files ------------------------------------------------------------- */

static void
run(sqlite3 *db, const char *sql)
{
	char *why = NULL;

	if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK)
		fail_msg("%s: %s", sql, why);
}

/* As CFSSL's migrations make it. */
static sqlite3 *
make(const char *path, const char *mode)
{
	sqlite3 *db;
	char sql[64];

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	(void)snprintf(sql, sizeof(sql), "PRAGMA journal_mode = %s", mode);
	run(db, sql);
	run(db, "CREATE TABLE certificates (serial_number blob NOT NULL, "
	    "authority_key_identifier blob NOT NULL, ca_label blob, "
	    "status blob NOT NULL, reason int, expiry timestamp, "
	    "revoked_at timestamp, pem blob NOT NULL, "
	    "PRIMARY KEY(serial_number, authority_key_identifier))");
	run(db, "INSERT INTO certificates VALUES "
	    "('255', '" AKI "', '', 'good', 0, "
	    "'2036-11-24 14:59:36+00:00', '0001-01-01 00:00:00+00:00', 'p'), "
	    "('1', upper('" AKI "'), '', 'revoked', 1, "
	    "'2036-11-24 14:59:36+00:00', '2025-11-24 14:59:36', 'p'), "
	    "(CAST('730750818665451459101842416358141509827966271487' AS "
	    "BLOB), '" AKI "', NULL, 'revoked', NULL, "
	    "'2036-11-24 14:59:36+00:00', '2025-11-24 14:59:36', 'p'), "
	    "('1', 'ff00', '', 'good', 0, "
	    "'2036-11-24 14:59:36+00:00', NULL, 'p')");
	return db;
}

static struct status_list *
read_well(const char *path)
{
	struct status_list *list = NULL;
	struct oc_error error = { 0 };

	if (status_certdb_read_sqlite(path, &ours, &list, &error) != OC_OK)
		fail_msg("%s", error.text);
	return list;
}

static enum oc_err
read_badly(const char *path, const struct status_certdb_issuer *issuer,
    const char *why)
{
	struct status_list *list = NULL;
	struct oc_error error = { 0 };
	enum oc_err err = status_certdb_read_sqlite(path, issuer, &list,
	    &error);

	assert_null(list);
	if (strstr(error.text, why) == NULL)
		fail_msg("\"%s\", not \"%s\"", error.text, why);
	return err;
}

static const struct status_entry *
find(const struct status_list *list, const char *hex)
{
	static struct status_entry entry;
	struct oc_serial serial;

	assert_true(status_serial_read(hex, strlen(hex), &serial));
	return status_list_find(list, &serial, &entry) ? &entry : NULL;
}

static void
check(struct status_list *list)
{
	const struct status_entry *e = find(list, "FF");

	assert_int_equal(list->num_entries, 3);
	assert_int_equal(list->num_revoked, 2);
	assert_false(e->is_revoked);
	assert_true(e->not_after == INT64_C(2111151576));
	e = find(list, "01");
	assert_true(e->is_revoked && e->reason == CRL_REASON_KEY_COMPROMISE);
	assert_true(e->revoked_at == INT64_C(1763996376));
	e = find(list, "7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF");
	assert_true(e->is_revoked && e->reason == CRL_REASON_UNSPECIFIED);
	status_list_release(list);
}

static void
test_file(void **state)
{
	sqlite3 *db = make("a?b#c%41.db", "DELETE");

	(void)state;
	check(read_well("a?b#c%41.db"));
	assert_int_equal(read_badly("a?b#c%41.db", &nobody, "of other issuers"),
	    OC_ERR_MISMATCH);
	run(db, "UPDATE certificates SET status = 'held'");
	assert_int_equal(read_badly("a?b#c%41.db", &ours, "neither good nor"),
	    OC_ERR_MALFORMED);
	run(db, "DELETE FROM certificates");
	assert_int_equal(read_badly("a?b#c%41.db", &ours, "no certificate is"),
	    OC_ERR_MALFORMED);
	run(db, "DROP TABLE certificates");
	(void)read_badly("a?b#c%41.db", &ours, "no such table");
	(void)sqlite3_close(db);
	assert_int_equal(read_badly("none.db", &ours, "No such file"),
	    OC_ERR_NOT_FOUND);
	assert_int_equal(access("none.db", F_OK), -1);
}

/* Whoever writes is waited for, and then it is busy. */
static void
test_locked(void **state)
{
	sqlite3 *db = make("c.db", "DELETE");

	(void)state;
	run(db, "BEGIN EXCLUSIVE");
	assert_int_equal(read_badly("c.db", &ours, "locked"), OC_ERR_BUSY);
	run(db, "UPDATE certificates SET status = 'good'");
	assert_int_equal(read_badly("c.db", &ours, "locked"), OC_ERR_BUSY);
	run(db, "ROLLBACK");
	check(read_well("c.db"));
	(void)sqlite3_close(db);
}

/* What is only in the log is read, and seen as a change. */
static void
test_wal(void **state)
{
	struct oc_file_stamp before, after;
	struct status_list *list;
	sqlite3 *db = make("w.db", "WAL");

	(void)state;
	check(read_well("w.db"));
	assert_int_equal(status_certdb_stamp_sqlite("w.db", &before, NULL),
	    OC_OK);
	run(db, "UPDATE certificates SET status = 'revoked', reason = 4, "
	    "revoked_at = CURRENT_TIMESTAMP WHERE serial_number = '255'");
	assert_int_equal(status_certdb_stamp_sqlite("w.db", &after, NULL),
	    OC_OK);
	assert_false(oc_file_stamp_equal(&before, &after));
	list = read_well("w.db");
	assert_int_equal(status_certdb_stamp_sqlite("w.db", &before, NULL),
	    OC_OK);
	assert_true(oc_file_stamp_equal(&before, &after));
	assert_true(find(list, "FF")->is_revoked);
	assert_int_equal(find(list, "FF")->reason, CRL_REASON_SUPERSEDED);
	status_list_release(list);
	(void)sqlite3_close(db);
	/* Who is alone with it, and reads, changes nothing. */
	assert_int_equal(status_certdb_stamp_sqlite("w.db", &before, NULL),
	    OC_OK);
	for (int i = 0; i < 3; i++) {
		status_list_release(read_well("w.db"));
		assert_int_equal(status_certdb_stamp_sqlite("w.db", &after,
		    NULL), OC_OK);
		assert_true(oc_file_stamp_equal(&before, &after));
	}
}

/* In WAL mode, closed, and we may write nothing beside it. */
static void
test_not_ours(void **state)
{
	sqlite3 *db;

	(void)state;
	assert_int_equal(mkdir("theirs", 0700), 0);
	db = make("theirs/w.db", "WAL");
	(void)sqlite3_close(db);
	assert_int_equal(access("theirs/w.db-wal", F_OK), -1);
	assert_int_equal(chmod("theirs/w.db", 0444), 0);
	assert_int_equal(chmod("theirs", 0555), 0);
	check(read_well("theirs/w.db"));
	assert_int_equal(chmod("theirs", 0755), 0);
	/* Root may, whatever the mode says. */
	if (geteuid() != 0)
		assert_int_equal(access("theirs/w.db-shm", F_OK), -1);
}

/* Nobody would ever write to it. */
static void
test_pipe(void **state)
{
	(void)state;
	assert_int_equal(mkfifo("p.db", 0600), 0);
	(void)alarm(20);
	assert_int_equal(read_badly("p.db", &ours, "regular"),
	    OC_ERR_REFUSED);
	(void)alarm(0);
}

/* Half of one: no list, whatever it is that SQLite finds. */
static void
test_torn(void **state)
{
	sqlite3 *db = make("t.db", "DELETE");
	struct stat st;
	char sql[160];

	(void)state;
	for (int i = 0; i < 200; i++) {
		(void)snprintf(sql, sizeof(sql), "INSERT INTO certificates "
		    "VALUES ('%d', '" AKI "', '', 'good', 0, "
		    "'2036-11-24 14:59:36', NULL, 'p')", 1000 + i);
		run(db, sql);
	}
	(void)sqlite3_close(db);
	assert_int_equal(stat("t.db", &st), 0);
	assert_int_equal(truncate("t.db", st.st_size / 2), 0);
	assert_int_equal(read_badly("t.db", &ours, "malformed"), OC_ERR_SYSTEM);
	assert_int_equal(truncate("t.db", 0), 0);
	(void)read_badly("t.db", &ours, "no such table");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_rows),
		cmocka_unit_test_setup_teardown(test_file, base_test_enter,
		    base_test_leave),
		cmocka_unit_test_setup_teardown(test_locked, base_test_enter,
		    base_test_leave),
		cmocka_unit_test_setup_teardown(test_wal, base_test_enter,
		    base_test_leave),
		cmocka_unit_test_setup_teardown(test_not_ours,
		    base_test_enter, base_test_leave),
		cmocka_unit_test_setup_teardown(test_pipe, base_test_enter,
		    base_test_leave),
		cmocka_unit_test_setup_teardown(test_torn, base_test_enter,
		    base_test_leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
