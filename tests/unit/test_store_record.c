/* SPDX-License-Identifier: Apache-2.0 */
/* Does the store keep what store.h promises about issuers, certificates and
 * their changes? */
#include "store_fixture.h"

#include "base/clock.h"

/* --- issuers ------------------------------------------------------------ */

static void
test_issuer(void **state)
{
	struct fixture *f = *state;
	struct store_issuer issuer;
	int64_t id = 0, number = 0, bad;

	assert_ok(store_find_issuer(f->store, "ca", &issuer));
	assert_int_equal(issuer.id, f->issuer_id);
	assert_string_equal(issuer.name, "ca");
	assert_int_equal(issuer.certificate_len, 14);
	assert_memory_equal(issuer.certificate, "CA certificate", 14);
	store_issuer_fini(&issuer);
	store_issuer_fini(&issuer);

	/* The same again changes nothing, not even the journal. */
	assert_ok(store_verify_journal(f->store, &number, &bad));
	assert_ok(store_put_issuer(f->store, "ca", BLOB("CA certificate"),
	    fixture_key, &id));
	assert_int_equal(id, f->issuer_id);
	assert_ok(store_verify_journal(f->store, &id, &bad));
	assert_int_equal(id, number);

	/* The same key with a new certificate. */
	assert_ok(store_put_issuer(f->store, "ca", BLOB("renewed"),
	    fixture_key, &id));
	assert_int_equal(id, f->issuer_id);
	assert_ok(store_find_issuer(f->store, "ca", &issuer));
	assert_memory_equal(issuer.certificate, "renewed", 7);
	store_issuer_fini(&issuer);

	/* The same key under another name is another issuer. */
	assert_ok(store_put_issuer(f->store, "cross", BLOB("x"), fixture_key,
	    &id));
	assert_int_not_equal(id, f->issuer_id);
}

static void
test_issuer_refused(void **state)
{
	static const uint8_t other[STORE_HASH_LEN] = { 9 };
	struct fixture *f = *state;
	char name[OC_CONFIG_NAME_MAX + 2];
	struct store_issuer issuer = { .id = 77 };
	int64_t id = 77;

	assert_int_equal(store_put_issuer(f->store, "ca", BLOB("CA"), other,
	    &id), OC_ERR_MISMATCH);
	assert_non_null(strstr(store_error(f->store), "another key"));
	assert_int_equal(store_put_issuer(f->store, "", BLOB("CA"), other,
	    &id), OC_ERR_MALFORMED);
	assert_int_equal(store_put_issuer(f->store, "b",
	    (struct store_blob){ NULL, 0 }, other, &id), OC_ERR_MALFORMED);
	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(store_put_issuer(f->store, name, BLOB("CA"), other,
	    &id), OC_ERR_LIMIT);
	name[sizeof(name) - 2] = '\0';
	assert_ok(store_put_issuer(f->store, name, BLOB("CA"), other, &id));
	assert_int_equal(store_find_issuer(f->store, "none", &issuer),
	    OC_ERR_NOT_FOUND);
	assert_int_equal(issuer.id, 77);
}

/* --- reserve and issue -------------------------------------------------- */

static void
test_life(void **state)
{
	struct fixture *f = *state;
	struct store_certificate c;
	struct oc_serial serial = serial_of(1);
	int64_t before = oc_clock_now_s(), id = reserve_one(f, 1);

	assert_ok(store_find_certificate(f->store, f->issuer_id, &serial,
	    &c));
	assert_int_equal(c.id, id);
	assert_int_equal(c.issuer_id, f->issuer_id);
	assert_true(oc_serial_equal(&c.serial, &serial));
	assert_int_equal(c.state, STORE_RESERVED);
	assert_in_range(c.reserved_at, before, before + 60);
	assert_int_equal(c.issued_at, 0);
	assert_int_equal(c.not_before, 1000);
	assert_int_equal(c.not_after, 4000000000);
	assert_string_equal(c.profile, "tls");
	assert_string_equal(c.subject, "CN=a.example");
	assert_string_equal(c.names, "DNS:a.example\nDNS:b.example");
	assert_int_equal(c.tbs_len, 3);
	assert_memory_equal(c.tbs, "TBS", 3);
	assert_null(c.certificate);
	assert_false(c.is_revoked);
	store_certificate_fini(&c);
	store_certificate_fini(&c);

	assert_ok(store_issue(f->store, id, BLOB("certificate")));
	assert_ok(store_find_certificate(f->store, f->issuer_id, &serial,
	    &c));
	assert_int_equal(c.state, STORE_ISSUED);
	assert_in_range(c.issued_at, before, before + 60);
	assert_int_equal(c.certificate_len, 11);
	assert_memory_equal(c.certificate, "certificate", 11);
	store_certificate_fini(&c);
	assert_verifies(f->store);
}

