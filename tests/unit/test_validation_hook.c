/* SPDX-License-Identifier: Apache-2.0 */
/* Programs of the operator's: what they are given, what they may not keep, and
 * that nothing of them is left. */
#include "validation/hook.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "tests/unit/base_test.h"
#include "tests/unit/validation_fixture.h"

struct world {
	struct waiter waiter;
	struct validation_hook *hook;
	char program[300];
};

static const struct validation_question usual = {
	.task = VALIDATION_PUBLISH, .name = "www.example.com",
	.prefix = "_acme-challenge.", .expected = "the-token"
};

/* A script in this folder, which it finds by its own name. */
static void
world_open(struct world *w, const char *folder, const char *script)
{
	struct oc_error error = { 0 };
	char text[2000];

	memset(w, 0, sizeof(*w));
	waiter_init(&w->waiter);
	(void)snprintf(w->program, sizeof(w->program), "%s/hook", folder);
	(void)snprintf(text, sizeof(text), "#!/bin/sh\nfolder=%s\n%s\n",
	    folder, script);
	base_test_put_text("hook", text);
	assert_int_equal(chmod("hook", 0755), 0);
	if (validation_hook_new(w->waiter.base, w->program, &w->hook,
	    &error) != OC_OK)
		fail_msg("%s", error.text);
}

static void
world_close(struct world *w)
{
	validation_hook_free(w->hook);
	waiter_fini(&w->waiter);
}

static struct validation_hook_job *
begin(struct world *w, const struct validation_question *q, int64_t ms)
{
	struct validation_hook_job *job = NULL;

	w->waiter.num = 0;
	assert_int_equal(validation_hook_ask(w->hook, q, deadline_in_ms(ms),
	    waiter_done, &w->waiter, &job), OC_OK);
	assert_int_equal(w->waiter.num, 0);
	return job;
}

static void
ask(struct world *w, const struct validation_question *q)
{
	(void)begin(w, q, PATIENCE_S * 1000);
	waiter_wait(&w->waiter);
}

static void
assert_says(const char *path, const char *wanted)
{
	char text[4000] = "";
	FILE *f = fopen(path, "r");

	assert_non_null(f);
	(void)!fread(text, 1, sizeof(text) - 1, f);
	assert_int_equal(fclose(f), 0);
	assert_string_equal(text, wanted);
}

static void
test_given(void **state)
{
	struct validation_question q = usual;
	struct world w;
	int leak;

	/* Neither of these is the program's. */
	assert_int_equal(setenv("OCSIGN_SECRET", "x", 1), 0);
	assert_int_equal(setenv("PATH", "/usr/bin:/bin", 1), 0);
	leak = open("/dev/null", O_RDONLY);
	assert_true(leak >= 3);
	world_open(&w, *state, "cat >$folder/token\n"
	    "echo \"$# $1 $2\" >$folder/arguments\n"
	    "env | grep -v '^PWD=\\|^_=\\|^SHLVL=\\|^OLDPWD=' "
	    ">$folder/environment\n"
	    "tr '\\0' ' ' </proc/$$/cmdline | grep -c the-token "
	    ">$folder/seen\n"
	    "ls /proc/self/fd >$folder/fds\n"
	    "pwd >$folder/where\necho well");
	ask(&w, &q);
	if (w.waiter.reply.fault != VALIDATION_NO_FAULT)
		fail_msg("%s", w.waiter.reply.seen);
	assert_non_null(strstr(w.waiter.reply.seen,
	    "publish _acme-challenge.www.example.com: done: well"));
	assert_says("token", "the-token");
	assert_says("arguments", "2 publish _acme-challenge.www.example.com\n");
	assert_says("environment", "PATH=/usr/bin:/bin\n");
	assert_says("seen", "0\n");
	/* The last is where "ls" looks. */
	assert_says("fds", "0\n1\n2\n3\n");
	assert_says("where", "/\n");
	q.task = VALIDATION_WITHDRAW;
	q.prefix = NULL;
	ask(&w, &q);
	assert_says("arguments", "2 withdraw www.example.com\n");
	assert_int_equal(close(leak), 0);
	/* Nothing goes into an argument that is no name. */
	q.name = "-x.example.com";
	assert_int_equal(validation_hook_ask(w.hook, &q, deadline_in_ms(100),
	    waiter_done, &w.waiter, &(struct validation_hook_job *){ NULL }),
	    OC_ERR_MALFORMED);
	world_close(&w);
}

