/* SPDX-License-Identifier: Apache-2.0 */
/* An [issuer NAME] with its certificate read and checked. */
#ifndef CA_ISSUER_H
#define CA_ISSUER_H

#include "base/config.h"
#include "base/err.h"
#include "ca/blocklist.h"
#include "ca/explain.h"
#include "sign/sign.h"
#include "store/store.h"
#include "x509/cert.h"

#define CA_KEY_ID_MAX 64

struct ca_issuer {
	const struct oc_config_issuer *config;	/* borrowed */
	uint8_t *der;			/* the certificate; owned */
	struct x509_cert cert;		/* views into der */
	uint8_t *chain;			/* DER of those above it, end to end;
					 * owned; NULL: none */
	size_t chain_len;
	/* Of it and of those above it, where there are any; owned, but views
	 * into der and chain. */
	struct x509_name_constraints *constraints;
	uint32_t num_constraints;
	uint8_t spki_hash[STORE_HASH_LEN];
	uint8_t key_id[CA_KEY_ID_MAX];	/* its SKI, or made */
	size_t key_id_len;
	int64_t store_id;		/* 0 until the next two */
	/* Keys it certifies for nobody; borrowed; NULL: none.  Set by whoever
	 * loads it, from [policy] blocklist. */
	const struct ca_blocklist *blocklist;
};

/* Reads the files; the certificate must be a CA's, the chain its own.  One
 * that has expired revokes and signs CRLs, but issues nothing: ca_issue()
 * refuses.  The error names the file and what to do. */
enum oc_err ca_issuer_load(const struct oc_config_issuer *config,
    struct ca_issuer **issuer, struct oc_error *error) OC_MUST_CHECK;
void ca_issuer_free(struct ca_issuer *issuer);	/* NULL is fine */
/* REFUSED if its certificate, or one of those above it, is recorded as
 * revoked (a hold is that too): it may still revoke, sign CRLs and have its
 * OCSP signer's certificate renewed, but issue nothing else.
 * explanation may be NULL. */
enum oc_err ca_issuer_check_revoked(const struct ca_issuer *issuer,
    struct store *store, struct ca_explanation *explanation,
    struct oc_error *error) OC_MUST_CHECK;
/* REFUSED if its key, or that of one above it, is on its blocklist: what
 * others can sign is worth nothing.  It may still revoke.  explanation may be
 * NULL. */
enum oc_err ca_issuer_check_blocked(const struct ca_issuer *issuer,
    struct ca_explanation *explanation, struct oc_error *error)
    OC_MUST_CHECK;
/* Makes the store know it, blocked or not. */
enum oc_err ca_issuer_register(struct ca_issuer *issuer, struct store *store,
    struct oc_error *error) OC_MUST_CHECK;
/* The same for who only reads: NOT_FOUND if the store does not know it. */
enum oc_err ca_issuer_recognize(struct ca_issuer *issuer, struct store *store,
    struct oc_error *error) OC_MUST_CHECK;
/* Its key's name and what the signer knows of it; MISMATCH if the signer's is
 * not the certificate's.  Blocks until deadline_ns. */
enum oc_err ca_issuer_find_key(const struct ca_issuer *issuer,
    struct signer *signer, int64_t deadline_ns, char name[SIGN_KEY_NAME_MAX],
    struct sign_key_info *info, struct oc_error *error) OC_MUST_CHECK;

#endif
