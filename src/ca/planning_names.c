/* SPDX-License-Identifier: Apache-2.0 */
/* Who the certificate is for: subject and names, by the profile's rules. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "ca/hostname.h"
#include "ca/pattern.h"
#include "ca/planning.h"
#include "ca/policy.h"
#include "x509/constraints.h"
#include "x509/name.h"

static void
explain_subject(struct ca_planning *p, enum ca_source source,
    const char *detail)
{
	char text[X509_NAME_TEXT_MAX];

	if (p->x == NULL)
		return;
	x509_name_format(p->plan->tbs.subject, text);
	ca_explain(p->x, "subject", source, detail, "%s", text);
}

static enum oc_err
plan_fixed_subject(struct ca_planning *p)
{
	struct ca_plan *plan = p->plan;
	enum oc_err err;

	err = x509_name_parse(p->profile->subject, plan->subject,
	    sizeof(plan->subject), &plan->tbs.subject.len, p->error);
	if (err != OC_OK)
		return oc_error_prefix(p->error, "[profile %s] subject-name",
		    p->profile->name);
	plan->tbs.subject.p = plan->subject;
	explain_subject(p, CA_FROM_PROFILE, p->profile->name);
	return OC_OK;
}

/* What was asked for and is not taken. */
static void
explain_ignored_subject(struct ca_planning *p, const char *why)
{
	const struct x509_csr *csr = p->request->csr;
	char text[X509_NAME_TEXT_MAX];

	if (p->x == NULL || csr == NULL || x509_name_is_empty(csr->subject) ||
	    der_bytes_equal(csr->subject, p->plan->tbs.subject))
		return;
	x509_name_format(csr->subject, text);
	ca_explain(p->x, "subject", CA_IGNORED, why, "%s", text);
}

enum oc_err
ca_planning_subject(struct ca_planning *p)
{
	static const uint8_t empty[] = { 0x30, 0x00 };
	const struct ca_request *request = p->request;
	struct der_bytes *subject = &p->plan->tbs.subject;
	enum oc_err err;

	if (p->profile->subject_rule == CA_SUBJECT_FIXED) {
		err = plan_fixed_subject(p);
		explain_ignored_subject(p, "the profile has its own");
		return err;
	}
	if (request->subject.len != 0) {
		*subject = request->subject;
		explain_subject(p, CA_FROM_REQUEST, "");
		explain_ignored_subject(p, "another was given");
	} else if (request->csr != NULL &&
	    (p->profile->csr_parts & CA_CSR_SUBJECT) != 0) {
		*subject = request->csr->subject;
		explain_subject(p, CA_FROM_CSR, "");
	} else if (request->csr != NULL) {
		*subject = (struct der_bytes){ empty, sizeof(empty) };
		explain_subject(p, CA_FROM_PROFILE, p->profile->name);
		explain_ignored_subject(p, "the profile takes none from it");
	} else {
		return CA_REFUSE(p, CA_RULE_SUBJECT_MISSING,
		    "there is no subject: give one");
	}
	if (p->profile->ca == X509_IS_CA && x509_name_is_empty(*subject))
		return CA_REFUSE(p, CA_RULE_SUBJECT_MISSING,
		    "a CA must have a subject: RFC 5280, 4.1.2.6");
	return OC_OK;
}

static unsigned
kind_bit(enum x509_san_kind kind)
{
	switch (kind) {
	case X509_SAN_DNS:
		return CA_NAME_DNS;
	case X509_SAN_IP:
		return CA_NAME_IP;
	case X509_SAN_EMAIL:
		return CA_NAME_EMAIL;
	case X509_SAN_URI:
		return CA_NAME_URI;
	case X509_SAN_DIRECTORY:
		break;
	}
	return 0;
}

static bool
has_san(const struct x509_extensions *e, const struct x509_san *san)
{
	uint32_t i;

	for (i = 0; i < e->num_sans; i++)
		if (e->sans[i].kind == san->kind &&
		    der_bytes_equal(e->sans[i].value, san->value))
			return true;
	return false;
}

