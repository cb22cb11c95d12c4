/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Certificates, requests and lists as people keep them: a file in PEM
 * (RFC 7468) or DER.  A file with a private key in it is refused by name.
 */
#ifndef X509_FILE_H
#define X509_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/spool.h"

enum x509_file_kind { X509_FILE_CERTIFICATE, X509_FILE_CSR, X509_FILE_CRL };

/*
 * The first object of this kind; of requests there may be only one.  "-" is
 * standard input.  *der is for free().
 * NOT_FOUND: no such file.  REFUSED: there is a private key in it, and what
 * was read is overwritten.  MALFORMED: neither PEM nor DER, PEM of something
 * else, which the error names, or several requests.
 * What DER holds is not looked at beyond its outermost SEQUENCE.
 */
enum oc_err x509_file_read(const char *path, enum x509_file_kind kind,
    uint8_t **der, size_t *der_len, struct oc_error *error) OC_MUST_CHECK;

/* The same from octets in memory; where names them in errors.  After REFUSED
 * the caller overwrites them: there is a private key in them. */
enum oc_err x509_file_parse(const char *where, const uint8_t *octets,
    size_t len, enum x509_file_kind kind, uint8_t **der, size_t *der_len,
    struct oc_error *error) OC_MUST_CHECK;

/* The same from octets that are not in memory of one's own, to such; *file is
 * taken over if it is DER.  No requests. */
enum oc_err x509_file_parse_mapped(const char *where, struct oc_mapping *file,
    enum x509_file_kind kind, struct oc_mapping *der, struct oc_error *error)
    OC_MUST_CHECK;

/* Is there a private key in it?  In PEM, one of any sort; in DER one of
 * PKCS#8, encrypted or not, RSA, EC or DSA, or PKCS#12, which is for them;
 * also one that is cut off. */
bool x509_file_has_private_key(const uint8_t *octets, size_t len);

/* Every certificate of a PEM file, end to end in DER; at most OC_CHAIN_MAX.
 * *der is for free(). */
enum oc_err x509_file_read_chain(const char *path, uint8_t **der,
    size_t *der_len, struct oc_error *error) OC_MUST_CHECK;

#endif
