/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What all databases share about a connection: errors, nested changes,
 * groups, checks of what comes from outside.
 */
#include "store/backend.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/conninfo.h"
#include "store/detail.h"
#include "store/postgres.h"
#include "store/sqlite.h"

#define EPOCH_START_S INT64_C(1577836800)	/* 2020-01-01 00:00:00 UTC */

bool
store_is_database(const char *where)
{
	return oc_conninfo_is(where);
}

#ifdef HAVE_LIBPQ
static enum oc_err
open_database(const char *where, enum store_mode mode, struct store **store,
    struct oc_error *error)
{
	return store_postgres_open(where, mode, store_sqlite_schema(), store,
	    error);
}

static enum oc_err
renew_database(const char *where, struct oc_error *error)
{
	return store_postgres_renew(where, store_sqlite_schema(), error);
}
#else
static enum oc_err
fail_database(struct oc_error *error)
{
	return oc_error_set(error, OC_ERR_UNSUPPORTED, "this ocsign was built "
	    "without PostgreSQL (configure --with-postgres)");
}

static enum oc_err
open_database(const char *where, enum store_mode mode, struct store **store,
    struct oc_error *error)
{
	(void)where, (void)mode, (void)store;
	return fail_database(error);
}

static enum oc_err
renew_database(const char *where, struct oc_error *error)
{
	(void)where;
	return fail_database(error);
}
#endif

enum oc_err
store_open(const char *where, enum store_mode mode, struct store **store,
    struct oc_error *error)
{
	if (store_is_database(where))
		return open_database(where, mode, store, error);
	if (mode == STORE_SHARE)
		return oc_error_set(error, OC_ERR_UNSUPPORTED, "%s is no "
		    "database that hosts share", where);
	return store_sqlite_open(where, mode, store_sqlite_schema(), store,
	    error);
}

enum oc_err
store_open_to_read(const char *where, struct store **store,
    struct oc_error *error)
{
	struct store *writer = NULL;
	enum oc_err err = store_open(where, STORE_READ, store, error);

	if (err != OC_ERR_UNSUPPORTED)
		return err;
	/* Of a newer schema it says the same once more. */
	err = store_open(where, STORE_WRITE, &writer, error);
	if (err != OC_OK)
		return err;
	store_close(writer);
	return store_open(where, STORE_READ, store, error);
}

void
store_close(struct store *store)
{
	if (store != NULL)
		store->ops->close(store);
}

const char *
store_error(const struct store *store)
{
	return store->error.text;
}

void
store_id(const struct store *store, uint8_t id[STORE_ID_LEN])
{
	memcpy(id, store->id, STORE_ID_LEN);
}

uint32_t
store_epoch(const struct store *store)
{
	return store->epoch;
}

void
store_set_actor(struct store *store, const char *actor)
{
	snprintf(store->actor, sizeof(store->actor), "%s", actor);
}

void
store_set_busy_timeout(struct store *store, int timeout_ms)
{
	store->ops->set_busy_timeout(store, timeout_ms);
}

void
store_set_read_timeout(struct store *store, int timeout_s)
{
	store->read_timeout_s = timeout_s;
}

enum oc_err
store_fail(struct store *s, enum oc_err err, const char *format, ...)
{
	char text[OC_ERROR_TEXT_MAX];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	return oc_error_set(&s->error, err, "%s: %s", s->path, text);
}

enum oc_err
store_epoch_now(uint32_t *epoch, struct oc_error *error)
{
	int64_t minutes = (oc_clock_now_s() - EPOCH_START_S) / 60;

	if (minutes <= 0 || minutes > STORE_EPOCH_MAX)
		return oc_error_set(error, OC_ERR_CONFIG, "the clock of this "
		    "machine is wrong: it does not show 2020 or later");
	*epoch = (uint32_t)minutes;
	return OC_OK;
}

/* --- changes ------------------------------------------------------------ */

enum oc_err
store_begin_change(struct store *s)
{
	enum oc_err err;

	if (s->mode == STORE_READ)
		return store_fail(s, OC_ERR_REFUSED,
		    "opened for reading only");
	if (s->depth > 0 && s->broken != OC_OK)
		return s->broken;
	oc_assert(s->depth < STORE_DEPTH_MAX);
	err = s->depth == 0 ? s->ops->begin_change(s) : s->ops->save(s);
	if (err != OC_OK)
		return err;
	/* Others may have revoked since the last. */
	if (s->depth == 0)
		s->revocation_mark++;
	s->saved[s->depth++] = s->head;
	return OC_OK;
}

