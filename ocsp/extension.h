/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What requests, responses and their entries share: Extension and
 * AlgorithmIdentifier (RFC 5280, 4.2 and 4.1.1.2) and the nonce (RFC 9654).
 * The codec's own.
 */
#ifndef OCSP_EXTENSION_H
#define OCSP_EXTENSION_H

#include "base/limits.h"
#include "der/oid.h"
#include "der/reader.h"
#include "der/writer.h"

struct ocsp_extension {
	struct der_bytes oid;		/* contents */
	bool is_critical;
	struct der_bytes value;		/* octets of extnValue */
};

/* Enters [n] EXPLICIT Extensions, if it is next: 1 to MAX of them. */
bool ocsp_enter_extensions(struct der_reader *r, uint8_t tag,
    struct der_reader *extensions);
bool ocsp_get_extension(struct der_reader *extensions,
    struct ocsp_extension *extension);
bool ocsp_extension_is(const struct ocsp_extension *extension,
    enum der_oid oid);

/* The nonce's octets, 1 to 128, whether or not they are wrapped in an OCTET
 * STRING of their own: clients of RFC 2560's time do not. */
bool ocsp_read_nonce(struct der_bytes value, struct der_bytes *nonce);
/* An Extension that is not critical: what is put between is its value. */
void ocsp_begin_extension(struct der_writer *w, enum der_oid oid);
void ocsp_end_extension(struct der_writer *w);
void ocsp_put_nonce(struct der_writer *w, struct der_bytes nonce);

/* A well-formed AlgorithmIdentifier, of whatever algorithm. */
bool ocsp_is_algorithm(struct der_bytes tlv);

#endif
