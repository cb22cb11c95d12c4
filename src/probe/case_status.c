/* SPDX-License-Identifier: Apache-2.0 */
/* What an answer says, and how it is made: RFC 6960, 4.2; the Baseline
 * Requirements where they want more. */
#include "base/clock.h"
#include "ocsp/extension.h"
#include "probe/case.h"
#include "probe/sign.h"

#define HOUR INT64_C(3600)
#define DAY (24 * HOUR)
/* One Ethernet frame's worth; and what Apache's mod_ssl reads. */
#define SIZE_DIRECT 1492
#define SIZE_MAX_OF_ALL 10240
#define FRESH_SIGNATURES 8

#define UNAUTHORIZED PROBE_BIT(PROBE_UNAUTHORIZED)
#define UNKNOWN PROBE_BIT(PROBE_UNKNOWN)
#define REVOKED PROBE_BIT(PROBE_REVOKED)

static void
ask_about(struct probe *p, struct der_bytes serial, struct probe_answer *a)
{
	struct der_bytes certid = probe_make_certid(p,
	    &(struct probe_certid_plan){ .serial = serial });
	struct probe_asked asked = { .certid = certid };

	probe_post(p, probe_make_request(p, &(struct probe_request){
	    .certids = &certid, .num_certids = 1 }), &asked, a);
}

static bool
ask_plain(struct probe *p, struct probe_answer *a)
{
	probe_ask_plain(p, a);
	return probe_expect(p, a, PROBE_SAME, "the answer of before");
}

/* --- what the views do not tell --------------------------------------- */

/* True if BasicOCSPResponse has a field certs, full or empty. */
static bool
has_certs_field(struct der_bytes response)
{
	struct der_reader r = der_reader_of(response), outer, wrapped, bytes;
	struct der_bytes octets = { NULL, 0 }, skipped;
	unsigned int status;

	der_enter(&r, DER_SEQUENCE, &outer);
	der_get_enum(&outer, &status);
	der_enter(&outer, DER_CONTEXT(0), &wrapped);
	der_enter(&wrapped, DER_SEQUENCE, &bytes);
	der_get_oid(&bytes, &skipped);
	der_get(&bytes, DER_OCTET_STRING, &octets);
	r = der_reader_of(octets);
	der_enter(&r, DER_SEQUENCE, &outer);
	der_get_tlv(&outer, DER_SEQUENCE, &skipped);
	der_get_tlv(&outer, DER_SEQUENCE, &skipped);
	der_get(&outer, DER_BIT_STRING, &skipped);
	return der_next_is(&outer, DER_CONTEXT(0));
}

static bool
has_version_field(struct der_bytes data)
{
	struct der_reader r = der_reader_of(data), inner;

	der_enter(&r, DER_SEQUENCE, &inner);
	return der_next_is(&inner, DER_CONTEXT(0));
}

/* The first entry behind its CertID. */
static struct der_reader
behind_certid(const struct probe_answer *a)
{
	struct der_reader r = der_reader_of(a->view.singles), inner;
	struct der_bytes skipped;

	der_enter(&r, DER_SEQUENCE, &inner);
	der_get_tlv(&inner, DER_SEQUENCE, &skipped);
	return inner;
}

/* True if revokedInfo has a revocationReason, be it 0. */
static bool
has_reason_field(const struct probe_answer *a)
{
	struct der_reader inner = behind_certid(a), status;
	int64_t at;

	return der_enter_optional(&inner, DER_CONTEXT(1), &status) &&
	    der_get_gentime(&status, &at) &&
	    der_next_is(&status, DER_CONTEXT(0));
}

/* One of the first entry's singleExtensions. */
static bool
has_single_extension(const struct probe_answer *a, enum der_oid oid)
{
	struct der_reader inner = behind_certid(a), extensions;
	struct ocsp_extension e;
	struct der_bytes skipped;
	uint8_t tag;

	der_get_any(&inner, &tag, &skipped, NULL);
	der_get(&inner, DER_GENERALIZED_TIME, &skipped);
	if (der_next_is(&inner, DER_CONTEXT(0)))
		der_get(&inner, DER_CONTEXT(0), &skipped);
	if (!ocsp_enter_extensions(&inner, DER_CONTEXT(1), &extensions))
		return false;
	while (!der_at_end(&extensions) &&
	    ocsp_get_extension(&extensions, &e))
		if (ocsp_extension_is(&e, oid))
			return true;
	return false;
}

static bool
find_response_extension(const struct probe_answer *a, enum der_oid oid,
    struct ocsp_extension *e)
{
	struct der_reader r = der_reader_of(a->view.data), inner, extensions;
	struct der_bytes skipped;
	uint8_t tag;

