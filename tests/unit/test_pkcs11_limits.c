/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a CA's key may certify: a certificate that keeps every limit passes,
 * and each limit refuses what breaks it alone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "pkcs11/plan_limits.h"
#include "tests/unit/tbs_samples.h"

#define NOW INT64_C(1790000000)
#define DAY INT64_C(86400)
#define BYTES(...) ((struct der_bytes){ (const uint8_t[]){ __VA_ARGS__ }, \
	sizeof((const uint8_t[]){ __VA_ARGS__ }) })
#define NOT_CA BYTES(0x30, 0)
#define CA BYTES(0x30, 3, 1, 1, 0xff)
#define CA_LENGTH(n) BYTES(0x30, 6, 1, 1, 0xff, 2, 1, n)
#define OWN_ID BYTES(0x04, 4, 9, 8, 7, 6)
#define AUTHORITY BYTES(0x30, 6, 0x80, 4, 9, 8, 7, 6)
#define SERVER_AUTH 0x06, 8, 0x2b, 6, 1, 5, 5, 7, 3, 1
#define CLIENT_AUTH 0x06, 8, 0x2b, 6, 1, 5, 5, 7, 3, 2
#define OCSP_SIGNING 0x06, 8, 0x2b, 6, 1, 5, 5, 7, 3, 9
#define A_EXAMPLE 0x82, 9, 'a', '.', 'E', 'x', 'a', 'm', 'p', 'l', 'e'
#define EXAMPLE 0x16, 7, 'e', 'x', 'a', 'm', 'p', 'l', 'e'
#define MPLE 0x16, 4, 'm', 'p', 'l', 'e'

static struct tbs_sample sample;
static struct p11_allow allow;
static uint8_t own[64], extensions[2048];
static struct der_bytes own_spki;
static const uint8_t key_id[] = { 9, 8, 7, 6 };

static void
add(enum der_oid oid, bool is_critical, struct der_bytes value)
{
	sample.extensions = tbs_add_extension(sample.extensions, extensions,
	    sizeof(extensions), oid, is_critical, value);
}

static void
clear(void)
{
	sample.extensions = (struct der_bytes){ NULL, 0 };
}

/* All but basicConstraints of a certificate that anybody would sign. */
static void
set_leaf(void)
{
	clear();
	add(DER_OID_AUTHORITY_KEY_IDENTIFIER, false, AUTHORITY);
	add(DER_OID_KEY_USAGE, true, BYTES(3, 2, 7, 0x80));
}

static void
set_ca(struct der_bytes basic)
{
	clear();
	add(DER_OID_AUTHORITY_KEY_IDENTIFIER, false, AUTHORITY);
	add(DER_OID_SUBJECT_KEY_IDENTIFIER, false, BYTES(4, 2, 1, 2));
	add(DER_OID_KEY_USAGE, true, BYTES(3, 2, 1, 6));
	add(DER_OID_BASIC_CONSTRAINTS, true, basic);
}

static int
set_up(void **state)
{
	(void)state;
	tbs_sample_init(&sample, NOW);
	memcpy(own, sample.spki.p, sample.spki.len);
	own[sample.spki.len - 1] ^= 1;
	own_spki = (struct der_bytes){ own, sample.spki.len };
	allow = (struct p11_allow){
		.kinds = P11_ALLOW_ISSUER,
		.name = tbs_name,
		.limits = {
			.key_id = DER_ARRAY(key_id),
			.not_before = NOW - 10 * DAY,
			.not_after = NOW + 1000 * DAY,
			.sign_ca = P11_MAY,
			.max_path_length = P11_ANY_PATH_LENGTH,
			.sign_ocsp_signer = P11_MAY,
		},
	};
	set_leaf();
	return 0;
}

static enum oc_err
check(void)
{
	struct oc_error error = { 0 };
	uint8_t tbs[4096];
	enum oc_err err = p11_allow_check(&allow, own_spki,
	    SIGN_KIND_CERTIFICATE, SIGN_ECDSA_SHA256, (struct der_bytes){ tbs,
	    tbs_certificate(&sample, tbs, sizeof(tbs)) }, NOW, &error);

	assert_true((err == OC_OK) == (error.text[0] == '\0'));
	return err;
}

#define PASSES assert_int_equal(check(), OC_OK)
#define REFUSED assert_int_equal(check(), OC_ERR_REFUSED)
#define MALFORMED assert_int_equal(check(), OC_ERR_MALFORMED)

