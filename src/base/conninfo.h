/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connection strings of PostgreSQL, as far as they can be told without libpq:
 * from a path, and that there is no secret in one.
 */
#ifndef BASE_CONNINFO_H
#define BASE_CONNINFO_H

#include <stdbool.h>

#include "base/err.h"

/* A URI (postgresql:, postgres:), or keywords: "host=a dbname=b". */
bool oc_conninfo_is(const char *text);
/* CONFIG if it is none, or has a password.  The text is not repeated. */
enum oc_err oc_conninfo_check(const char *text, struct oc_error *error)
    OC_MUST_CHECK;

#endif
