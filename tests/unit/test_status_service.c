/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The status service over a real store and a real table: what is signed
 * without being asked for, what a revocation does, and what questions get.
 */
#include "tests/unit/status_fixture.h"

#include <openssl/err.h>

#define USUAL OCSP_ENCODING_USUAL
#define SHA256_NULL OCSP_ENCODING(OCSP_HASH_SHA256, 0)

static bool
is_in_table(struct world *w, uint64_t n, uint8_t encoding,
    enum ocsp_cert_status kind)
{
	struct ocsp_slot slot;

	return world_look(w, n, encoding, &slot) && slot.status.kind == kind;
}

static void
note_done(void *arg)
{
	++*(int *)arg;
}

static void
nudge(struct world *w, int *done)
{
	*done = 0;
	assert_int_equal(status_service_nudge(w->service, note_done, done),
	    OC_OK);
}

/* --- presigning ---------------------------------------------------------- */

static void
test_presign_all(void **state)
{
	struct world *w = *state;
	int64_t now = oc_clock_now_s();
	struct ocsp_slot slot;
	int done;

	for (uint64_t n = 1; n <= 30; n++)
		world_issue(w, n, now + YEAR);
	world_issue(w, 100, now - 1);
	world_revoke(w, 7, CRL_REASON_SUPERSEDED);
	w->issuer.presign = OC_PRESIGN_ALL;
	world_start(w);
	world_until(w, world_num_slots(w) == 30);
	world_idle(w, 300);
	assert_int_equal(world_num_signed(w), 30);
	for (uint64_t n = 1; n <= 30; n++)
		assert_true(is_in_table(w, n, USUAL,
		    n == 7 ? OCSP_REVOKED : OCSP_GOOD));
	assert_false(world_look(w, 100, USUAL, &slot));
	/* A first signing of all stands behind all but what is revoked. */
	assert_int_equal(w->gate.num_in_lane[SIGN_LANE_REFRESH], 29);
	assert_int_equal(w->gate.num_in_lane[SIGN_LANE_REVOCATION], 1);
	/* One more, which is news. */
	world_issue(w, 31, now + YEAR);
	nudge(w, &done);
	world_until(w, is_in_table(w, 31, USUAL, OCSP_GOOD));
	assert_int_equal(w->gate.num_in_lane[SIGN_LANE_CERTIFICATE], 1);
}

static void
test_presign_asked(void **state)
{
	struct world *w = *state;
	struct reply a = { 0 }, b = { 0 };

	world_issue_many(w, 1, 20);
	world_start(w);
	world_idle(w, 300);
	assert_int_equal(w->gate.num_submitted, 0);
	world_ask(w, 5, USUAL, &a);
	assert_int_equal(a.num, 0);
	world_until(w, a.num == 1);
	assert_int_equal(a.kind, IPC_ANSWER_TABLE);
	assert_true(is_in_table(w, 5, USUAL, OCSP_GOOD));
	world_ask(w, 5, USUAL, &b);
	assert_int_equal(b.num, 1);
	assert_int_equal(b.kind, IPC_ANSWER_TABLE);
	assert_int_equal(world_num_signed(w), 1);
	assert_int_equal(w->gate.num_in_lane[SIGN_LANE_LIVE], 1);
}

/* A thousand questions, one C_Sign. */
static void
test_single_flight(void **state)
{
	struct world *w = *state;
	struct reply reply = { 0 };

	world_issue_many(w, 1, 3);
	world_start(w);
	sign_soft_hold(w->gate.soft);
	for (int i = 0; i < 1000; i++)
		world_ask(w, 2, SHA256_NULL, &reply);
	world_idle(w, 50);
	assert_int_equal(reply.num, 0);
	sign_soft_release(w->gate.soft);
	world_until(w, reply.num == 1000);
	assert_int_equal(reply.kind, IPC_ANSWER_TABLE);
	assert_int_equal(world_num_signed(w), 1);
	assert_int_equal(w->service->num_waiters, 0);
	assert_true(is_in_table(w, 2, SHA256_NULL, OCSP_GOOD));
	assert_false(is_in_table(w, 2, USUAL, OCSP_GOOD));
}

