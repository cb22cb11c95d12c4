/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Contexts: what a template gives is what the ordinary writer and OpenSSL
 * write, for every shape, encoding and algorithm (diff-openssl); and the
 * identity they are made from.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <time.h>

#include <cmocka.h>

#include "base/clock.h"
#include "sign/soft.h"
#include "tests/unit/ocsp_fixture.h"

#include <openssl/ec.h>
#include <openssl/err.h>

/* In check; OCSIGN_TEST_SLOTS=100000 for the long run. */
#define NUM_SLOTS_DEFAULT 5000

static X509 *issuer;
static EVP_PKEY *issuer_key;
static struct ocsp_identity identity;

static int
setup(void **state)
{
	(void)state;
	issuer_key = fixture_key("P-256");
	issuer = fixture_cert("Context CA", issuer_key, FIXTURE_CA, NULL,
	    NULL);
	fixture_identity(issuer, &identity);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	X509_free(issuer);
	EVP_PKEY_free(issuer_key);
	return 0;
}

static void
random_serial(uint64_t *chance, struct oc_serial *serial)
{
	uint8_t bytes[OC_SERIAL_MAX];
	size_t len = 1 + test_random(chance) % OC_SERIAL_MAX;

	do
		test_random_fill(chance, bytes, len);
	while (oc_serial_from_bytes(bytes, len, serial) != OC_OK);
}

/* r and s with leading zeros and high bits now and then. */
static void
random_signature(uint64_t *chance, struct ocsp_slot *slot)
{
	size_t half = slot->signature_len / 2, zeros;

	test_random_fill(chance, slot->signature, slot->signature_len);
	if (test_random(chance) % 4 == 0) {
		zeros = test_random(chance) % half;
		memset(slot->signature, 0, zeros);
	}
	if (test_random(chance) % 4 == 0) {
		zeros = test_random(chance) % half;
		memset(slot->signature + half, 0, zeros);
	}
	slot->signature[half - 1] |= 1;
	slot->signature[slot->signature_len - 1] |= 1;
}

static void
random_slot(uint64_t *chance, struct ocsp_slot *slot)
{
	static const enum crl_reason reasons[] = { 0, 1, 2, 3, 4, 5, 6, 8, 9,
	    10 };

	memset(slot, 0, sizeof(*slot));
	random_serial(chance, &slot->serial);
	slot->encoding = (uint8_t)(test_random(chance) % OCSP_ENCODING_MAX);
	slot->status.kind = (enum ocsp_cert_status)(test_random(chance) % 3);
	if (slot->status.kind == OCSP_REVOKED) {
		slot->status.reason = reasons[test_random(chance) % 10];
		slot->status.revoked_at = (int64_t)(test_random(chance) >> 32);
	}
	slot->this_update = (int64_t)(test_random(chance) >> 32);
	slot->produced_at = (int64_t)(test_random(chance) >> 32);
	slot->next_update = test_random(chance) % 16 == 0 ?
	    OCSP_NO_NEXT_UPDATE : (int64_t)(test_random(chance) >> 32);
	slot->signature_len = identity.signature_len;
	random_signature(chance, slot);
}

static ASN1_GENERALIZEDTIME *
gentime(int64_t at)
{
	ASN1_GENERALIZEDTIME *t = ASN1_GENERALIZEDTIME_set(NULL, (time_t)at);

	assert_non_null(t);
	return t;
}

/* Ecdsa-Sig-Value as OpenSSL writes it. */
static struct blob
openssl_signature(const struct ocsp_slot *slot)
{
	int half = (int)slot->signature_len / 2;
	ECDSA_SIG *sig = ECDSA_SIG_new();
	struct blob der;
	unsigned char *p = der.bytes;

	assert_int_equal(ECDSA_SIG_set0(sig, BN_bin2bn(slot->signature, half,
	    NULL), BN_bin2bn(slot->signature + half, half, NULL)), 1);
	der.len = (size_t)i2d_ECDSA_SIG(sig, &p);
	ECDSA_SIG_free(sig);
	return der;
}

