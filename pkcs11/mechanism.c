/* SPDX-License-Identifier: Apache-2.0 */
/* Inputs and outputs of C_Sign, an algorithm at a time. */
#include <stdlib.h>

#include <openssl/evp.h>

#include "der/reader.h"
#include "pkcs11/mechanism.h"
#include "sign/digest.h"

/*
 * DigestInfo ::= SEQUENCE {
 *     digestAlgorithm  { 2.16.840.1.101.3.4.2.n, NULL },
 *     digest           OCTET STRING }          (RFC 8017, 9.2, note 1)
 */
#define DIGEST_INFO(n, len) { 0x30, 0x11 + (len), 0x30, 0x0d, 0x06, 0x09, \
	0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, (n), 0x05, 0x00, \
	0x04, (len) }

struct hash_row {
	uint8_t digest_info[19];
	size_t len;
	CK_MECHANISM_TYPE hash;
	CK_RSA_PKCS_MGF_TYPE mgf;
	CK_MECHANISM_TYPE rsa, pss, ecdsa;	/* that hash themselves */
};

static const struct hash_row hashes[] = {
	[SIGN_SHA256] = { DIGEST_INFO(0x01, 32), 32, CKM_SHA256,
	    CKG_MGF1_SHA256, CKM_SHA256_RSA_PKCS, CKM_SHA256_RSA_PKCS_PSS,
	    CKM_ECDSA_SHA256 },
	[SIGN_SHA384] = { DIGEST_INFO(0x02, 48), 48, CKM_SHA384,
	    CKG_MGF1_SHA384, CKM_SHA384_RSA_PKCS, CKM_SHA384_RSA_PKCS_PSS,
	    CKM_ECDSA_SHA384 },
	[SIGN_SHA512] = { DIGEST_INFO(0x03, 64), 64, CKM_SHA512,
	    CKG_MGF1_SHA512, CKM_SHA512_RSA_PKCS, CKM_SHA512_RSA_PKCS_PSS,
	    CKM_ECDSA_SHA512 },
};

/* Octets of the group's order. */
static size_t
order_len(enum sign_key_type type)
{
	switch (type) {
	case SIGN_KEY_P256:
	case SIGN_KEY_ED25519:
		return 32;
	case SIGN_KEY_P384:
		return 48;
	case SIGN_KEY_P521:
		return 66;
	case SIGN_KEY_NONE:
	case SIGN_KEY_RSA:
		return 0;
	}
	return 0;
}

/* A copy, because a call that hangs may outlive the job, but not one of our
 * own memory. */
static enum oc_err
init_long_message(struct p11_input *in, struct der_bytes tbs)
{
	struct oc_spool spool;
	enum oc_err err = oc_spool_open(&spool, "ocsign-tbs", tbs.len);

	oc_spool_put(&spool, tbs.p, tbs.len);
	if (err == OC_OK)
		err = oc_spool_seal(&spool);
	if (err == OC_OK)
		err = oc_spool_map(&spool, 0, &in->mapping);
	oc_spool_close(&spool);
	in->message = in->mapping.bytes;
	in->len = tbs.len;
	return err;
}

static enum oc_err
init_message(struct p11_input *in, CK_MECHANISM_TYPE type,
    struct der_bytes tbs)
{
	in->type = type;
	if (tbs.len > OC_TBS_INLINE_MAX)
		return init_long_message(in, tbs);
	in->message = malloc(tbs.len > 0 ? tbs.len : 1);
	if (in->message == NULL)
		return OC_ERR_NOMEM;
	if (tbs.len > 0)
		memcpy(in->message, tbs.p, tbs.len);
	in->len = tbs.len;
	return OC_OK;
}

/* RSASSA-PKCS1-v1_5: the token pads what it is given. */
static void
init_digest_info(struct p11_input *in, const struct hash_row *hash,
    const uint8_t *digest)
{
	in->type = CKM_RSA_PKCS;
	in->len = sizeof(hash->digest_info) + hash->len;
	memcpy(in->bytes, hash->digest_info, sizeof(hash->digest_info));
	memcpy(in->bytes + sizeof(hash->digest_info), digest, hash->len);
}

static void
init_pss(struct p11_input *in, const struct hash_row *hash)
{
	in->is_pss = true;
	in->pss.hashAlg = hash->hash;
	in->pss.mgf = hash->mgf;
	in->pss.sLen = hash->len;
}

