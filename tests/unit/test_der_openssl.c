/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Do reader and writer agree with OpenSSL: the same verdict over the same
 * octets, the same octets for the same values?
 */
#include "der_test.h"

#include <openssl/asn1.h>
#include <openssl/asn1t.h>
#include <openssl/bn.h>
#include <openssl/objects.h>

#include "der/reader.h"
#include "der/time.h"
#include "der/writer.h"

/* One put, so that a table may hold it; 1 KiB is enough for all of them. */
struct written {
	uint8_t out[1024];
	size_t len;
	enum oc_err err;
};

static struct written
write_one(der_put_fn *put, const void *arg)
{
	struct written w = { .len = 4242 };
	size_t measured = 0;

	w.err = der_write(put, arg, w.out, sizeof(w.out), &w.len);
	if (w.err != OC_OK) {
		assert_int_equal(w.len, 4242);
		return w;
	}
	assert_true(der_is_valid((struct der_bytes){ w.out, w.len }));
	assert_int_equal(der_write(put, arg, NULL, 0, &measured), OC_OK);
	assert_int_equal(measured, w.len);
	return w;
}

static void
put_uint(struct der_writer *w, const void *arg)
{
	der_put_uint(w, *(const uint64_t *)arg);
}

static void
put_magnitude(struct der_writer *w, const void *arg)
{
	der_put_magnitude(w, *(const struct der_bytes *)arg);
}

static void
put_named_bits(struct der_writer *w, const void *arg)
{
	der_put_named_bits(w, *(const uint32_t *)arg);
}

static void
put_printable(struct der_writer *w, const void *arg)
{
	der_put_printable(w, *(const struct der_bytes *)arg);
}

static void
put_time(struct der_writer *w, const void *arg)
{
	der_put_time(w, *(const int64_t *)arg);
}

/* OpenSSL's INTEGER is strict too: the same verdict, the same number. */
static void
test_integers_as_openssl(void **state)
{
	uint64_t seed = 83222026, value;
	const unsigned char *p;
	ASN1_INTEGER *theirs;
	struct der_bytes contents;
	struct der_reader r;
	unsigned int i, num_valid = 0;
	uint8_t tlv[2 + 12];
	size_t len;

	(void)state;
	for (i = 0; i < 50000; i++) {
		len = test_random(&seed) % 11;
		test_random_fill(&seed, tlv + 2, len);
		/* Often enough what padding looks like. */
		if (len > 0 && (i & 3) < 2)
			tlv[2] = (i & 1) ? 0x00 : 0xff;
		tlv[0] = 0x02;
		tlv[1] = (uint8_t)len;
		p = tlv;
		theirs = d2i_ASN1_INTEGER(NULL, &p, (long)(2 + len));
		r = der_reader_of((struct der_bytes){ tlv, 2 + len });
		assert_int_equal(der_get_integer(&r, &contents),
		    theirs != NULL);
		if (theirs == NULL)
			continue;
		num_valid++;
		r = der_reader_of((struct der_bytes){ tlv, 2 + len });
		if (ASN1_INTEGER_get_uint64(&value, theirs) == 1) {
			uint64_t ours;

			assert_true(der_get_uint(&r, &ours));
			assert_true(ours == value);
		} else {
			assert_false(der_get_uint(&r, &value));
		}
		ASN1_INTEGER_free(theirs);
	}
	assert_true(num_valid > 10000);
}