static void
key_ids_are_the_cas(void **state)
{
	(void)state;
	PASSES;
	clear();
	REFUSED;
	add(DER_OID_AUTHORITY_KEY_IDENTIFIER, false,
	    BYTES(0x30, 6, 0x80, 4, 9, 8, 7, 5));
	REFUSED;
	clear();
	/* By issuer and serial number, it could be another's key. */
	add(DER_OID_AUTHORITY_KEY_IDENTIFIER, false, BYTES(0x30, 3, 0x82, 1,
	    5));
	REFUSED;
	set_leaf();
	add(DER_OID_SUBJECT_KEY_IDENTIFIER, false, BYTES(4, 2, 1, 2));
	PASSES;
	set_leaf();
	add(DER_OID_SUBJECT_KEY_IDENTIFIER, false, OWN_ID);
	REFUSED;
	set_leaf();
	add(DER_OID_SUBJECT_KEY_IDENTIFIER, false, BYTES(4, 0));
	MALFORMED;
}

static void
lives_are_within_the_cas(void **state)
{
	(void)state;
	sample.not_before = allow.limits.not_before;
	sample.not_after = allow.limits.not_after;
	PASSES;
	sample.not_before--;
	REFUSED;
	sample.not_before++;
	sample.not_after++;
	REFUSED;
	sample.not_after--;
	allow.limits.max_validity_s = 1010 * DAY;
	PASSES;
	allow.limits.max_validity_s--;
	REFUSED;
	(void)set_up(NULL);
	allow.limits.not_before = NOW - 5000 * DAY;
	sample.not_before = NOW - 400 * DAY;
	PASSES;
	sample.not_before--;
	REFUSED;
}

static void
cas_are_limited(void **state)
{
	(void)state;
	set_ca(CA);
	PASSES;
	allow.limits.max_path_length = 1;
	REFUSED;			/* it has none */
	set_ca(CA_LENGTH(1));
	PASSES;
	set_ca(CA_LENGTH(2));
	REFUSED;
	allow.limits.sign_ca = P11_MAY_NOT;
	set_ca(CA_LENGTH(0));
	REFUSED;
	set_leaf();
	add(DER_OID_BASIC_CONSTRAINTS, true, NOT_CA);
	PASSES;
}

static void
cas_are_whole(void **state)
{
	(void)state;
	clear();
	add(DER_OID_AUTHORITY_KEY_IDENTIFIER, false, AUTHORITY);
	add(DER_OID_BASIC_CONSTRAINTS, true, CA);
	REFUSED;			/* no subjectKeyIdentifier */
	add(DER_OID_SUBJECT_KEY_IDENTIFIER, false, BYTES(4, 2, 1, 2));
	PASSES;
	clear();
	add(DER_OID_AUTHORITY_KEY_IDENTIFIER, false, AUTHORITY);
	add(DER_OID_SUBJECT_KEY_IDENTIFIER, false, BYTES(4, 2, 1, 2));
	add(DER_OID_BASIC_CONSTRAINTS, false, CA);
	REFUSED;			/* not critical */
	set_leaf();			/* digitalSignature */
	add(DER_OID_SUBJECT_KEY_IDENTIFIER, false, BYTES(4, 2, 1, 2));
	add(DER_OID_BASIC_CONSTRAINTS, true, CA);
	REFUSED;			/* no keyCertSign */
	clear();
	add(DER_OID_AUTHORITY_KEY_IDENTIFIER, false, AUTHORITY);
	add(DER_OID_KEY_USAGE, true, BYTES(3, 2, 1, 6));
	REFUSED;			/* keyCertSign, and no CA */
	set_leaf();
	add(DER_OID_BASIC_CONSTRAINTS, true, BYTES(0x30, 3, 1, 1, 0));
	PASSES;				/* no CA's, if oddly said */
	set_leaf();
	add(DER_OID_BASIC_CONSTRAINTS, true, BYTES(0x30, 3, 2, 1, 0));
	MALFORMED;			/* a length, and no CA */
}

