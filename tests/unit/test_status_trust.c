/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When the CA's own certificate is revoked for its key's sake, or that of its
 * OCSP signer: nothing is called good any more.
 */
#include <poll.h>

#include "tests/unit/status_fixture.h"

#define USUAL OCSP_ENCODING_USUAL
#define REVOKED_AT 1700000001
#define NUM 20

static struct oc_serial
serial_of(X509 *cert)
{
	const ASN1_INTEGER *number = X509_get0_serialNumber(cert);
	struct oc_serial serial;

	assert_int_equal(oc_serial_from_bytes(ASN1_STRING_get0_data(number),
	    (size_t)ASN1_STRING_length(number), &serial), OC_OK);
	return serial;
}

/* Records a certificate with this serial as an issuer's. */
static void
record(struct world *w, int64_t issuer_id, X509 *cert,
    const struct blob *octets)
{
	const struct store_reservation r = {
		.issuer_id = issuer_id,
		.serial = serial_of(cert),
		.tbs = { octets->bytes, octets->len },
		.not_before = 1000,
		.not_after = oc_clock_now_s() + YEAR,
		.profile = "intermediate",
		.subject = "CN=a",
		.names = "",
	};
	int64_t id;

	assert_int_equal(store_reserve(w->store, &r, &id), OC_OK);
	assert_int_equal(store_issue(w->store, id, r.tbs), OC_OK);
}

static int64_t
root_with(struct world *w, const char *name, const struct blob *ca)
{
	uint8_t spki_hash[STORE_HASH_LEN] = { 2 };
	int64_t id;

	memcpy(&spki_hash[1], name, strlen(name));
	assert_int_equal(store_put_issuer(w->store, name,
	    (struct store_blob){ spki_hash, 3 }, spki_hash, &id), OC_OK);
	record(w, id, w->ca, ca);
	return id;
}

static void
revoke_cert(struct world *w, int64_t issuer_id, X509 *cert,
    enum crl_reason reason)
{
	struct store_revocation r = {
		.issuer_id = issuer_id,
		.serial = serial_of(cert),
		.reason = reason,
		.revoked_at = REVOKED_AT,
	};

	assert_int_equal(store_revoke(w->store, &r), OC_OK);
}

static bool
is_said(struct world *w, uint64_t n, enum crl_reason reason, int64_t at)
{
	struct ocsp_slot slot;

	return world_look(w, n, USUAL, &slot) &&
	    slot.status.kind == OCSP_REVOKED && slot.status.reason == reason &&
	    slot.status.revoked_at == at;
}

static bool
are_all_revoked(struct world *w)
{
	for (uint64_t n = 1; n <= NUM; n++)
		if (!is_said(w, n, n == 2 ? CRL_REASON_SUPERSEDED :
		    CRL_REASON_CA_COMPROMISE, n == 2 ? 1700000000 :
		    REVOKED_AT))
			return false;
	return true;
}

/* 2 is revoked already, 3 is on hold. */
static void
issue_all(struct world *w)
{
	w->issuer.presign = OC_PRESIGN_ALL;
	world_issue_many(w, 1, NUM);
	world_revoke(w, 2, CRL_REASON_SUPERSEDED);
	world_revoke(w, 3, CRL_REASON_CERTIFICATE_HOLD);
}

/* What a live answer says. */
static void
check_live(struct world *w, uint64_t n)
{
	struct ocsp_response_view view;
	struct ocsp_single_view single;
	struct reply reply = { 0 };

	world_ask_live(w, &n, 1, 16, &reply);
	world_until(w, reply.num == 1);
	assert_int_equal(reply.kind, IPC_ANSWER_RESPONSE);
	assert_int_equal(ocsp_response_read((struct der_bytes){
	    reply.response, reply.response_len }, &view, NULL), OC_OK);
	assert_true(ocsp_response_next(&view.singles, &single));
	assert_int_equal(single.status.kind, OCSP_REVOKED);
	assert_int_equal(single.status.reason, CRL_REASON_CA_COMPROMISE);
	assert_int_equal(single.status.revoked_at, REVOKED_AT);
}

static void
test_compromised(void **state)
{
	struct world *w = *state;
	struct blob ca = fixture_cert_der(w->ca);
	int64_t root = root_with(w, "root", &ca);
	struct ocsp_slot slot;

	issue_all(w);
	world_start(w);
	world_until(w, world_num_slots(w) == NUM);
	assert_true(world_look(w, 1, USUAL, &slot));
	assert_int_equal(slot.status.kind, OCSP_GOOD);
	revoke_cert(w, root, w->ca, CRL_REASON_CA_COMPROMISE);
	world_until(w, w->service->trust.is_compromised);
	w->never_good = world_serial(1);
	world_until(w, are_all_revoked(w));
	assert_int_equal(world_num_lines(w, "the CA is compromised since"), 1);
	check_live(w, 5);
	/* So is whatever is issued with that key from now on. */
	world_issue(w, NUM + 1, oc_clock_now_s() + YEAR);
	w->never_good = world_serial(NUM + 1);
	world_until(w, is_said(w, NUM + 1, CRL_REASON_CA_COMPROMISE,
	    REVOKED_AT));
	/* And after a restart, from the first answer on. */
	world_stop(w);
	world_start(w);
	assert_true(are_all_revoked(w));
	w->never_good.len = 0;
}

