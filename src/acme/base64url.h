/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base64url as JOSE and ACME have it (RFC 7515, 2; RFC 8555, 6.1): without
 * padding, and one text for the same octets.
 */
#ifndef ACME_BASE64URL_H
#define ACME_BASE64URL_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Characters, without the NUL. */
#define ACME_BASE64URL_LEN(len) (((len) * 4 + 2) / 3)

/* A NUL stands behind it. */
void acme_base64url_encode(const void *bytes, size_t len, char *text);

/* MALFORMED: another character, padding, a length that none has, bits that no
 * octet has.  NO_SPACE: more than max octets; nothing was looked at. */
enum oc_err acme_base64url_decode(const char *text, size_t text_len,
    uint8_t *bytes, size_t max, size_t *len) OC_MUST_CHECK;

#endif
