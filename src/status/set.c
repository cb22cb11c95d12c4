/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is known of an issuer's certificates, by serial: open addressing with
 * linear probing over an array that is replaced by one twice as large at
 * three quarters full.  Nothing is ever removed: a certificate stays known.
 *
 * One thread, the event loop's.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "status/status.h"

#define SET_SLOTS_MIN 1024

struct status_set {
	struct status_record *records;	/* serial.len 0: empty */
	uint32_t num_slots;		/* a power of two */
	uint32_t num;
	uint64_t seed;		/* serials of foreign sources are chosen by
				 * strangers; where they land is not */
	int64_t retention_s;
};

/* FNV-1a over the seed and the octets, then mixed. */
static uint32_t
hash_of(const struct status_set *set, const struct oc_serial *serial)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325) ^ set->seed;
	uint32_t i;

	for (i = 0; i < serial->len; i++)
		h = (h ^ serial->bytes[i]) * UINT64_C(0x100000001b3);
	h ^= h >> 33;
	h *= UINT64_C(0xff51afd7ed558ccd) ^ set->seed;
	return (uint32_t)(h >> 32);
}

/* The record of this serial, or the empty slot where it would go. */
static struct status_record *
slot_of(const struct status_set *set, const struct oc_serial *serial)
{
	uint32_t mask = set->num_slots - 1;
	uint32_t i = hash_of(set, serial) & mask;

	while (set->records[i].serial.len != 0 &&
	    !oc_serial_equal(&set->records[i].serial, serial))
		i = (i + 1) & mask;
	return &set->records[i];
}

static enum oc_err
grow(struct status_set *set)
{
	struct status_set larger = *set;
	uint32_t i;

	if (set->num_slots > UINT32_MAX / 2)
		return OC_ERR_LIMIT;
	larger.num_slots = set->num_slots * 2;
	larger.records = calloc(larger.num_slots, sizeof(*larger.records));
	if (larger.records == NULL)
		return OC_ERR_NOMEM;
	for (i = 0; i < set->num_slots; i++) {
		const struct status_record *r = &set->records[i];

		if (r->serial.len != 0)
			*slot_of(&larger, &r->serial) = *r;
	}
	free(set->records);
	*set = larger;
	return OC_OK;
}

enum oc_err
status_set_new(struct status_set **out)
{
	struct status_set *set = calloc(1, sizeof(*set));

	if (set == NULL)
		return OC_ERR_NOMEM;
	set->num_slots = SET_SLOTS_MIN;
	set->records = calloc(set->num_slots, sizeof(*set->records));
	if (set->records == NULL ||
	    getrandom(&set->seed, sizeof(set->seed), 0) !=
	    (ssize_t)sizeof(set->seed)) {
		status_set_free(set);
		return OC_ERR_NOMEM;
	}
	*out = set;
	return OC_OK;
}

void
status_set_retain(struct status_set *set, int64_t retention_s)
{
	oc_assert(set->num == 0);
	set->retention_s = retention_s;
}

void
status_set_free(struct status_set *set)
{
	if (set == NULL)
		return;
	free(set->records);
	free(set);
}

enum oc_err
status_set_apply(struct status_set *set, const struct status_change *change)
{
	struct status_record *r;
	enum oc_err err;

	oc_assert(change->serial.len != 0);
	if (set->num >= set->num_slots / 4 * 3) {
		err = grow(set);
		if (err != OC_OK)
			return err;
	}
	r = slot_of(set, &change->serial);
	if (r->serial.len == 0)
		set->num++;
	else if (change->seq < r->seq)
		return OC_OK;
	*r = (struct status_record){
		.serial = change->serial,
		.is_revoked = change->is_revoked,
		.reason = change->reason,
		.revoked_at = change->revoked_at,
		.not_after = change->not_after + set->retention_s,
		.seq = change->seq,
	};
	return OC_OK;
}

const struct status_record *
status_set_find(const struct status_set *set, const struct oc_serial *serial)
{
	const struct status_record *r = slot_of(set, serial);

	return r->serial.len != 0 ? r : NULL;
}

uint32_t
status_set_num(const struct status_set *set)
{
	return set->num;
}

void
status_set_walk(const struct status_set *set, status_set_fn *fn, void *arg)
{
	uint32_t i;

	for (i = 0; i < set->num_slots; i++)
		if (set->records[i].serial.len != 0 &&
		    !fn(arg, &set->records[i]))
			return;
}

bool
status_set_walk_part(const struct status_set *set,
    struct status_set_place *place, uint32_t num, status_set_fn *fn, void *arg)
{
	const struct status_record *r;
	bool goes_on = true;

	if (place->num_slots != set->num_slots)
		*place = (struct status_set_place){ 0, set->num_slots };
	for (; num > 0 && goes_on && place->next < set->num_slots; num--) {
		r = &set->records[place->next++];
		if (r->serial.len != 0)
			goes_on = fn(arg, r);
	}
	return place->next < set->num_slots;
}
