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

bool
status_is_equal(const struct ocsp_status *a, const struct ocsp_status *b)
{
	return a->kind == b->kind && (a->kind != OCSP_REVOKED ||
	    (a->reason == b->reason && a->revoked_at == b->revoked_at));
}

/*
 * thisUpdate is when the status was last known to be so (RFC 6960, 2.4): now,
 * or when the source failed, or said it itself; and a little before, for
 * clients whose clocks are slow.  nextUpdate is inclusive, and never later
 * than the signer's certificate or the certificate itself is valid, or than
 * the source holds.
 */
void
status_service_times(const struct status_service *s, int64_t now,
    int64_t not_after, struct status_flight_plan *plan)
{
	const struct oc_config_issuer *config = s->plan.ocsp->issuer;
	int64_t known_at = s->is_source_well ? now : s->known_at;

	plan->produced_at = now;
	plan->this_update = known_at - config->ocsp_backdate_s;
	plan->next_update = plan->this_update + config->ocsp_lifetime_s - 1;
	if (plan->next_update > s->identity->signer_not_after)
		plan->next_update = s->identity->signer_not_after;
	if (plan->next_update > not_after)
		plan->next_update = not_after;
	if (s->bounds.next_update == 0)
		return;
	if (plan->this_update > s->bounds.this_update)
		plan->this_update = s->bounds.this_update;
	if (plan->next_update > s->bounds.next_update)
		plan->next_update = s->bounds.next_update;
	if (plan->next_update > plan->this_update + OCSP_LIFE_MAX_S)
		plan->next_update = plan->this_update + OCSP_LIFE_MAX_S;
}

/* How long it is valid is not how old a CRL was. */
static int64_t
begins_at(const struct status_service *s, const struct ocsp_slot *slot)
{
	return s->bounds.next_update == 0 ? slot->this_update :
	    slot->produced_at;
}

static struct status_flight **
bucket_of(struct status_service *s, const struct oc_serial *serial)
{
	uint32_t h = 0, i;

	for (i = 0; i < serial->len; i++)
		h = h * 31 + serial->bytes[i];
	return &s->flights[h % STATUS_BUCKETS];
}

struct status_flight *
status_service_find_flight(struct status_service *s,
    const struct oc_serial *serial, uint8_t encoding)
{
	struct status_flight *f;

	for (f = *bucket_of(s, serial); f != NULL; f = f->next)
		if (f->first.encoding == encoding &&
		    oc_serial_equal(&f->first.serial, serial))
			return f;
	return NULL;
}

static void
add_flight(struct status_service *s, struct status_flight *flight)
{
	flight->at = bucket_of(s, &flight->first.serial);
	flight->next = *flight->at;
	if (flight->next != NULL)
		flight->next->at = &flight->next;
	*flight->at = flight;
	s->num_flights++;
	s->num_in_lane[flight->job.lane]++;
}

static void
remove_flight(struct status_service *s, struct status_flight *flight)
{
	*flight->at = flight->next;
	if (flight->next != NULL)
		flight->next->at = flight->at;
	s->num_flights--;
	s->num_in_lane[flight->job.lane]--;
	s->fleet.num_looking -= flight->is_looking;
}

enum oc_err
status_service_submit(struct status_service *s, struct status_flight *flight,
    enum sign_lane lane, int64_t timeout_s, sign_done_fn *done)
{
	int64_t now_ns = oc_clock_mono_ns();
	enum oc_err err;

	flight->service = s;
	flight->job.key = s->key;
	flight->job.lane = lane;
	flight->job.deadline_ns = now_ns + timeout_s * OC_NS_PER_S;
	flight->job.done = done;
	err = sign_submit(s->plan.signer, &flight->job);
	if (err == OC_OK && lane == SIGN_LANE_LIVE)
		status_gate_enter(&s->gate, now_ns);
	return err;
}

void
status_service_leave(struct status_service *s,
    const struct status_flight *flight, enum status_gate_end end)
{
	if (flight->job.lane == SIGN_LANE_LIVE)
		status_gate_leave(&s->gate, end, oc_clock_mono_ns());
}

