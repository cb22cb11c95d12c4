/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"

#define SPOOL_CHUNK 16384

static enum oc_err
code_of_errno(int number)
{
	if (number == ENOENT)
		return OC_ERR_NOT_FOUND;
	if (number == ENOSPC || number == EDQUOT || number == EFBIG)
		return OC_ERR_NO_SPACE;
	if (number == ENOMEM)
		return OC_ERR_NOMEM;
	return OC_ERR_SYSTEM;
}

/* "cannot WHAT PATH: strerror". */
static enum oc_err
fail(struct oc_error *error, const char *what, const char *path)
{
	return oc_error_set_errno(error, code_of_errno(errno), "cannot %s %s",
	    what, path);
}

static enum oc_err
check_readable_kind(int fd, const char *path, struct oc_error *error)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return fail(error, "examine", path);
	if (S_ISREG(st.st_mode) || S_ISFIFO(st.st_mode))
		return OC_OK;
	/* Standard input may also be a terminal or a socket. */
	if (fd == STDIN_FILENO && !S_ISDIR(st.st_mode))
		return OC_OK;
	return oc_error_set(error, OC_ERR_REFUSED,
	    S_ISDIR(st.st_mode) ? "%s is a directory, not a file" :
	    "%s is neither a file nor a pipe", path);
}

static enum oc_err
read_fd(int fd, const char *path, struct oc_buffer *b, struct oc_error *error)
{
	uint8_t chunk[16384];
	ssize_t n = -1;

	while (b->err == OC_OK && n != 0) {
		n = read(fd, chunk, sizeof(chunk));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			break;
		oc_buffer_put(b, chunk, (size_t)n);
	}
	/* It may have been a key or a PIN. */
	explicit_bzero(chunk, sizeof(chunk));
	if (b->err == OC_ERR_LIMIT)
		return oc_error_set(error, b->err,
		    "%s is larger than %zu bytes", path, b->max);
	if (b->err != OC_OK)
		return oc_error_set(error, b->err, "reading %s: %s", path,
		    oc_strerror(b->err));
	return n < 0 ? fail(error, "read", path) : OC_OK;
}

enum oc_err
oc_file_read(const char *path, size_t max, uint8_t **bytes, size_t *len,
    struct oc_error *error)
{
	struct oc_buffer b;
	int fd = STDIN_FILENO;
	enum oc_err err;

	oc_buffer_init(&b, max);
	if (strcmp(path, "-") == 0)
		path = "standard input";
	else
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return fail(error, "open", path);
	err = check_readable_kind(fd, path, error);
	if (err == OC_OK)
		err = read_fd(fd, path, &b, error);
	if (err == OC_OK)
		err = oc_buffer_take(&b, bytes, len);
	if (fd != STDIN_FILENO)
		close(fd);
	oc_buffer_fini(&b);
	return err;
}

static struct oc_file_stamp
stamp_of(const struct stat *st)
{
	const int64_t ns_per_s = 1000000000;

	return (struct oc_file_stamp){
		.device = st->st_dev,
		.inode = st->st_ino,
		.len = st->st_size,
		.written_ns = st->st_mtim.tv_sec * ns_per_s +
		    st->st_mtim.tv_nsec,
		.changed_ns = st->st_ctim.tv_sec * ns_per_s +
		    st->st_ctim.tv_nsec,
	};
}

bool
oc_file_stamp_equal(const struct oc_file_stamp *a,
    const struct oc_file_stamp *b)
{
	return a->device == b->device && a->inode == b->inode &&
	    a->len == b->len && a->written_ns == b->written_ns &&
	    a->changed_ns == b->changed_ns;
}

enum oc_err
oc_file_stamp(const char *path, struct oc_file_stamp *stamp,
    struct oc_error *error)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return fail(error, "examine", path);
	*stamp = stamp_of(&st);
	return OC_OK;
}

