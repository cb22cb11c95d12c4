/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A token of the pool and the keys on it, as its session threads and its
 * keeper share them.  The room's own: others see pkcs11/local.h.
 *
 * Under lock: state, generation, the counts, the keys' handles, the texts.  The
 * generation counts how often the token came back; sessions and handles of an
 * older one are dropped.
 */
#ifndef PKCS11_TOKEN_H
#define PKCS11_TOKEN_H

#include "base/bytes.h"
#include "pkcs11/config.h"
#include "pkcs11/limit.h"
#include "pkcs11/mechanism.h"
#include "pkcs11/module.h"
#include "pkcs11/pin.h"
#include "pkcs11/recover.h"
#include "pkcs11/uri.h"
#include "sign/desk.h"
#include "sign/verify.h"

enum p11_token_state {
	P11_STATE_STARTING,	/* first attempt not over */
	P11_STATE_UP,
	P11_STATE_DOWN,		/* the keeper works on it; jobs wait, or go to
				 * another token that has their key */
	P11_STATE_FAILED	/* PIN: nothing will be tried again */
};

struct p11_route;
struct p11_router;

/* Whether a token has the key; pkcs11/route.h. */
enum p11_place {
	P11_PLACE_UNKNOWN,	/* not looked at yet */
	P11_PLACE_WORKS,	/* found, and proven by a canary */
	P11_PLACE_WRONG		/* it has none, or another under that name */
};

/* A key in one token; in another it is another struct. */
struct p11_key {
	struct p11_key *next;
	struct p11_token *token;
	struct p11_route *route;	/* all places of the key */
	_Atomic(enum p11_place) place;
	struct oc_error wrong;		/* why; under the token's lock */
	char name[SIGN_KEY_NAME_MAX];
	struct p11_uri uri;
	struct p11_allow allow;
	uint8_t *allow_bytes;		/* what allow points into */
	uint8_t expected[OC_SPKI_MAX];
	size_t expected_len;
	/* Constant once started. */
	enum sign_alg alg;		/* asked for, or NONE */
	bool is_alg_free;		/* another does as well */
	struct sign_key_info info;
	enum p11_way way;		/* valid when is_proven */
	bool is_proven;
	bool wants_login;		/* for each signature */
	CK_OBJECT_HANDLE handle;	/* under the token's lock */
	pthread_mutex_t verifying;	/* for verifier; the desk's lock, the
					 * token's and queues' come under it */
	struct sign_verifier *verifier;	/* NULL until it was found once */
};

/*
 * One thread and its session.  While it is inside a call, what it works for
 * is here, so that the watch can take it away: a ticket that is gone when the
 * call returns is somebody else's, and a thread that is lost then ends.
 */
struct p11_session {
	struct p11_token *token;
	/* Its thread's own. */
	bool is_open;
	CK_SESSION_HANDLE handle;
	uint64_t epoch, generation;
	int64_t used_ns;		/* when something was last signed */
	/* Since when it is inside a call; 0: it is not. */
	_Atomic int64_t call_since_ns;

	/* Under the token's lock. */
	pthread_t thread;
	bool has_thread;
	bool is_working;		/* one of num_working */
	bool is_counted;		/* one of num_open */
	bool is_lost;
	bool is_busy;			/* in a call for a ticket */
	struct sign_ticket *ticket;	/* NULL: none, or taken away */
	int64_t rescue_ns;		/* when it is taken away */
};

/* What the choice among tokens goes by; pkcs11/route.c's. */
struct p11_balance {
	atomic_uint num_busy;		/* tickets with its session threads */
	atomic_uint health;		/* of P11_HEALTH_MAX */
	_Atomic int64_t mean_ns;	/* a signature takes; 0: unknown */
	_Atomic int64_t signed_at_ns;	/* the last */
	_Atomic int64_t ramp_since_ns;	/* 0: its whole share */
	atomic_ullong num_moved;	/* tickets that left for another */
	uint64_t generation;		/* the token's, seen last */
};

