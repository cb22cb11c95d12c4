/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Holding an identity against another and against a CertID, and the CertIDs
 * that it has.  Apart from identity_make.c, so that a responder links no
 * OpenSSL.
 */
#include "ocsp/identity.h"

#include <string.h>

static bool
has_name(const struct ocsp_identity *a, const struct ocsp_identity *b)
{
	return a->responder_name_len == b->responder_name_len &&
	    memcmp(a->responder_name, b->responder_name,
	    a->responder_name_len) == 0;
}

bool
ocsp_identity_has_choices(const struct ocsp_identity *a,
    const struct ocsp_identity *b)
{
	return a->is_by_name == b->is_by_name &&
	    (!a->is_by_name || has_name(a, b)) &&
	    a->archive_s == b->archive_s &&
	    a->crl_url_len == b->crl_url_len &&
	    memcmp(a->crl_url, b->crl_url, a->crl_url_len) == 0;
}

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
	    memcmp(a->certs, b->certs, a->certs_len) == 0 &&
	    has_name(a, b) && ocsp_identity_has_choices(a, b);
}

enum oc_err
ocsp_identity_choose(struct ocsp_identity *identity,
    const struct ocsp_choices *choices, struct oc_error *error)
{
	size_t len = choices->crl_url == NULL ? 0 : strlen(choices->crl_url);

	if (choices->is_by_name && identity->responder_name_len == 0)
		return oc_error_set(error, OC_ERR_LIMIT, "the subject of who "
		    "signs OCSP responses is longer than the %d octets that "
		    "fit: write responder-id = key",
		    OCSP_RESPONDER_NAME_MAX);
	if (len > sizeof(identity->crl_url))
		return oc_error_set(error, OC_ERR_LIMIT, "crl-url has %zu "
		    "octets: at most %zu fit into a response", len,
		    sizeof(identity->crl_url));
	identity->is_by_name = choices->is_by_name;
	identity->archive_s = choices->archive_s;
	memset(identity->crl_url, 0, sizeof(identity->crl_url));
	if (len != 0)
		memcpy(identity->crl_url, choices->crl_url, len);
	identity->crl_url_len = (uint32_t)len;
	return OC_OK;
}

void
ocsp_identity_respond(const struct ocsp_identity *identity,
    struct ocsp_response_data *data)
{
	data->responder_key_hash = DER_ARRAY(identity->responder_key_hash);
	if (identity->is_by_name)
		data->responder_name = (struct der_bytes){
		    identity->responder_name, identity->responder_name_len };
}

/* A status that is retained is one that was known. */
void
ocsp_identity_extend(const struct ocsp_identity *identity,
    int64_t produced_at, struct ocsp_single *single)
{
	if (single->status.kind == OCSP_UNKNOWN)
		return;
	if (identity->archive_s != 0) {
		single->has_archive_cutoff = true;
		single->archive_cutoff = produced_at - identity->archive_s;
	}
	if (single->status.kind == OCSP_REVOKED)
		single->crl_url = (struct der_bytes){ identity->crl_url,
		    identity->crl_url_len };
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
