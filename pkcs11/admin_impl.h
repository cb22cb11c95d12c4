/* SPDX-License-Identifier: Apache-2.0 */
/* The child of pkcs11/admin.h, for more that an operator does. */
#ifndef PKCS11_ADMIN_IMPL_H
#define PKCS11_ADMIN_IMPL_H

#include "pkcs11/config.h"
#include "pkcs11/module.h"

/* What comes back from the child, at most. */
#define P11_ADMIN_OUT_MAX (16 * 1024)

/* Runs in a throw-away child: out is shared with the caller. */
typedef enum oc_err p11_admin_fn(const void *request, void *out,
    struct oc_error *error);
/* out is filled also after a failure; module is its name for people. */
enum oc_err p11_admin_run(p11_admin_fn *run, const void *request,
    const char *module, int64_t deadline_ns, void *out, size_t out_size,
    struct oc_error *error) OC_MUST_CHECK;

/* In the child: a session, logged in.  A module that is open already gives
 * another of its tokens. */
enum oc_err p11_admin_open(const struct p11_token_config *token,
    const char *state_dir, struct p11_module **module,
    CK_SESSION_HANDLE *session, struct oc_error *error) OC_MUST_CHECK;

#endif
