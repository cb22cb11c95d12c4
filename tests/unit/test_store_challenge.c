/* SPDX-License-Identifier: Apache-2.0 */
/* Is a name somebody's only once it was proven, and does the journal say what
 * was seen at each step? */
#include "store_proof.h"

/* --- one proof ---------------------------------------------------------- */

static void
test_new(void **state)
{
	struct fixture *f = *state;
	int64_t account = add_account(f, "a");
	struct store_authorization a = add_proof(f, account, 0, "a.test"), b;
	struct store_challenge c;

	assert_int_equal(a.state, STORE_PROOF_PENDING);
	assert_int_equal(strlen(a.tag), STORE_TAG_LEN);
	for (uint32_t i = 0; i < 2; i++) {
		assert_int_equal(strlen(a.challenges[i].token),
		    STORE_TOKEN_TEXT_LEN);
		assert_int_equal(a.challenges[i].authorization_id, a.id);
		assert_ok(store_find_challenge(f->store, a.challenges[i].tag,
		    &b, &c));
		assert_memory_equal(&b, &a, sizeof(a));
		assert_memory_equal(&c, &a.challenges[i], sizeof(c));
	}
	assert_string_not_equal(a.challenges[0].token, a.challenges[1].token);
	assert_string_not_equal(a.challenges[0].tag, a.challenges[1].tag);
	b = get_proof(f, a.id);
	assert_memory_equal(&b, &a, sizeof(a));
	assert_ok(store_find_authorization(f->store, a.tag, &b));
	assert_memory_equal(&b, &a, sizeof(a));
	assert_int_equal(store_find_authorization(f->store, "x", &b),
	    OC_ERR_NOT_FOUND);
	/* One that has its token already, and one of no challenge at all. */
	a = proof_of(account, 0, "b.test");
	strcpy(a.challenges[1].token, "mine");
	assert_ok(store_add_authorization(f->store, &a));
	assert_string_equal(get_proof(f, a.id).challenges[1].token, "mine");
	a = (struct store_authorization){ .account_id = account,
		.name = "c.test", .state = STORE_PROOF_VALID,
		.method = STORE_METHOD_OPERATOR, .expires_at = 1 };
	assert_ok(store_add_authorization(f->store, &a));
	assert_true(get_proof(f, a.id).proved_at > 0);
	assert_verifies(f->store);
	assert_int_equal(num_not_json(f), 0);
}

static void
test_refused(void **state)
{
	static const char *const bad[] = { "", ".a", "a.", "a..b", "*.a.test",
		"A.test", "a b", "\xff.test", "a\n.test" };
	struct fixture *f = *state;
	int64_t account = add_account(f, "a");
	struct store_authorization a;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		a = proof_of(account, 0, bad[i]);
		assert_int_equal(store_add_authorization(f->store, &a),
		    OC_ERR_MALFORMED);
		assert_int_equal(a.id, 0);
	}
	a = proof_of(account, 0, "a.test");
	a.challenges[1].method = (enum store_method)8;
	assert_int_equal(store_add_authorization(f->store, &a),
	    OC_ERR_MALFORMED);
	a = proof_of(account, 0, "a.test");
	strcpy(a.challenges[1].token, "a b");
	assert_int_equal(store_add_authorization(f->store, &a),
	    OC_ERR_MALFORMED);
	a = proof_of(account, 0, "a.test");
	a.num_challenges = STORE_CHALLENGES_MAX + 1;
	assert_int_equal(store_add_authorization(f->store, &a), OC_ERR_LIMIT);
	a = proof_of(account, 0, "a.test");
	a.state = STORE_PROOF_VALID;
	assert_int_equal(store_add_authorization(f->store, &a),
	    OC_ERR_MALFORMED);
	a = proof_of(99, 0, "a.test");
	assert_int_equal(store_add_authorization(f->store, &a),
	    OC_ERR_NOT_FOUND);
	assert_int_equal(read_sql(f->path, "SELECT count(*) FROM proof"), 0);
	assert_verifies(f->store);
}

static void
test_methods(void **state)
{
	enum store_method found;

	(void)state;
	for (int i = 1; i <= STORE_METHODS_NUM; i++) {
		assert_ok(store_method_find(store_method_text(
		    (enum store_method)i), &found));
		assert_int_equal(found, i);
	}
	assert_int_equal(store_method_find("tls-alpn-01", &found),
	    OC_ERR_NOT_FOUND);
	assert_string_equal(store_method_text((enum store_method)8),
	    "unknown");
}

