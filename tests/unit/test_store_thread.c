/* SPDX-License-Identifier: Apache-2.0 */
/* Does the store's thread keep its contract: each done() once, on the
 * caller's thread, after the commit, whatever the others of a group do? */
#include "store_fixture.h"

#include <poll.h>
#include <pthread.h>
#include <semaphore.h>

#include "base/clock.h"
#include "store/sql.h"
#include "store/thread.h"

struct work {
	struct store_job job;
	struct fixture *f;
	uint64_t n;
	enum oc_err fail_with;		/* after its change */
	int64_t id;
	int num_done;
	int order;
	pthread_t done_on;
	sem_t *gate;			/* waits there, if any */
	sem_t *running;
	bool sees_first;
};

static int num_finished;

static enum oc_err
reserve_in_thread(struct store *store, void *arg)
{
	struct work *w = arg;
	struct store_reservation r = reservation_of(w->f->issuer_id, w->n);
	enum oc_err err;

	if (w->running != NULL)
		sem_post(w->running);
	if (w->gate != NULL)
		sem_wait(w->gate);
	err = store_reserve(store, &r, &w->id);
	return err == OC_OK ? w->fail_with : err;
}

static enum oc_err
read_in_thread(struct store *store, void *arg)
{
	struct work *w = arg;
	struct oc_serial serial = serial_of(w->n);
	struct store_certificate c;
	enum oc_err err;

	err = store_find_certificate(store, w->f->issuer_id, &serial, &c);
	if (err == OC_OK)
		store_certificate_fini(&c);
	return err;
}

static void
note_done(struct store_job *job, void *arg)
{
	struct work *w = arg;

	assert_ptr_equal(job, &w->job);
	w->num_done++;
	w->order = num_finished++;
	w->done_on = pthread_self();
}

static void
work_init(struct work *w, struct fixture *f, uint64_t n)
{
	memset(w, 0, sizeof(*w));
	w->f = f;
	w->n = n;
	w->job.kind = STORE_JOB_CHANGE;
	w->job.fn = reserve_in_thread;
	w->job.done = note_done;
	w->job.arg = w;
}

static struct store_thread *
new_thread(struct fixture *f)
{
	struct store_thread *t = NULL;
	struct oc_error error;

	num_finished = 0;
	if (store_thread_new(f->path, STORE_WRITE, "thread", &t, &error) !=
	    OC_OK)
		fail_msg("%s", error.text);
	return t;
}

static void
dispatch_until(struct store_thread *t, int num)
{
	int64_t deadline_ns = oc_clock_mono_ns() + 30 * OC_NS_PER_S;

	while (num_finished < num) {
		struct pollfd fd = { store_thread_fd(t), POLLIN, 0 };

		assert_true(oc_clock_mono_ns() < deadline_ns);
		poll(&fd, 1, 1000);
		store_thread_dispatch(t);
	}
}

static bool
is_there(struct fixture *f, uint64_t n)
{
	struct oc_serial serial = serial_of(n);
	struct store_certificate c;

	if (store_find_certificate(f->store, f->issuer_id, &serial, &c) !=
	    OC_OK)
		return false;
	store_certificate_fini(&c);
	return true;
}

static void
test_many(void **state)
{
	enum { NUM = 500 };
	struct fixture *f = *state;
	struct store_thread *t = new_thread(f);
	struct work *works = calloc(NUM, sizeof(*works));

	assert_non_null(works);
	for (int i = 0; i < NUM; i++) {
		work_init(&works[i], f, (uint64_t)i);
		assert_ok(store_thread_submit(t, &works[i].job));
		assert_int_equal(works[i].num_done, 0);
	}
	dispatch_until(t, NUM);
	for (int i = 0; i < NUM; i++) {
		assert_ok(works[i].job.err);
		assert_string_equal(works[i].job.error_text, "");
		assert_int_equal(works[i].num_done, 1);
		assert_int_equal(works[i].order, i);
		assert_true(pthread_equal(works[i].done_on, pthread_self()));
		assert_true(works[i].id > 0);
		assert_true(is_there(f, (uint64_t)i));
	}
	store_thread_free(t);
	free(works);
	assert_verifies(f->store);
}

