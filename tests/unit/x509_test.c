/* SPDX-License-Identifier: Apache-2.0 */
#include "x509_test.h"

#include <stdlib.h>
#include <string.h>

struct allocation {
	struct allocation *next;
};

static struct allocation *allocations;

static struct {
	const char *type;
	EVP_PKEY *key;
	struct der_bytes spki;
} keys[] = {
	{ "RSA2048", NULL, { NULL, 0 } },
	{ "P-256", NULL, { NULL, 0 } },
	{ "P-384", NULL, { NULL, 0 } },
	{ "P-521", NULL, { NULL, 0 } },
	{ "ED25519", NULL, { NULL, 0 } },
};

uint64_t
test_random(uint64_t *seed)
{
	uint64_t x = *seed;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	*seed = x;
	return x * UINT64_C(0x2545F4914F6CDD1D);
}

uint32_t
test_random_below(uint64_t *seed, uint32_t below)
{
	return (uint32_t)(test_random(seed) >> 32) % below;
}

void *
test_alloc(size_t size)
{
	struct allocation *a = calloc(1, sizeof(*a) + size + 16);

	assert_non_null(a);
	a->next = allocations;
	allocations = a;
	return (uint8_t *)a + 16;
}

int
test_free_all(void **state)
{
	struct allocation *a;
	size_t i;

	(void)state;
	while ((a = allocations) != NULL) {
		allocations = a->next;
		free(a);
	}
	for (i = 0; i < ARRAY_LEN(keys); i++) {
		EVP_PKEY_free(keys[i].key);
		keys[i].key = NULL;
	}
	return 0;
}

static size_t
find_key(const char *type)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(keys); i++)
		if (strcmp(keys[i].type, type) == 0)
			break;
	assert_true(i < ARRAY_LEN(keys));
	if (keys[i].key != NULL)
		return i;
	if (type[0] == 'R')
		keys[i].key = EVP_PKEY_Q_keygen(NULL, NULL, "RSA",
		    (size_t)2048);
	else if (type[0] == 'P')
		keys[i].key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", type);
	else
		keys[i].key = EVP_PKEY_Q_keygen(NULL, NULL, type);
	assert_non_null(keys[i].key);
	{
		uint8_t *bytes = NULL;
		int len = i2d_PUBKEY(keys[i].key, &bytes);

		keys[i].spki = test_i2d(len, bytes);
	}
	return i;
}

EVP_PKEY *
test_key(const char *type)
{
	return keys[find_key(type)].key;
}

struct der_bytes
test_spki(const char *type)
{
	return keys[find_key(type)].spki;
}

struct der_bytes
test_i2d(int len, uint8_t *bytes)
{
	uint8_t *copy;

	assert_true(len > 0);
	copy = test_alloc((size_t)len);
	memcpy(copy, bytes, (size_t)len);
	OPENSSL_free(bytes);
	return (struct der_bytes){ copy, (size_t)len };
}

struct der_bytes
test_i2d_x509(const X509 *x)
{
	uint8_t *bytes = NULL;
	int len = i2d_X509(x, &bytes);

	return test_i2d(len, bytes);
}

struct der_bytes
test_i2d_req(const X509_REQ *req)
{
	uint8_t *bytes = NULL;
	int len = i2d_X509_REQ(req, &bytes);

	return test_i2d(len, bytes);
}

struct der_bytes
test_i2d_crl(const X509_CRL *crl)
{
	uint8_t *bytes = NULL;
	int len = i2d_X509_CRL(crl, &bytes);

	return test_i2d(len, bytes);
}

struct der_bytes
test_i2d_name(const X509_NAME *name)
{
	uint8_t *bytes = NULL;
	int len = i2d_X509_NAME(name, &bytes);

	return test_i2d(len, bytes);
}

struct der_bytes
test_name(const char *text)
{
	uint8_t *out = test_alloc(4096);
	struct oc_error error = { 0 };
	size_t len = 0;

	if (x509_name_parse(text, out, 4096, &len, &error) != OC_OK)
		fail_msg("\"%s\": %s", text, error.text);
	return (struct der_bytes){ out, len };
}

struct der_bytes
test_write(der_put_fn *put, const void *arg)
{
	size_t measured, len;
	uint8_t *out;

	assert_int_equal(der_write(put, arg, NULL, 0, &measured), OC_OK);
	out = test_alloc(measured);
	assert_int_equal(der_write(put, arg, out, measured, &len), OC_OK);
	assert_int_equal(len, measured);
	return (struct der_bytes){ out, len };
}

