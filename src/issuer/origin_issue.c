/* SPDX-License-Identifier: Apache-2.0 */
/*
 * POST /client/v4/certificates.  Fields that we do not know are ignored:
 * clients send a whole certificate with most of it empty.  What was sent is
 * kept as it was sent and shown so, for clients that would otherwise see a
 * change.  The same request again, within the certificate's life, is answered
 * with the same certificate: clients repeat what they had no answer to.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/pem.h"
#include "cfssl/key.h"
#include "issuer/cfssl.h"
#include "issuer/origin.h"
#include "issuer/text.h"
#include "net/json.h"

#define DAY_S INT64_C(86400)

/* --- the answer --------------------------------------------------------- */

static json_t *
describe(const struct origin_call *call, const struct issuer_result *result,
    const char *csr)
{
	char id[ISSUER_DECIMAL_MAX], expires_on[ISSUER_TIME_MAX];
	json_t *json;

	issuer_decimal(&result->certificate.serial, id);
	issuer_time(result->not_after, expires_on);
	json = json_pack("{s:s, s:o, s:s, s:O, s:s, s:s, s:I}", "id", id,
	    "certificate", issuer_pem("CERTIFICATE",
	    result->certificate.der, result->certificate.der_len),
	    "csr", csr, "hostnames", call->hostnames,
	    "expires_on", expires_on, "request_type", call->type,
	    "requested_validity", (json_int_t)(result->validity_s / DAY_S));
	issuer_door_explain(call->exchange, json, result->explanation);
	return json;
}

static void
issued(void *arg, const struct issuer_result *result)
{
	struct origin_call *call = arg;

	if (result->err == OC_OK)
		issuer_origin_succeed(call, describe(call, result,
		    call->csr), NULL);
	else
		issuer_origin_fail_rule(call, result->err,
		    result->explanation, result->error.text);
}

/* None: what the profile gives.  What is no life at all is the profile's to
 * refuse. */
static int64_t
validity_of(const struct origin_call *call)
{
	if (!call->has_validity)
		return 0;
	return call->validity_days < 1 ||
	    call->validity_days > INT64_MAX / DAY_S ? -1 :
	    call->validity_days * DAY_S;
}

static struct issuer_order
make_order(struct origin_call *call, const char *csr)
{
	const struct issuer_order order = {
		.authority = call->authority,
		.profile = call->profile,
		.csr = csr, .csr_len = strlen(csr),
		.names = call->names, .policy = call->policy,
		.validity_s = validity_of(call),
		.hostnames = call->hostnames_text,
		.type = call->type,
		.explains = issuer_door_explains(call->exchange),
		.deadline_ns = oc_clock_mono_ns() + ISSUER_DEADLINE_NS,
	};

	return order;
}

static void
submit(struct origin_call *call, const struct issuer_order *order,
    issuer_done_fn *done, void *arg)
{
	if (issuer_issue(call->service, order, done, arg) != OC_OK) {
		issuer_origin_fail(call, 503, ORIGIN_TRY_LATER,
		    "busy: try again");
		return;
	}
	call->names = NULL;
	call->policy = NULL;
}

/* --- what is asked for -------------------------------------------------- */

static enum oc_err
read_document(struct origin_call *call, struct oc_error *error)
{
	const struct net_request *r = net_exchange_request(call->exchange);
	enum oc_err err;

	call->csr = "";
	call->type = "origin-rsa";
	err = net_json_parse(r->body, r->body_len, &call->document, error);
	if (err != OC_OK)
		return err;
	err = net_json_get_string(call->document, "csr", &call->csr);
	if (err == OC_OK)
		err = net_json_get_string(call->document, "request_type",
		    &call->type);
	if (err != OC_OK)
		return oc_error_set(error, err,
		    "csr and request_type are strings");
	if (net_json_get_integer(call->document, "requested_validity",
	    &call->validity_days) != OC_OK)
		return oc_error_set(error, OC_ERR_MALFORMED,
		    "requested_validity is a number of days: 7, 30, 90, 365, "
		    "730, 1095 or 5475");
	call->has_validity = json_is_integer(json_object_get(call->document,
	    "requested_validity"));
	if (net_json_get_strings(call->document, "hostnames",
	    &call->hostnames) != OC_OK || call->hostnames == NULL)
		return oc_error_set(error, OC_ERR_MALFORMED,
		    "hostnames is a list of at least one name");
	return OC_OK;
}

