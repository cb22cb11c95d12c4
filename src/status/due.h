/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is to be signed without being asked for, earliest first.  What stands
 * in the response table and is to be renewed is known by its slot, 8 octets a
 * certificate; what does not stand there, because it was withdrawn or never
 * signed, by its serial.
 */
#ifndef STATUS_DUE_H
#define STATUS_DUE_H

#include "ocsp/refresh.h"
#include "ocsp/table.h"

/* Most urgent first. */
enum status_due_kind {
	STATUS_DUE_URGENT,	/* was withdrawn, or is revoked */
	STATUS_DUE_NEW,		/* a certificate that was just issued */
	STATUS_DUE_REFRESH,
	STATUS_DUE_MAX
};

struct status_due {
	int64_t at;		/* Unix seconds */
	struct oc_serial serial;
	uint8_t encoding;
};

/* A due one that has no slot; or, in a list, a free place. */
struct status_wanted {
	struct oc_serial serial;
	uint8_t encoding;
	uint32_t next_free;	/* place + 1; 0: none */
};

/* Zero state is an empty one. */
struct status_agenda {
	struct ocsp_refresh slots;	/* all of STATUS_DUE_REFRESH */
	struct ocsp_refresh wanted[STATUS_DUE_MAX];
	struct status_wanted *places;	/* owned; of wanted */
	uint32_t num_places, places_max, first_free;
};

void status_agenda_fini(struct status_agenda *agenda);
/* Either may stand there twice: who takes it looks whether there is still
 * something to do.  number is ocsp_slot's. */
enum oc_err status_agenda_put_slot(struct status_agenda *agenda, int64_t at,
    uint32_t number) OC_MUST_CHECK;
enum oc_err status_agenda_put(struct status_agenda *agenda,
    enum status_due_kind kind, const struct status_due *due) OC_MUST_CHECK;
/* False if nothing of this kind is due by now. */
bool status_agenda_take(struct status_agenda *agenda,
    enum status_due_kind kind, const struct ocsp_table *table, int64_t now,
    struct status_due *due);
uint32_t status_agenda_num(const struct status_agenda *agenda,
    enum status_due_kind kind);

#endif
