/* SPDX-License-Identifier: Apache-2.0 */
/* What has a second signature in its payload: binding to an external account
 * and changing the key, RFC 8555, 7.3.4 and 7.3.5. */
#include <string.h>

#include "base/log.h"
#include "issuer/acme.h"

/* What is inside is for the same resource as what is outside. */
static enum oc_err
check_inner_url(struct acme_call *call)
{
	if (call->inner.url != NULL &&
	    strcmp(call->inner.url, call->jws.url) == 0)
		return OC_OK;
	return acme_problem_set(&call->problem, ACME_MALFORMED,
	    "the inner url is not the outer one");
}

/* --- an external account ------------------------------------------------ */

enum oc_err
issuer_acme_prepare_binding(struct acme_call *call, const json_t *binding)
{
	struct acme_jwk bound = { .spki_len = 0 };
	json_t *json = NULL;
	bool is_same;
	enum oc_err err = acme_jws_read_json(binding, ACME_JWS_EAB,
	    &call->inner, &call->problem);

	if (err == OC_OK)
		err = check_inner_url(call);
	if (err == OC_OK)
		err = acme_jws_payload(&call->inner, &json, &call->problem);
	if (err == OC_OK)
		err = acme_jwk_read(json, &bound, &call->problem);
	json_decref(json);
	if (err != OC_OK)
		return err;
	is_same = memcmp(bound.thumbprint, call->jws.jwk.thumbprint,
	    sizeof(bound.thumbprint)) == 0;
	acme_jwk_fini(&bound);
	return is_same ? OC_OK : acme_problem_set(&call->problem,
	    ACME_MALFORMED, "the external account binding is for another "
	    "key than the one that signs");
}

/* One answer for all that is wrong with it: the log knows which it was. */
static enum oc_err
refuse_binding(struct acme_call *call, const char *why)
{
	oc_log(OC_LOG_NOTICE, "%s: external account key not taken: %s",
	    net_exchange_request(call->exchange)->peer, why);
	return acme_problem_set(&call->problem, ACME_UNAUTHORIZED,
	    "the external account's key is not known, was used, has expired "
	    "or was revoked, or this was not signed with it");
}

enum oc_err
issuer_acme_check_binding(struct store *store, struct acme_call *call,
    int64_t *key_id)
{
	struct acme_problem unused = { .error = ACME_OK };
	struct store_eab_key key;
	enum oc_err err = store_find_eab_key(store, call->inner.kid,
	    call->now_at, &key);

	if (err == OC_ERR_NOT_FOUND)
		return refuse_binding(call, "there is none of this kid");
	if (err == OC_ERR_REFUSED)
		return refuse_binding(call, store_error(store));
	if (err != OC_OK)
		return err;
	err = acme_jws_verify_mac(&call->inner, key.hmac, sizeof(key.hmac),
	    &unused);
	explicit_bzero(key.hmac, sizeof(key.hmac));
	acme_problem_fini(&unused);
	if (err != OC_OK)
		return refuse_binding(call, "the MAC is wrong");
	*key_id = key.id;
	return store_get_account(store, key.account_id, &call->registry);
}

/* --- another key -------------------------------------------------------- */

/* Both keys have signed that the account goes from one to the other. */
static enum oc_err
check_change(struct acme_call *call, const json_t *json)
{
	const json_t *account = json_object_get(json, "account");
	struct acme_jwk old = { .spki_len = 0 };
	bool is_same;
	enum oc_err err;

	if (!json_is_string(account) || strcmp(json_string_value(account),
	    call->jws.kid) != 0)
		return acme_problem_set(&call->problem, ACME_MALFORMED,
		    "the inner account is not the one that asks");
	err = acme_jwk_read(json_object_get(json, "oldKey"), &old,
	    &call->problem);
	if (err != OC_OK)
		return err;
	is_same = memcmp(old.thumbprint, call->key.thumbprint,
	    sizeof(old.thumbprint)) == 0;
	acme_jwk_fini(&old);
	if (!is_same)
		return acme_problem_set(&call->problem, ACME_MALFORMED,
		    "oldKey is not the account's key");
	return strlen(call->inner.jwk.text) < sizeof(call->account.jwk) ?
	    OC_OK : acme_problem_set(&call->problem, ACME_BAD_PUBLIC_KEY,
	    "the key is too long");
}

enum oc_err
issuer_acme_prepare_key_change(struct acme_call *call)
{
	json_t *json = NULL;
	enum oc_err err = acme_jws_read_json(call->payload,
	    ACME_JWS_KEY_CHANGE, &call->inner, &call->problem);

	if (err == OC_OK)
		err = check_inner_url(call);
	if (err == OC_OK)
		err = acme_jws_verify(&call->inner, &call->inner.jwk,
		    &call->problem);
	if (err == OC_OK)
		err = acme_jws_payload(&call->inner, &json, &call->problem);
	if (err == OC_OK)
		err = check_change(call, json);
	json_decref(json);
	return err;
}

/* As with a new account: one that was given up is nobody's for good. */
static enum oc_err
check_given_up(struct store *store, struct acme_call *call)
{
	struct store_acme_account holder;
	enum oc_err err = store_find_acme_key(store,
	    call->inner.jwk.thumbprint, &holder);

	if (err == OC_OK && holder.state != STORE_ACME_VALID)
		return acme_problem_set(&call->problem, ACME_UNAUTHORIZED,
		    "the key was given up with its account");
	return err == OC_ERR_NOT_FOUND ? OC_OK : err;
}

enum oc_err
issuer_acme_run_key_change(struct store *store, struct acme_call *call)
{
	const struct acme_jwk *key = &call->inner.jwk;
	enum oc_err err = check_given_up(store, call);

	if (err == OC_OK)
		err = store_roll_acme_key(store, call->account.id,
		    key->thumbprint, key->text, call->other_tag);
	if (err != OC_ERR_EXISTS)
		return err;
	issuer_acme_put_url(call, "Location", "account/%s",
	    call->other_tag);
	err = acme_problem_set(&call->problem, ACME_MALFORMED,
	    "the key is an account's already");
	call->problem.status = 409;
	return err;
}
