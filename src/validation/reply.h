/* SPDX-License-Identifier: Apache-2.0 */
/* Writing a reply. */
#ifndef VALIDATION_REPLY_H
#define VALIDATION_REPLY_H

#include "validation/validation.h"

/* Whether a later try may see another. */
enum validation_again { VALIDATION_FINAL, VALIDATION_TEMPORARY };

/* Empties the reply and says what was seen: one line of printable UTF-8, cut;
 * what is no such is '?'. */
void validation_reply_set(struct validation_reply *reply,
    enum validation_fault fault, enum validation_again again,
    const char *format, ...) OC_PRINTF(4, 5);

/* Puts an address behind those that are there; one that is there already, in
 * whatever case, or has no room, is not put. */
void validation_reply_put_contact(struct validation_reply *reply,
    const char *address);

#endif
