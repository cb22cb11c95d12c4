/* SPDX-License-Identifier: Apache-2.0 */
/* Finding a token, and its states. */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "pkcs11/key.h"
#include "pkcs11/match.h"
#include "pkcs11/recover.h"
#include "pkcs11/route.h"
#include "pkcs11/token.h"

#define SLOTS_MAX 256

enum oc_err
p11_token_find(CK_FUNCTION_LIST *f, const struct p11_uri *uri,
    CK_SLOT_ID *slot, CK_TOKEN_INFO *info, struct oc_error *error)
{
	CK_SLOT_ID slots[SLOTS_MAX];
	CK_ULONG num = SLOTS_MAX;
	CK_TOKEN_INFO found;
	unsigned int num_found = 0;
	CK_RV rv;

	if (!p11_match_library(f, uri))
		return oc_error_set(error, OC_ERR_NOT_FOUND,
		    "the module is not the one that library-manufacturer, "
		    "library-description and library-version of the URI say");
	rv = f->C_GetSlotList(CK_TRUE, slots, &num);
	if (rv != CKR_OK)
		return p11_error(error, "C_GetSlotList", rv);
	for (CK_ULONG i = 0; i < num; i++) {
		/* One broken slot must not hide the others. */
		if (f->C_GetTokenInfo(slots[i], &found) != CKR_OK ||
		    (found.flags & CKF_TOKEN_INITIALIZED) == 0 ||
		    !p11_match_token(uri, &found) ||
		    !p11_match_slot(f, uri, slots[i]))
			continue;
		if (num_found++ == 0) {
			*slot = slots[i];
			*info = found;
		}
	}
	if (num_found == 0)
		return oc_error_set(error, OC_ERR_NOT_FOUND,
		    "there is no initialised token of this name (%lu slots "
		    "have a token)", (unsigned long)num);
	if (num_found > 1)
		return oc_error_set(error, OC_ERR_MISMATCH,
		    "%u tokens have this name: add serial= to the URI",
		    num_found);
	return OC_OK;
}

CK_RV
p11_token_open_session(CK_FUNCTION_LIST *f, CK_SLOT_ID slot,
    CK_SESSION_HANDLE *session)
{
	CK_RV rv;

	/* Some HSMs have no read-only sessions, some tokens no other. */
	rv = f->C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL,
	    NULL, session);
	if (rv == CKR_TOKEN_WRITE_PROTECTED)
		rv = f->C_OpenSession(slot, CKF_SERIAL_SESSION, NULL, NULL,
		    session);
	return rv;
}

/* A quarter of the sessions, and one: more than that is no accident. */
static unsigned int
lost_max(unsigned int num_sessions)
{
	return 1 + num_sessions / 4;
}

static bool
init_locks(struct p11_token *token)
{
	pthread_cond_t *conds[] = { &token->changed, &token->room,
	    &token->calling };
	pthread_condattr_t attr;
	bool is_good;

	is_good = pthread_mutex_init(&token->lock, NULL) == 0 &&
	    pthread_mutex_init(&token->logging_in, NULL) == 0;
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	for (size_t i = 0; i < sizeof(conds) / sizeof(conds[0]); i++)
		is_good = pthread_cond_init(conds[i], &attr) == 0 && is_good;
	(void)pthread_condattr_destroy(&attr);
	return is_good;
}

static enum oc_err
copy_config(struct p11_token *token, const struct p11_token_config *config,
    const char *state_dir)
{
	token->timeout_ns = config->timeout_ns > 0 ? config->timeout_ns :
	    P11_TIMEOUT_DEFAULT_NS;
	token->keep_alive_ns = config->keep_alive_ns;
	token->name = strdup(config->name);
	token->state_dir = strdup(state_dir);
	if (config->pin_source != NULL)
		token->pin_source = strdup(config->pin_source);
	return token->name == NULL || token->state_dir == NULL ||
	    (config->pin_source != NULL && token->pin_source == NULL) ?
	    OC_ERR_NOMEM : OC_OK;
}

