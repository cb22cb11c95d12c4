/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of x509/ share: keys and structures made by OpenSSL, plans
 * drawn at random from a fixed seed, and the same plan built by OpenSSL.
 * Anything that fails in here ends the test.
 */
#ifndef X509_TEST_H
#define X509_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "x509/cert.h"
#include "x509/crl.h"
#include "x509/csr.h"
#include "x509/ext.h"
#include "x509/name.h"
#include "x509/spki.h"
#include "x509/tbs.h"

/* Behind ours: its CRL_REASON_ macros have the names of our enum. */
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* xorshift64*: the same numbers everywhere. */
uint64_t test_random(uint64_t *seed);
/* 0 .. below - 1 */
uint32_t test_random_below(uint64_t *seed, uint32_t below);

/* "RSA2048", "P-256", "P-384", "P-521", "ED25519"; made once, kept. */
EVP_PKEY *test_key(const char *type);
/* The SubjectPublicKeyInfo of a key; kept. */
struct der_bytes test_spki(const char *type);

/* i2d of any OpenSSL type, in memory that test_free_all() frees. */
struct der_bytes test_i2d(int len, uint8_t *bytes);
struct der_bytes test_i2d_x509(const X509 *x);
struct der_bytes test_i2d_req(const X509_REQ *req);
struct der_bytes test_i2d_crl(const X509_CRL *crl);
struct der_bytes test_i2d_name(const X509_NAME *name);
/* Memory that lives until test_free_all(). */
void *test_alloc(size_t size);
int test_free_all(void **state);

/* A Name by x509_name_parse(). */
struct der_bytes test_name(const char *text);
/* What the writer makes of arg. */
struct der_bytes test_write(der_put_fn *put, const void *arg);
/* tbs signed by OpenSSL, as x509_put_signed() wraps it. */
struct der_bytes test_sign(struct der_bytes tbs, const char *key,
    enum sign_alg alg);

/* A plan of a certificate; seed decides all of it.  Its octets live until
 * test_free_all(). */
void test_plan(uint64_t *seed, struct x509_tbs *tbs);
/* The extensions of a plan, in OpenSSL's structures and our order. */
STACK_OF(X509_EXTENSION) *test_openssl_extensions(
    const struct x509_extensions *e);
/* The TBSCertificate of a plan as OpenSSL writes it. */
struct der_bytes test_openssl_tbs(const struct x509_tbs *tbs);

/* Fails unless both say the same. */
void assert_bytes_equal(struct der_bytes got, struct der_bytes want);
void assert_extensions_equal(const struct x509_extensions *got,
    const struct x509_extensions *want);

#endif
