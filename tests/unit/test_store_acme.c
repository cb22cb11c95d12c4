/* SPDX-License-Identifier: Apache-2.0 */
/* ACME's accounts: is a key for external account binding used once, and an
 * account one key's, whoever asks with it at the same time? */
#include "store_proof.h"

/* --- keys for external account binding ---------------------------------- */

static struct store_eab_key
add_eab_key(struct fixture *f, int64_t account_id)
{
	struct store_eab_key key = { .account_id = account_id,
		.label = "ops" };

	assert_ok(store_add_eab_key(f->store, &key));
	return key;
}

static enum oc_err
find_eab_key(struct fixture *f, const char *kid)
{
	struct store_eab_key key;

	return store_find_eab_key(f->store, kid, oc_clock_now_s(), &key);
}

static enum oc_err
count_eab_key(void *arg, const struct store_eab_key *key)
{
	static const uint8_t zeros[STORE_HMAC_KEY_LEN];

	assert_memory_equal(key->hmac, zeros, sizeof(zeros));
	++*(int *)arg;
	return OC_OK;
}

/* A client's command line would take it for an option: one of 64 began so. */
static void
test_eab_without_hyphen(void **state)
{
	struct fixture *f = *state;
	int64_t account = add_account(f, "a");

	for (int i = 0; i < 300; i++)
		assert_int_not_equal(add_eab_key(f, account).hmac[0] >> 2, 62);
}

static void
test_eab(void **state)
{
	struct fixture *f = *state;
	int64_t account = add_account(f, "a"), other = add_account(f, "b");
	struct store_eab_key key = add_eab_key(f, account), found, second;
	struct store_acme_account a = acme_account_of(other, 1);
	struct store_account row;
	int64_t unbound;
	int num = 0;

	assert_ok(store_find_eab_key(f->store, key.kid, oc_clock_now_s(),
	    &found));
	assert_memory_equal(&found, &key, sizeof(key));
	assert_int_equal(find_eab_key(f, "x"), OC_ERR_NOT_FOUND);
	/* Another account's, then once, and never again. */
	assert_int_equal(store_add_acme_account(f->store, &a, key.id),
	    OC_ERR_REFUSED);
	assert_int_equal(read_sql(f->path, "SELECT count(*) FROM"
	    " acme_account"), 0);
	a = acme_account_of(account, 1);
	assert_ok(store_add_acme_account(f->store, &a, key.id));
	assert_true(a.is_bound);
	assert_ok(store_count_acme_accounts(f->store, account, 0, &unbound));
	assert_int_equal(unbound, 0);
	a = acme_account_of(account, 2);
	assert_int_equal(store_add_acme_account(f->store, &a, key.id),
	    OC_ERR_REFUSED);
	assert_int_equal(find_eab_key(f, key.kid), OC_ERR_REFUSED);
	assert_non_null(strstr(store_error(f->store), "used already"));
	assert_int_equal(read_sql(f->path, "SELECT count(*) FROM"
	    " acme_external_key WHERE hmac = zeroblob(32)"), 1);
	/* Revoked: its secret is gone, too. */
	second = add_eab_key(f, account);
	assert_memory_not_equal(second.hmac, key.hmac, sizeof(key.hmac));
	assert_string_not_equal(second.kid, key.kid);
	assert_int_equal(store_revoke_eab_key(f->store, other, second.kid),
	    OC_ERR_NOT_FOUND);
	assert_ok(store_revoke_eab_key(f->store, account, second.kid));
	assert_int_equal(store_revoke_eab_key(f->store, account, second.kid),
	    OC_ERR_EXISTS);
	assert_int_equal(find_eab_key(f, second.kid), OC_ERR_REFUSED);
	assert_int_equal(store_add_acme_account(f->store, &a, second.id),
	    OC_ERR_REFUSED);
	assert_int_equal(read_sql(f->path, "SELECT count(*) FROM"
	    " acme_external_key WHERE hmac = zeroblob(32)"), 2);
	/* Expired, and of an account that is disabled. */
	second = add_eab_key(f, account);
	second.expires_at = 1;
	assert_ok(store_add_eab_key(f->store, &second));
	assert_int_equal(find_eab_key(f, second.kid), OC_ERR_REFUSED);
	second = add_eab_key(f, account);
	assert_ok(find_eab_key(f, second.kid));
	assert_ok(store_get_account(f->store, account, &row));
	row.state = STORE_ACCOUNT_DISABLED;
	assert_ok(store_change_account(f->store, &row));
	assert_int_equal(find_eab_key(f, second.kid), OC_ERR_REFUSED);
	assert_ok(store_list_eab_keys(f->store, account, count_eab_key,
	    &num));
	assert_int_equal(num, 5);
	assert_verifies(f->store);
	assert_int_equal(num_not_json(f), 0);
}

