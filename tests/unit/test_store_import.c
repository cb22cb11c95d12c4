/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates that others issued: taken in once, whole or not at all, never
 * good again, and held against the journal as our own. */
#include "store_fixture.h"

#include "store/import.h"

static struct store_import
import_of(const struct fixture *f, uint64_t n)
{
	return (struct store_import){
		.issuer_id = f->issuer_id,
		.serial = serial_of(n),
		.state = STORE_ISSUED,
		.reserved_at = 1000,
		.issued_at = 1000,
		.not_before = 1000,
		.not_after = 4000000000,
		.profile = "",
		.subject = "CN=theirs",
		.names = "DNS:theirs",
		.certificate = BLOB("their certificate"),
		.record = "V\tsome\tline"
	};
}

static struct store_import
revoked_of(const struct fixture *f, uint64_t n, enum crl_reason reason)
{
	struct store_import i = import_of(f, n);

	i.is_revoked = true;
	i.reason = reason;
	i.revoked_at = 2000;
	return i;
}

/* As a CRL names it. */
static struct store_import
listed_of(const struct fixture *f, uint64_t n)
{
	struct store_import i = revoked_of(f, n, CRL_REASON_KEY_COMPROMISE);

	i.not_before = 0;
	i.not_after = STORE_NO_END;
	i.subject = i.names = i.record = "";
	i.certificate = (struct store_blob){ NULL, 0 };
	return i;
}

static enum oc_err
import_as(struct fixture *f, const struct store_import *i,
    enum store_import_policy policy, enum store_import_outcome *outcome)
{
	enum oc_err err;

	assert_ok(store_begin_group(f->store));
	err = store_import(f->store, i, policy, outcome);
	assert_ok(store_commit_group(f->store));
	return err;
}

static void
assert_imports(struct fixture *f, const struct store_import *i,
    enum store_import_outcome expected)
{
	enum store_import_outcome outcome;

	assert_ok(import_as(f, i, STORE_IMPORT_STRICT, &outcome));
	assert_int_equal(outcome, expected);
}

static void
assert_conflict(struct fixture *f, const struct store_import *i,
    const char *words)
{
	enum store_import_outcome outcome;

	assert_int_equal(import_as(f, i, STORE_IMPORT_STRICT, &outcome),
	    OC_ERR_MISMATCH);
	if (strstr(store_error(f->store), words) == NULL)
		fail_msg("\"%s\" has no \"%s\"", store_error(f->store), words);
}

static enum oc_err
verify(struct fixture *f)
{
	int64_t num, bad;

	return store_verify_journal(f->store, &num, &bad);
}

static struct store_certificate
find(struct fixture *f, uint64_t n)
{
	struct oc_serial serial = serial_of(n);
	struct store_certificate c = { 0 };

	assert_ok(store_find_certificate(f->store, f->issuer_id, &serial,
	    &c));
	return c;
}

static void
test_take(void **state)
{
	struct fixture *f = *state;
	struct store_import good = import_of(f, 1);
	struct store_import held = revoked_of(f, 2,
	    CRL_REASON_CERTIFICATE_HOLD);
	struct store_import listed = listed_of(f, 3);
	struct store_reservation r = reservation_of(f->issuer_id, 1);
	struct store_certificate c;
	int64_t id, seq, later;

	held.invalidity_at = 1500;
	assert_imports(f, &good, STORE_IMPORT_NEW);
	assert_imports(f, &held, STORE_IMPORT_NEW);
	assert_imports(f, &listed, STORE_IMPORT_NEW);
	assert_ok(store_change_seq(f->store, &seq));
	assert_imports(f, &good, STORE_IMPORT_SAME);
	assert_imports(f, &held, STORE_IMPORT_SAME);
	assert_imports(f, &listed, STORE_IMPORT_SAME);
	assert_ok(store_change_seq(f->store, &later));
	assert_int_equal(seq, later);
	c = find(f, 2);
	assert_int_equal(c.state, STORE_ISSUED);
	assert_true(c.is_revoked);
	assert_int_equal(c.reason, CRL_REASON_CERTIFICATE_HOLD);
	assert_int_equal(c.invalidity_at, 1500);
	assert_string_equal(c.subject, "CN=theirs");
	assert_string_equal(c.import_record, "V\tsome\tline");
	assert_null(c.tbs);
	assert_memory_equal(c.certificate, "their certificate", 17);
	store_certificate_fini(&c);
	issue_one(f, 4);
	c = find(f, 4);
	assert_null(c.import_record);
	store_certificate_fini(&c);
	/* Never again, and revoked as any other. */
	assert_int_equal(store_reserve(f->store, &r, &id), OC_ERR_EXISTS);
	assert_ok(revoke_one(f, 1, CRL_REASON_SUPERSEDED));
	assert_ok(verify(f));
}

