/* SPDX-License-Identifier: Apache-2.0 */
/* From a [profile NAME] section to struct ca_profile. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/value.h"
#include "ca/exempt.h"
#include "ca/pattern.h"
#include "ca/profile_impl.h"
#include "der/oid.h"
#include "x509/name.h"

static const struct {
	const char *name;
	uint32_t bit;
} key_usages[] = {
	{ "digitalSignature", X509_KU_DIGITAL_SIGNATURE },
	{ "contentCommitment", X509_KU_CONTENT_COMMITMENT },
	{ "nonRepudiation", X509_KU_CONTENT_COMMITMENT },
	{ "keyEncipherment", X509_KU_KEY_ENCIPHERMENT },
	{ "dataEncipherment", X509_KU_DATA_ENCIPHERMENT },
	{ "keyAgreement", X509_KU_KEY_AGREEMENT },
	{ "keyCertSign", X509_KU_KEY_CERT_SIGN },
	{ "cRLSign", X509_KU_CRL_SIGN },
	{ "encipherOnly", X509_KU_ENCIPHER_ONLY },
	{ "decipherOnly", X509_KU_DECIPHER_ONLY },
};

static const enum der_oid eku_names[] = {
	DER_OID_SERVER_AUTH, DER_OID_CLIENT_AUTH, DER_OID_CODE_SIGNING,
	DER_OID_EMAIL_PROTECTION, DER_OID_TIME_STAMPING, DER_OID_OCSP_SIGNING,
};

enum oc_err
ca_profile_keep(struct ca_profile *profile, const void *octets, size_t len,
    struct der_bytes *kept, struct oc_error *error)
{
	uint8_t *room = ca_profile_alloc(profile, len != 0 ? len : 1);

	if (room == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	memcpy(room, octets, len);
	*kept = (struct der_bytes){ room, len };
	return OC_OK;
}

enum oc_err
ca_profile_add_eku(struct ca_profile *profile, struct der_bytes oid,
    struct oc_error *error)
{
	uint32_t i;

	for (i = 0; i < profile->num_ekus; i++)
		if (der_bytes_equal(oid, (struct der_bytes){
		    profile->eku_octets[i], profile->eku_len[i] }))
			return OC_OK;
	if (profile->num_ekus == X509_EKUS_MAX ||
	    oid.len > sizeof(profile->eku_octets[0]))
		return oc_error_set(error, OC_ERR_LIMIT,
		    "more than %d extended key usages, or a very long one",
		    X509_EKUS_MAX);
	memcpy(profile->eku_octets[profile->num_ekus], oid.p, oid.len);
	profile->eku_len[profile->num_ekus++] = (uint8_t)oid.len;
	return OC_OK;
}

static enum oc_err
add_eku_word(struct ca_profile *profile, const char *word,
    struct oc_error *error)
{
	uint8_t parsed[sizeof(profile->eku_octets[0])];
	struct der_bytes oid = { parsed, 0 };
	size_t i;

	for (i = 0; i < sizeof(eku_names) / sizeof(eku_names[0]); i++)
		if (strcmp(word, der_oid_name(eku_names[i])) == 0)
			return ca_profile_add_eku(profile,
			    der_oid_bytes(eku_names[i]), error);
	if (der_oid_parse(word, parsed, sizeof(parsed), &oid.len) != OC_OK)
		return oc_error_set(error, OC_ERR_CONFIG,
		    "extended-key-usage: \"%s\" is neither a name of "
		    "RFC 5280 (serverAuth, clientAuth, codeSigning, "
		    "emailProtection, timeStamping, OCSPSigning) nor "
		    "a dotted OID", word);
	return ca_profile_add_eku(profile, oid, error);
}

enum oc_err
ca_profile_set_key_usage(struct ca_profile *profile, uint32_t bits,
    struct oc_error *error)
{
	if (profile->ca != X509_IS_CA &&
	    (bits & (X509_KU_KEY_CERT_SIGN | X509_KU_CRL_SIGN)) != 0)
		return oc_error_set(error, OC_ERR_CONFIG, "key-usage: "
		    "keyCertSign and cRLSign are for CAs (based-on)");
	if (profile->ca == X509_IS_CA && (bits & X509_KU_KEY_CERT_SIGN) == 0)
		return oc_error_set(error, OC_ERR_CONFIG, "key-usage: "
		    "a CA without keyCertSign is none");
	profile->key_usage_rsa = bits;
	profile->key_usage_other = bits & ~(uint32_t)
	    (X509_KU_KEY_ENCIPHERMENT | X509_KU_DATA_ENCIPHERMENT);
	return OC_OK;
}

static enum oc_err
apply_key_usage(const struct oc_words *words, struct ca_profile *profile,
    struct oc_error *error)
{
	uint32_t bits = 0, bit;
	size_t i, j;

	for (i = 0; i < words->num; i++) {
		for (bit = 0, j = 0; j < sizeof(key_usages) /
		    sizeof(key_usages[0]); j++)
			if (strcmp(words->words[i], key_usages[j].name) == 0)
				bit = key_usages[j].bit;
		if (bit == 0)
			return oc_error_set(error, OC_ERR_CONFIG,
			    "key-usage: \"%s\" is not one of RFC 5280's "
			    "(digitalSignature, keyEncipherment, ...)",
			    words->words[i]);
		bits |= bit;
	}
	return ca_profile_set_key_usage(profile, bits, error);
}

static enum oc_err
apply_usages(const struct oc_config_profile *section,
    struct ca_profile *profile, struct oc_error *error)
{
	const struct oc_words *ekus = &section->extended_key_usage;
	enum oc_err err = OC_OK;
	size_t i;

	if (section->key_usage.num != 0)
		err = apply_key_usage(&section->key_usage, profile, error);
	if (err == OC_OK && ekus->num != 0)
		profile->num_ekus = 0;
	for (i = 0; err == OC_OK && i < ekus->num; i++)
		err = add_eku_word(profile, ekus->words[i], error);
	if (section->key_types != 0)
		profile->key_kinds = section->key_types;
	return err;
}

/* Ascending, each once. */
static int
compare_lives(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static enum oc_err
apply_choices(const struct oc_words *words, struct ca_profile *profile,
    struct oc_error *error)
{
	int64_t *choices = profile->validity_choices_s;
	enum oc_err err;
	size_t i;

	if (words->num > CA_VALIDITIES_MAX)
		return oc_error_set(error, OC_ERR_LIMIT, "validity-choices: "
		    "more than %d", CA_VALIDITIES_MAX);
	for (i = 0; i < words->num; i++) {
		err = oc_value_duration(words->words[i], &choices[i], error);
		if (err == OC_OK && (choices[i] < 60 ||
		    choices[i] > INT64_C(100) * 365 * 86400))
			err = oc_error_set(error, OC_ERR_CONFIG,
			    "\"%s\" is not from 1m to 100y", words->words[i]);
		if (err != OC_OK)
			return oc_error_prefix(error, "validity-choices");
	}
	profile->num_validity_choices = (uint32_t)words->num;
	qsort(choices, words->num, sizeof(choices[0]), compare_lives);
	return OC_OK;
}

static bool
is_choice(const struct ca_profile *profile, int64_t validity_s)
{
	uint32_t i;

	for (i = 0; i < profile->num_validity_choices; i++)
		if (profile->validity_choices_s[i] == validity_s)
			return true;
	return profile->num_validity_choices == 0;
}

static enum oc_err
apply_times(const struct oc_config_profile *section,
    struct ca_profile *profile, struct oc_error *error)
{
	enum oc_err err = OC_OK;

	if (section->validity_choices.num != 0)
		err = apply_choices(&section->validity_choices, profile,
		    error);
	if (err != OC_OK)
		return err;
	if (section->validity_s != OC_CONFIG_UNSET)
		profile->validity_s = section->validity_s;
	if (section->backdate_s != OC_CONFIG_UNSET)
		profile->backdate_s = section->backdate_s;
	if (section->not_before_rounding_s > 0)
		profile->round_s = section->not_before_rounding_s;
	if (section->exact_validity != OC_YES_NO_UNSET)
		profile->validity_end = section->exact_validity == OC_YES ?
		    CA_END_EXACT : CA_END_INCLUSIVE;
	if (!is_choice(profile, profile->validity_s))
		return oc_error_set(error, OC_ERR_CONFIG, "validity: is none "
		    "of validity-choices; set it to one of them");
	return OC_OK;
}

static enum oc_err
apply_subject(const struct oc_config_profile *section,
    struct ca_profile *profile, struct oc_error *error)
{
	uint8_t name[OC_NAME_MAX];
	struct oc_error why = { 0 };
	size_t len;

	switch (section->subject) {
	case OC_SUBJECT_UNSET:
		return OC_OK;
	case OC_SUBJECT_CSR:
		profile->subject_rule = CA_SUBJECT_FROM_CSR;
		profile->csr_parts |= CA_CSR_SUBJECT;
		return OC_OK;
	case OC_SUBJECT_FIXED:
		break;
	}
	profile->subject_rule = CA_SUBJECT_FIXED;
	if ((size_t)snprintf(profile->subject, sizeof(profile->subject), "%s",
	    section->subject_name) >= sizeof(profile->subject))
		return oc_error_set(error, OC_ERR_LIMIT,
		    "subject-name: longer than %zu characters",
		    sizeof(profile->subject) - 1);
	if (x509_name_parse(profile->subject, name, sizeof(name), &len,
	    &why) != OC_OK)
		return oc_error_set(error, OC_ERR_CONFIG, "subject-name: %s",
		    why.text);
	return OC_OK;
}

enum oc_err
ca_profile_set_whitelist(struct ca_profile *profile, const char *text,
    struct oc_error *error)
{
	struct ca_pattern *pattern;
	enum oc_err err = ca_pattern_new(text, &pattern, error);

	if (err != OC_OK)
		return err;
	ca_pattern_free(profile->name_whitelist);
	profile->name_whitelist = pattern;
	return OC_OK;
}

static enum oc_err
apply_names(const struct oc_config_profile *section,
    struct ca_profile *profile, struct oc_error *error)
{
	struct oc_error why = { 0 };

	if (section->name_kinds != 0) {
		if (profile->sans_rule == CA_SANS_NONE)
			return oc_error_set(error, OC_ERR_CONFIG,
			    "name-kinds: what it is based on has no names");
		profile->name_kinds = section->name_kinds;
	}
	if (section->account_names != 0)
		profile->account_names = section->account_names;
	if (section->names_max > 0)
		profile->names_max = (uint32_t)section->names_max;
	switch (section->wildcard) {
	case OC_WILDCARD_UNSET:
		break;
	case OC_WILDCARD_YES:
		profile->wildcard_rule = CA_WILDCARD_YES;
		break;
	case OC_WILDCARD_BELOW_DOMAIN:
		profile->wildcard_rule = CA_WILDCARD_BELOW_DOMAIN;
		break;
	case OC_WILDCARD_NO:
		profile->wildcard_rule = CA_WILDCARD_NO;
		break;
	}
	if (section->name_whitelist != NULL && ca_profile_set_whitelist(
	    profile, section->name_whitelist, &why) != OC_OK)
		return oc_error_set(error, OC_ERR_CONFIG,
		    "name-whitelist: %s", why.text);
	return OC_OK;
}

static enum oc_err
apply_constraints(const struct oc_config_profile *section,
    struct ca_profile *profile, struct oc_error *error)
{
	struct x509_name_constraints *c = &profile->name_constraints;
	const char *key = "permitted-names";
	enum oc_err err = OC_OK;

	if (profile->ca != X509_IS_CA && (section->permitted_names != NULL ||
	    section->excluded_names != NULL))
		return oc_error_set(error, OC_ERR_CONFIG, "permitted-names, "
		    "excluded-names: only a CA has them (RFC 5280, "
		    "4.2.1.10)");
	if (section->permitted_names != NULL)
		err = ca_profile_parse_subtrees(profile,
		    section->permitted_names, c->permitted,
		    &c->num_permitted, error);
	if (err == OC_OK && section->excluded_names != NULL) {
		key = "excluded-names";
		err = ca_profile_parse_subtrees(profile,
		    section->excluded_names, c->excluded, &c->num_excluded,
		    error);
	}
	return err == OC_OK ? OC_OK : oc_error_prefix(error, "%s", key);
}

/* Those that we write ourselves: what a profile says of them stands in keys
 * of their own.  CT's are nobody's to ask for. */
static bool
is_reserved(struct der_bytes oid)
{
	static const enum der_oid reserved[] = {
		DER_OID_SUBJECT_KEY_IDENTIFIER, DER_OID_KEY_USAGE,
		DER_OID_SUBJECT_ALT_NAME, DER_OID_BASIC_CONSTRAINTS,
		DER_OID_NAME_CONSTRAINTS, DER_OID_CRL_DISTRIBUTION_POINTS,
		DER_OID_CERTIFICATE_POLICIES,
		DER_OID_AUTHORITY_KEY_IDENTIFIER, DER_OID_EXTENDED_KEY_USAGE,
		DER_OID_AUTHORITY_INFO_ACCESS, DER_OID_OCSP_NOCHECK,
		DER_OID_CT_POISON, DER_OID_CT_SCTS,
	};
	enum der_oid found = der_oid_find(oid);
	size_t i;

	for (i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++)
		if (found == reserved[i])
			return true;
	return false;
}

static bool
has_oid(const struct der_bytes *list, uint32_t num, struct der_bytes oid)
{
	uint32_t i;

	for (i = 0; i < num; i++)
		if (der_bytes_equal(list[i], oid))
			return true;
	return false;
}

bool
ca_profile_copies(const struct ca_profile *profile, struct der_bytes oid)
{
	if (profile->copy_rule == CA_COPY_ALL)
		return !is_reserved(oid);
	return has_oid(profile->copy_oids, profile->num_copy_oids, oid);
}

bool
ca_profile_allows(const struct ca_profile *profile, struct der_bytes oid)
{
	return has_oid(profile->allowed_oids, profile->num_allowed_oids, oid);
}

enum oc_err
ca_profile_add_oid(struct ca_profile *profile, const char *word,
    struct der_bytes list[CA_OIDS_MAX], uint32_t *num, struct oc_error *error)
{
	struct der_bytes oid = der_oid_bytes(DER_OID_TLS_FEATURE);
	uint8_t parsed[64];
	enum oc_err err;

	if (strcmp(word, der_oid_name(DER_OID_TLS_FEATURE)) != 0) {
		if (der_oid_parse(word, parsed, sizeof(parsed), &oid.len) !=
		    OC_OK)
			return oc_error_set(error, OC_ERR_CONFIG,
			    "\"%.80s\" is no dotted OID", word);
		oid.p = parsed;
	}
	if (is_reserved(oid))
		return oc_error_set(error, OC_ERR_CONFIG, "%.80s is an "
		    "extension that is never copied: the profile says what "
		    "is in it, or nobody may", word);
	if (*num == CA_OIDS_MAX)
		return oc_error_set(error, OC_ERR_LIMIT, "more than %d OIDs",
		    CA_OIDS_MAX);
	err = ca_profile_keep(profile, oid.p, oid.len, &list[*num], error);
	if (err == OC_OK)
		(*num)++;
	return err;
}

static enum oc_err
apply_oids(const char *key, const struct oc_words *words,
    struct ca_profile *profile, struct der_bytes list[CA_OIDS_MAX],
    uint32_t *num, struct oc_error *error)
{
	enum oc_err err = OC_OK;
	size_t i;

	if (words->num != 0)
		*num = 0;
	for (i = 0; err == OC_OK && i < words->num; i++)
		err = ca_profile_add_oid(profile, words->words[i], list, num,
		    error);
	return err == OC_OK ? OC_OK : oc_error_prefix(error, "%s", key);
}

static enum oc_err
apply_extensions(const struct oc_config_profile *section,
    struct ca_profile *profile, struct oc_error *error)
{
	enum oc_err err = OC_OK;

	if (section->policies != NULL) {
		profile->num_policies = 0;
		err = ca_profile_parse_policies(profile, section->policies,
		    error);
		if (err != OC_OK)
			return oc_error_prefix(error, "policies");
	}
	err = apply_constraints(section, profile, error);
	if (err == OC_OK)
		err = apply_oids("copy-extensions", &section->copy_extensions,
		    profile, profile->copy_oids, &profile->num_copy_oids,
		    error);
	if (err == OC_OK)
		err = apply_oids("allowed-extensions",
		    &section->allowed_extensions, profile,
		    profile->allowed_oids, &profile->num_allowed_oids, error);
	return err;
}

static enum oc_err
apply_users(const struct oc_config_profile *section,
    struct ca_profile *profile, struct oc_error *error)
{
	const struct oc_words *issuers = &section->issuers;
	size_t i;

	if (issuers->num > CA_ISSUERS_MAX)
		return oc_error_set(error, OC_ERR_LIMIT, "issuers: more than "
		    "%d", CA_ISSUERS_MAX);
	if (issuers->num != 0)
		profile->num_issuers = 0;
	for (i = 0; i < issuers->num; i++) {
		profile->issuers[i] = ca_profile_keep_text(profile,
		    issuers->words[i]);
		if (profile->issuers[i] == NULL)
			return oc_error_set(error, OC_ERR_NOMEM,
			    "out of memory");
		profile->num_issuers++;
	}
	if (section->auth_key == NULL)
		return OC_OK;
	profile->auth_key = ca_profile_keep_text(profile, section->auth_key);
	if (profile->auth_key == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	return OC_OK;
}

enum oc_err
ca_profile_apply(const struct oc_config_profile *section,
    struct ca_profile *profile, struct oc_error *error)
{
	enum oc_err err;

	if (section->path_length != OC_CONFIG_UNSET) {
		if (profile->ca != X509_IS_CA)
			return oc_error_set(error, OC_ERR_CONFIG,
			    "path-length: only a CA has one");
		profile->path_length = (int)section->path_length;
	}
	err = apply_times(section, profile, error);
	if (err == OC_OK)
		err = apply_usages(section, profile, error);
	if (err == OC_OK)
		err = ca_exempt_words(&section->lint_exempt,
		    &profile->lint_exempt, error);
	if (err == OC_OK)
		err = apply_subject(section, profile, error);
	if (err == OC_OK)
		err = apply_names(section, profile, error);
	if (err == OC_OK)
		err = apply_extensions(section, profile, error);
	if (err == OC_OK)
		err = apply_users(section, profile, error);
	return err;
}
