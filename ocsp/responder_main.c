/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ocsign-responder: the process that strangers talk to.  It has no key, no
 * store and no PIN: all it can do is read tables that are mapped read-only,
 * ask ocsign-status for an answer, send the files that lie beside the tables,
 * and count what it did.
 */
#include <sys/resource.h>
#include <sys/socket.h>

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "ipc/handover.h"
#include "ipc/landlock.h"
#include "ipc/role.h"
#include "ipc/sandbox.h"
#include "ocsp/answer.h"
#include "ocsp/served.h"
#include "ocsp/worker.h"

#define LISTENERS_MAX 256		/* what ocsignd hands over */

struct program {
	struct oc_config *config;
	int listeners[LISTENERS_MAX];
	size_t num_listeners;
	struct ocsp_worker_issuer issuers[OCSP_ISSUERS_MAX];
	size_t num_issuers;
	struct ocsp_worker_file *files;
	size_t num_files;
	char *status_path;
	struct oc_page *counts;	/* NULL: not to be read */
	struct oc_page *asked;		/* NULL: it could not be made */
	struct ocsp_counts before;	/* what is not of this process */
	struct oc_address_range *exempt;
	struct oc_clock_watch clock;
	struct ocsp_worker *worker;
};

/* "127.0.0.1:80", "[::1]:80"; the configuration has been checked. */
static enum oc_err
resolve(const char *address, struct addrinfo **info, struct oc_error *error)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
	    .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE };
	const char *colon = strrchr(address, ':');
	char host[64];
	size_t len;

	if (colon == NULL)
		return oc_error_set(error, OC_ERR_CONFIG, "listen \"%s\": no "
		    "port", address);
	len = (size_t)(colon - address);
	if (len >= 2 && address[0] == '[' && colon[-1] == ']') {
		address++;
		len -= 2;
	}
	if (len >= sizeof(host))
		return oc_error_set(error, OC_ERR_CONFIG, "listen \"%s\": no "
		    "address", address);
	memcpy(host, address, len);
	host[len] = '\0';
	if (getaddrinfo(len == 0 ? NULL : host, colon + 1, &hints, info) != 0)
		return oc_error_set(error, OC_ERR_CONFIG, "listen \"%s\": no "
		    "numeric address and port", address);
	return OC_OK;
}

/* Each responder has a listener of its own on the same address, with a queue
 * of its own. */
static int
bind_one(const struct addrinfo *info)
{
	const int on = 1;
	int fd, saved;

	fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
	    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) == 0 &&
	    (info->ai_family != AF_INET6 || setsockopt(fd, IPPROTO_IPV6,
	    IPV6_V6ONLY, &on, sizeof(on)) == 0) &&
	    bind(fd, info->ai_addr, info->ai_addrlen) == 0 &&
	    listen(fd, SOMAXCONN) == 0)
		return fd;
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

/* A machine without IPv6 is no error as long as something can be bound. */
static enum oc_err
bind_configured(struct program *p, struct oc_error *error)
{
	const struct oc_words *listen_on = &p->config->responder.listen;
	struct addrinfo *info;
	enum oc_err err;
	size_t i;
	int fd;

	for (i = 0; i < listen_on->num; i++) {
		if (p->num_listeners == LISTENERS_MAX)
			return oc_error_set(error, OC_ERR_LIMIT,
			    "more than %d addresses to listen on",
			    LISTENERS_MAX);
		err = resolve(listen_on->words[i], &info, error);
		if (err != OC_OK)
			return err;
		fd = bind_one(info);
		freeaddrinfo(info);
		if (fd >= 0) {
			p->listeners[p->num_listeners++] = fd;
			continue;
		}
		(void)oc_error_set_errno(error, OC_ERR_SYSTEM,
		    "cannot listen on %s", listen_on->words[i]);
		if (errno != EAFNOSUPPORT && errno != EADDRNOTAVAIL)
			return OC_ERR_SYSTEM;
		oc_log(OC_LOG_WARNING, "%s", error->text);
	}
	return p->num_listeners > 0 ? OC_OK : OC_ERR_SYSTEM;
}

static enum oc_err
open_listeners(struct program *p, struct oc_error *error)
{
	int fd;

	while (p->num_listeners < LISTENERS_MAX && (fd = ipc_handover_fd(
	    "http", (unsigned int)p->num_listeners)) >= 0)
		p->listeners[p->num_listeners++] = fd;
	return p->num_listeners > 0 ? OC_OK : bind_configured(p, error);
}

static enum ocsp_signed_requests
signed_requests_of(const struct oc_config_issuer *issuer)
{
	switch (issuer->signed_requests) {
	case OC_SIGNED_REQUESTS_IGNORE:
		return OCSP_SIGNED_IGNORED;
	case OC_SIGNED_REQUESTS_VERIFY:
		return OCSP_SIGNED_VERIFIED;
	case OC_SIGNED_REQUESTS_REQUIRE:
		return OCSP_SIGNED_REQUIRED;
	}
	return OCSP_SIGNED_REQUIRED;
}

