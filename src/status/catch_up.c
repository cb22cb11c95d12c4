/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a start does with the table of the run before.  First, what changed
 * since is withdrawn, and the rest is served; then, once every certificate is
 * known, a walk over the table, in parts, finds when which slot is to be
 * renewed and which has no business there, and one over the certificates
 * which has none.
 */
#include "status/service_impl.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"

/* What was loaded cannot be made anew: it stays unless it must not be said. */
bool
status_service_is_untrue(const struct status_service *s,
    const struct ocsp_slot *slot, const struct status_record *record,
    int64_t now)
{
	struct ocsp_status status;

	if (status_trust_forbids(&s->trust, &slot->status))
		return true;
	if (s->offline != NULL)
		return status_offline_contradicts(slot, record);
	if (record == NULL || record->not_after == STATUS_GONE ||
	    slot->next_update < now)
		return true;
	status = status_trust_says(&s->trust, record);
	return !status_is_equal(&slot->status, &status);
}

bool
status_service_is_stale(const struct status_service *s,
    const struct ocsp_slot *slot, const struct status_record *record,
    int64_t now)
{
	return s->trust.is_signer_revoked ||
	    status_service_is_untrue(s, slot, record, now);
}

/* Of a loaded one it is said, unless all are withdrawn. */
void
status_service_withdraw(struct status_service *s,
    const struct oc_serial *serial)
{
	ocsp_table_withdraw(s->table, serial);
	if (s->offline != NULL && !s->trust.is_compromised &&
	    !s->trust.is_signer_revoked)
		status_offline_note_withdrawn(s->offline, serial);
}

void
status_service_give_up(struct status_service *s)
{
	ocsp_table_set_ready(s->table, false);
	status_older_set_ready(s, false);
	oc_log(OC_LOG_ERROR, "issuer %s: out of memory", s->plan.ocsp->name);
	exit(EXIT_FAILURE);
}

#define MISSED_BATCH 256

/* What of this serial is no longer so. */
static enum oc_err
withdraw_missed_one(struct status_service *s, const struct status_change *c,
    int64_t now)
{
	bool is_stale[OCSP_ENCODING_MAX], is_any_stale = false;
	const struct status_record *r;
	struct ocsp_slot slot;
	enum oc_err err;
	uint8_t e;

	err = status_set_apply(s->set, c);
	if (err != OC_OK)
		return err;
	r = status_set_find(s->set, &c->serial);
	for (e = 0; e < OCSP_ENCODING_MAX; e++) {
		is_stale[e] = ocsp_table_find(s->table, &r->serial, e,
		    &slot) && status_service_is_stale(s, &slot, r, now);
		is_any_stale |= is_stale[e];
	}
	if (is_any_stale)
		status_service_withdraw(s, &r->serial);
	for (e = 0; e < OCSP_ENCODING_MAX; e++)
		if (is_stale[e])
			status_service_renew_at(s, r->is_revoked ?
			    STATUS_DUE_URGENT : STATUS_DUE_REFRESH,
			    &r->serial, e, now);
	return OC_OK;
}

/*
 * A change that the table has and the source has not: the source went back
 * in time, and nothing in the table can be believed.
 */
bool
status_service_read_missed(struct status_service *s,
    struct status_source *source, int64_t last, status_missed_fn *missed,
    int64_t *seq)
{
	struct status_change changes[MISSED_BATCH];
	int64_t now = status_service_now(s), after = last - 1;
	uint32_t num, i;

	if (source->ops->is_state || last <= 0)
		return false;
	do {
		if (source->ops->read(source, after, changes, MISSED_BATCH,
		    &num) != OC_OK || (after < last && num == 0))
			return false;
		for (i = 0; i < num; i++) {
			const struct status_change *c = &changes[i];

			/* It is about all of them. */
			if (status_trust_note(&s->trust, c))
				return false;
			if (!c->is_elsewhere && missed(s, c, now) != OC_OK)
				return false;
			after = c->seq;
		}
	} while (num != 0);
	*seq = after;
	return true;
}

bool
status_service_withdraw_missed(struct status_service *s,
    struct status_source *source)
{
	return status_service_read_missed(s, source, ocsp_table_seq(s->table),
	    withdraw_missed_one, &s->seq);
}

/* What a walk, or one part of it, finds. */
struct part {
	struct status_service *service;
	int64_t now;
	struct status_due *stale;	/* owned */
	uint32_t num_stale, num_max;
	enum oc_err err;
};

