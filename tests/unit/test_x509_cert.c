/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Are certificates written as OpenSSL writes them, read as they were
 * written, and is everything else refused?  RFC5280:4.1 RFC5280:4.1.2.5
 */
#include "x509_test.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "der/template.h"
#include "der/time.h"

#define NUM_PLANS 400

static const char *
key_for(enum sign_alg alg)
{
	switch (sign_alg_info(alg)->key_type) {
	case SIGN_KEY_RSA:
		return "RSA2048";
	case SIGN_KEY_P256:
	case SIGN_KEY_P384:
	case SIGN_KEY_P521:
		return "P-256";
	case SIGN_KEY_ED25519:
		return "ED25519";
	case SIGN_KEY_NONE:
		break;
	}
	return NULL;
}

/* One plan, by OpenSSL and by us, octet for octet; and back. */
static void
test_same_as_openssl(void **state)
{
	uint64_t seed = UINT64_C(0x5280);
	struct x509_tbs tbs;
	struct oc_error error = { 0 };
	struct x509_cert cert;
	int i;

	(void)state;
	for (i = 0; i < NUM_PLANS; i++) {
		struct der_bytes ours, der;

		test_plan(&seed, &tbs);
		ours = test_write(x509_put_tbs, &tbs);
		assert_bytes_equal(ours, test_openssl_tbs(&tbs));
		der = test_sign(ours, key_for(tbs.alg), tbs.alg);
		if (x509_cert_read(der, &cert, &error) != OC_OK)
			fail_msg("plan %d: %s", i, error.text);
		assert_bytes_equal(cert.tbs, ours);
		assert_bytes_equal((struct der_bytes){ cert.serial.bytes,
		    cert.serial.len }, tbs.serial);
		assert_int_equal(cert.alg, tbs.alg);
		assert_bytes_equal(cert.issuer, tbs.issuer);
		assert_bytes_equal(cert.subject, tbs.subject);
		assert_true(cert.not_before == tbs.not_before);
		assert_true(cert.not_after == tbs.not_after);
		assert_bytes_equal(cert.spki, tbs.spki);
		assert_extensions_equal(&cert.extensions, &tbs.extensions);
		/* What was read writes the same. */
		tbs.extensions = cert.extensions;
		assert_bytes_equal(test_write(x509_put_tbs, &tbs), ours);
	}
}

/* The whole certificate through d2i and i2d, with every extension taken
 * apart and put together by OpenSSL. */
static void
test_openssl_reads(void **state)
{
	uint64_t seed = UINT64_C(0x2986);
	struct x509_tbs tbs;
	int i, j;

	(void)state;
	for (i = 0; i < 60; i++) {
		struct der_bytes ours, der;
		const uint8_t *p;
		X509 *x;

		test_plan(&seed, &tbs);
		ours = test_write(x509_put_tbs, &tbs);
		der = test_sign(ours, key_for(tbs.alg), tbs.alg);
		p = der.p;
		x = d2i_X509(NULL, &p, (long)der.len);
		assert_non_null(x);
		assert_ptr_equal(p, der.p + der.len);
		assert_bytes_equal(test_i2d_x509(x), der);
		assert_int_equal(X509_get_version(x), X509_VERSION_3);
		assert_int_equal(X509_verify(x, test_key(key_for(tbs.alg))),
		    1);
		for (j = 0; j < X509_get_ext_count(x); j++) {
			X509_EXTENSION *e = X509_get_ext(x, j), *again;
			ASN1_OCTET_STRING *have = X509_EXTENSION_get_data(e);
			int nid = OBJ_obj2nid(X509_EXTENSION_get_object(e));
			void *value = X509V3_EXT_d2i(e);

			assert_non_null(value);
			again = X509V3_EXT_i2d(nid,
			    X509_EXTENSION_get_critical(e), value);
			assert_non_null(again);
			assert_int_equal(ASN1_OCTET_STRING_cmp(have,
			    X509_EXTENSION_get_data(again)), 0);
			X509_EXTENSION_free(again);
			if (X509V3_EXT_get_nid(nid)->it != NULL)
				ASN1_item_free(value, ASN1_ITEM_ptr(
				    X509V3_EXT_get_nid(nid)->it));
		}
		X509_free(x);
	}
}

enum { HOLE_SERIAL, HOLE_NOT_BEFORE, HOLE_NOT_AFTER, HOLE_SUBJECT,
    HOLE_SPKI, HOLE_KEY_ID, HOLE_NAMES, NUM_HOLES };