/* Nothing is said beyond the certificate's end, or the signer's. */
static void
test_ends(void **state)
{
	struct world *w = *state;
	int64_t now = oc_clock_now_s();
	struct ocsp_slot slot;
	struct reply reply = { 0 };

	world_set_delegate(w, now + 3 * 86400);
	world_issue(w, 1, now + 86400);
	world_issue(w, 2, now + YEAR);
	world_start(w);
	world_ask(w, 1, USUAL, &reply);
	world_ask(w, 2, USUAL, &reply);
	world_until(w, reply.num == 2);
	assert_true(world_look(w, 1, USUAL, &slot));
	assert_int_equal(slot.next_update, now + 86400);
	assert_true(world_look(w, 2, USUAL, &slot));
	assert_int_equal(slot.next_update, now + 3 * 86400);
	/* Signing again gives them no longer life: so it is not done, however
	 * near the end is. */
	for (w->skip_s = 3600; w->skip_s < 3 * 86400; w->skip_s += 3600)
		world_turn(w, 0);
	assert_int_equal(world_num_signed(w), 2);
}

/* Dated back by nearly all of its life it is due at once by thisUpdate: it
 * is not signed again and again. */
static void
test_backdated_far(void **state)
{
	struct world *w = *state;
	struct reply reply = { 0 };

	w->issuer.ocsp_lifetime_s = 3600;
	w->issuer.ocsp_backdate_s = 3500;
	world_issue_many(w, 1, 1);
	world_start(w);
	world_ask(w, 1, USUAL, &reply);
	world_until(w, reply.num == 1);
	world_idle(w, 2500);
	assert_int_equal(world_num_signed(w), 1);
}

/* --- revocation ---------------------------------------------------------- */

static void
test_revoke(void **state)
{
	struct world *w = *state;
	struct ocsp_slot slot;
	struct reply reply = { 0 };
	int64_t begun;
	int done;

	world_issue_many(w, 1, 3);
	world_start(w);
	world_ask(w, 2, USUAL, &reply);
	world_ask(w, 2, SHA256_NULL, &reply);
	world_until(w, reply.num == 2);
	sign_soft_hold(w->gate.soft);
	begun = oc_clock_mono_ns();
	world_revoke(w, 2, CRL_REASON_KEY_COMPROMISE);
	nudge(w, &done);
	/* Withdrawn, in each encoding, whatever the signer does. */
	world_until(w, !world_look(w, 2, USUAL, &slot));
	assert_false(world_look(w, 2, SHA256_NULL, &slot));
	w->never_good = world_serial(2);
	world_idle(w, 100);
	assert_int_equal(done, 0);
	sign_soft_release(w->gate.soft);
	world_until(w, done == 1);
	assert_true(oc_clock_mono_ns() - begun < OC_NS_PER_S);
	assert_true(world_look(w, 2, USUAL, &slot));
	assert_int_equal(slot.status.kind, OCSP_REVOKED);
	assert_int_equal(slot.status.reason, CRL_REASON_KEY_COMPROMISE);
	assert_int_equal(slot.status.revoked_at, 1700000000);
	assert_true(is_in_table(w, 2, SHA256_NULL, OCSP_REVOKED));
	assert_int_equal(w->gate.num_in_lane[SIGN_LANE_REVOCATION], 2);
	assert_int_equal(world_num_signed(w), 4);
}

/* Revoked while `good` is on its way: the question is answered, and never
 * with what is no longer so. */
