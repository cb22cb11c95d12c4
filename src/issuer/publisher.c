/* SPDX-License-Identifier: Apache-2.0 */
/* Locking: the mutex over is_stopping alone; all else is one thread's. */
#include "issuer/publisher.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/clock_watch.h"
#include "base/crl_trouble.h"
#include "base/log.h"
#include "base/thread.h"
#include "ca/due.h"
#include "ipc/channel.h"
#include "issuer/health.h"

#define LINES_MAX 4
/* How often the records are looked at: for a revocation, and for a time. */
#define LOOK_SOON_NS (OC_NS_PER_S / 4)
#define LOOK_NS OC_NS_PER_S
#define PAUSE_MIN_NS OC_NS_PER_S
#define PAUSE_MAX_NS (60 * OC_NS_PER_S)
#define STATUS_NS (2 * OC_NS_PER_S)

/* One issuer. */
struct task {
	const struct oc_config_issuer *config;
	struct ca_issuer *issuer;	/* NULL: not loaded yet */
	struct ca_due due;
	bool has_looked;		/* for another crl-url */
	bool is_known;			/* due_at is */
	int64_t due_at;
	char *path;			/* of trouble */
	bool is_clear;			/* there is no such file */
	struct oc_crl_trouble trouble;
	int64_t pause_ns, retry_ns;	/* 0: nothing has failed */
};

/* One thread. */
struct line {
	struct issuer_publisher *of;
	pthread_t thread;
	struct task *tasks;
	size_t num_tasks;
	struct store *store;		/* NULL: to be opened */
	int64_t version;
	bool has_version;
	int64_t look_ns;
	struct oc_clock_watch clock;
};

struct issuer_publisher {
	const struct oc_config *config;
	char *signer_path;
	pthread_mutex_t mutex;
	pthread_cond_t stop;
	bool is_stopping;
	struct line lines[LINES_MAX];
	size_t num_lines, num_started;
};

/* --- what fails --------------------------------------------------------- */

static void
fail(struct task *t, const char *why)
{
	struct oc_crl_trouble *trouble = &t->trouble;
	struct oc_crl_trouble now = { .why = "" };
	struct oc_error error = { 0 };

	t->pause_ns = t->pause_ns == 0 ? PAUSE_MIN_NS : 2 * t->pause_ns;
	if (t->pause_ns > PAUSE_MAX_NS)
		t->pause_ns = PAUSE_MAX_NS;
	t->retry_ns = oc_clock_mono_ns() + t->pause_ns;
	oc_crl_trouble_say(&now, why);
	if (strcmp(now.why, trouble->why) != 0)
		oc_log(OC_LOG_WARNING, "issuer %s: its CRL could not be "
		    "published: %s: it is tried again", t->config->name,
		    now.why);
	now.since = trouble->num_failures > 0 ? trouble->since :
	    oc_clock_now_s();
	now.num_failures = trouble->num_failures + 1;
	now.next_at = oc_clock_now_s() + t->pause_ns / OC_NS_PER_S;
	*trouble = now;
	t->is_clear = false;
	if (oc_crl_trouble_write(t->path, trouble, &error) != OC_OK)
		oc_log(OC_LOG_DEBUG, "%s", error.text);
}

static void
succeed(struct task *t)
{
	if (!t->is_clear)
		(void)unlink(t->path);
	t->is_clear = true;
	if (t->trouble.num_failures > 0)
		oc_log(OC_LOG_NOTICE, "issuer %s: CRLs are published again",
		    t->config->name);
	t->trouble = (struct oc_crl_trouble){ 0 };
	t->pause_ns = t->retry_ns = 0;
}

/* The records do: opened anew, whatever it was. */
static void
drop_store(struct line *l)
{
	store_close(l->store);
	l->store = NULL;
	l->has_version = false;
	for (size_t i = 0; i < l->num_tasks; i++) {
		ca_due_forget(&l->tasks[i].due);
		l->tasks[i].is_known = false;
	}
}

/* --- one partition's CRLs ------------------------------------------------ */

/* After a failure: a number is not taken for nothing each time.  What the
 * signer says of its tokens is what their last use was. */