/* While nobody ran, with a table full of what is no longer so. */
static void
test_while_down(void **state)
{
	struct world *w = *state;
	struct blob ca = fixture_cert_der(w->ca);
	int64_t root = root_with(w, "root", &ca);

	issue_all(w);
	world_start(w);
	world_until(w, world_num_slots(w) == NUM);
	world_stop(w);
	revoke_cert(w, root, w->ca, CRL_REASON_KEY_COMPROMISE);
	world_open(w);
	/* Readers are not told that it can be believed. */
	assert_false(ocsp_table_is_ready(w->service->table));
	world_until(w, ocsp_table_is_ready(w->service->table));
	w->never_good = world_serial(1);
	world_until(w, are_all_revoked(w));
	w->never_good.len = 0;
}

/* Its certificate is revoked, but its key is as good as before; and another
 * certificate of the same serial has nothing to do with it. */
static void
test_no_compromise(void **state)
{
	struct world *w = *state;
	struct blob ca = fixture_cert_der(w->ca), other = ca;
	int64_t root = root_with(w, "root", &ca), elsewhere;
	struct ocsp_slot slot;

	other.bytes[other.len - 1] ^= 1;
	elsewhere = root_with(w, "elsewhere", &other);
	issue_all(w);
	world_start(w);
	world_until(w, world_num_slots(w) == NUM);
	revoke_cert(w, root, w->ca, CRL_REASON_SUPERSEDED);
	revoke_cert(w, elsewhere, w->ca, CRL_REASON_CA_COMPROMISE);
	world_issue(w, NUM + 1, oc_clock_now_s() + YEAR);
	world_until(w, world_num_slots(w) == NUM + 1);
	assert_false(w->service->trust.is_compromised);
	assert_true(world_look(w, NUM + 1, USUAL, &slot));
	assert_int_equal(slot.status.kind, OCSP_GOOD);
	assert_true(world_look(w, 1, USUAL, &slot));
	assert_int_equal(slot.status.kind, OCSP_GOOD);
}

static void
expect_error(struct world *w, uint64_t n, uint8_t status)
{
	struct reply reply = { 0 };

	world_ask(w, n, USUAL, &reply);
	world_ask_live(w, &n, 1, 16, &reply);
	world_until(w, reply.num == 2);
	assert_int_equal(reply.kind, IPC_ANSWER_ERROR);
	assert_int_equal(reply.status, status);
}

static void
test_refused(void **state)
{
	struct world *w = *state;
	struct blob ca = fixture_cert_der(w->ca);
	int64_t root = root_with(w, "root", &ca);
	unsigned long num_signed;

	w->issuer.on_compromise = OC_COMPROMISE_REFUSED;
	issue_all(w);
	world_start(w);
	world_until(w, world_num_slots(w) == NUM);
	num_signed = world_num_signed(w);
	revoke_cert(w, root, w->ca, CRL_REASON_CA_COMPROMISE);
	world_until(w, world_num_slots(w) == 0);
	expect_error(w, 1, OCSP_UNAUTHORIZED);
	expect_error(w, 2, OCSP_UNAUTHORIZED);
	world_issue(w, NUM + 1, oc_clock_now_s() + YEAR);
	world_idle(w, 400);
	expect_error(w, NUM + 1, OCSP_UNAUTHORIZED);
	assert_int_equal(world_num_slots(w), 0);
	assert_int_equal(world_num_signed(w), num_signed);
	/* Nor is anything of before renewed, for nobody. */
	w->skip_s = 4 * 86400;
	world_idle(w, 400);
	assert_int_equal(world_num_signed(w), num_signed);
}

/* Signatures that were under way when it became known are not served. */
static void
test_refused_under_way(void **state)
{
	struct world *w = *state;
	struct blob ca = fixture_cert_der(w->ca);
	int64_t root = root_with(w, "root", &ca);
	const uint64_t one[] = { 1 };
	struct reply reply = { 0 };

	w->issuer.on_compromise = OC_COMPROMISE_REFUSED;
	world_issue_many(w, 1, NUM);
	world_start(w);
	world_ask(w, 1, USUAL, &reply);
	world_ask_live(w, one, 1, 16, &reply);
	revoke_cert(w, root, w->ca, CRL_REASON_CA_COMPROMISE);
	while (!w->service->trust.is_compromised) {
		struct pollfd p = { status_service_fd(w->service), POLLIN, 0 };

		assert_true(poll(&p, 1, 10000) > 0);
		status_service_dispatch(w->service);
	}
	assert_int_equal(reply.num, 0);
	world_until(w, reply.num == 2);
	assert_int_equal(reply.kind, IPC_ANSWER_ERROR);
	assert_int_equal(reply.status, OCSP_TRY_LATER);
	assert_int_equal(world_num_slots(w), 0);
}

