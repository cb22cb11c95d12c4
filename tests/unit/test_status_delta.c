/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A CRL and a delta to it: what both say together, each delta that is refused,
 * and NIST's PKITS, where our verdicts are OpenSSL's.
 * RFC5280:5.2.4
 */
#include "tests/unit/crl_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/x509v3.h>

#include "base/log.h"
#include "x509/file.h"

#define PKITS "/usr/lib/python3/dist-packages/cryptography_vectors/x509/" \
	"PKITS_data"

static const struct crl_item base_items[] = {
	{ "1001", CRL_REASON_KEY_COMPROMISE, 0 },
	{ "1002", CRL_REASON_CERTIFICATE_HOLD, 0 },
	{ "1003", CRL_REASON_CERTIFICATE_HOLD, 0 },
	{ NULL, 0, 0 }
}, delta_items[] = {
	{ "1000", CRL_REASON_SUPERSEDED, 0 },
	{ "1002", CRL_REASON_REMOVE_FROM_CRL, 0 },
	{ "1003", CRL_REASON_KEY_COMPROMISE, -60 },
	{ "1004", CRL_REASON_KEY_COMPROMISE, 0 },
	{ NULL, 0, 0 }
}, both_items[] = {
	{ "1000", CRL_REASON_SUPERSEDED, 0 },
	{ "1001", CRL_REASON_KEY_COMPROMISE, 0 },
	{ "1003", CRL_REASON_KEY_COMPROMISE, 0 },
	{ "1004", CRL_REASON_KEY_COMPROMISE, 0 },
	{ NULL, 0, 0 }
};

struct deltas {
	struct crl_world *w;
	char path[112], copy[112];
};
static struct deltas d;

static int
set_up(void **state)
{
	int rc = setup(state);

	d.w = *state;
	(void)snprintf(d.path, sizeof(d.path), "%s/delta", d.w->directory);
	(void)snprintf(d.copy, sizeof(d.copy), "%s-delta", d.w->copy);
	d.w->plan.delta = d.path;
	return rc;
}

static void
put_delta(const struct crl_order *order)
{
	size_t len;
	uint8_t *der = fixture_crl(order, d.w->ca, d.w->key, &len);

	fixture_write(d.path, der, len);
	OPENSSL_free(der);
}

static const struct crl_order five = { .number = 5, .items = base_items };
static struct crl_order seven = { .number = 7, .base = 5,
    .is_delta = true, .begins_s = -30, .lasts_s = 3600,
    .items = delta_items };

static void
put_good(void)
{
	/* As often as it is made it says the same. */
	seven.now = oc_clock_now_s();
	put(d.w, &five);
	put_delta(&seven);
	start(d.w);
	expect_well(d.w, "7");
}

/* '-': nothing is said of it; 'g', 'r'. */
static void
expect_status(const char *hex, char status, enum crl_reason reason)
{
	struct status_crl_list *list = status_crl_file_hold(d.w->file);
	struct status_entry entry;
	struct oc_serial serial;

	assert_non_null(list);
	assert_true(status_serial_read(hex, strlen(hex), &serial));
	if (!status_list_find(&list->list, &serial, &entry))
		assert_int_equal(status, '-');
	else if (entry.is_revoked != (status == 'r') || status == '-' ||
	    entry.reason != reason)
		fail_msg("%s: %d %d", hex, entry.is_revoked, entry.reason);
	status_crl_list_release(list);
}

/* --- together ---------------------------------------------------------- */

static void
test_together(void **state)
{
	struct status_bounds bounds;
	int64_t now;

	(void)state;
	put_good();
	expect_status("1000", 'r', CRL_REASON_SUPERSEDED);
	expect_status("1001", 'r', CRL_REASON_KEY_COMPROMISE);
	expect_status("1002", 'g', CRL_REASON_REMOVE_FROM_CRL);
	expect_status("1003", 'r', CRL_REASON_KEY_COMPROMISE);
	expect_status("1004", 'r', CRL_REASON_KEY_COMPROMISE);
	expect_status("1005", '-', CRL_REASON_UNSPECIFIED);
	assert_int_equal(report(d.w).of.num_revoked, 4);
	/* From the later on, and until the sooner ends. */
	bounds = status_watch_bounds(status_crl_file_watched(d.w->file));
	now = oc_clock_now_s();
	assert_in_range(bounds.this_update, now - 40, now - 30);
	assert_in_range(bounds.next_update, now + 3590, now + 3600);
	/* And the other way round. */
	put(d.w, &(struct crl_order){ .number = 5, .items = base_items,
	    .begins_s = -10, .lasts_s = 1800 });
	put_delta(&(struct crl_order){ .number = 8, .base = 5,
	    .is_delta = true, .items = delta_items, .begins_s = -20 });
	(void)look(d.w);
	expect_well(d.w, "8");
	bounds = status_watch_bounds(status_crl_file_watched(d.w->file));
	assert_in_range(bounds.this_update, now - 15, now);
	assert_in_range(bounds.next_update, now + 1790, now + 1805);
}

