/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From certificates to what all answers of an issuer share.  Runs when a
 * table is made, never when one is read; the only file of ocsp/ that hashes.
 */
#include "ocsp/identity.h"

#include <openssl/evp.h>

#include "x509/cert.h"
#include "x509/spki.h"

static const EVP_MD *
hash_md(enum ocsp_hash hash)
{
	switch (hash) {
	case OCSP_HASH_SHA1:
		return EVP_sha1();
	case OCSP_HASH_SHA224:
		return EVP_sha224();
	case OCSP_HASH_SHA256:
		return EVP_sha256();
	case OCSP_HASH_SHA384:
		return EVP_sha384();
	case OCSP_HASH_SHA512:
		return EVP_sha512();
	case OCSP_HASH_MAX:
		break;
	}
	return NULL;
}

static enum oc_err
hash_bytes(enum ocsp_hash hash, struct der_bytes bytes,
    uint8_t digest[OCSP_DIGEST_MAX], struct oc_error *error)
{
	if (EVP_Digest(bytes.p, bytes.len, digest, NULL, hash_md(hash),
	    NULL) != 1)
		return oc_error_set(error, OC_ERR_INTERNAL,
		    "libcrypto does not hash with %s",
		    EVP_MD_get0_name(hash_md(hash)));
	return OC_OK;
}

/* issuerNameHash over the DER of its subject, issuerKeyHash over the octets
 * of its key's BIT STRING: RFC 6960, 4.1.1. */
static enum oc_err
hash_issuer(const struct x509_cert *issuer, struct ocsp_identity *identity,
    struct oc_error *error)
{
	struct der_bytes key;
	enum oc_err err;
	int hash;

	err = x509_spki_key_bits(issuer->spki, &key);
	if (err != OC_OK)
		return oc_error_set(error, err,
		    "the issuer's key is not well-formed");
	for (hash = 0; hash < OCSP_HASH_MAX; hash++) {
		err = hash_bytes((enum ocsp_hash)hash, issuer->subject,
		    identity->name_hash[hash], error);
		if (err == OC_OK)
			err = hash_bytes((enum ocsp_hash)hash, key,
			    identity->key_hash[hash], error);
		if (err != OC_OK)
			return err;
	}
	return OC_OK;
}

/* How long a signature is before it is wrapped: see sign/alg.h. */
static uint32_t
raw_signature_len(enum sign_key_type type, unsigned int bits)
{
	switch (type) {
	case SIGN_KEY_NONE:
		return 0;
	case SIGN_KEY_RSA:
		return (bits + 7) / 8;
	case SIGN_KEY_P256:
	case SIGN_KEY_P384:
	case SIGN_KEY_P521:
		return 2 * ((bits + 7) / 8);
	case SIGN_KEY_ED25519:
		return 64;
	}
	return 0;
}

/* Everything that depends on who signs. */
static enum oc_err
take_signer(const struct x509_cert *signer, enum sign_alg alg,
    struct ocsp_identity *identity, struct oc_error *error)
{
	enum sign_key_type type;
	unsigned int bits;
	enum oc_err err;

	err = sign_spki_type(signer->spki, &type, &bits);
	if (err == OC_OK)
		err = x509_spki_key_id(signer->spki,
		    identity->responder_key_hash);
	if (err != OC_OK)
		return oc_error_set(error, err,
		    "the key that is to sign OCSP responses is of no type "
		    "that we sign with");
	identity->alg = alg == SIGN_ALG_NONE ? sign_alg_default(type) : alg;
	if (!sign_alg_fits(identity->alg, type))
		return oc_error_set(error, OC_ERR_MISMATCH,
		    "the key that is to sign OCSP responses cannot sign %s",
		    sign_alg_info(identity->alg)->name);
	identity->signature_len = raw_signature_len(type, bits);
	if (identity->signature_len > OC_SIGNATURE_MAX)
		return oc_error_set(error, OC_ERR_LIMIT,
		    "the key that is to sign OCSP responses has %u bits: "
		    "too many", bits);
	identity->signer_not_after = signer->not_after;
	if (signer->subject.len <= sizeof(identity->responder_name)) {
		memcpy(identity->responder_name, signer->subject.p,
		    signer->subject.len);
		identity->responder_name_len = (uint32_t)signer->subject.len;
	}
	return OC_OK;
}

