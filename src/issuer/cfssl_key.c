/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CFSSL's newkey and newcert: a key for the caller, made on a worker, sent
 * once, never stored and never logged.
 */
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/pem.h"
#include "cfssl/key.h"
#include "issuer/cfssl.h"
#include "issuer/text.h"
#include "net/json.h"

static const char no_hosts[] = "This certificate lacks a \"hosts\" field. "
    "This makes it unsuitable for\nwebsites. For more information see the "
    "Baseline Requirements for the Issuance and Management\nof "
    "Publicly-Trusted Certificates, v.1.1.6, from the CA/Browser Forum "
    "(https://cabforum.org);\nspecifically, section 10.2.3 (\"Information "
    "Requirements\").";

struct making {
	struct issuer_service *service;
	struct net_exchange *exchange;
	struct issuer_work work;
	int64_t deadline_ns;
	char *text;			/* csr.json; owned */
	/* newcert's */
	struct issuer_authority *authority;
	const struct ca_profile *profile;	/* NULL: newkey */
	bool wants_bundle;
	/* What becomes of it. */
	enum oc_err err;
	struct oc_error error;
	enum cfssl_fault fault;		/* if err is not OK */
	char *key_pem;
	uint8_t *csr;
	size_t csr_len;
	bool has_hosts;
};

static void
making_free(struct making *m)
{
	cfssl_pem_free(m->key_pem);
	free(m->csr);
	free(m->text);
	free(m);
}

/* --- on a worker -------------------------------------------------------- */

static enum oc_err
make(struct making *m, const struct cfssl_request *request)
{
	struct cfssl_key *key = NULL;
	enum oc_err err;

	if (request->key_type == SIGN_KEY_RSA &&
	    request->key_bits > CFSSL_NEWKEY_RSA_BITS_MAX) {
		m->fault = CFSSL_FAULT_IN_KEY;
		return oc_error_set(&m->error, OC_ERR_LIMIT, "RSA keys of "
		    "more than %d bits are not made here",
		    CFSSL_NEWKEY_RSA_BITS_MAX);
	}
	m->has_hosts = request->num_sans > 0;
	err = cfssl_key_new(request->key_type, request->key_bits, &key,
	    &m->error);
	if (err != OC_OK)
		m->fault = CFSSL_FAULT_IN_KEY;
	if (err == OC_OK)
		err = cfssl_key_csr(key, request, &m->csr, &m->csr_len,
		    &m->error);
	if (err == OC_OK)
		err = cfssl_key_pem(key, &m->key_pem, &m->error);
	cfssl_key_free(key);
	return err;
}

static void
work_out(void *arg)
{
	struct making *m = arg;
	struct cfssl_request *request = NULL;

	if (oc_clock_mono_ns() >= m->deadline_ns) {
		m->err = oc_error_set(&m->error, OC_ERR_TIMEOUT,
		    "busy: try again");
		return;
	}
	m->err = cfssl_request_read("request", (const uint8_t *)m->text,
	    strlen(m->text), &request, &m->fault, &m->error);
	if (m->err == OC_OK)
		m->err = make(m, request);
	cfssl_request_free(request);
}

/* --- answers ------------------------------------------------------------ */

static void
put_sum(json_t *sums, const char *name, const EVP_MD *md, struct der_bytes der)
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned int len;
	char text[2 * EVP_MAX_MD_SIZE + 1];

	/* MD5 is not there where FIPS 140 rules. */
	if (EVP_Digest(der.p, der.len, digest, &len, md, NULL) != 1)
		return;
	oc_hex_encode(digest, len, text);
	for (char *p = text; *p != '\0'; p++)
		if (*p >= 'a')
			*p = (char)(*p - 'a' + 'A');
	json_object_set_new(sums, name, json_string(text));
}

static json_t *
describe_sums(struct der_bytes der)
{
	json_t *sums = json_object();

	put_sum(sums, "md5", EVP_md5(), der);
	put_sum(sums, "sha-1", EVP_sha1(), der);
	put_sum(sums, "sha-256", EVP_sha256(), der);
	return sums;
}

static json_t *
describe(const struct making *m)
{
	return json_pack("{s:s, s:o, s:{s:o}}", "private_key", m->key_pem,
	    "certificate_request", issuer_pem("CERTIFICATE REQUEST", m->csr,
	    m->csr_len), "sums", "certificate_request",
	    describe_sums((struct der_bytes){ m->csr, m->csr_len }));
}

static void
issued(void *arg, const struct issuer_result *result)
{
	struct making *m = arg;
	struct der_bytes der = { result->certificate.der,
	    result->certificate.der_len };
	json_t *json, *messages;

	if (result->err != OC_OK) {
		issuer_cfssl_fail_result(m->exchange, result);
		making_free(m);
		return;
	}
	json = describe(m);
	json_object_set_new(json, "certificate", issuer_pem("CERTIFICATE",
	    der.p, der.len));
	json_object_set_new(json_object_get(json, "sums"), "certificate",
	    describe_sums(der));
	issuer_door_explain(m->exchange, json, result->explanation);
	messages = m->has_hosts ? json_array() : json_pack("[{s:i, s:s}]",
	    "code", CFSSL_POLICY_REQUEST, "message", no_hosts);
	if (m->wants_bundle)
		issuer_cfssl_add_no_bundle(messages);
	issuer_cfssl_succeed_with(m->exchange, json, messages);
	making_free(m);
}

