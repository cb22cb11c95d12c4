/* SPDX-License-Identifier: Apache-2.0 */
/* OCSP responses, RFC 6960 4.2.1, walked leniently; and the rules. */
#include "lint/run.h"

#include "der/time.h"

/* Beyond those, singles are not looked at: OCSP_REQUEST_SINGLES_MAX. */
#define SINGLES_MAX 128

struct single {
	struct der_bytes certid;	/* TLV */
	uint8_t status;			/* tag: 80 good, a1 revoked, 82 */
	struct der_bytes revoked;	/* contents of RevokedInfo */
	struct lint_time this_update, next_update;
	bool is_whole;			/* and nothing else is in it */
};

struct singles {
	struct der_reader left;
	int num;			/* that were read */
};

struct lint_ocsp {
	const struct lint_ocsp_input *input;
	const struct lint_cert *signer;	/* NULL: not known */
	const char *broken;
	bool is_successful;
	struct der_bytes basic;		/* BasicOCSPResponse TLV */
	struct lint_time produced_at;
	struct der_bytes singles;	/* contents of responses */
	struct lint_algorithm alg;
	struct der_bytes signature;	/* BIT STRING contents */
	struct der_bytes first_cert;	/* TLV; len 0: none */
};

static void
break_at(struct lint_ocsp *o, const char *what)
{
	if (o->broken == NULL)
		o->broken = what;
}

/* Of any type: which one it is is a rule's to say. */
static void
get_time(struct der_reader *r, struct lint_time *time)
{
	*time = (struct lint_time){ 0 };
	if (!der_get_any(r, &time->tag, &time->contents, NULL))
		return;
	time->is_read = time->tag == DER_GENERALIZED_TIME &&
	    der_parse_gentime(time->contents, &time->at) == OC_OK;
}

/*
 * ResponseData ::= SEQUENCE {
 *     version       [0] EXPLICIT INTEGER DEFAULT v1,
 *     responderID   [1] or [2],
 *     producedAt    GeneralizedTime,
 *     responses     SEQUENCE OF SingleResponse,
 *     extensions    [1] EXPLICIT Extensions OPTIONAL }
 */
static void
read_data(struct der_bytes contents, struct lint_ocsp *o)
{
	struct der_reader r = der_reader_of(contents);
	uint8_t tag;

	if (der_next_is(&r, DER_CONTEXT(0)))
		der_get_any(&r, &tag, NULL, NULL);
	der_get_any(&r, &tag, NULL, NULL);
	get_time(&r, &o->produced_at);
	if (!der_get(&r, DER_SEQUENCE, &o->singles))
		break_at(o, "ResponseData is not as RFC 6960 4.2.1 has it");
}

/*
 * BasicOCSPResponse ::= SEQUENCE {
 *     tbsResponseData, signatureAlgorithm, signature BIT STRING,
 *     certs  [0] EXPLICIT SEQUENCE OF Certificate OPTIONAL }
 */
static void
read_basic(struct der_bytes basic, struct lint_ocsp *o)
{
	struct der_reader r, certs, list;
	struct der_bytes contents, tlv;

	if (!der_read_whole(basic, DER_SEQUENCE, &contents)) {
		break_at(o, "BasicOCSPResponse is not a SEQUENCE");
		return;
	}
	r = der_reader_of(contents);
	if (!der_get(&r, DER_SEQUENCE, &tlv)) {
		break_at(o, "ResponseData is not a SEQUENCE");
		return;
	}
	read_data(tlv, o);
	if (der_get_tlv(&r, DER_SEQUENCE, &tlv))
		lint_algorithm_read(tlv, &o->alg);
	der_get(&r, DER_BIT_STRING, &o->signature);
	if (der_enter_optional(&r, DER_CONTEXT(0), &certs) &&
	    der_enter(&certs, DER_SEQUENCE, &list) && !der_at_end(&list) &&
	    !der_get_tlv(&list, DER_SEQUENCE, &o->first_cert))
		break_at(o, "certs are no certificates");
	if (!der_is_done(&r))
		break_at(o, "BasicOCSPResponse has something else in it");
}

/*
 * OCSPResponse ::= SEQUENCE {
 *     responseStatus  ENUMERATED,
 *     responseBytes   [0] EXPLICIT SEQUENCE {
 *         responseType  OBJECT IDENTIFIER,
 *         response      OCTET STRING } OPTIONAL }
 */
