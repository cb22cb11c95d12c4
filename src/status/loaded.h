/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One OCSP response that was signed elsewhere, from its file to a slot of the
 * table.  Strict: what is taken is checked against RFC 6960, 3.2, as a client
 * would, and is what our own writer makes of the slot, octet for octet.
 */
#ifndef STATUS_LOADED_H
#define STATUS_LOADED_H

#include "base/config.h"
#include "ocsp/answer.h"

/* What all responses of an issuer are held against. */
struct status_loader;

/* Reads the issuer's certificates; identity is borrowed and what they make.
 * Errors name the file. */
enum oc_err status_loader_new(const struct oc_config_issuer *issuer,
    const struct ocsp_identity *identity, struct status_loader **loader,
    struct oc_error *error) OC_MUST_CHECK;
void status_loader_free(struct status_loader *loader);	/* NULL: fine */

/*
 * der: a whole OCSPResponse.  MALFORMED, UNSUPPORTED, MISMATCH, SIGNATURE or
 * REFUSED, with the reason and what to do: no such response, or none of
 * id-pkix-ocsp-basic, of another CA or signer, not valid now, or not one that
 * the table can give back as it is.
 */
enum oc_err status_loader_read(const struct status_loader *loader,
    struct der_bytes der, int64_t now, struct ocsp_slot *slot,
    struct oc_error *error) OC_MUST_CHECK;

#endif
