/* SPDX-License-Identifier: Apache-2.0 */
/* Errors, revocation reasons, clocks, the log. */
#include "base_test.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/reason.h"

static void
test_strerror(void **state)
{
	(void)state;
	for (int i = 0; i <= (int)OC_ERR_UNSIGNED; i++) {
		const char *text = oc_strerror((enum oc_err)i);

		assert_string_not_equal(text, "unknown error");
		for (int k = 0; k < i; k++)
			assert_string_not_equal(text,
			    oc_strerror((enum oc_err)k));
	}
	assert_string_equal(oc_strerror((enum oc_err)4711), "unknown error");
}

static void
test_error_set(void **state)
{
	struct oc_error error = { OC_OK, "" };

	(void)state;
	assert_int_equal(oc_error_set(&error, OC_ERR_BUSY, "a\nb\x7f%s\x1b",
	    "\t"), OC_ERR_BUSY);
	assert_int_equal(error.code, OC_ERR_BUSY);
	assert_string_equal(error.text, "a?b???");
	/* Its own text as an argument. */
	oc_error_set(&error, OC_ERR_STORE, "x %s y", error.text);
	assert_string_equal(error.text, "x a?b??? y");
	assert_int_equal(oc_error_set(NULL, OC_ERR_DOWN, "x"), OC_ERR_DOWN);
}

/* A log, a terminal and JSON take the text as it is. */
static void
test_error_utf8(void **state)
{
	static const struct {
		const char *argument, *text;
	} cases[] = {
		{ "\xe9\xe9x", "??x" },		/* T61String */
		{ "a\xc3\xa9\xc3", "a\xc3\xa9?" },
		{ "\xe2\x82", "??" },
		{ "\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80" },
		{ "\xc0\xaf\xed\xa0\x80\xff", "??????" },
		{ "\xc2\x9b" "31m\xc2\xa0", "??31m\xc2\xa0" },	/* CSI */
	};
	struct oc_error error;
	char text[OC_ERROR_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		oc_error_set(&error, OC_ERR_REFUSED, "\"%s\"",
		    cases[i].argument);
		snprintf(text, sizeof(text), "\"%s\"", cases[i].text);
		assert_string_equal(error.text, text);
		oc_error_prefix(&error, "%s", cases[i].argument);
		snprintf(text, sizeof(text), "%s: \"%s\"", cases[i].text,
		    cases[i].text);
		assert_string_equal(error.text, text);
	}
	/* Cut by a precision, which counts octets. */
	oc_error_set(&error, OC_ERR_REFUSED, "\"%.4s\"", "a\xc3\xa9\xc3\xa9");
	assert_string_equal(error.text, "\"a\xc3\xa9?\"");
	for (size_t len = OC_ERROR_TEXT_MAX - 8; len < OC_ERROR_TEXT_MAX;
	    len++) {
		memset(text, 'x', len);
		text[len] = '\0';
		oc_error_set(&error, OC_ERR_REFUSED, "%s%s", text,
		    "\xf0\x9f\x98\x80\xf0\x9f\x98\x80");
		assert_null(strchr(error.text, '?'));
		assert_true(oc_utf8_is_valid(error.text, strlen(error.text)));
		assert_true(strlen(error.text) > OC_ERROR_TEXT_MAX - 5);
	}
}

static void
test_error_cut(void **state)
{
	struct oc_error error = { OC_OK, "" };
	char text[2 * OC_ERROR_TEXT_MAX + 1];

	(void)state;
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	oc_error_set(&error, OC_ERR_LIMIT, "%s", text);
	assert_int_equal(strlen(error.text), OC_ERROR_TEXT_MAX - 1);
	/* No half of a character: 511 is odd, one more is left out. */
	for (size_t i = 0; i + 2 < sizeof(text); i += 2)
		memcpy(text + i, "\xc3\xa4", 2);
	oc_error_set(&error, OC_ERR_LIMIT, "%s", text);
	assert_int_equal(strlen(error.text), OC_ERROR_TEXT_MAX - 2);
	assert_int_equal((unsigned char)error.text[OC_ERROR_TEXT_MAX - 3],
	    0xa4);
	/* One that just fits stays. */
	oc_error_set(&error, OC_ERR_LIMIT, "x%s", text);
	assert_int_equal(strlen(error.text), OC_ERROR_TEXT_MAX - 1);
}

