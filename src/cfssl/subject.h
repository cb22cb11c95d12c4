/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Subjects as CFSSL writes them: the types in the order C, ST, L, O, OU,
 * street, postalCode, CN, serialNumber, then all others as they came.  Several
 * values of one type are one RelativeDistinguishedName, a SET in DER's order;
 * PrintableString where its alphabet is enough, else UTF8String.
 */
#ifndef CFSSL_SUBJECT_H
#define CFSSL_SUBJECT_H

#include "base/limits.h"
#include "cfssl/json.h"
#include "der/bytes.h"

#define CFSSL_ATTRIBUTES_MAX 64

/* Zero state is the empty subject. */
struct cfssl_subject {
	struct {
		uint8_t rank;		/* where it goes */
		uint16_t at, len;	/* AttributeTypeAndValue in octets */
	} attributes[CFSSL_ATTRIBUTES_MAX];
	size_t num_attributes;
	uint8_t octets[OC_NAME_MAX];
	size_t octets_len;
};

/* type: "OU", or dotted.  value is not empty.  MALFORMED or LIMIT, the place
 * in the error, if it is no good value. */
enum oc_err cfssl_subject_add(struct cfssl_subject *subject,
    const struct cfssl_place *place, const char *type, const char *value,
    struct oc_error *error) OC_MUST_CHECK;
/* Without those of this type. */
void cfssl_subject_remove(struct cfssl_subject *subject, const char *type);
/* Takes over, of a Name TLV, the attributes of each type that it has none
 * of. */
enum oc_err cfssl_subject_fill(struct cfssl_subject *subject,
    struct der_bytes name, struct oc_error *error) OC_MUST_CHECK;
/* The Name TLV, at most OC_NAME_MAX octets. */
enum oc_err cfssl_subject_write(const struct cfssl_subject *subject,
    uint8_t out[OC_NAME_MAX], size_t *len, struct oc_error *error)
    OC_MUST_CHECK;

#endif
