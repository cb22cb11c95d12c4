/* SPDX-License-Identifier: Apache-2.0 */
/* Orders as they are, and their certificates: RFC 8555, 7.1.3, 7.4.2. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/pem.h"
#include "base/value.h"
#include "issuer/acme.h"

/* Until it is signed, or proven. */
#define PROCESSING_RETRY_S 1
#define PENDING_RETRY_S 3

#define PEM_MAX (32 * OC_CERTIFICATE_MAX)

/* --- orders ------------------------------------------------------------- */

/* The identifier of what it replaces, made again from the record. */
static enum oc_err
load_replaces(struct store *store, struct acme_call *call)
{
	const struct issuer_authority *authority = issuer_service_find_name(
	    call->acme->service, call->acme->config->issuer);
	struct store_asked asked = { .certificate = { .id = 0 } };
	enum oc_err err;

	if (call->order.replaces_id == 0 || authority == NULL)
		return OC_OK;
	err = store_get_asked(store, call->order.replaces_id, &asked);
	if (err != OC_OK)
		return err == OC_ERR_NOT_FOUND ? OC_OK : err;
	acme_certificate_id_format((struct der_bytes){
	    authority->issuer->key_id, authority->issuer->key_id_len },
	    &asked.certificate.serial, call->replaces);
	store_asked_fini(&asked);
	return OC_OK;
}

/* For CAA: RFC 8657, 4. */
static void
put_proof(struct acme_call *call, const struct store_authorization *a)
{
	struct issuer_proof *proof = &call->proofs->list[call->proofs->num++];
	bool is_acme = a->method == STORE_METHOD_HTTP_01 ||
	    a->method == STORE_METHOD_DNS_01;

	snprintf(proof->name, sizeof(proof->name), "%s", a->name);
	proof->is_wildcard = a->is_wildcard;
	if (a->method != 0)
		snprintf(proof->method, sizeof(proof->method), "%s%s",
		    is_acme ? "" : "ca-", store_method_text(a->method));
}

static enum oc_err
load_tags(struct store *store, struct acme_call *call)
{
	const struct store_order *order = &call->order;
	struct store_authorization *a = malloc(sizeof(*a));
	enum oc_err err = a == NULL ? OC_ERR_NOMEM : OC_OK;

	free(call->tags);
	call->tags = calloc(order->num_authorizations + 1,
	    sizeof(*call->tags));
	if (call->tags == NULL)
		err = OC_ERR_NOMEM;
	for (uint32_t i = 0; err == OC_OK && i < order->num_authorizations;
	    i++) {
		err = store_get_authorization(store,
		    order->authorization_ids[i], a);
		if (err == OC_OK)
			memcpy(call->tags[i], a->tag,
			    sizeof(call->tags[i]));
		if (err == OC_OK && call->proofs != NULL)
			put_proof(call, a);
	}
	free(a);
	return err;
}

enum oc_err
issuer_acme_load_order(struct store *store, struct acme_call *call)
{
	enum oc_err err;

	store_order_fini(&call->order);
	memset(&call->order, 0, sizeof(call->order));
	if (call->proofs != NULL)
		call->proofs->num = 0;
	err = store_find_order(store, call->ids[0], &call->order);
	if (err == OC_ERR_NOT_FOUND)
		return issuer_acme_not_found(call, "order");
	if (err == OC_OK && call->order.acme_account_id != call->account.id)
		return issuer_acme_not_yours(call, "order");
	return err;
}

enum oc_err
issuer_acme_run_order(struct store *store, struct acme_call *call)
{
	enum oc_err err = issuer_acme_load_order(store, call);

	if (err == OC_OK)
		err = load_tags(store, call);
	if (err == OC_OK)
		err = load_replaces(store, call);
	return err;
}

void
issuer_acme_answer_order(struct acme_call *call)
{
	struct acme_order_view view = {
		.order = &call->order,
		.tags = (const char (*)[STORE_TAG_LEN + 1])call->tags,
		.replaces = call->replaces[0] != '\0' ? call->replaces : NULL,
		.now_at = call->now_at,
	};

	issuer_acme_put_url(call, "Location", "order/%s", call->order.tag);
	if (call->order.state == STORE_ORDER_PROCESSING)
		issuer_acme_put_retry(call, PROCESSING_RETRY_S);
	else if (call->order.state == STORE_ORDER_PENDING && !call->has_made)
		issuer_acme_put_retry(call, PENDING_RETRY_S);
	issuer_acme_succeed(call, call->has_made ? 201 : 200,
	    acme_order_json(call->acme->base, &view));
}

/* --- certificates ------------------------------------------------------- */

enum oc_err
issuer_acme_run_certificate(struct store *store, struct acme_call *call)
{
	enum oc_err err = issuer_acme_load_order(store, call);

	if (err == OC_OK && call->order.state != STORE_ORDER_VALID)
		return issuer_acme_not_found(call, "certificate");
	return err != OC_OK ? err : store_get_asked(store,
	    call->order.certificate_id, &call->asked);
}

static bool
find_chain(const struct acme_call *call, size_t *number)
{
	int64_t n = 0;

	if (call->ids[1][0] != '\0' && oc_value_int(call->ids[1], 1,
	    ACME_CHAINS_MAX, &n, NULL) != OC_OK)
		return false;
	*number = (size_t)n;
	return *number < call->acme->num_chains;
}

/* Each chain links to the others: 7.4.2. */
static void
put_alternates(struct acme_call *call, size_t number)
{
	for (size_t i = 0; i < call->acme->num_chains; i++)
		if (i == number)
			continue;
		else if (i == 0)
			issuer_acme_put_link(call, "alternate",
			    "certificate/%s", call->order.tag);
		else
			issuer_acme_put_link(call, "alternate",
			    "certificate/%s/%zu", call->order.tag, i);
}

/* No text between the blocks, and each ends with one line end: some clients
 * look for that. */
void
issuer_acme_answer_certificate(struct acme_call *call)
{
	const struct store_certificate *c = &call->asked.certificate;
	struct oc_buffer pem;
	size_t number;

	if (!find_chain(call, &number) || c->certificate == NULL) {
		(void)issuer_acme_not_found(call, "certificate");
		issuer_acme_fail(call, OC_OK, "");
		return;
	}
	put_alternates(call, number);
	oc_buffer_init(&pem, PEM_MAX);
	oc_pem_write(&pem, "CERTIFICATE", c->certificate,
	    c->certificate_len);
	oc_buffer_put_text(&pem, call->acme->chains[number]);
	if (pem.err == OC_OK)
		issuer_acme_succeed_text(call,
		    "application/pem-certificate-chain", &pem);
	else
		issuer_acme_fail(call, pem.err, oc_strerror(pem.err));
	oc_buffer_fini(&pem);
}
