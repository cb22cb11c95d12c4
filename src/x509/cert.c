/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading certificates, RFC 5280 section 4.1.  Everything handed out is a
 * view into the caller's DER; nothing is allocated.
 */
#include "x509/cert.h"

#include <stdlib.h>

#include "base/limits.h"
#include "der/reader.h"
#include "x509/name.h"
#include "x509/spki.h"
#include "x509/tbs.h"

enum { VERSION_1 = 0, VERSION_3 = 2 };

/*
 * Version ::= INTEGER { v1(0), v2(1), v3(2) }
 *
 * v1 is the DEFAULT and so never written.  v2 is v1 with unique identifiers
 * and nothing we meet has it.
 */
static enum oc_err
read_version(struct der_reader *r, uint64_t *version, struct oc_error *error)
{
	struct der_reader inner;
	uint64_t v = VERSION_1;

	if (der_next_is(r, DER_CONTEXT(0))) {
		der_enter(r, DER_CONTEXT(0), &inner);
		der_get_uint(&inner, &v);
		if (!der_leave(r, &inner) || v != VERSION_3)
			return oc_error_set(error, OC_ERR_MALFORMED,
			    "certificate: version is neither v3 nor v1 left "
			    "out");
	}
	*version = v;
	return OC_OK;
}

/*
 * Validity ::= SEQUENCE { notBefore Time, notAfter Time }
 */
static void
read_validity(struct der_reader *r, struct x509_cert *cert)
{
	struct der_reader inner;

	der_enter(r, DER_SEQUENCE, &inner);
	der_get_time(&inner, &cert->not_before);
	der_get_time(&inner, &cert->not_after);
	der_leave(r, &inner);
}

/*
 * issuerUniqueID  [1] IMPLICIT BIT STRING OPTIONAL
 * subjectUniqueID [2] IMPLICIT BIT STRING OPTIONAL
 *
 * RFC 5280 4.1.2.8 forbids writing them and asks to be able to skip them.
 */
static void
skip_unique_ids(struct der_reader *r)
{
	struct der_bytes bits;
	int n;

	for (n = 1; n <= 2; n++) {
		if (!der_next_is(r, DER_CONTEXT_PRIMITIVE(n)))
			continue;
		if (der_get(r, DER_CONTEXT_PRIMITIVE(n), &bits) &&
		    !der_bit_string_is_valid(bits))
			der_reader_fail(r);
	}
}

static enum oc_err
read_extensions(struct der_reader *r, struct x509_cert *cert,
    struct oc_error *error)
{
	struct der_reader inner;
	struct der_bytes tlv = { NULL, 0 };

	der_enter(r, DER_CONTEXT(3), &inner);
	der_get_tlv(&inner, DER_SEQUENCE, &tlv);
	if (!der_leave(r, &inner))
		return oc_error_set(error, OC_ERR_MALFORMED,
		    "certificate: extensions are not one SEQUENCE");
	return x509_read_extensions(tlv, &cert->extensions, error);
}

enum depth { WHOLE, FRAME };

/* Whatever stands in it. */
static enum oc_err
skip_extensions(struct der_reader *r)
{
	struct der_bytes tlv;

	der_get_tlv(r, DER_CONTEXT(3), &tlv);
	return OC_OK;
}

/*
 * TBSCertificate: the type is quoted in tbs.c.
 */
static enum oc_err
read_tbs(struct der_bytes tbs, struct der_bytes outer_identifier,
    enum depth depth, struct x509_cert *cert, struct oc_error *error)
{
	struct der_bytes contents, identifier;
	struct der_reader r;
	uint64_t version = VERSION_1;
	enum oc_err err;

	if (!der_read_whole(tbs, DER_SEQUENCE, &contents))
		return oc_error_set(error, OC_ERR_MALFORMED,
		    "certificate: TBSCertificate is not a SEQUENCE");
	r = der_reader_of(contents);
	if ((err = read_version(&r, &version, error)) != OC_OK)
		return err;
	if (!der_get_serial(&r, &cert->serial))
		return oc_error_set(error, OC_ERR_MALFORMED,
		    "certificate: serial number is not a positive INTEGER of "
		    "at most 20 octets");
	if (der_get_tlv(&r, DER_SEQUENCE, &identifier) &&
	    !der_bytes_equal(identifier, outer_identifier))
		return oc_error_set(error, OC_ERR_MISMATCH,
		    "certificate: the signature algorithm inside is not the "
		    "one outside");
	der_get_tlv(&r, DER_SEQUENCE, &cert->issuer);
	read_validity(&r, cert);
	der_get_tlv(&r, DER_SEQUENCE, &cert->subject);
	der_get_tlv(&r, DER_SEQUENCE, &cert->spki);
	if (version == VERSION_3) {
		skip_unique_ids(&r);
		if (der_next_is(&r, DER_CONTEXT(3)) &&
		    (err = depth == FRAME ? skip_extensions(&r) :
		    read_extensions(&r, cert, error)) != OC_OK)
			return err;
	}
	if (!der_is_done(&r))
		return oc_error_set(error, OC_ERR_MALFORMED,
		    "certificate: TBSCertificate is not as RFC 5280 4.1 has "
		    "it");
	return OC_OK;
}