struct names {
	const struct x509_extensions *e;
};

static void
put_names(struct der_writer *w, const void *arg)
{
	const struct names *names = arg;

	x509_put_sans(w, names->e->sans, names->e->num_sans);
}

/* Without a writer, and as the writer has it. */
static struct der_bytes
write_names(const struct names *names)
{
	struct der_bytes want = test_write(put_names, names);
	uint8_t *out = malloc(want.len);
	size_t len = 42;

	assert_non_null(out);
	assert_int_equal(x509_write_sans(names->e->sans, names->e->num_sans,
	    out, want.len - 1, &len), OC_ERR_NO_SPACE);
	assert_int_equal(len, 42);
	assert_int_equal(x509_write_sans(names->e->sans, names->e->num_sans,
	    out, want.len, &len), OC_OK);
	assert_bytes_equal((struct der_bytes){ out, len }, want);
	free(out);
	return want;
}

static void
make_holes(struct x509_tbs *tbs)
{
	tbs->serial = DER_HOLE(HOLE_SERIAL);
	tbs->not_before = DER_TIME_HOLE(HOLE_NOT_BEFORE);
	tbs->not_after = DER_TIME_HOLE(HOLE_NOT_AFTER);
	tbs->subject = DER_HOLE(HOLE_SUBJECT);
	tbs->spki = DER_HOLE(HOLE_SPKI);
	tbs->extensions.subject_key_id = DER_HOLE(HOLE_KEY_ID);
	tbs->extensions.num_sans = 0;
	tbs->extensions.general_names = DER_HOLE(HOLE_NAMES);
}

/* A template from one plan, filled with it and with another's values. */
static void
test_template(void **state)
{
	uint64_t seed = UINT64_C(0x6960);
	struct x509_tbs tbs, other, holes;
	int i, j;

	(void)state;
	for (i = 0; i < 100; i++) {
		struct der_template t = { 0 };

		test_plan(&seed, &tbs);
		holes = tbs;
		make_holes(&holes);
		assert_int_equal(der_template_compile(&t, x509_put_tbs,
		    &holes), OC_OK);
		assert_int_equal(t.num_holes, NUM_HOLES);
		for (j = 0; j < 3; j++) {
			struct der_bytes fill[NUM_HOLES], want;
			uint8_t before[X509_TIME_MAX], after[X509_TIME_MAX];
			struct names names = { &tbs.extensions };
			uint8_t *out;
			size_t len;

			test_plan(&seed, &other);
			tbs.serial = other.serial;
			tbs.not_before = other.not_before;
			tbs.not_after = other.not_after;
			tbs.subject = other.subject;
			tbs.spki = other.spki;
			tbs.extensions.subject_key_id =
			    other.extensions.subject_key_id;
			memcpy(tbs.extensions.sans, other.extensions.sans,
			    sizeof(tbs.extensions.sans));
			tbs.extensions.num_sans = other.extensions.num_sans;
			if (tbs.extensions.num_sans == 0)
				continue;
			fill[HOLE_SERIAL] = tbs.serial;
			fill[HOLE_NOT_BEFORE] = (struct der_bytes){ before,
			    x509_write_time(tbs.not_before, before) };
			fill[HOLE_NOT_AFTER] = (struct der_bytes){ after,
			    x509_write_time(tbs.not_after, after) };
			fill[HOLE_SUBJECT] = tbs.subject;
			fill[HOLE_SPKI] = tbs.spki;
			fill[HOLE_KEY_ID] = tbs.extensions.subject_key_id;
			fill[HOLE_NAMES] = write_names(&names);
			want = test_write(x509_put_tbs, &tbs);
			out = test_alloc(want.len);
			assert_int_equal(der_template_fill(&t, fill, out,
			    want.len, &len), OC_OK);
			assert_bytes_equal((struct der_bytes){ out, len },
			    want);
			assert_int_equal(der_template_fill(&t, fill, out,
			    want.len - 1, &len), OC_ERR_NO_SPACE);
		}
		der_template_fini(&t);
	}
}

