/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an account shows to prove who it is.  All are random and never stored;
 * the store has their SHA-256, which is enough for 148 bits and more that
 * nobody chose.
 *
 *	ocs_<16 hex>_<64 hex>		Authorization: Bearer; ours
 *	v1.0-<24 hex>-<146 hex>		X-Auth-User-Service-Key
 *	<37 hex>			X-Auth-Key, beside X-Auth-Email
 *
 * Hex digits are lower case.  The first group is the public prefix by which
 * the token is found; a global key is found by its account's e-mail address.
 */
#ifndef STORE_TOKEN_H
#define STORE_TOKEN_H

#include "base/bytes.h"
#include "store/account.h"

#define STORE_TOKEN_TEXT_MAX 177	/* v1.0-, 24, -, 146, NUL */

/* A new one: kind is given; prefix and hash are filled in.  secret holds the
 * whole text, which is shown once and then for oc_secret_fini(). */
enum oc_err store_token_new(struct store_token *token,
    struct oc_secret *secret) OC_MUST_CHECK;

/* MALFORMED unless text is of the kind.  prefix is "" for a global key. */
enum oc_err store_token_parse(enum store_token_kind kind, const char *text,
    char prefix[STORE_TAG_LEN + 1], uint8_t hash[STORE_HASH_LEN])
    OC_MUST_CHECK;

/* "bearer", "service-key", "global-key"; find: NOT_FOUND. */
const char *store_token_kind_name(enum store_token_kind kind);
enum oc_err store_token_find_kind(const char *name,
    enum store_token_kind *kind) OC_MUST_CHECK;

#endif
