/* SPDX-License-Identifier: Apache-2.0 */
/* What may stand in a [token NAME]: where its module is, and its PIN. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/config_table.h"
#include "base/file.h"
#include "base/value.h"

bool
oc_config_starts_with(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

enum oc_err
oc_config_replace(char **value, char *text, struct oc_error *error)
{
	if (text == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	free(*value);
	*value = text;
	return OC_OK;
}

enum oc_err
oc_config_check_module(const char *directory, char **value,
    struct oc_error *error)
{
	(void)directory;
	if ((*value)[0] == '/')
		return OC_OK;
	/* dlopen() would search for it. */
	return oc_error_set(error, OC_ERR_CONFIG,
	    "\"%.120s\" is not absolute; write the whole path of the PKCS#11 "
	    "module", *value);
}

enum oc_err
oc_config_check_uri(const char *directory, char **value,
    struct oc_error *error)
{
	(void)directory;
	/* RFC 3986, 3.1: a scheme's letters may be of either case. */
	if (strncasecmp(*value, "pkcs11:", 7) == 0 && (*value)[7] != '\0')
		return OC_OK;
	return oc_error_set(error, OC_ERR_CONFIG,
	    "\"%.80s\" is no PKCS#11 URI; write pkcs11:token=NAME", *value);
}

/* A path is written as file:/absolute. */
enum oc_err
oc_config_check_secret_source(const char *directory, char **value,
    struct oc_error *error)
{
	const char *text = *value;
	char *path, *source;
	int64_t fd;
	enum oc_err err;

	if (oc_config_starts_with(text, "fd:")) {
		if (oc_value_int(text + 3, 0, 65535, &fd, NULL) == OC_OK)
			return OC_OK;
		return oc_error_set(error, OC_ERR_CONFIG,
		    "\"%.80s\" is no file descriptor; write fd:5", text);
	}
	if (oc_config_starts_with(text, "credential:")) {
		if (text[11] != '\0' && text[11] != '.' &&
		    strchr(text, '/') == NULL)
			return OC_OK;
		return oc_error_set(error, OC_ERR_CONFIG,
		    "\"%.80s\" is no credential; write credential:NAME with "
		    "the name that LoadCredential= of the unit has", text);
	}
	if (oc_config_starts_with(text, "file:"))
		text += 5;
	/* A number may be the secret itself: not repeated, since errors are
	 * logged. */
	if (text[strspn(text, "0123456789")] == '\0')
		return oc_error_set(error, OC_ERR_CONFIG,
		    "no path; write file:/PATH, fd:N or credential:NAME");
	err = oc_path_join(directory, text, &path);
	if (err != OC_OK)
		return oc_error_set(error, err, "out of memory");
	if (asprintf(&source, "file:%s", path) < 0)
		source = NULL;
	free(path);
	return oc_config_replace(value, source, error);
}

enum oc_err
oc_config_check_environment(const char *directory, char **value,
    struct oc_error *error)
{
	static const char name_chars[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789_";
	size_t len = strspn(*value, name_chars);
	char *text;

	if (len == 0 || (*value)[len] != '=' ||
	    ((*value)[0] >= '0' && (*value)[0] <= '9'))
		return oc_error_set(error, OC_ERR_CONFIG,
		    "\"%.80s\" is no variable; write NAME=VALUE", *value);
	if (!oc_config_starts_with(*value + len + 1, "./"))
		return OC_OK;
	if (asprintf(&text, "%.*s=%s/%s", (int)len, *value, directory,
	    *value + len + 3) < 0)
		text = NULL;
	return oc_config_replace(value, text, error);
}
