/* SPDX-License-Identifier: Apache-2.0 */
#include "status/watch.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/clock_watch.h"
#include "base/log.h"
#include "base/thread.h"
#include "der/time.h"

#define PAUSE_NS OC_NS_PER_S
/* What cannot be read is somebody's who still writes it, for so long after
 * the file has last changed, and no longer than that in all. */
#define SETTLE_NS (3 * OC_NS_PER_S)
#define WRITING_MAX_NS (60 * OC_NS_PER_S)
/* Time alone may make good what was refused: it is from the future. */
#define AGAIN_NS (30 * OC_NS_PER_S)

struct status_watch {
	struct status_watch_plan plan;	/* strings owned */

	/* The thread's. */
	struct oc_file_stamp seen;	/* as it was last */
	int64_t seen_ns;		/* since when it is so; 0: never */
	int64_t read_ns;		/* when it was last read */
	int64_t unread_ns;		/* since when it is no good, and that
					 * is not said yet; 0: it is */
	bool is_well;			/* what was last read is in force */
	bool is_copied;			/* what is in force */
	bool is_first;			/* look */
	bool has_said_end;
	struct status_issued_file issued_file;

	pthread_t thread;
	bool has_thread;
	pthread_mutex_t lock;		/* for the rest */
	pthread_cond_t stopping;
	bool is_stopping;
	struct oc_clock_watch clock;	/* of clock_directory */
	struct status_list *list;	/* in force; held */
	struct status_bounds bounds;	/* its */
	struct status_issued *issued;	/* held */
	uint64_t generation;
	int64_t refused_since;
	bool is_awaited;		/* the first one, by who fetches it */
	char why[OC_ERROR_TEXT_MAX];
	uint64_t num_taken, num_refused;
};

/* --- what is said ------------------------------------------------------ */

static void
set_trouble(struct status_watch *w, int64_t now, const char *why)
{
	pthread_mutex_lock(&w->lock);
	if (w->refused_since == 0)
		w->refused_since = now;
	w->is_awaited = false;
	w->num_refused++;
	(void)snprintf(w->why, sizeof(w->why), "%s", why);
	pthread_mutex_unlock(&w->lock);
}

/* Only this thread writes to w->why. */
static bool
is_said(const struct status_watch *w, const char *why)
{
	return w->refused_since != 0 && strcmp(w->why, why) == 0;
}

/* Who fetches it says what hinders him. */
static void
await_first(struct status_watch *w)
{
	if (w->is_awaited)
		return;
	pthread_mutex_lock(&w->lock);
	w->is_awaited = true;
	pthread_mutex_unlock(&w->lock);
	oc_log(OC_LOG_NOTICE, "issuer %s: the %s has not been fetched yet, to "
	    "%s: until it is, the answer is tryLater", w->plan.issuer,
	    w->plan.noun, w->plan.path);
}

static bool
is_awaited(const struct status_watch *w, enum oc_err err)
{
	return err == OC_ERR_NOT_FOUND && w->plan.is_fetched &&
	    w->list == NULL && w->refused_since == 0;
}

/* Once for each reason. */
static void
refuse(struct status_watch *w, int64_t now, const struct oc_error *why)
{
	char until[DER_ISO8601_MAX];

	w->is_well = false;
	if (is_said(w, why->text))
		return;
	set_trouble(w, now, why->text);
	if (w->list == NULL) {
		oc_log(OC_LOG_ERROR, "issuer %s: %s %s is refused, and "
		    "there was no good one before: %s", w->plan.issuer,
		    w->plan.key, w->plan.path, why->text);
		return;
	}
	der_format_iso8601(w->bounds.next_update, until);
	oc_log(OC_LOG_ERROR, "issuer %s: %s %s is refused: %s; the last "
	    "good one stays in force until %s", w->plan.issuer, w->plan.key,
	    w->plan.path, why->text, until);
}

