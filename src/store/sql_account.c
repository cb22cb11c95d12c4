/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of accounts and of their tokens. */
#include "store/sql.h"

/* --- accounts ----------------------------------------------------------- */

#define SELECT_ACCOUNT \
	"SELECT id, tag, name, email, state, live_max, period_max, period_s," \
	" created_at FROM account"

static void
put_email(struct sql *q, const char *email)
{
	if (email[0] == '\0')
		sql_put_null(q);
	else
		sql_put_text(q, email);
}

enum oc_err
sql_add_account(struct store *s, const struct store_account *account,
    int64_t *id)
{
	static const char text[] = "INSERT INTO account (id, tag, name,"
	    " email, state, live_max, period_max, period_s, created_at)"
	    " VALUES ((SELECT coalesce(max(id), 0) + 1 FROM account),"
	    " ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id";
	struct sql q;
	enum oc_err err;

	sql_open(&q, s, "add an account", text);
	sql_put_text(&q, account->tag);
	sql_put_text(&q, account->name);
	put_email(&q, account->email);
	sql_put_int(&q, account->state);
	sql_put_int(&q, account->live_max);
	sql_put_int(&q, account->period_max);
	sql_put_int(&q, account->period_s);
	sql_put_int(&q, account->created_at);
	err = sql_run(&q);
	if (err == OC_OK)
		*id = sql_last_id(s);
	return err;
}

enum oc_err
sql_set_account(struct store *s, const struct store_account *account)
{
	static const char text[] = "UPDATE account SET email = ?, state = ?,"
	    " live_max = ?, period_max = ?, period_s = ? WHERE id = ?";
	struct sql q;

	sql_open(&q, s, "change an account", text);
	put_email(&q, account->email);
	sql_put_int(&q, account->state);
	sql_put_int(&q, account->live_max);
	sql_put_int(&q, account->period_max);
	sql_put_int(&q, account->period_s);
	sql_put_int(&q, account->id);
	return sql_run(&q);
}

static void
read_account(struct sql *q, struct store_account *account)
{
	account->id = sql_get_int(q);
	sql_get_text_fixed(q, account->tag, sizeof(account->tag));
	sql_get_text_fixed(q, account->name, sizeof(account->name));
	sql_get_text_fixed(q, account->email, sizeof(account->email));
	account->state = (enum store_account_state)sql_get_int(q);
	account->live_max = sql_get_int(q);
	account->period_max = sql_get_int(q);
	account->period_s = sql_get_int(q);
	account->created_at = sql_get_int(q);
}

enum oc_err
sql_find_account(struct store *s, enum store_account_by by, int64_t id,
    const char *text, struct store_account *account)
{
	static const char by_id[] = SELECT_ACCOUNT " WHERE id = ?";
	static const char by_name[] = SELECT_ACCOUNT " WHERE name = ?";
	static const char by_email[] = SELECT_ACCOUNT " WHERE email = ?";
	struct sql q;
	bool has_row = false;
	enum oc_err err;

	if (by == STORE_BY_ID) {
		sql_open(&q, s, "read an account", by_id);
		sql_put_int(&q, id);
	} else {
		sql_open(&q, s, "find an account",
		    by == STORE_BY_NAME ? by_name : by_email);
		sql_put_text(&q, text);
	}
	err = sql_next(&q, &has_row);
	if (err == OC_OK && !has_row)
		err = by == STORE_BY_NAME ? store_fail(s, OC_ERR_NOT_FOUND,
		    "there is no account %s", text) : store_fail(s,
		    OC_ERR_NOT_FOUND, "there is no such account");
	if (err == OC_OK)
		read_account(&q, account);
	sql_close(&q);
	return err;
}

enum oc_err
sql_list_accounts(struct store *s, store_account_fn *fn, void *arg)
{
	struct store_account account;
	struct sql q;
	bool has_row = false;
	enum oc_err err;

	sql_open_once(&q, s, "list accounts", SELECT_ACCOUNT " ORDER BY name");
	for (;;) {
		err = sql_next(&q, &has_row);
		if (err != OC_OK || !has_row)
			break;
		read_account(&q, &account);
		err = fn(arg, &account);
		if (err != OC_OK)
			break;
	}
	sql_close(&q);
	return err;
}

static enum oc_err
read_count(struct sql *q, int64_t *num)
{
	bool has_row = false;
	enum oc_err err;

	err = sql_next(q, &has_row);
	if (err == OC_OK)
		*num = has_row ? sql_get_int(q) : 0;
	sql_close(q);
	return err;
}

enum oc_err
sql_count_live(struct store *s, int64_t account_id, int64_t now_at,
    int64_t pending_at, int64_t *num)
{
	static const char text[] = "SELECT count(*)"
	    " FROM certificate_request r JOIN certificate c ON c.id = r.id"
	    " WHERE r.account_id = ? AND c.revoked_at IS NULL"
	    " AND c.not_after >= ? AND (c.state = 2"
	    " OR (r.is_current = 1 AND r.reserved_at > ?))";
	struct sql q;

	sql_open(&q, s, "count live certificates", text);
	sql_put_int(&q, account_id);
	sql_put_int(&q, now_at);
	sql_put_int(&q, pending_at);
	return read_count(&q, num);
}

