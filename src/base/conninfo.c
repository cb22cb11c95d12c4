/* SPDX-License-Identifier: Apache-2.0 */
#include "base/conninfo.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* No value of the configuration has a line end. */
static const char *
without_source(const char *where)
{
	const char *end = strchr(where, '\n');

	return end == NULL ? where : end + 1;
}

static bool
is_uri(const char *text)
{
	return strncmp(text, "postgresql://", 13) == 0 ||
	    strncmp(text, "postgres://", 11) == 0;
}

bool
oc_conninfo_is(const char *where)
{
	const char *text = without_source(where);
	const char *rest = text +
	    strspn(text, "abcdefghijklmnopqrstuvwxyz_");

	return is_uri(text) ||
	    (rest != text && rest[strspn(rest, " ")] == '=');
}

/* A URI may write any letter as "%70". */
static bool
has_word(const char *text, const char *word)
{
	char digits[3] = "";
	uint8_t octet;

	for (; *word != '\0'; word++) {
		octet = (uint8_t)*text;
		if (*text == '%') {
			memcpy(digits, text + 1, strnlen(text + 1, 2));
			octet = (uint8_t)strtoul(digits, NULL, 16);
			text += strnlen(text + 1, 2);
		}
		if (octet != (uint8_t)*word)
			return false;
		text++;
	}
	return *text == '=';
}

/* "postgresql://user:secret@host/": what stands before the '@' has a ':'. */
static bool
has_password(const char *text)
{
	const char *rest = text, *end;

	/* sslpassword as well; not a file of that name. */
	while ((rest = strstr(rest, "password")) != NULL) {
		rest += strlen("password");
		if (rest[strspn(rest, " ")] == '=')
			return true;
	}
	if (!is_uri(text))
		return false;
	for (rest = text; *rest != '\0'; rest++)
		if (has_word(rest, "password"))
			return true;
	rest = strstr(text, "://") + 3;
	end = rest + strcspn(rest, "@/?");
	return *end == '@' && memchr(rest, ':', (size_t)(end - rest)) != NULL;
}

enum oc_err
oc_conninfo_check(const char *where, struct oc_error *error)
{
	const char *text = without_source(where);

	if (has_password(text))
		return oc_error_set(error, OC_ERR_CONFIG, "has a password, "
		    "which is not for here: put it into a file that "
		    "password-source names");
	if (!oc_conninfo_is(text))
		return oc_error_set(error, OC_ERR_CONFIG, "is no connection "
		    "string of PostgreSQL; write keywords such as "
		    "\"host=a,b dbname=ocsign\", or a postgresql:// URI");
	return OC_OK;
}

char *
oc_conninfo_join(const char *source, const char *text)
{
	char *where;

	return asprintf(&where, "%s\n%s", source, text) < 0 ? NULL : where;
}

enum oc_err
oc_conninfo_split(const char *where, char **source, const char **text)
{
	const char *end = strchr(where, '\n');

	*text = without_source(where);
	*source = NULL;
	if (end == NULL)
		return OC_OK;
	*source = strndup(where, (size_t)(end - where));
	return *source == NULL ? OC_ERR_NOMEM : OC_OK;
}
