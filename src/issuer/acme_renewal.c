/* SPDX-License-Identifier: Apache-2.0 */
/* When to renew, and what an order replaces: RFC 9773. */
#include <stdlib.h>
#include <string.h>

#include "issuer/acme.h"
#include "issuer/text.h"

enum oc_err
issuer_acme_find_issued(struct store *store, struct acme_call *call,
    issuer_is_fn *is_it, const void *arg, const struct oc_serial *serial)
{
	struct issuer_service *service = call->acme->service;
	struct issuer_authority *own = issuer_service_find_name(service,
	    call->acme->config->issuer);
	struct store_order order = { .id = 0 };
	enum oc_err err;

	call->authority = own != NULL && is_it(own->issuer, arg) ? own :
	    issuer_service_find_by(service, is_it, arg);
	if (call->authority == NULL)
		return OC_ERR_NOT_FOUND;
	err = store_find_certificate(store,
	    call->authority->issuer->store_id, serial, &call->certificate);
	if (err == OC_OK && call->authority != own) {
		err = store_find_order_of(store, call->certificate.id,
		    &order);
		store_order_fini(&order);
	}
	return err;
}

static bool
has_key_id(const struct ca_issuer *issuer, const void *arg)
{
	const struct acme_certificate_id *id = arg;

	return id->key_id_len == issuer->key_id_len &&
	    memcmp(id->key_id, issuer->key_id, id->key_id_len) == 0;
}

static enum oc_err
find_certificate(struct store *store, struct acme_call *call)
{
	enum oc_err err = issuer_acme_find_issued(store, call, has_key_id,
	    &call->certificate_id, &call->certificate_id.serial);

	return err == OC_OK && call->certificate.state != STORE_ISSUED ?
	    OC_ERR_NOT_FOUND : err;
}

/* --- renewal-info ------------------------------------------------------- */

enum oc_err
issuer_acme_run_renewal(struct store *store, struct acme_call *call)
{
	enum oc_err err;

	if (acme_certificate_id_parse(call->ids[0], &call->certificate_id) !=
	    OC_OK)
		return acme_problem_set(&call->problem, ACME_MALFORMED,
		    "this is no certificate's identifier (RFC 9773, 4.1)");
	err = find_certificate(store, call);
	return err != OC_ERR_NOT_FOUND ? err :
	    issuer_acme_not_found(call, "certificate");
}

void
issuer_acme_answer_renewal(struct acme_call *call)
{
	const struct store_certificate *c = &call->certificate;
	char start[ISSUER_TIME_MAX], end[ISSUER_TIME_MAX];
	struct acme_window window;

	acme_window_of(c->not_before, c->not_after, c->is_revoked ?
	    c->revoked_at : 0, &window);
	issuer_time(window.start, start);
	issuer_time(window.end, end);
	issuer_acme_put_retry(call, call->acme->config->renewal_retry_s);
	issuer_acme_succeed(call, 200, json_pack("{s:{s:s, s:s}}",
	    "suggestedWindow", "start", start, "end", end));
}

/* --- replaces ----------------------------------------------------------- */

/* Of "DNS:a\nDNS:b", as the records have them. */
static bool
has_name(const char *names, const struct der_bytes *name)
{
	const char *p = names;

	while (p != NULL && *p != '\0') {
		size_t len = strcspn(p, "\n");

		if (len == name->len + 4 && memcmp(p, "DNS:", 4) == 0 &&
		    memcmp(p + 4, name->p, name->len) == 0)
			return true;
		p += len;
		p += *p == '\n';
	}
	return false;
}

static uint32_t
count_shared(const struct acme_call *call)
{
	uint32_t num = 0;

	for (uint32_t i = 0; i < call->names->num_sans; i++)
		num += has_name(call->certificate.names,
		    &call->names->sans[i].value);
	return num;
}

/* As renewal-info has said. */
static bool
is_due(const struct acme_call *call)
{
	const struct store_certificate *c = &call->certificate;
	struct acme_window window;

	acme_window_of(c->not_before, c->not_after, c->is_revoked ?
	    c->revoked_at : 0, &window);
	return window.start <= call->now_at;
}

/* RFC 9773, 5: of the same account, and for some of the same names.  That
 * nobody has replaced it yet, the order's transaction says. */
enum oc_err
issuer_acme_check_replaces(struct store *store, struct acme_call *call)
{
	struct store_order before = { .id = 0 };
	uint32_t num_shared;
	bool is_own;
	enum oc_err err = find_certificate(store, call);

	if (err == OC_OK)
		err = store_find_order_of(store, call->certificate.id,
		    &before);
	is_own = err == OC_OK &&
	    before.acme_account_id == call->account.id;
	store_order_fini(&before);
	if (err != OC_OK && err != OC_ERR_NOT_FOUND)
		return err;
	num_shared = is_own ? count_shared(call) : 0;
	if (num_shared == 0)
		return acme_problem_set(&call->problem, ACME_MALFORMED,
		    "replaces is no certificate that this account has "
		    "ordered with one of these names");
	call->order.replaces_id = call->certificate.id;
	call->is_renewal = num_shared == call->names->num_sans &&
	    is_due(call);
	return OC_OK;
}
