/* SPDX-License-Identifier: Apache-2.0 */
/* ACME's accounts, and the keys that bind them to the registry's. */
#include "store/acme.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <string.h>

#include "base/clock.h"
#include "store/backend.h"
#include "store/detail.h"

/* --- keys for external account binding ---------------------------------- */

/* Inside a change. */
static enum oc_err
add_eab_entry(struct store *s, int64_t id)
{
	return store_add_row_entry(s, "eab-key", store_detail_of_eab_key, id);
}

/* Inside a change. */
static enum oc_err
add_eab_key(struct store *s, struct store_eab_key *key)
{
	struct store_account account;
	enum oc_err err;

	err = s->ops->find_account(s, STORE_BY_ID, key->account_id, NULL,
	    &account);
	if (err == OC_OK)
		err = s->ops->add_eab_key(s, key, &key->id);
	return err == OC_OK ? add_eab_entry(s, key->id) : err;
}

/* No hyphen comes first when it is written in base64url: clients are given it
 * on a command line, and take it for an option. */
static enum oc_err
make_hmac(struct store *s, uint8_t hmac[STORE_HMAC_KEY_LEN])
{
	do {
		if (RAND_priv_bytes(hmac, STORE_HMAC_KEY_LEN) != 1)
			return store_fail(s, OC_ERR_INTERNAL,
			    "no random octets");
	} while (hmac[0] >> 2 == 62);
	return OC_OK;
}

enum oc_err
store_add_eab_key(struct store *store, struct store_eab_key *key)
{
	struct store_eab_key added = *key;
	enum oc_err err;

	err = store_check_line(store, "the key's label", added.label,
	    STORE_LABEL_MAX);
	if (err == OC_OK && added.expires_at < 0)
		err = store_fail(store, OC_ERR_MALFORMED,
		    "a key does not end before 1970");
	if (err == OC_OK)
		err = store_new_tag(store, added.kid);
	if (err == OC_OK)
		err = make_hmac(store, added.hmac);
	if (err == OC_OK)
		err = store_begin_change(store);
	if (err == OC_OK) {
		added.id = added.revoked_at = added.used_at = 0;
		added.created_at = oc_clock_now_s();
		err = store_end_change(store, add_eab_key(store, &added));
	}
	if (err == OC_OK)
		*key = added;
	OPENSSL_cleanse(&added, sizeof(added));
	return err;
}

/* Is it any good? */
static enum oc_err
check_eab_key(struct store *s, const struct store_eab_key *key, int64_t now)
{
	struct store_account account;
	enum oc_err err;

	err = s->ops->find_account(s, STORE_BY_ID, key->account_id, NULL,
	    &account);
	if (err != OC_OK)
		return err;
	if (key->revoked_at != 0)
		return store_fail(s, OC_ERR_REFUSED, "key %s of account %s is "
		    "revoked", key->kid, account.name);
	if (key->used_at != 0)
		return store_fail(s, OC_ERR_REFUSED, "key %s of account %s "
		    "was used already", key->kid, account.name);
	if (key->expires_at != 0 && key->expires_at <= now)
		return store_fail(s, OC_ERR_REFUSED, "key %s of account %s "
		    "has expired", key->kid, account.name);
	if (account.state != STORE_ACCOUNT_ACTIVE)
		return store_fail(s, OC_ERR_REFUSED, "account %s is disabled",
		    account.name);
	return OC_OK;
}

enum oc_err
store_find_eab_key(struct store *store, const char *kid, int64_t now_at,
    struct store_eab_key *key)
{
	struct store_eab_key found = { 0 };
	enum oc_err err;

	err = store->ops->find_eab_key(store, STORE_EAB_BY_KID, 0, kid,
	    &found);
	if (err == OC_OK)
		err = check_eab_key(store, &found, now_at);
	if (err == OC_OK)
		*key = found;
	OPENSSL_cleanse(&found, sizeof(found));
	return err;
}

/* Inside a change. */
static enum oc_err
revoke_eab_key(struct store *s, int64_t account_id, const char *kid)
{
	struct store_eab_key key = { 0 };
	enum oc_err err;

	err = s->ops->find_eab_key(s, STORE_EAB_BY_KID, 0, kid, &key);
	OPENSSL_cleanse(key.hmac, sizeof(key.hmac));
	if (err == OC_ERR_NOT_FOUND ||
	    (err == OC_OK && key.account_id != account_id))
		return store_fail(s, OC_ERR_NOT_FOUND, "the account has no "
		    "key %.32s", kid);
	if (err != OC_OK)
		return err;
	if (key.revoked_at != 0)
		return store_fail(s, OC_ERR_EXISTS, "key %.32s is revoked "
		    "already", kid);
	key.revoked_at = oc_clock_now_s();
	err = s->ops->set_eab_key(s, &key);
	return err == OC_OK ? add_eab_entry(s, key.id) : err;
}

