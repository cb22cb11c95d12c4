/* SPDX-License-Identifier: Apache-2.0 */
/* An explanation as the command and the API write it: the same document. */
#ifndef CA_EXPLAIN_JSON_H
#define CA_EXPLAIN_JSON_H

#include <jansson.h>

#include "ca/explain.h"

/*
 * {"accepted", "rule", "refusal", "repeated", "fields": [{"field", "value",
 * "source", "detail"}]}; rule and refusal only if it was refused, repeated
 * only if it is so, detail only if there is one.  Octets that are not UTF-8
 * become '?'.  NULL: out of memory.
 */
json_t *ca_explanation_json(const struct ca_explanation *explanation);

#endif
