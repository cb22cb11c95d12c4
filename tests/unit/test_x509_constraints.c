/* SPDX-License-Identifier: Apache-2.0 */
/*
 * certificatePolicies, nameConstraints and extensions that are only carried:
 * their octets against OpenSSL's, what is refused in them, and what the
 * constraints of a CA allow, against OpenSSL's verdict.  RFC5280:4.2.1.10
 */
#include "x509_test.h"

#include <stdlib.h>
#include <string.h>

#include "x509/constraints.h"

static void
put(struct der_writer *w, const void *arg)
{
	x509_put_extensions(w, arg);
}

/* The Extensions TLV of one extension that OpenSSL made. */
static struct der_bytes
openssl_list(int nid, int is_critical, void *value)
{
	STACK_OF(X509_EXTENSION) *stack = NULL;
	uint8_t *der = NULL;
	int len;

	assert_int_equal(X509V3_add1_i2d(&stack, nid, value, is_critical,
	    X509V3_ADD_APPEND), 1);
	len = i2d_X509_EXTENSIONS(stack, &der);
	sk_X509_EXTENSION_pop_free(stack, X509_EXTENSION_free);
	return test_i2d(len, der);
}

static void
push_qualifier(POLICYINFO *info, enum x509_qualifier_kind kind,
    struct der_bytes text)
{
	POLICYQUALINFO *q = POLICYQUALINFO_new();

	if (info->qualifiers == NULL)
		info->qualifiers = sk_POLICYQUALINFO_new_null();
	ASN1_OBJECT_free(q->pqualid);
	if (kind == X509_QUALIFIER_CPS) {
		q->pqualid = OBJ_nid2obj(NID_id_qt_cps);
		q->d.cpsuri = ASN1_IA5STRING_new();
		ASN1_STRING_set(q->d.cpsuri, text.p, (int)text.len);
	} else {
		q->pqualid = OBJ_nid2obj(NID_id_qt_unotice);
		q->d.usernotice = USERNOTICE_new();
		q->d.usernotice->exptext = ASN1_UTF8STRING_new();
		ASN1_STRING_set(q->d.usernotice->exptext, text.p,
		    (int)text.len);
	}
	sk_POLICYQUALINFO_push(info->qualifiers, q);
}

static struct der_bytes
openssl_policies(const struct x509_extensions *e)
{
	CERTIFICATEPOLICIES *all = CERTIFICATEPOLICIES_new();
	char dotted[DER_OID_TEXT_MAX];
	struct der_bytes der;
	uint32_t i, j;

	for (i = 0; i < e->num_policies; i++) {
		const struct x509_policy *p = &e->policies[i];
		POLICYINFO *info = POLICYINFO_new();

		der_oid_format(p->oid, dotted);
		ASN1_OBJECT_free(info->policyid);
		info->policyid = OBJ_txt2obj(dotted, 1);
		for (j = 0; j < p->num_qualifiers; j++)
			push_qualifier(info, p->qualifiers[j].kind,
			    p->qualifiers[j].text);
		sk_POLICYINFO_push(all, info);
	}
	der = openssl_list(NID_certificate_policies, 0, all);
	CERTIFICATEPOLICIES_free(all);
	return der;
}

static GENERAL_NAME *
openssl_base(const struct x509_san *base)
{
	GENERAL_NAME *gn = GENERAL_NAME_new();
	const uint8_t *p = base->value.p;
	ASN1_STRING *string;

	if (base->kind == X509_SAN_DIRECTORY) {
		GENERAL_NAME_set0_value(gn, GEN_DIRNAME, d2i_X509_NAME(NULL,
		    &p, (long)base->value.len));
		return gn;
	}
	string = base->kind == X509_SAN_IP ? ASN1_OCTET_STRING_new() :
	    ASN1_IA5STRING_new();
	ASN1_STRING_set(string, base->value.p, (int)base->value.len);
	GENERAL_NAME_set0_value(gn, base->kind == X509_SAN_DNS ? GEN_DNS :
	    base->kind == X509_SAN_IP ? GEN_IPADD :
	    base->kind == X509_SAN_URI ? GEN_URI : GEN_EMAIL, string);
	return gn;
}

