/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/bench_crl.h"

#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include "tests/bench/bench.h"

X509_CRL *
openssl_crl_new(const struct x509_crl_tbs *tbs)
{
	const unsigned char *p = tbs->issuer.p;
	X509_NAME *issuer = d2i_X509_NAME(NULL, &p, (long)tbs->issuer.len);
	ASN1_TIME *at = ASN1_TIME_set(NULL, (time_t)tbs->this_update);
	AUTHORITY_KEYID *key_id = AUTHORITY_KEYID_new();
	ASN1_INTEGER *number = ASN1_INTEGER_new();
	X509_CRL *crl = X509_CRL_new();

	bench_must(crl != NULL && issuer != NULL && at != NULL);
	bench_must(X509_CRL_set_version(crl, X509_CRL_VERSION_2) == 1);
	bench_must(X509_CRL_set_issuer_name(crl, issuer) == 1);
	bench_must(X509_CRL_set1_lastUpdate(crl, at) == 1);
	bench_must(ASN1_TIME_set(at, (time_t)tbs->next_update) != NULL);
	bench_must(X509_CRL_set1_nextUpdate(crl, at) == 1);
	key_id->keyid = ASN1_OCTET_STRING_new();
	bench_must(ASN1_OCTET_STRING_set(key_id->keyid,
	    tbs->authority_key_id.p, (int)tbs->authority_key_id.len) == 1);
	bench_must(X509_CRL_add1_ext_i2d(crl, NID_authority_key_identifier,
	    key_id, 0, X509V3_ADD_APPEND) == 1);
	bench_must(ASN1_INTEGER_set_uint64(number, tbs->number) == 1);
	bench_must(X509_CRL_add1_ext_i2d(crl, NID_crl_number, number, 0,
	    X509V3_ADD_APPEND) == 1);
	AUTHORITY_KEYID_free(key_id);
	ASN1_INTEGER_free(number);
	ASN1_TIME_free(at);
	X509_NAME_free(issuer);
	return crl;
}

/* As "openssl ca" and the manual's examples do. */
void
openssl_crl_add(X509_CRL *crl, const struct x509_crl_entry *e)
{
	BIGNUM *number = BN_bin2bn(e->serial.bytes, e->serial.len, NULL);
	ASN1_INTEGER *serial = BN_to_ASN1_INTEGER(number, NULL);
	ASN1_TIME *at = ASN1_TIME_set(NULL, (time_t)e->revoked_at);
	ASN1_ENUMERATED *reason = ASN1_ENUMERATED_new();
	X509_REVOKED *revoked = X509_REVOKED_new();

	bench_must(revoked != NULL);
	bench_must(X509_REVOKED_set_serialNumber(revoked, serial) == 1);
	bench_must(X509_REVOKED_set_revocationDate(revoked, at) == 1);
	bench_must(ASN1_ENUMERATED_set(reason, (long)e->reason) == 1);
	bench_must(X509_REVOKED_add1_ext_i2d(revoked, NID_crl_reason, reason,
	    0, X509V3_ADD_APPEND) == 1);
	bench_must(X509_CRL_add0_revoked(crl, revoked) == 1);
	ASN1_ENUMERATED_free(reason);
	ASN1_TIME_free(at);
	ASN1_INTEGER_free(serial);
	BN_free(number);
}

void
openssl_crl_sign(X509_CRL *crl, EVP_PKEY *key, unsigned char **der,
    size_t *len)
{
	int is_len;

	bench_must(X509_CRL_sort(crl) == 1);
	bench_must(X509_CRL_sign(crl, key, EVP_sha256()) > 0);
	is_len = i2d_X509_CRL(crl, der);
	bench_must(is_len > 0);
	*len = (size_t)is_len;
}
