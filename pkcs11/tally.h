/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a process had counted that had to leave because a call does not return:
 * a file <state>/errors-<token> for the one after it, a line "CLASS NUMBER" for
 * each class.  Without it nobody would ever read that calls hung: the count
 * would end with the process, a second after it began.
 */
#ifndef PKCS11_TALLY_H
#define PKCS11_TALLY_H

#include <stdint.h>

#include "base/err.h"
#include "pkcs11/class.h"

enum oc_err p11_tally_keep(const char *state_dir, const char *token,
    const uint64_t num[P11_CLASS_MAX], struct oc_error *error) OC_MUST_CHECK;
/* Removes the file.  All zero when there is none, or it is not whole: it is
 * for people to look at, and nothing depends on it. */
void p11_tally_take(const char *state_dir, const char *token,
    uint64_t num[P11_CLASS_MAX]);

#endif
