/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of ACME's accounts and of the keys that bind them to ours. */
#include <openssl/crypto.h>
#include <string.h>

#include "store/sql.h"

/* --- keys for external account binding ---------------------------------- */

#define SELECT_EAB_KEY \
	"SELECT id, account_id, kid, hmac, label, created_at, expires_at," \
	" revoked_at, used_at FROM acme_external_key"

enum oc_err
sql_add_eab_key(struct store *s, const struct store_eab_key *key,
    int64_t *id)
{
	static const char text[] = "INSERT INTO acme_external_key (id,"
	    " account_id, kid, hmac, label, created_at, expires_at) VALUES ("
	    "(SELECT coalesce(max(id), 0) + 1 FROM acme_external_key),"
	    " ?, ?, ?, ?, ?, ?) RETURNING id";
	struct sql q;
	enum oc_err err;

	sql_open(&q, s, "add an external key", text);
	sql_put_int(&q, key->account_id);
	sql_put_text(&q, key->kid);
	sql_put_blob(&q, key->hmac, sizeof(key->hmac));
	sql_put_text(&q, key->label);
	sql_put_int(&q, key->created_at);
	sql_put_int(&q, key->expires_at);
	err = sql_run(&q);
	if (err == OC_OK)
		*id = sql_last_id(s);
	return err;
}

enum oc_err
sql_set_eab_key(struct store *s, const struct store_eab_key *key)
{
	static const char text[] = "UPDATE acme_external_key SET hmac = ?,"
	    " revoked_at = ?, used_at = ? WHERE id = ?";
	struct sql q;

	sql_open(&q, s, "change an external key", text);
	sql_put_blob(&q, key->hmac, sizeof(key->hmac));
	sql_put_int(&q, key->revoked_at);
	sql_put_int(&q, key->used_at);
	sql_put_int(&q, key->id);
	return sql_run(&q);
}

static enum oc_err
read_eab_key(struct sql *q, struct store_eab_key *key)
{
	enum oc_err err;

	key->id = sql_get_int(q);
	key->account_id = sql_get_int(q);
	sql_get_text_fixed(q, key->kid, sizeof(key->kid));
	err = sql_get_hash(q, key->hmac);
	sql_get_text_fixed(q, key->label, sizeof(key->label));
	key->created_at = sql_get_int(q);
	key->expires_at = sql_get_int(q);
	key->revoked_at = sql_get_int(q);
	key->used_at = sql_get_int(q);
	return err;
}

enum oc_err
sql_find_eab_key(struct store *s, enum store_eab_by by, int64_t id,
    const char *kid, struct store_eab_key *key)
{
	static const char by_id[] = SELECT_EAB_KEY " WHERE id = ?";
	static const char by_kid[] = SELECT_EAB_KEY " WHERE kid = ?";
	struct store_eab_key read = { 0 };
	struct sql q;
	bool has_row = false;
	enum oc_err err;

	sql_open(&q, s, "find an external key",
	    by == STORE_EAB_BY_ID ? by_id : by_kid);
	if (by == STORE_EAB_BY_ID)
		sql_put_int(&q, id);
	else
		sql_put_text(&q, kid);
	err = sql_next(&q, &has_row);
	if (err == OC_OK && !has_row)
		err = store_fail(s, OC_ERR_NOT_FOUND,
		    "there is no such key for external account binding");
	if (err == OC_OK)
		err = read_eab_key(&q, &read);
	sql_close(&q);
	if (err == OC_OK)
		*key = read;
	OPENSSL_cleanse(&read, sizeof(read));
	return err;
}

enum oc_err
sql_list_eab_keys(struct store *s, int64_t account_id, store_eab_key_fn *fn,
    void *arg)
{
	struct store_eab_key key = { 0 };
	struct sql q;
	bool has_row = false;
	enum oc_err err;

	sql_open_once(&q, s, "list external keys",
	    SELECT_EAB_KEY " WHERE account_id = ? ORDER BY id");
	sql_put_int(&q, account_id);
	for (;;) {
		err = sql_next(&q, &has_row);
		if (err != OC_OK || !has_row)
			break;
		err = read_eab_key(&q, &key);
		OPENSSL_cleanse(key.hmac, sizeof(key.hmac));
		if (err == OC_OK)
			err = fn(arg, &key);
		if (err != OC_OK)
			break;
	}
	sql_close(&q);
	return err;
}

/* --- accounts ----------------------------------------------------------- */

#define SELECT_ACME_ACCOUNT \
	"SELECT id, tag, account_id, state, thumbprint, jwk, contacts," \
	" has_agreed, is_bound, created_at FROM acme_account"

enum oc_err
sql_add_acme_account(struct store *s, const struct store_acme_account *a,
    int64_t *id)
{
	static const char text[] = "INSERT INTO acme_account (id, tag,"
	    " account_id, state, thumbprint, jwk, contacts, has_agreed,"
	    " is_bound, created_at) VALUES ((SELECT coalesce(max(id), 0) + 1"
	    " FROM acme_account), ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id";
	struct sql q;
	enum oc_err err;

	sql_open(&q, s, "add an ACME account", text);
	sql_put_text(&q, a->tag);
	sql_put_int(&q, a->account_id);
	sql_put_int(&q, a->state);
	sql_put_blob(&q, a->thumbprint, sizeof(a->thumbprint));
	sql_put_text(&q, a->jwk);
	sql_put_text(&q, a->contacts);
	sql_put_int(&q, a->has_agreed);
	sql_put_int(&q, a->is_bound);
	sql_put_int(&q, a->created_at);
	err = sql_run(&q);
	if (err == OC_OK)
		*id = sql_last_id(s);
	return err;
}

