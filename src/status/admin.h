/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The admin listener of ocsign-status: GET /metrics and nothing else.  Runs on
 * the event loop; the signer is asked for what it knows, for a second at
 * most, and nobody waits for a client.
 */
#ifndef STATUS_ADMIN_H
#define STATUS_ADMIN_H

#include "base/config.h"
#include "status/describe.h"

struct event_base;
struct status_admin;

struct status_admin_options {
	struct event_base *base;
	const struct oc_config *config;
	const struct status_all *all;	/* borrowed; read at each request */
};

/* Takes the listeners that were handed over as "metrics", or, without any,
 * makes those of [metrics] listen.  *admin stays NULL if there are none. */
enum oc_err status_admin_new(const struct status_admin_options *options,
    struct status_admin **admin, struct oc_error *error) OC_MUST_CHECK;
void status_admin_free(struct status_admin *admin);	/* NULL is fine */

#endif
