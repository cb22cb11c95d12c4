/* SPDX-License-Identifier: Apache-2.0 */
/* doctor: what a PKCS#11 module does, and the section to paste. */
#include "cli/doctor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/value.h"
#include "cli/print.h"
#include "cli/work_impl.h"
#include "ipc/server.h"
#include "pkcs11/doctor.h"

#define TIMEOUT_S 30
#define TIMEOUT_MAX_S 3600
#define ROUND_S 1
#define ROUND_MAX_S 60
#define IDLE_MAX_S 86400
#define ENVIRONMENT_MAX 32
#define NAME_MAX_LEN 64

struct doctoring {
	struct cli *cli;
	const char *target_module, *target_uri, *target_name;
	struct p11_doctor_options options;
	struct p11_doctor_facts *facts;
	const struct oc_config *config;		/* NULL: there is none */
	char *module, *pin_source, *state_dir;
	char name[NAME_MAX_LEN + 1];
	const char *environment[ENVIRONMENT_MAX + 1];
};

/* --- what it is about ------------------------------------------------- */

static enum oc_err
read_target(struct doctoring *d, const char *arg, struct oc_error *error)
{
	const char **target = strncmp(arg, "pkcs11:", 7) == 0 ?
	    &d->target_uri : strchr(arg, '/') != NULL ? &d->target_module :
	    &d->target_name;

	if (*target != NULL)
		return oc_error_set(error, OC_ERR_USAGE, "\"%.60s\": give one "
		    "module, one URI, or the name of one [token] section",
		    arg);
	*target = arg;
	return OC_OK;
}

static enum oc_err
read_targets(struct doctoring *d, struct oc_error *error)
{
	struct p11_uri uri;
	enum oc_err err = OC_OK;

	for (size_t i = 0; err == OC_OK && i < d->cli->num_args; i++)
		err = read_target(d, d->cli->args[i], error);
	if (err == OC_OK && d->target_uri != NULL &&
	    p11_uri_parse_token(d->target_uri, &uri, error) != OC_OK)
		err = OC_ERR_USAGE;
	if (err != OC_OK)
		return err;
	if (d->target_name != NULL && d->cli->num_args > 1)
		return oc_error_set(error, OC_ERR_USAGE, "[token %.60s] says "
		    "which module and token; give its name alone",
		    d->target_name);
	if (d->cli->num_args == 0 && (d->config == NULL ||
	    d->config->num_tokens != 1))
		return oc_error_set(error, OC_ERR_USAGE, "which token? give "
		    "the path of a PKCS#11 module, or the name of a [token] "
		    "section");
	if (d->target_module == NULL && d->target_uri != NULL &&
	    d->config == NULL)
		return oc_error_set(error, OC_ERR_USAGE, "which module is it "
		    "in? give its path, too: ocsign doctor /PATH/MODULE.so "
		    "'%.100s'", d->target_uri);
	return OC_OK;
}

/* No configuration is needed, but what there is must be right. */
static enum oc_err
read_config(struct doctoring *d, struct oc_error *error)
{
	if (strcmp(d->cli->config_path, oc_config_default_path()) == 0 &&
	    access(d->cli->config_path, F_OK) != 0)
		return OC_OK;
	return cli_config(d->cli, &d->config, error);
}

/* The section about the same token, if there is one. */
static const char *
find_section(const struct doctoring *d)
{
	struct oc_error ignored = { 0 };
	struct p11_uri wanted, own;

	if (d->target_name != NULL || d->target_uri == NULL ||
	    p11_uri_parse_token(d->target_uri, &wanted, &ignored) != OC_OK)
		return d->target_name;
	for (size_t i = 0; d->config != NULL &&
	    i < d->config->num_tokens; i++) {
		const struct oc_config_token *t = &d->config->tokens[i];

		if ((d->module == NULL || strcmp(t->module, d->module) ==
		    0) && p11_uri_parse_token(t->uri, &own, &ignored) ==
		    OC_OK && !p11_uri_is_other_token(&wanted, &own))
			return t->name;
	}
	return NULL;
}

