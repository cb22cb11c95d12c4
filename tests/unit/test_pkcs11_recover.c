/* SPDX-License-Identifier: Apache-2.0 */
/* The table of return values, and what goes into and comes out of C_Sign. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <sys/mman.h>
#include <openssl/evp.h>

#include "pkcs11/mechanism.h"
#include "pkcs11/recover.h"

static void
values_have_their_class(void **state)
{
	static const struct { CK_RV rv; enum p11_class open, sign; } rows[] = {
		{ CKR_OK, P11_CLASS_OK, P11_CLASS_OK },
		{ 0x191, P11_CLASS_OK, P11_CLASS_OK },
		{ 0x100, P11_CLASS_OK, P11_CLASS_OK },
		{ 0x21, P11_CLASS_REQUEST, P11_CLASS_REQUEST },
		{ 0x70, P11_CLASS_REQUEST, P11_CLASS_REQUEST },
		{ 0x68, P11_CLASS_REQUEST, P11_CLASS_REQUEST },
		{ 0xb3, P11_CLASS_SESSION, P11_CLASS_SESSION },
		{ 0x90, P11_CLASS_SESSION, P11_CLASS_SESSION },
		{ 0xb1, P11_CLASS_LIMIT, P11_CLASS_SESSION },
		{ 0x31, P11_CLASS_LIMIT, P11_CLASS_MODULE },
		{ 0x7, P11_CLASS_LIMIT, P11_CLASS_REQUEST },
		{ 0x60, P11_CLASS_LOGIN, P11_CLASS_LOGIN },
		{ 0x63, P11_CLASS_LOGIN, P11_CLASS_LOGIN },
		{ 0x82, P11_CLASS_LOGIN, P11_CLASS_LOGIN },
		{ 0x101, P11_CLASS_LOGIN, P11_CLASS_LOGIN },
		{ 0x5, P11_CLASS_MODULE, P11_CLASS_MODULE },
		{ 0x6, P11_CLASS_LIMIT, P11_CLASS_LIMIT },
		{ 0x30, P11_CLASS_MODULE, P11_CLASS_MODULE },
		{ 0x190, P11_CLASS_MODULE, P11_CLASS_MODULE },
		{ 0xe0, P11_CLASS_MODULE, P11_CLASS_MODULE },
		{ 0x80000043, P11_CLASS_MODULE, P11_CLASS_MODULE },
		{ 0x43, P11_CLASS_MODULE, P11_CLASS_MODULE },
		{ 0xa0, P11_CLASS_PIN, P11_CLASS_PIN },
		{ 0xa4, P11_CLASS_PIN, P11_CLASS_PIN },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(p11_classify(P11_CALL_OPEN, rows[i].rv),
		    rows[i].open);
		assert_int_equal(p11_classify(P11_CALL_SIGN, rows[i].rv),
		    rows[i].sign);
	}
}

/* What becomes of a ticket that a call returned rv for. */
static enum p11_action
after(struct sign_ticket *t, enum p11_call call, CK_RV rv,
    unsigned int num_open, int64_t now_ns)
{
	return p11_recover(t, call, p11_class_of(t, call, rv, num_open),
	    now_ns);
}

static enum p11_action
signing(struct sign_ticket *t, CK_RV rv)
{
	return after(t, P11_CALL_SIGN, rv, 3, 0);
}

