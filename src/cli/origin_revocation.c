/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a certificate of the path is revoked: by the stapled response, by
 * the OCSP responders and by the CRLs that it names.  Whoever says "revoked"
 * and can be believed is believed; "good" must be said by one; if nobody can
 * be believed, the answer is no.
 */
#include "cli/origin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "cli/http.h"
#include "cli/names.h"
#include "cli/ocsp.h"
#include "der/time.h"
#include "ocsp/request.h"
#include "x509/crl.h"
#include "x509/file.h"
#include "x509/name.h"
#include "x509/spki.h"

/* Half a million entries: more than who asks an origin will wait for. */
#define CRL_OCTETS_MAX (32 * 1024 * 1024)
/* A response without nextUpdate is good for as long as a client says. */
#define WITHOUT_NEXT_UPDATE_S (24 * 3600)

/* One certificate and what was said of it. */
struct inquiry {
	struct cli_origin *o;
	const struct x509_cert *cert, *issuer;
	char about[128];		/* "", or "SUBJECT: " of a CA */
	bool is_good, is_unknown, is_revoked;
	char good[64];			/* who said so: "OCSP, CRL" */
	struct oc_error revoked;	/* since when, why, who says so */
	struct oc_error troubles;	/* where nothing could be had */
};

static void
note_good(struct inquiry *q, const char *who)
{
	size_t len = strlen(q->good);

	(void)snprintf(q->good + len, sizeof(q->good) - len, "%s%s",
	    len == 0 ? "" : ", ", who);
	q->is_good = true;
}

static void
note_revoked(struct inquiry *q, int64_t at, enum crl_reason reason,
    const char *who)
{
	char text[DER_ISO8601_MAX];

	der_format_iso8601(at, text);
	if (!q->is_revoked)
		oc_error_set(&q->revoked, OC_OK, "revoked at %s (%s), says "
		    "%.200s", text, crl_reason_name(reason), who);
	q->is_revoked = true;
}

/* A line of a source that told nothing. */
static void
note_trouble(struct inquiry *q, const char *check, const char *what)
{
	struct oc_error before = q->troubles;

	oc_error_set(&q->troubles, OC_OK, "%.300s%s%.200s", before.text,
	    before.text[0] == '\0' ? "" : "; ", what);
	cli_origin_say(q->o, check, CLI_ORIGIN_NONE, CLI_ORIGIN_FAILED,
	    "%s%s", q->about, what);
}

/* --- OCSP ------------------------------------------------------------- */

static enum oc_err
check_age(const struct ocsp_single_view *single, int64_t now,
    struct oc_error *error)
{
	if (single->next_update == OCSP_NO_NEXT_UPDATE &&
	    single->this_update < now - WITHOUT_NEXT_UPDATE_S)
		return oc_error_set(error, OC_ERR_REFUSED, "the response has "
		    "no nextUpdate and is more than a day old");
	return OC_OK;
}

/* Whoever made it chose the hash of its CertID; clients ask with these. */
static enum oc_err
check_response(const struct inquiry *q, struct der_bytes der,
    struct ocsp_single_view *single, struct oc_error *error)
{
	static const enum ocsp_hash tried[] = { OCSP_HASH_SHA1,
	    OCSP_HASH_SHA256 };
	struct probe_checked verdict = { 0 };
	struct ocsp_response_view view;
	int64_t now = oc_clock_now_s();
	enum oc_err err = ocsp_response_read(der, &view, error);

	if (err != OC_OK)
		return err;
	err = OC_ERR_MISMATCH;
	for (size_t i = 0; i < 2 && err == OC_ERR_MISMATCH; i++) {
		struct der_bytes certid;
		uint8_t *octets = NULL;

		err = probe_certid(q->issuer, tried[i], &q->cert->serial,
		    &octets, &certid.len, error);
		certid.p = octets;
		if (err == OC_OK)
			err = probe_check(&view, q->issuer, certid,
			    (struct der_bytes){ NULL, 0 }, now, &verdict,
			    error);
		free(octets);
	}
	if (err == OC_OK)
		err = check_age(&verdict.single, now, error);
	if (err == OC_OK)
		*single = verdict.single;
	return err;
}

