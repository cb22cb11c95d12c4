/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a role can do no more once it has what it needs, whoever has started
 * it: filters of system calls (seccomp(2)), for good and for every thread that
 * is begun later.  What is refused fails with EPERM (or as if the kernel did
 * not have it) and goes to the kernel's log; the process goes on.  Without
 * libseccomp these do nothing and say so.
 */
#ifndef IPC_SANDBOX_H
#define IPC_SANDBOX_H

#include "base/err.h"

enum ipc_sandbox {
	/* Whatever a vendor's module does: no program is executed, nobody else
	 * is looked into, nothing new is listened on, and no sockets but of
	 * AF_UNIX. */
	IPC_SANDBOX_SIGNER,
	/* The same, and clients' sockets of the internet. */
	IPC_SANDBOX_SIGNER_NETWORK,
	/* Who asks strangers: sockets like that one's, and no process begins;
	 * threads do. */
	IPC_SANDBOX_FETCHER,
	/* The same, and no file is written but what is open. */
	IPC_SANDBOX_VALIDATOR,
	/* What strangers talk to: beside that, nothing is written but to what
	 * is open, no code comes in, and no process or thread begins. */
	IPC_SANDBOX_RESPONDER
};

/* Call it before there are threads. */
enum oc_err ipc_sandbox_enter(enum ipc_sandbox sandbox,
    struct oc_error *error) OC_MUST_CHECK;

#endif
