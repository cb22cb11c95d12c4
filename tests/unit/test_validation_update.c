/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Updates: the octets, keys from files, and which answers are believed.
 * Whether others read them as we do is tests/interop/validate_reach.sh's,
 * with knot.
 */
#include "validation/update.h"

#include <sys/stat.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/clock.h"
#include "tests/unit/base_test.h"
#include "tests/unit/validation_fixture.h"
#include "validation/tsig.h"

#define SECRET "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="	/* 32 octets */

/* --- keys --------------------------------------------------------------- */

static void
test_keys(void **state)
{
	static const struct {
		const char *text;
		bool is_good;
	} cases[] = {
		{ "key \"ocsign.example\" {\n\talgorithm hmac-sha256;\n"
		    "\tsecret \"" SECRET "\";\n};\n", true },
		{ "// of BIND\nkey OCSIGN.example. { /* so */ secret " SECRET
		    "; # or so\nalgorithm \"HMAC-SHA256\"; };", true },
		{ "hmac-sha256:ocsign.example:" SECRET "\n", true },
		{ "# of keymgr\nhmac-sha256:ocsign.example:" SECRET, true },
		{ "", false }, { "key", false }, { "key \"", false },
		{ "key a {", false }, { "key a { };", false },
		{ "key a { algorithm hmac-sha256; };", false },
		{ "key a { secret \"" SECRET "\"; };", false },
		{ "key a { algorithm hmac-sha256; secret \"" SECRET "\"; }",
		    false },
		{ "key a { algorithm hmac-sha256; algorithm hmac-sha256; "
		    "secret \"" SECRET "\"; };", false },
		{ "key a { algorithm hmac-md5; secret \"" SECRET "\"; };",
		    false },
		{ "key a { algorithm hmac-sha256; secret \"not base64\"; };",
		    false },
		{ "key a { algorithm hmac-sha256; secret \"c2hvcnQ=\"; };",
		    false },
		{ "key a..b { algorithm hmac-sha256; secret \"" SECRET
		    "\"; };", false },
		{ "key \"a b\" { algorithm hmac-sha256; secret \"" SECRET
		    "\"; };", false },
		{ "hmac-sha1:a:" SECRET, false }, { "hmac-sha256:a:", false },
		{ "hmac-sha256:a", false }, { "hmac-sha256::" SECRET, false },
		{ "hmac-sha256:a:" SECRET " hmac-sha256:b:" SECRET, false },
		{ "hmac-sha256:a:" SECRET ":x", false }
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct oc_error error = { 0 };
		struct validation_tsig_key key;
		enum oc_err err = validation_tsig_key_parse(cases[i].text,
		    strlen(cases[i].text), &key, &error);

		if ((err == OC_OK) != cases[i].is_good)
			fail_msg("%zu: %s", i, error.text);
		assert_null(strstr(error.text, "MDEyMzQ1"));
		if (err != OC_OK) {
			assert_int_equal(err, OC_ERR_CONFIG);
			assert_int_equal(key.secret.len, 0);
			continue;
		}
		assert_string_equal(key.name, "ocsign.example");
		assert_int_equal(key.algorithm, VALIDATION_HMAC_SHA256);
		assert_int_equal(key.secret.len, 32);
		assert_memory_equal(key.secret.bytes,
		    "0123456789abcdef0123456789abcdef", 32);
		validation_tsig_key_fini(&key);
	}
}

