/* SPDX-License-Identifier: Apache-2.0 */
/* Nothing here prints or keeps a secret. */
#include "base/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const struct oc_secret_kind oc_secret_password = {
	"password-source", "password", OC_ERR_CONFIG, true
};

/* A wrong type or mode of what holds it must not be retried by a supervisor
 * either. */
static enum oc_err
read_fd(int fd, const struct oc_secret_kind *kind, const char *what,
    struct oc_secret *secret, struct oc_error *error)
{
	struct stat st;
	enum oc_err err;

	if (fstat(fd, &st) != 0)
		return oc_error_set_errno(error, kind->err, "%s", what);
	if (!S_ISREG(st.st_mode))
		return oc_error_set(error, kind->err,
		    "%s is not a regular file", what);
	err = oc_secret_read(secret, kind->noun, fd, error);
	if (err != OC_OK) {
		oc_secret_fini(secret);
		(void)oc_error_prefix(error, "%s", what);
		if (err != OC_ERR_SYSTEM)
			err = kind->err;
		if (error != NULL)
			error->code = err;
		return err;
	}
	return OC_OK;
}

static enum oc_err
check_owner(int fd, const struct oc_secret_kind *kind, const char *path,
    struct oc_error *error)
{
	mode_t others = S_IRWXG | S_IRWXO;
	struct stat st;

	if (fstat(fd, &st) != 0)
		return oc_error_set_errno(error, kind->err, "%s", path);
	if (kind->has_readers)
		others &= ~(mode_t)S_IRGRP;
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return oc_error_set(error, kind->err,
		    "%s belongs to another user: chown it", path);
	if ((st.st_mode & others) != 0)
		return oc_error_set(error, kind->err,
		    "%s can be read by others: chmod %s it", path,
		    kind->has_readers ? "0600 or 0640" : "0600");
	return OC_OK;
}

static enum oc_err
read_file(const char *path, const struct oc_secret_kind *kind,
    struct oc_secret *secret, struct oc_error *error)
{
	enum oc_err err;
	int fd;

	if (path[0] != '/')
		return oc_error_set(error, kind->err,
		    "%s: the path must be absolute", kind->key);
	/* A FIFO must not hang us before read_fd() refuses it. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return oc_error_set_errno(error, kind->err,
		    "cannot open the %s file %s", kind->noun, path);
	err = check_owner(fd, kind, path, error);
	if (err == OC_OK)
		err = read_fd(fd, kind, path, secret, error);
	(void)close(fd);
	return err;
}

static enum oc_err
read_inherited(const char *number, const struct oc_secret_kind *kind,
    struct oc_secret *secret, struct oc_error *error)
{
	char *end, what[64];
	int flags;
	long fd;

	errno = 0;
	fd = strtol(number, &end, 10);
	if (number[0] < '0' || number[0] > '9' || *end != '\0' ||
	    errno != 0 || fd > INT_MAX)
		return oc_error_set(error, kind->err,
		    "%s: \"fd:\" wants a number", kind->key);
	(void)snprintf(what, sizeof(what), "%s fd %ld", kind->key, fd);
	/* What was handed to us has been inherited, and so is not
	 * close-on-exec; our own files are, and none of them is a secret. */
	flags = fcntl((int)fd, F_GETFD);
	if (flags < 0 || (flags & FD_CLOEXEC) != 0)
		return oc_error_set(error, kind->err, "%s was not handed to "
		    "this process: start it with %ld<FILE", what, fd);
	if (lseek((int)fd, 0, SEEK_CUR) < 0)
		return oc_error_set_errno(error, kind->err,
		    "%s must be open and seekable", what);
	return read_fd((int)fd, kind, what, secret, error);
}

static enum oc_err
read_credential(const char *name, const struct oc_secret_kind *kind,
    struct oc_secret *secret, struct oc_error *error)
{
	const char *directory = getenv("CREDENTIALS_DIRECTORY");
	char path[PATH_MAX];
	enum oc_err err;
	int len, fd;

	if (name[0] == '\0' || name[0] == '.' || strchr(name, '/') != NULL)
		return oc_error_set(error, kind->err,
		    "%s: \"credential:\" wants a plain name", kind->key);
	if (directory == NULL)
		return oc_error_set(error, kind->err,
		    "%s: CREDENTIALS_DIRECTORY is not set: give the "
		    "unit LoadCredential=%s:...", kind->key, name);
	len = snprintf(path, sizeof(path), "%s/%s", directory, name);
	if (len < 0 || (size_t)len >= sizeof(path))
		return oc_error_set(error, kind->err,
		    "%s: the credential's path is too long", kind->key);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return oc_error_set_errno(error, kind->err,
		    "cannot open the credential %s", path);
	/* Its mode is systemd's business (it grants by ACL). */
	err = read_fd(fd, kind, path, secret, error);
	(void)close(fd);
	return err;
}

enum oc_err
oc_secret_take(const char *source, const struct oc_secret_kind *kind,
    struct oc_secret *secret, struct oc_error *error)
{
	if (strncmp(source, "file:", 5) == 0)
		return read_file(source + 5, kind, secret, error);
	if (strncmp(source, "fd:", 3) == 0)
		return read_inherited(source + 3, kind, secret, error);
	if (strncmp(source, "credential:", 11) == 0)
		return read_credential(source + 11, kind, secret, error);
	if (source[0] == '/')
		return read_file(source, kind, secret, error);
	return oc_error_set(error, kind->err, "%s must be a file's absolute "
	    "path, fd:N or credential:NAME", kind->key);
}
