/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages: written and read back, refused when cut anywhere, when one octet
 * is left over, and when a field is out of its range.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ipc/message.h"

static uint8_t out[OC_FRAME_MAX];
static size_t out_len;
static const uint8_t octets[OC_TBS_INLINE_MAX + 1] = { 0x30, 0x82, 7 };

static struct der_bytes
first(size_t len)
{
	return (struct der_bytes){ octets, len };
}

static struct der_bytes
fields_of_out(enum ipc_type type)
{
	struct ipc_header header;
	struct der_bytes fields;
	size_t used;

	assert_int_equal(ipc_frame_parse(out, out_len, &header, &fields,
	    &used), 1);
	assert_int_equal(used, out_len);
	assert_int_equal(header.type, type);
	assert_int_equal(header.id, 42);
	return fields;
}

typedef enum oc_err read_fn(struct der_bytes fields, void *m);

static enum oc_err
read_hello(struct der_bytes fields, void *m)
{
	return ipc_read_hello(fields, m);
}

static enum oc_err
read_sign(struct der_bytes fields, void *m)
{
	return ipc_read_sign(fields, m);
}

static enum oc_err
read_signed(struct der_bytes fields, void *m)
{
	return ipc_read_signed(fields, m);
}

static enum oc_err
read_find_key(struct der_bytes fields, void *m)
{
	return ipc_read_find_key(fields, m);
}

static enum oc_err
read_drain(struct der_bytes fields, void *m)
{
	return ipc_read_drain(fields, m);
}

static enum oc_err
read_drained(struct der_bytes fields, void *m)
{
	return ipc_read_drained(fields, m);
}

static enum oc_err
read_key(struct der_bytes fields, void *m)
{
	return ipc_read_key(fields, m);
}

static enum oc_err
read_ask(struct der_bytes fields, void *m)
{
	return ipc_read_ask(fields, m);
}

static enum oc_err
read_answer(struct der_bytes fields, void *m)
{
	return ipc_read_answer(fields, m);
}

static enum oc_err
read_text(struct der_bytes fields, void *m)
{
	return ipc_read_text_message(fields, m);
}

/* Whole: read.  Cut anywhere, or with an octet more: MALFORMED. */
static void
assert_only_whole(enum ipc_type type, read_fn *read, void *m)
{
	struct der_bytes fields = fields_of_out(type);
	uint8_t *copy;

	for (size_t n = 0; n < fields.len; n++) {
		copy = malloc(n > 0 ? n : 1);
		memcpy(copy, fields.p, n);
		assert_int_equal(read((struct der_bytes){ copy, n }, m),
		    OC_ERR_MALFORMED);
		free(copy);
	}
	copy = calloc(1, fields.len + 1);
	memcpy(copy, fields.p, fields.len);
	assert_int_equal(read((struct der_bytes){ copy, fields.len + 1 }, m),
	    OC_ERR_MALFORMED);
	free(copy);
	assert_int_equal(read(fields, m), OC_OK);
}

/* What the writer just wrote is well-formed but means nothing. */
static void
assert_malformed(enum ipc_type type, read_fn *read, void *m)
{
	assert_int_equal(read(fields_of_out(type), m), OC_ERR_MALFORMED);
}

/* No buffer that is too small is written past. */
#define ASSERT_NO_SPACE(put, m)						\
	for (size_t max_ = 0; max_ < out_len; max_++) {			\
		uint8_t *small_ = malloc(max_ > 0 ? max_ : 1);		\
		size_t len_;						\
									\
		assert_int_equal(put(small_, max_, 42, (m), &len_),	\
		    OC_ERR_NO_SPACE);					\
		free(small_);						\
	}

