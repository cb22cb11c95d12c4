/* SPDX-License-Identifier: Apache-2.0 */
/* Is nothing given that is in nobody's zone or another's, by whatever
 * spelling, and is each refusal told by its rule? */
#include "ca_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "ca/policy.h"

/* --- the decision ------------------------------------------------------- */

#define OURS 1
#define THEIRS 2

/* sub.example.com was delegated; ours again below it. */
static struct store_zone zones[] = {
	{ .id = 10, .name = "example.com", .account_id = OURS,
	    .state = STORE_ZONE_ACTIVE },
	{ .id = 11, .name = "sub.example.com", .account_id = THEIRS,
	    .state = STORE_ZONE_ACTIVE },
	{ .id = 12, .name = "our.sub.example.com", .account_id = OURS,
	    .state = STORE_ZONE_ACTIVE },
	{ .id = 13, .name = "paused.test", .account_id = OURS,
	    .state = STORE_ZONE_PAUSED },
	{ .id = 14, .name = "xn--bcher-kva.test", .account_id = OURS,
	    .state = STORE_ZONE_ACTIVE }
};

static struct ca_policy
our_policy(void)
{
	return (struct ca_policy){
		.account = { .id = OURS, .name = "acme",
		    .state = STORE_ACCOUNT_ACTIVE },
		.zones = zones,
		.num_zones = sizeof(zones) / sizeof(zones[0])
	};
}

static struct x509_san
san_of(const char *text)
{
	enum x509_san_kind kind = X509_SAN_DNS;
	static const uint8_t address[4] = { 192, 0, 2, 1 };

	if (strcmp(text, "IP") == 0)
		return (struct x509_san){ X509_SAN_IP, { address, 4 } };
	if (strchr(text, '@') != NULL)
		kind = X509_SAN_EMAIL;
	else if (strchr(text, '/') != NULL)
		kind = X509_SAN_URI;
	return (struct x509_san){ kind, { (const uint8_t *)text,
	    strlen(text) } };
}

static struct ca_names *
names_of(const char *const *texts, size_t num)
{
	struct ca_names *names = calloc(1, sizeof(*names));

	assert_non_null(names);
	for (size_t i = 0; i < num && texts[i] != NULL; i++) {
		struct x509_san san = san_of(texts[i]);
		struct oc_error error = { 0 };

		if (ca_names_add(names, &san, NULL, &error) != OC_OK)
			fail_msg("%s", error.text);
	}
	return names;
}

