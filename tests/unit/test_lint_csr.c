/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The checks of requests, by number: 29 and 53 to 58 of ocsign-lint(7).  They
 * are made by the readers of x509/ and by ca_check_csr(); src/lint/elsewhere.c
 * points here.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ca_fixture.h"
#include "lint_fixture.h"
#include "ca/csr.h"
#include "x509/file.h"

#define REQUEST "06{2a864886f70d01090e}"
#define MICROSOFTS "06{2b06010401823702010e}"
#define PASSWORD "06{2a864886f70d010907}"
#define LEAF "30{" EXTENSION("551d13", "3000") "}"

/* version, attributes and what is behind; the rest is good. */
static struct der_bytes
request(const char *version, const char *attributes, const char *behind)
{
	char text[8192];

	(void)snprintf(text, sizeof(text), "30{30{%s " LINT_NAME("a")
	    "$P-256 %s} " LINT_ECDSA " 03{00 30{02{11}02{22}}}}%s", version,
	    attributes, behind);
	return lint_assemble(text);
}

static void
expect(struct der_bytes der, enum oc_err want, const char *words)
{
	struct oc_error error = { 0 };
	struct x509_csr csr;
	enum oc_err err = x509_csr_read(der, &csr, &error);

	assert_int_equal(err, want);
	if (strstr(error.text, words) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", error.text, words);
}

/* What would be two entries, or a section, of openssl.cnf is one bad name. */
static void
check_29_names_are_no_configuration(void **state)
{
	static const char *const names[] = { "DNS:a.example,DNS:b.example",
	    "a.example,DNS:b.example", "DNS:a.example\nDNS:b.example",
	    "DNS:@section", "@section", "email:copy", "email:move",
	    "IP:1.2.3.4,DNS:b.example", "DNS:ASN1:NULL a", "dirName:section",
	    "otherName:1.2.3.4;UTF8:a" };
	struct oc_error error;
	struct x509_san san;
	uint8_t buffer[512];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (x509_san_parse(names[i], buffer, sizeof(buffer), &san,
		    &error) == OC_OK)
			fail_msg("%s was taken", names[i]);
}

static void
check_53_precertificates_are_not_asked_for(void **state)
{
	static const char *const oids[] = { "1.3.6.1.4.1.11129.2.4.2",
	    "1.3.6.1.4.1.11129.2.4.3" };
	struct ca_fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(oids); i++)
		ca_must_refuse(f, "server", ca_csr("P-256", "CN=a.example",
		    oids[i], "critical,ASN1:NULL", NULL), oids[i]);
}

static void
check_54_form_and_size(void **state)
{
	struct der_bytes large = { test_alloc(OC_CSR_MAX + 1),
	    OC_CSR_MAX + 1 };

	(void)state;
	expect(request("020100", "a000", ""), OC_OK, "");
	expect(request("020100", "", ""), OC_OK, "");
	expect(request("020101", "a000", ""), OC_ERR_MALFORMED, "version");
	expect(request("020100", "a000", "0500"), OC_ERR_MALFORMED,
	    "not one SEQUENCE");
	expect(request("020100", "a000 0500", ""), OC_ERR_MALFORMED,
	    "RFC 2986");
	expect(large, OC_ERR_LIMIT, "65537 octets, the limit is 65536");
	/* 200 names, and one more. */
	expect(request("020100", "a0{30{" REQUEST "31{30{" EXTENSION("551d11",
	    "30{(200 82{'a.example'})}") "}}}}", ""), OC_OK, "");
	expect(request("020100", "a0{30{" REQUEST "31{30{" EXTENSION("551d11",
	    "30{(201 82{'a.example'})}") "}}}}", ""), OC_ERR_LIMIT,
	    "2.5.29.17: more in it than is taken");
}

static void
check_55_one_extension_request(void **state)
{
	(void)state;
	expect(request("020100", "a0{30{" REQUEST "31{" LEAF "}}}", ""),
	    OC_OK, "");
	expect(request("020100", "a0{30{" MICROSOFTS "31{" LEAF "}}}", ""),
	    OC_OK, "");
	expect(request("020100", "a0{30{" REQUEST "31{" LEAF "}}30{"
	    MICROSOFTS "31{" LEAF "}}}", ""), OC_ERR_MALFORMED,
	    "more than one extensionRequest");
	expect(request("020100", "a0{30{" REQUEST "31{" LEAF LEAF "}}}", ""),
	    OC_ERR_MALFORMED, "exactly one value");
	expect(request("020100", "a0{30{" REQUEST "3100}}", ""),
	    OC_ERR_MALFORMED, "attribute");
}