/* The first holds the thread until the others wait behind it. */
static void
test_failures_stay_alone(void **state)
{
	enum { NUM = 12 };
	struct fixture *f = *state;
	struct store_thread *t = new_thread(f);
	struct work works[NUM];
	sem_t gate;

	sem_init(&gate, 0, 0);
	for (int i = 0; i < NUM; i++) {
		work_init(&works[i], f, (uint64_t)i);
		if (i == 0)
			works[i].gate = &gate;
		if (i % 3 == 1)
			works[i].fail_with = OC_ERR_REFUSED;
		if (i == 8)
			works[i].n = 6;		/* EXISTS, in its group */
		assert_ok(store_thread_submit(t, &works[i].job));
	}
	sem_post(&gate);
	dispatch_until(t, NUM);
	for (int i = 0; i < NUM; i++) {
		enum oc_err expected = i % 3 == 1 ? OC_ERR_REFUSED :
		    i == 8 ? OC_ERR_EXISTS : OC_OK;

		assert_int_equal(works[i].job.err, expected);
		assert_int_equal(works[i].job.error_text[0] != '\0',
		    expected != OC_OK);
		assert_int_equal(is_there(f, (uint64_t)i),
		    expected == OC_OK);
	}
	store_thread_free(t);
	sem_destroy(&gate);
	assert_verifies(f->store);
}

/* What done() reports is there for everybody else. */
static void
check_visible(struct store_job *job, void *arg)
{
	struct work *w = arg;

	note_done(job, arg);
	assert_ok(job->err);
	assert_true(is_there(w->f, w->n));
}

static void
test_done_after_commit(void **state)
{
	enum { NUM = 100 };
	struct fixture *f = *state;
	struct store_thread *t = new_thread(f);
	static struct work works[NUM];

	for (int i = 0; i < NUM; i++) {
		work_init(&works[i], f, (uint64_t)i);
		works[i].job.done = check_visible;
		assert_ok(store_thread_submit(t, &works[i].job));
	}
	dispatch_until(t, NUM);
	store_thread_free(t);
}

/* A read behind a change sees it, a read before does not. */
static void
test_order(void **state)
{
	struct fixture *f = *state;
	struct store_thread *t = new_thread(f);
	struct work before, change, after;

	work_init(&before, f, 1);
	before.job.kind = STORE_JOB_READ;
	before.job.fn = read_in_thread;
	work_init(&change, f, 1);
	after = before;
	after.job.arg = &after;
	assert_ok(store_thread_submit(t, &before.job));
	assert_ok(store_thread_submit(t, &change.job));
	assert_ok(store_thread_submit(t, &after.job));
	dispatch_until(t, 3);
	assert_int_equal(before.job.err, OC_ERR_NOT_FOUND);
	assert_non_null(strstr(before.job.error_text, "never reserved"));
	assert_ok(change.job.err);
	assert_ok(after.job.err);
	store_thread_free(t);
}

/* done() may submit and cancel. */
struct again {
	struct work work;
	struct store_thread *thread;
	struct work *victim;
	int num_left;
};

static void
submit_again(struct store_job *job, void *arg)
{
	struct again *a = arg;

	assert_ok(job->err);
	num_finished++;
	if (a->victim != NULL) {
		store_thread_cancel(a->thread, &a->victim->job);
		a->victim = NULL;
	}
	if (--a->num_left > 0) {
		a->work.n++;
		assert_ok(store_thread_submit(a->thread, job));
	}
}

static void
test_from_done(void **state)
{
	struct fixture *f = *state;
	struct again a = { .thread = new_thread(f), .num_left = 20 };
	struct work victim;
	struct pollfd fd = { store_thread_fd(a.thread), POLLIN, 0 };
	sem_t gate;

	sem_init(&gate, 0, 0);
	work_init(&a.work, f, 1);
	a.work.gate = &gate;
	a.work.job.done = submit_again;
	work_init(&victim, f, 1000);
	a.victim = &victim;
	assert_ok(store_thread_submit(a.thread, &a.work.job));
	assert_ok(store_thread_submit(a.thread, &victim.job));
	for (int i = 0; i < 20; i++)
		sem_post(&gate);
	assert_int_equal(poll(&fd, 1, 30000), 1);
	dispatch_until(a.thread, 20);
	assert_int_equal(victim.num_done, 0);
	store_thread_free(a.thread);
	assert_int_equal(victim.num_done, 0);
	assert_true(is_there(f, 20));
	sem_destroy(&gate);
}

static void *
open_gate_later(void *arg)
{
	usleep(100 * 1000);
	sem_post(arg);
	return NULL;
}

