/* SPDX-License-Identifier: Apache-2.0 */
/* Revoking: RFC 8555, 7.6.  Who may: the account that ordered it, one that has
 * proven all its names, or whoever has its key. */
#include <stdlib.h>
#include <string.h>

#include "acme/base64url.h"
#include "issuer/acme.h"
#include "issuer/revocation.h"
#include "issuer/text.h"

/* --- on a worker -------------------------------------------------------- */

/* Those that a subscriber can know of: RFC 5280, 5.3.1. */
static enum oc_err
read_reason(struct acme_call *call)
{
	const json_t *value = json_object_get(call->payload, "reason");
	json_int_t reason = value == NULL ? 0 : json_integer_value(value);

	if (value != NULL && !json_is_integer(value))
		return acme_problem_set(&call->problem, ACME_MALFORMED,
		    "reason is a number");
	switch (reason) {
	case CRL_REASON_UNSPECIFIED:
	case CRL_REASON_KEY_COMPROMISE:
	case CRL_REASON_AFFILIATION_CHANGED:
	case CRL_REASON_SUPERSEDED:
	case CRL_REASON_CESSATION_OF_OPERATION:
	case CRL_REASON_PRIVILEGE_WITHDRAWN:
		call->reason = (enum crl_reason)reason;
		return OC_OK;
	}
	return acme_problem_set(&call->problem, ACME_BAD_REVOCATION_REASON,
	    "reasons are 0, 1, 3, 4, 5 and 9 here");
}

static enum oc_err
read_names(struct acme_call *call)
{
	const struct x509_extensions *e = &call->cert->extensions;
	enum oc_err err = OC_OK;

	call->other_names = calloc(1, sizeof(*call->other_names));
	if (call->other_names == NULL)
		return OC_ERR_NOMEM;
	for (uint32_t i = 0; err == OC_OK && i < e->num_sans; i++)
		err = ca_names_add(call->other_names, &e->sans[i], NULL,
		    NULL);
	return err;
}

enum oc_err
issuer_acme_prepare_revoke(struct acme_call *call)
{
	const json_t *text = json_object_get(call->payload, "certificate");
	struct oc_error error = { 0 };
	enum oc_err err = read_reason(call);

	if (err != OC_OK)
		return err;
	call->der = malloc(OC_CERTIFICATE_MAX);
	call->cert = calloc(1, sizeof(*call->cert));
	if (call->der == NULL || call->cert == NULL)
		return OC_ERR_NOMEM;
	if (!json_is_string(text) || acme_base64url_decode(
	    json_string_value(text), json_string_length(text), call->der,
	    OC_CERTIFICATE_MAX, &call->der_len) != OC_OK)
		return acme_problem_set(&call->problem, ACME_MALFORMED,
		    "certificate is one, DER in base64url");
	err = x509_cert_read((struct der_bytes){ call->der, call->der_len },
	    call->cert, &error);
	if (err != OC_OK)
		return acme_problem_set(&call->problem, ACME_MALFORMED,
		    "the certificate: %s", error.text);
	return read_names(call);
}

/* --- on the store's thread ---------------------------------------------- */

static bool
has_subject(const struct ca_issuer *issuer, const void *arg)
{
	return der_bytes_equal(issuer->cert.subject,
	    *(const struct der_bytes *)arg);
}

/* The very one that was issued. */
static enum oc_err
find_certificate(struct store *store, struct acme_call *call)
{
	struct store_certificate *c = &call->certificate;
	enum oc_err err = issuer_acme_find_issued(store, call, has_subject,
	    &call->cert->issuer, &call->cert->serial);

	if (err == OC_OK && (c->certificate == NULL ||
	    c->certificate_len != call->der_len ||
	    memcmp(c->certificate, call->der, call->der_len) != 0))
		err = OC_ERR_NOT_FOUND;
	return err != OC_ERR_NOT_FOUND ? err :
	    issuer_acme_not_found(call, "certificate");
}

static enum oc_err
check_proofs(struct store *store, struct acme_call *call)
{
	const struct ca_names *names = call->other_names;
	struct acme_name name;
	enum oc_err err = names->num_sans > 0 ? OC_OK : OC_ERR_NOT_FOUND;

	call->authorization = calloc(1, sizeof(*call->authorization));
	if (call->authorization == NULL)
		return OC_ERR_NOMEM;
	for (uint32_t i = 0; err == OC_OK && i < names->num_sans; i++) {
		if (names->sans[i].kind != X509_SAN_DNS) {
			err = OC_ERR_NOT_FOUND;
			break;
		}
		acme_names_get(names, i, &name);
		err = issuer_acme_find_proof(store, call, &name,
		    call->authorization);
	}
	return err != OC_ERR_NOT_FOUND ? err : acme_problem_set(
	    &call->problem, ACME_UNAUTHORIZED, "the account has neither "
	    "ordered this certificate nor proven all its names");
}

enum oc_err
issuer_acme_run_revoke(struct store *store, struct acme_call *call)
{
	enum oc_err err;

	if (call->jws.has_jwk) {
		if (!acme_jwk_is_spki(&call->jws.jwk, call->cert->spki.p,
		    call->cert->spki.len))
			return acme_problem_set(&call->problem,
			    ACME_UNAUTHORIZED, "this key is not the "
			    "certificate's");
		return find_certificate(store, call);
	}
	err = find_certificate(store, call);
	if (err != OC_OK)
		return err;
	err = store_find_order_of(store, call->certificate.id, &call->order);
	if (err == OC_OK && call->order.acme_account_id == call->account.id)
		return OC_OK;
	return err != OC_OK && err != OC_ERR_NOT_FOUND ? err :
	    check_proofs(store, call);
}

/* --- on the event loop -------------------------------------------------- */

static void
revoked(void *arg, const struct issuer_revoked *result)
{
	struct acme_call *call = arg;

	if (result->err == OC_OK && !result->was_revoked) {
		issuer_acme_succeed_empty(call, 200);
		return;
	}
	if (result->err == OC_OK)
		(void)acme_problem_set(&call->problem, ACME_ALREADY_REVOKED,
		    "the certificate was revoked before");
	issuer_acme_fail(call, result->err, result->error.text);
}

void
issuer_acme_answer_revoke(struct acme_call *call)
{
	enum oc_err err = issuer_revoke(call->acme->service, call->authority,
	    &call->cert->serial, call->reason, revoked, call);

	if (err != OC_OK)
		issuer_acme_fail(call, err, "busy: try again");
}