static void
test_error_errno_and_prefix(void **state)
{
	struct oc_error error = { OC_OK, "" };
	char expected[200];

	(void)state;
	errno = EACCES;
	assert_int_equal(oc_error_set_errno(&error, OC_ERR_SYSTEM, "open %s",
	    "f"), OC_ERR_SYSTEM);
	assert_int_equal(errno, EACCES);
	snprintf(expected, sizeof(expected), "open f: %s", strerror(EACCES));
	assert_string_equal(error.text, expected);
	assert_int_equal(oc_error_prefix(&error, "token %d", 7),
	    OC_ERR_SYSTEM);
	snprintf(expected, sizeof(expected), "token 7: open f: %s",
	    strerror(EACCES));
	assert_string_equal(error.text, expected);
	for (int i = 0; i < 100; i++)
		oc_error_prefix(&error, "prefix number %d", i);
	assert_int_equal(strlen(error.text), OC_ERROR_TEXT_MAX - 1);
}

/* Runs fn in a child and returns what it wrote to stderr. */
static int
child_stderr(void (*fn)(void), char *out, size_t out_max)
{
	size_t len = 0;
	ssize_t n;
	int fds[2], status;
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		dup2(fds[1], STDERR_FILENO);
		close(fds[0]);
		signal(SIGABRT, SIG_DFL);
		fn();
		_exit(0);
	}
	close(fds[1]);
	while (len < out_max - 1 &&
	    (n = read(fds[0], out + len, out_max - 1 - len)) > 0)
		len += (size_t)n;
	out[len] = '\0';
	close(fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void
fail_assertion(void)
{
	oc_assert(1 == 1);
	oc_assert(2 == 3);
}

static void
test_assert_aborts(void **state)
{
	char out[512];
	int status = child_stderr(fail_assertion, out, sizeof(out));

	(void)state;
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
	assert_non_null(strstr(out, "2 == 3"));
	assert_non_null(strstr(out, "test_base_err.c:"));
}

static void
log_some(void)
{
	unsetenv("JOURNAL_STREAM");
	oc_log_init("ocsign-test", OC_LOG_NOTICE);
	errno = EPERM;
	oc_log(OC_LOG_WARNING, "one\ntwo\x1b[1m %d", 3);
	if (errno != EPERM)
		_exit(1);
	oc_log(OC_LOG_INFO, "not this");
	oc_log(OC_LOG_NOTICE, "that");
}

static void
log_long(void)
{
	char text[8192];

	memset(text, '\n', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	oc_log_init("ocsign-test", OC_LOG_NOTICE);
	oc_log(OC_LOG_ERROR, "%s", text);
}

static void
log_journal(void)
{
	char stream[64];
	struct stat st;

	if (fstat(STDERR_FILENO, &st) < 0)
		_exit(1);
	snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t)st.st_dev,
	    (uintmax_t)st.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	oc_log_init("ocsign-test", OC_LOG_DEBUG);
	oc_log(OC_LOG_DEBUG, "to the journal");
	/* Inherited, but stderr is something else now. */
	setenv("JOURNAL_STREAM", "1:1", 1);
	oc_log_init("ocsign-test", OC_LOG_DEBUG);
	oc_log(OC_LOG_DEBUG, "not to the journal");
}

static void
test_log(void **state)
{
	char out[8192];

	(void)state;
	assert_int_equal(child_stderr(log_some, out, sizeof(out)), 0);
	assert_string_equal(out,
	    "ocsign-test: warning: one\\x0atwo\\x1b[1m 3\n"
	    "ocsign-test: notice: that\n");
	assert_int_equal(child_stderr(log_journal, out, sizeof(out)), 0);
	assert_string_equal(out, "<7>to the journal\n"
	    "ocsign-test: debug: not to the journal\n");
	/* One line, one write, not over PIPE_BUF. */
	assert_int_equal(child_stderr(log_long, out, sizeof(out)), 0);
	assert_true(strlen(out) <= PIPE_BUF);
	assert_true(strlen(out) > 1000);
	assert_ptr_equal(strchr(out, '\n'), out + strlen(out) - 1);
}

static void
test_reason(void **state)
{
	static const struct {
		const char *text;
		enum crl_reason reason;
	} good[] = {
		{ "keyCompromise", CRL_REASON_KEY_COMPROMISE },
		{ "KEYCOMPROMISE", CRL_REASON_KEY_COMPROMISE },
		{ "key-compromise", CRL_REASON_KEY_COMPROMISE },
		{ "key_compromise", CRL_REASON_KEY_COMPROMISE },
		{ "caCompromise", CRL_REASON_CA_COMPROMISE },
		{ "remove-from-crl", CRL_REASON_REMOVE_FROM_CRL },
		{ "0", CRL_REASON_UNSPECIFIED },
		{ "1", CRL_REASON_KEY_COMPROMISE },
		{ "10", CRL_REASON_AA_COMPROMISE },
	};
	static const char *const bad[] = {
		"", "7", "11", "-1", "01", "1 ", " 1", "keyCompromised",
		"keyCompromis", "reason 1", "-", "key compromise", "0x1",
	};
	enum crl_reason reason;
	struct oc_error error;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(crl_reason_parse(good[i].text, &reason,
		    NULL), OC_OK);
		assert_int_equal(reason, good[i].reason);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		reason = (enum crl_reason)99;
		if (crl_reason_parse(bad[i], &reason, &error) !=
		    OC_ERR_MALFORMED)
			fail_msg("\"%s\" was taken", bad[i]);
		assert_int_equal(reason, 99);
		assert_non_null(strstr(error.text, "keyCompromise, "));
		assert_non_null(strstr(error.text, "aACompromise"));
	}
}

