/* SPDX-License-Identifier: Apache-2.0 */
#include "validation/caa.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "validation/seen.h"

/* RFC 8659, 4.1 */
#define CRITICAL 0x80

struct property {
	bool is_critical;
	const char *tag, *value;	/* borrowed, without NUL */
	size_t tag_len, value_len;
};

/* What a value says, by the grammar of RFC 8659, 4.2, and RFC 8657. */
struct issue_value {
	bool is_valid;
	const char *domain;		/* empty: nobody */
	size_t domain_len;
	uint32_t num_accounts, num_methods;	/* of these parameters */
	const char *account, *methods;
	size_t account_len, methods_len;
};

/* A position in a value. */
struct cursor {
	const char *at, *end;
};

static bool
is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	    (c >= 'a' && c <= 'z');
}

static bool
is_word(const char *text, size_t len, const char *word)
{
	return len == strlen(word) && strncasecmp(text, word, len) == 0;
}

/*
 * RFC 8659, 4.1:
 *	| Flags (1) | Tag Length (1) | Tag | Value ...
 * A tag is of ASCII letters and digits, and there is one.
 */
static bool
read_property(const struct validation_record *record, struct property *p)
{
	const char *octets = (const char *)record->octets;

	if (record->len < 2)
		return false;
	p->is_critical = (record->octets[0] & CRITICAL) != 0;
	p->tag = octets + 2;
	p->tag_len = record->octets[1];
	if (p->tag_len == 0 || p->tag_len > record->len - 2)
		return false;
	p->value = p->tag + p->tag_len;
	p->value_len = record->len - 2 - p->tag_len;
	for (size_t i = 0; i < p->tag_len; i++)
		if (!is_alnum(p->tag[i]))
			return false;
	return true;
}

/* --- issue-value ------------------------------------------------------- */

static void
skip_blanks(struct cursor *c)
{
	while (c->at < c->end && (*c->at == ' ' || *c->at == '\t'))
		c->at++;
}

static bool
take_char(struct cursor *c, char what)
{
	if (c->at == c->end || *c->at != what)
		return false;
	c->at++;
	return true;
}

/* label = (ALPHA / DIGIT) *( *("-") (ALPHA / DIGIT)); a parameter's tag is
 * the same. */
static bool
take_label(struct cursor *c)
{
	const char *begin = c->at;

	while (c->at < c->end && (is_alnum(*c->at) || *c->at == '-'))
		c->at++;
	return c->at > begin && *begin != '-' && c->at[-1] != '-';
}

/* parameter = tag *WSP "=" *WSP value
 * value = *(%x21-3A / %x3C-7E) */
static bool
take_parameter(struct cursor *c, struct issue_value *v)
{
	const char *tag = c->at, *value;
	size_t tag_len, value_len;

	if (!take_label(c))
		return false;
	tag_len = (size_t)(c->at - tag);
	skip_blanks(c);
	if (!take_char(c, '='))
		return false;
	skip_blanks(c);
	value = c->at;
	while (c->at < c->end && *c->at > 0x20 && *c->at < 0x7f &&
	    *c->at != ';')
		c->at++;
	value_len = (size_t)(c->at - value);
	if (is_word(tag, tag_len, "accounturi")) {
		v->num_accounts++;
		v->account = value;
		v->account_len = value_len;
	} else if (is_word(tag, tag_len, "validationmethods")) {
		v->num_methods++;
		v->methods = value;
		v->methods_len = value_len;
	}
	return true;
}

/* parameters = (parameter *WSP ";" *WSP parameters) / parameter */
static bool
take_parameters(struct cursor *c, struct issue_value *v)
{
	do {
		skip_blanks(c);
		if (!take_parameter(c, v))
			return false;
		skip_blanks(c);
	} while (take_char(c, ';'));
	return true;
}

/* issue-value = *WSP [issuer-domain-name *WSP]
 *               [";" *WSP [parameters *WSP]]
 * issuer-domain-name = label *("." label) */
static bool
take_value(struct cursor *c, struct issue_value *v)
{
	skip_blanks(c);
	v->domain = c->at;
	if (c->at < c->end && *c->at != ';') {
		do
			if (!take_label(c))
				return false;
		while (take_char(c, '.'));
	}
	v->domain_len = (size_t)(c->at - v->domain);
	skip_blanks(c);
	if (take_char(c, ';')) {
		skip_blanks(c);
		if (c->at < c->end && !take_parameters(c, v))
			return false;
		skip_blanks(c);
	}
	return c->at == c->end;
}

/* A value that does not match is as one that names nobody (RFC 8659, 4.2). */
static struct issue_value
read_value(const struct property *p)
{
	struct cursor c = { p->value, p->value + p->value_len };
	struct issue_value v = { .domain_len = 0 };

	v.is_valid = take_value(&c, &v);
	return v;
}

