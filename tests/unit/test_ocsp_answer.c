/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From request octets to response octets.  The names of cases are those of
 * our list; HTTP's are tested elsewhere.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/log.h"
#include "tests/unit/ocsp_answer_test.h"

#include <openssl/err.h>

/* sha1-null, sha1-absent, sha256/384/512, sha256-no-sha1-leak,
 * issuer-shared-serial: the CertID comes back byte for byte. */
static void
every_encoding_of_every_issuer(void **state)
{
	uint8_t encoding;
	int i;

	(void)state;
	for (i = 0; i < 2; i++)
		for (encoding = 0; encoding < OCSP_ENCODING_MAX; encoding++) {
			struct blob certid = fixture_certid(ca[i].cert,
			    encoding, SERIAL);

			expect_good(fixture_request(blob_wrap(0x30, certid),
			    none()), &ca[i], (uint8_t)(0x40 + 16 * i +
			    encoding), blob_bytes(&certid));
		}
}

/* A CertID whose hashes are these; key of one CA, name of another. */
static struct blob
mixed_certid(const struct ca *name, const struct ca *key)
{
	return blob_wrap(0x30, blob_join3(blob_hex("3009 06052b0e03021a 0500"),
	    blob_join(blob_wrap(0x04, blob_of((struct der_bytes){
	    name->identity.name_hash[0], 20 })), blob_wrap(0x04,
	    blob_of((struct der_bytes){ key->identity.key_hash[0], 20 }))),
	    blob_wrap(0x02, blob_hex(SERIAL))));
}

static void
issuers_that_are_not_ours(void **state)
{
	(void)state;
	/* name-ok-key-wrong, issuer-rekeyed, and the other way round */
	expect_error(fixture_request(blob_wrap(0x30, mixed_certid(&ca[0],
	    &ca[1])), none()), OCSP_UNAUTHORIZED);
	expect_error(fixture_request(blob_wrap(0x30, mixed_certid(&ca[0],
	    &stranger)), none()), OCSP_UNAUTHORIZED);
	expect_error(fixture_request(blob_wrap(0x30, mixed_certid(&stranger,
	    &ca[0])), none()), OCSP_UNAUTHORIZED);
	expect_error(fixture_request(fixture_single(stranger.cert, 0, SERIAL),
	    none()), OCSP_UNAUTHORIZED);
	/* hash-unknown-oid */
	expect_error(fixture_request(blob_wrap(0x30, blob_wrap(0x30,
	    blob_hex("300c 0608 2a864886f70d0205 0500 0402 0102 0402 0304 "
	    "0201 05"))), none()), OCSP_UNAUTHORIZED);
	/* Nobody at all. */
	answerer.num_issuers = 0;
	expect_error(fixture_request(one(), none()), OCSP_UNAUTHORIZED);
}

static void
serials(void **state)
{
	static const char *const refused[] = {
		"00", "ff", "80",		/* serial-zero, negative */
		"7f00010203040506070809 0a0b0c0d0e0f10111213",	/* 21 */
		"00ff 0102030405060708090a0b0c0d0e0f10111213",
	};
	struct blob certid;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		expect_error(fixture_request(fixture_single(ca[0].cert, 0,
		    refused[i]), none()), OCSP_UNAUTHORIZED);
	expect_error(fixture_request(fixture_single(ca[0].cert, 0,
	    "7f 3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f"
	    "3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f"),
	    none()), OCSP_UNAUTHORIZED);
	/* serial-leading-zeros */
	expect_error(fixture_request(fixture_single(ca[0].cert, 0, "000001"),
	    none()), OCSP_MALFORMED_REQUEST);
	/* serial-20, serial-highbit */
	certid = fixture_certid(ca[0].cert, 0, SERIAL_LONG);
	expect_good(fixture_request(blob_wrap(0x30, certid), none()), &ca[0],
	    0x32, blob_bytes(&certid));
	certid = fixture_certid(ca[0].cert, 0, SERIAL_HIGH);
	expect_good(fixture_request(blob_wrap(0x30, certid), none()), &ca[0],
	    0x31, blob_bytes(&certid));
	/* One we do not have in the table. */
	expect_miss(fixture_request(fixture_single(ca[1].cert, 0, "05"),
	    none()), 1, 1, 0);
	assert_int_equal(miss.singles[0].encoding, 0);
	assert_int_equal(miss.singles[0].serial.len, 1);
	assert_int_equal(miss.singles[0].serial.bytes[0], 5);
}

