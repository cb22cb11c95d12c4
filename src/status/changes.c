/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the feed brings, and what is due: both make signatures.
 *
 * The order that keeps a revoked certificate from being called good: a change
 * first withdraws the slots, then asks for the signature.
 */
#include "status/service_impl.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"

/* What is on its way to the table says what is no longer so. */
static bool
is_away_stale(struct status_service *s, const struct status_record *record,
    uint8_t encoding)
{
	const struct status_flight *flight = status_service_find_flight(s,
	    &record->serial, encoding);
	struct ocsp_status status = status_trust_says(&s->trust, record);

	return flight != NULL &&
	    !status_is_equal(&flight->first.status, &status);
}

/*
 * Withdraws what the table says of a serial, if that is no longer so, and
 * has it signed again in each encoding that was there or on its way.
 */
static void
take_change(struct status_service *s, const struct status_record *record,
    int64_t now)
{
	bool is_wanted[OCSP_ENCODING_MAX] = { false };
	bool is_there[OCSP_ENCODING_MAX], is_gone[OCSP_ENCODING_MAX] = {
	    false };
	bool is_any_stale = false, is_any_gone = false;
	struct ocsp_slot slot;
	uint8_t e;

	for (e = 0; e < OCSP_ENCODING_MAX; e++) {
		is_there[e] = ocsp_table_find(s->table, &record->serial, e,
		    &slot);
		if (is_there[e] && status_service_is_stale(s, &slot, record,
		    now))
			is_any_stale = true;
		is_wanted[e] = is_away_stale(s, record, e);
	}
	if (is_any_stale)
		status_service_withdraw(s, &record->serial);
	status_older_note(s, record, now, is_gone);
	if (record->not_after <= now)
		return;
	for (e = 0; e < OCSP_ENCODING_MAX; e++) {
		if ((is_there[e] && is_any_stale) || is_gone[e])
			is_wanted[e] = true;
		is_any_gone |= is_gone[e];
	}
	if (!is_there[OCSP_ENCODING_USUAL] && (record->is_revoked ||
	    s->plan.ocsp->presign == OC_PRESIGN_ALL))
		is_wanted[OCSP_ENCODING_USUAL] = true;
	for (e = 0; e < OCSP_ENCODING_MAX; e++)
		if (is_wanted[e])
			status_service_renew_at(s, record->is_revoked ||
			    is_any_stale || is_any_gone ? STATUS_DUE_URGENT :
			    STATUS_DUE_NEW, &record->serial, e, now);
}

/* known_at: when it was well for certain. */
static void
note_source(struct status_service *s, enum oc_err err, int64_t known_at,
    const char *text)
{
	bool is_well = err == OC_OK;

	if (is_well == s->is_source_well)
		return;
	s->is_source_well = is_well;
	s->known_at = known_at;
	(void)snprintf(s->source_error, sizeof(s->source_error), "%s", text);
	if (is_well)
		oc_log(OC_LOG_NOTICE, "issuer %s: the source answers again",
		    s->plan.ocsp->name);
	else if (err != OC_ERR_NOT_FOUND)
		oc_log(OC_LOG_ERROR, "issuer %s: the source fails: %s; "
		    "what was known stays", s->plan.ocsp->name, text);
	/* Who waits to know more may wait for long. */
	if (!is_well && !s->is_ready)
		status_service_answer_early(s);
}

/* One that hangs says nothing, not even that it fails. */
static void
look_at_source(struct status_service *s, int64_t now)
{
	int64_t stuck_s = status_feed_stuck_ns(s->feed) / OC_NS_PER_S;

	if (s->is_source_well && stuck_s >= STATUS_SOURCE_STUCK_S)
		note_source(s, OC_ERR_TIMEOUT, now - stuck_s,
		    "it does not answer");
}

/* After an end of all that was said, what can be said again is so at once. */
static void
take_bounds(struct status_service *s, const struct status_bounds *bounds,
    int64_t now)
{
	if (s->is_ready && s->bounds.next_update != 0 &&
	    s->bounds.next_update <= now && bounds->next_update > now) {
		s->sweep = (struct status_sweep){ 0, 0 };
		s->is_sweeping = true;
	}
	s->bounds = *bounds;
}