static void
hello(void **state)
{
	struct ipc_hello m = { IPC_VERSION, "ocsign-status" }, got;

	(void)state;
	assert_int_equal(ipc_put_hello(out, sizeof(out), 42, &m, &out_len),
	    OC_OK);
	assert_only_whole(IPC_HELLO, read_hello, &got);
	assert_int_equal(got.version, IPC_VERSION);
	assert_string_equal(got.role, "ocsign-status");
	ASSERT_NO_SPACE(ipc_put_hello, &m);
	m.version = 999;
	assert_int_equal(ipc_put_hello(out, sizeof(out), 42, &m, &out_len),
	    OC_OK);
	assert_int_equal(ipc_read_hello(fields_of_out(IPC_HELLO), &got),
	    OC_OK);
	m.version = 0;
	assert_int_equal(ipc_put_hello(out, sizeof(out), 42, &m, &out_len),
	    OC_OK);
	assert_malformed(IPC_HELLO, read_hello, &got);
	m = (struct ipc_hello){ 1, "" };
	assert_int_equal(ipc_put_hello(out, sizeof(out), 42, &m, &out_len),
	    OC_OK);
	assert_malformed(IPC_HELLO, read_hello, &got);
}

static struct ipc_sign
some_sign(void)
{
	return (struct ipc_sign){ SIGN_KIND_OCSP, SIGN_LANE_LIVE,
	    SIGN_ECDSA_SHA256, 1500, "ocsp/test", 300, first(300) };
}

static void
put_sign(const struct ipc_sign *m)
{
	assert_int_equal(ipc_put_sign(out, sizeof(out), 42, m, &out_len),
	    OC_OK);
}

static void
sign(void **state)
{
	struct ipc_sign m = some_sign(), got;

	(void)state;
	put_sign(&m);
	assert_int_equal(out[7], 0);
	assert_only_whole(IPC_SIGN, read_sign, &got);
	assert_int_equal(got.kind, SIGN_KIND_OCSP);
	assert_int_equal(got.lane, SIGN_LANE_LIVE);
	assert_int_equal(got.alg, SIGN_ECDSA_SHA256);
	assert_int_equal(got.timeout_ms, 1500);
	assert_string_equal(got.key, "ocsp/test");
	assert_int_equal(got.tbs_len, 300);
	assert_true(der_bytes_equal(got.tbs, m.tbs));
	ASSERT_NO_SPACE(ipc_put_sign, &m);
	ipc_set_timeout(out, out_len, 77);
	assert_int_equal(ipc_read_sign(fields_of_out(IPC_SIGN), &got), OC_OK);
	assert_int_equal(got.timeout_ms, 77);
	assert_int_equal(got.alg, SIGN_ECDSA_SHA256);
	assert_string_equal(got.key, "ocsp/test");
}

static void
sign_by_descriptor(void **state)
{
	struct ipc_sign m = some_sign(), got;

	(void)state;
	m.tbs = first(0);
	m.tbs_len = OC_TBS_INLINE_MAX + 1;
	/* Only a CRL is so long. */
	put_sign(&m);
	assert_malformed(IPC_SIGN, read_sign, &got);
	m.kind = SIGN_KIND_CRL;
	put_sign(&m);
	assert_int_equal(out[7], IPC_FLAG_FD);
	assert_only_whole(IPC_SIGN, read_sign, &got);
	assert_int_equal(got.tbs_len, OC_TBS_INLINE_MAX + 1);
	m.tbs_len = OC_TBS_MAX;
	put_sign(&m);
	assert_int_equal(ipc_read_sign(fields_of_out(IPC_SIGN), &got), OC_OK);
	m.tbs_len = OC_TBS_MAX + 1;
	put_sign(&m);
	assert_malformed(IPC_SIGN, read_sign, &got);
	m.tbs_len = UINT64_MAX;
	put_sign(&m);
	assert_malformed(IPC_SIGN, read_sign, &got);
	/* Small enough to be inline, and is not there. */
	m.tbs_len = OC_TBS_INLINE_MAX;
	put_sign(&m);
	assert_malformed(IPC_SIGN, read_sign, &got);
	/* Inline though it is too large for that. */
	m.tbs_len = OC_TBS_INLINE_MAX + 1;
	m.tbs = first(OC_TBS_INLINE_MAX + 1);
	put_sign(&m);
	assert_malformed(IPC_SIGN, read_sign, &got);
	/* The largest inline one. */
	m.tbs_len = OC_TBS_INLINE_MAX;
	m.tbs = first(OC_TBS_INLINE_MAX);
	put_sign(&m);
	assert_int_equal(ipc_read_sign(fields_of_out(IPC_SIGN), &got), OC_OK);
}

