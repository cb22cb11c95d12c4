/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CFSSL's certdb in PostgreSQL: only ever read, in one transaction that sees
 * one moment.
 *
 * Whether it may have changed is asked by pg_current_snapshot(): which
 * transactions of the whole server are over.  The same answer is the same
 * rows, since none is changed without a transaction of its own number.
 */
#include "status/certdb.h"

#include <stdlib.h>
#include <string.h>

#ifdef HAVE_LIBPQ
#include <errno.h>
#include <libpq-fe.h>
#include <poll.h>
#include <stdio.h>

#include "base/clock.h"
#include "store/postgres_link.h"

/* Nothing came for so long: it is gone, or hangs.  All rows in order may have
 * to be sorted, on the server's disk, before the first of them comes; whether
 * it is there meanwhile, TCP tells (postgres_link.c). */
#define SILENCE_NS (10 * OC_NS_PER_S)
#define SORTING_NS (3600 * OC_NS_PER_S)
#define PAUSE_FACTOR 10
#define PAUSE_MAX_NS (60 * OC_NS_PER_S)

/* pg_type.dat; they are for ever. */
#define TYPE_BYTEA 17
#define TYPE_TEXT 25
#define TYPE_CHAR 1042
#define TYPE_VARCHAR 1043

/* CFSSL makes bytea of text; as octets both are the same. */
#define KEY_ID "authority_key_identifier"
#define MOMENTS "CAST(reason AS text), CAST(expiry AS text), " \
	"CAST(revoked_at AS text)"
static const char select_rows[] =
    "SELECT " KEY_ID ", CASE WHEN octet_length(" KEY_ID ") > 0 THEN NULL "
    "ELSE pem END, serial_number, status, " MOMENTS " FROM certificates";
#define SELECT_WHOLE "SELECT " KEY_ID ", pem, serial_number, status, " \
    MOMENTS ", ca_label"
#define IN_ORDER " FROM certificates ORDER BY serial_number, " KEY_ID
static const char select_old[] = SELECT_WHOLE IN_ORDER;
static const char select_new[] = SELECT_WHOLE
    ", CAST(issued_at AS text), CAST(not_before AS text), "
    "CAST(metadata AS text), CAST(sans AS text), common_name" IN_ORDER;
#define NUM_COLUMNS 7
#define NUM_COLUMNS_MAX (NUM_COLUMNS + STATUS_CERTDB_NUM_MORE)

struct status_certdb_server {
	char *where, *name;		/* owned */
	PGconn *db;			/* NULL: none */
	uint64_t num_made;		/* connections */
	int64_t pause_until_ns;		/* after a read */
	bool is_sorting;		/* it may be silent for longer */
	struct oc_file_stamp stamp;	/* as it was told last */
};

static void
drop(struct status_certdb_server *server)
{
	PQfinish(server->db);
	server->db = NULL;
}

static enum oc_err
fail_lost(struct status_certdb_server *server, struct oc_error *error)
{
	drop(server);
	return oc_error_set(error, OC_ERR_DOWN, "the connection to the server "
	    "was lost");
}

/* In the server's words; the result is cleared. */
static enum oc_err
fail_result(PGresult *result, struct oc_error *error)
{
	const char *said = PQresultErrorField(result,
	    PG_DIAG_MESSAGE_PRIMARY);

	(void)oc_error_set(error, OC_ERR_SYSTEM, "PostgreSQL: %.300s",
	    said == NULL ? "?" : said);
	PQclear(result);
	return OC_ERR_SYSTEM;
}

/* --- answers ------------------------------------------------------------- */

/* False: nothing comes any more. */
static bool
wait_input(struct status_certdb_server *server)
{
	int64_t deadline_ns = oc_clock_mono_ns() + (server->is_sorting ?
	    SORTING_NS : SILENCE_NS);
	struct pollfd fd = { .fd = PQsocket(server->db), .events = POLLIN };

	while (PQisBusy(server->db) == 1) {
		int wait_ms = oc_clock_poll_ms(deadline_ns);

		if (wait_ms == 0 || (poll(&fd, 1, wait_ms) < 0 &&
		    errno != EINTR))
			return false;
		if (PQconsumeInput(server->db) != 1)
			return false;
	}
	return true;
}

