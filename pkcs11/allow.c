/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a key may sign.  Each kind is read by its own ASN.1, to the end, so
 * that no value of one kind passes as another: a TBSCertificate starts with
 * [0] version and a serial, a TBSCertList with INTEGER 1, a
 * CertificationRequestInfo with INTEGER 0, a ResponseData with [1] or [2].
 */
#include "pkcs11/allow_impl.h"

#include <stdlib.h>

#include <openssl/evp.h>

enum oc_err
p11_allow_malformed(struct oc_error *error, const char *what)
{
	return oc_error_set(error, OC_ERR_MALFORMED, "not a %s", what);
}

enum oc_err
p11_allow_refuse(struct oc_error *error, const char *why)
{
	return oc_error_set(error, OC_ERR_REFUSED, "%s", why);
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

enum oc_err
p11_allow_check_alg(struct der_bytes identifier, enum sign_alg alg,
    struct oc_error *error)
{
	if (!der_bytes_equal(identifier, sign_alg_info(alg)->identifier))
		return oc_error_set(error, OC_ERR_REFUSED,
		    "its signature algorithm is not %s",
		    sign_alg_info(alg)->name);
	return OC_OK;
}

/* --- extensions ----------------------------------------------------------- */

/*
 * Extension ::= SEQUENCE {
 *     extnID     OBJECT IDENTIFIER,
 *     critical   BOOLEAN DEFAULT FALSE,
 *     extnValue  OCTET STRING }
 */
static bool
get_extension(struct der_reader *r, struct p11_extension *out)
{
	struct der_reader inner;

	out->is_critical = false;
	der_enter(r, DER_SEQUENCE, &inner);
	if (!der_get_oid(&inner, &out->id))
		return false;
	/* A DEFAULT is not encoded. */
	if (der_next_is(&inner, DER_BOOLEAN) &&
	    (!der_get_boolean(&inner, &out->is_critical) ||
	    !out->is_critical))
		return false;
	der_get(&inner, DER_OCTET_STRING, &out->value);
	out->oid = der_oid_find(out->id);
	return der_leave(r, &inner);
}

enum oc_err
p11_allow_read_extensions(struct der_bytes contents,
    struct p11_extensions *out, struct oc_error *error)
{
	struct der_reader r = der_reader_of(contents);
	struct p11_extension *e;

	out->num = 0;
	do {
		if (out->num == P11_EXTENSIONS_MAX)
			return oc_error_set(error, OC_ERR_LIMIT,
			    "more than %d extensions", P11_EXTENSIONS_MAX);
		e = &out->list[out->num];
		if (!get_extension(&r, e))
			return p11_allow_malformed(error, "list of "
			    "extensions");
		for (size_t i = 0; i < out->num; i++)
			if (der_bytes_equal(out->list[i].id, e->id))
				return p11_allow_refuse(error,
				    "an extension is there twice");
		out->num++;
	} while (!der_at_end(&r));
	return OC_OK;
}

const struct p11_extension *
p11_allow_find(const struct p11_extensions *all, enum der_oid oid)
{
	for (size_t i = 0; i < all->num; i++)
		if (all->list[i].oid == oid)
			return &all->list[i];
	return NULL;
}

/*
 * AuthorityKeyIdentifier ::= SEQUENCE {
 *     keyIdentifier  [0] IMPLICIT OCTET STRING OPTIONAL,
 *     ...            [1], [2]: whose and which certificate }
 */
enum oc_err
p11_allow_check_authority(const struct p11_extensions *all,
    struct der_bytes key_id, struct oc_error *error)
{
	const struct p11_extension *e = p11_allow_find(all,
	    DER_OID_AUTHORITY_KEY_IDENTIFIER);
	struct der_bytes found = { NULL, 0 };
	struct der_reader r, inner;

	if (key_id.len == 0)
		return OC_OK;
	if (e != NULL) {
		r = der_reader_of(e->value);
		der_enter(&r, DER_SEQUENCE, &inner);
		der_get(&inner, DER_CONTEXT_PRIMITIVE(0), &found);
		der_leave(&r, &inner);
		if (!der_is_done(&r))
			return p11_allow_refuse(error,
			    "authorityKeyIdentifier is not a key's alone");
	}
	if (!der_bytes_equal(found, key_id))
		return p11_allow_refuse(error, "authorityKeyIdentifier is "
		    "not this key's subjectKeyIdentifier");
	return OC_OK;
}

/* Those of responses, of which no client must know any: RFC 6960, 4.4. */
static enum oc_err
check_response_extensions(struct der_reader *from, const char *what,
    struct oc_error *error)
{
	struct p11_extensions all;
	struct der_bytes contents;
	struct der_reader e;
	enum oc_err err;

	if (!der_enter_optional(from, DER_CONTEXT(1), &e))
		return OC_OK;
	if (!der_get(&e, DER_SEQUENCE, &contents) || !der_leave(from, &e))
		return p11_allow_malformed(error, what);
	err = p11_allow_read_extensions(contents, &all, error);
	for (size_t i = 0; err == OC_OK && i < all.num; i++)
		if (all.list[i].is_critical)
			err = p11_allow_refuse(error,
			    "the response has a critical extension");
	return err;
}

bool
p11_allow_is_listed(struct der_bytes list, struct der_bytes contents)
{
	struct der_reader r = der_reader_of(list);
	struct der_bytes one;
	uint8_t tag;

	while (!der_at_end(&r) && der_get_any(&r, &tag, &one, NULL))
		if (der_bytes_equal(one, contents))
			return true;
	return false;
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
		return p11_allow_malformed(error, "CertificationRequestInfo");
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
		return p11_allow_malformed(error, "CertID");
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
	struct der_bytes status;
	int64_t this_update, next_update;
	enum oc_err err;
	uint8_t tag;

	if (!der_enter(list, DER_SEQUENCE, &single))
		return p11_allow_malformed(error, "SingleResponse");
	err = check_certid(allow, ca_key, &single, error);
	if (err != OC_OK)
		return err;
	if (!der_get_any(&single, &tag, &status, NULL) ||
	    (tag != DER_CONTEXT_PRIMITIVE(0) && tag != DER_CONTEXT(1) &&
	    tag != DER_CONTEXT_PRIMITIVE(2)) ||
	    !der_get_gentime(&single, &this_update))
		return p11_allow_malformed(error, "SingleResponse");
	if (this_update > now_s + P11_OCSP_SKEW_S)
		return oc_error_set(error, OC_ERR_REFUSED,
		    "thisUpdate lies in the future");
	if (der_enter_optional(&single, DER_CONTEXT(0), &next)) {
		if (!der_get_gentime(&next, &next_update) ||
		    !der_leave(&single, &next))
			return p11_allow_malformed(error, "SingleResponse");
		if (next_update < this_update ||
		    next_update - this_update > P11_OCSP_LIFE_MAX_S)
			return oc_error_set(error, OC_ERR_REFUSED,
			    "nextUpdate is not within 400 days of "
			    "thisUpdate");
	}
	err = check_response_extensions(&single, "SingleResponse", error);
	if (err == OC_OK && !der_leave(list, &single))
		err = p11_allow_malformed(error, "SingleResponse");
	return err;
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
			return p11_allow_malformed(error, "ResponderID");
		is_ours = allow->name.len > 0 &&
		    der_bytes_equal(value, allow->name);
	} else if (der_enter_optional(data, DER_CONTEXT(2), &inner)) {
		if (!der_get(&inner, DER_OCTET_STRING, &value) ||
		    !der_leave(data, &inner))
			return p11_allow_malformed(error, "ResponderID");
		is_ours = spki_key(spki, &key) &&
		    hash_is(EVP_sha1(), key, value);
	} else
		return p11_allow_malformed(error, "ResponderID");
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
	struct der_bytes ca_key;
	int64_t produced_at;
	enum oc_err err;

	if (!spki_key(allow->ca_spki, &ca_key) || allow->ca_name.len == 0)
		return oc_error_set(error, OC_ERR_REFUSED,
		    "this key answers for no issuer");
	/* DER leaves the DEFAULT version out, and there is no other. */
	if (!der_is_valid(tbs) || !der_enter(&r, DER_SEQUENCE, &data) ||
	    !der_is_done(&r))
		return p11_allow_malformed(error, "ResponseData");
	err = check_responder(allow, spki, &data, error);
	if (err != OC_OK)
		return err;
	if (!der_get_gentime(&data, &produced_at) ||
	    !der_enter(&data, DER_SEQUENCE, &list) || der_at_end(&list))
		return p11_allow_malformed(error, "ResponseData");
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
		return p11_allow_malformed(error, "ResponseData");
	err = check_response_extensions(&data, "ResponseData", error);
	if (err == OC_OK && !der_is_done(&data))
		err = p11_allow_malformed(error, "ResponseData");
	return err;
}

