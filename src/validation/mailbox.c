/* SPDX-License-Identifier: Apache-2.0 */
#include "validation/mailbox.h"

#include <stdio.h>
#include <string.h>

#define LOCAL_MAX 64			/* RFC 5321, 4.5.3.1.1 */
#define LABEL_MAX 63

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Atoms with a dot between each two. */
static bool
is_local(const char *text, size_t len)
{
	bool is_begun = false;

	if (len == 0 || len > LOCAL_MAX || text[0] == '-')
		return false;
	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (c == '.' ? !is_begun : !is_letter(c) && !is_digit(c) &&
		    (c == '\0' || strchr("#&'*+-=?^_{}~", c) == NULL))
			return false;
		is_begun = c != '.';
	}
	return is_begun;
}

static bool
is_label(const char *text, size_t len)
{
	if (len == 0 || len > LABEL_MAX || text[0] == '-' ||
	    text[len - 1] == '-')
		return false;
	for (size_t i = 0; i < len; i++)
		if (!is_letter(text[i]) && !is_digit(text[i]) &&
		    text[i] != '-')
			return false;
	return true;
}

static bool
is_number(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!is_digit(text[i]))
			return false;
	return true;
}

bool
validation_host_is_valid(const char *text, size_t len)
{
	unsigned int num = 0;
	size_t label_len;

	if (len > VALIDATION_NAME_MAX)
		return false;
	for (;; num++) {
		const char *dot = memchr(text, '.', len);

		label_len = dot == NULL ? len : (size_t)(dot - text);
		if (!is_label(text, label_len))
			return false;
		if (dot == NULL)
			break;
		text += label_len + 1;
		len -= label_len + 1;
	}
	return num > 0 && !is_number(text, label_len);
}

bool
validation_mailbox_is_valid(const char *text, size_t len)
{
	const char *at = memchr(text, '@', len);
	size_t local_len;

	if (at == NULL || len > VALIDATION_ADDRESS_MAX)
		return false;
	local_len = (size_t)(at - text);
	return is_local(text, local_len) &&
	    validation_host_is_valid(at + 1, len - local_len - 1);
}

bool
validation_mailbox_construct(unsigned int n, const char *name,
    char address[VALIDATION_ADDRESS_MAX + 1])
{
	static const char *const locals[VALIDATION_CONSTRUCTED_NUM] = {
		"admin", "administrator", "webmaster", "hostmaster",
		"postmaster"
	};
	int len;

	oc_assert(n < VALIDATION_CONSTRUCTED_NUM);
	len = snprintf(address, VALIDATION_ADDRESS_MAX + 1, "%s@%s",
	    locals[n], name);
	return len > 0 && len <= VALIDATION_ADDRESS_MAX &&
	    validation_mailbox_is_valid(address, (size_t)len);
}
