/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Issuing: request and profile are checked, the exact TBS is built, read back
 * and held against the rules of lint/; serial and TBS are stored as reserved,
 * only then is the key asked; the signature, which the signer has verified,
 * is stored, then returned.
 * After a kill anywhere no certificate exists that the store doesn't know.
 */
#ifndef CA_ISSUE_H
#define CA_ISSUE_H

#include "ca/explain.h"
#include "ca/issuer.h"
#include "ca/profile.h"
#include "sign/sign.h"
#include "store/account.h"
#include "x509/csr.h"

struct ca_request_extension {
	struct der_bytes oid;		/* contents */
	bool is_critical;
	struct der_bytes value;		/* one DER value: inside extnValue */
};

/* REFUSED, or what it says; explanation may be NULL. */
struct ca_plan;
typedef enum oc_err ca_check_fn(void *arg, const struct ca_plan *plan,
    struct ca_explanation *explanation, struct oc_error *error);

/* What somebody wants certified.  Everything is borrowed. */
struct ca_request {
	const struct ca_profile *profile;
	const struct x509_csr *csr;	/* read and verified, or NULL */
	struct der_bytes spki;		/* without a CSR */
	struct der_bytes subject_key_id;	/* octets; len 0: made from
					 * the key, RFC 5280 4.2.1.2 (1) */
	struct der_bytes subject;	/* Name TLV; len 0: as the CSR says */
	const struct x509_san *sans;	/* NULL: as the CSR says */
	uint32_t num_sans;
	int64_t validity_s;		/* 0: as the profile says */
	int64_t not_before;		/* 0: now, less the back-dating */
	/* Extensions that the caller gives, each in the profile's
	 * allowed_oids or refused by name. */
	const struct ca_request_extension *extensions;
	uint32_t num_extensions;
	struct oc_serial serial;	/* len 0: ours.  See serial_rule */
	/* Filled by ca_plan_new(), also when it refuses; NULL: not wanted. */
	struct ca_explanation *explanation;
	/* For an account, or with a key that makes a repetition one with
	 * what was issued before: recorded beside the certificate, and the
	 * quotas held.  NULL: the operator asks, without limits. */
	const struct store_request *asked;
	/* What else is asked of the plan before anything is reserved: CAA, of
	 * whoever knows.  NULL: nothing. */
	ca_check_fn *check;
	void *check_arg;
};

struct ca_certificate {
	int64_t store_id;
	bool is_repeated;		/* was issued before, for this key */
	struct oc_serial serial;
	uint8_t *der;			/* owned */
	size_t der_len;
};
void ca_certificate_fini(struct ca_certificate *certificate);

/*
 * REFUSED when policy says no, with the rule in error: a key that is too weak
 * or the CA's own, no names where the profile wants some, an extension in the
 * CSR that the profile does not give, a life longer than the issuer's, a lint
 * rule that the profile is not exempt from, or an issuer that is revoked
 * itself, unless what the profile gives can only sign OCSP responses.
 * Blocks until deadline_ns.
 */
enum oc_err ca_issue(struct ca_issuer *issuer, struct store *store,
    struct signer *signer, const struct ca_request *request,
    int64_t deadline_ns, struct ca_certificate *certificate,
    struct oc_error *error) OC_MUST_CHECK;

/*
 * A self-signed certificate for a root, whose key is "issuer/NAME"; recorded
 * like any other once the issuer is known to the store.
 */
enum oc_err ca_issue_root(const struct oc_config_issuer *config,
    struct store *store, struct signer *signer,
    const struct ca_request *request, int64_t deadline_ns,
    struct ca_certificate *certificate, struct oc_error *error)
    OC_MUST_CHECK;

/* The CSR checks by themselves: what "csr show" and "cert issue" tell. */
enum oc_err ca_check_csr(const struct x509_csr *csr,
    const struct ca_profile *profile, struct oc_error *error) OC_MUST_CHECK;

#endif
