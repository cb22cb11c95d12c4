/* SPDX-License-Identifier: Apache-2.0 */
#include "status/list.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/limits.h"

/* --- serial numbers ---------------------------------------------------- */

int
status_serial_compare(const struct oc_serial *a, const struct oc_serial *b)
{
	if (a->len != b->len)
		return a->len < b->len ? -1 : 1;
	return memcmp(a->bytes, b->bytes, a->len);
}

/* A zero goes in front where it would be negative. */
bool
status_serial_read(const char *text, size_t len, struct oc_serial *serial)
{
	uint8_t bytes[OC_SERIAL_MAX + 1] = { 0 };
	size_t num, i;
	bool is_padded;

	while (len > 0 && *text == '0') {
		text++;
		len--;
	}
	if (len == 0 || len > OC_HEX_LEN(OC_SERIAL_MAX))
		return false;
	num = (len + 1) / 2;
	for (i = 0; i < len; i++) {
		int value = oc_hex_value((unsigned char)text[len - 1 - i]);

		if (value < 0)
			return false;
		bytes[num - i / 2] |= (uint8_t)(value << (i % 2 * 4));
	}
	is_padded = (bytes[1] & 0x80) != 0;
	return oc_serial_from_bytes(bytes + !is_padded, num + is_padded,
	    serial) == OC_OK;
}

/* --- making one -------------------------------------------------------- */

void
status_list_init(struct status_list *list)
{
	atomic_init(&list->num_holders, 1);
}

enum oc_err
status_list_new(struct status_list **out)
{
	struct status_list *list = calloc(1, sizeof(*list));

	if (list == NULL)
		return OC_ERR_NOMEM;
	status_list_init(list);
	*out = list;
	return OC_OK;
}

void
status_list_hold(struct status_list *list)
{
	atomic_fetch_add(&list->num_holders, 1);
}

void
status_list_release(struct status_list *list)
{
	if (list == NULL || atomic_fetch_sub(&list->num_holders, 1) > 1)
		return;
	free(list->entries);
	free(list->places);
	if (list->free != NULL)
		list->free(list);
	else
		free(list);
}

/* Room for one more; what is there is half as much again. */
static enum oc_err
make_room(struct status_list *list, void **items, size_t size)
{
	uint32_t more = list->room + list->room / 2 + 64;
	void *larger;

	if (list->num_entries == OC_RECORDS_MAX)
		return OC_ERR_LIMIT;
	if (list->num_entries < list->room)
		return OC_OK;
	larger = reallocarray(*items, more, size);
	if (larger == NULL)
		return OC_ERR_NOMEM;
	*items = larger;
	list->room = more;
	return OC_OK;
}

enum oc_err
status_list_add(struct status_list *list, const struct status_entry *entry)
{
	enum oc_err err = make_room(list, (void **)&list->entries,
	    sizeof(*list->entries));

	if (err == OC_OK)
		list->entries[list->num_entries++] = *entry;
	return err;
}

enum oc_err
status_list_add_place(struct status_list *list, uint32_t place)
{
	enum oc_err err = make_room(list, (void **)&list->places,
	    sizeof(*list->places));

	if (err == OC_OK)
		list->places[list->num_entries++] = place;
	return err;
}

static int
compare_entries(const void *a, const void *b)
{
	const struct status_entry *x = a, *y = b;
	bool is_x_final = status_entry_is_final(x);
	int order = status_serial_compare(&x->serial, &y->serial);

	if (order != 0)
		return order;
	if (is_x_final != status_entry_is_final(y))
		return is_x_final ? -1 : 1;
	return x->revoked_at < y->revoked_at ? -1 :
	    x->revoked_at > y->revoked_at;
}

/* What is compared first, without unpacking anything: a serial number's
 * length and first seven octets. */
struct keyed { uint64_t key; uint32_t place; };

static uint64_t
key_of(const struct oc_serial *serial)
{
	uint64_t key = serial->len;

	for (int i = 0; i < 7; i++)
		key = key << 8 | serial->bytes[i];
	return key;
}

