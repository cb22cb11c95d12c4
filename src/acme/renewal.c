/* SPDX-License-Identifier: Apache-2.0 */
#include "acme/renewal.h"

#include <string.h>

#include "acme/base64url.h"

#define DAY_S INT64_C(86400)
#define SHORT_LIFE_S (10 * DAY_S)
/* A revoked one's window has ended this long before it was. */
#define REVOKED_END_S INT64_C(1800)
#define REVOKED_START_S INT64_C(3600)

void
acme_window_of(int64_t not_before, int64_t not_after, int64_t revoked_at,
    struct acme_window *window)
{
	int64_t life = not_after - not_before, at, margin;

	if (revoked_at != 0) {
		window->start = revoked_at - REVOKED_START_S;
		window->end = revoked_at - REVOKED_END_S;
		return;
	}
	at = not_after - (life < SHORT_LIFE_S ? life / 2 : life / 3);
	margin = life / 100 > 0 ? life / 100 : 1;
	window->start = at - margin;
	window->end = at + margin;
}

/* The serial number is the INTEGER's contents, a leading zero octet
 * included. */
enum oc_err
acme_certificate_id_parse(const char *text, struct acme_certificate_id *id)
{
	const char *dot = strchr(text, '.');
	uint8_t serial[OC_SERIAL_MAX];
	size_t len;
	enum oc_err err;

	if (dot == NULL || dot == text)
		return OC_ERR_MALFORMED;
	err = acme_base64url_decode(text, (size_t)(dot - text), id->key_id,
	    sizeof(id->key_id), &id->key_id_len);
	if (err == OC_OK)
		err = acme_base64url_decode(dot + 1, strlen(dot + 1), serial,
		    sizeof(serial), &len);
	if (err == OC_OK)
		err = oc_serial_from_bytes(serial, len, &id->serial);
	return err == OC_OK ? OC_OK : OC_ERR_MALFORMED;
}

void
acme_certificate_id_format(struct der_bytes key_id,
    const struct oc_serial *serial, char text[ACME_CERTIFICATE_ID_MAX])
{
	size_t len;

	_Static_assert(ACME_BASE64URL_LEN(ACME_KEY_ID_MAX) + 1 +
	    ACME_BASE64URL_LEN(OC_SERIAL_MAX) < ACME_CERTIFICATE_ID_MAX,
	    "room for both");
	oc_assert(key_id.len <= ACME_KEY_ID_MAX);
	acme_base64url_encode(key_id.p, key_id.len, text);
	len = strlen(text);
	text[len] = '.';
	acme_base64url_encode(serial->bytes, serial->len, text + len + 1);
}