/* What the identity chose to have said of a certificate. */
static void
openssl_extend(OCSP_SINGLERESP *single, const struct ocsp_identity *id,
    const struct ocsp_slot *slot)
{
	char url[OCSP_CRL_URL_MAX + 1];
	ASN1_GENERALIZEDTIME *cutoff;
	X509_EXTENSION *crl;

	if (slot->status.kind == OCSP_REVOKED && id->crl_url_len != 0) {
		memcpy(url, id->crl_url, id->crl_url_len);
		url[id->crl_url_len] = '\0';
		crl = OCSP_crlID_new(url, NULL, NULL);
		assert_non_null(crl);
		assert_int_equal(OCSP_SINGLERESP_add_ext(single, crl, -1), 1);
		X509_EXTENSION_free(crl);
	}
	if (slot->status.kind != OCSP_UNKNOWN && id->archive_s != 0) {
		cutoff = gentime(slot->produced_at - id->archive_s);
		assert_int_equal(OCSP_SINGLERESP_add1_ext_i2d(single,
		    NID_id_pkix_OCSP_archiveCutoff, cutoff, 0, 0), 1);
		ASN1_GENERALIZEDTIME_free(cutoff);
	}
}

/*
 * The response that OpenSSL makes of the slot's fields.  It signs with its
 * own key; signature and producedAt are then set to ours.
 */
static struct blob
openssl_response(const struct ocsp_identity *who,
    const struct ocsp_slot *slot)
{
	OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
	struct blob prefix = fixture_prefix(issuer, slot->encoding), der;
	struct blob certid = blob_wrap(0x30, blob_join(prefix, blob_wrap(0x02,
	    blob_of((struct der_bytes){ slot->serial.bytes,
	    slot->serial.len }))));
	struct blob signature = openssl_signature(slot);
	const unsigned char *p = certid.bytes;
	unsigned char *q = der.bytes;
	OCSP_CERTID *id = d2i_OCSP_CERTID(NULL, &p, (long)certid.len);
	ASN1_GENERALIZEDTIME *revoked = slot->status.kind == OCSP_REVOKED ?
	    gentime(slot->status.revoked_at) : NULL;
	ASN1_GENERALIZEDTIME *this = gentime(slot->this_update);
	ASN1_GENERALIZEDTIME *next = slot->next_update ==
	    OCSP_NO_NEXT_UPDATE ? NULL : gentime(slot->next_update);
	OCSP_RESPONSE *response;
	OCSP_SINGLERESP *single;

	assert_non_null(id);
	single = OCSP_basic_add1_status(basic, id,
	    (int)slot->status.kind, slot->status.reason == 0 ? -1 :
	    (int)slot->status.reason, revoked, this, next);
	assert_non_null(single);
	openssl_extend(single, who, slot);
	assert_non_null(ASN1_GENERALIZEDTIME_set((ASN1_GENERALIZEDTIME *)
	    (uintptr_t)OCSP_resp_get0_produced_at(basic),
	    (time_t)slot->produced_at));
	assert_int_equal(OCSP_basic_sign(basic, issuer, issuer_key,
	    EVP_sha256(), NULL, OCSP_NOCERTS | OCSP_NOTIME |
	    (who->is_by_name ? 0 : OCSP_RESPID_KEY)), 1);
	assert_int_equal(ASN1_STRING_set((ASN1_OCTET_STRING *)(uintptr_t)
	    OCSP_resp_get0_signature(basic), signature.bytes,
	    (int)signature.len), 1);
	response = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL,
	    basic);
	der.len = (size_t)i2d_OCSP_RESPONSE(response, &q);
	OCSP_RESPONSE_free(response);
	OCSP_BASICRESP_free(basic);
	OCSP_CERTID_free(id);
	ASN1_GENERALIZEDTIME_free(revoked);
	ASN1_GENERALIZEDTIME_free(this);
	ASN1_GENERALIZEDTIME_free(next);
	return der;
}

