/* SPDX-License-Identifier: Apache-2.0 */
/* The store in a PostgreSQL database: opened, and what it says of itself. */
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/postgres.h"

/* Who is told by NOTIFY asks all the same: a notice may be lost with its
 * connection. */
#define CATCH_UP_NS OC_NS_PER_S

static struct postgres_store *
of(struct store *s)
{
	return (struct postgres_store *)s;
}

static enum oc_err
settle(struct store *s)
{
	return postgres_settle(of(s));
}

static enum oc_err
save(struct store *s)
{
	return postgres_put_off(of(s), "SAVEPOINT s");
}

static enum oc_err
keep(struct store *s)
{
	return postgres_put_off(of(s), "RELEASE s");
}

/* The error that led here is what the caller wants to read. */
static enum oc_err
undo(struct store *s)
{
	struct oc_error first = s->error;
	enum oc_err err;

	/* Whatever failed of it is undone as well. */
	(void)!postgres_settle(of(s));
	err = postgres_run(of(s), "undo", "ROLLBACK TO s; RELEASE s", NULL);
	s->error = first;
	return err;
}

static bool
in_transaction(struct store *s)
{
	struct postgres_store *q = of(s);

	if (q->db == NULL || !q->in_transaction)
		return false;
	return PQpipelineStatus(q->db) != PQ_PIPELINE_OFF ||
	    PQtransactionStatus(q->db) != PQTRANS_IDLE;
}

static void
set_busy_timeout(struct store *s, int timeout_ms)
{
	struct postgres_store *q = of(s);
	char text[64];

	q->busy_timeout_ms = timeout_ms;
	/* 0 would be for ever. */
	snprintf(text, sizeof(text), "SET lock_timeout = %d",
	    timeout_ms > 0 ? timeout_ms : 1);
	/* A connection that fails here is made again, with this. */
	if (q->db != NULL && postgres_run(q, "timeout", text, NULL) != OC_OK)
		postgres_drop(q);
}

/* Whoever has the lock can be asked for no longer than this transaction. */
static bool
is_run_over(struct store *s, int64_t run)
{
	static const char text[] = "SELECT pg_try_advisory_xact_lock_shared("
	    "CAST(? AS int4), CAST(? AS int4))";
	struct sql sql;
	bool has_row = false, is_over;

	if (run == s->run || run <= 0 || run > INT32_MAX)
		return false;
	sql_open(&sql, s, "look for a run", text);
	sql_put_int(&sql, postgres_lock_class(of(s)));
	sql_put_int(&sql, run);
	is_over = sql_next(&sql, &has_row) == OC_OK && has_row &&
	    sql_get_int(&sql) != 0;
	sql_close(&sql);
	return is_over;
}

/* --- the data's version ------------------------------------------------- */

/* A replica has no notices to give. */
static enum oc_err
listen_for_changes(struct postgres_store *q)
{
	static const char recovery[] = "SELECT pg_is_in_recovery()";
	char text[64] = "LISTEN ocsign_";
	int64_t is_replica = 0;
	size_t len = strlen(text);
	enum oc_err err;

	err = sql_read_int(&q->base, "listen", recovery, &is_replica);
	if (err != OC_OK || is_replica != 0)
		return err;
	for (size_t i = 0; i < STORE_ID_LEN; i++, len += 2)
		snprintf(text + len, sizeof(text) - len, "%02x",
		    q->base.id[i]);
	err = postgres_run(q, "listen", text, NULL);
	q->is_listening = err == OC_OK;
	q->has_news = true;
	return err;
}

static void
take_notices(struct postgres_store *q)
{
	PGnotify *notice;

	if (PQconsumeInput(q->db) != 1) {
		postgres_drop(q);
		return;
	}
	while ((notice = PQnotifies(q->db)) != NULL) {
		PQfreemem(notice);
		q->has_news = true;
	}
}

/* The chain's hash is of all that was ever changed. */
static enum oc_err
ask_version(struct postgres_store *q)
{
	struct store_head head = { 0 };
	enum oc_err err;

	q->has_news = false;
	err = postgres_recognize(q, &head);
	if (err != OC_OK)
		return err;
	/* A replica that lags behind another one. */
	if (head.journal_number >= q->seen.journal_number)
		q->seen = head;
	memcpy(&q->version, head.journal_hash, sizeof(q->version));
	q->version_ns = oc_clock_mono_ns();
	return OC_OK;
}

static enum oc_err
data_version(struct store *s, int64_t *version)
{
	struct postgres_store *q = of(s);
	enum oc_err err;

	if (q->db != NULL)
		take_notices(q);
	if (postgres_is_makeshift(q))
		postgres_drop(q);
	err = postgres_ensure(q);
	if (err == OC_OK && !q->is_listening)
		err = listen_for_changes(q);
	if (err == OC_OK && (!q->is_listening || q->has_news ||
	    oc_clock_mono_ns() - q->version_ns >= CATCH_UP_NS))
		err = ask_version(q);
	if (err == OC_OK)
		*version = q->version;
	else
		q->has_news = true;
	return err;
}

/* --- what may be lost --------------------------------------------------- */

static enum oc_err
read_setting(struct postgres_store *q, const char *name, char *value,
    size_t room)
{
	struct sql sql;
	bool has_row = false;
	enum oc_err err;

	sql_open_once(&sql, &q->base, "settings",
	    "SELECT current_setting(?)");
	sql_put_text(&sql, name);
	err = sql_next(&sql, &has_row);
	if (err == OC_OK && has_row)
		sql_get_text_fixed(&sql, value, room);
	sql_close(&sql);
	return err;
}

