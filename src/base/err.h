/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Errors.  One enum for the whole project; what another library or a device
 * said is translated at the folder's edge.  Cold-path functions also fill a
 * struct oc_error with one line that says what, where and what to do.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdarg.h>
#include <stddef.h>

enum oc_err {
	OC_OK = 0,
	OC_ERR_NOMEM,		/* out of memory */
	OC_ERR_SYSTEM,		/* a system call failed; the text has errno */
	OC_ERR_NO_SPACE,	/* disk or output buffer full */
	OC_ERR_MALFORMED,	/* not the encoding or syntax it should be */
	OC_ERR_LIMIT,		/* larger or more than limits.h allows */
	OC_ERR_UNSUPPORTED,	/* well-formed, but not done here */
	OC_ERR_REFUSED,		/* policy says no */
	OC_ERR_USAGE,		/* the command line is wrong */
	OC_ERR_CONFIG,		/* the configuration is wrong */
	OC_ERR_NOT_FOUND,
	OC_ERR_EXISTS,
	OC_ERR_MISMATCH,	/* two things that must agree do not */
	OC_ERR_SIGNATURE,	/* a signature does not verify */
	OC_ERR_BUSY,		/* locked, or a queue is full: try later */
	OC_ERR_TIMEOUT,		/* the deadline passed */
	OC_ERR_CANCELLED,
	OC_ERR_DOWN,		/* the token or the other role is away */
	OC_ERR_PIN,		/* PIN wrong, locked, missing: never retried */
	OC_ERR_TOKEN,		/* the token refused; the text has the CKR */
	OC_ERR_STORE,		/* the database failed; the text says how */
	OC_ERR_INTERNAL,	/* what OpenSSL or libevent never do */
	OC_ERR_UNSIGNED		/* without the signature it must have */
};

#define OC_MUST_CHECK __attribute__((warn_unused_result))
#define OC_PRINTF(f, a) __attribute__((format(printf, f, a)))
#define OC_NORETURN __attribute__((noreturn))

#define OC_ERROR_TEXT_MAX 512

/* Zero state is "no error". */
struct oc_error {
	enum oc_err code;
	char text[OC_ERROR_TEXT_MAX];	/* one line of UTF-8 */
};

/* A short English phrase, never NULL: "not found". */
const char *oc_strerror(enum oc_err err);

/* Sets code and text, cut to fit; what is no printable UTF-8 is '?', so that
 * an argument may be anything, cut anywhere.  Returns code, so that "return
 * oc_error_set(error, ...)" reads well.  error may be NULL. */
enum oc_err oc_error_set(struct oc_error *error, enum oc_err code,
    const char *format, ...) OC_PRINTF(3, 4);

/* As oc_error_set(), with ": strerror(errno)" behind the text. */
enum oc_err oc_error_set_errno(struct oc_error *error, enum oc_err code,
    const char *format, ...) OC_PRINTF(3, 4);

/* Puts "format: " in front of the text that is already there. */
enum oc_err oc_error_prefix(struct oc_error *error, const char *format, ...)
    OC_PRINTF(2, 3);

/* Programmer errors.  Kept in release builds: a CA must stop rather than
 * sign the wrong bytes. */
#define oc_assert(condition) \
	((condition) ? (void)0 : \
	    oc_assert_failed(#condition, __FILE__, __LINE__))
void oc_assert_failed(const char *condition, const char *file, int line)
    OC_NORETURN;

#endif
