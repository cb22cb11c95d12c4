/* SPDX-License-Identifier: Apache-2.0 */
/* Several signers for one issuer, and which of them answers: RFC 6960, 4.4.7,
 * tag RFC6960:4.4.7. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/ocsp_answer_test.h"

/* AlgorithmIdentifiers. */
#define ECDSA_SHA1 "3009 0607 2a8648ce3d0401"
#define ECDSA_SHA256 "300a 0608 2a8648ce3d040302"
#define ECDSA_SHA384 "300a 0608 2a8648ce3d040303"
#define RSA_SHA1 "300d 0609 2a864886f70d010105 0500"
#define RSA_SHA256 "300d 0609 2a864886f70d01010b 0500"
#define RSA_SHA256_BARE "300b 0609 2a864886f70d01010b"
#define RSA_SHA512 "300d 0609 2a864886f70d01010d 0500"
#define ED448 "3005 0603 2b6571"
#define ED25519 "3005 0603 2b6570"
/* Keys: capabilities. */
#define KEY_RSA "300b 0609 2a864886f70d010101"
#define KEY_RSA_SIZES "3011 0609 2a864886f70d010101 3004 0202 0800"
#define KEY_EC "3009 0607 2a8648ce3d0201"
#define KEY_P256 "3013 0607 2a8648ce3d0201 0608 2a8648ce3d030107"
#define KEY_P384 "3010 0607 2a8648ce3d0201 0605 2b81040022"
#define KEY_CURVES "301c 0607 2a8648ce3d0201 3011 0608 2a8648ce3d030107" \
	"0605 2b81040022"

/* Beside the usual one with P-256: their marks say whose an answer is. */
enum { USUAL = 0x40, BY_P384 = 0x61, BY_RSA = 0x62, BY_OLDER = 0x63 };
static struct ca p384, rsa, older;

static void
make_signer(struct ca *c, const char *name, enum sign_alg alg,
    uint32_t signature_len, uint8_t mark)
{
	struct ocsp_slot slot = plain_slot(SERIAL, OCSP_ENCODING_USUAL, mark);

	c->identity = ca[0].identity;
	memset(c->identity.responder_key_hash, mark,
	    sizeof(c->identity.responder_key_hash));
	c->identity.alg = alg;
	c->identity.signature_len = signature_len;
	(void)snprintf(c->path, sizeof(c->path), "%.200s.%s", ca[0].path,
	    name);
	assert_int_equal(ocsp_table_create(c->path, &c->identity,
	    test_store_id, 64, &c->table, NULL), OC_OK);
	assert_int_equal(ocsp_context_new(&c->identity, &c->context), OC_OK);
	ocsp_table_set_ready(c->table, true);
	slot.signature_len = signature_len;
	memset(slot.signature, mark, signature_len);
	put(c, slot);
}

static void
enter(uint32_t i, const struct ca *c, bool is_older)
{
	answerer.issuers[i].table = c->table;
	answerer.issuers[i].context = c->context;
	answerer.issuers[i].wants_nonce = true;
	answerer.issuers[i].is_older = is_older;
}

/* usual; p384; what its key before had signed; rsa; another issuer. */
static int
setup(void **state)
{
	answer_setup(state);
	make_signer(&p384, "p384", SIGN_ECDSA_SHA384, 96, BY_P384);
	make_signer(&older, "older", SIGN_ECDSA_SHA384, 96, BY_OLDER);
	make_signer(&rsa, "rsa", SIGN_RSA_SHA256, 256, BY_RSA);
	enter(0, &ca[0], false);
	enter(1, &p384, false);
	enter(2, &older, true);
	enter(3, &rsa, false);
	enter(4, &ca[1], false);
	answerer.num_issuers = 5;
	return 0;
}

static int
teardown(void **state)
{
	free_ca(&p384);
	free_ca(&older);
	free_ca(&rsa);
	return answer_teardown(state);
}

/* A list ends with one that has no alg. */
struct preference {
	const char *alg, *key;
};

static struct blob
list_of(const struct preference *p)
{
	struct blob list = { .len = 0 };

	for (; p->alg != NULL; p++)
		list = blob_join(list, blob_wrap(0x30, p->key == NULL ?
		    blob_hex(p->alg) : blob_join(blob_hex(p->alg),
		    blob_hex(p->key))));
	return blob_wrap(0x30, list);
}

static struct blob
preferring(struct blob value)
{
	return fixture_request(one(), fixture_extension(
	    DER_OID_OCSP_PREF_SIG_ALGS, "", value));
}

