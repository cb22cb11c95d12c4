/* SPDX-License-Identifier: Apache-2.0 */
/* Are accounts, tokens and zones what they were said to be, whoever asks, and
 * does a store of schema 1 have all of it that it had? */
#include "store_fixture.h"

#include "base/clock.h"
#include "store/token.h"

static struct store_account
add_account(struct fixture *f, const char *name, const char *email)
{
	struct store_account account = { .state = STORE_ACCOUNT_ACTIVE };

	snprintf(account.name, sizeof(account.name), "%s", name);
	snprintf(account.email, sizeof(account.email), "%s", email);
	if (store_add_account(f->store, &account) != OC_OK)
		fail_msg("%s", store_error(f->store));
	return account;
}

/* --- accounts ----------------------------------------------------------- */

static void
test_account(void **state)
{
	struct fixture *f = *state;
	struct store_account a = add_account(f, "acme", "A@Acme.Test");
	struct store_account read = { 0 };
	struct store_account b = add_account(f, "b", "");
	struct store_account c = add_account(f, "c.2_d-e", "");

	assert_int_equal(a.id, 1);
	assert_int_equal(strlen(a.tag), STORE_TAG_LEN);
	assert_string_not_equal(a.tag, b.tag);
	assert_string_equal(a.email, "a@acme.test");
	assert_ok(store_find_account(f->store, "acme", &read));
	assert_memory_equal(&read, &a, sizeof(a));
	assert_ok(store_get_account(f->store, c.id, &read));
	assert_string_equal(read.name, "c.2_d-e");
	a.live_max = 3;
	a.period_max = 4;
	a.period_s = 60;
	a.state = STORE_ACCOUNT_DISABLED;
	a.email[0] = '\0';
	assert_ok(store_change_account(f->store, &a));
	memset(&a.email, 0, sizeof(a.email));
	memset(&read, 0, sizeof(read));
	assert_ok(store_get_account(f->store, a.id, &read));
	assert_memory_equal(&read, &a, sizeof(a));
	assert_int_equal(store_find_account(f->store, "ACME", &read),
	    OC_ERR_NOT_FOUND);
	assert_int_equal(store_find_account(f->store, "", &read),
	    OC_ERR_NOT_FOUND);
	assert_int_equal(store_get_account(f->store, 99, &read),
	    OC_ERR_NOT_FOUND);
	a.id = 99;
	assert_int_equal(store_change_account(f->store, &a),
	    OC_ERR_NOT_FOUND);
	assert_verifies(f->store);
}

static void
test_account_refused(void **state)
{
	static const struct {
		struct store_account account;
		enum oc_err err;
	} bad[] = {
		{ { .state = 1, .name = "" }, OC_ERR_MALFORMED },
		{ { .state = 1, .name = "Acme" }, OC_ERR_MALFORMED },
		{ { .state = 1, .name = "-a" }, OC_ERR_MALFORMED },
		{ { .state = 1, .name = ".." }, OC_ERR_MALFORMED },
		{ { .state = 1, .name = "a b" }, OC_ERR_MALFORMED },
		{ { .state = 1, .name = "a/b" }, OC_ERR_MALFORMED },
		{ { .state = 1, .name = "a\n" }, OC_ERR_MALFORMED },
		{ { .state = 1, .name = "\xc3\xa4" }, OC_ERR_MALFORMED },
		{ { .state = 0, .name = "a" }, OC_ERR_MALFORMED },
		{ { .state = 3, .name = "a" }, OC_ERR_MALFORMED },
		{ { .state = 1, .name = "a", .live_max = -1 },
		    OC_ERR_MALFORMED },
		{ { .state = 1, .name = "a", .period_max = 1 },
		    OC_ERR_MALFORMED },
		{ { .state = 1, .name = "a", .period_s = 1 },
		    OC_ERR_MALFORMED },
		{ { .state = 1, .name = "a", .period_max = 1,
		    .period_s = -1 }, OC_ERR_MALFORMED },
		{ { .state = 1, .name = "a", .email = "a" },
		    OC_ERR_MALFORMED },
		{ { .state = 1, .name = "a", .email = "@a" },
		    OC_ERR_MALFORMED },
		{ { .state = 1, .name = "a", .email = "a@" },
		    OC_ERR_MALFORMED },
		{ { .state = 1, .name = "a", .email = "a@b@c" },
		    OC_ERR_MALFORMED },
		{ { .state = 1, .name = "a", .email = "a b@c" },
		    OC_ERR_MALFORMED },
		{ { .state = 1, .name = "a", .email = "a\r\n@c" },
		    OC_ERR_MALFORMED },
		{ { .state = 1, .name = "a", .email = "\"a\"@c" },
		    OC_ERR_MALFORMED },
		{ { .state = 1, .name = "taken" }, OC_ERR_EXISTS },
		{ { .state = 1, .name = "a", .email = "T@TAKEN.test" },
		    OC_ERR_EXISTS }
	};
	struct fixture *f = *state;

	add_account(f, "taken", "t@taken.test");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct store_account account = bad[i].account;

		if (store_add_account(f->store, &account) != bad[i].err)
			fail_msg("%zu: %s", i, store_error(f->store));
		assert_int_equal(account.id, 0);
	}
	assert_int_equal(read_sql(f->path, "SELECT count(*) FROM account"),
	    1);
	assert_verifies(f->store);
}

