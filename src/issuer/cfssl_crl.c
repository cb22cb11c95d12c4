/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CFSSL's crl.  Whoever reaches the address may ask, and each list is a
 * signature, a number for good and a row of the store: one that is new enough
 * and lacks no revocation is handed out again.  Of each CA one list is made
 * at a time; who asks meanwhile is answered by the next, all together,
 * because what they know of may have been revoked behind this one's back.
 *
 * A list is made on a worker with a connection of its own to the records and
 * to the signer, since both block.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "ca/revoke.h"
#include "cfssl/duration.h"
#include "issuer/cfssl.h"

#define LIFETIME_MIN_S 60
#define CHANGES_MAX 64			/* read at once */

struct listing {
	struct issuer_service *service;
	struct issuer_authority *authority;
	struct issuer_work work;
	struct net_exchange **exchanges;	/* who asked; owned */
	size_t num_exchanges;
	struct oc_config_issuer config;		/* with another lifetime */
	struct ca_issuer issuer;		/* a view of the authority's */
	struct ca_crl made;			/* one of these two has it */
	struct store_crl found;
	struct der_bytes der;
	enum oc_err err;
	struct oc_error error;
};

static void
listing_free(struct listing *l)
{
	free(l->exchanges);
	ca_crl_fini(&l->made);
	store_crl_fini(&l->found);
	free(l);
}

/* --- on a worker -------------------------------------------------------- */

/* Whether this CA revoked anything since; what was looked at is not looked at
 * again. */
static enum oc_err
look_for_revoked(const struct listing *l, struct store *store, bool *is_there)
{
	struct issuer_list *list = &l->authority->list;
	struct store_change changes[CHANGES_MAX];
	uint32_t num = CHANGES_MAX, i;
	enum oc_err err = OC_OK;

	*is_there = false;
	while (err == OC_OK && num == CHANGES_MAX) {
		err = store_read_changes(store, list->seq, changes,
		    CHANGES_MAX, &num);
		for (i = 0; err == OC_OK && i < num; i++) {
			*is_there = changes[i].is_revoked &&
			    changes[i].issuer_id == l->issuer.store_id;
			if (*is_there)
				return OC_OK;
			list->seq = changes[i].seq;
		}
	}
	return err;
}

/* The newest one, if it was signed just now and lacks nothing; else der stays
 * empty. */
static enum oc_err
find_recent(struct listing *l, struct store *store)
{
	int64_t now = oc_clock_now_s();
	struct store_crl newest = { 0 };
	bool is_revoked = true;
	enum oc_err err;

	if (!l->authority->list.is_known)
		return OC_OK;
	err = store_find_crl_times(store, l->issuer.store_id, &newest);
	if (err == OC_ERR_NOT_FOUND)
		return OC_OK;
	if (err == OC_OK && newest.this_update <= now &&
	    newest.this_update > now - OC_CRL_AGAIN_S)
		err = look_for_revoked(l, store, &is_revoked);
	if (err == OC_OK && !is_revoked)
		err = store_find_crl(store, l->issuer.store_id, &l->found);
	l->der = (struct der_bytes){ l->found.crl, l->found.crl_len };
	return err;
}

static enum oc_err
sign_new(struct listing *l, struct store *store)
{
	struct issuer_list *list = &l->authority->list;
	const struct oc_config *config = issuer_service_config(l->service);
	struct signer *signer = NULL;
	enum oc_err err;
	int64_t seq;
	char *path;

	if (asprintf(&path, "%s/signer-issuer.sock",
	    config->daemon.run_directory) < 0)
		return OC_ERR_NOMEM;
	err = ipc_signer_new(path, "ocsign-issuer", &signer);
	free(path);
	/* Before its entries are read: it has at least these. */
	if (err == OC_OK)
		err = store_change_seq(store, &seq);
	if (err == OC_OK)
		err = ca_crl_create(&l->issuer, store, signer,
		    oc_clock_mono_ns() + ISSUER_DEADLINE_NS, &l->made,
		    &l->error);
	if (err == OC_OK) {
		list->is_known = true;
		list->seq = seq;
		l->der = (struct der_bytes){ l->made.der, l->made.der_len };
	}
	sign_free(signer);
	return err;
}

