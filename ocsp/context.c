/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is constant for (issuer, signing key, CertID encoding): templates of
 * whole OCSPResponses, compiled from the writers once, filled for each
 * answer.  Read-only after it is made.
 */
#include <stdlib.h>

#include "der/template.h"
#include "der/time.h"
#include "ocsp/answer.h"

/* A revocation reason that is left out is another template. */
enum shape {
	SHAPE_GOOD,
	SHAPE_UNKNOWN,
	SHAPE_REVOKED,
	SHAPE_REVOKED_REASON,
	NUM_SHAPES
};

enum hole {
	HOLE_SERIAL,
	HOLE_PRODUCED,
	HOLE_THIS,
	HOLE_NEXT,
	HOLE_REVOKED,
	HOLE_REASON,
	HOLE_CUTOFF,
	HOLE_SIGNATURE,
	NUM_HOLES
};

/* Ecdsa-Sig-Value adds at most nine octets to r||s. */
#define DER_SIGNATURE_MAX (OC_SIGNATURE_MAX + 9)

struct ocsp_context {
	struct ocsp_identity identity;
	bool is_ecdsa;
	struct {
		uint8_t bytes[OCSP_CERTID_PREFIX_MAX];
		size_t len;
	} prefixes[OCSP_ENCODING_MAX];
	struct der_template templates[OCSP_ENCODING_MAX][NUM_SHAPES];
};

static bool
is_ecdsa(const struct ocsp_identity *identity)
{
	return sign_alg_info(identity->alg)->key_type == SIGN_KEY_P256;
}

static struct der_bytes
certid_prefix(const struct ocsp_context *context, uint8_t encoding)
{
	oc_assert(encoding < OCSP_ENCODING_MAX);
	return (struct der_bytes){ context->prefixes[encoding].bytes,
	    context->prefixes[encoding].len };
}

static struct ocsp_response
response_of(const struct ocsp_context *context,
    const struct ocsp_response_data *data, struct der_bytes signature)
{
	return (struct ocsp_response){
		.plan = data,
		.alg = context->identity.alg,
		.signature = signature,
		.certs = { context->identity.certs,
		    context->identity.certs_len },
	};
}

static enum oc_err
compile(struct ocsp_context *context, uint8_t encoding, enum shape shape)
{
	struct ocsp_single single = {
		.certid_prefix = certid_prefix(context, encoding),
		.serial = DER_HOLE(HOLE_SERIAL),
		.status = { .kind = OCSP_GOOD },
		.this_update = DER_TIME_HOLE(HOLE_THIS),
		.next_update = DER_TIME_HOLE(HOLE_NEXT),
	};
	struct ocsp_response_data data = {
		.produced_at = DER_TIME_HOLE(HOLE_PRODUCED),
		.singles = &single,
		.num_singles = 1,
	};
	struct ocsp_response response = response_of(context, &data,
	    DER_HOLE(HOLE_SIGNATURE));

	if (shape == SHAPE_UNKNOWN)
		single.status.kind = OCSP_UNKNOWN;
	if (shape == SHAPE_REVOKED || shape == SHAPE_REVOKED_REASON) {
		single.status.kind = OCSP_REVOKED;
		single.status.revoked_at = DER_TIME_HOLE(HOLE_REVOKED);
	}
	if (shape == SHAPE_REVOKED_REASON)
		single.reason = DER_FIXED_HOLE(HOLE_REASON, 1);
	ocsp_identity_respond(&context->identity, &data);
	ocsp_identity_extend(&context->identity, 0, &single);
	single.archive_cutoff = DER_TIME_HOLE(HOLE_CUTOFF);
	return der_template_compile(&context->templates[encoding][shape],
	    ocsp_put_response, &response);
}

static enum oc_err
compile_all(struct ocsp_context *context)
{
	enum oc_err err = OC_OK;
	uint8_t encoding;
	int shape;

	for (encoding = 0; encoding < OCSP_ENCODING_MAX; encoding++) {
		err = ocsp_identity_certid_prefix(&context->identity, encoding,
		    context->prefixes[encoding].bytes,
		    &context->prefixes[encoding].len);
		for (shape = 0; err == OC_OK && shape < NUM_SHAPES; shape++)
			err = compile(context, encoding, (enum shape)shape);
		if (err != OC_OK)
			break;
	}
	return err;
}

enum oc_err
ocsp_context_new(const struct ocsp_identity *identity,
    struct ocsp_context **context)
{
	struct ocsp_context *made = calloc(1, sizeof(*made));
	enum oc_err err;

	if (made == NULL)
		return OC_ERR_NOMEM;
	made->identity = *identity;
	made->is_ecdsa = is_ecdsa(identity);
	err = compile_all(made);
	if (err != OC_OK) {
		ocsp_context_free(made);
		return err;
	}
	*context = made;
	return OC_OK;
}

void
ocsp_context_free(struct ocsp_context *context)
{
	uint8_t encoding;
	int shape;

	if (context == NULL)
		return;
	for (encoding = 0; encoding < OCSP_ENCODING_MAX; encoding++)
		for (shape = 0; shape < NUM_SHAPES; shape++)
			der_template_fini(
			    &context->templates[encoding][shape]);
	free(context);
}

static bool
is_zero(const uint8_t *bytes, size_t len)
{
	uint8_t any = 0;
	size_t i;

	for (i = 0; i < len; i++)
		any |= bytes[i];
	return any == 0;
}

/* As it goes into the BIT STRING; buffer holds it where it is not the
 * slot's own. */
