/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lint stands between planning and reserving: what breaks a rule leaves no
 * row and asks no key; what our own profiles issue breaks none; exemptions are
 * a profile's.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ca/exempt.h"
#include "ca_fixture.h"
#include "lint_fixture.h"

static enum oc_err
issue(struct ca_fixture *f, struct signer *signer,
    const struct ca_profile *profile, const struct x509_csr *csr,
    int64_t validity_s, struct ca_certificate *certificate,
    struct oc_error *error)
{
	const struct ca_request request = { .profile = profile, .csr = csr,
	    .validity_s = validity_s };

	return ca_issue(f->issuer, f->store, signer, &request, ca_deadline(),
	    certificate, error);
}

static void
count_call(void *arg)
{
	++*(unsigned int *)arg;
}

/* A CSR whose subject has an attribute that is too long. */
static const struct x509_csr *
bad_csr(void)
{
	struct x509_csr *csr = test_alloc(sizeof(*csr));

	*csr = *ca_csr("P-256", "CN=a.example", NULL);
	csr->subject = lint_assemble("30{31{30{060355040a 0c{(65 'a')}}}"
	    "31{30{0603550403 0c{'a.example'}}}}");
	return csr;
}

static void
nothing_is_reserved_or_signed_that_breaks_a_rule(void **state)
{
	struct ca_certificate certificate = { 0 };
	struct ca_fixture *f = *state;
	struct oc_error error = { 0 };
	uint32_t num_rows = ca_count(f, 0);
	struct faulty_signer faulty;
	struct ca_profile profile;
	unsigned int num_calls = 0;

	ca_get_profile(f, "server", &profile);
	faulty_signer_init(&faulty, f->signer);
	faulty.before = count_call;
	faulty.arg = &num_calls;
	assert_int_equal(issue(f, &faulty.signer, &profile, bad_csr(), 0,
	    &certificate, &error), OC_ERR_REFUSED);
	assert_non_null(strstr(error.text,
	    "the lint rule subject_organization_name_max_length (RFC 5280, "
	    "A.1): O of more than 64 characters: organizationName of 65"));
	assert_non_null(strstr(error.text, "nothing was signed"));
	assert_int_equal(num_calls, 0);
	assert_int_equal(ca_count(f, 0), num_rows);
	assert_null(certificate.der);

	/* The same, exempt. */
	assert_int_equal(lint_set_add(&profile.lint_exempt,
	    "subject_organization_name_max_length", &error), OC_OK);
	assert_int_equal(issue(f, &faulty.signer, &profile, bad_csr(), 0,
	    &certificate, &error), OC_OK);
	assert_int_equal(num_calls, 1);
	ca_certificate_fini(&certificate);
}

/* Of everything that there is to say of it: no finding, not even a notice,
 * but those that the profile is exempt from. */
static void
expect_clean(struct ca_fixture *f, const char *name,
    const struct x509_csr *csr, enum lint_kind kind)
{
	struct ca_certificate certificate = { 0 };
	struct oc_error error = { 0 };
	struct lint_report report;
	struct ca_profile profile;
	struct lint_input input;
	enum lint_kind found;

	ca_get_profile(f, name, &profile);
	if (issue(f, f->signer, &profile, csr, 0, &certificate, &error) !=
	    OC_OK)
		fail_msg("%s: %s", name, error.text);
	input = (struct lint_input){
		.der = { certificate.der, certificate.der_len },
		.issuer = f->issuer->cert.der,
		.audience = LINT_PUBLIC,
		.exempt = &profile.lint_exempt,
	};
	lint_certificate(&input, &report, &found);
	lint_expect(name, &report, "");
	assert_int_equal(found, kind);
	ca_certificate_fini(&certificate);
}

static void
our_own_are_clean(void **state)
{
	struct ca_fixture *f = *state;
	const struct lint_input root = { .der = f->issuer->cert.der,
	    .issuer = f->issuer->cert.der };
	struct lint_report report;

	expect_clean(f, "server", ca_csr("P-256", "CN=a.example,O=Example,"
	    "C=DE", "subjectAltName", "DNS:a.example,DNS:*.a.example,"
	    "IP:10.0.0.1", NULL), LINT_SERVER);
	expect_clean(f, "server", ca_csr("RSA2048", "CN=A.example,OU=x",
	    "subjectAltName", "DNS:a.example", NULL), LINT_SERVER);
	expect_clean(f, "client", ca_csr("P-384", "CN=Somebody",
	    "subjectAltName", "email:a@a.example", NULL), LINT_CLIENT);
	expect_clean(f, "client", ca_csr("RSA2048", "CN=Somebody", NULL),
	    LINT_CLIENT);
	expect_clean(f, "ocsp-signer", ca_csr("P-256", "CN=OCSP", NULL),
	    LINT_OCSP_SIGNER);
	expect_clean(f, "intermediate", ca_csr("P-256", "CN=Sub", NULL),
	    LINT_INTERMEDIATE);
	lint_certificate(&root, &report, NULL);
	assert_int_equal(report.num_errors, 0);
}

