/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is what origin-rsa and origin-ecc give what Cloudflare's Origin CA gives,
 * field by field, in OpenSSL's reading, and is all else refused, by a rule
 * that says its name?
 */
#include "ca_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "ca/plan.h"

#define DAY CA_FIXTURE_DAY_S
#define NAMES_MAX 201

struct asking {
	const char *profile;
	const struct x509_csr *csr;
	const char *names[4];		/* NULL behind the last */
	int64_t validity_s;
	const struct ca_issuer *issuer;	/* NULL: the fixture's */
};

static uint8_t octets[NAMES_MAX * 256];
static struct x509_san sans[NAMES_MAX];

/* As a door would have it: text to names.  What cannot be text for a name is
 * given as octets. */
static uint32_t
set_names(const char *const names[4])
{
	uint32_t i;

	for (i = 0; i < 4 && names[i] != NULL; i++)
		if (x509_san_parse(names[i], octets + 256 * i, 256, &sans[i],
		    NULL) != OC_OK)
			sans[i] = (struct x509_san){ X509_SAN_DNS,
			    { (const uint8_t *)names[i], strlen(names[i]) } };
	return i;
}

/* The plan, or NULL with rule and error. */
static struct ca_plan *
ask(struct ca_fixture *f, const struct asking *a, struct ca_explanation *x,
    struct oc_error *error)
{
	struct ca_profile profile;
	struct ca_request request = { .profile = &profile, .csr = a->csr,
	    .sans = sans, .validity_s = a->validity_s, .explanation = x };
	struct ca_plan *plan = NULL;

	ca_get_profile(f, a->profile, &profile);
	request.num_sans = set_names(a->names);
	if (ca_plan_new(a->issuer != NULL ? a->issuer : f->issuer, &request,
	    SIGN_ECDSA_SHA256, &plan, error) != OC_OK)
		return NULL;
	plan->profile = a->profile;
	return plan;
}

