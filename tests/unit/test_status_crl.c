/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An issuer whose certificates' status comes from a CRL: what is said of who
 * is on it and of who is not, from when and until when; what a new one
 * changes, and what a restart keeps.  RFC6960:2.4 RFC6960:4.2.2.1
 */
#include "tests/unit/crl_fixture.h"
#include "tests/unit/status_fixture.h"

#include "status/metrics.h"

#define USUAL OCSP_ENCODING_USUAL
#define DAY 86400
#define ITEMS_MAX 8

static char crl_path[300], copy_path[300], issued_path[300];
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
	(void)snprintf(issued_path, sizeof(issued_path), "%s/issued",
	    w->directory);
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

/* One after the other, each one in the list: n, reason; n 0 ends it. */
struct on_list { uint64_t n; int reason; };

static void
put(struct world *w, struct crl_order order, const struct on_list *on)
{
	char serials[ITEMS_MAX][40];
	struct crl_item items[ITEMS_MAX + 1] = { { NULL, 0, 0 } };
	uint8_t *der;
	size_t len;

	for (int i = 0; on != NULL && on[i].n != 0; i++) {
		(void)snprintf(serials[i], sizeof(serials[i]),
		    "4000000000000000%016llx", (unsigned long long)on[i].n);
		items[i] = (struct crl_item){ serials[i], on[i].reason, 0 };
	}
	order.items = items;
	/* Entries are the same in one list and the next. */
	if (order.now == 0)
		order.now = base;
	der = fixture_crl(&order, w->ca, w->ca_key, &len);
	fixture_write(crl_path, der, len);
	OPENSSL_free(der);
}

static void
put_issued(uint64_t a, uint64_t b)
{
	FILE *f = fopen(issued_path, "w");

	assert_non_null(f);
	for (; a <= b; a++)
		assert_true(fprintf(f, "4000000000000000%016llx\n",
		    (unsigned long long)a) > 0);
	assert_int_equal(fclose(f), 0);
}

/* What has changed is seen, and has settled. */
static void
look(struct world *w)
{
	for (int i = 0; i < 2; i++) {
		mono_ns += 3 * OC_NS_PER_S;
		(void)status_watch_look(status_crl_file_watched(
		    w->crl_file), oc_clock_now_s(),
		    mono_ns);
	}
}

static void
open_file(struct world *w)
{
	const struct status_crl_plan plan = {
		.issuer = "ca", .path = crl_path,
		.certificate = w->issuer.certificate, .copy = copy_path,
		.issued = w->issuer.issued,
		.scope = w->issuer.unlisted == OC_UNLISTED_GOOD ?
		    STATUS_CRL_WHOLE : STATUS_CRL_ANY,
	};
	struct oc_error error = { 0 };

	status_crl_file_free(w->crl_file);
	if (status_crl_file_new(&plan, &w->crl_file, &error) != OC_OK)
		fail_msg("%s", error.text);
}

static void
start(struct world *w)
{
	open_file(w);
	world_start(w);
}

static void
restart(struct world *w)
{
	world_stop(w);
	start(w);
}

static void
expect_error(struct world *w, uint64_t n, enum ocsp_response_status status)
{
	struct reply reply = { 0 };

	world_ask(w, n, USUAL, &reply);
	world_until(w, reply.num != 0);
	assert_int_equal(reply.kind, IPC_ANSWER_ERROR);
	assert_int_equal(reply.status, status);
}

/* The answer is signed for one question: by OpenSSL, what it says. */
static int
live(struct world *w, uint64_t n, int64_t *this_update, int64_t *next_update)
{
	struct reply reply = { 0 };
	const unsigned char *p = reply.response;
	ASN1_GENERALIZEDTIME *from, *until;
	OCSP_RESPONSE *response;
	OCSP_BASICRESP *basic;
	int status, reason;
	struct tm tm;

	world_ask(w, n, USUAL, &reply);
	world_until(w, reply.num != 0);
	assert_int_equal(reply.kind, IPC_ANSWER_RESPONSE);
	response = d2i_OCSP_RESPONSE(NULL, &p, (long)reply.response_len);
	basic = OCSP_response_get1_basic(response);
	assert_non_null(basic);
	status = OCSP_single_get0_status(OCSP_resp_get0(basic, 0), &reason,
	    NULL, &from, &until);
	assert_int_equal(ASN1_TIME_to_tm(from, &tm), 1);
	*this_update = timegm(&tm);
	assert_int_equal(ASN1_TIME_to_tm(until, &tm), 1);
	*next_update = timegm(&tm);
	OCSP_BASICRESP_free(basic);
	OCSP_RESPONSE_free(response);
	return status;
}

