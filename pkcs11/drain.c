/* SPDX-License-Identifier: Apache-2.0 */
#include "pkcs11/drain.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"

#define PATH_MAX_LEN 4096

static const char what[] = "No work for this token: \"ocsign token undrain\" "
    "removes this file.\n";

static enum oc_err
path_of(const char *state_dir, const char *token, char path[PATH_MAX_LEN],
    struct oc_error *error)
{
	int len;

	if (token[0] == '\0' || strchr(token, '/') != NULL)
		return oc_error_set(error, OC_ERR_CONFIG,
		    "\"%s\" is no name for a token", token);
	len = snprintf(path, PATH_MAX_LEN, "%s/drained-%s", state_dir, token);
	if (len < 0 || len >= PATH_MAX_LEN)
		return oc_error_set(error, OC_ERR_CONFIG,
		    "the state directory's path is too long");
	return OC_OK;
}

enum oc_err
p11_drain_is_set(const char *state_dir, const char *token, bool *is_set,
    struct oc_error *error)
{
	char path[PATH_MAX_LEN];
	enum oc_err err = path_of(state_dir, token, path, error);

	if (err != OC_OK)
		return err;
	*is_set = access(path, F_OK) == 0;
	/* One that nobody can look for may be there. */
	if (!*is_set && errno != ENOENT && errno != ENOTDIR)
		return oc_error_set_errno(error, OC_ERR_SYSTEM, "%s", path);
	return OC_OK;
}

enum oc_err
p11_drain_set(const char *state_dir, const char *token, bool is_set,
    struct oc_error *error)
{
	char path[PATH_MAX_LEN];
	enum oc_err err = path_of(state_dir, token, path, error);

	if (err == OC_OK && is_set)
		err = oc_file_mkdir_p(state_dir, 0750, error);
	if (err != OC_OK)
		return err;
	if (is_set)
		return oc_file_write_own(path, 0644, what,
		    sizeof(what) - 1, error);
	if (unlink(path) != 0 && errno != ENOENT)
		return oc_error_set_errno(error, OC_ERR_SYSTEM,
		    "cannot remove %s", path);
	return OC_OK;
}
