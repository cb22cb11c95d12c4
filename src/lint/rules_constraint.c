/* SPDX-License-Identifier: Apache-2.0 */
/* Rules on basicConstraints and nameConstraints. */
#include "lint/view.h"

#include <string.h>

#include "lint/constraint.h"

static const struct lint_extension *
basic_of(const struct lint_cert *c)
{
	return lint_find_extension(c, DER_OID_BASIC_CONSTRAINTS);
}

/* --- basicConstraints ------------------------------------------------- */

static const char *
basic_fault(struct der_bytes value)
{
	struct der_bytes contents, c;
	struct der_reader r;

	if (!der_read_whole(value, DER_SEQUENCE, &contents))
		return "not one SEQUENCE";
	r = der_reader_of(contents);
	if (der_next_is(&r, DER_BOOLEAN)) {
		if (!der_get(&r, DER_BOOLEAN, &c) || c.len != 1)
			return "cA is no BOOLEAN";
		if (c.p[0] == 0)
			return "cA FALSE is written, which is the default";
		if (c.p[0] != 0xff)
			return "cA TRUE is not FF";
	}
	if (der_next_is(&r, DER_INTEGER) && !der_get_integer(&r, &c))
		return "pathLenConstraint is not in its shortest form";
	return der_is_done(&r) ? NULL : "something behind it";
}

static bool
is_basic_invalid(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	const char *fault = basic_of(c) == NULL ? NULL :
	    basic_fault(basic_of(c)->value);

	(void)rule;
	return fault != NULL && lint_found(d, "%s", fault);
}

static bool
is_basic_not_critical(const struct lint_cert *c,
    const struct lint_rule *rule, struct lint_detail *d)
{
	(void)rule;
	return basic_of(c) != NULL && !basic_of(c)->is_critical &&
	    lint_found(d, "basicConstraints is not critical");
}

/* Of what was said to be a CA. */
static bool
is_no_ca(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	(void)rule;
	return c->broken == NULL && !c->has_ca_true &&
	    lint_found(d, basic_of(c) == NULL ? "no basicConstraints" :
	    "cA is not TRUE");
}

/* Of what was said to be none. */
static bool
is_ca_after_all(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	(void)rule;
	return c->has_ca_true && lint_found(d, "cA is TRUE");
}

static bool
is_path_length_out_of_place(const struct lint_cert *c,
    const struct lint_rule *rule, struct lint_detail *d)
{
	(void)rule;
	if (c->path_length == LINT_NO_PATH_LENGTH)
		return false;
	/* Without keyCertSign there is a rule of its own for CAs. */
	return !c->has_ca_true &&
	    lint_found(d, "pathLenConstraint without cA TRUE");
}

static bool
is_path_length_bad(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	(void)rule;
	return c->path_length == LINT_BAD_PATH_LENGTH &&
	    lint_found(d, "pathLenConstraint is negative, or absurd");
}

/* Also where the issuer may have no CA below it at all. */
static bool
is_path_length_not_below(const struct lint_cert *c,
    const struct lint_rule *rule, struct lint_detail *d)
{
	int above = c->issuer == NULL || c->kind == LINT_ROOT ?
	    LINT_NO_PATH_LENGTH : c->issuer->path_length;

	(void)rule;
	if (above < 0)
		return false;
	if (above == 0)
		return lint_found(d, "the issuer may not issue to CAs");
	if (c->path_length == LINT_NO_PATH_LENGTH)
		return lint_found(d, "none, the issuer's is %d", above);
	return c->path_length >= above && lint_found(d,
	    "%d, the issuer's is %d", c->path_length, above);
}

/* --- nameConstraints -------------------------------------------------- */

static const struct lint_extension *
nc_of(const struct lint_cert *c)
{
	return lint_find_extension(c, DER_OID_NAME_CONSTRAINTS);
}

/* None, if there is no such extension. */
static struct lint_subtrees
subtrees_of(const struct lint_cert *c)
{
	const struct lint_extension *e = nc_of(c);
	struct lint_subtrees trees;

	lint_subtrees_init(&trees, e == NULL ?
	    (struct der_bytes){ NULL, 0 } : e->value);
	return trees;
}

static bool
is_nc_in_leaf(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	(void)rule;
	return nc_of(c) != NULL &&
	    lint_found(d, "nameConstraints, and no CA");
}

