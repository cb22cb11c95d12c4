/* SPDX-License-Identifier: Apache-2.0 */
/* Proofs: looked for, listed, counted, and removed when they ended long ago. */
#include <string.h>

#include "store/backend.h"
#include "store/detail.h"

enum oc_err
store_get_authorization(struct store *store, int64_t id,
    struct store_authorization *a)
{
	return store->ops->find_proof(store, STORE_PROOF_BY_ID, id, NULL, a);
}

enum oc_err
store_find_authorization(struct store *store, const char *tag,
    struct store_authorization *a)
{
	return store->ops->find_proof(store, STORE_PROOF_BY_TAG, 0, tag, a);
}

enum oc_err
store_find_challenge(struct store *store, const char *tag,
    struct store_authorization *a, struct store_challenge *challenge)
{
	struct store_authorization found;
	enum oc_err err;

	err = store->ops->find_proof(store, STORE_PROOF_BY_CHALLENGE_TAG, 0,
	    tag, &found);
	if (err != OC_OK)
		return err;
	for (uint32_t i = 0; i < found.num_challenges; i++)
		if (strcmp(found.challenges[i].tag, tag) == 0) {
			*a = found;
			*challenge = found.challenges[i];
			return OC_OK;
		}
	return store_fail(store, OC_ERR_NOT_FOUND,
	    "there is no such challenge");
}

/* --- one that holds ----------------------------------------------------- */

struct search {
	const struct store_proof_wish *wish;
	uint32_t methods;
	bool is_found;
	struct store_authorization *found;
};

/* The first is the newest. */
static enum oc_err
judge(void *arg, const struct store_authorization *a)
{
	struct search *search = arg;
	const struct store_proof_wish *w = search->wish;

	if (a->expires_at <= w->now_at ||
	    (search->methods & UINT32_C(1) << a->method) == 0 ||
	    (w->acme_account_id != 0 &&
	    w->acme_account_id != a->acme_account_id) ||
	    (w->kind == STORE_PROOF_PLAIN && a->is_wildcard) ||
	    (w->kind == STORE_PROOF_WILDCARD && !a->is_wildcard))
		return OC_OK;
	search->is_found = true;
	*search->found = *a;
	return OC_ERR_CANCELLED;
}

enum oc_err
store_find_proof(struct store *store, const struct store_proof_wish *wish,
    struct store_authorization *a)
{
	struct store_authorization found;
	struct search search = { .wish = wish, .methods = wish->methods,
		.found = &found };
	const char *name = wish->name;
	enum oc_err err = OC_OK;

	/* Up to the top domain, which is nobody's. */
	while (err == OC_OK && name != NULL) {
		if (search.methods != 0)
			err = store->ops->list_valid_proofs(store,
			    wish->account_id, name, wish->proved_from, judge,
			    &search);
		search.methods = wish->covers;
		name = strchr(name, '.');
		name = name == NULL || strchr(name + 1, '.') == NULL ||
		    wish->covers == 0 ? NULL : name + 1;
	}
	if (search.is_found) {
		*a = found;
		return OC_OK;
	}
	return err != OC_OK ? err : store_fail(store, OC_ERR_NOT_FOUND,
	    "there is no proof of %s that holds", wish->name);
}

/* --- lists -------------------------------------------------------------- */

enum oc_err
store_list_due_challenges(struct store *store, int64_t now_at,
    int64_t until_at, uint32_t num_max, store_challenge_fn *fn, void *arg)
{
	return store->ops->list_due(store, now_at, until_at, num_max, fn,
	    arg);
}

enum oc_err
store_list_authorizations(struct store *store, int64_t account_id,
    int64_t acme_account_id, const char *name, uint32_t num_max,
    store_challenge_fn *fn, void *arg)
{
	return store->ops->list_proofs(store, account_id, acme_account_id,
	    name, num_max, fn, arg);
}

