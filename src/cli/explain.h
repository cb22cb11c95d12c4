/* SPDX-License-Identifier: Apache-2.0 */
/* What --explain prints. */
#ifndef CLI_EXPLAIN_H
#define CLI_EXPLAIN_H

#include <stdio.h>

#include "ca/explain.h"
#include "cli/print.h"

/* "subject: CN=a (csr)" a line, and the rule that refused it, if any. */
void cli_explain_text(FILE *out, const struct ca_explanation *explanation);

/* ca_explanation_json(). */
json_t *cli_explain_json(const struct ca_explanation *explanation);

#endif
