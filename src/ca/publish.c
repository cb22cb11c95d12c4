/* SPDX-License-Identifier: Apache-2.0 */
/* Which lists of an issuer are due, and all of them made, or none. */
#include "ca/publish.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/crl_schedule.h"

/* A full one and a delta, of each partition and of what is in none. */
#define LISTS_MAX (2 * (OC_CRL_PARTITIONS_MAX + 1))

struct publishing {
	struct ca_issuer *issuer;
	struct store *store;
	struct signer *signer;
	const struct ca_publish_order *order;
	struct ca_crl_key key;
	int64_t now;
	struct ca_crl_draft drafts[LISTS_MAX];
	uint32_t num;
};

void
ca_publication_fini(struct ca_publication *publication)
{
	for (uint32_t i = 0; i < publication->num; i++)
		ca_crl_fini(&publication->lists[i]);
	free(publication->lists);
	*publication = (struct ca_publication){ 0 };
}

/* --- what is due -------------------------------------------------------- */

struct newest {
	struct store_crl full, delta;	/* id 0: none that counts */
};

/* One that has another point, or of which nobody knows what it says, is none
 * to go on from. */
static enum oc_err
find_newest(const struct publishing *p, uint32_t partition,
    enum store_crl_kind kind, const char *point, struct store_crl *crl)
{
	const struct store_crl_scope scope = { p->issuer->store_id, partition,
	    kind };
	struct store_crl found = { .id = 0 };
	enum oc_err err = store_find_list_times(p->store, &scope, &found);

	if (err == OC_ERR_NOT_FOUND)
		return OC_OK;
	if (err == OC_OK && found.change_seq >= 0 &&
	    strcmp(found.point, point) == 0)
		*crl = found;
	return err;
}

static bool
is_old(const struct publishing *p, const struct store_crl *crl, int64_t age_s)
{
	return crl->id == 0 || p->now - crl->this_update >= age_s ||
	    p->now >= crl->next_update ||
	    oc_crl_is_of_future(crl->this_update, p->now);
}

static enum oc_err
has_changed(const struct publishing *p, uint32_t partition,
    const struct newest *newest, bool *has)
{
	struct store_revoked_filter filter = { .issuer_id =
	    p->issuer->store_id, .partition = partition,
	    .after_seq = newest->full.change_seq };

	if (newest->delta.id != 0 &&
	    newest->delta.change_seq > filter.after_seq)
		filter.after_seq = newest->delta.change_seq;
	return store_has_revoked(p->store, &filter, has);
}

/* By the ages of the order. */
static enum oc_err
choose(void *arg, struct store *store, uint32_t partition, const char *point,
    unsigned int *kinds)
{
	const struct publishing *p = arg;
	bool has_deltas = p->issuer->config->crl_delta_url != NULL;
	struct newest newest = { { .id = 0 }, { .id = 0 } };
	bool is_full_due, is_delta_due, is_changed = false;
	enum oc_err err;

	oc_assert(store == p->store);
	err = find_newest(p, partition, STORE_CRL_FULL, point, &newest.full);
	if (err == OC_OK)
		err = find_newest(p, partition, STORE_CRL_DELTA, point,
		    &newest.delta);
	if (err == OC_OK && p->order->on_change && newest.full.id != 0)
		err = has_changed(p, partition, &newest, &is_changed);
	if (err != OC_OK)
		return err;
	/* Without deltas any more, one that may still name where they are. */
	is_full_due = is_old(p, &newest.full, p->order->full_age_s) ||
	    (!has_deltas && (is_changed || (newest.delta.id != 0 &&
	    newest.delta.number >= newest.full.number)));
	is_delta_due = has_deltas && (is_full_due || is_changed ||
	    is_old(p, &newest.delta, p->order->delta_age_s));
	*kinds = (is_full_due ? CA_CRL_FULL : 0) |
	    (is_delta_due ? CA_CRL_DELTA : 0);
	return OC_OK;
}

/* --- all of them -------------------------------------------------------- */

static enum oc_err
reserve_partition(struct publishing *p, uint32_t partition,
    struct oc_error *error)
{
	struct ca_crl_choice by_age = { .choose = choose, .arg = p };
	uint32_t num;
	enum oc_err err;

	err = ca_crl_reserve(p->issuer, p->store, &p->key, partition,
	    p->order->choice != NULL ? p->order->choice : &by_age,
	    p->drafts + p->num, &num, error);
	if (err == OC_OK)
		p->num += num;
	return err;
}

static enum oc_err
sign_all(struct publishing *p, struct oc_error *error)
{
	const struct ca_publish_order *order = p->order;
	enum oc_err err = OC_OK;

	for (uint32_t i = 0; err == OC_OK && i < p->num; i++) {
		if (order->progress != NULL)
			order->progress(order->arg, i, p->num);
		err = ca_crl_sign(p->signer, &p->key, oc_clock_mono_ns() +
		    order->sign_ns, &p->drafts[i], error);
	}
	if (err == OC_OK && order->progress != NULL)
		order->progress(order->arg, p->num, p->num);
	return err;
}

static enum oc_err
publish(struct publishing *p, struct oc_error *error)
{
	uint32_t num = 1 + (uint32_t)p->issuer->config->crl_partitions, i = 0;
	enum oc_err err;

	oc_assert(2 * num <= LISTS_MAX && p->issuer->store_id != 0);
	err = ca_crl_find_key(p->issuer, p->signer, oc_clock_mono_ns() +
	    p->order->sign_ns, &p->key, error);
	if (err == OC_OK)
		err = ca_crl_check_partitions(p->issuer, p->store, error);
	if (p->order->choice != NULL) {
		i = p->order->partition;
		num = i + 1;
	}
	for (; err == OC_OK && i < num; i++)
		err = reserve_partition(p, i, error);
	if (err == OC_OK)
		err = sign_all(p, error);
	if (err == OC_OK && p->num > 0)
		err = ca_crl_record(p->store, p->drafts, p->num, error);
	return err;
}

static enum oc_err
hand_over(struct publishing *p, struct ca_publication *out,
    struct oc_error *error)
{
	struct ca_crl *lists = calloc(p->num + (size_t)1, sizeof(*lists));

	if (lists == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	for (uint32_t i = 0; i < p->num; i++) {
		lists[i] = p->drafts[i].crl;
		p->drafts[i].crl = (struct ca_crl){ 0 };
	}
	out->lists = lists;
	out->num = p->num;
	return OC_OK;
}

enum oc_err
ca_publish(struct ca_issuer *issuer, struct store *store,
    struct signer *signer, const struct ca_publish_order *order,
    struct ca_publication *publication, struct oc_error *error)
{
	struct publishing *p = calloc(1, sizeof(*p));
	enum oc_err err;

	if (p == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	p->issuer = issuer;
	p->store = store;
	p->signer = signer;
	p->order = order;
	p->now = oc_clock_now_s();
	err = publish(p, error);
	if (err == OC_OK)
		err = hand_over(p, publication, error);
	for (uint32_t i = 0; i < p->num; i++)
		ca_crl_fini(&p->drafts[i].crl);
	free(p);
	return err;
}
