/* SPDX-License-Identifier: Apache-2.0 */
/* Extensions, requestorName and signatures of requests: RFC 6960, 4.1.2 and
 * 4.4. */
#include "probe/case.h"
#include "probe/sign.h"

#define MALFORMED PROBE_BIT(PROBE_MALFORMED)
#define UNAUTHORIZED PROBE_BIT(PROBE_UNAUTHORIZED)

static void
ask(struct probe *p, const struct probe_request *plan, struct probe_answer *a)
{
	probe_post(p, probe_make_request(p, plan), NULL, a);
}

/* --- who asks --------------------------------------------------------- */

/* rfc822Name */
const struct der_bytes probe_requestor = { (const uint8_t *)
    "\x81\x12probe@example.test", 20 };

static void
case_requestor(struct probe *p, const struct probe_case *c)
{
	struct probe_answer a;

	(void)c;
	ask(p, &(struct probe_request){ .requestor = probe_requestor },
	    &a);
	probe_judge(p, &a, PROBE_SAME, PROBE_BIT(PROBE_SIG_REQUIRED),
	    "the answer of the same without requestorName");
}

enum { SIGNED_OK, SIGNED_BAD, SIGNED_NOCERT, SIGNED_UNKNOWN_CA };

static const enum probe_sign_kind sign_kinds[] = {
	[SIGNED_OK] = PROBE_SIGN_RIGHT,
	[SIGNED_BAD] = PROBE_SIGN_WRONG,
	[SIGNED_NOCERT] = PROBE_SIGN_NO_CERT,
	[SIGNED_UNKNOWN_CA] = PROBE_SIGN_RIGHT
};

/* Where nobody is given whom the responder knows, by a stranger. */
static void
case_signed(struct probe *p, const struct probe_case *c)
{
	const struct probe_signer *signer = c->variant == SIGNED_UNKNOWN_CA ?
	    NULL : p->o->signer;
	struct probe_answer a;

	if (!probe_ask_signed(p, signer, sign_kinds[c->variant], &a))
		probe_skip(p, "this OpenSSL makes no such signature");
	else if (c->variant == SIGNED_OK && signer == NULL && !a.is_same &&
	    a.outcome == PROBE_UNAUTHORIZED)
		probe_skip(p, "unauthorized: it wants a signature of "
		    "somebody it knows; give --sign-key");
	else if (c->variant == SIGNED_OK)
		probe_judge(p, &a, PROBE_SAME, 0, "the answer of the "
		    "unsigned one");
	else if (a.is_same && p->wants_signatures)
		probe_fail(p, "%s, from one who answers no request that is "
		    "not signed", a.seen.text);
	else if (a.is_same)
		probe_policy(p, "%s: signatures are not looked at",
		    a.seen.text);
	else
		probe_judge(p, &a, UNAUTHORIZED, MALFORMED |
		    PROBE_BIT(PROBE_SIG_REQUIRED), "unauthorized");
}

static void
case_required(struct probe *p, const struct probe_case *c)
{
	struct probe_answer a;

	(void)c;
	probe_ask_plain(p, &a);
	if (a.outcome == PROBE_SIG_REQUIRED)
		probe_pass(p, "sigRequired");
	else
		probe_judge(p, &a, 0, PROBE_SAME, "sigRequired");
}

bool
probe_case_signs(const struct probe_case *c)
{
	return c->run == case_signed || c->run == case_required;
}

/* --- extensions ------------------------------------------------------- */

/* Under 2.25, where nobody's OIDs are. */
static struct der_bytes
unknown_extension(struct probe *p, bool is_critical)
{
	return probe_extension(p, "2.25.7231.1", is_critical,
	    DER_LITERAL("\x05\x00"));
}

