/* SPDX-License-Identifier: Apache-2.0 */
#include "validation/html.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

#define TAG_MAX 15			/* longer than any that is looked for */
#define ATTRIBUTE_MAX 15

struct scanner {
	const char *at, *end;
	const char *name;		/* of the meta elements wanted */
	validation_html_fn *fn;
	void *arg;
	size_t num_found;
};

/* Of a start tag: of an attribute that is there twice, the first counts. */
struct tag {
	char name[TAG_MAX + 1];		/* lower case; "" if it is longer */
	bool has_name, has_content;
	char meta_name[VALIDATION_HTML_VALUE_MAX + 1];
	char content[VALIDATION_HTML_VALUE_MAX + 1];
};

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\r';
}

static bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static bool
is_ahead(const struct scanner *s, const char *text)
{
	size_t len = strlen(text);

	return (size_t)(s->end - s->at) >= len &&
	    strncasecmp(s->at, text, len) == 0;
}

static bool
skip_past(struct scanner *s, char what)
{
	while (s->at < s->end)
		if (*s->at++ == what)
			return true;
	return false;
}

static void
skip_blanks(struct scanner *s)
{
	while (s->at < s->end && is_blank(*s->at))
		s->at++;
}

/* --- values ------------------------------------------------------------ */

/* What fits; a value that is cut is none. */
struct value {
	char *text;
	size_t len;
	bool is_cut;
};

static void
put(struct value *v, const char *octets, size_t len)
{
	if (v->is_cut || len > VALIDATION_HTML_VALUE_MAX - v->len) {
		v->is_cut = true;
		return;
	}
	memcpy(v->text + v->len, octets, len);
	v->len += len;
}

static void
put_code_point(struct value *v, uint32_t c)
{
	char utf8[4];

	if (c == 0 || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		c = 0xfffd;
	if (c < 0x80) {
		utf8[0] = (char)c;
		put(v, utf8, 1);
	} else if (c < 0x800) {
		utf8[0] = (char)(0xc0 | c >> 6);
		utf8[1] = (char)(0x80 | (c & 0x3f));
		put(v, utf8, 2);
	} else if (c < 0x10000) {
		utf8[0] = (char)(0xe0 | c >> 12);
		utf8[1] = (char)(0x80 | (c >> 6 & 0x3f));
		utf8[2] = (char)(0x80 | (c & 0x3f));
		put(v, utf8, 3);
	} else {
		utf8[0] = (char)(0xf0 | c >> 18);
		utf8[1] = (char)(0x80 | (c >> 12 & 0x3f));
		utf8[2] = (char)(0x80 | (c >> 6 & 0x3f));
		utf8[3] = (char)(0x80 | (c & 0x3f));
		put(v, utf8, 4);
	}
}

static int
digit_of(char c, uint32_t base)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = lower(c);
	return base == 16 && c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "&#61;", "&#x3d;", with or without the ';'. */
static bool
take_number(struct value *v, const char **at, const char *end)
{
	const char *p = *at + 2;
	uint32_t base = 10, c = 0;
	const char *digits;

	if (p < end && lower(*p) == 'x') {
		base = 16;
		p++;
	}
	for (digits = p; p < end && digit_of(*p, base) >= 0; p++)
		if (c <= 0x10ffff)
			c = c * base + (uint32_t)digit_of(*p, base);
	if (p == digits)
		return false;
	*at = p < end && *p == ';' ? p + 1 : p;
	put_code_point(v, c);
	return true;
}

/* A character reference.  Of the names those that ASCII has any use for: one
 * that stays as it is makes a value match nothing. */
static bool
take_reference(struct value *v, const char **at, const char *end)
{
	static const struct {
		const char *text, *octet;
	} names[] = {
		{ "&amp;", "&" }, { "&lt;", "<" }, { "&gt;", ">" },
		{ "&quot;", "\"" }, { "&apos;", "'" }, { "&equals;", "=" },
		{ "&lowbar;", "_" }, { "&period;", "." }, { "&colon;", ":" },
		{ "&plus;", "+" }, { "&sol;", "/" }, { "&nbsp;", "\xc2\xa0" }
	};

	if (end - *at > 2 && (*at)[1] == '#')
		return take_number(v, at, end);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		size_t len = strlen(names[i].text);

		if ((size_t)(end - *at) >= len &&
		    memcmp(*at, names[i].text, len) == 0) {
			*at += len;
			put(v, names[i].octet, strlen(names[i].octet));
			return true;
		}
	}
	return false;
}