struct p11_token {
	/* Constant. */
	char *name, *pin_source, *state_dir;
	struct p11_uri uri;
	pthread_mutex_t logging_in;	/* for a single signature; the next
					 * two are under it */
	struct p11_pin_known pin_known;
	struct oc_error login_failure;	/* since one was good */
	int64_t timeout_ns;
	int64_t keep_alive_ns;		/* 0: nothing is signed for it */
	unsigned int weight;
	bool is_standby;
	struct p11_router *router;
	struct p11_module *module;	/* NULL: it could not be loaded */
	struct p11_key *keys;
	struct sign_desk *desk;
	struct sign_queue *to_verify;

	struct sign_queue queue;
	/* More than num_sessions, by as many as may be lost. */
	struct p11_session *sessions;
	unsigned int num_sessions, num_slots, lost_max;
	struct p11_session home;	/* the keeper's, holds the login */
	pthread_t keeper, watch;
	bool has_keeper, has_watch;

	pthread_mutex_t lock;
	pthread_cond_t changed;		/* state, is_stopping, num_running */
	pthread_cond_t room;		/* one more may work */
	pthread_cond_t calling;		/* the watch has something to do */
	/* Changed under lock only; others may have a look. */
	_Atomic(enum p11_token_state) state;
	atomic_bool is_drained;		/* a person wants no work for it */
	struct p11_balance balance;
	int64_t restart_ns;		/* the last that the keeper asked for */
	bool is_stopping;
	bool is_watch_idle;
	atomic_bool is_crowded;		/* more work than limit.now says */
	uint64_t generation;
	uint64_t epoch;			/* the module's when it came up */
	CK_SLOT_ID slot;		/* of this epoch */
	unsigned int num_open;
	unsigned int num_running;	/* threads that have not ended */
	unsigned int num_working;	/* at most limit.now */
	unsigned int num_lost;		/* threads in a call for ever */
	struct p11_limit limit;
	int64_t up_since_ns;
	int64_t relapse_ns;		/* the keeper's last first pause */
	int64_t good_ns;		/* when a signature last came */
	int64_t takes_ns;		/* how long one takes, on average */
	int64_t recovered_at;		/* Unix time of the last recovery */
	int64_t recovered_ns;		/* how long it took */
	struct oc_error failure;	/* why it is not up; names it */

	/* Nothing in this process can bring it back. */
	atomic_bool is_stuck;
	/* The keeper's call that was counted as hung; 0: none was. */
	_Atomic int64_t hung_since_ns;
	/* Counters. */
	_Atomic int64_t call_ns;	/* a signature's time, lately */
	atomic_ullong num_logins, num_signed, num_failed, num_recovered,
	    num_restarts, num_errors[P11_CLASS_MAX];
};

enum oc_err p11_token_init(struct p11_token *token,
    const struct p11_token_config *config, const char *state_dir,
    size_t queue_max, struct oc_error *error) OC_MUST_CHECK;
/* Its threads must be gone, its queue drained. */
void p11_token_fini(struct p11_token *token);

/* The slot of the one token that uri names.  NOT_FOUND, or MISMATCH when
 * there are several.  Never by number: those change. */
enum oc_err p11_token_find(CK_FUNCTION_LIST *f, const struct p11_uri *uri,
    CK_SLOT_ID *slot, CK_TOKEN_INFO *info, struct oc_error *error)
    OC_MUST_CHECK;
CK_RV p11_token_open_session(CK_FUNCTION_LIST *f, CK_SLOT_ID slot,
    CK_SESSION_HANDLE *session);

void p11_token_count(struct p11_token *token, enum p11_class class);

/* A ticket that this token has not signed goes to who is next. */
void p11_token_put_back(struct p11_token *token, struct sign_ticket *t);

/* Somebody saw that something is wrong in this generation: the first to say
 * so takes the token down and wakes the keeper. */
void p11_token_suspect(struct p11_token *token, uint64_t generation,
    const char *function, const char *what);
/* With the lock. */
void p11_token_suspect_locked(struct p11_token *token, uint64_t generation,
    const char *function, const char *what);
/* With the lock: waits until then, until something changes, or for nothing
 * when the token stops. */
void p11_token_wait(struct p11_token *token, int64_t until_ns);

#endif