static void
note_end(struct status_watch *w, int64_t now)
{
	char at[DER_ISO8601_MAX];

	if (w->list == NULL || w->bounds.next_update > now || w->has_said_end)
		return;
	w->has_said_end = true;
	der_format_iso8601(w->bounds.next_update, at);
	oc_log(OC_LOG_ERROR, "issuer %s: the %s has ended at %s, and there "
	    "is no newer good one in %s", w->plan.issuer, w->plan.noun, at,
	    w->plan.path);
}

static void
note_well(struct status_watch *w)
{
	if (w->refused_since == 0)
		return;
	pthread_mutex_lock(&w->lock);
	w->refused_since = 0;
	w->why[0] = '\0';
	pthread_mutex_unlock(&w->lock);
	oc_log(OC_LOG_NOTICE, "issuer %s: %s %s is well again",
	    w->plan.issuer, w->plan.key, w->plan.path);
}

/* --- what is in force -------------------------------------------------- */

/* Who has no dates of its own is good until so long after it was read. */
static struct status_bounds
bounds_of(const struct status_watch *w, const struct status_list *list,
    int64_t read_at)
{
	if (list->next_update != 0)
		return (struct status_bounds){ list->this_update,
		    list->next_update };
	return (struct status_bounds){ read_at, read_at + w->plan.max_age_s };
}

/* The list in force is what is in the file now. */
static void
confirm(struct status_watch *w, int64_t now)
{
	w->is_well = true;
	pthread_mutex_lock(&w->lock);
	w->bounds = bounds_of(w, w->list, now);
	if (w->bounds.next_update > now)
		w->has_said_end = false;
	pthread_mutex_unlock(&w->lock);
}

static void
put_in_force(struct status_watch *w, struct status_list *list, int64_t now)
{
	struct status_list *before = w->list;

	pthread_mutex_lock(&w->lock);
	w->list = list;
	w->bounds = bounds_of(w, list, now);
	w->generation++;
	w->is_awaited = false;
	w->num_taken++;
	w->has_said_end = false;
	pthread_mutex_unlock(&w->lock);
	status_list_release(before);
}

/* Keeps what is to be known after a restart; tried again until it is.  What is
 * said of the file itself is worse than that it can't be. */
static void
keep_copy(struct status_watch *w, int64_t now, bool is_file_well)
{
	struct oc_error error = { 0 };
	enum oc_err err;

	if (w->is_copied || w->list == NULL)
		return;
	err = w->plan.ops->keep(w->plan.arg, w->list, &error);
	w->is_copied = err == OC_OK;
	if (err == OC_OK || !is_file_well || is_said(w, error.text))
		return;
	set_trouble(w, now, error.text);
	oc_log(OC_LOG_ERROR, "issuer %s: the %s is in force, but no copy of "
	    "it could be kept, and a restart would take an older one: %s",
	    w->plan.issuer, w->plan.noun, error.text);
}

/* Who has been answered by it is not to be answered by an older one after a
 * crash: the copy is there first.  Without one it is in force all the same.
 * EXISTS: it is in force already. */
static enum oc_err
take(struct status_watch *w, enum status_from from, int64_t now,
    bool is_settled, struct oc_error *error)
{
	const struct status_watch_ops *ops = w->plan.ops;
	struct status_list *list = NULL;
	enum oc_err err;

	err = ops->load(w->plan.arg, from, w->list, &list, error);
	if (err == OC_OK)
		err = ops->judge(w->plan.arg, list, w->list, now, error);
	if (err == OC_OK && !is_settled && ops->may_be_half != NULL &&
	    ops->may_be_half(w->plan.arg))
		err = oc_error_set(error, OC_ERR_BUSY, "it says less than "
		    "before, and has just changed");
	if (err != OC_OK) {
		status_list_release(list);
		return err;
	}
	/* Of one without dates, for its copy. */
	if (from == STATUS_FROM_FILE && list->next_update == 0)
		list->this_update = now;
	w->is_copied = from == STATUS_FROM_COPY ||
	    ops->keep(w->plan.arg, list, NULL) == OC_OK;
	ops->say_taken(w->plan.arg, list);
	put_in_force(w, list, now);
	return OC_OK;
}