/* For close() whatever it returns; -1: none. */
static enum oc_err
open_regular(const char *path, size_t max, int *fd, struct stat *st,
    struct oc_error *error)
{
	*fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (*fd < 0)
		return fail(error, "open", path);
	if (fstat(*fd, st) < 0)
		return fail(error, "examine", path);
	if (!S_ISREG(st->st_mode))
		return oc_error_set(error, OC_ERR_REFUSED,
		    "%s is no regular file", path);
	return (uint64_t)st->st_size <= max ? OC_OK : oc_error_set(error,
	    OC_ERR_LIMIT, "%s is larger than %zu bytes", path, max);
}

enum oc_err
oc_file_read_regular(const char *path, size_t max, uint8_t **bytes,
    size_t *len, struct oc_file_stamp *stamp, struct oc_error *error)
{
	struct oc_buffer b;
	struct stat st;
	int fd;
	enum oc_err err = open_regular(path, max, &fd, &st, error);

	oc_buffer_init(&b, max);
	if (err == OC_OK)
		err = read_fd(fd, path, &b, error);
	if (err == OC_OK)
		err = oc_buffer_take(&b, bytes, len);
	if (err == OC_OK && stamp != NULL)
		*stamp = stamp_of(&st);
	if (fd >= 0)
		close(fd);
	oc_buffer_fini(&b);
	return err;
}

static enum oc_err
spool_fd(int fd, const char *path, struct oc_spool *spool,
    struct oc_error *error)
{
	uint8_t chunk[SPOOL_CHUNK];
	ssize_t n;

	do {
		n = read(fd, chunk, sizeof(chunk));
		if (n > 0)
			oc_spool_put(spool, chunk, (size_t)n);
	} while (n > 0 || (n < 0 && errno == EINTR));
	explicit_bzero(chunk, sizeof(chunk));
	return n < 0 ? fail(error, "read", path) : OC_OK;
}

enum oc_err
oc_file_map(const char *path, size_t max, struct oc_mapping *mapping,
    struct oc_error *error)
{
	struct oc_spool spool = { .fd = -1 };
	struct stat st;
	int fd;
	enum oc_err err = open_regular(path, max, &fd, &st, error);

	if (err != OC_OK)
		goto out;
	err = oc_spool_open(&spool, "ocsign-file", max);
	if (err == OC_OK && (err = spool_fd(fd, path, &spool, error)) !=
	    OC_OK)
		goto out;
	if (err == OC_OK)
		err = oc_spool_seal(&spool);
	if (err == OC_OK && spool.len == 0)
		*mapping = (struct oc_mapping){ .bytes = NULL };
	else if (err == OC_OK)
		err = oc_spool_map(&spool, 0, mapping);
	if (err != OC_OK)
		(void)oc_error_set(error, err, "reading %s: %s", path,
		    oc_strerror(err));
out:
	if (fd >= 0)
		close(fd);
	oc_spool_close(&spool);
	return err;
}

static enum oc_err
write_fd(int fd, const uint8_t *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, bytes, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return OC_ERR_SYSTEM;
		bytes += n;
		len -= (size_t)n;
	}
	return OC_OK;
}

/* The rename itself must survive a power cut. */
static enum oc_err
sync_directory(const char *directory, struct oc_error *error)
{
	int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	enum oc_err err = OC_OK;

	if (fd < 0)
		return fail(error, "open", directory);
	/* EINVAL: a file system that has nothing to sync. */
	if (fsync(fd) < 0 && errno != EINVAL)
		err = fail(error, "sync", directory);
	close(fd);
	return err;
}

/*
 * The file that is to be replaced, links followed.  A rename would replace
 * /dev/null just as well, so that must be refused.
 */
static enum oc_err
resolve_target(const char *path, char **target, struct oc_error *error)
{
	struct stat st;
	char *resolved;

	if (lstat(path, &st) < 0) {
		if (errno != ENOENT)
			return fail(error, "examine", path);
		return oc_path_join("", path, target);
	}
	if (S_ISLNK(st.st_mode)) {
		resolved = realpath(path, NULL);
		if (resolved == NULL || stat(resolved, &st) < 0) {
			free(resolved);
			return fail(error, "follow the link", path);
		}
	} else {
		resolved = strdup(path);
		if (resolved == NULL)
			return fail(error, "write", path);
	}
	if (!S_ISREG(st.st_mode)) {
		free(resolved);
		return oc_error_set(error, OC_ERR_REFUSED,
		    "%s exists and is not a regular file", path);
	}
	*target = resolved;
	return OC_OK;
}

