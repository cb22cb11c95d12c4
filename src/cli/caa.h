/* SPDX-License-Identifier: Apache-2.0 */
/* CAA, where a command issues by itself. */
#ifndef CLI_CAA_H
#define CLI_CAA_H

#include "ca/issue.h"
#include "cli/work.h"

struct cli_caa {
	struct cli *cli;
	struct store *store;		/* NULL: nothing is recorded */
	bool may_override;		/* "--no-caa" */
};

/* A ca_check_fn; arg is a struct cli_caa.  Asks ocsign-validator, if the
 * configuration has caa-identities; overridden, the journal has that. */
ca_check_fn cli_caa_check;

#endif
