/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mark of the PIN that was accepted, and the latch beside it, with a
 * process that ends at each point of a login, one after the other: no PIN is
 * tried for a third time, and one that is right goes on.
 *
 * The token is a struct; each process is a child, and what it does to the
 * state directory goes through the calls below, where it ends or they fail.
 * Nothing waits for the disk: no power is cut here.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "pkcs11/pin.h"

static char dir[256], latch[300], accepted[300];

/* Shared with the children. */
static struct token {
	char right[16];
	int num_tries, num_wrong;	/* wrong: since a right one */
	int num_points;			/* of this child, passed */
} *token;

/* Which point of a child is its last; 0: none.  Where calls fail instead. */
static int last_point, failing_errno;
static int num_synced;

/* -1 and errno, or 0 to go on. */
static int
pass_point(void)
{
	token->num_points++;
	if (token->num_points != last_point)
		return 0;
	if (failing_errno == 0)
		_exit(9);
	errno = failing_errno;
	return -1;
}

int
unlink(const char *path)
{
	return pass_point() != 0 ? -1 :
	    (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
}

int
rename(const char *from, const char *to)
{
	return pass_point() != 0 ? -1 :
	    (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

ssize_t
pwrite(int fd, const void *bytes, size_t len, off_t at)
{
	return pass_point() != 0 ? -1 :
	    syscall(SYS_pwrite64, fd, bytes, len, at);
}

int
fdatasync(int fd)
{
	(void)fd;
	num_synced++;
	return pass_point();
}

int
fsync(int fd)
{
	(void)fd;
	num_synced++;
	return 0;
}

static enum p11_pin_outcome
ask_token(const char *pin)
{
	token->num_tries++;
	if (strcmp(pin, token->right) == 0) {
		token->num_wrong = 0;
		return P11_PIN_ACCEPTED;
	}
	token->num_wrong++;
	return P11_PIN_REFUSED;
}

static struct p11_pin_known known;

static enum oc_err
log_in(const char *text, struct oc_error *error)
{
	struct oc_secret pin = { .len = 0 };
	enum p11_pin_outcome outcome;
	struct p11_pin_try attempt;
	enum oc_err err;

	if (oc_secret_set(&pin, text, strlen(text)) != OC_OK)
		abort();
	err = p11_pin_begin(dir, "hsm", &pin, &known, &attempt, error);
	oc_secret_fini(&pin);
	if (err != OC_OK)
		return err;
	(void)pass_point();
	outcome = ask_token(text);
	(void)pass_point();
	p11_pin_end(&attempt, outcome);
	return outcome == P11_PIN_ACCEPTED ? OC_OK : OC_ERR_PIN;
}

/* In a child that knows what this process does; -1: it ended meanwhile.  One
 * that ends nowhere may be this process, which then knows no more than before:
 * under sanitizers a child costs a hundred times what it does. */
static int
log_in_child(const char *pin, int point)
{
	struct p11_pin_known before = known;
	struct oc_error error = { 0 };
	enum oc_err err;
	int status;
	pid_t pid;

	token->num_points = 0;
	if (point == 0 && last_point == 0) {
		err = log_in(pin, &error);
		known = before;
		return err == OC_OK ? OC_OK : OC_ERR_PIN;
	}
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		last_point = point;
		_exit(log_in(pin, &error) == OC_OK ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 9)
		return -1;
	return WEXITSTATUS(status) == 0 ? OC_OK : OC_ERR_PIN;
}

static bool
has(const char *path)
{
	return access(path, F_OK) == 0;
}

static void
start_anew(const char *right)
{
	(void)unlink(latch);
	(void)unlink(accepted);
	p11_pin_forget(&known);
	last_point = failing_errno = 0;
	*token = (struct token){ .num_tries = 0 };
	(void)snprintf(token->right, sizeof(token->right), "%s", right);
}

/* As it is once a process was accepted. */
static void
start_accepted(void)
{
	struct oc_error error = { 0 };

	start_anew("1234");
	assert_int_equal(log_in("1234", &error), OC_OK);
	assert_true(has(accepted));
	assert_false(has(latch));
	token->num_tries = 0;
}

static void
change_pin(void)
{
	(void)snprintf(token->right, sizeof(token->right), "9999");
}

static int
set_up(void **state)
{
	const char *tmp = getenv("TMPDIR");

	(void)state;
	(void)snprintf(dir, sizeof(dir), "%.200s/ocsign-latch-XXXXXX",
	    tmp != NULL ? tmp : "/tmp");
	assert_non_null(mkdtemp(dir));
	(void)snprintf(latch, sizeof(latch), "%s/pin-latch-hsm", dir);
	(void)snprintf(accepted, sizeof(accepted), "%s/pin-accepted-hsm", dir);
	token = mmap(NULL, sizeof(*token), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(token != MAP_FAILED);
	return 0;
}

/* Whoever ends in the middle of a write leaves a file without a name. */
static int
tear_down(void **state)
{
	char command[400];

	(void)state;
	last_point = failing_errno = 0;
	(void)munmap(token, sizeof(*token));
	(void)snprintf(command, sizeof(command), "rm -rf '%s'", dir);
	return system(command);
}

/* A right PIN, and one process that ends wherever it likes. */
static void
right_one_goes_on_after_any_end(void **state)
{
	int num = 0;

	(void)state;
	for (int point = 1; ; point++) {
		start_accepted();
		p11_pin_forget(&known);
		if (log_in_child("1234", point) != -1)
			break;
		num++;
		assert_int_equal(log_in_child("1234", 0), OC_OK);
		/* And that renewed it. */
		assert_int_equal(log_in_child("1234", point), -1);
		assert_int_equal(log_in_child("1234", 0), OC_OK);
		assert_false(has(latch));
	}
	assert_true(num >= 4);
}

/* One that nobody has accepted is latched until it is. */
static void
first_one_is_latched_meanwhile(void **state)
{
	int num_latched = 0, num_marked = 0;

	(void)state;
	for (int point = 1; ; point++) {
		int num;

		start_anew("1234");
		if (log_in_child("1234", point) != -1)
			break;
		num = token->num_tries;
		if (has(accepted) || !has(latch)) {
			num_marked++;
			assert_int_equal(log_in_child("1234", 0), OC_OK);
			assert_false(has(latch));
			continue;
		}
		num_latched++;
		assert_int_equal(log_in_child("1234", 0), OC_ERR_PIN);
		assert_int_equal(token->num_tries, num);
	}
	/* Before and after C_Login, and before the mark has its name. */
	assert_true(num_latched >= 3);
	/* Before the latch has its own, and before it is removed. */
	assert_true(num_marked >= 2);
}

/* The PIN is another one now.  Two processes end at any two points, the next
 * before it hears the answer; nobody tries for a third time. */
static void
wrong_one_after(bool is_quick)
{
	int num = 0, max = 0;

	for (int first = 1; ; first++) {
		int result = -1;

		for (int second = 1; result == -1; second++) {
			start_accepted();
			change_pin();
			if (!is_quick)
				p11_pin_forget(&known);
			if (log_in_child("1234", first) != -1)
				goto out;
			p11_pin_forget(&known);
			result = log_in_child("1234", second);
			(void)log_in_child("1234", 4);
			assert_int_equal(log_in_child("1234", 0), OC_ERR_PIN);
			assert_int_equal(log_in_child("1234", 0), OC_ERR_PIN);
			assert_true(token->num_wrong <= 2);
			if (token->num_wrong > max)
				max = token->num_wrong;
			num++;
		}
	}
out:
	assert_true(num >= 16);
	assert_int_equal(max, 2);
	/* None that ends: once. */
	start_accepted();
	change_pin();
	if (!is_quick)
		p11_pin_forget(&known);
	for (int i = 0; i < 3; i++)
		assert_int_equal(log_in_child("1234", 0), OC_ERR_PIN);
	assert_int_equal(token->num_wrong, 1);
	assert_true(has(latch));
	assert_false(has(accepted));
	/* Another PIN is another matter. */
	assert_int_equal(log_in_child("9999", 0), OC_OK);
	assert_false(has(latch));
}

static void
wrong_one_is_never_tried_three_times(void **state)
{
	(void)state;
	wrong_one_after(false);
}

static void
nor_is_one_that_this_process_knew(void **state)
{
	(void)state;
	wrong_one_after(true);
}

/* In this process, as N sessions do it. */
static void
known_one_is_refused_once(void **state)
{
	struct oc_error error = { 0 };

	(void)state;
	start_accepted();
	assert_int_equal(log_in("1234", &error), OC_OK);
	change_pin();
	for (int i = 0; i < 3; i++)
		assert_int_equal(log_in("1234", &error), OC_ERR_PIN);
	assert_non_null(strstr(error.text, "refused this PIN before"));
	assert_int_equal(token->num_wrong, 1);
	assert_false(known.is_known);
	assert_false(has(accepted));
}

static void
known_one_waits_for_no_disk(void **state)
{
	struct oc_error error = { 0 };
	struct stat before, after;

	(void)state;
	start_accepted();
	assert_int_equal(stat(accepted, &before), 0);
	/* Eight bits of the hash and no more. */
	assert_int_equal(before.st_size, 85);
	assert_int_equal(before.st_mode & 0777, 0600);
	num_synced = 0;
	for (int i = 0; i < 200; i++)
		assert_int_equal(log_in("1234", &error), OC_OK);
	assert_int_equal(num_synced, 0);
	assert_int_equal(token->num_tries, 200);
	assert_int_equal(stat(accepted, &after), 0);
	assert_int_equal(after.st_ino, before.st_ino);
	/* Another PIN is not known by this. */
	assert_int_equal(log_in("4321", &error), OC_ERR_PIN);
	assert_true(num_synced > 0);
	/* Nor the same after somebody else had it accepted anew. */
	start_accepted();
	(void)unlink(accepted);
	assert_int_equal(log_in_child("1234", 0), OC_OK);
	num_synced = 0;
	assert_int_equal(log_in("1234", &error), OC_OK);
	assert_true(num_synced > 0);
	num_synced = 0;
	assert_int_equal(log_in("1234", &error), OC_OK);
	assert_int_equal(num_synced, 0);
}

/* Between C_Login and its answer: before it is point 3, after it 4. */
static void
two_lost_in_a_row_latch(void **state)
{
	struct oc_error error = { 0 };

	(void)state;
	start_accepted();
	p11_pin_forget(&known);
	assert_int_equal(log_in_child("1234", 4), -1);
	assert_int_equal(log_in_child("1234", 4), -1);
	assert_int_equal(token->num_tries, 2);
	assert_int_equal(log_in("1234", &error), OC_ERR_PIN);
	assert_non_null(strstr(error.text, "which may be wrong"));
	assert_non_null(strstr(error.text, "ocsign token unlatch hsm"));
	assert_int_equal(token->num_tries, 2);
	assert_int_equal(p11_pin_unlatch(dir, "hsm", &error), OC_OK);
	assert_int_equal(p11_pin_unlatch(dir, "hsm", &error),
	    OC_ERR_NOT_FOUND);
	assert_int_equal(log_in("1234", &error), OC_OK);
	/* A good one is no latch, and stays. */
	assert_int_equal(p11_pin_unlatch(dir, "hsm", &error),
	    OC_ERR_NOT_FOUND);
	assert_true(has(accepted));
}

static void
rewrite(const char *find, const char *text)
{
	struct oc_error error = { 0 };
	uint8_t *bytes;
	size_t len;
	char *at;

	assert_int_equal(oc_file_read(accepted, 4096, &bytes, &len, &error),
	    OC_OK);
	at = strstr((char *)bytes, find);
	assert_non_null(at);
	memcpy(at + strlen(find), text, strlen(text));
	assert_int_equal(oc_file_write(accepted, 0600, bytes, len, &error),
	    OC_OK);
	free(bytes);
}

/* What a quick try left may have been lost with the machine. */
static void
start_of_the_machine_counts(void **state)
{
	struct oc_error error = { 0 };

	(void)state;
	start_accepted();
	rewrite("\nbooted ", "00000000001000000000");
	assert_int_equal(log_in("1234", &error), OC_OK);
	p11_pin_forget(&known);
	assert_int_equal(log_in_child("1234", 4), -1);
	assert_int_equal(log_in_child("1234", 0), OC_OK);
	rewrite("\nbooted ", "00000000001000000000");
	token->num_tries = 0;
	/* The first is point 2 here: the mark is written anew. */
	assert_int_equal(log_in_child("1234", 3), -1);
	assert_int_equal(token->num_tries, 1);
	assert_int_equal(log_in("1234", &error), OC_ERR_PIN);
	assert_int_equal(token->num_tries, 1);
	/* The same with what was on the disk. */
	start_accepted();
	rewrite("\nlost ", "2");
	rewrite("\nbooted ", "00000000001000000000");
	assert_int_equal(log_in("1234", &error), OC_ERR_PIN);
	assert_int_equal(token->num_tries, 0);
}

static void
token_that_does_not_look_costs_nothing(void **state)
{
	struct oc_secret pin = { .len = 0 };
	struct oc_error error = { 0 };
	struct p11_pin_try attempt;

	(void)state;
	start_accepted();
	assert_int_equal(oc_secret_set(&pin, "1234", 4), OC_OK);
	for (int i = 0; i < 6; i++) {
		if (i == 3)
			p11_pin_forget(&known);
		assert_int_equal(p11_pin_begin(dir, "hsm", &pin, &known,
		    &attempt, &error), OC_OK);
		p11_pin_end(&attempt, P11_PIN_NOT_LOOKED_AT);
	}
	oc_secret_fini(&pin);
	assert_false(known.is_known);
	assert_false(has(latch));
	assert_int_equal(log_in_child("1234", 4), -1);
	assert_int_equal(log_in_child("1234", 0), OC_OK);
}

/* Each call of a refusal fails, as on a full disk or a broken one. */
static void
refusal_holds_that_cannot_be_written(void **state)
{
	struct oc_error error = { 0 };

	(void)state;
	for (int point = 1; ; point++) {
		start_accepted();
		change_pin();
		p11_pin_forget(&known);
		token->num_points = 0;
		failing_errno = ENOSPC;
		last_point = point;
		assert_int_not_equal(log_in("1234", &error), OC_OK);
		if (token->num_points < point)
			break;
		last_point = failing_errno = 0;
		for (int i = 0; i < 2; i++)
			assert_int_equal(log_in("1234", &error), OC_ERR_PIN);
		assert_true(token->num_wrong <= 1);
	}
}

static void
damaged_mark_is_none(void **state)
{
	static const char *const texts[] = { "", "\n", "accepted\n",
	    "pbkdf2-sha256 00 00\nbooted 00000000000000000000\nlost 0\n" };
	struct oc_error error = { 0 };
	char elsewhere[300];

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		start_anew("1234");
		assert_int_equal(oc_file_write(accepted, 0600, texts[i],
		    strlen(texts[i]), &error), OC_OK);
		change_pin();
		assert_int_equal(log_in_child("1234", 2), -1);
		assert_true(has(latch));
		assert_int_equal(log_in("1234", &error), OC_ERR_PIN);
		assert_int_equal(log_in("9999", &error), OC_OK);
	}
	/* One digit more or less, and one that is no number. */
	start_accepted();
	rewrite("\nlost ", "x");
	change_pin();
	assert_int_equal(log_in_child("1234", 2), -1);
	assert_true(has(latch));
	/* What a link leads to is not ours. */
	start_accepted();
	p11_pin_forget(&known);
	(void)snprintf(elsewhere, sizeof(elsewhere), "%s/elsewhere", dir);
	assert_int_equal(rename(accepted, elsewhere), 0);
	assert_int_equal(symlink(elsewhere, accepted), 0);
	assert_int_equal(log_in_child("1234", 2), -1);
	assert_true(has(latch));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(right_one_goes_on_after_any_end),
		TEST(first_one_is_latched_meanwhile),
		TEST(wrong_one_is_never_tried_three_times),
		TEST(nor_is_one_that_this_process_knew),
		TEST(known_one_is_refused_once),
		TEST(known_one_waits_for_no_disk),
		TEST(two_lost_in_a_row_latch),
		TEST(start_of_the_machine_counts),
		TEST(token_that_does_not_look_costs_nothing),
		TEST(refusal_holds_that_cannot_be_written),
		TEST(damaged_mark_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