static int
compare_keyed(const void *a, const void *b, void *arg)
{
	const struct status_list *list = arg;
	const struct keyed *x = a, *y = b;
	struct status_entry e, f;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	e = list->unpack(list, x->place);
	f = list->unpack(list, y->place);
	return compare_entries(&e, &f);
}

static enum oc_err
sort_places(struct status_list *list)
{
	struct keyed *keyed = reallocarray(NULL, list->num_entries,
	    sizeof(*keyed));

	if (keyed == NULL)
		return OC_ERR_NOMEM;
	for (uint32_t i = 0; i < list->num_entries; i++) {
		struct status_entry e = status_list_at(list, i);

		keyed[i] = (struct keyed){ key_of(&e.serial),
		    list->places[i] };
	}
	qsort_r(keyed, list->num_entries, sizeof(*keyed), compare_keyed,
	    list);
	for (uint32_t i = 0; i < list->num_entries; i++)
		list->places[i] = keyed[i].place;
	free(keyed);
	return OC_OK;
}

static bool
is_sorted(const struct status_list *list)
{
	struct status_entry last, next;

	if (list->num_entries == 0)
		return true;
	last = status_list_at(list, 0);
	for (uint32_t i = 1; i < list->num_entries; i++, last = next) {
		next = status_list_at(list, i);
		if (compare_entries(&last, &next) > 0)
			return false;
	}
	return true;
}

enum oc_err
status_list_sort(struct status_list *list)
{
	if (is_sorted(list))
		return OC_OK;
	if (list->unpack != NULL)
		return sort_places(list);
	qsort(list->entries, list->num_entries, sizeof(*list->entries),
	    compare_entries);
	return OC_OK;
}

bool
status_list_double(const struct status_list *list, struct oc_serial *serial)
{
	struct oc_serial last = { .len = 0 };

	for (uint32_t i = 0; i < list->num_entries; i++) {
		struct status_entry e = status_list_at(list, i);

		if (oc_serial_equal(&last, &e.serial)) {
			*serial = last;
			return true;
		}
		last = e.serial;
	}
	return false;
}

void
status_list_drop_doubles(struct status_list *list)
{
	struct oc_serial last = { .len = 0 };
	uint32_t num = 0;

	for (uint32_t i = 0; i < list->num_entries; i++) {
		struct status_entry e = status_list_at(list, i);

		if (oc_serial_equal(&last, &e.serial))
			continue;
		last = e.serial;
		if (list->unpack != NULL)
			list->places[num++] = list->places[i];
		else
			list->entries[num++] = e;
	}
	list->num_entries = num;
}

enum oc_err
status_list_overlay(struct status_list *list, const struct status_list *other)
{
	struct status_list both = { .places = NULL };
	struct status_entry x, y;
	uint32_t a = 0, b = 0;
	enum oc_err err = OC_OK;

	oc_assert(list->unpack != NULL && other->unpack != NULL);
	while (err == OC_OK && (a < list->num_entries ||
	    b < other->num_entries)) {
		bool is_of_other;
		int order;

		if (a < list->num_entries)
			x = status_list_at(list, a);
		if (b < other->num_entries)
			y = status_list_at(other, b);
		order = a == list->num_entries ? 1 :
		    b == other->num_entries ? -1 :
		    status_serial_compare(&x.serial, &y.serial);
		is_of_other = order >= 0;
		err = status_list_add_place(&both, is_of_other ?
		    other->places[b] | STATUS_LIST_OTHER : list->places[a]);
		both.num_revoked += is_of_other ? y.is_revoked : x.is_revoked;
		a += order <= 0;
		b += order >= 0;
	}
	if (err != OC_OK) {
		free(both.places);
		return err;
	}
	free(list->places);
	list->places = both.places;
	list->num_entries = both.num_entries;
	list->num_revoked = both.num_revoked;
	list->room = both.room;
	return OC_OK;
}

