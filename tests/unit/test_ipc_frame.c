/* SPDX-License-Identifier: Apache-2.0 */
/* Frames: the exact octets, every truncation, every field's limit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ipc/frame.h"

static void
frame_has_the_octets_of_the_drawing(void **state)
{
	static const uint8_t expected[] = {
		0, 0, 0, 12 + 1 + 2 + 4 + 8 + 6 + 5,
		0x12, 0x34, 0x00, 0x01,
		1, 2, 3, 4, 5, 6, 7, 8,
		0xab,
		0xcd, 0xef,
		0xde, 0xad, 0xbe, 0xef,
		0x80, 0, 0, 0, 0, 0, 0, 0x01,
		0, 0, 0, 2, 'h', 'i',
		0, 0, 0, 1, 0xff,
	};
	static const uint8_t one[] = { 0xff };
	struct ipc_writer w;
	uint8_t out[128];
	size_t len;

	(void)state;
	ipc_begin(&w, out, sizeof(out), 0x1234, IPC_FLAG_FD,
	    UINT64_C(0x0102030405060708));
	ipc_put_u8(&w, 0xab);
	ipc_put_u16(&w, 0xcdef);
	ipc_put_u32(&w, 0xdeadbeef);
	ipc_put_u64(&w, UINT64_C(0x8000000000000001));
	ipc_put_text(&w, "hi");
	ipc_put_bytes(&w, DER_ARRAY(one));
	assert_int_equal(ipc_end(&w, &len), OC_OK);
	assert_int_equal(len, sizeof(expected));
	assert_memory_equal(out, expected, len);
}

static size_t
write_sample(uint8_t *out, size_t out_max)
{
	struct ipc_writer w;
	size_t len;

	ipc_begin(&w, out, out_max, 3, 0, 77);
	ipc_put_u32(&w, 5);
	ipc_put_text(&w, "five");
	assert_int_equal(ipc_end(&w, &len), OC_OK);
	return len;
}

static void
reader_gives_back_what_was_written(void **state)
{
	struct ipc_header header;
	struct der_bytes fields;
	struct ipc_reader r;
	uint8_t out[64];
	char text[5];
	size_t len, used;

	(void)state;
	len = write_sample(out, sizeof(out));
	assert_int_equal(ipc_frame_parse(out, len, &header, &fields, &used),
	    1);
	assert_int_equal(used, len);
	assert_int_equal(header.type, 3);
	assert_int_equal(header.flags, 0);
	assert_int_equal(header.id, 77);
	assert_int_equal(header.len, fields.len);
	r = ipc_reader_of(fields);
	assert_int_equal(ipc_get_u32(&r), 5);
	assert_false(ipc_is_done(&r));
	ipc_get_text(&r, text, sizeof(text));
	assert_string_equal(text, "five");
	assert_true(ipc_is_done(&r));
	assert_int_equal(ipc_get_u8(&r), 0);
	assert_false(ipc_is_done(&r));
}

static void
every_truncation_is_not_yet_a_frame(void **state)
{
	struct ipc_header header;
	struct der_bytes fields;
	uint8_t out[64], *copy;
	size_t len, used;

	(void)state;
	len = write_sample(out, sizeof(out));
	for (size_t n = 0; n < len; n++) {
		copy = malloc(n > 0 ? n : 1);	/* exactly as long: for ASan */
		memcpy(copy, out, n);
		assert_int_equal(ipc_frame_parse(copy, n, &header, &fields,
		    &used), 0);
		free(copy);
	}
}

static void
next_frame_is_left_alone(void **state)
{
	struct ipc_header header;
	struct der_bytes fields;
	uint8_t out[128];
	size_t len, used;

	(void)state;
	len = write_sample(out, sizeof(out));
	memset(out + len, 0xff, sizeof(out) - len);
	assert_int_equal(ipc_frame_parse(out, sizeof(out), &header, &fields,
	    &used), 1);
	assert_int_equal(used, len);
}

static int
parse_header(uint32_t counted, uint16_t flags, size_t len)
{
	uint8_t p[IPC_HEADER_LEN] = { (uint8_t)(counted >> 24),
	    (uint8_t)(counted >> 16), (uint8_t)(counted >> 8),
	    (uint8_t)counted, 0, 1, (uint8_t)(flags >> 8), (uint8_t)flags };
	struct ipc_header header;
	struct der_bytes fields;
	size_t used;

	return ipc_frame_parse(p, len, &header, &fields, &used);
}

static void
what_can_never_be_a_frame_is_told_at_once(void **state)
{
	(void)state;
	assert_int_equal(parse_header(0, 0, 4), -1);
	assert_int_equal(parse_header(11, 0, 4), -1);
	assert_int_equal(parse_header(12, 0, 4), 0);
	assert_int_equal(parse_header(12, 0, 16), 1);
	assert_int_equal(parse_header(OC_FRAME_MAX, 0, 16), 0);
	assert_int_equal(parse_header(OC_FRAME_MAX + 1, 0, 4), -1);
	assert_int_equal(parse_header(UINT32_MAX, 0, 4), -1);
	assert_int_equal(parse_header(100, IPC_FLAG_FD, 16), 0);
	assert_int_equal(parse_header(100, 2, 8), -1);
	assert_int_equal(parse_header(100, 0x8001, 16), -1);
	assert_int_equal(parse_header(100, 2, 7), 0);
}

