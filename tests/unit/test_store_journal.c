/* SPDX-License-Identifier: Apache-2.0 */
/* Is every change in the journal, and is every later touch of journal or
 * tables found? */
#include "store_fixture.h"

#include <openssl/sha.h>

/* A store in which every kind of entry occurs. */
static int
setup_full(void **state)
{
	struct fixture *f;
	uint64_t number;
	int64_t id;

	if (setup_store(state) != 0)
		return -1;
	f = *state;
	issue_one(f, 1);
	reserve_one(f, 2);
	issue_one(f, 3);
	assert_ok(revoke_one(f, 1, CRL_REASON_CERTIFICATE_HOLD));
	assert_ok(revoke_one(f, 1, CRL_REASON_KEY_COMPROMISE));
	assert_ok(revoke_one(f, 3, CRL_REASON_CERTIFICATE_HOLD));
	assert_ok(revoke_one(f, 3, CRL_REASON_REMOVE_FROM_CRL));
	assert_ok(store_reserve_crl(f->store, f->issuer_id, 10, 20, &id,
	    &number));
	assert_ok(store_issue_crl(f->store, id, BLOB("CRL")));
	assert_ok(store_reserve_crl(f->store, f->issuer_id, 11, 21, &id,
	    &number));
	assert_ok(store_append_journal(f->store, "key-generate",
	    "{\"key\":\"ca\"}"));
	return 0;
}

/* --- what is written ---------------------------------------------------- */

struct chain {
	uint8_t hash[STORE_HASH_LEN];
	int64_t number;
	char events[512];
};

/* What is hashed. */
struct octets {
	uint8_t bytes[4096];
	size_t len;
};

static void
put_field(struct octets *sha, const void *bytes, uint32_t len)
{
	uint8_t prefix[4] = {
		(uint8_t)(len >> 24), (uint8_t)(len >> 16),
		(uint8_t)(len >> 8), (uint8_t)len
	};

	assert_true(sha->len + 4 + len <= sizeof(sha->bytes));
	memcpy(sha->bytes + sha->len, prefix, 4);
	memcpy(sha->bytes + sha->len + 4, bytes, len);
	sha->len += 4 + len;
}

static void
put_number(struct octets *sha, int64_t value)
{
	uint8_t octets[8];

	for (int i = 7; i >= 0; i--, value >>= 8)
		octets[i] = (uint8_t)value;
	put_field(sha, octets, 8);
}

/* The formula of store.h, once more, from its words alone. */
static enum oc_err
check_link(void *arg, const struct store_entry *e)
{
	struct chain *chain = arg;
	uint8_t hash[STORE_HASH_LEN];
	struct octets sha = { .len = 0 };

	put_field(&sha, chain->hash, STORE_HASH_LEN);
	put_number(&sha, e->number);
	put_number(&sha, e->at);
	put_field(&sha, e->actor, (uint32_t)strlen(e->actor));
	put_field(&sha, e->event, (uint32_t)strlen(e->event));
	put_field(&sha, e->detail, (uint32_t)strlen(e->detail));
	assert_non_null(SHA256(sha.bytes, sha.len, hash));
	assert_memory_equal(hash, e->hash, STORE_HASH_LEN);
	assert_int_equal(e->number, chain->number + 1);
	assert_true(e->at > 1577836800);
	memcpy(chain->hash, hash, STORE_HASH_LEN);
	chain->number = e->number;
	snprintf(chain->events + strlen(chain->events),
	    sizeof(chain->events) - strlen(chain->events), "%s ", e->event);
	if (e->number > 1)
		assert_string_equal(e->actor, "test");
	return OC_OK;
}

static void
test_chain(void **state)
{
	struct fixture *f = *state;
	struct chain chain = { .number = 0 };
	int64_t num = 0, bad = 77;

	assert_ok(store_list_journal(f->store, 0, check_link, &chain));
	assert_string_equal(chain.events, "create issuer reserve issue "
	    "reserve reserve issue revoke revoke revoke release crl-reserve "
	    "crl crl-reserve key-generate ");
	assert_ok(store_verify_journal(f->store, &num, &bad));
	assert_int_equal(num, chain.number);
	assert_int_equal(bad, 0);
	assert_int_equal(num_not_json(f), 0);
	assert_int_equal(read_sql(f->path, "SELECT count(*) FROM journal"
	    " WHERE event = 'revoke' AND detail LIKE '%,\"reason\":"
	    "\"keyCompromise\",%' AND detail LIKE '%,\"revoked_at\":2000%'"),
	    1);
}

static enum oc_err
count_until(void *arg, const struct store_entry *e)
{
	int64_t *last = arg;

	if (e->number == 14)
		return OC_ERR_CANCELLED;
	*last = e->number;
	return OC_OK;
}

static void
test_list_part(void **state)
{
	struct fixture *f = *state;
	int64_t last = 0;

	assert_int_equal(store_list_journal(f->store, 10, count_until, &last),
	    OC_ERR_CANCELLED);
	assert_int_equal(last, 13);
	last = 77;
	assert_ok(store_list_journal(f->store, 15, count_until, &last));
	assert_int_equal(last, 77);
}

