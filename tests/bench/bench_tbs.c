/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tbs-build: the TBSCertificate of a TLS server, from its serial, times,
 * name, key and two DNS names: our template against X509 and extensions made
 * from text (X509V3_EXT_conf_nid), as most programs do it.
 * tbs-build-add1: the same against extensions whose structures were made
 * before (X509_add1_ext_i2d), which is the best that OpenSSL has.
 * All sides hash the key's identifier; all give the same octets.
 */
#include "der/template.h"
#include "tests/bench/bench.h"
#include "x509/spki.h"
#include "x509/tbs.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#define NOT_BEFORE INT64_C(1790000000)
#define NOT_AFTER (NOT_BEFORE + INT64_C(90) * 86400)
#define OCSP_URL "http://ocsp.example.com/"
#define ISSUERS_URL "http://ca.example.com/ca1.crt"
#define CRL_URL "http://ca.example.com/ca1.crl"
#define NAME_1 "www.example.com"
#define NAME_2 "example.com"

enum hole {
	HOLE_SERIAL,
	HOLE_NOT_BEFORE,
	HOLE_NOT_AFTER,
	HOLE_SUBJECT,
	HOLE_SPKI,
	HOLE_KEY_ID,
	HOLE_NAMES,
	NUM_HOLES
};

static const uint8_t serial[16] = { 0x5a, 1, 2, 3, 4, 5, 6, 7, 8, 9 };
static const struct x509_san sans[] = {
	{ X509_SAN_DNS, DER_LITERAL(NAME_1) },
	{ X509_SAN_DNS, DER_LITERAL(NAME_2) },
};

struct octets {
	uint8_t bytes[4096];
	size_t len;
};

struct bench {
	struct der_template template;
	struct octets issuer_name, subject, spki, out;

	X509 *issuer;
	unsigned char point[65];	/* of the key that is certified */
	X509_NAME *subject_name;
	unsigned char *peer_out;
	int peer_len;
	/* tbs-build-add1: what is the same in all certificates. */
	BASIC_CONSTRAINTS *constraints;
	ASN1_BIT_STRING *usage;
	EXTENDED_KEY_USAGE *ekus;
	AUTHORITY_KEYID *authority;
	AUTHORITY_INFO_ACCESS *access;
	CRL_DIST_POINTS *points;
};

static struct der_bytes
view(const struct octets *o)
{
	return (struct der_bytes){ o->bytes, o->len };
}

static void
ours(void *arg)
{
	struct bench *b = arg;
	uint8_t times[2][X509_TIME_MAX], key_id[X509_KEY_ID_LEN];
	uint8_t names[128];
	struct der_bytes holes[NUM_HOLES] = {
		[HOLE_SERIAL] = DER_ARRAY(serial),
		[HOLE_NOT_BEFORE] = { times[0], 0 },
		[HOLE_NOT_AFTER] = { times[1], 0 },
		[HOLE_SUBJECT] = view(&b->subject),
		[HOLE_SPKI] = view(&b->spki),
		[HOLE_KEY_ID] = DER_ARRAY(key_id),
		[HOLE_NAMES] = { names, 0 },
	};

	holes[HOLE_NOT_BEFORE].len = x509_write_time(NOT_BEFORE, times[0]);
	holes[HOLE_NOT_AFTER].len = x509_write_time(NOT_AFTER, times[1]);
	bench_must(x509_spki_key_id(view(&b->spki), key_id) == OC_OK);
	bench_must(x509_write_sans(sans, sizeof(sans) / sizeof(sans[0]),
	    names, sizeof(names), &holes[HOLE_NAMES].len) == OC_OK);
	bench_must(der_template_fill(&b->template, holes, b->out.bytes,
	    sizeof(b->out.bytes), &b->out.len) == OC_OK);
}