static STACK_OF(GENERAL_SUBTREE) *
openssl_subtrees(const struct x509_san *bases, uint32_t num)
{
	STACK_OF(GENERAL_SUBTREE) *trees = sk_GENERAL_SUBTREE_new_null();
	uint32_t i;

	for (i = 0; i < num; i++) {
		GENERAL_SUBTREE *tree = GENERAL_SUBTREE_new();

		GENERAL_NAME_free(tree->base);
		tree->base = openssl_base(&bases[i]);
		sk_GENERAL_SUBTREE_push(trees, tree);
	}
	return trees;
}

static NAME_CONSTRAINTS *
openssl_constraints(const struct x509_name_constraints *c)
{
	NAME_CONSTRAINTS *nc = NAME_CONSTRAINTS_new();

	if (c->num_permitted != 0)
		nc->permittedSubtrees = openssl_subtrees(c->permitted,
		    c->num_permitted);
	if (c->num_excluded != 0)
		nc->excludedSubtrees = openssl_subtrees(c->excluded,
		    c->num_excluded);
	return nc;
}

static void
check_both_ways(const struct x509_extensions *e, struct der_bytes want)
{
	static struct x509_extensions again;

	assert_bytes_equal(test_write(put, e), want);
	assert_int_equal(x509_read_extensions(want, &again, NULL), OC_OK);
	assert_extensions_equal(&again, e);
}

static struct der_bytes
random_oid(uint64_t *seed)
{
	uint8_t *p = test_alloc(8);
	int i;

	p[0] = 0x2b;
	for (i = 1; i < 8; i++)
		p[i] = (uint8_t)(test_random(seed) >> 57);
	return (struct der_bytes){ p, 8 };
}

static void
test_policies(void **state)
{
	static const struct der_bytes texts[] = {
		DER_LITERAL("http://example.com/cps"),
		DER_LITERAL("F\xc3\xbcr alle, die es lesen"),
		DER_LITERAL("x"),
	};
	struct x509_extensions e;
	uint64_t seed = 11;
	int round;

	(void)state;
	for (round = 0; round < 300; round++) {
		uint32_t i, j;

		memset(&e, 0, sizeof(e));
		e.num_policies = 1 + test_random_below(&seed,
		    X509_POLICIES_MAX);
		for (i = 0; i < e.num_policies; i++) {
			struct x509_policy *p = &e.policies[i];

			p->oid = random_oid(&seed);
			p->num_qualifiers = test_random_below(&seed,
			    X509_QUALIFIERS_MAX + 1);
			for (j = 0; j < p->num_qualifiers; j++) {
				bool is_cps = test_random_below(&seed, 2);

				p->qualifiers[j].kind = is_cps ?
				    X509_QUALIFIER_CPS :
				    X509_QUALIFIER_NOTICE;
				p->qualifiers[j].text = texts[is_cps ? 0 :
				    test_random_below(&seed, 3)];
			}
		}
		check_both_ways(&e, openssl_policies(&e));
	}
}

static void
random_base(uint64_t *seed, struct x509_san *base)
{
	static const struct x509_san all[] = {
		{ X509_SAN_DNS, DER_LITERAL("example.com") },
		{ X509_SAN_DNS, DER_LITERAL("") },
		{ X509_SAN_EMAIL, DER_LITERAL("example.com") },
		{ X509_SAN_EMAIL, DER_LITERAL("a@example.com") },
		{ X509_SAN_URI, DER_LITERAL(".example.com") },
		{ X509_SAN_IP, DER_LITERAL("\x0a\0\0\0\xff\0\0\0") },
		{ X509_SAN_IP, DER_LITERAL("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
		    "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0") },
	};
	uint32_t i = test_random_below(seed, ARRAY_LEN(all) + 1);

	if (i < ARRAY_LEN(all))
		*base = all[i];
	else
		*base = (struct x509_san){ X509_SAN_DIRECTORY,
		    test_name("C=DE,O=Example") };
}

