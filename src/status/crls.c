/* SPDX-License-Identifier: Apache-2.0 */
#include "status/crls.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"

#define PAUSE_S 1
#define READ_TIMEOUT_S 60
/* Nobody has more, and what is told of them is bounded. */
#define ISSUERS_MAX 128

struct row {
	struct status_crl crl;
	const struct oc_config_issuer *config;
	/* The thread's: of each partition one or two. */
	struct status_crl_one *lists;
	size_t num_lists;
	enum oc_crl_standing noted;
	int64_t absent_since_ns;	/* the thread's; 0: it is not */
	struct oc_crl_trouble trouble;	/* the thread's */
	char *trouble_path;		/* NULL: nobody publishes it */
};

struct status_crls {
	const char *path;		/* the configuration's */
	struct store *store;		/* NULL: not there; the thread's, as
					 * are these two */
	int64_t version;
	bool has_version, has_failed;
	status_crls_fn *fn;		/* may be NULL */
	void *arg;
	pthread_t thread;

	pthread_mutex_t lock;		/* for the rest */
	pthread_cond_t stopping;
	bool is_stopping;
	size_t num;
	struct row *list;
};

static enum oc_err
read_list(struct store *store, int64_t issuer_id,
    struct status_crl_one *list)
{
	const struct store_crl_scope scope = { issuer_id, list->partition,
	    list->is_delta ? STORE_CRL_DELTA : STORE_CRL_FULL };
	struct store_crl crl = { 0 };
	enum oc_err err = store_find_list_times(store, &scope, &crl);

	if (err != OC_OK && err != OC_ERR_NOT_FOUND)
		return err;
	list->number = crl.number;
	list->this_update = crl.this_update;
	list->next_update = crl.next_update;
	return OC_OK;
}

/* Leaves what was seen before if there is an error. */
static enum oc_err
read_one(struct status_crls *crls, struct row *row)
{
	struct store_issuer issuer = { 0 };
	bool is_known;
	enum oc_err err;

	err = store_find_issuer(crls->store, row->crl.issuer, &issuer);
	is_known = err == OC_OK;
	for (size_t i = 0; err == OC_OK && i < row->num_lists; i++)
		err = read_list(crls->store, issuer.id, &row->lists[i]);
	store_issuer_fini(&issuer);
	if (err != OC_OK && err != OC_ERR_NOT_FOUND)
		return err;
	(void)pthread_mutex_lock(&crls->lock);
	row->crl.is_known = is_known;
	row->crl.newest = row->lists[0];
	(void)pthread_mutex_unlock(&crls->lock);
	return OC_OK;
}

/* Of those that are not there the first. */
static bool
is_worse(const struct row *row, const struct status_crl_one *a,
    const struct status_crl_one *b, int64_t now)
{
	enum oc_crl_standing of_a = oc_crl_standing_of(row->config,
	    a->is_delta, a->this_update, a->next_update, now);
	enum oc_crl_standing of_b = oc_crl_standing_of(row->config,
	    b->is_delta, b->this_update, b->next_update, now);

	if (of_a != of_b)
		return of_a > of_b;
	return oc_crl_due_at(row->config, a->is_delta, a->this_update,
	    a->next_update) < oc_crl_due_at(row->config, b->is_delta,
	    b->this_update, b->next_update);
}

static const struct status_crl_one *
find_worst(const struct row *row)
{
	const struct status_crl_one *worst = &row->lists[0];
	int64_t now = oc_clock_now_s();

	for (size_t i = 1; i < row->num_lists; i++)
		if (is_worse(row, &row->lists[i], worst, now))
			worst = &row->lists[i];
	return worst;
}

/* Before the records: what ends between is then told too late, and not what
 * never was, a list that is late while nobody fails. */
static void
look_for_trouble(struct row *row)
{
	row->trouble = (struct oc_crl_trouble){ 0 };
	if (row->trouble_path != NULL && oc_crl_trouble_read(
	    row->trouble_path, &row->trouble, NULL) != OC_OK)
		row->trouble.num_failures = 0;
}

