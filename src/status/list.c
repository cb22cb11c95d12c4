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
	if (list->free != NULL)
		list->free(list);
	else
		free(list);
}

enum oc_err
status_list_add(struct status_list *list, const struct status_entry *entry)
{
	uint32_t more = list->room + list->room / 2 + 64;
	struct status_entry *entries;

	if (list->num_entries == OC_RECORDS_MAX)
		return OC_ERR_LIMIT;
	if (list->num_entries == list->room) {
		entries = reallocarray(list->entries, more, sizeof(*entries));
		if (entries == NULL)
			return OC_ERR_NOMEM;
		list->entries = entries;
		list->room = more;
	}
	list->entries[list->num_entries++] = *entry;
	return OC_OK;
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

static bool
is_sorted(const struct status_list *list)
{
	for (uint32_t i = 1; i < list->num_entries; i++)
		if (compare_entries(&list->entries[i - 1],
		    &list->entries[i]) > 0)
			return false;
	return true;
}

void
status_list_sort(struct status_list *list)
{
	if (!is_sorted(list))
		qsort(list->entries, list->num_entries,
		    sizeof(*list->entries), compare_entries);
}

const struct status_entry *
status_list_double(const struct status_list *list)
{
	for (uint32_t i = 1; i < list->num_entries; i++)
		if (oc_serial_equal(&list->entries[i - 1].serial,
		    &list->entries[i].serial))
			return &list->entries[i];
	return NULL;
}

void
status_list_drop_doubles(struct status_list *list)
{
	uint32_t num = 0;

	for (uint32_t i = 0; i < list->num_entries; i++)
		if (num == 0 || !oc_serial_equal(&list->entries[num - 1].serial,
		    &list->entries[i].serial))
			list->entries[num++] = list->entries[i];
	list->num_entries = num;
}

enum oc_err
status_list_overlay(struct status_list *list, const struct status_list *other)
{
	struct status_list both = { .entries = NULL };
	uint32_t a = 0, b = 0;
	enum oc_err err = OC_OK;

	while (err == OC_OK && (a < list->num_entries ||
	    b < other->num_entries)) {
		int order = a == list->num_entries ? 1 :
		    b == other->num_entries ? -1 :
		    status_serial_compare(&list->entries[a].serial,
		    &other->entries[b].serial);

		err = status_list_add(&both, order < 0 ? &list->entries[a] :
		    &other->entries[b]);
		a += order <= 0;
		b += order >= 0;
	}
	if (err != OC_OK) {
		free(both.entries);
		return err;
	}
	free(list->entries);
	list->entries = both.entries;
	list->num_entries = both.num_entries;
	list->room = both.room;
	status_list_close(list);
	return OC_OK;
}

void
status_list_close(struct status_list *list)
{
	struct status_entry *entries;

	list->num_revoked = 0;
	for (uint32_t i = 0; i < list->num_entries; i++)
		list->num_revoked += list->entries[i].is_revoked;
	if (list->num_entries == 0 || list->num_entries == list->room)
		return;
	entries = reallocarray(list->entries, list->num_entries,
	    sizeof(*entries));
	if (entries == NULL)
		return;
	list->entries = entries;
	list->room = list->num_entries;
}

/* --- asking it --------------------------------------------------------- */

const struct status_entry *
status_list_find(const struct status_list *list,
    const struct oc_serial *serial)
{
	uint32_t from = 0, to = list->num_entries;

	while (from < to) {
		uint32_t middle = from + (to - from) / 2;
		int order = status_serial_compare(serial,
		    &list->entries[middle].serial);

		if (order == 0)
			return &list->entries[middle];
		if (order < 0)
			to = middle;
		else
			from = middle + 1;
	}
	return NULL;
}

bool
status_list_equal(const struct status_list *a, const struct status_list *b)
{
	if (a->num_entries != b->num_entries)
		return false;
	for (uint32_t i = 0; i < a->num_entries; i++) {
		const struct status_entry *x = &a->entries[i];
		const struct status_entry *y = &b->entries[i];

		if (!oc_serial_equal(&x->serial, &y->serial) ||
		    x->is_revoked != y->is_revoked ||
		    x->reason != y->reason ||
		    x->revoked_at != y->revoked_at ||
		    x->not_after != y->not_after)
			return false;
	}
	return true;
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
	uint32_t next = 0;

	*lost = (struct status_lost){ .num_final = 0 };
	for (uint32_t i = 0; i < before->num_entries; i++) {
		const struct status_entry *was = &before->entries[i];
		const struct status_entry *is = NULL;

		while (next < list->num_entries && status_serial_compare(
		    &list->entries[next].serial, &was->serial) < 0)
			next++;
		if (next < list->num_entries && oc_serial_equal(
		    &list->entries[next].serial, &was->serial))
			is = &list->entries[next];
		if (status_entry_is_final(was))
			count_final(was, is, now, lost);
		if (was->not_after > now)
			count_live(was, is, lost);
	}
}

bool
status_lost_is_above(uint32_t num, uint32_t num_all, int64_t max_percent)
{
	return (uint64_t)num * 100 > (uint64_t)num_all * (uint64_t)max_percent;
}
