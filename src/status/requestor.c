/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A signed request, from the name it gives to the certificate that it leads
 * to.  What costs nothing is looked at first, and the rest within a budget:
 * strangers may send as many as they like.
 */
#include "status/requestor.h"

#include "base/clock.h"
#include "base/log.h"
#include "ocsp/request.h"
#include "sign/verify.h"
#include "status/service_impl.h"
#include "x509/name.h"

static bool
is_same_directory(struct der_bytes a, struct der_bytes b)
{
	return x509_name_is_below(a, b) && x509_name_is_below(b, a);
}

/*
 * GeneralName ::= CHOICE {
 *     rfc822Name     [1] IA5String,
 *     dNSName        [2] IA5String,
 *     directoryName  [4] EXPLICIT Name,
 *     uniformResourceIdentifier [6] IA5String,
 *     iPAddress      [7] OCTET STRING, ... }
 */
static bool
is_name_of(struct der_bytes requestor, const struct x509_cert *cert)
{
	struct der_reader r = der_reader_of(requestor);
	const struct x509_extensions *e = &cert->extensions;
	struct der_bytes value;
	bool is_directory;
	uint8_t tag;
	uint32_t i;

	if (!der_get_any(&r, &tag, &value, NULL))
		return false;
	is_directory = tag == DER_CONTEXT(X509_SAN_DIRECTORY);
	if (is_directory && !x509_name_is_valid(value))
		return false;
	if (is_directory && is_same_directory(value, cert->subject))
		return true;
	for (i = 0; i < e->num_sans; i++)
		if (e->sans[i].kind == X509_SAN_DIRECTORY ? is_directory &&
		    is_same_directory(value, e->sans[i].value) :
		    tag == DER_CONTEXT_PRIMITIVE(e->sans[i].kind) &&
		    der_bytes_equal(value, e->sans[i].value))
			return true;
	return false;
}

/* Which costs no public-key operation. */
static enum oc_err
check_signer(const struct ocsp_request *request, const struct x509_cert *cert,
    struct oc_error *error)
{
	uint32_t usage = cert->extensions.key_usage;

	if (request->requestor.len == 0)
		return oc_error_set(error, OC_ERR_REFUSED, "no requestorName, "
		    "which a signed request has (RFC 6960, 4.1.2)");
	if (!is_name_of(request->requestor, cert))
		return oc_error_set(error, OC_ERR_REFUSED, "requestorName is "
		    "neither the subject nor a subjectAltName of its "
		    "certificate");
	if (usage != 0 && (usage & X509_KU_DIGITAL_SIGNATURE) == 0)
		return oc_error_set(error, OC_ERR_REFUSED, "the key usage of "
		    "its certificate lacks digitalSignature");
	if (cert->extensions.num_ekus != 0 &&
	    !x509_cert_has_eku(cert, DER_OID_CLIENT_AUTH) &&
	    !x509_cert_has_eku(cert, DER_OID_ANY_EXTENDED_KEY_USAGE))
		return oc_error_set(error, OC_ERR_REFUSED, "the extended key "
		    "usage of its certificate lacks clientAuth");
	return OC_OK;
}

static enum oc_err
check_signature(const struct ocsp_request *request,
    const struct ocsp_request_signature *signature,
    const struct x509_cert *cert, struct oc_error *error)
{
	enum sign_alg alg = sign_alg_find(signature->alg_identifier);
	enum oc_err err, key_err;

	if (alg == SIGN_ALG_NONE)
		return oc_error_set(error, OC_ERR_UNSUPPORTED,
		    "it is signed by an algorithm that is none of ours");
	err = sign_verify_once(cert->spki, alg, request->tbs,
	    signature->octets, &key_err);
	return err == OC_OK ? OC_OK : oc_error_set(error, err,
	    "its signature does not verify");
}

/* For as many signatures as there may be to verify. */
static bool
take(struct ocsp_budget *budget, struct der_bytes certs)
{
	struct der_reader r = der_reader_of(certs);
	struct der_bytes cert;
	int64_t now_ns = oc_clock_mono_ns();
	uint32_t num = 1;

	while (!der_at_end(&r) && der_get_tlv(&r, DER_SEQUENCE, &cert) &&
	    num < STATUS_VERIFICATIONS_MAX)
		num++;
	while (num > 0 && ocsp_budget_take(budget, now_ns))
		num--;
	return num == 0;
}

enum oc_err
status_requestor_check(struct x509_trust *trust, struct ocsp_budget *budget,
    struct der_bytes der, int64_t now, struct oc_error *error)
{
	struct ocsp_request_signature signature;
	struct ocsp_request request;
	struct der_bytes first;
	struct der_reader r;
	struct x509_cert cert;
	enum oc_err err;

	err = ocsp_request_read(der, &request);
	if (err != OC_OK || request.signature.len == 0)
		return oc_error_set(error, OC_ERR_MALFORMED,
		    "not a signed OCSPRequest");
	ocsp_request_signature(&request, &signature);
	r = der_reader_of(signature.certs);
	if (signature.certs.len == 0 ||
	    !der_get_tlv(&r, DER_SEQUENCE, &first))
		return oc_error_set(error, OC_ERR_REFUSED,
		    "no certificate to verify it with");
	err = x509_cert_read(first, &cert, error);
	if (err == OC_OK)
		err = check_signer(&request, &cert, error);
	if (err != OC_OK)
		return err;
	if (!take(budget, signature.certs))
		return oc_error_set(error, OC_ERR_BUSY,
		    "request-signature-budget is spent");
	err = x509_trust_check(trust, signature.certs, now, error);
	if (err != OC_OK)
		return err;
	return check_signature(&request, &signature, &cert, error);
}

enum ocsp_response_status
status_requestor_judge(struct status_service *s, const struct ipc_ask *ask)
{
	enum oc_config_signed_requests policy =
	    s->plan.ocsp->issuer->signed_requests;
	struct oc_error error = { 0 };
	enum oc_err err;

	if (policy == OC_SIGNED_REQUESTS_IGNORE)
		return OCSP_SUCCESSFUL;
	if (ask->request.len == 0)
		return policy == OC_SIGNED_REQUESTS_REQUIRE ?
		    OCSP_SIG_REQUIRED : OCSP_SUCCESSFUL;
	err = status_requestor_check(s->requestors, s->plan.verify_budget,
	    ask->request, status_service_now(s), &error);
	if (err == OC_OK)
		return OCSP_SUCCESSFUL;
	oc_log(OC_LOG_DEBUG, "issuer %s: a signed request is refused: %s",
	    s->plan.ocsp->name, error.text);
	return err == OC_ERR_BUSY || err == OC_ERR_NOMEM ? OCSP_TRY_LATER :
	    OCSP_UNAUTHORIZED;
}
