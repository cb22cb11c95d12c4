/* SPDX-License-Identifier: Apache-2.0 */
/* Whole files, locks and paths.  All of it blocks: never call from an event
 * loop. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/spool.h"

/*
 * The whole content of a regular file or a pipe, or, for "-", of standard
 * input.  *bytes is for free(); a NUL, not counted, stands behind it.
 * NOT_FOUND; LIMIT over max bytes; REFUSED for directories, devices, sockets.
 */
enum oc_err oc_file_read(const char *path, size_t max, uint8_t **bytes,
    size_t *len, struct oc_error *error) OC_MUST_CHECK;

/* What changes when a file is replaced or written to; all zero: no file. */
struct oc_file_stamp {
	dev_t device;
	ino_t inode;
	off_t len;
	int64_t written_ns, changed_ns;		/* mtime, ctime */
};
bool oc_file_stamp_equal(const struct oc_file_stamp *a,
    const struct oc_file_stamp *b);
/* NOT_FOUND, SYSTEM. */
enum oc_err oc_file_stamp(const char *path, struct oc_file_stamp *stamp,
    struct oc_error *error) OC_MUST_CHECK;

/* The whole content of a regular file: a pipe, which somebody would have to
 * write to before it is even open, is REFUSED as well.  The stamp, which may
 * be NULL, is as of before the first octet was read.  Otherwise as
 * oc_file_read(). */
enum oc_err oc_file_read_regular(const char *path, size_t max,
    uint8_t **bytes, size_t *len, struct oc_file_stamp *stamp,
    struct oc_error *error) OC_MUST_CHECK;
/* The same in shared memory, for what is too long for memory of one's own; of
 * an empty file bytes is NULL. */
enum oc_err oc_file_map(const char *path, size_t max,
    struct oc_mapping *mapping, struct oc_error *error) OC_MUST_CHECK;

/*
 * Replaces or creates a file in one step: whoever opens the path, and whoever
 * looks after a crash, sees the old content or the new.  On failure the old
 * file is as it was and nothing is left beside it.  The mode is exactly the
 * one given, whatever the umask.  A symbolic link is followed.
 * NO_SPACE for a full disk or quota; REFUSED where the path is a directory,
 * device or pipe.
 */
enum oc_err oc_file_write(const char *path, mode_t mode, const void *bytes,
    size_t len, struct oc_error *error) OC_MUST_CHECK;

/*
 * The same for several: all are on disk, under names that nobody knows,
 * before the first gets its own, so that a full disk leaves none of them.
 * num_parts is at least 1.
 */
struct oc_file_part {
	const char *path;
	mode_t mode;
	const void *bytes;
	size_t len;
	const void *head;		/* stands before them, if it is given */
	size_t head_len;
};
enum oc_err oc_file_write_all(const struct oc_file_part *parts,
    size_t num_parts, struct oc_error *error) OC_MUST_CHECK;

/* One that is ours alone, in a folder where another user may have put a link
 * of its name: that is replaced, not followed. */
enum oc_err oc_file_write_own(const char *path, mode_t mode,
    const void *bytes, size_t len, struct oc_error *error) OC_MUST_CHECK;

/* Whether that would find a place: writes beside the file, and leaves nothing
 * there.  For who is about to make something that is made only once. */
enum oc_err oc_file_try_write(const char *path, struct oc_error *error)
    OC_MUST_CHECK;

/*
 * Creates the file when missing, locks it exclusively without waiting and
 * writes our PID into it.  Closing the fd, or the end of the last process
 * that inherited it, unlocks; the file stays, and when root has made it it
 * belongs to whoever the folder belongs to.  BUSY when somebody has it; the
 * text says who, when the file does.
 */
enum oc_err oc_file_lock(const char *path, int *fd, struct oc_error *error)
    OC_MUST_CHECK;

/* What root has just made in somebody's folder is for them to take, too. */
void oc_file_give_to_owner(int fd, const char *path);
/* Mode 0660, if the folder that path is in is one that a group shares (setgid,
 * and the group may write).  Only for who made the file. */
void oc_file_share(int fd, const char *path);

/* The directory and those above it, each with this mode if it was missing. */
enum oc_err oc_file_mkdir_p(const char *path, mode_t mode,
    struct oc_error *error) OC_MUST_CHECK;

/* An absolute path stays; another one is meant from base_dir.  For free().
 * NOMEM is the only error. */
enum oc_err oc_path_join(const char *base_dir, const char *path, char **joined)
    OC_MUST_CHECK;

/* "/a" of "/a/b", "." of "b", "/" of "/b".  For free().  NOMEM only. */
enum oc_err oc_path_directory(const char *path, char **directory)
    OC_MUST_CHECK;

#endif
