/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The octets of a message: header fields and a text (RFC 5322), as MIME
 * (RFC 2045, 2047) where they are not ASCII.  Whatever comes in, no field has
 * a line that its writer did not put there.
 */
#ifndef VALIDATION_MESSAGE_H
#define VALIDATION_MESSAGE_H

#include <stdint.h>

#include "base/bytes.h"
#include "validation/validation.h"

/* Each octet of a text of VALIDATION_BODY_MAX as three. */
#define VALIDATION_MESSAGE_MAX (128 * 1024)

struct validation_message {
	const char *from, *to;		/* addresses, mailbox.h */
	const char *subject, *body;	/* UTF-8; lines end with LF */
	int64_t sent_at;
	const char *id;			/* what stands left of the domain */
};

/* Lines end with CR LF.  MALFORMED, LIMIT: as validation_mail_send(). */
enum oc_err validation_message_put(struct oc_buffer *b,
    const struct validation_message *message) OC_MUST_CHECK;

#endif
