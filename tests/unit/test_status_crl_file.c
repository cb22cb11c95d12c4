/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A CRL in a file: each way in which it is refused, by its name, at the start
 * and over a good one, and that nothing goes back.
 * RFC5280:5.2.3 RFC5280:6.3.3
 */
#include "tests/unit/crl_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/pem.h>

#include "base/log.h"

/* --- what is refused --------------------------------------------------- */

static void
put_missing(struct crl_world *w)
{
	(void)unlink(w->path);
}

static void
put_empty(struct crl_world *w)
{
	fixture_write(w->path, "", 0);
}

static void
put_pipe(struct crl_world *w)
{
	(void)unlink(w->path);
	assert_int_equal(mkfifo(w->path, 0600), 0);
}

static void
put_directory(struct crl_world *w)
{
	(void)unlink(w->path);
	assert_int_equal(mkdir(w->path, 0700), 0);
}

static void
put_certificate(struct crl_world *w)
{
	FILE *f = fopen(w->path, "w");

	assert_int_equal(PEM_write_X509(f, w->ca), 1);
	(void)fclose(f);
}

static void
put_key(struct crl_world *w)
{
	FILE *f = fopen(w->path, "w");

	assert_int_equal(PEM_write_PrivateKey(f, w->key, NULL, NULL, 0, NULL,
	    NULL), 1);
	(void)fclose(f);
}

static void
put_bad_signature(struct crl_world *w)
{
	put_by(w, "CA", w->other_key);
}

static void
put_wrong_issuer(struct crl_world *w)
{
	put_by(w, "Other CA", w->key);
}

static void
put_trailing(struct crl_world *w)
{
	FILE *f;

	put(w, &(struct crl_order){ .number = 9, .items = two });
	f = fopen(w->path, "ab");
	assert_int_equal(fputc(0, f), 0);
	(void)fclose(f);
}

static void
put_large(struct crl_world *w)
{
	put_empty(w);
	assert_int_equal(truncate(w->path, OC_CRL_FILE_MAX + 1), 0);
}

#define ORDER(...) .order = { .number = 9, .items = two, __VA_ARGS__ }
static const struct {
	const char *why;
	void (*put)(struct crl_world *w);	/* NULL: order */
	struct crl_order order;
} bad[] = {
	{ .why = "No such file", .put = put_missing },
	{ .why = "is empty", .put = put_empty },
	{ .why = "is no regular file", .put = put_pipe },
	{ .why = "is no regular file", .put = put_directory },
	{ .why = "CERTIFICATE", .put = put_certificate },
	{ .why = "private key", .put = put_key },
	{ .why = "is larger than", .put = put_large },
	{ .why = "not a CRL, neither in PEM nor in DER", .put = put_trailing },
	{ .why = "the signature does not verify", .put = put_bad_signature },
	{ .why = "it is issued by \"CN=Other CA\", not by \"CN=CA\"",
	    .put = put_wrong_issuer },
	{ .why = "it is from the future", ORDER(.begins_s = 900) },
	{ .why = "it has expired", ORDER(.begins_s = -900, .lasts_s = -10) },
	{ .why = "it ends before it begins", ORDER(.begins_s = -10,
	    .lasts_s = -100) },
	{ .why = "it has no nextUpdate", ORDER(.is_endless = true) },
	{ .why = "it is a delta CRL", ORDER(.is_delta = true) },
	{ .why = "it is an indirect CRL", ORDER(.idp = "indirectCRL = TRUE") },
	{ .why = "onlySomeReasons", ORDER(.idp = "onlysomereasons = "
	    "keyCompromise, CACompromise") },
	{ .why = "onlyContainsAttributeCerts", ORDER(.idp = "onlyAA = TRUE") },
	{ .why = "which cannot be", ORDER(.idp = "onlyuser = TRUE\n"
	    "onlyCA = TRUE") },
	{ .why = "critical extension 1.3.6.1.4.1.32473.1 is not known",
	    ORDER(.has_unknown_critical = true) },
};

