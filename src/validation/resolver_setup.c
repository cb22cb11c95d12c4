/* SPDX-License-Identifier: Apache-2.0 */
#include "validation/resolver_setup.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <unbound.h>

#include "validation/address.h"

#define SERVER_TEXT_MAX 80
/* Of open files, for whatever else the process has open: pages and mail. */
#define OTHER_FILES 4096
/* A query over TCP holds a buffer of 64 KiB. */
#define TCP_MAX 128

/* The same for everybody. */
static const struct {
	const char *option, *value;
	enum { NEEDED, IF_KNOWN } is;
} fixed[] = {
	/* Caches cannot grow over this. */
	{ "msg-cache-size:", "16m", NEEDED },
	{ "rrset-cache-size:", "32m", NEEDED },
	{ "key-cache-size:", "8m", NEEDED },
	{ "neg-cache-size:", "1m", NEEDED },
	{ "infra-cache-numhosts:", "20000", NEEDED },
	/* A server that was away is asked again soon: the applicant mends it
	 * and tries again. */
	{ "infra-host-ttl:", "30", NEEDED },
	{ "infra-keep-probing:", "yes", IF_KNOWN },
	{ "outbound-msg-retry:", "3", IF_KNOWN },
	{ "max-sent-count:", "32", IF_KNOWN },
	{ "max-query-restarts:", "9", IF_KNOWN },
	{ "val-bogus-ttl:", "1", NEEDED },
	/* What proves that a name is not there must not outlive the name's
	 * being added. */
	{ "aggressive-nsec:", "no", NEEDED },
	{ "prefetch:", "no", NEEDED },
	{ "harden-below-nxdomain:", "yes", NEEDED },
	{ "harden-glue:", "yes", NEEDED },
	{ "harden-dnssec-stripped:", "yes", NEEDED },
	{ "harden-algo-downgrade:", "yes", NEEDED },
	{ "edns-buffer-size:", "1232", NEEDED },
	/* The reserved ranges say it better. */
	{ "do-not-query-localhost:", "no", NEEDED },
	{ "do-tcp:", "yes", NEEDED }
};

static enum oc_err
refuse(int rc, struct oc_error *error, const char *what, const char *value)
{
	if (rc == 0)
		return OC_OK;
	return oc_error_set(error, rc == UB_NOMEM ? OC_ERR_NOMEM :
	    OC_ERR_CONFIG, "%s %.80s: libunbound: %s", what, value,
	    ub_strerror(rc));
}

static enum oc_err
set(struct ub_ctx *ctx, const char *option, const char *value,
    struct oc_error *error)
{
	return refuse(ub_ctx_set_option(ctx, option, value), error, option,
	    value);
}

static enum oc_err
set_number(struct ub_ctx *ctx, const char *option, uint32_t value,
    struct oc_error *error)
{
	char text[16];

	(void)snprintf(text, sizeof(text), "%u", (unsigned int)value);
	return set(ctx, option, text, error);
}

static enum oc_err
set_fixed(struct ub_ctx *ctx, struct oc_error *error)
{
	enum oc_err err = OC_OK;

	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]) &&
	    err == OC_OK; i++) {
		if (fixed[i].is == NEEDED)
			err = set(ctx, fixed[i].option, fixed[i].value,
			    error);
		else
			(void)ub_ctx_set_option(ctx, fixed[i].option,
			    fixed[i].value);
	}
	return err;
}

/* Each question may have a socket of its own, or those to dead servers would
 * keep the others waiting. */
static uint32_t
make_room(uint32_t lookups_max)
{
	struct rlimit limit;
	rlim_t wanted = (rlim_t)lookups_max + OTHER_FILES;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return 64;
	if (limit.rlim_cur < wanted) {
		limit.rlim_cur = wanted < limit.rlim_max ? wanted :
		    limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
		(void)getrlimit(RLIMIT_NOFILE, &limit);
	}
	if (limit.rlim_cur >= wanted)
		return lookups_max;
	return (uint32_t)(limit.rlim_cur / 2);
}

static enum oc_err
set_numbers(struct ub_ctx *ctx,
    const struct validation_resolver_options *options, uint32_t lookups_max,
    struct oc_error *error)
{
	uint32_t cache_s = options->cache_s != 0 ? options->cache_s : 1;
	const struct {
		const char *option;
		uint32_t value;
	} numbers[] = {
		{ "cache-max-ttl:", cache_s },
		{ "cache-max-negative-ttl:", cache_s },
		{ "outgoing-range:", make_room(lookups_max) },
		{ "num-queries-per-thread:", lookups_max },
		{ "outgoing-num-tcp:", TCP_MAX }
	};
	enum oc_err err = OC_OK;

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]) &&
	    err == OC_OK; i++)
		err = set_number(ctx, numbers[i].option, numbers[i].value,
		    error);
	return err;
}