/* --- tries -------------------------------------------------------------- */

struct due {
	int num;
	int64_t ids[4];
	int64_t at[4];
};

static enum oc_err
note_due(void *arg, const struct store_authorization *a)
{
	struct due *due = arg;

	assert_int_equal(a->num_challenges, 1);
	assert_in_range(due->num, 0, 3);
	due->ids[due->num] = a->challenges[0].id;
	due->at[due->num++] = a->challenges[0].next_try_at;
	return OC_OK;
}

static struct due
list_due(struct fixture *f, int64_t until_at)
{
	struct due due = { .num = 0 };

	assert_ok(store_list_due_challenges(f->store, oc_clock_now_s(),
	    until_at, 4, note_due, &due));
	return due;
}

static void
test_tries(void **state)
{
	struct fixture *f = *state;
	int64_t account = add_account(f, "a"), now = oc_clock_now_s();
	struct store_authorization a = add_proof(f, account, 0, "a.test");
	struct store_authorization b = add_proof(f, account, 0, "b.test");
	struct store_try t = { .id = a.challenges[0].id, .at = now,
		.next_try_at = now + 60, .problem = "{\"type\":\"dns\"}",
		.seen = "no TXT \"record\" at _ocsign-challenge.a.test" };

	assert_int_equal(list_due(f, now + HOUR).num, 0);
	assert_ok(store_begin_challenge(f->store, t.id, now));
	assert_int_equal(store_begin_challenge(f->store, t.id, now),
	    OC_ERR_EXISTS);
	assert_ok(store_begin_challenge(f->store, b.challenges[1].id,
	    now - 1));
	assert_int_equal(list_due(f, now).num, 2);
	assert_int_equal(list_due(f, now).ids[0], b.challenges[1].id);
	assert_int_equal(list_due(f, now - 1).num, 1);
	/* One looks, and it counts once it has seen something. */
	assert_ok(store_claim_challenge(f->store, t.id, now, now + 30));
	assert_int_equal(store_claim_challenge(f->store, t.id, now, now + 30),
	    OC_ERR_MISMATCH);
	assert_int_equal(list_due(f, now).num, 1);
	assert_int_equal(get_proof(f, a.id).challenges[0].num_tries, 0);
	assert_ok(store_fail_challenge(f->store, &t));
	assert_int_equal(list_due(f, now + 59).num, 1);
	assert_int_equal(list_due(f, now + 60).num, 2);
	assert_verifies(f->store);
	t.next_try_at = 0;
	assert_ok(store_fail_challenge(f->store, &t));
	a = get_proof(f, a.id);
	assert_int_equal(a.state, STORE_PROOF_INVALID);
	assert_int_equal(a.failed_at, now);
	assert_int_equal(a.challenges[0].state, STORE_PROOF_INVALID);
	assert_int_equal(a.challenges[0].num_tries, 2);
	assert_string_equal(a.challenges[0].seen, t.seen);
	assert_string_equal(a.challenges[0].problem, t.problem);
	/* It is over. */
	assert_int_equal(list_due(f, now + HOUR).num, 1);
	assert_int_equal(store_fail_challenge(f->store, &t), OC_ERR_MISMATCH);
	assert_int_equal(try_to_pass(f->store, t.id), OC_ERR_MISMATCH);
	assert_int_equal(store_begin_challenge(f->store, t.id, now),
	    OC_ERR_EXISTS);
	assert_int_equal(store_begin_challenge(f->store, a.challenges[1].id,
	    now), OC_ERR_MISMATCH);
	assert_int_equal(store_deactivate_authorization(f->store, a.id),
	    OC_ERR_EXISTS);
	/* So is what has ended, whoever looked meanwhile. */
	t.id = b.challenges[1].id;
	t.at = b.expires_at;
	assert_int_equal(store_fail_challenge(f->store, &t), OC_ERR_MISMATCH);
	assert_int_equal(store_pass_challenge(f->store, &t, t.at + 1),
	    OC_ERR_MISMATCH);
	assert_int_equal(read_sql(f->path, "SELECT count(*) FROM journal WHERE"
	    " event = 'proof' AND instr(detail, '_ocsign-challenge.a') > 0"),
	    2);
	assert_verifies(f->store);
	assert_int_equal(num_not_json(f), 0);
}

