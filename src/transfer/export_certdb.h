/* SPDX-License-Identifier: Apache-2.0 */
/* Where the rows of a certdb go: one table "certificates", in a database of
 * SQLite or PostgreSQL. */
#ifndef TRANSFER_EXPORT_CERTDB_H
#define TRANSFER_EXPORT_CERTDB_H

#include "transfer/export.h"
#include "transfer/record.h"

/* close() is called whatever happened, and NULL is fine; without finish()
 * nothing is there afterwards that was not before. */
struct transfer_sink_ops {
	enum oc_err (*open)(const char *path, bool replaces, void **sink,
	    struct oc_error *error);
	enum oc_err (*insert)(void *sink,
	    const char *const columns[TRANSFER_NUM_COLUMNS],
	    struct oc_error *error);
	enum oc_err (*finish)(void *sink, struct oc_error *error);
	void (*close)(void *sink);
};
extern const struct transfer_sink_ops transfer_sink_sqlite;
extern const struct transfer_sink_ops transfer_sink_postgres;

#endif
