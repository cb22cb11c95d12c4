/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Certificate extensions, RFC 5280 4.2: writers for those we issue, and one
 * reader that sorts what a certificate or CSR has into a struct of views.
 */
#ifndef X509_EXT_H
#define X509_EXT_H

#include "base/err.h"
#include "der/bytes.h"
#include "der/reader.h"
#include "der/writer.h"

#define X509_SANS_MAX 200
#define X509_EKUS_MAX 16
#define X509_URLS_MAX 4
#define X509_EXTENSIONS_MAX 32
#define X509_POLICIES_MAX 16
#define X509_QUALIFIERS_MAX 4
#define X509_SUBTREES_MAX 64

/* KeyUsage: bit n is 1 << n, RFC 5280 4.2.1.3. */
enum x509_key_usage {
	X509_KU_DIGITAL_SIGNATURE = 1 << 0,
	X509_KU_CONTENT_COMMITMENT = 1 << 1,
	X509_KU_KEY_ENCIPHERMENT = 1 << 2,
	X509_KU_DATA_ENCIPHERMENT = 1 << 3,
	X509_KU_KEY_AGREEMENT = 1 << 4,
	X509_KU_KEY_CERT_SIGN = 1 << 5,
	X509_KU_CRL_SIGN = 1 << 6,
	X509_KU_ENCIPHER_ONLY = 1 << 7,
	X509_KU_DECIPHER_ONLY = 1 << 8
};

/* GeneralName, RFC 5280 4.2.1.6: the choice's tag number and its octets. */
enum x509_san_kind {
	X509_SAN_EMAIL = 1,
	X509_SAN_DNS = 2,
	X509_SAN_DIRECTORY = 4,
	X509_SAN_URI = 6,
	X509_SAN_IP = 7		/* 4 or 16 octets */
};

struct x509_san {
	enum x509_san_kind kind;
	struct der_bytes value;
};

/* PolicyInformation, RFC 5280 4.2.1.4.  Qualifiers of kinds that are not
 * here, and notices without explicitText, are walked over when read. */
enum x509_qualifier_kind { X509_QUALIFIER_CPS, X509_QUALIFIER_NOTICE };

struct x509_policy {
	struct der_bytes oid;		/* contents */
	struct {
		enum x509_qualifier_kind kind;
		struct der_bytes text;	/* IA5 URI; UTF-8 */
	} qualifiers[X509_QUALIFIERS_MAX];
	uint32_t num_qualifiers;
};

/*
 * NameConstraints, RFC 5280 4.2.1.10.  A subtree is a GeneralName's choice
 * with its octets: an IP base has 8 or 32 of them (address, mask), a DNS base
 * no leading dot when written.  minimum is 0, maximum absent.
 */
struct x509_name_constraints {
	struct x509_san permitted[X509_SUBTREES_MAX];
	uint32_t num_permitted;
	struct x509_san excluded[X509_SUBTREES_MAX];
	uint32_t num_excluded;
	bool has_unknown;		/* read: a kind that is none of ours */
};

enum x509_ca { X509_NOT_CA, X509_IS_CA };
#define X509_NO_PATH_LENGTH (-1)

/*
 * The extensions of a certificate, read or to be written.  Absent ones are
 * zero.  Views borrow from what was read, or from the caller.
 */
struct x509_extensions {
	struct x509_san sans[X509_SANS_MAX];
	uint32_t num_sans;
	bool is_san_critical;

	bool has_basic_constraints;
	enum x509_ca ca;
	int path_length;		/* X509_NO_PATH_LENGTH: none */

	uint32_t key_usage;		/* 0: no extension */
	struct der_bytes ekus[X509_EKUS_MAX];	/* OID contents */
	uint32_t num_ekus;

	struct der_bytes subject_key_id;	/* octets; len 0: none */
	struct der_bytes authority_key_id;	/* keyIdentifier only */

	struct der_bytes ocsp_urls[X509_URLS_MAX];
	uint32_t num_ocsp_urls;
	struct der_bytes ca_issuers_urls[X509_URLS_MAX];
	uint32_t num_ca_issuers_urls;
	struct der_bytes crl_urls[X509_URLS_MAX];
	uint32_t num_crl_urls;
	bool has_crl_reasons;		/* reading only: a distribution point
					 * is for some reasons alone */

	bool has_ocsp_nocheck;

	struct x509_policy policies[X509_POLICIES_MAX];
	uint32_t num_policies;
	struct x509_name_constraints name_constraints;

	/* Writing only: the whole GeneralNames TLV of the SAN, made before,
	 * in place of sans; may be a hole. */
	struct der_bytes general_names;

