/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each message's fields stand in one order, the struct's, in the writer and
 * in the reader below it.  A reader fills a local and hands it over whole, so
 * that nobody sees half a message.
 */
#include "ipc/message.h"

#include <string.h>

/* The last of enum oc_err: what an "err" field may say. */
#define ERR_LAST OC_ERR_UNSIGNED
/* The last of enum p11_drain: this room does not know pkcs11's. */
#define DRAIN_LAST 2
/* Key types as sign/alg.h numbers them. */
#define KEY_TYPE_LAST SIGN_KEY_ED25519
/* RSA-16384 is more than anything signs with; beyond it is noise. */
#define KEY_BITS_MAX 16384
/* OCSPResponseStatus, RFC 6960 4.2.1: 4 is not used. */
#define RESPONSE_STATUS_LAST 6

enum oc_err
ipc_put_hello(uint8_t *out, size_t out_max, uint64_t id,
    const struct ipc_hello *m, size_t *len)
{
	struct ipc_writer w;

	ipc_begin(&w, out, out_max, IPC_HELLO, 0, id);
	ipc_put_u16(&w, m->version);
	ipc_put_text(&w, m->role);
	return ipc_end(&w, len);
}

/* Another version's HELLO is well-formed: it is for the caller to say no. */
enum oc_err
ipc_read_hello(struct der_bytes fields, struct ipc_hello *m)
{
	struct ipc_reader r = ipc_reader_of(fields);
	struct ipc_hello hello = { 0 };

	hello.version = ipc_get_u16(&r);
	ipc_get_text(&r, hello.role, sizeof(hello.role));
	if (!ipc_is_done(&r) || hello.version == 0 || hello.role[0] == '\0')
		return OC_ERR_MALFORMED;
	*m = hello;
	return OC_OK;
}

/* Behind kind, lane and alg, or task and what is given. */
#define TIMEOUT_AT (IPC_HEADER_LEN + IPC_TIMEOUT_AT)

enum oc_err
ipc_put_sign(uint8_t *out, size_t out_max, uint64_t id,
    const struct ipc_sign *m, size_t *len)
{
	struct ipc_writer w;
	uint16_t flags = m->tbs_len > m->tbs.len ? IPC_FLAG_FD : 0;

	ipc_begin(&w, out, out_max, IPC_SIGN, flags, id);
	ipc_put_u8(&w, m->kind);
	ipc_put_u8(&w, m->lane);
	ipc_put_u8(&w, m->alg);
	ipc_put_u32(&w, m->timeout_ms);
	ipc_put_text(&w, m->key);
	ipc_put_u64(&w, m->tbs_len);
	ipc_put_bytes(&w, m->tbs);
	return ipc_end(&w, len);
}

void
ipc_set_timeout(uint8_t *frame, size_t len, uint32_t timeout_ms)
{
	struct ipc_writer w = { frame, TIMEOUT_AT + 4, TIMEOUT_AT, false };

	oc_assert(len >= TIMEOUT_AT + 4);
	ipc_put_u32(&w, timeout_ms);
}

bool
ipc_has_timeout(uint16_t type)
{
	return type == IPC_SIGN || type == IPC_VALIDATE;
}

/* Inline and complete, or by descriptor and empty, as a CRL may be: nothing
 * between. */
static bool
is_tbs_valid(const struct ipc_sign *m)
{
	if (m->tbs_len == 0 || m->tbs_len > OC_TBS_MAX)
		return false;
	if (m->tbs_len <= OC_TBS_INLINE_MAX)
		return m->tbs.len == m->tbs_len;
	return m->tbs.len == 0 && m->kind == SIGN_KIND_CRL;
}