/* What stands between at and end, decoded; false: it does not fit. */
static bool
decode(const char *at, const char *end,
    char text[VALIDATION_HTML_VALUE_MAX + 1])
{
	struct value v = { text, 0, false };

	while (at < end && is_blank(*at))
		at++;
	while (end > at && is_blank(end[-1]))
		end--;
	while (at < end && !v.is_cut)
		if (*at == '\0') {
			put_code_point(&v, 0xfffd);
			at++;
		} else if (*at != '&' || !take_reference(&v, &at, end)) {
			put(&v, at++, 1);
		}
	if (v.is_cut)
		return false;
	text[v.len] = '\0';
	return true;
}

/* --- tags -------------------------------------------------------------- */

static void
note(struct tag *tag, const char *name, size_t name_len, const char *value,
    const char *value_end)
{
	if (name_len == 4 && strncasecmp(name, "name", 4) == 0 &&
	    !tag->has_name) {
		tag->has_name = true;
		if (!decode(value, value_end, tag->meta_name))
			tag->meta_name[0] = '\0';
	} else if (name_len == 7 && strncasecmp(name, "content", 7) == 0 &&
	    !tag->has_content) {
		tag->has_content = true;
		if (!decode(value, value_end, tag->content))
			tag->content[0] = '\0';
	}
}

/* Behind '='.  False: the page ends within it. */
static bool
take_value(struct scanner *s, const char **value, const char **value_end)
{
	char quote;

	skip_blanks(s);
	if (s->at == s->end)
		return false;
	quote = *s->at;
	if (quote == '"' || quote == '\'') {
		*value = ++s->at;
		if (!skip_past(s, quote))
			return false;
		*value_end = s->at - 1;
		return true;
	}
	*value = s->at;
	while (s->at < s->end && !is_blank(*s->at) && *s->at != '>')
		s->at++;
	*value_end = s->at;
	return s->at < s->end;
}

/* All attributes, to behind the '>'.  False: the page ends within. */
static bool
take_attributes(struct scanner *s, struct tag *tag)
{
	const char *name, *value, *value_end;
	size_t name_len;

	for (;;) {
		while (s->at < s->end && (is_blank(*s->at) || *s->at == '/'))
			s->at++;
		if (s->at == s->end)
			return false;
		if (*s->at == '>') {
			s->at++;
			return true;
		}
		name = s->at++;		/* a '=' in front belongs to it */
		while (s->at < s->end && !is_blank(*s->at) &&
		    *s->at != '/' && *s->at != '>' && *s->at != '=')
			s->at++;
		name_len = (size_t)(s->at - name);
		skip_blanks(s);
		value = value_end = "";
		if (s->at < s->end && *s->at == '=') {
			s->at++;
			if (!take_value(s, &value, &value_end))
				return false;
		}
		note(tag, name, name_len, value, value_end);
	}
}

/* From behind "<" or "</". */
static bool
take_tag(struct scanner *s, struct tag *tag)
{
	size_t len = 0;

	tag->has_name = tag->has_content = false;
	tag->meta_name[0] = tag->content[0] = '\0';
	while (s->at < s->end && !is_blank(*s->at) && *s->at != '/' &&
	    *s->at != '>') {
		if (len < TAG_MAX)
			tag->name[len] = *s->at == '\0' ? '?' :
			    lower(*s->at);
		len++;
		s->at++;
	}
	tag->name[len <= TAG_MAX ? len : 0] = '\0';
	return take_attributes(s, tag);
}

static bool
is_one_of(const char *name, const char *const *names)
{
	for (; *names != NULL; names++)
		if (strcmp(name, *names) == 0)
			return true;
	return false;
}

/* --- what is no element ------------------------------------------------ */

/* From behind "<!--".  It ends with "-->" or "--!>", and "<!-->" and "<!--->"
 * are whole. */
static bool
skip_comment(struct scanner *s)
{
	if (is_ahead(s, ">")) {
		s->at++;
		return true;
	}
	if (is_ahead(s, "->")) {
		s->at += 2;
		return true;
	}
	for (; s->at < s->end; s->at++) {
		if (is_ahead(s, "-->")) {
			s->at += 3;
			return true;
		}
		if (is_ahead(s, "--!>")) {
			s->at += 4;
			return true;
		}
	}
	return false;
}

/* "</name" with what ends a tag's name behind it. */
static bool
is_end_tag(const struct scanner *s, const char *name)
{
	size_t len = strlen(name);

	return (size_t)(s->end - s->at) > len + 2 && s->at[0] == '<' &&
	    s->at[1] == '/' && strncasecmp(s->at + 2, name, len) == 0 &&
	    (is_blank(s->at[len + 2]) || s->at[len + 2] == '/' ||
	    s->at[len + 2] == '>');
}

/* Text to its end tag, and that. */
static bool
skip_text(struct scanner *s, const char *name)
{
	struct tag tag;

	for (; s->at < s->end; s->at++)
		if (is_end_tag(s, name)) {
			s->at += 2;
			return take_tag(s, &tag);
		}
	return false;
}

