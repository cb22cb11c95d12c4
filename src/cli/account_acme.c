/* SPDX-License-Identifier: Apache-2.0 */
/* account acme-key, acme-keys, acme-revoke: what binds an ACME account to one
 * of the registry's (RFC 8555, 7.3.4).  A key is printed once, as unpadded
 * base64url, which is how clients want it. */
#include <stdio.h>
#include <string.h>

#include "acme/base64url.h"
#include "acme/jws.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/value.h"
#include "cli/account.h"
#include "store/acme.h"

#define KEY_TEXT_LEN ACME_BASE64URL_LEN(STORE_HMAC_KEY_LEN)

static enum oc_err
read_options(const struct cli *cli, struct store_eab_key *key,
    struct oc_error *error)
{
	const char *label = cli_option(cli, "label");
	const char *expires_in = cli_option(cli, "expires-in");
	int64_t seconds = 0;

	if (label != NULL && strlen(label) >= sizeof(key->label))
		return oc_error_set(error, OC_ERR_USAGE, "--label: at most "
		    "%d octets", STORE_LABEL_MAX);
	if (label != NULL)
		memcpy(key->label, label, strlen(label) + 1);
	if (expires_in == NULL)
		return OC_OK;
	if (oc_value_duration(expires_in, &seconds, error) != OC_OK) {
		oc_error_prefix(error, "--expires-in");
		return OC_ERR_USAGE;
	}
	if (seconds == 0)
		return oc_error_set(error, OC_ERR_USAGE,
		    "--expires-in: no key expires at once");
	key->expires_at = oc_clock_now_s() + seconds;
	return OC_OK;
}

static const char *
state_of(const struct store_eab_key *key)
{
	return key->revoked_at != 0 ? "revoked" : key->used_at != 0 ?
	    "used" : key->expires_at != 0 &&
	    key->expires_at <= oc_clock_now_s() ? "expired" : "good";
}

static json_t *
describe(const struct store_eab_key *key)
{
	json_t *row = cli_object();

	cli_put_text(row, "kid", key->kid);
	cli_put_text(row, "state", state_of(key));
	cli_put_text(row, "label", key->label);
	cli_put_time(row, "created_at", key->created_at);
	if (key->expires_at != 0)
		cli_put_time(row, "expires_at", key->expires_at);
	if (key->used_at != 0)
		cli_put_time(row, "used_at", key->used_at);
	if (key->revoked_at != 0)
		cli_put_time(row, "revoked_at", key->revoked_at);
	return row;
}

static enum oc_err
hand_out(struct cli *cli, const struct store_eab_key *key,
    struct oc_error *error)
{
	const char *path = cli_option(cli, "out");
	bool is_file = path != NULL && strcmp(path, "-") != 0;
	char secret[KEY_TEXT_LEN + 1], lines[KEY_TEXT_LEN + 80];
	json_t *facts;
	enum oc_err err = OC_OK;

	acme_base64url_encode(key->hmac, sizeof(key->hmac), secret);
	snprintf(lines, sizeof(lines), "kid: %s\nkey: %s\n", key->kid,
	    secret);
	if (is_file)
		err = oc_file_write(path, 0600, lines, strlen(lines), error);
	if (err == OC_OK && !is_file && cli->format == CLI_FORMAT_TEXT) {
		fputs(lines, stdout);
	} else if (err == OC_OK && cli->format == CLI_FORMAT_JSON) {
		facts = describe(key);
		if (!is_file)
			cli_put_text(facts, "key", secret);
		cli_print(cli, facts);
	}
	explicit_bzero(secret, sizeof(secret));
	explicit_bzero(lines, sizeof(lines));
	return err;
}

enum oc_err
cli_account_acme_key(struct cli *cli, struct oc_error *error)
{
	struct store_eab_key key = { .id = 0 };
	struct store_account account;
	struct store *store;
	enum oc_err err;

	err = read_options(cli, &key, error);
	if (err == OC_OK)
		err = cli_check_out(cli, "out", error);
	if (err == OC_OK)
		err = cli_find_account(cli, cli->args[0], STORE_WRITE,
		    &store, &account, error);
	if (err != OC_OK)
		return err;
	key.account_id = account.id;
	err = store_add_eab_key(store, &key);
	if (err != OC_OK) {
		oc_error_set(error, err, "%s", store_error(store));
	} else {
		err = hand_out(cli, &key, error);
		/* Nobody has it: it may as well not be there. */
		if (err != OC_OK)
			(void)!store_revoke_eab_key(store, account.id,
			    key.kid);
	}
	explicit_bzero(&key, sizeof(key));
	return err;
}