static void
nobody_is_the_ca(void **state)
{
	(void)state;
	/* Its name for another key: not counted in a path's length. */
	sample.subject = tbs_name;
	set_ca(CA_LENGTH(0));
	REFUSED;
	set_leaf();
	REFUSED;
	/* Its key for another name, or as somebody's who is no CA. */
	sample.spki = own_spki;
	REFUSED;
	sample.subject = tbs_other_name;
	REFUSED;
	set_ca(CA_LENGTH(0));
	REFUSED;
	sample.subject = tbs_name;
	PASSES;
}

static void
ekus_are_limited(void **state)
{
	(void)state;
	add(DER_OID_EXTENDED_KEY_USAGE, false, BYTES(0x30, 10, OCSP_SIGNING));
	PASSES;
	allow.limits.sign_ocsp_signer = P11_MAY_NOT;
	REFUSED;
	set_leaf();
	add(DER_OID_EXTENDED_KEY_USAGE, false, BYTES(0x30, 20, SERVER_AUTH,
	    CLIENT_AUTH));
	PASSES;
	allow.limits.ekus = BYTES(SERVER_AUTH);
	REFUSED;
	allow.limits.ekus = BYTES(CLIENT_AUTH, SERVER_AUTH);
	PASSES;
	set_leaf();
	REFUSED;			/* without, it is for anything */
	set_ca(CA);
	PASSES;
	set_leaf();
	add(DER_OID_EXTENDED_KEY_USAGE, false, BYTES(0x30, 0));
	MALFORMED;
}

static void
dns_names_are_limited(void **state)
{
	(void)state;
	add(DER_OID_SUBJECT_ALT_NAME, false, BYTES(0x30, 11, A_EXAMPLE));
	PASSES;
	allow.limits.permitted_dns = BYTES(EXAMPLE);
	PASSES;
	allow.limits.excluded_dns = BYTES(MPLE);
	PASSES;				/* a label is whole */
	allow.limits.excluded_dns = BYTES(MPLE, EXAMPLE);
	REFUSED;
	allow.limits.excluded_dns = BYTES(MPLE);
	allow.limits.permitted_dns = BYTES(MPLE);
	REFUSED;
	set_leaf();
	add(DER_OID_SUBJECT_ALT_NAME, false, BYTES(0x30, 6, 0x82, 4, 'm', 'p',
	    'l', 'e'));
	REFUSED;
	allow.limits.excluded_dns = BYTES(EXAMPLE);
	PASSES;
	set_leaf();
	add(DER_OID_SUBJECT_ALT_NAME, false, BYTES(0x30, 6, 0x87, 4, 1, 2, 3,
	    4));
	PASSES;
}

static void
set_dns(const char *name)
{
	uint8_t value[256] = { 0x30, 0, 0x82, 0 };
	size_t len = strlen(name);

	assert_true(len < 120);
	value[1] = (uint8_t)(len + 2);
	value[3] = (uint8_t)len;
	memcpy(value + 4, name, len);
	set_leaf();
	add(DER_OID_SUBJECT_ALT_NAME, false, (struct der_bytes){ value,
	    len + 4 });
}

/* What one reader takes for another name than the next. */
static void
no_spelling_gets_around_a_domain(void **state)
{
	(void)state;
	allow.limits.excluded_dns = BYTES(MPLE);
	set_dns("a.b");
	PASSES;
	set_dns("a.MPLE");
	REFUSED;
	set_dns("mple.");
	REFUSED;
	set_dns("a.mple..");
	REFUSED;
	set_dns(".a.b");
	REFUSED;
	set_dns("a*.b");
	REFUSED;
	set_dns("*.b");
	PASSES;
	set_dns("*");
	REFUSED;
	/* It stands for all that is one label longer. */
	allow.limits.excluded_dns = BYTES(0x16, 6, 'm', 'x', '.', 'p', 'l',
	    'e');
	set_dns("*.Ple");
	REFUSED;
	set_dns("*.x.ple");
	PASSES;
	set_dns("*.le");
	PASSES;
	allow.limits.excluded_dns = BYTES(0x16, 8, 'a', '.', 'm', 'x', '.',
	    'p', 'l', 'e');
	set_dns("*.ple");
	PASSES;
	allow.limits.excluded_dns = (struct der_bytes){ NULL, 0 };
	allow.limits.permitted_dns = BYTES(MPLE);
	set_dns("*.mple");
	PASSES;
	set_leaf();
	add(DER_OID_SUBJECT_ALT_NAME, false, BYTES(0x30, 10, 0x82, 8, 'a',
	    '.', 'b', 0, 'm', 'p', 'l', 'e'));
	REFUSED;
	set_leaf();
	add(DER_OID_SUBJECT_ALT_NAME, false, BYTES(0x30, 11, 0x82, 9, 'a',
	    '.', 'b', 0, '.', 'm', 'p', 'l', 'e'));
	REFUSED;
}

