/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A private key from token to token, without ever being in the clear outside
 * of one: the target makes an RSA key pair for it, the source wraps a fresh
 * AES key with its public half, and the key with the AES key.  Both live as
 * session objects, and are gone afterwards, whatever happens.
 *
 * In a throw-away child, as pkcs11/admin.h.
 */
#ifndef PKCS11_CLONE_H
#define PKCS11_CLONE_H

#include "pkcs11/config.h"

struct p11_clone {
	const struct p11_token_config *from, *to;
	const char *state_dir;
	const char *key;		/* in from: URI or label */
	bool is_extractable;		/* in to as well: for the next clone */
	bool is_sealed;			/* in from: never again afterwards */
};

struct p11_cloned {
	struct sign_key_info info;
	struct p11_key_entry source, target;
	char mechanisms[128];		/* "CKM_..., CKM_..." */
	unsigned int transport_bits;	/* of the RSA key pair */
};

/*
 * REFUSED for a key that is not extractable, with what can be done instead;
 * EXISTS when the target has the label or the CKA_ID; MISMATCH when the URI
 * names another token; MISMATCH or SIGNATURE when what arrived is not the key,
 * and then it is destroyed.
 */
enum oc_err p11_clone(const struct p11_clone *clone, int64_t deadline_ns,
    struct p11_cloned *cloned, struct oc_error *error) OC_MUST_CHECK;

#endif