/* --- tokens ------------------------------------------------------------- */

static struct store_token
add_token(struct fixture *f, int64_t account_id, enum store_token_kind kind,
    struct oc_secret *secret)
{
	struct store_token token = { .account_id = account_id, .kind = kind };

	assert_ok(store_token_new(&token, secret));
	assert_ok(store_add_token(f->store, &token));
	return token;
}

static enum oc_err
authenticate(struct fixture *f, enum store_token_kind kind, const char *text,
    const char *email)
{
	struct store_account account;
	struct store_token token;

	return store_authenticate(f->store, kind, text, email, &account,
	    &token);
}

static void
test_tokens(void **state)
{
	static const char *const emails[] = { NULL, NULL, "A@acme.TEST" };
	struct fixture *f = *state;
	struct store_account a = add_account(f, "acme", "a@acme.test"), got;

	add_account(f, "b", "b@b.test");
	for (int i = 0; i < 3; i++) {
		enum store_token_kind kind = (enum store_token_kind)(i + 1);
		struct oc_secret secret = { .len = 0 };
		struct store_token token = add_token(f, a.id, kind, &secret);
		struct store_token found;
		char *text = (char *)secret.bytes;

		assert_ok(store_authenticate(f->store, kind, text, emails[i],
		    &got, &found));
		assert_int_equal(got.id, a.id);
		assert_int_equal(found.id, token.id);
		/* In another header it is nothing. */
		for (int k = 1; k <= 3; k++)
			if (k != i + 1)
				assert_int_equal(authenticate(f,
				    (enum store_token_kind)k, text,
				    "a@acme.test"), OC_ERR_REFUSED);
		/* Every octet of it counts. */
		for (size_t n = 0; n < secret.len; n++) {
			char was = text[n];

			text[n] = was == 'a' ? 'b' : 'a';
			assert_int_equal(authenticate(f, kind, text,
			    emails[i]), OC_ERR_REFUSED);
			assert_null(strstr(store_error(f->store), text));
			text[n] = was;
		}
		text[secret.len - 1] = '\0';
		assert_int_equal(authenticate(f, kind, text, emails[i]),
		    OC_ERR_REFUSED);
		oc_secret_fini(&secret);
	}
	assert_verifies(f->store);
}