/* The next part of an answer; *result NULL: there is no more. */
static enum oc_err
next_result(struct status_certdb_server *server, PGresult **result,
    struct oc_error *error)
{
	if (!wait_input(server))
		return fail_lost(server, error);
	*result = PQgetResult(server->db);
	if (PQstatus(server->db) != CONNECTION_OK) {
		PQclear(*result);
		*result = NULL;
		return fail_lost(server, error);
	}
	return OC_OK;
}

/* FNV-1a. */
static int64_t
hash_of(const char *text)
{
	uint64_t hash = UINT64_C(14695981039346656037);

	for (; *text != '\0'; text++)
		hash = (hash ^ (uint8_t)*text) * UINT64_C(1099511628211);
	return (int64_t)hash;
}

/* One text without parameters; hash, if it is given, is of the first column of
 * the first row. */
static enum oc_err
run(struct status_certdb_server *server, const char *query, int64_t *hash,
    struct oc_error *error)
{
	PGresult *result = NULL;
	enum oc_err err, first = OC_OK;

	if (PQsendQuery(server->db, query) != 1)
		return fail_lost(server, error);
	for (;;) {
		err = next_result(server, &result, error);
		if (err != OC_OK)
			return err;
		if (result == NULL)
			return first;
		if (first == OC_OK && PQresultStatus(result) ==
		    PGRES_FATAL_ERROR) {
			first = fail_result(result, error);
			continue;
		}
		if (hash != NULL && PQntuples(result) > 0)
			*hash = hash_of(PQgetvalue(result, 0, 0));
		PQclear(result);
	}
}

/* Whatever role and database say: dates as certdb.c reads them, and no waiting
 * for a lock behind somebody who changes the table. */
static enum oc_err
ensure(struct status_certdb_server *server, struct oc_error *error)
{
	static const char set_up[] = "SET default_transaction_read_only = on;"
	    "SET DateStyle = 'ISO'; SET TimeZone = 'UTC';"
	    "SET lock_timeout = 5000; SET statement_timeout = 0";
	const struct postgres_link_session session = { "any", false };
	enum oc_err err;

	if (server->db != NULL)
		return OC_OK;
	err = postgres_link_open(server->where, &session, &server->db, error);
	if (err != OC_OK)
		return err;
	server->num_made++;
	server->pause_until_ns = 0;
	err = run(server, set_up, NULL, error);
	if (err != OC_OK)
		drop(server);
	return err;
}

/* --- rows ---------------------------------------------------------------- */

/* PostgreSQL's "+00" as Go has it, which others read too. */
struct moment { char text[48]; };

static const char *
whole_zone(const char *text, struct moment *room)
{
	size_t len = text == NULL ? 0 : strlen(text);

	if (len < 3 || len + 4 > sizeof(room->text) ||
	    strcmp(text + len - 3, "+00") != 0)
		return text;
	(void)snprintf(room->text, sizeof(room->text), "%s:00", text);
	return room->text;
}

/* A text that ends before the column does is not what it says. */
static enum oc_err
get_columns(const PGresult *result, const char *columns[NUM_COLUMNS_MAX],
    struct oc_error *error)
{
	int num = PQnfields(result);

	for (int i = 0; i < NUM_COLUMNS_MAX; i++)
		columns[i] = i >= num || PQgetisnull(result, 0, i) == 1 ?
		    NULL : PQgetvalue(result, 0, i);
	for (int i = 0; i < num; i++)
		if (columns[i] != NULL && strlen(columns[i]) !=
		    (size_t)PQgetlength(result, 0, i))
			return oc_error_set(error, OC_ERR_MALFORMED,
			    "serial_number \"%.60s\": there is a NUL in it",
			    columns[2] == NULL ? "" : columns[2]);
	return OC_OK;
}

