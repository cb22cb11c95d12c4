/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of proofs and of their challenges. */
#include <stdio.h>
#include <string.h>

#include "store/sql.h"

static void
put_id(struct sql *q, int64_t id)
{
	if (id == 0)
		sql_put_null(q);
	else
		sql_put_int(q, id);
}

/* --- challenges --------------------------------------------------------- */

static bool
has_code(const struct store_challenge *c)
{
	static const uint8_t none[STORE_HASH_LEN];

	return memcmp(c->code_hash, none, sizeof(none)) != 0;
}

enum oc_err
sql_add_challenge(struct store *s, const struct store_challenge *c,
    int64_t *id)
{
	static const char text[] = "INSERT INTO proof_challenge (id, tag,"
	    " proof_id, method, token, state) VALUES ((SELECT"
	    " coalesce(max(id), 0) + 1 FROM proof_challenge), ?, ?, ?, ?, ?)"
	    " RETURNING id";
	struct sql q;
	enum oc_err err;

	sql_open(&q, s, "add a challenge", text);
	sql_put_text(&q, c->tag);
	sql_put_int(&q, c->authorization_id);
	sql_put_int(&q, c->method);
	sql_put_text(&q, c->token);
	sql_put_int(&q, c->state);
	err = sql_run(&q);
	if (err == OC_OK)
		*id = sql_last_id(s);
	return err;
}

enum oc_err
sql_set_challenge(struct store *s, const struct store_challenge *c)
{
	static const char text[] = "UPDATE proof_challenge SET state = ?,"
	    " begun_at = ?, num_tries = ?, next_try_at = ?, validated_at = ?,"
	    " problem = ?, seen = ?, address = ?, code_hash = ?"
	    " WHERE id = ?";
	struct sql q;

	sql_open(&q, s, "change a challenge", text);
	sql_put_int(&q, c->state);
	sql_put_int(&q, c->begun_at);
	sql_put_int(&q, c->num_tries);
	sql_put_int(&q, c->next_try_at);
	sql_put_int(&q, c->validated_at);
	sql_put_text(&q, c->problem);
	sql_put_text(&q, c->seen);
	sql_put_text(&q, c->address);
	if (has_code(c))
		sql_put_blob(&q, c->code_hash, sizeof(c->code_hash));
	else
		sql_put_null(&q);
	sql_put_int(&q, c->id);
	return sql_run(&q);
}

enum oc_err
sql_plan_challenge(struct store *s, int64_t id, int64_t next_try_at)
{
	static const char text[] =
	    "UPDATE proof_challenge SET next_try_at = ? WHERE id = ?";
	struct sql q;

	sql_open(&q, s, "plan a challenge", text);
	sql_put_int(&q, next_try_at);
	sql_put_int(&q, id);
	return sql_run(&q);
}

static enum oc_err
read_challenge(struct sql *q, struct store_challenge *c)
{
	enum oc_err err = OC_OK;

	memset(c, 0, sizeof(*c));
	c->id = sql_get_int(q);
	sql_get_text_fixed(q, c->tag, sizeof(c->tag));
	c->authorization_id = sql_get_int(q);
	c->method = (enum store_method)sql_get_int(q);
	sql_get_text_fixed(q, c->token, sizeof(c->token));
	c->state = (enum store_proof_state)sql_get_int(q);
	c->begun_at = sql_get_int(q);
	c->num_tries = (uint32_t)sql_get_int(q);
	c->next_try_at = sql_get_int(q);
	c->validated_at = sql_get_int(q);
	sql_get_text_fixed(q, c->problem, sizeof(c->problem));
	sql_get_text_fixed(q, c->seen, sizeof(c->seen));
	sql_get_text_fixed(q, c->address, sizeof(c->address));
	if (!sql_get_is_null(q))
		err = sql_get_hash(q, c->code_hash);
	return err;
}

static enum oc_err
read_challenges(struct store *s, struct store_authorization *a)
{
	static const char text[] = "SELECT id, tag, proof_id, method, token,"
	    " state, begun_at, num_tries, next_try_at, validated_at, problem,"
	    " seen, address, code_hash FROM proof_challenge"
	    " WHERE proof_id = ? ORDER BY id";
	struct sql q;
	bool has_row = false;
	enum oc_err err;

	a->num_challenges = 0;
	sql_open(&q, s, "read challenges", text);
	sql_put_int(&q, a->id);
	for (;;) {
		err = sql_next(&q, &has_row);
		if (err != OC_OK || !has_row)
			break;
		if (a->num_challenges == STORE_CHALLENGES_MAX) {
			err = store_fail(s, OC_ERR_STORE, "the records are "
			    "damaged: more than %d challenges of one proof: "
			    "restore a backup", STORE_CHALLENGES_MAX);
			break;
		}
		err = read_challenge(&q, &a->challenges[a->num_challenges++]);
		if (err != OC_OK)
			break;
	}
	sql_close(&q);
	return err;
}

