/* SPDX-License-Identifier: Apache-2.0 */
/* Who verifies a signature: its session's thread, unless another waits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <poll.h>
#include <pthread.h>

#include "base/clock.h"
#include "pkcs11/verify.h"
#include "sign/soft.h"

static const uint8_t tbs[] = "to be signed";

/* What a session's thread works with, and no thread. */
struct stage {
	struct sign_desk desk;
	struct sign_queue to_verify;
	struct p11_token token;
	struct p11_key key;
	struct sign_job model;		/* signed, by a key in memory */
	struct sign_job *done[16];	/* in their order */
	unsigned int num_done;
	enum oc_err err;		/* of the last of them */
};

static void
stage_init(struct stage *st)
{
	struct sign_key_info info;
	struct signer *soft;

	memset(st, 0, sizeof(*st));
	assert_int_equal(sign_soft_new(&soft), OC_OK);
	assert_int_equal(sign_soft_generate(soft, "k", SIGN_KEY_P256, 256),
	    OC_OK);
	assert_int_equal(sign_find_key(soft, "k", 0, &info, NULL), OC_OK);
	st->model = (struct sign_job){ .key = "k", .kind = SIGN_KIND_OCSP,
	    .tbs = { tbs, sizeof(tbs) },
	    .deadline_ns = oc_clock_mono_ns() + 60 * OC_NS_PER_S };
	assert_int_equal(sign_now(soft, &st->model, NULL), OC_OK);
	sign_free(soft);

	assert_int_equal(sign_desk_init(&st->desk, NULL), OC_OK);
	assert_int_equal(sign_queue_init(&st->to_verify, SIZE_MAX), OC_OK);
	assert_int_equal(sign_queue_init(&st->token.queue, 1), OC_OK);
	st->token.desk = &st->desk;
	st->token.to_verify = &st->to_verify;
	st->key.token = &st->token;
	assert_int_equal(pthread_mutex_init(&st->key.verifying, NULL), 0);
	assert_int_equal(sign_verifier_new((struct der_bytes){ info.spki,
	    info.spki_len }, &st->key.verifier), OC_OK);
}

static void
stage_fini(struct stage *st)
{
	sign_verifier_free(st->key.verifier);
	(void)pthread_mutex_destroy(&st->key.verifying);
	sign_queue_fini(&st->token.queue);
	sign_queue_fini(&st->to_verify);
	sign_desk_fini(&st->desk);
}

static void
is_done(struct sign_job *job, void *arg)
{
	struct stage *st = arg;

	assert_true(st->num_done < 16);
	st->done[st->num_done++] = job;
	st->err = job->err;
}

/* A job that the token has just signed, to p11_verify_take(). */
static void
hand_in(struct stage *st, struct sign_job *job, int64_t deadline_ns)
{
	struct sign_ticket *t;

	*job = (struct sign_job){ .key = "k", .kind = SIGN_KIND_OCSP,
	    .tbs = { tbs, sizeof(tbs) }, .deadline_ns = deadline_ns,
	    .done = is_done, .arg = st };
	assert_int_equal(sign_desk_open(&st->desk, job, &st->key,
	    st->model.signed_alg, &t), OC_OK);
	memcpy(t->signature, st->model.signature, st->model.signature_len);
	t->signature_len = st->model.signature_len;
	p11_verify_take(&st->token, t);
}

/* Nobody is there to take what is put into the queue. */
static void
assert_verified_at_once(struct stage *st)
{
	struct sign_job job;
	unsigned int num_done = st->num_done;

	hand_in(st, &job, st->model.deadline_ns);
	assert_int_equal(sign_queue_len(&st->to_verify), 0);
	sign_desk_dispatch(&st->desk);
	assert_int_equal(st->num_done, num_done + 1);
	assert_int_equal(st->err, OC_OK);
}

/* The key is verifying: what comes is put into the queue. */
static void
hand_in_busy(struct stage *st, struct sign_job *job, int64_t deadline_ns)
{
	(void)pthread_mutex_lock(&st->key.verifying);
	hand_in(st, job, deadline_ns);
	(void)pthread_mutex_unlock(&st->key.verifying);
}

