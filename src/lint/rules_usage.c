/* SPDX-License-Identifier: Apache-2.0 */
/* Rules on keyUsage and extKeyUsage, and what an OCSP signer is. */
#include "lint/view.h"

#include "x509/ext.h"

#define DAY_S INT64_C(86400)
/* id-pkix-ocsp-nocheck: nobody can revoke it, so it must end soon. */
#define OCSP_SIGNER_DAYS_MAX 398

static const struct lint_extension *
ku_of(const struct lint_cert *c)
{
	return lint_find_extension(c, DER_OID_KEY_USAGE);
}

static const struct lint_extension *
eku_of(const struct lint_cert *c)
{
	return lint_find_extension(c, DER_OID_EXTENDED_KEY_USAGE);
}

static bool
has_eku(const struct lint_cert *c, enum der_oid eku)
{
	struct der_reader r = der_reader_of(c->ekus);
	struct der_bytes oid;

	while (!der_at_end(&r) && der_get(&r, DER_OID, &oid))
		if (der_bytes_equal(oid, der_oid_bytes(eku)))
			return true;
	return false;
}

/* --- keyUsage --------------------------------------------------------- */

static bool
is_ku_missing(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	(void)rule;
	return c->broken == NULL && ku_of(c) == NULL &&
	    lint_found(d, "no keyUsage");
}

static bool
is_ku_not_critical(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	(void)rule;
	return ku_of(c) != NULL && !ku_of(c)->is_critical &&
	    lint_found(d, "keyUsage is not critical");
}

/* keyUsage's BIT STRING contents; false if it is none, or none at all. */
static bool
ku_bits(const struct lint_cert *c, struct der_bytes *bits)
{
	return ku_of(c) != NULL && der_read_whole(ku_of(c)->value,
	    DER_BIT_STRING, bits) && der_bit_string_is_valid(*bits);
}

static bool
is_ku_encoding_wrong(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	struct der_bytes bits;

	(void)rule;
	return ku_of(c) != NULL && !ku_bits(c, &bits) &&
	    lint_found(d, "not a BIT STRING in DER");
}

static bool
is_ku_empty(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	struct der_bytes bits;

	(void)rule;
	return ku_bits(c, &bits) && c->key_usage == 0 &&
	    lint_found(d, "no bit is set");
}

/* X.690, 11.2.2: the last bit that is written is a one. */
static bool
is_ku_superfluous(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	struct der_bytes bits;

	(void)rule;
	return ku_bits(c, &bits) && c->key_usage != 0 &&
	    (bits.p[bits.len - 1] >> bits.p[0] & 1) == 0 &&
	    lint_found(d, "zero bits at the end");
}

static const char *
usage_text(uint32_t usage, char text[LINT_TEXT_MAX])
{
	static const char *const names[] = { "digitalSignature",
	    "contentCommitment", "keyEncipherment", "dataEncipherment",
	    "keyAgreement", "keyCertSign", "cRLSign", "encipherOnly",
	    "decipherOnly" };
	size_t len = 0, i, n;

	for (i = 0; i < 9; i++) {
		n = strlen(names[i]);
		if ((usage >> i & 1) == 0 || len + n + 2 > LINT_TEXT_MAX)
			continue;
		if (len > 0)
			text[len++] = ' ';
		memcpy(text + len, names[i], n);
		len += n;
	}
	text[len] = '\0';
	return text;
}

/* CAs' own bits have a rule of their own. */
static bool
has_usage_beyond(const struct lint_cert *c, uint32_t allowed,
    struct lint_detail *d)
{
	uint32_t beyond = c->key_usage & ~(allowed | X509_KU_KEY_CERT_SIGN |
	    X509_KU_CRL_SIGN);
	char text[LINT_TEXT_MAX];

	return beyond != 0 && lint_found(d, "%s", usage_text(beyond, text));
}

static bool
is_rsa_usage_wrong(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	(void)rule;
	return c->spki_alg.id == DER_OID_RSA_ENCRYPTION &&
	    c->kind != LINT_OCSP_SIGNER && has_usage_beyond(c,
	    X509_KU_DIGITAL_SIGNATURE | X509_KU_KEY_ENCIPHERMENT, d);
}