enum oc_err
p11_input_init_way(struct p11_input *in, enum sign_alg alg,
    enum sign_key_type key_type, enum p11_way way, struct der_bytes tbs)
{
	const struct sign_alg_info *info = sign_alg_info(alg);
	bool is_rsa = info->key_type == SIGN_KEY_RSA;
	const struct hash_row *hash;
	uint8_t digest[EVP_MAX_MD_SIZE];

	oc_assert(sign_alg_fits(alg, key_type));
	memset(in, 0, sizeof(*in));
	if (info->hash == SIGN_HASH_NONE)
		return init_message(in, CKM_EDDSA, tbs);
	hash = &hashes[info->hash];
	if (info->is_pss)
		init_pss(in, hash);
	if (way == P11_WAY_MESSAGE)
		return init_message(in, info->is_pss ? hash->pss : is_rsa ?
		    hash->rsa : hash->ecdsa, tbs);
	if (EVP_Digest(tbs.p, tbs.len, digest, NULL, sign_digest(info->hash),
	    NULL) != 1)
		return OC_ERR_INTERNAL;
	if (is_rsa && !info->is_pss) {
		init_digest_info(in, hash, digest);
		return OC_OK;
	}
	in->type = info->is_pss ? CKM_RSA_PKCS_PSS : CKM_ECDSA;
	in->len = hash->len;
	/* FIPS 186-4, 6.4: the leftmost bits, as many as the order. */
	if (!is_rsa && in->len > order_len(key_type))
		in->len = order_len(key_type);
	memcpy(in->bytes, digest, in->len);
	return OC_OK;
}

enum oc_err
p11_input_init(struct p11_input *in, enum sign_alg alg,
    enum sign_key_type key_type, struct der_bytes tbs)
{
	return p11_input_init_way(in, alg, key_type, P11_WAY_DIGEST, tbs);
}

void
p11_input_fini(struct p11_input *in)
{
	if (in->mapping.bytes == NULL)
		free(in->message);
	oc_mapping_fini(&in->mapping);
	in->message = NULL;
}

bool
p11_input_get_sha256(const struct p11_input *in, enum sign_alg alg,
    uint8_t digest[32])
{
	if (in->message != NULL || sign_alg_info(alg)->hash != SIGN_SHA256)
		return false;
	/* Behind its name, or alone: no group that we know is smaller. */
	oc_assert(in->len >= 32);
	memcpy(digest, in->bytes + in->len - 32, 32);
	return true;
}

CK_MECHANISM
p11_input_mechanism(struct p11_input *in)
{
	CK_MECHANISM m = { in->type, NULL, 0 };

	if (in->is_pss) {
		m.pParameter = &in->pss;
		m.ulParameterLen = sizeof(in->pss);
	}
	return m;
}

CK_BYTE_PTR
p11_input_bytes(struct p11_input *in)
{
	return in->message != NULL ? in->message : in->bytes;
}

static enum oc_err
finish_rsa(unsigned int bits, uint8_t *signature, size_t max, size_t *len)
{
	size_t expected = (bits + 7) / 8;

	if (*len == 0 || *len > expected || expected > max)
		return OC_ERR_SIGNATURE;
	memmove(signature + expected - *len, signature, *len);
	memset(signature, 0, expected - *len);
	*len = expected;
	return OC_OK;
}

static enum oc_err
finish_ecdsa(enum sign_key_type type, uint8_t *signature, size_t max,
    size_t *len)
{
	struct der_bytes given = { signature, *len };
	uint8_t raw[2 * 66], out[2 * 66 + 9];
	size_t raw_len = 2 * order_len(type), out_len;

	/* As long as r||s, it is that: a Ecdsa-Sig-Value so short would need
	 * r and s with 24 leading zero bits each. */
	if (*len != raw_len &&
	    sign_ecdsa_from_der(given, raw, raw_len) == OC_OK)
		given = (struct der_bytes){ raw, raw_len };
	else if (*len > raw_len)
		return OC_ERR_SIGNATURE;
	if (sign_ecdsa_to_der(given, out, sizeof(out), &out_len) != OC_OK ||
	    out_len > max)
		return OC_ERR_SIGNATURE;
	memcpy(signature, out, out_len);
	*len = out_len;
	return OC_OK;
}

enum oc_err
p11_signature_finish(enum sign_alg alg, enum sign_key_type key_type,
    unsigned int bits, uint8_t *signature, size_t max, size_t *len)
{
	if (alg == SIGN_ED25519)
		return *len == 64 ? OC_OK : OC_ERR_SIGNATURE;
	if (sign_alg_info(alg)->key_type == SIGN_KEY_RSA)
		return finish_rsa(bits, signature, max, len);
	return finish_ecdsa(key_type, signature, max, len);
}