enum oc_err
ipc_read_sign(struct der_bytes fields, struct ipc_sign *m)
{
	struct ipc_reader r = ipc_reader_of(fields);
	struct ipc_sign sign = { 0 };

	sign.kind = ipc_get_u8(&r);
	sign.lane = ipc_get_u8(&r);
	sign.alg = ipc_get_u8(&r);
	sign.timeout_ms = ipc_get_u32(&r);
	ipc_get_text(&r, sign.key, sizeof(sign.key));
	sign.tbs_len = ipc_get_u64(&r);
	sign.tbs = ipc_get_bytes(&r);
	if (!ipc_is_done(&r) || sign.key[0] == '\0' || !is_tbs_valid(&sign) ||
	    sign.kind < SIGN_KIND_CERTIFICATE || sign.kind > SIGN_KIND_CSR ||
	    sign.lane >= SIGN_LANE_MAX || sign.alg >= SIGN_ALG_MAX)
		return OC_ERR_MALFORMED;
	*m = sign;
	return OC_OK;
}

enum oc_err
ipc_put_signed(uint8_t *out, size_t out_max, uint64_t id,
    const struct ipc_signed *m, size_t *len)
{
	struct ipc_writer w;

	ipc_begin(&w, out, out_max, IPC_SIGNED, 0, id);
	ipc_put_u8(&w, m->err);
	ipc_put_u8(&w, m->alg);
	ipc_put_bytes(&w, m->signature);
	ipc_put_text(&w, m->text);
	return ipc_end(&w, len);
}

/* A success carries a signature and says by which algorithm; a failure
 * carries none. */
enum oc_err
ipc_read_signed(struct der_bytes fields, struct ipc_signed *m)
{
	struct ipc_reader r = ipc_reader_of(fields);
	struct ipc_signed answer = { 0 };
	bool is_ok;

	answer.err = ipc_get_u8(&r);
	answer.alg = ipc_get_u8(&r);
	answer.signature = ipc_get_bytes(&r);
	ipc_get_text(&r, answer.text, sizeof(answer.text));
	is_ok = answer.err == OC_OK;
	if (!ipc_is_done(&r) || answer.err > ERR_LAST ||
	    answer.alg >= SIGN_ALG_MAX ||
	    is_ok != (answer.signature.len > 0) ||
	    (is_ok && answer.alg == SIGN_ALG_NONE) ||
	    answer.signature.len > OC_SIGNATURE_MAX)
		return OC_ERR_MALFORMED;
	*m = answer;
	return OC_OK;
}

enum oc_err
ipc_put_find_key(uint8_t *out, size_t out_max, uint64_t id,
    const struct ipc_find_key *m, size_t *len)
{
	struct ipc_writer w;

	ipc_begin(&w, out, out_max, IPC_FIND_KEY, 0, id);
	ipc_put_text(&w, m->key);
	return ipc_end(&w, len);
}

enum oc_err
ipc_read_find_key(struct der_bytes fields, struct ipc_find_key *m)
{
	struct ipc_reader r = ipc_reader_of(fields);
	struct ipc_find_key find = { 0 };

	ipc_get_text(&r, find.key, sizeof(find.key));
	if (!ipc_is_done(&r) || find.key[0] == '\0')
		return OC_ERR_MALFORMED;
	*m = find;
	return OC_OK;
}

enum oc_err
ipc_put_key(uint8_t *out, size_t out_max, uint64_t id,
    const struct ipc_key *m, size_t *len)
{
	struct ipc_writer w;

	ipc_begin(&w, out, out_max, IPC_KEY, 0, id);
	ipc_put_u8(&w, m->err);
	ipc_put_u8(&w, m->type);
	ipc_put_u32(&w, m->bits);
	ipc_put_u8(&w, m->alg);
	ipc_put_bytes(&w, m->spki);
	ipc_put_text(&w, m->text);
	return ipc_end(&w, len);
}

static bool
is_key_valid(const struct ipc_key *m)
{
	if (m->err > ERR_LAST || m->type > KEY_TYPE_LAST ||
	    m->bits > KEY_BITS_MAX || m->alg >= SIGN_ALG_MAX ||
	    m->spki.len > OC_SPKI_MAX)
		return false;
	if (m->err != OC_OK)
		return m->spki.len == 0;
	return m->type != SIGN_KEY_NONE && m->bits > 0 &&
	    m->alg != SIGN_ALG_NONE && m->spki.len > 0;
}