static void
test_revoke_in_flight(void **state)
{
	struct world *w = *state;
	static const uint64_t one[] = { 1 };
	struct reply reply = { 0 }, other = { 0 }, live = { 0 };
	int done;

	world_issue_many(w, 1, 3);
	world_start(w);
	assert_int_equal(world_num_slots(w), 0);
	sign_soft_hold(w->gate.soft);
	world_ask(w, 1, USUAL, &reply);
	world_ask(w, 1, SHA256_NULL, &other);
	world_ask_live(w, one, 1, 32, &live);
	assert_int_equal(w->gate.num_submitted, 3);
	w->never_good = world_serial(1);
	world_revoke(w, 1, CRL_REASON_SUPERSEDED);
	nudge(w, &done);
	world_until(w, w->gate.num_in_lane[SIGN_LANE_REVOCATION] == 2);
	sign_soft_release(w->gate.soft);
	world_until(w, done == 1 && reply.num == 1 && other.num == 1 &&
	    live.num == 1);
	assert_int_equal(reply.kind, IPC_ANSWER_TABLE);
	assert_int_equal(other.kind, IPC_ANSWER_TABLE);
	assert_true(is_in_table(w, 1, USUAL, OCSP_REVOKED));
	assert_true(is_in_table(w, 1, SHA256_NULL, OCSP_REVOKED));
	assert_int_equal(live.kind, IPC_ANSWER_ERROR);
	assert_int_equal(live.status, OCSP_TRY_LATER);
	world_idle(w, 200);
	assert_int_equal(w->service->num_flights, 0);
	assert_int_equal(w->service->num_waiters, 0);
}

/* Signed already, but not yet taken from the signer. */
static void
test_revoke_at_landing(void **state)
{
	struct world *w = *state;
	struct reply reply = { 0 };
	int done;

	world_issue_many(w, 1, 1);
	world_start(w);
	assert_int_equal(world_num_slots(w), 0);
	world_ask(w, 1, USUAL, &reply);
	while (world_num_signed(w) == 0)
		usleep(1000);
	usleep(20000);
	w->never_good = world_serial(1);
	world_revoke(w, 1, CRL_REASON_SUPERSEDED);
	nudge(w, &done);
	/* Only the source's news, until it is known. */
	while (!status_set_find(w->service->set, &w->never_good)->is_revoked)
		status_service_dispatch(w->service);
	world_until(w, reply.num == 1 && done == 1);
	assert_int_equal(reply.kind, IPC_ANSWER_TABLE);
	assert_true(is_in_table(w, 1, USUAL, OCSP_REVOKED));
}

static void
test_hold(void **state)
{
	struct world *w = *state;
	struct reply reply = { 0 };
	int done;

	world_issue_many(w, 1, 1);
	world_start(w);
	world_ask(w, 1, USUAL, &reply);
	world_until(w, reply.num == 1);
	world_revoke(w, 1, CRL_REASON_CERTIFICATE_HOLD);
	nudge(w, &done);
	world_until(w, done == 1);
	assert_true(is_in_table(w, 1, USUAL, OCSP_REVOKED));
	world_revoke(w, 1, CRL_REASON_REMOVE_FROM_CRL);
	nudge(w, &done);
	world_until(w, done == 1);
	assert_true(is_in_table(w, 1, USUAL, OCSP_GOOD));
	assert_int_equal(world_num_signed(w), 3);
}

/* Nothing has changed: a nudge is answered at once, and signs nothing. */
static void
test_nudge_of_nothing(void **state)
{
	struct world *w = *state;
	int a, b;

	world_issue_many(w, 1, 1);
	world_start(w);
	nudge(w, &a);
	nudge(w, &b);
	world_until(w, a == 1 && b == 1);
	assert_int_equal(w->gate.num_submitted, 0);
	assert_null(w->service->nudges);
}

/* --- what questions get --------------------------------------------------- */

static void
expect_error(struct world *w, const uint64_t *n, uint32_t num,
    size_t nonce_len, enum ocsp_response_status status)
{
	struct reply reply = { 0 };
	uint32_t num_submitted = w->gate.num_submitted;

	world_ask_live(w, n, num, nonce_len, &reply);
	assert_int_equal(reply.num, 1);
	assert_int_equal(reply.kind, IPC_ANSWER_ERROR);
	assert_int_equal(reply.status, status);
	assert_int_equal(reply.retry_after_s != 0, status == OCSP_TRY_LATER);
	assert_int_equal(w->gate.num_submitted, num_submitted);
}