static void
test_key_file(void **state)
{
	struct oc_error error = { 0 };
	struct validation_tsig_key key;

	(void)state;
	base_test_put_text("key", "hmac-sha512:a.b:" SECRET "\n");
	assert_int_equal(chmod("key", 0644), 0);
	assert_int_equal(validation_tsig_key_load("key", &key, &error),
	    OC_ERR_CONFIG);
	assert_non_null(strstr(error.text, "chmod"));
	assert_int_equal(chmod("key", 0640), 0);
	assert_int_equal(validation_tsig_key_load("key", &key, &error),
	    OC_OK);
	assert_int_equal(key.algorithm, VALIDATION_HMAC_SHA512);
	validation_tsig_key_fini(&key);
	assert_int_equal(validation_tsig_key_load("nokey", &key, &error),
	    OC_ERR_CONFIG);
	assert_int_equal(validation_tsig_key_load(".", &key, &error),
	    OC_ERR_CONFIG);
	assert_int_equal(mkfifo("fifo", 0600), 0);
	assert_int_equal(validation_tsig_key_load("fifo", &key, &error),
	    OC_ERR_CONFIG);
}

/* --- signing ------------------------------------------------------------ */

static struct validation_tsig_key
make_key(const char *text)
{
	struct validation_tsig_key key;

	assert_int_equal(validation_tsig_key_parse(text, strlen(text), &key,
	    NULL), OC_OK);
	return key;
}

static void
put_header(struct validation_dns_writer *w, unsigned int flags)
{
	w->len = 0;
	w->is_bad = false;
	validation_dns_put_u16(w, 0x1234);
	validation_dns_put_u16(w, flags);
	for (int i = 0; i < 4; i++)
		validation_dns_put_u16(w, 0);
}

/*
 * The MAC is of what RFC 8945, 4.3.3 says, made by Python's hmac and struct.
 */
static void
test_signed(void **state)
{
	static const uint8_t mac_is[] = {
		0xf5, 0x36, 0x1c, 0x1a, 0xb7, 0x5a, 0xfa, 0x42, 0xe1, 0xea,
		0xd5, 0x3a, 0xbf, 0x50, 0xd3, 0x1f, 0x74, 0x8a, 0x7e, 0x27,
		0xe3, 0x2b, 0xff, 0xd2, 0x9a, 0x8b, 0x02, 0xc7, 0xae, 0x2f,
		0xc5, 0xae
	};
	static const uint8_t record[] = "\x01" "a\x01" "b\0" "\0\xfa\0\xff"
	    "\0\0\0\0\0\x3d" "\x0bhmac-sha256\0" "\0\0\x65\x53\xf1\x00"
	    "\x01\x2c\0\x20";
	struct validation_tsig_key key = make_key("hmac-sha256:a.b:" SECRET);
	struct validation_dns_writer w;
	struct validation_mac mac;

	(void)state;
	put_header(&w, 0x2800);
	assert_int_equal(validation_tsig_sign(&key, 1700000000, &w, &mac),
	    OC_OK);
	assert_int_equal(w.bytes[11], 1);
	assert_memory_equal(w.bytes + 12, record, sizeof(record) - 1);
	assert_int_equal(mac.len, 32);
	assert_memory_equal(mac.bytes, mac_is, 32);
	assert_memory_equal(w.bytes + 12 + sizeof(record) - 1, mac_is, 32);
	assert_memory_equal(w.bytes + w.len - 6, "\x12\x34\0\0\0\0", 6);
	validation_tsig_key_fini(&key);
}

/* --- answers ------------------------------------------------------------ */

/* How an answer is made; all zero is a good one. */
struct making {
	const char *name, *algorithm;	/* NULL: as they are */
	int64_t late_s;
	unsigned int code, flags;
	size_t mac_len;			/* 0: all of it */
	bool is_unsigned, is_of_nothing, has_no_mac;
};

static void
put_time(struct validation_dns_writer *w, int64_t at)
{
	validation_dns_put_u16(w, (unsigned int)(at >> 32));
	validation_dns_put_u32(w, (uint32_t)at);
}