static size_t
num_slots(void)
{
	const char *text = getenv("OCSIGN_TEST_SLOTS");

	return text == NULL ? NUM_SLOTS_DEFAULT : strtoul(text, NULL, 10);
}

static void
compare_with_openssl(const struct ocsp_identity *who, size_t num)
{
	struct ocsp_context *context;
	uint64_t chance = UINT64_C(0x0c5b);
	struct ocsp_slot slot;
	uint8_t out[OCSP_RESPONSE_MAX];
	size_t i, len;

	assert_int_equal(ocsp_context_new(who, &context), OC_OK);
	for (i = 0; i < num; i++) {
		struct blob theirs;

		random_slot(&chance, &slot);
		/* No cutoff is before 1970. */
		if (slot.produced_at < who->archive_s)
			slot.produced_at += who->archive_s;
		theirs = openssl_response(who, &slot);
		assert_int_equal(ocsp_context_build(context, &slot, out,
		    sizeof(out), &len), OC_OK);
		if (len != theirs.len || memcmp(out, theirs.bytes, len) != 0)
			fail_msg("slot %zu differs", i);
		/* Exactly as much room as it needs, and one octet less. */
		assert_int_equal(ocsp_context_build(context, &slot, out,
		    theirs.len, &len), OC_OK);
		assert_int_equal(ocsp_context_build(context, &slot, out,
		    theirs.len - 1, &len), OC_ERR_NO_SPACE);
	}
	ocsp_context_free(context);
}

/* diff-openssl, ecdsa-der */
static void
random_slots_against_openssl(void **state)
{
	(void)state;
	compare_with_openssl(&identity, num_slots());
}

/* responderID byName, archive cutoff, CRL references; and a slot is no other
 * for any of them. */
static void
choices_against_openssl(void **state)
{
	static const char url[] = "http://crl.example/ca.crl";
	char long_url[OCSP_CRL_URL_MAX + 1];
	struct ocsp_identity who = identity;
	unsigned int i;

	(void)state;
	memset(long_url, 'a', sizeof(long_url));
	long_url[OCSP_CRL_URL_MAX] = '\0';
	for (i = 0; i < 8; i++) {
		struct ocsp_choices choices = {
			.is_by_name = (i & 1) != 0,
			.archive_s = (i & 2) != 0 ? 1000 + i * 100000000 : 0,
			.crl_url = (i & 4) == 0 ? NULL : i == 7 ? long_url :
			    url,
		};

		assert_int_equal(ocsp_identity_choose(&who, &choices, NULL),
		    OC_OK);
		assert_int_equal(ocsp_identity_equal(&who, &identity),
		    i == 0);
		compare_with_openssl(&who, num_slots() / 8);
	}
}

/* Another name of the same key matters to who is known by it only. */
static void
choices_that_differ(void **state)
{
	struct ocsp_identity a = identity, b = identity;

	(void)state;
	b.responder_name[b.responder_name_len - 1] ^= 1;
	assert_true(ocsp_identity_has_choices(&a, &b));
	a.is_by_name = b.is_by_name = 1;
	assert_false(ocsp_identity_has_choices(&a, &b));
	b = a;
	assert_true(ocsp_identity_has_choices(&a, &b));
	b.archive_s = 1;
	assert_false(ocsp_identity_has_choices(&a, &b));
	b = a;
	a.crl_url_len = b.crl_url_len = 5;
	assert_true(ocsp_identity_has_choices(&a, &b));
	b.crl_url[4] = 'x';
	assert_false(ocsp_identity_has_choices(&a, &b));
}

static void
choices_that_do_not_fit(void **state)
{
	char long_url[OCSP_CRL_URL_MAX + 2];
	struct ocsp_identity who = identity;
	struct oc_error error = { 0 };

	(void)state;
	memset(long_url, 'a', sizeof(long_url));
	long_url[OCSP_CRL_URL_MAX + 1] = '\0';
	assert_int_equal(ocsp_identity_choose(&who, &(struct ocsp_choices){
	    .crl_url = long_url }, &error), OC_ERR_LIMIT);
	assert_non_null(strstr(error.text, "crl-url has 257"));
	who.responder_name_len = 0;
	assert_int_equal(ocsp_identity_choose(&who, &(struct ocsp_choices){
	    .is_by_name = true }, &error), OC_ERR_LIMIT);
	assert_non_null(strstr(error.text, "responder-id = key"));
}

