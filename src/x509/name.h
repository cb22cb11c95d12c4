/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Distinguished names, RFC 5280 4.1.2.4, in DER and as text.  A Name that
 * came from a certificate is copied byte for byte, never written again.
 */
#ifndef X509_NAME_H
#define X509_NAME_H

#include "base/err.h"
#include "der/bytes.h"
#include "der/oid.h"
#include "der/reader.h"
#include "der/writer.h"

#define X509_NAME_TEXT_MAX 1024

/*
 * From what people type: "/C=DE/O=Example/CN=a" or "CN=a,O=Example,C=DE"
 * (RFC 4514 order and escapes).  C must be two letters, lengths within RFC
 * 5280's upper bounds, PrintableString where the alphabet allows, else
 * UTF8String; no control characters; one attribute per RDN.  The error names
 * the attribute.  out gets the whole Name TLV, at most OC_NAME_MAX octets.
 */
enum oc_err x509_name_parse(const char *text, uint8_t *out, size_t out_max,
    size_t *len, struct oc_error *error) OC_MUST_CHECK;

/* RFC 4514 text, "CN=a,O=Example,C=DE", cut with "..." if it does not fit;
 * control characters escaped.  name is a Name TLV. */
void x509_name_format(struct der_bytes name, char text[X509_NAME_TEXT_MAX]);

/* True for a well-formed Name TLV within limits. */
bool x509_name_is_valid(struct der_bytes name);
bool x509_name_is_empty(struct der_bytes name);
/* The same for the contents of one RelativeDistinguishedName. */
bool x509_rdn_is_valid(struct der_bytes contents);

/* The first attribute of this type; its value's text octets. */
bool x509_name_find(struct der_bytes name, enum der_oid attribute,
    struct der_bytes *value);

/* Every attribute in turn, its value's octets as they are.  Zero state is at
 * the end. */
struct x509_name_cursor {
	struct der_reader rdns, rdn;
};
void x509_name_begin(struct der_bytes name, struct x509_name_cursor *cursor);
bool x509_name_next(struct x509_name_cursor *cursor, enum der_oid *attribute,
    struct der_bytes *value);

/*
 * True if name is base or has it as its first RDNs, as a directoryName
 * subtree wants (RFC 5280, 4.2.1.10).  Values are the same if they differ in
 * the case of ASCII letters, in how many spaces stand in one place, or in
 * their string type only (7.1).
 */
bool x509_name_is_below(struct der_bytes name, struct der_bytes base);

#endif