/* Verified by OpenSSL, and of these certificates in this order. */
static void
check_response(const struct world *w, const struct reply *reply,
    const uint64_t *n, int num, size_t nonce_len, int status)
{
	const unsigned char *p = reply->response;
	OCSP_RESPONSE *response = d2i_OCSP_RESPONSE(NULL, &p,
	    (long)reply->response_len);
	X509_STORE *trusted = X509_STORE_new();
	OCSP_BASICRESP *basic;
	int at, i;

	assert_int_equal(reply->kind, IPC_ANSWER_RESPONSE);
	assert_non_null(response);
	assert_int_equal(OCSP_response_status(response), 0);
	basic = OCSP_response_get1_basic(response);
	assert_non_null(basic);
	assert_int_equal(X509_STORE_add_cert(trusted, w->ca), 1);
	assert_int_equal(OCSP_basic_verify(basic, NULL, trusted, 0), 1);
	assert_int_equal(OCSP_resp_count(basic), num);
	for (i = 0; i < num; i++) {
		struct oc_serial serial = world_serial(n[i]);
		BIGNUM *bn = BN_bin2bn(serial.bytes, serial.len, NULL);
		ASN1_INTEGER *number = BN_to_ASN1_INTEGER(bn, NULL);
		OCSP_CERTID *id = OCSP_cert_id_new(EVP_sha1(),
		    X509_get_subject_name(w->ca),
		    X509_get0_pubkey_bitstr(w->ca), number);
		OCSP_SINGLERESP *single = OCSP_resp_get0(basic, i);

		assert_int_equal(OCSP_id_cmp(OCSP_SINGLERESP_get0_id(single),
		    id), 0);
		assert_int_equal(OCSP_single_get0_status(single, NULL, NULL,
		    NULL, NULL), status);
		OCSP_CERTID_free(id);
		ASN1_INTEGER_free(number);
		BN_free(bn);
	}
	at = OCSP_BASICRESP_get_ext_by_NID(basic, NID_id_pkix_OCSP_Nonce, -1);
	assert_int_equal(at >= 0, nonce_len > 0);
	if (at >= 0) {
		const ASN1_OCTET_STRING *value = X509_EXTENSION_get_data(
		    OCSP_BASICRESP_get_ext(basic, at));

		/* 04 len octets */
		assert_int_equal(ASN1_STRING_length(value), nonce_len + 2);
		assert_int_equal(ASN1_STRING_get0_data(value)[2], 0x5a);
	}
	OCSP_BASICRESP_free(basic);
	OCSP_RESPONSE_free(response);
	X509_STORE_free(trusted);
}

static void
test_unknown_unauthorized(void **state)
{
	struct world *w = *state;
	static const uint64_t mixed[] = { 1, 99 };

	world_issue_many(w, 1, 1);
	world_start(w);
	expect_error(w, &mixed[1], 1, 0, OCSP_UNAUTHORIZED);
	expect_error(w, &mixed[1], 1, 32, OCSP_UNAUTHORIZED);
	expect_error(w, mixed, 2, 0, OCSP_UNAUTHORIZED);
}

static void
test_unknown_unknown(void **state)
{
	struct world *w = *state;
	static const uint64_t never[] = { 99 };
	struct reply reply = { 0 };

	w->issuer.unknown = OC_UNKNOWN_UNKNOWN;
	world_issue_many(w, 1, 1);
	world_start(w);
	world_ask(w, 99, USUAL, &reply);
	world_until(w, reply.num == 1);
	check_response(w, &reply, never, 1, 0, V_OCSP_CERTSTATUS_UNKNOWN);
	assert_int_equal(world_num_slots(w), 0);
	w->budget.rate = 0;
	expect_error(w, never, 1, 0, OCSP_TRY_LATER);
}

