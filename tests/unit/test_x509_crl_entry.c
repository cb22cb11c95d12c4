/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Entries are told by their octets where they are the usual ones: with any
 * octet changed, and cut anywhere, that says what the reader says that knows
 * no usual ones, and OpenSSL reads what we read.  RFC5280:5.1.2.6
 */
#include "x509_test.h"

#include <stdlib.h>
#include <string.h>

#include "x509/crl_stream.h"

#define NOON INT64_C(1767268800)	/* 2026-01-01, 12:00:00 */
#define LAST_UTCTIME INT64_C(2524607999)
#define NUM_MAX 64

/* A list in memory of its own length, to be changed. */
struct list {
	uint8_t *der;
	size_t len;
	struct der_bytes entries;	/* in it */
};

static struct x509_crl_entry
entry_of(uint64_t *seed, size_t n)
{
	struct x509_crl_entry e = { .serial = { .len = 0 } };

	e.serial.len = (uint8_t)(1 + n % OC_SERIAL_MAX);
	for (uint8_t i = 0; i < e.serial.len; i++)
		e.serial.bytes[i] = (uint8_t)(test_random(seed) >> 56);
	e.serial.bytes[0] = n % 3 == 0 && e.serial.len > 1 ? 0 :
	    (uint8_t)(1 + test_random_below(seed, 127));
	if (e.serial.bytes[0] == 0)
		e.serial.bytes[1] |= 0x80;
	e.revoked_at = n % 7 == 6 ? LAST_UTCTIME + (int64_t)(n % 2) :
	    NOON + (int64_t)(test_random(seed) % (400 * 86400));
	do
		e.reason = (enum crl_reason)test_random_below(seed, 11);
	while (crl_reason_name(e.reason) == NULL);
	if (n % 5 == 4)
		e.invalidity_at = NOON;
	return e;
}

static struct list
make_list(const struct x509_crl_entry *entries, size_t num)
{
	struct x509_crl_tbs tbs = {
		.alg = SIGN_ECDSA_SHA256,
		.issuer = test_name("CN=CA"),
		.this_update = NOON,
		.next_update = NOON + 86400,
		.authority_key_id = DER_LITERAL("0123"),
		.number = 1,
	};
	struct x509_crl_stream *stream;
	struct der_bytes whole;
	struct x509_crl crl;
	struct list list;

	assert_int_equal(x509_crl_stream_new(&stream), OC_OK);
	for (size_t i = 0; i < num; i++)
		assert_int_equal(x509_crl_stream_put(stream, &entries[i]),
		    OC_OK);
	assert_int_equal(x509_crl_stream_end(stream, &tbs), OC_OK);
	assert_int_equal(x509_crl_stream_sign(stream, tbs.alg,
	    DER_LITERAL("signature"), &whole), OC_OK);
	list.len = whole.len;
	list.der = malloc(list.len);
	assert_non_null(list.der);
	memcpy(list.der, whole.p, list.len);
	x509_crl_stream_free(stream);
	assert_int_equal(x509_crl_read((struct der_bytes){ list.der,
	    list.len }, &crl, NULL), OC_OK);
	list.entries = crl.entries;
	return list;
}

struct seen {
	struct x509_crl_entry entries[NUM_MAX];
	uint32_t places[NUM_MAX];
	size_t num;
};

static enum oc_err
see(void *arg, const struct x509_crl_entry *entry, uint32_t place)
{
	struct seen *seen = arg;

	assert_true(seen->num < NUM_MAX);
	seen->places[seen->num] = place;
	seen->entries[seen->num++] = *entry;
	return OC_OK;
}

/* One by one, with the reader that takes them all. */
static enum oc_err
walk(struct der_bytes rest, struct seen *seen)
{
	const uint8_t *begin = rest.p;
	enum oc_err err = OC_OK;

	seen->num = 0;
	while (err == OC_OK && rest.len > 0 && seen->num < NUM_MAX) {
		seen->places[seen->num] = (uint32_t)(rest.p - begin);
		err = x509_crl_next_entry(&rest, &seen->entries[seen->num]);
		if (err == OC_OK)
			seen->num++;
	}
	return err;
}

static void
assert_same(const struct seen *a, const struct seen *b)
{
	assert_int_equal(a->num, b->num);
	for (size_t i = 0; i < a->num; i++) {
		const struct x509_crl_entry *x = &a->entries[i],
		    *y = &b->entries[i];

		assert_int_equal(a->places[i], b->places[i]);
		assert_int_equal(x->serial.len, y->serial.len);
		/* What is behind it is zero: some compare all of it. */
		assert_memory_equal(x->serial.bytes, y->serial.bytes,
		    OC_SERIAL_MAX);
		assert_true(x->revoked_at == y->revoked_at);
		assert_int_equal(x->reason, y->reason);
		assert_true(x->invalidity_at == y->invalidity_at);
	}
}

/* What we take OpenSSL takes. */
static void
assert_openssl_reads(const struct list *list, size_t num)
{
	const uint8_t *p = list->der;
	X509_CRL *crl = d2i_X509_CRL(NULL, &p, (long)list->len);

	assert_non_null(crl);
	assert_int_equal(sk_X509_REVOKED_num(X509_CRL_get_REVOKED(crl)),
	    num);
	X509_CRL_free(crl);
}

