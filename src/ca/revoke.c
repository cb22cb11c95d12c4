/* SPDX-License-Identifier: Apache-2.0 */
/* Revoking a certificate. */
#include "ca/revoke.h"

#include <stdlib.h>

#include "base/clock.h"

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
