/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ACME's door (RFC 8555, RFC 9773): what its files share.
 *
 * The life of a call: on the event loop its path is looked up; on a worker
 * the JWS is read, its nonce used up and, with the account's key, its
 * signature verified; on the store's thread the account is looked up and the
 * endpoint reads and changes what it wants; on the event loop it answers.
 * A key that is not known yet is read from the store first.  A call belongs
 * to whoever has its job.
 */
#ifndef ISSUER_ACME_H
#define ISSUER_ACME_H

#include <pthread.h>

#include "acme/jws.h"
#include "acme/names.h"
#include "acme/nonce.h"
#include "acme/object.h"
#include "acme/renewal.h"
#include "base/bytes.h"
#include "issuer/door.h"
#include "issuer/issuance.h"
#include "x509/cert.h"

/* A certificate's id has 128 at most, a tag 32. */
#define ACME_PATH_ID_MAX ACME_CERTIFICATE_ID_MAX
#define ACME_PATH_IDS 2
#define ACME_KEYS_KNOWN 256	/* 500 KiB, and a read of the store less */
#define ACME_CHAINS_MAX 16

/* An account's key as it was when it was looked up last. */
struct acme_known_key {
	char tag[STORE_TAG_LEN + 1];
	char *jwk;			/* owned; NULL: none */
};

/* What all calls share. */
struct issuer_acme {
	struct issuer_service *service;
	const struct oc_config_acme *config;
	char *base;			/* "https://ca.example.com/acme/" */
	size_t origin_len;		/* of it without its path */
	const char *directory;		/* in config->url: "directory" */
	struct ca_profile *profiles;	/* of [acme] profiles, in order */
	size_t num_profiles;
	char *chains[ACME_CHAINS_MAX];	/* PEM above a certificate; owned; 0 is
					 * the usual one */
	size_t num_chains;
	json_t *directory_json;		/* owned */
	pthread_mutex_t lock;		/* of what follows */
	struct acme_nonces *nonces;
	struct acme_known_key keys[ACME_KEYS_KNOWN];
};

struct acme_call;

enum acme_key_wish { ACME_KID, ACME_JWK, ACME_EITHER };
enum acme_payload_wish { ACME_EMPTY = 1, ACME_OBJECT = 2, ACME_ANY = 3 };

struct acme_endpoint {
	const char *pattern;		/* "order/" "*" "/finalize" */
	enum net_method method;
	enum acme_key_wish key;		/* POST */
	enum acme_payload_wish payload;
	enum store_job_kind kind;
	/* On a worker: reads the payload.  NULL: nothing of it. */
	enum oc_err (*prepare)(struct acme_call *call);
	/* On the store's thread.  NULL: nothing. */
	enum oc_err (*run)(struct store *store, struct acme_call *call);
	/* On the event loop: answers, now or later. */
	void (*answer)(struct acme_call *call);
};

struct acme_call {
	struct issuer_acme *acme;
	struct net_exchange *exchange;
	const struct acme_endpoint *endpoint;
	char ids[ACME_PATH_IDS][ACME_PATH_ID_MAX];	/* of the path */
	struct issuer_work work;
	struct store_job job;
	/* Who asks, for what. */
	struct acme_jws jws;
	bool is_known;			/* key was, without asking the store */
	char account_tag[STORE_TAG_LEN + 1];	/* "": it has a jwk */
	struct acme_jwk key;		/* the account's, that verified it */
	struct store_acme_account account;
	struct store_account registry;	/* whose it is */
	json_t *payload;		/* owned; NULL: POST-as-GET */
	/* What came of it; error ACME_OK: nothing bad. */
	enum oc_err err;
	struct acme_problem problem;
	struct oc_buffer fields;	/* of the answer */

