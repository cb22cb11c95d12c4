/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Questions that a responder's table could not answer: RFC 6960 section 2.2
 * for what the answer is, one budget for what must be signed live.
 */
#include <stdlib.h>

#include "base/clock.h"
#include "status/service_impl.h"

static void
answer_error(status_answer_fn *answer, void *arg,
    enum ocsp_response_status status)
{
	answer(arg, &(struct ipc_answer){
	    .kind = IPC_ANSWER_ERROR,
	    .status = (uint8_t)status,
	    .retry_after_s = status == OCSP_TRY_LATER ? STATUS_RETRY_S : 0 });
}

static void
remove_live(struct status_service *s, struct status_flight *flight)
{
	struct status_flight **at = &s->live;

	while (*at != flight)
		at = &(*at)->next;
	*at = flight->next;
	s->num_flights--;
	s->num_waiters--;
}

static void
live_done(struct sign_job *job, void *arg)
{
	struct status_flight *flight = arg;
	struct status_service *s = flight->service;
	uint8_t response[OCSP_RESPONSE_MAX];
	struct ipc_answer answer = {
		.kind = IPC_ANSWER_RESPONSE,
		.this_update = flight->this_update,
		.next_update = flight->next_update,
		.response = { response, 0 },
	};
	enum oc_err err = job->err;

	status_service_note_signer(s, err, job->error_text);
	remove_live(s, flight);
	if (err == OC_OK)
		err = status_flight_response(flight, s->identity, response,
		    sizeof(response), &answer.response.len);
	if (err != OC_OK)
		answer = (struct ipc_answer){
			.kind = IPC_ANSWER_ERROR,
			.status = OCSP_TRY_LATER,
			.retry_after_s = STATUS_RETRY_S,
		};
	status_flight_answer(flight, &answer);
	status_flight_free(flight);
}

/* Signs these singles for one question only. */
static void
fly_live(struct status_service *s, const struct status_single *singles,
    uint32_t num_singles, int64_t not_after, struct der_bytes nonce,
    status_answer_fn *answer, void *arg)
{
	struct status_flight_plan plan = {
		.identity = s->identity,
		.singles = singles,
		.num_singles = num_singles,
		.nonce = nonce,
	};
	struct status_flight *flight;

	status_service_times(s, not_after, &plan);
	if (plan.next_update <= plan.produced_at ||
	    s->num_waiters >= STATUS_WAITERS_MAX ||
	    status_flight_new(&plan, &flight) != OC_OK) {
		answer_error(answer, arg, OCSP_TRY_LATER);
		return;
	}
	flight->is_live = true;
	if (status_service_submit(s, flight, SIGN_LANE_LIVE,
	    STATUS_LIVE_TIMEOUT_S, live_done) != OC_OK) {
		status_flight_free(flight);
		answer_error(answer, arg, OCSP_TRY_LATER);
		return;
	}
	flight->next = s->live;
	s->live = flight;
	s->num_flights++;
	s->num_waiters++;
	if (status_flight_wait(flight, answer, arg) != OC_OK) {
		sign_cancel(s->plan.signer, &flight->job);
		remove_live(s, flight);
		status_flight_free(flight);
		answer_error(answer, arg, OCSP_TRY_LATER);
	}
}

/*
 * What is said of one certificate.  False: nothing that could be signed.
 * *not_after is lowered to the certificate's.
 */
static bool
find_single(const struct status_service *s, uint8_t encoding,
    const struct oc_serial *serial, int64_t now, struct status_single *single,
    int64_t *not_after)
{
	const struct status_record *record = status_set_find(s->set, serial);

	*single = (struct status_single){ *serial, encoding,
	    { .kind = OCSP_UNKNOWN } };
	if (record == NULL)
		return s->plan.issuer->unknown == OC_UNKNOWN_UNKNOWN;
	/* Of an expired certificate nothing is said: RFC 6960, 4.4.4, leaves
	 * it to the responder. */
	if (record->not_after < now)
		return false;
	single->status = status_of_record(record);
	if (record->not_after < *not_after)
		*not_after = record->not_after;
	return true;
}

/* Several certificates, a nonce, or one we never issued. */
static void
ask_live(struct status_service *s, const struct ipc_ask *ask, int64_t now,
    status_answer_fn *answer, void *arg)
{
	struct status_single singles[IPC_SINGLES_MAX];
	int64_t not_after = INT64_MAX;
	uint32_t i;

	for (i = 0; i < ask->num_singles; i++) {
		if (!find_single(s, ask->singles[i].encoding,
		    &ask->singles[i].serial, now, &singles[i], &not_after)) {
			answer_error(answer, arg, OCSP_UNAUTHORIZED);
			return;
		}
	}
	if (!ocsp_budget_take(s->plan.budget, oc_clock_mono_ns())) {
		if (ask->nonce.len != 0 && ask->num_singles == 1 &&
		    singles[0].status.kind != OCSP_UNKNOWN)
			answer(arg, &(struct ipc_answer){
			    .kind = IPC_ANSWER_NO_NONCE });
		else
			answer_error(answer, arg, OCSP_TRY_LATER);
		return;
	}
	fly_live(s, singles, ask->num_singles, not_after, ask->nonce, answer,
	    arg);
}

/* The usual question, whose answer will stand in the table. */
static void
ask_table(struct status_service *s, const struct status_record *record,
    uint8_t encoding, int64_t now, status_answer_fn *answer, void *arg)
{
	struct status_flight *flight;
	struct ocsp_slot slot;

	if (ocsp_table_find(s->table, &record->serial, encoding, &slot) &&
	    slot.next_update > now) {
		answer(arg, &(struct ipc_answer){ .kind = IPC_ANSWER_TABLE });
		return;
	}
	flight = s->num_waiters < STATUS_WAITERS_MAX ?
	    status_service_fly(s, record, encoding, SIGN_LANE_LIVE) : NULL;
	if (flight == NULL ||
	    status_flight_wait(flight, answer, arg) != OC_OK) {
		answer_error(answer, arg, OCSP_TRY_LATER);
		return;
	}
	s->num_waiters++;
}

void
status_service_ask(struct status_service *s, const struct ipc_ask *ask,
    status_answer_fn *answer, void *arg)
{
	const struct status_record *record;
	int64_t now = oc_clock_now_s();

	s->num_asked++;
	if (!s->is_ready) {
		answer_error(answer, arg, OCSP_TRY_LATER);
		return;
	}
	record = status_set_find(s->set, &ask->singles[0].serial);
	if (ask->num_singles != 1 || ask->nonce.len != 0 || record == NULL)
		ask_live(s, ask, now, answer, arg);
	else if (record->not_after < now)
		answer_error(answer, arg, OCSP_UNAUTHORIZED);
	else
		ask_table(s, record, ask->singles[0].encoding, now, answer,
		    arg);
}