/* Lengths of every size, no name, names that are none, too long ones. */
static void
test_write_sans(void **state)
{
	static const size_t lens[] = { 0, 1, 121, 122, 123, 124, 125, 126,
	    127, 128, 129, 248, 249, 250, 251, 252, 253, 254, 255, 256, 65527,
	    65528, 65529, 65530, 65531, 65532, 65535, 65536 };
	static struct x509_extensions e;
	const struct names names = { &e };
	const struct x509_san unknown = { 9, DER_LITERAL("?") };
	uint8_t *octets = test_alloc(65536), out[16];
	size_t i, len = 42;

	(void)state;
	(void)write_names(&names);
	memset(octets, 'a', 65536);
	for (i = 0; i < ARRAY_LEN(lens); i++) {
		e.num_sans = 1;
		e.sans[0] = (struct x509_san){ X509_SAN_DNS,
		    { octets, lens[i] } };
		(void)write_names(&names);
		e.num_sans = 3;
		e.sans[1] = (struct x509_san){ X509_SAN_DIRECTORY,
		    test_name("CN=a") };
		e.sans[2] = (struct x509_san){ X509_SAN_IP, { NULL, 0 } };
		(void)write_names(&names);
	}
	assert_int_equal(x509_write_sans(&unknown, 1, out, sizeof(out), &len),
	    OC_ERR_UNSUPPORTED);
	e.sans[0].value.len = UINT32_MAX - 11;
	assert_int_equal(x509_write_sans(e.sans, 1, out, sizeof(out), &len),
	    OC_ERR_LIMIT);
	e.sans[0].value.len = UINT32_MAX - 12;
	assert_int_equal(x509_write_sans(e.sans, 1, out, sizeof(out), &len),
	    OC_ERR_NO_SPACE);
	assert_int_equal(x509_write_sans(e.sans, 2, out, sizeof(out), &len),
	    OC_ERR_LIMIT);
	e.sans[0].value.len = SIZE_MAX;
	assert_int_equal(x509_write_sans(e.sans, 1, out, sizeof(out), &len),
	    OC_ERR_LIMIT);
	assert_int_equal(len, 42);
}

static void
put_time(struct der_writer *w, const void *at)
{
	der_put_time(w, *(const int64_t *)at);
}

/* RFC5280:4.1.2.5: both forms, as the writer and as OpenSSL have them. */
static void
check_time(int64_t at)
{
	ASN1_TIME *time = ASN1_TIME_set(NULL, (time_t)at);
	unsigned char *theirs = NULL;
	uint8_t ours[X509_TIME_MAX];
	struct der_bytes got = { ours, x509_write_time(at, ours) };

	assert_bytes_equal(got, test_write(put_time, &at));
	assert_int_equal(i2d_ASN1_TIME(time, &theirs), got.len);
	assert_memory_equal(theirs, ours, got.len);
	OPENSSL_free(theirs);
	ASN1_TIME_free(time);
}

static void
test_write_time(void **state)
{
	uint64_t seed = UINT64_C(0x2050);
	int i;

	(void)state;
	for (i = 0; i < 5; i++) {
		check_time(DER_UTCTIME_FIRST + i);
		check_time(DER_UTCTIME_LAST - 2 + i);
		check_time(DER_TIME_MAX - i);
	}
	for (i = 0; i < 2000; i++)
		check_time(DER_UTCTIME_FIRST + (int64_t)(test_random(&seed) %
		    (uint64_t)((i % 2 == 0 ? DER_UTCTIME_LAST : DER_TIME_MAX) -
		    DER_UTCTIME_FIRST)));
}

/* A hole for the octets of a single name, as where all names are alike. */
static void
test_template_one_name(void **state)
{
	struct der_template t = { 0 };
	struct der_bytes fill, want;
	struct x509_tbs tbs;
	uint64_t seed = 7;
	uint8_t out[8192];
	size_t len;

	(void)state;
	test_plan(&seed, &tbs);
	tbs.extensions.num_sans = 1;
	tbs.extensions.sans[0] = (struct x509_san){ X509_SAN_DNS,
	    DER_HOLE(0) };
	assert_int_equal(der_template_compile(&t, x509_put_tbs, &tbs), OC_OK);
	fill = DER_LITERAL("www.example.net");
	assert_int_equal(der_template_fill(&t, &fill, out, sizeof(out), &len),
	    OC_OK);
	tbs.extensions.sans[0].value = fill;
	want = test_write(x509_put_tbs, &tbs);
	assert_bytes_equal((struct der_bytes){ out, len }, want);
	der_template_fini(&t);
}

static void
test_no_extensions(void **state)
{
	struct x509_tbs tbs;
	uint64_t seed = 9;
	size_t len;

	(void)state;
	test_plan(&seed, &tbs);
	memset(&tbs.extensions, 0, sizeof(tbs.extensions));
	assert_int_equal(der_write(x509_put_tbs, &tbs, NULL, 0, &len),
	    OC_ERR_MALFORMED);
}

