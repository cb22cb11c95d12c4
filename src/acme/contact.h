/* SPDX-License-Identifier: Apache-2.0 */
/* How an account's holder may be reached (RFC 8555, 7.3): mailto: alone, one
 * address each and no header fields.  Pure. */
#ifndef ACME_CONTACT_H
#define ACME_CONTACT_H

#include <jansson.h>

#include "acme/problem.h"

#define ACME_CONTACTS_MAX 10

/* A list (NULL: an empty one) into compact JSON of at most text_max - 1
 * octets.  INVALID_CONTACT, UNSUPPORTED_CONTACT, MALFORMED. */
enum oc_err acme_contacts_read(const json_t *contacts, char *text,
    size_t text_max, struct acme_problem *problem) OC_MUST_CHECK;

#endif
