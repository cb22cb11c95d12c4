/* SPDX-License-Identifier: Apache-2.0 */
/* New stores, and old ones brought to today's schema. */
#include <errno.h>
#include <openssl/rand.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/detail.h"
#include "store/sqlite.h"

static enum oc_err
set_version(struct store *s, int version)
{
	char text[64];

	snprintf(text, sizeof(text), "PRAGMA user_version = %d", version);
	return sql_exec(s, "schema version", text);
}

static enum oc_err
run_steps(struct store *s, const struct store_schema *schema, int version)
{
	char what[32];
	enum oc_err err = OC_OK;

	for (int i = version; err == OC_OK && i < schema->num_steps; i++) {
		snprintf(what, sizeof(what), "schema step %d", i + 1);
		err = sql_exec(s, what, schema->steps[i]);
	}
	if (err == OC_OK)
		err = set_version(s, schema->num_steps);
	return err;
}

enum oc_err
sqlite_store_check(struct sqlite_store *q, const struct store_schema *schema,
    int *version)
{
	static const char application[] = "PRAGMA application_id";
	static const char user_version[] = "PRAGMA user_version";
	int64_t id = 0, read = 0;
	enum oc_err err;

	err = sql_read_int(&q->base, "open", application, &id);
	if (err == OC_OK)
		err = sql_read_int(&q->base, "open", user_version, &read);
	if (err != OC_OK)
		return err;
	if (id != STORE_APPLICATION_ID || read < 1)
		return store_fail(&q->base, OC_ERR_REFUSED, "this file is "
		    "not a store of ocsign: give another path");
	if (read > schema->num_steps)
		return store_fail(&q->base, OC_ERR_UNSUPPORTED, "schema %d "
		    "is newer than this program's %d: install the program "
		    "that wrote it", (int)read, schema->num_steps);
	*version = (int)read;
	return OC_OK;
}

/* Inside a change; the version is read again, now that nobody else can
 * change it. */
static enum oc_err
migrate(struct sqlite_store *q, const struct store_schema *schema)
{
	struct store_detail d;
	int version;
	enum oc_err err;

	err = sqlite_store_check(q, schema, &version);
	if (err != OC_OK || version == schema->num_steps)
		return err;
	err = run_steps(&q->base, schema, version);
	if (err != OC_OK)
		return err;
	store_detail_init(&d);
	store_detail_put_int(&d, "from", version);
	store_detail_put_int(&d, "to", schema->num_steps);
	store_detail_end(&d);
	return store_add_entry(&q->base, "migrate", d.text);
}

enum oc_err
sqlite_store_migrate(struct sqlite_store *q,
    const struct store_schema *schema, int version)
{
	enum oc_err err;

	if (version == schema->num_steps)
		return OC_OK;
	err = store_begin_change(&q->base);
	if (err != OC_OK)
		return err;
	return store_end_change(&q->base, migrate(q, schema));
}

enum oc_err
sqlite_store_identify(struct sqlite_store *q, bool *is_backup)
{
	static const char text[] = "SELECT id, epoch, is_backup FROM store";
	struct sql sql;
	enum oc_err err;

	sql_open(&sql, &q->base, "open", text);
	err = sql_next_identity(&sql, q->base.id, &q->base.epoch);
	if (err == OC_OK)
		*is_backup = sql_get_int(&sql) != 0;
	sql_close(&sql);
	return err;
}

/* Inside a change. */
static enum oc_err
fill(struct sqlite_store *q, const struct store_schema *schema)
{
	static const char text[] =
	    "INSERT INTO store (only, id, epoch, journal_hash)"
	    " VALUES (1, ?, ?, zeroblob(32))";
	struct store *s = &q->base;
	struct store_detail d;
	struct sql sql;
	enum oc_err err;

	err = run_steps(s, schema, 0);
	if (err != OC_OK)
		return err;
	sql_open(&sql, s, "create", text);
	sql_put_blob(&sql, s->id, STORE_ID_LEN);
	sql_put_int(&sql, s->epoch);
	err = sql_run(&sql);
	if (err != OC_OK)
		return err;
	store_detail_init(&d);
	store_detail_put_hex(&d, "id", s->id, STORE_ID_LEN);
	store_detail_put_int(&d, "epoch", s->epoch);
	store_detail_end(&d);
	return store_add_entry(s, "create", d.text);
}

/* With a rollback journal, so that the closed file is all of it. */
static enum oc_err
create_in(const char *path, const char *file,
    const struct store_schema *schema, struct oc_error *error)
{
	struct sqlite_store *q;
	char application[64];
	enum oc_err err;

	snprintf(application, sizeof(application),
	    "PRAGMA application_id = %d", STORE_APPLICATION_ID);
	err = sqlite_store_new(path, file, STORE_WRITE, &q, error);
	if (err != OC_OK)
		return err;
	err = store_epoch_now(&q->base.epoch, &q->base.error);
	if (err == OC_OK && RAND_bytes(q->base.id, STORE_ID_LEN) != 1)
		err = store_fail(&q->base, OC_ERR_INTERNAL,
		    "no random octets");
	if (err == OC_OK)
		err = sqlite_store_connect(q);
	if (err == OC_OK)
		err = sql_exec(&q->base, "create", application);
	if (err == OC_OK)
		err = store_begin_change(&q->base);
	if (err == OC_OK)
		err = store_end_change(&q->base, fill(q, schema));
	(void)sqlite_store_report(q, err, error);
	sqlite_store_free(q);
	return err;
}

/* A log that outlived its store would be played into the new one. */
static enum oc_err
check_no_leftover(const char *path, struct oc_error *error)
{
	enum oc_err err = OC_OK;
	char *wal = NULL;

	if (asprintf(&wal, "%s-wal", path) < 0)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	if (access(wal, F_OK) == 0)
		err = oc_error_set(error, OC_ERR_REFUSED, "%s is there, but "
		    "not the store it belongs to: put the store back, or "
		    "remove both", wal);
	free(wal);
	return err;
}

enum oc_err
sqlite_store_create(const char *path, const struct store_schema *schema,
    struct oc_error *error)
{
	char *file = NULL;
	enum oc_err err;

	err = check_no_leftover(path, error);
	if (err == OC_OK)
		err = sqlite_temporary_create(path, &file, error);
	if (err == OC_OK)
		err = create_in(path, file, schema, error);
	if (err == OC_OK)
		err = sqlite_file_sync(file, error);
	/* link(2), unlike rename(2), never takes the place of a store that
	 * another process has made meanwhile. */
	if (err == OC_OK && link(file, path) != 0)
		err = oc_error_set_errno(error, errno == EEXIST ?
		    OC_ERR_EXISTS : OC_ERR_SYSTEM, "%s", path);
	sqlite_temporary_remove(file);
	if (err == OC_OK)
		err = sqlite_directory_sync(path, error);
	return err;
}
