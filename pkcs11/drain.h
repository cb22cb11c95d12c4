/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tokens that a person keeps from work: a file <state>/drained-<token>, so
 * that whoever uses the token next knows, after a restart as well.
 */
#ifndef PKCS11_DRAIN_H
#define PKCS11_DRAIN_H

#include <stdbool.h>

#include "base/err.h"

/* The numbers travel between processes. */
enum p11_drain {
	P11_UNDRAIN = 0,
	P11_DRAIN = 1,
	P11_DRAIN_FORCED = 2	/* also the last token that a key has */
};

enum oc_err p11_drain_is_set(const char *state_dir, const char *token,
    bool *is_set, struct oc_error *error) OC_MUST_CHECK;
/* On disk when it returns.  What is so already is fine. */
enum oc_err p11_drain_set(const char *state_dir, const char *token,
    bool is_set, struct oc_error *error) OC_MUST_CHECK;

#endif
