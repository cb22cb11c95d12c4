/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The signer is no oracle: each kind passes as itself and as nothing else,
 * and each rule refuses what breaks it alone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <openssl/evp.h>

#include "pkcs11/allow.h"
#include "tests/unit/tbs_samples.h"
#include "x509/crl_stream.h"

#define NOW INT64_C(1790000000)
#define ALG SIGN_ECDSA_SHA256

typedef size_t make_fn(const struct tbs_sample *s, uint8_t *out, size_t max);

static struct tbs_sample sample;
static struct p11_allow allow;
static uint8_t key_sha1[20], name_sha1[20], name_sha256[32], key_sha256[32];

/* The key octets of the sample's SubjectPublicKeyInfo are its last 32. */
static struct der_bytes
key_octets(void)
{
	return (struct der_bytes){ sample.spki.p + sample.spki.len - 32, 32 };
}

static void
hash(const EVP_MD *md, struct der_bytes in, uint8_t *out)
{
	assert_int_equal(EVP_Digest(in.p, in.len, out, NULL, md, NULL), 1);
}

static int
set_up(void **state)
{
	(void)state;
	tbs_sample_init(&sample, NOW);
	hash(EVP_sha1(), key_octets(), key_sha1);
	hash(EVP_sha1(), tbs_name, name_sha1);
	hash(EVP_sha256(), key_octets(), key_sha256);
	hash(EVP_sha256(), tbs_name, name_sha256);
	sample.responder_key_hash = DER_ARRAY(key_sha1);
	sample.name_hash = DER_ARRAY(name_sha1);
	sample.key_hash = DER_ARRAY(key_sha1);
	allow = (struct p11_allow){
		.kinds = P11_ALLOW_ISSUER | P11_ALLOW(SIGN_KIND_OCSP),
		.name = tbs_name,
		.ca_name = tbs_name,
		.ca_spki = sample.spki,
	};
	return 0;
}

static enum oc_err
check_bytes(enum sign_kind kind, struct der_bytes tbs)
{
	struct oc_error error = { 0 };
	enum oc_err err = p11_allow_check(&allow, sample.spki, kind, ALG, tbs,
	    NOW, &error);

	/* Whoever is refused is told why. */
	assert_true((err == OC_OK) == (error.text[0] == '\0'));
	return err;
}

static enum oc_err
check(enum sign_kind kind, make_fn *make)
{
	uint8_t tbs[1024];

	return check_bytes(kind, (struct der_bytes){ tbs, make(&sample, tbs,
	    sizeof(tbs)) });
}

/* A subject's key, which is not the signer's. */
static struct der_bytes
subject_key(void)
{
	static uint8_t spki[64];

	memcpy(spki, sample.spki.p, sample.spki.len);
	spki[sample.spki.len - 1] ^= 0xff;
	return (struct der_bytes){ spki, sample.spki.len };
}

static size_t
of_subject(const struct tbs_sample *s, uint8_t *out, size_t max)
{
	struct tbs_sample other = *s;

	other.spki = subject_key();
	return tbs_certificate(&other, out, max);
}

static enum oc_err
certificate(void)
{
	return check(SIGN_KIND_CERTIFICATE, of_subject);
}

static enum oc_err
crl(void)
{
	sample.version = 1;
	return check(SIGN_KIND_CRL, tbs_crl);
}

static enum oc_err
csr(void)
{
	sample.version = 0;
	return check(SIGN_KIND_CSR, tbs_csr);
}

static enum oc_err
ocsp(void)
{
	return check(SIGN_KIND_OCSP, tbs_ocsp);
}

static void
good_ones_pass(void **state)
{
	(void)state;
	assert_int_equal(certificate(), OC_OK);
	assert_int_equal(ocsp(), OC_OK);
	sample.num_singles = 3;
	assert_int_equal(ocsp(), OC_OK);
	sample.next_update = 0;
	assert_int_equal(ocsp(), OC_OK);
	assert_int_equal(crl(), OC_OK);
	assert_int_equal(csr(), OC_OK);
}

static void
no_kind_passes_as_another(void **state)
{
	static make_fn *const makes[] = { of_subject, tbs_crl, tbs_ocsp,
	    tbs_csr };
	static const unsigned int versions[] = { 2, 1, 0, 0 };
	uint8_t tbs[1024];

	(void)state;
	for (int made = 0; made < 4; made++) {
		struct der_bytes bytes;

		sample.version = versions[made];
		bytes = (struct der_bytes){ tbs, makes[made](&sample, tbs,
		    sizeof(tbs)) };
		for (int kind = SIGN_KIND_CERTIFICATE; kind <= SIGN_KIND_CSR;
		    kind++)
			assert_int_equal(check_bytes((enum sign_kind)kind,
			    bytes), kind == made + 1 ? OC_OK :
			    OC_ERR_MALFORMED);
	}
}