static void
read_response(struct lint_ocsp *o)
{
	struct der_bytes contents, status, oid, basic;
	struct der_reader r, explicit, inner;

	if (!der_read_whole(o->input->der, DER_SEQUENCE, &contents)) {
		break_at(o, "it is not one SEQUENCE in DER");
		return;
	}
	r = der_reader_of(contents);
	if (!der_get(&r, DER_ENUMERATED, &status)) {
		break_at(o, "responseStatus is not ENUMERATED");
		return;
	}
	if (status.len != 1 || status.p[0] > 6 || status.p[0] == 4)
		break_at(o, "responseStatus is none of RFC 6960's");
	if (!der_enter_optional(&r, DER_CONTEXT(0), &explicit)) {
		if (!der_is_done(&r))
			break_at(o, "there is something behind the status");
		else if (status.len == 1 && status.p[0] == 0)
			break_at(o, "it is successful, and without an answer");
		return;
	}
	der_enter(&explicit, DER_SEQUENCE, &inner);
	der_get_oid(&inner, &oid);
	if (!der_get(&inner, DER_OCTET_STRING, &basic)) {
		break_at(o, "responseBytes is not a type and an OCTET "
		    "STRING");
		return;
	}
	o->is_successful = true;
	o->basic = basic;
	read_basic(basic, o);
}

static struct singles
singles_of(const struct lint_ocsp *o)
{
	return (struct singles){ .left = der_reader_of(o->singles) };
}

static bool
is_at_end(const struct singles *singles)
{
	return singles->num == SINGLES_MAX || der_at_end(&singles->left);
}

/*
 * SingleResponse ::= SEQUENCE {
 *     certID      CertID,
 *     certStatus  [0], [1] or [2],
 *     thisUpdate  GeneralizedTime,
 *     nextUpdate  [0] EXPLICIT GeneralizedTime OPTIONAL,
 *     extensions  [1] EXPLICIT Extensions OPTIONAL }
 */
static bool
next_single(struct singles *singles, struct single *s)
{
	struct der_reader inner, explicit;
	uint8_t tag;

	*s = (struct single){ 0 };
	if (is_at_end(singles) ||
	    !der_enter(&singles->left, DER_SEQUENCE, &inner) ||
	    !der_get_tlv(&inner, DER_SEQUENCE, &s->certid) ||
	    !der_get_any(&inner, &s->status, &s->revoked, NULL))
		return false;
	singles->num++;
	get_time(&inner, &s->this_update);
	if (der_enter_optional(&inner, DER_CONTEXT(0), &explicit))
		get_time(&explicit, &s->next_update);
	if (der_next_is(&inner, DER_CONTEXT(1)))
		der_get_any(&inner, &tag, NULL, NULL);
	s->is_whole = der_is_done(&inner);
	return true;
}

void
lint_ocsp(const struct lint_ocsp_input *input, struct lint_report *report)
{
	struct lint_ocsp ocsp = { .input = input };
	const struct lint_run run = { .ocsp = &ocsp,
	    .audience = input->audience, .exempt = input->exempt };
	struct lint_input none = { .der = input->signer };
	struct lint_cert signer;

	read_response(&ocsp);
	if (none.der.len == 0)
		none.der = ocsp.first_cert;
	if (none.der.len != 0) {
		lint_cert_read(&none, none.der, &signer);
		ocsp.signer = &signer;
	}
	lint_run_begin(report);
	lint_run(&run, report);
}

/* --- rules ------------------------------------------------------------ */

static bool
is_not_der(const struct lint_ocsp *o, const struct lint_rule *rule,
    struct lint_detail *d)
{
	struct singles singles = singles_of(o);
	const char *fault = o->broken;
	struct single s;

	(void)rule;
	while (fault == NULL && !is_at_end(&singles))
		if (!next_single(&singles, &s) || !s.is_whole)
			fault = "a SingleResponse is not as RFC 6960 4.2.1 "
			    "has it";
	if (fault == NULL)
		fault = lint_der_fault(o->input->der);
	if (fault == NULL && o->is_successful)
		fault = lint_der_fault(o->basic);
	if (fault == NULL && o->is_successful && o->singles.len == 0)
		fault = "there is not a single response";
	return fault != NULL && lint_found(d, "%s", fault);
}

static bool
is_time_wrong(const struct lint_time *time, const char *name,
    struct lint_detail *d)
{
	char text[LINT_TEXT_MAX];

	return time->tag != 0 && !time->is_read && lint_found(d, "%s: %s",
	    name, lint_text(time->contents, text));
}