static enum oc_err
check_parts(const struct x509_cert *cert, struct oc_error *error)
{
	struct der_bytes bits;

	if (!x509_name_is_valid(cert->issuer))
		return oc_error_set(error, OC_ERR_MALFORMED,
		    "certificate: the issuer is not a well-formed Name");
	if (!x509_name_is_valid(cert->subject))
		return oc_error_set(error, OC_ERR_MALFORMED,
		    "certificate: the subject is not a well-formed Name");
	if (x509_spki_key_bits(cert->spki, &bits) != OC_OK)
		return oc_error_set(error, OC_ERR_MALFORMED,
		    "certificate: the subject's key is not a "
		    "SubjectPublicKeyInfo");
	return OC_OK;
}

/*
 * Certificate ::= SEQUENCE {
 *     tbsCertificate      TBSCertificate,
 *     signatureAlgorithm  AlgorithmIdentifier,
 *     signatureValue      BIT STRING }
 */
static enum oc_err
read_certificate(struct der_bytes der, enum depth depth,
    struct x509_cert *cert, struct oc_error *error)
{
	struct x509_cert c = { .der = der };
	enum oc_err err;

	if (der.len > OC_CERTIFICATE_MAX)
		return oc_error_set(error, OC_ERR_LIMIT,
		    "certificate: %zu octets, the limit is %d", der.len,
		    OC_CERTIFICATE_MAX);
	if (x509_read_signed(der, &c.tbs, &c.alg_identifier,
	    &c.signature) != OC_OK)
		return oc_error_set(error, OC_ERR_MALFORMED,
		    "certificate: not one SEQUENCE of TBSCertificate, "
		    "algorithm and signature");
	if ((err = read_tbs(c.tbs, c.alg_identifier, depth, &c, error)) !=
	    OC_OK || (err = check_parts(&c, error)) != OC_OK)
		return err;
	c.alg = sign_alg_find(c.alg_identifier);
	*cert = c;
	return OC_OK;
}

enum oc_err
x509_cert_read(struct der_bytes der, struct x509_cert *cert,
    struct oc_error *error)
{
	return read_certificate(der, WHOLE, cert, error);
}

enum oc_err
x509_cert_read_frame(struct der_bytes der, struct x509_cert *cert,
    struct oc_error *error)
{
	return read_certificate(der, FRAME, cert, error);
}

enum oc_err
x509_cert_verify_issued(const struct x509_cert *cert,
    const struct x509_cert *issuer, struct oc_error *error)
{
	if (!der_bytes_equal(cert->issuer, issuer->subject))
		return oc_error_set(error, OC_ERR_MISMATCH,
		    "certificate: its issuer name is not the subject of the "
		    "issuer's certificate");
	if (cert->alg == SIGN_ALG_NONE)
		return oc_error_set(error, OC_ERR_UNSUPPORTED,
		    "certificate: signed with an algorithm not supported "
		    "here");
	return x509_spki_verify(issuer->spki, cert->alg, cert->tbs,
	    cert->signature, "certificate", error);
}

static enum oc_err
check_above(const struct x509_cert *cert, const struct x509_cert *above,
    struct oc_error *error)
{
	char name[X509_NAME_TEXT_MAX], above_name[X509_NAME_TEXT_MAX];
	struct oc_error bad = { 0 };
	enum oc_err err;

	err = x509_cert_verify_issued(cert, above, &bad);
	if (err == OC_OK || err == OC_ERR_UNSUPPORTED)
		return OC_OK;
	x509_name_format(cert->subject, name);
	x509_name_format(above->subject, above_name);
	return oc_error_set(error, err, "\"%.80s\" has not issued \"%.80s\": "
	    "a chain begins with the issuer, then comes that one's issuer",
	    above_name, name);
}

enum oc_err
x509_cert_check_chain(const struct x509_cert *cert, struct der_bytes chain,
    struct oc_error *error)
{
	struct x509_cert *two = calloc(2, sizeof(*two));
	struct der_reader r = der_reader_of(chain);
	struct der_bytes der;
	enum oc_err err = OC_OK;
	unsigned int i = 0;

	if (two == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	for (; err == OC_OK && !der_at_end(&r); i ^= 1) {
		if (!der_get_tlv(&r, DER_SEQUENCE, &der))
			err = oc_error_set(error, OC_ERR_MALFORMED,
			    "not one certificate after the other");
		else
			err = x509_cert_read(der, &two[i], error);
		if (err == OC_OK)
			err = check_above(cert, &two[i], error);
		cert = &two[i];
	}
	free(two);
	return err;
}

bool
x509_cert_is_ca(const struct x509_cert *cert)
{
	const struct x509_extensions *e = &cert->extensions;

	return e->has_basic_constraints && e->ca == X509_IS_CA &&
	    (e->key_usage == 0 ||
	    (e->key_usage & X509_KU_KEY_CERT_SIGN) != 0);
}

bool
x509_cert_has_eku(const struct x509_cert *cert, enum der_oid eku)
{
	uint32_t i;

	for (i = 0; i < cert->extensions.num_ekus; i++)
		if (der_bytes_equal(cert->extensions.ekus[i],
		    der_oid_bytes(eku)))
			return true;
	return false;
}
