/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An issuer's certificates for other software: openssl's index.txt, or
 * CFSSL's certdb in SQLite or PostgreSQL.  What was imported in that format
 * and has not changed since is written as it was, octet for octet.
 *
 * The file is written beside its place and then put there as a whole; into a
 * database it is one transaction, into tables that are empty, or are emptied,
 * and are made where there are none.  Rows
 * go by one at a time, so that memory does not grow with them.
 */
#ifndef TRANSFER_EXPORT_H
#define TRANSFER_EXPORT_H

#include "transfer/import.h"

struct transfer_export_counts {
	uint64_t num_written;
	uint64_t num_reserved;		/* were never issued: left out */
	uint64_t num_unsaid;		/* see below */
	uint64_t num_left_out;		/* of those: of which nothing can be
					 * said */
};

enum transfer_loss {
	TRANSFER_WHOLE,		/* what cannot be said is an error */
	TRANSFER_LOSSY		/* as much as can be said is */
};

struct transfer_export {
	struct store *store;
	int64_t issuer_id;
	const struct x509_cert *issuer;
	enum transfer_format format;	/* INDEX or CERTDB */
	const char *path;		/* or a connection string, maybe with
					 * the source of a password */
	bool replaces;			/* of a database: what is there */
	const char *certificates;	/* INDEX: a folder for SERIAL.pem;
					 * NULL: none */
	enum transfer_loss loss;
	int64_t now;			/* by which what ended is expired */
	/* Each that the format cannot say as it is, by name. */
	void (*unsaid)(void *arg, const char *text);
	/* After every row; may be NULL. */
	void (*progress)(void *arg,
	    const struct transfer_export_counts *counts);
	void *arg;
};

/* UNSUPPORTED: there was something that cannot be said, and no file.  EXISTS:
 * the database has rows, and they are not to be replaced. */
enum oc_err transfer_export(const struct transfer_export *export,
    struct transfer_export_counts *counts, struct oc_error *error)
    OC_MUST_CHECK;

/* --- the writers -------------------------------------------------------- */

/* Why the format cannot say it; "" if it can. */
#define TRANSFER_UNSAID_MAX 128

/* put() writes a certificate; with a text in unsaid it has written as much of
 * it as can be said, or, UNSUPPORTED, nothing.  After finish()
 * the file is whole; close() is called whatever happened, and NULL is fine. */
struct transfer_writer_ops {
	enum oc_err (*open)(const struct transfer_export *export,
	    const char *path, void **writer, struct oc_error *error);
	enum oc_err (*put)(void *writer, const struct store_certificate *c,
	    char unsaid[TRANSFER_UNSAID_MAX], struct oc_error *error);
	enum oc_err (*finish)(void *writer, struct oc_error *error);
	void (*close)(void *writer);
};
extern const struct transfer_writer_ops transfer_index_writer;
extern const struct transfer_writer_ops transfer_certdb_writer;

#endif
