/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The object identifiers we know, each with its content octets, its name and
 * the RFC that defines it; and dotted text both ways for all others.
 */
#ifndef DER_OID_H
#define DER_OID_H

#include "base/err.h"
#include "der/bytes.h"

enum der_oid {
	DER_OID_UNKNOWN = 0,
	/* keys: RFC 3279, 5480, 8410 */
	DER_OID_RSA_ENCRYPTION,
	DER_OID_RSASSA_PSS,
	DER_OID_MGF1,
	DER_OID_EC_PUBLIC_KEY,
	DER_OID_P256,
	DER_OID_P384,
	DER_OID_P521,
	DER_OID_ED25519,
	/* signatures: RFC 4055, 5758 */
	DER_OID_SHA1_WITH_RSA,
	DER_OID_SHA256_WITH_RSA,
	DER_OID_SHA384_WITH_RSA,
	DER_OID_SHA512_WITH_RSA,
	DER_OID_ECDSA_WITH_SHA256,
	DER_OID_ECDSA_WITH_SHA384,
	DER_OID_ECDSA_WITH_SHA512,
	/* hashes */
	DER_OID_SHA1,
	DER_OID_SHA224,
	DER_OID_SHA256,
	DER_OID_SHA384,
	DER_OID_SHA512,
	/* attribute types: RFC 5280 appendix A, RFC 4519 */
	DER_OID_COMMON_NAME,
	DER_OID_SERIAL_NUMBER,
	DER_OID_COUNTRY,
	DER_OID_LOCALITY,
	DER_OID_STATE,
	DER_OID_STREET,
	DER_OID_ORGANIZATION,
	DER_OID_ORGANIZATIONAL_UNIT,
	DER_OID_POSTAL_CODE,
	DER_OID_DOMAIN_COMPONENT,
	DER_OID_EMAIL_ADDRESS,
	DER_OID_ORGANIZATION_IDENTIFIER,
	/* extensions: RFC 5280, 6960, 7633 */
	DER_OID_SUBJECT_KEY_IDENTIFIER,
	DER_OID_KEY_USAGE,
	DER_OID_SUBJECT_ALT_NAME,
	DER_OID_BASIC_CONSTRAINTS,
	DER_OID_CRL_NUMBER,
	DER_OID_REASON_CODE,
	DER_OID_INVALIDITY_DATE,
	DER_OID_ISSUING_DISTRIBUTION_POINT,
	DER_OID_DELTA_CRL_INDICATOR,
	DER_OID_FRESHEST_CRL,
	DER_OID_NAME_CONSTRAINTS,
	DER_OID_CRL_DISTRIBUTION_POINTS,
	DER_OID_CERTIFICATE_POLICIES,
	DER_OID_AUTHORITY_KEY_IDENTIFIER,
	DER_OID_EXTENDED_KEY_USAGE,
	DER_OID_AUTHORITY_INFO_ACCESS,
	DER_OID_TLS_FEATURE,
	/* extended key usages */
	DER_OID_ANY_EXTENDED_KEY_USAGE,
	DER_OID_SERVER_AUTH,
	DER_OID_CLIENT_AUTH,
	DER_OID_CODE_SIGNING,
	DER_OID_EMAIL_PROTECTION,
	DER_OID_TIME_STAMPING,
	DER_OID_OCSP_SIGNING,
	/* access methods */
	DER_OID_AD_OCSP,
	DER_OID_AD_CA_ISSUERS,
	/* OCSP: RFC 6960 */
	DER_OID_OCSP_BASIC,
	DER_OID_OCSP_NONCE,
	DER_OID_OCSP_CRL,
	DER_OID_OCSP_RESPONSE,
	DER_OID_OCSP_NOCHECK,
	DER_OID_OCSP_ARCHIVE_CUTOFF,
	DER_OID_OCSP_SERVICE_LOCATOR,
	DER_OID_OCSP_PREF_SIG_ALGS,
	DER_OID_OCSP_EXTENDED_REVOKE,
	/* CSR attributes: RFC 2985 and Microsoft's twin */
	DER_OID_EXTENSION_REQUEST,
	DER_OID_MS_EXTENSION_REQUEST,
	DER_OID_CHALLENGE_PASSWORD,
	DER_OID_UNSTRUCTURED_NAME,
	/* policy qualifiers: RFC 5280, 4.2.1.4 */
	DER_OID_QT_CPS,
	DER_OID_QT_NOTICE,
	/* certificate transparency: RFC 6962, 3.1 and 3.3 */
	DER_OID_CT_POISON,
	DER_OID_CT_SCTS,
	DER_OID_MAX
};

/* Content octets, without tag and length. */
struct der_bytes der_oid_bytes(enum der_oid oid);
/* The RFC's name, "commonName"; never NULL. */
const char *der_oid_name(enum der_oid oid);
/* DER_OID_UNKNOWN if it is none of ours. */
enum der_oid der_oid_find(struct der_bytes contents);

/* True if contents are whole, minimal base-128 arcs (X.690, 8.19). */
bool der_oid_is_valid(struct der_bytes contents);

/* "2.5.4.3", cut and ended with "..." if it does not fit. */
#define DER_OID_TEXT_MAX 128
void der_oid_format(struct der_bytes contents, char text[DER_OID_TEXT_MAX]);
/* MALFORMED unless it is dotted decimal; LIMIT over out_max. */
enum oc_err der_oid_parse(const char *text, uint8_t *out, size_t out_max,
    size_t *len) OC_MUST_CHECK;

#endif
