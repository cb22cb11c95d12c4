/* SPDX-License-Identifier: Apache-2.0 */
/* CRLs: a number taken for good, then what was signed under it. */
#include <openssl/evp.h>
#include <string.h>

#include "base/clock.h"
#include "store/backend.h"
#include "store/detail.h"

void
store_crl_fini(struct store_crl *crl)
{
	oc_mapping_fini(&crl->mapping);
	memset(crl, 0, sizeof(*crl));
}

static struct store_crl
crl_of(const struct store_crl_row *row)
{
	struct store_crl crl = {
		.id = row->id,
		.number = row->number,
		.base_number = row->base_number,
		.this_update = row->this_update,
		.next_update = row->next_update,
		.partition = row->partition,
		.change_seq = row->change_seq,
		.num_entries = row->num_entries
	};

	memcpy(crl.point, row->point, sizeof(crl.point));
	return crl;
}

/* --- reserving ---------------------------------------------------------- */

/* Inside a change. */
static enum oc_err
take_number(struct store *s, struct store_crl_row *row)
{
	uint32_t counter;
	enum oc_err err;

	err = s->ops->read_epoch(s, &s->epoch);
	if (err == OC_OK)
		err = s->ops->take_crl_counter(s, row->issuer_id, &counter);
	if (err == OC_OK)
		row->number = ((uint64_t)s->epoch << 32) + counter;
	return err;
}

/* Inside a change: its entries, read in the same, are as of change_seq. */
static enum oc_err
reserve_crl(struct store *s, struct store_crl_row *row)
{
	struct store_head head;
	struct store_detail d;
	enum oc_err err;

	err = s->ops->find_issuer_name(s, row->issuer_id, row->issuer);
	if (err == OC_OK && row->number == 0)
		err = take_number(s, row);
	if (err == OC_OK)
		err = store_read_head(s, &head);
	if (err != OC_OK)
		return err;
	row->change_seq = head.change_seq;
	row->reserved_at = oc_clock_now_s();
	err = s->ops->add_crl(s, row, &row->id);
	if (err != OC_OK)
		return err;
	store_detail_crl_reserve(&d, row);
	return store_add_entry(s, "crl-reserve", d.text);
}

static enum oc_err
check_list(struct store *s, const struct store_crl_reservation *r,
    struct store_crl_row *row)
{
	size_t len = r->point == NULL ? 0 : strlen(r->point);

	if (r->next_update < r->this_update)
		return store_fail(s, OC_ERR_MALFORMED,
		    "nextUpdate is before thisUpdate");
	if (len > STORE_CRL_POINT_MAX)
		return store_fail(s, OC_ERR_LIMIT, "a distribution point "
		    "has more than %d octets", STORE_CRL_POINT_MAX);
	if ((r->scope.kind == STORE_CRL_DELTA) != (r->base_number != 0) ||
	    (r->number != 0 && r->number < r->base_number))
		return store_fail(s, OC_ERR_MALFORMED, "a delta, and only "
		    "that, is to a list of no higher number");
	*row = (struct store_crl_row){
		.issuer_id = r->scope.issuer_id,
		.partition = r->scope.partition,
		.number = r->number,
		.base_number = r->base_number,
		.this_update = r->this_update,
		.next_update = r->next_update,
		.num_entries = -1
	};
	if (len > 0)
		memcpy(row->point, r->point, len);
	return OC_OK;
}

enum oc_err
store_reserve_list(struct store *store, const struct store_crl_reservation *r,
    struct store_crl *crl)
{
	struct store_crl_row row;
	enum oc_err err;

	err = check_list(store, r, &row);
	if (err == OC_OK)
		err = store_begin_change(store);
	if (err != OC_OK)
		return err;
	err = store_end_change(store, reserve_crl(store, &row));
	if (err == OC_OK)
		*crl = crl_of(&row);
	return err;
}

enum oc_err
store_reserve_crl(struct store *store, int64_t issuer_id,
    int64_t this_update, int64_t next_update, int64_t *id, uint64_t *number)
{
	const struct store_crl_reservation r = {
		.scope = { .issuer_id = issuer_id },
		.this_update = this_update,
		.next_update = next_update
	};
	struct store_crl crl;
	enum oc_err err = store_reserve_list(store, &r, &crl);

	if (err != OC_OK)
		return err;
	*id = crl.id;
	*number = crl.number;
	return OC_OK;
}

