/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the roles have users of their own (signer-user and its like in
 * ocsign.conf(5)): who they are, and what is whose in the run directory.
 * Only root can do that; whoever else runs us is refused.
 */
#ifndef DAEMON_USERS_H
#define DAEMON_USERS_H

#include "base/config.h"
#include "base/user.h"

/* By enum daemon_kind. */
#define DAEMON_USERS 6
struct daemon_users {
	bool is_separate;
	struct oc_user of[DAEMON_USERS];
};

/* Looks them up.  CONFIG: one does not exist, or is root. */
enum oc_err daemon_users_find(const struct oc_config *config,
    struct daemon_users *users, struct oc_error *error) OC_MUST_CHECK;
/* Before anything is bound: the directories that are missing, each its
 * role's. */
enum oc_err daemon_users_make(const struct oc_config *config,
    const struct daemon_users *users, struct oc_error *error) OC_MUST_CHECK;
/* Sockets, once they are bound: of whoever answers there, and for the group
 * of whoever asks. */
enum oc_err daemon_users_own(const struct oc_config *config,
    const struct daemon_users *users, struct oc_error *error) OC_MUST_CHECK;

#endif
