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

#include "base/clock.h"
#include "base/log.h"

static bool
is_status_equal(const struct ocsp_status *a, const struct ocsp_status *b)
{
	return a->kind == b->kind && (a->kind != OCSP_REVOKED ||
	    (a->reason == b->reason && a->revoked_at == b->revoked_at));
}

/* A slot that does not say what is so, or that is past its time. */
static bool
is_slot_stale(const struct ocsp_slot *slot, const struct status_record *record,
    int64_t now)
{
	struct ocsp_status status;

	if (record == NULL || slot->next_update < now)
		return true;
	status = status_of_record(record);
	return !is_status_equal(&slot->status, &status);
}

/*
 * Withdraws what the table says of a serial, if that is no longer so, and
 * signs it again in each encoding that was there.
 */
static void
take_change(struct status_service *s, const struct status_record *record,
    int64_t now)
{
	bool was_there[OCSP_ENCODING_MAX] = { false };
	bool is_any_stale = false;
	struct ocsp_slot slot;
	uint8_t e;

	for (e = 0; e < OCSP_ENCODING_MAX; e++) {
		was_there[e] = ocsp_table_find(s->table, &record->serial, e,
		    &slot);
		if (was_there[e] && is_slot_stale(&slot, record, now))
			is_any_stale = true;
	}
	if (is_any_stale)
		ocsp_table_withdraw(s->table, &record->serial);
	else if (was_there[OCSP_ENCODING_USUAL])
		return;
	if (record->not_after < now)
		return;
	if (s->plan.issuer->presign == OC_PRESIGN_ALL || record->is_revoked)
		was_there[OCSP_ENCODING_USUAL] = true;
	for (e = 0; e < OCSP_ENCODING_MAX; e++) {
		if (!was_there[e])
			continue;
		if (record->is_revoked)
			(void)status_service_fly(s, record, e,
			    SIGN_LANE_REVOCATION);
		else
			status_service_renew_at(s, &record->serial, e, now);
	}
}

/* What a walk over the table at start finds: the renewal of what is well,
 * and in the list what is not. */
struct sweep {
	struct status_service *service;
	int64_t now;
	struct oc_serial *stale;	/* owned */
	uint32_t num_stale, num_max;
	bool has_failed;
};

static bool
sweep_slot(void *arg, const struct ocsp_slot *slot)
{
	struct sweep *sweep = arg;
	struct status_service *s = sweep->service;

	if (!is_slot_stale(slot, status_set_find(s->set, &slot->serial),
	    sweep->now)) {
		status_service_renew_at(s, &slot->serial, slot->encoding, ocsp_refresh_due_at(
		    &slot->serial, slot->this_update, slot->next_update));
		return true;
	}
	if (sweep->num_stale == sweep->num_max) {
		uint32_t num_max = sweep->num_max * 2 + 64;
		struct oc_serial *stale = reallocarray(sweep->stale, num_max,
		    sizeof(*stale));

		if (stale == NULL) {
			sweep->has_failed = true;
			return false;
		}
		sweep->stale = stale;
		sweep->num_max = num_max;
	}
	sweep->stale[sweep->num_stale++] = slot->serial;
	return true;
}

static bool
presign_record(void *arg, const struct status_record *record)
{
	struct sweep *sweep = arg;
	struct status_service *s = sweep->service;
	struct ocsp_slot slot;

	if (record->not_after >= sweep->now &&
	    !ocsp_table_find(s->table, &record->serial, OCSP_ENCODING_USUAL,
	    &slot))
		status_service_renew_at(s, &record->serial, OCSP_ENCODING_USUAL, sweep->now);
	return true;
}

/* The first time that everything is known: hold the table against it. */
static enum oc_err
catch_up(struct status_service *s)
{
	struct sweep sweep = { .service = s, .now = oc_clock_now_s() };
	uint32_t i;

	ocsp_table_walk(s->table, sweep_slot, &sweep);
	for (i = 0; i < sweep.num_stale; i++)
		ocsp_table_withdraw(s->table, &sweep.stale[i]);
	free(sweep.stale);
	if (sweep.has_failed)
		return OC_ERR_NOMEM;
	if (s->plan.issuer->presign == OC_PRESIGN_ALL)
		status_set_walk(s->set, presign_record, &sweep);
	ocsp_table_set_seq(s->table, s->seq);
	ocsp_table_set_ready(s->table, true);
	s->is_ready = true;
	oc_log(OC_LOG_INFO, "issuer %s: %u certificates known, %u responses "
	    "at hand, %u withdrawn", s->plan.issuer->name,
	    status_set_num(s->set), ocsp_table_num_used(s->table),
	    sweep.num_stale);
	return OC_OK;
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

static void
note_source(struct status_service *s, const struct status_batch *batch)
{
	bool is_well = batch->err == OC_OK;

	if (is_well == s->is_source_well)
		return;
	s->is_source_well = is_well;
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
	int64_t now = oc_clock_now_s();
	struct status_nudge *nudge;
	uint32_t i;

	note_source(s, batch);
	for (i = 0; i < batch->num_changes; i++) {
		const struct status_change *c = &batch->changes[i];

		if (status_set_apply(s->set, c) != OC_OK)
			give_up(s);
		s->seq = c->seq;
		if (s->is_ready)
			take_change(s, status_set_find(s->set, &c->serial),
			    now);
	}
	if (s->is_ready && batch->num_changes != 0)
		ocsp_table_set_seq(s->table, s->seq);
	if (!batch->is_caught_up)
		return;
	if (!s->is_ready && catch_up(s) != OC_OK)
		give_up(s);
	for (nudge = s->nudges; nudge != NULL; nudge = nudge->next)
		if (!nudge->is_known && nudge->number <= batch->nudge) {
			nudge->is_known = true;
			nudge->seq = s->seq;
		}
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

void
status_service_tick(struct status_service *s, int64_t now)
{
	const struct status_record *record;
	struct ocsp_slot slot;
	struct ocsp_due due;
	bool is_there;

	while (s->is_ready && s->num_refreshes < STATUS_REFRESHES_MAX &&
	    ocsp_refresh_take(&s->refresh, now, &due)) {
		record = status_set_find(s->set, &due.serial);
		if (record == NULL || record->not_after < now)
			continue;
		/* It may have been signed since it was put there. */
		is_there = ocsp_table_find(s->table, &due.serial,
		    due.encoding, &slot);
		if (is_there && !is_slot_stale(&slot, record, now) &&
		    ocsp_refresh_due_at(&due.serial, slot.this_update,
		    slot.next_update) > now)
			continue;
		if (status_service_fly(s, record, due.encoding, is_there ?
		    SIGN_LANE_REFRESH : SIGN_LANE_CERTIFICATE) == NULL)
			return;
	}
}
