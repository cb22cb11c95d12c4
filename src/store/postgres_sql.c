/* SPDX-License-Identifier: Apache-2.0 */
/* PostgreSQL's statements, and what its errors mean to us. */
#include <libpq-fe.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "store/postgres.h"
#include "store/postgres_text.h"

/* pg_type.dat; they are for ever. */
#define TYPE_BYTEA 17
#define TYPE_INT8 20
#define TYPE_INT4 23
#define TYPE_TEXT 25
#define TYPE_BYTEA_ARRAY 1001
#define TYPE_INT8_ARRAY 1016

#define FETCHED "256"		/* rows of a walk at a time */

static struct postgres_store *
store_of(const struct sql *q)
{
	return (struct postgres_store *)q->store;
}

/* --- errors ------------------------------------------------------------- */

/* Of the classes and codes of PostgreSQL's appendix A. */
static enum oc_err
error_of(struct postgres_store *q, const char *state, const char *what,
    const char *said)
{
	struct store *s = &q->base;

	if (strcmp(state, "23505") == 0)
		return store_fail(s, OC_ERR_EXISTS, "%s: exists already",
		    what);
	if (strcmp(state, "23503") == 0)
		return store_fail(s, OC_ERR_NOT_FOUND,
		    "%s: there is no such record to refer to", what);
	if (strcmp(state, "55P03") == 0)
		return store_fail(s, OC_ERR_BUSY, "%s: another process has "
		    "kept the database locked for over %d ms: try again",
		    what, q->busy_timeout_ms);
	if (strncmp(state, "40", 2) == 0)
		return store_fail(s, OC_ERR_BUSY, "%s: try again (%s)", what,
		    said);
	if (strcmp(state, "53100") == 0)
		return store_fail(s, OC_ERR_NO_SPACE, "%s: the server's disk "
		    "is full; nothing was written: free some space and try "
		    "again", what);
	if (strcmp(state, "22021") == 0)
		return store_fail(s, OC_ERR_MALFORMED,
		    "%s: text that is not UTF-8", what);
	if (strncmp(state, "54", 2) == 0)
		return store_fail(s, OC_ERR_LIMIT, "%s: too large", what);
	if (strcmp(state, "42501") == 0)
		return store_fail(s, OC_ERR_STORE, "%s: this user of the "
		    "database may not: grant it (%s)", what, said);
	return store_fail(s, OC_ERR_STORE, "%s: %s (SQLSTATE %s)", what, said,
	    state);
}

/* The server ends, or is a replica now: another connection may do. */
static bool
says_lost(const char *state)
{
	return strncmp(state, "57P", 3) == 0 || strncmp(state, "08", 2) == 0 ||
	    strcmp(state, "25006") == 0;
}

static enum oc_err
fail_lost(struct postgres_store *q, const char *what)
{
	return store_fail(&q->base, OC_ERR_BUSY, "%s: the connection to the "
	    "server was lost: try again", what);
}

enum oc_err
postgres_error(struct postgres_store *q, struct pg_result *result,
    const char *what)
{
	const char *state, *said;
	enum oc_err err;

	if (result == NULL)
		return fail_lost(q, what);
	state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	said = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	if (state == NULL || says_lost(state)) {
		postgres_drop(q);
		err = fail_lost(q, what);
	} else {
		err = error_of(q, state, what, said == NULL ? "?" : said);
	}
	PQclear(result);
	return err;
}

/* --- one question ------------------------------------------------------- */

/* False: nothing came in time, or nothing comes any more. */
static bool
wait_input(struct postgres_store *q, int64_t deadline_ns)
{
	struct pollfd fd = { .fd = PQsocket(q->db), .events = POLLIN };

	while (PQisBusy(q->db) == 1) {
		int wait_ms = deadline_ns == 0 ? -1 :
		    oc_clock_poll_ms(deadline_ns);

		if (wait_ms == 0)
			return false;
		(void)poll(&fd, 1, wait_ms);
		if (PQconsumeInput(q->db) != 1)
			return false;
	}
	return true;
}