static void
test_constraints(void **state)
{
	struct x509_extensions e;
	uint64_t seed = 12;
	int round;

	(void)state;
	for (round = 0; round < 300; round++) {
		struct x509_name_constraints *c = &e.name_constraints;
		NAME_CONSTRAINTS *nc;
		uint32_t i;

		memset(&e, 0, sizeof(e));
		c->num_permitted = test_random_below(&seed, 5);
		c->num_excluded = test_random_below(&seed, 5);
		if (round == 0)
			c->num_permitted = X509_SUBTREES_MAX;
		if (c->num_permitted + c->num_excluded == 0)
			c->num_excluded = 1;
		for (i = 0; i < c->num_permitted; i++)
			random_base(&seed, &c->permitted[i]);
		for (i = 0; i < c->num_excluded; i++)
			random_base(&seed, &c->excluded[i]);
		nc = openssl_constraints(c);
		check_both_ways(&e, openssl_list(NID_name_constraints, 1,
		    nc));
		NAME_CONSTRAINTS_free(nc);
	}
}

/* RFC 7633's TLS feature, status_request: as OpenSSL's text has it. */
static void
test_others(void **state)
{
	struct x509_extensions e = { .num_others = 1,
	    .others = { der_oid_bytes(DER_OID_TLS_FEATURE) },
	    .other_values = { DER_LITERAL("\x30\x03\x02\x01\x05") } };
	X509_EXTENSION *x = X509V3_EXT_conf_nid(NULL, NULL, NID_tlsfeature,
	    "status_request");
	STACK_OF(X509_EXTENSION) *stack = sk_X509_EXTENSION_new_null();
	uint8_t *der = NULL;
	int len;

	(void)state;
	assert_non_null(x);
	sk_X509_EXTENSION_push(stack, x);
	len = i2d_X509_EXTENSIONS(stack, &der);
	check_both_ways(&e, test_i2d(len, der));
	X509_EXTENSION_set_critical(x, 1);
	e.is_other_critical[0] = true;
	der = NULL;
	len = i2d_X509_EXTENSIONS(stack, &der);
	check_both_ways(&e, test_i2d(len, der));
	sk_X509_EXTENSION_pop_free(stack, X509_EXTENSION_free);
	e.others[0] = DER_LITERAL("\x2b\x86");	/* no OID */
	{
		size_t n;

		assert_int_equal(der_write(put, &e, NULL, 0, &n),
		    OC_ERR_MALFORMED);
	}
}

struct value {
	enum oc_err want;
	enum der_oid id;
	struct der_bytes value;
};

static void
put_value(struct der_writer *w, const void *arg)
{
	const struct value *v = arg;

	der_begin(w, DER_SEQUENCE);
	der_begin(w, DER_SEQUENCE);
	der_put_oid(w, v->id);
	der_put_octets(w, v->value);
	der_end(w);
	der_end(w);
}

#define CP(err, octets) { OC_##err, DER_OID_CERTIFICATE_POLICIES, \
	DER_LITERAL(octets) }
#define NC(err, octets) { OC_##err, DER_OID_NAME_CONSTRAINTS, \
	DER_LITERAL(octets) }
#define CPS_ID "\x06\x08\x2b\x06\x01\x05\x05\x07\x02\x01"
#define NOTICE_ID "\x06\x08\x2b\x06\x01\x05\x05\x07\x02\x02"

