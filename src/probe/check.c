/* SPDX-License-Identifier: Apache-2.0 */
/* Whether an OCSP response may be believed: RFC 6960, 3.2. */
#include "probe/check.h"

#include <stdlib.h>

#include <openssl/evp.h>

#include "der/time.h"
#include "x509/spki.h"

static const struct {
	const char *name;
	const EVP_MD *(*md)(void);
} hashes[OCSP_HASH_MAX] = {
	[OCSP_HASH_SHA1] = { "sha1", EVP_sha1 },
	[OCSP_HASH_SHA224] = { "sha224", EVP_sha224 },
	[OCSP_HASH_SHA256] = { "sha256", EVP_sha256 },
	[OCSP_HASH_SHA384] = { "sha384", EVP_sha384 },
	[OCSP_HASH_SHA512] = { "sha512", EVP_sha512 },
};

const char *
probe_hash_name(enum ocsp_hash hash)
{
	return (unsigned int)hash < OCSP_HASH_MAX ? hashes[hash].name : NULL;
}

/* --- CertID ----------------------------------------------------------- */

struct certid_plan {
	uint8_t encoding;
	struct der_bytes name_hash, key_hash;
	const struct oc_serial *serial;
};

/*
 * CertID ::= SEQUENCE {
 *     hashAlgorithm   AlgorithmIdentifier,
 *     issuerNameHash  OCTET STRING,
 *     issuerKeyHash   OCTET STRING,
 *     serialNumber    CertificateSerialNumber }
 */
static void
put_certid(struct der_writer *w, const void *arg)
{
	const struct certid_plan *plan = arg;

	der_begin(w, DER_SEQUENCE);
	ocsp_put_certid_prefix(w, plan->encoding, plan->name_hash,
	    plan->key_hash);
	der_put_serial(w, plan->serial);
	der_end(w);
}

static enum oc_err
encode(const struct certid_plan *plan, uint8_t **certid, size_t *len,
    struct oc_error *error)
{
	uint8_t *der;
	enum oc_err err = der_write(put_certid, plan, NULL, 0, len);

	if (err != OC_OK)
		return oc_error_set(error, err, "the CertID cannot be "
		    "encoded: %s", oc_strerror(err));
	der = malloc(*len);
	if (der == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	err = der_write(put_certid, plan, der, *len, len);
	oc_assert(err == OC_OK);
	*certid = der;
	return OC_OK;
}

enum oc_err
probe_certid(const struct x509_cert *issuer, enum ocsp_hash hash,
    const struct oc_serial *serial, uint8_t **certid, size_t *len,
    struct oc_error *error)
{
	uint8_t name_hash[EVP_MAX_MD_SIZE], key_hash[EVP_MAX_MD_SIZE];
	struct certid_plan plan = {
		.encoding = OCSP_ENCODING(hash, 0),
		.name_hash = { name_hash, ocsp_hash_len(hash) },
		.key_hash = { key_hash, ocsp_hash_len(hash) },
		.serial = serial,
	};
	struct der_bytes key;

	if (x509_spki_key_bits(issuer->spki, &key) != OC_OK ||
	    EVP_Digest(issuer->subject.p, issuer->subject.len, name_hash,
	    NULL, hashes[hash].md(), NULL) != 1 ||
	    EVP_Digest(key.p, key.len, key_hash, NULL, hashes[hash].md(),
	    NULL) != 1)
		return oc_error_set(error, OC_ERR_INTERNAL, "%s: cannot hash "
		    "the issuer's name and key", hashes[hash].name);
	return encode(&plan, certid, len, error);
}

/* --- who signed ------------------------------------------------------- */

static bool
is_responder(const struct ocsp_response_view *view, struct der_bytes subject,
    struct der_bytes spki)
{
	uint8_t key_id[X509_KEY_ID_LEN];

	if (view->responder_name.len > 0)
		return der_bytes_equal(view->responder_name, subject);
	return x509_spki_key_id(spki, key_id) == OC_OK &&
	    der_bytes_equal(view->responder_key_hash, DER_ARRAY(key_id));
}

/* A certificate of the response by which the issuer lets its key answer. */
static enum oc_err
check_delegate(const struct x509_cert *cert, const struct x509_cert *issuer,
    int64_t now, struct oc_error *error)
{
	enum oc_err err = x509_cert_verify_issued(cert, issuer, error);

	if (err != OC_OK)
		return oc_error_prefix(error, "the responder's certificate is "
		    "not the issuer's");
	if (!x509_cert_has_eku(cert, DER_OID_OCSP_SIGNING))
		return oc_error_set(error, OC_ERR_REFUSED, "the responder's "
		    "certificate has no extended key usage OCSPSigning");
	if (now < cert->not_before || now > cert->not_after)
		return oc_error_set(error, OC_ERR_REFUSED,
		    "the responder's certificate is not valid now");
	return OC_OK;
}

static enum oc_err
find_signer(const struct ocsp_response_view *view,
    const struct x509_cert *issuer, int64_t now, struct x509_cert *cert,
    struct probe_checked *verdict, struct der_bytes *spki,
    struct oc_error *error)
{
	struct der_reader r = der_reader_of(view->certs);
	struct der_bytes der;