static void
put_bad(struct crl_world *w, size_t i)
{
	(void)remove(w->path);
	if (bad[i].put != NULL)
		bad[i].put(w);
	else
		put(w, &bad[i].order);
}

/* Never anything by default: with nothing before it nothing is in force. */
static void
test_refused_at_start(void **state)
{
	struct crl_world *w = *state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		put_bad(w, i);
		start(w);
		assert_true(report(w).of.refused_since != 0);
		expect_refused(w, bad[i].why, NULL);
		assert_int_equal(report(w).of.num_refused, 1);
		assert_int_equal(access(w->copy, F_OK), -1);
	}
}

static void
test_refused_after_a_good_one(void **state)
{
	struct crl_world *w = *state;
	struct crl_order good = { .number = 5, .items = two };
	struct status_entry first, found;
	struct status_crl_list *list;

	put(w, &good);
	start(w);
	expect_well(w, "5");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		put_bad(w, i);
		expect_refused(w, bad[i].why, "5");
	}
	list = status_crl_file_hold(w->file);
	assert_int_equal(list->list.num_entries, 2);
	first = status_list_at(&list->list, 0);
	assert_true(status_list_find(&list->list, &first.serial, &found));
	assert_true(status_entry_says_same(&first, &found));
	status_crl_list_release(list);
	/* And it is over as soon as a good one is there. */
	(void)remove(w->path);
	good.number = 6;
	put(w, &good);
	assert_true(look(w));
	expect_well(w, "6");
	assert_int_equal(report(w).of.num_taken, 2);
}

/* In any order, and twice: each is there once, as the entry says that nobody
 * takes back. */
static void
test_order(void **state)
{
	static const struct crl_item orders[][4] = {
		{ { "05", CRL_REASON_CERTIFICATE_HOLD, 0 },
		    { "05", CRL_REASON_SUPERSEDED, 0 },
		    { "0100", CRL_REASON_SUPERSEDED, 0 }, { NULL, 0, 0 } },
		{ { "05", CRL_REASON_SUPERSEDED, 0 },
		    { "05", CRL_REASON_CERTIFICATE_HOLD, 0 },
		    { "0100", CRL_REASON_SUPERSEDED, 0 }, { NULL, 0, 0 } },
		{ { "0100", CRL_REASON_SUPERSEDED, 0 },
		    { "05", CRL_REASON_SUPERSEDED, 0 }, { NULL, 0, 0 } },
		{ { "05", CRL_REASON_CERTIFICATE_HOLD, 0 },
		    { "0100", CRL_REASON_SUPERSEDED, 0 },
		    { "05", CRL_REASON_SUPERSEDED, 0 }, { NULL, 0, 0 } },
		{ { "05", CRL_REASON_SUPERSEDED, 0 },
		    { "0100", CRL_REASON_SUPERSEDED, 0 }, { NULL, 0, 0 } },
	};
	const struct oc_serial five = { { 5 }, 1 };
	struct crl_world *w = *state;

	for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
		struct crl_order order = { .number = (int64_t)i + 1,
		    .items = orders[i] };
		struct status_crl_list *crl;
		const struct status_list *list;
		struct status_entry entry;

		put(w, &order);
		if (i == 0)
			start(w);
		else
			assert_true(look(w));
		crl = status_crl_file_hold(w->file);
		assert_non_null(crl);
		list = &crl->list;
		assert_int_equal(list->num_entries, 2);
		assert_int_equal(list->num_revoked, 2);
		assert_int_equal(status_list_at(list, 0).serial.len, 1);
		assert_int_equal(status_list_at(list, 1).serial.len, 2);
		assert_true(status_list_find(list, &five, &entry));
		assert_int_equal(entry.reason, CRL_REASON_SUPERSEDED);
		status_crl_list_release(crl);
	}
}

