/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What CFSSL's commands print, {"cert":PEM,"csr":PEM,"key":PEM}, and what
 * cfssljson makes files of.
 */
#ifndef CFSSL_RESULT_H
#define CFSSL_RESULT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/bytes.h"
#include "base/err.h"

struct cfssl_result {
	const char *cert, *csr, *key;	/* PEM, or NULL */
};

/* One line of JSON, keys sorted, with its newline: for cfssl_pem_free(). */
enum oc_err cfssl_result_line(const struct cfssl_result *result, char **line,
    struct oc_error *error) OC_MUST_CHECK;

/* One file of cfssljson's. */
struct cfssl_part {
	const char *suffix;		/* "-key.pem" */
	mode_t mode;			/* before the umask */
	uint8_t *bytes;			/* owned; a NUL stands behind */
	size_t len;
	bool is_binary;			/* base64 where it is printed */
};

#define CFSSL_PARTS_MAX 8

struct cfssl_parts {
	struct cfssl_part parts[CFSSL_PARTS_MAX];
	size_t num_parts;
};

enum cfssl_wrapping { CFSSL_BARE, CFSSL_ENVELOPE };

/*
 * In cfssljson's order.  CFSSL_ENVELOPE: {"success", "result", "errors",
 * "messages"} around it, and REFUSED with the errors' texts where there was
 * no success.  NOT_FOUND if there is nothing to be written.  *parts is for
 * cfssl_parts_fini(), which overwrites it.
 */
enum oc_err cfssl_parts_read(const char *where, const uint8_t *text,
    size_t len, enum cfssl_wrapping wrapping, struct cfssl_parts *parts,
    struct oc_error *error) OC_MUST_CHECK;
void cfssl_parts_fini(struct cfssl_parts *parts);

#endif
