/* SPDX-License-Identifier: Apache-2.0 */
/* What libunbound is told; private to the resolver. */
#ifndef VALIDATION_RESOLVER_SETUP_H
#define VALIDATION_RESOLVER_SETUP_H

#include "validation/resolver.h"

struct ub_ctx;

#define VALIDATION_LOOKUPS_MAX 4096

/* *ctx is for ub_ctx_delete(), also after an error. */
enum oc_err validation_resolver_set_up(
    const struct validation_resolver_options *options, uint32_t lookups_max,
    struct ub_ctx **ctx, struct oc_error *error) OC_MUST_CHECK;

#endif
