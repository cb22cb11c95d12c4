/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is said beside a status, as the issuer has it: archive cutoff, CRL
 * references, the responder's name; in answers from the table, and in those
 * that are signed for one question.
 */
#include "tests/unit/status_fixture.h"

#include "ocsp/answer.h"

#define USUAL OCSP_ENCODING_USUAL
#define DAY INT64_C(86400)

/* What a responder makes of the slot; views into out. */
static struct ocsp_response_view
look(struct world *w, uint64_t n, uint8_t out[OCSP_RESPONSE_MAX])
{
	struct ocsp_response_view view;
	struct ocsp_context *context;
	struct oc_error error = { 0 };
	struct ocsp_slot slot;
	size_t len;

	assert_true(world_look(w, n, USUAL, &slot));
	assert_int_equal(ocsp_context_new(w->service->identity, &context),
	    OC_OK);
	assert_int_equal(ocsp_context_build(context, &slot, out,
	    OCSP_RESPONSE_MAX, &len), OC_OK);
	ocsp_context_free(context);
	if (ocsp_response_read((struct der_bytes){ out, len }, &view,
	    &error) != OC_OK)
		fail_msg("%s", error.text);
	return view;
}

static struct ocsp_single_view
only(const struct ocsp_response_view *view)
{
	struct der_bytes rest = view->singles;
	struct ocsp_single_view single;

	assert_int_equal(view->num_singles, 1);
	assert_true(ocsp_response_next(&rest, &single));
	return single;
}

/* The signature is over what the responder makes of the slot. */
static void
expect_signed(struct world *w, const struct ocsp_response_view *view)
{
	EVP_PKEY *key = X509_get_pubkey(w->delegate);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	assert_int_equal(EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL,
	    key), 1);
	assert_int_equal(EVP_DigestVerify(ctx, view->signature.p,
	    view->signature.len, view->data.p, view->data.len), 1);
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(key);
}

static void
ask(struct world *w, uint64_t n, struct reply *reply)
{
	memset(reply, 0, sizeof(*reply));
	world_ask(w, n, USUAL, reply);
	world_until(w, reply->num == 1);
}

/* st-expired, retained: what it was, until the retention ends. */
static void
test_retained(void **state)
{
	uint8_t out[OCSP_RESPONSE_MAX];
	struct world *w = *state;
	struct ocsp_response_view view;
	struct ocsp_single_view single;
	int64_t now = oc_clock_now_s();
	struct reply reply;

	world_issue(w, 1, now - 2 * DAY);
	world_issue(w, 2, now - 2 * DAY);
	world_issue(w, 3, now - 31 * DAY);
	world_issue(w, 4, now + YEAR);
	world_issue(w, 5, now - 29 * DAY);
	world_revoke(w, 2, CRL_REASON_SUPERSEDED);
	w->issuer.archive_cutoff_s = 30 * DAY;
	world_start(w);
	ask(w, 1, &reply);
	assert_int_equal(reply.kind, IPC_ANSWER_TABLE);
	view = look(w, 1, out);
	expect_signed(w, &view);
	single = only(&view);
	assert_int_equal(single.status.kind, OCSP_GOOD);
	assert_true(single.has_archive_cutoff);
	assert_int_equal(single.archive_cutoff, view.produced_at - 30 * DAY);
	ask(w, 2, &reply);
	view = look(w, 2, out);
	expect_signed(w, &view);
	single = only(&view);
	assert_int_equal(single.status.kind, OCSP_REVOKED);
	assert_true(single.has_archive_cutoff);
	/* Whoever has not expired has it, too: it is about the responder. */
	ask(w, 4, &reply);
	view = look(w, 4, out);
	assert_true(only(&view).has_archive_cutoff);
	/* Past it; and soon past it. */
	ask(w, 3, &reply);
	assert_int_equal(reply.kind, IPC_ANSWER_ERROR);
	assert_int_equal(reply.status, OCSP_UNAUTHORIZED);
	ask(w, 5, &reply);
	view = look(w, 5, out);
	assert_int_equal(only(&view).next_update, now + DAY);
}

/* st-expired, as it is without configuration; and of all that is signed ahead
 * of time what is retained is a part. */
