/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a service does with what hosts share: it leads or follows, offers what
 * it had signed, looks before it has something signed, and takes what others
 * had.
 *
 * What is taken must be so now, by our own records, in the turn in which it
 * comes into the table: as with what comes from the signer, and with the same
 * order of things afterwards (changes.c).
 */
#include "status/service_impl.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"

/* Of what is urgent or new, how long a follower waits for the leader: then it
 * hangs, unless something has come from it just now. */
#define URGENT_PATIENCE_S 2
#define COMES_S 3
/* Who was not alone before goes on as before for so long. */
#define ALONE_S 60
/* An answer may be so young by our clock. */
#define SKEW_S 300
/* Slots offered in a tick, to who begins to lead. */
#define OFFER_SLOTS 4096
/* Urgent ones looked at while a nudge waits. */
#define URGENT_NUM 64

static bool take_batch(void *arg, struct status_share_batch *batch);

enum oc_err
status_fleet_join(struct status_service *s,
    const uint8_t store_id[STORE_ID_LEN], struct oc_error *error)
{
	const struct status_member_plan plan = { s->plan.ocsp, s->identity,
	    store_id, take_batch, s };

	if (s->plan.share == NULL || s->offline != NULL ||
	    s->plan.ocsp->issuer->source != OC_SOURCE_STORE ||
	    !status_service_keeps(s))
		return OC_OK;
	return status_share_join(s->plan.share, &plan, &s->fleet.member,
	    error);
}

/* --- who leads ----------------------------------------------------------- */

static enum status_lead
lead_of(const struct status_service *s)
{
	return s->fleet.member == NULL ? STATUS_LEAD_NONE :
	    status_member_lead(s->fleet.member);
}

/* Alone, and that for so long that nobody can be counted on. */
static bool
is_forsaken(const struct status_fleet *f, int64_t now)
{
	return f->alone_at == 0 || now - f->alone_at >= ALONE_S;
}

int64_t
status_fleet_patience(const struct status_service *s,
    enum status_due_kind kind, int64_t now)
{
	const struct status_fleet *f = &s->fleet;
	int64_t patience_s = status_lease_patience_s(
	    s->plan.ocsp->issuer->ocsp_lifetime_s);

	switch (lead_of(s)) {
	case STATUS_LEAD_NONE:
	case STATUS_LEAD_LEADS:
		return 0;
	case STATUS_LEAD_ALONE:
		return kind != STATUS_DUE_REFRESH || f->has_led ||
		    is_forsaken(f, now) ? 0 : patience_s;
	case STATUS_LEAD_FOLLOWS:
		break;
	}
	return kind == STATUS_DUE_REFRESH || now - f->taken_at <= COMES_S ?
	    patience_s : URGENT_PATIENCE_S;
}

bool
status_fleet_presigns(const struct status_service *s, int64_t now)
{
	return status_fleet_patience(s, STATUS_DUE_REFRESH, now) == 0;
}

/* --- out ----------------------------------------------------------------- */

void
status_fleet_offer(struct status_service *s, const struct ocsp_slot *slot)
{
	const struct status_record *record = status_set_find(s->set,
	    &slot->serial);

	if (s->fleet.member == NULL || record == NULL)
		return;
	if (!status_member_offer(s->fleet.member, slot, record->seq)) {
		s->fleet.is_offering = true;
		s->fleet.offer_next = 0;
	}
}

static bool
offer_slot(void *arg, const struct ocsp_slot *slot)
{
	struct status_service *s = arg;
	const struct status_record *record = status_set_find(s->set,
	    &slot->serial);

	if (record != NULL && !status_service_is_stale(s, slot, record,
	    status_service_now(s)))
		status_fleet_offer(s, slot);
	return true;
}

/* The others lack what was signed before they came, or while the database was
 * away. */
static void
offer_all(struct status_service *s, const struct status_member_state *state)
{
	struct status_fleet *f = &s->fleet;

	if (state->lead != STATUS_LEAD_LEADS)
		return;
	if (f->num_leads != state->num_leads) {
		f->num_leads = state->num_leads;
		if (state->num_rows < ocsp_table_num_used(s->table)) {
			f->is_offering = true;
			f->offer_next = 0;
		}
	}
	if (f->is_offering && state->num_room >= OFFER_SLOTS)
		f->is_offering = ocsp_table_walk_part(s->table,
		    &f->offer_next, OFFER_SLOTS, offer_slot, s);
}

/* --- looking first ------------------------------------------------------- */

bool
status_fleet_look(struct status_service *s, struct status_flight *flight,
    enum sign_lane lane)
{
	enum status_lead lead = lead_of(s);

	if (lead == STATUS_LEAD_NONE || lead == STATUS_LEAD_ALONE ||
	    (lead == STATUS_LEAD_LEADS && lane != SIGN_LANE_LIVE) ||
	    !status_member_look(s->fleet.member, &flight->first.serial,
	    flight->first.encoding))
		return false;
	flight->is_looking = true;
	flight->looked_ns = oc_clock_mono_ns();
	s->fleet.num_looking++;
	return true;
}