static void
test_ends(void **state)
{
	static const struct {
		const char *script;
		enum validation_fault fault;
		const char *seen;
	} cases[] = {
		{ "exit 0", VALIDATION_NO_FAULT, ": done" },
		{ "echo no such zone >&2; exit 3", VALIDATION_REFUSED,
		    "exit status 3: no such zone" },
		{ "kill -9 $$", VALIDATION_REFUSED, "signal 9" },
		{ "printf 'a\\033[31m\\n\\000b\\377c'; exit 1",
		    VALIDATION_REFUSED, "a?[31m" },
		{ "yes | head -c 1000000; echo the end; exit 1",
		    VALIDATION_REFUSED, "the end" },
		/* It does not read what it is given. */
		{ "exec <&-; exit 0", VALIDATION_NO_FAULT, ": done" },
		{ "exec >&- 2>&-; exit 4", VALIDATION_REFUSED,
		    "exit status 4" },
		{ "exec /nowhere/else", VALIDATION_REFUSED,
		    "exit status 127" }
	};
	struct world w;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		world_open(&w, *state, cases[i].script);
		ask(&w, &usual);
		if (w.waiter.reply.fault != cases[i].fault ||
		    strstr(w.waiter.reply.seen, cases[i].seen) == NULL)
			fail_msg("%zu: fault %d: %s", i,
			    w.waiter.reply.fault, w.waiter.reply.seen);
		world_close(&w);
	}
	/* It is gone by the time that it is wanted. */
	world_open(&w, *state, "exit 0");
	assert_int_equal(unlink("hook"), 0);
	ask(&w, &usual);
	assert_int_equal(w.waiter.reply.fault, VALIDATION_REFUSED);
	assert_non_null(strstr(w.waiter.reply.seen, "cannot be executed"));
	world_close(&w);
}

/* --- what is left ------------------------------------------------------- */

static pid_t
read_pid(const char *path)
{
	int pid = 0;
	FILE *f = fopen(path, "r");

	if (f != NULL) {
		if (fscanf(f, "%d", &pid) != 1)
			pid = 0;
		assert_int_equal(fclose(f), 0);
	}
	return pid;
}

/* Both of them write down who they are. */
#define TWO "sleep 300 & echo $! >$folder/grandchild.new\n" \
	"echo $$ >$folder/child.new\n" \
	"mv $folder/grandchild.new $folder/grandchild\n" \
	"mv $folder/child.new $folder/child\n"

static void
wait_for_pids(struct world *w, pid_t pids[2])
{
	pids[0] = pids[1] = 0;
	for (int i = 0; i < PATIENCE_S * 50 && pids[0] * pids[1] == 0; i++) {
		waiter_idle(&w->waiter, 20);
		pids[0] = read_pid("child");
		pids[1] = read_pid("grandchild");
	}
	assert_true(pids[0] > 0 && pids[1] > 0);
}

static bool
is_alive(pid_t pid)
{
	char path[40], state = 'X';
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	f = fopen(path, "r");
	if (f == NULL)
		return false;
	if (fscanf(f, "%*d (%*[^)]) %c", &state) != 1)
		state = 'X';
	assert_int_equal(fclose(f), 0);
	return state != 'Z' && state != 'X';
}

static void
assert_gone(struct world *w, const pid_t pids[2])
{
	for (int i = 0; i < PATIENCE_S * 50; i++) {
		if (!is_alive(pids[0]) && !is_alive(pids[1]))
			return;
		waiter_idle(&w->waiter, 20);
	}
	fail_msg("something is left");
}

static void
forget_pids(void)
{
	(void)unlink("child");
	(void)unlink("grandchild");
}

