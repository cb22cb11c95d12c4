/* SPDX-License-Identifier: Apache-2.0 */
/* The signing journal's part of "ocsign audit". */
#ifndef CLI_AUDIT_H
#define CLI_AUDIT_H

#include "cli/print.h"
#include "cli/work.h"

/*
 * Reads every chain and holds it against the store.  What was found is put
 * into facts, also when it is not good: MISMATCH, and error says how much.
 */
enum oc_err cli_audit_signatures(struct cli *cli, struct store *store,
    json_t *facts, struct oc_error *error) OC_MUST_CHECK;

/* audit signatures */
enum oc_err cli_audit_list_signatures(struct cli *cli,
    struct oc_error *error) OC_MUST_CHECK;

extern const struct cli_option cli_audit_verify_options[];
extern const struct cli_option cli_audit_signatures_options[];

#endif
