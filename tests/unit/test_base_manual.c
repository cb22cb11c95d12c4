/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ocsign.conf(5) against the table of sections and keys: nothing is missing,
 * nothing is there that does not exist, the first line of every key says its
 * default, and the example in it is a configuration without errors.
 */
#include "base_test.h"

#include "base/config.h"
#include "base/config_table.h"
#include "base/file.h"
#include "base/limits.h"

#define PAGE_MAX (1024 * 1024)
#define WORD_MAX 64

static const char section_mark[] = ".Ss [";
static const char key_mark[] = ".It Ic ";

/* Where we are in the page. */
struct page {
	char *text, *rest;		/* text is owned */
	char *line;
	const struct oc_config_section *section;	/* NULL: in none */
};

static void
page_open(struct page *p)
{
	const char *top = getenv("top_srcdir");
	struct oc_error error = { OC_OK, "" };
	uint8_t *bytes;
	char *path;
	size_t len;

	*p = (struct page){ .text = NULL };
	assert_true(asprintf(&path, "%s/man/ocsign.conf.5",
	    top != NULL ? top : ".") > 0);
	if (oc_file_read(path, PAGE_MAX, &bytes, &len, &error) != OC_OK)
		fail_msg("%s", error.text);
	free(path);
	p->text = p->rest = (char *)bytes;
}

static void
page_close(struct page *p)
{
	free(p->text);
}

static const struct oc_config_section *
find_section(const char *type, size_t len)
{
	const struct oc_config_section *s;

	for (s = oc_config_sections; s->type != NULL; s++)
		if (strlen(s->type) == len && memcmp(s->type, type, len) == 0)
			return s;
	return NULL;
}

/* ".Ss [token NAME]"; named sections have a name, others do not. */
static void
enter_section(struct page *p)
{
	const char *type = p->line + strlen(section_mark);
	size_t len = strcspn(type, " ]");
	const char *expected;

	p->section = find_section(type, len);
	if (p->section == NULL)
		fail_msg("%s: there is no such section", p->line);
	expected = p->section->item_size != 0 ? " NAME]" : "]";
	assert_string_equal(type + len, expected);
}

/* Keeps track of sections.  False at the end. */
static bool
page_next(struct page *p)
{
	p->line = strsep(&p->rest, "\n");
	if (p->line == NULL)
		return false;
	if (strncmp(p->line, section_mark, strlen(section_mark)) == 0)
		enter_section(p);
	else if (strncmp(p->line, ".Sh ", 4) == 0 ||
	    strncmp(p->line, ".Ss ", 4) == 0)
		p->section = NULL;
	return true;
}

/* NULL when the line is no key of a section. */
static const char *
page_key(const struct page *p)
{
	if (p->section == NULL ||
	    strncmp(p->line, key_mark, strlen(key_mark)) != 0)
		return NULL;
	return p->line + strlen(key_mark);
}

static const struct oc_config_key *
find_key(const struct oc_config_section *section, const char *name)
{
	const struct oc_config_key *k;

	for (k = section->keys; k->name != NULL; k++)
		if (strcmp(k->name, name) == 0)
			return k;
	return NULL;
}

static unsigned int
count_key(const char *type, const char *name)
{
	unsigned int num = 0;
	struct page p;

	page_open(&p);
	while (page_next(&p)) {
		const char *key = page_key(&p);

		if (key != NULL && strcmp(p.section->type, type) == 0 &&
		    strcmp(key, name) == 0)
			num++;
	}
	page_close(&p);
	return num;
}

static void
test_every_key_is_there_once(void **state)
{
	const struct oc_config_section *s;
	const struct oc_config_key *k;
	unsigned int num = 0;

	(void)state;
	for (s = oc_config_sections; s->type != NULL; s++)
		for (k = s->keys; k->name != NULL; k++, num++)
			if (count_key(s->type, k->name) != 1)
				fail_msg("[%s] %s is in ocsign.conf(5) %u "
				    "times", s->type, k->name,
				    count_key(s->type, k->name));
	assert_true(num > 40);
}