static void
say_risks(struct store *s)
{
	struct postgres_store *q = of(s);
	char names[256] = "?", fsync[16] = "?", pages[16] = "?";

	if (read_setting(q, "synchronous_standby_names", names,
	    sizeof(names)) != OC_OK ||
	    read_setting(q, "fsync", fsync, sizeof(fsync)) != OC_OK ||
	    read_setting(q, "full_page_writes", pages, sizeof(pages)) != OC_OK)
		return;
	if (names[0] == '\0')
		oc_log(OC_LOG_WARNING, "%s: no replica is waited for "
		    "(synchronous_standby_names is empty): if the server is "
		    "lost, or a replica takes its place, the last "
		    "certificates and revocations that were confirmed may be "
		    "lost with it", s->path);
	if (strcmp(fsync, "off") == 0 || strcmp(pages, "off") == 0)
		oc_log(OC_LOG_WARNING, "%s: fsync or full_page_writes is off: "
		    "a power cut may cost all of the records", s->path);
}

/* --- the vtable ---------------------------------------------------------- */

static enum oc_err
backup(struct store *s, const char *to)
{
	(void)to;
	return store_fail(s, OC_ERR_UNSUPPORTED, "the records are in "
	    "PostgreSQL: copy them by pg_dump or pg_basebackup; after such a "
	    "copy was put in place: \"ocsign store restore\"");
}

/* The server has a cache of its own. */
static enum oc_err
expect_many(struct store *s)
{
	(void)s;
	return OC_OK;
}

static void
close_store(struct store *s)
{
	postgres_store_free(of(s));
}

static const struct store_ops postgres_ops = {
	.close = close_store,
	.set_busy_timeout = set_busy_timeout,
	.is_run_over = is_run_over,
	.begin_change = postgres_begin_change,
	.begin_read = postgres_begin_read,
	.commit = postgres_commit,
	.rollback = postgres_rollback,
	.settle = settle,
	.save = save,
	.keep = keep,
	.undo = undo,
	.in_transaction = in_transaction,
	.data_version = data_version,
	.backup = backup,
	.say_risks = say_risks,
	.expect_many = expect_many,
	.read_head = postgres_read_head,
	.write_head = postgres_write_head,
	SQL_ROW_OPS
};

/* --- opening ------------------------------------------------------------ */

/* There is a store: what remains to make it one to work with. */
static enum oc_err
open_existing(struct postgres_store *q, int version, bool is_home,
    enum postgres_place place)
{
	struct store *s = &q->base;
	struct store_head head;
	enum oc_err err;

	if (version < q->schema->num_steps && (s->mode == STORE_READ ||
	    s->mode == STORE_SHARE))
		return store_fail(s, OC_ERR_UNSUPPORTED, "schema %d is older "
		    "than this program's %d: whatever writes to it migrates "
		    "it, such as ocsignd at its start", version,
		    q->schema->num_steps);
	if (s->mode != STORE_READ && !is_home && place == POSTGRES_HOME)
		return store_fail(s, OC_ERR_REFUSED, "it was put here from a "
		    "copy: written to it would use numbers twice: end every "
		    "ocsign that uses it and run \"ocsign store restore\"");
	err = postgres_identify(q, &q->identity, &head);
	if (err != OC_OK)
		return err;
	memcpy(s->id, q->identity.id, STORE_ID_LEN);
	s->epoch = q->identity.epoch;
	if (s->mode == STORE_READ || s->mode == STORE_SHARE)
		return OC_OK;
	err = postgres_migrate(q, version);
	return err == OC_OK ? postgres_take_run(q) : err;
}

static enum oc_err
open_connected(struct postgres_store *q, enum postgres_place place)
{
	bool is_home = true;
	int version = 0;
	enum oc_err err;

	err = postgres_check(q, &version, &is_home);
	if (err == OC_ERR_NOT_FOUND && q->base.mode == STORE_CREATE) {
		err = postgres_create(q);
		if (err == OC_OK)
			err = postgres_check(q, &version, &is_home);
	}
	if (err == OC_OK)
		err = open_existing(q, version, is_home, place);
	q->is_open = err == OC_OK;
	return err;
}

enum oc_err
postgres_store_open(const char *conninfo, enum store_mode mode,
    const struct store_schema *schema, enum postgres_place place,
    struct postgres_store **out, struct oc_error *error)
{
	struct oc_error ignored;
	struct postgres_store *q = NULL;
	enum oc_err err;

	if (error == NULL)
		error = &ignored;
	err = postgres_store_new(conninfo, mode, schema, &q, error);
	if (err != OC_OK)
		return err;
	q->base.ops = &postgres_ops;
	err = postgres_connect(q);
	if (err == OC_OK)
		err = open_connected(q, place);
	if (err != OC_OK) {
		(void)oc_error_set(error, err, "%s", q->base.error.text);
		postgres_store_free(q);
		return err;
	}
	*out = q;
	return OC_OK;
}

enum oc_err
store_postgres_open(const char *conninfo, enum store_mode mode,
    const struct store_schema *schema, struct store **store,
    struct oc_error *error)
{
	struct postgres_store *q = NULL;
	enum oc_err err;

	err = postgres_store_open(conninfo, mode, schema, POSTGRES_HOME, &q,
	    error);
	if (err == OC_OK)
		*store = &q->base;
	return err;
}
