/* SPDX-License-Identifier: Apache-2.0 */
#include "lint_fixture.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define OCTETS_MAX (512 * 1024)

struct octets {
	uint8_t *p;
	size_t len;
};

static void
put(struct octets *o, const void *p, size_t len)
{
	assert_true(o->len + len <= OCTETS_MAX);
	memcpy(o->p + o->len, p, len);
	o->len += len;
}

static void
put_octet(struct octets *o, unsigned int octet)
{
	uint8_t c = (uint8_t)octet;

	put(o, &c, 1);
}

static void
put_length(struct octets *o, size_t len)
{
	if (len >= 0x10000) {
		put_octet(o, 0x83);
		put_octet(o, (unsigned int)(len >> 16));
		put_octet(o, (unsigned int)(len >> 8 & 0xff));
	} else if (len >= 0x100) {
		put_octet(o, 0x82);
		put_octet(o, (unsigned int)(len >> 8));
	} else if (len >= 0x80)
		put_octet(o, 0x81);
	put_octet(o, (unsigned int)(len & 0xff));
}

static struct der_bytes
modulus_of(struct der_bytes bits)
{
	struct der_bytes contents, n = { NULL, 0 };
	struct der_reader r;

	assert_true(der_read_whole(bits, DER_SEQUENCE, &contents));
	r = der_reader_of(contents);
	assert_true(der_get_integer(&r, &n));
	return n;
}

static void
put_key(struct octets *o, const char *name, size_t len)
{
	char text[32];
	const char *key = text;
	struct der_bytes octets;
	uint8_t id[X509_KEY_ID_LEN];

	assert_true(len < sizeof(text));
	memcpy(text, name, len);
	text[len] = '\0';
	if (strchr(text, ':') != NULL)
		key = strchr(text, ':') + 1;
	octets = test_spki(key);
	if (strncmp(text, "id:", 3) == 0) {
		assert_int_equal(x509_spki_key_id(octets, id), OC_OK);
		octets = (struct der_bytes){ id, sizeof(id) };
	} else if (key != text)
		assert_int_equal(x509_spki_key_bits(octets, &octets), OC_OK);
	if (strncmp(text, "n:", 2) == 0)
		octets = modulus_of(octets);
	put(o, octets.p, octets.len);
}

static const char *assemble(struct octets *o, const char *p);

static const char *
assemble_repeated(struct octets *o, const char *p)
{
	char *end;
	unsigned long n = strtoul(p, &end, 10);
	const char *after = end;

	assert_true(end != p);
	while (n-- > 0)
		after = assemble(o, end);
	assert_int_equal(*after, ')');
	return after + 1;
}

/* Up to '}', ')' or the end, which is not taken. */
static const char *
assemble(struct octets *o, const char *p)
{
	while (*p != '\0' && *p != '}' && *p != ')') {
		if (*p == ' ') {
			p++;
		} else if (*p == '\'') {
			const char *end = strchr(p + 1, '\'');

			assert_non_null(end);
			put(o, p + 1, (size_t)(end - p - 1));
			p = end + 1;
		} else if (*p == '$') {
			size_t len = strcspn(p + 1, " })");

			put_key(o, p + 1, len);
			p += 1 + len;
		} else if (*p == '(') {
			p = assemble_repeated(o, p + 1);
		} else if (*p == '{') {
			struct octets inner = { malloc(OCTETS_MAX), 0 };

			assert_non_null(inner.p);
			p = assemble(&inner, p + 1);
			assert_int_equal(*p, '}');
			p++;
			put_length(o, inner.len);
			put(o, inner.p, inner.len);
			free(inner.p);
		} else {
			unsigned int octet;

			assert_true(isxdigit((unsigned char)p[0]) &&
			    isxdigit((unsigned char)p[1]));
			assert_int_equal(sscanf(p, "%2x", &octet), 1);
			put_octet(o, octet);
			p += 2;
		}
	}
	return p;
}

