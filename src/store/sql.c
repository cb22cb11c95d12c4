/* SPDX-License-Identifier: Apache-2.0 */
/* One SQL statement at a time, of whichever database. */
#include "store/sql.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
open_for(struct sql *q, struct store *s, const char *what, const char *text,
    enum sql_use use)
{
	*q = (struct sql){ .store = s, .what = what, .text = text,
	    .use = use };
	s->sql->open(q);
}

void
sql_open(struct sql *q, struct store *s, const char *what, const char *text)
{
	open_for(q, s, what, text, SQL_CACHED);
}

void
sql_open_once(struct sql *q, struct store *s, const char *what,
    const char *text)
{
	open_for(q, s, what, text, SQL_ONCE);
}

void
sql_open_walk(struct sql *q, struct store *s, const char *what,
    const char *text)
{
	open_for(q, s, what, text, SQL_WALK);
}

void
sql_put_int(struct sql *q, int64_t value)
{
	q->num_put++;
	q->store->sql->put_int(q, value);
}

void
sql_put_text(struct sql *q, const char *text)
{
	q->num_put++;
	q->store->sql->put_text(q, text);
}

void
sql_put_blob(struct sql *q, const void *bytes, size_t len)
{
	q->num_put++;
	q->store->sql->put_blob(q, bytes, len);
}

void
sql_put_null(struct sql *q)
{
	q->num_put++;
	q->store->sql->put_null(q);
}

void
sql_put_array(struct sql *q, enum sql_element element, const void *bytes,
    size_t len)
{
	oc_assert(q->store->sql->put_array != NULL);
	q->num_put++;
	q->store->sql->put_array(q, element, bytes, len);
}

enum oc_err
sql_next(struct sql *q, bool *has_row)
{
	q->num_read = 0;
	return q->store->sql->next(q, has_row);
}

void
sql_close(struct sql *q)
{
	q->store->sql->close(q);
}

enum oc_err
sql_run(struct sql *q)
{
	enum oc_err err = q->store->sql->run(q);

	sql_close(q);
	return err;
}

enum oc_err
sql_exec(struct store *s, const char *what, const char *text)
{
	return s->sql->exec(s, what, text);
}

enum oc_err
sql_read_int(struct store *s, const char *what, const char *text,
    int64_t *value)
{
	struct sql q;
	bool has_row = false;
	enum oc_err err;

	sql_open(&q, s, what, text);
	err = sql_next(&q, &has_row);
	if (err == OC_OK && !has_row)
		err = store_fail(s, OC_ERR_STORE, "%s: nothing there", what);
	if (err == OC_OK)
		*value = sql_get_int(&q);
	sql_close(&q);
	return err;
}

int64_t
sql_last_id(struct store *s)
{
	return s->sql->last_id(s);
}

/* --- columns ------------------------------------------------------------ */

int64_t
sql_get_int(struct sql *q)
{
	return q->store->sql->get_int(q, q->num_read++);
}

bool
sql_get_is_null(struct sql *q)
{
	return q->store->sql->get_is_null(q, q->num_read);
}

const char *
sql_get_text(struct sql *q)
{
	const char *text = q->store->sql->get_text(q, q->num_read++);

	return text == NULL ? "" : text;
}

struct store_blob
sql_get_blob(struct sql *q)
{
	return q->store->sql->get_blob(q, q->num_read++);
}

void
sql_get_text_fixed(struct sql *q, char *text, size_t room)
{
	snprintf(text, room, "%s", sql_get_text(q));
}

enum oc_err
sql_get_hash(struct sql *q, uint8_t hash[STORE_HASH_LEN])
{
	struct store_blob blob = sql_get_blob(q);

	if (blob.len != STORE_HASH_LEN)
		return store_fail(q->store, OC_ERR_STORE, "%s: the records are "
		    "damaged: a hash of %zu octets: restore a backup",
		    q->what, blob.len);
	memcpy(hash, blob.p, STORE_HASH_LEN);
	return OC_OK;
}

enum oc_err
sql_get_serial(struct sql *q, struct oc_serial *serial)
{
	struct store_blob blob = sql_get_blob(q);

	if (oc_serial_from_bytes(blob.p, blob.len, serial) != OC_OK)
		return store_fail(q->store, OC_ERR_STORE, "%s: the records are "
		    "damaged: no serial number: restore a backup", q->what);
	return OC_OK;
}

enum oc_err
sql_take_text(struct sql *q, char **text)
{
	char *copy = strdup(sql_get_text(q));

	if (copy == NULL)
		return store_fail(q->store, OC_ERR_NOMEM, "%s: out of memory",
		    q->what);
	*text = copy;
	return OC_OK;
}

enum oc_err
sql_take_blob(struct sql *q, uint8_t **bytes, size_t *len)
{
	struct store_blob blob = sql_get_blob(q);
	uint8_t *copy;

	if (blob.p == NULL) {
		*bytes = NULL;
		*len = 0;
		return OC_OK;
	}
	copy = malloc(blob.len);
	if (copy == NULL)
		return store_fail(q->store, OC_ERR_NOMEM, "%s: out of memory",
		    q->what);
	memcpy(copy, blob.p, blob.len);
	*bytes = copy;
	*len = blob.len;
	return OC_OK;
}