/* --- the file ---------------------------------------------------------- */

static enum oc_err
stamp_of(const struct status_watch *w, struct oc_file_stamp *stamp,
    struct oc_error *error)
{
	return w->plan.ops->stamp != NULL ? w->plan.ops->stamp(w->plan.arg,
	    stamp, error) : oc_file_stamp(w->plan.path, stamp, error);
}

/* What is wrong with it while somebody writes it, or removes it first, is
 * gone a moment later. */
static bool
may_be_unfinished(struct status_watch *w, int64_t mono_ns)
{
	bool is;

	if (w->unread_ns == 0)
		w->unread_ns = mono_ns;
	is = !w->is_first && mono_ns - w->seen_ns < SETTLE_NS &&
	    mono_ns - w->unread_ns < WRITING_MAX_NS;
	if (!is)
		w->unread_ns = 0;
	return is;
}

/* It has changed; or it was read so soon after a change that another may have
 * left no trace in its times; or time has passed. */
static bool
is_to_be_read(struct status_watch *w, const struct oc_file_stamp *stamp,
    int64_t mono_ns)
{
	if (w->is_first || w->seen_ns == 0 ||
	    !oc_file_stamp_equal(stamp, &w->seen)) {
		w->seen = *stamp;
		w->seen_ns = mono_ns;
		return true;
	}
	return (w->read_ns - w->seen_ns < SETTLE_NS &&
	    (!w->plan.is_exact || w->unread_ns != 0)) ||
	    (w->refused_since != 0 && mono_ns - w->read_ns >= AGAIN_NS);
}

static bool
look_at_issued(struct status_watch *w, int64_t mono_ns)
{
	struct status_issued *before = w->issued, *issued;

	if (w->plan.issued == NULL)
		return false;
	issued = status_issued_file_look(&w->issued_file, w->plan.issuer,
	    mono_ns);
	if (issued == NULL)
		return false;
	pthread_mutex_lock(&w->lock);
	w->issued = issued;
	w->generation++;
	pthread_mutex_unlock(&w->lock);
	status_issued_release(before);
	return true;
}

static enum oc_err
read_again(struct status_watch *w, enum oc_err err, int64_t now,
    int64_t mono_ns, struct oc_error *error)
{
	w->read_ns = mono_ns;
	if (err == OC_OK)
		err = take(w, STATUS_FROM_FILE, now,
		    mono_ns - w->seen_ns >= SETTLE_NS, error);
	if (err == OC_OK || err == OC_ERR_EXISTS) {
		w->unread_ns = 0;
		confirm(w, now);
		keep_copy(w, now, true);
		if (w->is_copied)
			note_well(w);
	} else if (is_awaited(w, err)) {
		await_first(w);
	} else {
		if (!may_be_unfinished(w, mono_ns))
			refuse(w, now, error);
		keep_copy(w, now, false);
	}
	return err;
}

static bool
look_at_list(struct status_watch *w, int64_t now, int64_t mono_ns)
{
	struct oc_file_stamp stamp = { .len = 0 };
	struct oc_error error = { 0 };
	bool has_changed = false;
	enum oc_err err;

	err = stamp_of(w, &stamp, &error);
	if (is_to_be_read(w, &stamp, mono_ns))
		has_changed = read_again(w, err, now, mono_ns, &error) ==
		    OC_OK;
	else if (w->is_well && err == OC_OK)
		confirm(w, now);
	w->is_first = false;
	note_end(w, now);
	return has_changed;
}

