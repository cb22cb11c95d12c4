/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a key may sign.  Each kind is read by its own ASN.1, to the end, so
 * that no value of one kind passes as another: a TBSCertificate starts with
 * [0] version and a serial, a TBSCertList with INTEGER 1, a
 * CertificationRequestInfo with INTEGER 0, a ResponseData with [1] or [2].
 */
#include "pkcs11/allow.h"

#include <openssl/evp.h>

#include "der/reader.h"

static enum oc_err
malformed(struct oc_error *error, const char *what)
{
	return oc_error_set(error, OC_ERR_MALFORMED, "not a %s", what);
}

/* The octets of the BIT STRING in a SubjectPublicKeyInfo. */
static bool
spki_key(struct der_bytes spki, struct der_bytes *key)
{
	struct der_reader r = der_reader_of(spki), info;
	struct der_bytes algorithm;

	return der_enter(&r, DER_SEQUENCE, &info) && der_is_done(&r) &&
	    der_get(&info, DER_SEQUENCE, &algorithm) &&
	    der_get_bits(&info, key) && der_is_done(&info);
}

static bool
hash_is(const EVP_MD *md, struct der_bytes input, struct der_bytes expected)
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned int len;

	return EVP_Digest(input.p, input.len, digest, &len, md, NULL) == 1 &&
	    len == expected.len && memcmp(digest, expected.p, len) == 0;
}

/* The inner AlgorithmIdentifier must be what we sign with: RFC 5280,
 * 4.1.1.2 and 5.1.1.2. */
static enum oc_err
check_alg(struct der_bytes identifier, enum sign_alg alg,
    struct oc_error *error)
{
	if (!der_bytes_equal(identifier, sign_alg_info(alg)->identifier))
		return oc_error_set(error, OC_ERR_REFUSED,
		    "its signature algorithm is not %s",
		    sign_alg_info(alg)->name);
	return OC_OK;
}

/*
 * TBSCertificate ::= SEQUENCE {
 *     version          [0] EXPLICIT Version,              v3(2)
 *     serialNumber     INTEGER,
 *     signature        AlgorithmIdentifier,
 *     issuer           Name,
 *     validity         SEQUENCE { Time, Time },
 *     subject          Name,
 *     subjectPublicKeyInfo SubjectPublicKeyInfo,
 *     issuerUniqueID   [1] IMPLICIT OPTIONAL,             not done here
 *     subjectUniqueID  [2] IMPLICIT OPTIONAL,             not done here
 *     extensions       [3] EXPLICIT Extensions OPTIONAL }
 */
static enum oc_err
check_certificate(const struct p11_allow *allow, struct der_bytes spki,
    enum sign_alg alg, struct der_bytes tbs, struct oc_error *error)
{
	struct der_reader r = der_reader_of(tbs), c, version, validity, e;
	struct der_bytes identifier, issuer, subject, key, extensions;
	struct oc_serial serial;
	int64_t from, to;
	uint64_t v;

	if (!der_is_valid(tbs) || !der_enter(&r, DER_SEQUENCE, &c) ||
	    !der_is_done(&r) ||
	    !der_enter(&c, DER_CONTEXT(0), &version) ||
	    !der_get_uint(&version, &v) || !der_leave(&c, &version) ||
	    !der_get_serial(&c, &serial) ||
	    !der_get_tlv(&c, DER_SEQUENCE, &identifier) ||
	    !der_get_tlv(&c, DER_SEQUENCE, &issuer) ||
	    !der_enter(&c, DER_SEQUENCE, &validity) ||
	    !der_get_time(&validity, &from) ||
	    !der_get_time(&validity, &to) || !der_leave(&c, &validity) ||
	    !der_get_tlv(&c, DER_SEQUENCE, &subject) ||
	    !der_get_tlv(&c, DER_SEQUENCE, &key))
		return malformed(error, "TBSCertificate");
	if (der_enter_optional(&c, DER_CONTEXT(3), &e) &&
	    (!der_get(&e, DER_SEQUENCE, &extensions) || !der_leave(&c, &e)))
		return malformed(error, "TBSCertificate");
	if (!der_is_done(&c))
		return malformed(error, "TBSCertificate");
	if (v != 2)
		return oc_error_set(error, OC_ERR_REFUSED,
		    "the certificate is not version 3");
	if (from > to)
		return oc_error_set(error, OC_ERR_REFUSED,
		    "the certificate ends before it begins");
	if (allow->name.len > 0 && !der_bytes_equal(issuer, allow->name))
		return oc_error_set(error, OC_ERR_REFUSED,
		    "the certificate's issuer is not this key's subject");
	if (allow->name.len == 0 && (!der_bytes_equal(issuer, subject) ||
	    !der_bytes_equal(key, spki)))
		return oc_error_set(error, OC_ERR_REFUSED, "a key without a "
		    "certificate signs only its own certificate");
	return check_alg(identifier, alg, error);
}

