/* SPDX-License-Identifier: Apache-2.0 */
#include "issuer/service.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/log.h"
#include "ca/cfssl_config.h"
#include "issuer/acme.h"
#include "issuer/caa.h"
#include "issuer/finder.h"
#include "issuer/prover.h"

#define EVENTS_MAX 8
#define THREADS_MAX 8
/* What is issued meanwhile needs no nudge of its own. */
#define NUDGE_SOON_US 100000
#define NUDGE_TIMEOUT_NS (3 * OC_NS_PER_S)
/* Who takes over while requests come knows its keys then. */
#define KEYS_WAIT_NS OC_NS_PER_S

struct issuer_service {
	const struct oc_config *config;
	struct event_base *base;
	struct event *events[EVENTS_MAX];
	size_t num_events;
	struct store_thread *store;
	struct signer *signer;
	struct ipc_channel *status;
	struct issuer_health *health;
	struct issuer_workers *workers;
	struct issuer_workers *makers[ISSUER_KEYS_NUM];
	struct issuer_authority *authorities;
	size_t num_authorities;
	struct issuer_finder *finder;
	struct issuer_prover *prover;	/* NULL without [validation] */
	struct issuer_caa_way *caa;	/* NULL: CAA is not asked for */
	uint32_t epoch;
	struct ca_profile *profiles;	/* of [api] profiles, in order */
	size_t num_profiles;
	struct ca_profile origin_rsa, origin_ecc;
	struct issuer_acme *acme;	/* NULL: none is configured */
	struct ca_blocklist *blocklist;
	struct ca_cfssl_config *cfssl;	/* NULL: none is configured */
	struct event *nudge_soon;
	bool is_nudging;
	struct issuer_nudge *nudges;	/* not answered yet */
	struct issuer_stay *stays;
};

/* --- nudging ------------------------------------------------------------ */

static enum oc_err
send_nudge(struct issuer_service *s, ipc_reply_fn *reply, void *arg)
{
	uint64_t id = ipc_channel_next_id(s->status);
	uint8_t frame[IPC_HEADER_LEN];
	enum oc_err err;
	size_t len;

	err = ipc_put_bare(frame, sizeof(frame), id, IPC_NUDGE, &len);
	if (err != OC_OK)
		return err;
	return ipc_channel_ask(s->status, id, frame, len, -1,
	    oc_clock_mono_ns() + NUDGE_TIMEOUT_NS, reply, arg);
}

static void
nudged(void *arg, enum oc_err err, enum ipc_type type,
    struct der_bytes fields)
{
	struct issuer_nudge *nudge = arg, **link = &nudge->service->nudges;

	(void)fields;
	while (*link != nudge)
		link = &(*link)->next;
	*link = nudge->next;
	if (err == OC_OK && type != IPC_NUDGED)
		err = OC_ERR_MALFORMED;
	nudge->done(nudge->arg, err);
}

enum oc_err
issuer_service_nudge(struct issuer_service *s, struct issuer_nudge *nudge)
{
	enum oc_err err = send_nudge(s, nudged, nudge);

	if (err != OC_OK)
		return err;
	nudge->service = s;
	nudge->next = s->nudges;
	s->nudges = nudge;
	return OC_OK;
}

/* Nobody waits for it; what did not arrive, ocsign-status finds by itself. */
static void
nudged_unheard(void *arg, enum oc_err err, enum ipc_type type,
    struct der_bytes fields)
{
	(void)arg, (void)err, (void)type, (void)fields;
}

static void
on_nudge_soon(evutil_socket_t fd, short what, void *arg)
{
	struct issuer_service *s = arg;

	(void)fd, (void)what;
	s->is_nudging = false;
	(void)send_nudge(s, nudged_unheard, NULL);
}

void
issuer_service_nudge_soon(struct issuer_service *s)
{
	const struct timeval soon = { 0, NUDGE_SOON_US };

	if (!s->is_nudging)
		s->is_nudging = event_add(s->nudge_soon, &soon) == 0;
}

/* Their replies will not come. */
static void
cancel_nudges(struct issuer_service *s)
{
	struct issuer_nudge *nudge;

	while ((nudge = s->nudges) != NULL) {
		s->nudges = nudge->next;
		nudge->done(nudge->arg, OC_ERR_CANCELLED);
	}
}