	/* What endpoints read and make. */
	int64_t now_at;
	bool has_made;			/* 201 rather than 200 */
	struct ca_names *names;		/* owned; an order's */
	struct ca_names *other_names;	/* owned; a CSR's, a certificate's */
	struct ca_policy *policy;	/* owned */
	struct issuer_proofs *proofs;	/* owned; for finalize */
	const struct ca_profile *profile;
	struct issuer_authority *authority;
	struct store_order order;
	char (*tags)[STORE_TAG_LEN + 1];	/* owned; its authorizations' */
	char replaces[ACME_CERTIFICATE_ID_MAX];
	bool is_renewal;		/* what it replaces is due, and has
					 * all of its names */
	struct store_authorization *authorization;	/* owned */
	int64_t num_pending;		/* of the account, once counted */
	bool has_counted;
	struct store_challenge challenge;
	struct store_asked asked;
	char *chain;			/* owned; above asked, if its issuer
					 * is not [acme] issuer now */
	json_t *list;			/* owned */
	/* new-account, key-change: the JWS in the payload. */
	struct acme_jws inner;
	bool only_existing;
	char other_tag[STORE_TAG_LEN + 1];
	/* finalize, revoke-cert: a CSR's DER, a certificate's. */
	uint8_t *der;			/* owned */
	size_t der_len;
	uint8_t subject[ACME_SUBJECT_MAX];	/* what is taken of a CSR's */
	size_t subject_len;
	struct x509_cert *cert;		/* owned */
	enum crl_reason reason;
	/* renewal-info, replaces */
	struct acme_certificate_id certificate_id;
	struct store_certificate certificate;
};

/* --- acme.c: what is shared; paths --------------------------------------- */

enum oc_err issuer_acme_new(struct issuer_service *service,
    struct issuer_acme **acme, struct oc_error *error) OC_MUST_CHECK;
void issuer_acme_free(struct issuer_acme *acme);	/* NULL is fine */

bool issuer_acme_is_path(const struct issuer_acme *acme, const char *path);
void issuer_acme_handle(struct issuer_acme *acme,
    struct net_exchange *exchange);
/* A problem document for a status of the server's own. */
json_t *issuer_acme_failure(int status, const char *text);

/* PEM, for free(): as ca_chain_read() has it, two with the certificate. */
enum oc_err issuer_acme_read_chain(const struct ca_issuer *issuer,
    size_t number, char **text, struct oc_error *error) OC_MUST_CHECK;
/* NULL or "": the default; NULL: there is none of that name. */
const struct ca_profile *issuer_acme_profile(const struct issuer_acme *acme,
    const char *name);

/* --- acme_call.c: the life of a call ------------------------------------- */

/* Takes the exchange. */
void issuer_acme_begin(struct issuer_acme *acme,
    struct net_exchange *exchange, const struct acme_endpoint *endpoint,
    char ids[ACME_PATH_IDS][ACME_PATH_ID_MAX]);
/* The endpoint's answer is not the end: another job of the store's, then. */
void issuer_acme_submit(struct acme_call *call, enum store_job_kind kind,
    store_job_fn *fn, store_job_done_fn *done);

/* --- acme_reply.c -------------------------------------------------------- */

/* Every answer has Replay-Nonce and index. */
void issuer_acme_refuse(struct issuer_acme *acme,
    struct net_exchange *exchange, const struct acme_problem *problem,
    const char *fields);

/* A header line of the answer: "Location", base and path. */
void issuer_acme_put_url(struct acme_call *call, const char *name,
    const char *format, ...) OC_PRINTF(3, 4);
void issuer_acme_put_link(struct acme_call *call, const char *relation,
    const char *format, ...) OC_PRINTF(3, 4);
void issuer_acme_put_retry(struct acme_call *call, int64_t seconds);

/* These end the call.  Takes json; NULL: no memory. */
void issuer_acme_succeed(struct acme_call *call, int status, json_t *json);
void issuer_acme_succeed_empty(struct acme_call *call, int status);
void issuer_acme_succeed_text(struct acme_call *call, const char *type,
    const struct oc_buffer *text);
/* As call->problem says, or what err and text are if that says nothing. */
void issuer_acme_fail(struct acme_call *call, enum oc_err err,
    const char *text);
