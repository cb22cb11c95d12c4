/* SPDX-License-Identifier: Apache-2.0 */
/* An issuer whose key is elsewhere: which of its responses are loaded, and
 * what is served of them when. */
#include <sys/stat.h>

#include "tests/unit/offline_fixture.h"

#define USUAL OCSP_ENCODING_USUAL
#define SHA256 OCSP_ENCODING(OCSP_HASH_SHA256, 0)

static void
put_fifo(const struct world *w, const char *name)
{
	char path[400];

	snprintf(path, sizeof(path), "%s/%s", w->issuer.responses, name);
	assert_int_equal(mkfifo(path, 0600), 0);
}

static void
expect(struct world *w, uint64_t n, uint8_t kind, uint8_t status)
{
	struct reply reply = { 0 };

	world_ask(w, n, USUAL, &reply);
	assert_int_equal(reply.num, 1);
	assert_int_equal(reply.kind, kind);
	if (kind == IPC_ANSWER_ERROR)
		assert_int_equal(reply.status, status);
}

/* With another key what was loaded stays, until there is newer; but not what
 * the store contradicts. */
static void
test_other_key(void **state)
{
	struct world *w = *state;
	EVP_PKEY *key = fixture_key("P-256");
	X509 *signer = fixture_cert("Signer", key, FIXTURE_DELEGATE, w->ca,
	    w->ca_key);

	offline_put(w, "1.der", &(struct order){ .n = 1 });
	offline_put(w, "2.der", &(struct order){ .n = 2 });
	world_start(w);
	assert_int_equal(world_num_slots(w), 2);
	world_stop(w);
	offline_use_delegate(w, signer);
	offline_put(w, "2.der", &(struct order){ .n = 2, .key = key,
	    .signer = signer, .without = OCSP_NOCERTS });
	world_start(w);
	assert_int_equal(world_num_slots(w), 1);
	expect(w, 1, IPC_ANSWER_TABLE, 0);
	expect(w, 2, IPC_ANSWER_TABLE, 0);
	world_issue(w, 1, oc_clock_now_s() + YEAR);
	world_revoke(w, 1, CRL_REASON_SUPERSEDED);
	world_until(w, ocsp_table_num_used(w->service->older) == 1);
	expect(w, 1, IPC_ANSWER_ERROR, OCSP_TRY_LATER);
	X509_free(signer);
	EVP_PKEY_free(key);
}

/* In a store that knows nothing of it. */
static void
test_served(void **state)
{
	struct world *w = *state;
	static const uint64_t both[] = { 1, 2 };
	struct reply reply = { 0 };
	struct ocsp_slot slot;

	offline_put(w, "1.der", &(struct order){ .n = 1 });
	offline_put(w, "2.der", &(struct order){ .n = 2,
	    .status = V_OCSP_CERTSTATUS_REVOKED, .reason = 5 });
	offline_put(w, ".3.der", &(struct order){ .n = 3 });
	put_fifo(w, "pipe");
	world_start(w);
	assert_int_equal(world_num_lines(w, "pipe is no regular "
	    "file"), 1);
	assert_true(world_look(w, 1, USUAL, &slot));
	assert_int_equal(slot.status.kind, OCSP_GOOD);
	assert_true(world_look(w, 2, USUAL, &slot));
	assert_int_equal(slot.status.reason, 5);
	expect(w, 1, IPC_ANSWER_TABLE, 0);
	expect(w, 3, IPC_ANSWER_ERROR, OCSP_UNAUTHORIZED);
	world_ask(w, 1, SHA256, &reply);
	assert_int_equal(reply.status, OCSP_UNAUTHORIZED);
	world_ask_live(w, both, 2, 0, &reply);
	assert_int_equal(reply.status, OCSP_UNAUTHORIZED);
	world_ask_live(w, both, 1, 16, &reply);
	assert_int_equal(reply.kind, IPC_ANSWER_NO_NONCE);
	assert_int_equal(reply.num, 3);
	assert_int_equal(world_num_lines(w, "2 responses loaded"), 1);
}

static void
report(const struct world *w, struct status_offline_report *out)
{
	struct status_service_report all;

	status_service_report(w->service, &all);
	*out = all.offline;
}

/* A restart with other files: newer ones are taken, older ones are not, good
 * after revoked is not, and what has no file any more stays. */
