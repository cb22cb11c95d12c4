/* SPDX-License-Identifier: Apache-2.0 */
/* An order for two names, and what comes of it. */
#ifndef TESTS_UNIT_STORE_ORDERING_H
#define TESTS_UNIT_STORE_ORDERING_H

#include "store_proof.h"

struct ordering {
	int64_t account, acme;
	struct store_authorization a, b;
	struct store_order order;
};

static inline struct store_order
order_of(const struct ordering *o)
{
	return (struct store_order){
		.account_id = o->account,
		.acme_account_id = o->acme,
		.expires_at = oc_clock_now_s() + HOUR,
		.profile = "server",
		.names = (char *)"[\"a.test\",\"*.b.test\"]",
		.num_authorizations = 2,
		.authorization_ids = { o->b.id, o->a.id }
	};
}

static inline void
setup_ordering(struct fixture *f, struct ordering *o)
{
	o->account = add_account(f, "a");
	o->acme = add_acme_account(f, o->account, 1);
	o->a = add_proof(f, o->account, o->acme, "a.test");
	o->b = add_proof(f, o->account, o->acme, "b.test");
	o->order = order_of(o);
	if (store_add_order(f->store, &o->order) != OC_OK)
		fail_msg("%s", store_error(f->store));
}

static inline void
setup_ready(struct fixture *f, struct ordering *o)
{
	setup_ordering(f, o);
	pass(f, &o->a);
	pass(f, &o->b);
}

static inline void
assert_order(struct fixture *f, const char *tag, enum store_order_state state,
    int64_t certificate_id)
{
	struct store_order order = { .id = 0 };

	assert_ok(store_find_order(f->store, tag, &order));
	assert_int_equal(order.state, state);
	assert_int_equal(order.certificate_id, certificate_id);
	assert_int_equal(order.num_authorizations, 2);
	store_order_fini(&order);
}

static inline enum oc_err
reserve(struct store *store, int64_t issuer_id, int64_t account,
    int64_t order_id, uint64_t n, int64_t *id)
{
	struct store_reservation r = reservation_of(issuer_id, n);
	struct store_request request = { .account_id = account,
		.hostnames = "[]", .csr = BLOB("csr"), .type = "acme",
		.validity = 90, .acme_order_id = order_id };
	struct store_reserved reserved = { .id = 0 };
	enum oc_err err;

	err = store_reserve_request(store, &r, &request, &reserved);
	if (err == OC_OK)
		*id = reserved.id;
	return err;
}

static inline int64_t
reserve_for(struct fixture *f, const struct ordering *o, uint64_t n)
{
	int64_t id = 0;

	if (reserve(f->store, f->issuer_id, o->account, o->order.id, n, &id)
	    != OC_OK)
		fail_msg("%s", store_error(f->store));
	return id;
}

#endif
