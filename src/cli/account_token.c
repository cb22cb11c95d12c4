/* SPDX-License-Identifier: Apache-2.0 */
/* account token, tokens, revoke.  A token is printed once and is nowhere
 * else: not in an argument, a log line or the store. */
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/value.h"
#include "cli/account.h"
#include "store/token.h"

static enum oc_err
read_options(const struct cli *cli, struct store_token *token,
    struct oc_error *error)
{
	const char *kind = cli_option(cli, "kind");
	const char *label = cli_option(cli, "label");
	const char *expires_in = cli_option(cli, "expires-in");
	int64_t seconds;

	token->kind = STORE_TOKEN_BEARER;
	if (kind != NULL && store_token_find_kind(kind, &token->kind) !=
	    OC_OK)
		return oc_error_set(error, OC_ERR_USAGE, "--kind: there is no "
		    "\"%.40s\"; bearer, service-key or global-key", kind);
	if (label != NULL && strlen(label) >= sizeof(token->label))
		return oc_error_set(error, OC_ERR_USAGE, "--label: at most "
		    "%d octets", STORE_LABEL_MAX);
	if (label != NULL)
		memcpy(token->label, label, strlen(label) + 1);
	if (expires_in == NULL)
		return OC_OK;
	if (oc_value_duration(expires_in, &seconds, error) != OC_OK ||
	    seconds == 0) {
		oc_error_prefix(error, "--expires-in");
		return seconds == 0 ? oc_error_set(error, OC_ERR_USAGE,
		    "--expires-in: no token expires at once") : OC_ERR_USAGE;
	}
	token->expires_at = oc_clock_now_s() + seconds;
	return OC_OK;
}

static json_t *
describe(const struct store_token *t)
{
	int64_t now = oc_clock_now_s();
	json_t *row = cli_object();

	cli_put_text(row, "token", t->prefix);
	cli_put_text(row, "kind", store_token_kind_name(t->kind));
	cli_put_text(row, "state", t->revoked_at != 0 ? "revoked" :
	    t->expires_at != 0 && t->expires_at <= now ? "expired" : "good");
	cli_put_text(row, "label", t->label);
	cli_put_time(row, "created_at", t->created_at);
	if (t->expires_at != 0)
		cli_put_time(row, "expires_at", t->expires_at);
	if (t->revoked_at != 0)
		cli_put_time(row, "revoked_at", t->revoked_at);
	if (t->used_at != 0)
		cli_put_time(row, "used_at", t->used_at);
	return row;
}

/* One line: what a program reads back. */
static enum oc_err
hand_out(struct cli *cli, const struct store_token *token,
    const struct oc_secret *secret, struct oc_error *error)
{
	const char *path = cli_option(cli, "out");
	uint8_t line[STORE_TOKEN_TEXT_MAX + 1];
	json_t *facts;
	enum oc_err err;

	if (path != NULL && strcmp(path, "-") != 0) {
		memcpy(line, secret->bytes, secret->len);
		line[secret->len] = '\n';
		err = oc_file_write(path, 0600, line, secret->len + 1,
		    error);
		explicit_bzero(line, sizeof(line));
		if (err == OC_OK && cli->format == CLI_FORMAT_JSON)
			cli_print(cli, describe(token));
		return err;
	}
	if (cli->format == CLI_FORMAT_TEXT) {
		printf("%s\n", (const char *)secret->bytes);
		return OC_OK;
	}
	facts = describe(token);
	cli_put_text(facts, "secret", (const char *)secret->bytes);
	cli_print(cli, facts);
	return OC_OK;
}

enum oc_err
cli_account_token(struct cli *cli, struct oc_error *error)
{
	struct store_token token = { 0 };
	struct oc_secret secret = { .len = 0 };
	struct store_account account;
	struct store *store;
	enum oc_err err;

	err = read_options(cli, &token, error);
	if (err == OC_OK)
		err = cli_check_out(cli, "out", error);
	if (err == OC_OK)
		err = cli_find_account(cli, cli->args[0], STORE_WRITE,
		    &store, &account, error);
	if (err != OC_OK)
		return err;
	token.account_id = account.id;
	err = store_token_new(&token, &secret);
	if (err != OC_OK) {
		oc_error_set(error, err, "no random octets");
	} else {
		err = store_add_token(store, &token);
		if (err != OC_OK)
			oc_error_set(error, err, "%s", store_error(store));
	}
	if (err == OC_OK) {
		err = hand_out(cli, &token, &secret, error);
		/* Nobody has it: it may as well not be there. */
		if (err != OC_OK)
			(void)!store_revoke_token(store, account.id,
			    token.prefix);
	}
	oc_secret_fini(&secret);
	return err;
}

static enum oc_err
add_row(void *arg, const struct store_token *token)
{
	cli_append(arg, describe(token));
	return OC_OK;
}

enum oc_err
cli_account_tokens(struct cli *cli, struct oc_error *error)
{
	static const char *const columns[] = { "token", "kind", "state",
	    "label", "created_at", "expires_at", "used_at", NULL };
	json_t *rows = cli_array();
	struct store_account account;
	struct store *store;
	enum oc_err err;

	err = cli_find_account(cli, cli->args[0], STORE_READ, &store,
	    &account, error);
	if (err == OC_OK) {
		err = store_list_tokens(store, account.id, add_row, rows);
		if (err != OC_OK)
			oc_error_set(error, err, "%s", store_error(store));
	}
	if (err == OC_OK)
		cli_print_table(cli, rows, columns);
	else
		json_decref(rows);
	return err;
}

enum oc_err
cli_account_revoke(struct cli *cli, struct oc_error *error)
{
	const char *prefix = cli->args[1];
	struct store_account account;
	struct store *store;
	enum oc_err err;

	/* Somebody pasted the whole token: it must not end up in an error. */
	if (strlen(prefix) > STORE_TAG_LEN)
		return oc_error_set(error, OC_ERR_USAGE, "that is no public "
		    "half of a token; \"ocsign account tokens\" lists them");
	err = cli_find_account(cli, cli->args[0], STORE_WRITE, &store,
	    &account, error);
	if (err != OC_OK)
		return err;
	err = store_revoke_token(store, account.id, prefix);
	if (err != OC_OK)
		return oc_error_set(error, err, "%s", store_error(store));
	return OC_OK;
}
