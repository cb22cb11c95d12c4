/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A watched file as a status source.  Of a CRL: who is on it is revoked; who
 * is not, and was issued by a list of such numbers, is good.  Of a list of all
 * certificates: what it says of each.  Of nobody else there is a record.
 *
 * A list is a state, not a history: what has changed is what the one before
 * and the next do not say alike, found by walking both in the order of their
 * serial numbers.  The numbers of changes begin anew with each start, so no
 * table of a run before can be told what it has missed: it is held against the
 * whole before it is served.
 *
 * Runs on the feed's thread; the files are another's (status/watch.c).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "der/time.h"
#include "status/issued.h"
#include "status/state.h"
#include "x509/spki.h"

/* Who has no end of its own is told a later one so many times in all. */
#define BOUNDS_STEPS 64

/* How far a walk has come in it. */
struct place {
	uint32_t entry, single;
	struct status_entry next;	/* the entry there; its serial's len 0:
					 * there are no more */
};

struct state {
	struct status_source source;	/* first */
	struct status_watch *watch;	/* borrowed */
	const struct x509_cert *ca;	/* borrowed */
	enum oc_config_unlisted unlisted;
	const char *noun;
	int64_t max_age_s;		/* 0: lists have dates of their own */
	int64_t seq;			/* of the last change told */
	uint64_t generation;		/* when the files were looked at */
	struct status_bounds bounds;	/* as of then */
	struct status_said told, next;	/* next: if is_telling */
	struct place at_told, at_next;
	bool is_telling, has_failed;
	char error[OC_ERROR_TEXT_MAX];
};

static void
read_entry(const struct status_said *said, struct place *at)
{
	if (said->list != NULL && at->entry < said->list->num_entries)
		at->next = status_list_at(said->list, at->entry);
	else
		at->next.serial.len = 0;
}

static void
begin(const struct status_said *said, struct place *at)
{
	at->entry = at->single = 0;
	read_entry(said, at);
}

/* The first serial number of a state at or behind a place; NULL: none. */
static const struct oc_serial *
serial_at(const struct status_said *said, const struct place *at)
{
	const struct oc_serial *entry = NULL, *single = NULL;

	if (at->next.serial.len != 0)
		entry = &at->next.serial;
	if (said->issued != NULL && at->single < said->issued->num_singles)
		single = &said->issued->singles[at->single];
	if (entry == NULL || single == NULL)
		return entry == NULL ? single : entry;
	return status_serial_compare(entry, single) < 0 ? entry : single;
}

/* What a state says of the smallest serial number that is left. */
enum said { SAID_NOTHING, SAID_ISSUED, SAID_LISTED };
struct word {
	enum said said;
	struct status_entry entry;	/* LISTED */
};

/* And steps over it. */
static struct word
take_word(const struct status_said *said, struct place *at,
    const struct oc_serial *serial)
{
	struct word word = { .said = SAID_NOTHING };

	if (said->issued != NULL && at->single < said->issued->num_singles &&
	    oc_serial_equal(&said->issued->singles[at->single], serial)) {
		at->single++;
		word.said = SAID_ISSUED;
	}
	if (oc_serial_equal(&at->next.serial, serial)) {
		word.entry = at->next;
		word.said = SAID_LISTED;
		at->entry++;
		read_entry(said, at);
	}
	return word;
}

static bool
is_same(const struct word *a, const struct word *b)
{
	return a->said == b->said && (a->said != SAID_LISTED ||
	    status_entry_says_same(&a->entry, &b->entry));
}

/* One that was on the list before, and is no longer: on hold it was, or it
 * has expired. */
static bool
is_still_told(const struct state *state, const struct oc_serial *serial)
{
	return state->unlisted == OC_UNLISTED_GOOD &&
	    (state->next.issued == NULL ||
	    status_issued_has(state->next.issued, serial));
}

/* A root's own certificate, should it be on its own list. */
static bool
is_of_ca(const struct state *state, const struct status_entry *entry)
{
	const struct x509_cert *cert = state->ca;

	return entry->is_revoked &&
	    crl_reason_is_compromise((enum crl_reason)entry->reason) &&
	    der_bytes_equal(cert->issuer, cert->subject) &&
	    oc_serial_equal(&entry->serial, &cert->serial);
}

static struct status_change
change_of(struct state *state, const struct oc_serial *serial,
    const struct word *is)
{
	struct status_change change = {
		.seq = ++state->seq,
		.serial = *serial,
		.not_after = DER_TIME_MAX,
	};

	switch (is->said) {
	case SAID_LISTED:
		change.not_after = is->entry.not_after;
		if (!is->entry.is_revoked)
			break;
		change.is_revoked = true;
		change.reason = (enum crl_reason)is->entry.reason;
		change.revoked_at = is->entry.revoked_at;
		change.is_of_ca = is_of_ca(state, &is->entry);
		break;
	case SAID_ISSUED:
		break;
	case SAID_NOTHING:
		if (!is_still_told(state, serial))
			change.not_after = STATUS_GONE;
		break;
	}
	return change;
}

