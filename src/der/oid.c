/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of known object identifiers, and dotted text for any other.  An
 * arc may be of any size (2.25 is followed by a UUID), so text is converted
 * by long arithmetic, in limbs of nine digits.
 */
#include "der/oid.h"

#include <inttypes.h>
#include <stdio.h>

#define LIMB_BASE 1000000000u
#define LIMB_DIGITS 9
/* More digits than a text holds. */
#define LIMBS_MAX (DER_OID_TEXT_MAX / LIMB_DIGITS + 1)

struct known_oid {
	struct der_bytes contents;
	const char *name;
};

#define OID(contents, name) \
	{ { (const uint8_t *)(contents), sizeof(contents) - 1 }, name }

/* The prefixes that several share: 1.2.840.113549.1.1 and .9, 1.2.840.10045,
 * 2.16.840.1.101.3.4.2, 2.5.4, 2.5.29, 1.3.6.1.5.5.7. */
#define PKCS_1 "\x2a\x86\x48\x86\xf7\x0d\x01\x01"
#define PKCS_9 "\x2a\x86\x48\x86\xf7\x0d\x01\x09"
#define X9_62 "\x2a\x86\x48\xce\x3d"
#define NIST_HASH "\x60\x86\x48\x01\x65\x03\x04\x02"
#define ID_AT "\x55\x04"
#define ID_CE "\x55\x1d"
#define ID_PKIX "\x2b\x06\x01\x05\x05\x07"