struct der_bytes
lint_assemble(const char *text)
{
	struct octets o = { malloc(OCTETS_MAX), 0 };
	uint8_t *copy;

	assert_non_null(o.p);
	if (*assemble(&o, text) != '\0')
		fail_msg("unbalanced: %s", text);
	copy = test_alloc(o.len);
	if (o.len > 0)
		memcpy(copy, o.p, o.len);
	free(o.p);
	return (struct der_bytes){ copy, o.len };
}

/* --- bases ------------------------------------------------------------ */

#define HOST_NAME "30{31{30{0603550403 0c{'www.example.com'}}}}"
#define BASIC_LEAF CRITICAL("551d13", "3000")
#define BASIC_CA CRITICAL("551d13", "30{0101ff020100}")
#define BASIC_ROOT CRITICAL("551d13", "30{0101ff}")
#define KEY_USAGE(octets) CRITICAL("551d0f", octets)
#define EKU(oid) EXTENSION("551d25", "30{06{2b060105050703" oid "}}")
#define ACCESS "30{30{06{2b06010505073001}86{'http://ocsp.example.com/'}}" \
    "30{06{2b06010505073002}86{'http://example.com/ca.crt'}}}"
#define POINT "30{30{a0{a0{86{'http://example.com/ca.crl'}}}}}"
#define POLICY "30{30{06{67810c010201}}}"

static const struct lint_parts server = { {
	[PART_VERSION] = "a0{020102}",
	[PART_SERIAL] = "02{4a0102030405060708090a0b0c0d0e0f10111213}",
	[PART_ALG] = LINT_ECDSA,
	[PART_ISSUER] = LINT_NAME("Root"),
	[PART_NOT_BEFORE] = "17{'260101000000Z'}",
	[PART_NOT_AFTER] = "17{'260331235959Z'}",
	[PART_SUBJECT] = HOST_NAME,
	[PART_SPKI] = "$P-384",
	[PART_UNIQUE] = "",
	[PART_EXTENSIONS] = "",
	[PART_OUTER_ALG] = "",
	[PART_SIGNATURE] = "",
	[PART_TBS] = "",
	[EXT_BASIC] = BASIC_LEAF,
	[EXT_KEY_USAGE] = KEY_USAGE("03020780"),
	[EXT_EKU] = EKU("01"),
	[EXT_SKI] = EXTENSION("551d0e", "04{$id:P-384}"),
	[EXT_AKI] = EXTENSION("551d23", "30{80{$id:P-256}}"),
	[EXT_SAN] = EXTENSION("551d11", "30{82{'www.example.com'}}"),
	[EXT_AIA] = EXTENSION("2b06010505070101", ACCESS),
	[EXT_CRL] = EXTENSION("551d1f", POINT),
	[EXT_POLICIES] = EXTENSION("551d20", POLICY),
	[EXT_CONSTRAINTS] = "",
	[EXT_NOCHECK] = "",
	[EXT_OTHER] = "",
} };

static void
make_root(struct lint_parts *p)
{
	p->part[PART_SUBJECT] = LINT_NAME("Root");
	p->part[PART_NOT_BEFORE] = "17{'250101000000Z'}";
	p->part[PART_NOT_AFTER] = "17{'451231235959Z'}";
	p->part[PART_SPKI] = "$P-256";
	p->part[EXT_BASIC] = BASIC_ROOT;
	p->part[EXT_SKI] = EXTENSION("551d0e", "04{$id:P-256}");
	p->part[EXT_EKU] = "";
	p->part[EXT_AKI] = "";
	p->part[EXT_AIA] = "";
	p->part[EXT_CRL] = "";
	p->part[EXT_POLICIES] = "";
}