/* The next change; false: the two say the same from here. */
static bool
find_change(struct state *state, struct status_change *change)
{
	for (;;) {
		const struct oc_serial *a = serial_at(&state->told,
		    &state->at_told);
		const struct oc_serial *b = serial_at(&state->next,
		    &state->at_next);
		struct oc_serial serial;
		struct word was, is;

		if (a == NULL && b == NULL)
			return false;
		serial = b == NULL || (a != NULL &&
		    status_serial_compare(a, b) < 0) ? *a : *b;
		was = take_word(&state->told, &state->at_told, &serial);
		is = take_word(&state->next, &state->at_next, &serial);
		if (!is_same(&was, &is)) {
			*change = change_of(state, &serial, &is);
			return true;
		}
	}
}

/* DOWN, and why nothing may be said; NOT_FOUND: it has not been fetched yet. */
static enum oc_err
may_be_told(struct state *state, const struct status_said *said)
{
	struct status_watch_report report;
	char at[DER_ISO8601_MAX];

	if (said->list != NULL && said->bounds.next_update >
	    status_watch_now(state->watch))
		return OC_OK;
	status_watch_report(state->watch, &report);
	if (said->list == NULL && report.is_awaited) {
		(void)snprintf(state->error, sizeof(state->error), "the %s "
		    "has not been fetched yet", state->noun);
		return OC_ERR_NOT_FOUND;
	}
	if (said->list == NULL) {
		(void)snprintf(state->error, sizeof(state->error), "there is "
		    "no good %s: %.400s", state->noun, report.why);
		return OC_ERR_DOWN;
	}
	der_format_iso8601(said->bounds.next_update, at);
	(void)snprintf(state->error, sizeof(state->error), "the %s has ended "
	    "at %s%s%.400s", state->noun, at, report.why[0] != '\0' ? ": " :
	    "", report.why);
	return OC_ERR_DOWN;
}

/* Takes up what is in force now, unless it was told. */
static enum oc_err
look(struct state *state)
{
	struct status_said next;
	enum oc_err err;

	status_watch_hold(state->watch, &next);
	state->generation = next.generation;
	err = may_be_told(state, &next);
	state->has_failed = err != OC_OK;
	if (err != OC_OK) {
		status_said_fini(&next);
		return err;
	}
	state->bounds = next.bounds;
	if (next.list == state->told.list &&
	    next.issued == state->told.issued) {
		status_said_fini(&next);
		return OC_OK;
	}
	state->next = next;
	begin(&state->told, &state->at_told);
	begin(&state->next, &state->at_next);
	state->is_telling = true;
	return OC_OK;
}

static enum oc_err
state_read(struct status_source *s, int64_t after_seq,
    struct status_change *changes, uint32_t num_max, uint32_t *num)
{
	struct state *state = (struct state *)s;
	uint32_t n = 0;
	enum oc_err err;

	/* What was told is not told again. */
	oc_assert(after_seq == state->seq);
	if (!state->is_telling && (err = look(state)) != OC_OK)
		return err;
	while (state->is_telling && n < num_max)
		if (find_change(state, &changes[n])) {
			n++;
		} else {
			status_said_fini(&state->told);
			state->told = state->next;
			state->next = (struct status_said){ .list = NULL };
			state->is_telling = false;
		}
	*num = n;
	return OC_OK;
}

/* A file that is found well again and again is good for ever longer. */
static bool
is_later(const struct state *state, const struct status_bounds *bounds)
{
	return bounds->next_update - state->bounds.next_update >
	    state->max_age_s / BOUNDS_STEPS;
}

static bool
state_has_news(struct status_source *s)
{
	const struct state *state = (struct state *)s;
	struct status_bounds bounds = status_watch_bounds(state->watch);

	return state->is_telling || state->has_failed ||
	    state->told.list == NULL ||
	    status_watch_generation(state->watch) != state->generation ||
	    is_later(state, &bounds) ||
	    state->bounds.next_update <= status_watch_now(state->watch);
}

static void
state_bounds(struct status_source *s, struct status_bounds *bounds)
{
	*bounds = ((struct state *)s)->bounds;
}

/* What it is about is the issuer's key, whichever list says it. */
static enum oc_err
state_id(struct status_source *s, uint8_t id[16])
{
	uint8_t hash[32];
	enum oc_err err = x509_spki_hash(((struct state *)s)->ca->spki, hash);

	if (err == OC_OK)
		memcpy(id, hash, 16);
	return err;
}

static const char *
state_error(const struct status_source *s)
{
	return ((const struct state *)s)->error;
}

static void
state_close(struct status_source *s)
{
	struct state *state = (struct state *)s;

	status_said_fini(&state->told);
	status_said_fini(&state->next);
	free(state);
}

static const struct status_ops state_ops = {
	.is_state = true,
	.id = state_id,
	.read = state_read,
	.has_news = state_has_news,
	.bounds = state_bounds,
	.error = state_error,
	.close = state_close,
};

enum oc_err
status_state_open(const struct status_state_plan *plan,
    struct status_source **source, struct oc_error *error)
{
	struct state *state = calloc(1, sizeof(*state));
	struct status_watch_report report;

	if (state == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	status_watch_report(plan->watch, &report);
	state->source.ops = &state_ops;
	state->watch = plan->watch;
	state->ca = plan->ca;
	state->unlisted = plan->unlisted;
	state->max_age_s = plan->max_age_s;
	state->noun = report.noun;
	*source = &state->source;
	return OC_OK;
}
