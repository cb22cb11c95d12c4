/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Taking an issuer's certificates in from what other software has recorded of
 * them: openssl's index.txt, CFSSL's certdb, a CRL, or another store of ours.
 *
 * All of it is one transaction: it is in the store as a whole or not at all,
 * also when the process is killed.  Rows go by one at a time, so that memory
 * does not grow with them; only a CRL is read as a whole.
 */
#ifndef TRANSFER_IMPORT_H
#define TRANSFER_IMPORT_H

#include "store/import.h"
#include "x509/cert.h"

enum transfer_format {
	TRANSFER_INDEX,
	TRANSFER_CERTDB,
	TRANSFER_CRL,
	TRANSFER_STORE
};
/* "index", "certdb", "crl", "store". */
const char *transfer_format_name(enum transfer_format format);
bool transfer_format_parse(const char *text, enum transfer_format *format);

struct transfer_counts {
	uint64_t num_read;		/* of this issuer */
	uint64_t num_new, num_completed, num_revoked, num_same, num_kept;
	uint64_t num_certificates;	/* of num_read: the DER is known */
	uint64_t num_others;		/* rows of other issuers, left out */
};

struct transfer_import {
	struct store *store;		/* for writing */
	int64_t issuer_id;
	const char *issuer_name;
	const struct x509_cert *issuer;
	enum transfer_format format;
	const char *path;		/* or a connection string: as people
					 * and the journal read it */
	const char *where;		/* what of CERTDB and STORE is opened:
					 * path, maybe with the source of a
					 * password (base/conninfo.h) */
	const char *certificates;	/* TRANSFER_INDEX: the folder with
					 * SERIAL.pem; NULL: none */
	const char *from;		/* TRANSFER_STORE: what the issuer is
					 * called there */
	/* The issuer's, for who is in a partition of its CRLs: a certificate
	 * says so by its URL.  NULL and 0: none is. */
	const char *crl_url;
	int64_t crl_partitions;
	enum store_import_policy policy;
	bool is_trial;			/* all but keeping it */
	/* After every row; may be NULL. */
	void (*progress)(void *arg, const struct transfer_counts *counts);
	void *arg;
};

/* Nothing is written where nothing is new, or there was an error.  Each
 * certificate's signature is checked. */
enum oc_err transfer_import(const struct transfer_import *import,
    struct transfer_counts *counts, struct oc_error *error) OC_MUST_CHECK;

#endif
