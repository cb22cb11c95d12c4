/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Preferred signature algorithms, RFC 6960 section 4.4.7: which of an
 * issuer's signers a client wants to hear.  The hot path, for the few who
 * ask: views, no allocation.
 */
#ifndef OCSP_PREFERRED_H
#define OCSP_PREFERRED_H

#include "der/reader.h"
#include "ocsp/identity.h"

struct ocsp_preferred {
	enum sign_alg alg;		/* SIGN_ALG_NONE: none of ours, as is
					 * every weak one */
	struct der_bytes key_oid;	/* len 0: whatever kind of key */
	struct der_bytes key_parameters;	/* TLV; len 0: any */
};

/* The octets of extnValue.  False if they are no list. */
bool ocsp_enter_preferred(struct der_bytes value, struct der_reader *list);
/* The next of a list that is not at its end.  False if it is malformed. */
bool ocsp_get_preferred(struct der_reader *list,
    struct ocsp_preferred *preferred);

/* True if who signs as this identity signs as preferred. */
bool ocsp_identity_suits(const struct ocsp_identity *identity,
    const struct ocsp_preferred *preferred);

#endif
