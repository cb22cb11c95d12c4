/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Flights for the table: one signature at a time for each serial and
 * encoding, and what happens when it comes back.  A signature is put into the
 * table only if what it says is still so.
 */
#include "status/service_impl.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"

struct ocsp_status
status_of_record(const struct status_record *record)
{
	if (!record->is_revoked)
		return (struct ocsp_status){ .kind = OCSP_GOOD };
	return (struct ocsp_status){ OCSP_REVOKED, record->reason,
	    record->revoked_at };
}

/*
 * thisUpdate a little in the past for clients whose clocks are slow;
 * nextUpdate is inclusive, and never later than the signer's certificate or
 * the certificate itself is valid.
 */
void
status_service_times(const struct status_service *s, int64_t not_after,
    struct status_flight_plan *plan)
{
	const struct oc_config_issuer *config = s->plan.issuer;

	plan->produced_at = oc_clock_now_s();
	plan->this_update = plan->produced_at - config->ocsp_backdate_s;
	plan->next_update = plan->this_update + config->ocsp_lifetime_s - 1;
	if (plan->next_update > s->identity->signer_not_after)
		plan->next_update = s->identity->signer_not_after;
	if (plan->next_update > not_after)
		plan->next_update = not_after;
}

static struct status_flight **
bucket_of(struct status_service *s, const struct oc_serial *serial)
{
	uint32_t h = 0, i;

	for (i = 0; i < serial->len; i++)
		h = h * 31 + serial->bytes[i];
	return &s->flights[h % STATUS_BUCKETS];
}

static struct status_flight *
find_flight(struct status_service *s, const struct oc_serial *serial,
    uint8_t encoding)
{
	struct status_flight *f;

	for (f = *bucket_of(s, serial); f != NULL; f = f->next)
		if (f->first.encoding == encoding &&
		    oc_serial_equal(&f->first.serial, serial))
			return f;
	return NULL;
}

static void
remove_flight(struct status_service *s, struct status_flight *flight)
{
	struct status_flight **at = bucket_of(s, &flight->first.serial);

	while (*at != flight)
		at = &(*at)->next;
	*at = flight->next;
	s->num_flights--;
	if (flight->job.lane == SIGN_LANE_REFRESH ||
	    flight->job.lane == SIGN_LANE_CERTIFICATE)
		s->num_refreshes--;
}

enum oc_err
status_service_submit(struct status_service *s, struct status_flight *flight,
    enum sign_lane lane, int64_t timeout_s, sign_done_fn *done)
{
	flight->service = s;
	flight->job.key = s->key;
	flight->job.lane = lane;
	flight->job.deadline_ns = oc_clock_mono_ns() + timeout_s * OC_NS_PER_S;
	flight->job.done = done;
	return sign_submit(s->plan.signer, &flight->job);
}

void
status_service_renew_at(struct status_service *s, const struct oc_serial *serial,
    uint8_t encoding, int64_t at)
{
	struct ocsp_due due = { at, *serial, encoding };

	if (ocsp_refresh_put(&s->refresh, &due) != OC_OK)
		oc_log(OC_LOG_ERROR, "issuer %s: out of memory: a response "
		    "will not be renewed", s->plan.issuer->name);
}

/* The state of the signer is said when it changes, not once a signature. */
void
status_service_note_signer(struct status_service *s, enum oc_err err, const char *text)
{
	bool is_well = err == OC_OK;

	if (is_well)
		s->num_signed++;
	else
		s->num_failed++;
	if (is_well == s->is_signer_well)
		return;
	s->is_signer_well = is_well;
	if (is_well)
		oc_log(OC_LOG_NOTICE, "issuer %s: the signer answers again",
		    s->plan.issuer->name);
	else
		oc_log(OC_LOG_WARNING, "issuer %s: no signature: %s (%s); "
		    "what is signed is served, what is not is tryLater",
		    s->plan.issuer->name, oc_strerror(err), text);
}

/* A revocation that the nudge told of is not signed yet. */
static bool
concerns_nudge(const struct status_service *s, const struct status_flight *f,
    const struct status_nudge *nudge)
{
	const struct status_record *record = status_set_find(s->set,
	    &f->first.serial);

	return f->record_seq <= nudge->seq && record != NULL &&
	    (f->job.lane == SIGN_LANE_REVOCATION ||
	    record->seq != f->record_seq);
}

void
status_service_finish_nudges(struct status_service *s)
{
	struct status_nudge **at = &s->nudges, *nudge;
	struct status_flight *f;
	uint32_t i;

	while ((nudge = *at) != NULL) {
		bool is_waiting = !nudge->is_known;

		for (i = 0; i < STATUS_BUCKETS && !is_waiting; i++)
			for (f = s->flights[i]; f != NULL; f = f->next)
				is_waiting = is_waiting ||
				    concerns_nudge(s, f, nudge);
		if (is_waiting) {
			at = &nudge->next;
			continue;
		}
		*at = nudge->next;
		nudge->done(nudge->arg);
		free(nudge);
	}
}

/* Tells everybody who waits for it, and forgets it. */
static void
end_flight(struct status_service *s, struct status_flight *flight,
    const struct ipc_answer *answer)
{
	struct status_waiter *w;

	for (w = flight->waiters; w != NULL; w = w->next)
		s->num_waiters--;
	status_flight_answer(flight, answer);
	status_flight_free(flight);
	if (s->nudges != NULL)
		status_service_finish_nudges(s);
}

