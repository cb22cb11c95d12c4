/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two signers of one issuer, each with a table and a feed of its own: what is
 * revoked is so in both, whoever hears of it first.
 */
#include "tests/unit/crl_fixture.h"
#include "tests/unit/status_fixture.h"

#include <poll.h>

#define USUAL OCSP_ENCODING_USUAL
#define LIST_MAX 3

/* The second one: the same key, for another directory. */
struct other {
	struct oc_config config;
	struct status_service *service;
	char directory[300];
};

static void
open_other(struct world *w, struct other *o)
{
	const struct status_service_plan plan = {
		.config = &o->config,
		.ocsp = &w->ocsp,
		.signer = &w->gate.signer,
		.budget = &w->budget,
		.verify_budget = &w->verify_budget,
		.crl_file = w->crl_file,
		.fellow = w->service,
	};
	struct oc_error error = { 0 };

	(void)snprintf(o->directory, sizeof(o->directory), "%s/other",
	    w->directory);
	o->config = w->config;
	o->config.daemon.table_directory = o->directory;
	if (status_service_new(&plan, &o->service, &error) != OC_OK)
		fail_msg("%s", error.text);
}

static void
turn_other(struct world *w, struct other *o)
{
	struct pollfd p = { status_service_fd(o->service), POLLIN, 0 };

	(void)poll(&p, 1, 10);
	if (p.revents != 0)
		status_service_dispatch(o->service);
	sign_dispatch(&w->gate.signer);
	status_service_tick(o->service, oc_clock_now_s());
}

/* Only the other's turns: the first hears of nothing. */
#define other_until(w, o, condition) do {				\
	int64_t other_end = oc_clock_mono_ns() + 10 * OC_NS_PER_S;	\
	while (!(condition)) {						\
		if (oc_clock_mono_ns() > other_end)			\
			fail_msg("never: %s", #condition);		\
		turn_other(w, o);					\
	}								\
} while (0)

static void
turn_both(struct world *w, struct other *o, int ms)
{
	int64_t end = oc_clock_mono_ns() + ms * OC_NS_PER_MS;

	while (oc_clock_mono_ns() < end) {
		world_turn(w, 10);
		turn_other(w, o);
	}
}

/* What its table says of a certificate. */
static struct ocsp_status
said(const struct status_service *s, uint64_t n)
{
	struct oc_serial serial = world_serial(n);
	struct ocsp_slot slot;

	return ocsp_table_find(s->table, &serial, USUAL, &slot) ?
	    slot.status : (struct ocsp_status){ .kind = OCSP_UNKNOWN };
}

static void
test_store(void **state)
{
	struct world *w = *state;
	struct other o = { .service = NULL };

	w->issuer.presign = OC_PRESIGN_ALL;
	world_issue_many(w, 1, 5);
	world_start(w);
	open_other(w, &o);
	other_until(w, &o, status_service_is_ready(o.service));
	assert_ptr_equal(o.service->set, w->service->set);
	turn_both(w, &o, 300);
	assert_int_equal(said(o.service, 2).kind, OCSP_GOOD);
	/* The one who knows it second withdraws it, too. */
	world_revoke(w, 2, CRL_REASON_KEY_COMPROMISE);
	world_until(w, said(w->service, 2).kind == OCSP_REVOKED);
	assert_int_equal(said(o.service, 2).kind, OCSP_GOOD);
	other_until(w, &o, said(o.service, 2).kind != OCSP_GOOD);
	turn_both(w, &o, 300);
	assert_int_equal(said(o.service, 2).kind, OCSP_REVOKED);
	/* The first may go first. */
	world_stop(w);
	other_until(w, &o, status_set_num(o.service->set) == 5);
	status_service_free(o.service);
}

static const struct on_list { int reason[LIST_MAX]; } lists[] = {
	/* Of 1, 2 and 3; 0: not on it. */
	{ { CRL_REASON_SUPERSEDED, CRL_REASON_CERTIFICATE_HOLD, 0 } },
	{ { CRL_REASON_SUPERSEDED, 0, 0 } },
	{ { CRL_REASON_SUPERSEDED, 0, CRL_REASON_CERTIFICATE_HOLD } },
	{ { CRL_REASON_SUPERSEDED, 0, 0 } },
	{ { CRL_REASON_SUPERSEDED, 0, CRL_REASON_KEY_COMPROMISE } },
};

static void
put_list(struct world *w, const char *path, int i, int64_t now)
{
	struct crl_item items[LIST_MAX + 1] = { { NULL, 0, 0 } };
	struct crl_order order = { .number = i + 1, .now = now,
	    .items = items };
	char serials[LIST_MAX][40];
	uint8_t *der;
	size_t len;
	int n, num = 0;

	for (n = 0; n < LIST_MAX; n++) {
		(void)snprintf(serials[n], sizeof(serials[n]),
		    "4000000000000000%016x", (unsigned int)n + 1);
		if (lists[i].reason[n] != 0)
			items[num++] = (struct crl_item){ serials[n],
			    lists[i].reason[n], 0 };
	}
	der = fixture_crl(&order, w->ca, w->ca_key, &len);
	fixture_write(path, der, len);
	OPENSSL_free(der);
}

/* They count the changes of a list each for itself, from where it began. */
static void
test_crl(void **state)
{
	struct world *w = *state;
	int64_t mono_ns = oc_clock_mono_ns(), now = oc_clock_now_s(), seq;
	struct other o = { .service = NULL };
	char path[300], copy[300];
	const struct status_crl_plan plan = {
		.issuer = "ca", .path = path, .copy = copy,
		.certificate = w->issuer.certificate,
		.scope = STATUS_CRL_WHOLE, .dropped_max_percent = 100,
	};

	(void)snprintf(path, sizeof(path), "%s/ca.crl", w->directory);
	(void)snprintf(copy, sizeof(copy), "%s/copy", w->directory);
	w->issuer.source = OC_SOURCE_CRL;
	w->issuer.unlisted = OC_UNLISTED_GOOD;
	w->issuer.presign = OC_PRESIGN_ALL;
	put_list(w, path, 0, now);
	assert_int_equal(status_crl_file_new(&plan, &w->crl_file, NULL),
	    OC_OK);
	world_start(w);
	for (int i = 1; i < 5; i++) {
		put_list(w, path, i, now);
		mono_ns += 5 * OC_NS_PER_S;
		assert_true(status_watch_look(
		    status_crl_file_watched(w->crl_file), now, mono_ns));
		seq = o.service == NULL ? 0 : o.service->seq;
		if (i > 1)
			other_until(w, &o, o.service->seq > seq &&
			    said(o.service, 3).kind != OCSP_UNKNOWN);
		seq = w->service->seq;
		world_until(w, w->service->seq > seq);
		if (i == 1) {
			open_other(w, &o);
			other_until(w, &o, status_service_is_ready(o.service));
		}
		turn_both(w, &o, 100);
	}
	assert_int_equal(said(w->service, 3).kind, OCSP_REVOKED);
	assert_int_equal(said(o.service, 3).kind, OCSP_REVOKED);
	assert_int_equal(said(o.service, 3).reason,
	    CRL_REASON_KEY_COMPROMISE);
	status_service_free(o.service);
	world_stop(w);
	status_crl_file_free(w->crl_file);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, world_setup, \
    world_teardown)
	const struct CMUnitTest tests[] = { TEST(store), TEST(crl) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
