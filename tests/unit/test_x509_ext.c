/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Extensions: their exact octets, what is refused in them, the limits; and
 * subject alternative names from text and as text.  RFC5280:4.2.1
 */
#include "x509_test.h"

#include <stdlib.h>
#include <string.h>

static void
put(struct der_writer *w, const void *arg)
{
	x509_put_extensions(w, arg);
}

static enum oc_err
read_octets(struct der_bytes der, struct x509_extensions *e)
{
	struct oc_error error = { 0 };
	uint8_t *exact = malloc(der.len != 0 ? der.len : 1);
	enum oc_err err;

	assert_non_null(exact);
	if (der.len != 0)
		memcpy(exact, der.p, der.len);
	err = x509_read_extensions((struct der_bytes){ exact, der.len }, e,
	    &error);
	assert_int_equal(error.code, err);
	free(exact);
	return err;
}

struct golden {
	const char *what;
	struct x509_extensions e;
	struct der_bytes want;
};

/* The octets of each, as RFC 5280 has them. */
static void
test_octets(void **state)
{
	const struct golden all[] = {
		{ "leaf", { .has_basic_constraints = true,
		    .path_length = X509_NO_PATH_LENGTH },
		    DER_LITERAL("\x30\x0e\x30\x0c\x06\x03\x55\x1d\x13\x01\x01"
		    "\xff\x04\x02\x30\x00") },
		{ "CA 0", { .has_basic_constraints = true, .ca = X509_IS_CA,
		    .path_length = 0 },
		    DER_LITERAL("\x30\x14\x30\x12\x06\x03\x55\x1d\x13\x01\x01"
		    "\xff\x04\x08\x30\x06\x01\x01\xff\x02\x01\x00") },
		{ "leaf KU", { .key_usage = X509_KU_DIGITAL_SIGNATURE |
		    X509_KU_KEY_ENCIPHERMENT },
		    DER_LITERAL("\x30\x10\x30\x0e\x06\x03\x55\x1d\x0f\x01\x01"
		    "\xff\x04\x04\x03\x02\x05\xa0") },
		{ "CA KU", { .key_usage = X509_KU_KEY_CERT_SIGN |
		    X509_KU_CRL_SIGN },
		    DER_LITERAL("\x30\x10\x30\x0e\x06\x03\x55\x1d\x0f\x01\x01"
		    "\xff\x04\x04\x03\x02\x01\x06") },
		{ "bit 8", { .key_usage = X509_KU_DECIPHER_ONLY },
		    DER_LITERAL("\x30\x11\x30\x0f\x06\x03\x55\x1d\x0f\x01\x01"
		    "\xff\x04\x05\x03\x03\x07\x00\x80") },
		{ "nocheck", { .has_ocsp_nocheck = true },
		    DER_LITERAL("\x30\x11\x30\x0f\x06\x09\x2b\x06\x01\x05\x05"
		    "\x07\x30\x01\x05\x04\x02\x05\x00") },
		{ "SAN", { .sans = { { X509_SAN_DNS, DER_LITERAL("a.b") },
		    { X509_SAN_IP, DER_LITERAL("\x7f\x00\x00\x01") } },
		    .num_sans = 2, .is_san_critical = true },
		    DER_LITERAL("\x30\x19\x30\x17\x06\x03\x55\x1d\x11\x01\x01"
		    "\xff\x04\x0d\x30\x0b\x82\x03" "a.b\x87\x04\x7f\x00\x00"
		    "\x01") },
		{ "AKI", { .authority_key_id = DER_LITERAL("\x01\x02") },
		    DER_LITERAL("\x30\x0f\x30\x0d\x06\x03\x55\x1d\x23\x04\x06"
		    "\x30\x04\x80\x02\x01\x02") },
	};
	struct x509_extensions e;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(all); i++) {
		print_message("%s\n", all[i].what);
		assert_bytes_equal(test_write(put, &all[i].e), all[i].want);
		assert_int_equal(read_octets(all[i].want, &e), OC_OK);
	}
}

