/* SPDX-License-Identifier: Apache-2.0 */
/* zone methods, claim, status: nobody is asked here. */
#include "cli/zone.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "ca/hostname.h"

#define CLAIMS_MAX 20

/* --- methods ------------------------------------------------------------ */

enum oc_err
cli_zone_methods(struct cli *cli, struct oc_error *error)
{
	static const char *const columns[] = { "method", "usable", "what",
	    "note", NULL };
	static const struct {
		enum store_method method;
		const char *what, *note;
	} rows[] = {
		{ STORE_METHOD_DNS, "a TXT record at "
		    PROOF_DNS_PREFIX "ZONE", "the zone and all below it" },
		{ STORE_METHOD_META, "<meta name=\"" PROOF_META_NAME "\"> in "
		    "the head of the page at http://ZONE/",
		    "who runs the site, not who has the zone" },
		{ STORE_METHOD_FILE, "the file /.well-known/" PROOF_FILE_PATH,
		    "who runs the site, not who has the zone" },
		{ STORE_METHOD_EMAIL, "a code in a message to the registrant "
		    "or admin@, hostmaster@...", "not acceptable for public "
		    "trust any more: contacts could be forged" },
		{ STORE_METHOD_OPERATOR, "\"ocsign zone add\"",
		    "the operator's word" }
	};
	const struct oc_config *config;
	json_t *table = cli_array();
	enum oc_err err = cli_config(cli, &config, error);

	for (size_t i = 0; err == OC_OK &&
	    i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_t *row = cli_object();

		cli_put_text(row, "method", store_method_text(
		    rows[i].method));
		cli_put_bool(row, "usable",
		    rows[i].method == STORE_METHOD_OPERATOR ||
		    proof_has_method(config, rows[i].method));
		cli_put_text(row, "what", rows[i].what);
		cli_put_text(row, "note", rows[i].note);
		cli_append(table, row);
	}
	if (err == OC_OK)
		cli_print_table(cli, table, columns);
	else
		json_decref(table);
	return err;
}

/* --- claims ------------------------------------------------------------- */

static void
put_place(json_t *row, const struct store_authorization *a,
    const struct store_challenge *c)
{
	char where[STORE_ZONE_NAME_MAX + 64];
	char what[STORE_TOKEN_TEXT_LEN + 64];

	snprintf(what, sizeof(what), "%s", c->token);
	switch (c->method) {
	case STORE_METHOD_DNS:
		snprintf(where, sizeof(where), "TXT " PROOF_DNS_PREFIX "%s",
		    a->name);
		break;
	case STORE_METHOD_META:
		snprintf(where, sizeof(where), "head of http://%s/",
		    a->name);
		snprintf(what, sizeof(what), "<meta name=\"" PROOF_META_NAME
		    "\" content=\"%s\">", c->token);
		break;
	case STORE_METHOD_FILE:
		snprintf(where, sizeof(where), "http://%s/.well-known/"
		    PROOF_FILE_PATH, a->name);
		break;
	case STORE_METHOD_EMAIL:
	case STORE_METHOD_HTTP_01:
	case STORE_METHOD_DNS_01:
	case STORE_METHOD_OPERATOR:
		snprintf(where, sizeof(where), "%s", c->address);
		what[0] = '\0';
		break;
	}
	cli_put_text(row, "where", where);
	cli_put_text(row, "what", what);
}

enum oc_err
cli_zone_check_free(struct store *store, const char *name,
    const struct store_account *account, struct oc_error *error)
{
	struct store_zone zone;
	enum oc_err err = store_find_zone(store, name, &zone);

	if (err == OC_ERR_NOT_FOUND ||
	    (err == OC_OK && zone.account_id == account->id))
		return OC_OK;
	return err == OC_OK ? oc_error_set(error, OC_ERR_EXISTS, "%s is "
	    "another account's zone; \"ocsign zone status\" says whose",
	    name) : oc_error_set(error, err, "%s", store_error(store));
}

