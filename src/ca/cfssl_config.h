/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CFSSL's config.json, read as it is: signing profiles and the HMAC keys of
 * its callers.  What cannot be honoured is an error when it is read, with
 * its place ("$.signing.profiles.www.ct_log_servers") and the reason; nothing
 * is dropped.
 *
 * Differs from CFSSL on purpose: an unknown profile is NOT_FOUND and not the
 * default one; name_whitelist is asked about IP addresses too; duplicate
 * keys, unknown keys and unknown usages are errors; keyEncipherment goes into
 * certificates of RSA keys only; notBefore is cut down to the minute; names
 * stand in the request's order, extensions in ours; one that would begin
 * before its issuer or outlive it is cut.
 */
#ifndef CA_CFSSL_CONFIG_H
#define CA_CFSSL_CONFIG_H

#include "base/config.h"
#include "base/err.h"
#include "ca/profile.h"

#define CA_AUTH_KEY_MAX 256	/* octets */
/* In front of its profiles' names where others are, too: --profile
 * cfssl:www.  struct ca_profile's name has it. */
#define CA_CFSSL_PREFIX "cfssl:"

struct ca_cfssl_config;

/*
 * path may be relative to the current directory.  Keys may be hex, env:NAME
 * or file:PATH (as CFSSL, relative to the current directory).  CONFIG: what
 * is wrong in it; NOT_FOUND, SYSTEM, REFUSED if it cannot be read.
 */
enum oc_err ca_cfssl_config_load(const char *path,
    struct ca_cfssl_config **config, struct oc_error *error) OC_MUST_CHECK;
/* The same from memory; where names it in errors. */
enum oc_err ca_cfssl_config_parse(const char *where, const char *text,
    size_t len, struct ca_cfssl_config **config, struct oc_error *error)
    OC_MUST_CHECK;
void ca_cfssl_config_free(struct ca_cfssl_config *config); /* NULL is fine */

/* Borrowed.  name is as config.json has it; "" and "default" are
 * signing.default.  NULL: there is none, or it gives no usage; the caller says
 * so, and never takes another. */
const struct ca_profile *ca_cfssl_config_profile(
    const struct ca_cfssl_config *config, const char *name);
size_t ca_cfssl_config_num_profiles(const struct ca_cfssl_config *config);
const struct ca_profile *ca_cfssl_config_profile_at(
    const struct ca_cfssl_config *config, size_t i);

/* Whether [api] profiles and the file at path share a name: CONFIG.  One would
 * be given for the other, and only one of them may want a token. */
enum oc_err ca_cfssl_config_check_names(
    const struct ca_cfssl_config *config, const char *path,
    const struct oc_words *profiles, struct oc_error *error) OC_MUST_CHECK;

/*
 * One profile of the file at path, which may be NULL: NOT_FOUND then.
 * *profile is for ca_profile_fini().
 */
enum oc_err ca_cfssl_config_find(const char *path, const char *name,
    struct ca_profile *profile, struct oc_error *error) OC_MUST_CHECK;

/* The HMAC-SHA256 key of that name.  Borrowed; len 0: there is none. */
struct der_bytes ca_cfssl_config_auth_key(
    const struct ca_cfssl_config *config, const char *name);

#endif
