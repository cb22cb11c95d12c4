/* SPDX-License-Identifier: Apache-2.0 */
#include "status/due.h"

#include <stdlib.h>

#define PLACES_MIN 64

void
status_agenda_fini(struct status_agenda *a)
{
	int kind;

	ocsp_refresh_fini(&a->slots);
	for (kind = 0; kind < STATUS_DUE_MAX; kind++)
		ocsp_refresh_fini(&a->wanted[kind]);
	free(a->places);
	*a = (struct status_agenda){ 0 };
}

enum oc_err
status_agenda_put_slot(struct status_agenda *a, int64_t at, uint32_t number)
{
	return ocsp_refresh_put(&a->slots, at, number);
}

/* NULL when memory has run out. */
static struct status_wanted *
take_place(struct status_agenda *a)
{
	struct status_wanted *places;
	uint32_t num_max;

	if (a->first_free != 0) {
		places = &a->places[a->first_free - 1];
		a->first_free = places->next_free;
		return places;
	}
	if (a->num_places == a->places_max) {
		if (a->places_max > UINT32_MAX / 2)
			return NULL;
		num_max = a->places_max + a->places_max / 2 + PLACES_MIN;
		places = reallocarray(a->places, num_max, sizeof(*places));
		if (places == NULL)
			return NULL;
		a->places = places;
		a->places_max = num_max;
	}
	return &a->places[a->num_places++];
}

static void
give_back(struct status_agenda *a, struct status_wanted *place)
{
	place->next_free = a->first_free;
	a->first_free = (uint32_t)(place - a->places) + 1;
}

enum oc_err
status_agenda_put(struct status_agenda *a, enum status_due_kind kind,
    const struct status_due *due)
{
	struct status_wanted *place = take_place(a);
	enum oc_err err;

	if (place == NULL)
		return OC_ERR_NOMEM;
	place->serial = due->serial;
	place->encoding = due->encoding;
	err = ocsp_refresh_put(&a->wanted[kind], due->at,
	    (uint32_t)(place - a->places));
	if (err != OC_OK)
		give_back(a, place);
	return err;
}

static bool
take_wanted(struct status_agenda *a, enum status_due_kind kind, int64_t now,
    struct status_due *due)
{
	struct status_wanted *place;
	struct ocsp_due first;

	if (!ocsp_refresh_take(&a->wanted[kind], now, &first))
		return false;
	place = &a->places[first.item];
	*due = (struct status_due){ first.at, place->serial,
	    place->encoding };
	give_back(a, place);
	return true;
}

bool
status_agenda_take(struct status_agenda *a, enum status_due_kind kind,
    const struct ocsp_table *table, int64_t now, struct status_due *due)
{
	struct ocsp_slot slot;
	struct ocsp_due first;

	while (kind == STATUS_DUE_REFRESH &&
	    ocsp_refresh_next_at(&a->slots) <
	    ocsp_refresh_next_at(&a->wanted[kind])) {
		if (!ocsp_refresh_take(&a->slots, now, &first))
			return false;
		/* Withdrawn since: then it is wanted. */
		if (!ocsp_table_get(table, first.item, &slot))
			continue;
		*due = (struct status_due){ first.at, slot.serial,
		    slot.encoding };
		return true;
	}
	return take_wanted(a, kind, now, due);
}

uint32_t
status_agenda_num(const struct status_agenda *a, enum status_due_kind kind)
{
	return a->wanted[kind].num +
	    (kind == STATUS_DUE_REFRESH ? a->slots.num : 0);
}
