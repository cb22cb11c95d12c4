/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A CSR from octets that a stranger sent to one whose signature is good: the
 * checks that need no profile, each with its rule.
 */
#ifndef CA_CSR_H
#define CA_CSR_H

#include "ca/explain.h"
#include "x509/csr.h"

/*
 * PEM or DER, at most twice OC_CSR_MAX octets, which where names in errors.
 * A private key among them is CSR_PRIVATE_KEY, and then they are overwritten;
 * too much is CSR_LIMIT, before anything is parsed; what is no CSR is
 * CSR_MALFORMED; one that its own key did not sign, or with SHA-1,
 * CSR_SIGNATURE; a key that cannot be one of ours KEY_UNFIT.
 * *der is for free(); csr borrows it.
 */
enum oc_err ca_csr_parse(const char *where, uint8_t *octets, size_t len,
    uint8_t **der, struct x509_csr *csr, struct ca_explanation *explanation,
    struct oc_error *error) OC_MUST_CHECK;

/* The same from a file; "-" is standard input.  NOT_FOUND, SYSTEM: no rule. */
enum oc_err ca_csr_read(const char *path, uint8_t **der, struct x509_csr *csr,
    struct ca_explanation *explanation, struct oc_error *error)
    OC_MUST_CHECK;

#endif