static void
kinds_not_allowed_are_refused(void **state)
{
	(void)state;
	allow.kinds = P11_ALLOW(SIGN_KIND_OCSP);
	assert_int_equal(certificate(), OC_ERR_REFUSED);
	assert_int_equal(ocsp(), OC_OK);
	assert_int_equal(crl(), OC_ERR_REFUSED);
	assert_int_equal(csr(), OC_ERR_REFUSED);
	allow.kinds = ~0u;
	assert_int_equal(check((enum sign_kind)0, tbs_ocsp), OC_ERR_REFUSED);
	assert_int_equal(check((enum sign_kind)5, tbs_ocsp), OC_ERR_REFUSED);
	allow.kinds = P11_ALLOW_ISSUER;
	assert_int_equal(ocsp(), OC_ERR_REFUSED);
}

static void
certificate_rules(void **state)
{
	static const uint8_t negative[] = { 0x80, 0x01 }, zero[] = { 0x00 };

	(void)state;
	sample.issuer = tbs_other_name;
	assert_int_equal(certificate(), OC_ERR_REFUSED);
	(void)set_up(NULL);
	sample.alg = SIGN_ECDSA_SHA384;
	assert_int_equal(certificate(), OC_ERR_REFUSED);
	(void)set_up(NULL);
	sample.version = 1;
	assert_int_equal(certificate(), OC_ERR_REFUSED);
	(void)set_up(NULL);
	sample.not_after = sample.not_before - 1;
	assert_int_equal(certificate(), OC_ERR_REFUSED);
	(void)set_up(NULL);
	sample.serial = DER_ARRAY(negative);
	assert_int_equal(certificate(), OC_ERR_MALFORMED);
	sample.serial = DER_ARRAY(zero);
	assert_int_equal(certificate(), OC_ERR_MALFORMED);
	(void)set_up(NULL);
	sample.has_trailing_null = true;
	assert_int_equal(certificate(), OC_ERR_MALFORMED);
}

static void
key_without_certificate_signs_only_its_own(void **state)
{
	static const uint8_t ca[] = { 0x30, 3, 1, 1, 0xff };
	uint8_t extensions[64];

	(void)state;
	allow.name = (struct der_bytes){ NULL, 0 };
	assert_int_equal(certificate(), OC_ERR_REFUSED);
	sample.subject = sample.issuer;
	assert_int_equal(certificate(), OC_ERR_REFUSED);
	/* Its own, but no CA's. */
	assert_int_equal(check(SIGN_KIND_CERTIFICATE, tbs_certificate),
	    OC_ERR_REFUSED);
	sample.extensions = tbs_add_extension(sample.extensions, extensions,
	    sizeof(extensions), DER_OID_BASIC_CONSTRAINTS, true,
	    DER_ARRAY(ca));
	assert_int_equal(check(SIGN_KIND_CERTIFICATE, tbs_certificate),
	    OC_OK);
	assert_int_equal(certificate(), OC_ERR_REFUSED);
	assert_int_equal(crl(), OC_ERR_REFUSED);
}

static void
crl_rules(void **state)
{
	(void)state;
	sample.issuer = tbs_other_name;
	assert_int_equal(crl(), OC_ERR_REFUSED);
	(void)set_up(NULL);
	sample.alg = SIGN_RSA_SHA256;
	assert_int_equal(crl(), OC_ERR_REFUSED);
	(void)set_up(NULL);
	sample.not_after = sample.not_before - 1;
	assert_int_equal(crl(), OC_ERR_REFUSED);
	(void)set_up(NULL);
	sample.has_trailing_null = true;
	assert_int_equal(crl(), OC_ERR_MALFORMED);
	(void)set_up(NULL);
	sample.version = 2;
	assert_int_equal(check(SIGN_KIND_CRL, tbs_crl), OC_ERR_REFUSED);
}