/* The extension, and nothing else, tells it from one that is revoked. */
static void
check_extended_revoke(const struct reply *reply, bool wanted)
{
	static const uint8_t null[] = { 0x05, 0x00 };
	const unsigned char *p = reply->response;
	OCSP_RESPONSE *response = d2i_OCSP_RESPONSE(NULL, &p,
	    (long)reply->response_len);
	OCSP_BASICRESP *basic = OCSP_response_get1_basic(response);
	ASN1_OBJECT *oid = OBJ_txt2obj("1.3.6.1.5.5.7.48.1.9", 1);
	ASN1_GENERALIZEDTIME *since;
	X509_EXTENSION *extension;
	int at, reason;

	assert_non_null(basic);
	at = OCSP_BASICRESP_get_ext_by_OBJ(basic, oid, -1);
	assert_int_equal(at >= 0, wanted);
	if (wanted) {
		extension = OCSP_BASICRESP_get_ext(basic, at);
		assert_int_equal(X509_EXTENSION_get_critical(extension), 0);
		assert_int_equal(ASN1_STRING_length(
		    X509_EXTENSION_get_data(extension)), 2);
		assert_memory_equal(ASN1_STRING_get0_data(
		    X509_EXTENSION_get_data(extension)), null, 2);
		at = OCSP_resp_count(basic) - 1;
		assert_int_equal(OCSP_single_get0_status(
		    OCSP_resp_get0(basic, at), &reason, &since, NULL, NULL),
		    V_OCSP_CERTSTATUS_REVOKED);
		assert_int_equal(reason, OCSP_REVOKED_STATUS_CERTIFICATEHOLD);
		assert_string_equal((const char *)ASN1_STRING_get0_data(
		    since), "19700101000000Z");
		assert_int_equal(OCSP_SINGLERESP_get_ext_count(
		    OCSP_resp_get0(basic, at)), 0);
	}
	ASN1_OBJECT_free(oid);
	OCSP_BASICRESP_free(basic);
	OCSP_RESPONSE_free(response);
}

/* RFC 6960, 2.2 and 4.4.8. */
static void
test_unknown_revoked(void **state)
{
	static const uint64_t never[] = { 99 }, known[] = { 1 };
	struct world *w = *state;
	struct reply reply = { 0 }, nonce = { 0 };

	w->issuer.unknown = OC_UNKNOWN_REVOKED;
	world_issue_many(w, 1, 1);
	world_start(w);
	world_ask(w, 99, USUAL, &reply);
	world_until(w, reply.num == 1);
	check_response(w, &reply, never, 1, 0, V_OCSP_CERTSTATUS_REVOKED);
	check_extended_revoke(&reply, true);
	assert_int_equal(world_num_slots(w), 0);
	/* Not of one that is there. */
	world_ask_live(w, known, 1, 32, &nonce);
	world_until(w, nonce.num == 1);
	check_response(w, &nonce, known, 1, 32, V_OCSP_CERTSTATUS_GOOD);
	check_extended_revoke(&nonce, false);
	/* Without a signature there is nothing to say, nor an answer without
	 * the nonce. */
	w->budget.rate = 0;
	expect_error(w, never, 1, 0, OCSP_TRY_LATER);
	expect_error(w, never, 1, 32, OCSP_TRY_LATER);
}

/* Made shorter, it holds for what was signed before, too. */
static void
test_shorter_lifetime(void **state)
{
	struct world *w = *state;
	int64_t now = oc_clock_now_s();
	struct ocsp_slot slot;

	for (uint64_t n = 1; n <= 5; n++)
		world_issue(w, n, now + YEAR);
	w->issuer.presign = OC_PRESIGN_ALL;
	w->issuer.ocsp_backdate_s = 60;
	world_start(w);
	world_until(w, world_num_slots(w) == 5);
	assert_true(world_look(w, 3, USUAL, &slot));
	assert_true(slot.next_update > now + 3600);
	world_stop(w);
	w->issuer.ocsp_lifetime_s = 3600;
	world_start(w);
	for (uint64_t n = 1; n <= 5; n++)
		world_until(w, world_look(w, n, USUAL, &slot) &&
		    slot.next_update <= oc_clock_now_s() + 3600);
	/* Once. */
	world_idle(w, 500);
	assert_int_equal(world_num_signed(w), 10);
}

static void
test_expired(void **state)
{
	struct world *w = *state;
	static const uint64_t both[] = { 1, 2 };

	world_issue(w, 1, oc_clock_now_s() - 1);
	world_issue(w, 2, oc_clock_now_s() + YEAR);
	world_start(w);
	expect_error(w, both, 1, 0, OCSP_UNAUTHORIZED);
	expect_error(w, both, 1, 32, OCSP_UNAUTHORIZED);
	expect_error(w, both, 2, 0, OCSP_UNAUTHORIZED);
}

