/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CFSSL's sign and authsign.  A profile with an auth_key is signed for by
 * authsign alone, whichever endpoint is asked; an unknown profile is an
 * error, never the default one.
 *
 * authsign's token is HMAC-SHA256 over the request's octets as they were
 * sent: it is compared before they are parsed for more than the profile.
 */
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "cfssl/request.h"
#include "issuer/cfssl.h"
#include "issuer/issuance.h"
#include "issuer/text.h"
#include "net/json.h"

#define TOKEN_LEN 32			/* HMAC-SHA256 */

/* --- answers ------------------------------------------------------------ */

/* 5300 for what policy refuses, 5500 for a white-list. */
static int
code_of(enum ca_rule rule)
{
	if (rule == CA_RULE_CSR_MALFORMED || rule == CA_RULE_CSR_PRIVATE_KEY)
		return CFSSL_CSR_PARSE;
	if (rule == CA_RULE_CSR_SIGNATURE)
		return CFSSL_CSR_SIGNATURE;
	if (rule == CA_RULE_NAME_WHITELIST)
		return CFSSL_POLICY_WHITELIST;
	return CFSSL_POLICY_REQUEST;
}

/* The rule that refused stands beside the message. */
static void
fail_explained(struct net_exchange *exchange,
    const struct issuer_result *result, int status, int code)
{
	struct ca_explanation x = *result->explanation;

	if (x.refusal[0] == '\0')
		snprintf(x.refusal, sizeof(x.refusal), "%s",
		    result->error.text);
	issuer_cfssl_fail_explained(exchange, status, code,
	    result->error.text, &x);
}

void
issuer_cfssl_fail_result(struct net_exchange *exchange,
    const struct issuer_result *result)
{
	switch (issuer_fault_of(result->err)) {
	case ISSUER_AWAY:
		fail_explained(exchange, result, 503, 503);
		return;
	case ISSUER_REFUSED:
		fail_explained(exchange, result, 400,
		    code_of(result->explanation->rule));
		return;
	case ISSUER_BROKEN:
		break;
	}
	oc_log(OC_LOG_ERROR, "issuing: %s", result->error.text);
	issuer_cfssl_fail(exchange, 500, 500,
	    "the certificate could not be issued");
}

static void
succeed(struct net_exchange *exchange, const struct issuer_result *result,
    json_t *messages)
{
	json_t *json;

	if (result->err != OC_OK) {
		json_decref(messages);
		issuer_cfssl_fail_result(exchange, result);
		return;
	}
	json = json_pack("{s:o}", "certificate", issuer_pem("CERTIFICATE",
	    result->certificate.der, result->certificate.der_len));
	issuer_door_explain(exchange, json, result->explanation);
	issuer_cfssl_succeed_with(exchange, json, messages);
}

static void
issued(void *arg, const struct issuer_result *result)
{
	succeed(arg, result, json_array());
}

void
issuer_cfssl_add_no_bundle(json_t *messages)
{
	json_array_append_new(messages, json_pack("{s:i, s:s}", "code",
	    CFSSL_POLICY_REQUEST, "message", "no bundle is made here: "
	    "\"ocsign origin bundle\" has the CA certificates"));
}

static void
issued_without_bundle(void *arg, const struct issuer_result *result)
{
	json_t *messages = json_array();

	issuer_cfssl_add_no_bundle(messages);
	succeed(arg, result, messages);
}

/* --- what is asked for -------------------------------------------------- */

struct asked {
	const char *csr, *hostname, *profile, *label;
	const json_t *hosts, *subject;
	bool wants_bundle;
	json_t *document;		/* owned */
};

static enum oc_err
read_asked(const uint8_t *text, size_t len, struct asked *a,
    struct oc_error *error)
{
	enum oc_err err;

	err = net_json_parse(text, len, &a->document, error);
	if (err == OC_OK)
		err = net_json_get_string(a->document, "certificate_request",
		    &a->csr);
	if (err == OC_OK)
		err = net_json_get_string(a->document, "hostname",
		    &a->hostname);
	if (err == OC_OK)
		err = net_json_get_strings(a->document, "hosts", &a->hosts);
	if (err == OC_OK)
		err = net_json_get_string(a->document, "profile",
		    &a->profile);
	if (err == OC_OK)
		err = net_json_get_string(a->document, "label", &a->label);
	if (err == OC_OK)
		err = net_json_get_object(a->document, "subject",
		    &a->subject);
	if (err == OC_OK)
		err = net_json_get_boolean(a->document, "bundle",
		    &a->wants_bundle);
	return err;
}

