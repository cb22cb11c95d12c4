/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an issuer publishes: is each certificate on the list that it names and
 * on no other, do a full list and deltas say the same, does what expired leave
 * only after it was listed once more, and is all published or nothing?
 */
#include "ca_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "ca/publish.h"
#include "ca/revoke.h"
#include "x509/crl.h"

#define PARTITIONS 3
#define DAY CA_FIXTURE_DAY_S
#define CRL_URL "http://pki.example/ca.crl"
#define DELTA_URL "http://pki.example/delta"

/* A calendar clock that somebody sets. */
static int64_t clock_offset_s;

int clock_gettime(clockid_t id, struct timespec *ts);
int
clock_gettime(clockid_t id, struct timespec *ts)
{
	long r = syscall(SYS_clock_gettime, id, ts);

	if (r == 0 && id == CLOCK_REALTIME)
		ts->tv_sec += clock_offset_s;
	return (int)r;
}

static int
setup(void **state)
{
	struct ca_fixture *f;

	clock_offset_s = 0;
	if (ca_setup(state) != 0)
		return -1;
	f = *state;
	f->section.crl_url = (char *)(uintptr_t)CRL_URL;
	f->section.crl_delta_url = (char *)(uintptr_t)DELTA_URL;
	f->section.crl_partitions = PARTITIONS;
	f->section.crl_partitions_open = PARTITIONS;
	f->section.crl_lifetime_s = 7 * DAY;
	f->section.crl_delta_lifetime_s = DAY;
	f->section.freshest_crl = OC_FRESHEST_CRL | OC_FRESHEST_CERTIFICATE;
	return 0;
}

static int
teardown(void **state)
{
	clock_offset_s = 0;
	return ca_teardown(state);
}

/* --- certificates ----------------------------------------------------- */

struct issued {
	struct oc_serial serial;
	uint32_t partition;
};

static bool
has_url(const struct x509_cert *cert, uint32_t partition)
{
	char text[OC_CRL_URL_MAX + 1];
	const struct x509_extensions *e = &cert->extensions;

	assert_true(oc_config_partition_url(CRL_URL, partition, text));
	return e->num_crl_urls == 1 && e->crl_urls[0].len == strlen(text) &&
	    memcmp(e->crl_urls[0].p, text, strlen(text)) == 0;
}

static struct issued
issue(struct ca_fixture *f, const char *profile_name, int64_t validity_s)
{
	struct ca_certificate certificate = { 0 };
	struct store_certificate row = { 0 };
	struct oc_error error = { 0 };
	struct x509_cert *cert = calloc(1, sizeof(*cert));
	struct ca_profile profile;
	struct issued issued;
	const struct ca_request request = {
		.profile = &profile,
		.csr = ca_csr("P-256", strcmp(profile_name, "server") == 0 ?
		    "CN=a.example" : "CN=A CA,O=Example,C=DE", NULL),
		.validity_s = validity_s,
	};

	ca_get_profile(f, profile_name, &profile);
	if (ca_issue(f->issuer, f->store, f->signer, &request, ca_deadline(),
	    &certificate, &error) != OC_OK)
		fail_msg("%s", error.text);
	issued.serial = certificate.serial;
	assert_int_equal(store_find_certificate(f->store,
	    f->issuer->store_id, &issued.serial, &row), OC_OK);
	issued.partition = row.crl_partition;
	/* What the records have is what it says. */
	assert_int_equal(x509_cert_read((struct der_bytes){ certificate.der,
	    certificate.der_len }, cert, &error), OC_OK);
	assert_true(has_url(cert, row.crl_partition));
	store_certificate_fini(&row);
	ca_certificate_fini(&certificate);
	free(cert);
	return issued;
}

/* Into that one. */
static struct issued
issue_into(struct ca_fixture *f, uint32_t partition, int64_t validity_s)
{
	struct issued issued;

	for (int i = 0; i < 200; i++) {
		issued = issue(f, "server", validity_s);
		if (issued.partition == partition)
			return issued;
	}
	fail_msg("none of 200 is in partition %u", partition);
	return issued;
}

static void
revoke_it(struct ca_fixture *f, const struct issued *issued,
    enum crl_reason reason)
{
	ca_put_status(f, &issued->serial, reason);
}

/* --- lists ------------------------------------------------------------ */