static void
rungs_of_the_ladder(void **state)
{
	static const struct {
		CK_RV rv;
		enum p11_action actions[4];
	} rows[] = {
		{ CKR_OK, { P11_SIGNED, P11_SIGNED, P11_SIGNED,
		    P11_SIGNED } },
		{ 0x21, { P11_REFUSED, P11_REFUSED, P11_REFUSED,
		    P11_REFUSED } },
		{ 0xb3, { P11_RETRY, P11_TOKEN_DOWN, P11_TOKEN_DOWN,
		    P11_REFUSED_DOWN } },
		/* Active again on a session that is new: busy. */
		{ 0x90, { P11_RETRY, P11_FEWER, P11_FEWER, P11_FEWER } },
		{ 0x6, { P11_FEWER, P11_FEWER, P11_FEWER, P11_FEWER } },
		{ 0x101, { P11_TOKEN_DOWN, P11_TOKEN_DOWN, P11_TOKEN_DOWN,
		    P11_REFUSED_DOWN } },
		{ 0x30, { P11_RETRY, P11_TOKEN_DOWN, P11_TOKEN_DOWN,
		    P11_REFUSED_DOWN } },
		{ 0x80000043, { P11_RETRY, P11_TOKEN_DOWN, P11_TOKEN_DOWN,
		    P11_REFUSED_DOWN } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sign_ticket t = { .deadline_ns = 100 };

		for (int n = 0; n < 4; n++)
			assert_int_equal(signing(&t, rows[i].rv),
			    rows[i].actions[n]);
	}
}

static void
rungs_after_one_another(void **state)
{
	struct sign_ticket t = { .deadline_ns = 100 };

	(void)state;
	/* The lost session had taken the login with it, and the module has
	 * gone away, too. */
	assert_int_equal(signing(&t, 0xb3), P11_RETRY);
	assert_int_equal(signing(&t, 0x101), P11_TOKEN_DOWN);
	assert_int_equal(signing(&t, 0x190), P11_RETRY);
	assert_int_equal(signing(&t, 0x190), P11_REFUSED_DOWN);
}

static void
nothing_is_tried_for_ever(void **state)
{
	struct sign_ticket t = { .deadline_ns = 100 };
	int num = 0;

	(void)state;
	assert_int_equal(after(&t, P11_CALL_SIGN, 0xb3, 3, 100),
	    P11_REFUSED_DOWN);
	t = (struct sign_ticket){ .deadline_ns = 100 };
	while (signing(&t, 0x6) == P11_FEWER)
		assert_true(++num < 100);
	assert_int_equal(signing(&t, 0x6), P11_REFUSED);
	t = (struct sign_ticket){ .deadline_ns = 100 };
	assert_int_equal(p11_recover(&t, P11_CALL_SIGN, P11_CLASS_HUNG, 0),
	    P11_RETRY);
	assert_int_equal(p11_recover(&t, P11_CALL_SIGN, P11_CLASS_HUNG, 0),
	    P11_REFUSED);
}

static void
who_gets_no_session_is_not_to_blame(void **state)
{
	struct sign_ticket t = { .deadline_ns = 100 };

	(void)state;
	for (int i = 0; i < 100; i++)
		assert_int_equal(after(&t, P11_CALL_OPEN, 0xb1, 1, 0),
		    P11_FEWER);
	/* Nobody has one: not a matter of how many. */
	assert_int_equal(after(&t, P11_CALL_OPEN, 0xb1, 0, 0), P11_RETRY);
	assert_int_equal(after(&t, P11_CALL_OPEN, 0xb1, 0, 0),
	    P11_TOKEN_DOWN);
}

static void
classes_have_names(void **state)
{
	(void)state;
	for (int class = 0; class < P11_CLASS_MAX; class++)
		assert_non_null(p11_class_name((enum p11_class)class));
	assert_string_equal(p11_class_name(P11_CLASS_HUNG), "hung");
}

static void
values_have_names(void **state)
{
	char text[P11_CKR_TEXT_MAX];

	(void)state;
	assert_string_equal(p11_ckr_text(0x30, text), "CKR_DEVICE_ERROR");
	assert_string_equal(p11_ckr_text(0x80000043, text),
	    "CKR 0x80000043");
}

static const uint8_t tbs[] = "to be signed";

static void
rsa_input_is_a_digest_info(void **state)
{
	static const uint8_t head[] = { 0x30, 0x51, 0x30, 0x0d, 0x06, 0x09,
	    0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03, 0x05, 0x00,
	    0x04, 0x40 };
	uint8_t digest[64];
	struct p11_input in;

	(void)state;
	assert_int_equal(EVP_Digest(tbs, sizeof(tbs), digest, NULL,
	    EVP_sha512(), NULL), 1);
	assert_int_equal(p11_input_init(&in, SIGN_RSA_SHA512, SIGN_KEY_RSA,
	    DER_ARRAY(tbs)), OC_OK);
	assert_int_equal(in.type, CKM_RSA_PKCS);
	assert_int_equal(in.len, sizeof(head) + sizeof(digest));
	assert_memory_equal(p11_input_bytes(&in), head, sizeof(head));
	assert_memory_equal(p11_input_bytes(&in) + sizeof(head), digest,
	    sizeof(digest));
	p11_input_fini(&in);
}

static void
other_inputs(void **state)
{
	struct p11_input in;
	CK_MECHANISM m;

	(void)state;
	assert_int_equal(p11_input_init(&in, SIGN_RSA_PSS_SHA384,
	    SIGN_KEY_RSA, DER_ARRAY(tbs)), OC_OK);
	m = p11_input_mechanism(&in);
	assert_int_equal(m.mechanism, CKM_RSA_PKCS_PSS);
	assert_int_equal(m.ulParameterLen, sizeof(CK_RSA_PKCS_PSS_PARAMS));
	assert_int_equal(in.pss.sLen, 48);
	assert_int_equal(in.pss.hashAlg, CKM_SHA384);
	assert_int_equal(in.pss.mgf, CKG_MGF1_SHA384);
	assert_int_equal(in.len, 48);
	/* SHA-512 on P-256 is cut to the order, on P-521 it is not. */
	assert_int_equal(p11_input_init(&in, SIGN_ECDSA_SHA512,
	    SIGN_KEY_P256, DER_ARRAY(tbs)), OC_OK);
	assert_int_equal(in.len, 32);
	assert_int_equal(p11_input_init(&in, SIGN_ECDSA_SHA512,
	    SIGN_KEY_P521, DER_ARRAY(tbs)), OC_OK);
	assert_int_equal(in.len, 64);
	assert_int_equal(p11_input_init(&in, SIGN_ED25519, SIGN_KEY_ED25519,
	    DER_ARRAY(tbs)), OC_OK);
	assert_int_equal(in.len, sizeof(tbs));
	assert_memory_equal(p11_input_bytes(&in), tbs, sizeof(tbs));
	p11_input_fini(&in);
}

/* The token hashes: it gets the message, whatever the algorithm. */
static void
messages_for_tokens_that_hash(void **state)
{
	static const struct {
		enum sign_alg alg;
		enum sign_key_type key_type;
		CK_MECHANISM_TYPE type;
		CK_ULONG salt_len;	/* 0: no parameters */
	} rows[] = {
		{ SIGN_RSA_SHA256, SIGN_KEY_RSA, CKM_SHA256_RSA_PKCS, 0 },
		{ SIGN_RSA_SHA512, SIGN_KEY_RSA, CKM_SHA512_RSA_PKCS, 0 },
		{ SIGN_RSA_PSS_SHA256, SIGN_KEY_RSA, CKM_SHA256_RSA_PKCS_PSS,
		    32 },
		{ SIGN_RSA_PSS_SHA512, SIGN_KEY_RSA, CKM_SHA512_RSA_PKCS_PSS,
		    64 },
		{ SIGN_ECDSA_SHA384, SIGN_KEY_P384, CKM_ECDSA_SHA384, 0 },
		{ SIGN_ED25519, SIGN_KEY_ED25519, CKM_EDDSA, 0 },
	};
	struct p11_input in;
	CK_MECHANISM m;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(p11_input_init_way(&in, rows[i].alg,
		    rows[i].key_type, P11_WAY_MESSAGE, DER_ARRAY(tbs)), OC_OK);
		m = p11_input_mechanism(&in);
		assert_int_equal(m.mechanism, rows[i].type);
		assert_int_equal(m.ulParameterLen, rows[i].salt_len == 0 ? 0 :
		    sizeof(CK_RSA_PKCS_PSS_PARAMS));
		assert_int_equal(in.pss.sLen, rows[i].salt_len);
		assert_int_equal(in.len, sizeof(tbs));
		assert_memory_equal(p11_input_bytes(&in), tbs, sizeof(tbs));
		p11_input_fini(&in);
	}
}

