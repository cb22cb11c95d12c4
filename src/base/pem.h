/* SPDX-License-Identifier: Apache-2.0 */
/* The textual encoding of DER, RFC 7468. */
#ifndef BASE_PEM_H
#define BASE_PEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/spool.h"

#define OC_PEM_LABEL_MAX 64		/* "CERTIFICATE REQUEST" is 19 */

/* The text is borrowed.  at starts as 0 and is where reading goes on. */
struct oc_pem_cursor {
	const char *text;
	size_t len;
	size_t at;
};

/*
 * The next block.  *der is for free().  Text before, between and behind
 * blocks is skipped (RFC 7468, 2); a block itself is read strictly: no
 * headers, no blank lines, lines of 76 characters at most, only the last one
 * padded or not a multiple of four, END as BEGIN says.  LF and CR LF are line
 * ends.  NOT_FOUND when there are no more blocks; then nothing is written,
 * and the error text is for the case that one was needed.
 */
enum oc_err oc_pem_next(struct oc_pem_cursor *cursor,
    char label[OC_PEM_LABEL_MAX + 1], uint8_t **der, size_t *der_len,
    struct oc_error *error) OC_MUST_CHECK;

/* The same, if it has one of these labels, appended to *der; MISMATCH: it has
 * another, and is skipped.  After an error *der has what came before it. */
enum oc_err oc_pem_next_spooled(struct oc_pem_cursor *cursor,
    const char *const labels[2], struct oc_spool *der,
    char label[OC_PEM_LABEL_MAX + 1], struct oc_error *error) OC_MUST_CHECK;

/* Appends a block, lines of 64.  Failures are the buffer's. */
void oc_pem_write(struct oc_buffer *b, const char *label, const void *der,
    size_t der_len);
/* The same for what is long. */
void oc_pem_spool(struct oc_spool *s, const char *label, const void *der,
    size_t der_len);

/* Is there a line that begins a private key of any sort, well-formed or not?
 * Such a file was handed to us by mistake. */
bool oc_pem_has_private_key(const char *text, size_t len);

#endif
