/* SPDX-License-Identifier: Apache-2.0 */
/* New keys, what they sign, and how they are written. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/pem.h"
#include "cfssl/selfsign.h"
#include "tests/unit/x509_test.h"

#include <openssl/pem.h>

static struct cfssl_request *
read_text(const char *text)
{
	struct cfssl_request *r = NULL;
	struct oc_error error = { 0 };

	if (cfssl_request_read("f", (const uint8_t *)text, strlen(text), &r,
	    NULL, &error) != OC_OK)
		fail_msg("%s: %s", text, error.text);
	return r;
}

static const struct {
	enum sign_key_type type;
	unsigned int bits;
	enum sign_alg alg;
	const char *label;
} rows[] = {
	{ SIGN_KEY_RSA, 2048, SIGN_RSA_SHA256, "RSA PRIVATE KEY" },
	{ SIGN_KEY_RSA, 3072, SIGN_RSA_SHA384, "RSA PRIVATE KEY" },
	{ SIGN_KEY_P256, 256, SIGN_ECDSA_SHA256, "EC PRIVATE KEY" },
	{ SIGN_KEY_P384, 384, SIGN_ECDSA_SHA384, "EC PRIVATE KEY" },
	{ SIGN_KEY_P521, 521, SIGN_ECDSA_SHA512, "EC PRIVATE KEY" },
	{ SIGN_KEY_ED25519, 256, SIGN_ED25519, "PRIVATE KEY" },
};

static void
check_pem(const struct cfssl_key *key, const char *label)
{
	char *pem, first[64];
	EVP_PKEY *read;
	uint8_t *spki = NULL;
	BIO *bio;
	int len;

	assert_int_equal(cfssl_key_pem(key, &pem, NULL), OC_OK);
	(void)snprintf(first, sizeof(first), "-----BEGIN %s-----\n", label);
	assert_memory_equal(pem, first, strlen(first));
	/* One block: no EC PARAMETERS in front. */
	assert_null(strstr(pem + 1, "-----BEGIN"));
	assert_true(oc_pem_has_private_key(pem, strlen(pem)));
	bio = BIO_new_mem_buf(pem, -1);
	read = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
	assert_non_null(read);
	len = i2d_PUBKEY(read, &spki);
	assert_true(len > 0);
	assert_bytes_equal((struct der_bytes){ spki, (size_t)len },
	    cfssl_key_spki(key));
	OPENSSL_free(spki);
	EVP_PKEY_free(read);
	BIO_free(bio);
	cfssl_pem_free(pem);
}

static void
check_csr(const struct cfssl_key *key, enum sign_alg alg)
{
	struct cfssl_request *r = read_text("{\"CN\":\"c\",\"hosts\":"
	    "[\"a.de\",\"1.2.3.4\"],\"ca\":{\"pathlen\":1}}");
	struct x509_csr *csr = test_alloc(sizeof(*csr));
	struct oc_error error = { 0 };
	uint8_t *der;
	size_t len;

	assert_int_equal(cfssl_key_csr(key, r, &der, &len, &error), OC_OK);
	assert_int_equal(x509_csr_read((struct der_bytes){ der, len }, csr,
	    &error), OC_OK);
	assert_int_equal(x509_csr_verify(csr, &error), OC_OK);
	assert_int_equal(csr->alg, alg);
	assert_bytes_equal(csr->subject, test_name("CN=c"));
	assert_int_equal(csr->extensions.num_sans, 2);
	assert_int_equal(csr->extensions.ca, X509_IS_CA);
	assert_int_equal(csr->extensions.path_length, 1);
	free(der);
	cfssl_request_free(r);
}

static void
check_selfsigned(const struct cfssl_key *key, enum sign_key_type type)
{
	struct cfssl_request *r = read_text("{\"CN\":\"c\",\"hosts\":"
	    "[\"a.de\"]}");
	struct x509_cert *cert = test_alloc(sizeof(*cert));
	struct oc_error error = { 0 };
	uint8_t *der;
	size_t len;

	r->key_type = type;
	assert_int_equal(cfssl_selfsign(key, r, 1790000123, &der, &len,
	    &error), OC_OK);
	assert_int_equal(x509_cert_read((struct der_bytes){ der, len }, cert,
	    &error), OC_OK);
	assert_int_equal(x509_cert_verify_issued(cert, cert, &error), OC_OK);
	assert_false(x509_cert_is_ca(cert));
	assert_int_equal(cert->serial.len, 20);
	assert_int_equal(cert->not_before % 60, 0);
	assert_in_range(1790000123 - cert->not_before, 300, 359);
	assert_int_equal(cert->not_after - cert->not_before,
	    CFSSL_SELFSIGN_S - 1);
	assert_true(x509_cert_has_eku(cert, DER_OID_SERVER_AUTH));
	assert_true(x509_cert_has_eku(cert, DER_OID_CLIENT_AUTH));
	assert_int_equal(cert->extensions.key_usage, type == SIGN_KEY_RSA ?
	    X509_KU_DIGITAL_SIGNATURE | X509_KU_KEY_ENCIPHERMENT :
	    X509_KU_DIGITAL_SIGNATURE);
	assert_false(cert->extensions.is_san_critical);
	free(der);
	cfssl_request_free(r);
}

static void
test_every_type(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct oc_error error = { 0 };
		struct cfssl_key *key;

		assert_int_equal(cfssl_key_new(rows[i].type, rows[i].bits,
		    &key, &error), OC_OK);
		assert_int_equal(cfssl_key_alg(key), rows[i].alg);
		check_pem(key, rows[i].label);
		check_csr(key, rows[i].alg);
		check_selfsigned(key, rows[i].type);
		cfssl_key_free(key);
	}
}

static void
test_names_decide(void **state)
{
	struct cfssl_request *r = read_text("{}");
	struct x509_cert *cert = test_alloc(sizeof(*cert));
	const struct cfssl_place place = { .where = "h" };
	struct oc_error error = { 0 };
	struct cfssl_key *key;
	uint8_t *der;
	size_t len;

	(void)state;
	assert_int_equal(cfssl_key_new(SIGN_KEY_NONE, 0, &key, &error),
	    OC_ERR_INTERNAL);
	assert_int_equal(cfssl_key_new(SIGN_KEY_P256, 256, &key, &error),
	    OC_OK);
	assert_int_equal(cfssl_selfsign(key, r, 1790000000, &der, &len,
	    &error), OC_ERR_REFUSED);
	assert_int_equal(cfssl_request_add_host(r, &place, "a.de", &error),
	    OC_OK);
	assert_int_equal(cfssl_selfsign(key, r, 1790000000, &der, &len,
	    &error), OC_OK);
	assert_int_equal(x509_cert_read((struct der_bytes){ der, len }, cert,
	    &error), OC_OK);
	assert_true(cert->extensions.is_san_critical);
	free(der);
	/* Neither a name nor a host: [0] is there, and empty. */
	assert_int_equal(cfssl_request_set_hosts(r, "h", "b.de", &error),
	    OC_OK);
	cfssl_request_free(r);
	r = read_text("{}");
	assert_int_equal(cfssl_key_csr(key, r, &der, &len, &error), OC_OK);
	assert_non_null(memmem(der, len, "\xa0\x00", 2));
	free(der);
	cfssl_request_free(r);
	cfssl_key_free(key);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_type),
		cmocka_unit_test(test_names_decide),
	};

	return cmocka_run_group_tests(tests, NULL, test_free_all);
}