/*
 * TBSCertList ::= SEQUENCE {
 *     version              Version,                       v2(1)
 *     signature            AlgorithmIdentifier,
 *     issuer               Name,
 *     thisUpdate           Time,
 *     nextUpdate           Time OPTIONAL,
 *     revokedCertificates  SEQUENCE OF ... OPTIONAL,
 *     crlExtensions        [0] EXPLICIT Extensions OPTIONAL }
 */
static enum oc_err
check_crl(const struct p11_allow *allow, enum sign_alg alg,
    struct der_bytes tbs, struct oc_error *error)
{
	struct der_reader r = der_reader_of(tbs), c;
	struct der_bytes identifier, issuer, skipped;
	int64_t this_update, next_update = INT64_MAX;
	uint64_t v;

	if (!der_enter(&r, DER_SEQUENCE, &c) || !der_is_done(&r) ||
	    !der_get_uint(&c, &v) ||
	    !der_get_tlv(&c, DER_SEQUENCE, &identifier) ||
	    !der_get_tlv(&c, DER_SEQUENCE, &issuer) ||
	    !der_get_time(&c, &this_update))
		return malformed(error, "TBSCertList");
	if (der_next_is(&c, DER_UTC_TIME) ||
	    der_next_is(&c, DER_GENERALIZED_TIME))
		(void)der_get_time(&c, &next_update);
	if (der_next_is(&c, DER_SEQUENCE))
		(void)der_get(&c, DER_SEQUENCE, &skipped);
	if (der_next_is(&c, DER_CONTEXT(0)) &&
	    der_get(&c, DER_CONTEXT(0), &skipped) && !der_is_valid(skipped))
		return malformed(error, "TBSCertList");
	if (!der_is_done(&c))
		return malformed(error, "TBSCertList");
	if (v != 1)
		return oc_error_set(error, OC_ERR_REFUSED,
		    "the CRL is not version 2");
	if (this_update > next_update)
		return oc_error_set(error, OC_ERR_REFUSED,
		    "the CRL ends before it begins");
	if (allow->name.len == 0 || !der_bytes_equal(issuer, allow->name))
		return oc_error_set(error, OC_ERR_REFUSED,
		    "the CRL's issuer is not this key's subject");
	return check_alg(identifier, alg, error);
}

/*
 * CertificationRequestInfo ::= SEQUENCE {
 *     version        INTEGER,                             v1(0)
 *     subject        Name,
 *     subjectPKInfo  SubjectPublicKeyInfo,
 *     attributes     [0] IMPLICIT SET OF Attribute }
 */
static enum oc_err
check_csr(struct der_bytes spki, struct der_bytes tbs,
    struct oc_error *error)
{
	struct der_reader r = der_reader_of(tbs), c;
	struct der_bytes subject, key, attributes;
	uint64_t v;

	if (!der_is_valid(tbs) || !der_enter(&r, DER_SEQUENCE, &c) ||
	    !der_is_done(&r) || !der_get_uint(&c, &v) || v != 0 ||
	    !der_get(&c, DER_SEQUENCE, &subject) ||
	    !der_get_tlv(&c, DER_SEQUENCE, &key) ||
	    !der_get(&c, DER_CONTEXT(0), &attributes) || !der_is_done(&c))
		return malformed(error, "CertificationRequestInfo");
	if (!der_bytes_equal(key, spki))
		return oc_error_set(error, OC_ERR_REFUSED,
		    "the request is for another key");
	return OC_OK;
}

static const EVP_MD *
certid_hash(struct der_bytes oid)
{
	switch ((int)der_oid_find(oid)) {
	case DER_OID_SHA1:
		return EVP_sha1();
	case DER_OID_SHA224:
		return EVP_sha224();
	case DER_OID_SHA256:
		return EVP_sha256();
	case DER_OID_SHA384:
		return EVP_sha384();
	case DER_OID_SHA512:
		return EVP_sha512();
	}
	return NULL;
}

