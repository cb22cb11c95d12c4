/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What "ocsp query" believes: responses made by OpenSSL, each wrong in one
 * way.
 */
#include "tests/unit/ocsp_fixture.h"

#include <stdlib.h>

#include "probe/check.h"

struct world {
	EVP_PKEY *ca_key, *other_key, *leaf_key;
	X509 *ca, *impostor, *delegate, *leaf, *stranger;
	struct blob ca_der;
	struct x509_cert issuer;
	uint8_t *certid;
	size_t certid_len;
	int64_t now;
};

/* How a response is made. */
struct recipe {
	EVP_PKEY *key;
	X509 *signer;
	bool has_certs;
	X509 *about;			/* whose CertID's issuer */
	long serial;
	int status;
	long this_update, next_update;	/* from now; 0: no nextUpdate */
	const char *nonce;
	bool by_name;
};

static struct recipe
usual(const struct world *w)
{
	return (struct recipe){ .key = w->ca_key, .signer = w->ca,
	    .about = w->ca, .serial = 0x1234,
	    .status = V_OCSP_CERTSTATUS_GOOD, .this_update = -60,
	    .next_update = 3600 };
}

static OCSP_CERTID *
certid_of(X509 *issuer, long serial)
{
	ASN1_INTEGER *number = ASN1_INTEGER_new();
	OCSP_CERTID *id;

	assert_int_equal(ASN1_INTEGER_set(number, serial), 1);
	id = OCSP_cert_id_new(EVP_sha1(), X509_get_subject_name(issuer),
	    X509_get0_pubkey_bitstr(issuer), number);
	ASN1_INTEGER_free(number);
	assert_non_null(id);
	return id;
}

static struct blob
cook(const struct world *w, const struct recipe *r)
{
	OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
	OCSP_CERTID *id = certid_of(r->about, r->serial);
	ASN1_TIME *from = ASN1_TIME_set(NULL, (time_t)(w->now +
	    r->this_update));
	ASN1_TIME *to = r->next_update == 0 ? NULL : ASN1_TIME_set(NULL,
	    (time_t)(w->now + r->next_update));
	ASN1_TIME *at = r->status == V_OCSP_CERTSTATUS_REVOKED ?
	    ASN1_TIME_set(NULL, (time_t)w->now - 100) : NULL;
	OCSP_RESPONSE *response;
	struct blob out = { .len = 0 };
	uint8_t *der = NULL;
	int len;

	assert_non_null(OCSP_basic_add1_status(basic, id, r->status,
	    r->status == V_OCSP_CERTSTATUS_REVOKED ? 1 : 0, at, from, to));
	if (r->nonce != NULL)
		assert_int_equal(OCSP_basic_add1_nonce(basic,
		    (unsigned char *)(uintptr_t)r->nonce,
		    (int)strlen(r->nonce)), 1);
	assert_int_equal(OCSP_basic_sign(basic, r->signer, r->key,
	    EVP_sha256(), NULL, (r->has_certs ? 0 : OCSP_NOCERTS) |
	    (r->by_name ? 0 : OCSP_RESPID_KEY)), 1);
	response = OCSP_response_create(0, basic);
	len = i2d_OCSP_RESPONSE(response, &der);
	assert_true(len > 0 && (size_t)len <= sizeof(out.bytes));
	memcpy(out.bytes, der, (size_t)len);
	out.len = (size_t)len;
	OPENSSL_free(der);
	OCSP_RESPONSE_free(response);
	OCSP_BASICRESP_free(basic);
	OCSP_CERTID_free(id);
	ASN1_TIME_free(from);
	ASN1_TIME_free(to);
	ASN1_TIME_free(at);
	return out;
}

static enum oc_err
check(const struct world *w, const struct blob *der, const char *nonce,
    struct probe_checked *verdict, struct oc_error *error)
{
	struct ocsp_response_view view;
	enum oc_err err;

	*error = (struct oc_error){ 0 };
	err = ocsp_response_read(blob_bytes(der), &view, error);
	if (err != OC_OK)
		fail_msg("%s", error->text);
	return probe_check(&view, &w->issuer, (struct der_bytes){
	    w->certid, w->certid_len }, (struct der_bytes){
	    (const uint8_t *)nonce, nonce == NULL ? 0 : strlen(nonce) },
	    w->now, verdict, error);
}

