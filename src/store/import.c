/* SPDX-License-Identifier: Apache-2.0 */
#include "store/import.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "store/backend.h"
#include "store/detail.h"

#define TEXT_LEN_MAX ((size_t)256 * 1024)

/* --- one certificate ---------------------------------------------------- */

static enum oc_err
check_octets(struct store *s, const struct store_import *i)
{
	enum oc_err err = OC_OK;

	if (i->tbs.len > 0 || i->state == STORE_RESERVED)
		err = store_check_blob(s, "the TBSCertificate", i->tbs,
		    OC_CERTIFICATE_MAX);
	if (err == OC_OK && i->certificate.len > 0)
		err = store_check_blob(s, "the certificate", i->certificate,
		    OC_CERTIFICATE_MAX);
	if (err == OC_OK && (strlen(i->subject) > TEXT_LEN_MAX ||
	    strlen(i->names) > TEXT_LEN_MAX ||
	    strlen(i->record) > STORE_RECORD_MAX))
		return store_fail(s, OC_ERR_LIMIT, "what is said of it has "
		    "more than %zu octets", TEXT_LEN_MAX);
	return err;
}

static enum oc_err
check(struct store *s, const struct store_import *i)
{
	enum oc_err err = store_check_serial(s, &i->serial);

	if (err == OC_OK)
		err = store_check_name(s, "the profile's name", i->profile);
	if (err == OC_OK)
		err = check_octets(s, i);
	if (err != OC_OK)
		return err;
	if (i->not_after < i->not_before)
		return store_fail(s, OC_ERR_MALFORMED,
		    "notAfter is before notBefore");
	if (i->is_revoked && (crl_reason_name(i->reason) == NULL ||
	    i->reason == CRL_REASON_REMOVE_FROM_CRL || i->revoked_at <= 0))
		return store_fail(s, OC_ERR_MALFORMED, "a revocation needs "
		    "its time, and a reason of RFC 5280, 5.3.1");
	return OC_OK;
}

static enum oc_err
add(struct store *s, const struct store_import *i)
{
	char issuer[OC_CONFIG_NAME_MAX + 1];
	struct store_status status = { i->is_revoked, i->reason,
	    i->revoked_at, i->invalidity_at };
	struct store_detail d;
	int64_t seq = 0, id = 0;
	enum oc_err err;

	err = s->ops->find_issuer_name(s, i->issuer_id, issuer);
	if (err == OC_OK)
		err = store_take_change_seq(s, &seq);
	if (err == OC_OK)
		err = s->ops->import_certificate(s, i, seq, &id);
	if (err != OC_OK)
		return err;
	if (store_detail_import(&d, issuer, id, i) != OC_OK)
		return store_fail(s, OC_ERR_INTERNAL, "SHA-256 failed");
	err = store_add_entry(s, "import", d.text);
	if (err != OC_OK || !i->is_revoked)
		return err;
	store_detail_status(&d, issuer, id, &i->serial, &status);
	return store_add_entry(s, "revoke", d.text);
}

/* What is not known of one of them is no difference. */
static const char *
find_difference(const struct store_certificate *c,
    const struct store_import *i)
{
	if (c->certificate_len > 0 && i->certificate.len > 0 &&
	    (c->certificate_len != i->certificate.len ||
	    memcmp(c->certificate, i->certificate.p, i->certificate.len) != 0))
		return "it is another certificate";
	if (c->not_after != i->not_after && c->not_after != STORE_NO_END &&
	    i->not_after != STORE_NO_END)
		return "it ends at another time";
	if (c->not_before != i->not_before && c->not_before != 0 &&
	    i->not_before != 0)
		return "it begins at another time";
	return NULL;
}

static bool
says_same(const struct store_certificate *c, const struct store_import *i)
{
	return c->is_revoked == i->is_revoked && (!c->is_revoked ||
	    (c->reason == i->reason && c->revoked_at == i->revoked_at &&
	    c->invalidity_at == i->invalidity_at));
}

/* A certificate that is good, or on hold here and revoked for good there. */
static bool
is_later(const struct store_certificate *c, const struct store_import *i)
{
	return i->is_revoked && (!c->is_revoked ||
	    (c->reason == CRL_REASON_CERTIFICATE_HOLD &&
	    i->reason != CRL_REASON_CERTIFICATE_HOLD));
}

#define STATUS_TEXT_MAX 64

static const char *
status_text(bool is_revoked, enum crl_reason reason, int64_t at,
    char text[STATUS_TEXT_MAX])
{
	const char *name = crl_reason_name(reason);
	time_t seconds = (time_t)at;
	char date[32] = "?";
	struct tm tm;

	if (!is_revoked)
		return "good";
	if (gmtime_r(&seconds, &tm) != NULL)
		(void)strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%SZ", &tm);
	(void)snprintf(text, STATUS_TEXT_MAX, "revoked (%s, %s)",
	    name == NULL ? "?" : name, date);
	return text;
}

static enum oc_err
fail_status(struct store *s, const struct store_certificate *c,
    const struct store_import *i)
{
	char here[STATUS_TEXT_MAX], there[STATUS_TEXT_MAX];
	char serial[OC_SERIAL_TEXT_MAX];

	oc_serial_format(&i->serial, serial);
	return store_fail(s, OC_ERR_MISMATCH, "serial %s is %s here, and %s "
	    "there", serial, status_text(c->is_revoked, c->reason,
	    c->revoked_at, here), status_text(i->is_revoked, i->reason,
	    i->revoked_at, there));
}

static enum oc_err
compare_status(struct store *s, const struct store_certificate *c,
    const struct store_import *i, enum store_import_policy policy,
    enum store_import_outcome *outcome)
{
	struct store_revocation r = { i->issuer_id, i->serial, i->reason,
	    i->revoked_at, i->invalidity_at };

