/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What does it cost to build the TBSCertificate of a TLS server's certificate
 * from a parsed request: by our template, our writer, and OpenSSL's X509 with
 * extensions from structures (X509V3_add1_i2d) and from text
 * (X509V3_EXT_nconf_nid)?  All four give the same octets, and all four hash
 * the key for its identifier; that is checked before anything is measured.
 */
#include "tests/bench/bench_tbs.h"

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "der/template.h"
#include "x509/name.h"
#include "x509/spki.h"
#include "x509/tbs.h"

#define ROUNDS 5
#define OCSP_URL "http://ocsp.example/"
#define CA_URL "http://ca.example/ca.crt"
#define CRL_URL "http://crl.example/ca.crl"

static const char *const names[] = { "www.example.org", "example.org",
    "*.api.example.org" };
#define NUM_NAMES 3
static const uint8_t authority_key_id[20] = { 0xca, 0xfe };
static const uint8_t serial[16] = { 0x0a, 0x1b, 0x2c };

enum { HOLE_SERIAL, HOLE_NOT_BEFORE, HOLE_NOT_AFTER, HOLE_SUBJECT,
    HOLE_SPKI, HOLE_KEY_ID, HOLE_NAMES, NUM_HOLES };

struct bench {
	struct x509_tbs tbs;
	struct der_template template;
	uint8_t out[4096];
	size_t len;

	/* OpenSSL's, prepared as ours is: parsed once, outside. */
	X509_NAME *issuer_name, *subject_name;
	X509 *issuer;
};

static void
must(bool condition)
{
	if (!condition)
		abort();
}

static void
put_names(struct der_writer *w, const void *arg)
{
	const struct x509_extensions *e = arg;

	x509_put_sans(w, e->sans, e->num_sans);
}

static void
run_write(struct bench *b)
{
	uint8_t key_id[X509_KEY_ID_LEN];

	must(x509_spki_key_id(b->tbs.spki, key_id) == OC_OK);
	b->tbs.extensions.subject_key_id = DER_ARRAY(key_id);
	must(der_write(x509_put_tbs, &b->tbs, b->out, sizeof(b->out),
	    &b->len) == OC_OK);
}

static void
run_template(struct bench *b)
{
	uint8_t key_id[X509_KEY_ID_LEN], sans[1024];
	uint8_t before[X509_TIME_MAX], after[X509_TIME_MAX];
	struct der_bytes holes[NUM_HOLES];
	size_t len;

	must(x509_spki_key_id(b->tbs.spki, key_id) == OC_OK);
	must(der_write(put_names, &b->tbs.extensions, sans, sizeof(sans),
	    &len) == OC_OK);
	holes[HOLE_SERIAL] = b->tbs.serial;
	holes[HOLE_NOT_BEFORE] = (struct der_bytes){ before,
	    x509_write_time(b->tbs.not_before, before) };
	holes[HOLE_NOT_AFTER] = (struct der_bytes){ after,
	    x509_write_time(b->tbs.not_after, after) };
	holes[HOLE_SUBJECT] = b->tbs.subject;
	holes[HOLE_SPKI] = b->tbs.spki;
	holes[HOLE_KEY_ID] = DER_ARRAY(key_id);
	holes[HOLE_NAMES] = (struct der_bytes){ sans, len };
	must(der_template_fill(&b->template, holes, b->out, sizeof(b->out),
	    &b->len) == OC_OK);
}

/* The key's octets as they are: X509_set_pubkey() would encode and decode
 * them again, which costs more than all the rest. */
static void
set_pubkey(X509 *x, const struct bench *b)
{
	struct der_bytes bits;
	uint8_t *copy;

	must(x509_spki_key_bits(b->tbs.spki, &bits) == OC_OK);
	copy = OPENSSL_memdup(bits.p, bits.len);
	must(X509_PUBKEY_set0_param(X509_get_X509_PUBKEY(x),
	    OBJ_nid2obj(NID_X9_62_id_ecPublicKey), V_ASN1_OBJECT,
	    OBJ_nid2obj(NID_X9_62_prime256v1), copy, (int)bits.len) == 1);
}

