/* SPDX-License-Identifier: Apache-2.0 */
/* Is everything refused that must be, by name, and is what is granted the
 * normal form of what was asked? */
#include "ca_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "ca/plan.h"

/* --- what a CSR asks for ---------------------------------------------- */

static const struct refusal {
	const char *profile, *key, *subject, *name, *value, *words;
} refusals[] = {
	{ "server", "P-256", "CN=a.example", "basicConstraints",
	    "critical,CA:TRUE", "a CA certificate" },
	{ "client", "P-256", "CN=a.example", "keyUsage",
	    "keyCertSign", "more keyUsage" },
	{ "server", "P-256", "CN=a.example", "keyUsage",
	    "digitalSignature,dataEncipherment", "more keyUsage" },
	{ "client", "RSA2048", "CN=a.example", "keyUsage",
	    "keyEncipherment", "more keyUsage" },
	{ "server", "P-256", "CN=a.example", "keyUsage",
	    "digitalSignature,keyEncipherment", "more keyUsage" },
	{ "intermediate", "P-256", "CN=Sub", "basicConstraints",
	    "critical,CA:TRUE,pathlen:1", "a path length of 1" },
	{ "server", "P-256", "CN=a.example", "extendedKeyUsage",
	    "serverAuth,clientAuth", "clientAuth (1.3.6.1.5.5.7.3.2)" },
	{ "server", "P-256", "CN=a.example", "extendedKeyUsage",
	    "anyExtendedKeyUsage", "2.5.29.37.0" },
	{ "server", "P-256", "CN=a.example", "extendedKeyUsage",
	    "OCSPSigning", "OCSPSigning" },
	{ "intermediate", "P-256", "CN=Sub", "extendedKeyUsage",
	    "serverAuth", "serverAuth" },
	{ "server", "P-256", "CN=a.example", "authorityInfoAccess",
	    "OCSP;URI:http://evil.example/", "authorityInfoAccess" },
	{ "server", "P-256", "CN=a.example", "authorityInfoAccess",
	    "caIssuers;URI:http://evil.example/", "authorityInfoAccess" },
	{ "server", "P-256", "CN=a.example", "crlDistributionPoints",
	    "URI:http://evil.example/", "cRLDistributionPoints" },
	{ "server", "P-256", "CN=a.example", "noCheck", "ignored",
	    "id-pkix-ocsp-nocheck" },
	{ "server", "P-256", "CN=a.example", "tlsfeature", "status_request",
	    "1.3.6.1.5.5.7.1.24" },
	{ "server", "P-256", "CN=a.example", "1.3.6.1.4.1.55555.9",
	    "ASN1:NULL", "1.3.6.1.4.1.55555.9" },
	{ "intermediate", "P-256", "CN=Sub", "nameConstraints",
	    "permitted;DNS:a.example", "2.5.29.30" },
	/* Names, by profile. */
	{ "server", "P-256", "CN=a.example", "subjectAltName",
	    "DNS:a.example,email:x@a.example", "email:x@a.example" },
	{ "server", "P-256", "CN=a.example", "subjectAltName",
	    "DNS:a.example,URI:https://a.example/", "URI:https://a.example/" },
	{ "ocsp-signer", "P-256", "CN=OCSP", "subjectAltName",
	    "DNS:a.example", "the profile ocsp-signer does not give" },
	{ "intermediate", "P-256", "CN=Sub", "subjectAltName",
	    "DNS:a.example", "the profile intermediate does not give" },
	{ "server", "P-256", "CN=a.example", "subjectAltName",
	    "DNS:*.*.example", "*.*.example" },
	{ "server", "P-256", "CN=a.example", "subjectAltName",
	    "DNS:a*.example", "a*.example" },
	{ "server", "P-256", "CN=a.example", "subjectAltName",
	    "DNS:www.*.example", "www.*.example" },
	{ "server", "P-256", "CN=a.example", "subjectAltName",
	    "DNS:*", "*" },
	{ "server", "P-256", "CN=a.example", "subjectAltName",
	    "DNS:a.example.", "a.example." },
	{ "server", "P-256", "CN=a.example", "subjectAltName",
	    "DNS:a_b.example", "a_b.example" },
	{ "server", "P-256", "CN=a.example", "subjectAltName",
	    "DNS:-a.example", "-a.example" },
	{ "server", "P-256", "CN=a.example", "subjectAltName",
	    "DNS:192.0.2.1", "192.0.2.1" },
	{ "client", "P-256", "CN=a", "subjectAltName",
	    "email:nobody", "email:nobody" },
	/* The common name. */
	{ "server", "P-256", "CN=b.example", "subjectAltName",
	    "DNS:a.example", "the common name \"b.example\"" },
	{ "server", "P-256", "CN=b.a.example", "subjectAltName",
	    "DNS:*.a.example", "the common name \"b.a.example\"" },
	{ "server", "P-256", "CN=not a host", NULL, NULL, "wants a name" },
	{ "server", "P-256", "O=Example", NULL, NULL, "wants a name" },
};

