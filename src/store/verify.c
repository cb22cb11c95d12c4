/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Holds the journal against itself (the chain) and against the tables: each
 * entry about a row is made again from the row, and each row must have had
 * its entries.
 */
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "store/backend.h"
#include "store/detail.h"
#include "store/journal.h"
#include "store/verify_impl.h"

enum oc_err
store_verify_bad(struct verify *v, int64_t number, const char *why)
{
	v->bad_number = number;
	return store_fail(v->store, OC_ERR_MISMATCH,
	    "journal entry %" PRId64 ": %s", number, why);
}

uint64_t *
store_verify_seen(struct verify_table *table, const char *detail)
{
	int64_t id = store_detail_id(detail);

	return id >= 1 && id <= table->num ? &table->seen[id - 1] : NULL;
}

static enum oc_err
remake_import(const struct store_row *row, struct store_detail *d)
{
	const struct store_certificate *c = &row->certificate;
	struct store_import i = {
		.serial = c->serial,
		.reserved_at = c->reserved_at,
		.issued_at = c->issued_at,
		.not_before = c->not_before,
		.not_after = c->not_after,
		.profile = c->profile,
		.subject = c->subject,
		.names = c->names,
		.tbs = { c->tbs, c->tbs_len },
		.certificate = { c->certificate, c->certificate_len },
		.record = c->import_record,
		.crl_partition = c->crl_partition
	};

	return store_detail_import(d, row->issuer, c->id, &i);
}

/* Makes the detail of a certificate's entry again from its row. */
static enum oc_err
remake_certificate(const struct store_entry *entry,
    const struct store_row *row, struct store_detail *d)
{
	const struct store_certificate *c = &row->certificate;
	bool is_import = strcmp(entry->event, "import") == 0;
	bool has_names = strstr(entry->detail, "\"names_sha256\"") != NULL;
	const char *event = entry->event;
	struct store_reservation r = {
		.serial = c->serial,
		.tbs = { c->tbs, c->tbs_len },
		.not_before = c->not_before,
		.not_after = c->not_after,
		.profile = c->profile,
		.subject = has_names ? c->subject : NULL,
		.names = c->names,
		.crl_partition = c->crl_partition
	};
	struct store_blob der = { c->certificate, c->certificate_len };
	struct store_status status = {
		c->is_revoked, c->reason, c->revoked_at, c->invalidity_at
	};

	/* What was reserved here is none that was imported. */
	d->text[0] = '\0';
	if (is_import && c->import_record != NULL)
		return remake_import(row, d);
	if (is_import)
		return OC_OK;
	if (c->import_record != NULL && (strcmp(event, "reserve") == 0 ||
	    strcmp(event, "issue") == 0))
		return OC_OK;
	if (strcmp(event, "reserve") == 0)
		return store_detail_reserve(d, row->issuer, c->id, &r);
	if (strcmp(event, "issue") == 0)
		return store_detail_issue(d, row->issuer, c->id, &c->serial,
		    der);
	store_detail_status(d, row->issuer, c->id, &c->serial, &status);
	return OC_OK;
}

/* The last revoke or release must be what the row says; those before it need
 * not, so what differs is only noted. */
static enum oc_err
check_status(struct verify *v, const struct store_entry *entry,
    const struct store_certificate *c, bool is_equal, uint64_t *seen)
{
	bool is_revoke = strcmp(entry->event, "revoke") == 0;
	uint64_t flags = *seen & (SEEN_RESERVE | SEEN_ISSUE | SEEN_REQUEST |
	    SEEN_REQUEST_END | SEEN_IMPORT_STALE);

	if ((flags & SEEN_RESERVE) == 0)
		return store_verify_bad(v, entry->number,
		    "revokes what was not reserved before");
	if (!is_equal || is_revoke != c->is_revoked)
		flags |= SEEN_STALE;
	if (is_revoke)
		flags |= SEEN_REVOKED;
	*seen = flags | (uint64_t)entry->number << SEEN_NUMBER_SHIFT;
	return OC_OK;
}

/* A list of revoked ones knows less of it than a later import. */
static enum oc_err
check_import(struct verify *v, const struct store_entry *entry,
    const struct store_certificate *c, bool is_equal, uint64_t *seen)
{
	bool is_first = (*seen & SEEN_RESERVE) == 0;

	if (!is_first && (*seen & SEEN_IMPORT_STALE) == 0)
		return store_verify_bad(v, entry->number, "said twice");
	if (c->import_record == NULL)
		return store_verify_bad(v, entry->number,
		    "the certificate's record differs");
	*seen &= ~(uint64_t)SEEN_IMPORT_STALE;
	*seen |= SEEN_RESERVE | (is_equal ? 0 : SEEN_IMPORT_STALE) |
	    (c->state == STORE_ISSUED ? SEEN_ISSUE : 0);
	return OC_OK;
}

