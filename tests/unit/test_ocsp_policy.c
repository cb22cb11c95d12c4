/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the standards leave a choice: each policy, and the other one.  What is
 * a worker's alone is in test_ocsp_worker_post.c and _status.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/log.h"
#include "ocsp/http_reply.h"
#include "tests/unit/ocsp_answer_test.h"

/* multi-mixed-issuer, by either policy: never one signature for two. */
static void
several_issuers(void **state)
{
	struct blob certid = fixture_certid(ca[0].cert, 0, SERIAL);
	struct blob theirs = fixture_single(ca[1].cert, 0, SERIAL);
	struct blob nobodys = fixture_single(stranger.cert, 0, SERIAL);
	struct blob second = fixture_single(ca[0].cert, 4, "77");
	struct blob first_alone = blob_join(one(), theirs);
	struct blob three = blob_join3(one(), theirs, second);

	(void)state;
	answerer.issuers[0].wants_nonce = true;
	expect_error(fixture_request(first_alone, none()),
	    OCSP_UNAUTHORIZED);
	answerer.skips_other_issuers = true;
	/* One is left: from the table, as if it had been asked alone. */
	expect_good(fixture_request(first_alone, none()), &ca[0], 0x40,
	    blob_bytes(&certid));
	expect_good(fixture_request(blob_join3(one(), nobodys, theirs),
	    none()), &ca[0], 0x40, blob_bytes(&certid));
	/* Several are left: the first's, in order, and no others. */
	expect_miss(fixture_request(three, none()), 0, 2, 0);
	assert_int_equal(miss.singles[0].encoding, 0);
	assert_int_equal(miss.singles[1].encoding, 4);
	assert_int_equal(miss.singles[1].serial.bytes[0], 0x77);
	expect_miss(fixture_request(first_alone, fixture_nonce(16)), 0, 1,
	    16);
	/* The first decides which issuer it is. */
	expect_miss(fixture_request(blob_join3(fixture_single(ca[1].cert, 0,
	    "19"), one(), second), none()), 1, 1, 0);
	assert_int_equal(miss.singles[0].serial.bytes[0], 0x19);
	expect_error(fixture_request(blob_join(nobodys, one()), none()),
	    OCSP_UNAUTHORIZED);
	/* What is wrong with one of the first's is no less wrong. */
	expect_error(fixture_request(blob_join3(one(), theirs,
	    fixture_single(ca[0].cert, 0, "00")), none()),
	    OCSP_UNAUTHORIZED);
	answerer.skips_other_issuers = false;
	expect_error(fixture_request(three, none()), OCSP_UNAUTHORIZED);
}

/* nonce = require: a signature of its own, or an error. */
static void
nonces_required(void **state)
{
	struct blob two = blob_join(one(), fixture_single(ca[0].cert, 2,
	    SERIAL));
	struct blob with = fixture_request(one(), fixture_nonce(32));
	struct blob others = fixture_request(fixture_single(ca[1].cert, 0,
	    SERIAL), none());

	(void)state;
	answerer.issuers[0].wants_nonce = true;
	answerer.issuers[0].requires_nonce = true;
	expect_error(fixture_request(one(), none()), OCSP_UNAUTHORIZED);
	expect_error(fixture_request(two, none()), OCSP_UNAUTHORIZED);
	expect_error(fixture_request(one(), fixture_nonce(0)),
	    OCSP_MALFORMED_REQUEST);
	expect_miss(with, 0, 1, 32);
	expect_miss(fixture_request(one(), fixture_nonce(1)), 0, 1, 1);
	expect_miss(fixture_request(two, fixture_nonce(32)), 0, 2, 32);
	/* Declined: the slot's answer is there and is not given. */
	assert_int_equal(ocsp_answer(&answerer, blob_bytes(&with), NOW,
	    OCSP_NONCE_SKIP, &reply, &miss), OCSP_ANSWERED);
	assert_int_equal(reply.status, OCSP_TRY_LATER);
	assert_int_equal(reply.len, OCSP_ERROR_RESPONSE_LEN);
	assert_false(reply.is_cacheable);
	/* It is one issuer's policy and no other's. */
	assert_int_equal(ask(others), OCSP_ANSWERED);
	assert_int_equal(reply.status, OCSP_SUCCESSFUL);
	answerer.issuers[0].requires_nonce = false;
	assert_int_equal(ask(fixture_request(one(), none())), OCSP_ANSWERED);
	assert_int_equal(reply.status, OCSP_SUCCESSFUL);
}

static void
expect_to_verify(struct blob request, uint32_t num_singles, size_t nonce_len)
{
	expect_miss(request, 0, num_singles, nonce_len);
	assert_int_equal(miss.signed_request.len, request.len);
}

/* signed-ok and its like, sig-required: a responder asks, or says that there
 * is no signature; and what it is told is good, no cache keeps. */
