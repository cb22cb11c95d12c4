/* SPDX-License-Identifier: Apache-2.0 */
/* What the ocsp commands share. */
#ifndef CLI_OCSP_H
#define CLI_OCSP_H

#include "cli/print.h"
#include "cli/work.h"
#include "probe/check.h"

/* Serial, status, times of one answer. */
void cli_put_single(json_t *object, const struct ocsp_single_view *single);

extern const struct cli_option cli_ocsp_compare_options[];
extern const struct cli_option cli_ocsp_query_options[];
extern const struct cli_option cli_ocsp_renew_options[];
extern const struct cli_option cli_ocsp_sign_options[];
extern const struct cli_option cli_ocsp_probe_options[];
enum oc_err cli_ocsp_compare(struct cli *cli, struct oc_error *error);
enum oc_err cli_ocsp_query(struct cli *cli, struct oc_error *error);
enum oc_err cli_ocsp_probe(struct cli *cli, struct oc_error *error);
enum oc_err cli_ocsp_renew(struct cli *cli, struct oc_error *error);
enum oc_err cli_ocsp_sign(struct cli *cli, struct oc_error *error);

#endif
