/* SPDX-License-Identifier: Apache-2.0 */
/* Revoking a certificate, and signing the list of those revoked. */
#include "ca/revoke.h"

#include <stdlib.h>

#include "base/clock.h"
#include "x509/crl_stream.h"

/*
 * A root's own certificate: nobody asks a root whether to believe the root,
 * and its CRL that says no would not be believed either (RFC 5280, 6.1: a
 * trust anchor is not checked).  A CA's: the Baseline Requirements, 7.2.2 and
 * 7.3, want a reason in CRL and response, and "unspecified" is said by leaving
 * it out (RFC 5280, 5.3.1).
 */
static enum oc_err
refuse_certificate(const struct ca_issuer *issuer,
    const struct x509_cert *cert, enum crl_reason reason,
    struct oc_error *error)
{
	if (der_bytes_equal(cert->subject, issuer->cert.subject) &&
	    der_bytes_equal(cert->spki, issuer->cert.spki))
		return oc_error_set(error, OC_ERR_REFUSED, "this is the "
		    "self-signed certificate of %s itself, which no CRL "
		    "revokes: have it taken out of whatever trusts it",
		    issuer->config->name);
	if (x509_cert_is_ca(cert) && reason == CRL_REASON_UNSPECIFIED)
		return oc_error_set(error, OC_ERR_REFUSED, "this is a CA's "
		    "certificate, which is revoked for a reason (Baseline "
		    "Requirements, 7.2.2): name one, such as "
		    "cessationOfOperation, superseded or cACompromise");
	return OC_OK;
}

/* A million times over: the certificate is read only where what is in it may
 * matter. */
static bool
must_look(const struct ca_issuer *issuer, enum crl_reason reason)
{
	return reason == CRL_REASON_UNSPECIFIED ||
	    der_bytes_equal(issuer->cert.issuer, issuer->cert.subject);
}

/* What was reserved and not issued is no certificate. */
static enum oc_err
check_record(const struct ca_issuer *issuer, struct store *store,
    const struct oc_serial *serial, enum crl_reason reason,
    struct oc_error *error)
{
	struct store_certificate record = { 0 };
	struct x509_cert *cert;
	enum oc_err err = OC_OK;

