/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The real ocsignd in a directory of its own, with roles that behave as told
 * (tests/faults/role_dummy.c) and note what happens to them.
 */
#ifndef TESTS_DAEMON_FIXTURE_H
#define TESTS_DAEMON_FIXTURE_H

#include <stdbool.h>
#include <sys/types.h>

#define LONG_NS (20 * OC_NS_PER_S)

/* The signer, the status service, the responder. */
extern const char *const fixture_programs[];
extern pid_t fixture_pid;		/* ocsignd's; 0: none runs */

int fixture_setup(void **state);
int fixture_teardown(void **state);

const char *fixture_in_dir(const char *name);	/* borrowed, for a while */
char *fixture_read_file(const char *name);	/* for free(); "" */
void fixture_write_file(const char *name, const char *text);
/* How the next process of this program will behave. */
void fixture_behave(const char *program, const char *how);
void fixture_configure(int workers, const char *listen, const char *more);

void fixture_start(void);
void fixture_start_and_wait(void);		/* until all are ready */
void fixture_reload(void);
/* The exit status; -1 when a signal ended it. */
int fixture_wait_for_end(void);
int fixture_stop(void);
int fixture_run_to_end(const char *option);

/* The process of the n-th line "WHAT PROGRAM PID" of the log; 0: none. */
pid_t fixture_find(const char *what, const char *program, int n);
pid_t fixture_wait_for(const char *what, const char *program, int n);
int fixture_count(const char *what, const char *program);
size_t fixture_place(const char *what, const char *program);	/* to compare */
void fixture_wait_for_text(const char *text);
bool fixture_is_alive(pid_t pid);
void fixture_wait_until_gone(pid_t pid);

int fixture_http_port(void);
pid_t fixture_ask_http(int port);	/* who answered; 0: nobody */

#endif
