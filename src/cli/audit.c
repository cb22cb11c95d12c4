/* SPDX-License-Identifier: Apache-2.0 */
/* audit verify, list. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/audit.h"
#include "x509/ext.h"

/* The store has one a line. */
static json_t *
split_names(const char *names)
{
	json_t *list = cli_array();

	while (*names != '\0') {
		size_t len = strcspn(names, "\n");
		char text[X509_SAN_TEXT_MAX];

		(void)snprintf(text, sizeof(text), "%.*s", (int)len, names);
		cli_append_text(list, text);
		names += len + (names[len] == '\n' ? 1 : 0);
	}
	return list;
}

static enum oc_err
add_reserved(void *arg, const struct store_certificate *c)
{
	json_t *rows = arg, *row = cli_object();

	cli_put_serial(row, &c->serial);
	cli_put_time(row, "reserved_at", c->reserved_at);
	cli_put_text(row, "profile", c->profile);
	cli_put_text(row, "subject", c->subject);
	cli_put(row, "names", split_names(c->names));
	cli_append(rows, row);
	return OC_OK;
}

static enum oc_err
verify_journal(struct store *store, json_t *facts, struct oc_error *error)
{
	int64_t num_entries = 0, bad_number = 0;
	enum oc_err err;

	err = store_verify_journal(store, &num_entries, &bad_number);
	if (err == OC_ERR_MISMATCH)
		return oc_error_set(error, err, "journal entry %lld: %s; "
		    "compare with a backup", (long long)bad_number,
		    store_error(store));
	if (err != OC_OK)
		return oc_error_set(error, err, "%s", store_error(store));
	cli_put_int(facts, "entries", num_entries);
	cli_put_text(facts, "chain", "good");
	return OC_OK;
}

static enum oc_err
audit_verify(struct cli *cli, struct oc_error *error)
{
	const struct store_filter filter = { .state = STORE_RESERVED };
	json_t *facts = cli_object(), *reserved = cli_array();
	struct store *store;
	bool is_whole = false;
	enum oc_err err;

	err = cli_store(cli, STORE_READ, &store, error);
	if (err == OC_OK)
		err = verify_journal(store, facts, error);
	if (err == OC_OK) {
		err = store_list_certificates(store, &filter, add_reserved,
		    reserved);
		if (err != OC_OK)
			oc_error_set(error, err, "%s", store_error(store));
	}
	cli_put_int(facts, "never_issued", (int64_t)json_array_size(reserved));
	if (err == OC_OK) {
		err = cli_audit_signatures(cli, store, facts, error);
		is_whole = true;
	}
	cli_put(facts, "reserved", reserved);
	/* What is wrong stands in it, too. */
	if (is_whole)
		cli_print(cli, facts);
	else
		json_decref(facts);
	return err;
}

static enum oc_err
add_entry(void *arg, const struct store_entry *entry)
{
	json_t *rows = arg, *row = cli_object();
	json_t *detail = json_loads(entry->detail, 0, NULL);

	cli_put_int(row, "number", entry->number);
	cli_put_time(row, "at", entry->at);
	cli_put_text(row, "actor", entry->actor);
	cli_put_text(row, "event", entry->event);
	if (detail != NULL)
		cli_put(row, "detail", detail);
	else
		cli_put_text(row, "detail", entry->detail);
	cli_put_hex(row, "hash", DER_ARRAY(entry->hash));
	cli_append(rows, row);
	return OC_OK;
}

static enum oc_err
audit_list(struct cli *cli, struct oc_error *error)
{
	static const char *const columns[] = { "number", "at", "actor",
	    "event", "detail", NULL };
	json_t *rows = cli_array();
	struct store *store;
	enum oc_err err;

	err = cli_store(cli, STORE_READ, &store, error);
	if (err == OC_OK) {
		err = store_list_journal(store, 0, add_entry, rows);
		if (err != OC_OK)
			oc_error_set(error, err, "%s", store_error(store));
	}
	if (err == OC_OK)
		cli_print_table(cli, rows, columns);
	else
		json_decref(rows);
	return err;
}

const struct cli_command cli_audit_commands[] = {
	{ .noun = "audit", .verb = "verify",
	    .options = cli_audit_verify_options,
	    .summary = "check the journals",
	    .about = "Recomputes the journal's hash chain, holds it against "
		"the records, and lists what was reserved and never issued; "
		"then the chains of the signing journal, and whether it and "
		"the records know the same signatures.",
	    .example = "ocsign audit verify",
	    .run = audit_verify },
	{ .noun = "audit", .verb = "list",
	    .summary = "print the journal",
	    .about = "Prints every entry of the journal: who did what, and "
		"when.",
	    .example = "ocsign --json audit list",
	    .run = audit_list },
	{ .noun = "audit", .verb = "signatures",
	    .options = cli_audit_signatures_options,
	    .summary = "print the signing journal",
	    .about = "Prints what the keys were asked to sign, and what "
		"became of it.",
	    .example = "ocsign audit signatures --kind certificate",
	    .run = cli_audit_list_signatures },
	{ NULL }
};