static void
take_batch(void *arg, const struct status_batch *batch)
{
	struct status_service *s = arg;
	int64_t now = status_service_now(s);
	struct status_nudge *nudge;
	bool was_between;
	uint32_t i;

	note_source(s, batch->err, now, batch->text);
	for (i = 0; i < batch->num_changes; i++) {
		const struct status_change *c = &batch->changes[i];

		if (!c->is_elsewhere && status_set_apply(s->set, c) != OC_OK)
			status_service_give_up(s);
		s->num_valid += !s->is_ready && !c->is_elsewhere &&
		    c->not_after > now;
		if (batch->is_history)
			continue;
		s->seq = c->seq;
		if (status_trust_note(&s->trust, c) &&
		    status_service_sweep_all(s, now) != OC_OK)
			status_service_give_up(s);
		if (s->is_following && !c->is_elsewhere)
			take_change(s, status_set_find(s->set, &c->serial),
			    now);
	}
	if (s->is_current && !batch->is_history && batch->num_changes != 0)
		ocsp_table_set_seq(s->table, s->seq);
	if (s->is_following && !batch->is_history && batch->num_changes != 0)
		status_older_set_seq(s);
	if (batch->is_caught_up)
		take_bounds(s, &batch->bounds, now);
	was_between = s->is_between;
	s->is_between = s->bounds.next_update != 0 &&
	    batch->err == OC_OK && !batch->is_caught_up;
	if (batch->is_whole && !s->is_ready &&
	    status_service_catch_up(s) != OC_OK)
		status_service_give_up(s);
	if (was_between && !s->is_between && s->is_ready)
		status_service_answer_early(s);
	if (!batch->is_caught_up) {
		status_service_pump(s, now);
		return;
	}
	for (nudge = s->nudges; nudge != NULL; nudge = nudge->next)
		if (!nudge->is_known && nudge->number <= batch->nudge) {
			nudge->is_known = true;
			nudge->seq = s->seq;
			nudge->known_at = now;
		}
	status_service_pump(s, now);
	status_service_finish_nudges(s);
}

int
status_service_fd(const struct status_service *s)
{
	return status_feed_fd(s->feed);
}

void
status_service_dispatch(struct status_service *s)
{
	status_feed_dispatch(s->feed, take_batch, s);
}

static const enum sign_lane lanes[STATUS_DUE_MAX] = {
	[STATUS_DUE_URGENT] = SIGN_LANE_REVOCATION,
	[STATUS_DUE_NEW] = SIGN_LANE_CERTIFICATE,
	[STATUS_DUE_REFRESH] = SIGN_LANE_REFRESH,
};

/* A table that takes nothing is tried with one at a time. */
static bool
has_room(const struct status_service *s, enum status_due_kind kind)
{
	uint32_t num_urgent = s->num_in_lane[SIGN_LANE_REVOCATION];
	uint32_t num_other = s->num_in_lane[SIGN_LANE_CERTIFICATE] +
	    s->num_in_lane[SIGN_LANE_REFRESH];

	if (!s->is_table_well)
		return num_urgent + num_other == 0;
	return kind == STATUS_DUE_URGENT ? num_urgent < STATUS_URGENT_MAX :
	    num_other < STATUS_REFRESHES_MAX;
}

/*
 * A response that cannot be given a later nextUpdate than it has is left as
 * it is, unless it is to have an earlier one: it ends with its certificate,
 * or its signer's; or the source is away, or has said until when it holds, and
 * will have to be looked for again.
 */
static bool
is_gain(struct status_service *s, enum status_due_kind kind,
    const struct status_record *record, const struct ocsp_slot *slot,
    int64_t now)
{
	struct status_flight_plan plan = { 0 };

	status_service_times(s, now, record->not_after, &plan);
	if (plan.next_update > slot->next_update ||
	    status_service_outlives(s, slot))
		return true;
	if (!s->is_source_well || s->bounds.next_update != 0)
		status_service_renew_at(s, kind, &slot->serial,
		    slot->encoding, now + STATUS_SOURCE_RETRY_S);
	return false;
}

static enum oc_err
fly_due(struct status_service *s, enum status_due_kind kind,
    const struct status_due *due, int64_t now)
{
	const struct status_record *record = status_set_find(s->set,
	    &due->serial);
	struct status_flight *flight;
	struct ocsp_slot slot;
	enum oc_err err;

	if (record == NULL || record->not_after <= now ||
	    status_trust_refuses(&s->trust))
		return OC_OK;
	/* It may have been signed since it was put there. */
	if (ocsp_table_find(s->table, &due->serial, due->encoding, &slot) &&
	    !status_service_is_stale(s, &slot, record, now) &&
	    (status_service_due_at(s, &slot) > now ||
	    !is_gain(s, kind, record, &slot, now)))
		return OC_OK;
	err = status_service_fly(s, record, due->encoding, lanes[kind],
	    &flight);
	if (err != OC_OK)
		return err;
	flight->is_due = true;
	flight->kind = kind;
	return OC_OK;
}

