/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a [profile] section says, in the certificate; what it must not say;
 * what a caller may give beside a CSR; each refusal by its rule, and each
 * field's origin.
 */
#include "ca_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ca/pattern.h"
#include "ca/plan.h"

#include <openssl/bn.h>
#include <openssl/param_build.h>

static char own[] = "own", file[] = "ocsign.conf", server[] = "server",
    client[] = "client", intermediate[] = "intermediate";

/* Nothing is given but what it is based on. */
static struct oc_config_profile
section_on(char *base)
{
	return (struct oc_config_profile){ .name = own, .based_on = base,
	    .validity_s = OC_CONFIG_UNSET, .backdate_s = OC_CONFIG_UNSET,
	    .path_length = OC_CONFIG_UNSET, .names_max = OC_CONFIG_UNSET,
	    .not_before_rounding_s = OC_CONFIG_UNSET, .file = file,
	    .line = 7 };
}

static void
use(struct ca_fixture *f, struct oc_config_profile *section)
{
	f->config.profiles = section;
	f->config.num_profiles = 1;
}

static struct oc_words
words_of(char **words, size_t num)
{
	return (struct oc_words){ words, num };
}

/* --- sections --------------------------------------------------------- */

static void
must_not_load(struct ca_fixture *f, const char *text)
{
	struct ca_profile profile;
	struct oc_error error = { 0 };

	if (ca_profile_find(&f->config, own, &profile, &error) == OC_OK)
		fail_msg("loaded; wanted: %s", text);
	if (strstr(error.text, text) == NULL ||
	    strstr(error.text, "ocsign.conf:7: [profile own]") == NULL)
		fail_msg("\"%s\" does not say \"%s\"", error.text, text);
}

/* The configuration's fields are not const; nobody writes to them here. */
static char *
loose(const char *text)
{
	return (char *)(uintptr_t)text;
}

static void
texts_are_refused(void **state)
{
	static const struct {
		char *base;
		const char *policies, *permitted, *whitelist, *words;
	} all[] = {
		{ server, "1.2.", NULL, NULL, "policies: \"1.2.\"" },
		{ server, "", NULL, NULL, "policies: there is none" },
		{ server, "cps=http://a/", NULL, NULL, "before the OID" },
		{ server, "1.2.3 cps=ftp://a/", NULL, NULL, "no http URI" },
		{ server, "1.2.3 notice=", NULL, NULL, "is empty" },
		{ server, "1.2.3 notice=\"a", NULL, NULL, "double quote" },
		{ server, "1.2.3 1.2.3", NULL, NULL, "there twice" },
		{ server, "1.2.3 notice=a notice=b notice=c notice=d "
		    "notice=e", NULL, NULL, "more than 4" },
		{ server, NULL, "dns:a.example", NULL, "only a CA" },
		{ intermediate, NULL, "a.example", NULL, "none of dns:" },
		{ intermediate, NULL, "dns:*.a.example", NULL, "no domain" },
		{ intermediate, NULL, "dns:.a.example", NULL, "no domain" },
		{ intermediate, NULL, "dns:", NULL, "no domain" },
		{ intermediate, NULL, "ip:10.0.0.0/33", NULL, "no range" },
		{ intermediate, NULL, "ip:10.0.0.1/8", NULL, "behind its" },
		{ intermediate, NULL, "ip:10.0.0", NULL, "no range" },
		{ intermediate, NULL, "ip:::1/64", NULL, "behind its mask" },
		{ intermediate, NULL, "email:@", NULL, "permitted-names" },
		{ intermediate, NULL, "uri:http://a/", NULL, "no domain" },
		{ intermediate, NULL, "dirName:X=1", NULL, "permitted-name" },
		{ intermediate, NULL, " ", NULL, "there is none" },
		{ server, NULL, NULL, "(", "name-whitelist: the regular" },
		{ server, NULL, NULL, "[a", "name-whitelist: the regular" },
		{ server, NULL, NULL, "(a)\\1", "name-whitelist: the reg" },
	};
	struct ca_fixture *f = *state;
	size_t i;

	for (i = 0; i < ARRAY_LEN(all); i++) {
		struct oc_config_profile section = section_on(all[i].base);

		section.policies = loose(all[i].policies);
		section.permitted_names = loose(all[i].permitted);
		section.name_whitelist = loose(all[i].whitelist);
		use(f, &section);
		must_not_load(f, all[i].words);
	}
}

