/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Do CAA records allow what they say, and nothing more?
 * RFC8659:4.1 RFC8659:4.2 RFC8659:4.3 RFC8657:3 RFC8657:4
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "validation/caa.h"

#define RECORDS_MAX 4

static const char *const identities[] = { "ca.example.net",
	"ca2.example.net" };

/* "FLAGS TAG VALUE"; records are ended by NULL. */
struct rrset {
	uint8_t octets[RECORDS_MAX][300];
	struct validation_record records[RECORDS_MAX];
	size_t num;
};

static void
add(struct rrset *set, const char *text)
{
	uint8_t *octets = set->octets[set->num];
	unsigned int flags;
	char tag[64];
	int used;

	assert_int_equal(sscanf(text, "%u %63s%n", &flags, tag, &used), 2);
	used++;
	octets[0] = (uint8_t)flags;
	octets[1] = (uint8_t)strlen(tag);
	memcpy(octets + 2, tag, strlen(tag));
	memcpy(octets + 2 + strlen(tag), text + used, strlen(text + used));
	set->records[set->num++] = (struct validation_record){ octets,
		2 + strlen(tag) + strlen(text + used) };
}

static bool
is_allowed(const struct rrset *set, bool is_wildcard, const char *method,
    const char *account, char seen[VALIDATION_SEEN_MAX])
{
	const struct validation_caa_wish wish = {
		.identities = identities,
		.num_identities = 2,
		.is_wildcard = is_wildcard,
		.method = method,
		.account_uri = account
	};

	return validation_caa_allows(set->records, set->num, &wish, seen);
}

static void
values(void **state)
{
	static const struct {
		const char *value;
		bool is_allowed;
	} cases[] = {
		{ "ca.example.net", true },
		{ "CA.Example.NET", true },
		{ "ca2.example.net", true },
		{ " \t ca.example.net\t ", true },
		{ "ca.example.net;", true },
		{ " ca.example.net ; ", true },
		{ "ca.example.net; a=b", true },
		{ "ca.example.net;a=b;c=d", true },
		{ "ca.example.net ; a = b ; c-d = ", true },
		{ "ca.example.net;a==b", true },
		{ "", false },
		{ ";", false },
		{ " ; ", false },
		{ "; a=b", false },
		{ "ca.example.org", false },
		{ "xca.example.net", false },
		{ "ca.example.net.", false },
		{ ".ca.example.net", false },
		{ "ca..example.net", false },
		{ "ca.example.net x", false },
		{ "ca.example.net a=b", false },
		{ "-ca.example.net", false },
		{ "ca.example.net-", false },
		{ "ca_.example.net", false },
		{ "%%%%%", false },
		{ "ca.example.net;;", false },
		{ "ca.example.net; a", false },
		{ "ca.example.net; =b", false },
		{ "ca.example.net; a=b;", false },
		{ "ca.example.net; a=b c=d", false },
		{ "ca.example.net; a=b;;c=d", false },
		{ "ca.example.net; -a=b", false },
		{ "ca.example.net; a-=b", false },
		{ "ca.example.net; a_b=c", false },
		{ "ca.example.net; a=\x7f", false },
		{ "ca.example.net; a=\xc3\xa4", false },
		{ "ca.example.net\n", false },
		{ "ca.example.net, ca.example.net", false }
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct rrset set = { .num = 0 };
		char seen[VALIDATION_SEEN_MAX], text[100];

		(void)snprintf(text, sizeof(text), "0 issue %s",
		    cases[i].value);
		add(&set, text);
		if (is_allowed(&set, false, "http-01", NULL, seen) !=
		    cases[i].is_allowed)
			fail_msg("\"%s\": %s", cases[i].value, seen);
	}
}

static void
parameters(void **state)
{
	static const struct {
		const char *value, *method, *account;
		bool is_allowed;
	} cases[] = {
		{ "accounturi=https://a/1", "http-01", "https://a/1", true },
		{ "accounturi=https://a/1", "http-01", "https://a/", false },
		{ "accounturi=https://a/1", "http-01", "https://a/12", false },
		{ "accounturi=https://a/1", "http-01", "HTTPS://a/1", false },
		{ "accounturi=https://a/1", "http-01", NULL, false },
		{ "AccountURI=https://a/1", "http-01", "https://a/2", false },
		{ "accounturi=", "http-01", "", true },
		{ "accounturi=", "http-01", "https://a/1", false },
		{ "accounturi=https://a/1;accounturi=https://a/1", "http-01",
		    "https://a/1", false },
		{ "validationmethods=http-01", "http-01", NULL, true },
		{ "validationmethods=dns-01", "http-01", NULL, false },
		{ "validationmethods=dns-01,http-01", "http-01", NULL, true },
		{ "validationmethods=http-01,dns-01", "http-01", NULL, true },
		{ "validationmethods=http-01", NULL, NULL, false },
		{ "validationmethods=http-01", "http-0", NULL, false },
		{ "validationmethods=http-0", "http-01", NULL, false },
		{ "validationmethods=HTTP-01", "http-01", NULL, false },
		{ "validationmethods=", "http-01", NULL, false },
		{ "validationmethods=", "", NULL, false },
		{ "validationmethods=,http-01", "http-01", NULL, false },
		{ "validationmethods=http-01,", "http-01", NULL, false },
		{ "validationmethods=http-01,_", "http-01", NULL, false },
		{ "validationmethods=http-01;validationmethods=http-01",
		    "http-01", NULL, false },
		{ "validationmethods=ca-meta;accounturi=a:1", "ca-meta",
		    "a:1", true },
		{ "validationmethods=ca-meta;accounturi=a:1", "ca-meta",
		    "a:2", false },
		{ "other=1", NULL, NULL, true }
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct rrset set = { .num = 0 };
		char seen[VALIDATION_SEEN_MAX], text[200];

		(void)snprintf(text, sizeof(text),
		    "0 issue ca.example.net; %s", cases[i].value);
		add(&set, text);
		if (is_allowed(&set, false, cases[i].method,
		    cases[i].account, seen) != cases[i].is_allowed)
			fail_msg("\"%s\": %s", cases[i].value, seen);
	}
}