static void
compile(struct bench *b)
{
	static struct x509_tbs tbs;
	uint8_t issuer_key_id[X509_KEY_ID_LEN];
	struct octets issuer_spki;
	unsigned char *p = issuer_spki.bytes;

	issuer_spki.len = (size_t)i2d_X509_PUBKEY(
	    X509_get_X509_PUBKEY(b->issuer), &p);
	bench_must(x509_spki_key_id(view(&issuer_spki), issuer_key_id) ==
	    OC_OK);
	tbs.serial = DER_HOLE(HOLE_SERIAL);
	tbs.alg = SIGN_ECDSA_SHA256;
	tbs.issuer = view(&b->issuer_name);
	tbs.not_before = DER_TIME_HOLE(HOLE_NOT_BEFORE);
	tbs.not_after = DER_TIME_HOLE(HOLE_NOT_AFTER);
	tbs.subject = DER_HOLE(HOLE_SUBJECT);
	tbs.spki = DER_HOLE(HOLE_SPKI);
	tbs.extensions.has_basic_constraints = true;
	tbs.extensions.path_length = X509_NO_PATH_LENGTH;
	tbs.extensions.key_usage = X509_KU_DIGITAL_SIGNATURE;
	tbs.extensions.ekus[0] = der_oid_bytes(DER_OID_SERVER_AUTH);
	tbs.extensions.ekus[1] = der_oid_bytes(DER_OID_CLIENT_AUTH);
	tbs.extensions.num_ekus = 2;
	tbs.extensions.subject_key_id = DER_FIXED_HOLE(HOLE_KEY_ID,
	    X509_KEY_ID_LEN);
	tbs.extensions.authority_key_id = DER_ARRAY(issuer_key_id);
	tbs.extensions.general_names = DER_HOLE(HOLE_NAMES);
	tbs.extensions.ocsp_urls[0] = DER_LITERAL(OCSP_URL);
	tbs.extensions.num_ocsp_urls = 1;
	tbs.extensions.ca_issuers_urls[0] = DER_LITERAL(ISSUERS_URL);
	tbs.extensions.num_ca_issuers_urls = 1;
	tbs.extensions.crl_urls[0] = DER_LITERAL(CRL_URL);
	tbs.extensions.num_crl_urls = 1;
	bench_must(der_template_compile(&b->template, x509_put_tbs, &tbs) ==
	    OC_OK);
}

/* The octets as they came; X509_set_pubkey() of a key would take OpenSSL's
 * encoder another 100 us. */
static void
set_key(const struct bench *b, X509 *cert)
{
	unsigned char *point = OPENSSL_memdup(b->point, sizeof(b->point));

	bench_must(X509_PUBKEY_set0_param(X509_get_X509_PUBKEY(cert),
	    OBJ_nid2obj(NID_X9_62_id_ecPublicKey), V_ASN1_OBJECT,
	    OBJ_nid2obj(NID_X9_62_prime256v1), point, sizeof(b->point)) == 1);
}

/* All but the extensions. */
static X509 *
peer_cert(const struct bench *b)
{
	X509 *cert = X509_new();
	X509_ALGOR *alg = (X509_ALGOR *)(uintptr_t)X509_get0_tbs_sigalg(cert);

	bench_must(X509_set_version(cert, X509_VERSION_3) == 1);
	bench_must(ASN1_STRING_set(X509_get_serialNumber(cert), serial,
	    sizeof(serial)) == 1);
	bench_must(X509_ALGOR_set0(alg, OBJ_nid2obj(NID_ecdsa_with_SHA256),
	    V_ASN1_UNDEF, NULL) == 1);
	bench_must(X509_set_issuer_name(cert,
	    X509_get_subject_name(b->issuer)) == 1);
	bench_must(ASN1_TIME_set(X509_getm_notBefore(cert), NOT_BEFORE) !=
	    NULL);
	bench_must(ASN1_TIME_set(X509_getm_notAfter(cert), NOT_AFTER) !=
	    NULL);
	bench_must(X509_set_subject_name(cert, b->subject_name) == 1);
	set_key(b, cert);
	return cert;
}

