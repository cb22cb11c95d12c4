/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/unit/ocsp_fixture.h"

#include <openssl/x509v3.h>

struct blob
blob_of(struct der_bytes bytes)
{
	struct blob b = { .len = bytes.len };

	assert_true(bytes.len <= sizeof(b.bytes));
	if (bytes.len > 0)
		memcpy(b.bytes, bytes.p, bytes.len);
	return b;
}

struct blob
blob_hex(const char *hex)
{
	struct der_bytes bytes = test_unhex(hex);
	struct blob b = blob_of(bytes);

	test_release(bytes);
	return b;
}

struct blob
blob_join(struct blob a, struct blob b)
{
	assert_true(b.len <= sizeof(a.bytes) - a.len);
	memcpy(a.bytes + a.len, b.bytes, b.len);
	a.len += b.len;
	return a;
}

struct blob
blob_join3(struct blob a, struct blob b, struct blob c)
{
	return blob_join(blob_join(a, b), c);
}

struct blob
blob_wrap(uint8_t tag, struct blob contents)
{
	uint8_t header[4] = { tag };
	size_t len = contents.len;

	if (len < 0x80) {
		header[1] = (uint8_t)len;
		return blob_join(blob_of((struct der_bytes){ header, 2 }),
		    contents);
	}
	if (len < 0x100) {
		header[1] = 0x81;
		header[2] = (uint8_t)len;
		return blob_join(blob_of((struct der_bytes){ header, 3 }),
		    contents);
	}
	header[1] = 0x82;
	header[2] = (uint8_t)(len >> 8);
	header[3] = (uint8_t)len;
	return blob_join(blob_of((struct der_bytes){ header, 4 }), contents);
}

struct der_bytes
blob_bytes(const struct blob *blob)
{
	return (struct der_bytes){ blob->bytes, blob->len };
}

EVP_PKEY *
fixture_key(const char *curve)
{
	EVP_PKEY *key = EVP_EC_gen(curve);

	assert_non_null(key);
	return key;
}

static void
add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509_EXTENSION *extension;
	X509V3_CTX context;

	X509V3_set_ctx(&context, issuer, cert, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	assert_non_null(extension);
	assert_int_equal(X509_add_ext(cert, extension, -1), 1);
	X509_EXTENSION_free(extension);
}

X509 *
fixture_cert(const char *name, EVP_PKEY *key, enum fixture_kind kind,
    X509 *issuer, EVP_PKEY *issuer_key)
{
	X509 *cert = X509_new();
	X509_NAME *subject;

	assert_non_null(cert);
	assert_int_equal(X509_set_version(cert, X509_VERSION_3), 1);
	assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(cert),
	    4711 + (long)kind), 1);
	assert_non_null(X509_gmtime_adj(X509_getm_notBefore(cert), -3600));
	assert_non_null(X509_gmtime_adj(X509_getm_notAfter(cert), 864000));
	subject = X509_get_subject_name(cert);
	assert_int_equal(X509_NAME_add_entry_by_txt(subject, "CN",
	    MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0), 1);
	assert_int_equal(X509_set_issuer_name(cert, issuer == NULL ? subject :
	    X509_get_subject_name(issuer)), 1);
	assert_int_equal(X509_set_pubkey(cert, key), 1);
	switch (kind) {
	case FIXTURE_CA:
		add_extension(cert, cert, NID_basic_constraints,
		    "critical,CA:TRUE");
		add_extension(cert, cert, NID_key_usage,
		    "critical,keyCertSign,cRLSign,digitalSignature");
		break;
	case FIXTURE_DELEGATE:
	case FIXTURE_DELEGATE_CHECKED:
		add_extension(cert, issuer, NID_key_usage,
		    "critical,digitalSignature");
		add_extension(cert, issuer, NID_ext_key_usage, "OCSPSigning");
		if (kind == FIXTURE_DELEGATE)
			add_extension(cert, issuer, NID_id_pkix_OCSP_noCheck,
			    "ignored");
		break;
	case FIXTURE_LEAF:
		add_extension(cert, issuer, NID_ext_key_usage, "serverAuth");
		break;
	}
	if (issuer_key == NULL)
		issuer_key = key;
	assert_true(X509_sign(cert, issuer_key, EVP_sha256()) > 0);
	return cert;
}

struct blob
fixture_cert_der(X509 *cert)
{
	struct blob der;
	unsigned char *p = der.bytes;
	int len = i2d_X509(cert, NULL);

	assert_true(len > 0 && (size_t)len <= sizeof(der.bytes));
	der.len = (size_t)i2d_X509(cert, &p);
	return der;
}

