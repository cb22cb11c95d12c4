/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CRLs: with no, one and a thousand entries written as OpenSSL writes them,
 * read as written; and what is refused.  RFC5280:5.1 RFC5280:5.3.1
 */
#include "x509_test.h"

#include <stdlib.h>
#include <string.h>

#define NUMBER_MAX UINT64_MAX
#define LAST_UTCTIME INT64_C(2524607999)

static const enum crl_reason reasons[] = { CRL_REASON_UNSPECIFIED,
    CRL_REASON_KEY_COMPROMISE, CRL_REASON_CA_COMPROMISE,
    CRL_REASON_AFFILIATION_CHANGED, CRL_REASON_SUPERSEDED,
    CRL_REASON_CESSATION_OF_OPERATION, CRL_REASON_CERTIFICATE_HOLD,
    CRL_REASON_REMOVE_FROM_CRL, CRL_REASON_PRIVILEGE_WITHDRAWN,
    CRL_REASON_AA_COMPROMISE };

static int64_t
random_time(uint64_t *seed)
{
	if (test_random_below(seed, 4) == 0)
		return LAST_UTCTIME + (int64_t)test_random_below(seed, 3) - 1;
	return 1 + (int64_t)(test_random(seed) % UINT64_C(253402300798));
}

static void
random_entry(uint64_t *seed, struct x509_crl_entry *e)
{
	uint8_t i;

	memset(e, 0, sizeof(*e));
	e->serial.len = (uint8_t)(1 + test_random_below(seed, OC_SERIAL_MAX));
	for (i = 0; i < e->serial.len; i++)
		e->serial.bytes[i] = (uint8_t)(test_random(seed) >> 56);
	e->serial.bytes[0] = (uint8_t)(1 + test_random_below(seed, 127));
	e->revoked_at = random_time(seed);
	e->reason = reasons[test_random_below(seed, ARRAY_LEN(reasons))];
	if (test_random_below(seed, 3) == 0)
		e->invalidity_at = random_time(seed);
}

static void
add_revoked(X509_CRL *crl, const struct x509_crl_entry *e)
{
	BIGNUM *bn = BN_bin2bn(e->serial.bytes, e->serial.len, NULL);
	ASN1_INTEGER *serial = BN_to_ASN1_INTEGER(bn, NULL);
	ASN1_TIME *at = ASN1_TIME_set(NULL, (time_t)e->revoked_at);
	X509_REVOKED *revoked = X509_REVOKED_new();

	X509_REVOKED_set_serialNumber(revoked, serial);
	X509_REVOKED_set_revocationDate(revoked, at);
	if (e->reason != CRL_REASON_UNSPECIFIED) {
		ASN1_ENUMERATED *reason = ASN1_ENUMERATED_new();

		ASN1_ENUMERATED_set(reason, (long)e->reason);
		X509_REVOKED_add1_ext_i2d(revoked, NID_crl_reason, reason, 0,
		    X509V3_ADD_APPEND);
		ASN1_ENUMERATED_free(reason);
	}
	if (e->invalidity_at != 0) {
		ASN1_GENERALIZEDTIME *time = ASN1_GENERALIZEDTIME_set(NULL,
		    (time_t)e->invalidity_at);

		X509_REVOKED_add1_ext_i2d(revoked, NID_invalidity_date, time,
		    0, X509V3_ADD_APPEND);
		ASN1_GENERALIZEDTIME_free(time);
	}
	assert_int_equal(X509_CRL_add0_revoked(crl, revoked), 1);
	ASN1_TIME_free(at);
	ASN1_INTEGER_free(serial);
	BN_free(bn);
}