/* A path becomes absolute from where we stand. */
static enum oc_err
absolute(const char *path, char **out, struct oc_error *error)
{
	char *here = getcwd(NULL, 0);
	enum oc_err err;

	if (here == NULL)
		return oc_error_set_errno(error, OC_ERR_SYSTEM, "getcwd");
	err = oc_path_join(here, path, out);
	free(here);
	if (err != OC_OK)
		cli_no_memory();
	return OC_OK;
}

static enum oc_err
read_pin_source(struct doctoring *d, struct oc_error *error)
{
	const char *source = cli_option(d->cli, "pin-source");
	char *path = NULL;
	enum oc_err err;

	if (source == NULL)
		return OC_OK;
	if (strncmp(source, "fd:", 3) == 0 ||
	    strncmp(source, "credential:", 11) == 0) {
		d->pin_source = strdup(source);
		if (d->pin_source == NULL)
			cli_no_memory();
	} else {
		if (strncmp(source, "file:", 5) == 0)
			source += 5;
		err = absolute(source, &path, error);
		if (err != OC_OK)
			return err;
		if (asprintf(&d->pin_source, "file:%s", path) < 0)
			cli_no_memory();
		free(path);
	}
	d->options.token.pin_source = d->pin_source;
	return OC_OK;
}

static enum oc_err
read_environment(struct doctoring *d, struct oc_error *error)
{
	const char *text;
	size_t num = 0;

	for (; (text = cli_option_at(d->cli, "environment", num)) != NULL;
	    num++) {
		if (strchr(text, '=') == NULL || text[0] == '=')
			return oc_error_set(error, OC_ERR_USAGE,
			    "--environment \"%.60s\" is no NAME=VALUE", text);
		if (num == ENVIRONMENT_MAX)
			return oc_error_set(error, OC_ERR_USAGE,
			    "--environment more than %d times",
			    ENVIRONMENT_MAX);
		d->environment[num] = text;
	}
	if (cli_has(d->cli, "init-args"))
		d->options.token.init_args = cli_option(d->cli, "init-args");
	if (num > 0)
		d->options.token.environment = d->environment;
	return OC_OK;
}

/* --- where the latch is ----------------------------------------------- */

/* Without a configuration: the user's own. */
static enum oc_err
own_state_dir(struct doctoring *d, struct oc_error *error)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	int rc;

	if (state != NULL && state[0] == '/')
		rc = asprintf(&d->state_dir, "%s/ocsign", state);
	else if (home != NULL && home[0] == '/')
		rc = asprintf(&d->state_dir, "%s/.local/state/ocsign", home);
	else
		return oc_error_set(error, OC_ERR_CONFIG, "where would a "
		    "wrong PIN be remembered? set HOME, or write an "
		    "ocsign.conf");
	if (rc < 0)
		cli_no_memory();
	d->options.state_dir = d->state_dir;
	return OC_OK;
}

static enum oc_err
choose_state_dir(struct doctoring *d, struct oc_error *error)
{
	if (d->options.state_dir != NULL ||
	    d->options.token.pin_source == NULL)
		return OC_OK;
	if (d->config == NULL)
		return own_state_dir(d, error);
	d->state_dir = strdup(d->config->daemon.signer_directory);
	if (d->state_dir == NULL)
		cli_no_memory();
	d->options.state_dir = d->state_dir;
	return cli_lock(d->cli, error);
}

static enum oc_err
note_service(struct doctoring *d, struct oc_error *error)
{
	char *path;
	enum oc_err err = cli_socket(d->cli, "status-control.sock", &path,
	    error);

	if (err == OC_OK)
		d->options.is_in_use = ipc_is_served(path);
	free(path);
	return err;
}

static enum oc_err
read_section(struct doctoring *d, const char *name, struct oc_error *error)
{
	const struct p11_token_config *token;
	enum oc_err err = cli_token(d->cli, name, &token,
	    &d->options.state_dir, error);

	if (err != OC_OK)
		return err;
	d->options.token = *token;
	return note_service(d, error);
}