static void
test_text(void **state)
{
	struct fixture *f = *state;
	int64_t now = oc_clock_now_s();
	struct store_authorization a = add_proof(f, add_account(f, "a"), 0,
	    "a.test");
	struct store_try t = { .id = a.challenges[0].id, .at = now,
		.next_try_at = now + 1 };
	char text[STORE_PROBLEM_MAX + 2];

	t.seen = "two\nlines";
	assert_int_equal(store_fail_challenge(f->store, &t),
	    OC_ERR_MALFORMED);
	t.seen = "\xc3";
	assert_int_equal(store_fail_challenge(f->store, &t),
	    OC_ERR_MALFORMED);
	memset(text, '"', sizeof(text));
	text[STORE_SEEN_MAX + 1] = '\0';
	t.seen = text;
	assert_int_equal(store_pass_challenge(f->store, &t, now + 1),
	    OC_ERR_LIMIT);
	/* As long as it may be, and nothing of it fits as it is. */
	text[STORE_SEEN_MAX] = '\0';
	assert_ok(store_fail_challenge(f->store, &t));
	memset(text, '"', sizeof(text));
	text[STORE_PROBLEM_MAX] = '\0';
	t.problem = text;
	t.seen = NULL;
	assert_ok(store_fail_challenge(f->store, &t));
	assert_verifies(f->store);
	assert_int_equal(num_not_json(f), 0);
}

/* --- a proof that holds ------------------------------------------------- */

#define BIT(method) (UINT32_C(1) << (method))

static void
assert_proof(struct fixture *f, struct store_proof_wish wish, int64_t id)
{
	struct store_authorization a;
	enum oc_err err = store_find_proof(f->store, &wish, &a);

	if (id == 0)
		assert_int_equal(err, OC_ERR_NOT_FOUND);
	else if (err != OC_OK)
		fail_msg("%s", store_error(f->store));
	else
		assert_int_equal(a.id, id);
}

static void
test_find_proof(void **state)
{
	struct fixture *f = *state;
	int64_t account = add_account(f, "a"), other = add_account(f, "b");
	int64_t acme = add_acme_account(f, account, 1);
	int64_t now = oc_clock_now_s();
	struct store_authorization old, a, wild;
	struct store_proof_wish wish = { .account_id = account,
		.name = "x.example.com", .now_at = now,
		.methods = BIT(STORE_METHOD_DNS_01) };

	old = add_proof(f, account, acme, "x.example.com");
	assert_proof(f, wish, 0);
	pass(f, &old);
	assert_proof(f, wish, old.id);
	run_sql(f->path, "UPDATE proof SET proved_at = proved_at - 100");
	a = add_proof(f, account, acme, "x.example.com");
	pass(f, &a);
	assert_proof(f, wish, a.id);
	wish.proved_from = now + 100;
	assert_proof(f, wish, 0);
	wish.proved_from = 0;
	wish.now_at = now + 2 * HOUR;
	assert_proof(f, wish, 0);
	wish.now_at = now;
	wish.acme_account_id = acme;
	assert_proof(f, wish, a.id);
	wish.acme_account_id = acme + 1;
	assert_proof(f, wish, 0);
	wish.acme_account_id = 0;
	wish.methods = BIT(STORE_METHOD_HTTP_01);
	assert_proof(f, wish, 0);
	wish.account_id = other;
	wish.methods = ~UINT32_C(0);
	assert_proof(f, wish, 0);
	wish.account_id = account;
	wish.kind = STORE_PROOF_WILDCARD;
	assert_proof(f, wish, 0);
	wild = proof_of(account, acme, "x.example.com");
	wild.is_wildcard = true;
	assert_ok(store_add_authorization(f->store, &wild));
	pass(f, &wild);
	assert_proof(f, wish, wild.id);
	wish.kind = STORE_PROOF_PLAIN;
	assert_proof(f, wish, a.id);
	/* A domain around it, but not the top one, nor one beside it. */
	wish.name = "deep.y.x.example.com";
	wish.kind = STORE_PROOF_ANY;
	assert_proof(f, wish, 0);
	wish.covers = BIT(STORE_METHOD_DNS_01);
	assert_proof(f, wish, wild.id);
	wish.name = "xx.example.com";
	assert_proof(f, wish, 0);
	/* Given back. */
	wish.name = "x.example.com";
	assert_ok(store_deactivate_authorization(f->store, wild.id));
	assert_ok(store_deactivate_authorization(f->store, a.id));
	assert_proof(f, wish, old.id);
	assert_int_equal(store_deactivate_authorization(f->store, a.id),
	    OC_ERR_EXISTS);
	run_sql(f->path, "UPDATE proof SET proved_at = proved_at + 100"
	    " WHERE id = 1");
	assert_verifies(f->store);
}