/* multi-same-issuer, multi-dup, multi-mixed-issuer, multi-limit */
static void
several(void **state)
{
	struct blob three = blob_join3(one(), fixture_single(ca[0].cert, 4,
	    SERIAL), fixture_single(ca[0].cert, 0, "77"));
	struct blob many = none();
	int i;

	(void)state;
	expect_miss(fixture_request(three, none()), 0, 3, 0);
	assert_int_equal(miss.singles[0].encoding, 0);
	assert_int_equal(miss.singles[1].encoding, 4);
	assert_int_equal(miss.singles[2].serial.bytes[0], 0x77);
	expect_miss(fixture_request(blob_join(three, three), none()), 0, 3,
	    0);
	expect_error(fixture_request(blob_join(one(), fixture_single(
	    ca[1].cert, 0, SERIAL)), none()), OCSP_UNAUTHORIZED);
	expect_error(fixture_request(blob_join(one(), fixture_single(
	    stranger.cert, 0, SERIAL)), none()), OCSP_UNAUTHORIZED);
	expect_error(fixture_request(blob_join(one(), fixture_single(
	    ca[0].cert, 0, "00")), none()), OCSP_UNAUTHORIZED);
	for (i = 0; i < OCSP_REQUEST_SINGLES_MAX; i++) {
		char serial[8];

		(void)snprintf(serial, sizeof(serial), "01%02x", i);
		many = blob_join(many, fixture_single(ca[0].cert, 0, serial));
	}
	expect_miss(fixture_request(many, none()), 0,
	    OCSP_REQUEST_SINGLES_MAX, 0);
	expect_error(fixture_request(blob_join(many, one()), none()),
	    OCSP_MALFORMED_REQUEST);
}

static void
nonces(void **state)
{
	static const size_t lens[] = { 1, 15, 16, 32, 33, 64, 128 };
	struct blob certid = fixture_certid(ca[0].cert, 0, SERIAL), request;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		request = fixture_request(one(), fixture_nonce(lens[i]));
		/* Ignored by policy: answered without. */
		answerer.issuers[0].wants_nonce = false;
		expect_good(request, &ca[0], 0x40, blob_bytes(&certid));
		/* Wanted: a live signature; its octets go along. */
		answerer.issuers[0].wants_nonce = true;
		expect_miss(request, 0, 1, lens[i]);
		assert_int_equal(miss.nonce[0], 0x5a);
		assert_int_equal(miss.nonce[lens[i] - 1], 0x5a);
		/* Wanted, but declined: the slot's answer after all. */
		assert_int_equal(ocsp_answer(&answerer, blob_bytes(&request),
		    NOW, OCSP_NONCE_SKIP, &reply, &miss), OCSP_ANSWERED);
		assert_int_equal(reply.status, OCSP_SUCCESSFUL);
	}
	/* nonce-0, nonce-129, nonce-dup: whatever the policy. */
	for (i = 0; i < 2; i++) {
		answerer.issuers[0].wants_nonce = i == 1;
		expect_error(fixture_request(one(), fixture_nonce(0)),
		    OCSP_MALFORMED_REQUEST);
		expect_error(fixture_request(one(), fixture_nonce(129)),
		    OCSP_MALFORMED_REQUEST);
		expect_error(fixture_request(one(), blob_join(
		    fixture_nonce(16), fixture_nonce(16))),
		    OCSP_MALFORMED_REQUEST);
	}
	/* nonce-unwrapped, nonce-critical */
	expect_miss(fixture_request(one(), fixture_extension(
	    DER_OID_OCSP_NONCE, "", blob_hex("aabbccdd"))), 0, 1, 4);
	expect_miss(fixture_request(one(), fixture_extension(
	    DER_OID_OCSP_NONCE, "0101ff", blob_hex("0402aabb"))), 0, 1, 2);
	answerer.refuses_bare_nonces = true;
	expect_error(fixture_request(one(), fixture_extension(
	    DER_OID_OCSP_NONCE, "", blob_hex("aabbccdd"))),
	    OCSP_MALFORMED_REQUEST);
	expect_miss(fixture_request(one(), fixture_nonce(4)), 0, 1, 4);
	answerer.refuses_bare_nonces = false;
	/* Several and a nonce that is not wanted. */
	answerer.issuers[0].wants_nonce = false;
	expect_miss(fixture_request(blob_join(one(), fixture_single(
	    ca[0].cert, 2, SERIAL)), fixture_nonce(16)), 0, 2, 0);
}

