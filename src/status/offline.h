/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An issuer whose key is not here: its responses were signed in a ceremony
 * and lie in the directory [issuer NAME] responses.  They are read once, when
 * the service starts, and go into the table as soon as the store is known.
 * From then on the table is what counts: a file that goes away takes nothing
 * with it.
 */
#ifndef STATUS_OFFLINE_H
#define STATUS_OFFLINE_H

#include "base/config.h"
#include "ocsp/table.h"
#include "status/status.h"
#include "status/trust.h"

/* Files in the directory; a root has a few hundred of them. */
#define STATUS_OFFLINE_FILES_MAX 65536

struct status_offline;

/* Reads the directory; what is refused is said in the log and counted, also
 * that there is no directory.  Borrows both.  Blocks. */
enum oc_err status_offline_new(const struct oc_config_issuer *issuer,
    const struct ocsp_identity *identity, int64_t now,
    struct status_offline **offline, struct oc_error *error) OC_MUST_CHECK;
void status_offline_free(struct status_offline *offline);  /* NULL: fine */

/* The store says revoked, the response good: it may not be served. */
bool status_offline_contradicts(const struct ocsp_slot *slot,
    const struct status_record *record);

struct status_offline_tables {
	struct ocsp_table *table;
	struct ocsp_table *older;	/* NULL: none; nothing is put there */
};
/* Puts what was read into the table, unless the store contradicts, what is
 * there is newer or was revoked for good, or it is trusted no more; what says
 * revoked takes out what says good of the same certificate, in each encoding
 * and by each key.  Once, when all is known. */
void status_offline_put(struct status_offline *offline,
    const struct status_offline_tables *tables,
    const struct status_set *set, const struct status_trust *trust);
/* A response was withdrawn because the store contradicts it. */
void status_offline_note_withdrawn(struct status_offline *offline,
    const struct oc_serial *serial);

/* For each response, in a pass over the table between _begin() and _alarm(),
 * which says what is near its end or past it, about once a day. */
void status_offline_begin(struct status_offline *offline);
void status_offline_look(struct status_offline *offline,
    const struct ocsp_slot *slot, int64_t now);
void status_offline_alarm(struct status_offline *offline, int64_t now);

struct status_offline_report {
	uint32_t num_refused;		/* files */
	uint32_t num_contradicted;	/* times that the store did */
	/* As of the last pass; ending: in the last quarter of its life. */
	uint32_t num_ending, num_ended;
};
void status_offline_report(const struct status_offline *offline,
    struct status_offline_report *report);

#endif