static void
case_unknown(struct probe *p, const struct probe_case *c)
{
	struct probe_answer around, inside;

	(void)c;
	ask(p, &(struct probe_request){ .extensions =
	    unknown_extension(p, false) }, &around);
	ask(p, &(struct probe_request){ .single_extensions =
	    unknown_extension(p, false) }, &inside);
	if (probe_expect(p, &around, PROBE_SAME, "the answer of the same "
	    "without it"))
		probe_judge(p, &inside, PROBE_SAME, 0, "the answer of the "
		    "same without it in the single request");
}

static void
case_critical(struct probe *p, const struct probe_case *c)
{
	const unsigned int refused = UNAUTHORIZED | MALFORMED |
	    PROBE_BIT(PROBE_INTERNAL);
	struct probe_answer around, inside;

	(void)c;
	ask(p, &(struct probe_request){ .extensions =
	    unknown_extension(p, true) }, &around);
	ask(p, &(struct probe_request){ .single_extensions =
	    unknown_extension(p, true) }, &inside);
	if (!probe_expect(p, &around, refused, "unauthorized or "
	    "malformedRequest") || !probe_expect(p, &inside, refused,
	    "unauthorized or malformedRequest in the single request"))
		return;
	if (around.outcome == inside.outcome)
		probe_judge(p, &around, UNAUTHORIZED | MALFORMED,
		    PROBE_BIT(PROBE_INTERNAL), "unauthorized");
	else
		probe_policy(p, "%s, and %s in the single request",
		    around.seen.text, inside.seen.text);
}

static void
case_acceptable(struct probe *p, const struct probe_case *c)
{
	/* 2.25.7231, alone */
	struct der_bytes other = probe_wrap(p, DER_SEQUENCE, probe_wrap(p,
	    DER_OID, DER_LITERAL("\x69\xb8\x3f")));
	struct probe_answer a;

	(void)c;
	ask(p, &(struct probe_request){ .extensions = probe_extension(p,
	    "1.3.6.1.5.5.7.48.1.4", false, other) }, &a);
	probe_judge(p, &a, PROBE_SAME, MALFORMED, "a basic response");
}

/*
 * ServiceLocator ::= SEQUENCE {
 *     issuer   Name,
 *     locator  AuthorityInfoAccessSyntax OPTIONAL }
 */
static void
case_locator(struct probe *p, const struct probe_case *c)
{
	struct der_bytes value = probe_wrap(p, DER_SEQUENCE,
	    p->o->issuer->subject);
	struct probe_answer a;

	(void)c;
	ask(p, &(struct probe_request){ .single_extensions =
	    probe_extension(p, "1.3.6.1.5.5.7.48.1.7", false, value) }, &a);
	probe_judge(p, &a, PROBE_SAME, 0,
	    "the answer of the same without it");
}

/* --- preferred signature algorithms ----------------------------------- */

/*
 * PreferredSignatureAlgorithms ::= SEQUENCE OF SEQUENCE {
 *     sigIdentifier         AlgorithmIdentifier,
 *     pubKeyAlgIdentifier   SMIMECapability OPTIONAL }
 */
static void
ask_preferred(struct probe *p, struct der_bytes identifier,
    struct probe_answer *a)
{
	struct der_bytes list = probe_wrap(p, DER_SEQUENCE, probe_wrap(p,
	    DER_SEQUENCE, identifier));

	ask(p, &(struct probe_request){ .extensions = probe_extension(p,
	    "1.3.6.1.5.5.7.48.1.8", false, list) }, a);
}

static const char *
alg_name(const struct probe_answer *a)
{
	/* It was verified with it: it is one of ours. */
	return sign_alg_info(sign_alg_find(a->view.alg_identifier))->name;
}