static const struct value values[] = {
	CP(OK, "\x30\x05\x30\x03\x06\x01\x2a"),
	CP(ERR_MALFORMED, ""),
	CP(ERR_MALFORMED, "\x30\x00"),
	CP(ERR_MALFORMED, "\x30\x02\x30\x00"),
	CP(ERR_MALFORMED, "\x31\x05\x30\x03\x06\x01\x2a"),
	CP(ERR_MALFORMED, "\x30\x05\x30\x03\x06\x01\x2a\x00"),
	CP(ERR_MALFORMED, "\x30\x05\x30\x03\x06\x01\x80"),
	CP(ERR_MALFORMED, "\x30\x07\x30\x05\x06\x01\x2a\x30\x00"),
	CP(ERR_MALFORMED, "\x30\x07\x30\x05\x06\x01\x2a\x05\x00"),
	/* one policy twice */
	CP(ERR_MALFORMED, "\x30\x0a\x30\x03\x06\x01\x2a\x30\x03\x06"
	    "\x01\x2a"),
	CP(OK, "\x30\x0a\x30\x03\x06\x01\x2a\x30\x03\x06\x01\x2b"),
	/* qualifiers: a URI, one of another type, an empty one */
	CP(OK, "\x30\x16\x30\x14\x06\x01\x2a\x30\x0f\x30\x0d" CPS_ID
	    "\x16\x01" "a"),
	CP(ERR_MALFORMED, "\x30\x16\x30\x14\x06\x01\x2a\x30\x0f\x30"
	    "\x0d" CPS_ID "\x0c\x01" "a"),
	CP(ERR_MALFORMED, "\x30\x15\x30\x13\x06\x01\x2a\x30\x0e\x30"
	    "\x0c" CPS_ID "\x16\x00"),
	CP(ERR_MALFORMED, "\x30\x16\x30\x14\x06\x01\x2a\x30\x0f\x30"
	    "\x0d" CPS_ID "\x16\x01\n"),
	/* a notice: empty, with text, with text that is none */
	CP(OK, "\x30\x15\x30\x13\x06\x01\x2a\x30\x0e\x30\x0c"
	    NOTICE_ID "\x30\x00"),
	CP(OK, "\x30\x18\x30\x16\x06\x01\x2a\x30\x11\x30\x0f"
	    NOTICE_ID "\x30\x03\x0c\x01" "a"),
	CP(OK, "\x30\x18\x30\x16\x06\x01\x2a\x30\x11\x30\x0f"
	    NOTICE_ID "\x30\x03\x1a\x01" "a"),
	CP(ERR_MALFORMED, "\x30\x18\x30\x16\x06\x01\x2a\x30\x11\x30"
	    "\x0f" NOTICE_ID "\x30\x03\x0c\x01\xff"),
	CP(ERR_MALFORMED, "\x30\x18\x30\x16\x06\x01\x2a\x30\x11\x30"
	    "\x0f" NOTICE_ID "\x30\x03\x04\x01" "a"),
	CP(ERR_MALFORMED, "\x30\x18\x30\x16\x06\x01\x2a\x30\x11\x30"
	    "\x0f" NOTICE_ID "\x31\x03\x0c\x01" "a"),
	/* a qualifier nobody knows */
	CP(OK, "\x30\x0e\x30\x0c\x06\x01\x2a\x30\x07\x30\x05\x06\x01"
	    "\x2a\x05\x00"),
	CP(ERR_MALFORMED, "\x30\x0e\x30\x0c\x06\x01\x2a\x30\x07\x30"
	    "\x05\x06\x01\x2a\x05\x01"),
	CP(ERR_MALFORMED, "\x30\x0c\x30\x0a\x06\x01\x2a\x30\x05\x30"
	    "\x03\x06\x01\x2a"),

	NC(OK, "\x30\x07\xa0\x05\x30\x03\x82\x01" "a"),
	NC(OK, "\x30\x07\xa1\x05\x30\x03\x82\x01" "a"),
	NC(OK, "\x30\x06\xa1\x04\x30\x02\x82\x00"),
	NC(ERR_MALFORMED, ""),
	NC(ERR_MALFORMED, "\x30\x00"),		/* X.509 forbids */
	NC(ERR_MALFORMED, "\x30\x02\xa0\x00"),
	NC(ERR_MALFORMED, "\x30\x04\xa0\x02\x30\x00"),
	NC(ERR_MALFORMED, "\x30\x07\xa2\x05\x30\x03\x82\x01" "a"),
	NC(ERR_MALFORMED, "\x30\x07\xa0\x05\x30\x03\x82\x01" "a"
	    "\x00"),
	/* minimum 0 is a DEFAULT, 1 is forbidden, so is a maximum */
	NC(ERR_MALFORMED, "\x30\x0a\xa0\x08\x30\x06\x82\x01" "a"
	    "\x80\x01\x00"),
	NC(ERR_MALFORMED, "\x30\x0a\xa0\x08\x30\x06\x82\x01" "a"
	    "\x80\x01\x01"),
	NC(ERR_MALFORMED, "\x30\x0a\xa0\x08\x30\x06\x82\x01" "a"
	    "\x81\x01\x01"),
	/* excluded before permitted */
	NC(ERR_MALFORMED, "\x30\x0e\xa1\x05\x30\x03\x82\x01" "a"
	    "\xa0\x05\x30\x03\x82\x01" "a"),
	/* an address without its mask */
	NC(ERR_MALFORMED, "\x30\x0a\xa0\x08\x30\x06\x87\x04\x0a\0\0"
	    "\0"),
	NC(OK, "\x30\x0e\xa0\x0c\x30\x0a\x87\x08\x0a\0\0\0\xff\0\0"
	    "\0"),
	NC(ERR_MALFORMED, "\x30\x07\xa0\x05\x30\x03\x82\x01\n"),
	NC(ERR_MALFORMED, "\x30\x08\xa0\x06\x30\x04\xa4\x02\x31"
	    "\x00"),
	/* registeredID */
	NC(OK, "\x30\x07\xa0\x05\x30\x03\x88\x01\x2a"),
	NC(ERR_MALFORMED, "\x30\x07\xa0\x05\x30\x03\x88\x01\x80"),
};

