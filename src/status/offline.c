/* SPDX-License-Identifier: Apache-2.0 */
#include "status/offline.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "der/time.h"
#include "status/loaded.h"

#define DAY_S INT64_C(86400)

struct loaded_file {
	struct ocsp_slot slot;
	char *name;			/* owned */
};

/* What one pass over the table has found. */
struct ending {
	uint32_t num_ending, num_ended;
	int64_t first_at;		/* of those ending; 0: none */
};

struct status_offline {
	const struct oc_config_issuer *issuer;
	struct loaded_file *files;	/* owned, until they are in the table */
	uint32_t num_files, num_files_max;
	uint32_t num_refused, num_contradicted;
	struct ending pass, last;
	int64_t said_at;		/* 0: nothing to say */
};

static void
refuse(struct status_offline *o, const char *name, const char *why)
{
	o->num_refused++;
	oc_log(OC_LOG_ERROR, "issuer %s: %s/%s is refused: %s",
	    o->issuer->name, o->issuer->responses, name, why);
}

static enum oc_err
add_file(struct status_offline *o, const char *name,
    const struct ocsp_slot *slot)
{
	char *copy = strdup(name);

	if (o->num_files == o->num_files_max) {
		uint32_t max = o->num_files_max * 2 + 16;
		struct loaded_file *files = reallocarray(o->files, max,
		    sizeof(*files));

		if (files != NULL) {
			o->files = files;
			o->num_files_max = max;
		}
	}
	if (copy == NULL || o->num_files == o->num_files_max) {
		free(copy);
		return OC_ERR_NOMEM;
	}
	o->files[o->num_files++] = (struct loaded_file){ *slot, copy };
	return OC_OK;
}

/* NOMEM only; what is wrong with the file is said. */
static enum oc_err
read_file(struct status_offline *o, const struct status_loader *loader,
    const char *name, int64_t now)
{
	struct oc_error why = { 0 };
	struct der_bytes der = { NULL, 0 };
	uint8_t *octets = NULL;
	struct ocsp_slot slot;
	char *path;
	enum oc_err err;

	if (oc_path_join(o->issuer->responses, name, &path) != OC_OK)
		return OC_ERR_NOMEM;
	err = oc_file_read_regular(path, OCSP_RESPONSE_MAX, &octets, &der.len,
	    NULL, &why);
	der.p = octets;
	if (err == OC_OK)
		err = status_loader_read(loader, der, now, &slot, &why);
	if (err == OC_OK)
		err = add_file(o, name, &slot);
	else if (err != OC_ERR_NOMEM) {
		refuse(o, name, why.text);
		err = OC_OK;
	}
	free(octets);
	free(path);
	return err;
}

static int
is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* In the order of their names, so that the log is the same each time. */
static enum oc_err
read_directory(struct status_offline *o, const struct status_loader *loader,
    int64_t now)
{
	const char *directory = o->issuer->responses;
	struct dirent **entries = NULL;
	int num = scandir(directory, &entries, is_visible, alphasort);
	enum oc_err err = OC_OK;

	if (num < 0) {
		err = errno == ENOMEM ? OC_ERR_NOMEM : OC_OK;
		o->num_refused++;
		oc_log(OC_LOG_ERROR, "issuer %s: responses %s: %s; nothing is "
		    "loaded", o->issuer->name, directory, strerror(errno));
		return err;
	}
	if (num > STATUS_OFFLINE_FILES_MAX) {
		o->num_refused += (uint32_t)(num - STATUS_OFFLINE_FILES_MAX);
		oc_log(OC_LOG_ERROR, "issuer %s: responses %s: %d files; "
		    "those after the first %d are refused", o->issuer->name,
		    directory, num, STATUS_OFFLINE_FILES_MAX);
	}
	for (int i = 0; i < num; i++) {
		if (err == OC_OK && i < STATUS_OFFLINE_FILES_MAX)
			err = read_file(o, loader, entries[i]->d_name, now);
		free(entries[i]);
	}
	free(entries);
	return err;
}

