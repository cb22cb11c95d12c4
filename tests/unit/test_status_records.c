/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Databases of others as a status source: what never takes the place of the
 * last good one, why that is said, for how long that one is trusted, and what
 * of it is left after a restart.
 */
#include "tests/unit/crl_world.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "status/records.h"
#include "status/state.h"

#define LINE(status, end, when, serial) \
    status "\t" end "\t" when "\t" serial "\tunknown\t/CN=a\n"
#define GOOD(serial) LINE("V", "361124145936Z", "", serial)
#define REVOKED(serial) \
    LINE("R", "361124145936Z", "251124145936Z,keyCompromise", serial)
#define THREE GOOD("01") REVOKED("02") GOOD("03")

struct files {
	struct crl_world *w;		/* its certificate, key and folder */
	struct status_records_plan plan;
	struct status_records *records;
	char path[96], copy[96];
	int64_t written_at;		/* of what is put next; 0: now */
};

static struct files files;

static int
begin(void **state)
{
	struct files *f = &files;

	assert_int_equal(setup(state), 0);
	*f = (struct files){ .w = *state };
	(void)snprintf(f->path, sizeof(f->path), "%s/index.txt",
	    f->w->directory);
	(void)snprintf(f->copy, sizeof(f->copy), "%s/web.source",
	    f->w->directory);
	f->plan = (struct status_records_plan){
		.issuer = "web", .source = OC_SOURCE_INDEX, .path = f->path,
		.certificate = f->w->certificate, .copy = f->copy,
		.max_age_s = 3600,
	};
	return 0;
}

static int
end(void **state)
{
	status_records_free(files.records);
	return teardown(state);
}

static void
put_text(const char *text)
{
	struct timespec times[2] = { { files.written_at, 0 },
	    { files.written_at, 0 } };

	fixture_write(files.path, text, strlen(text));
	if (files.written_at != 0)
		assert_int_equal(utimensat(AT_FDCWD, files.path, times, 0),
		    0);
}

static void
open_again(void)
{
	struct oc_error error = { 0 };

	status_records_free(files.records);
	files.records = NULL;
	if (status_records_new(&files.plan, &files.records, &error) != OC_OK)
		fail_msg("%s", error.text);
	files.w->mono_ns = oc_clock_mono_ns();
}

static bool
look_again(void)
{
	files.w->mono_ns += S;
	return status_watch_look(status_records_watched(files.records),
	    oc_clock_now_s() + files.w->ahead_s, files.w->mono_ns);
}

static struct status_watch_report
report_of(void)
{
	struct status_watch_report r;

	status_watch_report(status_records_watched(files.records), &r);
	return r;
}

static enum status_watch_state
state_of(void)
{
	struct status_watch_report r = report_of();

	return status_watch_report_state(&r, oc_clock_now_s() +
	    files.w->ahead_s);
}

static void
expect_taken(uint32_t num, uint32_t num_revoked)
{
	struct status_watch_report r;
	bool is_taken = false;

	for (int i = 0; i < 5; i++)
		is_taken |= look_again();
	r = report_of();
	if (r.refused_since != 0)
		fail_msg("refused: %s", r.why);
	assert_true(is_taken);
	assert_int_equal(r.num_entries, num);
	assert_int_equal(r.num_revoked, num_revoked);
	assert_true(status_records_is_complete(files.records));
}

/* Whatever it is, the three are what is in force. */
static void
expect_kept(const char *why)
{
	struct status_watch_report r;

	for (int i = 0; i < 5; i++)
		if (look_again())
			fail_msg("taken, though %s", why);
	r = report_of();
	if (r.refused_since == 0 || strstr(r.why, why) == NULL)
		fail_msg("\"%s\", not \"%s\"", r.why, why);
	assert_int_equal(r.num_entries, 3);
	assert_int_equal(r.num_revoked, 1);
	assert_int_equal(state_of(), STATUS_WATCH_REFUSED);
	assert_false(status_records_is_complete(files.records));
}

static void
begin_with_three(void)
{
	put_text(THREE);
	open_again();
	assert_int_equal(report_of().num_entries, 3);
	assert_int_equal(state_of(), STATUS_WATCH_CURRENT);
}

static const struct { const char *text, *why; } bad[] = {
	{ "", "no certificate is in it" },
	{ THREE "V\t36", "line 4: it has no end" },
	{ GOOD("01") REVOKED("02") "V\n", "line 3: it has not six" },
	{ GOOD("01") REVOKED("02"), "1 are missing or have another end, 03" },
	{ GOOD("01") GOOD("02") GOOD("03"), "of 1 that were revoked for good "
	    "1 no longer are, 02" },
	{ THREE GOOD("01"), "line 4: the serial number 01 stands in line 1" },
	/* Another issuer's: with other numbers, and with the same. */
	{ GOOD("41") GOOD("42") GOOD("43") REVOKED("44"), "no longer are" },
	{ LINE("V", "361224145936Z", "", "01") LINE("R", "361224145936Z",
	    "251124145936Z", "02") LINE("V", "361224145936Z", "", "03"),
	    "3 are missing or have another end" },
};