static enum oc_err
add_hosts(struct ca_names *names, const json_t *hosts,
    struct ca_explanation *x, struct oc_error *error)
{
	size_t num = json_array_size(hosts);
	enum oc_err err = ca_names_check_num(num, x, error);

	for (size_t i = 0; err == OC_OK && i < num; i++) {
		const json_t *j = json_array_get(hosts, i);

		err = ca_names_add_cfssl(names, json_string_value(j),
		    json_string_length(j), x, error);
	}
	return err;
}

/* Between commas; what is empty is left out. */
static enum oc_err
add_hostname(struct ca_names *names, const char *text,
    struct ca_explanation *x, struct oc_error *error)
{
	size_t num = 0, len;
	enum oc_err err = OC_OK;

	for (; err == OC_OK && *text != '\0'; text += len) {
		len = strcspn(text, ",");
		if (len == 0) {
			len = 1;
			continue;
		}
		err = ca_names_check_num(++num, x, error);
		if (err == OC_OK)
			err = ca_names_add_cfssl(names, text, len, x, error);
	}
	return err;
}

/* hosts, else hostname with its commas; neither: those of the CSR. */
static enum oc_err
read_names(const struct asked *a, struct ca_names **out,
    struct ca_explanation *x, struct oc_error *error)
{
	struct ca_names *names;
	enum oc_err err;

	*out = NULL;
	if (a->hosts == NULL && (a->hostname == NULL ||
	    a->hostname[0] == '\0'))
		return OC_OK;
	names = calloc(1, sizeof(*names));
	if (names == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	err = a->hosts != NULL ? add_hosts(names, a->hosts, x, error) :
	    add_hostname(names, a->hostname, x, error);
	if (err != OC_OK) {
		free(names);
		return err;
	}
	*out = names;
	return OC_OK;
}

/* NULL if there is none. */
static enum oc_err
read_subject(const json_t *json, struct cfssl_subject **out,
    struct oc_error *error)
{
	struct cfssl_subject *subject;
	char *text;
	enum oc_err err;

	*out = NULL;
	if (json == NULL)
		return OC_OK;
	subject = calloc(1, sizeof(*subject));
	text = json_dumps(json, JSON_COMPACT);
	err = subject == NULL || text == NULL ?
	    oc_error_set(error, OC_ERR_NOMEM, "out of memory") :
	    cfssl_subject_read("subject", (const uint8_t *)text,
	    strlen(text), subject, error);
	free(text);
	if (err != OC_OK) {
		free(subject);
		return err;
	}
	*out = subject;
	return OC_OK;
}

/* Everything but who may: that was decided. */
static void
issue(struct issuer_service *service, struct net_exchange *exchange,
    const struct asked *a, const struct ca_profile *profile,
    const uint8_t *key)
{
	struct issuer_authority *authority =
	    issuer_service_find(service, a->label);
	const struct oc_config_api *api =
	    &issuer_service_config(service)->api;
	struct ca_explanation x = { 0 };
	struct issuer_result result = { .explanation = &x };
	struct cfssl_subject *subject = NULL;
	struct issuer_order order = {
		.authority = authority, .profile = profile, .csr = a->csr,
		.csr_len = strlen(a->csr), .key = key,
		.key_window_s = api->auth_window_s,
		.explains = issuer_door_explains(exchange),
		.deadline_ns = oc_clock_mono_ns() + ISSUER_DEADLINE_NS,
	};

	if (authority == NULL) {
		issuer_cfssl_refuse(exchange, 400, CA_RULE_NONE,
		    "unknown label");
		return;
	}
	if (authority->info == NULL) {
		issuer_cfssl_fail(exchange, 503, 503, "the signer is away: "
		    "try again");
		return;
	}
	result.err = read_names(a, &order.names, &x, &result.error);
	if (result.err == OC_OK)
		result.err = read_subject(a->subject, &subject,
		    &result.error);
	order.subject = subject;
	if (result.err == OC_OK)
		result.err = issuer_cfssl_read_given(a->document,
		    &order.given, &x, &result.error);
	if (result.err == OC_OK)
		result.err = issuer_issue(service, &order, a->wants_bundle ?
		    issued_without_bundle : issued, exchange);
	free(subject);
	if (result.err == OC_OK) {
		ca_explanation_fini(&x);
		return;
	}
	free(order.names);
	free(order.given);
	if (result.error.text[0] == '\0')
		(void)oc_error_set(&result.error, result.err,
		    "too many requests: try again");
	issuer_cfssl_fail_result(exchange, &result);
	ca_explanation_fini(&x);
}

/* The CSR is there and is PEM; the profile is known. */
static const struct ca_profile *
check(struct issuer_service *service, struct net_exchange *exchange,
    const struct asked *a)
{
	const struct ca_profile *profile;

	if (a->csr == NULL || a->csr[0] == '\0') {
		issuer_cfssl_refuse(exchange, 400, CA_RULE_CSR_MALFORMED,
		    "missing parameter 'certificate_request'");
		return NULL;
	}
	profile = issuer_service_profile(service, a->profile);
	if (profile == NULL)
		issuer_cfssl_refuse(exchange, CFSSL_POLICY_PROFILE,
		    CA_RULE_PROFILE_UNKNOWN, "Unknown policy profile");
	return profile;
}

static bool
is_pem(const char *csr)
{
	return strstr(csr, "-----BEGIN ") != NULL;
}

void
issuer_cfssl_sign(struct issuer_service *service,
    struct net_exchange *exchange)
{
	const struct net_request *r = net_exchange_request(exchange);
	const struct ca_profile *profile;
	struct oc_error error = { 0 };
	struct asked a = { 0 };

