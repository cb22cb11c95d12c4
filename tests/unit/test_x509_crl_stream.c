/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists written as a stream: the octets of the readable writer, whatever is
 * in them and wherever their lengths grow by an octet, and a list that
 * OpenSSL verifies.  RFC5280:5.1
 */
#include "x509_test.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "x509/crl_stream.h"

#define LAST_UTCTIME INT64_C(2524607999)
#define NOON INT64_C(1767268800)	/* 2026-01-01, 12:00:00 */

static struct x509_crl_tbs
plan(void)
{
	return (struct x509_crl_tbs){
		.alg = SIGN_ECDSA_SHA256,
		.issuer = test_name("/C=DE/O=Example/CN=CA"),
		.this_update = NOON,
		.next_update = NOON + 86400,
		.authority_key_id = DER_LITERAL("01234567890123456789"),
		.number = 128,
	};
}

/* Written both ways. */
struct both {
	struct x509_crl_stream *stream;
	uint8_t *entries;
	size_t len, room;
};

static void
begin(struct both *b, size_t num_max)
{
	*b = (struct both){ .room = num_max * X509_CRL_ENTRY_MAX + 1 };
	b->entries = malloc(b->room);
	assert_non_null(b->entries);
	assert_int_equal(x509_crl_stream_new(&b->stream), OC_OK);
}

static void
add(struct both *b, const struct x509_crl_entry *e)
{
	size_t len;

	assert_true(b->room - b->len > X509_CRL_ENTRY_MAX);
	assert_int_equal(x509_crl_entry_write(e, b->entries + b->len, &len),
	    OC_OK);
	b->len += len;
	assert_int_equal(x509_crl_stream_put(b->stream, e), OC_OK);
}

/* The stream is open until end(). */
static void
compare(struct both *b, struct x509_crl_tbs tbs)
{
	struct der_bytes wanted, got;
	uint8_t *out;

	assert_int_equal(x509_crl_stream_end(b->stream, &tbs), OC_OK);
	tbs.entries = (struct der_bytes){ b->entries, b->len };
	assert_int_equal(der_write(x509_put_crl_tbs, &tbs, NULL, 0,
	    &wanted.len), OC_OK);
	out = malloc(wanted.len);
	assert_int_equal(der_write(x509_put_crl_tbs, &tbs, out, wanted.len,
	    &wanted.len), OC_OK);
	wanted.p = out;
	got = x509_crl_stream_tbs(b->stream);
	assert_int_equal(got.len, wanted.len);
	assert_memory_equal(got.p, wanted.p, wanted.len);
	free(out);
}

static void
end(struct both *b)
{
	x509_crl_stream_free(b->stream);
	free(b->entries);
}

static struct x509_crl_entry
entry_of(uint8_t serial_len, uint32_t n)
{
	struct x509_crl_entry e = { .serial = { .len = serial_len },
	    .revoked_at = NOON + n, .reason = CRL_REASON_SUPERSEDED };

	memset(e.serial.bytes, 0x11, serial_len);
	return e;
}

static int64_t
random_time(uint64_t *seed)
{
	switch (test_random_below(seed, 6)) {
	case 0:		/* where its form changes */
		return LAST_UTCTIME + (int64_t)test_random_below(seed, 3) - 1;
	case 1:		/* around midnight, before and after 1970 */
		return 86400 * ((int64_t)test_random_below(seed, 5) - 2) +
		    (int64_t)test_random_below(seed, 3) - 1;
	case 2:		/* the first that a UTCTime can say */
		return INT64_C(-631152000) + test_random_below(seed, 2);
	case 3:
		return (int64_t)(test_random(seed) % UINT64_C(253402300799));
	default:	/* within a day or two */
		return NOON + test_random_below(seed, 2 * 86400);
	}
}

