/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/due.h"

#include "base/clock.h"
#include "base/crl_schedule.h"

static uint32_t
num_partitions(const struct ca_due *d)
{
	return 1 + (uint32_t)d->issuer->config->crl_partitions;
}

static bool
has_deltas(const struct ca_due *d)
{
	return d->issuer->config->crl_delta_url != NULL;
}

/* --- what is known ------------------------------------------------------ */

void
ca_due_forget(struct ca_due *d)
{
	*d = (struct ca_due){ .issuer = d->issuer };
}

static void
note_news(void *arg, uint32_t partition)
{
	struct ca_due *d = arg;

	if (partition <= OC_CRL_PARTITIONS_MAX)
		d->partitions[partition].is_known = false;
	else
		for (uint32_t i = 0; i <= OC_CRL_PARTITIONS_MAX; i++)
			d->partitions[i].is_known = false;
}

static void
note_touched(void *arg, uint32_t partition, int64_t seq)
{
	struct ca_due *d = arg;

	if (partition <= OC_CRL_PARTITIONS_MAX &&
	    d->partitions[partition].touched_seq < seq)
		d->partitions[partition].touched_seq = seq;
}

/* Up to where its lists together say all; -1: nobody knows. */
static int64_t
whole_seq(const struct ca_due *d, const struct ca_due_partition *p)
{
	const struct store_crl_standing *s = &p->standing;

	return has_deltas(d) && s->delta.change_seq > s->full.change_seq ?
	    s->delta.change_seq : s->full.change_seq;
}

static enum oc_err
look_at(struct ca_due *d, struct store *store, uint32_t partition,
    struct oc_error *error)
{
	struct ca_due_partition *p = &d->partitions[partition];
	char point[OC_CRL_URL_MAX + 1];
	enum oc_err err;

	if (p->is_known && p->standing.reserved_number == 0)
		return OC_OK;
	err = ca_crl_point(d->issuer, partition, point, error);
	if (err != OC_OK)
		return err;
	err = store_find_crl_standing(store, d->issuer->store_id, partition,
	    point, &p->standing);
	p->is_known = err == OC_OK;
	return err == OC_OK ? OC_OK :
	    oc_error_set(error, err, "%s", store_error(store));
}

/* What all lists have is not looked for. */
static int64_t
least_seq(const struct ca_due *d)
{
	int64_t least = INT64_MAX;

	for (uint32_t i = 0; i < num_partitions(d); i++) {
		int64_t seq = whole_seq(d, &d->partitions[i]);

		if (seq >= 0 && seq < least)
			least = seq;
	}
	return least == INT64_MAX ? 0 : least;
}

static enum oc_err
look(struct ca_due *d, struct store *store, struct oc_error *error)
{
	int64_t id = d->issuer->store_id;
	enum oc_err err;

	oc_assert(id != 0);
	err = store_list_crl_news(store, id, &d->seen_id, note_news, d);
	if (err != OC_OK)
		return oc_error_set(error, err, "%s", store_error(store));
	for (uint32_t i = 0; err == OC_OK && i < num_partitions(d); i++)
		err = look_at(d, store, i, error);
	if (err != OC_OK ||
	    d->issuer->config->crl_publish != OC_PUBLISH_AT_ONCE)
		return err;
	if (!d->has_looked)
		d->seen_seq = least_seq(d);
	err = store_list_touched(store, id, &d->seen_seq, note_touched, d);
	d->has_looked = err == OC_OK;
	return err == OC_OK ? OC_OK :
	    oc_error_set(error, err, "%s", store_error(store));
}

/* --- when ---------------------------------------------------------------- */

/* One that has another point is none that counts; nor, where there are deltas,
 * one of which nobody knows what it says. */
static int64_t
list_due_at(const struct ca_due *d, const struct store_crl_life *life,
    bool is_delta, int64_t now)
{
	if (life->number == 0 || !life->has_point ||
	    (has_deltas(d) && life->change_seq < 0) ||
	    oc_crl_is_of_future(life->this_update, now))
		return 0;
	return oc_crl_due_at(d->issuer->config, is_delta, life->this_update,
	    life->next_update);
}

static bool
is_lacking(const struct ca_due *d, const struct ca_due_partition *p)
{
	int64_t seq = whole_seq(d, p);

	return d->issuer->config->crl_publish == OC_PUBLISH_AT_ONCE &&
	    (seq < 0 || p->touched_seq > seq);
}

/* After the newest list of both kinds. */
static int64_t
at_once_at(const struct ca_due *d, const struct ca_due_partition *p)
{
	const struct store_crl_standing *s = &p->standing;

	return oc_crl_at_once_at(d->issuer->config, has_deltas(d) &&
	    s->delta.this_update > s->full.this_update ?
	    s->delta.this_update : s->full.this_update);
}