/* Who is issued before who is revoked: a list may be made of both at once. */
bool
status_watch_look(struct status_watch *w, int64_t now, int64_t mono_ns)
{
	bool has_issued = look_at_issued(w, mono_ns);

	return look_at_list(w, now, mono_ns) || has_issued;
}

/* False: stop. */
static bool
pause_a_while(struct status_watch *w)
{
	int64_t until_ns = oc_clock_mono_ns() + PAUSE_NS;
	struct timespec until = { until_ns / OC_NS_PER_S,
	    until_ns % OC_NS_PER_S };
	bool goes_on;
	int rc = 0;

	pthread_mutex_lock(&w->lock);
	while (!w->is_stopping && rc == 0)
		rc = pthread_cond_timedwait(&w->stopping, &w->lock, &until);
	goes_on = !w->is_stopping;
	pthread_mutex_unlock(&w->lock);
	return goes_on;
}

static void *
watch_main(void *arg)
{
	struct status_watch *w = arg;

	while (pause_a_while(w))
		(void)status_watch_look(w, status_watch_now(w),
		    oc_clock_mono_ns());
	return NULL;
}

/* --- start and end ----------------------------------------------------- */

/* Another key's, or damaged: as if there were none. */
static void
read_copy(struct status_watch *w)
{
	struct status_list *list = NULL;
	struct oc_error error = { 0 };
	enum oc_err err;

	err = w->plan.ops->load(w->plan.arg, STATUS_FROM_COPY, NULL, &list,
	    &error);
	if (err == OC_OK) {
		w->list = list;
		w->bounds = bounds_of(w, list, list->this_update);
		w->generation++;
		w->is_copied = true;
	} else if (err != OC_ERR_NOT_FOUND)
		oc_log(OC_LOG_WARNING, "issuer %s: the copy of the last good "
		    "%s is not used, and whether the next is older is not "
		    "known: %s", w->plan.issuer, w->plan.noun, error.text);
}

static bool
copy_plan(struct status_watch *w, const struct status_watch_plan *plan)
{
	w->plan = *plan;
	w->plan.issuer = strdup(plan->issuer);
	w->plan.path = strdup(plan->path);
	if (plan->issued != NULL)
		w->plan.issued = strdup(plan->issued);
	w->issued_file.path = w->plan.issued;
	if (plan->clock_directory != NULL && oc_clock_watch_init(&w->clock,
	    plan->clock_directory, OC_CLOCK_WATCH_READS) != OC_OK)
		return false;
	w->plan.clock_directory = NULL;
	return w->plan.issuer != NULL && w->plan.path != NULL &&
	    (w->plan.issued == NULL) == (plan->issued == NULL);
}

static void
init_lock(struct status_watch *w)
{
	pthread_condattr_t attr;

	(void)pthread_mutex_init(&w->lock, NULL);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&w->stopping, &attr);
	(void)pthread_condattr_destroy(&attr);
}

enum oc_err
status_watch_new(const struct status_watch_plan *plan,
    struct status_watch **watch, struct oc_error *error)
{
	struct status_watch *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	init_lock(w);
	w->is_first = true;
	if (!copy_plan(w, plan)) {
		status_watch_free(w);
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	}
	read_copy(w);
	(void)status_watch_look(w, status_watch_now(w), oc_clock_mono_ns());
	*watch = w;
	return OC_OK;
}

/* Of whoever watched until now: what he took last need not be in the file any
 * more. */
static void
take_copy(struct status_watch *w)
{
	struct oc_error error = { 0 };

	if (take(w, STATUS_FROM_COPY, status_watch_now(w), true, &error) ==
	    OC_OK)
		w->is_copied = true;
}

enum oc_err
status_watch_start(struct status_watch *w)
{
	take_copy(w);
	if (oc_thread_start(&w->thread, watch_main, w) != 0)
		return OC_ERR_NOMEM;
	w->has_thread = true;
	return OC_OK;
}