	if (is_responder(view, issuer->subject, issuer->spki)) {
		verdict->is_delegated = false;
		verdict->signer = issuer->subject;
		*spki = issuer->spki;
		return OC_OK;
	}
	while (!der_at_end(&r) && der_get_tlv(&r, DER_SEQUENCE, &der)) {
		enum oc_err err = x509_cert_read(der, cert, error);

		if (err != OC_OK)
			return oc_error_prefix(error,
			    "a certificate in the response");
		if (!is_responder(view, cert->subject, cert->spki))
			continue;
		verdict->is_delegated = true;
		verdict->signer = cert->subject;
		*spki = cert->spki;
		return check_delegate(cert, issuer, now, error);
	}
	return oc_error_set(error, OC_ERR_SIGNATURE, "neither the issuer nor "
	    "a certificate in the response is the one that signed it");
}

static enum oc_err
check_signature(const struct ocsp_response_view *view,
    const struct x509_cert *issuer, int64_t now,
    struct probe_checked *verdict, struct oc_error *error)
{
	struct x509_cert *cert = calloc(1, sizeof(*cert));
	enum sign_alg alg = sign_alg_find(view->alg_identifier);
	struct der_bytes spki;
	enum oc_err err;

	if (cert == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	err = find_signer(view, issuer, now, cert, verdict, &spki, error);
	if (err == OC_OK && alg == SIGN_ALG_NONE)
		err = oc_error_set(error, OC_ERR_UNSUPPORTED, "the response "
		    "is signed with an algorithm that is not taken here");
	if (err == OC_OK)
		err = x509_spki_verify(spki, alg, view->data,
		    view->signature, "response", error);
	free(cert);
	return err;
}

/* --- what it says ----------------------------------------------------- */

static enum oc_err
check_times(const struct ocsp_single_view *single, int64_t now,
    struct oc_error *error)
{
	char text[DER_ISO8601_MAX];

	if (single->this_update > now + PROBE_SKEW_S) {
		der_format_iso8601(single->this_update, text);
		return oc_error_set(error, OC_ERR_REFUSED, "the response is "
		    "from the future (thisUpdate %s); is the clock right?",
		    text);
	}
	if (single->next_update != OCSP_NO_NEXT_UPDATE &&
	    single->next_update < now - PROBE_SKEW_S) {
		der_format_iso8601(single->next_update, text);
		return oc_error_set(error, OC_ERR_REFUSED, "the response is "
		    "too old (nextUpdate %s)", text);
	}
	return OC_OK;
}

static enum oc_err
check_nonce(const struct ocsp_response_view *view, struct der_bytes sent,
    struct probe_checked *verdict, struct oc_error *error)
{
	verdict->nonce = PROBE_NONCE_UNASKED;
	if (sent.len == 0)
		return OC_OK;
	/* A responder may leave it out: RFC 9654, 2.1. */
	verdict->nonce = PROBE_NONCE_ABSENT;
	if (view->nonce.len == 0)
		return OC_OK;
	verdict->nonce = PROBE_NONCE_SAME;
	if (!der_bytes_equal(view->nonce, sent))
		return oc_error_set(error, OC_ERR_MISMATCH, "the nonce is not "
		    "the one that was sent: a replayed response");
	return OC_OK;
}

static bool
find_single(const struct ocsp_response_view *view, struct der_bytes certid,
    struct ocsp_single_view *single)
{
	struct der_bytes rest = view->singles;

	while (ocsp_response_next(&rest, single))
		if (der_bytes_equal(single->certid.tlv, certid))
			return true;
	return false;
}

enum oc_err
probe_check(const struct ocsp_response_view *view,
    const struct x509_cert *issuer, struct der_bytes certid,
    struct der_bytes nonce, int64_t now, struct probe_checked *verdict,
    struct oc_error *error)
{
	enum oc_err err;

	if (view->status != OCSP_SUCCESSFUL)
		return oc_error_set(error, OC_ERR_REFUSED,
		    "the responder says %s",
		    ocsp_response_status_name(view->status));
	err = check_signature(view, issuer, now, verdict, error);
	if (err == OC_OK && !find_single(view, certid, &verdict->single))
		err = oc_error_set(error, OC_ERR_MISMATCH, "the response is "
		    "not about the certificate that was asked about");
	if (err == OC_OK)
		err = check_times(&verdict->single, now, error);
	if (err == OC_OK)
		err = check_nonce(view, nonce, verdict, error);
	return err;
}
