/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Addresses that a message may go to: of RFC 5321's Mailbox the plain part, a
 * dot-atom at a host name of A-labels, 64 and 254 octets at most.  No quoted
 * local part, no address literal, no comment, no route ("!" and "%"), no "/",
 * "|", "`" or "$", no hyphen in front: what a header, SMTP or a mailer of old
 * could take for more than an address.
 */
#ifndef VALIDATION_MAILBOX_H
#define VALIDATION_MAILBOX_H

#include <stdbool.h>
#include <stddef.h>

#include "validation/validation.h"

bool validation_mailbox_is_valid(const char *text, size_t len);
/* A-labels with a dot at least, letters, digits and hyphens, of either case;
 * the last label is not of digits alone. */
bool validation_host_is_valid(const char *text, size_t len);

/* admin, administrator, webmaster, hostmaster, postmaster: at the name. */
#define VALIDATION_CONSTRUCTED_NUM 5
/* False: it would be too long. */
bool validation_mailbox_construct(unsigned int n, const char *name,
    char address[VALIDATION_ADDRESS_MAX + 1]);

#endif
