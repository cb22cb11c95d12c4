/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/progress.h"

#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"

#define AFTER_NS (2 * OC_NS_PER_S)
#define EVERY_NS (500 * OC_NS_PER_MS)

void
cli_progress_start(struct cli_progress *p, const char *what)
{
	int64_t now_ns = oc_clock_mono_ns();

	*p = (struct cli_progress){
		.what = what,
		.is_terminal = isatty(STDERR_FILENO) == 1,
		.begun_ns = now_ns,
		.next_ns = now_ns + AFTER_NS,
	};
}

/* By how fast it went until now. */
void
cli_progress_tell(struct cli_progress *p, uint64_t num, uint64_t num_all)
{
	int64_t now_ns;
	double each;

	if (!p->is_terminal)
		return;
	now_ns = oc_clock_mono_ns();
	if (now_ns < p->next_ns)
		return;
	p->next_ns = now_ns + EVERY_NS;
	p->is_shown = true;
	each = (double)(now_ns - p->begun_ns) / 1e9 /
	    (double)(num == 0 ? 1 : num);
	fprintf(stderr, "\rocsign: %s: %llu of %llu, %.0f a second, "
	    "%.0f s left   ", p->what, (unsigned long long)num,
	    (unsigned long long)num_all, num == 0 ? 0.0 : 1 / each,
	    num == 0 ? 0.0 : each * (double)(num_all - num));
	(void)fflush(stderr);
}

void
cli_progress_stop(struct cli_progress *p)
{
	if (p->is_shown)
		fprintf(stderr, "\n");
	p->is_shown = false;
}
