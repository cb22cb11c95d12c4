/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A certificate taken apart, RFC 5280 4.1, whatever is in it: each part is
 * read by itself, so that one that is wrong hides no other, and the walk goes
 * once over the octets and never beyond them.
 */
#include "lint/view.h"

#include "der/time.h"
#include "x509/ext.h"

#define PATH_LENGTH_MAX 1000

static void
break_at(struct lint_cert *c, const char *what)
{
	if (c->broken == NULL)
		c->broken = what;
}

/*
 * AlgorithmIdentifier ::= SEQUENCE {
 *     algorithm   OBJECT IDENTIFIER,
 *     parameters  ANY DEFINED BY algorithm OPTIONAL }
 */
void
lint_algorithm_read(struct der_bytes tlv, struct lint_algorithm *alg)
{
	struct der_bytes contents;
	struct der_reader r;
	uint8_t tag;

	*alg = (struct lint_algorithm){ .tlv = tlv };
	if (!der_read_whole(tlv, DER_SEQUENCE, &contents))
		return;
	r = der_reader_of(contents);
	if (!der_get_oid(&r, &alg->oid))
		return;
	alg->id = der_oid_find(alg->oid);
	if (!der_at_end(&r))
		der_get_any(&r, &tag, NULL, &alg->parameters);
}

/* Either of the two types, whatever is in it. */
void
lint_time_read(struct der_reader *r, struct lint_time *time)
{
	*time = (struct lint_time){ 0 };
	if (!der_next_is(r, DER_UTC_TIME) &&
	    !der_next_is(r, DER_GENERALIZED_TIME)) {
		der_reader_fail(r);
		return;
	}
	if (!der_get_any(r, &time->tag, &time->contents, NULL))
		return;
	if (time->tag == DER_UTC_TIME)
		time->is_read = der_parse_utctime(time->contents,
		    &time->at) == OC_OK;
	else
		time->is_read = der_parse_gentime(time->contents,
		    &time->at) == OC_OK;
}

/*
 * RelativeDistinguishedName ::= SET SIZE (1..MAX) OF SEQUENCE {
 *     type   OBJECT IDENTIFIER,
 *     value  ANY }
 */
static bool
read_rdn(struct der_reader *rdn, struct lint_name *name)
{
	struct lint_attribute a;
	struct der_reader pair;
	struct der_bytes oid;
	uint32_t num = 0;

	for (; !der_at_end(rdn); num++) {
		der_enter(rdn, DER_SEQUENCE, &pair);
		if (!der_get_oid(&pair, &oid) ||
		    !der_get_any(&pair, &a.tag, &a.value, NULL) ||
		    !der_leave(rdn, &pair))
			return false;
		a.id = der_oid_find(oid);
		if (name->num_attributes < LINT_ATTRIBUTES_MAX)
			name->attributes[name->num_attributes++] = a;
	}
	name->has_empty_rdn |= num == 0;
	name->has_multiple_rdn |= num > 1;
	return !rdn->has_failed;
}

void
lint_name_read(struct der_bytes tlv, struct lint_name *name)
{
	struct der_bytes contents;
	struct der_reader r, rdn;

	name->tlv = tlv;
	if (!der_read_whole(tlv, DER_SEQUENCE, &contents))
		return;
	for (r = der_reader_of(contents); !der_at_end(&r);)
		if (!der_enter(&r, DER_SET, &rdn) || !read_rdn(&rdn, name))
			return;
	name->is_read = !r.has_failed;
}

/*
 * Extension ::= SEQUENCE {
 *     extnID     OBJECT IDENTIFIER,
 *     critical   BOOLEAN DEFAULT FALSE,
 *     extnValue  OCTET STRING }
 */
bool
lint_extension_get(struct der_reader *r, struct lint_extension *e)
{
	struct der_bytes critical;
	struct der_reader inner;

	*e = (struct lint_extension){ 0 };
	der_enter(r, DER_SEQUENCE, &inner);
	der_get_oid(&inner, &e->oid);
	if (der_next_is(&inner, DER_BOOLEAN) &&
	    der_get(&inner, DER_BOOLEAN, &critical)) {
		e->is_critical = critical.len > 0 && critical.p[0] != 0;
		e->is_false_written = !e->is_critical;
	}
	der_get(&inner, DER_OCTET_STRING, &e->value);
	if (!der_leave(r, &inner))
		return false;
	e->id = der_oid_find(e->oid);
	return true;
}

static void
read_extensions(struct der_reader *explicit, struct lint_cert *c)
{
	struct lint_extension e;
	struct der_reader list;

	c->has_extensions = true;
	if (!der_enter(explicit, DER_SEQUENCE, &list)) {
		break_at(c, "the extensions are not a SEQUENCE");
		return;
	}
	while (!der_at_end(&list)) {
		if (!lint_extension_get(&list, &e)) {
			break_at(c, "an extension is not an OID, a BOOLEAN "
			    "and an OCTET STRING");
			return;
		}
		if (c->num_extensions == LINT_EXTENSIONS_MAX) {
			c->has_more_extensions = true;
			return;
		}
		c->extensions[c->num_extensions++] = e;
		if (e.id != DER_OID_UNKNOWN && c->first[e.id] == 0)
			c->first[e.id] = (uint8_t)c->num_extensions;
	}
	if (!der_is_done(explicit))
		break_at(c, "there is something behind the extensions");
}

