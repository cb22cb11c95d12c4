/* SPDX-License-Identifier: Apache-2.0 */
#include "net/listen.h"

#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static enum oc_err
resolve(const char *address, struct addrinfo **info, struct oc_error *error)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
	    .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE };
	const char *colon = strrchr(address, ':');
	const char *from = address;
	char host[64];
	size_t len = colon == NULL ? 0 : (size_t)(colon - address);

	if (len >= 2 && from[0] == '[' && from[len - 1] == ']') {
		from++;
		len -= 2;
	}
	if (colon != NULL && len > 0 && len < sizeof(host)) {
		memcpy(host, from, len);
		host[len] = '\0';
		if (getaddrinfo(host, colon + 1, &hints, info) == 0)
			return OC_OK;
	}
	return oc_error_set(error, OC_ERR_CONFIG, "listen: \"%s\" is no "
	    "numeric address and port", address);
}

enum oc_err
net_listen(const char *address, int *out, struct oc_error *error)
{
	const int on = 1;
	struct addrinfo *info;
	enum oc_err err = resolve(address, &info, error);
	int fd;

	if (err != OC_OK)
		return err;
	fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
	    (info->ai_family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6,
	    IPV6_V6ONLY, &on, sizeof(on)) != 0) ||
	    bind(fd, info->ai_addr, info->ai_addrlen) != 0 ||
	    listen(fd, SOMAXCONN) != 0) {
		err = oc_error_set_errno(error, OC_ERR_SYSTEM,
		    "cannot listen on %s", address);
		if (fd >= 0)
			close(fd);
	}
	freeaddrinfo(info);
	if (err == OC_OK)
		*out = fd;
	return err;
}
