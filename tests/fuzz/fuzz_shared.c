/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Can a row of the database that hosts share crash who reads it?  And is what
 * is taken written again octet for octet, and nothing written when it is
 * refused?
 *
 * An input: how long the name is, the name, change_seq and nextUpdate in four
 * octets each, the body.
 */
#include <string.h>

#include "status/shared.h"
#include "tests/fuzz/fuzz.h"

static int64_t
take_number(const uint8_t **at, size_t *left)
{
	int64_t number = 0;

	for (int i = 0; i < 4 && *left > 0; i++, (*left)--)
		number = number << 8 | *(*at)++;
	return number;
}

static void
take_row(const uint8_t *at, size_t left, struct store_shared *row)
{
	size_t len;

	memset(row, 0, sizeof(*row));
	if (left == 0)
		return;
	len = *at++;
	left--;
	if (len > left)
		len = left;
	if (len > sizeof(row->name))
		len = sizeof(row->name);
	memcpy(row->name, at, len);
	row->name_len = (uint8_t)len;
	at += len;
	left -= len;
	row->change_seq = take_number(&at, &left);
	row->next_update = take_number(&at, &left);
	if (left > sizeof(row->body))
		left = sizeof(row->body);
	if (left > 0)
		memcpy(row->body, at, left);
	row->body_len = (uint16_t)left;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct ocsp_identity identity = { .signature_len = 64 };
	struct ocsp_slot slot, before;
	struct store_shared row, again;
	enum oc_err err;

	take_row(data, size, &row);
	memset(&slot, 0xa5, sizeof(slot));
	before = slot;
	err = status_shared_read(&identity, &row, &slot);
	if (err != OC_OK) {
		fuzz_check(err == OC_ERR_MALFORMED);
		fuzz_check(memcmp(&slot, &before, sizeof(slot)) == 0);
		return 0;
	}
	memset(&again, 0, sizeof(again));
	fuzz_check(status_shared_write(&slot, row.change_seq, &again) ==
	    OC_OK);
	fuzz_check(memcmp(&again, &row, sizeof(row)) == 0);
	return 0;
}
