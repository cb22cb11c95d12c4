/* SPDX-License-Identifier: Apache-2.0 */
/* A server by its URL, and to libcurl the addresses that the resolver found
 * of it: libcurl looks up no name itself. */
#ifndef VALIDATION_PLACE_H
#define VALIDATION_PLACE_H

#include <curl/curl.h>

#include "validation/host.h"
#include "validation/validation.h"

struct validation_place {
	char host[VALIDATION_NAME_MAX + 1];	/* a name, or an address
						 * without brackets */
	uint16_t port;
	char path[VALIDATION_URI_MAX + 1];	/* behind the slash */
	/* "smtps://[2001:db8::1]:465"; and without the scheme, for people. */
	char url[VALIDATION_NAME_MAX + 32];
	const char *text;
};

/* A list of these ends with NULL. */
struct validation_scheme_port {
	const char *scheme;
	uint16_t port;
};

/* SCHEME://HOST[:PORT][/PATH].  CONFIG: no user, query or fragment, nothing
 * that is not ASCII. */
enum oc_err validation_place_parse(const char *url,
    const struct validation_scheme_port *schemes,
    struct validation_place *place, struct oc_error *error) OC_MUST_CHECK;

/* For CURLOPT_RESOLVE; NULL where the host is an address.  False: no
 * memory. */
bool validation_place_resolve(const struct validation_place *place,
    const struct validation_host_found *found, struct curl_slist **list);

#endif