static void
test_nonce(void **state)
{
	struct world *w = *state;
	static const uint64_t one[] = { 3 };
	struct reply reply = { 0 };

	world_issue_many(w, 1, 5);
	world_start(w);
	world_ask_live(w, one, 1, 32, &reply);
	world_until(w, reply.num == 1);
	check_response(w, &reply, one, 1, 32, V_OCSP_CERTSTATUS_GOOD);
	assert_int_equal(world_num_slots(w), 0);
	w->budget.rate = 0;
	reply.num = 0;
	world_ask_live(w, one, 1, 32, &reply);
	assert_int_equal(reply.num, 1);
	assert_int_equal(reply.kind, IPC_ANSWER_NO_NONCE);
	assert_int_equal(world_num_signed(w), 1);
}

static void
test_several(void **state)
{
	struct world *w = *state;
	static const uint64_t three[] = { 4, 2, 5 };
	static struct ipc_ask many;
	struct reply reply = { 0 };

	world_issue_many(w, 1, IPC_SINGLES_MAX);
	world_start(w);
	world_ask_live(w, three, 3, 0, &reply);
	world_until(w, reply.num == 1);
	check_response(w, &reply, three, 3, 0, V_OCSP_CERTSTATUS_GOOD);
	/* Without a budget there is no other answer to give. */
	w->budget.rate = 0;
	expect_error(w, three, 3, 0, OCSP_TRY_LATER);
	/* More than fits into a response is not signed. */
	w->budget.rate = 100;
	many.num_singles = IPC_SINGLES_MAX;
	for (uint32_t i = 0; i < IPC_SINGLES_MAX; i++) {
		many.singles[i].encoding = OCSP_ENCODING(OCSP_HASH_SHA512, 0);
		many.singles[i].serial = world_serial(i + 1);
	}
	status_service_ask(w->service, &many, reply_take, &reply);
	assert_int_equal(reply.num, 2);
	assert_int_equal(reply.kind, IPC_ANSWER_ERROR);
	assert_int_equal(reply.status, OCSP_UNAUTHORIZED);
	assert_int_equal(world_num_signed(w), 1);
}

/* presign = none: each question is signed for, and nothing is kept. */
static void
test_presign_none(void **state)
{
	struct world *w = *state;
	static const uint64_t five[] = { 5 }, two[] = { 5, 6 };
	struct reply reply = { 0 }, both = { 0 }, nonce = { 0 };
	int done;

	w->issuer.presign = OC_PRESIGN_NONE;
	world_issue_many(w, 1, 20);
	world_issue(w, 100, oc_clock_now_s() - 1);
	world_revoke(w, 7, CRL_REASON_SUPERSEDED);
	world_start(w);
	world_idle(w, 300);
	assert_int_equal(w->gate.num_submitted, 0);
	for (int i = 1; i <= 3; i++) {
		world_ask(w, 5, USUAL, &reply);
		world_until(w, reply.num == i);
		check_response(w, &reply, five, 1, 0,
		    V_OCSP_CERTSTATUS_GOOD);
		assert_int_equal(world_num_signed(w), i);
	}
	world_ask_live(w, two, 2, 0, &both);
	world_ask_live(w, five, 1, 32, &nonce);
	world_until(w, both.num == 1 && nonce.num == 1);
	check_response(w, &both, two, 2, 0, V_OCSP_CERTSTATUS_GOOD);
	check_response(w, &nonce, five, 1, 32, V_OCSP_CERTSTATUS_GOOD);
	/* What costs nothing elsewhere costs nothing here. */
	expect_error(w, &(uint64_t){ 99 }, 1, 0, OCSP_UNAUTHORIZED);
	expect_error(w, &(uint64_t){ 100 }, 1, 0, OCSP_UNAUTHORIZED);
	/* A revocation needs no signature to be so; news neither. */
	world_issue_many(w, 21, 3);
	world_revoke(w, 5, CRL_REASON_KEY_COMPROMISE);
	nudge(w, &done);
	world_until(w, done == 1);
	world_ask(w, 5, USUAL, &reply);
	world_until(w, reply.num == 4);
	check_response(w, &reply, five, 1, 0, V_OCSP_CERTSTATUS_REVOKED);
	for (w->skip_s = 3600; w->skip_s < 5 * 86400; w->skip_s += 3600)
		world_turn(w, 0);
	assert_int_equal(world_num_signed(w), 6);
	assert_int_equal(world_num_slots(w), 0);
	/* There is no other answer, with a nonce or without. */
	w->budget.rate = 0;
	expect_error(w, two, 1, 0, OCSP_TRY_LATER);
	expect_error(w, two, 1, 32, OCSP_TRY_LATER);
}

