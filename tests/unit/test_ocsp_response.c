/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OCSPResponse: ours is what OpenSSL writes of the same fields, OpenSSL's is
 * read and written again, and what is no response is told apart.  That signed
 * ones verify is tested with contexts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <strings.h>
#include <time.h>

#include <cmocka.h>

#include "der/time.h"
#include "tests/unit/ocsp_fixture.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#define NOW INT64_C(1790000000)
#define HOUR 3600

static X509 *issuer;
static EVP_PKEY *issuer_key;
static struct ocsp_identity identity;

static int
setup(void **state)
{
	(void)state;
	issuer_key = fixture_key("P-256");
	issuer = fixture_cert("Response CA", issuer_key, FIXTURE_CA, NULL,
	    NULL);
	fixture_identity(issuer, &identity);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	X509_free(issuer);
	EVP_PKEY_free(issuer_key);
	return 0;
}

static void
error_responses(void **state)
{
	static const enum ocsp_response_status all[] = {
		OCSP_MALFORMED_REQUEST, OCSP_INTERNAL_ERROR, OCSP_TRY_LATER,
		OCSP_SIG_REQUIRED, OCSP_UNAUTHORIZED
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct der_bytes ours = ocsp_error_response(all[i]);
		OCSP_RESPONSE *theirs = OCSP_response_create((int)all[i], NULL);
		struct ocsp_response_view view;
		unsigned char *der = NULL;

		assert_int_equal(i2d_OCSP_RESPONSE(theirs, &der), ours.len);
		assert_memory_equal(der, ours.p, ours.len);
		OPENSSL_free(der);
		OCSP_RESPONSE_free(theirs);
		assert_int_equal(ocsp_response_read(ours, &view, NULL), OC_OK);
		assert_int_equal(view.status, all[i]);
		assert_int_equal(strcasecmp(ocsp_response_status_name(all[i]),
		    OCSP_response_status_str(all[i])), 0);
	}
}

static void
ask_for_status_4(void)
{
	(void)ocsp_error_response((enum ocsp_response_status)4);
}

static void
ask_for_successful(void)
{
	(void)ocsp_error_response(OCSP_SUCCESSFUL);
}

static void
no_error_response_for_what_is_none(void **state)
{
	(void)state;
	test_aborts(ask_for_status_4);
	test_aborts(ask_for_successful);
}

static void
statuses_of_errors(void **state)
{
	(void)state;
	assert_int_equal(ocsp_response_status_of(OC_OK), OCSP_SUCCESSFUL);
	assert_int_equal(ocsp_response_status_of(OC_ERR_MALFORMED),
	    OCSP_MALFORMED_REQUEST);
	assert_int_equal(ocsp_response_status_of(OC_ERR_LIMIT),
	    OCSP_MALFORMED_REQUEST);
	assert_int_equal(ocsp_response_status_of(OC_ERR_NOT_FOUND),
	    OCSP_UNAUTHORIZED);
	assert_int_equal(ocsp_response_status_of(OC_ERR_DOWN), OCSP_TRY_LATER);
	assert_int_equal(ocsp_response_status_of(OC_ERR_BUSY), OCSP_TRY_LATER);
	assert_int_equal(ocsp_response_status_of(OC_ERR_NO_SPACE),
	    OCSP_INTERNAL_ERROR);
	assert_int_equal(ocsp_response_status_of((enum oc_err)999),
	    OCSP_INTERNAL_ERROR);
}

static ASN1_GENERALIZEDTIME *
gentime(int64_t at)
{
	ASN1_GENERALIZEDTIME *t = ASN1_GENERALIZEDTIME_set(NULL, (time_t)at);

	assert_non_null(t);
	return t;
}