static const struct on_list some[] = {
	{ 1, CRL_REASON_KEY_COMPROMISE }, { 2, CRL_REASON_CERTIFICATE_HOLD },
	{ 3, CRL_NO_REASON }, { 0, 0 }
};

/* Who waits would wait for somebody else; and nothing is said by default. */
static void
test_no_crl(void **state)
{
	struct world *w = *state;
	struct ocsp_slot slot;

	open_file(w);
	world_open(w);
	expect_error(w, 1, OCSP_TRY_LATER);
	assert_true(status_service_is_started(w->service));
	assert_false(status_service_is_current(w->service));
	expect_error(w, 1, OCSP_TRY_LATER);
	assert_int_equal(world_num_signed(w), 0);
	assert_int_equal(world_num_lines(w, "there is no good CRL: "), 1);
	put(w, (struct crl_order){ .number = 1 }, some);
	look(w);
	world_until(w, status_service_is_ready(w->service));
	world_until(w, world_look(w, 1, USUAL, &slot));
	assert_int_equal(world_num_lines(w, "the source answers again"), 1);
}

static void
test_said(void **state)
{
	struct world *w = *state;
	int64_t now = oc_clock_now_s();
	struct ocsp_slot slot;

	put(w, (struct crl_order){ .number = 1, .begins_s = -2 * DAY,
	    .lasts_s = 2 * DAY, .now = now }, some);
	start(w);
	world_until(w, world_num_slots(w) == 3);
	assert_true(world_look(w, 1, USUAL, &slot));
	assert_int_equal(slot.status.kind, OCSP_REVOKED);
	assert_int_equal(slot.status.reason, CRL_REASON_KEY_COMPROMISE);
	assert_true(slot.status.revoked_at == now - 3600);
	/* No more than the list says, nor for longer. */
	assert_true(slot.this_update == now - 2 * DAY);
	assert_true(slot.next_update == now + 2 * DAY);
	assert_true(slot.produced_at >= now);
	assert_true(world_look(w, 2, USUAL, &slot));
	assert_int_equal(slot.status.reason, CRL_REASON_CERTIFICATE_HOLD);
	assert_true(world_look(w, 3, USUAL, &slot));
	assert_int_equal(slot.status.reason, CRL_REASON_UNSPECIFIED);
	expect_error(w, 4, OCSP_UNAUTHORIZED);
}

/* The list is for longer than a response may be. */
static void
test_lifetime(void **state)
{
	struct world *w = *state;
	int64_t now = oc_clock_now_s();
	struct ocsp_slot slot;

	put(w, (struct crl_order){ .number = 1, .begins_s = -20 * DAY,
	    .lasts_s = 20 * DAY, .now = now }, some);
	start(w);
	world_until(w, world_num_slots(w) == 3);
	assert_true(world_look(w, 1, USUAL, &slot));
	assert_true(slot.this_update == now - 20 * DAY);
	assert_true(slot.next_update >= now - 3600 + 4 * DAY - 1);
	assert_true(slot.next_update <= now + 4 * DAY);
	/* And is not signed again and again for being so old. */
	world_idle(w, 600);
	assert_int_equal(w->gate.num_submitted, 3);
	restart(w);
	world_idle(w, 300);
	assert_int_equal(w->gate.num_submitted, 3);
	/* In the third quarter of its own life. */
	w->skip_s = DAY;
	world_idle(w, 300);
	assert_int_equal(w->gate.num_submitted, 3);
	w->skip_s = 3 * DAY;
	world_until(w, w->gate.num_submitted >= 6);
}

