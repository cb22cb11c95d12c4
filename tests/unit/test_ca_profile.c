/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does every profile give exactly what it says, in OpenSSL's reading of the
 * certificate, and does a [profile] section change what it names and nothing
 * else?
 */
#include "ca_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Without the key identifiers, whose octets differ each time. */
static char *
drop_key_ids(char *text)
{
	char *out = text, *line = text, *end;

	while ((end = strchr(line, '\n')) != NULL) {
		size_t len = (size_t)(end - line) + 1;

		if (strncmp(line, "X509v3 Subject Key", 18) != 0 &&
		    strncmp(line, "X509v3 Authority Key", 20) != 0) {
			memmove(out, line, len);
			out += len;
		}
		line = end + 1;
	}
	*out = '\0';
	return text;
}

#define WHERE \
	"Authority Information Access: " \
	"OCSP - URI:http://ocsp.example/\n" \
	"CA Issuers - URI:http://example/ca.der\n" \
	"X509v3 CRL Distribution Points: " \
	"Full Name:\n  URI:http://example/ca.crl\n"

static const struct given {
	const char *profile, *key, *san, *extensions;
	int days;
} givens[] = {
	{ "server", "P-256", "DNS:a.example,IP:192.0.2.1",
	    "X509v3 Basic Constraints!: CA:FALSE\n"
	    "X509v3 Key Usage!: Digital Signature\n"
	    "X509v3 Extended Key Usage: TLS Web Server Authentication\n"
	    "X509v3 Subject Alternative Name: DNS:a.example, "
	    "IP Address:192.0.2.1\n" WHERE, 90 },
	{ "server", "RSA2048", "DNS:a.example",
	    "X509v3 Basic Constraints!: CA:FALSE\n"
	    "X509v3 Key Usage!: Digital Signature, Key Encipherment\n"
	    "X509v3 Extended Key Usage: TLS Web Server Authentication\n"
	    "X509v3 Subject Alternative Name: DNS:a.example\n" WHERE, 90 },
	{ "client", "P-384", "email:someone@a.example",
	    "X509v3 Basic Constraints!: CA:FALSE\n"
	    "X509v3 Key Usage!: Digital Signature\n"
	    "X509v3 Extended Key Usage: TLS Web Client Authentication\n"
	    "X509v3 Subject Alternative Name: email:someone@a.example\n"
	    WHERE, 90 },
	{ "client", "RSA2048", NULL,
	    "X509v3 Basic Constraints!: CA:FALSE\n"
	    "X509v3 Key Usage!: Digital Signature\n"
	    "X509v3 Extended Key Usage: TLS Web Client Authentication\n"
	    WHERE, 90 },
	{ "ocsp-signer", "P-256", NULL,
	    "X509v3 Basic Constraints!: CA:FALSE\n"
	    "X509v3 Key Usage!: Digital Signature\n"
	    "X509v3 Extended Key Usage: OCSP Signing\n"
	    "OCSP No Check: \n", 90 },
	{ "intermediate", "P-384", NULL,
	    "X509v3 Basic Constraints!: CA:TRUE, pathlen:0\n"
	    "X509v3 Key Usage!: Digital Signature, Certificate Sign, "
	    "CRL Sign\n" WHERE, 5 * 365 },
};

/* The text of OpenSSL, less the blanks that its versions put differently. */
static char *
squeeze(const char *text)
{
	char *out = calloc(1, strlen(text) + 1), *p = out;

	assert_non_null(out);
	for (; *text != '\0'; text++)
		if (*text != '\n' && *text != ' ')
			*p++ = *text;
	return out;
}

static void
assert_text_equal(const char *got, const char *want)
{
	char *a = squeeze(got), *b = squeeze(want);

	if (strcmp(a, b) != 0)
		fail_msg("got:\n%s\nwant:\n%s", got, want);
	free(a);
	free(b);
}

static void
assert_key_ids(const struct ca_fixture *f, X509 *cert, const char *key)
{
	const ASN1_OCTET_STRING *ski = X509_get0_subject_key_id(cert);
	const ASN1_OCTET_STRING *aki = X509_get0_authority_key_id(cert);
	uint8_t key_id[X509_KEY_ID_LEN];

	assert_int_equal(x509_spki_key_id(test_spki(key), key_id), OC_OK);
	assert_non_null(ski);
	assert_non_null(aki);
	assert_int_equal(ASN1_STRING_length(ski), X509_KEY_ID_LEN);
	assert_memory_equal(ASN1_STRING_get0_data(ski), key_id,
	    X509_KEY_ID_LEN);
	assert_int_equal(ASN1_STRING_length(aki), f->issuer->key_id_len);
	assert_memory_equal(ASN1_STRING_get0_data(aki), f->issuer->key_id,
	    f->issuer->key_id_len);
}