static X509 *
openssl_head(const struct bench *b)
{
	BIGNUM *number = BN_bin2bn(b->tbs.serial.p, (int)b->tbs.serial.len,
	    NULL);
	X509 *x = X509_new();

	must(x != NULL && X509_set_version(x, X509_VERSION_3) == 1);
	must(BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x)) != NULL);
	X509_ALGOR_set0((X509_ALGOR *)X509_get0_tbs_sigalg(x),
	    OBJ_nid2obj(NID_ecdsa_with_SHA256), V_ASN1_UNDEF, NULL);
	must(X509_set_issuer_name(x, b->issuer_name) == 1);
	must(X509_set_subject_name(x, b->subject_name) == 1);
	ASN1_TIME_set(X509_getm_notBefore(x), (time_t)b->tbs.not_before);
	ASN1_TIME_set(X509_getm_notAfter(x), (time_t)b->tbs.not_after);
	set_pubkey(x, b);
	BN_free(number);
	return x;
}

static void
openssl_finish(struct bench *b, X509 *x)
{
	uint8_t *p = b->out;
	int len = i2d_re_X509_tbs(x, NULL);

	must(len > 0 && (size_t)len <= sizeof(b->out));
	b->len = (size_t)i2d_re_X509_tbs(x, &p);
	X509_free(x);
}

static void
run_openssl_text(struct bench *b)
{
	static const struct {
		int nid;
		const char *text;
	} all[] = {
		{ NID_basic_constraints, "critical,CA:FALSE" },
		{ NID_key_usage, "critical,digitalSignature" },
		{ NID_ext_key_usage, "serverAuth,clientAuth" },
		{ NID_subject_key_identifier, "hash" },
		{ NID_authority_key_identifier, "keyid" },
		{ NID_subject_alt_name, "DNS:www.example.org,DNS:example.org,"
		    "DNS:*.api.example.org" },
		{ NID_info_access, "OCSP;URI:" OCSP_URL ",caIssuers;URI:"
		    CA_URL },
		{ NID_crl_distribution_points, "URI:" CRL_URL },
	};
	X509 *x = openssl_head(b);
	X509V3_CTX ctx;
	size_t i;

	X509V3_set_ctx(&ctx, b->issuer, x, NULL, NULL, 0);
	X509V3_set_ctx_nodb(&ctx);
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		X509_EXTENSION *e = X509V3_EXT_nconf_nid(NULL, &ctx,
		    all[i].nid, all[i].text);

		must(e != NULL && X509_add_ext(x, e, -1) == 1);
		X509_EXTENSION_free(e);
	}
	openssl_finish(b, x);
}

static void
add(X509 *x, int nid, int is_critical, void *value)
{
	must(X509_add1_ext_i2d(x, nid, value, is_critical,
	    X509V3_ADD_APPEND) == 1);
}

static GENERAL_NAME *
general_name(int type, const char *text)
{
	GENERAL_NAME *name = GENERAL_NAME_new();
	ASN1_IA5STRING *string = ASN1_IA5STRING_new();

	must(ASN1_STRING_set(string, text, -1) == 1);
	GENERAL_NAME_set0_value(name, type, string);
	return name;
}

static void
add_usages(X509 *x)
{
	BASIC_CONSTRAINTS *bc = BASIC_CONSTRAINTS_new();
	ASN1_BIT_STRING *usage = ASN1_BIT_STRING_new();
	EXTENDED_KEY_USAGE *ekus = EXTENDED_KEY_USAGE_new();

	add(x, NID_basic_constraints, 1, bc);
	ASN1_BIT_STRING_set_bit(usage, 0, 1);
	add(x, NID_key_usage, 1, usage);
	sk_ASN1_OBJECT_push(ekus, OBJ_nid2obj(NID_server_auth));
	sk_ASN1_OBJECT_push(ekus, OBJ_nid2obj(NID_client_auth));
	add(x, NID_ext_key_usage, 0, ekus);
	BASIC_CONSTRAINTS_free(bc);
	ASN1_BIT_STRING_free(usage);
	EXTENDED_KEY_USAGE_free(ekus);
}