/* --- staying ------------------------------------------------------------ */

void
issuer_service_enter(struct issuer_service *s, struct issuer_stay *stay)
{
	stay->next = s->stays;
	if (stay->next != NULL)
		stay->next->link = &stay->next;
	stay->link = &s->stays;
	s->stays = stay;
}

void
issuer_service_leave(struct issuer_stay *stay)
{
	if (stay->link == NULL)
		return;
	*stay->link = stay->next;
	if (stay->next != NULL)
		stay->next->link = stay->link;
	stay->link = NULL;
}

/* No signature comes any more, and no timer. */
static void
cancel_stays(struct issuer_service *s)
{
	struct issuer_stay *stay;

	while ((stay = s->stays) != NULL) {
		stay->cancel(stay->arg);
		oc_assert(s->stays != stay);
	}
}

/* --- events ------------------------------------------------------------- */

static void
on_store(evutil_socket_t fd, short what, void *arg)
{
	struct issuer_service *s = arg;

	(void)fd, (void)what;
	/* A group was committed: all of it is signed next. */
	sign_hold(s->signer, true);
	store_thread_dispatch(s->store);
	sign_hold(s->signer, false);
}

static void
on_signer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	sign_dispatch(((struct issuer_service *)arg)->signer);
}

static void
on_status(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	ipc_channel_dispatch(((struct issuer_service *)arg)->status);
}

static void
on_health(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	issuer_health_dispatch(((struct issuer_service *)arg)->health);
}

static void
on_workers(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	issuer_workers_dispatch(((struct issuer_service *)arg)->workers);
}

static void
on_makers(evutil_socket_t fd, short what, void *arg)
{
	struct issuer_service *s = arg;

	(void)fd, (void)what;
	for (size_t i = 0; i < ISSUER_KEYS_NUM; i++)
		issuer_workers_dispatch(s->makers[i]);
}

static enum oc_err
add_event(struct issuer_service *s, int fd, event_callback_fn fn)
{
	struct event *ev = event_new(s->base, fd, EV_READ | EV_PERSIST, fn,
	    s);

	if (ev == NULL)
		return OC_ERR_NOMEM;
	s->events[s->num_events++] = ev;
	return event_add(ev, NULL) == 0 ? OC_OK : OC_ERR_NOMEM;
}

static enum oc_err
add_events(struct issuer_service *s)
{
	enum oc_err err;

	s->nudge_soon = evtimer_new(s->base, on_nudge_soon, s);
	if (s->nudge_soon == NULL)
		return OC_ERR_NOMEM;
	err = add_event(s, store_thread_fd(s->store), on_store);
	if (err == OC_OK)
		err = add_event(s, sign_fd(s->signer), on_signer);
	if (err == OC_OK)
		err = add_event(s, ipc_channel_fd(s->status), on_status);
	if (err == OC_OK)
		err = add_event(s, issuer_health_fd(s->health), on_health);
	if (err == OC_OK)
		err = add_event(s, issuer_workers_fd(s->workers), on_workers);
	for (size_t i = 0; err == OC_OK && i < ISSUER_KEYS_NUM; i++)
		err = add_event(s, issuer_workers_fd(s->makers[i]),
		    on_makers);
	return err;
}

/* --- start and end ------------------------------------------------------ */

static bool
has_word(const struct oc_words *words, const char *word)
{
	for (size_t i = 0; i < words->num; i++)
		if (strcmp(words->words[i], word) == 0)
			return true;
	return false;
}

/* Others' keys are none of our business. */
static bool
is_ours(const struct oc_config *config, const char *name)
{
	const struct oc_config_api *api = &config->api;
	const char *acme = config->acme.issuer;

	return has_word(&api->issuers, name) ||
	    (acme != NULL && strcmp(acme, name) == 0) ||
	    (api->origin_rsa != NULL && strcmp(api->origin_rsa, name) == 0) ||
	    (api->origin_ecc != NULL && strcmp(api->origin_ecc, name) == 0);
}

/* It is there all the same: it revokes, and the others issue. */
static enum oc_err
look_if_blocked(struct issuer_authority *a, struct oc_error *error)
{
	struct oc_error why = { 0 };
	enum oc_err err = ca_issuer_check_blocked(a->issuer, NULL, &why);

	a->is_blocked = err == OC_ERR_REFUSED;
	if (a->is_blocked)
		oc_log(OC_LOG_ERROR, "%s", why.text);
	else if (err != OC_OK)
		*error = why;
	return a->is_blocked ? OC_OK : err;
}