static void
test_not_written(void **state)
{
	struct x509_extensions e = { .num_sans = 0 };
	size_t len;

	(void)state;
	assert_int_equal(der_write(put, &e, NULL, 0, &len), OC_ERR_MALFORMED);
	/* An empty array is no key identifier. */
	e.subject_key_id = DER_LITERAL("");
	assert_int_equal(der_write(put, &e, NULL, 0, &len), OC_ERR_MALFORMED);
	e.num_ekus = 1;
	e.ekus[0] = DER_LITERAL("\x2b\x86");	/* its last arc goes on */
	assert_int_equal(der_write(put, &e, NULL, 0, &len), OC_ERR_MALFORMED);
	e = (struct x509_extensions){ .num_sans = 1 };
	e.sans[0].kind = (enum x509_san_kind)3;
	e.sans[0].value = DER_LITERAL("a");
	assert_int_equal(der_write(put, &e, NULL, 0, &len),
	    OC_ERR_UNSUPPORTED);
}

struct bad {
	const char *what;
	struct der_bytes id;		/* contents */
	struct der_bytes value;		/* contents of extnValue */
	enum oc_err err;
};

static void
put_one(struct der_writer *w, const void *arg)
{
	const struct bad *b = arg;

	der_begin(w, DER_SEQUENCE);
	der_begin(w, DER_SEQUENCE);
	der_put_primitive(w, DER_OID, b->id);
	der_put_octets(w, b->value);
	der_end(w);
	der_end(w);
}

#define BC DER_LITERAL("\x55\x1d\x13")
#define KU DER_LITERAL("\x55\x1d\x0f")
#define SAN DER_LITERAL("\x55\x1d\x11")
#define EKU DER_LITERAL("\x55\x1d\x25")
#define SKI DER_LITERAL("\x55\x1d\x0e")
#define AKI DER_LITERAL("\x55\x1d\x23")
#define CDP DER_LITERAL("\x55\x1d\x1f")
#define AIA DER_LITERAL("\x2b\x06\x01\x05\x05\x07\x01\x01")
#define NOCHECK DER_LITERAL("\x2b\x06\x01\x05\x05\x07\x30\x01\x05")
#define MALFORMED(id, value) { #id " " #value, id, DER_LITERAL(value), \
	OC_ERR_MALFORMED }
#define UNSUPPORTED(id, value) { #id " " #value, id, DER_LITERAL(value), \
	OC_ERR_UNSUPPORTED }
#define TAKEN(id, value) { #id " " #value, id, DER_LITERAL(value), OC_OK }

