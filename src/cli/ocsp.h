/* SPDX-License-Identifier: Apache-2.0 */
/* What the ocsp commands share. */
#ifndef CLI_OCSP_H
#define CLI_OCSP_H

#include "cli/print.h"
#include "cli/work.h"
#include "ocsp/response.h"
#include "x509/cert.h"

/* A clock may be this far off, ours or theirs. */
#define CLI_OCSP_SKEW_S 300

/* CertID of a certificate of this issuer; *certid is for free(). */
enum oc_err cli_ocsp_certid(const struct x509_cert *issuer,
    enum ocsp_hash hash, const struct oc_serial *serial, uint8_t **certid,
    size_t *len, struct oc_error *error) OC_MUST_CHECK;

/*
 * A careful client's view of an answer: successful; a SingleResponse whose
 * CertID is certid, octet for octet; signed by the issuer or by a signer
 * that it delegated (RFC 6960, 4.2.2.2); within its times; the nonce, if one
 * was sent, not another.
 */
struct cli_ocsp_verdict {
	struct ocsp_single_view single;
	bool is_delegated;
	struct der_bytes signer;	/* Name TLV */
	enum { CLI_NONCE_UNASKED, CLI_NONCE_SAME, CLI_NONCE_ABSENT } nonce;
};
enum oc_err cli_ocsp_check(const struct ocsp_response_view *view,
    const struct x509_cert *issuer, struct der_bytes certid,
    struct der_bytes nonce, int64_t now, struct cli_ocsp_verdict *verdict,
    struct oc_error *error) OC_MUST_CHECK;

/* Serial, status, times of one answer. */
void cli_put_single(json_t *object, const struct ocsp_single_view *single);
/* "sha1", as --hash takes it; NULL for what is none of ours. */
const char *cli_ocsp_hash_name(enum ocsp_hash hash);

extern const struct cli_option cli_ocsp_query_options[];
extern const struct cli_option cli_ocsp_sign_options[];
enum oc_err cli_ocsp_query(struct cli *cli, struct oc_error *error);
enum oc_err cli_ocsp_sign(struct cli *cli, struct oc_error *error);

#endif
