/* SPDX-License-Identifier: Apache-2.0 */
/* The token commands that have a file of their own. */
#ifndef CLI_TOKEN_H
#define CLI_TOKEN_H

#include "base/bytes.h"
#include "cli/cli.h"

/* As a pin-source, but a path is from where we stand. */
enum oc_err cli_read_pin(const char *source, struct oc_secret *pin,
    struct oc_error *error) OC_MUST_CHECK;

cli_run_fn cli_token_drain, cli_token_undrain;

#endif
