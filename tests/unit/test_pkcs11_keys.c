/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys as tokens have them: without a public half, with the points and
 * mechanisms of others, several of one id.  SoftHSM does most of it itself; the
 * shim the rest.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <p11-kit/pkcs11.h>

#include "base/clock.h"
#include "base/log.h"
#include "pkcs11/module.h"
#include "pkcs11/token.h"
#include "sign/verify.h"
#include "tests/faults/shim_control.h"
#include "tests/unit/keys_fixture.h"

/* --- making such keys -------------------------------------------------- */

static CK_BBOOL yes = CK_TRUE;
static CK_BYTE id_one[] = { 0x00, 0x01 };

static CK_RV
make_hashing(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session)
{
	CK_MECHANISM_TYPE types[] = { CKM_SHA256_RSA_PKCS,
	    CKM_SHA384_RSA_PKCS_PSS };
	const CK_ATTRIBUTE allowed = { CKA_ALLOWED_MECHANISMS, types,
	    sizeof(types) };

	return keys_generate(f, session, "hashing", 2048, &allowed);
}

static CK_RV
make_pss(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session)
{
	CK_MECHANISM_TYPE types[] = { CKM_RSA_PKCS_PSS };
	const CK_ATTRIBUTE allowed = { CKA_ALLOWED_MECHANISMS, types,
	    sizeof(types) };

	return keys_generate(f, session, "pss", 2048, &allowed);
}

static CK_RV
make_twins(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session)
{
	CK_RV rv = keys_generate(f, session, "castor", 0, NULL);

	if (rv == CKR_OK)
		rv = keys_generate(f, session, "pollux", 0, NULL);
	if (rv == CKR_OK)
		rv = keys_generate(f, session, "same", 0, NULL);
	return rv == CKR_OK ? keys_generate(f, session, "same", 0, NULL) : rv;
}

static CK_RV
drop_public(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session)
{
	CK_OBJECT_CLASS class = CKO_PUBLIC_KEY;
	CK_ATTRIBUTE template = { CKA_CLASS, &class, sizeof(class) };
	CK_OBJECT_HANDLE found[16];
	CK_ULONG num = 0;
	CK_RV rv;

	rv = f->C_FindObjectsInit(session, &template, 1);
	if (rv == CKR_OK)
		rv = f->C_FindObjects(session, found, 16, &num);
	if (rv == CKR_OK)
		rv = f->C_FindObjectsFinal(session);
	for (CK_ULONG i = 0; rv == CKR_OK && i < num; i++)
		rv = f->C_DestroyObject(session, found[i]);
	return rv == CKR_OK && num == 0 ? CKR_GENERAL_ERROR : rv;
}

static struct der_bytes certificate;	/* for put_certificate() */
static struct der_bytes certificate_id;

static CK_RV
put_certificate(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session)
{
	CK_OBJECT_CLASS class = CKO_CERTIFICATE;
	CK_CERTIFICATE_TYPE type = CKC_X_509;
	CK_ATTRIBUTE template[] = {
		{ CKA_CLASS, &class, sizeof(class) },
		{ CKA_CERTIFICATE_TYPE, &type, sizeof(type) },
		{ CKA_TOKEN, &yes, sizeof(yes) },
		{ CKA_SUBJECT, (void *)(uintptr_t)"0", 2 },
		{ CKA_ID, (void *)(uintptr_t)certificate_id.p,
		    certificate_id.len },
		{ CKA_VALUE, (void *)(uintptr_t)certificate.p,
		    certificate.len },
	};
	CK_OBJECT_HANDLE handle;

	return f->C_CreateObject(session, template, 6, &handle);
}