/* The table could not take it (the disk is full): whoever waits for it is
 * still answered. */
static void
end_flight_unstored(struct status_service *s, struct status_flight *flight)
{
	uint8_t response[OCSP_RESPONSE_MAX];
	struct ipc_answer answer = {
		.kind = IPC_ANSWER_RESPONSE,
		.this_update = flight->this_update,
		.next_update = flight->next_update,
		.response = { response, 0 },
	};

	if (status_flight_response(flight, s->identity, response,
	    sizeof(response), &answer.response.len) != OC_OK)
		answer = (struct ipc_answer){ .kind = IPC_ANSWER_ERROR,
		    .status = OCSP_INTERNAL_ERROR };
	end_flight(s, flight, &answer);
}

static void
land(struct status_service *s, struct status_flight *flight)
{
	struct ocsp_slot slot;
	enum oc_err err;

	err = status_flight_slot(flight, s->identity, &slot);
	if (err == OC_OK)
		err = ocsp_table_put(s->table, &slot);
	status_service_renew_at(s, &flight->first.serial, flight->first.encoding,
	    err == OC_OK ? ocsp_refresh_due_at(&flight->first.serial,
	    flight->this_update, flight->next_update) :
	    oc_clock_now_s() + STATUS_RETRY_S);
	if (err != OC_OK) {
		oc_log(OC_LOG_ERROR, "issuer %s: the response table takes "
		    "nothing: %s; make room in the table-directory",
		    s->plan.issuer->name, oc_strerror(err));
		end_flight_unstored(s, flight);
		return;
	}
	end_flight(s, flight,
	    &(struct ipc_answer){ .kind = IPC_ANSWER_TABLE });
}

/* Something changed while it was away: the same again, with what is so now,
 * for whoever waits. */
static void
fly_again(struct status_service *s, struct status_flight *old,
    const struct status_record *record)
{
	struct status_flight *flight = status_service_fly(s, record,
	    old->first.encoding, SIGN_LANE_REVOCATION);

	if (flight == NULL) {
		end_flight(s, old, &(struct ipc_answer){
		    .kind = IPC_ANSWER_ERROR, .status = OCSP_TRY_LATER,
		    .retry_after_s = STATUS_RETRY_S });
		return;
	}
	while (old->waiters != NULL) {
		struct status_waiter *w = old->waiters;

		old->waiters = w->next;
		w->next = flight->waiters;
		flight->waiters = w;
	}
	status_flight_free(old);
}

static void
flight_done(struct sign_job *job, void *arg)
{
	struct status_flight *flight = arg;
	struct status_service *s = flight->service;
	const struct status_record *record;

	status_service_note_signer(s, job->err, job->error_text);
	remove_flight(s, flight);
	if (job->err != OC_OK) {
		status_service_renew_at(s, &flight->first.serial, flight->first.encoding,
		    oc_clock_now_s() + STATUS_RETRY_S);
		end_flight(s, flight, &(struct ipc_answer){
		    .kind = IPC_ANSWER_ERROR, .status = OCSP_TRY_LATER,
		    .retry_after_s = STATUS_RETRY_S });
		return;
	}
	record = status_set_find(s->set, &flight->first.serial);
	oc_assert(record != NULL);
	if (record->seq != flight->record_seq)
		fly_again(s, flight, record);
	else
		land(s, flight);
}

struct status_flight *
status_service_fly(struct status_service *s,
    const struct status_record *record, uint8_t encoding, enum sign_lane lane)
{
	struct status_single single = { record->serial, encoding,
	    status_of_record(record) };
	struct status_flight_plan plan = {
		.identity = s->identity,
		.singles = &single,
		.num_singles = 1,
	};
	struct status_flight *flight, **bucket;
	enum oc_err err;

	flight = find_flight(s, &record->serial, encoding);
	if (flight != NULL)
		return flight;
	status_service_times(s, record->not_after, &plan);
	err = plan.next_update > plan.produced_at ?
	    status_flight_new(&plan, &flight) : OC_ERR_REFUSED;
	if (err == OC_OK) {
		flight->record_seq = record->seq;
		err = status_service_submit(s, flight, lane,
		    lane == SIGN_LANE_LIVE ? STATUS_LIVE_TIMEOUT_S :
		    STATUS_TIMEOUT_S, flight_done);
		if (err != OC_OK)
			status_flight_free(flight);
	}
	if (err != OC_OK) {
		/* A full queue is no sickness: there is just much to do. */
		if (err != OC_ERR_BUSY)
			status_service_note_signer(s, err,
			    err == OC_ERR_REFUSED ? "the certificate or its "
			    "OCSP signer's has expired" : "not taken");
		status_service_renew_at(s, &record->serial, encoding,
		    oc_clock_now_s() + STATUS_RETRY_S);
		return NULL;
	}
	bucket = bucket_of(s, &record->serial);
	flight->next = *bucket;
	*bucket = flight;
	s->num_flights++;
	if (lane == SIGN_LANE_REFRESH || lane == SIGN_LANE_CERTIFICATE)
		s->num_refreshes++;
	return flight;
}
