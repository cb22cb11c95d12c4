/* SPDX-License-Identifier: Apache-2.0 */
/* The pool's own: shared by pkcs11/local*.c. */
#ifndef PKCS11_LOCAL_IMPL_H
#define PKCS11_LOCAL_IMPL_H

#include "pkcs11/local.h"
#include "pkcs11/route.h"

struct p11_local {
	struct signer signer;
	struct sign_desk desk;
	struct p11_router router;
	struct oc_clock_watch *clock;	/* borrowed; NULL: believed */
	struct p11_journal *journal;	/* borrowed, or NULL */
	struct sign_queue to_verify;
	pthread_t verify_thread;
	bool has_verify_thread;
	struct p11_module **modules;	/* one for each token at most */
	size_t num_modules;
	struct p11_token *tokens;
	size_t num_tokens;
};

static inline struct p11_local *
p11_local_of(const struct signer *s)
{
	return (struct p11_local *)(uintptr_t)s;
}

/* "[token name]", or NULL. */
struct p11_token *p11_local_token(struct p11_local *local, const char *name);

/* Before there are threads.  A module that cannot be loaded fails its token;
 * the only one, the call. */
enum oc_err p11_local_add_token(struct p11_local *local,
    const struct p11_token_config *config,
    const struct p11_local_config *all, struct oc_error *error)
    OC_MUST_CHECK;
/* Behind all tokens: with its places in them. */
enum oc_err p11_local_add_key(struct p11_local *local,
    const struct p11_key_config *config, struct oc_error *error)
    OC_MUST_CHECK;

#endif
