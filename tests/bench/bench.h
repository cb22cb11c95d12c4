/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ours against a peer, in the same process and on one CPU: what is printed
 * is the median of several rounds in which the two take turns, so that what
 * disturbs disturbs both.
 */
#ifndef TESTS_BENCH_BENCH_H
#define TESTS_BENCH_BENCH_H

#include <stdbool.h>

/* Does the work once. */
typedef void bench_fn(void *arg);

/* Stays on the CPU it is on, and prints the header, a line with '#'. */
void bench_begin(void);

/*
 * Prints "name ours peer ratio ns/op"; ratio is how many of ours fit into one
 * of the peer's.
 */
void bench_compare(const char *name, bench_fn *ours, bench_fn *peer,
    void *arg);

/*
 * The same for what takes seconds: each does its work once a round, of few
 * rounds.  clear is called before each and not timed: what the one before
 * left behind is let go of there.
 */
void bench_compare_long(const char *name, bench_fn *ours, bench_fn *peer,
    bench_fn *clear, void *arg);

/* What a bench relies on holds, or it stops here. */
#define bench_must(condition) \
	((condition) ? (void)0 : bench_failed(#condition, __FILE__, __LINE__))
void bench_failed(const char *condition, const char *file, int line)
    __attribute__((noreturn));

/* The subjects. */
void bench_table(void);
void bench_lint(void);
void bench_ocsp_request(void);
void bench_ocsp_response(void);
void bench_tbs(void);
void bench_csr(void);
void bench_verify(void);

#endif