/* Encryption is not what such a key does: RFC 5480, 3; RFC 8410, 5.
 * keyAgreement is static ECDH, which TLS 1.3 has no more. */
static bool
is_ec_usage_wrong(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	(void)rule;
	return (c->spki_alg.id == DER_OID_EC_PUBLIC_KEY ||
	    c->spki_alg.id == DER_OID_ED25519) &&
	    c->kind != LINT_OCSP_SIGNER &&
	    has_usage_beyond(c, X509_KU_DIGITAL_SIGNATURE, d);
}

static bool
lacks_digital_signature(const struct lint_cert *c,
    const struct lint_rule *rule, struct lint_detail *d)
{
	(void)rule;
	return c->key_usage != 0 &&
	    (c->key_usage & X509_KU_DIGITAL_SIGNATURE) == 0 &&
	    lint_found(d, "no digitalSignature");
}

/* rule->argument: the bit. */
static bool
has_usage(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	char text[LINT_TEXT_MAX];

	return (c->key_usage & rule->argument) != 0 && !c->has_ca_true &&
	    lint_found(d, "%s, and no CA", usage_text(rule->argument, text));
}

static bool
lacks_usage(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	char text[LINT_TEXT_MAX];

	return c->key_usage != 0 && (c->key_usage & rule->argument) == 0 &&
	    lint_found(d, "a CA without %s",
	    usage_text(rule->argument, text));
}

/* --- extKeyUsage ------------------------------------------------------ */

static bool
is_eku_missing(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	(void)rule;
	return c->broken == NULL && eku_of(c) == NULL &&
	    lint_found(d, "no extKeyUsage");
}

static bool
is_eku_critical(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	(void)rule;
	return eku_of(c) != NULL && eku_of(c)->is_critical &&
	    lint_found(d, "extKeyUsage is critical");
}

static bool
has_any_eku(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	(void)rule;
	return has_eku(c, DER_OID_ANY_EXTENDED_KEY_USAGE) &&
	    lint_found(d, "anyExtendedKeyUsage");
}

/* rule->argument: the usage that must be there. */
static bool
lacks_eku(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	enum der_oid eku = (enum der_oid)rule->argument;

	return c->ekus.len > 0 && !has_eku(c, eku) &&
	    !has_eku(c, DER_OID_ANY_EXTENDED_KEY_USAGE) &&
	    lint_found(d, "no %s", der_oid_name(eku));
}

static bool
has_client_auth(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	(void)rule;
	return has_eku(c, DER_OID_CLIENT_AUTH) &&
	    lint_found(d, "clientAuth beside serverAuth");
}

/*
 * RFC 5280, 4.2.1.12: what keyUsage must at least have one of, for each
 * purpose.
 */
static bool
is_usage_inconsistent(const struct lint_cert *c,
    const struct lint_rule *rule, struct lint_detail *d)
{
	static const struct {
		enum der_oid eku;
		uint32_t one_of;
	} table[] = {
		{ DER_OID_SERVER_AUTH, X509_KU_DIGITAL_SIGNATURE |
		    X509_KU_KEY_ENCIPHERMENT | X509_KU_KEY_AGREEMENT },
		{ DER_OID_CLIENT_AUTH, X509_KU_DIGITAL_SIGNATURE |
		    X509_KU_KEY_AGREEMENT },
		{ DER_OID_CODE_SIGNING, X509_KU_DIGITAL_SIGNATURE },
		{ DER_OID_EMAIL_PROTECTION, X509_KU_DIGITAL_SIGNATURE |
		    X509_KU_CONTENT_COMMITMENT | X509_KU_KEY_ENCIPHERMENT |
		    X509_KU_KEY_AGREEMENT },
		{ DER_OID_TIME_STAMPING, X509_KU_DIGITAL_SIGNATURE |
		    X509_KU_CONTENT_COMMITMENT },
		{ DER_OID_OCSP_SIGNING, X509_KU_DIGITAL_SIGNATURE |
		    X509_KU_CONTENT_COMMITMENT },
	};
	char text[LINT_TEXT_MAX];
	size_t i;

	(void)rule;
	if (c->key_usage == 0)
		return false;
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (has_eku(c, table[i].eku) &&
		    (c->key_usage & table[i].one_of) == 0)
			return lint_found(d, "%s with %s only",
			    der_oid_name(table[i].eku),
			    usage_text(c->key_usage, text));
	return false;
}