/* What stands beside the records. */
static void
look_beside(struct status_crls *crls, struct row *row)
{
	const struct status_crl_one *worst = find_worst(row);
	int64_t now_ns = oc_clock_mono_ns();

	if (row->trouble_path == NULL)
		return;
	if (!row->crl.is_known || worst->number != 0)
		row->absent_since_ns = 0;
	else if (row->absent_since_ns == 0)
		row->absent_since_ns = now_ns;
	(void)pthread_mutex_lock(&crls->lock);
	row->crl.trouble = row->trouble;
	row->crl.worst = *worst;
	row->crl.absent_s = row->absent_since_ns == 0 ? 0 :
	    (now_ns - row->absent_since_ns) / OC_NS_PER_S;
	(void)pthread_mutex_unlock(&crls->lock);
}

/* True if there may be something new. */
static bool
look(struct status_crls *crls)
{
	int64_t version = 0;
	enum oc_err err;

	if (crls->store == NULL && store_open_to_read(crls->path,
	    &crls->store, NULL) != OC_OK)
		return false;
	store_set_read_timeout(crls->store, READ_TIMEOUT_S);
	err = store_data_version(crls->store, &version);
	if (err == OC_OK && crls->has_version && version == crls->version)
		return false;
	for (size_t i = 0; err == OC_OK && i < crls->num; i++)
		err = read_one(crls, &crls->list[i]);
	if (err != OC_OK && !crls->has_failed)
		oc_log(OC_LOG_WARNING, "which CRLs there are: %s",
		    store_error(crls->store));
	crls->has_failed = err != OC_OK;
	crls->has_version = err == OC_OK;
	crls->version = version;
	return true;
}

/* False: stop. */
static bool
pause_a_while(struct status_crls *crls)
{
	int64_t until_ns = oc_clock_mono_ns() + PAUSE_S * OC_NS_PER_S;
	struct timespec until = { until_ns / OC_NS_PER_S,
	    until_ns % OC_NS_PER_S };
	bool goes_on;
	int rc = 0;

	(void)pthread_mutex_lock(&crls->lock);
	while (rc != ETIMEDOUT && !crls->is_stopping)
		rc = pthread_cond_timedwait(&crls->stopping, &crls->lock,
		    &until);
	goes_on = !crls->is_stopping;
	(void)pthread_mutex_unlock(&crls->lock);
	return goes_on;
}

static void *
crls_main(void *arg)
{
	struct status_crls *crls = arg;
	bool has_news;

	do {
		for (size_t i = 0; i < crls->num; i++)
			look_for_trouble(&crls->list[i]);
		has_news = look(crls);
		for (size_t i = 0; i < crls->num; i++)
			look_beside(crls, &crls->list[i]);
		if (crls->fn != NULL)
			crls->fn(crls->arg, crls->store, has_news);
	} while (pause_a_while(crls));
	return NULL;
}

static enum oc_err
start(struct status_crls *crls)
{
	pthread_condattr_t attr;

	if (pthread_mutex_init(&crls->lock, NULL) != 0)
		return OC_ERR_SYSTEM;
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&crls->stopping, &attr);
	(void)pthread_condattr_destroy(&attr);
	if (oc_thread_start(&crls->thread, crls_main, crls) == 0)
		return OC_OK;
	(void)pthread_cond_destroy(&crls->stopping);
	(void)pthread_mutex_destroy(&crls->lock);
	return OC_ERR_SYSTEM;
}

static void
release(struct status_crls *crls)
{
	store_close(crls->store);
	for (size_t i = 0; i < crls->num; i++) {
		free(crls->list[i].trouble_path);
		free(crls->list[i].lists);
	}
	free(crls->list);
	free(crls);
}

static enum oc_err
add_lists(struct row *row, const struct oc_config_issuer *issuer)
{
	size_t kinds = issuer->crl_delta_url != NULL ? 2 : 1;

	row->num_lists = kinds * (1 + (size_t)issuer->crl_partitions);
	row->lists = calloc(row->num_lists, sizeof(*row->lists));
	if (row->lists == NULL)
		return OC_ERR_NOMEM;
	for (size_t i = 0; i < row->num_lists; i++) {
		row->lists[i].partition = (uint32_t)(i / kinds);
		row->lists[i].is_delta = i % kinds != 0;
	}
	return OC_OK;
}

