/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Certificate profiles: what a certificate is good for and how long.  Built
 * in are root, intermediate, server, client and ocsp-signer; a [profile NAME]
 * section starts from one of them (based-on) and changes what it names.
 * An unknown profile is an error, never a default.
 */
#ifndef CA_PROFILE_H
#define CA_PROFILE_H

#include "base/config.h"
#include "base/err.h"
#include "base/limits.h"
#include "lint/lint.h"
#include "x509/ext.h"

/* Whether the subject comes from the request, and names must be there. */
enum ca_subject_rule { CA_SUBJECT_FROM_CSR, CA_SUBJECT_FIXED };
enum ca_sans_rule { CA_SANS_NONE, CA_SANS_OPTIONAL, CA_SANS_REQUIRED };

struct ca_profile {
	char name[OC_CONFIG_NAME_MAX + 1];
	enum x509_ca ca;
	int path_length;		/* X509_NO_PATH_LENGTH */
	/* Only an RSA key can encipher a key: RFC 5480, section 3. */
	uint32_t key_usage_rsa, key_usage_other;
	uint8_t eku_octets[X509_EKUS_MAX][32];	/* OID contents */
	uint8_t eku_len[X509_EKUS_MAX];
	uint32_t num_ekus;
	int64_t validity_s;	/* notAfter is inclusive, RFC 5280 4.1.2.5:
				 * notBefore + validity_s - 1 */
	int64_t backdate_s;	/* of notBefore, for slow clocks */
	enum ca_subject_rule subject_rule;
	char subject[256];	/* CA_SUBJECT_FIXED: as typed */
	enum ca_sans_rule sans_rule;
	struct lint_set lint_exempt;	/* ca/exempt.h */
	bool has_ocsp_nocheck;
	bool has_ocsp_url, has_crl_url, has_ca_issuers_url; /* if configured */
};

/* NOT_FOUND names the profiles there are. */
enum oc_err ca_profile_find(const struct oc_config *config, const char *name,
    struct ca_profile *profile, struct oc_error *error) OC_MUST_CHECK;

#endif
