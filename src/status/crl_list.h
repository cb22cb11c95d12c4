/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A CRL that has been read and found to be an issuer's: its octets beside the
 * list of who is on it.
 */
#ifndef STATUS_CRL_LIST_H
#define STATUS_CRL_LIST_H

#include "base/spool.h"
#include "status/list.h"
#include "x509/cert.h"
#include "x509/crl.h"

/* In decimal; one of more than 8 octets, and up to 20, in hexadecimal behind
 * "0x"; "none". */
#define STATUS_CRL_NUMBER_TEXT_MAX 43

struct status_crl_list {
	struct status_list list;	/* first: who is on it */
	uint8_t *octets;		/* owned: one of the two */
	struct oc_mapping mapping;
	struct x509_crl crl;		/* views into it; crl.der is all */
	struct status_crl_list *delta;	/* owned: what has been changed by it;
					 * NULL: nothing */
	struct der_bytes number;	/* with that */
};

/* What must be so of a list that all is said by, of what is not on it too. */
enum status_crl_scope {
	STATUS_CRL_ANY,
	STATUS_CRL_WHOLE,	/* it leaves out none of the issuer's */
	STATUS_CRL_DELTA	/* it is a delta, for _combine() */
};

/*
 * From DER, whose octets are taken over if it succeeds.  What x509_crl_read()
 * and x509_crl_verify() say, and UNSUPPORTED for a part where a whole one is
 * wanted.  Dates are not looked at.
 */
enum oc_err status_crl_list_new(uint8_t **der, size_t der_len,
    const struct x509_cert *issuer, enum status_crl_scope scope,
    struct status_crl_list **list, struct oc_error *error) OC_MUST_CHECK;
/* The same, of octets that are not in memory of one's own: of it the list has
 * four octets for each entry. */
enum oc_err status_crl_list_new_mapped(struct oc_mapping *der,
    const struct x509_cert *issuer, enum status_crl_scope scope,
    struct status_crl_list **list, struct oc_error *error) OC_MUST_CHECK;
void status_crl_list_release(struct status_crl_list *list); /* NULL: fine */

/*
 * Both are new.  From then on the list says what both do, and for as long as
 * both do: the delta's entry about a certificate counts, and what it has with
 * removeFromCRL is on the list as such.  *delta is taken over, or, where the
 * list is as new, released.  What x509_delta_crl_check() says, and then both
 * are as they were.
 */
enum oc_err status_crl_list_combine(struct status_crl_list *list,
    struct status_crl_list **delta, struct oc_error *error) OC_MUST_CHECK;

/* Of both, if there is a delta. */
void status_crl_number_format(const struct status_crl_list *list,
    char text[STATUS_CRL_NUMBER_TEXT_MAX]);

/* REFUSED: it is from the future, has no nextUpdate, or has ended by now. */
enum oc_err status_crl_list_check_dates(const struct status_crl_list *list,
    int64_t now, struct oc_error *error) OC_MUST_CHECK;
/* REFUSED: it is older than the one before, or has the same number and says
 * something else. */
enum oc_err status_crl_list_check_older(const struct status_crl_list *list,
    const struct status_crl_list *before, struct oc_error *error)
    OC_MUST_CHECK;

/*
 * May it stand in the place of the one before?  REFUSED: it is older, has the
 * same number and says something else, or leaves out more of those that were
 * revoked for good than dropped_max_percent of them; a hold may be released.
 * What became of them is *lost in any case.
 */
enum oc_err status_crl_list_succeeds(const struct status_crl_list *list,
    const struct status_crl_list *before, int64_t dropped_max_percent,
    struct status_lost *lost, struct oc_error *error) OC_MUST_CHECK;

#endif
