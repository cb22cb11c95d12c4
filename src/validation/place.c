/* SPDX-License-Identifier: Apache-2.0 */
#include "validation/place.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "validation/address.h"
#include "validation/mailbox.h"

#define PORT_MAX 65535

static enum oc_err
say_bad(const char *url, struct oc_error *error)
{
	return oc_error_set(error, OC_ERR_CONFIG, "%s: no URL of a server",
	    url);
}

/* "[ADDRESS]" or a name; *text is behind it. */
static bool
take_host(const char **text, char host[VALIDATION_NAME_MAX + 1])
{
	bool is_bracketed = **text == '[';
	const char *begin = *text + is_bracketed;
	size_t len = strcspn(begin, is_bracketed ? "]" : ":/");
	struct oc_address address;
	bool is_address;

	if (len == 0 || len > VALIDATION_NAME_MAX ||
	    (is_bracketed && begin[len] != ']'))
		return false;
	memcpy(host, begin, len);
	host[len] = '\0';
	*text = begin + len + is_bracketed;
	is_address = validation_host_is_address(host, &address);
	return is_address ? is_bracketed == (strchr(host, ':') != NULL) :
	    !is_bracketed && (validation_host_is_valid(host, len) ||
	    strcasecmp(host, "localhost") == 0);
}

static bool
take_port(const char **text, uint16_t *port)
{
	uint32_t n = 0;
	const char *at = *text;

	if (*at != ':')
		return true;
	for (at++; *at >= '0' && *at <= '9' && n <= PORT_MAX; at++)
		n = n * 10 + (uint32_t)(*at - '0');
	*text = at;
	*port = (uint16_t)n;
	return n > 0 && n <= PORT_MAX;
}

static bool
take_path(const char *text, char path[VALIDATION_URI_MAX + 1])
{
	size_t len;

	if (*text != '\0' && *text++ != '/')
		return false;
	len = strlen(text);
	if (len > VALIDATION_URI_MAX)
		return false;
	for (const char *c = text; *c != '\0'; c++)
		if (*c <= 0x20 || *c > 0x7e || strchr("?#\\\"<>", *c) != NULL)
			return false;
	memcpy(path, text, len + 1);
	return true;
}

enum oc_err
validation_place_parse(const char *url,
    const struct validation_scheme_port *schemes,
    struct validation_place *place, struct oc_error *error)
{
	const char *text = strstr(url, "://");
	bool is_bare;

	if (text == NULL)
		return say_bad(url, error);
	for (; schemes->scheme != NULL; schemes++)
		if (strlen(schemes->scheme) == (size_t)(text - url) &&
		    strncasecmp(url, schemes->scheme, (size_t)(text - url)) ==
		    0)
			break;
	if (schemes->scheme == NULL)
		return say_bad(url, error);
	text += 3;
	place->port = schemes->port;
	if (!take_host(&text, place->host) || !take_port(&text,
	    &place->port) || !take_path(text, place->path))
		return say_bad(url, error);
	is_bare = strchr(place->host, ':') == NULL;
	(void)snprintf(place->url, sizeof(place->url), "%s://%s%s%s:%u",
	    schemes->scheme, is_bare ? "" : "[", place->host,
	    is_bare ? "" : "]", (unsigned int)place->port);
	place->text = strstr(place->url, "://") + 3;
	return OC_OK;
}

bool
validation_place_resolve(const struct validation_place *place,
    const struct validation_host_found *found, struct curl_slist **list)
{
	char line[VALIDATION_NAME_MAX + 16 +
	    VALIDATION_HOST_ADDRESSES_MAX * (INET6_ADDRSTRLEN + 3)];
	char address[INET6_ADDRSTRLEN];
	struct oc_address own;
	size_t len;

	if (validation_host_is_address(place->host, &own))
		return true;
	(void)snprintf(line, sizeof(line), "%s:%u:", place->host,
	    (unsigned int)place->port);
	for (size_t i = 0; i < found->num; i++) {
		bool is_v4 = validation_address_is_v4(&found->addresses[i]);

		validation_address_text(&found->addresses[i], address);
		len = strlen(line);
		(void)snprintf(line + len, sizeof(line) - len, "%s%s%s%s",
		    i > 0 ? "," : "", is_v4 ? "" : "[", address,
		    is_v4 ? "" : "]");
	}
	*list = curl_slist_append(NULL, line);
	return *list != NULL;
}
