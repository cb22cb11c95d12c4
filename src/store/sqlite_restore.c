/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A backup back in place.  The new store is made whole beside the old one,
 * under the exclusive lock; one rename(2) swaps them.  A crash leaves the
 * old store or the new one, never neither.
 */
#include <errno.h>
#include <openssl/rand.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/lock.h"
#include "store/sqlite.h"

/*
 * How far the epoch jumps when the store that is replaced cannot be read:
 * each restore within one minute takes the next epoch, so its epoch may be
 * ahead of the clock, by as many as there were.
 */
#define EPOCH_MARGIN 60

struct restore {
	const char *from;
	const char *to;
	const struct store_schema *schema;
	struct oc_error *error;
	bool is_replacing;	/* there is something at to */
	bool is_damaged;	/* and it cannot be read */
	struct sqlite_store *old;	/* NULL unless it can */
	uint32_t epoch_min;
};

/* --- the backup --------------------------------------------------------- */

static enum oc_err
check_integrity(struct sqlite_store *q)
{
	struct sql sql;
	bool has_row = false;
	enum oc_err err;

	sql_open_once(&sql, &q->base, "check", "PRAGMA integrity_check(1)");
	err = sql_next(&sql, &has_row);
	if (err == OC_OK && (!has_row || strcmp(sql_get_text(&sql), "ok") != 0))
		err = store_fail(&q->base, OC_ERR_STORE, "the backup is "
		    "damaged: take another one");
	sql_close(&sql);
	return err;
}

static enum oc_err
open_backup(struct restore *r, struct sqlite_store **backup)
{
	struct sqlite_store *q;
	bool is_backup;
	int version;
	enum oc_err err;

	if (access(r->from, F_OK) != 0)
		return oc_error_set_errno(r->error, errno == ENOENT ?
		    OC_ERR_NOT_FOUND : OC_ERR_SYSTEM, "%s", r->from);
	err = sqlite_store_new(r->from, NULL, STORE_READ, &q, r->error);
	if (err != OC_OK)
		return err;
	err = sqlite_store_connect(q);
	if (err == OC_OK)
		err = sqlite_store_check(q, r->schema, &version);
	if (err == OC_OK)
		err = check_integrity(q);
	if (err == OC_OK)
		err = sqlite_store_identify(q, &is_backup);
	if (err != OC_OK) {
		(void)sqlite_store_report(q, err, r->error);
		sqlite_store_free(q);
		return err;
	}
	*backup = q;
	return OC_OK;
}

/* --- what is replaced --------------------------------------------------- */

/*
 * Opened for writing, so that closing it leaves no log beside it.  A damaged
 * store is why people restore: it is no reason to refuse.  A file that is
 * something else is.
 */
static enum oc_err
open_old(struct restore *r)
{
	struct sqlite_store *q;
	bool is_backup;
	int version;
	enum oc_err err;

	if (access(r->to, F_OK) != 0)
		return OC_OK;
	r->is_replacing = true;
	err = sqlite_store_new(r->to, NULL, STORE_WRITE, &q, r->error);
	if (err != OC_OK)
		return err;
	err = sqlite_store_connect(q);
	if (err == OC_OK)
		err = sqlite_store_check(q, r->schema, &version);
	if (err == OC_OK)
		err = sqlite_store_identify(q, &is_backup);
	if (err == OC_OK) {
		r->old = q;
		return OC_OK;
	}
	if (err == OC_ERR_STORE) {
		oc_log(OC_LOG_WARNING, "%s: its epoch cannot be read: the "
		    "new one is %d minutes ahead", q->base.error.text,
		    EPOCH_MARGIN);
		r->is_damaged = true;
		err = OC_OK;
	}
	(void)sqlite_store_report(q, err, r->error);
	sqlite_store_free(q);
	return err;
}

/* --- the new store ------------------------------------------------------ */

static enum oc_err
choose_epoch(struct restore *r, uint32_t *epoch)
{
	uint32_t now;
	enum oc_err err;

	err = store_epoch_now(&now, r->error);
	if (err != OC_OK)
		return err;
	if (now < r->epoch_min)
		now = r->epoch_min;
	if (r->is_damaged)
		now += EPOCH_MARGIN;
	if (now > STORE_EPOCH_MAX)
		return oc_error_set(r->error, OC_ERR_LIMIT,
		    "%s: there is no epoch left", r->to);
	*epoch = now;
	return OC_OK;
}

static enum oc_err
renew(struct restore *r, struct sqlite_store *q,
    const uint8_t old_id[STORE_ID_LEN])
{
	int version;
	enum oc_err err;

	err = sqlite_store_check(q, r->schema, &version);
	if (err == OC_OK)
		err = sqlite_store_migrate(q, r->schema, version);
	if (err == OC_OK && RAND_bytes(q->base.id, STORE_ID_LEN) != 1)
		err = store_fail(&q->base, OC_ERR_INTERNAL,
		    "no random octets");
	if (err == OC_OK)
		err = store_begin_change(&q->base);
	if (err == OC_OK)
		err = store_end_change(&q->base,
		    sql_renew_identity(&q->base, old_id, r->old == NULL ?
		    NULL : r->old->base.id));
	return err;
}

static enum oc_err
make_new(struct restore *r, struct sqlite_store *backup, const char *file)
{
	struct sqlite_store *q;
	uint32_t epoch = 0;
	enum oc_err err;

	r->epoch_min = backup->base.epoch + 1;
	if (r->old != NULL && r->old->base.epoch >= r->epoch_min)
		r->epoch_min = r->old->base.epoch + 1;
	err = choose_epoch(r, &epoch);
	if (err == OC_OK)
		err = sqlite_store_new(r->to, file, STORE_WRITE, &q,
		    r->error);
	if (err != OC_OK)
		return err;
	q->base.epoch = epoch;
	err = sqlite_store_connect(q);
	if (err == OC_OK)
		err = sqlite_store_copy(backup, q);
	if (err == OC_OK)
		err = renew(r, q, backup->base.id);
	if (err != OC_OK)
		(void)oc_error_set(r->error, err, "%s",
		    q->base.error.code != OC_OK ? q->base.error.text :
		    r->old->base.error.text);
	sqlite_store_free(q);
	return err;
}