static void
check(const struct list *list, size_t at)
{
	struct seen by_octets = { .num = 0 }, one_by_one;
	struct x509_crl crl;
	enum oc_err err = x509_crl_read_each((struct der_bytes){ list->der,
	    list->len }, &crl, see, &by_octets, NULL);
	enum oc_err wanted = walk(list->entries, &one_by_one);

	if (err != wanted)
		fail_msg("octet %zu: %s, one by one: %s", at,
		    oc_strerror(err), oc_strerror(wanted));
	assert_same(&by_octets, &one_by_one);
	if (err == OC_OK)
		assert_openssl_reads(list, by_octets.num);
}

static void
test_every_octet_changed(void **state)
{
	struct x509_crl_entry entries[NUM_MAX];
	uint64_t seed = 3;
	struct list list;

	(void)state;
	for (size_t i = 0; i < 20; i++)
		entries[i] = entry_of(&seed, i);
	list = make_list(entries, 20);
	check(&list, 0);
	for (size_t i = 0; i < list.entries.len; i++) {
		uint8_t *at = list.der + (list.entries.p - list.der) + i;
		uint8_t was = *at;

		for (int to = 0; to < 256; to += i % 16 == 0 ? 1 : 5) {
			*at = (uint8_t)to;
			check(&list, i);
		}
		for (int bit = 0; bit < 8; bit++) {
			*at = was ^ (uint8_t)(1 << bit);
			check(&list, i);
		}
		*at = was;
	}
	check(&list, 0);
	free(list.der);
}

/* Each time there is, and each there is not; days in any order. */
static void
test_times(void **state)
{
	struct x509_crl_entry entries[2] = { { .serial = { { 1 }, 1 },
	    .revoked_at = NOON }, { .serial = { { 2 }, 1 },
	    .revoked_at = NOON } };
	struct list list;
	uint8_t *time;

	(void)state;
	list = make_list(entries, 2);
	time = list.der + (list.entries.p - list.der) + 7;
	assert_memory_equal(time, "260101120000Z", 13);
	for (size_t pair = 0; pair < 12; pair += 2)
		for (int n = 0; n < 100; n++) {
			uint8_t was[2] = { time[pair], time[pair + 1] };

			time[pair] = (uint8_t)('0' + n / 10);
			time[pair + 1] = (uint8_t)('0' + n % 10);
			check(&list, pair);
			memcpy(time + pair, was, 2);
		}
	/* As if nothing had been read yet. */
	memset(time, 0, 6);
	check(&list, 0);
	memcpy(time, "240229", 6);
	check(&list, 0);
	memcpy(time, "250229", 6);
	check(&list, 0);
	free(list.der);
}

static void
test_cut_anywhere(void **state)
{
	struct x509_crl_entry entries[NUM_MAX];
	struct x509_crl crl;
	uint64_t seed = 5;
	struct list list;

	(void)state;
	for (size_t i = 0; i < 20; i++)
		entries[i] = entry_of(&seed, i);
	list = make_list(entries, 20);
	for (size_t len = 0; len < list.len; len++) {
		struct seen seen = { .num = 0 };
		uint8_t *part = malloc(len + 1);

		assert_non_null(part);
		memcpy(part, list.der, len);
		part = realloc(part, len == 0 ? 1 : len);
		assert_int_equal(x509_crl_read_each((struct der_bytes){ part,
		    len }, &crl, see, &seen, NULL), OC_ERR_MALFORMED);
		assert_int_equal(seen.num, 0);
		free(part);
	}
	free(list.der);
}

/* The last one ends where the list of them does, with no octet to spare. */
static void
test_entries_cut(void **state)
{
	struct x509_crl_entry entry;
	uint64_t seed = 5;

	(void)state;
	for (size_t n = 0; n < 21; n++) {
		struct list list;

		entry = entry_of(&seed, n);
		list = make_list(&entry, 1);
		/* Its length says more than there is, or less. */
		for (int to = 0; to < 256; to++) {
			list.der[list.entries.p - list.der + 1] =
			    (uint8_t)to;
			check(&list, (size_t)to);
		}
		free(list.der);
	}
}

static enum oc_err
stop(void *arg, const struct x509_crl_entry *entry, uint32_t place)
{
	(void)entry;
	(void)place;
	return --*(int *)arg == 0 ? OC_ERR_LIMIT : OC_OK;
}

static void
test_stopped(void **state)
{
	struct x509_crl_entry entries[3];
	struct x509_crl crl = { .this_update = 77 };
	uint64_t seed = 5;
	struct list list;
	int left = 2;

	(void)state;
	for (size_t i = 0; i < 3; i++)
		entries[i] = entry_of(&seed, i);
	list = make_list(entries, 3);
	assert_int_equal(x509_crl_read_each((struct der_bytes){ list.der,
	    list.len }, &crl, stop, &left, NULL), OC_ERR_LIMIT);
	assert_int_equal(left, 0);
	assert_true(crl.this_update == 77);
	free(list.der);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_octet_changed),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_cut_anywhere),
		cmocka_unit_test(test_entries_cut),
		cmocka_unit_test(test_stopped),
	};

	return cmocka_run_group_tests(tests, NULL, test_free_all);
}
