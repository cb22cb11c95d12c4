/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PKCS#10 certification requests, RFC 2986: read into views, proof of
 * possession checked, written for keys of our own.
 *
 * What an attribute other than extensionRequest says (a challengePassword
 * may be a secret) is neither looked at nor repeated in an error.
 */
#include "x509/csr.h"

#include "base/limits.h"
#include "der/reader.h"
#include "x509/name.h"
#include "x509/spki.h"
#include "x509/tbs.h"

enum { VERSION_1 = 0 };

/*
 * values SET OF ANY of one extensionRequest, RFC 2985 5.4.2: single-valued,
 * Extensions.
 */
static enum oc_err
read_extension_request(struct der_bytes values, struct x509_csr *csr,
    struct oc_error *error)
{
	struct der_reader r = der_reader_of(values);
	struct der_bytes tlv;

	if (csr->has_extensions)
		return oc_error_set(error, OC_ERR_MALFORMED,
		    "CSR: more than one extensionRequest");
	der_get_tlv(&r, DER_SEQUENCE, &tlv);
	if (!der_is_done(&r))
		return oc_error_set(error, OC_ERR_MALFORMED,
		    "CSR: extensionRequest does not hold exactly one value");
	csr->has_extensions = true;
	return x509_read_extensions(tlv, &csr->extensions, error);
}

/*
 * Attribute ::= SEQUENCE {
 *     type    OBJECT IDENTIFIER,
 *     values  SET SIZE(1..MAX) OF ANY }
 */
static enum oc_err
read_attribute(struct der_reader *r, struct x509_csr *csr,
    struct oc_error *error)
{
	struct der_bytes type, values;
	struct der_reader inner;
	enum der_oid oid;

	der_enter(r, DER_SEQUENCE, &inner);
	der_get_oid(&inner, &type);
	der_get(&inner, DER_SET, &values);
	if (!der_leave(r, &inner) || values.len == 0 || !der_is_valid(values))
		return oc_error_set(error, OC_ERR_MALFORMED,
		    "CSR: an attribute is not a type and a SET of values");
	oid = der_oid_find(type);
	if (oid == DER_OID_EXTENSION_REQUEST ||
	    oid == DER_OID_MS_EXTENSION_REQUEST)
		return read_extension_request(values, csr, error);
	return OC_OK;
}

/*
 * attributes [0] IMPLICIT SET OF Attribute
 *
 * Not OPTIONAL in RFC 2986, but left out by some.  The order of the SET is
 * not checked: few writers sort it.
 */
static enum oc_err
read_attributes(struct der_reader *r, struct x509_csr *csr,
    struct oc_error *error)
{
	struct der_reader inner;
	enum oc_err err;

	if (!der_enter_optional(r, DER_CONTEXT(0), &inner))
		return OC_OK;
	while (!der_at_end(&inner))
		if ((err = read_attribute(&inner, csr, error)) != OC_OK)
			return err;
	der_leave(r, &inner);
	return OC_OK;
}

/*
 * CertificationRequestInfo ::= SEQUENCE {
 *     version        INTEGER { v1(0) },
 *     subject        Name,
 *     subjectPKInfo  SubjectPublicKeyInfo,
 *     attributes     [0] IMPLICIT SET OF Attribute }
 */
static enum oc_err
read_info(struct x509_csr *csr, struct oc_error *error)
{
	struct der_bytes contents, bits;
	struct der_reader r;
	uint64_t version = 0;
	enum oc_err err;

	if (!der_read_whole(csr->info, DER_SEQUENCE, &contents))
		return oc_error_set(error, OC_ERR_MALFORMED,
		    "CSR: CertificationRequestInfo is not a SEQUENCE");
	r = der_reader_of(contents);
	if (!der_get_uint(&r, &version) || version != VERSION_1)
		return oc_error_set(error, OC_ERR_MALFORMED,
		    "CSR: the version is not 0");
	if (!der_get_tlv(&r, DER_SEQUENCE, &csr->subject) ||
	    !x509_name_is_valid(csr->subject))
		return oc_error_set(error, OC_ERR_MALFORMED,
		    "CSR: the subject is not a well-formed Name");
	if (!der_get_tlv(&r, DER_SEQUENCE, &csr->spki) ||
	    x509_spki_key_bits(csr->spki, &bits) != OC_OK)
		return oc_error_set(error, OC_ERR_MALFORMED,
		    "CSR: the key is not a SubjectPublicKeyInfo");
	if ((err = read_attributes(&r, csr, error)) != OC_OK)
		return err;
	if (!der_is_done(&r))
		return oc_error_set(error, OC_ERR_MALFORMED,
		    "CSR: CertificationRequestInfo is not as RFC 2986 4.1 "
		    "has it");
	return OC_OK;
}

/*
 * CertificationRequest ::= SEQUENCE {
 *     certificationRequestInfo  CertificationRequestInfo,
 *     signatureAlgorithm        AlgorithmIdentifier,
 *     signature                 BIT STRING }
 */
enum oc_err
x509_csr_read(struct der_bytes der, struct x509_csr *csr,
    struct oc_error *error)
{
	struct x509_csr c = { .der = der };
	struct der_bytes identifier;
	enum oc_err err;

	if (der.len > OC_CSR_MAX)
		return oc_error_set(error, OC_ERR_LIMIT,
		    "CSR: %zu octets, the limit is %d", der.len, OC_CSR_MAX);
	if (x509_read_signed(der, &c.info, &identifier, &c.signature) != OC_OK)
		return oc_error_set(error, OC_ERR_MALFORMED,
		    "CSR: not one SEQUENCE of CertificationRequestInfo, "
		    "algorithm and signature");
	if ((err = read_info(&c, error)) != OC_OK)
		return err;
	c.alg = sign_alg_find(identifier);
	if (c.alg == SIGN_ALG_NONE)
		return oc_error_set(error, OC_ERR_UNSUPPORTED,
		    "CSR: signed with an algorithm that is not taken; SHA-256 "
		    "or better with RSA or ECDSA, and Ed25519 are");
	*csr = c;
	return OC_OK;
}

enum oc_err
x509_csr_verify(const struct x509_csr *csr, struct oc_error *error)
{
	return x509_spki_verify(csr->spki, csr->alg, csr->info,
	    csr->signature, "CSR", error);
}

/*
 * extensionRequest as an Attribute.
 */
static void
put_extension_request(struct der_writer *w,
    const struct x509_extensions *extensions)
{
	der_begin(w, DER_SEQUENCE);
	der_put_oid(w, DER_OID_EXTENSION_REQUEST);
	der_begin(w, DER_SET);
	x509_put_extensions(w, extensions);
	der_end(w);
	der_end(w);
}

void
x509_put_csr_info(struct der_writer *w, const void *arg)
{
	const struct x509_csr_info *info = arg;

	der_begin(w, DER_SEQUENCE);
	der_put_uint(w, VERSION_1);
	der_put_raw(w, info->subject);
	der_put_raw(w, info->spki);
	der_begin(w, DER_CONTEXT(0));
	if (info->extensions != NULL)
		put_extension_request(w, info->extensions);
	der_end(w);
	der_end(w);
}