enum oc_err
store_revoke_eab_key(struct store *store, int64_t account_id,
    const char *kid)
{
	enum oc_err err = store_begin_change(store);

	if (err != OC_OK)
		return err;
	return store_end_change(store, revoke_eab_key(store, account_id,
	    kid));
}

enum oc_err
store_list_eab_keys(struct store *store, int64_t account_id,
    store_eab_key_fn *fn, void *arg)
{
	return store->ops->list_eab_keys(store, account_id, fn, arg);
}

/* Inside a change: once alone, and its secret is nowhere then. */
static enum oc_err
use_eab_key(struct store *s, int64_t id, int64_t account_id, int64_t now)
{
	struct store_eab_key key = { 0 };
	enum oc_err err;

	err = s->ops->find_eab_key(s, STORE_EAB_BY_ID, id, NULL, &key);
	OPENSSL_cleanse(key.hmac, sizeof(key.hmac));
	if (err == OC_ERR_NOT_FOUND ||
	    (err == OC_OK && key.account_id != account_id))
		return store_fail(s, OC_ERR_REFUSED,
		    "the account has no such key");
	if (err == OC_OK)
		err = check_eab_key(s, &key, now);
	if (err != OC_OK)
		return err;
	key.used_at = now;
	err = s->ops->set_eab_key(s, &key);
	return err == OC_OK ? add_eab_entry(s, id) : err;
}

/* --- accounts ----------------------------------------------------------- */

/* Inside a change. */
static enum oc_err
add_account_entry(struct store *s, int64_t id)
{
	return store_add_row_entry(s, "acme-account",
	    store_detail_of_acme_account, id);
}

static enum oc_err
check_account(struct store *s, const struct store_acme_account *a)
{
	enum oc_err err;

	err = store_check_line(s, "the contacts", a->contacts,
	    STORE_CONTACTS_MAX);
	if (err == OC_OK && a->state != STORE_ACME_VALID &&
	    a->state != STORE_ACME_DEACTIVATED &&
	    a->state != STORE_ACME_REVOKED)
		err = store_fail(s, OC_ERR_MALFORMED, "an ACME account is "
		    "valid, deactivated or revoked");
	return err;
}

static enum oc_err
check_jwk(struct store *s, const char *jwk)
{
	if (jwk[0] == '\0')
		return store_fail(s, OC_ERR_MALFORMED,
		    "an ACME account needs a key");
	return store_check_line(s, "the key", jwk, STORE_JWK_MAX);
}

/* Inside a change: the one that has the key, if it is VALID. */
static enum oc_err
find_holder(struct store *s, const uint8_t thumbprint[STORE_HASH_LEN],
    bool *is_held, struct store_acme_account *holder)
{
	enum oc_err err = s->ops->find_acme_key(s, thumbprint, holder);

	*is_held = err == OC_OK && holder->state == STORE_ACME_VALID;
	return err == OC_ERR_NOT_FOUND ? OC_OK : err;
}

/* Inside a change. */
static enum oc_err
add_account(struct store *s, struct store_acme_account *a, int64_t eab_id,
    struct store_acme_account *holder)
{
	bool is_held;
	enum oc_err err = find_holder(s, a->thumbprint, &is_held, holder);

	if (err == OC_OK && is_held)
		return store_fail(s, OC_ERR_EXISTS, "the key has the ACME "
		    "account %s", holder->tag);
	if (err == OC_OK && eab_id != 0)
		err = use_eab_key(s, eab_id, a->account_id, a->created_at);
	if (err == OC_OK)
		err = s->ops->add_acme_account(s, a, &a->id);
	return err == OC_OK ? add_account_entry(s, a->id) : err;
}