/* --- one ---------------------------------------------------------------- */

#define SELECT_PROOF \
	"SELECT id, tag, account_id, acme_account_id, name, is_wildcard," \
	" state, created_at, expires_at, proved_at, failed_at, method," \
	" touched_id FROM proof"

enum oc_err
sql_add_proof(struct store *s, const struct store_authorization *a,
    int64_t *id)
{
	static const char text[] = "INSERT INTO proof (id, tag, account_id,"
	    " acme_account_id, name, is_wildcard, state, created_at,"
	    " expires_at, proved_at, method) VALUES ("
	    "(SELECT coalesce(max(id), 0) + 1 FROM proof),"
	    " ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id";
	struct sql q;
	enum oc_err err;

	sql_open(&q, s, "add a proof", text);
	sql_put_text(&q, a->tag);
	sql_put_int(&q, a->account_id);
	put_id(&q, a->acme_account_id);
	sql_put_text(&q, a->name);
	sql_put_int(&q, a->is_wildcard);
	sql_put_int(&q, a->state);
	sql_put_int(&q, a->created_at);
	sql_put_int(&q, a->expires_at);
	sql_put_int(&q, a->proved_at);
	sql_put_int(&q, a->method);
	err = sql_run(&q);
	if (err == OC_OK)
		*id = sql_last_id(s);
	return err;
}

enum oc_err
sql_set_proof(struct store *s, const struct store_authorization *a)
{
	static const char text[] = "UPDATE proof SET state = ?,"
	    " expires_at = ?, proved_at = ?, failed_at = ?, method = ?,"
	    " touched_id = ? WHERE id = ?";
	struct sql q;

	sql_open(&q, s, "change a proof", text);
	sql_put_int(&q, a->state);
	sql_put_int(&q, a->expires_at);
	sql_put_int(&q, a->proved_at);
	sql_put_int(&q, a->failed_at);
	sql_put_int(&q, a->method);
	sql_put_int(&q, a->touched_id);
	sql_put_int(&q, a->id);
	return sql_run(&q);
}

static void
read_proof(struct sql *q, struct store_authorization *a)
{
	a->id = sql_get_int(q);
	sql_get_text_fixed(q, a->tag, sizeof(a->tag));
	a->account_id = sql_get_int(q);
	a->acme_account_id = sql_get_int(q);	/* NULL reads as 0 */
	sql_get_text_fixed(q, a->name, sizeof(a->name));
	a->is_wildcard = sql_get_int(q) != 0;
	a->state = (enum store_proof_state)sql_get_int(q);
	a->created_at = sql_get_int(q);
	a->expires_at = sql_get_int(q);
	a->proved_at = sql_get_int(q);
	a->failed_at = sql_get_int(q);
	a->method = (enum store_method)sql_get_int(q);
	a->touched_id = sql_get_int(q);
}

enum oc_err
sql_find_proof(struct store *s, enum store_proof_by by, int64_t id,
    const char *text, struct store_authorization *a)
{
	static const char by_id[] = SELECT_PROOF " WHERE id = ?";
	static const char by_tag[] = SELECT_PROOF " WHERE tag = ?";
	static const char by_challenge[] = SELECT_PROOF " WHERE id ="
	    " (SELECT proof_id FROM proof_challenge WHERE id = ?)";
	static const char by_challenge_tag[] = SELECT_PROOF " WHERE id ="
	    " (SELECT proof_id FROM proof_challenge WHERE tag = ?)";
	static const char *const texts[] = {
		[STORE_PROOF_BY_ID] = by_id,
		[STORE_PROOF_BY_TAG] = by_tag,
		[STORE_PROOF_BY_CHALLENGE] = by_challenge,
		[STORE_PROOF_BY_CHALLENGE_TAG] = by_challenge_tag
	};
	struct store_authorization read = { 0 };
	struct sql q;
	bool has_row = false;
	enum oc_err err;

	sql_open(&q, s, "find a proof", texts[by]);
	if (by == STORE_PROOF_BY_ID || by == STORE_PROOF_BY_CHALLENGE)
		sql_put_int(&q, id);
	else
		sql_put_text(&q, text);
	err = sql_next(&q, &has_row);
	if (err == OC_OK && !has_row)
		err = store_fail(s, OC_ERR_NOT_FOUND,
		    "there is no such proof");
	if (err == OC_OK)
		read_proof(&q, &read);
	sql_close(&q);
	if (err == OC_OK)
		err = read_challenges(s, &read);
	if (err == OC_OK)
		*a = read;
	return err;
}