/* RFC 8945, 4.3.3, with a MAC that is made here. */
static void
put_answer(struct validation_dns_writer *w, uint16_t id,
    const uint8_t *request_mac, size_t request_mac_len,
    const struct making *m)
{
	const char *name = m->name != NULL ? m->name : "a.b";
	const char *algorithm = m->algorithm != NULL ? m->algorithm :
	    "hmac-sha256";
	int64_t at = oc_clock_now_s() - m->late_s;
	struct validation_dns_writer d = { .len = 0 };
	uint8_t mac[64];
	unsigned int mac_len = 0;

	w->len = 0;
	validation_dns_put_u16(w, id);
	validation_dns_put_u16(w, 0xa800 | m->flags);
	for (int i = 0; i < 4; i++)
		validation_dns_put_u16(w, 0);
	if (m->is_unsigned)
		return;
	if (!m->is_of_nothing) {
		validation_dns_put_u16(&d, (unsigned int)request_mac_len);
		validation_dns_put(&d, request_mac, request_mac_len);
	}
	validation_dns_put(&d, w->bytes, w->len);
	validation_dns_put_name(&d, name);
	validation_dns_put_u16(&d, 255);
	validation_dns_put_u32(&d, 0);
	validation_dns_put_name(&d, algorithm);
	put_time(&d, at);
	validation_dns_put_u16(&d, 300);
	validation_dns_put_u16(&d, m->code);
	validation_dns_put_u16(&d, 0);
	assert_non_null(HMAC(EVP_sha256(), "0123456789abcdef0123456789abcdef",
	    32, d.bytes, d.len, mac, &mac_len));
	if (m->mac_len != 0)
		mac_len = (unsigned int)m->mac_len;
	if (m->has_no_mac)
		mac_len = 0;
	w->bytes[11] = 1;
	validation_dns_put_name(w, name);
	validation_dns_put_u16(w, 250);
	validation_dns_put_u16(w, 255);
	validation_dns_put_u32(w, 0);
	validation_dns_put_u16(w, (unsigned int)strlen(algorithm) + 2 + 16 +
	    mac_len);
	validation_dns_put_name(w, algorithm);
	put_time(w, at);
	validation_dns_put_u16(w, 300);
	validation_dns_put_u16(w, mac_len);
	validation_dns_put(w, mac, mac_len);
	validation_dns_put_u16(w, id);
	validation_dns_put_u16(w, m->code);
	validation_dns_put_u16(w, 0);
}

static const struct validation_mac some_mac = { .bytes = "some MAC",
    .len = 32 };

static enum oc_err
verify(const struct validation_tsig_key *key, const uint8_t *message,
    size_t len, uint16_t *code)
{
	struct oc_error error = { 0 };
	enum oc_err err = validation_tsig_verify(key, oc_clock_now_s(),
	    &some_mac, message, len, code, &error);

	assert_true((err == OC_OK) == (error.text[0] == '\0'));
	return err;
}

static void
test_verify(void **state)
{
	static const struct {
		struct making making;
		enum oc_err err;
		uint16_t code;
	} cases[] = {
		{ { .flags = 0 }, OC_OK, 0 },
		{ { .flags = 5 }, OC_OK, 0 },
		{ { .flags = 9, .code = 18 }, OC_OK, 18 },
		{ { .late_s = 299 }, OC_OK, 0 },
		{ { .late_s = -299 }, OC_OK, 0 },
		{ { .late_s = 302 }, OC_ERR_MISMATCH, 0 },
		{ { .late_s = -302 }, OC_ERR_MISMATCH, 0 },
		{ { .name = "a.c" }, OC_ERR_MISMATCH, 0 },
		{ { .algorithm = "hmac-sha512" }, OC_ERR_MISMATCH, 0 },
		{ { .is_unsigned = true }, OC_ERR_UNSIGNED, 0 },
		{ { .is_of_nothing = true }, OC_ERR_SIGNATURE, 0 },
		{ { .mac_len = 16 }, OC_ERR_SIGNATURE, 0 },
		{ { .has_no_mac = true }, OC_ERR_SIGNATURE, 0 },
		{ { .has_no_mac = true, .code = 17 }, OC_ERR_UNSIGNED, 17 }
	};
	struct validation_tsig_key key = make_key("hmac-sha256:a.b:" SECRET);
	struct validation_dns_writer w = { .len = 0 };
	uint16_t code;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		put_answer(&w, 0x1234, some_mac.bytes, some_mac.len,
		    &cases[i].making);
		if (verify(&key, w.bytes, w.len, &code) != cases[i].err ||
		    code != cases[i].code)
			fail_msg("%zu: code %u", i, code);
	}
	/* Any bit of it, but those of its own ID, which the record has; and
	 * any part of it. */
	put_answer(&w, 0x1234, some_mac.bytes, some_mac.len,
	    &cases[0].making);
	assert_int_equal(verify(&key, w.bytes, w.len, &code), OC_OK);
	for (size_t bit = 16; bit < w.len * 8; bit++) {
		/* A name's letters are of either case: RFC 8945, 4.3.3. */
		enum oc_err err;

		w.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		err = verify(&key, w.bytes, w.len, &code);
		if (err == OC_OK && bit % 8 != 5)
			fail_msg("bit %zu", bit);
		w.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	for (size_t len = 0; len < w.len; len++)
		assert_int_not_equal(verify(&key, w.bytes, len, &code),
		    OC_OK);
	validation_dns_put_u8(&w, 0);
	assert_int_equal(verify(&key, w.bytes, w.len, &code),
	    OC_ERR_MALFORMED);
	validation_tsig_key_fini(&key);
}