static void
test_values(void **state)
{
	struct x509_extensions e;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(values); i++) {
		struct oc_error error = { 0 };
		enum oc_err err = x509_read_extensions(test_write(put_value,
		    &values[i]), &e, &error);

		if (err != values[i].want)
			fail_msg("value %zu: %s %s", i, oc_strerror(err),
			    error.text);
	}
	assert_int_equal(x509_read_extensions(test_write(put_value,
	    &values[ARRAY_LEN(values) - 2]), &e, NULL), OC_OK);
	assert_true(e.name_constraints.has_unknown);
}

enum side { PERMIT, EXCLUDE };
enum peer { AS_OPENSSL, STRICTER };

struct verdict {
	enum side side;
	struct x509_san base, name;
	bool is_allowed;
	enum peer peer;
};

#define DNS(text) { X509_SAN_DNS, DER_LITERAL(text) }
#define MAIL(text) { X509_SAN_EMAIL, DER_LITERAL(text) }
#define URI(text) { X509_SAN_URI, DER_LITERAL(text) }
#define IP(text) { X509_SAN_IP, DER_LITERAL(text) }

static const struct verdict verdicts[] = {
	{ PERMIT, DNS("example.com"), DNS("example.com"), true, AS_OPENSSL },
	{ PERMIT, DNS("example.com"), DNS("a.b.EXAMPLE.com"), true,
	    AS_OPENSSL },
	{ PERMIT, DNS("example.com"), DNS("*.example.com"), true,
	    AS_OPENSSL },
	{ PERMIT, DNS("example.com"), DNS("badexample.com"), false,
	    AS_OPENSSL },
	{ PERMIT, DNS("example.com"), DNS("example.org"), false,
	    AS_OPENSSL },
	{ PERMIT, DNS("example.com"), DNS("com"), false, AS_OPENSSL },
	{ PERMIT, DNS("a.example.com"), DNS("*.example.com"), false,
	    AS_OPENSSL },
	{ PERMIT, DNS(".example.com"), DNS("a.example.com"), true,
	    AS_OPENSSL },
	{ PERMIT, DNS(".example.com"), DNS("example.com"), false,
	    AS_OPENSSL },
	{ PERMIT, DNS("example.com"), IP("\x0a\0\0\1"), true, AS_OPENSSL },
	{ EXCLUDE, DNS("example.com"), DNS("a.example.com"), false,
	    AS_OPENSSL },
	{ EXCLUDE, DNS("example.com"), DNS("badexample.com"), true,
	    AS_OPENSSL },
	{ EXCLUDE, DNS(""), DNS("a.b"), false, AS_OPENSSL },
	/* What a wildcard might stand for. */
	{ EXCLUDE, DNS("a.example.com"), DNS("*.example.com"), false,
	    STRICTER },
	{ EXCLUDE, DNS("b.a.example.com"), DNS("*.example.com"), true,
	    AS_OPENSSL },
	{ PERMIT, MAIL("example.com"), MAIL("a@example.com"), true,
	    AS_OPENSSL },
	{ PERMIT, MAIL("example.com"), MAIL("a@b.example.com"), false,
	    AS_OPENSSL },
	{ PERMIT, MAIL(".example.com"), MAIL("a@b.example.com"), true,
	    AS_OPENSSL },
	{ PERMIT, MAIL("a@example.com"), MAIL("a@Example.com"), true,
	    AS_OPENSSL },
	{ PERMIT, MAIL("a@example.com"), MAIL("A@example.com"), false,
	    AS_OPENSSL },
	{ EXCLUDE, MAIL("example.com"), MAIL("a@example.com"), false,
	    AS_OPENSSL },
	{ PERMIT, URI("example.com"), URI("https://example.com/x"), true,
	    AS_OPENSSL },
	{ PERMIT, URI("example.com"), URI("https://example.com:8443/x"),
	    true, AS_OPENSSL },
	{ PERMIT, URI("example.com"), URI("https://b.example.com/x"), false,
	    AS_OPENSSL },
	{ PERMIT, URI(".example.com"), URI("https://b.example.com/x"), true,
	    AS_OPENSSL },
	{ PERMIT, URI("example.com"), URI("urn:x:example.com"), false,
	    AS_OPENSSL },
	{ EXCLUDE, URI("example.com"), URI("urn:x:example.com"), false,
	    AS_OPENSSL },
	{ EXCLUDE, URI("example.com"), URI("https://192.0.2.1/"), false,
	    STRICTER },
	{ EXCLUDE, URI("example.com"), URI("https://[::1]/"), false,
	    STRICTER },
	{ EXCLUDE, URI("example.com"), URI("https://u@example.com/"), false,
	    STRICTER },
	{ PERMIT, IP("\x0a\0\0\0\xff\0\0\0"), IP("\x0a\1\2\3"), true,
	    AS_OPENSSL },
	{ PERMIT, IP("\x0a\0\0\0\xff\0\0\0"), IP("\x0b\1\2\3"), false,
	    AS_OPENSSL },
	{ PERMIT, IP("\x0a\0\0\0\xff\0\0\0"), IP("\x0a\0\0\0\0\0\0\0\0\0\0\0"
	    "\0\0\0\0"), false, AS_OPENSSL },
	{ EXCLUDE, IP("\x0a\0\0\0\xff\0\0\0"), IP("\x0a\1\2\3"), false,
	    AS_OPENSSL },
};

