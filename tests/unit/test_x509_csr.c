/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests: written as OpenSSL writes them, read as written, the signature
 * checked, and everything odd refused.  RFC2986:4.1 RFC2985:5.4.2
 */
#include "x509_test.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"

static const struct {
	const char *key;
	enum sign_alg alg;
} signers[] = {
	{ "RSA2048", SIGN_RSA_SHA256 }, { "RSA2048", SIGN_RSA_SHA384 },
	{ "RSA2048", SIGN_RSA_SHA512 }, { "RSA2048", SIGN_RSA_PSS_SHA256 },
	{ "RSA2048", SIGN_RSA_PSS_SHA384 }, { "RSA2048", SIGN_RSA_PSS_SHA512 },
	{ "P-256", SIGN_ECDSA_SHA256 }, { "P-384", SIGN_ECDSA_SHA384 },
	{ "P-521", SIGN_ECDSA_SHA512 }, { "ED25519", SIGN_ED25519 },
};

/* One request by both, for every algorithm; through d2i and i2d; verified. */
static void
test_same_as_openssl(void **state)
{
	uint64_t seed = 2986;
	int i;

	(void)state;
	for (i = 0; i < 150; i++) {
		size_t n = (size_t)i % ARRAY_LEN(signers);
		STACK_OF(X509_EXTENSION) *stack;
		struct x509_csr_info info = { .subject = { NULL, 0 } };
		struct der_bytes ours, der, again;
		struct oc_error error = { 0 };
		X509_REQ *req = X509_REQ_new();
		struct x509_tbs tbs;
		struct x509_csr csr;
		const uint8_t *p;
		X509_NAME *name;

		test_plan(&seed, &tbs);
		info.subject = tbs.subject;
		info.spki = test_spki(signers[n].key);
		if (i % 3 != 0)
			info.extensions = &tbs.extensions;
		ours = test_write(x509_put_csr_info, &info);
		der = test_sign(ours, signers[n].key, signers[n].alg);
		if (x509_csr_read(der, &csr, &error) != OC_OK ||
		    x509_csr_verify(&csr, &error) != OC_OK)
			fail_msg("request %d: %s", i, error.text);
		assert_bytes_equal(csr.info, ours);
		assert_bytes_equal(csr.subject, tbs.subject);
		assert_bytes_equal(csr.spki, info.spki);
		assert_int_equal(csr.alg, signers[n].alg);
		assert_int_equal(csr.has_extensions, i % 3 != 0);
		if (csr.has_extensions)
			assert_extensions_equal(&csr.extensions,
			    &tbs.extensions);

		/* OpenSSL from its own parts. */
		p = tbs.subject.p;
		name = d2i_X509_NAME(NULL, &p, (long)tbs.subject.len);
		X509_REQ_set_version(req, X509_REQ_VERSION_1);
		X509_REQ_set_subject_name(req, name);
		X509_REQ_set_pubkey(req, test_key(signers[n].key));
		stack = test_openssl_extensions(&tbs.extensions);
		if (csr.has_extensions)
			X509_REQ_add_extensions(req, stack);
		if (X509_REQ_sign(req, test_key(signers[n].key),
		    signers[n].key[0] == 'E' ? NULL : EVP_sha256()) > 0) {
			struct x509_csr theirs;

			again = test_i2d_req(req);
			assert_int_equal(x509_csr_read(again, &theirs,
			    &error), OC_OK);
			assert_bytes_equal(theirs.info, ours);
			assert_int_equal(x509_csr_verify(&theirs, &error),
			    OC_OK);
		} else {
			fail_msg("OpenSSL does not sign");
		}
		X509_REQ_free(req);

		/* And from ours. */
		p = der.p;
		req = d2i_X509_REQ(NULL, &p, (long)der.len);
		assert_non_null(req);
		assert_bytes_equal(test_i2d_req(req), der);
		assert_int_equal(X509_REQ_verify(req,
		    X509_REQ_get0_pubkey(req)), 1);
		X509_REQ_free(req);
		X509_NAME_free(name);
		sk_X509_EXTENSION_pop_free(stack, X509_EXTENSION_free);
	}
}

/* The parts of a request, to be put together wrongly. */
struct parts {
	struct der_bytes version, subject, spki, attributes, behind_info,
	    alg, signature, behind_all;
};

