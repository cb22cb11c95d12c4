/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may come in at which door, by the users that the configuration names.
 * Where it names none, each door is for the same user and for root.
 */
#ifndef IPC_PEERS_H
#define IPC_PEERS_H

#include "base/config.h"
#include "base/user.h"
#include "ipc/server.h"

enum ipc_door {
	IPC_DOOR_SIGNER_STATUS,		/* ocsign-status, operators */
	IPC_DOOR_SIGNER_ISSUER,		/* ocsign-issuer, operators */
	IPC_DOOR_STATUS,		/* responders */
	IPC_DOOR_STATUS_CONTROL,	/* ocsign-issuer, operators */
	IPC_DOOR_VALIDATOR		/* ocsign-issuer, operators */
};

/* Looks the users up: before there is an event loop.  NOT_FOUND, REFUSED:
 * the configuration names one that does not exist, or root. */
enum oc_err ipc_peers_find(const struct oc_config *config,
    enum ipc_door door, struct ipc_peers *peers, struct oc_error *error)
    OC_MUST_CHECK;

/* The user of "ocsign-signer" and its like; NULL: the configuration says
 * nothing of it. */
const char *ipc_role_user(const struct oc_config *config, const char *role);

#endif