/* One delta after the other, and then a list that has it all. */
static void
test_one_after_the_other(void **state)
{
	struct crl_order order;

	(void)state;
	put_good();
	order = seven;
	order.number = 9;
	put_delta(&order);
	assert_true(look(d.w));
	expect_well(d.w, "9");
	/* A list as new as the delta stands alone, and so does a newer one;
	 * the delta may then go on being what it was. */
	put(d.w, &(struct crl_order){ .number = 9, .items = both_items,
	    .begins_s = -30 });
	order.number = 9;
	for (int i = 0; i < 4; i++)
		(void)look(d.w);
	if (report(d.w).of.refused_since == 0)
		fail_msg("the same number, another list");
	put(d.w, &(struct crl_order){ .number = 10, .items = both_items,
	    .begins_s = -10 });
	assert_true(look(d.w));
	expect_well(d.w, "10");
	expect_status("1002", '-', CRL_REASON_UNSPECIFIED);
	expect_status("1004", 'r', CRL_REASON_KEY_COMPROMISE);
	assert_int_equal(access(d.copy, F_OK), -1);
	/* A delta to that, by a base number before it. */
	order.number = 11;
	order.begins_s = -5;
	order.items = NULL;
	put_delta(&order);
	assert_true(look(d.w));
	expect_well(d.w, "11");
	expect_status("1004", 'r', CRL_REASON_KEY_COMPROMISE);
}

/* --- what is refused --------------------------------------------------- */

static const struct {
	const char *why;
	struct crl_order order;
} refused[] = {
	{ "delta CRL: it is a whole CRL, without deltaCRLIndicator",
	    { .number = 8, .items = base_items } },
	{ "delta CRL: it has no cRLNumber",
	    { .base = 5, .is_delta = true } },
	{ "delta CRL: it is to a CRL of the number 0x06 at least "
	    "(BaseCRLNumber), and that is 0x05",
	    { .number = 8, .base = 6, .is_delta = true } },
	{ "delta CRL: its issuingDistributionPoint is not the CRL's",
	    { .number = 8, .base = 5, .is_delta = true,
	    .idp = "onlyuser=TRUE" } },
	{ "delta CRL: its authorityKeyIdentifier is not the CRL's",
	    { .number = 8, .base = 5, .is_delta = true, .aki = "key" } },
	{ "delta CRL: it has expired",
	    { .number = 8, .base = 5, .is_delta = true, .begins_s = -30,
	    .lasts_s = -10 } },
	{ "delta CRL: it is from the future",
	    { .number = 8, .base = 5, .is_delta = true, .begins_s = 900 } },
	{ "delta CRL: it has no nextUpdate",
	    { .number = 8, .base = 5, .is_delta = true,
	    .is_endless = true } },
	{ "CRL: it is an indirect CRL",
	    { .number = 8, .base = 5, .is_delta = true,
	    .idp = "indirectCRL=TRUE" } },
	{ "is not known here",
	    { .number = 8, .base = 5, .is_delta = true,
	    .has_unknown_critical = true } },
	{ "it is older than the last good one: its number is 6",
	    { .number = 6, .base = 5, .is_delta = true,
	    .items = delta_items } },
	{ "are no longer on it",
	    { .number = 8, .base = 5, .is_delta = true, .begins_s = -10 } },
};

static void
test_refused(void **state)
{
	(void)state;
	put_good();
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		put_delta(&refused[i].order);
		expect_refused(d.w, refused[i].why, "7");
		expect_status("1004", 'r', CRL_REASON_KEY_COMPROMISE);
		put_delta(&seven);
		(void)look(d.w);
		expect_well(d.w, "7");
	}
}

