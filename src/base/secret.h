/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a PIN or a password comes from, so that it is neither in the
 * configuration nor in an argument: "file:/path" or "/path", "fd:N" (an
 * inherited, seekable descriptor), or "credential:NAME" (systemd).
 */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include <stdbool.h>

#include "base/bytes.h"

struct oc_secret_kind {
	const char *key;	/* of the configuration: "pin-source" */
	const char *noun;	/* "PIN" */
	enum oc_err err;	/* of all failures but NOMEM and SYSTEM */
	bool has_readers;	/* the group of a file may read it, too */
};
/* For a database: read by several roles, each of which has its own user. */
extern const struct oc_secret_kind oc_secret_password;

/* A file is ours or root's, for nobody else to read.  Nothing of the secret is
 * in an error; it is the caller's to fini. */
enum oc_err oc_secret_take(const char *source,
    const struct oc_secret_kind *kind, struct oc_secret *secret,
    struct oc_error *error) OC_MUST_CHECK;

#endif