/* Waiting, running, finished: afterwards done() never comes. */
static void
test_cancel(void **state)
{
	struct fixture *f = *state;
	struct store_thread *t = new_thread(f);
	struct work running, waiting, last;
	pthread_t opener;
	sem_t gate, is_running;

	sem_init(&gate, 0, 0);
	sem_init(&is_running, 0, 0);
	work_init(&running, f, 1);
	running.gate = &gate;
	running.running = &is_running;
	work_init(&waiting, f, 2);
	work_init(&last, f, 3);
	assert_ok(store_thread_submit(t, &running.job));
	sem_wait(&is_running);
	assert_ok(store_thread_submit(t, &waiting.job));
	assert_ok(store_thread_submit(t, &last.job));
	store_thread_cancel(t, &waiting.job);
	assert_int_equal(pthread_create(&opener, NULL, open_gate_later,
	    &gate), 0);
	store_thread_cancel(t, &running.job);
	assert_int_equal(running.num_done, 0);
	dispatch_until(t, 1);
	assert_int_equal(last.num_done, 1);
	store_thread_cancel(t, &last.job);	/* over: nothing to do */
	store_thread_free(t);
	pthread_join(opener, NULL);
	assert_int_equal(running.num_done, 0);
	assert_int_equal(waiting.num_done, 0);
	assert_true(is_there(f, 1));		/* it had begun */
	assert_false(is_there(f, 2));
	assert_true(is_there(f, 3));
	sem_destroy(&gate);
	sem_destroy(&is_running);
}

static void
test_free_completes(void **state)
{
	enum { NUM = 40 };
	struct fixture *f = *state;
	struct store_thread *t = new_thread(f);
	static struct work works[NUM];
	pthread_t opener;
	sem_t gate, is_running;

	sem_init(&gate, 0, 0);
	sem_init(&is_running, 0, 0);
	for (int i = 0; i < NUM; i++) {
		work_init(&works[i], f, (uint64_t)i);
		if (i == 0) {
			works[i].gate = &gate;
			works[i].running = &is_running;
		}
		assert_ok(store_thread_submit(t, &works[i].job));
		if (i == 0)
			sem_wait(&is_running);
	}
	assert_int_equal(pthread_create(&opener, NULL, open_gate_later,
	    &gate), 0);
	store_thread_free(t);
	pthread_join(opener, NULL);
	assert_ok(works[0].job.err);
	for (int i = 0; i < NUM; i++) {
		assert_int_equal(works[i].num_done, 1);
		assert_true(works[i].job.err == OC_OK ||
		    works[i].job.err == OC_ERR_CANCELLED);
		assert_int_equal(is_there(f, (uint64_t)i),
		    works[i].job.err == OC_OK);
	}
	assert_int_equal(works[NUM - 1].job.err, OC_ERR_CANCELLED);
	sem_destroy(&gate);
	sem_destroy(&is_running);
	store_thread_free(NULL);
}

static void
test_queue_full(void **state)
{
	struct fixture *f = *state;
	struct store_thread *t = new_thread(f);
	struct work *works = calloc(STORE_QUEUE_MAX + 2, sizeof(*works));
	sem_t gate, is_running;

	assert_non_null(works);
	sem_init(&gate, 0, 0);
	sem_init(&is_running, 0, 0);
	for (unsigned int i = 0; i < STORE_QUEUE_MAX + 2; i++) {
		work_init(&works[i], f, 1);
		works[i].job.kind = STORE_JOB_READ;
		works[i].job.fn = read_in_thread;
	}
	work_init(&works[0], f, 1);
	works[0].gate = &gate;
	works[0].running = &is_running;
	assert_ok(store_thread_submit(t, &works[0].job));
	sem_wait(&is_running);
	for (unsigned int i = 1; i <= STORE_QUEUE_MAX; i++)
		assert_ok(store_thread_submit(t, &works[i].job));
	assert_int_equal(store_thread_submit(t,
	    &works[STORE_QUEUE_MAX + 1].job), OC_ERR_BUSY);
	sem_post(&gate);
	dispatch_until(t, STORE_QUEUE_MAX + 1);
	assert_int_equal(works[STORE_QUEUE_MAX + 1].num_done, 0);
	store_thread_free(t);
	sem_destroy(&gate);
	sem_destroy(&is_running);
	free(works);
}

static void
test_new_refused(void **state)
{
	struct fixture *f = *state;
	struct store_thread *t = NULL;
	struct oc_error error = { 0 };
	char path[320];

	snprintf(path, sizeof(path), "%s/none", f->directory);
	assert_int_equal(store_thread_new(path, STORE_WRITE, NULL, &t,
	    &error), OC_ERR_NOT_FOUND);
	assert_null(t);
	assert_non_null(strstr(error.text, path));
}