static void
add_crl_extensions(X509_CRL *crl, const struct x509_crl_tbs *tbs)
{
	AUTHORITY_KEYID *keyid = AUTHORITY_KEYID_new();
	ASN1_INTEGER *number = ASN1_INTEGER_new();

	keyid->keyid = ASN1_OCTET_STRING_new();
	ASN1_OCTET_STRING_set(keyid->keyid, tbs->authority_key_id.p,
	    (int)tbs->authority_key_id.len);
	X509_CRL_add1_ext_i2d(crl, NID_authority_key_identifier, keyid, 0,
	    X509V3_ADD_APPEND);
	ASN1_INTEGER_set_uint64(number, tbs->number);
	X509_CRL_add1_ext_i2d(crl, NID_crl_number, number, 0,
	    X509V3_ADD_APPEND);
	AUTHORITY_KEYID_free(keyid);
	ASN1_INTEGER_free(number);
}

/* The same list by OpenSSL, signed by it with ECDSA and SHA-256.  It sorts
 * entries when signing only if told to. */
static struct der_bytes
openssl_crl(const struct x509_crl_tbs *tbs,
    const struct x509_crl_entry *entries, size_t num)
{
	const uint8_t *p = tbs->issuer.p;
	X509_NAME *issuer = d2i_X509_NAME(NULL, &p, (long)tbs->issuer.len);
	ASN1_TIME *at = ASN1_TIME_set(NULL, (time_t)tbs->this_update);
	X509_CRL *crl = X509_CRL_new();
	struct der_bytes der;
	size_t i;

	X509_CRL_set_version(crl, X509_CRL_VERSION_2);
	X509_CRL_set_issuer_name(crl, issuer);
	X509_CRL_set1_lastUpdate(crl, at);
	ASN1_TIME_set(at, (time_t)tbs->next_update);
	X509_CRL_set1_nextUpdate(crl, at);
	for (i = 0; i < num; i++)
		add_revoked(crl, &entries[i]);
	add_crl_extensions(crl, tbs);
	assert_true(X509_CRL_sign(crl, test_key("P-256"), EVP_sha256()) > 0);
	der = test_i2d_crl(crl);
	X509_CRL_free(crl);
	ASN1_TIME_free(at);
	X509_NAME_free(issuer);
	return der;
}

static struct der_bytes
write_entries(const struct x509_crl_entry *entries, size_t num)
{
	uint8_t *out = test_alloc(num * X509_CRL_ENTRY_MAX + 1);
	size_t len = 0, i, one;

	for (i = 0; i < num; i++) {
		assert_int_equal(x509_crl_entry_write(&entries[i], out + len,
		    &one), OC_OK);
		len += one;
	}
	return (struct der_bytes){ out, len };
}

static void
check_entries(struct der_bytes rest, const struct x509_crl_entry *entries,
    size_t num)
{
	struct x509_crl_entry e;
	size_t i;

	for (i = 0; i < num; i++) {
		assert_int_equal(x509_crl_next_entry(&rest, &e), OC_OK);
		assert_true(oc_serial_equal(&e.serial, &entries[i].serial));
		assert_true(e.revoked_at == entries[i].revoked_at);
		assert_int_equal(e.reason, entries[i].reason);
		assert_true(e.invalidity_at == entries[i].invalidity_at);
	}
	assert_int_equal(rest.len, 0);
	assert_int_equal(x509_crl_next_entry(&rest, &e), OC_ERR_MALFORMED);
}

