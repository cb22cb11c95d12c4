/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store's tests on PostgreSQL: with OCSIGN_TEST_DATABASE, a connection
 * string of a server that tests/unit/store_postgres.sh has started, each test
 * has a schema of its own there.
 */
#ifndef TESTS_UNIT_STORE_DATABASE_H
#define TESTS_UNIT_STORE_DATABASE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static inline bool
on_database(void)
{
	return getenv("OCSIGN_TEST_DATABASE") != NULL;
}

#ifdef HAVE_LIBPQ
#include <libpq-fe.h>

#include "store/postgres_text.h"

static inline PGconn *
database_connect(const char *conninfo)
{
	PGconn *db = PQconnectdb(conninfo);

	if (PQstatus(db) != CONNECTION_OK)
		fail_msg("%s", PQerrorMessage(db));
	return db;
}

/* x'00' is '\x00', and then what is otherwise called otherwise. */
static inline char *
database_text(const char *text)
{
	char literal[4096], *to = literal, before = ' ';

	for (; *text != '\0'; before = *text++) {
		assert_true(to < literal + sizeof(literal) - 4);
		if (text[0] == 'x' && text[1] == '\'' &&
		    strchr(" (=,", before) != NULL) {
			memcpy(to, "'\\x", 3);
			to += 3;
			text++;
		} else {
			*to++ = *text;
		}
	}
	*to = '\0';
	to = postgres_text(literal);
	assert_non_null(to);
	return to;
}

/* The first column of the first row, 0 if there is none.  No constraint
 * between tables holds, as none does for the sqlite3 command. */
static inline int64_t
database_run(const char *conninfo, const char *text)
{
	PGconn *db = database_connect(conninfo);
	char *theirs = database_text(text);
	PGresult *result;
	int64_t value = 0;

	PQclear(PQexec(db, "SET client_min_messages = error;"
	    "SET session_replication_role = replica"));
	result = PQexec(db, theirs);
	if (PQresultStatus(result) == PGRES_FATAL_ERROR)
		fail_msg("%s: %s", theirs, PQerrorMessage(db));
	if (PQresultStatus(result) == PGRES_TUPLES_OK &&
	    PQntuples(result) > 0)
		value = strtoll(PQgetvalue(result, 0, 0), NULL, 10);
	PQclear(result);
	PQfinish(db);
	free(theirs);
	return value;
}

static inline void
database_schema(const char *name, char *conninfo, size_t room)
{
	const char *base = getenv("OCSIGN_TEST_DATABASE");
	char text[400];

	assert_true((size_t)snprintf(conninfo, room, "%s options="
	    "-csearch_path=%s", base, name) < room);
	snprintf(text, sizeof(text), "CREATE SCHEMA %s; SET search_path = %s;"
	    "CREATE FUNCTION zeroblob(int4) RETURNS bytea LANGUAGE sql AS"
	    " 'SELECT decode(repeat(''00'', $1), $$hex$$)'", name, name);
	database_run(base, text);
}

/* Nobody else's, also of a child. */
static inline void
database_place(char *conninfo, size_t room)
{
	static int num;
	char name[64];

	snprintf(name, sizeof(name), "t%d_%d", (int)getpid(), num++);
	database_schema(name, conninfo, room);
}

static const char *const database_tables[] = {
	"store", "issuer", "certificate", "certificate_tbs",
	"certificate_der", "crl", "crl_part", "journal", "account",
	"account_token", "zone", "certificate_request", "certificate_zone",
	"certificate_import", "response_context", "response",
	"acme_account", "acme_external_key", "proof", "proof_challenge",
	"acme_order", "acme_order_proof"
};

#define NUM_DATABASE_TABLES \
	(sizeof(database_tables) / sizeof(database_tables[0]))

static inline void
database_keep(const char *conninfo)
{
	for (size_t i = 0; i < NUM_DATABASE_TABLES; i++) {
		const char *name = database_tables[i];
		char text[200];

		snprintf(text, sizeof(text), "CREATE TABLE kept_%s AS"
		    " SELECT * FROM %s", name, name);
		database_run(conninfo, text);
	}
}

static inline void
database_put_back(const char *conninfo)
{
	char text[4096] = "";
	size_t len = 0;

	for (size_t i = 0; i < NUM_DATABASE_TABLES; i++) {
		const char *name = database_tables[i];

		len += (size_t)snprintf(text + len, sizeof(text) - len,
		    "DELETE FROM %s; INSERT INTO %s SELECT * FROM kept_%s;",
		    name, name, name);
		assert_true(len < sizeof(text));
	}
	database_run(conninfo, text);
}
#else
static inline int64_t
database_run(const char *conninfo, const char *text)
{
	(void)conninfo, (void)text;
	fail_msg("built without PostgreSQL");
	return 0;
}

static inline void
database_place(char *conninfo, size_t room)
{
	(void)conninfo, (void)room;
	fail_msg("built without PostgreSQL");
}

static inline void
database_keep(const char *conninfo)
{
	(void)conninfo;
}

static inline void
database_put_back(const char *conninfo)
{
	(void)conninfo;
}
#endif

#endif