static enum oc_err
set_timeout(struct store *store, void *arg)
{
	(void)arg;
	store_set_busy_timeout(store, 50);
	return OC_OK;
}

/* On the store's thread; f->store is another connection, and nobody's just
 * now. */
static enum oc_err
look_and_reserve(struct store *store, void *arg)
{
	struct work *w = arg;

	w->sees_first = is_there(w->f, 0);
	return reserve_in_thread(store, w);
}

/* What is submitted while the first is carried out: the first is not there
 * for others yet when its turn comes, so one commit is for both. */
static void
test_late_ones_join(void **state)
{
	struct fixture *f = *state;
	struct store_thread *t = new_thread(f);
	struct work first, second;
	sem_t gate, running;

	sem_init(&gate, 0, 0);
	sem_init(&running, 0, 0);
	work_init(&first, f, 0);
	first.gate = &gate;
	first.running = &running;
	work_init(&second, f, 1);
	second.job.fn = look_and_reserve;
	second.sees_first = true;
	assert_ok(store_thread_submit(t, &first.job));
	sem_wait(&running);
	assert_ok(store_thread_submit(t, &second.job));
	sem_post(&gate);
	dispatch_until(t, 2);
	assert_ok(first.job.err);
	assert_ok(second.job.err);
	assert_false(second.sees_first);
	assert_true(is_there(f, 0) && is_there(f, 1));
	store_thread_free(t);
	sem_destroy(&gate);
	sem_destroy(&running);
	assert_verifies(f->store);
}

/* As a full disk does: all of the group's transaction is gone. */
static enum oc_err
reserve_and_lose(struct store *store, void *arg)
{
	enum oc_err err = reserve_in_thread(store, arg);

	assert_ok(sql_exec(store, "lose", "ROLLBACK"));
	return err;
}

/* Who comes while a transaction is being lost has the next one. */
static void
test_late_ones_do_not_join_the_lost(void **state)
{
	struct fixture *f = *state;
	struct store_thread *t = new_thread(f);
	struct work first, second;
	sem_t gate, running;

	sem_init(&gate, 0, 0);
	sem_init(&running, 0, 0);
	work_init(&first, f, 0);
	first.job.fn = reserve_and_lose;
	first.gate = &gate;
	first.running = &running;
	work_init(&second, f, 1);
	assert_ok(store_thread_submit(t, &first.job));
	sem_wait(&running);
	assert_ok(store_thread_submit(t, &second.job));
	sem_post(&gate);
	dispatch_until(t, 2);
	assert_int_not_equal(first.job.err, OC_OK);
	assert_ok(second.job.err);
	assert_false(is_there(f, 0));
	assert_true(is_there(f, 1));
	store_thread_free(t);
	sem_destroy(&gate);
	sem_destroy(&running);
	assert_verifies(f->store);
}

/* Somebody else holds the write lock: every job of the group says so. */
static void
test_group_busy(void **state)
{
	enum { NUM = 4 };
	struct fixture *f = *state;
	struct store_thread *t = new_thread(f);
	struct work works[NUM], first;

	work_init(&first, f, 1);
	first.job.kind = STORE_JOB_READ;
	first.job.fn = set_timeout;
	assert_ok(store_begin_group(f->store));
	assert_ok(store_thread_submit(t, &first.job));
	for (int i = 0; i < NUM; i++) {
		work_init(&works[i], f, (uint64_t)i);
		assert_ok(store_thread_submit(t, &works[i].job));
	}
	dispatch_until(t, NUM + 1);
	for (int i = 0; i < NUM; i++) {
		assert_int_equal(works[i].job.err, OC_ERR_BUSY);
		assert_non_null(strstr(works[i].job.error_text, "locked"));
		assert_int_equal(works[i].id, 0);
	}
	store_abandon_group(f->store);
	store_thread_free(t);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, setup_store, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_many),
		TEST(test_failures_stay_alone),
		TEST(test_done_after_commit),
		TEST(test_order),
		TEST(test_from_done),
		TEST(test_cancel),
		TEST(test_free_completes),
		TEST(test_queue_full),
		TEST(test_new_refused),
		TEST(test_late_ones_join),
		TEST(test_late_ones_do_not_join_the_lost),
		TEST(test_group_busy)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
