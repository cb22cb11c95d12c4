/* SPDX-License-Identifier: Apache-2.0 */
/* What the store's tests share: a store in a directory of its own, or in a
 * schema of its own (store_database.h), and records to put into it. */
#ifndef TESTS_UNIT_STORE_FIXTURE_H
#define TESTS_UNIT_STORE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "store/store.h"
#include "store_database.h"

struct fixture {
	char directory[256];
	char path[300];			/* what store_open() takes */
	struct store *store;
	int64_t issuer_id;
};

static const uint8_t fixture_key[STORE_HASH_LEN] = { 1, 2, 3 };

#define BLOB(text) ((struct store_blob){ (const uint8_t *)(text), \
	sizeof(text) - 1 })
#define assert_ok(expression) assert_int_equal((expression), OC_OK)

static inline int
remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st;
	(void)kind;
	(void)ftw;
	return remove(path);
}

static inline struct store *
open_store(const char *path, enum store_mode mode)
{
	struct store *store = NULL;
	struct oc_error error = { 0 };

	if (store_open(path, mode, &store, &error) != OC_OK)
		fail_msg("store_open: %s", error.text);
	return store;
}

/* Of what only files have. */
static inline void
needs_file(void)
{
	if (on_database())
		skip();
}

/* Where there is no store yet. */
static inline void
other_place(const struct fixture *f, int n, char *path, size_t room)
{
	if (on_database())
		database_place(path, room);
	else
		snprintf(path, room, "%s/other.%d", f->directory, n);
}

/* Only the directory. */
static inline int
setup_directory(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	const char *tmp = getenv("TMPDIR");

	if (f == NULL)
		return -1;
	snprintf(f->directory, sizeof(f->directory), "%s/ocsign-store.XXXXXX",
	    tmp == NULL ? "/tmp" : tmp);
	if (mkdtemp(f->directory) == NULL)
		return -1;
	if (on_database())
		database_place(f->path, sizeof(f->path));
	else
		snprintf(f->path, sizeof(f->path), "%s/store.db",
		    f->directory);
	*state = f;
	return 0;
}

/* A store with one issuer. */
static inline int
setup_store(void **state)
{
	struct fixture *f;

	if (setup_directory(state) != 0)
		return -1;
	f = *state;
	f->store = open_store(f->path, STORE_CREATE);
	store_set_actor(f->store, "test");
	assert_ok(store_put_issuer(f->store, "ca", BLOB("CA certificate"),
	    fixture_key, &f->issuer_id));
	return 0;
}

static inline int
teardown(void **state)
{
	struct fixture *f = *state;

	store_close(f->store);
	nftw(f->directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(f);
	return 0;
}

/* The 20 octets that stand for n. */
static inline struct oc_serial
serial_of(uint64_t n)
{
	struct oc_serial serial = { .len = 20 };

	serial.bytes[0] = 0x40;
	for (int i = 19; i > 11; i--, n >>= 8)
		serial.bytes[i] = (uint8_t)n;
	return serial;
}

static inline struct store_reservation
reservation_of(int64_t issuer_id, uint64_t n)
{
	return (struct store_reservation){
		.issuer_id = issuer_id,
		.serial = serial_of(n),
		.tbs = BLOB("TBS"),
		.not_before = 1000,
		.not_after = 4000000000,
		.profile = "tls",
		.subject = "CN=a.example",
		.names = "DNS:a.example\nDNS:b.example"
	};
}

static inline int64_t
reserve_one(struct fixture *f, uint64_t n)
{
	struct store_reservation r = reservation_of(f->issuer_id, n);
	int64_t id = 0;

	assert_ok(store_reserve(f->store, &r, &id));
	return id;
}

static inline int64_t
issue_one(struct fixture *f, uint64_t n)
{
	int64_t id = reserve_one(f, n);

	assert_ok(store_issue(f->store, id, BLOB("certificate")));
	return id;
}

static inline enum oc_err
revoke_one(struct fixture *f, uint64_t n, enum crl_reason reason)
{
	struct store_revocation r = {
		.issuer_id = f->issuer_id,
		.serial = serial_of(n),
		.reason = reason,
		.revoked_at = 2000
	};

	return store_revoke(f->store, &r);
}

static inline void
assert_verifies(struct store *store)
{
	int64_t num = 0, bad = 0;

	if (store_verify_journal(store, &num, &bad) != OC_OK)
		fail_msg("journal: %s", store_error(store));
	assert_true(num > 0);
	assert_int_equal(bad, 0);
}

/* Behind the store's back. */
static inline void
run_sql(const char *path, const char *text)
{
	sqlite3 *db;
	char *error = NULL;

	if (store_is_database(path)) {
		database_run(path, text);
		return;
	}
	assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE |
	    SQLITE_OPEN_CREATE, NULL), SQLITE_OK);
	sqlite3_busy_timeout(db, 5000);
	if (sqlite3_exec(db, text, NULL, NULL, &error) != SQLITE_OK)
		fail_msg("%s: %s", text, error);
	sqlite3_close(db);
}

