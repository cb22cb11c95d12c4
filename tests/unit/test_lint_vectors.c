/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything in Debian's python3-cryptography-vectors, NIST's PKITS among it,
 * through all three lints, as it is, cut short everywhere and with single
 * octets changed, from memory of exactly its size: nothing crashes.  And what
 * certificates are known for is found in them.  Skipped (77) where the package
 * is not installed.
 */
#include "lint_fixture.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#define VECTORS "/usr/lib/python3/dist-packages/cryptography_vectors/x509"
#define PATH_OCTETS 4096

static unsigned int num_files, num_blobs, num_findings;

/* --- nothing crashes -------------------------------------------------- */

static void
lint_all(struct der_bytes der, struct der_bytes issuer)
{
	const struct lint_input input = { .der = der, .issuer = issuer };
	const struct lint_crl_input crl = { .der = der, .issuer = issuer };
	const struct lint_ocsp_input ocsp = { .der = der, .signer = issuer,
	    .request = der };
	struct lint_report report;
	enum lint_kind kind;

	lint_certificate(&input, &report, &kind);
	assert_true(kind >= LINT_SERVER && kind <= LINT_OTHER);
	assert_true(report.num_findings <= LINT_FINDINGS_MAX);
	num_findings += report.num_findings;
	assert_int_equal(lint_crl(&crl, &report), OC_OK);
	lint_ocsp(&ocsp, &report);
}

/* Its own issuer, too: whatever is wrong with it is wrong on both sides. */
static void
lint_exact(const uint8_t *octets, size_t len)
{
	uint8_t *exact = malloc(len == 0 ? 1 : len);
	struct der_bytes der = { exact, len };

	assert_non_null(exact);
	memcpy(exact, octets, len);
	lint_all(der, der);
	free(exact);
}

static void
lint_blob(const uint8_t *octets, size_t len)
{
	uint64_t seed = UINT64_C(0x2545F4914F6CDD1D) + len;
	uint8_t *changed = malloc(len);
	unsigned int i;
	size_t cut;

	assert_non_null(changed);
	lint_exact(octets, len);
	num_blobs++;
	/* Most CRLs are large, and all alike behind the first entries. */
	if (len < 4096)
		for (cut = 0; cut < len; cut += 1 + len / 32)
			lint_exact(octets, cut);
	for (i = 0; i < 8 && len < 65536; i++) {
		memcpy(changed, octets, len);
		changed[test_random_below(&seed, (uint32_t)len)] =
		    (uint8_t)test_random_below(&seed, 256);
		lint_exact(changed, len);
	}
	free(changed);
}

static void
lint_path(const char *path, void (*each)(const uint8_t *octets, size_t len))
{
	BIO *bio = BIO_new_file(path, "rb");
	unsigned int num_blocks = 0;
	char *name, *header;
	uint8_t *octets;
	long len;

	assert_non_null(bio);
	while (PEM_read_bio(bio, &name, &header, &octets, &len) == 1) {
		each(octets, (size_t)len);
		OPENSSL_free(name);
		OPENSSL_free(header);
		OPENSSL_free(octets);
		num_blocks++;
	}
	ERR_clear_error();
	BIO_free(bio);
	if (num_blocks == 0) {
		static uint8_t raw[2 * 1024 * 1024];
		FILE *f = fopen(path, "rb");

		assert_non_null(f);
		len = (long)fread(raw, 1, sizeof(raw), f);
		fclose(f);
		each(raw, (size_t)len);
	}
}

static void
lint_directory(const char *path)
{
	DIR *dir = opendir(path);
	char inner[PATH_OCTETS];
	struct dirent *entry;
	struct stat st;

	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		assert_true(snprintf(inner, sizeof(inner), "%s/%s", path,
		    entry->d_name) < PATH_OCTETS);
		assert_int_equal(stat(inner, &st), 0);
		if (S_ISDIR(st.st_mode))
			lint_directory(inner);
		else if (S_ISREG(st.st_mode)) {
			lint_path(inner, lint_blob);
			num_files++;
		}
	}
	closedir(dir);
}

static void
nothing_crashes(void **state)
{
	(void)state;
	lint_directory(VECTORS);
	print_message("%u files, %u objects in them, %u findings\n",
	    num_files, num_blobs, num_findings);
	assert_true(num_files > 700 && num_findings > 1000);
}

/* --- what they are known for is found --------------------------------- */

static struct lint_report found;

static void
lint_one(const uint8_t *octets, size_t len)
{
	const struct lint_input input = { .der = { octets, len } };

	lint_certificate(&input, &found, NULL);
}

static void
lint_one_crl(const uint8_t *octets, size_t len)
{
	const struct lint_crl_input input = { .der = { octets, len } };

	assert_int_equal(lint_crl(&input, &found), OC_OK);
}

static bool
has_rule(const char *rule)
{
	uint32_t i;

	for (i = 0; i < found.num_findings; i++)
		if (strcmp(found.findings[i].rule->name, rule) == 0)
			return true;
	return false;
}