/* Normal already: "*" is the first label if it is there. */
static enum oc_err
check_wildcard(struct ca_planning *p, const struct x509_san *san)
{
	const struct der_bytes *v = &san->value;
	char text[X509_SAN_TEXT_MAX];

	if (san->kind != X509_SAN_DNS || v->len < 3 || v->p[0] != '*')
		return OC_OK;
	x509_san_format(san, text);
	switch (p->profile->wildcard_rule) {
	case CA_WILDCARD_YES:
		return OC_OK;
	case CA_WILDCARD_BELOW_DOMAIN:
		if (memchr(v->p + 2, '.', v->len - 2) != NULL)
			return OC_OK;
		return CA_REFUSE(p, CA_RULE_NAME_WILDCARD, "the name %s "
		    "stands for all below a top-level domain, which the "
		    "profile %s does not give", text, p->profile->name);
	case CA_WILDCARD_NO:
		break;
	}
	return CA_REFUSE(p, CA_RULE_NAME_WILDCARD, "the name %s has a "
	    "wildcard, which the profile %s does not give", text,
	    p->profile->name);
}

/* A label such as "ab--cd": reserved, RFC 5890, 2.3.1. */
static bool
has_reserved_label(struct der_bytes name)
{
	size_t i, at = 0;

	for (i = 0; i < name.len; i++) {
		if (name.p[i] == '.')
			at = i + 1;
		if (i == at + 3 && name.p[i] == '-' && name.p[i - 1] == '-' &&
		    memcmp(name.p + at, "xn", 2) != 0)
			return true;
	}
	return false;
}

/* "xn--" promises a name in another script, and nothing else has hyphens in
 * these places (RFC 5891, 4.2.3.1): what it says must be one, and in the only
 * way to write it. */
static enum oc_err
check_a_labels(struct ca_planning *p, const struct x509_san *san)
{
	char host[CA_HOST_MAX], text[X509_SAN_TEXT_MAX];
	struct oc_error why = { 0 };

	if (san->kind != X509_SAN_DNS ||
	    memmem(san->value.p, san->value.len, "--", 2) == NULL)
		return OC_OK;
	x509_san_format(san, text);
	if (has_reserved_label(san->value))
		return CA_REFUSE(p, CA_RULE_NAME_MALFORMED, "the name %s has "
		    "a label with hyphens in its third and fourth place that "
		    "is no A-label", text);
	if (ca_host_to_ascii((const char *)san->value.p, san->value.len, host,
	    &why) != OC_OK)
		return CA_REFUSE(p, CA_RULE_NAME_MALFORMED, "the name: %s",
		    why.text);
	if (strlen(host) == san->value.len &&
	    memcmp(host, san->value.p, san->value.len) == 0)
		return OC_OK;
	return CA_REFUSE(p, CA_RULE_NAME_MALFORMED, "the name %s is written "
	    "%s", text, host);
}

/* Takes one name in, checked and in its normal form; a second of the same is
 * dropped. */
static enum oc_err
add_san(struct ca_planning *p, const struct x509_san *san,
    enum ca_source source, const char *detail)
{
	struct ca_plan *plan = p->plan;
	struct x509_extensions *e = &plan->tbs.extensions;
	uint8_t *octets = plan->san_octets + plan->san_octets_len;
	char text[X509_SAN_TEXT_MAX];
	struct oc_error why = { 0 };
	struct x509_san normal;
	enum oc_err err;