enum oc_err
store_add_acme_account(struct store *store, struct store_acme_account *a,
    int64_t eab_id)
{
	struct store_acme_account added = *a, holder = { 0 };
	enum oc_err err;

	added.state = STORE_ACME_VALID;
	added.id = 0;
	added.is_bound = eab_id != 0;
	added.created_at = oc_clock_now_s();
	if (added.contacts[0] == '\0')
		memcpy(added.contacts, "[]", 3);
	err = check_account(store, &added);
	if (err == OC_OK)
		err = check_jwk(store, added.jwk);
	if (err == OC_OK)
		err = store_new_tag(store, added.tag);
	if (err == OC_OK)
		err = store_begin_change(store);
	if (err != OC_OK)
		return err;
	err = store_end_change(store, add_account(store, &added, eab_id,
	    &holder));
	if (err == OC_OK)
		*a = added;
	else if (err == OC_ERR_EXISTS && holder.id != 0)
		*a = holder;
	return err;
}

enum oc_err
store_get_acme_account(struct store *store, int64_t id,
    struct store_acme_account *a)
{
	return store->ops->find_acme_account(store, STORE_ACME_BY_ID, id,
	    NULL, a);
}

enum oc_err
store_find_acme_account(struct store *store, const char *tag,
    struct store_acme_account *a)
{
	return store->ops->find_acme_account(store, STORE_ACME_BY_TAG, 0, tag,
	    a);
}

enum oc_err
store_find_acme_key(struct store *store,
    const uint8_t thumbprint[STORE_HASH_LEN], struct store_acme_account *a)
{
	return store->ops->find_acme_key(store, thumbprint, a);
}

/* Inside a change: one that is VALID. */
static enum oc_err
find_valid(struct store *s, int64_t id, struct store_acme_account *row)
{
	enum oc_err err;

	err = s->ops->find_acme_account(s, STORE_ACME_BY_ID, id, NULL, row);
	if (err == OC_OK && row->state != STORE_ACME_VALID)
		err = store_fail(s, OC_ERR_MISMATCH, "the ACME account %s is "
		    "over", row->tag);
	return err;
}

/* Inside a change. */
static enum oc_err
change_account(struct store *s, const struct store_acme_account *a)
{
	struct store_acme_account row;
	enum oc_err err = find_valid(s, a->id, &row);

	if (err != OC_OK)
		return err;
	memcpy(row.contacts, a->contacts, sizeof(row.contacts));
	row.has_agreed = a->has_agreed;
	row.state = a->state;
	err = s->ops->set_acme_account(s, &row);
	return err == OC_OK ? add_account_entry(s, row.id) : err;
}

enum oc_err
store_change_acme_account(struct store *store,
    const struct store_acme_account *a)
{
	enum oc_err err = check_account(store, a);

	if (err == OC_OK)
		err = store_begin_change(store);
	if (err != OC_OK)
		return err;
	return store_end_change(store, change_account(store, a));
}

/* Inside a change. */
static enum oc_err
roll_key(struct store *s, int64_t id,
    const uint8_t thumbprint[STORE_HASH_LEN], const char *jwk,
    char other[STORE_TAG_LEN + 1])
{
	struct store_acme_account row, holder;
	bool is_held = false;
	enum oc_err err = find_valid(s, id, &row);

	if (err == OC_OK)
		err = find_holder(s, thumbprint, &is_held, &holder);
	if (err != OC_OK)
		return err;
	if (is_held) {
		memcpy(other, holder.tag, sizeof(holder.tag));
		return store_fail(s, OC_ERR_EXISTS, "the key has the ACME "
		    "account %s", holder.tag);
	}
	memcpy(row.thumbprint, thumbprint, STORE_HASH_LEN);
	memset(row.jwk, 0, sizeof(row.jwk));
	memcpy(row.jwk, jwk, strlen(jwk));
	err = s->ops->set_acme_account(s, &row);
	return err == OC_OK ? add_account_entry(s, id) : err;
}

enum oc_err
store_roll_acme_key(struct store *store, int64_t id,
    const uint8_t thumbprint[STORE_HASH_LEN], const char *jwk,
    char other[STORE_TAG_LEN + 1])
{
	enum oc_err err = check_jwk(store, jwk);

	if (err == OC_OK)
		err = store_begin_change(store);
	if (err != OC_OK)
		return err;
	return store_end_change(store, roll_key(store, id, thumbprint, jwk,
	    other));
}

enum oc_err
store_count_acme_accounts(struct store *store, int64_t account_id,
    int64_t since_at, int64_t *num)
{
	return store->ops->count_acme_accounts(store, account_id, since_at,
	    num);
}

enum oc_err
store_list_acme_accounts(struct store *store, int64_t account_id,
    store_acme_account_fn *fn, void *arg)
{
	return store->ops->list_acme_accounts(store, account_id, fn, arg);
}