	if (!must_look(issuer, reason))
		return OC_OK;
	cert = calloc(1, sizeof(*cert));
	if (cert == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	if (store_find_certificate(store, issuer->store_id, serial,
	    &record) == OC_OK && record.certificate_len > 0 &&
	    x509_cert_read((struct der_bytes){ record.certificate,
	    record.certificate_len }, cert, NULL) == OC_OK)
		err = refuse_certificate(issuer, cert, reason, error);
	store_certificate_fini(&record);
	free(cert);
	return err;
}

/* The store's words, for people. */
static enum oc_err
explain(const struct ca_issuer *issuer, struct store *store,
    const struct oc_serial *serial, enum oc_err err, struct oc_error *error)
{
	char text[OC_SERIAL_TEXT_MAX];

	oc_serial_format(serial, text);
	if (err == OC_ERR_NOT_FOUND)
		return oc_error_set(error, err, "issuer %s never issued "
		    "serial %s; see \"ocsign cert list\"",
		    issuer->config->name, text);
	if (err == OC_ERR_EXISTS)
		return oc_error_set(error, err, "serial %s is revoked "
		    "already", text);
	if (err == OC_ERR_MISMATCH)
		return oc_error_set(error, err, "serial %s is not on hold: "
		    "removeFromCRL lifts a certificateHold only", text);
	return oc_error_set(error, err, "%s", store_error(store));
}

enum oc_err
ca_revoke(struct ca_issuer *issuer, struct store *store,
    const struct oc_serial *serial, enum crl_reason reason,
    int64_t *revoked_at, int64_t invalidity_at, struct oc_error *error)
{
	struct store_revocation r = {
		.issuer_id = issuer->store_id,
		.serial = *serial,
		.reason = reason,
		.revoked_at = oc_clock_now_s(),
		.invalidity_at = invalidity_at,
	};
	enum oc_err err;

	err = check_record(issuer, store, serial, reason, error);
	if (err != OC_OK)
		return err;
	err = store_revoke(store, &r);
	if (err != OC_OK)
		return explain(issuer, store, serial, err, error);
	*revoked_at = r.revoked_at;
	return OC_OK;
}

enum oc_err
ca_may_revoke(const struct ca_issuer *issuer, struct store *store,
    const struct oc_serial *serial, enum crl_reason reason,
    int64_t *not_after, struct oc_error *error)
{
	const struct store_revocation r = {
		.issuer_id = issuer->store_id,
		.serial = *serial,
		.reason = reason,
		.revoked_at = oc_clock_now_s(),
	};
	enum oc_err err = store_may_revoke(store, &r, not_after);

	if (err != OC_OK)
		return explain(issuer, store, serial, err, error);
	return check_record(issuer, store, serial, reason, error);
}

void
ca_crl_fini(struct ca_crl *crl)
{
	x509_crl_stream_free(crl->stream);
	*crl = (struct ca_crl){ 0 };
}

/* What is listed, and why it could not be: the store has words of its own for
 * what it fails at. */
struct entries {
	struct x509_crl_stream *stream;
	enum oc_err err;
};

static enum oc_err
add_entry(void *arg, const struct store_revocation *revoked)
{
	struct entries *entries = arg;
	const struct x509_crl_entry entry = {
		.serial = revoked->serial,
		.revoked_at = revoked->revoked_at,
		.reason = revoked->reason,
		.invalidity_at = revoked->invalidity_at,
	};

	entries->err = x509_crl_stream_put(entries->stream, &entry);
	return entries->err;
}

/*
 * What expired is left out only after it stood in one list beyond its life
 * (RFC 5280, 3.3): those that ended before the newest list did so; and for a
 * lifetime of lists, for whoever fetches only every other one.
 */
static enum oc_err
find_oldest(const struct ca_issuer *issuer, struct store *store, int64_t now,
    int64_t *not_after_min)
{
	int64_t lifetime_ago = now - issuer->config->crl_lifetime_s;
	struct store_crl newest = { 0 };
	enum oc_err err;

	err = store_find_crl_times(store, issuer->store_id, &newest);
	if (err != OC_OK && err != OC_ERR_NOT_FOUND)
		return err;
	/* Without one: 1970. */
	*not_after_min = newest.this_update < lifetime_ago ?
	    newest.this_update : lifetime_ago;
	return OC_OK;
}

/* Inside a group. */
static enum oc_err
take_number(const struct ca_issuer *issuer, struct store *store,
    struct x509_crl_tbs *plan, struct entries *entries, int64_t *id)
{
	int64_t not_after_min;
	enum oc_err err;

	plan->this_update = oc_clock_now_s();
	plan->next_update = plan->this_update +
	    issuer->config->crl_lifetime_s;
	err = store_reserve_crl(store, issuer->store_id, plan->this_update,
	    plan->next_update, id, &plan->number);
	if (err == OC_OK)
		err = find_oldest(issuer, store, plan->this_update,
		    &not_after_min);
	if (err == OC_OK)
		err = store_list_revoked(store, issuer->store_id,
		    not_after_min, add_entry, entries);
	return err;
}

/*
 * Number and entries in one transaction, so that a list with a higher number
 * says all that one with a lower says, whoever else revokes and signs.  Once
 * reserved a number is never used twice, whatever happens then.
 */
static enum oc_err
reserve(const struct ca_issuer *issuer, struct store *store,
    struct ca_crl_gate *gate, struct x509_crl_tbs *plan,
    struct entries *entries, int64_t *id, struct oc_error *error)
{
	enum oc_err err = store_begin_group(store);

	if (err == OC_OK) {
		if (gate != NULL)
			err = gate->look(gate->arg, store);
		if (err == OC_OK)
			err = take_number(issuer, store, plan, entries, id);
		if (err == OC_OK)
			err = store_commit_group(store);
		else
			store_abandon_group(store);
	}
	if (err == OC_OK && gate != NULL)
		gate->reserved_id = *id;
	if (err == OC_ERR_EXISTS)
		return oc_error_set(error, err, "another has made it");
	/* The entries' own failures are not the store's. */
	if (err != OC_OK)
		return oc_error_set(error, err, "what is revoked cannot be "
		    "listed: %s", entries->err != OC_OK ?
		    oc_strerror(entries->err) : store_error(store));
	return OC_OK;
}

/* CertificateList ::= SEQUENCE { tbsCertList, algorithm, signature } */
static enum oc_err
sign_list(const struct ca_issuer *issuer, struct signer *signer,
    const struct x509_crl_tbs *plan, int64_t deadline_ns, struct ca_crl *crl,
    struct oc_error *error)
{
	struct sign_job *job = calloc(1, sizeof(*job));
	struct der_bytes list;
	char key[SIGN_KEY_NAME_MAX];
	enum oc_err err = OC_ERR_NOMEM;