static void
test_append_refused(void **state)
{
	static const struct {
		const char *event;
		const char *detail;
		enum oc_err err;
	} rows[] = {
		{ "", "{}", OC_ERR_MALFORMED },
		{ "Upper", "{}", OC_ERR_MALFORMED },
		{ "two words", "{}", OC_ERR_MALFORMED },
		{ "e123456789012345678901234567890123", "{}", OC_ERR_LIMIT },
		{ "reserve", "{}", OC_ERR_REFUSED },
		{ "issue", "{}", OC_ERR_REFUSED },
		{ "revoke", "{}", OC_ERR_REFUSED },
		{ "release", "{}", OC_ERR_REFUSED },
		{ "crl", "{}", OC_ERR_REFUSED },
		{ "restore", "{}", OC_ERR_REFUSED },
		{ "event", "", OC_ERR_MALFORMED },
		{ "event", "{", OC_ERR_MALFORMED },
		{ "event", "text", OC_ERR_MALFORMED },
		{ "event", "{\n}", OC_ERR_MALFORMED },
		{ "event", "{\x7f}", OC_ERR_MALFORMED }
	};
	struct fixture *f = *state;
	static char large[8194];
	int64_t num, bad;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(store_append_journal(f->store, rows[i].event,
		    rows[i].detail), rows[i].err);
	memset(large, ' ', sizeof(large) - 1);
	large[0] = '{';
	large[sizeof(large) - 2] = '}';
	assert_int_equal(store_append_journal(f->store, "event", large),
	    OC_ERR_LIMIT);
	assert_ok(store_verify_journal(f->store, &num, &bad));
	assert_int_equal(num, 15);
}

/* --- what is found ------------------------------------------------------ */

/* One change behind the store's back, and the entry it is found at. */
struct tampering {
	const char *sql;
	int64_t bad_number;
};

static const struct tampering tamperings[] = {
	/* The journal: one octet, one number, one row. */
	{ "UPDATE journal SET at = at + 1 WHERE number = 5", 5 },
	{ "UPDATE journal SET actor = 'Test' WHERE number = 7", 7 },
	{ "UPDATE journal SET event = 'issuf' WHERE number = 4", 4 },
	{ "UPDATE journal SET detail = replace(detail, 'tls', 'tlr')"
	    " WHERE number = 3", 3 },
	{ "UPDATE journal SET hash = cast(x'00' || substr(hash, 2) AS BLOB)"
	    " WHERE number = 6", 6 },
	{ "UPDATE journal SET hash = zeroblob(32) WHERE number = 15", 15 },
	{ "DELETE FROM journal WHERE number = 1", 1 },
	{ "DELETE FROM journal WHERE number = 8", 8 },
	{ "DELETE FROM journal WHERE number = 15", 15 },
	{ "DELETE FROM journal WHERE number > 12", 13 },
	{ "DELETE FROM journal", 1 },
	{ "UPDATE journal SET number = 99 WHERE number = 9", 9 },
	{ "INSERT INTO journal VALUES (16, 1, 'a', 'b', '{}',"
	    " zeroblob(32))", 16 },
	{ "UPDATE store SET journal_hash = zeroblob(32)", 16 },
	{ "UPDATE store SET journal_number = 14", 16 },
	/* The tables. */
	{ "UPDATE certificate SET not_after = 4000000001 WHERE id = 1", 3 },
	{ "UPDATE certificate SET profile = 'ca' WHERE id = 2", 5 },
	{ "UPDATE certificate SET serial = x'01' WHERE id = 3", 6 },
	{ "UPDATE certificate_tbs SET der = x'00' WHERE id = 1", 3 },
	{ "UPDATE certificate_der SET der = x'00' WHERE id = 1", 4 },
	{ "UPDATE certificate SET reason = NULL, revoked_at = NULL"
	    " WHERE id = 1", 9 },
	{ "UPDATE certificate SET reason = 4 WHERE id = 1", 9 },
	{ "UPDATE certificate SET reason = 7 WHERE id = 1", 9 },
	{ "UPDATE certificate SET revoked_at = 2001 WHERE id = 1", 9 },
	{ "UPDATE certificate SET invalidity_at = 1 WHERE id = 1", 9 },
	{ "UPDATE certificate SET reason = 6, revoked_at = 2000"
	    " WHERE id = 3", 11 },
	{ "UPDATE certificate SET reason = 1, revoked_at = 1 WHERE id = 2",
	    15 },
	{ "UPDATE certificate SET state = 2 WHERE id = 2", 15 },
	{ "UPDATE certificate SET state = 1 WHERE id = 3", 15 },
	{ "DELETE FROM certificate WHERE id = 1", 3 },
	{ "DELETE FROM certificate WHERE id = 3", 6 },
	{ "INSERT INTO certificate (id, issuer_id, serial, change_seq, state,"
	    " reserved_at, not_before, not_after, profile, subject, names)"
	    " VALUES (4, 1, x'05', 999, 1, 1, 1, 1, '', '', '')", 15 },
	{ "UPDATE certificate SET id = 4611686018427387904 WHERE id = 3",
	    15 },
	{ "UPDATE certificate SET subject = 'CN=evil' WHERE id = 1", 3 },
	{ "UPDATE certificate SET names = 'DNS:evil' WHERE id = 2", 5 },
	{ "UPDATE issuer SET name = 'cb'", 3 },
	{ "UPDATE issuer SET certificate = x'3000'", 2 },
	{ "UPDATE issuer SET spki_hash = zeroblob(32)", 2 },
	{ "INSERT INTO issuer VALUES (2, 'x', zeroblob(32), x'00', 0)", 15 },
	{ "UPDATE store SET epoch = 1", 15 },
	{ "UPDATE store SET id = zeroblob(16)", 15 },
	{ "UPDATE store SET change_seq = change_seq - 1", 15 },
	{ "UPDATE crl SET number = number + 5 WHERE id = 1", 12 },
	{ "UPDATE crl SET next_update = 99 WHERE id = 1", 12 },
	{ "UPDATE crl_part SET der = x'00' WHERE crl_id = 1", 13 },
	{ "UPDATE crl_part SET number = 1 WHERE crl_id = 1", 13 },
	{ "UPDATE crl_part SET crl_id = 2", 13 },
	{ "UPDATE crl SET der_len = der_len + 1 WHERE id = 1", 13 },
	{ "DELETE FROM crl_part", 13 },
	{ "INSERT INTO crl_part VALUES (9, 1, 1, x'00')", 13 },
	{ "INSERT INTO crl_part VALUES (9, 1, 1, x'')", 13 },
	{ "INSERT INTO crl_part VALUES (9, 2, 0, x'00')", 15 },
	{ "UPDATE crl SET der_len = 1, issued_at = 1 WHERE id = 2", 15 },
	{ "DELETE FROM crl WHERE id = 1", 12 },
	{ "DELETE FROM crl WHERE id = 2", 14 },
	{ "INSERT INTO crl (id, issuer_id, number, this_update, next_update,"
	    " reserved_at) VALUES (3, 1, 1, 1, 1, 1)", 15 }
};

