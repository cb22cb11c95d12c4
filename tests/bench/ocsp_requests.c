/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "ocsp_requests ISSUER.pem" reads serial numbers in hexadecimal, a line
 * each, and prints an OCSP request for each in base64, a line each: SHA-1, no
 * nonce, as staplers send them; with "nonce" behind ISSUER.pem each has one of
 * 32 octets.  By OpenSSL: no bench asks itself.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>

static void
give_up(const char *what)
{
	fprintf(stderr, "ocsp_requests: %s\n", what);
	exit(1);
}

static X509 *
read_issuer(const char *path)
{
	FILE *file = fopen(path, "r");
	X509 *issuer = file == NULL ? NULL : PEM_read_X509(file, NULL, NULL,
	    NULL);

	if (issuer == NULL)
		give_up(path);
	fclose(file);
	return issuer;
}

static void
print_request(const X509 *issuer, const char *hex, bool has_nonce)
{
	unsigned char *der = NULL, text[1024];
	OCSP_REQUEST *request = OCSP_REQUEST_new();
	ASN1_INTEGER *serial;
	BIGNUM *n = NULL;
	int len;

	if (BN_hex2bn(&n, hex) == 0)
		give_up(hex);
	serial = BN_to_ASN1_INTEGER(n, NULL);
	if (request == NULL || serial == NULL ||
	    OCSP_request_add0_id(request, OCSP_cert_id_new(EVP_sha1(),
	    X509_get_subject_name(issuer), X509_get0_pubkey_bitstr(issuer),
	    serial)) == NULL)
		give_up("out of memory");
	if (has_nonce && OCSP_request_add1_nonce(request, NULL, 32) != 1)
		give_up("no nonce");
	len = i2d_OCSP_REQUEST(request, &der);
	if (len <= 0 || (size_t)len > sizeof(text) / 2)
		give_up("a request cannot be written");
	EVP_EncodeBlock(text, der, len);
	puts((const char *)text);
	OPENSSL_free(der);
	OCSP_REQUEST_free(request);
	ASN1_INTEGER_free(serial);
	BN_free(n);
}

int
main(int argc, char **argv)
{
	char line[128];
	X509 *issuer;

	if (argc < 2 || argc > 3)
		give_up("ISSUER.pem [nonce]");
	issuer = read_issuer(argv[1]);
	while (fgets(line, sizeof(line), stdin) != NULL) {
		line[strcspn(line, "\r\n")] = '\0';
		print_request(issuer, line, argc == 3);
	}
	X509_free(issuer);
	return 0;
}