static void
expect_signer(struct blob value, uint8_t mark)
{
	assert_int_equal(ask(preferring(value)), OCSP_ANSWERED);
	assert_int_equal(reply.status, OCSP_SUCCESSFUL);
	assert_int_equal(reply.etag[0], mark);
	/* Whoever signed it, it is counted as the issuer's. */
	assert_int_equal(reply.issuer, 0);
}

static void
the_first_that_there_is(void **state)
{
	static const struct {
		struct preference list[5];
		uint8_t mark;
	} cases[] = {
		{ { { ECDSA_SHA256, NULL } }, USUAL },
		{ { { ECDSA_SHA384, NULL } }, BY_P384 },
		{ { { RSA_SHA256, NULL } }, BY_RSA },
		{ { { RSA_SHA256_BARE, NULL } }, BY_RSA },
		{ { { RSA_SHA256, NULL }, { ECDSA_SHA384, NULL } }, BY_RSA },
		{ { { ECDSA_SHA384, NULL }, { RSA_SHA256, NULL } }, BY_P384 },
		{ { { ECDSA_SHA256, NULL }, { RSA_SHA256, NULL } }, USUAL },
		/* Weak ones, and such as nobody here has, are passed over. */
		{ { { RSA_SHA1, NULL }, { ECDSA_SHA1, NULL }, { ED448, NULL },
		    { RSA_SHA256, NULL } }, BY_RSA },
		{ { { RSA_SHA1, NULL } }, USUAL },
		{ { { ECDSA_SHA1, NULL } }, USUAL },
		{ { { ED25519, NULL }, { ED448, NULL } }, USUAL },
		/* The same key could, but does not. */
		{ { { RSA_SHA512, NULL } }, USUAL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		expect_signer(list_of(cases[i].list), cases[i].mark);
	expect_signer(blob_hex("3000"), USUAL);
}

/* pubKeyAlgIdentifier. */
static void
of_that_kind_of_key(void **state)
{
	static const struct {
		struct preference list[3];
		uint8_t mark;
	} cases[] = {
		{ { { ECDSA_SHA384, KEY_EC } }, BY_P384 },
		{ { { ECDSA_SHA384, KEY_P384 } }, BY_P384 },
		{ { { ECDSA_SHA384, KEY_CURVES } }, BY_P384 },
		{ { { ECDSA_SHA384, KEY_P256 }, { RSA_SHA256, NULL } },
		    BY_RSA },
		{ { { ECDSA_SHA256, KEY_P384 }, { RSA_SHA256, NULL } },
		    BY_RSA },
		{ { { ECDSA_SHA384, KEY_RSA } }, USUAL },
		{ { { RSA_SHA256, KEY_RSA } }, BY_RSA },
		{ { { RSA_SHA256, KEY_RSA_SIZES } }, BY_RSA },
		{ { { RSA_SHA256, KEY_EC }, { ECDSA_SHA384, NULL } }, BY_P384 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		expect_signer(list_of(cases[i].list), cases[i].mark);
}

static void
lists_that_are_none(void **state)
{
	static const char *const bad[] = {
		"ff", "3003 02", "0500", RSA_SHA256,
		"30113000 300d" RSA_SHA256_BARE,
		/* One that is good, and then: */
		"3011 300f" RSA_SHA256 "00",
		"3013 300f" RSA_SHA256 "3000",
		"3013 300f" RSA_SHA256 "0500",
		"3013 3011" RSA_SHA256 "3000",
		"3013 3011" RSA_SHA256 "0500",
		"3019 3017" RSA_SHA256 "3006 0602 2a03 0500",
		"301a 3018" RSA_SHA256 "3007 0602 2a03 3001 02",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		expect_signer(blob_hex(bad[i]), USUAL);
	/* And critical. */
	assert_int_equal(ask(fixture_request(one(), fixture_extension(
	    DER_OID_OCSP_PREF_SIG_ALGS, "0101ff", blob_hex("ff")))),
	    OCSP_ANSWERED);
	assert_int_equal(reply.etag[0], USUAL);
}

static void
no_more_than_so_many(void **state)
{
	struct blob unknown = blob_wrap(0x30, blob_hex(ED448));
	struct blob wanted = blob_wrap(0x30, blob_hex(RSA_SHA256));
	struct blob list = { .len = 0 };

	(void)state;
	for (int i = 1; i < OCSP_PREFERRED_MAX; i++)
		list = blob_join(list, unknown);
	expect_signer(blob_wrap(0x30, blob_join(list, wanted)), BY_RSA);
	list = blob_join(list, unknown);
	expect_signer(blob_wrap(0x30, blob_join(list, wanted)), USUAL);
}

static void
what_it_lacks_is_asked_of_it(void **state)
{
	const struct preference list[] = { { RSA_SHA256, NULL },
	    { NULL, NULL } };
	struct oc_serial serial = fixture_serial(SERIAL);
	struct blob request = preferring(list_of(list));

	(void)state;
	ocsp_table_withdraw(rsa.table, &serial);
	assert_int_equal(ask(request), OCSP_MISSED);
	assert_int_equal(miss.issuer, 3);
	assert_int_equal(miss.num_singles, 1);
	/* A nonce goes the same way. */
	request = fixture_request(one(), blob_join(fixture_nonce(16),
	    fixture_extension(DER_OID_OCSP_PREF_SIG_ALGS, "",
	    list_of(list))));
	assert_int_equal(ask(request), OCSP_MISSED);
	assert_int_equal(miss.issuer, 3);
	assert_int_equal(miss.nonce_len, 16);
	/* The usual one is not answered for by the others. */
	ocsp_table_withdraw(ca[0].table, &serial);
	assert_int_equal(ask(fixture_request(one(), none())), OCSP_MISSED);
	assert_int_equal(miss.issuer, 0);
}

static void
others_have_none(void **state)
{
	const struct preference list[] = { { RSA_SHA256, NULL },
	    { NULL, NULL } };

	(void)state;
	assert_int_equal(ask(fixture_request(fixture_single(ca[1].cert, 0,
	    SERIAL), fixture_extension(DER_OID_OCSP_PREF_SIG_ALGS, "",
	    list_of(list)))), OCSP_ANSWERED);
	assert_int_equal(reply.etag[0], 0x50);
}

/* The one before answers for what its successor has not signed yet. */
static void
older_answers_for_its_own(void **state)
{
	const struct preference list[] = { { ECDSA_SHA384, NULL },
	    { NULL, NULL } };
	struct oc_serial serial = fixture_serial(SERIAL);

	(void)state;
	ocsp_table_withdraw(p384.table, &serial);
	expect_signer(list_of(list), BY_OLDER);
	ocsp_table_withdraw(older.table, &serial);
	assert_int_equal(ask(preferring(list_of(list))), OCSP_MISSED);
	assert_int_equal(miss.issuer, 1);
}

/* Where the algorithm changed with the key: for who did not ask for one. */
static void
older_of_another_algorithm(void **state)
{
	const struct preference list[] = { { ECDSA_SHA256, NULL },
	    { NULL, NULL } };
	struct oc_serial serial = fixture_serial(SERIAL);

	(void)state;
	enter(1, &older, true);
	ocsp_table_withdraw(ca[0].table, &serial);
	assert_int_equal(ask(fixture_request(one(), none())), OCSP_ANSWERED);
	assert_int_equal(reply.etag[0], BY_OLDER);
	assert_int_equal(ask(preferring(list_of(list))), OCSP_MISSED);
	assert_int_equal(miss.issuer, 0);
}

/* What is to be verified is asked of the signer that is preferred. */
static void
signed_requests(void **state)
{
	const struct preference list[] = { { RSA_SHA256, NULL },
	    { NULL, NULL } };
	struct blob extension = fixture_extension(DER_OID_OCSP_PREF_SIG_ALGS,
	    "", list_of(list));
	struct blob request = fixture_request(one(), extension);

	(void)state;
	for (uint32_t i = 0; i < 4; i++)
		answerer.issuers[i].signed_requests = OCSP_SIGNED_REQUIRED;
	assert_int_equal(ask(request), OCSP_ANSWERED);
	assert_int_equal(reply.status, OCSP_SIG_REQUIRED);
	assert_int_equal(reply.issuer, 0);
	request = fixture_signed(one(), extension);
	assert_int_equal(ask(request), OCSP_MISSED);
	assert_int_equal(miss.issuer, 3);
	assert_int_equal(miss.signed_request.len, request.len);
	assert_int_equal(ocsp_answer(&answerer, blob_bytes(&request), NOW,
	    OCSP_REQUESTOR_KNOWN, &reply, &miss), OCSP_ANSWERED);
	assert_int_equal(reply.etag[0], BY_RSA);
	assert_false(reply.is_cacheable);
}

#define PREFERRED_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		PREFERRED_TEST(the_first_that_there_is),
		PREFERRED_TEST(of_that_kind_of_key),
		PREFERRED_TEST(lists_that_are_none),
		PREFERRED_TEST(no_more_than_so_many),
		PREFERRED_TEST(what_it_lacks_is_asked_of_it),
		PREFERRED_TEST(others_have_none),
		PREFERRED_TEST(older_answers_for_its_own),
		PREFERRED_TEST(older_of_another_algorithm),
		PREFERRED_TEST(signed_requests),
	};

	return cmocka_run_group_tests_name("preferred", tests, NULL, NULL);
}
