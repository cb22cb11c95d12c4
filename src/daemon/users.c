/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/users.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "daemon/listeners.h"
#include "daemon/spawn.h"
#include "ipc/peers.h"

_Static_assert(DAEMON_RESPONDER < DAEMON_USERS, "one for each kind of role");

/* By name and by number it is one user all the same. */
static enum oc_err
check_differ(const struct oc_config *config,
    const struct daemon_users *users, struct oc_error *error)
{
	const struct oc_words *operators = &config->daemon.operators;
	const uid_t responder = users->of[DAEMON_RESPONDER].uid;
	struct oc_user user;
	enum oc_err err;

	for (int i = 0; i < DAEMON_USERS; i++)
		for (int n = 0; n < i; n++)
			if (users->of[i].uid != 0 &&
			    users->of[i].uid == users->of[n].uid)
				return oc_error_set(error, OC_ERR_CONFIG,
				    "%s and %s have one user, %ld; each role "
				    "has one of its own", daemon_kind_name(
				    (enum daemon_kind)n), daemon_kind_name(
				    (enum daemon_kind)i),
				    (long)users->of[i].uid);
	/* Strangers talk to it; its user asks no signer. */
	for (size_t i = 0; i < operators->num; i++) {
		err = oc_user_find(operators->words[i], &user, error);
		if (err == OC_OK && user.uid == responder)
			err = oc_error_set(error, OC_ERR_CONFIG, "operators: "
			    "%s is the responders' user; remove it",
			    operators->words[i]);
		if (err != OC_OK)
			return err;
	}
	return OC_OK;
}

enum oc_err
daemon_users_find(const struct oc_config *config, struct daemon_users *users,
    struct oc_error *error)
{
	enum oc_err err = OC_OK;

	*users = (struct daemon_users){ .is_separate =
	    oc_config_is_separate(config) };
	if (!users->is_separate)
		return OC_OK;
	for (int kind = 0; err == OC_OK && kind < DAEMON_USERS; kind++) {
		const char *text = ipc_role_user(config,
		    daemon_kind_name((enum daemon_kind)kind));

		if (text != NULL)
			err = oc_user_find(text, &users->of[kind], error);
	}
	if (err == OC_OK)
		err = check_differ(config, users, error);
	if (err == OC_OK)
		return OC_OK;
	(void)oc_error_prefix(error, "%s: [daemon]", config->path);
	if (err == OC_ERR_NOT_FOUND || err == OC_ERR_REFUSED)
		error->code = err = OC_ERR_CONFIG;
	return err;
}

/* One that is there is somebody's decision, and stays as it is. */
static enum oc_err
make(const char *path, const struct oc_user *owner, gid_t group, mode_t mode,
    struct oc_error *error)
{
	enum oc_err err;

	if (access(path, F_OK) == 0)
		return OC_OK;
	err = oc_file_mkdir_p(path, 0755, error);
	/* The mode last: chown(2) takes setgid away. */
	if (err == OC_OK && (chown(path, owner != NULL ? owner->uid : 0,
	    group) != 0 || chmod(path, mode) != 0))
		err = oc_error_set_errno(error, OC_ERR_SYSTEM, "%s", path);
	return err;
}

/* Sockets in it are given away by name: whoever could put a link there would
 * be given what that leads to. */
static enum oc_err
check_run_directory(const char *path, struct oc_error *error)
{
	struct stat st;

	if (lstat(path, &st) != 0)
		return oc_error_set_errno(error, OC_ERR_SYSTEM, "%s", path);
	if (S_ISDIR(st.st_mode) && st.st_uid == 0 &&
	    (st.st_mode & (S_IWGRP | S_IWOTH)) == 0)
		return OC_OK;
	return oc_error_set(error, OC_ERR_CONFIG, "run-directory %s is not "
	    "root's alone to write: remove it, or chown root and chmod 0755 "
	    "it", path);
}

/* Whoever writes the records is in the group of ocsign-issuer, or where there
 * is none, of ocsign-status. */
