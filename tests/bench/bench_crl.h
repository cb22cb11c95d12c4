/* SPDX-License-Identifier: Apache-2.0 */
/* A list by OpenSSL's X509_CRL API, to be compared with. */
#ifndef TESTS_BENCH_BENCH_CRL_H
#define TESTS_BENCH_BENCH_CRL_H

#include "x509/crl.h"

#include <openssl/x509.h>

/* entries are added one by one; tbs->entries is not looked at. */
X509_CRL *openssl_crl_new(const struct x509_crl_tbs *tbs);
void openssl_crl_add(X509_CRL *crl, const struct x509_crl_entry *entry);
/* Sorted and signed as "openssl ca -gencrl" does; the DER is for
 * OPENSSL_free(). */
void openssl_crl_sign(X509_CRL *crl, EVP_PKEY *key, unsigned char **der,
    size_t *len);

#endif
