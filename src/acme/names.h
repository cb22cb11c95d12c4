/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The names of an order (RFC 8555, 7.1.3 and 7.4): DNS names alone, as every
 * door normalises them, each once, in the order in which they were asked for.
 * Pure.
 */
#ifndef ACME_NAMES_H
#define ACME_NAMES_H

#include <jansson.h>

#include "acme/problem.h"
#include "ca/policy.h"
#include "x509/csr.h"

/* The list of a newOrder, into names, which are empty.  What is wrong with
 * which of several is in subproblems. */
enum oc_err acme_names_read(const json_t *identifiers,
    struct ca_names *names, struct acme_problem *problem) OC_MUST_CHECK;

/* As the records keep them: a JSON list of texts.  For free(); NULL: no
 * memory. */
char *acme_names_format(const struct ca_names *names);
enum oc_err acme_names_parse(const char *text, struct ca_names *names)
    OC_MUST_CHECK;

/* All that a CSR asks for, its common names too.  BAD_CSR: a name of another
 * kind, one that is none, or a common name that no subjectAltName says. */
enum oc_err acme_names_of_csr(const struct x509_csr *csr,
    struct ca_names *names, struct acme_problem *problem) OC_MUST_CHECK;
/* What is certified of its subject, a Name: the first common name, if it is
 * not too long for one.  The rest nobody has proven. */
#define ACME_SUBJECT_MAX 128
enum oc_err acme_names_subject(const struct x509_csr *csr,
    uint8_t subject[ACME_SUBJECT_MAX], size_t *len) OC_MUST_CHECK;
/* BAD_CSR, which says what is missing or too much. */
enum oc_err acme_names_compare(const struct ca_names *of_order,
    const struct ca_names *of_csr, struct acme_problem *problem)
    OC_MUST_CHECK;

/* "example.com" of "*.example.com"; NUL behind. */
struct acme_name {
	char text[254];
	bool is_wildcard;
};
void acme_names_get(const struct ca_names *names, uint32_t n,
    struct acme_name *name);
/* Whether they have one in common. */
bool acme_names_overlap(const struct ca_names *a, const struct ca_names *b);

#endif
