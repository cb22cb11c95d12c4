/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The schema as numbered steps: step n brings a store of version n to n + 1,
 * and a new store runs them all.  A step is never changed once released;
 * PostgreSQL will have the same tables under the same numbers.
 */
#ifndef STORE_SCHEMA_H
#define STORE_SCHEMA_H

/* "OCSN": what file(1) and we tell our files from other SQLite files by. */
#define STORE_APPLICATION_ID 0x4f43534e

struct store_schema {
	const char *const *steps;	/* SQL, several statements each */
	int num_steps;			/* = the version they lead to */
};

const struct store_schema *store_sqlite_schema(void);

#endif
