/* SPDX-License-Identifier: Apache-2.0 */
/* Durations and instants as Go writes them, and with it CFSSL: "8760h",
 * "1h30m", "2030-01-31T00:00:00Z".  Errors say what would be right, not where
 * it stood. */
#ifndef CFSSL_DURATION_H
#define CFSSL_DURATION_H

#include <stdint.h>

#include "base/err.h"

/* Units h, m and s, whole numbers, each unit once and the larger first.
 * MALFORMED for all else, such as "365d"; LIMIT over 100 years. */
enum oc_err cfssl_duration_parse(const char *text, int64_t *seconds,
    struct oc_error *error) OC_MUST_CHECK;
/* RFC 3339 in whole seconds and capital letters, without leap seconds, from
 * 1950 to 9999. */
enum oc_err cfssl_instant_parse(const char *text, int64_t *at,
    struct oc_error *error) OC_MUST_CHECK;

#endif