static size_t
own_kib(void)
{
	FILE *file = fopen("/proc/self/status", "r");
	size_t kib = 0;
	char line[128];

	assert_non_null(file);
	while (fgets(line, sizeof(line), file) != NULL)
		if (sscanf(line, "RssAnon: %zu", &kib) == 1)
			break;
	(void)fclose(file);
	assert_true(kib > 0);
	return kib;
}

/* What is long is not copied into memory of our own. */
static void
long_messages(void **state)
{
	const size_t len = 32 * 1024 * 1024;
	struct der_bytes zeros = { mmap(NULL, len, PROT_READ, MAP_PRIVATE |
	    MAP_ANONYMOUS, -1, 0), len };
	struct p11_input in;
	size_t before;

	(void)state;
	assert_true(zeros.p != MAP_FAILED);
	before = own_kib();
	assert_int_equal(p11_input_init(&in, SIGN_ED25519, SIGN_KEY_ED25519,
	    zeros), OC_OK);
	assert_int_equal(in.len, len);
	for (size_t i = 0; i < len; i += 4096)
		assert_int_equal(p11_input_bytes(&in)[i], 0);
	assert_int_equal(p11_input_bytes(&in)[len - 1], 0);
	/* Of a sanitizer's shadow there is an eighth. */
	assert_true(own_kib() < before + len / 1024 / 2);
	p11_input_fini(&in);
	p11_input_fini(&in);
	(void)munmap((void *)(uintptr_t)zeros.p, len);
}

