/* SPDX-License-Identifier: Apache-2.0 */
/* zone add, list, show, pause, resume, remove; proofs are in zone_proof.c. */
#include <string.h>

#include "ca/hostname.h"
#include "cli/account.h"
#include "cli/zone.h"

#define UNICODE_MAX 1024

const char *
cli_zone_state(enum store_zone_state state)
{
	switch (state) {
	case STORE_ZONE_ACTIVE:
		return "active";
	case STORE_ZONE_PAUSED:
		return "paused";
	case STORE_ZONE_REMOVED:
		return "removed";
	}
	return "unknown";
}

static enum oc_err
describe(struct store *store, const struct store_zone *zone, json_t **row)
{
	char unicode[UNICODE_MAX];
	struct store_account account;
	enum oc_err err;

	err = store_get_account(store, zone->account_id, &account);
	if (err != OC_OK)
		return err;
	*row = cli_object();
	cli_put_text(*row, "name", zone->name);
	ca_host_to_unicode(zone->name, unicode, sizeof(unicode));
	if (strcmp(unicode, zone->name) != 0)
		cli_put_text(*row, "unicode", unicode);
	cli_put_text(*row, "account", account.name);
	cli_put_text(*row, "state", cli_zone_state(zone->state));
	cli_put_text(*row, "id", zone->tag);
	cli_put_time(*row, "created_at", zone->created_at);
	return OC_OK;
}

enum oc_err
cli_print_zone(struct cli *cli, struct store *store,
    const struct store_zone *zone, struct oc_error *error)
{
	json_t *row;
	enum oc_err err = describe(store, zone, &row);

	if (err != OC_OK)
		return oc_error_set(error, err, "%s", store_error(store));
	cli_print(cli, row);
	return OC_OK;
}

static enum oc_err
zone_add(struct cli *cli, struct oc_error *error)
{
	struct store_zone zone = { .state = STORE_ZONE_ACTIVE };
	struct store_account account;
	char name[CA_HOST_MAX];
	struct store *store;
	enum oc_err err;

	err = ca_zone_to_ascii(cli->args[0], name, error);
	if (err == OC_OK)
		err = cli_find_account(cli, cli_option(cli, "account"),
		    STORE_WRITE, &store, &account, error);
	if (err != OC_OK)
		return err;
	memcpy(zone.name, name, sizeof(zone.name));
	zone.account_id = account.id;
	err = store_add_zone(store, &zone, cli_has(cli, "delegated") ?
	    STORE_ZONE_DELEGATED : STORE_ZONE_ALONE);
	if (err != OC_OK)
		return oc_error_set(error, err, "%s", store_error(store));
	return cli_print_zone(cli, store, &zone, error);
}

/* The zone that the first argument names. */
static enum oc_err
find_zone(struct cli *cli, enum store_mode mode, struct store **store,
    struct store_zone *zone, struct oc_error *error)
{
	char name[CA_HOST_MAX];
	enum oc_err err;

	err = ca_zone_to_ascii(cli->args[0], name, error);
	if (err == OC_OK)
		err = cli_store(cli, mode, store, error);
	if (err != OC_OK)
		return err;
	err = store_find_zone(*store, name, zone);
	if (err == OC_ERR_NOT_FOUND)
		return oc_error_set(error, err, "there is no zone %s; "
		    "\"ocsign zone list\" has them", name);
	if (err != OC_OK)
		return oc_error_set(error, err, "%s", store_error(*store));
	return OC_OK;
}

static enum oc_err
set_state(struct cli *cli, enum store_zone_state state,
    struct oc_error *error)
{
	struct store_zone zone;
	struct store *store;
	enum oc_err err;

	err = find_zone(cli, STORE_WRITE, &store, &zone, error);
	if (err != OC_OK)
		return err;
	err = store_set_zone_state(store, zone.id, state);
	if (err != OC_OK)
		return oc_error_set(error, err, "%s", store_error(store));
	zone.state = state;
	return cli_print_zone(cli, store, &zone, error);
}

static enum oc_err
zone_pause(struct cli *cli, struct oc_error *error)
{
	return set_state(cli, STORE_ZONE_PAUSED, error);
}

static enum oc_err
zone_resume(struct cli *cli, struct oc_error *error)
{
	return set_state(cli, STORE_ZONE_ACTIVE, error);
}

static enum oc_err
zone_remove(struct cli *cli, struct oc_error *error)
{
	return set_state(cli, STORE_ZONE_REMOVED, error);
}

static enum oc_err
zone_show(struct cli *cli, struct oc_error *error)
{
	struct store_zone zone;
	struct store *store;
	enum oc_err err;

	err = find_zone(cli, STORE_READ, &store, &zone, error);
	return err != OC_OK ? err : cli_print_zone(cli, store, &zone, error);
}

struct listing {
	struct store *store;
	json_t *rows;
};

static enum oc_err
add_row(void *arg, const struct store_zone *zone)
{
	struct listing *l = arg;
	json_t *row;
	enum oc_err err = describe(l->store, zone, &row);

	if (err == OC_OK)
		cli_append(l->rows, row);
	return err;
}

