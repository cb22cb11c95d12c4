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
#include "base/thread.h"
#include "pkcs11/journal.h"
#include "pkcs11/threads.h"
#include "pkcs11/verify.h"
#include "pkcs11/watch.h"

#define START_TIMEOUT_NS (60 * OC_NS_PER_S)

struct p11_local {
	struct signer signer;
	struct sign_desk desk;
	struct oc_clock_watch *clock;	/* borrowed; NULL: believed */
	struct p11_journal *journal;	/* borrowed, or NULL */
	struct sign_queue to_verify;
	pthread_t verify_thread;
	bool has_verify_thread;
	struct p11_module **modules;	/* one for each token at most */
	size_t num_modules;
	struct p11_token *tokens;
	size_t num_tokens;
};

static struct p11_local *
local_of(const struct signer *s)
{
	return (struct p11_local *)(uintptr_t)s;
}

static struct p11_key *
find_key(const struct p11_local *local, const char *name)
{
	for (size_t i = 0; i < local->num_tokens; i++)
		for (struct p11_key *key = local->tokens[i].keys; key != NULL;
		    key = key->next)
			if (strcmp(key->name, name) == 0)
				return key;
	return NULL;
}

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

static struct p11_journal_key
journal_key(const void *arg)
{
	const struct p11_key *key = arg;

	return (struct p11_journal_key){ key->name, { key->info.spki,
	    key->info.spki_len } };
}

/* Whether it may be signed at all, now, with this key. */
static enum oc_err
admit(struct p11_local *local, const struct p11_key *key, enum sign_alg alg,
    const struct sign_job *job, struct oc_error *error)
{
	struct p11_journal_key recorded = journal_key(key);
	enum oc_err err = check_clock(local, error);

	if (err == OC_OK)
		err = p11_journal_admit(local->journal, job->kind, error);
	if (err != OC_OK)
		return err;
	err = p11_allow_check(&key->allow, recorded.spki, job->kind, alg,
	    job->tbs, oc_clock_now_s(), error);
	if (err != OC_OK)
		p11_journal_refused(local->journal, &recorded, job,
		    error->text);
	return err;
}

static enum oc_err
local_submit(struct signer *s, struct sign_job *job)
{
	struct p11_local *local = local_of(s);
	struct p11_key *key = find_key(local, job->key);
	struct oc_error error = { 0 };
	struct sign_ticket *t;
	enum sign_alg alg;
	enum oc_err err;

	if (key == NULL)
		return OC_ERR_NOT_FOUND;
	alg = job->alg == SIGN_ALG_NONE ? key->info.alg : job->alg;
	if (!sign_alg_fits(alg, key->info.type))
		return OC_ERR_MISMATCH;
	err = admit(local, key, alg, job, &error);
	if (err != OC_OK) {
		(void)snprintf(job->error_text, sizeof(job->error_text),
		    "%.*s", (int)sizeof(job->error_text) - 1, error.text);
		return err;
	}
	err = sign_desk_open(&local->desk, job, key, alg, &t);
	if (err != OC_OK)
		return err;
	err = sign_queue_put(&key->token->queue, t);
	if (err != OC_OK)
		sign_desk_discard(&local->desk, t);
	return err;
}

static void
local_cancel(struct signer *s, struct sign_job *job)
{
	sign_desk_cancel(&local_of(s)->desk, job);
}

static int
local_fd(const struct signer *s)
{
	return local_of(s)->desk.epoll_fd;
}

static void
local_dispatch(struct signer *s)
{
	sign_desk_dispatch(&local_of(s)->desk);
}

static enum oc_err
local_find_key(struct signer *s, const char *name, int64_t deadline_ns,
    struct sign_key_info *info, struct oc_error *error)
{
	struct p11_key *key = find_key(local_of(s), name);

	(void)deadline_ns;
	if (key == NULL)
		return oc_error_set(error, OC_ERR_NOT_FOUND,
		    "there is no such key");
	*info = key->info;
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
	struct p11_local *local = local_of(s);
	struct sign_ticket *t;