static void
test_replaced(void **state)
{
	struct world *w = *state;
	struct status_offline_report r;
	struct ocsp_slot slot, before;
	char path[400];

	offline_put(w, "1.der", &(struct order){ .n = 1, .begins_s = -600 });
	offline_put(w, "2.der", &(struct order){ .n = 2,
	    .status = V_OCSP_CERTSTATUS_REVOKED, .reason = 1 });
	offline_put(w, "3.der", &(struct order){ .n = 3,
	    .status = V_OCSP_CERTSTATUS_REVOKED, .reason = 6 });
	offline_put(w, "4.der", &(struct order){ .n = 4 });
	world_start(w);
	assert_true(world_look(w, 1, USUAL, &before));
	world_stop(w);
	offline_put(w, "1.der", &(struct order){ .n = 1, .begins_s = -900 });
	offline_put(w, "2.der", &(struct order){ .n = 2, .begins_s = -100 });
	offline_put(w, "3.der", &(struct order){ .n = 3, .begins_s = -100 });
	snprintf(path, sizeof(path), "%s/4.der", w->issuer.responses);
	assert_int_equal(unlink(path), 0);
	world_start(w);
	assert_true(world_look(w, 1, USUAL, &slot));
	assert_int_equal(slot.this_update, before.this_update);
	assert_int_equal(world_num_lines(w, "1.der is refused: it is older"),
	    1);
	assert_true(world_look(w, 2, USUAL, &slot));
	assert_int_equal(slot.status.kind, OCSP_REVOKED);
	assert_int_equal(world_num_lines(w, "2.der is refused: it says "
	    "\"good\" of a certificate that was revoked for good"), 1);
	assert_true(world_look(w, 3, USUAL, &slot));
	assert_int_equal(slot.status.kind, OCSP_GOOD);
	assert_true(world_look(w, 4, USUAL, &slot));
	report(w, &r);
	assert_int_equal(r.num_refused, 2);
	world_stop(w);
	offline_put(w, "1.der", &(struct order){ .n = 1, .begins_s = -300 });
	world_start(w);
	assert_true(world_look(w, 1, USUAL, &slot));
	assert_in_range(slot.this_update - before.this_update, 300, 360);
}

#define REVOKED .status = V_OCSP_CERTSTATUS_REVOKED

/* One that says revoked is about the certificate, in whatever encoding it was
 * asked for and in whichever order the files are read. */
static void
test_other_encodings(void **state)
{
	struct world *w = *state;
	struct ocsp_slot slot;

	offline_put(w, "1.der", &(struct order){ .n = 1 });
	offline_put(w, "2.der", &(struct order){ .n = 2, .begins_s = -300 });
	offline_put(w, "3.der", &(struct order){ .n = 3 });
	offline_put(w, "3-sha256.der", &(struct order){ .n = 3,
	    .id_md = EVP_sha256() });
	world_start(w);
	assert_true(world_look(w, 2, USUAL, &slot));
	world_stop(w);
	offline_put(w, "1-sha256.der", &(struct order){ .n = 1, REVOKED,
	    .reason = 1, .id_md = EVP_sha256() });
	offline_put(w, "2-sha256.der", &(struct order){ .n = 2, REVOKED,
	    .reason = 1, .id_md = EVP_sha256() });
	offline_put(w, "3.der", &(struct order){ .n = 3, REVOKED, .reason = 6,
	    .begins_s = -300 });
	offline_put(w, "4-sha256.der", &(struct order){ .n = 4, REVOKED,
	    .reason = 1, .id_md = EVP_sha256() });
	offline_put(w, "4.der", &(struct order){ .n = 4, .begins_s = -300 });
	offline_put(w, "5-good.der", &(struct order){ .n = 5,
	    .begins_s = -300 });
	offline_put(w, "5-revoked.der", &(struct order){ .n = 5, REVOKED,
	    .reason = 1 });
	world_start(w);
	for (uint64_t n = 1; n <= 4; n++) {
		uint8_t revoked = n == 3 ? USUAL : SHA256;
		uint8_t other = n == 3 ? SHA256 : USUAL;

		assert_false(world_look(w, n, other, &slot));
		assert_true(world_look(w, n, revoked, &slot));
		assert_int_equal(slot.status.kind, OCSP_REVOKED);
	}
	assert_true(world_look(w, 5, USUAL, &slot));
	assert_int_equal(slot.status.kind, OCSP_REVOKED);
	assert_int_equal(world_num_lines(w, "4.der is refused: it says "
	    "\"good\" of a certificate that was revoked for good"), 1);
	expect(w, 1, IPC_ANSWER_ERROR, OCSP_UNAUTHORIZED);
	expect(w, 3, IPC_ANSWER_TABLE, 0);
}

