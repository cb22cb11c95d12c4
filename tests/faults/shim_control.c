/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/faults/shim_control.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

static char module_path[4096];

struct shim_control *
shim_open(struct softhsm *hsm)
{
	const char *build = getenv("top_builddir");
	struct shim_control *control;
	char path[300];
	int fd;

	assert_non_null(build);
	(void)snprintf(module_path, sizeof(module_path),
	    "%s/tests/faults/ocsign-shim.so", build);
	(void)snprintf(path, sizeof(path), "%.250s/shim", hsm->dir);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, sizeof(*control)), 0);
	control = mmap(NULL, sizeof(*control), PROT_READ | PROT_WRITE,
	    MAP_SHARED, fd, 0);
	assert_true(control != MAP_FAILED);
	(void)close(fd);
	assert_int_equal(setenv("OCSIGN_SHIM_CONTROL", path, 1), 0);
	assert_int_equal(setenv("OCSIGN_SHIM_MODULE", hsm->module, 1), 0);
	hsm->token.module = module_path;
	return control;
}

void
shim_close(struct shim_control *control)
{
	(void)munmap(control, sizeof(*control));
}

int
shim_add(struct shim_control *control, enum shim_function function,
    enum shim_mode mode, unsigned long rv, int after, int count)
{
	for (int i = 0; i < SHIM_RULES; i++) {
		struct shim_rule *r = &control->rules[i];

		if (atomic_load(&r->function) != SHIM_NONE)
			continue;
		(void)atomic_fetch_add(&r->serial, 1);
		atomic_store(&r->mode, (int)mode);
		atomic_store(&r->rv, rv);
		atomic_store(&r->after, after);
		atomic_store(&r->count, count);
		atomic_store(&r->latency_ms, 0);
		atomic_store(&r->per_mille, 0);
		atomic_store(&r->arg, 0);
		atomic_store(&r->seen, 0);
		atomic_store(&r->struck, 0);
		atomic_store(&r->function, (int)function);
		return i;
	}
	fail_msg("no rule is free");
	return -1;
}

void
shim_clear(struct shim_control *control)
{
	for (int i = 0; i < SHIM_RULES; i++)
		atomic_store(&control->rules[i].function, SHIM_NONE);
}

unsigned long
shim_calls(const struct shim_control *control, enum shim_function function)
{
	return atomic_load(&control->calls[function]);
}
