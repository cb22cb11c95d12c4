/* SPDX-License-Identifier: Apache-2.0 */
#include "base/conninfo.h"

#include <string.h>

static bool
is_uri(const char *text)
{
	return strncmp(text, "postgresql://", 13) == 0 ||
	    strncmp(text, "postgres://", 11) == 0;
}

bool
oc_conninfo_is(const char *text)
{
	const char *rest = text +
	    strspn(text, "abcdefghijklmnopqrstuvwxyz_");

	return is_uri(text) ||
	    (rest != text && rest[strspn(rest, " ")] == '=');
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
	rest = strstr(text, "://") + 3;
	end = rest + strcspn(rest, "@/?");
	return *end == '@' && memchr(rest, ':', (size_t)(end - rest)) != NULL;
}

enum oc_err
oc_conninfo_check(const char *text, struct oc_error *error)
{
	if (has_password(text))
		return oc_error_set(error, OC_ERR_CONFIG, "has a password, "
		    "which is not for here: put it into a file that "
		    "passfile=FILE names, or ~/.pgpass");
	if (!oc_conninfo_is(text))
		return oc_error_set(error, OC_ERR_CONFIG, "is no connection "
		    "string of PostgreSQL; write keywords such as "
		    "\"host=a,b dbname=ocsign\", or a postgresql:// URI");
	return OC_OK;
}
