/* SPDX-License-Identifier: Apache-2.0 */
/* PIN sources.  Nothing here prints or keeps a PIN. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pkcs11/pin.h"

/* A wrong type or mode of what holds the PIN is a PIN error: it must not be
 * retried by a supervisor either. */
static enum oc_err
read_fd(int fd, const char *what, struct oc_secret *pin,
    struct oc_error *error)
{
	struct stat st;
	enum oc_err err;

	if (fstat(fd, &st) != 0)
		return oc_error_set_errno(error, OC_ERR_PIN, "%s", what);
	if (!S_ISREG(st.st_mode))
		return oc_error_set(error, OC_ERR_PIN,
		    "%s is not a regular file", what);
	err = oc_secret_read(pin, fd, error);
	if (err != OC_OK) {
		oc_secret_fini(pin);
		(void)oc_error_prefix(error, "%s", what);
		if (err != OC_ERR_SYSTEM)
			err = OC_ERR_PIN;
		if (error != NULL)
			error->code = err;
		return err;
	}
	return OC_OK;
}

static enum oc_err
check_owner(int fd, const char *path, struct oc_error *error)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return oc_error_set_errno(error, OC_ERR_PIN, "%s", path);
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return oc_error_set(error, OC_ERR_PIN,
		    "%s belongs to another user: chown it", path);
	if ((st.st_mode & (S_IRWXG | S_IRWXO)) != 0)
		return oc_error_set(error, OC_ERR_PIN,
		    "%s can be read by others: chmod 0600 it", path);
	return OC_OK;
}

static enum oc_err
read_file(const char *path, struct oc_secret *pin, struct oc_error *error)
{
	enum oc_err err;
	int fd;

	if (path[0] != '/')
		return oc_error_set(error, OC_ERR_PIN,
		    "pin-source: the path must be absolute");
	/* A FIFO must not hang us before read_fd() refuses it. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return oc_error_set_errno(error, OC_ERR_PIN,
		    "cannot open the PIN file %s", path);
	err = check_owner(fd, path, error);
	if (err == OC_OK)
		err = read_fd(fd, path, pin, error);
	(void)close(fd);
	return err;
}

static enum oc_err
read_inherited(const char *number, struct oc_secret *pin,
    struct oc_error *error)
{
	char *end, what[48];
	int flags;
	long fd;

	errno = 0;
	fd = strtol(number, &end, 10);
	if (number[0] < '0' || number[0] > '9' || *end != '\0' ||
	    errno != 0 || fd > INT_MAX)
		return oc_error_set(error, OC_ERR_PIN,
		    "pin-source: \"fd:\" wants a number");
	(void)snprintf(what, sizeof(what), "pin-source fd %ld", fd);
	/* What was handed to us has been inherited, and so is not
	 * close-on-exec; our own files are, and none of them is a PIN. */
	flags = fcntl((int)fd, F_GETFD);
	if (flags < 0 || (flags & FD_CLOEXEC) != 0)
		return oc_error_set(error, OC_ERR_PIN, "%s was not handed to "
		    "this process: start it with %ld<FILE", what, fd);
	/* Read again at each login, so from the start each time. */
	if (lseek((int)fd, 0, SEEK_SET) != 0)
		return oc_error_set_errno(error, OC_ERR_PIN,
		    "%s must be open and seekable", what);
	return read_fd((int)fd, what, pin, error);
}

static enum oc_err
read_credential(const char *name, struct oc_secret *pin,
    struct oc_error *error)
{
	const char *directory = getenv("CREDENTIALS_DIRECTORY");
	char path[PATH_MAX];
	enum oc_err err;
	int len, fd;

	if (name[0] == '\0' || name[0] == '.' || strchr(name, '/') != NULL)
		return oc_error_set(error, OC_ERR_PIN,
		    "pin-source: \"credential:\" wants a plain name");
	if (directory == NULL)
		return oc_error_set(error, OC_ERR_PIN,
		    "pin-source: CREDENTIALS_DIRECTORY is not set: give the "
		    "unit LoadCredential=%s:...", name);
	len = snprintf(path, sizeof(path), "%s/%s", directory, name);
	if (len < 0 || (size_t)len >= sizeof(path))
		return oc_error_set(error, OC_ERR_PIN,
		    "pin-source: the credential's path is too long");
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return oc_error_set_errno(error, OC_ERR_PIN,
		    "cannot open the credential %s", path);
	/* Its mode is systemd's business (it grants by ACL). */
	err = read_fd(fd, path, pin, error);
	(void)close(fd);
	return err;
}

enum oc_err
p11_pin_read(const char *source, struct oc_secret *pin,
    struct oc_error *error)
{
	if (strncmp(source, "file:", 5) == 0)
		return read_file(source + 5, pin, error);
	if (strncmp(source, "fd:", 3) == 0)
		return read_inherited(source + 3, pin, error);
	if (strncmp(source, "credential:", 11) == 0)
		return read_credential(source + 11, pin, error);
	if (source[0] == '/')
		return read_file(source, pin, error);
	return oc_error_set(error, OC_ERR_PIN, "pin-source must be a file's "
	    "absolute path, fd:N or credential:NAME");
}
