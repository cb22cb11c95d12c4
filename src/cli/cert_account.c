/* SPDX-License-Identifier: Apache-2.0 */
/* cert issue --account: the names held against the account's zones. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/pem.h"
#include "cli/account.h"

struct cli_asked {
	struct ca_names names;
	struct ca_zone_ids zone_ids;
	char *hostnames;
	struct oc_buffer csr;
	struct store_request request;
};

void
cli_asked_free(struct cli_asked *asked)
{
	if (asked == NULL)
		return;
	free(asked->hostnames);
	oc_buffer_fini(&asked->csr);
	free(asked);
}

/* --san, or what the profile takes from the request. */
static enum oc_err
collect_names(const struct ca_request *request, struct cli_asked *asked,
    struct oc_error *error)
{
	const struct x509_san *sans = request->sans;
	uint32_t num_sans = request->num_sans;
	enum oc_err err = OC_OK;

	if (sans == NULL && request->csr != NULL) {
		sans = request->csr->extensions.sans;
		num_sans = request->csr->extensions.num_sans;
	}
	for (uint32_t i = 0; err == OC_OK && i < num_sans; i++)
		if (request->sans != NULL || ca_profile_takes(
		    request->profile, sans[i].kind))
			err = ca_names_add(&asked->names, &sans[i],
			    request->explanation, error);
	return err;
}

/* As the API gets them: a list of strings. */
static void
write_hostnames(struct cli_asked *asked)
{
	json_t *list = cli_array();

	for (uint32_t i = 0; i < asked->names.num_sans; i++) {
		char text[X509_SAN_TEXT_MAX], *value;

		x509_san_format(&asked->names.sans[i], text);
		value = strchr(text, ':');
		cli_append_text(list, value == NULL ? text : value + 1);
	}
	asked->hostnames = json_dumps(list, JSON_COMPACT);
	json_decref(list);
}

static enum oc_err
hold_against(struct store *store, const struct store_account *account,
    const struct ca_request *request, struct cli_asked *asked,
    struct oc_error *error)
{
	struct ca_policy policy = { 0 };
	enum oc_err err;

	err = ca_policy_load(store, account, &asked->names, &policy, error);
	if (err == OC_OK)
		err = ca_policy_check(&policy, request->profile,
		    &asked->names, &asked->zone_ids, request->explanation,
		    error);
	ca_policy_fini(&policy);
	return err;
}

static enum oc_err
fill(struct cli *cli, const char *name, const struct ca_request *request,
    struct cli_asked *asked, struct oc_error *error)
{
	struct store_account account;
	struct store *store;
	enum oc_err err;

	err = cli_find_account(cli, name, STORE_CREATE, &store, &account,
	    error);
	if (err == OC_ERR_NOT_FOUND)
		err = ca_refuse_with(request->explanation, CA_RULE_ACCOUNT,
		    err, error);
	if (err == OC_OK)
		err = collect_names(request, asked, error);
	if (err == OC_OK)
		err = hold_against(store, &account, request, asked, error);
	if (err != OC_OK)
		return err;
	write_hostnames(asked);
	oc_buffer_init(&asked->csr, 2 * OC_CSR_MAX);
	oc_pem_write(&asked->csr, "CERTIFICATE REQUEST", request->csr->der.p,
	    request->csr->der.len);
	if (asked->hostnames == NULL || asked->csr.err != OC_OK)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	asked->request = (struct store_request){
		.account_id = account.id,
		.hostnames = asked->hostnames,
		.csr = { asked->csr.bytes, asked->csr.len },
		.type = request->profile->name,
		.zone_ids = asked->zone_ids.ids,
		.num_zones = asked->zone_ids.num
	};
	return OC_OK;
}

enum oc_err
cli_asked_new(struct cli *cli, const char *account,
    struct ca_request *request, struct cli_asked **out,
    struct oc_error *error)
{
	struct cli_asked *asked = calloc(1, sizeof(*asked));
	enum oc_err err;

	if (asked == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	err = fill(cli, account, request, asked, error);
	if (err != OC_OK) {
		cli_asked_free(asked);
		return err;
	}
	request->sans = asked->names.sans;
	request->num_sans = asked->names.num_sans;
	request->asked = &asked->request;
	*out = asked;
	return OC_OK;
}
