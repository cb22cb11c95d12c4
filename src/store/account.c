/* SPDX-License-Identifier: Apache-2.0 */
/* Accounts: added, changed, counted; never removed. */
#include "store/account.h"

#include <ctype.h>
#include <openssl/rand.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "store/backend.h"
#include "store/detail.h"

enum oc_err
store_new_tag(struct store *s, char tag[STORE_TAG_LEN + 1])
{
	uint8_t bytes[STORE_TAG_LEN / 2];

	if (RAND_bytes(bytes, sizeof(bytes)) != 1)
		return store_fail(s, OC_ERR_INTERNAL, "no random octets");
	oc_hex_encode(bytes, sizeof(bytes), tag);
	return OC_OK;
}

/* --- what comes from outside -------------------------------------------- */

static enum oc_err
check_account_name(struct store *s, const char *name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";

	if (strlen(name) > OC_CONFIG_NAME_MAX)
		return store_fail(s, OC_ERR_LIMIT, "an account's name has at "
		    "most %d octets", OC_CONFIG_NAME_MAX);
	if (name[0] == '\0' || strchr(letters, name[0]) == NULL ||
	    strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._-") !=
	    strlen(name))
		return store_fail(s, OC_ERR_MALFORMED, "\"%.64s\" is no name "
		    "for an account: lower-case letters, digits, '.', '_' "
		    "and '-', beginning with a letter or digit", name);
	return OC_OK;
}

/* What RFC 5321's Mailbox has without quoting; more is the CLI's. */
static enum oc_err
check_email(struct store *s, const char *email)
{
	const char *at = strchr(email, '@');
	size_t len = strnlen(email, STORE_EMAIL_MAX + 1);

	if (len == 0)
		return OC_OK;
	if (len > STORE_EMAIL_MAX)
		return store_fail(s, OC_ERR_LIMIT, "an e-mail address has at "
		    "most %d octets", STORE_EMAIL_MAX);
	for (size_t i = 0; i < len; i++)
		if (email[i] <= 0x20 || email[i] > 0x7e ||
		    strchr("\"\\(),:;<>[]", email[i]) != NULL)
			at = NULL;
	if (at == NULL || at == email || at[1] == '\0' ||
	    strchr(at + 1, '@') != NULL)
		return store_fail(s, OC_ERR_MALFORMED, "\"%.64s\" is no "
		    "e-mail address", email);
	return OC_OK;
}

static enum oc_err
check_account(struct store *s, const struct store_account *a)
{
	if (a->state != STORE_ACCOUNT_ACTIVE &&
	    a->state != STORE_ACCOUNT_DISABLED)
		return store_fail(s, OC_ERR_MALFORMED,
		    "an account is active or disabled");
	if (a->live_max < 0 || a->period_max < 0 || a->period_s < 0)
		return store_fail(s, OC_ERR_MALFORMED,
		    "a quota is not negative");
	if ((a->period_max > 0) != (a->period_s > 0))
		return store_fail(s, OC_ERR_MALFORMED,
		    "a quota of issuances needs a number and a period");
	return check_email(s, a->email);
}

static void
lower(char *text)
{
	for (; *text != '\0'; text++)
		*text = (char)tolower((unsigned char)*text);
}

/* Inside a change: whose it is is nobody else's. */
static enum oc_err
check_email_is_free(struct store *s, const struct store_account *account)
{
	struct store_account other;
	enum oc_err err;

	if (account->email[0] == '\0')
		return OC_OK;
	err = s->ops->find_account(s, STORE_BY_EMAIL, 0, account->email,
	    &other);
	if (err == OC_ERR_NOT_FOUND || (err == OC_OK &&
	    other.id == account->id))
		return OC_OK;
	if (err != OC_OK)
		return err;
	return store_fail(s, OC_ERR_EXISTS, "account %s has the e-mail "
	    "address %s", other.name, account->email);
}

/* --- changes ------------------------------------------------------------ */

