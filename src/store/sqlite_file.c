/* SPDX-License-Identifier: Apache-2.0 */
/* The files around a database: temporaries beside it, and their way to the
 * disk. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "store/sqlite.h"

static enum oc_err
error_of_errno(void)
{
	if (errno == ENOENT)
		return OC_ERR_NOT_FOUND;
	if (errno == ENOSPC || errno == EDQUOT)
		return OC_ERR_NO_SPACE;
	return OC_ERR_SYSTEM;
}

enum oc_err
sqlite_temporary_create(const char *path, char **file, struct oc_error *error)
{
	char *name = NULL;
	int fd;

	if (asprintf(&name, "%s.XXXXXX", path) < 0)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	fd = mkostemp(name, O_CLOEXEC);		/* 0600 */
	if (fd < 0) {
		enum oc_err err = oc_error_set_errno(error, error_of_errno(),
		    "%s: cannot write beside it", path);

		free(name);
		return err;
	}
	oc_file_share(fd, path);
	close(fd);
	*file = name;
	return OC_OK;
}

void
sqlite_temporary_remove(char *file)
{
	static const char *const suffixes[] = {
		"", "-journal", "-wal", "-shm"
	};
	char *name;

	if (file == NULL)
		return;
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		if (asprintf(&name, "%s%s", file, suffixes[i]) < 0)
			continue;
		unlink(name);
		free(name);
	}
	free(file);
}

static enum oc_err
sync_path(const char *path, int flags, struct oc_error *error)
{
	enum oc_err err = OC_OK;
	int fd = open(path, flags | O_CLOEXEC);

	if (fd < 0 || fsync(fd) != 0)
		err = oc_error_set_errno(error, error_of_errno(), "%s",
		    path);
	if (fd >= 0)
		close(fd);
	return err;
}

/* Not while this process has the file open in SQLite: closing any
 * descriptor of it drops the locks (fcntl(2)). */
enum oc_err
sqlite_file_sync(const char *path, struct oc_error *error)
{
	return sync_path(path, O_RDWR, error);
}

enum oc_err
sqlite_directory_sync(const char *path, struct oc_error *error)
{
	char *directory = NULL;
	enum oc_err err;

	if (oc_path_directory(path, &directory) != OC_OK)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	err = sync_path(directory, O_RDONLY | O_DIRECTORY, error);
	free(directory);
	return err;
}
