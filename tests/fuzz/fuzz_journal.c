/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Can any octets crash the reader of the signing journal, and is what it takes
 * for a record written again as it was?
 */
#include <string.h>

#include "pkcs11/journal_read.h"
#include "tests/fuzz/fuzz.h"

/* Read, written, and read once more, it is the same. */
static void
check_again(const char *line, size_t len)
{
	static const uint8_t nothing[P11_HASH_LEN];
	struct p11_record r, again;
	char out[P11_RECORD_MAX];
	size_t out_len;

	if (p11_record_read(line, len, &r) != OC_OK)
		return;
	p11_record_write(&r, nothing, out, &out_len);
	fuzz_check(p11_record_read(out, out_len - 1, &again) == OC_OK);
	fuzz_check(p11_record_is_chained(out, out_len - 1, nothing, &again));
	fuzz_check(again.number == r.number && again.at_us == r.at_us &&
	    again.type == r.type);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct p11_scan scan = { .bytes = (const char *)data, .len = size };
	const char *p = (const char *)data, *all = p + size, *end;
	struct p11_record r;

	while (p11_scan_next(&scan, &r))
		fuzz_check(scan.at <= size && r.number == scan.number);
	fuzz_check(scan.at == size || scan.why != NULL);
	(void)p11_scan_is_torn(&scan);
	for (; p < all && (end = memchr(p, '\n', (size_t)(all - p))) != NULL;
	    p = end + 1)
		check_again(p, (size_t)(end - p));
	return 0;
}