static void
test_decisions(void **state)
{
	static const struct {
		const char *names[3];
		enum ca_rule rule;
		const char *words;
		int64_t zones[2];
	} all[] = {
		{ { "example.com" }, CA_RULE_NONE, NULL, { 10 } },
		{ { "a.b.example.com", "*.example.com" }, CA_RULE_NONE, NULL,
		    { 10 } },
		{ { "*.a.example.com" }, CA_RULE_NONE, NULL, { 10 } },
		{ { "www.our.sub.example.com", "example.com" }, CA_RULE_NONE,
		    NULL, { 12, 10 } },
		{ { "www.b\xc3\xbc" "cher.test" }, CA_RULE_NONE, NULL,
		    { 14 } },
		{ { "EXAMPLE.COM", "example.com" }, CA_RULE_NONE, NULL,
		    { 10 } },
		{ { NULL }, CA_RULE_NAMES_MISSING, "asks for no name", { 0 } },
		{ { "evil.test" }, CA_RULE_ZONE, "DNS:evil.test", { 0 } },
		{ { "example.com", "notexample.com" }, CA_RULE_ZONE,
		    "DNS:notexample.com", { 0 } },
		{ { "example.com.evil.test" }, CA_RULE_ZONE, "none of its",
		    { 0 } },
		{ { "com" }, CA_RULE_ZONE, "none of its", { 0 } },
		{ { "*.com" }, CA_RULE_NAME_WILDCARD, "top-level", { 0 } },
		{ { "*.test" }, CA_RULE_NAME_WILDCARD, "DNS:*.test", { 0 } },
		{ { "sub.example.com" }, CA_RULE_ZONE_DELEGATED,
		    "another account", { 0 } },
		{ { "x.sub.example.com" }, CA_RULE_ZONE_DELEGATED,
		    "DNS:x.sub.example.com", { 0 } },
		{ { "*.sub.example.com" }, CA_RULE_ZONE_DELEGATED,
		    "another account", { 0 } },
		{ { "paused.test" }, CA_RULE_ZONE_PAUSED, "paused", { 0 } },
		{ { "example.com", "IP" }, CA_RULE_NAME_KIND,
		    "IP Address:192.0.2.1|IP:192.0.2.1", { 0 } },
		{ { "a@example.com" }, CA_RULE_NAME_KIND, "a@example.com",
		    { 0 } },
		{ { "https://example.com/" }, CA_RULE_NAME_KIND, "https://",
		    { 0 } }
	};
	struct ca_policy policy = our_policy();

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct ca_names *names = names_of(all[i].names, 3);
		struct ca_explanation explanation = { 0 };
		struct ca_zone_ids ids = { .num = 77 };
		struct oc_error error = { 0 };
		enum oc_err err = ca_policy_check(&policy, NULL, names, &ids,
		    &explanation, &error);

		assert_int_equal(explanation.rule, all[i].rule);
		if (all[i].rule == CA_RULE_NONE) {
			assert_int_equal(err, OC_OK);
			assert_int_equal(ids.num, all[i].zones[1] == 0 ? 1 :
			    2);
			assert_memory_equal(ids.ids, all[i].zones,
			    ids.num * sizeof(ids.ids[0]));
			assert_true(explanation.num_items > 0);
		} else {
			char words[128], *either;

			assert_int_equal(err, OC_ERR_REFUSED);
			assert_int_equal(ids.num, 77);
			assert_string_equal(explanation.refusal, error.text);
			snprintf(words, sizeof(words), "%s", all[i].words);
			either = strchr(words, '|');
			if (either != NULL)
				*either++ = '\0';
			if (strstr(error.text, words) == NULL &&
			    (either == NULL ||
			    strstr(error.text, either) == NULL))
				fail_msg("no \"%s\" in %s", words,
				    error.text);
			assert_non_null(strstr(error.text, "account acme"));
		}
		ca_explanation_fini(&explanation);
		free(names);
	}
}

static void
test_account_and_quotas(void **state)
{
	static const char *const text[] = { "example.com" };
	struct ca_names *names = names_of(text, 1);
	struct ca_policy policy = our_policy();
	struct ca_explanation explanation = { 0 };
	struct ca_zone_ids ids;
	struct oc_error error;

	(void)state;
	policy.account.live_max = 5;
	policy.account.period_max = 7;
	policy.account.period_s = 60;
	policy.usage = (struct store_usage){ 4, 6 };
	assert_int_equal(ca_policy_check(&policy, NULL, names, &ids,
	    &explanation, &error), OC_OK);
	policy.usage.num_live = 5;
	assert_int_equal(ca_policy_check(&policy, NULL, names, &ids,
	    &explanation, &error), OC_ERR_REFUSED);
	assert_int_equal(explanation.rule, CA_RULE_QUOTA);
	assert_non_null(strstr(error.text, "has 5 live"));
	/* A repetition costs nothing: the reservation knows whether it is. */
	policy.leaves_quotas = true;
	assert_int_equal(ca_policy_check(&policy, NULL, names, &ids,
	    &explanation, &error), OC_OK);
	policy.leaves_quotas = false;
	policy.usage = (struct store_usage){ 0, 9 };
	assert_int_equal(ca_policy_check(&policy, NULL, names, &ids,
	    &explanation, &error), OC_ERR_REFUSED);
	assert_int_equal(explanation.rule, CA_RULE_QUOTA_PERIOD);
	assert_non_null(strstr(error.text, "given 9"));
	policy.account.state = STORE_ACCOUNT_DISABLED;
	assert_int_equal(ca_policy_check(&policy, NULL, names, &ids,
	    &explanation, &error), OC_ERR_REFUSED);
	assert_int_equal(explanation.rule, CA_RULE_ACCOUNT);
	ca_explanation_fini(&explanation);
	free(names);
}

