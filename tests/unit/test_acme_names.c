/* SPDX-License-Identifier: Apache-2.0 */
/* Are an order's names, contacts and times read as they must be? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "acme/contact.h"
#include "acme/instant.h"
#include "acme/names.h"
#include "x509/name.h"

static struct ca_names *
names_new(void)
{
	struct ca_names *names = calloc(1, sizeof(*names));

	assert_non_null(names);
	return names;
}

/* Of a JSON text; the names as they are kept, or the error's name. */
static char *
read_names(const char *identifiers)
{
	json_t *json = json_loads(identifiers, 0, NULL);
	struct ca_names *names = names_new();
	struct acme_problem problem = { .error = ACME_OK };
	char *text;

	assert_non_null(json);
	if (acme_names_read(json, names, &problem) == OC_OK)
		text = acme_names_format(names);
	else
		text = strdup(acme_error_name(problem.error));
	acme_problem_fini(&problem);
	json_decref(json);
	free(names);
	return text;
}

static void
expect_names(const char *identifiers, const char *expected)
{
	char *text = read_names(identifiers);

	assert_string_equal(text, expected);
	free(text);
}

#define DNS(name) "{\"type\":\"dns\",\"value\":\"" name "\"}"

/* RFC8555:7.1.3 RFC8555:7.4 */
static void
test_read(void **state)
{
	(void)state;
	expect_names("[" DNS("a.example") "]", "[\"a.example\"]");
	expect_names("[" DNS("A.Example") "," DNS("a.example") ","
	    DNS("*.a.example") "]", "[\"a.example\",\"*.a.example\"]");
	expect_names("[" DNS("b\\u00fccher.example") "]",
	    "[\"xn--bcher-kva.example\"]");
	expect_names("[]", "malformed");
	expect_names("{}", "malformed");
	expect_names("[\"a.example\"]", "malformed");
	expect_names("[{\"type\":\"dns\"}]", "malformed");
	expect_names("[{\"type\":\"dns\",\"value\":7}]", "malformed");
	expect_names("[{\"value\":\"a.example\"}]", "malformed");
	expect_names("[{\"type\":\"ip\",\"value\":\"192.0.2.1\"}]",
	    "unsupportedIdentifier");
	expect_names("[" DNS("192.0.2.1") "]", "unsupportedIdentifier");
	expect_names("[" DNS("*.*.example") "]", "rejectedIdentifier");
	expect_names("[" DNS("a_b.example") "]", "rejectedIdentifier");
	expect_names("[" DNS("a.example.") "]", "rejectedIdentifier");
	expect_names("[" DNS("") "]", "rejectedIdentifier");
}

/* RFC8555:6.7.1: which of several is wrong. */
static void
test_subproblems(void **state)
{
	json_t *json = json_loads("[" DNS("a.example") "," DNS("a_b.example")
	    "," DNS("192.0.2.1") "]", 0, NULL);
	struct ca_names *names = names_new();
	struct acme_problem problem = { .error = ACME_OK };

	(void)state;
	assert_int_not_equal(acme_names_read(json, names, &problem), OC_OK);
	assert_int_equal(json_array_size(problem.subproblems), 2);
	assert_string_equal(json_string_value(json_object_get(
	    json_object_get(json_array_get(problem.subproblems, 1),
	    "identifier"), "value")), "192.0.2.1");
	acme_problem_fini(&problem);
	json_decref(json);
	free(names);
}

static void
test_too_many(void **state)
{
	struct ca_names *names = names_new();
	struct acme_problem problem = { .error = ACME_OK };
	json_t *json = json_array();

	(void)state;
	for (int i = 0; i <= X509_SANS_MAX; i++)
		json_array_append_new(json, json_pack("{s:s, s:o}", "type",
		    "dns", "value", json_sprintf("n%d.example", i)));
	assert_int_not_equal(acme_names_read(json, names, &problem), OC_OK);
	assert_int_equal(problem.error, ACME_REJECTED_IDENTIFIER);
	acme_problem_fini(&problem);
	json_decref(json);
	free(names);
}

/* A round through the records; one of them without its "*.". */
static void
test_kept(void **state)
{
	struct ca_names *names = names_new();
	struct acme_name one;
	char *text;

	(void)state;
	assert_int_equal(acme_names_parse("[\"a.example\",\"*.b.example\"]",
	    names), OC_OK);
	assert_int_equal(names->num_sans, 2);
	acme_names_get(names, 0, &one);
	assert_string_equal(one.text, "a.example");
	assert_false(one.is_wildcard);
	acme_names_get(names, 1, &one);
	assert_string_equal(one.text, "b.example");
	assert_true(one.is_wildcard);
	text = acme_names_format(names);
	assert_string_equal(text, "[\"a.example\",\"*.b.example\"]");
	free(text);
	memset(names, 0, sizeof(*names));
	assert_int_equal(acme_names_parse("[7]", names), OC_ERR_MALFORMED);
	assert_int_equal(acme_names_parse("x", names), OC_ERR_MALFORMED);
	assert_int_equal(acme_names_parse(NULL, names), OC_ERR_MALFORMED);
	free(names);
}

