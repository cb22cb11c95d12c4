/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which lint rules a profile need not keep: a private CA's exceptions, each
 * by name, for each profile; never for all.
 */
#ifndef CA_EXEMPT_H
#define CA_EXEMPT_H

#include "base/config.h"
#include "base/err.h"
#include "lint/lint.h"

/* Those of a built-in profile; the empty set for any other name. */
void ca_exempt_builtin(const char *profile, struct lint_set *set);

/* Those of CFSSL's profiles, which are as private, and for anything: all that
 * bind public CAs alone, and what CFSSL itself writes against the others. */
void ca_exempt_cfssl(struct lint_set *set);

/*
 * lint-exempt of a section: adds rules to what its based-on has; the word
 * "none" takes all out that are in it so far.  CONFIG for a rule that there
 * is not.
 */
enum oc_err ca_exempt_words(const struct oc_words *words,
    struct lint_set *set, struct oc_error *error) OC_MUST_CHECK;

#endif
