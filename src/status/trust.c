/* SPDX-License-Identifier: Apache-2.0 */
#include "status/trust.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "der/reader.h"
#include "der/time.h"
#include "x509/cert.h"
#include "x509/file.h"

static void
note(void *trust, const struct status_change *change)
{
	(void)status_trust_note(trust, change);
}

/* What was revoked before is known before anything is served: of the rest
 * of what is old, the feed may tell later. */
static enum oc_err
look(struct status_trust *trust, struct status_source *source,
    const struct oc_serial *serial, struct oc_error *error)
{
	enum oc_err err = source->ops->look == NULL ? OC_OK :
	    source->ops->look(source, serial, note, trust);

	return err == OC_OK ? OC_OK : oc_error_set(error, err, "%s",
	    source->ops->error(source));
}

static enum oc_err
watch(struct status_trust *trust, struct status_source *source,
    const char *path, struct der_bytes der, struct oc_error *error)
{
	struct x509_cert *cert = calloc(1, sizeof(*cert));
	enum oc_err err;

	err = cert == NULL ? oc_error_set(error, OC_ERR_NOMEM,
	    "out of memory") : x509_cert_read(der, cert, error);
	if (err == OC_OK && source->ops->watch != NULL &&
	    source->ops->watch(source, &cert->serial, der) != OC_OK)
		err = oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	if (err == OC_OK)
		err = look(trust, source, &cert->serial, error);
	free(cert);
	return err == OC_OK ? OC_OK : oc_error_prefix(error, "%s", path);
}

/* The first of each: the CA's other certificates, for the same key.  What is
 * wrong with one keeps nobody from being answered. */
static void
watch_alternates(struct status_trust *trust, struct status_source *source)
{
	const struct oc_config_issuer *issuer = trust->ocsp->issuer;

	for (size_t i = 0; i < issuer->alternate_chain.num; i++) {
		const char *path = issuer->alternate_chain.words[i];
		struct oc_error why = { 0 };
		struct der_bytes first;
		struct der_reader r;
		uint8_t *der = NULL;
		size_t len = 0;
		enum oc_err err;

		if (access(path, F_OK) != 0 && errno == ENOENT)
			continue;
		err = x509_file_read_chain(path, &der, &len, &why);
		r = der_reader_of((struct der_bytes){ der, len });
		if (err == OC_OK && der_get_tlv(&r, DER_SEQUENCE, &first))
			err = watch(trust, source, path, first, &why);
		if (err != OC_OK)
			oc_log(OC_LOG_WARNING, "issuer %s: alternate-chain: "
			    "%s; whether that is revoked is not looked at",
			    issuer->name, why.text);
		free(der);
	}
}

static enum oc_err
read_signer(struct status_trust *trust, const char *path,
    struct oc_error *error)
{
	struct x509_cert *cert = calloc(1, sizeof(*cert));
	struct der_bytes der = { NULL, 0 };
	uint8_t *octets = NULL;
	enum oc_err err;

	err = cert == NULL ? oc_error_set(error, OC_ERR_NOMEM,
	    "out of memory") : OC_OK;
	if (err == OC_OK)
		err = x509_file_read(path, X509_FILE_CERTIFICATE, &octets,
		    &der.len, error);
	der.p = octets;
	if (err == OC_OK)
		err = x509_cert_read(der, cert, error);
	if (err == OC_OK)
		trust->signer_serial = cert->serial;
	free(octets);
	free(cert);
	return err;
}

static void
say_compromised(const struct status_trust *trust, const char *why)
{
	char at[DER_ISO8601_MAX];

	der_format_iso8601(trust->compromised_at, at);
	oc_log(OC_LOG_ERROR, "issuer %s: the CA is compromised since %s (%s): "
	    "%s", trust->ocsp->name, at, why, status_trust_refuses(trust) ?
	    "no question about its certificates is answered" :
	    "all its certificates are revoked (cACompromise)");
}

enum oc_err
status_trust_init(struct status_trust *trust,
    const struct oc_config_ocsp *ocsp, struct status_source *source,
    struct oc_error *error)
{
	const struct oc_config_issuer *issuer = ocsp->issuer;
	struct der_bytes der = { NULL, 0 };
	uint8_t *octets = NULL;
	enum oc_err err;

	*trust = (struct status_trust){ .ocsp = ocsp };
	err = x509_file_read(issuer->certificate, X509_FILE_CERTIFICATE,
	    &octets, &der.len, error);
	der.p = octets;
	if (err == OC_OK)
		err = watch(trust, source, issuer->certificate, der, error);
	free(octets);
	watch_alternates(trust, source);
	if (err == OC_OK && ocsp->certificate != NULL)
		err = read_signer(trust, ocsp->certificate, error);
	if (err == OC_OK && trust->signer_serial.len != 0)
		err = look(trust, source, &trust->signer_serial, error);
	if (err == OC_OK && issuer->compromised_since > 0) {
		trust->is_compromised = true;
		trust->compromised_at = issuer->compromised_since;
		say_compromised(trust, "compromised-since");
	}
	return err;
}

static bool
note_signer(struct status_trust *trust, const struct status_change *c)
{
	if (c->is_elsewhere || trust->signer_serial.len == 0 ||
	    !oc_serial_equal(&c->serial, &trust->signer_serial) ||
	    c->is_revoked == trust->is_signer_revoked)
		return false;
	trust->is_signer_revoked = c->is_revoked;
	if (c->is_revoked)
		oc_log(OC_LOG_ERROR, "issuer %s: the OCSP signer's certificate "
		    "%s is revoked (%s): what it signed is not served, and it "
		    "signs nothing more; put another there and reload",
		    trust->ocsp->name, trust->ocsp->certificate,
		    crl_reason_name(c->reason));
	else
		oc_log(OC_LOG_NOTICE, "issuer %s: the OCSP signer's "
		    "certificate is no longer on hold", trust->ocsp->name);
	return true;
}

bool
status_trust_note(struct status_trust *trust, const struct status_change *c)
{
	bool has_changed = note_signer(trust, c);

	if (!c->is_of_ca || trust->is_compromised)
		return has_changed;
	trust->is_compromised = true;
	trust->compromised_at = c->revoked_at;
	say_compromised(trust, crl_reason_name(c->reason));
	return true;
}

bool
status_trust_refuses(const struct status_trust *trust)
{
	return trust->is_compromised &&
	    trust->ocsp->issuer->on_compromise == OC_COMPROMISE_REFUSED;
}

struct ocsp_status
status_trust_says(const struct status_trust *trust,
    const struct status_record *record)
{
	if (trust->is_compromised && (!record->is_revoked ||
	    record->reason == CRL_REASON_CERTIFICATE_HOLD))
		return (struct ocsp_status){ OCSP_REVOKED,
		    CRL_REASON_CA_COMPROMISE, trust->compromised_at };
	if (!record->is_revoked)
		return (struct ocsp_status){ .kind = OCSP_GOOD };
	return (struct ocsp_status){ OCSP_REVOKED, record->reason,
	    record->revoked_at };
}

bool
status_trust_forbids(const struct status_trust *trust,
    const struct ocsp_status *status)
{
	return status_trust_refuses(trust) ||
	    (trust->is_compromised && status->kind != OCSP_REVOKED);
}