	/* Extensions not sorted above: OID contents, and what is inside
	 * extnValue.  Written last, in this order. */
	struct der_bytes others[X509_EXTENSIONS_MAX];
	struct der_bytes other_values[X509_EXTENSIONS_MAX];
	bool is_other_critical[X509_EXTENSIONS_MAX];
	uint32_t num_others;
};

/*
 * Extensions ::= SEQUENCE SIZE (1..MAX) OF Extension; extensions is that
 * whole TLV.  MALFORMED for anything that is not strict DER, an extension
 * twice, or a known one whose contents are wrong; LIMIT beyond the maxima;
 * UNSUPPORTED for a SAN of a kind not in enum x509_san_kind.  All zero after
 * a failure.
 *
 * Of a CRL distribution point only the URIs of its fullName are kept, of an
 * authorityInfoAccess only URIs.  Text is checked to be visible ASCII and
 * spaces; whether a DNS name is a good one is x509_san_normalize's question.
 */
enum oc_err x509_read_extensions(struct der_bytes extensions,
    struct x509_extensions *out, struct oc_error *error) OC_MUST_CHECK;

/*
 * Writes the Extensions TLV in the order: basicConstraints (critical),
 * keyUsage (critical), extKeyUsage, subjectKeyIdentifier,
 * authorityKeyIdentifier, subjectAltName (critical iff is_san_critical),
 * authorityInfoAccess, cRLDistributionPoints (one point a URL), ocsp-nocheck,
 * certificatePolicies, nameConstraints (critical), the others.
 * Key identifiers, URLs and SAN values may be holes.  MALFORMED if there is
 * none to write.
 */
void x509_put_extensions(struct der_writer *w,
    const struct x509_extensions *extensions);

/*
 * One Extension (RFC 5280 4.1), strict DER: for those of CRLs too.  value is
 * the contents of extnValue.  False, and r has failed, if it is not one.
 */
bool x509_get_extension(struct der_reader *r, struct der_bytes *id,
    bool *is_critical, struct der_bytes *value);

/*
 * AuthorityKeyIdentifier, the value inside extnValue; *key_id is left as it
 * is if there is no keyIdentifier.  False if it is malformed.  For CRLs and
 * certificates alike.
 */
bool x509_read_authority_key_id(struct der_bytes value,
    struct der_bytes *key_id);
void x509_put_authority_key_id(struct der_writer *w, struct der_bytes key_id);

/* CRLDistributionPoints, and FreshestCRL, which is the same: the value inside
 * extnValue, one point a URL.  NO_SPACE. */
enum oc_err x509_write_crl_points(const struct der_bytes *urls, uint32_t num,
    uint8_t *out, size_t out_max, size_t *len) OC_MUST_CHECK;

/* True if there is something to write: octets, or a hole that stands for
 * them. */
bool x509_is_given(struct der_bytes bytes);

/* GeneralNames with these entries, as in a SAN. */
void x509_put_sans(struct der_writer *w, const struct x509_san *sans,
    uint32_t num_sans);
/* The same octets alone, for a template's hole; faster than der_write(), which
 * has to find out how long they are.  No holes.  NO_SPACE, LIMIT or
 * UNSUPPORTED. */
enum oc_err x509_write_sans(const struct x509_san *sans, uint32_t num_sans,
    uint8_t *out, size_t out_max, size_t *len) OC_MUST_CHECK;

/*
 * One SAN from text: "DNS:example.com", "IP:192.0.2.1", "email:a@b",
 * "URI:https://..."; without a prefix: an IP address, an e-mail address or a
 * DNS name.  DNS names: lower-cased, LDH labels of 1 to 63, at most 253
 * octets, no trailing dot, "*" only as the whole first label.  The octets
 * are written to buffer and san borrows them.
 */
enum oc_err x509_san_parse(const char *text, uint8_t *buffer,
    size_t buffer_max, struct x509_san *san, struct oc_error *error)
    OC_MUST_CHECK;
/*
 * The same rules for one that was read, from a CSR say: out is what parsing
 * its text would give, its octets in buffer.  A directoryName is REFUSED.
 */
enum oc_err x509_san_normalize(const struct x509_san *san, uint8_t *buffer,
    size_t buffer_max, struct x509_san *out, struct oc_error *error)
    OC_MUST_CHECK;
/* "DNS:example.com"; IP addresses as inet_ntop writes them.  Octets that are
 * neither visible ASCII nor blanks come out as '?'; cut with "..." if it does
 * not fit. */
#define X509_SAN_TEXT_MAX 320
void x509_san_format(const struct x509_san *san,
    char text[X509_SAN_TEXT_MAX]);

#endif