	if (read_asked(r->body, r->body_len, &a, &error) != OC_OK)
		issuer_cfssl_refuse(exchange, 400, CA_RULE_NONE,
		    "Unable to parse sign request");
	else if ((profile = check(service, exchange, &a)) == NULL)
		;
	else if (profile->auth_key != NULL)
		issuer_cfssl_refuse(exchange, 400,
		    CA_RULE_AUTHENTICATION, "authentication required");
	else if (!is_pem(a.csr))
		issuer_cfssl_refuse(exchange, CFSSL_CSR_DECODE,
		    CA_RULE_CSR_MALFORMED, "CSR Decode failed");
	else
		issue(service, exchange, &a, profile, NULL);
	json_decref(a.document);
}

/* --- authsign ----------------------------------------------------------- */

/* Base64 into memory of its own. */
static enum oc_err
decode(const char *text, uint8_t **out, size_t *len)
{
	size_t text_len = strlen(text);
	uint8_t *octets = malloc(text_len + 1);
	enum oc_err err;

	if (octets == NULL)
		return OC_ERR_NOMEM;
	memcpy(octets, text, text_len);
	err = oc_base64_decode_in_place(octets, text_len, len);
	if (err != OC_OK) {
		free(octets);
		return err;
	}
	octets[*len] = '\0';
	*out = octets;
	return OC_OK;
}

/* In a time that does not depend on how much of it is right. */
static bool
is_token_of(struct der_bytes key, struct der_bytes token,
    struct der_bytes text)
{
	uint8_t mac[TOKEN_LEN], none[TOKEN_LEN] = { 0 };
	unsigned int mac_len = 0;
	bool is_right;

	if (key.len == 0 || key.len > INT32_MAX ||
	    HMAC(EVP_sha256(), key.p, (int)key.len, text.p, text.len, mac,
	    &mac_len) == NULL || mac_len != sizeof(mac))
		return false;
	is_right = CRYPTO_memcmp(mac, token.len == sizeof(mac) ? token.p :
	    none, sizeof(mac)) == 0 && token.len == sizeof(mac);
	OPENSSL_cleanse(mac, sizeof(mac));
	return is_right;
}

static bool
is_authentic(const struct issuer_service *service,
    const struct ca_profile *profile, struct der_bytes token,
    struct der_bytes text)
{
	bool now = is_token_of(issuer_service_auth_key(service,
	    profile->auth_key), token, text);
	bool before = profile->prev_auth_key != NULL &&
	    is_token_of(issuer_service_auth_key(service,
	    profile->prev_auth_key), token, text);

