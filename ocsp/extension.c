/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Extensions ::= SEQUENCE SIZE (1..MAX) OF Extension, RFC 5280 section 4.2,
 * as far as OCSP has them.
 */
#include "ocsp/extension.h"

bool
ocsp_enter_extensions(struct der_reader *r, uint8_t tag,
    struct der_reader *extensions)
{
	struct der_reader outer;

	if (!der_enter_optional(r, tag, &outer))
		return false;
	if (!der_enter(&outer, DER_SEQUENCE, extensions) ||
	    !der_at_end(&outer) || der_at_end(extensions)) {
		der_reader_fail(r);
		return false;
	}
	return true;
}

/*
 * Extension ::= SEQUENCE {
 *     extnID     OBJECT IDENTIFIER,
 *     critical   BOOLEAN DEFAULT FALSE,
 *     extnValue  OCTET STRING }
 *
 * FALSE written out is not DER, and harmless: like version v1 in a request
 * it is taken.
 */
bool
ocsp_get_extension(struct der_reader *extensions,
    struct ocsp_extension *extension)
{
	struct der_reader inner;

	extension->is_critical = false;
	der_enter(extensions, DER_SEQUENCE, &inner);
	der_get_oid(&inner, &extension->oid);
	if (der_next_is(&inner, DER_BOOLEAN))
		der_get_boolean(&inner, &extension->is_critical);
	der_get(&inner, DER_OCTET_STRING, &extension->value);
	return der_leave(extensions, &inner);
}

bool
ocsp_extension_is(const struct ocsp_extension *extension, enum der_oid oid)
{
	return der_bytes_equal(extension->oid, der_oid_bytes(oid));
}

/* Nonce ::= OCTET STRING (SIZE (1..128)) */
bool
ocsp_read_nonce(struct der_bytes value, struct der_bytes *nonce)
{
	struct der_bytes inner;

	if (!der_read_whole(value, DER_OCTET_STRING, &inner))
		inner = value;
	if (inner.len == 0 || inner.len > OCSP_NONCE_MAX)
		return false;
	*nonce = inner;
	return true;
}

void
ocsp_begin_extension(struct der_writer *w, enum der_oid oid)
{
	der_begin(w, DER_SEQUENCE);
	der_put_oid(w, oid);
	der_begin(w, DER_OCTET_STRING);
}

void
ocsp_end_extension(struct der_writer *w)
{
	der_end(w);
	der_end(w);
}

void
ocsp_put_nonce(struct der_writer *w, struct der_bytes nonce)
{
	ocsp_begin_extension(w, DER_OID_OCSP_NONCE);
	der_put_octets(w, nonce);
	ocsp_end_extension(w);
}

/*
 * AlgorithmIdentifier ::= SEQUENCE {
 *     algorithm   OBJECT IDENTIFIER,
 *     parameters  ANY DEFINED BY algorithm OPTIONAL }
 */
bool
ocsp_is_algorithm(struct der_bytes tlv)
{
	struct der_reader r = der_reader_of(tlv), inner;
	struct der_bytes oid, parameters;
	uint8_t tag;

	der_enter(&r, DER_SEQUENCE, &inner);
	der_get_oid(&inner, &oid);
	if (!der_at_end(&inner) &&
	    der_get_any(&inner, &tag, NULL, &parameters) &&
	    !der_is_valid(parameters))
		return false;
	return der_leave(&r, &inner) && der_is_done(&r);
}