static const struct known_oid known[DER_OID_MAX] = {
	[DER_OID_UNKNOWN] = OID("", "unknown"),
	/* RFC 8017 appendix C; in certificates RFC 3279 2.3.1, RFC 4055 */
	[DER_OID_RSA_ENCRYPTION] = OID(PKCS_1 "\x01", "rsaEncryption"),
	[DER_OID_RSASSA_PSS] = OID(PKCS_1 "\x0a", "id-RSASSA-PSS"),
	[DER_OID_MGF1] = OID(PKCS_1 "\x08", "id-mgf1"),
	/* RFC 5480 2.1.1; 1.3.132.0.34 and 35 are SEC 2's */
	[DER_OID_EC_PUBLIC_KEY] = OID(X9_62 "\x02\x01", "id-ecPublicKey"),
	[DER_OID_P256] = OID(X9_62 "\x03\x01\x07", "secp256r1"),
	[DER_OID_P384] = OID("\x2b\x81\x04\x00\x22", "secp384r1"),
	[DER_OID_P521] = OID("\x2b\x81\x04\x00\x23", "secp521r1"),
	/* 1.3.101.112, RFC 8410 3 */
	[DER_OID_ED25519] = OID("\x2b\x65\x70", "id-Ed25519"),
	/* RFC 3279 2.2.1, RFC 4055 5 */
	[DER_OID_SHA1_WITH_RSA] = OID(PKCS_1 "\x05", "sha1WithRSAEncryption"),
	[DER_OID_SHA256_WITH_RSA] = OID(PKCS_1 "\x0b",
	    "sha256WithRSAEncryption"),
	[DER_OID_SHA384_WITH_RSA] = OID(PKCS_1 "\x0c",
	    "sha384WithRSAEncryption"),
	[DER_OID_SHA512_WITH_RSA] = OID(PKCS_1 "\x0d",
	    "sha512WithRSAEncryption"),
	/* RFC 5758 3.2 */
	[DER_OID_ECDSA_WITH_SHA256] = OID(X9_62 "\x04\x03\x02",
	    "ecdsa-with-SHA256"),
	[DER_OID_ECDSA_WITH_SHA384] = OID(X9_62 "\x04\x03\x03",
	    "ecdsa-with-SHA384"),
	[DER_OID_ECDSA_WITH_SHA512] = OID(X9_62 "\x04\x03\x04",
	    "ecdsa-with-SHA512"),
	/* 1.3.14.3.2.26 and NIST's, RFC 4055 2.1 */
	[DER_OID_SHA1] = OID("\x2b\x0e\x03\x02\x1a", "id-sha1"),
	[DER_OID_SHA224] = OID(NIST_HASH "\x04", "id-sha224"),
	[DER_OID_SHA256] = OID(NIST_HASH "\x01", "id-sha256"),
	[DER_OID_SHA384] = OID(NIST_HASH "\x02", "id-sha384"),
	[DER_OID_SHA512] = OID(NIST_HASH "\x03", "id-sha512"),
	/* RFC 5280 appendix A.1; street and postalCode RFC 4519 2 */
	[DER_OID_COMMON_NAME] = OID(ID_AT "\x03", "commonName"),
	[DER_OID_SERIAL_NUMBER] = OID(ID_AT "\x05", "serialNumber"),
	[DER_OID_COUNTRY] = OID(ID_AT "\x06", "countryName"),
	[DER_OID_LOCALITY] = OID(ID_AT "\x07", "localityName"),
	[DER_OID_STATE] = OID(ID_AT "\x08", "stateOrProvinceName"),
	[DER_OID_STREET] = OID(ID_AT "\x09", "streetAddress"),
	[DER_OID_ORGANIZATION] = OID(ID_AT "\x0a", "organizationName"),
	[DER_OID_ORGANIZATIONAL_UNIT] = OID(ID_AT "\x0b",
	    "organizationalUnitName"),
	[DER_OID_POSTAL_CODE] = OID(ID_AT "\x11", "postalCode"),
	/* 0.9.2342.19200300.100.1.25, RFC 4519 2.4 */
	[DER_OID_DOMAIN_COMPONENT] = OID(
	    "\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x19", "domainComponent"),
	[DER_OID_EMAIL_ADDRESS] = OID(PKCS_9 "\x01", "emailAddress"),
	/* X.520 */
	[DER_OID_ORGANIZATION_IDENTIFIER] = OID(ID_AT "\x61",
	    "organizationIdentifier"),
	/* RFC 5280 4.2.1, 5.2, 5.3 */
	[DER_OID_SUBJECT_KEY_IDENTIFIER] = OID(ID_CE "\x0e",
	    "subjectKeyIdentifier"),
	[DER_OID_KEY_USAGE] = OID(ID_CE "\x0f", "keyUsage"),
	[DER_OID_SUBJECT_ALT_NAME] = OID(ID_CE "\x11", "subjectAltName"),
	[DER_OID_BASIC_CONSTRAINTS] = OID(ID_CE "\x13", "basicConstraints"),
	[DER_OID_CRL_NUMBER] = OID(ID_CE "\x14", "cRLNumber"),
	[DER_OID_REASON_CODE] = OID(ID_CE "\x15", "reasonCode"),
	[DER_OID_INVALIDITY_DATE] = OID(ID_CE "\x18", "invalidityDate"),
	[DER_OID_ISSUING_DISTRIBUTION_POINT] = OID(ID_CE "\x1c",
	    "issuingDistributionPoint"),
	[DER_OID_DELTA_CRL_INDICATOR] = OID(ID_CE "\x1b", "deltaCRLIndicator"),
	[DER_OID_FRESHEST_CRL] = OID(ID_CE "\x2e", "freshestCRL"),
	[DER_OID_NAME_CONSTRAINTS] = OID(ID_CE "\x1e", "nameConstraints"),
	[DER_OID_CRL_DISTRIBUTION_POINTS] = OID(ID_CE "\x1f",
	    "cRLDistributionPoints"),
	[DER_OID_CERTIFICATE_POLICIES] = OID(ID_CE "\x20",
	    "certificatePolicies"),
	[DER_OID_AUTHORITY_KEY_IDENTIFIER] = OID(ID_CE "\x23",
	    "authorityKeyIdentifier"),
	[DER_OID_EXTENDED_KEY_USAGE] = OID(ID_CE "\x25", "extKeyUsage"),
	[DER_OID_AUTHORITY_INFO_ACCESS] = OID(ID_PKIX "\x01\x01",
	    "authorityInfoAccess"),
	/* RFC 7633 6 */
	[DER_OID_TLS_FEATURE] = OID(ID_PKIX "\x01\x18", "tlsfeature"),
	/* RFC 5280 4.2.1.12 */
	[DER_OID_ANY_EXTENDED_KEY_USAGE] = OID(ID_CE "\x25\x00",
	    "anyExtendedKeyUsage"),
	[DER_OID_SERVER_AUTH] = OID(ID_PKIX "\x03\x01", "serverAuth"),
	[DER_OID_CLIENT_AUTH] = OID(ID_PKIX "\x03\x02", "clientAuth"),
	[DER_OID_CODE_SIGNING] = OID(ID_PKIX "\x03\x03", "codeSigning"),
	[DER_OID_EMAIL_PROTECTION] = OID(ID_PKIX "\x03\x04",
	    "emailProtection"),
	[DER_OID_TIME_STAMPING] = OID(ID_PKIX "\x03\x08", "timeStamping"),
	[DER_OID_OCSP_SIGNING] = OID(ID_PKIX "\x03\x09", "OCSPSigning"),
	/* RFC 5280 4.2.2.1 */
	[DER_OID_AD_OCSP] = OID(ID_PKIX "\x30\x01", "ocsp"),
	[DER_OID_AD_CA_ISSUERS] = OID(ID_PKIX "\x30\x02", "caIssuers"),
	/* RFC 6960 4.2.1, 4.4 and appendix B */
	[DER_OID_OCSP_BASIC] = OID(ID_PKIX "\x30\x01\x01",
	    "id-pkix-ocsp-basic"),
	[DER_OID_OCSP_NONCE] = OID(ID_PKIX "\x30\x01\x02",
	    "id-pkix-ocsp-nonce"),
	[DER_OID_OCSP_CRL] = OID(ID_PKIX "\x30\x01\x03", "id-pkix-ocsp-crl"),
	[DER_OID_OCSP_RESPONSE] = OID(ID_PKIX "\x30\x01\x04",
	    "id-pkix-ocsp-response"),
	[DER_OID_OCSP_NOCHECK] = OID(ID_PKIX "\x30\x01\x05",
	    "id-pkix-ocsp-nocheck"),
	[DER_OID_OCSP_ARCHIVE_CUTOFF] = OID(ID_PKIX "\x30\x01\x06",
	    "id-pkix-ocsp-archive-cutoff"),
	[DER_OID_OCSP_SERVICE_LOCATOR] = OID(ID_PKIX "\x30\x01\x07",
	    "id-pkix-ocsp-service-locator"),
	[DER_OID_OCSP_PREF_SIG_ALGS] = OID(ID_PKIX "\x30\x01\x08",
	    "id-pkix-ocsp-pref-sig-algs"),
	[DER_OID_OCSP_EXTENDED_REVOKE] = OID(ID_PKIX "\x30\x01\x09",
	    "id-pkix-ocsp-extended-revoke"),
	/* RFC 2985 5.4; 1.3.6.1.4.1.311.2.1.14 */
	[DER_OID_EXTENSION_REQUEST] = OID(PKCS_9 "\x0e", "extensionRequest"),
	[DER_OID_MS_EXTENSION_REQUEST] = OID(
	    "\x2b\x06\x01\x04\x01\x82\x37\x02\x01\x0e",
	    "msExtensionRequest"),
	[DER_OID_CHALLENGE_PASSWORD] = OID(PKCS_9 "\x07",
	    "challengePassword"),
	[DER_OID_UNSTRUCTURED_NAME] = OID(PKCS_9 "\x02", "unstructuredName"),
	/* RFC 5280 4.2.1.4 */
	[DER_OID_QT_CPS] = OID(ID_PKIX "\x02\x01", "id-qt-cps"),
	[DER_OID_QT_NOTICE] = OID(ID_PKIX "\x02\x02", "id-qt-unotice"),
	/* RFC 6962 3.1 and 3.3: 1.3.6.1.4.1.11129.2.4.3 and .2 */
	[DER_OID_CT_POISON] = OID(
	    "\x2b\x06\x01\x04\x01\xd6\x79\x02\x04\x03", "ctPoison"),
	[DER_OID_CT_SCTS] = OID(
	    "\x2b\x06\x01\x04\x01\xd6\x79\x02\x04\x02", "ctSCTList"),
};