static void
sign_out_of_range(void **state)
{
	struct ipc_sign got, m;

	(void)state;
	for (unsigned int kind = 0; kind < 256; kind++) {
		m = some_sign();
		m.kind = (uint8_t)kind;
		put_sign(&m);
		assert_int_equal(ipc_read_sign(fields_of_out(IPC_SIGN), &got),
		    kind >= 1 && kind <= 4 ? OC_OK : OC_ERR_MALFORMED);
	}
	m = some_sign();
	m.lane = SIGN_LANE_MAX;
	put_sign(&m);
	assert_malformed(IPC_SIGN, read_sign, &got);
	m = some_sign();
	m.alg = SIGN_ALG_MAX;
	put_sign(&m);
	assert_malformed(IPC_SIGN, read_sign, &got);
	m = some_sign();
	m.key[0] = '\0';
	put_sign(&m);
	assert_malformed(IPC_SIGN, read_sign, &got);
	m = some_sign();
	m.tbs_len = 299;
	put_sign(&m);
	assert_malformed(IPC_SIGN, read_sign, &got);
	m.tbs_len = 301;
	put_sign(&m);
	assert_malformed(IPC_SIGN, read_sign, &got);
	m.tbs_len = 0;
	m.tbs = first(0);
	put_sign(&m);
	assert_malformed(IPC_SIGN, read_sign, &got);
}

static void
put_signed(const struct ipc_signed *m)
{
	assert_int_equal(ipc_put_signed(out, sizeof(out), 42, m, &out_len),
	    OC_OK);
}

static void
signed_and_failed(void **state)
{
	struct ipc_signed got, ok = { OC_OK, SIGN_RSA_SHA256, first(256), "" };
	struct ipc_signed bad = { OC_ERR_DOWN, 0, first(0), "no token" }, m;

	(void)state;
	put_signed(&ok);
	assert_only_whole(IPC_SIGNED, read_signed, &got);
	assert_int_equal(got.err, OC_OK);
	assert_int_equal(got.alg, SIGN_RSA_SHA256);
	assert_true(der_bytes_equal(got.signature, ok.signature));
	ASSERT_NO_SPACE(ipc_put_signed, &ok);
	put_signed(&bad);
	assert_only_whole(IPC_SIGNED, read_signed, &got);
	assert_int_equal(got.err, OC_ERR_DOWN);
	assert_string_equal(got.text, "no token");
	m = ok;
	m.signature = first(0);
	put_signed(&m);
	assert_malformed(IPC_SIGNED, read_signed, &got);
	m = ok;
	m.signature = first(OC_SIGNATURE_MAX + 1);
	put_signed(&m);
	assert_malformed(IPC_SIGNED, read_signed, &got);
	m = ok;
	m.alg = SIGN_ALG_NONE;
	put_signed(&m);
	assert_malformed(IPC_SIGNED, read_signed, &got);
	m.alg = SIGN_ALG_MAX;
	put_signed(&m);
	assert_malformed(IPC_SIGNED, read_signed, &got);
	m = bad;
	m.signature = first(8);
	put_signed(&m);
	assert_malformed(IPC_SIGNED, read_signed, &got);
	m = bad;
	m.err = OC_ERR_UNSIGNED + 1;
	put_signed(&m);
	assert_malformed(IPC_SIGNED, read_signed, &got);
}

static void
put_key(const struct ipc_key *m)
{
	assert_int_equal(ipc_put_key(out, sizeof(out), 42, m, &out_len),
	    OC_OK);
}