static void
sets(void **state)
{
	static const struct {
		const char *records[RECORDS_MAX];
		bool name, wildcard;	/* are allowed */
	} cases[] = {
		{ { "0 issue ca.example.net" }, true, true },
		{ { "0 issue other.example" }, false, false },
		{ { "0 issue other.example", "0 issue ca.example.net" },
		    true, true },
		{ { "0 issue ;", "0 issue ca.example.net" }, true, true },
		{ { "0 issue ca.example.net", "0 issuewild ;" }, true,
		    false },
		{ { "0 issue ;", "0 issuewild ca.example.net" }, false,
		    true },
		{ { "0 issuewild ca.example.net" }, true, true },
		{ { "0 issuewild ;" }, true, false },
		{ { "0 ISSUE ;" }, false, false },
		{ { "0 IssueWild ;" }, true, false },
		{ { "0 iodef mailto:x@example.com" }, true, true },
		{ { "128 iodef mailto:x@example.com" }, true, true },
		{ { "0 issuemail ;" }, true, true },
		{ { "128 issuemail ;" }, true, true },
		{ { "0 tbs Unknown" }, true, true },
		{ { "128 tbs Unknown" }, false, false },
		{ { "255 tbs Unknown" }, false, false },
		{ { "127 tbs Unknown" }, true, true },
		{ { "0 issue ca.example.net", "128 tbs Unknown" }, false,
		    false },
		{ { "128 issue ca.example.net" }, true, true },
		{ { "0 issue ca.example.net", "0 is-sue x" }, false, false },
		{ { "0 issuex ca.example.net" }, true, true }
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct rrset set = { .num = 0 };
		char seen[VALIDATION_SEEN_MAX];

		for (size_t k = 0; k < RECORDS_MAX &&
		    cases[i].records[k] != NULL; k++)
			add(&set, cases[i].records[k]);
		if (is_allowed(&set, false, NULL, NULL, seen) !=
		    cases[i].name)
			fail_msg("%zu, name: %s", i, seen);
		if (is_allowed(&set, true, NULL, NULL, seen) !=
		    cases[i].wildcard)
			fail_msg("%zu, wildcard: %s", i, seen);
	}
}

/* What is no CAA record forbids, whatever stands beside it. */
static void
malformed(void **state)
{
	static const struct {
		const char *octets;
		size_t len;
	} cases[] = {
		{ "", 0 }, { "\0", 1 }, { "\0\0", 2 }, { "\0\0x", 3 },
		{ "\0\5issu", 6 }, { "\0\377issue", 7 }, { "\0\1-", 3 },
		{ "\0\1\0", 3 }, { "\0\2a ", 4 }, { "\0\1\344", 3 }
	};
	struct rrset set;
	char seen[VALIDATION_SEEN_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		set.num = 0;
		add(&set, "0 issue ca.example.net");
		set.records[set.num++] = (struct validation_record){
			(const uint8_t *)cases[i].octets, cases[i].len };
		if (is_allowed(&set, false, NULL, NULL, seen))
			fail_msg("%zu: allowed", i);
	}
}

/* Nobody of ours: nothing that says "issue" allows anything. */
static void
nobody(void **state)
{
	const struct validation_caa_wish wish = { .num_identities = 0 };
	struct rrset set = { .num = 0 };
	char seen[VALIDATION_SEEN_MAX];

	(void)state;
	assert_true(validation_caa_allows(set.records, 0, &wish, seen));
	add(&set, "0 issue ca.example.net");
	assert_false(validation_caa_allows(set.records, 1, &wish, seen));
	assert_string_equal(seen, "CAA 0 issue \"ca.example.net\" names "
	    "others");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values),
		cmocka_unit_test(parameters),
		cmocka_unit_test(sets),
		cmocka_unit_test(malformed),
		cmocka_unit_test(nobody)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
