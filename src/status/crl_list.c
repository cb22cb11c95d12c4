/* SPDX-License-Identifier: Apache-2.0 */
#include "status/crl_list.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "der/time.h"
#include "status/issued.h"

bool
status_crl_entry_is_final(const struct status_crl_entry *entry)
{
	return entry->reason != CRL_REASON_CERTIFICATE_HOLD &&
	    entry->reason != CRL_REASON_REMOVE_FROM_CRL;
}

/* Of two about one certificate, the one that cannot be taken back; else the
 * earlier. */
static int
compare_entries(const void *a, const void *b)
{
	const struct status_crl_entry *x = a, *y = b;
	bool is_x_final = status_crl_entry_is_final(x);
	int order = status_serial_compare(&x->serial, &y->serial);

	if (order != 0)
		return order;
	if (is_x_final != status_crl_entry_is_final(y))
		return is_x_final ? -1 : 1;
	return x->revoked_at < y->revoked_at ? -1 :
	    x->revoked_at > y->revoked_at;
}

static enum oc_err
grow(struct status_crl_list *list, size_t *room)
{
	size_t more = *room * 2 + 64;
	struct status_crl_entry *entries = reallocarray(list->entries, more,
	    sizeof(*entries));

	if (entries == NULL)
		return OC_ERR_NOMEM;
	list->entries = entries;
	*room = more;
	return OC_OK;
}

static void
drop_doubles(struct status_crl_list *list)
{
	uint32_t num = 0;

	for (uint32_t i = 0; i < list->num_entries; i++)
		if (num == 0 || !oc_serial_equal(&list->entries[num - 1].serial,
		    &list->entries[i].serial))
			list->entries[num++] = list->entries[i];
	list->num_entries = num;
}

struct filling {
	struct status_crl_list *list;
	size_t room;
	bool is_ascending;		/* so far, and each there once */
	struct oc_error *error;
};

/* OC_TBS_MAX has room for fewer entries than a uint32_t. */
static enum oc_err
add_entry(void *arg, const struct x509_crl_entry *entry)
{
	struct filling *f = arg;
	struct status_crl_list *list = f->list;
	uint32_t n = list->num_entries;

	if (n == f->room && grow(list, &f->room) != OC_OK)
		return oc_error_set(f->error, OC_ERR_NOMEM, "CRL: %s",
		    oc_strerror(OC_ERR_NOMEM));
	if (n > 0 && status_serial_compare(&list->entries[n - 1].serial,
	    &entry->serial) >= 0)
		f->is_ascending = false;
	list->entries[n] = (struct status_crl_entry){ entry->serial,
	    (uint8_t)entry->reason, entry->revoked_at };
	list->num_entries++;
	return OC_OK;
}

/* As our own lists are, and many others'; else they are put in order. */
static enum oc_err
read_list(struct status_crl_list *list, struct der_bytes der,
    struct oc_error *error)
{
	struct filling f = { list, 0, true, error };
	enum oc_err err = x509_crl_read_each(der, &list->crl, add_entry, &f,
	    error);

	if (err != OC_OK || f.is_ascending)
		return err;
	qsort(list->entries, list->num_entries, sizeof(*list->entries),
	    compare_entries);
	drop_doubles(list);
	return OC_OK;
}

static enum oc_err
check_whole(const struct x509_crl *crl, struct oc_error *error)
{
	const char *part = x509_crl_partial(crl);

	if (part == NULL)
		return OC_OK;
	return oc_error_set(error, OC_ERR_UNSUPPORTED, "CRL: it may be one of "
	    "several (issuingDistributionPoint: %s), and unlisted = good "
	    "needs one that has them all", part);
}

enum oc_err
status_crl_list_new(uint8_t **der, size_t der_len,
    const struct x509_cert *issuer, enum status_crl_scope scope,
    struct status_crl_list **out, struct oc_error *error)
{
	struct status_crl_list *list = calloc(1, sizeof(*list));
	enum oc_err err;

