/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of ocsp_answer() share: two CAs with tables, and one that is
 * nobody's.  Include cmocka's before.
 */
#ifndef TESTS_UNIT_OCSP_ANSWER_TEST_H
#define TESTS_UNIT_OCSP_ANSWER_TEST_H

#include "tests/unit/ocsp_fixture.h"
#include "tests/unit/ocsp_table_test.h"

#define NOW INT64_C(1790000000)
#define SERIAL "5a0102030405060708090a0b0c0d0e0f"
#define SERIAL_HIGH "0080"
#define SERIAL_LONG "7f000102030405060708090a0b0c0d0e0f101112"

/* Two CAs, a third that is nobody's. */
struct ca {
	EVP_PKEY *key;
	X509 *cert;
	struct ocsp_identity identity;
	char path[TEST_PATH_MAX];
	struct ocsp_table *table;
	struct ocsp_context *context;
};
static struct ca ca[2], stranger;
static struct ocsp_answerer answerer;
static uint8_t out[OCSP_RESPONSE_MAX];
static struct ocsp_reply reply;
static struct ocsp_miss miss;

static inline struct ocsp_slot
plain_slot(const char *serial_hex, uint8_t encoding, uint8_t mark)
{
	struct ocsp_slot slot;

	memset(&slot, 0, sizeof(slot));
	slot.serial = fixture_serial(serial_hex);
	slot.encoding = encoding;
	slot.produced_at = NOW - 90;
	slot.this_update = NOW - 100;
	slot.next_update = NOW + 1000;
	slot.signature_len = 64;
	memset(slot.signature, mark, 64);
	return slot;
}

static inline void
put(struct ca *c, struct ocsp_slot slot)
{
	assert_int_equal(ocsp_table_put(c->table, &slot), OC_OK);
}

static inline void
make_ca(struct ca *c, const char *name, const char *base)
{
	c->key = fixture_key("P-256");
	c->cert = fixture_cert(name, c->key, FIXTURE_CA, NULL, NULL);
	fixture_identity(c->cert, &c->identity);
	if (base == NULL)
		return;
	(void)snprintf(c->path, sizeof(c->path), "%s.%s", base, name);
	assert_int_equal(ocsp_table_create(c->path, &c->identity,
	    test_store_id, 64, &c->table, NULL), OC_OK);
	assert_int_equal(ocsp_context_new(&c->identity, &c->context), OC_OK);
	ocsp_table_set_ready(c->table, true);
}

static inline void
free_ca(struct ca *c)
{
	char lock[TEST_PATH_MAX + 8];

	ocsp_table_close(c->table);
	ocsp_context_free(c->context);
	X509_free(c->cert);
	EVP_PKEY_free(c->key);
	(void)unlink(c->path);
	(void)snprintf(lock, sizeof(lock), "%s.lock", c->path);
	(void)unlink(lock);
	memset(c, 0, sizeof(*c));
}

static inline int
answer_setup(void **state)
{
	uint8_t encoding;
	int i;

	table_setup(state);
	make_ca(&ca[0], "One", *state);
	make_ca(&ca[1], "Two", *state);
	make_ca(&stranger, "Stranger", NULL);
	memset(&answerer, 0, sizeof(answerer));
	for (i = 0; i < 2; i++) {
		answerer.issuers[i].table = ca[i].table;
		answerer.issuers[i].context = ca[i].context;
		for (encoding = 0; encoding < OCSP_ENCODING_MAX; encoding++)
			put(&ca[i], plain_slot(SERIAL, encoding,
			    (uint8_t)(0x40 + 16 * i + encoding)));
		put(&ca[i], plain_slot(SERIAL_HIGH, 0, 0x31));
		put(&ca[i], plain_slot(SERIAL_LONG, 0, 0x32));
	}
	answerer.num_issuers = 2;
	memset(&reply, 0, sizeof(reply));
	reply.out = out;
	reply.out_max = sizeof(out);
	return 0;
}

static inline int
answer_teardown(void **state)
{
	free_ca(&ca[0]);
	free_ca(&ca[1]);
	free_ca(&stranger);
	return table_teardown(state);
}

static inline struct blob
none(void)
{
	return (struct blob){ .len = 0 };
}

static inline struct blob
one(void)
{
	return fixture_single(ca[0].cert, OCSP_ENCODING_USUAL, SERIAL);
}

/* The request with a signature behind it that only looks like one. */
static inline struct blob
fixture_signed(struct blob singles, struct blob extensions)
{
	struct blob tbs = blob_wrap(0xa1, blob_hex("8203612e62"));

	tbs = blob_join(tbs, blob_wrap(0x30, singles));
	if (extensions.len != 0)
		tbs = blob_join(tbs, blob_wrap(0xa2, blob_wrap(0x30,
		    extensions)));
	return blob_wrap(0x30, blob_join(blob_wrap(0x30, tbs), blob_wrap(0xa0,
	    blob_wrap(0x30, blob_hex("300a 0608 2a8648ce3d040302"
	    " 0303 00 3000")))));
}

static inline enum ocsp_outcome
ask(struct blob request)
{
	reply.len = 0;
	memset(&miss, 0xee, sizeof(miss));
	return ocsp_answer(&answerer, blob_bytes(&request), NOW,
	    OCSP_NONCE_WANTED, &reply, &miss);
}

static inline void
expect_error(struct blob request, enum ocsp_response_status status)
{
	struct der_bytes octets = ocsp_error_response(status);

	assert_int_equal(ask(request), OCSP_ANSWERED);
	assert_int_equal(reply.status, status);
	assert_int_equal(reply.len, octets.len);
	assert_memory_equal(out, octets.p, octets.len);
	assert_false(reply.is_cacheable);
	assert_int_equal(reply.next_update, 0);
}

/* The answer is the slot's, of this CA and encoding. */
static inline void
expect_good(struct blob request, const struct ca *c, uint8_t mark,
    struct der_bytes certid)
{
	struct ocsp_response_view view;
	struct ocsp_single_view single;
	struct der_bytes rest;
	uint8_t etag[16];

	assert_int_equal(ask(request), OCSP_ANSWERED);
	assert_int_equal(reply.status, OCSP_SUCCESSFUL);
	assert_true(reply.is_cacheable);
	assert_int_equal(reply.modified_at, NOW - 100);
	assert_int_equal(reply.next_update, NOW + 1000);
	memset(etag, mark, sizeof(etag));
	assert_memory_equal(reply.etag, etag, sizeof(etag));
	assert_int_equal(ocsp_response_read((struct der_bytes){ out,
	    reply.len }, &view, NULL), OC_OK);
	assert_int_equal(view.num_singles, 1);
	assert_int_equal(view.nonce.len, 0);
	assert_true(der_bytes_equal(view.responder_key_hash,
	    DER_ARRAY(c->identity.responder_key_hash)));
	rest = view.singles;
	assert_true(ocsp_response_next(&rest, &single));
	assert_true(der_bytes_equal(single.certid.tlv, certid));
	assert_int_equal(single.status.kind, OCSP_GOOD);
}

static inline void
expect_miss(struct blob request, uint32_t issuer, uint32_t num_singles,
    size_t nonce_len)
{
	assert_int_equal(ask(request), OCSP_MISSED);
	assert_int_equal(miss.issuer, issuer);
	assert_int_equal(miss.num_singles, num_singles);
	assert_int_equal(miss.nonce_len, nonce_len);
}

#endif
