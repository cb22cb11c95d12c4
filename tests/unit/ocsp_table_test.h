/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the response table share.  Include cmocka's before. */
#ifndef TESTS_UNIT_OCSP_TABLE_TEST_H
#define TESTS_UNIT_OCSP_TABLE_TEST_H

#include <stdio.h>

#include "base/clock.h"
#include "ocsp/table.h"
#include "tests/unit/der_test.h"

#define TEST_PATH_MAX 256

static const uint8_t test_store_id[OCSP_STORE_ID_LEN] = "the test's store";

/* A test's *state is the path of its table, in a directory of its own. */
static inline int
table_setup(void **state)
{
	const char *tmp = getenv("TMPDIR");
	char *path = malloc(TEST_PATH_MAX);
	int len;

	assert_non_null(path);
	len = snprintf(path, TEST_PATH_MAX, "%s/ocsp-table-XXXXXX",
	    tmp == NULL ? "/tmp" : tmp);
	assert_in_range(len, 1, TEST_PATH_MAX - 20);
	assert_non_null(mkdtemp(path));
	(void)strcat(path, "/table");
	*state = path;
	return 0;
}

static inline int
table_teardown(void **state)
{
	char *path = *state, name[TEST_PATH_MAX + 8];

	(void)unlink(path);
	(void)snprintf(name, sizeof(name), "%s.lock", path);
	(void)unlink(name);
	(void)snprintf(name, sizeof(name), "%s" OCSP_TABLE_OLDER_SUFFIX, path);
	(void)unlink(name);
	(void)snprintf(name, sizeof(name), "%s.new", path);
	(void)unlink(name);
	*strrchr(path, '/') = '\0';
	assert_int_equal(rmdir(path), 0);
	free(path);
	return 0;
}

#define TABLE_TEST(f) \
	cmocka_unit_test_setup_teardown(f, table_setup, table_teardown)

static inline struct ocsp_identity
test_identity(void)
{
	struct ocsp_identity identity;

	memset(&identity, 0, sizeof(identity));
	memset(identity.name_hash, 0x11, sizeof(identity.name_hash));
	memset(identity.key_hash, 0x22, sizeof(identity.key_hash));
	memset(identity.responder_key_hash, 0x33, 20);
	identity.alg = SIGN_ECDSA_SHA256;
	identity.signature_len = 64;
	identity.signer_not_after = INT64_C(4000000000);
	return identity;
}

static inline struct ocsp_table *
make_table(const char *path)
{
	struct ocsp_identity identity = test_identity();
	struct oc_error error = { 0 };
	struct ocsp_table *table;

	if (ocsp_table_create(path, &identity, test_store_id, 1, &table,
	    &error) != OC_OK)
		fail_msg("%s", error.text);
	return table;
}

static inline struct oc_serial
test_serial(const char *hex)
{
	struct der_bytes bytes = test_unhex(hex);
	struct oc_serial serial;

	assert_int_equal(oc_serial_from_bytes(bytes.p, bytes.len, &serial),
	    OC_OK);
	test_release(bytes);
	return serial;
}

static inline void
put_number(uint8_t *out, uint64_t number)
{
	int i;

	for (i = 0; i < 8; i++)
		out[i] = (uint8_t)(number >> (56 - 8 * i));
}

/* Certificate n's answer of this generation: every field follows from the
 * two, so that a mixture of two is seen. */
static inline struct ocsp_slot
slot_of(uint64_t n, uint8_t encoding, uint64_t generation)
{
	struct ocsp_slot slot;
	uint64_t chance = n * 1000003 + generation + 1;
	uint8_t bytes[10] = { 0x41, 0 };

	memset(&slot, 0, sizeof(slot));
	put_number(bytes + 2, n);
	if (oc_serial_from_bytes(bytes, sizeof(bytes), &slot.serial) != OC_OK)
		abort();
	slot.encoding = encoding;
	slot.produced_at = (int64_t)(generation % 1000000000);
	slot.this_update = slot.produced_at + 1;
	slot.next_update = INT64_C(4000000000);
	if (generation % 2 == 1)
		slot.status = (struct ocsp_status){ OCSP_REVOKED,
		    CRL_REASON_SUPERSEDED, slot.produced_at + 3 };
	slot.signature_len = 64;
	test_random_fill(&chance, slot.signature, 56);
	put_number(slot.signature + 56, generation);
	return slot;
}

static inline bool
slots_are_equal(const struct ocsp_slot *a, const struct ocsp_slot *b)
{
	return oc_serial_equal(&a->serial, &b->serial) &&
	    a->encoding == b->encoding && a->status.kind == b->status.kind &&
	    a->status.reason == b->status.reason &&
	    a->status.revoked_at == b->status.revoked_at &&
	    a->produced_at == b->produced_at &&
	    a->this_update == b->this_update &&
	    a->next_update == b->next_update &&
	    a->signature_len == b->signature_len &&
	    memcmp(a->signature, b->signature, a->signature_len) == 0;
}

static inline void
assert_slot_equal(const struct ocsp_slot *a, const struct ocsp_slot *b)
{
	assert_true(slots_are_equal(a, b));
}

/* Is it one that slot_of() made?  Serial and generation say which. */
static inline bool
is_consistent(const struct ocsp_slot *slot)
{
	uint64_t n = 0, generation = 0;
	struct ocsp_slot made;
	int i;

	for (i = 0; i < 8; i++) {
		n = n << 8 | slot->serial.bytes[2 + i];
		generation = generation << 8 | slot->signature[56 + i];
	}
	made = slot_of(n, slot->encoding, generation);
	return slots_are_equal(slot, &made);
}

#endif
