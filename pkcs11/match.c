/* SPDX-License-Identifier: Apache-2.0 */
#include "pkcs11/match.h"

#include <string.h>

/* Blank-padded field against a name; an empty name matches all. */
static bool
matches(const char *name, const unsigned char *field, size_t field_len)
{
	size_t len = strlen(name);

	if (len == 0)
		return true;
	while (field_len > 0 && (field[field_len - 1] == ' ' ||
	    field[field_len - 1] == '\0'))
		field_len--;
	return len == field_len && memcmp(name, field, len) == 0;
}

bool
p11_match_token(const struct p11_uri *uri, const CK_TOKEN_INFO *info)
{
	return matches(uri->token, info->label, sizeof(info->label)) &&
	    matches(uri->serial, info->serialNumber,
	    sizeof(info->serialNumber)) &&
	    matches(uri->manufacturer, info->manufacturerID,
	    sizeof(info->manufacturerID)) &&
	    matches(uri->model, info->model, sizeof(info->model));
}

bool
p11_match_slot(CK_FUNCTION_LIST *f, const struct p11_uri *uri,
    CK_SLOT_ID slot)
{
	CK_SLOT_INFO info;

	if (uri->has_slot_id && uri->slot_id != slot)
		return false;
	if (uri->slot_description[0] == '\0' &&
	    uri->slot_manufacturer[0] == '\0')
		return true;
	return f->C_GetSlotInfo(slot, &info) == CKR_OK &&
	    matches(uri->slot_description, info.slotDescription,
	    sizeof(info.slotDescription)) &&
	    matches(uri->slot_manufacturer, info.manufacturerID,
	    sizeof(info.manufacturerID));
}

bool
p11_match_library(CK_FUNCTION_LIST *f, const struct p11_uri *uri)
{
	CK_INFO info;

	if (uri->library_manufacturer[0] == '\0' &&
	    uri->library_description[0] == '\0' && !uri->has_library_version)
		return true;
	return f->C_GetInfo(&info) == CKR_OK &&
	    matches(uri->library_manufacturer, info.manufacturerID,
	    sizeof(info.manufacturerID)) &&
	    matches(uri->library_description, info.libraryDescription,
	    sizeof(info.libraryDescription)) &&
	    (!uri->has_library_version ||
	    (info.libraryVersion.major == uri->library_major &&
	    info.libraryVersion.minor == uri->library_minor));
}