/* Only what the profile lists, and DNS names still lie in zones. */
static void
test_kinds_of_the_profile(void **state)
{
	static const char *const ip[] = { "example.com", "IP" };
	static const char *const other[] = { "evil.test", "IP" };
	static const char *const mail[] = { "a@example.com" };
	const struct ca_profile profile = {
		.account_names = CA_NAME_DNS | CA_NAME_IP
	};
	struct ca_policy policy = our_policy();
	struct ca_names *names = names_of(ip, 2);
	struct ca_zone_ids ids;
	struct oc_error error;

	(void)state;
	assert_int_equal(ca_policy_check(&policy, &profile, names, &ids, NULL,
	    &error), OC_OK);
	assert_int_equal(ids.num, 1);
	free(names);
	names = names_of(other, 2);
	assert_int_equal(ca_policy_check(&policy, &profile, names, &ids, NULL,
	    &error), OC_ERR_REFUSED);
	free(names);
	names = names_of(mail, 1);
	assert_int_equal(ca_policy_check(&policy, &profile, names, &ids, NULL,
	    &error), OC_ERR_REFUSED);
	free(names);
}

/* --- names -------------------------------------------------------------- */

static void
test_names(void **state)
{
	static const struct {
		const char *text;
		enum ca_rule rule;
	} bad[] = {
		{ "192.0.2.1", CA_RULE_NAME_KIND },
		{ "2001:db8::1", CA_RULE_NAME_KIND },
		{ "[2001:db8::1]", CA_RULE_NAME_KIND },
		{ "a@b.test", CA_RULE_NAME_KIND },
		{ "https://a.test", CA_RULE_NAME_KIND },
		{ "*.*.a.test", CA_RULE_NAME_WILDCARD },
		{ "a.*.test", CA_RULE_NAME_WILDCARD },
		{ "*", CA_RULE_NAME_WILDCARD },
		{ "*a.test", CA_RULE_NAME_WILDCARD },
		{ "a_b.test", CA_RULE_NAME_MALFORMED },
		{ "", CA_RULE_NAME_MALFORMED },
		{ "\xff", CA_RULE_NAME_MALFORMED }
	};
	struct ca_names *names = calloc(1, sizeof(*names));
	struct ca_explanation explanation = { 0 };
	struct oc_error error;
	char host[32];

	(void)state;
	assert_non_null(names);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		enum oc_err err = ca_names_add_host(names, bad[i].text,
		    strlen(bad[i].text), &explanation, &error);

		assert_int_not_equal(err, OC_OK);
		assert_int_equal(explanation.rule, bad[i].rule);
		assert_int_equal(names->num_sans, 0);
	}
	for (int i = 0; i < 2 * X509_SANS_MAX; i++) {
		snprintf(host, sizeof(host), "%s%d.test", i % 2 == 0 ? "h" :
		    "H", i / 2);
		assert_int_equal(ca_names_add_host(names, host, strlen(host),
		    NULL, &error), OC_OK);
	}
	assert_int_equal(names->num_sans, X509_SANS_MAX);
	assert_int_equal(ca_names_add_host(names, "one.more.test", 13,
	    &explanation, &error), OC_ERR_REFUSED);
	assert_int_equal(explanation.rule, CA_RULE_NAMES_MAX);
	ca_explanation_fini(&explanation);
	free(names);
}

