/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Has the signer name the keys of the issuing CAs: on a worker, with a
 * channel of its own, because that blocks; again and again until it has named
 * all of them.  The rest on the event loop's thread.
 */
#ifndef ISSUER_FINDER_H
#define ISSUER_FINDER_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct event_base;
struct issuer_authority;
struct issuer_finder;
struct issuer_workers;

/* path is the signer's socket; authorities stay, and get info or
 * error_text. */
enum oc_err issuer_finder_new(const char *path, struct event_base *base,
    struct issuer_authority *authorities, size_t num_authorities,
    struct issuer_finder **finder) OC_MUST_CHECK;
/* workers stay until they are freed, and that is before the finder is. */
void issuer_finder_start(struct issuer_finder *finder,
    struct issuer_workers *workers);
/* Blocks until it has asked once, or until then. */
void issuer_finder_wait(struct issuer_finder *finder, int64_t until_ns);
void issuer_finder_free(struct issuer_finder *finder);	/* NULL is fine */

#endif