/* Somebody else is at it until then; 0: nobody. */
static int64_t
claimed_until(const struct ca_due_partition *p, int64_t now)
{
	const struct store_crl_standing *s = &p->standing;

	if (s->reserved_number == 0 || s->reserved_number == p->own_number ||
	    s->reserved_at > now + CA_DUE_CLAIM_S)
		return 0;
	return s->reserved_at + CA_DUE_CLAIM_S;
}

/* Deltas were made once, and are no more: the newest full list was made with
 * one, or is older than the last, and so may still name where they are. */
static bool
names_lost_delta(const struct ca_due *d, const struct store_crl_standing *s)
{
	return !has_deltas(d) && s->delta.number != 0 &&
	    s->delta.number >= s->full.number;
}

/* What is due now, of enum ca_crl_kinds, and when something is. */
static int64_t
partition_due_at(const struct ca_due *d, uint32_t partition, int64_t now,
    unsigned int *kinds)
{
	const struct ca_due_partition *p = &d->partitions[partition];
	int64_t full_at = names_lost_delta(d, &p->standing) ? 0 :
	    list_due_at(d, &p->standing.full, false, now);
	int64_t at = full_at, other = claimed_until(p, now);

	if (has_deltas(d)) {
		int64_t delta_at = list_due_at(d, &p->standing.delta, true,
		    now);

		at = delta_at < at ? delta_at : at;
	}
	if (is_lacking(d, p) && at_once_at(d, p) < at)
		at = at_once_at(d, p);
	*kinds = 0;
	if (at <= now && other <= now)
		*kinds = !has_deltas(d) ? CA_CRL_FULL : CA_CRL_DELTA |
		    (full_at <= now ? CA_CRL_FULL : 0);
	return at > other ? at : other;
}

enum oc_err
ca_due_look(struct ca_due *d, struct store *store, int64_t *due_at,
    struct oc_error *error)
{
	enum oc_err err = ca_crl_check_partitions(d->issuer, store, error);
	int64_t now = oc_clock_now_s(), least = INT64_MAX;
	unsigned int kinds;

	if (err == OC_OK)
		err = look(d, store, error);
	if (err != OC_OK)
		return err;
	for (uint32_t i = 0; i < num_partitions(d); i++) {
		int64_t at = partition_due_at(d, i, now, &kinds);

		least = at < least ? at : least;
	}
	*due_at = least;
	return OC_OK;
}

/* --- doing it ------------------------------------------------------------ */

/* By what is known; false: none. */
static bool
find_latest(const struct ca_due *d, uint32_t *partition)
{
	int64_t now = oc_clock_now_s(), best_at = 0, at;
	const struct ca_due_partition *best = NULL, *p;
	unsigned int kinds;

	for (uint32_t i = 0; i < num_partitions(d); i++) {
		p = &d->partitions[i];
		at = partition_due_at(d, i, now, &kinds);
		if (kinds == 0 || (best != NULL &&
		    (p->num_failures > best->num_failures ||
		    (p->num_failures == best->num_failures && at >= best_at))))
			continue;
		best = p;
		best_at = at;
		*partition = i;
	}
	return best != NULL;
}

/* Under the lock of whoever changes the records. */
static enum oc_err
look_again(void *arg, struct store *store, uint32_t partition,
    const char *point, unsigned int *kinds)
{
	struct ca_due *d = arg;
	enum oc_err err = look(d, store, NULL);

	(void)point;
	if (err == OC_OK)
		(void)partition_due_at(d, partition, oc_clock_now_s(), kinds);
	return err;
}

/* Nobody has failed, but there is nothing to do any more. */
static enum oc_err
say_none(struct oc_error *error)
{
	return oc_error_set(error, OC_ERR_EXISTS, "another has made it");
}

enum oc_err
ca_due_publish(struct ca_due *d, struct store *store, struct signer *signer,
    struct ca_publication *publication, struct oc_error *error)
{
	struct ca_crl_choice choice = { .choose = look_again, .arg = d };
	struct ca_publish_order order = { .choice = &choice,
	    .sign_ns = CA_DUE_SIGN_S * OC_NS_PER_S };
	struct ca_due_partition *p;
	enum oc_err err = look(d, store, error);

	if (err != OC_OK)
		return err;
	if (!find_latest(d, &order.partition))
		return say_none(error);
	err = ca_publish(d->issuer, store, signer, &order, publication,
	    error);
	p = &d->partitions[order.partition];
	if (choice.number != 0) {
		p->own_number = choice.number;
		p->is_known = false;
	}
	if (err != OC_OK) {
		p->num_failures++;
		return d->issuer->config->crl_partitions == 0 ? err :
		    oc_error_prefix(error, "partition %u", order.partition);
	}
	if (publication->num == 0) {
		ca_publication_fini(publication);
		return say_none(error);
	}
	p->num_failures = 0;
	return OC_OK;
}
