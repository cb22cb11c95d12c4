/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CRLs, RFC 5280 5, read as far as they are one: one walk over the entries,
 * of which there may be millions, that remembers the first of each fault.
 */
#include "lint/crl.h"

#include <stdlib.h>
#include <string.h>

#include "base/reason.h"
#include "lint/run.h"

static void
break_at(struct lint_crl *c, const char *what)
{
	if (c->broken == NULL)
		c->broken = what;
}

static void
read_extensions(struct der_reader *explicit, struct lint_crl *c)
{
	struct lint_extension e;
	struct der_reader list;

	der_enter(explicit, DER_SEQUENCE, &list);
	while (!der_at_end(&list) &&
	    c->num_extensions < LINT_CRL_EXTENSIONS_MAX) {
		if (!lint_extension_get(&list, &e)) {
			break_at(c, "an extension of the list is not one");
			return;
		}
		c->extensions[c->num_extensions++] = e;
	}
}

/*
 * TBSCertList ::= SEQUENCE {
 *     version              INTEGER { v2(1) } OPTIONAL,
 *     signature            AlgorithmIdentifier,
 *     issuer               Name,
 *     thisUpdate           Time,
 *     nextUpdate           Time OPTIONAL,
 *     revokedCertificates  SEQUENCE OF SEQUENCE { ... } OPTIONAL,
 *     crlExtensions        [0] EXPLICIT Extensions OPTIONAL }
 */
static void
read_tbs(struct der_bytes contents, struct lint_crl *c)
{
	struct der_reader r = der_reader_of(contents), explicit;
	struct der_bytes tlv;

	if (der_next_is(&r, DER_INTEGER))
		der_get(&r, DER_INTEGER, &c->version);
	if (der_get_tlv(&r, DER_SEQUENCE, &tlv))
		lint_algorithm_read(tlv, &c->inner);
	der_get_tlv(&r, DER_SEQUENCE, &c->issuer_name);
	lint_time_read(&r, &c->this_update);
	if (der_next_is(&r, DER_UTC_TIME) ||
	    der_next_is(&r, DER_GENERALIZED_TIME))
		lint_time_read(&r, &c->next_update);
	if (der_next_is(&r, DER_SEQUENCE))
		c->has_revoked = der_get(&r, DER_SEQUENCE, &c->revoked);
	if (der_enter_optional(&r, DER_CONTEXT(0), &explicit))
		read_extensions(&explicit, c);
	if (!der_is_done(&r))
		break_at(c, "the TBSCertList is not as RFC 5280 5.1 has it");
}

static void
read_shell(struct lint_crl *c)
{
	struct der_bytes contents, tbs, tlv;
	struct der_reader r;

	if (!der_read_whole(c->input->der, DER_SEQUENCE, &contents)) {
		break_at(c, "it is not one SEQUENCE in DER");
		return;
	}
	r = der_reader_of(contents);
	if (!der_get(&r, DER_SEQUENCE, &tbs)) {
		break_at(c, "the TBSCertList is not a SEQUENCE");
		return;
	}
	read_tbs(tbs, c);
	if (der_get_tlv(&r, DER_SEQUENCE, &tlv))
		lint_algorithm_read(tlv, &c->outer);
	der_get(&r, DER_BIT_STRING, &c->signature);
	if (!der_is_done(&r))
		break_at(c, "algorithm and signature are not behind it");
}

/* --- entries ---------------------------------------------------------- */

static void
note(struct der_bytes *first, struct der_bytes serial)
{
	if (first->p == NULL)
		*first = serial;
}

/* reasonCode, RFC 5280 5.3.1: neither 0, nor 7, nor over 10. */
static void
note_reason(const struct lint_extension *e, struct der_bytes serial,
    struct lint_crl *c)
{
	struct der_bytes reason;

