/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a certificate's record: reserved, issued, revoked. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "store/backend.h"
#include "store/detail.h"

/* A subject and 1000 names of a DNS name's length each. */
#define TEXT_LEN_MAX ((size_t)256 * 1024)

void
store_certificate_fini(struct store_certificate *certificate)
{
	free(certificate->subject);
	free(certificate->names);
	free(certificate->import_record);
	free(certificate->tbs);
	free(certificate->certificate);
	memset(certificate, 0, sizeof(*certificate));
}

/* --- reserve ------------------------------------------------------------ */

enum oc_err
store_check_reservation(struct store *s, const struct store_reservation *given,
    struct store_reservation *whole)
{
	struct store_reservation *r = whole;
	enum oc_err err;

	*r = *given;
	r->profile = given->profile == NULL ? "" : given->profile;
	r->subject = given->subject == NULL ? "" : given->subject;
	r->names = given->names == NULL ? "" : given->names;
	err = store_check_serial(s, &r->serial);
	if (err == OC_OK)
		err = store_check_blob(s, "the TBSCertificate", r->tbs,
		    OC_CERTIFICATE_MAX);
	if (err == OC_OK)
		err = store_check_name(s, "the profile's name", r->profile);
	if (err != OC_OK)
		return err;
	if (r->not_after < r->not_before)
		return store_fail(s, OC_ERR_MALFORMED,
		    "notAfter is before notBefore");
	if (strlen(r->subject) > TEXT_LEN_MAX ||
	    strlen(r->names) > TEXT_LEN_MAX)
		return store_fail(s, OC_ERR_LIMIT,
		    "subject or names have more than %zu octets",
		    TEXT_LEN_MAX);
	return OC_OK;
}

enum oc_err
store_add_reservation(struct store *s, const struct store_reservation *r,
    int64_t *id)
{
	char issuer[OC_CONFIG_NAME_MAX + 1];
	char serial[OC_SERIAL_TEXT_MAX];
	struct store_detail d;
	int64_t seq;
	enum oc_err err;

	err = s->ops->find_issuer_name(s, r->issuer_id, issuer);
	if (err == OC_OK)
		err = store_take_change_seq(s, &seq);
	if (err != OC_OK)
		return err;
	err = s->ops->add_certificate(s, r, oc_clock_now_s(), seq, id);
	if (err == OC_ERR_EXISTS) {
		oc_serial_format(&r->serial, serial);
		return store_fail(s, err, "issuer %s has serial %s already",
		    issuer, serial);
	}
	if (err != OC_OK)
		return err;
	if (store_detail_reserve(&d, issuer, *id, r) != OC_OK)
		return store_fail(s, OC_ERR_INTERNAL, "SHA-256 failed");
	return store_add_entry(s, "reserve", d.text);
}

enum oc_err
store_reserve(struct store *store, const struct store_reservation *r,
    int64_t *id)
{
	struct store_reservation whole;
	int64_t reserved_id = 0;
	enum oc_err err;

	err = store_check_reservation(store, r, &whole);
	if (err == OC_OK)
		err = store_begin_change(store);
	if (err != OC_OK)
		return err;
	err = store_add_reservation(store, &whole, &reserved_id);
	err = store_end_change(store, err);
	if (err == OC_OK)
		*id = reserved_id;
	return err;
}

/* --- issue -------------------------------------------------------------- */

/* Whoever asked next may have had its key, or, once no quota counts it any
 * more, its place in one. */
static bool
is_given_up(const struct store_waiting *row, int64_t now)
{
	return row->is_asked && (!row->is_current ||
	    row->reserved_at <= now - STORE_PENDING_S);
}

/* Inside a change. */
static enum oc_err
issue(struct store *s, int64_t id, struct store_blob certificate)
{
	int64_t now = oc_clock_now_s();
	struct store_waiting row;
	struct store_detail d;
	enum oc_err err;

	err = s->ops->get_waiting(s, id, &row);
	if (err == OC_ERR_NOT_FOUND ||
	    (err == OC_OK && row.state != STORE_RESERVED))
		return store_fail(s, OC_ERR_MISMATCH, "record %lld is not "
		    "waiting for its certificate", (long long)id);
	if (err == OC_OK && is_given_up(&row, now))
		return store_fail(s, OC_ERR_MISMATCH, "the request of record "
		    "%lld was given up: it stays without its certificate",
		    (long long)id);
	if (err == OC_OK)
		err = s->ops->set_issued(s, id, now, certificate);
	if (err != OC_OK)
		return err;
	if (store_detail_issue(&d, row.issuer, id, &row.serial,
	    certificate) != OC_OK)
		return store_fail(s, OC_ERR_INTERNAL, "SHA-256 failed");
	err = store_add_entry(s, "issue", d.text);
	if (err == OC_OK && row.order_id != 0)
		err = store_issue_for_order(s, row.order_id, id);
	return err;
}

