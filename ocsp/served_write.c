/* SPDX-License-Identifier: Apache-2.0 */
/* The writer's half, which responders have no use for. */
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "ocsp/served_private.h"
#include "sign/digest.h"

enum oc_err
ocsp_served_make_etag(struct der_bytes der, uint8_t etag[OCSP_SERVED_ETAG_LEN])
{
	uint8_t digest[EVP_MAX_MD_SIZE];

	if (EVP_Digest(der.p, der.len, digest, NULL,
	    sign_digest(SIGN_SHA256), NULL) != 1)
		return OC_ERR_INTERNAL;
	memcpy(etag, digest, OCSP_SERVED_ETAG_LEN);
	return OC_OK;
}

enum oc_err
ocsp_served_write(const char *path, const struct ocsp_served_facts *facts,
    struct der_bytes der, struct oc_error *error)
{
	struct served_header header = { .magic = SERVED_MAGIC,
	    .len = der.len, .facts = *facts };
	const struct oc_file_part part = { path, 0644, der.p, der.len,
	    &header, sizeof(header) };

	return oc_file_write_all(&part, 1, error);
}