static void
lists_are_refused(void **state)
{
	static char week[] = "7d", odd[] = "soon", oid[] = "1.2",
	    reserved[] = "2.5.29.17", poison[] = "1.3.6.1.4.1.11129.2.4.3";
	char *one[1];
	struct ca_fixture *f = *state;
	struct oc_config_profile section = section_on(server);

	use(f, &section);
	one[0] = odd;
	section.validity_choices = words_of(one, 1);
	must_not_load(f, "validity-choices");
	one[0] = week;
	must_not_load(f, "validity: is none of validity-choices");
	section.validity_choices.num = 0;
	section.copy_extensions = words_of(one, 1);
	must_not_load(f, "copy-extensions: \"7d\" is no dotted OID");
	one[0] = reserved;
	must_not_load(f, "copy-extensions: 2.5.29.17 is an extension");
	one[0] = poison;
	must_not_load(f, "is never copied");
	section.copy_extensions.num = 0;
	section.allowed_extensions = words_of(one, 1);
	must_not_load(f, "allowed-extensions: ");
	one[0] = oid;
	section = section_on(intermediate);
	section.name_kinds = OC_NAME_DNS;
	must_not_load(f, "name-kinds: what it is based on has no names");
}

static char *
text_of(X509 *cert)
{
	char *text = ca_print_extensions(cert);

	X509_free(cert);
	return text;
}

static void
sections_are_obeyed(void **state)
{
	static char policies[] = "1.2.3 cps=http://a.example/ "
	    "notice=\"Two words\" 1.2.4", feature[] = "tlsfeature";
	struct ca_fixture *f = *state;
	struct oc_config_profile section = section_on(server);
	char *oids[1] = { feature }, *text;

	section.policies = policies;
	section.copy_extensions = words_of(oids, 1);
	use(f, &section);
	text = text_of(ca_must_issue(f, own, ca_csr("P-256", "CN=a.example",
	    "subjectAltName", "DNS:a.example", "tlsfeature",
	    "status_request", NULL)));
	assert_non_null(strstr(text, "Policy: 1.2.3\n  CPS: http://a.example/"
	    "\n  User Notice:\n    Explicit Text: Two words\nPolicy: 1.2.4"));
	assert_non_null(strstr(text, "TLS Feature: status_request"));
	free(text);
	section.name_kinds = OC_NAME_DNS;
	section.names_max = 2;
	section.wildcard = OC_WILDCARD_NO;
	section.key_types = OC_KEY_EC;
	ca_must_refuse(f, own, ca_csr("P-256", "CN=a.example",
	    "subjectAltName", "DNS:a.example,IP:192.0.2.1", NULL),
	    "of a kind");
	ca_must_refuse(f, own, ca_csr("P-256", "CN=a.example",
	    "subjectAltName", "DNS:a.example,DNS:b.example,DNS:c.example",
	    NULL), "more than 2 names");
	ca_must_refuse(f, own, ca_csr("P-256", "CN=*.a.example",
	    "subjectAltName", "DNS:*.a.example", NULL), "wildcard");
	ca_must_refuse(f, own, ca_csr("RSA2048", "CN=a.example", NULL),
	    "EC only");
	X509_free(ca_must_issue(f, own, ca_csr("P-256", "CN=a.example",
	    NULL)));
}

