/* SPDX-License-Identifier: Apache-2.0 */
/* The pool on a real SoftHSM token: the signer's contract, every key type. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/log.h"
#include "pkcs11/admin.h"
#include "tests/faults/shim_control.h"
#include "tests/unit/pool_fixture.h"
#include "tests/unit/signer_contract.h"

/*
 * SoftHSM leaks a string for each Ed25519 key it loads.  The frames of a
 * library without frame pointers are seen only by the slow unwinder, which
 * takes ten times as long: such keys are in this program alone.
 */
#define EXPORT __attribute__((visibility("default")))
EXPORT const char *__asan_default_options(void);
EXPORT const char *__lsan_default_suppressions(void);

const char *
__asan_default_options(void)
{
	return "fast_unwind_on_malloc=0:malloc_context_size=10";
}

const char *
__lsan_default_suppressions(void)
{
	return "leak:libsofthsm2.so\n";
}

static void
hold(void *arg)
{
	(void)shim_add(arg, SHIM_SIGN, SHIM_HANG, 0, 0, 0);
}

static void
release(void *arg)
{
	shim_clear(arg);
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
		.make_tbs = pool_make_tbs,
		.num_jobs_full = 250 + 16,
	};
	struct shim_control *shim;
	struct pool p;

	(void)state;
	pool_init(&p);
	softhsm_generate(&p.hsm, "rsa", SIGN_KEY_RSA, 2048, NULL);
	softhsm_generate(&p.hsm, "p256", SIGN_KEY_P256, 256, NULL);
	softhsm_generate(&p.hsm, "p384", SIGN_KEY_P384, 384, NULL);
	softhsm_generate(&p.hsm, "ed", SIGN_KEY_ED25519, 256, NULL);
	pool_add_key(&p, c.rsa_key, "rsa");
	pool_add_key(&p, c.p256_key, "pkcs11:object=p256;type=private");
	pool_add_key(&p, c.p384_key, "pkcs11:object=p384");
	pool_add_key(&p, c.ed25519_key, "ed");
	shim = shim_open(&p.hsm);
	p.hsm.token.num_sessions = 1;	/* order can be seen */
	p.config.queue_max = 250;
	pool_open(&p, &c.signer);
	c.arg = shim;
	signer_contract_run(&c);
	assert_false(p11_local_is_stuck(c.signer));
	sign_free(c.signer);
	assert_int_equal(shim_calls(shim, SHIM_LOGIN), 1);
	assert_int_equal(atomic_load(&shim->num_open_at_finalize), 0);
	shim_close(shim);
	softhsm_fini(&p.hsm);
}

static void
every_key_type_is_generated_and_listed(void **state)
{
	static const struct { const char *label; enum sign_key_type type;
	    unsigned int bits; } wanted[] = {
		{ "rsa2048", SIGN_KEY_RSA, 2048 },
		{ "rsa3072", SIGN_KEY_RSA, 3072 },
		{ "p256", SIGN_KEY_P256, 256 },
		{ "p384", SIGN_KEY_P384, 384 },
		{ "p521", SIGN_KEY_P521, 521 },
		{ "ed25519", SIGN_KEY_ED25519, 256 },
	};
	const size_t num_wanted = sizeof(wanted) / sizeof(wanted[0]);
	static struct p11_key_entry list[P11_ADMIN_MAX];
	struct sign_key_info info, found;
	struct oc_error error = { 0 };
	struct signer *s;
	struct pool p;
	size_t num, num_seen = 0;

	(void)state;
	pool_init(&p);
	for (size_t i = 0; i < num_wanted; i++) {
		softhsm_generate(&p.hsm, wanted[i].label, wanted[i].type,
		    wanted[i].bits, &info);
		assert_int_equal(info.type, wanted[i].type);
		assert_int_equal(info.bits, wanted[i].bits);
		pool_add_key(&p, wanted[i].label, wanted[i].label);
	}
	assert_int_equal(p11_admin_list_keys(&p.hsm.token, p.hsm.state_dir,
	    oc_clock_mono_ns() + 60 * OC_NS_PER_S, list, &num, &error),
	    OC_OK);
	assert_int_equal(num, num_wanted);
	for (size_t i = 0; i < num; i++)
		for (size_t k = 0; k < num_wanted; k++)
			if (strcmp(list[i].label, wanted[k].label) == 0) {
				assert_int_equal(list[i].type,
				    wanted[k].type);
				assert_int_equal(list[i].bits,
				    wanted[k].bits);
				assert_int_equal(list[i].id_len, 16);
				assert_true(list[i].has_private);
				assert_true(list[i].has_public);
				assert_false(list[i].is_extractable);
				num_seen++;
			}
	assert_int_equal(num_seen, num_wanted);
	pool_open(&p, &s);
	assert_int_equal(sign_find_key(s, "p521", 0, &found, NULL), OC_OK);
	assert_int_equal(found.alg, SIGN_ECDSA_SHA512);
	sign_free(s);
	softhsm_fini(&p.hsm);
}

int
main(void)
{
	/* First what forks: a child of a process with threads is none of what
	 * the admin functions promise to survive. */
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_key_type_is_generated_and_listed),
		cmocka_unit_test(keeps_the_contract),
	};

	if (!softhsm_is_there())
		return 77;
	oc_log_init("test_pkcs11_types", OC_LOG_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
