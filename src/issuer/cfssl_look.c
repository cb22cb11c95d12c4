/* SPDX-License-Identifier: Apache-2.0 */
/* CFSSL's info and certinfo: looking at a CA, and at a certificate. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "cfssl/usage.h"
#include "issuer/cfssl.h"
#include "issuer/text.h"
#include "net/json.h"
#include "x509/file.h"
#include "x509/name.h"

/* --- info --------------------------------------------------------------- */

static json_t *
describe_eku(struct der_bytes eku)
{
	const struct cfssl_usage *u;
	char text[DER_OID_TEXT_MAX];

	der_oid_format(eku, text);
	for (u = cfssl_usages; u->name != NULL; u++)
		if (u->eku != NULL && strcmp(u->eku, text) == 0)
			return json_string(u->name);
	return json_string(text);
}

static json_t *
describe_usages(const struct ca_profile *p)
{
	uint32_t left = p->key_usage_rsa;
	const struct cfssl_usage *u;
	json_t *list = json_array();

	for (u = cfssl_usages; u->name != NULL; u++) {
		if ((left & u->key_usage) != 0)
			json_array_append_new(list, json_string(u->name));
		left &= ~u->key_usage;
	}
	for (uint32_t i = 0; i < p->num_ekus; i++)
		json_array_append_new(list, describe_eku((struct der_bytes){
		    p->eku_octets[i], p->eku_len[i] }));
	return list;
}

/* As Go writes a duration of whole hours, and CFSSL's configurations do. */
static void
format_expiry(int64_t seconds, char text[32])
{
	if (seconds % 3600 == 0)
		snprintf(text, 32, "%lldh", (long long)(seconds / 3600));
	else
		snprintf(text, 32, "%llds", (long long)seconds);
}

void
issuer_cfssl_info(struct issuer_service *service,
    struct net_exchange *exchange)
{
	const struct net_request *r = net_exchange_request(exchange);
	const char *label = NULL, *name = NULL;
	const struct issuer_authority *authority;
	const struct ca_profile *profile;
	struct oc_error error = { 0 };
	json_t *document = NULL, *pem;
	char expiry[32], *text;

	if (net_json_parse(r->body, r->body_len, &document, &error) !=
	    OC_OK || net_json_get_string(document, "label", &label) !=
	    OC_OK || net_json_get_string(document, "profile", &name) !=
	    OC_OK) {
		issuer_cfssl_fail(exchange, 400, 400, error.text[0] != '\0' ?
		    error.text : "label and profile are strings");
		json_decref(document);
		return;
	}
	authority = issuer_service_find(service, label);
	profile = issuer_service_profile(service, name);
	json_decref(document);
	if (authority == NULL) {
		issuer_cfssl_fail(exchange, 400, 400, "unknown label");
		return;
	}
	if (profile == NULL) {
		issuer_cfssl_fail(exchange, 400, CFSSL_POLICY_PROFILE,
		    "Unknown policy profile");
		return;
	}
	pem = issuer_pem("CERTIFICATE", authority->issuer->cert.der.p,
	    authority->issuer->cert.der.len);
	/* Without its last line end, as CFSSL has it. */
	text = strdup(pem == NULL ? "" : json_string_value(pem));
	if (text != NULL && text[0] != '\0')
		text[strlen(text) - 1] = '\0';
	format_expiry(profile->validity_s, expiry);
	issuer_cfssl_succeed(exchange, json_pack("{s:s, s:o, s:s}",
	    "certificate", text == NULL ? "" : text,
	    "usages", describe_usages(profile), "expiry", expiry));
	free(text);
	json_decref(pem);
}

/* --- certinfo ----------------------------------------------------------- */

static const struct {
	enum der_oid oid;
	const char *key;
} attributes[] = {
	{ DER_OID_COMMON_NAME, "common_name" },
	{ DER_OID_SERIAL_NUMBER, "serial_number" },
	{ DER_OID_COUNTRY, "country" },
	{ DER_OID_ORGANIZATION, "organization" },
	{ DER_OID_ORGANIZATIONAL_UNIT, "organizational_unit" },
	{ DER_OID_LOCALITY, "locality" },
	{ DER_OID_STATE, "province" },
	{ DER_OID_STREET, "street_address" },
	{ DER_OID_POSTAL_CODE, "postal_code" },
};

