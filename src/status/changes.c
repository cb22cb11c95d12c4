/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the feed brings, and what is due: both make signatures.
 *
 * The order that keeps a revoked certificate from being called good: a change
 * first withdraws the slots, then asks for the signature.
 */
#include "status/service_impl.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"

/* A slot that does not say what is so, or that is past its time.  What was
 * loaded cannot be made anew: it stays unless it must not be said. */
static bool
is_slot_stale(const struct status_service *s, const struct ocsp_slot *slot,
    const struct status_record *record, int64_t now)
{
	struct ocsp_status status;

	if (status_trust_forbids(&s->trust, &slot->status))
		return true;
	if (s->offline != NULL)
		return status_offline_contradicts(slot, record);
	if (record == NULL || slot->next_update < now)
		return true;
	status = status_trust_says(&s->trust, record);
	return !status_is_equal(&slot->status, &status);
}

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

/* Of a loaded one it is said, unless all are withdrawn. */
static void
withdraw(struct status_service *s, const struct oc_serial *serial)
{
	ocsp_table_withdraw(s->table, serial);
	if (s->offline != NULL && !s->trust.is_compromised &&
	    !s->trust.is_signer_revoked)
		status_offline_note_withdrawn(s->offline, serial);
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
	bool is_there[OCSP_ENCODING_MAX];
	bool is_any_stale = false;
	struct ocsp_slot slot;
	uint8_t e;

	for (e = 0; e < OCSP_ENCODING_MAX; e++) {
		is_there[e] = ocsp_table_find(s->table, &record->serial, e,
		    &slot);
		if (is_there[e] && is_slot_stale(s, &slot, record, now))
			is_any_stale = true;
		is_wanted[e] = is_away_stale(s, record, e);
	}
	if (is_any_stale)
		withdraw(s, &record->serial);
	if (record->not_after <= now)
		return;
	for (e = 0; e < OCSP_ENCODING_MAX; e++)
		if (is_there[e] && is_any_stale)
			is_wanted[e] = true;
	if (!is_there[OCSP_ENCODING_USUAL] && (record->is_revoked ||
	    s->plan.issuer->presign == OC_PRESIGN_ALL))
		is_wanted[OCSP_ENCODING_USUAL] = true;
	for (e = 0; e < OCSP_ENCODING_MAX; e++)
		if (is_wanted[e])
			status_service_renew_at(s, record->is_revoked ||
			    is_any_stale ? STATUS_DUE_URGENT : STATUS_DUE_NEW,
			    &record->serial, e, now);
}

/* What a walk over the table at start finds: the renewal of what is well,
 * and in the list what is not. */
struct sweep {
	struct status_service *service;
	int64_t now;
	bool is_first;			/* else renewals are known */
	struct ocsp_due *stale;		/* owned */
	uint32_t num_stale, num_max;
	bool has_failed;
};

static bool
sweep_slot(void *arg, const struct ocsp_slot *slot)
{
	struct sweep *sweep = arg;
	struct status_service *s = sweep->service;

	if (status_service_keeps(s) && !is_slot_stale(s, slot,
	    status_set_find(s->set, &slot->serial), sweep->now)) {
		if (sweep->is_first)
			status_service_renew_at(s, STATUS_DUE_REFRESH,
			    &slot->serial, slot->encoding,
			    status_service_due_at(s, slot));
		return true;
	}
	if (sweep->num_stale == sweep->num_max) {
		uint32_t num_max = sweep->num_max * 2 + 64;
		struct ocsp_due *stale = reallocarray(sweep->stale, num_max,
		    sizeof(*stale));

		if (stale == NULL) {
			sweep->has_failed = true;
			return false;
		}
		sweep->stale = stale;
		sweep->num_max = num_max;
	}
	sweep->stale[sweep->num_stale++] = (struct ocsp_due){ sweep->now,
	    slot->serial, slot->encoding };
	return true;
}

/* Not as fresh news: a first signing of all is as long as the store, and
 * must not stand before what happens meanwhile. */
static bool
presign_record(void *arg, const struct status_record *record)
{
	struct sweep *sweep = arg;
	struct status_service *s = sweep->service;
	struct ocsp_slot slot;

	if (record->not_after > sweep->now &&
	    !ocsp_table_find(s->table, &record->serial, OCSP_ENCODING_USUAL,
	    &slot))
		status_service_renew_at(s, STATUS_DUE_REFRESH,
		    &record->serial, OCSP_ENCODING_USUAL, sweep->now);
	return true;
}