static void
key(void **state)
{
	struct ipc_find_key find = { "issuer/ca" }, got_find;
	struct ipc_key ok = { OC_OK, SIGN_KEY_P256, 256, SIGN_ECDSA_SHA256,
	    first(91), "" }, m, got;

	(void)state;
	assert_int_equal(ipc_put_find_key(out, sizeof(out), 42, &find,
	    &out_len), OC_OK);
	assert_only_whole(IPC_FIND_KEY, read_find_key, &got_find);
	assert_string_equal(got_find.key, "issuer/ca");
	ASSERT_NO_SPACE(ipc_put_find_key, &find);
	find.key[0] = '\0';
	assert_int_equal(ipc_put_find_key(out, sizeof(out), 42, &find,
	    &out_len), OC_OK);
	assert_malformed(IPC_FIND_KEY, read_find_key, &got_find);

	put_key(&ok);
	assert_only_whole(IPC_KEY, read_key, &got);
	assert_int_equal(got.bits, 256);
	assert_true(der_bytes_equal(got.spki, ok.spki));
	ASSERT_NO_SPACE(ipc_put_key, &ok);
	m = ok;
	m.type = SIGN_KEY_ED25519 + 1;
	put_key(&m);
	assert_malformed(IPC_KEY, read_key, &got);
	m.type = SIGN_KEY_NONE;
	put_key(&m);
	assert_malformed(IPC_KEY, read_key, &got);
	m = ok;
	m.bits = 0;
	put_key(&m);
	assert_malformed(IPC_KEY, read_key, &got);
	m.bits = 100000;
	put_key(&m);
	assert_malformed(IPC_KEY, read_key, &got);
	m = ok;
	m.alg = SIGN_ALG_NONE;
	put_key(&m);
	assert_malformed(IPC_KEY, read_key, &got);
	m = ok;
	m.spki = first(OC_SPKI_MAX + 1);
	put_key(&m);
	assert_malformed(IPC_KEY, read_key, &got);
	m.spki = first(0);
	put_key(&m);
	assert_malformed(IPC_KEY, read_key, &got);
	m = (struct ipc_key){ .err = OC_ERR_NOT_FOUND, .text = "no such key" };
	put_key(&m);
	assert_only_whole(IPC_KEY, read_key, &got);
	assert_string_equal(got.text, "no such key");
	m.spki = first(3);
	put_key(&m);
	assert_malformed(IPC_KEY, read_key, &got);
}

static struct ipc_ask
some_ask(uint32_t num)
{
	struct ipc_ask m = { .name = "test", .num_singles = num,
	    .nonce = first(32) };

	for (uint32_t i = 0; i < num; i++) {
		m.singles[i].encoding = (uint8_t)i;
		m.singles[i].serial.len = (uint8_t)(i % OC_SERIAL_MAX + 1);
		memset(m.singles[i].serial.bytes, (int)(i % 100 + 1),
		    m.singles[i].serial.len);
	}
	return m;
}

static void
put_ask(const struct ipc_ask *m)
{
	assert_int_equal(ipc_put_ask(out, sizeof(out), 42, m, &out_len),
	    OC_OK);
}

static void
ask(void **state)
{
	static struct ipc_ask got;
	struct ipc_ask m = some_ask(IPC_SINGLES_MAX);

	(void)state;
	put_ask(&m);
	assert_only_whole(IPC_ASK, read_ask, &got);
	assert_string_equal(got.name, "test");
	assert_int_equal(got.num_singles, IPC_SINGLES_MAX);
	for (uint32_t i = 0; i < IPC_SINGLES_MAX; i++) {
		assert_int_equal(got.singles[i].encoding, i);
		assert_true(oc_serial_equal(&got.singles[i].serial,
		    &m.singles[i].serial));
	}
	assert_true(der_bytes_equal(got.nonce, m.nonce));
	assert_int_equal(got.request.len, 0);
	m = some_ask(1);
	put_ask(&m);
	ASSERT_NO_SPACE(ipc_put_ask, &m);
}