/* Inside a change. */
static enum oc_err
add_account(struct store *s, struct store_account *account)
{
	struct store_account other;
	enum oc_err err;

	err = s->ops->find_account(s, STORE_BY_NAME, 0, account->name,
	    &other);
	if (err == OC_OK)
		return store_fail(s, OC_ERR_EXISTS,
		    "there is an account %s already", account->name);
	if (err == OC_ERR_NOT_FOUND)
		err = check_email_is_free(s, account);
	if (err == OC_OK)
		err = s->ops->add_account(s, account, &account->id);
	if (err == OC_OK)
		err = store_add_row_entry(s, "account",
		    store_detail_of_account, account->id);
	return err;
}

enum oc_err
store_add_account(struct store *store, struct store_account *account)
{
	struct store_account added = *account;
	enum oc_err err;

	err = check_account_name(store, added.name);
	if (err == OC_OK)
		err = check_account(store, &added);
	if (err == OC_OK)
		err = store_new_tag(store, added.tag);
	if (err == OC_OK)
		err = store_begin_change(store);
	if (err != OC_OK)
		return err;
	added.id = 0;
	added.created_at = oc_clock_now_s();
	lower(added.email);
	err = store_end_change(store, add_account(store, &added));
	if (err == OC_OK)
		*account = added;
	return err;
}

/* A global key is found by the e-mail address. */
static enum oc_err
find_global_key(void *arg, const struct store_token *token)
{
	bool *is_found = arg;

	if (token->kind == STORE_TOKEN_GLOBAL_KEY && token->revoked_at == 0)
		*is_found = true;
	return OC_OK;
}

static enum oc_err
change_account(struct store *s, const struct store_account *account)
{
	struct store_account row;
	bool has_global_key = false;
	enum oc_err err;

	err = s->ops->find_account(s, STORE_BY_ID, account->id, NULL, &row);
	if (err == OC_OK)
		err = check_email_is_free(s, account);
	if (err == OC_OK && account->email[0] == '\0')
		err = s->ops->list_tokens(s, account->id, find_global_key,
		    &has_global_key);
	if (err == OC_OK && has_global_key)
		err = store_fail(s, OC_ERR_REFUSED, "account %s has global "
		    "keys, which need its e-mail address: revoke them first",
		    row.name);
	if (err == OC_OK)
		err = s->ops->set_account(s, account);
	if (err == OC_OK)
		err = store_add_row_entry(s, "account",
		    store_detail_of_account, account->id);
	return err;
}

enum oc_err
store_change_account(struct store *store, const struct store_account *account)
{
	struct store_account changed = *account;
	enum oc_err err;

	err = check_account(store, &changed);
	if (err == OC_OK)
		err = store_begin_change(store);
	if (err != OC_OK)
		return err;
	lower(changed.email);
	return store_end_change(store, change_account(store, &changed));
}

/* --- look --------------------------------------------------------------- */

enum oc_err
store_find_account(struct store *store, const char *name,
    struct store_account *account)
{
	return store->ops->find_account(store, STORE_BY_NAME, 0, name,
	    account);
}

enum oc_err
store_get_account(struct store *store, int64_t id,
    struct store_account *account)
{
	return store->ops->find_account(store, STORE_BY_ID, id, NULL,
	    account);
}

enum oc_err
store_list_accounts(struct store *store, store_account_fn *fn, void *arg)
{
	return store->ops->list_accounts(store, fn, arg);
}

enum oc_err
store_count_usage(struct store *store, const struct store_account *account,
    int64_t now_at, struct store_usage *usage)
{
	struct store_usage counted = { 0 };
	enum oc_err err;

	err = store->ops->count_live(store, account->id, now_at,
	    now_at - STORE_PENDING_S, &counted.num_live);
	if (err == OC_OK && account->period_s > 0)
		err = store->ops->count_reserved(store, account->id,
		    now_at - account->period_s, &counted.num_period);
	if (err == OC_OK)
		*usage = counted;
	return err;
}