static void
test_reserve_refused(void **state)
{
	struct fixture *f = *state;
	static uint8_t large[OC_CERTIFICATE_MAX + 1];
	struct store_reservation r = reservation_of(f->issuer_id, 1);
	int64_t id = 77, seq, seq_after;

	reserve_one(f, 1);
	assert_ok(store_change_seq(f->store, &seq));
	assert_int_equal(store_reserve(f->store, &r, &id), OC_ERR_EXISTS);
	assert_non_null(strstr(store_error(f->store), "has serial 40"));
	r = reservation_of(f->issuer_id + 1, 2);
	assert_int_equal(store_reserve(f->store, &r, &id), OC_ERR_NOT_FOUND);
	r = reservation_of(f->issuer_id, 2);
	r.serial.len = 0;
	assert_int_equal(store_reserve(f->store, &r, &id), OC_ERR_MALFORMED);
	r.serial.len = 21;
	assert_int_equal(store_reserve(f->store, &r, &id), OC_ERR_LIMIT);
	r.serial = serial_of(2);
	r.serial.bytes[0] = 0x80;
	assert_int_equal(store_reserve(f->store, &r, &id), OC_ERR_MALFORMED);
	r = reservation_of(f->issuer_id, 2);
	r.tbs.len = 0;
	assert_int_equal(store_reserve(f->store, &r, &id), OC_ERR_MALFORMED);
	r.tbs = (struct store_blob){ large, sizeof(large) };
	assert_int_equal(store_reserve(f->store, &r, &id), OC_ERR_LIMIT);
	r = reservation_of(f->issuer_id, 2);
	r.not_before = r.not_after + 1;
	assert_int_equal(store_reserve(f->store, &r, &id), OC_ERR_MALFORMED);
	r = reservation_of(f->issuer_id, 2);
	r.profile = "0123456789012345678901234567890123456789"
	    "0123456789012345678901234";
	assert_int_equal(store_reserve(f->store, &r, &id), OC_ERR_LIMIT);
	/* None of them left anything. */
	assert_int_equal(id, 77);
	assert_ok(store_change_seq(f->store, &seq_after));
	assert_int_equal(seq, seq_after);
	assert_verifies(f->store);
}

/* The same serial is another certificate under another issuer; text that is
 * left out is empty; octets that JSON would trip over are kept. */
static void
test_reserve_edges(void **state)
{
	static const uint8_t other_key[STORE_HASH_LEN] = { 5 };
	struct fixture *f = *state;
	struct store_reservation r;
	struct store_certificate c;
	int64_t other, id;

	reserve_one(f, 1);
	assert_ok(store_put_issuer(f->store, "\"\\\n\x7f", BLOB("CA"),
	    other_key, &other));
	r = reservation_of(other, 1);
	r.profile = r.subject = r.names = NULL;
	assert_ok(store_reserve(f->store, &r, &id));
	assert_ok(store_find_certificate(f->store, other, &r.serial, &c));
	assert_string_equal(c.profile, "");
	assert_string_equal(c.subject, "");
	assert_string_equal(c.names, "");
	store_certificate_fini(&c);
	assert_verifies(f->store);
	assert_int_equal(num_not_json(f), 0);
}

static void
test_issue_refused(void **state)
{
	struct fixture *f = *state;
	static uint8_t large[OC_CERTIFICATE_MAX + 1];
	int64_t id = reserve_one(f, 1);

	assert_int_equal(store_issue(f->store, id + 1, BLOB("c")),
	    OC_ERR_MISMATCH);
	assert_int_equal(store_issue(f->store, id,
	    (struct store_blob){ large, sizeof(large) }), OC_ERR_LIMIT);
	assert_int_equal(store_issue(f->store, id,
	    (struct store_blob){ large, 0 }), OC_ERR_MALFORMED);
	assert_ok(store_issue(f->store, id, BLOB("c")));
	assert_int_equal(store_issue(f->store, id, BLOB("c")),
	    OC_ERR_MISMATCH);
	assert_verifies(f->store);
}