void
status_list_trim(struct status_list *list)
{
	bool has_places = list->unpack != NULL;
	void **items = has_places ? (void **)&list->places :
	    (void **)&list->entries, *smaller;

	if (list->num_entries == 0 || list->num_entries == list->room)
		return;
	smaller = reallocarray(*items, list->num_entries, has_places ?
	    sizeof(*list->places) : sizeof(*list->entries));
	if (smaller == NULL)
		return;
	*items = smaller;
	list->room = list->num_entries;
}

void
status_list_close(struct status_list *list)
{
	list->num_revoked = 0;
	for (uint32_t i = 0; i < list->num_entries; i++)
		list->num_revoked += status_list_at(list, i).is_revoked;
	status_list_trim(list);
}

/* --- asking it --------------------------------------------------------- */

bool
status_list_find(const struct status_list *list,
    const struct oc_serial *serial, struct status_entry *entry)
{
	uint32_t from = 0, to = list->num_entries;

	while (from < to) {
		uint32_t middle = from + (to - from) / 2;
		struct status_entry e = status_list_at(list, middle);
		int order = status_serial_compare(serial, &e.serial);

		if (order == 0) {
			*entry = e;
			return true;
		}
		if (order < 0)
			to = middle;
		else
			from = middle + 1;
	}
	return false;
}

bool
status_list_equal(const struct status_list *a, const struct status_list *b)
{
	if (a->num_entries != b->num_entries)
		return false;
	for (uint32_t i = 0; i < a->num_entries; i++) {
		struct status_entry x = status_list_at(a, i);
		struct status_entry y = status_list_at(b, i);

		if (!oc_serial_equal(&x.serial, &y.serial) ||
		    !status_entry_says_same(&x, &y))
			return false;
	}
	return true;
}

bool
status_entry_says_same(const struct status_entry *a,
    const struct status_entry *b)
{
	return a->is_revoked == b->is_revoked && a->reason == b->reason &&
	    a->revoked_at == b->revoked_at && a->not_after == b->not_after;
}

bool
status_entry_is_final(const struct status_entry *entry)
{
	return entry->is_revoked &&
	    entry->reason != CRL_REASON_CERTIFICATE_HOLD;
}

static void
count_final(const struct status_entry *was, const struct status_entry *is,
    int64_t now, struct status_lost *lost)
{
	uint32_t *num = &lost->num_dropped;

	lost->num_final++;
	if (is == NULL ? was->not_after <= now : status_entry_is_final(is))
		return;
	if (is != NULL && is->reason == CRL_REASON_REMOVE_FROM_CRL)
		num = &lost->num_removed;
	++*num;
	if (lost->first.len == 0)
		lost->first = was->serial;
}

static void
count_live(const struct status_entry *was, const struct status_entry *is,
    struct status_lost *lost)
{
	lost->num_live++;
	if (is != NULL && is->not_after == was->not_after)
		return;
	lost->num_missing++;
	if (lost->first_missing.len == 0)
		lost->first_missing = was->serial;
}

void
status_list_compare(const struct status_list *list,
    const struct status_list *before, int64_t now, struct status_lost *lost)
{
	struct status_entry is = { .not_after = 0 };
	uint32_t next = 0, num_read = 0;

	*lost = (struct status_lost){ .num_final = 0 };
	for (uint32_t i = 0; i < before->num_entries; i++) {
		struct status_entry was = status_list_at(before, i);
		bool is_there = false;

		for (; next < list->num_entries; next++) {
			int order;

			if (num_read == next)
				is = status_list_at(list, num_read++);
			order = status_serial_compare(&is.serial,
			    &was.serial);
			is_there = order == 0;
			if (order >= 0)
				break;
		}
		if (status_entry_is_final(&was))
			count_final(&was, is_there ? &is : NULL, now, lost);
		if (was.not_after > now)
			count_live(&was, is_there ? &is : NULL, lost);
	}
}

bool
status_lost_is_above(uint32_t num, uint32_t num_all, int64_t max_percent)
{
	return (uint64_t)num * 100 > (uint64_t)num_all * (uint64_t)max_percent;
}
