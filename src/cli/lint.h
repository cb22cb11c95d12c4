/* SPDX-License-Identifier: Apache-2.0 */
/* cert lint, crl lint, ocsp lint: rows of three tables, one file. */
#ifndef CLI_LINT_H
#define CLI_LINT_H

#include "cli/cli.h"

extern const struct cli_option cli_cert_lint_options[];
extern const struct cli_option cli_crl_lint_options[];
extern const struct cli_option cli_ocsp_lint_options[];
enum oc_err cli_cert_lint(struct cli *cli, struct oc_error *error);
enum oc_err cli_crl_lint(struct cli *cli, struct oc_error *error);
enum oc_err cli_ocsp_lint(struct cli *cli, struct oc_error *error);

#endif
