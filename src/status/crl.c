/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A CRL as a status source: who is on it is revoked; who is not, and was
 * issued by a list of such numbers, is good; of nobody else there is a record.
 *
 * A list is a state, not a history: what has changed is what the one before
 * and the next do not say alike, found by walking both in the order of their
 * serial numbers.  The numbers of changes begin anew with each start, so no
 * table of a run before can be told what it has missed: it is held against the
 * whole before it is served.
 *
 * Runs on the feed's thread; the files are another's (status/crl_file.c).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "der/time.h"
#include "status/crl_file.h"
#include "status/status.h"
#include "x509/spki.h"

/* What was in force together; held.  No list: nothing. */
struct state {
	struct status_crl_list *list;
	struct status_issued *issued;	/* NULL: there is no such list */
};

/* How far a walk has come in it. */
struct place { uint32_t entry, single; };

struct crl {
	struct status_source source;	/* first */
	struct status_crl_file *file;	/* borrowed */
	enum oc_config_unlisted unlisted;
	int64_t seq;			/* of the last change told */
	uint64_t generation;		/* when the files were looked at */
	struct state told, next;	/* next: if is_telling */
	struct place at_told, at_next;
	bool is_telling, has_failed;
	char error[OC_ERROR_TEXT_MAX];
};

static void
state_fini(struct state *state)
{
	status_crl_list_release(state->list);
	status_issued_release(state->issued);
	*state = (struct state){ NULL, NULL };
}

/* The first serial number of a state at or behind a place; NULL: none. */
static const struct oc_serial *
serial_at(const struct state *state, const struct place *at)
{
	const struct oc_serial *entry = NULL, *single = NULL;

	if (state->list != NULL && at->entry < state->list->num_entries)
		entry = &state->list->entries[at->entry].serial;
	if (state->issued != NULL && at->single < state->issued->num_singles)
		single = &state->issued->singles[at->single];
	if (entry == NULL || single == NULL)
		return entry == NULL ? single : entry;
	return status_serial_compare(entry, single) < 0 ? entry : single;
}

/* What a state says of the smallest serial number that is left. */
enum said { SAID_NOTHING, SAID_ISSUED, SAID_LISTED };
struct word {
	enum said said;
	const struct status_crl_entry *entry;	/* LISTED */
};

/* And steps over it. */
static struct word
take_word(const struct state *state, struct place *at,
    const struct oc_serial *serial)
{
	struct word word = { SAID_NOTHING, NULL };

	if (state->issued != NULL && at->single < state->issued->num_singles &&
	    oc_serial_equal(&state->issued->singles[at->single], serial)) {
		at->single++;
		word.said = SAID_ISSUED;
	}
	if (state->list != NULL && at->entry < state->list->num_entries &&
	    oc_serial_equal(&state->list->entries[at->entry].serial,
	    serial)) {
		word.entry = &state->list->entries[at->entry++];
		word.said = SAID_LISTED;
	}
	return word;
}

static bool
is_same(const struct word *a, const struct word *b)
{
	return a->said == b->said && (a->said != SAID_LISTED ||
	    (a->entry->reason == b->entry->reason &&
	    a->entry->revoked_at == b->entry->revoked_at));
}

/* One that was on the list before, and is no longer: on hold it was, or it
 * has expired. */
static bool
is_still_told(const struct crl *crl, const struct oc_serial *serial)
{
	return crl->unlisted == OC_UNLISTED_GOOD &&
	    (crl->next.issued == NULL ||
	    status_issued_has(crl->next.issued, serial));
}

/* A root's own certificate, should it be on its own list. */
static bool
is_of_ca(const struct crl *crl, const struct status_crl_entry *entry)
{
	const struct x509_cert *cert = status_crl_file_certificate(crl->file);

	return (entry->reason == CRL_REASON_KEY_COMPROMISE ||
	    entry->reason == CRL_REASON_CA_COMPROMISE) &&
	    der_bytes_equal(cert->issuer, cert->subject) &&
	    oc_serial_equal(&entry->serial, &cert->serial);
}

static struct status_change
change_of(struct crl *crl, const struct oc_serial *serial,
    const struct word *is)
{
	struct status_change change = {
		.seq = ++crl->seq,
		.serial = *serial,
		.not_after = DER_TIME_MAX,
	};

	switch (is->said) {
	case SAID_LISTED:
		if (is->entry->reason == CRL_REASON_REMOVE_FROM_CRL)
			break;
		change.is_revoked = true;
		change.reason = (enum crl_reason)is->entry->reason;
		change.revoked_at = is->entry->revoked_at;
		change.is_of_ca = is_of_ca(crl, is->entry);
		break;
	case SAID_ISSUED:
		break;
	case SAID_NOTHING:
		if (!is_still_told(crl, serial))
			change.not_after = STATUS_GONE;
		break;
	}
	return change;
}