/* What OpenSSL says of a certificate with this one name. */
static bool
openssl_allows(const struct x509_name_constraints *c,
    const struct x509_san *name)
{
	NAME_CONSTRAINTS *nc = openssl_constraints(c);
	GENERAL_NAMES *names = GENERAL_NAMES_new();
	X509 *x = X509_new();
	bool is_allowed;

	sk_GENERAL_NAME_push(names, openssl_base(name));
	assert_int_equal(X509_add1_ext_i2d(x, NID_subject_alt_name, names, 0,
	    X509V3_ADD_APPEND), 1);
	X509_check_purpose(x, -1, 0);		/* fills its caches */
	is_allowed = NAME_CONSTRAINTS_check(x, nc) == X509_V_OK;
	GENERAL_NAMES_free(names);
	NAME_CONSTRAINTS_free(nc);
	X509_free(x);
	return is_allowed;
}

static void
test_verdicts(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(verdicts); i++) {
		const struct verdict *v = &verdicts[i];
		struct x509_name_constraints c = { .num_permitted = 0 };
		struct oc_error error = { 0 };
		enum oc_err err;

		if (v->side == PERMIT)
			c.permitted[c.num_permitted++] = v->base;
		else
			c.excluded[c.num_excluded++] = v->base;
		err = x509_constraints_check(&c, &v->name, &error);
		assert_int_equal(error.code, err);
		if ((err == OC_OK) != v->is_allowed)
			fail_msg("%zu: %s", i, error.text);
		if (v->peer == AS_OPENSSL &&
		    openssl_allows(&c, &v->name) != v->is_allowed)
			fail_msg("%zu: OpenSSL says otherwise", i);
	}
}

