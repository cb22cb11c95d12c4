/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ocsp-response-build: a whole OCSPResponse around a signature that was made
 * before.  OpenSSL's key has a method that gives that signature back, so that
 * neither side does any cryptography; both give the same octets.
 */
#include "ocsp/answer.h"
#include "tests/bench/bench.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/ocsp.h>
#include <openssl/x509.h>

#define HOUR 3600

static uint8_t raw_signature[64];

struct bench {
	struct ocsp_context *context;
	struct ocsp_slot slot;
	uint8_t out[2048];
	size_t len;

	X509 *issuer;
	EVP_PKEY *key;
	OCSP_CERTID *certid;
	ASN1_GENERALIZEDTIME *this_update, *next_update;
	unsigned char *peer_out;
	int peer_len;
};

/* What ECDSA_do_sign_ex() would return; the digest is not looked at. */
static ECDSA_SIG *
canned_sig(const unsigned char *digest, int digest_len, const BIGNUM *kinv,
    const BIGNUM *r, EC_KEY *key)
{
	ECDSA_SIG *sig = ECDSA_SIG_new();

	(void)digest;
	(void)digest_len;
	(void)kinv;
	(void)r;
	(void)key;
	bench_must(sig != NULL && ECDSA_SIG_set0(sig,
	    BN_bin2bn(raw_signature, 32, NULL),
	    BN_bin2bn(raw_signature + 32, 32, NULL)) == 1);
	return sig;
}

static int
canned_sign(int type, const unsigned char *digest, int digest_len,
    unsigned char *out, unsigned int *out_len, const BIGNUM *kinv,
    const BIGNUM *r, EC_KEY *key)
{
	ECDSA_SIG *sig = canned_sig(digest, digest_len, kinv, r, key);

	(void)type;
	*out_len = (unsigned int)i2d_ECDSA_SIG(sig, &out);
	ECDSA_SIG_free(sig);
	return 1;
}

static EVP_PKEY *
canned_key(void)
{
	EC_KEY_METHOD *method = EC_KEY_METHOD_new(EC_KEY_OpenSSL());
	EC_KEY *ec = EC_KEY_new_by_curve_name(NID_X9_62_prime256v1);
	EVP_PKEY *key = EVP_PKEY_new();

	bench_must(method != NULL && ec != NULL && key != NULL);
	bench_must(EC_KEY_generate_key(ec) == 1);
	EC_KEY_METHOD_set_sign(method, canned_sign, NULL, canned_sig);
	bench_must(EC_KEY_set_method(ec, method) == 1);
	bench_must(EVP_PKEY_assign_EC_KEY(key, ec) == 1);
	return key;
}

static X509 *
issuer_cert(EVP_PKEY *key)
{
	X509 *cert = X509_new();
	X509_NAME *name = X509_get_subject_name(cert);

	bench_must(X509_NAME_add_entry_by_txt(name, "O", MBSTRING_ASC,
	    (const unsigned char *)"Example", -1, -1, 0) == 1);
	bench_must(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
	    (const unsigned char *)"Example CA 1", -1, -1, 0) == 1);
	bench_must(X509_set_pubkey(cert, key) == 1);
	return cert;
}

static void
ours(void *arg)
{
	struct bench *b = arg;

	bench_must(ocsp_context_build(b->context, &b->slot, b->out,
	    sizeof(b->out), &b->len) == OC_OK);
}

static void
build_peer(struct bench *b)
{
	OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
	OCSP_RESPONSE *response;

	bench_must(OCSP_basic_add1_status(basic, b->certid,
	    V_OCSP_CERTSTATUS_GOOD, 0, NULL, b->this_update,
	    b->next_update) != NULL);
	bench_must(OCSP_basic_sign(basic, b->issuer, b->key, EVP_sha256(),
	    NULL, OCSP_NOCERTS | OCSP_RESPID_KEY) == 1);
	response = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL,
	    basic);
	b->peer_out = NULL;
	b->peer_len = i2d_OCSP_RESPONSE(response, &b->peer_out);
	bench_must(b->peer_len > 0);
	OCSP_RESPONSE_free(response);
	OCSP_BASICRESP_free(basic);
}