/* Older than a key signs for, it says nothing. */
static void
test_old(void **state)
{
	struct world *w = *state;
	struct ocsp_slot slot;

	put(w, (struct crl_order){ .number = 1, .begins_s = -399 * DAY,
	    .lasts_s = 20 * DAY }, some);
	start(w);
	world_until(w, world_num_slots(w) == 3);
	assert_true(world_look(w, 1, USUAL, &slot));
	assert_true(slot.next_update == slot.this_update + 400 * DAY);
	world_stop(w);
	assert_int_equal(unlink(copy_path), 0);
	put(w, (struct crl_order){ .number = 1, .begins_s = -401 * DAY,
	    .lasts_s = 20 * DAY }, some);
	start(w);
	expect_error(w, 4, OCSP_UNAUTHORIZED);
	w->issuer.unlisted = OC_UNLISTED_GOOD;
	expect_error(w, 4, OCSP_TRY_LATER);
}

/* A new list is followed; what it does not change is not signed for it. */
static void
test_followed(void **state)
{
	static const struct on_list next[] = {
		{ 1, CRL_REASON_KEY_COMPROMISE }, { 3, CRL_NO_REASON },
		{ 5, CRL_REASON_SUPERSEDED }, { 0, 0 }
	};
	struct world *w = *state;
	struct ocsp_slot slot;

	put(w, (struct crl_order){ .number = 1 }, some);
	start(w);
	world_until(w, world_num_slots(w) == 3);
	put(w, (struct crl_order){ .number = 2, .lasts_s = 2 * DAY }, next);
	look(w);
	world_until(w, world_look(w, 5, USUAL, &slot));
	/* 2 was on hold: it is known no more, good or not. */
	assert_false(world_look(w, 2, USUAL, &slot));
	expect_error(w, 2, OCSP_UNAUTHORIZED);
	assert_true(world_look(w, 1, USUAL, &slot));
	assert_int_equal(w->gate.num_submitted, 4);
	/* On hold again, and for good. */
	put(w, (struct crl_order){ .number = 3, .lasts_s = 2 * DAY },
	    (const struct on_list[]){ { 1, CRL_REASON_KEY_COMPROMISE },
	    { 2, CRL_REASON_CA_COMPROMISE }, { 3, CRL_NO_REASON },
	    { 5, CRL_REASON_SUPERSEDED }, { 0, 0 } });
	look(w);
	world_until(w, world_look(w, 2, USUAL, &slot));
	assert_int_equal(slot.status.reason, CRL_REASON_CA_COMPROMISE);
	/* removeFromCRL: the CA says that it is well. */
	put(w, (struct crl_order){ .number = 4, .lasts_s = 2 * DAY },
	    (const struct on_list[]){ { 1, CRL_REASON_KEY_COMPROMISE },
	    { 2, CRL_REASON_REMOVE_FROM_CRL }, { 3, CRL_NO_REASON },
	    { 5, CRL_REASON_SUPERSEDED }, { 0, 0 } });
	look(w);
	world_until(w, world_look(w, 2, USUAL, &slot) &&
	    slot.status.kind == OCSP_GOOD);
	assert_int_equal(world_num_lines(w, "no longer so by the CRL"), 1);
}

/* One at its end is not signed again and again; a new one is followed. */
static void
test_renewed(void **state)
{
	struct world *w = *state;
	int64_t now = oc_clock_now_s();
	struct ocsp_slot slot;

	put(w, (struct crl_order){ .number = 1, .lasts_s = DAY }, some);
	start(w);
	world_until(w, world_num_slots(w) == 3);
	w->skip_s = DAY * 9 / 10;
	world_idle(w, 300);
	assert_int_equal(w->gate.num_submitted, 3);
	put(w, (struct crl_order){ .number = 2, .lasts_s = 3 * DAY,
	    .begins_s = -5 }, some);
	look(w);
	world_until(w, w->service->bounds.next_update > now + 2 * DAY);
	/* Within a minute. */
	w->skip_s += STATUS_SOURCE_RETRY_S;
	world_until(w, w->gate.num_submitted == 6);
	world_until(w, world_look(w, 1, USUAL, &slot) &&
	    slot.next_update > now + 2 * DAY);
	world_idle(w, 300);
	assert_int_equal(w->gate.num_submitted, 6);
}

