/* SPDX-License-Identifier: Apache-2.0 */
#include "validation/reply.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Where a text of more than max octets is cut: in front of a character. */
static size_t
cut_at(const char *text, size_t max)
{
	size_t len = strlen(text);

	if (len <= max)
		return len;
	for (len = max; len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80;)
		len--;
	return len;
}

void
validation_reply_set(struct validation_reply *reply,
    enum validation_fault fault, enum validation_again again,
    const char *format, ...)
{
	struct oc_error clean = { 0 };
	char text[OC_ERROR_TEXT_MAX];
	va_list args;
	size_t len;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	(void)oc_error_set(&clean, OC_ERR_REFUSED, "%s", text);
	memset(reply, 0, sizeof(*reply));
	reply->fault = fault;
	reply->is_temporary = again == VALIDATION_TEMPORARY;
	len = cut_at(clean.text, sizeof(reply->seen) - 1);
	memcpy(reply->seen, clean.text, len);
}

void
validation_reply_put_contact(struct validation_reply *reply,
    const char *address)
{
	size_t len = strlen(address);

	if (reply->num_contacts == VALIDATION_CONTACTS_MAX ||
	    len > VALIDATION_ADDRESS_MAX)
		return;
	for (uint32_t i = 0; i < reply->num_contacts; i++)
		if (strcasecmp(reply->contacts[i], address) == 0)
			return;
	memcpy(reply->contacts[reply->num_contacts++], address, len + 1);
}