/* As version 3 had it.  Lists are text here, which SQL can put together. */
static inline void
go_back_to_3(const char *path)
{
	run_sql(path, "DROP TABLE acme_order_proof; DROP TABLE acme_order;"
	    "DROP TABLE proof_challenge; DROP TABLE proof;"
	    "DROP TABLE acme_external_key; DROP TABLE acme_account;"
	    "DROP INDEX certificate_revoked;"
	    "DROP INDEX certificate_released;"
	    "DROP INDEX certificate_changed;"
	    "DROP INDEX certificate_partition;"
	    "ALTER TABLE certificate DROP COLUMN crl_partition;"
	    "ALTER TABLE certificate DROP COLUMN released_seq");
	run_sql(path, "ALTER TABLE crl RENAME TO crl_4; CREATE TABLE crl ("
	    "id INTEGER PRIMARY KEY,"
	    "issuer_id INTEGER NOT NULL REFERENCES issuer (id),"
	    "number INTEGER NOT NULL, this_update INTEGER NOT NULL,"
	    "next_update INTEGER NOT NULL, reserved_at INTEGER NOT NULL,"
	    "issued_at INTEGER NOT NULL DEFAULT 0, der BLOB,"
	    "CHECK ((der IS NULL) = (issued_at = 0)),"
	    "UNIQUE (issuer_id, number));"
	    "INSERT INTO crl SELECT id, issuer_id, number, this_update,"
	    "next_update, reserved_at, issued_at, (SELECT"
	    " CAST(group_concat(CAST(der AS TEXT), '') AS BLOB) FROM"
	    " (SELECT der FROM crl_part WHERE crl_id = crl_4.id"
	    "  ORDER BY number)) FROM crl_4;"
	    "DROP TABLE crl_part; DROP TABLE crl_4;"
	    "DROP TABLE response;"
	    "DROP TABLE response_context;"
	    "DROP TABLE certificate_import;"
	    "CREATE INDEX certificate_revoked ON certificate (issuer_id,"
	    "length(serial), serial) WHERE revoked_at IS NOT NULL;"
	    "PRAGMA user_version = 3");
}

static inline int64_t
read_sql(const char *path, const char *text)
{
	sqlite3_stmt *statement;
	sqlite3 *db;
	int64_t value;

	if (store_is_database(path))
		return database_run(path, text);
	assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE,
	    NULL), SQLITE_OK);
	sqlite3_busy_timeout(db, 5000);
	assert_int_equal(sqlite3_prepare_v2(db, text, -1, &statement, NULL),
	    SQLITE_OK);
	assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
	value = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	sqlite3_close(db);
	return value;
}

/* Of the journal's details; a database fails at the first. */
static inline int64_t
num_not_json(const struct fixture *f)
{
	return read_sql(f->path, on_database() ? "SELECT count(*) FROM journal"
	    " WHERE CAST(detail AS json) IS NULL" : "SELECT count(*) FROM"
	    " journal WHERE NOT json_valid(detail)");
}

#endif
