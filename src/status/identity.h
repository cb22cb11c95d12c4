/* SPDX-License-Identifier: Apache-2.0 */
/* The identity in an [issuer NAME]'s responses, from its files. */
#ifndef STATUS_IDENTITY_H
#define STATUS_IDENTITY_H

#include "base/config.h"
#include "ocsp/answer.h"
#include "ocsp/identity.h"
#include "sign/verify.h"

/* From the issuer's certificate and, if it is another, its OCSP signer's.
 * *identity is for free().  Errors name the file. */
enum oc_err status_identity_load(const struct oc_config_ocsp *config,
    struct ocsp_identity **identity, struct oc_error *error) OC_MUST_CHECK;
/* What writes these responses again, and verifies them: with the key of the
 * certificate in path. */
enum oc_err status_identity_verifier(const char *path,
    const struct ocsp_identity *identity, struct ocsp_context **context,
    struct sign_verifier **verifier, struct oc_error *error) OC_MUST_CHECK;

#endif