/* It ends, and nobody brings another: neither is said, until somebody does. */
static void
test_ends(void **state)
{
	struct world *w = *state;
	int64_t now = oc_clock_now_s();
	struct ocsp_slot slot;

	w->issuer.unlisted = OC_UNLISTED_GOOD;
	put(w, (struct crl_order){ .number = 1, .begins_s = -100,
	    .lasts_s = 6, .now = now }, some);
	start(w);
	world_until(w, world_num_slots(w) == 3);
	assert_true(world_look(w, 1, USUAL, &slot));
	assert_true(slot.next_update == now + 6);
	world_until(w, world_num_lines(w, "the CRL has ended at") != 0);
	assert_true(oc_clock_now_s() >= now + 6);
	expect_error(w, 1, OCSP_TRY_LATER);
	expect_error(w, 4, OCSP_TRY_LATER);
	world_idle(w, 300);
	assert_int_equal(w->gate.num_submitted, 3);
	assert_int_equal(world_num_lines(w, "the CRL has ended at"), 1);
	put(w, (struct crl_order){ .number = 2, .begins_s = -50 }, some);
	look(w);
	world_until(w, world_look(w, 1, USUAL, &slot) &&
	    slot.next_update > now + 6);
}

static void
test_restart(void **state)
{
	static const struct on_list fewer[] = {
		{ 1, CRL_REASON_CA_COMPROMISE }, { 3, CRL_NO_REASON }, { 0, 0 }
	};
	struct world *w = *state;
	struct ocsp_slot slot;

	put(w, (struct crl_order){ .number = 1 }, some);
	start(w);
	world_until(w, world_num_slots(w) == 3);
	restart(w);
	world_idle(w, 200);
	assert_int_equal(w->gate.num_submitted, 3);
	assert_int_equal(world_num_slots(w), 3);
	/* While nobody looked. */
	world_stop(w);
	put(w, (struct crl_order){ .number = 2 }, fewer);
	start(w);
	assert_false(world_look(w, 2, USUAL, &slot));
	assert_true(world_look(w, 3, USUAL, &slot));
	world_until(w, world_look(w, 1, USUAL, &slot) &&
	    slot.status.reason == CRL_REASON_CA_COMPROMISE);
	assert_int_equal(w->gate.num_submitted, 4);
	/* An older one does not bring back what was so. */
	world_stop(w);
	put(w, (struct crl_order){ .number = 1 }, some);
	start(w);
	assert_false(world_look(w, 2, USUAL, &slot));
	assert_int_equal(world_num_lines(w, "its number is 1, that one's 2"),
	    1);
	/* With one list of another source, nothing of it is believed. */
	world_stop(w);
	w->issuer.source = OC_SOURCE_STORE;
	world_issue(w, 1, oc_clock_now_s() + YEAR);
	world_start(w);
	assert_true(!world_look(w, 1, USUAL, &slot) ||
	    slot.status.kind == OCSP_GOOD);
	assert_false(world_look(w, 3, USUAL, &slot));
}

/* A list of one, so that a table has the first number of all: of what the key
 * before has signed is not known what it missed, and nothing is told twice. */
static void
test_other_key(void **state)
{
	static const struct on_list one[] = {
		{ 1, CRL_REASON_KEY_COMPROMISE }, { 0, 0 }
	};
	struct world *w = *state;
	struct reply reply = { 0 };
	struct ocsp_slot slot;

	w->issuer.unlisted = OC_UNLISTED_GOOD;
	put(w, (struct crl_order){ .number = 1 }, one);
	start(w);
	world_until(w, world_num_slots(w) == 1);
	assert_int_equal(ocsp_table_seq(w->service->table), 1);
	world_stop(w);
	world_new_key(w);
	start(w);
	world_ask(w, 1, USUAL, &reply);
	world_until(w, reply.num != 0);
	assert_int_equal(reply.kind, IPC_ANSWER_TABLE);
	assert_true(world_look(w, 1, USUAL, &slot));
	assert_int_equal(slot.status.kind, OCSP_REVOKED);
}