/* In no order, and alike in all that is compared without unpacking them. */
static void
test_alike(void **state)
{
	static const struct crl_item items[] = {
		{ "40AABBCCDDEEFF0003", CRL_REASON_SUPERSEDED, 0 },
		{ "40AABBCCDDEEFF0001", CRL_REASON_KEY_COMPROMISE, 0 },
		{ "40AABBCCDDEEFF0002", CRL_REASON_REMOVE_FROM_CRL, 0 },
		{ "40AABBCCDDEEFF0001", CRL_REASON_CERTIFICATE_HOLD, 0 },
		{ NULL, 0, 0 } };
	struct crl_world *w = *state;
	struct status_crl_list *crl;

	put(w, &(struct crl_order){ .number = 1, .items = items });
	start(w);
	crl = status_crl_file_hold(w->file);
	assert_non_null(crl);
	assert_int_equal(crl->list.num_entries, 3);
	assert_int_equal(crl->list.num_revoked, 2);
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(status_list_at(&crl->list,
		    i).serial.bytes[8], i + 1);
	assert_int_equal(status_list_at(&crl->list, 0).reason,
	    CRL_REASON_KEY_COMPROMISE);
	status_crl_list_release(crl);
}

static void
test_certificate(void **state)
{
	struct crl_world *w = *state;
	struct oc_error error = { 0 };
	struct crl_order order = { .number = 5, .aki = "another key's id" };

	/* A certificate without subjectKeyIdentifier says nothing of it. */
	put(w, &order);
	start(w);
	expect_well(w, "5");
	write_certificate(w, w->delegate);
	start(w);
	expect_refused(w, "a keyUsage without cRLSign", NULL);
	(void)unlink(w->certificate);
	status_crl_file_free(w->file);
	w->file = NULL;
	assert_int_equal(status_crl_file_new(&w->plan, &w->file, &error),
	    OC_ERR_NOT_FOUND);
	assert_non_null(strstr(error.text, "ca.cer"));
}

static void
test_key_id(void **state)
{
	struct crl_world *w = *state;
	X509V3_CTX context;
	X509_EXTENSION *id;

	X509V3_set_ctx(&context, w->ca, w->ca, NULL, NULL, 0);
	id = X509V3_EXT_conf_nid(NULL, &context, NID_subject_key_identifier,
	    "6f7572206b6579");
	assert_int_equal(X509_add_ext(w->ca, id, -1), 1);
	X509_EXTENSION_free(id);
	assert_true(X509_sign(w->ca, w->key, EVP_sha256()) > 0);
	write_certificate(w, w->ca);
	put(w, &(struct crl_order){ .number = 5, .aki = "our key" });
	start(w);
	expect_well(w, "5");
	put(w, &(struct crl_order){ .number = 6, .aki = "another" });
	expect_refused(w, "authorityKeyIdentifier", "5");
	/* Without one, the signature says enough. */
	put(w, &(struct crl_order){ .number = 7 });
	assert_true(look(w));
}

/* A part serves who asks for what is on it, and not who is told "good" of what
 * is not. */
static void
test_parts(void **state)
{
	static const struct {
		const char *idp, *why;
	} parts[] = {
		{ "onlyuser = TRUE", "onlyContainsUserCerts" },
		{ "onlyCA = TRUE", "onlyContainsCACerts" },
		{ "fullname = URI:http://example.com/1.crl",
		    "distributionPoint" },
	};
	struct crl_world *w = *state;

	for (size_t i = 0; i < 3; i++) {
		w->plan.scope = STATUS_CRL_ANY;
		put(w, &(struct crl_order){ .number = 5 + (int64_t)i,
		    .idp = parts[i].idp });
		start(w);
		assert_int_equal(report(w).of.refused_since, 0);
		/* Nor by way of the copy. */
		w->plan.scope = STATUS_CRL_WHOLE;
		start(w);
		expect_refused(w, parts[i].why, NULL);
	}
	put(w, &(struct crl_order){ .number = 9 });
	assert_true(look(w));
}

/* --- no step back ------------------------------------------------------ */