/* --- zones -------------------------------------------------------------- */

/* A claim is nothing until it is proven, and the first proof wins. */
static void
test_zone(void **state)
{
	struct fixture *f = *state;
	int64_t one = add_account(f, "one"), two = add_account(f, "two");
	struct store_authorization a = add_proof(f, one, 0, "example.com");
	struct store_authorization b = add_proof(f, two, 0, "example.com");
	struct store_authorization inner =
	    add_proof(f, one, 0, "sub.example.com");
	struct store_zone zone;
	int64_t number;

	assert_int_equal(store_find_zone(f->store, "example.com", &zone),
	    OC_ERR_NOT_FOUND);
	pass(f, &b);
	assert_ok(store_find_zone(f->store, "example.com", &zone));
	assert_int_equal(zone.account_id, two);
	assert_string_equal(zone.tag, b.tag);
	assert_int_equal(zone.state, STORE_ZONE_ACTIVE);
	assert_ok(store_begin_challenge(f->store, a.challenges[0].id,
	    oc_clock_now_s()));
	number = read_sql(f->path, "SELECT journal_number FROM store");
	assert_int_equal(try_to_pass(f->store, a.challenges[0].id),
	    OC_ERR_EXISTS);
	assert_int_equal(get_proof(f, a.id).state, STORE_PROOF_PENDING);
	assert_int_equal(try_to_pass(f->store, inner.challenges[0].id),
	    OC_ERR_REFUSED);
	assert_int_equal(read_sql(f->path, "SELECT journal_number FROM"
	    " store"), number);
	/* Once more, by whose it is. */
	b = add_proof(f, two, 0, "example.com");
	pass(f, &b);
	assert_int_equal(get_proof(f, b.id).state, STORE_PROOF_VALID);
	assert_int_equal(read_sql(f->path, "SELECT count(*) FROM zone"), 1);
	/* ACME makes none. */
	a = add_proof(f, one, add_acme_account(f, one, 1), "other.test");
	pass(f, &a);
	assert_int_equal(read_sql(f->path, "SELECT count(*) FROM zone"), 1);
	assert_verifies(f->store);
}

/* --- e-mail ------------------------------------------------------------- */

static void
test_email(void **state)
{
	static const uint8_t hash[STORE_HASH_LEN] = { 1, 2, 3 };
	struct fixture *f = *state;
	int64_t account = add_account(f, "a"), now = oc_clock_now_s();
	struct store_authorization a = proof_of(account, 0, "a.test");
	struct store_try t = { .at = now, .next_try_at = now + 1,
		.seen = "another code" };
	struct store_challenge *c = &a.challenges[0];

	c->method = STORE_METHOD_EMAIL;
	assert_ok(store_add_authorization(f->store, &a));
	assert_int_equal(store_begin_challenge(f->store, c->id, now),
	    OC_ERR_MISMATCH);
	assert_int_equal(store_send_challenge(f->store, a.challenges[1].id,
	    "a@a.test", hash, now), OC_ERR_MISMATCH);
	assert_int_equal(store_send_challenge(f->store, c->id,
	    "a@a.test\r\nBcc: b@b.test", hash, now), OC_ERR_MALFORMED);
	assert_ok(store_send_challenge(f->store, c->id, "admin@a.test", hash,
	    now));
	/* Another message takes the place of the first. */
	assert_ok(store_send_challenge(f->store, c->id, "root@a.test", hash,
	    now + 1));
	t.id = c->id;
	assert_ok(store_fail_challenge(f->store, &t));
	assert_int_equal(list_due(f, now + HOUR).num, 0);
	a = get_proof(f, a.id);
	assert_string_equal(c->address, "root@a.test");
	assert_memory_equal(c->code_hash, hash, sizeof(hash));
	assert_int_equal(c->begun_at, now + 1);
	assert_int_equal(c->num_tries, 3);
	assert_ok(try_to_pass(f->store, c->id));
	assert_int_equal(get_proof(f, a.id).method, STORE_METHOD_EMAIL);
	assert_verifies(f->store);
}