/* --- names -------------------------------------------------------------- */

static void
test_names(void **state)
{
	static const struct {
		const char *bytes;
		size_t len, at;
		const char *name;	/* NULL: none */
		size_t end;
	} cases[] = {
		{ "\1a\1b\0", 5, 0, "a.b", 5 },
		{ "\0", 1, 0, "", 1 },
		{ "\1A\1B\0\1c\xc0\0", 9, 5, "c.a.b", 9 },
		{ "\1.\2\0x\0", 6, 0, "?.?x", 6 },
		{ "\1a", 2, 0, NULL, 0 }, { "\2a", 2, 0, NULL, 0 },
		{ "\1a\xc0\0", 4, 0, NULL, 0 },		/* itself */
		{ "\1a\xc0\2", 4, 0, NULL, 0 },
		{ "\xc0\2\xc0\0", 4, 2, NULL, 0 },	/* there and back */
		{ "\xc0\5", 2, 0, NULL, 0 }, { "\xc0", 1, 0, NULL, 0 },
		{ "\x40" "a", 2, 0, NULL, 0 }, { "\x80" "a", 2, 0, NULL, 0 }
	};
	char name[VALIDATION_NAME_MAX + 1];
	uint8_t longest[300];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct validation_dns_reader r = {
			(const uint8_t *)cases[i].bytes, cases[i].len,
			cases[i].at, false
		};

		validation_dns_get_name(&r, name);
		if (r.is_bad != (cases[i].name == NULL))
			fail_msg("%zu: %d", i, r.is_bad);
		assert_string_equal(name, cases[i].name == NULL ? "" :
		    cases[i].name);
		if (!r.is_bad)
			assert_int_equal(r.at, cases[i].end);
	}
	/* 253 characters, and one more. */
	for (size_t i = 0; i < 300; i++)
		longest[i] = i % 2 == 0 ? 1 : 'a';
	for (size_t len = 254; len <= 256; len += 2) {
		struct validation_dns_reader r = { longest, len + 1, 0,
		    false };

		longest[len] = 0;
		validation_dns_get_name(&r, name);
		assert_true(r.is_bad == (len == 256));
		longest[len] = 1;
	}
}

/* --- whole updates ------------------------------------------------------ */

struct world {
	struct waiter waiter;
	struct stand stand;
	struct validation_update *update;
	struct making making;
	bool is_other_id;
};