enum oc_err
p11_allow_check(const struct p11_allow *allow, struct der_bytes spki,
    enum sign_kind kind, enum sign_alg alg, struct der_bytes tbs,
    int64_t now_s, struct oc_error *error)
{
	size_t len_max = kind == SIGN_KIND_CRL ? OC_TBS_MAX :
	    OC_TBS_INLINE_MAX;

	if (kind < SIGN_KIND_CERTIFICATE || kind > SIGN_KIND_CSR ||
	    (allow->kinds & P11_ALLOW(kind)) == 0)
		return oc_error_set(error, OC_ERR_REFUSED,
		    "this key does not sign that kind of data");
	if (tbs.len > len_max)
		return oc_error_set(error, OC_ERR_LIMIT,
		    "it is larger than %zu octets", len_max);
	switch (kind) {
	case SIGN_KIND_CERTIFICATE:
		return p11_allow_check_certificate(allow, spki, alg, tbs,
		    now_s, error);
	case SIGN_KIND_CRL:
		return p11_allow_check_crl(allow, alg, tbs, now_s, error);
	case SIGN_KIND_OCSP:
		return check_ocsp(allow, spki, tbs, now_s, error);
	case SIGN_KIND_CSR:
		return check_csr(spki, tbs, error);
	}
	return OC_ERR_REFUSED;
}

static void
copy_bytes(uint8_t **at, struct der_bytes *bytes)
{
	if (bytes->len > 0)
		memcpy(*at, bytes->p, bytes->len);
	bytes->p = *at;
	*at += bytes->len;
}

enum oc_err
p11_allow_copy(const struct p11_allow *from, struct p11_allow *to,
    uint8_t **bytes)
{
	struct p11_allow copy = *from;
	struct der_bytes *all[] = { &copy.name, &copy.ca_name, &copy.ca_spki,
	    &copy.limits.key_id, &copy.limits.ekus,
	    &copy.limits.permitted_dns, &copy.limits.excluded_dns,
	    &copy.limits.criticals };
	size_t num = sizeof(all) / sizeof(all[0]), len = 1, i;
	uint8_t *at;

	for (i = 0; i < num; i++)
		len += all[i]->len;
	/* One octet more: no request for nothing. */
	at = malloc(len);
	if (at == NULL)
		return OC_ERR_NOMEM;
	*bytes = at;
	for (i = 0; i < num; i++)
		copy_bytes(&at, all[i]);
	*to = copy;
	return OC_OK;
}
