/* SPDX-License-Identifier: Apache-2.0 */
/* What a URI says of a token, its slot and its library, held against them. */
#ifndef PKCS11_MATCH_H
#define PKCS11_MATCH_H

#include <p11-kit/pkcs11.h>

#include "pkcs11/uri.h"

bool p11_match_token(const struct p11_uri *uri, const CK_TOKEN_INFO *info);
/* These ask the module, if the URI says anything at all. */
bool p11_match_slot(CK_FUNCTION_LIST *f, const struct p11_uri *uri,
    CK_SLOT_ID slot);
bool p11_match_library(CK_FUNCTION_LIST *f, const struct p11_uri *uri);

#endif