/* Unique identifiers and extensions: what stands behind the key. */
static void
read_tail(struct der_reader *r, struct lint_cert *c)
{
	struct der_reader explicit;
	uint8_t tag;

	while (!der_at_end(r) && ((r->p[0] & ~0x20) == 0x81 ||
	    (r->p[0] & ~0x20) == 0x82)) {
		c->has_unique_id = true;
		if (!der_get_any(r, &tag, NULL, NULL)) {
			break_at(c, "a unique identifier is cut short");
			return;
		}
	}
	if (der_enter_optional(r, DER_CONTEXT(3), &explicit))
		read_extensions(&explicit, c);
	if (!der_is_done(r))
		break_at(c, "there is something behind the key that is "
		    "neither unique identifiers nor extensions");
}

static bool
read_spki(struct der_reader *r, struct lint_cert *c)
{
	struct der_bytes contents, algorithm;
	struct der_reader inner;

	if (!der_get_tlv(r, DER_SEQUENCE, &c->spki))
		return false;
	if (!der_read_whole(c->spki, DER_SEQUENCE, &contents))
		return true;
	inner = der_reader_of(contents);
	if (der_get_tlv(&inner, DER_SEQUENCE, &algorithm))
		lint_algorithm_read(algorithm, &c->spki_alg);
	der_get(&inner, DER_BIT_STRING, &c->key);
	if (!der_is_done(&inner))
		break_at(c, "the key is not an algorithm and a BIT STRING");
	return true;
}

/*
 * TBSCertificate ::= SEQUENCE {
 *     version         [0] EXPLICIT INTEGER DEFAULT v1,
 *     serialNumber    INTEGER,
 *     signature       AlgorithmIdentifier,
 *     issuer          Name,
 *     validity        SEQUENCE { notBefore Time, notAfter Time },
 *     subject         Name,
 *     subjectPublicKeyInfo,
 *     issuerUniqueID  [1] IMPLICIT BIT STRING OPTIONAL,
 *     subjectUniqueID [2] IMPLICIT BIT STRING OPTIONAL,
 *     extensions      [3] EXPLICIT Extensions OPTIONAL }
 */
static void
read_tbs(struct der_bytes contents, struct lint_cert *c)
{
	struct der_reader r = der_reader_of(contents), inner;
	struct der_bytes tlv;

	if (der_enter_optional(&r, DER_CONTEXT(0), &inner) &&
	    (!der_get(&inner, DER_INTEGER, &c->version) ||
	    !der_is_done(&inner)))
		break_at(c, "the version is not an INTEGER");
	if (!der_get(&r, DER_INTEGER, &c->serial)) {
		break_at(c, "the serial number is not an INTEGER");
		return;
	}
	if (!der_get_tlv(&r, DER_SEQUENCE, &tlv)) {
		break_at(c, "signature is not an AlgorithmIdentifier");
		return;
	}
	lint_algorithm_read(tlv, &c->inner);
	if (!der_get_tlv(&r, DER_SEQUENCE, &c->issuer_name)) {
		break_at(c, "the issuer is not a Name");
		return;
	}
	if (!der_enter(&r, DER_SEQUENCE, &inner)) {
		break_at(c, "the validity is not a SEQUENCE");
		return;
	}
	lint_time_read(&inner, &c->not_before);
	lint_time_read(&inner, &c->not_after);
	if (!der_is_done(&inner))
		break_at(c, "the validity is not two times");
	if (!der_get_tlv(&r, DER_SEQUENCE, &tlv)) {
		break_at(c, "the subject is not a Name");
		return;
	}
	lint_name_read(tlv, &c->subject);
	if (!read_spki(&r, c)) {
		break_at(c, "the key is not a SubjectPublicKeyInfo");
		return;
	}
	read_tail(&r, c);
}

/* --- what extensions say ---------------------------------------------- */

bool
lint_small_integer(struct der_bytes c, int *value)
{
	uint32_t v = 0;
	size_t i;

	if (c.len == 0 || c.len > 4 || c.p[0] >= 0x80)
		return false;
	for (i = 0; i < c.len; i++)
		v = v << 8 | c.p[i];
	*value = (int)v;
	return true;
}

/*
 * BasicConstraints ::= SEQUENCE {
 *     cA                 BOOLEAN DEFAULT FALSE,
 *     pathLenConstraint  INTEGER (0..MAX) OPTIONAL }
 */
