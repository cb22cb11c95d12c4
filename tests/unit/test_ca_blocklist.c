/* SPDX-License-Identifier: Apache-2.0 */
/* Is a key that others have certified for nobody, and a list that is wrong
 * told by its line? */
#include "ca_fixture.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "x509/spki.h"

static void
write_list(const struct ca_fixture *f, const char *text, size_t len,
    char path[320])
{
	FILE *file;

	snprintf(path, 320, "%s/blocked", f->directory);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

static void
assert_list_fails(const struct ca_fixture *f, const char *text, size_t len,
    const char *words)
{
	struct ca_blocklist *list = NULL;
	struct oc_error error = { 0 };
	char path[320];

	write_list(f, text, len, path);
	assert_int_equal(ca_blocklist_load(path, &list, &error),
	    OC_ERR_CONFIG);
	assert_null(list);
	assert_non_null(strstr(error.text, words));
}

#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"

static void
test_blocklist(void **state)
{
	struct ca_fixture *f = *state;
	const struct x509_csr *csr = ca_csr("P-256", "CN=a.example",
	    "subjectAltName", "DNS:a.example", NULL);
	struct ca_certificate certificate = { 0 };
	uint32_t num_before = ca_count(f, 0);
	struct ca_blocklist *list;
	struct oc_error error = { 0 };
	uint8_t hash[32];
	char path[320], hex[65], text[4096] = "";
	bool is_blocked = true;

	assert_int_equal(ca_blocklist_load(NULL, &list, &error), OC_OK);
	assert_int_equal(ca_blocklist_find(list, csr->spki, &is_blocked),
	    OC_OK);
	assert_false(is_blocked);
	ca_blocklist_free(list);
	assert_int_equal(ca_blocklist_find(NULL, csr->spki, &is_blocked),
	    OC_OK);
	assert_list_fails(f, ZEROS "0", 65, "blocked:1:");
	assert_list_fails(f, ZEROS "\n\n#\n " ZEROS "\t# c\r\nxyz\n", 143,
	    "blocked:5:");
	assert_list_fails(f, "0\n", 2, "blocked:1:");
	assert_list_fails(f, ZEROS "\n\0\n", 67, "blocked:2:");
	assert_list_fails(f, "zz" ZEROS, 64, "blocked:1:");
	assert_int_equal(ca_blocklist_load("/nonexistent/list", &list,
	    &error), OC_ERR_NOT_FOUND);
	assert_non_null(strstr(error.text, "blocklist"));
	/* Many, unsorted, ours in the middle, upper case, no line's end. */
	assert_int_equal(x509_spki_hash(csr->spki, hash), OC_OK);
	for (int i = 0; i < 20; i++) {
		uint8_t other[32];

		memset(other, 255 - i * 13, sizeof(other));
		oc_hex_encode(i == 10 ? hash : other, 32, hex);
		for (char *p = hex; i == 10 && *p != '\0'; p++)
			if (*p >= 'a')
				*p = (char)(*p - 'a' + 'A');
		strcat(text, hex);
		if (i != 19)
			strcat(text, " # x\n");
	}
	write_list(f, text, strlen(text), path);
	assert_int_equal(ca_blocklist_load(path, &list, &error), OC_OK);
	assert_int_equal(ca_blocklist_find(list, csr->spki, &is_blocked),
	    OC_OK);
	assert_true(is_blocked);
	assert_int_equal(ca_blocklist_check_key(list, csr->spki, "its key",
	    "mend it", &error), OC_ERR_REFUSED);
	assert_string_equal(error.text, "its key is on the block list: others "
	    "have it; mend it");
	assert_int_equal(ca_blocklist_check_key(list, f->issuer->cert.spki,
	    "its key", "mend it", &error), OC_OK);
	assert_int_equal(ca_blocklist_check_key(NULL, csr->spki, "its key",
	    "mend it", &error), OC_OK);
	f->issuer->blocklist = list;
	assert_int_equal(ca_try(f, "server", csr, &certificate, &error),
	    OC_ERR_REFUSED);
	assert_non_null(strstr(error.text, "block list"));
	assert_int_equal(ca_count(f, 0), num_before);
	f->issuer->blocklist = NULL;
	ca_blocklist_free(list);
}

/* With a key that others have it is known to the store, so that it can revoke;
 * the rest asks first. */
static void
test_issuer_on_the_list(void **state)
{
	struct ca_fixture *f = *state;
	struct oc_error error = { 0 };
	struct ca_blocklist *list;
	char path[320], hex[65];
	struct ca_explanation x = { 0 };
	int64_t id = f->issuer->store_id;

	oc_hex_encode(f->issuer->spki_hash, 32, hex);
	write_list(f, hex, 64, path);
	assert_int_equal(ca_blocklist_load(path, &list, &error), OC_OK);
	assert_int_equal(ca_blocklist_check(list, (struct der_bytes){ NULL,
	    0 }, &error), OC_OK);
	f->issuer->blocklist = list;
	f->issuer->store_id = 0;
	assert_int_equal(ca_issuer_check_blocked(f->issuer, &x, &error),
	    OC_ERR_REFUSED);
	assert_int_equal(x.rule, CA_RULE_ISSUER_BLOCKED);
	assert_string_equal(x.refusal, error.text);
	assert_non_null(strstr(error.text, f->section.name));
	assert_non_null(strstr(error.text, "block list"));
	ca_explanation_fini(&x);
	assert_int_equal(ca_issuer_check_blocked(f->issuer, NULL, &error),
	    OC_ERR_REFUSED);
	assert_int_equal(ca_issuer_register(f->issuer, f->store, &error),
	    OC_OK);
	assert_int_equal(f->issuer->store_id, id);
	f->issuer->blocklist = NULL;
	assert_int_equal(ca_issuer_check_blocked(f->issuer, NULL, &error),
	    OC_OK);
	ca_blocklist_free(list);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_blocklist, ca_setup,
		    ca_teardown),
		cmocka_unit_test_setup_teardown(test_issuer_on_the_list,
		    ca_setup, ca_teardown)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