static enum oc_err
check_certificate(struct verify *v, const struct store_entry *entry)
{
	bool is_reserve = strcmp(entry->event, "reserve") == 0;
	bool is_issue = strcmp(entry->event, "issue") == 0;
	uint64_t *seen = store_verify_seen(&v->certificates, entry->detail);
	uint64_t flag = is_reserve ? SEEN_RESERVE : SEEN_ISSUE;
	bool is_import = strcmp(entry->event, "import") == 0;
	struct store_row row = { 0 };
	struct store_detail d;
	bool is_equal;
	enum oc_err err;

	if (seen == NULL)
		return store_verify_bad(v, entry->number,
		    "its certificate is not there");
	err = v->store->ops->get_certificate(v->store,
	    store_detail_id(entry->detail), &row);
	if (err == OC_ERR_NOT_FOUND)
		return store_verify_bad(v, entry->number,
		    "its certificate is not there");
	if (err == OC_OK)
		err = remake_certificate(entry, &row, &d);
	if (err != OC_OK)
		goto out;
	is_equal = strcmp(d.text, entry->detail) == 0;
	if (is_import)
		err = check_import(v, entry, &row.certificate, is_equal,
		    seen);
	else if (!is_reserve && !is_issue)
		err = check_status(v, entry, &row.certificate, is_equal, seen);
	else if (!is_equal)
		err = store_verify_bad(v, entry->number,
		    "the certificate's record differs");
	else if ((*seen & flag) != 0)
		err = store_verify_bad(v, entry->number, "said twice");
	*seen |= is_reserve || is_issue ? flag : 0;
out:
	store_certificate_fini(&row.certificate);
	return err;
}

struct parts {
	EVP_MD_CTX *md;
	uint32_t num;
	uint64_t len;
	bool has_gap;
};

static enum oc_err
hash_part(void *arg, uint32_t number, struct store_blob part)
{
	struct parts *p = arg;

	p->has_gap |= number != p->num || part.len == 0;
	p->num++;
	p->len += part.len;
	return EVP_DigestUpdate(p->md, part.p, part.len) == 1 ? OC_OK :
	    OC_ERR_INTERNAL;
}

/* Makes the detail of its issue again, and looks whether its parts are all
 * there and in their places. */
static enum oc_err
remake_crl(struct store *s, const struct store_crl_row *row,
    struct store_detail *d, bool *is_whole)
{
	struct parts p = { .md = EVP_MD_CTX_new() };
	uint8_t hash[STORE_HASH_LEN];
	enum oc_err err = OC_ERR_INTERNAL;

	if (p.md != NULL && EVP_DigestInit_ex(p.md, EVP_sha256(), NULL) == 1)
		err = s->ops->list_crl_parts(s, row->id, hash_part, &p);
	if (err == OC_OK && EVP_DigestFinal_ex(p.md, hash, NULL) != 1)
		err = OC_ERR_INTERNAL;
	EVP_MD_CTX_free(p.md);
	if (err == OC_ERR_INTERNAL)
		return store_fail(s, err, "SHA-256 failed");
	if (err != OC_OK)
		return err;
	store_detail_crl(d, row, hash);
	*is_whole = !p.has_gap && p.len == row->crl_len;
	return OC_OK;
}

/* A row that does not know up to what it says all, as of a store that was put
 * back to before version 6, is believed by nobody, and so does no harm. */
static void
take_change_seq(const struct store_entry *entry, struct store_crl_row *row)
{
	static const char name[] = "\"change_seq\":";
	const char *at = strstr(entry->detail, name);

	if (row->change_seq < 0 && at != NULL)
		row->change_seq = strtoll(at + sizeof(name) - 1, NULL, 10);
}

