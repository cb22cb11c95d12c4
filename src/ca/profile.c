/* SPDX-License-Identifier: Apache-2.0 */
/* The built-in profiles, and [profile NAME] sections on top of them. */
#include "ca/profile.h"

#include <stdio.h>
#include <string.h>

#include "ca/exempt.h"
#include "der/oid.h"

#define DAY_S (INT64_C(24) * 3600)
/* A section based on a section based on ...: the configuration has refused
 * loops; this bounds the recursion all the same. */
#define DEPTH_MAX 16
/* notBefore is this much in the past, for clients with slow clocks. */
#define BACKDATE_S 300

struct builtin {
	const char *name;
	struct ca_profile profile;
	enum der_oid ekus[2];
};

#define CA_KEY_USAGE (X509_KU_KEY_CERT_SIGN | X509_KU_CRL_SIGN | \
	X509_KU_DIGITAL_SIGNATURE)

static const struct builtin builtins[] = {
	{ "root", {
	    .ca = X509_IS_CA,
	    .path_length = X509_NO_PATH_LENGTH,
	    .key_usage_rsa = CA_KEY_USAGE,
	    .key_usage_other = CA_KEY_USAGE,
	    .validity_s = 25 * 365 * DAY_S,
	    .sans_rule = CA_SANS_NONE,
	}, { 0 } },
	{ "intermediate", {
	    .ca = X509_IS_CA,
	    .path_length = 0,
	    .key_usage_rsa = CA_KEY_USAGE,
	    .key_usage_other = CA_KEY_USAGE,
	    .validity_s = 20 * 365 * DAY_S,
	    .sans_rule = CA_SANS_NONE,
	    .has_ocsp_url = true,
	    .has_crl_url = true,
	    .has_ca_issuers_url = true,
	}, { 0 } },
	{ "server", {
	    .path_length = X509_NO_PATH_LENGTH,
	    .key_usage_rsa = X509_KU_DIGITAL_SIGNATURE |
		X509_KU_KEY_ENCIPHERMENT,
	    .key_usage_other = X509_KU_DIGITAL_SIGNATURE,
	    .validity_s = 90 * DAY_S,
	    .sans_rule = CA_SANS_REQUIRED,
	    .has_ocsp_url = true,
	    .has_crl_url = true,
	    .has_ca_issuers_url = true,
	}, { DER_OID_SERVER_AUTH } },
	{ "client", {
	    .path_length = X509_NO_PATH_LENGTH,
	    .key_usage_rsa = X509_KU_DIGITAL_SIGNATURE,
	    .key_usage_other = X509_KU_DIGITAL_SIGNATURE,
	    .validity_s = 90 * DAY_S,
	    .sans_rule = CA_SANS_OPTIONAL,
	    .has_ocsp_url = true,
	    .has_crl_url = true,
	    .has_ca_issuers_url = true,
	}, { DER_OID_CLIENT_AUTH } },
	/* RFC 6960, 4.2.2.2, and the Baseline Requirements, 7.1.2.8: nobody
	 * asks about it (nocheck), so it says nothing of where to ask. */
	{ "ocsp-signer", {
	    .path_length = X509_NO_PATH_LENGTH,
	    .key_usage_rsa = X509_KU_DIGITAL_SIGNATURE,
	    .key_usage_other = X509_KU_DIGITAL_SIGNATURE,
	    .validity_s = 90 * DAY_S,
	    .sans_rule = CA_SANS_NONE,
	    .has_ocsp_nocheck = true,
	}, { DER_OID_OCSP_SIGNING } },
};

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

static enum oc_err
add_eku(struct ca_profile *profile, const char *word, struct oc_error *error)
{
	struct der_bytes oid = { NULL, 0 };
	uint8_t parsed[sizeof(profile->eku_octets[0])];
	size_t i;

	if (profile->num_ekus == X509_EKUS_MAX)
		return oc_error_set(error, OC_ERR_LIMIT,
		    "more than %d extended key usages", X509_EKUS_MAX);
	for (i = 0; i < sizeof(eku_names) / sizeof(eku_names[0]); i++)
		if (strcmp(word, der_oid_name(eku_names[i])) == 0)
			oid = der_oid_bytes(eku_names[i]);
	if (oid.p == NULL) {
		if (der_oid_parse(word, parsed, sizeof(parsed), &oid.len) !=
		    OC_OK)
			return oc_error_set(error, OC_ERR_CONFIG,
			    "extended-key-usage: \"%s\" is neither a name of "
			    "RFC 5280 (serverAuth, clientAuth, codeSigning, "
			    "emailProtection, timeStamping, OCSPSigning) nor "
			    "a dotted OID", word);
		oid.p = parsed;
	}
	memcpy(profile->eku_octets[profile->num_ekus], oid.p, oid.len);
	profile->eku_len[profile->num_ekus++] = (uint8_t)oid.len;
	return OC_OK;
}