/* What OpenSSL makes of one of our singles; certid is the TLV. */
static void
add_single(OCSP_BASICRESP *basic, struct blob certid,
    const struct ocsp_single *single)
{
	const unsigned char *p = certid.bytes;
	OCSP_CERTID *id = d2i_OCSP_CERTID(NULL, &p, (long)certid.len);
	ASN1_GENERALIZEDTIME *revoked = NULL, *this = NULL, *next = NULL;
	bool has_reason = single->status.reason != CRL_REASON_UNSPECIFIED;

	assert_non_null(id);
	this = gentime(single->this_update);
	if (single->next_update != OCSP_NO_NEXT_UPDATE)
		next = gentime(single->next_update);
	if (single->status.kind == OCSP_REVOKED)
		revoked = gentime(single->status.revoked_at);
	assert_non_null(OCSP_basic_add1_status(basic, id,
	    (int)single->status.kind, has_reason ?
	    (int)single->status.reason : -1, revoked, this, next));
	ASN1_GENERALIZEDTIME_free(revoked);
	ASN1_GENERALIZEDTIME_free(this);
	ASN1_GENERALIZEDTIME_free(next);
	OCSP_CERTID_free(id);
}

/* Signs it with a throw-away signature, and gives back ResponseData. */
static struct blob
openssl_data(OCSP_BASICRESP *basic)
{
	struct blob der;
	unsigned char *p = der.bytes;

	assert_int_equal(OCSP_basic_sign(basic, issuer, issuer_key,
	    EVP_sha256(), NULL, OCSP_NOCERTS | OCSP_RESPID_KEY | OCSP_NOTIME),
	    1);
	der.len = (size_t)i2d_OCSP_RESPDATA(
	    (OCSP_RESPDATA *)(uintptr_t)OCSP_resp_get0_respdata(basic), &p);
	return der;
}

static void
set_produced_at(OCSP_BASICRESP *basic, int64_t at)
{
	ASN1_GENERALIZEDTIME *t = (ASN1_GENERALIZEDTIME *)(uintptr_t)
	    OCSP_resp_get0_produced_at(basic);

	assert_non_null(ASN1_GENERALIZEDTIME_set(t, (time_t)at));
}

static X509_EXTENSION *
openssl_extension(const char *oid, struct blob value)
{
	ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
	ASN1_OCTET_STRING *octets = ASN1_OCTET_STRING_new();
	X509_EXTENSION *extension;

	assert_int_equal(ASN1_OCTET_STRING_set(octets, value.bytes,
	    (int)value.len), 1);
	extension = X509_EXTENSION_create_by_OBJ(NULL, object, 0, octets);
	assert_non_null(extension);
	ASN1_OCTET_STRING_free(octets);
	ASN1_OBJECT_free(object);
	return extension;
}

static void
check_data(const struct ocsp_response_data *data, const struct blob *certids)
{
	OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
	struct blob theirs;
	uint8_t ours[4096];
	uint32_t i;
	size_t len;

	for (i = 0; i < data->num_singles; i++)
		add_single(basic, certids[i], &data->singles[i]);
	if (data->nonce.len != 0)
		assert_int_equal(OCSP_basic_add1_nonce(basic,
		    (unsigned char *)(uintptr_t)data->nonce.p,
		    (int)data->nonce.len), 1);
	if (data->has_extended_revoke) {
		X509_EXTENSION *extension = openssl_extension(
		    "1.3.6.1.5.5.7.48.1.9", blob_hex("0500"));

		assert_int_equal(OCSP_BASICRESP_add_ext(basic, extension, -1),
		    1);
		X509_EXTENSION_free(extension);
	}
	set_produced_at(basic, data->produced_at);
	theirs = openssl_data(basic);
	OCSP_BASICRESP_free(basic);
	assert_int_equal(der_write(ocsp_put_response_data, data, ours,
	    sizeof(ours), &len), OC_OK);
	assert_int_equal(len, theirs.len);
	assert_memory_equal(ours, theirs.bytes, len);
}