	x509_san_format(san, text);
	if ((kind_bit(san->kind) & p->profile->name_kinds) == 0)
		return CA_REFUSE(p, CA_RULE_NAME_KIND, "the name %s is of "
		    "a kind that the profile %s does not give", text,
		    p->profile->name);
	err = x509_san_normalize(san, octets,
	    sizeof(plan->san_octets) - plan->san_octets_len, &normal, &why);
	if (err != OC_OK)
		return ca_refuse(p->x, san->kind != X509_SAN_DNS ?
		    CA_RULE_NAME_MALFORMED : ca_names_rule(
		    (const char *)san->value.p, san->value.len), err,
		    p->error, "%s", why.text);
	err = check_wildcard(p, &normal);
	if (err == OC_OK)
		err = check_a_labels(p, &normal);
	if (err != OC_OK)
		return err;
	if (has_san(e, &normal)) {
		ca_explain(p->x, "subjectAltName", CA_IGNORED,
		    "it is there already", "%s", text);
		return OC_OK;
	}
	if (e->num_sans == X509_SANS_MAX ||
	    e->num_sans == p->profile->names_max)
		return ca_refuse(p->x, CA_RULE_NAMES_MAX, OC_ERR_LIMIT,
		    p->error, "more than %u names", e->num_sans);
	e->sans[e->num_sans++] = normal;
	plan->san_octets_len += normal.value.len;
	x509_san_format(&normal, text);
	ca_explain(p->x, "subjectAltName", source, detail, "%s", text);
	return OC_OK;
}

static enum oc_err
add_csr_sans(struct ca_planning *p)
{
	const struct x509_extensions *asked;
	char text[X509_SAN_TEXT_MAX];
	enum oc_err err = OC_OK;
	uint32_t i;

	if (p->request->csr == NULL)
		return OC_OK;
	asked = &p->request->csr->extensions;
	for (i = 0; err == OC_OK && i < asked->num_sans; i++) {
		const struct x509_san *san = &asked->sans[i];

		x509_san_format(san, text);
		if (p->request->num_sans != 0)
			ca_explain(p->x, "subjectAltName", CA_IGNORED,
			    "others were given", "%s", text);
		else if (!ca_profile_takes(p->profile, san->kind))
			ca_explain(p->x, "subjectAltName", CA_IGNORED,
			    "the profile takes none from it", "%s", text);
		else
			err = add_san(p, san, CA_FROM_CSR, "");
	}
	return err;
}

/* RFC 6125's history: a CN that is a host name was the name, and many CSRs
 * still have nothing else. */
static bool
add_common_name(struct ca_planning *p)
{
	struct ca_planning quiet = *p;
	struct der_bytes cn;
	struct x509_san san = { .kind = X509_SAN_DNS };

	if ((p->profile->csr_parts & CA_CSR_DNS) == 0 ||
	    !x509_name_find(p->plan->tbs.subject, DER_OID_COMMON_NAME, &cn))
		return false;
	san.value = cn;
	quiet.x = NULL;
	quiet.error = NULL;
	if (add_san(&quiet, &san, CA_FROM_CSR, "") != OC_OK)
		return false;
	ca_explain(p->x, "subjectAltName", CA_FROM_CSR, "its common name",
	    "DNS:%.*s", (int)cn.len, (const char *)cn.p);
	return true;
}

/* What a verifier might still look at must not say anything else than the
 * names do. */
static enum oc_err
check_common_name(struct ca_planning *p)
{
	const struct x509_extensions *e = &p->plan->tbs.extensions;
	char text[X509_SAN_TEXT_MAX];
	struct der_bytes cn;
	uint32_t i;

	if (p->profile->sans_rule != CA_SANS_REQUIRED ||
	    p->profile->subject_rule == CA_SUBJECT_FIXED ||
	    !x509_name_find(p->plan->tbs.subject, DER_OID_COMMON_NAME, &cn))
		return OC_OK;
	for (i = 0; i < e->num_sans; i++) {
		const char *value;

		x509_san_format(&e->sans[i], text);
		value = strchr(text, ':') + 1;
		if (strlen(value) == cn.len &&
		    strncasecmp(value, (const char *)cn.p, cn.len) == 0)
			return OC_OK;
	}
	return CA_REFUSE(p, CA_RULE_COMMON_NAME, "the common name \"%.*s\" "
	    "is none of the subject alternative names; add it (--san), or "
	    "give another subject (--subject)", (int)(cn.len < 64 ? cn.len :
	    64), (const char *)cn.p);
}

