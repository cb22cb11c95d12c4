/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Holds the journal against the registers, whose entries are the row as it then
 * was, so that the last must be the row as it is, or say that it was removed;
 * and against what was asked for.
 */
#include <inttypes.h>
#include <string.h>

#include "store/detail.h"
#include "store/verify_impl.h"

/* --- registers ---------------------------------------------------------- */

static enum oc_err
detail_of_issuer(struct store *s, int64_t id, struct store_detail *d)
{
	char name[OC_CONFIG_NAME_MAX + 1];
	struct store_issuer issuer = { 0 };
	struct store_issuer_key key;
	enum oc_err err;

	err = s->ops->find_issuer_name(s, id, name);
	if (err == OC_OK)
		err = s->ops->find_issuer(s, name, &issuer, &key);
	if (err == OC_OK)
		err = store_detail_issuer(d, id, name, (struct store_blob){
		    issuer.certificate, issuer.certificate_len },
		    key.spki_hash);
	store_issuer_fini(&issuer);
	return err;
}

static const struct {
	enum store_table table;
	const char *event;
	const char *removal;		/* NULL: no row is ever removed */
	const char *what;		/* in errors */
	store_detail_fn *detail_of;
} registers[VERIFY_REGISTERS_NUM] = {
	{ STORE_TABLE_ISSUER, "issuer", NULL, "issuer", detail_of_issuer },
	{ STORE_TABLE_ACCOUNT, "account", NULL, "account",
	    store_detail_of_account },
	{ STORE_TABLE_TOKEN, "token", NULL, "token", store_detail_of_token },
	{ STORE_TABLE_ZONE, "zone", NULL, "zone", store_detail_of_zone },
	{ STORE_TABLE_PROOF, "proof", "proof-remove", "proof",
	    store_detail_of_proof },
	{ STORE_TABLE_ORDER, "order", "order-remove", "order",
	    store_detail_of_order },
	{ STORE_TABLE_ACME_ACCOUNT, "acme-account", NULL, "ACME account",
	    store_detail_of_acme_account },
	{ STORE_TABLE_EAB_KEY, "eab-key", NULL, "external key",
	    store_detail_of_eab_key }
};

enum store_table
store_verify_table(uint32_t number)
{
	return registers[number].table;
}

/* A row that is not there any more must be said to be removed, later. */
static enum oc_err
check_latest(struct verify *v, const struct store_entry *entry, uint32_t n)
{
	uint64_t *seen = store_verify_seen(&v->registers[n], entry->detail);
	struct store_detail d = { .len = 0 };
	enum oc_err err;

	if (seen == NULL)
		return store_verify_bad(v, entry->number,
		    "what it is about is not there");
	if ((*seen & SEEN_REMOVED) != 0)
		return store_verify_bad(v, entry->number,
		    "what it is about was removed before");
	err = registers[n].detail_of(v->store,
	    store_detail_id(entry->detail), &d);
	if (err == OC_ERR_NOT_FOUND && registers[n].removal == NULL)
		return store_verify_bad(v, entry->number,
		    "what it is about is not there");
	if (err != OC_OK && err != OC_ERR_NOT_FOUND)
		return err;
	*seen = SEEN_RESERVE |
	    (err == OC_OK && strcmp(d.text, entry->detail) == 0 ? 0 :
	    SEEN_STALE) | (uint64_t)entry->number << SEEN_NUMBER_SHIFT;
	return OC_OK;
}

static enum oc_err
check_removal(struct verify *v, const struct store_entry *entry, uint32_t n)
{
	uint64_t *seen = store_verify_seen(&v->registers[n], entry->detail);
	struct store_detail d = { .len = 0 };
	enum oc_err err;

	if (seen == NULL || *seen == 0 || (*seen & SEEN_REMOVED) != 0)
		return store_verify_bad(v, entry->number,
		    "removes what was not there before");
	err = registers[n].detail_of(v->store,
	    store_detail_id(entry->detail), &d);
	if (err == OC_OK)
		return store_verify_bad(v, entry->number,
		    "what it removes is there");
	if (err != OC_ERR_NOT_FOUND)
		return err;
	*seen = SEEN_RESERVE | SEEN_REMOVED |
	    (uint64_t)entry->number << SEEN_NUMBER_SHIFT;
	return OC_OK;
}