static void
test_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		begin_with_three();
		put_text(bad[i].text);
		expect_kept(bad[i].why);
		/* Nor over a restart. */
		open_again();
		assert_int_equal(report_of().num_entries, 3);
		expect_kept(bad[i].why);
		put_text(THREE);
		for (int n = 0; n < 5; n++)
			(void)look_again();
		assert_int_equal(state_of(), STATUS_WATCH_CURRENT);
		assert_int_equal(unlink(files.copy), 0);
	}
}

static void
test_missing(void **state)
{
	(void)state;
	begin_with_three();
	assert_int_equal(unlink(files.path), 0);
	/* A moment, between two renames, is no trouble. */
	(void)look_again();
	(void)look_again();
	assert_int_equal(report_of().refused_since, 0);
	expect_kept("No such file");
}

/* Before there was a good one there is nothing to go on with. */
static void
test_first(void **state)
{
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		put_text(bad[i].text);
		open_again();
		assert_int_equal(state_of(), STATUS_WATCH_NONE);
		assert_non_null(strstr(report_of().why, bad[i].why));
		assert_false(status_records_is_complete(files.records));
	}
}

static void
test_older(void **state)
{
	int64_t now = oc_clock_now_s();

	(void)state;
	files.written_at = now - 100;
	begin_with_three();
	files.written_at = now - 200;
	put_text(THREE GOOD("04"));
	expect_kept("it is older than the last good one");
	files.written_at = now + 1000;
	put_text(THREE GOOD("04"));
	expect_kept("it is from the future");
	files.written_at = now - 50;
	put_text(THREE GOOD("04"));
	expect_taken(4, 1);
}

static void
test_follows(void **state)
{
	(void)state;
	begin_with_three();
	put_text(THREE GOOD("04"));
	expect_taken(4, 1);
	put_text(GOOD("01") REVOKED("02") REVOKED("03") GOOD("04"));
	expect_taken(4, 2);
	assert_int_equal(report_of().num_taken, 3);
	/* On hold, and not any more. */
	put_text(LINE("R", "361124145936Z", "251124145936Z,certificateHold",
	    "01") REVOKED("02") REVOKED("03") GOOD("04"));
	expect_taken(4, 3);
	put_text(GOOD("01") REVOKED("02") REVOKED("03") GOOD("04"));
	expect_taken(4, 2);
}

/* What is allowed, and not a per cent more. */
static void
test_dropped(void **state)
{
	(void)state;
	files.plan.dropped_max_percent = 34;
	begin_with_three();
	/* The beginning of it is not taken for all: it may be written still. */
	for (int i = 0; i < 2; i++) {
		put_text(GOOD("01") REVOKED("02"));
		assert_false(look_again());
		put_text(THREE);
		assert_false(look_again());
	}
	assert_int_equal(report_of().num_entries, 3);
	assert_int_equal(report_of().num_refused, 0);
	put_text(GOOD("01") REVOKED("02"));
	expect_taken(2, 1);
	files.plan.dropped_max_percent = 33;
	assert_int_equal(unlink(files.copy), 0);
	begin_with_three();
	put_text(GOOD("01") REVOKED("02"));
	expect_kept("source-dropped is 33 per cent");
	/* Whose CA went back has to say so. */
	assert_int_equal(unlink(files.copy), 0);
	open_again();
	assert_int_equal(report_of().num_entries, 2);
	assert_int_equal(state_of(), STATUS_WATCH_CURRENT);
}

/* As long as it is found as it was, it is trusted; then for an hour. */
static void
test_age(void **state)
{
	int64_t until;

	(void)state;
	begin_with_three();
	for (int i = 0; i < 5; i++)
		(void)look_again();
	files.w->ahead_s = 7200;
	(void)look_again();
	assert_int_equal(state_of(), STATUS_WATCH_CURRENT);
	until = report_of().bounds.next_update;
	assert_true(until > oc_clock_now_s() + 7200 + 3590);
	assert_int_equal(unlink(files.path), 0);
	expect_kept("No such file");
	assert_true(report_of().bounds.next_update == until);
	files.w->ahead_s += 3605;
	(void)look_again();
	assert_int_equal(state_of(), STATUS_WATCH_ENDED);
	put_text(THREE);
	for (int i = 0; i < 5; i++)
		(void)look_again();
	assert_int_equal(state_of(), STATUS_WATCH_CURRENT);
}

static void
replace_copy(const char *text)
{
	fixture_write(files.copy, text, strlen(text));
}

/* Of another key, or with another first line, it is none. */
static void
test_copy(void **state)
{
	char *text;
	uint8_t *octets;
	size_t len;

	(void)state;
	begin_with_three();
	assert_int_equal(oc_file_read(files.copy, 10000, &octets, &len, NULL),
	    OC_OK);
	text = (char *)octets;
	assert_int_equal(strncmp(text, "# ocsign 1 ", 11), 0);
	assert_int_equal(unlink(files.path), 0);
	open_again();
	assert_int_equal(report_of().num_entries, 3);
	text[11] = text[11] == '0' ? '1' : '0';
	replace_copy(text);
	open_again();
	assert_int_equal(state_of(), STATUS_WATCH_NONE);
	replace_copy(THREE);
	open_again();
	assert_int_equal(state_of(), STATUS_WATCH_NONE);
	free(text);
}

