/* SPDX-License-Identifier: Apache-2.0 */
/* JSON bodies (RFC 8259) with jansson, strictly: one object, UTF-8, bounded
 * depth, no key twice, no NUL in a string. */
#ifndef NET_JSON_H
#define NET_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* MALFORMED: not such an object; LIMIT: deeper than NET_JSON_DEPTH_MAX.
 * *json is for json_decref(). */
enum oc_err net_json_parse(const uint8_t *text, size_t len, json_t **json,
    struct oc_error *error) OC_MUST_CHECK;

/* Fields of an object.  One that is missing or null is "as if not given":
 * *value stays.  MALFORMED for another type. */
enum oc_err net_json_get_string(const json_t *object, const char *key,
    const char **value) OC_MUST_CHECK;
enum oc_err net_json_get_integer(const json_t *object, const char *key,
    int64_t *value) OC_MUST_CHECK;
enum oc_err net_json_get_boolean(const json_t *object, const char *key,
    bool *value) OC_MUST_CHECK;
/* An array whose items are all strings. */
enum oc_err net_json_get_strings(const json_t *object, const char *key,
    const json_t **value) OC_MUST_CHECK;
enum oc_err net_json_get_object(const json_t *object, const char *key,
    const json_t **value) OC_MUST_CHECK;

/* Overwrites the text of a string before it is freed. */
void net_json_cleanse(json_t *string);

#endif