static void
encode_peer(struct bench *b, X509 *cert)
{
	b->peer_out = NULL;
	b->peer_len = i2d_re_X509_tbs(cert, &b->peer_out);
	bench_must(b->peer_len > 0);
	X509_free(cert);
}

static void
add_conf(X509 *cert, X509V3_CTX *context, int nid, const char *value)
{
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, context, nid,
	    value);

	bench_must(extension != NULL && X509_add_ext(cert, extension, -1));
	X509_EXTENSION_free(extension);
}

static void
build_conf(struct bench *b)
{
	X509 *cert = peer_cert(b);
	X509V3_CTX context;

	X509V3_set_ctx(&context, b->issuer, cert, NULL, NULL, 0);
	add_conf(cert, &context, NID_basic_constraints, "critical,CA:FALSE");
	add_conf(cert, &context, NID_key_usage, "critical,digitalSignature");
	add_conf(cert, &context, NID_ext_key_usage, "serverAuth,clientAuth");
	add_conf(cert, &context, NID_subject_key_identifier, "hash");
	add_conf(cert, &context, NID_authority_key_identifier, "keyid");
	add_conf(cert, &context, NID_subject_alt_name, "DNS:" NAME_1 ",DNS:"
	    NAME_2);
	add_conf(cert, &context, NID_info_access, "OCSP;URI:" OCSP_URL
	    ",caIssuers;URI:" ISSUERS_URL);
	add_conf(cert, &context, NID_crl_distribution_points, "URI:" CRL_URL);
	encode_peer(b, cert);
}

static void
add_name(GENERAL_NAMES *names, const char *text)
{
	GENERAL_NAME *name = GENERAL_NAME_new();
	ASN1_IA5STRING *string = ASN1_IA5STRING_new();

	bench_must(ASN1_STRING_set(string, text, -1) == 1);
	GENERAL_NAME_set0_value(name, GEN_DNS, string);
	bench_must(sk_GENERAL_NAME_push(names, name) > 0);
}

static void
add_made(X509 *cert, int nid, void *value, int is_critical)
{
	bench_must(X509_add1_ext_i2d(cert, nid, value, is_critical,
	    X509V3_ADD_APPEND) == 1);
}

static void
build_add1(struct bench *b)
{
	X509 *cert = peer_cert(b);
	GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
	ASN1_OCTET_STRING *key_id = ASN1_OCTET_STRING_new();
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned int len;

	bench_must(X509_pubkey_digest(cert, EVP_sha1(), digest, &len) == 1);
	bench_must(ASN1_OCTET_STRING_set(key_id, digest, (int)len) == 1);
	add_name(names, NAME_1);
	add_name(names, NAME_2);
	add_made(cert, NID_basic_constraints, b->constraints, 1);
	add_made(cert, NID_key_usage, b->usage, 1);
	add_made(cert, NID_ext_key_usage, b->ekus, 0);
	add_made(cert, NID_subject_key_identifier, key_id, 0);
	add_made(cert, NID_authority_key_identifier, b->authority, 0);
	add_made(cert, NID_subject_alt_name, names, 0);
	add_made(cert, NID_info_access, b->access, 0);
	add_made(cert, NID_crl_distribution_points, b->points, 0);
	ASN1_OCTET_STRING_free(key_id);
	GENERAL_NAMES_free(names);
	encode_peer(b, cert);
}

static void
peer_conf(void *arg)
{
	struct bench *b = arg;

	build_conf(b);
	OPENSSL_free(b->peer_out);
}

static void
peer_add1(void *arg)
{
	struct bench *b = arg;

	build_add1(b);
	OPENSSL_free(b->peer_out);
}

static void
check_same(struct bench *b)
{
	ours(b);
	bench_must(b->out.len == (size_t)b->peer_len &&
	    memcmp(b->out.bytes, b->peer_out, b->out.len) == 0);
	OPENSSL_free(b->peer_out);
}

static void *
made_of(X509V3_CTX *context, int nid, const char *value)
{
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, context, nid,
	    value);
	void *made = extension == NULL ? NULL : X509V3_EXT_d2i(extension);

	bench_must(made != NULL);
	X509_EXTENSION_free(extension);
	return made;
}