static enum oc_err
add_row(void *arg, const struct store_eab_key *key)
{
	cli_append(arg, describe(key));
	return OC_OK;
}

enum oc_err
cli_account_acme_keys(struct cli *cli, struct oc_error *error)
{
	static const char *const columns[] = { "kid", "state", "label",
	    "created_at", "expires_at", "used_at", NULL };
	json_t *rows = cli_array();
	struct store_account account;
	struct store *store;
	enum oc_err err;

	err = cli_find_account(cli, cli->args[0], STORE_READ, &store,
	    &account, error);
	if (err == OC_OK) {
		err = store_list_eab_keys(store, account.id, add_row, rows);
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
cli_account_acme_revoke(struct cli *cli, struct oc_error *error)
{
	struct store_account account;
	struct store *store;
	enum oc_err err;

	/* Somebody pasted the secret: it must not end up in an error. */
	if (strlen(cli->args[1]) != STORE_TAG_LEN)
		return oc_error_set(error, OC_ERR_USAGE, "that is no kid of a "
		    "key; \"ocsign account acme-keys\" lists them");
	err = cli_find_account(cli, cli->args[0], STORE_WRITE, &store,
	    &account, error);
	if (err != OC_OK)
		return err;
	err = store_revoke_eab_key(store, account.id, cli->args[1]);
	if (err != OC_OK)
		return oc_error_set(error, err, "%s", store_error(store));
	return OC_OK;
}

/* --- ACME's own accounts ------------------------------------------------ */

static const char *
name_of(enum store_acme_state state)
{
	switch (state) {
	case STORE_ACME_VALID:
		return "valid";
	case STORE_ACME_DEACTIVATED:
		return "deactivated";
	case STORE_ACME_REVOKED:
		return "ended";
	}
	return "unknown";
}

static json_t *
describe_account(const struct store_acme_account *a)
{
	json_t *row = cli_object();
	char thumbprint[ACME_THUMBPRINT_TEXT_LEN + 1];

	acme_thumbprint_text(a->thumbprint, thumbprint);
	cli_put_text(row, "id", a->tag);
	cli_put_text(row, "state", name_of(a->state));
	cli_put_bool(row, "bound", a->is_bound);
	cli_put_text(row, "contacts", a->contacts);
	cli_put_text(row, "thumbprint", thumbprint);
	cli_put_time(row, "created_at", a->created_at);
	return row;
}

static enum oc_err
add_account(void *arg, const struct store_acme_account *a)
{
	cli_append(arg, describe_account(a));
	return OC_OK;
}

enum oc_err
cli_account_acme_accounts(struct cli *cli, struct oc_error *error)
{
	static const char *const columns[] = { "id", "state", "bound",
	    "contacts", "thumbprint", "created_at", NULL };
	json_t *rows = cli_array();
	struct store_account account;
	struct store *store;
	enum oc_err err;

	err = cli_find_account(cli, cli->args[0], STORE_READ, &store,
	    &account, error);
	if (err == OC_OK) {
		err = store_list_acme_accounts(store, account.id,
		    add_account, rows);
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
cli_account_acme_end(struct cli *cli, struct oc_error *error)
{
	struct store_acme_account a;
	struct store_account account;
	struct store *store;
	enum oc_err err;

	err = cli_find_account(cli, cli->args[0], STORE_WRITE, &store,
	    &account, error);
	if (err != OC_OK)
		return err;
	err = store_find_acme_account(store, cli->args[1], &a);
	if (err == OC_ERR_NOT_FOUND ||
	    (err == OC_OK && a.account_id != account.id))
		return oc_error_set(error, OC_ERR_NOT_FOUND, "account %s has "
		    "no ACME account %.32s; \"ocsign account acme-accounts\" "
		    "lists them", account.name, cli->args[1]);
	if (err == OC_OK) {
		a.state = STORE_ACME_REVOKED;
		err = store_change_acme_account(store, &a);
	}
	if (err != OC_OK)
		return oc_error_set(error, err, "%s", store_error(store));
	cli_print(cli, describe_account(&a));
	return OC_OK;
}