#define CN_OF(tag, ...) BYTES(0x30, 0x10, 0x31, 0x0e, 0x30, 0x0c, 0x06, 3, \
	0x55, 4, 3, tag, 5, __VA_ARGS__)

static void
common_name_is_no_way_around_a_domain(void **state)
{
	(void)state;
	allow.limits.permitted_dns = BYTES(MPLE);
	PASSES;
	sample.subject = CN_OF(0x0c, 'a', '.', 'b', '.', 'c');
	REFUSED;
	add(DER_OID_SUBJECT_ALT_NAME, false, BYTES(0x30, 6, 0x87, 4, 1, 2, 3,
	    4));
	REFUSED;
	/* With a dNSName, nobody looks at it. */
	set_dns("a.mple");
	PASSES;
	set_leaf();
	add(DER_OID_EXTENDED_KEY_USAGE, false, BYTES(0x30, 10, CLIENT_AUTH));
	PASSES;
	set_leaf();
	add(DER_OID_EXTENDED_KEY_USAGE, false, BYTES(0x30, 20, CLIENT_AUTH,
	    SERVER_AUTH));
	REFUSED;
	sample.subject = CN_OF(0x0c, '*', '.', 'b', '.', 'c');
	REFUSED;
	sample.subject = BYTES(0x30, 0x11, 0x31, 0x0f, 0x30, 0x0d, 0x06, 3,
	    0x55, 4, 3, 0x1e, 6, 0, 'a', 0, '.', 0, 'b');
	REFUSED;
	sample.subject = CN_OF(0x0c, 'A', ' ', 'B', '.', ' ');
	PASSES;
	set_ca(CA);
	sample.subject = CN_OF(0x0c, 'a', '.', 'b', '.', 'c');
	PASSES;
	allow.limits.permitted_dns = (struct der_bytes){ NULL, 0 };
	set_leaf();
	PASSES;
	allow.limits.excluded_dns = BYTES(0x16, 1, 'c');
	REFUSED;
}

static void
extensions_are_known_and_there_once(void **state)
{
	(void)state;
	add(DER_OID_TLS_FEATURE, false, BYTES(0x30, 3, 2, 1, 5));
	PASSES;
	add(DER_OID_TLS_FEATURE, false, BYTES(0x30, 3, 2, 1, 5));
	REFUSED;
	set_leaf();
	add(DER_OID_CT_POISON, true, BYTES(5, 0));
	REFUSED;
	allow.limits.criticals = BYTES(0x06, 10, 0x2b, 6, 1, 4, 1, 0xd6, 0x79,
	    2, 4, 3);
	PASSES;
	set_leaf();
	for (int i = 0; i < 40; i++)
		add(DER_OID_CT_POISON, false, BYTES(5, 0));
	REFUSED;
}

static enum oc_err
check_crl(void)
{
	struct oc_error error = { 0 };
	uint8_t tbs[4096];

	sample.version = 1;
	return p11_allow_check(&allow, own_spki, SIGN_KIND_CRL,
	    SIGN_ECDSA_SHA256, (struct der_bytes){ tbs, tbs_crl(&sample, tbs,
	    sizeof(tbs)) }, NOW, &error);
}

static void
crls_have_key_and_number(void **state)
{
	(void)state;
	clear();
	assert_int_equal(check_crl(), OC_ERR_REFUSED);
	add(DER_OID_AUTHORITY_KEY_IDENTIFIER, false, AUTHORITY);
	assert_int_equal(check_crl(), OC_ERR_REFUSED);
	add(DER_OID_CRL_NUMBER, false, BYTES(2, 1, 7));
	assert_int_equal(check_crl(), OC_OK);
	sample.not_after = NOW + 5 * 366 * DAY;
	assert_int_equal(check_crl(), OC_OK);
	sample.not_after++;
	assert_int_equal(check_crl(), OC_ERR_REFUSED);
	/* Without an end it is good for ever, whenever it began. */
	sample.not_after = TBS_NO_NEXT_UPDATE;
	assert_int_equal(check_crl(), OC_ERR_REFUSED);
	sample.not_before = -DAY;
	assert_int_equal(check_crl(), OC_ERR_REFUSED);
	sample.not_after = NOW + DAY;
	sample.not_before = NOW + 3601;
	assert_int_equal(check_crl(), OC_ERR_REFUSED);
	sample.not_before = NOW;
	clear();
	add(DER_OID_AUTHORITY_KEY_IDENTIFIER, false, AUTHORITY);
	add(DER_OID_CRL_NUMBER, false, BYTES(2, 1, 0x87));
	assert_int_equal(check_crl(), OC_ERR_MALFORMED);
}