struct der_bytes
der_oid_bytes(enum der_oid oid)
{
	oc_assert((unsigned int)oid < DER_OID_MAX);
	return known[oid].contents;
}

const char *
der_oid_name(enum der_oid oid)
{
	oc_assert((unsigned int)oid < DER_OID_MAX);
	return known[oid].name;
}

enum der_oid
der_oid_find(struct der_bytes contents)
{
	unsigned int i;

	for (i = DER_OID_UNKNOWN + 1; i < DER_OID_MAX; i++)
		if (der_bytes_equal(known[i].contents, contents))
			return (enum der_oid)i;
	return DER_OID_UNKNOWN;
}

bool
der_oid_is_valid(struct der_bytes contents)
{
	bool is_first = true;
	size_t i;

	if (contents.len == 0)
		return false;
	for (i = 0; i < contents.len; i++) {
		if (is_first && contents.p[i] == 0x80)
			return false;
		is_first = contents.p[i] < 0x80;
	}
	return is_first;
}

/* A number, least significant limb first. */
struct number {
	uint32_t limbs[LIMBS_MAX];
	unsigned int num_limbs;
};

/* n = n * factor + addend.  False if it would not fit. */
static bool
multiply_add(struct number *n, uint32_t factor, uint32_t addend)
{
	uint64_t carry = addend;
	unsigned int i;

	for (i = 0; i < n->num_limbs; i++) {
		carry += (uint64_t)n->limbs[i] * factor;
		n->limbs[i] = (uint32_t)(carry % LIMB_BASE);
		carry /= LIMB_BASE;
	}
	if (carry == 0)
		return true;
	if (n->num_limbs == LIMBS_MAX)
		return false;
	n->limbs[n->num_limbs++] = (uint32_t)carry;
	return true;
}

