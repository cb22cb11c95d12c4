/* SPDX-License-Identifier: Apache-2.0 */
/* account add, change, list, show, disable, enable. */
#include "cli/account.h"

#include <string.h>

#include "base/clock.h"
#include "base/value.h"

#define QUOTA_MAX INT64_C(1000000000)

enum oc_err
cli_find_account(struct cli *cli, const char *name, enum store_mode mode,
    struct store **store, struct store_account *account,
    struct oc_error *error)
{
	enum oc_err err = cli_store(cli, mode, store, error);

	if (err != OC_OK)
		return err;
	err = store_find_account(*store, name, account);
	if (err == OC_ERR_NOT_FOUND)
		return oc_error_set(error, err, "there is no account "
		    "\"%.64s\"; \"ocsign account list\" has them", name);
	if (err != OC_OK)
		return oc_error_set(error, err, "%s", store_error(*store));
	return OC_OK;
}

/* --- what the options say ----------------------------------------------- */

static enum oc_err
set_number(const struct cli *cli, const char *option, int64_t *value,
    struct oc_error *error)
{
	const char *text = cli_option(cli, option);

	if (text == NULL || oc_value_int(text, 0, QUOTA_MAX, value, error) ==
	    OC_OK)
		return OC_OK;
	oc_error_prefix(error, "--%s", option);
	return OC_ERR_USAGE;
}

static enum oc_err
set_email(const struct cli *cli, struct store_account *account,
    struct oc_error *error)
{
	const char *text = cli_option(cli, "email");

	if (text == NULL)
		return OC_OK;
	if (strlen(text) >= sizeof(account->email))
		return oc_error_set(error, OC_ERR_USAGE, "--email: an "
		    "address has at most %d octets", STORE_EMAIL_MAX);
	memcpy(account->email, text, strlen(text) + 1);
	return OC_OK;
}

static enum oc_err
set_options(const struct cli *cli, struct store_account *account,
    struct oc_error *error)
{
	const char *period = cli_option(cli, "period");
	enum oc_err err;

	err = set_email(cli, account, error);
	if (err == OC_OK)
		err = set_number(cli, "live-max", &account->live_max, error);
	if (err == OC_OK)
		err = set_number(cli, "period-max", &account->period_max,
		    error);
	if (err != OC_OK)
		return err;
	if (period != NULL && oc_value_duration(period, &account->period_s,
	    error) != OC_OK) {
		oc_error_prefix(error, "--period");
		return OC_ERR_USAGE;
	}
	if (account->period_max == 0)
		account->period_s = 0;
	else if (account->period_s == 0)
		return oc_error_set(error, OC_ERR_USAGE, "--period-max wants "
		    "a --period, such as --period 30d");
	if (period != NULL && account->period_max == 0)
		return oc_error_set(error, OC_ERR_USAGE,
		    "--period wants a --period-max");
	return OC_OK;
}

/* --- printing ----------------------------------------------------------- */

static json_t *
describe(const struct store_account *a)
{
	json_t *row = cli_object();

	cli_put_text(row, "name", a->name);
	cli_put_text(row, "state", a->state == STORE_ACCOUNT_ACTIVE ?
	    "active" : "disabled");
	cli_put_text(row, "id", a->tag);
	cli_put_text(row, "email", a->email);
	cli_put_int(row, "live_max", a->live_max);
	cli_put_int(row, "period_max", a->period_max);
	cli_put_int(row, "period_seconds", a->period_s);
	cli_put_time(row, "created_at", a->created_at);
	return row;
}

static enum oc_err
add_row(void *arg, const struct store_account *account)
{
	cli_append(arg, describe(account));
	return OC_OK;
}

static enum oc_err
account_list(struct cli *cli, struct oc_error *error)
{
	static const char *const columns[] = { "name", "state", "email",
	    "live_max", "period_max", "period_seconds", NULL };
	json_t *rows = cli_array();
	struct store *store;
	enum oc_err err;

	err = cli_store(cli, STORE_READ, &store, error);
	if (err == OC_OK) {
		err = store_list_accounts(store, add_row, rows);
		if (err != OC_OK)
			oc_error_set(error, err, "%s", store_error(store));
	}
	if (err == OC_OK)
		cli_print_table(cli, rows, columns);
	else
		json_decref(rows);
	return err;
}

static enum oc_err
add_zone_name(void *arg, const struct store_zone *zone)
{
	cli_append_text(arg, zone->name);
	return OC_OK;
}

static enum oc_err
account_show(struct cli *cli, struct oc_error *error)
{
	json_t *facts, *zones = cli_array();
	struct store_account account;
	struct store_usage usage;
	struct store *store;
	enum oc_err err;

	err = cli_find_account(cli, cli->args[0], STORE_READ, &store,
	    &account, error);
	if (err == OC_OK) {
		err = store_count_usage(store, &account, oc_clock_now_s(),
		    &usage);
		if (err == OC_OK)
			err = store_list_zones(store, account.id,
			    add_zone_name, zones);
		if (err != OC_OK)
			oc_error_set(error, err, "%s", store_error(store));
	}
	if (err != OC_OK) {
		json_decref(zones);
		return err;
	}
	facts = describe(&account);
	cli_put_int(facts, "live", usage.num_live);
	cli_put_int(facts, "in_period", usage.num_period);
	cli_put(facts, "zones", zones);
	cli_print(cli, facts);
	return OC_OK;
}

