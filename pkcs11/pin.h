/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a PIN comes from, and the latch that keeps a wrong one from being
 * tried twice: a token locks itself after three.
 *
 * A pin-source is "file:/path" or "/path" (ours or root's, for nobody else to
 * read), "fd:N" (a seekable descriptor), or "credential:NAME" (systemd).
 *
 * The latch is a file <state>/pin-latch-<token>.  It holds what the
 * pin-source's file looked like (device, inode, size, times), never the PIN
 * or anything computed from it.
 */
#ifndef PKCS11_PIN_H
#define PKCS11_PIN_H

#include "base/bytes.h"
#include "base/err.h"

/* One line that changes when the source does. */
struct p11_pin_mark {
	char text[160];
};

/* All failures but NOMEM and SYSTEM are OC_ERR_PIN; the text says what to
 * do.  pin is the caller's to fini. */
enum oc_err p11_pin_read(const char *source, struct oc_secret *pin,
    struct p11_pin_mark *mark, struct oc_error *error) OC_MUST_CHECK;

/* OC_ERR_PIN if the token refused what is marked so; another mark removes
 * the latch. */
enum oc_err p11_pin_check(const char *state_dir, const char *token,
    const struct p11_pin_mark *mark, struct oc_error *error) OC_MUST_CHECK;
enum oc_err p11_pin_latch(const char *state_dir, const char *token,
    const struct p11_pin_mark *mark, struct oc_error *error) OC_MUST_CHECK;
/* "I know what I am doing": NOT_FOUND if it is not latched. */
enum oc_err p11_pin_unlatch(const char *state_dir, const char *token,
    struct oc_error *error) OC_MUST_CHECK;

#endif