enum oc_err
store_count_authorizations(struct store *store, int64_t account_id,
    const char *name, int64_t now_at, int64_t since_at,
    int64_t *num_pending, int64_t *num_invalid)
{
	int64_t pending;
	enum oc_err err;

	err = store->ops->count_pending(store, account_id, name, now_at,
	    &pending);
	if (err == OC_OK)
		err = store->ops->count_failed(store, account_id, name,
		    since_at, num_invalid);
	if (err == OC_OK)
		*num_pending = pending;
	return err;
}

/* --- the end ------------------------------------------------------------ */

#define PRUNED_MAX 64		/* looked at in one go */
#define PRUNED_BATCHES 16	/* others want to write, too */

/* Inside a change. */
static enum oc_err
prune_orders(struct store *s, int64_t before_at, uint32_t num,
    uint32_t *num_removed)
{
	struct store_ended ended[PRUNED_MAX];
	uint32_t num_ended;
	enum oc_err err;

	err = s->ops->list_ended_orders(s, before_at,
	    num > PRUNED_MAX ? PRUNED_MAX : num, ended, &num_ended);
	for (uint32_t i = 0; err == OC_OK && i < num_ended; i++) {
		err = s->ops->remove_order(s, ended[i].id);
		if (err == OC_OK)
			err = store_add_removal(s, "order-remove", "order",
			    ended[i].id);
		if (err == OC_OK)
			++*num_removed;
	}
	return err;
}

/* Inside a change: of a batch that begins at *from_at, which moves on behind
 * what is kept. */
static enum oc_err
prune_batch(struct store *s, int64_t *from_at, int64_t before_at,
    uint32_t num, uint32_t *num_removed, bool *is_end)
{
	struct store_ended ended[PRUNED_MAX];
	uint32_t num_ended;
	bool has_removed = false;
	enum oc_err err;

	err = s->ops->list_ended_proofs(s, *from_at, before_at, PRUNED_MAX,
	    ended, &num_ended);
	*is_end = err != OC_OK || num_ended < PRUNED_MAX;
	for (uint32_t i = 0; err == OC_OK && i < num_ended; i++) {
		*from_at = ended[i].expires_at;
		if (ended[i].is_kept)
			continue;
		if (*num_removed == num) {
			*is_end = true;
			return OC_OK;
		}
		err = s->ops->remove_proof(s, ended[i].id);
		if (err == OC_OK)
			err = store_add_removal(s, "proof-remove", "proof",
			    ended[i].id);
		has_removed = true;
		++*num_removed;
	}
	if (!*is_end && !has_removed &&
	    ended[0].expires_at == ended[num_ended - 1].expires_at)
		++*from_at;
	return err;
}

/* Inside a change.  What is kept is not looked at again over this
 * connection, or each call would begin with all of that. */
static enum oc_err
prune_proofs(struct store *s, int64_t before_at, uint32_t num,
    uint32_t *num_removed)
{
	bool is_end = false;
	enum oc_err err = OC_OK;

	for (int i = 0; err == OC_OK && !is_end && i < PRUNED_BATCHES; i++)
		err = prune_batch(s, &s->pruned_at, before_at, num,
		    num_removed, &is_end);
	return err;
}

/* Inside a change. */
static enum oc_err
prune(struct store *s, int64_t before_at, uint32_t num,
    uint32_t *num_removed)
{
	enum oc_err err = s->ops->drop_plans(s, before_at);

	if (err == OC_OK)
		err = prune_orders(s, before_at, num, num_removed);
	if (err == OC_OK && *num_removed < num)
		err = prune_proofs(s, before_at, num, num_removed);
	return err;
}

enum oc_err
store_prune_challenges(struct store *store, int64_t before_at, uint32_t num,
    uint32_t *num_removed)
{
	int64_t was = store->pruned_at;
	uint32_t removed = 0;
	enum oc_err err = store_begin_change(store);

	if (err != OC_OK)
		return err;
	err = store_end_change(store, prune(store, before_at, num, &removed));
	if (err == OC_OK)
		*num_removed = removed;
	else
		store->pruned_at = was;
	return err;
}
