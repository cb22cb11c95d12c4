/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which files a role can open once it has what it needs, whoever has started
 * it and whatever their modes say: landlock(7).  For good, for every thread
 * that is begun later, and beside what the system itself refuses.  A kernel
 * without it is no error: one line at info says so.
 */
#ifndef IPC_LANDLOCK_H
#define IPC_LANDLOCK_H

#include "base/err.h"

/* Paths, each with what is below it; NULL ends a list, and what is not there
 * is left out.  What stands in neither cannot be opened, made or removed;
 * sockets can be connected to all the same. */
struct ipc_files {
	const char *const *read;
	const char *const *write;	/* read, too */
};

/* Call it before there are threads. */
enum oc_err ipc_landlock_enter(const struct ipc_files *files,
    struct oc_error *error) OC_MUST_CHECK;

#endif