static void
extensions(void **state)
{
	struct blob certid = fixture_certid(ca[0].cert, 0, SERIAL);
	struct der_bytes id = blob_bytes(&certid);
	struct blob critical = fixture_extension(DER_OID_TLS_FEATURE,
	    "0101ff", blob_hex("3000"));
	struct blob url = fixture_extension(DER_OID_OCSP_SERVICE_LOCATOR,
	    "0101ff", blob_hex("3000"));

	(void)state;
	/* ext-unknown, ext-unknown-critical */
	expect_good(fixture_request(one(), fixture_extension(
	    DER_OID_TLS_FEATURE, "", blob_hex("3000"))), &ca[0], 0x40, id);
	expect_error(fixture_request(one(), critical), OCSP_UNAUTHORIZED);
	expect_error(fixture_request(blob_wrap(0x30, blob_join(certid,
	    blob_wrap(0xa0, blob_wrap(0x30, critical)))), none()),
	    OCSP_UNAUTHORIZED);
	/* acceptable-no-basic */
	expect_good(fixture_request(one(), fixture_extension(
	    DER_OID_OCSP_RESPONSE, "", blob_hex("3003 06012a"))), &ca[0],
	    0x40, id);
	answerer.refuses_no_basic = true;
	expect_error(fixture_request(one(), fixture_extension(
	    DER_OID_OCSP_RESPONSE, "", blob_hex("3003 06012a"))),
	    OCSP_MALFORMED_REQUEST);
	expect_error(fixture_request(one(), fixture_extension(
	    DER_OID_OCSP_RESPONSE, "", blob_hex("3003 0601"))),
	    OCSP_MALFORMED_REQUEST);
	expect_good(fixture_request(one(), fixture_extension(
	    DER_OID_OCSP_RESPONSE, "0101ff", blob_hex("300e 06012a"
	    "0609 2b0601050507300101"))), &ca[0], 0x40, id);
	answerer.refuses_no_basic = false;
	/* prefsig-match, -weak, -unsupported, -garbage: the key's own. */
	expect_good(fixture_request(one(), fixture_extension(
	    DER_OID_OCSP_PREF_SIG_ALGS, "", blob_hex("300e300c300a 0608"
	    "2a8648ce3d040302"))), &ca[0], 0x40, id);
	expect_good(fixture_request(one(), fixture_extension(
	    DER_OID_OCSP_PREF_SIG_ALGS, "", blob_hex("300d300b3009 0607"
	    "2a8648ce3d0401"))), &ca[0], 0x40, id);
	expect_good(fixture_request(one(), fixture_extension(
	    DER_OID_OCSP_PREF_SIG_ALGS, "0101ff", blob_hex("30093007 3005"
	    "06032b6571"))), &ca[0], 0x40, id);
	expect_good(fixture_request(one(), fixture_extension(
	    DER_OID_OCSP_PREF_SIG_ALGS, "", blob_hex("ffffff"))), &ca[0],
	    0x40, id);
	/* service-locator */
	expect_good(fixture_request(blob_wrap(0x30, blob_join(certid,
	    blob_wrap(0xa0, blob_wrap(0x30, url)))), none()), &ca[0], 0x40,
	    id);
	/* version-v1-explicit, reqname-unsigned */
	expect_good(blob_wrap(0x30, blob_wrap(0x30, blob_join3(
	    blob_hex("a003020100"), blob_hex("a1058203612e62"),
	    blob_wrap(0x30, one())))), &ca[0], 0x40, id);
	/* signed-ok, signed-bad: ignored alike (RFC 9919, 3.1.2). */
	expect_good(blob_wrap(0x30, blob_join(blob_wrap(0x30,
	    blob_wrap(0x30, one())), blob_hex("a012 3010 300a0608"
	    "2a8648ce3d040302 03020055"))), &ca[0], 0x40, id);
}

