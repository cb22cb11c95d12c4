/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/listeners.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "daemon/steer.h"
#include "ipc/server.h"

struct http_address {
	char *text;			/* as configured; owned */
	struct sockaddr_storage bound;
	socklen_t bound_len;
	unsigned int num_fds;
	int fds[DAEMON_WORKERS_MAX];
};

/* Those of one role. */
struct addresses {
	size_t num;
	struct http_address list[DAEMON_ADDRESSES_MAX];
};

struct daemon_listeners {
	char *directory;		/* owned */
	unsigned int num_workers;
	bool is_unsteered;		/* the kernel cannot */
	int unix_fds[DAEMON_SOCKET_MAX];
	struct addresses http, api, metrics;
};

const char *
daemon_socket_name(enum daemon_socket socket)
{
	switch (socket) {
	case DAEMON_SOCKET_SIGNER_STATUS:
		return "signer-status";
	case DAEMON_SOCKET_SIGNER_ISSUER:
		return "signer-issuer";
	case DAEMON_SOCKET_STATUS:
		return "status";
	case DAEMON_SOCKET_STATUS_CONTROL:
		return "status-control";
	case DAEMON_SOCKET_VALIDATOR:
		return "validator";
	case DAEMON_SOCKET_MAX:
		break;
	}
	return NULL;
}

static void
socket_path(const struct daemon_listeners *l, enum daemon_socket socket,
    char path[512])
{
	snprintf(path, 512, "%s/%s.sock", l->directory,
	    daemon_socket_name(socket));
}

static enum oc_err
share(int fd, int *copy, struct oc_error *error)
{
	*copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	return *copy >= 0 ? OC_OK : oc_error_set_errno(error, OC_ERR_SYSTEM,
	    "a listener");
}

static enum oc_err
open_unix(struct daemon_listeners *l, const struct daemon_listeners *old,
    enum daemon_socket socket, struct oc_error *error)
{
	char path[512];

	if (old != NULL && old->unix_fds[socket] >= 0)
		return share(old->unix_fds[socket], &l->unix_fds[socket],
		    error);
	socket_path(l, socket, path);
	return ipc_listen(path, &l->unix_fds[socket], error);
}

/* "127.0.0.1:80", "[::1]:80": checked when the configuration was read. */
static enum oc_err
resolve(const char *text, struct http_address *a, struct oc_error *error)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
	    .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE };
	const char *colon = strrchr(text, ':');
	size_t len = colon == NULL ? 0 : (size_t)(colon - text);
	struct addrinfo *info;
	char host[64];

	if (len >= 2 && text[0] == '[' && text[len - 1] == ']') {
		text++;
		len -= 2;
	}
	if (colon == NULL || len == 0 || len >= sizeof(host))
		return oc_error_set(error, OC_ERR_CONFIG,
		    "listen: \"%s\" is no address and port", a->text);
	memcpy(host, text, len);
	host[len] = '\0';
	if (getaddrinfo(host, colon + 1, &hints, &info) != 0)
		return oc_error_set(error, OC_ERR_CONFIG,
		    "listen: \"%s\" is no numeric address and port", a->text);
	memcpy(&a->bound, info->ai_addr, info->ai_addrlen);
	a->bound_len = info->ai_addrlen;
	freeaddrinfo(info);
	return OC_OK;
}

static bool
bind_to(int fd, const struct http_address *a)
{
	const int on = 1;

	return setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on,
	    sizeof(on)) == 0 &&
	    (a->bound.ss_family != AF_INET6 || setsockopt(fd, IPPROTO_IPV6,
	    IPV6_V6ONLY, &on, sizeof(on)) == 0) &&
	    bind(fd, (const struct sockaddr *)&a->bound, a->bound_len) == 0;
}

static bool
bind_and_listen(int fd, struct http_address *a)
{
	const int on = 1;

	return setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on,
	    sizeof(on)) == 0 && bind_to(fd, a) &&
	    listen(fd, SOMAXCONN) == 0 &&
	    /* Port 0: the next worker is bound to what the kernel chose. */
	    getsockname(fd, (struct sockaddr *)&a->bound,
	    &a->bound_len) == 0;
}

