/* SPDX-License-Identifier: Apache-2.0 */
/* Accounts and what they have ordered: RFC 8555, 7.1.2.1 and 7.3. */
#include <stdlib.h>
#include <string.h>

#include "acme/contact.h"
#include "issuer/acme.h"

#define PER_PAGE 50
#define HOUR_S INT64_C(3600)

/* --- new ---------------------------------------------------------------- */

enum oc_err
issuer_acme_prepare_new_account(struct acme_call *call)
{
	const json_t *binding = json_object_get(call->payload,
	    "externalAccountBinding");
	const json_t *only = json_object_get(call->payload,
	    "onlyReturnExisting");
	const json_t *agreed = json_object_get(call->payload,
	    "termsOfServiceAgreed");
	struct store_acme_account *a = &call->account;
	enum oc_err err;

	if ((only != NULL && !json_is_boolean(only)) ||
	    (agreed != NULL && !json_is_boolean(agreed)))
		return acme_problem_set(&call->problem, ACME_MALFORMED,
		    "onlyReturnExisting and termsOfServiceAgreed are true or "
		    "false");
	call->only_existing = json_is_true(only);
	a->state = STORE_ACME_VALID;
	a->has_agreed = json_is_true(agreed);
	memcpy(a->thumbprint, call->jws.jwk.thumbprint,
	    sizeof(a->thumbprint));
	if (strlen(call->jws.jwk.text) >= sizeof(a->jwk))
		return acme_problem_set(&call->problem, ACME_BAD_PUBLIC_KEY,
		    "the key is too long");
	strcpy(a->jwk, call->jws.jwk.text);
	err = acme_contacts_read(json_object_get(call->payload, "contact"),
	    a->contacts, sizeof(a->contacts), &call->problem);
	if (err == OC_OK && binding != NULL)
		err = issuer_acme_prepare_binding(call, binding);
	return err;
}

/* Whose it becomes; *key_id is of the external account's key, or 0. */
static enum oc_err
find_registry(struct store *store, struct acme_call *call, int64_t *key_id)
{
	const struct oc_config_acme *config = call->acme->config;
	enum oc_err err;

	*key_id = 0;
	if (call->inner.kid != NULL)
		return issuer_acme_check_binding(store, call, key_id);
	if (config->external_account == OC_EXTERNAL_REQUIRED)
		return acme_problem_set(&call->problem,
		    ACME_EXTERNAL_ACCOUNT_REQUIRED, "an external account is "
		    "required: ask the operator for a key");
	err = store_find_account(store, config->account, &call->registry);
	return err != OC_ERR_NOT_FOUND ? err : acme_problem_set(
	    &call->problem, ACME_SERVER_INTERNAL,
	    "the operator has not made the account %s yet", config->account);
}

static enum oc_err
check_new(struct acme_call *call)
{
	const struct oc_config_acme *config = call->acme->config;

	if (call->registry.state != STORE_ACCOUNT_ACTIVE)
		return acme_problem_set(&call->problem, ACME_UNAUTHORIZED,
		    "account %s is disabled (account)", call->registry.name);
	if (config->terms_of_service != NULL && !call->account.has_agreed)
		return acme_problem_set(&call->problem,
		    ACME_USER_ACTION_REQUIRED, "the terms of service must be "
		    "agreed to: %s", config->terms_of_service);
	return OC_OK;
}

/* On the average one fewer counts after this. */
static enum oc_err
check_accounts_max(struct store *store, struct acme_call *call)
{
	int64_t max = call->acme->config->accounts_max, num;
	enum oc_err err = store_count_acme_accounts(store, call->registry.id,
	    call->now_at - HOUR_S, &num);

	return err != OC_OK || num < max ? err : issuer_acme_limit(call,
	    HOUR_S / max + 1, "too many accounts without an external "
	    "account's key of late: wait, or ask the operator for a key");
}

static enum oc_err
make_account(struct store *store, struct acme_call *call)
{
	int64_t key_id;
	enum oc_err err = find_registry(store, call, &key_id);

	if (err == OC_OK)
		err = check_new(call);
	if (err == OC_OK && key_id == 0)
		err = check_accounts_max(store, call);
	if (err != OC_OK)
		return err;
	call->account.account_id = call->registry.id;
	err = store_add_acme_account(store, &call->account, key_id);
	call->has_made = err == OC_OK;
	if (err == OC_ERR_EXISTS)	/* another host was faster */
		return OC_OK;
	return err != OC_ERR_REFUSED ? err : acme_problem_set(&call->problem,
	    ACME_UNAUTHORIZED, "the external account's key was used, has "
	    "expired or was revoked");
}

/* The key's own account, whatever else is asked for (7.3.1); a key that was
 * given up with its account is nobody's for good (7.3.6). */