static struct x509_crl_entry
random_entry(uint64_t *seed)
{
	struct x509_crl_entry e = { .serial = { .len = 0 } };

	e.serial.len = (uint8_t)(1 + test_random_below(seed, OC_SERIAL_MAX));
	for (uint8_t i = 0; i < e.serial.len; i++)
		e.serial.bytes[i] = (uint8_t)(test_random(seed) >> 56);
	e.serial.bytes[0] = (uint8_t)(1 + test_random_below(seed, 127));
	e.revoked_at = random_time(seed);
	do
		e.reason = (enum crl_reason)test_random_below(seed, 11);
	while (crl_reason_name(e.reason) == NULL);
	if (test_random_below(seed, 5) == 0)
		e.invalidity_at = NOON;
	return e;
}

static void
test_same_as_readable(void **state)
{
	uint64_t seed = 1;

	(void)state;
	for (size_t num = 0; num < 300; num += 1 + num / 10) {
		struct x509_crl_tbs tbs = plan();
		struct both b;

		begin(&b, num);
		for (size_t i = 0; i < num; i++) {
			struct x509_crl_entry e = random_entry(&seed);

			add(&b, &e);
		}
		assert_int_equal(x509_crl_stream_num(b.stream), num);
		tbs.number = test_random(&seed);
		compare(&b, tbs);
		end(&b);
	}
}

/* Any day after any other, from the first that a UTCTime can say. */
static void
test_days(void **state)
{
	static const int64_t apart[] = { 1, 512, 1024, 36524 };
	struct both b;

	(void)state;
	begin(&b, 2000);
	for (size_t i = 0; i < 1000; i++) {
		struct x509_crl_entry e = entry_of(20, 0);

		e.revoked_at = INT64_C(-631152000) + 86400 *
		    ((int64_t)i / 4 + ((int64_t)i / 2 % 2) * apart[i % 4]);
		add(&b, &e);
		e.revoked_at += 86399;
		add(&b, &e);
	}
	compare(&b, plan());
	end(&b);
}

/* Each length of the list around one, so that every length in it passes from
 * one form to the next. */
static void
around(size_t entries_len)
{
	struct x509_crl_entry e = entry_of(20, 0);
	size_t each = 53;

	for (uint8_t cut = 0; cut < 20; cut++) {
		size_t num = entries_len / each + 2;

		for (; num > 0 && num * each + 150 > entries_len; num--) {
			struct x509_crl_entry last =
			    entry_of((uint8_t)(20 - cut), 1);
			struct both b;

			begin(&b, num + 1);
			for (size_t i = 0; i < num; i++)
				add(&b, &e);
			add(&b, &last);
			compare(&b, plan());
			end(&b);
		}
	}
}

static void
test_lengths(void **state)
{
	(void)state;
	around(0x7f);
	around(0xff);
	around(0xffff);
}

static void
test_three_length_octets(void **state)
{
	struct both b;

	(void)state;
	begin(&b, 330000);
	for (uint32_t i = 0; i < 330000; i++) {
		struct x509_crl_entry e = entry_of(20, i);

		add(&b, &e);
	}
	assert_true(b.len > 0xffffff);
	compare(&b, plan());
	end(&b);
}

static void
test_signed(void **state)
{
	static const char *const keys[] = { "P-256", "RSA2048" };
	static const enum sign_alg algs[] = { SIGN_ECDSA_SHA256,
	    SIGN_RSA_SHA256 };
	uint64_t seed = 7;

	(void)state;
	for (size_t i = 0; i < 2 * 64; i++) {
		struct x509_crl_tbs tbs = plan();
		struct der_bytes tlv, signature, list, alg;
		struct x509_crl crl;
		struct both b;
		const uint8_t *p;
		X509_CRL *theirs;

		begin(&b, i);
		/* So that the tail falls on each place in a page. */
		for (size_t n = 0; n < i; n++) {
			struct x509_crl_entry e = random_entry(&seed);

			add(&b, &e);
		}
		tbs.alg = algs[i % 2];
		compare(&b, tbs);
		list = test_sign(x509_crl_stream_tbs(b.stream), keys[i % 2],
		    tbs.alg);
		assert_int_equal(x509_read_signed(list, &tlv, &alg,
		    &signature), OC_OK);
		assert_int_equal(x509_crl_stream_sign(b.stream, tbs.alg,
		    signature, &tlv), OC_OK);
		assert_bytes_equal(tlv, list);
		assert_int_equal(x509_crl_read(tlv, &crl, NULL), OC_OK);
		p = tlv.p;
		theirs = d2i_X509_CRL(NULL, &p, (long)tlv.len);
		assert_non_null(theirs);
		assert_int_equal(X509_CRL_verify(theirs,
		    test_key(keys[i % 2])), 1);
		X509_CRL_free(theirs);
		end(&b);
	}
}