	/* A stuck thread may come back and use any of it. */
	if (!stop_threads(local))
		return;
	p11_journal_drain(local->journal);
	while ((t = sign_queue_drain(&local->to_verify)) != NULL)
		sign_desk_discard(&local->desk, t);
	for (size_t i = 0; i < local->num_tokens; i++)
		free_token(local, &local->tokens[i]);
	for (size_t i = 0; i < local->num_modules; i++)
		p11_module_close(local->modules[i]);
	sign_queue_fini(&local->to_verify);
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

static enum oc_err
check_same_args(const struct p11_module *module,
    const struct p11_token_config *config, struct oc_error *error)
{
	const char *a = module->init_args != NULL ? module->init_args : "";
	const char *b = config->init_args != NULL ? config->init_args : "";

	if (strcmp(a, b) == 0)
		return OC_OK;
	return oc_error_set(error, OC_ERR_CONFIG, "token %s: another token of "
	    "the same module has other init-args: it can be initialised in "
	    "one way only", config->name);
}

/* Tokens behind one library share it: C_Finalize would end it for all. */
static enum oc_err
find_module(struct p11_local *local, const struct p11_token_config *config,
    struct p11_module **module, struct oc_error *error)
{
	enum oc_err err;

	for (size_t i = 0; i < local->num_modules; i++)
		if (strcmp(local->modules[i]->path, config->module) == 0) {
			*module = local->modules[i];
			return check_same_args(*module, config, error);
		}
	err = p11_module_open_args(config->module, config->environment,
	    config->init_args, module, error);
	if (err != OC_OK)
		return oc_error_prefix(error, "token %s", config->name);
	local->modules[local->num_modules++] = *module;
	return OC_OK;
}

static enum oc_err
add_token(struct p11_local *local, const struct p11_token_config *config,
    const struct p11_local_config *all, struct oc_error *error)
{
	struct p11_token *token = &local->tokens[local->num_tokens];
	struct p11_module *module;
	enum oc_err err;

	for (size_t i = 0; i < local->num_tokens; i++)
		if (strcmp(local->tokens[i].name, config->name) == 0)
			return oc_error_set(error, OC_ERR_EXISTS,
			    "there are two tokens named \"%s\"",
			    config->name);
	err = find_module(local, config, &module, error);
	if (err != OC_OK)
		return err;
	err = p11_token_init(token, config, all->state_dir,
	    all->queue_max != 0 ? all->queue_max : P11_QUEUE_DEFAULT, error);
	if (err != OC_OK)
		return err;
	token->module = module;
	token->desk = &local->desk;
	token->to_verify = &local->to_verify;
	local->num_tokens++;
	return OC_OK;
}

static enum oc_err
add_key(struct p11_local *local, const struct p11_key_config *config,
    struct oc_error *error)
{
	char words[SIGN_KEY_WORDS_MAX];
	struct p11_token *token = NULL;
	struct p11_key *key;
	enum oc_err err;

	sign_key_words(config->name, words);
	for (size_t i = 0; i < local->num_tokens && token == NULL; i++)
		if (strcmp(local->tokens[i].name, config->token) == 0)
			token = &local->tokens[i];
	if (token == NULL)
		return oc_error_set(error, OC_ERR_CONFIG,
		    "%s: there is no token \"%s\"", words, config->token);
	if (find_key(local, config->name) != NULL)
		return oc_error_set(error, OC_ERR_EXISTS,
		    "%s is there twice", words);
	if (strlen(config->name) >= SIGN_KEY_NAME_MAX ||
	    config->spki.len > OC_SPKI_MAX)
		return oc_error_set(error, OC_ERR_LIMIT,
		    "%s: its name or public key is too long", words);
	key = calloc(1, sizeof(*key));
	if (key == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	if (pthread_mutex_init(&key->verifying, NULL) != 0) {
		free(key);
		return oc_error_set(error, OC_ERR_SYSTEM, "no lock");
	}
	key->token = token;
	key->next = token->keys;
	token->keys = key;
	memcpy(key->name, config->name, strlen(config->name) + 1);
	if (config->spki.len > 0)
		memcpy(key->expected, config->spki.p, config->spki.len);
	key->expected_len = config->spki.len;
	key->alg = config->alg;
	key->is_alg_free = config->is_alg_free;
	err = p11_uri_parse_key(config->uri, &key->uri, error);
	if (err != OC_OK)
		return oc_error_prefix(error, "%s", words);
	if (p11_uri_is_other_token(&key->uri, &token->uri))
		return oc_error_set(error, OC_ERR_CONFIG, "%s: the key's URI "
		    "names another token than the uri of [token %s] does",
		    words, token->name);
	/* Both must be true of the token that is opened. */
	p11_uri_narrow(&token->uri, &key->uri);
	if (p11_allow_copy(&config->allow, &key->allow,
	    &key->allow_bytes) != OC_OK)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	return OC_OK;
}

static bool
start_threads(struct p11_local *local)
{
	local->has_verify_thread = oc_thread_start(&local->verify_thread,
	    p11_verify_main, &local->to_verify) == 0;
	if (!local->has_verify_thread)
		return false;
	for (size_t i = 0; i < local->num_tokens; i++)
		if (!p11_threads_start(&local->tokens[i]))
			return false;
	return true;
}

/* Until a token has been tried once. */
static enum oc_err
wait_started(struct p11_token *token, int64_t deadline_ns,
    struct oc_error *error)
{
	struct timespec at = { deadline_ns / OC_NS_PER_S,
	    deadline_ns % OC_NS_PER_S };
	enum oc_err err = OC_OK;
	int rc = 0;

