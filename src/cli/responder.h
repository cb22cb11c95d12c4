/* SPDX-License-Identifier: Apache-2.0 */
/* A responder by its http:// URL, as src/probe/ asks it. */
#ifndef CLI_RESPONDER_H
#define CLI_RESPONDER_H

#include "probe/client.h"

struct cli_responder {
	char *authority, *path;		/* owned; the path without query */
	struct probe_peer peer;		/* peer.timeout_ns: given */
};

/*
 * Finds it: the address that answers now is the one that is asked from then
 * on, and its connection is peer.first_fd, for who asks first.  USAGE for what
 * is no such URL, DOWN or TIMEOUT if nobody answers.
 */
enum oc_err cli_responder_find(const char *url, int64_t timeout_ns,
    struct cli_responder *responder, struct oc_error *error) OC_MUST_CHECK;
/* first_fd is closed, unless it is -1: who takes it sets that. */
void cli_responder_fini(struct cli_responder *responder);

#endif
