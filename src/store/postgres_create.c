/* SPDX-License-Identifier: Apache-2.0 */
/*
 * New stores in a database, old ones brought to today's schema, and one that
 * was put back from a copy made the store again.
 *
 * store_version, beside the schema's own tables: one row, its version and
 * where it belongs: the server (which a replica shares, and a copy that
 * pg_dump made does not), the database and the table "store".
 */
#include <libpq-fe.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/detail.h"
#include "store/postgres.h"

#define HERE \
	"(SELECT system_identifier FROM pg_control_system())," \
	" (SELECT CAST(oid AS int8) << 32 FROM pg_database" \
	" WHERE datname = current_database())" \
	" | CAST(CAST(CAST('store' AS regclass) AS oid) AS int8)"

enum oc_err
postgres_check(struct postgres_store *q, int *version, bool *is_home)
{
	/* The tables, not to_regclass(): under the lock that would still know
	 * that there were none before it. */
	static const char look[] = "SELECT count(*) FILTER"
	    " (WHERE relname = 'store'), count(*) FILTER"
	    " (WHERE relname = 'store_version') FROM pg_class"
	    " WHERE relname IN ('store', 'store_version')"
	    " AND pg_table_is_visible(oid)";
	static const char text[] = "SELECT version,"
	    " (server, relation) = (" HERE ")"
	    " FROM store_version";
	bool has_row = false, is_ours = false, is_any = false;
	struct sql sql;
	enum oc_err err;

	sql_open_once(&sql, &q->base, "open", look);
	err = sql_next(&sql, &has_row);
	if (err == OC_OK && has_row) {
		is_any = sql_get_int(&sql) != 0;
		is_ours = sql_get_int(&sql) != 0;
	}
	sql_close(&sql);
	if (err != OC_OK)
		return err;
	if (is_any && !is_ours)
		return store_fail(&q->base, OC_ERR_REFUSED, "it has a table "
		    "\"store\" that is not ocsign's: give another database, "
		    "or a schema of its own by options=-csearch_path=NAME");
	if (!is_ours || !is_any)
		return store_fail(&q->base, OC_ERR_NOT_FOUND, "there is no "
		    "store; \"ocsign ca create\" makes it");
	sql_open_once(&sql, &q->base, "open", text);
	err = sql_next(&sql, &has_row);
	if (err == OC_OK && has_row) {
		*version = (int)sql_get_int(&sql);
		*is_home = sql_get_int(&sql) != 0;
	}
	sql_close(&sql);
	if (err == OC_OK && (!has_row || *version < 1))
		err = store_fail(&q->base, OC_ERR_STORE, "the records are "
		    "damaged: they have no version: restore a backup");
	if (err == OC_OK && *version > q->schema->num_steps)
		err = store_fail(&q->base, OC_ERR_UNSUPPORTED, "schema %d is "
		    "newer than this program's %d: install the program that "
		    "wrote it", *version, q->schema->num_steps);
	return err;
}

enum oc_err
postgres_make_home(struct postgres_store *q)
{
	static const char text[] = "UPDATE store_version SET (version, server,"
	    " relation) = (SELECT CAST(? AS int8), " HERE ")";
	struct sql sql;

	sql_open(&sql, &q->base, "settle", text);
	sql_put_int(&sql, q->schema->num_steps);
	return sql_run(&sql);
}

/* Inside a change. */
static enum oc_err
run_steps(struct postgres_store *q, int version)
{
	char what[32];
	enum oc_err err = OC_OK;

	for (int i = version; err == OC_OK && i < q->schema->num_steps; i++) {
		snprintf(what, sizeof(what), "schema step %d", i + 1);
		err = sql_exec(&q->base, what, q->schema->steps[i]);
	}
	return err == OC_OK ? postgres_make_home(q) : err;
}

/* Inside a change; the version is read again, now that nobody else can
 * change it. */
static enum oc_err
migrate(struct postgres_store *q)
{
	struct store_detail d;
	bool is_home;
	int version = 0;
	enum oc_err err;

	err = postgres_check(q, &version, &is_home);
	if (err != OC_OK || version == q->schema->num_steps)
		return err;
	err = run_steps(q, version);
	if (err != OC_OK)
		return err;
	store_detail_init(&d);
	store_detail_put_int(&d, "from", version);
	store_detail_put_int(&d, "to", q->schema->num_steps);
	store_detail_end(&d);
	return store_add_entry(&q->base, "migrate", d.text);
}

enum oc_err
postgres_migrate(struct postgres_store *q, int version)
{
	enum oc_err err;

	if (version == q->schema->num_steps)
		return OC_OK;
	err = store_begin_change(&q->base);
	if (err != OC_OK)
		return err;
	return store_end_change(&q->base, migrate(q));
}