static void
take_single(struct inquiry *q, const char *check,
    const struct ocsp_single_view *single, const char *who)
{
	char text[DER_ISO8601_MAX];

	switch (single->status.kind) {
	case OCSP_GOOD:
		note_good(q, check);
		der_format_iso8601(single->this_update, text);
		cli_origin_say(q->o, check, CLI_ORIGIN_NONE, CLI_ORIGIN_OK,
		    "%sgood at %s, says %s", q->about, text, who);
		return;
	case OCSP_REVOKED:
		note_revoked(q, single->status.revoked_at,
		    single->status.reason, who);
		cli_origin_say(q->o, check, CLI_ORIGIN_NONE,
		    CLI_ORIGIN_FAILED, "%s%s", q->about, q->revoked.text);
		return;
	case OCSP_UNKNOWN:
		q->is_unknown = true;
		cli_origin_say(q->o, check, CLI_ORIGIN_NONE,
		    CLI_ORIGIN_FAILED, "%sunknown to %s", q->about, who);
		return;
	}
}

/* Of the leaf only.  No edge needs one; a bad one is the server's fault. */
static void
read_staple(struct inquiry *q)
{
	struct cli_origin *o = q->o;
	struct ocsp_single_view single;
	struct cli_origin_line *line;
	struct oc_error error = { 0 };

	if (o->staple == NULL) {
		cli_origin_say(o, "staple", CLI_ORIGIN_NONE,
		    CLI_ORIGIN_SKIPPED, "nothing is stapled");
		return;
	}
	if (check_response(q, (struct der_bytes){ o->staple, o->staple_len },
	    &single, &error) == OC_OK) {
		take_single(q, "staple", &single, "the stapled response");
		return;
	}
	line = cli_origin_say(o, "staple", CLI_ORIGIN_NONE, CLI_ORIGIN_FAILED,
	    "cannot be believed: %s", error.text);
	oc_error_set(&line->advice, OC_OK, "renew what the server staples");
}

static enum oc_err
fetch_response(const struct inquiry *q, const char *url, uint8_t **reply,
    size_t *len, struct oc_error *error)
{
	struct ocsp_request_plan plan = { .num_certids = 1 };
	struct der_bytes certid = { NULL, 0 }, request = { NULL, 0 };
	uint8_t *certid_octets = NULL, *request_octets = NULL;
	enum oc_err err;

	err = probe_certid(q->issuer, OCSP_HASH_SHA1, &q->cert->serial,
	    &certid_octets, &certid.len, error);
	certid.p = certid_octets;
	plan.certids = &certid;
	if (err == OC_OK)
		err = cli_encode(ocsp_put_request, &plan, &request_octets,
		    &request.len, error);
	request.p = request_octets;
	if (err == OC_OK)
		err = cli_http_ask(url, CLI_HTTP_POST, request,
		    cli_origin_deadline(q->o), reply, len, error);
	free(request_octets);
	free(certid_octets);
	return err;
}

/* True if it has said something. */
static bool
ask_responder(struct inquiry *q, const char *url)
{
	struct ocsp_single_view single;
	struct oc_error error = { 0 };
	uint8_t *reply = NULL;
	size_t len = 0;
	enum oc_err err = fetch_response(q, url, &reply, &len, &error);

	if (err == OC_OK) {
		err = check_response(q, (struct der_bytes){ reply, len },
		    &single, &error);
		if (err != OC_OK)
			oc_error_prefix(&error, "%s", url);
	}
	if (err == OC_OK)
		take_single(q, "ocsp", &single, url);
	else
		note_trouble(q, "ocsp", error.text);
	free(reply);
	return err == OC_OK;
}

/* --- CRLs ------------------------------------------------------------- */

/* RFC 5280, 6.3.3 (b) (2): whether it lists certificates such as this one. */
static enum oc_err
check_scope(const struct inquiry *q, const struct x509_crl_point *point,
    struct oc_error *error)
{
	const struct x509_extensions *e = &q->cert->extensions;
	bool is_ca = e->has_basic_constraints && e->ca == X509_IS_CA;
	bool is_named = point->full_name.len == 0;