#define ALL ((struct ca_publish_order){ .sign_ns = 60 * OC_NS_PER_S })
#define DUE ((struct ca_publish_order){ .full_age_s = 4 * DAY, \
	.delta_age_s = DAY / 2, .on_change = true, \
	.sign_ns = 60 * OC_NS_PER_S })

static struct ca_publication
publish(struct ca_fixture *f, struct ca_publish_order order)
{
	struct ca_publication p = { 0 };
	struct oc_error error = { 0 };

	if (ca_publish(f->issuer, f->store, f->signer, &order, &p, &error) !=
	    OC_OK)
		fail_msg("%s", error.text);
	return p;
}

static uint32_t
publish_num(struct ca_fixture *f, struct ca_publish_order order)
{
	struct ca_publication p = publish(f, order);
	uint32_t num = p.num;

	ca_publication_fini(&p);
	return num;
}

enum kind { FULL, DELTA };

/* The newest one there is. */
static struct store_crl
find(struct ca_fixture *f, uint32_t partition, enum kind kind)
{
	const struct store_crl_scope scope = { f->issuer->store_id, partition,
	    kind == FULL ? STORE_CRL_FULL : STORE_CRL_DELTA };
	struct store_crl crl = { 0 };

	if (store_find_list(f->store, &scope, &crl) != OC_OK)
		fail_msg("%s", store_error(f->store));
	return crl;
}

#define NOT_THERE (-1)

/* The reason with which it is on that list. */
static int
reason_on(struct ca_fixture *f, uint32_t partition, enum kind kind,
    const struct issued *issued)
{
	struct store_crl stored = find(f, partition, kind);
	struct x509_crl_entry entry;
	struct x509_crl crl;
	struct der_bytes rest;
	int reason = NOT_THERE;

	assert_int_equal(x509_crl_read((struct der_bytes){ stored.crl,
	    stored.crl_len }, &crl, NULL), OC_OK);
	for (rest = crl.entries; rest.len > 0; ) {
		assert_int_equal(x509_crl_next_entry(&rest, &entry), OC_OK);
		if (oc_serial_equal(&entry.serial, &issued->serial))
			reason = (int)entry.reason;
	}
	store_crl_fini(&stored);
	return reason;
}

static void
check_shell(struct ca_fixture *f, uint32_t partition, enum kind kind)
{
	struct store_crl stored = find(f, partition, kind);
	struct oc_error error = { 0 };
	char text[OC_CRL_URL_MAX + 1];
	struct der_bytes url;
	struct x509_crl crl;

	assert_int_equal(x509_crl_read((struct der_bytes){ stored.crl,
	    stored.crl_len }, &crl, &error), OC_OK);
	assert_int_equal(kind == DELTA ? x509_delta_crl_verify(&crl,
	    &f->issuer->cert, &error) : x509_crl_verify(&crl,
	    &f->issuer->cert, &error), OC_OK);
	assert_int_equal(crl.is_delta, kind == DELTA);
	assert_int_equal(crl.point.has_only_user_certs, partition != 0);
	assert_int_equal(x509_crl_point_urls(&crl.point, &url, 1), 1);
	assert_true(oc_config_partition_url(CRL_URL, partition, text));
	assert_int_equal(url.len, strlen(text));
	assert_memory_equal(url.p, text, url.len);
	assert_int_equal(x509_crl_freshest_urls(&crl, &url, 1),
	    kind == FULL);
	if (kind == FULL) {
		assert_true(oc_config_partition_url(DELTA_URL, partition,
		    text));
		assert_int_equal(url.len, strlen(text));
		assert_memory_equal(url.p, text, url.len);
	}
	store_crl_fini(&stored);
}

/* --- tests ------------------------------------------------------------ */