static CK_RV
check_uses(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session)
{
	static const CK_ATTRIBUTE_TYPE uses[] = { CKA_DECRYPT, CKA_UNWRAP,
	    CKA_SIGN };
	CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
	CK_ATTRIBUTE template = { CKA_CLASS, &class, sizeof(class) };
	CK_OBJECT_HANDLE found;
	CK_ULONG num = 0;
	CK_RV rv;

	rv = f->C_FindObjectsInit(session, &template, 1);
	if (rv == CKR_OK)
		rv = f->C_FindObjects(session, &found, 1, &num);
	if (rv == CKR_OK)
		rv = f->C_FindObjectsFinal(session);
	for (size_t i = 0; rv == CKR_OK && i < 3; i++) {
		CK_BBOOL is_allowed = CK_FALSE;
		CK_ATTRIBUTE a = { uses[i], &is_allowed, sizeof(is_allowed) };

		rv = f->C_GetAttributeValue(session, found, &a, 1);
		if (rv == CKR_OK && (is_allowed != CK_FALSE) !=
		    (uses[i] == CKA_SIGN))
			rv = CKR_ATTRIBUTE_VALUE_INVALID;
	}
	return rv;
}

/* --- signing with them ------------------------------------------------- */

static struct pool p;
static struct shim_control *shim;

static int
set_up(void **state)
{
	(void)state;
	pool_init(&p);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	if (shim != NULL)
		shim_close(shim);
	shim = NULL;
	softhsm_fini(&p.hsm);
	return 0;
}

static void
signs(void)
{
	struct oc_error error = { 0 };
	struct signer *s;
	enum oc_err err;

	pool_open(&p, &s);
	err = keys_sign(s, &error);
	if (err != OC_OK)
		print_error("%s\n", error.text);
	assert_int_equal(err, OC_OK);
	sign_free(s);
}

/* The token hashes where the key allows nothing else. */
static void
mechanism_is_found_by_trial(void **state)
{
	struct sign_key_info info;
	struct signer *s;

	(void)state;
	keys_on_token(&p.hsm, make_hashing);
	pool_add_key(&p, KEYS_NAME, "hashing");
	signs();
	p.keys[0].alg = SIGN_RSA_PSS_SHA384;
	pool_open(&p, &s);
	assert_int_equal(sign_find_key(s, KEYS_NAME, 0, &info, NULL), OC_OK);
	assert_int_equal(info.alg, SIGN_RSA_PSS_SHA384);
	assert_int_equal(keys_sign(s, NULL), OC_OK);
	sign_free(s);
	/* What it does not make is named, and so is what it makes. */
	p.keys[0].alg = SIGN_RSA_SHA512;
	pool_fails(&p, OC_ERR_UNSUPPORTED, "no signature of rsa-sha512 with "
	    "it, but of rsa-sha256");
	p.keys[0].alg = SIGN_ECDSA_SHA256;
	pool_fails(&p, OC_ERR_MISMATCH, "ecdsa-sha256 is for keys of another");
}

static void
pss_alone(void **state)
{
	struct sign_key_info info;
	struct signer *s;

	(void)state;
	keys_on_token(&p.hsm, make_pss);
	pool_add_key(&p, KEYS_NAME, "pss");
	pool_fails(&p, OC_ERR_UNSUPPORTED, "but of rsa-pss-sha256");
	p.keys[0].alg = SIGN_RSA_PSS_SHA512;
	signs();
	/* Of a request it does not matter. */
	p.keys[0].alg = SIGN_ALG_NONE;
	p.keys[0].is_alg_free = true;
	pool_open(&p, &s);
	assert_int_equal(sign_find_key(s, KEYS_NAME, 0, &info, NULL), OC_OK);
	assert_int_equal(info.alg, SIGN_RSA_PSS_SHA256);
	assert_int_equal(keys_sign(s, NULL), OC_OK);
	sign_free(s);
}

/* Self-signed with another key: nobody looks at its signature. */
static size_t
make_certificate(struct der_bytes spki, uint8_t *out, size_t max)
{
	const uint8_t *at = spki.p;
	EVP_PKEY *key = d2i_PUBKEY(NULL, &at, (long)spki.len);
	EVP_PKEY *other = EVP_EC_gen("P-256");
	X509 *x = X509_new();
	int len;

	assert_true(key != NULL && other != NULL && x != NULL);
	assert_int_equal(X509_set_version(x, 2), 1);
	assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(x), 1), 1);
	assert_int_equal(X509_NAME_add_entry_by_txt(X509_get_subject_name(x),
	    "CN", MBSTRING_ASC, (const uint8_t *)"x", -1, -1, 0), 1);
	assert_int_equal(X509_set_issuer_name(x, X509_get_subject_name(x)),
	    1);
	assert_non_null(X509_gmtime_adj(X509_getm_notBefore(x), 0));
	assert_non_null(X509_gmtime_adj(X509_getm_notAfter(x), 3600));
	assert_int_equal(X509_set_pubkey(x, key), 1);
	assert_true(X509_sign(x, other, EVP_sha256()) > 0);
	len = i2d_X509(x, &out);
	assert_true(len > 0 && (size_t)len <= max);
	X509_free(x);
	EVP_PKEY_free(key);
	EVP_PKEY_free(other);
	return (size_t)len;
}

