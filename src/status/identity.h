/* SPDX-License-Identifier: Apache-2.0 */
/* The identity in an [issuer NAME]'s responses, from its files. */
#ifndef STATUS_IDENTITY_H
#define STATUS_IDENTITY_H

#include "base/config.h"
#include "ocsp/identity.h"

/* From the issuer's certificate and, if it is another, its OCSP signer's.
 * *identity is for free().  Errors name the file. */
enum oc_err status_identity_load(const struct oc_config_ocsp *config,
    struct ocsp_identity **identity, struct oc_error *error) OC_MUST_CHECK;

#endif
