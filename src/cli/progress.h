/* SPDX-License-Identifier: Apache-2.0 */
/* How far something long has come: a line on standard error that is written
 * over, if that is a terminal, and not before two seconds. */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct cli_progress {
	const char *what;		/* "recorded"; borrowed */
	bool is_shown, is_terminal;
	int64_t begun_ns, next_ns;
};

void cli_progress_start(struct cli_progress *progress, const char *what);
/* May be called for each of a million. */
void cli_progress_tell(struct cli_progress *progress, uint64_t num,
    uint64_t num_all);
void cli_progress_stop(struct cli_progress *progress);

#endif
