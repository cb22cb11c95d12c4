/* SPDX-License-Identifier: Apache-2.0 */
/* What others use of token.c. */
#ifndef CLI_TOKEN_H
#define CLI_TOKEN_H

#include "base/bytes.h"
#include "cli/cli.h"

/* As a pin-source, but a path is from where we stand. */
enum oc_err cli_read_pin(const char *source, struct oc_secret *pin,
    struct oc_error *error) OC_MUST_CHECK;

#endif
