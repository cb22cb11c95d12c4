/* SPDX-License-Identifier: Apache-2.0 */
#include "status/loaded.h"

#include <stdlib.h>
#include <string.h>

#include "der/time.h"
#include "sign/verify.h"
#include "status/identity.h"

/* Between the clock of the ceremony and ours. */
#define SKEW_S 300

struct status_loader {
	const struct ocsp_identity *identity;	/* borrowed */
	struct ocsp_context *context;
	struct sign_verifier *verifier;		/* of who signs */
	bool is_delegated;
};

enum oc_err
status_loader_new(const struct oc_config_issuer *issuer,
    const struct ocsp_identity *identity, struct status_loader **out,
    struct oc_error *error)
{
	bool is_delegated = issuer->ocsp_certificate != NULL;
	struct status_loader *loader = calloc(1, sizeof(*loader));
	enum oc_err err;

	if (loader == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	loader->identity = identity;
	loader->is_delegated = is_delegated;
	err = status_identity_verifier(is_delegated ?
	    issuer->ocsp_certificate : issuer->certificate, identity,
	    &loader->context, &loader->verifier, error);
	if (err != OC_OK) {
		status_loader_free(loader);
		return err;
	}
	*out = loader;
	return OC_OK;
}

void
status_loader_free(struct status_loader *loader)
{
	if (loader == NULL)
		return;
	ocsp_context_free(loader->context);
	sign_verifier_free(loader->verifier);
	free(loader);
}

/* The one answer, about a certificate of this issuer. */
static enum oc_err
take_single(const struct status_loader *loader,
    const struct ocsp_response_view *view, struct ocsp_slot *slot,
    struct oc_error *error)
{
	struct der_bytes rest = view->singles;
	struct ocsp_single_view single;
	bool is_read;

	if (view->num_singles != 1)
		return oc_error_set(error, OC_ERR_REFUSED, "it answers for %u "
		    "certificates; sign a response for each",
		    view->num_singles);
	is_read = ocsp_response_next(&rest, &single);
	oc_assert(is_read);
	if (!ocsp_identity_matches(loader->identity, &single.certid))
		return oc_error_set(error, OC_ERR_MISMATCH, "it is about a "
		    "certificate of another issuer");
	if (oc_serial_from_bytes(single.certid.serial.p,
	    single.certid.serial.len, &slot->serial) != OC_OK)
		return oc_error_set(error, OC_ERR_MALFORMED, "its serial "
		    "number is none that a certificate has");
	if (single.status.kind == OCSP_UNKNOWN)
		return oc_error_set(error, OC_ERR_REFUSED, "it says "
		    "\"unknown\"; leave such a certificate out");
	slot->encoding = single.certid.encoding;
	slot->status = single.status;
	slot->produced_at = view->produced_at;
	slot->this_update = single.this_update;
	slot->next_update = single.next_update;
	return OC_OK;
}

static enum oc_err
check_signature(const struct status_loader *loader,
    const struct ocsp_response_view *view, struct ocsp_slot *slot,
    struct oc_error *error)
{
	enum sign_alg alg = sign_alg_find(view->alg_identifier);