/* By whichever key: what the key before has signed is not behind it when the
 * one that says revoked has ended. */
static void
test_revoked_by_another_key(void **state)
{
	struct world *w = *state;
	EVP_PKEY *key = fixture_key("P-256");
	X509 *signer = fixture_cert("Signer", key, FIXTURE_DELEGATE, w->ca,
	    w->ca_key);
	struct order his = { .n = 1, .key = key, .signer = signer,
	    .without = OCSP_NOCERTS, REVOKED, .reason = 1,
	    .lasts_s = 3600 };
	struct oc_serial serial;
	struct ocsp_slot slot;

	offline_put(w, "1.der", &(struct order){ .n = 1 });
	offline_put(w, "2.der", &(struct order){ .n = 2, REVOKED,
	    .reason = 1 });
	offline_put(w, "3.der", &(struct order){ .n = 3 });
	world_start(w);
	assert_int_equal(world_num_slots(w), 3);
	world_stop(w);
	offline_use_delegate(w, signer);
	offline_put(w, "1.der", &his);
	his = (struct order){ .n = 2, .key = key, .signer = signer,
	    .without = OCSP_NOCERTS };
	offline_put(w, "2.der", &his);
	world_start(w);
	serial = world_serial(1);
	assert_false(status_older_find(w->service, &serial, USUAL, &slot));
	assert_int_equal(ocsp_table_num_used(w->service->older), 2);
	assert_true(world_look(w, 1, USUAL, &slot));
	assert_int_equal(slot.status.kind, OCSP_REVOKED);
	assert_int_equal(world_num_lines(w, "2.der is refused: it says "
	    "\"good\" of a certificate that was revoked for good"), 1);
	expect(w, 3, IPC_ANSWER_TABLE, 0);
	X509_free(signer);
	EVP_PKEY_free(key);
}

/* The store says revoked: at the start, while it runs, and over a restart. */
static void
test_contradicted(void **state)
{
	struct world *w = *state;
	struct status_offline_report r;
	struct ocsp_slot slot;

	for (uint64_t n = 1; n <= 4; n++) {
		char name[20];

		world_issue(w, n, oc_clock_now_s() + YEAR);
		snprintf(name, sizeof(name), "%d.der", (int)n);
		offline_put(w, name, &(struct order){ .n = n });
	}
	offline_put(w, "4.der", &(struct order){ .n = 4,
	    .status = V_OCSP_CERTSTATUS_REVOKED, .reason = 5 });
	world_revoke(w, 1, CRL_REASON_SUPERSEDED);
	world_start(w);
	assert_false(world_look(w, 1, USUAL, &slot));
	expect(w, 1, IPC_ANSWER_ERROR, OCSP_TRY_LATER);
	expect(w, 2, IPC_ANSWER_TABLE, 0);
	w->never_good = world_serial(1);
	world_revoke(w, 2, CRL_REASON_CERTIFICATE_HOLD);
	world_until(w, !world_look(w, 2, USUAL, &slot));
	expect(w, 2, IPC_ANSWER_ERROR, OCSP_TRY_LATER);
	assert_int_equal(world_num_lines(w, "as revoked, and the response "
	    "that was loaded says \"good\": withdrawn"), 1);
	/* The response knows more than the store. */
	assert_true(world_look(w, 4, USUAL, &slot));
	assert_int_equal(slot.status.kind, OCSP_REVOKED);
	report(w, &r);
	assert_int_equal(r.num_contradicted, 2);
	world_stop(w);
	/* Revoked while nobody ran: what the table has is not said either. */
	world_revoke(w, 3, CRL_REASON_SUPERSEDED);
	w->never_good = world_serial(3);
	world_start(w);
	assert_false(world_look(w, 3, USUAL, &slot));
	expect(w, 3, IPC_ANSWER_ERROR, OCSP_TRY_LATER);
	assert_true(world_look(w, 4, USUAL, &slot));
	w->never_good.len = 0;
}

