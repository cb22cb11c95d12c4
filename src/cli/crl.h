/* SPDX-License-Identifier: Apache-2.0 */
/* What of the noun crl has files of its own. */
#ifndef CLI_CRL_H
#define CLI_CRL_H

#include "cli/cli.h"

enum oc_err cli_crl_publish(struct cli *cli, struct oc_error *error)
    OC_MUST_CHECK;
extern const struct cli_option cli_crl_publish_options[];

enum oc_err cli_crl_list(struct cli *cli, struct oc_error *error)
    OC_MUST_CHECK;
extern const struct cli_option cli_crl_list_options[];

#endif