static const struct ocsp_status statuses[] = {
	{ OCSP_GOOD, CRL_REASON_UNSPECIFIED, 0 },
	{ OCSP_UNKNOWN, CRL_REASON_UNSPECIFIED, 0 },
	{ OCSP_REVOKED, CRL_REASON_UNSPECIFIED, NOW - HOUR },
	{ OCSP_REVOKED, CRL_REASON_KEY_COMPROMISE, NOW - HOUR },
	{ OCSP_REVOKED, CRL_REASON_CERTIFICATE_HOLD, 0 },
	{ OCSP_REVOKED, CRL_REASON_REMOVE_FROM_CRL, 1 },
	{ OCSP_REVOKED, CRL_REASON_AA_COMPROMISE, NOW },
};
#define NUM_STATUSES (sizeof(statuses) / sizeof(statuses[0]))

static struct ocsp_single
single_of(const struct blob *prefix, const struct blob *serial, size_t status,
    int64_t next_update)
{
	return (struct ocsp_single){ blob_bytes(prefix), blob_bytes(serial),
	    statuses[status], NOW, next_update, { NULL, 0 } };
}

/* diff-openssl, every shape of one single in every encoding. */
static void
data_of_one(void **state)
{
	static const char *const serials[] = { "01", "00ff",
	    "7f000102030405060708090a0b0c0d0e0f101112" };
	uint8_t encoding;
	size_t i, k;

	(void)state;
	for (encoding = 0; encoding < OCSP_ENCODING_MAX; encoding++) {
		struct blob prefix = fixture_prefix(issuer, encoding);

		for (i = 0; i < NUM_STATUSES * 2; i++) {
			struct blob certid, serial;
			struct ocsp_single single;
			struct ocsp_response_data data;

			k = i % 3;
			certid = fixture_certid(issuer, encoding, serials[k]);
			serial = blob_hex(serials[k]);
			single = single_of(&prefix, &serial, i / 2, i % 2 == 0 ?
			    NOW + 96 * HOUR : OCSP_NO_NEXT_UPDATE);
			data = (struct ocsp_response_data){ { identity.
			    responder_key_hash, 20 }, NOW + 1, &single, 1 };
			check_data(&data, &certid);
		}
	}
}

/* multi-same-issuer with nonces of all lengths, and ext-revoke-shape. */
static void
data_of_several(void **state)
{
	struct blob certids[NUM_STATUSES], prefix, serial = blob_hex("2a");
	struct ocsp_single singles[NUM_STATUSES];
	uint8_t nonce[OCSP_NONCE_MAX];
	struct ocsp_response_data data;
	size_t i;

	(void)state;
	memset(nonce, 0xa7, sizeof(nonce));
	prefix = fixture_prefix(issuer, OCSP_ENCODING_USUAL);
	for (i = 0; i < NUM_STATUSES; i++) {
		certids[i] = fixture_certid(issuer, OCSP_ENCODING_USUAL, "2a");
		singles[i] = single_of(&prefix, &serial, i, NOW + HOUR);
	}
	for (i = 1; i <= OCSP_NONCE_MAX; i++) {
		data = (struct ocsp_response_data){ { identity.
		    responder_key_hash, 20 }, NOW, singles,
		    (uint32_t)(1 + i % NUM_STATUSES), { nonce, i }, false };
		check_data(&data, certids);
	}
	data.has_extended_revoke = true;
	check_data(&data, certids);
	data.nonce.len = 0;
	check_data(&data, certids);
}

/* A time, a serial or a key hash that can't be written is an error. */
static void
data_that_cannot_be(void **state)
{
	struct blob prefix = fixture_prefix(issuer, OCSP_ENCODING_USUAL);
	struct blob serial = blob_hex("0001");
	struct ocsp_single single = single_of(&prefix, &serial, 0, NOW);
	struct ocsp_response_data data = { { identity.responder_key_hash,
	    20 }, NOW, &single, 1 };
	uint8_t out[1024];
	size_t len = 77;

	(void)state;
	assert_int_equal(der_write(ocsp_put_response_data, &data, out,
	    sizeof(out), &len), OC_ERR_MALFORMED);
	single.serial = DER_LITERAL("\x01");
	single.this_update = DER_TIME_MAX + 1;
	assert_int_equal(der_write(ocsp_put_response_data, &data, out,
	    sizeof(out), &len), OC_ERR_LIMIT);
	single.this_update = NOW;
	assert_int_equal(der_write(ocsp_put_response_data, &data, out, 40,
	    &len), OC_ERR_NO_SPACE);
	assert_int_equal(len, 77);
}