/*
 * CertID ::= SEQUENCE {
 *     hashAlgorithm   AlgorithmIdentifier,
 *     issuerNameHash  OCTET STRING,
 *     issuerKeyHash   OCTET STRING,
 *     serialNumber    INTEGER }
 */
static enum oc_err
check_certid(const struct p11_allow *allow, struct der_bytes ca_key,
    struct der_reader *single, struct oc_error *error)
{
	struct der_reader id, algorithm;
	struct der_bytes oid, name_hash, key_hash, serial;
	const EVP_MD *md;

	/* The serial is what a client asked for: any INTEGER. */
	if (!der_enter(single, DER_SEQUENCE, &id) ||
	    !der_enter(&id, DER_SEQUENCE, &algorithm) ||
	    !der_get_oid(&algorithm, &oid) ||
	    (!der_at_end(&algorithm) && !der_get_null(&algorithm)) ||
	    !der_leave(&id, &algorithm) ||
	    !der_get(&id, DER_OCTET_STRING, &name_hash) ||
	    !der_get(&id, DER_OCTET_STRING, &key_hash) ||
	    !der_get_integer(&id, &serial) || !der_leave(single, &id))
		return malformed(error, "CertID");
	md = certid_hash(oid);
	if (md == NULL)
		return oc_error_set(error, OC_ERR_REFUSED,
		    "a CertID with a hash that is not SHA-1 or SHA-2");
	if (!hash_is(md, allow->ca_name, name_hash) ||
	    !hash_is(md, ca_key, key_hash))
		return oc_error_set(error, OC_ERR_REFUSED,
		    "a CertID of an issuer this key does not answer for");
	return OC_OK;
}

/*
 * SingleResponse ::= SEQUENCE {
 *     certID            CertID,
 *     certStatus        CHOICE { [0] good, [1] revoked, [2] unknown },
 *     thisUpdate        GeneralizedTime,
 *     nextUpdate        [0] EXPLICIT GeneralizedTime OPTIONAL,
 *     singleExtensions  [1] EXPLICIT Extensions OPTIONAL }
 */
static enum oc_err
check_single(const struct p11_allow *allow, struct der_bytes ca_key,
    struct der_reader *list, int64_t now_s, struct oc_error *error)
{
	struct der_reader single, next;
	struct der_bytes status, extensions;
	int64_t this_update, next_update;
	enum oc_err err;
	uint8_t tag;

	if (!der_enter(list, DER_SEQUENCE, &single))
		return malformed(error, "SingleResponse");
	err = check_certid(allow, ca_key, &single, error);
	if (err != OC_OK)
		return err;
	if (!der_get_any(&single, &tag, &status, NULL) ||
	    (tag != DER_CONTEXT_PRIMITIVE(0) && tag != DER_CONTEXT(1) &&
	    tag != DER_CONTEXT_PRIMITIVE(2)) ||
	    !der_get_gentime(&single, &this_update))
		return malformed(error, "SingleResponse");
	if (this_update > now_s + P11_OCSP_SKEW_S)
		return oc_error_set(error, OC_ERR_REFUSED,
		    "thisUpdate lies in the future");
	if (der_enter_optional(&single, DER_CONTEXT(0), &next)) {
		if (!der_get_gentime(&next, &next_update) ||
		    !der_leave(&single, &next))
			return malformed(error, "SingleResponse");
		if (next_update < this_update ||
		    next_update - this_update > P11_OCSP_LIFE_MAX_S)
			return oc_error_set(error, OC_ERR_REFUSED,
			    "nextUpdate is not within 400 days of "
			    "thisUpdate");
	}
	if (der_next_is(&single, DER_CONTEXT(1)))
		(void)der_get(&single, DER_CONTEXT(1), &extensions);
	if (!der_leave(list, &single))
		return malformed(error, "SingleResponse");
	return OC_OK;
}

/*
 * ResponderID ::= CHOICE {
 *     byName  [1] EXPLICIT Name,
 *     byKey   [2] EXPLICIT OCTET STRING }        SHA-1 of the key
 */