/* --- CSRs --------------------------------------------------------------- */

/* A CSR with this subject and these names, held against a.example and
 * b.example: ACME_OK, or what is wrong with it. */
static enum acme_error
compare(const char *subject, const char *const *sans,
    enum x509_san_kind kind)
{
	struct x509_csr *csr = calloc(1, sizeof(*csr));
	struct ca_names *wanted = names_new(), *found = names_new();
	struct acme_problem problem = { .error = ACME_OK };
	uint8_t name[OC_NAME_MAX];
	enum acme_error error;
	enum oc_err err;

	assert_non_null(csr);
	assert_int_equal(acme_names_parse("[\"a.example\",\"b.example\"]",
	    wanted), OC_OK);
	assert_int_equal(x509_name_parse(subject, name, sizeof(name),
	    &csr->subject.len, NULL), OC_OK);
	csr->subject.p = name;
	for (; sans != NULL && *sans != NULL; sans++) {
		struct x509_san *san = &csr->extensions.sans[
		    csr->extensions.num_sans++];

		csr->has_extensions = true;
		san->kind = kind;
		san->value = (struct der_bytes){ (const uint8_t *)*sans,
		    strlen(*sans) };
	}
	err = acme_names_of_csr(csr, found, &problem);
	if (err == OC_OK)
		err = acme_names_compare(wanted, found, &problem);
	assert_int_equal(err == OC_OK, problem.error == ACME_OK);
	error = problem.error;
	acme_problem_fini(&problem);
	free(wanted);
	free(found);
	free(csr);
	return error;
}

/* RFC8555:7.4: the same set, whatever the order and case. */
static void
test_csr(void **state)
{
	static const char *const both[] = { "B.Example", "a.example", NULL };
	static const char *const one[] = { "a.example", NULL };
	static const char *const more[] = { "a.example", "b.example",
	    "c.example", NULL };
	static const char *const wild[] = { "a.example", "*.b.example",
	    NULL };

	(void)state;
	assert_int_equal(compare("/O=x", both, X509_SAN_DNS), ACME_OK);
	assert_int_equal(compare("/CN=a.example", both, X509_SAN_DNS),
	    ACME_OK);
	assert_int_equal(compare("/CN=A.EXAMPLE", both, X509_SAN_DNS),
	    ACME_OK);
	assert_int_equal(compare("/CN=c.example", both, X509_SAN_DNS),
	    ACME_BAD_CSR);
	assert_int_equal(compare("/CN=b.example", one, X509_SAN_DNS),
	    ACME_BAD_CSR);
	assert_int_equal(compare("/CN=hello you", both, X509_SAN_DNS),
	    ACME_BAD_CSR);
	assert_int_equal(compare("/O=x", one, X509_SAN_DNS), ACME_BAD_CSR);
	assert_int_equal(compare("/CN=a.example", NULL, X509_SAN_DNS),
	    ACME_BAD_CSR);
	assert_int_equal(compare("/O=x", more, X509_SAN_DNS), ACME_BAD_CSR);
	assert_int_equal(compare("/O=x", wild, X509_SAN_DNS), ACME_BAD_CSR);
	assert_int_equal(compare("/O=x", both, X509_SAN_EMAIL),
	    ACME_BAD_CSR);
	assert_int_equal(compare("/O=x", NULL, X509_SAN_DNS), ACME_BAD_CSR);
}

static void
expect_subject(const char *subject, const char *expected)
{
	struct x509_csr *csr = calloc(1, sizeof(*csr));
	uint8_t name[OC_NAME_MAX], made[ACME_SUBJECT_MAX];
	char text[X509_NAME_TEXT_MAX];
	size_t len;

	assert_non_null(csr);
	assert_int_equal(x509_name_parse(subject, name, sizeof(name),
	    &csr->subject.len, NULL), OC_OK);
	csr->subject.p = name;
	assert_int_equal(acme_names_subject(csr, made, &len), OC_OK);
	assert_true(x509_name_is_valid((struct der_bytes){ made, len }));
	x509_name_format((struct der_bytes){ made, len }, text);
	assert_string_equal(text, expected);
	free(csr);
}

/* What nobody has proven is left out. */
static void
test_subject(void **state)
{
	/* Nearly as long as a common name may be. */
	static const char longest[] = "CN=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	    "aaaaaaaaaaaaaaaaaaaaaaa.example";

	(void)state;
	expect_subject("/C=DE/O=A Bank/CN=A.example", "CN=a.example");
	expect_subject("/CN=*.a.example/OU=x", "CN=*.a.example");
	expect_subject("/CN=a.example/CN=b.example", "CN=a.example");
	expect_subject("/O=A Bank", "");
	expect_subject("/CN=192.0.2.1", "");
	expect_subject("/CN=a b", "");
	expect_subject(longest, longest);
	assert_int_equal(compare("/CN=a.example/CN=b.example", NULL,
	    X509_SAN_DNS), ACME_OK);
	assert_int_equal(compare("/CN=a.example/CN=b.example/CN=c.example",
	    NULL, X509_SAN_DNS), ACME_BAD_CSR);
}

