/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A user of the system, by name or by number; and becoming one, for good.
 * May ask name services: never from an event loop.
 */
#ifndef BASE_USER_H
#define BASE_USER_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

#define OC_USER_NAME_MAX 32

struct oc_user {
	uid_t uid;
	gid_t gid;			/* its first group; of a number that
					 * has no name, the same number */
	char name[OC_USER_NAME_MAX + 1];	/* "": none */
};

/* NOT_FOUND: there is no such user.  REFUSED: it is root. */
enum oc_err oc_user_find(const char *text, struct oc_user *user,
    struct oc_error *error) OC_MUST_CHECK;

/* For good, with all groups that the user is in and no others.  What it
 * returns errors for leaves the process as nobody knows whom: end it.  Clears
 * PR_SET_PDEATHSIG (the kernel does). */
enum oc_err oc_user_become(const struct oc_user *user,
    struct oc_error *error) OC_MUST_CHECK;

#endif