/* version-v2, empty-list, hash-wrong-len, body-extra, post-empty */
static void
malformed(void **state)
{
	struct blob good = fixture_request(one(), none());
	size_t len;

	(void)state;
	for (len = 0; len < good.len; len++) {
		struct blob cut = good;

		cut.len = len;
		expect_error(cut, OCSP_MALFORMED_REQUEST);
	}
	expect_error(blob_join(good, blob_hex("0d0a")),
	    OCSP_MALFORMED_REQUEST);
	expect_error(fixture_request(none(), none()), OCSP_MALFORMED_REQUEST);
	expect_error(blob_wrap(0x30, blob_wrap(0x30, blob_join(
	    blob_hex("a003020101"), blob_wrap(0x30, one())))),
	    OCSP_MALFORMED_REQUEST);
	expect_error(fixture_request(blob_wrap(0x30, blob_wrap(0x30,
	    blob_hex("3009 06052b0e03021a 0500 0413"
	    "00010203040506070809 0a0b0c0d0e0f101112 0414"
	    "00010203040506070809 0a0b0c0d0e0f10111213 020101"))), none()),
	    OCSP_MALFORMED_REQUEST);
}

/* der-bitflip: an answer, an error or a miss, never anything else. */
static void
bits_flipped(void **state)
{
	struct blob good = fixture_request(blob_join(one(), one()),
	    fixture_nonce(16));
	size_t bit, num_missed = 0, num_refused = 0;

	(void)state;
	answerer.issuers[0].wants_nonce = true;
	for (bit = 0; bit < good.len * 8; bit++) {
		struct blob flipped = good;

		flipped.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		if (ask(flipped) == OCSP_MISSED) {
			num_missed++;
			assert_int_equal(miss.issuer, 0);
			assert_in_range(miss.num_singles, 1, 2);
			/* 18: wrapped no longer. */
			assert_true(miss.nonce_len <= 18);
		} else {
			/* Successful: the nonce is none any more. */
			num_refused += reply.status != OCSP_SUCCESSFUL;
			assert_true(reply.status == OCSP_MALFORMED_REQUEST ||
			    reply.status == OCSP_UNAUTHORIZED ||
			    reply.status == OCSP_SUCCESSFUL);
		}
	}
	assert_true(num_missed > 100 && num_refused > 500);
}

/* stale-never: at nextUpdate and later it is a miss, before it is not. */
static void
stale(void **state)
{
	struct blob request = fixture_request(one(), none());

	(void)state;
	assert_int_equal(ocsp_answer(&answerer, blob_bytes(&request),
	    NOW + 999, OCSP_NONCE_WANTED, &reply, &miss), OCSP_ANSWERED);
	assert_int_equal(reply.status, OCSP_SUCCESSFUL);
	assert_int_equal(ocsp_answer(&answerer, blob_bytes(&request),
	    NOW + 1000, OCSP_NONCE_WANTED, &reply, &miss), OCSP_MISSED);
	assert_int_equal(miss.num_singles, 1);
}

/* Of two signatures with one thisUpdate the second is another. */
static void
dated_by_a_crl(void **state)
{
	struct blob request = fixture_request(one(), none());

	(void)state;
	answerer.issuers[0].is_by_crl = true;
	assert_int_equal(ask(request), OCSP_ANSWERED);
	assert_int_equal(reply.modified_at, NOW - 90);
	answerer.issuers[0].is_by_crl = false;
	assert_int_equal(ask(request), OCSP_ANSWERED);
	assert_int_equal(reply.modified_at, NOW - 100);
}

/* One SingleResponse for one certificate, however often it is asked for. */
static void
the_same_twice_is_one(void **state)
{
	struct blob request = fixture_request(blob_join(one(), one()), none());

	(void)state;
	assert_int_equal(ask(fixture_request(one(), none())), OCSP_ANSWERED);
	assert_int_equal(ask(request), OCSP_ANSWERED);
	assert_int_equal(reply.status, OCSP_SUCCESSFUL);
	assert_true(reply.is_cacheable);
	expect_miss(fixture_request(blob_join(one(), fixture_single(
	    ca[0].cert, 0, "7777")), none()), 0, 2, 0);
}

