/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Regular expressions that names must match: name-whitelist.
 *
 * CFSSL's are in RE2's language, of which PCRE2 is nearly a superset (groups,
 * classes, \d, \pL, (?i)); POSIX extended expressions lack most of that.
 * RE2 cannot take more than linear time; PCRE2 can, so a match has limits on
 * steps, depth and memory, and one that reaches them is none.
 */
#ifndef CA_PATTERN_H
#define CA_PATTERN_H

#include "base/err.h"
#include "der/bytes.h"

struct ca_pattern;

/* MALFORMED with the place in the text.  LIMIT over OC_PATTERN_MAX octets. */
enum oc_err ca_pattern_new(const char *text, struct ca_pattern **pattern,
    struct oc_error *error) OC_MUST_CHECK;
void ca_pattern_free(struct ca_pattern *pattern);	/* NULL is fine */
const char *ca_pattern_text(const struct ca_pattern *pattern);

/*
 * Found anywhere in the octets, which must be UTF-8 to match at all; '$' is
 * their end, never before a newline.  Any number of threads at the same time.
 * False also for want of memory or at a limit.
 */
bool ca_pattern_matches(const struct ca_pattern *pattern,
    struct der_bytes octets);

#endif