struct lint_parts
lint_base_parts(enum lint_base base)
{
	struct lint_parts p = server;

	if (base == BASE_INTERMEDIATE || base == BASE_ROOT) {
		p.part[EXT_KEY_USAGE] = KEY_USAGE("03020186");
		p.part[EXT_SAN] = "";
	}
	switch (base) {
	case BASE_RSA_SERVER:
		p.part[PART_SPKI] = "$RSA2048";
		p.part[EXT_SKI] = EXTENSION("551d0e", "04{$id:RSA2048}");
		p.part[EXT_KEY_USAGE] = KEY_USAGE("030205a0");
		break;
	case BASE_CLIENT:
		p.part[PART_SUBJECT] = LINT_NAME("Somebody");
		p.part[EXT_EKU] = EKU("02");
		p.part[EXT_SAN] = EXTENSION("551d11",
		    "30{81{'somebody@example.com'}}");
		break;
	case BASE_OCSP_SIGNER:
		p.part[PART_SUBJECT] = LINT_NAME("OCSP");
		p.part[EXT_EKU] = EKU("09");
		p.part[EXT_SAN] = "";
		p.part[EXT_AIA] = "";
		p.part[EXT_CRL] = "";
		p.part[EXT_POLICIES] = "";
		p.part[EXT_NOCHECK] = EXTENSION("2b0601050507300105", "0500");
		break;
	case BASE_INTERMEDIATE:
		p.part[PART_SUBJECT] = LINT_NAME("Intermediate");
		p.part[EXT_BASIC] = BASIC_CA;
		break;
	case BASE_ROOT:
		make_root(&p);
		break;
	case BASE_OTHER:
		p.part[PART_SUBJECT] = LINT_NAME("Writer");
		p.part[EXT_EKU] = EKU("04");
		p.part[EXT_SAN] = EXTENSION("551d11",
		    "30{81{'writer@example.com'}}");
		break;
	case BASE_SERVER:
	case NUM_BASES:
		break;
	}
	return p;
}

enum lint_kind
lint_base_kind(enum lint_base base)
{
	switch (base) {
	case BASE_SERVER:
	case BASE_RSA_SERVER:
		return LINT_SERVER;
	case BASE_CLIENT:
		return LINT_CLIENT;
	case BASE_OCSP_SIGNER:
		return LINT_OCSP_SIGNER;
	case BASE_INTERMEDIATE:
		return LINT_INTERMEDIATE;
	case BASE_ROOT:
		return LINT_ROOT;
	case BASE_OTHER:
	case NUM_BASES:
		break;
	}
	return LINT_OTHER;
}

/* --- building --------------------------------------------------------- */

static char *
join(const struct lint_parts *p, enum lint_part from, enum lint_part to)
{
	char *text = calloc(1, OCTETS_MAX);
	size_t len = 0;
	unsigned int i;

	assert_non_null(text);
	for (i = from; i <= to; i++)
		len += (size_t)snprintf(text + len, OCTETS_MAX - len, "%s %s",
		    p->part[i], i == PART_ISSUER ? "30{" :
		    i == PART_NOT_AFTER ? "}" : "");
	return text;
}

/* LINT_OWN_SKI as text; for free(). */
static char *
own_ski(const char *spki)
{
	static const char before[] = "30{06{551d0e}04{04{";
	char *text = calloc(1, sizeof(before) + 2 * X509_KEY_ID_LEN + 4);
	uint8_t id[X509_KEY_ID_LEN];
	int i;

	assert_non_null(text);
	assert_int_equal(x509_spki_key_id(lint_assemble(spki), id), OC_OK);
	strcpy(text, before);
	for (i = 0; i < X509_KEY_ID_LEN; i++)
		(void)snprintf(text + strlen(text), 3, "%02x", id[i]);
	strcat(text, "}}}");
	return text;
}

static struct der_bytes
build_tbs(const struct lint_parts *p)
{
	char *fields = join(p, PART_VERSION, PART_EXTENSIONS);
	char *extensions = join(p, EXT_BASIC, EXT_OTHER);
	char *whole = calloc(1, OCTETS_MAX);
	struct der_bytes tbs;

	if (p->part[PART_TBS][0] != '\0')
		(void)snprintf(whole, OCTETS_MAX, "%s", p->part[PART_TBS]);
	else if (p->part[PART_EXTENSIONS][0] != '\0')
		(void)snprintf(whole, OCTETS_MAX, "30{%s}", fields);
	else
		(void)snprintf(whole, OCTETS_MAX, "30{%sa3{30{%s}}}", fields,
		    extensions);
	tbs = lint_assemble(whole);
	free(fields);
	free(extensions);
	free(whole);
	return tbs;
}