/*
 * The signers of those with OCSP allowed.  One whose certificate is not there
 * yet is only planned: nobody can ask for it, and waiting for its table would
 * keep us from telling strangers that they are wrong here.
 */
static enum oc_err
list_issuers(struct program *p, struct oc_error *error)
{
	const struct oc_config *config = p->config;
	char *path;
	size_t i;

	for (i = 0; i < config->num_ocsp; i++) {
		const struct oc_config_issuer *issuer = config->ocsp[i].issuer;

		if ((issuer->allow & OC_ALLOW_OCSP) == 0 ||
		    (access(issuer->certificate, F_OK) != 0 &&
		    errno == ENOENT))
			continue;
		if (p->num_issuers == OCSP_ISSUERS_MAX)
			return oc_error_set(error, OC_ERR_LIMIT,
			    "more than %d issuers and [ocsp-signer]s",
			    OCSP_ISSUERS_MAX);
		if (asprintf(&path, "%s/%s.table",
		    config->daemon.table_directory, config->ocsp[i].name) < 0)
			return oc_error_set(error, OC_ERR_NOMEM,
			    "out of memory");
		p->issuers[p->num_issuers++] = (struct ocsp_worker_issuer){
			.name = config->ocsp[i].name,
			.table_path = path,
			.wants_nonce = issuer->nonce != OC_NONCE_IGNORE,
			.requires_nonce = issuer->nonce == OC_NONCE_REQUIRE,
			.is_by_crl = issuer->source != OC_SOURCE_STORE,
			.signed_requests = signed_requests_of(issuer),
		};
	}
	return OC_OK;
}