static void
test_same_as_openssl(void **state)
{
	static const size_t sizes[] = { 0, 1, 2, 10, 1000, 0, 1, 5, 50 };
	static const uint64_t numbers[] = { 0, 1, 127, 128, 65536,
	    NUMBER_MAX };
	struct x509_crl_entry *entries = test_alloc(1000 * sizeof(*entries));
	uint64_t seed = 5280;
	size_t i, j;

	(void)state;
	for (i = 0; i < ARRAY_LEN(sizes) * 4; i++) {
		size_t num = sizes[i % ARRAY_LEN(sizes)];
		struct x509_crl_tbs tbs = {
			.alg = SIGN_ECDSA_SHA256,
			.issuer = test_name("/C=DE/O=Example/CN=CA"),
			.this_update = random_time(&seed),
			.next_update = random_time(&seed),
			.authority_key_id =
			    DER_LITERAL("01234567890123456789"),
			.number = numbers[i % ARRAY_LEN(numbers)],
		};
		struct der_bytes theirs, ours, der;
		struct oc_error error = { 0 };
		struct x509_crl crl;
		const uint8_t *p;
		X509_CRL *back;

		for (j = 0; j < num; j++)
			random_entry(&seed, &entries[j]);
		tbs.entries = write_entries(entries, num);
		ours = test_write(x509_put_crl_tbs, &tbs);
		theirs = openssl_crl(&tbs, entries, num);
		if (x509_crl_read(theirs, &crl, &error) != OC_OK)
			fail_msg("list %zu: %s", i, error.text);
		assert_bytes_equal(crl.tbs, ours);
		assert_bytes_equal(crl.entries, tbs.entries);
		check_entries(crl.entries, entries, num);
		assert_bytes_equal(crl.issuer, tbs.issuer);
		assert_true(crl.this_update == tbs.this_update);
		assert_true(crl.next_update == tbs.next_update);
		assert_bytes_equal(crl.authority_key_id,
		    tbs.authority_key_id);
		assert_false(crl.is_delta || crl.has_idp ||
		    crl.has_unknown_critical);
		assert_int_equal(crl.alg, SIGN_ECDSA_SHA256);
		/* Ours, signed, through OpenSSL. */
		der = test_sign(ours, "P-256", SIGN_ECDSA_SHA256);
		p = der.p;
		back = d2i_X509_CRL(NULL, &p, (long)der.len);
		assert_non_null(back);
		assert_bytes_equal(test_i2d_crl(back), der);
		assert_int_equal(X509_CRL_verify(back, test_key("P-256")), 1);
		X509_CRL_free(back);
	}
}

static void
test_entry_octets(void **state)
{
	struct x509_crl_entry e = { .serial = { { 0x7f }, 1 },
	    .revoked_at = LAST_UTCTIME };
	uint8_t out[X509_CRL_ENTRY_MAX];
	uint64_t seed = 1;
	size_t len, i;

	(void)state;
	assert_int_equal(x509_crl_entry_write(&e, out, &len), OC_OK);
	assert_bytes_equal((struct der_bytes){ out, len }, DER_LITERAL(
	    "\x30\x12\x02\x01\x7f\x17\x0d" "491231235959Z"));
	e.revoked_at++;
	e.reason = CRL_REASON_KEY_COMPROMISE;
	assert_int_equal(x509_crl_entry_write(&e, out, &len), OC_OK);
	assert_bytes_equal((struct der_bytes){ out, len }, DER_LITERAL(
	    "\x30\x22\x02\x01\x7f\x18\x0f" "20500101000000Z"
	    "\x30\x0c\x30\x0a\x06\x03\x55\x1d\x15\x04\x03\x0a\x01\x01"));
	for (i = 0; i < 1000; i++) {
		random_entry(&seed, &e);
		assert_int_equal(x509_crl_entry_write(&e, out, &len), OC_OK);
		assert_true(len <= X509_CRL_ENTRY_MAX);
	}
	/* The largest there is. */
	memset(&e.serial.bytes, 0x7f, OC_SERIAL_MAX);
	e.serial.len = OC_SERIAL_MAX;
	e.revoked_at = e.invalidity_at = INT64_C(253402300799);
	e.reason = CRL_REASON_AA_COMPROMISE;
	assert_int_equal(x509_crl_entry_write(&e, out, &len), OC_OK);
	e.reason = (enum crl_reason)7;
	assert_int_equal(x509_crl_entry_write(&e, out, &len),
	    OC_ERR_MALFORMED);
	e.reason = (enum crl_reason)11;
	assert_int_equal(x509_crl_entry_write(&e, out, &len),
	    OC_ERR_MALFORMED);
	e.reason = CRL_REASON_UNSPECIFIED;
	e.serial.len = 0;
	assert_int_equal(x509_crl_entry_write(&e, out, &len),
	    OC_ERR_MALFORMED);
}

