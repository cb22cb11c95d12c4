/* SPDX-License-Identifier: Apache-2.0 */
/* The codec, and lint, against OpenSSL; sizes.  One line a subject. */
#include "tests/bench/bench.h"

int
main(void)
{
	bench_begin();
	bench_table();
	bench_ocsp_request();
	bench_ocsp_response();
	bench_tbs();
	bench_csr();
	bench_verify();
	bench_lint();
	return 0;
}
