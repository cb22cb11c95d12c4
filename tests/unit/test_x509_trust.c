/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whom a certificate leads to: the rules of a path that libcrypto keeps for
 * us are kept, and what is too large for us is never begun.
 */
#include "x509_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>

#include "base/clock.h"
#include "base/limits.h"
#include "x509/trust.h"

static char path[] = "/tmp/ocsign-trust-XXXXXX";
static X509 *root;

struct plan {
	const char *subject;
	EVP_PKEY *key;
	X509 *issuer;		/* NULL: itself */
	EVP_PKEY *issuer_key;
	const char *constraints, *usage, *san, *names;	/* NULL: none */
	const EVP_MD *md;	/* NULL: SHA-256 */
};

static void
add(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509_EXTENSION *extension;
	X509V3_CTX context;

	if (value == NULL)
		return;
	X509V3_set_ctx(&context, issuer, cert, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	assert_non_null(extension);
	assert_int_equal(X509_add_ext(cert, extension, -1), 1);
	X509_EXTENSION_free(extension);
}

static X509 *
make(struct plan p)
{
	X509 *cert = X509_new(), *issuer = p.issuer == NULL ? cert : p.issuer;

	assert_int_equal(X509_set_version(cert, X509_VERSION_3), 1);
	assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(cert), 7), 1);
	X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
	X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
	assert_int_equal(X509_NAME_add_entry_by_txt(
	    X509_get_subject_name(cert), "CN", MBSTRING_ASC,
	    (const unsigned char *)p.subject, -1, -1, 0), 1);
	assert_int_equal(X509_set_issuer_name(cert,
	    X509_get_subject_name(issuer)), 1);
	assert_int_equal(X509_set_pubkey(cert, p.key), 1);
	add(cert, issuer, NID_basic_constraints, p.constraints);
	add(cert, issuer, NID_key_usage, p.usage);
	add(cert, issuer, NID_subject_alt_name, p.san);
	add(cert, issuer, NID_name_constraints, p.names);
	assert_true(X509_sign(cert, p.issuer == NULL ? p.key : p.issuer_key,
	    p.md == NULL ? EVP_sha256() : p.md) > 0);
	return cert;
}

static void
write_file(const void *octets, size_t len)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(octets, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

static void
write_pem(X509 *cert)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(PEM_write_X509(f, cert), 1);
	assert_int_equal(fclose(f), 0);
}

static int
setup(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	root = make((struct plan){ .subject = "Root", .key = test_key("P-384"),
	    .constraints = "critical,CA:TRUE",
	    .usage = "critical,keyCertSign" });
	return 0;
}

static int
teardown(void **state)
{
	X509_free(root);
	unlink(path);
	return test_free_all(state);
}

/* These, the first in question; each is freed. */
static enum oc_err
check(int64_t later_s, X509 *leaf, X509 *above, struct oc_error *error)
{
	struct der_bytes a = test_i2d_x509(leaf), b = { NULL, 0 }, both;
	struct x509_trust *trust;
	uint8_t *octets;
	enum oc_err err;

	if (above != NULL)
		b = test_i2d_x509(above);
	octets = malloc(a.len + b.len);
	assert_non_null(octets);
	memcpy(octets, a.p, a.len);
	if (b.len != 0)
		memcpy(octets + a.len, b.p, b.len);
	both = (struct der_bytes){ octets, a.len + b.len };
	write_pem(root);
	memset(error, 0, sizeof(*error));
	if (x509_trust_load(path, &trust, error) != OC_OK)
		fail_msg("%s", error->text);
	err = x509_trust_check(trust, both, oc_clock_now_s() + later_s,
	    error);
	x509_trust_free(trust);
	free(octets);
	X509_free(leaf);
	X509_free(above);
	return err;
}

static X509 *
intermediate(const char *constraints, const char *names)
{
	return make((struct plan){ .subject = "Sub", .key = test_key("P-256"),
	    .issuer = root, .issuer_key = test_key("P-384"),
	    .constraints = constraints, .names = names });
}

static X509 *
leaf_below(X509 *issuer, const char *issuer_key, const char *key,
    const char *san)
{
	return make((struct plan){ .subject = "Leaf", .key = test_key(key),
	    .issuer = issuer, .issuer_key = test_key(issuer_key),
	    .san = san });
}

