/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/databases.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/value.h"

/* ocsign-status has two sockets from 3 on, and those for metrics. */
#define FIRST_FD 3
#define STATUS_SOCKETS 2

struct check {
	const struct oc_config *config;
	void (*print)(const char *line);
	size_t num_errors;
};

static void
complain(struct check *c, const char *place, const char *what)
{
	char text[2 * OC_ERROR_TEXT_MAX];

	(void)snprintf(text, sizeof(text), "%s: %s", place, what);
	c->print(text);
	c->num_errors++;
}

/* Where no role has a socket of its own. */
static int64_t
first_free_fd(const struct oc_config *config)
{
	size_t status = STATUS_SOCKETS + config->metrics.listen.num;
	size_t issuer = config->api.listen.num;

	return FIRST_FD + (int64_t)(status > issuer ? status : issuer);
}

static void
check_source(struct check *c, const char *place, const char *source)
{
	int64_t least = first_free_fd(c->config), fd;
	char text[OC_ERROR_TEXT_MAX];

	if (source == NULL)
		return;
	if (strncmp(source, "fd:", 3) == 0 &&
	    oc_value_int(source + 3, least, 1023, &fd, NULL) != OC_OK) {
		(void)snprintf(text, sizeof(text), "a descriptor is a number "
		    "from %d to 1023 (those below are sockets of the roles)",
		    (int)least);
		complain(c, place, text);
	}
	if (strncmp(source, "file:", 5) == 0 &&
	    access(source + 5, F_OK) != 0 && errno == ENOENT) {
		(void)snprintf(text, sizeof(text), "%s: %s", source + 5,
		    strerror(errno));
		complain(c, place, text);
	}
}

static void
check_issuer(struct check *c, const struct oc_config_issuer *issuer)
{
	char place[OC_ERROR_TEXT_MAX];

	if (issuer->certdb_database == NULL)
		return;
#ifndef HAVE_LIBPQ
	(void)snprintf(place, sizeof(place), "%.300s:%d: [issuer %s] "
	    "certdb-database", issuer->file, issuer->line, issuer->name);
	complain(c, place, "this ocsign was built without PostgreSQL; build "
	    "it with libpq");
#endif
	(void)snprintf(place, sizeof(place), "%.300s:%d: [issuer %s] "
	    "certdb-password-source", issuer->file, issuer->line,
	    issuer->name);
	check_source(c, place, issuer->certdb_password_source);
}

size_t
daemon_check_databases(const struct oc_config *config,
    void (*print)(const char *line))
{
	struct check c = { config, print, 0 };
	char place[OC_ERROR_TEXT_MAX];

	(void)snprintf(place, sizeof(place), "%.300s: [store] "
	    "password-source", config->path);
	check_source(&c, place, config->store.password_source);
	for (size_t i = 0; i < config->num_issuers; i++)
		check_issuer(&c, &config->issuers[i]);
	return c.num_errors;
}