/* Somebody's own table may have something else, whose octets say nothing. */
static enum oc_err
check_types(const PGresult *result, struct oc_error *error)
{
	for (int i = 0; i < PQnfields(result); i++) {
		Oid type = PQftype(result, i);

		if (type != TYPE_BYTEA && type != TYPE_TEXT &&
		    type != TYPE_CHAR && type != TYPE_VARCHAR)
			return oc_error_set(error, OC_ERR_MALFORMED, "column "
			    "%.60s is neither bytea nor text",
			    PQfname(result, i));
	}
	return OC_OK;
}

static enum oc_err
put_row(struct status_certdb *to, const PGresult *result,
    struct oc_error *error)
{
	const char *columns[NUM_COLUMNS_MAX];
	struct moment expiry, revoked_at, issued_at, not_before;
	const char **more = to->more;
	enum oc_err err = check_types(result, error);

	if (err == OC_OK)
		err = get_columns(result, columns, error);
	if (err != OC_OK)
		return err;
	memcpy(more, columns + NUM_COLUMNS, sizeof(to->more));
	more[STATUS_CERTDB_ISSUED_AT] = whole_zone(
	    more[STATUS_CERTDB_ISSUED_AT], &issued_at);
	more[STATUS_CERTDB_NOT_BEFORE] = whole_zone(
	    more[STATUS_CERTDB_NOT_BEFORE], &not_before);
	return status_certdb_put(to, &(struct status_certdb_row){
	    columns[0], columns[1], columns[2], columns[3], columns[4],
	    whole_zone(columns[5], &expiry),
	    whole_zone(columns[6], &revoked_at) }, error);
}

/* What is wrong with a row is told when all have been heard: the connection is
 * kept, so that the next look need not make another.  *is_missing: a column
 * that it asks for is not there. */
static enum oc_err
take_rows(struct status_certdb_server *server, struct status_certdb *to,
    bool *is_missing, struct oc_error *error)
{
	PGresult *result = NULL;
	enum oc_err err, first = OC_OK;

	*is_missing = false;
	for (;;) {
		err = next_result(server, &result, error);
		if (err != OC_OK)
			return err;
		if (result == NULL)
			return first;
		if (first != OC_OK) {
			PQclear(result);
		} else if (PQresultStatus(result) == PGRES_FATAL_ERROR) {
			const char *state = PQresultErrorField(result,
			    PG_DIAG_SQLSTATE);

			*is_missing = state != NULL &&
			    strcmp(state, "42703") == 0;
			first = fail_result(result, error);
		} else {
			if (PQntuples(result) > 0)
				first = put_row(to, result, error);
			PQclear(result);
		}
	}
}

static enum oc_err
run_select(struct status_certdb_server *server, const char *query,
    struct status_certdb *to, bool *is_missing, struct oc_error *error)
{
	static const char begin[] =
	    "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
	struct oc_error ignored;
	enum oc_err err = run(server, begin, NULL, error);

	*is_missing = false;
	if (err != OC_OK)
		return err;
	if (PQsendQueryParams(server->db, query, 0, NULL, NULL, NULL, NULL,
	    1) != 1 || PQsetSingleRowMode(server->db) != 1)
		return fail_lost(server, error);
	server->is_sorting = to->fn != NULL;
	err = take_rows(server, to, is_missing, error);
	server->is_sorting = false;
	/* It has changed nothing. */
	if (server->db != NULL && run(server, "ROLLBACK", NULL,
	    &ignored) != OC_OK && server->db != NULL)
		drop(server);
	return err;
}

static enum oc_err
read_rows(void *source, struct status_certdb *to, struct oc_error *error)
{
	struct status_certdb_server *server = source;
	int64_t begin_ns = oc_clock_mono_ns(), took_ns;
	bool is_missing;
	enum oc_err err = ensure(server, error);

	if (err != OC_OK)
		return err;
	err = run_select(server, to->fn == NULL ? select_rows : select_new,
	    to, &is_missing, error);
	/* CFSSL's first schema. */
	if (is_missing && to->fn != NULL)
		err = run_select(server, select_old, to, &is_missing, error);
	took_ns = (oc_clock_mono_ns() - begin_ns) * PAUSE_FACTOR;
	server->pause_until_ns = oc_clock_mono_ns() +
	    (took_ns < PAUSE_MAX_NS ? took_ns : PAUSE_MAX_NS);
	return err;
}