static void
test_names_key(void **state)
{
	static const char *const a[] = { "a.test", "b.test" };
	static const char *const b[] = { "B.test", "A.test" };
	static const char *const c[] = { "a.test", "c.test" };
	const struct der_bytes csr = { (const uint8_t *)"csr", 3 };
	const struct der_bytes other = { (const uint8_t *)"csR", 3 };
	struct ca_names *names = names_of(a, 2), *same = names_of(b, 2);
	struct ca_names *less = names_of(a, 1), *unlike = names_of(c, 2);
	uint8_t key[STORE_HASH_LEN], k[STORE_HASH_LEN];

	(void)state;
	assert_int_equal(ca_names_key(names, 1, csr, 7, key), OC_OK);
	assert_int_equal(ca_names_key(same, 1, csr, 7, k), OC_OK);
	assert_memory_equal(key, k, sizeof(k));
	assert_int_equal(ca_names_key(names, 2, csr, 7, k), OC_OK);
	assert_memory_not_equal(key, k, sizeof(k));
	assert_int_equal(ca_names_key(names, 1, other, 7, k), OC_OK);
	assert_memory_not_equal(key, k, sizeof(k));
	assert_int_equal(ca_names_key(names, 1, csr, 8, k), OC_OK);
	assert_memory_not_equal(key, k, sizeof(k));
	assert_int_equal(ca_names_key(less, 1, csr, 7, k), OC_OK);
	assert_memory_not_equal(key, k, sizeof(k));
	assert_int_equal(ca_names_key(unlike, 1, csr, 7, k), OC_OK);
	assert_memory_not_equal(key, k, sizeof(k));
	free(names);
	free(same);
	free(less);
	free(unlike);
}

/* --- with a store and a signer ------------------------------------------ */

struct asking {
	struct store_account account;
	struct ca_names *names;
	struct ca_zone_ids zone_ids;
	struct ca_profile profile;
	uint8_t key[STORE_HASH_LEN];
	struct store_request asked;
	struct ca_request request;
};

static void
setup_asking(struct ca_fixture *f, struct asking *a)
{
	struct store_zone zone = { .state = STORE_ZONE_ACTIVE };
	struct ca_policy policy = { 0 };
	const struct x509_csr *csr = ca_csr("P-256", "CN=a.example",
	    "subjectAltName", "DNS:a.example,DNS:b.example", NULL);
	struct oc_error error = { 0 };

	*a = (struct asking){ .account.state = STORE_ACCOUNT_ACTIVE };
	a->names = calloc(1, sizeof(*a->names));
	assert_non_null(a->names);
	for (uint32_t i = 0; i < csr->extensions.num_sans; i++)
		assert_int_equal(ca_names_add(a->names,
		    &csr->extensions.sans[i], NULL, NULL), OC_OK);
	strcpy(a->account.name, "acme");
	assert_int_equal(store_add_account(f->store, &a->account), OC_OK);
	zone.account_id = a->account.id;
	strcpy(zone.name, "a.example");
	assert_int_equal(store_add_zone(f->store, &zone, STORE_ZONE_ALONE),
	    OC_OK);
	assert_int_equal(ca_policy_load(f->store, &a->account, a->names,
	    &policy, &error), OC_OK);
	assert_int_equal(ca_policy_check(&policy, NULL, a->names,
	    &a->zone_ids, NULL, &error), OC_ERR_REFUSED);
	ca_policy_fini(&policy);
	strcpy(zone.name, "b.example");
	zone.tag[0] = '\0';
	assert_int_equal(store_add_zone(f->store, &zone, STORE_ZONE_ALONE),
	    OC_OK);
	assert_int_equal(ca_policy_load(f->store, &a->account, a->names,
	    &policy, &error), OC_OK);
	assert_int_equal(ca_policy_check(&policy, NULL, a->names,
	    &a->zone_ids, NULL, &error), OC_OK);
	ca_policy_fini(&policy);
	assert_int_equal(ca_names_key(a->names, a->account.id, csr->der, 0,
	    a->key), OC_OK);
	ca_get_profile(f, "server", &a->profile);
	a->asked = (struct store_request){
		.account_id = a->account.id,
		.hostnames = "[]",
		.csr = { csr->der.p, csr->der.len },
		.zone_ids = a->zone_ids.ids,
		.num_zones = a->zone_ids.num,
		.key = a->key
	};
	a->request = (struct ca_request){
		.profile = &a->profile,
		.csr = csr,
		.sans = a->names->sans,
		.num_sans = a->names->num_sans,
		.asked = &a->asked
	};
}

static enum oc_err
issue(struct ca_fixture *f, struct signer *signer, const struct asking *a,
    struct ca_certificate *certificate, struct oc_error *error)
{
	return ca_issue(f->issuer, f->store, signer, &a->request,
	    ca_deadline(), certificate, error);
}