static const EVP_MD *
digest_of(enum sign_alg alg)
{
	switch (sign_alg_info(alg)->hash) {
	case SIGN_HASH_NONE:
		return NULL;
	case SIGN_SHA256:
		return EVP_sha256();
	case SIGN_SHA384:
		return EVP_sha384();
	case SIGN_SHA512:
		return EVP_sha512();
	}
	return NULL;
}

struct der_bytes
test_sign(struct der_bytes tbs, const char *key, enum sign_alg alg)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	struct x509_signed s = { .tbs = tbs, .alg = alg };
	EVP_PKEY_CTX *pctx;
	uint8_t signature[512];
	size_t len = sizeof(signature);

	assert_int_equal(EVP_DigestSignInit(ctx, &pctx, digest_of(alg), NULL,
	    test_key(key)), 1);
	if (sign_alg_info(alg)->is_pss) {
		assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(pctx,
		    RSA_PKCS1_PSS_PADDING), 1);
		assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx,
		    RSA_PSS_SALTLEN_DIGEST), 1);
	}
	assert_int_equal(EVP_DigestSign(ctx, signature, &len, tbs.p,
	    tbs.len), 1);
	EVP_MD_CTX_free(ctx);
	s.signature = (struct der_bytes){ signature, len };
	return test_write(x509_put_signed, &s);
}

static struct der_bytes
random_octets(uint64_t *seed, size_t len)
{
	uint8_t *p = test_alloc(len);
	size_t i;

	for (i = 0; i < len; i++)
		p[i] = (uint8_t)(test_random(seed) >> 56);
	return (struct der_bytes){ p, len };
}

static struct der_bytes
random_text(uint64_t *seed, const char *before, const char *after)
{
	size_t len = 1 + test_random_below(seed, 40), i;
	size_t before_len = strlen(before), after_len = strlen(after);
	uint8_t *p = test_alloc(before_len + len + after_len);

	memcpy(p, before, before_len);
	for (i = 0; i < len; i++)
		p[before_len + i] = (uint8_t)"abcdefghijklmnopqrstuvwxyz"
		    "0123456789"[test_random_below(seed, 36)];
	memcpy(p + before_len + len, after, after_len);
	return (struct der_bytes){ p, before_len + len + after_len };
}

static struct der_bytes
random_name(uint64_t *seed)
{
	static const char *const names[] = {
		"C=DE", "CN=example.com", "/C=US/O=Example, Inc./CN=A B",
		"CN=Zo\xc3\xab,OU=\xe6\x97\xa5\xe6\x9c\xac,O=x\\,y,C=JP",
		"emailAddress=a@example.org,DC=example,DC=org",
		"serialNumber=12 34,street=Way 1,L=Here,ST=There,C=FR",
	};

	return test_name(names[test_random_below(seed, ARRAY_LEN(names))]);
}

static void
random_san(uint64_t *seed, struct x509_san *san)
{
	switch (test_random_below(seed, 5)) {
	case 0:
		*san = (struct x509_san){ X509_SAN_EMAIL,
		    random_text(seed, "", "@example.org") };
		return;
	case 1:
		*san = (struct x509_san){ X509_SAN_URI,
		    random_text(seed, "https://", "/x") };
		return;
	case 2:
		*san = (struct x509_san){ X509_SAN_IP, random_octets(seed,
		    test_random_below(seed, 2) ? 16 : 4) };
		return;
	case 3:
		*san = (struct x509_san){ X509_SAN_DIRECTORY,
		    random_name(seed) };
		return;
	}
	*san = (struct x509_san){ X509_SAN_DNS,
	    random_text(seed, test_random_below(seed, 2) ? "*." : "",
	    ".example.com") };
}

static void
random_urls(uint64_t *seed, struct der_bytes *urls, uint32_t *num)
{
	uint32_t i, n = test_random_below(seed, X509_URLS_MAX + 1);

	for (i = 0; i < n; i++)
		urls[i] = random_text(seed, "http://", "/crl");
	*num = n;
}