static void
expect(const struct world *w, struct recipe r, const char *nonce,
    enum oc_err expected, const char *says)
{
	struct probe_checked verdict = { 0 };
	struct blob der = cook(w, &r);
	struct oc_error error;
	enum oc_err err = check(w, &der, nonce, &verdict, &error);

	if (err != expected || strstr(error.text, says) == NULL)
		fail_msg("%s (%s), not %s (%s)", oc_strerror(err), error.text,
		    oc_strerror(expected), says);
}

static int
set_up(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct oc_serial serial = fixture_serial("1234");
	struct oc_error error = { 0 };

	assert_non_null(w);
	/* The fixture's certificates are made to be valid now. */
	w->now = (int64_t)time(NULL);
	w->ca_key = fixture_key("P-256");
	w->other_key = fixture_key("P-256");
	w->leaf_key = fixture_key("P-256");
	w->ca = fixture_cert("CA", w->ca_key, FIXTURE_CA, NULL, NULL);
	w->impostor = fixture_cert("CA", w->other_key, FIXTURE_CA, NULL,
	    NULL);
	w->delegate = fixture_cert("delegate", w->leaf_key,
	    FIXTURE_DELEGATE, w->ca, w->ca_key);
	w->leaf = fixture_cert("leaf", w->leaf_key, FIXTURE_LEAF, w->ca,
	    w->ca_key);
	w->stranger = fixture_cert("delegate", w->leaf_key,
	    FIXTURE_DELEGATE, w->impostor, w->other_key);
	w->ca_der = fixture_cert_der(w->ca);
	if (x509_cert_read(blob_bytes(&w->ca_der), &w->issuer, &error) !=
	    OC_OK)
		fail_msg("%s", error.text);
	assert_int_equal(probe_certid(&w->issuer, OCSP_HASH_SHA1, &serial,
	    &w->certid, &w->certid_len, &error), OC_OK);
	*state = w;
	return 0;
}

static int
tear_down(void **state)
{
	struct world *w = *state;

	free(w->certid);
	X509_free(w->ca);
	X509_free(w->impostor);
	X509_free(w->delegate);
	X509_free(w->leaf);
	X509_free(w->stranger);
	EVP_PKEY_free(w->ca_key);
	EVP_PKEY_free(w->other_key);
	EVP_PKEY_free(w->leaf_key);
	free(w);
	return 0;
}

/* Octet for octet what OpenSSL writes. */
static void
test_certid(void **state)
{
	struct world *w = *state;
	OCSP_CERTID *id = certid_of(w->ca, 0x1234);
	uint8_t *der = NULL;
	int len = i2d_OCSP_CERTID(id, &der);

	assert_int_equal(len, w->certid_len);
	assert_memory_equal(der, w->certid, w->certid_len);
	OPENSSL_free(der);
	OCSP_CERTID_free(id);
}

static void
test_good(void **state)
{
	struct world *w = *state;
	struct probe_checked verdict = { 0 };
	struct recipe r = usual(w);
	struct oc_error error;
	struct blob der = cook(w, &r);

	assert_int_equal(check(w, &der, NULL, &verdict, &error), OC_OK);
	assert_int_equal(verdict.single.status.kind, OCSP_GOOD);
	assert_false(verdict.is_delegated);
	assert_int_equal(verdict.nonce, PROBE_NONCE_UNASKED);
	r.by_name = true;
	r.status = V_OCSP_CERTSTATUS_REVOKED;
	der = cook(w, &r);
	assert_int_equal(check(w, &der, NULL, &verdict, &error), OC_OK);
	assert_int_equal(verdict.single.status.kind, OCSP_REVOKED);
	assert_int_equal(verdict.single.status.reason,
	    CRL_REASON_KEY_COMPROMISE);
	r = usual(w);
	r.key = w->leaf_key;
	r.signer = w->delegate;
	r.has_certs = true;
	r.next_update = 0;
	der = cook(w, &r);
	assert_int_equal(check(w, &der, NULL, &verdict, &error), OC_OK);
	assert_true(verdict.is_delegated);
}

