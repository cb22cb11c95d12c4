/* SPDX-License-Identifier: Apache-2.0 */
#include "status/shared.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "ocsp/answer.h"
#include "sign/verify.h"
#include "status/identity.h"

#define BODY_VERSION 1
#define HEAD_LEN 19

/* --- the context --------------------------------------------------------- */

#define CONTEXT_MAX 4096

static void
put_u64(struct oc_buffer *out, int64_t value)
{
	uint8_t octets[8];

	for (int i = 0; i < 8; i++)
		octets[i] = (uint8_t)((uint64_t)value >> (56 - 8 * i));
	oc_buffer_put(out, octets, sizeof(octets));
}

/* Each with its length in front. */
static void
put_part(struct oc_buffer *out, const void *octets, size_t len)
{
	put_u64(out, (int64_t)len);
	oc_buffer_put(out, octets, len);
}

enum oc_err
status_shared_context(const struct ocsp_identity *identity,
    const struct oc_config_ocsp *ocsp, const uint8_t store_id[STORE_ID_LEN],
    uint8_t name[STORE_CONTEXT_LEN])
{
	static const char title[] = "ocsign shared responses 1";
	const struct oc_config_issuer *issuer = ocsp->issuer;
	struct oc_buffer out;
	enum oc_err err;

	oc_buffer_init(&out, CONTEXT_MAX);
	put_part(&out, title, strlen(title));
	put_part(&out, store_id, STORE_ID_LEN);
	put_part(&out, identity->name_hash, sizeof(identity->name_hash));
	put_part(&out, identity->key_hash, sizeof(identity->key_hash));
	put_part(&out, identity->responder_key_hash,
	    sizeof(identity->responder_key_hash));
	put_u64(&out, identity->alg);
	put_u64(&out, identity->signature_len);
	put_u64(&out, identity->is_by_name);
	put_part(&out, identity->responder_name, identity->is_by_name ?
	    identity->responder_name_len : 0);
	put_u64(&out, identity->archive_s);
	put_part(&out, identity->crl_url, identity->crl_url_len);
	put_u64(&out, issuer->ocsp_lifetime_s);
	put_u64(&out, issuer->ocsp_backdate_s);
	put_u64(&out, ocsp->presign);
	err = out.err;
	if (err == OC_OK)
		store_share_name_context(oc_buffer_text(&out), out.len, name);
	oc_buffer_fini(&out);
	return err;
}

/* --- rows ---------------------------------------------------------------- */

void
status_shared_name(const struct oc_serial *serial, uint8_t encoding,
    struct store_shared *row)
{
	row->name[0] = encoding;
	memcpy(row->name + 1, serial->bytes, serial->len);
	row->name_len = (uint8_t)(1 + serial->len);
}

/* False: no time of a slot. */
static bool
put_time(uint8_t **at, int64_t time)
{
	if (time < 0 || time > UINT32_MAX)
		return false;
	for (int shift = 24; shift >= 0; shift -= 8)
		*(*at)++ = (uint8_t)(time >> shift);
	return true;
}

static int64_t
get_time(const uint8_t *at)
{
	return (int64_t)at[0] << 24 | at[1] << 16 | at[2] << 8 | at[3];
}

enum oc_err
status_shared_write(const struct ocsp_slot *slot, int64_t change_seq,
    struct store_shared *row)
{
	bool is_revoked = slot->status.kind == OCSP_REVOKED;
	uint8_t *at = row->body;

	if (slot->status.kind == OCSP_UNKNOWN)
		return OC_ERR_LIMIT;
	status_shared_name(&slot->serial, slot->encoding, row);
	*at++ = BODY_VERSION;
	*at++ = (uint8_t)slot->status.kind;
	*at++ = is_revoked ? (uint8_t)slot->status.reason : 0;
	if (!put_time(&at, is_revoked ? slot->status.revoked_at : 0) ||
	    !put_time(&at, slot->produced_at) ||
	    !put_time(&at, slot->this_update) ||
	    !put_time(&at, slot->next_update))
		return OC_ERR_LIMIT;
	oc_assert(slot->signature_len <= OC_SIGNATURE_MAX);
	memcpy(at, slot->signature, slot->signature_len);
	row->body_len = (uint16_t)(HEAD_LEN + slot->signature_len);
	row->seq = 0;
	row->change_seq = change_seq;
	row->next_update = slot->next_update;
	return OC_OK;
}

static bool
read_status(const uint8_t *body, struct ocsp_status *status)
{
	*status = (struct ocsp_status){ .kind = OCSP_GOOD };
	if (body[1] == OCSP_GOOD)
		return body[2] == 0 && get_time(body + 3) == 0;
	status->kind = OCSP_REVOKED;
	status->reason = (enum crl_reason)body[2];
	status->revoked_at = get_time(body + 3);
	return body[1] == OCSP_REVOKED && crl_reason_name(status->reason) !=
	    NULL && status->reason != CRL_REASON_REMOVE_FROM_CRL;
}

