/* SPDX-License-Identifier: Apache-2.0 */
/* Collecting where fields came from, and what refused. */
#include "ca/explain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A certificate has some thirty fields, and at most 200 names. */
#define ITEMS_FIRST 32

void
ca_explanation_fini(struct ca_explanation *e)
{
	size_t i;

	for (i = 0; i < e->num_items; i++) {
		free(e->items[i].field);
		free(e->items[i].value);
		free(e->items[i].detail);
	}
	free(e->items);
	*e = (struct ca_explanation){ 0 };
}

const char *
ca_source_name(enum ca_source source)
{
	switch (source) {
	case CA_FROM_CSR:
		return "csr";
	case CA_FROM_REQUEST:
		return "request";
	case CA_FROM_PROFILE:
		return "profile";
	case CA_FROM_ISSUER:
		return "issuer";
	case CA_FROM_KEY:
		return "key";
	case CA_FROM_ZONE:
		return "zone";
	case CA_FROM_ACCOUNT:
		return "account";
	case CA_FROM_CLOCK:
		return "clock";
	case CA_FROM_DEFAULT:
		return "default";
	case CA_IGNORED:
		return "ignored";
	}
	return "unknown";
}

static struct ca_explained *
new_item(struct ca_explanation *e)
{
	size_t max = e->max_items == 0 ? ITEMS_FIRST : 2 * e->max_items;
	struct ca_explained *items;

	if (e->num_items < e->max_items)
		return &e->items[e->num_items];
	items = reallocarray(e->items, max, sizeof(*items));
	if (items == NULL)
		return NULL;
	e->items = items;
	e->max_items = max;
	return &items[e->num_items];
}

void
ca_explain(struct ca_explanation *e, const char *field,
    enum ca_source source, const char *detail, const char *format, ...)
{
	struct ca_explained *item, made = { .source = source };
	va_list args;

	if (e == NULL || e->has_no_items)
		return;
	item = new_item(e);
	made.field = strdup(field);
	made.detail = strdup(detail);
	va_start(args, format);
	if (vasprintf(&made.value, format, args) < 0)
		made.value = NULL;
	va_end(args);
	if (item == NULL || made.field == NULL || made.detail == NULL ||
	    made.value == NULL) {
		free(made.field);
		free(made.detail);
		free(made.value);
		e->is_incomplete = true;
		return;
	}
	*item = made;
	e->num_items++;
}

enum oc_err
ca_refuse_with(struct ca_explanation *e, enum ca_rule rule, enum oc_err code,
    const struct oc_error *error)
{
	if (e != NULL) {
		e->rule = rule;
		snprintf(e->refusal, sizeof(e->refusal), "%s",
		    error != NULL ? error->text : oc_strerror(code));
	}
	return code;
}

enum oc_err
ca_refuse(struct ca_explanation *e, enum ca_rule rule, enum oc_err code,
    struct oc_error *error, const char *format, ...)
{
	struct oc_error own = { 0 };
	char text[OC_ERROR_TEXT_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	oc_error_set(&own, code, "%s", text);
	oc_error_set(error, code, "%s", own.text);
	return ca_refuse_with(e, rule, code, &own);
}
