/* SPDX-License-Identifier: Apache-2.0 */
/*
 * csr-check-p256, csr-check-rsa: a CSR of one name, read and its proof of
 * possession verified; by the peer with d2i_X509_REQ and X509_REQ_verify.
 */
#include "tests/bench/bench.h"
#include "x509/csr.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

struct subject {
	unsigned char *der;
	int len;
};

static void
make(EVP_PKEY *key, struct subject *s)
{
	STACK_OF(X509_EXTENSION) *list = sk_X509_EXTENSION_new_null();
	X509_REQ *req = X509_REQ_new();

	bench_must(key != NULL && req != NULL && list != NULL);
	X509_NAME_add_entry_by_txt(X509_REQ_get_subject_name(req), "CN",
	    MBSTRING_ASC, (const unsigned char *)"www.example.com", -1, -1,
	    0);
	sk_X509_EXTENSION_push(list, X509V3_EXT_conf_nid(NULL, NULL,
	    NID_subject_alt_name, "DNS:www.example.com"));
	bench_must(X509_REQ_add_extensions(req, list) == 1);
	bench_must(X509_REQ_set_pubkey(req, key) == 1);
	bench_must(X509_REQ_sign(req, key, EVP_sha256()) > 0);
	s->der = NULL;
	s->len = i2d_X509_REQ(req, &s->der);
	bench_must(s->len > 0);
	sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
	X509_REQ_free(req);
	EVP_PKEY_free(key);
}

static void
ours(void *arg)
{
	static struct x509_csr csr;
	const struct subject *s = arg;

	bench_must(x509_csr_read((struct der_bytes){ s->der,
	    (size_t)s->len }, &csr, NULL) == OC_OK);
	bench_must(x509_csr_verify(&csr, NULL) == OC_OK);
}

static void
peer(void *arg)
{
	const struct subject *s = arg;
	const unsigned char *p = s->der;
	X509_REQ *req = d2i_X509_REQ(NULL, &p, s->len);

	bench_must(req != NULL);
	bench_must(X509_REQ_verify(req, X509_REQ_get0_pubkey(req)) == 1);
	X509_REQ_free(req);
}

void
bench_csr(void)
{
	struct subject s;

	make(EVP_EC_gen("P-256"), &s);
	bench_compare("csr-check-p256", ours, peer, &s);
	OPENSSL_free(s.der);
	make(EVP_RSA_gen(2048), &s);
	bench_compare("csr-check-rsa2048", ours, peer, &s);
	OPENSSL_free(s.der);
}
