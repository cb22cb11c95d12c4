/* SPDX-License-Identifier: Apache-2.0 */
#include "status/crl_list.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "der/time.h"

/* What is on it with removeFromCRL is not revoked. */
static struct status_entry
entry_of(const struct x509_crl_entry *e)
{
	bool is_revoked = e->reason != CRL_REASON_REMOVE_FROM_CRL;

	return (struct status_entry){
		.serial = e->serial,
		.is_revoked = is_revoked,
		.reason = (uint8_t)e->reason,
		.revoked_at = e->revoked_at,
		.not_after = DER_TIME_MAX,
	};
}

/* The octets stay, and say it again. */
static struct status_entry
unpack(const struct status_list *list, uint32_t place)
{
	const struct status_crl_list *crl =
	    (const struct status_crl_list *)list;
	struct x509_crl_entry e = { .reason = CRL_REASON_UNSPECIFIED };
	struct der_bytes rest;

	if ((place & STATUS_LIST_OTHER) != 0)
		crl = crl->delta;
	place &= ~STATUS_LIST_OTHER;
	rest = crl->crl.entries;
	oc_assert(place < rest.len);
	rest.p += place;
	rest.len -= place;
	oc_assert(x509_crl_next_entry(&rest, &e) == OC_OK);
	return entry_of(&e);
}

/* While it is read; most are in order, and none of them needs to be looked at
 * again then. */
struct reading {
	struct status_list *list;
	struct oc_serial last;		/* len 0: none */
	bool is_out_of_order;		/* or there twice */
	uint32_t num_revoked;
};

static enum oc_err
add_entry(void *arg, const struct x509_crl_entry *entry, uint32_t place)
{
	struct reading *r = arg;

	r->is_out_of_order |= status_serial_compare(&r->last,
	    &entry->serial) >= 0;
	r->last = entry->serial;
	r->num_revoked += entry->reason != CRL_REASON_REMOVE_FROM_CRL;
	return status_list_add_place(r->list, place);
}

static enum oc_err
put_in_order(const struct reading *r)
{
	struct status_list *list = r->list;

	if (r->is_out_of_order) {
		if (status_list_sort(list) != OC_OK)
			return OC_ERR_NOMEM;
		status_list_drop_doubles(list);
		status_list_close(list);
	} else {
		list->num_revoked = r->num_revoked;
		status_list_trim(list);
	}
	return OC_OK;
}

static enum oc_err
read_list(struct status_crl_list *list, struct der_bytes der,
    struct oc_error *error)
{
	struct reading reading = { .list = &list->list };
	enum oc_err err;

	list->list.unpack = unpack;
	err = x509_crl_read_each(der, &list->crl, add_entry, &reading, error);
	if (err == OC_OK)
		err = put_in_order(&reading);
	if (err != OC_OK)
		return error != NULL && error->code == err ? err :
		    oc_error_set(error, err, "CRL: %s", oc_strerror(err));
	list->list.this_update = list->crl.this_update;
	list->list.next_update = list->crl.next_update;
	list->number = list->crl.number;
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

static void
free_list(struct status_list *list)
{
	struct status_crl_list *crl = (struct status_crl_list *)list;

	status_crl_list_release(crl->delta);
	oc_mapping_fini(&crl->mapping);
	free(crl->octets);
	free(list);
}

/* der is not owned yet. */
static enum oc_err
make_list(struct der_bytes der, const struct x509_cert *issuer,
    enum status_crl_scope scope, struct status_crl_list **out,
    struct oc_error *error)
{
	struct status_crl_list *list = calloc(1, sizeof(*list));
	enum oc_err err;

	if (list == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	status_list_init(&list->list);
	list->list.free = free_list;
	err = read_list(list, der, error);
	if (err == OC_OK)
		err = scope == STATUS_CRL_DELTA ? x509_delta_crl_verify(
		    &list->crl, issuer, error) : x509_crl_verify(&list->crl,
		    issuer, error);
	if (err == OC_OK && scope == STATUS_CRL_WHOLE)
		err = check_whole(&list->crl, error);
	if (err != OC_OK) {
		status_crl_list_release(list);
		return err;
	}
	*out = list;
	return OC_OK;
}

enum oc_err
status_crl_list_new(uint8_t **der, size_t der_len,
    const struct x509_cert *issuer, enum status_crl_scope scope,
    struct status_crl_list **list, struct oc_error *error)
{
	enum oc_err err = make_list((struct der_bytes){ *der, der_len },
	    issuer, scope, list, error);

	if (err != OC_OK)
		return err;
	(*list)->octets = *der;
	*der = NULL;
	return OC_OK;
}

enum oc_err
status_crl_list_new_mapped(struct oc_mapping *der,
    const struct x509_cert *issuer, enum status_crl_scope scope,
    struct status_crl_list **list, struct oc_error *error)
{
	enum oc_err err = make_list((struct der_bytes){ der->bytes,
	    der->len }, issuer, scope, list, error);