static void
test_conflict(void **state)
{
	struct fixture *f = *state;
	struct store_import i = import_of(f, 1), other = i;
	enum store_import_outcome outcome;
	struct store_certificate c;

	assert_imports(f, &i, STORE_IMPORT_NEW);
	other.certificate = BLOB("another's certificate");
	other.subject = "CN=another";
	assert_conflict(f, &other, "CN=another");
	assert_conflict(f, &other, "CN=theirs");
	assert_int_equal(import_as(f, &other, STORE_IMPORT_KEEP, &outcome),
	    OC_ERR_MISMATCH);
	other = i;
	other.not_after++;
	assert_conflict(f, &other, "ends at another time");

	/* On hold, then for good; never back. */
	i = revoked_of(f, 1, CRL_REASON_CERTIFICATE_HOLD);
	assert_imports(f, &i, STORE_IMPORT_REVOKED);
	i = revoked_of(f, 1, CRL_REASON_SUPERSEDED);
	assert_imports(f, &i, STORE_IMPORT_REVOKED);
	i = import_of(f, 1);
	assert_conflict(f, &i, "revoked (superseded, 1970-01-01T00:33:20Z) "
	    "here, and good there");
	i = revoked_of(f, 1, CRL_REASON_CERTIFICATE_HOLD);
	assert_conflict(f, &i, "revoked (certificateHold");
	i = import_of(f, 1);
	assert_ok(import_as(f, &i, STORE_IMPORT_KEEP, &outcome));
	assert_int_equal(outcome, STORE_IMPORT_KEPT);
	c = find(f, 1);
	assert_true(c.is_revoked);
	assert_int_equal(c.reason, CRL_REASON_SUPERSEDED);
	store_certificate_fini(&c);
	assert_ok(verify(f));
}

/* From a CRL first, from the database of certificates then. */
static void
test_complete(void **state)
{
	struct fixture *f = *state;
	struct store_import listed = listed_of(f, 1), whole = revoked_of(f, 1,
	    CRL_REASON_KEY_COMPROMISE);
	struct store_certificate c;

	assert_imports(f, &listed, STORE_IMPORT_NEW);
	assert_imports(f, &whole, STORE_IMPORT_COMPLETED);
	assert_imports(f, &whole, STORE_IMPORT_SAME);
	assert_imports(f, &listed, STORE_IMPORT_SAME);
	c = find(f, 1);
	assert_string_equal(c.subject, "CN=theirs");
	assert_int_equal(c.not_after, whole.not_after);
	assert_int_equal(c.certificate_len, 17);
	assert_true(c.is_revoked);
	store_certificate_fini(&c);
	assert_ok(verify(f));
	run_sql(f->path, "UPDATE certificate SET subject = 'CN=another'");
	assert_int_equal(verify(f), OC_ERR_MISMATCH);
}

static void
test_abandon(void **state)
{
	struct fixture *f = *state;
	struct store_import i = revoked_of(f, 1, CRL_REASON_SUPERSEDED);
	struct store_imported all = { .issuer = "ca", .format = "crl",
	    .path = "a" };
	enum store_import_outcome outcome;
	int64_t before, after;
	bool is_moved;

	before = read_sql(f->path, "SELECT journal_number FROM store");
	assert_ok(store_begin_group(f->store));
	assert_ok(store_import(f->store, &i, STORE_IMPORT_STRICT, &outcome));
	assert_ok(store_pass_crl_number(f->store, UINT64_C(1) << 60,
	    &is_moved));
	assert_true(is_moved);
	assert_ok(store_end_import(f->store, &all));
	store_abandon_group(f->store);
	after = read_sql(f->path, "SELECT journal_number FROM store");
	assert_int_equal(before, after);
	assert_int_equal(read_sql(f->path, "SELECT count(*) FROM"
	    " certificate_import"), 0);
	assert_ok(verify(f));
}

static void
assert_bad(struct fixture *f, const char *change, const char *back)
{
	run_sql(f->path, change);
	assert_int_equal(verify(f), OC_ERR_MISMATCH);
	run_sql(f->path, back);
	assert_ok(verify(f));
}