/* A file that is written, but not under its name yet. */
struct staged {
	char *target, *directory;
	char *temporary;		/* NULL: there is none */
};

static void
staged_fini(struct staged *s)
{
	if (s->temporary != NULL)
		(void)unlink(s->temporary);
	free(s->temporary);
	free(s->directory);
	free(s->target);
}

static enum oc_err
fill(int fd, const struct oc_file_part *part, const char *target,
    struct oc_error *error)
{
	if (fchmod(fd, part->mode) < 0 ||
	    write_fd(fd, part->head, part->head_len) != OC_OK ||
	    write_fd(fd, part->bytes, part->len) != OC_OK || fsync(fd) < 0)
		return fail(error, "write", target);
	return OC_OK;
}

/* For s->target. */
static enum oc_err
stage_there(const struct oc_file_part *part, struct staged *s,
    struct oc_error *error)
{
	char *temporary;
	enum oc_err err;
	int fd;

	if (oc_path_directory(s->target, &s->directory) != OC_OK ||
	    asprintf(&temporary, "%s/.ocsign-XXXXXX", s->directory) < 0)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0) {
		err = fail(error, "create a file in", s->directory);
		free(temporary);
		return err;
	}
	s->temporary = temporary;
	err = fill(fd, part, s->target, error);
	close(fd);
	return err;
}

static enum oc_err
stage(const struct oc_file_part *part, struct staged *s,
    struct oc_error *error)
{
	enum oc_err err = resolve_target(part->path, &s->target, error);

	return err != OC_OK ? err : stage_there(part, s, error);
}

static enum oc_err
publish(struct staged *s, struct oc_error *error)
{
	if (rename(s->temporary, s->target) < 0)
		return fail(error, "replace", s->target);
	free(s->temporary);
	s->temporary = NULL;
	return sync_directory(s->directory, error);
}

enum oc_err
oc_file_write_all(const struct oc_file_part *parts, size_t num_parts,
    struct oc_error *error)
{
	struct staged *staged = calloc(num_parts, sizeof(*staged));
	enum oc_err err = OC_OK;
	size_t i;

	if (staged == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	for (i = 0; err == OC_OK && i < num_parts; i++)
		err = stage(&parts[i], &staged[i], error);
	for (i = 0; err == OC_OK && i < num_parts; i++)
		err = publish(&staged[i], error);
	for (i = 0; i < num_parts; i++)
		staged_fini(&staged[i]);
	free(staged);
	return err;
}

enum oc_err
oc_file_write(const char *path, mode_t mode, const void *bytes, size_t len,
    struct oc_error *error)
{
	const struct oc_file_part part = { path, mode, bytes, len, NULL, 0 };

	return oc_file_write_all(&part, 1, error);
}

enum oc_err
oc_file_write_own(const char *path, mode_t mode, const void *bytes,
    size_t len, struct oc_error *error)
{
	const struct oc_file_part part = { path, mode, bytes, len, NULL, 0 };
	struct staged staged = { NULL, NULL, NULL };
	enum oc_err err;

	staged.target = strdup(path);
	err = staged.target != NULL ? stage_there(&part, &staged, error) :
	    oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	if (err == OC_OK)
		err = publish(&staged, error);
	staged_fini(&staged);
	return err;
}

enum oc_err
oc_file_try_write(const char *path, struct oc_error *error)
{
	static const char octets[4096];	/* none, and a full disk took it */
	const struct oc_file_part part = { path, 0600, octets,
	    sizeof(octets) };
	struct staged staged = { NULL, NULL, NULL };
	enum oc_err err = stage(&part, &staged, error);

	staged_fini(&staged);
	return err;
}

/* What the holder wrote; it may be about to. */
static enum oc_err
fail_locked(int fd, const char *path, struct oc_error *error)
{
	char text[16] = "", *end;
	long pid = 0;

	if (pread(fd, text, sizeof(text) - 1, 0) > 0)
		pid = strtol(text, &end, 10);
	if (pid <= 0 || *end != '\n')
		return oc_error_set(error, OC_ERR_BUSY,
		    "%s is locked by another process", path);
	return oc_error_set(error, OC_ERR_BUSY, "%s is locked by process %ld",
	    path, pid);
}

static enum oc_err
write_pid(int fd)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%ld\n", (long)getpid());

