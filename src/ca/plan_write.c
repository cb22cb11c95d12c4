/* SPDX-License-Identifier: Apache-2.0 */
/* A plan's DER: written, read back as a stranger would read it, and held
 * against the rules. */
#include <stdlib.h>

#include "ca/lint.h"

static bool
is_same_list(const struct der_bytes *a, uint32_t num_a,
    const struct der_bytes *b, uint32_t num_b)
{
	uint32_t i;

	for (i = 0; i < num_a && i < num_b; i++)
		if (!der_bytes_equal(a[i], b[i]))
			return false;
	return num_a == num_b;
}

static bool
is_same_names(const struct x509_san *a, uint32_t num_a,
    const struct x509_san *b, uint32_t num_b)
{
	uint32_t i;

	for (i = 0; i < num_a && i < num_b; i++)
		if (a[i].kind != b[i].kind ||
		    !der_bytes_equal(a[i].value, b[i].value))
			return false;
	return num_a == num_b;
}

static bool
is_same_sans(const struct x509_extensions *a, const struct x509_extensions *b)
{
	return is_same_names(a->sans, a->num_sans, b->sans, b->num_sans) &&
	    (a->num_sans == 0 || a->is_san_critical == b->is_san_critical);
}

static bool
is_same_policies(const struct x509_extensions *a,
    const struct x509_extensions *b)
{
	uint32_t i, j;

	for (i = 0; i < a->num_policies && i < b->num_policies; i++) {
		const struct x509_policy *of_a = &a->policies[i];
		const struct x509_policy *of_b = &b->policies[i];

		if (!der_bytes_equal(of_a->oid, of_b->oid) ||
		    of_a->num_qualifiers != of_b->num_qualifiers)
			return false;
		for (j = 0; j < of_a->num_qualifiers; j++)
			if (of_a->qualifiers[j].kind !=
			    of_b->qualifiers[j].kind ||
			    !der_bytes_equal(of_a->qualifiers[j].text,
			    of_b->qualifiers[j].text))
				return false;
	}
	return a->num_policies == b->num_policies;
}

static bool
is_same_others(const struct x509_extensions *a,
    const struct x509_extensions *b)
{
	uint32_t i;

	for (i = 0; i < a->num_others && i < b->num_others; i++)
		if (a->is_other_critical[i] != b->is_other_critical[i])
			return false;
	return is_same_list(a->others, a->num_others, b->others,
	    b->num_others) && is_same_list(a->other_values, a->num_others,
	    b->other_values, b->num_others);
}

static bool
is_same_extensions(const struct x509_extensions *a,
    const struct x509_extensions *b)
{
	return a->has_basic_constraints == b->has_basic_constraints &&
	    a->ca == b->ca && a->path_length == b->path_length &&
	    a->key_usage == b->key_usage &&
	    a->has_ocsp_nocheck == b->has_ocsp_nocheck &&
	    is_same_others(a, b) && is_same_policies(a, b) &&
	    is_same_names(a->name_constraints.permitted,
	    a->name_constraints.num_permitted,
	    b->name_constraints.permitted,
	    b->name_constraints.num_permitted) &&
	    is_same_names(a->name_constraints.excluded,
	    a->name_constraints.num_excluded, b->name_constraints.excluded,
	    b->name_constraints.num_excluded) &&
	    der_bytes_equal(a->subject_key_id, b->subject_key_id) &&
	    der_bytes_equal(a->authority_key_id, b->authority_key_id) &&
	    is_same_sans(a, b) &&
	    is_same_list(a->ekus, a->num_ekus, b->ekus, b->num_ekus) &&
	    is_same_list(a->ocsp_urls, a->num_ocsp_urls,
	    b->ocsp_urls, b->num_ocsp_urls) &&
	    is_same_list(a->ca_issuers_urls, a->num_ca_issuers_urls,
	    b->ca_issuers_urls, b->num_ca_issuers_urls) &&
	    is_same_list(a->crl_urls, a->num_crl_urls,
	    b->crl_urls, b->num_crl_urls);
}

/*
 * What was written, read as a stranger would: a certificate around the TBS,
 * with a signature that is none.
 */
static enum oc_err
read_back(const struct ca_plan *plan, struct oc_error *error)
{
	static const uint8_t no_signature[1] = { 0 };
	const struct x509_tbs *tbs = &plan->tbs;
	const struct x509_signed whole = {
		.tbs = { plan->der, plan->der_len },
		.alg = tbs->alg,
		.signature = DER_ARRAY(no_signature),
	};
	struct x509_cert *cert = calloc(1, sizeof(*cert));
	size_t len = plan->der_len + 256;
	uint8_t *der = malloc(len);
	enum oc_err err = OC_ERR_NOMEM;

	if (cert != NULL && der != NULL)
		err = der_write(x509_put_signed, &whole, der, len, &len);
	if (err == OC_OK)
		err = x509_cert_read((struct der_bytes){ der, len }, cert,
		    error);
	if (err == OC_OK && (!oc_serial_equal(&cert->serial, &plan->serial) ||
	    !der_bytes_equal(cert->issuer, tbs->issuer) ||
	    !der_bytes_equal(cert->subject, tbs->subject) ||
	    !der_bytes_equal(cert->spki, tbs->spki) ||
	    cert->not_before != tbs->not_before ||
	    cert->not_after != tbs->not_after || cert->alg != tbs->alg ||
	    !is_same_extensions(&tbs->extensions, &cert->extensions)))
		err = OC_ERR_MISMATCH;
	if (err != OC_OK)
		oc_error_set(error, err, "what was written does not read "
		    "back as what was planned (%s): nothing was signed",
		    oc_strerror(err));
	free(der);
	free(cert);
	return err;
}

enum oc_err
ca_plan_write(struct ca_plan *plan, struct oc_error *error)
{
	enum oc_err err;

	free(plan->der);
	plan->der = NULL;
	plan->tbs.serial = (struct der_bytes){ plan->serial.bytes,
	    plan->serial.len };
	err = der_write(x509_put_tbs, &plan->tbs, NULL, 0, &plan->der_len);
	if (err == OC_OK) {
		plan->der = malloc(plan->der_len);
		err = plan->der == NULL ? OC_ERR_NOMEM :
		    der_write(x509_put_tbs, &plan->tbs, plan->der,
		    plan->der_len, &plan->der_len);
	}
	if (err != OC_OK)
		return oc_error_set(error, err, "the certificate cannot be "
		    "written: %s", oc_strerror(err));
	err = read_back(plan, error);
	if (err == OC_OK && plan->lint.profile != NULL)
		err = ca_lint_plan(plan, error);
	return err;
}
