/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/exempt.h"

#include <string.h>

#define RULES_MAX 20

/*
 * Of private CAs: all are rules of the Baseline Requirements, which bind
 * those in public root stores only.  Roots and intermediates may be dated
 * back to when the hierarchy began.  ocsign-lint(7) prints these lists.
 */
static const struct {
	const char *profile;
	const char *rules[RULES_MAX];
} builtins[] = {
	{ "root", { "excessively_backdated",
	    "invalid_subject_rdn_order",
	    "organizational_unit_name_prohibited", "subject_multiple_rdn",
	    "ca_country_name_missing", "ca_organization_name_missing",
	    "ca_common_name_missing", "name_constraint_ip_not_excluded",
	    "rsa_mod_not_multiple_of_8_bits", NULL } },
	{ "intermediate", { "excessively_backdated",
	    "invalid_subject_rdn_order",
	    "organizational_unit_name_prohibited", "subject_multiple_rdn",
	    "ca_country_name_missing", "ca_organization_name_missing",
	    "ca_common_name_missing", "name_constraint_ip_not_excluded",
	    "rsa_mod_not_multiple_of_8_bits",
	    "sub_ca_certificate_policies_missing", "sub_ca_eku_missing",
	    "sub_ca_aia_missing", "sub_ca_crl_distribution_points_missing",
	    NULL } },
	{ "server", { "server_cert_valid_time_longer_than_200_days",
	    "server_cert_valid_time_longer_than_100_days",
	    "server_cert_valid_time_longer_than_47_days",
	    "invalid_subject_rdn_order", "subject_multiple_rdn",
	    "organizational_unit_name_prohibited",
	    "subject_common_name_not_exactly_from_san",
	    "ext_san_contains_reserved_ip",
	    "sub_cert_eku_client_auth_present",
	    "sub_cert_certificate_policies_missing",
	    "rsa_mod_not_multiple_of_8_bits", NULL } },
	{ "client", { "invalid_subject_rdn_order", "subject_multiple_rdn",
	    "organizational_unit_name_prohibited",
	    "ext_san_contains_reserved_ip",
	    "rsa_mod_not_multiple_of_8_bits", NULL } },
	{ "ocsp-signer", { "invalid_subject_rdn_order", "subject_multiple_rdn",
	    "organizational_unit_name_prohibited",
	    "rsa_mod_not_multiple_of_8_bits", NULL } },
	{ "origin-rsa", { "server_cert_valid_time_longer_than_200_days",
	    "server_cert_valid_time_longer_than_100_days",
	    "server_cert_valid_time_longer_than_47_days",
	    "organizational_unit_name_prohibited",
	    "subject_common_name_not_exactly_from_san",
	    "sub_cert_eku_client_auth_present",
	    "sub_cert_certificate_policies_missing",
	    "rsa_mod_not_multiple_of_8_bits", NULL } },
	{ "origin-ecc", { "server_cert_valid_time_longer_than_200_days",
	    "server_cert_valid_time_longer_than_100_days",
	    "server_cert_valid_time_longer_than_47_days",
	    "organizational_unit_name_prohibited",
	    "subject_common_name_not_exactly_from_san",
	    "sub_cert_eku_client_auth_present",
	    "sub_cert_certificate_policies_missing", NULL } },
};

void
ca_exempt_builtin(const char *profile, struct lint_set *set)
{
	const char *const *rule;
	size_t i;

	*set = (struct lint_set){ { 0 } };
	for (i = 0; i < sizeof(builtins) / sizeof(builtins[0]); i++) {
		if (strcmp(builtins[i].profile, profile) != 0)
			continue;
		for (rule = builtins[i].rules; *rule != NULL; rule++)
			oc_assert(lint_set_add(set, *rule, NULL) == OC_OK);
	}
}

void
ca_exempt_cfssl(struct lint_set *set)
{
	/* Usages are what the configuration says they are, whether they go
	 * together or not; a server may be an address to write to. */
	static const char *const also[] = { "ext_san_missing",
	    "ext_san_rfc822_name_present",
	    "ext_san_uniform_resource_identifier_present",
	    "sub_cert_key_usage_missing", "sub_cert_eku_missing",
	    "sub_cert_eku_contains_any",
	    "key_usage_and_extended_key_usage_inconsistent",
	    "ocsp_cert_eku_not_only_ocsp_signing", "ocsp_cert_invalid_ku",
	    "ocsp_cert_crl_distribution_points_present",
	    "ocsp_cert_certificate_policies_present",
	    "ocsp_id_pkix_ocsp_nocheck_missing",
	    "ocsp_id_pkix_ocsp_nocheck_in_other_cert" };
	const struct lint_rule *rule;
	size_t i;

	*set = (struct lint_set){ { 0 } };
	for (i = 0; (rule = lint_rule_at(i)) != NULL; i++)
		if (rule->audience == LINT_PUBLIC)
			oc_assert(lint_set_add(set, rule->name, NULL) ==
			    OC_OK);
	for (i = 0; i < sizeof(also) / sizeof(also[0]); i++)
		oc_assert(lint_set_add(set, also[i], NULL) == OC_OK);
}

enum oc_err
ca_exempt_words(const struct oc_words *words, struct lint_set *set,
    struct oc_error *error)
{
	struct lint_set all = *set;
	size_t i;

	for (i = 0; i < words->num; i++) {
		if (strcmp(words->words[i], "none") == 0) {
			all = (struct lint_set){ { 0 } };
			continue;
		}
		if (lint_set_add(&all, words->words[i], error) != OC_OK) {
			oc_error_prefix(error, "lint-exempt");
			if (error != NULL)
				error->code = OC_ERR_CONFIG;
			return OC_ERR_CONFIG;
		}
	}
	*set = all;
	return OC_OK;
}