static void
test_refused(void **state)
{
	struct x509_crl_entry e = entry_of(20, 0);
	struct x509_crl_stream *stream;
	struct x509_crl_tbs tbs = plan();
	uint8_t *name;

	(void)state;
	assert_int_equal(x509_crl_stream_new(&stream), OC_OK);
	e.reason = (enum crl_reason)7;
	assert_int_equal(x509_crl_stream_put(stream, &e), OC_ERR_MALFORMED);
	e.reason = CRL_REASON_UNSPECIFIED;
	e.serial.len = 0;
	assert_int_equal(x509_crl_stream_put(stream, &e), OC_ERR_MALFORMED);
	e.serial.len = 2;
	e.serial.bytes[0] = 0;
	assert_int_equal(x509_crl_stream_put(stream, &e), OC_ERR_MALFORMED);
	e = entry_of(20, 0);
	e.revoked_at = INT64_C(253402300800);
	assert_int_equal(x509_crl_stream_put(stream, &e), OC_ERR_LIMIT);
	/* None of them left anything behind. */
	assert_int_equal(x509_crl_stream_num(stream), 0);
	tbs.authority_key_id.len = 0;
	assert_int_equal(x509_crl_stream_end(stream, &tbs), OC_ERR_MALFORMED);
	/* A name that there is no room for. */
	tbs = plan();
	name = test_alloc(8192);
	memset(name, 0, 8192);
	tbs.issuer = (struct der_bytes){ name, 8192 };
	assert_int_equal(x509_crl_stream_end(stream, &tbs), OC_ERR_LIMIT);
	tbs = plan();
	assert_int_equal(x509_crl_stream_end(stream, &tbs), OC_OK);
	x509_crl_stream_free(stream);
	x509_crl_stream_free(NULL);
}

/* Nobody can change what the signer looks at. */
static void
test_sealed(void **state)
{
	struct x509_crl_stream *stream;
	struct x509_crl_tbs tbs = plan();
	struct der_bytes got;
	int fd;

	(void)state;
	assert_int_equal(x509_crl_stream_new(&stream), OC_OK);
	assert_int_equal(x509_crl_stream_end(stream, &tbs), OC_OK);
	fd = x509_crl_stream_fd(stream);
	got = x509_crl_stream_tbs(stream);
	assert_true(lseek(fd, 0, SEEK_END) > (off_t)got.len);
	assert_int_equal(pwrite(fd, "x", 1, 0), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(ftruncate(fd, 0), -1);
	assert_true(mmap(NULL, 1, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
	    0) == MAP_FAILED);
	x509_crl_stream_free(stream);
}

/* What is no entry's and nobody's fault is said, not written around. */
static void
test_no_memory_file(void **state)
{
	struct x509_crl_entry e = entry_of(20, 0);
	struct rlimit limit, before;
	struct x509_crl_stream *stream;
	enum oc_err err = OC_OK;

	(void)state;
	assert_int_equal(x509_crl_stream_new(&stream), OC_OK);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	limit = before;
	limit.rlim_cur = 1 << 20;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	for (uint32_t i = 0; i < 100000 && err == OC_OK; i++)
		err = x509_crl_stream_put(stream, &e);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_true(err == OC_ERR_SYSTEM || err == OC_ERR_NOMEM);
	x509_crl_stream_free(stream);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_as_readable),
		cmocka_unit_test(test_days),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_three_length_octets),
		cmocka_unit_test(test_signed),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_sealed),
		cmocka_unit_test(test_no_memory_file),
	};

	signal(SIGXFSZ, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, test_free_all);
}