static void
put_info(struct der_writer *w, const void *arg)
{
	const struct parts *p = arg;

	der_begin(w, DER_SEQUENCE);
	der_put_raw(w, p->version);
	der_put_raw(w, p->subject);
	der_put_raw(w, p->spki);
	der_put_raw(w, p->attributes);
	der_put_raw(w, p->behind_info);
	der_end(w);
}

static void
put_parts(struct der_writer *w, const void *arg)
{
	const struct parts *p = arg;

	der_begin(w, DER_SEQUENCE);
	put_info(w, p);
	der_put_raw(w, p->alg);
	der_put_raw(w, p->signature);
	der_end(w);
	der_put_raw(w, p->behind_all);
}

static struct parts
good_parts(void)
{
	return (struct parts){
		.version = DER_LITERAL("\x02\x01\x00"),
		.subject = test_name("CN=a"),
		.spki = test_spki("P-256"),
		.attributes = DER_LITERAL("\xa0\x00"),
		.alg = DER_LITERAL("\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04"
		    "\x03\x02"),
		.signature = DER_LITERAL("\x03\x02\x00\x01"),
	};
}

static enum oc_err
read_parts(const struct parts *p)
{
	static const struct x509_csr untouched = { .alg = SIGN_ED25519 };
	struct der_bytes der = test_write(put_parts, p);
	struct x509_csr csr = untouched;
	struct oc_error error = { 0 };
	uint8_t *exact = malloc(der.len);
	enum oc_err err;

	memcpy(exact, der.p, der.len);
	err = x509_csr_read((struct der_bytes){ exact, der.len }, &csr,
	    &error);
	assert_int_equal(error.code, err);
	if (err != OC_OK)
		assert_memory_equal(&csr, &untouched, sizeof(csr));
	free(exact);
	return err;
}

#define EXTENSION_REQUEST "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x0e"
#define MS_REQUEST "\x06\x0a\x2b\x06\x01\x04\x01\x82\x37\x02\x01\x0e"
#define LEAF "\x30\x0b\x30\x09\x06\x03\x55\x1d\x13\x04\x02\x30\x00"

static void
expect(struct parts p, enum oc_err want, const char *what)
{
	enum oc_err err = read_parts(&p);

	if (err != want)
		fail_msg("%s: %s", what, oc_strerror(err));
}

static void
test_attributes(void **state)
{
	static const struct {
		const char *what;
		struct der_bytes attributes;
		enum oc_err err;
	} all[] = {
		{ "absent", DER_LITERAL(""), OC_OK },
		{ "empty", DER_LITERAL("\xa0\x00"), OC_OK },
		{ "one request", DER_LITERAL("\xa0\x1c\x30\x1a"
		    EXTENSION_REQUEST "\x31\x0d" LEAF), OC_OK },
		{ "Microsoft's", DER_LITERAL("\xa0\x1d\x30\x1b" MS_REQUEST
		    "\x31\x0d" LEAF), OC_OK },
		{ "challengePassword", DER_LITERAL("\xa0\x12\x30\x10\x06\x09"
		    "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x07\x31\x03\x0c\x01"
		    "a"), OC_OK },
		{ "two requests", DER_LITERAL("\xa0\x38\x30\x1a"
		    EXTENSION_REQUEST "\x31\x0d" LEAF "\x30\x1a"
		    EXTENSION_REQUEST "\x31\x0d" LEAF), OC_ERR_MALFORMED },
		{ "one of each", DER_LITERAL("\xa0\x39\x30\x1a"
		    EXTENSION_REQUEST "\x31\x0d" LEAF "\x30\x1b" MS_REQUEST
		    "\x31\x0d" LEAF), OC_ERR_MALFORMED },
		{ "two values", DER_LITERAL("\xa0\x29\x30\x27"
		    EXTENSION_REQUEST "\x31\x1a" LEAF LEAF),
		    OC_ERR_MALFORMED },
		{ "no value", DER_LITERAL("\xa0\x0f\x30\x0d"
		    EXTENSION_REQUEST "\x31\x00"), OC_ERR_MALFORMED },
		{ "no SET", DER_LITERAL("\xa0\x0d\x30\x0b"
		    EXTENSION_REQUEST), OC_ERR_MALFORMED },
		{ "empty extensions", DER_LITERAL("\xa0\x11\x30\x0f"
		    EXTENSION_REQUEST "\x31\x02\x30\x00"), OC_ERR_MALFORMED },
		{ "an extension twice", DER_LITERAL("\xa0\x27\x30\x25"
		    EXTENSION_REQUEST "\x31\x18\x30\x16"
		    "\x30\x09\x06\x03\x55\x1d\x13\x04\x02\x30\x00"
		    "\x30\x09\x06\x03\x55\x1d\x13\x04\x02\x30\x00"),
		    OC_ERR_MALFORMED },
		{ "otherName", DER_LITERAL("\xa0\x26\x30\x24"
		    EXTENSION_REQUEST "\x31\x17\x30\x15\x30\x13\x06\x03\x55"
		    "\x1d\x11\x04\x0c\x30\x0a\xa0\x08\x06\x01\x2a\xa0\x03"
		    "\x0c\x01" "a"), OC_ERR_UNSUPPORTED },
		{ "behind attribute", DER_LITERAL("\xa0\x1e\x30\x1c"
		    EXTENSION_REQUEST "\x31\x0d" LEAF "\x05\x00"),
		    OC_ERR_MALFORMED },
		{ "no OID", DER_LITERAL("\xa0\x06\x30\x04\x05\x00\x31\x00"),
		    OC_ERR_MALFORMED },
		{ "a value that is none", DER_LITERAL("\xa0\x12\x30\x10\x06"
		    "\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x07\x31\x03\x0c"
		    "\x02" "a"), OC_ERR_MALFORMED },
		{ "SET itself", DER_LITERAL("\x31\x00"), OC_ERR_MALFORMED },
		{ "twice", DER_LITERAL("\xa0\x00\xa0\x00"),
		    OC_ERR_MALFORMED },
		{ "indefinite", DER_LITERAL("\xa0\x80\x00\x00"),
		    OC_ERR_MALFORMED },
	};
	struct parts p = good_parts();
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(all); i++) {
		p.attributes = all[i].attributes;
		expect(p, all[i].err, all[i].what);
	}
}