static bool
is_nc_not_critical(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	(void)rule;
	return nc_of(c) != NULL && !nc_of(c)->is_critical &&
	    lint_found(d, "nameConstraints is not critical");
}

static bool
is_nc_empty(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	struct lint_subtrees trees = subtrees_of(c);
	struct lint_subtree t;

	(void)rule;
	return nc_of(c) != NULL && !lint_next_subtree(&trees, &t) &&
	    lint_found(d, "neither permitted nor excluded subtrees");
}

/* rule->argument: 0 for minimum, 1 for maximum. */
static bool
has_nc_bound(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	struct lint_subtrees trees = subtrees_of(c);
	struct lint_subtree t;

	while (lint_next_subtree(&trees, &t))
		if (rule->argument == 0 ? t.has_minimum : t.has_maximum)
			return lint_found(d, rule->argument == 0 ?
			    "minimum is written" : "maximum is there");
	return false;
}

/* RFC 5280 4.2.1.10: "host.example.com", no leading dot, no wildcard. */
static bool
is_nc_dns_bad(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	struct lint_subtrees trees = subtrees_of(c);
	char text[LINT_TEXT_MAX];
	struct lint_subtree t;
	size_t i;

	(void)rule;
	while (lint_next_subtree(&trees, &t)) {
		if (t.tag != LINT_NAME_DNS)
			continue;
		for (i = 0; i < t.base.len; i++)
			if ((i == 0 && t.base.p[0] == '.') ||
			    t.base.p[i] == '*' || t.base.p[i] <= 0x20 ||
			    t.base.p[i] > 0x7e)
				return lint_found(d, "\"%s\"",
				    lint_text(t.base, text));
	}
	return false;
}

static bool
is_mask(const uint8_t *p, size_t len)
{
	bool has_ended = false;
	size_t i;

	for (i = 0; i < 8 * len; i++) {
		bool bit = (p[i / 8] & 0x80 >> i % 8) != 0;

		if (bit && has_ended)
			return false;
		has_ended |= !bit;
	}
	return true;
}

static bool
is_nc_ip_bad(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	struct lint_subtrees trees = subtrees_of(c);
	struct lint_subtree t;

	(void)rule;
	while (lint_next_subtree(&trees, &t)) {
		if (t.tag != LINT_NAME_IP)
			continue;
		if (t.base.len != 8 && t.base.len != 32)
			return lint_found(d, "%zu octets", t.base.len);
		if (!is_mask(t.base.p + t.base.len / 2, t.base.len / 2))
			return lint_found(d, "a mask with holes");
	}
	return false;
}

/* BR 7.1.2.5.2: who may have names but no addresses excludes them all. */
static bool
is_nc_ip_open(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	bool has_dns = false, is_open4 = true, is_open6 = true;
	struct lint_subtrees trees = subtrees_of(c);
	struct lint_subtree t;

	(void)rule;
	while (lint_next_subtree(&trees, &t)) {
		has_dns |= t.tag == LINT_NAME_DNS && t.is_permitted;
		if (t.tag != LINT_NAME_IP)
			continue;
		/* Permitted: others are not.  Excluded: by mask 0, all. */
		if (t.base.len == 8 && (t.is_permitted || t.base.p[4] == 0))
			is_open4 = false;
		if (t.base.len == 32 && (t.is_permitted ||
		    t.base.p[16] == 0))
			is_open6 = false;
	}
	return has_dns && (is_open4 || is_open6) && lint_found(d,
	    "names are permitted, and %s addresses not excluded",
	    is_open4 ? "IPv4" : "IPv6");
}

/* --- the issuer's ----------------------------------------------------- */

static bool
violates_constraint(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	struct lint_violation v;
	char text[LINT_TEXT_MAX];

	(void)rule;
	if (c->issuer == NULL || nc_of(c->issuer) == NULL ||
	    c->kind == LINT_ROOT ||
	    !lint_find_violation(c, nc_of(c->issuer)->value, &v))
		return false;
	return lint_found(d, "%s %s", lint_text(v.name, text), v.is_excluded ?
	    "is excluded by the issuer" : "is not permitted by the issuer");
}

