/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replay-Nonces (RFC 8555, 6.5): a counter, encrypted and authenticated with a
 * key of this process, in base64url.  What was used is a bit in a window of
 * fixed size, so that nobody can fill memory by asking for nonces; one that is
 * older than the window, or of another process, is badNonce, which clients
 * answer by trying again.
 *
 * One thread's.
 */
#ifndef ACME_NONCE_H
#define ACME_NONCE_H

#include "base/err.h"

#define ACME_NONCE_TEXT_MAX 64
#define ACME_NONCES_WINDOW (1024 * 1024)	/* 128 KiB of bits */

struct acme_nonces;

enum oc_err acme_nonces_new(struct acme_nonces **nonces) OC_MUST_CHECK;
void acme_nonces_make(struct acme_nonces *nonces,
    char text[ACME_NONCE_TEXT_MAX]);
/* Once alone: REFUSED for one that is not ours, was used, or is too old. */
enum oc_err acme_nonces_use(struct acme_nonces *nonces, const char *text)
    OC_MUST_CHECK;
/* NULL is fine. */
void acme_nonces_free(struct acme_nonces *nonces);

#endif