static enum oc_err
bind_one(struct http_address *a, struct oc_error *error)
{
	int fd = socket(a->bound.ss_family,
	    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || !bind_and_listen(fd, a)) {
		enum oc_err err = errno == EAFNOSUPPORT ||
		    errno == EADDRNOTAVAIL ? OC_ERR_UNSUPPORTED :
		    OC_ERR_SYSTEM;

		(void)oc_error_set_errno(error, err, "cannot listen on %s",
		    a->text);
		if (fd >= 0)
			close(fd);
		return err;
	}
	a->fds[a->num_fds++] = fd;
	return OC_OK;
}

static const struct http_address *
find_http(const struct addresses *old, const char *text)
{
	for (size_t i = 0; old != NULL && i < old->num; i++)
		if (strcmp(old->list[i].text, text) == 0)
			return &old->list[i];
	return NULL;
}

static enum oc_err
open_http(struct http_address *a, const struct http_address *old,
    unsigned int num_workers, struct oc_error *error)
{
	enum oc_err err = OC_OK;

	if (old == NULL)
		err = resolve(a->text, a, error);
	if (old != NULL) {
		a->bound = old->bound;
		a->bound_len = old->bound_len;
	}
	while (err == OC_OK && old != NULL && a->num_fds < old->num_fds) {
		err = share(old->fds[a->num_fds], &a->fds[a->num_fds], error);
		if (err == OC_OK)
			a->num_fds++;
	}
	while (err == OC_OK && a->num_fds < num_workers)
		err = bind_one(a, error);
	return err;
}

static void
http_fini(struct http_address *a)
{
	for (unsigned int i = 0; i < a->num_fds; i++)
		close(a->fds[i]);
	free(a->text);
	*a = (struct http_address){ 0 };
}

static in_port_t
port_of(const struct http_address *a)
{
	if (a->bound.ss_family == AF_INET6)
		return ((const struct sockaddr_in6 *)&a->bound)->sin6_port;
	return ((const struct sockaddr_in *)&a->bound)->sin_port;
}

/* Or one that overlaps it, 0.0.0.0 and 127.0.0.1. */
static bool
is_ours(const struct addresses *old, const struct http_address *a)
{
	for (size_t i = 0; i < old->num; i++)
		if (strcmp(old->list[i].text, a->text) == 0 ||
		    port_of(&old->list[i]) == port_of(a))
			return true;
	return false;
}

/*
 * SO_REUSEPORT lets a second service of the same user in beside the first,
 * and each has half the questions: an address must be free, unless it is ours
 * already.  All are tried before any is bound, lest one of ours is in
 * another's way.
 */
static enum oc_err
check_free(const struct oc_words *words, const struct daemon_listeners *old,
    struct oc_error *error)
{
	enum oc_err err = OC_OK;

	for (size_t i = 0; err == OC_OK && i < words->num; i++) {
		struct http_address a = { .text = words->words[i] };
		int fd;

		err = resolve(a.text, &a, error);
		if (err != OC_OK)
			break;
		if (old != NULL && (is_ours(&old->http, &a) ||
		    is_ours(&old->api, &a) || is_ours(&old->metrics, &a)))
			continue;
		fd = socket(a.bound.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (fd < 0)
			continue;
		if (!bind_to(fd, &a) && errno == EADDRINUSE)
			err = oc_error_set_errno(error, OC_ERR_BUSY,
			    "cannot listen on %s", a.text);
		close(fd);
	}
	return err;
}

static void
warn_left_out(const struct oc_error *left_out)
{
	if (left_out->text[0] != '\0')
		oc_log(OC_LOG_WARNING, "%s", left_out->text);
}

/* A machine without IPv6 is no error while something else can be bound; what
 * is an error in the end is not a warning before. */
static enum oc_err
open_all_http(struct addresses *all, const struct oc_words *words,
    unsigned int num_workers, const struct addresses *old,
    struct oc_error *error)
{
	struct oc_error left_out = { 0 };
	enum oc_err err;