static void
signed_requests(void **state)
{
	struct blob two = blob_join(one(), fixture_single(ca[0].cert, 2,
	    SERIAL));
	struct blob request = fixture_signed(one(), none());
	struct blob other = fixture_single(ca[0].cert, 0, "7777");
	struct blob large = none();
	int i;

	(void)state;
	assert_int_equal(ask(request), OCSP_ANSWERED);
	assert_true(reply.is_cacheable);
	answerer.issuers[0].wants_nonce = true;
	for (i = OCSP_SIGNED_VERIFIED; i <= OCSP_SIGNED_REQUIRED; i++) {
		answerer.issuers[0].signed_requests =
		    (enum ocsp_signed_requests)i;
		expect_to_verify(request, 1, 0);
		expect_to_verify(fixture_signed(blob_join(one(), one()),
		    none()), 1, 0);
		expect_to_verify(fixture_signed(two, fixture_nonce(32)), 2,
		    32);
		/* Declined is no reason to give it to anybody. */
		assert_int_equal(ocsp_answer(&answerer, blob_bytes(&request),
		    NOW, OCSP_NONCE_SKIP, &reply, &miss), OCSP_MISSED);
		assert_int_equal(ocsp_answer(&answerer, blob_bytes(&request),
		    NOW, OCSP_REQUESTOR_KNOWN, &reply, &miss), OCSP_ANSWERED);
		assert_int_equal(reply.status, OCSP_SUCCESSFUL);
		assert_false(reply.is_cacheable);
		/* Known, and still to be asked for: with its signature. */
		request = fixture_signed(other, none());
		assert_int_equal(ocsp_answer(&answerer, blob_bytes(&request),
		    NOW, OCSP_REQUESTOR_KNOWN, &reply, &miss), OCSP_MISSED);
		assert_int_equal(miss.signed_request.len, request.len);
		request = fixture_signed(one(), none());
		expect_error(fixture_signed(one(), fixture_nonce(0)),
		    OCSP_MALFORMED_REQUEST);
	}
	expect_error(fixture_request(one(), none()), OCSP_SIG_REQUIRED);
	expect_error(fixture_request(two, fixture_nonce(32)),
	    OCSP_SIG_REQUIRED);
	/* It is one issuer's policy, and no other's. */
	assert_int_equal(ask(fixture_request(fixture_single(ca[1].cert, 0,
	    SERIAL), none())), OCSP_ANSWERED);
	assert_int_equal(reply.status, OCSP_SUCCESSFUL);
	answerer.issuers[0].signed_requests = OCSP_SIGNED_VERIFIED;
	assert_int_equal(ask(fixture_request(one(), none())), OCSP_ANSWERED);
	assert_int_equal(reply.status, OCSP_SUCCESSFUL);
	assert_true(reply.is_cacheable);
	/* More than is taken along. */
	large.len = OCSP_SIGNED_REQUEST_MAX - request.len;
	memset(large.bytes, 0x5a, large.len);
	request = fixture_signed(one(), fixture_extension(
	    DER_OID_OCSP_SERVICE_LOCATOR, "", large));
	assert_true(request.len > OCSP_SIGNED_REQUEST_MAX);
	expect_error(request, OCSP_MALFORMED_REQUEST);
}

/* ext-unknown-critical: never answered; only which error it is. */
static void
critical_extensions(void **state)
{
	struct blob certid = fixture_certid(ca[0].cert, 0, SERIAL);
	struct der_bytes id = blob_bytes(&certid);
	struct blob critical = fixture_extension(DER_OID_TLS_FEATURE,
	    "0101ff", blob_hex("3000"));
	struct blob url = fixture_extension(DER_OID_OCSP_SERVICE_LOCATOR,
	    "0101ff", blob_hex("3000"));

	(void)state;
	expect_error(fixture_request(one(), critical), OCSP_UNAUTHORIZED);
	answerer.is_critical_malformed = true;
	expect_error(fixture_request(one(), critical),
	    OCSP_MALFORMED_REQUEST);
	expect_error(fixture_request(blob_wrap(0x30, blob_join(certid,
	    blob_wrap(0xa0, blob_wrap(0x30, critical)))), none()),
	    OCSP_MALFORMED_REQUEST);
	/* Not the others: known, or not critical, or another's. */
	expect_good(fixture_request(one(), fixture_extension(
	    DER_OID_TLS_FEATURE, "", blob_hex("3000"))), &ca[0], 0x40, id);
	expect_good(fixture_request(blob_wrap(0x30, blob_join(certid,
	    blob_wrap(0xa0, blob_wrap(0x30, url)))), none()), &ca[0], 0x40,
	    id);
	expect_error(fixture_request(fixture_single(stranger.cert, 0, SERIAL),
	    none()), OCSP_UNAUTHORIZED);
	answerer.is_critical_malformed = false;
	expect_error(fixture_request(one(), critical), OCSP_UNAUTHORIZED);
}

