/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lint: all rules over the TBSCertificate of a TLS server with two DNS names,
 * against its issuer's certificate, as it runs before each signature.  There
 * is no linter in OpenSSL: the peer is d2i_X509() of the same certificate and
 * X509_check_purpose(), which is what looking at extensions costs it.
 */
#include "lint/lint.h"
#include "tests/bench/bench.h"

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

struct bench {
	unsigned char *leaf, *issuer, *tbs;
	int leaf_len, issuer_len, tbs_len;
	struct lint_input input;
	struct lint_report report;
};

static void
ours(void *arg)
{
	struct bench *b = arg;

	lint_certificate(&b->input, &b->report, NULL);
}

static void
peer(void *arg)
{
	struct bench *b = arg;
	const unsigned char *p = b->leaf;
	X509 *x = d2i_X509(NULL, &p, b->leaf_len);

	bench_must(x != NULL);
	(void)X509_check_purpose(x, -1, 0);
	X509_free(x);
}

static void
add(X509 *x, X509V3_CTX *context, int nid, const char *value)
{
	/* certificatePolicies wants a configuration to look into. */
	CONF *none = NCONF_new(NULL);
	X509_EXTENSION *e;

	X509V3_set_nconf(context, none);
	e = X509V3_EXT_nconf_nid(none, context, nid, value);
	bench_must(e != NULL && X509_add_ext(x, e, -1) == 1);
	X509_EXTENSION_free(e);
	NCONF_free(none);
}

static void
set_name(X509_NAME *name, const char *common_name)
{
	static const unsigned char country[] = "DE", example[] = "Example";

	bench_must(X509_NAME_add_entry_by_NID(name, NID_countryName,
	    V_ASN1_PRINTABLESTRING, country, 2, -1, 0) == 1);
	bench_must(X509_NAME_add_entry_by_NID(name, NID_organizationName,
	    V_ASN1_UTF8STRING, example, 7, -1, 0) == 1);
	bench_must(X509_NAME_add_entry_by_NID(name, NID_commonName,
	    V_ASN1_UTF8STRING, (const unsigned char *)common_name, -1, -1,
	    0) == 1);
}

static X509 *
make(const char *common_name, EVP_PKEY *key, X509 *issuer, EVP_PKEY *with)
{
	static const unsigned char serial[16] = { 0x5a, 1, 2, 3 };
	X509 *x = X509_new();
	X509V3_CTX context;

	X509V3_set_ctx(&context, issuer == NULL ? x : issuer, x, NULL, NULL,
	    0);
	bench_must(X509_set_version(x, X509_VERSION_3) == 1);
	bench_must(ASN1_STRING_set(X509_get_serialNumber(x), serial, 16) ==
	    1);
	set_name(X509_get_subject_name(x), common_name);
	bench_must(X509_set_issuer_name(x, X509_get_subject_name(
	    issuer == NULL ? x : issuer)) == 1);
	bench_must(ASN1_TIME_set(X509_getm_notBefore(x), 1790000000) != NULL);
	bench_must(ASN1_TIME_set(X509_getm_notAfter(x), 1790000000 +
	    90 * 86400 - 1) != NULL);
	bench_must(X509_set_pubkey(x, key) == 1);
	add(x, &context, NID_subject_key_identifier, "hash");
	if (issuer == NULL) {
		add(x, &context, NID_basic_constraints, "critical,CA:TRUE");
		add(x, &context, NID_key_usage,
		    "critical,keyCertSign,cRLSign,digitalSignature");
	} else {
		add(x, &context, NID_basic_constraints, "critical,CA:FALSE");
		add(x, &context, NID_key_usage, "critical,digitalSignature");
		add(x, &context, NID_ext_key_usage, "serverAuth");
		add(x, &context, NID_authority_key_identifier, "keyid");
		add(x, &context, NID_subject_alt_name,
		    "DNS:www.example.com,DNS:example.com");
		add(x, &context, NID_info_access,
		    "OCSP;URI:http://ocsp.example.com/,"
		    "caIssuers;URI:http://example.com/ca.crt");
		add(x, &context, NID_crl_distribution_points,
		    "URI:http://example.com/ca.crl");
		add(x, &context, NID_certificate_policies, "2.23.140.1.2.1");
	}
	bench_must(X509_sign(x, with, EVP_sha256()) > 0);
	return x;
}

void
bench_lint(void)
{
	static struct bench b;
	EVP_PKEY *key = EVP_EC_gen("P-256"), *ca = EVP_EC_gen("P-256");
	X509 *issuer = make("Example Root", ca, NULL, ca);
	X509 *leaf = make("www.example.com", key, issuer, ca);

	b.issuer_len = i2d_X509(issuer, &b.issuer);
	b.leaf_len = i2d_X509(leaf, &b.leaf);
	b.tbs_len = i2d_re_X509_tbs(leaf, &b.tbs);
	b.input = (struct lint_input){
		.der = { b.tbs, (size_t)b.tbs_len },
		.issuer = { b.issuer, (size_t)b.issuer_len },
		.audience = LINT_PUBLIC,
		.key = LINT_KEY_CHECKED,
		.now = 1790000000,
	};
	ours(&b);
	bench_must(b.report.num_findings == 0);
	bench_compare("lint", ours, peer, &b);
	X509_free(issuer);
	X509_free(leaf);
	EVP_PKEY_free(key);
	EVP_PKEY_free(ca);
	OPENSSL_free(b.issuer);
	OPENSSL_free(b.leaf);
	OPENSSL_free(b.tbs);
}
