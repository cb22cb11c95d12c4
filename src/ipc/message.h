/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the roles say to each other: one struct, one writer and one reader a
 * message.  Readers check every field's range.
 *
 * Sockets in the run directory, each for one kind of caller:
 *	signer-status.sock	ocsign-status asks for OCSP signatures
 *	signer-issuer.sock	ocsign and ocsign-issuer ask for certificates,
 *				CRLs and CSRs; ocsign drains tokens
 *	status.sock		ocsign-responder asks about misses
 *	status-control.sock	ocsign says that the store has changed, and
 *				asks how things stand
 *	validator.sock		ocsign-issuer and ocsign ask for names to be
 *				looked at
 */
#ifndef IPC_MESSAGE_H
#define IPC_MESSAGE_H

#include "base/err.h"
#include "base/limits.h"
#include "base/serial.h"
#include "ipc/frame.h"
#include "sign/sign.h"

#define IPC_VERSION 1

enum ipc_type {
	IPC_HELLO = 1,		/* both ways, first: version, role name */
	IPC_SIGN = 2,
	IPC_SIGNED = 3,
	IPC_CANCEL = 4,		/* no fields; the id says which */
	IPC_FIND_KEY = 5,
	IPC_KEY = 6,
	IPC_ASK = 7,		/* a miss: ocsp/answer.h */
	IPC_ANSWER = 8,
	IPC_NUDGE = 9,		/* the store has changed; no fields */
	IPC_NUDGED = 10,	/* answered when what had changed is served */
	IPC_STATUS = 11,	/* how are things? */
	IPC_STATUS_IS = 12,	/* JSON text */
	IPC_DRAIN = 13,		/* no more work for a token, or again */
	IPC_DRAINED = 14,
	IPC_VALIDATE = 15,	/* validation/wire.h, as is the next */
	IPC_VALIDATED = 16
};

struct ipc_hello {
	uint16_t version;
	char role[32];
};

/* The TBS is a field, or, if it is a CRL's and over OC_TBS_INLINE_MAX, the end
 * of a sealed memfd that comes with the frame (then tbs is empty and tbs_len
 * says its size). */
struct ipc_sign {
	uint8_t kind, lane, alg;
	uint32_t timeout_ms;		/* left until the deadline */
	char key[SIGN_KEY_NAME_MAX];
	uint64_t tbs_len;
	struct der_bytes tbs;
};
struct ipc_signed {
	uint8_t err;			/* enum oc_err */
	uint8_t alg;
	struct der_bytes signature;
	char text[160];
};
struct ipc_find_key { char key[SIGN_KEY_NAME_MAX]; };
struct ipc_key {
	uint8_t err;
	uint8_t type;
	uint32_t bits;
	uint8_t alg;
	struct der_bytes spki;
	char text[160];
};

struct ipc_drain {
	uint8_t how;			/* enum p11_drain */
	char token[OC_CONFIG_NAME_MAX + 1];
};
struct ipc_drained {
	uint8_t err;
	char text[400];
};

#define IPC_SINGLES_MAX 128
struct ipc_ask {
	char name[OC_OCSP_NAME_MAX + 1];	/* struct oc_config_ocsp's */
	uint32_t num_singles;
	struct {
		uint8_t encoding;
		struct oc_serial serial;
	} singles[IPC_SINGLES_MAX];
	struct der_bytes nonce;
	/* The whole OCSPRequest, if its signature is to be verified before
	 * anything is said; len 0: it is not. */
	struct der_bytes request;
};
enum ipc_answer_kind {
	IPC_ANSWER_TABLE = 1,		/* look in the table again */
	IPC_ANSWER_RESPONSE = 2,	/* the whole OCSPResponse */
	IPC_ANSWER_ERROR = 3,		/* an OCSPResponseStatus */
	IPC_ANSWER_NO_NONCE = 4		/* budget spent: answer without */
};
struct ipc_answer {
	uint8_t kind;
	uint8_t status;			/* ERROR: the wire's value */
	uint32_t retry_after_s;		/* ERROR tryLater; 0: none */
	int64_t this_update, next_update;	/* RESPONSE */
	struct der_bytes response;	/* RESPONSE */
};