static void
whitelist_is_for_every_kind(void **state)
{
	static char pattern[] = "^([a-z]+\\.ok\\.example|10\\.0\\.0\\.\\d+|"
	    "a@ok\\.example|https://ok\\.example/)$";
	struct ca_fixture *f = *state;
	struct oc_config_profile section = section_on(client);

	section.name_whitelist = pattern;
	use(f, &section);
	X509_free(ca_must_issue(f, own, ca_csr("P-256", "CN=a.ok.example",
	    "subjectAltName", "DNS:a.ok.example,IP:10.0.0.9,"
	    "email:a@ok.example,URI:https://ok.example/", NULL)));
	ca_must_refuse(f, own, ca_csr("P-256", "CN=b.example", NULL),
	    "the common name \"b.example\"");
	ca_must_refuse(f, own, ca_csr("P-256", "CN=a.ok.example,CN=b", NULL),
	    "the common name \"b\"");
	ca_must_refuse(f, own, ca_csr("P-256", "O=x", "subjectAltName",
	    "DNS:a.ok.example.evil", NULL), "does not match");
	ca_must_refuse(f, own, ca_csr("P-256", "O=x", "subjectAltName",
	    "IP:8.8.8.8", NULL), "\"8.8.8.8\"");
	ca_must_refuse(f, own, ca_csr("P-256", "O=x", "subjectAltName",
	    "IP:::1", NULL), "\"::1\"");
	ca_must_refuse(f, own, ca_csr("P-256", "O=x", "subjectAltName",
	    "email:b@ok.example", NULL), "\"b@ok.example\"");
	ca_must_refuse(f, own, ca_csr("P-256", "O=x", "subjectAltName",
	    "URI:https://ok.example/x", NULL), "does not match");
}

static void
a_label_that_is_none(void **state)
{
	static const char *const bad[] = { "xn--a.example",
	    "xn--.example", "ab--cd.example", "xn--99999999.example" };
	struct ca_fixture *f = *state;
	char san[64];
	size_t i;

	X509_free(ca_must_issue(f, server, ca_csr("P-256", "O=x",
	    "subjectAltName", "DNS:xn--bcher-kva.example", NULL)));
	for (i = 0; i < ARRAY_LEN(bad); i++) {
		print_message("%s\n", bad[i]);
		snprintf(san, sizeof(san), "DNS:%s", bad[i]);
		ca_must_refuse(f, server, ca_csr("P-256", "O=x",
		    "subjectAltName", san, NULL), bad[i]);
	}
}

/* --- patterns --------------------------------------------------------- */

static void
patterns(void **state)
{
	struct oc_error error = { 0 };
	struct ca_pattern *p;
	uint8_t many[64];

	(void)state;
	assert_int_equal(ca_pattern_new("^a+$", &p, &error), OC_OK);
	assert_true(ca_pattern_matches(p, DER_LITERAL("aaa")));
	assert_false(ca_pattern_matches(p, DER_LITERAL("aaa\n")));
	assert_false(ca_pattern_matches(p, DER_LITERAL("baaa")));
	assert_false(ca_pattern_matches(p, DER_LITERAL("")));
	assert_string_equal(ca_pattern_text(p), "^a+$");
	ca_pattern_free(p);
	assert_int_equal(ca_pattern_new("ab", &p, &error), OC_OK);
	assert_true(ca_pattern_matches(p, DER_LITERAL("xabx")));
	assert_false(ca_pattern_matches(p, DER_LITERAL("ab\xff")));
	ca_pattern_free(p);
	/* What takes for ever is no match, and soon. */
	assert_int_equal(ca_pattern_new("^(a+)+$", &p, &error), OC_OK);
	memset(many, 'a', sizeof(many));
	many[63] = 'b';
	assert_false(ca_pattern_matches(p, DER_ARRAY(many)));
	ca_pattern_free(p);
	assert_int_equal(ca_pattern_new("a{", &p, &error), OC_OK);
	ca_pattern_free(p);
	assert_int_equal(ca_pattern_new("a)", &p, &error), OC_ERR_MALFORMED);
	assert_non_null(strstr(error.text, "at character 2"));
	assert_int_equal(ca_pattern_new("\\C", &p, &error),
	    OC_ERR_MALFORMED);
}

