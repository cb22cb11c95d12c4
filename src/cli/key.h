/* SPDX-License-Identifier: Apache-2.0 */
/* What --type takes; key commands that have a file of their own. */
#ifndef CLI_KEY_H
#define CLI_KEY_H

#include <jansson.h>

#include "cli/cli.h"
#include "pkcs11/config.h"
#include "sign/alg.h"

/* text NULL: the default, P-256.  USAGE for what is none. */
enum oc_err cli_key_type_parse(const char *text, enum sign_key_type *type,
    unsigned int *bits, struct oc_error *error) OC_MUST_CHECK;

/* A key as it is listed, with its URI. */
void cli_put_key(json_t *row, const struct p11_token_config *token,
    const struct p11_key_entry *key);
/* --label: USAGE if no token takes it. */
enum oc_err cli_key_check_label(const struct cli *cli, struct oc_error *error)
    OC_MUST_CHECK;

cli_run_fn cli_key_clone, cli_key_import;

#endif
