/* SPDX-License-Identifier: Apache-2.0 */
/* Times as JSON has them here: RFC 3339, with whatever offset.  Pure. */
#ifndef ACME_INSTANT_H
#define ACME_INSTANT_H

#include <stdint.h>

#include "base/err.h"

/* Fractions of a second are dropped.  MALFORMED. */
enum oc_err acme_instant_parse(const char *text, int64_t *at) OC_MUST_CHECK;

#endif
