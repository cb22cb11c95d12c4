/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shim_logins FILE: how often C_Login was called through the shim whose
 * control file this is; makes the file if it is not there.  For scripts.
 */
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

	if (argc != 2) {
		fprintf(stderr, "usage: shim_logins FILE\n");
		return 2;
	}
	fd = open(argv[1], O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, sizeof(*control)) != 0) {
		perror(argv[1]);
		return EXIT_FAILURE;
	}
	control = mmap(NULL, sizeof(*control), PROT_READ, MAP_SHARED, fd, 0);
	if (control == MAP_FAILED) {
		perror("mmap");
		return EXIT_FAILURE;
	}
	printf("%lu\n", atomic_load(&control->calls[SHIM_LOGIN]));
	return EXIT_SUCCESS;
}
