/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether CAA records let one of our identities issue: RFC 8659, with
 * RFC 8657's accounturi and validationmethods.  What cannot be read or cannot
 * be known forbids.
 */
#ifndef VALIDATION_CAA_H
#define VALIDATION_CAA_H

#include "validation/resolver.h"
#include "validation/validation.h"

/* Borrowed. */
struct validation_caa_wish {
	const char *const *identities;	/* of ours: "ca.example.net";
					 * until done() has returned */
	size_t num_identities;
	bool is_wildcard;
	/* NULL: not known, and then what names any does not allow. */
	const char *method, *account_uri;
};

/* What one relevant RRset says (RFC 8659, 4).  seen: which record decided; one
 * line of printable ASCII, also where it allows. */
bool validation_caa_allows(const struct validation_record *records,
    size_t num_records, const struct validation_caa_wish *wish,
    char seen[VALIDATION_SEEN_MAX]);

/*
 * Looks for the relevant RRset: at the name, then at each name above it but the
 * root, and asks the above.  done() runs once, from the loop, unless cancelled;
 * fault is NO_FAULT or CAA_FAULT, or OURS.  name is without "*.".
 */
struct validation_caa;
typedef void validation_caa_fn(void *arg, enum validation_fault fault,
    bool is_temporary, const char *seen);
enum oc_err validation_caa_start(struct validation_resolver *resolver,
    const char *name, const struct validation_caa_wish *wish,
    int64_t deadline_ns, validation_caa_fn *done, void *arg,
    struct validation_caa **caa) OC_MUST_CHECK;
void validation_caa_cancel(struct validation_caa *caa);

#endif
