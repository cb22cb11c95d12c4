/* SPDX-License-Identifier: Apache-2.0 */
/* The soft signer against the contract, and what is only its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/clock.h"
#include "sign/soft.h"
#include "tests/unit/signer_contract.h"

static void
hold(void *arg)
{
	sign_soft_hold(arg);
}

static void
release(void *arg)
{
	sign_soft_release(arg);
}

static void
keeps_the_contract(void **state)
{
	struct signer_contract c = {
		.rsa_key = "issuer/rsa",
		.p256_key = "issuer/p256",
		.p384_key = "issuer/p384",
		.ed25519_key = "issuer/ed",
		.hold = hold,
		.release = release,
		.num_jobs_full = SIGN_SOFT_QUEUE_MAX + 16,
	};

	(void)state;
	assert_int_equal(sign_soft_new(&c.signer), OC_OK);
	c.arg = c.signer;
	assert_int_equal(sign_soft_generate(c.signer, c.rsa_key, SIGN_KEY_RSA,
	    2048), OC_OK);
	assert_int_equal(sign_soft_generate(c.signer, c.p256_key,
	    SIGN_KEY_P256, 0), OC_OK);
	assert_int_equal(sign_soft_generate(c.signer, c.p384_key,
	    SIGN_KEY_P384, 0), OC_OK);
	assert_int_equal(sign_soft_generate(c.signer, c.ed25519_key,
	    SIGN_KEY_ED25519, 0), OC_OK);
	signer_contract_run(&c);
	sign_free(c.signer);
}

static void
refuses_a_second_key_of_a_name(void **state)
{
	struct signer *s;

	(void)state;
	assert_int_equal(sign_soft_new(&s), OC_OK);
	assert_int_equal(sign_soft_generate(s, "issuer/a", SIGN_KEY_P521, 0),
	    OC_OK);
	assert_int_equal(sign_soft_generate(s, "issuer/a", SIGN_KEY_P256, 0),
	    OC_ERR_EXISTS);
	sign_free(s);
	sign_free(NULL);
}

static void
must_not_run(struct sign_job *job, void *arg)
{
	(void)job;
	(void)arg;
	fail();
}

static void
may_be_freed_with_jobs_inside(void **state)
{
	struct sign_job jobs[20];
	struct signer *s;

	(void)state;
	assert_int_equal(sign_soft_new(&s), OC_OK);
	assert_int_equal(sign_soft_generate(s, "issuer/a", SIGN_KEY_P256, 0),
	    OC_OK);
	for (int i = 0; i < 20; i++) {
		jobs[i] = (struct sign_job){
			.key = "issuer/a", .kind = SIGN_KIND_CERTIFICATE,
			.tbs = DER_LITERAL("tbs"), .done = must_not_run,
			.deadline_ns = oc_clock_mono_ns() + 10 * OC_NS_PER_S,
		};
		if (i == 10)
			sign_soft_hold(s);
		assert_int_equal(sign_submit(s, &jobs[i]), OC_OK);
	}
	sign_free(s);
}

static void
key_names_have_their_role_in_front(void **state)
{
	char name[SIGN_KEY_NAME_MAX];

	(void)state;
	sign_key_name(SIGN_KEY_ISSUER, "ca", name);
	assert_string_equal(name, "issuer/ca");
	sign_key_name(SIGN_KEY_OCSP, "ca", name);
	assert_string_equal(name, "ocsp/ca");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_the_contract),
		cmocka_unit_test(refuses_a_second_key_of_a_name),
		cmocka_unit_test(may_be_freed_with_jobs_inside),
		cmocka_unit_test(key_names_have_their_role_in_front),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
