/* SPDX-License-Identifier: Apache-2.0 */
/* The policies of a profile, RFC 5280 section 4.2.1.4. */
#include <string.h>

#include "base/bytes.h"
#include "ca/profile_impl.h"
#include "der/oid.h"

#define NOTICE_CHARS_MAX 200
#define URI_MAX 1024

enum oc_err
ca_profile_add_policy(struct ca_profile *profile, const char *dotted,
    struct oc_error *error)
{
	struct x509_policy *policy;
	struct der_bytes oid;
	uint8_t parsed[64];
	enum oc_err err;
	uint32_t i;

	if (profile->num_policies == X509_POLICIES_MAX)
		return oc_error_set(error, OC_ERR_LIMIT,
		    "more than %d policies", X509_POLICIES_MAX);
	if (der_oid_parse(dotted, parsed, sizeof(parsed), &oid.len) != OC_OK)
		return oc_error_set(error, OC_ERR_CONFIG, "\"%.80s\" is no "
		    "dotted OID", dotted);
	err = ca_profile_keep(profile, parsed, oid.len, &oid, error);
	if (err != OC_OK)
		return err;
	for (i = 0; i < profile->num_policies; i++)
		if (der_bytes_equal(profile->policies[i].oid, oid))
			return oc_error_set(error, OC_ERR_CONFIG, "the "
			    "policy %s is there twice", dotted);
	policy = &profile->policies[profile->num_policies++];
	*policy = (struct x509_policy){ .oid = oid };
	return OC_OK;
}

static size_t
count_characters(const char *text)
{
	size_t n = 0;

	for (; *text != '\0'; text++)
		n += (*text & 0xc0) != 0x80;
	return n;
}

static const char *
qualifier_fault(enum x509_qualifier_kind kind, const char *text)
{
	const char *p;

	switch (kind) {
	case X509_QUALIFIER_CPS:
		if (strncmp(text, "http://", 7) != 0 &&
		    strncmp(text, "https://", 8) != 0)
			return "is no http URI";
		for (p = text; *p != '\0'; p++)
			if (*p <= 0x20 || *p >= 0x7f)
				return "has a character that no URI has";
		return strlen(text) > URI_MAX ? "is too long" : NULL;
	case X509_QUALIFIER_NOTICE:
		break;
	}
	if (!oc_utf8_is_valid(text, strlen(text)))
		return "is not UTF-8";
	for (p = text; *p != '\0'; p++)
		if ((uint8_t)*p < 0x20 || *p == 0x7f)
			return "has a control character";
	if (*text == '\0' || count_characters(text) > NOTICE_CHARS_MAX)
		return "is empty, or longer than 200 characters (RFC 5280, "
		    "4.2.1.4)";
	return NULL;
}

enum oc_err
ca_profile_add_qualifier(struct ca_profile *profile,
    enum x509_qualifier_kind kind, const char *text, struct oc_error *error)
{
	const char *fault = qualifier_fault(kind, text);
	struct x509_policy *policy;
	struct der_bytes kept;
	enum oc_err err;

	oc_assert(profile->num_policies != 0);
	policy = &profile->policies[profile->num_policies - 1];
	if (fault != NULL)
		return oc_error_set(error, OC_ERR_CONFIG, "\"%.80s\" %s",
		    text, fault);
	if (policy->num_qualifiers == X509_QUALIFIERS_MAX)
		return oc_error_set(error, OC_ERR_LIMIT, "more than %d "
		    "qualifiers of one policy", X509_QUALIFIERS_MAX);
	err = ca_profile_keep(profile, text, strlen(text), &kept, error);
	if (err != OC_OK)
		return err;
	policy->qualifiers[policy->num_qualifiers].kind = kind;
	policy->qualifiers[policy->num_qualifiers].text = kept;
	policy->num_qualifiers++;
	return OC_OK;
}
