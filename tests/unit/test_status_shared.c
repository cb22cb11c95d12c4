/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What hosts share: is a row read back as it was, is every other one refused,
 * whichever octet of it is another; and who leads, by the clock.
 */
#include "tests/unit/status_fixture.h"

#include "status/lease.h"
#include "status/shared.h"

#define USUAL OCSP_ENCODING_USUAL

/* One that the world's signer has signed. */
static void
sign_one(struct world *w, uint64_t n, bool is_revoked, struct ocsp_slot *slot)
{
	w->issuer.presign = OC_PRESIGN_ALL;
	world_issue(w, n, oc_clock_now_s() + YEAR);
	if (is_revoked)
		world_revoke(w, n, CRL_REASON_KEY_COMPROMISE);
	world_start(w);
	world_until(w, world_look(w, n, USUAL, slot));
}

static struct status_shared_verifier *
verifier_of(struct world *w)
{
	struct status_shared_verifier *v = NULL;
	struct oc_error error = { 0 };

	if (status_shared_verifier_new(&w->ocsp, w->service->identity, &v,
	    &error) != OC_OK)
		fail_msg("%s", error.text);
	return v;
}

static bool
is_good(struct status_shared_verifier *v, const struct ocsp_slot *slot)
{
	struct status_shared row = { .slot = *slot, .is_wanted = true };

	status_shared_verify(v, &row, 1);
	return row.is_good;
}

static void
test_round_trip(void **state)
{
	struct world *w = *state;
	struct status_shared_verifier *v;
	struct ocsp_slot slot, again = { .number = 0 };
	struct store_shared row;

	sign_one(w, 0x6100000000000007, true, &slot);
	v = verifier_of(w);
	assert_int_equal(status_shared_write(&slot, 5, &row), OC_OK);
	assert_int_equal(row.name_len, 1 + slot.serial.len);
	assert_int_equal(row.body_len, 19 + 64);
	assert_int_equal(row.change_seq, 5);
	assert_int_equal(row.next_update, slot.next_update);
	assert_int_equal(status_shared_read(w->service->identity, &row,
	    &again), OC_OK);
	assert_true(oc_serial_equal(&again.serial, &slot.serial));
	assert_true(status_is_equal(&again.status, &slot.status));
	assert_int_equal(again.encoding, slot.encoding);
	assert_int_equal(again.produced_at, slot.produced_at);
	assert_int_equal(again.this_update, slot.this_update);
	assert_int_equal(again.next_update, slot.next_update);
	assert_memory_equal(again.signature, slot.signature, 64);
	assert_true(is_good(v, &again));
	status_shared_verifier_free(v);
}

/* Read as something else, or not at all: it is never good. */
static void
assert_no_good(struct world *w, struct status_shared_verifier *v,
    const struct store_shared *row)
{
	struct ocsp_slot slot;

	if (status_shared_read(w->service->identity, row, &slot) == OC_OK)
		assert_false(is_good(v, &slot));
}

static void
test_every_octet_counts(void **state)
{
	struct world *w = *state;
	struct status_shared_verifier *v;
	struct store_shared row, bad;
	struct ocsp_slot slot;

	sign_one(w, 8, false, &slot);
	v = verifier_of(w);
	assert_int_equal(status_shared_write(&slot, 5, &row), OC_OK);
	for (uint32_t i = 0; i < row.body_len; i++)
		for (int bit = 0; bit < 8; bit += 7) {
			bad = row;
			bad.body[i] ^= (uint8_t)(1 << bit);
			assert_no_good(w, v, &bad);
			/* The row's own end is the body's. */
			bad.next_update = (int64_t)bad.body[15] << 24 |
			    bad.body[16] << 16 | bad.body[17] << 8 |
			    bad.body[18];
			assert_no_good(w, v, &bad);
		}
	for (uint32_t i = 0; i < row.name_len; i++) {
		bad = row;
		bad.name[i] ^= 1;
		assert_no_good(w, v, &bad);
	}
	/* A "good" of an encoding that nobody asked this response in. */
	bad = row;
	bad.name[0] = OCSP_ENCODING(OCSP_HASH_SHA256, 0);
	assert_no_good(w, v, &bad);
	for (uint16_t len = 0; len <= STORE_SHARED_BODY_MAX; len++) {
		bad = row;
		bad.body_len = len;
		assert_int_equal(status_shared_read(w->service->identity,
		    &bad, &slot), len == row.body_len ? OC_OK :
		    OC_ERR_MALFORMED);
	}
	for (uint8_t len = 0; len <= STORE_SHARED_NAME_MAX; len++) {
		bad = row;
		bad.name_len = len;
		if (len != row.name_len)
			assert_no_good(w, v, &bad);
	}
	bad = row;
	bad.change_seq = 0;
	assert_int_equal(status_shared_read(w->service->identity, &bad,
	    &slot), OC_ERR_MALFORMED);
	status_shared_verifier_free(v);
}

