/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Questions that a responder's table could not answer: RFC 6960 section 2.2
 * for what the answer is, one budget for what must be signed live.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "status/requestor.h"
#include "status/service_impl.h"

/* What stands around ResponseData and certificates in the longest response:
 * the signature and a hundred octets of headers and names of algorithms. */
#define ENVELOPE_MAX (OC_SIGNATURE_MAX + 256)

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
	*flight->at = flight->next;
	if (flight->next != NULL)
		flight->next->at = flight->at;
	s->num_flights--;
	s->num_waiters--;
}

/* Of a serial number that was never given out, where an answer is signed: RFC
 * 6960, 2.2, has certificateHold since 1970 for "revoked". */
static struct ocsp_status
status_of_nobody(const struct status_service *s)
{
	switch (s->plan.ocsp->issuer->unknown) {
	case OC_UNKNOWN_UNAUTHORIZED:
	case OC_UNKNOWN_UNKNOWN:
		break;
	case OC_UNKNOWN_REVOKED:
		return (struct ocsp_status){ .kind = OCSP_REVOKED,
		    .reason = CRL_REASON_CERTIFICATE_HOLD, .revoked_at = 0 };
	}
	return (struct ocsp_status){ .kind = OCSP_UNKNOWN };
}

/* Of one of which there is no record. */
static enum ocsp_response_status
find_unlisted(const struct status_service *s, struct status_single *single)
{
	const struct oc_config_issuer *issuer = s->plan.ocsp->issuer;
	enum status_crl_unlisted is = STATUS_UNLISTED_NEVER;

	/* It may have been issued, or revoked, since the source failed. */
	if (!s->is_source_well)
		return OCSP_TRY_LATER;
	switch (issuer->source) {
	case OC_SOURCE_STORE:
		break;
	case OC_SOURCE_CRL:
		is = status_crl_file_unlisted(s->plan.crl_file, issuer,
		    &single->serial);
		break;
	case OC_SOURCE_INDEX:
	case OC_SOURCE_CERTDB:
		if (!status_records_is_complete(s->plan.records))
			is = STATUS_UNLISTED_UNKNOWN;
		break;
	}
	switch (is) {
	case STATUS_UNLISTED_UNTOLD:
		return OCSP_UNAUTHORIZED;
	case STATUS_UNLISTED_UNKNOWN:
		return OCSP_TRY_LATER;
	case STATUS_UNLISTED_ISSUED:
		single->status = status_trust_says(&s->trust,
		    &(struct status_record){ .is_revoked = false });
		return OCSP_SUCCESSFUL;
	case STATUS_UNLISTED_NEVER:
		break;
	}
	single->status = status_of_nobody(s);
	single->is_never_issued = true;
	return issuer->unknown == OC_UNKNOWN_UNAUTHORIZED ?
	    OCSP_UNAUTHORIZED : OCSP_SUCCESSFUL;
}

/*
 * What is said of one certificate; other than SUCCESSFUL: that nothing is.
 * *not_after is lowered to the certificate's.
 */
static enum ocsp_response_status
find_single(const struct status_service *s, uint8_t encoding,
    const struct oc_serial *serial, int64_t now, struct status_single *single,
    int64_t *not_after)
{
	const struct status_record *record = status_service_find_record(s,
	    serial);

	*single = (struct status_single){ .serial = *serial,
	    .encoding = encoding };
	if (record == NULL)
		return find_unlisted(s, single);
	/* Of an expired certificate nothing is said, unless its status is
	 * retained: RFC 6960, 4.4.4, leaves it to the responder. */
	if (record->not_after <= now)
		return OCSP_UNAUTHORIZED;
	single->status = status_trust_says(&s->trust, record);
	if (record->not_after < *not_after)
		*not_after = record->not_after;
	return OCSP_SUCCESSFUL;
}