static void
test_find_refused(void **state)
{
	struct fixture *f = *state;
	struct store_certificate c = { .id = 77 };
	struct oc_serial serial = serial_of(1);

	assert_int_equal(store_find_certificate(f->store, f->issuer_id,
	    &serial, &c), OC_ERR_NOT_FOUND);
	reserve_one(f, 1);
	assert_int_equal(store_find_certificate(f->store, f->issuer_id + 1,
	    &serial, &c), OC_ERR_NOT_FOUND);
	serial.len = 0;
	assert_int_equal(store_find_certificate(f->store, f->issuer_id,
	    &serial, &c), OC_ERR_MALFORMED);
	assert_int_equal(c.id, 77);
}

/* --- changes ------------------------------------------------------------ */

static void
test_changes(void **state)
{
	struct fixture *f = *state;
	struct store_change c[8];
	struct oc_serial first = serial_of(1), second = serial_of(2);
	uint32_t num = 77;
	int64_t seq;
	int64_t id;

	assert_ok(store_read_changes(f->store, 0, c, 8, &num));
	assert_int_equal(num, 0);
	id = reserve_one(f, 1);
	reserve_one(f, 2);
	reserve_one(f, 3);
	assert_ok(store_read_changes(f->store, 0, c, 8, &num));
	assert_int_equal(num, 3);
	assert_true(c[0].seq < c[1].seq && c[1].seq < c[2].seq);
	assert_true(oc_serial_equal(&c[0].serial, &first));
	assert_false(c[0].is_revoked);
	assert_int_equal(c[0].issuer_id, f->issuer_id);
	assert_int_equal(c[0].not_after, 4000000000);
	assert_ok(store_change_seq(f->store, &seq));
	assert_int_equal(seq, c[2].seq);

	/* Issuing is nothing that OCSP says. */
	assert_ok(store_issue(f->store, id, BLOB("c")));
	assert_ok(store_read_changes(f->store, seq, c, 8, &num));
	assert_int_equal(num, 0);

	/* Twice changed, once read, with what is true now. */
	assert_ok(revoke_one(f, 1, CRL_REASON_CERTIFICATE_HOLD));
	assert_ok(revoke_one(f, 2, CRL_REASON_SUPERSEDED));
	assert_ok(revoke_one(f, 1, CRL_REASON_KEY_COMPROMISE));
	assert_ok(store_read_changes(f->store, seq, c, 8, &num));
	assert_int_equal(num, 2);
	assert_true(oc_serial_equal(&c[0].serial, &second));
	assert_true(oc_serial_equal(&c[1].serial, &first));
	assert_true(c[1].is_revoked);
	assert_int_equal(c[1].reason, CRL_REASON_KEY_COMPROMISE);
	assert_int_equal(c[1].revoked_at, 2000);

	/* In pages, from 0: all of it, each once. */
	seq = 0;
	for (int pages = 0; pages < 3; pages++) {
		assert_ok(store_read_changes(f->store, seq, c, 1, &num));
		assert_int_equal(num, 1);
		assert_true(c[0].seq > seq);
		seq = c[0].seq;
	}
	assert_ok(store_read_changes(f->store, seq, c, 1, &num));
	assert_int_equal(num, 0);
}

static void
test_data_version(void **state)
{
	struct fixture *f = *state;
	struct store *other = open_store(f->path, STORE_READ);
	int64_t deadline_ns = oc_clock_mono_ns() + 2 * OC_NS_PER_S;
	int64_t first, second;

	assert_ok(store_data_version(other, &first));
	assert_ok(store_data_version(other, &second));
	assert_int_equal(first, second);
	reserve_one(f, 1);
	assert_ok(store_data_version(other, &second));
	/* A server's notice may be under way. */
	while (on_database() && first == second &&
	    oc_clock_mono_ns() < deadline_ns)
		assert_ok(store_data_version(other, &second));
	assert_int_not_equal(first, second);
	store_close(other);
}

/* --- lists -------------------------------------------------------------- */

struct seen {
	uint64_t numbers[16];
	unsigned int num;
	unsigned int num_max;		/* stops there with LIMIT */
};

