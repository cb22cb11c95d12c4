/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A certificate serial number (RFC 5280, 4.1.2.2) as the content octets of
 * its DER INTEGER: big-endian, minimal, positive, 1 to 20 octets.
 */
#ifndef BASE_SERIAL_H
#define BASE_SERIAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define OC_SERIAL_MAX 20		/* octets: RFC 5280, 4.1.2.2 */
#define OC_SERIAL_TEXT_MAX (2 * OC_SERIAL_MAX + 1)

struct oc_serial {
	uint8_t bytes[OC_SERIAL_MAX];	/* unused ones are zero */
	uint8_t len;
};

/* From INTEGER content octets.  MALFORMED when empty, not minimal, negative
 * or zero; LIMIT over 20 octets. */
enum oc_err oc_serial_from_bytes(const uint8_t *bytes, size_t len,
    struct oc_serial *serial) OC_MUST_CHECK;

/*
 * From what people type: "0x1A", "1a:2b:3c", "1A2B" (hex as openssl prints
 * it), or decimal.  A string of digits alone is decimal if it does not start
 * with 0 and has no more than 48 digits; "0x" forces hex.
 * An upper- or lower-case even-length hex string with a letter is hex.
 * The error text says how to write it unambiguously.
 */
enum oc_err oc_serial_parse(const char *text, struct oc_serial *serial,
    struct oc_error *error) OC_MUST_CHECK;

/* Upper-case hex without separators, as "openssl x509 -serial" prints. */
void oc_serial_format(const struct oc_serial *serial,
    char text[OC_SERIAL_TEXT_MAX]);

bool oc_serial_equal(const struct oc_serial *a, const struct oc_serial *b);

#endif