static void
test_paths(void **state)
{
	struct oc_error e;
	X509 *sub;

	(void)state;
	assert_int_equal(check(0, leaf_below(root, "P-384", "P-521", NULL),
	    NULL, &e), OC_OK);
	assert_int_equal(check(0, leaf_below(root, "P-384", "ED25519", NULL),
	    NULL, &e), OC_OK);
	assert_int_equal(check(3700, leaf_below(root, "P-384", "P-256", NULL),
	    NULL, &e), OC_ERR_REFUSED);
	assert_int_equal(check(-3700, leaf_below(root, "P-384", "P-256",
	    NULL), NULL, &e), OC_ERR_REFUSED);
	sub = intermediate("critical,CA:TRUE,pathlen:0", NULL);
	assert_int_equal(check(0, leaf_below(sub, "P-256", "RSA2048", NULL),
	    sub, &e), OC_OK);
	/* No CA; and one below another that may have none below it. */
	sub = intermediate("critical,CA:FALSE", NULL);
	assert_int_equal(check(0, leaf_below(sub, "P-256", "P-256", NULL),
	    sub, &e), OC_ERR_REFUSED);
	sub = intermediate(NULL, NULL);
	assert_int_equal(check(0, leaf_below(sub, "P-256", "P-256", NULL),
	    sub, &e), OC_ERR_REFUSED);
	/* keyCertSign alone makes no CA: RFC 5280, 6.1.4 (k). */
	sub = make((struct plan){ .subject = "Sub", .key = test_key("P-256"),
	    .issuer = root, .issuer_key = test_key("P-384"),
	    .usage = "critical,keyCertSign" });
	assert_int_equal(check(0, leaf_below(sub, "P-256", "P-256", NULL),
	    sub, &e), OC_ERR_REFUSED);
	/* nameConstraints */
	sub = intermediate("critical,CA:TRUE", "critical,permitted;DNS:a.b");
	assert_int_equal(check(0, leaf_below(sub, "P-256", "P-256",
	    "DNS:x.a.b"), sub, &e), OC_OK);
	sub = intermediate("critical,CA:TRUE", "critical,permitted;DNS:a.b");
	assert_int_equal(check(0, leaf_below(sub, "P-256", "P-256",
	    "DNS:x.a.c"), sub, &e), OC_ERR_REFUSED);
}

/* What others have long stopped to believe. */
static void
test_weak(void **state)
{
	EVP_PKEY *small = EVP_RSA_gen(1024);
	struct oc_error e;

	(void)state;
	assert_non_null(small);
	assert_int_equal(check(0, make((struct plan){ .subject = "Leaf",
	    .key = small, .issuer = root, .issuer_key = test_key("P-384") }),
	    NULL, &e), OC_ERR_REFUSED);
	assert_int_equal(check(0, make((struct plan){ .subject = "Leaf",
	    .key = test_key("P-256"), .issuer = root,
	    .issuer_key = test_key("P-384"), .md = EVP_sha1() }), NULL, &e),
	    OC_ERR_REFUSED);
	EVP_PKEY_free(small);
}

/* A modulus that would take long: any odd number will do for one. */
static void
test_large(void **state)
{
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	BIGNUM *n = BN_new(), *exponent = BN_new();
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	EVP_PKEY *large = NULL;
	OSSL_PARAM *params;
	struct oc_error e;

	(void)state;
	assert_int_equal(BN_set_bit(n, OC_RSA_BITS_MAX), 1);
	assert_int_equal(BN_set_bit(n, 0), 1);
	assert_int_equal(BN_set_word(exponent, 65537), 1);
	assert_int_equal(OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N,
	    n), 1);
	assert_int_equal(OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E,
	    exponent), 1);
	params = OSSL_PARAM_BLD_to_param(build);
	assert_int_equal(EVP_PKEY_fromdata_init(ctx), 1);
	assert_int_equal(EVP_PKEY_fromdata(ctx, &large, EVP_PKEY_PUBLIC_KEY,
	    params), 1);
	assert_int_equal(check(0, make((struct plan){ .subject = "Leaf",
	    .key = large, .issuer = root, .issuer_key = test_key("P-384") }),
	    NULL, &e), OC_ERR_LIMIT);
	EVP_PKEY_free(large);
	EVP_PKEY_CTX_free(ctx);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(build);
	BN_free(n);
	BN_free(exponent);
}

static void
expect_no_load(enum oc_err err, const char *why)
{
	struct x509_trust *trust;
	struct oc_error e = { 0 };

	assert_int_equal(x509_trust_load(path, &trust, &e), err);
	if (strstr(e.text, why) == NULL || strstr(e.text, path) == NULL)
		fail_msg("\"%s\" says nothing of \"%s\"", e.text, why);
}

static void
test_files(void **state)
{
	static const char not_one[] = "-----BEGIN CERTIFICATE-----\n"
	    "MAMCAQE=\n-----END CERTIFICATE-----\n";
	struct x509_trust *trust;
	struct oc_error e;

	(void)state;
	write_file("", 0);
	expect_no_load(OC_ERR_MALFORMED, "0 certificates");
	write_file(not_one, strlen(not_one));
	expect_no_load(OC_ERR_MALFORMED, "not well-formed");
	unlink(path);
	expect_no_load(OC_ERR_NOT_FOUND, "");
	write_pem(root);
	assert_int_equal(x509_trust_load(path, &trust, &e), OC_OK);
	assert_int_equal(x509_trust_check(trust, (struct der_bytes){ NULL,
	    0 }, 0, &e), OC_ERR_REFUSED);
	assert_int_equal(x509_trust_check(trust, (struct der_bytes){
	    (const uint8_t *)"\x30\x00\x02", 3 }, 0, &e), OC_ERR_MALFORMED);
	x509_trust_free(trust);
	x509_trust_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_weak),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_files),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