static void
test_broken(void **state)
{
	struct crl_order order;
	size_t len;
	uint8_t *der;

	(void)state;
	put_good();
	order = seven;
	(void)unlink(d.path);
	expect_refused(d.w, "delta CRL: ", "7");
	fixture_write(d.path, "", 0);
	expect_refused(d.w, "is empty", "7");
	order.number = 8;
	der = fixture_crl(&order, d.w->ca, d.w->key, &len);
	fixture_write(d.path, der, len - 1);
	expect_refused(d.w, "", "7");
	der[len - 1] ^= 1;
	fixture_write(d.path, der, len);
	expect_refused(d.w, "", "7");
	OPENSSL_free(der);
	der = fixture_crl(&order, d.w->ca, d.w->other_key, &len);
	fixture_write(d.path, der, len);
	expect_refused(d.w, "", "7");
	OPENSSL_free(der);
	/* One in the place of the whole list. */
	put_delta(&seven);
	put(d.w, &seven);
	expect_refused(d.w, "it is a delta CRL", "7");
	/* With a base that was lost: the delta is to a later one. */
	put(d.w, &(struct crl_order){ .number = 4, .items = base_items });
	expect_refused(d.w, "and that is 0x04", "7");
}

/* Alone it says nothing at all. */
static void
test_alone(void **state)
{
	(void)state;
	put_delta(&seven);
	start(d.w);
	expect_refused(d.w, "", NULL);
	put(d.w, &five);
	assert_true(look(d.w));
	expect_well(d.w, "7");
}

/* Over a restart what the delta said is remembered. */
static void
test_restart(void **state)
{
	struct crl_order order;

	(void)state;
	put_good();
	order = seven;
	(void)unlink(d.path);
	(void)unlink(d.w->path);
	start(d.w);
	expect_refused(d.w, "", "7");
	expect_status("1004", 'r', CRL_REASON_KEY_COMPROMISE);
	put(d.w, &five);
	order.number = 6;
	order.items = NULL;
	put_delta(&order);
	expect_refused(d.w, "it is older than the last good one", "7");
	/* Nor without a delta any more. */
	d.w->plan.delta = NULL;
	start(d.w);
	expect_refused(d.w, "", "5");
}

static void
test_freshest(void **state)
{
	struct crl_order order = five;
	struct der_bytes urls[2];
	struct x509_crl crl;
	size_t len;
	uint8_t *der;

	(void)state;
	order.freshest = "http://h/delta.crl";
	der = fixture_crl(&order, d.w->ca, d.w->key, &len);
	assert_int_equal(x509_crl_read((struct der_bytes){ der, len }, &crl,
	    NULL), OC_OK);
	assert_int_equal(x509_crl_freshest_urls(&crl, urls, 2), 1);
	assert_int_equal(urls[0].len, strlen(order.freshest));
	assert_memory_equal(urls[0].p, order.freshest, urls[0].len);
	assert_int_equal(x509_crl_freshest_urls(&crl, urls, 0), 0);
	/* What it should have been is somebody else's to complain of. */
	crl.freshest.len--;
	assert_int_equal(x509_crl_freshest_urls(&crl, urls, 2), 0);
	OPENSSL_free(der);
}

/* --- PKITS, 4.15 ------------------------------------------------------- */

static uint8_t *
pkits(const char *folder, const char *name, size_t *len)
{
	enum x509_file_kind kind = strcmp(folder, "crls") == 0 ?
	    X509_FILE_CRL : X509_FILE_CERTIFICATE;
	char path[256];
	uint8_t *der;

	(void)snprintf(path, sizeof(path), PKITS "/%s/%s", folder, name);
	assert_int_equal(x509_file_read(path, kind, &der, len, NULL), OC_OK);
	return der;
}

static X509 *
pkits_cert(const char *name)
{
	char file[96];
	size_t len;
	uint8_t *der;
	const uint8_t *p;
	X509 *cert;

	(void)snprintf(file, sizeof(file), "%s.crt", name);
	p = der = pkits("certs", file, &len);
	cert = d2i_X509(NULL, &p, (long)len);
	assert_non_null(cert);
	free(der);
	return cert;
}

static void
add_crl(STACK_OF(X509_CRL) *crls, const char *ca, const char *kind)
{
	char file[96];
	size_t len;
	uint8_t *der;
	const uint8_t *p;
	X509_CRL *crl;

	(void)snprintf(file, sizeof(file), "%s%s.crl", ca, kind);
	p = der = pkits("crls", file, &len);
	crl = d2i_X509_CRL(NULL, &p, (long)len);
	assert_non_null(crl);
	assert_true(sk_X509_CRL_push(crls, crl) > 0);
	free(der);
}

