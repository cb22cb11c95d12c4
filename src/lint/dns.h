/* SPDX-License-Identifier: Apache-2.0 */
/* Questions about one DNS name.  Private to lint/. */
#ifndef LINT_DNS_H
#define LINT_DNS_H

#include "der/bytes.h"

typedef bool lint_dns_fn(struct der_bytes name);

/* The next label, without its dot; false at the end.  "a." has two, the
 * second empty; "" has one. */
struct lint_labels {
	struct der_bytes rest;
	bool is_done;
};
bool lint_next_label(struct lint_labels *labels, struct der_bytes *label);

lint_dns_fn lint_dns_has_long_label, lint_dns_has_empty_label,
    lint_dns_is_long, lint_dns_has_upper_case, lint_dns_is_not_ia5,
    lint_dns_has_nul, lint_dns_has_underscore, lint_dns_has_edge_hyphen,
    lint_dns_has_bad_character, lint_dns_has_inner_wildcard,
    lint_dns_is_bare_wildcard, lint_dns_has_reserved_label,
    lint_dns_is_ip_literal;

/* "*." directly in front of a suffix under which anybody registers names,
 * as the list says that libpsl has built in.  Without libpsl: any wildcard,
 * because it cannot be told. */
lint_dns_fn lint_dns_is_wild_suffix;

/* What is wrong with a label that begins with "xn--". */
enum lint_idn { LINT_IDN_GOOD, LINT_IDN_MALFORMED, LINT_IDN_NOT_NFC };
/* The first that is not good; *why is libidn2's, static, or NULL. */
enum lint_idn lint_dns_idn(struct der_bytes name, const char **why);

#endif