/* RFC5280:4.2.1 */
static void
builtin_profiles_give_what_they_say(void **state)
{
	struct ca_fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(givens); i++) {
		const struct given *g = &givens[i];
		X509 *cert = ca_must_issue(f, g->profile, g->san == NULL ?
		    ca_csr(g->key, "CN=a.example", NULL) :
		    ca_csr(g->key, "CN=a.example", "subjectAltName", g->san,
		    NULL));
		char *text = drop_key_ids(ca_print_extensions(cert));
		int days, seconds;

		assert_text_equal(text, g->extensions);
		assert_key_ids(f, cert, g->key);
		assert_int_equal(X509_get_version(cert), 2);
		assert_int_equal(ASN1_TIME_diff(&days, &seconds,
		    X509_get0_notBefore(cert), X509_get0_notAfter(cert)), 1);
		/* The last second is inclusive; the issuer has less than
		 * the 20 years of an intermediate left. */
		if (strcmp(g->profile, "intermediate") == 0)
			assert_in_range(days, g->days - 2, g->days);
		else {
			assert_int_equal(days, g->days - 1);
			assert_int_equal(seconds, 24 * 3600 - 1);
		}
		free(text);
		X509_free(cert);
	}
}

static void
root_is_a_root(void **state)
{
	struct ca_fixture *f = *state;
	const uint8_t *p = f->issuer->cert.der.p;
	X509 *cert = d2i_X509(NULL, &p, (long)f->issuer->cert.der.len);
	char *text;

	assert_non_null(cert);
	text = drop_key_ids(ca_print_extensions(cert));
	assert_text_equal(text, "X509v3 Basic Constraints!: CA:TRUE\n"
	    "X509v3 Key Usage!: Digital Signature, Certificate Sign, "
	    "CRL Sign\n");
	assert_int_equal(X509_verify(cert, X509_get0_pubkey(cert)), 1);
	assert_int_equal(X509_check_issued(cert, cert), X509_V_OK);
	assert_non_null(X509_get0_subject_key_id(cert));
	free(text);
	X509_free(cert);
}

/* --- sections --------------------------------------------------------- */

#define WORDS(...) ((struct oc_words){ \
	(char *[]){ __VA_ARGS__ }, \
	sizeof((char *[]){ __VA_ARGS__ }) / sizeof(char *) })

static char server[] = "server", intermediate[] = "intermediate",
    mine[] = "mine", tight[] = "tight";

static struct oc_config_profile
section_of(char *name, char *based_on)
{
	return (struct oc_config_profile){
		.name = name,
		.based_on = based_on,
		.validity_s = OC_CONFIG_UNSET,
		.backdate_s = OC_CONFIG_UNSET,
		.path_length = OC_CONFIG_UNSET,
		.file = "ocsign.conf",
		.line = 7,
	};
}

static void
set_sections(struct ca_fixture *f, struct oc_config_profile *sections,
    size_t num)
{
	f->config.profiles = sections;
	f->config.num_profiles = num;
}

static void
section_changes_what_it_names(void **state)
{
	struct ca_fixture *f = *state;
	struct oc_config_profile sections[] = {
		section_of(mine, server), section_of(tight, mine)
	};
	struct ca_profile base, got;
	char client[] = "clientAuth", own[] = "1.3.6.1.4.1.55555.1";

	sections[0].validity_s = 3600;
	sections[0].extended_key_usage = WORDS(client, own);
	sections[1].backdate_s = 0;
	set_sections(f, sections, 2);
	ca_get_profile(f, server, &base);
	ca_get_profile(f, tight, &got);
	assert_string_equal(got.name, "tight");
	assert_int_equal(got.validity_s, 3600);
	assert_int_equal(got.backdate_s, 0);
	assert_int_equal(base.backdate_s, 300);
	assert_int_equal(got.num_ekus, 2);
	assert_int_equal(got.key_usage_rsa, base.key_usage_rsa);
	assert_int_equal(got.key_usage_other, base.key_usage_other);
	assert_int_equal(got.sans_rule, base.sans_rule);
	assert_int_equal(got.has_ocsp_url, base.has_ocsp_url);
	ca_profile_fini(&got);
	ca_profile_fini(&base);
}