/* No secret is in the journal, whatever was done with it. */
static void
test_secret(void **state)
{
	struct fixture *f = *state;
	struct store_eab_key key = add_eab_key(f, add_account(f, "a"));
	struct store_acme_account a = acme_account_of(key.account_id, 1);
	char hex[STORE_HMAC_KEY_LEN * 2 + 1], text[256];

	for (size_t i = 0; i < sizeof(key.hmac); i++)
		snprintf(hex + 2 * i, 3, "%02x", key.hmac[i]);
	assert_ok(store_add_acme_account(f->store, &a, key.id));
	snprintf(text, sizeof(text), "SELECT count(*) FROM journal WHERE"
	    " instr(lower(detail), '%s') > 0", hex);
	assert_int_equal(read_sql(f->path, text), 0);
}

/* --- accounts ----------------------------------------------------------- */

static enum oc_err
count_account(void *arg, const struct store_acme_account *a)
{
	(void)a;
	++*(int *)arg;
	return OC_OK;
}

static void
test_accounts(void **state)
{
	struct fixture *f = *state;
	int64_t account = add_account(f, "a");
	struct store_acme_account a = acme_account_of(account, 1), again, b;
	char other[STORE_TAG_LEN + 1] = "";
	int64_t since;
	int num = 0;

	memset(a.contacts, 0, sizeof(a.contacts));
	assert_ok(store_add_acme_account(f->store, &a, 0));
	assert_string_equal(a.contacts, "[]");
	again = acme_account_of(account, 1);
	assert_int_equal(store_add_acme_account(f->store, &again, 0),
	    OC_ERR_EXISTS);
	assert_memory_equal(&again, &a, sizeof(a));
	assert_ok(store_find_acme_account(f->store, a.tag, &again));
	assert_memory_equal(&again, &a, sizeof(a));
	assert_ok(store_get_acme_account(f->store, a.id, &again));
	assert_memory_equal(&again, &a, sizeof(a));
	b = acme_account_of(account, 2);
	assert_ok(store_add_acme_account(f->store, &b, 0));
	/* Another key, but nobody else's. */
	assert_int_equal(store_roll_acme_key(f->store, a.id, b.thumbprint,
	    b.jwk, other), OC_ERR_EXISTS);
	assert_string_equal(other, b.tag);
	memset(a.thumbprint, 3, sizeof(a.thumbprint));
	assert_ok(store_roll_acme_key(f->store, a.id, a.thumbprint, "{}",
	    other));
	assert_ok(store_find_acme_key(f->store, a.thumbprint, &again));
	assert_int_equal(again.id, a.id);
	assert_string_equal(again.jwk, "{}");
	memset(a.thumbprint, 1, sizeof(a.thumbprint));
	assert_int_equal(store_find_acme_key(f->store, a.thumbprint, &again),
	    OC_ERR_NOT_FOUND);
	/* What is over stays so; its key may have another account. */
	strcpy(b.contacts, "[\"mailto:b@b.test\"]");
	b.state = STORE_ACME_DEACTIVATED;
	assert_ok(store_change_acme_account(f->store, &b));
	b.state = STORE_ACME_VALID;
	assert_int_equal(store_change_acme_account(f->store, &b),
	    OC_ERR_MISMATCH);
	assert_int_equal(store_roll_acme_key(f->store, b.id, a.thumbprint,
	    "{}", other), OC_ERR_MISMATCH);
	assert_ok(store_find_acme_key(f->store, b.thumbprint, &again));
	assert_int_equal(again.state, STORE_ACME_DEACTIVATED);
	assert_string_equal(again.contacts, b.contacts);
	again = acme_account_of(account, 2);
	assert_ok(store_add_acme_account(f->store, &again, 0));
	assert_int_not_equal(again.id, b.id);
	assert_ok(store_find_acme_key(f->store, b.thumbprint, &b));
	assert_int_equal(b.id, again.id);
	/* All came without a key. */
	assert_false(again.is_bound);
	assert_ok(store_count_acme_accounts(f->store, account,
	    a.created_at, &since));
	assert_int_equal(since, 3);
	assert_ok(store_count_acme_accounts(f->store, account,
	    oc_clock_now_s() + 10, &since));
	assert_int_equal(since, 0);
	assert_ok(store_list_acme_accounts(f->store, 0, count_account, &num));
	assert_int_equal(num, 3);
	assert_ok(store_list_acme_accounts(f->store, account + 1,
	    count_account, &num));
	assert_int_equal(num, 3);
	/* What is none. */
	again = acme_account_of(account, 4);
	again.jwk[0] = '\0';
	assert_int_equal(store_add_acme_account(f->store, &again, 0),
	    OC_ERR_MALFORMED);
	again = acme_account_of(account + 1, 4);
	assert_int_equal(store_add_acme_account(f->store, &again, 0),
	    OC_ERR_NOT_FOUND);
	again = acme_account_of(account, 4);
	strcpy(again.contacts, "[\n]");
	assert_int_equal(store_add_acme_account(f->store, &again, 0),
	    OC_ERR_MALFORMED);
	assert_verifies(f->store);
}

