/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Certificates that somebody else's software issued with an issuer's key:
 * taken into the records, so that they are answered for, listed and revoked
 * as our own, and their serial numbers never given out again.
 *
 * All of an import is one group (store_begin_group()), so that it is there as
 * a whole or not at all.
 */
#ifndef STORE_IMPORT_H
#define STORE_IMPORT_H

#include "store/store.h"

/* What the source said in its own words, octet for octet, for whoever wants
 * it back: a certificate in PEM, say, and what stands beside it. */
#define STORE_RECORD_MAX (256 * 1024)

struct store_import {
	int64_t issuer_id;
	struct oc_serial serial;
	enum store_state state;
	int64_t reserved_at, issued_at;	/* issued_at 0: not yet */
	int64_t not_before;		/* 0: that is not known */
	int64_t not_after;
	const char *profile, *subject, *names;
	struct store_blob tbs, certificate;	/* len 0: not known */
	bool is_revoked;
	enum crl_reason reason;
	int64_t revoked_at;
	int64_t invalidity_at;		/* 0: not given */
	const char *record;		/* STORE_RECORD_MAX; "": none */
	uint32_t crl_partition;		/* as it was issued into; 0: none */
};

/* Where source and records say something else of one certificate. */
enum store_import_policy {
	STORE_IMPORT_STRICT,	/* is an error */
	STORE_IMPORT_KEEP	/* is passed over: the records stand */
};

enum store_import_outcome {
	STORE_IMPORT_NEW,
	STORE_IMPORT_SAME,	/* was there, and is what it was */
	STORE_IMPORT_COMPLETED,	/* was known from a CRL alone, no longer */
	STORE_IMPORT_REVOKED,	/* was there, and is revoked from now on */
	STORE_IMPORT_KEPT	/* as STORE_IMPORT_KEEP says */
};

/* Before the group of an import: there may be millions of them, each at a
 * place of its own in the index of serials.  Until it is closed the connection
 * to a file keeps up to STORE_MANY_CACHE of it in memory, instead of a little,
 * so that a page is not written for each row. */
#define STORE_MANY_CACHE ((int64_t)512 * 1024 * 1024)
enum oc_err store_expect_many(struct store *store) OC_MUST_CHECK;

/*
 * Inside a group.  MISMATCH, which names both: it is another certificate than
 * the one with this serial number, whatever the policy; or it is good there
 * and revoked here, or revoked in another way.  What is revoked here is never
 * good afterwards.
 */
enum oc_err store_import(struct store *store, const struct store_import *row,
    enum store_import_policy policy, enum store_import_outcome *outcome)
    OC_MUST_CHECK;

/* The largest id of a certificate; 0: there is none. */
enum oc_err store_last_certificate(struct store *store, int64_t *id)
    OC_MUST_CHECK;

/* Inside a group: all CRL numbers from now on are above this one, by a later
 * epoch if need be.  LIMIT: none of 62 bits is. */
enum oc_err store_pass_crl_number(struct store *store, uint64_t number,
    bool *is_moved) OC_MUST_CHECK;

/* What was imported, for the journal.  Inside a group. */
struct store_imported {
	const char *issuer;		/* its name */
	const char *format, *path;
	uint8_t sha256[STORE_HASH_LEN];
	uint64_t num_new, num_completed, num_revoked;
	uint64_t num_same, num_kept;
};
enum oc_err store_end_import(struct store *store,
    const struct store_imported *imported) OC_MUST_CHECK;

#endif
