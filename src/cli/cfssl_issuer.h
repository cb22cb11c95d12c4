/* SPDX-License-Identifier: Apache-2.0 */
/* -ca and -ca-key. */
#ifndef CLI_CFSSL_ISSUER_H
#define CLI_CFSSL_ISSUER_H

#include "cli/work.h"

/*
 * The issuer that -ca names, or whose certificate's file it names; -ca-key,
 * if it is given, must be that issuer's key in its token.  A key in a file is
 * REFUSED.  For ca_issuer_free().
 */
enum oc_err cli_cfssl_issuer(struct cli *cli, struct ca_issuer **issuer,
    struct oc_error *error) OC_MUST_CHECK;

#endif
