/* SPDX-License-Identifier: Apache-2.0 */
/* What the running service says that many revocations depend on: how far it
 * has come with them, and how fast the token is. */
#include "cli/revoke_many.h"

#include <stdlib.h>
#include <string.h>

#include "ipc/server.h"

#define CHANGES_MAX 512			/* of one page */

/* One role's own words; NULL: it does not run, or does not answer. */
static json_t *
ask(struct cli *cli, const char *socket, struct oc_error *error)
{
	json_t *answer = NULL;
	enum oc_err err;
	char *path;

	err = cli_socket(cli, socket, &path, error);
	if (err == OC_OK && !ipc_is_served(path))
		err = oc_error_set(error, OC_ERR_DOWN, "ocsignd does not run: "
		    "no response says so before it does");
	if (err == OC_OK)
		err = cli_ask_status(path, &answer, error);
	free(path);
	return err == OC_OK ? answer : NULL;
}

/* Of the issuer's own signer and each [ocsp-signer]: "web", "web+second". */
static bool
is_of_issuer(const json_t *row, const char *issuer)
{
	const char *name = json_string_value(json_object_get(row, "issuer"));
	size_t len = strlen(issuer);

	return name != NULL && strncmp(name, issuer, len) == 0 &&
	    (name[len] == '\0' || name[len] == '+');
}

static int64_t
number_of(const json_t *row, const char *name)
{
	return json_integer_value(json_object_get(row, name));
}

static void
add_row(const json_t *row, struct cli_revoke_service *service)
{
	int64_t seq = number_of(row, "change_seq");

	if (service->num_signers++ == 0 || seq < service->seq)
		service->seq = seq;
	service->num_urgent += (uint64_t)number_of(row, "urgent");
	service->num_signed += (uint64_t)number_of(row, "signed");
}

/* The tokens that have the key share the work. */
static void
look_at_tokens(struct cli *cli, const struct oc_config_ocsp *ocsp,
    struct cli_revoke_service *service)
{
	json_t *answer = ask(cli, "signer-issuer.sock", NULL), *row;
	size_t i;

	service->is_signer_known = answer != NULL;
	service->is_measured = true;
	json_array_foreach(json_object_get(answer, "tokens"), i, row) {
		const char *name = json_string_value(json_object_get(row,
		    "name"));
		int64_t each_us = number_of(row, "each_us");
		bool is_its = false;

		for (size_t t = 0; name != NULL && t < ocsp->tokens.num; t++)
			if (strcmp(ocsp->tokens.words[t], name) == 0)
				is_its = true;
		if (!is_its || each_us <= 0 ||
		    !json_is_true(json_object_get(row, "up")) ||
		    json_is_true(json_object_get(row, "drained")) ||
		    number_of(row, "weight") == 0)
			continue;
		service->rate += 1e6 / (double)each_us;
		if (!json_is_true(json_object_get(row, "each_measured")))
			service->is_measured = false;
	}
	json_decref(answer);
}

void
cli_revoke_look(const struct cli_revoke_plan *plan,
    struct cli_revoke_service *service)
{
	const char *issuer = plan->issuer->config->name;
	const struct oc_config_ocsp *ocsp = NULL;
	json_t *answer, *row;
	size_t i;

	*service = (struct cli_revoke_service){ 0 };
	answer = ask(plan->cli, "status-control.sock", &service->notice);
	json_array_foreach(json_object_get(answer, "issuers"), i, row)
		if (is_of_issuer(row, issuer))
			add_row(row, service);
	service->is_there = service->num_signers > 0;
	if (answer != NULL && !service->is_there)
		oc_error_set(&service->notice, OC_ERR_NOT_FOUND, "the running "
		    "ocsignd does not answer for %s", issuer);
	json_decref(answer);
	if (service->is_there && cli_find_ocsp(plan->cli, issuer, NULL, &ocsp,
	    NULL) == OC_OK)
		look_at_tokens(plan->cli, ocsp, service);
}

bool
cli_revoke_is_signed(const struct cli_revoke_plan *plan,
    const struct oc_config_ocsp *ocsp)
{
	const struct oc_config_issuer *config = plan->issuer->config;

	return ocsp->issuer == config && ocsp->presign != OC_PRESIGN_NONE &&
	    config->responses == NULL && config->source == OC_SOURCE_STORE;
}

enum oc_err
cli_revoke_last_seq(const struct cli_revoke_plan *plan, int64_t after_seq,
    int64_t *seq, struct oc_error *error)
{
	struct store_change *page = calloc(CHANGES_MAX, sizeof(*page));
	int64_t end = 0, last = 0, from = after_seq;
	uint32_t num = 0, i;
	enum oc_err err;

	if (page == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	/* What comes meanwhile is somebody else's to wait for. */
	err = store_change_seq(plan->store, &end);
	while (err == OC_OK && from < end) {
		err = store_read_changes(plan->store, from, page, CHANGES_MAX,
		    &num);
		if (err != OC_OK || num == 0)
			break;
		for (i = 0; i < num && page[i].seq <= end; i++)
			if (page[i].issuer_id == plan->issuer->store_id)
				last = page[i].seq;
		from = page[num - 1].seq;
	}
	free(page);
	if (err != OC_OK)
		return oc_error_set(error, err, "%s",
		    store_error(plan->store));
	*seq = last;
	return OC_OK;
}
