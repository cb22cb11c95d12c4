/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CFSSL's JSON documents, read strictly.  Go's reader takes a key in any case,
 * and so do we; it drops keys that it does not know and takes the last of two
 * that are the same, and we refuse both, naming the place: "names[1].OU".
 */
#ifndef CFSSL_JSON_H
#define CFSSL_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define CFSSL_PATH_MAX 96

/* A place in a document: "csr.json" and "names[1].OU". */
struct cfssl_place {
	const char *where;
	char path[CFSSL_PATH_MAX];	/* "": the whole document */
};

/*
 * Before any document with a private key in it is read: jansson's memory is
 * overwritten when it is freed.  Once, first of all, by one thread.
 */
void cfssl_json_cleanse(void);

/*
 * An object, for json_decref().  LIMIT over CFSSL_JSON_MAX octets or
 * CFSSL_JSON_DEPTH_MAX levels; MALFORMED with line and column.  Nothing of
 * the text is in the error.
 */
enum oc_err cfssl_json_parse(const char *where, const uint8_t *text,
    size_t len, json_t **document, struct oc_error *error) OC_MUST_CHECK;

/* A key that an object may have, what its value must be, and, after reading,
 * the value: borrowed, NULL if there is none or it is null. */
struct cfssl_member {
	const char *name;	/* NULL ends the table */
	json_type type;		/* JSON_TRUE stands for either boolean */
	json_t *value;
};

/* MALFORMED for what is no object, an unknown key, one twice but for its
 * case, or a value of another type. */
enum oc_err cfssl_json_members(const struct cfssl_place *place,
    const json_t *object, struct cfssl_member *members,
    struct oc_error *error) OC_MUST_CHECK;

/* place->key, or place[index] if key is NULL. */
struct cfssl_place cfssl_place_in(const struct cfssl_place *place,
    const char *key, size_t index);

/* "csr.json: names[1].OU: text", with code. */
enum oc_err cfssl_json_error(const struct cfssl_place *place,
    enum oc_err code, struct oc_error *error, const char *format, ...)
    OC_PRINTF(4, 5);
/* "csr.json: names[1].OU: " in front of what error says; it may be NULL. */
void cfssl_json_prefix(const struct cfssl_place *place,
    struct oc_error *error);

#endif