enum oc_err
ipc_read_key(struct der_bytes fields, struct ipc_key *m)
{
	struct ipc_reader r = ipc_reader_of(fields);
	struct ipc_key key = { 0 };

	key.err = ipc_get_u8(&r);
	key.type = ipc_get_u8(&r);
	key.bits = ipc_get_u32(&r);
	key.alg = ipc_get_u8(&r);
	key.spki = ipc_get_bytes(&r);
	ipc_get_text(&r, key.text, sizeof(key.text));
	if (!ipc_is_done(&r) || !is_key_valid(&key))
		return OC_ERR_MALFORMED;
	*m = key;
	return OC_OK;
}

enum oc_err
ipc_put_drain(uint8_t *out, size_t out_max, uint64_t id,
    const struct ipc_drain *m, size_t *len)
{
	struct ipc_writer w;

	ipc_begin(&w, out, out_max, IPC_DRAIN, 0, id);
	ipc_put_u8(&w, m->how);
	ipc_put_text(&w, m->token);
	return ipc_end(&w, len);
}

enum oc_err
ipc_read_drain(struct der_bytes fields, struct ipc_drain *m)
{
	struct ipc_reader r = ipc_reader_of(fields);
	struct ipc_drain drain = { 0 };

	drain.how = ipc_get_u8(&r);
	ipc_get_text(&r, drain.token, sizeof(drain.token));
	if (!ipc_is_done(&r) || drain.how > DRAIN_LAST ||
	    drain.token[0] == '\0')
		return OC_ERR_MALFORMED;
	*m = drain;
	return OC_OK;
}

enum oc_err
ipc_put_drained(uint8_t *out, size_t out_max, uint64_t id,
    const struct ipc_drained *m, size_t *len)
{
	struct ipc_writer w;

	ipc_begin(&w, out, out_max, IPC_DRAINED, 0, id);
	ipc_put_u8(&w, m->err);
	ipc_put_text(&w, m->text);
	return ipc_end(&w, len);
}

enum oc_err
ipc_read_drained(struct der_bytes fields, struct ipc_drained *m)
{
	struct ipc_reader r = ipc_reader_of(fields);
	struct ipc_drained drained = { 0 };

	drained.err = ipc_get_u8(&r);
	ipc_get_text(&r, drained.text, sizeof(drained.text));
	if (!ipc_is_done(&r) || drained.err > ERR_LAST)
		return OC_ERR_MALFORMED;
	*m = drained;
	return OC_OK;
}

enum oc_err
ipc_put_ask(uint8_t *out, size_t out_max, uint64_t id,
    const struct ipc_ask *m, size_t *len)
{
	struct ipc_writer w;

	oc_assert(m->num_singles <= IPC_SINGLES_MAX);
	ipc_begin(&w, out, out_max, IPC_ASK, 0, id);
	ipc_put_text(&w, m->name);
	ipc_put_u32(&w, m->num_singles);
	for (uint32_t i = 0; i < m->num_singles; i++) {
		ipc_put_u8(&w, m->singles[i].encoding);
		ipc_put_bytes(&w, (struct der_bytes){
		    m->singles[i].serial.bytes, m->singles[i].serial.len });
	}
	ipc_put_bytes(&w, m->nonce);
	if (m->request.len != 0)
		ipc_put_bytes(&w, m->request);
	return ipc_end(&w, len);
}

static bool
get_serial(struct ipc_reader *r, struct oc_serial *serial)
{
	struct der_bytes bytes = ipc_get_bytes(r);

	return bytes.len > 0 &&
	    oc_serial_from_bytes(bytes.p, bytes.len, serial) == OC_OK;
}

