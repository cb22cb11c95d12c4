/* SPDX-License-Identifier: Apache-2.0 */
/*
 * certificatePolicies, RFC 5280 section 4.2.1.4, written and read.
 */
#include "base/bytes.h"
#include "x509/ext_impl.h"

/*
 * PolicyQualifierInfo ::= SEQUENCE {
 *     policyQualifierId  OBJECT IDENTIFIER,     id-qt-cps or id-qt-unotice
 *     qualifier          ANY DEFINED BY policyQualifierId }
 *
 * CPSuri ::= IA5String
 *
 * UserNotice ::= SEQUENCE {
 *     noticeRef     NoticeReference OPTIONAL,
 *     explicitText  DisplayText OPTIONAL }
 *
 * DisplayText ::= CHOICE {
 *     ia5String      IA5String      (SIZE (1..200)),
 *     visibleString  VisibleString  (SIZE (1..200)),
 *     bmpString      BMPString      (SIZE (1..200)),
 *     utf8String     UTF8String     (SIZE (1..200)) }
 */
enum { VISIBLE_STRING = 0x1a };

static void
put_qualifier(struct der_writer *w, enum x509_qualifier_kind kind,
    struct der_bytes text)
{
	der_begin(w, DER_SEQUENCE);
	switch (kind) {
	case X509_QUALIFIER_CPS:
		der_put_oid(w, DER_OID_QT_CPS);
		der_put_ia5(w, text);
		break;
	case X509_QUALIFIER_NOTICE:
		der_put_oid(w, DER_OID_QT_NOTICE);
		der_begin(w, DER_SEQUENCE);
		der_put_utf8(w, text);
		der_end(w);
		break;
	}
	der_end(w);
}

/*
 * PolicyInformation ::= SEQUENCE {
 *     policyIdentifier  OBJECT IDENTIFIER,
 *     policyQualifiers  SEQUENCE SIZE (1..MAX) OF PolicyQualifierInfo
 *                       OPTIONAL }
 *
 * certificatePolicies ::= SEQUENCE SIZE (1..MAX) OF PolicyInformation
 */
void
x509_put_policies(struct der_writer *w, const struct x509_extensions *e)
{
	const struct x509_policy *policy;
	uint32_t i, j;

	der_begin(w, DER_SEQUENCE);
	for (i = 0; i < e->num_policies; i++) {
		policy = &e->policies[i];
		der_begin(w, DER_SEQUENCE);
		der_put_oid_bytes(w, policy->oid);
		if (policy->num_qualifiers != 0) {
			der_begin(w, DER_SEQUENCE);
			for (j = 0; j < policy->num_qualifiers; j++)
				put_qualifier(w, policy->qualifiers[j].kind,
				    policy->qualifiers[j].text);
			der_end(w);
		}
		der_end(w);
	}
	der_end(w);
}

static enum oc_err
keep(struct x509_policy *policy, enum x509_qualifier_kind kind,
    struct der_bytes text)
{
	if (policy->num_qualifiers == X509_QUALIFIERS_MAX)
		return OC_ERR_LIMIT;
	policy->qualifiers[policy->num_qualifiers].kind = kind;
	policy->qualifiers[policy->num_qualifiers].text = text;
	policy->num_qualifiers++;
	return OC_OK;
}

/* A noticeRef names texts that are elsewhere: walked over. */
static enum oc_err
read_notice(struct der_bytes tlv, struct x509_policy *policy)
{
	struct der_bytes contents, text;
	struct der_reader r;
	uint8_t tag;

	if (!der_read_whole(tlv, DER_SEQUENCE, &contents))
		return OC_ERR_MALFORMED;
	r = der_reader_of(contents);
	if (der_next_is(&r, DER_SEQUENCE) && (!der_get(&r, DER_SEQUENCE,
	    &text) || !der_is_valid(text)))
		return OC_ERR_MALFORMED;
	if (der_at_end(&r))
		return der_is_done(&r) ? OC_OK : OC_ERR_MALFORMED;
	if (!der_get_any(&r, &tag, &text, NULL) || !der_is_done(&r) ||
	    (tag != DER_UTF8_STRING && tag != DER_IA5_STRING &&
	    tag != VISIBLE_STRING && tag != DER_BMP_STRING))
		return OC_ERR_MALFORMED;
	if (tag == DER_BMP_STRING)
		return OC_OK;
	if (text.len == 0 || !oc_utf8_is_valid(text.p, text.len))
		return OC_ERR_MALFORMED;
	return keep(policy, X509_QUALIFIER_NOTICE, text);
}

static enum oc_err
read_qualifier(struct der_reader *r, struct x509_policy *policy)
{
	struct der_bytes id, contents, tlv;
	struct der_reader inner;
	enum der_oid oid;
	uint8_t tag;

	der_enter(r, DER_SEQUENCE, &inner);
	der_get_oid(&inner, &id);
	der_get_any(&inner, &tag, &contents, &tlv);
	if (!der_leave(r, &inner))
		return OC_ERR_MALFORMED;
	oid = der_oid_find(id);
	if (oid == DER_OID_QT_NOTICE)
		return read_notice(tlv, policy);
	if (oid != DER_OID_QT_CPS)
		return der_is_valid(tlv) ? OC_OK : OC_ERR_MALFORMED;
	if (tag != DER_IA5_STRING || !x509_is_plain_text(contents))
		return OC_ERR_MALFORMED;
	return keep(policy, X509_QUALIFIER_CPS, contents);
}

static enum oc_err
read_policy(struct der_reader *r, struct x509_policy *policy)
{
	struct der_reader inner, list;
	enum oc_err err;

	*policy = (struct x509_policy){ .num_qualifiers = 0 };
	der_enter(r, DER_SEQUENCE, &inner);
	if (!der_get_oid(&inner, &policy->oid))
		return OC_ERR_MALFORMED;
	if (der_enter_optional(&inner, DER_SEQUENCE, &list)) {
		if (der_at_end(&list))
			return OC_ERR_MALFORMED;
		while (!der_at_end(&list))
			if ((err = read_qualifier(&list, policy)) != OC_OK)
				return err;
		der_leave(&inner, &list);
	}
	return der_leave(r, &inner) ? OC_OK : OC_ERR_MALFORMED;
}

/* A policy twice is forbidden: RFC 5280, 4.2.1.4. */
static bool
is_repeated(const struct x509_extensions *e)
{
	uint32_t i;

	for (i = 0; i + 1 < e->num_policies; i++)
		if (der_bytes_equal(e->policies[i].oid,
		    e->policies[e->num_policies - 1].oid))
			return true;
	return false;
}

enum oc_err
x509_read_policies(struct der_bytes value, struct x509_extensions *out)
{
	struct der_reader r = der_reader_of(value), inner;
	enum oc_err err;

	if (!der_enter(&r, DER_SEQUENCE, &inner) || der_at_end(&inner))
		return OC_ERR_MALFORMED;
	while (!der_at_end(&inner)) {
		if (out->num_policies == X509_POLICIES_MAX)
			return OC_ERR_LIMIT;
		err = read_policy(&inner, &out->policies[out->num_policies]);
		if (err != OC_OK)
			return err;
		out->num_policies++;
		if (is_repeated(out))
			return OC_ERR_MALFORMED;
	}
	der_leave(&r, &inner);
	return der_is_done(&r) ? OC_OK : OC_ERR_MALFORMED;
}
