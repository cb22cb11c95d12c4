/* SPDX-License-Identifier: Apache-2.0 */
/* What of the configuration is the signer's. */
#ifndef DAEMON_NEEDS_H
#define DAEMON_NEEDS_H

#include "base/bytes.h"
#include "base/config.h"
#include "daemon/spawn.h"

/*
 * Everything that ocsign-signer reads, certificates with their contents, in
 * a form to be compared: as long as it is the same, the signer need not be
 * started anew.  It may name what is nobody's business: who keeps it keeps a
 * hash of it.
 */
#define DAEMON_NEEDS_MAX (64 * 1024 * 1024)
void daemon_put_signer_needs(const struct oc_config *config,
    struct oc_buffer *out);

/* The descriptors named by "fd:N" of a pin-source or password-source. */
void daemon_find_kept(const struct oc_config *config,
    struct daemon_launch *launch);

#endif