	return now || before;
}

/* Both in the request itself, under the token: what stands beside it anybody
 * could change. */
static const char *
nonce_fault(const struct issuer_service *service, const json_t *request)
{
	const struct oc_config_api *api =
	    &issuer_service_config(service)->api;
	const char *nonce = NULL;
	int64_t at = 0, now = oc_clock_now_s();

	if (net_json_get_integer(request, "timestamp", &at) != OC_OK ||
	    net_json_get_string(request, "nonce", &nonce) != OC_OK)
		return "timestamp is a number of seconds, nonce a string";
	if (at != 0 && (at > now + api->auth_window_s ||
	    at < now - api->auth_window_s))
		return "timestamp is too old or too far ahead";
	if (api->require_nonce == OC_SWITCH_NO)
		return NULL;
	if (at == 0 || nonce == NULL || nonce[0] == '\0' ||
	    strlen(nonce) > CFSSL_NONCE_MAX)
		return "timestamp and nonce are required in the request";
	return NULL;
}

/* A token that comes again stands for what was issued for it. */
static void
make_key(struct der_bytes token, uint8_t key[STORE_HASH_LEN])
{
	static const char what[] = "CFSSL authsign token";
	uint8_t text[sizeof(what) + TOKEN_LEN];

	memcpy(text, what, sizeof(what));
	memcpy(text + sizeof(what), token.p, TOKEN_LEN);
	(void)SHA256(text, sizeof(text), key);
}

static void
authsign(struct issuer_service *service, struct net_exchange *exchange,
    struct der_bytes token, struct der_bytes text)
{
	const struct ca_profile *profile;
	uint8_t key[STORE_HASH_LEN];
	struct oc_error error = { 0 };
	struct asked a = { 0 };
	const char *fault;

	if (read_asked(text.p, text.len, &a, &error) != OC_OK) {
		issuer_cfssl_refuse(exchange, 400, CA_RULE_NONE,
		    "Unable to parse authenticated sign request");
		json_decref(a.document);
		return;
	}
	profile = issuer_service_profile(service, a.profile);
	if (profile == NULL || profile->auth_key == NULL)
		issuer_cfssl_refuse(exchange, 400, profile == NULL ?
		    CA_RULE_PROFILE_UNKNOWN : CA_RULE_AUTHENTICATION,
		    "no authentication provider");
	else if (!is_authentic(service, profile, token, text))
		issuer_cfssl_refuse(exchange, 400,
		    CA_RULE_AUTHENTICATION, "invalid token");
	else if ((fault = nonce_fault(service, a.document)) != NULL)
		issuer_cfssl_refuse(exchange, 400,
		    CA_RULE_AUTHENTICATION, fault);
	else if (check(service, exchange, &a) == NULL)
		;
	else if (!is_pem(a.csr)) {
		issuer_cfssl_refuse(exchange, CFSSL_CSR_DECODE,
		    CA_RULE_CSR_MALFORMED, "CSR Decode failed");
	} else {
		make_key(token, key);
		issue(service, exchange, &a, profile, key);
	}
	json_decref(a.document);
}

void
issuer_cfssl_authsign(struct issuer_service *service,
    struct net_exchange *exchange)
{
	const struct net_request *r = net_exchange_request(exchange);
	const char *token_text = "", *request_text = "";
	struct oc_error error = { 0 };
	uint8_t *token = NULL, *request = NULL;
	size_t token_len, request_len;
	json_t *document = NULL;

	if (net_json_parse(r->body, r->body_len, &document, &error) != OC_OK)
		issuer_cfssl_fail(exchange, 400, 400, error.text);
	else if (net_json_get_string(document, "token", &token_text) !=
	    OC_OK || net_json_get_string(document, "request",
	    &request_text) != OC_OK ||
	    decode(token_text, &token, &token_len) != OC_OK ||
	    decode(request_text, &request, &request_len) != OC_OK)
		issuer_cfssl_refuse(exchange, 400, CA_RULE_NONE,
		    "Unable to parse authenticated sign request");
	else
		authsign(service, exchange,
		    (struct der_bytes){ token, token_len },
		    (struct der_bytes){ request, request_len });
	if (token != NULL)
		OPENSSL_cleanse(token, token_len);
	if (request != NULL)
		OPENSSL_cleanse(request, request_len);
	free(token);
	free(request);
	json_decref(document);
}