bool
status_shared_read_name(const struct store_shared *row,
    struct ocsp_slot *out)
{
	struct oc_serial serial;

	if (row->name_len < 2 || row->name[0] >= OCSP_ENCODING_MAX ||
	    oc_serial_from_bytes(row->name + 1, row->name_len - 1U,
	    &serial) != OC_OK)
		return false;
	out->serial = serial;
	out->encoding = row->name[0];
	return true;
}

enum oc_err
status_shared_read(const struct ocsp_identity *identity,
    const struct store_shared *row, struct ocsp_slot *out)
{
	struct ocsp_slot slot = { .number = 0 };
	const uint8_t *body = row->body;

	if (!status_shared_read_name(row, &slot) ||
	    row->body_len != HEAD_LEN + identity->signature_len ||
	    body[0] != BODY_VERSION || !read_status(body, &slot.status))
		return OC_ERR_MALFORMED;
	slot.produced_at = get_time(body + 7);
	slot.this_update = get_time(body + 11);
	slot.next_update = get_time(body + 15);
	if (slot.next_update != row->next_update ||
	    slot.this_update > slot.next_update || row->change_seq <= 0)
		return OC_ERR_MALFORMED;
	slot.signature_len = identity->signature_len;
	memcpy(slot.signature, body + HEAD_LEN, slot.signature_len);
	*out = slot;
	return OC_OK;
}

/* --- verifying ----------------------------------------------------------- */

/* Verified together; ResponseData of one certificate, whose names have a
 * kilobyte and whose URL a quarter. */
#define CLAIMS 32
#define DATA_MAX 4096

struct status_shared_verifier {
	const struct ocsp_identity *identity;	/* borrowed */
	struct ocsp_context *context;
	struct sign_verifier *key;
	struct sign_claim claims[CLAIMS];
	struct status_shared *rows[CLAIMS];
	uint8_t data[CLAIMS][DATA_MAX];
	uint8_t signatures[CLAIMS][OC_SIGNATURE_MAX + 9];
};

enum oc_err
status_shared_verifier_new(const struct oc_config_ocsp *ocsp,
    const struct ocsp_identity *identity,
    struct status_shared_verifier **out, struct oc_error *error)
{
	struct status_shared_verifier *v = calloc(1, sizeof(*v));
	enum oc_err err;

	if (v == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	v->identity = identity;
	err = status_identity_verifier(ocsp->certificate != NULL ?
	    ocsp->certificate : ocsp->issuer->certificate, identity,
	    &v->context, &v->key, error);
	if (err != OC_OK)
		status_shared_verifier_free(v);
	else
		*out = v;
	return err;
}

void
status_shared_verifier_free(struct status_shared_verifier *v)
{
	if (v == NULL)
		return;
	ocsp_context_free(v->context);
	sign_verifier_free(v->key);
	free(v);
}

/* False: there is no such response. */
static bool
claim(struct status_shared_verifier *v, const struct ocsp_slot *slot,
    uint32_t i)
{
	struct sign_claim *c = &v->claims[i];
	struct der_bytes raw = { slot->signature, slot->signature_len };

	*c = (struct sign_claim){ .alg = v->identity->alg,
	    .tbs = { v->data[i], 0 }, .signature = raw };
	if (ocsp_context_data(v->context, slot, v->data[i], DATA_MAX,
	    &c->tbs.len) != OC_OK)
		return false;
	if (sign_alg_info(c->alg)->key_type != SIGN_KEY_P256)
		return true;
	c->signature.p = v->signatures[i];
	return sign_ecdsa_to_der(raw, v->signatures[i],
	    sizeof(v->signatures[i]), &c->signature.len) == OC_OK;
}

static void
verify_some(struct status_shared_verifier *v, uint32_t num)
{
	sign_verify_all(v->key, v->claims, num);
	for (uint32_t i = 0; i < num; i++)
		v->rows[i]->is_good = v->claims[i].verdict == OC_OK;
}

void
status_shared_verify(struct status_shared_verifier *v,
    struct status_shared *rows, uint32_t num)
{
	uint32_t num_claims = 0;

	for (uint32_t i = 0; i < num; i++) {
		rows[i].is_good = false;
		if (!rows[i].is_wanted || !claim(v, &rows[i].slot,
		    num_claims))
			continue;
		v->rows[num_claims++] = &rows[i];
		if (num_claims == CLAIMS) {
			verify_some(v, num_claims);
			num_claims = 0;
		}
	}
	if (num_claims > 0)
		verify_some(v, num_claims);
}