/* A signed request goes along behind the rest, and is there or is not. */
static void
ask_signed(void **state)
{
	static uint8_t request[OCSP_SIGNED_REQUEST_MAX + 1];
	static struct ipc_ask got;
	struct ipc_ask m = some_ask(IPC_SINGLES_MAX);

	(void)state;
	m.request = (struct der_bytes){ request, OCSP_SIGNED_REQUEST_MAX };
	put_ask(&m);
	assert_int_equal(ipc_read_ask((struct der_bytes){
	    out + IPC_HEADER_LEN, out_len - IPC_HEADER_LEN }, &got), OC_OK);
	assert_true(der_bytes_equal(got.request, m.request));
	m.request.len++;
	put_ask(&m);
	assert_malformed(IPC_ASK, read_ask, &got);
	m = some_ask(1);
	m.request = first(1);
	put_ask(&m);
	/* Its length alone; and none of no length. */
	assert_int_equal(ipc_read_ask((struct der_bytes){
	    out + IPC_HEADER_LEN, out_len - IPC_HEADER_LEN - 1 }, &got),
	    OC_ERR_MALFORMED);
	out[out_len - 2] = 0;
	assert_int_equal(ipc_read_ask((struct der_bytes){
	    out + IPC_HEADER_LEN, out_len - IPC_HEADER_LEN - 1 }, &got),
	    OC_ERR_MALFORMED);
}

static void
ask_out_of_range(void **state)
{
	struct ipc_ask got, m = some_ask(0);

	(void)state;
	put_ask(&m);
	assert_malformed(IPC_ASK, read_ask, &got);
	m = some_ask(2);
	m.name[0] = '\0';
	put_ask(&m);
	assert_malformed(IPC_ASK, read_ask, &got);
	m = some_ask(2);
	m.nonce = first(OCSP_NONCE_MAX + 1);
	put_ask(&m);
	assert_malformed(IPC_ASK, read_ask, &got);
	m = some_ask(2);
	m.singles[1].serial = (struct oc_serial){ { 0x80 }, 1 };
	put_ask(&m);
	assert_malformed(IPC_ASK, read_ask, &got);
	m.singles[1].serial = (struct oc_serial){ { 0, 1 }, 2 };
	put_ask(&m);
	assert_malformed(IPC_ASK, read_ask, &got);
	m.singles[1].serial = (struct oc_serial){ { 0 }, 0 };
	put_ask(&m);
	assert_malformed(IPC_ASK, read_ask, &got);
	/* A count that the octets do not hold. */
	m = some_ask(2);
	put_ask(&m);
	memset(out + IPC_HEADER_LEN + 4 + 4, 0xff, 4);
	assert_malformed(IPC_ASK, read_ask, &got);
	put_ask(&m);
	out[IPC_HEADER_LEN + 4 + 4 + 3] = IPC_SINGLES_MAX + 1;
	assert_malformed(IPC_ASK, read_ask, &got);
}

static void
put_answer(const struct ipc_answer *m)
{
	assert_int_equal(ipc_put_answer(out, sizeof(out), 42, m, &out_len),
	    OC_OK);
}

static void
answer(void **state)
{
	struct ipc_answer got, ok = { IPC_ANSWER_RESPONSE, 0, 0, 1700000000,
	    -1, first(2000) }, m;

	(void)state;
	put_answer(&ok);
	assert_only_whole(IPC_ANSWER, read_answer, &got);
	assert_int_equal(got.this_update, 1700000000);
	assert_int_equal(got.next_update, -1);
	assert_true(der_bytes_equal(got.response, ok.response));
	ASSERT_NO_SPACE(ipc_put_answer, &ok);
	m = ok;
	m.response = first(0);
	put_answer(&m);
	assert_malformed(IPC_ANSWER, read_answer, &got);
	m.response = first(OCSP_RESPONSE_MAX + 1);
	put_answer(&m);
	assert_malformed(IPC_ANSWER, read_answer, &got);
	for (unsigned int kind = 0; kind < 256; kind++) {
		m = (struct ipc_answer){ .kind = (uint8_t)kind, .status = 3 };
		put_answer(&m);
		assert_int_equal(ipc_read_answer(fields_of_out(IPC_ANSWER),
		    &got), kind == IPC_ANSWER_TABLE ||
		    kind == IPC_ANSWER_ERROR || kind == IPC_ANSWER_NO_NONCE ?
		    OC_OK : OC_ERR_MALFORMED);
	}
	for (unsigned int status = 0; status < 256; status++) {
		m = (struct ipc_answer){ .kind = IPC_ANSWER_ERROR,
		    .status = (uint8_t)status };
		put_answer(&m);
		/* RFC6960:4.2.1 0 is successful, 4 is not used. */
		assert_int_equal(ipc_read_answer(fields_of_out(IPC_ANSWER),
		    &got), status >= 1 && status <= 6 && status != 4 ? OC_OK :
		    OC_ERR_MALFORMED);
	}
	m = (struct ipc_answer){ .kind = IPC_ANSWER_TABLE,
	    .response = first(3) };
	put_answer(&m);
	assert_malformed(IPC_ANSWER, read_answer, &got);
}