/* What ours takes as named bits, theirs reads as the same bits, and back. */
static void
test_named_bits_as_openssl(void **state)
{
	uint64_t seed = 112220269;
	unsigned int i, bit, num_valid = 0;
	const unsigned char *p;
	unsigned char *again;
	ASN1_BIT_STRING *theirs;
	struct der_reader r;
	uint8_t tlv[2 + 6];
	uint32_t value;
	size_t len;

	(void)state;
	for (i = 0; i < 50000; i++) {
		len = 1 + test_random(&seed) % 5;
		test_random_fill(&seed, tlv + 2, len);
		tlv[0] = 0x03;
		tlv[1] = (uint8_t)len;
		tlv[2] &= 0x07;
		tlv[1 + len] &= (uint8_t)(0xff << tlv[2]);
		r = der_reader_of((struct der_bytes){ tlv, 2 + len });
		if (!der_get_named_bits(&r, &value))
			continue;
		num_valid++;
		p = tlv;
		theirs = d2i_ASN1_BIT_STRING(NULL, &p, (long)(2 + len));
		assert_non_null(theirs);
		for (bit = 0; bit < 40; bit++)
			assert_int_equal(ASN1_BIT_STRING_get_bit(theirs,
			    (int)bit), bit < 32 && (value >> bit & 1));
		/* Its encoder counts the unused bits itself, after this. */
		theirs->flags &= ~(ASN1_STRING_FLAG_BITS_LEFT | 0x07);
		again = NULL;
		assert_int_equal(i2d_ASN1_BIT_STRING(theirs, &again), 2 + len);
		assert_memory_equal(again, tlv, 2 + len);
		OPENSSL_free(again);
		ASN1_BIT_STRING_free(theirs);
	}
	assert_true(num_valid > 10000);
}

/* X.680 41.4: OpenSSL's idea of which octets are printable is ours. */
static void
test_printable_as_openssl(void **state)
{
	uint8_t octet;
	unsigned int i;
	struct der_bytes text = { &octet, 1 };

	(void)state;
	for (i = 0; i < 256; i++) {
		octet = (uint8_t)i;
		assert_int_equal(write_one(put_printable, &text).err == OC_OK,
		    i != 0 && ASN1_PRINTABLE_type(&octet, 1) ==
		    V_ASN1_PRINTABLESTRING);
	}
}

/* X.690 8.1.3, 10.1: at every border of the length's length, nested. */
static void
put_wrapped(struct der_writer *w, const void *arg)
{
	der_begin(w, DER_SEQUENCE);
	der_begin(w, DER_CONTEXT(0));
	der_put_octets(w, *(const struct der_bytes *)arg);
	der_end(w);
	der_end(w);
}

static void
test_length_borders(void **state)
{
	static const size_t lens[] = { 0, 1, 119, 120, 121, 122, 123, 124, 125,
	    126, 127, 128, 129, 245, 246, 247, 248, 249, 250, 251, 252, 253,
	    254, 255, 256, 257, 65520, 65527, 65531, 65535, 65536, 65537,
	    16777210, 16777215, 16777216 };
	const size_t max = 16777216 + 64;
	uint8_t *contents = malloc(max), *out = malloc(max), *p;
	uint8_t theirs[32];
	struct der_bytes bytes;
	unsigned int i;
	size_t len, header_len;
	int inner;

	(void)state;
	assert_non_null(contents);
	assert_non_null(out);
	memset(contents, 0x5a, max);
	for (i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		bytes = (struct der_bytes){ contents, lens[i] };
		assert_int_equal(der_write(put_wrapped, &bytes, out, max,
		    &len), OC_OK);
		inner = ASN1_object_size(0, (int)lens[i], V_ASN1_OCTET_STRING);
		/* OpenSSL's headers, from the outside in. */
		p = theirs;
		ASN1_put_object(&p, 1, ASN1_object_size(1, inner, 0),
		    V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL);
		ASN1_put_object(&p, 1, inner, 0, V_ASN1_CONTEXT_SPECIFIC);
		ASN1_put_object(&p, 0, (int)lens[i], V_ASN1_OCTET_STRING,
		    V_ASN1_UNIVERSAL);
		header_len = (size_t)(p - theirs);
		assert_int_equal(header_len + lens[i], len);
		assert_memory_equal(out, theirs, header_len);
		assert_memory_equal(out + header_len, contents, lens[i]);
	}
	free(contents);
	free(out);
}