static enum oc_err
check_responder(const struct p11_allow *allow, struct der_bytes spki,
    struct der_reader *data, struct oc_error *error)
{
	struct der_bytes value, key;
	struct der_reader inner;
	bool is_ours;

	if (der_enter_optional(data, DER_CONTEXT(1), &inner)) {
		if (!der_get_tlv(&inner, DER_SEQUENCE, &value) ||
		    !der_leave(data, &inner))
			return malformed(error, "ResponderID");
		is_ours = allow->name.len > 0 &&
		    der_bytes_equal(value, allow->name);
	} else if (der_enter_optional(data, DER_CONTEXT(2), &inner)) {
		if (!der_get(&inner, DER_OCTET_STRING, &value) ||
		    !der_leave(data, &inner))
			return malformed(error, "ResponderID");
		is_ours = spki_key(spki, &key) &&
		    hash_is(EVP_sha1(), key, value);
	} else
		return malformed(error, "ResponderID");
	if (!is_ours)
		return oc_error_set(error, OC_ERR_REFUSED,
		    "the responder ID is not this key's");
	return OC_OK;
}

/*
 * ResponseData ::= SEQUENCE {
 *     version             [0] EXPLICIT Version DEFAULT v1,
 *     responderID         ResponderID,
 *     producedAt          GeneralizedTime,
 *     responses           SEQUENCE OF SingleResponse,
 *     responseExtensions  [1] EXPLICIT Extensions OPTIONAL }
 */
static enum oc_err
check_ocsp(const struct p11_allow *allow, struct der_bytes spki,
    struct der_bytes tbs, int64_t now_s, struct oc_error *error)
{
	struct der_reader r = der_reader_of(tbs), data, list;
	struct der_bytes ca_key, extensions;
	int64_t produced_at;
	enum oc_err err;

	if (!spki_key(allow->ca_spki, &ca_key) || allow->ca_name.len == 0)
		return oc_error_set(error, OC_ERR_REFUSED,
		    "this key answers for no issuer");
	/* DER leaves the DEFAULT version out, and there is no other. */
	if (!der_is_valid(tbs) || !der_enter(&r, DER_SEQUENCE, &data) ||
	    !der_is_done(&r))
		return malformed(error, "ResponseData");
	err = check_responder(allow, spki, &data, error);
	if (err != OC_OK)
		return err;
	if (!der_get_gentime(&data, &produced_at) ||
	    !der_enter(&data, DER_SEQUENCE, &list) || der_at_end(&list))
		return malformed(error, "ResponseData");
	if (produced_at > now_s + P11_OCSP_SKEW_S ||
	    produced_at < now_s - P11_OCSP_SKEW_S)
		return oc_error_set(error, OC_ERR_REFUSED,
		    "producedAt is more than an hour from now");
	while (!der_at_end(&list)) {
		err = check_single(allow, ca_key, &list, now_s, error);
		if (err != OC_OK)
			return err;
	}
	if (!der_leave(&data, &list))
		return malformed(error, "ResponseData");
	if (der_next_is(&data, DER_CONTEXT(1)))
		(void)der_get(&data, DER_CONTEXT(1), &extensions);
	return der_is_done(&data) ? OC_OK : malformed(error, "ResponseData");
}

enum oc_err
p11_allow_check(const struct p11_allow *allow, struct der_bytes spki,
    enum sign_kind kind, enum sign_alg alg, struct der_bytes tbs,
    int64_t now_s, struct oc_error *error)
{
	if (kind < SIGN_KIND_CERTIFICATE || kind > SIGN_KIND_CSR ||
	    (allow->kinds & P11_ALLOW(kind)) == 0)
		return oc_error_set(error, OC_ERR_REFUSED,
		    "this key does not sign that kind of data");
	if (tbs.len > OC_TBS_MAX)
		return oc_error_set(error, OC_ERR_LIMIT,
		    "it is larger than %d octets", OC_TBS_MAX);
	switch (kind) {
	case SIGN_KIND_CERTIFICATE:
		return check_certificate(allow, spki, alg, tbs, error);
	case SIGN_KIND_CRL:
		return check_crl(allow, alg, tbs, error);
	case SIGN_KIND_OCSP:
		return check_ocsp(allow, spki, tbs, now_s, error);
	case SIGN_KIND_CSR:
		return check_csr(spki, tbs, error);
	}
	return OC_ERR_REFUSED;
}
