/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of CFSSL's door share.  Each handler answers the exchange,
 * now or later. */
#ifndef ISSUER_CFSSL_H
#define ISSUER_CFSSL_H

#include "issuer/door.h"
#include "issuer/issuance.h"

/* Codes: category times 1000, plus the reason. */
enum {
	CFSSL_CERT_DECODE = 1002,
	CFSSL_KEY_GENERATION = 2400,
	CFSSL_POLICY_REQUEST = 5300,
	CFSSL_POLICY_PROFILE = 5400,
	CFSSL_POLICY_WHITELIST = 5500,
	CFSSL_OCSP_MISMATCH = 8100,
	CFSSL_OCSP_STATUS = 8200,
	CFSSL_CSR_DECODE = 9002,
	CFSSL_CSR_PARSE = 9003,
	CFSSL_CSR_SIGNATURE = 9300,
	CFSSL_STORE_NOT_FOUND = 11200
};

/* A client gives up later; what is signed after that is for nobody. */
#define ISSUER_DEADLINE_NS (10 * OC_NS_PER_S)

/* {"success":false,...}; as CFSSL does, text/plain. */
void issuer_cfssl_fail(struct net_exchange *exchange, int status, int code,
    const char *message);
/* Of an issuance; x NULL: it was not refused, but failed. */
void issuer_cfssl_fail_explained(struct net_exchange *exchange, int status,
    int code, const char *message, const struct ca_explanation *x);
/* 400, by this rule; NONE: by none of those that have a name. */
void issuer_cfssl_refuse(struct net_exchange *exchange, int code,
    enum ca_rule rule, const char *message);
/* Takes result. */
void issuer_cfssl_succeed(struct net_exchange *exchange, json_t *result);
/* Takes messages too. */
void issuer_cfssl_succeed_with(struct net_exchange *exchange, json_t *result,
    json_t *messages);
/* Hexadecimal of either case, without colons; NULL: none has it. */
struct issuer_authority *issuer_cfssl_find_by_key_id(
    struct issuer_service *service, const char *hex);

/* Why nothing was issued, with the code that CFSSL has for it. */
void issuer_cfssl_fail_result(struct net_exchange *exchange,
    const struct issuer_result *result);

/* A message of an answer without the "bundle" that was asked for: its
 * certificate is issued all the same, as where CFSSL has no bundler. */
void issuer_cfssl_add_no_bundle(json_t *messages);

/* For the order's given; free() ends it. */
enum oc_err issuer_cfssl_read_given(const json_t *document,
    struct issuer_given **given, struct ca_explanation *x,
    struct oc_error *error) OC_MUST_CHECK;

void issuer_cfssl_sign(struct issuer_service *service,
    struct net_exchange *exchange);
void issuer_cfssl_authsign(struct issuer_service *service,
    struct net_exchange *exchange);
void issuer_cfssl_newkey(struct issuer_service *service,
    struct net_exchange *exchange);
void issuer_cfssl_newcert(struct issuer_service *service,
    struct net_exchange *exchange);
void issuer_cfssl_info(struct issuer_service *service,
    struct net_exchange *exchange);
void issuer_cfssl_certinfo(struct issuer_service *service,
    struct net_exchange *exchange);
void issuer_cfssl_revoke(struct issuer_service *service,
    struct net_exchange *exchange);
void issuer_cfssl_crl(struct issuer_service *service,
    struct net_exchange *exchange);
void issuer_cfssl_ocspsign(struct issuer_service *service,
    struct net_exchange *exchange);
void issuer_cfssl_health(struct issuer_service *service,
    struct net_exchange *exchange);

#endif