static void
csr_is_refused_by_name(void **state)
{
	struct ca_fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
		const struct refusal *r = &refusals[i];

		ca_must_refuse(f, r->profile, r->name == NULL ?
		    ca_csr(r->key, r->subject, NULL) :
		    ca_csr(r->key, r->subject, r->name, r->value, NULL),
		    r->words);
		if (r->name != NULL)
			ca_must_refuse(f, r->profile, ca_csr_microsoft(r->key,
			    r->subject, r->name, r->value), r->words);
	}
}

/* What the profile gives anyway may be asked for. */
static void
csr_may_ask_for_what_is_given(void **state)
{
	struct ca_fixture *f = *state;

	X509_free(ca_must_issue(f, "server", ca_csr("RSA2048",
	    "CN=a.example", "subjectAltName", "DNS:a.example",
	    "basicConstraints", "CA:FALSE", "keyUsage",
	    "critical,digitalSignature,keyEncipherment",
	    "extendedKeyUsage", "serverAuth", "subjectKeyIdentifier",
	    "00112233", NULL)));
	X509_free(ca_must_issue(f, "intermediate", ca_csr("P-384", "CN=Sub",
	    "basicConstraints", "critical,CA:TRUE", "keyUsage",
	    "keyCertSign,cRLSign", NULL)));
	X509_free(ca_must_issue(f, "intermediate", ca_csr("P-384", "CN=Sub",
	    "basicConstraints", "critical,CA:TRUE,pathlen:0", NULL)));
	X509_free(ca_must_issue(f, "ocsp-signer", ca_csr("P-384", "CN=OCSP",
	    "noCheck", "ignored", "extendedKeyUsage", "OCSPSigning", NULL)));
}

static struct der_bytes
keep(const struct der_bytes bytes)
{
	uint8_t *copy = test_alloc(bytes.len);

	memcpy(copy, bytes.p, bytes.len);
	return (struct der_bytes){ copy, bytes.len };
}

static void
keys_are_refused(void **state)
{
	struct ca_fixture *f = *state;
	struct x509_csr *csr = test_alloc(sizeof(*csr));
	EVP_PKEY *weak = EVP_RSA_gen(1024);
	uint8_t *der = NULL;
	int len = i2d_PUBKEY(weak, &der);

	*csr = *ca_csr("P-256", "CN=a.example", NULL);
	csr->spki = f->issuer->cert.spki;
	ca_must_refuse(f, "server", csr, "the CA's own");
	ca_must_refuse(f, "intermediate", csr, "the CA's own");
	assert_true(len > 0);
	csr->spki = keep((struct der_bytes){ der, (size_t)len });
	ca_must_refuse(f, "server", csr, "1024");
	OPENSSL_free(der);
	EVP_PKEY_free(weak);
}

/* --- names ------------------------------------------------------------ */

static void
assert_names(struct ca_fixture *f, const char *profile,
    const struct x509_csr *csr, const char *want)
{
	X509 *cert = ca_must_issue(f, profile, csr);
	int at = X509_get_ext_by_NID(cert, NID_subject_alt_name, -1);
	BIO *bio = BIO_new(BIO_s_mem());
	char *text;
	long len;

	assert_true(at >= 0);
	assert_int_equal(X509V3_EXT_print(bio, X509_get_ext(cert, at), 0, 0),
	    1);
	len = BIO_get_mem_data(bio, &text);
	if (strlen(want) != (size_t)len ||
	    memcmp(text, want, (size_t)len) != 0)
		fail_msg("got %.*s, want %s", (int)len, text, want);
	BIO_free(bio);
	X509_free(cert);
}