enum oc_err
issuer_acme_run_new_account(struct store *store, struct acme_call *call)
{
	struct store_acme_account found;
	enum oc_err err = store_find_acme_key(store,
	    call->account.thumbprint, &found);

	if (err == OC_ERR_NOT_FOUND && call->only_existing)
		return acme_problem_set(&call->problem,
		    ACME_ACCOUNT_DOES_NOT_EXIST, "the key has no account");
	if (err == OC_ERR_NOT_FOUND)
		return make_account(store, call);
	if (err != OC_OK)
		return err;
	if (found.state != STORE_ACME_VALID)
		return acme_problem_set(&call->problem, ACME_UNAUTHORIZED,
		    "the account of this key is %s", found.state ==
		    STORE_ACME_REVOKED ? "revoked" : "deactivated");
	call->account = found;
	return OC_OK;
}

void
issuer_acme_answer_account(struct acme_call *call)
{
	issuer_acme_put_url(call, "Location", "account/%s",
	    call->account.tag);
	issuer_acme_succeed(call, call->has_made ? 201 : 200,
	    acme_account_json(call->acme->base, &call->account));
}

/* --- one ---------------------------------------------------------------- */

/* An account sees itself alone. */
static enum oc_err
check_own(struct acme_call *call)
{
	return strcmp(call->ids[0], call->account.tag) == 0 ? OC_OK :
	    issuer_acme_not_yours(call, "account");
}

static enum oc_err
change_account(struct store *store, struct acme_call *call)
{
	const json_t *contacts = json_object_get(call->payload, "contact");
	const json_t *status = json_object_get(call->payload, "status");
	const json_t *agreed = json_object_get(call->payload,
	    "termsOfServiceAgreed");
	const struct store_acme_account before = call->account;
	struct store_acme_account *a = &call->account;
	enum oc_err err = OC_OK;

	if (status != NULL && (!json_is_string(status) ||
	    strcmp(json_string_value(status), "deactivated") != 0))
		return acme_problem_set(&call->problem, ACME_MALFORMED,
		    "the only status that may be asked for is deactivated");
	if (contacts != NULL)
		err = acme_contacts_read(contacts, a->contacts,
		    sizeof(a->contacts), &call->problem);
	if (err != OC_OK)
		return err;
	if (status != NULL)
		a->state = STORE_ACME_DEACTIVATED;
	a->has_agreed |= json_is_true(agreed);
	/* What changes nothing is in no journal. */
	return status == NULL && a->has_agreed == before.has_agreed &&
	    strcmp(a->contacts, before.contacts) == 0 ? OC_OK :
	    store_change_acme_account(store, a);
}

enum oc_err
issuer_acme_run_account(struct store *store, struct acme_call *call)
{
	enum oc_err err = check_own(call);

	return err != OC_OK || call->payload == NULL ? err :
	    change_account(store, call);
}

/* --- its orders --------------------------------------------------------- */

struct page {
	struct acme_call *call;
	uint32_t num;
	char last[STORE_TAG_LEN + 1];
	bool has_more;
};

static enum oc_err
add_order(void *arg, const struct store_order *order)
{
	struct page *page = arg;
	struct acme_call *call = page->call;

	if (page->num++ == PER_PAGE) {
		page->has_more = true;
		return OC_OK;
	}
	memcpy(page->last, order->tag, sizeof(page->last));
	if (acme_order_state(order, call->now_at) == STORE_ORDER_INVALID)
		return OC_OK;
	return json_array_append_new(call->list, json_sprintf("%sorder/%s",
	    call->acme->base, order->tag)) == 0 ? OC_OK : OC_ERR_NOMEM;
}

/* ?cursor= is the last order of the page before. */
static enum oc_err
find_cursor(struct store *store, struct acme_call *call, int64_t *before_id)
{
	char tag[STORE_TAG_LEN + 2];
	enum oc_err err;

	*before_id = 0;
	if (!net_request_query(net_exchange_request(call->exchange),
	    "cursor", tag, sizeof(tag)))
		return OC_OK;
	err = store_find_order(store, tag, &call->order);
	if (err == OC_OK &&
	    call->order.acme_account_id == call->account.id) {
		*before_id = call->order.id;
		return OC_OK;
	}
	return err != OC_OK && err != OC_ERR_NOT_FOUND ? err :
	    issuer_acme_not_found(call, "page");
}

enum oc_err
issuer_acme_run_orders(struct store *store, struct acme_call *call)
{
	struct page page = { .call = call };
	int64_t before_id;
	enum oc_err err = check_own(call);

	if (err == OC_OK)
		err = find_cursor(store, call, &before_id);
	if (err != OC_OK)
		return err;
	call->list = json_array();
	err = store_list_orders(store, call->account.id, before_id,
	    PER_PAGE + 1, add_order, &page);
	if (err == OC_OK && page.has_more)
		memcpy(call->other_tag, page.last, sizeof(page.last));
	return err;
}

void
issuer_acme_answer_orders(struct acme_call *call)
{
	if (call->other_tag[0] != '\0')
		issuer_acme_put_link(call, "next",
		    "account/%s/orders?cursor=%s", call->account.tag,
		    call->other_tag);
	issuer_acme_succeed(call, 200, json_pack("{s:O}", "orders",
	    call->list));
}
