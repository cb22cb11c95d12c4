/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pool: puts tokens, keys, threads and the desk together, and is the
 * struct signer in front of them.
 *
 * Threads start in p11_local_new() and end in free(); one that is stuck in a
 * module cannot be ended, and then the pool leaves what it may still use to
 * the end of the process.
 */
#include "pkcs11/local.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/clock_watch.h"
#include "base/log.h"
#include "base/thread.h"
#include "pkcs11/journal.h"
#include "pkcs11/local_impl.h"
#include "pkcs11/threads.h"
#include "pkcs11/verify.h"
#include "pkcs11/watch.h"

#define START_TIMEOUT_NS (60 * OC_NS_PER_S)

/* What is dated wrongly is not to be had back. */
static enum oc_err
check_clock(struct p11_local *local, struct oc_error *error)
{
	int64_t jump_s = oc_clock_watch_look(local->clock) / 1000;

	if (jump_s == 0)
		return OC_OK;
	return oc_error_set(error, OC_ERR_DOWN, "the clock was set %lld s %s "
	    "at once, and nothing is signed: set it, or reload ocsignd if it "
	    "is right now", (long long)(jump_s < 0 ? -jump_s : jump_s),
	    jump_s < 0 ? "back" : "ahead");
}

/* What has a ticket is known, and by one name, wherever the ticket is. */
static struct p11_journal_key
journal_key(const void *arg)
{
	const struct p11_key *key = arg;

	return (struct p11_journal_key){ key->route->name, {
	    key->route->info.spki, key->route->info.spki_len } };
}

/* Whether it may be signed at all, now, with this key. */
static enum oc_err
admit(struct p11_local *local, const struct p11_route *route,
    enum sign_alg alg, const struct sign_job *job, struct oc_error *error)
{
	struct p11_journal_key recorded = { route->name,
	    { route->info.spki, route->info.spki_len } };
	enum oc_err err = check_clock(local, error);

	if (err == OC_OK)
		err = p11_journal_admit(local->journal, job->kind, error);
	if (err != OC_OK)
		return err;
	err = p11_allow_check(&route->places[0]->allow, recorded.spki,
	    job->kind, alg, job->tbs, oc_clock_now_s(), error);
	if (err != OC_OK)
		p11_journal_refused(local->journal, &recorded, job,
		    error->text);
	return err;
}

static enum oc_err
local_submit(struct signer *s, struct sign_job *job)
{
	struct p11_local *local = p11_local_of(s);
	struct p11_route *route = p11_router_find(&local->router, job->key);
	const struct sign_key_info *info = route == NULL ? NULL :
	    p11_route_info(route);
	struct oc_error error = { 0 };
	struct sign_ticket *t;
	enum sign_alg alg;
	enum oc_err err;

	if (info == NULL)
		return OC_ERR_NOT_FOUND;
	alg = job->alg == SIGN_ALG_NONE ? info->alg : job->alg;
	if (!sign_alg_fits(alg, info->type))
		return OC_ERR_MISMATCH;
	err = admit(local, route, alg, job, &error);
	if (err == OC_OK)
		err = sign_desk_open(&local->desk, job, NULL, alg, &t);
	if (err == OC_OK) {
		err = p11_route_submit(route, t, &error);
		if (err != OC_OK)
			sign_desk_discard(&local->desk, t);
	}
	if (error.text[0] != '\0')
		(void)snprintf(job->error_text, sizeof(job->error_text),
		    "%.*s", (int)sizeof(job->error_text) - 1, error.text);
	return err;
}

static void
local_cancel(struct signer *s, struct sign_job *job)
{
	sign_desk_cancel(&p11_local_of(s)->desk, job);
}

static int
local_fd(const struct signer *s)
{
	return p11_local_of(s)->desk.epoll_fd;
}

static void
local_dispatch(struct signer *s)
{
	sign_desk_dispatch(&p11_local_of(s)->desk);
}

static enum oc_err
local_find_key(struct signer *s, const char *name, int64_t deadline_ns,
    struct sign_key_info *info, struct oc_error *error)
{
	const struct p11_route *route = p11_router_find(
	    &p11_local_of(s)->router, name);
	const struct sign_key_info *known = route == NULL ? NULL :
	    p11_route_info(route);

	(void)deadline_ns;
	if (known == NULL)
		return oc_error_set(error, OC_ERR_NOT_FOUND,
		    "there is no such key");
	*info = *known;
	return OC_OK;
}

static void
free_token(struct p11_local *local, struct p11_token *token)
{
	struct sign_ticket *t;
	struct p11_key *key;

	while (token->name != NULL &&
	    (t = sign_queue_drain(&token->queue)) != NULL)
		sign_desk_discard(&local->desk, t);
	while ((key = token->keys) != NULL) {
		token->keys = key->next;
		sign_verifier_free(key->verifier);
		(void)pthread_mutex_destroy(&key->verifying);
		free(key->allow_bytes);
		free(key);
	}
	p11_token_fini(token);
}

