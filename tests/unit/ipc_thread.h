/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A thread with an event loop of its own, for tests whose server must answer
 * while the test waits; and a directory for its sockets.
 */
#ifndef TESTS_IPC_THREAD_H
#define TESTS_IPC_THREAD_H

#include <event2/event.h>

#define IPC_DIR_MAX 80

/* setup and teardown run in the thread, before and after the loop. */
typedef void ipc_thread_fn(struct event_base *base, void *arg);
struct ipc_thread;
struct ipc_thread *ipc_thread_start(ipc_thread_fn *setup,
    ipc_thread_fn *teardown, void *arg);
void ipc_thread_stop(struct ipc_thread *thread);

/* mkdtemp under $TMPDIR; remove takes everything in it along. */
void ipc_dir_new(char dir[IPC_DIR_MAX]);
void ipc_dir_remove(const char *dir);
/* Open descriptors of this process. */
int ipc_num_fds(void);

#endif