enum status_gate_end
status_gate_end_of(enum oc_err err)
{
	if (err == OC_OK)
		return STATUS_GATE_SIGNED;
	return err == OC_ERR_TIMEOUT ? STATUS_GATE_LATE : STATUS_GATE_OTHER;
}

int64_t
status_service_now(const struct status_service *s)
{
	(void)oc_clock_watch_look(s->plan.clock);
	return oc_clock_watch_now_s(s->plan.clock);
}

bool
status_service_may_sign(struct status_service *s, int64_t now)
{
	if (oc_clock_watch_look(s->plan.clock) != 0 ||
	    s->trust.is_signer_revoked)
		return false;
	if (now < s->identity->signer_not_after)
		return true;
	if (!s->has_said_expired)
		oc_log(OC_LOG_ERROR, "issuer %s: the certificate that OCSP "
		    "responses are signed under has expired: nothing is "
		    "signed; renew it and reload", s->plan.ocsp->name);
	s->has_said_expired = true;
	return false;
}

void
status_service_renew_at(struct status_service *s, enum status_due_kind kind,
    const struct oc_serial *serial, uint8_t encoding, int64_t at)
{
	const struct status_due due = { at, *serial, encoding };
	struct ocsp_slot slot;
	enum oc_err err;

	if (!status_service_keeps(s) || s->offline != NULL ||
	    status_trust_refuses(&s->trust))
		return;
	if (kind == STATUS_DUE_REFRESH &&
	    ocsp_table_find(s->table, serial, encoding, &slot))
		err = status_agenda_put_slot(&s->agenda, at, slot.number);
	else
		err = status_agenda_put(&s->agenda, kind, &due);
	if (err != OC_OK)
		oc_log(OC_LOG_ERROR, "issuer %s: out of memory: a response "
		    "will not be renewed", s->plan.ocsp->name);
}

bool
status_service_outlives(const struct status_service *s,
    const struct ocsp_slot *slot)
{
	return slot->next_update - begins_at(s, slot) >=
	    s->plan.ocsp->issuer->ocsp_lifetime_s ||
	    slot->next_update > s->identity->signer_not_after ||
	    (s->bounds.next_update != 0 &&
	    slot->next_update > s->bounds.next_update);
}

/* A response that was dated back far is not due before it was made. */
int64_t
status_service_due_at(const struct status_service *s,
    const struct ocsp_slot *slot)
{
	int64_t at = ocsp_refresh_due_at(&slot->serial, begins_at(s, slot),
	    slot->next_update);
	int64_t earliest = slot->produced_at +
	    (slot->next_update - slot->produced_at) / 4;

	if (status_service_outlives(s, slot))
		return slot->produced_at;
	return at > earliest ? at : earliest;
}

/* The state of the signer is said when it changes, not once a signature. */
void
status_service_note_signer(struct status_service *s, enum oc_err err,
    const char *text)
{
	bool is_well = err == OC_OK;

	if (is_well) {
		s->num_signed++;
		s->last_signed_at = status_service_now(s);
	} else {
		s->num_failed++;
	}
	if (is_well == s->is_signer_well)
		return;
	s->is_signer_well = is_well;
	if (is_well)
		oc_log(OC_LOG_NOTICE, "issuer %s: the signer answers again",
		    s->plan.ocsp->name);
	else
		oc_log(OC_LOG_WARNING, "issuer %s: no signature: %s (%s); "
		    "what is signed is served, what is not is tryLater",
		    s->plan.ocsp->name, oc_strerror(err), text);
}

/* What the nudge told of is on its way. */
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

