/* SPDX-License-Identifier: Apache-2.0 */
/* "shim_lasts FILE MS": the shim whose control file this is takes so long for
 * a C_Sign; makes the file if it is not there. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/faults/shim.h"

int
main(int argc, char **argv)
{
	struct shim_control *control;
	int fd;

	if (argc != 3) {
		fprintf(stderr, "usage: shim_lasts FILE MS\n");
		return 2;
	}
	fd = open(argv[1], O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, sizeof(*control)) != 0) {
		perror(argv[1]);
		return EXIT_FAILURE;
	}
	control = mmap(NULL, sizeof(*control), PROT_READ | PROT_WRITE,
	    MAP_SHARED, fd, 0);
	if (control == MAP_FAILED) {
		perror("mmap");
		return EXIT_FAILURE;
	}
	atomic_store(&control->rules[0].latency_ms, atoi(argv[2]));
	atomic_store(&control->rules[0].mode, SHIM_LASTS);
	atomic_store(&control->rules[0].function, SHIM_SIGN);
	return EXIT_SUCCESS;
}
