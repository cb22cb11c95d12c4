/* SPDX-License-Identifier: Apache-2.0 */
/* The pool's contract, and the texts that dialects share. */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "issuer/text.h"
#include "issuer/workers.h"
#include "store_fixture.h"

#define NUM 200

struct item {
	struct issuer_work work;
	int num_worked, num_done;
};
static struct item items[ISSUER_WORK_MAX + 8];

static void
work(void *arg)
{
	((struct item *)arg)->num_worked++;
}

static void
slow(void *arg)
{
	usleep(100000);
	work(arg);
}

static void
done(void *arg)
{
	struct item *item = arg;

	assert_int_equal(item->num_worked, 1);
	item->num_done++;
}

static void
fill(size_t i, void (*fn)(void *arg))
{
	items[i] = (struct item){ .work = { fn, done, &items[i], NULL } };
}

static void
test_each_once(void **state)
{
	struct oc_error error = { 0 };
	struct issuer_workers *w;
	size_t i, num = 0;

	(void)state;
	assert_int_equal(issuer_workers_new(4, ISSUER_WORK_MAX, NULL, &w,
	    &error),
	    OC_OK);
	for (i = 0; i < NUM; i++) {
		fill(i, work);
		assert_int_equal(issuer_workers_submit(w, &items[i].work),
		    OC_OK);
		/* Never inside submit(). */
		assert_int_equal(items[i].num_done, 0);
	}
	while (num < NUM) {
		struct pollfd pfd = { issuer_workers_fd(w), POLLIN, 0 };

		assert_int_equal(poll(&pfd, 1, 5000), 1);
		issuer_workers_dispatch(w);
		for (num = 0, i = 0; i < NUM; i++)
			num += items[i].num_done == 1;
	}
	issuer_workers_free(w);
	for (i = 0; i < NUM; i++)
		assert_int_equal(items[i].num_done, 1);
}

/* What waits is done before the end, and too much is refused. */
static void
check_full(unsigned int max)
{
	struct oc_error error = { 0 };
	struct issuer_workers *w;
	size_t i, num = 0;

	assert_int_equal(issuer_workers_new(1, max, NULL, &w, &error),
	    OC_OK);
	fill(0, slow);
	assert_int_equal(issuer_workers_submit(w, &items[0].work), OC_OK);
	for (i = 1; i < sizeof(items) / sizeof(items[0]); i++) {
		fill(i, work);
		if (issuer_workers_submit(w, &items[i].work) ==
		    OC_ERR_BUSY)
			break;
		num++;
	}
	assert_in_range(num, max - 1, max + 1);
	issuer_workers_free(w);
	for (i = 0; i <= num; i++)
		assert_int_equal(items[i].num_done, 1);
}

static void
test_free_and_full(void **state)
{
	(void)state;
	check_full(ISSUER_WORK_MAX);
	check_full(ISSUER_KEY_WORK_MAX);
}

static void
test_decimal(void **state)
{
	static const struct {
		const char *hex, *decimal;
	} serials[] = {
		{ "0x01", "1" }, { "0x0a", "10" }, { "0xff", "255" },
		{ "0x0100", "256" },
		{ "0x7fffffffffffffffffffffffffffffffffffffff",
		    "730750818665451459101842416358141509827966271487" },
	};
	char text[ISSUER_DECIMAL_MAX];
	struct oc_serial serial;

	(void)state;
	for (size_t i = 0; i < sizeof(serials) / sizeof(serials[0]); i++) {
		assert_int_equal(oc_serial_parse(serials[i].hex, &serial,
		    NULL), OC_OK);
		issuer_decimal(&serial, text);
		assert_string_equal(text, serials[i].decimal);
	}
}

static void
test_time_and_hex(void **state)
{
	static const uint8_t octets[] = { 0xab, 0x01, 0xff };
	char text[ISSUER_TIME_MAX];
	json_t *json;

	(void)state;
	issuer_time(1795692780, text);
	assert_string_equal(text, "2026-11-26T11:33:00Z");
	json = issuer_hex(octets, 3, ':');
	assert_string_equal(json_string_value(json), "AB:01:FF");
	json_decref(json);
	json = issuer_hex(octets, 3, '\0');
	assert_string_equal(json_string_value(json), "ab01ff");
	json_decref(json);
	json = issuer_hex(NULL, 0, ':');
	assert_string_equal(json_string_value(json), "");
	json_decref(json);
	assert_int_equal(issuer_fault_of(OC_ERR_BUSY), ISSUER_AWAY);
	assert_int_equal(issuer_fault_of(OC_ERR_STORE), ISSUER_BROKEN);
	assert_int_equal(issuer_fault_of(OC_ERR_REFUSED), ISSUER_REFUSED);
}

/* --- handing on --------------------------------------------------------- */

struct passed {
	struct issuer_work work;
	struct store_job job;
	int num_read, num_stored, num_done;
};

static enum oc_err
read_store(struct store *store, void *arg)
{
	(void)store;
	((struct passed *)arg)->num_read++;
	return OC_OK;
}

static void
stored(struct store_job *job, void *arg)
{
	assert_int_equal(job->err, OC_OK);
	((struct passed *)arg)->num_stored++;
}

static void
hand_on(void *arg)
{
	struct passed *p = arg;

	p->job = (struct store_job){ .kind = STORE_JOB_READ,
	    .fn = read_store, .done = stored, .arg = p };
	p->work.then = &p->job;
}

static void
not_passed(void *arg)
{
	((struct passed *)arg)->num_done++;
}

/* The store's done() runs, and the work's does not. */
static void
test_hands_on(void **state)
{
	struct fixture *f = *state;
	struct oc_error error = { 0 };
	struct issuer_workers *w;
	struct store_thread *t;
	struct passed p[NUM];
	int num = 0;

	assert_ok(store_thread_new(f->path, STORE_READ, NULL, &t, &error));
	assert_ok(issuer_workers_new(4, ISSUER_WORK_MAX, t, &w, &error));
	for (size_t i = 0; i < NUM; i++) {
		p[i] = (struct passed){ .work = { hand_on, not_passed, &p[i],
		    NULL } };
		assert_ok(issuer_workers_submit(w, &p[i].work));
	}
	while (num < NUM) {
		struct pollfd fd = { store_thread_fd(t), POLLIN, 0 };

		assert_true(poll(&fd, 1, 10000) == 1);
		store_thread_dispatch(t);
		num = 0;
		for (size_t i = 0; i < NUM; i++)
			num += p[i].num_stored;
	}
	issuer_workers_free(w);
	for (size_t i = 0; i < NUM; i++) {
		assert_int_equal(p[i].num_read, 1);
		assert_int_equal(p[i].num_stored, 1);
		assert_int_equal(p[i].num_done, 0);
	}
	store_thread_free(t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_once),
		cmocka_unit_test(test_free_and_full),
		cmocka_unit_test(test_decimal),
		cmocka_unit_test(test_time_and_hex),
		cmocka_unit_test_setup_teardown(test_hands_on, setup_store,
		    teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
