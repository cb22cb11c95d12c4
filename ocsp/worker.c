/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A responder's loop: keeps time, holds the buffers, and ends.  All
 * memory is allocated here, before the first connection.
 */
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "ocsp/worker_state.h"

/* Deadlines and tables are looked at so often. */
#define TICK_NS (250 * OC_NS_PER_MS)
/* Fds that connections leave to tables, the channel and the loop itself, and
 * two to each file: its successor may be there before it has been sent. */
#define FDS_KEPT 24
/* A buffer that is released gives back the pages behind the longest usual
 * request; more of them than are usual at once give back all. */
#define BUFFER_KEPT_LEN (16 * 1024)
#define BUFFERS_KEPT 64

void
ocsp_worker_options_init(struct ocsp_worker_options *options)
{
	memset(options, 0, sizeof(*options));
	options->prefix = "/";
	options->connections_max = 10000;
	options->misses_max = 1024;
	options->retry_after_s = 5;
	options->idle_timeout_ns = 30 * OC_NS_PER_S;
	options->header_timeout_ns = 5 * OC_NS_PER_S;
	options->body_timeout_ns = 15 * OC_NS_PER_S;
	options->write_timeout_ns = 30 * OC_NS_PER_S;
	options->status_timeout_ns = 8 * OC_NS_PER_S;
	options->drain_idle_ns = 2 * OC_NS_PER_S;
	/* ocsignd waits 10 s. */
	options->drain_timeout_ns = 8 * OC_NS_PER_S;
}

bool
http_worker_is_ending(const struct ocsp_worker *w)
{
	return w->is_stopping && w->now_ns >= w->stop_idle_at_ns;
}

void
http_worker_now(struct ocsp_worker *w)
{
	w->now_ns = oc_clock_mono_ns();
	http_now_set(&w->now, oc_clock_now_s() + w->clock_behind_s);
}

/* After a jump the later of the two times counts: what is served is valid by
 * both. */
static void
watch_clock(struct ocsp_worker *w)
{
	int64_t jump_ms = oc_clock_watch_look(w->options.clock);

	w->clock_behind_s = jump_ms < 0 ? (999 - jump_ms) / 1000 : 0;
}

uint8_t *
http_buffer_acquire(struct ocsp_worker *w)
{
	if (w->num_free_buffers > 0)
		return w->free_buffers[--w->num_free_buffers];
	if (w->num_buffers_used == w->num_buffers) {
		w->counts->buffers_exhausted++;
		return NULL;
	}
	return w->arena + (size_t)w->num_buffers_used++ * WORKER_BUFFER_LEN;
}

/* Pages that lie in it wholly, should they be larger than usual. */
static void
give_back(uint8_t *p, size_t len)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t skip = (page - (uintptr_t)p % page) % page;

	if (len > skip + page)
		(void)madvise(p + skip, (len - skip) / page * page,
		    MADV_DONTNEED);
}

void
http_buffer_release(struct ocsp_worker *w, uint8_t *buffer, size_t high)
{
	size_t kept = w->num_free_buffers < BUFFERS_KEPT ? BUFFER_KEPT_LEN : 0;

	if (high > kept)
		give_back(buffer + kept, WORKER_BUFFER_LEN - kept);
	w->free_buffers[w->num_free_buffers++] = buffer;
}

void
http_worker_forget(struct ocsp_worker *w, struct connection *c)
{
	TAILQ_INSERT_HEAD(&w->free_connections, c, link);
	w->num_connections--;
	http_accept_resume(w);
	/* While there are listeners, others are let in. */
	if (w->is_stopping && w->num_listeners == 0 &&
	    w->num_connections == 0)
		event_base_loopbreak(w->base);
}

static void
expire(struct ocsp_worker *w)
{
	struct connection *c;
	enum worker_timer timer;

	for (timer = TIMER_IDLE; timer < TIMER_NONE; timer++)
		while ((c = TAILQ_FIRST(&w->timers[timer])) != NULL &&
		    c->deadline_ns <= w->now_ns) {
			if (timer == TIMER_WRITE && http_body_goes_on(c))
				continue;
			w->counts->timeouts += timer != TIMER_IDLE &&
			    timer != TIMER_LINGER;
			http_connection_close(c);
		}
}

