/* SPDX-License-Identifier: Apache-2.0 */
#include "cfssl/selfsign.h"

#include <stdlib.h>

#include <openssl/rand.h>

#include "x509/spki.h"
#include "x509/tbs.h"

#define BACKDATE_S 300
#define MINUTE_S 60
#define SERIAL_LEN 20		/* RFC 5280, 4.1.2.2 */

/* What is to be signed, and what its views look at. */
struct plan {
	struct x509_tbs tbs;
	uint8_t serial[SERIAL_LEN];
	uint8_t subject[OC_NAME_MAX];
	uint8_t key_id[X509_KEY_ID_LEN];
};

static enum oc_err
plan_extensions(struct plan *plan, const struct cfssl_key *key,
    const struct cfssl_request *request, struct oc_error *error)
{
	struct x509_extensions *e = &plan->tbs.extensions;
	enum oc_err err;

	if (!cfssl_request_extensions(request, e) || e->num_sans == 0)
		return oc_error_set(error, OC_ERR_REFUSED, "there is no host "
		    "to certify; give one");
	e->has_basic_constraints = true;
	e->ca = X509_NOT_CA;
	e->path_length = X509_NO_PATH_LENGTH;
	/* Only an RSA key can encipher a key: RFC 5480, section 3. */
	e->key_usage = X509_KU_DIGITAL_SIGNATURE |
	    (request->key_type == SIGN_KEY_RSA ? X509_KU_KEY_ENCIPHERMENT :
	    0);
	e->ekus[e->num_ekus++] = der_oid_bytes(DER_OID_SERVER_AUTH);
	e->ekus[e->num_ekus++] = der_oid_bytes(DER_OID_CLIENT_AUTH);
	/* RFC 5280, 4.2.1.6. */
	e->is_san_critical = request->subject.num_attributes == 0;
	err = x509_spki_key_id(cfssl_key_spki(key), plan->key_id);
	if (err != OC_OK)
		return oc_error_set(error, err, "the key: %s",
		    oc_strerror(err));
	e->subject_key_id = (struct der_bytes)DER_ARRAY(plan->key_id);
	return OC_OK;
}

static enum oc_err
plan_new(const struct cfssl_key *key, const struct cfssl_request *request,
    int64_t now, struct plan *plan, struct oc_error *error)
{
	struct x509_tbs *tbs = &plan->tbs;
	enum oc_err err;

	if (RAND_bytes(plan->serial, sizeof(plan->serial)) != 1)
		return oc_error_set(error, OC_ERR_INTERNAL, "OpenSSL has no "
		    "random numbers");
	/* Positive, and 20 octets long. */
	plan->serial[0] = (uint8_t)((plan->serial[0] & 0x7f) | 0x40);
	err = cfssl_subject_write(&request->subject, plan->subject,
	    &tbs->subject.len, error);
	if (err != OC_OK)
		return err;
	tbs->subject.p = plan->subject;
	tbs->issuer = tbs->subject;
	tbs->serial = (struct der_bytes)DER_ARRAY(plan->serial);
	tbs->alg = cfssl_key_alg(key);
	tbs->spki = cfssl_key_spki(key);
	tbs->not_before = now - now % MINUTE_S - BACKDATE_S;
	tbs->not_after = tbs->not_before + CFSSL_SELFSIGN_S - 1;
	return plan_extensions(plan, key, request, error);
}

enum oc_err
cfssl_selfsign(const struct cfssl_key *key,
    const struct cfssl_request *request, int64_t now, uint8_t **der,
    size_t *der_len, struct oc_error *error)
{
	struct plan *plan = calloc(1, sizeof(*plan));
	uint8_t *tbs = NULL;
	size_t len;
	enum oc_err err;

	if (plan == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	err = plan_new(key, request, now, plan, error);
	if (err == OC_OK)
		err = cfssl_encode(x509_put_tbs, &plan->tbs, &tbs, &len,
		    error);
	if (err == OC_OK)
		err = cfssl_key_sign(key, (struct der_bytes){ tbs, len },
		    der, der_len, error);
	free(tbs);
	free(plan);
	return err;
}