static const struct bad values[] = {
	TAKEN(BC, "\x30\x00"),
	TAKEN(BC, "\x30\x06\x01\x01\xff\x02\x01\x7f"),
	MALFORMED(BC, ""),
	MALFORMED(BC, "\x30\x00\x00"),
	MALFORMED(BC, "\x30\x03\x01\x01\x00"),		/* DEFAULT */
	MALFORMED(BC, "\x30\x03\x01\x01\x01"),		/* TRUE is FF */
	MALFORMED(BC, "\x30\x03\x02\x01\x00"),		/* without cA */
	MALFORMED(BC, "\x30\x06\x01\x01\xff\x02\x01\xff"),
	MALFORMED(BC, "\x30\x08\x01\x01\xff\x02\x01\x00\x05\x00"),
	MALFORMED(BC, "\x30\x80\x00\x00"),
	{ "a long path", BC, DER_LITERAL("\x30\x0a\x01\x01\xff\x02\x05\x00"
	    "\x80\x00\x00\x00"), OC_ERR_LIMIT },
	TAKEN(KU, "\x03\x02\x07\x80"),
	TAKEN(KU, "\x03\x03\x07\x00\x80"),
	MALFORMED(KU, "\x03\x01\x00"),			/* no bit */
	MALFORMED(KU, "\x03\x02\x06\x80"),		/* a zero bit last */
	MALFORMED(KU, "\x03\x02\x07\x81"),
	MALFORMED(KU, "\x03\x03\x00\x80\x00"),
	MALFORMED(KU, "\x03\x03\x06\x00\x40"),		/* bit 9 */
	MALFORMED(KU, "\x04\x02\x07\x80"),
	MALFORMED(KU, "\x03\x02\x07\x80\x00"),
	TAKEN(EKU, "\x30\x0a\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x01"),
	MALFORMED(EKU, "\x30\x00"),
	MALFORMED(EKU, "\x30\x02\x05\x00"),
	MALFORMED(EKU, "\x30\x03\x06\x01\x80"),
	TAKEN(SKI, "\x04\x01\x00"),
	MALFORMED(SKI, "\x04\x00"),
	MALFORMED(SKI, "\x03\x01\x00"),
	TAKEN(AKI, "\x30\x00"),
	TAKEN(AKI, "\x30\x03\x80\x01\x00"),
	TAKEN(AKI, "\x30\x08\xa1\x03\x82\x01" "a\x82\x01\x01"),
	MALFORMED(AKI, "\x30\x02\x80\x00"),
	MALFORMED(AKI, "\x30\x05\xa1\x03\x82\x01" "a"),	/* no serial */
	MALFORMED(AKI, "\x30\x03\x82\x01\x01"),		/* no issuer */
	MALFORMED(AKI, "\x30\x05\xa1\x00\x82\x01\x01"),
	MALFORMED(AKI, "\x30\x03\xa0\x01\x00"),
	TAKEN(SAN, "\x30\x03\x82\x01" "a"),
	TAKEN(SAN, "\x30\x04\xa4\x02\x30\x00"),
	MALFORMED(SAN, "\x30\x00"),
	MALFORMED(SAN, "\x30\x02\x82\x00"),
	MALFORMED(SAN, "\x30\x05\x82\x03" "a\0b"),
	MALFORMED(SAN, "\x30\x05\x82\x03" "a\nb"),
	MALFORMED(SAN, "\x30\x04\x82\x02" "\xc3\xa4"),
	MALFORMED(SAN, "\x30\x04\x81\x02" "\xc3\xa4"),
	MALFORMED(SAN, "\x30\x05\x86\x03" "a\x7f" "b"),
	MALFORMED(SAN, "\x30\x07\x87\x05" "\x01\x02\x03\x04\x05"),
	MALFORMED(SAN, "\x30\x05\x87\x03" "\x01\x02\x03"),
	MALFORMED(SAN, "\x30\x0a\x87\x08" "\x01\x02\x03\x04\xff\xff\xff\x00"),
	MALFORMED(SAN, "\x30\x02\x87\x00"),
	MALFORMED(SAN, "\x30\x03\xa2\x01" "a"),		/* constructed */
	MALFORMED(SAN, "\x30\x02\x84\x00"),		/* primitive */
	MALFORMED(SAN, "\x30\x04\xa4\x02\x31\x00"),
	MALFORMED(SAN, "\x30\x03\x89\x01" "a"),
	MALFORMED(SAN, "\x30\x03\x82\x02" "a"),
	UNSUPPORTED(SAN, "\x30\x0a\xa0\x08\x06\x01\x2a\xa0\x03\x0c\x01" "a"),
	UNSUPPORTED(SAN, "\x30\x03\x88\x01\x2a"),
	MALFORMED(SAN, "\x30\x03\x88\x01\x80"),
	MALFORMED(SAN, "\x30\x05\xa0\x03\x0c\x02" "a"),
	TAKEN(AIA, "\x30\x0f\x30\x0d\x06\x08\x2b\x06\x01\x05\x05\x07\x30\x01"
	    "\x86\x01" "a"),
	MALFORMED(AIA, "\x30\x00"),
	MALFORMED(AIA, "\x30\x0c\x30\x0a\x06\x08\x2b\x06\x01\x05\x05\x07\x30"
	    "\x01"),
	MALFORMED(AIA, "\x30\x0e\x30\x0c\x06\x08\x2b\x06\x01\x05\x05\x07\x30"
	    "\x01\x86\x00"),
	MALFORMED(AIA, "\x30\x11\x30\x0f\x06\x08\x2b\x06\x01\x05\x05\x07\x30"
	    "\x01\x86\x01" "a\x05\x00"),
	TAKEN(CDP, "\x30\x09\x30\x07\xa0\x05\xa0\x03\x86\x01" "a"),
	TAKEN(CDP, "\x30\x02\x30\x00"),
	MALFORMED(CDP, "\x30\x00"),
	MALFORMED(CDP, "\x30\x04\x30\x02\xa0\x00"),
	MALFORMED(CDP, "\x30\x06\x30\x04\xa0\x02\xa0\x00"),
	MALFORMED(CDP, "\x30\x06\x30\x04\xa0\x02\xa1\x00"),
	MALFORMED(CDP, "\x30\x04\x30\x02\xa2\x00"),
	MALFORMED(CDP, "\x30\x05\x30\x03\x81\x01\x00"),
	MALFORMED(CDP, "\x30\x0b\x30\x09\xa0\x07\xa0\x03\x86\x01" "a\x05\x00"),
	TAKEN(NOCHECK, "\x05\x00"),
	MALFORMED(NOCHECK, ""),
	MALFORMED(NOCHECK, "\x30\x00"),
	MALFORMED(NOCHECK, "\x05\x00\x00"),
};

