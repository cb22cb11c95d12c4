/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ocsign-lint(7) against the tables: each of the checks has a section, in
 * their order, and in it exactly the rules that there are, as they are, and
 * where else it is made; what is said to be made elsewhere is there, and so is
 * the test that is said to prove it; the exemptions are those of ca/.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "ca/exempt.h"
#include "lint/lint.h"

static char *
read_source(const char *name)
{
	const char *top = getenv("top_srcdir");
	struct oc_error error = { 0 };
	uint8_t *text;
	char *path;
	size_t len;

	assert_true(asprintf(&path, "%s/%s", top == NULL ? "." : top,
	    name) > 0);
	if (oc_file_read(path, 4 * 1024 * 1024, &text, &len, &error) != OC_OK)
		fail_msg("%s", error.text);
	free(path);
	return (char *)text;
}

/* The section of a check, from its ".Ss N. " to the next one; for free(). */
static char *
section_of(const char *page, unsigned int check)
{
	char mark[32];
	const char *from, *to;

	(void)snprintf(mark, sizeof(mark), "\n.Ss %u. ", check);
	from = strstr(page, mark);
	if (from == NULL)
		fail_msg("ocsign-lint.7 has no section \"%u. ...\"", check);
	from++;
	to = strstr(from, "\n.S");
	assert_non_null(to);
	return strndup(from, (size_t)(to - from) + 1);
}

/* Lines of text in one, as they were before they were broken. */
static void
unfold(char *text)
{
	char *p;

	for (p = text; *p != '\0'; p++)
		if (*p == '\n' && p[1] != '.' && p[1] != '\0')
			*p = ' ';
}

static void
each_rule_is_in_its_section(void **state)
{
	char *page = read_source("man/ocsign-lint.7"), *section;
	char kinds[LINT_KINDS_TEXT_MAX], want[512];
	const struct lint_rule *rule;
	size_t i;

	(void)state;
	for (i = 0; (rule = lint_rule_at(i)) != NULL; i++) {
#ifndef HAVE_LIBPSL
		/* The manual tells of builds that have it. */
		if (strstr(rule->name, "left_of_public_suffix") != NULL)
			continue;
#endif
		section = section_of(page, rule->check);
		unfold(section);
		(void)snprintf(want, sizeof(want), ".It Ic %s %s, %s. %s: "
		    "%s.\n", rule->name, rule->audience == LINT_PUBLIC ?
		    "public" : lint_severity_name(rule->severity),
		    lint_rule_kinds(rule, kinds), rule->citation,
		    rule->about);
		if (strstr(section, want) == NULL)
			fail_msg("section %u should have: %s, and is: %s",
			    rule->check, want, section);
		free(section);
	}
	free(page);
}

static void
each_section_has_something(void **state)
{
	char *page = read_source("man/ocsign-lint.7"), *section;
	unsigned int check;

	(void)state;
	for (check = 1; check <= LINT_CHECKS_MAX; check++) {
		section = section_of(page, check);
		if (strstr(section, "\n.It ") == NULL)
			fail_msg("check %u has neither rule nor place",
			    check);
		free(section);
	}
	free(page);
}

static bool
is_rule(const char *name, size_t len)
{
	const struct lint_rule *rule;
	size_t i;

	for (i = 0; (rule = lint_rule_at(i)) != NULL; i++)
		if (strlen(rule->name) == len &&
		    memcmp(rule->name, name, len) == 0)
			return true;
	return false;
}

static void
no_other_rules_are_told(void **state)
{
	static const char mark[] = "\n.It Ic ";
	char *page = read_source("man/ocsign-lint.7");
	const char *p = page;
	size_t len, num = 0;

	(void)state;
	while ((p = strstr(p, mark)) != NULL) {
		p += strlen(mark);
		len = strcspn(p, "\n");
		if (!is_rule(p, len))
			fail_msg("there is no rule %.*s", (int)len, p);
		num++;
	}
	assert_true(num > 200);
	free(page);
}

/* "src/ca/plan.c: plan_key" is a function in that file: at the beginning of
 * a line, with a bracket behind it. */
static void
assert_function(const char *where)
{
	char path[128], name[128], *file, *at;
	const char *colon = strchr(where, ':');

	assert_non_null(colon);
	(void)snprintf(path, sizeof(path), "%.*s", (int)(colon - where),
	    where);
	(void)snprintf(name, sizeof(name), "\n%s(", colon + 2);
	file = read_source(path);
	at = strstr(file, name);
	if (at == NULL)
		fail_msg("there is no %s() in %s", colon + 2, path);
	free(file);
}

static void
elsewhere_is_there(void **state)
{
	char *page = read_source("man/ocsign-lint.7"), *section, want[512];
	const struct lint_elsewhere *e;

	(void)state;
	for (e = lint_elsewhere; e->check != 0; e++) {
		const char *where = strchr(e->where, ':') + 2;
		const char *test = strchr(e->test, ':') + 2;

		assert_function(e->where);
		assert_function(e->test);
		section = section_of(page, e->check);
		(void)snprintf(want, sizeof(want),
		    "\n.It Pa %.*s Fn %s\n.Pa %.*s\n.Fn %s\n",
		    (int)(where - e->where - 2), e->where, where,
		    (int)(test - e->test - 2), e->test, test);
		if (strstr(section, want) == NULL)
			fail_msg("section %u should have: %s", e->check,
			    want);
		free(section);
	}
	free(page);
}

/* ".It Cm server", then names up to the full stop. */
static void
exemptions_are_told(void **state)
{
	static const char *const profiles[] = { "root", "intermediate",
	    "server", "client", "ocsp-signer", "origin-rsa", "origin-ecc" };
	char *page = read_source("man/ocsign-lint.7"), mark[64];
	const struct lint_rule *rule;
	size_t i, j;

	(void)state;
	for (i = 0; i < sizeof(profiles) / sizeof(profiles[0]); i++) {
		struct lint_set told = { { 0 } }, set;
		struct oc_error error = { 0 };
		const char *p;

		(void)snprintf(mark, sizeof(mark), "\n.It Cm %s\n",
		    profiles[i]);
		p = strstr(page, mark);
		if (p == NULL)
			fail_msg("ocsign-lint.7 has no \"%s\"", mark + 1);
		for (p += strlen(mark); p[-1] != '.' && *p != '.'; ) {
			char name[128];
			size_t len = strcspn(p, ",.\n");

			(void)snprintf(name, sizeof(name), "%.*s", (int)len,
			    p);
			if (lint_set_add(&told, name, &error) != OC_OK)
				fail_msg("%s", error.text);
			p += len + 2;
		}
		ca_exempt_builtin(profiles[i], &set);
		for (j = 0; (rule = lint_rule_at(j)) != NULL; j++)
			if (lint_set_has(&told, rule) !=
			    lint_set_has(&set, rule))
				fail_msg("%s: %s is %sexempt, the manual says "
				    "otherwise", profiles[i], rule->name,
				    lint_set_has(&set, rule) ? "" : "not ");
	}
	free(page);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_rule_is_in_its_section),
		cmocka_unit_test(each_section_has_something),
		cmocka_unit_test(no_other_rules_are_told),
		cmocka_unit_test(elsewhere_is_there),
		cmocka_unit_test(exemptions_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
