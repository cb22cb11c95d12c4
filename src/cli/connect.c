/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names are looked up on a thread of their own: getaddrinfo() knows no
 * deadline.  One that does not come back is left to itself; whoever of the
 * two comes last frees what they share.
 */
#include "cli/connect.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

struct lookup {
	atomic_int num_users;
	char *host, *port;
	int flags;			/* of getaddrinfo() */
	int done_fd;			/* an eventfd */
	int rc;
	struct addrinfo *list;
};

bool
cli_wait(int fd, short events, int64_t deadline_ns)
{
	struct pollfd pfd = { .fd = fd, .events = events };

	/* Who sends an octet now and then must not keep us for ever. */
	while (oc_clock_mono_ns() < deadline_ns) {
		int rc = poll(&pfd, 1, oc_clock_poll_ms(deadline_ns));

		if (rc > 0)
			return true;
		if (rc < 0 && errno != EINTR)
			return false;
	}
	errno = ETIMEDOUT;
	return false;
}

/* --- names ------------------------------------------------------------ */

static void
drop(struct lookup *l)
{
	if (atomic_fetch_sub(&l->num_users, 1) != 1)
		return;
	if (l->list != NULL)
		freeaddrinfo(l->list);
	if (l->done_fd >= 0)
		(void)close(l->done_fd);
	free(l->host);
	free(l->port);
	free(l);
}

static void
look_up(struct lookup *l)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
	    .ai_flags = l->flags };

	l->rc = getaddrinfo(l->host, l->port, &hints, &l->list);
	if (l->rc != 0)
		l->list = NULL;
}

static void *
lookup_main(void *arg)
{
	struct lookup *l = arg;
	uint64_t one = 1;

	look_up(l);
	(void)!write(l->done_fd, &one, sizeof(one));
	drop(l);
	return NULL;
}

static enum oc_err
start_thread(struct lookup *l)
{
	pthread_t thread;

	l->done_fd = eventfd(0, EFD_CLOEXEC);
	if (l->done_fd < 0)
		return OC_ERR_SYSTEM;
	atomic_fetch_add(&l->num_users, 1);
	if (pthread_create(&thread, NULL, lookup_main, l) != 0) {
		atomic_fetch_sub(&l->num_users, 1);
		return OC_ERR_SYSTEM;
	}
	(void)pthread_detach(thread);
	return OC_OK;
}

/* For drop(), if OC_OK. */
static enum oc_err
resolve(const char *host, const char *port, int64_t deadline_ns,
    struct lookup **out, struct oc_error *error)
{
	struct lookup *l = calloc(1, sizeof(*l));
	enum oc_err err = OC_OK;
	uint64_t num;

	if (l == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	l->num_users = 1;
	l->done_fd = -1;
	l->host = strdup(host);
	l->port = strdup(port);
	if (l->host == NULL || l->port == NULL) {
		drop(l);
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	}
	l->flags = AI_NUMERICSERV | AI_NUMERICHOST;
	look_up(l);
	if (l->rc == EAI_NONAME) {
		l->flags = AI_NUMERICSERV;
		err = start_thread(l);
		if (err != OC_OK)
			oc_error_set_errno(error, err, "%s", host);
		else if (!cli_wait(l->done_fd, POLLIN, deadline_ns))
			err = oc_error_set_errno(error, OC_ERR_TIMEOUT,
			    "%s: looking up the name", host);
		else	/* Poll alone orders no memory. */
			(void)!read(l->done_fd, &num, sizeof(num));
	}
	if (err == OC_OK && l->rc != 0)
		err = oc_error_set(error, OC_ERR_DOWN, "%s: %s", host,
		    gai_strerror(l->rc));
	if (err != OC_OK) {
		drop(l);
		return err;
	}
	*out = l;
	return OC_OK;
}

/* --- addresses -------------------------------------------------------- */

static int
connect_to(const struct addrinfo *a, int64_t deadline_ns)
{
	socklen_t len = sizeof(int);
	int so_error = 0, fd;

	fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    0);
	if (fd < 0)
		return -1;
	if (connect(fd, a->ai_addr, a->ai_addrlen) == 0)
		return fd;
	if (errno == EINPROGRESS && cli_wait(fd, POLLOUT, deadline_ns)) {
		if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &so_error, &len) ==
		    0 && so_error == 0)
			return fd;
		errno = so_error;
	}
	so_error = errno;
	(void)close(fd);
	errno = so_error;
	return -1;
}

/* One that is silent must not use up the time of the next. */
static int64_t
share_of(const struct addrinfo *a, int64_t deadline_ns)
{
	int64_t now_ns = oc_clock_mono_ns(), num = 0;

	for (; a != NULL; a = a->ai_next)
		num++;
	return deadline_ns <= now_ns ? deadline_ns :
	    now_ns + (deadline_ns - now_ns) / num;
}

enum oc_err
cli_connect(const char *host, const char *port, int64_t deadline_ns, int *out,
    struct oc_error *error)
{
	char address[64] = "";
	struct lookup *l = NULL;
	int fd = -1;
	enum oc_err err = resolve(host, port, deadline_ns, &l, error);

	if (err != OC_OK)
		return err;
	for (const struct addrinfo *a = l->list; a != NULL && fd < 0;
	    a = a->ai_next) {
		(void)getnameinfo(a->ai_addr, a->ai_addrlen, address,
		    sizeof(address), NULL, 0, NI_NUMERICHOST);
		fd = connect_to(a, share_of(a, deadline_ns));
	}
	if (fd < 0)
		err = oc_error_set_errno(error, errno == ETIMEDOUT ?
		    OC_ERR_TIMEOUT : OC_ERR_DOWN, "%s port %s", address,
		    port);
	drop(l);
	if (err == OC_OK)
		*out = fd;
	return err;
}
