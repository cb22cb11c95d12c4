/* SPDX-License-Identifier: Apache-2.0 */
/* Where may a redirect lead, and is what it says read in one way only? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "validation/page_impl.h"

#define BASE "http://www.example.com/a/b?c"

static struct oc_address_range allowed[1];
static struct validation_pages pages = { .allowed = allowed, .http_port = 80,
	.https_port = 443, .ports = { 8080 }, .num_ports = 1 };

static struct validation_visit *
visit_new(void)
{
	struct validation_visit *v = calloc(1, sizeof(*v));
	struct validation_page_wish wish = { .scheme = VALIDATION_HTTP,
		.name = "www.example.com", .path = "/a/b?c" };

	assert_non_null(v);
	v->pages = &pages;
	v->url = curl_url();
	assert_null(validation_url_start(v, &wish));
	assert_string_equal(v->first, BASE);
	assert_string_equal(v->at, BASE);
	assert_string_equal(v->host, "www.example.com");
	return v;
}

static void
visit_free(struct validation_visit *v)
{
	curl_url_cleanup(v->url);
	free(v);
}

static void
followed(void **state)
{
	static const struct {
		const char *location, *at, *host;
	} cases[] = {
		{ "/x", "http://www.example.com/x", "www.example.com" },
		{ "x", "http://www.example.com/a/x", "www.example.com" },
		{ "?y", "http://www.example.com/a/b?y", "www.example.com" },
		{ "/x#y", "http://www.example.com/x", "www.example.com" },
		{ "/a b", "http://www.example.com/a%20b", "www.example.com" },
		{ "//other.example/x", "http://other.example/x",
		    "other.example" },
		{ "https://other.example/", "https://other.example/",
		    "other.example" },
		{ "HTTPS://OTHER.example/", "https://OTHER.example/",
		    "OTHER.example" },
		{ "http://other.example:80/", "http://other.example:80/",
		    "other.example" },
		{ "http://other.example:443/", "http://other.example:443/",
		    "other.example" },
		{ "http://other.example:8080/", "http://other.example:8080/",
		    "other.example" },
		{ "http://a_b.example/", "http://a_b.example/",
		    "a_b.example" }
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct validation_visit *v = visit_new();
		struct oc_address literal;
		bool is_literal;
		const char *why = validation_url_follow(v, cases[i].location,
		    &literal, &is_literal);

		if (why != NULL)
			fail_msg("%s: %s", cases[i].location, why);
		assert_false(is_literal);
		assert_string_equal(v->at, cases[i].at);
		assert_string_equal(v->host, cases[i].host);
		visit_free(v);
	}
}

static void
refused(void **state)
{
	static const struct {
		const char *location, *why;
	} cases[] = {
		{ "ftp://other.example/", "another scheme" },
		{ "file:///etc/passwd", "another scheme" },
		{ "gopher://other.example/", "another scheme" },
		{ "ldap://other.example/", "another scheme" },
		{ "http://me@other.example/", "credentials" },
		{ "http://me:you@other.example/", "credentials" },
		{ "http://:@other.example/", "credentials" },
		{ "http://www.example.com@other.example/", "credentials" },
		{ "http://other.example:81/", "a port" },
		{ "http://other.example:22/", "a port" },
		{ "https://other.example:8443/", "a port" },
		{ "http://other.example:65616/", "" },
		{ "http://other.example:-80/", "" },
		{ "http://10.0.0.1/", "an address" },
		{ "http://9.9.9.9/", "an address" },
		{ "http://127.0.0.2/", "an address" },
		{ "http://169.254.169.254/", "an address" },
		{ "http://2852039166/", "an address" },
		{ "http://0xa9fea9fe/", "an address" },
		{ "http://0251.0376.0251.0376/", "an address" },
		{ "http://169.254.43518/", "an address" },
		{ "http://[::1]/", "an address" },
		{ "http://[::ffff:127.0.0.2]/", "an address" },
		{ "http://[::ffff:a9fe:a9fe]/", "an address" },
		{ "http://[2620:fe::fe]/", "an address" },
		{ "http://[fe80::1%25lo]/", "" },
		{ "http://[v1.x]/", "" },
		{ "http://1.2.3.4.5/", "no host" },
		{ "http://other.example.1/", "no host" },
		{ "http://other.example./", "no host" },
		{ "http://.other.example/", "no host" },
		{ "http://other..example/", "no host" },
		{ "http://oth%65r.ex ample/", "" },
		{ "http://\xc3\xa4.example/", "no host" },
		{ "http://\xef\xbc\x91.1.1.1/", "" },
		{ "http://", "" },
		{ "http://other.example\\@10.0.0.1/", "" },
		{ "http://other.example\n/", "" },
		{ "\n", "" }
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct validation_visit *v = visit_new();
		struct oc_address literal;
		bool is_literal;
		const char *why = validation_url_follow(v, cases[i].location,
		    &literal, &is_literal);

		if (why == NULL || strstr(why, cases[i].why) == NULL)
			fail_msg("%s: %s (%s)", cases[i].location,
			    why == NULL ? "followed" : why, v->at);
		visit_free(v);
	}
}

/* One that is allowed may be named as what it is. */
static void
literals(void **state)
{
	static const char *const locations[] = { "http://127.0.0.1/",
		"http://2130706433/", "http://[::ffff:127.0.0.1]/",
		"http://0x7f.1/" };

	(void)state;
	for (size_t i = 0; i < sizeof(locations) / sizeof(locations[0]); i++) {
		struct validation_visit *v = visit_new();
		struct oc_address literal;
		bool is_literal = false;

		assert_null(validation_url_follow(v, locations[i], &literal,
		    &is_literal));
		assert_true(is_literal);
		assert_memory_equal(&literal, &allowed[0].first,
		    sizeof(literal));
		visit_free(v);
	}
}

static void
started(void **state)
{
	static const struct validation_page_wish wishes[] = {
		{ .name = "127.0.0.1", .path = "/" },
		{ .name = "", .path = "/" },
		{ .name = "a/b", .path = "/" },
		{ .name = "a@b", .path = "/" },
		{ .name = "a:1", .path = "/" },
		{ .name = "a", .path = "x" }
	};
	char path[VALIDATION_URL_MAX + 1];
	struct validation_page_wish wish = { .name = "a", .path = path };
	struct validation_visit *v;

	(void)state;
	for (size_t i = 0; i < sizeof(wishes) / sizeof(wishes[0]); i++) {
		v = visit_new();
		if (validation_url_start(v, &wishes[i]) == NULL)
			fail_msg("%zu: started", i);
		visit_free(v);
	}
	memset(path, '/', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	v = visit_new();
	assert_non_null(validation_url_start(v, &wish));
	visit_free(v);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(followed),
		cmocka_unit_test(refused),
		cmocka_unit_test(literals),
		cmocka_unit_test(started)
	};

	if (oc_address_range_parse("127.0.0.1", &allowed[0], NULL) != OC_OK)
		return 1;
	pages.num_allowed = 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
