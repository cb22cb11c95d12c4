/* SPDX-License-Identifier: Apache-2.0 */
/* Which store it is, and what is new of one that was put back from a copy. */
#include <string.h>

#include "base/clock.h"
#include "store/detail.h"
#include "store/sql.h"

enum oc_err
sql_next_identity(struct sql *q, uint8_t id[STORE_ID_LEN], uint32_t *epoch)
{
	struct store_blob read;
	int64_t minutes;
	bool has_row = false;
	enum oc_err err = sql_next(q, &has_row);

	if (err == OC_OK && !has_row)
		err = store_fail(q->store, OC_ERR_STORE, "the records are "
		    "damaged: they have no id: restore a backup");
	if (err != OC_OK)
		return err;
	read = sql_get_blob(q);
	minutes = sql_get_int(q);
	if (read.len != STORE_ID_LEN || minutes <= 0 ||
	    minutes > STORE_EPOCH_MAX)
		return store_fail(q->store, OC_ERR_STORE, "the records are "
		    "damaged: no id or epoch: restore a backup");
	memcpy(id, read.p, STORE_ID_LEN);
	*epoch = (uint32_t)minutes;
	return OC_OK;
}

/*
 * Where CRL numbers begin in the new epoch.  An epoch is a minute: two
 * restores in one, with nothing of the first left, would begin with the same
 * number; so begin later, the later in the minute.  2^14 CRLs a millisecond,
 * and three quarters of the numbers are left.
 */
static int64_t
first_counter(void)
{
	return oc_clock_now_ms() % 60000 << 14;
}

enum oc_err
sql_renew_identity(struct store *s, const uint8_t old_id[STORE_ID_LEN],
    const uint8_t *replaced_id)
{
	static const char text[] =
	    "UPDATE store SET id = ?, epoch = ?, is_backup = 0";
	static const char begin[] = "UPDATE issuer SET crl_counter = ?";
	struct store_detail d;
	struct sql sql;
	enum oc_err err;

	sql_open(&sql, s, "restore", text);
	sql_put_blob(&sql, s->id, STORE_ID_LEN);
	sql_put_int(&sql, s->epoch);
	err = sql_run(&sql);
	if (err != OC_OK)
		return err;
	sql_open(&sql, s, "restore", begin);
	sql_put_int(&sql, first_counter());
	err = sql_run(&sql);
	if (err != OC_OK)
		return err;
	store_detail_init(&d);
	store_detail_put_hex(&d, "id", s->id, STORE_ID_LEN);
	store_detail_put_int(&d, "epoch", s->epoch);
	store_detail_put_hex(&d, "backup_of", old_id, STORE_ID_LEN);
	if (replaced_id != NULL)
		store_detail_put_hex(&d, "replaces", replaced_id,
		    STORE_ID_LEN);
	store_detail_end(&d);
	return store_add_entry(s, "restore", d.text);
}
