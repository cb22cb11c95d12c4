/* SPDX-License-Identifier: Apache-2.0 */
/* What verify.c (the chain, certificates, CRLs) and verify_register.c
 * (registers, requests) share. */
#ifndef STORE_VERIFY_IMPL_H
#define STORE_VERIFY_IMPL_H

#include "base/bytes.h"
#include "store/backend.h"

/* What the journal said about a row, in one word: 8 MB per million. */
#define SEEN_RESERVE 1			/* reserved; a register's: any */
#define SEEN_ISSUE 2			/* issued */
#define SEEN_REVOKED 4			/* and the row agrees with the last */
#define SEEN_STALE 8			/* the row does not: a later must */
#define SEEN_REQUEST 16			/* what was asked for */
#define SEEN_REQUEST_END 32		/* its key no longer stands for it */
#define SEEN_IMPORT_STALE 64		/* the row knows more: a later must */
#define SEEN_REMOVED 128		/* a register's: its row is gone */
#define SEEN_NUMBER_SHIFT 8		/* number of that last entry */

struct verify_table {
	uint64_t *seen;			/* by id - 1 */
	int64_t num;
};

/* Issuers, accounts, tokens, zones, proofs, orders, ACME accounts, external
 * keys. */
#define VERIFY_REGISTERS_NUM 8

struct verify {
	struct store *store;
	int64_t number;			/* of the last good entry */
	uint8_t hash[STORE_HASH_LEN];
	char id[OC_HEX_LEN(STORE_ID_LEN) + 1];	/* said last */
	uint32_t epoch;
	struct verify_table certificates, crls;
	struct verify_table registers[VERIFY_REGISTERS_NUM];
	int64_t num_requests;
	int64_t bad_number;		/* 0: none */
};

/* Sets bad_number and the store's error; MISMATCH. */
enum oc_err store_verify_bad(struct verify *v, int64_t number,
    const char *why);
/* The word of the row that the detail is about; NULL: there is none. */
uint64_t *store_verify_seen(struct verify_table *table, const char *detail);

/* Of which table a register is. */
enum store_table store_verify_table(uint32_t number);
/* Looks at entries about registers and requests, lets others pass. */
enum oc_err store_verify_register(struct verify *v,
    const struct store_entry *entry) OC_MUST_CHECK;
/* After the last entry: rows that the journal does not account for. */
enum oc_err store_verify_register_rows(struct verify *v) OC_MUST_CHECK;

#endif