static void
names_in_normal_form(void **state)
{
	struct ca_fixture *f = *state;

	assert_names(f, "server", ca_csr("P-256", "CN=a.example",
	    "subjectAltName", "DNS:A.Example,DNS:a.EXAMPLE,DNS:*.B.example,"
	    "IP:2001:db8::1,IP:2001:DB8:0::1", NULL),
	    "DNS:a.example, DNS:*.b.example, IP Address:2001:DB8:0:0:0:0:0:1");
	/* A CN that is a host name, where there is no other name. */
	assert_names(f, "server", ca_csr("P-256", "CN=WWW.a.example", NULL),
	    "DNS:www.a.example");
	assert_names(f, "server", ca_csr("P-256", "CN=192.0.2.7",
	    "subjectAltName", "IP:192.0.2.7", NULL), "IP Address:192.0.2.7");
	assert_names(f, "client", ca_csr("P-256", "CN=somebody else",
	    "subjectAltName", "URI:HTTPS://a.example/x,email:X@A.example",
	    NULL), "URI:HTTPS://a.example/x, email:X@a.example");
	assert_names(f, "server", ca_csr_microsoft("P-256", "CN=a.example",
	    "subjectAltName", "DNS:b.example,DNS:a.example"),
	    "DNS:b.example, DNS:a.example");
}

static const struct x509_csr *
csr_of_names(unsigned int num)
{
	char *list = test_alloc(num * 24 + 1);
	size_t len = 0;

	for (unsigned int i = 0; i < num; i++)
		len += (size_t)sprintf(list + len, "%sDNS:n%03u.example",
		    i == 0 ? "" : ",", i);
	return ca_csr("P-256", "CN=n000.example", "subjectAltName", list,
	    NULL);
}

static void
as_many_names_as_there_may_be(void **state)
{
	struct ca_fixture *f = *state;
	const struct x509_csr *csr = csr_of_names(X509_SANS_MAX);
	X509 *cert = ca_must_issue(f, "server", csr);
	GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name,
	    NULL, NULL);

	assert_int_equal(sk_GENERAL_NAME_num(names), X509_SANS_MAX);
	GENERAL_NAMES_free(names);
	X509_free(cert);
}

/* A CSR of 201 cannot be read; the request's own list can be too long. */
static void
one_name_too_many(void **state)
{
	struct ca_fixture *f = *state;
	const struct x509_csr *csr = csr_of_names(X509_SANS_MAX);
	struct x509_san sans[X509_SANS_MAX + 1];
	static const uint8_t last[] = "last.example";
	struct ca_plan *plan = NULL;
	struct oc_error error = { 0 };
	struct ca_profile profile;
	struct ca_request request = { .profile = &profile, .csr = csr,
	    .sans = sans, .num_sans = X509_SANS_MAX + 1 };

	ca_get_profile(f, "server", &profile);
	memcpy(sans, csr->extensions.sans, X509_SANS_MAX * sizeof(sans[0]));
	sans[X509_SANS_MAX] = (struct x509_san){ X509_SAN_DNS,
	    { last, sizeof(last) - 1 } };
	assert_int_equal(ca_plan_new(f->issuer, &request, SIGN_ECDSA_SHA256,
	    &plan, &error), OC_ERR_LIMIT);
	assert_non_null(strstr(error.text, "more than 200 names"));
	assert_null(plan);
	/* The 201st is one of the 200. */
	sans[X509_SANS_MAX] = sans[7];
	assert_int_equal(ca_plan_new(f->issuer, &request, SIGN_ECDSA_SHA256,
	    &plan, &error), OC_OK);
	assert_int_equal(plan->tbs.extensions.num_sans, X509_SANS_MAX);
	ca_plan_free(plan);
}

/* Longer than any host name, and as long as a URI may be. */
static void
long_uri_is_kept_whole(void **state)
{
	struct ca_fixture *f = *state;
	char *text = test_alloc(1100), *want = test_alloc(1100);

	strcpy(text, "URI:https://a.example/");
	memset(text + strlen(text), 'x', 1000);
	strcpy(want, text);
	assert_names(f, "client", ca_csr("P-256", "CN=a", "subjectAltName",
	    text, NULL), want);
}

