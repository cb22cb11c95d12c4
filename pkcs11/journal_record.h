/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One record of the signing journal, ocsign-journal(5): a line of text whose
 * last word is a hash over the record before it and the rest of the line.
 * Bytes in, bytes out; no file is touched here.
 */
#ifndef PKCS11_JOURNAL_RECORD_H
#define PKCS11_JOURNAL_RECORD_H

#include "sign/sign.h"

#define P11_HASH_LEN 32			/* SHA-256 */
#define P11_RECORD_MAX 768		/* a line with its LF */
#define P11_DETAIL_MAX 160
#define P11_CHAIN_NAME_MAX 15

enum p11_record_type {
	P11_RECORD_OPEN = 1,	/* a writer begins, or a file does */
	P11_RECORD_KEY,		/* which public key a name stands for */
	P11_RECORD_SIGN,
	P11_RECORD_GAP,		/* what could not be recorded */
	P11_RECORD_CLOSE	/* the writer ends */
};

enum p11_outcome {
	P11_OUTCOME_SIGNED = 1,
	P11_OUTCOME_LATE,	/* signed, and nobody waited any more */
	P11_OUTCOME_BAD,	/* the signature does not verify */
	P11_OUTCOME_FAILED,	/* the token did not sign */
	P11_OUTCOME_REFUSED,	/* nor was it asked to */
	P11_OUTCOME_CANCELLED,	/* the same: nobody wanted it any more */
	P11_OUTCOME_MAX
};
/* "signed" */
const char *p11_outcome_name(enum p11_outcome outcome);
/* "certificate", "crl", "ocsp", "csr" */
const char *p11_kind_name(enum sign_kind kind);

/* What a gap counts. */
enum p11_lost {
	P11_LOST_CERTIFICATE, P11_LOST_CRL, P11_LOST_CSR, P11_LOST_OCSP,
	P11_LOST_UNSIGNED,	/* refused, failed, cancelled */
	P11_LOST_MAX
};

struct p11_record {
	uint64_t number;		/* of the chain, from 1 */
	int64_t at_us;			/* since 1970 */
	enum p11_record_type type;

	/* OPEN */
	char chain[P11_CHAIN_NAME_MAX + 1];
	uint32_t file;			/* which of the chain, from 1 */
	/* Where the chain goes on: so many octets of the file before, or of
	 * this one, are in it, and the last of them has this hash.  What
	 * stands behind them was never finished. */
	uint64_t octets, torn;
	uint8_t previous[P11_HASH_LEN];

	/* KEY, SIGN */
	char key[SIGN_KEY_NAME_MAX];
	uint8_t digest[P11_HASH_LEN];	/* of the SPKI; of the TBS */
	bool has_digest;

	/* SIGN */
	enum sign_kind kind;
	enum sign_lane lane;
	enum sign_alg alg;
	enum p11_outcome outcome;

	uint64_t lost[P11_LOST_MAX];	/* GAP */
	char detail[P11_DETAIL_MAX];	/* OPEN, SIGN, GAP; "" is none */

	uint8_t hash[P11_HASH_LEN];
};

/* Writes the line and the record's hash, which covers previous. */
void p11_record_write(struct p11_record *record,
    const uint8_t previous[P11_HASH_LEN], char line[P11_RECORD_MAX],
    size_t *len);

/* line is without its LF.  MALFORMED if it is no record at all; the hash is
 * read, not checked. */
enum oc_err p11_record_read(const char *line, size_t len,
    struct p11_record *record) OC_MUST_CHECK;
/* Whether it is that of the line behind the record with the hash previous. */
bool p11_record_is_chained(const char *line, size_t len,
    const uint8_t previous[P11_HASH_LEN], const struct p11_record *record);

#endif