static void
random_extensions(uint64_t *seed, struct x509_extensions *e)
{
	static const enum der_oid ekus[] = { DER_OID_SERVER_AUTH,
	    DER_OID_CLIENT_AUTH, DER_OID_CODE_SIGNING,
	    DER_OID_EMAIL_PROTECTION, DER_OID_TIME_STAMPING,
	    DER_OID_OCSP_SIGNING, DER_OID_ANY_EXTENDED_KEY_USAGE };
	/* Mostly a few, sometimes as many as there may be. */
	uint32_t i, num_sans = test_random_below(seed, 20) == 0 ?
	    X509_SANS_MAX : test_random_below(seed, 6);

	e->has_basic_constraints = test_random_below(seed, 2);
	e->path_length = X509_NO_PATH_LENGTH;
	if (e->has_basic_constraints && test_random_below(seed, 2)) {
		e->ca = X509_IS_CA;
		if (test_random_below(seed, 2))
			e->path_length = (int)test_random_below(seed, 300);
	} else if (!e->has_basic_constraints) {
		e->path_length = 0;	/* absent ones are zero */
	}
	if (test_random_below(seed, 4) != 0)
		e->key_usage = 1 + test_random_below(seed, 511);
	for (i = 0; i < ARRAY_LEN(ekus); i++)
		if (test_random_below(seed, 3) == 0)
			e->ekus[e->num_ekus++] = der_oid_bytes(ekus[i]);
	/* There is always one: the empty list cannot be written. */
	e->subject_key_id = random_octets(seed, 1 +
	    test_random_below(seed, 32));
	if (test_random_below(seed, 3) != 0)
		e->authority_key_id = random_octets(seed, 20);
	for (i = 0; i < num_sans; i++)
		random_san(seed, &e->sans[e->num_sans++]);
	e->is_san_critical = num_sans != 0 && test_random_below(seed, 2);
	random_urls(seed, e->ocsp_urls, &e->num_ocsp_urls);
	random_urls(seed, e->ca_issuers_urls, &e->num_ca_issuers_urls);
	random_urls(seed, e->crl_urls, &e->num_crl_urls);
	e->has_ocsp_nocheck = test_random_below(seed, 4) == 0;
}

/* 2049-12-31T23:59:59Z: the last UTCTime. */
#define LAST_UTCTIME INT64_C(2524607999)

static int64_t
random_time(uint64_t *seed)
{
	switch (test_random_below(seed, 4)) {
	case 0:
		return LAST_UTCTIME + (int64_t)test_random_below(seed, 3) - 1;
	case 1:			/* 9999-12-31T23:59:59Z */
		return INT64_C(253402300799);
	case 2:			/* from 1950 */
		return INT64_C(-631152000) +
		    (int64_t)test_random_below(seed, 1000000000);
	}
	return (int64_t)(test_random(seed) % UINT64_C(253402300799));
}

void
test_plan(uint64_t *seed, struct x509_tbs *tbs)
{
	static const char *const types[] = { "RSA2048", "P-256", "P-384",
	    "P-521", "ED25519" };
	uint8_t *serial;

	memset(tbs, 0, sizeof(*tbs));
	tbs->serial = random_octets(seed, 1 +
	    test_random_below(seed, OC_SERIAL_MAX));
	serial = (uint8_t *)tbs->serial.p;
	serial[0] = (uint8_t)(1 + test_random_below(seed, 127));
	tbs->alg = (enum sign_alg)(1 + test_random_below(seed,
	    SIGN_ALG_MAX - 1));
	tbs->issuer = random_name(seed);
	tbs->not_before = random_time(seed);
	tbs->not_after = random_time(seed);
	tbs->subject = random_name(seed);
	tbs->spki = test_spki(types[test_random_below(seed,
	    ARRAY_LEN(types))]);
	random_extensions(seed, &tbs->extensions);
}

static ASN1_IA5STRING *
ia5(struct der_bytes bytes)
{
	ASN1_IA5STRING *s = ASN1_IA5STRING_new();

	assert_int_equal(ASN1_STRING_set(s, bytes.p, (int)bytes.len), 1);
	return s;
}

static X509_NAME *
openssl_name(struct der_bytes name)
{
	const uint8_t *p = name.p;
	X509_NAME *n = d2i_X509_NAME(NULL, &p, (long)name.len);

	assert_non_null(n);
	return n;
}

static GENERAL_NAME *
openssl_general_name(const struct x509_san *san)
{
	GENERAL_NAME *name = GENERAL_NAME_new();
	ASN1_OCTET_STRING *octets;

	switch (san->kind) {
	case X509_SAN_EMAIL:
		GENERAL_NAME_set0_value(name, GEN_EMAIL, ia5(san->value));
		break;
	case X509_SAN_DNS:
		GENERAL_NAME_set0_value(name, GEN_DNS, ia5(san->value));
		break;
	case X509_SAN_URI:
		GENERAL_NAME_set0_value(name, GEN_URI, ia5(san->value));
		break;
	case X509_SAN_IP:
		octets = ASN1_OCTET_STRING_new();
		ASN1_OCTET_STRING_set(octets, san->value.p,
		    (int)san->value.len);
		GENERAL_NAME_set0_value(name, GEN_IPADD, octets);
		break;
	case X509_SAN_DIRECTORY:
		GENERAL_NAME_set0_value(name, GEN_DIRNAME,
		    openssl_name(san->value));
		break;
	}
	return name;
}

