/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The path of a GET: RFC 6960, appendix A.1, and what clients and proxies
 * make of it.  A responder may refuse most of that; what it must not do is
 * answer something else.
 */
#include <stdio.h>

#include "probe/case.h"

/* Tries that find base64 with what a case needs in it. */
#define SEARCH_MAX 20000

enum spelling {
	ESCAPED, RAW_PLUS, RAW_SLASH, LOWER_HEX, MIXED, SPACE, NO_PADDING,
	URL_ALPHABET, LEADING_SLASH, COLLAPSED, DOUBLE_ESCAPED, QUERY
};

/* --- a request whose base64 has what is needed ------------------------ */

static const char *
needed_by(enum spelling spelling)
{
	switch (spelling) {
	case RAW_PLUS:
	case SPACE:
		return "+";
	case RAW_SLASH:
		return "/";
	case NO_PADDING:
		return "=";
	case COLLAPSED:
		return "//";
	case ESCAPED:
	case LOWER_HEX:
	case MIXED:
	case URL_ALPHABET:
	case LEADING_SLASH:
	case DOUBLE_ESCAPED:
	case QUERY:
		break;
	}
	return "+/";
}

/* "+/": both somewhere; "//": once, and not three. */
static bool
has_needed(const char *base64, const char *needed)
{
	const char *found = strstr(base64, needed);

	if (strcmp(needed, "+/") == 0)
		return strchr(base64, '+') != NULL &&
		    strchr(base64, '/') != NULL;
	if (strcmp(needed, "//") == 0)
		return found != NULL && strstr(found + 1, "//") == NULL;
	return found != NULL;
}

/*
 * AcceptableResponses (RFC 6960, 4.4.3) of basic and an OID under 2.25 that no
 * responder has: the answer is the same, the base64 another for each n.
 */
static struct der_bytes
make_request(struct probe *p, uint32_t n)
{
	uint32_t bits = n * UINT32_C(2654435761);
	uint8_t arcs[8] = { 0x69, 0xff };
	struct der_bytes oid = { arcs, 4 + n % 3 };

	for (size_t i = 2; i < oid.len; i++, bits >>= 7)
		arcs[i] = 0x80 | (bits & 0x7f);
	arcs[oid.len - 1] &= 0x7f;
	return probe_make_request(p, &(struct probe_request){ .extensions =
	    probe_acceptable(p, probe_wrap(p, DER_OID, oid)) });
}

/* The plain request, if it has it; else one that has.  False if there is
 * none. */
static bool
find_request(struct probe *p, const char *needed, char base64[512])
{
	size_t mark = p->arena_used;
	struct der_bytes request = p->request;

	for (uint32_t n = 0; n < SEARCH_MAX; n++) {
		if (request.len > 360)
			return false;
		oc_base64_encode(request.p, request.len, base64);
		if (has_needed(base64, needed))
			return true;
		probe_rewind(p, mark);
		request = make_request(p, n);
	}
	return false;
}

/* --- spellings -------------------------------------------------------- */

/* One character as this spelling has it; n: which. */
static const char *
spell(enum spelling spelling, char c, unsigned int n)
{
	const char *escaped = c == '+' ? "%2B" : c == '/' ? "%2F" : "%3D";

	switch (spelling) {
	case RAW_PLUS:
		return c == '+' ? "+" : escaped;
	case RAW_SLASH:
		return c == '/' ? "/" : escaped;
	case COLLAPSED:
		return c == '/' ? "/" : escaped;
	case LOWER_HEX:
		return c == '+' ? "%2b" : c == '/' ? "%2f" : "%3d";
	case MIXED:
		return c == '+' && n % 2 == 0 ? "+" : c == '=' ? "=" :
		    escaped;
	case SPACE:
		return c == '+' ? (n % 2 == 0 ? "%20" : " ") : escaped;
	case NO_PADDING:
		return c == '=' ? "" : escaped;
	case URL_ALPHABET:
		return c == '+' ? "-" : c == '/' ? "_" : "";
	case DOUBLE_ESCAPED:
		return c == '+' ? "%252B" : c == '/' ? "%252F" : "%253D";
	case ESCAPED:
	case LEADING_SLASH:
	case QUERY:
		break;
	}
	return escaped;
}

