/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nameConstraints applied to the names of a certificate, RFC 5280 4.2.1.10
 * and 6.1.3 (b), (c).
 */
#include "lint/constraint.h"

#include <string.h>

/*
 * NameConstraints ::= SEQUENCE {
 *     permittedSubtrees  [0] GeneralSubtrees OPTIONAL,
 *     excludedSubtrees   [1] GeneralSubtrees OPTIONAL }
 */
void
lint_subtrees_init(struct lint_subtrees *trees, struct der_bytes value)
{
	struct der_bytes contents = { NULL, 0 };

	if (!der_read_whole(value, DER_SEQUENCE, &contents))
		contents = (struct der_bytes){ NULL, 0 };
	trees->whole = der_reader_of(contents);
	trees->list = der_reader_of((struct der_bytes){ NULL, 0 });
	trees->is_permitted = false;
}

/*
 * GeneralSubtree ::= SEQUENCE {
 *     base     GeneralName,
 *     minimum  [0] BaseDistance DEFAULT 0,
 *     maximum  [1] BaseDistance OPTIONAL }
 */
bool
lint_next_subtree(struct lint_subtrees *trees, struct lint_subtree *t)
{
	struct der_reader inner;
	uint8_t tag;

	while (der_at_end(&trees->list)) {
		if (der_at_end(&trees->whole))
			return false;
		trees->is_permitted = der_next_is(&trees->whole,
		    DER_CONTEXT(0));
		if (!trees->is_permitted &&
		    !der_next_is(&trees->whole, DER_CONTEXT(1)))
			return false;
		if (!der_enter(&trees->whole, *trees->whole.p, &trees->list))
			return false;
	}
	*t = (struct lint_subtree){ .is_permitted = trees->is_permitted };
	if (!der_enter(&trees->list, DER_SEQUENCE, &inner) ||
	    !der_get_any(&inner, &t->tag, &t->base, NULL))
		return false;
	while (!der_at_end(&inner) && der_get_any(&inner, &tag, NULL, NULL)) {
		t->has_minimum |= tag == DER_CONTEXT_PRIMITIVE(0);
		t->has_maximum |= tag == DER_CONTEXT_PRIMITIVE(1);
	}
	return true;
}

/* --- one name, one subtree -------------------------------------------- */

static uint8_t
lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

static bool
ends_in(struct der_bytes name, struct der_bytes end)
{
	size_t i;

	if (end.len > name.len)
		return false;
	for (i = 0; i < end.len; i++)
		if (lower(name.p[name.len - end.len + i]) != lower(end.p[i]))
			return false;
	return true;
}

/* "example.com" stands for itself and everything under it; so does what some
 * write, ".example.com", but for itself. */
static bool
is_dns_in(struct der_bytes name, struct der_bytes base)
{
	if (base.len == 0)
		return true;
	if (!ends_in(name, base))
		return false;
	return name.len == base.len || base.p[0] == '.' ||
	    name.p[name.len - base.len - 1] == '.';
}

/* Of hosts: "example.com" is that host, ".example.com" those under it. */
static bool
is_host_in(struct der_bytes host, struct der_bytes base)
{
	if (base.len > 0 && base.p[0] == '.')
		return host.len > base.len && ends_in(host, base);
	return base.len == 0 || (host.len == base.len &&
	    ends_in(host, base));
}

static bool
is_email_in(struct der_bytes email, struct der_bytes base)
{
	const uint8_t *at = email.len > 0 ? memchr(email.p, '@', email.len) :
	    NULL;
	size_t local;

	if (at == NULL)
		return false;
	local = (size_t)(at - email.p) + 1;
	/* A whole mailbox: the part in front as it is, the host in any
	 * case. */
	if (base.len > 0 && memchr(base.p, '@', base.len) != NULL)
		return base.len == email.len &&
		    memcmp(base.p, email.p, local) == 0 &&
		    ends_in(email, (struct der_bytes){ base.p + local,
		    base.len - local });
	return is_host_in((struct der_bytes){ at + 1, email.len - local },
	    base);
}

