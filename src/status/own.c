/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Our own store as a status source.  A reserved certificate counts as
 * issued: its TBS may have been signed.
 *
 * Owns one read-only connection, used on the feed's thread only.
 */
#include <stdlib.h>
#include <string.h>

#include "status/status.h"
#include "store/store.h"

#define BATCH_MAX 512
/* Of one question, the longest of which looks through all certificates. */
#define READ_TIMEOUT_S 60

struct watched {
	struct oc_serial serial;
	uint8_t *der;			/* owned */
	size_t len;
};

struct own {
	struct status_source source;	/* first */
	struct store *store;
	int64_t issuer_id;		/* 0: the store does not know it yet */
	char issuer[OC_CONFIG_NAME_MAX + 1];
	struct watched *watched;	/* owned */
	size_t num_watched;
	int64_t data_version;
	bool has_version;
	/* Between these no change is ours: what the other issuers did is not
	 * read again and again by one that has nothing to do. */
	int64_t last_seq, skipped_to_seq;
	struct store_change batch[BATCH_MAX];
};

static enum oc_err
own_id(struct status_source *s, uint8_t id[16])
{
	store_id(((struct own *)s)->store, id);
	return OC_OK;
}

/* The issuer's row is made by the first command that uses the issuer, which
 * may come after us. */
static enum oc_err
find_issuer(struct own *own)
{
	struct store_issuer issuer = { 0 };
	enum oc_err err;

	if (own->issuer_id != 0)
		return OC_OK;
	err = store_find_issuer(own->store, own->issuer, &issuer);
	if (err == OC_OK)
		own->issuer_id = issuer.id;
	store_issuer_fini(&issuer);
	return err;
}

static bool
is_same(const struct store_certificate *record, const struct watched *w)
{
	return record->certificate_len == w->len &&
	    memcmp(record->certificate, w->der, w->len) == 0;
}

/* Another CA may have given the serial to somebody else. */
static enum oc_err
is_same_certificate(const struct own *own, const struct store_change *c,
    const struct watched *w, bool *is)
{
	struct store_certificate record = { 0 };
	enum oc_err err = store_find_certificate(own->store, c->issuer_id,
	    &c->serial, &record);

	*is = err == OC_OK && is_same(&record, w);
	store_certificate_fini(&record);
	return err;
}

static enum oc_err
is_of_ca(const struct own *own, const struct store_change *c, bool *is)
{
	enum oc_err err = OC_OK;

	*is = false;
	if (!c->is_revoked || !crl_reason_is_compromise(c->reason))
		return OC_OK;
	for (size_t i = 0; err == OC_OK && !*is && i < own->num_watched; i++)
		if (oc_serial_equal(&c->serial, &own->watched[i].serial))
			err = is_same_certificate(own, c, &own->watched[i],
			    is);
	return err;
}

/* Picks ours out of what was read. */
static enum oc_err
pick(const struct own *own, uint32_t num_read, struct status_change *changes,
    uint32_t *num)
{
	uint32_t num_ours = 0, i;
	enum oc_err err;

	for (i = 0; i < num_read; i++) {
		const struct store_change *c = &own->batch[i];
		bool is_ours = c->issuer_id == own->issuer_id, is_ca;

		err = is_of_ca(own, c, &is_ca);
		if (err != OC_OK)
			return err;
		if (!is_ours && !is_ca)
			continue;
		changes[num_ours++] = (struct status_change){
			.seq = c->seq,
			.serial = c->serial,
			.is_revoked = c->is_revoked,
			.reason = c->reason,
			.revoked_at = c->revoked_at,
			.not_after = c->not_after,
			.is_of_ca = is_ca,
			.is_elsewhere = !is_ours,
		};
	}
	*num = num_ours;
	return OC_OK;
}

/*
 * The store's feed is of all issuers.  A batch without one of ours is
 * skipped, so that *num == 0 means the end.
 */
static enum oc_err
own_read(struct status_source *s, int64_t after_seq,
    struct status_change *changes, uint32_t num_max, uint32_t *num)
{
	struct own *own = (struct own *)s;
	uint32_t num_read, num_ours;
	int64_t from = after_seq;
	enum oc_err err;

