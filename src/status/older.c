/* SPDX-License-Identifier: Apache-2.0 */
/*
 * After a change of key: what the one before has signed is served until each
 * answer has been signed anew, at its own time, so that no start has to sign
 * all at once.  It is kept as true as the table: what is no longer so is
 * withdrawn from both.  Nothing is ever put there.
 */
#include "status/service_impl.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "x509/cert.h"

/* What is to be signed again for it is found when everything is known. */
static enum oc_err
withdraw_stale(struct status_service *s, const struct status_change *c,
    int64_t now)
{
	const struct status_record record = { .serial = c->serial,
	    .is_revoked = c->is_revoked, .reason = c->reason,
	    .revoked_at = c->revoked_at, .not_after = c->not_after,
	    .seq = c->seq };
	bool is_withdrawn[OCSP_ENCODING_MAX] = { false };

	status_older_note(s, &record, now, is_withdrawn);
	return OC_OK;
}

/* Should that certificate be revoked, nothing is to be served with it. */
static void
note_signer(struct status_service *s)
{
	const struct ocsp_identity *identity = ocsp_table_identity(s->older);
	struct x509_cert *cert = calloc(1, sizeof(*cert));

	if (cert != NULL && identity->certs_len != 0 && x509_cert_read(
	    (struct der_bytes){ identity->certs, identity->certs_len }, cert,
	    NULL) == OC_OK)
		s->older_signer = cert->serial;
	free(cert);
}

enum oc_err
status_older_open(struct status_service *s, const char *path,
    struct status_source *source, const uint8_t store_id[OCSP_STORE_ID_LEN],
    struct oc_error *error)
{
	enum oc_err err = ocsp_table_take_older(path, s->identity, store_id,
	    &s->older, error);
	int64_t seq = 0;
	bool is_true;

	if (err != OC_OK || s->older == NULL)
		return err;
	/* By another policy it was kept. */
	if (!status_service_keeps(s)) {
		status_older_end(s);
		return OC_OK;
	}
	note_signer(s);
	ocsp_table_set_run(s->older, s->plan.run);
	is_true = ocsp_table_was_ready(s->older) &&
	    !s->trust.is_compromised && status_service_read_missed(s, source,
	    ocsp_table_seq(s->older), withdraw_stale, &seq);
	/* What happens from then on is told before all that was. */
	if (is_true && !s->is_current)
		s->seq = seq;
	if (s->older != NULL)
		ocsp_table_set_ready(s->older, is_true);
	return OC_OK;
}

bool
status_older_is_served(const struct status_service *s)
{
	return s->older != NULL && ocsp_table_is_ready(s->older);
}

void
status_older_end(struct status_service *s)
{
	if (s->older == NULL)
		return;
	ocsp_table_discard(s->older);
	s->older = NULL;
	status_service_presign_again(s);
	oc_log(OC_LOG_NOTICE, "issuer %s: nothing that the key before has "
	    "signed is served any more", s->plan.ocsp->name);
}

bool
status_older_find(const struct status_service *s,
    const struct oc_serial *serial, uint8_t encoding, struct ocsp_slot *slot)
{
	return s->older != NULL &&
	    ocsp_table_find(s->older, serial, encoding, slot);
}

void
status_older_note(struct status_service *s, const struct status_record *record,
    int64_t now, bool is_withdrawn[OCSP_ENCODING_MAX])
{
	struct ocsp_slot slot;
	bool is_there[OCSP_ENCODING_MAX], is_any_stale = false;
	uint8_t e;

	if (s->older == NULL)
		return;
	if (record->is_revoked && oc_serial_equal(&record->serial,
	    &s->older_signer)) {
		status_older_end(s);
		return;
	}
	for (e = 0; e < OCSP_ENCODING_MAX; e++) {
		is_there[e] = ocsp_table_find(s->older, &record->serial, e,
		    &slot);
		is_any_stale |= is_there[e] && status_service_is_untrue(s,
		    &slot, record, now);
	}
	if (!is_any_stale)
		return;
	ocsp_table_withdraw(s->older, &record->serial);
	for (e = 0; e < OCSP_ENCODING_MAX; e++)
		is_withdrawn[e] |= is_there[e];
}

void
status_older_turn(struct status_service *s, const struct oc_serial *serial)
{
	struct ocsp_slot slot;
	uint8_t e;

	if (s->older == NULL)
		return;
	for (e = 0; e < OCSP_ENCODING_MAX; e++)
		if (ocsp_table_find(s->older, serial, e, &slot) &&
		    !ocsp_table_find(s->table, serial, e, &slot))
			return;
	ocsp_table_withdraw(s->older, serial);
	if (ocsp_table_num_used(s->older) == 0)
		status_older_end(s);
}