static void
empty_subject_makes_names_critical(void **state)
{
	struct ca_fixture *f = *state;
	struct ca_profile profile;
	struct oc_error error = { 0 };
	struct ca_plan *plan = NULL;
	static const uint8_t empty[] = { 0x30, 0x00 };
	struct x509_csr csr = *ca_csr("P-256", "CN=a.example",
	    "subjectAltName", "DNS:a.example", NULL);
	struct ca_request request = { .profile = &profile, .csr = &csr };

	csr.subject = (struct der_bytes){ empty, sizeof(empty) };
	ca_get_profile(f, "server", &profile);
	assert_int_equal(ca_plan_new(f->issuer, &request, SIGN_ECDSA_SHA256,
	    &plan, &error), OC_OK);
	/* RFC5280:4.2.1.6 */
	assert_true(plan->tbs.extensions.is_san_critical);
	ca_plan_free(plan);
	plan = NULL;
	ca_get_profile(f, "client", &profile);
	csr.extensions.num_sans = 0;
	assert_int_equal(ca_plan_new(f->issuer, &request, SIGN_ECDSA_SHA256,
	    &plan, &error), OC_ERR_REFUSED);
	assert_non_null(strstr(error.text, "nothing to certify"));
	ca_get_profile(f, "intermediate", &profile);
	assert_int_equal(ca_plan_new(f->issuer, &request, SIGN_ECDSA_SHA256,
	    &plan, &error), OC_ERR_REFUSED);
	assert_non_null(strstr(error.text, "a CA must have a subject"));
	request.csr = NULL;
	request.spki = csr.spki;
	assert_int_equal(ca_plan_new(f->issuer, &request, SIGN_ECDSA_SHA256,
	    &plan, &error), OC_ERR_REFUSED);
	assert_non_null(strstr(error.text, "there is no subject"));
	assert_null(plan);
}

/* --- times and path lengths ------------------------------------------- */

static enum oc_err
plan_times(struct ca_fixture *f, int64_t not_before, int64_t validity_s,
    struct x509_tbs *tbs, struct oc_error *error)
{
	struct ca_profile profile;
	struct ca_plan *plan = NULL;
	const struct ca_request request = {
		.profile = &profile,
		.csr = ca_csr("P-256", "CN=a.example", NULL),
		.not_before = not_before,
		.validity_s = validity_s,
	};
	enum oc_err err;

	ca_get_profile(f, "server", &profile);
	profile.validity_s = INT64_C(100) * 365 * 86400;
	err = ca_plan_new(f->issuer, &request, SIGN_ECDSA_SHA256, &plan,
	    error);
	if (err == OC_OK)
		*tbs = plan->tbs;
	ca_plan_free(plan);
	return err;
}

static void
life_stays_within_the_issuers(void **state)
{
	struct ca_fixture *f = *state;
	const struct x509_cert *ca = &f->issuer->cert;
	int64_t now = oc_clock_now_s();
	struct oc_error error = { 0 };
	struct x509_tbs tbs;

	assert_int_equal(plan_times(f, now, ca->not_after - now + 1, &tbs,
	    &error), OC_OK);
	assert_int_equal(tbs.not_after, ca->not_after);
	assert_int_equal(plan_times(f, now, ca->not_after - now + 2, &tbs,
	    &error), OC_ERR_REFUSED);
	assert_non_null(strstr(error.text, "outlive its issuer"));
	/* What was not asked for in so many words is cut to fit. */
	assert_int_equal(plan_times(f, ca->not_after - 60, 0, &tbs, &error),
	    OC_OK);
	assert_int_equal(tbs.not_after, ca->not_after);
	assert_int_equal(plan_times(f, ca->not_before - 60, 0, &tbs, &error),
	    OC_OK);
	assert_int_equal(tbs.not_before, ca->not_before);
	assert_int_equal(plan_times(f, now, -1, &tbs, &error),
	    OC_ERR_REFUSED);
	assert_int_equal(plan_times(f, now, INT64_MAX, &tbs, &error),
	    OC_ERR_REFUSED);
}

/* Whoever sends a CSR is bound by the profile; who makes a CA is not. */
static void
life_stays_within_the_profiles(void **state)
{
	struct ca_fixture *f = *state;
	struct ca_explanation explanation = { 0 };
	struct ca_profile profile;
	struct ca_plan *plan = NULL;
	struct oc_error error = { 0 };
	struct ca_request request = { .profile = &profile,
	    .csr = ca_csr("P-256", "CN=a.example", NULL),
	    .subject = ca_csr("P-256", "CN=a.example", NULL)->subject,
	    .explanation = &explanation };

	ca_get_profile(f, "server", &profile);
	request.validity_s = profile.validity_s;
	assert_int_equal(ca_plan_new(f->issuer, &request, SIGN_ECDSA_SHA256,
	    &plan, &error), OC_OK);
	ca_plan_free(plan);
	request.validity_s++;
	assert_int_equal(ca_plan_new(f->issuer, &request, SIGN_ECDSA_SHA256,
	    &plan, &error), OC_ERR_REFUSED);
	assert_int_equal(explanation.rule, CA_RULE_VALIDITY_PROFILE);
	assert_non_null(strstr(error.text, "longer than the profile server "
	    "gives (90 days)"));
	request.spki = request.csr->spki;
	request.csr = NULL;
	profile.sans_rule = CA_SANS_OPTIONAL;
	assert_int_equal(ca_plan_new(f->issuer, &request, SIGN_ECDSA_SHA256,
	    &plan, &error), OC_OK);
	ca_plan_free(plan);
	ca_explanation_fini(&explanation);
}