static enum oc_err
check_crl(struct verify *v, const struct store_entry *entry)
{
	bool is_reserve = strcmp(entry->event, "crl-reserve") == 0;
	uint64_t *seen = store_verify_seen(&v->crls, entry->detail);
	uint64_t flag = is_reserve ? SEEN_RESERVE : SEEN_ISSUE;
	struct store_crl_row row = { 0 };
	bool is_whole = true;
	struct store_detail d;
	enum oc_err err;

	if (seen == NULL)
		return store_verify_bad(v, entry->number,
		    "its CRL is not there");
	err = v->store->ops->get_crl(v->store, store_detail_id(entry->detail),
	    &row);
	if (err == OC_ERR_NOT_FOUND)
		return store_verify_bad(v, entry->number,
		    "its CRL is not there");
	take_change_seq(entry, &row);
	if (err == OC_OK && is_reserve)
		store_detail_crl_reserve(&d, &row);
	else if (err == OC_OK)
		err = remake_crl(v->store, &row, &d, &is_whole);
	if (err != OC_OK)
		return err;
	if (!is_whole || strcmp(d.text, entry->detail) != 0)
		return store_verify_bad(v, entry->number,
		    "the CRL's record differs");
	if ((*seen & flag) != 0)
		return store_verify_bad(v, entry->number, "said twice");
	*seen |= flag;
	return OC_OK;
}

/* Who the store says it is: the last entry that gave it an identity. */
static enum oc_err
take_identity(struct verify *v, const struct store_entry *entry)
{
	if (sscanf(entry->detail, "{\"id\":\"%32[0-9a-f]\",\"epoch\":%" SCNu32,
	    v->id, &v->epoch) == 2)
		return OC_OK;
	return store_verify_bad(v, entry->number, "it names no store");
}

/*
 * The epoch is in front of every serial and CRL number to come, and
 * change_seq is what others have read up to: either, set back, repeats what
 * was given out.
 */
static enum oc_err
check_self(struct verify *v, const struct store_head *head)
{
	struct store *s = v->store;
	char id[OC_HEX_LEN(STORE_ID_LEN) + 1];
	struct store_change later;
	uint32_t num, epoch = 0;
	enum oc_err err;

	oc_hex_encode(s->id, STORE_ID_LEN, id);
	err = s->ops->read_epoch(s, &epoch);
	if (err != OC_OK)
		return err;
	if (strcmp(id, v->id) != 0 || epoch != v->epoch)
		return store_verify_bad(v, v->number,
		    "the store's id or epoch is not in the journal");
	err = s->ops->read_changes(s, head->change_seq, &later, 1, &num);
	if (err == OC_OK && num != 0)
		return store_verify_bad(v, v->number,
		    "a certificate has changed later than the store knows");
	return err;
}

static enum oc_err
check_entry(void *arg, const struct store_entry *entry)
{
	static const char *const about_certificates[] = {
		"reserve", "import", "issue", "revoke", "release"
	};
	struct verify *v = arg;
	uint8_t hash[STORE_HASH_LEN];
	enum oc_err err;

	if (entry->number != v->number + 1)
		return store_verify_bad(v, v->number + 1, "missing");
	err = store_entry_hash(v->hash, entry, hash);
	if (err != OC_OK)
		return store_fail(v->store, err, "SHA-256 failed");
	if (memcmp(hash, entry->hash, sizeof(hash)) != 0)
		return store_verify_bad(v, entry->number,
		    "its hash is not that of it and "
		    "those before it: it was changed");
	for (size_t i = 0; i < 5; i++)
		if (strcmp(entry->event, about_certificates[i]) == 0)
			err = check_certificate(v, entry);
	if (strcmp(entry->event, "crl") == 0 ||
	    strcmp(entry->event, "crl-reserve") == 0)
		err = check_crl(v, entry);
	if (strcmp(entry->event, "create") == 0 ||
	    strcmp(entry->event, "epoch") == 0 ||
	    strcmp(entry->event, "restore") == 0)
		err = take_identity(v, entry);
	if (err == OC_OK)
		err = store_verify_register(v, entry);
	if (err != OC_OK)
		return err;
	v->number = entry->number;
	memcpy(v->hash, hash, sizeof(hash));
	return OC_OK;
}

/* A row that the journal does not account for; after the last entry. */
static enum oc_err
check_row(void *arg, const struct store_certificate *c)
{
	struct verify *v = arg;
	uint64_t seen = c->id >= 1 && c->id <= v->certificates.num ?
	    v->certificates.seen[c->id - 1] : 0;
	char serial[OC_SERIAL_TEXT_MAX];

	if ((seen & SEEN_STALE) != 0)
		return store_verify_bad(v, (int64_t)(seen >> SEEN_NUMBER_SHIFT),
		    "the certificate's status is another now");
	if ((seen & (SEEN_RESERVE | SEEN_IMPORT_STALE)) == SEEN_RESERVE &&
	    ((seen & SEEN_ISSUE) != 0) == (c->state == STORE_ISSUED) &&
	    ((seen & SEEN_REVOKED) != 0) == c->is_revoked)
		return OC_OK;
	oc_serial_format(&c->serial, serial);
	v->bad_number = v->number;
	return store_fail(v->store, OC_ERR_MISMATCH, "certificate %" PRId64
	    ", serial %s: its state is not in the journal", c->id, serial);
}