static struct der_bytes
target_of(struct probe *p, enum spelling spelling, const char *base64)
{
	char chars[2048];
	unsigned int num = 0;
	size_t n = 0;

	if (spelling == LEADING_SLASH)
		chars[n++] = '/';
	for (const char *c = base64; *c != '\0'; c++) {
		char one[2] = { *c, '\0' };

		/* What a proxy does that knows one '/' only. */
		if (spelling == COLLAPSED && c[0] == '/' && c[1] == '/')
			continue;
		n += (size_t)snprintf(chars + n, sizeof(chars) - n, "%s",
		    *c == '+' || *c == '/' || *c == '=' ?
		    spell(spelling, *c, num++) : one);
	}
	chars[n] = '\0';
	return probe_target_of(p, spelling == QUERY ?
	    strcat(chars, "?x=1") : chars);
}

static void
ask_target(struct probe *p, struct der_bytes target, struct probe_answer *a)
{
	struct probe_http http = { .target = target };

	probe_exchange(p, probe_make_http(p, &http), NULL, a);
}

static void
case_spelling(struct probe *p, const struct probe_case *c)
{
	enum spelling spelling = (enum spelling)c->variant;
	struct probe_answer a;
	char base64[512];

	if (!find_request(p, needed_by(spelling), base64)) {
		probe_skip(p, "no request has \"%s\" in its base64",
		    needed_by(spelling));
		return;
	}
	ask_target(p, target_of(p, spelling, base64), &a);
	probe_judge(p, &a, PROBE_SAME, spelling == ESCAPED ||
	    spelling == LOWER_HEX ? 0 : PROBE_BIT(PROBE_REFUSED) |
	    PROBE_BIT(PROBE_MALFORMED) | PROBE_BIT(PROBE_UNAUTHORIZED),
	    "the answer of the escaped one");
}

/* --- other paths ------------------------------------------------------ */

/* Below the prefix it is the answer, elsewhere it is not. */
static void
case_prefix(struct probe *p, const struct probe_case *c)
{
	size_t prefix_len = strlen(p->o->path);
	struct probe_answer below, elsewhere;

	(void)c;
	if (prefix_len > 0 && p->o->path[prefix_len - 1] == '/')
		prefix_len--;
	if (prefix_len == 0) {
		probe_skip(p, "the URL has no path: give it with one");
		return;
	}
	ask_target(p, p->target, &below);
	ask_target(p, (struct der_bytes){ p->target.p + prefix_len,
	    p->target.len - prefix_len }, &elsewhere);
	if (!probe_expect(p, &below, PROBE_SAME, "the answer of a POST"))
		return;
	if (elsewhere.status == 404)
		probe_pass(p, "HTTP 404 without the prefix");
	else if (elsewhere.is_same || elsewhere.outcome == PROBE_REFUSED)
		probe_policy(p, "%s without the prefix, not HTTP 404",
		    elsewhere.seen.text);
	else
		probe_fail(p, "%s without the prefix, not HTTP 404",
		    elsewhere.seen.text);
}

static void
case_root(struct probe *p, const struct probe_case *c)
{
	struct probe_answer a;

	(void)c;
	ask_target(p, (struct der_bytes){ NULL, 0 }, &a);
	if (!probe_expect(p, &a, PROBE_BIT(PROBE_OTHER_TYPE) |
	    PROBE_BIT(PROBE_MALFORMED) | PROBE_BIT(PROBE_REFUSED),
	    "a page or malformedRequest"))
		return;
	if (a.outcome != PROBE_OTHER_TYPE)
		probe_policy(p, "%s, not a page", a.seen.text);
	else if (a.reply.body.len == 0)
		probe_policy(p, "HTTP %d with nothing in it", a.status);
	else if (!probe_fields_have(&a.reply, "Cache-Control", "no-store",
	    NULL))
		probe_policy(p, "a page that caches may keep");
	else
		probe_pass(p, "a page, no-store");
}

