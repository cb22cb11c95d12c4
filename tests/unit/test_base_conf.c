/* SPDX-License-Identifier: Apache-2.0 */
/* The syntax of ocsign.conf. */
#include "base_test.h"

#include <sys/stat.h>

#include "base/conf.h"
#include "base/limits.h"

static void
test_good(void **state)
{
	struct oc_config_errors errors = { .num = 0 };
	struct oc_conf *conf = NULL;
	struct oc_conf_section *s;

	(void)state;
	base_test_put_text("f",
	    "\xef\xbb\xbf# a comment\n"
	    "; another = one\n"
	    "\n"
	    "[store]\r\n"
	    "path = /x\r\n"
	    "  [ token   soft_1.A-z ]  \n"
	    "\turi\t=\tpkcs11:token=x;object=y?a=b&c:d \n"
	    "  name=va[l]ue = \"with  blanks\" \xc3\xa4;x#y\n"
	    "[token]\n"
	    "a-1=b");
	if (oc_conf_read("f", &conf, &errors) != OC_OK)
		fail_msg("%s", errors.list[0].text);
	assert_int_equal(errors.num_found, 0);
	assert_int_equal(conf->num_sections, 3);
	s = conf->sections;
	assert_string_equal(s[0].type, "store");
	assert_null(s[0].name);
	assert_string_equal(s[0].file, "f");
	assert_int_equal(s[0].line, 4);
	assert_int_equal(s[0].num_keys, 1);
	assert_string_equal(s[0].keys[0].value, "/x");
	assert_string_equal(s[1].type, "token");
	assert_string_equal(s[1].name, "soft_1.A-z");
	assert_int_equal(s[1].num_keys, 2);
	assert_string_equal(s[1].keys[0].key, "uri");
	assert_string_equal(s[1].keys[0].value,
	    "pkcs11:token=x;object=y?a=b&c:d");
	assert_int_equal(s[1].keys[0].line, 7);
	assert_string_equal(s[1].keys[1].value,
	    "va[l]ue = \"with  blanks\" \xc3\xa4;x#y");
	assert_string_equal(s[2].keys[0].key, "a-1");
	assert_string_equal(s[2].keys[0].value, "b");
	assert_int_equal(s[2].keys[0].line, 10);
	oc_conf_free(conf);
	oc_conf_free(NULL);
}

#define TEXT(s) .text = s, .len = sizeof(s) - 1

static const struct {
	const char *text;
	size_t len;
	const char *error;	/* the first */
	size_t num;
} bad[] = {
	{ TEXT("a = b\n"), "f:1: a: stands before the first section; move it "
	    "into one", 1 },
	{ TEXT("[x]\na = b\na = c\n"),
	    "f:3: [x] a: is also on line 2; remove one of them", 1 },
	{ TEXT("[x y]\na = b\n[z]\n[x y]\na = c\n"),
	    "f:4: [x y] is also at f:1; join the two", 1 },
	{ TEXT("[x]\na = b\n[x]\n"), "f:3: [x] is also at f:1; join the two",
	    1 },
	{ TEXT("[x]\nnothing\n"), "f:2: [x] nothing: there is no '=' behind "
	    "the key; write key = value", 1 },
	{ TEXT("[x]\nuri: pkcs11\n"), "f:2: [x] uri:: there is no '=' behind "
	    "the key; write key = value", 1 },
	{ TEXT("[x]\ntwo words = y\n"), "f:2: [x] two: there is no '=' behind "
	    "the key; write key = value", 1 },
	{ TEXT("[x]\n= y\n"), "f:2: [x]: not a key; keys are lower-case "
	    "letters, digits and '-'", 1 },
	{ TEXT("[x]\nKey = y\n"), "f:2: [x] Key: not a key; keys are "
	    "lower-case letters, digits and '-'", 1 },
	{ TEXT("[x]\nk_y = y\n"), "f:2: [x] k_y: not a key; keys are "
	    "lower-case letters, digits and '-'", 1 },
	{ TEXT("[x]\nk =\n"), "f:2: [x] k: has no value; give it one or "
	    "remove the line", 1 },
	{ TEXT("[x]\nk =  \t \n"), "f:2: [x] k: has no value; give it one or "
	    "remove the line", 1 },
	{ TEXT("[x y]\nk = a ; b\n"), "f:2: [x y] k: a comment behind a "
	    "value; put it on a line of its own", 1 },
	{ TEXT("[x]\nk = a\t# b\n"), "f:2: [x] k: a comment behind a value; "
	    "put it on a line of its own", 1 },
	{ TEXT("[x]\nk = #b\n"), "f:2: [x] k: a comment behind a value; "
	    "put it on a line of its own", 1 },
	{ TEXT("[x\nk = v\n"), "f:1: the section has no ']' at the end of "
	    "the line; write [type] or [type NAME]", 1 },
	{ TEXT("[x] # comment\n"), "f:1: the section has no ']' at the end "
	    "of the line; write [type] or [type NAME]", 1 },
	{ TEXT("[]\nk = v\n"), "f:1: not a section; write [type] or "
	    "[type NAME]", 1 },
	{ TEXT("[ ]\n"), "f:1: not a section; write [type] or [type NAME]",
	    1 },
	{ TEXT("[X]\n"), "f:1: not a section; write [type] or [type NAME]",
	    1 },
	{ TEXT("[x.y]\n"), "f:1: not a section; write [type] or [type NAME]",
	    1 },
	{ TEXT("[abcdefghijklmnopqrstuvwxyzabcdefg]\n"),
	    "f:1: not a section; write [type] or [type NAME]", 1 },
	{ TEXT("[x y z]\n"), "f:1: not a section name; use 1 to 64 letters, "
	    "digits, '.', '_' and '-'", 1 },
	{ TEXT("[x y/z]\n"), "f:1: not a section name; use 1 to 64 letters, "
	    "digits, '.', '_' and '-'", 1 },
	{ TEXT("[x 01234567890123456789012345678901234567890123456789"
	    "012345678901234]\n"), "f:1: not a section name; use 1 to 64 "
	    "letters, digits, '.', '_' and '-'", 1 },
	{ TEXT("[x]\na = \0b\n"), "f:2: a NUL byte; this is no text file",
	    1 },
	{ TEXT("[x]\n\na = \x1b[1m\n"), "f:3: a control character; remove it",
	    1 },
	{ TEXT("[x]\na = \x7f\n"), "f:2: a control character; remove it", 1 },
	{ TEXT("[x]\n\n# caf\xe9\na = b\n"),
	    "f:3: not UTF-8; save the file as UTF-8", 1 },
	{ TEXT("[x]\na = \xc3"), "f:2: not UTF-8; save the file as UTF-8", 1 },
	/* Going on: three of them. */
	{ TEXT("[x]\nA = 1\nb\nc = 1\nc = 2\n"), "f:2: [x] A: not a key; "
	    "keys are lower-case letters, digits and '-'", 3 },
};