/* The record's digest is the signature's, where it is SHA-256 and ours. */
static void
digests_for_the_record(void **state)
{
	static const struct {
		enum sign_alg alg;
		enum sign_key_type key_type;
		enum p11_way way;
		bool has_it;
	} rows[] = {
		{ SIGN_RSA_SHA256, SIGN_KEY_RSA, P11_WAY_DIGEST, true },
		{ SIGN_RSA_PSS_SHA256, SIGN_KEY_RSA, P11_WAY_DIGEST, true },
		{ SIGN_ECDSA_SHA256, SIGN_KEY_P256, P11_WAY_DIGEST, true },
		{ SIGN_ECDSA_SHA256, SIGN_KEY_P521, P11_WAY_DIGEST, true },
		{ SIGN_RSA_SHA512, SIGN_KEY_RSA, P11_WAY_DIGEST, false },
		{ SIGN_ECDSA_SHA384, SIGN_KEY_P256, P11_WAY_DIGEST, false },
		{ SIGN_RSA_SHA256, SIGN_KEY_RSA, P11_WAY_MESSAGE, false },
		{ SIGN_ED25519, SIGN_KEY_ED25519, P11_WAY_DIGEST, false },
	};
	uint8_t wanted[32];

	(void)state;
	assert_int_equal(EVP_Digest(tbs, sizeof(tbs), wanted, NULL,
	    EVP_sha256(), NULL), 1);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t digest[32] = { 0 };
		struct p11_input in;

		assert_int_equal(p11_input_init_way(&in, rows[i].alg,
		    rows[i].key_type, rows[i].way, DER_ARRAY(tbs)), OC_OK);
		assert_int_equal(p11_input_get_sha256(&in, rows[i].alg,
		    digest), rows[i].has_it);
		if (rows[i].has_it)
			assert_memory_equal(digest, wanted, 32);
		p11_input_fini(&in);
	}
}

static void
outputs_are_made_right_or_refused(void **state)
{
	uint8_t s[OC_SIGNATURE_MAX], copy[OC_SIGNATURE_MAX];
	size_t len = 64, again;

	(void)state;
	memset(s, 0x11, sizeof(s));
	assert_int_equal(p11_signature_finish(SIGN_ECDSA_SHA256,
	    SIGN_KEY_P256, 256, s, sizeof(s), &len), OC_OK);
	assert_int_equal(len, 70);
	assert_int_equal(s[0], 0x30);
	/* DER already: the same. */
	memcpy(copy, s, len);
	again = len;
	assert_int_equal(p11_signature_finish(SIGN_ECDSA_SHA256,
	    SIGN_KEY_P256, 256, s, sizeof(s), &again), OC_OK);
	assert_int_equal(again, len);
	assert_memory_equal(s, copy, len);
	/* RSA without its leading zero gets it back. */
	memset(s, 0x22, sizeof(s));
	len = 255;
	assert_int_equal(p11_signature_finish(SIGN_RSA_SHA256, SIGN_KEY_RSA,
	    2048, s, sizeof(s), &len), OC_OK);
	assert_int_equal(len, 256);
	assert_int_equal(s[0], 0);
	assert_int_equal(s[1], 0x22);
	len = 257;
	assert_int_equal(p11_signature_finish(SIGN_RSA_SHA256, SIGN_KEY_RSA,
	    2048, s, sizeof(s), &len), OC_ERR_SIGNATURE);
	len = 0;
	assert_int_equal(p11_signature_finish(SIGN_RSA_SHA256, SIGN_KEY_RSA,
	    2048, s, sizeof(s), &len), OC_ERR_SIGNATURE);
	assert_int_equal(p11_signature_finish(SIGN_ECDSA_SHA256,
	    SIGN_KEY_P256, 256, s, sizeof(s), &len), OC_ERR_SIGNATURE);
	len = 63;
	assert_int_equal(p11_signature_finish(SIGN_ECDSA_SHA256,
	    SIGN_KEY_P256, 256, s, sizeof(s), &len), OC_ERR_SIGNATURE);
	len = 96;
	assert_int_equal(p11_signature_finish(SIGN_ECDSA_SHA256,
	    SIGN_KEY_P256, 256, s, sizeof(s), &len), OC_ERR_SIGNATURE);
	len = 63;
	assert_int_equal(p11_signature_finish(SIGN_ED25519, SIGN_KEY_ED25519,
	    256, s, sizeof(s), &len), OC_ERR_SIGNATURE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_have_their_class),
		cmocka_unit_test(rungs_of_the_ladder),
		cmocka_unit_test(rungs_after_one_another),
		cmocka_unit_test(nothing_is_tried_for_ever),
		cmocka_unit_test(who_gets_no_session_is_not_to_blame),
		cmocka_unit_test(classes_have_names),
		cmocka_unit_test(values_have_names),
		cmocka_unit_test(rsa_input_is_a_digest_info),
		cmocka_unit_test(other_inputs),
		cmocka_unit_test(messages_for_tokens_that_hash),
		cmocka_unit_test(long_messages),
		cmocka_unit_test(digests_for_the_record),
		cmocka_unit_test(outputs_are_made_right_or_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
