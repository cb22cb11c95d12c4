/* SPDX-License-Identifier: Apache-2.0 */
/* nameConstraints, RFC 5280 4.2.1.10, walked and applied.  Private to
 * lint/. */
#ifndef LINT_CONSTRAINT_H
#define LINT_CONSTRAINT_H

#include "lint/view.h"

struct lint_subtree {
	bool is_permitted;
	uint8_t tag;			/* of the GeneralName */
	struct der_bytes base;
	bool has_minimum, has_maximum;	/* written, whatever they say */
};

struct lint_subtrees {
	struct der_reader whole, list;
	bool is_permitted;
};

/* value: the extension's. */
void lint_subtrees_init(struct lint_subtrees *trees, struct der_bytes value);
/* False at the end, or where it is not as it should be. */
bool lint_next_subtree(struct lint_subtrees *trees,
    struct lint_subtree *subtree);

struct lint_violation {
	struct der_bytes name;		/* of the certificate */
	bool is_excluded;		/* else: not permitted */
};
/*
 * Holds subjectAltName, the subject, and what of the subject is read as a
 * host name (CN, where there are no DNS names) or e-mail address, against an
 * issuer's constraints.  True with the first that violates them.
 */
bool lint_find_violation(const struct lint_cert *cert,
    struct der_bytes constraints, struct lint_violation *violation);

#endif
