/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How SQLite runs each statement of the store: none reads a whole table, nor
 * sorts one, but those below, each with its reason.  The statements are those
 * that this program has in it, since it has all of the store: whoever adds one
 * need not add it here.
 */
#include "tests/unit/store_fixture.h"

#include <ctype.h>
#include <sqlite3.h>

#include "base/file.h"

#define NUM_MIN 60		/* statements; there are some more */
#define PROGRAM_MAX ((size_t)512 * 1024 * 1024)

/* By what is in it, its columns and more; is_met once there is one. */
static struct exception {
	const char *columns, *more;
	bool is_met;
} exceptions[] = {
	/* "ocsign audit verify" looks at all there is. */
	{ "count(*) FROM certificate", "", false },
	{ "r.id, r.account_id, r.is_current", "", false },
	/* A restore moves each issuer's. */
	{ "issuer SET crl_counter = ?", "", false },
	/* Accounts and zones: an operator's list, and a zone that is added. */
	{ "id, tag, name, email", "ORDER BY name", false },
	{ "id, tag, name, account_id", "ORDER BY name", false },
	/* An operator's list of ACME's accounts. */
	{ "thumbprint, jwk, contacts", "acme_account ORDER BY id", false },
	/* Sorts as many as there are partitions, of the changes that were not
	 * looked at before. */
	{ "+crl_partition, max(change_seq)", "change_seq > ?", false },
	/* What was revoked, and holds that were lifted, since a delta's
	 * base. */
	{ "serial, reason, revoked_at, invalidity_at",
	    "AND change_seq > ?", false },
	{ "serial, 8, 0, 0", "released_seq > ?", false },
	/* The lists of a partition that have not ended. */
	{ "r.id, r.issuer_id, i.name", "r.next_update > ?", false },
	/* The few that have one serial, by the order of their rows. */
	{ "c.id, c.issuer_id, i.name", "c.serial = ?", false },
};

/* What SQLite does not know: these are PostgreSQL's. */
static const char *const postgres[] = {
	"pg_", "current_setting", "tableoid", "store_version"
};

static bool
is_postgres(const char *text)
{
	for (size_t i = 0; i < sizeof(postgres) / sizeof(postgres[0]); i++)
		if (strstr(text, postgres[i]) != NULL)
			return true;
	return false;
}

static bool
is_excepted(const char *text)
{
	bool is_met = false;

	for (size_t i = 0; i < sizeof(exceptions) / sizeof(exceptions[0]);
	    i++) {
		struct exception *e = &exceptions[i];

		if (strstr(text, e->columns) != NULL &&
		    strstr(text, e->more) != NULL)
			is_met = e->is_met = true;
	}
	return is_met;
}

/* The store's own row is one, and what has no table is none. */
static bool
is_whole_table(const char *step)
{
	return strstr(step, "TEMP B-TREE") != NULL ||
	    (strncmp(step, "SCAN ", 5) == 0 &&
	    strcmp(step, "SCAN store") != 0 &&
	    strcmp(step, "SCAN CONSTANT ROW") != 0);
}

/* Whether SQLite knows it. */
static bool
check_plan(sqlite3 *db, const char *text)
{
	char *asked = sqlite3_mprintf("EXPLAIN QUERY PLAN %s", text);
	sqlite3_stmt *q = NULL;

	assert_non_null(asked);
	if (sqlite3_prepare_v2(db, asked, -1, &q, NULL) != SQLITE_OK) {
		if (!is_postgres(text))
			fail_msg("%s: %s", sqlite3_errmsg(db), text);
		sqlite3_free(asked);
		return false;
	}
	while (sqlite3_step(q) == SQLITE_ROW) {
		const char *step = (const char *)sqlite3_column_text(q, 3);

		if (is_whole_table(step) && !is_excepted(text))
			fail_msg("%s: %s", step, text);
	}
	assert_int_equal(sqlite3_finalize(q), SQLITE_OK);
	sqlite3_free(asked);
	return true;
}

static bool
is_statement(const char *text)
{
	static const char *const words[] = { "SELECT ", "INSERT INTO ",
	    "UPDATE ", "DELETE FROM ", "WITH " };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		/* One with a format's % is put together when it is asked. */
		if (strncmp(text, words[i], strlen(words[i])) == 0)
			return strlen(text) > strlen(words[i]) &&
			    strchr(text, '%') == NULL;
	return false;
}

static uint32_t
check_program(sqlite3 *db, const char *bytes, size_t len)
{
	uint32_t num = 0;

	for (size_t at = 1; at < len; at++) {
		size_t n = 0;

		if (bytes[at - 1] != '\0' || !isupper(bytes[at]))
			continue;
		while (at + n < len && isprint(bytes[at + n]))
			n++;
		if (at + n < len && bytes[at + n] == '\0' &&
		    is_statement(bytes + at) && check_plan(db, bytes + at))
			num++;
	}
	return num;
}

static void
test_plans(void **state)
{
	const struct fixture *f = *state;
	char *path = realpath("/proc/self/exe", NULL);
	struct oc_error error = { 0 };
	uint8_t *program;
	sqlite3 *db;
	size_t len;

	assert_non_null(path);
	if (oc_file_read(path, PROGRAM_MAX, &program, &len, &error) != OC_OK)
		fail_msg("%s", error.text);
	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	assert_in_range(check_program(db, (const char *)program, len),
	    NUM_MIN, 1000);
	for (size_t i = 0; i < sizeof(exceptions) / sizeof(exceptions[0]); i++)
		if (!exceptions[i].is_met)
			fail_msg("no such statement: %s ... %s",
			    exceptions[i].columns, exceptions[i].more);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	free(program);
	free(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_plans, setup_store,
		    teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
