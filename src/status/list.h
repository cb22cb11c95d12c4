/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a source said of an issuer's certificates at one time, in memory: a
 * list in the order of serial numbers, 40 octets each, or, where somebody has
 * the octets that they were read from, the four octets of where.  It never
 * changes once it is in force, and lives for as long as somebody holds it:
 * several threads may.
 */
#ifndef STATUS_LIST_H
#define STATUS_LIST_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/reason.h"
#include "base/serial.h"

/* A list may be of so long from now: clocks are not the same everywhere. */
#define STATUS_SKEW_S 300

struct status_entry {
	struct oc_serial serial;
	uint8_t is_revoked;
	uint8_t reason;			/* enum crl_reason; of one that is not
					 * revoked: removeFromCRL, or zero */
	int64_t revoked_at;		/* zero where reason is, and it is
					 * not revoked */
	int64_t not_after;		/* DER_TIME_MAX: that is not known */
};

struct status_list;
typedef struct status_entry status_unpack_fn(const struct status_list *list,
    uint32_t place);

/* May stand first in something larger. */
struct status_list {
	/* By serial, each once: one of the two, owned. */
	struct status_entry *entries;
	uint32_t *places;
	status_unpack_fn *unpack;	/* NULL: there are no places */
	uint32_t num_entries, num_revoked;
	uint32_t room;			/* entries for which there is memory */
	/* Its own dates.  Without a next_update it is good for as long as it
	 * is read again; this_update is then when that was, of a copy. */
	int64_t this_update, next_update;
	int64_t written_ns;		/* the file's time; 0: no matter */
	void (*free)(struct status_list *list);	/* NULL: free() */
	atomic_uint num_holders;	/* private */
};

/* Held once. */
enum oc_err status_list_new(struct status_list **list) OC_MUST_CHECK;
void status_list_init(struct status_list *list);
void status_list_hold(struct status_list *list);
void status_list_release(struct status_list *list);	/* NULL: fine */

/* While it is made: in any order.  LIMIT beyond OC_RECORDS_MAX, NOMEM. */
enum oc_err status_list_add(struct status_list *list,
    const struct status_entry *entry) OC_MUST_CHECK;
/* The same of one with places. */
enum oc_err status_list_add_place(struct status_list *list, uint32_t place)
    OC_MUST_CHECK;
/* Below num_entries. */
static inline struct status_entry
status_list_at(const struct status_list *list, uint32_t i)
{
	return list->unpack == NULL ? list->entries[i] :
	    list->unpack(list, list->places[i]);
}
/* Puts them in order: of several about one certificate, first the one that
 * cannot be taken back, then the earlier.  NOMEM only of one with places. */
enum oc_err status_list_sort(struct status_list *list) OC_MUST_CHECK;
/* In order: one that stands there twice.  False: none. */
bool status_list_double(const struct status_list *list,
    struct oc_serial *serial);
/* In order: only the first about each certificate stays. */
void status_list_drop_doubles(struct status_list *list);
/* Both in order and closed, and with places: about each certificate what the
 * other says, if it says anything; a place of the other's with this bit. */
#define STATUS_LIST_OTHER (UINT32_C(1) << 31)
enum oc_err status_list_overlay(struct status_list *list,
    const struct status_list *other) OC_MUST_CHECK;
/* In order and complete: gives back what memory is left, and counts. */
void status_list_close(struct status_list *list);
/* The first of that, for whoever has counted. */
void status_list_trim(struct status_list *list);

/* False: it is not on the list. */
bool status_list_find(const struct status_list *list,
    const struct oc_serial *serial, struct status_entry *entry);
/* They say the same of the same certificates. */
bool status_list_equal(const struct status_list *a,
    const struct status_list *b);
/* Of one certificate. */
bool status_entry_says_same(const struct status_entry *a,
    const struct status_entry *b);
/* Revoked, and nobody takes that back (RFC 5280, 5.3.1). */
bool status_entry_is_final(const struct status_entry *entry);

/* What a list no longer says that the one before it did. */
struct status_lost {
	uint32_t num_final;		/* were revoked for good before */
	uint32_t num_dropped;		/* are no longer, or only on hold, and
					 * have not just expired */
	uint32_t num_removed;		/* are there with removeFromCRL */
	struct oc_serial first;		/* of either; len 0: none */
	uint32_t num_live;		/* had not expired */
	uint32_t num_missing;		/* and are not there, or with another
					 * end: another certificate */
	struct oc_serial first_missing;
};
/* now: what has ended by then may be missing. */
void status_list_compare(const struct status_list *list,
    const struct status_list *before, int64_t now, struct status_lost *lost);
/* More of so many than this? */
bool status_lost_is_above(uint32_t num, uint32_t num_all,
    int64_t max_percent);

/* The order of serial numbers: they are positive and minimal. */
int status_serial_compare(const struct oc_serial *a,
    const struct oc_serial *b);
/* Hexadecimal digits, of which there may be an odd number, to what a
 * certificate has.  False: no certificate can have that. */
bool status_serial_read(const char *text, size_t len,
    struct oc_serial *serial);

#endif
