/* SPDX-License-Identifier: Apache-2.0 */
#include "base/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "base/value.h"

#define V4_AT 12
static const uint8_t v4_prefix[V4_AT] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff,
    0xff };

static void
set_v4(const void *octets, struct oc_address *address)
{
	memcpy(address->octets, v4_prefix, V4_AT);
	memcpy(address->octets + V4_AT, octets, 4);
}

bool
oc_address_of(const struct sockaddr *from, struct oc_address *address)
{
	const struct sockaddr_in6 *in6 = (const void *)from;
	const struct sockaddr_in *in = (const void *)from;

	switch (from->sa_family) {
	case AF_INET:
		set_v4(&in->sin_addr, address);
		return true;
	case AF_INET6:
		memcpy(address->octets, &in6->sin6_addr, 16);
		return true;
	}
	return false;
}

/* The octet's bits that belong to the prefix. */
static uint8_t
mask_of(unsigned int bits, unsigned int octet)
{
	if (bits >= 8 * octet + 8)
		return 0xff;
	if (bits <= 8 * octet)
		return 0;
	return (uint8_t)(0xff << (8 * octet + 8 - bits));
}

bool
oc_address_range_has(const struct oc_address_range *range,
    const struct oc_address *address)
{
	for (unsigned int i = 0; i < 16; i++)
		if (((range->first.octets[i] ^ address->octets[i]) &
		    mask_of(range->bits, i)) != 0)
			return false;
	return true;
}

static bool
parse(const char *text, struct oc_address_range *range)
{
	const char *slash = strchr(text, '/');
	size_t len = slash == NULL ? strlen(text) : (size_t)(slash - text);
	char host[INET6_ADDRSTRLEN];
	unsigned int before = 0;	/* bits of ::ffff: */
	uint8_t v4[4];
	int64_t bits;

	if (len >= sizeof(host))
		return false;
	memcpy(host, text, len);
	host[len] = '\0';
	if (inet_pton(AF_INET, host, v4) == 1) {
		set_v4(v4, &range->first);
		before = 8 * V4_AT;
	} else if (inet_pton(AF_INET6, host, range->first.octets) != 1) {
		return false;
	}
	bits = 128 - (int64_t)before;
	if (slash != NULL && oc_value_int(slash + 1, 0, bits, &bits, NULL) !=
	    OC_OK)
		return false;
	range->bits = (uint8_t)(before + (unsigned int)bits);
	for (unsigned int i = 0; i < 16; i++)
		if ((range->first.octets[i] & ~mask_of(range->bits, i)) != 0)
			return false;
	return true;
}

enum oc_err
oc_address_range_parse(const char *text, struct oc_address_range *range,
    struct oc_error *error)
{
	struct oc_address_range parsed;

	if (!parse(text, &parsed))
		return oc_error_set(error, OC_ERR_CONFIG,
		    "\"%.80s\" is no address and no range of addresses; write "
		    "192.0.2.1, 192.0.2.0/24 or 2001:db8::/32, with nothing "
		    "but zeros behind the prefix", text);
	*range = parsed;
	return OC_OK;
}