	if (err != OC_OK)
		return err;
	(*list)->mapping = *der;
	*der = (struct oc_mapping){ .bytes = NULL };
	return OC_OK;
}

void
status_crl_list_release(struct status_crl_list *list)
{
	status_list_release(list == NULL ? NULL : &list->list);
}

void
status_crl_number_format(const struct status_crl_list *list,
    char text[STATUS_CRL_NUMBER_TEXT_MAX])
{
	struct der_bytes number = list->number;
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

enum oc_err
status_crl_list_combine(struct status_crl_list *list,
    struct status_crl_list **delta, struct oc_error *error)
{
	struct status_crl_list *d = *delta;
	enum oc_err err = x509_delta_crl_check(&d->crl, &list->crl, error);

	if (err == OC_ERR_EXISTS) {
		status_crl_list_release(d);
		*delta = NULL;
		return OC_OK;
	}
	if (err == OC_OK && (err = status_list_overlay(&list->list,
	    &d->list)) != OC_OK)
		err = oc_error_set(error, err, "CRL: %s", oc_strerror(err));
	if (err != OC_OK)
		return err;
	list->delta = d;
	list->number = d->number;
	if (d->list.this_update > list->list.this_update)
		list->list.this_update = d->list.this_update;
	/* One without an end is refused later, by name. */
	if (d->list.next_update < list->list.next_update)
		list->list.next_update = d->list.next_update;
	*delta = NULL;
	return OC_OK;
}

static enum oc_err
check_dates(const struct x509_crl *crl, int64_t now, struct oc_error *error)
{
	const char *what = crl->is_delta ? "delta CRL" : "CRL";
	char text[DER_ISO8601_MAX];

	der_format_iso8601(crl->this_update, text);
	if (crl->this_update > now + STATUS_SKEW_S)
		return oc_error_set(error, OC_ERR_REFUSED, "%s: it is from "
		    "the future (thisUpdate %s)", what, text);
	if (crl->next_update == 0)
		return oc_error_set(error, OC_ERR_REFUSED, "%s: it has no "
		    "nextUpdate, which there must be (RFC 5280, 5.1.2.5)",
		    what);
	der_format_iso8601(crl->next_update, text);
	if (crl->next_update <= crl->this_update)
		return oc_error_set(error, OC_ERR_REFUSED, "%s: it ends "
		    "before it begins (nextUpdate %s)", what, text);
	if (crl->next_update <= now)
		return oc_error_set(error, OC_ERR_REFUSED, "%s: it has "
		    "expired (nextUpdate %s)", what, text);
	return OC_OK;
}

enum oc_err
status_crl_list_check_dates(const struct status_crl_list *list, int64_t now,
    struct oc_error *error)
{
	enum oc_err err = check_dates(&list->crl, now, error);

	return err == OC_OK && list->delta != NULL ? check_dates(
	    &list->delta->crl, now, error) : err;
}

/* With another delta too. */
static bool
is_same(const struct status_crl_list *a, const struct status_crl_list *b)
{
	/* What is whole again says as much as with a delta before. */
	if (a->delta == NULL && b->delta == NULL)
		return der_bytes_equal(a->crl.der, b->crl.der);
	return status_list_equal(&a->list, &b->list);
}

enum oc_err
status_crl_list_check_older(const struct status_crl_list *list,
    const struct status_crl_list *before, struct oc_error *error)
{
	int order = x509_crl_number_compare(list->number, before->number);
	char its[STATUS_CRL_NUMBER_TEXT_MAX], last[STATUS_CRL_NUMBER_TEXT_MAX];
	char from[DER_ISO8601_MAX], until[DER_ISO8601_MAX];

	status_crl_number_format(list, its);
	status_crl_number_format(before, last);
	der_format_iso8601(list->list.this_update, from);
	der_format_iso8601(before->list.this_update, until);
	if (order < 0)
		return oc_error_set(error, OC_ERR_REFUSED, "CRL: it is older "
		    "than the last good one: its number is %s, that one's %s",
		    its, last);
	if (list->list.this_update < before->list.this_update)
		return oc_error_set(error, OC_ERR_REFUSED, "CRL: it is older "
		    "than the last good one: its thisUpdate is %s, that one's "
		    "%s", from, until);
	if (order == 0 && (list->number.len != 0 ||
	    list->list.this_update == before->list.this_update) &&
	    !is_same(list, before))
		return oc_error_set(error, OC_ERR_REFUSED, "CRL: it has the "
		    "last good one's number (%s) and date, and says something "
		    "else", its);
	return OC_OK;
}

enum oc_err
status_crl_list_succeeds(const struct status_crl_list *list,
    const struct status_crl_list *before, int64_t dropped_max_percent,
    struct status_lost *lost, struct oc_error *error)
{
	char first[OC_SERIAL_TEXT_MAX];
	enum oc_err err = status_crl_list_check_older(list, before, error);

	/* When they expire it does not say. */
	status_list_compare(&list->list, &before->list, 0, lost);
	if (err != OC_OK || !status_lost_is_above(lost->num_dropped,
	    lost->num_final, dropped_max_percent))
		return err;
	oc_serial_format(&lost->first, first);
	return oc_error_set(error, OC_ERR_REFUSED, "CRL: of %u that were "
	    "revoked for good %u are no longer on it, %s for one, and "
	    "crl-dropped is %d per cent", lost->num_final, lost->num_dropped,
	    first, (int)dropped_max_percent);
}