/* Every value has a name that reads back, and 7 has none. */
static void
test_reason_names(void **state)
{
	(void)state;
	for (int i = -1; i < 20; i++) {
		const char *name = crl_reason_name((enum crl_reason)i);
		enum crl_reason reason;

		if (i < 0 || i == 7 || i > 10) {
			assert_null(name);
			continue;
		}
		assert_non_null(name);
		assert_int_equal(crl_reason_parse(name, &reason, NULL), OC_OK);
		assert_int_equal(reason, i);
	}
}

static void
test_clock(void **state)
{
	int64_t now = oc_clock_mono_ns();
	int ms;

	(void)state;
	assert_true(oc_clock_now_s() > INT64_C(1700000000));
	assert_true(oc_clock_mono_ns() >= now);
	assert_int_equal(oc_clock_poll_ms(now - 1), 0);
	assert_int_equal(oc_clock_poll_ms(INT64_MIN), 0);
	assert_int_equal(oc_clock_poll_ms(INT64_MAX), INT_MAX);
	ms = oc_clock_poll_ms(oc_clock_mono_ns() + 100 * OC_NS_PER_S);
	assert_in_range(ms, 90000, 100000);
	/* Rounded up: less than a millisecond left is still one to wait. */
	for (int i = 0; i < 1000; i++) {
		int64_t deadline = oc_clock_mono_ns() + OC_NS_PER_MS / 2;

		ms = oc_clock_poll_ms(deadline);
		if (oc_clock_mono_ns() < deadline)
			assert_int_equal(ms, 1);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_strerror),
		cmocka_unit_test(test_error_set),
		cmocka_unit_test(test_error_utf8),
		cmocka_unit_test(test_error_cut),
		cmocka_unit_test(test_error_errno_and_prefix),
		cmocka_unit_test(test_assert_aborts),
		cmocka_unit_test(test_log),
		cmocka_unit_test(test_reason),
		cmocka_unit_test(test_reason_names),
		cmocka_unit_test(test_clock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
