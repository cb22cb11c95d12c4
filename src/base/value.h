/* SPDX-License-Identifier: Apache-2.0 */
/* Values as people write them, in the configuration and in options.  The
 * error texts say what would have been right, not where it stood. */
#ifndef BASE_VALUE_H
#define BASE_VALUE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* Decimal, without '+', blanks or leading zeros.  LIMIT out of the range. */
enum oc_err oc_value_int(const char *text, int64_t min, int64_t max,
    int64_t *value, struct oc_error *error) OC_MUST_CHECK;

/* "90s", "15m", "4h", "7d", "2w", "25y" (a year is 365 days) in seconds.  The
 * unit is never left out.  LIMIT over 100 years. */
enum oc_err oc_value_duration(const char *text, int64_t *seconds,
    struct oc_error *error) OC_MUST_CHECK;

/* "2026-11-23" or "2026-11-23T22:00:00Z", after 1970 and not later than now
 * or latest, when it was certainly later already (0: nothing is known):
 * MALFORMED. */
enum oc_err oc_value_date(const char *text, int64_t latest, int64_t *at,
    struct oc_error *error) OC_MUST_CHECK;

/* Edit distance, for "did you mean"; longer words than 64 are all far. */
unsigned oc_value_distance(const char *a, const char *b);

#endif
