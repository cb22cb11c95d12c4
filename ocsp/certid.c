/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CertID, RFC 6960 section 4.1.1.
 *
 * Which hash, and how its parameters are written, is one comparison with the
 * ten AlgorithmIdentifiers that clients send; no OID is taken apart.
 */
#include "ocsp/certid.h"

#include "ocsp/extension.h"

#define SHA1 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a
#define SHA2(n) 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, (n)
#define PARAMETERS_NULL 0x05, 0x00

/*
 * AlgorithmIdentifiers.
 * SHA-1:  30 09 06 05 2B 0E 03 02 1A 05 00, or 30 07 without the NULL.
 * SHA-2:  30 0D 06 09 60 86 48 01 65 03 04 02 nn 05 00, or 30 0B.
 */
static const struct {
	uint8_t len;
	uint8_t octets[15];
} algorithms[OCSP_ENCODING_MAX] = {
	{ 11, { 0x30, 0x09, SHA1, PARAMETERS_NULL } },
	{ 9, { 0x30, 0x07, SHA1 } },
	{ 15, { 0x30, 0x0d, SHA2(4), PARAMETERS_NULL } },
	{ 13, { 0x30, 0x0b, SHA2(4) } },
	{ 15, { 0x30, 0x0d, SHA2(1), PARAMETERS_NULL } },
	{ 13, { 0x30, 0x0b, SHA2(1) } },
	{ 15, { 0x30, 0x0d, SHA2(2), PARAMETERS_NULL } },
	{ 13, { 0x30, 0x0b, SHA2(2) } },
	{ 15, { 0x30, 0x0d, SHA2(3), PARAMETERS_NULL } },
	{ 13, { 0x30, 0x0b, SHA2(3) } },
};

size_t
ocsp_hash_len(enum ocsp_hash hash)
{
	static const uint8_t lens[OCSP_HASH_MAX] = { 20, 28, 32, 48, 64 };

	oc_assert(hash < OCSP_HASH_MAX);
	return lens[hash];
}

static bool
get_encoding(struct der_reader *r, uint8_t *encoding)
{
	struct der_bytes tlv;
	uint8_t i;

	if (!der_get_tlv(r, DER_SEQUENCE, &tlv))
		return false;
	for (i = 0; i < OCSP_ENCODING_MAX; i++) {
		if (tlv.len == algorithms[i].len &&
		    memcmp(tlv.p, algorithms[i].octets, tlv.len) == 0) {
			*encoding = i;
			return true;
		}
	}
	if (!ocsp_is_algorithm(tlv)) {
		der_reader_fail(r);
		return false;
	}
	*encoding = OCSP_ENCODING_UNKNOWN;
	return true;
}

/*
 * CertID ::= SEQUENCE {
 *     hashAlgorithm   AlgorithmIdentifier,
 *     issuerNameHash  OCTET STRING,
 *     issuerKeyHash   OCTET STRING,
 *     serialNumber    INTEGER }
 */
bool
ocsp_get_certid(struct der_reader *r, struct ocsp_certid *certid)
{
	struct der_reader inner;
	const uint8_t *start = r->p;
	size_t len;

	if (!der_enter(r, DER_SEQUENCE, &inner))
		return false;
	certid->tlv = (struct der_bytes){ start, (size_t)(r->p - start) };
	if (!get_encoding(&inner, &certid->encoding) ||
	    !der_get(&inner, DER_OCTET_STRING, &certid->name_hash) ||
	    !der_get(&inner, DER_OCTET_STRING, &certid->key_hash) ||
	    !der_get_integer(&inner, &certid->serial) ||
	    !der_at_end(&inner))
		goto fail;
	if (certid->encoding != OCSP_ENCODING_UNKNOWN) {
		len = ocsp_hash_len(OCSP_ENCODING_HASH(certid->encoding));
		if (certid->name_hash.len != len || certid->key_hash.len != len)
			goto fail;
	}
	return true;
fail:
	der_reader_fail(r);
	return false;
}

void
ocsp_put_certid_prefix(struct der_writer *w, uint8_t encoding,
    struct der_bytes name_hash, struct der_bytes key_hash)
{
	oc_assert(encoding < OCSP_ENCODING_MAX);
	der_put_raw(w, (struct der_bytes){ algorithms[encoding].octets,
	    algorithms[encoding].len });
	der_put_octets(w, name_hash);
	der_put_octets(w, key_hash);
}