/* Said once when the last quarter begins, once a day, and when it is over. */
static void
test_alarm(void **state)
{
	struct world *w = *state;
	struct status_offline_report r;
	struct status_service_report all;

	offline_put(w, "1.der", &(struct order){ .n = 1, .lasts_s = 8 * DAY });
	offline_put(w, "2.der", &(struct order){ .n = 2,
	    .lasts_s = 9 * DAY + DAY / 2 });
	world_start(w);
	world_until(w, (status_service_report(w->service, &all),
	    all.horizon.as_of != 0));
	assert_int_equal(world_num_lines(w, "end soon"), 0);
	assert_int_equal(all.horizon.num_answers, 2);
	assert_true(all.horizon.first_stale_at <=
	    oc_clock_now_s() + 8 * DAY);
	w->skip_s = 6 * DAY + DAY / 12;
	world_until(w, world_num_lines(w, "1 of the responses that were "
	    "loaded end soon") == 1);
	report(w, &r);
	assert_int_equal(r.num_ending, 1);
	w->skip_s += 3600;
	world_idle(w, 100);
	assert_int_equal(world_num_lines(w, "end soon"), 1);
	w->skip_s += DAY;
	world_until(w, world_num_lines(w, "end soon") == 2);
	w->skip_s = 8 * DAY + DAY / 12;
	world_until(w, world_num_lines(w, "1 of the responses that were "
	    "loaded have ended") == 1);
	report(w, &r);
	assert_int_equal(r.num_ending, 1);
	assert_int_equal(r.num_ended, 1);
}

/* Also of what the key before has signed, unless there is newer. */
static void
test_alarm_of_another_key(void **state)
{
	struct world *w = *state;
	EVP_PKEY *key = fixture_key("P-256");
	X509 *signer = fixture_cert("Signer", key, FIXTURE_DELEGATE, w->ca,
	    w->ca_key);
	struct status_offline_report r;
	struct status_service_report all;

	offline_put(w, "1.der", &(struct order){ .n = 1,
	    .lasts_s = 8 * DAY });
	offline_put(w, "2.der", &(struct order){ .n = 2,
	    .lasts_s = 8 * DAY });
	world_start(w);
	world_stop(w);
	offline_use_delegate(w, signer);
	offline_put(w, "2.der", &(struct order){ .n = 2, .key = key,
	    .signer = signer, .without = OCSP_NOCERTS,
	    .lasts_s = 9 * DAY + DAY / 2 });
	world_start(w);
	world_until(w, (status_service_report(w->service, &all),
	    all.horizon.as_of != 0));
	assert_int_equal(all.horizon.num_answers, 2);
	w->skip_s = 6 * DAY + DAY / 12;
	world_until(w, world_num_lines(w, "1 of the responses that were "
	    "loaded end soon") == 1);
	report(w, &r);
	assert_int_equal(r.num_ending, 1);
	X509_free(signer);
	EVP_PKEY_free(key);
}

/* What may not be said is not put where responders find it, not even until it
 * is taken out again. */
static void
test_compromised(void **state)
{
	struct world *w = *state;
	struct ocsp_slot slot;

	offline_put(w, "1.der", &(struct order){ .n = 1 });
	offline_put(w, "2.der", &(struct order){ .n = 2,
	    .status = V_OCSP_CERTSTATUS_REVOKED, .reason = 5 });
	w->issuer.compromised_since = 1700000001;
	world_start(w);
	assert_int_equal(world_num_lines(w, "1.der is refused: it says "
	    "\"good\", and the CA is compromised"), 1);
	assert_int_equal(world_num_lines(w, "1 responses loaded"), 1);
	assert_false(world_look(w, 1, USUAL, &slot));
	assert_true(world_look(w, 2, USUAL, &slot));
	expect(w, 1, IPC_ANSWER_ERROR, OCSP_UNAUTHORIZED);
}

/* Who starts while the clock is a month ahead holds files against what it
 * should say. */
static void
test_clock_ahead(void **state)
{
	struct world *w = *state;
	struct ocsp_slot slot;

	world_set_clock(w, 0);
	offline_put(w, "1.der", &(struct order){ .n = 1 });
	world_set_clock(w, 30 * DAY);
	world_start(w);
	assert_int_equal(world_num_lines(w, "it ended at"), 0);
	assert_true(world_look(w, 1, USUAL, &slot));
}

static void
test_no_directory(void **state)
{
	struct world *w = *state;
	struct status_offline_report r;

	assert_int_equal(rmdir(w->issuer.responses), 0);
	world_start(w);
	assert_int_equal(world_num_lines(w, "nothing is loaded"), 1);
	report(w, &r);
	assert_int_equal(r.num_refused, 1);
	expect(w, 1, IPC_ANSWER_ERROR, OCSP_UNAUTHORIZED);
}

#define T(name) cmocka_unit_test_setup_teardown(name, offline_setup,	\
    offline_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_other_key), T(test_served),
		T(test_replaced), T(test_contradicted),
		T(test_alarm), T(test_alarm_of_another_key),
		T(test_compromised),
		T(test_clock_ahead), T(test_no_directory),
		T(test_other_encodings), T(test_revoked_by_another_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