static bool
note_stale(struct part *part, const struct ocsp_slot *slot)
{
	if (part->num_stale == part->num_max) {
		uint32_t num_max = part->num_max * 2 + 64;
		struct status_due *stale = reallocarray(part->stale, num_max,
		    sizeof(*stale));

		if (stale == NULL) {
			part->err = OC_ERR_NOMEM;
			return false;
		}
		part->stale = stale;
		part->num_max = num_max;
	}
	part->stale[part->num_stale++] = (struct status_due){ part->now,
	    slot->serial, slot->encoding };
	return true;
}

static bool
sweep_slot(void *arg, const struct ocsp_slot *slot)
{
	struct part *part = arg;
	struct status_service *s = part->service;

	if (!status_service_keeps(s) || status_service_is_stale(s, slot,
	    status_set_find(s->set, &slot->serial), part->now))
		return note_stale(part, slot);
	if (s->offline != NULL)
		return true;
	part->err = status_agenda_put_slot(&s->agenda,
	    status_service_due_at(s, slot), slot->number);
	return part->err == OC_OK;
}

/* Somebody had asked for it, or it was signed for all: so it is again. */
static void
withdraw_stale(struct status_service *s, const struct status_due *stale)
{
	const struct status_record *record = status_set_find(s->set,
	    &stale->serial);
	bool is_urgent = s->trust.is_compromised ||
	    (record != NULL && record->is_revoked);

	status_service_withdraw(s, &stale->serial);
	if (record != NULL)
		status_service_renew_at(s, is_urgent ? STATUS_DUE_URGENT :
		    STATUS_DUE_REFRESH, &stale->serial, stale->encoding,
		    stale->at);
}

/* What was in a damaged slot is nowhere now; nor is, on the agenda, what stood
 * in one that has made room. */
void
status_service_tend(struct status_service *s)
{
	uint32_t num_dropped = ocsp_table_tend(s->table, STATUS_TEND_SLOTS);

	if (ocsp_table_has_freed(s->table))
		status_service_presign_again(s);
	if (s->older != NULL)
		num_dropped += ocsp_table_tend(s->older, STATUS_TEND_SLOTS);
	if (num_dropped == 0)
		return;
	oc_log(OC_LOG_WARNING, "issuer %s: the response table was damaged: "
	    "%u responses are dropped and signed again", s->plan.ocsp->name,
	    num_dropped);
	status_service_presign_again(s);
}

/* All is out of it that was not so. */
static void
open_again(struct status_service *s)
{
	status_older_catch_up(s);
	ocsp_table_set_ready(s->table, true);
	s->is_closed = false;
	oc_log(OC_LOG_NOTICE, "issuer %s: %u responses withdrawn",
	    s->plan.ocsp->name, s->sweep.num_withdrawn);
	status_service_answer_early(s);
}

static enum oc_err
sweep_part(struct status_service *s, int64_t now, uint32_t num)
{
	/* A second later: no nudge waits for all these signatures. */
	struct part part = { .service = s, .now = now + s->is_closed };
	uint32_t i;

	s->is_sweeping = ocsp_table_walk_part(s->table, &s->sweep.next, num,
	    sweep_slot, &part);
	for (i = 0; i < part.num_stale; i++)
		withdraw_stale(s, &part.stale[i]);
	s->sweep.num_withdrawn += part.num_stale;
	free(part.stale);
	return part.err;
}

static void
end_sweep(struct status_service *s)
{
	oc_log(OC_LOG_INFO, "issuer %s: %u certificates known, %u responses "
	    "at hand, %u withdrawn", s->plan.ocsp->name,
	    status_set_num(s->set), ocsp_table_num_used(s->table),
	    s->sweep.num_withdrawn);
	if (s->is_closed)
		open_again(s);
}

enum oc_err
status_service_sweep(struct status_service *s, int64_t now)
{
	int64_t until_ns = oc_clock_mono_ns() + (s->is_closed ?
	    STATUS_CLOSED_TURN_NS : STATUS_TURN_NS);
	uint32_t left = s->is_closed ? s->closed_slots : UINT32_MAX, num;
	enum oc_err err = OC_OK;

	if (!s->is_sweeping)
		return OC_OK;
	while (ocsp_table_prefetch(s->table, &s->sweep.fetched))
		if (oc_clock_mono_ns() >= until_ns)
			return OC_OK;
	do {
		num = left < STATUS_TURN_SLOTS ? left : STATUS_TURN_SLOTS;
		err = sweep_part(s, now, num);
		left -= num;
	} while (err == OC_OK && s->is_sweeping && left > 0 &&
	    oc_clock_mono_ns() < until_ns);
	if (err == OC_OK && !s->is_sweeping)
		end_sweep(s);
	return err;
}

/* Once for all that is known, before there is anything in it, rather than by
 * and by.  A full disk is said when it matters. */
