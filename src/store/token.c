/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens: made, read, recognised, revoked. */
#include "store/token.h"

#include <ctype.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "store/backend.h"
#include "store/detail.h"

#define HEX "0123456789abcdef"
#define USE_NOTED_S (24 * 60 * 60)

/* "v1.0-" 24 "-" 146: before the public half, its digits, between, the
 * secret's digits. */
struct format {
	const char *name;
	const char *start;
	size_t prefix_len;
	const char *middle;
	size_t secret_len;
};

static const struct format *
format_of(enum store_token_kind kind)
{
	static const struct format bearer =
	    { "bearer", "ocs_", 16, "_", 64 };
	static const struct format service_key =
	    { "service-key", "v1.0-", 24, "-", 146 };
	static const struct format global_key =
	    { "global-key", "", 0, "", 37 };

	switch (kind) {
	case STORE_TOKEN_BEARER:
		return &bearer;
	case STORE_TOKEN_SERVICE_KEY:
		return &service_key;
	case STORE_TOKEN_GLOBAL_KEY:
		return &global_key;
	}
	return NULL;
}

const char *
store_token_kind_name(enum store_token_kind kind)
{
	const struct format *f = format_of(kind);

	return f == NULL ? "unknown" : f->name;
}

enum oc_err
store_token_find_kind(const char *name, enum store_token_kind *kind)
{
	for (int i = STORE_TOKEN_BEARER; i <= STORE_TOKEN_GLOBAL_KEY; i++) {
		enum store_token_kind k = (enum store_token_kind)i;

		if (strcmp(format_of(k)->name, name) == 0) {
			*kind = k;
			return OC_OK;
		}
	}
	return OC_ERR_NOT_FOUND;
}

static enum oc_err
hash_text(const char *text, size_t len, uint8_t hash[STORE_HASH_LEN])
{
	return EVP_Digest(text, len, hash, NULL, EVP_sha256(), NULL) == 1 ?
	    OC_OK : OC_ERR_INTERNAL;
}

/* Up to 147 digits. */
static enum oc_err
random_digits(char *text, size_t num)
{
	uint8_t bytes[74];
	char digits[sizeof(bytes) * 2 + 1];

	oc_assert(num < sizeof(digits));
	if (RAND_priv_bytes(bytes, sizeof(bytes)) != 1)
		return OC_ERR_INTERNAL;
	oc_hex_encode(bytes, sizeof(bytes), digits);
	memcpy(text, digits, num);
	text[num] = '\0';
	OPENSSL_cleanse(bytes, sizeof(bytes));
	OPENSSL_cleanse(digits, sizeof(digits));
	return OC_OK;
}

enum oc_err
store_token_new(struct store_token *token, struct oc_secret *secret)
{
	const struct format *f = format_of(token->kind);
	char prefix[STORE_TAG_LEN + 1], text[STORE_TOKEN_TEXT_MAX];
	char digits[STORE_TOKEN_TEXT_MAX];
	int len;
	enum oc_err err;

	oc_assert(f != NULL);
	/* A global key has no public half: the list shows another name. */
	err = random_digits(prefix, f->prefix_len == 0 ? 16 : f->prefix_len);
	if (err == OC_OK)
		err = random_digits(digits, f->secret_len);
	if (err != OC_OK)
		return err;
	len = snprintf(text, sizeof(text), "%s%s%s%s", f->start,
	    f->prefix_len == 0 ? "" : prefix, f->middle, digits);
	oc_assert(len > 0 && (size_t)len < sizeof(text));
	err = hash_text(text, (size_t)len, token->hash);
	if (err == OC_OK)
		err = oc_secret_set(secret, text, (size_t)len);
	if (err == OC_OK)
		memcpy(token->prefix, prefix, sizeof(prefix));
	OPENSSL_cleanse(text, sizeof(text));
	OPENSSL_cleanse(digits, sizeof(digits));
	return err;
}