/* RFC5280:5.2.5 */
static void
each_is_on_its_own_list(void **state)
{
	struct ca_fixture *f = *state;
	struct issued in[PARTITIONS + 1];
	struct ca_publication p;
	uint64_t last = 0;

	in[0] = issue(f, "intermediate", 0);
	assert_int_equal(in[0].partition, 0);
	for (uint32_t n = 1; n <= PARTITIONS; n++)
		in[n] = issue_into(f, n, 0);
	for (uint32_t n = 0; n <= PARTITIONS; n++)
		revoke_it(f, &in[n], CRL_REASON_SUPERSEDED);
	p = publish(f, ALL);
	assert_int_equal(p.num, 2 * (PARTITIONS + 1));
	for (uint32_t i = 0; i < p.num; i++) {
		const struct ca_crl *crl = &p.lists[i];

		/* RFC5280:5.2.4: a delta has the number of its full list. */
		assert_true(i % 2 == 0 ? crl->number > last :
		    crl->number == last);
		assert_int_equal(crl->base_number != 0, i % 2);
		assert_int_equal(crl->partition, i / 2);
		last = crl->number;
	}
	ca_publication_fini(&p);
	for (uint32_t n = 0; n <= PARTITIONS; n++) {
		check_shell(f, n, FULL);
		check_shell(f, n, DELTA);
		for (uint32_t k = 0; k <= PARTITIONS; k++)
			assert_int_equal(reason_on(f, k, FULL, &in[n]),
			    k == n ? CRL_REASON_SUPERSEDED : NOT_THERE);
	}
}

/* RFC5280:5.2.4 */
static void
deltas_say_what_changed(void **state)
{
	struct ca_fixture *f = *state;
	struct issued held = issue_into(f, 1, 0), bad = issue_into(f, 1, 0),
	    lifted = issue_into(f, 1, 0), never = issue_into(f, 1, 0);

	revoke_it(f, &held, CRL_REASON_CERTIFICATE_HOLD);
	revoke_it(f, &lifted, CRL_REASON_CERTIFICATE_HOLD);
	assert_int_equal(publish_num(f, DUE), 2 * (PARTITIONS + 1));
	assert_int_equal(publish_num(f, DUE), 0);
	assert_int_equal(reason_on(f, 1, DELTA, &held), NOT_THERE);

	revoke_it(f, &lifted, CRL_REASON_REMOVE_FROM_CRL);
	revoke_it(f, &bad, CRL_REASON_KEY_COMPROMISE);
	/* That partition's delta alone. */
	assert_int_equal(publish_num(f, DUE), 1);
	assert_int_equal(reason_on(f, 1, DELTA, &lifted),
	    CRL_REASON_REMOVE_FROM_CRL);
	assert_int_equal(reason_on(f, 1, DELTA, &bad),
	    CRL_REASON_KEY_COMPROMISE);
	assert_int_equal(reason_on(f, 1, DELTA, &held), NOT_THERE);
	assert_int_equal(reason_on(f, 1, DELTA, &never), NOT_THERE);
	assert_int_equal(reason_on(f, 1, FULL, &lifted),
	    CRL_REASON_CERTIFICATE_HOLD);
	/* What changes from one to another is listed again. */
	revoke_it(f, &held, CRL_REASON_CESSATION_OF_OPERATION);
	assert_int_equal(publish_num(f, DUE), 1);
	assert_int_equal(reason_on(f, 1, DELTA, &held),
	    CRL_REASON_CESSATION_OF_OPERATION);
	/* The next full one says it, and its delta still goes with the first,
	 * which somebody may hold. */
	assert_int_equal(publish_num(f, ALL), 2 * (PARTITIONS + 1));
	assert_int_equal(reason_on(f, 1, FULL, &bad),
	    CRL_REASON_KEY_COMPROMISE);
	assert_int_equal(reason_on(f, 1, FULL, &lifted), NOT_THERE);
	assert_int_equal(reason_on(f, 1, DELTA, &lifted),
	    CRL_REASON_REMOVE_FROM_CRL);
	assert_int_equal(reason_on(f, 1, DELTA, &bad),
	    CRL_REASON_KEY_COMPROMISE);
	/* Once that has ended it is to the second. */
	clock_offset_s = 7 * DAY + 1;
	assert_int_equal(publish_num(f, DUE), 2 * (PARTITIONS + 1));
	clock_offset_s = 7 * DAY + 2;
	assert_int_equal(publish_num(f, ALL), 2 * (PARTITIONS + 1));
	assert_int_equal(reason_on(f, 1, DELTA, &lifted), NOT_THERE);
}

