/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What OpenSSL takes and we do not, of the files in Debian's
 * python3-cryptography-vectors, each with its reason.
 */
#ifndef X509_VECTORS_H
#define X509_VECTORS_H

#include "base/err.h"

enum kind { CERTIFICATE, REQUEST, CRL, NUM_KINDS };

struct exception {
	enum kind kind;
	enum oc_err err;
	const char *file;
};

static const struct exception exceptions[] = {
	/* a kind of name that is never issued */
	{ CERTIFICATE, OC_ERR_UNSUPPORTED, "san_x400address.der" },
	{ CERTIFICATE, OC_ERR_UNSUPPORTED, "san_edipartyname.der" },
	{ CERTIFICATE, OC_ERR_UNSUPPORTED, "custom/san_other_name.pem" },
	/* a dNSName that is not ASCII */
	{ CERTIFICATE, OC_ERR_MALFORMED, "utf8-dnsname.pem" },
	/* an empty name */
	{ CERTIFICATE, OC_ERR_MALFORMED, "custom/san_empty_hostname.pem" },
	/* a UTCTime of 15 octets */
	{ CERTIFICATE, OC_ERR_MALFORMED, "badasn1time.pem" },
	/* a UTCTime of 12 octets */
	{ CRL, OC_ERR_MALFORMED, "custom/crl_invalid_time.der" },
	/* GeneralizedTime before 2050 */
	{ CERTIFICATE, OC_ERR_MALFORMED,
	    "custom/unsupported_subject_public_key_info.pem" },
	{ CERTIFICATE, OC_ERR_MALFORMED,
	    "PKITS_data/certs/Invalidpre2000UTCEEnotAfterDateTest7EE.crt" },
	{ CERTIFICATE, OC_ERR_MALFORMED,
	    "PKITS_data/certs/ValidGeneralizedTimenotBeforeDateTest4EE.crt" },
	{ CRL, OC_ERR_MALFORMED, "custom/crl_all_reasons.pem" },
	{ CRL, OC_ERR_MALFORMED, "custom/crl_unsupported_reason.pem" },
	{ CRL, OC_ERR_MALFORMED, "custom/crl_dup_entry_ext.pem" },
	{ CRL, OC_ERR_MALFORMED, "custom/crl_inval_cert_issuer_entry_ext.pem" },
	{ CRL, OC_ERR_MALFORMED, "custom/crl_md2_unknown_crit_entry_ext.pem" },
	/* another algorithm inside than outside */
	{ CERTIFICATE, OC_ERR_MISMATCH, "v1_cert.pem" },
	/* pathLenConstraint without cA */
	{ CERTIFICATE, OC_ERR_MALFORMED, "wosign-bc-invalid.pem" },
	/* cA FALSE, a DEFAULT, encoded */
	{ CERTIFICATE, OC_ERR_MALFORMED, "ed25519/ed25519-rfc8410.pem" },
	/* keyUsage with zero bits at its end */
	{ CERTIFICATE, OC_ERR_MALFORMED, "custom/alternate-rsa-sha1-oid.der" },
	/* the serial number is 0 */
	{ CERTIFICATE, OC_ERR_MALFORMED, "custom/ec_no_named_curve.pem" },
	{ CERTIFICATE, OC_ERR_MALFORMED, "custom/san_registered_id.pem" },
	/* the serial number is negative */
	{ CERTIFICATE, OC_ERR_MALFORMED, "custom/negative_serial.pem" },
	{ CERTIFICATE, OC_ERR_MALFORMED,
	    "PKITS_data/certs/InvalidNegativeSerialNumberTest15EE.crt" },
	/* a serial number is negative */
	{ CRL, OC_ERR_MALFORMED,
	    "PKITS_data/crls/NegativeSerialNumberCACRL.crl" },
	/* a version there is not */
	{ CERTIFICATE, OC_ERR_MALFORMED, "custom/invalid_version.pem" },
	{ CRL, OC_ERR_MALFORMED, "custom/crl_bad_version.pem" },
	{ REQUEST, OC_ERR_MALFORMED, "requests/bad-version.pem" },
	/* an extension twice */
	{ CERTIFICATE, OC_ERR_MALFORMED, "custom/two_basic_constraints.pem" },
	{ REQUEST, OC_ERR_MALFORMED, "requests/two_basic_constraints.pem" },
	/* CPS URIs with the tag of another string, or of a SEQUENCE */
	{ CERTIFICATE, OC_ERR_MALFORMED, "custom/cp_invalid.pem" },
	{ CERTIFICATE, OC_ERR_MALFORMED, "custom/cp_invalid2.der" },
	/* an address of 33 octets in nameConstraints */
	{ CERTIFICATE, OC_ERR_MALFORMED,
	    "custom/nc_ip_invalid_length.pem" },
	/* the signature is not whole octets */
	{ CERTIFICATE, OC_ERR_MALFORMED,
	    "PKITS_data/certs/BadSignedCACert.crt" },
	{ CERTIFICATE, OC_ERR_MALFORMED,
	    "PKITS_data/certs/InvalidDSASignatureTest6EE.crt" },
	{ CRL, OC_ERR_MALFORMED, "PKITS_data/crls/BadCRLSignatureCACRL.crl" },
	/* a length that is not minimal */
	{ REQUEST, OC_ERR_MALFORMED, "requests/long-form-attribute.pem" },
	/* critical FALSE, a DEFAULT, encoded */
	{ REQUEST, OC_ERR_MALFORMED, "requests/freeipa-bad-critical.pem" },
	/* signed with SHA-1 */
	{ REQUEST, OC_ERR_UNSUPPORTED, "requests/san_rsa_sha1.pem" },
	{ REQUEST, OC_ERR_UNSUPPORTED, "requests/san_rsa_sha1.der" },
	{ REQUEST, OC_ERR_UNSUPPORTED, "requests/rsa_sha1.pem" },
	{ REQUEST, OC_ERR_UNSUPPORTED, "requests/rsa_sha1.der" },
	{ REQUEST, OC_ERR_UNSUPPORTED, "requests/unsupported_extension.pem" },
	{ REQUEST, OC_ERR_UNSUPPORTED,
	    "requests/unsupported_extension_critical.pem" },
	{ REQUEST, OC_ERR_UNSUPPORTED, "requests/basic_constraints.pem" },
	/* signed with DSA */
	{ REQUEST, OC_ERR_UNSUPPORTED, "requests/dsa_sha1.pem" },
	{ REQUEST, OC_ERR_UNSUPPORTED, "requests/dsa_sha1.der" },
	/* signed with MD4 */
	{ REQUEST, OC_ERR_UNSUPPORTED, "requests/rsa_md4.pem" },
	{ REQUEST, OC_ERR_UNSUPPORTED, "requests/rsa_md4.der" },
};

#endif