/* AttributeTypeAndValue ::= SEQUENCE { type OID, value ANY } */
static void
describe_attribute(struct der_bytes contents, json_t *name, json_t *names)
{
	struct der_reader r = der_reader_of(contents);
	struct der_bytes type, value;
	uint8_t tag;
	json_t *text;

	if (!der_get_oid(&r, &type) || !der_get_any(&r, &tag, &value, NULL))
		return;
	text = json_stringn((const char *)value.p, value.len);
	if (text == NULL)
		return;
	json_array_append(names, text);
	for (size_t i = 0; i < sizeof(attributes) / sizeof(attributes[0]);
	    i++)
		if (der_oid_find(type) == attributes[i].oid &&
		    json_object_get(name, attributes[i].key) == NULL)
			json_object_set(name, attributes[i].key, text);
	json_decref(text);
}

/* Name ::= SEQUENCE OF SET OF AttributeTypeAndValue */
static json_t *
describe_name(struct der_bytes tlv)
{
	json_t *name = json_object(), *names = json_array();
	struct der_reader outer = der_reader_of(tlv), rdns, set;
	struct der_bytes contents, rdn, attribute;
	uint8_t tag;

	if (der_get_any(&outer, &tag, &contents, NULL)) {
		rdns = der_reader_of(contents);
		while (der_get_any(&rdns, &tag, &rdn, NULL)) {
			set = der_reader_of(rdn);
			while (der_get_any(&set, &tag, &attribute, NULL))
				describe_attribute(attribute, name, names);
		}
	}
	json_object_set_new(name, "names", names);
	return name;
}

/* As Go calls them. */
static const char *
algorithm_name(enum sign_alg alg)
{
	switch (alg) {
	case SIGN_RSA_SHA256:
		return "SHA256WithRSA";
	case SIGN_RSA_SHA384:
		return "SHA384WithRSA";
	case SIGN_RSA_SHA512:
		return "SHA512WithRSA";
	case SIGN_RSA_PSS_SHA256:
		return "SHA256WithRSAPSS";
	case SIGN_RSA_PSS_SHA384:
		return "SHA384WithRSAPSS";
	case SIGN_RSA_PSS_SHA512:
		return "SHA512WithRSAPSS";
	case SIGN_ECDSA_SHA256:
		return "ECDSAWithSHA256";
	case SIGN_ECDSA_SHA384:
		return "ECDSAWithSHA384";
	case SIGN_ECDSA_SHA512:
		return "ECDSAWithSHA512";
	case SIGN_ED25519:
		return "Ed25519";
	case SIGN_ALG_NONE:
	case SIGN_ALG_MAX:
		break;
	}
	return "Unknown Signature";
}

/* Without the kinds in front. */
static json_t *
describe_sans(const struct x509_extensions *extensions)
{
	json_t *list = json_array();
	char text[X509_SAN_TEXT_MAX];

	for (uint32_t i = 0; i < extensions->num_sans; i++) {
		const char *colon;

		x509_san_format(&extensions->sans[i], text);
		colon = strchr(text, ':');
		json_array_append_new(list, json_string(colon == NULL ?
		    text : colon + 1));
	}
	return list;
}

static json_t *
describe_certificate(const struct x509_cert *cert)
{
	char serial[ISSUER_DECIMAL_MAX], not_before[ISSUER_TIME_MAX],
	    not_after[ISSUER_TIME_MAX];
	const struct x509_extensions *e = &cert->extensions;
	json_t *json;

	issuer_decimal(&cert->serial, serial);
	issuer_time(cert->not_before, not_before);
	issuer_time(cert->not_after, not_after);
	json = json_pack("{s:o, s:o, s:s, s:s, s:s, s:s, s:o, s:o, s:o}",
	    "subject", describe_name(cert->subject),
	    "issuer", describe_name(cert->issuer),
	    "serial_number", serial,
	    "not_before", not_before, "not_after", not_after,
	    "sigalg", algorithm_name(cert->alg),
	    "authority_key_id", issuer_hex(e->authority_key_id.p,
	    e->authority_key_id.len, ':'),
	    "subject_key_id", issuer_hex(e->subject_key_id.p,
	    e->subject_key_id.len, ':'),
	    "pem", issuer_pem("CERTIFICATE", cert->der.p, cert->der.len));
	if (json != NULL && e->num_sans > 0)
		json_object_set_new(json, "sans", describe_sans(e));
	return json;
}