/* The host of scheme://[user@]host[:port]/...; false if there is none. */
static bool
uri_host(struct der_bytes uri, struct der_bytes *host)
{
	size_t i, from, end;

	for (i = 0; i + 2 < uri.len; i++)
		if (uri.p[i] == ':')
			break;
	if (i + 2 >= uri.len || uri.p[i + 1] != '/' || uri.p[i + 2] != '/')
		return false;
	from = i + 3;
	for (end = from; end < uri.len && memchr("/?#", uri.p[end], 3) ==
	    NULL; end++)
		if (uri.p[end] == '@')
			from = end + 1;
	for (i = from; i < end && uri.p[i] != ':'; i++)
		;
	*host = (struct der_bytes){ uri.p + from, i - from };
	return host->len > 0;
}

static bool
is_ip_in(struct der_bytes address, struct der_bytes base)
{
	size_t i;

	if (base.len != 2 * address.len)
		return false;
	for (i = 0; i < address.len; i++)
		if (((address.p[i] ^ base.p[i]) & base.p[address.len + i]) !=
		    0)
			return false;
	return true;
}

/* A name whose first RDNs are the base's.  Octet for octet: the same name
 * written otherwise is another, which errs on the side of refusing. */
static bool
is_directory_in(struct der_bytes name, struct der_bytes base)
{
	struct der_bytes own, theirs;

	return der_read_whole(name, DER_SEQUENCE, &own) &&
	    der_read_whole(base, DER_SEQUENCE, &theirs) &&
	    own.len >= theirs.len && (theirs.len == 0 ||
	    memcmp(own.p, theirs.p, theirs.len) == 0);
}

static bool
is_name_in(uint8_t tag, struct der_bytes name, struct der_bytes base)
{
	struct der_bytes host;

	switch (tag) {
	case LINT_NAME_DNS:
		return is_dns_in(name, base);
	case LINT_NAME_EMAIL:
		return is_email_in(name, base);
	case LINT_NAME_URI:
		return uri_host(name, &host) && is_host_in(host, base);
	case LINT_NAME_IP:
		return is_ip_in(name, base);
	case LINT_NAME_DIRECTORY:
		return is_directory_in(name, base);
	default:
		return der_bytes_equal(name, base);
	}
}

/* --- all of them ------------------------------------------------------ */

static bool
is_violated(uint8_t tag, struct der_bytes name, struct der_bytes constraints,
    struct lint_violation *violation)
{
	bool must_match = false, matches = false;
	struct lint_subtrees trees;
	struct lint_subtree t;

	lint_subtrees_init(&trees, constraints);
	while (lint_next_subtree(&trees, &t)) {
		if (t.tag != tag)
			continue;
		if (t.is_permitted)
			must_match = true;
		if (!is_name_in(tag, name, t.base))
			continue;
		if (!t.is_permitted) {
			*violation = (struct lint_violation){ name, true };
			return true;
		}
		matches = true;
	}
	if (!must_match || matches)
		return false;
	*violation = (struct lint_violation){ name, false };
	return true;
}

/* What some verifiers take a CN for. */
static bool
looks_like_host(struct der_bytes cn)
{
	size_t i;

	for (i = 0; i < cn.len; i++)
		if (cn.p[i] <= 0x20 || cn.p[i] > 0x7e)
			return false;
	return cn.len > 0 && memchr(cn.p, '.', cn.len) != NULL;
}

static bool
is_subject_violating(const struct lint_cert *c, struct der_bytes constraints,
    struct lint_violation *violation)
{
	uint32_t i;

	if (c->subject.tlv.len > 2 && is_violated(LINT_NAME_DIRECTORY,
	    c->subject.tlv, constraints, violation))
		return true;
	for (i = 0; i < c->subject.num_attributes; i++) {
		const struct lint_attribute *a = &c->subject.attributes[i];

		if (a->id == DER_OID_EMAIL_ADDRESS && is_violated(
		    LINT_NAME_EMAIL, a->value, constraints, violation))
			return true;
		if (a->id == DER_OID_COMMON_NAME && !lint_is_ca(c) &&
		    looks_like_host(a->value) && is_violated(LINT_NAME_DNS,
		    a->value, constraints, violation))
			return true;
	}
	return false;
}

bool
lint_find_violation(const struct lint_cert *c, struct der_bytes constraints,
    struct lint_violation *violation)
{
	struct der_reader r = der_reader_of(c->sans);
	struct der_bytes value;
	uint8_t tag;

	while (lint_next_name(&r, &tag, &value)) {
		/* [4] is EXPLICIT: the Name is inside. */
		if (is_violated(tag, value, constraints, violation))
			return true;
	}
	return is_subject_violating(c, constraints, violation);
}
