/* SPDX-License-Identifier: Apache-2.0 */
#include "validation/curl_loop.h"

#include <stdint.h>
#include <stdlib.h>

#include <event2/event.h>

/* One transfer, by CURLOPT_PRIVATE. */
struct transfer {
	validation_curl_done_fn *done;
	void *arg;
};

/* One of libcurl's sockets. */
struct watch {
	struct validation_curl *loop;
	struct event *event;
};

struct validation_curl {
	struct event_base *base;
	CURLM *multi;
	struct event *timer;
	struct event *soon;		/* what is done is said from here */
};

static struct transfer *
transfer_of(CURL *easy)
{
	char *private = NULL;

	(void)curl_easy_getinfo(easy, CURLINFO_PRIVATE, &private);
	return (struct transfer *)(void *)private;
}

static void
end_transfer(struct validation_curl *loop, CURL *easy)
{
	struct transfer *t = transfer_of(easy);

	(void)curl_multi_remove_handle(loop->multi, easy);
	(void)curl_easy_setopt(easy, CURLOPT_PRIVATE, NULL);
	free(t);
}

/* Who is called may begin transfers, end others, and free handles. */
static void
on_soon(evutil_socket_t fd, short what, void *arg)
{
	struct validation_curl *loop = arg;
	CURLMsg *message;
	int num_left;

	(void)fd, (void)what;
	while ((message = curl_multi_info_read(loop->multi, &num_left)) !=
	    NULL) {
		struct transfer t;
		CURL *easy = message->easy_handle;
		CURLcode rc = message->data.result;

		if (message->msg != CURLMSG_DONE)
			continue;
		t = *transfer_of(easy);
		end_transfer(loop, easy);
		t.done(t.arg, rc);
	}
}

static void
act(struct validation_curl *loop, curl_socket_t socket, int what)
{
	int num_running;

	(void)curl_multi_socket_action(loop->multi, socket, what,
	    &num_running);
	event_active(loop->soon, EV_TIMEOUT, 0);
}

static void
on_socket_event(evutil_socket_t fd, short what, void *arg)
{
	const struct watch *w = arg;

	act(w->loop, fd, ((what & EV_READ) != 0 ? CURL_CSELECT_IN : 0) |
	    ((what & EV_WRITE) != 0 ? CURL_CSELECT_OUT : 0));
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	act(arg, CURL_SOCKET_TIMEOUT, 0);
}

/* --- what libcurl calls ------------------------------------------------- */

static int
on_socket(CURL *easy, curl_socket_t socket, int what, void *arg,
    void *socket_arg)
{
	struct validation_curl *loop = arg;
	struct watch *w = socket_arg;
	short events = EV_PERSIST;

	(void)easy;
	if (w != NULL && w->event != NULL)
		event_free(w->event);
	if (what == CURL_POLL_REMOVE || w == NULL) {
		free(w);
		w = what == CURL_POLL_REMOVE ? NULL : calloc(1, sizeof(*w));
		(void)curl_multi_assign(loop->multi, socket, w);
		if (w == NULL)
			return what == CURL_POLL_REMOVE ? 0 : -1;
		w->loop = loop;
	}
	if ((what & CURL_POLL_IN) != 0)
		events |= EV_READ;
	if ((what & CURL_POLL_OUT) != 0)
		events |= EV_WRITE;
	w->event = event_new(loop->base, socket, events, on_socket_event, w);
	return w->event != NULL && event_add(w->event, NULL) == 0 ? 0 : -1;
}

static int
on_timeout(CURLM *multi, long timeout_ms, void *arg)
{
	struct validation_curl *loop = arg;
	struct timeval tv = { timeout_ms / 1000, timeout_ms % 1000 * 1000 };

	(void)multi;
	if (timeout_ms < 0)
		return evtimer_del(loop->timer);
	return evtimer_add(loop->timer, &tv);
}

/* --- what others call --------------------------------------------------- */

enum oc_err
validation_curl_add(struct validation_curl *loop, CURL *easy,
    validation_curl_done_fn *done, void *arg)
{
	struct transfer *t = malloc(sizeof(*t));

	if (t == NULL)
		return OC_ERR_NOMEM;
	t->done = done;
	t->arg = arg;
	if (curl_easy_setopt(easy, CURLOPT_PRIVATE, t) != CURLE_OK ||
	    curl_multi_add_handle(loop->multi, easy) != CURLM_OK) {
		(void)curl_easy_setopt(easy, CURLOPT_PRIVATE, NULL);
		free(t);
		return OC_ERR_INTERNAL;
	}
	return OC_OK;
}

void
validation_curl_remove(struct validation_curl *loop, CURL *easy)
{
	end_transfer(loop, easy);
}

enum oc_err
validation_curl_new(struct event_base *base, struct validation_curl **out)
{
	struct validation_curl *loop = calloc(1, sizeof(*loop));

	if (loop == NULL)
		return OC_ERR_NOMEM;
	loop->base = base;
	loop->multi = curl_multi_init();
	loop->timer = evtimer_new(base, on_timer, loop);
	loop->soon = evtimer_new(base, on_soon, loop);
	if (loop->multi == NULL || loop->timer == NULL ||
	    loop->soon == NULL || curl_multi_setopt(loop->multi,
	    CURLMOPT_SOCKETFUNCTION, on_socket) != CURLM_OK ||
	    curl_multi_setopt(loop->multi, CURLMOPT_SOCKETDATA, loop) !=
	    CURLM_OK || curl_multi_setopt(loop->multi, CURLMOPT_TIMERFUNCTION,
	    on_timeout) != CURLM_OK || curl_multi_setopt(loop->multi,
	    CURLMOPT_TIMERDATA, loop) != CURLM_OK) {
		validation_curl_free(loop);
		return OC_ERR_NOMEM;
	}
	*out = loop;
	return OC_OK;
}

void
validation_curl_free(struct validation_curl *loop)
{
	if (loop == NULL)
		return;
	/* It takes its sockets away by on_socket(), and its timer. */
	if (loop->multi != NULL)
		(void)curl_multi_cleanup(loop->multi);
	if (loop->timer != NULL)
		event_free(loop->timer);
	if (loop->soon != NULL)
		event_free(loop->soon);
	free(loop);
}
