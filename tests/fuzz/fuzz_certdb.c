/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows of CFSSL's certdb, as a database of whatever sort has them: fields with
 * 0x1f between them, rows with 0x1e; an empty field is null.  Whatever is taken
 * is a certificate's, and stands once, in order; whatever is not has a reason.
 */
#include <stdlib.h>
#include <string.h>

#include "der/time.h"
#include "status/certdb.h"
#include "tests/fuzz/fuzz.h"

#define NUM_FIELDS 7

static struct x509_cert cert;
static const struct status_certdb_issuer issuer = { &cert,
    (char *)(uintptr_t)"0a1b" };

/* NULL: null.  Ends it where the next begins. */
static const char *
take_field(char **rest)
{
	char *field = *rest, *end;

	if (field == NULL)
		return NULL;
	end = strchr(field, 0x1f);
	if (end != NULL)
		*end++ = '\0';
	*rest = end;
	return field[0] == '\0' ? NULL : field;
}

static enum oc_err
put_row(struct status_certdb *db, char *text)
{
	const char *fields[NUM_FIELDS];
	struct oc_error error = { 0 };
	struct status_certdb_row row;
	uint64_t num_others = db->num_others;
	uint32_t num = db->list->num_entries;
	enum oc_err err;

	for (int i = 0; i < NUM_FIELDS; i++)
		fields[i] = take_field(&text);
	row = (struct status_certdb_row){ fields[0], fields[1], fields[2],
	    fields[3], fields[4], fields[5], fields[6] };
	err = status_certdb_put(db, &row, &error);
	fuzz_check((err == OC_OK) == (error.text[0] == '\0'));
	fuzz_check(err != OC_ERR_INTERNAL);
	num += err == OC_OK && db->num_others == num_others;
	fuzz_check(db->list->num_entries == num);
	return err;
}

static void
check(const struct status_list *list)
{
	for (uint32_t i = 0; i < list->num_entries; i++) {
		const struct status_entry *e = &list->entries[i];
		struct status_entry found;

		fuzz_check(status_list_find(list, &e->serial, &found) &&
		    status_entry_says_same(e, &found));
		fuzz_check(i == 0 || status_serial_compare(&e[-1].serial,
		    &e->serial) < 0);
		fuzz_check(e->not_after >= DER_TIME_MIN &&
		    e->not_after <= DER_TIME_MAX);
		fuzz_check(!e->is_revoked || (e->revoked_at >= DER_TIME_MIN &&
		    e->revoked_at <= DER_TIME_MAX));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct status_certdb db = { .issuer = &issuer };
	struct oc_error error = { 0 };
	char *text = malloc(size + 1), *next;
	enum oc_err err = OC_OK;

	fuzz_check(text != NULL && status_list_new(&db.list) == OC_OK);
	memcpy(text, data, size);
	text[size] = '\0';
	for (char *row = text; err == OC_OK && row != NULL; row = next) {
		next = strchr(row, 0x1e);
		if (next != NULL)
			*next++ = '\0';
		err = put_row(&db, row);
	}
	if (err == OC_OK) {
		err = status_certdb_finish(&db, &error);
		fuzz_check((err == OC_OK) == (error.text[0] == '\0'));
	}
	if (err == OC_OK)
		check(db.list);
	status_list_release(db.list);
	free(text);
	return 0;
}