static void
add_key_ids(X509 *x)
{
	ASN1_OCTET_STRING *id = ASN1_OCTET_STRING_new();
	AUTHORITY_KEYID *authority = AUTHORITY_KEYID_new();
	uint8_t hash[EVP_MAX_MD_SIZE];
	unsigned int len;

	must(X509_pubkey_digest(x, EVP_sha1(), hash, &len) == 1);
	ASN1_OCTET_STRING_set(id, hash, (int)len);
	add(x, NID_subject_key_identifier, 0, id);
	authority->keyid = ASN1_OCTET_STRING_new();
	ASN1_OCTET_STRING_set(authority->keyid, authority_key_id,
	    sizeof(authority_key_id));
	add(x, NID_authority_key_identifier, 0, authority);
	ASN1_OCTET_STRING_free(id);
	AUTHORITY_KEYID_free(authority);
}

static void
push_access(AUTHORITY_INFO_ACCESS *access, int nid, const char *url)
{
	ACCESS_DESCRIPTION *a = ACCESS_DESCRIPTION_new();

	a->method = OBJ_nid2obj(nid);
	GENERAL_NAME_free(a->location);
	a->location = general_name(GEN_URI, url);
	sk_ACCESS_DESCRIPTION_push(access, a);
}

static void
add_names_and_urls(X509 *x)
{
	GENERAL_NAMES *sans = GENERAL_NAMES_new();
	AUTHORITY_INFO_ACCESS *access = AUTHORITY_INFO_ACCESS_new();
	CRL_DIST_POINTS *points = CRL_DIST_POINTS_new();
	DIST_POINT *point = DIST_POINT_new();
	size_t i;

	for (i = 0; i < NUM_NAMES; i++)
		sk_GENERAL_NAME_push(sans, general_name(GEN_DNS, names[i]));
	add(x, NID_subject_alt_name, 0, sans);
	push_access(access, NID_ad_OCSP, OCSP_URL);
	push_access(access, NID_ad_ca_issuers, CA_URL);
	add(x, NID_info_access, 0, access);
	point->distpoint = DIST_POINT_NAME_new();
	point->distpoint->type = 0;
	point->distpoint->name.fullname = GENERAL_NAMES_new();
	sk_GENERAL_NAME_push(point->distpoint->name.fullname,
	    general_name(GEN_URI, CRL_URL));
	sk_DIST_POINT_push(points, point);
	add(x, NID_crl_distribution_points, 0, points);
	GENERAL_NAMES_free(sans);
	AUTHORITY_INFO_ACCESS_free(access);
	CRL_DIST_POINTS_free(points);
}

static void
run_openssl_structures(struct bench *b)
{
	X509 *x = openssl_head(b);

	add_usages(x);
	add_key_ids(x);
	add_names_and_urls(x);
	openssl_finish(b, x);
}

static struct der_bytes
make_name(const char *text, uint8_t *out, size_t out_max)
{
	size_t len;

	must(x509_name_parse(text, out, out_max, &len, NULL) == OC_OK);
	return (struct der_bytes){ out, len };
}

static void
prepare_plan(struct bench *b)
{
	static uint8_t issuer[256], subject[256], spki[256];
	struct x509_extensions *e = &b->tbs.extensions;
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	uint8_t *p = spki;
	uint32_t i;
	int len;

	len = i2d_PUBKEY(key, NULL);
	must(len > 0 && (size_t)len <= sizeof(spki));
	must(i2d_PUBKEY(key, &p) == len);
	EVP_PKEY_free(key);
	b->tbs = (struct x509_tbs){
		.serial = DER_ARRAY(serial),
		.alg = SIGN_ECDSA_SHA256,
		.issuer = make_name("CN=Issuing CA 1,O=Example,C=DE", issuer,
		    sizeof(issuer)),
		.not_before = 1795471200,
		.not_after = 1803247199,
		.subject = make_name("CN=www.example.org", subject,
		    sizeof(subject)),
		.spki = { spki, (size_t)len },
	};
	e->has_basic_constraints = true;
	e->path_length = X509_NO_PATH_LENGTH;
	e->key_usage = X509_KU_DIGITAL_SIGNATURE;
	e->ekus[0] = der_oid_bytes(DER_OID_SERVER_AUTH);
	e->ekus[1] = der_oid_bytes(DER_OID_CLIENT_AUTH);
	e->num_ekus = 2;
	e->authority_key_id = DER_ARRAY(authority_key_id);
	for (i = 0; i < NUM_NAMES; i++)
		e->sans[i] = (struct x509_san){ X509_SAN_DNS,
		    { (const uint8_t *)names[i], strlen(names[i]) } };
	e->num_sans = NUM_NAMES;
	e->ocsp_urls[0] = DER_LITERAL(OCSP_URL);
	e->num_ocsp_urls = 1;
	e->ca_issuers_urls[0] = DER_LITERAL(CA_URL);
	e->num_ca_issuers_urls = 1;
	e->crl_urls[0] = DER_LITERAL(CRL_URL);
	e->num_crl_urls = 1;
}