enum oc_err
store_issue(struct store *store, int64_t id, struct store_blob certificate)
{
	enum oc_err err;

	err = store_check_blob(store, "the certificate", certificate,
	    OC_CERTIFICATE_MAX);
	if (err == OC_OK)
		err = store_begin_change(store);
	if (err != OC_OK)
		return err;
	return store_end_change(store, issue(store, id, certificate));
}

/* --- look --------------------------------------------------------------- */

/* NOT_FOUND with words that name the serial. */
static enum oc_err
name_missing(struct store *s, enum oc_err err, const struct oc_serial *serial)
{
	char text[OC_SERIAL_TEXT_MAX];

	if (err != OC_ERR_NOT_FOUND)
		return err;
	oc_serial_format(serial, text);
	return store_fail(s, err, "serial %s was never reserved", text);
}

enum oc_err
store_find_certificate(struct store *store, int64_t issuer_id,
    const struct oc_serial *serial, struct store_certificate *certificate)
{
	struct store_row row = { 0 };
	enum oc_err err;

	err = store_check_serial(store, serial);
	if (err == OC_OK)
		err = name_missing(store, store->ops->find_certificate(store,
		    issuer_id, serial, &row), serial);
	if (err == OC_OK)
		*certificate = row.certificate;
	return err;
}

static bool
is_issued_here(const struct store_certificate *c, int64_t issuer_id)
{
	return c->issuer_id == issuer_id && c->state == STORE_ISSUED &&
	    c->import_record == NULL && c->certificate_len > 0;
}

enum oc_err
store_find_newest(struct store *store, int64_t issuer_id, uint32_t num_max,
    struct store_certificate *certificate)
{
	struct store_row row = { 0 };
	int64_t id = 0, least;
	enum oc_err err;

	err = store->ops->find_id_max(store, STORE_TABLE_CERTIFICATE, &id);
	least = id - num_max;
	for (; err == OC_OK && id > 0 && id > least; id--) {
		err = store->ops->get_certificate(store, id, &row);
		if (err == OC_OK && is_issued_here(&row.certificate,
		    issuer_id)) {
			*certificate = row.certificate;
			return OC_OK;
		}
		store_certificate_fini(&row.certificate);
		if (err == OC_ERR_NOT_FOUND)
			err = OC_OK;
	}
	return err != OC_OK ? err : store_fail(store, OC_ERR_NOT_FOUND,
	    "nothing was issued lately");
}

enum oc_err
store_list_certificates(struct store *store,
    const struct store_filter *filter, store_certificate_fn *fn, void *arg)
{
	return store->ops->list_certificates(store, filter, oc_clock_now_s(),
	    fn, arg);
}

enum oc_err
store_list_revoked(struct store *store, int64_t issuer_id,
    int64_t not_after_min, store_revoked_fn *fn, void *arg)
{
	const struct store_revoked_filter filter = {
		.issuer_id = issuer_id,
		.not_after_min = not_after_min,
		.after_seq = INT64_MAX
	};

	return store_list_partition(store, &filter, fn, arg);
}

enum oc_err
store_read_changes(struct store *store, int64_t after_seq,
    struct store_change *changes, uint32_t num_max, uint32_t *num)
{
	return store->ops->read_changes(store, after_seq, changes, num_max,
	    num);
}

/* --- revoke ------------------------------------------------------------- */

/* Why the key is not to be believed may become known only after it was
 * revoked: Baseline Requirements, 7.2.2. */
static bool
is_worse(const struct store_certificate *c, enum crl_reason reason)
{
	return c->is_revoked && c->reason != CRL_REASON_CERTIFICATE_HOLD &&
	    crl_reason_is_compromise(reason) &&
	    !crl_reason_is_compromise(c->reason);
}