static void
test_not_written(void **state)
{
	struct x509_crl_tbs tbs = { .alg = SIGN_ECDSA_SHA256,
	    .issuer = test_name("CN=a") };
	size_t len;

	(void)state;
	/* RFC 5280 5.2.1: the key identifier MUST be there. */
	assert_int_equal(der_write(x509_put_crl_tbs, &tbs, NULL, 0, &len),
	    OC_ERR_MALFORMED);
	tbs.authority_key_id = DER_LITERAL("a");
	tbs.next_update = INT64_C(253402300800);
	assert_int_equal(der_write(x509_put_crl_tbs, &tbs, NULL, 0, &len),
	    OC_ERR_LIMIT);
}

/* The parts of a list, to be put together wrongly. */
struct parts {
	struct der_bytes version, inner_alg, issuer, times, entries,
	    extensions, behind_tbs, outer_alg, behind_all;
};

static void
put_parts(struct der_writer *w, const void *arg)
{
	const struct parts *p = arg;

	der_begin(w, DER_SEQUENCE);
	der_begin(w, DER_SEQUENCE);
	der_put_raw(w, p->version);
	der_put_raw(w, p->inner_alg);
	der_put_raw(w, p->issuer);
	der_put_raw(w, p->times);
	der_put_raw(w, p->entries);
	der_put_raw(w, p->extensions);
	der_put_raw(w, p->behind_tbs);
	der_end(w);
	der_put_raw(w, p->outer_alg);
	der_put_bits(w, DER_LITERAL("\x01"));
	der_end(w);
	der_put_raw(w, p->behind_all);
}

#define THIS "\x17\x0d" "260101000000Z"
#define NEXT "\x17\x0d" "260201000000Z"
#define ALG "\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02"
#define NUMBER "\x30\x0a\x06\x03\x55\x1d\x14\x04\x03\x02\x01\x05"
#define ENTRY "\x30\x12\x02\x01\x7f" THIS

static struct parts
good_parts(void)
{
	return (struct parts){
		.version = DER_LITERAL("\x02\x01\x01"),
		.inner_alg = DER_LITERAL(ALG),
		.issuer = test_name("CN=a"),
		.times = DER_LITERAL(THIS NEXT),
		.entries = DER_LITERAL("\x30\x14" ENTRY),
		.extensions = DER_LITERAL("\xa0\x0e\x30\x0c" NUMBER),
		.outer_alg = DER_LITERAL(ALG),
	};
}

static enum oc_err
read_parts(const struct parts *p, struct x509_crl *crl)
{
	struct der_bytes der = test_write(put_parts, p);
	struct oc_error error = { 0 };
	uint8_t *exact = malloc(der.len);
	enum oc_err err;

	memcpy(exact, der.p, der.len);
	err = x509_crl_read((struct der_bytes){ exact, der.len }, crl,
	    &error);
	assert_int_equal(error.code, err);
	free(exact);
	return err;
}

#define PART(member, bytes, err) { #member " " #bytes, \
	offsetof(struct parts, member), DER_LITERAL(bytes), err }