static GENERAL_NAME *
openssl_url(struct der_bytes url)
{
	struct x509_san san = { X509_SAN_URI, url };

	return openssl_general_name(&san);
}

static void
add(STACK_OF(X509_EXTENSION) **stack, int nid, int is_critical, void *value)
{
	assert_int_equal(X509V3_add1_i2d(stack, nid, value, is_critical,
	    X509V3_ADD_APPEND), 1);
}

static void
add_key_usage(STACK_OF(X509_EXTENSION) **stack, uint32_t key_usage)
{
	ASN1_BIT_STRING *bits = ASN1_BIT_STRING_new();
	int i;

	for (i = 0; i < 9; i++)
		if ((key_usage >> i & 1) != 0)
			ASN1_BIT_STRING_set_bit(bits, i, 1);
	add(stack, NID_key_usage, 1, bits);
	ASN1_BIT_STRING_free(bits);
}

static void
add_ekus(STACK_OF(X509_EXTENSION) **stack, const struct x509_extensions *e)
{
	EXTENDED_KEY_USAGE *ekus = EXTENDED_KEY_USAGE_new();
	char dotted[DER_OID_TEXT_MAX];
	uint32_t i;

	for (i = 0; i < e->num_ekus; i++) {
		der_oid_format(e->ekus[i], dotted);
		sk_ASN1_OBJECT_push(ekus, OBJ_txt2obj(dotted, 1));
	}
	add(stack, NID_ext_key_usage, 0, ekus);
	EXTENDED_KEY_USAGE_free(ekus);
}

static void
add_key_ids(STACK_OF(X509_EXTENSION) **stack, const struct x509_extensions *e)
{
	ASN1_OCTET_STRING *octets = ASN1_OCTET_STRING_new();
	AUTHORITY_KEYID *keyid = AUTHORITY_KEYID_new();

	ASN1_OCTET_STRING_set(octets, e->subject_key_id.p,
	    (int)e->subject_key_id.len);
	if (e->subject_key_id.len != 0)
		add(stack, NID_subject_key_identifier, 0, octets);
	ASN1_OCTET_STRING_free(octets);
	keyid->keyid = ASN1_OCTET_STRING_new();
	ASN1_OCTET_STRING_set(keyid->keyid, e->authority_key_id.p,
	    (int)e->authority_key_id.len);
	if (e->authority_key_id.len != 0)
		add(stack, NID_authority_key_identifier, 0, keyid);
	AUTHORITY_KEYID_free(keyid);
}

static void
add_sans(STACK_OF(X509_EXTENSION) **stack, const struct x509_extensions *e)
{
	GENERAL_NAMES *names = GENERAL_NAMES_new();
	uint32_t i;

	for (i = 0; i < e->num_sans; i++)
		sk_GENERAL_NAME_push(names, openssl_general_name(&e->sans[i]));
	add(stack, NID_subject_alt_name, e->is_san_critical, names);
	GENERAL_NAMES_free(names);
}

static void
push_access(AUTHORITY_INFO_ACCESS *access, int nid, struct der_bytes url)
{
	ACCESS_DESCRIPTION *a = ACCESS_DESCRIPTION_new();

	ASN1_OBJECT_free(a->method);
	a->method = OBJ_nid2obj(nid);
	GENERAL_NAME_free(a->location);
	a->location = openssl_url(url);
	sk_ACCESS_DESCRIPTION_push(access, a);
}

static void
add_info_access(STACK_OF(X509_EXTENSION) **stack,
    const struct x509_extensions *e)
{
	AUTHORITY_INFO_ACCESS *access = AUTHORITY_INFO_ACCESS_new();
	uint32_t i;

	for (i = 0; i < e->num_ocsp_urls; i++)
		push_access(access, NID_ad_OCSP, e->ocsp_urls[i]);
	for (i = 0; i < e->num_ca_issuers_urls; i++)
		push_access(access, NID_ad_ca_issuers, e->ca_issuers_urls[i]);
	add(stack, NID_info_access, 0, access);
	AUTHORITY_INFO_ACCESS_free(access);
}