void issuer_acme_call_free(struct acme_call *call);

/* Sets call->problem; returns its error. */
enum oc_err issuer_acme_limit(struct acme_call *call, int64_t retry_after_s,
    const char *text);
enum oc_err issuer_acme_not_found(struct acme_call *call, const char *what);
enum oc_err issuer_acme_not_yours(struct acme_call *call, const char *what);
/* What issuing or policy says. */
enum oc_err issuer_acme_by_rule(struct acme_call *call, enum oc_err err,
    enum ca_rule rule, const char *text);

/* --- endpoints ----------------------------------------------------------- */

/* acme_account.c */
enum oc_err issuer_acme_prepare_new_account(struct acme_call *call);
enum oc_err issuer_acme_run_new_account(struct store *store,
    struct acme_call *call);
void issuer_acme_answer_account(struct acme_call *call);
enum oc_err issuer_acme_run_account(struct store *store,
    struct acme_call *call);
enum oc_err issuer_acme_run_orders(struct store *store,
    struct acme_call *call);
void issuer_acme_answer_orders(struct acme_call *call);
/* acme_key.c */
enum oc_err issuer_acme_prepare_binding(struct acme_call *call,
    const json_t *binding);
enum oc_err issuer_acme_check_binding(struct store *store,
    struct acme_call *call, int64_t *key_id);
enum oc_err issuer_acme_prepare_key_change(struct acme_call *call);
enum oc_err issuer_acme_run_key_change(struct store *store,
    struct acme_call *call);
/* acme_order.c */
enum oc_err issuer_acme_prepare_new_order(struct acme_call *call);
enum oc_err issuer_acme_run_new_order(struct store *store,
    struct acme_call *call);
/* acme_proof.c: fills in the order's authorizations, old and new. */
enum oc_err issuer_acme_authorize(struct store *store,
    struct acme_call *call);
/* Whether the account has proven the name; the proof is written. */
enum oc_err issuer_acme_find_proof(struct store *store,
    const struct acme_call *call, const struct acme_name *name,
    struct store_authorization *proof) OC_MUST_CHECK;
/* acme_view.c */
enum oc_err issuer_acme_run_order(struct store *store,
    struct acme_call *call);
enum oc_err issuer_acme_load_order(struct store *store,
    struct acme_call *call);
void issuer_acme_answer_order(struct acme_call *call);
enum oc_err issuer_acme_run_certificate(struct store *store,
    struct acme_call *call);
void issuer_acme_answer_certificate(struct acme_call *call);
/* acme_authorization.c */
enum oc_err issuer_acme_run_authorization(struct store *store,
    struct acme_call *call);
void issuer_acme_answer_authorization(struct acme_call *call);
enum oc_err issuer_acme_run_challenge(struct store *store,
    struct acme_call *call);
void issuer_acme_answer_challenge(struct acme_call *call);
/* acme_finalize.c */
enum oc_err issuer_acme_prepare_finalize(struct acme_call *call);
enum oc_err issuer_acme_run_finalize(struct store *store,
    struct acme_call *call);
void issuer_acme_answer_finalize(struct acme_call *call);
/* acme_revoke.c */
enum oc_err issuer_acme_prepare_revoke(struct acme_call *call);
enum oc_err issuer_acme_run_revoke(struct store *store,
    struct acme_call *call);
void issuer_acme_answer_revoke(struct acme_call *call);
/* acme_renewal.c */
enum oc_err issuer_acme_run_renewal(struct store *store,
    struct acme_call *call);
void issuer_acme_answer_renewal(struct acme_call *call);
/* Of [acme] issuer, or ordered here when that was another: fills in authority
 * and certificate.  NOT_FOUND. */
enum oc_err issuer_acme_find_issued(struct store *store,
    struct acme_call *call, issuer_is_fn *is_it, const void *arg,
    const struct oc_serial *serial);
/* Of the certificate that a new order replaces; fills in is_renewal. */
enum oc_err issuer_acme_check_replaces(struct store *store,
    struct acme_call *call);

#endif