/* Who is not on it, and may not exist, costs a signature for each question. */
static void
test_unlisted_good(void **state)
{
	struct world *w = *state;
	int64_t now = oc_clock_now_s(), from, until;
	struct ocsp_slot slot;

	w->issuer.unlisted = OC_UNLISTED_GOOD;
	w->budget.rate = 2;
	put(w, (struct crl_order){ .number = 1, .begins_s = -2 * DAY,
	    .lasts_s = 2 * DAY, .now = now }, some);
	start(w);
	world_until(w, world_num_slots(w) == 3);
	assert_int_equal(live(w, 7, &from, &until), V_OCSP_CERTSTATUS_GOOD);
	assert_true(from == now - 2 * DAY);
	assert_true(until == now + 2 * DAY);
	assert_false(world_look(w, 7, USUAL, &slot));
	assert_int_equal(live(w, 8, &from, &until), V_OCSP_CERTSTATUS_GOOD);
	expect_error(w, 9, OCSP_TRY_LATER);
	/* Off the hold it is known, and kept. */
	put(w, (struct crl_order){ .number = 2 },
	    (const struct on_list[]){ { 1, CRL_REASON_KEY_COMPROMISE },
	    { 3, CRL_NO_REASON }, { 0, 0 } });
	look(w);
	world_until(w, world_look(w, 2, USUAL, &slot) &&
	    slot.status.kind == OCSP_GOOD);
}

static void
test_issued(void **state)
{
	static const char range[] = "40000000000000000000000000000080-"
	    "400000000000000000000000000000ff\n";
	struct world *w = *state;
	struct ocsp_slot slot;
	int64_t from, until;

	w->issuer.unlisted = OC_UNLISTED_GOOD;
	w->issuer.issued = issued_path;
	put(w, (struct crl_order){ .number = 1 }, some);
	start(w);
	/* The list is not there: nobody knows. */
	expect_error(w, 7, OCSP_TRY_LATER);
	put_issued(1, 6);
	look(w);
	world_until(w, world_num_slots(w) == 6);
	assert_true(world_look(w, 6, USUAL, &slot));
	assert_int_equal(slot.status.kind, OCSP_GOOD);
	assert_true(world_look(w, 3, USUAL, &slot));
	assert_int_equal(slot.status.kind, OCSP_REVOKED);
	expect_error(w, 7, OCSP_UNAUTHORIZED);
	assert_int_equal(w->gate.num_submitted, 6);
	/* One more, and one fewer. */
	put_issued(1, 7);
	look(w);
	world_until(w, world_look(w, 7, USUAL, &slot));
	put_issued(1, 5);
	look(w);
	world_until(w, !world_look(w, 6, USUAL, &slot));
	expect_error(w, 6, OCSP_UNAUTHORIZED);
	/* In a range it is signed when it is asked for. */
	fixture_write(issued_path, range, strlen(range));
	look(w);
	world_until(w, world_num_slots(w) == 3);
	assert_int_equal(live(w, 0x80, &from, &until),
	    V_OCSP_CERTSTATUS_GOOD);
	expect_error(w, 0x7f, OCSP_UNAUTHORIZED);
	/* And what was never issued is what "unknown" says. */
	w->issuer.unknown = OC_UNKNOWN_UNKNOWN;
	assert_int_equal(live(w, 0x7f, &from, &until),
	    V_OCSP_CERTSTATUS_UNKNOWN);
}

/* Revoked while its signature is away: it never gets into the table. */
static void
test_never_good(void **state)
{
	struct world *w = *state;
	struct ocsp_slot slot;

	w->issuer.unlisted = OC_UNLISTED_GOOD;
	w->issuer.issued = issued_path;
	put_issued(1, 100);
	put(w, (struct crl_order){ .number = 1 }, some);
	open_file(w);
	world_open(w);
	world_until(w, w->gate.num_submitted >= 10);
	put(w, (struct crl_order){ .number = 2 }, (const struct on_list[]){
	    { 1, CRL_REASON_KEY_COMPROMISE },
	    { 2, CRL_REASON_CERTIFICATE_HOLD }, { 3, CRL_NO_REASON },
	    { 50, CRL_REASON_KEY_COMPROMISE }, { 0, 0 } });
	look(w);
	world_until(w, world_look(w, 50, USUAL, &slot) &&
	    slot.status.kind == OCSP_REVOKED);
	w->never_good = world_serial(50);
	world_until(w, world_num_slots(w) == 100);
}