/* --- what it allows ---------------------------------------------------- */

/* RFC 8657, 4: value = [*(label ",") label]; an empty one has no method in
 * it. */
static bool
has_method(const struct issue_value *v, const char *method)
{
	const char *at = v->methods, *end = at + v->methods_len, *comma;
	bool is_there = false;

	for (;; at = comma + 1) {
		comma = memchr(at, ',', (size_t)(end - at));
		if (comma == NULL)
			comma = end;
		if (comma == at)
			return false;
		for (const char *c = at; c < comma; c++)
			if (!is_alnum(*c) && *c != '-')
				return false;
		if ((size_t)(comma - at) == strlen(method) &&
		    memcmp(at, method, (size_t)(comma - at)) == 0)
			is_there = true;
		if (comma == end)
			return is_there;
	}
}

/* One such property alone; NULL: it allows, else why it does not. */
static const char *
judge(const struct property *p, const struct validation_caa_wish *wish)
{
	struct issue_value v = read_value(p);
	bool is_ours = false;

	if (!v.is_valid)
		return "is malformed";
	for (size_t i = 0; i < wish->num_identities && !is_ours; i++)
		is_ours = is_word(v.domain, v.domain_len,
		    wish->identities[i]);
	if (v.domain_len == 0 || !is_ours)
		return "names others";
	/* RFC 8657, 3 and 4: with two of them none can be met. */
	if (v.num_accounts > 1 || v.num_methods > 1)
		return "has a parameter twice";
	if (v.num_accounts == 1 && (wish->account_uri == NULL ||
	    v.account_len != strlen(wish->account_uri) ||
	    memcmp(v.account, wish->account_uri, v.account_len) != 0))
		return "names another account";
	if (v.num_methods == 1 && (wish->method == NULL ||
	    !has_method(&v, wish->method)))
		return "does not name the method";
	return NULL;
}

static void
say(char seen[VALIDATION_SEEN_MAX], const struct property *p,
    const char *what)
{
	struct validation_text text;

	validation_text_init(&text, seen, VALIDATION_SEEN_MAX);
	validation_text_put(&text, "CAA %u ", p->is_critical ? CRITICAL : 0u);
	validation_text_put_octets(&text, p->tag, p->tag_len, 15);
	validation_text_put(&text, " \"");
	validation_text_put_octets(&text, p->value, p->value_len, 160);
	validation_text_put(&text, "\" %s", what);
}

/* Those that restrict nothing here are understood, too: RFC 8659, 4.4;
 * RFC 9495; the CA/Browser Forum's contacts. */
static bool
is_known(const struct property *p)
{
	static const char *const tags[] = { "issue", "issuewild", "iodef",
		"issuemail", "contactemail", "contactphone" };

	for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++)
		if (is_word(p->tag, p->tag_len, tags[i]))
			return true;
	return false;
}

/* All can be read, and what must be understood is.  num_of: how many have
 * each of the two tags. */
static bool
check_all(const struct validation_record *records, size_t num_records,
    size_t *num_issue, size_t *num_wild, char seen[VALIDATION_SEEN_MAX])
{
	struct property p;

	*num_issue = *num_wild = 0;
	for (size_t i = 0; i < num_records; i++) {
		if (!read_property(&records[i], &p)) {
			(void)snprintf(seen, VALIDATION_SEEN_MAX,
			    "a CAA record that cannot be read");
			return false;
		}
		if (p.is_critical && !is_known(&p)) {
			say(seen, &p, "is critical and not known here");
			return false;
		}
		*num_issue += is_word(p.tag, p.tag_len, "issue");
		*num_wild += is_word(p.tag, p.tag_len, "issuewild");
	}
	return true;
}

bool
validation_caa_allows(const struct validation_record *records,
    size_t num_records, const struct validation_caa_wish *wish,
    char seen[VALIDATION_SEEN_MAX])
{
	size_t num_issue, num_wild;
	const char *tag, *why;
	struct property p;

	if (!check_all(records, num_records, &num_issue, &num_wild, seen))
		return false;
	/* RFC 8659, 4.3 */
	tag = wish->is_wildcard && num_wild > 0 ? "issuewild" : "issue";
	if (strcmp(tag, "issue") == 0 && num_issue == 0) {
		(void)snprintf(seen, VALIDATION_SEEN_MAX, "CAA records, none "
		    "of which says who may issue this");
		return true;
	}
	for (size_t i = 0; i < num_records; i++) {
		if (!read_property(&records[i], &p) ||
		    !is_word(p.tag, p.tag_len, tag))
			continue;
		why = judge(&p, wish);
		say(seen, &p, why == NULL ? "allows it" : why);
		if (why == NULL)
			return true;
	}
	return false;
}
