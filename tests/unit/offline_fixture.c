/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/stat.h>

#include "tests/unit/offline_fixture.h"

#include <openssl/pem.h>

static void
add_single(struct world *w, OCSP_BASICRESP *basic, const struct order *o,
    uint64_t n)
{
	struct oc_serial serial = world_serial(n);
	BIGNUM *number = BN_bin2bn(serial.bytes, serial.len, NULL);
	ASN1_INTEGER *integer = BN_to_ASN1_INTEGER(number, NULL);
	X509 *issuer = o->issuer != NULL ? o->issuer : w->ca;
	OCSP_CERTID *id = OCSP_cert_id_new(o->id_md != NULL ? o->id_md :
	    EVP_sha1(),
	    X509_get_subject_name(issuer), X509_get0_pubkey_bitstr(issuer),
	    integer);
	time_t now = (time_t)oc_clock_now_s();
	ASN1_TIME *begins = X509_gmtime_adj(NULL,
	    o->begins_s != 0 ? (long)o->begins_s : -600);
	ASN1_TIME *ends = X509_gmtime_adj(NULL,
	    o->lasts_s != 0 ? (long)o->lasts_s : DAY);
	ASN1_TIME *revoked = ASN1_TIME_set(NULL, now - DAY);
	OCSP_SINGLERESP *single = OCSP_basic_add1_status(basic, id, o->status,
	    o->reason, revoked, begins, o->is_endless ? NULL : ends);

	assert_non_null(single);
	if (o->has_extension)
		assert_int_equal(OCSP_SINGLERESP_add1_ext_i2d(single,
		    NID_id_pkix_OCSP_archiveCutoff, begins, 0, 0), 1);
	ASN1_TIME_free(begins);
	ASN1_TIME_free(ends);
	ASN1_TIME_free(revoked);
	OCSP_CERTID_free(id);
	ASN1_INTEGER_free(integer);
	BN_free(number);
}

struct blob
offline_order(struct world *w, const struct order *o)
{
	unsigned long flags = (OCSP_RESPID_KEY | OCSP_NOCERTS) & ~o->without;
	OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
	OCSP_RESPONSE *response;
	unsigned char *der = NULL;
	struct blob blob = { .len = 0 };
	int len;

	add_single(w, basic, o, o->n);
	if (o->is_twice)
		add_single(w, basic, o, o->n + 1);
	if (o->has_nonce)
		assert_int_equal(OCSP_basic_add1_nonce(basic, NULL, 16), 1);
	assert_int_equal(OCSP_basic_sign(basic, o->signer != NULL ? o->signer :
	    w->ca, o->key != NULL ? o->key : w->ca_key, o->md != NULL ?
	    o->md : EVP_sha256(), NULL, flags), 1);
	response = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL,
	    basic);
	len = i2d_OCSP_RESPONSE(response, &der);
	assert_true(len > 0 && (size_t)len <= sizeof(blob.bytes));
	memcpy(blob.bytes, der, (size_t)len);
	blob.len = (size_t)len;
	OPENSSL_free(der);
	OCSP_RESPONSE_free(response);
	OCSP_BASICRESP_free(basic);
	return blob;
}

int
offline_setup(void **state)
{
	static char name[] = "soft";
	static struct oc_config_token token = { .name = name, .sessions = 4 };
	struct world *w;

	world_setup(state);
	w = *state;
	free(w->issuer.ocsp_certificate);
	w->issuer.ocsp_certificate = NULL;
	w->issuer.presign = OC_PRESIGN_ALL;
	w->config.tokens = &token;
	w->config.num_tokens = 1;
	assert_true(asprintf(&w->issuer.responses, "%s/responses",
	    w->directory) > 0);
	assert_int_equal(mkdir(w->issuer.responses, 0700), 0);
	w->gate.refuse = OC_ERR_DOWN;
	return 0;
}

int
offline_teardown(void **state)
{
	struct world *w = *state;
	char *responses = w->issuer.responses;
	int rc;

	assert_int_equal(w->gate.num_refused + w->gate.num_submitted, 0);
	rc = world_teardown(state);
	free(responses);
	return rc;
}

static void
put(const struct world *w, const char *name, const struct blob *blob)
{
	char path[400];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", w->issuer.responses, name);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(blob->bytes, 1, blob->len, f), blob->len);
	assert_int_equal(fclose(f), 0);
}

void
offline_put(struct world *w, const char *name, const struct order *o)
{
	struct blob blob = offline_order(w, o);

	put(w, name, &blob);
}

void
offline_use_delegate(struct world *w, X509 *signer)
{
	char path[400];
	FILE *f;

	snprintf(path, sizeof(path), "%s/signer.pem", w->directory);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(PEM_write_X509(f, signer), 1);
	assert_int_equal(fclose(f), 0);
	w->issuer.ocsp_certificate = strdup(path);
}