/* Somebody had asked for it, or it was signed for all: so it is again. */
static void
withdraw_stale(struct status_service *s, const struct ocsp_due *stale)
{
	const struct status_record *record = status_set_find(s->set,
	    &stale->serial);
	bool is_urgent = s->trust.is_compromised ||
	    (record != NULL && record->is_revoked);

	withdraw(s, &stale->serial);
	if (record != NULL)
		status_service_renew_at(s, is_urgent ? STATUS_DUE_URGENT :
		    STATUS_DUE_REFRESH, &stale->serial, stale->encoding,
		    stale->at);
}

/* Holds the table against what is known. */
static enum oc_err
sweep_table(struct status_service *s, int64_t now, uint32_t *num_stale)
{
	struct sweep sweep = { .service = s, .now = now,
	    .is_first = !s->is_ready };
	uint32_t i;

	ocsp_table_walk(s->table, sweep_slot, &sweep);
	for (i = 0; i < sweep.num_stale; i++)
		withdraw_stale(s, &sweep.stale[i]);
	free(sweep.stale);
	if (sweep.has_failed)
		return OC_ERR_NOMEM;
	if (s->plan.issuer->presign == OC_PRESIGN_ALL && sweep.is_first)
		status_set_walk(s->set, presign_record, &sweep);
	*num_stale = sweep.num_stale;
	return OC_OK;
}

/* The first time that everything is known. */
static enum oc_err
catch_up(struct status_service *s)
{
	uint32_t num_stale;
	enum oc_err err;

	if (s->offline != NULL)
		status_offline_put(s->offline, s->table, s->set, &s->trust);
	err = sweep_table(s, status_service_now(s), &num_stale);
	if (err != OC_OK)
		return err;
	ocsp_table_set_seq(s->table, s->seq);
	ocsp_table_set_ready(s->table, true);
	s->is_ready = true;
	oc_log(OC_LOG_INFO, "issuer %s: %u certificates known, %u responses "
	    "at hand, %u withdrawn", s->plan.issuer->name,
	    status_set_num(s->set), ocsp_table_num_used(s->table), num_stale);
	status_service_answer_early(s);
	return OC_OK;
}

#define MISSED_BATCH 256

/* What of this serial is no longer so; to be signed again once all is known. */
static void
withdraw_missed_one(struct status_service *s, const struct status_record *r,
    int64_t now)
{
	struct ocsp_slot slot;
	bool is_any_stale = false;
	uint8_t e;

	for (e = 0; e < OCSP_ENCODING_MAX; e++)
		if (ocsp_table_find(s->table, &r->serial, e, &slot) &&
		    is_slot_stale(s, &slot, r, now)) {
			is_any_stale = true;
			status_service_renew_at(s, r->is_revoked ?
			    STATUS_DUE_URGENT : STATUS_DUE_REFRESH,
			    &r->serial, e, now);
		}
	if (is_any_stale)
		withdraw(s, &r->serial);
}

/*
 * A change that the table has and the source has not: the source went back
 * in time, and nothing in the table can be believed.
 */
bool
status_service_withdraw_missed(struct status_service *s,
    struct status_source *source)
{
	struct status_change changes[MISSED_BATCH];
	int64_t now = status_service_now(s), last = ocsp_table_seq(s->table);
	int64_t after = last - 1;
	uint32_t num, i;

	do {
		if (last <= 0 || source->ops->read(source, after, changes,
		    MISSED_BATCH, &num) != OC_OK ||
		    (after < last && num == 0))
			return false;
		for (i = 0; i < num; i++) {
			const struct status_change *c = &changes[i];

			/* It is about all of them, and read again. */
			if (status_trust_note(&s->trust, c))
				return false;
			withdraw_missed_one(s, &(struct status_record){
			    .serial = c->serial, .is_revoked = c->is_revoked,
			    .reason = c->reason, .revoked_at = c->revoked_at,
			    .not_after = c->not_after, .seq = c->seq }, now);
			after = c->seq;
		}
	} while (num != 0);
	return true;
}

/* Memory has run out: what the table says can't be kept true, so it is no
 * longer said, and whoever restarts us starts from the source. */
static void
give_up(struct status_service *s)
{
	ocsp_table_set_ready(s->table, false);
	oc_log(OC_LOG_ERROR, "issuer %s: out of memory", s->plan.issuer->name);
	exit(EXIT_FAILURE);
}