/* Who is not answered in time has it signed. */
static void
end_late_looks(struct status_service *s)
{
	int64_t before_ns = oc_clock_mono_ns() - STATUS_LOOK_NS;
	struct status_flight *flight, *next;

	for (uint32_t i = 0; s->fleet.num_looking > 0 && i < STATUS_BUCKETS;
	    i++)
		for (flight = s->flights[i]; flight != NULL; flight = next) {
			next = flight->next;
			if (flight->is_looking &&
			    flight->looked_ns <= before_ns)
				status_service_launch(s, flight);
		}
}

/* --- in ------------------------------------------------------------------ */

static bool
is_newer(const struct ocsp_slot *slot, const struct ocsp_slot *than)
{
	if (slot->next_update != than->next_update)
		return slot->next_update > than->next_update;
	/* Of two that were signed at once, all have the one that is there. */
	return slot->produced_at >= than->produced_at &&
	    (slot->produced_at != than->produced_at ||
	    memcmp(slot->signature, than->signature, slot->signature_len) !=
	    0);
}

/* It could be ours: by what is so, by our clock and our limits. */
static bool
is_sound(const struct status_service *s, const struct status_shared *row,
    const struct status_record *record, int64_t now)
{
	const struct ocsp_slot *slot = &row->slot;

	return row->change_seq == record->seq &&
	    !status_service_is_stale(s, slot, record, now) &&
	    !status_trust_refuses(&s->trust) && record->not_after > now &&
	    slot->next_update > now && slot->next_update <=
	    record->not_after && slot->this_update <= now &&
	    slot->produced_at <= now + SKEW_S &&
	    !status_service_outlives(s, slot);
}

/* Nobody who shares with us signs this: it lives longer than ours do, or is
 * good, and the records had it revoked when that was said. */
static bool
is_lie(const struct status_service *s, const struct status_shared *row,
    const struct status_record *record)
{
	const struct ocsp_slot *slot = &row->slot;

	if (slot->next_update - slot->this_update >=
	    s->plan.ocsp->issuer->ocsp_lifetime_s)
		return true;
	return record->is_revoked && slot->status.kind == OCSP_GOOD &&
	    row->change_seq >= record->seq;
}

static void
mark(struct status_service *s, struct status_shared *row, int64_t now)
{
	const struct status_record *record = status_set_find(s->set,
	    &row->slot.serial);
	struct ocsp_slot slot;

	row->is_wanted = false;
	if (record == NULL)
		return;
	if (row->is_there)
		row->is_refused = is_lie(s, row, record);
	if (!row->is_there || row->is_refused || s->is_closed ||
	    !s->is_ready || !is_sound(s, row, record, now))
		return;
	row->is_wanted = !ocsp_table_find(s->table, &row->slot.serial,
	    row->slot.encoding, &slot) ||
	    status_service_is_stale(s, &slot, record, now) ||
	    is_newer(&row->slot, &slot);
}

/* Another host is ahead of our source: what it says is so in a moment. */
static bool
is_any_early(const struct status_service *s,
    const struct status_share_batch *batch)
{
	for (uint32_t i = 0; i < batch->num; i++)
		if (batch->rows[i].change_seq > s->seq)
			return true;
	return false;
}

/* A change may have come while it was verified. */
static bool
take(struct status_service *s, struct status_shared *row, int64_t now)
{
	if (!row->is_wanted || !row->is_good)
		return false;
	mark(s, row, now);
	if (!row->is_wanted || ocsp_table_put(s->table, &row->slot) != OC_OK)
		return false;
	s->fleet.num_taken++;
	s->fleet.taken_at = now;
	status_older_turn(s, &row->slot.serial);
	status_service_renew_at(s, STATUS_DUE_REFRESH, &row->slot.serial,
	    row->slot.encoding, status_service_due_at(s, &row->slot));
	return true;
}

/* What took the place of a true one makes room for it again. */
static void
offer_again(struct status_service *s, const struct status_shared *row)
{
	struct ocsp_slot slot;

	if (ocsp_table_find(s->table, &row->slot.serial, row->slot.encoding,
	    &slot))
		(void)offer_slot(s, &slot);
}

/* What is there by now needs no waiting for. */
static void
drop_done(struct status_service *s, int64_t now)
{
	struct status_due due[URGENT_NUM];
	const struct status_record *record;
	struct ocsp_slot slot;
	uint32_t num = 0, i;

	while (num < URGENT_NUM && status_agenda_take(&s->agenda,
	    STATUS_DUE_URGENT, s->table, now, &due[num])) {
		record = status_set_find(s->set, &due[num].serial);
		if (record == NULL || !ocsp_table_find(s->table,
		    &due[num].serial, due[num].encoding, &slot) ||
		    status_service_is_stale(s, &slot, record, now))
			num++;
	}
	for (i = 0; i < num; i++)
		status_service_renew_at(s, STATUS_DUE_URGENT, &due[i].serial,
		    due[i].encoding, due[i].at);
}