static void
test_signer(void **state)
{
	struct world *w = *state;
	struct recipe r = usual(w);

	/* The right name, another key. */
	r.key = w->other_key;
	r.signer = w->impostor;
	r.by_name = true;
	expect(w, r, NULL, OC_ERR_SIGNATURE, "verify");
	/* By its key: then it is nobody we know. */
	r.by_name = false;
	expect(w, r, NULL, OC_ERR_SIGNATURE, "neither the issuer");
	/* It brings its own certificate along. */
	r.has_certs = true;
	expect(w, r, NULL, OC_ERR_SIGNATURE, "not the issuer's");
	/* A delegate whose certificate is not there. */
	r = usual(w);
	r.key = w->leaf_key;
	r.signer = w->delegate;
	expect(w, r, NULL, OC_ERR_SIGNATURE, "neither the issuer");
	/* A certificate of the issuer, but not for this. */
	r.signer = w->leaf;
	r.has_certs = true;
	expect(w, r, NULL, OC_ERR_REFUSED, "OCSPSigning");
	/* For this, but of another issuer of the same name. */
	r.signer = w->stranger;
	expect(w, r, NULL, OC_ERR_SIGNATURE, "not the issuer's");
}

static void
test_flipped(void **state)
{
	struct world *w = *state;
	struct probe_checked verdict;
	struct recipe r = usual(w);
	struct blob der = cook(w, &r);
	struct ocsp_response_view view;
	struct oc_error error;
	uint8_t *octet;

	assert_int_equal(ocsp_response_read(blob_bytes(&der), &view, &error),
	    OC_OK);
	/* The last octet of the signature. */
	octet = der.bytes + (view.signature.p - der.bytes) +
	    view.signature.len - 1;
	*octet ^= 1;
	assert_int_equal(check(w, &der, NULL, &verdict, &error),
	    OC_ERR_SIGNATURE);
	*octet ^= 1;
	assert_int_equal(check(w, &der, NULL, &verdict, &error), OC_OK);
}

static void
test_about(void **state)
{
	struct world *w = *state;
	struct recipe r = usual(w);

	r.serial = 0x1235;
	expect(w, r, NULL, OC_ERR_MISMATCH, "not about");
	r = usual(w);
	r.about = w->impostor;
	expect(w, r, NULL, OC_ERR_MISMATCH, "not about");
}

static void
test_times(void **state)
{
	struct world *w = *state;
	struct recipe r = usual(w);

	r.this_update = PROBE_SKEW_S - 1;
	expect(w, r, NULL, OC_OK, "");
	r.this_update = PROBE_SKEW_S + 1;
	expect(w, r, NULL, OC_ERR_REFUSED, "future");
	r.this_update = -7200;
	r.next_update = -PROBE_SKEW_S + 1;
	expect(w, r, NULL, OC_OK, "");
	r.next_update = -PROBE_SKEW_S - 1;
	expect(w, r, NULL, OC_ERR_REFUSED, "too old");
}

static void
test_nonce(void **state)
{
	struct world *w = *state;
	struct probe_checked verdict;
	struct recipe r = usual(w);
	struct oc_error error;
	struct blob der = cook(w, &r);

	assert_int_equal(check(w, &der, "0123456789abcdef", &verdict,
	    &error), OC_OK);
	assert_int_equal(verdict.nonce, PROBE_NONCE_ABSENT);
	r.nonce = "0123456789abcdef";
	der = cook(w, &r);
	assert_int_equal(check(w, &der, "0123456789abcdef", &verdict,
	    &error), OC_OK);
	assert_int_equal(verdict.nonce, PROBE_NONCE_SAME);
	r.nonce = "0123456789abcdeX";
	expect(w, r, "0123456789abcdef", OC_ERR_MISMATCH, "replayed");
	r.nonce = "0123456789abcde";
	expect(w, r, "0123456789abcdef", OC_ERR_MISMATCH, "replayed");
}

static void
test_errors(void **state)
{
	static const enum ocsp_response_status statuses[] = {
		OCSP_MALFORMED_REQUEST, OCSP_INTERNAL_ERROR, OCSP_TRY_LATER,
		OCSP_SIG_REQUIRED, OCSP_UNAUTHORIZED };
	struct world *w = *state;

	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
		struct blob der = blob_of(ocsp_error_response(statuses[i]));
		struct probe_checked verdict;
		struct oc_error error;

		assert_int_equal(check(w, &der, NULL, &verdict, &error),
		    OC_ERR_REFUSED);
		assert_non_null(strstr(error.text,
		    ocsp_response_status_name(statuses[i])));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_certid),
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_signer),
		cmocka_unit_test(test_flipped),
		cmocka_unit_test(test_about),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_nonce),
		cmocka_unit_test(test_errors),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
