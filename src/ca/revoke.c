/* SPDX-License-Identifier: Apache-2.0 */
/* Revoking a certificate, and signing the list of those revoked. */
#include "ca/revoke.h"

#include <stdlib.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "x509/crl.h"
#include "x509/tbs.h"

enum oc_err
ca_revoke(struct ca_issuer *issuer, struct store *store,
    const struct oc_serial *serial, enum crl_reason reason,
    int64_t revoked_at, int64_t invalidity_at, struct oc_error *error)
{
	char text[OC_SERIAL_TEXT_MAX];
	enum oc_err err;

	oc_serial_format(serial, text);
	err = store_revoke(store, &(struct store_revocation){
		.issuer_id = issuer->store_id,
		.serial = *serial,
		.reason = reason,
		.revoked_at = revoked_at != 0 ? revoked_at : oc_clock_now_s(),
		.invalidity_at = invalidity_at,
	    });
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
	if (err != OC_OK)
		return oc_error_set(error, err, "%s", store_error(store));
	return OC_OK;
}

void
ca_crl_fini(struct ca_crl *crl)
{
	free(crl->der);
	*crl = (struct ca_crl){ 0 };
}

/* revokedCertificates, one entry after the other. */
struct entries {
	struct oc_buffer buffer;
	uint32_t num;
};

static enum oc_err
add_entry(void *arg, const struct store_certificate *certificate)
{
	struct entries *entries = arg;
	const struct x509_crl_entry entry = {
		.serial = certificate->serial,
		.revoked_at = certificate->revoked_at,
		.reason = certificate->reason,
		.invalidity_at = certificate->invalidity_at,
	};
	uint8_t der[X509_CRL_ENTRY_MAX];
	size_t len;
	enum oc_err err;

	err = x509_crl_entry_write(&entry, der, &len);
	if (err != OC_OK)
		return err;
	oc_buffer_put(&entries->buffer, der, len);
	entries->num++;
	return entries->buffer.err;
}

/* A put function's value in memory of its own. */
static enum oc_err
write_new(der_put_fn *put, const void *arg, uint8_t **out, size_t *len)
{
	uint8_t *der;
	enum oc_err err;

	err = der_write(put, arg, NULL, 0, len);
	if (err != OC_OK)
		return err;
	der = malloc(*len);
	if (der == NULL)
		return OC_ERR_NOMEM;
	err = der_write(put, arg, der, *len, len);
	if (err != OC_OK) {
		free(der);
		return err;
	}
	*out = der;
	return OC_OK;
}

/*
 * What expired is left out only after it stood in one list beyond its life
 * (RFC 5280, 3.3): the one before this was due a lifetime ago at most.
 */
static enum oc_err
collect(const struct ca_issuer *issuer, struct store *store, int64_t now,
    struct entries *entries)
{
	return store_list_revoked(store, issuer->store_id,
	    now - issuer->config->crl_lifetime_s, add_entry, entries);
}

/* CertificateList ::= SEQUENCE { tbsCertList, algorithm, signature } */
static enum oc_err
sign_list(const struct ca_issuer *issuer, struct signer *signer,
    const struct x509_crl_tbs *plan, int64_t deadline_ns, struct ca_crl *crl,
    struct oc_error *error)
{
	struct sign_job *job = calloc(1, sizeof(*job));
	struct x509_signed whole = { 0 };
	char key[SIGN_KEY_NAME_MAX];
	uint8_t *tbs = NULL;
	enum oc_err err = OC_ERR_NOMEM;

	if (job != NULL)
		err = write_new(x509_put_crl_tbs, plan, &tbs, &job->tbs.len);
	if (err != OC_OK) {
		oc_error_set(error, err, "%s", oc_strerror(err));
		goto out;
	}
	sign_key_name(SIGN_KEY_ISSUER, issuer->config->name, key);
	job->key = key;
	job->kind = SIGN_KIND_CRL;
	job->lane = SIGN_LANE_CRL;
	job->alg = plan->alg;
	job->tbs.p = tbs;
	job->deadline_ns = deadline_ns;
	err = sign_now(signer, job, error);
	if (err != OC_OK)
		goto out;
	whole.tbs = job->tbs;
	whole.alg = job->signed_alg;
	whole.signature = (struct der_bytes){ job->signature,
	    job->signature_len };
	err = write_new(x509_put_signed, &whole, &crl->der, &crl->der_len);
	if (err != OC_OK)
		oc_error_set(error, err, "%s", oc_strerror(err));
out:
	free(tbs);
	free(job);
	return err;
}

/* Reserves the number, then signs and stores: a number is never used twice,
 * whatever happens in between. */
static enum oc_err
number_and_sign(struct ca_issuer *issuer, struct store *store,
    struct signer *signer, struct x509_crl_tbs *plan, int64_t deadline_ns,
    struct ca_crl *crl, struct oc_error *error)
{
	int64_t id;
	enum oc_err err;

	err = store_reserve_crl(store, issuer->store_id, plan->this_update,
	    plan->next_update, &id, &plan->number);
	if (err != OC_OK)
		return oc_error_set(error, err, "%s", store_error(store));
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

enum oc_err
ca_crl_create(struct ca_issuer *issuer, struct store *store,
    struct signer *signer, int64_t deadline_ns, struct ca_crl *out,
    struct oc_error *error)
{
	struct sign_key_info *info = calloc(1, sizeof(*info));
	struct entries entries = { .num = 0 };
	struct x509_crl_tbs plan = { 0 };
	char key[SIGN_KEY_NAME_MAX];
	struct ca_crl crl = { 0 };
	int64_t now = oc_clock_now_s();
	enum oc_err err;

	oc_assert(issuer->store_id != 0);
	oc_buffer_init(&entries.buffer, OC_TBS_MAX);
	if (info == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	err = ca_issuer_find_key(issuer, signer, deadline_ns, key, info,
	    error);
	if (err != OC_OK)
		goto out;
	err = collect(issuer, store, now, &entries);
	if (err != OC_OK) {
		oc_error_set(error, err, "listing what is revoked: %s",
		    err == OC_ERR_STORE ? store_error(store) :
		    oc_strerror(err));
		goto out;
	}
	plan.alg = info->alg;
	plan.issuer = issuer->cert.subject;
	plan.this_update = now;
	plan.next_update = now + issuer->config->crl_lifetime_s;
	plan.entries = (struct der_bytes){ entries.buffer.bytes,
	    entries.buffer.len };
	plan.authority_key_id = (struct der_bytes){ issuer->key_id,
	    issuer->key_id_len };
	err = number_and_sign(issuer, store, signer, &plan, deadline_ns, &crl,
	    error);
	if (err != OC_OK)
		goto out;
	crl.num_entries = entries.num;
	*out = crl;
	crl.der = NULL;
out:
	ca_crl_fini(&crl);
	oc_buffer_fini(&entries.buffer);
	free(info);
	return err;
}