/* The parts of a certificate, to be put together wrongly. */
struct parts {
	struct der_bytes version, serial, inner_alg, issuer, validity,
	    subject, spki, unique_ids, extensions, outer_alg, signature,
	    behind_tbs, behind_all;
};

static void
put_parts_tbs(struct der_writer *w, const struct parts *p)
{
	der_begin(w, DER_SEQUENCE);
	der_put_raw(w, p->version);
	der_put_raw(w, p->serial);
	der_put_raw(w, p->inner_alg);
	der_put_raw(w, p->issuer);
	der_put_raw(w, p->validity);
	der_put_raw(w, p->subject);
	der_put_raw(w, p->spki);
	der_put_raw(w, p->unique_ids);
	der_put_raw(w, p->extensions);
	der_put_raw(w, p->behind_tbs);
	der_end(w);
}

static void
put_parts(struct der_writer *w, const void *arg)
{
	const struct parts *p = arg;

	der_begin(w, DER_SEQUENCE);
	put_parts_tbs(w, p);
	der_put_raw(w, p->outer_alg);
	der_put_raw(w, p->signature);
	der_end(w);
	der_put_raw(w, p->behind_all);
}

static void
good_parts(struct parts *p)
{
	static const uint8_t alg[] = { 0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86,
	    0x48, 0xce, 0x3d, 0x04, 0x03, 0x02 };

	memset(p, 0, sizeof(*p));
	p->version = DER_LITERAL("\xa0\x03\x02\x01\x02");
	p->serial = DER_LITERAL("\x02\x01\x01");
	p->inner_alg = p->outer_alg = DER_ARRAY(alg);
	p->issuer = p->subject = test_name("CN=a");
	p->validity = DER_LITERAL("\x30\x1e\x17\x0d" "260101000000Z"
	    "\x17\x0d" "270101000000Z");
	p->spki = test_spki("P-256");
	p->extensions = DER_LITERAL("\xa3\x10\x30\x0e\x30\x0c\x06\x03\x55\x1d"
	    "\x13\x01\x01\xff\x04\x02\x30\x00");
	p->signature = DER_LITERAL("\x03\x02\x00\x01");
}

static enum oc_err
read_parts(const struct parts *p)
{
	struct der_bytes der = test_write(put_parts, p);
	struct oc_error error = { 0 };
	struct x509_cert cert;
	uint8_t *exact = malloc(der.len);
	enum oc_err err;

	memcpy(exact, der.p, der.len);
	err = x509_cert_read((struct der_bytes){ exact, der.len }, &cert,
	    &error);
	assert_int_equal(err, error.code);
	assert_true((err == OC_OK) == (error.text[0] == '\0'));
	free(exact);
	return err;
}

static void
test_good_parts(void **state)
{
	struct parts p;

	(void)state;
	good_parts(&p);
	assert_int_equal(read_parts(&p), OC_OK);
	/* v1: no version, no extensions. */
	p.version = p.extensions = (struct der_bytes){ NULL, 0 };
	assert_int_equal(read_parts(&p), OC_OK);
	/* RFC 5280 4.1.2.8: able to parse them. */
	good_parts(&p);
	p.unique_ids = DER_LITERAL("\x81\x02\x00\x01\x82\x02\x00\x01");
	assert_int_equal(read_parts(&p), OC_OK);
	p.unique_ids = DER_LITERAL("\x82\x02\x04\xf0");
	assert_int_equal(read_parts(&p), OC_OK);
}

#define BAD(member, bytes, want) do { \
	good_parts(&p); \
	p.member = DER_LITERAL(bytes); \
	if (read_parts(&p) != (want)) \
		fail_msg(#member " " #bytes); \
} while (0)

