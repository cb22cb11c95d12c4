/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CFSSL's revoke and ocspsign.
 *
 * ocspsign hands out the response that responders give.  What status a
 * certificate has, ocsign-status decides from the records, and our socket of
 * the signer signs no response: a status that is not the record's is refused
 * with CFSSL's code for it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/log.h"
#include "ipc/handover.h"
#include "issuer/cfssl.h"
#include "issuer/revocation.h"
#include "issuer/text.h"
#include "net/json.h"
#include "x509/file.h"

/* --- revoke ------------------------------------------------------------- */

static void
fail_revocation(struct net_exchange *exchange,
    const struct issuer_revoked *r)
{
	switch (issuer_fault_of(r->err)) {
	case ISSUER_REFUSED:
		issuer_cfssl_fail(exchange, 400, CFSSL_POLICY_REQUEST,
		    r->error.text);
		return;
	case ISSUER_AWAY:
		issuer_cfssl_fail(exchange, 503, 503, "busy: try again");
		return;
	case ISSUER_BROKEN:
		break;
	}
	oc_log(OC_LOG_ERROR, "revoking: %s", r->error.text);
	issuer_cfssl_fail(exchange, 500, 500,
	    "the revocation could not be recorded");
}

static void
revoked(void *arg, const struct issuer_revoked *r)
{
	struct net_exchange *exchange = arg;

	if (r->err == OC_OK)
		issuer_cfssl_succeed(exchange, issuer_revoked_describe(r));
	else if (r->err == OC_ERR_NOT_FOUND)
		issuer_cfssl_fail(exchange, 400, CFSSL_STORE_NOT_FOUND,
		    r->error.text);
	else
		fail_revocation(exchange, r);
}

static void
revoke(struct issuer_service *service, struct net_exchange *exchange,
    const char *serial_text, const char *key_id, const char *reason_text)
{
	enum crl_reason reason = CRL_REASON_UNSPECIFIED;
	struct issuer_authority *authority;
	struct oc_error error = { 0 };
	struct oc_serial serial;

	authority = issuer_cfssl_find_by_key_id(service, key_id);
	if (oc_serial_parse(serial_text, &serial, &error) != OC_OK)
		issuer_cfssl_fail(exchange, 400, 400, error.text);
	else if (reason_text[0] != '\0' && crl_reason_parse(reason_text,
	    &reason, &error) != OC_OK)
		issuer_cfssl_fail(exchange, 400, 400, error.text);
	else if (authority == NULL)
		issuer_cfssl_fail(exchange, 400, CFSSL_STORE_NOT_FOUND,
		    "no CA here has this authority_key_id");
	else if (issuer_revoke(service, authority, &serial, reason, revoked,
	    exchange) != OC_OK)
		issuer_cfssl_fail(exchange, 503, 503, "busy: try again");
}

void
issuer_cfssl_revoke(struct issuer_service *service,
    struct net_exchange *exchange)
{
	const struct net_request *r = net_exchange_request(exchange);
	const char *serial = "", *key_id = "", *reason = "";
	struct oc_error error = { 0 };
	json_t *document = NULL;

	if (net_json_parse(r->body, r->body_len, &document, &error) !=
	    OC_OK || net_json_get_string(document, "serial", &serial) !=
	    OC_OK || net_json_get_string(document, "authority_key_id",
	    &key_id) != OC_OK || net_json_get_string(document, "reason",
	    &reason) != OC_OK)
		issuer_cfssl_fail(exchange, 400, 400,
		    "Unable to parse revocation request");
	else if (serial[0] == '\0')
		issuer_cfssl_fail(exchange, 400, 400,
		    "serial number is required but not provided");
	else if (key_id[0] == '\0')
		issuer_cfssl_fail(exchange, 400, 400,
		    "authority key identifier is required but not provided");
	else
		revoke(service, exchange, serial, key_id, reason);
	json_decref(document);
}

/* --- ocspsign ----------------------------------------------------------- */

struct asking {
	const struct issuer_service *service;
	struct net_exchange *exchange;
	struct issuer_work work;
	const char *issuer;
	struct oc_serial serial;
	enum ocsp_cert_status wanted;
	int which;			/* OCSP_PROOF_SHA1 or _SHA256 */
	enum oc_err err;
	struct oc_error error;
	struct ocsp_proof proof;
};

static void
ask(void *arg)
{
	struct asking *a = arg;
	uint64_t run = ipc_handover_run();

	a->err = ocsp_proof_read(issuer_service_config(a->service),
	    a->issuer, &a->serial, &run, &a->proof, &a->error);
}