	for (size_t i = 0; i < words->num; i++) {
		struct http_address *a = &all->list[all->num];

		if (all->num == DAEMON_ADDRESSES_MAX)
			return oc_error_set(error, OC_ERR_LIMIT,
			    "more than %d addresses to listen on",
			    DAEMON_ADDRESSES_MAX);
		a->text = strdup(words->words[i]);
		if (a->text == NULL)
			return oc_error_set(error, OC_ERR_NOMEM,
			    "out of memory");
		all->num++;
		err = open_http(a, find_http(old, a->text), num_workers,
		    error);
		if (err == OC_ERR_UNSUPPORTED) {
			warn_left_out(&left_out);
			left_out = *error;
			http_fini(a);
			all->num--;
		} else if (err != OC_OK) {
			return err;
		}
	}
	if (all->num == 0 && words->num > 0)
		return OC_ERR_UNSUPPORTED;
	warn_left_out(&left_out);
	return OC_OK;
}

/* Those that we did not get to are somebody else's. */
static void
unlink_ours(const struct daemon_listeners *l)
{
	char path[512];

	for (int i = 0; i < DAEMON_SOCKET_MAX; i++)
		if (l->unix_fds[i] >= 0) {
			socket_path(l, (enum daemon_socket)i, path);
			(void)unlink(path);
		}
}

enum oc_err
daemon_listeners_open(const struct oc_config *config,
    const struct daemon_listeners *old, struct daemon_listeners **listeners,
    struct oc_error *error)
{
	struct daemon_listeners *l = calloc(1, sizeof(*l));
	enum oc_err err = OC_OK;

