/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "cfssl selfsign": a certificate that a new key signs for itself, for
 * servers and clients, three months long.  No CA stands behind it, and
 * nobody can revoke it.
 */
#ifndef CFSSL_SELFSIGN_H
#define CFSSL_SELFSIGN_H

#include "cfssl/key.h"

/* 2190 hours. */
#define CFSSL_SELFSIGN_S (INT64_C(2190) * 3600)

/* The certificate, valid from five minutes before now, for free().  REFUSED
 * without a host. */
enum oc_err cfssl_selfsign(const struct cfssl_key *key,
    const struct cfssl_request *request, int64_t now, uint8_t **der,
    size_t *der_len, struct oc_error *error) OC_MUST_CHECK;

#endif