/* Another may be said of all certificates at once: nobody is answered until
 * what is not so is out of the table.  A second later than now, so that no
 * nudge waits for all these signatures. */
static void
take_trust(struct status_service *s, int64_t now)
{
	uint32_t num_stale;

	if (!s->is_ready)
		return;
	ocsp_table_set_ready(s->table, false);
	if (sweep_table(s, now + 1, &num_stale) != OC_OK)
		give_up(s);
	ocsp_table_set_ready(s->table, true);
	oc_log(OC_LOG_NOTICE, "issuer %s: %u responses withdrawn",
	    s->plan.issuer->name, num_stale);
}

static void
note_source(struct status_service *s, const struct status_batch *batch)
{
	bool is_well = batch->err == OC_OK;

	if (is_well == s->is_source_well)
		return;
	s->is_source_well = is_well;
	s->known_at = status_service_now(s);
	memcpy(s->source_error, batch->text, sizeof(s->source_error));
	if (is_well)
		oc_log(OC_LOG_NOTICE, "issuer %s: the source answers again",
		    s->plan.issuer->name);
	else
		oc_log(OC_LOG_ERROR, "issuer %s: the source fails: %s; "
		    "what was known stays", s->plan.issuer->name, batch->text);
}

static void
take_batch(void *arg, const struct status_batch *batch)
{
	struct status_service *s = arg;
	int64_t now = status_service_now(s);
	struct status_nudge *nudge;
	uint32_t i;

	note_source(s, batch);
	for (i = 0; i < batch->num_changes; i++) {
		const struct status_change *c = &batch->changes[i];

		if (!c->is_elsewhere && status_set_apply(s->set, c) != OC_OK)
			give_up(s);
		s->seq = c->seq;
		if (status_trust_note(&s->trust, c))
			take_trust(s, now);
		if (s->is_ready && !c->is_elsewhere)
			take_change(s, status_set_find(s->set, &c->serial),
			    now);
	}
	if (s->is_ready && batch->num_changes != 0)
		ocsp_table_set_seq(s->table, s->seq);
	if (!batch->is_caught_up) {
		status_service_pump(s, now);
		return;
	}
	if (!s->is_ready && catch_up(s) != OC_OK)
		give_up(s);
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
 * or its signer's; or the source is away, and will have to be looked for
 * again.
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
	if (!s->is_source_well)
		status_service_renew_at(s, kind, &slot->serial,
		    slot->encoding, now + STATUS_SOURCE_RETRY_S);
	return false;
}

static enum oc_err
fly_due(struct status_service *s, enum status_due_kind kind,
    const struct ocsp_due *due, int64_t now)
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
	    !is_slot_stale(s, &slot, record, now) &&
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
	struct ocsp_due due;
	enum oc_err err;

	while (has_room(s, kind) &&
	    ocsp_refresh_take(&s->due[kind], now, &due)) {
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

	if (!s->is_ready || !status_service_may_sign(s, now) ||
	    (!s->is_table_well && now < s->table_retry_at))
		return;
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
	    s->plan.issuer->name);
	exit(EXIT_FAILURE);
}

/* What a ceremony may sign: see ocsp-lifetime. */
#define LOADED_LIFE_S (400 * INT64_C(86400))

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

static void
look_at_horizon(struct status_service *s, int64_t now)
{
	if (!s->pass.is_under_way) {
		if (now - s->horizon.as_of < STATUS_HORIZON_PAUSE_S)
			return;
		if (s->offline != NULL)
			status_offline_begin(s->offline);
		status_horizon_begin(&s->pass, now, s->offline != NULL ?
		    LOADED_LIFE_S : s->plan.issuer->ocsp_lifetime_s);
	}
	switch (ocsp_table_walk_part(s->table, &s->pass.place,
	    STATUS_HORIZON_SLOTS, add_to_horizon, s)) {
	case OCSP_TABLE_MORE:
		return;
	case OCSP_TABLE_END:
		status_horizon_end(&s->pass, now, &s->horizon);
		if (s->offline != NULL)
			status_offline_alarm(s->offline, now);
		return;
	case OCSP_TABLE_GREW:
		s->pass.is_under_way = false;
		return;
	}
}

void
status_service_tick(struct status_service *s, int64_t now)
{
	if (now != s->looked_at) {
		s->looked_at = now;
		look_at_table(s);
	}
	if (s->is_ready)
		look_at_horizon(s, now);
	status_service_pump(s, now);
	if (s->nudges != NULL)
		status_service_finish_nudges(s);
}
