/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A copy as of one moment, made while others write.  It is marked as a
 * backup, so that nobody goes on writing to it with the numbers of the
 * original, and needs no files beside it, so that it can be read from a
 * read-only medium.
 */
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/sqlite.h"

/* In one step: a read transaction, which in WAL mode keeps nobody out. */
static int
copy_pages(struct sqlite_store *from, struct sqlite_store *to)
{
	int64_t deadline_ns = oc_clock_mono_ns() +
	    from->busy_timeout_ms * OC_NS_PER_MS;
	sqlite3_backup *backup;
	int rc, finished;

	backup = sqlite3_backup_init(to->db, "main", from->db, "main");
	if (backup == NULL)
		return sqlite3_extended_errcode(to->db);
	while ((rc = sqlite3_backup_step(backup, -1)) == SQLITE_BUSY ||
	    rc == SQLITE_LOCKED) {
		if (oc_clock_mono_ns() >= deadline_ns)
			break;
		usleep(10 * 1000);
	}
	finished = sqlite3_backup_finish(backup);
	return rc == SQLITE_DONE ? finished : rc;
}

enum oc_err
sqlite_store_copy(struct sqlite_store *from, struct sqlite_store *to)
{
	int rc = copy_pages(from, to);

	if (rc != SQLITE_OK)
		return sql_error(&to->base, rc, "copy");
	/* The pages say WAL, as the original's do. */
	return sqlite_store_set_journal_mode(to, "delete");
}

static enum oc_err
fill(struct sqlite_store *from, const char *to, const char *file,
    struct oc_error *error)
{
	struct sqlite_store *q;
	enum oc_err err;

	err = sqlite_store_new(to, file, STORE_WRITE, &q, error);
	if (err != OC_OK)
		return err;
	err = sqlite_store_connect(q);
	if (err == OC_OK)
		err = sqlite_store_copy(from, q);
	if (err == OC_OK)
		err = sql_exec(&q->base, "mark the backup",
		    "UPDATE store SET is_backup = 1");
	(void)sqlite_store_report(q, err, error);
	sqlite_store_free(q);
	return err;
}

/* An older backup may be replaced, nothing else. */
static enum oc_err
check_target(const char *to, struct oc_error *error)
{
	struct sqlite_store *q;
	bool is_backup = false;
	int version;
	enum oc_err err;

	if (access(to, F_OK) != 0)
		return OC_OK;
	err = sqlite_store_new(to, NULL, STORE_READ, &q, error);
	if (err != OC_OK)
		return err;
	err = sqlite_store_connect(q);
	if (err == OC_OK)
		err = sqlite_store_check(q, store_sqlite_schema(), &version);
	if (err == OC_OK)
		err = sqlite_store_identify(q, &is_backup);
	sqlite_store_free(q);
	if (err == OC_OK && is_backup)
		return OC_OK;
	return oc_error_set(error, OC_ERR_EXISTS, "%s: is there and not a "
	    "backup: give another path", to);
}

enum oc_err
sqlite_backup(struct store *s, const char *to)
{
	struct sqlite_store *q = (struct sqlite_store *)s;
	char *file = NULL;
	enum oc_err err;

	err = check_target(to, &s->error);
	if (err == OC_OK)
		err = sqlite_temporary_create(to, &file, &s->error);
	if (err == OC_OK)
		err = fill(q, to, file, &s->error);
	if (err == OC_OK)
		err = sqlite_file_sync(file, &s->error);
	if (err == OC_OK && rename(file, to) != 0)
		err = oc_error_set_errno(&s->error, OC_ERR_SYSTEM, "%s", to);
	sqlite_temporary_remove(file);
	if (err == OC_OK)
		err = sqlite_directory_sync(to, &s->error);
	return err;
}