/* Taken, and in no error's text. */
static void
check_56_secrets_stay_unsaid(void **state)
{
	struct oc_error error = { 0 };
	struct x509_csr csr;

	(void)state;
	expect(request("020100", "a0{30{" PASSWORD "31{0c{'hush'}}}}", ""),
	    OC_OK, "");
	assert_int_equal(x509_csr_read(request("020100", "a0{30{" PASSWORD
	    "31{0c{'hush'}}0500}}", ""), &csr, &error), OC_ERR_MALFORMED);
	assert_null(strstr(error.text, "hush"));
}

static void
expect_file(const char *text, enum oc_err want, const char *words)
{
	struct oc_error error = { 0 };
	uint8_t *der = NULL;
	size_t len;
	enum oc_err err = x509_file_parse("file", (const uint8_t *)text,
	    strlen(text), X509_FILE_CSR, &der, &len, &error);

	free(der);
	assert_int_equal(err, want);
	if (strstr(error.text, words) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", error.text, words);
}

/* Nothing of it is left where it was. */
static void
expect_cleansed(const char *text)
{
	size_t len = strlen(text);
	uint8_t *octets = malloc(len), *der = NULL;
	struct oc_error error = { 0 };
	struct x509_csr csr;

	assert_non_null(octets);
	memcpy(octets, text, len);
	assert_int_equal(ca_csr_parse("file", octets, len, &der, &csr, NULL,
	    &error), OC_ERR_REFUSED);
	for (size_t i = 0; i < len; i++)
		assert_int_equal(octets[i], 0);
	free(octets);
}

#define PEM(label) "-----BEGIN " label "-----\nMAA=\n-----END " label \
    "-----\n"

static void
check_57_labels_and_private_keys(void **state)
{
	(void)state;
	expect_file(PEM("CERTIFICATE REQUEST"), OC_OK, "");
	expect_file(PEM("NEW CERTIFICATE REQUEST"), OC_OK, "");
	expect_file(PEM("CERTIFICATE"), OC_ERR_MALFORMED,
	    "holds a CERTIFICATE");
	expect_file(PEM("CERTIFICATE REQUEST") PEM("EC PRIVATE KEY"),
	    OC_ERR_REFUSED, "private key");
	expect_file(PEM("ENCRYPTED PRIVATE KEY") PEM("CERTIFICATE REQUEST"),
	    OC_ERR_REFUSED, "private key");
	expect_cleansed(PEM("CERTIFICATE REQUEST") PEM("RSA PRIVATE KEY"));
	expect_cleansed(PEM("PRIVATE KEY"));
}

static struct der_bytes
signed_request(const EVP_MD *md)
{
	X509_REQ *req = X509_REQ_new();
	struct der_bytes der;

	assert_int_equal(X509_REQ_set_pubkey(req, test_key("RSA2048")), 1);
	assert_true(X509_REQ_sign(req, test_key("RSA2048"), md) > 0);
	der = test_i2d_req(req);
	X509_REQ_free(req);
	return der;
}

static void
check_58_proof_of_possession(void **state)
{
	struct der_bytes der = signed_request(EVP_sha256());
	struct ca_fixture *f = *state;
	struct oc_error error = { 0 };
	struct x509_csr csr;

	assert_int_equal(x509_csr_read(der, &csr, &error), OC_OK);
	assert_int_equal(x509_csr_verify(&csr, &error), OC_OK);
	((uint8_t *)(uintptr_t)der.p)[der.len - 1] ^= 1;
	assert_int_equal(x509_csr_verify(&csr, &error), OC_ERR_SIGNATURE);
	/* Another key's algorithm. */
	csr.alg = SIGN_ECDSA_SHA256;
	assert_int_equal(x509_csr_verify(&csr, &error), OC_ERR_MISMATCH);
	expect(signed_request(EVP_sha1()), OC_ERR_UNSUPPORTED, "not taken");
	expect(signed_request(EVP_md5()), OC_ERR_UNSUPPORTED, "not taken");
	ca_must_refuse(f, "server", ca_csr("P-256", "CN=a.example",
	    "basicConstraints", "critical,CA:TRUE", NULL),
	    "a CA certificate");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(check_29_names_are_no_configuration),
		cmocka_unit_test_setup_teardown(
		    check_53_precertificates_are_not_asked_for, ca_setup,
		    ca_teardown),
		cmocka_unit_test(check_54_form_and_size),
		cmocka_unit_test(check_55_one_extension_request),
		cmocka_unit_test(check_56_secrets_stay_unsaid),
		cmocka_unit_test(check_57_labels_and_private_keys),
		cmocka_unit_test_setup_teardown(check_58_proof_of_possession,
		    ca_setup, ca_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, test_free_all);
}