/* What OpenSSL says of the certificate itself. */
static int
verdict_of_openssl(const char *ca, bool has_delta, const char *ee)
{
	X509 *issuer, *cert = pkits_cert(ee);
	char name[96];
	STACK_OF(X509_CRL) *crls = sk_X509_CRL_new_null();
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	int error;

	(void)snprintf(name, sizeof(name), "%sCert", ca);
	issuer = pkits_cert(name);
	add_crl(crls, ca, "CRL");
	if (has_delta)
		add_crl(crls, ca, "deltaCRL");
	assert_int_equal(X509_STORE_add_cert(store, issuer), 1);
	X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK |
	    X509_V_FLAG_USE_DELTAS | X509_V_FLAG_EXTENDED_CRL_SUPPORT |
	    X509_V_FLAG_PARTIAL_CHAIN);
	assert_int_equal(X509_STORE_CTX_init(ctx, store, cert, NULL), 1);
	X509_STORE_CTX_set0_crls(ctx, crls);
	(void)X509_verify_cert(ctx);
	error = X509_STORE_CTX_get_error(ctx);
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(store);
	sk_X509_CRL_pop_free(crls, X509_CRL_free);
	X509_free(cert);
	X509_free(issuer);
	return error;
}

/* A file of theirs, as one of ours. */
static void
copy(const char *folder, const char *name, const char *to)
{
	size_t len;
	uint8_t *der = pkits(folder, name, &len);

	fixture_write(to, der, len);
	free(der);
}

/* 'r'; 'o' for anything else that it knows; '?': it has no list. */
static char
verdict_of_ours(const char *ca, bool has_delta, const char *ee)
{
	struct status_crl_list *list;
	struct status_entry entry;
	struct x509_cert cert;
	char file[96], verdict;
	size_t len;
	uint8_t *der;

	(void)snprintf(file, sizeof(file), "%sCert.crt", ca);
	copy("certs", file, d.w->certificate);
	(void)snprintf(file, sizeof(file), "%sCRL.crl", ca);
	copy("crls", file, d.w->path);
	(void)snprintf(file, sizeof(file), "%sdeltaCRL.crl", ca);
	if (has_delta)
		copy("crls", file, d.path);
	d.w->plan.delta = has_delta ? d.path : NULL;
	(void)unlink(d.w->copy);
	(void)unlink(d.copy);
	start(d.w);
	list = status_crl_file_hold(d.w->file);
	if (list == NULL)
		return '?';
	(void)snprintf(file, sizeof(file), "%s.crt", ee);
	der = pkits("certs", file, &len);
	assert_int_equal(x509_cert_read((struct der_bytes){ der, len }, &cert,
	    NULL), OC_OK);
	verdict = status_list_find(&list->list, &cert.serial, &entry) &&
	    entry.is_revoked ? 'r' : 'o';
	status_crl_list_release(list);
	free(der);
	return verdict;
}

static void
test_pkits(void **state)
{
	static const struct {
		const char *ca;
		bool has_delta;
		const char *ee;
	} cases[] = {
		{ "deltaCRLIndicatorNoBaseCA", false,
		    "InvaliddeltaCRLIndicatorNoBaseTest1EE" },
		{ "deltaCRLCA1", true, "ValiddeltaCRLTest2EE" },
		{ "deltaCRLCA1", true, "InvaliddeltaCRLTest3EE" },
		{ "deltaCRLCA1", true, "InvaliddeltaCRLTest4EE" },
		{ "deltaCRLCA1", true, "ValiddeltaCRLTest5EE" },
		{ "deltaCRLCA1", true, "InvaliddeltaCRLTest6EE" },
		{ "deltaCRLCA1", true, "ValiddeltaCRLTest7EE" },
		{ "deltaCRLCA2", true, "ValiddeltaCRLTest8EE" },
		{ "deltaCRLCA2", true, "InvaliddeltaCRLTest9EE" },
		{ "deltaCRLCA3", true, "InvaliddeltaCRLTest10EE" },
	};

	(void)state;
	if (access(PKITS, F_OK) != 0)
		skip();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *ee = cases[i].ee;
		const char *ca = cases[i].ca;
		int theirs = verdict_of_openssl(ca, cases[i].has_delta, ee);
		char ours = verdict_of_ours(ca, cases[i].has_delta, ee);

		if ((theirs == X509_V_OK) != (ours == 'o') ||
		    (theirs == X509_V_ERR_CERT_REVOKED) != (ours == 'r') ||
		    (theirs == X509_V_OK) != (strncmp(ee, "Valid", 5) == 0))
			fail_msg("%s: %c, OpenSSL: %s", ee, ours,
			    X509_verify_cert_error_string(theirs));
	}
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, set_up, \
	    teardown)
	const struct CMUnitTest tests[] = {
		TEST(together), TEST(one_after_the_other), TEST(refused),
		TEST(broken), TEST(alone), TEST(restart), TEST(freshest),
		TEST(pkits),
	};

	oc_log_init("test", OC_LOG_ERROR - 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