static void
make_room(struct status_service *s)
{
	if (s->plan.ocsp->presign == OC_PRESIGN_ALL)
		(void)!ocsp_table_reserve(s->table, s->num_valid);
}

enum oc_err
status_service_catch_up(struct status_service *s)
{
	int64_t now = status_service_now(s);
	enum oc_err err;

	make_room(s);
	if (s->offline != NULL)
		status_offline_put(s->offline, &(struct status_offline_tables){
		    s->table, s->older }, s->set, &s->trust);
	s->is_sweeping = true;
	do {
		err = status_service_sweep(s, now);
		if (err != OC_OK)
			return err;
	} while (s->is_sweeping && !s->is_current);
	status_older_catch_up(s);
	s->is_presigning = s->plan.ocsp->presign == OC_PRESIGN_ALL;
	s->is_urging = s->is_presigning;
	ocsp_table_set_seq(s->table, s->seq);
	ocsp_table_set_ready(s->table, true);
	s->is_current = s->is_ready = s->is_following = true;
	status_service_answer_early(s);
	return OC_OK;
}

enum oc_err
status_service_sweep_all(struct status_service *s, int64_t now)
{
	status_older_set_ready(s, false);
	if (!s->is_current)
		return OC_OK;
	ocsp_table_set_ready(s->table, false);
	/* Not all is known: it is not served before it is. */
	s->is_current = s->is_ready;
	if (!s->is_ready)
		return OC_OK;
	s->sweep = (struct status_sweep){ 0 };
	s->is_sweeping = s->is_closed = true;
	return status_service_sweep(s, now);
}

static bool
is_lacking(const struct status_service *s, const struct status_record *record,
    int64_t now)
{
	struct ocsp_slot slot;

	return record->not_after > now &&
	    !ocsp_table_find(s->table, &record->serial, OCSP_ENCODING_USUAL,
	    &slot) && !status_older_find(s, &record->serial,
	    OCSP_ENCODING_USUAL, &slot);
}

/* Not as fresh news: a first signing of all is as long as the store, and
 * must not stand before what happens meanwhile. */
static bool
presign_record(void *arg, const struct status_record *record)
{
	struct status_service *s = arg;
	int64_t now = status_service_now(s);

	if (!record->is_revoked && is_lacking(s, record, now))
		status_service_renew_at(s, STATUS_DUE_REFRESH,
		    &record->serial, OCSP_ENCODING_USUAL, now);
	return s->agenda.wanted[STATUS_DUE_REFRESH].num < s->presign_max;
}

/* What was withdrawn, and not signed yet when this or another run ended. */
static bool
urge_record(void *arg, const struct status_record *record)
{
	struct status_service *s = arg;
	int64_t now = status_service_now(s);

	if (record->is_revoked && is_lacking(s, record, now))
		status_service_renew_at(s, STATUS_DUE_URGENT,
		    &record->serial, OCSP_ENCODING_USUAL, now);
	return s->agenda.wanted[STATUS_DUE_URGENT].num < STATUS_URGE_MAX;
}

void
status_service_presign_again(struct status_service *s)
{
	s->presigned = s->urged = 0;
	s->is_presigning = s->is_urging = s->is_ready &&
	    s->plan.ocsp->presign == OC_PRESIGN_ALL;
}

/* What is due later does not count: after a change of key that is all that the
 * one before has signed. */
static bool
has_few_due(const struct status_service *s)
{
	const struct ocsp_refresh *wanted =
	    &s->agenda.wanted[STATUS_DUE_REFRESH];

	return wanted->num < STATUS_PRESIGN_LOW ||
	    ocsp_refresh_next_at(wanted) > status_service_now(s);
}

void
status_service_presign(struct status_service *s)
{
	int64_t until_ns = oc_clock_mono_ns() + STATUS_TURN_NS;

	if (!s->is_urging && !s->is_presigning)
		return;
	while (s->is_urging && oc_clock_mono_ns() < until_ns &&
	    s->agenda.wanted[STATUS_DUE_URGENT].num < STATUS_URGE_MAX / 2)
		s->is_urging = status_set_walk_part(s->set, &s->urged,
		    STATUS_TURN_SLOTS, urge_record, s);
	if (!has_few_due(s))
		return;
	s->presign_max = s->agenda.wanted[STATUS_DUE_REFRESH].num +
	    STATUS_PRESIGN_NUM;
	while (s->is_presigning && oc_clock_mono_ns() < until_ns &&
	    s->agenda.wanted[STATUS_DUE_REFRESH].num < s->presign_max)
		s->is_presigning = status_set_walk_part(s->set,
		    &s->presigned, STATUS_TURN_SLOTS, presign_record, s);
	s->has_more |= oc_clock_mono_ns() >= until_ns;
}