static void
must_refuse(struct ca_fixture *f, const struct asking *a, enum ca_rule rule,
    const char *words)
{
	struct ca_explanation x = { .num_items = 0 };
	struct oc_error error = { 0 };
	struct ca_plan *plan = ask(f, a, &x, &error);

	if (plan != NULL)
		fail_msg("planned; wanted: %s", words);
	if (strstr(error.text, words) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", error.text, words);
	assert_string_equal(ca_rule_name(x.rule), ca_rule_name(rule));
	assert_string_equal(x.refusal, error.text);
	ca_explanation_fini(&x);
}

static void
long_lived(struct x509_tbs *tbs)
{
	tbs->not_after = tbs->not_before + 30 * 365 * DAY;
}

/* --- what it gives ---------------------------------------------------- */

static X509 *
issue(struct ca_fixture *f, const char *name, const struct x509_csr *csr,
    int64_t validity_s)
{
	static const char *const names[4] = { "example.com",
	    "*.Example.com" };
	struct ca_certificate certificate = { 0 };
	struct oc_error error = { 0 };
	struct ca_profile profile;
	struct ca_request request = { .profile = &profile, .csr = csr,
	    .sans = sans, .validity_s = validity_s };
	const uint8_t *p;
	X509 *cert;

	ca_get_profile(f, name, &profile);
	request.num_sans = set_names(names);
	if (ca_issue(f->issuer, f->store, f->signer, &request, ca_deadline(),
	    &certificate, &error) != OC_OK)
		fail_msg("%s", error.text);
	p = certificate.der;
	cert = d2i_X509(NULL, &p, (long)certificate.der_len);
	ca_certificate_fini(&certificate);
	assert_non_null(cert);
	return cert;
}

static int64_t
unix_time(const ASN1_TIME *at)
{
	struct tm tm;

	assert_int_equal(ASN1_TIME_to_tm(at, &tm), 1);
	return timegm(&tm);
}

static char *
extensions_of(const X509 *cert)
{
	char *text = ca_print_extensions(cert), *at, *end;

	/* The key identifiers' octets are another thing each time. */
	while ((at = strstr(text, "Key Identifier: ")) != NULL) {
		end = strchr(at, '\n');
		memmove(at + 14, end, strlen(end) + 1);
	}
	return text;
}

#define ORIGIN_EXTENSIONS(usage) \
	"X509v3 Basic Constraints!: CA:FALSE\n" \
	"X509v3 Key Usage!: " usage "\n" \
	"X509v3 Extended Key Usage: TLS Web Server Authentication, " \
	"TLS Web Client Authentication\n" \
	"X509v3 Subject Key Identifier\n" \
	"X509v3 Authority Key Identifier\n" \
	"X509v3 Subject Alternative Name: DNS:example.com, " \
	"DNS:*.example.com\n" \
	"Authority Information Access: OCSP - URI:http://ocsp.example/\n" \
	"X509v3 CRL Distribution Points: Full Name:\n" \
	"  URI:http://example/ca.crl\n"

static void
gives_what_cloudflare_gives(void **state)
{
	static const struct {
		const char *profile, *key, *extensions;
	} all[] = {
		{ "origin-rsa", "RSA2048",
		    ORIGIN_EXTENSIONS("Digital Signature, Key Encipherment") },
		{ "origin-ecc", "P-256",
		    ORIGIN_EXTENSIONS("Digital Signature") },
		{ "origin-ecc", "P-384",
		    ORIGIN_EXTENSIONS("Digital Signature") },
	};
	struct ca_fixture *f = *state;
	char subject[256], *text;
	size_t i;

	for (i = 0; i < ARRAY_LEN(all); i++) {
		X509 *cert = issue(f, all[i].profile, ca_csr(all[i].key,
		    "CN=evil.example,O=Somebody", "subjectAltName",
		    "DNS:evil.example,IP:192.0.2.1", NULL), 365 * DAY);
		int64_t from = unix_time(X509_get0_notBefore(cert));
		int64_t until = unix_time(X509_get0_notAfter(cert));

		text = extensions_of(cert);
		assert_string_equal(text, all[i].extensions);
		free(text);
		X509_NAME_oneline(X509_get_subject_name(cert), subject,
		    sizeof(subject));
		assert_string_equal(subject,
		    "/O=Origin CA/OU=Origin Server/CN=Origin Certificate");
		assert_int_equal(until - from, 365 * DAY);
		assert_int_equal(from % 60, 0);
		assert_true(from <= oc_clock_now_s());
		X509_free(cert);
	}
}

static void
each_validity_is_exact(void **state)
{
	static const int days[] = { 7, 30, 90, 365, 730, 1095, 5475 };
	struct ca_fixture *f = *state;
	struct ca_issuer *issuer = ca_reissue(f, long_lived);
	size_t i;

	for (i = 0; i < ARRAY_LEN(days); i++) {
		const struct asking a = { "origin-ecc", ca_csr("P-256",
		    "CN=x", NULL), { "example.com" }, days[i] * DAY, issuer };
		struct oc_error error = { 0 };
		struct ca_plan *plan = ask(f, &a, NULL, &error);

		if (plan == NULL)
			fail_msg("%d: %s", days[i], error.text);
		assert_int_equal(plan->tbs.not_after - plan->tbs.not_before,
		    days[i] * DAY);
		assert_int_equal(plan->tbs.not_before % 60, 0);
		ca_plan_free(plan);
	}
	ca_issuer_free(issuer);
}

/* The issuer of the fixture has five years left: 1825 days. */
static void
nothing_asked_is_the_longest_that_fits(void **state)
{
	struct ca_fixture *f = *state;
	struct ca_issuer *issuer = ca_reissue(f, long_lived);
	struct asking a = { "origin-ecc", ca_csr("P-256", "CN=x", NULL),
	    { "example.com" }, 0, NULL };
	struct oc_error error = { 0 };
	struct ca_plan *plan = ask(f, &a, NULL, &error);

	assert_non_null(plan);
	assert_int_equal(plan->tbs.not_after - plan->tbs.not_before,
	    1095 * DAY);
	ca_plan_free(plan);
	a.issuer = issuer;
	plan = ask(f, &a, NULL, &error);
	assert_non_null(plan);
	assert_int_equal(plan->tbs.not_after - plan->tbs.not_before,
	    5475 * DAY);
	ca_plan_free(plan);
	ca_issuer_free(issuer);
}

/* --- what it refuses -------------------------------------------------- */

static void
other_validities_are_refused(void **state)
{
	static const int64_t lives[] = { 1, 7 * DAY - 1, 7 * DAY + 1, DAY,
	    45 * DAY, 366 * DAY, 5474 * DAY, 5476 * DAY, 100 * 365 * DAY };
	struct ca_fixture *f = *state;
	struct ca_issuer *issuer = ca_reissue(f, long_lived);
	struct asking a = { "origin-ecc", ca_csr("P-256", "CN=x", NULL),
	    { "example.com" }, 0, issuer };
	size_t i;

	for (i = 0; i < ARRAY_LEN(lives); i++) {
		a.validity_s = lives[i];
		must_refuse(f, &a, CA_RULE_VALIDITY_CHOICE,
		    "has 7d, 30d, 90d, 365d, 730d, 1095d, 5475d");
	}
	a.validity_s = -7 * DAY;
	must_refuse(f, &a, CA_RULE_VALIDITY, "valid for no time");
	a.issuer = NULL;
	a.validity_s = 5475 * DAY;
	must_refuse(f, &a, CA_RULE_VALIDITY_ISSUER,
	    "the longest --validity that fits is 1095d");
	ca_issuer_free(issuer);
}

static void
soon_over(struct x509_tbs *tbs)
{
	tbs->not_after = oc_clock_now_s() + 3 * DAY;
}

static void
exactly_a_week(struct x509_tbs *tbs)
{
	/* The next notBefore, and one more minute if the clock moves on. */
	tbs->not_after = (oc_clock_now_s() - 300) / 60 * 60 + 7 * DAY + 60;
}

static void
the_issuer_lives_longer(void **state)
{
	struct ca_fixture *f = *state;
	struct ca_issuer *issuer = ca_reissue(f, soon_over);
	struct asking a = { "origin-ecc", ca_csr("P-256", "CN=x", NULL),
	    { "example.com" }, 7 * DAY, issuer };
	struct oc_error error = { 0 };
	struct ca_plan *plan;

	must_refuse(f, &a, CA_RULE_VALIDITY_ISSUER, "no validity that");
	a.validity_s = 0;
	must_refuse(f, &a, CA_RULE_VALIDITY_ISSUER, "no validity that");
	ca_issuer_free(issuer);
	a.issuer = issuer = ca_reissue(f, exactly_a_week);
	plan = ask(f, &a, NULL, &error);
	assert_non_null(plan);
	ca_plan_free(plan);
	a.validity_s = 30 * DAY;
	must_refuse(f, &a, CA_RULE_VALIDITY_ISSUER, "that fits is 7d");
	ca_issuer_free(issuer);
}

static void
only_its_own_kind_of_key(void **state)
{
	static const struct {
		const char *profile, *key, *words;
	} all[] = {
		{ "origin-rsa", "P-256", "EC P-256" },
		{ "origin-rsa", "P-384", "RSA only" },
		{ "origin-rsa", "ED25519", "Ed25519" },
		{ "origin-ecc", "RSA2048", "RSA 2048 bits" },
		{ "origin-ecc", "ED25519", "EC only" },
	};
	struct ca_fixture *f = *state;
	size_t i;

	for (i = 0; i < ARRAY_LEN(all); i++) {
		const struct asking a = { all[i].profile, ca_csr(all[i].key,
		    "CN=x", NULL), { "example.com" }, 0, NULL };

		must_refuse(f, &a, CA_RULE_KEY_TYPE, all[i].words);
	}
}

static void
names_are_refused(void **state)
{
	static const struct {
		const char *name;
		enum ca_rule rule;
	} all[] = {
		{ "*.com", CA_RULE_NAME_WILDCARD },
		{ "*.COM", CA_RULE_NAME_WILDCARD },
		{ "*", CA_RULE_NAME_WILDCARD },
		{ "*.", CA_RULE_NAME_WILDCARD },
		{ "*.*.example.com", CA_RULE_NAME_WILDCARD },
		{ "foo.*.example.com", CA_RULE_NAME_WILDCARD },
		{ "f*.example.com", CA_RULE_NAME_WILDCARD },
		{ "*f.example.com", CA_RULE_NAME_WILDCARD },
		{ "**.example.com", CA_RULE_NAME_WILDCARD },
		{ "example.com.", CA_RULE_NAME_MALFORMED },
		{ ".example.com", CA_RULE_NAME_MALFORMED },
		{ "a..example.com", CA_RULE_NAME_MALFORMED },
		{ "a_b.example.com", CA_RULE_NAME_MALFORMED },
		{ "-a.example.com", CA_RULE_NAME_MALFORMED },
		{ "a b.example.com", CA_RULE_NAME_MALFORMED },
		{ "DNS:192.0.2.1", CA_RULE_NAME_MALFORMED },
		{ "192.0.2.1", CA_RULE_NAME_KIND },
		{ "2001:db8::1", CA_RULE_NAME_KIND },
		{ "a@example.com", CA_RULE_NAME_KIND },
		{ "URI:https://example.com/", CA_RULE_NAME_KIND },
	};
	struct ca_fixture *f = *state;
	size_t i;

	for (i = 0; i < ARRAY_LEN(all); i++) {
		const struct asking a = { "origin-ecc", ca_csr("P-256",
		    "CN=x", NULL), { "example.com", all[i].name }, 0, NULL };

		print_message("%s\n", all[i].name);
		/* In whatever words. */
		must_refuse(f, &a, all[i].rule, "");
	}
}

/* The CSR's names are not taken, nor is its CN. */
static void
names_must_be_given(void **state)
{
	struct ca_fixture *f = *state;
	const struct asking with_names = { "origin-ecc", ca_csr("P-256",
	    "CN=www.example.com", "subjectAltName", "DNS:www.example.com",
	    NULL), { NULL }, 0, NULL };
	const struct asking without = { "origin-rsa", ca_csr("RSA2048",
	    "CN=www.example.com", NULL), { NULL }, 0, NULL };

	must_refuse(f, &with_names, CA_RULE_NAMES_MISSING, "give --san");
	must_refuse(f, &without, CA_RULE_NAMES_MISSING, "give --san");
}

static void
csr_asks_for_more(void **state)
{
	static const struct {
		const char *name, *value;
		enum ca_rule rule;
		const char *words;
	} all[] = {
		{ "basicConstraints", "critical,CA:TRUE", CA_RULE_CSR_CA,
		    "a CA" },
		{ "keyUsage", "keyCertSign", CA_RULE_CSR_KEY_USAGE,
		    "keyUsage" },
		{ "extendedKeyUsage", "codeSigning",
		    CA_RULE_CSR_EXTENDED_KEY_USAGE, "codeSigning" },
		{ "1.2.3.4", "DER:0500", CA_RULE_CSR_EXTENSION, "1.2.3.4" },
		{ "tlsfeature", "status_request", CA_RULE_CSR_EXTENSION,
		    "1.3.6.1.5.5.7.1.24" },
		{ "1.3.6.1.4.1.11129.2.4.3", "critical,DER:0500",
		    CA_RULE_CSR_EXTENSION, "1.3.6.1.4.1.11129.2.4.3" },
		{ "2.5.29.32", "DER:3005300306012a", CA_RULE_CSR_EXTENSION,
		    "2.5.29.32" },
		{ "crlDistributionPoints", "URI:http://evil.example/",
		    CA_RULE_CSR_EXTENSION, "cRLDistributionPoints" },
		{ "noCheck", "ignored", CA_RULE_CSR_EXTENSION, "nocheck" },
	};
	struct ca_fixture *f = *state;
	size_t i;

	for (i = 0; i < ARRAY_LEN(all); i++) {
		const struct asking a = { "origin-ecc", ca_csr("P-256",
		    "CN=x", all[i].name, all[i].value, NULL),
		    { "example.com" }, 0, NULL };

		must_refuse(f, &a, all[i].rule, all[i].words);
	}
}

static void
two_hundred_names(void **state)
{
	struct ca_fixture *f = *state;
	struct ca_explanation x = { .num_items = 0 };
	struct oc_error error = { 0 };
	struct ca_profile profile;
	struct ca_request request = { .profile = &profile,
	    .csr = ca_csr("P-256", "CN=x", NULL), .sans = sans,
	    .explanation = &x };
	struct ca_plan *plan = NULL;
	uint32_t i;

	ca_get_profile(f, "origin-ecc", &profile);
	for (i = 0; i < NAMES_MAX; i++) {
		char text[32];

		snprintf(text, sizeof(text), "n%u.example.com", i);
		assert_int_equal(x509_san_parse(text, octets + 256 * i, 256,
		    &sans[i], NULL), OC_OK);
	}
	request.num_sans = X509_SANS_MAX;
	assert_int_equal(ca_plan_new(f->issuer, &request, SIGN_ECDSA_SHA256,
	    &plan, &error), OC_OK);
	ca_plan_free(plan);
	ca_explanation_fini(&x);
	request.num_sans = NAMES_MAX;
	assert_int_equal(ca_plan_new(f->issuer, &request, SIGN_ECDSA_SHA256,
	    &plan, &error), OC_ERR_LIMIT);
	assert_int_equal(x.rule, CA_RULE_NAMES_MAX);
	ca_explanation_fini(&x);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(gives_what_cloudflare_gives,
		    ca_setup, ca_teardown),
		cmocka_unit_test_setup_teardown(each_validity_is_exact,
		    ca_setup, ca_teardown),
		cmocka_unit_test_setup_teardown(
		    nothing_asked_is_the_longest_that_fits, ca_setup,
		    ca_teardown),
		cmocka_unit_test_setup_teardown(other_validities_are_refused,
		    ca_setup, ca_teardown),
		cmocka_unit_test_setup_teardown(the_issuer_lives_longer,
		    ca_setup, ca_teardown),
		cmocka_unit_test_setup_teardown(only_its_own_kind_of_key,
		    ca_setup, ca_teardown),
		cmocka_unit_test_setup_teardown(names_are_refused, ca_setup,
		    ca_teardown),
		cmocka_unit_test_setup_teardown(names_must_be_given, ca_setup,
		    ca_teardown),
		cmocka_unit_test_setup_teardown(csr_asks_for_more, ca_setup,
		    ca_teardown),
		cmocka_unit_test_setup_teardown(two_hundred_names, ca_setup,
		    ca_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, test_free_all);
}
