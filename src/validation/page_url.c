/* SPDX-License-Identifier: Apache-2.0 */
#include "validation/page_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "validation/dnsname.h"

static bool
is_port_allowed(const struct validation_pages *pages, unsigned long port)
{
	if (port == pages->http_port || port == pages->https_port)
		return true;
	for (size_t i = 0; i < pages->num_ports; i++)
		if (port == pages->ports[i])
			return true;
	return false;
}

/* A part, as libcurl has it, into text; false: there is none, or it does not
 * fit. */
static bool
copy_part(CURLU *url, CURLUPart part, unsigned int flags, char *text,
    size_t room)
{
	char *made = NULL;
	bool is_there;

	is_there = curl_url_get(url, part, &made, flags) == CURLUE_OK &&
	    strlen(made) < room;
	if (is_there)
		(void)snprintf(text, room, "%s", made);
	curl_free(made);
	return is_there;
}

static bool
has_part(CURLU *url, CURLUPart part)
{
	char *made = NULL;
	bool is_there = curl_url_get(url, part, &made, 0) == CURLUE_OK;

	curl_free(made);
	return is_there;
}

/* "192.0.2.1", "[2001:db8::1]"; what else libcurl takes for an IPv4 address,
 * such as 0x7f.1, it has made one of. */
static bool
read_literal(const char *host, struct oc_address *address)
{
	struct oc_address_range range;
	char inner[VALIDATION_NAME_MAX + 1];
	size_t len = strlen(host);

	if (strchr(host, '/') != NULL)
		return false;
	if (host[0] == '[' && host[len - 1] == ']')
		(void)snprintf(inner, sizeof(inner), "%.*s", (int)(len - 2),
		    host + 1);
	else
		(void)snprintf(inner, sizeof(inner), "%s", host);
	if (oc_address_range_parse(inner, &range, NULL) != OC_OK)
		return false;
	*address = range.first;
	return true;
}

static bool
is_in_allowed(const struct validation_pages *pages,
    const struct oc_address *address)
{
	for (size_t i = 0; i < pages->num_allowed; i++)
		if (oc_address_range_has(&pages->allowed[i], address))
			return true;
	return false;
}

/* Its last label would be read as a number, and the whole as an address. */
static bool
ends_in_number(const char *host)
{
	const char *dot = strrchr(host, '.');
	const char *last = dot == NULL ? host : dot + 1;

	return strspn(last, "0123456789") == strlen(last);
}

const char *
validation_url_follow(struct validation_visit *visit, const char *location,
    struct oc_address *literal, bool *is_literal)
{
	char scheme[16], port[8];

	if (curl_url_set(visit->url, CURLUPART_URL, location,
	    CURLU_NON_SUPPORT_SCHEME | CURLU_URLENCODE) != CURLUE_OK)
		return "what is no URL";
	(void)curl_url_set(visit->url, CURLUPART_FRAGMENT, NULL, 0);
	if (!copy_part(visit->url, CURLUPART_SCHEME, 0, scheme,
	    sizeof(scheme)) || (strcasecmp(scheme, "http") != 0 &&
	    strcasecmp(scheme, "https") != 0))
		return "another scheme than http or https";
	if (!copy_part(visit->url, CURLUPART_URL, 0, visit->at,
	    sizeof(visit->at)))
		return "a URL that is too long";
	if (has_part(visit->url, CURLUPART_USER) ||
	    has_part(visit->url, CURLUPART_PASSWORD))
		return "a URL with credentials";
	if (!copy_part(visit->url, CURLUPART_HOST, 0, visit->host,
	    sizeof(visit->host)))
		return "a host's name that is too long";
	*is_literal = read_literal(visit->host, literal);
	if (*is_literal && !is_in_allowed(visit->pages, literal))
		return "an address instead of a name";
	if (!*is_literal && (!validation_dns_name_is_valid(visit->host) ||
	    ends_in_number(visit->host)))
		return "what is no host's name";
	if (!copy_part(visit->url, CURLUPART_PORT, CURLU_DEFAULT_PORT, port,
	    sizeof(port)) || !is_port_allowed(visit->pages,
	    strtoul(port, NULL, 10)))
		return "a port that is not allowed";
	return NULL;
}

/* As if it were a redirect, to a name alone: the ports are ours. */
const char *
validation_url_start(struct validation_visit *visit,
    const struct validation_page_wish *wish)
{
	const struct validation_pages *pages = visit->pages;
	bool is_tls = wish->scheme == VALIDATION_HTTPS, is_literal;
	unsigned int port = is_tls ? pages->https_port : pages->http_port;
	char port_text[8] = "";
	struct oc_address literal;
	const char *why;
	int len;

	if (wish->path[0] != '/' || !validation_dns_name_is_valid(wish->name))
		return "what is no host's name";
	if (port != (is_tls ? 443u : 80u))
		(void)snprintf(port_text, sizeof(port_text), ":%u", port);
	len = snprintf(visit->first, sizeof(visit->first), "%s://%s%s%s",
	    is_tls ? "https" : "http", wish->name, port_text, wish->path);
	if (len < 0 || (size_t)len >= sizeof(visit->first))
		return "a URL that is too long";
	why = validation_url_follow(visit, visit->first, &literal,
	    &is_literal);
	if (why == NULL && is_literal)
		why = "an address instead of a name";
	return why;
}
