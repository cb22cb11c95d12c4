/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/facts.h"

#include <openssl/evp.h>
#include <openssl/objects.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "der/oid.h"
#include "x509/spki.h"

static const char *const key_usages[] = { "digitalSignature",
    "contentCommitment", "keyEncipherment", "dataEncipherment",
    "keyAgreement", "keyCertSign", "cRLSign", "encipherOnly",
    "decipherOnly" };
#define NUM_KEY_USAGES (sizeof(key_usages) / sizeof(key_usages[0]))

static void
put_sans(json_t *object, const struct x509_extensions *e)
{
	char text[X509_SAN_TEXT_MAX];
	json_t *list;

	if (e->num_sans == 0)
		return;
	list = cli_array();
	for (uint32_t i = 0; i < e->num_sans; i++) {
		x509_san_format(&e->sans[i], text);
		cli_append_text(list, text);
	}
	cli_put(object, "names", list);
}

static void
put_usages(json_t *object, const struct x509_extensions *e)
{
	json_t *list;

	if (e->key_usage != 0) {
		list = cli_array();
		for (size_t i = 0; i < NUM_KEY_USAGES; i++)
			if ((e->key_usage & (1u << i)) != 0)
				cli_append_text(list, key_usages[i]);
		cli_put(object, "key_usage", list);
	}
	if (e->num_ekus != 0) {
		list = cli_array();
		for (uint32_t i = 0; i < e->num_ekus; i++) {
			enum der_oid oid = der_oid_find(e->ekus[i]);
			char text[DER_OID_TEXT_MAX];

			der_oid_format(e->ekus[i], text);
			cli_append_text(list, oid == DER_OID_UNKNOWN ? text :
			    der_oid_name(oid));
		}
		cli_put(object, "extended_key_usage", list);
	}
}

static void
put_urls(json_t *object, const char *name, const struct der_bytes *urls,
    uint32_t num)
{
	json_t *list;

	if (num == 0)
		return;
	list = cli_array();
	for (uint32_t i = 0; i < num; i++)
		cli_append(list, json_stringn((const char *)urls[i].p,
		    urls[i].len));
	cli_put(object, name, list);
}

/* "1.3.6.1.5.5.7.1.24 (TLS Feature)", by OpenSSL's name if it has one. */
static void
put_others(json_t *object, const struct x509_extensions *e)
{
	char oid[DER_OID_TEXT_MAX], text[DER_OID_TEXT_MAX + 128];
	json_t *list;

	if (e->num_others == 0)
		return;
	list = cli_array();
	for (uint32_t i = 0; i < e->num_others; i++) {
		const char *name, *critical = e->is_other_critical[i] ?
		    " (critical)" : "";
		int nid;

		der_oid_format(e->others[i], oid);
		nid = OBJ_txt2nid(oid);
		name = nid == NID_undef ? NULL : OBJ_nid2ln(nid);
		if (name == NULL)
			(void)snprintf(text, sizeof(text), "%s%s", oid,
			    critical);
		else
			(void)snprintf(text, sizeof(text), "%s (%.80s)%s",
			    oid, name, critical);
		cli_append_text(list, text);
	}
	cli_put(object, "other_extensions", list);
}

void
cli_put_extensions(json_t *object, const struct x509_extensions *e)
{
	put_sans(object, e);
	if (e->has_basic_constraints) {
		cli_put_bool(object, "ca", e->ca == X509_IS_CA);
		if (e->path_length != X509_NO_PATH_LENGTH)
			cli_put_int(object, "path_length", e->path_length);
	}
	put_usages(object, e);
	if (e->subject_key_id.len > 0)
		cli_put_hex(object, "subject_key_id", e->subject_key_id);
	if (e->authority_key_id.len > 0)
		cli_put_hex(object, "authority_key_id", e->authority_key_id);
	put_urls(object, "ocsp_urls", e->ocsp_urls, e->num_ocsp_urls);
	put_urls(object, "ca_issuers_urls", e->ca_issuers_urls,
	    e->num_ca_issuers_urls);
	put_urls(object, "crl_urls", e->crl_urls, e->num_crl_urls);
	if (e->has_ocsp_nocheck)
		cli_put_bool(object, "ocsp_nocheck", true);
	put_others(object, e);
}

void
cli_put_certificate(json_t *object, const struct x509_cert *cert)
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned int len;
	char key[64];

	cli_put_serial(object, &cert->serial);
	cli_put_name(object, "subject", cert->subject);
	cli_put_name(object, "issuer", cert->issuer);
	cli_put_time(object, "not_before", cert->not_before);
	cli_put_time(object, "not_after", cert->not_after);
	x509_spki_format(cert->spki, key);
	cli_put_text(object, "key", key);
	if (cert->alg != SIGN_ALG_NONE)
		cli_put_text(object, "algorithm",
		    sign_alg_info(cert->alg)->name);
	cli_put_extensions(object, &cert->extensions);
	if (EVP_Digest(cert->der.p, cert->der.len, digest, &len, EVP_sha256(),
	    NULL) == 1)
		cli_put_hex(object, "sha256",
		    (struct der_bytes){ digest, len });
}

static const char *
status_of(const struct store_certificate *c)
{
	if (c->is_revoked)
		return "revoked";
	if (c->state == STORE_RESERVED)
		return "reserved";
	if (c->not_after < oc_clock_now_s())
		return "expired";
	return "valid";
}

void
cli_put_record(json_t *object, const struct store_certificate *c)
{
	cli_put_text(object, "status", status_of(c));
	cli_put_text(object, "profile", c->profile);
	if (c->import_record != NULL)
		cli_put_bool(object, "imported", true);
	/* Of some that were imported not even the beginning is known. */
	if (c->reserved_at != 0)
		cli_put_time(object, "reserved_at", c->reserved_at);
	if (c->issued_at != 0)
		cli_put_time(object, "issued_at", c->issued_at);
	if (!c->is_revoked)
		return;
	cli_put_time(object, "revoked_at", c->revoked_at);
	cli_put_text(object, "reason", crl_reason_name(c->reason));
	if (c->invalidity_at != 0)
		cli_put_time(object, "invalidity_at", c->invalidity_at);
}