/* --- what a caller gives ---------------------------------------------- */

static struct ca_plan *
plan_with(struct ca_fixture *f, const struct ca_profile *profile,
    const struct ca_request *given, enum ca_rule *rule,
    struct oc_error *error)
{
	struct ca_explanation x = { .num_items = 0 };
	struct ca_request request = *given;
	struct ca_plan *plan = NULL;

	request.profile = profile;
	request.csr = ca_csr("P-256", "CN=a.example", NULL);
	request.explanation = &x;
	if (ca_plan_new(f->issuer, &request, SIGN_ECDSA_SHA256, &plan,
	    error) != OC_OK)
		plan = NULL;
	*rule = x.rule;
	ca_explanation_fini(&x);
	return plan;
}

static void
extensions_of_a_caller(void **state)
{
	static char allowed[] = "1.2.3.4";
	static const struct ca_request_extension good = {
	    DER_LITERAL("\x2a\x03\x04"), true, DER_LITERAL("\x05\x00") };
	const struct ca_request_extension twice[] = { good, good };
	const struct ca_request_extension foreign = {
	    DER_LITERAL("\x2a\x03\x05"), false, DER_LITERAL("\x05\x00") };
	const struct ca_request_extension bad = { good.oid, false,
	    DER_LITERAL("\x05\x00\x00") };
	const struct ca_request_extension two = { good.oid, false,
	    DER_LITERAL("\x05\x00\x05\x00") };
	struct ca_fixture *f = *state;
	struct oc_config_profile section = section_on(server);
	char *oids[1] = { allowed };
	struct ca_profile profile;
	struct oc_error error = { 0 };
	enum ca_rule rule;
	struct ca_plan *plan;

	section.allowed_extensions = words_of(oids, 1);
	use(f, &section);
	ca_get_profile(f, own, &profile);
	plan = plan_with(f, &profile, &(struct ca_request){
	    .extensions = &good, .num_extensions = 1 }, &rule, &error);
	if (plan == NULL)
		fail_msg("%s", error.text);
	plan->serial = (struct oc_serial){ { 1 }, 1 };
	assert_int_equal(ca_plan_write(plan, &error), OC_OK);
	ca_plan_free(plan);
	assert_null(plan_with(f, &profile, &(struct ca_request){
	    .extensions = &foreign, .num_extensions = 1 }, &rule, &error));
	assert_int_equal(rule, CA_RULE_EXTENSION);
	assert_non_null(strstr(error.text, "1.2.3.5"));
	assert_null(plan_with(f, &profile, &(struct ca_request){
	    .extensions = twice, .num_extensions = 2 }, &rule, &error));
	assert_non_null(strstr(error.text, "twice"));
	assert_null(plan_with(f, &profile, &(struct ca_request){
	    .extensions = &bad, .num_extensions = 1 }, &rule, &error));
	assert_null(plan_with(f, &profile, &(struct ca_request){
	    .extensions = &two, .num_extensions = 1 }, &rule, &error));
	assert_int_equal(rule, CA_RULE_EXTENSION);
	ca_profile_fini(&profile);
}