/* n must not be smaller than value. */
static void
subtract(struct number *n, uint32_t value)
{
	unsigned int i;

	for (i = 0; value > 0; i++) {
		oc_assert(i < n->num_limbs);
		if (n->limbs[i] >= value) {
			n->limbs[i] -= value;
			value = 0;
		} else {
			n->limbs[i] += LIMB_BASE - value;
			value = 1;
		}
	}
	while (n->num_limbs > 0 && n->limbs[n->num_limbs - 1] == 0)
		n->num_limbs--;
}

/* Where text is written to; has_overflowed once something was left out. */
struct text {
	char *out;
	size_t len;
	bool has_overflowed;
};

static void
append(struct text *t, const char *s)
{
	size_t len = strlen(s);

	if (t->has_overflowed || len >= DER_OID_TEXT_MAX - t->len) {
		t->has_overflowed = true;
		return;
	}
	memcpy(t->out + t->len, s, len + 1);
	t->len += len;
}

static void
append_number(struct text *t, const struct number *n)
{
	char digits[LIMBS_MAX * LIMB_DIGITS + 1];
	size_t len;
	unsigned int i = n->num_limbs;

	if (i == 0) {
		append(t, "0");
		return;
	}
	i--;
	len = (size_t)snprintf(digits, sizeof(digits), "%" PRIu32,
	    n->limbs[i]);
	while (i-- > 0)
		len += (size_t)snprintf(digits + len, sizeof(digits) - len,
		    "%09" PRIu32, n->limbs[i]);
	append(t, digits);
}

/* X.690, 8.19.4: the first two arcs are one, 40 times the first plus the
 * second, and only 2 may be followed by a second arc of 40 or more. */
static void
append_first(struct text *t, struct number *n)
{
	uint32_t root = 2;

	if (n->num_limbs == 0)
		root = 0;
	else if (n->num_limbs == 1 && n->limbs[0] < 80)
		root = n->limbs[0] / 40;
	subtract(n, 40 * root);
	append(t, root == 0 ? "0." : root == 1 ? "1." : "2.");
	append_number(t, n);
}