/* The ordinary writer, from parts. */
static struct blob
written(const struct ocsp_context *context, const struct ocsp_identity *id,
    const struct ocsp_slot *slot, struct der_bytes signature)
{
	struct blob data, whole;
	struct ocsp_response response = { .alg = id->alg,
	    .signature = signature, .certs = { id->certs, id->certs_len } };

	assert_int_equal(ocsp_context_data(context, slot, data.bytes,
	    sizeof(data.bytes), &data.len), OC_OK);
	response.data = blob_bytes(&data);
	assert_int_equal(der_write(ocsp_put_response, &response, whole.bytes,
	    sizeof(whole.bytes), &whole.len), OC_OK);
	return whole;
}

/* A chain root <- signer whose last key is in the soft signer. */
struct chain {
	struct signer *signer;
	EVP_PKEY *root_key, *key;
	X509 *root, *cert;
	enum fixture_kind kind;
	struct ocsp_identity identity;
	struct ocsp_context *context;
};

static void
make_identity(struct chain *c)
{
	struct blob root_der = fixture_cert_der(c->root);
	struct blob cert_der = fixture_cert_der(c->cert);

	if (c->kind == FIXTURE_CA)
		assert_int_equal(ocsp_identity_make(blob_bytes(&cert_der),
		    (struct der_bytes){ NULL, 0 }, SIGN_ALG_NONE,
		    &c->identity, NULL), OC_OK);
	else
		assert_int_equal(ocsp_identity_make(blob_bytes(&root_der),
		    blob_bytes(&cert_der), SIGN_ALG_NONE, &c->identity, NULL),
		    OC_OK);
	assert_int_equal(c->identity.certs_len, c->kind == FIXTURE_CA ? 0 :
	    cert_der.len);
}

static void
make_chain(struct chain *c, enum sign_key_type type, unsigned int bits)
{
	struct sign_key_info info;
	const unsigned char *p = info.spki;

	assert_int_equal(sign_soft_new(&c->signer), OC_OK);
	assert_int_equal(sign_soft_generate(c->signer, "ocsp/x", type, bits),
	    OC_OK);
	assert_int_equal(sign_find_key(c->signer, "ocsp/x",
	    oc_clock_mono_ns() + 10 * OC_NS_PER_S, &info, NULL), OC_OK);
	c->key = d2i_PUBKEY(NULL, &p, (long)info.spki_len);
	assert_non_null(c->key);
	c->root_key = fixture_key("P-256");
	c->root = fixture_cert("Root", c->root_key, FIXTURE_CA, NULL, NULL);
	c->cert = fixture_cert("Signer", c->key, c->kind, c->root,
	    c->root_key);
	make_identity(c);
	assert_int_equal(ocsp_context_new(&c->identity, &c->context), OC_OK);
}

static void
free_chain(struct chain *c)
{
	ocsp_context_free(c->context);
	X509_free(c->cert);
	X509_free(c->root);
	EVP_PKEY_free(c->key);
	EVP_PKEY_free(c->root_key);
	sign_free(c->signer);
}