static void
test_no_key_is_invented(void **state)
{
	unsigned int num = 0;
	struct page p;

	(void)state;
	page_open(&p);
	for (; page_next(&p); num++) {
		const char *key = page_key(&p);

		if (key != NULL && find_key(p.section, key) == NULL)
			fail_msg("there is no key %s in [%s]", key,
			    p.section->type);
	}
	page_close(&p);
	assert_true(num > 100);
}

/* The page has the paths of a build for /usr, /etc and /var. */
static void
documented(const char *preset, char *text, size_t text_max)
{
	size_t len = strlen(OCSIGN_STATEDIR);

	if (strncmp(preset, OCSIGN_STATEDIR, len) == 0)
		(void)snprintf(text, text_max, ".Pa /var/lib/ocsign%s .",
		    preset + len);
	else if (preset[0] == '/' && preset[1] != '\0')
		(void)snprintf(text, text_max, ".Pa %s .", preset);
	else
		(void)snprintf(text, text_max, ".Ql %s .", preset);
}

/* "Number from 1 to 64; default" and, on the next line, the default; or
 * "; required". */
static void
check_presence(struct page *p, const struct oc_config_key *k)
{
	char expected[128];
	const char *end;

	assert_true(page_next(p));
	/* Another section's name: the words stand on the next line. */
	if (strcmp(p->line, "Name of a") == 0) {
		assert_true(page_next(p));
		assert_true(page_next(p));
	}
	if (k->presence == OC_KEY_REQUIRED) {
		if (strstr(p->line, "; required.") == NULL)
			fail_msg("%s: \"%s\" does not say that it is "
			    "required", k->name, p->line);
		return;
	}
	if (strstr(p->line, "; required.") != NULL)
		fail_msg("%s is not required", k->name);
	if (k->preset == NULL)
		return;
	end = strstr(p->line, "; default");
	if (end == NULL || strcmp(end, "; default") != 0)
		fail_msg("%s: \"%s\" says no default", k->name, p->line);
	assert_true(page_next(p));
	documented(k->preset, expected, sizeof(expected));
	assert_string_equal(p->line, expected);
}

static void
test_defaults(void **state)
{
	unsigned int num = 0;
	struct page p;

	(void)state;
	page_open(&p);
	while (page_next(&p)) {
		const char *key = page_key(&p);

		if (key == NULL)
			continue;
		check_presence(&p, find_key(p.section, key));
		num++;
	}
	page_close(&p);
	assert_true(num > 40);
}

/* "5 y": the largest unit that leaves no rest. */
static void
put_duration(int64_t seconds, char *text, size_t text_max)
{
	static const struct {
		char letter;
		int64_t factor;
	} units[] = { { 'y', 31536000 }, { 'd', 86400 }, { 'h', 3600 },
	    { 'm', 60 }, { 's', 1 } };
	size_t i = 0;

	while (i < 4 && (seconds == 0 || seconds % units[i].factor != 0))
		i++;
	(void)snprintf(text, text_max, "%lld %c",
	    (long long)(seconds / units[i].factor), units[i].letter);
}

static void
put_range(const struct oc_config_key *k, char *text, size_t text_max)
{
	char min[WORD_MAX], max[WORD_MAX];

	if (k->kind == OC_KIND_INT) {
		(void)snprintf(text, text_max, "Number from %lld to %lld;",
		    (long long)k->min, (long long)k->max);
		return;
	}
	put_duration(k->min, min, sizeof(min));
	put_duration(k->max, max, sizeof(max));
	(void)snprintf(text, text_max, "Duration from %s to %s;", min, max);
}