static enum oc_err
load_authority(struct issuer_service *s,
    const struct oc_config_issuer *config, struct store *store,
    struct oc_error *error)
{
	struct issuer_authority *a = &s->authorities[s->num_authorities];
	enum oc_err err;

	if (!is_ours(s->config, config->name))
		return OC_OK;
	if ((config->allow & OC_ALLOW_CERTIFICATE) == 0)
		return oc_error_set(error, OC_ERR_CONFIG, "[api]: issuer %s "
		    "may not sign certificates: allow has no \"certificate\"",
		    config->name);
	if (access(config->certificate, F_OK) != 0) {
		oc_log(OC_LOG_NOTICE, "issuer %s: %s is not there yet: left "
		    "out until the next reload", config->name,
		    config->certificate);
		return OC_OK;
	}
	err = ca_issuer_load(config, &a->issuer, error);
	if (err != OC_OK)
		return oc_error_prefix(error, "issuer %s", config->name);
	a->issuer->blocklist = s->blocklist;
	s->num_authorities++;
	sign_key_name(SIGN_KEY_ISSUER, config->name, a->key);
	err = look_if_blocked(a, error);
	return err != OC_OK ? err : ca_issuer_register(a->issuer, store,
	    error);
}

static enum oc_err
load_authorities(struct issuer_service *s, struct oc_error *error)
{
	struct store *store;
	enum oc_err err;

	s->authorities = calloc(s->config->num_issuers + 1,
	    sizeof(*s->authorities));
	if (s->authorities == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	err = ca_blocklist_load(s->config->policy.blocklist, &s->blocklist,
	    error);
	if (err == OC_OK)
		err = store_open(oc_config_store_where(s->config),
		    STORE_CREATE, &store, error);
	if (err == OC_OK)
		store_say_risks(store);
	for (size_t i = 0; err == OC_OK && i < s->config->num_issuers; i++) {
		err = load_authority(s, &s->config->issuers[i], store, error);
		if (err != OC_OK)
			store_close(store);
	}
	if (err == OC_OK) {
		s->epoch = store_epoch(store);
		store_close(store);
	}
	return err;
}

static enum oc_err
load_profiles(struct issuer_service *s, struct oc_error *error)
{
	const struct oc_words *words = &s->config->api.profiles;
	enum oc_err err = OC_OK;

	s->profiles = calloc(words->num + 1, sizeof(*s->profiles));
	if (s->profiles == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	for (size_t i = 0; err == OC_OK && i < words->num; i++) {
		err = ca_profile_find(s->config, words->words[i],
		    &s->profiles[i], error);
		s->num_profiles += err == OC_OK;
	}
	if (err == OC_OK && s->config->cfssl.config != NULL)
		err = ca_cfssl_config_load(s->config->cfssl.config,
		    &s->cfssl, error);
	if (err == OC_OK && s->cfssl != NULL)
		err = ca_cfssl_config_check_names(s->cfssl,
		    s->config->cfssl.config, words, error);
	if (err == OC_OK)
		err = ca_profile_find(s->config, "origin-rsa",
		    &s->origin_rsa, error);
	if (err == OC_OK)
		err = ca_profile_find(s->config, "origin-ecc",
		    &s->origin_ecc, error);
	return err;
}

static unsigned int
num_threads(void)
{
	long num = sysconf(_SC_NPROCESSORS_ONLN);

	return num < 2 ? 2 : num > THREADS_MAX ? THREADS_MAX :
	    (unsigned int)num;
}

static char *
socket_path(const struct issuer_service *s, const char *name)
{
	char *path;

	return asprintf(&path, "%s/%s.sock", s->config->daemon.run_directory,
	    name) < 0 ? NULL : path;
}

static enum oc_err
open_channels(struct issuer_service *s, struct oc_error *error)
{
	char *signer = socket_path(s, "signer-issuer");
	char *status = socket_path(s, "status-control");
	enum oc_err err = OC_ERR_NOMEM;

	if (signer != NULL && status != NULL)
		err = ipc_signer_new(signer, "ocsign-issuer", &s->signer);
	if (err == OC_OK)
		err = issuer_finder_new(signer, s->base, s->authorities,
		    s->num_authorities, &s->finder);
	if (err == OC_OK)
		err = ipc_channel_new(status, "ocsign-issuer", &s->status);
	if (err == OC_OK)
		err = issuer_health_new(signer, s->authorities,
		    s->num_authorities, &s->health);
	free(signer);
	free(status);
	return err == OC_OK ? OC_OK :
	    oc_error_set(error, err, "channels: %s", oc_strerror(err));
}

static enum oc_err
start_workers(struct issuer_service *s, struct oc_error *error)
{
	enum oc_err err = issuer_workers_new(num_threads(), ISSUER_WORK_MAX,
	    s->store, &s->workers, error);

	for (size_t i = 0; err == OC_OK && i < ISSUER_KEYS_NUM; i++)
		err = issuer_workers_new(1, ISSUER_KEY_WORK_MAX, NULL,
		    &s->makers[i], error);
	return err;
}

enum oc_err
issuer_service_new(const struct oc_config *config, struct event_base *base,
    struct issuer_service **service, struct oc_error *error)
{
	struct issuer_service *s = calloc(1, sizeof(*s));
	enum oc_err err;

	if (s == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	s->config = config;
	s->base = base;
	err = load_authorities(s, error);
	if (err == OC_OK)
		err = load_profiles(s, error);
	if (err == OC_OK && config->acme.url != NULL)
		err = issuer_acme_new(s, &s->acme, error);
	if (err == OC_OK)
		err = store_thread_new(oc_config_store_where(config),
		    STORE_WRITE, "ocsign-issuer", &s->store, error);
	if (err == OC_OK)
		err = open_channels(s, error);
	if (err == OC_OK)
		err = issuer_caa_way_new(config, base, &s->caa, error);
	if (err == OC_OK)
		err = start_workers(s, error);
	if (err == OC_OK)
		err = issuer_prover_new(s, &s->prover, error);
	if (err == OC_OK) {
		err = add_events(s);
		if (err != OC_OK)
			(void)oc_error_set(error, err, "event loop");
	}
	if (err != OC_OK) {
		issuer_service_free(s);
		return err;
	}
	issuer_finder_start(s->finder, s->workers);
	issuer_finder_wait(s->finder, oc_clock_mono_ns() + KEYS_WAIT_NS);
	*service = s;
	return OC_OK;
}

/* What finishes now would go on with the next step: it is told that there is
 * none, and answers whoever waits.  What then still waits is of the signer and
 * of timers, and is told too. */
void
issuer_service_free(struct issuer_service *s)
{
	struct issuer_workers *workers, *makers[ISSUER_KEYS_NUM];
	struct store_thread *store;

	if (s == NULL)
		return;
	workers = s->workers;
	memcpy(makers, s->makers, sizeof(makers));
	store = s->store;
	s->workers = NULL;
	memset(s->makers, 0, sizeof(s->makers));
	s->store = NULL;
	for (size_t i = 0; i < s->num_events; i++)
		event_free(s->events[i]);
	for (size_t i = 0; i < ISSUER_KEYS_NUM; i++)
		issuer_workers_free(makers[i]);
	issuer_workers_free(workers);
	store_thread_free(store);
	issuer_prover_free(s->prover);
	issuer_caa_way_free(s->caa);
	if (s->nudge_soon != NULL)
		event_free(s->nudge_soon);
	sign_free(s->signer);
	cancel_stays(s);
	issuer_finder_free(s->finder);
	ipc_channel_free(s->status);
	cancel_nudges(s);
	issuer_acme_free(s->acme);
	issuer_health_free(s->health);
	for (size_t i = 0; i < s->num_authorities; i++) {
		ca_issuer_free(s->authorities[i].issuer);
		free(s->authorities[i].info);
		free(s->authorities[i].list.waiting);
	}
	for (size_t i = 0; i < s->num_profiles; i++)
		ca_profile_fini(&s->profiles[i]);
	ca_blocklist_free(s->blocklist);
	ca_cfssl_config_free(s->cfssl);
	ca_profile_fini(&s->origin_rsa);
	ca_profile_fini(&s->origin_ecc);
	free(s->profiles);
	free(s->authorities);
	free(s);
}

/* --- looking things up -------------------------------------------------- */

const struct oc_config *
issuer_service_config(const struct issuer_service *service)
{
	return service->config;
}

enum oc_err
issuer_service_submit(struct issuer_service *service, struct store_job *job)
{
	return service->store == NULL ? OC_ERR_CANCELLED :
	    store_thread_submit(service->store, job);
}

struct signer *
issuer_service_signer(struct issuer_service *service)
{
	return service->signer;
}

struct issuer_workers *
issuer_service_workers(struct issuer_service *service)
{
	return service->workers;
}

struct issuer_caa_way *
issuer_service_caa(struct issuer_service *service)
{
	return service->caa;
}

struct issuer_workers *
issuer_service_makers(struct issuer_service *service, enum issuer_keys whose)
{
	return service->makers[whose];
}

struct event_base *
issuer_service_base(struct issuer_service *service)
{
	return service->base;
}

uint32_t
issuer_service_epoch(const struct issuer_service *service)
{
	return service->epoch;
}

const struct ca_profile *
issuer_service_profile(const struct issuer_service *s, const char *name)
{
	const struct ca_profile *profile = NULL;

	if (name == NULL)
		name = "";
	if (s->cfssl != NULL)
		profile = ca_cfssl_config_profile(s->cfssl, name);
	if (profile == NULL && name[0] == '\0' && s->num_profiles > 0)
		return s->profiles;
	for (size_t i = 0; profile == NULL && i < s->num_profiles; i++)
		if (strcmp(s->profiles[i].name, name) == 0)
			profile = &s->profiles[i];
	return profile;
}

const struct ca_profile *
issuer_service_origin_profile(const struct issuer_service *s,
    const char *type)
{
	const struct oc_config_api *api = &s->config->api;

	if (strcmp(type, "origin-rsa") == 0 && api->origin_rsa != NULL)
		return &s->origin_rsa;
	if (strcmp(type, "origin-ecc") == 0 && api->origin_ecc != NULL)
		return &s->origin_ecc;
	return NULL;
}

struct der_bytes
issuer_service_auth_key(const struct issuer_service *s, const char *name)
{
	if (s->cfssl == NULL || name == NULL)
		return (struct der_bytes){ NULL, 0 };
	return ca_cfssl_config_auth_key(s->cfssl, name);
}

struct issuer_authority *
issuer_service_find(struct issuer_service *s, const char *name)
{
	const struct oc_words *labels = &s->config->api.issuers;

	if (labels->num > 0 && (name == NULL || name[0] == '\0'))
		name = labels->words[0];
	return name != NULL && has_word(labels, name) ?
	    issuer_service_find_name(s, name) : NULL;
}

struct issuer_authority *
issuer_service_find_name(struct issuer_service *s, const char *name)
{
	for (size_t i = 0; i < s->num_authorities; i++)
		if (strcmp(s->authorities[i].issuer->config->name,
		    name) == 0)
			return &s->authorities[i];
	return NULL;
}

struct issuer_authority *
issuer_service_find_by(struct issuer_service *s, issuer_is_fn *is_it,
    const void *arg)
{
	for (size_t i = 0; i < s->num_authorities; i++)
		if (is_it(s->authorities[i].issuer, arg))
			return &s->authorities[i];
	return NULL;
}

struct issuer_authority *
issuer_service_find_key_id(struct issuer_service *s, struct der_bytes key_id)
{
	for (size_t i = 0; i < s->num_authorities; i++) {
		const struct ca_issuer *issuer = s->authorities[i].issuer;

		/* Others are the origin API's. */
		if (has_word(&s->config->api.issuers,
		    issuer->config->name) &&
		    issuer->key_id_len == key_id.len &&
		    memcmp(issuer->key_id, key_id.p, key_id.len) == 0)
			return &s->authorities[i];
	}
	return NULL;
}

struct issuer_acme *
issuer_service_acme(struct issuer_service *service)
{
	return service->acme;
}

struct issuer_prover *
issuer_service_prover(struct issuer_service *service)
{
	return service->prover;
}

void
issuer_service_ask_health(struct issuer_service *s, issuer_health_fn *done,
    void *arg)
{
	issuer_health_ask(s->health, done, arg);
}