/* --- lists -------------------------------------------------------------- */

/* Of each row that q gives: the proof's id, and the challenge that alone is
 * meant, or 0. */
static enum oc_err
walk(struct sql *q, store_challenge_fn *fn, void *arg)
{
	struct store_authorization a;
	bool has_row = false;
	enum oc_err err;

	for (;;) {
		int64_t id, challenge_id;

		err = sql_next(q, &has_row);
		if (err != OC_OK || !has_row)
			break;
		id = sql_get_int(q);
		challenge_id = sql_get_int(q);
		err = sql_find_proof(q->store, STORE_PROOF_BY_ID, id, NULL,
		    &a);
		for (uint32_t i = 0; challenge_id != 0 && err == OC_OK &&
		    i < a.num_challenges; i++)
			if (a.challenges[i].id == challenge_id) {
				if (i > 0)
					a.challenges[0] = a.challenges[i];
				a.num_challenges = 1;
			}
		if (err == OC_OK)
			err = fn(arg, &a);
		if (err != OC_OK)
			break;
	}
	sql_close(q);
	return err;
}

enum oc_err
sql_list_valid_proofs(struct store *s, int64_t account_id, const char *name,
    int64_t proved_from, store_challenge_fn *fn, void *arg)
{
	static const char text[] = "SELECT id, 0 FROM proof WHERE state = 2"
	    " AND name = ? AND account_id = ? AND proved_at >= ?"
	    " ORDER BY proved_at DESC";
	struct sql q;

	sql_open(&q, s, "find a proof", text);
	sql_put_text(&q, name);
	sql_put_int(&q, account_id);
	sql_put_int(&q, proved_from);
	return walk(&q, fn, arg);
}

/* By e-mail (4) and the operator's word (7) there is nothing to look at. */
enum oc_err
sql_list_due(struct store *s, int64_t now_at, int64_t until_at,
    uint32_t num_max, store_challenge_fn *fn, void *arg)
{
	static const char text[] = "SELECT p.id, c.id FROM proof_challenge c"
	    " JOIN proof p ON p.id = c.proof_id WHERE c.next_try_at <> 0"
	    " AND c.next_try_at <= ? AND c.state = 1"
	    " AND c.method NOT IN (4, 7) AND p.state = 1"
	    " AND p.expires_at > ? ORDER BY c.next_try_at LIMIT ?";
	struct sql q;

	sql_open(&q, s, "list due challenges", text);
	sql_put_int(&q, until_at);
	sql_put_int(&q, now_at);
	sql_put_int(&q, num_max);
	return walk(&q, fn, arg);
}