static void
test_issued_once(void **state)
{
	struct ca_fixture *f = *state;
	struct ca_certificate first = { 0 }, again = { 0 };
	uint32_t num_before = ca_count(f, 0);
	struct oc_error error = { 0 };
	struct asking a;

	setup_asking(f, &a);
	assert_int_equal(issue(f, f->signer, &a, &first, &error), OC_OK);
	assert_false(first.is_repeated);
	assert_int_equal(issue(f, f->signer, &a, &again, &error), OC_OK);
	assert_true(again.is_repeated);
	assert_int_equal(again.store_id, first.store_id);
	assert_true(oc_serial_equal(&again.serial, &first.serial));
	assert_int_equal(again.der_len, first.der_len);
	assert_memory_equal(again.der, first.der, first.der_len);
	assert_int_equal(ca_count(f, 0), num_before + 1);
	ca_certificate_fini(&first);
	ca_certificate_fini(&again);
	free(a.names);
}

/* Recorded is the life that it has, whatever the caller says of it. */
static void
test_validity_is_recorded(void **state)
{
	static const int days[] = { 0, 7 };
	struct ca_fixture *f = *state;
	struct ca_certificate certificate = { 0 };
	struct store_asked asked = { 0 };
	struct oc_error error = { 0 };
	struct asking a;

	setup_asking(f, &a);
	a.asked.key = NULL;
	for (int i = 0; i < 2; i++) {
		a.request.validity_s = days[i] * INT64_C(86400);
		assert_int_equal(issue(f, f->signer, &a, &certificate,
		    &error), OC_OK);
		assert_int_equal(store_get_asked(f->store,
		    certificate.store_id, &asked), OC_OK);
		assert_int_equal(asked.validity, days[i] == 0 ? 90 : 7);
		store_asked_fini(&asked);
		ca_certificate_fini(&certificate);
	}
	free(a.names);
}

/* A signer that fails gives key and quota back. */
static void
test_signer_fails(void **state)
{
	struct ca_fixture *f = *state;
	struct ca_certificate certificate = { 0 };
	uint32_t num_issued = ca_count(f, STORE_ISSUED);
	struct faulty_signer faulty;
	struct oc_error error = { 0 };
	struct asking a;

	setup_asking(f, &a);
	a.account.live_max = 1;
	assert_int_equal(store_change_account(f->store, &a.account), OC_OK);
	faulty_signer_init(&faulty, f->signer);
	faulty.fail_at = FAIL_DONE;
	faulty.err = OC_ERR_DOWN;
	for (int i = 0; i < 3; i++)
		assert_int_equal(issue(f, &faulty.signer, &a, &certificate,
		    &error), OC_ERR_DOWN);
	assert_int_equal(issue(f, f->signer, &a, &certificate, &error),
	    OC_OK);
	assert_false(certificate.is_repeated);
	ca_certificate_fini(&certificate);
	assert_int_equal(ca_count(f, STORE_ISSUED), num_issued + 1);
	assert_int_equal(ca_count(f, STORE_RESERVED), 3);
	a.asked.key = NULL;
	assert_int_equal(issue(f, f->signer, &a, &certificate, &error),
	    OC_ERR_REFUSED);
	assert_non_null(strstr(error.text, "acme has 1 live"));
	free(a.names);
}

struct taking {
	struct ca_fixture *f;
	const struct asking *a;
};

/* As another does who finds a reservation that is too old. */
static void
give_up(void *arg)
{
	const struct taking *t = arg;
	struct store_reserved found;

	assert_int_equal(store_find_key(t->f->store, t->a->asked.key, 0,
	    &found), OC_OK);
	assert_int_equal(store_abandon_request(t->f->store, found.id),
	    OC_OK);
}

