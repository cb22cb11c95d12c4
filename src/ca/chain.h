/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ways from an issuer up to a root: its certificate with those above it
 * (chain), or another certificate for the same key and subject under another
 * root, with those above that (alternate-chain; "ca cross-sign").
 */
#ifndef CA_CHAIN_H
#define CA_CHAIN_H

#include "base/bytes.h"
#include "ca/issuer.h"

/* Certificates end to end in DER: the issuer's own first, each issued by the
 * next; the root's own may be the last. */
struct ca_chain {
	uint8_t *der;			/* owned */
	size_t len;
};
void ca_chain_fini(struct ca_chain *chain);

/*
 * number 0: certificate and chain, as they are; n: the n-th alternate-chain,
 * checked.  NOT_FOUND: there are not so many, or the file is not there.
 * MISMATCH: its first certificate is not for the issuer's key and subject,
 * or one was not issued by the next.  REFUSED: the key of one is on the
 * issuer's block list.
 */
enum oc_err ca_chain_read(const struct ca_issuer *issuer, size_t number,
    struct ca_chain *chain, struct oc_error *error) OC_MUST_CHECK;

/*
 * Which alternate chain text means: its number, or the name of an [issuer]
 * that issued a certificate in it.  NOT_FOUND names those there are.
 */
enum oc_err ca_chain_find(const struct oc_config *config,
    const struct ca_issuer *issuer, const char *text, size_t *number,
    struct oc_error *error) OC_MUST_CHECK;

/* In PEM, but for self-signed ones: a root is in the verifier's store or it
 * is of no use. */
void ca_chain_put(const struct ca_chain *chain, struct oc_buffer *pem);

#endif