static void
serial_of_a_caller(void **state)
{
	const struct ca_request with = { .serial = { { 0x12, 0x34 }, 2 } };
	struct ca_fixture *f = *state;
	struct ca_certificate made = { 0 };
	struct oc_error error = { 0 };
	struct ca_profile profile;
	struct ca_request request;
	enum ca_rule rule;

	ca_get_profile(f, server, &profile);
	assert_null(plan_with(f, &profile, &with, &rule, &error));
	assert_int_equal(rule, CA_RULE_SERIAL);
	profile.serial_rule = CA_SERIAL_OF_CALLER;
	assert_null(plan_with(f, &profile, &(struct ca_request){ 0 }, &rule,
	    &error));
	assert_int_equal(rule, CA_RULE_SERIAL);
	request = with;
	request.profile = &profile;
	request.csr = ca_csr("P-256", "CN=a.example", NULL);
	assert_int_equal(ca_issue(f->issuer, f->store, f->signer, &request,
	    ca_deadline(), &made, &error), OC_OK);
	assert_int_equal(made.serial.len, 2);
	assert_int_equal(made.serial.bytes[0], 0x12);
	ca_certificate_fini(&made);
	/* Once. */
	assert_int_equal(ca_issue(f->issuer, f->store, f->signer, &request,
	    ca_deadline(), &made, &error), OC_ERR_REFUSED);
	assert_non_null(strstr(error.text, "another certificate's"));
}

/* --- weak keys, all the way ------------------------------------------- */

/* The rule and text by which a key of these numbers is refused. */
static enum ca_rule
refuse_numbers(struct ca_fixture *f, const BIGNUM *n, unsigned long e,
    struct oc_error *error)
{
	struct x509_csr *csr = test_alloc(sizeof(*csr));
	struct ca_explanation x = { .num_items = 0 };
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	struct ca_profile profile;
	const struct ca_request request = { .profile = &profile, .csr = csr,
	    .explanation = &x };
	EVP_PKEY *key = NULL;
	OSSL_PARAM *params;
	uint8_t *der = NULL;
	enum ca_rule rule;
	int len;

	OSSL_PARAM_BLD_push_BN(build, "n", n);
	OSSL_PARAM_BLD_push_ulong(build, "e", e);
	params = OSSL_PARAM_BLD_to_param(build);
	assert_int_equal(EVP_PKEY_fromdata_init(ctx), 1);
	assert_int_equal(EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY,
	    params), 1);
	len = i2d_PUBKEY(key, &der);
	*csr = *ca_csr("RSA2048", "CN=a.example", NULL);
	csr->spki = test_i2d(len, der);
	ca_get_profile(f, server, &profile);
	assert_int_equal(ca_plan_preview(f->issuer, &request, error),
	    OC_ERR_REFUSED);
	rule = x.rule;
	ca_explanation_fini(&x);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(build);
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(key);
	return rule;
}

/* Two primes beside each other. */
static void
close_primes_are_refused(void **state)
{
	BN_CTX *ctx = BN_CTX_new();
	BIGNUM *p = BN_new(), *q = BN_new(), *n = BN_new();
	struct oc_error error = { 0 };

	assert_int_equal(BN_generate_prime_ex(p, 1024, 0, NULL, NULL, NULL),
	    1);
	BN_copy(q, p);
	do
		BN_add_word(q, 2);
	while (BN_check_prime(q, ctx, NULL) != 1);
	BN_mul(n, p, q, ctx);
	assert_int_equal(refuse_numbers(*state, n, 65537, &error),
	    CA_RULE_KEY_UNFIT);
	assert_non_null(strstr(error.text, "too close"));
	BN_free(p);
	BN_free(q);
	BN_free(n);
	BN_CTX_free(ctx);
}

/* A modulus with the ROCA generator's shape: k * M + 65537^a mod M, M the
 * product of the primes up to 167. */