	if (says_same(c, i))
		return OC_OK;
	if (is_later(c, i)) {
		*outcome = STORE_IMPORT_REVOKED;
		return store_revoke(s, &r);
	}
	*outcome = STORE_IMPORT_KEPT;
	return policy == STORE_IMPORT_KEEP ? OC_OK : fail_status(s, c, i);
}

/* Only a list of revoked ones has named it so far. */
static bool
is_completed_by(const struct store_certificate *c,
    const struct store_import *i)
{
	return c->import_record != NULL && c->certificate_len == 0 &&
	    c->tbs_len == 0 && c->not_after == STORE_NO_END &&
	    i->not_after != STORE_NO_END;
}

static enum oc_err
complete(struct store *s, const struct store_row *row,
    const struct store_import *i)
{
	struct store_detail d;
	int64_t seq = 0;
	enum oc_err err;

	err = store_take_change_seq(s, &seq);
	if (err == OC_OK)
		err = s->ops->complete_import(s, row->certificate.id, i, seq);
	if (err != OC_OK)
		return err;
	if (store_detail_import(&d, row->issuer, row->certificate.id, i) !=
	    OC_OK)
		return store_fail(s, OC_ERR_INTERNAL, "SHA-256 failed");
	return store_add_entry(s, "import", d.text);
}

static enum oc_err
compare(struct store *s, const struct store_row *row,
    const struct store_import *i, enum store_import_policy policy,
    enum store_import_outcome *outcome)
{
	const struct store_certificate *c = &row->certificate;
	const char *difference = find_difference(c, i);
	char serial[OC_SERIAL_TEXT_MAX];
	enum oc_err err;

	if (difference != NULL) {
		oc_serial_format(&i->serial, serial);
		return store_fail(s, OC_ERR_MISMATCH, "serial %s, \"%.200s\" "
		    "here, is \"%.200s\" there: %s", serial, c->subject,
		    i->subject, difference);
	}
	*outcome = STORE_IMPORT_SAME;
	if (is_completed_by(c, i)) {
		*outcome = STORE_IMPORT_COMPLETED;
		err = complete(s, row, i);
		if (err != OC_OK)
			return err;
	}
	return compare_status(s, c, i, policy, outcome);
}

/* Inside a change. */
static enum oc_err
import(struct store *s, const struct store_import *i,
    enum store_import_policy policy, enum store_import_outcome *outcome)
{
	struct store_row row = { 0 };
	enum oc_err err = s->ops->find_certificate(s, i->issuer_id,
	    &i->serial, &row);

	if (err == OC_ERR_NOT_FOUND) {
		*outcome = STORE_IMPORT_NEW;
		return add(s, i);
	}
	if (err != OC_OK)
		return err;
	err = compare(s, &row, i, policy, outcome);
	store_certificate_fini(&row.certificate);
	return err;
}

enum oc_err
store_import(struct store *store, const struct store_import *row,
    enum store_import_policy policy, enum store_import_outcome *outcome)
{
	enum oc_err err;

	oc_assert(store->depth > 0);
	err = check(store, row);
	if (err == OC_OK)
		err = store_begin_change(store);
	if (err != OC_OK)
		return err;
	return store_end_change(store, import(store, row, policy, outcome));
}

enum oc_err
store_expect_many(struct store *store)
{
	return store->ops->expect_many(store);
}

enum oc_err
store_last_certificate(struct store *store, int64_t *id)
{
	return store->ops->find_id_max(store, STORE_TABLE_CERTIFICATE, id);
}

/* --- all of them -------------------------------------------------------- */

enum oc_err
store_pass_crl_number(struct store *store, uint64_t number, bool *is_moved)
{
	uint64_t epoch = (number >> 32) + 1;
	struct store_detail d;
	uint32_t now = 0;
	enum oc_err err;

	oc_assert(store->depth > 0);
	err = store->ops->read_epoch(store, &now);
	if (err != OC_OK)
		return err;
	*is_moved = now < epoch;
	if (!*is_moved)
		return OC_OK;
	if (epoch > STORE_EPOCH_MAX)
		return store_fail(store, OC_ERR_LIMIT, "no CRL number of ours "
		    "is above this one");
	err = store->ops->set_epoch(store, (uint32_t)epoch);
	if (err != OC_OK)
		return err;
	store_detail_init(&d);
	store_detail_put_hex(&d, "id", store->id, STORE_ID_LEN);
	store_detail_put_int(&d, "epoch", (int64_t)epoch);
	store_detail_end(&d);
	return store_add_entry(store, "epoch", d.text);
}

enum oc_err
store_end_import(struct store *store, const struct store_imported *imported)
{
	/* Six octets for one, at worst, and room for the rest. */
	char path[STORE_DETAIL_MAX / 8];
	struct store_detail d;

	oc_assert(store->depth > 0);
	(void)snprintf(path, sizeof(path), "%s", imported->path);
	store_detail_init(&d);
	store_detail_put_text(&d, "issuer", imported->issuer);
	store_detail_put_text(&d, "format", imported->format);
	store_detail_put_text(&d, "path", path);
	store_detail_put_hex(&d, "sha256", imported->sha256, STORE_HASH_LEN);
	store_detail_put_int(&d, "new", (int64_t)imported->num_new);
	store_detail_put_int(&d, "completed",
	    (int64_t)imported->num_completed);
	store_detail_put_int(&d, "revoked", (int64_t)imported->num_revoked);
	store_detail_put_int(&d, "same", (int64_t)imported->num_same);
	store_detail_put_int(&d, "kept", (int64_t)imported->num_kept);
	store_detail_end(&d);
	return store_add_entry(store, "import-end", d.text);
}
