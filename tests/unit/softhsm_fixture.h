/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A SoftHSM token in a directory of its own.  softhsm_init() points
 * SOFTHSM2_CONF of this process at it, so one at a time; call it, and what
 * generates keys, before there are threads: they fork.
 */
#ifndef TESTS_SOFTHSM_FIXTURE_H
#define TESTS_SOFTHSM_FIXTURE_H

#include "pkcs11/config.h"

#define SOFTHSM_PIN "1234"
#define SOFTHSM_SO_PIN "5678"

struct softhsm {
	char dir[256];
	char conf[300], tokens[300], state_dir[300];
	char pin_file[300];		/* mode 0600, holds SOFTHSM_PIN */
	char uri[128];			/* pkcs11:token=LABEL */
	char label[33];
	const char *module;		/* $SOFTHSM_MODULE */
	struct p11_token_config token;	/* "[token hsm]", ready to use */
};

/* False, with a line on stderr, when there is no SoftHSM: skip the test. */
bool softhsm_is_there(void);

/* Asserts on failure. */
void softhsm_init(struct softhsm *hsm, const char *label);
/* Removes the directory. */
void softhsm_fini(struct softhsm *hsm);

/* Another token beside it, with the same PINs. */
void softhsm_add_token(const struct softhsm *hsm, const char *label);
void softhsm_generate(const struct softhsm *hsm, const char *label,
    enum sign_key_type type, unsigned int bits, struct sign_key_info *info);
void softhsm_write_pin(const struct softhsm *hsm, const char *pin);

#endif