/* What browsers and crawlers ask: nothing with a signature comes of it. */
static void
case_garbage(struct probe *p, const struct probe_case *c)
{
	static const char *const paths[] = { "favicon.ico", "robots.txt",
	    "%00%ff", "..%2f..%2fetc%2fpasswd" };
	struct probe_answer a;

	(void)c;
	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
		ask_target(p, probe_target_of(p, paths[i]), &a);
		if (!probe_expect(p, &a, PROBE_BIT(PROBE_REFUSED) |
		    PROBE_BIT(PROBE_MALFORMED), "HTTP 404 or "
		    "malformedRequest"))
			return;
	}
	probe_pass(p, "%s", a.seen.text);
}

/* RFC 6960 leaves GETs above 255 octets to who wants them. */
static void
case_over_255(struct probe *p, const struct probe_case *c)
{
	uint8_t filler[200];
	struct der_bytes request;
	struct probe_answer a;

	(void)c;
	memset(filler, 0x0c, sizeof(filler));
	filler[0] = 0x69;		/* 2.25... */
	request = probe_make_request(p, &(struct probe_request){
	    .extensions = probe_acceptable(p, probe_wrap(p, DER_OID,
	    DER_ARRAY(filler))) });
	ask_target(p, probe_target(p, request), &a);
	probe_judge(p, &a, PROBE_SAME, PROBE_BIT(PROBE_REFUSED),
	    "the answer of the short one");
}

/* RFC 9112, 3: a target that is too long is 414; it may also be read. */
static void
case_huge(struct probe *p, const struct probe_case *c)
{
	char chars[9 * 1024 + 1];
	struct probe_answer a;

	(void)c;
	memset(chars, 'A', sizeof(chars) - 1);
	chars[0] = 'M';
	chars[sizeof(chars) - 1] = '\0';
	ask_target(p, probe_target_of(p, chars), &a);
	if (a.status == 414)
		probe_pass(p, "HTTP 414");
	else
		probe_judge(p, &a, 0, PROBE_BIT(PROBE_REFUSED) |
		    PROBE_BIT(PROBE_MALFORMED), "HTTP 414");
}

static void
case_absolute(struct probe *p, const struct probe_case *c)
{
	struct probe_answer a;

	(void)c;
	ask_target(p, probe_text(p, "http://%s%.*s", p->o->authority,
	    (int)p->target.len, (const char *)p->target.p), &a);
	probe_judge(p, &a, PROBE_SAME, 0, "the answer of a path");
}

#define A1 "RFC6960:A.1"

const struct probe_case probe_cases_target[] = {
	{ "get-escaped", A1, case_spelling, ESCAPED,
	    "GET, base64 with every + / = escaped" },
	{ "get-raw-plus", A1, case_spelling, RAW_PLUS,
	    "+ as it is" },
	{ "get-raw-slash", A1, case_spelling, RAW_SLASH,
	    "/ as it is" },
	{ "get-lower-hex", "RFC3986:6.2.2.1", case_spelling, LOWER_HEX,
	    "%2b %2f %3d" },
	{ "get-mixed", A1, case_spelling, MIXED,
	    "some escaped, some not" },
	{ "get-space", A1, case_spelling, SPACE,
	    "a space, raw or escaped, for +" },
	{ "get-nopad", A1, case_spelling, NO_PADDING,
	    "no = at the end" },
	{ "get-b64url", "RFC4648:5", case_spelling, URL_ALPHABET,
	    "- and _ for + and /" },
	{ "get-double-slash-lead", A1, case_spelling, LEADING_SLASH,
	    "one / more in front" },
	{ "get-collapsed", A1, case_spelling, COLLAPSED,
	    "// in the base64 made / by a proxy" },
	{ "get-double-escaped", A1, case_spelling, DOUBLE_ESCAPED,
	    "%252B" },
	{ "get-query", A1, case_spelling, QUERY,
	    "?x=1 behind" },
	{ "get-prefix", A1, case_prefix, 0,
	    "below the URL's path, and not elsewhere" },
	{ "get-root", A1, case_root, 0,
	    "GET without a request" },
	{ "get-garbage", A1, case_garbage, 0,
	    "favicon.ico and the like" },
	{ "get-over-255", A1, case_over_255, 0,
	    "a path of 300 characters and more" },
	{ "get-huge", "RFC9112:3", case_huge, 0,
	    "a target of 9 KiB: 414" },
	{ "get-absform", "RFC9112:3.2.2", case_absolute, 0,
	    "GET http://host/..." },
	{ NULL, NULL, NULL, 0, NULL }
};