/* --- changes ------------------------------------------------------------ */

/* The account as it now is, or why the store did not take it. */
static enum oc_err
print_changed(struct cli *cli, const struct store *store, enum oc_err err,
    const struct store_account *account, struct oc_error *error)
{
	if (err != OC_OK)
		return oc_error_set(error, err, "%s", store_error(store));
	cli_print(cli, describe(account));
	return OC_OK;
}

static enum oc_err
account_add(struct cli *cli, struct oc_error *error)
{
	struct store_account account = { .state = STORE_ACCOUNT_ACTIVE };
	const char *name = cli->args[0];
	struct store *store;
	enum oc_err err;

	if (strlen(name) >= sizeof(account.name))
		return oc_error_set(error, OC_ERR_LIMIT, "an account's name "
		    "has at most %d octets", OC_CONFIG_NAME_MAX);
	memcpy(account.name, name, strlen(name) + 1);
	err = set_options(cli, &account, error);
	if (err == OC_OK)
		err = cli_store(cli, STORE_CREATE, &store, error);
	if (err != OC_OK)
		return err;
	err = store_add_account(store, &account);
	return print_changed(cli, store, err, &account, error);
}

static enum oc_err
account_change(struct cli *cli, struct oc_error *error)
{
	struct store_account account;
	struct store *store;
	enum oc_err err;

	if (cli->num_values == 0)
		return oc_error_set(error, OC_ERR_USAGE, "nothing to change; "
		    "see \"ocsign help account change\"");
	err = cli_find_account(cli, cli->args[0], STORE_WRITE, &store,
	    &account, error);
	if (err == OC_OK)
		err = set_options(cli, &account, error);
	if (err != OC_OK)
		return err;
	err = store_change_account(store, &account);
	return print_changed(cli, store, err, &account, error);
}

static enum oc_err
set_state(struct cli *cli, enum store_account_state state,
    struct oc_error *error)
{
	struct store_account account;
	struct store *store;
	enum oc_err err;

	err = cli_find_account(cli, cli->args[0], STORE_WRITE, &store,
	    &account, error);
	if (err != OC_OK)
		return err;
	if (account.state == state)
		return oc_error_set(error, OC_ERR_EXISTS, "account %s is %s "
		    "already", account.name, state == STORE_ACCOUNT_ACTIVE ?
		    "active" : "disabled");
	account.state = state;
	err = store_change_account(store, &account);
	return print_changed(cli, store, err, &account, error);
}

static enum oc_err
account_disable(struct cli *cli, struct oc_error *error)
{
	return set_state(cli, STORE_ACCOUNT_DISABLED, error);
}

static enum oc_err
account_enable(struct cli *cli, struct oc_error *error)
{
	return set_state(cli, STORE_ACCOUNT_ACTIVE, error);
}

/* --- the table ---------------------------------------------------------- */

static const struct cli_option quota_options[] = {
	{ "email", "ADDRESS", CLI_OPTIONAL, "for X-Auth-Email" },
	{ "live-max", "NUMBER", CLI_OPTIONAL,
	    "certificates neither expired nor revoked" },
	{ "period-max", "NUMBER", CLI_OPTIONAL,
	    "certificates issued within --period" },
	{ "period", "DURATION", CLI_OPTIONAL, "such as 30d" },
	{ NULL }
};

static const struct cli_option token_options[] = {
	{ "kind", "KIND", CLI_OPTIONAL, "bearer, service-key, global-key" },
	{ "label", "TEXT", CLI_OPTIONAL, "for people" },
	{ "expires-in", "DURATION", CLI_OPTIONAL, "such as 365d" },
	{ "out", "FILE", CLI_OPTIONAL, "else standard output" },
	{ NULL }
};

static const struct cli_option acme_options[] = {
	{ "label", "TEXT", CLI_OPTIONAL, "for people" },
	{ "expires-in", "DURATION", CLI_OPTIONAL, "such as 7d" },
	{ "out", "FILE", CLI_OPTIONAL, "else standard output" },
	{ NULL }
};

