/* SPDX-License-Identifier: Apache-2.0 */
/* One signing profile of CFSSL's config.json; for cfssl_config.c. */
#ifndef CA_CFSSL_PROFILE_H
#define CA_CFSSL_PROFILE_H

#include <jansson.h>

#include "ca/profile.h"
#include "cfssl/json.h"

/* Its keys that are honoured; borrowed, NULL if not given. */
struct ca_cfssl_members {
	json_t *usages, *issuer_urls, *ocsp_url, *crl_url, *ca_constraint,
	    *ocsp_no_check, *expiry, *backdate, *auth_key, *prev_auth_key,
	    *not_before, *not_after, *name_whitelist, *allowed_extensions,
	    *copy_extensions, *policies, *csr_whitelist, *client_serials;
};

/*
 * Fills a profile in its zero state, but for its name; it is for
 * ca_profile_fini() in any case.  Takes keys that say nothing out of value.
 * CONFIG, MALFORMED: place and key are in the error.
 */
enum oc_err ca_cfssl_profile_read(const struct cfssl_place *place,
    json_t *value, struct ca_profile *profile, struct oc_error *error)
    OC_MUST_CHECK;

#endif
