/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The signer's side of signer-*.sock: SIGN, CANCEL, FIND_KEY, STATUS, and
 * DRAIN where that is allowed, on one listener, answered from a struct signer.
 * The listener's role says what its peers may ask for; anything else is
 * REFUSED, logged once a peer, and never reaches the signer.  A SIGN has a
 * higher id than those before it on its connection, or that is closed: none
 * comes twice.  Jobs of a peer that goes away are cancelled.
 *
 * The caller dispatches the signer's fd, from the same loop.
 */
#ifndef IPC_SIGNER_SERVER_H
#define IPC_SIGNER_SERVER_H

#include "ipc/server.h"
#include "sign/sign.h"

enum ipc_signer_role {
	IPC_SIGNER_STATUS,	/* OCSP with "ocsp/..." */
	IPC_SIGNER_ISSUER	/* certificates, CRLs and CSRs with
				 * "issuer/...", CSRs with "ocsp/..." */
};

struct ipc_signer_server;

/* Drains a token, or the opposite: how is an enum p11_drain. */
typedef enum oc_err ipc_signer_drain_fn(void *arg, const char *token,
    unsigned int how, struct oc_error *error);

/* JSON for STATUS_IS, NUL behind, cut to fit. */
typedef void ipc_signer_status_fn(void *arg, char *text, size_t text_max);

/* Takes the listener.  There is no signer yet: all is answered DOWN. */
enum oc_err ipc_signer_server_new(struct event_base *base, int listener,
    enum ipc_signer_role role, ipc_signer_status_fn *status, void *arg,
    struct ipc_signer_server **server) OC_MUST_CHECK;
/* From now on DRAIN is done, with the arg of status; else it is REFUSED. */
void ipc_signer_server_let_drain(struct ipc_signer_server *server,
    ipc_signer_drain_fn *drain);
/* See ipc_server_allow(). */
void ipc_signer_server_allow(struct ipc_signer_server *server,
    const struct ipc_peers *peers);
/* NULL is fine.  Cancels what is under way. */
void ipc_signer_server_free(struct ipc_signer_server *server);
/* Now there is one.  Borrowed; it outlives the server.  Only while no job is
 * under way. */
void ipc_signer_server_set(struct ipc_signer_server *server,
    struct signer *signer);
/* Accepts nobody new, and answers DOWN to what is asked from now on.  NULL
 * is fine. */
void ipc_signer_server_drain(struct ipc_signer_server *server);
/* Jobs not yet answered; NULL has none. */
size_t ipc_signer_server_num_jobs(const struct ipc_signer_server *server);

#endif
