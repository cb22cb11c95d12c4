/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether an account may have a certificate for these names.  Deciding is
 * pure: a snapshot of account, zones and usage goes in, yes or the rule that
 * refuses comes out.  What may have changed since the snapshot (state, zones,
 * quotas) is looked at again by store_reserve_request(), in the transaction
 * that reserves; ca_policy_refuse() says its outcome in the same words.
 *
 *	ca_names_add...()  ->  ca_policy_load()  ->  ca_policy_check()
 *	->  ca_issue() with request->asked
 */
#ifndef CA_POLICY_H
#define CA_POLICY_H

#include "ca/explain.h"
#include "ca/profile.h"
#include "store/account.h"
#include "x509/ext.h"

/* --- names ------------------------------------------------------------ */

/* Normalised, each once, in the order in which they were first added.  Zero
 * state is an empty one; 50 KiB: not for a stack. */
struct ca_names {
	struct x509_san sans[X509_SANS_MAX];	/* views into octets */
	uint32_t num_sans;
	uint8_t octets[X509_SANS_MAX * 256];
	size_t octets_len;
};

/* A name from a CSR, an option, CFSSL's hosts: NAME_MALFORMED, NAME_WILDCARD
 * ("*.*.x", "a.*.x"), NAMES_MAX. */
enum oc_err ca_names_add(struct ca_names *names, const struct x509_san *san,
    struct ca_explanation *explanation, struct oc_error *error)
    OC_MUST_CHECK;
/* A host of CFSSL's "hosts" and -hostname: what it is, cfssl/request.h says.
 * Then as above. */
enum oc_err ca_names_add_cfssl(struct ca_names *names, const char *text,
    size_t text_len, struct ca_explanation *explanation,
    struct oc_error *error) OC_MUST_CHECK;
/* NAMES_MAX, if num is over X509_SANS_MAX.  For a list from outside, before it
 * is walked: the same name many times is one name, and as many walks. */
enum oc_err ca_names_check_num(size_t num,
    struct ca_explanation *explanation, struct oc_error *error)
    OC_MUST_CHECK;
/* By which rule a DNS name that is none is refused: NAME_WILDCARD for one
 * with "*" in a wrong place, else NAME_MALFORMED. */
enum ca_rule ca_names_rule(const char *text, size_t text_len);
/* A host name in UTF-8 or A-labels; never anything but a DNS name: an IP or
 * e-mail address is NAME_KIND. */
enum oc_err ca_names_add_host(struct ca_names *names, const char *text,
    size_t text_len, struct ca_explanation *explanation,
    struct oc_error *error) OC_MUST_CHECK;

/*
 * SHA-256 over what makes two requests of an account one: account, CSR (DER),
 * names (sorted), validity.  For struct store_request's key.
 */
enum oc_err ca_names_key(const struct ca_names *names, int64_t account_id,
    struct der_bytes csr, int64_t validity, uint8_t key[STORE_HASH_LEN])
    OC_MUST_CHECK;

/* --- the decision ----------------------------------------------------- */

/* Zero state is legal for fini. */
struct ca_policy {
	struct store_account account;
	struct store_usage usage;
	/* The caller's: what is asked for has a key, and may be a repetition,
	 * which costs nothing: quotas are left to store_reserve_request(). */
	bool leaves_quotas;
	/* Of each DNS name, the most specific zone, whoever's; each once. */
	struct store_zone *zones;	/* owned */
	uint32_t num_zones;
};
void ca_policy_fini(struct ca_policy *policy);

/* Blocks: reads the store.  What the names lie in, whoever's it is. */
enum oc_err ca_policy_load(struct store *store,
    const struct store_account *account, const struct ca_names *names,
    struct ca_policy *policy, struct oc_error *error) OC_MUST_CHECK;

/* The account's zones that the names lie in: struct store_request's. */
struct ca_zone_ids {
	int64_t ids[STORE_ZONES_MAX];
	uint32_t num;
};

/*
 * In this order: account disabled (ACCOUNT); no names (NAMES_MISSING); and
 * for each name: a kind that the profile does not list (NAME_KIND; profile
 * NULL: DNS only), a wildcard over a top-level domain (NAME_WILDCARD), in no
 * zone of the account (ZONE), in a more specific zone of another account
 * (ZONE_DELEGATED), in a paused one (ZONE_PAUSED); then, unless leaves_quotas,
 * the quotas (QUOTA, QUOTA_PERIOD).  Names that are not DNS names lie in no
 * zone: the profile alone decides.
 * REFUSED, the error naming account and name; OC_OK fills zone_ids.
 * A wildcard lies in the zone that its parent lies in.
 */
enum oc_err ca_policy_check(const struct ca_policy *policy,
    const struct ca_profile *profile, const struct ca_names *names,
    struct ca_zone_ids *zone_ids, struct ca_explanation *explanation,
    struct oc_error *error) OC_MUST_CHECK;

/* REFUSED for an outcome that refuses, with its rule. */
enum oc_err ca_policy_refuse(const struct store_reserved *reserved,
    const char *account, struct ca_explanation *explanation,
    struct oc_error *error);

#endif
