/* SPDX-License-Identifier: Apache-2.0 */
#include "pkcs11/journal_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "pkcs11/journal_read.h"

/* The last two lines and what may be left of a third. */
#define TAIL_MAX (3 * P11_RECORD_MAX)
#define PROBE_LEN (P11_JOURNAL_PUT_MAX * P11_RECORD_MAX)

enum oc_err
p11_journal_file_init(struct p11_journal_file *f, const char *directory,
    const char *chain, uint64_t size_max)
{
	*f = (struct p11_journal_file){ .lock_fd = -1, .fd = -1,
	    .size_max = size_max };
	(void)snprintf(f->chain, sizeof(f->chain), "%s", chain);
	f->directory = strdup(directory);
	f->text = malloc(P11_JOURNAL_PUT_MAX * P11_RECORD_MAX);
	if (f->directory != NULL && f->text != NULL)
		return OC_OK;
	p11_journal_file_fini(f);
	return OC_ERR_NOMEM;
}

void
p11_journal_file_close(struct p11_journal_file *f)
{
	if (f->fd >= 0)
		(void)close(f->fd);
	if (f->lock_fd >= 0)
		(void)close(f->lock_fd);
	f->fd = f->lock_fd = -1;
}

void
p11_journal_file_fini(struct p11_journal_file *f)
{
	p11_journal_file_close(f);
	free(f->directory);
	free(f->text);
	f->directory = f->text = NULL;
}

bool
p11_journal_file_is_open(const struct p11_journal_file *f)
{
	return f->fd >= 0;
}

static enum oc_err
fail(const struct p11_journal_file *f, const char *what,
    struct oc_error *error)
{
	char name[P11_JOURNAL_NAME_MAX];
	enum oc_err err = errno == ENOSPC || errno == EDQUOT ||
	    errno == EFBIG ? OC_ERR_NO_SPACE : OC_ERR_SYSTEM;

	p11_journal_file_name(f->chain, f->file, name);
	return oc_error_set_errno(error, err, "cannot %s %s/%s", what,
	    f->directory, name);
}

static char *
path_of(const struct p11_journal_file *f, uint32_t file)
{
	char name[P11_JOURNAL_NAME_MAX], *path;

	p11_journal_file_name(f->chain, file, name);
	return asprintf(&path, "%s/%s", f->directory, name) < 0 ? NULL : path;
}

/* --- records ------------------------------------------------------------- */

void
p11_journal_file_put(struct p11_journal_file *f, struct p11_record *record)
{
	size_t len;

	oc_assert(f->num_put < P11_JOURNAL_PUT_MAX);
	record->number = f->put_number + 1;
	p11_record_write(record, f->put_hash, f->text + f->text_len, &len);
	f->text_len += len;
	f->num_put++;
	f->put_number = record->number;
	memcpy(f->put_hash, record->hash, P11_HASH_LEN);
}

bool
p11_journal_file_is_full(const struct p11_journal_file *f)
{
	return f->num_put == P11_JOURNAL_PUT_MAX;
}

static void
forget(struct p11_journal_file *f)
{
	f->text_len = 0;
	f->num_put = 0;
	f->put_number = f->number;
	memcpy(f->put_hash, f->hash, P11_HASH_LEN);
}

static bool
write_all(int fd, const char *text, size_t len)
{
	ssize_t n;

	for (; len > 0; text += n, len -= (size_t)n) {
		n = write(fd, text, len);
		if (n < 0 && errno == EINTR)
			n = 0;
		if (n < 0)
			return false;
	}
	return true;
}

enum oc_err
p11_journal_file_flush(struct p11_journal_file *f, struct oc_error *error)
{
	enum oc_err err;

	if (f->text_len == 0)
		return OC_OK;
	if (!write_all(f->fd, f->text, f->text_len)) {
		err = fail(f, "write", error);
		forget(f);
		/* What is left of a record would be in the way of the next:
		 * if it cannot be cut off, the next begins another file. */
		if (ftruncate(f->fd, (off_t)f->len) != 0)
			p11_journal_file_close(f);
		return err;
	}
	f->len += f->text_len;
	f->number = f->put_number;
	memcpy(f->hash, f->put_hash, P11_HASH_LEN);
	forget(f);
	return OC_OK;
}

enum oc_err
p11_journal_file_sync(struct p11_journal_file *f, struct oc_error *error)
{
	enum oc_err err;

	if (fdatasync(f->fd) == 0 || errno == EINVAL)
		return OC_OK;
	err = fail(f, "sync", error);
	/* What of it is on the disk, nobody knows: it is read again. */
	p11_journal_file_close(f);
	return err;
}