void
status_watch_stop(struct status_watch *w)
{
	pthread_mutex_lock(&w->lock);
	w->is_stopping = true;
	pthread_cond_signal(&w->stopping);
	pthread_mutex_unlock(&w->lock);
	if (w->has_thread)
		(void)pthread_join(w->thread, NULL);
	w->has_thread = false;
}

void
status_watch_free(struct status_watch *w)
{
	if (w == NULL)
		return;
	status_watch_stop(w);
	status_list_release(w->list);
	status_issued_release(w->issued);
	oc_clock_watch_fini(&w->clock);
	(void)pthread_cond_destroy(&w->stopping);
	(void)pthread_mutex_destroy(&w->lock);
	free((char *)w->plan.issuer);
	free((char *)w->plan.path);
	free((char *)w->plan.issued);
	free(w);
}

/* --- for everybody ----------------------------------------------------- */

void
status_watch_hold(struct status_watch *w, struct status_said *said)
{
	pthread_mutex_lock(&w->lock);
	*said = (struct status_said){ w->list, w->issued, w->bounds,
	    w->generation };
	if (said->list != NULL)
		status_list_hold(said->list);
	if (said->issued != NULL)
		status_issued_hold(said->issued);
	pthread_mutex_unlock(&w->lock);
}

void
status_said_fini(struct status_said *said)
{
	status_list_release(said->list);
	status_issued_release(said->issued);
	*said = (struct status_said){ NULL, NULL, { 0, 0 }, 0 };
}

uint64_t
status_watch_generation(struct status_watch *w)
{
	uint64_t generation;

	pthread_mutex_lock(&w->lock);
	generation = w->generation;
	pthread_mutex_unlock(&w->lock);
	return generation;
}

int64_t
status_watch_now(struct status_watch *w)
{
	int64_t now;

	if (w->clock.path == NULL)
		return oc_clock_now_s();
	pthread_mutex_lock(&w->lock);
	(void)oc_clock_watch_look(&w->clock);
	now = oc_clock_watch_now_s(&w->clock);
	pthread_mutex_unlock(&w->lock);
	return now;
}

struct status_bounds
status_watch_bounds(struct status_watch *w)
{
	struct status_bounds bounds;

	pthread_mutex_lock(&w->lock);
	bounds = w->bounds;
	pthread_mutex_unlock(&w->lock);
	return bounds;
}

void
status_watch_report(struct status_watch *w,
    struct status_watch_report *report)
{
	struct status_watch_report r = { .issuer = w->plan.issuer,
	    .key = w->plan.key, .noun = w->plan.noun };

	pthread_mutex_lock(&w->lock);
	r.refused_since = w->refused_since;
	r.is_awaited = w->is_awaited;
	(void)snprintf(r.why, sizeof(r.why), "%s", w->why);
	r.num_taken = w->num_taken;
	r.num_refused = w->num_refused;
	r.bounds = w->bounds;
	if (w->list != NULL) {
		r.has_list = true;
		r.num_entries = w->list->num_entries;
		r.num_revoked = w->list->num_revoked;
	}
	pthread_mutex_unlock(&w->lock);
	*report = r;
}

enum status_watch_state
status_watch_report_state(const struct status_watch_report *r, int64_t now)
{
	if (!r->has_list)
		return STATUS_WATCH_NONE;
	if (r->bounds.next_update <= now)
		return STATUS_WATCH_ENDED;
	return r->refused_since != 0 ? STATUS_WATCH_REFUSED :
	    STATUS_WATCH_CURRENT;
}

const char *
status_watch_state_word(enum status_watch_state state)
{
	switch (state) {
	case STATUS_WATCH_CURRENT:
		return "current";
	case STATUS_WATCH_REFUSED:
		return "refused";
	case STATUS_WATCH_ENDED:
		return "ended";
	case STATUS_WATCH_NONE:
		break;
	}
	return "none";
}
