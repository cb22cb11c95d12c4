/* SPDX-License-Identifier: Apache-2.0 */
/* What --type takes. */
#ifndef CLI_KEY_H
#define CLI_KEY_H

#include "sign/alg.h"

/* text NULL: the default, P-256.  USAGE for what is none. */
enum oc_err cli_key_type_parse(const char *text, enum sign_key_type *type,
    unsigned int *bits, struct oc_error *error) OC_MUST_CHECK;

#endif