static void
test_left(void **state)
{
	struct validation_hook_job *job;
	struct world w;
	pid_t pids[2];

	/* At the deadline. */
	world_open(&w, *state, TWO "wait");
	(void)begin(&w, &usual, 1000);
	waiter_wait(&w.waiter);
	assert_int_equal(w.waiter.reply.fault, VALIDATION_OURS);
	assert_true(w.waiter.reply.is_temporary);
	assert_non_null(strstr(w.waiter.reply.seen, "took too long"));
	wait_for_pids(&w, pids);
	assert_gone(&w, pids);
	/* When it is cancelled. */
	forget_pids();
	job = begin(&w, &usual, PATIENCE_S * 1000);
	wait_for_pids(&w, pids);
	assert_true(is_alive(pids[0]) && is_alive(pids[1]));
	validation_hook_cancel(job);
	assert_gone(&w, pids);
	/* When all of it ends. */
	forget_pids();
	(void)begin(&w, &usual, PATIENCE_S * 1000);
	wait_for_pids(&w, pids);
	validation_hook_free(w.hook);
	w.hook = NULL;
	assert_gone(&w, pids);
	world_close(&w);
	/* When it is done, and has left something behind. */
	forget_pids();
	world_open(&w, *state, TWO "exit 0");
	ask(&w, &usual);
	assert_int_equal(w.waiter.reply.fault, VALIDATION_NO_FAULT);
	wait_for_pids(&w, pids);
	assert_gone(&w, pids);
	world_close(&w);
}

/* Whoever asks is killed. */
static void
test_asker_killed(void **state)
{
	struct world w, none;
	pid_t pids[2], asker;
	int status;

	forget_pids();
	asker = fork();
	if (asker == 0) {
		world_open(&w, *state, TWO "wait");
		(void)begin(&w, &usual, PATIENCE_S * 1000);
		wait_for_pids(&w, pids);
		(void)kill(getpid(), SIGKILL);
	}
	assert_int_equal(waitpid(asker, &status, 0), asker);
	assert_true(WIFSIGNALED(status));
	memset(&none, 0, sizeof(none));
	waiter_init(&none.waiter);
	wait_for_pids(&none, pids);
	assert_gone(&none, pids);
	waiter_fini(&none.waiter);
}

static void
test_many(void **state)
{
	struct validation_hook_job *jobs[VALIDATION_HOOKS_MAX], *one;
	struct world w;

	world_open(&w, *state, "sleep 300");
	for (int i = 0; i < VALIDATION_HOOKS_MAX; i++)
		jobs[i] = begin(&w, &usual, PATIENCE_S * 1000);
	assert_int_equal(validation_hook_ask(w.hook, &usual,
	    deadline_in_ms(100), waiter_done, &w.waiter, &one), OC_ERR_BUSY);
	validation_hook_cancel(jobs[7]);
	jobs[7] = begin(&w, &usual, PATIENCE_S * 1000);
	world_close(&w);
}

static void
test_program(void **state)
{
	struct oc_error error = { 0 };
	struct validation_hook *hook;
	char path[300];
	struct world w;

	world_open(&w, *state, "exit 0");
	world_close(&w);
	waiter_init(&w.waiter);
#define NEW(path) validation_hook_new(w.waiter.base, path, &hook, &error)
	assert_int_equal(NEW("hook"), OC_ERR_CONFIG);
	assert_int_equal(NEW("/nowhere/hook"), OC_ERR_CONFIG);
	assert_int_equal(NEW("/tmp"), OC_ERR_CONFIG);
	(void)snprintf(path, sizeof(path), "%s/hook", (const char *)*state);
	assert_int_equal(chmod("hook", 0775), 0);
	assert_int_equal(NEW(path), OC_ERR_CONFIG);
	assert_int_equal(chmod("hook", 0644), 0);
	assert_int_equal(NEW(path), OC_ERR_CONFIG);
	waiter_fini(&w.waiter);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, \
	    base_test_enter, base_test_leave)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		IN_FOLDER(test_given),
		IN_FOLDER(test_ends),
		IN_FOLDER(test_left),
		IN_FOLDER(test_asker_killed),
		IN_FOLDER(test_many),
		IN_FOLDER(test_program)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