/* A list of the number 7 with one more extension. */
static enum oc_err
crl_with(enum der_oid oid, bool is_critical, struct der_bytes value)
{
	clear();
	add(DER_OID_AUTHORITY_KEY_IDENTIFIER, false, AUTHORITY);
	add(DER_OID_CRL_NUMBER, false, BYTES(2, 1, 7));
	add(oid, is_critical, value);
	return check_crl();
}

/* Who does not know what makes a part or a delta of it must not take it for
 * the whole. */
static void
parts_of_crls_are_critical(void **state)
{
	static const uint8_t named[] = { 0x30, 9, 0xa0, 7, 0xa0, 5, 0x86, 3,
	    'h', ':', 'a' };
	static const uint8_t indirect[] = { 0x30, 12, 0xa0, 7, 0xa0, 5, 0x86,
	    3, 'h', ':', 'a', 0x84, 1, 0xff };
	static const uint8_t no_name[] = { 0x30, 3, 0x81, 1, 0xff };

	(void)state;
	assert_int_equal(crl_with(DER_OID_DELTA_CRL_INDICATOR, true,
	    BYTES(2, 1, 6)), OC_OK);
	assert_int_equal(crl_with(DER_OID_DELTA_CRL_INDICATOR, false,
	    BYTES(2, 1, 6)), OC_ERR_REFUSED);
	assert_int_equal(crl_with(DER_OID_DELTA_CRL_INDICATOR, true,
	    BYTES(2, 1, 8)), OC_ERR_REFUSED);
	assert_int_equal(crl_with(DER_OID_DELTA_CRL_INDICATOR, true,
	    BYTES(2, 1, 6, 0)), OC_ERR_MALFORMED);
	add(DER_OID_FRESHEST_CRL, false, BYTES(0x30, 0));
	assert_int_not_equal(check_crl(), OC_OK);
	assert_int_equal(crl_with(DER_OID_ISSUING_DISTRIBUTION_POINT, true,
	    DER_ARRAY(named)), OC_OK);
	assert_int_equal(crl_with(DER_OID_ISSUING_DISTRIBUTION_POINT, false,
	    DER_ARRAY(named)), OC_ERR_REFUSED);
	assert_int_equal(crl_with(DER_OID_ISSUING_DISTRIBUTION_POINT, true,
	    DER_ARRAY(indirect)), OC_ERR_REFUSED);
	assert_int_equal(crl_with(DER_OID_ISSUING_DISTRIBUTION_POINT, true,
	    DER_ARRAY(no_name)), OC_ERR_REFUSED);
	assert_int_equal(crl_with(DER_OID_FRESHEST_CRL, false,
	    BYTES(0x30, 0)), OC_OK);
	assert_int_equal(crl_with(DER_OID_FRESHEST_CRL, true,
	    BYTES(0x30, 0)), OC_ERR_REFUSED);
}

static void
copy_is_its_own(void **state)
{
	struct p11_allow copy;
	uint8_t *bytes;

	(void)state;
	allow.limits.ekus = BYTES(SERVER_AUTH);
	allow.ca_name = tbs_other_name;
	assert_int_equal(p11_allow_copy(&allow, &copy, &bytes), OC_OK);
	assert_true(copy.limits.ekus.p != allow.limits.ekus.p);
	assert_true(der_bytes_equal(copy.limits.ekus, allow.limits.ekus));
	assert_true(der_bytes_equal(copy.name, allow.name));
	assert_true(der_bytes_equal(copy.ca_name, allow.ca_name));
	assert_true(der_bytes_equal(copy.limits.key_id,
	    allow.limits.key_id));
	assert_int_equal(copy.limits.not_after, allow.limits.not_after);
	free(bytes);
}

