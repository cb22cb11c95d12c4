/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is about to be signed: profile, request and issuer made into one
 * struct x509_tbs, every field checked, and its DER read back and compared.
 */
#ifndef CA_PLAN_H
#define CA_PLAN_H

#include "ca/issue.h"
#include "x509/spki.h"
#include "x509/tbs.h"

/* What ca/lint.h holds it against, and where it says what it found; borrowed.
 * profile NULL: it is not held against anything. */
struct ca_lint {
	const struct ca_profile *profile;
	struct der_bytes issuer;	/* its certificate; len 0: a root */
	struct ca_explanation *explanation;	/* may be NULL */
};

struct ca_plan {
	struct ca_lint lint;
	struct x509_tbs tbs;		/* views into what follows, the issuer
					 * and the request, which stay */
	struct oc_serial serial;
	bool is_serial_given;		/* by the request */
	const char *profile;
	int64_t validity_s;		/* as the profile counts it */
	uint8_t *der;			/* TBSCertificate; owned */
	size_t der_len;
	size_t san_octets_len;
	uint32_t crl_partition;		/* 0: not partitioned */
	/* From here on not zeroed: room for what the views above look at. */
	uint8_t key_id[X509_KEY_ID_LEN];	/* of the subject */
	uint8_t subject[OC_NAME_MAX];
	char crl_url[OC_CRL_URL_MAX + 1];	/* of the partition */
	uint8_t freshest[OC_CRL_URL_MAX + 32];	/* freshestCRL's value */
	/* As many as the longest host names have together. */
	uint8_t san_octets[X509_SANS_MAX * 256];
};

/* REFUSED with the rule in error, and in request->explanation, which is filled
 * as far as it goes.  The serial is still missing unless the request has
 * one. */
enum oc_err ca_plan_new(const struct ca_issuer *issuer,
    const struct ca_request *request, enum sign_alg alg,
    struct ca_plan **plan, struct oc_error *error) OC_MUST_CHECK;
/* Issuer and subject are one; request->spki is the key. */
enum oc_err ca_plan_new_root(const struct ca_request *request,
    enum sign_alg alg, struct ca_plan **plan, struct oc_error *error)
    OC_MUST_CHECK;
void ca_plan_free(struct ca_plan *plan);	/* NULL is fine */
/* An empty one, for those who fill it; NULL: no memory. */
struct ca_plan *ca_plan_alloc(const struct ca_request *request,
    enum sign_alg alg);

/*
 * Plans and writes, with a serial number that no certificate gets, and drops
 * it all: what would be refused is, and request->explanation is filled.  Asks
 * neither store nor signer.
 */
enum oc_err ca_plan_preview(const struct ca_issuer *issuer,
    const struct ca_request *request, struct oc_error *error) OC_MUST_CHECK;

/* With plan->serial set: writes plan->der, reads it back, lints it. */
enum oc_err ca_plan_write(struct ca_plan *plan, struct oc_error *error)
    OC_MUST_CHECK;

#endif