/* Ends the threads, session threads before the one that verifies. */
static bool
stop_threads(struct p11_local *local)
{
	bool is_clean = true;

	for (size_t i = 0; i < local->num_tokens; i++)
		p11_threads_tell(&local->tokens[i]);
	for (size_t i = 0; i < local->num_tokens; i++)
		is_clean = p11_threads_join(&local->tokens[i]) && is_clean;
	sign_queue_close(&local->to_verify);
	if (local->has_verify_thread)
		(void)pthread_join(local->verify_thread, NULL);
	return is_clean;
}

static void
local_free(struct signer *s)
{
	struct p11_local *local = p11_local_of(s);
	struct sign_ticket *t;

	/* A stuck thread may come back and use any of it. */
	if (!stop_threads(local))
		return;
	/* What is signed is recorded, though nobody gets it. */
	while ((t = sign_queue_drain(&local->to_verify)) != NULL)
		sign_desk_finish(&local->desk, t, OC_ERR_CANCELLED, NULL);
	p11_journal_drain(local->journal);
	for (size_t i = 0; i < local->num_tokens; i++)
		free_token(local, &local->tokens[i]);
	for (size_t i = 0; i < local->num_modules; i++)
		p11_module_close(local->modules[i]);
	sign_queue_fini(&local->to_verify);
	p11_router_fini(&local->router);
	sign_desk_fini(&local->desk);
	free(local->modules);
	free(local->tokens);
	free(local);
}

static const struct signer_ops local_ops = {
	.submit = local_submit,
	.cancel = local_cancel,
	.fd = local_fd,
	.dispatch = local_dispatch,
	.find_key = local_find_key,
	.free = local_free,
};

static bool
start_threads(struct p11_local *local)
{
	local->has_verify_thread = oc_thread_start(&local->verify_thread,
	    p11_verify_main, &local->to_verify) == 0;
	if (!local->has_verify_thread)
		return false;
	for (size_t i = 0; i < local->num_tokens; i++)
		if (local->tokens[i].module != NULL &&
		    !p11_threads_start(&local->tokens[i]))
			return false;
	return true;
}

/* The pool works, but not with all it was given. */
static void
tell_missing(struct p11_local *local)
{
	for (size_t i = 0; i < local->num_tokens; i++) {
		struct p11_token *token = &local->tokens[i];

		(void)pthread_mutex_lock(&token->lock);
		if (token->state == P11_STATE_FAILED ||
		    token->state == P11_STATE_DOWN)
			oc_log(atomic_load(&token->is_drained) ?
			    OC_LOG_NOTICE : OC_LOG_ERROR, "%s; the others do "
			    "its work", token->failure.text);
		(void)pthread_mutex_unlock(&token->lock);
	}
	atomic_store(&local->router.is_started, true);
}

static enum oc_err
allocate(struct p11_local *local, size_t num_tokens)
{
	/* One more: calloc(0) may be NULL. */
	local->modules = calloc(num_tokens + 1, sizeof(*local->modules));
	local->tokens = calloc(num_tokens + 1, sizeof(*local->tokens));
	local->router.tokens = local->tokens;
	return local->modules == NULL || local->tokens == NULL ?
	    OC_ERR_NOMEM : OC_OK;
}

static enum oc_err
start(struct p11_local *local, const struct p11_local_config *config,
    struct oc_error *error)
{
	int64_t deadline_ns;
	enum oc_err err = OC_OK;

	for (size_t i = 0; i < config->num_tokens && err == OC_OK; i++)
		err = p11_local_add_token(local, &config->tokens[i], config,
		    error);
	for (size_t i = 0; i < config->num_keys && err == OC_OK; i++)
		err = p11_local_add_key(local, &config->keys[i], error);
	if (err != OC_OK)
		return err;
	deadline_ns = oc_clock_mono_ns() + (config->start_timeout_ns > 0 ?
	    config->start_timeout_ns : START_TIMEOUT_NS);
	if (!start_threads(local))
		return oc_error_set(error, OC_ERR_SYSTEM,
		    "cannot start a thread");
	p11_router_wait(&local->router, deadline_ns);
	err = p11_router_check(&local->router, error);
	if (err == OC_OK)
		tell_missing(local);
	return err;
}

enum oc_err
p11_local_new(const struct p11_local_config *config, struct signer **s,
    struct oc_error *error)
{
	struct p11_local *local = calloc(1, sizeof(*local));
	enum oc_err err;

	if (local == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	local->signer.ops = &local_ops;
	local->clock = config->clock;
	err = sign_desk_init(&local->desk, error);
	if (err != OC_OK) {
		free(local);
		return err;
	}
	err = sign_queue_init(&local->to_verify, SIZE_MAX);
	oc_assert(err == OC_OK);
	err = p11_router_init(&local->router);
	oc_assert(err == OC_OK);
	if (allocate(local, config->num_tokens) != OC_OK)
		err = oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	else
		err = start(local, config, error);
	if (err != OC_OK) {
		local_free(&local->signer);
		return err;
	}
	local->journal = config->journal;
	if (local->journal != NULL)
		p11_journal_attach(local->journal, &local->desk, journal_key);
	*s = &local->signer;
	return OC_OK;
}

