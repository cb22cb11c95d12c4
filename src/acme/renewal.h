/* SPDX-License-Identifier: Apache-2.0 */
/* When to renew, and how a certificate is named for that (RFC 9773, 4).
 * Pure. */
#ifndef ACME_RENEWAL_H
#define ACME_RENEWAL_H

#include "base/err.h"
#include "base/serial.h"
#include "der/bytes.h"

struct acme_window {
	int64_t start, end;
};
/* Around two thirds of a life, half of one below ten days; revoked_at 0: it
 * is not.  One that is revoked should have been renewed before now. */
void acme_window_of(int64_t not_before, int64_t not_after, int64_t revoked_at,
    struct acme_window *window);

#define ACME_CERTIFICATE_ID_MAX 128
#define ACME_KEY_ID_MAX 64
/* The authority key identifier and the serial number, in base64url. */
struct acme_certificate_id {
	uint8_t key_id[ACME_KEY_ID_MAX];
	size_t key_id_len;
	struct oc_serial serial;
};
enum oc_err acme_certificate_id_parse(const char *text,
    struct acme_certificate_id *id) OC_MUST_CHECK;
/* A key identifier of ACME_KEY_ID_MAX octets at most. */
void acme_certificate_id_format(struct der_bytes key_id,
    const struct oc_serial *serial, char text[ACME_CERTIFICATE_ID_MAX]);

#endif
