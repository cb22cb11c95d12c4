/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OCSPRequest and CertID, both ways against OpenSSL, and what strangers
 * send.  Names like der-trunc are those of our list of cases.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/unit/ocsp_fixture.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#define SERIAL "5a0102030405060708090a0b0c0d0e0f"

static X509 *issuer;
static EVP_PKEY *issuer_key;

static int
setup(void **state)
{
	(void)state;
	issuer_key = fixture_key("P-256");
	issuer = fixture_cert("Request CA", issuer_key, FIXTURE_CA, NULL,
	    NULL);
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

/* Reads from a block of exactly its size, so that ASan sees overreads. */
static enum oc_err
read_exact(const struct blob *der, struct ocsp_request *request)
{
	uint8_t *exact = malloc(der->len == 0 ? 1 : der->len);
	enum oc_err err;

	assert_non_null(exact);
	memcpy(exact, der->bytes, der->len);
	err = ocsp_request_read((struct der_bytes){ exact, der->len },
	    request);
	free(exact);
	return err;
}

static void
expect(struct blob der, enum oc_err expected)
{
	struct ocsp_request request;

	assert_int_equal(read_exact(&der, &request), expected);
}

static struct blob
none(void)
{
	return (struct blob){ .len = 0 };
}

static struct blob
one(void)
{
	return fixture_single(issuer, OCSP_ENCODING_USUAL, SERIAL);
}

static OCSP_CERTID *
openssl_certid(enum ocsp_hash hash, const char *serial_hex)
{
	struct blob serial = blob_hex(serial_hex);
	BIGNUM *number = BN_bin2bn(serial.bytes, (int)serial.len, NULL);
	ASN1_INTEGER *integer = BN_to_ASN1_INTEGER(number, NULL);
	OCSP_CERTID *id;

	assert_non_null(integer);
	id = OCSP_cert_id_new(EVP_get_digestbyname(fixture_hash_name(hash)),
	    X509_get_subject_name(issuer), X509_get0_pubkey_bitstr(issuer),
	    integer);
	assert_non_null(id);
	ASN1_INTEGER_free(integer);
	BN_free(number);
	return id;
}

struct certid_plan {
	uint8_t encoding;
	struct der_bytes name_hash, key_hash, serial;
};

static void
put_certid(struct der_writer *w, const void *arg)
{
	const struct certid_plan *plan = arg;

	der_begin(w, DER_SEQUENCE);
	ocsp_put_certid_prefix(w, plan->encoding, plan->name_hash,
	    plan->key_hash);
	der_put_integer(w, plan->serial);
	der_end(w);
}

/* sha1-null, sha1-absent, sha256, sha384, sha512: each read, and written
 * byte for byte as it came. */
static void
certids_of_every_encoding(void **state)
{
	struct ocsp_identity identity;
	struct ocsp_certid certid;
	struct certid_plan plan;
	uint8_t encoding, out[256];
	size_t len;

	(void)state;
	fixture_identity(issuer, &identity);
	for (encoding = 0; encoding < OCSP_ENCODING_MAX; encoding++) {
		struct blob der = fixture_certid(issuer, encoding, SERIAL);
		struct der_reader r = der_reader_of(blob_bytes(&der));
		enum ocsp_hash hash = OCSP_ENCODING_HASH(encoding);
		const unsigned char *p = der.bytes;
		OCSP_CERTID *id = d2i_OCSP_CERTID(NULL, &p, (long)der.len);
		OCSP_CERTID *theirs = openssl_certid(hash, SERIAL);

		assert_non_null(id);
		if (encoding % 2 == 0)
			assert_int_equal(OCSP_id_cmp(id, theirs), 0);
		assert_true(ocsp_get_certid(&r, &certid));
		assert_true(der_is_done(&r));
		assert_int_equal(certid.encoding, encoding);
		assert_int_equal(certid.tlv.len, der.len);
		assert_memory_equal(certid.name_hash.p,
		    identity.name_hash[hash], certid.name_hash.len);

		plan = (struct certid_plan){ encoding, certid.name_hash,
		    certid.key_hash, certid.serial };
		assert_int_equal(der_write(put_certid, &plan, out,
		    sizeof(out), &len), OC_OK);
		assert_int_equal(len, der.len);
		assert_memory_equal(out, der.bytes, len);
		if (encoding % 2 == 0) {
			unsigned char *theirs_der = NULL;
			int theirs_len = i2d_OCSP_CERTID(theirs, &theirs_der);

			assert_int_equal(theirs_len, len);
			assert_memory_equal(theirs_der, out, len);
			OPENSSL_free(theirs_der);
		}
		OCSP_CERTID_free(theirs);
		OCSP_CERTID_free(id);
	}
}

/* Ours through OpenSSL and back, with and without a nonce. */
static void
ours_is_read_by_openssl(void **state)
{
	struct blob ids[3], nonce = { .len = 32 };
	struct der_bytes certids[3];
	struct ocsp_request_plan plan;
	uint8_t out[2048];
	uint32_t i;

	(void)state;
	for (i = 0; i < 3; i++) {
		ids[i] = fixture_certid(issuer, (uint8_t)(i * 4),
		    i == 0 ? "01" : SERIAL);
		certids[i] = blob_bytes(&ids[i]);
	}
	for (i = 0; i < 6; i++) {
		struct ocsp_request request;
		unsigned char *back = NULL;
		const unsigned char *p = out;
		OCSP_REQUEST *theirs;
		size_t len;

		plan = (struct ocsp_request_plan){ certids, 1 + i % 3, {
		    nonce.bytes, i < 3 ? 0 : nonce.len } };
		assert_int_equal(der_write(ocsp_put_request, &plan, out,
		    sizeof(out), &len), OC_OK);
		theirs = d2i_OCSP_REQUEST(NULL, &p, (long)len);
		assert_non_null(theirs);
		assert_ptr_equal(p, out + len);
		assert_int_equal(OCSP_request_onereq_count(theirs), 1 + i % 3);
		assert_int_equal(i2d_OCSP_REQUEST(theirs, &back), len);
		assert_memory_equal(back, out, len);
		OPENSSL_free(back);
		OCSP_REQUEST_free(theirs);

		assert_int_equal(ocsp_request_read((struct der_bytes){ out,
		    len }, &request), OC_OK);
		assert_int_equal(request.num_singles, 1 + i % 3);
		assert_int_equal(request.nonce.len, i < 3 ? 0 : 32);
	}
}

static struct blob
openssl_request_der(OCSP_REQUEST *request)
{
	struct blob der;
	unsigned char *p = der.bytes;
	int len = i2d_OCSP_REQUEST(request, NULL);

	assert_true(len > 0 && (size_t)len <= sizeof(der.bytes));
	der.len = (size_t)i2d_OCSP_REQUEST(request, &p);
	OCSP_REQUEST_free(request);
	return der;
}

/* OpenSSL's through our reader, then our writer: the same octets. */
static void
openssls_is_read_and_written_again(void **state)
{
	static const int nonce_lens[] = { -1, 16, 32 };
	size_t i, n, len;

	(void)state;
	for (i = 0; i < 3; i++) {
		for (n = 1; n <= 4; n++) {
			OCSP_REQUEST *theirs = OCSP_REQUEST_new();
			struct der_bytes certids[4], rest;
			struct ocsp_certid certid;
			struct ocsp_request request;
			struct ocsp_request_plan plan = { certids, 0, { 0 } };
			uint8_t out[2048];
			struct blob der;
			size_t k;

			for (k = 0; k < n; k++)
				assert_non_null(OCSP_request_add0_id(theirs,
				    openssl_certid((enum ocsp_hash)k, k == 0 ?
				    "00f1f2" : SERIAL)));
			if (nonce_lens[i] > 0)
				assert_int_equal(OCSP_request_add1_nonce(
				    theirs, NULL, nonce_lens[i]), 1);
			der = openssl_request_der(theirs);
			assert_int_equal(ocsp_request_read(blob_bytes(&der),
			    &request), OC_OK);
			assert_int_equal(request.num_singles, n);
			assert_int_equal(request.signature.len, 0);
			assert_false(request.has_unknown_critical);
			rest = request.singles;
			while (ocsp_request_next(&rest, &certid))
				certids[plan.num_certids++] = certid.tlv;
			assert_int_equal(plan.num_certids, n);
			assert_true(der_bytes_equal(certids[0],
			    request.first.tlv));
			plan.nonce = request.nonce;
			assert_int_equal(request.nonce.len,
			    nonce_lens[i] < 0 ? 0 : nonce_lens[i]);
			assert_int_equal(der_write(ocsp_put_request, &plan,
			    out, sizeof(out), &len), OC_OK);
			assert_int_equal(len, der.len);
			assert_memory_equal(out, der.bytes, len);
		}
	}
}

/* signed-ok, reqname-unsigned, service-locator, acceptable-responses. */
static void
openssls_with_everything(void **state)
{
	const char *urls[] = { "http://ocsp.example/", NULL };
	OCSP_REQUEST *theirs = OCSP_REQUEST_new();
	struct ocsp_request_signature signature;
	struct blob cert = fixture_cert_der(issuer);
	struct ocsp_request request;
	X509_EXTENSION *extension;
	OCSP_ONEREQ *single;
	struct blob der;

	(void)state;
	single = OCSP_request_add0_id(theirs,
	    openssl_certid(OCSP_HASH_SHA1, SERIAL));
	assert_non_null(single);
	extension = OCSP_url_svcloc_new(X509_get_subject_name(issuer), urls);
	assert_non_null(extension);
	assert_int_equal(OCSP_ONEREQ_add_ext(single, extension, -1), 1);
	assert_int_equal(X509_EXTENSION_set_critical(extension, 1), 1);
	assert_int_equal(OCSP_ONEREQ_add_ext(single, extension, -1), 1);
	X509_EXTENSION_free(extension);
	assert_int_equal(OCSP_request_set1_name(theirs,
	    X509_get_subject_name(issuer)), 1);
	assert_int_equal(OCSP_request_sign(theirs, issuer, issuer_key,
	    EVP_sha256(), NULL, 0), 1);
	der = openssl_request_der(theirs);
	assert_int_equal(read_exact(&der, &request), OC_OK);
	assert_int_equal(ocsp_request_read(blob_bytes(&der), &request),
	    OC_OK);
	ocsp_request_signature(&request, &signature);
	assert_true(der_bytes_equal(signature.certs, blob_bytes(&cert)));
	assert_int_equal(request.requestor.p[0], DER_CONTEXT(4));
	assert_false(request.has_unknown_critical);
	assert_int_equal(request.num_singles, 1);

	theirs = OCSP_REQUEST_new();
	assert_non_null(OCSP_request_add0_id(theirs,
	    openssl_certid(OCSP_HASH_SHA1, SERIAL)));
	assert_int_equal(OCSP_request_set1_name(theirs,
	    X509_get_subject_name(issuer)), 1);
	der = openssl_request_der(theirs);
	assert_int_equal(ocsp_request_read(blob_bytes(&der), &request),
	    OC_OK);
	assert_int_equal(request.signature.len, 0);
	assert_int_equal(request.requestor.p[0], DER_CONTEXT(4));
}

static void
der_trunc(void **state)
{
	struct blob der = fixture_request(one(), fixture_nonce(32));
	size_t len;

	(void)state;
	expect(der, OC_OK);
	for (len = der.len; len-- > 0;) {
		der.len = len;
		expect(der, OC_ERR_MALFORMED);
	}
}

/* What we take, OpenSSL takes; and nothing crashes. */
static void
der_bitflip(void **state)
{
	struct blob der = fixture_request(blob_join(one(), one()),
	    blob_join(fixture_nonce(16), fixture_extension(
	    DER_OID_OCSP_PREF_SIG_ALGS, "0101ff", blob_hex("3000"))));
	struct ocsp_request request;
	size_t bit, num_taken = 0, num_refused = 0;

	(void)state;
	expect(der, OC_OK);
	for (bit = 0; bit < der.len * 8; bit++) {
		struct blob flipped = der;
		const unsigned char *p = flipped.bytes;
		OCSP_REQUEST *theirs;

		flipped.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		if (read_exact(&flipped, &request) != OC_OK) {
			num_refused++;
			continue;
		}
		num_taken++;
		theirs = d2i_OCSP_REQUEST(NULL, &p, (long)flipped.len);
		if (theirs == NULL)
			fail_msg("bit %zu: OpenSSL does not take it", bit);
		OCSP_REQUEST_free(theirs);
	}
	/* Hashes, serials and nonces may be anything; tags may not. */
	assert_true(num_taken > 500 && num_refused > 300);
	ERR_clear_error();
}

static void
ber_indef(void **state)
{
	struct blob der = fixture_request(one(), none()), indefinite;

	(void)state;
	indefinite = blob_join3(blob_hex("30 80"),
	    blob_of((struct der_bytes){ der.bytes + 2, der.len - 2 }),
	    blob_hex("00 00"));
	expect(indefinite, OC_ERR_MALFORMED);
}

static void
der_nonmin(void **state)
{
	struct blob der = fixture_request(one(), none()), longer;

	(void)state;
	assert_true(der.bytes[1] < 0x80);
	longer = blob_join3(blob_hex("30 81"),
	    blob_of((struct der_bytes){ der.bytes + 1, 1 }),
	    blob_of((struct der_bytes){ der.bytes + 2, der.len - 2 }));
	expect(longer, OC_ERR_MALFORMED);
}

/* body-extra */
static void
octets_behind_it(void **state)
{
	(void)state;
	expect(blob_join(fixture_request(one(), none()), blob_hex("00")),
	    OC_ERR_MALFORMED);
	expect(blob_join(fixture_request(one(), none()), blob_hex("0d0a")),
	    OC_ERR_MALFORMED);
	expect(none(), OC_ERR_MALFORMED);
}

/* A TBSRequest with something in front of and behind requestList. */
static struct blob
with_parts(const char *before, struct blob list, struct blob after)
{
	return blob_wrap(0x30, blob_wrap(0x30, blob_join3(blob_hex(before),
	    blob_wrap(0x30, list), after)));
}

static void
versions(void **state)
{
	(void)state;
	/* version-v1-explicit */
	expect(with_parts("a003020100", one(), none()), OC_OK);
	/* version-v2 */
	expect(with_parts("a003020101", one(), none()), OC_ERR_MALFORMED);
	expect(with_parts("a00402020000", one(), none()), OC_ERR_MALFORMED);
	expect(with_parts("a000", one(), none()), OC_ERR_MALFORMED);
	expect(with_parts("a005020100 0500", one(), none()),
	    OC_ERR_MALFORMED);
	/* Twice, and behind the name. */
	expect(with_parts("a003020100a003020100", one(), none()),
	    OC_ERR_MALFORMED);
	expect(with_parts("a1058203 612e62 a003020100", one(), none()),
	    OC_ERR_MALFORMED);
	expect(with_parts("a003020100 a1058203 612e62", one(), none()),
	    OC_OK);
	/* The name's DER is checked, too. */
	expect(with_parts("a1058280 612e62", one(), none()),
	    OC_ERR_MALFORMED);
	expect(with_parts("a100", one(), none()), OC_ERR_MALFORMED);
	/* It is one GeneralName. */
	expect(with_parts("a10a 8203612e62 8203612e62", one(), none()),
	    OC_ERR_MALFORMED);
	expect(with_parts("a103 040161", one(), none()), OC_ERR_MALFORMED);
	expect(with_parts("a103 890161", one(), none()), OC_ERR_MALFORMED);
	expect(with_parts("a103 880161", one(), none()), OC_OK);
}

static void
lists(void **state)
{
	struct blob list = none();
	unsigned int i;

	(void)state;
	/* empty-list */
	expect(fixture_request(none(), none()), OC_ERR_MALFORMED);
	for (i = 0; i < OCSP_REQUEST_SINGLES_MAX; i++)
		list = blob_join(list, fixture_single(issuer,
		    OCSP_ENCODING_USUAL, "01"));
	expect(fixture_request(list, none()), OC_OK);
	/* multi-limit */
	list = blob_join(list, one());
	expect(fixture_request(list, none()), OC_ERR_LIMIT);
	/* One of them is nothing. */
	expect(fixture_request(blob_join(one(), blob_hex("3000")), none()),
	    OC_ERR_MALFORMED);
	expect(fixture_request(blob_join(one(), blob_hex("0500")), none()),
	    OC_ERR_MALFORMED);
	/* Nothing at all, or no list. */
	expect(blob_hex("3000"), OC_ERR_MALFORMED);
	expect(blob_hex("30023000"), OC_ERR_MALFORMED);
}

static struct blob
with_certid(struct blob contents)
{
	return fixture_request(blob_wrap(0x30, blob_wrap(0x30, contents)),
	    none());
}

#define HASH20 "0414 000102030405060708090a0b0c0d0e0f10111213"
#define HASH19 "0413 000102030405060708090a0b0c0d0e0f101112"
#define SHA1_NULL "3009 0605 2b0e03021a 0500 "

static void
hashes(void **state)
{
	struct ocsp_request request;
	struct blob der;

	(void)state;
	/* hash-unknown-oid: MD5 and another, of any length. */
	der = with_certid(blob_hex("300c 0608 2a864886f70d0205 0500 "
	    "0402 0102 0402 0304 0201 05"));
	assert_int_equal(read_exact(&der, &request), OC_OK);
	assert_int_equal(request.first.encoding, OCSP_ENCODING_UNKNOWN);
	/* SHA-1 with parameters that are not NULL is none of the ten. */
	der = with_certid(blob_hex("300a 0605 2b0e03021a 020107 " HASH20
	    HASH20 "0201 05"));
	assert_int_equal(read_exact(&der, &request), OC_OK);
	assert_int_equal(request.first.encoding, OCSP_ENCODING_UNKNOWN);
	/* hash-wrong-len */
	expect(with_certid(blob_hex(SHA1_NULL HASH19 HASH20 "0201 05")),
	    OC_ERR_MALFORMED);
	expect(with_certid(blob_hex(SHA1_NULL HASH20 HASH19 "0201 05")),
	    OC_ERR_MALFORMED);
	expect(with_certid(blob_hex(SHA1_NULL HASH20 HASH20 "0201 05")),
	    OC_OK);
	/* Not an AlgorithmIdentifier. */
	expect(with_certid(blob_hex("3000 " HASH20 HASH20 "0201 05")),
	    OC_ERR_MALFORMED);
	expect(with_certid(blob_hex("3003 060180 " HASH20 HASH20 "0201 05")),
	    OC_ERR_MALFORMED);
	expect(with_certid(blob_hex("300d 0605 2b0e03021a 0500 0500 0500 "
	    HASH20 HASH20 "0201 05")), OC_ERR_MALFORMED);
	/* Too much, too little. */
	expect(with_certid(blob_hex(SHA1_NULL HASH20 HASH20 "0201 05 0500")),
	    OC_ERR_MALFORMED);
	expect(with_certid(blob_hex(SHA1_NULL HASH20 HASH20)),
	    OC_ERR_MALFORMED);
	expect(with_certid(blob_hex(SHA1_NULL HASH20)), OC_ERR_MALFORMED);
}

static void
serials(void **state)
{
	struct ocsp_request request;
	struct blob der;

	(void)state;
	/* serial-zero, negative, 21 octets: well-formed, refused later. */
	expect(with_certid(blob_hex(SHA1_NULL HASH20 HASH20 "0201 00")),
	    OC_OK);
	expect(with_certid(blob_hex(SHA1_NULL HASH20 HASH20 "0201 ff")),
	    OC_OK);
	expect(with_certid(blob_hex(SHA1_NULL HASH20 HASH20 "0215 "
	    "010203040506070809101112131415161718192021")), OC_OK);
	/* serial-highbit */
	der = with_certid(blob_hex(SHA1_NULL HASH20 HASH20 "0202 0080"));
	assert_int_equal(read_exact(&der, &request), OC_OK);
	assert_int_equal(request.first.serial.len, 2);
	/* serial-leading-zeros, and none. */
	expect(with_certid(blob_hex(SHA1_NULL HASH20 HASH20 "0203 000001")),
	    OC_ERR_MALFORMED);
	expect(with_certid(blob_hex(SHA1_NULL HASH20 HASH20 "0202 ff80")),
	    OC_ERR_MALFORMED);
	expect(with_certid(blob_hex(SHA1_NULL HASH20 HASH20 "0200")),
	    OC_ERR_MALFORMED);
}

static void
nonces(void **state)
{
	static const size_t good[] = { 1, 15, 16, 32, 33, 64, 128 };
	struct ocsp_request request;
	struct blob der, raw;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		der = fixture_request(one(), fixture_nonce(good[i]));
		assert_int_equal(ocsp_request_read(blob_bytes(&der), &request),
		    OC_OK);
		assert_int_equal(request.nonce.len, good[i]);
		assert_int_equal(request.nonce.p[0], 0x5a);
	}
	/* nonce-0, nonce-129 */
	expect(fixture_request(one(), fixture_nonce(0)), OC_ERR_MALFORMED);
	expect(fixture_request(one(), fixture_nonce(129)), OC_ERR_MALFORMED);
	expect(fixture_request(one(), fixture_extension(DER_OID_OCSP_NONCE,
	    "", none())), OC_ERR_MALFORMED);
	/* nonce-unwrapped: taken as it is. */
	der = fixture_request(one(), fixture_extension(DER_OID_OCSP_NONCE,
	    "", blob_hex("04 20 aabbcc")));
	assert_int_equal(ocsp_request_read(blob_bytes(&der), &request), OC_OK);
	assert_int_equal(request.nonce.len, 5);
	raw = (struct blob){ .len = 129 };
	expect(fixture_request(one(), fixture_extension(DER_OID_OCSP_NONCE,
	    "", raw)), OC_ERR_MALFORMED);
	/* nonce-dup */
	expect(fixture_request(one(), blob_join(fixture_nonce(16),
	    fixture_nonce(16))), OC_ERR_MALFORMED);
	/* nonce-critical, and a FALSE that should have been left out. */
	der = fixture_request(one(), fixture_extension(DER_OID_OCSP_NONCE,
	    "0101ff", blob_hex("0401aa")));
	assert_int_equal(ocsp_request_read(blob_bytes(&der), &request), OC_OK);
	assert_false(request.has_unknown_critical);
	assert_int_equal(request.nonce.len, 1);
	expect(fixture_request(one(), fixture_extension(DER_OID_OCSP_NONCE,
	    "010100", blob_hex("0401aa"))), OC_OK);
	expect(fixture_request(one(), fixture_extension(DER_OID_OCSP_NONCE,
	    "010101", blob_hex("0401aa"))), OC_ERR_MALFORMED);
}

