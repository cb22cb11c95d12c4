/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the doors share: the issuing CAs with their keys, the records, the
 * signer, ocsign-status, and threads for what takes long.  Everything here
 * runs on the event loop's thread, which never blocks.
 */
#ifndef ISSUER_SERVICE_H
#define ISSUER_SERVICE_H

#include "base/config.h"
#include "ca/issuer.h"
#include "ca/profile.h"
#include "ipc/channel.h"
#include "issuer/health.h"
#include "issuer/workers.h"
#include "store/thread.h"

struct event_base;
struct issuer_service;

struct net_exchange;
struct issuer_acme;
struct issuer_prover;
struct issuer_caa_way;

/* Its CRL, for cfssl_crl.c. */
struct issuer_list {
	bool is_making;			/* then the worker has seq */
	struct net_exchange **waiting;	/* for the next; owned */
	size_t num_waiting;
	int64_t lifetime_s;		/* that the next is to have */
	bool is_known;			/* the newest CRL lacks no change up
					 * to seq */
	int64_t seq;
};

/* An [issuer NAME] that may sign certificates. */
struct issuer_authority {
	struct ca_issuer *issuer;
	bool is_blocked;		/* it, or a CA above it: see
					 * ca_issuer_check_blocked() */
	uint64_t unrevoked_at;		/* the store thread's: the mark at
					 * which none of them was revoked */
	char key[SIGN_KEY_NAME_MAX];
	struct sign_key_info *info;	/* NULL: the signer has not said yet */
	char error_text[OC_ERROR_TEXT_MAX];	/* why not */
	struct issuer_list list;
};

/* Reads certificates, makes the store know them, starts the threads.  Blocks
 * for that; afterwards nothing does.  The signer may be away. */
enum oc_err issuer_service_new(const struct oc_config *config,
    struct event_base *base, struct issuer_service **service,
    struct oc_error *error) OC_MUST_CHECK;
/* Waits for what runs.  NULL is fine. */
void issuer_service_free(struct issuer_service *service);

const struct oc_config *issuer_service_config(
    const struct issuer_service *service);
/* store_thread_submit(); CANCELLED while the service is being freed. */
enum oc_err issuer_service_submit(struct issuer_service *service,
    struct store_job *job) OC_MUST_CHECK;
struct signer *issuer_service_signer(struct issuer_service *service);
/*
 * What waits for the signer or for a while, and so for nothing that the end
 * of threads would tell it of.  Who is still there when these have ended is
 * cancelled, once, by issuer_service_free(): it leaves, and submits nothing.
 */
struct issuer_stay {
	/* The caller's, before enter(); stays put until it leaves. */
	void (*cancel)(void *arg);
	void *arg;
	/* The service's own. */
	struct issuer_stay **link, *next;
};
void issuer_service_enter(struct issuer_service *service,
    struct issuer_stay *stay);
/* One that never entered is fine. */
void issuer_service_leave(struct issuer_stay *stay);

struct issuer_workers *issuer_service_workers(
    struct issuer_service *service);
/* For making keys: a thread and a short queue for each kind of caller, so
 * that nobody keeps the accounts' from being made. */
enum issuer_keys { ISSUER_KEYS_OF_ANYBODY, ISSUER_KEYS_OF_ACCOUNTS,
    ISSUER_KEYS_NUM };
struct issuer_workers *issuer_service_makers(struct issuer_service *service,
    enum issuer_keys whose);

/* Who asks for CAA records; NULL: nobody does. */
struct issuer_caa_way *issuer_service_caa(struct issuer_service *service);
struct event_base *issuer_service_base(struct issuer_service *service);
/* store_epoch(): ca_prepare() wants it, on another thread. */
uint32_t issuer_service_epoch(const struct issuer_service *service);

/*
 * Tells ocsign-status that the records have changed.  done runs once, from
 * the event loop or issuer_service_free(), unless nudge() failed: OC_OK when
 * what had changed is what responders answer; else it will be soon.
 */
struct issuer_nudge {
	/* The caller's, before nudge(); stays put until done() has run. */
	void (*done)(void *arg, enum oc_err err);
	void *arg;
	/* The service's own. */
	struct issuer_service *service;
	struct issuer_nudge *next;
};
enum oc_err issuer_service_nudge(struct issuer_service *service,
    struct issuer_nudge *nudge) OC_MUST_CHECK;
/* Several calls are one; nobody waits. */
void issuer_service_nudge_soon(struct issuer_service *service);

/* A profile of [cfssl]'s config.json, else of [api] profiles; "" or NULL: the
 * default there, else the first of these.  NULL: there is none of that name,
 * and no other is taken.  "ocsign sign" looks in the same order. */
const struct ca_profile *issuer_service_profile(
    const struct issuer_service *service, const char *name);

/* "origin-rsa" or "origin-ecc"; NULL: it is not issued here. */
const struct ca_profile *issuer_service_origin_profile(
    const struct issuer_service *service, const char *type);

/* The HMAC key of that name, of the config.json; len 0: there is none. */
struct der_bytes issuer_service_auth_key(
    const struct issuer_service *service, const char *name);

/* By CFSSL's label, one of [api] issuers; "" or NULL: the first.  NULL: there
 * is none; the caller says so and takes no other. */
struct issuer_authority *issuer_service_find(struct issuer_service *service,
    const char *name);
/* By [issuer NAME]; NULL. */
struct issuer_authority *issuer_service_find_name(
    struct issuer_service *service, const char *name);
/* The first of all for which it is so; NULL. */
typedef bool issuer_is_fn(const struct ca_issuer *issuer, const void *arg);
struct issuer_authority *issuer_service_find_by(
    struct issuer_service *service, issuer_is_fn *is_it, const void *arg);
/* The one of [api] issuers with this key identifier; NULL. */
struct issuer_authority *issuer_service_find_key_id(
    struct issuer_service *service, struct der_bytes key_id);
/* ACME's door; NULL: there is none. */
struct issuer_acme *issuer_service_acme(struct issuer_service *service);
/* What looks at challenges (issuer/prover.h); NULL: without [validation]
 * nothing does. */
struct issuer_prover *issuer_service_prover(struct issuer_service *service);
void issuer_service_ask_health(struct issuer_service *service,
    issuer_health_fn *done, void *arg);

#endif
