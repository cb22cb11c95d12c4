/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of der/ share: hex, repeatable chance, expected aborts. */
#ifndef TESTS_UNIT_DER_TEST_H
#define TESTS_UNIT_DER_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "der/bytes.h"

/* The same numbers in every run; the seed is in the failing test's line. */
static inline uint64_t
test_random(uint64_t *state)
{
	uint64_t x = *state;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	*state = x;
	return x * UINT64_C(0x2545f4914f6cdd1d);
}

static inline void
test_random_fill(uint64_t *state, uint8_t *out, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		out[i] = (uint8_t)(test_random(state) >> 56);
}

static inline int
test_nibble(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	assert_true(c >= 'a' && c <= 'f');
	return c - 'a' + 10;
}

/*
 * "30 00": exactly that many octets on the heap, so that AddressSanitizer sees
 * every octet read behind them.  Released by test_release().
 */
static inline struct der_bytes
test_unhex(const char *hex)
{
	uint8_t *out = malloc(strlen(hex) + 1);
	uint8_t *exact;
	size_t len = 0;

	assert_non_null(out);
	for (; *hex != '\0'; hex++) {
		if (*hex == ' ')
			continue;
		out[len++] = (uint8_t)(test_nibble(hex[0]) << 4 |
		    test_nibble(hex[1]));
		hex++;
	}
	exact = realloc(out, len == 0 ? 1 : len);
	assert_non_null(exact);
	return (struct der_bytes){ exact, len };
}

static inline void
test_release(struct der_bytes bytes)
{
	free((void *)(uintptr_t)bytes.p);
}

/* Runs it in a child, which must end by abort(). */
static inline void
test_aborts(void (*run)(void))
{
	struct rlimit none = { 0, 0 };
	int status, null;
	pid_t child;

	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		(void)setrlimit(RLIMIT_CORE, &none);
		null = open("/dev/null", O_WRONLY);
		if (null >= 0)
			(void)dup2(null, STDERR_FILENO);
		/* cmocka's handler would report it as a failed test. */
		(void)signal(SIGABRT, SIG_DFL);
		run();
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
}

#endif
