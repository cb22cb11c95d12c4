/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock_watch.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"

#define FILE_MAX 64
/* No calendar has more, and differences of two do not overflow. */
#define OFFSET_MAX_MS (INT64_MAX / 4)
/* So long after one correction the next may be as large. */
#define FOLLOW_MS (3600 * INT64_C(1000))

static void
keep(struct oc_clock_watch *w)
{
	struct oc_error error = { 0 };
	char text[FILE_MAX];
	int len;

	if (w->role != OC_CLOCK_WATCH_WRITES)
		return;
	len = snprintf(text, sizeof(text), "%" PRId64 "\n", w->offset_ms);
	w->is_kept = oc_file_write(w->path, 0644, text, (size_t)len,
	    &error) == OC_OK;
	if (!w->is_kept)
		oc_log(OC_LOG_WARNING, "%s: a jump of the clock will not be "
		    "noticed by who is started after it", error.text);
}

/* False: it is not there, or was not written by us. */
static bool
read_kept(const struct oc_clock_watch *w, int64_t *offset_ms)
{
	char text[FILE_MAX + 1], *end;
	uint8_t *bytes;
	int64_t value;
	size_t len;

	if (oc_file_read(w->path, FILE_MAX, &bytes, &len, NULL) != OC_OK)
		return false;
	memcpy(text, bytes, len);
	text[len] = '\0';
	free(bytes);
	value = strtoll(text, &end, 10);
	if (end == text || strcmp(end, "\n") != 0 ||
	    value < -OFFSET_MAX_MS || value > OFFSET_MAX_MS)
		return false;
	*offset_ms = value;
	return true;
}

static void
believe(struct oc_clock_watch *w, int64_t offset_ms, int64_t boot_ms)
{
	w->offset_ms = offset_ms;
	w->followed_at_ms = boot_ms;
	w->jump_ms = 0;
}

static bool
is_jump(int64_t ms)
{
	return ms > OC_CLOCK_STEP_MAX_S * 1000 ||
	    ms < -OC_CLOCK_STEP_MAX_S * 1000;
}

enum oc_err
oc_clock_watch_init(struct oc_clock_watch *w, const char *run_directory,
    enum oc_clock_watch_role role)
{
	int64_t boot_ms = oc_clock_boot_ms(), offset_ms;

	*w = (struct oc_clock_watch){ .role = role };
	if (oc_path_join(run_directory, OC_CLOCK_WATCH_NAME, &w->path) !=
	    OC_OK)
		return OC_ERR_NOMEM;
	if (read_kept(w, &offset_ms)) {
		believe(w, offset_ms, boot_ms);
		w->is_kept = true;
	} else {
		believe(w, oc_clock_now_ms() - boot_ms, boot_ms);
		keep(w);
	}
	return OC_OK;
}

void
oc_clock_watch_fini(struct oc_clock_watch *w)
{
	free(w->path);
	*w = (struct oc_clock_watch){ 0 };
}

/* Somebody may have said meanwhile that the clock is right. */
static void
look_at_file(struct oc_clock_watch *w, int64_t offset_ms, int64_t boot_ms)
{
	int64_t kept_ms;

	if (read_kept(w, &kept_ms)) {
		if (kept_ms != w->offset_ms)
			believe(w, kept_ms, boot_ms);
	} else if (w->role == OC_CLOCK_WATCH_WRITES && w->is_kept &&
	    access(w->path, F_OK) != 0) {
		believe(w, offset_ms, boot_ms);
		keep(w);
	}
}

int64_t
oc_clock_watch_look(struct oc_clock_watch *w)
{
	int64_t boot_ms, offset_ms;

	if (w == NULL)
		return 0;
	boot_ms = oc_clock_boot_ms();
	offset_ms = oc_clock_now_ms() - boot_ms;
	if (is_jump(offset_ms - w->offset_ms))
		look_at_file(w, offset_ms, boot_ms);
	if (is_jump(offset_ms - w->offset_ms)) {
		w->jump_ms = offset_ms - w->offset_ms;
		return w->jump_ms;
	}
	w->jump_ms = 0;
	if (boot_ms - w->followed_at_ms >= FOLLOW_MS) {
		believe(w, offset_ms, boot_ms);
		keep(w);
	}
	return 0;
}

int64_t
oc_clock_watch_now_s(const struct oc_clock_watch *w)
{
	if (w == NULL || w->jump_ms == 0)
		return oc_clock_now_s();
	return (oc_clock_boot_ms() + w->offset_ms) / 1000;
}