/* As a client does it, all of it. */
static int
openssl_verifies(const struct chain *c, const uint8_t *der, size_t len)
{
	X509_STORE *store = X509_STORE_new();
	STACK_OF(X509) *more = sk_X509_new_null();
	OCSP_RESPONSE *response = d2i_OCSP_RESPONSE(NULL, &der, (long)len);
	OCSP_BASICRESP *basic;
	int rc;

	assert_non_null(response);
	basic = OCSP_response_get1_basic(response);
	assert_int_equal(X509_STORE_add_cert(store, c->root), 1);
	if (c->kind == FIXTURE_CA)
		assert_true(sk_X509_push(more, c->cert) > 0);
	rc = OCSP_basic_verify(basic, more, store, 0);
	/* certs-minimal */
	assert_int_equal(sk_X509_num(OCSP_resp_get0_certs(basic)),
	    c->kind == FIXTURE_CA ? -1 : 1);
	OCSP_BASICRESP_free(basic);
	OCSP_RESPONSE_free(response);
	sk_X509_free(more);
	X509_STORE_free(store);
	ERR_clear_error();
	return rc;
}

static void
check_one(const struct chain *c, struct ocsp_slot *slot)
{
	struct sign_job job = { .key = "ocsp/x", .kind = SIGN_KIND_OCSP };
	uint8_t data[1024], out[OCSP_RESPONSE_MAX];
	struct der_bytes signature;
	struct blob whole;
	size_t len;

	slot->signature_len = 0;
	assert_int_equal(ocsp_context_build(c->context, slot, out,
	    sizeof(out), &len), OC_ERR_MALFORMED);
	assert_int_equal(ocsp_context_data(c->context, slot, data,
	    sizeof(data), &len), OC_OK);
	job.tbs = (struct der_bytes){ data, len };
	job.deadline_ns = oc_clock_mono_ns() + 10 * OC_NS_PER_S;
	assert_int_equal(sign_now(c->signer, &job, NULL), OC_OK);
	assert_int_equal(job.signed_alg, c->identity.alg);
	signature = (struct der_bytes){ job.signature, job.signature_len };
	assert_int_equal(ocsp_slot_take_signature(slot, &c->identity,
	    signature), OC_OK);
	assert_int_equal(ocsp_context_build(c->context, slot, out,
	    sizeof(out), &len), OC_OK);
	whole = written(c->context, &c->identity, slot, signature);
	assert_int_equal(len, whole.len);
	assert_memory_equal(out, whole.bytes, len);
	assert_int_equal(openssl_verifies(c, out, len), 1);
	/* One digit of producedAt, which is behind the responderID. */
	{
		uint8_t *found = memmem(out, len, "\x18\x0f", 2);

		assert_non_null(found);
		found[16 - 1] ^= 1;
		assert_true(openssl_verifies(c, out, len) <= 0);
	}

	/* Somebody else's signature is none of this key's. */
	assert_int_equal(ocsp_slot_take_signature(slot, &c->identity,
	    DER_LITERAL("\x30\x03\x02\x01\x01")), OC_ERR_MALFORMED);
	signature.len--;
	assert_int_equal(ocsp_slot_take_signature(slot, &c->identity,
	    signature), OC_ERR_MALFORMED);
}

/* Every algorithm, with and without a certificate: what the template gives
 * verifies, and is what the writer writes. */
static void
check_alg(enum sign_key_type type, unsigned int bits, enum fixture_kind kind,
    uint32_t signature_len)
{
	struct chain c = { .kind = kind };
	struct ocsp_slot slot;
	uint64_t chance = 1;
	int i;

	make_chain(&c, type, bits);
	assert_int_equal(c.identity.signature_len, signature_len);
	for (i = 0; i < 12; i++) {
		random_slot(&chance, &slot);
		check_one(&c, &slot);
		assert_int_equal(slot.signature_len, signature_len);
	}
	free_chain(&c);
}

static void
algorithms(void **state)
{
	(void)state;
	check_alg(SIGN_KEY_P256, 0, FIXTURE_CA, 64);
	check_alg(SIGN_KEY_P384, 0, FIXTURE_CA, 96);
	check_alg(SIGN_KEY_P521, 0, FIXTURE_DELEGATE, 132);
	check_alg(SIGN_KEY_ED25519, 0, FIXTURE_CA, 64);
	check_alg(SIGN_KEY_RSA, 2048, FIXTURE_DELEGATE, 256);
	check_alg(SIGN_KEY_RSA, 3072, FIXTURE_CA, 384);
}

