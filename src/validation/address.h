/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Addresses that are not the internet's: private, link-local, documentation,
 * loopback, and those that lead to others (6to4, Teredo, NAT64), as IANA's
 * special-purpose registries for IPv4 and IPv6 have them (RFC 6890).  Whoever
 * names one in DNS would have us look at our own network for him.
 */
#ifndef VALIDATION_ADDRESS_H
#define VALIDATION_ADDRESS_H

#include <netinet/in.h>

#include "base/address.h"

/* What it is ("private", "link-local"), or NULL: it is a host's on the
 * internet, or within one of the ranges that are allowed. */
const char *validation_address_reserved(const struct oc_address *address,
    const struct oc_address_range *allowed, size_t num_allowed);

/* One reserved range after another, as text ("10.0.0.0/8"); NULL behind the
 * last. */
const char *validation_address_range(size_t i);

/* 4 octets of A, 16 of AAAA, as in a record; false for any other length. */
bool validation_address_of_record(const uint8_t *octets, size_t len,
    struct oc_address *address);
bool validation_address_is_v4(const struct oc_address *address);
/* "192.0.2.1", "2001:db8::1". */
void validation_address_text(const struct oc_address *address,
    char text[INET6_ADDRSTRLEN]);

#endif
