/* SPDX-License-Identifier: Apache-2.0 */
/* CRLs by OpenSSL, right, or wrong in one way. */
#ifndef TESTS_UNIT_CRL_FIXTURE_H
#define TESTS_UNIT_CRL_FIXTURE_H

/* First: OpenSSL's CRL_REASON_... are macros of the same names. */
#include "tests/unit/ocsp_fixture.h"

/* In place of a reason: the extension is left out. */
#define CRL_NO_REASON (-1)

struct crl_item {
	const char *serial;		/* hexadecimal; NULL ends the list */
	int reason;
	int64_t revoked_s;		/* from now; 0: an hour ago */
};

/* Zero is a list of ours, empty, from a minute ago for a day, without
 * number. */
struct crl_order {
	int64_t number;			/* 0: none */
	int64_t begins_s, lasts_s;	/* from now; 0: -60, a day */
	int64_t now;			/* 0: the clock's */
	const struct crl_item *items;	/* NULL: none */
	const char *idp;		/* lines of OpenSSL's configuration */
	const char *aki;		/* octets of the keyIdentifier */
	const EVP_MD *md;		/* NULL: SHA-256 */
	int64_t base;			/* of a delta; 0: 1 */
	const char *freshest;		/* a URL; NULL: none */
	bool is_delta, has_unknown_critical, is_endless;
};

/* For OPENSSL_free(). */
uint8_t *fixture_crl(const struct crl_order *order, X509 *issuer,
    EVP_PKEY *key, size_t *len);
void fixture_write(const char *path, const void *octets, size_t len);

#endif