	if (l == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	l->num_workers = (unsigned int)config->responder.workers;
	for (int i = 0; i < DAEMON_SOCKET_MAX; i++)
		l->unix_fds[i] = -1;
	l->directory = strdup(config->daemon.run_directory);
	if (l->directory == NULL)
		err = oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	if (err == OC_OK)
		err = check_free(&config->responder.listen, old, error);
	if (err == OC_OK)
		err = check_free(&config->api.listen, old, error);
	if (err == OC_OK)
		err = check_free(&config->metrics.listen, old, error);
	for (int i = 0; err == OC_OK && i < DAEMON_SOCKET_MAX; i++)
		if (i != DAEMON_SOCKET_VALIDATOR ||
		    oc_config_validates(config))
			err = open_unix(l, old, (enum daemon_socket)i, error);
	if (err == OC_OK)
		err = open_all_http(&l->http, &config->responder.listen,
		    l->num_workers, old == NULL ? NULL : &old->http, error);
	if (err == OC_OK)
		err = open_all_http(&l->api, &config->api.listen, 1,
		    old == NULL ? NULL : &old->api, error);
	if (err == OC_OK)
		err = open_all_http(&l->metrics, &config->metrics.listen, 1,
		    old == NULL ? NULL : &old->metrics, error);
	if (err != OC_OK) {
		if (old == NULL)
			unlink_ours(l);
		daemon_listeners_free(l);
		return err;
	}
	*listeners = l;
	return OC_OK;
}

void
daemon_listeners_free(struct daemon_listeners *l)
{
	if (l == NULL)
		return;
	for (int i = 0; i < DAEMON_SOCKET_MAX; i++)
		if (l->unix_fds[i] >= 0)
			close(l->unix_fds[i]);
	for (size_t i = 0; i < l->http.num; i++)
		http_fini(&l->http.list[i]);
	for (size_t i = 0; i < l->api.num; i++)
		http_fini(&l->api.list[i]);
	for (size_t i = 0; i < l->metrics.num; i++)
		http_fini(&l->metrics.list[i]);
	free(l->directory);
	free(l);
}

void
daemon_listeners_unlink_but(const struct daemon_listeners *gone,
    const struct daemon_listeners *others)
{
	char path[512];

	for (int i = 0; i < DAEMON_SOCKET_MAX; i++)
		if (gone->unix_fds[i] >= 0 && others->unix_fds[i] < 0) {
			socket_path(gone, (enum daemon_socket)i, path);
			(void)unlink(path);
		}
}

void
daemon_listeners_unlink(const struct daemon_listeners *l)
{
	char path[512];

	for (int i = 0; i < DAEMON_SOCKET_MAX; i++) {
		socket_path(l, (enum daemon_socket)i, path);
		(void)unlink(path);
	}
}

int
daemon_listeners_unix(const struct daemon_listeners *l,
    enum daemon_socket socket)
{
	return l->unix_fds[socket];
}

size_t
daemon_listeners_num_http(const struct daemon_listeners *l)
{
	return l->http.num;
}

size_t
daemon_listeners_http(const struct daemon_listeners *l, size_t address,
    unsigned int worker, int fds[DAEMON_WORKERS_MAX])
{
	const struct http_address *a = &l->http.list[address];
	size_t num = 0;

	oc_assert(address < l->http.num);
	for (unsigned int i = worker; i < a->num_fds; i++)
		if (i == worker || (i >= l->num_workers &&
		    i % l->num_workers == worker))
			fds[num++] = a->fds[i];
	return num;
}

void
daemon_listeners_steer(struct daemon_listeners *l, unsigned int num)
{
	enum oc_err err = OC_OK;

	for (size_t i = 0; i < l->http.num; i++)
		if (daemon_steer(l->http.list[i].fds[0], num) != OC_OK)
			err = OC_ERR_UNSUPPORTED;
	/* Once is enough. */
	if (err != OC_OK && !l->is_unsteered)
		oc_log(OC_LOG_INFO, "the kernel shares connections out by "
		    "sockets, not by responders: one that does not start "
		    "keeps its share waiting, and after a reload with fewer "
		    "of them some may have more to do than others");
	l->is_unsteered = err != OC_OK;
}

size_t
daemon_listeners_num_api(const struct daemon_listeners *l)
{
	return l->api.num;
}

int
daemon_listeners_api(const struct daemon_listeners *l, size_t address)
{
	oc_assert(address < l->api.num && l->api.list[address].num_fds == 1);
	return l->api.list[address].fds[0];
}

size_t
daemon_listeners_num_metrics(const struct daemon_listeners *l)
{
	return l->metrics.num;
}

int
daemon_listeners_metrics(const struct daemon_listeners *l, size_t address)
{
	oc_assert(address < l->metrics.num &&
	    l->metrics.list[address].num_fds == 1);
	return l->metrics.list[address].fds[0];
}

void
daemon_listeners_close_http(struct daemon_listeners *l)
{
	for (; l->http.num > 0; l->http.num--)
		http_fini(&l->http.list[l->http.num - 1]);
}

static void
put_urls(const struct addresses *all, const char *scheme, const char *prefix,
    struct oc_buffer *out)
{
	for (size_t i = 0; i < all->num; i++) {
		const struct http_address *a = &all->list[i];
		char host[64], port[16];

		if (getnameinfo((const struct sockaddr *)&a->bound,
		    a->bound_len, host, sizeof(host), port, sizeof(port),
		    NI_NUMERICHOST | NI_NUMERICSERV) != 0)
			continue;
		oc_buffer_printf(out, a->bound.ss_family == AF_INET6 ?
		    "%s://[%s]:%s%s\n" : "%s://%s:%s%s\n", scheme, host,
		    port, prefix);
	}
}

void
daemon_listeners_put_urls(const struct daemon_listeners *l,
    const char *prefix, struct oc_buffer *out)
{
	put_urls(&l->http, "http", prefix, out);
}

void
daemon_listeners_put_api_urls(const struct daemon_listeners *l,
    const char *scheme, struct oc_buffer *out)
{
	put_urls(&l->api, scheme, "/", out);
}

void
daemon_listeners_put_metrics_urls(const struct daemon_listeners *l,
    struct oc_buffer *out)
{
	put_urls(&l->metrics, "http", "/metrics", out);
}