/* --- several processes -------------------------------------------------- */

static int
eab_attempt(struct store *store, int64_t id)
{
	struct store_acme_account a = acme_account_of(1, (uint8_t)getpid());
	enum oc_err err = store_add_acme_account(store, &a, id);

	return err == OC_OK ? 0 : err == OC_ERR_REFUSED ? 1 : 2;
}

static int
key_attempt(struct store *store, int64_t id)
{
	struct store_acme_account a = acme_account_of(1, (uint8_t)id);
	enum oc_err err = store_add_acme_account(store, &a, 0);

	return err == OC_OK ? 0 : err == OC_ERR_EXISTS ? 1 : 2;
}

static void
test_race_for_a_key(void **state)
{
	struct fixture *f = *state;
	struct store_eab_key key = add_eab_key(f, add_account(f, "a"));

	assert_int_equal(race(f, eab_attempt, key.id), 1);
	run_sql(f->path, "UPDATE acme_account SET state = state");
	assert_int_equal(race(f, key_attempt, 0), 1);
	assert_int_equal(read_sql(f->path, "SELECT count(*) FROM"
	    " acme_account"), 2);
	assert_verifies(f->store);
}

/* --- by hand ------------------------------------------------------------ */

static void
test_noticed(void **state)
{
	struct fixture *f = *state;
	int64_t account = add_account(f, "a");

	(void)add_acme_account(f, account, 1);
	(void)add_eab_key(f, account);
	add_account(f, "b");
	assert_noticed(f, "UPDATE acme_account SET account_id = 2",
	    "UPDATE acme_account SET account_id = 1");
	assert_noticed(f, "UPDATE acme_account SET is_bound = 1 - is_bound",
	    "UPDATE acme_account SET is_bound = 1 - is_bound");
	assert_noticed(f, "UPDATE acme_account SET state = 2",
	    "UPDATE acme_account SET state = 1");
	assert_noticed(f, "UPDATE acme_account SET jwk = '{}'", "UPDATE"
	    " acme_account SET jwk = '{\"kty\":\"x\",\"n\":1}'");
	assert_noticed(f, "UPDATE acme_external_key SET account_id = 2",
	    "UPDATE acme_external_key SET account_id = 1");
	assert_noticed(f, "UPDATE acme_external_key SET used_at = 1",
	    "UPDATE acme_external_key SET used_at = 0");
	assert_noticed(f, "CREATE TABLE kept AS SELECT hmac FROM"
	    " acme_external_key; UPDATE acme_external_key SET hmac ="
	    " zeroblob(32)", "UPDATE acme_external_key SET hmac ="
	    " (SELECT hmac FROM kept)");
}

int
main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup_store, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_eab),
		TEST(test_eab_without_hyphen),
		TEST(test_secret),
		TEST(test_accounts),
		TEST(test_race_for_a_key),
		TEST(test_noticed)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
