/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A private key from a file into a token: sensitive and not extractable from
 * then on, but it was outside, and the token says so for ever.  In a
 * throw-away child, as pkcs11/admin.h, whose memory is locked where that is
 * allowed; what was read is overwritten.
 */
#ifndef PKCS11_IMPORT_H
#define PKCS11_IMPORT_H

#include <stdbool.h>

#include "base/bytes.h"
#include "pkcs11/config.h"

struct p11_import {
	const struct p11_token_config *token;
	const char *state_dir;
	/* PEM or DER: PKCS#8, encrypted or not, and what OpenSSL wrote before
	 * that.  Ours or root's, for nobody else to read. */
	const char *path;
	const struct oc_secret *passphrase;	/* NULL: none */
	const char *label;
};

struct p11_imported {
	struct sign_key_info info;
	struct p11_key_entry entry;
	bool is_locked;			/* the memory that it was in */
};

/* REFUSED for a file that others may read, and a key that we would not certify
 * (x509/spki.h); MALFORMED for none, and for several in one file; PIN for a
 * wrong passphrase, or none where one is needed; EXISTS for a label that the
 * token has. */
enum oc_err p11_import(const struct p11_import *import, int64_t deadline_ns,
    struct p11_imported *imported, struct oc_error *error) OC_MUST_CHECK;
/* Whether the file wants one, without asking a token. */
enum oc_err p11_import_wants_passphrase(const char *path, bool *wants,
    struct oc_error *error) OC_MUST_CHECK;

#endif