/* --- OCSP signers ----------------------------------------------------- */

static const struct lint_extension *
nocheck_of(const struct lint_cert *c)
{
	return lint_find_extension(c, DER_OID_OCSP_NOCHECK);
}

static bool
is_more_than_ocsp(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	struct der_reader r = der_reader_of(c->ekus);
	char text[DER_OID_TEXT_MAX];
	struct der_bytes oid;

	(void)rule;
	while (!der_at_end(&r) && der_get(&r, DER_OID, &oid)) {
		if (der_bytes_equal(oid, der_oid_bytes(DER_OID_OCSP_SIGNING)))
			continue;
		der_oid_format(oid, text);
		return lint_found(d, "OCSPSigning with %s (%s)",
		    der_oid_name(der_oid_find(oid)), text);
	}
	return false;
}

static bool
is_nocheck_missing(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	(void)rule;
	return c->broken == NULL && nocheck_of(c) == NULL &&
	    lint_found(d, "no id-pkix-ocsp-nocheck");
}

static bool
is_nocheck_critical(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	(void)rule;
	return nocheck_of(c) != NULL && nocheck_of(c)->is_critical &&
	    lint_found(d, "id-pkix-ocsp-nocheck is critical");
}

static bool
is_nocheck_not_null(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	const struct lint_extension *e = nocheck_of(c);

	(void)rule;
	return e != NULL && !(e->value.len == 2 && e->value.p[0] ==
	    DER_NULL && e->value.p[1] == 0) &&
	    lint_found(d, "%zu octets instead of NULL", e->value.len);
}

static bool
is_nocheck_elsewhere(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	(void)rule;
	return nocheck_of(c) != NULL &&
	    lint_found(d, "id-pkix-ocsp-nocheck in another certificate");
}

static bool
is_ocsp_usage_wrong(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	(void)rule;
	return has_usage_beyond(c, X509_KU_DIGITAL_SIGNATURE, d);
}

/* rule->argument: the extension that is of no use there. */
static bool
has_extension(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	enum der_oid id = (enum der_oid)rule->argument;

	return lint_find_extension(c, id) != NULL &&
	    lint_found(d, "%s", der_oid_name(id));
}

static bool
is_ocsp_life_long(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	int64_t span = c->not_after.at - c->not_before.at;

	(void)rule;
	return c->not_before.is_read && c->not_after.is_read &&
	    nocheck_of(c) != NULL && span >= OCSP_SIGNER_DAYS_MAX * DAY_S &&
	    lint_found(d, "%lld days", (long long)(span / DAY_S));
}