enum oc_err
cli_zone_claim(struct cli *cli, struct oc_error *error)
{
	const struct oc_config *config;
	struct store_authorization a;
	struct store_account account;
	char name[CA_HOST_MAX];
	struct store *store;
	json_t *facts, *rows;
	enum oc_err err;

	err = ca_zone_to_ascii(cli->args[0], name, error);
	if (err == OC_OK)
		err = cli_config(cli, &config, error);
	if (err == OC_OK)
		err = cli_find_account(cli, cli_option(cli, "account"),
		    STORE_WRITE, &store, &account, error);
	if (err == OC_OK)
		err = cli_zone_check_free(store, name, &account, error);
	if (err == OC_OK)
		err = proof_open_claim(store, config, account.id, name,
		    oc_clock_now_s(), &a, error);
	if (err != OC_OK)
		return err;
	facts = cli_object();
	rows = cli_array();
	cli_put_text(facts, "zone", a.name);
	cli_put_text(facts, "account", account.name);
	cli_put_text(facts, "state", "pending");
	cli_put_text(facts, "id", a.tag);
	cli_put_time(facts, "expires_at", a.expires_at);
	for (uint32_t i = 0; i < a.num_challenges; i++) {
		json_t *row = cli_object();

		cli_put_text(row, "method", store_method_text(
		    a.challenges[i].method));
		put_place(row, &a, &a.challenges[i]);
		cli_append(rows, row);
	}
	cli_put(facts, "methods", rows);
	cli_print(cli, facts);
	return OC_OK;
}

/* --- status ------------------------------------------------------------- */

static const char *
claim_state(const struct store_authorization *a)
{
	bool has_ended = a->expires_at <= oc_clock_now_s();

	switch (a->state) {
	case STORE_PROOF_PENDING:
		return has_ended ? "expired" : "pending";
	case STORE_PROOF_VALID:
		return has_ended ? "old" : "proven";
	case STORE_PROOF_INVALID:
		return "failed";
	case STORE_PROOF_DEACTIVATED:
		return "given back";
	}
	return "unknown";
}

struct listing {
	struct store *store;
	json_t *rows;
};

/* The step that was made last says what is seen of it. */
static enum oc_err
add_claim(void *arg, const struct store_authorization *a)
{
	struct listing *l = arg;
	struct store_account account;
	json_t *row;
	enum oc_err err = store_get_account(l->store, a->account_id,
	    &account);

	if (err != OC_OK)
		return err;
	row = cli_object();
	cli_put_text(row, "account", account.name);
	cli_put_text(row, "state", claim_state(a));
	cli_put_time(row, "created_at", a->created_at);
	cli_put_time(row, "expires_at", a->expires_at);
	for (uint32_t i = 0; i < a->num_challenges; i++) {
		const struct store_challenge *c = &a->challenges[i];

		if (c->id != a->touched_id)
			continue;
		cli_put_text(row, "method", store_method_text(c->method));
		cli_put_int(row, "tries", c->num_tries);
		cli_put_text(row, "seen", c->seen);
	}
	if (a->touched_id == 0) {
		cli_put_text(row, "method", a->method == 0 ? "" :
		    store_method_text(a->method));
		cli_put_int(row, "tries", 0);
		cli_put_text(row, "seen", "");
	}
	cli_append(l->rows, row);
	return OC_OK;
}

static enum oc_err
put_zone(struct store *store, const char *name, json_t *facts)
{
	struct store_account account;
	struct store_zone zone;
	enum oc_err err = store_find_zone(store, name, &zone);

	cli_put_text(facts, "zone", name);
	if (err == OC_ERR_NOT_FOUND) {
		cli_put_text(facts, "state", "nobody's");
		return OC_OK;
	}
	if (err == OC_OK)
		err = store_get_account(store, zone.account_id, &account);
	if (err != OC_OK)
		return err;
	cli_put_text(facts, "account", account.name);
	cli_put_text(facts, "state", cli_zone_state(zone.state));
	cli_put_text(facts, "id", zone.tag);
	return OC_OK;
}

enum oc_err
cli_zone_status(struct cli *cli, struct oc_error *error)
{
	struct listing l = { .rows = NULL };
	char name[CA_HOST_MAX];
	json_t *facts;
	enum oc_err err;

	err = ca_zone_to_ascii(cli->args[0], name, error);
	if (err == OC_OK)
		err = cli_store(cli, STORE_READ, &l.store, error);
	if (err != OC_OK)
		return err;
	facts = cli_object();
	l.rows = cli_array();
	err = put_zone(l.store, name, facts);
	if (err == OC_OK)
		err = store_list_authorizations(l.store, 0, 0, name,
		    CLAIMS_MAX, add_claim, &l);
	cli_put(facts, "claims", l.rows);
	if (err == OC_OK) {
		cli_print(cli, facts);
		return OC_OK;
	}
	json_decref(facts);
	return oc_error_set(error, err, "%s", store_error(l.store));
}