const char *
fixture_hash_name(enum ocsp_hash hash)
{
	static const char *const names[OCSP_HASH_MAX] = {
		"SHA1", "SHA224", "SHA256", "SHA384", "SHA512"
	};

	return names[hash];
}

static void
hash_issuer(X509 *issuer, enum ocsp_hash hash, uint8_t *name_hash,
    uint8_t *key_hash)
{
	const EVP_MD *md = EVP_get_digestbyname(fixture_hash_name(hash));
	const ASN1_BIT_STRING *key = X509_get0_pubkey_bitstr(issuer);

	assert_int_equal(X509_NAME_digest(X509_get_subject_name(issuer), md,
	    name_hash, NULL), 1);
	assert_int_equal(EVP_Digest(ASN1_STRING_get0_data(key),
	    (size_t)ASN1_STRING_length(key), key_hash, NULL, md, NULL), 1);
}

void
fixture_identity(X509 *issuer, struct ocsp_identity *identity)
{
	unsigned char *name = identity->responder_name;
	int hash;

	memset(identity, 0, sizeof(*identity));
	for (hash = 0; hash < OCSP_HASH_MAX; hash++)
		hash_issuer(issuer, (enum ocsp_hash)hash,
		    identity->name_hash[hash], identity->key_hash[hash]);
	memcpy(identity->responder_key_hash,
	    identity->key_hash[OCSP_HASH_SHA1], 20);
	identity->alg = SIGN_ECDSA_SHA256;
	identity->signature_len = 64;
	identity->signer_not_after = INT64_C(4102444800);
	identity->responder_name_len = (uint32_t)i2d_X509_NAME(
	    X509_get_subject_name(issuer), NULL);
	assert_in_range(identity->responder_name_len, 1,
	    sizeof(identity->responder_name));
	(void)i2d_X509_NAME(X509_get_subject_name(issuer), &name);
}

struct blob
fixture_prefix(X509 *issuer, uint8_t encoding)
{
	static const char *const oids[OCSP_HASH_MAX] = {
		"06 05 2b0e03021a", "06 09 608648016503040204",
		"06 09 608648016503040201", "06 09 608648016503040202",
		"06 09 608648016503040203"
	};
	enum ocsp_hash hash = OCSP_ENCODING_HASH(encoding);
	uint8_t name_hash[OCSP_DIGEST_MAX], key_hash[OCSP_DIGEST_MAX];
	struct blob algorithm = blob_hex(oids[hash]);
	size_t len = ocsp_hash_len(hash);

	if (encoding % 2 == 0)
		algorithm = blob_join(algorithm, blob_hex("05 00"));
	hash_issuer(issuer, hash, name_hash, key_hash);
	return blob_join3(blob_wrap(0x30, algorithm), blob_wrap(0x04,
	    blob_of((struct der_bytes){ name_hash, len })), blob_wrap(0x04,
	    blob_of((struct der_bytes){ key_hash, len })));
}

struct blob
fixture_certid(X509 *issuer, uint8_t encoding, const char *serial_hex)
{
	return blob_wrap(0x30, blob_join(fixture_prefix(issuer, encoding),
	    blob_wrap(0x02, blob_hex(serial_hex))));
}

struct blob
fixture_single(X509 *issuer, uint8_t encoding, const char *serial_hex)
{
	return blob_wrap(0x30, fixture_certid(issuer, encoding, serial_hex));
}

struct blob
fixture_request(struct blob singles, struct blob extensions)
{
	struct blob tbs = blob_wrap(0x30, singles);

	if (extensions.len != 0)
		tbs = blob_join(tbs, blob_wrap(0xa2,
		    blob_wrap(0x30, extensions)));
	return blob_wrap(0x30, blob_wrap(0x30, tbs));
}

struct blob
fixture_extension(enum der_oid oid, const char *critical_hex,
    struct blob value)
{
	return blob_wrap(0x30, blob_join3(blob_wrap(0x06,
	    blob_of(der_oid_bytes(oid))), blob_hex(critical_hex),
	    blob_wrap(0x04, value)));
}

struct blob
fixture_nonce(size_t len)
{
	struct blob nonce = { .len = len };

	assert_true(len <= sizeof(nonce.bytes));
	memset(nonce.bytes, 0x5a, len);
	return fixture_extension(DER_OID_OCSP_NONCE, "",
	    blob_wrap(0x04, nonce));
}

struct oc_serial
fixture_serial(const char *hex)
{
	struct blob b = blob_hex(hex);
	struct oc_serial serial;

	assert_int_equal(oc_serial_from_bytes(b.bytes, b.len, &serial), OC_OK);
	return serial;
}