static void
generated_keys_are_for_signing(void **state)
{
	(void)state;
	softhsm_generate(&p.hsm, "rsa", SIGN_KEY_RSA, 2048, NULL);
	keys_on_token(&p.hsm, check_uses);
}

static void
public_half_may_be_missing(void **state)
{
	struct sign_key_info rsa, ec, stranger;
	uint8_t der[2048];

	(void)state;
	softhsm_generate(&p.hsm, "rsa", SIGN_KEY_RSA, 2048, &rsa);
	softhsm_generate(&p.hsm, "stranger", SIGN_KEY_P256, 256, &stranger);
	keys_on_token(&p.hsm, keys_make_always);
	softhsm_generate(&p.hsm, "ec", SIGN_KEY_P256, 256, &ec);
	keys_on_token(&p.hsm, drop_public);
	/* An RSA private key has all of it. */
	pool_add_key(&p, KEYS_NAME, "rsa");
	signs();
	p.keys[0].uri = "ec";
	pool_fails(&p, OC_ERR_NOT_FOUND, "no public key to this private key");
	/* The one in the CA's certificate; a canary proves it. */
	p.keys[0].spki = (struct der_bytes){ stranger.spki,
	    stranger.spki_len };
	pool_fails(&p, OC_ERR_SIGNATURE, "does not verify");
	p.keys[0].spki = (struct der_bytes){ ec.spki, ec.spki_len };
	signs();
	/* Or a certificate beside the key. */
	p.keys[0].uri = "always";
	p.keys[0].spki = (struct der_bytes){ NULL, 0 };
	certificate_id = (struct der_bytes){ id_one, sizeof(id_one) };
	certificate = (struct der_bytes){ der, make_certificate(
	    (struct der_bytes){ ec.spki, ec.spki_len }, der, sizeof(der)) };
	keys_on_token(&p.hsm, put_certificate);
	pool_fails(&p, OC_ERR_SIGNATURE, "does not verify");
}

static struct sign_key_info found_info;

static void
certificate_stands_for_the_public_half(void **state)
{
	uint8_t der[2048];
	struct signer *s;

	(void)state;
	keys_on_token(&p.hsm, keys_make_always);
	pool_add_key(&p, KEYS_NAME, "always");
	pool_open(&p, &s);
	assert_int_equal(sign_find_key(s, KEYS_NAME, 0, &found_info, NULL),
	    OC_OK);
	sign_free(s);
	keys_on_token(&p.hsm, drop_public);
	pool_fails(&p, OC_ERR_NOT_FOUND, "nor a certificate");
	certificate_id = (struct der_bytes){ id_one, sizeof(id_one) };
	certificate = (struct der_bytes){ der, make_certificate(
	    (struct der_bytes){ found_info.spki, found_info.spki_len }, der,
	    sizeof(der)) };
	keys_on_token(&p.hsm, put_certificate);
	signs();
}

static void
points_come_wrapped_or_bare(void **state)
{
	static const enum sign_key_type types[] = { SIGN_KEY_P256,
	    SIGN_KEY_P384 };
	static const char *const labels[] = { "p256", "p384" };
	struct sign_key_info info;

	(void)state;
	for (size_t i = 0; i < 2; i++)
		softhsm_generate(&p.hsm, labels[i], types[i],
		    i == 0 ? 256 : 384, NULL);
	shim = shim_open(&p.hsm);
	pool_add_key(&p, KEYS_NAME, "p256");
	for (size_t i = 0; i < 2; i++) {
		struct signer *s;

		p.keys[0].uri = labels[i];
		signs();
		(void)shim_add(shim, SHIM_GET_ATTRIBUTE_VALUE,
		    SHIM_RAW_POINT, 0, 0, 0);
		pool_open(&p, &s);
		assert_int_equal(sign_find_key(s, KEYS_NAME, 0, &info, NULL),
		    OC_OK);
		assert_int_equal(info.type, types[i]);
		assert_int_equal(keys_sign(s, NULL), OC_OK);
		sign_free(s);
		shim_clear(shim);
	}
}

