/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Questions and replies in frames (ipc/frame.h).  What a reader gives has been
 * checked, character by character: nothing that comes out of it can be more
 * than a name in a query, a path in a request line, or an address in an SMTP
 * command.
 */
#ifndef VALIDATION_WIRE_H
#define VALIDATION_WIRE_H

#include "ipc/frame.h"
#include "ipc/message.h"
#include "validation/validation.h"

/* A question off the wire, and the strings that it points to. */
struct validation_asked {
	struct validation_question question;
	uint32_t timeout_ms;		/* left until the deadline */
	char octets[];
};

/* REFUSED: a string that the task does not take is given, one that it needs
 * is not, or it is none; *which is its field's name then. */
enum oc_err validation_put_question(uint8_t *out, size_t out_max, uint64_t id,
    const struct validation_question *question, uint32_t timeout_ms,
    size_t *len, const char **which) OC_MUST_CHECK;
/* MALFORMED, NOMEM.  *asked is for free(). */
enum oc_err validation_read_question(struct der_bytes fields,
    struct validation_asked **asked) OC_MUST_CHECK;

enum oc_err validation_put_reply(uint8_t *out, size_t out_max, uint64_t id,
    const struct validation_reply *reply, size_t *len) OC_MUST_CHECK;
/* MALFORMED; *reply is then as it was. */
enum oc_err validation_read_reply(struct der_bytes fields,
    struct validation_reply *reply) OC_MUST_CHECK;

#endif