static enum oc_err
check_rows(struct verify *v, const struct verify_table *table,
    const char *what)
{
	for (int64_t i = 0; i < table->num; i++) {
		uint64_t seen = table->seen[i];
		int64_t number = (int64_t)(seen >> SEEN_NUMBER_SHIFT);

		if (seen == 0) {
			v->bad_number = v->number;
			return store_fail(v->store, OC_ERR_MISMATCH,
			    "%s %" PRId64 " is not in the journal", what,
			    i + 1);
		}
		if ((seen & SEEN_STALE) != 0) {
			v->bad_number = number;
			return store_fail(v->store, OC_ERR_MISMATCH,
			    "journal entry %" PRId64 ": the %s is another "
			    "now", number, what);
		}
	}
	return OC_OK;
}

/* --- requests ----------------------------------------------------------- */

static enum oc_err
check_request(struct verify *v, const struct store_entry *entry)
{
	uint64_t *seen = store_verify_seen(&v->certificates, entry->detail);
	struct store_request_row row = { 0 };
	struct store_detail d = { .len = 0 };
	enum oc_err err;

	if (seen == NULL || (*seen & SEEN_RESERVE) == 0)
		return store_verify_bad(v, entry->number,
		    "asks for what was not reserved before");
	if ((*seen & SEEN_REQUEST) != 0)
		return store_verify_bad(v, entry->number, "said twice");
	err = v->store->ops->get_request(v->store,
	    store_detail_id(entry->detail), &row);
	if (err == OC_ERR_NOT_FOUND)
		return store_verify_bad(v, entry->number,
		    "its request is not there");
	if (err == OC_OK)
		err = store_detail_request(&d, &row, row.hostnames,
		    (struct store_blob){ row.csr, row.csr_len });
	store_request_row_fini(&row);
	if (err != OC_OK)
		return err;
	if (strcmp(d.text, entry->detail) != 0)
		return store_verify_bad(v, entry->number,
		    "the request's record differs");
	*seen |= SEEN_REQUEST;
	v->num_requests++;
	return OC_OK;
}

static enum oc_err
check_request_end(struct verify *v, const struct store_entry *entry)
{
	uint64_t *seen = store_verify_seen(&v->certificates, entry->detail);

	if (seen == NULL || (*seen & SEEN_REQUEST) == 0 ||
	    (*seen & SEEN_REQUEST_END) != 0)
		return store_verify_bad(v, entry->number,
		    "ends what was not asked for before");
	*seen |= SEEN_REQUEST_END;
	return OC_OK;
}

static enum oc_err
check_request_rows(struct verify *v)
{
	struct store *s = v->store;
	int64_t num;
	enum oc_err err;

	err = s->ops->count_requests(s, &num);
	for (int64_t id = 1; err == OC_OK && id <= v->certificates.num; id++) {
		uint64_t seen = v->certificates.seen[id - 1];
		struct store_request_row row = { 0 };

		if ((seen & SEEN_REQUEST) == 0)
			continue;
		err = s->ops->get_request(s, id, &row);
		if (err == OC_OK && row.is_current ==
		    ((seen & SEEN_REQUEST_END) != 0))
			err = OC_ERR_MISMATCH;
		store_request_row_fini(&row);
		if (err == OC_ERR_MISMATCH || err == OC_ERR_NOT_FOUND) {
			v->bad_number = v->number;
			return store_fail(s, OC_ERR_MISMATCH, "request %"
			    PRId64 ": its state is not in the journal", id);
		}
	}
	if (err != OC_OK || num == v->num_requests)
		return err;
	v->bad_number = v->number;
	return store_fail(s, OC_ERR_MISMATCH, "%" PRId64 " requests are "
	    "there, and %" PRId64 " in the journal", num, v->num_requests);
}

/* --- both --------------------------------------------------------------- */

enum oc_err
store_verify_register(struct verify *v, const struct store_entry *entry)
{
	for (uint32_t i = 0; i < VERIFY_REGISTERS_NUM; i++) {
		const char *removal = registers[i].removal;

		if (strcmp(entry->event, registers[i].event) == 0)
			return check_latest(v, entry, i);
		if (removal != NULL && strcmp(entry->event, removal) == 0)
			return check_removal(v, entry, i);
	}
	if (strcmp(entry->event, "request") == 0)
		return check_request(v, entry);
	if (strcmp(entry->event, "request-end") == 0)
		return check_request_end(v, entry);
	return OC_OK;
}

enum oc_err
store_verify_register_rows(struct verify *v)
{
	enum oc_err err = OC_OK;

	for (uint32_t i = 0; err == OC_OK && i < VERIFY_REGISTERS_NUM; i++)
		err = check_rows(v, &v->registers[i], registers[i].what);
	if (err == OC_OK)
		err = check_request_rows(v);
	return err;
}