enum oc_err
status_offline_new(const struct oc_config_issuer *issuer,
    const struct ocsp_identity *identity, int64_t now,
    struct status_offline **out, struct oc_error *error)
{
	struct status_offline *o = calloc(1, sizeof(*o));
	struct status_loader *loader = NULL;
	enum oc_err err;

	if (o == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	o->issuer = issuer;
	err = status_loader_new(issuer, identity, &loader, error);
	if (err == OC_OK) {
		err = read_directory(o, loader, now);
		if (err != OC_OK)
			oc_error_set(error, err, "out of memory");
	}
	status_loader_free(loader);
	if (err != OC_OK) {
		status_offline_free(o);
		return err;
	}
	*out = o;
	return OC_OK;
}

static void
forget_files(struct status_offline *o)
{
	for (uint32_t i = 0; i < o->num_files; i++)
		free(o->files[i].name);
	free(o->files);
	o->files = NULL;
	o->num_files = o->num_files_max = 0;
}

void
status_offline_free(struct status_offline *o)
{
	if (o == NULL)
		return;
	forget_files(o);
	free(o);
}

bool
status_offline_contradicts(const struct ocsp_slot *slot,
    const struct status_record *record)
{
	return record != NULL && record->is_revoked &&
	    slot->status.kind == OCSP_GOOD;
}

/* Revoked, and no hold: nobody takes that back (RFC 5280, 5.3.1). */
static bool
is_for_good(const struct ocsp_status *status)
{
	return status->kind == OCSP_REVOKED &&
	    status->reason != CRL_REASON_CERTIFICATE_HOLD;
}

static bool
is_older(const struct ocsp_slot *slot, const struct ocsp_slot *than)
{
	return slot->this_update != than->this_update ?
	    slot->this_update < than->this_update :
	    slot->produced_at < than->produced_at;
}

/* False: refused, for what is said. */
static bool
may_replace(struct status_offline *o, const struct loaded_file *f,
    const struct ocsp_slot *served)
{
	char its[DER_ISO8601_MAX], ours[DER_ISO8601_MAX];
	struct oc_error why = { 0 };

	if (is_older(&f->slot, served)) {
		der_format_iso8601(f->slot.this_update, its);
		der_format_iso8601(served->this_update, ours);
		(void)oc_error_set(&why, OC_ERR_REFUSED, "it is older (%s) "
		    "than the response that is served (%s)", its, ours);
	} else if (f->slot.status.kind == OCSP_GOOD &&
	    is_for_good(&served->status))
		(void)oc_error_set(&why, OC_ERR_REFUSED, "it says \"good\" of "
		    "a certificate that was revoked for good");
	else
		return true;
	refuse(o, f->name, why.text);
	return false;
}

/* Why a response may not be served, whatever it says. */
static const char *
why_forbidden(const struct status_trust *trust)
{
	if (trust->is_signer_revoked)
		return "the certificate of who signed it is revoked: put "
		    "another into ocsp-certificate";
	return status_trust_refuses(trust) ? "the CA is compromised, and "
	    "nothing is said of its certificates (on-compromise)" : "it says "
	    "\"good\", and the CA is compromised";
}

/* False: it is not in the table, which was said. */
static bool
put_file(struct status_offline *o, const struct loaded_file *f,
    struct ocsp_table *table, const struct status_set *set,
    const struct status_trust *trust)
{
	const struct ocsp_slot *slot = &f->slot;
	struct ocsp_slot served;
	enum oc_err err;

	/* Readers may be at the table already. */
	if (trust->is_signer_revoked ||
	    status_trust_forbids(trust, &slot->status)) {
		refuse(o, f->name, why_forbidden(trust));
		return false;
	}
	if (status_offline_contradicts(slot, status_set_find(set,
	    &slot->serial))) {
		o->num_contradicted++;
		refuse(o, f->name, "it says \"good\", and the store has that "
		    "certificate as revoked: tryLater, until a response that "
		    "says so is loaded");
		return false;
	}
	if (ocsp_table_find(table, &slot->serial, slot->encoding, &served) &&
	    !may_replace(o, f, &served))
		return false;
	err = ocsp_table_put(table, slot);
	if (err != OC_OK)
		refuse(o, f->name, oc_strerror(err));
	return err == OC_OK;
}

void
status_offline_put(struct status_offline *o, struct ocsp_table *table,
    const struct status_set *set, const struct status_trust *trust)
{
	char until[DER_ISO8601_MAX] = "never";
	uint32_t num_put = 0, i;
	int64_t first_at = 0;

	for (i = 0; i < o->num_files; i++) {
		const struct ocsp_slot *slot = &o->files[i].slot;

		if (!put_file(o, &o->files[i], table, set, trust))
			continue;
		num_put++;
		if (first_at == 0 || slot->next_update < first_at)
			first_at = slot->next_update;
	}
	if (first_at != 0)
		der_format_iso8601(first_at, until);
	oc_log(OC_LOG_NOTICE, "issuer %s: %u responses loaded from %s, %u "
	    "files refused; the first ends at %s", o->issuer->name, num_put,
	    o->issuer->responses, o->num_refused, until);
	forget_files(o);
}

void
status_offline_note_withdrawn(struct status_offline *o,
    const struct oc_serial *serial)
{
	char text[OC_SERIAL_TEXT_MAX];

	o->num_contradicted++;
	oc_serial_format(serial, text);
	oc_log(OC_LOG_ERROR, "issuer %s: the store has %s as revoked, and the "
	    "response that was loaded says \"good\": withdrawn; tryLater, "
	    "until one that says so is loaded", o->issuer->name, text);
}

void
status_offline_begin(struct status_offline *o)
{
	o->pass = (struct ending){ 0 };
}

void
status_offline_look(struct status_offline *o, const struct ocsp_slot *slot,
    int64_t now)
{
	struct ending *pass = &o->pass;

	if (slot->next_update <= now) {
		pass->num_ended++;
	} else if (slot->next_update - now <
	    (slot->next_update - slot->this_update) / 4) {
		pass->num_ending++;
		if (pass->first_at == 0 || slot->next_update < pass->first_at)
			pass->first_at = slot->next_update;
	}
}

static void
say(const struct status_offline *o)
{
	const struct ending *last = &o->last;
	char at[DER_ISO8601_MAX];

	if (last->num_ended != 0)
		oc_log(OC_LOG_ERROR, "issuer %s: %u of the responses that were "
		    "loaded have ended: tryLater; load new ones into %s",
		    o->issuer->name, last->num_ended, o->issuer->responses);
	if (last->num_ending == 0)
		return;
	der_format_iso8601(last->first_at, at);
	oc_log(OC_LOG_WARNING, "issuer %s: %u of the responses that were "
	    "loaded end soon, the first at %s: time for a ceremony; load new "
	    "ones into %s", o->issuer->name, last->num_ending, at,
	    o->issuer->responses);
}

/* Before the day is over when the first has ended, for that is worse than
 * what was said. */
void
status_offline_alarm(struct status_offline *o, int64_t now)
{
	bool is_worse = (o->pass.num_ended != 0 && o->last.num_ended == 0) ||
	    (o->pass.num_ending != 0 && o->last.num_ending == 0);

	o->last = o->pass;
	if (o->last.num_ended + o->last.num_ending == 0)
		o->said_at = 0;
	else if (is_worse || now - o->said_at >= DAY_S) {
		o->said_at = now;
		say(o);
	}
}

void
status_offline_report(const struct status_offline *o,
    struct status_offline_report *report)
{
	*report = (struct status_offline_report){
		.num_refused = o->num_refused,
		.num_contradicted = o->num_contradicted,
		.num_ending = o->last.num_ending,
		.num_ended = o->last.num_ended,
	};
}
