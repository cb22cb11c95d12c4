/* SPDX-License-Identifier: Apache-2.0 */
/* What is open.  Private to work.c, signer.c and service.c. */
#ifndef CLI_WORK_IMPL_H
#define CLI_WORK_IMPL_H

#include "cli/work.h"

#define CLI_KEYS_MAX 4
#define CLI_ROLES 2		/* enum sign_key_role */

struct cli_key {
	char name[SIGN_KEY_NAME_MAX];
	enum sign_key_role role;
	char whose[OC_OCSP_NAME_MAX + 1];
	const char *token, *uri;	/* CLI_CSR_KEY; borrowed */
	struct signer *signer;		/* NULL: not opened yet */
};

struct cli_work {
	struct oc_config *config;
	struct store *store;
	struct ca_blocklist *blocklist;	/* NULL: not loaded yet */
	int lock_fd;			/* -1: not locked */
	struct p11_plan *plan;
	struct cli_key keys[CLI_KEYS_MAX];
	size_t num_keys;
	struct signer *services[CLI_ROLES];	/* NULL: not running */
	struct signer *local;
	bool is_stuck;			/* a thread is lost in a module */
};

struct cli_work *cli_work_of(struct cli *cli);

/* Says so and ends the process. */
void cli_no_memory(void) OC_NORETURN;

#endif
