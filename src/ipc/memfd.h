/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A to-be-signed value too large for a frame, in memory that nobody can
 * change any more: what the signer checks is what it signs.
 */
#ifndef IPC_MEMFD_H
#define IPC_MEMFD_H

#include "base/err.h"
#include "base/spool.h"
#include "der/bytes.h"

/* Copies the bytes into a memfd and seals it: no write, no other size, no
 * unsealing.  *fd is the caller's. */
enum oc_err ipc_memfd_new(struct der_bytes bytes, int *fd) OC_MUST_CHECK;

/*
 * Maps what a peer sent, read-only: *tbs is the last len octets of it.
 * REFUSED unless all four seals are set (a writer left could change it under
 * our eyes, one that shrinks it kills us with SIGBUS); MISMATCH when it is
 * shorter, or more than OC_TBS_BEFORE_MAX octets longer; LIMIT over
 * OC_TBS_MAX.  The fd stays open and the caller's; the mapping, for
 * oc_mapping_fini(), outlives it.
 */
enum oc_err ipc_memfd_map(int fd, uint64_t len, struct oc_mapping *mapping,
    struct der_bytes *tbs) OC_MUST_CHECK;

#endif
