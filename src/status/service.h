/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The status service of one signer of an issuer's responses: what is known of
 * the issuer's certificates, the response table that is made from it, the
 * signatures on their way, and who waits for them.
 *
 * Everything here runs on the event loop's thread and never blocks, but for
 * new and free.
 */
#ifndef STATUS_SERVICE_H
#define STATUS_SERVICE_H

#include "base/clock_watch.h"
#include "base/config.h"
#include "base/err.h"
#include "ipc/message.h"
#include "ocsp/refresh.h"
#include "sign/sign.h"
#include "status/crl_file.h"
#include "status/due.h"
#include "status/feed.h"
#include "status/horizon.h"
#include "status/offline.h"
#include "status/records.h"
#include "status/renewal.h"
#include "status/share.h"

struct status_service;

struct status_service_plan {
	const struct oc_config *config;		/* borrowed, as is the rest */
	const struct oc_config_ocsp *ocsp;
	struct signer *signer;
	struct ocsp_budget *budget;		/* of live signatures */
	struct ocsp_budget *verify_budget;	/* of requests' */
	uint64_t run;			/* see ocsp_table_set_run() */
	struct oc_clock_watch *clock;	/* NULL: the clock is believed */
	struct status_crl_file *crl_file;	/* with source = crl */
	struct status_records *records;	/* with source = index, certdb */
	/* Of another signer of the same issuer, what it knows of certificates,
	 * unless that is by a file; NULL: nobody's.  Either may go first. */
	const struct status_service *fellow;
	/* NULL: this host has its responses signed itself. */
	struct status_share *share;
};

/*
 * Reads the certificates, opens store and table, starts the feed.  BUSY while
 * another process writes the table.  An issuer whose certificate is not there
 * yet is NOT_FOUND.
 */
enum oc_err status_service_new(const struct status_service_plan *plan,
    struct status_service **service, struct oc_error *error) OC_MUST_CHECK;
/* Cancels what is on its way; whoever waits is answered tryLater. */
void status_service_free(struct status_service *service);	/* NULL: fine */

const char *status_service_name(const struct status_service *service);
/* For the event loop: readable when status_service_dispatch() has work. */
int status_service_fd(const struct status_service *service);
void status_service_dispatch(struct status_service *service);
/* Signs what is due.  Called a few times a second. */
void status_service_tick(struct status_service *service, int64_t now);
/* The part of that which goes through all of a table, if there is anything to
 * go through: for some 10 ms, or 120 if nobody is answered from it meanwhile.
 * True: call it again soon, once others have had their turn. */
bool status_service_walk(struct status_service *service, int64_t now)
    OC_MUST_CHECK;

/* The table shows nothing that has changed since, and is served. */
bool status_service_is_current(const struct status_service *service);
/* Or there is no file yet that it could be held against: who asks is told to
 * try later, and nobody has to wait for us. */
bool status_service_is_started(const struct status_service *service);
/* And every certificate that the source has is known. */
bool status_service_is_ready(const struct status_service *service);

/* Under which name responders count what they are asked: the issuer's, for its
 * usual signer; NULL for the others, which are counted with that. */
const char *status_service_counted_as(const struct status_service *service);

/*
 * Answers one question: exactly once, possibly before it returns.  What
 * answer() is given is borrowed.
 */
typedef void status_answer_fn(void *arg, const struct ipc_answer *answer);
void status_service_ask(struct status_service *service,
    const struct ipc_ask *ask, status_answer_fn *answer, void *arg);

/*
 * The source has changed.  done() runs once, when everything that had changed
 * until now is known, withdrawn from the table, and, if signer and table are
 * well and it is not very much, what was withdrawn or is revoked is signed
 * again; at the latest from
 * free, and then nothing of that is promised.  NOMEM: it never runs.
 */
typedef void status_nudged_fn(void *arg);
enum oc_err status_service_nudge(struct status_service *service,
    status_nudged_fn *done, void *arg) OC_MUST_CHECK;

/* How it stands with what hosts share. */
struct status_fleet_report {
	enum status_lead lead;
	char leader[STORE_HOST_MAX + 1];	/* "": nobody known */
	uint64_t num_taken, num_shared, num_refused;
};

/* For people and metrics. */
struct status_service_report {
	uint32_t num_certificates;
	uint32_t num_slots;
	uint32_t num_older;		/* signed with the key before */
	uint32_t num_flights;
	uint32_t num_due;
	uint32_t num_waiters;
	uint32_t num_in_lane[SIGN_LANE_MAX], num_due_of[STATUS_DUE_MAX];
	int64_t signer_not_after;	/* of whose signatures these are */
	enum status_renewal renewal;
	int64_t last_signed_at;		/* 0: nothing yet */
	bool is_signer_well, is_table_well;
	uint64_t num_signed, num_failed, num_asked;
	int64_t seq;
	bool is_ready;
	bool is_compromised;		/* the CA's key is */
	bool is_signer_revoked;		/* its certificate is */
	bool is_source_well;
	char source_error[OC_ERROR_TEXT_MAX];
	struct status_horizon horizon;
	struct status_fleet_report fleet;
	struct status_offline_report offline;	/* zero if the key is here */
};
void status_service_report(const struct status_service *service,
    struct status_service_report *report);

#endif