static void
test_bad_parts(void **state)
{
	static const struct {
		const char *what;
		size_t part;		/* offset in struct parts */
		struct der_bytes bytes;
		enum oc_err err;
	} all[] = {
#define PART(member, bytes, err) { #member " " #bytes, \
	offsetof(struct parts, member), DER_LITERAL(bytes), err }
		PART(version, "\x02\x01\x01", OC_ERR_MALFORMED),
		PART(version, "\x02\x01\x02", OC_ERR_MALFORMED),
		PART(version, "\x02\x01\xff", OC_ERR_MALFORMED),
		PART(version, "\x02\x02\x00\x00", OC_ERR_MALFORMED),
		PART(version, "", OC_ERR_MALFORMED),
		PART(subject, "\x30\x02\x31\x00", OC_ERR_MALFORMED),
		PART(subject, "\x31\x00", OC_ERR_MALFORMED),
		PART(subject, "", OC_ERR_MALFORMED),
		PART(subject, "\x30\x00", OC_OK),	/* SAN only */
		PART(spki, "\x30\x00", OC_ERR_MALFORMED),
		PART(spki, "", OC_ERR_MALFORMED),
		PART(behind_info, "\x05\x00", OC_ERR_MALFORMED),
		PART(behind_all, "\x00", OC_ERR_MALFORMED),
		PART(behind_all, "\n", OC_ERR_MALFORMED),
		PART(signature, "", OC_ERR_MALFORMED),
		PART(signature, "\x03\x00", OC_ERR_MALFORMED),
		PART(signature, "\x03\x02\x01\x02", OC_ERR_MALFORMED),
		PART(signature, "\x03\x02\x00\x01\x05\x00",
		    OC_ERR_MALFORMED),
		PART(alg, "\x30\x00", OC_ERR_MALFORMED),
		PART(alg, "\x05\x00", OC_ERR_MALFORMED),
		/* sha1WithRSAEncryption, ecdsa-with-SHA1, MD5, DSA */
		PART(alg, "\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01"
		    "\x05\x05\x00", OC_ERR_UNSUPPORTED),
		PART(alg, "\x30\x09\x06\x07\x2a\x86\x48\xce\x3d\x04\x01",
		    OC_ERR_UNSUPPORTED),
		PART(alg, "\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01"
		    "\x04\x05\x00", OC_ERR_UNSUPPORTED),
		PART(alg, "\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x03"
		    "\x02", OC_ERR_UNSUPPORTED),
		/* RSA without its NULL, ECDSA with one */
		PART(alg, "\x30\x0b\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01"
		    "\x0b", OC_ERR_UNSUPPORTED),
		PART(alg, "\x30\x0c\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02"
		    "\x05\x00", OC_ERR_UNSUPPORTED),
#undef PART
	};
	size_t i;

	(void)state;
	expect(good_parts(), OC_OK, "good");
	for (i = 0; i < ARRAY_LEN(all); i++) {
		struct parts p = good_parts();

		*(struct der_bytes *)(void *)((uint8_t *)&p + all[i].part) =
		    all[i].bytes;
		expect(p, all[i].err, all[i].what);
	}
}

