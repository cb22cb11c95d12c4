/* SPDX-License-Identifier: Apache-2.0 */
/* The table of return values, and what goes into and comes out of C_Sign. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
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

static void
jobs_are_retried_once_for_a_cause(void **state)
{
	struct sign_ticket t = { .deadline_ns = 100 };

	(void)state;
	assert_int_equal(p11_recover(&t, P11_CALL_SIGN, 0x21, 3, 0),
	    P11_REFUSED);
	t.retried = 0;
	assert_int_equal(p11_recover(&t, P11_CALL_SIGN, 0xb3, 3, 0),
	    P11_RETRY);
	assert_int_equal(p11_recover(&t, P11_CALL_SIGN, 0xb3, 3, 0),
	    P11_REFUSED_DOWN);
	/* The lost session had taken the login with it. */
	assert_int_equal(p11_recover(&t, P11_CALL_SIGN, 0x101, 3, 0),
	    P11_TOKEN_DOWN);
	assert_int_equal(p11_recover(&t, P11_CALL_SIGN, 0x30, 3, 0),
	    P11_REFUSED_DOWN);
	t.retried = 0;
	assert_int_equal(p11_recover(&t, P11_CALL_SIGN, 0xb3, 3, 100),
	    P11_REFUSED_DOWN);
	t.retried = 0;
	for (int i = 0; i < 5; i++)
		assert_int_equal(p11_recover(&t, P11_CALL_OPEN, 0xb1, 1, 0),
		    P11_STEP_BACK);
	assert_int_equal(p11_recover(&t, P11_CALL_OPEN, 0xb1, 0, 0),
	    P11_TOKEN_DOWN);
	assert_int_equal(p11_recover(&t, P11_CALL_SIGN, CKR_OK, 0, 0),
	    P11_SIGNED);
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
		cmocka_unit_test(jobs_are_retried_once_for_a_cause),
		cmocka_unit_test(values_have_names),
		cmocka_unit_test(rsa_input_is_a_digest_info),
		cmocka_unit_test(other_inputs),
		cmocka_unit_test(messages_for_tokens_that_hash),
		cmocka_unit_test(outputs_are_made_right_or_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