enum oc_err
store_token_parse(enum store_token_kind kind, const char *text,
    char prefix[STORE_TAG_LEN + 1], uint8_t hash[STORE_HASH_LEN])
{
	const struct format *f = format_of(kind);
	size_t start_len, middle_at, secret_at, len;
	enum oc_err err;

	if (f == NULL)
		return OC_ERR_MALFORMED;
	start_len = strlen(f->start);
	middle_at = start_len + f->prefix_len;
	secret_at = middle_at + strlen(f->middle);
	len = secret_at + f->secret_len;
	if (strnlen(text, len + 1) != len ||
	    strncmp(text, f->start, start_len) != 0 ||
	    strspn(text + start_len, HEX) < f->prefix_len ||
	    strncmp(text + middle_at, f->middle, strlen(f->middle)) != 0 ||
	    strspn(text + secret_at, HEX) != f->secret_len)
		return OC_ERR_MALFORMED;
	err = hash_text(text, len, hash);
	if (err != OC_OK)
		return err;
	memcpy(prefix, text + start_len, f->prefix_len);
	prefix[f->prefix_len] = '\0';
	return OC_OK;
}

/* --- rows --------------------------------------------------------------- */

/* Inside a change. */
static enum oc_err
add_entry(struct store *s, int64_t id)
{
	return store_add_row_entry(s, "token", store_detail_of_token, id);
}

/* Inside a change. */
static enum oc_err
add_token(struct store *s, struct store_token *token)
{
	struct store_account account;
	enum oc_err err;

	err = s->ops->find_account(s, STORE_BY_ID, token->account_id, NULL,
	    &account);
	if (err != OC_OK)
		return err;
	if (token->kind == STORE_TOKEN_GLOBAL_KEY && account.email[0] == '\0')
		return store_fail(s, OC_ERR_REFUSED, "a global key is found "
		    "by an e-mail address, and account %s has none: set one "
		    "with --email", account.name);
	err = s->ops->add_token(s, token, &token->id);
	if (err == OC_OK)
		err = add_entry(s, token->id);
	return err;
}