static void
test_tamper(void **state)
{
	struct fixture *f = *state;
	struct store_import i = import_of(f, 1);

	assert_imports(f, &i, STORE_IMPORT_NEW);
	issue_one(f, 2);
	assert_ok(verify(f));
	assert_bad(f, "UPDATE certificate_import SET record = 'x'",
	    "UPDATE certificate_import SET record = 'V\tsome\tline'");
	assert_bad(f, "DELETE FROM certificate_import",
	    "INSERT INTO certificate_import VALUES (1, 'V\tsome\tline')");
	/* What we signed is not to be passed off as imported. */
	assert_bad(f, "INSERT INTO certificate_import VALUES (2, '')",
	    "DELETE FROM certificate_import WHERE id = 2");
	assert_bad(f, "UPDATE certificate SET revoked_at = 1, reason = 1"
	    " WHERE id = 1", "UPDATE certificate SET revoked_at = NULL,"
	    " reason = NULL WHERE id = 1");
	assert_bad(f, "UPDATE store SET epoch = epoch + 1",
	    "UPDATE store SET epoch = epoch - 1");
}

static uint64_t
next_number(struct fixture *f, struct store *store)
{
	uint64_t number;
	int64_t id;

	assert_ok(store_reserve_crl(store, f->issuer_id, 1, 2, &id, &number));
	return number;
}

static void
test_crl_number(void **state)
{
	struct fixture *f = *state;
	uint64_t above = UINT64_C(1700000000000000000), number;
	struct store *other = open_store(f->path, STORE_WRITE);
	struct store *reader = open_store(f->path, STORE_READ);
	uint32_t epoch = store_epoch(f->store);
	int64_t version, later;
	bool is_moved;

	number = next_number(f, other);
	assert_ok(store_data_version(reader, &version));
	assert_ok(store_begin_group(f->store));
	assert_ok(store_pass_crl_number(f->store, 4711, &is_moved));
	assert_false(is_moved);
	assert_ok(store_commit_group(f->store));
	assert_int_equal(next_number(f, f->store), number + 1);
	assert_ok(store_begin_group(f->store));
	assert_ok(store_pass_crl_number(f->store, above, &is_moved));
	assert_true(is_moved);
	assert_int_equal(store_pass_crl_number(f->store,
	    UINT64_C(1) << 62, &is_moved), OC_ERR_LIMIT);
	assert_ok(store_commit_group(f->store));
	/* Also of one that was open before. */
	number = next_number(f, other);
	assert_true(number > above);
	assert_true(next_number(f, f->store) > number);
	store_close(other);
	later = version;
	for (int i = 0; later == version && i < 300; i++) {
		assert_ok(store_data_version(reader, &later));
		usleep(10 * 1000);
	}
	assert_int_not_equal(later, version);
	store_close(reader);
	assert_ok(verify(f));
	store_close(f->store);
	f->store = open_store(f->path, STORE_WRITE);
	assert_true(store_epoch(f->store) > epoch);
	assert_ok(verify(f));
}

static void
test_bad(void **state)
{
	struct fixture *f = *state;
	enum store_import_outcome outcome;
	struct store_import i = import_of(f, 1);

	i.not_before = i.not_after + 1;
	assert_int_equal(import_as(f, &i, STORE_IMPORT_STRICT, &outcome),
	    OC_ERR_MALFORMED);
	i = import_of(f, 1);
	i.serial.bytes[0] = 0x80;
	assert_int_not_equal(import_as(f, &i, STORE_IMPORT_STRICT, &outcome),
	    OC_OK);
	i = revoked_of(f, 1, CRL_REASON_REMOVE_FROM_CRL);
	assert_int_equal(import_as(f, &i, STORE_IMPORT_STRICT, &outcome),
	    OC_ERR_MALFORMED);
	i = revoked_of(f, 1, CRL_REASON_SUPERSEDED);
	i.revoked_at = 0;
	assert_int_equal(import_as(f, &i, STORE_IMPORT_STRICT, &outcome),
	    OC_ERR_MALFORMED);
	assert_int_equal(read_sql(f->path, "SELECT count(*) FROM"
	    " certificate"), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup_store, \
	teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_take),
		TEST(test_conflict),
		TEST(test_complete),
		TEST(test_abandon),
		TEST(test_tamper),
		TEST(test_crl_number),
		TEST(test_bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
