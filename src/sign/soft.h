/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A signer whose keys are in memory.  For tests and measurements only: no
 * program links it.
 */
#ifndef SIGN_SOFT_H
#define SIGN_SOFT_H

#include "sign/sign.h"

#define SIGN_SOFT_QUEUE_MAX 1024	/* jobs; then submit says BUSY */

/* An empty one. */
enum oc_err sign_soft_new(struct signer **s) OC_MUST_CHECK;
/* Generates a key under this name. */
enum oc_err sign_soft_generate(struct signer *s, const char *key,
    enum sign_key_type type, unsigned int bits) OC_MUST_CHECK;

/* Between hold and release no queued job reaches its key. */
void sign_soft_hold(struct signer *s);
void sign_soft_release(struct signer *s);
/* What its keys have signed so far. */
unsigned long sign_soft_num_signed(const struct signer *s);

#endif
