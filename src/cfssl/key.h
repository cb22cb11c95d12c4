/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A new key of an applicant's own, in memory: what "cfssl genkey" makes.  It
 * signs its request, and a certificate that says no more than itself.  Never
 * a CA's of ours: those are behind struct signer.
 */
#ifndef CFSSL_KEY_H
#define CFSSL_KEY_H

#include "base/err.h"
#include "cfssl/request.h"
#include "der/writer.h"
#include "sign/alg.h"

struct cfssl_key;

/* RSA-8192 takes many seconds.  For cfssl_key_free(), which overwrites it. */
enum oc_err cfssl_key_new(enum sign_key_type type, unsigned int bits,
    struct cfssl_key **key, struct oc_error *error) OC_MUST_CHECK;
void cfssl_key_free(struct cfssl_key *key);	/* NULL is fine */

struct der_bytes cfssl_key_spki(const struct cfssl_key *key);
/* What CFSSL signs with: RSA from 3072 bits on with SHA-384, from 4096 on
 * with SHA-512; a curve with the hash of its size. */
enum sign_alg cfssl_key_alg(const struct cfssl_key *key);

/* What a writer writes, for free(). */
enum oc_err cfssl_encode(der_put_fn *put, const void *arg, uint8_t **der,
    size_t *der_len, struct oc_error *error) OC_MUST_CHECK;

/* { tbs, algorithm, signature }, for free(); the signature has been
 * verified. */
enum oc_err cfssl_key_sign(const struct cfssl_key *key, struct der_bytes tbs,
    uint8_t **der, size_t *der_len, struct oc_error *error) OC_MUST_CHECK;
/* The CertificationRequest, for free(). */
enum oc_err cfssl_key_csr(const struct cfssl_key *key,
    const struct cfssl_request *request, uint8_t **der, size_t *der_len,
    struct oc_error *error) OC_MUST_CHECK;

/*
 * In PEM as CFSSL labels it: RSA PRIVATE KEY (RFC 8017), EC PRIVATE KEY (RFC
 * 5915); Ed25519 is PRIVATE KEY (RFC 8410), which all readers know, and not
 * CFSSL's own label.  For cfssl_pem_free(), which overwrites it.
 */
enum oc_err cfssl_key_pem(const struct cfssl_key *key, char **pem,
    struct oc_error *error) OC_MUST_CHECK;
void cfssl_pem_free(char *pem);		/* NULL is fine */

#endif
