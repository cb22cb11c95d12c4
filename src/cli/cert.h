/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_CERT_H
#define CLI_CERT_H

#include "cli/cli.h"

extern const struct cli_option cli_cert_issue_options[];
enum oc_err cli_cert_issue(struct cli *cli, struct oc_error *error);

#endif