static void
test_values(void **state)
{
	static const struct x509_extensions zero;
	struct x509_extensions e;
	enum oc_err err;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(values); i++) {
		memset(&e, 0xa5, sizeof(e));
		err = read_octets(test_write(put_one, &values[i]), &e);
		if (err != values[i].err)
			fail_msg("%s: %s", values[i].what, oc_strerror(err));
		if (err != OC_OK)
			assert_memory_equal(&e, &zero, sizeof(e));
	}
}

/* The list and the Extensions in it, whatever they are. */
static void
test_bad_lists(void **state)
{
	static const struct bad all[] = {
		MALFORMED(BC, ""),
		MALFORMED(BC, "\x30\x00"),
		MALFORMED(BC, "\x31\x00"),
		MALFORMED(BC, "\x30\x02\x30\x00"),
		/* critical FALSE is a DEFAULT */
		MALFORMED(BC, "\x30\x0e\x30\x0c\x06\x03\x55\x1d\x13\x01\x01"
		    "\x00\x04\x02\x30\x00"),
		MALFORMED(BC, "\x30\x0e\x30\x0c\x06\x03\x55\x1d\x13\x01\x01"
		    "\x01\x04\x02\x30\x00"),
		MALFORMED(BC, "\x30\x07\x30\x05\x06\x03\x55\x1d\x13"),
		MALFORMED(BC, "\x30\x0b\x30\x09\x06\x03\x55\x1d\x13\x03\x02"
		    "\x30\x00"),
		MALFORMED(BC, "\x30\x0d\x30\x0b\x06\x03\x55\x1d\x13\x04\x02"
		    "\x30\x00\x05\x00"),
		MALFORMED(BC, "\x30\x0b\x30\x09\x06\x03\x55\x1d\x13\x04\x02"
		    "\x30\x00\x00"),
		/* twice, of those we know and others */
		MALFORMED(BC, "\x30\x16\x30\x09\x06\x03\x55\x1d\x13\x04\x02"
		    "\x30\x00\x30\x09\x06\x03\x55\x1d\x13\x04\x02\x30\x00"),
		MALFORMED(BC, "\x30\x16\x30\x09\x06\x03\x55\x1d\x7f\x04\x02"
		    "\x30\x00\x30\x09\x06\x03\x55\x1d\x7f\x04\x02\x30\x00"),
	};
	struct x509_extensions e;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(all); i++)
		if (read_octets(all[i].value, &e) != all[i].err)
			fail_msg("%s", all[i].what);
}

struct many {
	uint32_t num;
	void (*put)(struct der_writer *w, uint32_t i);
	struct der_bytes id;
};

static void
put_dns(struct der_writer *w, uint32_t i)
{
	(void)i;
	der_put_primitive(w, 0x82, DER_LITERAL("a"));
}

static void
put_eku(struct der_writer *w, uint32_t i)
{
	uint8_t oid[] = { 0x2a, (uint8_t)(i & 0x7f) };

	der_put_oid_bytes(w, DER_ARRAY(oid));
}

static void
put_ocsp(struct der_writer *w, uint32_t i)
{
	(void)i;
	der_begin(w, DER_SEQUENCE);
	der_put_oid(w, DER_OID_AD_OCSP);
	der_put_primitive(w, 0x86, DER_LITERAL("a"));
	der_end(w);
}

static void
put_point(struct der_writer *w, uint32_t i)
{
	(void)i;
	der_put_raw(w, DER_LITERAL("\x30\x07\xa0\x05\xa0\x03\x86\x01" "a"));
}

static void
put_many_values(struct der_writer *w, const struct many *m)
{
	uint32_t i;

	der_begin(w, DER_SEQUENCE);
	for (i = 0; i < m->num; i++)
		m->put(w, i);
	der_end(w);
}