static void
test_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct oc_config_errors errors = { .num = 0 };
		struct oc_conf *conf = NULL;
		enum oc_err err;

		base_test_put("f", bad[i].text, bad[i].len);
		err = oc_conf_read("f", &conf, &errors);
		if (err != OC_ERR_CONFIG)
			fail_msg("number %zu: %s", i, oc_strerror(err));
		assert_null(conf);
		assert_string_equal(errors.list[0].text, bad[i].error);
		assert_int_equal(errors.num_found, bad[i].num);
		assert_int_equal(errors.list[0].code, OC_ERR_CONFIG);
	}
}

/* "[x]", then a line of len bytes. */
static void
put_long_line(size_t len)
{
	FILE *f = fopen("f", "w");

	assert_non_null(f);
	fputs("[x]\nk = ", f);
	for (size_t i = 4; i < len; i++)
		fputc('v', f);
	fputs("\nl = 1\n", f);
	assert_int_equal(fclose(f), 0);
}

static void
test_long_lines(void **state)
{
	static const size_t lens[] = { 195, 196, 197, 198, 199, 200, 201,
		4094, 4095, 4096 };
	struct oc_config_errors errors = { .num = 0 };
	struct oc_conf *conf;

	(void)state;
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
#if !HAVE_DECL_INI_MAX_LINE
		if (lens[i] > 197)
			break;
#endif
		put_long_line(lens[i]);
		if (oc_conf_read("f", &conf, &errors) != OC_OK)
			fail_msg("%zu: %s", lens[i], errors.list[0].text);
		assert_int_equal(strlen(conf->sections[0].keys[0].value),
		    lens[i] - 4);
		assert_int_equal(conf->sections[0].keys[1].line, 3);
		oc_conf_free(conf);
	}
	put_long_line(4097);
	assert_int_equal(oc_conf_read("f", &conf, &errors), OC_ERR_CONFIG);
	assert_string_equal(errors.list[0].text,
	    "f:2: [x]: the line is longer than 4096 bytes; shorten it");
}

static void
test_limits(void **state)
{
	struct oc_config_errors errors = { .num = 0 };
	struct oc_conf *conf;
	FILE *f;

	(void)state;
	f = fopen("f", "w");
	assert_non_null(f);
	fputs("[x]\n", f);
	for (int i = 0; i < 100; i++)
		fprintf(f, "k%d = v\n", i);
	fclose(f);
	assert_int_equal(oc_conf_read("f", &conf, &errors), OC_ERR_CONFIG);
	assert_string_equal(errors.list[0].text,
	    "f:66: [x] k64: too many keys; 64 is the limit");
	assert_int_equal(errors.num_found, 1);

	f = fopen("f", "w");
	assert_non_null(f);
	for (int i = 0; i < OC_CONFIG_FILE_MAX / 16 + 1; i++)
		fputs("# 3456789 12345\n", f);
	fclose(f);
	errors = (struct oc_config_errors){ .num = 0 };
	assert_int_equal(oc_conf_read("f", &conf, &errors), OC_ERR_CONFIG);
	assert_string_equal(errors.list[0].text,
	    "f: the configuration is larger than 1048576 bytes in all");

	f = fopen("f", "w");
	assert_non_null(f);
	for (int i = 0; i < 5000; i++)
		fprintf(f, "[x n%d]\n", i);
	fclose(f);
	errors = (struct oc_config_errors){ .num = 0 };
	assert_int_equal(oc_conf_read("f", &conf, &errors), OC_ERR_CONFIG);
	assert_string_equal(errors.list[0].text,
	    "f:4097: too many sections; 4096 is the limit");
}

