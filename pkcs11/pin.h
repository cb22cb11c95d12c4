/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a PIN comes from, and the latch that keeps a wrong one from being
 * tried twice: a token locks itself after three.
 *
 * A pin-source is "file:/path" or "/path" (ours or root's, for nobody else to
 * read), "fd:N" (an inherited, seekable descriptor), or "credential:NAME"
 * (systemd).
 *
 * The latch is a file <state>/pin-latch-<token>, 0600.  It holds a salted hash
 * of the PIN that was refused, so that the same PIN is the same wherever it
 * comes from: a file that was touched, a credential that systemd made anew.
 * Beside it is the lock of those who try.
 */
#ifndef PKCS11_PIN_H
#define PKCS11_PIN_H

#include "base/bytes.h"
#include "base/err.h"

#define P11_PIN_PATH_MAX 4096

/* All failures but NOMEM and SYSTEM are OC_ERR_PIN; the text says what to
 * do.  pin is the caller's to fini. */
enum oc_err p11_pin_read(const char *source, struct oc_secret *pin,
    struct oc_error *error) OC_MUST_CHECK;

/* How a try ended. */
enum p11_pin_outcome {
	P11_PIN_ACCEPTED,
	P11_PIN_REFUSED,
	P11_PIN_NOT_LOOKED_AT	/* the token failed before, and said so */
};

/*
 * Around each C_Login.  begin() waits for others who try the same token, for
 * a few seconds at most (then BUSY), and latches before anything is tried: a
 * process that ends before end() leaves the latch.  OC_ERR_PIN if the token
 * refused this PIN, or nobody knows; another PIN replaces the latch.  Takes
 * some ten milliseconds for the hash.
 * After OC_OK end() must follow, in the same thread or another.
 */
struct p11_pin_try {
	int lock;
	char latch[P11_PIN_PATH_MAX];
};
enum oc_err p11_pin_begin(const char *state_dir, const char *token,
    const struct oc_secret *pin, struct p11_pin_try *attempt,
    struct oc_error *error) OC_MUST_CHECK;
void p11_pin_end(struct p11_pin_try *attempt, enum p11_pin_outcome outcome);
/* "I know what I am doing": NOT_FOUND if it is not latched. */
enum oc_err p11_pin_unlatch(const char *state_dir, const char *token,
    struct oc_error *error) OC_MUST_CHECK;

#endif
