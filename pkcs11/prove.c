/* SPDX-License-Identifier: Apache-2.0 */
/* How a token signs with a key is found by trial: mechanism lists lie. */
#include "pkcs11/prove.h"

#include "base/log.h"
#include "pkcs11/canary.h"
#include "pkcs11/home.h"
#include "pkcs11/key.h"
#include "pkcs11/session.h"

/* A canary with this mechanism.  A failed one may leave its operation open, so
 * the session is another afterwards. */
static enum oc_err
try_way(struct p11_key *key, CK_OBJECT_HANDLE handle, enum sign_alg alg,
    enum p11_way way, struct oc_error *error)
{
	struct p11_token *token = key->token;
	enum oc_err err;
	CK_RV rv;

	p11_session_call_begin(&token->home);
	key->info.alg = alg;
	key->way = way;
	err = p11_canary(key, token->home.handle, handle, error);
	if (err == OC_OK)
		return OC_OK;
	rv = p11_home_reopen(token, token->slot, token->home.epoch);
	return rv == CKR_OK ? err : p11_error(error, "C_OpenSession", rv);
}

static enum oc_err
try_alg(struct p11_key *key, CK_OBJECT_HANDLE handle, enum sign_alg alg,
    struct oc_error *error)
{
	bool wanted_login = key->wants_login;
	struct oc_error other = { 0 };
	enum oc_err err;

	err = try_way(key, handle, alg, P11_WAY_DIGEST, error);
	if (err != OC_OK && key->wants_login && !wanted_login) {
		err = try_way(key, handle, alg, P11_WAY_DIGEST, error);
		key->wants_login = err == OC_OK || err == OC_ERR_PIN;
	}
	if (err == OC_OK || err == OC_ERR_PIN ||
	    sign_alg_info(alg)->hash == SIGN_HASH_NONE)
		return err;
	/* What the first one said is what a person can do something with. */
	return try_way(key, handle, alg, P11_WAY_MESSAGE, &other) == OC_OK ?
	    OC_OK : err;
}

/* Which algorithm would do: for a person to write into the configuration.
 * What a CA signs with is not for a token to change. */
static enum oc_err
find_other_alg(struct p11_key *key, CK_OBJECT_HANDLE handle,
    enum sign_alg wanted, enum oc_err err, struct oc_error *error)
{
	struct oc_error ignored = { 0 };
	int alg;

	for (alg = SIGN_ALG_NONE + 1; alg < SIGN_ALG_MAX; alg++)
		if (alg != (int)wanted &&
		    sign_alg_fits((enum sign_alg)alg, key->info.type) &&
		    try_alg(key, handle, (enum sign_alg)alg, &ignored) ==
		    OC_OK)
			break;
	if (alg < SIGN_ALG_MAX && key->is_alg_free)
		return OC_OK;
	/* It may have failed for a moment only. */
	if (alg < SIGN_ALG_MAX &&
	    try_alg(key, handle, wanted, &ignored) == OC_OK)
		return OC_OK;
	key->info.alg = wanted;
	if (alg == SIGN_ALG_MAX)
		return err;
	return oc_error_set(error, OC_ERR_UNSUPPORTED, "the token makes no "
	    "signature of %s with it, but of %s: put that into its section "
	    "(algorithm, ocsp-algorithm)", sign_alg_info(wanted)->name,
	    sign_alg_info((enum sign_alg)alg)->name);
}

enum oc_err
p11_prove(struct p11_key *key, CK_OBJECT_HANDLE handle, struct oc_error *error)
{
	enum sign_alg wanted = key->alg != SIGN_ALG_NONE ? key->alg :
	    key->info.alg;
	struct p11_token *token = key->token;
	enum oc_err err;

	key->wants_login = p11_key_wants_login(token->module->f,
	    token->home.handle, handle);
	if (!sign_alg_fits(wanted, key->info.type))
		return oc_error_set(error, OC_ERR_MISMATCH, "algorithm = %s "
		    "is for keys of another type",
		    sign_alg_info(wanted)->name);
	err = try_alg(key, handle, wanted, error);
	if (err == OC_ERR_TOKEN || err == OC_ERR_SIGNATURE ||
	    err == OC_ERR_REFUSED)
		err = find_other_alg(key, handle, wanted, err, error);
	if (err != OC_OK)
		return err;
	key->is_proven = true;
	if (key->way == P11_WAY_MESSAGE)
		oc_log(OC_LOG_INFO, "token %s: %s: it hashes itself",
		    token->name, key->name);
	return OC_OK;
}