static void
read_basic_constraints(struct lint_cert *c)
{
	const struct lint_extension *e = lint_find_extension(c,
	    DER_OID_BASIC_CONSTRAINTS);
	struct der_bytes contents, value;
	struct der_reader r;

	c->path_length = LINT_NO_PATH_LENGTH;
	if (e == NULL || !der_read_whole(e->value, DER_SEQUENCE, &contents))
		return;
	r = der_reader_of(contents);
	if (der_next_is(&r, DER_BOOLEAN) && der_get(&r, DER_BOOLEAN, &value))
		c->has_ca_true = value.len == 1 && value.p[0] != 0;
	if (der_next_is(&r, DER_INTEGER) && der_get(&r, DER_INTEGER, &value)) {
		if (!lint_small_integer(value, &c->path_length) ||
		    c->path_length > PATH_LENGTH_MAX)
			c->path_length = LINT_BAD_PATH_LENGTH;
	}
}

/* Bits as they are, also where DER would have them otherwise. */
static void
read_key_usage(struct lint_cert *c)
{
	const struct lint_extension *e = lint_find_extension(c,
	    DER_OID_KEY_USAGE);
	struct der_bytes bits;
	size_t i, num;

	if (e == NULL || !der_read_whole(e->value, DER_BIT_STRING, &bits))
		return;
	if (bits.len < 2)
		return;
	num = 8 * (bits.len - 1);
	num -= bits.p[0] < 8 ? bits.p[0] : 0;
	for (i = 0; i < 9 && i < num; i++)
		if ((bits.p[1 + i / 8] & 0x80 >> i % 8) != 0)
			c->key_usage |= UINT32_C(1) << i;
}

static struct der_bytes
read_sequence(const struct lint_cert *c, enum der_oid id, uint8_t tag)
{
	const struct lint_extension *e = lint_find_extension(c, id);
	struct der_bytes contents = { NULL, 0 };

	if (e != NULL && !der_read_whole(e->value, tag, &contents))
		contents = (struct der_bytes){ NULL, 0 };
	return contents;
}

enum lint_kind
lint_cert_kind(const struct lint_cert *c)
{
	struct der_reader r = der_reader_of(c->ekus);
	enum lint_kind kind = LINT_OTHER;
	struct der_bytes oid;
	enum der_oid id;

	if (c->has_ca_true)
		return c->issuer_name.len > 0 && der_bytes_equal(
		    c->issuer_name, c->subject.tlv) ? LINT_ROOT :
		    LINT_INTERMEDIATE;
	while (!der_at_end(&r) && der_get(&r, DER_OID, &oid)) {
		id = der_oid_find(oid);
		if (id == DER_OID_OCSP_SIGNING)
			return LINT_OCSP_SIGNER;
		if (id == DER_OID_SERVER_AUTH)
			kind = LINT_SERVER;
		if (id == DER_OID_CLIENT_AUTH && kind == LINT_OTHER)
			kind = LINT_CLIENT;
	}
	/* Without the extension it is good for everything. */
	if (lint_find_extension(c, DER_OID_EXTENDED_KEY_USAGE) == NULL &&
	    c->sans.len > 0)
		kind = LINT_SERVER;
	return kind;
}

static void
read_shell(struct der_bytes der, struct lint_cert *c)
{
	struct der_bytes contents, tlv;
	struct der_reader r;

	if (!der_read_whole(der, DER_SEQUENCE, &contents)) {
		break_at(c, "it is not one SEQUENCE in DER");
		return;
	}
	r = der_reader_of(contents);
	if (!der_next_is(&r, DER_SEQUENCE)) {
		c->tbs = der;
		read_tbs(contents, c);
		return;
	}
	c->is_signed = true;
	if (!der_get_tlv(&r, DER_SEQUENCE, &c->tbs) ||
	    !der_read_whole(c->tbs, DER_SEQUENCE, &contents)) {
		break_at(c, "the TBSCertificate is cut short");
		return;
	}
	read_tbs(contents, c);
	if (!der_get_tlv(&r, DER_SEQUENCE, &tlv)) {
		break_at(c, "signatureAlgorithm is not a SEQUENCE");
		return;
	}
	lint_algorithm_read(tlv, &c->outer);
	if (!der_get(&r, DER_BIT_STRING, &c->signature) || !der_is_done(&r))
		break_at(c, "the signature is not a BIT STRING, the last of "
		    "it all");
}

void
lint_cert_read(const struct lint_input *input, struct der_bytes der,
    struct lint_cert *c)
{
	*c = (struct lint_cert){ .input = input };
	read_shell(der, c);
	read_basic_constraints(c);
	read_key_usage(c);
	c->sans = read_sequence(c, DER_OID_SUBJECT_ALT_NAME, DER_SEQUENCE);
	c->ekus = read_sequence(c, DER_OID_EXTENDED_KEY_USAGE, DER_SEQUENCE);
	c->subject_key_id = read_sequence(c, DER_OID_SUBJECT_KEY_IDENTIFIER,
	    DER_OCTET_STRING);
	c->kind = lint_cert_kind(c);
}