static enum oc_err
check_token(struct store *s, const struct store_token *token)
{
	if (format_of(token->kind) == NULL || token->prefix[0] == '\0' ||
	    token->expires_at < 0)
		return store_fail(s, OC_ERR_MALFORMED, "this is no token");
	if (!oc_utf8_is_valid(token->label, strlen(token->label)))
		return store_fail(s, OC_ERR_MALFORMED,
		    "the token's label is not UTF-8");
	for (const char *p = token->label; *p != '\0'; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return store_fail(s, OC_ERR_MALFORMED, "the token's "
			    "label has control characters");
	return OC_OK;
}

enum oc_err
store_add_token(struct store *store, struct store_token *token)
{
	struct store_token added = *token;
	enum oc_err err;

	err = check_token(store, &added);
	if (err == OC_OK)
		err = store_begin_change(store);
	if (err != OC_OK)
		return err;
	added.id = 0;
	added.created_at = oc_clock_now_s();
	added.revoked_at = added.used_at = 0;
	err = store_end_change(store, add_token(store, &added));
	if (err == OC_OK)
		*token = added;
	return err;
}

/* Inside a change. */
static enum oc_err
revoke(struct store *s, int64_t account_id, const char *prefix)
{
	struct store_token token;
	enum oc_err err;

	err = s->ops->find_token(s, STORE_TOKEN_BY_PREFIX, 0, prefix, &token);
	if (err == OC_ERR_NOT_FOUND ||
	    (err == OC_OK && token.account_id != account_id))
		return store_fail(s, OC_ERR_NOT_FOUND, "the account has no "
		    "token %.32s", prefix);
	if (err != OC_OK)
		return err;
	if (token.revoked_at != 0)
		return store_fail(s, OC_ERR_EXISTS, "token %.32s is revoked "
		    "already", prefix);
	token.revoked_at = oc_clock_now_s();
	err = s->ops->set_token(s, &token);
	return err == OC_OK ? add_entry(s, token.id) : err;
}

enum oc_err
store_revoke_token(struct store *store, int64_t account_id,
    const char *prefix)
{
	enum oc_err err = store_begin_change(store);

	if (err != OC_OK)
		return err;
	return store_end_change(store, revoke(store, account_id, prefix));
}

enum oc_err
store_list_tokens(struct store *store, int64_t account_id,
    store_token_fn *fn, void *arg)
{
	return store->ops->list_tokens(store, account_id, fn, arg);
}

/* --- recognised --------------------------------------------------------- */

struct search {
	const uint8_t *hash;
	bool is_found;
	struct store_token token;
};

/* All of them are compared, found or not. */
static enum oc_err
compare_global_key(void *arg, const struct store_token *token)
{
	struct search *search = arg;
	bool is_equal = CRYPTO_memcmp(token->hash, search->hash,
	    STORE_HASH_LEN) == 0;

	if (is_equal && token->kind == STORE_TOKEN_GLOBAL_KEY) {
		search->is_found = true;
		search->token = *token;
	}
	return OC_OK;
}

static enum oc_err
find_by_email(struct store *s, const char *email, struct search *search)
{
	char lower[STORE_EMAIL_MAX + 1];
	struct store_account account;
	size_t len = email == NULL ? 0 : strnlen(email, sizeof(lower));
	enum oc_err err;

	if (len == 0 || len == sizeof(lower))
		return OC_ERR_NOT_FOUND;
	for (size_t i = 0; i <= len; i++)
		lower[i] = (char)tolower((unsigned char)email[i]);
	err = s->ops->find_account(s, STORE_BY_EMAIL, 0, lower, &account);
	if (err == OC_OK)
		err = s->ops->list_tokens(s, account.id, compare_global_key,
		    search);
	return err;
}

/* An unknown prefix is compared with zeros: as long as a known one. */
static enum oc_err
find_by_prefix(struct store *s, enum store_token_kind kind,
    const char *prefix, struct search *search)
{
	struct store_token token = { 0 };
	bool is_equal;
	enum oc_err err;

	err = s->ops->find_token(s, STORE_TOKEN_BY_PREFIX, 0, prefix, &token);
	if (err != OC_OK && err != OC_ERR_NOT_FOUND)
		return err;
	is_equal = CRYPTO_memcmp(token.hash, search->hash,
	    STORE_HASH_LEN) == 0;
	search->is_found = err == OC_OK && is_equal && token.kind == kind;
	search->token = token;
	return OC_OK;
}

/* It is the right one: is it any good? */
static enum oc_err
check_found(struct store *s, const struct store_token *token,
    const struct store_account *account)
{
	int64_t now = oc_clock_now_s();

	if (token->revoked_at != 0)
		return store_fail(s, OC_ERR_REFUSED, "token %s of account %s "
		    "is revoked", token->prefix, account->name);
	if (token->expires_at != 0 && token->expires_at <= now)
		return store_fail(s, OC_ERR_REFUSED, "token %s of account %s "
		    "has expired", token->prefix, account->name);
	if (account->state != STORE_ACCOUNT_ACTIVE)
		return store_fail(s, OC_ERR_REFUSED, "account %s is disabled",
		    account->name);
	return OC_OK;
}

enum oc_err
store_authenticate(struct store *store, enum store_token_kind kind,
    const char *text, const char *email, struct store_account *account,
    struct store_token *token)
{
	uint8_t hash[STORE_HASH_LEN];
	char prefix[STORE_TAG_LEN + 1];
	struct search search = { .hash = hash };
	struct store_account owner;
	enum oc_err err;

	err = store_token_parse(kind, text, prefix, hash);
	if (err == OC_ERR_MALFORMED)
		return store_fail(store, OC_ERR_REFUSED, "this is no %s",
		    store_token_kind_name(kind));
	if (err == OC_OK)
		err = kind == STORE_TOKEN_GLOBAL_KEY ?
		    find_by_email(store, email, &search) :
		    find_by_prefix(store, kind, prefix, &search);
	if (err == OC_ERR_NOT_FOUND || (err == OC_OK && !search.is_found))
		return store_fail(store, OC_ERR_REFUSED, "no account has "
		    "this %s", store_token_kind_name(kind));
	if (err == OC_OK)
		err = store->ops->find_account(store, STORE_BY_ID,
		    search.token.account_id, NULL, &owner);
	if (err == OC_OK)
		err = check_found(store, &search.token, &owner);
	if (err != OC_OK)
		return err;
	*account = owner;
	*token = search.token;
	return OC_OK;
}

/* Inside a change. */
static enum oc_err
note_use(struct store *s, int64_t id, int64_t now)
{
	struct store_token token;
	enum oc_err err;

	err = s->ops->find_token(s, STORE_TOKEN_BY_ID, id, NULL, &token);
	if (err != OC_OK || token.used_at > now - USE_NOTED_S)
		return err;
	token.used_at = now;
	err = s->ops->set_token(s, &token);
	return err == OC_OK ? add_entry(s, id) : err;
}

enum oc_err
store_note_token_use(struct store *store, const struct store_token *token)
{
	int64_t now = oc_clock_now_s();
	enum oc_err err;

	if (token->used_at > now - USE_NOTED_S)
		return OC_OK;
	err = store_begin_change(store);
	if (err != OC_OK)
		return err;
	return store_end_change(store, note_use(store, token->id, now));
}