/* Each change is told once, and until when it holds. */
static void
test_told(void **state)
{
	struct status_change changes[8];
	struct status_bounds bounds;
	struct status_source *s = NULL;
	struct status_state_plan plan = { .max_age_s = 3600 };
	uint32_t num;

	(void)state;
	begin_with_three();
	plan.watch = status_records_watched(files.records);
	plan.ca = status_records_certificate(files.records);
	assert_int_equal(status_state_open(&plan, &s, NULL), OC_OK);
	assert_int_equal(s->ops->read(s, 0, changes, 8, &num), OC_OK);
	assert_int_equal(num, 3);
	assert_true(changes[1].is_revoked && changes[1].reason ==
	    CRL_REASON_KEY_COMPROMISE && changes[1].not_after == 2111151576);
	assert_false(changes[2].is_revoked);
	assert_int_equal(s->ops->read(s, 3, changes, 8, &num), OC_OK);
	assert_int_equal(num, 0);
	s->ops->bounds(s, &bounds);
	assert_true(bounds.next_update - bounds.this_update == 3600);
	assert_false(s->ops->has_news(s));
	put_text(GOOD("01") REVOKED("02") REVOKED("03"));
	expect_taken(3, 2);
	assert_true(s->ops->has_news(s));
	assert_int_equal(s->ops->read(s, 3, changes, 8, &num), OC_OK);
	assert_int_equal(num, 1);
	assert_true(changes[0].is_revoked && changes[0].serial.bytes[0] == 3);
	assert_int_equal(s->ops->read(s, 4, changes, 8, &num), OC_OK);
	assert_false(s->ops->has_news(s));
	/* It is found well for longer: so that is news. */
	files.w->ahead_s = 120;
	(void)look_again();
	assert_true(s->ops->has_news(s));
	s->ops->close(s);
}

/* --- a hundred changes, and who asks meanwhile -------------------------- */

struct asker {
	pthread_t thread;
	atomic_bool is_stopping;
	unsigned long num_held, num_torn;
};

/* 01 and 03 are on hold together or not at all; 02 always is revoked. */
static bool
is_torn(const struct status_list *list)
{
	return list->num_entries != 3 || !list->entries[1].is_revoked ||
	    list->entries[0].is_revoked != list->entries[2].is_revoked ||
	    list->num_revoked != 1u + 2u * list->entries[0].is_revoked;
}

static void *
asker_main(void *arg)
{
	struct asker *a = arg;
	struct status_said said;

	while (!atomic_load(&a->is_stopping)) {
		status_watch_hold(status_records_watched(files.records),
		    &said);
		a->num_torn += is_torn(said.list);
		a->num_held++;
		status_said_fini(&said);
	}
	return NULL;
}

#define HELD(serial) \
    LINE("R", "361124145936Z", "251124145936Z,certificateHold", serial)

static void
test_hundred(void **state)
{
	static const char *const texts[2] = { THREE,
	    HELD("01") REVOKED("02") HELD("03") };
	struct asker askers[2] = { { .num_held = 0 }, { .num_held = 0 } };

	(void)state;
	begin_with_three();
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&askers[i].thread, NULL,
		    asker_main, &askers[i]), 0);
	for (int i = 1; i <= 100; i++) {
		put_text(texts[i % 2]);
		/* Half of it first, now and then. */
		if (i % 10 == 0)
			assert_int_equal(truncate(files.path, 60), 0);
		(void)look_again();
		put_text(texts[i % 2]);
		(void)look_again();
		assert_int_equal(report_of().num_revoked, i % 2 == 1 ? 3 : 1);
	}
	for (int i = 0; i < 2; i++) {
		atomic_store(&askers[i].is_stopping, true);
		assert_int_equal(pthread_join(askers[i].thread, NULL), 0);
		assert_true(askers[i].num_held > 100);
		assert_int_equal(askers[i].num_torn, 0);
	}
	assert_int_equal(report_of().num_taken, 101);
	assert_int_equal(report_of().num_refused, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_refused, begin, end),
		cmocka_unit_test_setup_teardown(test_missing, begin, end),
		cmocka_unit_test_setup_teardown(test_first, begin, end),
		cmocka_unit_test_setup_teardown(test_older, begin, end),
		cmocka_unit_test_setup_teardown(test_follows, begin, end),
		cmocka_unit_test_setup_teardown(test_dropped, begin, end),
		cmocka_unit_test_setup_teardown(test_age, begin, end),
		cmocka_unit_test_setup_teardown(test_copy, begin, end),
		cmocka_unit_test_setup_teardown(test_told, begin, end),
		cmocka_unit_test_setup_teardown(test_hundred, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
