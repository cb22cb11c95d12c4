/* SPDX-License-Identifier: Apache-2.0 */
/* Durations as Go writes them, and with it CFSSL: "8760h", "1h30m". */
#ifndef CFSSL_DURATION_H
#define CFSSL_DURATION_H

#include <stdint.h>

#include "base/err.h"

/* Units h, m and s, whole numbers, each unit once and the larger first.
 * MALFORMED for all else, such as "365d"; LIMIT over 100 years.  The error
 * says what would be right, not where it stood. */
enum oc_err cfssl_duration_parse(const char *text, int64_t *seconds,
    struct oc_error *error) OC_MUST_CHECK;

#endif