static void
prepare_template(struct bench *b)
{
	struct x509_tbs holes = b->tbs;

	holes.serial = DER_HOLE(HOLE_SERIAL);
	holes.not_before = DER_TIME_HOLE(HOLE_NOT_BEFORE);
	holes.not_after = DER_TIME_HOLE(HOLE_NOT_AFTER);
	holes.subject = DER_HOLE(HOLE_SUBJECT);
	holes.spki = DER_HOLE(HOLE_SPKI);
	holes.extensions.subject_key_id = DER_HOLE(HOLE_KEY_ID);
	holes.extensions.num_sans = 0;
	holes.extensions.general_names = DER_HOLE(HOLE_NAMES);
	must(der_template_compile(&b->template, x509_put_tbs, &holes) ==
	    OC_OK);
}

/* The issuer's certificate, of which only the key identifier is asked. */
static void
prepare_openssl(struct bench *b)
{
	ASN1_OCTET_STRING *id = ASN1_OCTET_STRING_new();
	const uint8_t *p = b->tbs.issuer.p;

	b->issuer_name = d2i_X509_NAME(NULL, &p, (long)b->tbs.issuer.len);
	p = b->tbs.subject.p;
	b->subject_name = d2i_X509_NAME(NULL, &p, (long)b->tbs.subject.len);
	b->issuer = X509_new();
	ASN1_OCTET_STRING_set(id, authority_key_id, sizeof(authority_key_id));
	add(b->issuer, NID_subject_key_identifier, 0, id);
	ASN1_OCTET_STRING_free(id);
}

static const struct {
	const char *name;
	void (*run)(struct bench *);
	int runs;
} ways[] = {
	{ "tbs template", run_template, 50000 },
	{ "tbs write", run_write, 50000 },
	{ "tbs openssl structures", run_openssl_structures, 5000 },
	{ "tbs openssl text", run_openssl_text, 5000 },
};

/* The best of some rounds: what disturbs only ever adds. */
static void
measure(struct bench *b, size_t way)
{
	int64_t best = INT64_MAX, start;
	int round, i;

	for (round = 0; round < ROUNDS; round++) {
		start = oc_clock_mono_ns();
		for (i = 0; i < ways[way].runs; i++)
			ways[way].run(b);
		start = oc_clock_mono_ns() - start;
		best = start < best ? start : best;
	}
	printf("%-24s %8.1f ns\n", ways[way].name,
	    (double)best / ways[way].runs);
}

void
bench_tbs(void)
{
	static struct bench b;
	uint8_t want[sizeof(b.out)];
	size_t i, len;

	prepare_plan(&b);
	prepare_template(&b);
	prepare_openssl(&b);
	run_write(&b);
	len = b.len;
	memcpy(want, b.out, len);
	for (i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		memset(b.out, 0, sizeof(b.out));
		ways[i].run(&b);
		must(b.len == len && memcmp(b.out, want, len) == 0);
	}
	for (i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		measure(&b, i);
	X509_free(b.issuer);
	X509_NAME_free(b.issuer_name);
	X509_NAME_free(b.subject_name);
	der_template_fini(&b.template);
}