/* RFC 5280, 5.3.1: only a hold is not for ever. */
static enum oc_err
check_transition(struct store *s, const struct store_row *row,
    const struct store_revocation *r)
{
	const struct store_certificate *c = &row->certificate;
	bool is_held = c->is_revoked &&
	    c->reason == CRL_REASON_CERTIFICATE_HOLD;
	const char *reason;
	char serial[OC_SERIAL_TEXT_MAX];

	oc_serial_format(&c->serial, serial);
	if (r->reason == CRL_REASON_REMOVE_FROM_CRL) {
		if (is_held)
			return OC_OK;
		return store_fail(s, OC_ERR_MISMATCH, "serial %s of issuer "
		    "%s is not on hold", serial, row->issuer);
	}
	if (!c->is_revoked || is_worse(c, r->reason) ||
	    (is_held && r->reason != CRL_REASON_CERTIFICATE_HOLD))
		return OC_OK;
	reason = crl_reason_name(c->reason);
	return store_fail(s, OC_ERR_EXISTS, "serial %s of issuer %s is "
	    "revoked already (%s)", serial, row->issuer,
	    reason == NULL ? "?" : reason);
}

/* It has been revoked all the time. */
static void
keep_dates(const struct store_certificate *c, struct store_status *status)
{
	if (c->revoked_at < status->revoked_at)
		status->revoked_at = c->revoked_at;
	if (status->invalidity_at == 0)
		status->invalidity_at = c->invalidity_at;
}

/* Inside a change. */
static enum oc_err
revoke(struct store *s, struct store_revocation *r)
{
	struct store_status status = {
		.is_revoked = r->reason != CRL_REASON_REMOVE_FROM_CRL,
		.reason = r->reason,
		.revoked_at = r->revoked_at,
		.invalidity_at = r->invalidity_at
	};
	struct store_row row = { 0 };
	struct store_detail d;
	int64_t seq, id;
	enum oc_err err;

	err = name_missing(s, s->ops->find_state(s, r->issuer_id, &r->serial,
	    &row), &r->serial);
	if (err != OC_OK)
		return err;
	id = row.certificate.id;
	err = check_transition(s, &row, r);
	if (is_worse(&row.certificate, r->reason))
		keep_dates(&row.certificate, &status);
	if (err == OC_OK)
		err = store_take_change_seq(s, &seq);
	if (err == OC_OK)
		err = s->ops->set_status(s, id, seq, &status);
	if (err == OC_OK) {
		store_detail_status(&d, row.issuer, id, &r->serial, &status);
		err = store_add_entry(s,
		    status.is_revoked ? "revoke" : "release", d.text);
	}
	if (err == OC_OK)
		r->revoked_at = status.revoked_at;
	return err;
}

static enum oc_err
check_revocation(struct store *store, const struct store_revocation *r)
{
	enum oc_err err = store_check_serial(store, &r->serial);

	if (err != OC_OK)
		return err;
	if (crl_reason_name(r->reason) == NULL)
		return store_fail(store, OC_ERR_MALFORMED,
		    "there is no reason %d (RFC 5280, 5.3.1)", (int)r->reason);
	if (r->revoked_at <= 0 && r->reason != CRL_REASON_REMOVE_FROM_CRL)
		return store_fail(store, OC_ERR_MALFORMED,
		    "a revocation needs its time");
	return OC_OK;
}

enum oc_err
store_may_revoke(struct store *store, const struct store_revocation *r,
    int64_t *not_after)
{
	struct store_row row = { 0 };
	enum oc_err err = check_revocation(store, r);

	if (err == OC_OK)
		err = name_missing(store, store->ops->find_state(store,
		    r->issuer_id, &r->serial, &row), &r->serial);
	if (err == OC_OK)
		err = check_transition(store, &row, r);
	if (err == OC_OK || err == OC_ERR_EXISTS)
		*not_after = row.certificate.not_after;
	return err;
}

enum oc_err
store_revoke(struct store *store, struct store_revocation *r)
{
	enum oc_err err = check_revocation(store, r);

	if (err != OC_OK)
		return err;
	err = store_begin_change(store);
	if (err != OC_OK)
		return err;
	store->revocation_mark++;
	return store_end_change(store, revoke(store, r));
}
