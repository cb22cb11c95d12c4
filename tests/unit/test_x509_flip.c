/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Good certificates, requests and CRLs, cut at every octet and with every
 * bit turned: is each refused, or taken as what it then is?  From memory of
 * exactly its size, so that a sanitizer sees every octet read beyond it.
 */
#include "x509_test.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/provider.h>

/* OpenSSL's without any algorithm: it looks at the form of a certificate, and
 * does not make a key of each public key, which takes most of its time. */
static OSSL_LIB_CTX *bare;
static OSSL_PROVIDER *no_algorithms;

static void
put_extensions(struct der_writer *w, const void *arg)
{
	x509_put_extensions(w, arg);
}

/* What was read and written again reads the same, and writes the same. */
static void
check_extensions(const struct x509_extensions *e)
{
	struct x509_extensions again;
	uint8_t first[16384], second[16384];
	size_t first_len, second_len;
	enum oc_err err;

	err = der_write(put_extensions, e, first, sizeof(first), &first_len);
	/* Nothing among them that we write. */
	if (err == OC_ERR_MALFORMED)
		return;
	assert_int_equal(err, OC_OK);
	assert_int_equal(x509_read_extensions((struct der_bytes){ first,
	    first_len }, &again, NULL), OC_OK);
	assert_extensions_equal(&again, e);
	assert_int_equal(der_write(put_extensions, &again, second,
	    sizeof(second), &second_len), OC_OK);
	assert_bytes_equal((struct der_bytes){ second, second_len },
	    (struct der_bytes){ first, first_len });
}

static void
check_shell(enum sign_alg alg, struct der_bytes tbs,
    struct der_bytes signature, struct der_bytes der)
{
	struct x509_signed s = { .tbs = tbs, .alg = alg,
	    .signature = signature };
	uint8_t *out;
	size_t len;

	if (alg == SIGN_ALG_NONE)
		return;
	out = malloc(der.len);
	assert_int_equal(der_write(x509_put_signed, &s, out, der.len, &len),
	    OC_OK);
	assert_bytes_equal((struct der_bytes){ out, len }, der);
	free(out);
}

static bool
try_certificate(struct der_bytes der)
{
	char text[X509_NAME_TEXT_MAX];
	struct x509_cert cert;
	const uint8_t *p = der.p;
	uint32_t i;
	X509 *x;

	if (x509_cert_read(der, &cert, NULL) != OC_OK)
		return false;
	check_shell(cert.alg, cert.tbs, cert.signature, der);
	check_extensions(&cert.extensions);
	x509_name_format(cert.subject, text);
	for (i = 0; i < cert.extensions.num_sans; i++)
		x509_san_format(&cert.extensions.sans[i], text);
	x = X509_new_ex(bare, NULL);
	assert_non_null(d2i_X509(&x, &p, (long)der.len));
	assert_ptr_equal(p, der.p + der.len);
	X509_free(x);
	return true;
}

static bool
try_request(struct der_bytes der)
{
	const uint8_t *p = der.p;
	struct x509_csr csr;
	X509_REQ *req;

	if (x509_csr_read(der, &csr, NULL) != OC_OK)
		return false;
	check_shell(csr.alg, csr.info, csr.signature, der);
	if (csr.has_extensions)
		check_extensions(&csr.extensions);
	req = X509_REQ_new_ex(bare, NULL);
	assert_non_null(d2i_X509_REQ(&req, &p, (long)der.len));
	assert_ptr_equal(p, der.p + der.len);
	X509_REQ_free(req);
	return true;
}

static bool
try_crl(struct der_bytes der)
{
	const uint8_t *p = der.p;
	struct x509_crl_entry entry;
	struct der_bytes rest;
	struct x509_crl crl;
	X509_CRL *theirs;

	if (x509_crl_read(der, &crl, NULL) != OC_OK)
		return false;
	check_shell(crl.alg, crl.tbs, crl.signature, der);
	/* The reader has looked at every entry. */
	for (rest = crl.entries; rest.len != 0;)
		assert_int_equal(x509_crl_next_entry(&rest, &entry), OC_OK);
	theirs = d2i_X509_CRL(NULL, &p, (long)der.len);
	assert_non_null(theirs);
	assert_ptr_equal(p, der.p + der.len);
	X509_CRL_free(theirs);
	return true;
}

typedef bool try_fn(struct der_bytes der);

static bool
try_exact(try_fn *try_one, const uint8_t *bytes, size_t len)
{
	uint8_t *exact = malloc(len != 0 ? len : 1);
	bool is_taken;

	assert_non_null(exact);
	memcpy(exact, bytes, len);
	is_taken = try_one((struct der_bytes){ exact, len });
	free(exact);
	return is_taken;
}

