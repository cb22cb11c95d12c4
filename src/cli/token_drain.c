/* SPDX-License-Identifier: Apache-2.0 */
/* token drain, undrain: asked of the running service, or recorded for the
 * next. */
#include "cli/token.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/work_impl.h"
#include "ipc/channel.h"
#include "ipc/message.h"
#include "ipc/server.h"

/* A restart of the signer takes less. */
#define ASK_S 15

static enum oc_err
ask(const char *path, const struct ipc_drain *drain, struct oc_error *error)
{
	uint8_t frame[IPC_HEADER_LEN + 2 * OC_CONFIG_NAME_MAX];
	struct ipc_channel *channel;
	struct ipc_drained told;
	struct der_bytes fields;
	enum ipc_type type;
	enum oc_err err;
	uint64_t id;
	size_t len;

	err = ipc_channel_new(path, "ocsign", &channel);
	if (err != OC_OK)
		return oc_error_set(error, err, "%s: %s", path,
		    oc_strerror(err));
	id = ipc_channel_next_id(channel);
	err = ipc_put_drain(frame, sizeof(frame), id, drain, &len);
	if (err == OC_OK)
		err = ipc_channel_ask_now(channel, id, frame, len,
		    cli_deadline(ASK_S), &type, &fields);
	if (err == OC_OK && (type != IPC_DRAINED ||
	    ipc_read_drained(fields, &told) != OC_OK))
		err = OC_ERR_MALFORMED;
	ipc_channel_free(channel);
	if (err != OC_OK)
		return oc_error_set(error, err, "%s: %s", path,
		    oc_strerror(err));
	if (told.err != OC_OK)
		return oc_error_set(error, (enum oc_err)told.err, "%s",
		    told.text);
	return OC_OK;
}

/* Nobody has the token in use: a file says it to whoever will. */
static enum oc_err
record(struct cli *cli, const char *name, enum p11_drain how,
    struct oc_error *error)
{
	const struct p11_token_config *token;
	const char *state_dir;
	enum oc_err err;

	err = cli_token(cli, name, &token, &state_dir, error);
	if (err == OC_OK)
		err = p11_plan_drain(cli_work_of(cli)->plan, name, how,
		    error);
	return err;
}

static enum oc_err
drain(struct cli *cli, enum p11_drain how, bool *is_running,
    struct oc_error *error)
{
	struct ipc_drain m = { .how = (uint8_t)how };
	const char *name = cli->args[0];
	const struct oc_config *config;
	enum oc_err err;
	char *path;

	err = cli_config(cli, &config, error);
	if (err == OC_OK && oc_config_find_token(config, name) == NULL)
		err = oc_error_set(error, OC_ERR_NOT_FOUND, "there is no "
		    "[token %.64s] in %s", name, config->path);
	if (err == OC_OK)
		err = cli_socket(cli, "signer-issuer.sock", &path, error);
	if (err != OC_OK)
		return err;
	(void)snprintf(m.token, sizeof(m.token), "%s", name);
	*is_running = ipc_is_served(path);
	err = *is_running ? ask(path, &m, error) : record(cli, name, how,
	    error);
	free(path);
	if (err != OC_OK)
		(void)oc_error_prefix(error, "token %s", name);
	return err;
}

enum oc_err
cli_token_drain(struct cli *cli, struct oc_error *error)
{
	bool is_running = false;
	enum oc_err err;

	err = drain(cli, cli_has(cli, "force") ? P11_DRAIN_FORCED : P11_DRAIN,
	    &is_running, error);
	if (err != OC_OK || cli->format != CLI_FORMAT_TEXT)
		return err;
	if (is_running)
		printf("token %s gets no new work; \"ocsign status\" says "
		    "drained once what it works on has ended\n",
		    cli->args[0]);
	else
		printf("token %s will get no work\n", cli->args[0]);
	return OC_OK;
}

enum oc_err
cli_token_undrain(struct cli *cli, struct oc_error *error)
{
	bool is_running = false;
	enum oc_err err = drain(cli, P11_UNDRAIN, &is_running, error);

	if (err == OC_OK && cli->format == CLI_FORMAT_TEXT)
		printf("token %s works again%s\n", cli->args[0], is_running ?
		    " as soon as it has proven its keys" : "");
	return err;
}