	if (e->is_critical)
		note(&c->critical_reason, serial);
	if (!der_read_whole(e->value, DER_ENUMERATED, &reason) ||
	    reason.len != 1 || reason.p[0] == 0 || reason.p[0] == 7 ||
	    reason.p[0] > CRL_REASON_AA_COMPROMISE)
		note(&c->bad_reason, serial);
	else if (reason.p[0] == CRL_REASON_REMOVE_FROM_CRL)
		note(&c->removed, serial);
}

static bool
read_entry(struct der_reader *r, struct der_bytes *serial,
    struct lint_crl *c)
{
	struct der_reader inner, list;
	struct lint_extension e;
	struct lint_time at;

	der_enter(r, DER_SEQUENCE, &inner);
	der_get(&inner, DER_INTEGER, serial);
	lint_time_read(&inner, &at);
	if (inner.has_failed)
		return false;
	if (at.is_read && c->this_update.is_read &&
	    at.at > c->this_update.at)
		note(&c->late, *serial);
	if (der_enter_optional(&inner, DER_SEQUENCE, &list))
		while (!der_at_end(&list)) {
			if (!lint_extension_get(&list, &e))
				return false;
			if (e.id == DER_OID_REASON_CODE)
				note_reason(&e, *serial, c);
		}
	return der_is_done(&inner);
}

int
lint_compare_integers(struct der_bytes a, struct der_bytes b)
{
	if (a.len != b.len)
		return a.len < b.len ? -1 : 1;
	return a.len == 0 ? 0 : memcmp(a.p, b.p, a.len);
}

static int
compare(const void *va, const void *vb)
{
	const struct der_bytes *a = va, *b = vb;

	return lint_compare_integers(*a, *b);
}

/* True if serials ascend, as ours do: then none is there twice. */
static bool
read_entries(struct lint_crl *c)
{
	struct der_reader r = der_reader_of(c->revoked);
	struct der_bytes serial = { NULL, 0 }, last = serial;
	bool is_ascending = true;

	for (; !der_at_end(&r); last = serial, c->num_entries++) {
		if (!read_entry(&r, &serial, c)) {
			break_at(c, "an entry is not as RFC 5280 5.1 has it");
			break;
		}
		is_ascending &= c->num_entries == 0 ||
		    compare(&last, &serial) < 0;
	}
	return is_ascending;
}

static enum oc_err
find_duplicate(struct lint_crl *c)
{
	struct der_reader r = der_reader_of(c->revoked), inner;
	struct der_bytes *serials;
	uint32_t i;

	if (c->num_entries < 2)
		return OC_OK;
	serials = calloc(c->num_entries, sizeof(*serials));
	if (serials == NULL)
		return OC_ERR_NOMEM;
	for (i = 0; i < c->num_entries; i++) {
		der_enter(&r, DER_SEQUENCE, &inner);
		der_get(&inner, DER_INTEGER, &serials[i]);
	}
	qsort(serials, c->num_entries, sizeof(*serials), compare);
	for (i = 1; i < c->num_entries; i++)
		if (compare(&serials[i - 1], &serials[i]) == 0) {
			c->twice = serials[i];
			break;
		}
	free(serials);
	return OC_OK;
}

enum oc_err
lint_crl(const struct lint_crl_input *input, struct lint_report *report)
{
	const struct lint_input none = { .der = input->issuer };
	struct lint_crl crl = { .input = input };
	const struct lint_run run = { .crl = &crl, .audience = LINT_PUBLIC,
	    .exempt = input->exempt };
	struct lint_cert issuer;
	enum oc_err err = OC_OK;

	read_shell(&crl);
	if (!read_entries(&crl))
		err = find_duplicate(&crl);
	if (err != OC_OK)
		return err;
	if (input->issuer.len != 0) {
		lint_cert_read(&none, input->issuer, &issuer);
		crl.issuer = &issuer;
	}
	lint_run_begin(report);
	lint_run(&run, report);
	return OC_OK;
}
