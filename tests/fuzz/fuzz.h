/* SPDX-License-Identifier: Apache-2.0 */
/* What libFuzzer, or driver.c in its place, calls. */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* Returns 0 always; stops the program when something is not as it must be. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Not assert(): it must be there in every build. */
static inline void
fuzz_check(int condition)
{
	if (!condition)
		abort();
}

#endif