/* On the store's thread, for who was let in: an IDN takes some us. */
static enum oc_err
read_names(struct origin_call *call, struct oc_error *error)
{
	size_t num = json_array_size(call->hostnames);
	enum oc_err err;

	err = ca_names_check_num(num, &call->explanation, error);
	if (err != OC_OK)
		return err;
	call->names = calloc(1, sizeof(*call->names));
	call->hostnames_text = json_dumps(call->hostnames, JSON_COMPACT);
	if (call->names == NULL || call->hostnames_text == NULL)
		return OC_ERR_NOMEM;
	for (size_t i = 0; err == OC_OK && i < num; i++) {
		const json_t *j = json_array_get(call->hostnames, i);

		err = ca_names_add_host(call->names, json_string_value(j),
		    json_string_length(j), &call->explanation, error);
	}
	return err;
}

/* The type says who issues. */
static enum oc_err
find_authority(struct origin_call *call, struct oc_error *error)
{
	const struct oc_config_api *api =
	    &issuer_service_config(call->service)->api;
	const char *name = NULL;

	if (strcmp(call->type, "origin-rsa") == 0)
		name = api->origin_rsa;
	else if (strcmp(call->type, "origin-ecc") == 0)
		name = api->origin_ecc;
	else
		return oc_error_set(error, OC_ERR_UNSUPPORTED,
		    "request_type is origin-rsa or origin-ecc");
	if (name != NULL)
		call->authority = issuer_service_find_name(call->service,
		    name);
	call->profile = issuer_service_origin_profile(call->service,
	    call->type);
	if (call->authority == NULL || call->profile == NULL)
		return oc_error_set(error, OC_ERR_UNSUPPORTED, "nobody "
		    "issues %s here", call->type);
	if (call->authority->info == NULL)
		return oc_error_set(error, OC_ERR_DOWN, "the signer is "
		    "away: try again");
	return OC_OK;
}

static enum oc_err
read_policy(struct store *store, struct origin_call *call,
    struct oc_error *error)
{
	enum oc_err err;

	if (call->document_err != OC_OK) {
		*error = call->document_error;
		return call->document_err;
	}
	err = read_names(call, error);
	if (err != OC_OK)
		return err;
	call->policy = calloc(1, sizeof(*call->policy));
	if (call->policy == NULL)
		return OC_ERR_NOMEM;
	return ca_policy_load(store, &call->account, call->names,
	    call->policy, error);
}

/* --- a key for who has none --------------------------------------------- */

/* An empty csr: as the dashboard does, key and request are made here.  The
 * key is sent once, never stored, never logged; and no two such requests are
 * one, since nobody has the key of the other. */
struct making {
	struct origin_call *call;
	struct issuer_work work;
	int64_t deadline_ns;
	enum oc_err err;
	struct oc_error error;
	char *key_pem, *csr_pem;
};

static void
making_free(struct making *m)
{
	cfssl_pem_free(m->key_pem);
	free(m->csr_pem);
	free(m);
}

static enum oc_err
write_csr(struct making *m, const struct cfssl_key *key,
    struct oc_error *error)
{
	struct cfssl_request *request = calloc(1, sizeof(*request));
	struct oc_buffer pem;
	uint8_t *der = NULL;
	size_t len;
	enum oc_err err;

