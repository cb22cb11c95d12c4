/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules by which a request is refused, with names that stay: they are
 * printed, returned by the API, and counted.  New ones are only added at the
 * end; a name is never given a second meaning.
 */
#ifndef CA_RULE_H
#define CA_RULE_H

enum ca_rule {
	CA_RULE_NONE = 0,		/* not refused, or not by a rule */
	/* The request itself. */
	CA_RULE_CSR_MALFORMED,		/* "csr-malformed" */
	CA_RULE_CSR_SIGNATURE,		/* "csr-signature": no possession */
	CA_RULE_CSR_LIMIT,		/* "csr-limit": too large, too many */
	CA_RULE_CSR_PRIVATE_KEY,	/* "csr-private-key": handed to us */
	CA_RULE_CSR_EXTENSION,		/* "csr-extension": not one it gives */
	CA_RULE_CSR_CA,			/* "csr-ca": asks to be a CA */
	CA_RULE_CSR_KEY_USAGE,		/* "csr-key-usage" */
	CA_RULE_CSR_EXTENDED_KEY_USAGE,	/* "csr-extended-key-usage" */
	CA_RULE_EXTENSION,		/* "extension": of the caller */
	/* The key. */
	CA_RULE_KEY_UNFIT,		/* "key-unfit": size, exponent, curve,
					 * weak, malformed */
	CA_RULE_KEY_TYPE,		/* "key-type": not this profile's */
	CA_RULE_KEY_OF_CA,		/* "key-of-ca": the issuer's own */
	CA_RULE_KEY_BLOCKED,		/* "key-blocked": on a block list */
	/* Names. */
	CA_RULE_SUBJECT_MISSING,	/* "subject-missing" */
	CA_RULE_NAME_KIND,		/* "name-kind" */
	CA_RULE_NAME_MALFORMED,		/* "name-malformed" */
	CA_RULE_NAME_WILDCARD,		/* "name-wildcard" */
	CA_RULE_NAMES_MISSING,		/* "names-missing" */
	CA_RULE_NAMES_MAX,		/* "names-max" */
	CA_RULE_COMMON_NAME,		/* "common-name": none of the names */
	CA_RULE_NAME_WHITELIST,		/* "name-whitelist" */
	CA_RULE_NAME_CONSTRAINT,	/* "name-constraint": of the chain */
	/* Time. */
	CA_RULE_VALIDITY,		/* "validity": none, or beyond 9999 */
	CA_RULE_VALIDITY_CHOICE,	/* "validity-choice" */
	CA_RULE_VALIDITY_ISSUER,	/* "validity-issuer": outlives it */
	CA_RULE_ISSUER_EXPIRED,		/* "issuer-expired" */
	/* Issuer and profile. */
	CA_RULE_ISSUER_PROFILE,		/* "issuer-profile": not its issuer */
	CA_RULE_PATH_LENGTH,		/* "path-length" */
	CA_RULE_PROFILE_CA,		/* "profile-ca": not for a root, or
					 * for roots alone */
	CA_RULE_SERIAL,			/* "serial": of the caller */
	/* Who asks, and what was made of it: said by other files. */
	CA_RULE_ACCOUNT,		/* "account": unknown, disabled */
	CA_RULE_ZONE,			/* "zone": a name in none of theirs */
	CA_RULE_QUOTA,			/* "quota" */
	CA_RULE_LINT,			/* "lint" */
	CA_RULE_ZONE_PAUSED,		/* "zone-paused" */
	CA_RULE_ZONE_DELEGATED,		/* "zone-delegated": to another */
	CA_RULE_QUOTA_PERIOD,		/* "quota-period": too many of late */
	CA_RULE_ISSUER_REVOKED,		/* "issuer-revoked": or one above */
	CA_RULE_VALIDITY_PROFILE,	/* "validity-profile": longer than the
					 * profile's */
	/* Said by the doors. */
	CA_RULE_PROFILE_UNKNOWN,	/* "profile-unknown" */
	CA_RULE_AUTHENTICATION,		/* "authentication": of a profile that
					 * wants it */
	CA_RULE_ISSUER_BLOCKED,		/* "issuer-blocked": its key, or that of
					 * one above it, is on a block list */
	CA_RULE_CAA,			/* "caa": records of a name let only
					 * others issue, or cannot be known */
	CA_RULE_MAX
};

/* "csr-extension"; CA_RULE_NONE is "none".  Never NULL. */
const char *ca_rule_name(enum ca_rule rule);

#endif