static int64_t
deadline_of(const struct postgres_store *q)
{
	int64_t wait_s = q->base.mode == STORE_SHARE ? POSTGRES_SHARE_WAIT_S :
	    q->in_change ? POSTGRES_CHANGE_WAIT_S : q->base.read_timeout_s;

	return wait_s == 0 ? 0 : oc_clock_mono_ns() + wait_s * OC_NS_PER_S;
}

static bool
is_good(const PGresult *result)
{
	ExecStatusType status = PQresultStatus(result);

	return status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK;
}

/* Of several the first that failed tells, else the last.  Behind a failure
 * nothing is done that was sent with it. */
static void
keep_result(PGresult **kept, PGresult *result)
{
	if (PQresultStatus(result) == PGRES_PIPELINE_ABORTED ||
	    (*kept != NULL && !is_good(*kept))) {
		PQclear(result);
		return;
	}
	PQclear(*kept);
	*kept = result;
}

/* NULL, and no connection any more: it was lost, or too slow. */
static PGresult *
collect(struct postgres_store *q)
{
	bool is_pipeline = PQpipelineStatus(q->db) != PQ_PIPELINE_OFF;
	int64_t deadline_ns = deadline_of(q);
	PGresult *kept = NULL, *result;

	if (is_pipeline && PQpipelineSync(q->db) != 1)
		goto lost;
	for (;;) {
		if (!wait_input(q, deadline_ns))
			goto lost;
		result = PQgetResult(q->db);
		if (result == NULL && !is_pipeline)
			break;
		/* NULL stands between one answer and the next. */
		if (result == NULL && PQstatus(q->db) != CONNECTION_OK)
			goto lost;
		if (result == NULL)
			continue;
		if (PQresultStatus(result) == PGRES_PIPELINE_SYNC) {
			PQclear(result);
			break;
		}
		keep_result(&kept, result);
	}
	if (PQstatus(q->db) == CONNECTION_OK &&
	    (!is_pipeline || PQexitPipelineMode(q->db) == 1))
		return kept;
lost:
	PQclear(kept);
	postgres_drop(q);
	return NULL;
}

/* What was sent, if it was. */
static enum oc_err
take(struct postgres_store *q, int is_sent, const char *what,
    PGresult **result)
{
	PGresult *got;

	if (is_sent != 1) {
		postgres_drop(q);
		return fail_lost(q, what);
	}
	got = collect(q);
	if (got == NULL || !is_good(got))
		return postgres_error(q, got, what);
	if (result != NULL)
		*result = got;
	else
		PQclear(got);
	return OC_OK;
}

enum oc_err
postgres_settle(struct postgres_store *q)
{
	if (q->db == NULL)
		return fail_lost(q, "write");
	if (PQpipelineStatus(q->db) == PQ_PIPELINE_OFF)
		return OC_OK;
	return take(q, 1, "write", NULL);
}

enum oc_err
postgres_run(struct postgres_store *q, const char *what, const char *text,
    struct pg_result **result)
{
	enum oc_err err = postgres_settle(q);

	if (err != OC_OK)
		return err;
	return take(q, PQsendQuery(q->db, text), what, result);
}

enum oc_err
postgres_put_off(struct postgres_store *q, const char *text)
{
	if (q->db == NULL)
		return fail_lost(q, "savepoint");
	if (PQenterPipelineMode(q->db) == 1 && PQsendQueryParams(q->db, text,
	    0, NULL, NULL, NULL, NULL, 1) == 1)
		return OC_OK;
	postgres_drop(q);
	return fail_lost(q, "savepoint");
}

/* --- parameters --------------------------------------------------------- */

static void
put(struct sql *q, unsigned int type, const void *bytes, size_t len)
{
	oc_assert(q->num_put <= SQL_PARAMETERS_MAX && !q->has_run);
	q->parameters[q->num_put - 1].type = type;
	q->parameters[q->num_put - 1].bytes = bytes;
	q->parameters[q->num_put - 1].len = len;
}