/* Those between requests; one last look for what has come meanwhile. */
static void
close_idle(struct ocsp_worker *w, enum worker_timer timer)
{
	struct connection *c, *next;

	for (c = TAILQ_FIRST(&w->timers[timer]); c != NULL; c = next) {
		next = TAILQ_NEXT(c, link);
		c->is_readable = true;
		http_connection_run(c);
	}
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct ocsp_worker *w = arg;

	(void)fd;
	(void)what;
	watch_clock(w);
	http_worker_now(w);
	expire(w);
	http_tables_check(w);
	http_files_check(w);
	http_accept_resume(w);
	if (http_worker_is_ending(w)) {
		close_idle(w, TIMER_IDLE);
		close_idle(w, TIMER_HEADER);
	}
	if (w->is_stopping && w->now_ns >= w->stop_at_ns)
		event_base_loopbreak(w->base);
}

static void
on_channel(evutil_socket_t fd, short what, void *arg)
{
	struct ocsp_worker *w = arg;

	(void)fd;
	(void)what;
	ipc_channel_dispatch(w->status);
}

static void
hold_status(void *arg, bool is_held)
{
	struct ocsp_worker *w = arg;

	ipc_channel_hold(w->status, is_held);
}

static void
on_signal(evutil_socket_t number, short what, void *arg)
{
	(void)number;
	(void)what;
	ocsp_worker_stop(arg);
}

void
ocsp_worker_stop(struct ocsp_worker *w)
{
	size_t i;

	if (w->is_stopping)
		return;
	http_worker_now(w);
	w->is_stopping = true;
	w->is_accepting = false;
	w->stop_idle_at_ns = w->now_ns + w->options.drain_idle_ns;
	w->stop_at_ns = w->now_ns + w->options.drain_timeout_ns;
	for (i = 0; i < w->num_listeners; i++) {
		http_accept_rest(w, event_get_fd(w->listeners[i]));
		close(event_get_fd(w->listeners[i]));
		event_free(w->listeners[i]);
	}
	w->num_listeners = 0;
	if (w->num_connections == 0)
		event_base_loopbreak(w->base);
}

/* Never more connections than descriptors. */
static uint32_t
connections_max(uint32_t wanted, rlim_t kept)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 ||
	    limit.rlim_cur == RLIM_INFINITY ||
	    limit.rlim_cur >= wanted + kept)
		return wanted;
	return (uint32_t)(limit.rlim_cur > 2 * kept ? limit.rlim_cur - kept :
	    kept);
}

static enum oc_err
allocate(struct ocsp_worker *w)
{
	struct ocsp_sources_options sources = w->options.sources;

	w->connections_max = connections_max(w->options.connections_max,
	    FDS_KEPT + 2 * w->options.num_files);
	sources.connections_max = w->connections_max;
	w->connections = calloc(w->connections_max, sizeof(*w->connections));
	/* Pages that are never touched cost nothing. */
	w->num_buffers = 2 * w->connections_max < WORKER_BUFFERS_MAX ?
	    2 * w->connections_max : WORKER_BUFFERS_MAX;
	w->arena = mmap(NULL, (size_t)w->num_buffers * WORKER_BUFFER_LEN,
	    PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS |
	    MAP_NORESERVE, -1, 0);
	if (w->arena == MAP_FAILED)
		w->arena = NULL;
	w->free_buffers = calloc(w->num_buffers, sizeof(*w->free_buffers));
	w->scratch = malloc(WORKER_BUFFER_LEN);
	w->out = malloc(WORKER_OUT_ROOM);
	w->frame = malloc(OC_FRAME_MAX);
	if (w->connections == NULL || w->arena == NULL ||
	    w->free_buffers == NULL || w->scratch == NULL || w->out == NULL ||
	    w->frame == NULL)
		return OC_ERR_NOMEM;
	return ocsp_sources_new(&sources, &w->sources);
}

static enum oc_err
add_events(struct ocsp_worker *w)
{
	static const struct timeval tick = { 0, TICK_NS / 1000 };

	w->tick = event_new(w->base, -1, EV_PERSIST, on_tick, w);
	w->on_term = evsignal_new(w->base, SIGTERM, on_signal, w);
	w->on_int = evsignal_new(w->base, SIGINT, on_signal, w);
	w->on_status = event_new(w->base, ipc_channel_fd(w->status),
	    EV_READ | EV_PERSIST, on_channel, w);
	if (w->tick == NULL || w->on_term == NULL || w->on_int == NULL ||
	    w->on_status == NULL || event_add(w->tick, &tick) != 0 ||
	    event_add(w->on_term, NULL) != 0 ||
	    event_add(w->on_int, NULL) != 0 ||
	    event_add(w->on_status, NULL) != 0)
		return OC_ERR_NOMEM;
	return ipc_turn_init(&w->turn, w->base, hold_status, w);
}