static void
drain(void **state)
{
	struct ipc_drain ask = { 2, "hsm-a" }, got;
	struct ipc_drained told = { OC_ERR_REFUSED, "no" }, got_told;

	(void)state;
	assert_int_equal(ipc_put_drain(out, sizeof(out), 42, &ask, &out_len),
	    OC_OK);
	assert_only_whole(IPC_DRAIN, read_drain, &got);
	assert_string_equal(got.token, "hsm-a");
	assert_int_equal(got.how, 2);
	ASSERT_NO_SPACE(ipc_put_drain, &ask);
	ask.how = 3;
	assert_int_equal(ipc_put_drain(out, sizeof(out), 42, &ask, &out_len),
	    OC_OK);
	assert_malformed(IPC_DRAIN, read_drain, &got);
	ask = (struct ipc_drain){ 1, "" };
	assert_int_equal(ipc_put_drain(out, sizeof(out), 42, &ask, &out_len),
	    OC_OK);
	assert_malformed(IPC_DRAIN, read_drain, &got);

	assert_int_equal(ipc_put_drained(out, sizeof(out), 42, &told,
	    &out_len), OC_OK);
	assert_only_whole(IPC_DRAINED, read_drained, &got_told);
	assert_int_equal(got_told.err, OC_ERR_REFUSED);
	assert_string_equal(got_told.text, "no");
	told.err = 255;
	assert_int_equal(ipc_put_drained(out, sizeof(out), 42, &told,
	    &out_len), OC_OK);
	assert_malformed(IPC_DRAINED, read_drained, &got_told);
}

static void
bare_and_text(void **state)
{
	struct der_bytes got;

	(void)state;
	assert_int_equal(ipc_put_bare(out, sizeof(out), 42, IPC_NUDGE,
	    &out_len), OC_OK);
	assert_int_equal(out_len, IPC_HEADER_LEN);
	assert_int_equal(fields_of_out(IPC_NUDGE).len, 0);
	assert_int_equal(ipc_put_bare(out, IPC_HEADER_LEN - 1, 42, IPC_NUDGE,
	    &out_len), OC_ERR_NO_SPACE);
	assert_int_equal(ipc_put_text_message(out, sizeof(out), 42,
	    IPC_STATUS_IS, "{}", &out_len), OC_OK);
	assert_only_whole(IPC_STATUS_IS, read_text, &got);
	assert_int_equal(got.len, 2);
	assert_memory_equal(got.p, "{}", 2);
	out[out_len - 1] = '\0';
	assert_malformed(IPC_STATUS_IS, read_text, &got);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(hello),
		cmocka_unit_test(sign),
		cmocka_unit_test(sign_by_descriptor),
		cmocka_unit_test(sign_out_of_range),
		cmocka_unit_test(signed_and_failed),
		cmocka_unit_test(key),
		cmocka_unit_test(ask),
		cmocka_unit_test(ask_signed),
		cmocka_unit_test(ask_out_of_range),
		cmocka_unit_test(answer),
		cmocka_unit_test(drain),
		cmocka_unit_test(bare_and_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
