/* SPDX-License-Identifier: Apache-2.0 */
/* A CRL taken apart.  Private to lint/. */
#ifndef LINT_CRL_H
#define LINT_CRL_H

#include "lint/view.h"

#define LINT_CRL_EXTENSIONS_MAX 16

struct lint_crl {
	const struct lint_crl_input *input;
	const struct lint_cert *issuer;		/* NULL: not known */
	const char *broken;
	struct der_bytes version;
	struct lint_algorithm inner, outer;
	struct der_bytes issuer_name;
	struct lint_time this_update, next_update;
	bool has_revoked;			/* the field */
	struct der_bytes revoked;		/* its contents */
	struct lint_extension extensions[LINT_CRL_EXTENSIONS_MAX];
	uint32_t num_extensions;
	struct der_bytes signature;		/* BIT STRING contents */
	/* INTEGER contents of the first entry of which it is true. */
	struct der_bytes bad_reason, critical_reason, late, twice, removed;
	uint32_t num_entries;
};

/* Contents of INTEGERs that are not negative, as memcmp() does. */
int lint_compare_integers(struct der_bytes a, struct der_bytes b);

#endif