static void
does_not_begin_after_its_issuer_has_ended(void **state)
{
	struct ca_fixture *f = *state;
	struct oc_error error = { 0 };
	struct x509_tbs tbs;

	assert_int_equal(plan_times(f, f->issuer->cert.not_after + 1, 0,
	    &tbs, &error), OC_ERR_REFUSED);
	assert_non_null(strstr(error.text, "outlive its issuer"));
}

static void
set_path_length_0(struct x509_tbs *tbs)
{
	tbs->extensions.path_length = 0;
}

static void
set_path_length_2(struct x509_tbs *tbs)
{
	tbs->extensions.path_length = 2;
}

static void
path_length_is_the_issuers_less_one(void **state)
{
	struct ca_fixture *f = *state;
	struct ca_issuer *issuer = ca_reissue(f, set_path_length_2);
	struct ca_profile profile;
	struct ca_plan *plan = NULL;
	struct oc_error error = { 0 };
	const struct ca_request request = { .profile = &profile,
	    .csr = ca_csr("P-256", "CN=Sub", NULL) };

	ca_get_profile(f, "intermediate", &profile);
	for (int asked = -1; asked < 4; asked++) {
		profile.path_length = asked;
		assert_int_equal(ca_plan_new(issuer, &request,
		    SIGN_ECDSA_SHA256, &plan, &error), OC_OK);
		assert_int_equal(plan->tbs.extensions.path_length,
		    asked == 0 ? 0 : 1);
		ca_plan_free(plan);
	}
	ca_issuer_free(issuer);
	issuer = ca_reissue(f, set_path_length_0);
	plan = NULL;
	assert_int_equal(ca_plan_new(issuer, &request, SIGN_ECDSA_SHA256,
	    &plan, &error), OC_ERR_REFUSED);
	assert_non_null(strstr(error.text, "path length is 0"));
	assert_null(plan);
	ca_issuer_free(issuer);
}

/* --- writing ---------------------------------------------------------- */

/* A field that the writer cannot put and one that would not read back. */
static void
what_does_not_read_back_is_not_signed(void **state)
{
	struct ca_fixture *f = *state;
	struct ca_profile profile;
	struct ca_plan *plan = NULL;
	struct oc_error error = { 0 };
	const struct ca_request request = { .profile = &profile,
	    .csr = ca_csr("P-256", "CN=a.example", NULL) };
	static const uint8_t bad[] = "http://example/\x01";

	ca_get_profile(f, "server", &profile);
	assert_int_equal(ca_plan_new(f->issuer, &request, SIGN_ECDSA_SHA256,
	    &plan, &error), OC_OK);
	plan->serial = (struct oc_serial){ .len = 1, .bytes = { 1 } };
	assert_int_equal(ca_plan_write(plan, &error), OC_OK);
	plan->tbs.extensions.crl_urls[0] = (struct der_bytes){ bad,
	    sizeof(bad) - 1 };
	assert_int_not_equal(ca_plan_write(plan, &error), OC_OK);
	assert_non_null(strstr(error.text, "nothing was signed"));
	plan->tbs.not_before = INT64_MAX;
	assert_int_not_equal(ca_plan_write(plan, &error), OC_OK);
	assert_non_null(strstr(error.text, "cannot be written"));
	ca_plan_free(plan);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, ca_setup, \
	ca_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(csr_is_refused_by_name),
		TEST(csr_may_ask_for_what_is_given),
		TEST(keys_are_refused),
		TEST(names_in_normal_form),
		TEST(as_many_names_as_there_may_be),
		TEST(one_name_too_many),
		TEST(long_uri_is_kept_whole),
		TEST(empty_subject_makes_names_critical),
		TEST(life_stays_within_the_issuers),
		TEST(life_stays_within_the_profiles),
		TEST(does_not_begin_after_its_issuer_has_ended),
		TEST(path_length_is_the_issuers_less_one),
		TEST(what_does_not_read_back_is_not_signed),
	};

	return cmocka_run_group_tests(tests, NULL, test_free_all);
}