static enum oc_err
wire_signature(const struct ocsp_context *context,
    const struct ocsp_slot *slot, uint8_t buffer[DER_SIGNATURE_MAX],
    struct der_bytes *signature)
{
	struct der_bytes raw = { slot->signature, slot->signature_len };
	size_t half = raw.len / 2;
	enum oc_err err;

	if (raw.len != context->identity.signature_len)
		return OC_ERR_MALFORMED;
	if (!context->is_ecdsa) {
		*signature = raw;
		return OC_OK;
	}
	/* Neither r nor s is ever zero: such a slot was never signed. */
	if (is_zero(raw.p, half) || is_zero(raw.p + half, half))
		return OC_ERR_MALFORMED;
	err = sign_ecdsa_to_der(raw, buffer, DER_SIGNATURE_MAX,
	    &signature->len);
	signature->p = buffer;
	return err;
}

static enum shape
shape_of(const struct ocsp_status *status)
{
	switch (status->kind) {
	case OCSP_GOOD:
		return SHAPE_GOOD;
	case OCSP_UNKNOWN:
		return SHAPE_UNKNOWN;
	case OCSP_REVOKED:
		break;
	}
	return status->reason == CRL_REASON_UNSPECIFIED ? SHAPE_REVOKED :
	    SHAPE_REVOKED_REASON;
}

static struct ocsp_single
single_of(const struct ocsp_context *context, const struct ocsp_slot *slot)
{
	struct ocsp_single single = {
		.certid_prefix = certid_prefix(context, slot->encoding),
		.serial = { slot->serial.bytes, slot->serial.len },
		.status = slot->status,
		.this_update = slot->this_update,
		.next_update = slot->next_update,
	};

	ocsp_identity_extend(&context->identity, slot->produced_at, &single);
	return single;
}

static struct ocsp_response_data
data_of(const struct ocsp_context *context, const struct ocsp_slot *slot,
    const struct ocsp_single *single)
{
	struct ocsp_response_data data = {
		.produced_at = slot->produced_at,
		.singles = single,
		.num_singles = 1,
	};

	ocsp_identity_respond(&context->identity, &data);
	return data;
}

/* Without nextUpdate, which is rare: as it was written for signing. */
static enum oc_err
build_slowly(const struct ocsp_context *context, const struct ocsp_slot *slot,
    struct der_bytes signature, uint8_t *out, size_t out_max, size_t *len)
{
	struct ocsp_single single = single_of(context, slot);
	struct ocsp_response_data data = data_of(context, slot, &single);
	struct ocsp_response response = response_of(context, &data, signature);

	return der_write(ocsp_put_response, &response, out, out_max, len);
}

enum oc_err
ocsp_context_build(const struct ocsp_context *context,
    const struct ocsp_slot *slot, uint8_t *out, size_t out_max, size_t *len)
{
	uint8_t times[5][DER_GENTIME_LEN], signature[DER_SIGNATURE_MAX];
	uint8_t reason = (uint8_t)slot->status.reason;
	enum shape shape = shape_of(&slot->status);
	struct der_bytes holes[NUM_HOLES] = {
		[HOLE_SERIAL] = { slot->serial.bytes, slot->serial.len },
		[HOLE_PRODUCED] = DER_ARRAY(times[0]),
		[HOLE_THIS] = DER_ARRAY(times[1]),
		[HOLE_NEXT] = DER_ARRAY(times[2]),
		[HOLE_REVOKED] = DER_ARRAY(times[3]),
		[HOLE_REASON] = { &reason, 1 },
		[HOLE_CUTOFF] = DER_ARRAY(times[4]),
	};
	enum oc_err err;

	oc_assert(slot->encoding < OCSP_ENCODING_MAX);
	err = wire_signature(context, slot, signature,
	    &holes[HOLE_SIGNATURE]);
	if (err != OC_OK)
		return err;
	if (slot->next_update == OCSP_NO_NEXT_UPDATE)
		return build_slowly(context, slot, holes[HOLE_SIGNATURE], out,
		    out_max, len);
	der_format_gentime(slot->produced_at, times[0]);
	der_format_gentime(slot->this_update, times[1]);
	der_format_gentime(slot->next_update, times[2]);
	if (shape == SHAPE_REVOKED || shape == SHAPE_REVOKED_REASON)
		der_format_gentime(slot->status.revoked_at, times[3]);
	if (context->identity.archive_s != 0)
		der_format_gentime(slot->produced_at -
		    context->identity.archive_s, times[4]);
	return der_template_fill(&context->templates[slot->encoding][shape],
	    holes, out, out_max, len);
}

enum oc_err
ocsp_context_data(const struct ocsp_context *context,
    const struct ocsp_slot *slot, uint8_t *out, size_t out_max, size_t *len)
{
	struct ocsp_single single = single_of(context, slot);
	struct ocsp_response_data data = data_of(context, slot, &single);

	return der_write(ocsp_put_response_data, &data, out, out_max, len);
}

enum oc_err
ocsp_slot_take_signature(struct ocsp_slot *slot,
    const struct ocsp_identity *identity, struct der_bytes signature)
{
	uint8_t raw[OC_SIGNATURE_MAX];
	uint32_t len = identity->signature_len;
	enum oc_err err;

	if (is_ecdsa(identity)) {
		err = sign_ecdsa_from_der(signature, raw, len);
		if (err != OC_OK)
			return err;
		signature = (struct der_bytes){ raw, len };
	}
	if (signature.len != len)
		return OC_ERR_MALFORMED;
	memcpy(slot->signature, signature.p, len);
	slot->signature_len = len;
	return OC_OK;
}
