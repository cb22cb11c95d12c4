/* SPDX-License-Identifier: Apache-2.0 */
/* URLs, where they are configured. */
#include <string.h>

#include "base/config_table.h"

/* fetch/state.h has room for no more. */
#define FETCHED_MAX 1023

static enum oc_err
check_characters(const char *url, struct oc_error *error)
{
	for (const char *p = url; *p != '\0'; p++)
		if (*p <= 0x20 || *p >= 0x7f || strchr("\"<>\\^`{|}", *p))
			return oc_error_set(error, OC_ERR_CONFIG,
			    "\"%.80s\" has a character that a URL cannot "
			    "have; write it as %%XX", url);
	return OC_OK;
}

/* What may stand in an IA5String of a certificate for ever. */
enum oc_err
oc_config_check_url(const char *directory, char **value,
    struct oc_error *error)
{
	const char *p = *value;

	(void)directory;
	if (oc_config_starts_with(p, "https://"))
		return oc_error_set(error, OC_ERR_CONFIG,
		    "https cannot be used here, clients would need what they "
		    "are about to fetch (RFC 5280, 8); write http://");
	if (!oc_config_starts_with(p, "http://") || p[7] == '\0' || p[7] == '/')
		return oc_error_set(error, OC_ERR_CONFIG,
		    "\"%.80s\" is no URL; write http://HOST/PATH", p);
	return check_characters(p, error);
}

/* Without a user and his password: it stands in logs and metrics. */
static enum oc_err
check_server(const char *url, const char *example, struct oc_error *error)
{
	const char *host = oc_config_starts_with(url, "https://") ? url + 8 :
	    oc_config_starts_with(url, "http://") ? url + 7 : NULL;
	size_t len = host == NULL ? 0 : strcspn(host, "/?#");

	if (len == 0)
		return oc_error_set(error, OC_ERR_CONFIG,
		    "\"%.80s\" is no URL; write %s", url, example);
	if (memchr(host, '@', len) != NULL)
		return oc_error_set(error, OC_ERR_CONFIG, "there is a user in "
		    "the URL of %.80s; a CRL is for everybody, leave him out",
		    strchr(host, '@') + 1);
	return check_characters(url, error);
}

enum oc_err
oc_config_check_fetched(const char *directory, char **value,
    struct oc_error *error)
{
	(void)directory;
	if (strlen(*value) > FETCHED_MAX)
		return oc_error_set(error, OC_ERR_CONFIG, "\"%.80s...\" has "
		    "more than %d characters", *value, FETCHED_MAX);
	if (strchr(*value, '#') != NULL)
		return oc_error_set(error, OC_ERR_CONFIG, "\"%.80s\" has a "
		    "fragment (#), which no server is told; leave it out",
		    *value);
	return check_server(*value, "http://HOST/PATH or https://HOST/PATH",
	    error);
}

/* That it stands alone, config_source.c sees. */
enum oc_err
oc_config_check_delta(const char *directory, char **value,
    struct oc_error *error)
{
	if (strcmp(*value, "freshest") == 0)
		return OC_OK;
	return oc_config_check_fetched(directory, value, error);
}

enum oc_err
oc_config_check_proxy(const char *directory, char **value,
    struct oc_error *error)
{
	(void)directory;
	return check_server(*value, "http://HOST:PORT", error);
}
