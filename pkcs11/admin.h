/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an operator does with tokens: list, initialise, generate keys.
 *
 * Each function works in a throw-away child, killed at the deadline: modules
 * hang, libp11 waits for ever when a session cannot be opened, and libp11 and
 * our own calls never share a process.  The caller must have no threads and
 * must not have opened a module: nothing survives a fork after C_Initialize.
 */
#ifndef PKCS11_ADMIN_H
#define PKCS11_ADMIN_H

#include "base/bytes.h"
#include "pkcs11/config.h"

#define P11_ADMIN_MAX 256	/* tokens or keys in one list */

/* A slot with a token in it. */
struct p11_token_entry {
	char label[33], serial[17], manufacturer[33], model[17];
	bool is_initialized, has_user_pin, has_pin_pad;
	bool is_pin_locked, is_final_try;
};

/* num is set on success; entries holds P11_ADMIN_MAX. */
enum oc_err p11_admin_list_tokens(const char *module,
    const char *const *environment, int64_t deadline_ns,
    struct p11_token_entry *entries, size_t *num, struct oc_error *error)
    OC_MUST_CHECK;
/* The same with all that its section says of the module. */
enum oc_err p11_admin_list_tokens_of(const struct p11_token_config *token,
    int64_t deadline_ns, struct p11_token_entry *entries, size_t *num,
    struct oc_error *error) OC_MUST_CHECK;

/*
 * C_InitToken and C_InitPIN through libp11, on the one token that is not
 * initialised yet, or on the one of them with this serial (NULL: any).
 * EXISTS when there is a token of this label; never touches an initialised
 * one.
 */
enum oc_err p11_admin_init_token(const char *module,
    const char *const *environment, const char *serial, const char *label,
    const struct oc_secret *so_pin, const struct oc_secret *user_pin,
    int64_t deadline_ns, struct oc_error *error) OC_MUST_CHECK;
enum oc_err p11_admin_init_token_of(const struct p11_token_config *token,
    const char *serial, const char *label, const struct oc_secret *so_pin,
    const struct oc_secret *user_pin, int64_t deadline_ns,
    struct oc_error *error) OC_MUST_CHECK;

/* As p11_key_list(), after a login with the token's pin-source. */
enum oc_err p11_admin_list_keys(const struct p11_token_config *token,
    const char *state_dir, int64_t deadline_ns, struct p11_key_entry *entries,
    size_t *num, struct oc_error *error) OC_MUST_CHECK;

/* As p11_key_generate(); info is the new key. */
enum oc_err p11_admin_generate_key(const struct p11_token_config *token,
    const char *state_dir, const char *label, enum sign_key_type type,
    unsigned int bits, int64_t deadline_ns, struct sign_key_info *info,
    struct oc_error *error) OC_MUST_CHECK;
/* The same, but it may be taken out again, wrapped: for p11_clone(). */
enum oc_err p11_admin_generate_extractable(
    const struct p11_token_config *token, const char *state_dir,
    const char *label, enum sign_key_type type, unsigned int bits,
    int64_t deadline_ns, struct sign_key_info *info, struct oc_error *error)
    OC_MUST_CHECK;

#endif
