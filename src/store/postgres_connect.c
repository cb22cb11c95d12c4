/* SPDX-License-Identifier: Apache-2.0 */
/* A connection: made, looked at, lost, made again.  Never carried over a
 * fork(2). */
#include <libpq-fe.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/postgres.h"
#include "store/postgres_link.h"

#define RETRY_MS 100
#define MAKESHIFT_NS (5 * OC_NS_PER_S)
/* There are 2^30 numbers; another is drawn if somebody has it. */
#define RUN_TRIES 3

/* What it warns of in COMMIT is that this may not be so. */
static void
take_notice(void *arg, const PGresult *notice)
{
	struct postgres_store *q = arg;
	const char *severity = PQresultErrorField(notice,
	    PG_DIAG_SEVERITY_NONLOCALIZED);

	if (severity == NULL || strcmp(severity, "NOTICE") != 0)
		q->has_warned = true;
}

enum oc_err
postgres_store_new(const char *conninfo, enum store_mode mode,
    const struct store_schema *schema, struct postgres_store **out,
    struct oc_error *error)
{
	struct postgres_store *q = calloc(1, sizeof(*q));
	bool says_session = false;
	char *name = NULL;
	enum oc_err err;

	if (q == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	q->base.sql = &postgres_engine;
	q->base.mode = mode;
	q->schema = schema;
	q->busy_timeout_ms = 5000;
	snprintf(q->base.actor, sizeof(q->base.actor), "uid %lu",
	    (unsigned long)getuid());
	err = postgres_link_name(conninfo, &name, &says_session, error);
	q->prefers_primary = mode == STORE_READ && !says_session;
	if (err == OC_OK && asprintf(&q->base.path, "database %s", name) < 0)
		q->base.path = NULL;
	free(name);
	if (err == OC_OK && (q->base.path == NULL ||
	    (q->conninfo = strdup(conninfo)) == NULL))
		err = oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	if (err != OC_OK) {
		postgres_store_free(q);
		return err;
	}
	*out = q;
	return OC_OK;
}

void
postgres_drop(struct postgres_store *q)
{
	PQfinish(q->db);
	q->db = NULL;
	q->is_listening = false;
	for (unsigned int i = 0; i < q->num_statements; i++)
		q->statements[i].is_prepared = false;
}

void
postgres_store_free(struct postgres_store *q)
{
	if (q == NULL)
		return;
	postgres_drop(q);
	for (unsigned int i = 0; i < q->num_statements; i++)
		free(q->statements[i].translated);
	free(q->base.path);
	free(q->conninfo);
	free(q);
}

/* --- one try ------------------------------------------------------------ */

/*
 * What every connection needs.  Role and database may have set otherwise:
 * a commit is to be on the disk, here and where the server waits for, before
 * it is said; a statement's timeout would end that wait.  What is shared may
 * be lost: the next host has it signed again.
 */
static enum oc_err
set_up(struct postgres_store *q)
{
	static const char hasty[] = "SET synchronous_commit = off;";
	static const char durable[] =
	    "SELECT set_config('synchronous_commit', 'on', false) WHERE"
	    " current_setting('synchronous_commit') NOT IN"
	    " ('on', 'remote_apply');";
	char text[512];
	enum oc_err err;

	snprintf(text, sizeof(text), "SET lock_timeout = %d;"
	    "SET statement_timeout = 0;"
	    "SET idle_in_transaction_session_timeout = %d;"
	    "SET default_transaction_read_only = %s;"
	    "%s", q->busy_timeout_ms,
	    q->base.mode == STORE_READ ? 0 : 60000,
	    q->base.mode == STORE_READ ? "on" : "off",
	    q->base.mode == STORE_SHARE ? hasty : durable);
	err = postgres_run(q, "connect", text, NULL);
	if (err != OC_OK)
		return err;
	if (strcmp(PQparameterStatus(q->db, "server_encoding"), "UTF8") != 0)
		return store_fail(&q->base, OC_ERR_REFUSED, "its encoding is "
		    "not UTF8: create it with ENCODING 'UTF8'");
	return OC_OK;
}

/* One that answers as attributes say, of all hosts of the string. */
static enum oc_err
try_connect(struct postgres_store *q, const char *attributes)
{
	const struct postgres_link_session session = { attributes,
		q->base.mode != STORE_READ };
	struct oc_error why = { 0 };
	enum oc_err err;

	postgres_drop(q);
	err = postgres_link_open(q->conninfo, &session, &q->db, &why);
	if (err != OC_OK)
		return store_fail(&q->base, err, "%s", why.text);
	PQsetNoticeReceiver(q->db, take_notice, q);
	err = set_up(q);
	if (err != OC_OK)
		postgres_drop(q);
	return err;
}

/* A replica may lag: it is read while there is no primary, lest nothing is
 * heard of what was revoked last. */
enum oc_err
postgres_connect(struct postgres_store *q)
{
	enum oc_err err = try_connect(q, q->base.mode != STORE_READ ?
	    "read-write" : "primary");

	if (err == OC_ERR_DOWN && q->prefers_primary)
		err = try_connect(q, "any");
	q->connected_ns = oc_clock_mono_ns();
	return err;
}

bool
postgres_is_makeshift(const struct postgres_store *q)
{
	const char *is_standby;

	if (q->db == NULL || !q->prefers_primary ||
	    oc_clock_mono_ns() - q->connected_ns < MAKESHIFT_NS)
		return false;
	/* It is told when that changes. */
	is_standby = PQparameterStatus(q->db, "in_hot_standby");
	return is_standby != NULL && strcmp(is_standby, "on") == 0;
}

/* --- made again --------------------------------------------------------- */

static enum oc_err
fail_history(struct postgres_store *q)
{
	return store_fail(&q->base, OC_ERR_STORE, "the server has lost what "
	    "was committed: journal entry %lld is not what it was: end every "
	    "ocsign that uses it, look with \"ocsign audit verify\", and run "
	    "\"ocsign store restore\"", (long long)q->seen.journal_number);
}

/*
 * After a replica took over that had not heard of the last commits, what was
 * told to others is no more: a feed would miss what takes the same numbers,
 * and a CRL's number would come again.
 */
static enum oc_err
check_history(struct postgres_store *q, const struct store_head *head)
{
	static const char entry[] =
	    "SELECT hash FROM journal WHERE number = ?";
	struct store *s = &q->base;
	uint8_t hash[STORE_HASH_LEN] = { 0 };
	struct sql sql;
	bool has_row = false;
	enum oc_err err;

	if (q->seen.journal_number == 0)
		return OC_OK;
	if (head->journal_number < q->seen.journal_number &&
	    s->mode == STORE_READ)
		return store_fail(s, OC_ERR_DOWN, "this server is behind what "
		    "was read before: journal entry %lld is not there yet",
		    (long long)q->seen.journal_number);
	sql_open(&sql, s, "connect", entry);
	sql_put_int(&sql, q->seen.journal_number);
	err = sql_next(&sql, &has_row);
	if (err == OC_OK && has_row)
		err = sql_get_hash(&sql, hash);
	sql_close(&sql);
	if (err == OC_OK && (!has_row ||
	    memcmp(hash, q->seen.journal_hash, sizeof(hash)) != 0))
		err = fail_history(q);
	return err;
}

enum oc_err
postgres_recognize(struct postgres_store *q, struct store_head *head)
{
	struct postgres_identity now = { .epoch = 0 };
	enum oc_err err = postgres_identify(q, &now, head);

	if (err != OC_OK)
		return err;
	/* An import that had to pass a CRL number moves the epoch, and that
	 * alone. */
	if (memcmp(now.id, q->identity.id, STORE_ID_LEN) != 0 ||
	    now.epoch < q->identity.epoch ||
	    now.relation != q->identity.relation)
		err = store_fail(&q->base, OC_ERR_REFUSED, "it is another "
		    "store now, or was restored: start this program again");
	else if (head->journal_number < q->seen.journal_number &&
	    q->base.mode != STORE_READ)
		err = fail_history(q);
	if (err != OC_OK)
		postgres_drop(q);
	else
		q->base.epoch = q->identity.epoch = now.epoch;
	return err;
}

/* Nothing of it is tried again: it is a part of that. */
static enum oc_err
look_again(struct postgres_store *q)
{
	struct store_head head = { 0 };
	enum oc_err err;

	q->in_transaction = true;
	err = postgres_recognize(q, &head);
	if (err == OC_OK)
		err = check_history(q, &head);
	if (err == OC_OK && q->base.mode != STORE_READ &&
	    q->base.mode != STORE_SHARE)
		err = postgres_take_run(q);
	q->in_transaction = false;
	return err;
}

enum oc_err
postgres_ensure(struct postgres_store *q)
{
	int64_t deadline_ns = oc_clock_mono_ns() +
	    q->busy_timeout_ms * OC_NS_PER_MS;
	enum oc_err err = OC_OK;

	while (q->db == NULL) {
		err = postgres_connect(q);
		if (err == OC_OK && q->is_open)
			err = look_again(q);
		if (err == OC_OK)
			break;
		postgres_drop(q);
		if ((err != OC_ERR_DOWN && err != OC_ERR_BUSY) ||
		    oc_clock_mono_ns() >= deadline_ns)
			break;
		usleep(RETRY_MS * 1000);
	}
	return err;
}

/* --- runs: an advisory lock of the session ------------------------------ */

int64_t
postgres_lock_class(const struct postgres_store *q)
{
	int32_t class;

	memcpy(&class, q->base.id, sizeof(class));
	return class;
}

static enum oc_err
lock_run(struct postgres_store *q, int64_t run, bool *is_locked)
{
	static const char text[] =
	    "SELECT pg_try_advisory_lock(CAST(? AS int4), CAST(? AS int4))";
	struct sql sql;
	bool has_row = false, was = q->in_transaction;
	enum oc_err err;

	sql_open(&sql, &q->base, "open", text);
	sql_put_int(&sql, postgres_lock_class(q));
	sql_put_int(&sql, run);
	q->in_transaction = true;
	err = sql_next(&sql, &has_row);
	q->in_transaction = was;
	*is_locked = err == OC_OK && has_row && sql_get_int(&sql) != 0;
	sql_close(&sql);
	return err;
}

enum oc_err
postgres_take_run(struct postgres_store *q)
{
	int64_t run = q->base.run;
	bool is_locked = false;
	enum oc_err err = OC_OK;

	for (int i = 0; err == OC_OK && !is_locked && i < RUN_TRIES; i++) {
		uint32_t number;

		/* The old session may still stand at the server. */
		if (run == 0 || i > 0) {
			if (RAND_bytes((uint8_t *)&number,
			    sizeof(number)) != 1)
				return OC_OK;
			run = (number & INT32_MAX) | 1;
		}
		err = lock_run(q, run, &is_locked);
	}
	q->base.run = is_locked ? run : 0;
	return err;
}