static int64_t
max_age_of(const struct http_now *now, const struct ocsp_reply *cached,
    bool is_modified)
{
	char head[HTTP_REPLY_MAX + 1], *age;
	size_t len = is_modified ? http_put_answer_head(now, cached, 0,
	    HTTP_PERSISTS, (uint8_t *)head) : http_put_not_modified(now,
	    cached, HTTP_PERSISTS, (uint8_t *)head);

	head[len] = '\0';
	assert_non_null(strstr(head, "Expires: Tue, 22 Sep 2026 14:13:20"));
	age = strstr(head, "max-age=");
	assert_non_null(age);
	return strtoll(age + 8, NULL, 10);
}

/* max-age-bound: by policy shorter than until nextUpdate, and never longer;
 * what is said with 304 is the same. */
static void
max_age(void **state)
{
	static const struct {
		int64_t policy, later, wanted;
	} rows[] = {
		{ 0, 0, 86400 }, { 3600, 0, 3600 }, { 86399, 0, 86399 },
		{ 86400, 0, 86400 }, { 86401, 0, 86400 }, { 1, 0, 1 },
		{ 3600, 86400 - 3600, 3600 }, { 3600, 86400 - 3599, 3599 },
		{ 3600, 86399, 1 }, { 3600, 86400, 0 }, { 3600, 86401, 0 },
		{ INT64_MAX, 86399, 1 },
	};
	struct ocsp_reply cached = { .status = OCSP_SUCCESSFUL,
	    .modified_at = NOW - 3600, .next_update = NOW + 86400,
	    .is_cacheable = true };
	struct http_now now = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		http_now_set(&now, NOW + rows[i].later);
		cached.max_age_s = rows[i].policy;
		assert_int_equal(max_age_of(&now, &cached, true),
		    rows[i].wanted);
		assert_int_equal(max_age_of(&now, &cached, false),
		    rows[i].wanted);
	}
}

static size_t
size_of(const struct ocsp_identity *who, uint8_t encoding)
{
	struct ocsp_context *context;
	struct ocsp_slot slot = plain_slot(SERIAL_LONG, encoding, 0xff);
	size_t len;

	slot.status = (struct ocsp_status){ OCSP_REVOKED,
	    CRL_REASON_KEY_COMPROMISE, slot.this_update };
	slot.signature_len = who->signature_len;
	memset(slot.signature, 0xff, slot.signature_len);
	assert_int_equal(ocsp_context_new(who, &context), OC_OK);
	assert_int_equal(ocsp_context_build(context, &slot, out, sizeof(out),
	    &len), OC_OK);
	ocsp_context_free(context);
	return len;
}

/* interop-size: what a CA signs itself fits into a frame of Ethernet, and the
 * longest that can be into what Apache reads. */
static void
sizes(void **state)
{
	static const struct {
		enum sign_alg alg;
		uint32_t signature_len;
	} algs[] = {
		{ SIGN_ECDSA_SHA256, 64 }, { SIGN_ECDSA_SHA384, 96 },
		{ SIGN_ECDSA_SHA512, 132 }, { SIGN_RSA_SHA256, 256 },
		{ SIGN_RSA_SHA256, 512 }, { SIGN_ED25519, 64 },
	};
	struct ocsp_identity who = ca[0].identity;
	uint8_t encoding;
	size_t i;

	(void)state;
	assert_int_equal(who.certs_len, 0);
	for (i = 0; i < sizeof(algs) / sizeof(algs[0]); i++)
		for (encoding = 0; encoding < OCSP_ENCODING_MAX; encoding++) {
			who.alg = algs[i].alg;
			who.signature_len = algs[i].signature_len;
			assert_in_range(size_of(&who, encoding), 200, 1492);
		}
	who.alg = SIGN_RSA_SHA256;
	who.signature_len = OC_SIGNATURE_MAX;
	memset(who.certs, 0, sizeof(who.certs));
	memcpy(who.certs, "\x30\x82\x0f\xfc", 4);
	who.certs_len = OCSP_CERTS_MAX;
	memset(who.responder_name, 0, sizeof(who.responder_name));
	memcpy(who.responder_name, "\x30\x82\x03\xfc", 4);
	who.responder_name_len = OCSP_RESPONDER_NAME_MAX;
	who.is_by_name = 1;
	who.archive_s = 86400;
	memset(who.crl_url, 'a', sizeof(who.crl_url));
	who.crl_url_len = OCSP_CRL_URL_MAX;
	assert_in_range(size_of(&who, OCSP_ENCODING(OCSP_HASH_SHA512, 1)),
	    OCSP_CERTS_MAX + OCSP_RESPONDER_NAME_MAX, 10240);
}

int
main(void)
{
#define POLICY_TEST(f) cmocka_unit_test_setup_teardown(f, answer_setup, \
	answer_teardown)
	const struct CMUnitTest tests[] = {
		POLICY_TEST(several_issuers),
		POLICY_TEST(nonces_required),
		POLICY_TEST(signed_requests),
		POLICY_TEST(critical_extensions),
		cmocka_unit_test(max_age),
		POLICY_TEST(sizes),
	};

	oc_log_init("test_ocsp_policy", OC_LOG_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
