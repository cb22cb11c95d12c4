/* SPDX-License-Identifier: Apache-2.0 */
/* When an [issuer NAME]'s CRLs are published: what is not said, and what
 * cannot be so. */
#include <stdbool.h>

#include "base/config.h"
#include "base/config_table.h"

#define DAY_S INT64_C(86400)

static int64_t
least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* It signs none here. */
static bool
is_elsewhere(const struct oc_config_issuer *issuer)
{
	return (issuer->allow & OC_ALLOW_CRL) == 0 ||
	    issuer->source != OC_SOURCE_STORE || issuer->responses != NULL;
}

static bool
has_file(const struct oc_config_issuer *issuer)
{
	return issuer->crl_file != NULL || issuer->crl_fetch.num > 0;
}

/* Who prints where the CRL is has one there. */
static enum oc_config_publish
choose(const struct oc_config_issuer *issuer)
{
	return issuer->crl_url == NULL || is_elsewhere(issuer) ||
	    has_file(issuer) ? OC_PUBLISH_NO : OC_PUBLISH_SCHEDULED;
}

void
oc_config_complete_publish(struct oc_config_issuer *issuer)
{
	int64_t life_s = issuer->crl_lifetime_s;
	bool has_every = issuer->crl_every_s != OC_CONFIG_UNSET;
	bool has_overlap = issuer->crl_overlap_s != OC_CONFIG_UNSET;

	if (issuer->crl_publish == OC_PUBLISH_UNSET)
		issuer->crl_publish = choose(issuer);
	if (!has_every)
		issuer->crl_every_s = least(least(life_s / 4, DAY_S),
		    has_overlap ? life_s - issuer->crl_overlap_s : life_s);
	if (!has_overlap)
		issuer->crl_overlap_s = least(life_s / 2,
		    life_s - issuer->crl_every_s);
}

const char *
oc_config_wrong_publish(const struct oc_config_issuer *issuer, size_t *n,
    const char **at, const char **what)
{
	bool is_published = issuer->crl_publish > OC_PUBLISH_NO;
	int64_t life_s = issuer->crl_lifetime_s;
	int64_t every_s = issuer->crl_every_s;
	int64_t overlap_s = issuer->crl_overlap_s;
	const struct oc_config_wrong keys[] = {
		{ "crl-publish", is_published && has_file(issuer), "is given "
		    "beside crl-file or crl-fetch, and that CRL is signed "
		    "elsewhere; remove one of the two", NULL },
		{ "crl-publish", is_published && is_elsewhere(issuer),
		    "wants CRLs signed, and none are signed here: allow has "
		    "no \"crl\", or the CA is elsewhere; remove it", NULL },
		{ "crl-every", life_s > 0 && every_s >= life_s, "is not "
		    "shorter than crl-lifetime; make it so", NULL },
		{ "crl-overlap", life_s > 0 && overlap_s >= life_s, "is not "
		    "shorter than crl-lifetime; make it so", NULL },
		{ "crl-overlap", every_s < life_s && overlap_s < life_s &&
		    every_s + overlap_s > life_s, "is longer than what "
		    "crl-every leaves of crl-lifetime; make one of them "
		    "shorter", NULL },
	};

	return oc_config_find_wrong(keys, sizeof(keys) / sizeof(keys[0]), n,
	    at, what);
}
