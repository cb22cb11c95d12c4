/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Transactions, and what became of one whose COMMIT nobody answered.
 *
 * READ COMMITTED under the row's lock: each statement sees all that was
 * committed before the lock was had.  Readers pin one moment.
 */
#include <libpq-fe.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/postgres.h"

#define RETRY_MS 100

/* Whoever makes the store keeps others from that until it is there. */
static enum oc_err
lock_store(struct postgres_store *q)
{
	static const char making[] =
	    "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;"
	    "SELECT pg_advisory_xact_lock(1329812302)";	/* "OCSN" */
	static const char changing[] =
	    "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;"
	    "SELECT 1 FROM store FOR UPDATE";
	enum oc_err err;

	q->in_change = true;
	q->locked.journal_number = 0;
	err = postgres_run(q, "begin", q->is_making ? making : changing,
	    NULL);
	if (err == OC_OK) {
		q->in_transaction = true;
		q->written.journal_number = 0;
	}
	if (err == OC_OK && q->is_open)
		err = postgres_recognize(q, &q->locked);
	return err;
}

enum oc_err
postgres_begin_change(struct store *s)
{
	struct postgres_store *q = (struct postgres_store *)s;
	bool is_lost;
	enum oc_err err;

	for (int i = 0;; i++) {
		err = postgres_ensure(q);
		if (err != OC_OK)
			return err;
		err = lock_store(q);
		if (err == OC_OK)
			return OC_OK;
		is_lost = err == OC_ERR_BUSY && q->db == NULL;
		postgres_rollback(s);
		if (!is_lost || i == 1)
			return err;
	}
}

enum oc_err
postgres_begin_read(struct store *s)
{
	struct postgres_store *q = (struct postgres_store *)s;
	enum oc_err err;

	for (int i = 0;; i++) {
		err = postgres_ensure(q);
		if (err == OC_OK)
			err = postgres_run(q, "begin", "BEGIN ISOLATION LEVEL"
			    " REPEATABLE READ READ ONLY", NULL);
		if (err == OC_OK)
			break;
		if (q->db != NULL || i == 1)
			return err;
	}
	q->in_transaction = true;
	return OC_OK;
}

/* What went wrong before is what the caller wants to read. */
void
postgres_rollback(struct store *s)
{
	struct postgres_store *q = (struct postgres_store *)s;
	struct oc_error first = s->error;

	(void)!postgres_settle(q);
	if (q->db != NULL && PQtransactionStatus(q->db) != PQTRANS_IDLE &&
	    postgres_run(q, "rollback", "ROLLBACK", NULL) != OC_OK)
		postgres_drop(q);
	s->error = first;
	q->in_transaction = q->in_change = false;
	q->written.journal_number = 0;
}

enum oc_err
postgres_read_head(struct store *s, struct store_head *head)
{
	struct postgres_store *q = (struct postgres_store *)s;

	if (!q->in_change || q->locked.journal_number == 0)
		return sql_read_head(s, head);
	*head = q->written.journal_number != 0 ? q->written : q->locked;
	return OC_OK;
}

enum oc_err
postgres_write_head(struct store *s, const struct store_head *head)
{
	/* Who listens is woken by the commit. */
	static const char text[] = "WITH changed AS (UPDATE store SET"
	    " change_seq = ?, journal_number = ?, journal_hash = ?"
	    " RETURNING id)"
	    " SELECT pg_notify('ocsign_' || encode(id, 'hex'), '')"
	    " FROM changed";
	struct postgres_store *q = (struct postgres_store *)s;
	struct sql sql;
	enum oc_err err;

	sql_open(&sql, s, "counters", text);
	sql_put_int(&sql, head->change_seq);
	sql_put_int(&sql, head->journal_number);
	sql_put_blob(&sql, head->journal_hash, STORE_HASH_LEN);
	err = sql_run(&sql);
	if (err == OC_OK)
		q->written = *head;
	return err;
}

/* --- commit ------------------------------------------------------------- */

/*
 * Under the lock, which the lost transaction has held if it still runs, and
 * committed, so that a server that waits for its replicas has waited for the
 * lost one's, too.
 */
static enum oc_err
look_for_entry(struct postgres_store *q, const struct store_head *written,
    bool *is_there)
{
	static const char text[] =
	    "SELECT hash FROM journal WHERE number = ?";
	uint8_t hash[STORE_HASH_LEN] = { 0 };
	struct pg_result *result = NULL;
	struct sql sql;
	bool has_row = false;
	enum oc_err err;

	err = postgres_ensure(q);
	if (err == OC_OK)
		err = lock_store(q);
	if (err != OC_OK)
		return err;
	sql_open(&sql, &q->base, "look for what was committed", text);
	sql_put_int(&sql, written->journal_number);
	err = sql_next(&sql, &has_row);
	if (err == OC_OK && has_row)
		err = sql_get_hash(&sql, hash);
	sql_close(&sql);
	if (err != OC_OK)
		return err;
	q->has_warned = false;
	err = postgres_run(q, "commit", "COMMIT", &result);
	PQclear(result);
	if (err == OC_OK && q->has_warned)
		return OC_ERR_BUSY;
	*is_there = has_row &&
	    memcmp(hash, written->journal_hash, sizeof(hash)) == 0;
	return err;
}

static enum oc_err
find_out(struct postgres_store *q, const struct store_head *written)
{
	int64_t deadline_ns = oc_clock_mono_ns() +
	    POSTGRES_CHANGE_WAIT_S * OC_NS_PER_S;
	bool is_there = false;
	enum oc_err err;

	for (;;) {
		err = look_for_entry(q, written, &is_there);
		postgres_rollback(&q->base);
		if (err == OC_OK || oc_clock_mono_ns() >= deadline_ns)
			break;
		usleep(RETRY_MS * 1000);
	}
	if (err == OC_OK && is_there)
		return OC_OK;
	if (err == OC_OK)
		return store_fail(&q->base, OC_ERR_BUSY, "the connection to "
		    "the server was lost before the commit: nothing was "
		    "written: try again");
	return store_fail(&q->base, OC_ERR_STORE, "the connection to the "
	    "server was lost in a commit, and it does not say whether it was "
	    "written: look before it is tried again");
}

/* What a replica may not have yet: only a lost connection's answer does. */
static enum oc_err
run_commit(struct postgres_store *q, bool *is_unknown)
{
	struct pg_result *result = NULL;
	bool is_rolled_back;
	enum oc_err err;

	q->has_warned = false;
	err = postgres_run(q, "commit", "COMMIT", &result);
	*is_unknown = (err != OC_OK && q->db == NULL) ||
	    (err == OC_OK && q->has_warned);
	if (err != OC_OK)
		return err;
	is_rolled_back = strcmp(PQcmdStatus(result), "COMMIT") != 0;
	PQclear(result);
	if (is_rolled_back)
		return store_fail(&q->base, OC_ERR_STORE, "commit: a "
		    "statement before it had failed: nothing was written");
	return OC_OK;
}

enum oc_err
postgres_commit(struct store *s)
{
	struct postgres_store *q = (struct postgres_store *)s;
	struct store_head written = q->written;
	bool is_unknown = false;
	enum oc_err err;

	if (q->db == NULL)
		err = store_fail(s, OC_ERR_BUSY, "the connection to the "
		    "server was lost before the commit: nothing was written: "
		    "try again");
	else
		err = run_commit(q, &is_unknown);
	postgres_rollback(s);
	if (is_unknown && written.journal_number != 0) {
		postgres_drop(q);
		err = find_out(q, &written);
	}
	if (err == OC_OK && written.journal_number != 0)
		q->seen = written;
	return err;
}