	if (point->is_indirect)
		return oc_error_set(error, OC_ERR_UNSUPPORTED,
		    "cannot judge: indirect CRL");
	if (point->has_only_some_reasons || e->has_crl_reasons)
		return oc_error_set(error, OC_ERR_UNSUPPORTED,
		    "cannot judge: a CRL for some reasons only");
	if (point->has_relative_name)
		return oc_error_set(error, OC_ERR_UNSUPPORTED, "cannot judge: "
		    "the CRL's distribution point is relative to its issuer");
	if (point->has_only_attribute_certs)
		return oc_error_set(error, OC_ERR_MISMATCH, "the CRL is for "
		    "attribute certificates only");
	if (point->has_only_user_certs && is_ca)
		return oc_error_set(error, OC_ERR_MISMATCH, "the CRL is for "
		    "certificates of users only, and this is a CA's");
	if (point->has_only_ca_certs && !is_ca)
		return oc_error_set(error, OC_ERR_MISMATCH, "the CRL is for "
		    "certificates of CAs only, and this is a user's");
	for (uint32_t i = 0; !is_named && i < e->num_crl_urls; i++)
		is_named = x509_crl_point_has_url(point, e->crl_urls[i]);
	return is_named ? OC_OK : oc_error_set(error, OC_ERR_MISMATCH, "the "
	    "CRL is of another distribution point: no name of it is a URL "
	    "of the certificate");
}

/* RFC 5280, 5.1.2.5: nextUpdate must be there. */
static enum oc_err
check_times(const struct x509_crl *crl, struct oc_error *error)
{
	int64_t now = oc_clock_now_s();
	char text[DER_ISO8601_MAX];

	if (crl->this_update > now + PROBE_SKEW_S) {
		der_format_iso8601(crl->this_update, text);
		return oc_error_set(error, OC_ERR_REFUSED, "the CRL is from "
		    "the future (thisUpdate %s)", text);
	}
	if (crl->next_update < now - PROBE_SKEW_S) {
		der_format_iso8601(crl->next_update, text);
		return oc_error_set(error, OC_ERR_REFUSED, "the CRL is too "
		    "old (nextUpdate %s)", crl->next_update == 0 ? "missing" :
		    text);
	}
	return OC_OK;
}

static enum oc_err
check_crl(const struct inquiry *q, const struct x509_crl *crl,
    struct oc_error *error)
{
	uint32_t usage = q->issuer->extensions.key_usage;
	enum oc_err err = check_scope(q, &crl->point, error);

	if (err != OC_OK)
		return err;
	if (!der_bytes_equal(crl->issuer, q->cert->issuer))
		return oc_error_set(error, OC_ERR_MISMATCH,
		    "the CRL is another issuer's");
	if (usage != 0 && (usage & X509_KU_CRL_SIGN) == 0)
		return oc_error_set(error, OC_ERR_REFUSED,
		    "the issuer's key usage has no cRLSign");
	if (crl->is_delta)
		return oc_error_set(error, OC_ERR_UNSUPPORTED,
		    "cannot judge: delta CRL");
	if (crl->has_unknown_critical)
		return oc_error_set(error, OC_ERR_UNSUPPORTED, "cannot judge: "
		    "the CRL has a critical extension that is not known "
		    "here");
	if (crl->alg == SIGN_ALG_NONE)
		return oc_error_set(error, OC_ERR_UNSUPPORTED, "the CRL is "
		    "signed with an algorithm that is not taken here");
	err = check_times(crl, error);
	return err != OC_OK ? err : x509_spki_verify(q->issuer->spki,
	    crl->alg, crl->tbs, crl->signature, "CRL", error);
}

static enum oc_err
find_entry(const struct x509_crl *crl, const struct oc_serial *serial,
    struct x509_crl_entry *entry)
{
	struct der_bytes rest = crl->entries;

	while (rest.len > 0) {
		enum oc_err err = x509_crl_next_entry(&rest, entry);

		if (err != OC_OK || oc_serial_equal(&entry->serial, serial))
			return err;
	}
	return OC_ERR_NOT_FOUND;
}

static enum oc_err
read_crl(struct inquiry *q, const char *url, struct der_bytes der,
    struct oc_error *error)
{
	struct x509_crl_entry entry;
	struct x509_crl crl;
	char text[DER_ISO8601_MAX];
	enum oc_err err = x509_crl_read(der, &crl, error);

	if (err == OC_OK)
		err = check_crl(q, &crl, error);
	if (err != OC_OK)
		return err;
	err = find_entry(&crl, &q->cert->serial, &entry);
	if (err == OC_OK) {
		note_revoked(q, entry.revoked_at, entry.reason, url);
		cli_origin_say(q->o, "crl", CLI_ORIGIN_NONE,
		    CLI_ORIGIN_FAILED, "%s%s", q->about, q->revoked.text);
	} else if (err == OC_ERR_NOT_FOUND) {
		note_good(q, "crl");
		der_format_iso8601(crl.this_update, text);
		cli_origin_say(q->o, "crl", CLI_ORIGIN_NONE, CLI_ORIGIN_OK,
		    "%snot in the CRL of %s at %s", q->about, text, url);
	} else
		return oc_error_set(error, err, "CRL: an entry is malformed");
	return OC_OK;
}

