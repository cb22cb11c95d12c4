/* SPDX-License-Identifier: Apache-2.0 */
#include "cfssl/usage.h"

#include <string.h>

#include "x509/ext.h"

const struct cfssl_usage cfssl_usages[] = {
	{ "signing", X509_KU_DIGITAL_SIGNATURE, NULL },
	{ "digital signature", X509_KU_DIGITAL_SIGNATURE, NULL },
	{ "content commitment", X509_KU_CONTENT_COMMITMENT, NULL },
	/* As CFSSL spelt it up to 1.2. */
	{ "content committment", X509_KU_CONTENT_COMMITMENT, NULL },
	{ "key encipherment", X509_KU_KEY_ENCIPHERMENT, NULL },
	{ "key agreement", X509_KU_KEY_AGREEMENT, NULL },
	{ "data encipherment", X509_KU_DATA_ENCIPHERMENT, NULL },
	{ "cert sign", X509_KU_KEY_CERT_SIGN, NULL },
	{ "crl sign", X509_KU_CRL_SIGN, NULL },
	{ "encipher only", X509_KU_ENCIPHER_ONLY, NULL },
	{ "decipher only", X509_KU_DECIPHER_ONLY, NULL },
	{ "any", 0, "2.5.29.37.0" },
	{ "server auth", 0, "1.3.6.1.5.5.7.3.1" },
	{ "client auth", 0, "1.3.6.1.5.5.7.3.2" },
	{ "code signing", 0, "1.3.6.1.5.5.7.3.3" },
	{ "email protection", 0, "1.3.6.1.5.5.7.3.4" },
	{ "s/mime", 0, "1.3.6.1.5.5.7.3.4" },
	{ "ipsec end system", 0, "1.3.6.1.5.5.7.3.5" },
	{ "ipsec tunnel", 0, "1.3.6.1.5.5.7.3.6" },
	{ "ipsec user", 0, "1.3.6.1.5.5.7.3.7" },
	{ "timestamping", 0, "1.3.6.1.5.5.7.3.8" },
	{ "ocsp signing", 0, "1.3.6.1.5.5.7.3.9" },
	{ "microsoft sgc", 0, "1.3.6.1.4.1.311.10.3.3" },
	{ "netscape sgc", 0, "2.16.840.1.113730.4.1" },
	{ NULL }
};

const struct cfssl_usage *
cfssl_usage_find(const char *name)
{
	const struct cfssl_usage *u;

	for (u = cfssl_usages; u->name != NULL; u++)
		if (strcmp(u->name, name) == 0)
			return u;
	return NULL;
}