static void
put_int(struct sql *q, int64_t value)
{
	uint8_t *octets = q->parameters[q->num_put - 1].integer;
	uint64_t rest = (uint64_t)value;

	for (int i = 7; i >= 0; i--, rest >>= 8)
		octets[i] = (uint8_t)rest;
	put(q, TYPE_INT8, octets, 8);
}

static void
put_text(struct sql *q, const char *text)
{
	put(q, TYPE_TEXT, text, strlen(text));
}

/* A pointer that is NULL would be no octets but NULL. */
static void
put_blob(struct sql *q, const void *bytes, size_t len)
{
	put(q, TYPE_BYTEA, bytes == NULL ? "" : bytes, len);
}

/* Of the type that its place has. */
static void
put_null(struct sql *q)
{
	put(q, 0, NULL, 0);
}

static void
put_array(struct sql *q, enum sql_element element, const void *bytes,
    size_t len)
{
	put(q, element == SQL_ELEMENT_BYTEA ? TYPE_BYTEA_ARRAY :
	    TYPE_INT8_ARRAY, bytes, len);
}

struct values {
	Oid types[SQL_PARAMETERS_MAX];
	const char *bytes[SQL_PARAMETERS_MAX];
	int lengths[SQL_PARAMETERS_MAX], formats[SQL_PARAMETERS_MAX];
};

static void
fill_values(const struct sql *q, struct values *v)
{
	for (int i = 0; i < q->num_put; i++) {
		v->types[i] = q->parameters[i].type;
		v->bytes[i] = q->parameters[i].bytes;
		v->lengths[i] = (int)q->parameters[i].len;
		v->formats[i] = 1;
	}
}

/* --- statements --------------------------------------------------------- */

static void
open_statement(struct sql *q)
{
	q->gives_id = strncmp(q->text, "INSERT", 6) == 0;
	if (q->use != SQL_CACHED)
		q->translated = postgres_text(q->text);
}

/* Where the statement's text is kept; it is put there if it is new. */
static enum oc_err
find_cached(struct sql *q, unsigned int *index)
{
	struct postgres_store *db = store_of(q);
	unsigned int n = db->num_statements;

	for (unsigned int i = 0; i < n; i++)
		if (db->statements[i].text == q->text) {
			*index = i;
			return OC_OK;
		}
	oc_assert(n < POSTGRES_STATEMENTS_MAX);
	db->statements[n].translated = postgres_text(q->text);
	if (db->statements[n].translated == NULL)
		return store_fail(q->store, OC_ERR_NOMEM, "out of memory");
	db->statements[n].text = q->text;
	db->statements[n].is_prepared = false;
	db->num_statements = n + 1;
	*index = n;
	return OC_OK;
}

static enum oc_err
prepare(struct sql *q, const struct values *v, char name[16])
{
	struct postgres_store *db = store_of(q);
	unsigned int index = 0;
	enum oc_err err = find_cached(q, &index);

	snprintf(name, 16, "s%u", index);
	if (err != OC_OK || db->statements[index].is_prepared)
		return err;
	err = take(db, PQsendPrepare(db->db, name,
	    db->statements[index].translated, q->num_put, v->types), q->what,
	    NULL);
	db->statements[index].is_prepared = err == OC_OK;
	return err;
}

static enum oc_err
run_cached(struct sql *q, const struct values *v)
{
	struct postgres_store *db = store_of(q);
	char name[16];
	enum oc_err err = prepare(q, v, name);

	if (err != OC_OK)
		return err;
	return take(db, PQsendQueryPrepared(db->db, name, q->num_put,
	    v->bytes, v->lengths, v->formats, 1), q->what, &q->result);
}

/* What gives nothing to wait for is sent, and answered with what comes next:
 * a certificate's records wait for the server half as often. */
