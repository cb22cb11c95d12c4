/* SPDX-License-Identifier: Apache-2.0 */
#include "pkcs11/plan_limits.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "der/oid.h"
#include "der/tag.h"

#define LIST_MAX (64 * 1024)
#define OID_MAX 64

/* As profiles call them. */
static const struct {
	const char *word;
	enum der_oid oid;
} ekus[] = {
	{ "anyExtendedKeyUsage", DER_OID_ANY_EXTENDED_KEY_USAGE },
	{ "serverAuth", DER_OID_SERVER_AUTH },
	{ "clientAuth", DER_OID_CLIENT_AUTH },
	{ "codeSigning", DER_OID_CODE_SIGNING },
	{ "emailProtection", DER_OID_EMAIL_PROTECTION },
	{ "timeStamping", DER_OID_TIME_STAMPING },
	{ "OCSPSigning", DER_OID_OCSP_SIGNING },
};

static void
put_tlv(struct oc_buffer *b, uint8_t tag, const void *contents, size_t len)
{
	const uint8_t header[] = { tag, 0x81, (uint8_t)len };

	/* Short names in the short form, as DER has it. */
	if (len < 0x80)
		oc_buffer_put(b, (const uint8_t[]){ tag, (uint8_t)len }, 2);
	else
		oc_buffer_put(b, header, sizeof(header));
	oc_buffer_put(b, contents, len);
}

static enum oc_err
put_oid(struct oc_buffer *b, const char *key, const char *word,
    struct oc_error *error)
{
	uint8_t oid[OID_MAX];
	size_t len;

	for (size_t i = 0; i < sizeof(ekus) / sizeof(ekus[0]); i++)
		if (strcmp(ekus[i].word, word) == 0) {
			struct der_bytes known = der_oid_bytes(ekus[i].oid);

			put_tlv(b, DER_OID, known.p, known.len);
			return OC_OK;
		}
	if (der_oid_parse(word, oid, sizeof(oid), &len) != OC_OK)
		return oc_error_set(error, OC_ERR_CONFIG, "%s: \"%.80s\" is "
		    "no object identifier; write 1.3.6.1.5.5.7.3.1, or "
		    "serverAuth", key, word);
	put_tlv(b, DER_OID, oid, len);
	return OC_OK;
}

static enum oc_err
put_oids(struct oc_buffer *b, const char *key, const struct oc_words *words,
    struct oc_error *error)
{
	enum oc_err err = OC_OK;

	for (size_t i = 0; err == OC_OK && i < words->num; i++)
		err = put_oid(b, key, words->words[i], error);
	return err;
}

static void
put_domains(struct oc_buffer *b, const struct oc_words *words)
{
	for (size_t i = 0; i < words->num; i++)
		put_tlv(b, DER_IA5_STRING, words->words[i],
		    strlen(words->words[i]));
}

/* What it has itself is above all that it gives: RFC 5280, 4.2.1.9. */
static void
limit_ca(const struct oc_config_issuer *issuer, const struct x509_cert *cert,
    struct p11_limits *limits)
{
	int own = cert->extensions.path_length;

	limits->sign_ca = issuer->allow_ca == OC_SWITCH_YES &&
	    own != 0 ? P11_MAY : P11_MAY_NOT;
	limits->max_path_length = own > 0 ? own - 1 : P11_ANY_PATH_LENGTH;
	if (issuer->max_path_length != OC_CONFIG_UNSET && (own <= 0 ||
	    issuer->max_path_length < own - 1))
		limits->max_path_length = (int)issuer->max_path_length;
}

enum oc_err
p11_plan_limits(const struct oc_config_issuer *issuer,
    const struct x509_cert *cert, struct p11_limits *out, uint8_t **bytes,
    struct oc_error *error)
{
	struct p11_limits limits = {
		.key_id = cert->extensions.subject_key_id,
		.not_before = cert->not_before,
		.not_after = cert->not_after,
		.max_validity_s = issuer->max_validity_s != OC_CONFIG_UNSET ?
		    issuer->max_validity_s : 0,
		.sign_ocsp_signer = (issuer->allow & OC_ALLOW_OCSP) != 0 ?
		    P11_MAY : P11_MAY_NOT,
	};
	struct der_bytes *lists[] = { &limits.ekus, &limits.criticals,
	    &limits.permitted_dns, &limits.excluded_dns };
	struct oc_buffer b;
	size_t ends[4], len;
	enum oc_err err;

	limit_ca(issuer, cert, &limits);
	oc_buffer_init(&b, LIST_MAX);
	err = put_oids(&b, "permitted-ekus", &issuer->permitted_ekus, error);
	ends[0] = b.len;
	if (err == OC_OK)
		err = put_oids(&b, "critical-extensions",
		    &issuer->critical_extensions, error);
	ends[1] = b.len;
	put_domains(&b, &issuer->permitted_dns);
	ends[2] = b.len;
	put_domains(&b, &issuer->excluded_dns);
	ends[3] = b.len;
	if (err == OC_OK && oc_buffer_take(&b, bytes, &len) != OC_OK)
		err = oc_error_set(error, OC_ERR_LIMIT, "the lists of what "
		    "its key may certify are too long");
	oc_buffer_fini(&b);
	if (err != OC_OK)
		return err;
	for (size_t i = 0; i < 4; i++) {
		size_t from = i == 0 ? 0 : ends[i - 1];

		if (ends[i] > from)
			*lists[i] = (struct der_bytes){ *bytes + from,
			    ends[i] - from };
	}
	*out = limits;
	return OC_OK;
}