/* --- counts, the end ---------------------------------------------------- */

static void
assert_counts(struct fixture *f, int64_t account, const char *name,
    int64_t pending, int64_t invalid)
{
	int64_t now = oc_clock_now_s(), num_pending, num_invalid;

	assert_ok(store_count_authorizations(f->store, account, name, now,
	    now - HOUR, &num_pending, &num_invalid));
	assert_int_equal(num_pending, pending);
	assert_int_equal(num_invalid, invalid);
}

static enum oc_err
count_one(void *arg, const struct store_authorization *a)
{
	(void)a;
	++*(int *)arg;
	return OC_OK;
}

static int
num_listed(struct fixture *f, int64_t account, int64_t acme,
    const char *name)
{
	int num = 0;

	assert_ok(store_list_authorizations(f->store, account, acme, name,
	    10, count_one, &num));
	return num;
}

static void
test_counts(void **state)
{
	struct fixture *f = *state;
	int64_t account = add_account(f, "a"), now = oc_clock_now_s();
	int64_t acme = add_acme_account(f, account, 1);
	struct store_authorization a = add_proof(f, account, 0, "a.test");
	struct store_try t = { .id = a.challenges[0].id, .at = now };

	add_proof(f, account, 0, "b.test");
	add_proof(f, account, acme, "b.test");
	assert_counts(f, account, NULL, 3, 0);
	assert_ok(store_fail_challenge(f->store, &t));
	assert_counts(f, account, NULL, 2, 1);
	assert_counts(f, account, "a.test", 0, 1);
	assert_counts(f, account, "b.test", 2, 0);
	assert_counts(f, account, ".test", 2, 1);
	assert_counts(f, account, ".a.test", 0, 1);
	assert_counts(f, account, ".est", 0, 0);
	assert_int_equal(num_listed(f, account, 0, NULL), 2);
	assert_int_equal(num_listed(f, account, acme, NULL), 1);
	assert_int_equal(num_listed(f, account, 0, "b.test"), 1);
	assert_int_equal(num_listed(f, 0, 0, "b.test"), 1);
	assert_int_equal(num_listed(f, account + 1, 0, "b.test"), 0);
	run_sql(f->path, "UPDATE proof SET expires_at = 1");
	assert_counts(f, account, NULL, 0, 1);
}

static void
test_prune(void **state)
{
	struct fixture *f = *state;
	int64_t account = add_account(f, "a"), now = oc_clock_now_s();
	struct store_authorization a, zone;
	uint32_t num = 9;

	zone = add_proof(f, account, 0, "zone.test");
	pass(f, &zone);
	for (int i = 0; i < 5; i++)
		a = add_proof(f, account, 0, "a.test");
	assert_ok(store_begin_challenge(f->store, a.challenges[0].id, now));
	assert_ok(store_prune_challenges(f->store, now, 10, &num));
	assert_int_equal(num, 0);
	assert_ok(store_prune_challenges(f->store, now + 2 * HOUR, 3, &num));
	assert_int_equal(num, 3);
	assert_ok(store_prune_challenges(f->store, now + 2 * HOUR, 10, &num));
	assert_int_equal(num, 1);
	/* What a zone stands on, and the newest number, stay. */
	assert_int_equal(read_sql(f->path, "SELECT count(*) FROM proof"), 2);
	assert_int_equal(read_sql(f->path, "SELECT count(*) FROM"
	    " proof_challenge"), 4);
	assert_int_equal(get_proof(f, a.id).challenges[0].next_try_at, 0);
	(void)get_proof(f, zone.id);
	assert_verifies(f->store);
	zone = add_proof(f, account, 0, "b.test");
	assert_int_equal(zone.id, a.id + 1);
	assert_ok(store_prune_challenges(f->store, now + 2 * HOUR, 10, &num));
	assert_int_equal(num, 1);
	assert_verifies(f->store);
	assert_noticed(f, "CREATE TABLE kept AS SELECT * FROM proof WHERE id"
	    " = 7; DELETE FROM proof WHERE id = 7",
	    "INSERT INTO proof SELECT * FROM kept");
}

/* --- by hand ------------------------------------------------------------ */