static bool
find_builtin(const char *name, struct ca_profile *profile)
{
	const struct builtin *b;
	size_t i, j;

	for (i = 0; i < sizeof(builtins) / sizeof(builtins[0]); i++) {
		b = &builtins[i];
		if (strcmp(b->name, name) != 0)
			continue;
		*profile = b->profile;
		profile->backdate_s = BACKDATE_S;
		ca_exempt_builtin(name, &profile->lint_exempt);
		for (j = 0; j < 2 && b->ekus[j] != DER_OID_UNKNOWN; j++) {
			struct der_bytes oid = der_oid_bytes(b->ekus[j]);

			memcpy(profile->eku_octets[j], oid.p, oid.len);
			profile->eku_len[j] = (uint8_t)oid.len;
			profile->num_ekus++;
		}
		return true;
	}
	return false;
}

static enum oc_err
set_key_usage(const struct oc_words *words, struct ca_profile *profile,
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

/* What the section names replaces what it is based on. */
static enum oc_err
apply_section(const struct oc_config_profile *section,
    struct ca_profile *profile, struct oc_error *error)
{
	enum oc_err err = OC_OK;
	size_t i;

	if (section->validity_s != OC_CONFIG_UNSET)
		profile->validity_s = section->validity_s;
	if (section->backdate_s != OC_CONFIG_UNSET)
		profile->backdate_s = section->backdate_s;
	if (section->path_length != OC_CONFIG_UNSET) {
		if (profile->ca != X509_IS_CA)
			return oc_error_set(error, OC_ERR_CONFIG,
			    "path-length: only a CA has one");
		profile->path_length = (int)section->path_length;
	}
	if (section->key_usage.num != 0)
		err = set_key_usage(&section->key_usage, profile, error);
	if (err == OC_OK && section->extended_key_usage.num != 0) {
		profile->num_ekus = 0;
		for (i = 0; err == OC_OK &&
		    i < section->extended_key_usage.num; i++)
			err = add_eku(profile,
			    section->extended_key_usage.words[i], error);
	}
	if (err == OC_OK)
		err = ca_exempt_words(&section->lint_exempt,
		    &profile->lint_exempt, error);
	switch (section->subject) {
	case OC_SUBJECT_UNSET:
		break;
	case OC_SUBJECT_CSR:
		profile->subject_rule = CA_SUBJECT_FROM_CSR;
		break;
	case OC_SUBJECT_FIXED:
		profile->subject_rule = CA_SUBJECT_FIXED;
		if ((size_t)snprintf(profile->subject,
		    sizeof(profile->subject), "%s", section->subject_name) >=
		    sizeof(profile->subject))
			return oc_error_set(error, OC_ERR_LIMIT,
			    "subject-name: longer than %zu characters",
			    sizeof(profile->subject) - 1);
		break;
	}
	return err;
}

static enum oc_err
find(const struct oc_config *config, const char *name, int depth,
    struct ca_profile *profile, struct oc_error *error)
{
	const struct oc_config_profile *section;
	enum oc_err err;

	if (find_builtin(name, profile))
		return OC_OK;
	section = oc_config_find_profile(config, name);
	if (section == NULL || depth == DEPTH_MAX)
		return oc_error_set(error, OC_ERR_NOT_FOUND,
		    "there is no profile \"%s\": built in are server, client, "
		    "intermediate, ocsp-signer and root; [profile NAME] in "
		    "the configuration adds others", name);
	err = find(config, section->based_on, depth + 1, profile, error);
	if (err != OC_OK)
		return err;
	err = apply_section(section, profile, error);
	if (err != OC_OK)
		return oc_error_prefix(error, "%s:%d: [profile %s]",
		    section->file, section->line, section->name);
	return OC_OK;
}

enum oc_err
ca_profile_find(const struct oc_config *config, const char *name,
    struct ca_profile *out, struct oc_error *error)
{
	struct ca_profile profile = { 0 };
	enum oc_err err;

	err = find(config, name, 0, &profile, error);
	if (err != OC_OK)
		return err;
	snprintf(profile.name, sizeof(profile.name), "%s", name);
	*out = profile;
	return OC_OK;
}
