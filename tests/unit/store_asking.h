/* SPDX-License-Identifier: Apache-2.0 */
/* An account with a zone, and what it asks for. */
#ifndef TESTS_UNIT_STORE_ASKING_H
#define TESTS_UNIT_STORE_ASKING_H

#include "store_fixture.h"

#include "store/account.h"

struct asking {
	struct store_account account;
	struct store_zone zone;
	uint8_t key[STORE_HASH_LEN];
	struct store_request request;
};

static inline void
setup_asking(struct fixture *f, struct asking *a)
{
	*a = (struct asking){ .account.state = STORE_ACCOUNT_ACTIVE,
		.zone.state = STORE_ZONE_ACTIVE };
	strcpy(a->account.name, "acme");
	strcpy(a->zone.name, "example.com");
	assert_ok(store_add_account(f->store, &a->account));
	a->zone.account_id = a->account.id;
	assert_ok(store_add_zone(f->store, &a->zone, STORE_ZONE_ALONE));
	memset(a->key, 7, sizeof(a->key));
	a->request = (struct store_request){
		.account_id = a->account.id,
		.hostnames = "[\"b.example.com\",\"A.example.com\"]",
		.csr = BLOB("-----BEGIN CERTIFICATE REQUEST-----\r\n"),
		.type = "origin-ecc",
		.validity = 5475,
		.zone_ids = &a->zone.id,
		.num_zones = 1,
		.key = a->key
	};
}

static inline struct store_reserved
ask(struct fixture *f, const struct asking *a, uint64_t n)
{
	struct store_reservation r = reservation_of(f->issuer_id, n);
	struct store_reserved reserved = { .id = -1 };

	if (store_reserve_request(f->store, &r, &a->request, &reserved) !=
	    OC_OK)
		fail_msg("%s", store_error(f->store));
	return reserved;
}

static inline void
assert_outcome(struct fixture *f, const struct asking *a, uint64_t n,
    enum store_outcome outcome, int64_t id)
{
	struct store_reserved reserved = ask(f, a, n);

	assert_int_equal(reserved.outcome, outcome);
	assert_int_equal(reserved.id, id);
}

static inline int64_t
count(struct fixture *f, const char *table)
{
	char text[128];

	snprintf(text, sizeof(text), "SELECT count(*) FROM %s", table);
	return read_sql(f->path, text);
}

#endif
