/* SPDX-License-Identifier: Apache-2.0 */
/* Revoking, and the CRL of it: RFC 5280 sections 5 and 5.3. */
#ifndef CA_REVOKE_H
#define CA_REVOKE_H

#include "ca/issuer.h"
#include "sign/sign.h"

/* revoked_at is what is recorded: now, or when it was revoked before.  Errors
 * as store_revoke(), in words; REFUSED for the issuer's own self-signed
 * certificate, and for a CA's without a reason. */
enum oc_err ca_revoke(struct ca_issuer *issuer, struct store *store,
    const struct oc_serial *serial, enum crl_reason reason,
    int64_t *revoked_at, int64_t invalidity_at, struct oc_error *error)
    OC_MUST_CHECK;
/* What that would say now, and when the certificate ends. */
enum oc_err ca_may_revoke(const struct ca_issuer *issuer, struct store *store,
    const struct oc_serial *serial, enum crl_reason reason,
    int64_t *not_after, struct oc_error *error) OC_MUST_CHECK;

/* However long it is, of memory that is the process's own it takes a buffer:
 * see x509/crl_stream.h. */
struct x509_crl_stream;
struct ca_crl {
	uint64_t number;
	const uint8_t *der;	/* the stream's */
	size_t der_len;
	uint32_t num_entries;
	struct x509_crl_stream *stream;	/* owned */
};
void ca_crl_fini(struct ca_crl *crl);

/*
 * A full CRL: number reserved, signed, stored.  One with a higher number says
 * all that one with a lower says, less what was released or has expired.
 * Expired certificates are left out after one CRL beyond their life (RFC
 * 5280, 3.3).  REFUSED if the issuer may not sign CRLs.
 */
enum oc_err ca_crl_create(struct ca_issuer *issuer, struct store *store,
    struct signer *signer, int64_t deadline_ns, struct ca_crl *crl,
    struct oc_error *error) OC_MUST_CHECK;

/* Inside the transaction that takes the number: anything but OK, and none is
 * taken. */
struct ca_crl_gate {
	enum oc_err (*look)(void *arg, struct store *store);
	void *arg;
	int64_t reserved_id;	/* what was taken, whatever came of it */
};
/* The same, if the gate lets it pass; what that says is the error's code. */
enum oc_err ca_crl_create_if(struct ca_issuer *issuer, struct store *store,
    struct signer *signer, int64_t deadline_ns, struct ca_crl_gate *gate,
    struct ca_crl *crl, struct oc_error *error) OC_MUST_CHECK;

#endif
