/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The real ocsign-signer behind the shim, with one CA and its OCSP signer, and
 * an honest client that asks it for a CRL after each attack.
 */
#ifndef TESTS_ORACLE_FIXTURE_H
#define TESTS_ORACLE_FIXTURE_H

#include "sign/sign.h"
#include "tests/faults/shim_control.h"
#include "tests/unit/tbs_samples.h"

#define LONG_NS (20 * OC_NS_PER_S)

extern struct shim_control *oracle_shim;
extern struct sign_key_info oracle_ca_key, oracle_ocsp_key;
/* Signatures of the start, and those that somebody may have. */
extern unsigned long oracle_num_canaries, oracle_num_honest;

int oracle_setup(void **state);
int oracle_teardown(void **state);
const char *oracle_in_dir(const char *name);	/* borrowed, for a while */
struct der_bytes oracle_spki(const struct sign_key_info *key);

/* Of a certificate or a CRL that is signed. */
void oracle_good_sample(struct tbs_sample *s, bool is_crl);

/* A client of one of its sockets; for sign_free(). */
struct signer *oracle_dial(const char *name);
enum oc_err oracle_sign(struct signer *s, const char *name,
    enum sign_kind kind, struct der_bytes tbs);

/* The signer lives, signs for the honest client, and has signed nothing else
 * that is not counted. */
void oracle_assert_only_honest(const char *after);
void oracle_stop(void);

#endif
