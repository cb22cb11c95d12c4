/* SPDX-License-Identifier: Apache-2.0 */
/* Is a meta element of the head found, and nothing that only looks like one? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "validation/html.h"

#define NAME "ocsign-verification"
#define META "<meta name=\"" NAME "\" content=\"token\">"

struct found {
	size_t num;
	char first[VALIDATION_HTML_VALUE_MAX + 1];
	bool is_there;			/* "token" */
};

static bool
on_meta(void *arg, const char *content)
{
	struct found *found = arg;

	if (found->num++ == 0)
		(void)snprintf(found->first, sizeof(found->first), "%s",
		    content);
	found->is_there |= strcmp(content, "token") == 0;
	return true;
}

/* In memory of just that length. */
static struct found
look(const char *page, size_t len)
{
	struct found found = { .num = 0 };
	char *copy = malloc(len + 1);
	size_t num;

	assert_non_null(copy);
	memcpy(copy + 1, page, len);
	num = validation_html_metas(copy + 1, len, NAME, on_meta, &found);
	assert_int_equal(num, found.num);
	free(copy);
	return found;
}

static void
there(void **state)
{
	static const char *const pages[] = {
		META,
		"<!DOCTYPE html><html><head>" META "</head><body></body>",
		"\xef\xbb\xbf<!doctype html>\r\n<html lang=en>\n<head>\n" META,
		"<META NAME=" NAME " CONTENT=token>",
		"<meta name=OCSIGN-Verification content=token>",
		"<meta content='token' name='" NAME "'/>",
		"<meta name = \"" NAME "\"\tcontent\n=\n\"token\"/>",
		"<meta/name=\"" NAME "\"/content=token>",
		"<meta x name=" NAME " =y content=token z>",
		"<meta name=" NAME " content=token name=other content=no>",
		"<meta name=\"" NAME "\"content=\"token\">",
		"<meta name=" NAME " content=\" token\r\n\">",
		"<meta name=" NAME " content=\"tok&#101;n\">",
		"<meta name=" NAME " content=\"tok&#x65;n\">",
		"<meta name=" NAME " content=\"tok&#X00065n\">",
		"<meta name=\"&#111;csign-verification\" content=token>",
		"<!-- <body> -->" META,
		"<!-->" META, "<!--->" META, "<!-- x --!>" META,
		"<!-- <!-- -->" META,
		"<!-- -- > -->" META,
		"<? php ?>" META, "<!x>" META, "</>" META, "</ x>" META,
		"<![CDATA[x>" META,
		"</p></div x=y>" META,
		"<title><body></title>" META,
		"<title></titlex></TITLE >" META,
		"<style>a > b { } <body></style>" META,
		"<noscript><img></noscript>" META,
		"<script>if (a < b) x = '<body>';</script>" META,
		"<script><!-- <script> --></script>" META,
		"<script><!-- x </script>" META,
		"<script><!--><script></script>" META,
		"<script><!---><script></script>" META,
		"<script><!-- <scripty> </script>" META,
		"<script><!-- <script > </script > --> </script\n>" META,
		"<base href=x><link rel=y><meta charset=utf-8>" META,
		"<meta name=" NAME " content=no>" META,
		"<meta name=" NAME "><meta content=token>" META,
		META "<meta name=" NAME " content=no>",
		"<head x=\"<body>\">" META,
		"<html><html><head><head>" META
	};

	(void)state;
	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++)
		if (!look(pages[i], strlen(pages[i])).is_there)
			fail_msg("not found: %s", pages[i]);
}