/* The first twenty are kept, all are counted. */
static void
test_many_errors(void **state)
{
	struct oc_config_errors errors = { .num = 0 };
	struct oc_conf *conf;
	char expected[128];
	FILE *f;

	(void)state;
	f = fopen("f", "w");
	assert_non_null(f);
	fputs("[x]\n", f);
	for (int i = 0; i < 300; i++)
		fprintf(f, "k%d\n", i);
	fclose(f);
	assert_int_equal(oc_conf_read("f", &conf, &errors), OC_ERR_CONFIG);
	assert_int_equal(errors.num, OC_CONFIG_ERRORS_MAX);
	assert_int_equal(errors.num_found, 300);
	for (int i = 0; i < OC_CONFIG_ERRORS_MAX; i++) {
		snprintf(expected, sizeof(expected), "f:%d: [x] k%d: there is "
		    "no '=' behind the key; write key = value", i + 2, i);
		assert_string_equal(errors.list[i].text, expected);
	}
}

static void
test_directory(void **state)
{
	struct oc_config_errors errors = { .num = 0 };
	struct oc_conf *conf;

	(void)state;
	base_test_put_text("f", "[a]\nk = 1\n");
	assert_int_equal(mkdir("f.d", 0700), 0);
	assert_int_equal(oc_conf_read("f", &conf, &errors), OC_OK);
	assert_int_equal(conf->num_files, 1);
	oc_conf_free(conf);
	base_test_put_text("f.d/20.conf", "[c]\nk = 3\n");
	base_test_put_text("f.d/10.conf", "[b]\nk = 2\n");
	base_test_put_text("f.d/B.conf", "[d]\n");
	base_test_put_text("f.d/a.conf", "[e]\n");
	/* Not these. */
	base_test_put_text("f.d/30.conf~", "[a]\n");
	base_test_put_text("f.d/.conf", "[a]\n");
	base_test_put_text("f.d/.x.conf", "[a]\n");
	base_test_put_text("f.d/README", "[a]\n");
	assert_int_equal(oc_conf_read("f", &conf, &errors), OC_OK);
	assert_int_equal(conf->num_files, 5);
	assert_string_equal(conf->files[1], "f.d/10.conf");
	assert_string_equal(conf->files[4], "f.d/a.conf");
	assert_int_equal(conf->num_sections, 5);
	assert_string_equal(conf->sections[1].type, "b");
	assert_string_equal(conf->sections[1].file, "f.d/10.conf");
	assert_int_equal(conf->sections[1].line, 1);
	assert_string_equal(conf->sections[3].type, "d");
	oc_conf_free(conf);

	/* A section does not go on in the next file. */
	base_test_put_text("f.d/10.conf", "k = 2\n");
	base_test_put_text("f.d/20.conf", "\n[a]\nk = 3\n");
	assert_int_equal(oc_conf_read("f", &conf, &errors), OC_ERR_CONFIG);
	assert_int_equal(errors.num_found, 2);
	assert_string_equal(errors.list[0].text, "f.d/10.conf:1: k: stands "
	    "before the first section; move it into one");
	assert_string_equal(errors.list[1].text,
	    "f.d/20.conf:2: [a] is also at f:1; join the two");
}

static void
test_unreadable(void **state)
{
	struct oc_config_errors errors = { .num = 0 };
	struct oc_conf *conf = NULL;

	(void)state;
	assert_int_equal(oc_conf_read("none", &conf, &errors),
	    OC_ERR_NOT_FOUND);
	assert_string_equal(errors.list[0].text,
	    "cannot open none: No such file or directory");
	errors.num = errors.num_found = 0;
	assert_int_equal(mkdir("d", 0700), 0);
	assert_int_equal(oc_conf_read("d", &conf, &errors), OC_ERR_REFUSED);
	errors.num = errors.num_found = 0;
	base_test_put_text("f", "[a]\n");
	base_test_put_text("f.d", "not a directory");
	assert_int_equal(oc_conf_read("f", &conf, &errors), OC_ERR_SYSTEM);
	assert_string_equal(errors.list[0].text,
	    "f.d: cannot read the directory: Not a directory");
	assert_null(conf);
}

#define CONF_TEST(fn) \
	cmocka_unit_test_setup_teardown(fn, base_test_enter, base_test_leave)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CONF_TEST(test_good),
		CONF_TEST(test_bad),
		CONF_TEST(test_long_lines),
		CONF_TEST(test_limits),
		CONF_TEST(test_many_errors),
		CONF_TEST(test_directory),
		CONF_TEST(test_unreadable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
