/* SPDX-License-Identifier: Apache-2.0 */
/*
 * status --watch when what it looks at is slow, or away for a while: in a
 * child that is told what to see, and ends at its last look.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/status_watch.h"

/* What one look finds. */
struct sight {
	const char *facts;		/* NULL: an error */
	int slow_ms;			/* without facts, -1: the end */
};
static const struct sight *sights;
static int report_fd;

/* Says when it began, too. */
static enum oc_err
look(struct cli *cli, json_t **facts, struct oc_error *error)
{
	const struct sight *s = sights++;
	int64_t now_ms = oc_clock_mono_ns() / OC_NS_PER_MS;

	(void)cli;
	if (write(report_fd, &now_ms, sizeof(now_ms)) != sizeof(now_ms) ||
	    (s->facts == NULL && s->slow_ms == -1))
		_exit(fflush(stdout) == 0 ? 0 : 1);
	if (s->slow_ms > 0)
		(void)poll(NULL, 0, s->slow_ms);
	if (s->facts == NULL)
		return oc_error_set(error, OC_ERR_DOWN, "nobody is there");
	*facts = json_loads(s->facts, 0, NULL);
	return *facts != NULL ? OC_OK : OC_ERR_INTERNAL;
}

static void
show(struct cli *cli, json_t *facts)
{
	(void)cli, (void)facts;
}

/* What the child printed, and when it looked. */
struct watched {
	char text[4096];
	int64_t at_ms[16];
	int num;
};

static size_t
read_all(int fd, void *out, size_t max)
{
	size_t len = 0;
	ssize_t n;

	while (len < max && (n = read(fd, (char *)out + len, max - len)) > 0)
		len += (size_t)n;
	(void)close(fd);
	return len;
}

static void
watch(const struct sight *what, enum cli_format format, struct watched *w)
{
	struct cli cli = { .format = format };
	struct oc_error error = { 0 };
	int out[2], report[2], status;
	pid_t pid;

	memset(w, 0, sizeof(*w));
	assert_int_equal(pipe(out), 0);
	assert_int_equal(pipe(report), 0);
	(void)fflush(stdout);
	pid = fork();
	if (pid == 0) {
		(void)dup2(out[1], STDOUT_FILENO);
		(void)close(out[0]);
		(void)close(report[0]);
		report_fd = report[1];
		sights = what;
		_exit(cli_status_watch(&cli, "1", look, show, &error) ==
		    OC_OK ? 2 : 3);
	}
	assert_true(pid > 0);
	(void)close(out[1]);
	(void)close(report[1]);
	(void)read_all(out[0], w->text, sizeof(w->text) - 1);
	w->num = (int)(read_all(report[0], w->at_ms, sizeof(w->at_ms)) /
	    sizeof(w->at_ms[0]));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

#define COUNTED(requests) "{\"status\": {\"responders\": {\"requests\": " \
	#requests "}, \"issuers\": [{\"issuer\": \"a\", \"signed\": 7, " \
	"\"horizon\": {\"first_stale_at\": null}}]}}"
#define AWAY "{\"status\": {\"error\": \"it is away\"}, \"signer\": {}}"
#define END { NULL, -1 }

/* The line with this number, without its time. */
static const char *
line_of(const struct watched *w, int number)
{
	static char line[512];
	const char *p = w->text;

	while (number-- > 0) {
		p = strchr(p, '\n');
		assert_non_null(p);
		p++;
	}
	p = strchr(p, ' ');
	assert_non_null(p);
	(void)snprintf(line, sizeof(line), "%.*s", (int)strcspn(p + 1, "\n"),
	    p + 1);
	return line;
}

/* So many between two looks, which may both have been late. */
static void
expect_rate(const struct watched *w, int number, int num, int from, int to)
{
	double s = (double)(w->at_ms[to] - w->at_ms[from]) / 1000, rate;

	assert_int_equal(sscanf(line_of(w, number), "requests/s %lf", &rate),
	    1);
	if (rate < num / (s + 0.5) - 0.1 ||
	    (s > 0.6 && rate > num / (s - 0.5) + 0.1))
		fail_msg("%d in %g s are not %g/s", num, s, rate);
}

/* What was counted meanwhile comes in one interval, and never twice. */
static void
away_for_a_while(void **state)
{
	static const struct sight what[] = { { COUNTED(1000), 0 },
	    { COUNTED(1001), 0 }, { AWAY, 0 }, { "{\"signer\": {}}", 0 },
	    { NULL, 0 }, { COUNTED(1005), 0 }, END };
	struct watched w;

	(void)state;
	watch(what, CLI_FORMAT_TEXT, &w);
	assert_int_equal(w.num, 7);
	expect_rate(&w, 0, 1, 0, 1);
	assert_string_equal(line_of(&w, 1), "status: it is away");
	assert_string_equal(line_of(&w, 2), "status: it does not run");
	assert_string_equal(line_of(&w, 3), "nobody is there");
	expect_rate(&w, 4, 4, 1, 5);
	assert_non_null(strstr(line_of(&w, 4), " signed/s 0.0 "));
}

/* Each line is a document, whatever happened. */
static void
documents(void **state)
{
	static const struct sight what[] = { { COUNTED(1), 0 }, { AWAY, 0 },
	    { NULL, 0 }, END };
	struct watched w;
	char *rest = w.text, *line;
	int num = 0;

	(void)state;
	watch(what, CLI_FORMAT_JSON, &w);
	while ((line = strsep(&rest, "\n")) != NULL && *line != '\0') {
		json_t *document = json_loads(line, JSON_REJECT_DUPLICATES,
		    NULL);

		assert_true(json_is_string(json_object_get(document, "at")));
		json_decref(document);
		num++;
	}
	assert_int_equal(num, 3);
}

/* Intervals that were missed are not made up for in one go.  A look that is
 * late makes the way to the next shorter. */
static void
one_slow_look(void **state)
{
	static const struct sight what[] = { { COUNTED(1), 0 },
	    { COUNTED(2), 3500 }, { COUNTED(3), 0 }, { COUNTED(4), 0 }, END };
	struct watched w;

	(void)state;
	watch(what, CLI_FORMAT_TEXT, &w);
	assert_int_equal(w.num, 5);
	assert_true(w.at_ms[1] > w.at_ms[0]);
	assert_true(w.at_ms[2] - w.at_ms[1] >= 3500);
	assert_true(w.at_ms[4] - w.at_ms[2] >= 990);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(away_for_a_while),
		cmocka_unit_test(documents),
		cmocka_unit_test(one_slow_look),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