static void
put_many(struct der_writer *w, const void *arg)
{
	const struct many *m = arg;

	der_begin(w, DER_SEQUENCE);
	der_begin(w, DER_SEQUENCE);
	der_put_primitive(w, DER_OID, m->id);
	der_begin(w, DER_OCTET_STRING);
	put_many_values(w, m);
	der_end(w);
	der_end(w);
	der_end(w);
}

/* Extensions nobody knows. */
static void
put_others(struct der_writer *w, const void *arg)
{
	const uint32_t *num = arg;
	uint32_t i;

	der_begin(w, DER_SEQUENCE);
	for (i = 0; i < *num; i++) {
		uint8_t oid[] = { 0x2a, (uint8_t)i };

		der_begin(w, DER_SEQUENCE);
		der_put_oid_bytes(w, DER_ARRAY(oid));
		if (i % 2 == 1)
			der_put_boolean(w, true);
		der_put_octets(w, DER_LITERAL("\x05\x00"));
		der_end(w);
	}
	der_end(w);
}

static void
test_limits(void **state)
{
	static const struct {
		struct many many;
		uint32_t max;
	} all[] = {
		{ { 0, put_dns, SAN }, X509_SANS_MAX },
		{ { 0, put_eku, EKU }, X509_EKUS_MAX },
		{ { 0, put_ocsp, AIA }, X509_URLS_MAX },
		{ { 0, put_point, CDP }, X509_URLS_MAX },
	};
	struct x509_extensions e;
	uint32_t num = X509_EXTENSIONS_MAX, j;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(all); i++) {
		struct many m = all[i].many;

		m.num = all[i].max;
		assert_int_equal(read_octets(test_write(put_many, &m), &e),
		    OC_OK);
		m.num++;
		assert_int_equal(read_octets(test_write(put_many, &m), &e),
		    OC_ERR_LIMIT);
	}
	{
		struct der_bytes der = test_write(put_others, &num);

		assert_int_equal(x509_read_extensions(der, &e, NULL), OC_OK);
		assert_int_equal(e.num_others, num);
		for (j = 0; j < num; j++) {
			assert_int_equal(e.others[j].len, 2);
			assert_int_equal(e.others[j].p[1], j);
			assert_int_equal(e.is_other_critical[j], j % 2 == 1);
		}
	}
	num++;
	assert_int_equal(read_octets(test_write(put_others, &num), &e),
	    OC_ERR_LIMIT);
}

struct san_text {
	const char *text;
	enum x509_san_kind kind;
	struct der_bytes value;
	const char *formatted;
};

static void
test_sans(void **state)
{
	static const struct san_text all[] = {
		{ "example.com", X509_SAN_DNS, DER_LITERAL("example.com"),
		    "DNS:example.com" },
		{ "DNS:Example.COM", X509_SAN_DNS, DER_LITERAL("example.com"),
		    "DNS:example.com" },
		{ "*.example.com", X509_SAN_DNS,
		    DER_LITERAL("*.example.com"), "DNS:*.example.com" },
		{ "localhost", X509_SAN_DNS, DER_LITERAL("localhost"),
		    "DNS:localhost" },
		{ "xn--bcher-kva.example", X509_SAN_DNS,
		    DER_LITERAL("xn--bcher-kva.example"),
		    "DNS:xn--bcher-kva.example" },
		{ "1.2.3.4", X509_SAN_IP, DER_LITERAL("\1\2\3\4"),
		    "IP:1.2.3.4" },
		{ "IP:1.2.3.4", X509_SAN_IP, DER_LITERAL("\1\2\3\4"),
		    "IP:1.2.3.4" },
		{ "2001:DB8::1", X509_SAN_IP, DER_LITERAL("\x20\x01\x0d\xb8"
		    "\0\0\0\0\0\0\0\0\0\0\0\1"), "IP:2001:db8::1" },
		{ "ip:::", X509_SAN_IP, DER_LITERAL("\0\0\0\0\0\0\0\0\0\0\0"
		    "\0\0\0\0\0"), "IP:::" },
		{ "Who@Example.ORG", X509_SAN_EMAIL,
		    DER_LITERAL("Who@example.org"), "email:Who@example.org" },
		{ "email:a+b@example.org", X509_SAN_EMAIL,
		    DER_LITERAL("a+b@example.org"), "email:a+b@example.org" },
		{ "URI:https://Example.com/A", X509_SAN_URI,
		    DER_LITERAL("https://Example.com/A"),
		    "URI:https://Example.com/A" },
		{ "URI:urn:uuid:1", X509_SAN_URI, DER_LITERAL("urn:uuid:1"),
		    "URI:urn:uuid:1" },
		{ "uri:spiffe://td/ns/a", X509_SAN_URI,
		    DER_LITERAL("spiffe://td/ns/a"),
		    "URI:spiffe://td/ns/a" },
	};
	char text[X509_SAN_TEXT_MAX];
	uint8_t buffer[2048];
	struct oc_error error;
	struct x509_san san, again;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(all); i++) {
		if (x509_san_parse(all[i].text, buffer, sizeof(buffer), &san,
		    &error) != OC_OK)
			fail_msg("%s: %s", all[i].text, error.text);
		assert_int_equal(san.kind, all[i].kind);
		assert_bytes_equal(san.value, all[i].value);
		assert_ptr_equal(san.value.p, buffer);
		x509_san_format(&san, text);
		assert_string_equal(text, all[i].formatted);
		assert_int_equal(x509_san_parse(text, buffer + 1024, 1024,
		    &again, NULL), OC_OK);
		assert_bytes_equal(again.value, san.value);
		assert_int_equal(x509_san_parse(text, buffer + 1024,
		    san.value.len - 1, &again, NULL), OC_ERR_NO_SPACE);
	}
}

