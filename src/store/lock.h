/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PATH.lock: held shared by whoever has the store open, exclusively by a
 * restore.  flock(2), so it goes with the process; the file stays, empty:
 * to remove it would let two locks of the same name be held at once.
 */
#ifndef STORE_LOCK_H
#define STORE_LOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum store_lock_kind { STORE_LOCK_SHARED, STORE_LOCK_EXCLUSIVE };

/* Waits up to timeout_ms, then BUSY.  Closing *fd unlocks; *fd is -1 on a
 * read-only file system, where nobody restores. */
enum oc_err store_lock_open(const char *path, enum store_lock_kind kind,
    int timeout_ms, int *fd, struct oc_error *error) OC_MUST_CHECK;

/*
 * A number for who has fd open, other than everybody else's, as long as that
 * is so: one octet of the file is locked for it (fcntl(2), F_OFD_SETLK), and
 * the kernel unlocks it whatever ends the process.  0: there is none to be
 * had.
 */
int64_t store_lock_acquire_run(int fd);
/* True only if nobody has it any more; one's own is never asked about. */
bool store_lock_is_run_over(int fd, int64_t run);

#endif