/* Revoked while its signature is away: good is not said any more. */
static void
test_presign_none_revoked(void **state)
{
	struct world *w = *state;
	struct reply reply = { 0 };
	int done;

	w->issuer.presign = OC_PRESIGN_NONE;
	world_issue_many(w, 1, 3);
	world_start(w);
	sign_soft_hold(w->gate.soft);
	world_ask(w, 2, USUAL, &reply);
	world_revoke(w, 2, CRL_REASON_SUPERSEDED);
	nudge(w, &done);
	world_until(w, done == 1);
	sign_soft_release(w->gate.soft);
	world_until(w, reply.num == 1);
	assert_int_equal(reply.kind, IPC_ANSWER_ERROR);
	assert_int_equal(reply.status, OCSP_TRY_LATER);
}

/* What another policy has kept is not served, not for a moment; and back. */
static void
test_presign_none_after_all(void **state)
{
	struct world *w = *state;
	static const uint64_t one[] = { 1 };
	struct reply reply = { 0 };

	w->issuer.presign = OC_PRESIGN_ALL;
	world_issue_many(w, 1, 20);
	world_revoke(w, 3, CRL_REASON_SUPERSEDED);
	world_start(w);
	world_until(w, world_num_slots(w) == 20);
	world_stop(w);
	w->issuer.presign = OC_PRESIGN_NONE;
	world_open(w);
	assert_false(ocsp_table_is_ready(w->service->table));
	world_until(w, status_service_is_ready(w->service));
	assert_int_equal(ocsp_table_num_used(w->service->table), 0);
	world_ask(w, 1, USUAL, &reply);
	world_until(w, reply.num == 1);
	check_response(w, &reply, one, 1, 0, V_OCSP_CERTSTATUS_GOOD);
	world_idle(w, 300);
	assert_int_equal(world_num_signed(w), 21);
	world_stop(w);
	/* Empty it is served from the start, as any other. */
	world_open(w);
	assert_true(ocsp_table_is_ready(w->service->table));
	world_stop(w);
	w->issuer.presign = OC_PRESIGN_ALL;
	world_start(w);
	world_until(w, world_num_slots(w) == 20);
	assert_true(is_in_table(w, 3, USUAL, OCSP_REVOKED));
}

/* A number that is no encoding comes from a process that strangers talk to:
 * it indexes nothing. */
static void
test_no_encoding(void **state)
{
	struct world *w = *state;
	struct reply reply = { 0 };

	world_issue_many(w, 1, 1);
	world_start(w);
	world_ask(w, 1, OCSP_ENCODING_MAX, &reply);
	world_ask(w, 1, OCSP_ENCODING_UNKNOWN, &reply);
	world_ask(w, 99, 0x80, &reply);
	assert_int_equal(reply.num, 3);
	assert_int_equal(reply.status, OCSP_MALFORMED_REQUEST);
	assert_int_equal(w->gate.num_submitted, 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, world_setup, \
	world_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_presign_all), T(test_presign_asked),
		T(test_single_flight), T(test_ends), T(test_backdated_far),
		T(test_revoke), T(test_revoke_in_flight),
		T(test_revoke_at_landing), T(test_hold),
		T(test_nudge_of_nothing), T(test_unknown_unauthorized),
		T(test_unknown_unknown), T(test_unknown_revoked),
		T(test_expired), T(test_shorter_lifetime), T(test_nonce),
		T(test_several), T(test_presign_none),
		T(test_presign_none_revoked), T(test_presign_none_after_all),
		T(test_no_encoding),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