/* More than are verified together, some of them wanted. */
static void
test_many(void **state)
{
	static struct status_shared rows[100];
	struct world *w = *state;
	struct status_shared_verifier *v;
	struct ocsp_slot slot;

	sign_one(w, 9, false, &slot);
	v = verifier_of(w);
	for (uint32_t i = 0; i < 100; i++) {
		rows[i] = (struct status_shared){ .slot = slot,
		    .is_wanted = i % 3 != 0 };
		if (i % 7 == 0)
			rows[i].slot.signature[i % 64] ^= 1;
		/* Such a number no signature has. */
		if (i % 11 == 0)
			memset(rows[i].slot.signature, 0, 64);
	}
	status_shared_verify(v, rows, 100);
	for (uint32_t i = 0; i < 100; i++)
		assert_int_equal(rows[i].is_good, i % 3 != 0 && i % 7 != 0 &&
		    i % 11 != 0);
	status_shared_verifier_free(v);
}

static void
test_what_is_not_shared(void **state)
{
	struct ocsp_slot slot = { .serial = world_serial(1),
	    .this_update = 1, .next_update = 2 };
	struct store_shared row;

	(void)state;
	assert_int_equal(status_shared_write(&slot, 1, &row), OC_OK);
	slot.status.kind = OCSP_UNKNOWN;
	assert_int_equal(status_shared_write(&slot, 1, &row), OC_ERR_LIMIT);
	slot.status.kind = OCSP_GOOD;
	slot.next_update = (int64_t)UINT32_MAX + 1;
	assert_int_equal(status_shared_write(&slot, 1, &row), OC_ERR_LIMIT);
	slot.next_update = 2;
	slot.this_update = -1;
	assert_int_equal(status_shared_write(&slot, 1, &row), OC_ERR_LIMIT);
}

/* Whatever changes octets, or when they are renewed, is another context. */
static void
test_contexts(void **state)
{
	struct world *w = *state;
	uint8_t names[13][STORE_CONTEXT_LEN], store[STORE_ID_LEN] = { 1 };
	struct ocsp_identity *id;
	int num = 0, i, k;

	world_start(w);
	id = w->service->identity;
#define NAME() assert_int_equal(status_shared_context(id, &w->ocsp, store, \
    names[num++]), OC_OK)
	NAME();
	store[15] = 1;
	NAME();
	w->issuer.ocsp_lifetime_s++;
	NAME();
	w->issuer.ocsp_backdate_s++;
	NAME();
	w->ocsp.presign = OC_PRESIGN_ALL;
	NAME();
	id->archive_s += 60;
	NAME();
	id->crl_url_len = 1;
	NAME();
	id->is_by_name = 1;
	NAME();
	id->responder_name[5] ^= 1;
	NAME();
	id->responder_key_hash[0] ^= 1;
	NAME();
	id->key_hash[OCSP_HASH_SHA256][0] ^= 1;
	NAME();
	id->alg = SIGN_ECDSA_SHA384;
	NAME();
	/* Not these: they are no part of what is signed. */
	id->certs[0] ^= 1;
	id->signer_not_after++;
	NAME();