	(void)pthread_mutex_lock(&token->lock);
	while (token->state == P11_STATE_STARTING && rc == 0)
		rc = pthread_cond_timedwait(&token->changed, &token->lock,
		    &at);
	if (token->state == P11_STATE_STARTING)
		err = oc_error_set(error, OC_ERR_TIMEOUT,
		    "token %s: its module does not answer", token->name);
	else if (token->state == P11_STATE_FAILED)
		err = oc_error_set(error, token->failure.code, "%s",
		    token->failure.text);
	(void)pthread_mutex_unlock(&token->lock);
	return err;
}

static enum oc_err
allocate(struct p11_local *local, size_t num_tokens)
{
	/* One more: calloc(0) may be NULL. */
	local->modules = calloc(num_tokens + 1, sizeof(*local->modules));
	local->tokens = calloc(num_tokens + 1, sizeof(*local->tokens));
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
		err = add_token(local, &config->tokens[i], config, error);
	for (size_t i = 0; i < config->num_keys && err == OC_OK; i++)
		err = add_key(local, &config->keys[i], error);
	if (err != OC_OK)
		return err;
	deadline_ns = oc_clock_mono_ns() + (config->start_timeout_ns > 0 ?
	    config->start_timeout_ns : START_TIMEOUT_NS);
	if (!start_threads(local))
		return oc_error_set(error, OC_ERR_SYSTEM,
		    "cannot start a thread");
	for (size_t i = 0; i < local->num_tokens && err == OC_OK; i++)
		err = wait_started(&local->tokens[i], deadline_ns, error);
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

bool
p11_local_is_stuck(const struct signer *s)
{
	const struct p11_local *local = local_of(s);

	for (size_t i = 0; i < local->num_tokens; i++)
		if (p11_watch_is_stuck(&local->tokens[i]))
			return true;
	return false;
}

enum oc_err
p11_local_failure(const struct signer *s, struct oc_error *error)
{
	struct p11_local *local = local_of(s);
	enum oc_err err = OC_OK;

	for (size_t i = 0; i < local->num_tokens && err == OC_OK; i++) {
		struct p11_token *token = &local->tokens[i];

		(void)pthread_mutex_lock(&token->lock);
		if (token->state == P11_STATE_FAILED)
			err = oc_error_set(error, token->failure.code, "%s",
			    token->failure.text);
		(void)pthread_mutex_unlock(&token->lock);
	}
	return err;
}

size_t
p11_local_num_tokens(const struct signer *s)
{
	return local_of(s)->num_tokens;
}

void
p11_local_status(const struct signer *s, size_t i,
    struct p11_token_status *status)
{
	struct p11_local *local = local_of(s);
	struct p11_token *token = &local->tokens[i];

	oc_assert(i < local->num_tokens);
	memset(status, 0, sizeof(*status));
	status->name = token->name;
	(void)pthread_mutex_lock(&token->lock);
	status->is_up = token->state == P11_STATE_UP;
	status->num_sessions = token->num_open;
	status->num_lost = token->num_lost;
	status->limit = token->limit.now;
	status->limit_found = token->limit.found;
	status->recovered_at = token->recovered_at;
	status->recovered_ns = token->recovered_ns;
	(void)pthread_mutex_unlock(&token->lock);
	sign_queue_look(&token->queue, status->lanes);
	for (int lane = 0; lane < SIGN_LANE_MAX; lane++)
		status->num_waiting += status->lanes[lane].num_tickets;
	status->num_logins = atomic_load(&token->num_logins);
	status->num_signed = atomic_load(&token->num_signed);
	status->num_failed = atomic_load(&token->num_failed);
	status->num_recovered = atomic_load(&token->num_recovered);
	status->num_restarts = atomic_load(&token->num_restarts);
	for (int class = 0; class < P11_CLASS_MAX; class++)
		status->num_errors[class] = atomic_load(
		    &token->num_errors[class]);
}