/* A database is its own copy, and is put back afterwards. */
static void
make_copy(const struct fixture *f, size_t n, char *copy, size_t room)
{
	char text[340];

	if (on_database()) {
		snprintf(copy, room, "%s", f->path);
		return;
	}
	snprintf(copy, room, "%s/copy%zu", f->directory, n);
	snprintf(text, sizeof(text), "VACUUM INTO '%s'", copy);
	run_sql(f->path, text);
}

static void
test_tampering(void **state)
{
	struct fixture *f = *state;
	struct oc_error error;

	store_close(f->store);
	f->store = NULL;
	if (on_database())
		database_keep(f->path);
	for (size_t i = 0; i < sizeof(tamperings) / sizeof(tamperings[0]);
	    i++) {
		const struct tampering *t = &tamperings[i];
		char copy[320];
		int64_t num = 0, bad = 0;
		struct store *store;
		enum oc_err err;

		make_copy(f, i, copy, sizeof(copy));
		run_sql(copy, t->sql);
		assert_ok(store_open(copy, STORE_READ, &store, &error));
		err = store_verify_journal(store, &num, &bad);
		if (err != OC_ERR_MISMATCH || bad != t->bad_number)
			fail_msg("%s: %s, entry %d: %s", t->sql,
			    oc_strerror(err), (int)bad, store_error(store));
		store_close(store);
		if (on_database())
			database_put_back(f->path);
	}
	/* And the original still verifies. */
	f->store = open_store(f->path, STORE_WRITE);
	assert_verifies(f->store);
}

/* Any octet of an entry's text. */
static void
test_every_octet(void **state)
{
	struct fixture *f = *state;
	int64_t len = read_sql(f->path,
	    "SELECT length(detail) FROM journal WHERE number = 3");

	run_sql(f->path, "CREATE TABLE kept AS SELECT detail FROM journal"
	    " WHERE number = 3");
	for (int at = 1; at <= (int)len; at++) {
		char text[256];
		int64_t num, bad = 0;

		/* '~' occurs in none of our details. */
		snprintf(text, sizeof(text), "UPDATE journal SET detail ="
		    " substr(detail, 1, %d) || '~' || substr(detail, %d)"
		    " WHERE number = 3", at - 1, at + 1);
		run_sql(f->path, text);
		assert_int_equal(store_verify_journal(f->store, &num, &bad),
		    OC_ERR_MISMATCH);
		assert_int_equal(bad, 3);
		run_sql(f->path, "UPDATE journal SET detail = (SELECT detail"
		    " FROM kept) WHERE number = 3");
	}
	assert_verifies(f->store);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup_full, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_chain),
		TEST(test_list_part),
		TEST(test_append_refused),
		TEST(test_tampering),
		TEST(test_every_octet)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