static bool
ask_crl(struct inquiry *q, const char *url)
{
	struct oc_error error = { 0 };
	uint8_t *body = NULL, *der = NULL;
	size_t body_len = 0, der_len = 0;
	enum oc_err err;

	err = cli_http_fetch(url, CRL_OCTETS_MAX, cli_origin_deadline(q->o),
	    &body, &body_len, &error);
	if (err == OC_OK)
		err = x509_file_parse(url, body, body_len, X509_FILE_CRL,
		    &der, &der_len, &error);
	if (err == OC_OK) {
		err = read_crl(q, url, (struct der_bytes){ der, der_len },
		    &error);
		if (err != OC_OK)
			oc_error_prefix(&error, "%s", url);
	}
	if (err != OC_OK)
		note_trouble(q, "crl", error.text);
	free(der);
	free(body);
	return err == OC_OK;
}

/* --- all of them ------------------------------------------------------ */

/* One after the other, until one has said something. */
static void
ask_all(struct inquiry *q, const struct der_bytes *urls, uint32_t num,
    bool (*ask)(struct inquiry *, const char *))
{
	for (uint32_t i = 0; i < num; i++) {
		char *url = strndup((const char *)urls[i].p, urls[i].len);
		bool is_told = url != NULL && ask(q, url);

		free(url);
		if (is_told)
			return;
	}
}

static void
conclude(struct inquiry *q)
{
	const struct x509_extensions *e = &q->cert->extensions;
	struct cli_origin_line *line;
	const char *advice = "let its responder or its CRL be reached from "
	    "here";

	if (q->is_good && !q->is_revoked && !q->is_unknown) {
		cli_origin_say(q->o, "revocation", CLI_ORIGIN_STRICT,
		    CLI_ORIGIN_OK, "%snot revoked (%s)", q->about, q->good);
		return;
	}
	line = cli_origin_say(q->o, "revocation", CLI_ORIGIN_STRICT,
	    CLI_ORIGIN_FAILED, "%s%s", q->about,
	    q->is_revoked ? q->revoked.text :
	    q->is_unknown ? "its responder does not know it" :
	    e->num_ocsp_urls + e->num_crl_urls == 0 ?
	    "it names neither an OCSP responder nor a CRL" :
	    q->troubles.text);
	if (q->is_revoked)
		advice = "issue another, with another key";
	else if (q->is_unknown)
		advice = "was it issued behind the CA's back?";
	else if (e->num_ocsp_urls + e->num_crl_urls == 0)
		advice = "give its issuer an ocsp-url or crl-url, and issue "
		    "it again";
	oc_error_set(&line->advice, OC_OK, "%s", advice);
}

static void
inquire(struct cli_origin *o, size_t n)
{
	struct inquiry q = { .o = o, .cert = &o->path[n],
	    .issuer = &o->path[n + 1] };
	const struct x509_extensions *e = &q.cert->extensions;
	char name[X509_NAME_TEXT_MAX];

	if (n == 0)
		read_staple(&q);
	else {
		x509_name_format(q.cert->subject, name);
		(void)snprintf(q.about, sizeof(q.about), "%.120s: ", name);
		if (e->num_ocsp_urls + e->num_crl_urls == 0) {
			cli_origin_say(o, "revocation", CLI_ORIGIN_NONE,
			    CLI_ORIGIN_SKIPPED, "%snames neither an OCSP "
			    "responder nor a CRL", q.about);
			return;
		}
	}
	if (!q.is_good && !q.is_revoked)
		ask_all(&q, e->ocsp_urls, e->num_ocsp_urls, ask_responder);
	if (!q.is_revoked)
		ask_all(&q, e->crl_urls, e->num_crl_urls, ask_crl);
	conclude(&q);
}

void
cli_origin_check_revocation(struct cli_origin *o)
{
	if (!o->has_path) {
		cli_origin_say(o, "revocation", CLI_ORIGIN_STRICT,
		    CLI_ORIGIN_SKIPPED, "without a chain nobody can tell");
		return;
	}
	if (o->path_len == 1)
		cli_origin_say(o, "revocation", CLI_ORIGIN_NONE,
		    CLI_ORIGIN_SKIPPED, "it is one of those trusted itself");
	for (size_t n = 0; n + 1 < o->path_len; n++)
		inquire(o, n);
}