static enum oc_err
put_off(struct sql *q)
{
	struct postgres_store *db = store_of(q);
	struct values v;
	char name[16];
	enum oc_err err;

	if (db->db == NULL)
		return fail_lost(db, q->what);
	fill_values(q, &v);
	err = prepare(q, &v, name);
	if (err != OC_OK)
		return err;
	if (PQenterPipelineMode(db->db) == 1 && PQsendQueryPrepared(db->db,
	    name, q->num_put, v.bytes, v.lengths, v.formats, 1) == 1)
		return OC_OK;
	postgres_drop(db);
	return fail_lost(db, q->what);
}

static enum oc_err
run_once(struct sql *q, const struct values *v, const char *before)
{
	struct postgres_store *db = store_of(q);
	char *whole = NULL;
	enum oc_err err;

	if (q->translated == NULL ||
	    asprintf(&whole, "%s%s", before, q->translated) < 0)
		err = store_fail(q->store, OC_ERR_NOMEM, "out of memory");
	else
		err = take(db, PQsendQueryParams(db->db, whole, q->num_put,
		    v->types, v->bytes, v->lengths, v->formats, 1), q->what,
		    &q->result);
	free(whole);
	return err;
}

/* --- walks: a cursor, a part at a time ---------------------------------- */

static enum oc_err
fetch(struct sql *q)
{
	struct postgres_store *db = store_of(q);
	char text[64];

	PQclear(q->result);
	q->result = NULL;
	q->row = 0;
	snprintf(text, sizeof(text), "FETCH " FETCHED " FROM %s", q->cursor);
	if (db->db == NULL)
		return fail_lost(db, q->what);
	return take(db, PQsendQueryParams(db->db, text, 0, NULL, NULL, NULL,
	    NULL, 1), q->what, &q->result);
}

/* A cursor is a transaction's; outside of one the first walk begins it. */
static enum oc_err
begin_walk(struct postgres_store *db)
{
	enum oc_err err;

	if (db->in_transaction)
		return OC_OK;
	err = postgres_begin_read(&db->base);
	if (err == OC_OK)
		db->is_walk_own = true;
	return err;
}

static enum oc_err
run_walk(struct sql *q, const struct values *v)
{
	struct postgres_store *db = store_of(q);
	char before[64];
	enum oc_err err;

	snprintf(q->cursor, sizeof(q->cursor), "w%u", db->num_cursors++);
	snprintf(before, sizeof(before), "DECLARE %s NO SCROLL CURSOR FOR ",
	    q->cursor);
	err = run_once(q, v, before);
	if (err != OC_OK) {
		q->cursor[0] = '\0';
		return err;
	}
	db->num_walks++;
	return fetch(q);
}

/* If the connection is lost, so is the cursor. */
static void
end_walk(struct sql *q)
{
	struct postgres_store *db = store_of(q);
	char text[32];

	snprintf(text, sizeof(text), "CLOSE %s", q->cursor);
	q->cursor[0] = '\0';
	db->num_walks--;
	if (db->num_walks == 0 && db->is_walk_own) {
		db->is_walk_own = false;
		postgres_rollback(&db->base);
	} else if (db->db != NULL &&
	    PQtransactionStatus(db->db) == PQTRANS_INTRANS) {
		struct oc_error first = db->base.error;

		if (postgres_run(db, "end a list", text, NULL) != OC_OK)
			db->base.error = first;
	}
}

/* --- rows --------------------------------------------------------------- */

static enum oc_err
run_statement(struct sql *q)
{
	struct postgres_store *db = store_of(q);
	struct values v;

	if (db->db == NULL)
		return fail_lost(db, q->what);
	fill_values(q, &v);
	switch (q->use) {
	case SQL_CACHED:
		return run_cached(q, &v);
	case SQL_ONCE:
		return run_once(q, &v, "");
	case SQL_WALK:
		return run_walk(q, &v);
	}
	return OC_ERR_INTERNAL;
}

static void
abandon_walk(struct sql *q)
{
	struct postgres_store *db = store_of(q);

	if (q->cursor[0] != '\0') {
		end_walk(q);
	} else if (db->is_walk_own && db->num_walks == 0) {
		db->is_walk_own = false;
		postgres_rollback(&db->base);
	}
}