	der_enter(&r, DER_SEQUENCE, &inner);
	if (der_next_is(&inner, DER_CONTEXT(0)))
		der_get(&inner, DER_CONTEXT(0), &skipped);
	der_get_any(&inner, &tag, &skipped, NULL);
	der_get(&inner, DER_GENERALIZED_TIME, &skipped);
	der_get(&inner, DER_SEQUENCE, &skipped);
	if (!ocsp_enter_extensions(&inner, DER_CONTEXT(1), &extensions))
		return false;
	while (!der_at_end(&extensions) &&
	    ocsp_get_extension(&extensions, e))
		if (ocsp_extension_is(e, oid))
			return true;
	return false;
}

/* --- statuses --------------------------------------------------------- */

static void
case_good(struct probe *p, const struct probe_case *c)
{
	struct probe_answer a;

	(void)c;
	if (!ask_plain(p, &a))
		return;
	if (a.outcome != PROBE_GOOD)
		probe_skip(p, "the certificate is %s", a.seen.text);
	else if (has_version_field(a.view.data))
		probe_fail(p, "version v1 is written out, which is no DER");
	else if (a.checked.single.next_update == OCSP_NO_NEXT_UPDATE)
		probe_policy(p, "without nextUpdate");
	else if (a.view.num_singles != 1)
		probe_policy(p, "%u entries", a.view.num_singles);
	else if (a.view.responder_name.len > 0)
		probe_policy(p, "good; the responder is named, not hashed");
	else
		probe_pass(p, "good, one entry, nextUpdate, byKey");
}

static void
case_revoked(struct probe *p, const struct probe_case *c)
{
	const struct ocsp_status *status;
	struct probe_answer a;
	bool has_reason;

	if (p->o->revoked == NULL) {
		probe_skip(p, "give --revoked");
		return;
	}
	ask_about(p, probe_serial(p, p->o->revoked), &a);
	if (!probe_expect(p, &a, REVOKED, "revoked"))
		return;
	status = &a.checked.single.status;
	has_reason = has_reason_field(&a);
	if (status->revoked_at > oc_clock_now_s() + PROBE_SKEW_S)
		probe_fail(p, "revoked in the future");
	else if (c->variant == 0)
		probe_pass(p, "revoked, %s", has_reason ?
		    crl_reason_name(status->reason) : "without a reason");
	else if (status->reason != CRL_REASON_UNSPECIFIED)
		probe_skip(p, "the reason of --revoked is %s",
		    crl_reason_name(status->reason));
	else if (has_reason)
		probe_policy(p, "\"unspecified\" is written out");
	else
		probe_pass(p, "said by leaving it out");
}

static void
case_unissued(struct probe *p, const struct probe_case *c)
{
	struct ocsp_extension e;
	struct probe_answer a;

	(void)c;
	ask_about(p, probe_random_serial(p), &a);
	if (a.outcome == PROBE_REVOKED && !find_response_extension(&a,
	    DER_OID_OCSP_EXTENDED_REVOKE, &e))
		probe_fail(p, "revoked, without extended-revoke");
	probe_judge(p, &a, UNAUTHORIZED, UNKNOWN | REVOKED, "unauthorized");
}

static void
case_extended_revoke(struct probe *p, const struct probe_case *c)
{
	const struct ocsp_status *status;
	struct ocsp_extension e = { .is_critical = false };
	struct probe_answer a;

	(void)c;
	ask_about(p, probe_random_serial(p), &a);
	if (a.outcome != PROBE_REVOKED) {
		probe_skip(p, "a number never issued is answered: %s",
		    a.seen.text);
		return;
	}
	status = &a.checked.single.status;
	if (status->reason != CRL_REASON_CERTIFICATE_HOLD ||
	    status->revoked_at != 0)
		probe_fail(p, "not certificateHold since 1970");
	else if (!find_response_extension(&a, DER_OID_OCSP_EXTENDED_REVOKE,
	    &e) || e.is_critical || !der_bytes_equal(e.value,
	    DER_LITERAL("\x05\x00")))
		probe_fail(p, "no extended-revoke, or it is critical, or not "
		    "NULL");
	else if (has_single_extension(&a, DER_OID_OCSP_CRL))
		probe_fail(p, "with a reference to a CRL");
	else
		probe_pass(p, "certificateHold since 1970, extended-revoke");
}