/* RFC5280:3.3 */
static void
expired_leave_after_one_list(void **state)
{
	struct ca_fixture *f = *state;
	struct issued early = issue_into(f, 2, 2 * DAY),
	    late = issue_into(f, 2, 2 * DAY), after = issue_into(f, 2, 2 * DAY),
	    last = issue_into(f, 2, 2 * DAY);

	f->section.crl_lifetime_s = DAY;
	f->section.crl_delta_lifetime_s = DAY / 2;
	revoke_it(f, &early, CRL_REASON_SUPERSEDED);
	assert_int_equal(publish_num(f, ALL), 2 * (PARTITIONS + 1));
	/* It first appears on a delta, and expires before a full list has
	 * it: all deltas have it until one has. */
	clock_offset_s = DAY / 2;
	revoke_it(f, &late, CRL_REASON_SUPERSEDED);
	assert_int_equal(publish_num(f, DUE), PARTITIONS + 1);
	assert_int_equal(reason_on(f, 2, FULL, &late), NOT_THERE);
	assert_int_equal(reason_on(f, 2, DELTA, &late), CRL_REASON_SUPERSEDED);
	/* Nothing was published for long; both have expired long ago. */
	clock_offset_s = 9 * DAY;
	revoke_it(f, &after, CRL_REASON_SUPERSEDED);
	assert_int_equal(publish_num(f, ALL), 2 * (PARTITIONS + 1));
	assert_int_equal(reason_on(f, 2, FULL, &early), CRL_REASON_SUPERSEDED);
	assert_int_equal(reason_on(f, 2, FULL, &late), CRL_REASON_SUPERSEDED);
	assert_int_equal(reason_on(f, 2, FULL, &after), CRL_REASON_SUPERSEDED);
	/* Each was on one beyond its life, but for who was revoked later. */
	clock_offset_s += 2 * DAY;
	revoke_it(f, &last, CRL_REASON_SUPERSEDED);
	assert_int_equal(publish_num(f, ALL), 2 * (PARTITIONS + 1));
	assert_int_equal(reason_on(f, 2, FULL, &last), CRL_REASON_SUPERSEDED);
	assert_int_equal(reason_on(f, 2, FULL, &early), NOT_THERE);
	assert_int_equal(reason_on(f, 2, FULL, &late), NOT_THERE);
	assert_int_equal(reason_on(f, 2, FULL, &after), NOT_THERE);
	assert_int_equal(reason_on(f, 2, DELTA, &after), NOT_THERE);
	clock_offset_s += 2 * DAY;
	assert_int_equal(publish_num(f, ALL), 2 * (PARTITIONS + 1));
	assert_int_equal(reason_on(f, 2, FULL, &last), NOT_THERE);
}

/* One signature fails: nothing is recorded, and the numbers are gone. */
static void
all_or_none(void **state)
{
	struct ca_fixture *f = *state;
	struct ca_publish_order order = ALL;
	struct ca_publication p = { 0 };
	struct oc_error error = { 0 };
	struct faulty_signer faulty;
	struct store_crl before, after;

	assert_int_equal(publish_num(f, ALL), 2 * (PARTITIONS + 1));
	before = find(f, PARTITIONS, DELTA);
	faulty_signer_init(&faulty, f->signer);
	faulty.fail_at = FAIL_DONE;
	assert_int_equal(ca_publish(f->issuer, f->store, &faulty.signer,
	    &order, &p, &error), OC_ERR_DOWN);
	assert_null(p.lists);
	for (uint32_t n = 0; n <= PARTITIONS; n++) {
		after = find(f, n, FULL);
		assert_true(after.number <= before.number);
		store_crl_fini(&after);
	}
	assert_int_equal(publish_num(f, ALL), 2 * (PARTITIONS + 1));
	after = find(f, 0, FULL);
	assert_int_equal(after.number, before.number + PARTITIONS + 2);
	store_crl_fini(&before);
	store_crl_fini(&after);
}

/* What would be on no list is refused before anything is signed. */
static void
none_is_left_out(void **state)
{
	struct ca_fixture *f = *state;
	struct ca_publish_order order = ALL;
	struct ca_publication p = { 0 };
	struct oc_error error = { 0 };
	struct ca_crl crl = { 0 };
	struct ca_profile profile;
	struct ca_certificate certificate = { 0 };
	const struct ca_request request = { .profile = &profile,
	    .csr = ca_csr("P-256", "CN=a.example", NULL) };
	static const int64_t fewer[] = { PARTITIONS - 1, 0 };

	(void)issue_into(f, PARTITIONS, 0);
	for (size_t i = 0; i < ARRAY_LEN(fewer); i++) {
		f->section.crl_partitions = fewer[i];
		assert_int_equal(ca_publish(f->issuer, f->store, f->signer,
		    &order, &p, &error), OC_ERR_REFUSED);
		assert_non_null(strstr(error.text, "CRL partition 3"));
		assert_int_equal(ca_crl_create(f->issuer, f->store,
		    f->signer, ca_deadline(), &crl, &error), OC_ERR_REFUSED);
	}
	f->section.crl_partitions = PARTITIONS;
	ca_get_profile(f, "server", &profile);
	profile.crl_url = (struct der_bytes)DER_LITERAL("http://x/x.crl");
	assert_int_equal(ca_issue(f->issuer, f->store, f->signer, &request,
	    ca_deadline(), &certificate, &error), OC_ERR_REFUSED);
	assert_non_null(strstr(error.text, "URL of its own"));
}