uint64_t
store_revocation_mark(const struct store *store)
{
	oc_assert(store->depth > 0);
	return store->revocation_mark;
}

/* The counters and all they count: in one transaction. */
static enum oc_err
commit(struct store *s)
{
	enum oc_err err = OC_OK;

	if (s->head.is_changed)
		err = s->ops->write_head(s, &s->head.head);
	if (err == OC_OK)
		return s->ops->commit(s);
	s->ops->rollback(s);
	return err;
}

/* The outermost change: for good, or not at all. */
static enum oc_err
end_outermost(struct store *s, enum oc_err err)
{
	if (err == OC_OK)
		err = s->broken;
	s->broken = OC_OK;
	if (err == OC_OK)
		err = commit(s);
	else
		s->ops->rollback(s);
	s->head = (struct store_head_state){ 0 };
	return err;
}

enum oc_err
store_end_change(struct store *s, enum oc_err err)
{
	enum oc_err kept;

	oc_assert(s->depth > 0);
	/* What fails is this change's, not the next one's. */
	if (err == OC_OK && s->broken == OC_OK)
		err = s->ops->settle(s);
	if (--s->depth == 0)
		return end_outermost(s, err);
	if (err != OC_OK)
		s->head = s->saved[s->depth];
	if (s->broken != OC_OK)
		return s->broken;
	/*
	 * A full disk makes a database drop the whole transaction, what came
	 * before this savepoint included: then nothing of it may be reported
	 * as done.
	 */
	if (s->ops->in_transaction(s))
		kept = err == OC_OK ? s->ops->keep(s) : s->ops->undo(s);
	else
		kept = err == OC_OK ? OC_ERR_STORE : err;
	if (kept != OC_OK)
		s->broken = kept;
	return err == OC_OK ? kept : err;
}

enum oc_err
store_begin_group(struct store *store)
{
	oc_assert(store->depth == 0);
	return store_begin_change(store);
}

enum oc_err
store_commit_group(struct store *store)
{
	oc_assert(store->depth == 1);
	return store_end_change(store, OC_OK);
}

void
store_abandon_group(struct store *store)
{
	oc_assert(store->depth == 1);
	store->depth = 0;
	(void)end_outermost(store, OC_ERR_CANCELLED);
}

enum oc_err
store_read_head(struct store *s, struct store_head *head)
{
	enum oc_err err;

	if (s->depth == 0)
		return s->ops->read_head(s, head);
	if (!s->head.is_read) {
		err = s->ops->read_head(s, &s->head.head);
		if (err != OC_OK)
			return err;
		s->head.is_read = true;
	}
	*head = s->head.head;
	return OC_OK;
}

enum oc_err
store_write_head(struct store *s, const struct store_head *head)
{
	if (s->depth == 0)
		return s->ops->write_head(s, head);
	s->head = (struct store_head_state){ *head, true, true };
	return OC_OK;
}

enum oc_err
store_take_change_seq(struct store *s, int64_t *seq)
{
	struct store_head head;
	enum oc_err err;

	err = store_read_head(s, &head);
	if (err != OC_OK)
		return err;
	head.change_seq++;
	err = store_write_head(s, &head);
	if (err == OC_OK)
		*seq = head.change_seq;
	return err;
}

enum oc_err
store_change_seq(struct store *store, int64_t *seq)
{
	struct store_head head;
	enum oc_err err;

	err = store_read_head(store, &head);
	if (err == OC_OK)
		*seq = head.change_seq;
	return err;
}

enum oc_err
store_data_version(struct store *store, int64_t *version)
{
	return store->ops->data_version(store, version);
}

/* --- what comes from outside -------------------------------------------- */

enum oc_err
store_check_name(struct store *s, const char *what, const char *name)
{
	if (strlen(name) > OC_CONFIG_NAME_MAX)
		return store_fail(s, OC_ERR_LIMIT,
		    "%s has more than %d octets", what, OC_CONFIG_NAME_MAX);
	return OC_OK;
}

enum oc_err
store_check_blob(struct store *s, const char *what, struct store_blob blob,
    size_t len_max)
{
	if (blob.p == NULL || blob.len == 0)
		return store_fail(s, OC_ERR_MALFORMED, "%s is empty", what);
	if (blob.len > len_max)
		return store_fail(s, OC_ERR_LIMIT,
		    "%s has %zu octets, the limit is %zu", what, blob.len,
		    len_max);
	return OC_OK;
}