static void
end_look(struct status_service *s, const struct status_shared *row,
    bool is_taken)
{
	struct status_flight *flight = status_service_find_flight(s,
	    &row->slot.serial, row->slot.encoding);

	if (flight == NULL || !flight->is_looking)
		return;
	if (is_taken)
		status_service_end_look(s, flight);
	else
		status_service_launch(s, flight);
}

static bool
take_batch(void *arg, struct status_share_batch *batch)
{
	struct status_service *s = arg;
	int64_t now = status_service_now(s);
	bool is_taken;

	if (batch->step == STATUS_SHARE_MARK) {
		for (uint32_t i = 0; i < batch->num; i++)
			mark(s, &batch->rows[i], now);
		return batch->is_look || !is_any_early(s, batch);
	}
	for (uint32_t i = 0; i < batch->num; i++) {
		is_taken = take(s, &batch->rows[i], now);
		if (batch->rows[i].is_refused)
			offer_again(s, &batch->rows[i]);
		if (is_taken || batch->is_look)
			end_look(s, &batch->rows[i], is_taken);
	}
	if (s->nudges != NULL) {
		drop_done(s, now);
		status_service_finish_nudges(s);
	}
	return true;
}

/* --- each tick ----------------------------------------------------------- */

/* Who could not sign, or would have to be wary, lets others lead. */
static enum status_fitness
fitness_of(struct status_service *s, int64_t now)
{
	if (!s->is_ready)
		return STATUS_UNREADY;
	return s->is_current && !s->is_closed && s->is_source_well &&
	    s->is_signer_well && s->is_table_well && !s->is_between &&
	    !status_trust_refuses(&s->trust) &&
	    status_service_may_sign(s, now) ? STATUS_FIT : STATUS_UNFIT;
}

static void
say_lead(struct status_service *s, const struct status_member_state *state)
{
	struct status_fleet *f = &s->fleet;
	const char *name = s->plan.ocsp->name;

	switch (state->lead) {
	case STATUS_LEAD_NONE:
		break;
	case STATUS_LEAD_ALONE:
		oc_log(OC_LOG_ERROR, "issuer %s: responses are not shared: "
		    "%s; what this host needs it has signed itself", name,
		    state->error[0] != '\0' ? state->error :
		    "the database does not answer");
		break;
	case STATUS_LEAD_FOLLOWS:
		if (f->said == STATUS_LEAD_ALONE)
			oc_log(OC_LOG_NOTICE, "issuer %s: responses are "
			    "shared again", name);
		else if (f->said == STATUS_LEAD_LEADS)
			oc_log(OC_LOG_NOTICE, "issuer %s: this host leads no "
			    "more", name);
		break;
	case STATUS_LEAD_LEADS:
		oc_log(OC_LOG_NOTICE, "issuer %s: this host leads: what is "
		    "due it has signed for all", name);
		break;
	}
}

static void
note_lead(struct status_service *s, const struct status_member_state *state,
    int64_t now)
{
	struct status_fleet *f = &s->fleet;

	if (state->lead == f->said)
		return;
	say_lead(s, state);
	/* Before it was never met nobody can be counted on. */
	f->alone_at = state->lead == STATUS_LEAD_ALONE &&
	    f->said != STATUS_LEAD_NONE ? now : 0;
	if (state->lead != STATUS_LEAD_ALONE)
		f->has_led = state->lead == STATUS_LEAD_LEADS;
	f->said = state->lead;
}

void
status_fleet_tick(struct status_service *s, int64_t now)
{
	struct status_member_state state;
	struct status_fleet *f = &s->fleet;
	bool presigns;

	if (f->member == NULL)
		return;
	status_member_say(f->member, fitness_of(s, now));
	status_member_state(f->member, &state);
	note_lead(s, &state, now);
	end_late_looks(s);
	offer_all(s, &state);
	/* Whoever led may have left some out. */
	presigns = status_fleet_presigns(s, now);
	if (presigns && !f->presigns)
		status_service_presign_again(s);
	f->presigns = presigns;
}

void
status_fleet_report(const struct status_service *s,
    struct status_fleet_report *out)
{
	struct status_member_state state;

	*out = (struct status_fleet_report){ .lead = STATUS_LEAD_NONE };
	if (s->fleet.member == NULL)
		return;
	status_member_state(s->fleet.member, &state);
	out->lead = state.lead;
	out->num_taken = s->fleet.num_taken;
	out->num_shared = state.num_shared;
	out->num_refused = state.num_refused;
	memcpy(out->leader, state.leader, sizeof(out->leader));
}