static enum oc_err
look_at_tokens(const struct line *l, const struct task *t,
    struct oc_error *error)
{
	bool is_up = false;
	enum oc_err err = issuer_health_ask_now(l->of->signer_path,
	    oc_clock_mono_ns() + STATUS_NS, &t->config->tokens, &is_up);

	if (err != OC_OK)
		return oc_error_set(error, err, "ocsign-signer: %s",
		    oc_strerror(err));
	return is_up ? OC_OK : oc_error_set(error, OC_ERR_DOWN, "no token "
	    "with the key of issuer %s is up", t->config->name);
}

static enum oc_err
check(struct line *l, const struct task *t, struct oc_error *error)
{
	if (oc_clock_watch_look(&l->clock) != 0)
		return oc_error_set(error, OC_ERR_REFUSED, "the clock was set "
		    "at once, and nothing is dated by it: set it right, or "
		    "reload ocsignd if it is right now");
	return t->trouble.num_failures == 0 ? OC_OK :
	    look_at_tokens(l, t, error);
}

static enum oc_err
sign(struct line *l, struct task *t, struct ca_publication *made,
    struct oc_error *error)
{
	struct signer *signer = NULL;
	enum oc_err err;

	err = ipc_signer_new(l->of->signer_path, "ocsign-issuer", &signer);
	if (err != OC_OK)
		return oc_error_set(error, err, "ocsign-signer: %s",
		    oc_strerror(err));
	err = ca_due_publish(&t->due, l->store, signer, made, error);
	sign_free(signer);
	return err;
}

static void
say_made(const struct task *t, const struct ca_crl *crl)
{
	char part[32] = "";

	if (crl->partition != 0)
		(void)snprintf(part, sizeof(part), " of partition %u",
		    crl->partition);
	oc_log(OC_LOG_NOTICE, "issuer %s: %sCRL %llu%s with %lu entries is "
	    "published", t->config->name, crl->base_number != 0 ? "delta " :
	    "", (unsigned long long)crl->number, part,
	    (unsigned long)crl->num_entries);
}

/* False: it has failed. */
static bool
make_one(struct line *l, struct task *t)
{
	struct ca_publication made = { 0 };
	struct oc_error error = { 0 };
	enum oc_err err;

	err = check(l, t, &error);
	if (err == OC_OK)
		err = sign(l, t, &made, &error);
	t->is_known = false;
	if (err != OC_OK && err != OC_ERR_EXISTS) {
		fail(t, error.text);
		return false;
	}
	for (uint32_t i = 0; i < made.num; i++)
		say_made(t, &made.lists[i]);
	ca_publication_fini(&made);
	return true;
}

/* --- what is due --------------------------------------------------------- */

static bool
is_planned(const struct task *t)
{
	return t->issuer == NULL && access(t->config->certificate, F_OK) != 0;
}

/* Once: whether crl-url is what certificates say.  A profile of CFSSL's may
 * have one of its own where there are no partitions. */
static enum oc_err
look_for_moved(const struct line *l, struct task *t, struct oc_error *error)
{
	char url[OC_CRL_URL_MAX + 1];
	enum oc_err err;

	if (t->has_looked || (l->of->config->cfssl.config != NULL &&
	    t->config->crl_partitions == 0))
		return OC_OK;
	err = ca_crl_find_moved(t->issuer, l->store, url, error);
	t->has_looked = err == OC_OK;
	if (err == OC_OK && url[0] != '\0')
		oc_log(OC_LOG_WARNING, "issuer %s: certificates that live "
		    "name %s for their CRL, and crl-url is no longer that: "
		    "%s", t->config->name, url,
		    t->config->crl_partitions > 0 ? "no list is taken for "
		    "theirs any more; give crl-url back" : "a web server of "
		    "yours has to have it there as well");
	return err;
}

static enum oc_err
load(struct line *l, struct task *t, struct oc_error *error)
{
	enum oc_err err = OC_OK;

	if (t->issuer == NULL)
		err = ca_issuer_load(t->config, &t->issuer, error);
	if (err == OC_OK && t->due.issuer == NULL)
		err = ca_issuer_register(t->issuer, l->store, error);
	if (err == OC_OK)
		err = look_for_moved(l, t, error);
	if (err == OC_OK)
		t->due.issuer = t->issuer;
	return err;
}