enum oc_err
p11_journal_file_probe(struct p11_journal_file *f, struct oc_error *error)
{
	if (fallocate(f->fd, FALLOC_FL_KEEP_SIZE, (off_t)f->len,
	    PROBE_LEN) == 0 || (errno != ENOSPC && errno != EDQUOT &&
	    errno != EFBIG))
		return OC_OK;
	return fail(f, "write", error);
}

/* --- files --------------------------------------------------------------- */

/* Where the chain stands. */
struct head {
	uint64_t number;
	uint8_t hash[P11_HASH_LEN];
	uint64_t octets, torn;
};

static enum oc_err
sync_directory(const struct p11_journal_file *f, struct oc_error *error)
{
	int fd = open(f->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool is_synced = fd >= 0 && (fsync(fd) == 0 || errno == EINVAL);

	if (!is_synced)
		(void)oc_error_set_errno(error, OC_ERR_SYSTEM,
		    "cannot sync %s", f->directory);
	if (fd >= 0)
		(void)close(fd);
	return is_synced ? OC_OK : OC_ERR_SYSTEM;
}

static void
put_open(struct p11_journal_file *f, const struct head *h)
{
	struct p11_record r = {
		.at_us = oc_clock_now_ms() * 1000,
		.type = P11_RECORD_OPEN,
		.file = f->file,
		.octets = h->octets,
		.torn = h->torn,
	};

	memcpy(r.chain, f->chain, sizeof(r.chain));
	memcpy(r.previous, h->hash, sizeof(r.previous));
	(void)snprintf(r.detail, sizeof(r.detail), "process %ld, ocsign %s",
	    (long)getpid(), PACKAGE_VERSION);
	p11_journal_file_put(f, &r);
}

/* With its first record, and the directory that names it, or not at all. */
static enum oc_err
begin_file(struct p11_journal_file *f, uint32_t file, const struct head *h,
    struct oc_error *error)
{
	struct p11_journal_file old = *f;
	char *path = path_of(f, file);
	enum oc_err err;

	if (path == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	f->file = file;
	f->fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND |
	    O_CLOEXEC | O_NOFOLLOW, 0600);
	if (f->fd < 0) {
		err = fail(f, "make", error);
	} else {
		oc_file_give_to_owner(f->fd, path);
		f->len = 0;
		f->number = h->number;
		memcpy(f->hash, h->hash, P11_HASH_LEN);
		forget(f);
		put_open(f, h);
		err = p11_journal_file_flush(f, error);
		if (err == OC_OK && f->fd >= 0)
			err = p11_journal_file_sync(f, error);
		if (err == OC_OK)
			err = sync_directory(f, error);
		if (err != OC_OK)
			(void)unlink(path);
	}
	free(path);
	if (err == OC_OK) {
		if (old.fd >= 0)
			(void)close(old.fd);
		return OC_OK;
	}
	if (f->fd >= 0 && f->fd != old.fd)
		(void)close(f->fd);
	/* A failure may have closed the lock with it. */
	old.lock_fd = f->lock_fd;
	*f = old;
	if (f->lock_fd < 0)
		p11_journal_file_close(f);
	return err;
}

enum oc_err
p11_journal_file_rotate(struct p11_journal_file *f, struct oc_error *error)
{
	struct head h = { .number = f->number, .octets = f->len };

	oc_assert(f->text_len == 0);
	if (f->len < f->size_max)
		return OC_OK;
	memcpy(h.hash, f->hash, P11_HASH_LEN);
	return begin_file(f, f->file + 1, &h, error);
}

/* --- going on ------------------------------------------------------------ */

/* The last line, if it is whole, and chained to the one before it. */
static bool
find_head_at_end(int fd, uint64_t size, struct head *h)
{
	char tail[TAIL_MAX], *last, *before;
	size_t len = size < TAIL_MAX ? (size_t)size : TAIL_MAX;
	struct p11_record r, above;
	size_t last_len;

	if (len == 0 || pread(fd, tail, len, (off_t)(size - len)) !=
	    (ssize_t)len || tail[len - 1] != '\n')
		return false;
	last = memrchr(tail, '\n', len - 1);
	if (last == NULL)
		return false;
	last++;
	last_len = (size_t)(tail + len - 1 - last);
	before = memrchr(tail, '\n', (size_t)(last - 1 - tail));
	before = before == NULL ? tail : before + 1;
	if ((before == tail && len != size) ||
	    p11_record_read(before, (size_t)(last - 1 - before), &above) !=
	    OC_OK || p11_record_read(last, last_len, &r) != OC_OK ||
	    r.number != above.number + 1 ||
	    !p11_record_is_chained(last, last_len, above.hash, &r))
		return false;
	*h = (struct head){ .number = r.number, .octets = size };
	memcpy(h->hash, r.hash, P11_HASH_LEN);
	return true;
}

/* NOT_FOUND: a crash, before its first record was whole. */
static enum oc_err
find_head(const struct p11_journal_file *f, const char *path,
    struct head *h, struct oc_error *error)
{
	struct p11_scan scan = { .at = 0 };
	struct p11_record r;
	uint8_t *bytes;
	enum oc_err err;

	err = oc_file_read_regular(path, P11_JOURNAL_FILE_MAX, &bytes,
	    &scan.len, NULL, error);
	if (err != OC_OK)
		return err;
	scan.bytes = (const char *)bytes;
	while (p11_scan_next(&scan, &r))
		;
	if (scan.number == 0 && p11_scan_is_torn(&scan))
		err = OC_ERR_NOT_FOUND;
	else if (scan.number == 0)
		err = oc_error_set(error, OC_ERR_MISMATCH, "%s: its first "
		    "record cannot be read: move it away, and have \"ocsign "
		    "audit verify\" say what else is wrong", path);
	else if (scan.why != NULL && !p11_scan_is_torn(&scan))
		oc_log(OC_LOG_ERROR, "%s: record %llu %s; chain %s goes on "
		    "behind the one before it", path, (unsigned long long)
		    scan.number + 1, scan.why, f->chain);
	*h = (struct head){ .number = scan.number, .octets = scan.at,
	    .torn = scan.len - scan.at };
	memcpy(h->hash, scan.hash, P11_HASH_LEN);
	free(bytes);
	return err;
}

/* The same file if it ends with a whole record and has room. */
static enum oc_err
go_on(struct p11_journal_file *f, uint32_t file, struct oc_error *error)
{
	char *path = path_of(f, file);
	struct head h = { 0 };
	enum oc_err err = OC_OK;
	struct stat st;

	if (path == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	f->file = file;
	f->fd = open(path, O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW);
	if (f->fd < 0 || fstat(f->fd, &st) != 0)
		err = fail(f, "open", error);
	else if (!find_head_at_end(f->fd, (uint64_t)st.st_size, &h))
		err = find_head(f, path, &h, error);
	/* Nothing was ever in it. */
	if (err == OC_ERR_NOT_FOUND && unlink(path) != 0)
		err = fail(f, "remove", error);
	free(path);
	if (err != OC_OK)
		return err;
	if (h.torn != 0)
		oc_log(OC_LOG_WARNING, "%s: the last %llu octets of its last "
		    "file are no whole record, as a crash leaves them: the "
		    "signing journal goes on in the next", f->directory,
		    (unsigned long long)h.torn);
	if (h.torn != 0 || h.octets >= f->size_max)
		return begin_file(f, file + 1, &h, error);
	f->len = h.octets;
	f->number = h.number;
	memcpy(f->hash, h.hash, P11_HASH_LEN);
	forget(f);
	put_open(f, &h);
	return p11_journal_file_flush(f, error);
}

static enum oc_err
make_directory(const struct p11_journal_file *f, struct oc_error *error)
{
	enum oc_err err;
	int fd;

	if (access(f->directory, F_OK) == 0)
		return OC_OK;
	err = oc_file_mkdir_p(f->directory, 0700, error);
	if (err != OC_OK)
		return err;
	fd = open(f->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0) {
		oc_file_give_to_owner(fd, f->directory);
		(void)close(fd);
	}
	return OC_OK;
}

enum oc_err
p11_journal_file_lock(struct p11_journal_file *f, struct oc_error *error)
{
	char *path;
	enum oc_err err;

	if (f->lock_fd >= 0)
		return OC_OK;
	err = make_directory(f, error);
	if (err != OC_OK)
		return err;
	if (asprintf(&path, "%s/%s.lock", f->directory, f->chain) < 0)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	err = oc_file_lock(path, &f->lock_fd, error);
	free(path);
	return err;
}

/* 0: there is none. */
static enum oc_err
find_last(const struct p11_journal_file *f, uint32_t *last,
    struct oc_error *error)
{
	struct p11_journal_name *names;
	size_t num;
	enum oc_err err;

	err = p11_journal_list(f->directory, &names, &num, error);
	if (err != OC_OK)
		return err;
	*last = 0;
	for (size_t i = 0; i < num; i++)
		if (strcmp(names[i].chain, f->chain) == 0)
			*last = names[i].file;
	free(names);
	return OC_OK;
}

enum oc_err
p11_journal_file_open(struct p11_journal_file *f, struct oc_error *error)
{
	static const struct head nothing;
	uint32_t last;
	enum oc_err err;

	oc_assert(f->fd < 0);
	do {
		err = p11_journal_file_lock(f, error);
		if (err == OC_OK)
			err = find_last(f, &last, error);
		if (err == OC_OK)
			err = last == 0 ? begin_file(f, 1, &nothing, error) :
			    go_on(f, last, error);
		if (err != OC_OK)
			p11_journal_file_close(f);
	} while (err == OC_ERR_NOT_FOUND);	/* one less there now */
	return err;
}
