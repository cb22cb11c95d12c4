/* SPDX-License-Identifier: Apache-2.0 */
#include "validation/names.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "validation/mailbox.h"

bool
validation_has_suffix(const char *name, const char *suffix)
{
	size_t len = strlen(name), suffix_len = strlen(suffix);

	if (suffix_len == 0)
		return true;
	return len >= suffix_len &&
	    strcasecmp(name + len - suffix_len, suffix) == 0 &&
	    (len == suffix_len || name[len - suffix_len - 1] == '.');
}

/* "_acme-challenge." */
static bool
is_prefix(const char *text)
{
	size_t len = strlen(text);

	return len == 0 || (text[0] == '_' && text[len - 1] == '.' &&
	    strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_-.") == len &&
	    strstr(text, "..") == NULL);
}

/* Visible ASCII: base64url, "ocsign-verification=...". */
static bool
is_value(const char *text)
{
	size_t len = strlen(text);

	for (const char *c = text; *c != '\0'; c++)
		if (*c < 0x21 || *c > 0x7e)
			return false;
	return len > 0 && len <= VALIDATION_EXPECTED_MAX;
}

bool
validation_record_name(const struct validation_question *question,
    char name[VALIDATION_NAME_MAX + 1])
{
	const char *prefix = question->prefix == NULL ? "" : question->prefix;
	int len;

	if ((question->task != VALIDATION_PUBLISH &&
	    question->task != VALIDATION_WITHDRAW) || question->name == NULL ||
	    question->expected == NULL || !is_value(question->expected) ||
	    !validation_host_is_valid(question->name,
	    strlen(question->name)) || !is_prefix(prefix))
		return false;
	len = snprintf(name, VALIDATION_NAME_MAX + 1, "%s%s", prefix,
	    question->name);
	return len > 0 && len <= VALIDATION_NAME_MAX;
}
