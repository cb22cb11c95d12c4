/* SPDX-License-Identifier: Apache-2.0 */
#include "base/serial.h"

#include <string.h>

#include "base/bytes.h"

/* 2^159 - 1, the largest, has 48 decimal digits. */
#define DECIMAL_DIGITS_MAX 48
/* What an error text shows of a longer string. */
#define SHOWN_MAX 64

enum oc_err
oc_serial_from_bytes(const uint8_t *bytes, size_t len,
    struct oc_serial *serial)
{
	struct oc_serial s = { .len = 0 };

	if (len == 0)
		return OC_ERR_MALFORMED;
	if ((bytes[0] & 0x80) != 0)		/* negative */
		return OC_ERR_MALFORMED;
	if (bytes[0] == 0 && (len == 1 || (bytes[1] & 0x80) == 0))
		return OC_ERR_MALFORMED;	/* zero, or not minimal */
	if (len > OC_SERIAL_MAX)
		return OC_ERR_LIMIT;
	memcpy(s.bytes, bytes, len);
	s.len = (uint8_t)len;
	*serial = s;
	return OC_OK;
}

/* From a number without sign, any leading zeros; makes it minimal. */
static enum oc_err
from_magnitude(const uint8_t *bytes, size_t len, struct oc_serial *serial)
{
	uint8_t content[OC_SERIAL_MAX + 1];
	size_t pad;

	while (len > 0 && bytes[0] == 0) {
		bytes++;
		len--;
	}
	if (len == 0)
		return OC_ERR_MALFORMED;
	pad = (bytes[0] & 0x80) != 0;
	if (len + pad > OC_SERIAL_MAX)
		return OC_ERR_LIMIT;
	content[0] = 0;
	memcpy(content + pad, bytes, len);
	return oc_serial_from_bytes(content, len + pad, serial);
}

/* Hex digits only, an odd number too.  MALFORMED at anything else. */
static enum oc_err
parse_hex(const char *text, struct oc_serial *serial)
{
	uint8_t bytes[OC_SERIAL_MAX + 1] = { 0 };
	size_t num = 0, half;

	if (text[0] == '\0' || text[strspn(text, "0123456789abcdefABCDEF")])
		return OC_ERR_MALFORMED;
	text += strspn(text, "0");
	num = strlen(text);
	if (num > 2 * OC_SERIAL_MAX)
		return OC_ERR_LIMIT;
	/* Filled from the right. */
	half = 2 * sizeof(bytes) - num;
	for (; *text != '\0'; text++, half++)
		bytes[half / 2] |= (uint8_t)((unsigned)oc_hex_value(*text) <<
		    (half % 2 == 0 ? 4 : 0));
	return from_magnitude(bytes, sizeof(bytes), serial);
}

/* "1a:2b:3c": two digits each. */
static enum oc_err
parse_colons(const char *text, struct oc_serial *serial)
{
	uint8_t bytes[OC_SERIAL_MAX + 1];
	size_t len = 0;

	for (;;) {
		int high = oc_hex_value(text[0]);
		int low = high < 0 ? -1 : oc_hex_value(text[1]);

		if (low < 0)
			return OC_ERR_MALFORMED;
		if (len == sizeof(bytes))
			return OC_ERR_LIMIT;
		bytes[len++] = (uint8_t)(high << 4 | low);
		text += 2;
		if (*text == '\0')
			return from_magnitude(bytes, len, serial);
		if (*text++ != ':')
			return OC_ERR_MALFORMED;
	}
}

/* Digits only, not starting with 0. */
static enum oc_err
parse_decimal(const char *text, struct oc_serial *serial)
{
	/* 10^48 - 1 needs 160 bits: it fits. */
	uint8_t bytes[OC_SERIAL_MAX] = { 0 };

	if (strlen(text) > DECIMAL_DIGITS_MAX)
		return OC_ERR_LIMIT;
	for (; *text != '\0'; text++) {
		unsigned carry = (unsigned)(*text - '0');

		for (size_t i = sizeof(bytes); i-- > 0;) {
			carry += bytes[i] * 10u;
			bytes[i] = (uint8_t)(carry & 0xff);
			carry >>= 8;
		}
	}
	return from_magnitude(bytes, sizeof(bytes), serial);
}

static enum oc_err
parse_error(enum oc_err err, const char *text, struct oc_error *error)
{
	if (err == OC_ERR_LIMIT)
		return oc_error_set(error, err,
		    "serial number \"%.*s\" is too large: 20 octets at most "
		    "(RFC 5280, 4.1.2.2)", SHOWN_MAX, text);
	return oc_error_set(error, err,
	    "\"%.*s\" is no serial number; write 0x1A2B or 1A:2B for "
	    "hexadecimal, 6699 for decimal, and not zero", SHOWN_MAX, text);
}

enum oc_err
oc_serial_parse(const char *text, struct oc_serial *serial,
    struct oc_error *error)
{
	size_t len = strlen(text);
	enum oc_err err;

	if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
		err = parse_hex(text + 2, serial);
	} else if (strchr(text, ':') != NULL) {
		err = parse_colons(text, serial);
	} else if (len > 0 && strspn(text, "0123456789") == len) {
		/* "0010" is 16 to openssl and ten to most people. */
		if (text[0] == '0' && len > 1)
			return oc_error_set(error, OC_ERR_MALFORMED,
			    "serial number \"%.*s\" may be hexadecimal or "
			    "decimal; write 0x%.*s for hexadecimal, or "
			    "without the leading zeros for decimal", SHOWN_MAX,
			    text, SHOWN_MAX, text);
		err = parse_decimal(text, serial);
	} else if (len % 2 != 0 &&
	    strspn(text, "0123456789abcdefABCDEF") == len) {
		return oc_error_set(error, OC_ERR_MALFORMED,
		    "serial number \"%.*s\" has an odd number of digits: is "
		    "one missing?  Write 0x%.*s if not", SHOWN_MAX, text,
		    SHOWN_MAX, text);
	} else {
		err = parse_hex(text, serial);
	}
	if (err != OC_OK)
		return parse_error(err, text, error);
	return OC_OK;
}

void
oc_serial_format(const struct oc_serial *serial, char text[OC_SERIAL_TEXT_MAX])
{
	static const char digits[] = "0123456789ABCDEF";
	size_t i = 0, n = 0;

	/* The octet that only carries the sign is not printed. */
	if (serial->len > 1 && serial->bytes[0] == 0)
		i = 1;
	for (; i < serial->len; i++) {
		text[n++] = digits[serial->bytes[i] >> 4];
		text[n++] = digits[serial->bytes[i] & 0x0f];
	}
	text[n] = '\0';
}

bool
oc_serial_equal(const struct oc_serial *a, const struct oc_serial *b)
{
	return a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}
