/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A list while there is none yet, and while another takes its place: what is
 * asked meanwhile is answered by one of them as a whole.
 */
#include "tests/unit/crl_fixture.h"
#include "tests/unit/status_fixture.h"

#include <poll.h>

#define USUAL OCSP_ENCODING_USUAL
#define DAY 86400
#define N(n) "400000000000000000000000000000" #n

static char crl_path[300], copy_path[300];
static int64_t mono_ns, base;	/* base: when the test began */

static int
setup(void **state)
{
	struct world *w;

	world_setup(state);
	w = *state;
	w->issuer.source = OC_SOURCE_CRL;
	w->issuer.presign = OC_PRESIGN_ALL;
	w->issuer.archive_cutoff_s = OC_CONFIG_UNSET;
	(void)snprintf(crl_path, sizeof(crl_path), "%s/ca.crl", w->directory);
	(void)snprintf(copy_path, sizeof(copy_path), "%s/copy", w->directory);
	mono_ns = oc_clock_mono_ns();
	base = oc_clock_now_s();
	return 0;
}

static int
teardown(void **state)
{
	struct world *w = *state;

	world_stop(w);
	status_crl_file_free(w->crl_file);
	return world_teardown(state);
}

/* From so many days ago for ten. */
static void
put(struct world *w, int64_t number, int64_t days,
    const struct crl_item *items)
{
	const struct crl_order order = { .number = number, .now = base,
	    .begins_s = -days * DAY, .lasts_s = 10 * DAY, .items = items };
	size_t len;
	uint8_t *der = fixture_crl(&order, w->ca, w->ca_key, &len);

	fixture_write(crl_path, der, len);
	OPENSSL_free(der);
}

static void
look(struct world *w)
{
	for (int i = 0; i < 2; i++) {
		mono_ns += 3 * OC_NS_PER_S;
		(void)status_watch_look(status_crl_file_watched(
		    w->crl_file), oc_clock_now_s(), mono_ns);
	}
}

static void
open_file(struct world *w, bool is_fetched)
{
	const struct status_crl_plan plan = {
		.issuer = "ca", .path = crl_path,
		.certificate = w->issuer.certificate, .copy = copy_path,
		.scope = STATUS_CRL_ANY, .is_fetched = is_fetched,
	};
	struct oc_error error = { 0 };

	if (status_crl_file_new(&plan, &w->crl_file, &error) != OC_OK)
		fail_msg("%s", error.text);
}

static const struct crl_item some[] = {
	{ N(01), CRL_REASON_KEY_COMPROMISE, 0 },
	{ N(02), CRL_REASON_CERTIFICATE_HOLD, 0 }, { NULL, 0, 0 }
};
static const struct crl_item others[] = {
	{ N(01), CRL_REASON_KEY_COMPROMISE, 0 },
	{ N(02), CRL_REASON_SUPERSEDED, 0 },
	{ N(03), CRL_REASON_SUPERSEDED, 0 }, { NULL, 0, 0 }
};

/* The first start, before ocsign-fetcher has had the time: no alarm.  A file
 * that is gone later is one. */
static void
test_not_fetched(void **state)
{
	struct world *w = *state;
	struct reply reply = { 0 };
	struct ocsp_slot slot;

	open_file(w, true);
	look(w);
	world_open(w);
	world_ask(w, 1, USUAL, &reply);
	world_until(w, reply.num != 0);
	assert_int_equal(reply.status, OCSP_TRY_LATER);
	look(w);
	assert_int_equal(world_num_lines(w, "has not been fetched yet"), 1);
	assert_int_equal(world_num_lines(w, "error: "), 0);
	put(w, 1, 2, some);
	look(w);
	world_until(w, status_service_is_ready(w->service));
	world_until(w, world_look(w, 1, USUAL, &slot));
	assert_int_equal(unlink(crl_path), 0);
	look(w);
	assert_int_equal(world_num_lines(w, "error: issuer ca: crl-file"), 1);
	assert_int_equal(world_num_lines(w, "has not been fetched yet"), 1);
}

/* One that is refused from the first is an alarm, whoever brings it. */
static void
test_not_well(void **state)
{
	struct world *w = *state;

	open_file(w, true);
	fixture_write(crl_path, "no list", 7);
	look(w);
	assert_int_equal(world_num_lines(w, "error: issuer ca: crl-file"), 1);
}

/* What each single of a response says is of the list that began so long
 * ago. */
static void
check_days(const struct reply *reply, int num, int64_t days)
{
	const unsigned char *p = reply->response;
	OCSP_RESPONSE *response;
	OCSP_BASICRESP *basic;

	assert_int_equal(reply->kind, IPC_ANSWER_RESPONSE);
	response = d2i_OCSP_RESPONSE(NULL, &p, (long)reply->response_len);
	basic = OCSP_response_get1_basic(response);
	assert_non_null(basic);
	assert_int_equal(OCSP_resp_count(basic), num);
	for (int i = 0; i < num; i++) {
		ASN1_GENERALIZEDTIME *from;
		struct tm tm;
		int reason;

		assert_int_equal(OCSP_single_get0_status(OCSP_resp_get0(basic,
		    i), &reason, NULL, &from, NULL),
		    V_OCSP_CERTSTATUS_REVOKED);
		assert_int_equal(ASN1_TIME_to_tm(from, &tm), 1);
		assert_true(timegm(&tm) == base - days * DAY);
		assert_int_equal(reason, i == 0 ?
		    OCSP_REVOKED_STATUS_KEYCOMPROMISE :
		    OCSP_REVOKED_STATUS_SUPERSEDED);
	}
	OCSP_BASICRESP_free(basic);
	OCSP_RESPONSE_free(response);
}

/* The new statuses are there, the new dates are not. */
static void
test_between(void **state)
{
	static const uint64_t two[] = { 1, 2 };
	struct world *w = *state;
	struct reply alone = { 0 }, both = { 0 };
	struct pollfd p = { .events = POLLIN };
	struct ocsp_slot slot;

	put(w, 1, 2, some);
	open_file(w, false);
	world_start(w);
	world_until(w, world_num_slots(w) == 2);
	put(w, 2, 1, others);
	look(w);
	p.fd = status_service_fd(w->service);
	assert_int_equal(poll(&p, 1, 60000), 1);
	status_service_dispatch(w->service);
	assert_true(w->service->is_between);
	world_ask(w, 2, USUAL, &alone);
	world_ask_live(w, two, 2, 0, &both);
	for (int i = 0; i < 3; i++) {	/* the signer alone */
		sign_dispatch(&w->gate.signer);
		assert_int_equal(alone.num + both.num, 0);
	}
	world_until(w, alone.num == 1 && both.num == 1);
	assert_int_equal(alone.kind, IPC_ANSWER_TABLE);
	assert_true(world_look(w, 2, USUAL, &slot));
	assert_int_equal(slot.status.reason, CRL_REASON_SUPERSEDED);
	assert_true(slot.this_update == base - DAY);
	check_days(&both, 2, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_not_fetched, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(test_not_well, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(test_between, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