static enum oc_err
make_store_directory(const struct oc_config *config,
    const struct daemon_users *users, struct oc_error *error)
{
	const struct oc_user *issuer = &users->of[DAEMON_ISSUER];
	gid_t group = issuer->uid != 0 ? issuer->gid :
	    users->of[DAEMON_STATUS].gid;
	char *directory = NULL;
	enum oc_err err;

	if (oc_path_directory(config->store.path, &directory) != OC_OK)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	err = make(directory, NULL, group, 02770, error);
	free(directory);
	return err;
}

enum oc_err
daemon_users_make(const struct oc_config *config,
    const struct daemon_users *users, struct oc_error *error)
{
	const struct oc_config_daemon *d = &config->daemon;
	const struct oc_user *status = &users->of[DAEMON_STATUS];
	gid_t responders = users->of[DAEMON_RESPONDER].gid;
	enum oc_err err;

	if (!users->is_separate) {
		/* Responders look for it when they start.  If it cannot be
		 * made, ocsign-status says so. */
		(void)!oc_file_mkdir_p(d->table_directory, 0755, NULL);
		return oc_file_mkdir_p(d->run_directory, 0700, error);
	}
	err = make(d->run_directory, NULL, 0, 0755, error);
	if (err == OC_OK)
		err = check_run_directory(d->run_directory, error);
	if (err == OC_OK)
		err = make(d->status_directory, status, status->gid, 0755,
		    error);
	if (err == OC_OK)
		err = make(d->responder_directory,
		    &users->of[DAEMON_RESPONDER], status->gid, 02750, error);
	if (err == OC_OK && users->of[DAEMON_ISSUER].uid != 0)
		err = make(d->issuer_directory, &users->of[DAEMON_ISSUER],
		    status->gid, 02750, error);
	if (err == OC_OK && users->of[DAEMON_VALIDATOR].uid != 0)
		err = make(d->validator_directory,
		    &users->of[DAEMON_VALIDATOR], status->gid, 02750, error);
	if (err == OC_OK && users->of[DAEMON_FETCHER].uid != 0)
		err = make(d->fetch_directory, &users->of[DAEMON_FETCHER],
		    status->gid, 02750, error);
	if (err == OC_OK)
		err = make_store_directory(config, users, error);
	if (err == OC_OK)
		err = make(d->table_directory, status, responders, 02750,
		    error);
	if (err == OC_OK)
		err = make(d->signer_directory, &users->of[DAEMON_SIGNER],
		    users->of[DAEMON_SIGNER].gid, 0700, error);
	return err;
}

enum oc_err
daemon_users_own(const struct oc_config *config,
    const struct daemon_users *users, struct oc_error *error)
{
	static const struct {
		enum daemon_kind owner, group;
	} of[DAEMON_SOCKET_MAX] = {
		[DAEMON_SOCKET_SIGNER_STATUS] = { DAEMON_SIGNER,
		    DAEMON_STATUS },
		[DAEMON_SOCKET_SIGNER_ISSUER] = { DAEMON_SIGNER,
		    DAEMON_ISSUER },
		[DAEMON_SOCKET_STATUS] = { DAEMON_STATUS, DAEMON_RESPONDER },
		[DAEMON_SOCKET_STATUS_CONTROL] = { DAEMON_STATUS,
		    DAEMON_ISSUER },
		[DAEMON_SOCKET_VALIDATOR] = { DAEMON_VALIDATOR,
		    DAEMON_ISSUER },
	};
	char path[PATH_MAX];

	for (int i = 0; users->is_separate && i < DAEMON_SOCKET_MAX; i++) {
		if (i == DAEMON_SOCKET_VALIDATOR &&
		    !oc_config_validates(config))
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s.sock",
		    config->daemon.run_directory,
		    daemon_socket_name((enum daemon_socket)i));
		if (chown(path, users->of[of[i].owner].uid,
		    users->of[of[i].group].gid) != 0 ||
		    chmod(path, 0660) != 0)
			return oc_error_set_errno(error, OC_ERR_SYSTEM, "%s",
			    path);
	}
	return OC_OK;
}