static void
count_nudge(void *arg)
{
	++*(int *)arg;
}

/* A large table is looked through in parts, between which others have their
 * turn.  Nobody is answered from it before the last; what happens meanwhile is
 * taken in. */
static void
test_in_parts(void **state)
{
	struct world *w = *state;
	struct blob ca = fixture_cert_der(w->ca);
	int64_t root = root_with(w, "root", &ca);
	const uint64_t two[] = { 2 };
	struct reply reply = { 0 }, live = { 0 };
	int num_turns = 0, num_nudged = 0;

	issue_all(w);
	world_start(w);
	world_until(w, world_num_slots(w) == NUM);
	w->service->closed_slots = 1;
	revoke_cert(w, root, w->ca, CRL_REASON_CA_COMPROMISE);
	world_until(w, w->service->trust.is_compromised);
	world_ask(w, 1, USUAL, &reply);
	/* Of 1 what is signed is not so any more when it comes. */
	world_ask_live(w, two, 1, 16, &live);
	assert_int_equal(status_service_nudge(w->service, count_nudge,
	    &num_nudged), OC_OK);
	world_revoke(w, 1, CRL_REASON_KEY_COMPROMISE);
	for (; w->service->is_closed; num_turns++) {
		assert_true(num_turns < 1000);
		assert_false(ocsp_table_is_ready(w->service->table));
		assert_int_equal(reply.num, 0);
		assert_int_equal(num_nudged, 0);
		world_turn(w, 20);
	}
	assert_true(num_turns >= NUM / 2);
	w->never_good = world_serial(1);
	assert_true(ocsp_table_is_ready(w->service->table));
	world_until(w, reply.num == 1 && live.num == 1 && num_nudged == 1);
	assert_int_equal(reply.kind, IPC_ANSWER_TABLE);
	assert_int_equal(live.kind, IPC_ANSWER_RESPONSE);
	world_until(w, is_said(w, 1, CRL_REASON_KEY_COMPROMISE,
	    1700000000));
	world_until(w, is_said(w, NUM, CRL_REASON_CA_COMPROMISE,
	    REVOKED_AT));
	w->never_good.len = 0;
}

/* Who waited for a signature before gets it as a whole: in a table that is
 * closed there is nothing to be found. */
static void
test_closed_under_way(void **state)
{
	struct world *w = *state;
	struct blob ca = fixture_cert_der(w->ca);
	int64_t root = root_with(w, "root", &ca);
	struct reply reply = { 0 };

	issue_all(w);
	world_start(w);
	world_until(w, world_num_slots(w) == NUM);
	sign_soft_hold(w->gate.soft);
	world_ask(w, 1, OCSP_ENCODING(OCSP_HASH_SHA256, 0), &reply);
	w->service->closed_slots = 1;
	revoke_cert(w, root, w->ca, CRL_REASON_CA_COMPROMISE);
	world_until(w, w->service->is_closed);
	sign_soft_release(w->gate.soft);
	while (reply.num == 0) {
		struct pollfd p = { sign_fd(&w->gate.signer), POLLIN, 0 };

		assert_true(poll(&p, 1, 10000) > 0);
		sign_dispatch(&w->gate.signer);
	}
	assert_true(w->service->is_closed);
	assert_int_equal(reply.kind, IPC_ANSWER_RESPONSE);
}

/* Another's root: the operator is told by telephone.  It is said once, not
 * as often as a successor tries. */
static void
test_by_configuration(void **state)
{
	struct world *w = *state;
	const struct status_service_plan plan = { &w->config, &w->ocsp,
		&w->gate.signer, &w->budget, 0 };
	struct status_service *second = NULL;
	struct oc_error error = { 0 };

	issue_all(w);
	world_start(w);
	world_until(w, world_num_slots(w) == NUM);
	world_stop(w);
	w->issuer.compromised_since = REVOKED_AT;
	world_open(w);
	assert_false(ocsp_table_is_ready(w->service->table));
	world_until(w, ocsp_table_is_ready(w->service->table));
	w->never_good = world_serial(1);
	world_until(w, are_all_revoked(w));
	w->never_good.len = 0;
	assert_int_equal(status_service_new(&plan, &second, &error),
	    OC_ERR_BUSY);
	assert_int_equal(world_num_lines(w, "the CA is compromised since"), 1);
}