void
der_oid_format(struct der_bytes contents, char text[DER_OID_TEXT_MAX])
{
	struct text t = { text, 0, false };
	struct number n = { { 0 }, 0 };
	bool is_first = true;
	size_t i;

	text[0] = '\0';
	if (!der_oid_is_valid(contents)) {
		append(&t, "(not an OID)");
		return;
	}
	for (i = 0; i < contents.len && !t.has_overflowed; i++) {
		if (!multiply_add(&n, 128, contents.p[i] & 0x7f)) {
			t.has_overflowed = true;
			break;
		}
		if (contents.p[i] >= 0x80)
			continue;
		if (is_first) {
			append_first(&t, &n);
		} else {
			append(&t, ".");
			append_number(&t, &n);
		}
		is_first = false;
		n.num_limbs = 0;
	}
	if (t.has_overflowed) {
		if (t.len > DER_OID_TEXT_MAX - sizeof("..."))
			t.len = DER_OID_TEXT_MAX - sizeof("...");
		memcpy(text + t.len, "...", sizeof("..."));
	}
}

/* An arc as base-128 digits, least significant first. */
struct arc {
	uint8_t digits[DER_OID_TEXT_MAX];
	size_t len;
};

/* arc = arc * factor + addend.  False if it is too large for us. */
static bool
arc_multiply_add(struct arc *arc, unsigned int factor, unsigned int addend)
{
	unsigned int carry = addend;
	size_t i;

	for (i = 0; i < arc->len; i++) {
		carry += arc->digits[i] * factor;
		arc->digits[i] = carry & 0x7f;
		carry >>= 7;
	}
	if (carry == 0)
		return true;
	if (arc->len == sizeof(arc->digits))
		return false;
	arc->digits[arc->len++] = (uint8_t)carry;
	return true;
}

/* One decimal number; *text is moved behind it. */
static enum oc_err
parse_arc(const char **text, struct arc *arc)
{
	const char *p = *text;

	arc->len = 0;
	if (*p < '0' || *p > '9')
		return OC_ERR_MALFORMED;
	if (*p == '0' && p[1] >= '0' && p[1] <= '9')
		return OC_ERR_MALFORMED;
	for (; *p >= '0' && *p <= '9'; p++)
		if (!arc_multiply_add(arc, 10, (unsigned int)(*p - '0')))
			return OC_ERR_LIMIT;
	*text = p;
	return OC_OK;
}

static enum oc_err
put_arc(const struct arc *arc, uint8_t *out, size_t out_max, size_t *len)
{
	/* Zero has no digits, but is written as one octet. */
	size_t i = arc->len == 0 ? 1 : arc->len;

	if (i > out_max - *len)
		return OC_ERR_LIMIT;
	while (i-- > 0)
		out[(*len)++] = (uint8_t)((arc->len == 0 ? 0 :
		    arc->digits[i]) | (i > 0 ? 0x80 : 0));
	return OC_OK;
}

/* The first two arcs, into one number. */
static enum oc_err
parse_first(const char **text, struct arc *arc)
{
	enum oc_err err;
	unsigned int root;

	if (**text < '0' || **text > '2' || (*text)[1] != '.')
		return OC_ERR_MALFORMED;
	root = (unsigned int)(**text - '0');
	*text += 2;
	err = parse_arc(text, arc);
	if (err != OC_OK)
		return err;
	if (root < 2 && (arc->len > 1 ||
	    (arc->len == 1 && arc->digits[0] >= 40)))
		return OC_ERR_MALFORMED;
	if (!arc_multiply_add(arc, 1, 40 * root))
		return OC_ERR_LIMIT;
	return OC_OK;
}

enum oc_err
der_oid_parse(const char *text, uint8_t *out, size_t out_max, size_t *len)
{
	struct arc arc;
	size_t written = 0;
	enum oc_err err;

	err = parse_first(&text, &arc);
	if (err == OC_OK)
		err = put_arc(&arc, out, out_max, &written);
	while (err == OC_OK && *text == '.') {
		text++;
		err = parse_arc(&text, &arc);
		if (err == OC_OK)
			err = put_arc(&arc, out, out_max, &written);
	}
	if (err != OC_OK)
		return err;
	if (*text != '\0')
		return OC_ERR_MALFORMED;
	*len = written;
	return OC_OK;
}
