/* SPDX-License-Identifier: Apache-2.0 */
/* The counters' row and the journal's rows. */
#include "store/sql.h"

#include <string.h>

enum oc_err
sql_read_head(struct store *s, struct store_head *head)
{
	static const char text[] =
	    "SELECT change_seq, journal_number, journal_hash FROM store";
	struct store_head read;
	struct sql q;
	bool has_row = false;
	enum oc_err err;

	sql_open(&q, s, "counters", text);
	err = sql_next(&q, &has_row);
	if (err == OC_OK && !has_row)
		err = store_fail(s, OC_ERR_STORE, "the records are "
		    "damaged: the counters are gone: restore a backup");
	if (err == OC_OK) {
		read.change_seq = sql_get_int(&q);
		read.journal_number = sql_get_int(&q);
		err = sql_get_hash(&q, read.journal_hash);
	}
	sql_close(&q);
	if (err == OC_OK)
		*head = read;
	return err;
}

enum oc_err
sql_write_head(struct store *s, const struct store_head *head)
{
	static const char text[] = "UPDATE store SET change_seq = ?,"
	    " journal_number = ?, journal_hash = ?";
	struct sql q;

	sql_open(&q, s, "counters", text);
	sql_put_int(&q, head->change_seq);
	sql_put_int(&q, head->journal_number);
	sql_put_blob(&q, head->journal_hash, STORE_HASH_LEN);
	return sql_run(&q);
}

enum oc_err
sql_add_entry(struct store *s, const struct store_entry *entry)
{
	static const char text[] = "INSERT INTO journal"
	    " (number, at, actor, event, detail, hash)"
	    " VALUES (?, ?, ?, ?, ?, ?)";
	struct sql q;

	sql_open(&q, s, "journal", text);
	sql_put_int(&q, entry->number);
	sql_put_int(&q, entry->at);
	sql_put_text(&q, entry->actor);
	sql_put_text(&q, entry->event);
	sql_put_text(&q, entry->detail);
	sql_put_blob(&q, entry->hash, STORE_HASH_LEN);
	return sql_run(&q);
}

static enum oc_err
read_entry(struct sql *q, struct store_entry *entry)
{
	entry->number = sql_get_int(q);
	entry->at = sql_get_int(q);
	entry->actor = sql_get_text(q);
	entry->event = sql_get_text(q);
	entry->detail = sql_get_text(q);
	return sql_get_hash(q, entry->hash);
}

enum oc_err
sql_list_entries(struct store *s, int64_t after_number,
    store_entry_fn *fn, void *arg)
{
	static const char text[] =
	    "SELECT number, at, actor, event, detail, hash FROM journal"
	    " WHERE number > ? ORDER BY number";
	struct store_entry entry;
	struct sql q;
	bool has_row = false;
	enum oc_err err;

	sql_open_walk(&q, s, "list the journal", text);
	sql_put_int(&q, after_number);
	for (;;) {
		err = sql_next(&q, &has_row);
		if (err != OC_OK || !has_row)
			break;
		err = read_entry(&q, &entry);
		if (err == OC_OK)
			err = fn(arg, &entry);
		if (err != OC_OK)
			break;
	}
	sql_close(&q);
	return err;
}

enum oc_err
sql_find_id_max(struct store *s, enum store_table table, int64_t *id_max)
{
	static const char *const texts[] = {
		[STORE_TABLE_CERTIFICATE] =
		    "SELECT coalesce(max(id), 0) FROM certificate",
		[STORE_TABLE_CRL] = "SELECT coalesce(max(id), 0) FROM crl",
		[STORE_TABLE_ACCOUNT] =
		    "SELECT coalesce(max(id), 0) FROM account",
		[STORE_TABLE_TOKEN] =
		    "SELECT coalesce(max(id), 0) FROM account_token",
		[STORE_TABLE_ZONE] = "SELECT coalesce(max(id), 0) FROM zone",
		[STORE_TABLE_ISSUER] =
		    "SELECT coalesce(max(id), 0) FROM issuer",
		[STORE_TABLE_PROOF] = "SELECT coalesce(max(id), 0) FROM proof",
		[STORE_TABLE_ORDER] =
		    "SELECT coalesce(max(id), 0) FROM acme_order",
		[STORE_TABLE_ACME_ACCOUNT] =
		    "SELECT coalesce(max(id), 0) FROM acme_account",
		[STORE_TABLE_EAB_KEY] =
		    "SELECT coalesce(max(id), 0) FROM acme_external_key"
	};

	return sql_read_int(s, "count records", texts[table], id_max);
}