static enum oc_err
see(void *arg, const struct store_certificate *c)
{
	struct seen *seen = arg;

	if (seen->num_max != 0 && seen->num == seen->num_max)
		return OC_ERR_LIMIT;
	assert_true(seen->num < 16);
	seen->numbers[seen->num++] = c->serial.bytes[c->serial.len - 1];
	return OC_OK;
}

static void
assert_list(struct fixture *f, struct store_filter filter, const char *expected)
{
	struct seen seen = { 0 };
	char text[64] = "";

	assert_ok(store_list_certificates(f->store, &filter, see, &seen));
	for (unsigned int i = 0; i < seen.num; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
		    "%s%d", i == 0 ? "" : " ", (int)seen.numbers[i]);
	assert_string_equal(text, expected);
}

static void
test_list(void **state)
{
	static const uint8_t other_key[STORE_HASH_LEN] = { 5 };
	struct fixture *f = *state;
	struct store_reservation r;
	int64_t other, id;

	issue_one(f, 1);
	reserve_one(f, 2);
	issue_one(f, 3);
	assert_ok(revoke_one(f, 3, CRL_REASON_SUPERSEDED));
	r = reservation_of(f->issuer_id, 4);
	r.not_after = 5000;			/* long ago */
	r.subject = "CN=Mixed Case";
	r.names = "DNS:case.example";
	assert_ok(store_reserve(f->store, &r, &id));
	assert_ok(store_issue(f->store, id, BLOB("c")));
	assert_ok(store_put_issuer(f->store, "other", BLOB("CA"), other_key,
	    &other));
	r = reservation_of(other, 5);
	assert_ok(store_reserve(f->store, &r, &id));

	assert_list(f, (struct store_filter){ 0 }, "1 2 3 4 5");
	assert_list(f, (struct store_filter){ .issuer_id = other }, "5");
	assert_list(f, (struct store_filter){ .issuer_id = 99 }, "");
	assert_list(f, (struct store_filter){ .state = STORE_ISSUED },
	    "1 3 4");
	assert_list(f, (struct store_filter){ .state = STORE_RESERVED },
	    "2 5");
	assert_list(f, (struct store_filter){ .only_revoked = true }, "3");
	assert_list(f, (struct store_filter){ .only_valid = true }, "1");
	assert_list(f, (struct store_filter){ .expires_before = 5001 }, "4");
	assert_list(f, (struct store_filter){ .expires_before = 5000 }, "");
	assert_list(f, (struct store_filter){ .name = "mixed c" }, "4");
	assert_list(f, (struct store_filter){ .name = "b.example" },
	    "1 2 3 5");
	assert_list(f, (struct store_filter){ .name = "%" }, "");
	assert_list(f, (struct store_filter){ .name = "' OR 1" }, "");
	assert_list(f, (struct store_filter){ .num_max = 2 }, "1 2");
	assert_list(f, (struct store_filter){ .issuer_id = f->issuer_id,
	    .state = STORE_ISSUED, .only_valid = true, .name = "a.example",
	    .expires_before = 4000000001, .num_max = 3 }, "1");
}

static void
test_list_stops(void **state)
{
	struct fixture *f = *state;
	struct store_filter everything = { 0 };
	struct seen seen = { .num_max = 2 };

	for (uint64_t n = 1; n <= 4; n++)
		reserve_one(f, n);
	assert_int_equal(store_list_certificates(f->store, &everything, see,
	    &seen), OC_ERR_LIMIT);
	assert_int_equal(seen.num, 2);
	/* The walk is over: the store can be written to and closed. */
	reserve_one(f, 5);
}

/* Inside a walk the store may be read, by the same walk too. */
static enum oc_err
walk_again(void *arg, const struct store_certificate *c)
{
	struct fixture *f = arg;
	struct store_filter everything = { 0 };
	struct store_certificate found;
	struct seen seen = { 0 };

	assert_ok(store_list_certificates(f->store, &everything, see, &seen));
	assert_int_equal(seen.num, 2);
	assert_ok(store_find_certificate(f->store, f->issuer_id, &c->serial,
	    &found));
	store_certificate_fini(&found);
	return OC_OK;
}

static void
test_list_nested(void **state)
{
	struct fixture *f = *state;
	struct store_filter everything = { 0 };

	reserve_one(f, 1);
	reserve_one(f, 2);
	assert_ok(store_list_certificates(f->store, &everything, walk_again,
	    f));
}