static void
several_keys_of_one_id(void **state)
{
	struct sign_key_info castor, pollux;
	struct signer *s;

	(void)state;
	keys_on_token(&p.hsm, make_twins);
	pool_add_key(&p, KEYS_NAME, "pkcs11:id=%00%01");
	pool_fails(&p, OC_ERR_MISMATCH, "several private keys");
	p.keys[0].uri = "pkcs11:object=same;id=%00%01";
	pool_fails(&p, OC_ERR_MISMATCH, "several private keys");
	/* By both they are two keys, each with its own public half. */
	p.keys[0].uri = "pkcs11:object=castor;id=%00%01";
	pool_open(&p, &s);
	assert_int_equal(sign_find_key(s, KEYS_NAME, 0, &castor, NULL), OC_OK);
	assert_int_equal(keys_sign(s, NULL), OC_OK);
	sign_free(s);
	p.keys[0].uri = "pollux";
	pool_open(&p, &s);
	assert_int_equal(sign_find_key(s, KEYS_NAME, 0, &pollux, NULL), OC_OK);
	assert_int_equal(keys_sign(s, NULL), OC_OK);
	sign_free(s);
	assert_memory_not_equal(castor.spki, pollux.spki, castor.spki_len);
}

/* All that a URI says is so, or there is no such token. */
static void
uri_says_which_token(void **state)
{
	static const char *const good[] = {
		"PKCS11:token=pool;library-manufacturer=SoftHSM",
		"pkcs11:token=pool;library-description=Implementation%20of"
		    "%20PKCS11;library-version=2.6",
		"pkcs11:token=pool;slot-manufacturer=SoftHSM%20project",
		"pkcs11:model=SoftHSM%20v2;token=%70ool?module-name=softhsm2",
		"pkcs11:token=pool?module-name=libsofthsm2",
	}, *const bad[] = {
		"pkcs11:token=pool;library-manufacturer=Other",
		"pkcs11:token=pool;library-description=Other",
		"pkcs11:token=pool;library-version=9.9",
		"pkcs11:token=pool;slot-manufacturer=Other",
		"pkcs11:token=pool;slot-description=Other",
		"pkcs11:token=pool;slot-id=4711",
		"pkcs11:token=pool;serial=0000",
	};

	(void)state;
	softhsm_generate(&p.hsm, "k", SIGN_KEY_P256, 256, NULL);
	pool_add_key(&p, KEYS_NAME, "k");
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		p.hsm.token.uri = good[i];
		signs();
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		p.hsm.token.uri = bad[i];
		pool_fails(&p, OC_ERR_NOT_FOUND, "token hsm: ");
	}
	p.hsm.token.uri = "pkcs11:token=pool?module-path=/other.so";
	pool_fails(&p, OC_ERR_CONFIG, "module-path");
	p.hsm.token.uri = "pkcs11:token=pool?module-name=other";
	pool_fails(&p, OC_ERR_CONFIG, "module-name");
}

static void
init_args_are_handed_on(void **state)
{
	(void)state;
	softhsm_generate(&p.hsm, "k", SIGN_KEY_P256, 256, NULL);
	pool_add_key(&p, KEYS_NAME, "k");
	/* SoftHSM wants none. */
	p.hsm.token.init_args = "configdir='x'";
	pool_fails(&p, OC_ERR_CONFIG, "init-args");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
		T(generated_keys_are_for_signing),
		T(mechanism_is_found_by_trial),
		T(pss_alone),
		T(public_half_may_be_missing),
		T(certificate_stands_for_the_public_half),
		T(points_come_wrapped_or_bare),
		T(several_keys_of_one_id),
		T(uri_says_which_token),
		T(init_args_are_handed_on),
#undef T
	};

	if (!softhsm_is_there())
		return 77;
	oc_log_init("test_pkcs11_keys", OC_LOG_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
