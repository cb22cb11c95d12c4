/* SPDX-License-Identifier: Apache-2.0 */
/* CRLs: a number taken for good, then what was signed under it. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "store/backend.h"
#include "store/detail.h"

void
store_crl_fini(struct store_crl *crl)
{
	free(crl->crl);
	memset(crl, 0, sizeof(*crl));
}

/* Inside a change. */
static enum oc_err
reserve_crl(struct store *s, struct store_crl_row *row)
{
	struct store_detail d;
	uint32_t counter;
	enum oc_err err;

	err = s->ops->find_issuer_name(s, row->issuer_id, row->issuer);
	if (err == OC_OK)
		err = s->ops->read_epoch(s, &s->epoch);
	if (err == OC_OK)
		err = s->ops->take_crl_counter(s, row->issuer_id, &counter);
	if (err != OC_OK)
		return err;
	row->number = ((uint64_t)s->epoch << 32) + counter;
	err = s->ops->add_crl(s, row->issuer_id, row->number,
	    row->this_update, row->next_update, oc_clock_now_s(), &row->id);
	if (err != OC_OK)
		return err;
	store_detail_crl_reserve(&d, row);
	return store_add_entry(s, "crl-reserve", d.text);
}

enum oc_err
store_reserve_crl(struct store *store, int64_t issuer_id,
    int64_t this_update, int64_t next_update, int64_t *id, uint64_t *number)
{
	struct store_crl_row row = {
		.issuer_id = issuer_id,
		.this_update = this_update,
		.next_update = next_update
	};
	enum oc_err err;

	if (next_update < this_update)
		return store_fail(store, OC_ERR_MALFORMED,
		    "nextUpdate is before thisUpdate");
	err = store_begin_change(store);
	if (err != OC_OK)
		return err;
	err = store_end_change(store, reserve_crl(store, &row));
	if (err != OC_OK)
		return err;
	*id = row.id;
	*number = row.number;
	return OC_OK;
}

/* Inside a change. */
static enum oc_err
issue_crl(struct store *s, int64_t id, struct store_blob crl)
{
	struct store_crl_row row = { 0 };
	struct store_detail d;
	enum oc_err err;

	err = s->ops->get_crl(s, id, &row);
	free(row.crl);
	if (err == OC_ERR_NOT_FOUND || (err == OC_OK && row.is_issued))
		return store_fail(s, OC_ERR_MISMATCH, "record %lld is not "
		    "waiting for its CRL", (long long)id);
	if (err == OC_OK)
		err = s->ops->set_crl_issued(s, id, oc_clock_now_s(), crl);
	if (err != OC_OK)
		return err;
	if (store_detail_crl(&d, &row, crl) != OC_OK)
		return store_fail(s, OC_ERR_INTERNAL, "SHA-256 failed");
	return store_add_entry(s, "crl", d.text);
}

enum oc_err
store_issue_crl(struct store *store, int64_t id, struct store_blob crl)
{
	enum oc_err err;

	/* The signature and its algorithm stand behind the TBS. */
	err = store_check_blob(store, "the CRL", crl,
	    (size_t)OC_TBS_MAX + OC_SIGNATURE_MAX + 1024);
	if (err == OC_OK)
		err = store_begin_change(store);
	if (err != OC_OK)
		return err;
	return store_end_change(store, issue_crl(store, id, crl));
}

static enum oc_err
say_none(struct store *store, enum oc_err err)
{
	if (err == OC_ERR_NOT_FOUND)
		return store_fail(store, err, "no CRL of this issuer was "
		    "issued yet");
	return err;
}

enum oc_err
store_find_crl(struct store *store, int64_t issuer_id, struct store_crl *crl)
{
	return say_none(store, store->ops->find_crl(store, issuer_id, crl));
}

enum oc_err
store_find_crl_times(struct store *store, int64_t issuer_id,
    struct store_crl *crl)
{
	return say_none(store, store->ops->find_crl_times(store, issuer_id,
	    crl));
}

static enum oc_err
list_crl(struct store *store, int64_t id, store_crl_fn *fn, void *arg)
{
	struct store_crl_record record;
	struct store_crl_row row = { 0 };
	enum oc_err err;

	err = store->ops->get_crl(store, id, &row);
	if (err == OC_ERR_NOT_FOUND)
		return OC_OK;
	if (err != OC_OK)
		return err;
	record.crl = (struct store_crl){ row.id, row.number, row.this_update,
	    row.next_update, row.crl, row.crl_len };
	memcpy(record.issuer, row.issuer, sizeof(record.issuer));
	err = fn(arg, &record);
	free(row.crl);
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
