/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Certificate profiles: what a certificate is good for, for whom, and how
 * long.  Built in are root, intermediate, server, client, ocsp-signer,
 * origin-rsa and origin-ecc; a [profile NAME] section starts from one of them
 * (based-on) and changes what it names; a CFSSL configuration adds its own
 * (cfssl_config.h).  An unknown profile is an error, never a default.
 *
 * Read once, then never changed: any number of threads may look at one.
 */
#ifndef CA_PROFILE_H
#define CA_PROFILE_H

#include "base/config.h"
#include "base/err.h"
#include "base/limits.h"
#include "lint/lint.h"
#include "x509/ext.h"

#define CA_VALIDITIES_MAX 16
#define CA_OIDS_MAX 32
#define CA_ISSUERS_MAX 32

/* Whether the subject comes from the request, and names must be there. */
enum ca_subject_rule { CA_SUBJECT_FROM_CSR, CA_SUBJECT_FIXED };
enum ca_sans_rule { CA_SANS_NONE, CA_SANS_OPTIONAL, CA_SANS_REQUIRED };

enum ca_name_kind {		/* bits */
	CA_NAME_DNS = 1,
	CA_NAME_IP = 2,
	CA_NAME_EMAIL = 4,
	CA_NAME_URI = 8,
	CA_NAME_ALL = 15
};

/* "*" is the whole left-most label or it is malformed, in every profile. */
enum ca_wildcard_rule {
	CA_WILDCARD_YES,
	CA_WILDCARD_BELOW_DOMAIN,	/* not *.com: two labels behind it */
	CA_WILDCARD_NO
};

enum ca_key_kind {		/* bits */
	CA_KEY_RSA = 1,
	CA_KEY_EC = 2,
	CA_KEY_ED25519 = 4,
	CA_KEY_ALL = 7
};

/* What of a CSR is looked at at all, beside its key.  What is not is left out
 * and, if asked for, listed as ignored. */
enum ca_csr_part {		/* bits */
	CA_CSR_SUBJECT = 1,
	CA_CSR_DNS = 2,
	CA_CSR_IP = 4,
	CA_CSR_EMAIL = 8,
	CA_CSR_URI = 16,
	CA_CSR_ALL = 31
};

enum ca_validity_end {
	CA_END_INCLUSIVE,	/* RFC 5280, 4.1.2.5: notBefore + validity_s
				 * - 1 */
	CA_END_EXACT		/* notBefore + validity_s, as others write */
};

/* What happens to extensions that are none of those above. */
enum ca_copy_rule {
	CA_COPY_LISTED,		/* copy_oids; others are refused by name */
	CA_COPY_ALL		/* CFSSL's copy_extensions; never those that
				 * we write ourselves, nor CT's */
};

enum ca_serial_rule {
	CA_SERIAL_OURS,
	CA_SERIAL_OF_CALLER	/* CFSSL's ClientProvidesSerialNumbers: must
				 * be given */
};

struct ca_pattern;		/* ca/pattern.h */

struct ca_profile {
	char name[OC_CONFIG_NAME_MAX + 1];
	/* Where it was read, for explanations: "/etc/ocsign.conf:12",
	 * "cfssl.json: $.signing.profiles.www".  NULL: built in. */
	const char *origin;

	enum x509_ca ca;
	bool is_root;		/* self-signed only: of no issuer's making */
	int path_length;		/* X509_NO_PATH_LENGTH */

	/* Only an RSA key can encipher a key: RFC 5480, section 3. */
	uint32_t key_usage_rsa, key_usage_other;
	bool may_lack_key_usage;	/* 0 is no extension, not a refusal */
	uint8_t eku_octets[X509_EKUS_MAX][32];	/* OID contents */
	uint8_t eku_len[X509_EKUS_MAX];
	uint32_t num_ekus;
	unsigned key_kinds;		/* enum ca_key_kind */

	int64_t validity_s;		/* unless the request says another */
	int64_t validity_choices_s[CA_VALIDITIES_MAX];	/* ascending; those
					 * that a request may name */
	uint32_t num_validity_choices;	/* 0: any */
	enum ca_validity_end validity_end;
	int64_t backdate_s;		/* of notBefore, for slow clocks */
	int64_t round_s;		/* notBefore is cut down to a multiple
					 * of it; 0 or 1: seconds */
	int64_t not_before, not_after;	/* CFSSL's absolute ones; 0: none */

	unsigned csr_parts;		/* enum ca_csr_part */
	enum ca_subject_rule subject_rule;
	char subject[256];		/* CA_SUBJECT_FIXED: as typed */
	enum ca_sans_rule sans_rule;
	struct lint_set lint_exempt;	/* ca/exempt.h */
	unsigned name_kinds;		/* enum ca_name_kind that it gives */
	uint32_t names_max;		/* at most X509_SANS_MAX */
	enum ca_wildcard_rule wildcard_rule;
	struct ca_pattern *name_whitelist;	/* owned; NULL: none.  For CN,
					 * DNS, IP, e-mail and URI names */

	unsigned account_names;		/* enum ca_name_kind that an account may
					 * have, of name_kinds; 0: DNS only */
	bool has_ocsp_nocheck;
	bool has_ocsp_url, has_crl_url, has_ca_issuers_url; /* if configured */
	/* In place of the issuer's; len 0: the issuer's. */
	struct der_bytes ocsp_url, crl_url;
	struct der_bytes ca_issuers_urls[X509_URLS_MAX];
	uint32_t num_ca_issuers_urls;

	struct x509_policy policies[X509_POLICIES_MAX];
	uint32_t num_policies;
	/* For CAs only: RFC 5280, 4.2.1.10. */
	struct x509_name_constraints name_constraints;

	struct der_bytes allowed_oids[CA_OIDS_MAX];	/* a caller may give */
	uint32_t num_allowed_oids;
	enum ca_copy_rule copy_rule;
	struct der_bytes copy_oids[CA_OIDS_MAX];	/* from the CSR */
	uint32_t num_copy_oids;

	const char *issuers[CA_ISSUERS_MAX];	/* that may use it */
	uint32_t num_issuers;		/* 0: every one */

	/* Names of CFSSL auth_keys: a caller must have signed with either.
	 * NULL: none is needed.  The doors ask for it, before planning. */
	const char *auth_key, *prev_auth_key;
	enum ca_serial_rule serial_rule;

	struct ca_block *blocks;	/* owned: what the views borrow from */
};

/* Zero state is fine, as is a built-in profile without it. */
void ca_profile_fini(struct ca_profile *profile);

/*
 * NOT_FOUND names the profiles there are.  *profile is for
 * ca_profile_fini(); it borrows nothing from config.
 */
enum oc_err ca_profile_find(const struct oc_config *config, const char *name,
    struct ca_profile *profile, struct oc_error *error) OC_MUST_CHECK;

/* For those who fill one: room that ca_profile_fini() frees; NULL: no memory.
 * ca_profile_keep_text() keeps the NUL too. */
void *ca_profile_alloc(struct ca_profile *profile, size_t len);
char *ca_profile_keep_text(struct ca_profile *profile, const char *text);

/* Whether a name of this kind is looked at when it stands in a CSR. */
bool ca_profile_takes(const struct ca_profile *profile,
    enum x509_san_kind kind);
/* True if an issuer of this name may use it. */
bool ca_profile_is_for(const struct ca_profile *profile, const char *issuer);
/* Signs OCSP responses and can do nothing else. */
bool ca_profile_is_ocsp_signer(const struct ca_profile *profile);

#endif
