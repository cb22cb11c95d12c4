/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CertID, RFC 6960 section 4.1.1.  Clients write the same certificate's
 * CertID in several encodings (hash, parameters NULL or absent) and compare
 * the answer's with their own, so each encoding is mirrored byte for byte.
 */
#ifndef OCSP_CERTID_H
#define OCSP_CERTID_H

#include "base/err.h"
#include "der/bytes.h"
#include "der/reader.h"
#include "der/writer.h"

enum ocsp_hash {
	OCSP_HASH_SHA1,
	OCSP_HASH_SHA224,
	OCSP_HASH_SHA256,
	OCSP_HASH_SHA384,
	OCSP_HASH_SHA512,
	OCSP_HASH_MAX
};

/* Hash times two, plus one where the parameters are absent rather than NULL.
 * The numbers stand in table files. */
#define OCSP_ENCODING_MAX (2 * OCSP_HASH_MAX)
#define OCSP_ENCODING(hash, is_absent) (2 * (hash) + (is_absent))
#define OCSP_ENCODING_HASH(encoding) ((enum ocsp_hash)((encoding) / 2))
/* What nearly every client sends: SHA-1 with NULL. */
#define OCSP_ENCODING_USUAL OCSP_ENCODING(OCSP_HASH_SHA1, 0)
/* A hash algorithm that is none of ours. */
#define OCSP_ENCODING_UNKNOWN 0xff

#define OCSP_DIGEST_MAX 64
size_t ocsp_hash_len(enum ocsp_hash hash);

struct ocsp_certid {
	struct der_bytes tlv;		/* the whole CertID */
	uint8_t encoding;
	struct der_bytes name_hash, key_hash;
	struct der_bytes serial;	/* INTEGER contents, minimal */
};

/* Reads one; a hash of the wrong length fails the reader. */
bool ocsp_get_certid(struct der_reader *r, struct ocsp_certid *certid);

/*
 * The issuer's part of a CertID: SEQUENCE header excluded, serial excluded:
 * hashAlgorithm, issuerNameHash, issuerKeyHash, end to end.
 */
#define OCSP_CERTID_PREFIX_MAX 160
void ocsp_put_certid_prefix(struct der_writer *w, uint8_t encoding,
    struct der_bytes name_hash, struct der_bytes key_hash);

#endif