static void
check_openssl(struct written w, const ASN1_VALUE *value,
    const ASN1_ITEM *item)
{
	unsigned char *theirs = NULL;

	assert_int_equal(w.err, OC_OK);
	assert_int_equal(ASN1_item_i2d(value, &theirs, item), w.len);
	assert_memory_equal(w.out, theirs, w.len);
	OPENSSL_free(theirs);
}

static void
test_values_as_openssl(void **state)
{
	uint64_t seed = 69609654, value;
	unsigned int i, bit;
	uint8_t octets[40];

	(void)state;
	for (i = 0; i < 5000; i++) {
		ASN1_INTEGER *integer = ASN1_INTEGER_new();
		ASN1_BIT_STRING *bits = ASN1_BIT_STRING_new();
		struct der_bytes magnitude = { octets,
		    test_random(&seed) % sizeof(octets) };
		BIGNUM *number;
		ASN1_TIME *time;
		uint32_t named;
		int64_t at;

		value = test_random(&seed) >> (test_random(&seed) & 63);
		assert_int_equal(ASN1_INTEGER_set_uint64(integer, value), 1);
		check_openssl(write_one(put_uint, &value),
		    (const ASN1_VALUE *)integer, ASN1_INTEGER_it());

		test_random_fill(&seed, octets, sizeof(octets));
		if (i & 1)
			octets[0] = 0;
		number = BN_bin2bn(octets, (int)magnitude.len, NULL);
		assert_non_null(number);
		assert_non_null(BN_to_ASN1_INTEGER(number, integer));
		check_openssl(write_one(put_magnitude, &magnitude),
		    (const ASN1_VALUE *)integer, ASN1_INTEGER_it());

		named = (uint32_t)(test_random(&seed) >>
		    (32 + (test_random(&seed) & 31)));
		for (bit = 0; bit < 32; bit++)
			assert_int_equal(ASN1_BIT_STRING_set_bit(bits,
			    (int)bit, named >> bit & 1), 1);
		check_openssl(write_one(put_named_bits, &named),
		    (const ASN1_VALUE *)bits, ASN1_BIT_STRING_it());

		at = DER_UTCTIME_FIRST + (int64_t)(test_random(&seed) %
		    (uint64_t)(DER_TIME_MAX - DER_UTCTIME_FIRST));
		if (i & 1)
			at %= 2 * DER_UTCTIME_LAST;
		time = ASN1_TIME_set(NULL, (time_t)at);
		assert_non_null(time);
		check_openssl(write_one(put_time, &at),
		    (const ASN1_VALUE *)time, ASN1_TIME_it());

		ASN1_TIME_free(time);
		BN_free(number);
		ASN1_INTEGER_free(integer);
		ASN1_BIT_STRING_free(bits);
	}
}

static void
put_oid(struct der_writer *w, const void *arg)
{
	der_put_oid(w, *(const enum der_oid *)arg);
}

static void
test_oids_as_openssl(void **state)
{
	char text[DER_OID_TEXT_MAX];
	ASN1_OBJECT *object;
	unsigned int i;

	(void)state;
	for (i = 1; i < DER_OID_MAX; i++) {
		enum der_oid oid = (enum der_oid)i;

		der_oid_format(der_oid_bytes(oid), text);
		object = OBJ_txt2obj(text, 1);
		assert_non_null(object);
		check_openssl(write_one(put_oid, &oid),
		    (const ASN1_VALUE *)object, ASN1_OBJECT_it());
		ASN1_OBJECT_free(object);
	}
}

/* A tree of random shape: the same seed grows the same tree again. */
struct tree {
	uint64_t seed;
	unsigned int num_left;		/* values that may still come */
};