/* --- issuing ------------------------------------------------------------ */

static enum oc_err
add_parts(struct store *s, int64_t id, struct store_blob crl)
{
	enum oc_err err = OC_OK;

	for (uint32_t n = 0; err == OC_OK && crl.len > 0; n++) {
		struct store_blob part = { crl.p, crl.len <
		    STORE_CRL_PART_LEN ? crl.len : STORE_CRL_PART_LEN };

		err = s->ops->add_crl_part(s, id, n, part);
		crl.p += part.len;
		crl.len -= part.len;
	}
	return err;
}

/* Inside a change. */
static enum oc_err
issue_crl(struct store *s, int64_t id, struct store_blob crl,
    int64_t num_entries)
{
	struct store_crl_row row = { 0 };
	uint8_t hash[STORE_HASH_LEN];
	struct store_detail d;
	enum oc_err err;

	err = s->ops->get_crl(s, id, &row);
	if (err == OC_ERR_NOT_FOUND || (err == OC_OK && row.is_issued))
		return store_fail(s, OC_ERR_MISMATCH, "record %lld is not "
		    "waiting for its CRL", (long long)id);
	if (err == OC_OK)
		err = s->ops->set_crl_issued(s, id, oc_clock_now_s(),
		    crl.len, num_entries);
	if (err == OC_OK)
		err = add_parts(s, id, crl);
	if (err != OC_OK)
		return err;
	if (EVP_Digest(crl.p, crl.len, hash, NULL, EVP_sha256(), NULL) != 1)
		return store_fail(s, OC_ERR_INTERNAL, "SHA-256 failed");
	store_detail_crl(&d, &row, hash);
	return store_add_entry(s, "crl", d.text);
}

static enum oc_err
issue(struct store *store, int64_t id, struct store_blob crl,
    int64_t num_entries)
{
	enum oc_err err;

	/* The signature and its algorithm stand behind the TBS. */
	err = store_check_blob(store, "the CRL", crl,
	    (size_t)OC_TBS_MAX + OC_SIGNATURE_MAX + 1024);
	if (err == OC_OK)
		err = store_begin_change(store);
	if (err != OC_OK)
		return err;
	return store_end_change(store, issue_crl(store, id, crl,
	    num_entries));
}

enum oc_err
store_issue_list(struct store *store, int64_t id, struct store_blob crl,
    uint32_t num_entries)
{
	return issue(store, id, crl, num_entries);
}

enum oc_err
store_issue_crl(struct store *store, int64_t id, struct store_blob crl)
{
	return issue(store, id, crl, -1);
}

/* --- reading ------------------------------------------------------------ */

struct walk {
	struct store *store;
	const struct store_crl_row *row;
	store_crl_part_fn *fn;
	void *arg;
	uint32_t num;
	uint64_t len;
};

static enum oc_err
say_damaged(const struct walk *w)
{
	return store_fail(w->store, OC_ERR_STORE, "the file is damaged: CRL "
	    "%lld is not whole: restore a backup", (long long)w->row->id);
}

static enum oc_err
take_part(void *arg, uint32_t number, struct store_blob part)
{
	struct walk *w = arg;

	if (number != w->num || part.len == 0 ||
	    part.len > w->row->crl_len - w->len)
		return say_damaged(w);
	w->num++;
	w->len += part.len;
	return w->fn(w->arg, number, part);
}

enum oc_err
store_walk_crl(struct store *s, const struct store_crl_row *row,
    store_crl_part_fn *fn, void *arg)
{
	struct walk w = { s, row, fn, arg, 0, 0 };
	enum oc_err err = s->ops->list_crl_parts(s, row->id, take_part, &w);

	return err == OC_OK && w.len != row->crl_len ? say_damaged(&w) : err;
}

static enum oc_err
put_part(void *arg, uint32_t number, struct store_blob part)
{
	struct oc_spool *spool = arg;

	(void)number;
	oc_spool_put(spool, part.p, part.len);
	return spool->err;
}