static void
at_once_after_one_left_the_queue(void **state)
{
	struct sign_job job;
	struct stage st;

	(void)state;
	stage_init(&st);
	assert_verified_at_once(&st);

	/* Its deadline passes there. */
	hand_in_busy(&st, &job, oc_clock_mono_ns());
	assert_int_equal(sign_queue_len(&st.to_verify), 1);
	sign_desk_dispatch(&st.desk);
	assert_int_equal(st.err, OC_ERR_TIMEOUT);
	assert_verified_at_once(&st);

	/* It is cancelled there. */
	hand_in_busy(&st, &job, st.model.deadline_ns);
	assert_int_equal(sign_queue_len(&st.to_verify), 1);
	sign_desk_cancel(&st.desk, &job);
	assert_verified_at_once(&st);

	/* It was not even put there. */
	sign_queue_close(&st.to_verify);
	hand_in_busy(&st, &job, st.model.deadline_ns);
	sign_desk_dispatch(&st.desk);
	assert_int_equal(st.err, OC_ERR_CANCELLED);
	assert_verified_at_once(&st);
	stage_fini(&st);
}

static void
nobody_overtakes_who_was_signed_before(void **state)
{
	struct sign_job first, second, third;
	struct sign_ticket *t;
	struct stage st;

	(void)state;
	stage_init(&st);
	hand_in_busy(&st, &first, st.model.deadline_ns);
	hand_in(&st, &second, st.model.deadline_ns);
	assert_int_equal(sign_queue_len(&st.to_verify), 2);

	/* Taken out to be verified, it still goes before who comes now. */
	assert_int_equal(sign_queue_begin(&st.to_verify, &t, 1), 1);
	assert_ptr_equal(t->job, &first);
	sign_desk_cancel(&st.desk, &second);
	assert_int_equal(sign_queue_len(&st.to_verify), 0);
	hand_in(&st, &third, st.model.deadline_ns);
	assert_int_equal(sign_queue_len(&st.to_verify), 1);
	sign_desk_finish(&st.desk, t, OC_OK, NULL);
	sign_queue_done(&st.to_verify, 1);
	sign_desk_dispatch(&st.desk);
	assert_int_equal(st.num_done, 1);
	sign_desk_cancel(&st.desk, &third);
	assert_verified_at_once(&st);
	stage_fini(&st);
}

/* Waiting together, they are verified together: each by its own signature, and
 * in the order in which they came. */
static void
several_at_once(void **state)
{
	unsigned int num_done = 0;
	struct sign_job jobs[12];
	struct stage st;
	pthread_t thread;

	(void)state;
	stage_init(&st);
	for (int i = 0; i < 12; i++) {
		st.model.signature[st.model.signature_len - 1] ^= i == 5;
		hand_in_busy(&st, &jobs[i], st.model.deadline_ns);
		st.model.signature[st.model.signature_len - 1] ^= i == 5;
	}
	sign_desk_cancel(&st.desk, &jobs[2]);
	assert_int_equal(sign_queue_len(&st.to_verify), 11);
	assert_int_equal(pthread_create(&thread, NULL, p11_verify_main,
	    &st.to_verify), 0);
	while (!sign_queue_is_idle(&st.to_verify))
		(void)poll(NULL, 0, 1);
	sign_queue_close(&st.to_verify);
	assert_int_equal(pthread_join(thread, NULL), 0);
	sign_desk_dispatch(&st.desk);
	for (int i = 0; i < 12; i++) {
		if (i == 2 || i == 5)
			continue;
		assert_ptr_equal(st.done[num_done++], &jobs[i]);
		assert_int_equal(jobs[i].err, OC_OK);
	}
	assert_int_equal(st.num_done, num_done);
	/* Whoever the token's signature was not right for is to be signed for
	 * again. */
	assert_int_equal(sign_queue_len(&st.token.queue), 1);
	sign_desk_cancel(&st.desk, &jobs[5]);
	stage_fini(&st);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(at_once_after_one_left_the_queue),
		cmocka_unit_test(nobody_overtakes_who_was_signed_before),
		cmocka_unit_test(several_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