/* "<script" or "</script" with what ends a tag's name behind it. */
static bool
is_script_tag(const struct scanner *s, const char *tag)
{
	size_t len = strlen(tag);

	return is_ahead(s, tag) && (size_t)(s->end - s->at) > len &&
	    (is_blank(s->at[len]) || s->at[len] == '/' || s->at[len] == '>');
}

/* As skip_text(), but a script within "<!--" and "-->" in a script is part of
 * that: the standard's "script data double escaped state". */
static bool
skip_script(struct scanner *s)
{
	enum { PLAIN, ESCAPED, TWICE } state = PLAIN;
	size_t num_dashes = 0;
	struct tag tag;

	for (; s->at < s->end; s->at++) {
		if (state == PLAIN && is_ahead(s, "<!--")) {
			s->at += 3;
			state = ESCAPED;
			num_dashes = 2;
			continue;
		}
		if (state != TWICE && is_end_tag(s, "script")) {
			s->at += 2;
			return take_tag(s, &tag);
		}
		if (state == ESCAPED && is_script_tag(s, "<script"))
			state = TWICE;
		else if (state == TWICE && is_script_tag(s, "</script"))
			state = ESCAPED;
		if (*s->at == '>' && num_dashes >= 2)
			state = PLAIN;
		num_dashes = *s->at == '-' ? num_dashes + 1 : 0;
	}
	return false;
}

/* --- the head ---------------------------------------------------------- */

enum step { STEP_GO_ON, STEP_END };

static enum step
take_meta(struct scanner *s, const struct tag *tag)
{
	if (!tag->has_name || !tag->has_content ||
	    strcasecmp(tag->meta_name, s->name) != 0)
		return STEP_GO_ON;
	s->num_found++;
	return s->fn(s->arg, tag->content) ? STEP_GO_ON : STEP_END;
}

/* A start tag, from behind its '<'.  What the standard's "in head" does not
 * take begins the body; a template would need a tree, and ends what we look
 * at. */
static enum step
take_start(struct scanner *s)
{
	static const char *const passed[] = { "html", "head", "base",
		"basefont", "bgsound", "link", NULL };
	/* As where scripts run, so that what noscript has is text. */
	static const char *const texts[] = { "title", "style", "noframes",
		"noscript", NULL };
	struct tag tag;

	if (!take_tag(s, &tag))
		return STEP_END;
	if (strcmp(tag.name, "meta") == 0)
		return take_meta(s, &tag);
	if (strcmp(tag.name, "script") == 0)
		return skip_script(s) ? STEP_GO_ON : STEP_END;
	if (is_one_of(tag.name, texts))
		return skip_text(s, tag.name) ? STEP_GO_ON : STEP_END;
	return is_one_of(tag.name, passed) ? STEP_GO_ON : STEP_END;
}

/* From behind "</".  Those of others are errors, and nothing. */
static enum step
take_end(struct scanner *s)
{
	static const char *const ends[] = { "head", "body", "html", "br",
		NULL };
	struct tag tag;

	return take_tag(s, &tag) && !is_one_of(tag.name, ends) ? STEP_GO_ON :
	    STEP_END;
}

/* At a '<'. */
static enum step
take_markup(struct scanner *s)
{
	s->at++;
	if (is_ahead(s, "!--")) {
		s->at += 3;
		return skip_comment(s) ? STEP_GO_ON : STEP_END;
	}
	/* A DOCTYPE, or a bogus comment. */
	if (is_ahead(s, "!") || is_ahead(s, "?"))
		return skip_past(s, '>') ? STEP_GO_ON : STEP_END;
	if (is_ahead(s, "/")) {
		s->at++;
		if (s->at < s->end && is_letter(*s->at))
			return take_end(s);
		/* "</>" is nothing, "</1" a bogus comment. */
		return skip_past(s, '>') ? STEP_GO_ON : STEP_END;
	}
	if (s->at < s->end && is_letter(*s->at))
		return take_start(s);
	return STEP_END;			/* text */
}

size_t
validation_html_metas(const char *page, size_t len, const char *name,
    validation_html_fn *fn, void *arg)
{
	/* Behind ESC the octets of ASCII are other characters, if the page is
	 * in ISO-2022-JP: a "<" in a title may be half a kanji. */
	const char *escape = len == 0 ? NULL : memchr(page, 0x1b, len);
	struct scanner s = { page, escape != NULL ? escape : page + len, name,
	    fn, arg, 0 };

	/* A byte order mark. */
	if (is_ahead(&s, "\xef\xbb\xbf"))
		s.at += 3;
	for (;;) {
		skip_blanks(&s);
		if (s.at == s.end || *s.at != '<' ||
		    take_markup(&s) == STEP_END)
			return s.num_found;
	}
}