static enum oc_err
check_listed(struct ca_planning *p, const char *what, struct der_bytes value)
{
	if (ca_pattern_matches(p->profile->name_whitelist, value))
		return OC_OK;
	return CA_REFUSE(p, CA_RULE_NAME_WHITELIST, "%s \"%.*s\" does not "
	    "match the name-whitelist of the profile %s", what,
	    (int)(value.len < 128 ? value.len : 128), (const char *)value.p,
	    p->profile->name);
}

/* Every kind of name, IP addresses too. */
static enum oc_err
check_whitelist(struct ca_planning *p)
{
	const struct x509_extensions *e = &p->plan->tbs.extensions;
	struct x509_name_cursor cursor;
	char text[X509_SAN_TEXT_MAX];
	struct der_bytes value;
	enum der_oid attribute;
	enum oc_err err = OC_OK;
	uint32_t i;

	if (p->profile->name_whitelist == NULL)
		return OC_OK;
	x509_name_begin(p->plan->tbs.subject, &cursor);
	while (err == OC_OK && p->profile->subject_rule != CA_SUBJECT_FIXED &&
	    x509_name_next(&cursor, &attribute, &value))
		if (attribute == DER_OID_COMMON_NAME)
			err = check_listed(p, "the common name", value);
	for (i = 0; err == OC_OK && i < e->num_sans; i++) {
		value = e->sans[i].value;
		if (e->sans[i].kind == X509_SAN_IP) {
			x509_san_format(&e->sans[i], text);
			value.p = (const uint8_t *)strchr(text, ':') + 1;
			value.len = strlen((const char *)value.p);
		}
		err = check_listed(p, "the name", value);
	}
	return err;
}

enum oc_err
ca_planning_sans(struct ca_planning *p)
{
	struct x509_extensions *e = &p->plan->tbs.extensions;
	enum oc_err err;
	uint32_t i;

	for (i = 0; i < p->request->num_sans; i++) {
		err = add_san(p, &p->request->sans[i], CA_FROM_REQUEST, "");
		if (err != OC_OK)
			return err;
	}
	err = add_csr_sans(p);
	if (err != OC_OK)
		return err;
	if (e->num_sans == 0 && p->profile->sans_rule == CA_SANS_REQUIRED &&
	    !add_common_name(p))
		return CA_REFUSE(p, CA_RULE_NAMES_MISSING, "the profile %s "
		    "wants a name, and there is none: %sgive --san",
		    p->profile->name, p->profile->csr_parts & CA_CSR_DNS ?
		    "put a subjectAltName into the request, or " : "");
	/* RFC 5280, 4.2.1.6. */
	e->is_san_critical = x509_name_is_empty(p->plan->tbs.subject);
	if (e->is_san_critical && e->num_sans == 0)
		return CA_REFUSE(p, CA_RULE_NAMES_MISSING,
		    "neither a subject nor a name: nothing to certify");
	err = check_common_name(p);
	return err == OC_OK ? check_whitelist(p) : err;
}

/* A name that a verifier would refuse below these CAs is not signed. */
enum oc_err
ca_planning_constraints(struct ca_planning *p)
{
	const struct x509_extensions *e = &p->plan->tbs.extensions;
	struct oc_error why = { 0 };
	enum oc_err err = OC_OK;
	uint32_t i, j;

	for (i = 0; p->issuer != NULL && i < p->issuer->num_constraints;
	    i++) {
		const struct x509_name_constraints *c =
		    &p->issuer->constraints[i];

		for (j = 0; err == OC_OK && j < e->num_sans; j++)
			err = x509_constraints_check(c, &e->sans[j], &why);
		if (err == OC_OK)
			err = x509_constraints_check_subject(c,
			    p->plan->tbs.subject, &why);
		if (err != OC_OK)
			return ca_refuse(p->x, CA_RULE_NAME_CONSTRAINT, err,
			    p->error, "%s", why.text);
	}
	return OC_OK;
}
