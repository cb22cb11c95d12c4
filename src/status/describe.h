/* SPDX-License-Identifier: Apache-2.0 */
/* How it all stands, for "ocsign status": JSON, as ocsign(1) describes it. */
#ifndef STATUS_DESCRIBE_H
#define STATUS_DESCRIBE_H

#include "net/counts.h"
#include "ocsp/counts.h"
#include "status/files.h"
#include "status/crls.h"
#include "status/publish.h"
#include "status/service.h"

/* What is to be said. */
struct status_all {
	struct status_service *const *services;
	uint32_t num_services;
	bool is_ready;
	const char *responder_directory;	/* where responders count */
	const char *issuer_directory;		/* and the API */
	uint64_t run;
	struct status_crls *crls;	/* NULL: nothing is known of them */
	struct status_publish *publish;	/* NULL: nothing is served */
	struct oc_clock_watch *clock;	/* NULL: believed */
	const struct status_files *files;	/* NULL: none */
	const char *validator_directory;	/* NULL: there is none */
};

/* For free(), and no longer than that; NULL without memory. */
char *status_describe(const struct status_all *all, size_t len_max);

#endif
