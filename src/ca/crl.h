/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One CRL of an issuer, full or a delta, of all its certificates or of one
 * partition: RFC 5280 section 5.  Which are due ca/publish.h says.
 */
#ifndef CA_CRL_H
#define CA_CRL_H

#include "ca/issuer.h"
#include "sign/sign.h"

/* However long it is, of memory that is the process's own it takes a buffer:
 * see x509/crl_stream.h. */
struct x509_crl_stream;
struct ca_crl {
	uint32_t partition;	/* 0: of what is not partitioned */
	uint64_t number;
	uint64_t base_number;	/* 0: a full list; else a delta to that */
	int64_t this_update, next_update;
	char url[OC_CRL_URL_MAX + 1];	/* where it is served; "": nowhere */
	const uint8_t *der;	/* the stream's */
	size_t der_len;
	uint32_t num_entries;
	struct x509_crl_stream *stream;	/* owned */
};
void ca_crl_fini(struct ca_crl *crl);

/*
 * The full CRL of what is not partitioned: number reserved, signed, stored.
 * One with a higher number says all that one with a lower says, less what was
 * released or has expired.  Expired certificates are left out after one CRL
 * beyond their life (RFC 5280, 3.3).  REFUSED if the issuer may not sign CRLs.
 */
enum oc_err ca_crl_create(struct ca_issuer *issuer, struct store *store,
    struct signer *signer, int64_t deadline_ns, struct ca_crl *crl,
    struct oc_error *error) OC_MUST_CHECK;

/*
 * Whether crl-url was changed while certificates live that have the old one, by
 * the newest of them: where that says its CRL is, if that is no URL of now's;
 * else "".  Cheap, and so right at the change and until the next certificate is
 * issued.
 */
enum oc_err ca_crl_find_moved(const struct ca_issuer *issuer,
    struct store *store, char url[OC_CRL_URL_MAX + 1], struct oc_error *error)
    OC_MUST_CHECK;

/* --- for ca/publish.c --------------------------------------------------- */

/* What all lists of an issuer have in common. */
struct ca_crl_key {
	char name[SIGN_KEY_NAME_MAX];
	enum sign_alg alg;
};
enum oc_err ca_crl_find_key(const struct ca_issuer *issuer,
    struct signer *signer, int64_t deadline_ns, struct ca_crl_key *key,
    struct oc_error *error) OC_MUST_CHECK;
/* REFUSED: certificates are in partitions that there are no more, which would
 * be on no list. */
enum oc_err ca_crl_check_partitions(const struct ca_issuer *issuer,
    struct store *store, struct oc_error *error) OC_MUST_CHECK;
/* The URL in the issuingDistributionPoint of one partition's lists; "": they
 * have none. */
enum oc_err ca_crl_point(const struct ca_issuer *issuer, uint32_t partition,
    char point[OC_CRL_URL_MAX + 1], struct oc_error *error) OC_MUST_CHECK;

/* One that has a number, for good, and entries; then is signed; then
 * recorded.  Zero state is legal for fini. */
struct ca_crl_draft {
	struct ca_crl crl;
	int64_t id;
};
enum ca_crl_kinds { CA_CRL_FULL = 1, CA_CRL_DELTA = 2 };
/* Which lists of a partition are made, of enum ca_crl_kinds; 0: none.  Asked
 * inside the transaction that takes their number, so that of several who find
 * one due each knows what the others have taken.  A delta needs a full list
 * that was issued before, or is the other one.  An error is the store's. */
typedef enum oc_err ca_crl_choose_fn(void *arg, struct store *store,
    uint32_t partition, const char *point, unsigned int *kinds);
struct ca_crl_choice {
	ca_crl_choose_fn *choose;
	void *arg;
	uint64_t number;	/* what was taken, whatever came of it */
};
/* Inside one transaction, so that a delta and a full list of one moment have
 * one number and say the same (RFC 5280, 5.2.4): num of them, 0 to 2, the full
 * one first. */
enum oc_err ca_crl_reserve(const struct ca_issuer *issuer,
    struct store *store, const struct ca_crl_key *key, uint32_t partition,
    struct ca_crl_choice *choice, struct ca_crl_draft drafts[2],
    uint32_t *num, struct oc_error *error) OC_MUST_CHECK;
enum oc_err ca_crl_sign(struct signer *signer, const struct ca_crl_key *key,
    int64_t deadline_ns, struct ca_crl_draft *draft, struct oc_error *error)
    OC_MUST_CHECK;
/* All of them or none. */
enum oc_err ca_crl_record(struct store *store,
    const struct ca_crl_draft *drafts, uint32_t num, struct oc_error *error)
    OC_MUST_CHECK;

#endif
