/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a certificate could be had now: there is an issuing CA, and for
 * each of them the signer, asked, knows the key and says that its token is
 * up, as its last use or its keeper found it.  Asked at most once a second;
 * who asks meanwhile has the same answer.  On the event loop's thread.
 */
#ifndef ISSUER_HEALTH_H
#define ISSUER_HEALTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct issuer_authority;
struct issuer_health;

typedef void issuer_health_fn(void *arg, bool is_healthy);

/* path is the signer's socket; authorities stay.  Connects lazily. */
enum oc_err issuer_health_new(const char *path,
    const struct issuer_authority *authorities, size_t num_authorities,
    struct issuer_health **health) OC_MUST_CHECK;
/* Whoever waits is told that it is not.  NULL is fine. */
void issuer_health_free(struct issuer_health *health);
/* Readable when issuer_health_dispatch() has work. */
int issuer_health_fd(const struct issuer_health *health);
void issuer_health_dispatch(struct issuer_health *health);
/* done runs once, at once or within a second or so. */
void issuer_health_ask(struct issuer_health *health, issuer_health_fn *done,
    void *arg);

/* By itself: whether one of these tokens is up, as the signer found it.
 * Blocks until deadline_ns: never call from an event loop. */
struct oc_words;
enum oc_err issuer_health_ask_now(const char *path, int64_t deadline_ns,
    const struct oc_words *tokens, bool *is_up) OC_MUST_CHECK;

#endif
