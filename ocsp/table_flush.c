/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Waiting for the disk beside the loop: a thread that does nothing but one
 * fdatasync(), which also writes what was changed in the map.  What is changed
 * meanwhile may reach the disk or not.
 */
#include <errno.h>
#include <unistd.h>

#include "base/thread.h"
#include "ocsp/table_private.h"

static void *
flush_main(void *arg)
{
	struct table_flush *flush = arg;

	flush->why = fdatasync(flush->fd) == 0 ? 0 : errno;
	atomic_store(&flush->is_done, true);
	return NULL;
}

/* Without a thread it is waited for. */
void
ocsp_table_flush_begin(struct table_flush *flush, int fd)
{
	oc_assert(!flush->is_under_way);
	flush->fd = fd;
	atomic_store(&flush->is_done, false);
	flush->is_under_way = true;
	flush->has_thread = oc_thread_start(&flush->thread, flush_main,
	    flush) == 0;
	if (!flush->has_thread)
		(void)flush_main(flush);
}

bool
ocsp_table_flush_is_done(const struct table_flush *flush)
{
	return flush->is_under_way && atomic_load(&flush->is_done);
}

int
ocsp_table_flush_end(struct table_flush *flush)
{
	if (!flush->is_under_way)
		return 0;
	if (flush->has_thread)
		(void)pthread_join(flush->thread, NULL);
	flush->is_under_way = false;
	return flush->why;
}
