/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys that are known to others: [policy] blocklist = FILE.  One key a line,
 * '#' begins a comment: the SHA-256 of its SubjectPublicKeyInfo in 64 hex
 * digits, or, as Debian's openssl-blacklist writes it, the last 20 hex digits
 * of the SHA-1 of an RSA key's "Modulus=..." line.
 * Read once, then never changed: any number of threads may look at one.
 */
#ifndef CA_BLOCKLIST_H
#define CA_BLOCKLIST_H

#include <stdbool.h>

#include "base/err.h"
#include "der/bytes.h"

struct ca_blocklist;

/* path NULL: an empty one.  CONFIG names file and line; LIMIT over
 * OC_BLOCKLIST_FILE_MAX. */
enum oc_err ca_blocklist_load(const char *path, struct ca_blocklist **list,
    struct oc_error *error) OC_MUST_CHECK;
void ca_blocklist_free(struct ca_blocklist *list);	/* NULL is fine */

/* spki: SubjectPublicKeyInfo TLV, well-formed.  list NULL is empty. */
enum oc_err ca_blocklist_find(const struct ca_blocklist *list,
    struct der_bytes spki, bool *is_blocked) OC_MUST_CHECK;

/* REFUSED: "WHOSE is on the block list: others have it; ADVICE". */
enum oc_err ca_blocklist_check_key(const struct ca_blocklist *list,
    struct der_bytes spki, const char *whose, const char *advice,
    struct oc_error *error) OC_MUST_CHECK;

/* Certificates end to end, in DER: REFUSED names the first whose key is on
 * the list. */
enum oc_err ca_blocklist_check(const struct ca_blocklist *list,
    struct der_bytes certificates, struct oc_error *error) OC_MUST_CHECK;

#endif
