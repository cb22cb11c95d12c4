/* SPDX-License-Identifier: Apache-2.0 */
/* What the ocsp commands share: CertIDs from certificates, and telling. */
#ifndef CLI_OCSP_REQUEST_H
#define CLI_OCSP_REQUEST_H

#include "cli/cli.h"
#include "cli/print.h"
#include "ocsp/identity.h"
#include "ocsp/request.h"
#include "ocsp/response.h"
#include "x509/cert.h"

/* A certificate from a file, and what its views borrow. */
struct cli_cert {
	uint8_t *der;			/* owned */
	struct x509_cert cert;
};
enum oc_err cli_cert_read(const char *path, struct cli_cert *cert,
    struct oc_error *error) OC_MUST_CHECK;
void cli_cert_fini(struct cli_cert *cert);	/* zero state is fine */

/* --cert FILE or --serial SERIAL; *cert is filled in for --cert only. */
enum oc_err cli_option_serial(const struct cli *cli, struct cli_cert *cert,
    struct oc_serial *serial, struct oc_error *error) OC_MUST_CHECK;

/* CertID ::= SEQUENCE of identity's hashes and serial. */
#define CLI_CERTID_MAX (OCSP_CERTID_PREFIX_MAX + OC_SERIAL_MAX + 8)
enum oc_err cli_certid_write(const struct ocsp_identity *identity,
    uint8_t encoding, const struct oc_serial *serial,
    uint8_t out[CLI_CERTID_MAX], size_t *len) OC_MUST_CHECK;

/* "good", "revoked", "unknown". */
const char *cli_status_name(enum ocsp_cert_status status);
/* Members status, serial, this_update ... of one SingleResponse. */
void cli_put_single(json_t *object, const struct ocsp_single_view *single);

extern const struct cli_option cli_ocsp_query_options[];
extern const struct cli_option cli_ocsp_sign_options[];
enum oc_err cli_ocsp_query(struct cli *cli, struct oc_error *error);
enum oc_err cli_ocsp_sign(struct cli *cli, struct oc_error *error);

#endif