#define SERVER LINT_BIT(LINT_SERVER)
#define SIGNER LINT_BIT(LINT_OCSP_SIGNER)
const struct lint_rule lint_rules_usage[] = {
	{ "ca_key_usage_missing", 30, LINT_ERROR, LINT_PRIVATE, LINT_CAS,
	    "RFC 5280, 4.2.1.3", "a CA without keyUsage",
	    .cert = is_ku_missing },
	{ "sub_cert_key_usage_missing", 30, LINT_ERROR, LINT_PRIVATE,
	    LINT_LEAVES, "BR 7.1.2.7.11", "no keyUsage",
	    .cert = is_ku_missing },
	{ "ext_key_usage_not_critical", 30, LINT_ERROR, LINT_PRIVATE,
	    LINT_ALL, "RFC 5280, 4.2.1.3", "keyUsage is not critical",
	    .cert = is_ku_not_critical },
	{ "ext_key_usage_without_bits", 30, LINT_ERROR, LINT_PRIVATE,
	    LINT_ALL, "RFC 5280, 4.2.1.3", "keyUsage without a bit",
	    .cert = is_ku_empty },
	{ "incorrect_ku_encoding", 30, LINT_ERROR, LINT_PRIVATE, LINT_ALL,
	    "RFC 5280, 4.2.1.3; X.690, 8.6", "keyUsage is no BIT STRING",
	    .cert = is_ku_encoding_wrong },
	{ "superfluous_ku_encoding", 30, LINT_ERROR, LINT_PRIVATE, LINT_ALL,
	    "X.690, 11.2.2", "keyUsage with zero bits at the end",
	    .cert = is_ku_superfluous },
	{ "rsa_allowed_ku_ee", 31, LINT_ERROR, LINT_PRIVATE, LINT_LEAVES &
	    ~LINT_BIT(LINT_OTHER), "BR 7.1.2.7.11",
	    "more than signature and keyEncipherment with RSA",
	    .cert = is_rsa_usage_wrong },
	{ "ecdsa_ee_invalid_ku", 31, LINT_ERROR, LINT_PRIVATE, LINT_LEAVES &
	    ~LINT_BIT(LINT_OTHER), "RFC 5480, 3; RFC 8410, 5; BR 7.1.2.7.11",
	    "more than digitalSignature with EC or Ed25519",
	    .cert = is_ec_usage_wrong },
	{ "sub_cert_digital_signature_not_set", 31, LINT_WARNING,
	    LINT_PRIVATE, SERVER | LINT_BIT(LINT_CLIENT),
	    "BR 7.1.2.7.11; RFC 8446, 4.4.2.2",
	    "no digitalSignature, as TLS 1.3 wants it",
	    .cert = lacks_digital_signature },
	{ "ext_key_usage_cert_sign_without_ca", 32, LINT_ERROR, LINT_PRIVATE,
	    LINT_LEAVES, "RFC 5280, 4.2.1.9", "keyCertSign, and no CA",
	    .argument = X509_KU_KEY_CERT_SIGN, .cert = has_usage },
	{ "ext_key_usage_crl_sign_without_ca", 32, LINT_ERROR, LINT_PRIVATE,
	    LINT_LEAVES, "BR 7.1.2.7.11", "cRLSign, and no CA",
	    .argument = X509_KU_CRL_SIGN, .cert = has_usage },
	{ "ca_key_cert_sign_not_set", 32, LINT_ERROR, LINT_PRIVATE, LINT_CAS,
	    "RFC 5280, 4.2.1.9", "a CA without keyCertSign",
	    .argument = X509_KU_KEY_CERT_SIGN, .cert = lacks_usage },
	{ "ca_crl_sign_not_set", 32, LINT_WARNING, LINT_PRIVATE, LINT_CAS,
	    "BR 7.1.2.10.7", "a CA that cannot sign CRLs",
	    .argument = X509_KU_CRL_SIGN, .cert = lacks_usage },
	{ "ca_digital_signature_not_set", 32, LINT_NOTICE, LINT_PRIVATE,
	    LINT_CAS, "BR 7.1.2.10.7",
	    "a CA that cannot sign OCSP itself",
	    .argument = X509_KU_DIGITAL_SIGNATURE, .cert = lacks_usage },
	{ "sub_cert_eku_missing", 33, LINT_ERROR, LINT_PRIVATE, LINT_LEAVES,
	    "BR 7.1.2.7.10", "no extKeyUsage", .cert = is_eku_missing },
	{ "eku_critical_improperly", 33, LINT_ERROR, LINT_PRIVATE, LINT_ALL,
	    "RFC 5280, 4.2.1.12; BR 7.1.2.7.10", "extKeyUsage is critical",
	    .cert = is_eku_critical },
	{ "sub_cert_eku_contains_any", 33, LINT_ERROR, LINT_PRIVATE,
	    LINT_LEAVES, "BR 7.1.2.7.10", "anyExtendedKeyUsage",
	    .cert = has_any_eku },
	{ "sub_cert_eku_server_auth_missing", 33, LINT_ERROR, LINT_PRIVATE,
	    SERVER, "BR 7.1.2.7.10", "a server without serverAuth",
	    .argument = DER_OID_SERVER_AUTH, .cert = lacks_eku },
	{ "sub_cert_eku_client_auth_missing", 33, LINT_ERROR, LINT_PRIVATE,
	    LINT_BIT(LINT_CLIENT), "RFC 5280, 4.2.1.12",
	    "a client without clientAuth",
	    .argument = DER_OID_CLIENT_AUTH, .cert = lacks_eku },
	{ "sub_cert_eku_client_auth_present", 33, LINT_ERROR, LINT_PUBLIC,
	    SERVER, "Chrome Root Program Policy 1.6, 3.2",
	    "a server with clientAuth", .cert = has_client_auth },
	{ "key_usage_and_extended_key_usage_inconsistent", 33, LINT_ERROR,
	    LINT_PRIVATE, LINT_LEAVES, "RFC 5280, 4.2.1.12",
	    "a purpose that keyUsage forbids",
	    .cert = is_usage_inconsistent },
	{ "ocsp_cert_eku_not_only_ocsp_signing", 34, LINT_ERROR,
	    LINT_PRIVATE, SIGNER, "BR 7.1.2.8.5",
	    "OCSPSigning and something else", .cert = is_more_than_ocsp },
	{ "ocsp_cert_eku_ocsp_signing_missing", 34, LINT_ERROR, LINT_PRIVATE,
	    SIGNER, "RFC 6960, 4.2.2.2", "no OCSPSigning",
	    .argument = DER_OID_OCSP_SIGNING, .cert = lacks_eku },
	{ "ocsp_id_pkix_ocsp_nocheck_missing", 34,
	    LINT_ERROR, LINT_PRIVATE, SIGNER,
	    "BR 4.9.9; RFC 6960, 4.2.2.2.1", "no id-pkix-ocsp-nocheck",
	    .cert = is_nocheck_missing },
	{ "ocsp_id_pkix_ocsp_nocheck_critical", 34, LINT_ERROR, LINT_PRIVATE,
	    SIGNER, "RFC 6960, 4.2.2.2.1; BR 7.1.2.8.6",
	    "id-pkix-ocsp-nocheck is critical",
	    .cert = is_nocheck_critical },
	{ "ocsp_id_pkix_ocsp_nocheck_not_null", 34, LINT_ERROR, LINT_PRIVATE,
	    LINT_ALL, "RFC 6960, 4.2.2.2.1",
	    "id-pkix-ocsp-nocheck that is not NULL",
	    .cert = is_nocheck_not_null },
	{ "ocsp_id_pkix_ocsp_nocheck_in_other_cert", 34, LINT_ERROR,
	    LINT_PRIVATE, LINT_ALL & ~SIGNER, "BR 7.1.2.7.6",
	    "id-pkix-ocsp-nocheck in no OCSP signer's",
	    .cert = is_nocheck_elsewhere },
	{ "ocsp_cert_invalid_ku", 34, LINT_ERROR, LINT_PRIVATE, SIGNER,
	    "BR 7.1.2.8.7", "more than digitalSignature",
	    .cert = is_ocsp_usage_wrong },
	{ "ocsp_cert_crl_distribution_points_present", 34, LINT_ERROR,
	    LINT_PRIVATE, SIGNER, "BR 7.1.2.8.2",
	    "cRLDistributionPoints", .argument =
	    DER_OID_CRL_DISTRIBUTION_POINTS, .cert = has_extension },
	{ "ocsp_cert_certificate_policies_present", 34, LINT_ERROR,
	    LINT_PRIVATE, SIGNER, "BR 7.1.2.8.8", "certificatePolicies",
	    .argument = DER_OID_CERTIFICATE_POLICIES,
	    .cert = has_extension },
	{ "ocsp_cert_long_lived", 34, LINT_WARNING, LINT_PRIVATE, SIGNER,
	    "RFC 6960, 4.2.2.2.1", "nocheck, and more than 398 days",
	    .cert = is_ocsp_life_long },
	{ NULL }
};
