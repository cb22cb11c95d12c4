/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store's SQL in PostgreSQL's words: ? is $1, ?2 is $2, INTEGER is BIGINT,
 * BLOB is BYTEA, text is compared by its octets.  What stands in quotes is
 * left alone.  No database is needed for it.
 */
#ifndef STORE_POSTGRES_TEXT_H
#define STORE_POSTGRES_TEXT_H

/* For free(); NULL: out of memory. */
char *postgres_text(const char *text);

#endif