/* False: it has failed. */
static bool
look_at(struct line *l, struct task *t)
{
	struct oc_error error = { 0 };
	enum oc_err err;

	err = ca_due_look(&t->due, l->store, &t->due_at, &error);
	t->is_known = err == OC_OK;
	if (t->is_known)
		return true;
	fail(t, error.text);
	/* That was not the store's. */
	if (err != OC_ERR_REFUSED)
		drop_store(l);
	return false;
}

static bool
is_due(const struct task *t)
{
	return t->is_known && t->due_at <= oc_clock_now_s();
}

static bool
is_stopping(struct issuer_publisher *p)
{
	bool is;

	(void)pthread_mutex_lock(&p->mutex);
	is = p->is_stopping;
	(void)pthread_mutex_unlock(&p->mutex);
	return is;
}

/* What of it is due, and what is made meanwhile by others; that its thread has
 * other issuers, too, is not forgotten. */
static void
make(struct line *l, struct task *t)
{
	int64_t num = 2 * (1 + t->config->crl_partitions);

	while (num-- > 0 && is_due(t) && !is_stopping(l->of))
		if (!make_one(l, t) || !look_at(l, t))
			return;
}

static void
step(struct line *l, struct task *t, bool has_news)
{
	struct oc_error error = { 0 };

	if (t->retry_ns > oc_clock_mono_ns() || is_planned(t))
		return;
	if (t->due.issuer == NULL && load(l, t, &error) != OC_OK) {
		fail(t, error.text);
		return;
	}
	if ((has_news || !t->is_known || is_due(t)) && !look_at(l, t))
		return;
	make(l, t);
	if (!t->is_clear && t->is_known && !is_due(t))
		succeed(t);
}

/* --- a thread ------------------------------------------------------------ */

/* Nothing is made here: an empty store in the place of one that is gone would
 * revoke nobody. */
static enum oc_err
open_store(struct line *l, struct oc_error *error)
{
	enum oc_err err;

	err = store_open(oc_config_store_where(l->of->config), STORE_WRITE,
	    &l->store, error);
	if (err == OC_OK)
		store_set_actor(l->store, "ocsign-issuer");
	return err;
}

/* True if what is known may be so no more. */
static enum oc_err
look_for_news(struct line *l, bool *has_news, struct oc_error *error)
{
	int64_t version;
	enum oc_err err = OC_OK;

	*has_news = false;
	if (l->store == NULL)
		err = open_store(l, error);
	if (err != OC_OK)
		return err;
	err = store_data_version(l->store, &version);
	if (err != OC_OK) {
		oc_error_set(error, err, "%s", store_error(l->store));
		drop_store(l);
		return err;
	}
	*has_news = !l->has_version || version != l->version;
	l->has_version = true;
	l->version = version;
	return OC_OK;
}

static bool
has_work(const struct line *l)
{
	for (size_t i = 0; i < l->num_tasks; i++)
		if (l->tasks[i].retry_ns <= oc_clock_mono_ns() &&
		    !is_planned(&l->tasks[i]))
			return true;
	return false;
}

static void
look(struct line *l)
{
	struct oc_error error = { 0 };
	bool has_news;
	enum oc_err err;

	if (!has_work(l))
		return;
	err = look_for_news(l, &has_news, &error);
	for (size_t i = 0; i < l->num_tasks && !is_stopping(l->of); i++) {
		struct task *t = &l->tasks[i];

		if (err == OC_OK && l->store != NULL)
			step(l, t, has_news);
		else if (err != OC_OK && t->retry_ns <= oc_clock_mono_ns() &&
		    !is_planned(t)) {
			t->is_known = false;
			fail(t, error.text);
		}
	}
}

/* False: stop. */
static bool
pause_a_while(struct line *l)
{
	struct issuer_publisher *p = l->of;
	int64_t until_ns = oc_clock_mono_ns() + l->look_ns;
	struct timespec until = { until_ns / OC_NS_PER_S,
	    until_ns % OC_NS_PER_S };
	bool goes_on;
	int rc = 0;

	(void)pthread_mutex_lock(&p->mutex);
	while (rc != ETIMEDOUT && !p->is_stopping)
		rc = pthread_cond_timedwait(&p->stop, &p->mutex, &until);
	goes_on = !p->is_stopping;
	(void)pthread_mutex_unlock(&p->mutex);
	return goes_on;
}