	if (list == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	err = read_list(list, (struct der_bytes){ *der, der_len }, error);
	if (err == OC_OK)
		err = x509_crl_verify(&list->crl, issuer, error);
	if (err == OC_OK && scope == STATUS_CRL_WHOLE)
		err = check_whole(&list->crl, error);
	atomic_init(&list->num_holders, 1);
	if (err != OC_OK) {
		status_crl_list_release(list);
		return err;
	}
	list->der = *der;
	list->der_len = der_len;
	*der = NULL;
	*out = list;
	return OC_OK;
}

void
status_crl_list_hold(struct status_crl_list *list)
{
	atomic_fetch_add(&list->num_holders, 1);
}

void
status_crl_list_release(struct status_crl_list *list)
{
	if (list == NULL || atomic_fetch_sub(&list->num_holders, 1) > 1)
		return;
	free(list->entries);
	free(list->der);
	free(list);
}

const struct status_crl_entry *
status_crl_list_find(const struct status_crl_list *list,
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

void
status_crl_number_format(const struct status_crl_list *list,
    char text[STATUS_CRL_NUMBER_TEXT_MAX])
{
	struct der_bytes number = list->crl.number;
	uint64_t value = 0;

	for (size_t i = 0; i < number.len && number.len <= sizeof(value); i++)
		value = value << 8 | number.p[i];
	if (number.len == 0)
		strcpy(text, "none");
	else if (number.len <= sizeof(value))
		(void)snprintf(text, STATUS_CRL_NUMBER_TEXT_MAX, "%" PRIu64,
		    value);
	else {
		strcpy(text, "0x");
		oc_hex_encode(number.p, number.len, text + 2);
	}
}

/* Minimal and not negative. */
static int
compare_numbers(struct der_bytes a, struct der_bytes b)
{
	if (a.len != b.len)
		return a.len < b.len ? -1 : 1;
	return a.len == 0 ? 0 : memcmp(a.p, b.p, a.len);
}

static enum oc_err
check_older(const struct status_crl_list *list,
    const struct status_crl_list *before, struct oc_error *error)
{
	int order = compare_numbers(list->crl.number, before->crl.number);
	char its[STATUS_CRL_NUMBER_TEXT_MAX], last[STATUS_CRL_NUMBER_TEXT_MAX];
	char from[DER_ISO8601_MAX], until[DER_ISO8601_MAX];

	status_crl_number_format(list, its);
	status_crl_number_format(before, last);
	der_format_iso8601(list->crl.this_update, from);
	der_format_iso8601(before->crl.this_update, until);
	if (order < 0)
		return oc_error_set(error, OC_ERR_REFUSED, "CRL: it is older "
		    "than the last good one: its number is %s, that one's %s",
		    its, last);
	if (list->crl.this_update < before->crl.this_update)
		return oc_error_set(error, OC_ERR_REFUSED, "CRL: it is older "
		    "than the last good one: its thisUpdate is %s, that one's "
		    "%s", from, until);
	if (order == 0 && (list->crl.number.len != 0 ||
	    list->crl.this_update == before->crl.this_update) &&
	    !der_bytes_equal(list->crl.der, before->crl.der))
		return oc_error_set(error, OC_ERR_REFUSED, "CRL: it has the "
		    "last good one's number (%s) and date, and says something "
		    "else", its);
	return OC_OK;
}

/* Both are in the order of their serials. */
static void
find_lost(const struct status_crl_list *list,
    const struct status_crl_list *before, struct status_crl_lost *lost)
{
	uint32_t next = 0;

	*lost = (struct status_crl_lost){ .num_final = 0 };
	for (uint32_t i = 0; i < before->num_entries; i++) {
		const struct status_crl_entry *was = &before->entries[i], *is;
		uint32_t *num = &lost->num_dropped;

		if (!status_crl_entry_is_final(was))
			continue;
		lost->num_final++;
		while (next < list->num_entries && status_serial_compare(
		    &list->entries[next].serial, &was->serial) < 0)
			next++;
		is = next < list->num_entries ? &list->entries[next] : NULL;
		if (is != NULL && oc_serial_equal(&is->serial, &was->serial)) {
			if (status_crl_entry_is_final(is))
				continue;
			if (is->reason == CRL_REASON_REMOVE_FROM_CRL)
				num = &lost->num_removed;
		}
		++*num;
		if (lost->first.len == 0)
			lost->first = was->serial;
	}
}

enum oc_err
status_crl_list_succeeds(const struct status_crl_list *list,
    const struct status_crl_list *before, int64_t dropped_max_percent,
    struct status_crl_lost *lost, struct oc_error *error)
{
	char first[OC_SERIAL_TEXT_MAX];
	enum oc_err err = check_older(list, before, error);

	find_lost(list, before, lost);
	if (err != OC_OK || (uint64_t)lost->num_dropped * 100 <=
	    (uint64_t)lost->num_final * (uint64_t)dropped_max_percent)
		return err;
	oc_serial_format(&lost->first, first);
	return oc_error_set(error, OC_ERR_REFUSED, "CRL: of %u that were "
	    "revoked for good %u are no longer on it, %s for one, and "
	    "crl-dropped is %d per cent", lost->num_final, lost->num_dropped,
	    first, (int)dropped_max_percent);
}
