/* SPDX-License-Identifier: Apache-2.0 */
/* Random changes of a corpus, for where there is no libFuzzer: it knows
 * nothing of the code under test, but how DER and HTTP break. */
#ifndef TESTS_FUZZ_MUTATE_H
#define TESTS_FUZZ_MUTATE_H

#include <stddef.h>
#include <stdint.h>

/* Owned; zero state is none. */
struct fuzz_files {
	struct fuzz_file {
		uint8_t *data;
		size_t len;
	} *list;
	size_t num, room;
};
/* Takes data, from malloc(). */
void fuzz_files_take(struct fuzz_files *files, uint8_t *data, size_t len);
void fuzz_files_fini(struct fuzz_files *files);

struct fuzz_plan {
	uint64_t num_runs, seconds;	/* whichever ends first; 0: without */
	uint64_t seed;
	const char *name;		/* for crash-NAME */
};
/* How many runs there were.  There is a file at least. */
uint64_t fuzz_mutate(const struct fuzz_plan *plan,
    const struct fuzz_files *files);

#endif
