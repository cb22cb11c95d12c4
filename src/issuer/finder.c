/* SPDX-License-Identifier: Apache-2.0 */
#include "issuer/finder.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/log.h"
#include "ipc/channel.h"
#include "issuer/service.h"

#define TIMEOUT_NS (2 * OC_NS_PER_S)
#define AGAIN_S 1

/* What the signer said of one authority. */
struct answer {
	struct sign_key_info info;
	enum oc_err err;
	struct oc_error error;
};

struct issuer_finder {
	struct issuer_authority *authorities;
	size_t num_authorities;
	struct issuer_workers *workers;
	struct event *again;
	/* The worker's, while is_asking. */
	struct issuer_work work;
	struct signer *signer;
	struct answer *answers;		/* one an authority */
	bool is_asking;
};

/* On a worker. */
static void
ask(void *arg)
{
	struct issuer_finder *f = arg;
	char key[SIGN_KEY_NAME_MAX];

	for (size_t i = 0; i < f->num_authorities; i++) {
		struct answer *a = &f->answers[i];

		a->error = (struct oc_error){ 0 };
		a->err = ca_issuer_find_key(f->authorities[i].issuer,
		    f->signer, oc_clock_mono_ns() + TIMEOUT_NS, key,
		    &a->info, &a->error);
	}
}

static void
take_answer(const struct answer *answer, struct issuer_authority *a)
{
	const char *text = answer->error.text;

	if (answer->err != OC_OK) {
		if (strcmp(a->error_text, text) != 0)
			oc_log(OC_LOG_WARNING, "issuer %s: %s",
			    a->issuer->config->name, text);
		snprintf(a->error_text, sizeof(a->error_text), "%s", text);
		return;
	}
	if (a->info != NULL)
		return;
	a->info = malloc(sizeof(*a->info));
	if (a->info == NULL)
		return;
	*a->info = answer->info;
	a->error_text[0] = '\0';
	oc_log(OC_LOG_INFO, "issuer %s: key found", a->issuer->config->name);
}

static bool
has_all_keys(const struct issuer_finder *f)
{
	for (size_t i = 0; i < f->num_authorities; i++)
		if (f->authorities[i].info == NULL)
			return false;
	return true;
}

static void
asked(void *arg)
{
	const struct timeval again = { AGAIN_S, 0 };
	struct issuer_finder *f = arg;

	f->is_asking = false;
	for (size_t i = 0; i < f->num_authorities; i++)
		take_answer(&f->answers[i], &f->authorities[i]);
	if (!has_all_keys(f))
		(void)event_add(f->again, &again);
}

static void
on_again(evutil_socket_t fd, short what, void *arg)
{
	struct issuer_finder *f = arg;

	(void)fd, (void)what;
	if (f->is_asking || f->num_authorities == 0)
		return;
	f->work = (struct issuer_work){ ask, asked, f, NULL };
	f->is_asking = issuer_workers_submit(f->workers, &f->work) == OC_OK;
}

enum oc_err
issuer_finder_new(const char *path, struct event_base *base,
    struct issuer_authority *authorities, size_t num_authorities,
    struct issuer_finder **finder)
{
	struct issuer_finder *f = calloc(1, sizeof(*f));
	enum oc_err err = OC_ERR_NOMEM;

	if (f == NULL)
		return OC_ERR_NOMEM;
	f->authorities = authorities;
	f->num_authorities = num_authorities;
	/* One more: calloc(0) may be NULL. */
	f->answers = calloc(num_authorities + 1, sizeof(*f->answers));
	f->again = evtimer_new(base, on_again, f);
	if (f->answers != NULL && f->again != NULL)
		err = ipc_signer_new(path, "ocsign-issuer", &f->signer);
	if (err != OC_OK) {
		issuer_finder_free(f);
		return err;
	}
	*finder = f;
	return OC_OK;
}

void
issuer_finder_start(struct issuer_finder *f, struct issuer_workers *workers)
{
	f->workers = workers;
	on_again(-1, 0, f);
}

void
issuer_finder_wait(struct issuer_finder *f, int64_t until_ns)
{
	struct pollfd pfd = { .fd = issuer_workers_fd(f->workers),
	    .events = POLLIN };
	int64_t left_ns;

	while (f->is_asking &&
	    (left_ns = until_ns - oc_clock_mono_ns()) > 0) {
		(void)poll(&pfd, 1, (int)(left_ns / OC_NS_PER_MS) + 1);
		issuer_workers_dispatch(f->workers);
	}
}

void
issuer_finder_free(struct issuer_finder *f)
{
	if (f == NULL)
		return;
	if (f->again != NULL)
		event_free(f->again);
	sign_free(f->signer);
	free(f->answers);
	free(f);
}