enum oc_err
store_check_serial(struct store *s, const struct oc_serial *serial)
{
	struct oc_serial read;
	enum oc_err err;

	err = serial->len > OC_SERIAL_MAX ? OC_ERR_LIMIT :
	    oc_serial_from_bytes(serial->bytes, serial->len, &read);
	if (err != OC_OK)
		return store_fail(s, err, "this is no serial number "
		    "(RFC 5280, 4.1.2.2)");
	return OC_OK;
}

/* --- issuers ------------------------------------------------------------ */

/* The journal says which certificate an issuer had since when. */
static enum oc_err
add_issuer_entry(struct store *s, int64_t id, const char *name,
    struct store_blob certificate, const uint8_t spki_hash[STORE_HASH_LEN])
{
	struct store_detail d;
	enum oc_err err;

	err = store_detail_issuer(&d, id, name, certificate, spki_hash);
	if (err != OC_OK)
		return store_fail(s, err, "SHA-256 failed");
	return store_add_entry(s, "issuer", d.text);
}

/* Inside a change. */
static enum oc_err
put_issuer(struct store *s, const char *name, struct store_blob certificate,
    const uint8_t spki_hash[STORE_HASH_LEN], int64_t *id)
{
	struct store_issuer issuer = { 0 };
	struct store_issuer_key key;
	bool is_same;
	enum oc_err err;

	err = s->ops->find_issuer(s, name, &issuer, &key);
	if (err == OC_ERR_NOT_FOUND) {
		err = s->ops->add_issuer(s, name, certificate, spki_hash,
		    &key.id);
	} else if (err == OC_OK) {
		is_same = issuer.certificate_len == certificate.len &&
		    memcmp(issuer.certificate, certificate.p,
		    certificate.len) == 0;
		store_issuer_fini(&issuer);
		if (memcmp(key.spki_hash, spki_hash, STORE_HASH_LEN) != 0)
			return store_fail(s, OC_ERR_MISMATCH, "issuer %s has "
			    "another key here: give the new CA another name",
			    name);
		if (is_same) {
			*id = key.id;
			return OC_OK;
		}
		err = s->ops->renew_issuer(s, key.id, certificate);
	}
	if (err == OC_OK)
		err = add_issuer_entry(s, key.id, name, certificate,
		    spki_hash);
	if (err == OC_OK)
		*id = key.id;
	return err;
}

enum oc_err
store_put_issuer(struct store *store, const char *name,
    struct store_blob certificate, const uint8_t spki_hash[STORE_HASH_LEN],
    int64_t *id)
{
	int64_t put_id = 0;
	enum oc_err err;

	if (name[0] == '\0')
		return store_fail(store, OC_ERR_MALFORMED,
		    "an issuer needs a name");
	err = store_check_name(store, "the issuer's name", name);
	if (err == OC_OK)
		err = store_check_blob(store, "the issuer's certificate",
		    certificate, OC_CERTIFICATE_MAX);
	if (err == OC_OK)
		err = store_begin_change(store);
	if (err != OC_OK)
		return err;
	err = put_issuer(store, name, certificate, spki_hash, &put_id);
	err = store_end_change(store, err);
	if (err == OC_OK)
		*id = put_id;
	return err;
}

enum oc_err
store_find_issuer(struct store *store, const char *name,
    struct store_issuer *issuer)
{
	struct store_issuer_key key;

	return store->ops->find_issuer(store, name, issuer, &key);
}

void
store_issuer_fini(struct store_issuer *issuer)
{
	free(issuer->certificate);
	memset(issuer, 0, sizeof(*issuer));
}

/* --- backup ------------------------------------------------------------- */

enum oc_err
store_backup(struct store *store, const char *to, struct oc_error *error)
{
	enum oc_err err;

	oc_assert(store->depth == 0);
	err = store->ops->backup(store, to);
	if (err != OC_OK)
		oc_error_set(error, err, "%s", store->error.text);
	return err;
}

enum oc_err
store_restore(const char *from, const char *to, struct oc_error *error)
{
	if (store_is_database(to))
		return oc_error_set(error, OC_ERR_UNSUPPORTED, "the records "
		    "are in PostgreSQL: put a copy back by pg_restore, then "
		    "\"ocsign store restore\" without a file");
	return store_sqlite_restore(from, to, store_sqlite_schema(), error);
}

enum oc_err
store_renew(const char *where, struct oc_error *error)
{
	if (store_is_database(where))
		return renew_database(where, error);
	return oc_error_set(error, OC_ERR_USAGE, "which backup is to be put "
	    "in place of %s?  Name its file", where);
}

void
store_say_risks(struct store *store)
{
	store->ops->say_risks(store);
}