static const struct {
	const char *what;
	size_t part;
	struct der_bytes bytes;
	enum oc_err err;
} bad[] = {
	PART(version, "\x02\x01\x00", OC_ERR_MALFORMED),
	PART(version, "\x02\x01\x02", OC_ERR_MALFORMED),
	PART(version, "", OC_ERR_MALFORMED),	/* v1 with extensions */
	PART(inner_alg, "\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x03",
	    OC_ERR_MISMATCH),
	PART(issuer, "\x30\x02\x31\x00", OC_ERR_MALFORMED),
	PART(issuer, "", OC_ERR_MALFORMED),
	PART(times, "", OC_ERR_MALFORMED),
	PART(times, THIS, OC_OK),
	PART(times, THIS NEXT THIS, OC_ERR_MALFORMED),
	PART(times, "\x17\x0b" "2601010000Z", OC_ERR_MALFORMED),
	PART(times, "\x18\x0f" "20260101000000Z", OC_ERR_MALFORMED),
	PART(times, THIS "\x17\x0d" "261301000000Z", OC_ERR_MALFORMED),
	PART(entries, "", OC_OK),
	PART(entries, "\x30\x00", OC_OK),	/* some do write it */
	PART(entries, "\x30\x02\x30\x00", OC_ERR_MALFORMED),
	PART(entries, "\x30\x05\x30\x03\x02\x01\x01", OC_ERR_MALFORMED),
	PART(entries, "\x30\x14\x30\x12\x02\x01\x00" THIS, OC_ERR_MALFORMED),
	PART(entries, "\x30\x14\x30\x12\x02\x01\xff" THIS, OC_ERR_MALFORMED),
	PART(entries, "\x30\x16" ENTRY "\x30\x00", OC_ERR_MALFORMED),
	PART(entries, "\x30\x16\x30\x14\x02\x01\x7f" THIS "\x30\x00",
	    OC_ERR_MALFORMED),
	/* reason 7, 11; twice; as an INTEGER; critical */
	PART(entries, "\x30\x22\x30\x20\x02\x01\x7f" THIS "\x30\x0c\x30\x0a"
	    "\x06\x03\x55\x1d\x15\x04\x03\x0a\x01\x06", OC_OK),
	PART(entries, "\x30\x22\x30\x20\x02\x01\x7f" THIS "\x30\x0c\x30\x0a"
	    "\x06\x03\x55\x1d\x15\x04\x03\x0a\x01\x07", OC_ERR_MALFORMED),
	PART(entries, "\x30\x22\x30\x20\x02\x01\x7f" THIS "\x30\x0c\x30\x0a"
	    "\x06\x03\x55\x1d\x15\x04\x03\x0a\x01\x0b", OC_ERR_MALFORMED),
	PART(entries, "\x30\x22\x30\x20\x02\x01\x7f" THIS "\x30\x0c\x30\x0a"
	    "\x06\x03\x55\x1d\x15\x04\x03\x02\x01\x01", OC_ERR_MALFORMED),
	PART(entries, "\x30\x2e\x30\x2c\x02\x01\x7f" THIS "\x30\x18\x30\x0a"
	    "\x06\x03\x55\x1d\x15\x04\x03\x0a\x01\x01\x30\x0a"
	    "\x06\x03\x55\x1d\x15\x04\x03\x0a\x01\x01", OC_ERR_MALFORMED),
	/* invalidityDate as UTCTime */
	PART(entries, "\x30\x2e\x30\x2c\x02\x01\x7f" THIS "\x30\x18\x30\x16"
	    "\x06\x03\x55\x1d\x18\x04\x0f" THIS, OC_ERR_MALFORMED),
	PART(extensions, "", OC_OK),
	PART(extensions, "\xa0\x00", OC_ERR_MALFORMED),
	PART(extensions, "\xa0\x02\x30\x00", OC_ERR_MALFORMED),
	PART(extensions, "\xa0\x1a\x30\x18" NUMBER NUMBER, OC_ERR_MALFORMED),
	PART(extensions, "\xa0\x10\x30\x0c" NUMBER "\x05\x00",
	    OC_ERR_MALFORMED),
	PART(extensions, "\xa0\x0e\x30\x0c\x30\x0a\x06\x03\x55\x1d\x14\x04"
	    "\x03\x02\x01\xff", OC_ERR_MALFORMED),
	PART(extensions, "\xa0\x22\x30\x20\x30\x1e\x06\x03\x55\x1d\x14\x04"
	    "\x17\x02\x15" "abcdefghijklmnopqrstu", OC_ERR_MALFORMED),
	PART(extensions, "\xa1\x0e\x30\x0c" NUMBER, OC_ERR_MALFORMED),
	PART(behind_tbs, "\x05\x00", OC_ERR_MALFORMED),
	PART(behind_all, "\x00", OC_ERR_MALFORMED),
	PART(outer_alg, "\x30\x00", OC_ERR_MALFORMED),
};
#undef PART

