/* SPDX-License-Identifier: Apache-2.0 */
#include "validation/address.h"

#include <arpa/inet.h>
#include <string.h>

#define V4_AT 12

/* The first that has an address says what it is; of IPv6 only 2000::/3 is
 * given out at all (RFC 4291, 2.4). */
static const struct {
	const char *range, *what;
} reserved[] = {
	{ "0.0.0.0/8", "this network" },	/* RFC 791 */
	{ "10.0.0.0/8", "private" },		/* RFC 1918 */
	{ "100.64.0.0/10", "shared" },		/* RFC 6598 */
	{ "127.0.0.0/8", "loopback" },		/* RFC 1122 */
	{ "169.254.0.0/16", "link-local" },	/* RFC 3927 */
	{ "172.16.0.0/12", "private" },
	{ "192.0.0.0/24", "for protocols" },	/* RFC 6890 */
	{ "192.0.2.0/24", "documentation" },	/* RFC 5737 */
	{ "192.88.99.0/24", "6to4 relay" },	/* RFC 7526 */
	{ "192.168.0.0/16", "private" },
	{ "198.18.0.0/15", "benchmarks" },	/* RFC 2544 */
	{ "198.51.100.0/24", "documentation" },
	{ "203.0.113.0/24", "documentation" },
	{ "224.0.0.0/4", "multicast" },		/* RFC 5771 */
	{ "240.0.0.0/4", "reserved" },		/* RFC 1112, broadcast, too */
	/* All of IPv4 is in here, so that this is where that ends. */
	{ "::ffff:0:0/96", NULL },
	{ "::/128", "unspecified" },		/* RFC 4291 */
	{ "::1/128", "loopback" },
	{ "::/96", "IPv4-compatible" },		/* RFC 4291, 2.5.5.1 */
	{ "64:ff9b::/96", "NAT64" },		/* RFC 6052 */
	{ "64:ff9b:1::/48", "NAT64" },		/* RFC 8215 */
	{ "100::/64", "discard" },		/* RFC 6666 */
	{ "2001::/32", "Teredo" },		/* RFC 4380 */
	{ "2001::/23", "for protocols" },	/* RFC 2928: ORCHID and such */
	{ "2001:db8::/32", "documentation" },	/* RFC 3849 */
	{ "2002::/16", "6to4" },		/* RFC 3056 */
	{ "3fff::/20", "documentation" },	/* RFC 9637 */
	{ "5f00::/16", "segment routing" },	/* RFC 9602 */
	{ "fc00::/7", "private" },		/* RFC 4193 */
	{ "fe80::/10", "link-local" },
	{ "fec0::/10", "site-local" },		/* RFC 3879 */
	{ "ff00::/8", "multicast" },
	{ "2000::/3", NULL },
	{ "::/0", "reserved" }
};
#define NUM_RESERVED (sizeof(reserved) / sizeof(reserved[0]))

static bool
is_in(const char *range_text, const struct oc_address *address)
{
	struct oc_address_range range;
	enum oc_err err;

	err = oc_address_range_parse(range_text, &range, NULL);
	oc_assert(err == OC_OK);
	return oc_address_range_has(&range, address);
}

const char *
validation_address_reserved(const struct oc_address *address,
    const struct oc_address_range *allowed, size_t num_allowed)
{
	for (size_t i = 0; i < num_allowed; i++)
		if (oc_address_range_has(&allowed[i], address))
			return NULL;
	for (size_t i = 0; i < NUM_RESERVED; i++)
		if (is_in(reserved[i].range, address))
			return reserved[i].what;
	return NULL;
}

const char *
validation_address_range(size_t i)
{
	for (size_t at = 0; at < NUM_RESERVED; at++) {
		/* "::/0" has IPv4's in it, too. */
		if (reserved[at].what == NULL ||
		    strcmp(reserved[at].range, "::/0") == 0)
			continue;
		if (i-- == 0)
			return reserved[at].range;
	}
	return NULL;
}

bool
validation_address_of_record(const uint8_t *octets, size_t len,
    struct oc_address *address)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };

	switch (len) {
	case 4:
		memcpy(&in.sin_addr, octets, len);
		return oc_address_of((const struct sockaddr *)&in, address);
	case 16:
		memcpy(&in6.sin6_addr, octets, len);
		return oc_address_of((const struct sockaddr *)&in6, address);
	}
	return false;
}

bool
validation_address_is_v4(const struct oc_address *address)
{
	return is_in("::ffff:0:0/96", address);
}

void
validation_address_text(const struct oc_address *address,
    char text[INET6_ADDRSTRLEN])
{
	const char *written = validation_address_is_v4(address) ?
	    inet_ntop(AF_INET, address->octets + V4_AT, text,
	    INET6_ADDRSTRLEN) :
	    inet_ntop(AF_INET6, address->octets, text, INET6_ADDRSTRLEN);

	oc_assert(written != NULL);
}