static void
test_noticed(void **state)
{
	struct fixture *f = *state;
	struct store_authorization a = add_proof(f, add_account(f, "a"), 0,
	    "a.test");

	add_account(f, "b");
	pass(f, &a);
	assert_noticed(f, "UPDATE proof SET name = 'b.test'",
	    "UPDATE proof SET name = 'a.test'");
	assert_noticed(f, "UPDATE proof SET account_id = 2",
	    "UPDATE proof SET account_id = 1");
	assert_noticed(f, "UPDATE proof SET expires_at = expires_at + 1",
	    "UPDATE proof SET expires_at = expires_at - 1");
	assert_noticed(f, "UPDATE proof SET method = 2",
	    "UPDATE proof SET method = 1");
	assert_noticed(f, "UPDATE proof_challenge SET token = '!' || token"
	    " WHERE id = 2", "UPDATE proof_challenge SET token ="
	    " substr(token, 2) WHERE id = 2");
	assert_noticed(f, "UPDATE proof_challenge SET seen = seen || 'a'"
	    " WHERE id = 1", "UPDATE proof_challenge SET seen ="
	    " substr(seen, 1, length(seen) - 1) WHERE id = 1");
	assert_noticed(f, "UPDATE proof_challenge SET state = 2 WHERE id = 2",
	    "UPDATE proof_challenge SET state = 1 WHERE id = 2");
	assert_noticed(f, "UPDATE proof_challenge SET code_hash = x'01010101"
	    "01010101010101010101010101010101010101010101010101010101'"
	    " WHERE id = 2", "UPDATE proof_challenge SET code_hash = NULL");
	assert_noticed(f, "INSERT INTO proof (id, tag, account_id, name,"
	    " is_wildcard, state, created_at, expires_at) VALUES (2,"
	    " '0123456789abcdef0123456789abcdef', 1, 'c.test', 0, 2, 1, 1)",
	    "DELETE FROM proof WHERE id = 2");
}

/* --- several processes -------------------------------------------------- */

static int
pass_attempt(struct store *store, int64_t id)
{
	enum oc_err err = try_to_pass(store, id);

	return err == OC_OK ? 0 : err == OC_ERR_MISMATCH ? 1 : 2;
}

static int
claim_attempt(struct store *store, int64_t id)
{
	enum oc_err err = store_claim_challenge(store, id, 1000, 2000);

	return err == OC_OK ? 0 : err == OC_ERR_MISMATCH ? 1 : 2;
}

static void
test_race(void **state)
{
	struct fixture *f = *state;
	int64_t account = add_account(f, "a");
	struct store_authorization a = add_proof(f, account, 0, "a.test");

	assert_ok(store_begin_challenge(f->store, a.challenges[0].id, 1000));
	assert_int_equal(race(f, claim_attempt, a.challenges[0].id), 1);
	assert_int_equal(race(f, pass_attempt, a.challenges[0].id), 1);
	assert_int_equal(get_proof(f, a.id).challenges[0].num_tries, 1);
	assert_int_equal(read_sql(f->path, "SELECT count(*) FROM zone"), 1);
	assert_verifies(f->store);
}

/* In a group, and the group given up. */
static void
test_group(void **state)
{
	struct fixture *f = *state;
	int64_t account = add_account(f, "a");
	struct store_authorization a = add_proof(f, account, 0, "a.test"), b;

	assert_ok(store_begin_group(f->store));
	b = add_proof(f, account, 0, "b.test");
	pass(f, &b);
	pass(f, &a);
	store_abandon_group(f->store);
	assert_int_equal(get_proof(f, a.id).state, STORE_PROOF_PENDING);
	assert_int_equal(store_get_authorization(f->store, b.id, &b),
	    OC_ERR_NOT_FOUND);
	assert_ok(store_begin_group(f->store));
	pass(f, &a);
	assert_int_equal(try_to_pass(f->store, a.challenges[0].id),
	    OC_ERR_MISMATCH);
	assert_ok(store_commit_group(f->store));
	assert_int_equal(get_proof(f, a.id).state, STORE_PROOF_VALID);
	assert_verifies(f->store);
}

int
main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup_store, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_new),
		TEST(test_refused),
		cmocka_unit_test(test_methods),
		TEST(test_tries),
		TEST(test_text),
		TEST(test_find_proof),
		TEST(test_zone),
		TEST(test_email),
		TEST(test_counts),
		TEST(test_prune),
		TEST(test_noticed),
		TEST(test_race),
		TEST(test_group)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
