/* SPDX-License-Identifier: Apache-2.0 */
/* What service.c and ask.c share; nobody else includes it. */
#ifndef STATUS_SERVICE_IMPL_H
#define STATUS_SERVICE_IMPL_H

#include "ocsp/response.h"
#include "status/flight.h"

/* Refreshes on their way at once: enough to keep every session of a token
 * busy, few enough that a revocation does not wait behind them. */
#define STATUS_REFRESHES_MAX 16
/* Who waits for a signature at once; more are told to try later. */
#define STATUS_WAITERS_MAX 4096
/* A signature that somebody waits for. */
#define STATUS_LIVE_TIMEOUT_S 6
#define STATUS_TIMEOUT_S 30
/* After a failure: what a client is told, and when we try again. */
#define STATUS_RETRY_S 5
#define STATUS_BUCKETS 1024

struct status_nudge {
	struct status_nudge *next;
	uint64_t number;		/* of the feed */
	bool is_known;			/* the feed has reached it */
	int64_t seq;			/* flights up to it are waited for */
	status_nudged_fn *done;
	void *arg;
};

struct status_service {
	struct status_service_plan plan;
	struct ocsp_identity *identity;
	struct ocsp_table *table;
	struct status_set *set;
	struct status_feed *feed;
	struct ocsp_refresh refresh;
	char key[SIGN_KEY_NAME_MAX];

	/* Flights for the table by serial; live ones in a list. */
	struct status_flight *flights[STATUS_BUCKETS];
	struct status_flight *live;
	uint32_t num_flights, num_refreshes, num_waiters;
	struct status_nudge *nudges;

	int64_t seq;			/* the last one applied */
	uint64_t num_signed, num_failed, num_asked;
	bool is_ready, is_source_well, is_signer_well;
	char source_error[OC_ERROR_TEXT_MAX];
};

/* Makes or finds the flight for the table; NULL when that failed, which is
 * logged. */
struct status_flight *status_service_fly(struct status_service *s,
    const struct status_record *record, uint8_t encoding, enum sign_lane lane);
/* Hands it to the signer; when that fails it is finished at once. */
enum oc_err status_service_submit(struct status_service *s,
    struct status_flight *flight, enum sign_lane lane, int64_t timeout_s,
    sign_done_fn *done) OC_MUST_CHECK;
void status_service_times(const struct status_service *s, int64_t not_after,
    struct status_flight_plan *plan);
/* Puts it among what is due. */
void status_service_renew_at(struct status_service *s,
    const struct oc_serial *serial, uint8_t encoding, int64_t at);
/* Counts, and says it when the signer's state has changed. */
void status_service_note_signer(struct status_service *s, enum oc_err err,
    const char *text);
void status_service_finish_nudges(struct status_service *s);
struct ocsp_status status_of_record(const struct status_record *record);

#endif