/* --- contacts, times ---------------------------------------------------- */

static void
expect_contacts(const char *contacts, const char *expected)
{
	json_t *json = contacts == NULL ? NULL : json_loads(contacts,
	    JSON_DECODE_ANY, NULL);
	struct acme_problem problem = { .error = ACME_OK };
	char text[100];

	if (acme_contacts_read(json, text, sizeof(text), &problem) == OC_OK)
		assert_string_equal(text, expected);
	else
		assert_string_equal(acme_error_name(problem.error),
		    expected);
	acme_problem_fini(&problem);
	json_decref(json);
}

/* RFC8555:7.3 */
static void
test_contacts(void **state)
{
	(void)state;
	expect_contacts(NULL, "[]");
	expect_contacts("[]", "[]");
	expect_contacts("[ \"mailto:a.b+c@mail.example\" ]",
	    "[\"mailto:a.b+c@mail.example\"]");
	expect_contacts("\"mailto:a@b.example\"", "malformed");
	expect_contacts("[7]", "malformed");
	expect_contacts("[\"tel:+123\"]", "unsupportedContact");
	expect_contacts("[\"a@b.example\"]", "unsupportedContact");
	expect_contacts("[\"mailto:\"]", "invalidContact");
	expect_contacts("[\"mailto:a\"]", "invalidContact");
	expect_contacts("[\"mailto:a@b\"]", "invalidContact");
	expect_contacts("[\"mailto:a?cc=b@b.example\"]", "invalidContact");
	expect_contacts("[\"mailto:a#b@b.example\"]", "invalidContact");
	expect_contacts("[\"mailto:a%40x.example%2Cb@b.example\"]",
	    "invalidContact");
	expect_contacts("[\"mailto:@b.example\"]", "invalidContact");
	expect_contacts("[\"mailto:.a@b.example\"]", "invalidContact");
	expect_contacts("[\"mailto:a.@b.example\"]", "invalidContact");
	expect_contacts("[\"mailto:a@b.example,c@d.example\"]",
	    "invalidContact");
	expect_contacts("[\"mailto:a@b.example?cc=c@d.example\"]",
	    "invalidContact");
	expect_contacts("[\"mailto:a@-b.example\"]", "invalidContact");
	expect_contacts("[\"mailto:a@b..example\"]", "invalidContact");
	expect_contacts("[\"mailto:a@b.example.\"]", "invalidContact");
	expect_contacts("[\"mailto:a b@b.example\"]", "invalidContact");
	expect_contacts("[\"mailto:a\\r\\nX: y@b.example\"]",
	    "invalidContact");
	expect_contacts("[\"mailto:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@b.example\"]",
	    "invalidContact");
	expect_contacts("[\"mailto:a@b.c\",\"mailto:a@b.c\","
	    "\"mailto:a@b.c\",\"mailto:a@b.c\",\"mailto:a@b.c\","
	    "\"mailto:a@b.c\",\"mailto:a@b.c\",\"mailto:a@b.c\","
	    "\"mailto:a@b.c\",\"mailto:a@b.c\",\"mailto:a@b.c\"]",
	    "invalidContact");
}

static void
test_instants(void **state)
{
	static const struct {
		const char *text;
		int64_t at;
	} good[] = {
		{ "2026-11-27T10:00:00Z", 1795773600 },
		{ "2026-11-27t10:00:00z", 1795773600 },
		{ "2026-11-27T10:00:00.999Z", 1795773600 },
		{ "2026-11-27T12:00:00+02:00", 1795773600 },
		{ "2026-11-27T07:30:00-02:30", 1795773600 },
		{ "1970-01-01T00:00:00Z", 0 },
	};
	static const char *const bad[] = { "", "2026-11-27",
	    "2026-11-27T10:00:00", "2026-11-27 10:00:00Z",
	    "2026-11-27T10:00:00.Z", "2026-11-27T10:00:00+0200",
	    "2026-11-27T10:00:00+24:00", "2026-13-27T10:00:00Z",
	    "2026-02-30T10:00:00Z", "2026-11-27T25:00:00Z",
	    "2026-11-27T10:00:00Zx", "x2026-11-27T10:00:00Z",
	    "2026-11-27T10:00:0", "26-11-27T10:00:00Z" };
	int64_t at;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(acme_instant_parse(good[i].text, &at),
		    OC_OK);
		assert_int_equal(at, good[i].at);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(acme_instant_parse(bad[i], &at),
		    OC_ERR_MALFORMED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_subproblems),
		cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_kept),
		cmocka_unit_test(test_csr),
		cmocka_unit_test(test_subject),
		cmocka_unit_test(test_contacts),
		cmocka_unit_test(test_instants),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