static enum oc_err
list_files(struct program *p, struct oc_error *error)
{
	const struct oc_config *config = p->config;
	char *path;

	p->files = calloc(config->num_files + 1, sizeof(*p->files));
	if (p->files == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	for (size_t i = 0; i < config->num_files; i++) {
		path = ocsp_served_path(config->daemon.table_directory,
		    &config->files[i]);
		if (path == NULL)
			return oc_error_set(error, OC_ERR_NOMEM,
			    "out of memory");
		p->files[p->num_files++] = (struct ocsp_worker_file){
			.target = config->files[i].path,
			.target_len = config->files[i].path_len,
			.path = path,
			.kind = config->files[i].kind,
		};
	}
	return OC_OK;
}

/* As many connections as the system lets us have. */
static void
raise_fd_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

/* Answers matter more than that they are counted. */
static void
open_counts(struct program *p)
{
	struct oc_error error = { 0 };
	size_t i;

	if (ocsp_counts_open(p->config->daemon.responder_directory,
	    ipc_handover_run(), &p->counts, &error) != OC_OK) {
		oc_log(OC_LOG_WARNING, "%s: what is counted here will not be "
		    "seen by \"ocsign status\"", error.text);
		return;
	}
	p->before = *ocsp_counts_of(p->counts);
	for (i = 0; i < p->num_issuers; i++)
		p->issuers[i].counts = ocsp_counts_of_issuer(p->counts,
		    oc_config_find_ocsp(p->config,
		    p->issuers[i].name)->issuer->name);
	if (ocsp_asked_open(p->config->daemon.responder_directory,
	    ipc_handover_run(), &p->asked, &error) != OC_OK)
		oc_log(OC_LOG_WARNING, "%s: which certificates are asked "
		    "about most, nobody will know", error.text);
}

static enum oc_err
list_exempt(struct program *p, struct oc_error *error)
{
	const struct oc_words *words = &p->config->responder.exempt;
	enum oc_err err = OC_OK;

	p->exempt = calloc(words->num + 1, sizeof(*p->exempt));
	if (p->exempt == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	for (size_t i = 0; err == OC_OK && i < words->num; i++)
		err = oc_address_range_parse(words->words[i], &p->exempt[i],
		    error);
	return err;
}

static enum oc_err
open_worker(struct program *p, struct oc_error *error)
{
	const struct oc_config_responder *r = &p->config->responder;
	struct ocsp_worker_options options;

	if (asprintf(&p->status_path, "%s/status.sock",
	    p->config->daemon.run_directory) < 0) {
		p->status_path = NULL;
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	}
	if (oc_clock_watch_init(&p->clock,
	    p->config->daemon.status_directory, OC_CLOCK_WATCH_READS) != OC_OK)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	ocsp_worker_options_init(&options);
	options.listeners = p->listeners;
	options.num_listeners = p->num_listeners;
	options.issuers = p->issuers;
	options.num_issuers = p->num_issuers;
	options.files = p->files;
	options.num_files = p->num_files;
	options.status_path = p->status_path;
	options.run = ipc_handover_run();
	options.prefix = r->prefix;
	options.refuses_other_types = r->refuse & OC_REFUSE_OTHER_TYPES;
	options.refuses_no_request = r->refuse & OC_REFUSE_NO_REQUEST;
	options.refuses_bare_nonces = r->refuse & OC_REFUSE_BARE_NONCES;
	options.refuses_no_basic = r->refuse & OC_REFUSE_NO_BASIC;
	options.skips_other_issuers =
	    r->tolerate & OC_TOLERATE_OTHER_ISSUERS;
	options.tolerates_crlf = r->tolerate & OC_TOLERATE_CRLF;
	options.is_critical_malformed =
	    r->critical_extension == OC_CRITICAL_MALFORMED;
	if (r->max_age_s != OC_CONFIG_UNSET)
		options.max_age_s = r->max_age_s;
	options.connections_max = (uint32_t)r->connections_max;
	options.sources = (struct ocsp_sources_options){
		.connections_each = (uint32_t)r->address_max,
		.misses_each = (uint32_t)r->misses_each,
		.exempt = p->exempt,
		.num_exempt = r->exempt.num,
	};
	options.idle_timeout_ns = r->idle_timeout_s * OC_NS_PER_S;
	options.header_timeout_ns = r->header_timeout_s * OC_NS_PER_S;
	options.clock = &p->clock;
	options.counts = p->counts == NULL ? NULL :
	    ocsp_counts_of(p->counts);
	options.asked = p->asked == NULL ? NULL : ocsp_asked_of(p->asked);
	return ocsp_worker_new(&options, &p->worker, error);
}

/* All that is opened from now on: tables and files that have been replaced, and
 * what the clock was ahead of. */
static enum oc_err
give_up(const struct program *p, struct oc_error *error)
{
	const struct oc_config_daemon *d = &p->config->daemon;
	const char *const read[] = { d->table_directory, d->status_directory,
	    NULL };
	enum oc_err err = OC_OK;

	/* A folder that is made later could not be let in any more. */
	if (access(d->table_directory, F_OK) == 0)
		err = ipc_landlock_enter(&(struct ipc_files){
		    .read = read }, error);
	else
		oc_log(OC_LOG_NOTICE, "%s is not there yet: what files this "
		    "process can open, their modes alone say",
		    d->table_directory);
	return err == OC_OK ? ipc_sandbox_enter(IPC_SANDBOX_RESPONDER,
	    error) : err;
}

static uint64_t
num_other(const struct ocsp_counts *c)
{
	return c->malformed + c->internal_errors + c->sig_required +
	    c->unauthorized;
}

static void
report(const struct program *p)
{
	const struct ocsp_counts *c = ocsp_worker_counts(p->worker);
	const struct ocsp_counts *b = &p->before;

	oc_log(OC_LOG_INFO, "%llu requests on %llu connections: %llu answers, "
	    "%llu not modified, %llu tryLater, %llu other errors, %llu HTTP "
	    "errors, %llu misses",
	    (unsigned long long)(c->requests - b->requests),
	    (unsigned long long)(c->connections - b->connections),
	    (unsigned long long)(c->successful - b->successful),
	    (unsigned long long)(c->not_modified - b->not_modified),
	    (unsigned long long)(c->try_later - b->try_later),
	    (unsigned long long)(num_other(c) - num_other(b)),
	    (unsigned long long)(c->http_errors - b->http_errors),
	    (unsigned long long)(c->misses - b->misses));
}

static void
close_all(struct program *p)
{
	size_t i;

	ocsp_worker_free(p->worker);
	oc_page_close(p->counts);
	oc_page_close(p->asked);
	oc_clock_watch_fini(&p->clock);
	free(p->exempt);
	for (i = 0; i < p->num_issuers; i++)
		free((char *)p->issuers[i].table_path);
	for (i = 0; i < p->num_files; i++)
		free((char *)p->files[i].path);
	free(p->files);
	free(p->status_path);
	oc_config_free(p->config);
}

int
main(int argc, char **argv)
{
	struct program p = { 0 };
	struct oc_error error = { 0 };
	enum oc_err err;
	int status;

	status = ipc_role_start(argc, argv, "ocsign-responder",
	    "Answers OCSP requests over HTTP from the response tables.",
	    &p.config);
	if (status != IPC_ROLE_RUN)
		return status;
	raise_fd_limit();
	err = list_issuers(&p, &error);
	if (err == OC_OK)
		err = list_files(&p, &error);
	if (err == OC_OK)
		err = open_listeners(&p, &error);
	if (err == OC_OK)
		err = list_exempt(&p, &error);
	if (err == OC_OK)
		open_counts(&p);
	if (err == OC_OK)
		err = open_worker(&p, &error);
	if (err == OC_OK)
		err = give_up(&p, &error);
	if (err == OC_OK) {
		ipc_notify("READY=1\nSTATUS=%zu issuers, %zu listeners",
		    p.num_issuers, p.num_listeners);
		err = ocsp_worker_run(p.worker);
		ipc_notify("STOPPING=1");
		report(&p);
	}
	if (err != OC_OK)
		oc_log(OC_LOG_ERROR, "%s", error.text[0] == '\0' ?
		    oc_strerror(err) : error.text);
	close_all(&p);
	return err == OC_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