static void
tell_certificate(struct net_exchange *exchange, struct der_bytes der)
{
	struct x509_cert *cert = calloc(1, sizeof(*cert));
	struct oc_error error = { 0 };

	if (cert == NULL || x509_cert_read(der, cert, &error) != OC_OK)
		issuer_cfssl_fail(exchange, 400, CFSSL_CERT_DECODE,
		    "Failed to decode certificate");
	else
		issuer_cfssl_succeed(exchange, describe_certificate(cert));
	free(cert);
}

/* One of the records. */
struct look_up {
	struct store_job job;
	struct net_exchange *exchange;
	int64_t issuer_id;
	struct oc_serial serial;
	struct store_certificate found;
};

static enum oc_err
look_up(struct store *store, void *arg)
{
	struct look_up *l = arg;

	return store_find_certificate(store, l->issuer_id, &l->serial,
	    &l->found);
}

static void
looked_up(struct store_job *job, void *arg)
{
	struct look_up *l = arg;

	if (job->err == OC_OK && l->found.certificate != NULL)
		tell_certificate(l->exchange, (struct der_bytes){
		    l->found.certificate, l->found.certificate_len });
	else if (job->err == OC_OK || job->err == OC_ERR_NOT_FOUND)
		issuer_cfssl_fail(l->exchange, 400, CFSSL_STORE_NOT_FOUND,
		    "certificate not found");
	else
		issuer_cfssl_fail(l->exchange, 500, 500,
		    "the records cannot be read");
	store_certificate_fini(&l->found);
	free(l);
}

static void
find_certificate(struct issuer_service *service,
    struct net_exchange *exchange, const char *serial, const char *key_id)
{
	struct issuer_authority *authority;
	struct look_up *l = calloc(1, sizeof(*l));

	authority = issuer_cfssl_find_by_key_id(service, key_id);
	if (l == NULL || authority == NULL ||
	    oc_serial_parse(serial, &l->serial, NULL) != OC_OK) {
		free(l);
		issuer_cfssl_fail(exchange, 400, CFSSL_STORE_NOT_FOUND,
		    "certificate not found");
		return;
	}
	l->exchange = exchange;
	l->issuer_id = authority->issuer->store_id;
	l->job = (struct store_job){ .kind = STORE_JOB_READ, .fn = look_up,
	    .done = looked_up, .arg = l };
	if (issuer_service_submit(service, &l->job) !=
	    OC_OK) {
		free(l);
		issuer_cfssl_fail(exchange, 503, 503, "busy: try again");
	}
}

struct issuer_authority *
issuer_cfssl_find_by_key_id(struct issuer_service *service, const char *hex)
{
	uint8_t octets[CA_KEY_ID_MAX];
	size_t len;

	if (oc_hex_decode(hex, strlen(hex), octets, sizeof(octets), &len) !=
	    OC_OK)
		return NULL;
	return issuer_service_find_key_id(service, (struct der_bytes){
	    octets, len });
}

void
issuer_cfssl_certinfo(struct issuer_service *service,
    struct net_exchange *exchange)
{
	const struct net_request *r = net_exchange_request(exchange);
	const char *pem = "", *serial = "", *key_id = "", *domain = "";
	struct oc_error error = { 0 };
	json_t *document = NULL;
	uint8_t *der = NULL;
	size_t len;

	if (net_json_parse(r->body, r->body_len, &document, &error) !=
	    OC_OK || net_json_get_string(document, "certificate", &pem) !=
	    OC_OK || net_json_get_string(document, "serial", &serial) !=
	    OC_OK || net_json_get_string(document, "authority_key_id",
	    &key_id) != OC_OK || net_json_get_string(document, "domain",
	    &domain) != OC_OK)
		issuer_cfssl_fail(exchange, 400, 400, error.text[0] != '\0' ?
		    error.text : "every parameter is a string");
	else if (pem[0] != '\0' && x509_file_parse("certificate",
	    (const uint8_t *)pem, strlen(pem), X509_FILE_CERTIFICATE, &der,
	    &len, &error) != OC_OK)
		issuer_cfssl_fail(exchange, 400, CFSSL_CERT_DECODE,
		    "Failed to decode certificate");
	else if (pem[0] != '\0')
		tell_certificate(exchange, (struct der_bytes){ der, len });
	else if (serial[0] != '\0' && key_id[0] != '\0')
		find_certificate(service, exchange, serial, key_id);
	else if (domain[0] != '\0')
		issuer_cfssl_fail(exchange, 400, 400, "domain: this service "
		    "connects to nobody; send the certificate");
	else
		issuer_cfssl_fail(exchange, 400, 400,
		    "no valid parameter sets found");
	free(der);
	json_decref(document);
}