static void
add_crl_points(STACK_OF(X509_EXTENSION) **stack,
    const struct x509_extensions *e)
{
	CRL_DIST_POINTS *points = CRL_DIST_POINTS_new();
	uint32_t i;

	for (i = 0; i < e->num_crl_urls; i++) {
		DIST_POINT *point = DIST_POINT_new();

		point->distpoint = DIST_POINT_NAME_new();
		point->distpoint->type = 0;
		point->distpoint->name.fullname = GENERAL_NAMES_new();
		sk_GENERAL_NAME_push(point->distpoint->name.fullname,
		    openssl_url(e->crl_urls[i]));
		sk_DIST_POINT_push(points, point);
	}
	add(stack, NID_crl_distribution_points, 0, points);
	CRL_DIST_POINTS_free(points);
}

STACK_OF(X509_EXTENSION) *
test_openssl_extensions(const struct x509_extensions *e)
{
	STACK_OF(X509_EXTENSION) *stack = NULL;

	if (e->has_basic_constraints) {
		BASIC_CONSTRAINTS *bc = BASIC_CONSTRAINTS_new();

		bc->ca = e->ca == X509_IS_CA ? 0xff : 0;
		if (bc->ca && e->path_length >= 0) {
			bc->pathlen = ASN1_INTEGER_new();
			ASN1_INTEGER_set(bc->pathlen, e->path_length);
		}
		add(&stack, NID_basic_constraints, 1, bc);
		BASIC_CONSTRAINTS_free(bc);
	}
	if (e->key_usage != 0)
		add_key_usage(&stack, e->key_usage);
	if (e->num_ekus != 0)
		add_ekus(&stack, e);
	add_key_ids(&stack, e);
	if (e->num_sans != 0)
		add_sans(&stack, e);
	if (e->num_ocsp_urls + e->num_ca_issuers_urls != 0)
		add_info_access(&stack, e);
	if (e->num_crl_urls != 0)
		add_crl_points(&stack, e);
	if (e->has_ocsp_nocheck) {
		ASN1_NULL *null = ASN1_NULL_new();

		add(&stack, NID_id_pkix_OCSP_noCheck, 0, null);
		ASN1_NULL_free(null);
	}
	return stack;
}

/* The AlgorithmIdentifier is not OpenSSL's to choose without signing. */
static void
set_algorithm(X509 *x, enum sign_alg alg)
{
	struct der_bytes identifier = sign_alg_info(alg)->identifier;
	const uint8_t *p = identifier.p;
	X509_ALGOR *algor = d2i_X509_ALGOR(NULL, &p, (long)identifier.len);

	assert_non_null(algor);
	X509_ALGOR_copy((X509_ALGOR *)X509_get0_tbs_sigalg(x), algor);
	X509_ALGOR_free(algor);
}

struct der_bytes
test_openssl_tbs(const struct x509_tbs *tbs)
{
	STACK_OF(X509_EXTENSION) *stack;
	const uint8_t *p = tbs->spki.p;
	EVP_PKEY *key = d2i_PUBKEY(NULL, &p, (long)tbs->spki.len);
	BIGNUM *serial = BN_bin2bn(tbs->serial.p, (int)tbs->serial.len, NULL);
	X509_NAME *issuer = openssl_name(tbs->issuer);
	X509_NAME *subject = openssl_name(tbs->subject);
	X509 *x = X509_new();
	uint8_t *bytes = NULL;
	int i, len;

	X509_set_version(x, X509_VERSION_3);
	BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(x));
	set_algorithm(x, tbs->alg);
	X509_set_issuer_name(x, issuer);
	X509_set_subject_name(x, subject);
	ASN1_TIME_set(X509_getm_notBefore(x), (time_t)tbs->not_before);
	ASN1_TIME_set(X509_getm_notAfter(x), (time_t)tbs->not_after);
	X509_set_pubkey(x, key);
	stack = test_openssl_extensions(&tbs->extensions);
	for (i = 0; i < sk_X509_EXTENSION_num(stack); i++)
		X509_add_ext(x, sk_X509_EXTENSION_value(stack, i), -1);
	len = i2d_re_X509_tbs(x, &bytes);
	sk_X509_EXTENSION_pop_free(stack, X509_EXTENSION_free);
	X509_free(x);
	X509_NAME_free(issuer);
	X509_NAME_free(subject);
	BN_free(serial);
	EVP_PKEY_free(key);
	return test_i2d(len, bytes);
}