	if (ftruncate(fd, 0) < 0)
		return OC_ERR_SYSTEM;
	return write_fd(fd, (const uint8_t *)text, (size_t)len);
}

void
oc_file_give_to_owner(int fd, const char *path)
{
	char *folder = NULL;
	struct stat st;

	if (geteuid() == 0 && oc_path_directory(path, &folder) == OC_OK &&
	    stat(folder, &st) == 0)
		(void)!fchown(fd, st.st_uid, st.st_gid);
	free(folder);
}

void
oc_file_share(int fd, const char *path)
{
	const mode_t shared = S_ISGID | S_IWGRP;
	char *folder = NULL;
	struct stat st;

	/* One that has another name, too, is not this folder's alone. */
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 1 &&
	    oc_path_directory(path, &folder) == OC_OK &&
	    stat(folder, &st) == 0 && (st.st_mode & shared) == shared)
		(void)fchmod(fd, 0660);
	free(folder);
}

/* Only what was not there is given away: it may be a link to anything. */
static int
open_lock(const char *path)
{
	const int flags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW;
	int lock = open(path, flags | O_EXCL, 0600);

	if (lock >= 0) {
		oc_file_give_to_owner(lock, path);
		oc_file_share(lock, path);
	} else if (errno == EEXIST)
		lock = open(path, flags, 0600);
	return lock;
}

enum oc_err
oc_file_lock(const char *path, int *fd, struct oc_error *error)
{
	int lock = open_lock(path);
	enum oc_err err = OC_OK;

	if (lock < 0)
		return fail(error, "open", path);
	if (flock(lock, LOCK_EX | LOCK_NB) < 0)
		err = errno == EWOULDBLOCK ? fail_locked(lock, path, error) :
		    fail(error, "lock", path);
	else if (write_pid(lock) != OC_OK)
		err = fail(error, "write", path);
	if (err != OC_OK) {
		close(lock);
		return err;
	}
	*fd = lock;
	return OC_OK;
}

static enum oc_err
make_one(const char *path, mode_t mode, struct oc_error *error)
{
	struct stat st;

	if (mkdir(path, mode) == 0)
		return OC_OK;
	/* Read-only file systems and the like answer before "exists". */
	if (stat(path, &st) == 0) {
		if (S_ISDIR(st.st_mode))
			return OC_OK;
		errno = ENOTDIR;
	}
	return fail(error, "make the directory", path);
}

enum oc_err
oc_file_mkdir_p(const char *path, mode_t mode, struct oc_error *error)
{
	char *copy = strdup(path), *slash;
	enum oc_err err = OC_OK;

	if (copy == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	/* A slash in front is the root, which is there. */
	for (slash = strchr(copy + (copy[0] == '/'), '/');
	    err == OC_OK && slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		err = make_one(copy, mode, error);
		*slash = '/';
	}
	if (err == OC_OK)
		err = make_one(copy, mode, error);
	free(copy);
	return err;
}

enum oc_err
oc_path_join(const char *base_dir, const char *path, char **joined)
{
	size_t len = strlen(base_dir);
	char *out;

	if (path[0] == '/' || len == 0) {
		out = strdup(path);
		if (out == NULL)
			return OC_ERR_NOMEM;
	} else if (asprintf(&out, "%s%s%s", base_dir,
	    base_dir[len - 1] == '/' ? "" : "/", path) < 0) {
		return OC_ERR_NOMEM;
	}
	*joined = out;
	return OC_OK;
}

enum oc_err
oc_path_directory(const char *path, char **directory)
{
	const char *slash = strrchr(path, '/');
	char *out;

	if (slash == NULL)
		out = strdup(".");
	else if (slash == path)
		out = strdup("/");
	else
		out = strndup(path, (size_t)(slash - path));
	if (out == NULL)
		return OC_ERR_NOMEM;
	*directory = out;
	return OC_OK;
}