/* NO_SPACE if out is too small; OC_FRAME_MAX always does. */
enum oc_err ipc_put_hello(uint8_t *out, size_t out_max, uint64_t id,
    const struct ipc_hello *m, size_t *len) OC_MUST_CHECK;
enum oc_err ipc_put_sign(uint8_t *out, size_t out_max, uint64_t id,
    const struct ipc_sign *m, size_t *len) OC_MUST_CHECK;
/* Overwrites timeout_ms in a whole SIGN or VALIDATE frame: one that waited has
 * less time left than when it was written.  It stands IPC_TIMEOUT_AT octets
 * behind the header. */
#define IPC_TIMEOUT_AT 3
void ipc_set_timeout(uint8_t *frame, size_t len, uint32_t timeout_ms);
/* Such a type: its callers' deadline is told to the peer, and when they give
 * up. */
bool ipc_has_timeout(uint16_t type);
enum oc_err ipc_put_signed(uint8_t *out, size_t out_max, uint64_t id,
    const struct ipc_signed *m, size_t *len) OC_MUST_CHECK;
enum oc_err ipc_put_find_key(uint8_t *out, size_t out_max, uint64_t id,
    const struct ipc_find_key *m, size_t *len) OC_MUST_CHECK;
enum oc_err ipc_put_key(uint8_t *out, size_t out_max, uint64_t id,
    const struct ipc_key *m, size_t *len) OC_MUST_CHECK;
enum oc_err ipc_put_drain(uint8_t *out, size_t out_max, uint64_t id,
    const struct ipc_drain *m, size_t *len) OC_MUST_CHECK;
enum oc_err ipc_put_drained(uint8_t *out, size_t out_max, uint64_t id,
    const struct ipc_drained *m, size_t *len) OC_MUST_CHECK;
enum oc_err ipc_put_ask(uint8_t *out, size_t out_max, uint64_t id,
    const struct ipc_ask *m, size_t *len) OC_MUST_CHECK;
enum oc_err ipc_put_answer(uint8_t *out, size_t out_max, uint64_t id,
    const struct ipc_answer *m, size_t *len) OC_MUST_CHECK;
/* CANCEL, NUDGE, NUDGED, STATUS: no fields. */
enum oc_err ipc_put_bare(uint8_t *out, size_t out_max, uint64_t id,
    enum ipc_type type, size_t *len) OC_MUST_CHECK;
enum oc_err ipc_put_text_message(uint8_t *out, size_t out_max, uint64_t id,
    enum ipc_type type, const char *text, size_t *len) OC_MUST_CHECK;

/* MALFORMED when a field is missing, out of range, or something is left;
 * *m is then as it was (ipc_read_ask(): undefined). */
enum oc_err ipc_read_hello(struct der_bytes fields, struct ipc_hello *m)
    OC_MUST_CHECK;
enum oc_err ipc_read_sign(struct der_bytes fields, struct ipc_sign *m)
    OC_MUST_CHECK;
enum oc_err ipc_read_signed(struct der_bytes fields, struct ipc_signed *m)
    OC_MUST_CHECK;
enum oc_err ipc_read_find_key(struct der_bytes fields,
    struct ipc_find_key *m) OC_MUST_CHECK;
enum oc_err ipc_read_key(struct der_bytes fields, struct ipc_key *m)
    OC_MUST_CHECK;
enum oc_err ipc_read_drain(struct der_bytes fields, struct ipc_drain *m)
    OC_MUST_CHECK;
enum oc_err ipc_read_drained(struct der_bytes fields, struct ipc_drained *m)
    OC_MUST_CHECK;
enum oc_err ipc_read_ask(struct der_bytes fields, struct ipc_ask *m)
    OC_MUST_CHECK;
enum oc_err ipc_read_answer(struct der_bytes fields, struct ipc_answer *m)
    OC_MUST_CHECK;
/* The text is borrowed, holds no NUL and has none behind it. */
enum oc_err ipc_read_text_message(struct der_bytes fields,
    struct der_bytes *text) OC_MUST_CHECK;

#endif