static void
test_signer_revoked(void **state)
{
	struct world *w = *state;
	int64_t begin_ns;
	int num_nudged = 0;
	const struct blob octets = blob_hex("30 00");
	struct ocsp_slot slot;
	uint64_t n = 1;

	issue_all(w);
	record(w, w->issuer_id, w->delegate, &octets);
	world_start(w);
	world_until(w, world_num_slots(w) == NUM + 1);
	revoke_cert(w, w->issuer_id, w->delegate, CRL_REASON_CERTIFICATE_HOLD);
	world_until(w, world_num_slots(w) == 0);
	expect_error(w, n, OCSP_TRY_LATER);
	assert_int_equal(world_num_lines(w, "is revoked (certificateHold): "
	    "what it signed is not served"), 1);
	/* Who revokes does not wait for signatures that will not come. */
	world_revoke(w, 5, CRL_REASON_SUPERSEDED);
	begin_ns = oc_clock_mono_ns();
	assert_int_equal(status_service_nudge(w->service, count_nudge,
	    &num_nudged), OC_OK);
	world_until(w, num_nudged == 1);
	assert_true(oc_clock_mono_ns() - begin_ns < 3 * OC_NS_PER_S);
	world_stop(w);
	world_start(w);
	assert_int_equal(world_num_slots(w), 0);
	expect_error(w, n, OCSP_TRY_LATER);
	revoke_cert(w, w->issuer_id, w->delegate, CRL_REASON_REMOVE_FROM_CRL);
	world_until(w, world_num_slots(w) == NUM + 1);
	assert_true(world_look(w, n, USUAL, &slot));
	assert_int_equal(slot.status.kind, OCSP_GOOD);
}

/* What it has under way then is not said, to one or to all. */
static void
test_signer_revoked_under_way(void **state)
{
	struct world *w = *state;
	const struct blob octets = blob_hex("30 00");
	const uint64_t one[] = { 1 };
	struct reply usual = { 0 }, live = { 0 };

	world_issue_many(w, 1, 1);
	record(w, w->issuer_id, w->delegate, &octets);
	world_start(w);
	sign_soft_hold(w->gate.soft);
	world_ask(w, 1, USUAL, &usual);
	world_ask_live(w, one, 1, 16, &live);
	assert_int_equal(w->gate.num_submitted, 2);
	revoke_cert(w, w->issuer_id, w->delegate, CRL_REASON_KEY_COMPROMISE);
	world_until(w, w->service->trust.is_signer_revoked);
	sign_soft_release(w->gate.soft);
	world_until(w, usual.num == 1 && live.num == 1);
	assert_int_equal(usual.kind, IPC_ANSWER_ERROR);
	assert_int_equal(usual.status, OCSP_TRY_LATER);
	assert_int_equal(live.kind, IPC_ANSWER_ERROR);
	assert_int_equal(live.status, OCSP_TRY_LATER);
	assert_int_equal(world_num_slots(w), 0);
}

/* Each signer has a certificate of its own: the other goes on. */
static void
test_one_of_two(void **state)
{
	struct world *w = *state;
	const struct blob octets = blob_hex("30 00");
	const struct oc_config_ocsp ocsp = { "ca+own", &w->issuer, "own",
		.presign = OC_PRESIGN_ASKED };
	const struct status_service_plan plan = { &w->config, &ocsp,
		&w->gate.signer, &w->budget, &w->verify_budget };
	struct status_service *other;
	struct oc_error error = { 0 };
	struct pollfd poll_on = { .events = POLLIN };

	issue_all(w);
	record(w, w->issuer_id, w->delegate, &octets);
	revoke_cert(w, w->issuer_id, w->delegate, CRL_REASON_CERTIFICATE_HOLD);
	world_start(w);
	assert_true(w->service->trust.is_signer_revoked);
	assert_int_equal(status_service_new(&plan, &other, &error), OC_OK);
	poll_on.fd = status_service_fd(other);
	while (!status_service_is_ready(other)) {
		assert_int_equal(poll(&poll_on, 1, 10000), 1);
		status_service_dispatch(other);
	}
	assert_false(other->trust.is_signer_revoked);
	assert_true(status_service_may_sign(other, oc_clock_now_s()));
	assert_false(status_service_may_sign(w->service, oc_clock_now_s()));
	assert_null(status_service_counted_as(other));
	assert_string_equal(status_service_counted_as(w->service), "ca");
	status_service_free(other);
}

#define T(name) cmocka_unit_test_setup_teardown(name, world_setup, \
	world_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_compromised), T(test_while_down),
		T(test_no_compromise), T(test_refused),
		T(test_refused_under_way),
		T(test_in_parts), T(test_closed_under_way),
		T(test_by_configuration),
		T(test_signer_revoked), T(test_signer_revoked_under_way),
		T(test_one_of_two),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
