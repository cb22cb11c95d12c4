/* SPDX-License-Identifier: Apache-2.0 */
#include "validation/page_loop.h"

#include <stdlib.h>

/* What is over.  The message is gone once its handle is removed. */
static void
take_results(struct validation_pages *pages)
{
	struct validation_visit *visit = NULL;
	CURLMsg *message;
	int num_left;

	while ((message = curl_multi_info_read(pages->multi, &num_left)) !=
	    NULL) {
		CURLcode rc = message->data.result;

		if (message->msg != CURLMSG_DONE ||
		    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE,
		    (char **)&visit) != CURLE_OK)
			continue;
		validation_visit_on_transfer(visit, rc);
	}
}

static void
on_event(evutil_socket_t fd, short events, void *arg)
{
	struct validation_pages *pages = arg;
	int running, what = 0;

	if ((events & EV_READ) != 0)
		what |= CURL_CSELECT_IN;
	if ((events & EV_WRITE) != 0)
		what |= CURL_CSELECT_OUT;
	(void)curl_multi_socket_action(pages->multi, fd, what, &running);
	take_results(pages);
}

static void
on_timer(evutil_socket_t fd, short events, void *arg)
{
	struct validation_pages *pages = arg;
	int running;

	(void)fd, (void)events;
	(void)curl_multi_socket_action(pages->multi, CURL_SOCKET_TIMEOUT, 0,
	    &running);
	take_results(pages);
}

/* libcurl wants another look at this socket, or none. */
static int
on_watch(CURL *curl, curl_socket_t fd, int what, void *arg, void *of_socket)
{
	struct validation_pages *pages = arg;
	struct event *event = of_socket;
	short events = EV_PERSIST;

	(void)curl;
	if (event != NULL)
		event_free(event);
	event = NULL;
	if (what == CURL_POLL_IN || what == CURL_POLL_INOUT)
		events |= EV_READ;
	if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT)
		events |= EV_WRITE;
	/* Without memory for it, the transfer's time runs out. */
	if (what != CURL_POLL_REMOVE) {
		event = event_new(pages->base, fd, events, on_event, pages);
		if (event != NULL)
			(void)event_add(event, NULL);
	}
	(void)curl_multi_assign(pages->multi, fd, event);
	return 0;
}

static int
on_wake(CURLM *multi, long timeout_ms, void *arg)
{
	struct validation_pages *pages = arg;
	struct timeval tv = { timeout_ms / 1000,
		(suseconds_t)(timeout_ms % 1000 * 1000) };

	(void)multi;
	if (timeout_ms < 0)
		(void)evtimer_del(pages->timer);
	else
		(void)evtimer_add(pages->timer, &tv);
	return 0;
}

enum oc_err
validation_page_loop_open(struct validation_pages *pages)
{
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return OC_ERR_INTERNAL;
	pages->timer = evtimer_new(pages->base, on_timer, pages);
	pages->multi = curl_multi_init();
	if (pages->timer == NULL || pages->multi == NULL)
		return OC_ERR_NOMEM;
	if (curl_multi_setopt(pages->multi, CURLMOPT_SOCKETFUNCTION,
	    on_watch) != CURLM_OK || curl_multi_setopt(pages->multi,
	    CURLMOPT_SOCKETDATA, pages) != CURLM_OK ||
	    curl_multi_setopt(pages->multi, CURLMOPT_TIMERFUNCTION,
	    on_wake) != CURLM_OK || curl_multi_setopt(pages->multi,
	    CURLMOPT_TIMERDATA, pages) != CURLM_OK)
		return OC_ERR_INTERNAL;
	return OC_OK;
}

void
validation_page_loop_close(struct validation_pages *pages)
{
	if (pages->multi != NULL)
		(void)curl_multi_cleanup(pages->multi);
	if (pages->timer != NULL)
		event_free(pages->timer);
}
