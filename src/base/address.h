/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Addresses of clients, IPv4 and IPv6 in one form: the 16 octets of IPv6,
 * IPv4 as ::ffff:192.0.2.1 (RFC 4291, 2.5.5.2).
 */
#ifndef BASE_ADDRESS_H
#define BASE_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/err.h"

struct oc_address {
	uint8_t octets[16];
};

/* False: it is none of IP.  An IPv4 client of an IPv6 socket is the same as
 * one of an IPv4 socket. */
bool oc_address_of(const struct sockaddr *from, struct oc_address *address);

/* Those that start with these bits. */
struct oc_address_range {
	struct oc_address first;
	uint8_t bits;			/* of 128 */
};

/* "192.0.2.1", "192.0.2.0/24", "2001:db8::/32"; no bit may be set behind the
 * prefix.  CONFIG. */
enum oc_err oc_address_range_parse(const char *text,
    struct oc_address_range *range, struct oc_error *error) OC_MUST_CHECK;
bool oc_address_range_has(const struct oc_address_range *range,
    const struct oc_address *address);

#endif
