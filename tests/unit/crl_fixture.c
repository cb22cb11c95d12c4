/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/crl_fixture.h"

#include <openssl/conf.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <time.h>

static void
add_item(X509_CRL *crl, const struct crl_item *item, time_t now)
{
	X509_REVOKED *revoked = X509_REVOKED_new();
	BIGNUM *number = NULL;
	ASN1_INTEGER *serial;
	ASN1_TIME *at = ASN1_TIME_set(NULL, now +
	    (item->revoked_s != 0 ? item->revoked_s : -3600));

	assert_true(BN_hex2bn(&number, item->serial) > 0);
	serial = BN_to_ASN1_INTEGER(number, NULL);
	assert_int_equal(X509_REVOKED_set_serialNumber(revoked, serial), 1);
	assert_int_equal(X509_REVOKED_set_revocationDate(revoked, at), 1);
	if (item->reason != CRL_NO_REASON) {
		ASN1_ENUMERATED *reason = ASN1_ENUMERATED_new();

		ASN1_ENUMERATED_set(reason, item->reason);
		assert_int_equal(X509_REVOKED_add1_ext_i2d(revoked,
		    NID_crl_reason, reason, 0, X509V3_ADD_APPEND), 1);
		ASN1_ENUMERATED_free(reason);
	}
	assert_int_equal(X509_CRL_add0_revoked(crl, revoked), 1);
	ASN1_TIME_free(at);
	ASN1_INTEGER_free(serial);
	BN_free(number);
}

static void
add_number(X509_CRL *crl, int nid, int64_t value, int is_critical)
{
	ASN1_INTEGER *number = ASN1_INTEGER_new();

	ASN1_INTEGER_set_int64(number, value);
	assert_int_equal(X509_CRL_add1_ext_i2d(crl, nid, number, is_critical,
	    X509V3_ADD_APPEND), 1);
	ASN1_INTEGER_free(number);
}

static void
add_key_id(X509_CRL *crl, const char *octets)
{
	AUTHORITY_KEYID *id = AUTHORITY_KEYID_new();

	id->keyid = ASN1_OCTET_STRING_new();
	ASN1_OCTET_STRING_set(id->keyid, (const unsigned char *)octets,
	    (int)strlen(octets));
	assert_int_equal(X509_CRL_add1_ext_i2d(crl,
	    NID_authority_key_identifier, id, 0, X509V3_ADD_APPEND), 1);
	AUTHORITY_KEYID_free(id);
}

static void
add_idp(X509_CRL *crl, const char *lines)
{
	BIO *bio = BIO_new(BIO_s_mem());
	CONF *conf = NCONF_new(NULL);
	X509_EXTENSION *extension;
	X509V3_CTX context;
	long line;

	assert_true(BIO_printf(bio, "[idp]\n%s\n", lines) > 0);
	assert_int_equal(NCONF_load_bio(conf, bio, &line), 1);
	X509V3_set_ctx(&context, NULL, NULL, NULL, crl, 0);
	X509V3_set_nconf(&context, conf);
	extension = X509V3_EXT_nconf_nid(conf, &context,
	    NID_issuing_distribution_point, "critical,@idp");
	assert_non_null(extension);
	assert_int_equal(X509_CRL_add_ext(crl, extension, -1), 1);
	X509_EXTENSION_free(extension);
	NCONF_free(conf);
	BIO_free(bio);
}

static void
add_freshest(X509_CRL *crl, const char *url)
{
	X509_EXTENSION *extension;
	char text[256];

	(void)snprintf(text, sizeof(text), "URI:%s", url);
	extension = X509V3_EXT_nconf_nid(NULL, NULL, NID_freshest_crl, text);
	assert_non_null(extension);
	assert_int_equal(X509_CRL_add_ext(crl, extension, -1), 1);
	X509_EXTENSION_free(extension);
}

/* 1.3.6.1.4.1.32473 is for examples (RFC 5612). */
static void
add_unknown(X509_CRL *crl)
{
	ASN1_OBJECT *id = OBJ_txt2obj("1.3.6.1.4.1.32473.1", 1);
	ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
	X509_EXTENSION *extension;

	ASN1_OCTET_STRING_set(value, (const unsigned char *)"\x05\x00", 2);
	extension = X509_EXTENSION_create_by_OBJ(NULL, id, 1, value);
	assert_int_equal(X509_CRL_add_ext(crl, extension, -1), 1);
	X509_EXTENSION_free(extension);
	ASN1_OCTET_STRING_free(value);
	ASN1_OBJECT_free(id);
}

static void
add_extensions(X509_CRL *crl, const struct crl_order *o)
{
	if (o->number != 0)
		add_number(crl, NID_crl_number, o->number, 0);
	if (o->aki != NULL)
		add_key_id(crl, o->aki);
	if (o->is_delta)
		add_number(crl, NID_delta_crl, o->base != 0 ? o->base : 1, 1);
	if (o->freshest != NULL)
		add_freshest(crl, o->freshest);
	if (o->idp != NULL)
		add_idp(crl, o->idp);
	if (o->has_unknown_critical)
		add_unknown(crl);
}

uint8_t *
fixture_crl(const struct crl_order *o, X509 *issuer, EVP_PKEY *key,
    size_t *len)
{
	time_t now = o->now != 0 ? (time_t)o->now : time(NULL);
	X509_CRL *crl = X509_CRL_new();
	ASN1_TIME *at = ASN1_TIME_set(NULL, now +
	    (o->begins_s != 0 ? o->begins_s : -60));
	const struct crl_item *item;
	uint8_t *der = NULL;
	int n;

	assert_int_equal(X509_CRL_set_version(crl, X509_CRL_VERSION_2), 1);
	X509_CRL_set_issuer_name(crl, X509_get_subject_name(issuer));
	X509_CRL_set1_lastUpdate(crl, at);
	ASN1_TIME_set(at, now + (o->lasts_s != 0 ? o->lasts_s : 86400));
	if (!o->is_endless)
		X509_CRL_set1_nextUpdate(crl, at);
	for (item = o->items; item != NULL && item->serial != NULL; item++)
		add_item(crl, item, now);
	add_extensions(crl, o);
	assert_true(X509_CRL_sign(crl, key, o->md != NULL ? o->md :
	    EVP_sha256()) > 0);
	n = i2d_X509_CRL(crl, &der);
	assert_true(n > 0);
	*len = (size_t)n;
	ASN1_TIME_free(at);
	X509_CRL_free(crl);
	return der;
}

void
fixture_write(const char *path, const void *octets, size_t len)
{
	FILE *f = fopen(path, "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(octets, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}