static bool
has_wrong_time(const struct lint_ocsp *o, const struct lint_rule *rule,
    struct lint_detail *d)
{
	struct singles singles = singles_of(o);
	struct der_reader revoked;
	struct lint_time at;
	struct single s;

	(void)rule;
	if (is_time_wrong(&o->produced_at, "producedAt", d))
		return true;
	while (next_single(&singles, &s)) {
		if (is_time_wrong(&s.this_update, "thisUpdate", d) ||
		    is_time_wrong(&s.next_update, "nextUpdate", d))
			return true;
		if (s.status != DER_CONTEXT(1))
			continue;
		revoked = der_reader_of(s.revoked);
		get_time(&revoked, &at);
		if (is_time_wrong(&at, "revocationTime", d))
			return true;
	}
	return false;
}

static bool
is_this_update_late(const struct lint_ocsp *o, const struct lint_rule *rule,
    struct lint_detail *d)
{
	struct singles singles = singles_of(o);
	struct single s;

	(void)rule;
	while (next_single(&singles, &s))
		if (s.this_update.is_read && o->produced_at.is_read &&
		    s.this_update.at > o->produced_at.at)
			return lint_found(d, "thisUpdate is %lld s behind "
			    "producedAt", (long long)(s.this_update.at -
			    o->produced_at.at));
	return false;
}

static bool
lacks_next_update(const struct lint_ocsp *o, const struct lint_rule *rule,
    struct lint_detail *d)
{
	struct singles singles = singles_of(o);
	struct single s;

	(void)rule;
	while (next_single(&singles, &s))
		if (s.next_update.tag == 0)
			return lint_found(d, "no nextUpdate");
	return false;
}

static bool
is_next_update_early(const struct lint_ocsp *o, const struct lint_rule *rule,
    struct lint_detail *d)
{
	struct singles singles = singles_of(o);
	struct single s;

	(void)rule;
	while (next_single(&singles, &s))
		if (s.next_update.is_read && s.this_update.is_read &&
		    s.next_update.at <= s.this_update.at)
			return lint_found(d, "nextUpdate is not behind "
			    "thisUpdate");
	return false;
}

/* nextUpdate is inclusive. */
static int64_t
life_of(const struct single *s)
{
	return s->next_update.is_read && s->this_update.is_read &&
	    s->next_update.at > s->this_update.at ?
	    s->next_update.at - s->this_update.at + 1 : 0;
}

#define SHORTEST_S (INT64_C(8) * 3600)
#define LONGEST_S (INT64_C(10) * 86400)

static bool
is_life_short(const struct lint_ocsp *o, const struct lint_rule *rule,
    struct lint_detail *d)
{
	struct singles singles = singles_of(o);
	struct single s;

	(void)rule;
	while (next_single(&singles, &s))
		if (life_of(&s) != 0 && life_of(&s) < SHORTEST_S)
			return lint_found(d, "%lld s",
			    (long long)life_of(&s));
	return false;
}

static bool
is_life_long(const struct lint_ocsp *o, const struct lint_rule *rule,
    struct lint_detail *d)
{
	struct singles singles = singles_of(o);
	struct single s;

	(void)rule;
	while (next_single(&singles, &s))
		if (life_of(&s) > LONGEST_S)
			return lint_found(d, "%lld s",
			    (long long)life_of(&s));
	return false;
}

static bool
outlives_signer(const struct lint_ocsp *o, const struct lint_rule *rule,
    struct lint_detail *d)
{
	struct singles singles = singles_of(o);
	char text[DER_ISO8601_MAX];
	struct single s;

	(void)rule;
	if (o->signer == NULL || !o->signer->not_after.is_read)
		return false;
	while (next_single(&singles, &s))
		if (s.next_update.is_read &&
		    s.next_update.at >= o->signer->not_after.at) {
			der_format_iso8601(o->signer->not_after.at, text);
			return lint_found(d, "the signer ends %s", text);
		}
	return false;
}

/* RevokedInfo ::= SEQUENCE { GeneralizedTime, [0] EXPLICIT CRLReason } */
static bool
is_reason_bad(const struct lint_ocsp *o, const struct lint_rule *rule,
    struct lint_detail *d)
{
	struct singles singles = singles_of(o);
	struct der_reader inner, explicit;
	struct der_bytes reason;
	struct lint_time at;
	struct single s;

