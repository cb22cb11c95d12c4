/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/bench_tbs.h"

int
main(void)
{
	bench_tbs();
	return 0;
}
