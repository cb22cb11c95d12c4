/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connection strings of PostgreSQL, as far as they can be told without libpq:
 * from a path, and that there is no secret in one.
 */
#ifndef BASE_CONNINFO_H
#define BASE_CONNINFO_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/* A URI (postgresql:, postgres:), or keywords: "host=a dbname=b". */
bool oc_conninfo_is(const char *where);

/*
 * One string, so that it goes wherever a path does: the source of its
 * password (base/secret.h), a line end, and the connection string.  What is
 * asked of the latter above may be asked of such a one, too.  For free();
 * NULL: out of memory.
 */
char *oc_conninfo_join(const char *source, const char *text);
/* The parts again.  *text is a view; *source is for free(), NULL if there is
 * none. */
enum oc_err oc_conninfo_split(const char *where, char **source,
    const char **text) OC_MUST_CHECK;

/* CONFIG if it is none, or has a password.  The text is not repeated. */
enum oc_err oc_conninfo_check(const char *where, struct oc_error *error)
    OC_MUST_CHECK;

#endif