	(void)rule;
	while (next_single(&singles, &s)) {
		if (s.status != DER_CONTEXT(1))
			continue;
		inner = der_reader_of(s.revoked);
		get_time(&inner, &at);
		if (!der_enter_optional(&inner, DER_CONTEXT(0), &explicit))
			continue;
		if (!der_get(&explicit, DER_ENUMERATED, &reason) ||
		    reason.len != 1 || reason.p[0] == 0 ||
		    reason.p[0] == 7 || reason.p[0] > 10)
			return lint_found(d, "unspecified, or no reason");
	}
	return false;
}

static bool
is_answered(const struct lint_ocsp *o, struct der_bytes certid)
{
	struct singles singles = singles_of(o);
	struct single s;

	while (next_single(&singles, &s))
		if (der_bytes_equal(s.certid, certid))
			return true;
	return false;
}

/*
 * TBSRequest ::= SEQUENCE { [0] version, [1] requestorName,
 *     requestList  SEQUENCE OF SEQUENCE { reqCert CertID, ... }, ... }
 */
static bool
is_certid_other(const struct lint_ocsp *o, const struct lint_rule *rule,
    struct lint_detail *d)
{
	struct der_bytes contents, certid;
	struct der_reader r, tbs, list, one;
	uint8_t tag;
	int i;

	(void)rule;
	if (!o->is_successful || !der_read_whole(o->input->request,
	    DER_SEQUENCE, &contents))
		return false;
	r = der_reader_of(contents);
	der_enter(&r, DER_SEQUENCE, &tbs);
	while (der_next_is(&tbs, DER_CONTEXT(0)) ||
	    der_next_is(&tbs, DER_CONTEXT(1)))
		der_get_any(&tbs, &tag, NULL, NULL);
	der_enter(&tbs, DER_SEQUENCE, &list);
	for (i = 0; i < SINGLES_MAX && !der_at_end(&list); i++) {
		der_enter(&list, DER_SEQUENCE, &one);
		if (!der_get_tlv(&one, DER_SEQUENCE, &certid))
			return false;
		if (!is_answered(o, certid))
			return lint_found(d, "CertID %d of the request is "
			    "not in the response as it was asked", i + 1);
	}
	return false;
}

static bool
is_signature_wrong(const struct lint_ocsp *o, const struct lint_rule *rule,
    struct lint_detail *d)
{
	(void)rule;
	return lint_is_ecdsa_wrong(o->alg.id, o->signature, d);
}

#define ROW(check) (check), LINT_ERROR, LINT_PRIVATE, 0
const struct lint_rule lint_rules_ocsp[] = {
	{ "ocsp_asn1_syntax", ROW(64), "RFC 6960, 4.2.1",
	    "not an OCSPResponse in DER", .ocsp = is_not_der },
	{ "ocsp_time_not_generalized", ROW(64), "RFC 6960, 4.2.2.1",
	    "a time that is not YYYYMMDDHHMMSSZ", .ocsp = has_wrong_time },
	{ "ocsp_this_update_not_after_produced_at", ROW(64),
	    "RFC 6960, 4.2.2.1", "thisUpdate behind producedAt",
	    .ocsp = is_this_update_late },
	{ "ocsp_next_update_missing", 64, LINT_WARNING, LINT_PRIVATE, 0,
	    "RFC 5019, 2.2.4; BR 4.9.10", "a response without nextUpdate",
	    .ocsp = lacks_next_update },
	{ "ocsp_next_update_invalid", ROW(64), "RFC 6960, 4.2.2.1",
	    "nextUpdate not behind thisUpdate",
	    .ocsp = is_next_update_early },
	{ "ocsp_next_update_beyond_signer", ROW(64), "RFC 5019, 2.2.4",
	    "good for longer than its signer", .ocsp = outlives_signer },
	{ "ocsp_valid_reason_codes", ROW(64), "RFC 6960, 4.2.1",
	    "a reason that is 0, 7 or over 10", .ocsp = is_reason_bad },
	{ "ocsp_certid_not_echoed", ROW(64), "RFC 6960, 4.2.1",
	    "not the CertID that was asked", .ocsp = is_certid_other },
	{ "ocsp_ecdsa_signature_encoding_correct", ROW(61),
	    "RFC 3279, 2.2.3", "an ECDSA signature not in DER",
	    .ocsp = is_signature_wrong },
	{ "ocsp_validity_too_short", 64, LINT_ERROR, LINT_PUBLIC, 0,
	    "BR 4.9.9", "good for less than 8 hours", .ocsp = is_life_short },
	{ "ocsp_validity_too_long", 64, LINT_WARNING, LINT_PUBLIC, 0,
	    "BR 4.9.9", "good for more than 10 days, unless it is about a CA",
	    .ocsp = is_life_long },
	{ NULL }
};