enum oc_err
sql_set_acme_account(struct store *s, const struct store_acme_account *a)
{
	static const char text[] = "UPDATE acme_account SET state = ?,"
	    " thumbprint = ?, jwk = ?, contacts = ?, has_agreed = ?"
	    " WHERE id = ?";
	struct sql q;

	sql_open(&q, s, "change an ACME account", text);
	sql_put_int(&q, a->state);
	sql_put_blob(&q, a->thumbprint, sizeof(a->thumbprint));
	sql_put_text(&q, a->jwk);
	sql_put_text(&q, a->contacts);
	sql_put_int(&q, a->has_agreed);
	sql_put_int(&q, a->id);
	return sql_run(&q);
}

static enum oc_err
read_acme_account(struct sql *q, struct store_acme_account *a)
{
	enum oc_err err;

	a->id = sql_get_int(q);
	sql_get_text_fixed(q, a->tag, sizeof(a->tag));
	a->account_id = sql_get_int(q);
	a->state = (enum store_acme_state)sql_get_int(q);
	err = sql_get_hash(q, a->thumbprint);
	sql_get_text_fixed(q, a->jwk, sizeof(a->jwk));
	sql_get_text_fixed(q, a->contacts, sizeof(a->contacts));
	a->has_agreed = sql_get_int(q) != 0;
	a->is_bound = sql_get_int(q) != 0;
	a->created_at = sql_get_int(q);
	return err;
}

static enum oc_err
find_acme_account(struct sql *q, struct store_acme_account *a)
{
	struct store_acme_account read = { 0 };
	bool has_row = false;
	enum oc_err err;

	err = sql_next(q, &has_row);
	if (err == OC_OK && !has_row)
		err = store_fail(q->store, OC_ERR_NOT_FOUND,
		    "there is no such ACME account");
	if (err == OC_OK)
		err = read_acme_account(q, &read);
	sql_close(q);
	if (err == OC_OK)
		*a = read;
	return err;
}

enum oc_err
sql_find_acme_account(struct store *s, enum store_acme_by by, int64_t id,
    const char *tag, struct store_acme_account *a)
{
	static const char by_id[] = SELECT_ACME_ACCOUNT " WHERE id = ?";
	static const char by_tag[] = SELECT_ACME_ACCOUNT " WHERE tag = ?";
	struct sql q;

	sql_open(&q, s, "find an ACME account",
	    by == STORE_ACME_BY_ID ? by_id : by_tag);
	if (by == STORE_ACME_BY_ID)
		sql_put_int(&q, id);
	else
		sql_put_text(&q, tag);
	return find_acme_account(&q, a);
}

enum oc_err
sql_find_acme_key(struct store *s, const uint8_t thumbprint[STORE_HASH_LEN],
    struct store_acme_account *a)
{
	static const char text[] = SELECT_ACME_ACCOUNT
	    " WHERE thumbprint = ? ORDER BY state, id LIMIT 1";
	struct sql q;

	sql_open(&q, s, "find an ACME account", text);
	sql_put_blob(&q, thumbprint, STORE_HASH_LEN);
	return find_acme_account(&q, a);
}

enum oc_err
sql_count_acme_accounts(struct store *s, int64_t account_id,
    int64_t since_at, int64_t *num)
{
	static const char text[] = "SELECT count(*) FROM acme_account"
	    " WHERE account_id = ? AND is_bound = 0 AND created_at >= ?";
	struct sql q;
	bool has_row = false;
	enum oc_err err;

	sql_open(&q, s, "count ACME accounts", text);
	sql_put_int(&q, account_id);
	sql_put_int(&q, since_at);
	err = sql_next(&q, &has_row);
	if (err == OC_OK)
		*num = has_row ? sql_get_int(&q) : 0;
	sql_close(&q);
	return err;
}

enum oc_err
sql_list_acme_accounts(struct store *s, int64_t account_id,
    store_acme_account_fn *fn, void *arg)
{
	struct store_acme_account a = { 0 };
	struct sql q;
	bool has_row = false;
	enum oc_err err;

	sql_open_walk(&q, s, "list ACME accounts", account_id == 0 ?
	    SELECT_ACME_ACCOUNT " ORDER BY id" :
	    SELECT_ACME_ACCOUNT " WHERE account_id = ? ORDER BY id");
	if (account_id != 0)
		sql_put_int(&q, account_id);
	for (;;) {
		err = sql_next(&q, &has_row);
		if (err != OC_OK || !has_row)
			break;
		err = read_acme_account(&q, &a);
		if (err == OC_OK)
			err = fn(arg, &a);
		if (err != OC_OK)
			break;
	}
	sql_close(&q);
	return err;
}
