/* SPDX-License-Identifier: Apache-2.0 */
/* Are new serial numbers of the promised form, and never the same? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ca/serial.h"

static void
test_form(void **state)
{
	static const struct {
		uint32_t epoch;
		uint8_t head[4];
	} rows[] = {
		{ 0, { 0x40, 0x00, 0x00, 0x00 } },
		{ 1, { 0x40, 0x00, 0x00, 0x01 } },
		{ 0x01020304, { 0x41, 0x02, 0x03, 0x04 } },
		{ 0x3fffffff, { 0x7f, 0xff, 0xff, 0xff } }
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct oc_serial serial, read;

		assert_int_equal(ca_serial_new(rows[i].epoch, &serial),
		    OC_OK);
		assert_int_equal(serial.len, 20);
		assert_memory_equal(serial.bytes, rows[i].head, 4);
		/* Positive, minimal, not too long: RFC5280:4.1.2.2 */
		assert_int_equal(oc_serial_from_bytes(serial.bytes,
		    serial.len, &read), OC_OK);
		assert_true(oc_serial_equal(&serial, &read));
	}
}

static void
test_epoch_too_large(void **state)
{
	struct oc_serial serial, before;

	(void)state;
	memset(&serial, 0xa5, sizeof(serial));
	before = serial;
	assert_int_equal(ca_serial_new(UINT32_C(1) << 30, &serial),
	    OC_ERR_LIMIT);
	assert_int_equal(ca_serial_new(UINT32_MAX, &serial), OC_ERR_LIMIT);
	assert_memory_equal(&serial, &before, sizeof(serial));
}

static int
compare(const void *a, const void *b)
{
	return memcmp(a, b, OC_SERIAL_MAX);
}

/* Every random bit is seen both set and clear, and no serial twice. */
static void
test_random(void **state)
{
	enum { NUM = 20000 };
	static uint8_t made[NUM][OC_SERIAL_MAX];
	uint8_t all_or[16] = { 0 }, all_and[16];

	(void)state;
	memset(all_and, 0xff, sizeof(all_and));
	for (int i = 0; i < NUM; i++) {
		struct oc_serial serial;

		assert_int_equal(ca_serial_new(7, &serial), OC_OK);
		memcpy(made[i], serial.bytes, OC_SERIAL_MAX);
		for (int k = 0; k < 16; k++) {
			all_or[k] |= serial.bytes[4 + k];
			all_and[k] &= serial.bytes[4 + k];
		}
	}
	for (int k = 0; k < 16; k++) {
		assert_int_equal(all_or[k], 0xff);
		assert_int_equal(all_and[k], 0);
	}
	qsort(made, NUM, OC_SERIAL_MAX, compare);
	for (int i = 1; i < NUM; i++)
		assert_int_not_equal(compare(made[i - 1], made[i]), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_form),
		cmocka_unit_test(test_epoch_too_large),
		cmocka_unit_test(test_random)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
