/* SPDX-License-Identifier: Apache-2.0 */
/* Dates as options take them. */
#ifndef CLI_DATE_H
#define CLI_DATE_H

#include <stdint.h>

#include "base/err.h"

/* "2026-11-23" or "2026-11-23T22:00:00Z", not in the future: MALFORMED. */
enum oc_err cli_date_parse(const char *text, int64_t *at,
    struct oc_error *error) OC_MUST_CHECK;

#endif
