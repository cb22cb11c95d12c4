/* SPDX-License-Identifier: Apache-2.0 */
/* What the commands with CFSSL's names share. */
#ifndef CLI_CFSSL_H
#define CLI_CFSSL_H

#include "cfssl/key.h"
#include "cfssl/request.h"
#include "cli/work.h"

/* The "CSRJSON" argument, "-" for standard input; for
 * cfssl_request_free(). */
enum oc_err cli_cfssl_read(const char *path, struct cfssl_request **request,
    struct oc_error *error) OC_MUST_CHECK;
/* USAGE unless -loglevel, which is taken, is one of CFSSL's. */
enum oc_err cli_cfssl_check(const struct cli *cli, struct oc_error *error)
    OC_MUST_CHECK;

/* A key pair and its request, the key in memory. */
struct cli_cfssl_made {
	struct cfssl_key *key;
	uint8_t *csr;
	size_t csr_len;
};
enum oc_err cli_cfssl_make(const struct cfssl_request *request,
    struct cli_cfssl_made *made, struct oc_error *error) OC_MUST_CHECK;
void cli_cfssl_made_fini(struct cli_cfssl_made *made);
/* A root of it, self-signed; for free(). */
enum oc_err cli_cfssl_make_root(const struct cfssl_request *request,
    const struct cli_cfssl_made *made, uint8_t **der, size_t *der_len,
    struct oc_error *error) OC_MUST_CHECK;

/* Before a private key goes to standard output: a file there is made one that
 * only its owner can read; REFUSED if it cannot. */
enum oc_err cli_cfssl_guard(struct oc_error *error) OC_MUST_CHECK;
/* One line of JSON on standard output.  len 0, NULL: not in it. */
enum oc_err cli_cfssl_print(struct der_bytes cert, struct der_bytes csr,
    const struct cfssl_key *key, struct oc_error *error) OC_MUST_CHECK;

/* -initca of genkey and gencert. */
enum oc_err cli_cfssl_initca(const struct cfssl_request *request,
    struct oc_error *error) OC_MUST_CHECK;

extern const struct cli_option cli_genkey_options[];
extern const struct cli_option cli_gencert_options[];
extern const struct cli_option cli_sign_options[];
extern const struct cli_option cli_selfsign_options[];
extern const struct cli_option cli_json_options[];
enum oc_err cli_genkey(struct cli *cli, struct oc_error *error);
enum oc_err cli_gencert(struct cli *cli, struct oc_error *error);
enum oc_err cli_sign(struct cli *cli, struct oc_error *error);
enum oc_err cli_selfsign(struct cli *cli, struct oc_error *error);
enum oc_err cli_json(struct cli *cli, struct oc_error *error);

#endif