struct der_bytes
lint_build_tbs(const struct lint_parts *parts)
{
	struct lint_parts copy = *parts, *p = &copy;
	char *ski = strcmp(p->part[EXT_SKI], LINT_OWN_SKI) == 0 ?
	    own_ski(p->part[PART_SPKI]) : NULL;
	struct der_bytes tbs;

	if (ski != NULL)
		p->part[EXT_SKI] = ski;
	tbs = build_tbs(p);
	free(ski);
	return tbs;
}

static struct der_bytes
signature_of(struct der_bytes tbs)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t *out = test_alloc(512);
	size_t len = 512;

	assert_int_equal(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL,
	    test_key("P-256")), 1);
	assert_int_equal(EVP_DigestSign(ctx, out, &len, tbs.p, tbs.len), 1);
	EVP_MD_CTX_free(ctx);
	return (struct der_bytes){ out, len };
}

static struct der_bytes
wrap(struct der_bytes tbs, struct der_bytes alg, struct der_bytes bits)
{
	struct octets o = { test_alloc(tbs.len + alg.len + bits.len + 8), 0 };

	put_octet(&o, 0x30);
	put_length(&o, tbs.len + alg.len + bits.len);
	put(&o, tbs.p, tbs.len);
	put(&o, alg.p, alg.len);
	put(&o, bits.p, bits.len);
	return (struct der_bytes){ o.p, o.len };
}

static struct der_bytes
good_bits(struct der_bytes tbs)
{
	struct der_bytes signature = signature_of(tbs);
	struct octets o = { test_alloc(signature.len + 8), 0 };

	put_octet(&o, 0x03);
	put_length(&o, signature.len + 1);
	put_octet(&o, 0);
	put(&o, signature.p, signature.len);
	return (struct der_bytes){ o.p, o.len };
}

struct der_bytes
lint_sign(struct der_bytes tbs)
{
	return wrap(tbs, lint_assemble(LINT_ECDSA), good_bits(tbs));
}

struct der_bytes
lint_build(const struct lint_parts *p)
{
	struct der_bytes tbs = lint_build_tbs(p);

	return wrap(tbs, lint_assemble(p->part[PART_OUTER_ALG][0] != '\0' ?
	    p->part[PART_OUTER_ALG] : p->part[PART_ALG]),
	    p->part[PART_SIGNATURE][0] != '\0' ?
	    lint_assemble(p->part[PART_SIGNATURE]) : good_bits(tbs));
}

struct der_bytes
lint_root(void)
{
	struct lint_parts p = lint_base_parts(BASE_ROOT);

	return lint_build(&p);
}

/* Without libpsl it cannot be told, and each wildcard is a notice. */
static bool
is_not_in_this_build(const char *rule)
{
#ifdef HAVE_LIBPSL
	(void)rule;
	return false;
#else
	return strcmp(rule, "dnsname_wildcard_left_of_public_suffix") == 0;
#endif
}

bool
lint_has_exactly(const char *what, const struct lint_report *report,
    const char *rules)
{
	char found[4096] = "";
	size_t len = 0;
	uint32_t i;

	if (is_not_in_this_build(rules))
		rules = "";
	for (i = 0; i < report->num_findings; i++)
		if (!is_not_in_this_build(report->findings[i].rule->name))
			len += (size_t)snprintf(found + len,
			    sizeof(found) - len, "%s%s", len == 0 ? "" : " ",
			    report->findings[i].rule->name);
	if (strcmp(found, rules) == 0)
		return true;
	for (i = 0; i < report->num_findings; i++)
		print_message("  %s: %s\n", report->findings[i].rule->name,
		    report->findings[i].detail.text);
	print_message("%s: found \"%s\", not \"%s\"\n", what, found, rules);
	return false;
}

void
lint_expect(const char *what, const struct lint_report *report,
    const char *rules)
{
	assert_true(lint_has_exactly(what, report, rules));
}
