/* SPDX-License-Identifier: Apache-2.0 */
/* The line that CFSSL's commands print, and what cfssljson makes of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "cfssl/json.h"
#include "cfssl/key.h"
#include "cfssl/result.h"

static void
test_line(void **state)
{
	struct cfssl_result result = { .csr = "-\nA/+=\n-\n",
	    .key = "k\n" };
	char *line;

	(void)state;
	assert_int_equal(cfssl_result_line(&result, &line, NULL), OC_OK);
	assert_string_equal(line,
	    "{\"csr\":\"-\\nA/+=\\n-\\n\",\"key\":\"k\\n\"}\n");
	cfssl_pem_free(line);
	result.cert = "c";
	assert_int_equal(cfssl_result_line(&result, &line, NULL), OC_OK);
	assert_string_equal(line, "{\"cert\":\"c\","
	    "\"csr\":\"-\\nA/+=\\n-\\n\",\"key\":\"k\\n\"}\n");
	cfssl_pem_free(line);
}

static struct cfssl_parts
take(const char *text, enum cfssl_wrapping wrapping)
{
	struct cfssl_parts parts = { .num_parts = 0 };
	struct oc_error error = { 0 };

	if (cfssl_parts_read("f", (const uint8_t *)text, strlen(text),
	    wrapping, &parts, &error) != OC_OK)
		fail_msg("%s: %s", text, error.text);
	return parts;
}

static void
assert_part(const struct cfssl_parts *parts, size_t i, const char *suffix,
    mode_t mode, const char *bytes)
{
	assert_true(i < parts->num_parts);
	assert_string_equal(parts->parts[i].suffix, suffix);
	assert_int_equal(parts->parts[i].mode, mode);
	assert_int_equal(parts->parts[i].len, strlen(bytes));
	assert_memory_equal(parts->parts[i].bytes, bytes, strlen(bytes));
}

static void
test_parts(void **state)
{
	struct cfssl_parts p = take("{\"ocspResponse\":\"aGFsbG8=\","
	    "\"bundle\":\"b\",\"csr\":\"r\",\"encrypted_key\":\"e\","
	    "\"key\":\"k\",\"cert\":\"c\",\"sums\":{}}", CFSSL_BARE);

	(void)state;
	assert_int_equal(p.num_parts, 6);
	assert_part(&p, 0, ".pem", 0664, "c");
	assert_part(&p, 1, "-key.pem", 0600, "k");
	assert_part(&p, 2, "-key.enc", 0600, "e");
	assert_true(p.parts[2].is_binary);
	assert_part(&p, 3, ".csr", 0644, "r");
	assert_false(p.parts[3].is_binary);
	assert_part(&p, 4, "-bundle.pem", 0644, "b");
	assert_part(&p, 5, "-response.der", 0644, "hallo");
	assert_true(p.parts[5].is_binary);
	cfssl_parts_fini(&p);
	assert_int_equal(p.num_parts, 0);

	/* The API's names; of two the first. */
	p = take("{\"certificate\":\"c\",\"private_key\":\"k\","
	    "\"certificate_request\":\"r\",\"cert\":\"\"}", CFSSL_BARE);
	assert_int_equal(p.num_parts, 2);
	assert_part(&p, 0, "-key.pem", 0600, "k");
	assert_part(&p, 1, ".csr", 0644, "r");
	cfssl_parts_fini(&p);

	p = take("{\"success\":true,\"errors\":[],\"messages\":[],"
	    "\"result\":{\"certificate\":\"c\"}}", CFSSL_ENVELOPE);
	assert_int_equal(p.num_parts, 1);
	assert_part(&p, 0, ".pem", 0664, "c");
	cfssl_parts_fini(&p);

	p = take("{\"result\":{\"bundle\":{\"bundle\":\"b\",\"root\":"
	    "\"r\"}}}", CFSSL_BARE);
	assert_int_equal(p.num_parts, 2);
	assert_part(&p, 0, "-bundle.pem", 0644, "b\nr");
	assert_part(&p, 1, "-root.pem", 0644, "r");
	cfssl_parts_fini(&p);
}

static void
assert_bad(const char *text, enum cfssl_wrapping wrapping, const char *want)
{
	struct cfssl_parts parts = { .num_parts = 0 };
	struct oc_error error = { 0 };

	if (cfssl_parts_read("f", (const uint8_t *)text, strlen(text),
	    wrapping, &parts, &error) == OC_OK)
		fail_msg("taken: %s", text);
	assert_int_equal(parts.num_parts, 0);
	if (strstr(error.text, want) == NULL)
		fail_msg("%s: \"%s\" has no \"%s\"", text, error.text, want);
	/* Not a letter of what may be a key. */
	assert_null(strstr(error.text, "SECRET"));
}

static void
test_bad(void **state)
{
	(void)state;
	assert_bad("", CFSSL_BARE, "f: line 1");
	assert_bad("SECRET", CFSSL_BARE, "f: line 1");
	assert_bad("{\"key\":\"SECRET\"", CFSSL_BARE, "f: line 1");
	assert_bad("{\"key\":\"x\",\"key\":\"SECRET\"}", CFSSL_BARE,
	    "f: line 1");
	assert_bad("{\"key\" \"SECRET\"}", CFSSL_BARE, "f: line 1");
	assert_bad("\"SECRET\"", CFSSL_BARE, "f: line 1");
	assert_bad("[\"SECRET\"]", CFSSL_BARE, "not a JSON object");
	assert_bad("{\"key\":[\"SECRET\"]}", CFSSL_BARE, "f: key: must be");
	assert_bad("{\"key\":\"SECRET\",\"cert\":3}", CFSSL_BARE,
	    "f: cert: must be");
	assert_bad("{\"ocspResponse\":\"SECRET?\"}", CFSSL_BARE,
	    "ocspResponse: is no base64");
	assert_bad("{\"bundle\":7}", CFSSL_BARE, "bundle: must be");
	assert_bad("{\"bundle\":{\"root\":\"r\"}}", CFSSL_BARE,
	    "bundle: must be");
	assert_bad("{}", CFSSL_BARE, "nothing to write");
	assert_bad("{\"success\":true,\"result\":{\"cert\":\"c\"}}",
	    CFSSL_BARE, "leave -bare out");
	assert_bad("{\"cert\":\"c\"}", CFSSL_ENVELOPE, "with -bare");
	assert_bad("{\"success\":true,\"result\":null}", CFSSL_ENVELOPE,
	    "no \"result\"");
	assert_bad("{\"success\":false,\"errors\":[{\"code\":1,\"message\":"
	    "\"no such profile\"}]}", CFSSL_ENVELOPE,
	    "f: the request failed: no such profile");
}

/* Whole documents pass through memory that is overwritten. */
static void
test_cleansed(void **state)
{
	struct cfssl_parts p;

	(void)state;
	cfssl_json_cleanse();
	p = take("{\"key\":\"k\"}", CFSSL_BARE);
	assert_part(&p, 0, "-key.pem", 0600, "k");
	cfssl_parts_fini(&p);
	json_set_alloc_funcs(malloc, free);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_line),
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_cleansed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