static void
test_bad_heads(void **state)
{
	struct parts p;

	(void)state;
	BAD(version, "\xa0\x03\x02\x01\x00", OC_ERR_MALFORMED);	/* DEFAULT */
	BAD(version, "\xa0\x03\x02\x01\x01", OC_ERR_MALFORMED);	/* v2 */
	BAD(version, "\xa0\x03\x02\x01\x03", OC_ERR_MALFORMED);
	BAD(version, "\xa0\x00", OC_ERR_MALFORMED);
	BAD(version, "\xa0\x06\x02\x01\x02\x02\x01\x02", OC_ERR_MALFORMED);
	BAD(version, "", OC_ERR_MALFORMED);	/* v1 with extensions */
	BAD(serial, "\x02\x01\x00", OC_ERR_MALFORMED);
	BAD(serial, "\x02\x01\xff", OC_ERR_MALFORMED);
	BAD(serial, "\x02\x02\x00\x01", OC_ERR_MALFORMED);
	BAD(serial, "\x02\x00", OC_ERR_MALFORMED);
	BAD(serial, "", OC_ERR_MALFORMED);
	BAD(serial, "\x02\x15" "abcdefghijklmnopqrstu", OC_ERR_MALFORMED);
	BAD(serial, "\x04\x01\x01", OC_ERR_MALFORMED);
	BAD(inner_alg, "\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x03",
	    OC_ERR_MISMATCH);
	BAD(inner_alg, "\x30\x0c\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02"
	    "\x05\x00", OC_ERR_MISMATCH);
	BAD(outer_alg, "\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x04",
	    OC_ERR_MISMATCH);
	BAD(outer_alg, "\x30\x00", OC_ERR_MALFORMED);
	BAD(outer_alg, "\x30\x03\x02\x01\x01", OC_ERR_MALFORMED);
	BAD(outer_alg, "\x30\x0e\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02"
	    "\x05\x00\x05\x00", OC_ERR_MALFORMED);
	BAD(signature, "\x03\x02\x01\x02", OC_ERR_MALFORMED);
	BAD(signature, "\x04\x01\x02", OC_ERR_MALFORMED);
	BAD(signature, "", OC_ERR_MALFORMED);
	BAD(signature, "\x03\x02\x00\x01\x05\x00", OC_ERR_MALFORMED);
	BAD(behind_tbs, "\x05\x00", OC_ERR_MALFORMED);
	BAD(behind_all, "\x00", OC_ERR_MALFORMED);
	BAD(behind_all, "\x0a", OC_ERR_MALFORMED);
}

static void
test_bad_bodies(void **state)
{
	struct parts p;

	(void)state;
	BAD(issuer, "\x31\x00", OC_ERR_MALFORMED);
	BAD(subject, "\x30\x02\x31\x00", OC_ERR_MALFORMED);
	BAD(subject, "", OC_ERR_MALFORMED);
	BAD(spki, "\x30\x00", OC_ERR_MALFORMED);
	BAD(validity, "\x30\x0f\x17\x0d" "260101000000Z", OC_ERR_MALFORMED);
	BAD(validity, "\x30\x1c\x17\x0b" "2601010000Z"
	    "\x17\x0d" "270101000000Z", OC_ERR_MALFORMED);
	BAD(validity, "\x30\x22\x17\x11" "260101000000+0000"
	    "\x17\x0d" "270101000000Z", OC_ERR_MALFORMED);
	/* GeneralizedTime before 2050; month 13. */
	BAD(validity, "\x30\x20\x18\x0f" "20260101000000Z"
	    "\x17\x0d" "270101000000Z", OC_ERR_MALFORMED);
	BAD(validity, "\x30\x1e\x17\x0d" "261301000000Z"
	    "\x17\x0d" "270101000000Z", OC_ERR_MALFORMED);
	BAD(unique_ids, "\x81\x02\x08\x01", OC_ERR_MALFORMED);
	BAD(unique_ids, "\x81\x02\x01\x01", OC_ERR_MALFORMED);
	BAD(unique_ids, "\x82\x02\x00\x01\x81\x02\x00\x01",
	    OC_ERR_MALFORMED);
	BAD(unique_ids, "\x81\x00", OC_ERR_MALFORMED);
	BAD(extensions, "\xa3\x02\x30\x00", OC_ERR_MALFORMED);
	BAD(extensions, "\xa3\x00", OC_ERR_MALFORMED);
	BAD(extensions, "\xa3\x1e\x30\x1c"
	    "\x30\x0c\x06\x03\x55\x1d\x13\x01\x01\xff\x04\x02\x30\x00"
	    "\x30\x0c\x06\x03\x55\x1d\x13\x01\x01\xff\x04\x02\x30\x00",
	    OC_ERR_MALFORMED);
	BAD(extensions, "\xa3\x12\x30\x0e\x30\x0c\x06\x03\x55\x1d\x13\x01\x01"
	    "\xff\x04\x02\x30\x00\x05\x00", OC_ERR_MALFORMED);
}

static void
test_too_large(void **state)
{
	struct x509_cert cert;
	uint8_t *p = calloc(1, OC_CERTIFICATE_MAX + 1);

	(void)state;
	assert_int_equal(x509_cert_read((struct der_bytes){ p,
	    OC_CERTIFICATE_MAX + 1 }, &cert, NULL), OC_ERR_LIMIT);
	free(p);
}