static void
tables_not_ready_and_retired(void **state)
{
	struct blob two = blob_join(one(), fixture_single(ca[0].cert, 2,
	    SERIAL));

	(void)state;
	ocsp_table_set_ready(ca[0].table, false);
	expect_miss(fixture_request(one(), none()), 0, 1, 0);
	expect_miss(fixture_request(two, none()), 0, 2, 0);
	expect_error(fixture_request(fixture_single(ca[0].cert, 0, "00"),
	    none()), OCSP_UNAUTHORIZED);
	ocsp_table_set_ready(ca[0].table, true);

	/* Withdrawn: no longer answered from the table. */
	{
		struct oc_serial serial = fixture_serial(SERIAL);

		ocsp_table_withdraw(ca[0].table, &serial);
	}
	expect_miss(fixture_request(one(), none()), 0, 1, 0);
}

/* While one key takes over from another: the new one's first. */
static void
two_keys_of_one_issuer(void **state)
{
	struct ocsp_identity old = ca[0].identity;
	struct blob request = fixture_request(one(), none());
	struct oc_serial serial = fixture_serial(SERIAL);
	struct ca second = { .key = NULL };

	(void)state;
	old.responder_key_hash[0] ^= 1;
	(void)snprintf(second.path, sizeof(second.path), "%.200s.old",
	    ca[0].path);
	assert_int_equal(ocsp_table_create(second.path, &old, test_store_id,
	    64, &second.table, NULL), OC_OK);
	assert_int_equal(ocsp_context_new(&old, &second.context), OC_OK);
	put(&second, plain_slot(SERIAL, 0, 0x66));
	answerer.issuers[2] = answerer.issuers[1];
	answerer.issuers[1].table = second.table;
	answerer.issuers[1].context = second.context;
	answerer.issuers[1].is_older = true;
	answerer.num_issuers = 3;

	assert_int_equal(ask(request), OCSP_ANSWERED);
	assert_int_equal(reply.etag[0], 0x40);
	ocsp_table_withdraw(ca[0].table, &serial);
	/* The old one's is not ready; then it is. */
	expect_miss(request, 0, 1, 0);
	ocsp_table_set_ready(second.table, true);
	assert_int_equal(ask(request), OCSP_ANSWERED);
	assert_int_equal(reply.etag[0], 0x66);
	/* If only the old one is ready, it answers. */
	ocsp_table_set_ready(ca[0].table, false);
	assert_int_equal(ask(request), OCSP_ANSWERED);
	assert_int_equal(reply.etag[0], 0x66);
	ocsp_table_withdraw(second.table, &serial);
	expect_miss(request, 0, 1, 0);
	free_ca(&second);
}

static void
our_own_faults(void **state)
{
	struct ocsp_slot slot = plain_slot("09", 0, 0);
	struct blob request = fixture_request(fixture_single(ca[0].cert, 0,
	    "09"), none());

	(void)state;
	/* No room for the answer. */
	reply.out_max = 100;
	expect_error(fixture_request(one(), none()), OCSP_INTERNAL_ERROR);
	reply.out_max = sizeof(out);
	/* A slot whose signature is none. */
	put(&ca[0], slot);
	expect_error(request, OCSP_INTERNAL_ERROR);
}

static void
no_room_for_an_error(void)
{
	struct blob request = { .len = 0 };

	reply.out_max = 4;
	(void)ask(request);
}

static void
a_buffer_for_nothing(void **state)
{
	(void)state;
	test_aborts(no_room_for_an_error);
}

int
main(void)
{
#define ANSWER_TEST(f) cmocka_unit_test_setup_teardown(f, answer_setup, \
	answer_teardown)
	const struct CMUnitTest tests[] = {
		ANSWER_TEST(every_encoding_of_every_issuer),
		ANSWER_TEST(issuers_that_are_not_ours),
		ANSWER_TEST(serials),
		ANSWER_TEST(several),
		ANSWER_TEST(nonces),
		ANSWER_TEST(extensions),
		ANSWER_TEST(malformed),
		ANSWER_TEST(bits_flipped),
		ANSWER_TEST(stale),
		ANSWER_TEST(dated_by_a_crl),
		ANSWER_TEST(the_same_twice_is_one),
		ANSWER_TEST(tables_not_ready_and_retired),
		ANSWER_TEST(two_keys_of_one_issuer),
		ANSWER_TEST(our_own_faults),
		ANSWER_TEST(a_buffer_for_nothing),
	};

	oc_log_init("test_ocsp_answer", OC_LOG_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