/* --- from the configuration ----------------------------------------------- */

static enum oc_err
plan(struct oc_config_issuer *issuer, int path_length,
    struct p11_limits *limits, uint8_t **bytes)
{
	static struct x509_cert cert;
	struct oc_error error = { 0 };

	cert.extensions.path_length = path_length;
	cert.extensions.subject_key_id = DER_ARRAY(key_id);
	cert.not_before = 5;
	cert.not_after = 7;
	return p11_plan_limits(issuer, &cert, limits, bytes, &error);
}

static void
limits_come_from_certificate_and_section(void **state)
{
	static char server[] = "serverAuth", client[] = "1.3.6.1.5.5.7.3.2";
	static char example[] = "example", nonsense[] = "server";
	char *ekus[] = { server, client }, *domains[] = { example };
	char *wrong[] = { nonsense };
	struct oc_config_issuer issuer = { .allow = OC_ALLOW_CERTIFICATE,
	    .allow_ca = OC_SWITCH_YES, .max_path_length = OC_CONFIG_UNSET,
	    .max_validity_s = OC_CONFIG_UNSET };
	struct p11_limits l;
	uint8_t *bytes = NULL;

	(void)state;
	assert_int_equal(plan(&issuer, X509_NO_PATH_LENGTH, &l, &bytes),
	    OC_OK);
	assert_int_equal(l.sign_ca, P11_MAY);
	assert_int_equal(l.max_path_length, P11_ANY_PATH_LENGTH);
	assert_int_equal(l.sign_ocsp_signer, P11_MAY_NOT);
	assert_int_equal(l.not_before, 5);
	assert_int_equal(l.not_after, 7);
	assert_int_equal(l.max_validity_s, 0);
	assert_true(der_bytes_equal(l.key_id, DER_ARRAY(key_id)));
	assert_int_equal(l.ekus.len + l.criticals.len, 0);
	free(bytes);
	assert_int_equal(plan(&issuer, 0, &l, &bytes), OC_OK);
	assert_int_equal(l.sign_ca, P11_MAY_NOT);
	free(bytes);
	issuer.max_path_length = 4;
	assert_int_equal(plan(&issuer, 3, &l, &bytes), OC_OK);
	assert_int_equal(l.max_path_length, 2);
	free(bytes);
	issuer.max_path_length = 1;
	issuer.allow_ca = OC_SWITCH_NO;
	issuer.permitted_ekus = (struct oc_words){ ekus, 2 };
	issuer.excluded_dns = (struct oc_words){ domains, 1 };
	assert_int_equal(plan(&issuer, 3, &l, &bytes), OC_OK);
	assert_int_equal(l.max_path_length, 1);
	assert_int_equal(l.sign_ca, P11_MAY_NOT);
	assert_true(der_bytes_equal(l.ekus, BYTES(SERVER_AUTH,
	    CLIENT_AUTH)));
	assert_true(der_bytes_equal(l.excluded_dns, BYTES(EXAMPLE)));
	assert_int_equal(l.permitted_dns.len, 0);
	free(bytes);
	issuer.critical_extensions = (struct oc_words){ wrong, 1 };
	assert_int_equal(plan(&issuer, 3, &l, &bytes), OC_ERR_CONFIG);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(key_ids_are_the_cas, set_up),
		cmocka_unit_test_setup(lives_are_within_the_cas, set_up),
		cmocka_unit_test_setup(cas_are_limited, set_up),
		cmocka_unit_test_setup(cas_are_whole, set_up),
		cmocka_unit_test_setup(nobody_is_the_ca, set_up),
		cmocka_unit_test_setup(ekus_are_limited, set_up),
		cmocka_unit_test_setup(dns_names_are_limited, set_up),
		cmocka_unit_test_setup(no_spelling_gets_around_a_domain,
		    set_up),
		cmocka_unit_test_setup(common_name_is_no_way_around_a_domain,
		    set_up),
		cmocka_unit_test_setup(extensions_are_known_and_there_once,
		    set_up),
		cmocka_unit_test_setup(crls_have_key_and_number, set_up),
		cmocka_unit_test_setup(parts_of_crls_are_critical, set_up),
		cmocka_unit_test_setup(copy_is_its_own, set_up),
		cmocka_unit_test(limits_come_from_certificate_and_section),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