static void
roca_is_refused(void **state)
{
	static const uint8_t primes[] = { 2, 3, 5, 7, 11, 13, 17, 19, 23, 29,
	    31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101,
	    103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167 };
	BIGNUM *m = BN_new(), *n = BN_new(), *a = BN_new(), *g = BN_new();
	BN_CTX *ctx = BN_CTX_new();
	struct oc_error error = { 0 };
	size_t i;

	BN_one(m);
	for (i = 0; i < sizeof(primes); i++)
		BN_mul_word(m, primes[i]);
	BN_set_word(g, 65537);
	do {
		/* Some have a small factor beyond 167, which is found too. */
		BN_rand(a, 100, 0, 0);
		BN_mod_exp(a, g, a, m, ctx);
		BN_rand(n, 2048 - BN_num_bits(m), 1, 0);
		BN_mul(n, n, m, ctx);
		BN_add(n, n, a);
		if (BN_num_bits(n) < 2048 || !BN_is_odd(n))
			continue;
		assert_int_equal(refuse_numbers(*state, n, 65537, &error),
		    CA_RULE_KEY_UNFIT);
	} while (strstr(error.text, "ROCA") == NULL);
	BN_free(m);
	BN_free(n);
	BN_free(a);
	BN_free(g);
	BN_CTX_free(ctx);
}

static void
exponents_are_refused(void **state)
{
	static const unsigned long bad[] = { 1, 3, 17, 65535, 65536, 65538 };
	struct oc_error error = { 0 };
	BIGNUM *n = NULL;
	char text[64];
	size_t i;

	assert_int_equal(EVP_PKEY_get_bn_param(test_key("RSA2048"), "n", &n),
	    1);
	for (i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(refuse_numbers(*state, n, bad[i], &error),
		    CA_RULE_KEY_UNFIT);
		snprintf(text, sizeof(text), "exponent %lu", bad[i]);
		assert_non_null(strstr(error.text, text));
	}
	BN_sub_word(n, 1);
	assert_int_equal(refuse_numbers(*state, n, 65537, &error),
	    CA_RULE_KEY_UNFIT);
	assert_non_null(strstr(error.text, "even modulus"));
	BN_free(n);
}

/* --- explained -------------------------------------------------------- */

static void
every_rule_has_a_name(void **state)
{
	int i, j;

	(void)state;
	for (i = 0; i < CA_RULE_MAX; i++)
		for (j = 0; j < i; j++)
			assert_string_not_equal(ca_rule_name((enum ca_rule)i),
			    ca_rule_name((enum ca_rule)j));
}

static const struct ca_explained *
find(const struct ca_explanation *x, const char *field, const char *value)
{
	size_t i;

	for (i = 0; i < x->num_items; i++)
		if (strcmp(x->items[i].field, field) == 0 &&
		    strstr(x->items[i].value, value) != NULL)
			return &x->items[i];
	fail_msg("no %s: %s", field, value);
	return NULL;
}

static void
fields_say_where_from(void **state)
{
	static const struct {
		const char *field, *value;
		enum ca_source source;
	} all[] = {
		{ "version", "3", CA_FROM_DEFAULT },
		{ "serialNumber", "20 octets", CA_FROM_DEFAULT },
		{ "issuer", "CN=", CA_FROM_ISSUER },
		{ "authorityKeyIdentifier", "", CA_FROM_ISSUER },
		{ "subjectPublicKeyInfo", "EC P-256", CA_FROM_CSR },
		{ "subjectKeyIdentifier", "", CA_FROM_KEY },
		{ "notBefore", "Z", CA_FROM_CLOCK },
		{ "notAfter", "Z", CA_FROM_REQUEST },
		{ "subject", "CN=a.example", CA_FROM_CSR },
		{ "basicConstraints", "not a CA", CA_FROM_PROFILE },
		{ "keyUsage", "digitalSignature", CA_FROM_PROFILE },
		{ "extKeyUsage", "serverAuth", CA_FROM_PROFILE },
		{ "subjectAltName", "DNS:a.example", CA_FROM_CSR },
		{ "subjectAltName", "DNS:b.example", CA_FROM_CSR },
		{ "ocsp", "http://ocsp.example/", CA_FROM_ISSUER },
		{ "caIssuers", "http://example/ca.der", CA_FROM_ISSUER },
		{ "cRLDistributionPoints", "http://", CA_FROM_ISSUER },
	};
	struct ca_fixture *f = *state;
	struct ca_explanation x = { .num_items = 0 };
	struct oc_error error = { 0 };
	struct ca_profile profile;
	const struct ca_request request = { .profile = &profile,
	    .csr = ca_csr("P-256", "CN=a.example", "subjectAltName",
	    "DNS:a.example,DNS:b.example,DNS:A.example", NULL),
	    .validity_s = 86400, .explanation = &x };
	size_t i;

	ca_get_profile(f, server, &profile);
	assert_int_equal(ca_plan_preview(f->issuer, &request, &error), OC_OK);
	assert_false(x.is_incomplete);
	assert_int_equal(x.rule, CA_RULE_NONE);
	for (i = 0; i < ARRAY_LEN(all); i++)
		assert_int_equal(find(&x, all[i].field, all[i].value)->source,
		    all[i].source);
	assert_int_equal(find(&x, "subjectAltName", "DNS:A.ex")->source,
	    CA_IGNORED);
	ca_explanation_fini(&x);
	assert_int_equal(ca_count(f, 0), 1);	/* the root's own */
}

