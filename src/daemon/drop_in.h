/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the configuration means for the units of systemd, one for each role:
 * drop-ins with the addresses, the users, the directories, and what a token
 * needs beyond the signer's sandbox.
 */
#ifndef DAEMON_DROP_IN_H
#define DAEMON_DROP_IN_H

#include <stddef.h>

#include "base/bytes.h"
#include "base/config.h"

/* The n-th unit that has one: "ocsign-signer.service"; NULL: no more. */
const char *daemon_drop_in_unit(size_t n);
/* Its text; nothing, if the unit is right as it is.  NOMEM. */
enum oc_err daemon_drop_in_put(const struct oc_config *config, size_t n,
    struct oc_buffer *out, struct oc_error *error) OC_MUST_CHECK;

/* All of them, as DIRECTORY/UNIT.d/50-ocsign.conf, and those that are not
 * wanted any more are removed; or, to "-", on standard output.  Prints what it
 * changed. */
enum oc_err daemon_drop_in_write(const struct oc_config *config,
    const char *directory, struct oc_error *error) OC_MUST_CHECK;

#endif
