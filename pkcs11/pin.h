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
 *
 * The mark is a file <state>/pin-accepted-<token>, with eight bits of such a
 * hash of the PIN that the token accepted last.  That PIN is tried without a
 * latch: whoever is killed meanwhile leaves a count in the mark, and the next
 * may try.  What was lost may have been a refusal, so that two such ends in a
 * row latch like a first one of a PIN that nobody knows: a token that counts to
 * three has one left.
 */
#ifndef PKCS11_PIN_H
#define PKCS11_PIN_H

#include <stdbool.h>
#include <stdint.h>

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
	P11_PIN_NOT_LOOKED_AT	/* the token failed before, and said so; or
				 * somebody was logged in already */
};

/* How often a PIN that was accepted may be tried without an answer. */
#define P11_PIN_LOST_MAX 2

#define P11_PIN_LINE_MAX 128

/*
 * What this process knows of the PIN that was accepted last: for who logs in
 * again and again, one at a time.  All zero: nothing.
 */
struct p11_pin_known {
	bool is_known;
	uint8_t key[32], digest[32];	/* HMAC-SHA256 of the PIN */
	char line[P11_PIN_LINE_MAX];	/* its salted hash */
};
void p11_pin_forget(struct p11_pin_known *known);

/*
 * Around each C_Login.  begin() waits for others who try the same token, for
 * a few seconds at most (then BUSY), and makes sure that a process which ends
 * before end() leaves the latch, or one more in the mark's count.  OC_ERR_PIN
 * if the token refused this PIN, or nobody knows; another PIN replaces the
 * latch.  What a power cut takes from the count is counted at the next start
 * of the machine.
 * Takes some ten milliseconds for the hash and waits for the disk, but for a
 * PIN that is known: that is microseconds.  known may be NULL.
 * After OC_OK end() must follow, in the same thread or another.
 */
struct p11_pin_try {
	int lock;
	int mark;			/* -1: not this PIN's */
	unsigned int num_lost;		/* before this one, by the mark */
	bool is_quick;			/* known; nothing waits for the disk */
	struct p11_pin_known *known, next;
	char line[P11_PIN_LINE_MAX];
	char latch[P11_PIN_PATH_MAX], accepted[P11_PIN_PATH_MAX];
};
enum oc_err p11_pin_begin(const char *state_dir, const char *token,
    const struct oc_secret *pin, struct p11_pin_known *known,
    struct p11_pin_try *attempt, struct oc_error *error) OC_MUST_CHECK;
void p11_pin_end(struct p11_pin_try *attempt, enum p11_pin_outcome outcome);
/* "I know what I am doing": NOT_FOUND if it is not latched. */
enum oc_err p11_pin_unlatch(const char *state_dir, const char *token,
    struct oc_error *error) OC_MUST_CHECK;

#endif
