/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/check_validation.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/value.h"

/* ocsign-validator has one socket, from 3 on. */
#define FIRST_FREE_FD 4

struct check {
	const struct oc_config *config;
	void (*print)(const char *line);
	size_t num_errors;
};

static void
complain(struct check *c, const char *key, const char *what)
{
	char text[2 * OC_ERROR_TEXT_MAX];

	(void)snprintf(text, sizeof(text), "%s: [validation]%s%s: %s",
	    c->config->path, key[0] == '\0' ? "" : " ", key, what);
	c->print(text);
	c->num_errors++;
}

/* Its own user may not be ours: what only he may not do, he says. */
static bool
is_there(struct check *c, const char *key, const char *path, struct stat *st)
{
	char text[OC_ERROR_TEXT_MAX];

	if (path == NULL)
		return false;
	if (stat(path, st) == 0)
		return true;
	(void)snprintf(text, sizeof(text), "%s: %s", path, strerror(errno));
	complain(c, key, text);
	return false;
}

/* Whoever has it changes the zone. */
static void
check_key(struct check *c, const char *path)
{
	struct stat st;

	if (is_there(c, "update-key", path, &st) &&
	    (st.st_mode & (S_IROTH | S_IWOTH)) != 0)
		complain(c, "update-key", "anybody may read it; chmod o= it");
}

static void
check_hook(struct check *c, const char *path)
{
	struct stat st;

	if (is_there(c, "publish-hook", path, &st) && (!S_ISREG(st.st_mode) ||
	    (st.st_mode & S_IXUSR) == 0))
		complain(c, "publish-hook", "it is no program");
}

static void
check_password(struct check *c, const char *source)
{
	struct stat st;
	int64_t fd;

	if (source == NULL)
		return;
	if (strncmp(source, "fd:", 3) == 0 &&
	    oc_value_int(source + 3, FIRST_FREE_FD, 1023, &fd, NULL) != OC_OK)
		complain(c, "mail-password-source", "a descriptor is a "
		    "number from 4 to 1023 (3 is the validator's socket)");
	if (strncmp(source, "file:", 5) == 0)
		(void)is_there(c, "mail-password-source", source + 5, &st);
}

size_t
daemon_check_validation(const struct oc_config *config,
    void (*print)(const char *line))
{
	const struct oc_config_validation *v = &config->validation;
	struct check c = { .config = config, .print = print };
	struct stat st;

	if (!oc_config_validates(config))
		return 0;
#ifndef HAVE_VALIDATION
	complain(&c, "", "this ocsign was built without libunbound or "
	    "libcurl, which look at names; build it with both, or remove the "
	    "section");
#endif
	if (strcmp(v->trust_anchor, "none") != 0)
		(void)is_there(&c, "trust-anchor", v->trust_anchor, &st);
	(void)is_there(&c, "mail-ca", v->mail_ca, &st);
	check_key(&c, v->update_key);
	check_hook(&c, v->publish_hook);
	check_password(&c, v->mail_password_source);
	return c.num_errors;
}