/* What it signs with is what was asked for; and what else it has. */
static void
case_preferred(struct probe *p, const struct probe_case *c)
{
	struct der_bytes usual = p->plain.view.alg_identifier;
	const char *other = NULL;
	struct probe_answer a;

	(void)c;
	ask_preferred(p, usual, &a);
	if (!probe_expect(p, &a, PROBE_BELIEVED, "an answer"))
		return;
	if (!der_bytes_equal(a.view.alg_identifier, usual)) {
		probe_fail(p, "%s, asked for %s, signs with %s",
		    alg_name(&p->plain), alg_name(&p->plain), alg_name(&a));
		return;
	}
	for (int alg = SIGN_ALG_NONE + 1; alg < SIGN_ALG_MAX; alg++) {
		struct der_bytes asked = sign_alg_info((enum sign_alg)alg)->
		    identifier;

		ask_preferred(p, asked, &a);
		if (!probe_expect(p, &a, PROBE_BELIEVED, "an answer"))
			return;
		if (!der_bytes_equal(asked, usual) &&
		    der_bytes_equal(a.view.alg_identifier, asked))
			other = alg_name(&a);
	}
	if (other != NULL)
		probe_pass(p, "%s, and %s on demand", alg_name(&p->plain),
		    other);
	else
		probe_policy(p, "%s, whatever is asked for",
		    alg_name(&p->plain));
}

/* One that must not be used, or cannot: what it always does.  An answer that
 * we believe is never signed with SHA-1. */
static void
case_not_preferred(struct probe *p, const struct probe_case *c)
{
	static const struct der_bytes identifiers[] = {
		/* sha1WithRSAEncryption, NULL */
		{ (const uint8_t *)"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d"
		    "\x01\x01\x05\x05\x00", 15 },
		/* id-Ed448 */
		{ (const uint8_t *)"\x30\x05\x06\x03\x2b\x65\x71", 7 },
	};
	struct probe_answer a;

	ask_preferred(p, identifiers[c->variant], &a);
	probe_judge(p, &a, PROBE_SAME, 0, "the answer of the same without "
	    "it");
}

static void
case_preferred_garbage(struct probe *p, const struct probe_case *c)
{
	struct probe_answer a;

	(void)c;
	ask(p, &(struct probe_request){ .extensions = probe_extension(p,
	    "1.3.6.1.5.5.7.48.1.8", false, DER_LITERAL("\x30\x03\x02")) },
	    &a);
	probe_judge(p, &a, PROBE_SAME, MALFORMED,
	    "the answer of the same without it");
}

#define EXTENSIONS "RFC6960:4.4"
#define SIGNED "RFC6960:4.1.2"
#define PREFERRED "RFC6960:4.4.7"

const struct probe_case probe_cases_extension[] = {
	{ "reqname-unsigned", "RFC9919:3.1.2", case_requestor, 0,
	    "requestorName without a signature" },
	{ "signed-ok", SIGNED, case_signed, SIGNED_OK,
	    "a signed request" },
	{ "signed-bad", SIGNED, case_signed, SIGNED_BAD,
	    "a request whose signature is wrong" },
	{ "signed-nocert", SIGNED, case_signed, SIGNED_NOCERT,
	    "a signed request without certificate" },
	{ "signed-unknown-ca", SIGNED, case_signed, SIGNED_UNKNOWN_CA,
	    "a request signed by a stranger" },
	{ "sig-required", "RFC6960:2.3", case_required, 0,
	    "must requests be signed?" },
	{ "ext-unknown", EXTENSIONS, case_unknown, 0,
	    "an extension that nobody knows: ignored" },
	{ "ext-unknown-critical", EXTENSIONS, case_critical, 0,
	    "the same, critical: refused" },
	{ "acceptable-no-basic", "RFC6960:4.4.3", case_acceptable, 0,
	    "AcceptableResponses without basic" },
	{ "prefsig-match", PREFERRED, case_preferred, 0,
	    "preferred signature algorithms: one that it has" },
	{ "prefsig-weak", PREFERRED, case_not_preferred, 0,
	    "SHA-1: not used" },
	{ "prefsig-unsupported", PREFERRED, case_not_preferred, 1,
	    "Ed448: the usual one" },
	{ "prefsig-garbage", PREFERRED, case_preferred_garbage, 0,
	    "a list that is no DER" },
	{ "service-locator", "RFC6960:4.4.6", case_locator, 0,
	    "a service locator: ignored" },
	{ NULL, NULL, NULL, 0, NULL }
};
