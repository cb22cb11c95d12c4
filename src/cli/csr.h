/* SPDX-License-Identifier: Apache-2.0 */
/* Making and reading certification requests. */
#ifndef CLI_CSR_H
#define CLI_CSR_H

#include "cli/work.h"
#include "x509/csr.h"

/*
 * The CertificationRequest for a key of cli_need_key() or cli_need_csr_key(),
 * signed by it.  *der is for free().
 */
enum oc_err cli_csr_sign(const struct cli *cli, const char *key,
    struct der_bytes subject, const struct x509_extensions *extensions,
    uint8_t **der, size_t *der_len, struct oc_error *error) OC_MUST_CHECK;

/* In PEM, to the file that this option names or standard output; with --json
 * what it asks for as well. */
enum oc_err cli_csr_put(const struct cli *cli, const char *option,
    struct der_bytes der, struct oc_error *error) OC_MUST_CHECK;

/* Read from a file, with its signature checked; *der is for free() and csr
 * borrows it. */
enum oc_err cli_csr_read(const char *path, uint8_t **der,
    struct x509_csr *csr, struct oc_error *error) OC_MUST_CHECK;

extern const struct cli_option cli_csr_create_options[];
enum oc_err cli_csr_create(struct cli *cli, struct oc_error *error);

#endif