static void
case_expired(struct probe *p, const struct probe_case *c)
{
	struct probe_answer a;

	(void)c;
	if (p->o->expired == NULL) {
		probe_skip(p, "give --expired");
		return;
	}
	ask_about(p, probe_serial(p, p->o->expired), &a);
	if (!probe_expect(p, &a, UNAUTHORIZED | PROBE_BELIEVED,
	    "unauthorized, or what it was"))
		return;
	if (a.outcome == PROBE_UNAUTHORIZED)
		probe_pass(p, "unauthorized");
	else
		probe_policy(p, "%s, with%s archiveCutoff", a.seen.text,
		    has_single_extension(&a, DER_OID_OCSP_ARCHIVE_CUTOFF) ?
		    "" : "out");
}

/* --- times ------------------------------------------------------------ */

/* Both ends count: what says 10 days lasts a second longer. */
static void
case_window(struct probe *p, const struct probe_case *c)
{
	struct probe_answer a;
	int64_t window;

	(void)c;
	if (!ask_plain(p, &a))
		return;
	if (a.checked.single.next_update == OCSP_NO_NEXT_UPDATE) {
		probe_policy(p, "without nextUpdate");
		return;
	}
	window = a.checked.single.next_update - a.checked.single.this_update +
	    1;
	if (window < 8 * HOUR)
		probe_policy(p, "%d s, less than 8 hours", (int)window);
	else if (window > 10 * DAY)
		probe_policy(p, "%d hours, more than 10 days",
		    (int)(window / HOUR));
	else
		probe_pass(p, "%d hours", (int)(window / HOUR));
}

static void
case_backdate(struct probe *p, const struct probe_case *c)
{
	struct probe_answer a;
	struct der_bytes date;
	int64_t now = oc_clock_now_s(), this_update;

	(void)c;
	if (!ask_plain(p, &a))
		return;
	/* By its own clock, if it says what that is. */
	if (!probe_field(&a.reply, "Date", &date) || !probe_date(date, &now))
		now = oc_clock_now_s();
	this_update = a.checked.single.this_update;
	if (this_update > a.view.produced_at)
		probe_fail(p, "thisUpdate is behind producedAt");
	else if (a.view.produced_at > now)
		probe_fail(p, "producedAt is in the future");
	else if (this_update > now - 30)
		probe_policy(p, "thisUpdate is %d s ago: too new for a slow "
		    "clock", (int)(now - this_update));
	else
		probe_pass(p, "thisUpdate is %d s ago",
		    (int)(now - this_update));
}

static void
case_signer_time(struct probe *p, const struct probe_case *c)
{
	struct der_reader r;
	struct probe_answer a;
	struct x509_cert cert;
	struct der_bytes der;
	int64_t until = p->o->issuer->not_after;

	(void)c;
	if (!ask_plain(p, &a))
		return;
	r = der_reader_of(a.view.certs);
	while (a.checked.is_delegated && !der_at_end(&r) &&
	    der_get_tlv(&r, DER_SEQUENCE, &der))
		if (x509_cert_read(der, &cert, NULL) == OC_OK &&
		    der_bytes_equal(cert.subject, a.checked.signer) &&
		    cert.not_after < until)
			until = cert.not_after;
	if (a.checked.single.next_update == OCSP_NO_NEXT_UPDATE)
		probe_policy(p, "without nextUpdate");
	else if (a.checked.single.next_update > until)
		probe_fail(p, "nextUpdate is behind the signer's notAfter");
	else
		probe_pass(p, "the signer outlives the answer");
}

/* --- how it is made --------------------------------------------------- */

static void
case_certs(struct probe *p, const struct probe_case *c)
{
	struct der_reader r;
	struct probe_answer a;
	struct der_bytes der;
	unsigned int num = 0;

	(void)c;
	if (!ask_plain(p, &a))
		return;
	r = der_reader_of(a.view.certs);
	while (!der_at_end(&r) && der_get_tlv(&r, DER_SEQUENCE, &der))
		num++;
	if (num == 0 && has_certs_field(a.reply.body))
		probe_fail(p, "certs is there and empty");
	else if (num > (a.checked.is_delegated ? 1u : 0u))
		probe_policy(p, "%u certificates, more than needed", num);
	else
		probe_pass(p, "%s", a.checked.is_delegated ?
		    "the delegate's alone" : "none: the CA has signed");
}

/* Ecdsa-Sig-Value ::= SEQUENCE { r INTEGER, s INTEGER }, both positive. */
static bool
is_ecdsa_value(struct der_bytes signature)
{
	struct der_reader r = der_reader_of(signature), inner;
	struct der_bytes a = { NULL, 0 }, b = { NULL, 0 };

	der_enter(&r, DER_SEQUENCE, &inner);
	der_get_integer(&inner, &a);
	der_get_integer(&inner, &b);
	return der_leave(&r, &inner) && der_is_done(&r) && a.p[0] < 0x80 &&
	    b.p[0] < 0x80;
}