static void
test_rollback(void **state)
{
	struct crl_world *w = *state;
	int again;

	put(w, &(struct crl_order){ .number = 500, .items = two });
	start(w);
	for (again = 0; again < 2; again++) {
		put(w, &(struct crl_order){ .number = 499, .items = two,
		    .begins_s = -30 });
		expect_refused(w, "its number is 499, that one's 500", "500");
		put(w, &(struct crl_order){ .number = 501, .items = two,
		    .begins_s = -90 });
		expect_refused(w, "its thisUpdate is", "500");
		put(w, &(struct crl_order){ .items = two, .begins_s = -30 });
		expect_refused(w, "its number is none", "500");
		put(w, &(struct crl_order){ .number = 500, .items = two,
		    .begins_s = -30 });
		expect_refused(w, "says something else", "500");
		/* What is known of it outlives us. */
		start(w);
		expect_refused(w, "says something else", "500");
		assert_non_null(strstr(report(w).of.why, w->copy));
	}
	/* A person may say otherwise. */
	assert_int_equal(unlink(w->copy), 0);
	put(w, &(struct crl_order){ .number = 3, .items = two });
	start(w);
	expect_well(w, "3");
}

static void
test_without_numbers(void **state)
{
	struct crl_world *w = *state;

	put(w, &(struct crl_order){ .begins_s = -60, .items = two });
	start(w);
	expect_well(w, "none");
	put(w, &(struct crl_order){ .begins_s = -600, .items = two });
	expect_refused(w, "its thisUpdate is", "none");
	put(w, &(struct crl_order){ .begins_s = -50, .items = two });
	assert_true(look(w));
	put(w, &(struct crl_order){ .begins_s = -40, .number = 1,
	    .items = two });
	assert_true(look(w));
	expect_well(w, "1");
}

static void
test_shrinks(void **state)
{
	static const struct crl_item four[] = {
		{ "01", CRL_NO_REASON, 0 }, { "02", CRL_NO_REASON, 0 },
		{ "0103", CRL_REASON_SUPERSEDED, 0 },
		{ "04", CRL_REASON_CERTIFICATE_HOLD, 0 }, { NULL, 0, 0 }
	}, released[] = {
		{ "0103", CRL_REASON_SUPERSEDED, 0 },
		{ "02", CRL_NO_REASON, 0 }, { "01", CRL_NO_REASON, 0 },
		{ NULL, 0, 0 }
	}, held[] = {
		{ "01", CRL_NO_REASON, 0 },
		{ "02", CRL_REASON_CERTIFICATE_HOLD, 0 },
		{ "0103", CRL_REASON_SUPERSEDED, 0 }, { NULL, 0, 0 }
	}, removed[] = {
		{ "01", CRL_NO_REASON, 0 },
		{ "02", CRL_REASON_REMOVE_FROM_CRL, 0 },
		{ "0103", CRL_REASON_SUPERSEDED, 0 }, { NULL, 0, 0 }
	};
	struct crl_world *w = *state;

	put(w, &(struct crl_order){ .number = 1, .items = four });
	start(w);
	put(w, &(struct crl_order){ .number = 2, .items = released });
	assert_true(look(w));
	put(w, &(struct crl_order){ .number = 3, .items = released + 1 });
	expect_refused(w, "of 3 that were revoked for good 1 are no longer on "
	    "it, 0103 for one, and crl-dropped is 0 per cent", "2");
	put(w, &(struct crl_order){ .number = 3 });
	expect_refused(w, "of 3 that were revoked for good 3 are", "2");
	/* In two steps it would be gone as well. */
	put(w, &(struct crl_order){ .number = 3, .items = held });
	expect_refused(w, "1 are no longer on it, 02 for one", "2");
	put(w, &(struct crl_order){ .number = 3, .items = removed });
	assert_true(look(w));
	/* CAs that drop what has expired. */
	w->plan.dropped_max_percent = 49;
	put(w, &(struct crl_order){ .number = 4, .items = released + 2 });
	start(w);
	expect_refused(w, "of 2 that were", "3");
	w->plan.dropped_max_percent = 50;
	start(w);
	expect_well(w, "4");
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(refused_at_start), TEST(refused_after_a_good_one),
		TEST(order), TEST(alike),
		TEST(certificate), TEST(key_id), TEST(parts), TEST(rollback),
		TEST(without_numbers), TEST(shrinks),
	};

	oc_log_init("test", OC_LOG_ERROR - 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
