/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_CERT_H
#define CLI_CERT_H

#include "ca/chain.h"
#include "cli/cli.h"

/* What --chain and --alternate ask for; nothing without --chain.  For
 * ca_chain_fini(). */
enum oc_err cli_cert_chain(struct cli *cli, const struct ca_issuer *issuer,
    struct ca_chain *chain, struct oc_error *error) OC_MUST_CHECK;

extern const struct cli_option cli_cert_issue_options[];
enum oc_err cli_cert_issue(struct cli *cli, struct oc_error *error);
extern const struct cli_option cli_cert_revoke_options[];
enum oc_err cli_cert_revoke(struct cli *cli, struct oc_error *error);

#endif
