/* SPDX-License-Identifier: Apache-2.0 */
#include "issuer/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/bytes.h"
#include "base/pem.h"

enum issuer_fault
issuer_fault_of(enum oc_err err)
{
	switch (err) {
	case OC_ERR_MALFORMED:
	case OC_ERR_LIMIT:
	case OC_ERR_UNSUPPORTED:
	case OC_ERR_REFUSED:
	case OC_ERR_NOT_FOUND:
	case OC_ERR_EXISTS:
	case OC_ERR_MISMATCH:
	case OC_ERR_SIGNATURE:
	case OC_ERR_UNSIGNED:
		return ISSUER_REFUSED;
	case OC_ERR_BUSY:
	case OC_ERR_TIMEOUT:
	case OC_ERR_CANCELLED:
	case OC_ERR_DOWN:
	case OC_ERR_TOKEN:
	case OC_ERR_PIN:
		return ISSUER_AWAY;
	case OC_OK:
	case OC_ERR_NOMEM:
	case OC_ERR_SYSTEM:
	case OC_ERR_NO_SPACE:
	case OC_ERR_USAGE:
	case OC_ERR_CONFIG:
	case OC_ERR_STORE:
	case OC_ERR_INTERNAL:
		break;
	}
	return ISSUER_BROKEN;
}

/* Long division by ten, one digit at a time from the right. */
void
issuer_decimal(const struct oc_serial *serial, char text[ISSUER_DECIMAL_MAX])
{
	uint8_t number[OC_SERIAL_MAX];
	char digits[ISSUER_DECIMAL_MAX];
	size_t n = 0, i;
	bool is_zero;

	memcpy(number, serial->bytes, serial->len);
	do {
		unsigned int rest = 0;

		is_zero = true;
		for (i = 0; i < serial->len; i++) {
			rest = rest << 8 | number[i];
			number[i] = (uint8_t)(rest / 10);
			rest %= 10;
			is_zero &= number[i] == 0;
		}
		digits[n++] = (char)('0' + rest);
	} while (!is_zero && n < sizeof(digits) - 1);
	for (i = 0; i < n; i++)
		text[i] = digits[n - 1 - i];
	text[n] = '\0';
}

void
issuer_time(int64_t at, char text[ISSUER_TIME_MAX])
{
	time_t t = (time_t)at;
	struct tm tm;

	gmtime_r(&t, &tm);
	if (strftime(text, ISSUER_TIME_MAX, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		text[0] = '\0';
}

json_t *
issuer_pem(const char *label, const uint8_t *der, size_t len)
{
	struct oc_buffer b;
	json_t *json = NULL;

	oc_buffer_init(&b, 2 * len + 1024);
	oc_pem_write(&b, label, der, len);
	if (b.err == OC_OK)
		json = json_stringn(oc_buffer_text(&b), b.len);
	oc_buffer_fini(&b);
	return json;
}

json_t *
issuer_hex(const uint8_t *octets, size_t len, char separator)
{
	char *text = malloc(3 * len + 1), *p = text;
	json_t *json;

	if (text == NULL)
		return NULL;
	*p = '\0';
	for (size_t i = 0; i < len; i++) {
		if (separator != '\0' && i > 0)
			*p++ = separator;
		p += sprintf(p, separator != '\0' ? "%02X" : "%02x",
		    octets[i]);
	}
	json = json_string(text);
	free(text);
	return json;
}
