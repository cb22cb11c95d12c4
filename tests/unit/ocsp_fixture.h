/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of ocsp/ share: certificates and an identity made by
 * OpenSSL, and a plain builder of DER, right or wrong, that is none of ours.
 */
#ifndef TESTS_UNIT_OCSP_FIXTURE_H
#define TESTS_UNIT_OCSP_FIXTURE_H

/* Ours first: OpenSSL's CRL_REASON_... are macros of the same names. */
#include "ocsp/answer.h"
#include "tests/unit/der_test.h"

#include <openssl/evp.h>
#include <openssl/ocsp.h>
#include <openssl/x509.h>

struct blob {
	uint8_t bytes[20480];	/* more than a signed request may have */
	size_t len;
};

/* "30 00" */
struct blob blob_hex(const char *hex);
struct blob blob_of(struct der_bytes bytes);
/* a || b, a || b || c */
struct blob blob_join(struct blob a, struct blob b);
struct blob blob_join3(struct blob a, struct blob b, struct blob c);
/* tag, minimal length, contents */
struct blob blob_wrap(uint8_t tag, struct blob contents);
struct der_bytes blob_bytes(const struct blob *blob);

EVP_PKEY *fixture_key(const char *curve);
enum fixture_kind {
	FIXTURE_CA,
	FIXTURE_DELEGATE,		/* OCSPSigning and nocheck */
	FIXTURE_DELEGATE_CHECKED,	/* without nocheck */
	FIXTURE_LEAF
};
/* issuer NULL: self-signed. */
X509 *fixture_cert(const char *name, EVP_PKEY *key, enum fixture_kind kind,
    X509 *issuer, EVP_PKEY *issuer_key);
struct blob fixture_cert_der(X509 *cert);

/* P-256 identity of a CA that signs itself, hashed by OpenSSL. */
void fixture_identity(X509 *issuer, struct ocsp_identity *identity);

const char *fixture_hash_name(enum ocsp_hash hash);
/* hashAlgorithm, issuerNameHash, issuerKeyHash, by OpenSSL's hashes */
struct blob fixture_prefix(X509 *issuer, uint8_t encoding);
/* CertID with these INTEGER contents. */
struct blob fixture_certid(X509 *issuer, uint8_t encoding,
    const char *serial_hex);
/* Request { reqCert } */
struct blob fixture_single(X509 *issuer, uint8_t encoding,
    const char *serial_hex);
/* An OCSPRequest of these Requests, and extensions' TLVs if len is not 0. */
struct blob fixture_request(struct blob singles, struct blob extensions);
/* Extension; critical_hex is "" or a BOOLEAN's TLV. */
struct blob fixture_extension(enum der_oid oid, const char *critical_hex,
    struct blob value);
/* A nonce of len octets, wrapped as RFC 9654 has it. */
struct blob fixture_nonce(size_t len);

struct oc_serial fixture_serial(const char *hex);

#endif
