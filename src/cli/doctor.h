/* SPDX-License-Identifier: Apache-2.0 */
/* What "ocsign doctor" prints of what it found; returns the exit status. */
#ifndef CLI_DOCTOR_H
#define CLI_DOCTOR_H

#include "cli/cli.h"
#include "pkcs11/doctor.h"

/* Of a module alone: its tokens, and what to give next. */
int cli_doctor_print_tokens(struct cli *cli,
    const struct p11_doctor_options *options,
    const struct p11_doctor_facts *facts);
int cli_doctor_print(struct cli *cli,
    const struct p11_doctor_options *options,
    const struct p11_doctor_facts *facts);

#endif