static void
test_verify(void **state)
{
	struct x509_csr_info info = { .subject = test_name("CN=a"),
	    .spki = test_spki("P-256") };
	struct der_bytes tbs = test_write(x509_put_csr_info, &info), der;
	struct oc_error error = { 0 };
	struct x509_csr csr;
	uint8_t *bad;
	size_t i, at;

	(void)state;
	/* Signed by another key of the same type. */
	der = test_sign(tbs, "P-384", SIGN_ECDSA_SHA256);
	assert_int_equal(x509_csr_read(der, &csr, &error), OC_OK);
	assert_int_equal(x509_csr_verify(&csr, &error), OC_ERR_SIGNATURE);
	assert_int_equal(error.code, OC_ERR_SIGNATURE);
	/* An algorithm that is not the key's. */
	der = test_sign(tbs, "RSA2048", SIGN_RSA_SHA256);
	assert_int_equal(x509_csr_read(der, &csr, &error), OC_OK);
	assert_int_equal(x509_csr_verify(&csr, &error), OC_ERR_MISMATCH);
	/* Any bit of the subject's text. */
	der = test_sign(tbs, "P-256", SIGN_ECDSA_SHA256);
	assert_int_equal(x509_csr_read(der, &csr, &error), OC_OK);
	at = (size_t)(csr.subject.p - der.p) + csr.subject.len - 1;
	bad = test_alloc(der.len);
	for (i = 0; i < 5; i++) {
		memcpy(bad, der.p, der.len);
		bad[at] ^= (uint8_t)(1 << i);
		assert_int_equal(x509_csr_read((struct der_bytes){ bad,
		    der.len }, &csr, &error), OC_OK);
		assert_int_equal(x509_csr_verify(&csr, &error),
		    OC_ERR_SIGNATURE);
	}
	/* A key that is none. */
	memcpy(bad, der.p, der.len);
	assert_int_equal(x509_csr_read((struct der_bytes){ bad, der.len },
	    &csr, &error), OC_OK);
	bad[csr.spki.p - bad + (ptrdiff_t)csr.spki.len - 1] ^= 1;
	assert_int_not_equal(x509_csr_verify(&csr, &error), OC_OK);
}

static void
test_too_large(void **state)
{
	uint8_t *p = calloc(1, OC_CSR_MAX + 1);
	struct x509_csr csr;

	(void)state;
	assert_int_equal(x509_csr_read((struct der_bytes){ p,
	    OC_CSR_MAX + 1 }, &csr, NULL), OC_ERR_LIMIT);
	free(p);
}

/* The secret of a challengePassword is not in the error. */
static void
test_no_secret_in_error(void **state)
{
	struct parts p = good_parts();
	struct oc_error error = { 0 };
	struct x509_csr csr;

	(void)state;
	p.attributes = DER_LITERAL("\xa0\x18\x30\x16\x06\x09\x2a\x86\x48\x86"
	    "\xf7\x0d\x01\x09\x07\x31\x06\x0c\x04" "PASS" "\x05\x00\x00");
	assert_int_equal(x509_csr_read(test_write(put_parts, &p), &csr,
	    &error), OC_ERR_MALFORMED);
	assert_null(strstr(error.text, "PASS"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_as_openssl),
		cmocka_unit_test(test_attributes),
		cmocka_unit_test(test_bad_parts),
		cmocka_unit_test(test_verify),
		cmocka_unit_test(test_too_large),
		cmocka_unit_test(test_no_secret_in_error),
	};

	return cmocka_run_group_tests(tests, NULL, test_free_all);
}
