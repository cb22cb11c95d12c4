/* SPDX-License-Identifier: Apache-2.0 */
/* What the latch and the mark of a PIN (pin.h) are made of. */
#ifndef PKCS11_PIN_IMPL_H
#define PKCS11_PIN_IMPL_H

#include "pkcs11/pin.h"

/* "pbkdf2-sha256 SALT HASH" says which PIN it is; the NUL is not counted. */
#define P11_PIN_LINE_LEN 111
enum oc_err p11_pin_line(const struct oc_secret *pin,
    char line[P11_PIN_LINE_MAX], struct oc_error *error) OC_MUST_CHECK;
enum p11_pin_whose { P11_PIN_SAME, P11_PIN_OTHER, P11_PIN_NO_LINE };
enum p11_pin_whose p11_pin_whose(const char *text, size_t len,
    const struct oc_secret *pin);

/*
 * A mark has the line but for all of the hash after its first octet: it stays,
 * and who takes it must not be able to find a short PIN by it.  One PIN of 256
 * is taken for another by this, which may cost it its latch, not its count.
 */
#define P11_MARK_LINE_LEN 49

/*
 * That; "booted SECONDS", when the machine was started; "lost N", how many
 * tries have had no answer.  All of one length: N is written in its place.
 */
#define P11_MARK_LEN 85
#define P11_MARK_LOST_AT (P11_MARK_LEN - 2)

struct p11_mark {
	int fd;				/* -1: there is none that is good */
	char line[P11_MARK_LINE_LEN + 1];
	int64_t booted_at;
	unsigned int num_lost;
};

/* Whoever has it open closes it. */
void p11_mark_open(const char *path, struct p11_mark *mark);
/* A new one, of this start of the machine. */
enum oc_err p11_mark_write(const char *path, const char *line,
    unsigned int num_lost, struct oc_error *error) OC_MUST_CHECK;
/* If it is, *line has all of it. */
bool p11_mark_is_of_pin(const struct p11_mark *mark,
    const struct oc_secret *pin, char line[P11_PIN_LINE_MAX]);
bool p11_mark_is_of_this_boot(const struct p11_mark *mark);

#endif
