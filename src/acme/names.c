/* SPDX-License-Identifier: Apache-2.0 */
#include "acme/names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "x509/name.h"

#define COMMON_NAME_MAX 64		/* RFC 5280, A.1: ub-common-name */

/* --- from an order ------------------------------------------------------ */

static enum oc_err
read_one(const json_t *identifier, struct ca_names *names,
    const char **value, struct acme_problem *problem)
{
	const json_t *type = json_object_get(identifier, "type");
	const json_t *text = json_object_get(identifier, "value");
	struct ca_explanation x = { .has_no_items = true };
	struct oc_error error = { 0 };
	enum oc_err err;

	*value = json_string_value(text);
	if (!json_is_string(type) || *value == NULL)
		return acme_problem_set(problem, ACME_MALFORMED,
		    "an identifier has a type and a value");
	if (strcmp(json_string_value(type), "dns") != 0)
		return acme_problem_set(problem, ACME_UNSUPPORTED_IDENTIFIER,
		    "identifiers are of the type dns here, not %.40s",
		    json_string_value(type));
	err = ca_names_add_host(names, *value, json_string_length(text), &x,
	    &error);
	if (err != OC_OK)
		err = x.rule == CA_RULE_NONE ? acme_problem_set(problem,
		    ACME_SERVER_INTERNAL, "%s", error.text) :
		    acme_problem_set(problem, acme_error_of_rule(x.rule),
		    "%s (%s)", error.text, ca_rule_name(x.rule));
	ca_explanation_fini(&x);
	return err;
}

enum oc_err
acme_names_read(const json_t *identifiers, struct ca_names *names,
    struct acme_problem *problem)
{
	size_t num = json_array_size(identifiers);
	struct acme_problem first = { .error = ACME_OK }, one;
	enum oc_err err = OC_OK, result;

	if (!json_is_array(identifiers) || num == 0)
		return acme_problem_set(problem, ACME_MALFORMED,
		    "identifiers is a list of at least one (names-missing)");
	if (num > X509_SANS_MAX)
		return acme_problem_set(problem, ACME_REJECTED_IDENTIFIER,
		    "more than %d names: ask for several certificates "
		    "(names-max)", X509_SANS_MAX);
	for (size_t i = 0; i < num; i++) {
		const char *value;

		memset(&one, 0, sizeof(one));
		result = read_one(json_array_get(identifiers, i), names,
		    &value, &one);
		if (result == OC_OK)
			continue;
		if (err == OC_OK) {
			err = result;
			first = one;
		}
		if (num > 1 && value != NULL)
			acme_problem_add(&first, one.error, value,
			    one.detail);
	}
	if (err != OC_OK) {
		acme_problem_fini(problem);
		*problem = first;
	}
	return err;
}

/* --- from and for the records ------------------------------------------- */

char *
acme_names_format(const struct ca_names *names)
{
	json_t *list = json_array();
	char *text;

	for (uint32_t i = 0; i < names->num_sans; i++) {
		const struct der_bytes *value = &names->sans[i].value;

		if (json_array_append_new(list, json_stringn(
		    (const char *)value->p, value->len)) != 0) {
			json_decref(list);
			return NULL;
		}
	}
	text = json_dumps(list, JSON_COMPACT);
	json_decref(list);
	return text;
}

enum oc_err
acme_names_parse(const char *text, struct ca_names *names)
{
	json_t *list = text == NULL ? NULL : json_loads(text, 0, NULL);
	enum oc_err err = json_is_array(list) ? OC_OK : OC_ERR_MALFORMED;

	for (size_t i = 0; err == OC_OK && i < json_array_size(list); i++) {
		const json_t *name = json_array_get(list, i);

		err = json_is_string(name) ? ca_names_add_host(names,
		    json_string_value(name), json_string_length(name), NULL,
		    NULL) : OC_ERR_MALFORMED;
	}
	json_decref(list);
	return err;
}

/* --- from a CSR --------------------------------------------------------- */

static enum oc_err
add_of_csr(const struct x509_san *san, struct ca_names *names,
    struct acme_problem *problem)
{
	struct oc_error error = { 0 };
	char text[X509_SAN_TEXT_MAX];

	if (san->kind != X509_SAN_DNS) {
		x509_san_format(san, text);
		return acme_problem_set(problem, ACME_BAD_CSR,
		    "the request asks for %.200s: only DNS names are given "
		    "here", text);
	}
	if (ca_names_add(names, san, NULL, &error) != OC_OK)
		return acme_problem_set(problem, ACME_BAD_CSR,
		    "the request: %s", error.text);
	return OC_OK;
}