/* What a part of a walk over it finds: what is well is renewed when it is due,
 * and in the list is what has to go. */
struct older_part {
	struct status_service *service;
	int64_t now;
	struct oc_serial *gone;		/* owned */
	uint32_t num_gone, num_max;
	bool has_failed;
};

static bool
note_gone(struct older_part *part, const struct oc_serial *serial)
{
	if (part->num_gone == part->num_max) {
		uint32_t num_max = part->num_max * 2 + 64;
		struct oc_serial *gone = reallocarray(part->gone, num_max,
		    sizeof(*gone));

		if (gone == NULL) {
			part->has_failed = true;
			return false;
		}
		part->gone = gone;
		part->num_max = num_max;
	}
	part->gone[part->num_gone++] = *serial;
	return true;
}

static bool
walk_slot(void *arg, const struct ocsp_slot *slot)
{
	struct older_part *part = arg;
	struct status_service *s = part->service;
	const struct status_record *record = status_set_find(s->set,
	    &slot->serial);
	struct ocsp_slot newer;

	if (!status_service_is_untrue(s, slot, record, part->now)) {
		if (slot->next_update > s->older_until)
			s->older_until = slot->next_update;
		if (s->older_walk.is_first && !ocsp_table_find(s->table,
		    &slot->serial, slot->encoding, &newer))
			status_service_renew_at(s, STATUS_DUE_REFRESH,
			    &slot->serial, slot->encoding,
			    status_service_due_at(s, slot));
		return true;
	}
	/* Somebody had asked for it, or it was signed for all. */
	if (record != NULL)
		status_service_renew_at(s, s->trust.is_compromised ||
		    record->is_revoked ? STATUS_DUE_URGENT :
		    STATUS_DUE_REFRESH, &slot->serial, slot->encoding,
		    part->now);
	return note_gone(part, &slot->serial);
}

void
status_older_catch_up(struct status_service *s)
{
	const struct status_record *signer;

	if (s->older == NULL)
		return;
	signer = s->older_signer.len == 0 ? NULL :
	    status_set_find(s->set, &s->older_signer);
	if (signer != NULL && signer->is_revoked) {
		status_older_end(s);
		return;
	}
	s->older_walk = (struct status_older_walk){ .is_under_way = true,
	    .is_first = s->older_walk.is_first || !s->is_ready };
}

/* What was signed before it was known who may be believed is served again. */
static void
end_walk(struct status_service *s)
{
	oc_log(OC_LOG_INFO, "issuer %s: %u responses of the key before at "
	    "hand, %u withdrawn", s->plan.ocsp->name,
	    ocsp_table_num_used(s->older), s->older_walk.num_withdrawn);
	s->older_walk.is_under_way = s->older_walk.is_first = false;
	ocsp_table_set_ready(s->older, true);
	status_older_set_seq(s);
}

static bool
walk_part(struct status_service *s, int64_t now)
{
	struct older_part part = { .service = s, .now = now };
	bool goes_on;
	uint32_t i;

	goes_on = ocsp_table_walk_part(s->older, &s->older_walk.next,
	    STATUS_TURN_SLOTS, walk_slot, &part);
	for (i = 0; i < part.num_gone; i++)
		ocsp_table_withdraw(s->older, &part.gone[i]);
	s->older_walk.num_withdrawn += part.num_gone;
	free(part.gone);
	if (part.has_failed)
		status_service_give_up(s);
	return goes_on;
}

/* The next turn; once it is over, what is left is true. */
static void
walk_on(struct status_service *s, int64_t now)
{
	int64_t until_ns = oc_clock_mono_ns() + STATUS_TURN_NS;
	bool goes_on;

	do
		goes_on = walk_part(s, now);
	while (goes_on && oc_clock_mono_ns() < until_ns);
	if (!goes_on)
		end_walk(s);
}

void
status_older_set_seq(struct status_service *s)
{
	if (s->older != NULL)
		ocsp_table_set_seq(s->older, s->seq);
}

void
status_older_set_ready(struct status_service *s, bool is_ready)
{
	if (s->older != NULL)
		ocsp_table_set_ready(s->older, is_ready);
}

void
status_older_tick(struct status_service *s, int64_t now)
{
	/* While the table is closed another may be said of all: once it is not,
	 * the walk begins anew. */
	if (s->older == NULL || !s->is_ready || s->is_closed)
		return;
	if (s->older_walk.is_under_way)
		walk_on(s, now);
	else if (now > s->older_until || ocsp_table_num_used(s->older) == 0)
		status_older_end(s);
}