static void
extensions(void **state)
{
	struct ocsp_request request;
	struct blob der;

	(void)state;
	/* ext-unknown, ext-unknown-critical */
	der = fixture_request(one(), fixture_extension(DER_OID_TLS_FEATURE,
	    "", blob_hex("3000")));
	assert_int_equal(read_exact(&der, &request), OC_OK);
	assert_false(request.has_unknown_critical);
	der = fixture_request(one(), fixture_extension(DER_OID_TLS_FEATURE,
	    "0101ff", blob_hex("3000")));
	assert_int_equal(read_exact(&der, &request), OC_OK);
	assert_true(request.has_unknown_critical);
	/* The same in a Request. */
	der = fixture_request(blob_wrap(0x30, blob_join(fixture_certid(issuer,
	    OCSP_ENCODING_USUAL, SERIAL), blob_wrap(0xa0, blob_wrap(0x30,
	    fixture_extension(DER_OID_OCSP_NONCE, "0101ff", none()))))),
	    none());
	assert_int_equal(read_exact(&der, &request), OC_OK);
	assert_true(request.has_unknown_critical);
	/* acceptable-no-basic, prefsig-garbage: kept, never an error. */
	der = fixture_request(one(), blob_join(fixture_extension(
	    DER_OID_OCSP_RESPONSE, "0101ff", blob_hex("30030601 2a")),
	    fixture_extension(DER_OID_OCSP_PREF_SIG_ALGS, "",
	    blob_hex("ffff"))));
	assert_int_equal(ocsp_request_read(blob_bytes(&der), &request), OC_OK);
	assert_false(request.has_unknown_critical);
	assert_int_equal(request.preferred_algs.len, 2);
	/* Empty lists of extensions, broken ones, and what is not [2]. */
	expect(with_parts("", one(), blob_hex("a2023000")),
	    OC_ERR_MALFORMED);
	expect(with_parts("", one(), blob_hex("a200")), OC_ERR_MALFORMED);
	expect(with_parts("", one(), blob_hex("a204 3002 3000")),
	    OC_ERR_MALFORMED);
	expect(with_parts("", one(), blob_hex("a305 3003 0201 00")),
	    OC_ERR_MALFORMED);
	expect(with_parts("", one(), blob_join(blob_wrap(0xa2,
	    blob_wrap(0x30, fixture_nonce(16))), blob_hex("0500"))),
	    OC_ERR_MALFORMED);
	expect(fixture_request(blob_wrap(0x30, blob_join(fixture_certid(
	    issuer, OCSP_ENCODING_USUAL, SERIAL), blob_hex("a0023000"))),
	    none()), OC_ERR_MALFORMED);
	expect(fixture_request(blob_wrap(0x30, blob_join(fixture_certid(
	    issuer, OCSP_ENCODING_USUAL, SERIAL), blob_hex("0500"))),
	    none()), OC_ERR_MALFORMED);
}