static void
cut_and_flip(try_fn *try_one, struct der_bytes good)
{
	uint8_t *bytes = malloc(good.len);
	size_t i, num_taken = 0;
	int bit;

	assert_true(try_exact(try_one, good.p, good.len));
	for (i = 0; i < good.len; i++)
		assert_false(try_exact(try_one, good.p, i));
	memcpy(bytes, good.p, good.len);
	for (i = 0; i < good.len; i++) {
		for (bit = 0; bit < 8; bit++) {
			bytes[i] ^= (uint8_t)(1 << bit);
			num_taken += try_exact(try_one, bytes, good.len);
			bytes[i] ^= (uint8_t)(1 << bit);
		}
	}
	/* A signature's and a key's bits may all be turned; the rest less. */
	print_message("%zu of %zu taken\n", num_taken, good.len * 8);
	assert_true(num_taken > 0 && num_taken < good.len * 8);
	free(bytes);
}

/* A few with every extension, none larger than need be. */
static void
plan_for(uint64_t seed, struct x509_tbs *tbs)
{
	do
		test_plan(&seed, tbs);
	while (tbs->extensions.num_sans > 10 ||
	    tbs->extensions.num_sans < 3 ||
	    !tbs->extensions.has_basic_constraints ||
	    tbs->extensions.num_ekus == 0 ||
	    tbs->extensions.key_usage == 0 ||
	    tbs->extensions.num_crl_urls == 0 ||
	    tbs->extensions.num_ocsp_urls == 0);
	tbs->spki = test_spki("P-256");
	tbs->alg = SIGN_ECDSA_SHA256;
}

static void
test_certificates(void **state)
{
	struct x509_tbs tbs;
	uint64_t seed;

	(void)state;
	for (seed = 1; seed <= 3; seed++) {
		plan_for(seed, &tbs);
		cut_and_flip(try_certificate, test_sign(
		    test_write(x509_put_tbs, &tbs), "P-256", tbs.alg));
	}
}

static void
test_requests(void **state)
{
	struct x509_csr_info info = { .spki = test_spki("P-256") };
	struct x509_tbs tbs;

	(void)state;
	plan_for(4, &tbs);
	info.subject = tbs.subject;
	info.extensions = &tbs.extensions;
	cut_and_flip(try_request, test_sign(test_write(x509_put_csr_info,
	    &info), "P-256", SIGN_ECDSA_SHA256));
}

static void
test_crls(void **state)
{
	struct x509_crl_entry entry = { .serial = { { 0x12, 0x34 }, 2 },
	    .revoked_at = 1700000000, .reason = CRL_REASON_SUPERSEDED,
	    .invalidity_at = 1600000000 };
	struct x509_crl_tbs tbs = { .alg = SIGN_ECDSA_SHA256,
	    .issuer = test_name("CN=CA,C=DE"), .this_update = 1700000000,
	    .next_update = INT64_C(2600000000),
	    .authority_key_id = DER_LITERAL("01234567890123456789"),
	    .number = 300 };
	uint8_t entries[3 * X509_CRL_ENTRY_MAX];
	size_t len = 0, one;
	int i;

	(void)state;
	for (i = 0; i < 3; i++) {
		assert_int_equal(x509_crl_entry_write(&entry, entries + len,
		    &one), OC_OK);
		len += one;
		entry.reason = i == 0 ? CRL_REASON_UNSPECIFIED :
		    CRL_REASON_KEY_COMPROMISE;
		entry.invalidity_at = 0;
	}
	tbs.entries = (struct der_bytes){ entries, len };
	cut_and_flip(try_crl, test_sign(test_write(x509_put_crl_tbs, &tbs),
	    "P-256", SIGN_ECDSA_SHA256));
}

/* Chance on top of chance: several octets at once. */
static void
test_scrambled(void **state)
{
	struct der_bytes good;
	struct x509_tbs tbs;
	uint64_t seed = 77;
	uint8_t *bytes;
	int i, j;

	(void)state;
	plan_for(5, &tbs);
	good = test_sign(test_write(x509_put_tbs, &tbs), "P-256", tbs.alg);
	bytes = malloc(good.len);
	for (i = 0; i < 20000; i++) {
		memcpy(bytes, good.p, good.len);
		for (j = 0; j < 3; j++)
			bytes[test_random_below(&seed, (uint32_t)good.len)] =
			    (uint8_t)test_random_below(&seed, 256);
		(void)try_exact(try_certificate, bytes, good.len);
		(void)try_exact(try_request, bytes, good.len);
		(void)try_exact(try_crl, bytes, good.len);
	}
	free(bytes);
}

static int
setup(void **state)
{
	(void)state;
	bare = OSSL_LIB_CTX_new();
	assert_non_null(bare);
	no_algorithms = OSSL_PROVIDER_load(bare, "null");
	assert_non_null(no_algorithms);
	return 0;
}

static int
teardown(void **state)
{
	assert_int_equal(OSSL_PROVIDER_unload(no_algorithms), 1);
	OSSL_LIB_CTX_free(bare);
	return test_free_all(state);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_certificates),
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_crls),
		cmocka_unit_test(test_scrambled),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