/* Without partitions a list is as it always was, but for where deltas are. */
static void
one_list_has_no_point(void **state)
{
	struct ca_fixture *f = *state;
	struct issued issued;
	struct store_crl stored;
	struct x509_crl crl;

	f->section.crl_partitions = f->section.crl_partitions_open = 0;
	issued = issue(f, "server", 0);
	assert_int_equal(issued.partition, 0);
	revoke_it(f, &issued, CRL_REASON_SUPERSEDED);
	assert_int_equal(publish_num(f, ALL), 2);
	stored = find(f, 0, FULL);
	assert_int_equal(x509_crl_read((struct der_bytes){ stored.crl,
	    stored.crl_len }, &crl, NULL), OC_OK);
	assert_false(crl.has_idp);
	assert_null(x509_crl_partial(&crl));
	store_crl_fini(&stored);
	/* With partitions it is another, to which no delta of before is. */
	f->section.crl_partitions = f->section.crl_partitions_open =
	    PARTITIONS;
	assert_int_equal(publish_num(f, DUE), 2 * (PARTITIONS + 1));
	check_shell(f, 0, FULL);
	check_shell(f, 0, DELTA);
	assert_int_equal(reason_on(f, 0, FULL, &issued),
	    CRL_REASON_SUPERSEDED);
	/* Without deltas no list says any more where they are, and a change
	 * makes the full one. */
	f->section.crl_delta_url = NULL;
	assert_int_equal(publish_num(f, DUE), PARTITIONS + 1);
	stored = find(f, 1, FULL);
	assert_int_equal(x509_crl_read((struct der_bytes){ stored.crl,
	    stored.crl_len }, &crl, NULL), OC_OK);
	assert_int_equal(crl.freshest.len, 0);
	store_crl_fini(&stored);
	revoke_it(f, (struct issued[]){ issue_into(f, 3, 0) },
	    CRL_REASON_SUPERSEDED);
	assert_int_equal(publish_num(f, DUE), 1);
}

static uint64_t
number_of(struct ca_fixture *f, uint32_t partition)
{
	struct store_crl crl = find(f, partition, FULL);
	uint64_t number = crl.number;

	store_crl_fini(&crl);
	return number;
}

/* What the newest delta says is no news. */
static void
each_change_makes_one_delta(void **state)
{
	struct ca_fixture *f = *state;
	struct issued issued = issue_into(f, 1, 0);

	assert_int_equal(publish_num(f, DUE), 2 * (PARTITIONS + 1));
	revoke_it(f, &issued, CRL_REASON_SUPERSEDED);
	assert_int_equal(publish_num(f, DUE), 1);
	assert_int_equal(publish_num(f, DUE), 0);
	assert_int_equal(reason_on(f, 1, DELTA, &issued),
	    CRL_REASON_SUPERSEDED);
}

/* Made by a clock that was ahead, nobody believes it by one that is right. */
static void
one_of_the_future_is_none(void **state)
{
	struct ca_fixture *f = *state;
	uint64_t number;

	clock_offset_s = 30 * DAY;
	assert_int_equal(publish_num(f, DUE), 2 * (PARTITIONS + 1));
	number = number_of(f, 1);
	clock_offset_s = 30 * DAY - 60;
	assert_int_equal(publish_num(f, DUE), 0);
	clock_offset_s = 0;
	assert_int_equal(publish_num(f, DUE), 2 * (PARTITIONS + 1));
	assert_true(number_of(f, 1) > number);
	assert_int_equal(publish_num(f, DUE), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_is_on_its_own_list),
		TEST(deltas_say_what_changed),
		TEST(expired_leave_after_one_list),
		TEST(all_or_none),
		TEST(none_is_left_out),
		TEST(one_list_has_no_point),
		TEST(each_change_makes_one_delta),
		TEST(one_of_the_future_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, test_free_all);
}
