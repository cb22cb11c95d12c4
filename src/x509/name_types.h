/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The attribute types of names: how each is called in text, how long it may
 * be and which string type it is written with; and the characters of text.
 * For name.c, name_parse.c, and who makes names of attributes that came one
 * by one.
 */
#ifndef X509_NAME_TYPES_H
#define X509_NAME_TYPES_H

#include "base/err.h"
#include "der/bytes.h"
#include "der/writer.h"

enum x509_name_form {
	X509_FORM_DIRECTORY,	/* PrintableString if it fits, else UTF8 */
	X509_FORM_COUNTRY,	/* two upper-case letters */
	X509_FORM_PRINTABLE,
	X509_FORM_IA5
};

struct x509_name_type {
	const char *name;	/* what we print; NULL ends the table */
	const char *alias;	/* taken as well; may be NULL */
	const char *long_name;	/* the RFC's; taken as well */
	struct der_bytes oid;	/* contents */
	enum x509_name_form form;
	uint32_t chars_max;	/* characters, not octets */
};

/* NULL if it is none we know. */
const struct x509_name_type *x509_name_type_of(struct der_bytes oid);
/* By any of its names or its dotted OID, in any case. */
const struct x509_name_type *x509_name_type_find(const char *text,
    size_t len);

/* Within the type's upper bound and alphabet, UTF-8, no control characters,
 * no blank at either end; the error names the type. */
enum oc_err x509_name_check_value(const struct x509_name_type *type,
    struct der_bytes value, struct oc_error *error) OC_MUST_CHECK;
/* AttributeTypeAndValue of a value that passed x509_name_check_value(). */
void x509_put_name_attribute(struct der_writer *w,
    const struct x509_name_type *type, struct der_bytes value);

/* The next character of UTF-8 text (RFC 3629: shortest form, no surrogates),
 * taken off *rest.  False if there is none or it is not well-formed. */
bool x509_utf8_get(struct der_bytes *rest, uint32_t *character);

/* Control characters: C0, DEL, C1. */
static inline bool
x509_is_control(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c <= 0x9f);
}

#endif
