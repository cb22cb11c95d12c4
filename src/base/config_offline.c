/* SPDX-License-Identifier: Apache-2.0 */
/* What an [issuer NAME] must have whose key is here, what it cannot have
 * whose key is not, or whose certificates somebody else records, and what
 * each has only together. */
#include <stdbool.h>

#include "base/config.h"
#include "base/config_table.h"

static const char missing[] = "is missing; add it";
static const char signs[] = "asks for what is signed here, and with responses "
    "nothing is; remove one of the two";

const char *
oc_config_find_wrong(const struct oc_config_wrong *keys, size_t num, size_t *n,
    const char **at, const char **what)
{
	while (*n < num) {
		size_t i = (*n)++;

		if (keys[i].is_wrong) {
			*what = keys[i].what;
			*at = keys[i].at != NULL ? keys[i].at : keys[i].key;
			return keys[i].key;
		}
	}
	return NULL;
}

const char *
oc_config_wrong_key(const struct oc_config_issuer *issuer, size_t *n,
    const char **at, const char **what)
{
	bool is_offline = issuer->responses != NULL;
	bool is_elsewhere = issuer->source != OC_SOURCE_STORE;
	/* A delegate is enough where nothing else is signed. */
	bool has_key = !is_offline && !(is_elsewhere &&
	    issuer->tokens.num == 0 && issuer->key == NULL &&
	    issuer->ocsp_certificate != NULL);
	bool is_asker_known =
	    issuer->signed_requests != OC_SIGNED_REQUESTS_IGNORE;
	const struct oc_config_wrong keys[] = {
		{ "token", has_key && issuer->tokens.num == 0, missing, NULL },
		{ "key", has_key && issuer->key == NULL, missing, NULL },
		{ "ocsp-token", !has_key && !is_offline &&
		    issuer->ocsp_tokens.num == 0, missing, NULL },
		{ "token", is_offline && issuer->tokens.num > 0, signs, NULL },
		{ "key", is_offline && issuer->key != NULL, signs, NULL },
		{ "ocsp-token", is_offline && issuer->ocsp_tokens.num > 0,
		    signs, NULL },
		{ "ocsp-key", is_offline && issuer->ocsp_key != NULL, signs,
		    NULL },
		{ "nonce", is_offline && issuer->nonce == OC_NONCE_REQUIRE,
		    signs, NULL },
		{ "unknown", is_offline && issuer->unknown !=
		    OC_UNKNOWN_UNAUTHORIZED, signs, NULL },
		{ "presign", is_offline && issuer->presign == OC_PRESIGN_NONE,
		    signs, NULL },
		{ "allow", is_offline && (issuer->allow & OC_ALLOW_OCSP) == 0,
		    "has no \"ocsp\", and responses are nothing else", NULL },
		{ "source", is_offline && is_elsewhere, "cannot be given "
		    "with responses, which say themselves what is so; remove "
		    "one of the two", NULL },
		{ "crl-reference", issuer->crl_reference == OC_SWITCH_YES &&
		    issuer->crl_url == NULL, "is given without crl-url; add "
		    "that or remove this", NULL },
		{ "requestor-ca", is_asker_known &&
		    issuer->requestor_ca == NULL, "is missing; "
		    "signed-requests needs it", "signed-requests" },
		{ "requestor-ca", !is_asker_known &&
		    issuer->requestor_ca != NULL, "is given without "
		    "signed-requests = verify; add that or remove this",
		    NULL },
	};

	return oc_config_find_wrong(keys, sizeof(keys) / sizeof(keys[0]), n,
	    at, what);
}