static void
slots_without_signature(void **state)
{
	struct ocsp_context *context;
	struct ocsp_slot slot;
	uint64_t chance = 4;
	uint8_t out[1024];
	size_t len;

	(void)state;
	assert_int_equal(ocsp_context_new(&identity, &context), OC_OK);
	random_slot(&chance, &slot);
	memset(slot.signature, 0, 32);
	assert_int_equal(ocsp_context_build(context, &slot, out, sizeof(out),
	    &len), OC_ERR_MALFORMED);
	random_slot(&chance, &slot);
	memset(slot.signature + 32, 0, 32);
	assert_int_equal(ocsp_context_build(context, &slot, out, sizeof(out),
	    &len), OC_ERR_MALFORMED);
	random_slot(&chance, &slot);
	slot.signature_len = 96;
	assert_int_equal(ocsp_context_build(context, &slot, out, sizeof(out),
	    &len), OC_ERR_MALFORMED);
	ocsp_context_free(context);
	ocsp_context_free(NULL);
}

/* Ours against OpenSSL's hashes, and the CertID it makes. */
static void
identity_of_a_ca(void **state)
{
	struct blob der = fixture_cert_der(issuer);
	struct ocsp_identity made;
	struct ocsp_certid certid;
	uint8_t encoding;

	(void)state;
	assert_int_equal(ocsp_identity_make(blob_bytes(&der),
	    (struct der_bytes){ NULL, 0 }, SIGN_ALG_NONE, &made, NULL),
	    OC_OK);
	assert_true(made.signer_not_after > oc_clock_now_s());
	identity.signer_not_after = made.signer_not_after;
	assert_true(ocsp_identity_equal(&made, &identity));
	for (encoding = 0; encoding < OCSP_ENCODING_MAX; encoding++) {
		struct blob id = fixture_certid(issuer, encoding, "01");
		struct der_reader r = der_reader_of(blob_bytes(&id));

		assert_true(ocsp_get_certid(&r, &certid));
		assert_true(ocsp_identity_matches(&made, &certid));
		certid.encoding = OCSP_ENCODING_UNKNOWN;
		assert_false(ocsp_identity_matches(&made, &certid));
	}
}

static void
identities_that_differ(void **state)
{
	struct ocsp_identity other = identity;
	size_t offsets[] = {
		offsetof(struct ocsp_identity, name_hash) + 70,
		offsetof(struct ocsp_identity, key_hash) + 5,
		offsetof(struct ocsp_identity, responder_key_hash) + 19,
		offsetof(struct ocsp_identity, alg),
		offsetof(struct ocsp_identity, signature_len),
		offsetof(struct ocsp_identity, signer_not_after),
		offsetof(struct ocsp_identity, certs_len),
		offsetof(struct ocsp_identity, responder_name) + 3,
		offsetof(struct ocsp_identity, responder_name_len),
		offsetof(struct ocsp_identity, is_by_name),
		offsetof(struct ocsp_identity, archive_s),
		offsetof(struct ocsp_identity, crl_url_len),
	}, i;

	(void)state;
	for (i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
		other = identity;
		((uint8_t *)&other)[offsets[i]] ^= 1;
		assert_false(ocsp_identity_equal(&other, &identity));
	}
	other = identity;
	other.certs_len = 3;
	identity.certs_len = 3;
	other.certs[2] = 1;
	assert_false(ocsp_identity_equal(&other, &identity));
	identity.certs_len = 0;
}

static void
expect_no_identity(X509 *ca, X509 *signer, enum sign_alg alg, enum oc_err err,
    const char *text)
{
	struct blob ca_der = fixture_cert_der(ca), der = { .len = 0 };
	struct ocsp_identity made;
	struct oc_error error = { 0 };

	if (signer != NULL)
		der = fixture_cert_der(signer);
	assert_int_equal(ocsp_identity_make(blob_bytes(&ca_der),
	    blob_bytes(&der), alg, &made, &error), err);
	assert_int_equal(error.code, err);
	if (strstr(error.text, text) == NULL)
		fail_msg("\"%s\" lacks \"%s\"", error.text, text);
}

