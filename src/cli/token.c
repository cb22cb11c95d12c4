/* SPDX-License-Identifier: Apache-2.0 */
/* token list, init, unlatch; drain and undrain are in token_drain.c. */
#include "cli/token.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/file.h"
#include "cli/print.h"
#include "cli/work.h"
#include "pkcs11/admin.h"
#include "pkcs11/drain.h"
#include "pkcs11/pin.h"
#include "pkcs11/uri.h"

#define ADMIN_S 60

/* "ready", or what stands in its way. */
static const char *
state_of(const struct p11_token_entry *e)
{
	if (!e->is_initialized)
		return "not initialised";
	if (e->is_pin_locked)
		return "PIN locked";
	if (!e->has_user_pin)
		return "no user PIN";
	if (e->is_final_try)
		return "one PIN try left";
	return "ready";
}

static bool
is_asked_for(const struct p11_uri *uri, const struct p11_token_entry *e)
{
	return (uri->token[0] == '\0' || strcmp(uri->token, e->label) == 0) &&
	    (uri->serial[0] == '\0' || strcmp(uri->serial, e->serial) == 0) &&
	    (uri->model[0] == '\0' || strcmp(uri->model, e->model) == 0) &&
	    (uri->manufacturer[0] == '\0' ||
	    strcmp(uri->manufacturer, e->manufacturer) == 0);
}

static void
put_entry(json_t *rows, const char *section, const struct p11_uri *uri,
    const struct p11_token_entry *e, bool is_drained)
{
	bool is_selected = e->is_initialized && is_asked_for(uri, e);
	json_t *row = cli_object();

	cli_put_text(row, "section", section);
	cli_put_text(row, "label", e->label);
	cli_put_text(row, "serial", e->serial);
	cli_put_text(row, "manufacturer", e->manufacturer);
	cli_put_text(row, "model", e->model);
	cli_put_text(row, "state", state_of(e));
	cli_put_bool(row, "pin_pad", e->has_pin_pad);
	cli_put_bool(row, "selected", is_selected);
	cli_put_bool(row, "drained", is_selected && is_drained);
	cli_append(rows, row);
}

static enum oc_err
list_one(struct cli *cli, const char *name, json_t *rows,
    struct oc_error *error)
{
	struct p11_token_entry *entries = calloc(P11_ADMIN_MAX,
	    sizeof(*entries));
	const struct p11_token_config *token;
	const char *state_dir;
	struct p11_uri uri = { 0 };
	bool is_drained = false;
	enum oc_err err;
	size_t num = 0;

	if (entries == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	err = cli_token(cli, name, &token, &state_dir, error);
	if (err == OC_OK)
		err = p11_uri_parse_token(token->uri, &uri, error);
	if (err == OC_OK)
		err = p11_drain_is_set(state_dir, name, &is_drained, error);
	if (err == OC_OK)
		err = p11_admin_list_tokens_of(token, cli_deadline(ADMIN_S),
		    entries, &num, error);
	for (size_t i = 0; err == OC_OK && i < num; i++)
		put_entry(rows, name, &uri, &entries[i], is_drained);
	free(entries);
	if (err != OC_OK)
		oc_error_prefix(error, "token %s", name);
	return err;
}

static enum oc_err
token_list(struct cli *cli, struct oc_error *error)
{
	static const char *const columns[] = { "section", "label", "serial",
	    "model", "state", "selected", "drained", NULL };
	const struct oc_config *config;
	json_t *rows = cli_array();
	enum oc_err err;

	err = cli_config(cli, &config, error);
	cli_progress_begin("the token");
	for (size_t i = 0; err == OC_OK && i < config->num_tokens; i++)
		err = list_one(cli, config->tokens[i].name, rows, error);
	cli_progress_end();
	if (err == OC_OK)
		cli_print_table(cli, rows, columns);
	else
		json_decref(rows);
	return err;
}

/* A path becomes absolute from where we stand, not from where the
 * configuration is. */
enum oc_err
cli_read_pin(const char *source, struct oc_secret *pin, struct oc_error *error)
{
	char *path = NULL, *whole = NULL;
	enum oc_err err = OC_ERR_PIN;

	if (strncmp(source, "fd:", 3) == 0 ||
	    strncmp(source, "credential:", 11) == 0)
		return p11_pin_read(source, pin, error);
	if (strncmp(source, "file:", 5) == 0)
		source += 5;
	path = realpath(source, NULL);
	if (path == NULL)
		oc_error_set_errno(error, err, "cannot open the PIN file %s",
		    source);
	else if (asprintf(&whole, "file:%s", path) < 0)
		err = oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	else {
		err = p11_pin_read(whole, pin, error);
		free(whole);
	}
	free(path);
	return err;
}

static enum oc_err
init(struct cli *cli, const struct p11_token_config *token,
    struct oc_error *error)
{
	struct oc_secret so_pin = { .len = 0 }, user_pin = { .len = 0 };
	struct p11_uri uri = { 0 };
	enum oc_err err;