enum oc_err
acme_names_of_csr(const struct x509_csr *csr, struct ca_names *names,
    struct acme_problem *problem)
{
	const struct x509_extensions *e = &csr->extensions;
	struct x509_san cn = { .kind = X509_SAN_DNS };
	struct x509_name_cursor cursor;
	enum der_oid attribute;
	uint32_t num;
	enum oc_err err = OC_OK;

	for (uint32_t i = 0; err == OC_OK && csr->has_extensions &&
	    i < e->num_sans; i++)
		err = add_of_csr(&e->sans[i], names, problem);
	num = names->num_sans;
	x509_name_begin(csr->subject, &cursor);
	while (err == OC_OK && x509_name_next(&cursor, &attribute, &cn.value))
		if (attribute == DER_OID_COMMON_NAME)
			err = add_of_csr(&cn, names, problem);
	if (err == OC_OK && num > 0 && names->num_sans > num)
		return acme_problem_set(problem, ACME_BAD_CSR,
		    "the request's common name is none of its subject "
		    "alternative names (common-name)");
	return err;
}

enum oc_err
acme_names_subject(const struct x509_csr *csr,
    uint8_t subject[ACME_SUBJECT_MAX], size_t *len)
{
	static const uint8_t empty[] = { 0x30, 0x00 };
	struct ca_names *names = calloc(1, sizeof(*names));
	char text[COMMON_NAME_MAX + sizeof("CN=")];
	struct der_bytes cn;

	if (names == NULL)
		return OC_ERR_NOMEM;
	*len = 0;
	if (x509_name_find(csr->subject, DER_OID_COMMON_NAME, &cn) &&
	    ca_names_add_host(names, (const char *)cn.p, cn.len, NULL,
	    NULL) == OC_OK && names->sans[0].value.len <= COMMON_NAME_MAX) {
		cn = names->sans[0].value;
		snprintf(text, sizeof(text), "CN=%.*s", (int)cn.len,
		    (const char *)cn.p);
		if (x509_name_parse(text, subject, ACME_SUBJECT_MAX, len,
		    NULL) != OC_OK)
			*len = 0;
	}
	free(names);
	if (*len == 0) {
		memcpy(subject, empty, sizeof(empty));
		*len = sizeof(empty);
	}
	return OC_OK;
}

static bool
has(const struct ca_names *names, struct der_bytes value)
{
	for (uint32_t i = 0; i < names->num_sans; i++)
		if (der_bytes_equal(names->sans[i].value, value))
			return true;
	return false;
}

/* The first of a that b has not; NULL. */
static const struct x509_san *
missing_in(const struct ca_names *a, const struct ca_names *b)
{
	for (uint32_t i = 0; i < a->num_sans; i++)
		if (!has(b, a->sans[i].value))
			return &a->sans[i];
	return NULL;
}

enum oc_err
acme_names_compare(const struct ca_names *of_order,
    const struct ca_names *of_csr, struct acme_problem *problem)
{
	const struct x509_san *san = missing_in(of_order, of_csr);

	if (san != NULL)
		return acme_problem_set(problem, ACME_BAD_CSR,
		    "the request has not the order's name %.*s",
		    (int)san->value.len, (const char *)san->value.p);
	san = missing_in(of_csr, of_order);
	if (san != NULL)
		return acme_problem_set(problem, ACME_BAD_CSR,
		    "the request's name %.*s is none of the order's",
		    (int)san->value.len, (const char *)san->value.p);
	return OC_OK;
}

/* --- one, and two lists ------------------------------------------------- */

void
acme_names_get(const struct ca_names *names, uint32_t n,
    struct acme_name *name)
{
	const uint8_t *p = names->sans[n].value.p;
	size_t len = names->sans[n].value.len;

	oc_assert(n < names->num_sans && len < sizeof(name->text) + 2);
	name->is_wildcard = len > 2 && p[0] == '*' && p[1] == '.';
	if (name->is_wildcard) {
		p += 2;
		len -= 2;
	}
	oc_assert(len < sizeof(name->text));
	memcpy(name->text, p, len);
	name->text[len] = '\0';
}

bool
acme_names_overlap(const struct ca_names *a, const struct ca_names *b)
{
	for (uint32_t i = 0; i < a->num_sans; i++)
		if (has(b, a->sans[i].value))
			return true;
	return false;
}