/* What is signed by whom. */
static void
test_verify_issued(void **state)
{
	struct x509_cert ca, leaf, other;
	struct oc_error error = { 0 };
	struct der_bytes der;
	struct x509_tbs tbs;
	uint64_t seed = 11;
	uint8_t *bad;

	(void)state;
	test_plan(&seed, &tbs);
	tbs.alg = SIGN_ECDSA_SHA256;
	tbs.issuer = tbs.subject = test_name("CN=ca");
	tbs.spki = test_spki("P-256");
	der = test_sign(test_write(x509_put_tbs, &tbs), "P-256", tbs.alg);
	assert_int_equal(x509_cert_read(der, &ca, NULL), OC_OK);
	assert_int_equal(x509_cert_verify_issued(&ca, &ca, NULL), OC_OK);

	tbs.subject = test_name("CN=leaf");
	tbs.spki = test_spki("P-384");
	der = test_sign(test_write(x509_put_tbs, &tbs), "P-256", tbs.alg);
	assert_int_equal(x509_cert_read(der, &leaf, NULL), OC_OK);
	assert_int_equal(x509_cert_verify_issued(&leaf, &ca, NULL), OC_OK);
	assert_int_equal(x509_cert_verify_issued(&ca, &leaf, &error),
	    OC_ERR_MISMATCH);

	/* The same name with another key, of the same and another type. */
	other = ca;
	other.spki = test_spki("P-384");
	assert_int_equal(x509_cert_verify_issued(&leaf, &other, &error),
	    OC_ERR_SIGNATURE);
	other.spki = test_spki("RSA2048");
	assert_int_equal(x509_cert_verify_issued(&leaf, &other, &error),
	    OC_ERR_MISMATCH);
	other = leaf;
	other.alg = SIGN_ALG_NONE;
	assert_int_equal(x509_cert_verify_issued(&other, &ca, &error),
	    OC_ERR_UNSUPPORTED);

	/* A bit of the signature's last octet. */
	bad = test_alloc(der.len);
	memcpy(bad, der.p, der.len);
	bad[der.len - 1] ^= 1;
	assert_int_equal(x509_cert_read((struct der_bytes){ bad, der.len },
	    &leaf, NULL), OC_OK);
	assert_int_equal(x509_cert_verify_issued(&leaf, &ca, &error),
	    OC_ERR_SIGNATURE);
	assert_string_not_equal(error.text, "");
}

static void
test_is_ca(void **state)
{
	struct x509_cert cert = { .alg = SIGN_ALG_NONE };

	(void)state;
	assert_false(x509_cert_is_ca(&cert));
	cert.extensions.has_basic_constraints = true;
	assert_false(x509_cert_is_ca(&cert));
	cert.extensions.ca = X509_IS_CA;
	assert_true(x509_cert_is_ca(&cert));
	cert.extensions.key_usage = X509_KU_CRL_SIGN;
	assert_false(x509_cert_is_ca(&cert));
	cert.extensions.key_usage |= X509_KU_KEY_CERT_SIGN;
	assert_true(x509_cert_is_ca(&cert));
	assert_false(x509_cert_has_eku(&cert, DER_OID_OCSP_SIGNING));
	cert.extensions.ekus[0] = der_oid_bytes(DER_OID_SERVER_AUTH);
	cert.extensions.ekus[1] = der_oid_bytes(DER_OID_OCSP_SIGNING);
	cert.extensions.num_ekus = 1;
	assert_false(x509_cert_has_eku(&cert, DER_OID_OCSP_SIGNING));
	cert.extensions.num_ekus = 2;
	assert_true(x509_cert_has_eku(&cert, DER_OID_OCSP_SIGNING));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_as_openssl),
		cmocka_unit_test(test_openssl_reads),
		cmocka_unit_test(test_template),
		cmocka_unit_test(test_template_one_name),
		cmocka_unit_test(test_write_sans),
		cmocka_unit_test(test_write_time),
		cmocka_unit_test(test_no_extensions),
		cmocka_unit_test(test_good_parts),
		cmocka_unit_test(test_bad_heads),
		cmocka_unit_test(test_bad_bodies),
		cmocka_unit_test(test_too_large),
		cmocka_unit_test(test_verify_issued),
		cmocka_unit_test(test_is_ca),
	};

	return cmocka_run_group_tests(tests, NULL, test_free_all);
}