static void
signatures(void **state)
{
	static const char *const bad[] = {
		"a000", "a0023000", "a006 3004 3000 0300",
		"a00e 300c 3003 06012a 0302 0100 0201 00",
		"a103 020100", "0500",
		"a00b 3009 3003 06012a 0302 0055 a000",
		/* certs [0] with nothing in it, or no SEQUENCE. */
		"a00d 300b 3003 06012a 0302 0055 a000",
		"a00f 300d 3003 06012a 0302 0055 a002 0500",
	};
	struct blob tbs = blob_wrap(0x30, blob_wrap(0x30, one()));
	size_t i;

	(void)state;
	expect(blob_wrap(0x30, blob_join(tbs,
	    blob_hex("a00b 3009 3003 06012a 0302 0055"))), OC_OK);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		expect(blob_wrap(0x30, blob_join(tbs, blob_hex(bad[i]))),
		    OC_ERR_MALFORMED);
}

static void
too_large(void **state)
{
	uint8_t *der = calloc(1, OCSP_REQUEST_MAX + 1);
	struct ocsp_request request;

	(void)state;
	assert_non_null(der);
	assert_int_equal(ocsp_request_read((struct der_bytes){ der,
	    OCSP_REQUEST_MAX + 1 }, &request), OC_ERR_LIMIT);
	free(der);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(certids_of_every_encoding),
		cmocka_unit_test(ours_is_read_by_openssl),
		cmocka_unit_test(openssls_is_read_and_written_again),
		cmocka_unit_test(openssls_with_everything),
		cmocka_unit_test(der_trunc),
		cmocka_unit_test(der_bitflip),
		cmocka_unit_test(ber_indef),
		cmocka_unit_test(der_nonmin),
		cmocka_unit_test(octets_behind_it),
		cmocka_unit_test(versions),
		cmocka_unit_test(lists),
		cmocka_unit_test(hashes),
		cmocka_unit_test(serials),
		cmocka_unit_test(nonces),
		cmocka_unit_test(extensions),
		cmocka_unit_test(signatures),
		cmocka_unit_test(too_large),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
