/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/keys_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "pkcs11/module.h"
#include "pkcs11/token.h"
#include "sign/verify.h"

void
keys_on_token(const struct softhsm *hsm, keys_prepare_fn *prepare)
{
	struct p11_module *m;
	CK_SESSION_HANDLE s;
	CK_SLOT_ID slot;
	CK_TOKEN_INFO info;
	struct p11_uri uri;
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		CK_RV rv = CKR_GENERAL_ERROR;

		if (p11_uri_parse_token(hsm->uri, &uri, NULL) == OC_OK &&
		    p11_module_open(hsm->module, NULL, &m, NULL) == OC_OK &&
		    p11_token_find(m->f, &uri, &slot, &info, NULL) ==
		    OC_OK && p11_token_open_session(m->f, slot, &s) ==
		    CKR_OK && m->f->C_Login(s, CKU_USER,
		    (CK_BYTE *)(uintptr_t)SOFTHSM_PIN, strlen(SOFTHSM_PIN)) ==
		    CKR_OK)
			rv = prepare(m->f, s);
		if (rv != CKR_OK)
			print_error("0x%lx\n", rv);
		_exit(rv == CKR_OK ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static CK_BBOOL yes = CK_TRUE;
static CK_BYTE id_one[] = { 0x00, 0x01 };

CK_RV
keys_generate(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session, const char *label,
    CK_ULONG rsa_bits, const CK_ATTRIBUTE *more)
{
	static CK_BYTE p256[] = { 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d,
	    0x03, 0x01, 0x07 };
	CK_MECHANISM mechanism = { rsa_bits != 0 ? CKM_RSA_PKCS_KEY_PAIR_GEN :
	    CKM_EC_KEY_PAIR_GEN, NULL, 0 };
	CK_ATTRIBUTE public[] = {
		{ CKA_TOKEN, &yes, sizeof(yes) },
		{ CKA_VERIFY, &yes, sizeof(yes) },
		{ CKA_LABEL, (void *)(uintptr_t)label, strlen(label) },
		{ CKA_ID, id_one, sizeof(id_one) },
		rsa_bits != 0 ? (CK_ATTRIBUTE){ CKA_MODULUS_BITS, &rsa_bits,
		    sizeof(rsa_bits) } :
		    (CK_ATTRIBUTE){ CKA_EC_PARAMS, p256, sizeof(p256) },
	};
	CK_ATTRIBUTE private[] = {
		{ CKA_TOKEN, &yes, sizeof(yes) },
		{ CKA_PRIVATE, &yes, sizeof(yes) },
		{ CKA_SIGN, &yes, sizeof(yes) },
		{ CKA_LABEL, (void *)(uintptr_t)label, strlen(label) },
		{ CKA_ID, id_one, sizeof(id_one) },
		more != NULL ? *more : (CK_ATTRIBUTE){ CKA_SENSITIVE, &yes,
		    sizeof(yes) },
	};
	CK_OBJECT_HANDLE pair[2];

	return f->C_GenerateKeyPair(session, &mechanism, public, 5, private,
	    6, &pair[0], &pair[1]);
}

CK_RV
keys_make_always(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session)
{
	const CK_ATTRIBUTE always = { CKA_ALWAYS_AUTHENTICATE, &yes,
	    sizeof(yes) };

	return keys_generate(f, session, "always", 0, &always);
}

enum oc_err
keys_sign_within(struct signer *s, int64_t for_ns, struct oc_error *error)
{
	struct sign_key_info info;
	struct sign_verifier *v;
	uint8_t tbs[512];
	struct sign_job job = { .key = KEYS_NAME, .kind = SIGN_KIND_CERTIFICATE,
	    .lane = SIGN_LANE_CERTIFICATE };
	enum oc_err err;

	assert_int_equal(sign_find_key(s, KEYS_NAME, 0, &info, NULL), OC_OK);
	job.tbs = (struct der_bytes){ tbs, pool_make_tbs(info.alg, tbs,
	    sizeof(tbs)) };
	job.deadline_ns = oc_clock_mono_ns() + for_ns;
	err = sign_now(s, &job, error);
	if (err != OC_OK)
		return err;
	assert_int_equal(job.signed_alg, info.alg);
	assert_int_equal(sign_verifier_new((struct der_bytes){ info.spki,
	    info.spki_len }, &v), OC_OK);
	assert_int_equal(sign_verify(v, job.signed_alg, job.tbs,
	    (struct der_bytes){ job.signature, job.signature_len }), OC_OK);
	sign_verifier_free(v);
	return OC_OK;
}

enum oc_err
keys_sign(struct signer *s, struct oc_error *error)
{
	return keys_sign_within(s, 20 * OC_NS_PER_S, error);
}