static void
writer_that_overflows_says_so_once_and_for_all(void **state)
{
	struct ipc_writer w;
	uint8_t out[64];
	size_t len = 99, whole;

	(void)state;
	whole = write_sample(out, sizeof(out));
	for (size_t max = 0; max < whole; max++) {
		uint8_t *small = malloc(max > 0 ? max : 1);

		ipc_begin(&w, small, max, 3, 0, 77);
		ipc_put_u32(&w, 5);
		ipc_put_text(&w, "five");
		ipc_put_u8(&w, 0);	/* would fit: the failure sticks */
		assert_int_equal(ipc_end(&w, &len), OC_ERR_NO_SPACE);
		assert_int_equal(len, 99);
		free(small);
	}
}

static void
frame_over_the_limit_is_not_written(void **state)
{
	size_t out_max = OC_FRAME_MAX + 100, len;
	uint8_t *out = calloc(1, out_max), *fill = calloc(1, out_max);
	struct ipc_writer w;

	(void)state;
	ipc_begin(&w, out, out_max, 1, 0, 0);
	ipc_put_bytes(&w, (struct der_bytes){ fill, OC_FRAME_MAX - 16 });
	assert_int_equal(ipc_end(&w, &len), OC_OK);
	assert_int_equal(len, OC_FRAME_MAX + 4);
	ipc_begin(&w, out, out_max, 1, 0, 0);
	ipc_put_bytes(&w, (struct der_bytes){ fill, OC_FRAME_MAX - 15 });
	assert_int_equal(ipc_end(&w, &len), OC_ERR_NO_SPACE);
	ipc_begin(&w, out, out_max, 1, 0, 0);
	ipc_put_bytes(&w, (struct der_bytes){ fill, SIZE_MAX });
	assert_int_equal(ipc_end(&w, &len), OC_ERR_NO_SPACE);
	free(out);
	free(fill);
}

static struct ipc_reader
reader_of(const char *octets, size_t len)
{
	return ipc_reader_of((struct der_bytes){ (const uint8_t *)octets,
	    len });
}

static void
reader_fails_on_what_is_not_there(void **state)
{
	struct ipc_reader r;

	(void)state;
	r = reader_of("\1\2\3", 3);
	assert_int_equal(ipc_get_u32(&r), 0);
	assert_int_equal(ipc_get_u8(&r), 0);	/* sticky */
	assert_false(ipc_is_done(&r));
	r = reader_of("\1\2\3\4\5\6\7", 7);
	assert_int_equal(ipc_get_u64(&r), 0);
	r = reader_of("\1", 1);
	assert_int_equal(ipc_get_u16(&r), 0);
	r = reader_of("\0\0\0\2x", 5);
	assert_int_equal(ipc_get_bytes(&r).len, 0);
	assert_false(ipc_is_done(&r));
	r = reader_of("\xff\xff\xff\xffx", 5);
	assert_int_equal(ipc_get_bytes(&r).len, 0);
	assert_false(ipc_is_done(&r));
	r = ipc_reader_of((struct der_bytes){ NULL, 0 });
	assert_true(ipc_is_done(&r));
	assert_int_equal(ipc_get_u8(&r), 0);
	assert_false(ipc_is_done(&r));
}

static void
text_has_no_nul_and_fits(void **state)
{
	struct ipc_reader r;
	char text[4] = "???";

	(void)state;
	r = reader_of("\0\0\0\3abc", 7);
	ipc_get_text(&r, text, sizeof(text));
	assert_string_equal(text, "abc");
	assert_true(ipc_is_done(&r));
	r = reader_of("\0\0\0\4abcd", 8);
	ipc_get_text(&r, text, sizeof(text));
	assert_string_equal(text, "");
	assert_false(ipc_is_done(&r));
	r = reader_of("\0\0\0\3a\0c", 7);
	ipc_get_text(&r, text, sizeof(text));
	assert_string_equal(text, "");
	assert_false(ipc_is_done(&r));
	r = reader_of("\0\0\0\0", 4);
	ipc_get_text(&r, text, sizeof(text));
	assert_string_equal(text, "");
	assert_true(ipc_is_done(&r));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(frame_has_the_octets_of_the_drawing),
		cmocka_unit_test(reader_gives_back_what_was_written),
		cmocka_unit_test(every_truncation_is_not_yet_a_frame),
		cmocka_unit_test(next_frame_is_left_alone),
		cmocka_unit_test(what_can_never_be_a_frame_is_told_at_once),
		cmocka_unit_test(
		    writer_that_overflows_says_so_once_and_for_all),
		cmocka_unit_test(frame_over_the_limit_is_not_written),
		cmocka_unit_test(reader_fails_on_what_is_not_there),
		cmocka_unit_test(text_has_no_nul_and_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