/* Nothing that it says has changed while it was away. */
static bool
is_still_so(const struct status_service *s, const struct status_flight *f)
{
	struct status_single single;
	int64_t not_after = INT64_MAX;
	uint32_t i;

	if (s->trust.is_signer_revoked || status_trust_refuses(&s->trust))
		return false;
	for (i = 0; i < f->num_singles; i++) {
		const struct status_single *said = &f->singles[i];

		if (find_single(s, said->encoding, &said->serial,
		    f->this_update, &single, &not_after) != OCSP_SUCCESSFUL ||
		    single.is_never_issued != said->is_never_issued ||
		    !status_is_equal(&single.status, &said->status))
			return false;
	}
	return true;
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
	status_service_leave(s, flight, status_gate_end_of(err));
	remove_live(s, flight);
	if (err == OC_OK && !is_still_so(s, flight))
		err = OC_ERR_CANCELLED;
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
	int64_t now = status_service_now(s);
	enum oc_err err;

	for (uint32_t i = 0; i < num_singles; i++)
		if (singles[i].is_never_issued &&
		    singles[i].status.kind == OCSP_REVOKED)
			plan.has_extended_revoke = true;
	status_service_times(s, now, not_after, &plan);
	if (!status_service_may_sign(s, now) || plan.next_update <= now ||
	    s->num_waiters >= STATUS_WAITERS_MAX ||
	    status_flight_new(&plan, &flight) != OC_OK) {
		answer_error(answer, arg, OCSP_TRY_LATER);
		return;
	}
	if (flight->data_len > OCSP_RESPONSE_MAX - s->identity->certs_len -
	    ENVELOPE_MAX) {
		status_flight_free(flight);
		answer_error(answer, arg, OCSP_UNAUTHORIZED);
		return;
	}
	err = status_service_submit(s, flight, SIGN_LANE_LIVE,
	    STATUS_LIVE_TIMEOUT_S, live_done);
	if (err != OC_OK) {
		if (err != OC_ERR_BUSY)
			status_service_note_signer(s, err, "not taken");
		status_flight_free(flight);
		answer_error(answer, arg, OCSP_TRY_LATER);
		return;
	}
	flight->at = &s->live;
	flight->next = s->live;
	if (flight->next != NULL)
		flight->next->at = &flight->next;
	s->live = flight;
	s->num_flights++;
	s->num_waiters++;
	if (status_flight_wait(flight, answer, arg) != OC_OK) {
		sign_cancel(s->plan.signer, &flight->job);
		status_service_leave(s, flight, STATUS_GATE_OTHER);
		remove_live(s, flight);
		status_flight_free(flight);
		answer_error(answer, arg, OCSP_TRY_LATER);
	}
}

/* Neither more than the budget, nor more than come back soon. */
static bool
may_sign_live(struct status_service *s)
{
	int64_t now_ns = oc_clock_mono_ns();

	return status_gate_has_room(&s->gate, now_ns) &&
	    ocsp_budget_take(s->plan.budget, now_ns);
}

/* Several certificates, a nonce, one we never issued; or whatever is asked,
 * where nothing is kept. */
static void
ask_live(struct status_service *s, const struct ipc_ask *ask, int64_t now,
    status_answer_fn *answer, void *arg)
{
	struct status_single singles[IPC_SINGLES_MAX];
	int64_t not_after = INT64_MAX;
	uint32_t i;

	for (i = 0; i < ask->num_singles; i++) {
		enum ocsp_response_status status = find_single(s,
		    ask->singles[i].encoding, &ask->singles[i].serial, now,
		    &singles[i], &not_after);

		if (status != OCSP_SUCCESSFUL) {
			answer_error(answer, arg, status);
			return;
		}
	}
	if (!may_sign_live(s)) {
		if (ask->nonce.len != 0 && ask->num_singles == 1 &&
		    status_service_find_record(s, &singles[0].serial) !=
		    NULL && status_service_keeps(s))
			answer(arg, &(struct ipc_answer){
			    .kind = IPC_ANSWER_NO_NONCE });
		else
			answer_error(answer, arg, OCSP_TRY_LATER);
		return;
	}
	fly_live(s, singles, ask->num_singles, not_after, ask->nonce, answer,
	    arg);
}

/* Whoever asked looked a moment too early, or while a table grew. */
static bool
is_in_table(const struct status_service *s, const struct ipc_ask *ask,
    int64_t now)
{
	struct ocsp_slot slot;

	return ask->num_singles == 1 && ask->nonce.len == 0 &&
	    status_service_keeps(s) && ocsp_table_find(s->table,
	    &ask->singles[0].serial, ask->singles[0].encoding, &slot) &&
	    slot.next_update > now;
}

/* The usual question, whose answer will stand in the table. */
static void
ask_table(struct status_service *s, const struct status_record *record,
    uint8_t encoding, status_answer_fn *answer, void *arg)
{
	struct status_flight *flight;

	/* What no table keeps is signed for one question, as a nonce is. */
	if (s->num_waiters >= STATUS_WAITERS_MAX || (!s->is_table_well &&
	    !ocsp_budget_take(s->plan.budget, oc_clock_mono_ns())) ||
	    (status_service_find_flight(s, &record->serial, encoding) ==
	    NULL && !status_gate_has_room(&s->gate, oc_clock_mono_ns())) ||
	    status_service_fly(s, record, encoding, SIGN_LANE_LIVE,
	    &flight) != OC_OK ||
	    status_flight_wait(flight, answer, arg) != OC_OK) {
		answer_error(answer, arg, OCSP_TRY_LATER);
		return;
	}
	s->num_waiters++;
}

/* Nothing is signed.  What can't be said now may be later, if a response was
 * loaded or the store has it as revoked; of the rest nothing is known. */