static enum oc_err
issue(struct making *m)
{
	const struct issuer_order order = {
		.authority = m->authority, .profile = m->profile,
		.csr = (const char *)m->csr, .csr_len = m->csr_len,
		.explains = issuer_door_explains(m->exchange),
		.deadline_ns = oc_clock_mono_ns() + ISSUER_DEADLINE_NS,
	};

	return issuer_issue(m->service, &order, issued, m);
}

static void
worked_out(void *arg)
{
	struct making *m = arg;

	if (m->err == OC_ERR_TIMEOUT) {
		issuer_cfssl_fail(m->exchange, 503, 503, m->error.text);
	} else if (m->err != OC_OK) {
		issuer_cfssl_fail(m->exchange, 400, m->fault ==
		    CFSSL_FAULT_IN_KEY ? CFSSL_KEY_GENERATION : 400,
		    m->error.text);
	} else if (m->profile == NULL) {
		issuer_cfssl_succeed(m->exchange, describe(m));
	} else if (issue(m) == OC_OK) {
		return;
	} else {
		issuer_cfssl_fail(m->exchange, 503, 503, "busy: try again");
	}
	making_free(m);
}

/* --- requests ----------------------------------------------------------- */

/* Takes its text. */
static void
begin(const struct making *what)
{
	struct making *m = calloc(1, sizeof(*m));

	if (m == NULL || what->text == NULL) {
		free(m);
		free(what->text);
		issuer_cfssl_fail(what->exchange, 500, 500, "out of memory");
		return;
	}
	*m = *what;
	m->deadline_ns = oc_clock_mono_ns() + ISSUER_DEADLINE_NS;
	m->work = (struct issuer_work){ work_out, worked_out, m, NULL };
	if (issuer_workers_submit(issuer_service_makers(m->service,
	    ISSUER_KEYS_OF_ANYBODY), &m->work) != OC_OK) {
		making_free(m);
		issuer_cfssl_fail(what->exchange, 503, 503,
		    "busy: try again");
	}
}

void
issuer_cfssl_newkey(struct issuer_service *service,
    struct net_exchange *exchange)
{
	const struct net_request *r = net_exchange_request(exchange);
	struct oc_error error = { 0 };
	json_t *document = NULL;

	if (net_json_parse(r->body, r->body_len, &document, &error) != OC_OK)
		issuer_cfssl_fail(exchange, 400, 400, error.text);
	else
		begin(&(struct making){ .service = service,
		    .exchange = exchange,
		    .text = strdup((const char *)r->body) });
	json_decref(document);
}

/* The request is there and nobody needs to be proven to be somebody. */
static void
begin_newcert(struct issuer_service *service, struct net_exchange *exchange,
    const json_t *document)
{
	const char *name = NULL, *label = NULL;
	const json_t *request = NULL;
	const struct ca_profile *profile;
	struct issuer_authority *authority;
	bool wants_bundle = false;

	if (net_json_get_object(document, "request", &request) != OC_OK ||
	    net_json_get_boolean(document, "bundle", &wants_bundle) !=
	    OC_OK ||
	    net_json_get_string(document, "profile", &name) != OC_OK ||
	    net_json_get_string(document, "label", &label) != OC_OK ||
	    request == NULL) {
		issuer_cfssl_fail(exchange, 400, 400,
		    "Unable to parse certificate request");
		return;
	}
	profile = issuer_service_profile(service, name);
	authority = issuer_service_find(service, label);
	if (profile == NULL)
		issuer_cfssl_refuse(exchange, CFSSL_POLICY_PROFILE,
		    CA_RULE_PROFILE_UNKNOWN, "Unknown policy profile");
	else if (profile->auth_key != NULL)
		issuer_cfssl_refuse(exchange, 400, CA_RULE_AUTHENTICATION,
		    "authentication required");
	else if (authority == NULL)
		issuer_cfssl_refuse(exchange, 400, CA_RULE_NONE,
		    "unknown label");
	else if (authority->info == NULL)
		issuer_cfssl_fail(exchange, 503, 503,
		    "the signer is away: try again");
	else
		begin(&(struct making){ .service = service,
		    .exchange = exchange,
		    .text = json_dumps(request, JSON_COMPACT),
		    .authority = authority, .profile = profile,
		    .wants_bundle = wants_bundle });
}

void
issuer_cfssl_newcert(struct issuer_service *service,
    struct net_exchange *exchange)
{
	const struct net_request *r = net_exchange_request(exchange);
	struct oc_error error = { 0 };
	json_t *document = NULL;

	if (net_json_parse(r->body, r->body_len, &document, &error) != OC_OK)
		issuer_cfssl_fail(exchange, 400, 400, error.text);
	else
		begin_newcert(service, exchange, document);
	json_decref(document);
}
