/* SPDX-License-Identifier: Apache-2.0 */
/* What an [issuer NAME] must have, and cannot have, by where it is known from
 * what is so of its certificates. */
#include <stdbool.h>
#include <string.h>

#include "base/config.h"
#include "base/config_table.h"

const char *
oc_config_wrong_source(const struct oc_config_issuer *issuer, size_t *n,
    const char **at, const char **what)
{
	bool is_by_crl = issuer->source == OC_SOURCE_CRL;
	bool is_by_index = issuer->source == OC_SOURCE_INDEX;
	bool is_by_certdb = issuer->source == OC_SOURCE_CERTDB;
	bool is_freshest = issuer->crl_delta_fetch.num > 0 &&
	    strcmp(issuer->crl_delta_fetch.words[0], "freshest") == 0;
	bool is_fetched = issuer->crl_fetch.num > 0;
	bool is_elsewhere = issuer->source != OC_SOURCE_STORE;
	const struct oc_config_wrong keys[] = {
		{ "crl-file", is_by_crl && issuer->crl_file == NULL &&
		    !is_fetched, "is missing; source = crl needs it, or "
		    "crl-fetch", "source" },
		{ "crl-file", is_fetched && issuer->crl_file != NULL,
		    "is given beside crl-fetch, which has a file of its own; "
		    "remove one of the two", NULL },
		{ "crl-delta-file", issuer->crl_delta_file != NULL &&
		    issuer->crl_file == NULL, "is given without crl-file; "
		    "add that, or crl-delta-fetch in its place", NULL },
		{ "crl-delta-fetch", issuer->crl_delta_fetch.num > 0 &&
		    !is_fetched, "is given without crl-fetch; add that or "
		    "remove this", NULL },
		{ "crl-delta-fetch", is_freshest &&
		    issuer->crl_delta_fetch.num > 1, "is freshest, or URLs; "
		    "remove one of them", NULL },
		{ "index-file", is_by_index && issuer->index_file == NULL,
		    "is missing; source = index needs it", "source" },
		{ "certdb-file", is_by_certdb && issuer->certdb_file == NULL &&
		    issuer->certdb_database == NULL, "is missing; source = "
		    "certdb needs it, or certdb-database", "source" },
		{ "certdb-database", issuer->certdb_file != NULL &&
		    issuer->certdb_database != NULL, "is given beside "
		    "certdb-file; remove one of the two", NULL },
		{ "index-file", !is_by_index && issuer->index_file != NULL,
		    "is given without source = index; add that or remove "
		    "this", NULL },
		{ "certdb-file", !is_by_certdb && issuer->certdb_file != NULL,
		    "is given without source = certdb; add that or remove "
		    "this", NULL },
		{ "certdb-database", !is_by_certdb &&
		    issuer->certdb_database != NULL, "is given without source "
		    "= certdb; add that or remove this", NULL },
		{ "certdb-password-source", issuer->certdb_password_source !=
		    NULL && issuer->certdb_database == NULL, "is given "
		    "without certdb-database; add that or remove this",
		    NULL },
		{ "source-dropped", issuer->source_dropped > 0 &&
		    !is_by_index && !is_by_certdb, "is given without source "
		    "= index or certdb; remove it", NULL },
		{ "allow", is_elsewhere && (issuer->allow & OC_ALLOW_OCSP) ==
		    0, "has no \"ocsp\", and source = crl, index or certdb "
		    "is for nothing else", NULL },
		{ "archive-cutoff", is_by_crl && issuer->archive_cutoff_s !=
		    OC_CONFIG_UNSET, "cannot be promised with source = crl: "
		    "a CRL drops what has expired; remove it", NULL },
		{ "unlisted", !is_by_crl && issuer->unlisted !=
		    OC_UNLISTED_UNAUTHORIZED, "is given without source = crl; "
		    "add that or remove this", NULL },
		{ "issued", issuer->issued != NULL && issuer->unlisted !=
		    OC_UNLISTED_GOOD, "is given without unlisted = good; add "
		    "that or remove this", NULL },
		{ "unknown", is_by_crl && issuer->issued == NULL &&
		    issuer->unknown != OC_UNKNOWN_UNAUTHORIZED, "needs to "
		    "know what was issued; add issued, or remove this",
		    NULL },
		{ "crl-dropped", issuer->crl_dropped > 0 &&
		    issuer->crl_file == NULL && !is_fetched, "is given "
		    "without crl-file; add that or remove this", NULL },
	};

	return oc_config_find_wrong(keys, sizeof(keys) / sizeof(keys[0]), n,
	    at, what);
}