static void
csr_rules(void **state)
{
	uint8_t spki[64], tbs[1024];
	struct oc_error error = { 0 };
	size_t len;

	(void)state;
	sample.version = 1;
	assert_int_equal(check(SIGN_KIND_CSR, tbs_csr), OC_ERR_MALFORMED);
	sample.has_trailing_null = true;
	assert_int_equal(csr(), OC_ERR_MALFORMED);
	sample.has_trailing_null = false;
	sample.version = 0;
	len = tbs_csr(&sample, tbs, sizeof(tbs));
	memcpy(spki, sample.spki.p, sample.spki.len);
	spki[sample.spki.len - 1] ^= 1;
	assert_int_equal(p11_allow_check(&allow, (struct der_bytes){ spki,
	    sample.spki.len }, SIGN_KIND_CSR, ALG, (struct der_bytes){ tbs,
	    len }, NOW, &error), OC_ERR_REFUSED);
}

/* What the signer makes of a list as it is written for it, of so many
 * entries; changed at this distance from its end, if that is not 0. */
static enum oc_err
long_crl(const struct x509_crl_tbs *plan, uint32_t num, size_t from_end)
{
	struct x509_crl_entry e = { .serial = { { 0x11 }, OC_SERIAL_MAX },
	    .revoked_at = NOW, .reason = CRL_REASON_SUPERSEDED };
	struct x509_crl_stream *stream;
	struct der_bytes tbs;
	enum oc_err err;

	assert_int_equal(x509_crl_stream_new(&stream), OC_OK);
	for (uint32_t i = 0; i < num; i++)
		assert_int_equal(x509_crl_stream_put(stream, &e), OC_OK);
	assert_int_equal(x509_crl_stream_end(stream, plan), OC_OK);
	tbs = x509_crl_stream_tbs(stream);
	if (from_end != 0)
		((uint8_t *)(uintptr_t)tbs.p)[tbs.len - from_end] ^= 1;
	err = check_bytes(SIGN_KIND_CRL, tbs);
	x509_crl_stream_free(stream);
	return err;
}

static void
long_crls_have_the_same_rules(void **state)
{
	static const uint8_t key_id[] = { 9, 8, 7, 6 };
	const struct x509_crl_tbs good = { .alg = ALG, .issuer = tbs_name,
	    .this_update = NOW, .next_update = NOW + 86400,
	    .authority_key_id = DER_ARRAY(key_id), .number = 1 };
	static const uint32_t nums[] = { 0, 1, 2000, 100000 };

	(void)state;
	allow.limits.key_id = DER_ARRAY(key_id);
	for (size_t i = 0; i < sizeof(nums) / sizeof(nums[0]); i++) {
		struct x509_crl_tbs bad = good;

		assert_int_equal(long_crl(&good, nums[i], 0), OC_OK);
		bad.issuer = tbs_other_name;
		assert_int_equal(long_crl(&bad, nums[i], 0), OC_ERR_REFUSED);
		bad = good;
		bad.alg = SIGN_ECDSA_SHA384;
		assert_int_equal(long_crl(&bad, nums[i], 0), OC_ERR_REFUSED);
		bad = good;
		bad.this_update = bad.next_update = NOW + 86400;
		assert_int_equal(long_crl(&bad, nums[i], 0), OC_ERR_REFUSED);
		bad = good;
		bad.authority_key_id = DER_ARRAY(key_sha1);
		assert_int_equal(long_crl(&bad, nums[i], 0), OC_ERR_REFUSED);
		/* The number's own length, and what the list of extensions
		 * begins with. */
		assert_int_equal(long_crl(&good, nums[i], 2),
		    OC_ERR_MALFORMED);
		assert_int_equal(long_crl(&good, nums[i], 3),
		    OC_ERR_MALFORMED);
	}
}

/* The same list, with the first of these octets changed. */
static enum oc_err
patched_crl(const struct x509_crl_tbs *plan, struct der_bytes from,
    const uint8_t *to)
{
	struct x509_crl_stream *stream;
	struct der_bytes tbs;
	uint8_t *at;
	enum oc_err err;

	assert_int_equal(x509_crl_stream_new(&stream), OC_OK);
	assert_int_equal(x509_crl_stream_end(stream, plan), OC_OK);
	tbs = x509_crl_stream_tbs(stream);
	at = memmem(tbs.p, tbs.len, from.p, from.len);
	assert_non_null(at);
	memcpy(at, to, from.len);
	err = check_bytes(SIGN_KIND_CRL, tbs);
	x509_crl_stream_free(stream);
	return err;
}
#define PATCHED(plan, from, to) patched_crl(plan, \
	(struct der_bytes)DER_LITERAL(from), (const uint8_t *)(to))

