/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Can any octets crash the DER reader, and is what it takes what the writer
 * would have written?  The input is walked; each getter is tried on its first
 * value; what is valid is rebuilt with the writer, octet for octet.
 */
#include <string.h>

#include "der/oid.h"
#include "der/reader.h"
#include "der/time.h"
#include "der/writer.h"
#include "tests/fuzz/fuzz.h"

struct value {
	enum { UINT, ENUM, BOOLEAN, NAMED_BITS, BITS, OID, SERIAL, GENTIME,
	    TIME } kind;
	uint64_t number;
	int64_t at;
	struct der_bytes bytes;
	struct oc_serial serial;
};

static void
put_value(struct der_writer *w, const void *arg)
{
	const struct value *v = arg;

	switch (v->kind) {
	case UINT:
		der_put_uint(w, v->number);
		break;
	case ENUM:
		der_put_enum(w, (unsigned int)v->number);
		break;
	case BOOLEAN:
		der_put_boolean(w, v->number != 0);
		break;
	case NAMED_BITS:
		der_put_named_bits(w, (uint32_t)v->number);
		break;
	case BITS:
		der_put_bits(w, v->bytes);
		break;
	case OID:
		der_put_oid_bytes(w, v->bytes);
		break;
	case SERIAL:
		der_put_serial(w, &v->serial);
		break;
	case GENTIME:
		der_put_gentime(w, v->at);
		break;
	case TIME:
		der_put_time(w, v->at);
		break;
	}
}

/* The value that was read, written again, is what was read. */
static void
check_again(const struct value *v, struct der_bytes input,
    const struct der_reader *behind)
{
	size_t len, read_len = (size_t)(behind->p - input.p);
	uint8_t *out = malloc(read_len);

	fuzz_check(out != NULL && !behind->has_failed);
	fuzz_check(der_write(put_value, v, out, read_len, &len) == OC_OK);
	fuzz_check(len == read_len && memcmp(out, input.p, len) == 0);
	free(out);
}

static void
try_numbers(struct der_bytes input)
{
	struct value v = { .kind = UINT };
	struct der_reader r = der_reader_of(input);
	unsigned int enumerated;
	uint32_t named;
	bool flag;

	if (der_get_uint(&r, &v.number))
		check_again(&v, input, &r);
	r = der_reader_of(input);
	if (der_get_enum(&r, &enumerated)) {
		v.kind = ENUM;
		v.number = enumerated;
		check_again(&v, input, &r);
	}
	r = der_reader_of(input);
	if (der_get_boolean(&r, &flag)) {
		v.kind = BOOLEAN;
		v.number = flag;
		check_again(&v, input, &r);
	}
	r = der_reader_of(input);
	if (der_get_named_bits(&r, &named)) {
		v.kind = NAMED_BITS;
		v.number = named;
		check_again(&v, input, &r);
	}
}

static void
try_octets(struct der_bytes input)
{
	struct value v = { .kind = BITS };
	struct der_reader r = der_reader_of(input);
	char text[DER_OID_TEXT_MAX];
	uint8_t oid[DER_OID_TEXT_MAX];
	size_t len;

	if (der_get_bits(&r, &v.bytes))
		check_again(&v, input, &r);
	r = der_reader_of(input);
	if (der_get_serial(&r, &v.serial)) {
		v.kind = SERIAL;
		check_again(&v, input, &r);
	}
	r = der_reader_of(input);
	if (!der_get_oid(&r, &v.bytes))
		return;
	v.kind = OID;
	check_again(&v, input, &r);
	der_oid_format(v.bytes, text);
	if (strstr(text, "...") != NULL)
		return;
	fuzz_check(der_oid_parse(text, oid, sizeof(oid), &len) == OC_OK);
	fuzz_check(der_bytes_equal((struct der_bytes){ oid, len }, v.bytes));
}

static void
try_times(struct der_bytes input)
{
	struct value v = { .kind = GENTIME };
	struct der_reader r = der_reader_of(input);

	if (der_get_gentime(&r, &v.at))
		check_again(&v, input, &r);
	r = der_reader_of(input);
	if (der_get_time(&r, &v.at)) {
		v.kind = TIME;
		check_again(&v, input, &r);
	}
}

/* Written from what a walk finds: the same tree by begin and end. */
static void
put_values(struct der_writer *w, struct der_reader *r)
{
	struct der_bytes contents;
	struct der_reader inner;
	uint8_t tag;

	while (!der_at_end(r)) {
		fuzz_check(der_get_any(r, &tag, &contents, NULL));
		if ((tag & 0x20) == 0) {
			der_put_primitive(w, tag, contents);
			continue;
		}
		der_begin(w, tag);
		inner = der_reader_of(contents);
		put_values(w, &inner);
		der_end(w);
	}
}

static void
put_input(struct der_writer *w, const void *arg)
{
	struct der_reader r = der_reader_of(*(const struct der_bytes *)arg);

	put_values(w, &r);
}

static void
rebuild(struct der_bytes input)
{
	uint8_t *out = malloc(input.len);
	enum oc_err err;
	size_t len;

	fuzz_check(out != NULL);
	err = der_write(put_input, &input, out, input.len, &len);
	/* The writer has a limit where the reader has none. */
	if (err != OC_ERR_LIMIT) {
		fuzz_check(err == OC_OK && len == input.len);
		fuzz_check(memcmp(out, input.p, len) == 0);
	}
	free(out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct der_bytes input = { data, size };
	struct der_reader r = der_reader_of(input);

	try_numbers(input);
	try_octets(input);
	try_times(input);
	(void)der_get_null(&r);
	if (size > 0 && der_is_valid(input))
		rebuild(input);
	return 0;
}