/* RFC 6960, 4.2.2.2: issued directly by the CA, with id-kp-OCSPSigning. */
static enum oc_err
check_delegate(const struct x509_cert *signer, const struct x509_cert *issuer,
    struct oc_error *error)
{
	if (x509_cert_verify_issued(signer, issuer, error) != OC_OK) {
		(void)oc_error_prefix(error,
		    "the OCSP signer's certificate is not the issuer's");
		if (error != NULL)
			error->code = OC_ERR_MISMATCH;
		return OC_ERR_MISMATCH;
	}
	if (signer->extensions.has_basic_constraints &&
	    signer->extensions.ca == X509_IS_CA)
		return oc_error_set(error, OC_ERR_MISMATCH,
		    "the OCSP signer's certificate is a CA's (BR 7.1.2.8.4)");
	/* None at all means every usage: RFC 5280, 4.2.1.3. */
	if (signer->extensions.key_usage != 0 &&
	    (signer->extensions.key_usage & X509_KU_DIGITAL_SIGNATURE) == 0)
		return oc_error_set(error, OC_ERR_MISMATCH,
		    "the OCSP signer's certificate lacks the key usage "
		    "digitalSignature (RFC 5280, 4.2.1.3): clients believe no "
		    "response that is signed under it");
	if (!x509_cert_has_eku(signer, DER_OID_OCSP_SIGNING))
		return oc_error_set(error, OC_ERR_MISMATCH,
		    "the OCSP signer's certificate lacks the extended key "
		    "usage OCSPSigning (RFC 6960, 4.2.2.2)");
	if (!signer->extensions.has_ocsp_nocheck)
		return oc_error_set(error, OC_ERR_MISMATCH,
		    "the OCSP signer's certificate lacks id-pkix-ocsp-nocheck "
		    "(RFC 6960, 4.2.2.2.1): clients would ask for its status");
	return OC_OK;
}

static enum oc_err
take_delegate(const struct x509_cert *issuer, struct der_bytes signer_der,
    enum sign_alg alg, struct ocsp_identity *identity, struct oc_error *error)
{
	struct x509_cert signer;
	enum oc_err err;

	err = x509_cert_read(signer_der, &signer, error);
	if (err != OC_OK) {
		(void)oc_error_prefix(error, "the OCSP signer's certificate");
		return err;
	}
	err = check_delegate(&signer, issuer, error);
	if (err != OC_OK)
		return err;
	if (signer_der.len > sizeof(identity->certs))
		return oc_error_set(error, OC_ERR_LIMIT,
		    "the OCSP signer's certificate has %zu octets: at most "
		    "%zu fit into every response", signer_der.len,
		    sizeof(identity->certs));
	memcpy(identity->certs, signer_der.p, signer_der.len);
	identity->certs_len = signer_der.len;
	return take_signer(&signer, alg, identity, error);
}

enum oc_err
ocsp_identity_make(struct der_bytes issuer_der, struct der_bytes signer,
    enum sign_alg alg, struct ocsp_identity *identity, struct oc_error *error)
{
	struct ocsp_identity made;
	struct x509_cert issuer;
	enum oc_err err;

	/* It is written to a file: no octet of it may be left to chance. */
	memset(&made, 0, sizeof(made));
	err = x509_cert_read(issuer_der, &issuer, error);
	if (err != OC_OK) {
		(void)oc_error_prefix(error, "the issuer's certificate");
		return err;
	}
	err = hash_issuer(&issuer, &made, error);
	if (err == OC_OK)
		err = signer.len != 0 ?
		    take_delegate(&issuer, signer, alg, &made, error) :
		    take_signer(&issuer, alg, &made, error);
	if (err == OC_OK)
		memcpy(identity, &made, sizeof(made));
	return err;
}