static void
ask_offline(struct status_service *s, const struct ipc_ask *ask, int64_t now,
    status_answer_fn *answer, void *arg)
{
	const struct oc_serial *serial = &ask->singles[0].serial;
	const struct status_record *record = status_service_find_record(s,
	    serial);
	bool is_revoked = record != NULL && record->is_revoked;
	struct ipc_answer table = { .kind = ask->nonce.len != 0 ?
	    IPC_ANSWER_NO_NONCE : IPC_ANSWER_TABLE };
	struct ocsp_slot slot;
	bool is_there;

	if (ask->num_singles != 1) {
		answer_error(answer, arg, OCSP_UNAUTHORIZED);
		return;
	}
	is_there = ocsp_table_find(s->table, serial, ask->singles[0].encoding,
	    &slot) || status_older_find(s, serial, ask->singles[0].encoding,
	    &slot);
	if (is_there && slot.next_update > now)
		answer(arg, &table);
	else
		answer_error(answer, arg, is_there || is_revoked ?
		    OCSP_TRY_LATER : OCSP_UNAUTHORIZED);
}

/* A start takes milliseconds, or, with many records, seconds, and so does
 * looking through a table that is closed; whoever asks meanwhile is better off
 * waiting than being sent away.  Nor is anything signed while one list takes
 * another's place: part of it would be what the one says, part the other. */
static void
ask_early(struct status_service *s, const struct ipc_ask *ask,
    status_answer_fn *answer, void *arg)
{
	struct status_early *early = NULL;

	if (s->num_early < STATUS_EARLY_MAX &&
	    ask->nonce.len <= sizeof(early->nonce))
		early = malloc(sizeof(*early));
	if (early == NULL) {
		answer_error(answer, arg, OCSP_TRY_LATER);
		return;
	}
	early->ask = *ask;
	early->ask.request = (struct der_bytes){ NULL, 0 };	/* judged */
	if (ask->nonce.len != 0) {
		memcpy(early->nonce, ask->nonce.p, ask->nonce.len);
		early->ask.nonce.p = early->nonce;
	}
	early->answer = answer;
	early->arg = arg;
	early->next = s->early;
	s->early = early;
	s->num_early++;
}

static void
ask_now(struct status_service *s, const struct ipc_ask *ask,
    status_answer_fn *answer, void *arg)
{
	const struct status_record *record;
	int64_t now = status_service_now(s);

	record = status_service_find_record(s, &ask->singles[0].serial);
	if (status_trust_refuses(&s->trust))
		answer_error(answer, arg, OCSP_UNAUTHORIZED);
	else if (s->offline != NULL && s->is_closed)
		ask_early(s, ask, answer, arg);
	else if (s->offline != NULL)
		ask_offline(s, ask, now, answer, arg);
	else if (s->is_between && !is_in_table(s, ask, now))
		ask_early(s, ask, answer, arg);
	else if (ask->num_singles != 1 || ask->nonce.len != 0 ||
	    record == NULL || !status_service_keeps(s))
		ask_live(s, ask, now, answer, arg);
	else if (record->not_after <= now)
		answer_error(answer, arg, OCSP_UNAUTHORIZED);
	else if (s->is_closed)
		ask_early(s, ask, answer, arg);
	else if (is_in_table(s, ask, now))
		answer(arg, &(struct ipc_answer){ .kind = IPC_ANSWER_TABLE });
	else
		ask_table(s, record, ask->singles[0].encoding, answer, arg);
}

/* What each certificate's status is.  Before everything is known, one that is
 * not may exist. */
static bool
is_known(const struct status_service *s, const struct ipc_ask *ask)
{
	uint32_t i;

	for (i = 0; !s->is_ready && i < ask->num_singles; i++)
		if (!s->is_current || status_set_find(s->set,
		    &ask->singles[i].serial) == NULL)
			return false;
	return true;
}

void
status_service_answer_early(struct status_service *s)
{
	struct status_early *early, *next = s->early;

	/* Who has to wait again is put there again. */
	s->early = NULL;
	s->num_early = 0;
	while ((early = next) != NULL) {
		next = early->next;
		if (s->is_ready)
			ask_now(s, &early->ask, early->answer, early->arg);
		else
			answer_error(early->answer, early->arg,
			    OCSP_TRY_LATER);
		free(early);
	}
}

void
status_service_ask(struct status_service *s, const struct ipc_ask *ask,
    status_answer_fn *answer, void *arg)
{
	enum ocsp_response_status status;
	uint32_t i;

	s->num_asked++;
	/* The frame's reader knows nothing of encodings, and whoever sent it
	 * is the process that talks to strangers. */
	for (i = 0; i < ask->num_singles; i++)
		if (ask->singles[i].encoding >= OCSP_ENCODING_MAX) {
			answer_error(answer, arg, OCSP_MALFORMED_REQUEST);
			return;
		}
	status = status_requestor_judge(s, ask);
	if (status != OCSP_SUCCESSFUL)
		answer_error(answer, arg, status);
	else if (is_known(s, ask))
		ask_now(s, ask, answer, arg);
	else if (s->is_current && is_in_table(s, ask, status_service_now(s)))
		answer(arg, &(struct ipc_answer){ .kind = IPC_ANSWER_TABLE });
	else if (!s->is_source_well)
		answer_error(answer, arg, OCSP_TRY_LATER);
	else
		ask_early(s, ask, answer, arg);
}