	if (alg != loader->identity->alg)
		return oc_error_set(error, OC_ERR_MISMATCH, "it is signed "
		    "with %s, and this issuer's are with %s", alg ==
		    SIGN_ALG_NONE ? "another algorithm" :
		    sign_alg_info(alg)->name,
		    sign_alg_info(loader->identity->alg)->name);
	if (sign_verify(loader->verifier, alg, view->data, view->signature) !=
	    OC_OK)
		return oc_error_set(error, OC_ERR_SIGNATURE, "its signature is "
		    "not that of %s%s", loader->is_delegated ?
		    "ocsp-certificate" : "certificate", view->certs.len != 0 &&
		    !loader->is_delegated ? "; that of a delegated signer "
		    "belongs in ocsp-certificate" : "");
	if (ocsp_slot_take_signature(slot, loader->identity,
	    view->signature) != OC_OK)
		return oc_error_set(error, OC_ERR_MALFORMED, "its signature "
		    "is not well-formed");
	return OC_OK;
}

static enum oc_err
refuse_time(struct oc_error *error, const char *what, int64_t at)
{
	char text[DER_ISO8601_MAX];

	der_format_iso8601(at, text);
	return oc_error_set(error, OC_ERR_REFUSED, "%s %s", what, text);
}

static enum oc_err
check_times(const struct status_loader *loader, const struct ocsp_slot *slot,
    int64_t now, struct oc_error *error)
{
	if (slot->next_update == OCSP_NO_NEXT_UPDATE)
		return oc_error_set(error, OC_ERR_REFUSED, "it has no "
		    "nextUpdate, and would be served for ever");
	if (slot->next_update <= now)
		return refuse_time(error, "it ended at", slot->next_update);
	if (slot->this_update > now + SKEW_S)
		return refuse_time(error, "it begins at", slot->this_update);
	if (slot->produced_at > now + SKEW_S)
		return refuse_time(error, "it was made at", slot->produced_at);
	if (slot->produced_at < slot->this_update)
		return refuse_time(error, "it begins after it was made, at",
		    slot->this_update);
	if (slot->next_update > loader->identity->signer_not_after)
		return refuse_time(error, "it outlasts its signer's "
		    "certificate, which ends at",
		    loader->identity->signer_not_after);
	return OC_OK;
}

/* What else the signature covers, or stands beside it, is not kept. */
static enum oc_err
check_same(const struct status_loader *loader, struct der_bytes der,
    const struct ocsp_response_view *view, const struct ocsp_slot *slot,
    struct oc_error *error)
{
	const struct ocsp_identity *identity = loader->identity;
	uint8_t built[OCSP_RESPONSE_MAX];
	const char *what;
	size_t len;

	if (ocsp_context_build(loader->context, slot, built, sizeof(built),
	    &len) == OC_OK && der_bytes_equal(der, (struct der_bytes){ built,
	    len }))
		return OC_OK;
	if (view->responder_name.len == 0 && identity->is_by_name)
		what = "its responderID is a key, not a name, as responder-id "
		    "has it here";
	else if (view->responder_name.len != 0 && !identity->is_by_name)
		what = "its responderID is a name, not a key (openssl ocsp: "
		    "-resp_key_id)";
	else if (!der_bytes_equal(view->certs, (struct der_bytes){
	    identity->certs, identity->certs_len }))
		what = identity->certs_len == 0 ? "it has certificates inside "
		    "(openssl ocsp: -resp_no_certs)" : "the certificate inside "
		    "is not ocsp-certificate";
	else if (view->nonce.len != 0)
		what = "it has a nonce";
	else
		what = "it has an extension, or is written otherwise than "
		    "ours";
	return oc_error_set(error, OC_ERR_REFUSED, "%s, and is not what "
	    "\"ocsign ocsp sign\" makes: sign it with that", what);
}

enum oc_err
status_loader_read(const struct status_loader *loader, struct der_bytes der,
    int64_t now, struct ocsp_slot *slot, struct oc_error *error)
{
	struct ocsp_response_view view;
	struct ocsp_slot read;
	enum oc_err err;

	memset(&read, 0, sizeof(read));
	err = ocsp_response_read(der, &view, error);
	if (err == OC_OK && view.status != OCSP_SUCCESSFUL)
		err = oc_error_set(error, OC_ERR_REFUSED, "it is no answer but "
		    "an error, %s", ocsp_response_status_name(view.status));
	if (err == OC_OK)
		err = take_single(loader, &view, &read, error);
	if (err == OC_OK)
		err = check_signature(loader, &view, &read, error);
	if (err == OC_OK)
		err = check_times(loader, &read, now, error);
	if (err == OC_OK)
		err = check_same(loader, der, &view, &read, error);
	if (err == OC_OK)
		*slot = read;
	return err;
}
