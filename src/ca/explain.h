/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where each field of a certificate came from, and, if there is none, which
 * rule refused it.  Filled while planning; printed by cert issue --explain
 * and returned by the API.
 */
#ifndef CA_EXPLAIN_H
#define CA_EXPLAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "ca/rule.h"

enum ca_source {
	CA_FROM_CSR,			/* "csr" */
	CA_FROM_REQUEST,		/* "request": option, API's field */
	CA_FROM_PROFILE,		/* "profile" */
	CA_FROM_ISSUER,			/* "issuer": its certificate, or its
					 * section of the configuration */
	CA_FROM_KEY,			/* "key": made from the CSR's key */
	CA_FROM_ZONE,			/* "zone" */
	CA_FROM_ACCOUNT,		/* "account" */
	CA_FROM_CLOCK,			/* "clock" */
	CA_FROM_DEFAULT,		/* "default": always so */
	CA_IGNORED			/* "ignored": was asked for, is not in
					 * the certificate */
};

struct ca_explained {
	char *field;			/* "subject", "subjectAltName" */
	char *value;			/* as cert show has it */
	enum ca_source source;
	char *detail;			/* "[profile www], based on server";
					 * may be empty, never NULL */
};

/* Zero state is an empty one.  One that could not be written down for want of
 * memory is missing, and is_incomplete is set. */
struct ca_explanation {
	struct ca_explained *items;	/* owned; in the certificate's order */
	size_t num_items;
	size_t max_items;
	bool has_no_items;		/* the caller's: only a refusal is
					 * written down */
	bool is_incomplete;
	bool is_repeated;		/* was issued before, for the same
					 * request: there are no items */
	enum ca_rule rule;		/* NONE: not refused */
	char refusal[OC_ERROR_TEXT_MAX];	/* "" or the error's text */
};

void ca_explanation_fini(struct ca_explanation *explanation);

const char *ca_source_name(enum ca_source source);

/* explanation may be NULL: then nothing is done. */
void ca_explain(struct ca_explanation *explanation, const char *field,
    enum ca_source source, const char *detail, const char *format, ...)
    OC_PRINTF(5, 6);

/* Sets error, and the rule and the error's text in explanation; returns
 * code.  Either pointer may be NULL. */
enum oc_err ca_refuse(struct ca_explanation *explanation, enum ca_rule rule,
    enum oc_err code, struct oc_error *error, const char *format, ...)
    OC_PRINTF(5, 6);
/* The same for an error that was set already, by another room. */
enum oc_err ca_refuse_with(struct ca_explanation *explanation,
    enum ca_rule rule, enum oc_err code, const struct oc_error *error);

#endif