/* False: no more for now, of any kind. */
static bool
pump_kind(struct status_service *s, enum status_due_kind kind, int64_t now)
{
	int64_t by = now - status_fleet_patience(s, kind, now);
	struct status_due due;
	uint32_t num = 0;
	enum oc_err err;

	while (num++ < STATUS_PUMP_MAX && has_room(s, kind) &&
	    status_agenda_take(&s->agenda, kind, s->table, by, &due)) {
		err = fly_due(s, kind, &due, now);
		if (err == OC_OK)
			continue;
		if (err == OC_ERR_REFUSED) {
			status_service_renew_at(s, kind, &due.serial,
			    due.encoding, now + STATUS_SOURCE_RETRY_S);
			continue;
		}
		/* Who was turned away keeps its place. */
		status_service_renew_at(s, kind, &due.serial, due.encoding,
		    err == OC_ERR_BUSY ? due.at : now + STATUS_RETRY_S);
		return false;
	}
	return true;
}

void
status_service_pump(struct status_service *s, int64_t now)
{
	int kind;

	/* What a new list says is not signed by the dates of the old. */
	if (!s->is_current || s->is_between ||
	    !status_service_may_sign(s, now) ||
	    (!s->is_table_well && now < s->table_retry_at))
		return;
	if (status_fleet_presigns(s, now))
		status_service_presign(s);
	for (kind = 0; kind < STATUS_DUE_MAX; kind++)
		if (!pump_kind(s, (enum status_due_kind)kind, now))
			return;
}

/* Whoever deletes a table, or copies another over it, wants it made anew; we
 * would write into a file that no responder finds any more. */
static void
look_at_table(const struct status_service *s)
{
	if (ocsp_table_is_in_place(s->table))
		return;
	oc_log(OC_LOG_ERROR, "issuer %s: the response table was removed or "
	    "cut short: starting again, to make it anew",
	    s->plan.ocsp->name);
	exit(EXIT_FAILURE);
}

static bool
add_to_horizon(void *arg, const struct ocsp_slot *slot)
{
	struct status_service *s = arg;
	const struct status_record *record = status_set_find(s->set,
	    &slot->serial);

	if (s->offline != NULL) {
		status_offline_look(s->offline, slot, s->pass.found.begun_at);
		status_horizon_add(&s->pass, slot, INT64_MAX);
	} else if (record != NULL)
		status_horizon_add(&s->pass, slot, record->not_after);
	return true;
}

/* Of what the key before has signed, what there is nothing newer of. */
static bool
add_older_to_horizon(void *arg, const struct ocsp_slot *slot)
{
	struct status_service *s = arg;
	struct ocsp_slot newer;

	return ocsp_table_find(s->table, &slot->serial, slot->encoding,
	    &newer) || add_to_horizon(arg, slot);
}

static void
look_at_horizon(struct status_service *s, int64_t now)
{
	if (!s->pass.is_under_way) {
		if (now - s->horizon.as_of < STATUS_HORIZON_PAUSE_S)
			return;
		if (s->offline != NULL)
			status_offline_begin(s->offline);
		status_horizon_begin(&s->pass, now, s->offline != NULL ?
		    OCSP_LIFE_MAX_S : s->plan.ocsp->issuer->ocsp_lifetime_s);
	}
	if (ocsp_table_walk_part(s->table, &s->pass.next,
	    STATUS_HORIZON_SLOTS, add_to_horizon, s))
		return;
	if (s->older != NULL && ocsp_table_walk_part(s->older,
	    &s->pass.older_next, STATUS_HORIZON_SLOTS, add_older_to_horizon,
	    s))
		return;
	status_horizon_end(&s->pass, now, &s->horizon);
	if (s->offline != NULL)
		status_offline_alarm(s->offline, now);
}

void
status_service_tick(struct status_service *s, int64_t now)
{
	if (now != s->looked_at) {
		s->looked_at = now;
		look_at_table(s);
		look_at_source(s, now);
		status_signer_tick(s, now);
	}
	/* What goes through all of the table waits for the first answers. */
	if (s->is_ready) {
		look_at_horizon(s, now);
		status_service_tend(s);
	}
	status_fleet_tick(s, now);
	(void)!status_service_walk(s, now);
}

bool
status_service_walk(struct status_service *s, int64_t now)
{
	s->has_more = false;
	status_older_tick(s, now);
	if (status_service_sweep(s, now) != OC_OK)
		status_service_give_up(s);
	status_service_pump(s, now);
	if (s->nudges != NULL)
		status_service_finish_nudges(s);
	return s->has_more || s->is_sweeping || (s->older != NULL &&
	    s->older_walk.is_under_way && !s->is_closed);
}