static void
put_subtree(struct der_writer *w, struct tree *t, unsigned int depth)
{
	uint64_t n = test_random(&t->seed) % 6;
	uint8_t octets[200];
	size_t len;

	while (n-- > 0 && t->num_left > 0) {
		t->num_left--;
		if (depth < 10 && test_random(&t->seed) % 3 != 0) {
			der_begin(w, DER_SEQUENCE);
			put_subtree(w, t, depth + 1);
			der_end(w);
			continue;
		}
		len = test_random(&t->seed) % sizeof(octets);
		test_random_fill(&t->seed, octets, len);
		der_put_octets(w, (struct der_bytes){ octets, len });
	}
}

static void
put_tree(struct der_writer *w, const void *arg)
{
	struct tree t = *(const struct tree *)arg;

	der_begin(w, DER_SEQUENCE);
	put_subtree(w, &t, 1);
	der_end(w);
}

/* The same tree, as OpenSSL parsed it. */
static void
check_subtree(const ASN1_SEQUENCE_ANY *values, struct tree *t,
    unsigned int depth)
{
	uint64_t n = test_random(&t->seed) % 6;
	ASN1_SEQUENCE_ANY *inner;
	const ASN1_TYPE *value;
	const unsigned char *p;
	uint8_t octets[200];
	int i = 0;
	size_t len;

	for (; n-- > 0 && t->num_left > 0; i++) {
		t->num_left--;
		assert_true(i < sk_ASN1_TYPE_num(values));
		value = sk_ASN1_TYPE_value(values, i);
		if (depth < 10 && test_random(&t->seed) % 3 != 0) {
			assert_int_equal(value->type, V_ASN1_SEQUENCE);
			p = value->value.sequence->data;
			inner = d2i_ASN1_SEQUENCE_ANY(NULL, &p,
			    value->value.sequence->length);
			assert_non_null(inner);
			check_subtree(inner, t, depth + 1);
			sk_ASN1_TYPE_pop_free(inner, ASN1_TYPE_free);
			continue;
		}
		len = test_random(&t->seed) % sizeof(octets);
		test_random_fill(&t->seed, octets, len);
		assert_int_equal(value->type, V_ASN1_OCTET_STRING);
		assert_int_equal(value->value.octet_string->length, len);
		assert_memory_equal(value->value.octet_string->data, octets,
		    len);
	}
	assert_int_equal(sk_ASN1_TYPE_num(values), i);
}

static void
test_trees_as_openssl(void **state)
{
	static uint8_t out[65536];
	ASN1_SEQUENCE_ANY *parsed;
	const unsigned char *p;
	unsigned char *again;
	unsigned int i;
	size_t len, largest = 0;

	(void)state;
	for (i = 1; i <= 2000; i++) {
		struct tree t = { i * UINT64_C(0x9e3779b97f4a7c15), i % 150 };

		assert_int_equal(der_write(put_tree, &t, out, sizeof(out),
		    &len), OC_OK);
		assert_true(der_is_valid((struct der_bytes){ out, len }));
		largest = len > largest ? len : largest;
		p = out;
		parsed = d2i_ASN1_SEQUENCE_ANY(NULL, &p, (long)len);
		assert_non_null(parsed);
		assert_ptr_equal(p, out + len);
		check_subtree(parsed, &t, 1);
		again = NULL;
		assert_int_equal(i2d_ASN1_SEQUENCE_ANY(parsed, &again), len);
		assert_memory_equal(again, out, len);
		OPENSSL_free(again);
		sk_ASN1_TYPE_pop_free(parsed, ASN1_TYPE_free);
	}
	assert_true(largest > 4096);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_integers_as_openssl),
		cmocka_unit_test(test_named_bits_as_openssl),
		cmocka_unit_test(test_printable_as_openssl),
		cmocka_unit_test(test_length_borders),
		cmocka_unit_test(test_values_as_openssl),
		cmocka_unit_test(test_oids_as_openssl),
		cmocka_unit_test(test_trees_as_openssl),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