static void
peer(void *arg)
{
	struct bench *b = arg;

	build_peer(b);
	OPENSSL_free(b->peer_out);
}

static void
hash_issuer(X509 *issuer, struct ocsp_identity *identity)
{
	const ASN1_BIT_STRING *key = X509_get0_pubkey_bitstr(issuer);

	bench_must(X509_NAME_digest(X509_get_subject_name(issuer), EVP_sha1(),
	    identity->name_hash[OCSP_HASH_SHA1], NULL) == 1);
	bench_must(EVP_Digest(ASN1_STRING_get0_data(key),
	    (size_t)ASN1_STRING_length(key),
	    identity->key_hash[OCSP_HASH_SHA1], NULL, EVP_sha1(), NULL) == 1);
	memcpy(identity->responder_key_hash,
	    identity->key_hash[OCSP_HASH_SHA1], 20);
	identity->alg = SIGN_ECDSA_SHA256;
	identity->signature_len = 64;
}

/* OpenSSL stamps producedAt itself: ours takes it from there. */
static void
check_same(struct bench *b)
{
	struct ocsp_response_view view;

	build_peer(b);
	bench_must(ocsp_response_read((struct der_bytes){ b->peer_out,
	    (size_t)b->peer_len }, &view, NULL) == OC_OK);
	b->slot.produced_at = view.produced_at;
	ours(b);
	bench_must(b->len == (size_t)b->peer_len &&
	    memcmp(b->out, b->peer_out, b->len) == 0);
	OPENSSL_free(b->peer_out);
}

static void
make_slot(struct bench *b, int64_t now)
{
	static const uint8_t serial[16] = { 0x5a, 1, 2, 3, 4, 5, 6, 7, 8, 9 };
	ASN1_INTEGER *number = ASN1_INTEGER_new();
	size_t i;

	for (i = 0; i < sizeof(raw_signature); i++)
		raw_signature[i] = (uint8_t)(0xa3 + 29 * i);
	bench_must(oc_serial_from_bytes(serial, sizeof(serial),
	    &b->slot.serial) == OC_OK);
	b->slot.encoding = OCSP_ENCODING_USUAL;
	b->slot.status.kind = OCSP_GOOD;
	b->slot.this_update = now - HOUR;
	b->slot.next_update = now + 96 * HOUR;
	memcpy(b->slot.signature, raw_signature, sizeof(raw_signature));
	b->slot.signature_len = sizeof(raw_signature);

	bench_must(ASN1_STRING_set(number, serial, sizeof(serial)) == 1);
	b->certid = OCSP_cert_id_new(EVP_sha1(),
	    X509_get_subject_name(b->issuer),
	    X509_get0_pubkey_bitstr(b->issuer), number);
	b->this_update = ASN1_GENERALIZEDTIME_set(NULL, now - HOUR);
	b->next_update = ASN1_GENERALIZEDTIME_set(NULL, now + 96 * HOUR);
	bench_must(b->certid != NULL && b->this_update != NULL &&
	    b->next_update != NULL);
	ASN1_INTEGER_free(number);
}

void
bench_ocsp_response(void)
{
	static struct ocsp_identity identity;
	static struct bench b;

	b.key = canned_key();
	b.issuer = issuer_cert(b.key);
	hash_issuer(b.issuer, &identity);
	bench_must(ocsp_context_new(&identity, &b.context) == OC_OK);
	make_slot(&b, INT64_C(1790000000));
	check_same(&b);
	bench_compare("ocsp-response-build", ours, peer, &b);
	ocsp_context_free(b.context);
	OCSP_CERTID_free(b.certid);
	ASN1_GENERALIZEDTIME_free(b.this_update);
	ASN1_GENERALIZEDTIME_free(b.next_update);
	X509_free(b.issuer);
	EVP_PKEY_free(b.key);
}