/* With its octets, if there are any. */
static enum oc_err
read_crl(struct store *s, const struct store_crl_row *row,
    struct store_crl *crl)
{
	struct store_crl read = crl_of(row);
	struct oc_spool spool;
	enum oc_err err, walked = OC_OK;

	if (row->crl_len == 0) {
		*crl = read;
		return OC_OK;
	}
	err = oc_spool_open(&spool, "ocsign-crl", row->crl_len);
	if (err == OC_OK)
		err = walked = store_walk_crl(s, row, put_part, &spool);
	if (err == OC_OK)
		err = oc_spool_seal(&spool);
	if (err == OC_OK)
		err = oc_spool_map(&spool, 0, &read.mapping);
	/* Not of the database's own failures, which it has put in words. */
	if (err != OC_OK && (walked == OC_OK || spool.err != OC_OK))
		(void)store_fail(s, err, "there is no room in memory for CRL "
		    "%lld: %s", (long long)row->id, oc_strerror(err));
	oc_spool_close(&spool);
	if (err != OC_OK)
		return err;
	read.crl = read.mapping.bytes;
	read.crl_len = read.mapping.len;
	*crl = read;
	return OC_OK;
}

static enum oc_err
find_row(struct store *store, const struct store_crl_scope *scope,
    struct store_crl_row *row)
{
	enum oc_err err = store->ops->find_crl(store, scope, row);

	if (err == OC_ERR_NOT_FOUND)
		return store_fail(store, err, "no CRL of this issuer was "
		    "issued yet");
	return err;
}

enum oc_err
store_find_list(struct store *store, const struct store_crl_scope *scope,
    struct store_crl *crl)
{
	struct store_crl_row row;
	enum oc_err err = find_row(store, scope, &row);

	return err == OC_OK ? read_crl(store, &row, crl) : err;
}

enum oc_err
store_find_list_times(struct store *store,
    const struct store_crl_scope *scope, struct store_crl *crl)
{
	struct store_crl_row row;
	enum oc_err err = find_row(store, scope, &row);

	if (err == OC_OK)
		*crl = crl_of(&row);
	return err;
}

enum oc_err
store_find_list_base(struct store *store, const struct store_crl_scope *scope,
    const char *point, int64_t now_at, struct store_crl *crl)
{
	struct store_crl_row row;
	enum oc_err err = store->ops->find_crl_base(store, scope, point,
	    now_at, &row);

	if (err == OC_OK)
		*crl = crl_of(&row);
	return err;
}

enum oc_err
store_find_crl(struct store *store, int64_t issuer_id, struct store_crl *crl)
{
	const struct store_crl_scope scope = { .issuer_id = issuer_id };

	return store_find_list(store, &scope, crl);
}

enum oc_err
store_find_crl_times(struct store *store, int64_t issuer_id,
    struct store_crl *crl)
{
	const struct store_crl_scope scope = { .issuer_id = issuer_id };

	return store_find_list_times(store, &scope, crl);
}

/* --- how publishing stands ---------------------------------------------- */

static enum oc_err
find_life(struct store *s, const struct store_crl_scope *scope,
    const char *point, struct store_crl_life *life)
{
	struct store_crl_row row;
	enum oc_err err = s->ops->find_crl(s, scope, &row);

	*life = (struct store_crl_life){ .change_seq = -1 };
	if (err == OC_ERR_NOT_FOUND)
		return OC_OK;
	if (err == OC_OK)
		*life = (struct store_crl_life){ row.number, row.this_update,
		    row.next_update, row.change_seq,
		    strcmp(row.point, point) == 0 };
	return err;
}

/* Of both kinds the newest that somebody may be at. */
static enum oc_err
find_reserved(struct store *s, const struct store_crl_scope *scope,
    struct store_crl_standing *standing)
{
	struct store_crl_row row;
	enum oc_err err = s->ops->find_reserved_crl(s, scope, &row);

	if (err == OC_ERR_NOT_FOUND)
		return OC_OK;
	if (err == OC_OK && row.number >= standing->reserved_number) {
		standing->reserved_number = row.number;
		standing->reserved_at = row.reserved_at;
	}
	return err;
}