/* One that may, but for this extension. */
static X509 *
changed_signer(EVP_PKEY *key, int nid, const char *value)
{
	X509 *cert = fixture_cert("S", key, FIXTURE_DELEGATE, issuer,
	    issuer_key);
	X509_EXTENSION *e;
	int at = X509_get_ext_by_NID(cert, nid, -1);

	if (at >= 0)
		X509_EXTENSION_free(X509_delete_ext(cert, at));
	e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
	assert_non_null(e);
	assert_int_equal(X509_add_ext(cert, e, -1), 1);
	X509_EXTENSION_free(e);
	assert_true(X509_sign(cert, issuer_key, EVP_sha256()) > 0);
	return cert;
}

/* signer-bad: no EKU, no nocheck, no digitalSignature, a CA, another
 * issuer's, no certificate. */
static void
signers_that_may_not(void **state)
{
	EVP_PKEY *key = fixture_key("P-256"), *other_key =
	    fixture_key("P-384");
	X509 *other, *signer;
	struct blob der = fixture_cert_der(issuer), junk = blob_hex("3000");
	struct ocsp_identity made;
	struct oc_error error = { 0 };

	(void)state;
	signer = fixture_cert("S", key, FIXTURE_LEAF, issuer, issuer_key);
	expect_no_identity(issuer, signer, SIGN_ALG_NONE, OC_ERR_MISMATCH,
	    "OCSPSigning");
	X509_free(signer);
	signer = fixture_cert("S", key, FIXTURE_DELEGATE_CHECKED, issuer,
	    issuer_key);
	expect_no_identity(issuer, signer, SIGN_ALG_NONE, OC_ERR_MISMATCH,
	    "nocheck");
	X509_free(signer);
	signer = changed_signer(key, NID_key_usage, "critical,"
	    "keyEncipherment");
	expect_no_identity(issuer, signer, SIGN_ALG_NONE, OC_ERR_MISMATCH,
	    "digitalSignature");
	X509_free(signer);
	signer = changed_signer(key, NID_basic_constraints,
	    "critical,CA:TRUE");
	expect_no_identity(issuer, signer, SIGN_ALG_NONE, OC_ERR_MISMATCH,
	    "is a CA's");
	X509_free(signer);
	/* Same name, another key. */
	other = fixture_cert("Context CA", other_key, FIXTURE_CA, NULL, NULL);
	signer = fixture_cert("S", key, FIXTURE_DELEGATE, other, other_key);
	expect_no_identity(issuer, signer, SIGN_ALG_NONE, OC_ERR_MISMATCH,
	    "not the issuer's");
	expect_no_identity(other, signer, SIGN_RSA_SHA256, OC_ERR_MISMATCH,
	    "cannot sign");
	expect_no_identity(issuer, NULL, SIGN_ED25519, OC_ERR_MISMATCH,
	    "ed25519");
	assert_int_equal(ocsp_identity_make(blob_bytes(&der),
	    blob_bytes(&junk), SIGN_ALG_NONE, &made, &error),
	    OC_ERR_MALFORMED);
	assert_int_equal(ocsp_identity_make(blob_bytes(&junk),
	    (struct der_bytes){ NULL, 0 }, SIGN_ALG_NONE, &made, &error),
	    OC_ERR_MALFORMED);
	X509_free(signer);
	X509_free(other);
	EVP_PKEY_free(other_key);
	EVP_PKEY_free(key);
	ERR_clear_error();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(identity_of_a_ca),
		cmocka_unit_test(identities_that_differ),
		cmocka_unit_test(signers_that_may_not),
		cmocka_unit_test(random_slots_against_openssl),
		cmocka_unit_test(choices_against_openssl),
		cmocka_unit_test(choices_that_differ),
		cmocka_unit_test(choices_that_do_not_fit),
		cmocka_unit_test(algorithms),
		cmocka_unit_test(slots_without_signature),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