static void
free_texts(struct p11_token *token)
{
	free(token->name);
	free(token->state_dir);
	free(token->pin_source);
	free(token->sessions);
	memset(token, 0, sizeof(*token));
}

enum oc_err
p11_token_init(struct p11_token *token, const struct p11_token_config *config,
    const char *state_dir, size_t queue_max, struct oc_error *error)
{
	unsigned int num = config->num_sessions;
	enum oc_err err;

	if (num == 0)
		num = P11_SESSIONS_DEFAULT;
	if (num > P11_SESSIONS_MAX)
		return oc_error_set(error, OC_ERR_LIMIT,
		    "token %s: at most %d sessions", config->name,
		    P11_SESSIONS_MAX);
	err = p11_uri_parse_token(config->uri, &token->uri, error);
	if (err == OC_OK)
		err = p11_uri_check_module(&token->uri, config->module, error);
	if (err != OC_OK)
		return oc_error_prefix(error, "token %s", config->name);
	if (token->uri.has_slot_id)
		oc_log(OC_LOG_WARNING, "token %s: its uri has a slot-id: slots "
		    "change their numbers, tokens do not", config->name);
	token->num_sessions = num;
	token->weight = config->weight != 0 ? config->weight :
	    P11_WEIGHT_DEFAULT;
	token->is_standby = config->is_standby;
	atomic_store(&token->balance.health, P11_HEALTH_MAX);
	token->lost_max = lost_max(num);
	token->num_slots = num + token->lost_max;
	token->sessions = calloc(token->num_slots, sizeof(*token->sessions));
	if (copy_config(token, config, state_dir) != OC_OK ||
	    token->sessions == NULL || !init_locks(token) ||
	    sign_queue_init(&token->queue, queue_max) != OC_OK) {
		free_texts(token);
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	}
	sign_queue_pause(&token->queue);
	p11_limit_init(&token->limit, num);
	token->state = P11_STATE_STARTING;
	token->home.token = token;
	for (unsigned int i = 0; i < token->num_slots; i++)
		token->sessions[i].token = token;
	return OC_OK;
}

void
p11_token_fini(struct p11_token *token)
{
	if (token->name == NULL)
		return;
	sign_queue_fini(&token->queue);
	(void)pthread_cond_destroy(&token->calling);
	(void)pthread_cond_destroy(&token->room);
	(void)pthread_cond_destroy(&token->changed);
	(void)pthread_mutex_destroy(&token->logging_in);
	(void)pthread_mutex_destroy(&token->lock);
	p11_pin_forget(&token->pin_known);
	free_texts(token);
}

void
p11_token_count(struct p11_token *token, enum p11_class class)
{
	(void)atomic_fetch_add(&token->num_errors[class], 1);
}

void
p11_token_put_back(struct p11_token *token, struct sign_ticket *t)
{
	p11_route_give_back(token, t);
}

void
p11_token_wait(struct p11_token *token, int64_t until_ns)
{
	struct timespec at = { until_ns / OC_NS_PER_S,
	    until_ns % OC_NS_PER_S };

	if (!token->is_stopping)
		(void)pthread_cond_timedwait(&token->changed, &token->lock,
		    &at);
}

void
p11_token_suspect_locked(struct p11_token *token, uint64_t generation,
    const char *function, const char *what)
{
	if (token->state != P11_STATE_UP || token->generation != generation)
		return;
	token->state = P11_STATE_DOWN;
	(void)oc_error_set(&token->failure, OC_ERR_DOWN,
	    "token %s is down: %s: %s", token->name, function, what);
	oc_log(OC_LOG_NOTICE, "%s", token->failure.text);
	p11_route_changed(token);
	(void)pthread_cond_broadcast(&token->changed);
}

void
p11_token_suspect(struct p11_token *token, uint64_t generation,
    const char *function, const char *what)
{
	(void)pthread_mutex_lock(&token->lock);
	p11_token_suspect_locked(token, generation, function, what);
	(void)pthread_mutex_unlock(&token->lock);
}