enum oc_err
sql_count_reserved(struct store *s, int64_t account_id, int64_t after_at,
    int64_t *num)
{
	static const char text[] = "SELECT count(*)"
	    " FROM certificate_request r JOIN certificate c ON c.id = r.id"
	    " WHERE r.account_id = ? AND r.reserved_at > ?"
	    " AND (c.state = 2 OR r.is_current = 1)";
	struct sql q;

	sql_open(&q, s, "count recent certificates", text);
	sql_put_int(&q, account_id);
	sql_put_int(&q, after_at);
	return read_count(&q, num);
}

/* --- tokens ------------------------------------------------------------- */

#define SELECT_TOKEN \
	"SELECT id, account_id, kind, prefix, label, hash, created_at," \
	" expires_at, revoked_at, used_at FROM account_token"

enum oc_err
sql_add_token(struct store *s, const struct store_token *token,
    int64_t *id)
{
	static const char text[] = "INSERT INTO account_token (id,"
	    " account_id, kind, prefix, label, hash, created_at, expires_at)"
	    " VALUES ((SELECT coalesce(max(id), 0) + 1 FROM account_token),"
	    " ?, ?, ?, ?, ?, ?, ?) RETURNING id";
	struct sql q;
	enum oc_err err;

	sql_open(&q, s, "add a token", text);
	sql_put_int(&q, token->account_id);
	sql_put_int(&q, token->kind);
	sql_put_text(&q, token->prefix);
	sql_put_text(&q, token->label);
	sql_put_blob(&q, token->hash, sizeof(token->hash));
	sql_put_int(&q, token->created_at);
	sql_put_int(&q, token->expires_at);
	err = sql_run(&q);
	if (err == OC_OK)
		*id = sql_last_id(s);
	return err;
}

enum oc_err
sql_set_token(struct store *s, const struct store_token *token)
{
	static const char text[] = "UPDATE account_token SET revoked_at = ?,"
	    " used_at = ? WHERE id = ?";
	struct sql q;

	sql_open(&q, s, "change a token", text);
	sql_put_int(&q, token->revoked_at);
	sql_put_int(&q, token->used_at);
	sql_put_int(&q, token->id);
	return sql_run(&q);
}

static enum oc_err
read_token(struct sql *q, struct store_token *token)
{
	enum oc_err err;

	token->id = sql_get_int(q);
	token->account_id = sql_get_int(q);
	token->kind = (enum store_token_kind)sql_get_int(q);
	sql_get_text_fixed(q, token->prefix, sizeof(token->prefix));
	sql_get_text_fixed(q, token->label, sizeof(token->label));
	err = sql_get_hash(q, token->hash);
	token->created_at = sql_get_int(q);
	token->expires_at = sql_get_int(q);
	token->revoked_at = sql_get_int(q);
	token->used_at = sql_get_int(q);
	return err;
}

enum oc_err
sql_find_token(struct store *s, enum store_token_by by, int64_t id,
    const char *prefix, struct store_token *token)
{
	static const char by_id[] = SELECT_TOKEN " WHERE id = ?";
	static const char by_prefix[] = SELECT_TOKEN " WHERE prefix = ?";
	struct store_token read;
	struct sql q;
	bool has_row = false;
	enum oc_err err;

	sql_open(&q, s, "find a token",
	    by == STORE_TOKEN_BY_ID ? by_id : by_prefix);
	if (by == STORE_TOKEN_BY_ID)
		sql_put_int(&q, id);
	else
		sql_put_text(&q, prefix);
	err = sql_next(&q, &has_row);
	if (err == OC_OK && !has_row)
		err = store_fail(s, OC_ERR_NOT_FOUND, "there is no such "
		    "token");
	if (err == OC_OK)
		err = read_token(&q, &read);
	sql_close(&q);
	if (err == OC_OK)
		*token = read;
	return err;
}

enum oc_err
sql_list_tokens(struct store *s, int64_t account_id, store_token_fn *fn,
    void *arg)
{
	struct store_token token;
	struct sql q;
	bool has_row = false;
	enum oc_err err;

	sql_open_once(&q, s, "list tokens",
	    SELECT_TOKEN " WHERE account_id = ? ORDER BY id");
	sql_put_int(&q, account_id);
	for (;;) {
		err = sql_next(&q, &has_row);
		if (err != OC_OK || !has_row)
			break;
		err = read_token(&q, &token);
		if (err == OC_OK)
			err = fn(arg, &token);
		if (err != OC_OK)
			break;
	}
	sql_close(&q);
	return err;
}
