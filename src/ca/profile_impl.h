/* SPDX-License-Identifier: Apache-2.0 */
/* How profiles are filled; for those files only that fill them. */
#ifndef CA_PROFILE_IMPL_H
#define CA_PROFILE_IMPL_H

#include "ca/profile.h"

/* What the section names replaces what it is based on.  CONFIG, LIMIT: the
 * error begins with the key. */
enum oc_err ca_profile_apply(const struct oc_config_profile *section,
    struct ca_profile *profile, struct oc_error *error) OC_MUST_CHECK;

/* One more; OID contents.  LIMIT at X509_EKUS_MAX; one that is there already
 * is not added. */
enum oc_err ca_profile_add_eku(struct ca_profile *profile,
    struct der_bytes oid, struct oc_error *error) OC_MUST_CHECK;
/* From bits as a person gives them: what is not for its kind of certificate
 * is CONFIG, and what enciphers is for RSA keys only. */
enum oc_err ca_profile_set_key_usage(struct ca_profile *profile,
    uint32_t bits, struct oc_error *error) OC_MUST_CHECK;
/* A dotted OID, or "tlsfeature", to one of the profile's lists. */
enum oc_err ca_profile_add_oid(struct ca_profile *profile, const char *word,
    struct der_bytes list[CA_OIDS_MAX], uint32_t *num,
    struct oc_error *error) OC_MUST_CHECK;
enum oc_err ca_profile_set_whitelist(struct ca_profile *profile,
    const char *text, struct oc_error *error) OC_MUST_CHECK;

/* Octets that live as long as the profile.  NOMEM. */
enum oc_err ca_profile_keep(struct ca_profile *profile, const void *octets,
    size_t len, struct der_bytes *kept, struct oc_error *error)
    OC_MUST_CHECK;

/* A policy, and a qualifier of the last one added.  The text is checked: an
 * http URI, 1 to 200 characters of UTF-8. */
enum oc_err ca_profile_add_policy(struct ca_profile *profile,
    const char *dotted, struct oc_error *error) OC_MUST_CHECK;
enum oc_err ca_profile_add_qualifier(struct ca_profile *profile,
    enum x509_qualifier_kind kind, const char *text, struct oc_error *error)
    OC_MUST_CHECK;

/* Whether the profile takes this extension from a CSR, or from a caller: it
 * is in the list, or everything is copied, and it is none of ours. */
bool ca_profile_copies(const struct ca_profile *profile,
    struct der_bytes oid);
bool ca_profile_allows(const struct ca_profile *profile,
    struct der_bytes oid);

/* profile_words.c: the values of policies, permitted-names and
 * excluded-names. */
enum oc_err ca_profile_parse_policies(struct ca_profile *profile,
    const char *text, struct oc_error *error) OC_MUST_CHECK;
enum oc_err ca_profile_parse_subtrees(struct ca_profile *profile,
    const char *text, struct x509_san bases[X509_SUBTREES_MAX],
    uint32_t *num, struct oc_error *error) OC_MUST_CHECK;

#endif