/* By number, not by octets: 7f comes before 00 80, and that before 01 00. */
static enum oc_err
see_revoked(void *arg, const struct store_revocation *r)
{
	struct seen *seen = arg;

	if (seen->num_max != 0 && seen->num == seen->num_max)
		return OC_ERR_LIMIT;
	assert_true(seen->num < 16);
	assert_int_equal(r->reason, CRL_REASON_SUPERSEDED);
	assert_true(r->revoked_at == 2000 && r->invalidity_at == 1500);
	seen->numbers[seen->num++] = r->serial.bytes[r->serial.len - 1];
	return OC_OK;
}

static void
test_list_revoked(void **state)
{
	static const struct oc_serial serials[] = {
		{ .bytes = { 0x01, 0x00 }, .len = 2 },
		{ .bytes = { 0x7f }, .len = 1 },
		{ .bytes = { 0x00, 0x80 }, .len = 2 },
		{ .bytes = { 0x02 }, .len = 1 }
	};
	struct fixture *f = *state;
	struct seen seen = { 0 };
	int64_t id;

	for (size_t i = 0; i < 4; i++) {
		struct store_reservation r = reservation_of(f->issuer_id, 0);
		struct store_revocation v = {
			f->issuer_id, serials[i], CRL_REASON_SUPERSEDED,
			2000, 1500
		};

		r.serial = serials[i];
		r.not_after = 5000 + (int64_t)i;
		assert_ok(store_reserve(f->store, &r, &id));
		assert_ok(store_revoke(f->store, &v));
	}
	reserve_one(f, 9);			/* not revoked */
	assert_ok(store_list_revoked(f->store, f->issuer_id, 0, see_revoked,
	    &seen));
	assert_int_equal(seen.num, 4);
	assert_int_equal(seen.numbers[0], 0x02);
	assert_int_equal(seen.numbers[1], 0x7f);
	assert_int_equal(seen.numbers[2], 0x80);
	assert_int_equal(seen.numbers[3], 0x00);
	seen.num = 0;
	assert_ok(store_list_revoked(f->store, f->issuer_id, 5002,
	    see_revoked, &seen));
	assert_int_equal(seen.num, 2);
	seen.num = 0;
	assert_ok(store_list_revoked(f->store, f->issuer_id + 1, 0,
	    see_revoked, &seen));
	assert_int_equal(seen.num, 0);
	seen.num_max = 1;
	assert_int_equal(store_list_revoked(f->store, f->issuer_id, 0,
	    see_revoked, &seen), OC_ERR_LIMIT);
	assert_verifies(f->store);
}

/* --- groups ------------------------------------------------------------- */

static void
test_group(void **state)
{
	struct fixture *f = *state;
	struct store *other = open_store(f->path, STORE_READ);
	struct store_reservation r = reservation_of(f->issuer_id, 1);
	struct oc_serial serial = serial_of(2);
	struct store_certificate c;
	int64_t before, seq, id;

	assert_ok(store_change_seq(other, &before));
	assert_ok(store_begin_group(f->store));
	reserve_one(f, 1);
	/* This one fails alone. */
	assert_int_equal(store_reserve(f->store, &r, &id), OC_ERR_EXISTS);
	reserve_one(f, 2);
	assert_ok(store_change_seq(other, &seq));
	assert_int_equal(seq, before);
	assert_ok(store_commit_group(f->store));
	assert_ok(store_change_seq(other, &seq));
	assert_int_equal(seq, before + 2);
	assert_ok(store_find_certificate(other, f->issuer_id, &serial, &c));
	store_certificate_fini(&c);
	store_close(other);

	assert_ok(store_begin_group(f->store));
	reserve_one(f, 3);
	store_abandon_group(f->store);
	serial = serial_of(3);
	assert_int_equal(store_find_certificate(f->store, f->issuer_id,
	    &serial, &c), OC_ERR_NOT_FOUND);
	reserve_one(f, 3);
	assert_verifies(f->store);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, setup_store, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_issuer),
		TEST(test_issuer_refused),
		TEST(test_life),
		TEST(test_reserve_refused),
		TEST(test_reserve_edges),
		TEST(test_issue_refused),
		TEST(test_find_refused),
		TEST(test_changes),
		TEST(test_data_version),
		TEST(test_list),
		TEST(test_list_stops),
		TEST(test_list_nested),
		TEST(test_list_revoked),
		TEST(test_group)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
