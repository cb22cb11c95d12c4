/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Can any records crash what reads CAA, and does it allow only what says
 * so?  The input is records one behind the other, each with its length in an
 * octet in front.
 */
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "validation/caa.h"

#define RECORDS_MAX 16

static const char *const identities[] = { "ca.example.net" };

static bool
is_clean(const char *text)
{
	for (; *text != '\0'; text++)
		if (*text < 0x20 || *text > 0x7e)
			return false;
	return true;
}

/* Some record has it, in any case. */
static bool
names_us(const struct validation_record *records, size_t num)
{
	size_t len = strlen(identities[0]);

	for (size_t i = 0; i < num; i++)
		for (size_t at = 0; at + len <= records[i].len; at++) {
			size_t k = 0;

			while (k < len && (records[i].octets[at + k] |
			    0x20) == (identities[0][k] | 0x20))
				k++;
			if (k == len)
				return true;
		}
	return false;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct validation_record records[RECORDS_MAX] = { { NULL, 0 } };
	struct validation_caa_wish wish = { identities, 1, false, "http-01",
		"https://ca.example.net/1" };
	char seen[VALIDATION_SEEN_MAX];
	size_t num = 0, at = 0;
	bool name, wildcard, nobody;

	while (at < size && num < RECORDS_MAX) {
		size_t len = data[at++];

		if (len > size - at)
			len = size - at;
		records[num++] = (struct validation_record){ data + at, len };
		at += len;
	}
	name = validation_caa_allows(records, num, &wish, seen);
	fuzz_check(num == 0 || (is_clean(seen) && seen[0] != '\0'));
	wish.is_wildcard = true;
	wildcard = validation_caa_allows(records, num, &wish, seen);
	/* Of a set that restricts, only who is named may issue; and whoever
	 * may when nobody is asked for, may then, too. */
	wish.num_identities = 0;
	nobody = validation_caa_allows(records, num, &wish, seen);
	fuzz_check(!nobody || wildcard);
	fuzz_check(!wildcard || nobody || names_us(records, num));
	wish.is_wildcard = false;
	nobody = validation_caa_allows(records, num, &wish, seen);
	fuzz_check(!nobody || name);
	fuzz_check(!name || nobody || names_us(records, num));
	/* Less is known: no more is allowed. */
	wish.num_identities = 1;
	wish.method = wish.account_uri = NULL;
	fuzz_check(!validation_caa_allows(records, num, &wish, seen) || name);
	return 0;
}