static enum oc_err
prepare(struct ocsp_worker *w, const struct ocsp_worker_options *options)
{
	enum oc_err err;

	w->answerer.refuses_bare_nonces = options->refuses_bare_nonces;
	w->answerer.refuses_no_basic = options->refuses_no_basic;
	w->answerer.is_critical_malformed = options->is_critical_malformed;
	w->answerer.skips_other_issuers = options->skips_other_issuers;
	w->answerer.asked = options->asked;
	w->prefix = strdup(options->prefix);
	w->status_path = strdup(options->status_path);
	w->base = event_base_new();
	if (w->prefix == NULL || w->status_path == NULL || w->base == NULL)
		return OC_ERR_NOMEM;
	err = ipc_channel_new(w->status_path, "responder", &w->status);
	if (err == OC_OK)
		err = allocate(w);
	if (err == OC_OK)
		err = add_events(w);
	if (err == OC_OK)
		err = http_tables_init(w, options->issuers,
		    options->num_issuers);
	if (err == OC_OK)
		err = http_files_init(w, options->files, options->num_files);
	if (err == OC_OK)
		err = http_accept_init(w, options->listeners,
		    options->num_listeners);
	http_accept_keep_reserve(w);
	return err;
}

enum oc_err
ocsp_worker_new(const struct ocsp_worker_options *options,
    struct ocsp_worker **worker, struct oc_error *error)
{
	struct ocsp_worker *w = calloc(1, sizeof(*w));
	enum worker_timer timer;
	enum oc_err err;
	size_t i;

	if (w == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	w->reserve_fd = -1;
	w->options = *options;
	w->counts = options->counts != NULL ? options->counts :
	    &w->own_counts;
	TAILQ_INIT(&w->free_connections);
	for (timer = TIMER_IDLE; timer < TIMER_MAX; timer++)
		TAILQ_INIT(&w->timers[timer]);
	watch_clock(w);
	http_worker_now(w);
	err = options->num_issuers > OCSP_ISSUERS_MAX ? OC_ERR_LIMIT :
	    prepare(w, options);
	if (err != OC_OK) {
		for (i = 0; i < w->num_listeners; i++)
			event_free(w->listeners[i]);
		w->num_listeners = 0;
		ocsp_worker_free(w);
		return oc_error_set(error, err, "responder: %s",
		    oc_strerror(err));
	}
	*worker = w;
	return OC_OK;
}

enum oc_err
ocsp_worker_run(struct ocsp_worker *w)
{
	http_accept_resume(w);
	return event_base_dispatch(w->base) < 0 ? OC_ERR_INTERNAL : OC_OK;
}

const struct ocsp_counts *
ocsp_worker_counts(const struct ocsp_worker *w)
{
	return w->counts;
}

static void
free_event(struct event *ev)
{
	if (ev != NULL)
		event_free(ev);
}

void
ocsp_worker_free(struct ocsp_worker *w)
{
	enum worker_timer timer;
	struct connection *c;
	size_t i;

	if (w == NULL)
		return;
	for (timer = TIMER_IDLE; timer < TIMER_MAX; timer++)
		while ((c = TAILQ_FIRST(&w->timers[timer])) != NULL)
			http_connection_close(c);
	for (i = 0; i < w->num_listeners; i++) {
		close(event_get_fd(w->listeners[i]));
		event_free(w->listeners[i]);
	}
	free(w->listeners);
	free_event(w->tick);
	free_event(w->on_term);
	free_event(w->on_int);
	free_event(w->on_status);
	ipc_turn_fini(&w->turn);
	ipc_channel_free(w->status);
	http_tables_fini(w);
	http_files_fini(w);
	if (w->arena != NULL)
		munmap(w->arena, (size_t)w->num_buffers * WORKER_BUFFER_LEN);
	if (w->reserve_fd >= 0)
		close(w->reserve_fd);
	if (w->base != NULL)
		event_base_free(w->base);
	ocsp_sources_free(w->sources);
	free(w->connections);
	free(w->free_buffers);
	free(w->scratch);
	free(w->out);
	free(w->frame);
	free(w->prefix);
	free(w->status_path);
	free(w);
}