/* Outside a transaction only reads run: those may run again. */
static enum oc_err
run_anywhere(struct sql *q)
{
	struct postgres_store *db = store_of(q);
	bool is_free = !db->in_transaction;
	enum oc_err err;

	for (int i = 0;; i++) {
		err = OC_OK;
		if (is_free)
			err = q->use == SQL_WALK ? begin_walk(db) :
			    postgres_ensure(db);
		if (err == OC_OK)
			err = run_statement(q);
		if (err == OC_OK)
			return OC_OK;
		abandon_walk(q);
		if (!is_free || db->db != NULL || i == 1)
			return err;
	}
}

static enum oc_err
next_row(struct sql *q, bool *has_row)
{
	enum oc_err err = OC_OK;

	if (!q->has_run) {
		err = run_anywhere(q);
		q->has_run = true;
	} else if (q->result == NULL) {
		return store_fail(q->store, OC_ERR_STORE, "%s: it has failed",
		    q->what);
	} else {
		q->row++;
		if (q->row >= PQntuples(q->result) && q->row > 0 &&
		    q->cursor[0] != '\0')
			err = fetch(q);
	}
	if (err != OC_OK)
		return err;
	*has_row = q->row < PQntuples(q->result);
	if (*has_row && q->gives_id)
		store_of(q)->last_id = q->store->sql->get_int(q, 0);
	return OC_OK;
}

static enum oc_err
run(struct sql *q)
{
	bool has_row = true;
	enum oc_err err = OC_OK;

	if (store_of(q)->in_change && q->use == SQL_CACHED &&
	    strstr(q->text, "RETURNING id") == NULL)
		return put_off(q);
	while (err == OC_OK && has_row)
		err = next_row(q, &has_row);
	return err;
}

static void
close_statement(struct sql *q)
{
	PQclear(q->result);
	q->result = NULL;
	if (q->cursor[0] != '\0')
		end_walk(q);
	free(q->translated);
	q->translated = NULL;
}

static int64_t
last_id(struct store *s)
{
	return ((struct postgres_store *)s)->last_id;
}

static enum oc_err
exec(struct store *s, const char *what, const char *text)
{
	struct postgres_store *db = (struct postgres_store *)s;
	char *translated = postgres_text(text);
	enum oc_err err;

	if (translated == NULL)
		return store_fail(s, OC_ERR_NOMEM, "out of memory");
	err = postgres_run(db, what, translated, NULL);
	free(translated);
	return err;
}

/* --- columns ------------------------------------------------------------ */

static bool
get_is_null(struct sql *q, int column)
{
	return PQgetisnull(q->result, q->row, column) == 1;
}

/* NULL reads as 0. */
static int64_t
get_int(struct sql *q, int column)
{
	const uint8_t *octets =
	    (const uint8_t *)PQgetvalue(q->result, q->row, column);
	int len = PQgetlength(q->result, q->row, column);
	uint64_t value = 0;

	for (int i = 0; i < len && i < 8; i++)
		value = value << 8 | octets[i];
	if (PQftype(q->result, column) == TYPE_INT4)
		return (int32_t)value;
	return (int64_t)value;
}

static const char *
get_text(struct sql *q, int column)
{
	return PQgetvalue(q->result, q->row, column);
}

static struct store_blob
get_blob(struct sql *q, int column)
{
	if (get_is_null(q, column))
		return (struct store_blob){ NULL, 0 };
	return (struct store_blob){
		(const uint8_t *)PQgetvalue(q->result, q->row, column),
		(size_t)PQgetlength(q->result, q->row, column)
	};
}

const struct sql_engine postgres_engine = {
	.open = open_statement,
	.put_int = put_int,
	.put_text = put_text,
	.put_blob = put_blob,
	.put_null = put_null,
	.put_array = put_array,
	.run = run,
	.next = next_row,
	.close = close_statement,
	.get_int = get_int,
	.get_is_null = get_is_null,
	.get_text = get_text,
	.get_blob = get_blob,
	.last_id = last_id,
	.exec = exec
};