static enum oc_err
note_part(void *arg, uint32_t number, struct store_blob part)
{
	(void)number;
	(void)part;
	*(bool *)arg = true;
	return OC_OK;
}

/* What was not issued has no octets. */
static enum oc_err
look_for_parts(struct store *s, const struct store_crl_row *row,
    bool *has_parts)
{
	*has_parts = false;
	return row->is_issued ? OC_OK :
	    s->ops->list_crl_parts(s, row->id, note_part, has_parts);
}

static enum oc_err
check_crl_rows(struct verify *v)
{
	enum oc_err err = OC_OK;

	for (int64_t id = 1; err == OC_OK && id <= v->crls.num; id++) {
		struct store_crl_row row = { 0 };
		uint64_t expected = SEEN_RESERVE;
		bool has_parts = false;

		err = v->store->ops->get_crl(v->store, id, &row);
		if (err == OC_OK && row.is_issued)
			expected |= SEEN_ISSUE;
		if (err == OC_OK)
			err = look_for_parts(v->store, &row, &has_parts);
		if (err == OC_ERR_NOT_FOUND || (err == OC_OK && (has_parts ||
		    v->crls.seen[id - 1] != expected))) {
			v->bad_number = v->number;
			err = store_fail(v->store, OC_ERR_MISMATCH, "CRL %"
			    PRId64 ": its state is not in the journal", id);
		}
	}
	return err;
}

/* One word for each id of a table.  A row has at least one entry: that bounds
 * what a forged id can make us allocate. */
static enum oc_err
allocate_seen(struct verify *v, enum store_table table,
    const struct store_head *head, struct verify_table *seen)
{
	int64_t id_max;
	enum oc_err err;

	err = v->store->ops->find_id_max(v->store, table, &id_max);
	if (err != OC_OK)
		return err;
	if (id_max > head->journal_number) {
		v->bad_number = head->journal_number;
		return store_fail(v->store, OC_ERR_MISMATCH,
		    "there are more records than journal entries");
	}
	seen->seen = calloc((size_t)id_max + 1, sizeof(*seen->seen));
	if (seen->seen == NULL)
		return store_fail(v->store, OC_ERR_NOMEM, "out of memory");
	seen->num = id_max;
	return OC_OK;
}

/* Inside a read transaction, so that all of it is of one moment. */
static enum oc_err
verify(struct verify *v)
{
	static const struct store_filter everything;
	struct store *s = v->store;
	struct store_head head;
	enum oc_err err;

	err = s->ops->read_head(s, &head);
	if (err == OC_OK)
		err = allocate_seen(v, STORE_TABLE_CERTIFICATE, &head,
		    &v->certificates);
	if (err == OC_OK)
		err = allocate_seen(v, STORE_TABLE_CRL, &head, &v->crls);
	for (uint32_t i = 0; err == OC_OK && i < VERIFY_REGISTERS_NUM; i++)
		err = allocate_seen(v, store_verify_table(i), &head,
		    &v->registers[i]);
	if (err == OC_OK)
		err = s->ops->list_entries(s, 0, check_entry, v);
	if (err != OC_OK)
		return err;
	if (v->number != head.journal_number ||
	    memcmp(v->hash, head.journal_hash, STORE_HASH_LEN) != 0)
		return store_verify_bad(v, v->number + 1,
		    "missing: the journal was cut");
	err = check_self(v, &head);
	if (err == OC_OK)
		err = s->ops->list_certificates(s, &everything, 0, check_row,
		    v);
	if (err == OC_OK)
		err = check_crl_rows(v);
	if (err == OC_OK)
		err = store_verify_register_rows(v);
	return err;
}

enum oc_err
store_verify_journal(struct store *store, int64_t *num_entries,
    int64_t *bad_number)
{
	struct verify v = { .store = store };
	enum oc_err err;

	oc_assert(store->depth == 0);
	err = store->ops->begin_read(store);
	if (err != OC_OK)
		return err;
	err = verify(&v);
	store->ops->rollback(store);
	free(v.certificates.seen);
	free(v.crls.seen);
	for (uint32_t i = 0; i < VERIFY_REGISTERS_NUM; i++)
		free(v.registers[i].seen);
	if (err != OC_OK && err != OC_ERR_MISMATCH)
		return err;
	*num_entries = v.number;
	*bad_number = v.bad_number;
	return err;
}
