/* SPDX-License-Identifier: Apache-2.0 */
#include "pkcs11/canary.h"

#include <sys/random.h>

#include "pkcs11/context.h"
#include "pkcs11/key.h"
#include "pkcs11/session.h"
#include "pkcs11/verify.h"

/* Starts with a letter, so it can be no TBS of any kind. */
struct canary {
	char text[16];
	uint8_t nonce[32];
};

enum oc_err
p11_canary(struct p11_key *key, CK_SESSION_HANDLE session,
    CK_OBJECT_HANDLE handle, struct oc_error *error)
{
	struct canary canary = { "ocsign canary:\n", { 0 } };
	struct der_bytes tbs = { (const uint8_t *)&canary, sizeof(canary) };
	struct p11_token *token = key->token;
	uint8_t signature[OC_SIGNATURE_MAX];
	struct p11_input in;
	const char *function;
	enum p11_class class;
	enum oc_err err;
	size_t len = 0;
	CK_RV rv;

	if (getrandom(canary.nonce, sizeof(canary.nonce), 0) < 0)
		return oc_error_set_errno(error, OC_ERR_SYSTEM, "getrandom");
	err = p11_input_init_way(&in, key->info.alg, key->info.type, key->way,
	    tbs);
	if (err != OC_OK)
		return oc_error_set(error, err, "%s", oc_strerror(err));
	rv = p11_session_sign_key(key, session, handle, &in, signature,
	    sizeof(signature), &len, &function);
	p11_input_fini(&in);
	/* Logged in, and asked for more: not every token has the attribute. */
	if (rv == CKR_USER_NOT_LOGGED_IN && !key->is_proven &&
	    strcmp(function, "C_Sign") == 0)
		key->wants_login = true;
	if (rv != CKR_OK && strcmp(function, "C_Login") == 0) {
		p11_token_count(token, p11_classify(P11_CALL_LOGIN, rv));
		return p11_context_failure(token, error);
	}
	if (rv != CKR_OK) {
		class = p11_classify(P11_CALL_SIGN, rv);
		p11_token_count(token, class);
		err = p11_error(error, function, rv);
		if (class == P11_CLASS_REQUEST)
			err = error->code = OC_ERR_REFUSED;
		return err;
	}
	if (p11_signature_finish(key->info.alg, key->info.type,
	    key->info.bits, signature, sizeof(signature), &len) == OC_OK &&
	    p11_verify(key, key->info.alg, tbs,
	    (struct der_bytes){ signature, len }) == OC_OK)
		return OC_OK;
	p11_token_count(token, P11_CLASS_SIGNATURE);
	return oc_error_set(error, OC_ERR_SIGNATURE,
	    "its test signature does not verify");
}