enum oc_err
store_find_crl_standing(struct store *store, int64_t issuer_id,
    uint32_t partition, const char *point,
    struct store_crl_standing *standing)
{
	struct store_crl_scope scope = { issuer_id, partition,
	    STORE_CRL_FULL };
	struct store_crl_standing read = { .reserved_number = 0 };
	enum oc_err err;

	/* What is reserved comes first: what is issued between these questions
	 * is then at worst told as both, and never as neither. */
	err = find_reserved(store, &scope, &read);
	scope.kind = STORE_CRL_DELTA;
	if (err == OC_OK)
		err = find_reserved(store, &scope, &read);
	if (err == OC_OK)
		err = find_life(store, &scope, point, &read.delta);
	scope.kind = STORE_CRL_FULL;
	if (err == OC_OK)
		err = find_life(store, &scope, point, &read.full);
	if (err == OC_OK)
		*standing = read;
	return err;
}

/* More than that since the last time is everything. */
#define NEWS_MAX 1000

enum oc_err
store_list_crl_news(struct store *store, int64_t issuer_id, int64_t *id,
    store_crl_news_fn *fn, void *arg)
{
	struct store_crl_row row;
	int64_t id_max = 0;
	enum oc_err err;

	err = store->ops->find_id_max(store, STORE_TABLE_CRL, &id_max);
	if (err == OC_OK && (id_max < *id || id_max - *id > NEWS_MAX)) {
		fn(arg, STORE_ALL_PARTITIONS);
		*id = id_max;
	}
	while (err == OC_OK && *id < id_max) {
		err = store->ops->get_crl(store, *id + 1, &row);
		if (err == OC_OK && row.issuer_id == issuer_id)
			fn(arg, row.partition);
		if (err == OC_ERR_NOT_FOUND)
			err = OC_OK;
		*id += err == OC_OK;
	}
	return err;
}

static enum oc_err
list_crl(struct store *store, int64_t id, store_crl_fn *fn, void *arg)
{
	struct store_crl_record record = { 0 };
	struct store_crl_row row;
	enum oc_err err;

	err = store->ops->get_crl(store, id, &row);
	if (err == OC_ERR_NOT_FOUND)
		return OC_OK;
	if (err == OC_OK)
		err = read_crl(store, &row, &record.crl);
	if (err != OC_OK)
		return err;
	memcpy(record.issuer, row.issuer, sizeof(record.issuer));
	err = fn(arg, &record);
	store_crl_fini(&record.crl);
	return err;
}

enum oc_err
store_list_crls(struct store *store, store_crl_fn *fn, void *arg)
{
	int64_t id_max = 0;
	enum oc_err err;

	oc_assert(store->depth == 0);
	err = store->ops->begin_read(store);
	if (err != OC_OK)
		return err;
	err = store->ops->find_id_max(store, STORE_TABLE_CRL, &id_max);
	for (int64_t id = 1; err == OC_OK && id <= id_max; id++)
		err = list_crl(store, id, fn, arg);
	store->ops->rollback(store);
	return err;
}

/* --- who is on them ----------------------------------------------------- */

enum oc_err
store_list_partition(struct store *store,
    const struct store_revoked_filter *filter, store_revoked_fn *fn,
    void *arg)
{
	return store->ops->list_revoked(store, filter, fn, arg);
}

enum oc_err
store_list_released(struct store *store,
    const struct store_revoked_filter *filter, store_revoked_fn *fn,
    void *arg)
{
	return store->ops->list_released(store, filter, fn, arg);
}

enum oc_err
store_has_revoked(struct store *store,
    const struct store_revoked_filter *filter, bool *has)
{
	return store->ops->find_status_change(store, filter, has);
}

enum oc_err
store_list_touched(struct store *store, int64_t issuer_id, int64_t *seq,
    store_touched_fn *fn, void *arg)
{
	struct store_head head;
	enum oc_err err = store_read_head(store, &head);

	if (err == OC_OK && head.change_seq > *seq)
		err = store->ops->list_touched(store, issuer_id, *seq,
		    head.change_seq, fn, arg);
	if (err == OC_OK)
		*seq = head.change_seq;
	return err;
}

enum oc_err
store_last_crl_partition(struct store *store, int64_t issuer_id,
    uint32_t *partition)
{
	return store->ops->find_last_partition(store, issuer_id, partition);
}