/* "SoftHSM token 1" becomes "softhsm-token-1". */
static void
make_name(struct doctoring *d, const char *label)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz0123456789._";
	size_t len = 0;

	for (const char *p = label; *p != '\0' && len < NAME_MAX_LEN; p++) {
		char c = *p >= 'A' && *p <= 'Z' ? (char)(*p - 'A' + 'a') : *p;

		if (strchr(plain, c) != NULL)
			d->name[len++] = c;
		else if (len > 0 && d->name[len - 1] != '-')
			d->name[len++] = '-';
	}
	while (len > 0 && d->name[len - 1] == '-')
		len--;
	d->name[len] = '\0';
	if (len == 0)
		(void)snprintf(d->name, sizeof(d->name), "hsm");
}

static enum oc_err
choose_name(struct doctoring *d, struct oc_error *error)
{
	const char *name = cli_option(d->cli, "name");
	struct p11_uri uri;

	if (name != NULL && (strlen(name) > NAME_MAX_LEN || name[0] == '\0' ||
	    strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "0123456789._-") != strlen(name)))
		return oc_error_set(error, OC_ERR_USAGE, "--name: a section's "
		    "name is 1 to %d letters, digits, '.', '_' and '-'",
		    NAME_MAX_LEN);
	if (name != NULL)
		d->options.token.name = name;
	if (d->options.token.name != NULL || d->options.token.uri == NULL)
		return OC_OK;
	if (p11_uri_parse_token(d->options.token.uri, &uri, error) != OC_OK)
		return OC_ERR_USAGE;
	make_name(d, uri.token[0] != '\0' ? uri.token : uri.serial);
	d->options.token.name = d->name;
	return OC_OK;
}

/* --- options ---------------------------------------------------------- */

static enum oc_err
read_seconds(const struct cli *cli, const char *option, int64_t preset,
    int64_t max, int64_t *seconds, struct oc_error *error)
{
	const char *text = cli_option(cli, option);

	*seconds = preset;
	if (text == NULL || oc_value_int(text, 1, max, seconds, NULL) ==
	    OC_OK)
		return OC_OK;
	return oc_error_set(error, OC_ERR_USAGE, "--%s \"%.40s\" is no number "
	    "of seconds from 1 to %lld", option, text, (long long)max);
}

static enum oc_err
read_options(struct doctoring *d, struct oc_error *error)
{
	struct p11_doctor_options *o = &d->options;
	int64_t timeout_s, round_s;
	enum oc_err err;

	err = read_seconds(d->cli, "timeout", TIMEOUT_S, TIMEOUT_MAX_S,
	    &timeout_s, error);
	if (err == OC_OK)
		err = read_seconds(d->cli, "seconds", ROUND_S, ROUND_MAX_S,
		    &round_s, error);
	if (err == OC_OK)
		err = read_seconds(d->cli, "idle", 0, IDLE_MAX_S, &o->idle_s,
		    error);
	if (err != OC_OK)
		return err;
	o->timeout_ns = timeout_s * OC_NS_PER_S;
	o->round_ns = round_s * OC_NS_PER_S;
	o->key = cli_option(d->cli, "key");
	o->makes_keys = cli_has(d->cli, "make-keys");
	return OC_OK;
}

static enum oc_err
read_all(struct doctoring *d, struct oc_error *error)
{
	const char *section;
	enum oc_err err = read_options(d, error);

	if (err == OC_OK)
		err = read_config(d, error);
	if (err == OC_OK)
		err = read_targets(d, error);
	if (err == OC_OK && d->target_module != NULL)
		err = absolute(d->target_module, &d->module, error);
	if (err != OC_OK)
		return err;
	section = find_section(d);
	if (section != NULL || d->cli->num_args == 0)
		err = read_section(d, section, error);
	else if (d->module == NULL)
		err = oc_error_set(error, OC_ERR_USAGE, "no [token] section "
		    "of %s is about this token; give its module's path, too",
		    d->config->path);
	else
		d->options.token = (struct p11_token_config){
		    .module = d->module, .uri = d->target_uri };
	if (err == OC_OK)
		err = read_pin_source(d, error);
	if (err == OC_OK)
		err = read_environment(d, error);
	if (err == OC_OK)
		err = choose_name(d, error);
	if (err == OC_OK)
		err = choose_state_dir(d, error);
	return err;
}