	if (num_max > BATCH_MAX)
		num_max = BATCH_MAX;
	if (after_seq == own->last_seq && from < own->skipped_to_seq)
		from = own->skipped_to_seq;
	do {
		err = store_read_changes(own->store, from, own->batch,
		    num_max, &num_read);
		/* After them, lest its first comes between.  What another CA
		 * says of ours is news before we have any. */
		if (err == OC_OK)
			err = find_issuer(own);
		if (err != OC_OK && err != OC_ERR_NOT_FOUND)
			return err;
		err = pick(own, num_read, changes, &num_ours);
		if (err != OC_OK)
			return err;
		if (num_read != 0 && num_ours == 0)
			from = own->batch[num_read - 1].seq;
	} while (num_ours == 0 && num_read != 0);
	own->last_seq = after_seq;
	own->skipped_to_seq = from;
	*num = num_ours;
	return OC_OK;
}

static bool
own_has_news(struct status_source *s)
{
	struct own *own = (struct own *)s;
	int64_t version;

	/* What can't be told may be news: read() then says what is wrong. */
	if (store_data_version(own->store, &version) != OC_OK)
		return true;
	if (own->has_version && version == own->data_version)
		return false;
	own->has_version = true;
	own->data_version = version;
	return true;
}

static const char *
own_error(const struct status_source *s)
{
	return store_error(((const struct own *)s)->store);
}

static void
own_close(struct status_source *s)
{
	struct own *own = (struct own *)s;

	store_close(own->store);
	for (size_t i = 0; i < own->num_watched; i++)
		free(own->watched[i].der);
	free(own->watched);
	free(own);
}

/* The store is asked again and again. */
static void
own_bounds(struct status_source *s, struct status_bounds *bounds)
{
	(void)s;
	*bounds = (struct status_bounds){ 0, 0 };
}

static enum oc_err
own_watch(struct status_source *source, const struct oc_serial *serial,
    struct der_bytes certificate)
{
	struct own *own = (struct own *)source;
	struct watched *watched = reallocarray(own->watched,
	    own->num_watched + 1, sizeof(*watched));
	uint8_t *der = malloc(certificate.len);

	if (watched != NULL)
		own->watched = watched;
	if (watched == NULL || der == NULL) {
		free(der);
		return OC_ERR_NOMEM;
	}
	memcpy(der, certificate.p, certificate.len);
	watched[own->num_watched++] = (struct watched){ *serial, der,
	    certificate.len };
	return OC_OK;
}

struct look {
	const struct own *own;
	status_look_fn *fn;
	void *arg;
};

static enum oc_err
look_at(void *arg, const struct store_certificate *record)
{
	const struct look *look = arg;
	const struct own *own = look->own;
	struct status_change change = {
		.serial = record->serial,
		.is_revoked = true,
		.reason = record->reason,
		.revoked_at = record->revoked_at,
		.not_after = record->not_after,
		.is_elsewhere = record->issuer_id != own->issuer_id,
	};

	for (size_t i = 0; i < own->num_watched; i++)
		if (crl_reason_is_compromise(record->reason) &&
		    is_same(record, &own->watched[i]))
			change.is_of_ca = true;
	if (change.is_of_ca || !change.is_elsewhere)
		look->fn(look->arg, &change);
	return OC_OK;
}

static enum oc_err
own_look(struct status_source *source, const struct oc_serial *serial,
    status_look_fn *fn, void *arg)
{
	struct own *own = (struct own *)source;
	const struct store_filter filter = { .serial = serial,
	    .only_revoked = true };
	struct look look = { own, fn, arg };
	enum oc_err err = find_issuer(own);

	if (err != OC_OK && err != OC_ERR_NOT_FOUND)
		return err;
	return store_list_certificates(own->store, &filter, look_at, &look);
}

static const struct status_ops own_ops = {
	.id = own_id,
	.read = own_read,
	.has_news = own_has_news,
	.bounds = own_bounds,
	.watch = own_watch,
	.look = own_look,
	.error = own_error,
	.close = own_close,
};

enum oc_err
status_own_open(const char *store_path, const char *issuer,
    struct status_source **source, struct oc_error *error)
{
	struct own *own = calloc(1, sizeof(*own));
	enum oc_err err;

	if (own == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	oc_assert(strlen(issuer) < sizeof(own->issuer));
	strcpy(own->issuer, issuer);
	own->source.ops = &own_ops;
	/* We are the first of a service to open it; a reload after an upgrade
	 * executes us and not ocsignd. */
	err = store_open_to_read(store_path, &own->store, error);
	if (err != OC_OK) {
		free(own);
		return err;
	}
	store_set_read_timeout(own->store, READ_TIMEOUT_S);
	*source = &own->source;
	return OC_OK;
}
