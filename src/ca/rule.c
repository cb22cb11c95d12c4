/* SPDX-License-Identifier: Apache-2.0 */
/* The names of the rules by which a request is refused. */
#include "ca/rule.h"

#include "base/err.h"

static const char *const names[CA_RULE_MAX] = {
	[CA_RULE_NONE] = "none",
	[CA_RULE_CSR_MALFORMED] = "csr-malformed",
	[CA_RULE_CSR_SIGNATURE] = "csr-signature",
	[CA_RULE_CSR_LIMIT] = "csr-limit",
	[CA_RULE_CSR_PRIVATE_KEY] = "csr-private-key",
	[CA_RULE_CSR_EXTENSION] = "csr-extension",
	[CA_RULE_CSR_CA] = "csr-ca",
	[CA_RULE_CSR_KEY_USAGE] = "csr-key-usage",
	[CA_RULE_CSR_EXTENDED_KEY_USAGE] = "csr-extended-key-usage",
	[CA_RULE_EXTENSION] = "extension",
	[CA_RULE_KEY_UNFIT] = "key-unfit",
	[CA_RULE_KEY_TYPE] = "key-type",
	[CA_RULE_KEY_OF_CA] = "key-of-ca",
	[CA_RULE_KEY_BLOCKED] = "key-blocked",
	[CA_RULE_SUBJECT_MISSING] = "subject-missing",
	[CA_RULE_NAME_KIND] = "name-kind",
	[CA_RULE_NAME_MALFORMED] = "name-malformed",
	[CA_RULE_NAME_WILDCARD] = "name-wildcard",
	[CA_RULE_NAMES_MISSING] = "names-missing",
	[CA_RULE_NAMES_MAX] = "names-max",
	[CA_RULE_COMMON_NAME] = "common-name",
	[CA_RULE_NAME_WHITELIST] = "name-whitelist",
	[CA_RULE_NAME_CONSTRAINT] = "name-constraint",
	[CA_RULE_VALIDITY] = "validity",
	[CA_RULE_VALIDITY_CHOICE] = "validity-choice",
	[CA_RULE_VALIDITY_ISSUER] = "validity-issuer",
	[CA_RULE_ISSUER_EXPIRED] = "issuer-expired",
	[CA_RULE_ISSUER_PROFILE] = "issuer-profile",
	[CA_RULE_PATH_LENGTH] = "path-length",
	[CA_RULE_PROFILE_CA] = "profile-ca",
	[CA_RULE_SERIAL] = "serial",
	[CA_RULE_ACCOUNT] = "account",
	[CA_RULE_ZONE] = "zone",
	[CA_RULE_QUOTA] = "quota",
	[CA_RULE_LINT] = "lint",
	[CA_RULE_ZONE_PAUSED] = "zone-paused",
	[CA_RULE_ZONE_DELEGATED] = "zone-delegated",
	[CA_RULE_QUOTA_PERIOD] = "quota-period",
	[CA_RULE_ISSUER_REVOKED] = "issuer-revoked",
	[CA_RULE_VALIDITY_PROFILE] = "validity-profile",
	[CA_RULE_PROFILE_UNKNOWN] = "profile-unknown",
	[CA_RULE_AUTHENTICATION] = "authentication",
	[CA_RULE_ISSUER_BLOCKED] = "issuer-blocked",
	[CA_RULE_CAA] = "caa",
};

const char *
ca_rule_name(enum ca_rule rule)
{
	oc_assert(rule < CA_RULE_MAX);
	return names[rule];
}