#define SERVER LINT_BIT(LINT_SERVER)
const struct lint_rule lint_rules_constraint[] = {
	{ "basic_constr_invalid_der", 35, LINT_ERROR, LINT_PRIVATE, LINT_ALL,
	    "RFC 5280, 4.2.1.9; X.690, 11.1 and 11.5",
	    "basicConstraints not in DER", .cert = is_basic_invalid },
	{ "basic_constraints_not_critical", 35, LINT_ERROR, LINT_PRIVATE,
	    LINT_CAS, "RFC 5280, 4.2.1.9",
	    "a CA's basicConstraints is not critical",
	    .cert = is_basic_not_critical },
	{ "sub_cert_basic_constraints_not_critical", 35, LINT_ERROR,
	    LINT_PUBLIC, LINT_LEAVES, "BR 7.1.2.7.6",
	    "basicConstraints is not critical",
	    .cert = is_basic_not_critical },
	{ "ca_is_ca", 35, LINT_ERROR, LINT_PRIVATE, LINT_CAS,
	    "RFC 5280, 4.2.1.9", "a CA without cA TRUE", .cert = is_no_ca },
	{ "sub_cert_is_ca", 35, LINT_ERROR, LINT_PRIVATE, LINT_LEAVES,
	    "RFC 5280, 4.2.1.9", "cA TRUE in a leaf",
	    .cert = is_ca_after_all },
	{ "path_len_constraint_improperly_included", 36, LINT_ERROR,
	    LINT_PRIVATE, LINT_ALL, "RFC 5280, 4.2.1.9",
	    "pathLenConstraint without cA",
	    .cert = is_path_length_out_of_place },
	{ "path_len_constraint_zero_or_less", 36, LINT_ERROR, LINT_PRIVATE,
	    LINT_ALL, "RFC 5280, 4.2.1.9", "a negative pathLenConstraint",
	    .cert = is_path_length_bad },
	{ "path_len_constraint_not_below_issuer", 36, LINT_ERROR,
	    LINT_PRIVATE, LINT_CAS, "RFC 5280, 4.2.1.9",
	    "not less than its issuer's",
	    .cert = is_path_length_not_below },
	{ "ext_name_constraints_not_in_ca", 47, LINT_ERROR, LINT_PRIVATE,
	    LINT_LEAVES, "RFC 5280, 4.2.1.10", "nameConstraints in a leaf",
	    .cert = is_nc_in_leaf },
	{ "ext_name_constraints_not_critical", 47, LINT_ERROR, LINT_PRIVATE,
	    LINT_CAS, "RFC 5280, 4.2.1.10",
	    "nameConstraints is not critical",
	    .cert = is_nc_not_critical },
	{ "name_constraint_empty", 47, LINT_ERROR, LINT_PRIVATE, LINT_ALL,
	    "RFC 5280, 4.2.1.10", "nameConstraints without a subtree",
	    .cert = is_nc_empty },
	{ "name_constraint_minimum_non_zero", 47, LINT_ERROR, LINT_PRIVATE,
	    LINT_ALL, "RFC 5280, 4.2.1.10", "a minimum that is not 0",
	    .argument = 0, .cert = has_nc_bound },
	{ "name_constraint_maximum_not_absent", 47, LINT_ERROR, LINT_PRIVATE,
	    LINT_ALL, "RFC 5280, 4.2.1.10", "a maximum",
	    .argument = 1, .cert = has_nc_bound },
	{ "name_constraint_not_fqdn", 48, LINT_ERROR, LINT_PRIVATE, LINT_ALL,
	    "RFC 5280, 4.2.1.10", "a dNSName with a leading dot or \"*\"",
	    .cert = is_nc_dns_bad },
	{ "name_constraint_ip_malformed", 48, LINT_ERROR, LINT_PRIVATE,
	    LINT_ALL, "RFC 5280, 4.2.1.10", "no address and mask",
	    .cert = is_nc_ip_bad },
	{ "name_constraint_ip_not_excluded", 48, LINT_ERROR, LINT_PUBLIC,
	    LINT_CAS, "BR 7.1.2.5.2",
	    "names permitted, addresses forgotten",
	    .cert = is_nc_ip_open },
	{ "name_constraint_of_issuer_violated", 49, LINT_ERROR, LINT_PRIVATE,
	    LINT_NOT_ROOT, "RFC 5280, 6.1.3",
	    "a name that the issuer may not give",
	    .cert = violates_constraint },
	{ NULL }
};