static void
asked(void *arg)
{
	struct asking *a = arg;
	size_t len = a->proof.of[a->which].response_len;
	char *text = malloc(OC_BASE64_LEN(len) + 1);

	if (a->err != OC_OK || !a->proof.of[a->which].is_there) {
		issuer_cfssl_fail(a->exchange, 503, 503, a->err != OC_OK ?
		    a->error.text : "there is no response with a CertID of "
		    "this hash yet");
	} else if (a->proof.of[a->which].status.kind != a->wanted) {
		issuer_cfssl_fail(a->exchange, 400, CFSSL_OCSP_STATUS,
		    "that is not its status in the records, which alone "
		    "decide; revoke it to change that");
	} else if (text == NULL) {
		issuer_cfssl_fail(a->exchange, 500, 500, "out of memory");
	} else {
		oc_base64_encode(a->proof.of[a->which].response, len, text);
		issuer_cfssl_succeed(a->exchange, json_pack("{s:s}",
		    "ocspResponse", text));
	}
	free(text);
	free(a);
}

/* Which of ours issued it. */
static const char *
find_issuer(struct issuer_service *service, const char *pem,
    struct oc_serial *serial)
{
	struct x509_cert *cert = calloc(1, sizeof(*cert));
	struct issuer_authority *authority = NULL;
	struct oc_error ignored = { 0 };
	uint8_t *der = NULL;
	size_t len;

	if (cert != NULL && x509_file_parse("certificate",
	    (const uint8_t *)pem, strlen(pem), X509_FILE_CERTIFICATE, &der,
	    &len, &ignored) == OC_OK && x509_cert_read((struct der_bytes){ der,
	    len }, cert, NULL) == OC_OK) {
		authority = issuer_service_find_key_id(service,
		    cert->extensions.authority_key_id);
		*serial = cert->serial;
	}
	if (authority != NULL && x509_cert_verify_issued(cert,
	    &authority->issuer->cert, NULL) != OC_OK)
		authority = NULL;
	free(der);
	free(cert);
	return authority == NULL ? NULL : authority->issuer->config->name;
}

static void
begin_asking(struct issuer_service *service, struct net_exchange *exchange,
    const char *pem, const char *status, const char *hash)
{
	struct asking *a = calloc(1, sizeof(*a));

	if (a == NULL) {
		issuer_cfssl_fail(exchange, 500, 500, "out of memory");
		return;
	}
	a->service = service;
	a->exchange = exchange;
	a->which = strcmp(hash, "SHA256") == 0 ? OCSP_PROOF_SHA256 :
	    OCSP_PROOF_SHA1;
	a->wanted = strcmp(status, "revoked") == 0 ? OCSP_REVOKED :
	    OCSP_GOOD;
	a->work = (struct issuer_work){ ask, asked, a, NULL };
	a->issuer = find_issuer(service, pem, &a->serial);
	if (a->issuer == NULL)
		issuer_cfssl_fail(exchange, 400, CFSSL_OCSP_MISMATCH,
		    "Certificate not issued by this issuer");
	else if (strcmp(status, "good") != 0 &&
	    strcmp(status, "revoked") != 0)
		issuer_cfssl_fail(exchange, 400, CFSSL_OCSP_STATUS,
		    "Invalid status");
	else if (hash[0] != '\0' && strcmp(hash, "SHA1") != 0 &&
	    strcmp(hash, "SHA256") != 0)
		issuer_cfssl_fail(exchange, 400, 400,
		    "Unsupported hash algorithm in request");
	else if (issuer_workers_submit(issuer_service_workers(service),
	    &a->work) != OC_OK)
		issuer_cfssl_fail(exchange, 503, 503, "busy: try again");
	else
		return;
	free(a);
}

void
issuer_cfssl_ocspsign(struct issuer_service *service,
    struct net_exchange *exchange)
{
	const struct net_request *r = net_exchange_request(exchange);
	const char *pem = "", *status = "good", *hash = "";
	struct oc_error error = { 0 };
	json_t *document = NULL;

	if (net_json_parse(r->body, r->body_len, &document, &error) !=
	    OC_OK || net_json_get_string(document, "certificate", &pem) !=
	    OC_OK || net_json_get_string(document, "status", &status) !=
	    OC_OK || net_json_get_string(document, "issuer_hash", &hash) !=
	    OC_OK)
		issuer_cfssl_fail(exchange, 400, 400, error.text[0] != '\0' ?
		    error.text : "Unable to parse sign request");
	else
		begin_asking(service, exchange, pem, status, hash);
	json_decref(document);
}
