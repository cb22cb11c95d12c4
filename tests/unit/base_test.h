/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of src/base share: a directory of their own, and files. */
#ifndef UNIT_BASE_TEST_H
#define UNIT_BASE_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include <cmocka.h>

/* Makes a new directory and goes there; *state is its name. */
static inline int
base_test_enter(void **state)
{
	const char *tmp = getenv("TMPDIR");
	char *dir;

	if (asprintf(&dir, "%s/ocsign-base-XXXXXX",
	    tmp != NULL ? tmp : "/tmp") < 0)
		return -1;
	if (mkdtemp(dir) == NULL || chdir(dir) < 0)
		return -1;
	*state = dir;
	return 0;
}

static inline int
base_test_leave(void **state)
{
	char *command, *dir = *state;
	int status;

	if (chdir("/") < 0 || asprintf(&command, "rm -rf '%s'", dir) < 0)
		return -1;
	status = system(command);
	free(command);
	free(dir);
	return status;
}

static inline void
base_test_put(const char *path, const void *bytes, size_t len)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

static inline void
base_test_put_text(const char *path, const char *text)
{
	base_test_put(path, text, strlen(text));
}

#endif