enum oc_err
sql_list_proofs(struct store *s, int64_t account_id, int64_t acme_account_id,
    const char *name, uint32_t num_max, store_challenge_fn *fn, void *arg)
{
	static const char of_account[] = "SELECT id, 0 FROM proof"
	    " WHERE account_id = ?1 AND coalesce(acme_account_id, 0) = ?2"
	    " ORDER BY id DESC LIMIT ?3";
	static const char of_name[] = "SELECT id, 0 FROM proof"
	    " WHERE name = ?1 AND (account_id = ?2 OR ?2 = 0)"
	    " AND coalesce(acme_account_id, 0) = ?3"
	    " ORDER BY id DESC LIMIT ?4";
	struct sql q;

	sql_open(&q, s, "list proofs", name == NULL ? of_account : of_name);
	if (name != NULL)
		sql_put_text(&q, name);
	sql_put_int(&q, account_id);
	sql_put_int(&q, acme_account_id);
	sql_put_int(&q, num_max);
	return walk(&q, fn, arg);
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

/* Of any name, of one, of one and all below it. */
struct count_texts {
	const char *of_all, *of_name, *of_domain;
};

/* name NULL: any; ".example.com": example.com and all below. */
static enum oc_err
count_for(struct store *s, const struct count_texts *texts,
    int64_t account_id, const char *name, int64_t at, int64_t *num)
{
	bool is_domain = name != NULL && name[0] == '.';
	char like[STORE_ZONE_NAME_MAX + 3];
	struct sql q;

	sql_open(&q, s, "count proofs", name == NULL ? texts->of_all :
	    is_domain ? texts->of_domain : texts->of_name);
	sql_put_int(&q, account_id);
	snprintf(like, sizeof(like), "%%%s", name == NULL ? "" : name);
	if (name != NULL)
		sql_put_text(&q, is_domain ? like : name);
	sql_put_int(&q, at);
	return read_count(&q, num);
}

enum oc_err
sql_count_pending(struct store *s, int64_t account_id, const char *name,
    int64_t now_at, int64_t *num)
{
	static const struct count_texts texts = {
		"SELECT count(*) FROM proof WHERE state = 1"
		" AND account_id = ? AND expires_at > ?",
		"SELECT count(*) FROM proof WHERE state = 1"
		" AND account_id = ? AND name = ? AND expires_at > ?",
		"SELECT count(*) FROM proof WHERE state = 1"
		" AND account_id = ? AND '.' || name LIKE ?"
		" AND expires_at > ?"
	};

	return count_for(s, &texts, account_id, name, now_at, num);
}

enum oc_err
sql_count_failed(struct store *s, int64_t account_id, const char *name,
    int64_t since_at, int64_t *num)
{
	static const struct count_texts texts = {
		"SELECT count(*) FROM proof WHERE state = 3"
		" AND account_id = ? AND failed_at >= ?",
		"SELECT count(*) FROM proof WHERE state = 3"
		" AND account_id = ? AND name = ? AND failed_at >= ?",
		"SELECT count(*) FROM proof WHERE state = 3"
		" AND account_id = ? AND '.' || name LIKE ?"
		" AND failed_at >= ?"
	};

	return count_for(s, &texts, account_id, name, since_at, num);
}

/* --- the end ------------------------------------------------------------ */

/* Not the newest, so that its number does not come again. */
enum oc_err
sql_list_ended_proofs(struct store *s, int64_t from_at, int64_t before_at,
    uint32_t num_max, struct store_ended *ended, uint32_t *num)
{
	static const char text[] = "SELECT id, expires_at, CASE WHEN EXISTS"
	    " (SELECT 1 FROM acme_order_proof o WHERE o.proof_id = p.id)"
	    " OR (acme_account_id IS NULL AND proved_at <> 0)"
	    " THEN 1 ELSE 0 END FROM proof p"
	    " WHERE expires_at >= ? AND expires_at < ?"
	    " AND id < (SELECT max(id) FROM proof)"
	    " ORDER BY expires_at LIMIT ?";
	struct sql q;
	bool has_row = false;
	enum oc_err err;

	*num = 0;
	sql_open(&q, s, "list proofs that ended", text);
	sql_put_int(&q, from_at);
	sql_put_int(&q, before_at);
	sql_put_int(&q, num_max);
	for (;;) {
		err = sql_next(&q, &has_row);
		if (err != OC_OK || !has_row || *num == num_max)
			break;
		ended[*num].id = sql_get_int(&q);
		ended[*num].expires_at = sql_get_int(&q);
		ended[(*num)++].is_kept = sql_get_int(&q) != 0;
	}
	sql_close(&q);
	return err;
}

enum oc_err
sql_remove_proof(struct store *s, int64_t id)
{
	static const char challenges[] =
	    "DELETE FROM proof_challenge WHERE proof_id = ?";
	static const char text[] = "DELETE FROM proof WHERE id = ?";
	struct sql q;
	enum oc_err err;

	sql_open(&q, s, "remove challenges", challenges);
	sql_put_int(&q, id);
	err = sql_run(&q);
	if (err != OC_OK)
		return err;
	sql_open(&q, s, "remove a proof", text);
	sql_put_int(&q, id);
	return sql_run(&q);
}

enum oc_err
sql_drop_plans(struct store *s, int64_t before_at)
{
	static const char text[] = "UPDATE proof_challenge SET next_try_at = 0"
	    " WHERE next_try_at <> 0 AND next_try_at < ?1 AND EXISTS"
	    " (SELECT 1 FROM proof p WHERE p.id = proof_challenge.proof_id"
	    " AND p.expires_at < ?1)";
	struct sql q;

	sql_open(&q, s, "drop plans", text);
	sql_put_int(&q, before_at);
	return sql_run(&q);
}