/* A part of the CA's certificates, and what changed since; no other list. */
static void
parts_and_deltas(void **state)
{
	static const uint8_t key_id[] = { 9, 8, 7, 6 };
	struct x509_crl_tbs part = { .alg = ALG, .issuer = tbs_name,
	    .this_update = NOW, .next_update = NOW + 86400,
	    .authority_key_id = DER_ARRAY(key_id), .number = 5,
	    .points = { DER_LITERAL("http://a/1.crl") }, .num_points = 1,
	    .has_only_user_certs = true,
	    .freshest_url = DER_LITERAL("http://a/d") };
	struct x509_crl_tbs delta = part;

	(void)state;
	allow.limits.key_id = DER_ARRAY(key_id);
	delta.freshest_url.len = 0;
	delta.base_number = 4;
	assert_int_equal(long_crl(&part, 3, 0), OC_OK);
	assert_int_equal(long_crl(&delta, 3, 0), OC_OK);
	/* Of the first list that there is. */
	delta.base_number = 5;
	assert_int_equal(long_crl(&delta, 3, 0), OC_OK);
	delta.base_number = 6;
	assert_int_equal(long_crl(&delta, 3, 0), OC_ERR_REFUSED);
	delta.base_number = 4;
	/* onlyContainsCACerts may be; onlySomeReasons, indirectCRL and
	 * onlyContainsAttributeCerts not. */
	assert_int_equal(PATCHED(&part, "\x81\x01\xff", "\x82\x01\xff"),
	    OC_OK);
	assert_int_equal(PATCHED(&part, "\x81\x01\xff", "\x83\x01\xff"),
	    OC_ERR_REFUSED);
	assert_int_equal(PATCHED(&part, "\x81\x01\xff", "\x84\x01\xff"),
	    OC_ERR_REFUSED);
	assert_int_equal(PATCHED(&part, "\x81\x01\xff", "\x85\x01\xff"),
	    OC_ERR_REFUSED);
	assert_int_not_equal(PATCHED(&part, "\x81\x01\xff",
	    "\x81\x01\x01"), OC_OK);
	/* A DNS name is no URL. */
	assert_int_equal(PATCHED(&part, "\x86\x0ehttp", "\x82\x0ehttp"),
	    OC_ERR_REFUSED);
	/* Not critical: FALSE is not written in DER, so it takes the place of
	 * another that is not known. */
	assert_int_not_equal(PATCHED(&part, "\x55\x1d\x1c\x01\x01\xff",
	    "\x55\x1d\x1c\x01\x01\x00"), OC_OK);
	assert_int_equal(PATCHED(&part, "\x55\x1d\x1c\x01\x01\xff",
	    "\x55\x1d\x7d\x01\x01\xff"), OC_ERR_REFUSED);
	assert_int_equal(PATCHED(&part, "\x06\x03\x55\x1d\x2e",
	    "\x06\x03\x55\x1d\x1c"), OC_ERR_REFUSED);
	assert_int_equal(PATCHED(&part, "\x06\x03\x55\x1d\x2e",
	    "\x06\x03\x55\x1d\x1b"), OC_ERR_REFUSED);
	assert_int_not_equal(PATCHED(&delta, "\x55\x1d\x1b\x01\x01\xff",
	    "\x55\x1d\x1b\x01\x01\x00"), OC_OK);
	/* BaseCRLNumber is negative. */
	assert_int_equal(PATCHED(&delta, "\x02\x01\x04", "\x02\x01\x84"),
	    OC_ERR_MALFORMED);
	/* Without a number there is nothing to be a delta to. */
	assert_int_equal(PATCHED(&delta, "\x55\x1d\x14",
	    "\x55\x1d\x7d"), OC_ERR_REFUSED);
}

/* Looking at what is long takes long, and all wait for it. */
static void
only_crls_are_long(void **state)
{
	static const enum sign_kind kinds[] = { SIGN_KIND_CERTIFICATE,
	    SIGN_KIND_OCSP, SIGN_KIND_CSR, SIGN_KIND_CRL };
	uint8_t *zeros = calloc(1, OC_TBS_INLINE_MAX + 1);

	(void)state;
	allow.kinds = ~0u;
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(check_bytes(kinds[i], (struct der_bytes){
		    zeros, OC_TBS_INLINE_MAX + 1 }), kinds[i] ==
		    SIGN_KIND_CRL ? OC_ERR_MALFORMED : OC_ERR_LIMIT);
	free(zeros);
}

static void
ocsp_responder_must_be_the_key(void **state)
{
	static const uint8_t nobody[20];

	(void)state;
	sample.responder_key_hash = DER_ARRAY(nobody);
	assert_int_equal(ocsp(), OC_ERR_REFUSED);
	sample.responder_name = tbs_other_name;
	assert_int_equal(ocsp(), OC_ERR_REFUSED);
	sample.responder_name = tbs_name;
	assert_int_equal(ocsp(), OC_OK);
	allow.name = (struct der_bytes){ NULL, 0 };
	assert_int_equal(ocsp(), OC_ERR_REFUSED);
}