static void
make_list(void *arg)
{
	struct listing *l = arg;
	const struct oc_config *config = issuer_service_config(l->service);
	struct store *store = NULL;

	l->err = store_open(oc_config_store_where(config), STORE_WRITE, &store,
	    &l->error);
	if (l->err != OC_OK)
		return;
	store_set_actor(store, "ocsign-issuer");
	l->err = find_recent(l, store);
	if (l->err == OC_OK && l->der.len == 0)
		l->err = sign_new(l, store);
	store_close(store);
}

/* --- on the event loop -------------------------------------------------- */

static void begin(struct issuer_service *service,
    struct issuer_authority *authority);

static void
answer(const struct listing *l, struct net_exchange *exchange,
    const char *text)
{
	if (text != NULL)
		issuer_cfssl_succeed(exchange, json_string(text));
	else if (l->err == OC_ERR_REFUSED)
		issuer_cfssl_fail(exchange, 400, CFSSL_POLICY_REQUEST,
		    l->error.text);
	else
		issuer_cfssl_fail(exchange, 503, 503,
		    "the list could not be made now: try again");
}

static void
list_made(void *arg)
{
	struct listing *l = arg;
	char *text = l->err != OC_OK ? NULL :
	    malloc(OC_BASE64_LEN(l->der.len) + 1);

	if (text != NULL)
		oc_base64_encode(l->der.p, l->der.len, text);
	for (size_t i = 0; i < l->num_exchanges; i++)
		answer(l, l->exchanges[i], text);
	free(text);
	l->authority->list.is_making = false;
	if (l->authority->list.num_waiting > 0)
		begin(l->service, l->authority);
	listing_free(l);
}

/* For all that wait. */
static void
begin(struct issuer_service *service, struct issuer_authority *authority)
{
	struct issuer_list *list = &authority->list;
	struct listing *l = calloc(1, sizeof(*l));
	struct net_exchange **exchanges = list->waiting;
	size_t num = list->num_waiting;

	list->waiting = NULL;
	list->num_waiting = 0;
	if (l != NULL) {
		l->service = service;
		l->authority = authority;
		l->config = *authority->issuer->config;
		l->config.crl_lifetime_s = list->lifetime_s;
		l->issuer = *authority->issuer;
		l->issuer.config = &l->config;
		l->exchanges = exchanges;
		l->num_exchanges = num;
		l->work = (struct issuer_work){ make_list, list_made, l,
		    NULL };
	}
	if (l != NULL && issuer_workers_submit(issuer_service_workers(
	    service), &l->work) == OC_OK) {
		list->is_making = true;
		return;
	}
	for (size_t i = 0; i < num; i++)
		issuer_cfssl_fail(exchanges[i], 503, 503, "busy: try again");
	free(exchanges);
	free(l);
}

/* As many as there are connections at most. */
static void
wait_for_list(struct issuer_service *service, struct net_exchange *exchange,
    struct issuer_authority *authority, int64_t lifetime_s)
{
	struct issuer_list *list = &authority->list;
	struct net_exchange **waiting = reallocarray(list->waiting,
	    list->num_waiting + 1, sizeof(struct net_exchange *));

	if (waiting == NULL) {
		issuer_cfssl_fail(exchange, 500, 500, "out of memory");
		return;
	}
	list->waiting = waiting;
	list->waiting[list->num_waiting++] = exchange;
	list->lifetime_s = lifetime_s;
	if (!list->is_making)
		begin(service, authority);
}

void
issuer_cfssl_crl(struct issuer_service *service,
    struct net_exchange *exchange)
{
	const struct net_request *r = net_exchange_request(exchange);
	struct issuer_authority *authority = issuer_service_find(service,
	    NULL);
	struct oc_error error = { 0 };
	int64_t lifetime_s;
	char expiry[32];

	if (authority == NULL) {
		issuer_cfssl_fail(exchange, 400, 400, "there is no default "
		    "issuer here");
		return;
	}
	lifetime_s = authority->issuer->config->crl_lifetime_s;
	if (net_request_query(r, "expiry", expiry, sizeof(expiry)) &&
	    (cfssl_duration_parse(expiry, &lifetime_s, &error) != OC_OK ||
	    lifetime_s < LIFETIME_MIN_S ||
	    lifetime_s > authority->issuer->config->crl_lifetime_s))
		issuer_cfssl_fail(exchange, 400, 400, error.text[0] != '\0' ?
		    error.text : "expiry: less than a minute, or longer "
		    "than crl-lifetime");
	else
		wait_for_list(service, exchange, authority, lifetime_s);
}