	err = p11_uri_parse_token(token->uri, &uri, error);
	if (err == OC_OK && uri.token[0] == '\0')
		err = oc_error_set(error, OC_ERR_CONFIG, "the uri of [token "
		    "%s] says no token=LABEL, which is to be its label; add "
		    "that", token->name);
	if (err == OC_OK && token->pin_source == NULL)
		err = oc_error_set(error, OC_ERR_CONFIG, "[token %s] has no "
		    "pin-source, which is to hold its user PIN; add one",
		    token->name);
	if (err == OC_OK)
		err = cli_read_pin(cli_option(cli, "so-pin-source"), &so_pin,
		    error);
	if (err == OC_OK)
		err = p11_pin_read(token->pin_source, &user_pin, error);
	if (err == OC_OK) {
		cli_progress_begin("the token");
		err = p11_admin_init_token_of(token,
		    cli_has(cli, "serial") ? cli_option(cli, "serial") :
		    uri.serial[0] != '\0' ? uri.serial : NULL, uri.token,
		    &so_pin, &user_pin, cli_deadline(ADMIN_S), error);
		cli_progress_end();
	}
	oc_secret_fini(&so_pin);
	oc_secret_fini(&user_pin);
	if (err == OC_OK && cli->format == CLI_FORMAT_TEXT)
		printf("token \"%s\" is initialised\n", uri.token);
	return err;
}

/* One line of JSON for the journal. */
static enum oc_err
journal(struct store *store, const char *token, const char *uri,
    struct oc_error *error)
{
	json_t *detail = cli_object();
	enum oc_err err = OC_ERR_NOMEM;
	char *text;

	cli_put_text(detail, "token", token);
	cli_put_text(detail, "uri", uri);
	text = json_dumps(detail, JSON_COMPACT | JSON_SORT_KEYS);
	json_decref(detail);
	if (text != NULL)
		err = store_append_journal(store, "token-init", text);
	free(text);
	if (err != OC_OK)
		return oc_error_set(error, err, "token %s is initialised, "
		    "but the journal does not say so: %s", token,
		    store_error(store));
	return OC_OK;
}

static enum oc_err
token_init(struct cli *cli, struct oc_error *error)
{
	const struct p11_token_config *token;
	const char *state_dir;
	struct store *store;
	enum oc_err err;

	err = cli_token(cli, cli->args[0], &token, &state_dir, error);
	if (err == OC_OK)
		err = cli_store(cli, STORE_CREATE, &store, error);
	if (err == OC_OK)
		err = init(cli, token, error);
	if (err == OC_OK)
		err = journal(store, token->name, token->uri, error);
	return err;
}

static enum oc_err
token_unlatch(struct cli *cli, struct oc_error *error)
{
	const struct p11_token_config *token;
	const char *state_dir;
	enum oc_err err;

	err = cli_token(cli, cli->args[0], &token, &state_dir, error);
	if (err == OC_OK)
		err = p11_pin_unlatch(state_dir, token->name, error);
	if (err == OC_OK && cli->format == CLI_FORMAT_TEXT)
		printf("token %s: one more try with the same PIN is allowed\n",
		    token->name);
	return err;
}

static const struct cli_option init_options[] = {
	{ "so-pin-source", "FILE", CLI_REQUIRED,
	    "where the security officer's PIN is" },
	{ "serial", "TEXT", CLI_OPTIONAL,
	    "which of several uninitialised tokens" },
	{ NULL }
};

static const struct cli_option drain_options[] = {
	{ "force", NULL, CLI_OPTIONAL,
	    "also where it is the last that has a key" },
	{ NULL }
};

const struct cli_command cli_token_commands[] = {
	{ .noun = "token", .verb = "list",
	    .summary = "list the tokens behind each [token] section",
	    .about = "Lists the tokens that the module of each [token] "
		"section shows, without logging in: label, serial, model, "
		"whether it is ready, whether the section's uri selects it, "
		"and whether it is drained.",
	    .example = "ocsign token list",
	    .run = token_list },
	{ .noun = "token", .verb = "init", .arguments = "TOKEN",
	    .num_args_min = 1, .num_args_max = 1, .options = init_options,
	    .summary = "initialise a new token",
	    .about = "Initialises the token of [token TOKEN]: its label is "
		"the token=... of the section's uri, its user PIN is what the "
		"section's pin-source holds.  The security officer's PIN is "
		"read as a pin-source is: from a file that only you can read, "
		"fd:N or credential:NAME.  A token that is initialised "
		"already is never touched.",
	    .example = "ocsign token init ca --so-pin-source so.pin",
	    .run = token_init },
	{ .noun = "token", .verb = "unlatch", .arguments = "TOKEN",
	    .num_args_min = 1, .num_args_max = 1,
	    .summary = "allow one more try with the same PIN",
	    .about = "A PIN that a token refused is not tried again before "
		"its pin-source changes, because tokens lock themselves after "
		"three tries.  When it was mended another way (the token got "
		"another PIN, say), this allows one more try.",
	    .example = "ocsign token unlatch ca",
	    .run = token_unlatch },
	{ .noun = "token", .verb = "drain", .arguments = "TOKEN",
	    .num_args_min = 1, .num_args_max = 1, .options = drain_options,
	    .summary = "keep new work from a token",
	    .about = "Before a token is switched off or gets new firmware: "
		"what is to be signed goes to the other tokens that have the "
		"key, and what this one works on ends.  \"ocsign status\" "
		"says draining, then drained; from then on the service asks "
		"it nothing, also after a restart, until \"ocsign token "
		"undrain\".  Without a service it is recorded for the next.  "
		"Refused if a key would have no token left that works.",
	    .example = "ocsign token drain hsm-a",
	    .run = cli_token_drain },
	{ .noun = "token", .verb = "undrain", .arguments = "TOKEN",
	    .num_args_min = 1, .num_args_max = 1,
	    .summary = "let a drained token work again",
	    .about = "Undoes \"ocsign token drain\".  The service logs in if "
		"it has to, looks for every key and proves it by a "
		"signature that it verifies; then the token gets an eighth "
		"of its share of the work, and all of it after 10 seconds.",
	    .example = "ocsign token undrain hsm-a",
	    .run = cli_token_undrain },
	{ NULL }
};