/* --- the swap ----------------------------------------------------------- */

/* A second name for the old store, so that its first is never without one. */
static enum oc_err
keep_old(struct restore *r, char **kept)
{
	char stamp[32], *name = NULL;
	time_t now = (time_t)oc_clock_now_s();
	struct tm tm;

	if (gmtime_r(&now, &tm) == NULL ||
	    strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &tm) == 0)
		return oc_error_set(r->error, OC_ERR_SYSTEM,
		    "the clock of this machine is wrong");
	for (int i = 1; i < 100; i++) {
		if ((i == 1 ? asprintf(&name, "%s.replaced-%s", r->to, stamp) :
		    asprintf(&name, "%s.replaced-%s-%d", r->to, stamp, i)) < 0)
			return oc_error_set(r->error, OC_ERR_NOMEM,
			    "out of memory");
		if (link(r->to, name) == 0) {
			*kept = name;
			return OC_OK;
		}
		if (errno != EEXIST)
			break;
		free(name);
		name = NULL;
	}
	oc_error_set_errno(r->error, OC_ERR_SYSTEM, "%s.replaced-%s", r->to,
	    stamp);
	free(name);
	return r->error->code;
}

/* Only a damaged store still has them.  The log must not meet the new one;
 * the -shm is rebuilt by whoever opens the old one. */
static enum oc_err
move_leftovers(struct restore *r, const char *kept)
{
	char *wal = NULL, *kept_wal = NULL, *shm = NULL;
	enum oc_err err = OC_OK;

	if (asprintf(&wal, "%s-wal", r->to) < 0 ||
	    asprintf(&kept_wal, "%s-wal", kept == NULL ? r->to : kept) < 0 ||
	    asprintf(&shm, "%s-shm", r->to) < 0) {
		err = oc_error_set(r->error, OC_ERR_NOMEM, "out of memory");
	} else if (access(wal, F_OK) == 0 && kept == NULL) {
		err = oc_error_set(r->error, OC_ERR_REFUSED, "%s is there, "
		    "but not the store it belongs to: put the store back, "
		    "or remove it", wal);
	} else if (rename(wal, kept_wal) != 0 && errno != ENOENT) {
		err = oc_error_set_errno(r->error, OC_ERR_SYSTEM, "%s", wal);
	} else {
		unlink(shm);
	}
	free(wal);
	free(kept_wal);
	free(shm);
	return err;
}

static enum oc_err
swap(struct restore *r, const char *file)
{
	char *kept = NULL;
	enum oc_err err = OC_OK;

	if (r->is_replacing)
		err = keep_old(r, &kept);
	if (err == OC_OK)
		err = move_leftovers(r, kept);
	if (err == OC_OK && rename(file, r->to) != 0)
		err = oc_error_set_errno(r->error, OC_ERR_SYSTEM, "%s",
		    r->to);
	free(kept);
	if (err == OC_OK)
		err = sqlite_directory_sync(r->to, r->error);
	return err;
}

/* Under the exclusive lock. */
static enum oc_err
restore(struct restore *r)
{
	struct sqlite_store *backup = NULL;
	char *file = NULL;
	enum oc_err err;

	err = open_backup(r, &backup);
	if (err == OC_OK)
		err = open_old(r);
	if (err == OC_OK)
		err = sqlite_temporary_create(r->to, &file, r->error);
	if (err == OC_OK)
		err = make_new(r, backup, file);
	/* Closed before the swap: the last one out clears the log. */
	sqlite_store_free(r->old);
	sqlite_store_free(backup);
	if (err == OC_OK)
		err = sqlite_file_sync(file, r->error);
	if (err == OC_OK)
		err = swap(r, file);
	sqlite_temporary_remove(file);
	return err;
}

static bool
is_same_file(const char *a, const char *b)
{
	struct stat stat_a, stat_b;

	return stat(a, &stat_a) == 0 && stat(b, &stat_b) == 0 &&
	    stat_a.st_dev == stat_b.st_dev && stat_a.st_ino == stat_b.st_ino;
}

enum oc_err
store_sqlite_restore(const char *from, const char *to,
    const struct store_schema *schema, struct oc_error *error)
{
	struct oc_error ignored;
	struct restore r = { .from = from, .schema = schema };
	struct stat st;
	char *resolved;
	int lock_fd = -1;
	enum oc_err err;

	r.error = error == NULL ? &ignored : error;
	if (is_same_file(from, to))
		return oc_error_set(r.error, OC_ERR_REFUSED,
		    "%s: is the backup and its target at once", from);
	if (stat(to, &st) == 0 && !S_ISREG(st.st_mode))
		return oc_error_set(r.error, OC_ERR_REFUSED,
		    "%s: is not a regular file", to);
	resolved = realpath(to, NULL);
	if (resolved == NULL)
		resolved = strdup(to);
	if (resolved == NULL)
		return oc_error_set(r.error, OC_ERR_NOMEM, "out of memory");
	r.to = resolved;
	err = store_lock_open(r.to, STORE_LOCK_EXCLUSIVE, 0, &lock_fd,
	    r.error);
	if (err == OC_OK)
		err = restore(&r);
	if (lock_fd >= 0)
		close(lock_fd);
	free(resolved);
	return err;
}