/* --- IPv6 --------------------------------------------------------------- */

/* Whether there is a route to a server of the root; nothing is sent. */
static bool
has_ipv6(void)
{
	struct sockaddr_in6 root = { .sin6_family = AF_INET6,
	    .sin6_port = htons(53) };
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool has_route;

	if (fd < 0)
		return false;
	has_route = inet_pton(AF_INET6, "2001:503:ba3e::2:30",
	    &root.sin6_addr) == 1 &&
	    connect(fd, (struct sockaddr *)&root, sizeof(root)) == 0;
	(void)close(fd);
	return has_route;
}

/* Who asks from the root over IPv4 alone does not try the other: each server
 * that cannot be sent to counts among the 32 that a question is sent to. */
static enum oc_err
set_ipv6(struct ub_ctx *ctx,
    const struct validation_resolver_options *options, struct oc_error *error)
{
	if (options->num_forwarders > 0 || options->num_stubs > 0 ||
	    has_ipv6())
		return OC_OK;
	return set(ctx, "do-ip6:", "no", error);
}

/* --- servers ----------------------------------------------------------- */

/* "192.0.2.1:53" and "[2001:db8::1]:53" are libunbound's "ADDRESS@53".
 * *address: without the port. */
static enum oc_err
read_server(const char *server, char text[SERVER_TEXT_MAX],
    struct oc_address *address, struct oc_error *error)
{
	struct oc_address_range range;
	const char *host = server, *end = server + strlen(server);
	const char *port = "";
	char only[INET6_ADDRSTRLEN + 1];	/* one more is none */

	if (*host == '[') {
		host++;
		end = strchr(host, ']');
		if (end == NULL || (end[1] != '\0' && end[1] != ':'))
			end = host;
		else if (end[1] == ':')
			port = end + 2;
	} else if (strchr(host, ':') == strrchr(host, ':') &&
	    strchr(host, ':') != NULL) {
		end = strchr(host, ':');
		port = end + 1;
	}
	(void)snprintf(only, sizeof(only), "%.*s", (int)(end - host), host);
	if (strlen(port) > 5 || strspn(port, "0123456789") != strlen(port) ||
	    strchr(only, '/') != NULL ||
	    oc_address_range_parse(only, &range, NULL) != OC_OK)
		return oc_error_set(error, OC_ERR_CONFIG, "\"%.80s\" is no "
		    "address of a name server; write 192.0.2.1, "
		    "192.0.2.1:5353 or [2001:db8::1]:5353", server);
	*address = range.first;
	(void)snprintf(text, SERVER_TEXT_MAX, "%s%s%s", only,
	    port[0] != '\0' ? "@" : "", port);
	return OC_OK;
}

static bool
overlap(const struct oc_address_range *a, const struct oc_address_range *b)
{
	return a->bits <= b->bits ? oc_address_range_has(a, &b->first) :
	    oc_address_range_has(b, &a->first);
}

/* What NS records of strangers must not have us ask: a range is left out if
 * some of it is allowed, or a server of ours is in it. */
static enum oc_err
set_reserved(struct ub_ctx *ctx,
    const struct validation_resolver_options *options,
    const struct oc_address *servers, size_t num_servers,
    struct oc_error *error)
{
	const char *text;
	enum oc_err err = OC_OK;

	for (size_t i = 0; err == OC_OK &&
	    (text = validation_address_range(i)) != NULL; i++) {
		struct oc_address_range range;
		bool is_open = false;

		err = oc_address_range_parse(text, &range, error);
		for (size_t k = 0; k < options->num_allowed; k++)
			is_open |= overlap(&range, &options->allowed[k]);
		for (size_t k = 0; k < num_servers; k++)
			is_open |= oc_address_range_has(&range, &servers[k]);
		if (err == OC_OK && !is_open)
			err = set(ctx, "do-not-query-address:", text, error);
	}
	return err;
}

