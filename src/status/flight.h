/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One response on its way through the signer, and who waits for it.
 * A flight for the table is of one serial and encoding, and there is never a
 * second of the same (a thousand questions, one C_Sign); a live one carries a
 * nonce or several certificates and belongs to one question.
 */
#ifndef STATUS_FLIGHT_H
#define STATUS_FLIGHT_H

#include "ocsp/identity.h"
#include "ocsp/table.h"
#include "status/service.h"

struct status_waiter {
	struct status_waiter *next;
	status_answer_fn *answer;
	void *arg;
};

struct status_single {
	struct oc_serial serial;
	uint8_t encoding;
	struct ocsp_status status;
	bool is_never_issued;	/* then status is what policy says of that */
};

struct status_flight {
	struct status_flight *next, **at;	/* the service's lists */
	struct status_service *service;
	int64_t record_seq;	/* what was known when it left; not live */
	bool is_due;		/* nobody has to ask for it again if it fails */
	enum status_due_kind kind;	/* only if is_due */
	struct status_single first;
	struct status_single *singles;	/* owned */
	uint32_t num_singles;
	int64_t produced_at, this_update, next_update;
	bool is_looking;	/* not at the signer yet: see fleet.c */
	int64_t looked_ns;
	struct status_waiter *waiters;	/* owned */
	struct sign_job job;
	uint8_t *data;			/* ResponseData TLV; owned */
	size_t data_len;
};

/* What goes into it.  The first single also names the flight. */
struct status_flight_plan {
	const struct ocsp_identity *identity;
	const struct status_single *singles;
	uint32_t num_singles;
	struct der_bytes nonce;
	/* One that was never issued is "revoked": RFC 6960, 4.4.8. */
	bool has_extended_revoke;
	int64_t produced_at, this_update, next_update;
};

/* Makes the ResponseData.  The job's key, lane, deadline and done are the
 * caller's to set. */
enum oc_err status_flight_new(const struct status_flight_plan *plan,
    struct status_flight **flight) OC_MUST_CHECK;
/* Its waiters must have been answered. */
void status_flight_free(struct status_flight *flight);

/* After the job succeeded: the slot of its first single. */
enum oc_err status_flight_slot(const struct status_flight *flight,
    const struct ocsp_identity *identity, struct ocsp_slot *slot)
    OC_MUST_CHECK;
/* After the job succeeded: the whole OCSPResponse. */
enum oc_err status_flight_response(const struct status_flight *flight,
    const struct ocsp_identity *identity, uint8_t *out, size_t out_max,
    size_t *len) OC_MUST_CHECK;

enum oc_err status_flight_wait(struct status_flight *flight,
    status_answer_fn *answer, void *arg) OC_MUST_CHECK;
/* The waiters of one now wait for the other. */
void status_flight_move_waiters(struct status_flight *from,
    struct status_flight *to);
/* Answers all waiters and forgets them. */
void status_flight_answer(struct status_flight *flight,
    const struct ipc_answer *answer);

#endif
