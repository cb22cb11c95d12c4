/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Binding an AF_UNIX listener.  Two processes that start at once must not
 * take each other's socket for a dead one: between bind(2) and listen(2) it
 * looks like it.  So the directory is locked while one looks and binds.
 */
#include "ipc/server.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/file.h"

#define BACKLOG 128

static enum oc_err
set_address(const char *path, struct sockaddr_un *address,
    struct oc_error *error)
{
	size_t len = strlen(path);

	if (len == 0 || len >= sizeof(address->sun_path))
		return oc_error_set(error, OC_ERR_LIMIT,
		    "%s: a socket's path has at most %zu characters: "
		    "choose a shorter run-directory", path,
		    sizeof(address->sun_path) - 1);
	memset(address, 0, sizeof(*address));
	address->sun_family = AF_UNIX;
	memcpy(address->sun_path, path, len);
	return OC_OK;
}

static bool
is_socket(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISSOCK(st.st_mode);
}

bool
ipc_is_served(const char *path)
{
	struct sockaddr_un address;
	bool is_served;
	int fd;

	if (set_address(path, &address, NULL) != OC_OK)
		return false;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return false;
	/* EAGAIN: somebody listens, and has a full backlog. */
	is_served = connect(fd, (struct sockaddr *)&address,
	    sizeof(address)) == 0 || errno == EAGAIN;
	close(fd);
	return is_served;
}

pid_t
ipc_listener_pid(const char *path)
{
	struct ucred cred = { 0 };
	struct sockaddr_un address;
	socklen_t len = sizeof(cred);
	int fd;

	if (set_address(path, &address, NULL) != OC_OK)
		return 0;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return 0;
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) != 0)
		cred.pid = 0;
	close(fd);
	return cred.pid;
}

static enum oc_err
remove_stale(const char *path, struct oc_error *error)
{
	struct stat st;

	if (lstat(path, &st) != 0)
		return errno == ENOENT ? OC_OK :
		    oc_error_set_errno(error, OC_ERR_SYSTEM, "%s", path);
	if (!is_socket(path))
		return oc_error_set(error, OC_ERR_EXISTS,
		    "%s: exists and is no socket: remove it", path);
	if (ipc_is_served(path))
		return oc_error_set(error, OC_ERR_EXISTS,
		    "%s: another process listens there", path);
	if (unlink(path) != 0 && errno != ENOENT)
		return oc_error_set_errno(error, OC_ERR_SYSTEM, "%s", path);
	return OC_OK;
}

/* The mode is the directory entry's from the first moment: the socket's own
 * mode before bind(2) decides, less the umask. */
static enum oc_err
bind_listener(const char *path, const struct sockaddr_un *address, int *fd,
    struct oc_error *error)
{
	int sock;

	sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (sock < 0)
		return oc_error_set_errno(error, OC_ERR_SYSTEM, "%s", path);
	if (fchmod(sock, 0600) != 0 ||
	    bind(sock, (const struct sockaddr *)address,
	    sizeof(*address)) != 0 ||
	    chmod(path, 0600) != 0 || listen(sock, BACKLOG) != 0) {
		oc_error_set_errno(error, OC_ERR_SYSTEM, "%s", path);
		close(sock);
		return OC_ERR_SYSTEM;
	}
	*fd = sock;
	return OC_OK;
}

/* The directory's lock; the fd holds it. */
static enum oc_err
lock_directory(const char *path, int *fd, struct oc_error *error)
{
	char *directory;
	int lock, r;

	if (oc_path_directory(path, &directory) != OC_OK)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	lock = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (lock < 0) {
		oc_error_set_errno(error, OC_ERR_SYSTEM, "%s", directory);
		free(directory);
		return OC_ERR_SYSTEM;
	}
	free(directory);
	while ((r = flock(lock, LOCK_EX)) != 0 && errno == EINTR)
		;
	if (r != 0) {
		oc_error_set_errno(error, OC_ERR_SYSTEM, "locking for %s",
		    path);
		close(lock);
		return OC_ERR_SYSTEM;
	}
	*fd = lock;
	return OC_OK;
}

enum oc_err
ipc_listen(const char *path, int *fd, struct oc_error *error)
{
	struct sockaddr_un address;
	int lock = -1;
	enum oc_err err;

	err = set_address(path, &address, error);
	if (err != OC_OK)
		return err;
	err = lock_directory(path, &lock, error);
	if (err != OC_OK)
		return err;
	err = remove_stale(path, error);
	if (err == OC_OK)
		err = bind_listener(path, &address, fd, error);
	close(lock);
	return err;
}