static void
ocsp_certids_must_be_of_the_issuer(void **state)
{
	static const uint8_t nobody[20];

	(void)state;
	sample.hash = DER_OID_SHA256;
	sample.name_hash = DER_ARRAY(name_sha256);
	sample.key_hash = DER_ARRAY(key_sha256);
	assert_int_equal(ocsp(), OC_OK);
	sample.hash = DER_OID_SHA384;
	assert_int_equal(ocsp(), OC_ERR_REFUSED);
	sample.hash = DER_OID_COMMON_NAME;
	assert_int_equal(ocsp(), OC_ERR_REFUSED);
	(void)set_up(NULL);
	sample.name_hash = DER_ARRAY(nobody);
	assert_int_equal(ocsp(), OC_ERR_REFUSED);
	(void)set_up(NULL);
	sample.key_hash = DER_ARRAY(nobody);
	assert_int_equal(ocsp(), OC_ERR_REFUSED);
	(void)set_up(NULL);
	allow.ca_spki = (struct der_bytes){ NULL, 0 };
	assert_int_equal(ocsp(), OC_ERR_REFUSED);
}

static void
ocsp_times_are_bounded(void **state)
{
	(void)state;
	sample.produced_at = NOW + 3601;
	assert_int_equal(ocsp(), OC_ERR_REFUSED);
	sample.produced_at = NOW - 3601;
	assert_int_equal(ocsp(), OC_ERR_REFUSED);
	sample.produced_at = NOW - 3600;
	assert_int_equal(ocsp(), OC_OK);
	(void)set_up(NULL);
	sample.next_update = NOW + INT64_C(400) * 86400;
	assert_int_equal(ocsp(), OC_OK);
	sample.next_update++;
	assert_int_equal(ocsp(), OC_ERR_REFUSED);
	sample.next_update = NOW - 1;
	assert_int_equal(ocsp(), OC_ERR_REFUSED);
	(void)set_up(NULL);
	sample.this_update = NOW + 3601;
	assert_int_equal(ocsp(), OC_ERR_REFUSED);
	(void)set_up(NULL);
	sample.num_singles = 0;
	assert_int_equal(ocsp(), OC_ERR_MALFORMED);
	(void)set_up(NULL);
	sample.has_trailing_null = true;
	assert_int_equal(ocsp(), OC_ERR_MALFORMED);
}

static void
cut_or_extended_bytes_are_malformed(void **state)
{
	static make_fn *const makes[] = { of_subject, tbs_crl, tbs_ocsp,
	    tbs_csr };
	static const unsigned int versions[] = { 2, 1, 0, 0 };
	uint8_t tbs[1024];

	(void)state;
	for (int i = 0; i < 4; i++) {
		enum sign_kind kind = (enum sign_kind)(i + 1);
		size_t len;

		sample.version = versions[i];
		len = makes[i](&sample, tbs, sizeof(tbs));
		for (size_t cut = 0; cut < len; cut++)
			assert_int_equal(check_bytes(kind, (struct der_bytes){
			    tbs, cut }), OC_ERR_MALFORMED);
		tbs[len] = 0;
		assert_int_equal(check_bytes(kind, (struct der_bytes){ tbs,
		    len + 1 }), OC_ERR_MALFORMED);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(good_ones_pass, set_up),
		cmocka_unit_test_setup(no_kind_passes_as_another, set_up),
		cmocka_unit_test_setup(kinds_not_allowed_are_refused, set_up),
		cmocka_unit_test_setup(certificate_rules, set_up),
		cmocka_unit_test_setup(
		    key_without_certificate_signs_only_its_own, set_up),
		cmocka_unit_test_setup(crl_rules, set_up),
		cmocka_unit_test_setup(csr_rules, set_up),
		cmocka_unit_test_setup(long_crls_have_the_same_rules, set_up),
		cmocka_unit_test_setup(parts_and_deltas, set_up),
		cmocka_unit_test_setup(only_crls_are_long, set_up),
		cmocka_unit_test_setup(ocsp_responder_must_be_the_key,
		    set_up),
		cmocka_unit_test_setup(ocsp_certids_must_be_of_the_issuer,
		    set_up),
		cmocka_unit_test_setup(ocsp_times_are_bounded, set_up),
		cmocka_unit_test_setup(cut_or_extended_bytes_are_malformed,
		    set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