static void
test_tokens_malformed(void **state)
{
	static const char *const bad[] = {
		"", "ocs_", "ocs__", "v1.0-", "v1.0--", " ",
		"ocs_0123456789abcdef",
		"ocs_0123456789ABCDEF_0123456789abcdef0123456789abcdef"
		    "0123456789abcdef0123456789abcdef",
		"ocs_0123456789abcdef_0123456789abcdef0123456789abcdef"
		    "0123456789abcdef0123456789abcdef ",
		"ocs-0123456789abcdef-0123456789abcdef0123456789abcdef"
		    "0123456789abcdef0123456789abcdef",
		"0123456789abcdef0123456789abcdef0123g",
		"0123456789abcdef0123456789abcdef012345",
		"\xff\xfe", "%s%n"
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		for (int k = 1; k <= 3; k++)
			assert_int_equal(authenticate(f,
			    (enum store_token_kind)k, bad[i], "a@b"),
			    OC_ERR_REFUSED);
}

static void
test_token_life(void **state)
{
	struct fixture *f = *state;
	struct store_account a = add_account(f, "acme", "a@acme.test");
	struct store_account b = add_account(f, "b", "");
	struct store_token token = { .account_id = a.id,
		.kind = STORE_TOKEN_BEARER,
		.expires_at = oc_clock_now_s() - 1 };
	struct oc_secret secret = { .len = 0 }, expired = { .len = 0 };
	const char *text = (const char *)secret.bytes;

	assert_ok(store_token_new(&token, &expired));
	assert_ok(store_add_token(f->store, &token));
	assert_int_equal(authenticate(f, STORE_TOKEN_BEARER,
	    (const char *)expired.bytes, NULL), OC_ERR_REFUSED);
	token = add_token(f, a.id, STORE_TOKEN_BEARER, &secret);
	assert_ok(authenticate(f, STORE_TOKEN_BEARER, text, NULL));
	a.state = STORE_ACCOUNT_DISABLED;
	assert_ok(store_change_account(f->store, &a));
	assert_int_equal(authenticate(f, STORE_TOKEN_BEARER, text, NULL),
	    OC_ERR_REFUSED);
	a.state = STORE_ACCOUNT_ACTIVE;
	assert_ok(store_change_account(f->store, &a));
	assert_int_equal(store_revoke_token(f->store, b.id, token.prefix),
	    OC_ERR_NOT_FOUND);
	assert_ok(store_revoke_token(f->store, a.id, token.prefix));
	assert_int_equal(store_revoke_token(f->store, a.id, token.prefix),
	    OC_ERR_EXISTS);
	assert_int_equal(authenticate(f, STORE_TOKEN_BEARER, text, NULL),
	    OC_ERR_REFUSED);
	/* A global key is found by its account's address. */
	token.account_id = b.id;
	token.kind = STORE_TOKEN_GLOBAL_KEY;
	assert_ok(store_token_new(&token, &secret));
	assert_int_equal(store_add_token(f->store, &token), OC_ERR_REFUSED);
	token = add_token(f, a.id, STORE_TOKEN_GLOBAL_KEY, &secret);
	a.email[0] = '\0';
	assert_int_equal(store_change_account(f->store, &a), OC_ERR_REFUSED);
	assert_int_equal(authenticate(f, STORE_TOKEN_GLOBAL_KEY, text, NULL),
	    OC_ERR_REFUSED);
	assert_int_equal(authenticate(f, STORE_TOKEN_GLOBAL_KEY, text, ""),
	    OC_ERR_REFUSED);
	assert_int_equal(authenticate(f, STORE_TOKEN_GLOBAL_KEY, text,
	    "b@b.test"), OC_ERR_REFUSED);
	oc_secret_fini(&secret);
	oc_secret_fini(&expired);
	assert_verifies(f->store);
}

/* One entry a day, whatever is asked meanwhile. */
static void
test_token_use(void **state)
{
	struct fixture *f = *state;
	struct store_account a = add_account(f, "acme", "");
	struct oc_secret secret = { .len = 0 };
	struct store_token token;
	int64_t number;

	token = add_token(f, a.id, STORE_TOKEN_BEARER, &secret);
	assert_ok(store_note_token_use(f->store, &token));
	number = read_sql(f->path, "SELECT journal_number FROM store");
	for (int i = 0; i < 5; i++)
		assert_ok(store_note_token_use(f->store, &token));
	assert_ok(store_authenticate(f->store, STORE_TOKEN_BEARER,
	    (const char *)secret.bytes, NULL, &a, &token));
	assert_true(token.used_at > 0);
	assert_ok(store_note_token_use(f->store, &token));
	assert_int_equal(read_sql(f->path, "SELECT journal_number FROM"
	    " store"), number);
	assert_verifies(f->store);
	oc_secret_fini(&secret);
}

/* --- zones -------------------------------------------------------------- */

static enum oc_err
add_zone(struct fixture *f, int64_t account_id, const char *name,
    enum store_zone_nesting nesting)
{
	struct store_zone zone = { .account_id = account_id,
		.state = STORE_ZONE_ACTIVE };

	snprintf(zone.name, sizeof(zone.name), "%s", name);
	return store_add_zone(f->store, &zone, nesting);
}

static void
assert_match(struct fixture *f, const char *name, const char *zone_name)
{
	struct store_zone zone;

	if (zone_name == NULL) {
		assert_int_equal(store_match_zone(f->store, name, &zone),
		    OC_ERR_NOT_FOUND);
		return;
	}
	assert_ok(store_match_zone(f->store, name, &zone));
	assert_string_equal(zone.name, zone_name);
}

static void
test_zones(void **state)
{
	static const char *const bad[] = {
		"", "com", "a..b", ".a.b", "a.b.", "A.b", "a_b.c", "*.a.b",
		"a b.c", "\xc3\xbc.test", "a.b\n"
	};
	struct fixture *f = *state;
	struct store_account a = add_account(f, "a", "");
	struct store_account b = add_account(f, "b", "");
	struct store_zone zone, again;

	assert_ok(add_zone(f, a.id, "example.com", STORE_ZONE_ALONE));
	assert_int_equal(add_zone(f, b.id, "example.com",
	    STORE_ZONE_DELEGATED), OC_ERR_EXISTS);
	assert_int_equal(add_zone(f, b.id, "a.b.example.com",
	    STORE_ZONE_ALONE), OC_ERR_REFUSED);
	assert_ok(add_zone(f, a.id, "own.example.com", STORE_ZONE_ALONE));
	assert_ok(add_zone(f, b.id, "sub.example.com",
	    STORE_ZONE_DELEGATED));
	assert_ok(add_zone(f, b.id, "notexample.com", STORE_ZONE_ALONE));
	assert_ok(add_zone(f, b.id, "x.deep.test", STORE_ZONE_ALONE));
	assert_int_equal(add_zone(f, a.id, "deep.test", STORE_ZONE_ALONE),
	    OC_ERR_REFUSED);
	assert_ok(add_zone(f, a.id, "eep.test", STORE_ZONE_ALONE));
	assert_int_equal(add_zone(f, 99, "c.test", STORE_ZONE_ALONE),
	    OC_ERR_NOT_FOUND);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(add_zone(f, a.id, bad[i],
		    STORE_ZONE_DELEGATED), OC_ERR_MALFORMED);
	assert_match(f, "example.com", "example.com");
	assert_match(f, "www.example.com", "example.com");
	assert_match(f, "a.sub.example.com", "sub.example.com");
	assert_match(f, "asub.example.com", "example.com");
	assert_match(f, "x.notexample.com", "notexample.com");
	assert_match(f, "com", NULL);
	assert_match(f, "xexample.com", NULL);
	assert_match(f, "example.com.test", NULL);
	assert_match(f, "", NULL);
	/* Removed: the name is free, the number is not. */
	assert_ok(store_find_zone(f->store, "sub.example.com", &zone));
	assert_ok(store_find_zone_tag(f->store, zone.tag, &again));
	assert_int_equal(again.id, zone.id);
	assert_ok(store_set_zone_state(f->store, zone.id, STORE_ZONE_PAUSED));
	assert_int_equal(store_set_zone_state(f->store, zone.id,
	    STORE_ZONE_PAUSED), OC_ERR_EXISTS);
	assert_ok(store_set_zone_state(f->store, zone.id,
	    STORE_ZONE_REMOVED));
	assert_int_equal(store_set_zone_state(f->store, zone.id,
	    STORE_ZONE_ACTIVE), OC_ERR_NOT_FOUND);
	assert_int_equal(store_find_zone_tag(f->store, zone.tag, &again),
	    OC_ERR_NOT_FOUND);
	assert_match(f, "a.sub.example.com", "example.com");
	assert_ok(add_zone(f, a.id, "sub.example.com", STORE_ZONE_ALONE));
	assert_ok(store_find_zone(f->store, "sub.example.com", &again));
	assert_int_not_equal(again.id, zone.id);
	assert_string_not_equal(again.tag, zone.tag);
	assert_int_equal(store_set_zone_state(f->store, 99,
	    STORE_ZONE_PAUSED), OC_ERR_NOT_FOUND);
	assert_int_equal(store_set_zone_state(f->store, again.id,
	    (enum store_zone_state)4), OC_ERR_MALFORMED);
	assert_verifies(f->store);
}

/* --- from schema 1 ------------------------------------------------------ */

static char *
read_text(const char *name)
{
	const char *top = getenv("top_srcdir");
	char path[1024], *text;
	FILE *file;
	long len;

	snprintf(path, sizeof(path), "%s/%s", top == NULL ? "." : top, name);
	file = fopen(path, "r");
	assert_non_null(file);
	assert_int_equal(fseek(file, 0, SEEK_END), 0);
	len = ftell(file);
	rewind(file);
	text = calloc(1, (size_t)len + 1);
	assert_non_null(text);
	assert_int_equal(fread(text, 1, (size_t)len, file), len);
	fclose(file);
	return text;
}

static void
test_migrate_from_1(void **state)
{
	struct fixture *f = *state;
	char *text = read_text("tests/data/store-v1.sql"), backup[320];
	struct store_account account;
	struct store_issuer issuer = { 0 };
	struct oc_error error = { 0 };
	struct store *store = NULL;
	int64_t number;
	uint32_t epoch;

	run_sql(f->path, text);
	free(text);
	assert_int_equal(read_sql(f->path, "PRAGMA user_version"), 1);
	epoch = (uint32_t)read_sql(f->path, "SELECT epoch FROM store");
	number = read_sql(f->path, "SELECT journal_number FROM store");
	assert_int_equal(store_open(f->path, STORE_READ, &store, &error),
	    OC_ERR_UNSUPPORTED);
	assert_non_null(strstr(error.text, "older"));
	/* A backup of before comes back in today's schema too. */
	snprintf(backup, sizeof(backup), "%s/old", f->directory);
	run_sql(f->path, "UPDATE store SET is_backup = 1");
	snprintf(error.text, sizeof(error.text), "VACUUM INTO '%s'", backup);
	run_sql(f->path, error.text);
	run_sql(f->path, "UPDATE store SET is_backup = 0");

	f->store = open_store(f->path, STORE_WRITE);
	assert_int_equal(read_sql(f->path, "PRAGMA user_version"), 4);
	assert_int_equal(read_sql(f->path, "SELECT journal_number FROM"
	    " store"), number + 1);
	assert_verifies(f->store);
	assert_int_equal(store_epoch(f->store), epoch);
	assert_int_equal(read_sql(f->path, "SELECT count(*) FROM certificate"
	    " WHERE state = 2"), 5);
	assert_int_equal(read_sql(f->path, "SELECT count(*) FROM certificate"
	    " WHERE revoked_at IS NOT NULL"), 1);
	assert_int_equal(read_sql(f->path, "SELECT count(*) FROM crl"), 1);
	assert_int_equal(read_sql(f->path, "SELECT count(*) FROM"
	    " pragma_foreign_key_check"), 0);
	/* Old and new go on together. */
	assert_ok(store_find_issuer(f->store, "web", &issuer));
	f->issuer_id = issuer.id;
	store_issuer_fini(&issuer);
	issue_one(f, 1);
	account = add_account(f, "acme", "");
	assert_ok(add_zone(f, account.id, "example.com", STORE_ZONE_ALONE));
	assert_verifies(f->store);
	store_close(f->store);
	f->store = NULL;
	if (store_restore(backup, f->path, &error) != OC_OK)
		fail_msg("%s", error.text);
	f->store = open_store(f->path, STORE_WRITE);
	assert_int_equal(read_sql(f->path, "PRAGMA user_version"), 4);
	assert_verifies(f->store);
	add_account(f, "acme", "");
	assert_verifies(f->store);
}

/* A backup has accounts, and what was changed after it is not in it. */
static void
test_backup(void **state)
{
	struct fixture *f = *state;
	struct store_account a = add_account(f, "acme", ""), read = { 0 };
	struct oc_secret secret = { .len = 0 };
	struct oc_error error = { 0 };
	char backup[320];

	add_token(f, a.id, STORE_TOKEN_BEARER, &secret);
	assert_ok(add_zone(f, a.id, "example.com", STORE_ZONE_ALONE));
	snprintf(backup, sizeof(backup), "%s/backup", f->directory);
	assert_ok(store_backup(f->store, backup, &error));
	assert_ok(add_zone(f, a.id, "later.test", STORE_ZONE_ALONE));
	store_close(f->store);
	f->store = NULL;
	assert_ok(store_restore(backup, f->path, &error));
	f->store = open_store(f->path, STORE_WRITE);
	assert_ok(store_find_account(f->store, "acme", &read));
	assert_memory_equal(&read, &a, sizeof(a));
	assert_ok(authenticate(f, STORE_TOKEN_BEARER,
	    (const char *)secret.bytes, NULL));
	assert_match(f, "example.com", "example.com");
	assert_match(f, "later.test", NULL);
	assert_verifies(f->store);
	oc_secret_fini(&secret);
}

int
main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup_store, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_account),
		TEST(test_account_refused),
		TEST(test_tokens),
		TEST(test_tokens_malformed),
		TEST(test_token_life),
		TEST(test_token_use),
		TEST(test_zones),
		cmocka_unit_test_setup_teardown(test_migrate_from_1,
		    setup_directory, teardown),
		TEST(test_backup)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
