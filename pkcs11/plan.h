/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From ocsign.conf(5) to what the pool is told: which tokens, which keys, and
 * what each key may sign, read from the certificates it belongs to.
 */
#ifndef PKCS11_PLAN_H
#define PKCS11_PLAN_H

#include "base/config.h"
#include "pkcs11/config.h"
#include "pkcs11/drain.h"

struct p11_plan;

/* Empty; config is borrowed until p11_plan_free(). */
enum oc_err p11_plan_new(const struct oc_config *config,
    struct p11_plan **plan, struct oc_error *error) OC_MUST_CHECK;
void p11_plan_free(struct p11_plan *plan);	/* NULL is fine */

/*
 * The key sign_key_name(role, name), with the tokens it lives in; name is an
 * issuer's, for SIGN_KEY_OCSP that of a struct oc_config_ocsp.  Whose
 * certificate is not there yet may sign only what makes one: its CSR or its
 * own self-signed certificate.  NOT_FOUND: no such issuer, or, for
 * SIGN_KEY_OCSP, no certificate to answer for.
 */
enum oc_err p11_plan_add(struct p11_plan *plan, enum sign_key_role role,
    const char *name, struct oc_error *error) OC_MUST_CHECK;

/* Every key of every issuer that has a certificate; others are left out with
 * one log line. */
enum oc_err p11_plan_add_all(struct p11_plan *plan, struct oc_error *error)
    OC_MUST_CHECK;

/* A key by URI or label that may sign a CSR and nothing else. */
enum oc_err p11_plan_add_csr_key(struct p11_plan *plan, const char *name,
    const char *token, const char *uri, struct oc_error *error) OC_MUST_CHECK;

/* The signing journal beside the store, for what is signed from now on with
 * this plan's keys; chain is whose.  It ends with the plan. */
enum oc_err p11_plan_open_journal(struct p11_plan *plan, const char *chain,
    struct oc_error *error) OC_MUST_CHECK;

/* For p11_local_new(); valid until the plan is freed or added to. */
const struct p11_local_config *p11_plan_config(const struct p11_plan *plan);

/* One token by itself, for pkcs11/admin.h; NOT_FOUND names the sections. */
enum oc_err p11_plan_token(struct p11_plan *plan, const char *name,
    const struct p11_token_config **token, struct oc_error *error)
    OC_MUST_CHECK;
/* The section whose token a key's URI names; with a label alone, or a URI that
 * says nothing of a token, the only section there is.  NOT_FOUND or MISMATCH
 * say to name one. */
enum oc_err p11_plan_token_of_key(const struct oc_config *config,
    const char *key, const char **token, struct oc_error *error)
    OC_MUST_CHECK;
/* Records it, for when a pool is opened: REFUSED if a key would have no token
 * left, by the configuration and what else is drained.  The same without a
 * pool as p11_local_drain() is with one. */
enum oc_err p11_plan_drain(const struct p11_plan *plan, const char *token,
    enum p11_drain drain, struct oc_error *error) OC_MUST_CHECK;
/* Where PIN latches are kept: beside the store. */
const char *p11_plan_state_dir(const struct p11_plan *plan);

#endif
