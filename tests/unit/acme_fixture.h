/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of acme/ share: keys as JSON, and JWS as a client makes them.
 * Anything that fails in here ends the test; what is returned is the caller's
 * to free.
 */
#ifndef ACME_FIXTURE_H
#define ACME_FIXTURE_H

#include "x509_test.h"

#include "acme/jws.h"

/* The key of test_key() that an algorithm is for: "P-256"; NULL: a MAC's. */
const char *acme_test_key(enum acme_alg alg);
/* It as a JWK, compact, members sorted. */
char *acme_test_jwk(const char *type);
char *acme_test_base64url(const void *bytes, size_t len);
/* Signed as alg has it, whatever the header says; secret is a MAC's key. */
char *acme_test_signature(enum acme_alg alg, const char *input,
    const char *secret);
/* {"protected", "payload", "signature"} of these texts. */
char *acme_test_jws(enum acme_alg alg, const char *header,
    const char *payload, const char *secret);

/* The text with a key as a JWK in place of its $. */
char *acme_test_header(const char *format, const char *type);

#endif