static void
must_not_find(const struct ca_fixture *f, const char *name, enum oc_err err,
    const char *words)
{
	struct ca_profile profile = { .name = "kept" };
	struct oc_error error = { 0 };

	assert_int_equal(ca_profile_find(&f->config, name, &profile, &error),
	    err);
	if (strstr(error.text, words) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", error.text, words);
	assert_string_equal(profile.name, "kept");
}

static void
section_with_fixed_subject(void **state)
{
	struct ca_fixture *f = *state;
	struct oc_config_profile section = section_of(mine, server);
	char subject[] = "O=Fixed\\, Inc.,C=DE", none[] = "no name";
	X509 *cert;
	char text[128];

	section.subject = OC_SUBJECT_FIXED;
	section.subject_name = subject;
	set_sections(f, &section, 1);
	cert = ca_must_issue(f, mine, ca_csr("P-256", "CN=someone else",
	    "subjectAltName", "DNS:a.example", NULL));
	X509_NAME_oneline(X509_get_subject_name(cert), text, sizeof(text));
	assert_non_null(strstr(text, "Fixed, Inc."));
	assert_null(strstr(text, "someone"));
	X509_free(cert);
	section.subject_name = none;
	must_not_find(f, mine, OC_ERR_CONFIG,
	    "[profile mine]: subject-name");
}

static void
bad_sections_are_refused(void **state)
{
	struct ca_fixture *f = *state;
	struct oc_config_profile section = section_of(mine, server);
	char wrong[] = "serverauth", half[] = "1.", long_name[400] = "CN=";
	char gone[] = "gone";

	must_not_find(f, "Server", OC_ERR_NOT_FOUND, "built in are server");
	must_not_find(f, "", OC_ERR_NOT_FOUND, "there is no profile");
	set_sections(f, &section, 1);
	section.path_length = 1;
	must_not_find(f, mine, OC_ERR_CONFIG,
	    "ocsign.conf:7: [profile mine]: path-length");
	section = section_of(mine, server);
	section.extended_key_usage = WORDS(wrong);
	must_not_find(f, mine, OC_ERR_CONFIG, "\"serverauth\"");
	section.extended_key_usage = WORDS(half);
	must_not_find(f, mine, OC_ERR_CONFIG, "\"1.\"");
	section = section_of(mine, server);
	section.key_usage = WORDS(wrong);
	must_not_find(f, mine, OC_ERR_CONFIG, "key-usage");
	section = section_of(mine, server);
	section.subject = OC_SUBJECT_FIXED;
	memset(long_name + 3, 'x', sizeof(long_name) - 4);
	section.subject_name = long_name;
	must_not_find(f, mine, OC_ERR_LIMIT, "longer than 255");
	section = section_of(mine, gone);
	must_not_find(f, mine, OC_ERR_NOT_FOUND, "\"gone\"");
}

/* RFC5280:4.2.1.3, RFC5280:4.2.1.9 */
static void
only_a_ca_signs_certificates(void **state)
{
	struct ca_fixture *f = *state;
	struct oc_config_profile section = section_of(mine, server);
	char digital[] = "digitalSignature", sign[] = "keyCertSign";
	char crl[] = "cRLSign";
	struct ca_profile profile;

	set_sections(f, &section, 1);
	section.key_usage = WORDS(digital, sign);
	must_not_find(f, mine, OC_ERR_CONFIG, "keyCertSign");
	section.key_usage = WORDS(digital, crl);
	must_not_find(f, mine, OC_ERR_CONFIG, "cRLSign");
	section.based_on = intermediate;
	must_not_find(f, mine, OC_ERR_CONFIG, "keyCertSign");
	section.key_usage = WORDS(crl, sign);
	ca_get_profile(f, mine, &profile);
	assert_int_equal(profile.key_usage_rsa,
	    X509_KU_CRL_SIGN | X509_KU_KEY_CERT_SIGN);
	ca_profile_fini(&profile);
}

/* Without the extension a key would be good for everything. */
static void
no_usage_is_not_every_usage(void **state)
{
	struct ca_fixture *f = *state;
	struct oc_config_profile section = section_of(mine, server);
	char encipher[] = "keyEncipherment";

	section.key_usage = WORDS(encipher);
	set_sections(f, &section, 1);
	ca_must_refuse(f, mine, ca_csr("P-256", "CN=a.example", NULL),
	    "key-usage");
	X509_free(ca_must_issue(f, mine, ca_csr("RSA2048", "CN=a.example",
	    NULL)));
}

/* The configuration refuses it; here it must end all the same. */
static void
loops_end(void **state)
{
	struct ca_fixture *f = *state;
	struct oc_config_profile section = section_of(mine, mine);

	set_sections(f, &section, 1);
	must_not_find(f, mine, OC_ERR_NOT_FOUND, "there is no profile");
}

/* Not even a section of its name changes a built-in profile. */
static void
builtin_names_stay_builtin(void **state)
{
	struct ca_fixture *f = *state;
	struct oc_config_profile section = section_of(server, intermediate);
	struct ca_profile profile;

	set_sections(f, &section, 1);
	ca_get_profile(f, server, &profile);
	assert_int_equal(profile.ca, X509_NOT_CA);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    builtin_profiles_give_what_they_say, ca_setup,
		    ca_teardown),
		cmocka_unit_test_setup_teardown(root_is_a_root, ca_setup,
		    ca_teardown),
		cmocka_unit_test_setup_teardown(section_changes_what_it_names,
		    ca_setup, ca_teardown),
		cmocka_unit_test_setup_teardown(section_with_fixed_subject,
		    ca_setup, ca_teardown),
		cmocka_unit_test_setup_teardown(bad_sections_are_refused,
		    ca_setup, ca_teardown),
		cmocka_unit_test_setup_teardown(only_a_ca_signs_certificates,
		    ca_setup, ca_teardown),
		cmocka_unit_test_setup_teardown(no_usage_is_not_every_usage,
		    ca_setup, ca_teardown),
		cmocka_unit_test_setup_teardown(loops_end, ca_setup,
		    ca_teardown),
		cmocka_unit_test_setup_teardown(builtin_names_stay_builtin,
		    ca_setup, ca_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, test_free_all);
}
