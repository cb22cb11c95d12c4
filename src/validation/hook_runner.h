/* SPDX-License-Identifier: Apache-2.0 */
/* The other side of hook.h: the process that starts programs. */
#ifndef VALIDATION_HOOK_RUNNER_H
#define VALIDATION_HOOK_RUNNER_H

#include <stdint.h>

#include "validation/validation.h"

#define VALIDATION_HOOK_OUTPUT_MAX 240

/* One packet each; with a run comes the descriptor that its answer goes to. */
struct validation_hook_run {
	int64_t deadline_ns;
	char verb[12];
	char name[VALIDATION_NAME_MAX + 1];
	char token[VALIDATION_EXPECTED_MAX + 1];
};

enum validation_hook_end {
	VALIDATION_HOOK_EXITED,		/* value: the status */
	VALIDATION_HOOK_KILLED,		/* value: by which signal */
	VALIDATION_HOOK_LATE,		/* it was ended at the deadline */
	VALIDATION_HOOK_FAILED		/* it could not begin; value: errno */
};
struct validation_hook_ended {
	enum validation_hook_end end;
	int value;
	uint32_t output_len;
	char output[VALIDATION_HOOK_OUTPUT_MAX];	/* the last of it */
};

/* Serves until the socket's other end is closed.  Never returns; single
 * threaded. */
void validation_hook_serve(int socket, const char *program) OC_NORETURN;

#endif