/* The delegate's certificate is one of the CA's: the list may have it. */
static void
test_signer_revoked(void **state)
{
	struct world *w = *state;
	struct ocsp_slot slot;

	put(w, (struct crl_order){ .number = 1 }, some);
	start(w);
	world_until(w, world_num_slots(w) == 3);
	put(w, (struct crl_order){ .number = 2 }, (const struct on_list[]){
	    { 1, CRL_REASON_KEY_COMPROMISE },
	    { 2, CRL_REASON_CERTIFICATE_HOLD }, { 3, CRL_NO_REASON },
	    { WORLD_DELEGATE, CRL_REASON_KEY_COMPROMISE }, { 0, 0 } });
	look(w);
	world_until(w, !world_look(w, 1, USUAL, &slot));
	expect_error(w, 1, OCSP_TRY_LATER);
	restart(w);
	assert_int_equal(world_num_slots(w), 0);
	expect_error(w, 1, OCSP_TRY_LATER);
}

static void
expect_metric(const struct status_all *all, const char *line)
{
	struct oc_buffer out;

	oc_buffer_init(&out, 1024 * 1024);
	assert_true(status_put_metrics(all, NULL, &out));
	if (strstr(oc_buffer_text(&out), line) == NULL)
		fail_msg("no %s", line);
	oc_buffer_fini(&out);
}

static void
expect_described(const struct status_all *all, const char *member)
{
	char *text = status_describe(all, OC_FRAME_MAX);

	if (strstr(text, member) == NULL)
		fail_msg("no %s in %s", member, text);
	free(text);
}

/* By the configuration, for people and metrics. */
static void
test_told(void **state)
{
	struct world *w = *state;
	struct status_files *files = NULL;
	struct status_all all = { .is_ready = true,
	    .responder_directory = w->directory,
	    .issuer_directory = w->directory };
	struct oc_error error = { 0 };

	w->config.issuers = &w->issuer;
	w->config.num_issuers = 1;
	w->issuer.crl_file = crl_path;
	for (int i = 0; i < 4; i++) {
		static const struct {
			struct crl_order order;
			const char *metric, *ended, *member;
		} steps[] = {
			{ { .number = 7 }, "crl_file_refused{issuer=\"ca\"} "
			    "0\n", "0\n", "\"state\":\"current\"" },
			{ { .number = 6 }, "crl_file_refused{issuer=\"ca\"} "
			    "1\n", "0\n", "\"state\":\"refused\"" },
			{ { .number = 8, .begins_s = -50, .lasts_s = -10 },
			    "crl_file_entries{issuer=\"ca\"} 3\n", "0\n",
			    "it has expired" },
			{ { .number = 9, .idp = "fullname = "
			    "URI:http://example.com/1.crl" },
			    "crl_file_ended{issuer=\"ca\"} 1\n", "1\n",
			    "\"state\":\"none\"" },
		};
		char line[64];

		if (i == 3) {	/* a part, where a whole one is wanted */
			char *copy = status_crl_copy_path(&w->config,
			    &w->issuer);

			w->issuer.unlisted = OC_UNLISTED_GOOD;
			assert_int_equal(unlink(copy), 0);
			free(copy);
		}
		put(w, steps[i].order, some);
		assert_int_equal(status_files_new(&w->config, &files,
		    &error), OC_OK);
		all.files = files;
		expect_metric(&all, steps[i].metric);
		(void)snprintf(line, sizeof(line),
		    "crl_file_ended{issuer=\"ca\"} %s", steps[i].ended);
		expect_metric(&all, line);
		expect_described(&all, steps[i].member);
		assert_non_null(status_files_find_crl(files, &w->issuer));
		status_files_free(files);
	}
	w->issuer.crl_file = NULL;
	assert_int_equal(status_files_new(&w->config, &files, &error),
	    OC_OK);
	assert_null(status_files_find_crl(files, &w->issuer));
	all.files = files;
	expect_described(&all, "\"crl_files\":[]");
	status_files_free(files);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(no_crl), TEST(said), TEST(lifetime), TEST(old),
		TEST(followed),
		TEST(renewed), TEST(ends), TEST(restart),
		TEST(other_key), TEST(unlisted_good),
		TEST(issued), TEST(never_good), TEST(signer_revoked),
		TEST(told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
