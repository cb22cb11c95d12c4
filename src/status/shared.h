/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A response as hosts share it: what of a table's slot another host has to be
 * told, and whether what one is told was signed by our key.
 *
 *	name	encoding (1), serial (1 to 20)
 *	body	version (1), status (1), reason (1), then Unix seconds in four
 *		octets each, revocation, producedAt, thisUpdate, nextUpdate,
 *		then the signature, raw as in a slot
 *
 * Numbers begin with the highest octet.  No thread, no clock, no database.
 */
#ifndef STATUS_SHARED_H
#define STATUS_SHARED_H

#include "base/config.h"
#include "ocsp/identity.h"
#include "ocsp/table.h"
#include "store/share.h"

struct status_shared {
	struct ocsp_slot slot;
	int64_t change_seq;		/* what was known of the certificate */
	bool is_there;			/* of one that was looked for */
	bool is_wanted;			/* by us: worth being verified */
	bool is_good;			/* verified */
	bool is_refused;		/* forged, or damaged: then, or if
					 * nothing is there, of the slot
					 * there is but its name */
};

/*
 * All that makes two hosts write one response in the same octets, and renew it
 * at the same time: whose key, which algorithm, issuer and responderID,
 * extensions; how long responses live, and which are signed unasked.  Who
 * differs in any of it shares nothing; nor do a store and what it was restored
 * to.
 */
enum oc_err status_shared_context(const struct ocsp_identity *identity,
    const struct oc_config_ocsp *ocsp, const uint8_t store_id[STORE_ID_LEN],
    uint8_t name[STORE_CONTEXT_LEN]) OC_MUST_CHECK;

void status_shared_name(const struct oc_serial *serial, uint8_t encoding,
    struct store_shared *row);
/* LIMIT for times before 1970 or after 2106, or another status than good and
 * revoked. */
enum oc_err status_shared_write(const struct ocsp_slot *slot,
    int64_t change_seq, struct store_shared *row) OC_MUST_CHECK;
/* serial and encoding; false if it names no certificate. */
bool status_shared_read_name(const struct store_shared *row,
    struct ocsp_slot *slot);
/* MALFORMED for whatever status_shared_write() does not write. */
enum oc_err status_shared_read(const struct ocsp_identity *identity,
    const struct store_shared *row, struct ocsp_slot *slot) OC_MUST_CHECK;

/* Used by one thread at a time. */
struct status_shared_verifier;
/* Reads the certificate of who signs; borrows the identity. */
enum oc_err status_shared_verifier_new(const struct oc_config_ocsp *ocsp,
    const struct ocsp_identity *identity,
    struct status_shared_verifier **verifier, struct oc_error *error)
    OC_MUST_CHECK;
void status_shared_verifier_free(struct status_shared_verifier *verifier);
/* Sets is_good of those that are wanted. */
void status_shared_verify(struct status_shared_verifier *verifier,
    struct status_shared *rows, uint32_t num);

#endif
