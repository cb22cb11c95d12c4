/* SPDX-License-Identifier: Apache-2.0 */
/* Accounts of the registry and of ACME, what they prove, and several
 * processes that want the same. */
#ifndef TESTS_UNIT_STORE_PROOF_H
#define TESTS_UNIT_STORE_PROOF_H

#include "store_fixture.h"

#include <sys/wait.h>

#include "base/clock.h"
#include "store/acme.h"

#define HOUR 3600

static inline int64_t
add_account(struct fixture *f, const char *name)
{
	struct store_account account = { .state = STORE_ACCOUNT_ACTIVE };

	strcpy(account.name, name);
	assert_ok(store_add_account(f->store, &account));
	return account.id;
}

static inline struct store_acme_account
acme_account_of(int64_t account_id, uint8_t key)
{
	struct store_acme_account a = { .account_id = account_id,
		.contacts = "[\"mailto:a@a.test\"]", .has_agreed = true };

	memset(a.thumbprint, key, sizeof(a.thumbprint));
	snprintf(a.jwk, sizeof(a.jwk), "{\"kty\":\"x\",\"n\":%d}", key);
	return a;
}

static inline int64_t
add_acme_account(struct fixture *f, int64_t account_id, uint8_t key)
{
	struct store_acme_account a = acme_account_of(account_id, key);

	assert_ok(store_add_acme_account(f->store, &a, 0));
	return a.id;
}

/* acme_id 0: the zone registry's own. */
static inline struct store_authorization
proof_of(int64_t account_id, int64_t acme_id, const char *name)
{
	struct store_authorization a = {
		.account_id = account_id,
		.acme_account_id = acme_id,
		.expires_at = oc_clock_now_s() + HOUR,
		.num_challenges = 2,
		.challenges[0].method = acme_id == 0 ? STORE_METHOD_DNS :
		    STORE_METHOD_DNS_01,
		.challenges[1].method = acme_id == 0 ? STORE_METHOD_META :
		    STORE_METHOD_HTTP_01
	};

	snprintf(a.name, sizeof(a.name), "%s", name);
	return a;
}

static inline struct store_authorization
add_proof(struct fixture *f, int64_t account_id, int64_t acme_id,
    const char *name)
{
	struct store_authorization a = proof_of(account_id, acme_id, name);

	if (store_add_authorization(f->store, &a) != OC_OK)
		fail_msg("%s", store_error(f->store));
	return a;
}

static inline struct store_authorization
get_proof(struct fixture *f, int64_t id)
{
	struct store_authorization a;

	assert_ok(store_get_authorization(f->store, id, &a));
	return a;
}

static inline enum oc_err
try_to_pass(struct store *store, int64_t challenge_id)
{
	int64_t now = oc_clock_now_s();
	struct store_try t = { .id = challenge_id, .at = now,
		.seen = "\"token\" at 192.0.2.1" };

	return store_pass_challenge(store, &t, now + HOUR);
}

static inline void
pass(struct fixture *f, const struct store_authorization *a)
{
	assert_ok(store_begin_challenge(f->store, a->challenges[0].id,
	    oc_clock_now_s()));
	if (try_to_pass(f->store, a->challenges[0].id) != OC_OK)
		fail_msg("%s", store_error(f->store));
}

static inline void
assert_noticed(struct fixture *f, const char *change, const char *back)
{
	int64_t num, bad = 0;

	run_sql(f->path, change);
	if (store_verify_journal(f->store, &num, &bad) != OC_ERR_MISMATCH)
		fail_msg("not noticed: %s", change);
	assert_true(bad > 0);
	run_sql(f->path, back);
	assert_verifies(f->store);
}

/* What each of several processes tries: 0 if it won, 1 if another did. */
typedef int attempt_fn(struct store *store, int64_t id);

static inline int
race(struct fixture *f, attempt_fn *attempt, int64_t id)
{
	enum { NUM = 4 };
	pid_t children[NUM];
	int num_won = 0;

	store_close(f->store);
	f->store = NULL;
	for (int i = 0; i < NUM; i++) {
		children[i] = fork();
		assert_true(children[i] >= 0);
		if (children[i] == 0) {
			struct store *store;

			if (store_open(f->path, STORE_WRITE, &store, NULL) !=
			    OC_OK)
				_exit(2);
			_exit(attempt(store, id));
		}
	}
	for (int i = 0; i < NUM; i++) {
		int status;

		assert_int_equal(waitpid(children[i], &status, 0),
		    children[i]);
		assert_true(WIFEXITED(status));
		assert_in_range(WEXITSTATUS(status), 0, 1);
		num_won += WEXITSTATUS(status) == 0;
	}
	f->store = open_store(f->path, STORE_WRITE);
	return num_won;
}

#endif
