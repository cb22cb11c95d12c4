/* SPDX-License-Identifier: Apache-2.0 */
#include "base/user.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/value.h"

#define ENTRY_MAX (64 * 1024)

/* By name, or by number if that is no negative one. */
static enum oc_err
look_up(const char *text, int64_t number, struct oc_user *user,
    bool *is_there, struct oc_error *error)
{
	struct passwd entry, *found = NULL;
	char *buffer = malloc(ENTRY_MAX);
	int rc;

	if (buffer == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	rc = number < 0 ?
	    getpwnam_r(text, &entry, buffer, ENTRY_MAX, &found) :
	    getpwuid_r((uid_t)number, &entry, buffer, ENTRY_MAX, &found);
	if (found != NULL && strlen(entry.pw_name) > OC_USER_NAME_MAX)
		rc = ENAMETOOLONG;
	*is_there = rc == 0 && found != NULL;
	if (*is_there) {
		user->uid = entry.pw_uid;
		user->gid = entry.pw_gid;
		(void)snprintf(user->name, sizeof(user->name), "%s",
		    entry.pw_name);
	}
	free(buffer);
	/* Some libraries have the first two for "no such user". */
	if (rc == 0 || rc == ENOENT || rc == ESRCH)
		return OC_OK;
	errno = rc;
	return oc_error_set_errno(error, OC_ERR_SYSTEM, "looking for user %s",
	    text);
}

enum oc_err
oc_user_find(const char *text, struct oc_user *user, struct oc_error *error)
{
	struct oc_user u = { .name = "" };
	int64_t number = -1;
	bool is_there;
	enum oc_err err;

	if (oc_value_int(text, 0, UINT32_MAX - 1, &number, NULL) != OC_OK)
		number = -1;
	u.uid = (uid_t)number;
	u.gid = (gid_t)number;
	err = look_up(text, number, &u, &is_there, error);
	if (err != OC_OK)
		return err;
	if (!is_there && number < 0)
		return oc_error_set(error, OC_ERR_NOT_FOUND, "there is no "
		    "user %s", text);
	if (u.uid == 0)
		return oc_error_set(error, OC_ERR_REFUSED, "user %s is root",
		    text);
	*user = u;
	return OC_OK;
}

enum oc_err
oc_user_become(const struct oc_user *user, struct oc_error *error)
{
	int rc = user->name[0] != '\0' ? initgroups(user->name, user->gid) :
	    setgroups(0, NULL);

	if (rc != 0 || setresgid(user->gid, user->gid, user->gid) != 0 ||
	    setresuid(user->uid, user->uid, user->uid) != 0)
		return oc_error_set_errno(error, OC_ERR_REFUSED, "cannot "
		    "become user %ld", (long)user->uid);
	/* Nobody gets back. */
	if (setuid(0) == 0 || geteuid() != user->uid)
		return oc_error_set(error, OC_ERR_REFUSED, "user %ld can "
		    "become root again", (long)user->uid);
	return OC_OK;
}