static enum oc_err
add(struct status_crls *crls, const struct oc_config *config,
    const struct oc_config_issuer *issuer)
{
	struct row *row = &crls->list[crls->num++];

	row->crl.issuer = issuer->name;
	row->config = issuer;
	if (add_lists(row, issuer) != OC_OK)
		return OC_ERR_NOMEM;
	if (issuer->crl_publish <= OC_PUBLISH_NO)
		return OC_OK;
	row->crl.publish = issuer;
	row->trouble_path = oc_crl_trouble_path(config, issuer);
	return row->trouble_path == NULL ? OC_ERR_NOMEM : OC_OK;
}

static enum oc_err
add_all(struct status_crls *crls, const struct oc_config *config)
{
	enum oc_err err = OC_OK;

	for (size_t i = 0; err == OC_OK && i < config->num_issuers; i++) {
		if ((config->issuers[i].allow & OC_ALLOW_CRL) == 0)
			continue;
		if (crls->num == ISSUERS_MAX) {
			oc_log(OC_LOG_WARNING, "more than %d issuers may "
			    "sign CRLs: only of the first it is told which",
			    ISSUERS_MAX);
			break;
		}
		err = add(crls, config, &config->issuers[i]);
	}
	return err;
}

enum oc_err
status_crls_new(const struct oc_config *config, status_crls_fn *fn,
    void *arg, struct status_crls **out, struct oc_error *error)
{
	struct status_crls *crls = calloc(1, sizeof(*crls));
	struct oc_error trouble = { 0 };
	enum oc_err err;

	if (crls != NULL)
		crls->list = calloc(config->num_issuers + 1,
		    sizeof(*crls->list));
	if (crls == NULL || crls->list == NULL) {
		free(crls);
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	}
	crls->path = oc_config_store_where(config);
	crls->fn = fn;
	crls->arg = arg;
	err = add_all(crls, config);
	if (err != OC_OK) {
		release(crls);
		return oc_error_set(error, err, "out of memory");
	}
	/* Where all CRLs come in files there need be none. */
	if (store_open_to_read(crls->path, &crls->store, &trouble) != OC_OK &&
	    crls->num > 0)
		oc_log(OC_LOG_WARNING, "which CRLs there are is not told yet: "
		    "%s", trouble.text);
	if (crls->store != NULL)
		store_say_risks(crls->store);
	err = start(crls);
	if (err != OC_OK) {
		release(crls);
		return oc_error_set(error, err, "no thread");
	}
	*out = crls;
	return OC_OK;
}

void
status_crls_free(struct status_crls *crls)
{
	if (crls == NULL)
		return;
	(void)pthread_mutex_lock(&crls->lock);
	crls->is_stopping = true;
	(void)pthread_cond_signal(&crls->stopping);
	(void)pthread_mutex_unlock(&crls->lock);
	(void)pthread_join(crls->thread, NULL);
	(void)pthread_cond_destroy(&crls->stopping);
	(void)pthread_mutex_destroy(&crls->lock);
	release(crls);
}

size_t
status_crls_num(const struct status_crls *crls)
{
	return crls == NULL ? 0 : crls->num;
}

struct status_crl
status_crls_get(struct status_crls *crls, size_t i)
{
	struct status_crl crl;

	oc_assert(i < crls->num);
	(void)pthread_mutex_lock(&crls->lock);
	crl = crls->list[i].crl;
	(void)pthread_mutex_unlock(&crls->lock);
	return crl;
}

enum oc_crl_standing
status_crls_note(struct status_crls *crls, size_t i,
    enum oc_crl_standing standing)
{
	enum oc_crl_standing before;

	oc_assert(i < crls->num);
	(void)pthread_mutex_lock(&crls->lock);
	before = crls->list[i].noted;
	crls->list[i].noted = standing;
	(void)pthread_mutex_unlock(&crls->lock);
	return before;
}
