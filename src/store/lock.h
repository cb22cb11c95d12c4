/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PATH.lock: held shared by whoever has the store open, exclusively by a
 * restore.  flock(2), so it goes with the process; the file stays, empty:
 * to remove it would let two locks of the same name be held at once.
 */
#ifndef STORE_LOCK_H
#define STORE_LOCK_H

#include "base/err.h"

enum store_lock_kind { STORE_LOCK_SHARED, STORE_LOCK_EXCLUSIVE };

/* Waits up to timeout_ms, then BUSY.  Closing *fd unlocks; *fd is -1 on a
 * read-only file system, where nobody restores. */
enum oc_err store_lock_open(const char *path, enum store_lock_kind kind,
    int timeout_ms, int *fd, struct oc_error *error) OC_MUST_CHECK;

#endif
