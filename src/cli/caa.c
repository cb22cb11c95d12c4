/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/caa.h"

#include <stdlib.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/file.h"
#include "ipc/server.h"
#include "issuer/caa.h"

/* Its names, as they are looked up. */
static json_t *
names_of(const struct ca_plan *plan)
{
	const struct x509_extensions *x = &plan->tbs.extensions;
	json_t *names = json_array();

	for (uint32_t i = 0; i < x->num_sans; i++)
		if (x->sans[i].kind == X509_SAN_DNS)
			(void)json_array_append_new(names, json_stringn(
			    (const char *)x->sans[i].value.p,
			    x->sans[i].value.len));
	return names;
}

/* That an operator has decided it himself. */
static enum oc_err
override(const struct cli_caa *c, const struct ca_plan *plan,
    struct oc_error *error)
{
	json_t *row = json_pack("{s:o}", "names", names_of(plan));
	char *text = row == NULL ? NULL : json_dumps(row, JSON_COMPACT);
	enum oc_err err = OC_ERR_NOMEM;

	if (text != NULL)
		err = store_append_journal(c->store, "caa-override", text);
	free(text);
	json_decref(row);
	return err == OC_OK ? OC_OK : oc_error_set(error, err, "--no-caa "
	    "cannot be journalled: %s", store_error(c->store));
}

static enum oc_err
ask(const struct oc_config *config, const struct issuer_caa_order *order)
{
	struct validation_client *client;
	char *path;
	enum oc_err err;

	err = oc_path_join(config->daemon.run_directory,
	    VALIDATION_SOCKET_NAME, &path);
	if (err != OC_OK)
		return oc_error_set(order->error, err, "out of memory");
	/* Where no service runs there is nobody to wait for. */
	if (!ipc_is_served(path)) {
		err = oc_error_set(order->error, OC_ERR_DOWN, "CAA cannot be "
		    "looked up: ocsign-validator does not run; start ocsignd, "
		    "or \"cert issue --no-caa\" goes without");
		free(path);
		return err;
	}
	free(path);
	err = issuer_caa_client_new(config, &client);
	if (err != OC_OK)
		return oc_error_set(order->error, err, "%s",
		    oc_strerror(err));
	err = issuer_caa_now(client, order);
	validation_client_free(client);
	return err;
}

enum oc_err
cli_caa_check(void *arg, const struct ca_plan *plan,
    struct ca_explanation *explanation, struct oc_error *error)
{
	const struct cli_caa *c = arg;
	const struct oc_config *config;
	struct issuer_caa_order order = { .plan = plan,
	    .explanation = explanation, .error = error };
	enum oc_err err = cli_config(c->cli, &config, error);

	if (err != OC_OK || config->validation.caa_identities.num == 0)
		return err;
	if (c->may_override)
		return c->store == NULL ? OC_OK : override(c, plan, error);
	order.deadline_ns = oc_clock_mono_ns() + issuer_caa_timeout(config);
	return ask(config, &order);
}
