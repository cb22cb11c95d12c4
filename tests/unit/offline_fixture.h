/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of an issuer whose key is elsewhere share: responses that
 * OpenSSL signs to order, and the directory that they are loaded from.
 */
#ifndef TESTS_UNIT_OFFLINE_FIXTURE_H
#define TESTS_UNIT_OFFLINE_FIXTURE_H

#include "tests/unit/status_fixture.h"

#define DAY 86400

/* What OpenSSL is to sign; zero is a good answer of ours, for a day.  The
 * fixture's certificates last for ten. */
struct order {
	uint64_t n;
	int64_t begins_s, lasts_s;	/* from now; 0: -600, DAY */
	int status;			/* V_OCSP_CERTSTATUS_... */
	int reason;
	EVP_PKEY *key;			/* NULL: the CA's */
	X509 *signer, *issuer;		/* NULL: the CA */
	const EVP_MD *md;		/* NULL: SHA-256 */
	const EVP_MD *id_md;		/* of the CertID; NULL: SHA-1 */
	unsigned long without;		/* flags not to have */
	bool is_endless, is_twice, has_extension, has_nonce;
};

struct blob offline_order(struct world *w, const struct order *order);

/* The CA signs itself, and its responses lie in a directory.  Beside it there
 * may be others, whose keys are here. */
int offline_setup(void **state);
int offline_teardown(void **state);
/* Puts what was ordered there, as a file of this name. */
void offline_put(struct world *w, const char *name,
    const struct order *order);
/* From now on this certificate is ocsp-certificate. */
void offline_use_delegate(struct world *w, X509 *signer);

#endif
