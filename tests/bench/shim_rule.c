/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "shim_rule FILE lasts MS | hang | clear": what the shim whose control file
 * this is does with C_Sign; makes the file if it is not there.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/faults/shim.h"

static int
usage(void)
{
	fprintf(stderr, "usage: shim_rule FILE lasts MS | hang | clear\n");
	return 2;
}

static struct shim_control *
map(const char *path)
{
	struct shim_control *control;
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0 || ftruncate(fd, sizeof(*control)) != 0) {
		perror(path);
		exit(EXIT_FAILURE);
	}
	control = mmap(NULL, sizeof(*control), PROT_READ | PROT_WRITE,
	    MAP_SHARED, fd, 0);
	if (control == MAP_FAILED) {
		perror("mmap");
		exit(EXIT_FAILURE);
	}
	return control;
}

static void
set(struct shim_rule *rule, enum shim_mode mode, int latency_ms)
{
	atomic_store(&rule->latency_ms, latency_ms);
	atomic_store(&rule->mode, mode);
	atomic_store(&rule->function, SHIM_SIGN);
}

int
main(int argc, char **argv)
{
	struct shim_rule *rule;

	if (argc < 3)
		return usage();
	rule = &map(argv[1])->rules[0];
	if (strcmp(argv[2], "lasts") == 0 && argc == 4)
		set(rule, SHIM_LASTS, atoi(argv[3]));
	else if (strcmp(argv[2], "hang") == 0 && argc == 3)
		set(rule, SHIM_HANG, 0);
	else if (strcmp(argv[2], "clear") == 0 && argc == 3)
		atomic_store(&rule->function, SHIM_NONE);
	else
		return usage();
	return EXIT_SUCCESS;
}