/* "Number from 1 to 64; ...", as the table has it. */
static void
test_ranges(void **state)
{
	unsigned int num = 0;
	struct page p;

	(void)state;
	page_open(&p);
	while (page_next(&p)) {
		const char *key = page_key(&p);
		const struct oc_config_key *k;
		char expected[3 * WORD_MAX];

		if (key == NULL)
			continue;
		k = find_key(p.section, key);
		if (k->kind != OC_KIND_INT && k->kind != OC_KIND_DURATION)
			continue;
		assert_true(page_next(&p));
		put_range(k, expected, sizeof(expected));
		if (strncmp(p.line, expected, strlen(expected)) != 0)
			fail_msg("%s: \"%s\", but it is \"%s\"", key, p.line,
			    expected);
		num++;
	}
	page_close(&p);
	assert_true(num >= 12);
}

/* ".Ql all :", ".Ql certificate crl ocsp ." */
static bool
quotes(const char *line, size_t line_len, const char *word)
{
	static const char mark[] = ".Ql ";
	size_t len = strlen(word), at = strlen(mark), n;

	if (line_len < at || strncmp(line, mark, at) != 0)
		return false;
	for (; at < line_len; at += n + 1) {
		n = strcspn(line + at, " \n");
		if (n == len && memcmp(line + at, word, len) == 0)
			return true;
	}
	return false;
}

/* What follows the key, up to the next one, quotes the word. */
static bool
is_explained(const struct page *p, const char *word)
{
	const char *line = p->rest;

	while (*line != '\0' && strncmp(line, key_mark,
	    strlen(key_mark)) != 0) {
		size_t len = strcspn(line, "\n");

		if (quotes(line, len, word))
			return true;
		line += len + (line[len] == '\n');
	}
	return false;
}

static void
check_words(const struct page *p, const struct oc_config_key *k)
{
	for (const struct oc_config_word *w = k->words; w->word != NULL; w++)
		if (!is_explained(p, w->word))
			fail_msg("%s: \"%s\" is not explained", k->name,
			    w->word);
}

static void
test_words(void **state)
{
	unsigned int num = 0;
	struct page p;

	(void)state;
	page_open(&p);
	while (page_next(&p)) {
		const char *key = page_key(&p);
		const struct oc_config_key *k = key == NULL ? NULL :
		    find_key(p.section, key);

		if (k == NULL || k->words == NULL)
			continue;
		check_words(&p, k);
		num++;
	}
	page_close(&p);
	assert_int_equal(num, 33);
}

static const char *
example_path(void)
{
	static char path[4096];
	const char *top = getenv("top_builddir");

	(void)snprintf(path, sizeof(path), "%s/dist/ocsign.conf.example",
	    top != NULL ? top : ".");
	return path;
}

static void
test_example_loads(void **state)
{
	struct oc_config_errors errors = { .num = 0 };
	struct oc_config *c = NULL;

	(void)state;
	if (oc_config_load(example_path(), &c, &errors) != OC_OK)
		fail_msg("%s", errors.list[0].text);
	assert_int_equal(errors.num_found, 0);
	assert_int_equal(c->num_tokens, 1);
	assert_int_equal(c->num_issuers, 2);
	assert_int_equal(c->num_profiles, 1);
	assert_non_null(oc_config_find_issuer(c, "root"));
	assert_non_null(oc_config_find_profile(c, "internal"));
	assert_string_equal(
	    oc_config_find_ocsp(c, "web")->tokens.words[0], "hsm");
	oc_config_free(c);
}

/* Text of the page that is no configuration must not slip into it. */
static void
test_example_is_the_page(void **state)
{
	struct oc_error error = { OC_OK, "" };
	uint8_t *bytes;
	struct page p;
	size_t len;

	(void)state;
	if (oc_file_read(example_path(), OC_CONFIG_FILE_MAX, &bytes, &len,
	    &error) != OC_OK)
		fail_msg("%s", error.text);
	page_open(&p);
	assert_true(len > 500);
	assert_non_null(strstr(p.text, (char *)bytes));
	page_close(&p);
	free(bytes);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_key_is_there_once),
		cmocka_unit_test(test_no_key_is_invented),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_example_loads),
		cmocka_unit_test(test_example_is_the_page),
	};

	return cmocka_run_group_tests_name("manual", tests, NULL, NULL);
}
