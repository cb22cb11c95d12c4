/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The delegated signer's certificate: how long it has left, and that nobody
 * has renewed it.  Renewing is "ocsign ocsp renew"'s, which ocsignd, a timer or
 * a person starts; a reload brings it here.
 */
#include "status/service_impl.h"

#include <stdlib.h>

#include "base/log.h"
#include "der/time.h"
#include "x509/cert.h"

#define REMIND_S 86400

void
status_signer_note(struct status_service *s)
{
	const struct ocsp_identity *identity = s->identity;
	struct x509_cert *cert = calloc(1, sizeof(*cert));

	if (cert != NULL && identity->certs_len != 0 && x509_cert_read(
	    (struct der_bytes){ identity->certs, identity->certs_len }, cert,
	    NULL) == OC_OK) {
		s->is_delegated = true;
		s->signer_not_before = cert->not_before;
	}
	free(cert);
}

enum status_renewal
status_signer_renewal(const struct status_service *s, int64_t now)
{
	return s->is_delegated ? status_renewal_of(s->signer_not_before,
	    s->identity->signer_not_after, now) : STATUS_RENEWAL_NONE;
}

/* When it becomes worse, and once a day; that it has ended, who wants to sign
 * says. */
void
status_signer_tick(struct status_service *s, int64_t now)
{
	enum status_renewal renewal = status_signer_renewal(s, now);
	bool is_worse = renewal > s->renewal;
	char end[DER_ISO8601_MAX];

	s->renewal = renewal;
	if (renewal < STATUS_RENEWAL_LATE ||
	    now >= s->identity->signer_not_after ||
	    (!is_worse && now - s->reminded_at < REMIND_S))
		return;
	s->reminded_at = now;
	der_format_iso8601(s->identity->signer_not_after, end);
	oc_log(renewal == STATUS_RENEWAL_URGENT ? OC_LOG_ERROR :
	    OC_LOG_WARNING, "issuer %s: the certificate that OCSP responses "
	    "are signed under ends at %s, and nobody has renewed it: see what "
	    "\"ocsign ocsp renew --reload\" says", s->plan.ocsp->name, end);
}