#define LABEL_63 "a23456789012345678901234567890123456789012345678901234567" \
	"890123"

static void
test_bad_sans(void **state)
{
	static const char *const all[] = {
		"", "DNS:", "a_b.example", "_a.example", "a..b", ".a", "a.",
		"example.com.", ".", "*", "*.", "*a.example", "a*.example",
		"a.*.example", "*.*.example", "a.*", "**.example", "a b",
		" a", "a ", "a\tb", "a\nb", "-a.example", "a-.example",
		"a.-b", "\xc3\xa4.example", "a" LABEL_63 ".example",
		LABEL_63 "." LABEL_63 "." LABEL_63 "." LABEL_63,
		"a,DNS:b", "a/b", "a:b", "a\\b", "DNS:1.2.3.4",
		"DNS:1.2.3.999", "1.2.3.999", "1.2.3.4.5", "1.2.3", "a.1",
		"DNS:2001:db8::1", "DNS:DNS:a", "DNS:*.1", "example.com\x7f",
		"IP:", "IP:1.2.3", "IP:1.2.3.4.5", "IP:1.2.3.4/32",
		"IP:a.example", "IP:01.2.3.4", "IP: 1.2.3.4", "IP:1:2",
		"IP:fe80::1%eth0", "IP:*.1.2.3",
		"@", "a@", "@a", "a@b@c", "a b@c", "a\"@b", "<a@b>",
		"a@*.b", "a@b_c", "a@-b", "email:a", "a\n@b", "a@1.2.3.4",
		"email:\xc3\xa4@b", "a,b@c",
		("12345678901234567890123456789012345678901234567890123456789"
		"012345@b"),
		"URI:", "URI:a", "URI::a", "URI:1a:b", "URI:http:",
		"URI:http://", "URI:http:///a", "URI:http://:80", "URI:a b:c",
		"URI:http://a b", "URI:http://a\n", "URI:http://a\"",
		"URI:http://\xc3\xa4", "URI:http://<a>", "URI:a_b:c",
		"dirName:CN=a", "otherName:1.2.3;UTF8:a", "RID:1.2.3",
		"email:copy", "https://example.com",
	};
	struct x509_san san = { X509_SAN_URI, DER_LITERAL("as it was") };
	uint8_t buffer[512];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(all); i++) {
		struct oc_error error = { 0 };

		if (x509_san_parse(all[i], buffer, sizeof(buffer), &san,
		    &error) != OC_ERR_MALFORMED)
			fail_msg("\"%s\" was not refused", all[i]);
		assert_int_equal(error.code, OC_ERR_MALFORMED);
		assert_null(strchr(error.text, '\n'));
		assert_bytes_equal(san.value, DER_LITERAL("as it was"));
	}
}