static struct blob
response_der(OCSP_BASICRESP *basic)
{
	OCSP_RESPONSE *response = OCSP_response_create(
	    OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
	struct blob der;
	unsigned char *p = der.bytes;

	assert_non_null(response);
	assert_true(i2d_OCSP_RESPONSE(response, NULL) <
	    (int)sizeof(der.bytes));
	der.len = (size_t)i2d_OCSP_RESPONSE(response, &p);
	OCSP_RESPONSE_free(response);
	OCSP_BASICRESP_free(basic);
	return der;
}

/* From the view, everything again; prefix as OpenSSL mirrored it. */
static void
write_again(const struct ocsp_response_view *view, const struct blob *der,
    bool has_extended_revoke)
{
	struct ocsp_single singles[8];
	struct ocsp_single_view single;
	struct ocsp_response_data data = { view->responder_key_hash,
	    view->produced_at, singles, 0, view->nonce, has_extended_revoke };
	struct ocsp_response response = { { NULL, 0 }, &data,
	    sign_alg_find(view->alg_identifier), view->signature,
	    view->certs };
	struct der_bytes rest = view->singles;
	uint8_t out[8192], data_der[4096];
	size_t len, data_len;

	while (ocsp_response_next(&rest, &single)) {
		const struct ocsp_certid *id = &single.certid;
		const uint8_t *start = id->tlv.p +
		    (id->tlv.p[1] < 0x80 ? 2 : 3);

		assert_true(data.num_singles < 8);
		singles[data.num_singles++] = (struct ocsp_single){
		    { start, (size_t)(id->serial.p - 2 - start) }, id->serial,
		    single.status, single.this_update, single.next_update,
		    { NULL, 0 } };
	}
	assert_int_equal(data.num_singles, view->num_singles);
	assert_int_equal(der_write(ocsp_put_response, &response, out,
	    sizeof(out), &len), OC_OK);
	assert_int_equal(len, der->len);
	assert_memory_equal(out, der->bytes, len);

	/* And the same around a ResponseData that was made before. */
	assert_int_equal(der_write(ocsp_put_response_data, &data, data_der,
	    sizeof(data_der), &data_len), OC_OK);
	response.data = (struct der_bytes){ data_der, data_len };
	assert_true(der_bytes_equal(response.data, view->data));
	response.plan = NULL;
	assert_int_equal(der_write(ocsp_put_response, &response, out,
	    sizeof(out), &len), OC_OK);
	assert_int_equal(len, der->len);
	assert_memory_equal(out, der->bytes, len);
}

/* certs-minimal: without certs, with one, with several. */
static void
openssls_is_read_and_written_again(void **state)
{
	struct blob prefix = fixture_prefix(issuer, OCSP_ENCODING_USUAL);
	struct blob serial = blob_hex("1234"), der;
	STACK_OF(X509) *more = sk_X509_new_null();
	struct ocsp_response_view view;
	size_t i;

	(void)state;
	assert_true(sk_X509_push(more, issuer) > 0);
	for (i = 0; i < NUM_STATUSES * 3; i++) {
		OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
		size_t k, num_singles = 1 + i % 4;

		for (k = 0; k < num_singles; k++) {
			struct ocsp_single single = single_of(&prefix, &serial,
			    (i + k) % NUM_STATUSES, k == 0 ? NOW :
			    OCSP_NO_NEXT_UPDATE);

			add_single(basic, fixture_certid(issuer,
			    (uint8_t)((i + k) % OCSP_ENCODING_MAX), "1234"),
			    &single);
		}
		if (i % 2 == 1)
			assert_int_equal(OCSP_basic_add1_nonce(basic, NULL,
			    32), 1);
		assert_int_equal(OCSP_basic_sign(basic, issuer, issuer_key,
		    EVP_sha256(), i % 3 == 2 ? more : NULL, OCSP_RESPID_KEY |
		    (i % 3 == 0 ? OCSP_NOCERTS : 0)), 1);
		der = response_der(basic);
		assert_int_equal(ocsp_response_read(blob_bytes(&der), &view,
		    NULL), OC_OK);
		assert_int_equal(view.num_singles, num_singles);
		assert_int_equal(view.nonce.len, i % 2 == 1 ? 32 : 0);
		assert_true((view.certs.len == 0) == (i % 3 == 0));
		write_again(&view, &der, false);
	}
	sk_X509_free(more);
}

static void
by_name_is_read(void **state)
{
	OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
	struct blob prefix = fixture_prefix(issuer, OCSP_ENCODING_USUAL);
	struct blob serial = blob_hex("05"), der, name;
	struct ocsp_single single = single_of(&prefix, &serial, 3, NOW);
	struct ocsp_response_view view;
	struct ocsp_single_view read;
	unsigned char *p = name.bytes;
	struct der_bytes rest;

	(void)state;
	add_single(basic, fixture_certid(issuer, OCSP_ENCODING_USUAL, "05"),
	    &single);
	assert_int_equal(OCSP_basic_sign(basic, issuer, issuer_key,
	    EVP_sha256(), NULL, OCSP_NOCERTS), 1);
	der = response_der(basic);
	assert_int_equal(ocsp_response_read(blob_bytes(&der), &view, NULL),
	    OC_OK);
	name.len = (size_t)i2d_X509_NAME(X509_get_subject_name(issuer), &p);
	assert_true(der_bytes_equal(view.responder_name, blob_bytes(&name)));
	assert_int_equal(view.responder_key_hash.len, 0);
	rest = view.singles;
	assert_true(ocsp_response_next(&rest, &read));
	assert_int_equal(read.status.kind, OCSP_REVOKED);
	assert_int_equal(read.status.reason, CRL_REASON_KEY_COMPROMISE);
	assert_int_equal(read.status.revoked_at, NOW - HOUR);
	assert_int_equal(read.this_update, NOW);
	assert_int_equal(read.next_update, NOW);
	assert_false(ocsp_response_next(&rest, &read));
}

static void
expect_error(struct blob der, enum oc_err err, const char *text)
{
	struct ocsp_response_view view;
	struct oc_error error = { 0 };

	assert_int_equal(ocsp_response_read(blob_bytes(&der), &view, &error),
	    err);
	assert_non_null(strstr(error.text, text));
}

static struct blob
successful(struct blob basic)
{
	return blob_wrap(0x30, blob_join(blob_hex("0a0100"), blob_wrap(0xa0,
	    blob_wrap(0x30, blob_join(blob_hex("0609 2b0601050507300101"),
	    blob_wrap(0x04, basic))))));
}

#define KEY_HASH "a216 0414 000102030405060708090a0b0c0d0e0f10111213"
#define TIME "180f 3230323631313233323130303030 5a"
#define ALG_SIGNATURE "300a 0608 2a8648ce3d040302 0303 000102"
#define CERTID "303c 3009 06052b0e03021a 0500 " \
	"0414 000102030405060708090a0b0c0d0e0f10111213 " \
	"0414 000102030405060708090a0b0c0d0e0f10111213 0203 010203"

/* BasicOCSPResponse around the fields of ResponseData. */
static struct blob
basic_of(const char *data_fields)
{
	return successful(blob_wrap(0x30, blob_join(blob_wrap(0x30,
	    blob_hex(data_fields)), blob_hex(ALG_SIGNATURE))));
}

static struct blob
single_fields(const char *fields)
{
	struct blob list = blob_wrap(0x30, blob_wrap(0x30, blob_join(
	    blob_hex(CERTID), blob_hex(fields))));

	return successful(blob_wrap(0x30, blob_join(blob_wrap(0x30,
	    blob_join(blob_hex(KEY_HASH TIME), list)),
	    blob_hex(ALG_SIGNATURE))));
}

static void
responses_that_are_none(void **state)
{
	struct ocsp_response_view view;
	struct blob good = single_fields("8000 " TIME);
	size_t len;

	(void)state;
	assert_int_equal(ocsp_response_read(blob_bytes(&good), &view, NULL),
	    OC_OK);
	for (len = good.len; len-- > 0;)
		assert_int_equal(ocsp_response_read((struct der_bytes){
		    good.bytes, len }, &view, NULL), OC_ERR_MALFORMED);
	expect_error(blob_hex(""), OC_ERR_MALFORMED, "not an OCSPResponse");
	expect_error(blob_hex("3003020100"), OC_ERR_MALFORMED, "not an");
	expect_error(blob_hex("30030a010100"), OC_ERR_MALFORMED, "not an");
	expect_error(blob_hex("30030a0104"), OC_ERR_MALFORMED, "4 is none");
	expect_error(blob_hex("30030a0107"), OC_ERR_MALFORMED, "7 is none");
	expect_error(blob_hex("30030a0100"), OC_ERR_MALFORMED,
	    "responseBytes");
	expect_error(blob_hex("30050a0103a000"), OC_ERR_MALFORMED,
	    "tryLater with responseBytes");
	expect_error(blob_hex("300c0a0100a007 3005 06012a 0400"),
	    OC_ERR_UNSUPPORTED, "id-pkix-ocsp-basic");
	expect_error(successful(blob_hex("0500")), OC_ERR_MALFORMED,
	    "not a BasicOCSPResponse");
	expect_error(successful(blob_hex("3000 00")), OC_ERR_MALFORMED,
	    "not a BasicOCSPResponse");
	expect_error(successful(blob_hex("3000")), OC_ERR_MALFORMED,
	    "BasicOCSPResponse is not");
	expect_error(blob_join(good, blob_hex("00")), OC_ERR_MALFORMED, "not");
}

static void
data_that_is_none(void **state)
{
	struct ocsp_response_view view;
	struct blob der;
	size_t i;
	static const char *const bad[] = {
		"a003020101 " KEY_HASH TIME "3000",	/* v2 */
		TIME "3000",				/* no responderID */
		"a2160413 000102030405060708090a0b0c0d0e0f101112 00"
		TIME "3000",
		"a2150413 000102030405060708090a0b0c0d0e0f101112"
		TIME "3000",				/* 19 octets */
		KEY_HASH "3000",			/* no producedAt */
		KEY_HASH "1711 3236313132333231303030302b30303030 3000",
		KEY_HASH TIME,				/* no responses */
		KEY_HASH TIME "30023000",
		KEY_HASH TIME "3000 a1023000",		/* empty extensions */
		KEY_HASH TIME "3000 0500",
	};

	(void)state;
	der = basic_of(KEY_HASH TIME "3000");
	assert_int_equal(ocsp_response_read(blob_bytes(&der), &view, NULL),
	    OC_OK);
	assert_int_equal(view.num_singles, 0);
	der = basic_of("a003020100 " KEY_HASH TIME "3000");
	assert_int_equal(ocsp_response_read(blob_bytes(&der), &view, NULL),
	    OC_OK);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		expect_error(basic_of(bad[i]), OC_ERR_MALFORMED,
		    "ResponseData");
}

static void
singles_that_are_none(void **state)
{
	struct ocsp_response_view view;
	struct blob der;
	size_t i;
	static const char *const good[] = {
		"8200 " TIME,
		"a111 " TIME TIME "a011 " TIME,
		"a116 " TIME "a003 0a0101 " TIME,
		"8000 " TIME "a106 3004 3002 0600",
	};
	static const char *const bad[] = {
		TIME,
		"8100 " TIME, "a000 " TIME, "800100 " TIME, "820100 " TIME,
		"8000", "8000 a011 " TIME,
		"8000 " TIME "a000",
		"8000 " TIME "a1023000",
		"8000 " TIME "a011 " TIME "0500",
		"a100 " TIME,
		"a116 " TIME "a003 0a0107 " TIME,	/* no such reason */
		"a116 " TIME "a003 0a010b " TIME,
		"a116 " TIME "a003 020101 " TIME,
		"a118 " TIME "a005 0a01010500 " TIME,
		"8000 180e 32303236313132333231303030 30",
		"8000 180f 3230323631333233323130303030 5a",	/* month 13 */
		"8000 1811 3230323631313233323130303030 2e35 5a",
	};

	(void)state;
	for (i = 0; i < 3; i++) {
		der = single_fields(good[i]);
		assert_int_equal(ocsp_response_read(blob_bytes(&der), &view,
		    NULL), OC_OK);
	}
	expect_error(single_fields(good[3]), OC_ERR_MALFORMED, "ResponseData");
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		expect_error(single_fields(bad[i]), OC_ERR_MALFORMED,
		    "ResponseData");
}

static void
response_nonces(void **state)
{
	struct ocsp_response_view view;
	struct blob der, data = blob_hex(KEY_HASH TIME "3000");
	size_t lens[] = { 0, 1, 128, 129 }, i;

	(void)state;
	for (i = 0; i < 4; i++) {
		der = successful(blob_wrap(0x30, blob_join(blob_wrap(0x30,
		    blob_join(data, blob_wrap(0xa1, blob_wrap(0x30,
		    fixture_nonce(lens[i]))))), blob_hex(ALG_SIGNATURE))));
		assert_int_equal(ocsp_response_read(blob_bytes(&der), &view,
		    NULL), i == 0 || i == 3 ? OC_ERR_MALFORMED : OC_OK);
	}
	der = successful(blob_wrap(0x30, blob_join(blob_wrap(0x30,
	    blob_join(data, blob_wrap(0xa1, blob_wrap(0x30, blob_join(
	    fixture_nonce(8), fixture_nonce(8)))))),
	    blob_hex(ALG_SIGNATURE))));
	assert_int_equal(ocsp_response_read(blob_bytes(&der), &view, NULL),
	    OC_ERR_MALFORMED);
}

/* What we take, OpenSSL takes. */
static void
bits_flipped(void **state)
{
	struct blob der = single_fields("a116 " TIME "a003 0a0101 " TIME);
	struct ocsp_response_view view;
	size_t bit, num_taken = 0;

	(void)state;
	for (bit = 0; bit < der.len * 8; bit++) {
		struct blob flipped = der;
		const unsigned char *p = flipped.bytes;
		OCSP_RESPONSE *theirs;
		OCSP_BASICRESP *basic;

		flipped.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		if (ocsp_response_read(blob_bytes(&flipped), &view, NULL) !=
		    OC_OK)
			continue;
		num_taken++;
		theirs = d2i_OCSP_RESPONSE(NULL, &p, (long)flipped.len);
		assert_non_null(theirs);
		basic = OCSP_response_get1_basic(theirs);
		if (basic == NULL)
			fail_msg("bit %zu: OpenSSL does not take it", bit);
		OCSP_BASICRESP_free(basic);
		OCSP_RESPONSE_free(theirs);
	}
	assert_true(num_taken > 300 && num_taken < der.len * 8 - 300);
	ERR_clear_error();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(error_responses),
		cmocka_unit_test(no_error_response_for_what_is_none),
		cmocka_unit_test(statuses_of_errors),
		cmocka_unit_test(data_of_one),
		cmocka_unit_test(data_of_several),
		cmocka_unit_test(data_that_cannot_be),
		cmocka_unit_test(openssls_is_read_and_written_again),
		cmocka_unit_test(by_name_is_read),
		cmocka_unit_test(responses_that_are_none),
		cmocka_unit_test(data_that_is_none),
		cmocka_unit_test(singles_that_are_none),
		cmocka_unit_test(response_nonces),
		cmocka_unit_test(bits_flipped),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