	if (job != NULL)
		err = x509_crl_stream_end(crl->stream, plan);
	if (err != OC_OK) {
		oc_error_set(error, err, "the list cannot be written: %s",
		    oc_strerror(err));
		goto out;
	}
	sign_key_name(SIGN_KEY_ISSUER, issuer->config->name, key);
	job->key = key;
	job->kind = SIGN_KIND_CRL;
	job->lane = SIGN_LANE_CRL;
	job->alg = plan->alg;
	job->tbs = x509_crl_stream_tbs(crl->stream);
	job->has_memfd = true;
	job->memfd = x509_crl_stream_fd(crl->stream);
	job->deadline_ns = deadline_ns;
	err = sign_now(signer, job, error);
	if (err != OC_OK)
		goto out;
	err = x509_crl_stream_sign(crl->stream, job->signed_alg,
	    (struct der_bytes){ job->signature, job->signature_len }, &list);
	if (err != OC_OK) {
		oc_error_set(error, err, "%s", oc_strerror(err));
		goto out;
	}
	crl->der = list.p;
	crl->der_len = list.len;
out:
	free(job);
	return err;
}

/* Signs what was reserved and stores it. */
static enum oc_err
carry_out(const struct ca_issuer *issuer, struct store *store,
    struct signer *signer, const struct x509_crl_tbs *plan, int64_t id,
    int64_t deadline_ns, struct ca_crl *crl, struct oc_error *error)
{
	enum oc_err err;

	err = sign_list(issuer, signer, plan, deadline_ns, crl, error);
	if (err != OC_OK)
		return err;
	err = store_issue_crl(store, id, (struct store_blob){ crl->der,
	    crl->der_len });
	if (err != OC_OK)
		return oc_error_set(error, err, "%s", store_error(store));
	crl->number = plan->number;
	return OC_OK;
}

/* RFC 5280, 4.2.1.3. */
static enum oc_err
check_may_sign(const struct ca_issuer *issuer, struct oc_error *error)
{
	uint32_t usage = issuer->cert.extensions.key_usage;

	if (usage != 0 && (usage & X509_KU_CRL_SIGN) == 0)
		return oc_error_set(error, OC_ERR_REFUSED, "%s: its keyUsage "
		    "has no cRLSign: nobody would believe a CRL",
		    issuer->config->certificate);
	return OC_OK;
}

enum oc_err
ca_crl_create(struct ca_issuer *issuer, struct store *store,
    struct signer *signer, int64_t deadline_ns, struct ca_crl *crl,
    struct oc_error *error)
{
	return ca_crl_create_if(issuer, store, signer, deadline_ns, NULL, crl,
	    error);
}

enum oc_err
ca_crl_create_if(struct ca_issuer *issuer, struct store *store,
    struct signer *signer, int64_t deadline_ns, struct ca_crl_gate *gate,
    struct ca_crl *out, struct oc_error *error)
{
	struct sign_key_info *info = calloc(1, sizeof(*info));
	struct entries entries = { .err = OC_OK };
	struct x509_crl_tbs plan = { 0 };
	char key[SIGN_KEY_NAME_MAX];
	struct ca_crl crl = { 0 };
	int64_t id;
	enum oc_err err;

	oc_assert(issuer->store_id != 0);
	if (info == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	err = check_may_sign(issuer, error);
	if (err == OC_OK)
		err = ca_issuer_find_key(issuer, signer, deadline_ns, key,
		    info, error);
	if (err != OC_OK)
		goto out;
	plan.alg = info->alg;
	plan.issuer = issuer->cert.subject;
	plan.authority_key_id = (struct der_bytes){ issuer->key_id,
	    issuer->key_id_len };
	err = x509_crl_stream_new(&crl.stream);
	if (err != OC_OK) {
		oc_error_set(error, err, "no memory for a list: %s",
		    oc_strerror(err));
		goto out;
	}
	entries.stream = crl.stream;
	err = reserve(issuer, store, gate, &plan, &entries, &id, error);
	if (err == OC_OK)
		err = carry_out(issuer, store, signer, &plan, id, deadline_ns,
		    &crl, error);
	if (err != OC_OK)
		goto out;
	crl.num_entries = x509_crl_stream_num(crl.stream);
	*out = crl;
	crl.stream = NULL;
out:
	ca_crl_fini(&crl);
	free(info);
	return err;
}