static void
test_dns_lengths(void **state)
{
	char text[300];
	uint8_t buffer[300];
	struct x509_san san;

	(void)state;
	assert_int_equal(x509_san_parse(LABEL_63 ".example", buffer,
	    sizeof(buffer), &san, NULL), OC_OK);
	/* 3 * 64 + 61 = 253 */
	strcpy(text, LABEL_63 "." LABEL_63 "." LABEL_63 "." LABEL_63);
	text[253] = '\0';
	assert_int_equal(x509_san_parse(text, buffer, sizeof(buffer), &san,
	    NULL), OC_OK);
	text[253] = 'a';
	text[254] = '\0';
	assert_int_equal(x509_san_parse(text, buffer, sizeof(buffer), &san,
	    NULL), OC_ERR_MALFORMED);
}

/* What came from a CSR, with octets that no text has. */
static void
test_normalize(void **state)
{
	static const struct x509_san bad[] = {
		{ X509_SAN_DNS, DER_LITERAL("a\0.example") },
		{ X509_SAN_DNS, DER_LITERAL("") },
		{ X509_SAN_DNS, DER_LITERAL("a_b.example") },
		{ X509_SAN_EMAIL, DER_LITERAL("a\0@b") },
		{ X509_SAN_EMAIL, DER_LITERAL("a@b\0") },
		{ X509_SAN_URI, DER_LITERAL("http://a\0") },
		{ X509_SAN_IP, DER_LITERAL("\1\2\3\4\5") },
		{ X509_SAN_IP, DER_LITERAL("") },
		{ (enum x509_san_kind)0, DER_LITERAL("a") },
	};
	struct x509_san san = { X509_SAN_DNS, DER_LITERAL("WWW.Example") };
	struct oc_error error;
	struct x509_san out;
	uint8_t buffer[64];
	size_t i;

	(void)state;
	assert_int_equal(x509_san_normalize(&san, buffer, sizeof(buffer),
	    &out, &error), OC_OK);
	assert_bytes_equal(out.value, DER_LITERAL("www.example"));
	for (i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(x509_san_normalize(&bad[i], buffer,
		    sizeof(buffer), &out, &error), OC_ERR_MALFORMED);
	san = (struct x509_san){ X509_SAN_DIRECTORY, test_name("CN=a") };
	assert_int_equal(x509_san_normalize(&san, buffer, sizeof(buffer),
	    &out, &error), OC_ERR_REFUSED);
}

static void
test_format(void **state)
{
	struct x509_san san = { X509_SAN_DNS, DER_LITERAL("a\0\n\xff b") };
	char text[X509_SAN_TEXT_MAX];
	static uint8_t large[400];

	(void)state;
	x509_san_format(&san, text);
	assert_string_equal(text, "DNS:a??? b");
	memset(large, 'a', sizeof(large));
	san = (struct x509_san){ X509_SAN_URI, DER_ARRAY(large) };
	x509_san_format(&san, text);
	assert_int_equal(strlen(text), X509_SAN_TEXT_MAX - 1);
	assert_string_equal(text + X509_SAN_TEXT_MAX - 5, "a...");
	san.value.len = X509_SAN_TEXT_MAX - 5;
	x509_san_format(&san, text);
	assert_int_equal(strlen(text), X509_SAN_TEXT_MAX - 1);
	assert_string_equal(text + X509_SAN_TEXT_MAX - 5, "aaaa");
	san = (struct x509_san){ X509_SAN_IP, DER_LITERAL("\1\2\3\4\5") };
	x509_san_format(&san, text);
	assert_string_equal(text, "IP:(5 octets)");
	san = (struct x509_san){ X509_SAN_DIRECTORY,
	    test_name("CN=a,O=b") };
	x509_san_format(&san, text);
	assert_string_equal(text, "dirName:CN=a,O=b");
	san = (struct x509_san){ (enum x509_san_kind)5, { large, 1 } };
	x509_san_format(&san, text);
	assert_string_equal(text, "(unknown kind of name)");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_octets),
		cmocka_unit_test(test_not_written),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_bad_lists),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_sans),
		cmocka_unit_test(test_bad_sans),
		cmocka_unit_test(test_dns_lengths),
		cmocka_unit_test(test_normalize),
		cmocka_unit_test(test_format),
	};

	return cmocka_run_group_tests(tests, NULL, test_free_all);
}
