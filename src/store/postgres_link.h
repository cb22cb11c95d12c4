/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection to a server of PostgreSQL, to whosever tables: from a
 * connection string, maybe with the source of a password in front of it
 * (base/conninfo.h).  The password is read anew for each connection, and kept
 * by libpq alone.
 */
#ifndef STORE_POSTGRES_LINK_H
#define STORE_POSTGRES_LINK_H

#include <stdbool.h>

#include "base/err.h"

struct pg_conn;

/* CONFIG for a string that is none or has a password in it.  *name: which
 * database, "DBNAME at HOSTS", for errors; for free().  *says_session: it has
 * target_session_attrs; may be NULL. */
enum oc_err postgres_link_name(const char *where, char **name,
    bool *says_session, struct oc_error *error) OC_MUST_CHECK;

/* What the server is to be: libpq's words of target_session_attrs. */
struct postgres_link_session {
	const char *attributes;
	bool is_must;		/* whatever the string says */
};

/* One try, of all hosts of the string, three seconds each.  DOWN: nobody is
 * there, or lets us in; CONFIG: there is no password. */
enum oc_err postgres_link_open(const char *where,
    const struct postgres_link_session *session, struct pg_conn **db,
    struct oc_error *error) OC_MUST_CHECK;

/* What libpq said last, on one line: it has hosts and users, no password. */
void postgres_link_error(struct pg_conn *db, char text[OC_ERROR_TEXT_MAX]);

#endif
