/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/pool_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "tests/unit/tbs_samples.h"

void
pool_add_key(struct pool *p, const char *name, const char *uri)
{
	struct p11_key_config *key = &p->keys[p->config.num_keys++];

	*key = (struct p11_key_config){
		.name = name, .token = "hsm", .uri = uri,
		.allow = { .kinds = P11_ALLOW_ISSUER, .name = tbs_name },
	};
}

void
pool_init(struct pool *p)
{
	memset(p, 0, sizeof(*p));
	softhsm_init(&p->hsm, "pool");
	p->config = (struct p11_local_config){
		.tokens = &p->hsm.token, .num_tokens = 1,
		.keys = p->keys, .state_dir = p->hsm.state_dir,
	};
}

void
pool_open(const struct pool *p, struct signer **s)
{
	struct oc_error error = { 0 };
	enum oc_err err = p11_local_new(&p->config, s, &error);

	if (err != OC_OK)
		print_error("%s\n", error.text);
	assert_int_equal(err, OC_OK);
}

void
pool_fails(const struct pool *p, enum oc_err expected, const char *says)
{
	struct oc_error error = { 0 };
	struct signer *s = NULL;

	assert_int_equal(p11_local_new(&p->config, &s, &error), expected);
	assert_null(s);
	if (strstr(error.text, says) == NULL)
		print_error("%s\n", error.text);
	assert_non_null(strstr(error.text, says));
}

size_t
pool_make_tbs(enum sign_alg alg, uint8_t *out, size_t max)
{
	struct tbs_sample sample;

	tbs_sample_init(&sample, oc_clock_now_s());
	sample.alg = alg;
	return tbs_certificate(&sample, out, max);
}