/* The next change; false: the two say the same from here. */
static bool
find_change(struct crl *crl, struct status_change *change)
{
	for (;;) {
		const struct oc_serial *a = serial_at(&crl->told,
		    &crl->at_told), *b = serial_at(&crl->next, &crl->at_next);
		struct oc_serial serial;
		struct word was, is;

		if (a == NULL && b == NULL)
			return false;
		serial = b == NULL || (a != NULL &&
		    status_serial_compare(a, b) < 0) ? *a : *b;
		was = take_word(&crl->told, &crl->at_told, &serial);
		is = take_word(&crl->next, &crl->at_next, &serial);
		if (!is_same(&was, &is)) {
			*change = change_of(crl, &serial, &is);
			return true;
		}
	}
}

/* Why nothing may be said; true: there is nothing against it. */
static bool
may_be_told(struct crl *crl, const struct status_crl_list *list)
{
	struct status_crl_report report;
	char at[DER_ISO8601_MAX];

	if (list != NULL && list->crl.next_update > oc_clock_now_s())
		return true;
	status_crl_file_report(crl->file, &report);
	if (list == NULL) {
		(void)snprintf(crl->error, sizeof(crl->error), "there is no "
		    "good CRL: %.400s", report.why);
		return false;
	}
	der_format_iso8601(list->crl.next_update, at);
	(void)snprintf(crl->error, sizeof(crl->error), "the CRL has ended at "
	    "%s%s%.400s", at, report.why[0] != '\0' ? ": " : "", report.why);
	return false;
}

/* Takes up what is in force now, unless it was told. */
static enum oc_err
look(struct crl *crl)
{
	struct state next = { NULL, NULL };

	crl->generation = status_crl_file_generation(crl->file);
	next.list = status_crl_file_hold(crl->file);
	crl->has_failed = !may_be_told(crl, next.list);
	if (crl->has_failed) {
		state_fini(&next);
		return OC_ERR_DOWN;
	}
	next.issued = status_crl_file_hold_issued(crl->file);
	if (next.list == crl->told.list && next.issued == crl->told.issued) {
		state_fini(&next);
		return OC_OK;
	}
	crl->next = next;
	crl->at_told = crl->at_next = (struct place){ 0, 0 };
	crl->is_telling = true;
	return OC_OK;
}

static enum oc_err
crl_read(struct status_source *s, int64_t after_seq,
    struct status_change *changes, uint32_t num_max, uint32_t *num)
{
	struct crl *crl = (struct crl *)s;
	uint32_t n = 0;
	enum oc_err err;

	/* What was told is not told again. */
	oc_assert(after_seq == crl->seq);
	if (!crl->is_telling && (err = look(crl)) != OC_OK)
		return err;
	while (crl->is_telling && n < num_max)
		if (find_change(crl, &changes[n])) {
			n++;
		} else {
			state_fini(&crl->told);
			crl->told = crl->next;
			crl->next = (struct state){ NULL, NULL };
			crl->is_telling = false;
		}
	*num = n;
	return OC_OK;
}

static bool
crl_has_news(struct status_source *s)
{
	const struct crl *crl = (struct crl *)s;

	return crl->is_telling || crl->has_failed || crl->told.list == NULL ||
	    status_crl_file_generation(crl->file) != crl->generation ||
	    crl->told.list->crl.next_update <= oc_clock_now_s();
}

static void
crl_bounds(struct status_source *s, struct status_bounds *bounds)
{
	const struct x509_crl *list = &((struct crl *)s)->told.list->crl;

	*bounds = (struct status_bounds){ list->this_update,
	    list->next_update };
}

/* What it is about is the issuer's key, whichever list says it. */
static enum oc_err
crl_id(struct status_source *s, uint8_t id[16])
{
	const struct x509_cert *cert = status_crl_file_certificate(
	    ((struct crl *)s)->file);
	uint8_t hash[32];
	enum oc_err err = x509_spki_hash(cert->spki, hash);

	if (err == OC_OK)
		memcpy(id, hash, 16);
	return err;
}

static const char *
crl_error(const struct status_source *s)
{
	return ((const struct crl *)s)->error;
}

static void
crl_close(struct status_source *s)
{
	struct crl *crl = (struct crl *)s;

	state_fini(&crl->told);
	state_fini(&crl->next);
	free(crl);
}

static const struct status_ops crl_ops = {
	.is_state = true,
	.id = crl_id,
	.read = crl_read,
	.has_news = crl_has_news,
	.bounds = crl_bounds,
	.error = crl_error,
	.close = crl_close,
};

enum oc_err
status_crl_open(struct status_crl_file *file,
    const struct oc_config_issuer *issuer, struct status_source **source,
    struct oc_error *error)
{
	struct crl *crl = calloc(1, sizeof(*crl));

	if (crl == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	crl->source.ops = &crl_ops;
	crl->file = file;
	crl->unlisted = issuer->unlisted;
	*source = &crl->source;
	return OC_OK;
}
