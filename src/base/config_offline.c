/* SPDX-License-Identifier: Apache-2.0 */
/* What an [issuer NAME] must have whose key is here, and what it cannot have
 * whose key is not. */
#include <stdbool.h>

#include "base/config.h"
#include "base/config_table.h"

static const char missing[] = "is missing; add it";
static const char signs[] = "asks for what is signed here, and with responses "
    "nothing is; remove one of the two";

const char *
oc_config_wrong_key(const struct oc_config_issuer *issuer, size_t *n,
    const char **what)
{
	bool is_offline = issuer->responses != NULL;
	const struct {
		const char *key;
		bool is_wrong;
		const char *what;
	} keys[] = {
		{ "token", !is_offline && issuer->token == NULL, missing },
		{ "key", !is_offline && issuer->key == NULL, missing },
		{ "token", is_offline && issuer->token != NULL, signs },
		{ "key", is_offline && issuer->key != NULL, signs },
		{ "ocsp-token", is_offline && issuer->ocsp_token != NULL,
		    signs },
		{ "ocsp-key", is_offline && issuer->ocsp_key != NULL, signs },
		{ "nonce", is_offline && issuer->nonce == OC_NONCE_REQUIRE,
		    signs },
		{ "unknown", is_offline && issuer->unknown !=
		    OC_UNKNOWN_UNAUTHORIZED, signs },
		{ "presign", is_offline && issuer->presign == OC_PRESIGN_NONE,
		    signs },
		{ "allow", is_offline && (issuer->allow & OC_ALLOW_OCSP) == 0,
		    "has no \"ocsp\", and responses are nothing else" },
	};

	while (*n < sizeof(keys) / sizeof(keys[0])) {
		size_t i = (*n)++;

		if (keys[i].is_wrong) {
			*what = keys[i].what;
			return keys[i].key;
		}
	}
	return NULL;
}