static void
make_constant(struct bench *b)
{
	/* Not the issuer itself, which needs no authorityKeyIdentifier. */
	X509 *subject = X509_new();
	X509V3_CTX context;

	X509V3_set_ctx(&context, b->issuer, subject, NULL, NULL, 0);
	b->constraints = made_of(&context, NID_basic_constraints,
	    "CA:FALSE");
	b->usage = made_of(&context, NID_key_usage, "digitalSignature");
	b->ekus = made_of(&context, NID_ext_key_usage,
	    "serverAuth,clientAuth");
	b->authority = made_of(&context, NID_authority_key_identifier,
	    "keyid");
	b->access = made_of(&context, NID_info_access, "OCSP;URI:" OCSP_URL
	    ",caIssuers;URI:" ISSUERS_URL);
	b->points = made_of(&context, NID_crl_distribution_points,
	    "URI:" CRL_URL);
	X509_free(subject);
}

static X509_NAME *
name_of(const char *common_name)
{
	X509_NAME *name = X509_NAME_new();

	bench_must(X509_NAME_add_entry_by_txt(name, "C", MBSTRING_ASC,
	    (const unsigned char *)"DE", -1, -1, 0) == 1);
	bench_must(X509_NAME_add_entry_by_txt(name, "O", MBSTRING_ASC,
	    (const unsigned char *)"Example", -1, -1, 0) == 1);
	bench_must(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
	    (const unsigned char *)common_name, -1, -1, 0) == 1);
	return name;
}

static void
make_issuer(struct bench *b)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509_NAME *name = name_of("Example CA 1");
	X509V3_CTX context;
	unsigned char *p = b->issuer_name.bytes;

	b->issuer = X509_new();
	bench_must(X509_set_subject_name(b->issuer, name) == 1);
	bench_must(X509_set_issuer_name(b->issuer, name) == 1);
	bench_must(X509_set_pubkey(b->issuer, key) == 1);
	X509V3_set_ctx(&context, b->issuer, b->issuer, NULL, NULL, 0);
	add_conf(b->issuer, &context, NID_subject_key_identifier, "hash");
	b->issuer_name.len = (size_t)i2d_X509_NAME(name, &p);
	X509_NAME_free(name);
	EVP_PKEY_free(key);
}

static void
free_bench(struct bench *b)
{
	BASIC_CONSTRAINTS_free(b->constraints);
	ASN1_BIT_STRING_free(b->usage);
	EXTENDED_KEY_USAGE_free(b->ekus);
	AUTHORITY_KEYID_free(b->authority);
	AUTHORITY_INFO_ACCESS_free(b->access);
	CRL_DIST_POINTS_free(b->points);
	der_template_fini(&b->template);
	X509_NAME_free(b->subject_name);
	X509_free(b->issuer);
}

void
bench_tbs(void)
{
	static struct bench b;
	unsigned char *p = b.subject.bytes, *q = b.spki.bytes;
	EVP_PKEY *key;
	size_t point_len;

	make_issuer(&b);
	key = EVP_EC_gen("P-256");
	bench_must(EVP_PKEY_get_octet_string_param(key,
	    OSSL_PKEY_PARAM_PUB_KEY, b.point, sizeof(b.point), &point_len) ==
	    1 && point_len == sizeof(b.point));
	b.subject_name = name_of(NAME_1);
	b.subject.len = (size_t)i2d_X509_NAME(b.subject_name, &p);
	b.spki.len = (size_t)i2d_PUBKEY(key, &q);
	EVP_PKEY_free(key);
	make_constant(&b);
	compile(&b);

	build_conf(&b);
	check_same(&b);
	bench_compare("tbs-build", ours, peer_conf, &b);
	build_add1(&b);
	check_same(&b);
	bench_compare("tbs-build-add1", ours, peer_add1, &b);
	free_bench(&b);
}