/* --- running ---------------------------------------------------------- */

static void
show_progress(void *arg, const char *text)
{
	(void)arg;
	fprintf(stderr, "\r\033[Kocsign: doctor: %.66s", text);
}

static enum oc_err
run(struct doctoring *d, struct oc_error *error)
{
	bool is_shown = isatty(STDERR_FILENO) != 0;
	enum oc_err err;

	if (access(d->options.token.module, F_OK) != 0)
		return oc_error_set_errno(error, OC_ERR_NOT_FOUND,
		    "PKCS#11 module %s", d->options.token.module);
	d->options.progress = is_shown ? show_progress : NULL;
	err = p11_doctor_run(&d->options, d->facts, error);
	if (is_shown)
		fprintf(stderr, "\r\033[K");
	return err;
}

static enum oc_err
doctor(struct cli *cli, struct oc_error *error)
{
	struct doctoring d = { .cli = cli };
	enum oc_err err;

	d.facts = calloc(1, sizeof(*d.facts));
	if (d.facts == NULL)
		cli_no_memory();
	err = read_all(&d, error);
	if (err == OC_OK)
		err = run(&d, error);
	if (err == OC_OK && d.options.token.uri == NULL)
		cli->exit_status = cli_doctor_print_tokens(cli, &d.options,
		    d.facts);
	else if (err == OC_OK)
		cli->exit_status = cli_doctor_print(cli, &d.options,
		    d.facts);
	free(d.state_dir);
	free(d.pin_source);
	free(d.module);
	free(d.facts);
	return err;
}

static const struct cli_option doctor_options[] = {
	{ "pin-source", "FILE", CLI_OPTIONAL,
	    "where the user PIN is; a section has its own" },
	{ "environment", "NAME=VALUE", CLI_REPEATED,
	    "set a variable for the module" },
	{ "init-args", "TEXT", CLI_OPTIONAL,
	    "what C_Initialize is told, as NSS wants it" },
	{ "make-keys", NULL, CLI_OPTIONAL,
	    "try with keys made for it and destroyed" },
	{ "key", "LABEL", CLI_OPTIONAL, "measure with this key" },
	{ "seconds", "SECONDS", CLI_OPTIONAL,
	    "how long each round of signatures lasts: 1" },
	{ "idle", "SECONDS", CLI_OPTIONAL,
	    "wait so long, and see if a session survives" },
	{ "timeout", "SECONDS", CLI_OPTIONAL,
	    "how long a call may take: 30" },
	{ "name", "NAME", CLI_OPTIONAL, "what to call the section" },
	{ NULL }
};

const struct cli_command cli_doctor_commands[] = {
	{ .noun = "doctor", .arguments = "MODULE|NAME [URI]",
	    .num_args_min = 0, .num_args_max = 2, .options = doctor_options,
	    .summary = "try out a PKCS#11 module or token",
	    .about = "With the path of a module alone, lists its tokens and "
		"says what to give next.  With a token, its URI behind the "
		"module or the NAME of a [token] section, finds out by trying "
		"what it does: how many sessions it really has, what a lost "
		"login looks like, which mechanisms sign well, how fast, and "
		"what it needs of the network and of devices.  Prints that "
		"and the [token] section to paste; exit status 0 says that "
		"the token can be used.  Every probe is a process of its own: "
		"a module that hangs or crashes costs a line of the report.  "
		"A PIN that was refused is not tried again, and none is "
		"tried if one wrong try more would lock the token.  Nothing "
		"is changed in the token, but that --make-keys makes keys, "
		"and destroys them at the end.  Sessions and speed are left "
		"out while ocsignd uses the token.",
	    .example = "ocsign doctor /usr/lib/softhsm/libsofthsm2.so "
		"pkcs11:token=ca --pin-source user.pin",
	    .run = doctor },
	{ NULL }
};