enum oc_err
postgres_identify(struct postgres_store *q,
    struct postgres_identity *identity, struct store_head *head)
{
	static const char text[] = "SELECT id, epoch, tableoid, change_seq,"
	    " journal_number, journal_hash FROM store";
	struct sql sql;
	enum oc_err err;

	sql_open(&sql, &q->base, "look", text);
	err = sql_next_identity(&sql, identity->id, &identity->epoch);
	if (err == OC_OK) {
		identity->relation = sql_get_int(&sql);
		head->change_seq = sql_get_int(&sql);
		head->journal_number = sql_get_int(&sql);
		err = sql_get_hash(&sql, head->journal_hash);
	}
	sql_close(&sql);
	return err;
}

/* --- a new one ---------------------------------------------------------- */

/* Inside a change. */
static enum oc_err
fill(struct postgres_store *q)
{
	static const char text[] =
	    "INSERT INTO store (only, id, epoch, journal_hash)"
	    " VALUES (1, ?, ?, ?)";
	static const uint8_t none[STORE_HASH_LEN];
	struct store *s = &q->base;
	struct store_detail d;
	struct sql sql;
	enum oc_err err;

	err = sql_exec(s, "create", "CREATE TABLE store_version"
	    " (version INTEGER NOT NULL, server INTEGER NOT NULL,"
	    " relation INTEGER NOT NULL);"
	    "INSERT INTO store_version VALUES (0, 0, 0)");
	if (err == OC_OK)
		err = run_steps(q, 0);
	if (err != OC_OK)
		return err;
	sql_open_once(&sql, s, "create", text);
	sql_put_blob(&sql, s->id, STORE_ID_LEN);
	sql_put_int(&sql, s->epoch);
	sql_put_blob(&sql, none, sizeof(none));
	err = sql_run(&sql);
	if (err != OC_OK)
		return err;
	store_detail_init(&d);
	store_detail_put_hex(&d, "id", s->id, STORE_ID_LEN);
	store_detail_put_int(&d, "epoch", s->epoch);
	store_detail_end(&d);
	return store_add_entry(s, "create", d.text);
}

/* Unless another was faster, as is known under the lock. */
static enum oc_err
fill_unless_there(struct postgres_store *q)
{
	bool is_home;
	int version;
	enum oc_err err = postgres_check(q, &version, &is_home);

	return err == OC_ERR_NOT_FOUND ? fill(q) : err;
}

enum oc_err
postgres_create(struct postgres_store *q)
{
	struct store *s = &q->base;
	enum oc_err err;

	err = store_epoch_now(&s->epoch, &s->error);
	if (err == OC_OK && RAND_bytes(s->id, STORE_ID_LEN) != 1)
		err = store_fail(s, OC_ERR_INTERNAL, "no random octets");
	q->is_making = true;
	if (err == OC_OK)
		err = store_begin_change(s);
	if (err == OC_OK)
		err = store_end_change(s, fill_unless_there(q));
	q->is_making = false;
	return err;
}

/* --- put back ----------------------------------------------------------- */

static enum oc_err
renew(struct postgres_store *q)
{
	struct store *s = &q->base;
	uint8_t old_id[STORE_ID_LEN];
	uint32_t now = 0;
	enum oc_err err;

	err = store_epoch_now(&now, &s->error);
	if (err != OC_OK)
		return err;
	memcpy(old_id, s->id, STORE_ID_LEN);
	s->epoch = now > s->epoch ? now : s->epoch + 1;
	if (s->epoch > STORE_EPOCH_MAX)
		return store_fail(s, OC_ERR_LIMIT, "there is no epoch left");
	if (RAND_bytes(s->id, STORE_ID_LEN) != 1)
		return store_fail(s, OC_ERR_INTERNAL, "no random octets");
	err = sql_renew_identity(s, old_id, NULL);
	return err == OC_OK ? postgres_make_home(q) : err;
}

enum oc_err
store_postgres_renew(const char *conninfo, const struct store_schema *schema,
    struct oc_error *error)
{
	struct postgres_store *q = NULL;
	enum oc_err err;

	err = postgres_store_open(conninfo, STORE_WRITE, schema,
	    POSTGRES_ANYWHERE, &q, error);
	if (err != OC_OK)
		return err;
	err = store_begin_change(&q->base);
	if (err == OC_OK)
		err = store_end_change(&q->base, renew(q));
	if (err != OC_OK)
		(void)oc_error_set(error, err, "%s", q->base.error.text);
	postgres_store_free(q);
	return err;
}