/* Nonces, so that each is a new one. */
static void
case_signatures(struct probe *p, const struct probe_case *c)
{
	enum sign_alg alg = sign_alg_find(p->plain.view.alg_identifier);
	struct probe_answer a;

	(void)c;
	if (alg != SIGN_ECDSA_SHA256 && alg != SIGN_ECDSA_SHA384 &&
	    alg != SIGN_ECDSA_SHA512) {
		probe_skip(p, "it signs with %s", sign_alg_info(alg)->name);
		return;
	}
	for (int n = 0; n < FRESH_SIGNATURES; n++) {
		struct probe_asked asked = { .nonce = probe_random(p, 32) };

		probe_post(p, probe_make_request(p, &(struct probe_request){
		    .extensions = probe_nonce_extension(p, false,
		    asked.nonce) }), &asked, &a);
		if (!probe_expect(p, &a, PROBE_BELIEVED, "an answer"))
			return;
		if (!is_ecdsa_value(a.view.signature)) {
			probe_fail(p, "r and s are no DER");
			return;
		}
	}
	probe_pass(p, "%s in DER", sign_alg_info(alg)->name);
}

static void
case_openssl(struct probe *p, const struct probe_case *c)
{
	struct probe_answer a;
	const char *fault;

	(void)c;
	if (!ask_plain(p, &a))
		return;
	fault = probe_openssl_check(a.reply.body, p->o->issuer,
	    p->o->certs[0]);
	if (fault == NULL)
		probe_pass(p, "OpenSSL believes it");
	else
		probe_fail(p, "%s", fault);
}

static void
case_size(struct probe *p, const struct probe_case *c)
{
	struct probe_answer a;
	size_t len;

	(void)c;
	if (!ask_plain(p, &a))
		return;
	len = a.reply.body.len;
	if (len > SIZE_MAX_OF_ALL)
		probe_fail(p, "%zu octets: some clients read %d", len,
		    SIZE_MAX_OF_ALL);
	else if (!a.checked.is_delegated && len > SIZE_DIRECT)
		probe_policy(p, "%zu octets, signed by the CA", len);
	else
		probe_pass(p, "%zu octets", len);
}

static void
case_batch(struct probe *p, const struct probe_case *c)
{
	struct probe_answer a;

	(void)c;
	if (!ask_plain(p, &a))
		return;
	if (a.view.num_singles == 1)
		probe_pass(p, "one entry for one certificate");
	else
		probe_policy(p, "%u entries: some clients take none but one",
		    a.view.num_singles);
}

const struct probe_case probe_cases_status[] = {
	{ "st-good", "RFC6960:4.2.1", case_good, 0,
	    "good: one entry, nextUpdate, byKey" },
	{ "st-revoked", "RFC6960:4.2.1", case_revoked, 0,
	    "revoked, when and why" },
	{ "st-unspecified", "RFC5280:5.3.1", case_revoked, 1,
	    "revoked for no reason: that is left out" },
	{ "st-unissued", "BR:4.9.9", case_unissued, 0,
	    "a number never issued: not good" },
	{ "ext-revoke-shape", "RFC6960:4.4.8", case_extended_revoke, 0,
	    "extended revoke, where it is used" },
	{ "st-expired", "RFC6960:4.4.4", case_expired, 0,
	    "an expired certificate" },
	{ "br-window", "BR:4.9.9", case_window, 0,
	    "8 hours to 10 days from thisUpdate to nextUpdate" },
	{ "signer-expiring", "RFC6960:4.2.2.2", case_signer_time, 0,
	    "nextUpdate within the signer's life" },
	{ "certs-minimal", "RFC9919:3.2.2", case_certs, 0,
	    "no certificate but the delegate's" },
	{ "ecdsa-der", "RFC5758:3.2", case_signatures, 0,
	    "ECDSA signatures in DER" },
	{ "backdate", "RFC6960:2.4", case_backdate, 0,
	    "thisUpdate, producedAt and now in their order" },
	{ "interop-openssl", "RFC6960:3.2", case_openssl, 0,
	    "OpenSSL believes it, too" },
	{ "interop-size", "RFC9919:3.2.1", case_size, 0,
	    "no longer than clients read" },
	{ "batch-mode", "RFC9919:3.2.1", case_batch, 0,
	    "one entry for one certificate" },
	{ NULL, NULL, NULL, 0, NULL }
};
