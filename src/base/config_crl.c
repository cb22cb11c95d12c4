/* SPDX-License-Identifier: Apache-2.0 */
/* CRLs in parts: where each is, and what of it goes together. */
#include <stdio.h>
#include <string.h>

#include "base/config.h"
#include "base/config_table.h"

bool
oc_config_partition_url(const char *url, uint32_t partition,
    char text[OC_CRL_URL_MAX + 1])
{
	const char *host = strstr(url, "://");
	size_t end = strcspn(url, "?#"), dot = end, path;
	int len;

	path = host == NULL ? 0 : (size_t)(host - url) + 3;
	path += strcspn(url + path, "/?#");
	while (dot > path && url[dot - 1] != '/' && url[dot - 1] != '.')
		dot--;
	/* Before the '.', or, without one, at the end. */
	dot = dot > path && url[dot - 1] == '.' ? dot - 1 : end;
	len = partition == 0 ? snprintf(text, OC_CRL_URL_MAX + 1, "%s", url) :
	    snprintf(text, OC_CRL_URL_MAX + 1, "%.*s-%u%s", (int)dot, url,
	    partition, url + dot);
	return len > 0 && len <= OC_CRL_URL_MAX;
}

/* Also that of the last partition. */
static bool
is_long(const char *url)
{
	char text[OC_CRL_URL_MAX + 1];

	return url != NULL && !oc_config_partition_url(url,
	    OC_CRL_PARTITIONS_MAX, text);
}

const char *
oc_config_wrong_crl(const struct oc_config_issuer *issuer, size_t *n,
    const char **at, const char **what)
{
	static const char elsewhere[] = "is given beside crl-file or "
	    "crl-fetch, whose list somebody else makes; remove one of the two";
	static const char lacks_url[] = "is given without crl-url; add that "
	    "or remove this";
	static const char long_url[] = "is too long a URL for CRLs in parts; "
	    "choose one of 500 characters at most";
	bool is_parted = issuer->crl_partitions > 0;
	bool has_delta = issuer->crl_delta_url != NULL;
	bool is_elsewhere = issuer->crl_file != NULL ||
	    issuer->crl_fetch.num > 0;
	bool is_open_given = issuer->crl_partitions_open != OC_CONFIG_UNSET;
	const struct oc_config_wrong keys[] = {
		{ "crl-partitions", is_parted && issuer->crl_url == NULL,
		    lacks_url, NULL },
		{ "crl-partitions", is_parted && is_elsewhere, elsewhere,
		    NULL },
		{ "crl-partitions-open", is_open_given &&
		    issuer->crl_partitions_open > issuer->crl_partitions,
		    "is more than crl-partitions, which is how many there "
		    "are; make that as many", NULL },
		{ "crl-reference", is_parted &&
		    issuer->crl_reference == OC_SWITCH_YES, "names one CRL, "
		    "and with crl-partitions there are several; remove one "
		    "of the two", NULL },
		{ "crl-delta-url", has_delta && issuer->crl_url == NULL,
		    lacks_url, NULL },
		{ "crl-delta-url", has_delta && is_elsewhere, elsewhere,
		    NULL },
		{ "crl-delta-lifetime", has_delta &&
		    issuer->crl_delta_lifetime_s > issuer->crl_lifetime_s,
		    "is longer than crl-lifetime; make it shorter, or that "
		    "longer", NULL },
		{ "crl-url", (is_parted || has_delta) &&
		    is_long(issuer->crl_url), long_url, NULL },
		{ "crl-delta-url", is_long(issuer->crl_delta_url), long_url,
		    NULL },
	};

	return oc_config_find_wrong(keys, sizeof(keys) / sizeof(keys[0]), n,
	    at, what);
}
