/* SPDX-License-Identifier: Apache-2.0 */
/* Whether two say the same: octets, and extensions. */
#include "x509_test.h"

void
assert_bytes_equal(struct der_bytes got, struct der_bytes want)
{
	assert_int_equal(got.len, want.len);
	if (want.len != 0)
		assert_memory_equal(got.p, want.p, want.len);
}

static void
assert_list_equal(const struct der_bytes *got, uint32_t num_got,
    const struct der_bytes *want, uint32_t num_want)
{
	uint32_t i;

	assert_int_equal(num_got, num_want);
	for (i = 0; i < num_want; i++)
		assert_bytes_equal(got[i], want[i]);
}

static void
assert_policies_equal(const struct x509_extensions *got,
    const struct x509_extensions *want)
{
	uint32_t i, j;

	assert_int_equal(got->num_policies, want->num_policies);
	for (i = 0; i < want->num_policies; i++) {
		const struct x509_policy *a = &got->policies[i];
		const struct x509_policy *b = &want->policies[i];

		assert_bytes_equal(a->oid, b->oid);
		assert_int_equal(a->num_qualifiers, b->num_qualifiers);
		for (j = 0; j < b->num_qualifiers; j++)
			assert_bytes_equal(a->qualifiers[j].text,
			    b->qualifiers[j].text);
	}
}

static void
assert_names_equal(const struct x509_san *got, uint32_t num_got,
    const struct x509_san *want, uint32_t num_want)
{
	uint32_t i;

	assert_int_equal(num_got, num_want);
	for (i = 0; i < num_want; i++) {
		assert_int_equal(got[i].kind, want[i].kind);
		assert_bytes_equal(got[i].value, want[i].value);
	}
}

void
assert_extensions_equal(const struct x509_extensions *got,
    const struct x509_extensions *want)
{
	uint32_t i;

	assert_names_equal(got->sans, got->num_sans, want->sans,
	    want->num_sans);
	assert_int_equal(got->is_san_critical, want->is_san_critical);
	assert_int_equal(got->has_basic_constraints,
	    want->has_basic_constraints);
	assert_int_equal(got->ca, want->ca);
	assert_int_equal(got->path_length, want->path_length);
	assert_int_equal(got->key_usage, want->key_usage);
	assert_list_equal(got->ekus, got->num_ekus, want->ekus,
	    want->num_ekus);
	assert_bytes_equal(got->subject_key_id, want->subject_key_id);
	assert_bytes_equal(got->authority_key_id, want->authority_key_id);
	assert_list_equal(got->ocsp_urls, got->num_ocsp_urls,
	    want->ocsp_urls, want->num_ocsp_urls);
	assert_list_equal(got->ca_issuers_urls, got->num_ca_issuers_urls,
	    want->ca_issuers_urls, want->num_ca_issuers_urls);
	assert_list_equal(got->crl_urls, got->num_crl_urls, want->crl_urls,
	    want->num_crl_urls);
	assert_int_equal(got->has_ocsp_nocheck, want->has_ocsp_nocheck);
	assert_policies_equal(got, want);
	assert_names_equal(got->name_constraints.permitted,
	    got->name_constraints.num_permitted,
	    want->name_constraints.permitted,
	    want->name_constraints.num_permitted);
	assert_names_equal(got->name_constraints.excluded,
	    got->name_constraints.num_excluded,
	    want->name_constraints.excluded,
	    want->name_constraints.num_excluded);
	assert_list_equal(got->others, got->num_others, want->others,
	    want->num_others);
	assert_list_equal(got->other_values, got->num_others,
	    want->other_values, want->num_others);
	for (i = 0; i < want->num_others; i++)
		assert_int_equal(got->is_other_critical[i],
		    want->is_other_critical[i]);
}