static enum oc_err
check_subject(const struct x509_name_constraints *c, const char *subject)
{
	struct oc_error error = { 0 };
	enum oc_err err = x509_constraints_check_subject(c,
	    test_name(subject), &error);

	assert_int_equal(error.code, err);
	return err;
}

static void
test_subjects(void **state)
{
	struct x509_name_constraints c = { .num_permitted = 1 };

	(void)state;
	c.permitted[0] = (struct x509_san)DNS("example.com");
	assert_int_equal(check_subject(&c, "CN=www.example.com"), OC_OK);
	assert_int_equal(check_subject(&c, "CN=Origin Certificate"), OC_OK);
	assert_int_equal(check_subject(&c, "CN=example.org"),
	    OC_ERR_REFUSED);
	assert_int_equal(check_subject(&c, "CN=a.org,CN=a.example.com"),
	    OC_ERR_REFUSED);
	c.permitted[0] = (struct x509_san)IP("\x0a\0\0\0\xff\0\0\0");
	assert_int_equal(check_subject(&c, "CN=10.1.1.1"), OC_OK);
	assert_int_equal(check_subject(&c, "CN=11.1.1.1"), OC_ERR_REFUSED);
	c.permitted[0] = (struct x509_san)DNS("example.com");
	assert_int_equal(check_subject(&c, "CN=10.1.1.1"), OC_ERR_REFUSED);
	c.permitted[0] = (struct x509_san)MAIL("example.com");
	assert_int_equal(check_subject(&c, "emailAddress=a@example.com,O=x"),
	    OC_OK);
	assert_int_equal(check_subject(&c, "emailAddress=a@example.org,O=x"),
	    OC_ERR_REFUSED);
	c.permitted[0] = (struct x509_san){ X509_SAN_DIRECTORY,
	    test_name("O=Example,C=DE") };
	assert_int_equal(check_subject(&c, "CN=a,O=Example,C=DE"), OC_OK);
	assert_int_equal(check_subject(&c, "CN=a,O=EXAMPLE,C=DE"), OC_OK);
	assert_int_equal(check_subject(&c, "O=Example,C=DE"), OC_OK);
	assert_int_equal(check_subject(&c, "CN=a,C=DE"), OC_ERR_REFUSED);
	assert_int_equal(check_subject(&c, "C=DE,O=Example"),
	    OC_ERR_REFUSED);
	assert_int_equal(check_subject(&c, "CN=a,O=Example2,C=DE"),
	    OC_ERR_REFUSED);
	c.num_permitted = 0;
	c.num_excluded = 1;
	c.excluded[0] = (struct x509_san){ X509_SAN_DIRECTORY,
	    test_name("O=Bad  One,C=DE") };
	assert_int_equal(check_subject(&c, "CN=a,O=bad one,C=DE"),
	    OC_ERR_REFUSED);
	assert_int_equal(check_subject(&c, "CN=a,O=Good,C=DE"), OC_OK);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_policies),
		cmocka_unit_test(test_constraints),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_verdicts),
		cmocka_unit_test(test_subjects),
	};

	return cmocka_run_group_tests(tests, NULL, test_free_all);
}