enum oc_err
ipc_read_ask(struct der_bytes fields, struct ipc_ask *m)
{
	struct ipc_reader r = ipc_reader_of(fields);
	uint32_t num_singles;

	/* Filled in place: it is 3 KiB, and on the road of every miss. */
	memset(m, 0, sizeof(*m));
	ipc_get_text(&r, m->name, sizeof(m->name));
	num_singles = ipc_get_u32(&r);
	if (r.has_failed || m->name[0] == '\0' || num_singles == 0 ||
	    num_singles > IPC_SINGLES_MAX)
		return OC_ERR_MALFORMED;
	for (uint32_t i = 0; i < num_singles; i++) {
		m->singles[i].encoding = ipc_get_u8(&r);
		if (!get_serial(&r, &m->singles[i].serial))
			return OC_ERR_MALFORMED;
	}
	m->num_singles = num_singles;
	m->nonce = ipc_get_bytes(&r);
	if (r.has_failed || m->nonce.len > OCSP_NONCE_MAX)
		return OC_ERR_MALFORMED;
	if (ipc_is_done(&r))
		return OC_OK;
	m->request = ipc_get_bytes(&r);
	if (!ipc_is_done(&r) || m->request.len == 0 ||
	    m->request.len > OCSP_SIGNED_REQUEST_MAX)
		return OC_ERR_MALFORMED;
	return OC_OK;
}

enum oc_err
ipc_put_answer(uint8_t *out, size_t out_max, uint64_t id,
    const struct ipc_answer *m, size_t *len)
{
	struct ipc_writer w;

	ipc_begin(&w, out, out_max, IPC_ANSWER, 0, id);
	ipc_put_u8(&w, m->kind);
	ipc_put_u8(&w, m->status);
	ipc_put_u32(&w, m->retry_after_s);
	ipc_put_u64(&w, (uint64_t)m->this_update);
	ipc_put_u64(&w, (uint64_t)m->next_update);
	ipc_put_bytes(&w, m->response);
	return ipc_end(&w, len);
}

static bool
is_answer_valid(const struct ipc_answer *m)
{
	if (m->kind < IPC_ANSWER_TABLE || m->kind > IPC_ANSWER_NO_NONCE)
		return false;
	switch ((enum ipc_answer_kind)m->kind) {
	case IPC_ANSWER_RESPONSE:
		return m->response.len > 0 &&
		    m->response.len <= OCSP_RESPONSE_MAX;
	case IPC_ANSWER_ERROR:
		return m->response.len == 0 && m->status > 0 &&
		    m->status <= RESPONSE_STATUS_LAST && m->status != 4;
	case IPC_ANSWER_TABLE:
	case IPC_ANSWER_NO_NONCE:
		return m->response.len == 0;
	}
	return false;
}

enum oc_err
ipc_read_answer(struct der_bytes fields, struct ipc_answer *m)
{
	struct ipc_reader r = ipc_reader_of(fields);
	struct ipc_answer answer = { 0 };

	answer.kind = ipc_get_u8(&r);
	answer.status = ipc_get_u8(&r);
	answer.retry_after_s = ipc_get_u32(&r);
	answer.this_update = (int64_t)ipc_get_u64(&r);
	answer.next_update = (int64_t)ipc_get_u64(&r);
	answer.response = ipc_get_bytes(&r);
	if (!ipc_is_done(&r) || !is_answer_valid(&answer))
		return OC_ERR_MALFORMED;
	*m = answer;
	return OC_OK;
}

enum oc_err
ipc_put_bare(uint8_t *out, size_t out_max, uint64_t id, enum ipc_type type,
    size_t *len)
{
	struct ipc_writer w;

	ipc_begin(&w, out, out_max, (uint16_t)type, 0, id);
	return ipc_end(&w, len);
}

enum oc_err
ipc_put_text_message(uint8_t *out, size_t out_max, uint64_t id,
    enum ipc_type type, const char *text, size_t *len)
{
	struct ipc_writer w;

	ipc_begin(&w, out, out_max, (uint16_t)type, 0, id);
	ipc_put_text(&w, text);
	return ipc_end(&w, len);
}

enum oc_err
ipc_read_text_message(struct der_bytes fields, struct der_bytes *text)
{
	struct ipc_reader r = ipc_reader_of(fields);
	struct der_bytes bytes = ipc_get_bytes(&r);

	if (!ipc_is_done(&r) || (bytes.len > 0 &&
	    memchr(bytes.p, '\0', bytes.len) != NULL))
		return OC_ERR_MALFORMED;
	*text = bytes;
	return OC_OK;
}
