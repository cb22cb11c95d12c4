/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_BENCH_BENCH_TBS_H
#define TESTS_BENCH_BENCH_TBS_H

/* Prints nanoseconds for one TBSCertificate each way; stops the program if
 * the ways do not agree on its octets. */
void bench_tbs(void);

#endif
