/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the shim whose control file this is does; makes the file if it is not
 * there:
 *
 *   shim_rule FILE lasts MS		C_Sign takes so long
 *   shim_rule FILE lasts-same MS	the same, and costs no CPU for what
 *					was signed before
 *   shim_rule FILE hang		C_Sign does, until it is cleared
 *   shim_rule FILE count MODE N [VALUE] [MS]	the next N of C_Sign: hang,
 *					crash, abort, slow, or return VALUE
 *   shim_rule FILE clear
 *   shim_rule FILE calls		prints how often C_Sign was called
 *   shim_rule FILE inside		and how many calls have not returned
 *   shim_rule FILE forks		children since C_Initialize
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
	fprintf(stderr, "usage: shim_rule FILE lasts MS | lasts-same MS | "
	    "hang | count MODE N [VALUE] [MS] | clear | calls | inside | "
	    "forks\n");
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

static void
lasts(struct shim_control *control, int ms, int is_same)
{
	atomic_store(&control->is_same, is_same);
	set(&control->rules[0], SHIM_LASTS, ms);
}

static int
count(struct shim_rule *rule, int argc, char **argv)
{
	static const struct {
		const char *name;
		enum shim_mode mode;
	} modes[] = {
		{ "hang", SHIM_HANG }, { "crash", SHIM_CRASH },
		{ "abort", SHIM_ABORT }, { "slow", SHIM_SLOW },
		{ "return", SHIM_RETURN },
	};

	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		if (strcmp(argv[0], modes[i].name) != 0)
			continue;
		atomic_store(&rule->seen, 0);
		atomic_store(&rule->struck, 0);
		atomic_store(&rule->count, atoi(argv[1]));
		atomic_store(&rule->rv, argc > 2 ? strtoul(argv[2], NULL,
		    0) : 0);
		set(rule, modes[i].mode, argc > 3 ? atoi(argv[3]) : 0);
		return EXIT_SUCCESS;
	}
	return usage();
}

int
main(int argc, char **argv)
{
	struct shim_control *control;
	const char *what;

	if (argc < 3)
		return usage();
	control = map(argv[1]);
	what = argv[2];
	if (strcmp(what, "lasts") == 0 && argc == 4)
		lasts(control, atoi(argv[3]), 0);
	else if (strcmp(what, "lasts-same") == 0 && argc == 4)
		lasts(control, atoi(argv[3]), 1);
	else if (strcmp(what, "hang") == 0 && argc == 3)
		set(&control->rules[0], SHIM_HANG, 0);
	else if (strcmp(what, "count") == 0 && argc >= 5)
		return count(&control->rules[0], argc - 3, argv + 3);
	else if (strcmp(what, "calls") == 0 && argc == 3)
		printf("%lu\n", atomic_load(&control->calls[SHIM_SIGN]));
	else if (strcmp(what, "inside") == 0 && argc == 3)
		printf("%ld\n", atomic_load(&control->num_signing));
	else if (strcmp(what, "forks") == 0 && argc == 3)
		printf("%lu\n", atomic_load(&control->num_forks));
	else if (strcmp(what, "clear") == 0 && argc == 3) {
		atomic_store(&control->rules[0].function, SHIM_NONE);
		atomic_store(&control->rules[0].count, 0);
	} else
		return usage();
	return EXIT_SUCCESS;
}
