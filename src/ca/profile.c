/* SPDX-License-Identifier: Apache-2.0 */
/* The built-in profiles, and finding one of any name. */
#include "ca/profile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ca/exempt.h"
#include "ca/cfssl_config.h"
#include "ca/pattern.h"
#include "ca/profile_impl.h"
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

/*
 * What Cloudflare's Origin CA gives, field by field: only the key is the
 * CSR's, lives are whole days to the second, and an edge that is told where
 * the certificate's status is needs no caIssuers.
 */
#define ORIGIN(kinds) { \
	.path_length = X509_NO_PATH_LENGTH, \
	.key_usage_rsa = X509_KU_DIGITAL_SIGNATURE | \
	    X509_KU_KEY_ENCIPHERMENT, \
	.key_usage_other = X509_KU_DIGITAL_SIGNATURE, \
	.key_kinds = kinds, \
	.validity_s = 5475 * DAY_S, \
	.validity_choices_s = { 7 * DAY_S, 30 * DAY_S, 90 * DAY_S, \
	    365 * DAY_S, 730 * DAY_S, 1095 * DAY_S, 5475 * DAY_S }, \
	.num_validity_choices = 7, \
	.validity_end = CA_END_EXACT, \
	.round_s = 60, \
	.subject_rule = CA_SUBJECT_FIXED, \
	.subject = "CN=Origin Certificate,OU=Origin Server,O=Origin CA", \
	.sans_rule = CA_SANS_REQUIRED, \
	.name_kinds = CA_NAME_DNS, \
	.wildcard_rule = CA_WILDCARD_BELOW_DOMAIN, \
	.has_ocsp_url = true, \
	.has_crl_url = true, \
}
#define ORIGIN_EKUS { DER_OID_SERVER_AUTH, DER_OID_CLIENT_AUTH }

static const struct builtin builtins[] = {
	{ "root", {
	    .ca = X509_IS_CA,
	    .is_root = true,
	    .path_length = X509_NO_PATH_LENGTH,
	    .key_usage_rsa = CA_KEY_USAGE,
	    .key_usage_other = CA_KEY_USAGE,
	    .validity_s = 25 * 365 * DAY_S,
	    .sans_rule = CA_SANS_NONE,
	    .csr_parts = CA_CSR_ALL,
	}, { 0 } },
	{ "intermediate", {
	    .ca = X509_IS_CA,
	    .path_length = 0,
	    .key_usage_rsa = CA_KEY_USAGE,
	    .key_usage_other = CA_KEY_USAGE,
	    .validity_s = 20 * 365 * DAY_S,
	    .sans_rule = CA_SANS_NONE,
	    .csr_parts = CA_CSR_ALL,
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
	    .name_kinds = CA_NAME_DNS | CA_NAME_IP,
	    .csr_parts = CA_CSR_ALL,
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
	    .name_kinds = CA_NAME_ALL,
	    .csr_parts = CA_CSR_ALL,
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
	    .csr_parts = CA_CSR_ALL,
	    .has_ocsp_nocheck = true,
	}, { DER_OID_OCSP_SIGNING } },
	{ "origin-rsa", ORIGIN(CA_KEY_RSA), ORIGIN_EKUS },
	{ "origin-ecc", ORIGIN(CA_KEY_EC), ORIGIN_EKUS },
};

/* What a profile's views borrow from. */
struct ca_block {
	struct ca_block *next;
	_Alignas(max_align_t) uint8_t octets[];
};

void *
ca_profile_alloc(struct ca_profile *profile, size_t len)
{
	struct ca_block *block = malloc(sizeof(*block) + len);

	if (block == NULL)
		return NULL;
	block->next = profile->blocks;
	profile->blocks = block;
	return block->octets;
}

char *
ca_profile_keep_text(struct ca_profile *profile, const char *text)
{
	char *kept = ca_profile_alloc(profile, strlen(text) + 1);

	return kept != NULL ? strcpy(kept, text) : NULL;
}

void
ca_profile_fini(struct ca_profile *profile)
{
	struct ca_block *block;

	ca_pattern_free(profile->name_whitelist);
	while ((block = profile->blocks) != NULL) {
		profile->blocks = block->next;
		free(block);
	}
	*profile = (struct ca_profile){ .num_ekus = 0 };
}

bool
ca_profile_takes(const struct ca_profile *profile, enum x509_san_kind kind)
{
	switch (kind) {
	case X509_SAN_DNS:
		return (profile->csr_parts & CA_CSR_DNS) != 0;
	case X509_SAN_IP:
		return (profile->csr_parts & CA_CSR_IP) != 0;
	case X509_SAN_EMAIL:
		return (profile->csr_parts & CA_CSR_EMAIL) != 0;
	case X509_SAN_URI:
		return (profile->csr_parts & CA_CSR_URI) != 0;
	case X509_SAN_DIRECTORY:
		break;
	}
	return profile->csr_parts != 0;
}

bool
ca_profile_is_for(const struct ca_profile *profile, const char *issuer)
{
	uint32_t i;

	for (i = 0; i < profile->num_issuers; i++)
		if (strcmp(profile->issuers[i], issuer) == 0)
			return true;
	return profile->num_issuers == 0;
}

bool
ca_profile_is_ocsp_signer(const struct ca_profile *profile)
{
	return profile->ca == X509_NOT_CA && profile->num_ekus == 1 &&
	    der_bytes_equal(der_oid_bytes(DER_OID_OCSP_SIGNING),
	    (struct der_bytes){ profile->eku_octets[0],
	    profile->eku_len[0] });
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
		profile->names_max = X509_SANS_MAX;
		if (profile->key_kinds == 0)
			profile->key_kinds = CA_KEY_ALL;
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
keep_origin(const struct oc_config_profile *section,
    struct ca_profile *profile, struct oc_error *error)
{
	char text[OC_ERROR_TEXT_MAX];

	snprintf(text, sizeof(text), "%s:%d", section->file, section->line);
	profile->origin = ca_profile_keep_text(profile, text);
	if (profile->origin == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	return OC_OK;
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
		    "intermediate, ocsp-signer, origin-rsa and origin-ecc; "
		    "[profile NAME] in the configuration adds others", name);
	err = find(config, section->based_on, depth + 1, profile, error);
	if (err != OC_OK)
		return err;
	err = keep_origin(section, profile, error);
	if (err == OC_OK)
		err = ca_profile_apply(section, profile, error);
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

	if (strncmp(name, CA_CFSSL_PREFIX, strlen(CA_CFSSL_PREFIX)) == 0)
		return ca_cfssl_config_find(config->cfssl.config, name +
		    strlen(CA_CFSSL_PREFIX), out, error);
	err = find(config, name, 0, &profile, error);
	if (err != OC_OK) {
		ca_profile_fini(&profile);
		return err;
	}
	snprintf(profile.name, sizeof(profile.name), "%s", name);
	*out = profile;
	return OC_OK;
}