static void
exemptions_are_a_profiles(void **state)
{
	static const char *const builtins[] = { "root", "intermediate",
	    "server", "client", "ocsp-signer" };
	struct ca_certificate certificate = { 0 };
	struct ca_fixture *f = *state;
	struct oc_error error = { 0 };
	struct ca_profile profile;
	const struct lint_rule *rule;
	size_t i, j;

	/* Each is exempt from some rules, all for public CAs. */
	for (i = 0; i < ARRAY_LEN(builtins); i++) {
		size_t num = 0;

		ca_get_profile(f, builtins[i], &profile);
		for (j = 0; (rule = lint_rule_at(j)) != NULL; j++) {
			if (!lint_set_has(&profile.lint_exempt, rule))
				continue;
			assert_int_equal(rule->audience, LINT_PUBLIC);
			num++;
		}
		assert_true(num > 0);
	}
	/* 201 days are too many from 2026-03-15 on; the clock is beyond. */
	ca_get_profile(f, "server", &profile);
	profile.validity_s = 201 * CA_FIXTURE_DAY_S;
	assert_int_equal(issue(f, f->signer, &profile, ca_csr("P-256",
	    "CN=a.example", NULL), 201 * CA_FIXTURE_DAY_S, &certificate,
	    &error), OC_OK);
	ca_certificate_fini(&certificate);
	profile.lint_exempt = (struct lint_set){ { 0 } };
	assert_int_equal(issue(f, f->signer, &profile, ca_csr("P-256",
	    "CN=a.example", NULL), 201 * CA_FIXTURE_DAY_S, &certificate,
	    &error), OC_ERR_REFUSED);
	assert_non_null(strstr(error.text, "and 1 more"));
	/* That of one does not reach another. */
	ca_get_profile(f, "ocsp-signer", &profile);
	for (j = 0; (rule = lint_rule_at(j)) != NULL; j++)
		if (strcmp(rule->name, "ext_san_contains_reserved_ip") == 0)
			assert_false(lint_set_has(&profile.lint_exempt,
			    rule));
}

static struct oc_words
words_of(char **words, size_t num)
{
	return (struct oc_words){ .words = words, .num = num };
}

static void
sections_add_and_clear(void **state)
{
	static char none[] = "none", one[] = "ext_san_missing",
	    wrong[] = "ext_san_misssing";
	char *clear[] = { none }, *add[] = { one }, *bad[] = { one, wrong };
	char *both[] = { none, one };
	struct ca_fixture *f = *state;
	struct oc_error error = { 0 };
	struct oc_config_profile section = {
		.name = (char *)(uintptr_t)"mine",
		.based_on = (char *)(uintptr_t)"server",
		.validity_s = OC_CONFIG_UNSET,
		.backdate_s = OC_CONFIG_UNSET,
		.path_length = OC_CONFIG_UNSET,
		.file = "x.conf", .line = 3,
	};
	struct ca_profile server, mine;
	const struct lint_set empty = { { 0 } };

	f->config.profiles = &section;
	f->config.num_profiles = 1;
	ca_get_profile(f, "server", &server);
	ca_get_profile(f, "mine", &mine);
	assert_memory_equal(&mine.lint_exempt, &server.lint_exempt,
	    sizeof(empty));
	ca_profile_fini(&mine);
	section.lint_exempt = words_of(add, 1);
	ca_get_profile(f, "mine", &mine);
	assert_int_equal(lint_set_add(&server.lint_exempt, one, &error),
	    OC_OK);
	assert_memory_equal(&mine.lint_exempt, &server.lint_exempt,
	    sizeof(empty));
	ca_profile_fini(&mine);
	section.lint_exempt = words_of(clear, 1);
	ca_get_profile(f, "mine", &mine);
	assert_memory_equal(&mine.lint_exempt, &empty, sizeof(empty));
	ca_profile_fini(&mine);
	section.lint_exempt = words_of(both, 2);
	ca_get_profile(f, "mine", &mine);
	assert_memory_not_equal(&mine.lint_exempt, &empty, sizeof(empty));
	ca_profile_fini(&mine);
	ca_profile_fini(&server);
	section.lint_exempt = words_of(bad, 2);
	assert_int_equal(ca_profile_find(&f->config, "mine", &mine, &error),
	    OC_ERR_CONFIG);
	assert_non_null(strstr(error.text, "x.conf:3: [profile mine]: "
	    "lint-exempt: there is no lint rule \"ext_san_misssing\"; the "
	    "nearest is ext_san_missing"));
	f->config.profiles = NULL;
	f->config.num_profiles = 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    nothing_is_reserved_or_signed_that_breaks_a_rule,
		    ca_setup, ca_teardown),
		cmocka_unit_test_setup_teardown(our_own_are_clean, ca_setup,
		    ca_teardown),
		cmocka_unit_test_setup_teardown(exemptions_are_a_profiles,
		    ca_setup, ca_teardown),
		cmocka_unit_test_setup_teardown(sections_add_and_clear,
		    ca_setup, ca_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, test_free_all);
}