/* Says what it should about the request that it heard. */
static char *
answer_update(struct stand *stand, const char *said, size_t len, size_t *n)
{
	struct world *w = stand->arg;
	const uint8_t *b = (const uint8_t *)said + 2;
	struct validation_dns_writer answer = { .len = 0 };
	char *text;

	assert_true(len > 60);
	assert_int_equal(len - 2, (uint8_t)said[0] << 8 | (uint8_t)said[1]);
	/* The MAC stands before ID, error and length of nothing else. */
	put_answer(&answer, (uint16_t)((b[0] << 8 | b[1]) + w->is_other_id),
	    b + len - 2 - 6 - 32, 32, &w->making);
	*n = answer.len + 2;
	text = malloc(*n);
	assert_non_null(text);
	text[0] = (char)(answer.len >> 8);
	text[1] = (char)answer.len;
	memcpy(text + 2, answer.bytes, answer.len);
	return text;
}

static char *
answer_junk(struct stand *stand, const char *said, size_t len, size_t *n)
{
	(void)stand, (void)said, (void)len;
	*n = 6;
	return memcpy(malloc(6), "\0\4abcd", 6);
}

static char *
answer_nothing(struct stand *stand, const char *said, size_t len, size_t *n)
{
	(void)stand, (void)said, (void)len, (void)n;
	return NULL;
}

static void
world_open(struct world *w, stand_answer_fn *answer)
{
	struct validation_update_config config = { .zone = "example.com",
	    .host = "127.0.0.1", .key_file = "key" };
	struct oc_error error = { 0 };

	memset(w, 0, sizeof(*w));
	waiter_init(&w->waiter);
	w->stand.answer = answer;
	w->stand.arg = w;
	stand_open(&w->stand, w->waiter.base);
	config.port = w->stand.port;
	base_test_put_text("key", "hmac-sha256:a.b:" SECRET);
	assert_int_equal(chmod("key", 0600), 0);
	assert_int_equal(validation_update_new(w->waiter.base, NULL, &config,
	    &w->update, &error), OC_OK);
}

static void
world_close(struct world *w)
{
	validation_update_free(w->update);
	stand_close(&w->stand);
	waiter_fini(&w->waiter);
}

static const struct validation_question usual = {
	.task = VALIDATION_PUBLISH, .name = "www.example.com",
	.prefix = "_acme-challenge.", .expected = "token"
};

static void
world_ask(struct world *w, int64_t ms)
{
	struct validation_update_job *job;

	w->waiter.num = 0;
	assert_int_equal(validation_update_ask(w->update, &usual,
	    deadline_in_ms(ms), waiter_done, &w->waiter, &job), OC_OK);
	assert_int_equal(w->waiter.num, 0);
	waiter_wait(&w->waiter);
}

static void
test_update(void **state)
{
	static const struct {
		struct making making;
		bool is_other_id;
		enum validation_fault fault;
		bool is_temporary;
		const char *seen;
	} cases[] = {
		{ { .flags = 0 }, false, VALIDATION_NO_FAULT, false, "done" },
		{ { .flags = 5 }, false, VALIDATION_REFUSED, false,
		    "REFUSED: the key may not" },
		{ { .flags = 2 }, false, VALIDATION_REFUSED, true,
		    "SERVFAIL" },
		{ { .flags = 9, .code = 18 }, false, VALIDATION_REFUSED, true,
		    "BADTIME" },
		{ { .flags = 9, .code = 17, .has_no_mac = true }, false,
		    VALIDATION_REFUSED, false, "BADKEY" },
		{ { .flags = 5, .is_unsigned = true }, false,
		    VALIDATION_REFUSED, false, "not signed" },
		/* That it is done is believed of nobody else. */
		{ { .is_unsigned = true }, false, VALIDATION_REFUSED, true,
		    "not signed" },
		{ { .is_of_nothing = true }, false, VALIDATION_REFUSED, true,
		    "cannot believe" },
		{ { .late_s = 1000 }, false, VALIDATION_REFUSED, true,
		    "before our time" },
		{ { .flags = 0 }, true, VALIDATION_CONNECTION_FAULT, true,
		    "no answer" },
		{ { .flags = 0x0800 }, false, VALIDATION_NO_FAULT, false,
		    "done" }
	};
	struct world w;

	(void)state;
	world_open(&w, answer_update);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		w.making = cases[i].making;
		w.is_other_id = cases[i].is_other_id;
		world_ask(&w, PATIENCE_S * 1000);
		if (w.waiter.reply.fault != cases[i].fault ||
		    w.waiter.reply.is_temporary != cases[i].is_temporary ||
		    strstr(w.waiter.reply.seen, cases[i].seen) == NULL)
			fail_msg("%zu: fault %d: %s", i,
			    w.waiter.reply.fault, w.waiter.reply.seen);
		assert_non_null(strstr(w.waiter.reply.seen,
		    "add TXT _acme-challenge.www.example.com"));
	}
	world_close(&w);
}