#undef NAME
	assert_memory_equal(names[11], names[12], STORE_CONTEXT_LEN);
	for (i = 0; i < 12; i++)
		for (k = 0; k < i; k++)
			assert_memory_not_equal(names[i], names[k],
			    STORE_CONTEXT_LEN);
	id->certs[0] ^= 1;
}

/* --- the lease ----------------------------------------------------------- */

static void
test_lease(void **state)
{
	struct status_lease l = { .begun_ms = 1000 };

	(void)state;
	/* Before anybody answered. */
	assert_int_equal(status_lease_lead(&l, 1000), STATUS_LEAD_FOLLOWS);
	assert_int_equal(status_lease_lead(&l, 1000 + STATUS_ALONE_MS),
	    STATUS_LEAD_FOLLOWS);
	assert_int_equal(status_lease_lead(&l, 1001 + STATUS_ALONE_MS),
	    STATUS_LEAD_ALONE);
	status_lease_answer(&l, 10000, false);
	assert_int_equal(status_lease_lead(&l, 10500), STATUS_LEAD_FOLLOWS);
	status_lease_answer(&l, 20000, true);
	assert_int_equal(status_lease_lead(&l, 20001), STATUS_LEAD_LEADS);
	/* It answers, but the lease was not prolonged: we stop before the
	 * others may begin. */
	status_lease_contact(&l, 20000 + STATUS_LEASE_MS);
	assert_int_equal(status_lease_lead(&l, 20000 + STATUS_LEASE_MS -
	    STATUS_LEASE_MARGIN_MS - 1), STATUS_LEAD_LEADS);
	assert_int_equal(status_lease_lead(&l, 20000 + STATUS_LEASE_MS -
	    STATUS_LEASE_MARGIN_MS), STATUS_LEAD_FOLLOWS);
	/* Prolonged, and then somebody else's. */
	status_lease_answer(&l, 30000, true);
	status_lease_answer(&l, 31500, true);
	assert_int_equal(status_lease_lead(&l, 34000), STATUS_LEAD_LEADS);
	status_lease_answer(&l, 33000, false);
	assert_int_equal(status_lease_lead(&l, 34000), STATUS_LEAD_FOLLOWS);
	/* Who hears nothing is alone, also if it was to lead. */
	status_lease_answer(&l, 40000, true);
	assert_int_equal(status_lease_lead(&l, 40001 + STATUS_ALONE_MS),
	    STATUS_LEAD_ALONE);
	/* What was asked long ago is no news. */
	status_lease_contact(&l, 39000);
	assert_int_equal(l.contact_ms, 40000);
}

/* There is always as much left again, by what refresh.c promises. */
static void
test_patience(void **state)
{
	static const int64_t lives[] = { 60, 3600, 15 * 3600, 16 * 3600,
	    86400, 4 * 86400, 10 * 86400, 11 * 86400, 365 * 86400 };

	(void)state;
	for (size_t i = 0; i < sizeof(lives) / sizeof(lives[0]); i++) {
		int64_t patience_s = status_lease_patience_s(lives[i]);
		int64_t latest = 0;

		for (uint64_t n = 1; n < 400; n++) {
			struct oc_serial serial = world_serial(n * 77);
			int64_t at = ocsp_refresh_due_at(&serial, 0,
			    lives[i]);

			latest = at > latest ? at : latest;
		}
		assert_true(patience_s > 0);
		assert_true(latest + 2 * patience_s <= lives[i]);
	}
	assert_string_equal(status_lead_word(STATUS_LEAD_LEADS), "leads");
	assert_string_equal(status_lead_word(STATUS_LEAD_FOLLOWS), "follows");
	assert_string_equal(status_lead_word(STATUS_LEAD_ALONE), "alone");
	assert_string_equal(status_lead_word(STATUS_LEAD_NONE), "none");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, \
    world_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_round_trip),
		TEST(test_every_octet_counts),
		TEST(test_many),
		cmocka_unit_test(test_what_is_not_shared),
		TEST(test_contexts),
		cmocka_unit_test(test_lease),
		cmocka_unit_test(test_patience),
	};

	return cmocka_run_group_tests_name("shared", tests, NULL, NULL);
}
