/* SPDX-License-Identifier: Apache-2.0 */
/* What is too much for memory of one's own: octets as they were put, wherever
 * the buffer ends; limits; and a mapping that only its owner changes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/spool.h"

#define LEN (3 * OC_SPOOL_BUFFER_LEN + 1234)

static uint8_t
octet(size_t i)
{
	return (uint8_t)(i * 7 + i / 251);
}

static void
assert_octets(const struct oc_spool *s, size_t from, size_t len)
{
	struct oc_mapping m;

	assert_int_equal(oc_spool_map(s, 0, &m), OC_OK);
	assert_int_equal(m.len, from + len);
	for (size_t i = 0; i < from; i++)
		assert_int_equal(m.bytes[i], 0);
	for (size_t i = 0; i < len; i++)
		if (m.bytes[from + i] != octet(i))
			fail_msg("octet %zu", i);
	oc_mapping_fini(&m);
	oc_mapping_fini(&m);
}

/* In pieces of every kind. */
static void
test_pieces(void **state)
{
	static const size_t pieces[] = { 1, 7, 4096, OC_SPOOL_BUFFER_LEN - 1,
	    OC_SPOOL_BUFFER_LEN, OC_SPOOL_BUFFER_LEN + 1, LEN };
	uint8_t *bytes = malloc(LEN);

	(void)state;
	for (size_t i = 0; i < LEN; i++)
		bytes[i] = octet(i);
	for (size_t p = 0; p < sizeof(pieces) / sizeof(pieces[0]); p++) {
		struct oc_spool s;

		assert_int_equal(oc_spool_open(&s, "test", LEN + 5000),
		    OC_OK);
		oc_spool_skip(&s, 5000);
		for (size_t at = 0; at < LEN;) {
			size_t n = pieces[p] < LEN - at ? pieces[p] :
			    LEN - at;

			if (n <= OC_SPOOL_CLAIM_MAX) {
				memcpy(oc_spool_claim(&s, n), bytes + at, n);
				oc_spool_keep(&s, n);
			} else
				oc_spool_put(&s, bytes + at, n);
			at += n;
		}
		assert_int_equal(s.len, LEN + 5000);
		assert_int_equal(oc_spool_seal(&s), OC_OK);
		assert_octets(&s, 5000, LEN);
		oc_spool_close(&s);
		oc_spool_close(&s);
	}
	free(bytes);
}

/* What was left out, and what is there, is written later. */
static void
test_write_at(void **state)
{
	uint8_t bytes[100];
	struct oc_spool s;

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = octet(i);
	assert_int_equal(oc_spool_open(&s, "test", 100), OC_OK);
	oc_spool_skip(&s, 30);
	oc_spool_put(&s, "x", 1);
	oc_spool_put(&s, bytes + 31, 50);
	oc_spool_write_at(&s, 0, bytes, 31);
	oc_spool_put(&s, bytes + 81, 19);
	assert_int_equal(oc_spool_seal(&s), OC_OK);
	assert_octets(&s, 0, 100);
	oc_spool_close(&s);
}

static void
test_limit(void **state)
{
	uint8_t bytes[100] = { 0 };
	struct oc_mapping m;
	struct oc_spool s;

	(void)state;
	assert_int_equal(oc_spool_open(&s, "test", 99), OC_OK);
	oc_spool_put(&s, bytes, 99);
	assert_int_equal(s.err, OC_OK);
	oc_spool_put(&s, bytes, 1);
	assert_int_equal(s.err, OC_ERR_LIMIT);
	assert_null(oc_spool_claim(&s, 1));
	assert_int_equal(oc_spool_seal(&s), OC_ERR_LIMIT);
	assert_int_equal(oc_spool_map(&s, 0, &m), OC_ERR_LIMIT);
	oc_spool_close(&s);

	/* Claimed: found out when it is written out, and no later. */
	assert_int_equal(oc_spool_open(&s, "test", 99), OC_OK);
	assert_non_null(oc_spool_claim(&s, 100));
	oc_spool_keep(&s, 100);
	assert_int_equal(oc_spool_seal(&s), OC_ERR_LIMIT);
	oc_spool_close(&s);
	assert_int_equal(oc_spool_open(&s, "test", 5000), OC_OK);
	for (size_t n = 0; oc_spool_claim(&s, 4096) != NULL; n++) {
		assert_true(n < OC_SPOOL_BUFFER_LEN / 4096);
		oc_spool_keep(&s, 4096);
	}
	assert_int_equal(s.err, OC_ERR_LIMIT);
	oc_spool_close(&s);
}

/* Room behind it, wherever in a page it ends, and changes of one's own. */
static void
test_room(void **state)
{
	(void)state;
	for (size_t len = 4096 - 40; len < 4096 + 40; len++) {
		struct oc_mapping m, other;
		struct oc_spool s;

		assert_int_equal(oc_spool_open(&s, "test", len), OC_OK);
		for (size_t i = 0; i < len; i++)
			oc_spool_put(&s, &(uint8_t){ octet(i) }, 1);
		assert_int_equal(oc_spool_seal(&s), OC_OK);
		assert_int_equal(oc_spool_map(&s, 700, &m), OC_OK);
		assert_int_equal(oc_spool_map(&s, 700, &other), OC_OK);
		oc_spool_close(&s);
		memset(m.bytes + len, 0xaa, 700);
		m.bytes[0] ^= 1;
		for (size_t i = 0; i < len; i++)
			assert_int_equal(other.bytes[i], octet(i));
		for (size_t i = 0; i < 700; i++)
			assert_int_equal(other.bytes[len + i], 0);
		oc_mapping_fini(&m);
		oc_mapping_fini(&other);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_write_at),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
