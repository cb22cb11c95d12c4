/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks, or parts of them, that nobody can make of a finished certificate:
 * they are about how it came to be.  Where each is made, and the test that
 * would fail without it.
 */
#include "lint/lint.h"

const struct lint_elsewhere lint_elsewhere[] = {
	{ 4, "src/ca/serial.c: ca_serial_new",
	    "tests/unit/test_ca_serial.c: test_random" },
	{ 5, "src/ca/issue.c: reserve_new",
	    "tests/unit/test_ca_issue.c: "
	    "failed_signature_leaves_a_reserved_row" },
	{ 8, "src/ca/planning_time.c: ca_planning_times",
	    "tests/unit/test_ca_plan.c: life_stays_within_the_issuers" },
	{ 15, "src/x509/spki.c: check_point",
	    "tests/unit/test_x509_spki.c: test_ec" },
	{ 18, "src/x509/weak.c: x509_weak_check",
	    "tests/unit/test_x509_spki.c: test_weak_rsa" },
	{ 18, "src/ca/planning_key.c: ca_planning_key",
	    "tests/unit/test_ca_plan.c: keys_are_refused" },
	{ 29, "src/x509/san.c: x509_san_parse",
	    "tests/unit/test_lint_csr.c: "
	    "check_29_names_are_no_configuration" },
	{ 52, "src/ca/planning_csr.c: ca_check_csr",
	    "tests/unit/test_ca_plan.c: csr_is_refused_by_name" },
	{ 53, "src/ca/planning_csr.c: ca_check_csr",
	    "tests/unit/test_lint_csr.c: "
	    "check_53_precertificates_are_not_asked_for" },
	{ 54, "src/x509/csr.c: x509_csr_read",
	    "tests/unit/test_lint_csr.c: check_54_form_and_size" },
	{ 55, "src/x509/csr.c: read_extension_request",
	    "tests/unit/test_lint_csr.c: check_55_one_extension_request" },
	{ 56, "src/x509/csr.c: read_attribute",
	    "tests/unit/test_lint_csr.c: check_56_secrets_stay_unsaid" },
	{ 57, "src/x509/file.c: x509_file_parse",
	    "tests/unit/test_lint_csr.c: check_57_labels_and_private_keys" },
	{ 58, "src/x509/csr.c: x509_csr_verify",
	    "tests/unit/test_lint_csr.c: check_58_proof_of_possession" },
	{ 59, "src/ca/plan_write.c: read_back",
	    "tests/unit/test_ca_plan.c: "
	    "what_does_not_read_back_is_not_signed" },
	{ 59, "src/ca/lint.c: ca_lint_plan",
	    "tests/unit/test_ca_lint.c: "
	    "nothing_is_reserved_or_signed_that_breaks_a_rule" },
	{ 60, "pkcs11/verify.c: verify_tickets",
	    "tests/faults/test_faults_signature.c: wrong_bit" },
	{ 61, "src/sign/alg.c: sign_ecdsa_to_der",
	    "tests/unit/test_sign_alg.c: ecdsa_values_go_both_ways" },
	{ 62, "src/ca/crl.c: ca_crl_reserve",
	    "tests/unit/test_ca_revoke.c: empty_crl_and_rising_numbers" },
	{ 65, "src/ca/exempt.c: ca_exempt_builtin",
	    "tests/unit/test_ca_lint.c: exemptions_are_a_profiles" },
	{ 0, NULL, NULL }
};