static enum oc_err
zone_list(struct cli *cli, struct oc_error *error)
{
	static const char *const columns[] = { "name", "account", "state",
	    "id", NULL };
	const char *name = cli_option(cli, "account");
	struct listing l = { .rows = cli_array() };
	struct store_account account = { 0 };
	enum oc_err err;

	err = name != NULL ? cli_find_account(cli, name, STORE_READ, &l.store,
	    &account, error) : cli_store(cli, STORE_READ, &l.store, error);
	if (err == OC_OK) {
		err = store_list_zones(l.store, account.id, add_row, &l);
		if (err != OC_OK)
			oc_error_set(error, err, "%s", store_error(l.store));
	}
	if (err == OC_OK)
		cli_print_table(cli, l.rows, columns);
	else
		json_decref(l.rows);
	return err;
}

static const struct cli_option add_options[] = {
	{ "account", "ACCOUNT", CLI_REQUIRED, "whose it is" },
	{ "delegated", NULL, CLI_OPTIONAL,
	    "also inside or around another account's zone" },
	{ NULL }
};

static const struct cli_option claim_options[] = {
	{ "account", "ACCOUNT", CLI_REQUIRED, "who says that it is theirs" },
	{ NULL }
};

static const struct cli_option verify_options[] = {
	{ "account", "ACCOUNT", CLI_REQUIRED, "who says that it is theirs" },
	{ "method", "METHOD", CLI_REQUIRED, "dns, meta, file or email" },
	{ "publish", NULL, CLI_OPTIONAL,
	    "put the record in place, on the site's behalf" },
	{ "wait", "[DURATION]", CLI_OPTIONAL, "until it is there, or over" },
	{ "to", "ADDRESS", CLI_OPTIONAL, "email: send a code there" },
	{ "code", "CODE", CLI_OPTIONAL, "email: that arrived; \"-\" to read "
	    "it" },
	{ NULL }
};

static const struct cli_option list_options[] = {
	{ "account", "ACCOUNT", CLI_OPTIONAL, "only this one's" },
	{ NULL }
};

const struct cli_command cli_zone_commands[] = {
	{ .noun = "zone", .verb = "add", .arguments = "ZONE",
	    .num_args_min = 1, .num_args_max = 1, .options = add_options,
	    .summary = "give an account a zone",
	    .about = "Gives an account a zone: it may then have certificates "
		"for the name and all names below it.",
	    .example = "ocsign zone add example.com --account acme",
	    .run = zone_add },
	{ .noun = "zone", .verb = "methods",
	    .summary = "how a zone can be proven",
	    .about = "Prints the methods by which an account can prove a "
		"zone, whether they can be used here, and what each is "
		"worth.",
	    .example = "ocsign zone methods",
	    .run = cli_zone_methods },
	{ .noun = "zone", .verb = "claim", .arguments = "ZONE",
	    .num_args_min = 1, .num_args_max = 1, .options = claim_options,
	    .summary = "say that a zone is an account's, to be proven",
	    .about = "Prints what has to be put where.  A claim gives nothing "
		"until it is proven, and is in nobody's way.",
	    .example = "ocsign zone claim example.com --account acme",
	    .run = cli_zone_claim },
	{ .noun = "zone", .verb = "verify", .arguments = "ZONE",
	    .num_args_min = 1, .num_args_max = 1, .options = verify_options,
	    .summary = "look whether a zone is proven",
	    .about = "Has ocsign-validator look.  If what was asked for is "
		"there, the zone is the account's; else the exit status is "
		"1, and the service looks again by itself.",
	    .example = "ocsign zone verify example.com --account acme "
		"--method dns",
	    .run = cli_zone_verify },
	{ .noun = "zone", .verb = "status", .arguments = "ZONE",
	    .num_args_min = 1, .num_args_max = 1,
	    .summary = "whose a zone is, and who claims it",
	    .about = "Prints whose a zone is, and how each claim of it "
		"stands, newest first.",
	    .example = "ocsign zone status example.com",
	    .run = cli_zone_status },
	{ .noun = "zone", .verb = "list", .options = list_options,
	    .summary = "the zones",
	    .about = "Prints the zones and whose they are.",
	    .example = "ocsign zone list --account acme",
	    .run = zone_list },
	{ .noun = "zone", .verb = "show", .arguments = "ZONE",
	    .num_args_min = 1, .num_args_max = 1,
	    .summary = "one zone",
	    .about = "Prints whose a zone is and how it stands.",
	    .example = "ocsign zone show example.com",
	    .run = zone_show },
	{ .noun = "zone", .verb = "pause", .arguments = "ZONE",
	    .num_args_min = 1, .num_args_max = 1,
	    .summary = "issue nothing for a zone for now",
	    .about = "Until \"ocsign zone resume\" there are no certificates "
		"for names in the zone.",
	    .example = "ocsign zone pause example.com",
	    .run = zone_pause },
	{ .noun = "zone", .verb = "resume", .arguments = "ZONE",
	    .num_args_min = 1, .num_args_max = 1,
	    .summary = "undo zone pause",
	    .about = "The zone's account may have certificates for it "
		"again.",
	    .example = "ocsign zone resume example.com",
	    .run = zone_resume },
	{ .noun = "zone", .verb = "remove", .arguments = "ZONE",
	    .num_args_min = 1, .num_args_max = 1,
	    .summary = "take a zone from its account",
	    .about = "Takes the zone from its account.  What was issued for "
		"it stays good.",
	    .example = "ocsign zone remove example.com",
	    .run = zone_remove },
	{ NULL }
};
