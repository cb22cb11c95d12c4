/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nameConstraints, RFC 5280 section 4.2.1.10, written and read.  What they
 * allow is in constraints_check.c.
 */
#include "x509/ext_impl.h"
#include "x509/name.h"

/*
 * GeneralSubtree ::= SEQUENCE {
 *     base     GeneralName,
 *     minimum  [0] IMPLICIT INTEGER DEFAULT 0,
 *     maximum  [1] IMPLICIT INTEGER OPTIONAL }          never there
 *
 * GeneralSubtrees ::= SEQUENCE SIZE (1..MAX) OF GeneralSubtree
 */
static void
put_subtrees(struct der_writer *w, unsigned int number,
    const struct x509_san *bases, uint32_t num)
{
	uint32_t i;

	if (num == 0)
		return;
	der_begin(w, (uint8_t)DER_CONTEXT(number));
	for (i = 0; i < num; i++) {
		der_begin(w, DER_SEQUENCE);
		x509_put_general_name(w, &bases[i]);
		der_end(w);
	}
	der_end(w);
}

/*
 * NameConstraints ::= SEQUENCE {
 *     permittedSubtrees  [0] IMPLICIT GeneralSubtrees OPTIONAL,
 *     excludedSubtrees   [1] IMPLICIT GeneralSubtrees OPTIONAL }
 */
void
x509_put_constraints(struct der_writer *w, const struct x509_extensions *e)
{
	const struct x509_name_constraints *c = &e->name_constraints;

	der_begin(w, DER_SEQUENCE);
	put_subtrees(w, 0, c->permitted, c->num_permitted);
	put_subtrees(w, 1, c->excluded, c->num_excluded);
	der_end(w);
}

/* A minimum of 0 is a DEFAULT and so not there; others must not be. */
static enum oc_err
read_subtrees(struct der_bytes contents, struct x509_san *bases,
    uint32_t *num, bool *has_unknown)
{
	struct der_reader r = der_reader_of(contents), inner;
	struct x509_san base;
	enum oc_err err;

	if (contents.len == 0)
		return OC_ERR_MALFORMED;
	while (!der_at_end(&r)) {
		if (!der_enter(&r, DER_SEQUENCE, &inner))
			return OC_ERR_MALFORMED;
		err = x509_get_general_name(&inner, X509_FORM_SUBTREE, &base);
		if (err == OC_ERR_MALFORMED || !der_leave(&r, &inner))
			return OC_ERR_MALFORMED;
		if (err == OC_ERR_UNSUPPORTED) {
			*has_unknown = true;
			continue;
		}
		if (*num == X509_SUBTREES_MAX)
			return OC_ERR_LIMIT;
		bases[(*num)++] = base;
	}
	return der_is_done(&r) ? OC_OK : OC_ERR_MALFORMED;
}

enum oc_err
x509_read_constraints(struct der_bytes value, struct x509_extensions *out)
{
	struct x509_name_constraints *c = &out->name_constraints;
	struct der_reader r = der_reader_of(value), inner;
	struct der_bytes list;
	enum oc_err err = OC_OK;

	if (!der_enter(&r, DER_SEQUENCE, &inner) || der_at_end(&inner))
		return OC_ERR_MALFORMED;
	if (der_next_is(&inner, DER_CONTEXT(0)) &&
	    der_get(&inner, DER_CONTEXT(0), &list))
		err = read_subtrees(list, c->permitted, &c->num_permitted,
		    &c->has_unknown);
	if (err == OC_OK && der_next_is(&inner, DER_CONTEXT(1)) &&
	    der_get(&inner, DER_CONTEXT(1), &list))
		err = read_subtrees(list, c->excluded, &c->num_excluded,
		    &c->has_unknown);
	if (err != OC_OK)
		return err;
	der_leave(&r, &inner);
	return der_is_done(&r) ? OC_OK : OC_ERR_MALFORMED;
}