static void *
line_main(void *arg)
{
	struct line *l = arg;

	oc_thread_give_way();
	do
		look(l);
	while (pause_a_while(l));
	drop_store(l);
	return NULL;
}

/* --- start and end ------------------------------------------------------- */

static enum oc_err
add_task(struct issuer_publisher *p, const struct oc_config_issuer *config,
    size_t n)
{
	struct line *l = &p->lines[n % LINES_MAX];
	struct task *t, *tasks = reallocarray(l->tasks, l->num_tasks + 1,
	    sizeof(*tasks));

	if (tasks == NULL)
		return OC_ERR_NOMEM;
	l->tasks = tasks;
	t = &tasks[l->num_tasks++];
	*t = (struct task){ .config = config };
	t->path = oc_crl_trouble_path(p->config, config);
	if (config->crl_publish == OC_PUBLISH_AT_ONCE)
		l->look_ns = LOOK_SOON_NS;
	return t->path == NULL ? OC_ERR_NOMEM : OC_OK;
}

static enum oc_err
add_tasks(struct issuer_publisher *p)
{
	const struct oc_config *config = p->config;
	enum oc_err err = OC_OK;
	size_t num = 0;

	for (size_t i = 0; i < LINES_MAX; i++)
		p->lines[i] = (struct line){ .of = p, .look_ns = LOOK_NS };
	for (size_t i = 0; err == OC_OK && i < config->num_issuers; i++)
		if (config->issuers[i].crl_publish > OC_PUBLISH_NO)
			err = add_task(p, &config->issuers[i], num++);
	p->num_lines = num < LINES_MAX ? num : LINES_MAX;
	for (size_t i = 0; err == OC_OK && i < p->num_lines; i++)
		err = oc_clock_watch_init(&p->lines[i].clock,
		    config->daemon.status_directory, OC_CLOCK_WATCH_READS);
	if (err == OC_OK && asprintf(&p->signer_path,
	    "%s/signer-issuer.sock", config->daemon.run_directory) < 0) {
		p->signer_path = NULL;
		err = OC_ERR_NOMEM;
	}
	return err;
}

static void
init_lock(struct issuer_publisher *p)
{
	pthread_condattr_t attr;

	(void)pthread_mutex_init(&p->mutex, NULL);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&p->stop, &attr);
	(void)pthread_condattr_destroy(&attr);
}

enum oc_err
issuer_publisher_new(const struct oc_config *config,
    struct issuer_publisher **publisher, struct oc_error *error)
{
	struct issuer_publisher *p = calloc(1, sizeof(*p));
	enum oc_err err;

	if (p == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	p->config = config;
	init_lock(p);
	err = add_tasks(p);
	for (; err == OC_OK && p->num_started < p->num_lines; p->num_started++)
		if (oc_thread_start(&p->lines[p->num_started].thread,
		    line_main, &p->lines[p->num_started]) != 0) {
			err = OC_ERR_SYSTEM;
			break;
		}
	if (err != OC_OK) {
		issuer_publisher_free(p);
		return oc_error_set(error, err, "publishing CRLs: %s",
		    oc_strerror(err));
	}
	*publisher = p;
	return OC_OK;
}

void
issuer_publisher_stop(struct issuer_publisher *p)
{
	if (p == NULL)
		return;
	(void)pthread_mutex_lock(&p->mutex);
	p->is_stopping = true;
	(void)pthread_cond_broadcast(&p->stop);
	(void)pthread_mutex_unlock(&p->mutex);
}

void
issuer_publisher_free(struct issuer_publisher *p)
{
	if (p == NULL)
		return;
	issuer_publisher_stop(p);
	while (p->num_started > 0)
		(void)pthread_join(p->lines[--p->num_started].thread, NULL);
	for (size_t i = 0; i < LINES_MAX; i++) {
		struct line *l = &p->lines[i];

		for (size_t n = 0; n < l->num_tasks; n++) {
			ca_issuer_free(l->tasks[n].issuer);
			free(l->tasks[n].path);
		}
		free(l->tasks);
		oc_clock_watch_fini(&l->clock);
	}
	(void)pthread_cond_destroy(&p->stop);
	(void)pthread_mutex_destroy(&p->mutex);
	free(p->signer_path);
	free(p);
}