static void
not_there(void **state)
{
	static const char *const pages[] = {
		"", "<", "<!", "<!-", "</", "<m", "<meta", "<meta ",
		"<html><head></head>" META,
		"<html><head></head><body>" META,
		"<body>" META, "<p>" META, "x" META, "&nbsp;" META,
		"</head>" META, "</body>" META, "</html>" META, "</br>" META,
		"<div>" META, "<template>" META, "<frameset>" META,
		"<svg>" META, "<1>" META, "< meta>" META,
		"<!-- " META " -->", "<!-- " META,
		"<!-- - -> " META " -->",
		"<title>" META "</title>", "<title>" META,
		"<style>" META "</style>",
		"<noscript>" META "</noscript>",
		"<noframes>" META "</noframes>",
		"<script>" META "</script>", "<script>" META,
		"<script><!-- <script> </script> " META " --></script>",
		"<script><!-- <script></script>" META "</script>",
		"<script>'</scripty>" META,
		"<link title='" META "'>",
		"<link title=\"" META,
		"<meta name=x content='" META "'>",
		"<meta name=x" META "<body>",
		"<meta name=" NAME " content=token",
		"<meta name=" NAME " content=token ",
		"<meta name=" NAME " content=\"token>",
		"<metal name=" NAME " content=token>",
		"<meta http-equiv=" NAME " content=token>",
		"<meta name=" NAME " value=token>",
		"<meta property=" NAME " content=token>",
		"<meta name=x name=" NAME " content=token>",
		"<meta name=" NAME " content=no content=token>",
		"<meta name=" NAME "x content=token>",
		"<meta name=" NAME " content=Token>",
		"<meta name=" NAME " content=to&#0;ken>",
		"<meta name=" NAME " content=\"to ken\">",
		"<meta name=" NAME " contents=token>",
		"<meta/name=" NAME "/content=token>",
		"<meta name=&quot;" NAME "&quot; content=token>",
		"<!doctype html><x>" META,
		/* In ISO-2022-JP these are kanji. */
		"<title>\x1b$B</title>" META "\x1b(B</title>",
		"<title>\x1b(B</title>" META,
		"\xff\xfe<\0h"
	};

	(void)state;
	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++)
		if (look(pages[i], strlen(pages[i])).is_there)
			fail_msg("found: %s", pages[i]);
}

/* What is cut anywhere has it only when all of it is there. */
static void
cut(void **state)
{
	static const char page[] = "<!doctype html><!-- x --><head><script>"
	    "<!-- a --></script><title>t</title>" META;

	(void)state;
	for (size_t len = 0; len < sizeof(page); len++)
		assert_int_equal(look(page, len).is_there,
		    len == sizeof(page) - 1);
}

static void
nul_octets(void **state)
{
	static const char in_tag[] = "<meta\0 name=" NAME " content=token>";
	static const char in_name[] = "<meta na\0me=" NAME " content=token>";
	static const char in_value[] = "<meta name=" NAME
	    " content=token\0x>";
	static const char in_front[] = "\0" META;

	(void)state;
	assert_false(look(in_tag, sizeof(in_tag) - 1).is_there);
	assert_false(look(in_name, sizeof(in_name) - 1).is_there);
	assert_false(look(in_value, sizeof(in_value) - 1).is_there);
	assert_int_equal(look(in_value, sizeof(in_value) - 1).num, 1);
	assert_false(look(in_front, sizeof(in_front) - 1).is_there);
}

static void
values(void **state)
{
	static const struct {
		const char *written, *value;
	} cases[] = {
		{ "&lt;&gt;&amp;&quot;&apos;", "<>&\"'" },
		{ "a&#228;b", "a\xc3\xa4" "b" },
		{ "&#x20AC;", "\xe2\x82\xac" },
		{ "&#x1F600;", "\xf0\x9f\x98\x80" },
		{ "&#xD800;", "\xef\xbf\xbd" },
		{ "&#x110000;", "\xef\xbf\xbd" },
		{ "&#99999999999999999999;", "\xef\xbf\xbd" },
		{ "&#;", "&#;" }, { "&#x;", "&#x;" }, { "&", "&" },
		{ "&unknown;", "&unknown;" }, { "&amp", "&amp" },
		{ "  x  ", "x" }, { "", "" }
	};
	char page[200];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct found found;

		(void)snprintf(page, sizeof(page), "<meta name=" NAME
		    " content=\"%s\">", cases[i].written);
		found = look(page, strlen(page));
		assert_int_equal(found.num, 1);
		assert_string_equal(found.first, cases[i].value);
	}
}

/* One that is longer than we have room for is there, and matches nothing. */
static void
long_values(void **state)
{
	size_t room = 4 * VALIDATION_HTML_VALUE_MAX;
	char *page = malloc(room), *at;

	(void)state;
	for (size_t len = VALIDATION_HTML_VALUE_MAX - 1;
	    len <= VALIDATION_HTML_VALUE_MAX + 1; len++) {
		struct found found;

		at = page + snprintf(page, room, "<meta name=" NAME
		    " content=\"");
		memset(at, 'a', len);
		(void)snprintf(at + len, room - len - 64, "\">");
		found = look(page, strlen(page));
		assert_int_equal(found.num, 1);
		assert_int_equal(strlen(found.first),
		    len > VALIDATION_HTML_VALUE_MAX ? 0 : len);
	}
	free(page);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there),
		cmocka_unit_test(not_there),
		cmocka_unit_test(cut),
		cmocka_unit_test(nul_octets),
		cmocka_unit_test(values),
		cmocka_unit_test(long_values)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