static void
test_bad_parts(void **state)
{
	struct x509_crl crl;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(bad); i++) {
		struct parts p = good_parts();
		enum oc_err err;

		*(struct der_bytes *)(void *)((uint8_t *)&p + bad[i].part) =
		    bad[i].bytes;
		err = read_parts(&p, &crl);
		if (err != bad[i].err)
			fail_msg("%s: %s", bad[i].what, oc_strerror(err));
	}
}

/* What a caller must look at before it believes the list. */
static void
test_marks(void **state)
{
	struct parts p = good_parts();
	struct x509_crl crl;

	(void)state;
	assert_int_equal(read_parts(&p, &crl), OC_OK);
	assert_false(crl.is_delta || crl.has_idp || crl.has_unknown_critical);
	assert_int_equal(crl.number.len, 1);
	p.extensions = DER_LITERAL("\xa0\x11\x30\x0f\x30\x0d\x06\x03\x55\x1d"
	    "\x1b\x01\x01\xff\x04\x03\x02\x01\x01");
	assert_int_equal(read_parts(&p, &crl), OC_OK);
	assert_true(crl.is_delta && !crl.has_idp);
	p.extensions = DER_LITERAL("\xa0\x13\x30\x11\x30\x0f\x06\x03\x55\x1d"
	    "\x1c\x01\x01\xff\x04\x05\x30\x03\x81\x01\xff");
	assert_int_equal(read_parts(&p, &crl), OC_OK);
	assert_true(crl.has_idp && !crl.is_delta);
	assert_true(crl.point.has_only_user_certs);
	assert_false(crl.point.has_only_ca_certs || crl.point.is_indirect ||
	    crl.point.has_only_some_reasons);
	/* FALSE is left out; a name is not empty. */
	p.extensions = DER_LITERAL("\xa0\x13\x30\x11\x30\x0f\x06\x03\x55\x1d"
	    "\x1c\x01\x01\xff\x04\x05\x30\x03\x82\x01\x00");
	assert_int_equal(read_parts(&p, &crl), OC_ERR_MALFORMED);
	p.extensions = DER_LITERAL("\xa0\x14\x30\x12\x30\x10\x06\x03\x55\x1d"
	    "\x1c\x01\x01\xff\x04\x06\x30\x04\xa0\x02\xa0\x00");
	assert_int_equal(read_parts(&p, &crl), OC_ERR_MALFORMED);
	p.extensions = DER_LITERAL("\xa0\x10\x30\x0e\x30\x0c\x06\x03\x55\x1d"
	    "\x7f\x01\x01\xff\x04\x02\x05\x00");
	assert_int_equal(read_parts(&p, &crl), OC_OK);
	assert_true(crl.has_unknown_critical);
	/* In an entry: certificateIssuer, as indirect CRLs have it. */
	p = good_parts();
	p.entries = DER_LITERAL("\x30\x2d\x30\x2b\x02\x01\x7f" THIS
	    "\x30\x17\x30\x15\x06\x03\x55\x1d\x1d\x01\x01\xff\x04\x0b\x30\x09"
	    "\xa4\x07\x30\x05\x31\x03\x30\x01\x00");
	assert_int_equal(read_parts(&p, &crl), OC_OK);
	assert_true(crl.has_unknown_critical);
	/* v1: no extensions in the list, none in an entry. */
	p = good_parts();
	p.version = p.extensions = DER_LITERAL("");
	assert_int_equal(read_parts(&p, &crl), OC_OK);
	p.entries = DER_LITERAL("\x30\x22\x30\x20\x02\x01\x7f" THIS
	    "\x30\x0c\x30\x0a\x06\x03\x55\x1d\x15\x04\x03\x0a\x01\x06");
	assert_int_equal(read_parts(&p, &crl), OC_ERR_MALFORMED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_as_openssl),
		cmocka_unit_test(test_entry_octets),
		cmocka_unit_test(test_not_written),
		cmocka_unit_test(test_bad_parts),
		cmocka_unit_test(test_marks),
	};

	return cmocka_run_group_tests(tests, NULL, test_free_all);
}