static void
test_presigned(void **state)
{
	struct world *w = *state;
	int64_t now = oc_clock_now_s();
	struct ocsp_slot slot;
	struct reply reply;

	world_issue(w, 1, now - 2 * DAY);
	world_issue(w, 2, now + YEAR);
	w->issuer.presign = OC_PRESIGN_ALL;
	world_start(w);
	world_until(w, world_num_slots(w) == 1);
	ask(w, 1, &reply);
	assert_int_equal(reply.status, OCSP_UNAUTHORIZED);
	world_stop(w);
	w->issuer.archive_cutoff_s = 30 * DAY;
	world_start(w);
	world_until(w, world_num_slots(w) == 2);
	assert_true(world_look(w, 1, USUAL, &slot));
	/* Another choice is other octets: all were signed again. */
	assert_int_equal(w->gate.num_submitted, 3);
	/* And revoked after its end. */
	world_revoke(w, 1, CRL_REASON_KEY_COMPROMISE);
	world_until(w, world_look(w, 1, USUAL, &slot) &&
	    slot.status.kind == OCSP_REVOKED);
}

static void
choose_all(struct world *w)
{
	static char url[] = "http://crl.example/ca.crl";

	w->issuer.archive_cutoff_s = 30 * DAY;
	w->issuer.crl_reference = OC_SWITCH_YES;
	w->issuer.crl_url = url;
	w->issuer.responder_id = OC_RESPONDER_ID_NAME;
}

static void
expect_name(struct world *w, const struct ocsp_response_view *view)
{
	unsigned char *name = NULL;
	int len = i2d_X509_NAME(X509_get_subject_name(w->delegate), &name);

	assert_true(der_bytes_equal(view->responder_name,
	    (struct der_bytes){ name, (size_t)len }));
	assert_int_equal(view->responder_key_hash.len, 0);
	OPENSSL_free(name);
}

/* A revoked one says where the CRL is; a good one does not. */
static void
test_table(void **state)
{
	uint8_t out[OCSP_RESPONSE_MAX];
	struct world *w = *state;
	struct ocsp_response_view view;
	struct reply reply;

	world_issue_many(w, 1, 2);
	world_revoke(w, 2, CRL_REASON_UNSPECIFIED);
	choose_all(w);
	world_start(w);
	ask(w, 1, &reply);
	view = look(w, 1, out);
	expect_signed(w, &view);
	expect_name(w, &view);
	assert_int_equal(only(&view).crl_url.len, 0);
	ask(w, 2, &reply);
	view = look(w, 2, out);
	expect_signed(w, &view);
	expect_name(w, &view);
	assert_true(der_bytes_equal(only(&view).crl_url,
	    (struct der_bytes){ (const uint8_t *)w->issuer.crl_url,
	    strlen(w->issuer.crl_url) }));
	assert_true(only(&view).has_archive_cutoff);
}

/* Signed for one question: the same of each that was issued, and nothing of
 * one that never was (RFC 6960, 4.4.8). */
static void
test_live(void **state)
{
	static const uint64_t asked[] = { 1, 2, 77 };
	struct world *w = *state;
	struct reply reply = { 0 };
	struct ocsp_response_view view;
	struct ocsp_single_view single;
	struct der_bytes rest;
	int i;

	world_issue_many(w, 1, 2);
	world_revoke(w, 2, CRL_REASON_SUPERSEDED);
	w->issuer.unknown = OC_UNKNOWN_REVOKED;
	choose_all(w);
	world_start(w);
	world_ask_live(w, asked, 3, 32, &reply);
	world_until(w, reply.num == 1);
	assert_int_equal(reply.kind, IPC_ANSWER_RESPONSE);
	assert_int_equal(ocsp_response_read((struct der_bytes){
	    reply.response, reply.response_len }, &view, NULL), OC_OK);
	expect_signed(w, &view);
	expect_name(w, &view);
	rest = view.singles;
	for (i = 0; i < 3; i++) {
		assert_true(ocsp_response_next(&rest, &single));
		assert_int_equal(single.status.kind,
		    i == 0 ? OCSP_GOOD : OCSP_REVOKED);
		assert_int_equal(single.has_archive_cutoff, i < 2);
		assert_int_equal(single.crl_url.len != 0, i == 1);
	}
}

#define SERVICE(f) cmocka_unit_test_setup_teardown(f, world_setup, \
	world_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		SERVICE(test_retained),
		SERVICE(test_presigned),
		SERVICE(test_table),
		SERVICE(test_live),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
