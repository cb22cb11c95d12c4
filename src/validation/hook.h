/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program of the operator's that puts a token in place and removes it:
 *
 *	PROGRAM publish|withdraw NAME
 *
 * NAME is where the TXT record belongs (prefix and name), the token is what
 * standard input has, and exit status 0 says that it is done.  No shell, no
 * environment but PATH, no descriptor but 0 to 2.
 *
 * A program would inherit what this process may do no more (seccomp,
 * landlock), so it is another that starts it: validation_hook_new() forks a
 * runner, before the sandbox and before there are threads or secrets.  That
 * one forks a keeper for each run, which ends the program's whole process
 * group at the deadline, when the asker goes away, and when it is done.  This
 * process executes nothing and waits for no child.
 */
#ifndef VALIDATION_HOOK_H
#define VALIDATION_HOOK_H

#include "validation/validation.h"

struct event_base;

#define VALIDATION_HOOKS_MAX 64		/* at once */

struct validation_hook;
struct validation_hook_job;

/* An absolute path of a file that may be executed, and that no other user but
 * root may write to.  CONFIG. */
enum oc_err validation_hook_new(struct event_base *base, const char *program,
    struct validation_hook **hook, struct oc_error *error) OC_MUST_CHECK;

/*
 * PUBLISH or WITHDRAW of the question's prefix, name and expected.  MALFORMED:
 * not a question like that; BUSY: VALIDATION_HOOKS_MAX are running.  done() is
 * not called from in here, but once from the loop, at the deadline at the
 * latest; never after cancel.  NO_FAULT, REFUSED (its exit status, its last
 * words in seen) or OURS: no time.
 */
enum oc_err validation_hook_ask(struct validation_hook *hook,
    const struct validation_question *question, int64_t deadline_ns,
    validation_done_fn *done, void *arg, struct validation_hook_job **job)
    OC_MUST_CHECK;
void validation_hook_cancel(struct validation_hook_job *job);
/* Cancels what is not done; the runner ends.  NULL is fine. */
void validation_hook_free(struct validation_hook *hook);

#endif