/* Whether something that it told of is not signed yet, and may soon be. */
static bool
must_wait(const struct status_service *s, const struct status_nudge *nudge)
{
	const struct ocsp_refresh *urgent =
	    &s->agenda.wanted[STATUS_DUE_URGENT];
	const struct status_flight *f;
	int64_t since = nudge->known_at;
	uint32_t i;

	if (!nudge->is_known)
		return true;
	if (urgent->num > s->nudge_urgent_max)
		return false;
	if (since < s->last_signed_at)
		since = s->last_signed_at;
	if (status_service_now(s) - since > STATUS_NUDGE_WAIT_S)
		return false;
	if (!s->is_signer_well || !s->is_table_well || s->has_said_expired ||
	    s->trust.is_signer_revoked ||
	    oc_clock_watch_look(s->plan.clock) != 0)
		return false;
	if (ocsp_refresh_next_at(urgent) <= nudge->known_at)
		return true;
	for (i = 0; i < STATUS_BUCKETS; i++)
		for (f = s->flights[i]; f != NULL; f = f->next)
			if (concerns_nudge(s, f, nudge))
				return true;
	return false;
}

void
status_service_finish_nudges(struct status_service *s)
{
	struct status_nudge **at = &s->nudges, *nudge;

	/* They want to see what is served. */
	if (s->is_closed)
		return;
	while ((nudge = *at) != NULL) {
		if (must_wait(s, nudge)) {
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

/* The table could not take it (the disk is full), or is closed: whoever waits
 * for it is still answered. */
static void
end_flight_whole(struct status_service *s, struct status_flight *flight)
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

/* If nobody has to ask for it, we ask again. */
static void
retry(struct status_service *s, const struct status_flight *flight)
{
	if (flight->is_due)
		status_service_renew_at(s, flight->kind,
		    &flight->first.serial, flight->first.encoding,
		    status_service_now(s) + STATUS_RETRY_S);
}

static void
note_table(struct status_service *s, enum oc_err err)
{
	bool is_well = err == OC_OK;

	if (!is_well)
		s->table_retry_at = status_service_now(s) + STATUS_RETRY_S;
	if (is_well == s->is_table_well)
		return;
	s->is_table_well = is_well;
	if (is_well)
		oc_log(OC_LOG_NOTICE, "issuer %s: the response table takes "
		    "responses again", s->plan.ocsp->name);
	else
		oc_log(OC_LOG_ERROR, "issuer %s: the response table takes "
		    "nothing: %s; make room in the table-directory",
		    s->plan.ocsp->name, oc_strerror(err));
}

static void
land(struct status_service *s, struct status_flight *flight)
{
	struct ocsp_slot slot;
	enum oc_err err;

	err = status_flight_slot(flight, s->identity, &slot);
	if (err != OC_OK) {
		status_service_note_signer(s, err,
		    "that is no signature of this key");
		retry(s, flight);
		end_flight(s, flight, &(struct ipc_answer){
		    .kind = IPC_ANSWER_ERROR, .status = OCSP_TRY_LATER,
		    .retry_after_s = STATUS_RETRY_S });
		return;
	}
	err = ocsp_table_put(s->table, &slot);
	note_table(s, err);
	if (err != OC_OK) {
		retry(s, flight);
		end_flight_whole(s, flight);
		return;
	}
	status_fleet_offer(s, &slot);
	status_older_turn(s, &slot.serial);
	status_service_renew_at(s, STATUS_DUE_REFRESH, &slot.serial,
	    slot.encoding, status_service_due_at(s, &slot));
	if (s->is_closed)
		end_flight_whole(s, flight);
	else
		end_flight(s, flight,
		    &(struct ipc_answer){ .kind = IPC_ANSWER_TABLE });
}

/* Something changed while it was away: the same again, with what is so now,
 * for whoever waits. */
static void
fly_again(struct status_service *s, struct status_flight *old,
    const struct status_record *record)
{
	struct status_flight *flight;

	if (status_service_fly(s, record, old->first.encoding,
	    SIGN_LANE_REVOCATION, &flight) != OC_OK) {
		old->is_due = true;
		old->kind = STATUS_DUE_URGENT;
		retry(s, old);
		end_flight(s, old, &(struct ipc_answer){
		    .kind = IPC_ANSWER_ERROR, .status = OCSP_TRY_LATER,
		    .retry_after_s = STATUS_RETRY_S });
		return;
	}
	flight->is_due = true;
	flight->kind = STATUS_DUE_URGENT;
	status_flight_move_waiters(old, flight);
	status_flight_free(old);
}

static void
flight_done(struct sign_job *job, void *arg)
{
	struct status_flight *flight = arg;
	struct status_service *s = flight->service;
	const struct status_record *record = status_set_find(s->set,
	    &flight->first.serial);
	struct ocsp_status status;

	oc_assert(record != NULL);
	status_service_note_signer(s, job->err, job->error_text);
	status_service_leave(s, flight, status_gate_end_of(job->err));
	remove_flight(s, flight);
	if (job->err != OC_OK || s->trust.is_signer_revoked ||
	    record->not_after == STATUS_GONE ||
	    status_trust_refuses(&s->trust)) {
		retry(s, flight);
		end_flight(s, flight, &(struct ipc_answer){
		    .kind = IPC_ANSWER_ERROR, .status = OCSP_TRY_LATER,
		    .retry_after_s = STATUS_RETRY_S });
		return;
	}
	status = status_trust_says(&s->trust, record);
	if (status_is_equal(&flight->first.status, &status))
		land(s, flight);
	else
		fly_again(s, flight, record);
	status_service_pump(s, status_service_now(s));
}

static enum oc_err
submit(struct status_service *s, struct status_flight *flight)
{
	enum sign_lane lane = flight->job.lane;
	enum oc_err err = status_service_submit(s, flight, lane,
	    lane == SIGN_LANE_LIVE ? STATUS_LIVE_TIMEOUT_S : STATUS_TIMEOUT_S,
	    flight_done);

	/* A full queue is no sickness: there is just much to do. */
	if (err != OC_OK && err != OC_ERR_BUSY)
		status_service_note_signer(s, err, "not taken");
	return err;
}

void
status_service_launch(struct status_service *s, struct status_flight *flight)
{
	flight->is_looking = false;
	s->fleet.num_looking--;
	if (submit(s, flight) == OC_OK)
		return;
	remove_flight(s, flight);
	retry(s, flight);
	end_flight(s, flight, &(struct ipc_answer){
	    .kind = IPC_ANSWER_ERROR, .status = OCSP_TRY_LATER,
	    .retry_after_s = STATUS_RETRY_S });
}

void
status_service_end_look(struct status_service *s,
    struct status_flight *flight)
{
	remove_flight(s, flight);
	end_flight(s, flight, &(struct ipc_answer){ .kind =
	    IPC_ANSWER_TABLE });
}

/* Takes the place of one that is away and no longer true. */
static void
replace_flight(struct status_service *s, struct status_flight *old,
    struct status_flight *flight)
{
	if (!old->is_looking) {
		sign_cancel(s->plan.signer, &old->job);
		status_service_leave(s, old, STATUS_GATE_OTHER);
	}
	remove_flight(s, old);
	status_flight_move_waiters(old, flight);
	flight->is_due = old->is_due;
	flight->kind = old->kind;
	status_flight_free(old);
}

enum oc_err
status_service_fly(struct status_service *s,
    const struct status_record *record, uint8_t encoding, enum sign_lane lane,
    struct status_flight **out)
{
	struct status_single single = { record->serial, encoding,
	    status_trust_says(&s->trust, record), false };
	struct status_flight_plan plan = {
		.identity = s->identity,
		.singles = &single,
		.num_singles = 1,
	};
	struct status_flight *flight, *old;
	int64_t now = status_service_now(s);
	enum oc_err err;

	old = status_service_find_flight(s, &record->serial, encoding);
	if (old != NULL && status_is_equal(&old->first.status,
	    &single.status)) {
		*out = old;
		return OC_OK;
	}
	status_service_times(s, now, record->not_after, &plan);
	if (!status_service_may_sign(s, now) || plan.next_update <= now)
		return OC_ERR_REFUSED;
	err = status_flight_new(&plan, &flight);
	if (err != OC_OK)
		return err;
	flight->record_seq = record->seq;
	flight->job.lane = lane;
	flight->service = s;
	if (!status_fleet_look(s, flight, lane))
		err = submit(s, flight);
	if (err != OC_OK) {
		status_flight_free(flight);
		return err;
	}
	if (old != NULL)
		replace_flight(s, old, flight);
	add_flight(s, flight);
	*out = flight;
	return OC_OK;
}