	if (request == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	err = cfssl_key_csr(key, request, &der, &len, error);
	if (err == OC_OK) {
		oc_buffer_init(&pem, 2 * OC_CSR_MAX);
		oc_pem_write(&pem, "CERTIFICATE REQUEST", der, len);
		err = pem.err;
		m->csr_pem = strdup(oc_buffer_text(&pem));
		oc_buffer_fini(&pem);
	}
	if (err == OC_OK && m->csr_pem == NULL)
		err = oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	free(der);
	free(request);
	return err;
}

static void
make_key(void *arg)
{
	struct making *m = arg;
	bool is_rsa = strcmp(m->call->type, "origin-rsa") == 0;
	struct cfssl_key *key = NULL;

	if (oc_clock_mono_ns() >= m->deadline_ns) {
		m->err = oc_error_set(&m->error, OC_ERR_TIMEOUT,
		    "busy: try again");
		return;
	}
	m->err = cfssl_key_new(is_rsa ? SIGN_KEY_RSA : SIGN_KEY_P256,
	    is_rsa ? 2048 : 256, &key, &m->error);
	if (m->err == OC_OK)
		m->err = cfssl_key_pem(key, &m->key_pem, &m->error);
	if (m->err == OC_OK)
		m->err = write_csr(m, key, &m->error);
	cfssl_key_free(key);
}

static void
issued_with_key(void *arg, const struct issuer_result *result)
{
	struct making *m = arg;
	json_t *json;

	if (result->err != OC_OK) {
		issued(m->call, result);
	} else {
		json = describe(m->call, result, m->csr_pem);
		json_object_set_new(json, "private_key",
		    json_string(m->key_pem));
		issuer_origin_succeed(m->call, json, NULL);
	}
	making_free(m);
}

static void
key_made(void *arg)
{
	struct making *m = arg;
	struct issuer_order order;
	struct origin_call *call = m->call;

	if (m->err != OC_OK) {
		issuer_origin_fail_rule(call, m->err, &call->explanation,
		    m->error.text);
		making_free(m);
		return;
	}
	order = make_order(call, m->csr_pem);
	if (issuer_issue(call->service, &order, issued_with_key, m) !=
	    OC_OK) {
		issuer_origin_fail(call, 503, ORIGIN_TRY_LATER,
		    "busy: try again");
		making_free(m);
		return;
	}
	call->names = NULL;
	call->policy = NULL;
}

static void
begin_making(struct origin_call *call)
{
	struct making *m = calloc(1, sizeof(*m));

	if (m != NULL) {
		m->call = call;
		m->deadline_ns = oc_clock_mono_ns() + ISSUER_DEADLINE_NS;
		m->work = (struct issuer_work){ make_key, key_made, m,
		    NULL };
	}
	if (m == NULL || issuer_workers_submit(issuer_service_makers(
	    call->service, ISSUER_KEYS_OF_ACCOUNTS), &m->work) != OC_OK) {
		free(m);
		issuer_origin_fail(call, 503, ORIGIN_TRY_LATER,
		    "busy: try again");
	}
}

/* --- in order ----------------------------------------------------------- */

static void
begin_issuing(struct origin_call *call)
{
	struct oc_error error = { 0 };
	struct issuer_order order;
	enum oc_err err = find_authority(call, &error);

	if (err != OC_OK) {
		issuer_origin_fail_rule(call, err, &call->explanation,
		    error.text);
		return;
	}
	if (call->csr[0] == '\0') {
		begin_making(call);
		return;
	}
	order = make_order(call, call->csr);
	order.has_csr_key = true;
	submit(call, &order, issued, call);
}

void
issuer_origin_create(struct origin_call *call)
{
	const struct net_request *r = net_exchange_request(call->exchange);

	if (net_request_field(r, "Content-Type") != NULL &&
	    !net_request_is_type(r, "application/json")) {
		issuer_origin_fail(call, 415, ORIGIN_BAD_REQUEST,
		    "Content-Type is application/json");
		return;
	}
	/* What is wrong with it is said to who is let in. */
	call->document_err = read_document(call, &call->document_error);
	issuer_origin_begin(call, read_policy, begin_issuing);
}