static const struct {
	const char *file, *rule;	/* rule with '!': not found */
} known[] = {
	{ "custom/negative_serial.pem", "serial_number_not_positive" },
	{ "custom/invalid_version.pem",
	    "invalid_certificate_version" },
	{ "v1_cert.pem", "invalid_certificate_version" },
	{ "badasn1time.pem", "time_malformed" },
	{ "utf8-dnsname.pem", "ext_san_dns_not_ia5_string" },
	{ "custom/invalid_utf8_common_name.pem",
	    "subject_utf8_malformed" },
	{ "custom/utf8_common_name.pem", "!subject_utf8_malformed" },
	{ "custom/bad_country.pem", "subject_country_not_iso" },
	{ "custom/two_basic_constraints.pem",
	    "ext_duplicate_extension" },
	{ "custom/nc_ip_invalid_length.pem",
	    "name_constraint_ip_malformed" },
	{ "custom/nc_invalid_ip_netmask.pem",
	    "name_constraint_ip_malformed" },
	{ "custom/nc_single_ip_netmask.pem",
	    "!name_constraint_ip_malformed" },
	{ "custom/san_empty_hostname.pem",
	    "dnsname_contains_empty_label" },
	{ "wosign-bc-invalid.pem",
	    "path_len_constraint_improperly_included" },
	{ "verisign_md2_root.pem", "sub_cert_or_sub_ca_using_sha1" },
	{ "custom/ec_no_named_curve.pem", "ec_improper_curves" },
	{ "custom/san_other_name.pem", "ext_san_other_name_present" },
	{ "custom/san_dirname.pem", "ext_san_directory_name_present" },
	{ "custom/san_registered_id.pem",
	    "ext_san_registered_id_present" },
	{ "custom/san_rfc822_names.pem",
	    "ext_san_rfc822_name_present" },
	{ "san_edipartyname.der", "ext_san_edi_party_name_present" },
	{ "san_x400address.der", "ext_san_x400_address_present" },
	{ "custom/san_wildcard_idna.pem",
	    "!idn_dnsname_malformed_unicode" },
	{ "custom/san_idna2003_dnsname.pem",
	    "idn_dnsname_malformed_unicode" },
	{ "custom/basic_constraints_not_critical.pem",
	    "sub_cert_basic_constraints_not_critical" },
	{ "custom/cdp_all_reasons.pem",
	    "distribution_point_reasons_present" },
	{ "custom/cdp_crl_issuer.pem",
	    "crlissuer_must_not_be_present_in_cdp" },
	{ "custom/cp_user_notice_with_notice_reference.pem",
	    "ext_cert_policy_contains_noticeref" },
	{ "custom/cp_user_notice_with_explicit_text.pem",
	    "!ext_cert_policy_contains_noticeref" },
	{ "custom/ocsp_nocheck.pem",
	    "ocsp_id_pkix_ocsp_nocheck_in_other_cert" },
	{ "custom/unsupported_extension_critical.pem",
	    "cert_ext_invalid_der" },
	{ "custom/authority_key_identifier_no_keyid.pem",
	    "ext_authority_key_identifier_no_key_identifier" },
	{ "custom/dsa_selfsigned_ca.pem",
	    "public_key_type_not_allowed" },
	{ "cryptography.io.precert.pem", "!precert_poison_improper" },
	{ "PKITS_data/certs/ValidGeneralizedTimenotBeforeDateTest4EE"
	    ".crt", "wrong_time_format_pre2050" },
	{ "PKITS_data/certs/InvalidNegativeSerialNumberTest15EE.crt",
	    "serial_number_not_positive" },
	{ "PKITS_data/certs/InvalidLongSerialNumberTest18EE.crt",
	    "!serial_number_longer_than_20_octets" },
	{ "PKITS_data/certs/MissingbasicConstraintsCACert.crt",
	    "ext_key_usage_cert_sign_without_ca" },
	{ "PKITS_data/certs/keyUsageCriticalkeyCertSignFalseCACert"
	    ".crt", "ca_key_cert_sign_not_set" },
	{ "PKITS_data/certs/basicConstraintsNotCriticalcAFalseCACert"
	    ".crt", "sub_cert_basic_constraints_not_critical" },
};

static void
known_properties_are_found(void **state)
{
	char path[PATH_OCTETS];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(known); i++) {
		bool is_wanted = known[i].rule[0] != '!';

		(void)snprintf(path, sizeof(path), "%s/%s", VECTORS,
		    known[i].file);
		lint_path(path, lint_one);
		if (has_rule(known[i].rule + !is_wanted) != is_wanted)
			fail_msg("%s: %s", known[i].file, known[i].rule);
	}
}

static void
known_properties_of_crls(void **state)
{
	static const struct {
		const char *file, *rule;
	} crls[] = {
		{ "custom/crl_bad_version.pem", "crl_version_not_2" },
		{ "custom/crl_no_next_update.pem", "crl_has_next_update" },
		{ "custom/crl_invalid_time.der", "crl_time_format" },
		{ "custom/crl_all_reasons.pem", "crl_time_format" },
		{ "custom/crl_unsupported_reason.pem",
		    "crl_valid_reason_codes" },
		{ "custom/crl_empty_no_sequence.der",
		    "!crl_empty_revoked_certificates" },
		{ "custom/crl_empty.pem", "!crl_missing_crl_number" },
	};
	char path[PATH_OCTETS];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(crls); i++) {
		bool is_wanted = crls[i].rule[0] != '!';

		(void)snprintf(path, sizeof(path), "%s/%s", VECTORS,
		    crls[i].file);
		lint_path(path, lint_one_crl);
		if (has_rule(crls[i].rule + !is_wanted) != is_wanted)
			fail_msg("%s: %s", crls[i].file, crls[i].rule);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_crashes),
		cmocka_unit_test(known_properties_are_found),
		cmocka_unit_test(known_properties_of_crls),
	};
	struct stat st;

	if (stat(VECTORS, &st) != 0) {
		fprintf(stderr, "python3-cryptography-vectors is not "
		    "installed\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, test_free_all);
}
