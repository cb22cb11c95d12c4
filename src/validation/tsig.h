/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TSIG (RFC 8945): a DNS message and its answer, each with a MAC of a shared
 * key behind it.
 */
#ifndef VALIDATION_TSIG_H
#define VALIDATION_TSIG_H

#include "base/bytes.h"
#include "validation/dns_message.h"

enum validation_tsig_algorithm {
	VALIDATION_HMAC_SHA256,
	VALIDATION_HMAC_SHA384,
	VALIDATION_HMAC_SHA512
};
/* "hmac-sha256" */
const char *validation_tsig_algorithm_name(
    enum validation_tsig_algorithm algorithm);
#define VALIDATION_MAC_MAX 64
#define VALIDATION_TSIG_FUDGE_S 300	/* RFC 8945, 10 */

struct validation_tsig_key {
	char name[VALIDATION_NAME_MAX + 1];	/* lower case */
	enum validation_tsig_algorithm algorithm;
	struct oc_secret secret;
};

/* One key, as BIND and as knot write it:
 *	key "NAME" { algorithm hmac-sha256; secret "BASE64"; };
 *	hmac-sha256:NAME:BASE64
 * A file is root's or ours, and nothing for others to read.  CONFIG; nothing
 * of the key is in an error. */
enum oc_err validation_tsig_key_load(const char *path,
    struct validation_tsig_key *key, struct oc_error *error) OC_MUST_CHECK;
enum oc_err validation_tsig_key_parse(const char *text, size_t len,
    struct validation_tsig_key *key, struct oc_error *error) OC_MUST_CHECK;
void validation_tsig_key_fini(struct validation_tsig_key *key);

/* Puts the record behind a whole message; *mac is what the answer's goes on
 * from. */
struct validation_mac {
	uint8_t bytes[VALIDATION_MAC_MAX];
	size_t len;
};
enum oc_err validation_tsig_sign(const struct validation_tsig_key *key,
    int64_t now_at, struct validation_dns_writer *w,
    struct validation_mac *mac) OC_MUST_CHECK;

/* Whether an answer is signed by the key, for the request of this MAC, now.
 * UNSIGNED, MISMATCH (another key, algorithm, time), SIGNATURE, MALFORMED;
 * *code is the record's own error, 0 where none can be believed or read. */
enum oc_err validation_tsig_verify(const struct validation_tsig_key *key,
    int64_t now_at, const struct validation_mac *request,
    const uint8_t *message, size_t len, uint16_t *code,
    struct oc_error *error) OC_MUST_CHECK;

#endif
