/* SPDX-License-Identifier: Apache-2.0 */
#include "ipc/peers.h"

#include <string.h>

const char *
ipc_role_user(const struct oc_config *config, const char *role)
{
	const struct oc_config_daemon *d = &config->daemon;
	const struct {
		const char *role, *user;
	} all[] = {
		{ "ocsign-signer", d->signer_user },
		{ "ocsign-status", d->status_user },
		{ "ocsign-responder", d->responder_user },
		{ "ocsign-issuer", d->issuer_user },
		{ "ocsign-fetcher", d->fetcher_user },
		{ "ocsign-validator", d->validator_user },
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (strcmp(all[i].role, role) == 0)
			return all[i].user;
	return NULL;
}

static enum oc_err
add(struct ipc_peers *peers, const char *text, struct oc_error *error)
{
	struct oc_user user;
	enum oc_err err;

	if (text == NULL)
		return OC_OK;
	if (peers->num == IPC_PEERS_MAX)
		return oc_error_set(error, OC_ERR_LIMIT, "[daemon] operators: "
		    "more than %d users", IPC_PEERS_MAX - 1);
	err = oc_user_find(text, &user, error);
	if (err != OC_OK)
		return oc_error_prefix(error, "[daemon]");
	peers->uids[peers->num++] = user.uid;
	return OC_OK;
}

static enum oc_err
add_operators(struct ipc_peers *peers, const struct oc_words *operators,
    struct oc_error *error)
{
	enum oc_err err = OC_OK;

	for (size_t i = 0; err == OC_OK && i < operators->num; i++)
		err = add(peers, operators->words[i], error);
	return err;
}

enum oc_err
ipc_peers_find(const struct oc_config *config, enum ipc_door door,
    struct ipc_peers *peers, struct oc_error *error)
{
	const struct oc_config_daemon *d = &config->daemon;
	const char *role = NULL;
	enum oc_err err;

	*peers = (struct ipc_peers){ .is_listed =
	    oc_config_is_separate(config) };
	if (!peers->is_listed)
		return OC_OK;
	switch (door) {
	case IPC_DOOR_SIGNER_STATUS:
		role = d->status_user;
		break;
	case IPC_DOOR_SIGNER_ISSUER:
	case IPC_DOOR_STATUS_CONTROL:
	case IPC_DOOR_VALIDATOR:
		role = d->issuer_user;
		break;
	case IPC_DOOR_STATUS:
		role = d->responder_user;
		break;
	}
	err = add(peers, role, error);
	peers->num_roles = peers->num;
	if (err == OC_OK && door != IPC_DOOR_STATUS)
		err = add_operators(peers, &d->operators, error);
	return err;
}