static enum oc_err
set_servers(struct ub_ctx *ctx,
    const struct validation_resolver_options *options, struct oc_error *error)
{
	size_t num = options->num_forwarders + options->num_stubs;
	struct oc_address *servers = calloc(num + 1, sizeof(*servers));
	char text[SERVER_TEXT_MAX];
	enum oc_err err = OC_OK;

	if (servers == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	for (size_t i = 0; i < options->num_forwarders && err == OC_OK; i++) {
		err = read_server(options->forwarders[i], text, &servers[i],
		    error);
		if (err == OC_OK)
			err = refuse(ub_ctx_set_fwd(ctx, text), error,
			    "forwarder", text);
	}
	for (size_t i = 0; i < options->num_stubs && err == OC_OK; i++) {
		const struct validation_stub *stub = &options->stubs[i];

		err = read_server(stub->server, text,
		    &servers[options->num_forwarders + i], error);
		if (err == OC_OK)
			err = refuse(ub_ctx_set_stub(ctx, stub->zone, text,
			    0), error, "zone", stub->zone);
	}
	if (err == OC_OK)
		err = set_reserved(ctx, options, servers, num, error);
	free(servers);
	return err;
}

/* Letters in any case (draft-vixie-dnsext-dns0x20) make an answer harder to
 * forge by who does not see the question; not to our own servers, some of which
 * take them for different names. */
static enum oc_err
set_caps(struct ub_ctx *ctx,
    const struct validation_resolver_options *options, struct oc_error *error)
{
	for (size_t i = 0; i < options->num_stubs; i++)
		(void)ub_ctx_set_option(ctx, "caps-whitelist:",
		    options->stubs[i].zone);
	return set(ctx, "use-caps-for-id:", options->num_forwarders == 0 ?
	    "yes" : "no", error);
}

/* --- all of it --------------------------------------------------------- */

static enum oc_err
set_anchor(struct ub_ctx *ctx,
    const struct validation_resolver_options *options, struct oc_error *error)
{
	enum oc_err err = OC_OK;

	if (options->trust_anchor_path != NULL)
		err = refuse(ub_ctx_add_ta_file(ctx,
		    options->trust_anchor_path), error, "trust anchor",
		    options->trust_anchor_path);
	for (size_t i = 0; i < options->num_insecure_zones && err == OC_OK;
	    i++)
		err = set(ctx, "domain-insecure:",
		    options->insecure_zones[i], error);
	return err;
}

/* What is wrong with the files it reads it says to a stream alone, when it
 * puts all together; which asking would do, too.  Of its own zones "test" may
 * be somebody's here. */
static enum oc_err
put_together(struct ub_ctx *ctx,
    const struct validation_resolver_options *options, struct oc_error *error)
{
	bool has_own = options->num_forwarders + options->num_stubs > 0;
	char *said = NULL;
	size_t len = 0;
	FILE *stream = open_memstream(&said, &len);
	const char *text;
	int rc;

	if (stream == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	(void)ub_ctx_debugout(ctx, stream);
	rc = ub_ctx_zone_remove(ctx, has_own ? "test." : "none.invalid.");
	(void)ub_ctx_debugout(ctx, NULL);
	(void)fclose(stream);
	if (rc != 0) {
		text = said == NULL ? NULL : strstr(said, "error: ");
		(void)oc_error_set(error, OC_ERR_CONFIG, "libunbound: %s: "
		    "%.*s", ub_strerror(rc), text == NULL ? 0 :
		    (int)strcspn(text, "\n"), text == NULL ? "" : text);
	}
	free(said);
	return rc == 0 ? OC_OK : OC_ERR_CONFIG;
}

enum oc_err
validation_resolver_set_up(const struct validation_resolver_options *options,
    uint32_t lookups_max, struct ub_ctx **ctx, struct oc_error *error)
{
	enum oc_err err;

	*ctx = ub_ctx_create();
	if (*ctx == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "libunbound does not "
		    "start");
	(void)ub_ctx_debugout(*ctx, NULL);
	err = set_fixed(*ctx, error);
	if (err == OC_OK)
		err = set_numbers(*ctx, options, lookups_max, error);
	if (err == OC_OK)
		err = set_ipv6(*ctx, options, error);
	if (err == OC_OK)
		err = set_anchor(*ctx, options, error);
	if (err == OC_OK)
		err = set_servers(*ctx, options, error);
	if (err == OC_OK)
		err = set_caps(*ctx, options, error);
	if (err == OC_OK)
		err = refuse(ub_ctx_async(*ctx, 1), error, "a thread", "");
	if (err == OC_OK)
		err = put_together(*ctx, options, error);
	return err;
}