static void
test_bad_servers(void **state)
{
	struct validation_update_job *job;
	struct world w;

	(void)state;
	world_open(&w, answer_junk);
	world_ask(&w, PATIENCE_S * 1000);
	assert_int_equal(w.waiter.reply.fault, VALIDATION_CONNECTION_FAULT);
	world_close(&w);
	world_open(&w, answer_nothing);
	world_ask(&w, 200);
	assert_int_equal(w.waiter.reply.fault, VALIDATION_CONNECTION_FAULT);
	assert_int_equal(validation_update_ask(w.update, &usual,
	    deadline_in_ms(1000), waiter_done, &w.waiter, &job), OC_OK);
	waiter_idle(&w.waiter, 50);
	validation_update_cancel(job);
	waiter_idle(&w.waiter, 1100);
	assert_int_equal(validation_update_ask(w.update, &usual,
	    deadline_in_ms(100), waiter_done, &w.waiter, &job), OC_OK);
	world_close(&w);
	world_open(&w, answer_update);
	w.stand.drip_ms = 50;
	world_ask(&w, 300);
	assert_int_equal(w.waiter.reply.fault, VALIDATION_CONNECTION_FAULT);
	world_close(&w);
}

static void
test_questions(void **state)
{
	struct validation_question q = usual;
	struct validation_update_job *job;
	struct world w;

	(void)state;
	world_open(&w, answer_nothing);
	assert_int_equal(validation_update_covers(w.update, "example.com"),
	    11);
	assert_int_equal(validation_update_covers(w.update, "a.b.example.com"),
	    11);
	assert_int_equal(validation_update_covers(w.update, "anexample.com"),
	    0);
	assert_int_equal(validation_update_covers(w.update, "com"), 0);
#define ASK() validation_update_ask(w.update, &q, deadline_in_ms(100), \
	    waiter_done, &w.waiter, &job)
	q.name = "example.org";
	assert_int_equal(ASK(), OC_ERR_REFUSED);
	q.name = "-v.example.com";
	assert_int_equal(ASK(), OC_ERR_MALFORMED);
	q = usual;
	q.prefix = "-v.";
	assert_int_equal(ASK(), OC_ERR_MALFORMED);
	q = usual;
	q.prefix = "_a..";
	assert_int_equal(ASK(), OC_ERR_MALFORMED);
	q = usual;
	q.expected = "";
	assert_int_equal(ASK(), OC_ERR_MALFORMED);
	q.expected = "a b";
	assert_int_equal(ASK(), OC_ERR_MALFORMED);
	q.expected = NULL;
	assert_int_equal(ASK(), OC_ERR_MALFORMED);
	q = usual;
	q.task = VALIDATION_TXT;
	assert_int_equal(ASK(), OC_ERR_MALFORMED);
	world_close(&w);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, \
	    base_test_enter, base_test_leave)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys),
		IN_FOLDER(test_key_file),
		cmocka_unit_test(test_signed),
		cmocka_unit_test(test_verify),
		cmocka_unit_test(test_names),
		IN_FOLDER(test_update),
		IN_FOLDER(test_bad_servers),
		IN_FOLDER(test_questions)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