/* It is signed, and nobody gets it. */
static void
test_given_up_while_signed(void **state)
{
	struct ca_fixture *f = *state;
	struct ca_certificate certificate = { 0 };
	uint32_t num_issued = ca_count(f, STORE_ISSUED);
	struct faulty_signer slow;
	struct oc_error error = { 0 };
	struct asking a;
	struct taking taking = { f, &a };

	setup_asking(f, &a);
	faulty_signer_init(&slow, f->signer);
	slow.fail_at = FAIL_NEVER;
	slow.before = give_up;
	slow.arg = &taking;
	assert_int_equal(issue(f, &slow.signer, &a, &certificate, &error),
	    OC_ERR_MISMATCH);
	assert_non_null(strstr(error.text, "given up"));
	assert_null(certificate.der);
	assert_int_equal(ca_count(f, STORE_ISSUED), num_issued);
	assert_int_equal(ca_count(f, STORE_RESERVED), 1);
	assert_int_equal(issue(f, f->signer, &a, &certificate, &error),
	    OC_OK);
	assert_false(certificate.is_repeated);
	ca_certificate_fini(&certificate);
	assert_int_equal(ca_count(f, STORE_ISSUED), num_issued + 1);
	free(a.names);
}

/* Somebody else is at it: their certificate, or, if none comes, ours. */
static void
be_the_other(const struct ca_fixture *f, const struct asking *a,
    const struct store_reservation *r, int said)
{
	struct store_blob blob = { (const uint8_t *)"theirs", 6 };
	struct timespec pause = { .tv_nsec = 100000000 };
	struct store_reserved reserved;
	struct store *store;

	if (store_open(f->path, STORE_WRITE, &store, NULL) != OC_OK ||
	    store_reserve_request(store, r, &a->asked, &reserved) != OC_OK ||
	    write(said, &reserved.id, sizeof(reserved.id)) !=
	    sizeof(reserved.id))
		_exit(2);
	(void)nanosleep(&pause, NULL);
	if (store_issue(store, reserved.id, blob) != OC_OK)
		_exit(1);
	_exit(0);
}

static void
test_waits_for_the_other(void **state)
{
	struct ca_fixture *f = *state;
	struct store_reservation r = {
		.issuer_id = f->issuer->store_id,
		.serial = { { 0x42 }, 1 },
		.tbs = { (const uint8_t *)"tbs", 3 },
		.not_after = INT64_C(4000000000)
	};
	struct ca_certificate certificate = { 0 };
	struct store_reserved reserved;
	struct oc_error error = { 0 };
	struct asking a;
	int64_t other_id;
	int status, said[2];
	pid_t child;

	setup_asking(f, &a);
	assert_int_equal(pipe(said), 0);
	/* SQLite is not carried over a fork. */
	store_close(f->store);
	f->store = NULL;
	child = fork();
	assert_true(child >= 0);
	if (child == 0)
		be_the_other(f, &a, &r, said[1]);
	/* Lest one that failed is waited for. */
	close(said[1]);
	assert_int_equal(read(said[0], &other_id, sizeof(other_id)),
	    sizeof(other_id));
	close(said[0]);
	assert_int_equal(store_open(f->path, STORE_WRITE, &f->store, &error),
	    OC_OK);
	assert_int_equal(issue(f, f->signer, &a, &certificate, &error),
	    OC_OK);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_true(certificate.is_repeated);
	assert_int_equal(certificate.store_id, other_id);
	assert_int_equal(certificate.der_len, 6);
	ca_certificate_fini(&certificate);
	/* And one that never ends is waited for until the deadline. */
	a.key[0] ^= 1;
	r.serial.bytes[0] = 0x43;
	assert_int_equal(store_reserve_request(f->store, &r, &a.asked,
	    &reserved), OC_OK);
	assert_int_equal(ca_issue(f->issuer, f->store, f->signer, &a.request,
	    oc_clock_mono_ns() + 200 * OC_NS_PER_MS, &certificate, &error),
	    OC_ERR_BUSY);
	assert_int_equal(store_abandon_request(f->store, reserved.id), OC_OK);
	assert_int_equal(issue(f, f->signer, &a, &certificate, &error),
	    OC_OK);
	assert_false(certificate.is_repeated);
	ca_certificate_fini(&certificate);
	free(a.names);
}

int
main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, ca_setup, ca_teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decisions),
		cmocka_unit_test(test_account_and_quotas),
		cmocka_unit_test(test_kinds_of_the_profile),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_names_key),
		TEST(test_issued_once),
		TEST(test_validity_is_recorded),
		TEST(test_signer_fails),
		TEST(test_given_up_while_signed),
		TEST(test_waits_for_the_other)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