/* --- below constraints ------------------------------------------------ */

static void
constrained(struct x509_tbs *tbs)
{
	struct x509_name_constraints *c = &tbs->extensions.name_constraints;

	c->permitted[c->num_permitted++] = (struct x509_san){ X509_SAN_DNS,
	    DER_LITERAL("example.com") };
	c->excluded[c->num_excluded++] = (struct x509_san){ X509_SAN_DNS,
	    DER_LITERAL("bad.example.com") };
}

static void
names_outside_are_refused(void **state)
{
	static const struct {
		const char *cn, *san;
		bool is_good;
	} all[] = {
		{ "a.example.com", "DNS:a.example.com", true },
		{ "*.example.com", "DNS:*.example.com", false },
		{ "a.example.org", "DNS:a.example.org", false },
		{ "x.bad.example.com", "DNS:x.bad.example.com", false },
	};
	struct ca_fixture *f = *state;
	struct ca_issuer *issuer = ca_reissue(f, constrained);
	struct ca_profile profile;
	char subject[64];
	size_t i;

	assert_int_equal(issuer->num_constraints, 1);
	ca_get_profile(f, server, &profile);
	for (i = 0; i < ARRAY_LEN(all); i++) {
		struct ca_explanation x = { .num_items = 0 };
		struct oc_error error = { 0 };
		struct ca_request request = { .profile = &profile,
		    .explanation = &x };
		enum oc_err err;

		snprintf(subject, sizeof(subject), "CN=%s", all[i].cn);
		request.csr = ca_csr("P-256", subject, "subjectAltName",
		    all[i].san, NULL);
		err = ca_plan_preview(issuer, &request, &error);
		if ((err == OC_OK) != all[i].is_good)
			fail_msg("%s: %s", all[i].san, error.text);
		assert_int_equal(x.rule, all[i].is_good ? CA_RULE_NONE :
		    CA_RULE_NAME_CONSTRAINT);
		ca_explanation_fini(&x);
	}
	ca_issuer_free(issuer);
}

#define WITH_CA(test) \
	cmocka_unit_test_setup_teardown(test, ca_setup, ca_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_CA(texts_are_refused),
		WITH_CA(lists_are_refused),
		WITH_CA(sections_are_obeyed),
		WITH_CA(whitelist_is_for_every_kind),
		WITH_CA(a_label_that_is_none),
		cmocka_unit_test(patterns),
		WITH_CA(extensions_of_a_caller),
		WITH_CA(serial_of_a_caller),
		WITH_CA(close_primes_are_refused),
		WITH_CA(roca_is_refused),
		WITH_CA(exponents_are_refused),
		cmocka_unit_test(every_rule_has_a_name),
		WITH_CA(fields_say_where_from),
		WITH_CA(names_outside_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, test_free_all);
}
