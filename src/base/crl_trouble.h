/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why an issuer's CRL could not be published: a file that ocsign-issuer keeps
 * in its part of the run directory while that is so, for people.  Whether it
 * matters, and how much, the records say (base/crl_schedule.h).
 */
#ifndef BASE_CRL_TROUBLE_H
#define BASE_CRL_TROUBLE_H

#include "base/config.h"

#define OC_CRL_WHY_MAX 240

struct oc_crl_trouble {
	int64_t since;			/* Unix seconds, as next_at */
	int64_t num_failures;		/* 0: there is none, nor the rest */
	int64_t next_at;		/* when it is tried again */
	char why[OC_CRL_WHY_MAX];	/* UTF-8, one line */
};

/* For free(); NULL: out of memory. */
char *oc_crl_trouble_path(const struct oc_config *config,
    const struct oc_config_issuer *issuer);
/* NOT_FOUND: none. */
enum oc_err oc_crl_trouble_read(const char *path,
    struct oc_crl_trouble *trouble, struct oc_error *error) OC_MUST_CHECK;
enum oc_err oc_crl_trouble_write(const char *path,
    const struct oc_crl_trouble *trouble, struct oc_error *error)
    OC_MUST_CHECK;
/* Cut where there is no more room, without control characters. */
void oc_crl_trouble_say(struct oc_crl_trouble *trouble, const char *why);

#endif