const struct cli_command cli_account_commands[] = {
	{ .noun = "account", .verb = "add", .arguments = "ACCOUNT",
	    .num_args_min = 1, .num_args_max = 1, .options = quota_options,
	    .summary = "make an account",
	    .about = "Makes an account, which may have certificates for the "
		"names in its zones (\"ocsign zone add\"), as many as its "
		"quotas allow.",
	    .example = "ocsign account add acme --live-max 100",
	    .run = account_add },
	{ .noun = "account", .verb = "change", .arguments = "ACCOUNT",
	    .num_args_min = 1, .num_args_max = 1, .options = quota_options,
	    .summary = "change an account's address and quotas",
	    .about = "Changes what is given and leaves the rest; a number 0 "
		"takes the limit away.",
	    .example = "ocsign account change acme --period-max 50 "
		"--period 7d",
	    .run = account_change },
	{ .noun = "account", .verb = "list",
	    .summary = "the accounts",
	    .about = "Prints the accounts and their quotas.",
	    .example = "ocsign account list",
	    .run = account_list },
	{ .noun = "account", .verb = "show", .arguments = "ACCOUNT",
	    .num_args_min = 1, .num_args_max = 1,
	    .summary = "one account, its zones, and how it stands",
	    .about = "Prints an account with its zones and how much of its "
		"quotas is used.",
	    .example = "ocsign account show acme",
	    .run = account_show },
	{ .noun = "account", .verb = "disable", .arguments = "ACCOUNT",
	    .num_args_min = 1, .num_args_max = 1,
	    .summary = "give an account nothing more",
	    .about = "From now on the account gets no certificates and its "
		"tokens are refused.  What was issued stays good.",
	    .example = "ocsign account disable acme",
	    .run = account_disable },
	{ .noun = "account", .verb = "enable", .arguments = "ACCOUNT",
	    .num_args_min = 1, .num_args_max = 1,
	    .summary = "undo account disable",
	    .about = "The account gets certificates again, and its tokens "
		"are taken.",
	    .example = "ocsign account enable acme",
	    .run = account_enable },
	{ .noun = "account", .verb = "token", .arguments = "ACCOUNT",
	    .num_args_min = 1, .num_args_max = 1, .options = token_options,
	    .summary = "make a token for an account's programs",
	    .about = "Makes a token and prints it, once: only its hash is "
		"kept.  With --out it goes to a file that only you can "
		"read.",
	    .example = "ocsign account token acme --out acme.token",
	    .run = cli_account_token },
	{ .noun = "account", .verb = "tokens", .arguments = "ACCOUNT",
	    .num_args_min = 1, .num_args_max = 1,
	    .summary = "the tokens of an account",
	    .about = "Prints the account's tokens by their public halves.",
	    .example = "ocsign account tokens acme",
	    .run = cli_account_tokens },
	{ .noun = "account", .verb = "revoke", .arguments = "ACCOUNT TOKEN",
	    .num_args_min = 2, .num_args_max = 2,
	    .summary = "take a token back",
	    .about = "Takes a token back, at once and for good.  TOKEN is "
		"its public half, as \"ocsign account tokens\" lists it.",
	    .example = "ocsign account revoke acme 0123456789abcdef",
	    .run = cli_account_revoke },
	{ .noun = "account", .verb = "acme-key", .arguments = "ACCOUNT",
	    .num_args_min = 1, .num_args_max = 1, .options = acme_options,
	    .summary = "make a key for an account's ACME client",
	    .about = "Makes a key for external account binding and prints "
		"it, once: the ACME account that is made with it is the "
		"account's.  It is good for one.  With --out it goes to a "
		"file that only you can read.",
	    .example = "ocsign account acme-key acme --out acme.key",
	    .run = cli_account_acme_key },
	{ .noun = "account", .verb = "acme-keys", .arguments = "ACCOUNT",
	    .num_args_min = 1, .num_args_max = 1,
	    .summary = "the ACME keys of an account",
	    .about = "Prints the account's keys for external account "
		"binding, used or not.",
	    .example = "ocsign account acme-keys acme",
	    .run = cli_account_acme_keys },
	{ .noun = "account", .verb = "acme-revoke",
	    .arguments = "ACCOUNT KID",
	    .num_args_min = 2, .num_args_max = 2,
	    .summary = "take an ACME key back",
	    .about = "Takes a key for external account binding back.  An "
		"ACME account that was made with it stays.",
	    .example = "ocsign account acme-revoke acme "
		"0123456789abcdef0123456789abcdef",
	    .run = cli_account_acme_revoke },
	{ .noun = "account", .verb = "acme-accounts", .arguments = "ACCOUNT",
	    .num_args_min = 1, .num_args_max = 1,
	    .summary = "the ACME accounts of an account",
	    .about = "Prints the ACME accounts that are the account's, and "
		"how they stand.",
	    .example = "ocsign account acme-accounts acme",
	    .run = cli_account_acme_accounts },
	{ .noun = "account", .verb = "acme-end", .arguments = "ACCOUNT ID",
	    .num_args_min = 2, .num_args_max = 2,
	    .summary = "end an ACME account",
	    .about = "Ends an ACME account, at once and for good.  What was "
		"issued for it stays good.",
	    .example = "ocsign account acme-end acme "
		"0123456789abcdef0123456789abcdef",
	    .run = cli_account_acme_end },
	{ NULL }
};
