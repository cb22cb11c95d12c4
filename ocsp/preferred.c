/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PreferredSignatureAlgorithms ::= SEQUENCE OF PreferredSignatureAlgorithm
 */
#include "ocsp/preferred.h"

#include "der/oid.h"
#include "ocsp/extension.h"

/* SEQUENCE { OID, NULL }, shortened by the NULL. */
#define NULL_TLV_LEN 2

bool
ocsp_enter_preferred(struct der_bytes value, struct der_reader *list)
{
	struct der_reader r = der_reader_of(value);

	return der_enter(&r, DER_SEQUENCE, list) && der_is_done(&r);
}

/*
 * As we write it; RSA also without the NULL, which RFC 4055, 2.1, wants
 * written and accepted either way.
 */
static enum sign_alg
alg_of(struct der_bytes identifier)
{
	enum sign_alg alg = sign_alg_find(identifier);
	int row;

	for (row = SIGN_RSA_SHA256; alg == SIGN_ALG_NONE &&
	    row <= SIGN_RSA_SHA512; row++) {
		struct der_bytes ours =
		    sign_alg_info((enum sign_alg)row)->identifier;

		if (identifier.len + NULL_TLV_LEN == ours.len &&
		    memcmp(identifier.p + 2, ours.p + 2,
		    identifier.len - 2) == 0)
			alg = (enum sign_alg)row;
	}
	return alg;
}

/*
 * SMIMECapability ::= SEQUENCE {
 *     capabilityID  OBJECT IDENTIFIER,
 *     parameters    ANY DEFINED BY capabilityID OPTIONAL }
 */
static bool
get_capability(struct der_reader *r, struct ocsp_preferred *preferred)
{
	struct der_reader inner;
	uint8_t tag;

	der_enter(r, DER_SEQUENCE, &inner);
	der_get_oid(&inner, &preferred->key_oid);
	if (!der_at_end(&inner) && der_get_any(&inner, &tag, NULL,
	    &preferred->key_parameters) &&
	    !der_is_valid(preferred->key_parameters))
		return false;
	return der_leave(r, &inner);
}

/*
 * PreferredSignatureAlgorithm ::= SEQUENCE {
 *     sigIdentifier        AlgorithmIdentifier,
 *     pubKeyAlgIdentifier  SMIMECapability OPTIONAL }
 */
bool
ocsp_get_preferred(struct der_reader *list, struct ocsp_preferred *preferred)
{
	struct der_bytes identifier;
	struct der_reader inner;

	*preferred = (struct ocsp_preferred){ .alg = SIGN_ALG_NONE };
	der_enter(list, DER_SEQUENCE, &inner);
	if (!der_get_tlv(&inner, DER_SEQUENCE, &identifier) ||
	    !ocsp_is_algorithm(identifier))
		return false;
	preferred->alg = alg_of(identifier);
	if (!der_at_end(&inner) && !get_capability(&inner, preferred))
		return false;
	return der_leave(list, &inner);
}

static enum der_oid
curve_of(const struct ocsp_identity *identity)
{
	switch (identity->signature_len) {
	case 64:
		return DER_OID_P256;
	case 96:
		return DER_OID_P384;
	}
	return DER_OID_P521;
}

/*
 * EC-SMimeCaps ::= SEQUENCE OF ECParameters, RFC 6664, 5, of which we know
 * namedCurve; a curve alone says the same.
 */
static bool
has_curve(struct der_bytes parameters, struct der_bytes curve)
{
	struct der_reader r = der_reader_of(parameters), list;
	struct der_bytes oid;

	if (der_next_is(&r, DER_OID))
		return der_get_oid(&r, &oid) && der_bytes_equal(oid, curve);
	der_enter(&r, DER_SEQUENCE, &list);
	while (!der_at_end(&list) && der_get_oid(&list, &oid))
		if (der_bytes_equal(oid, curve))
			return true;
	return false;
}

bool
ocsp_identity_suits(const struct ocsp_identity *identity,
    const struct ocsp_preferred *preferred)
{
	enum der_oid kind = DER_OID_RSA_ENCRYPTION;
	bool is_ec = false;

	if (identity->alg != preferred->alg)
		return false;
	if (preferred->key_oid.len == 0)
		return true;
	switch (sign_alg_info(identity->alg)->key_type) {
	case SIGN_KEY_NONE:
	case SIGN_KEY_RSA:
		break;
	case SIGN_KEY_P256:
	case SIGN_KEY_P384:
	case SIGN_KEY_P521:
		is_ec = true;
		kind = DER_OID_EC_PUBLIC_KEY;
		break;
	case SIGN_KEY_ED25519:
		kind = DER_OID_ED25519;
		break;
	}
	/* What sizes of RSA it likes is a range: ours is in it. */
	return der_bytes_equal(preferred->key_oid, der_oid_bytes(kind)) &&
	    (!is_ec || preferred->key_parameters.len == 0 ||
	    has_curve(preferred->key_parameters,
	    der_oid_bytes(curve_of(identity))));
}
