/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Host names as people write them, in any script, as the A-labels that
 * certificates and DNS have: IDNA2008 (RFC 5891), not transitional.
 */
#ifndef CA_HOSTNAME_H
#define CA_HOSTNAME_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define CA_HOST_MAX 254			/* RFC 1035, as text, and NUL */

/*
 * UTF-8 or A-labels in; lower case, A-labels out.  "*" may be the whole first
 * label.  MALFORMED with what is wrong: not UTF-8, control characters, a
 * trailing dot, an empty or too long label, a code point that IDNA2008 does
 * not allow, an A-label that is not one, a last label of digits only.
 */
enum oc_err ca_host_to_ascii(const char *text, size_t text_len,
    char host[CA_HOST_MAX], struct oc_error *error) OC_MUST_CHECK;

/* The same for the name of a zone: no wildcard, and two labels at least. */
enum oc_err ca_zone_to_ascii(const char *text, char name[CA_HOST_MAX],
    struct oc_error *error) OC_MUST_CHECK;

/* For people: U-labels where they are such; else as it is. */
void ca_host_to_unicode(const char *host, char *text, size_t text_max);

/* True if the host is the zone's name or lies in it; "*.zone" does. */
bool ca_host_is_in(const char *host, const char *zone);

#endif
