/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The journal's chain.  One entry's hash covers the one before it:
 *
 *	SHA-256(len || previous hash, len || number, len || at,
 *	    len || actor, len || event, len || detail)
 *
 * len is 4 octets, number and at are 8, all big-endian; before the first
 * entry come 32 zero octets.
 */
#ifndef STORE_JOURNAL_H
#define STORE_JOURNAL_H

#include "store/store.h"

enum oc_err store_entry_hash(const uint8_t previous[STORE_HASH_LEN],
    const struct store_entry *entry, uint8_t hash[STORE_HASH_LEN])
    OC_MUST_CHECK;

#endif
