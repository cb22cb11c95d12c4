/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

const char *
oc_strerror(enum oc_err err)
{
	switch (err) {
	case OC_OK:
		return "no error";
	case OC_ERR_NOMEM:
		return "out of memory";
	case OC_ERR_SYSTEM:
		return "system call failed";
	case OC_ERR_NO_SPACE:
		return "no space left";
	case OC_ERR_MALFORMED:
		return "malformed";
	case OC_ERR_LIMIT:
		return "over the limit";
	case OC_ERR_UNSUPPORTED:
		return "not supported";
	case OC_ERR_REFUSED:
		return "refused";
	case OC_ERR_USAGE:
		return "wrong usage";
	case OC_ERR_CONFIG:
		return "wrong configuration";
	case OC_ERR_NOT_FOUND:
		return "not found";
	case OC_ERR_EXISTS:
		return "exists already";
	case OC_ERR_MISMATCH:
		return "mismatch";
	case OC_ERR_SIGNATURE:
		return "signature does not verify";
	case OC_ERR_BUSY:
		return "busy";
	case OC_ERR_TIMEOUT:
		return "timed out";
	case OC_ERR_CANCELLED:
		return "cancelled";
	case OC_ERR_DOWN:
		return "not available now";
	case OC_ERR_PIN:
		return "PIN not accepted";
	case OC_ERR_TOKEN:
		return "token error";
	case OC_ERR_STORE:
		return "store error";
	case OC_ERR_INTERNAL:
		return "internal error";
	case OC_ERR_UNSIGNED:
		return "not signed";
	}
	/* A value from the wire that is none of ours. */
	return "unknown error";
}

/* Neither C0, DEL nor C1, which terminals obey. */
static bool
is_control(const char *text, size_t len)
{
	unsigned char c = (unsigned char)text[len - 1];

	return len == 1 ? c < 0x20 || c == 0x7f :
	    len == 2 && (unsigned char)text[0] == 0xc2 && c < 0xa0;
}

/* One line of printable UTF-8, whatever an argument was or was cut to.  What
 * a full text ends with, and is no whole character, goes. */
static void
tidy(char *text)
{
	size_t len = strlen(text), n;

	for (size_t i = 0; i < len; i += n) {
		n = oc_utf8_first(text + i, len - i);
		if (n == 0 && len == OC_ERROR_TEXT_MAX - 1 && len - i < 4 &&
		    (unsigned char)text[i] >= 0xc0) {
			text[i] = '\0';
			return;
		}
		if (n == 0)
			n = 1;
		else if (!is_control(text + i, n))
			continue;
		memset(text + i, '?', n);
	}
}

/* By way of a buffer of its own: an argument may be error->text itself. */
static void OC_PRINTF(2, 0)
set_text(struct oc_error *error, const char *format, va_list ap)
{
	char text[OC_ERROR_TEXT_MAX] = "";

	vsnprintf(text, sizeof(text), format, ap);
	tidy(text);
	memcpy(error->text, text, sizeof(text));
}

enum oc_err
oc_error_set(struct oc_error *error, enum oc_err code, const char *format, ...)
{
	va_list ap;

	if (error == NULL)
		return code;
	va_start(ap, format);
	set_text(error, format, ap);
	va_end(ap);
	error->code = code;
	return code;
}

/* Appends ": text", cut to fit. */
static void
append_text(struct oc_error *error, const char *text)
{
	size_t len = strlen(error->text);

	snprintf(error->text + len, sizeof(error->text) - len, ": %s", text);
	tidy(error->text);
}

enum oc_err
oc_error_set_errno(struct oc_error *error, enum oc_err code,
    const char *format, ...)
{
	char reason[128];
	int saved = errno;
	va_list ap;

	if (error == NULL)
		return code;
	/* %m: strerror() is not safe in threads everywhere. */
	snprintf(reason, sizeof(reason), "%m");
	va_start(ap, format);
	set_text(error, format, ap);
	va_end(ap);
	append_text(error, reason);
	error->code = code;
	errno = saved;
	return code;
}

enum oc_err
oc_error_prefix(struct oc_error *error, const char *format, ...)
{
	char behind[OC_ERROR_TEXT_MAX];
	va_list ap;

	oc_assert(error != NULL);
	memcpy(behind, error->text, sizeof(behind));
	va_start(ap, format);
	set_text(error, format, ap);
	va_end(ap);
	append_text(error, behind);
	return error->code;
}

void
oc_assert_failed(const char *condition, const char *file, int line)
{
	fprintf(stderr, "ocsign: %s:%d: this must hold and does not: %s\n",
	    file, line, condition);
	abort();
}
