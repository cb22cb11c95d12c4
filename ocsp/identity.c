/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Holding an identity against another and against a CertID, and the CertIDs
 * that it has.  Apart from identity_make.c, so that a responder links no
 * OpenSSL.
 */
#include "ocsp/identity.h"

#include <string.h>

bool
ocsp_identity_has_issuer(const struct ocsp_identity *a,
    const struct ocsp_identity *b)
{
	return memcmp(a->name_hash, b->name_hash, sizeof(a->name_hash)) == 0 &&
	    memcmp(a->key_hash, b->key_hash, sizeof(a->key_hash)) == 0;
}

bool
ocsp_identity_has_key(const struct ocsp_identity *a,
    const struct ocsp_identity *b)
{
	return memcmp(a->responder_key_hash, b->responder_key_hash,
	    sizeof(a->responder_key_hash)) == 0 && a->alg == b->alg &&
	    a->signature_len == b->signature_len;
}

bool
ocsp_identity_equal(const struct ocsp_identity *a,
    const struct ocsp_identity *b)
{
	return ocsp_identity_has_issuer(a, b) && ocsp_identity_has_key(a, b) &&
	    a->signer_not_after == b->signer_not_after &&
	    a->certs_len == b->certs_len &&
	    memcmp(a->certs, b->certs, a->certs_len) == 0;
}

bool
ocsp_identity_matches(const struct ocsp_identity *identity,
    const struct ocsp_certid *certid)
{
	enum ocsp_hash hash;

	if (certid->encoding >= OCSP_ENCODING_MAX)
		return false;
	hash = OCSP_ENCODING_HASH(certid->encoding);
	/* The key's first: issuers of one name are commoner than of one
	 * key. */
	return memcmp(identity->key_hash[hash], certid->key_hash.p,
	    certid->key_hash.len) == 0 &&
	    memcmp(identity->name_hash[hash], certid->name_hash.p,
	    certid->name_hash.len) == 0;
}

struct prefix_plan {
	const struct ocsp_identity *identity;
	uint8_t encoding;
};

static void
put_prefix(struct der_writer *w, const void *prefix_plan)
{
	const struct prefix_plan *plan = prefix_plan;
	enum ocsp_hash hash = OCSP_ENCODING_HASH(plan->encoding);
	size_t len = ocsp_hash_len(hash);

	ocsp_put_certid_prefix(w, plan->encoding,
	    (struct der_bytes){ plan->identity->name_hash[hash], len },
	    (struct der_bytes){ plan->identity->key_hash[hash], len });
}

enum oc_err
ocsp_identity_certid_prefix(const struct ocsp_identity *identity,
    uint8_t encoding, uint8_t out[OCSP_CERTID_PREFIX_MAX], size_t *len)
{
	struct prefix_plan plan = { identity, encoding };

	return der_write(put_prefix, &plan, out, OCSP_CERTID_PREFIX_MAX, len);
}