/* --- for everybody ------------------------------------------------------- */

enum oc_err
status_certdb_server_new(const char *where,
    struct status_certdb_server **out, struct oc_error *error)
{
	struct status_certdb_server *server = calloc(1, sizeof(*server));
	enum oc_err err;

	if (server == NULL || (server->where = strdup(where)) == NULL)
		err = oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	else
		err = postgres_link_name(where, &server->name, NULL, error);
	if (err == OC_OK)
		*out = server;
	else
		status_certdb_server_free(server);
	return err;
}

void
status_certdb_server_free(struct status_certdb_server *server)
{
	if (server == NULL)
		return;
	drop(server);
	free(server->where);
	free(server->name);
	free(server);
}

const char *
status_certdb_server_name(const struct status_certdb_server *server)
{
	return server->name;
}

enum oc_err
status_certdb_server_stamp(struct status_certdb_server *server,
    struct oc_file_stamp *stamp, struct oc_error *error)
{
	static const char query[] =
	    "SELECT CAST(pg_current_snapshot() AS text)";
	int64_t hash = 0;
	enum oc_err err = ensure(server, error);

	if (err == OC_OK)
		err = run(server, query, &hash, error);
	if (err != OC_OK)
		return err;
	if (oc_clock_mono_ns() >= server->pause_until_ns ||
	    server->stamp.inode != server->num_made)
		server->stamp = (struct oc_file_stamp){
			.inode = (ino_t)server->num_made,
			.changed_ns = hash
		};
	*stamp = server->stamp;
	return OC_OK;
}

enum oc_err
status_certdb_server_read(struct status_certdb_server *server,
    const struct status_certdb_issuer *issuer, struct status_list **list,
    struct oc_error *error)
{
	return status_certdb_list(read_rows, server, issuer, list, error);
}

enum oc_err
status_certdb_server_walk(struct status_certdb_server *server,
    const struct status_certdb_issuer *issuer, status_certdb_row_fn *fn,
    void *arg, uint64_t *num_others, struct oc_error *error)
{
	return status_certdb_walk(read_rows, server, issuer, fn, arg,
	    num_others, error);
}

#else

struct status_certdb_server { char unused; };

enum oc_err
status_certdb_server_new(const char *where,
    struct status_certdb_server **server, struct oc_error *error)
{
	(void)where, (void)server;
	return oc_error_set(error, OC_ERR_UNSUPPORTED, "this ocsign was built "
	    "without PostgreSQL; build it with libpq");
}

void
status_certdb_server_free(struct status_certdb_server *server)
{
	(void)server;
}

const char *
status_certdb_server_name(const struct status_certdb_server *server)
{
	(void)server;
	return "";
}

enum oc_err
status_certdb_server_stamp(struct status_certdb_server *server,
    struct oc_file_stamp *stamp, struct oc_error *error)
{
	(void)server, (void)stamp;
	return oc_error_set(error, OC_ERR_UNSUPPORTED, "no PostgreSQL");
}

enum oc_err
status_certdb_server_read(struct status_certdb_server *server,
    const struct status_certdb_issuer *issuer, struct status_list **list,
    struct oc_error *error)
{
	(void)server, (void)issuer, (void)list;
	return oc_error_set(error, OC_ERR_UNSUPPORTED, "no PostgreSQL");
}

enum oc_err
status_certdb_server_walk(struct status_certdb_server *server,
    const struct status_certdb_issuer *issuer, status_certdb_row_fn *fn,
    void *arg, uint64_t *num_others, struct oc_error *error)
{
	(void)server, (void)issuer, (void)fn, (void)arg, (void)num_others;
	return oc_error_set(error, OC_ERR_UNSUPPORTED, "no PostgreSQL");
}
#endif
